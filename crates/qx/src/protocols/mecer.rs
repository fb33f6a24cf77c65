//! Mecer: Voltronic Power P98 units and their like, which answer commands by a word.

use super::megatec::{BEEPER, LOAD, RATING, SHUTDOWN, STATUS, TEMPLATE, TESTS, VENDOR};
use crate::vocabulary::variable::UPS_FIRMWARE_AUX;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Lit, Minutes, Short};
use crate::wire::command::{Arg, Command, command};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{Query, query, word};
use crate::wire::when::When;

const P98: &str = "Voltronic Power P98";

static FAMILY: Query = query("QPI", "family", "('P''I'FF", &[word('F', &UPS_FIRMWARE_AUX, &[("98", P98)])])
    .once()
    .source("NUT 2.8.0 nutdrv_qx_mecer.c");

#[rustfmt::skip]
const TIMED_TEST: &[Command] = &[
    command("test.battery.start", &[Lit("T"), Short(Arg::Given)]).seconds(12, 5940, 600).when(When::Is(&UPS_FIRMWARE_AUX, &[P98])),
    command("test.battery.start", &[Lit("T"), Minutes(Arg::Given, 2)]).seconds(60, 5940, 600).when(When::Unknown(&UPS_FIRMWARE_AUX)),
];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[(&UPS_FIRMWARE_AUX, "Voltronic Power P98")];

/// The dialect.
pub static MECER: Protocol = Protocol {
    name: "mecer",
    about: "as megatec, but commands are answered; QPI names the family, or is refused",
    signs: &[Sign::Answers(&STATUS), Sign::AnswersOr(&FAMILY, "(NAK")],
    sample: SAMPLE,
    queries: &[&STATUS, &RATING, &VENDOR, &FAMILY],
    commands: &[BEEPER, LOAD, SHUTDOWN, TIMED_TEST, TESTS],
    acknowledgement: Acknowledgement::Word("(ACK"),
    ..TEMPLATE
};
