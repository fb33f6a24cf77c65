//! A rule, as `[[notify]]` of `qxups.toml` has it.

use crate::condition::NotifyCondition;
use std::time::Duration;

/// When what is sent where.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyRule {
    /// By this it is known over reloads and restarts; one of a kind.
    pub name: String,
    /// On what it is raised.
    pub condition: NotifyCondition,
    /// How long that has to hold first.
    pub after: Duration,
    /// The UPSes it is for; none for all.
    pub upses: Vec<NamePattern>,
    /// The names of outputs.
    pub outputs: Vec<String>,
    /// As long as it is raised, it is told again after so long.
    pub repeat: Option<Duration>,
    /// The begin is told, and its repetitions.
    pub tells_begin: bool,
    /// The end is told as well.
    pub tells_end: bool,
}

impl NotifyRule {
    /// Whether it is for this UPS.
    pub fn is_for(&self, ups: &str) -> bool {
        self.upses.is_empty() || self.upses.iter().any(|pattern| pattern.fits(ups))
    }
}

/// A name, in which `*` stands for any letters. Case does not matter, as in names of UPSes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// Reads it; none where it is no name.
    pub fn parse(text: &str) -> Option<NamePattern> {
        let is_plain = |letter: char| !letter.is_whitespace() && !letter.is_control();
        (!text.is_empty() && text.chars().all(is_plain)).then(|| NamePattern(text.to_lowercase()))
    }

    /// Whether a name is such a one.
    pub fn fits(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, fits) in [
            ("rack*", "Rack1", true),
            ("rack*", "rack", true),
            ("rack", "rack1", false),
            ("*", "x", true),
            ("*a*b", "xaxb", true),
            ("*a*b", "xbxa", false),
            ("a*a", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(NamePattern::parse(pattern).unwrap().fits(name), fits, "{pattern} {name}");
        }
        assert_eq!(NamePattern::parse("a b"), None);
        assert_eq!(NamePattern::parse(""), None);
    }
}
