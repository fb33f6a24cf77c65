//! The state of a UPS in plain words, and how serious it is.

use crate::view::{DataState, UpsView};

/// How serious a state is. Pages say it in words and by a sign as well as by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Good,
    /// It is not said.
    Unknown,
    /// Someone should look.
    Warning,
    /// Power is at risk, or it cannot be seen whether it is.
    Bad,
}

impl Level {
    /// As the JSON API and the style sheet write it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Unknown => "unknown",
            Level::Warning => "warning",
            Level::Bad => "bad",
        }
    }
}

/// The words of NUT's status, what they mean, and how serious they are; in the order in which they are said.
const WORDS: [(&str, &str, Level); 16] = [
    ("FSD", "forced shutdown", Level::Bad),
    ("OFF", "off", Level::Warning),
    ("OB", "on battery", Level::Warning),
    ("LB", "battery low", Level::Bad),
    ("OVER", "overload", Level::Bad),
    ("ALARM", "alarm", Level::Warning),
    ("RB", "battery needs replacing", Level::Warning),
    ("BYPASS", "on bypass", Level::Warning),
    ("OL", "on mains", Level::Good),
    ("CAL", "calibrating", Level::Unknown),
    ("TRIM", "trims the voltage", Level::Good),
    ("BOOST", "boosts the voltage", Level::Good),
    ("CHRG", "charging", Level::Good),
    ("DISCHRG", "discharging", Level::Good),
    ("HB", "battery high", Level::Unknown),
    ("TEST", "self test", Level::Unknown),
];

/// What is said of a UPS in one line, and how serious it is.
pub fn condition(ups: &UpsView) -> (String, Level) {
    match ups.state {
        DataState::Stale => return ("No fresh data".into(), Level::Bad),
        DataState::NotConnected => return ("Driver not connected".into(), Level::Bad),
        DataState::Fresh => {}
    }
    let words = ups.words();
    let known = WORDS.iter().filter(|(word, ..)| words.contains(word));
    let mut level = None;
    let mut parts: Vec<String> = vec![];
    for (_, part, serious) in known {
        level = level.max(Some(*serious));
        parts.push((*part).into());
    }
    // what is not in the table is shown as the UPS says it
    let others = words.iter().filter(|word| WORDS.iter().all(|(known, ..)| known != *word));
    parts.extend(others.map(|word| (*word).to_string()));
    // neither mains nor battery nor off: nothing is known of the power
    let is_powered = words.iter().any(|word| matches!(*word, "OL" | "OB" | "OFF" | "BYPASS" | "FSD"));
    let level = level.unwrap_or(Level::Unknown).max(if is_powered { Level::Good } else { Level::Unknown });
    let mut text = parts.join(", ");
    if text.is_empty() {
        text = "status not reported".into();
    }
    (capital(&text), level)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ups;

    #[test]
    fn what_endangers_power_is_said_and_counts() {
        for (status, text, level) in [
            ("OL", "On mains", Level::Good),
            ("OL CHRG", "On mains, charging", Level::Good),
            ("OB DISCHRG", "On battery, discharging", Level::Warning),
            ("OB LB", "On battery, battery low", Level::Bad),
            ("OL LB RB", "Battery low, battery needs replacing, on mains", Level::Bad),
            ("FSD OB LB", "Forced shutdown, on battery, battery low", Level::Bad),
            ("OL ECO", "On mains, ECO", Level::Good),
            ("CHRG", "Charging", Level::Unknown),
            ("WAIT", "WAIT", Level::Unknown),
            ("", "Status not reported", Level::Unknown),
        ] {
            assert_eq!(condition(&ups("a", &[("ups.status", status)])), (text.into(), level), "{status}");
        }
    }

    #[test]
    fn old_data_says_nothing_of_mains() {
        for (state, text) in
            [(DataState::Stale, "No fresh data"), (DataState::NotConnected, "Driver not connected")]
        {
            let ups = UpsView { state, ..ups("a", &[("ups.status", "OL")]) };
            assert_eq!(condition(&ups), (text.into(), Level::Bad));
        }
    }

    #[test]
    fn a_forced_shutdown_is_said_whatever_the_ups_says() {
        let ups = UpsView { forced_shutdown: true, ..ups("a", &[("ups.status", "OL")]) };
        assert_eq!(condition(&ups), ("Forced shutdown, on mains".into(), Level::Bad));
    }
}
