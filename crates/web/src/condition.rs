//! The state of a UPS in plain words, and how serious it is.

use crate::view::{DataState, UpsView};

/// How serious a state is. Pages say it in words and by a sign as well as by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seriousness {
    /// All is well.
    Good,
    /// It is not said.
    Unknown,
    /// Someone should look.
    Warning,
    /// Power is at risk, or it cannot be seen whether it is.
    Bad,
}

impl Seriousness {
    /// As the JSON API and the style sheet write it.
    pub fn word(self) -> &'static str {
        match self {
            Seriousness::Good => "good",
            Seriousness::Unknown => "unknown",
            Seriousness::Warning => "warning",
            Seriousness::Bad => "bad",
        }
    }
}

/// The words of NUT's status, what they mean, and how serious they are; in the order in which they are said.
const WORDS: [(&str, &str, Seriousness); 16] = [
    ("FSD", "forced shutdown", Seriousness::Bad),
    ("OFF", "off", Seriousness::Warning),
    ("OB", "on battery", Seriousness::Warning),
    ("LB", "battery low", Seriousness::Bad),
    ("OVER", "overload", Seriousness::Bad),
    ("ALARM", "alarm", Seriousness::Warning),
    ("RB", "battery needs replacing", Seriousness::Warning),
    ("BYPASS", "on bypass", Seriousness::Warning),
    ("OL", "on mains", Seriousness::Good),
    ("CAL", "calibrating", Seriousness::Unknown),
    ("TRIM", "trims the voltage", Seriousness::Good),
    ("BOOST", "boosts the voltage", Seriousness::Good),
    ("CHRG", "charging", Seriousness::Good),
    ("DISCHRG", "discharging", Seriousness::Good),
    ("HB", "battery high", Seriousness::Unknown),
    ("TEST", "self test", Seriousness::Unknown),
];

/// What is said of a UPS in one line, and how serious it is.
pub fn condition(ups: &UpsView) -> (String, Seriousness) {
    match ups.state {
        DataState::Stale => return ("No fresh data".into(), Seriousness::Bad),
        DataState::NotConnected => return ("Driver not connected".into(), Seriousness::Bad),
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
    let level = level.unwrap_or(Seriousness::Unknown).max(if is_powered {
        Seriousness::Good
    } else {
        Seriousness::Unknown
    });
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
            ("OL", "On mains", Seriousness::Good),
            ("OL CHRG", "On mains, charging", Seriousness::Good),
            ("OB DISCHRG", "On battery, discharging", Seriousness::Warning),
            ("OB LB", "On battery, battery low", Seriousness::Bad),
            ("OL LB RB", "Battery low, battery needs replacing, on mains", Seriousness::Bad),
            ("FSD OB LB", "Forced shutdown, on battery, battery low", Seriousness::Bad),
            ("OL ECO", "On mains, ECO", Seriousness::Good),
            ("CHRG", "Charging", Seriousness::Unknown),
            ("WAIT", "WAIT", Seriousness::Unknown),
            ("", "Status not reported", Seriousness::Unknown),
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
            assert_eq!(condition(&ups), (text.into(), Seriousness::Bad));
        }
    }

    #[test]
    fn a_forced_shutdown_is_said_whatever_the_ups_says() {
        let ups = UpsView { forced_shutdown: true, ..ups("a", &[("ups.status", "OL")]) };
        assert_eq!(condition(&ups), ("Forced shutdown, on mains".into(), Seriousness::Bad));
    }
}
