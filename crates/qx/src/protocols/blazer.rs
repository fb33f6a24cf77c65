//! The four dialects as `blazer_ser` and `blazer_usb` know them: the questions of their namesakes,
//! maker and model under the older names, delays and test times in minutes.

use super::megatec::{BEEPER, LOAD, RATING, SHUTDOWN, STATUS, TEMPLATE, TESTS, VENDOR};
use super::megatec_old::STATUS_D;
use super::mustek::STATUS_QS;
use super::{MEGATEC_OLD, MUSTEK, ZINTO};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Lit, Minutes};
use crate::wire::command::{Arg, Command, TimeUnit, command};
use crate::wire::fact::Derived;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::{Query, text};
use crate::wire::setting::Delay;

/// The vendor block under the former names.
#[rustfmt::skip]
static VENDOR_UPS: Query = VENDOR.means(&[
    text('M', &UPS_MFR),
    text('N', &UPS_MODEL),
    text('V', &UPS_FIRMWARE),
]).source(SOURCE);

/// The same, asked as zinto wants it.
static VENDOR_UPS_FW: Query = VENDOR_UPS.asked("FW?").source(SOURCE);

const SOURCE: &str = "NUT 2.8.0 blazer.c";

/// The names of today stand next to the former ones (NUT 2.8.0 drivers/main.c).
#[rustfmt::skip]
const DERIVED: &[Derived] = &[
    Derived { var: &DEVICE_MFR,   about: "as ups.mfr",   from: |facts| facts.text(&UPS_MFR).map(String::from) },
    Derived { var: &DEVICE_MODEL, about: "as ups.model", from: |facts| facts.text(&UPS_MODEL).map(String::from) },
];

#[rustfmt::skip]
const TIMED_TEST: &[Command] = &[
    command("test.battery.start",       &[Lit("T"), Minutes(Arg::Given, 2)]).minutes(1, 99, 10),
];

#[rustfmt::skip]
const DELAYS: &[Delay] = &[
    TEMPLATE.delays[0].by_option(TimeUnit::Minutes),
    TEMPLATE.delays[1].by_option(TimeUnit::Seconds),
];

/// What the four share. The status alone tells them apart: ratings and vendor may be missing.
const SHARED: Protocol = Protocol {
    derived: DERIVED,
    commands: &[BEEPER, LOAD, SHUTDOWN, TIMED_TEST, TESTS],
    delays: DELAYS,
    acknowledgement: Acknowledgement::SilenceOrAny(&["ACK", "(ACK"]),
    flags: &[Flag::NoRating, Flag::NoVendor],
    ..TEMPLATE
};

static BLAZER_MEGATEC: Protocol =
    Protocol { signs: &[Sign::Answers(&STATUS)], queries: &[&STATUS, &RATING, &VENDOR_UPS], ..SHARED };

static BLAZER_MUSTEK: Protocol = Protocol {
    name: MUSTEK.name,
    about: MUSTEK.about,
    signs: MUSTEK.signs,
    queries: &[&STATUS_QS, &RATING, &VENDOR_UPS],
    ..SHARED
};

static BLAZER_MEGATEC_OLD: Protocol = Protocol {
    name: MEGATEC_OLD.name,
    about: MEGATEC_OLD.about,
    signs: MEGATEC_OLD.signs,
    queries: &[&STATUS_D, &RATING, &VENDOR_UPS],
    ..SHARED
};

static BLAZER_ZINTO: Protocol = Protocol {
    name: ZINTO.name,
    about: ZINTO.about,
    signs: &[Sign::Answers(&STATUS)],
    queries: &[&STATUS, &RATING, &VENDOR_UPS_FW],
    ..SHARED
};

/// The dialects of `blazer_ser` and `blazer_usb`, in their order of trying. The status of zinto is
/// that of megatec, so zinto is only reached by its name.
pub static ALL: &[&Protocol] = &[&BLAZER_MEGATEC, &BLAZER_MUSTEK, &BLAZER_MEGATEC_OLD, &BLAZER_ZINTO];
