//! A number that is set or given is sent as it was written, or refused: a decimal that the wire has no room
//! for is neither cut off nor rounded. Delays are rounded down in any case.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use qx::protocols;
use qx::wire::command::{Parameter, TimeUnit};
use qx::wire::fact::Facts;
use qx::wire::protocol::Protocol;
use qx::wire::setting::{Allowed, Setting};
use qx::wire::spelling::Part;
use qx::wire::when::When;

fn all() -> impl Iterator<Item = &'static Protocol> {
    protocols::ALL.iter().chain(protocols::BLAZER).copied()
}

/// What a number makes of the line of a setting, whatever this unit allows: from 50 to 60.
fn line(setting: &Setting, number: &str) -> Option<Vec<String>> {
    let setting = Setting { allowed: Allowed::Range(50, 60), when: When::Always, ..*setting };
    setting.args(number, &Facts::default()).ok().map(|args| setting.write(&args))
}

#[test]
fn a_setting_is_sent_as_it_was_written_or_refused() {
    let numbers = all().flat_map(Protocol::all_settings);
    let numbers = numbers.filter(|row| matches!(row.allowed, Allowed::Range(..) | Allowed::Limits(..)));
    let (mut whole, mut tenths) = (0, 0);
    for setting in numbers {
        let name = setting.var.name;
        let has_tenths = setting.wire.iter().any(|part| matches!(part, Part::Tenths(_)));
        *(if has_tenths { &mut tenths } else { &mut whole }) += 1;
        for good in ["50", "50.0", "60", " 57.000 "] {
            let wanted = line(setting, good.trim().split('.').next().unwrap());
            assert!(wanted.is_some() && line(setting, good) == wanted, "{name} = {good}");
        }
        for fine in ["50.1", "53.5", "59.9"] {
            assert_eq!(line(setting, fine).is_some(), has_tenths, "{name} = {fine}");
        }
        for bad in
            ["49.9", "50.05", "51.999", "53.25", "60.01", "60.1", "49", "61", "-50", "+50", "5e1", "", "x"]
        {
            assert_eq!(line(setting, bad), None, "{name} = {bad}");
        }
    }
    assert!(whole >= 15 && tenths >= 4, "{whole} whole, {tenths} with tenths");
}

#[test]
fn tenths_are_sent_as_tenths() {
    let row = protocols::VOLTRONIC.all_settings().find(|row| row.var.name == "min_bypass_freq").unwrap();
    assert_eq!(line(row, "53.5").unwrap(), ["PSF53.5"]);
    assert_eq!(line(row, "50").unwrap(), ["PSF50.0"]);
}

/// A delay is the driver's own, and 119 seconds are a minute on most wires: it is rounded down, as in NUT
/// (`against_nut.rs` sets 60.9).
#[test]
fn a_delay_is_rounded_down_to_what_the_wire_can_say() {
    for delay in all().flat_map(|protocol| protocol.delays) {
        let (least, most) = (delay.least.max(60), delay.most);
        assert_eq!(delay.check(&format!("{least}.9")), delay.check(&least.to_string()));
        for bad in [format!("{most}x"), format!("{}", most + 1), format!("-{least}"), format!("{least}.5.5")]
        {
            assert!(delay.check(&bad).is_err(), "{} = {bad}", delay.var.name);
        }
        let unit = delay.option_unit.seconds();
        let cut = delay.check_option(&format!("{}.9", least / unit)).unwrap();
        assert_eq!(cut, delay.check_option(&(least / unit).to_string()).unwrap(), "{}", delay.option);
    }
}

#[test]
fn a_parameter_of_a_command_is_whole() {
    let mut seen = 0;
    for parameter in all().flat_map(Protocol::all_commands).filter_map(|command| command.parameter) {
        let Parameter { least, most, unit, .. } = parameter;
        for bad in [format!("{least}.5"), format!("{most}.1"), format!("{least}.000001")] {
            assert!(parameter.check(Some(&bad)).is_err(), "{bad}");
        }
        let seconds = if unit == TimeUnit::Minutes { 60 } else { 1 };
        assert_eq!(parameter.check(Some(&format!("{most}.0"))), Ok(most * seconds));
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}
