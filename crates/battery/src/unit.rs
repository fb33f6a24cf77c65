//! Which UPS it is, by its own words: what was measured of one battery is nothing to go by for another.

use std::sync::Arc;

/// What a UPS says of itself: maker, model, serial number, ratings; each with the name of its variable.
/// Copies share one memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsIdentity(Arc<Vec<(String, String)>>);

/// How two descriptions go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same model or serial number, and nothing that differs.
    Same,
    /// Nothing differs, but neither says more than its maker or its ratings.
    Unnamed,
    /// Nothing differs, but one of them says no name at all.
    Unknown,
    /// Something differs.
    Other,
}

/// No UPS says more of itself, in words and in letters of one.
const MOST_WORDS: usize = 16;
const LONGEST: usize = 64;

impl UpsIdentity {
    /// From names of variables and what the UPS says for them; blank ones say nothing, nor do ratings of zeros.
    pub fn new<'a>(said: impl IntoIterator<Item = (&'a str, &'a str)>) -> UpsIdentity {
        let mut unit = UpsIdentity::default();
        said.into_iter().for_each(|(name, text)| unit.add(name, text));
        unit
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words, each with the name of its variable.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Whether that is said by another UPS: something differs.
    pub fn is_other(&self, unit: &UpsIdentity) -> bool {
        self.compare(unit) == Likeness::Other
    }

    fn add(&mut self, name: &str, text: &str) {
        let plain = |c: char| if c.is_control() { '_' } else { c };
        let text: String = text.trim().chars().take(LONGEST).map(plain).collect();
        let text = text.trim_end();
        let is_name = !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_whitespace);
        // some answer their ratings by zeros while they are on battery
        let says = |c: char| c.is_alphabetic() || ('1'..='9').contains(&c);
        let is_blank = text.is_empty() || name.contains("nominal") && !text.contains(says);
        if is_name && !is_blank && self.0.len() < MOST_WORDS && self.word(name).is_none() {
            Arc::make_mut(&mut self.0).push((name.to_string(), text.to_string()));
        }
    }

    /// Whether it says a model or a serial number.
    pub(crate) fn is_named(&self) -> bool {
        self.words().any(|(name, _)| names(name))
    }

    fn word(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(there, _)| there == name).map(|(_, text)| text.as_str())
    }

    /// Takes over what the other says besides.
    pub(crate) fn join(&mut self, other: &UpsIdentity) {
        match self.is_empty() {
            true => *self = other.clone(),
            false => other.words().for_each(|(name, text)| self.add(name, text)),
        }
    }

    pub(crate) fn compare(&self, other: &UpsIdentity) -> Likeness {
        let both = self.words().filter_map(|(name, text)| Some((name, text, other.word(name)?)));
        let mut same = false;
        for (name, mine, theirs) in both {
            if mine != theirs {
                return Likeness::Other;
            }
            same |= names(name);
        }
        match (same, self.is_named() || other.is_named()) {
            (true, _) => Likeness::Same,
            (false, true) => Likeness::Unknown,
            (false, false) => Likeness::Unnamed,
        }
    }
}

/// Whether this variable tells one UPS from others: makers make more than one.
fn names(variable: &str) -> bool {
    variable.ends_with(".model") || variable.ends_with(".serial")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_another() {
        let unit = |words: &[(&'static str, &'static str)]| UpsIdentity::new(words.iter().copied());
        let named =
            unit(&[("device.mfr", "ACME"), ("device.model", "A 1"), ("battery.voltage.nominal", "24")]);
        let cases: [(&[(&str, &str)], Likeness); 9] = [
            (&[("device.model", "A 1 ")], Likeness::Same),
            (&[("device.mfr", "ACME"), ("device.model", "A 1"), ("device.serial", "7")], Likeness::Same),
            (&[("device.model", "A 2")], Likeness::Other),
            (&[("device.model", "A 1"), ("battery.voltage.nominal", "12")], Likeness::Other),
            (&[("battery.voltage.nominal", "12")], Likeness::Other),
            (&[("device.model", "A 1"), ("battery.voltage.nominal", "00.0")], Likeness::Same),
            (&[("battery.voltage.nominal", "24")], Likeness::Unknown),
            (&[("device.mfr", "ACME")], Likeness::Unknown),
            (&[], Likeness::Unknown),
        ];
        for (words, likeness) in cases {
            assert_eq!(named.compare(&unit(words)), likeness, "{words:?}");
            assert_eq!(unit(words).compare(&named), likeness, "{words:?}");
        }
        let rated = unit(&[("device.mfr", "ACME"), ("battery.voltage.nominal", "24")]);
        assert_eq!(rated.compare(&rated), Likeness::Unnamed);
        assert_eq!(unit(&[]).compare(&unit(&[])), Likeness::Unnamed);
    }

    #[test]
    fn what_is_said_stays_one_short_line() {
        let long = "x".repeat(1000);
        let unit = UpsIdentity::new([
            ("a.model", "one\ntwo\u{7f}"),
            ("b c", "no"),
            ("d.serial", &long),
            ("e", "  "),
        ]);
        let words: Vec<_> = unit.words().collect();
        assert_eq!(words, [("a.model", "one_two_"), ("d.serial", &long[..64])]);
    }
}
