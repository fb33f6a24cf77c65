//! What a command does, in plain words: the question before it is given says so.

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The load may lose its power, or gets it.
    Load,
    /// The UPS runs on its battery, or without it, for a time.
    Battery,
    /// Nothing of the load.
    Light,
    /// Not known here.
    Unknown,
}

/// What each command does. A name that ends with a point stands for all that begin so; outlets have their commands behind
/// `outlet.N.`. Meanings: the table of instant commands in NUT's documentation (nut-names.txt).
const CONSEQUENCES: [(&str, Weight, &str); 29] = [
    (
        "load.off.delay",
        Weight::Load,
        "After a delay the UPS switches its outputs off. Everything that it feeds loses power, without a shutdown.",
    ),
    (
        "load.on.delay",
        Weight::Load,
        "After a delay the UPS switches its outputs on. Machines that it feeds get power, and may start.",
    ),
    (
        "load.off",
        Weight::Load,
        "The UPS switches its outputs off now. Everything that it feeds loses power at once, without a shutdown.",
    ),
    (
        "load.on",
        Weight::Load,
        "The UPS switches its outputs on. Machines that it feeds get power, and may start.",
    ),
    (
        "load.cycle",
        Weight::Load,
        "The UPS switches its outputs off and on again. Everything that it feeds loses power at once, without a shutdown.",
    ),
    (
        "shutdown.return",
        Weight::Load,
        "After its delay the UPS switches its outputs off, and on again when mains is there. Machines that are not shut down by then lose power while they run.",
    ),
    (
        "shutdown.stayoff",
        Weight::Load,
        "After its delay the UPS switches its outputs off, and they stay off when mains comes back. Machines that are not shut down by then lose power while they run.",
    ),
    (
        "shutdown.reboot",
        Weight::Load,
        "The UPS switches its outputs off for a moment, and on again. Machines that are not shut down by then lose power while they run.",
    ),
    (
        "shutdown.default",
        Weight::Load,
        "The driver switches the power off in the way that ups.conf says. Machines that are not shut down by then lose power while they run.",
    ),
    (
        "shutdown.stop",
        Weight::Load,
        "A shutdown of the UPS that is under way is called off. Some UPSes switch their outputs on by it.",
    ),
    (
        "shutdown.",
        Weight::Load,
        "The UPS switches its outputs off in one of its ways. Machines that are not shut down by then lose power while they run.",
    ),
    (
        "driver.killpower",
        Weight::Load,
        "The driver switches the power off, as at the end of a shutdown. Machines that still run lose power.",
    ),
    (
        "test.battery.start.deep",
        Weight::Battery,
        "The UPS feeds its load from the battery until that is nearly empty. An outage during the test, or soon after it, is bridged for a shorter time; a weak battery may drop the load.",
    ),
    (
        "test.battery.start",
        Weight::Battery,
        "The UPS feeds its load from the battery while the test lasts. A weak battery may drop the load.",
    ),
    ("test.battery.stop", Weight::Light, "The test of the battery ends, and the UPS goes back to mains."),
    (
        "test.failure.start",
        Weight::Battery,
        "The UPS acts as if mains had failed: it feeds its load from the battery, and machines that watch it may shut down.",
    ),
    (
        "test.failure.stop",
        Weight::Light,
        "The UPS ends the failure that it simulates, and goes back to mains.",
    ),
    (
        "test.system.start",
        Weight::Battery,
        "The UPS tests itself, and may feed its load from the battery meanwhile. A weak battery may drop the load.",
    ),
    (
        "test.panel.",
        Weight::Light,
        "The UPS tests the lights of its panel and its beeper. The load is not touched.",
    ),
    (
        "calibrate.start",
        Weight::Battery,
        "The UPS feeds its load from the battery until that is nearly empty, to measure its runtime. An outage meanwhile, or soon after, is bridged for a shorter time; a weak battery may drop the load.",
    ),
    ("calibrate.stop", Weight::Light, "The calibration of the runtime ends, and the UPS goes back to mains."),
    (
        "bypass.start",
        Weight::Load,
        "The load is connected to mains directly. While it is, an outage is not bridged: the load loses power at once.",
    ),
    ("bypass.stop", Weight::Load, "The load is fed by the UPS again, and is protected against outages."),
    (
        "beeper.toggle",
        Weight::Light,
        "The beeper is switched on if it is off, and off if it is on. The load is not touched.",
    ),
    ("beeper.", Weight::Light, "Only the beeper changes. The load is not touched."),
    ("reset.", Weight::Light, "The UPS sets back what it has counted or kept. The load is not touched."),
    (
        "driver.reload-or-exit",
        Weight::Battery,
        "The configuration is read again. A driver that cannot take it while it runs exits, and the UPS is not watched until it is started again.",
    ),
    ("driver.reload-or-error", Weight::Light, "The configuration is read again. The load is not touched."),
    ("driver.reload", Weight::Light, "The configuration is read again. The load is not touched."),
];
const UNKNOWN: &str =
    "What it does is up to the UPS and its driver: see their manuals. It may switch the load.";

