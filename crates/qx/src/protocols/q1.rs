//! Q1: the status, and the ratings where the UPS knows them.

use super::megatec::{RATING as RATING_OF_MEGATEC, STATUS, TEMPLATE};
use crate::vocabulary::flag::Flag;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;

static RATING: Query = RATING_OF_MEGATEC.optional();

/// The dialect. NUT 2.8.0 asks it for the status alone, `blazer` for the ratings as well; most units of public
/// dumps that it fits answer `F`, and without the rated voltage nothing follows from that of the battery.
pub static Q1: Protocol = Protocol {
    name: "q1",
    about: "as megatec, but only the status has to be answered, by Q1; vendor is not asked",
    signs: &[Sign::Answers(&STATUS)],
    queries: &[&STATUS, &RATING],
    flags: &[Flag::NoRating, Flag::IgnoreSab],
    ..TEMPLATE
};
