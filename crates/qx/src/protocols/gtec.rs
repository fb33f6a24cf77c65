//! Gtec: the status in letters.

use super::megatec::{RATING, TEMPLATE, VENDOR};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status::{
    Bypass, ForcedShutdown, LowBattery, Off, Online, Overload, ReplaceBattery,
};
use crate::vocabulary::variable::*;
use crate::wire::fact::{Facts, Raised};
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Effect::{All, Clear, Nothing, Says, Set};
use crate::wire::query::{Code, Effect, Query, alarm, code, codes, number, query, unknown};

const FAILED: &[Effect] = &[Clear(Online), Says(&MAINS_FAILED, "yes")];
const NORMAL: &[Effect] = &[Set(Online), Clear(Bypass)];
const TEST_FAILED: &[Effect] =
    &[Says(&BATTERY_TEST_STATUS, "Test passed - Result: Failed"), Set(ReplaceBattery)];

/// What the letters say; of those that mean nothing here, the meaning is not published.
#[rustfmt::skip]
const LETTERS: &[Code] = &[
    code("A", All(FAILED)),
    code("B", Set(LowBattery)),
    code("C", Set(Bypass)),
    code("D", alarm("UPS failed")),
    code("E", Says(&BATTERY_TEST_STATUS, "Test in progress")),
    code("F", Set(ForcedShutdown)),
    code("G", alarm("Site fault")),
    code("H", alarm("EPROM fail")),
    code("I", Says(&BATTERY_TEST_STATUS, "Test passed - Result: OK")),
    code("J", All(TEST_FAILED)),
    code("K", Says(&BATTERY_TEST_STATUS, "Battery disconnected")),
    code("L", Says(&BATTERY_TEST_STATUS, "Test status unknown")),
    code("M", All(NORMAL)),
    code("N", Set(Overload)),
    code("O", Nothing),
    code("P", alarm("Battery disconnected")),
    code("Q", Nothing),
    code("R", Nothing),
    code("S", Nothing),
    code("T", Nothing),
    code("U", Nothing),
    code("V", Nothing),
    code("W", Nothing),
    code("X", Nothing),
    code("Y", Nothing),
    code("Z", Nothing),
    code(" ", Nothing),
];

#[rustfmt::skip]
static STATUS: Query = query("Q4", "status", "(MMM.M xxx.x yyy.y NNN.N PPP.P zzz QQQ RR.R uuu vvv SSS.S TT.T L*", &[
    number('M', &INPUT_VOLTAGE),
    unknown('x'),
    unknown('y'),
    number('N', &INPUT_VOLTAGE_FAULT),
    number('P', &OUTPUT_VOLTAGE),
    unknown('z'),
    number('Q', &UPS_LOAD),
    number('R', &INPUT_FREQUENCY),
    unknown('u'),
    unknown('v'),
    number('S', &BATTERY_VOLTAGE).places(1),
    number('T', &UPS_TEMPERATURE),
    codes('L', LETTERS),
]).quick().source("NUT 2.8.5 nutdrv_qx_gtec.c");

/// Mains is good unless the UPS says that it is not. A UPS that is neither on mains nor on battery nor
/// on bypass is off, if it says what its output has: letters that noise took away say the same, and then the volts
/// are in doubt as well.
fn settle(facts: &Facts, raised: &mut Raised) {
    let said = facts.heard().any(|(query, _)| query.ask == STATUS.ask);
    if said {
        raised.covers = raised.covers.with(Online);
    }
    if said && facts.text(&MAINS_FAILED).is_none() && !raised.status.has(Online) {
        let off = !raised.status.has(Bypass) && facts.f64(&OUTPUT_VOLTAGE).is_some();
        raised.status = if off { raised.status.with(Off) } else { raised.status }.with(Online);
    }
}

/// The dialect.
pub static GTEC: Protocol = Protocol {
    name: "gtec",
    about: "status in letters by Q4, ratings by F, vendor by I",
    signs: &[Sign::Answers(&STATUS), Sign::Says(&VENDOR, &UPS_FIRMWARE)],
    queries: &[&STATUS, &RATING, &VENDOR],
    settle,
    flags: &[Flag::NoRating, Flag::NoVendor],
    ..TEMPLATE
};

#[cfg(test)]
mod tests {
    use super::{GTEC, STATUS};
    use crate::vocabulary::flag::Flags;
    use crate::vocabulary::status::Status;
    use crate::wire::fact::Facts;

    /// OFF follows from letters that are missing, and is said only with the volts of the output.
    #[test]
    fn off_needs_the_volts_of_the_output() {
        for (volts, off) in [("000.0", true), ("---.-", false)] {
            let reply = format!("(230.0 000.0 000.0 000.0 {volts} 000 000 50.0 000 000 027.2 25.0 ");
            let readings = STATUS.read(reply.as_bytes()).unwrap().readings;
            let facts = Facts::new([(&STATUS, &readings)].into_iter(), Flags::default());
            assert_eq!(GTEC.raised(&facts).status.has(Status::Off), off, "{reply}");
        }
    }
}
