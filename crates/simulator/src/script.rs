//! Scripts: knobs turned at their time.
//!
//! ```text
//! # an outage of fifteen seconds
//! at 10s mains fail
//! at 25s mains back
//! every 60s load 40
//! ```

use crate::knob::Knob;
use std::time::Duration;

/// A knob and when it is turned, in simulated time.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    due: Duration,
    again: Option<Duration>,
    knob: Knob,
}

/// A script that is being played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script(Vec<Entry>);

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// A sentence with the number of the line.
    pub fn parse(text: &str) -> Result<Script, String> {
        let mut entries = vec![];
        for (at, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if !line.is_empty() {
                entries.push(entry(line).map_err(|why| format!("line {}: {why}", at + 1))?);
            }
        }
        Ok(Script(entries))
    }

    /// The next knob that is due.
    pub fn take_due(&mut self, now: Duration) -> Option<Knob> {
        let at = (0..self.0.len()).filter(|at| self.0[*at].due <= now).min_by_key(|at| self.0[*at].due)?;
        match self.0[at].again {
            Some(again) => {
                self.0[at].due += again;
                Some(self.0[at].knob.clone())
            }
            None => Some(self.0.remove(at).knob),
        }
    }

    /// The first turn of the knob of this name, and when it is due.
    pub fn turns(&self, name: &str) -> Option<(&Knob, Duration)> {
        let entries = self.0.iter().filter(|entry| entry.knob.name() == name);
        entries.min_by_key(|entry| entry.due).map(|entry| (&entry.knob, entry.due))
    }

    /// When the next knob is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.0.iter().map(|entry| entry.due).min()
    }
}

/// A line up to its comment: a `#` in quotes begins none, for replies begin with it.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let begins = line.find(|letter| {
        quoted ^= letter == '"';
        letter == '#' && !quoted
    });
    &line[..begins.unwrap_or(line.len())]
}

fn entry(line: &str) -> Result<Entry, String> {
    let mut words = line.splitn(3, char::is_whitespace);
    let (word, time, knob) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let time = time_of(time).ok_or_else(|| format!("'{time}' is no time; write 10s, 1.5s or 2m"))?;
    let again = match word {
        "at" => None,
        "every" if time > Duration::ZERO => Some(time),
        _ => return Err(format!("'{line}': write 'at TIME KNOB' or 'every TIME KNOB'")),
    };
    Ok(Entry { due: time, again, knob: Knob::parse(knob)? })
}

/// Reads `10s`, `1.5s`, `250ms` or `2m`.
pub fn time_of(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number: f64 = number.parse().ok().filter(|number| (0.0..1e6).contains(number))?;
    Some(Duration::from_secs_f64(number * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_in_quotes_is_no_comment() {
        for (line, rest) in [
            (r##"at 1s reply F "#230.0" # said"##, r##"at 1s reply F "#230.0" "##),
            ("# all of it", ""),
            ("at 1s mains fail#", "at 1s mains fail"),
            ("at 1s mains fail", "at 1s mains fail"),
        ] {
            assert_eq!(without_comment(line), rest);
        }
    }

    #[test]
    fn a_script_is_played_in_its_order() {
        let mut script =
            Script::parse("at 25s mains back # later\n\nat 10s mains fail\nevery 20s load 5").unwrap();
        let seconds = Duration::from_secs;
        assert_eq!(script.next_due(), Some(seconds(10)));
        assert_eq!(script.take_due(seconds(9)), None);
        let played: Vec<Knob> = std::iter::from_fn(|| script.take_due(seconds(45))).collect();
        assert_eq!(
            played,
            ["mains fail", "load 5", "mains back", "load 5"].map(|text| Knob::parse(text).unwrap())
        );
        assert_eq!(script.next_due(), Some(seconds(60)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for bad in ["at 10 mains fail", "after 1s mains fail", "at 1s frob", "every 0s load 1", "at"] {
            assert!(Script::parse(&format!("# x\n{bad}")).unwrap_err().starts_with("line 2: "), "{bad}");
        }
    }
}