/// The command without the outlet that it is for.
fn bare(command: &str) -> &str {
    let of_outlet = command.strip_prefix("outlet.").and_then(|rest| {
        let (which, behind) = rest.split_once('.')?;
        Some(if which.bytes().all(|byte| byte.is_ascii_digit()) { behind } else { rest })
    });
    let bare = of_outlet.unwrap_or(command);
    // commands of a group of outlets
    bare.strip_prefix("group.").and_then(|rest| rest.split_once('.')).map_or(bare, |(_, behind)| behind)
}

/// What is at stake, and what the command does.
pub fn consequence(command: &str) -> (Weight, &'static str) {
    let bare = bare(command).to_ascii_lowercase();
    let fits = |name: &str| match name.strip_suffix('.') {
        Some(_) => bare.starts_with(name),
        None => bare.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    };
    let known = CONSEQUENCES.iter().find(|(name, ..)| fits(name));
    known.map_or((Weight::Unknown, UNKNOWN), |(_, weight, words)| (*weight, words))
}

/// What the parameter of a command is that takes one; in NUT's documentation only these do.
pub fn value_of(command: &str) -> Option<&'static str> {
    match bare(command).to_ascii_lowercase().as_str() {
        "load.off.delay" | "load.on.delay" => Some("Seconds"),
        // nutdrv_qx takes seconds, blazer_ser and blazer_usb minutes
        "test.battery.start" => Some("Duration"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_the_load_is_said() {
        for (command, weight, part) in [
            ("load.off", Weight::Load, "off now"),
            ("LOAD.OFF", Weight::Load, "off now"),
            ("load.off.delay", Weight::Load, "After a delay"),
            ("outlet.2.load.off", Weight::Load, "off now"),
            ("outlet.load.off", Weight::Load, "off now"),
            ("outlet.group.1.shutdown.return", Weight::Load, "on again when mains"),
            ("shutdown.stayoff", Weight::Load, "stay off"),
            ("shutdown.reboot.graceful", Weight::Load, "for a moment"),
            ("shutdown.other", Weight::Load, "switches its outputs off"),
            ("test.battery.start.deep", Weight::Battery, "nearly empty"),
            ("test.battery.start.quick", Weight::Battery, "while the test lasts"),
            ("test.battery.start.low", Weight::Battery, "while the test lasts"),
            ("test.failure.start", Weight::Battery, "as if mains had failed"),
            ("beeper.mute", Weight::Light, "Only the beeper"),
            ("beeperx.mute", Weight::Unknown, "manuals"),
            ("load.offside", Weight::Unknown, "manuals"),
            ("<script>", Weight::Unknown, "manuals"),
            ("", Weight::Unknown, "manuals"),
        ] {
            let (said, words) = consequence(command);
            assert!(said == weight && words.contains(part), "{command}: {said:?} {words}");
        }
        assert_eq!(value_of("outlet.1.load.off.delay"), Some("Seconds"));
        assert_eq!(value_of("load.off"), None);
    }

    /// No entry hides behind one above it.
    #[test]
    fn each_command_has_its_own_words() {
        for (name, weight, words) in CONSEQUENCES {
            let command = name.strip_suffix('.').map_or(name.to_string(), |begins| format!("{begins}.x"));
            assert_eq!(consequence(&command), (weight, words), "{name}");
        }
    }
}
