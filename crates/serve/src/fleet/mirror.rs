//! What another process says of a UPS: the lines of a driver's socket become variables and commands.

use super::source::NOTHING_YET;
use nut::driver_lines::DriverLine;
use nut::network::server::{ValueKind, Variable};
use std::collections::BTreeMap;

/// More variables, and more commands, no driver has: eight chained PDUs of 48 outlets have 5,000. What comes beyond is not
/// kept, but what the UPS says of itself as a whole, its status above all, always is.
const MOST: usize = 16_384;
/// So many more, of those.
const MOST_OF_UPS: usize = MOST + 512;
/// More values, and more ranges, no variable can be set to.
const MOST_CHOICES: usize = 1024;

/// The variables and commands of one UPS, by their names without capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mirror {
    variables: BTreeMap<String, Known>,
    commands: BTreeMap<String, String>,
    dropped: bool,
    /// A name that was left out.
    strange: Option<String>,
}

/// No name of a variable or command is longer; NUT's own have less than 64 bytes.
const LONGEST_NAME: usize = 128;

/// Whether clients can read a name: it stands in an answer as it is, where a quote, `#`, `=` or a backslash would end it
/// or hide what follows, and clients of NUT read no line of more than 512 bytes.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'#' | b'=');
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    name: String,
    value: String,
    writable: bool,
    string: bool,
    choices: Vec<String>,
    ranges: Vec<(i64, i64)>,
    longest: i64,
}

impl Known {
    fn show(&self) -> Variable<'_> {
        Variable {
            name: &self.name,
            value: &self.value,
            writable: self.writable,
            has_choices: !self.choices.is_empty(),
            has_ranges: !self.ranges.is_empty(),
            kind: if self.string { ValueKind::Text { longest: self.longest } } else { ValueKind::Number },
        }
    }
}

impl Mirror {
    /// As it is before the first word of a driver.
    pub fn waiting() -> Mirror {
        let mut mirror = Mirror::default();
        mirror.set("ups.status", NOTHING_YET.into());
        mirror
    }

    /// Sets a variable, which keeps what else is known of it.
    pub fn set(&mut self, name: &str, value: String) {
        if !self.is_taken(name) {
            return;
        }
        let key = name.to_ascii_lowercase();
        if let Some(known) = self.variables.get_mut(&key) {
            known.value = value;
        } else if self.variables.len() < if key.starts_with("ups.") { MOST_OF_UPS } else { MOST } {
            let known = Known { name: name.into(), value, ..Known::default() };
            self.variables.insert(key, known);
        } else {
            self.dropped = true;
        }
    }

    fn is_taken(&mut self, name: &str) -> bool {
        if !is_name(name) {
            let shown = name.chars().take(LONGEST_NAME).flat_map(char::escape_default);
            self.strange = Some(shown.collect());
        }
        is_name(name)
    }

    /// A name that was left out since this was asked last.
    pub fn take_strange(&mut self) -> Option<String> {
        self.strange.take()
    }

    /// Whether there were more variables or commands than are kept.
    pub fn is_full(&self) -> bool {
        self.dropped
    }

    /// The same variables and values, and nothing of what can be set and commanded.
    pub fn with_values_alone(&self) -> Mirror {
        let mut mirror = Mirror::default();
        self.variables.values().for_each(|known| mirror.set(&known.name, known.value.clone()));
        mirror
    }

    /// Takes what a line says of the data. A variable that was not named before has neither values nor flags, as in
    /// NUT (common/state.c).
    pub fn take(&mut self, line: DriverLine) {
        match line {
            DriverLine::SetInfo { variable, value } => self.set(&variable, value),
            DriverLine::DelInfo(variable) => drop(self.variables.remove(&variable.to_ascii_lowercase())),
            DriverLine::AddEnum { variable, value } => self.with(&variable, |known| {
                if known.choices.len() < MOST_CHOICES && !known.choices.contains(&value) {
                    known.choices.push(value);
                }
            }),
            // the first, whatever its case, as upsd does it
            DriverLine::DelEnum { variable, value } => self.with(&variable, |known| {
                let found = known.choices.iter().position(|choice| choice.eq_ignore_ascii_case(&value));
                found.map(|at| known.choices.remove(at));
            }),
            DriverLine::AddRange { variable, least, most } => self.with(&variable, |known| {
                let is_known = known.ranges.iter().any(|(low, high)| *low == least || *high == most);
                if least <= most && !is_known && known.ranges.len() < MOST_CHOICES {
                    known.ranges.push((least, most));
                }
            }),
            // the first with one of the ends, as upsd does it: no two can share an end
            DriverLine::DelRange { variable, least, most } => self.with(&variable, |known| {
                let found = known.ranges.iter().position(|(low, high)| *low == least || *high == most);
                found.map(|at| known.ranges.remove(at));
            }),
            DriverLine::SetAux { variable, length } => self.with(&variable, |known| known.longest = length),
            DriverLine::SetFlags { variable, writable, string, .. } => self.with(&variable, |known| {
                (known.writable, known.string) = (writable, string);
            }),
            DriverLine::AddCmd(name) => {
                let key = name.to_ascii_lowercase();
                if !self.is_taken(&name) {
                    return;
                }
                if self.commands.len() < MOST {
                    self.commands.entry(key).or_insert(name);
                } else {
                    self.dropped = true;
                }
            }
            DriverLine::DelCmd(name) => drop(self.commands.remove(&name.to_ascii_lowercase())),
            DriverLine::DataOk
            | DriverLine::DataStale
            | DriverLine::DumpDone
            | DriverLine::Pong
            | DriverLine::Tracking { .. } => {}
        }
    }

