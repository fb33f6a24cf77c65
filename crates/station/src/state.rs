//! The state of a UPS in words, for the log and for the supervisor.

use qx::device::store::{Change, Store};

/// Status words, what they mean to a person, and whether the administrator should look at it.
const WORDS: &[(&str, &str, bool)] = &[
    ("OL", "on mains", false),
    ("OB", "on battery", true),
    ("LB", "battery low", true),
    ("RB", "battery to be replaced", true),
    ("OVER", "overloaded", true),
    ("OFF", "output switched off", true),
    ("BYPASS", "on bypass", true),
    ("FSD", "about to switch off", true),
    ("CAL", "testing the battery", false),
    ("TRIM", "lowering the voltage", false),
    ("BOOST", "raising the voltage", false),
    ("CHRG", "charging", false),
];

/// What a person should know, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// One sentence: `on battery, battery low (OB DISCHRG LB)`.
    pub text: String,
    /// Whether the administrator should look at it.
    pub serious: bool,
}

impl State {
    /// The state that the store tells; none before anything is known.
    pub fn of(store: &Store) -> Option<State> {
        let status = store.text("ups.status").filter(|status| !status.is_empty())?;
        let is_there = |word: &str| status.split(' ').any(|there| there == word);
        let rows: Vec<_> = WORDS.iter().filter(|(word, ..)| is_there(word)).collect();
        let meanings: Vec<&str> = rows.iter().map(|(_, meaning, _)| *meaning).collect();
        let mut text = match meanings.is_empty() {
            true => status.to_string(),
            false => format!("{} ({status})", meanings.join(", ")),
        };
        let alarm = store.text("ups.alarm").filter(|alarm| !alarm.is_empty());
        if let Some(alarm) = alarm {
            text += &format!(", alarm: {alarm}");
        }
        Some(State { text, serious: alarm.is_some() || rows.iter().any(|(.., serious)| *serious) })
    }

    /// Whether these changes may have changed it.
    pub fn may_change_by(changes: &[Change]) -> bool {
        changes.iter().any(|change| match change {
            Change::New(name) | Change::Set(name) | Change::Removed(name) => {
                matches!(name.as_ref(), "ups.status" | "ups.alarm")
            }
            Change::Stale(_) => true,
            Change::Command(..) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: &str, alarm: &str) -> State {
        let mut store = Store::default();
        store.set("ups.status", status);
        if !alarm.is_empty() {
            store.set("ups.alarm", alarm);
        }
        State::of(&store).unwrap()
    }

    #[test]
    fn words_are_explained_and_kept() {
        assert_eq!(state("OL CHRG", "").text, "on mains, charging (OL CHRG)");
        assert_eq!(state("OB DISCHRG LB", "").text, "on battery, battery low (OB DISCHRG LB)");
        let worn = state("ALARM OL RB", "Replace battery!");
        assert_eq!(worn.text, "on mains, battery to be replaced (ALARM OL RB), alarm: Replace battery!");
        assert_eq!(state("NEW", "").text, "NEW");
    }

    #[test]
    fn an_outage_is_serious() {
        assert!(state("OB DISCHRG", "").serious && state("ALARM OL", "Fan").serious);
        assert!(!state("OL CHRG", "").serious && !state("OL BOOST", "").serious);
        assert_eq!(State::of(&Store::default()), None);
    }

    #[test]
    fn every_word_that_is_published_has_a_meaning() {
        let implied = ["DISCHRG"];
        let words = qx::vocabulary::status::Status::ALL.iter().map(|status| status.word());
        let known = |word: &str| WORDS.iter().any(|(known, ..)| *known == word) || implied.contains(&word);
        assert!(words.clone().all(known), "{:?}", words.filter(|word| !known(word)).collect::<Vec<_>>());
    }
}