    fn with(&mut self, variable: &str, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.variables.get_mut(&variable.to_ascii_lowercase()) {
            change(known);
        }
    }

    fn get(&self, name: &str) -> Option<&Known> {
        self.variables.get(&name.to_ascii_lowercase())
    }

    pub fn each_variable(&self, each: &mut dyn FnMut(&Variable<'_>)) {
        self.variables.values().for_each(|known| each(&known.show()));
    }

    pub fn variable(&self, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        if let Some(known) = self.get(name) {
            tell(&known.show());
        }
    }

    pub fn each_choice(&self, name: &str, each: &mut dyn FnMut(&str)) {
        let choices = self.get(name).map(|known| known.choices.as_slice());
        choices.into_iter().flatten().for_each(|choice| each(choice));
    }

    pub fn each_range(&self, name: &str, each: &mut dyn FnMut(i64, i64)) {
        let ranges = self.get(name).map(|known| known.ranges.as_slice());
        ranges.into_iter().flatten().for_each(|(least, most)| each(*least, *most));
    }

    pub fn each_command(&self, each: &mut dyn FnMut(&str)) {
        self.commands.values().for_each(|name| each(name));
    }

    pub fn has_command(&self, name: &str) -> bool {
        self.commands.contains_key(&name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(lines: &[&str]) -> Mirror {
        let mut mirror = Mirror::default();
        lines.iter().for_each(|line| mirror.take(DriverLine::parse(line.as_bytes()).unwrap()));
        mirror
    }

    fn names(mirror: &Mirror) -> Vec<String> {
        let mut names = vec![];
        mirror.each_variable(&mut |variable| names.push(format!("{}={}", variable.name, variable.value)));
        names
    }

    #[test]
    fn names_are_compared_without_capitals_and_kept_as_they_came() {
        let mut mirror =
            mirror(&["SETINFO ups.b 1", "SETINFO Ups.A 2", "SETINFO UPS.B 3", "ADDCMD Load.Off"]);
        assert_eq!(names(&mirror), ["Ups.A=2", "ups.b=3"]);
        assert!(mirror.has_command("load.off"));
        mirror.take(DriverLine::DelInfo("UPS.a".into()));
        mirror.take(DriverLine::DelCmd("LOAD.OFF".into()));
        assert_eq!(names(&mirror), ["ups.b=3"]);
        assert!(!mirror.has_command("load.off"));
    }

    #[test]
    fn a_new_value_keeps_what_it_may_be_set_to() {
        let mirror = mirror(&[
            "ADDENUM x 1",
            "SETINFO x 1",
            "ADDENUM x 1",
            "ADDENUM x 2",
            "ADDENUM x 1",
            "ADDRANGE x 1 9",
            "ADDRANGE x 1 10",
            "ADDRANGE x 20 11",
            "SETFLAGS x RW STRING",
            "SETAUX x 8",
            "SETINFO x 2",
        ]);
        let mut choices = vec![];
        mirror.each_choice("X", &mut |choice| choices.push(choice.to_string()));
        assert_eq!(choices, ["1", "2"]);
        let mut ranges = vec![];
        mirror.each_range("x", &mut |least, most| ranges.push((least, most)));
        assert_eq!(ranges, [(1, 9)]);
        mirror.variable("x", &mut |variable| {
            assert!(variable.writable && variable.has_choices && variable.has_ranges);
            assert_eq!((variable.value, variable.kind), ("2", ValueKind::Text { longest: 8 }));
        });
    }

    /// Found by a review: one name of another server's variable made every upsc of the UPS fail.
    #[test]
    fn a_name_that_clients_cannot_read_is_left_out_and_said() {
        let mut mirror = Mirror::default();
        let long = "n".repeat(600);
        for name in ["a#b", "a\\b", "a=b", "\"a", "a b", "", "a\u{1b}b", "\u{fc}", &long] {
            mirror.set(name, "1".into());
            assert!(mirror.take_strange().is_some(), "{name}");
            mirror.take(DriverLine::AddCmd(name.into()));
            assert!(mirror.take_strange().is_some_and(|said| said.len() < 200), "{name}");
        }
        assert_eq!((mirror.variables.len(), mirror.commands.len()), (0, 0));
        for name in ["ups.status", "input.L1-N.voltage", "driver.flag.allow_killpower", "x:y/z@0"] {
            mirror.set(name, "1".into());
            assert_eq!(mirror.take_strange(), None, "{name}");
        }
        assert_eq!(mirror.variables.len(), 4);
    }

    #[test]
    fn a_driver_without_end_is_bounded() {
        let mut mirror = Mirror::default();
        for number in 0..MOST + 10 {
            mirror.set(&format!("v{number}"), "1".into());
            mirror.take(DriverLine::AddCmd(format!("c{number}")));
            mirror.take(DriverLine::AddEnum { variable: "v0".into(), value: number.to_string() });
        }
        assert_eq!((mirror.variables.len(), mirror.commands.len()), (MOST, MOST));
        assert!(mirror.is_full());
        // the status comes last, as drivers say them in alphabetical order
        mirror.set("ups.status", "OB LB".into());
        let mut status = None;
        mirror.variable("ups.status", &mut |variable| status = Some(variable.value.to_string()));
        assert_eq!(status.as_deref(), Some("OB LB"));
        assert_eq!(mirror.variables["v0"].choices.len(), MOST_CHOICES);
    }
}
