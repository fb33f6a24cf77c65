//! Instant commands: when there are, what they take, how they are spelt.

use crate::vocabulary::value::Decimal;
pub use crate::wire::spelling::{Arg, Args, Part};
use crate::wire::when::When;

/// In what a time is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// In seconds.
    Seconds,
    /// In minutes.
    Minutes,
}

impl TimeUnit {
    /// How many seconds it is.
    pub const fn seconds(self) -> u32 {
        match self {
            TimeUnit::Seconds => 1,
            TimeUnit::Minutes => 60,
        }
    }
    /// Its name, for more than one.
    pub const fn plural(self) -> &'static str {
        match self {
            TimeUnit::Seconds => "seconds",
            TimeUnit::Minutes => "minutes",
        }
    }

    /// The seconds that a whole number between two bounds of this unit means.
    ///
    /// # Errors
    /// [`NotAllowed`] with a sentence that names the bounds.
    pub fn between(self, text: &str, least: u32, most: u32) -> Result<u32, NotAllowed> {
        self.seconds_of(text, number_between(text, least, most), (least, most))
    }

    /// The same of a delay, which is rounded down to what the wire can say in any case: decimals are cut off.
    ///
    /// # Errors
    /// [`NotAllowed`] with a sentence that names the bounds.
    pub fn rounded_down(self, text: &str, least: u32, most: u32) -> Result<u32, NotAllowed> {
        self.seconds_of(text, number_cut_between(text, least, most), (least, most))
    }

    fn seconds_of(
        self,
        text: &str,
        given: Option<u32>,
        (least, most): (u32, u32),
    ) -> Result<u32, NotAllowed> {
        let refused = || {
            let unit = self.plural();
            NotAllowed(format!("'{text}' is not a whole number of {unit} from {least} to {most}"))
        };
        given.and_then(|number| number.checked_mul(self.seconds())).ok_or_else(refused)
    }
}

/// The parameter a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// In what it is given. On the wire and here it becomes seconds.
    pub unit: TimeUnit,
    /// Least value.
    pub least: u32,
    /// Greatest value.
    pub most: u32,
    /// Value when none is given; without it one has to be given.
    pub default: Option<u32>,
}

/// An instant command. A protocol may spell one in several rows; the first that applies and takes
/// the parameter is sent.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// NUT's name.
    pub name: &'static str,
    /// How it is spelt, without the carriage return.
    pub wire: &'static [Part],
    /// The parameter it takes, if any.
    pub parameter: Option<Parameter>,
    /// When it is offered.
    pub when: When,
    /// Other spellings that come near it, for a UPS that refuses this one, the nearest first.
    pub otherwise: &'static [&'static [Part]],
}

/// A command that takes no parameter.
pub const fn command(name: &'static str, wire: &'static [Part]) -> Command {
    Command { name, wire, parameter: None, when: When::Always, otherwise: &[] }
}

impl Command {
    /// The same command with a parameter in seconds.
    pub const fn seconds(mut self, least: u32, most: u32, default: u32) -> Command {
        self.parameter = Some(Parameter { unit: TimeUnit::Seconds, least, most, default: Some(default) });
        self
    }
    /// The same command with a parameter in minutes.
    pub const fn minutes(mut self, least: u32, most: u32, default: u32) -> Command {
        self.parameter = Some(Parameter { unit: TimeUnit::Minutes, least, most, default: Some(default) });
        self
    }
    /// The same command with a parameter in seconds that has to be given.
    pub const fn needs_seconds(mut self, least: u32, most: u32) -> Command {
        self.parameter = Some(Parameter { unit: TimeUnit::Seconds, least, most, default: None });
        self
    }
    /// The same command, offered only then.
    pub const fn when(mut self, when: When) -> Command {
        self.when = when;
        self
    }

    /// The same command with other spellings, for a UPS that refuses the first.
    pub const fn otherwise(mut self, otherwise: &'static [&'static [Part]]) -> Command {
        self.otherwise = otherwise;
        self
    }

    /// The lines of each other spelling, those left out that say what was said already.
    pub fn write_otherwise(&self, args: &Args) -> Vec<Vec<String>> {
        let mut said = vec![self.write(args)];
        for wire in self.otherwise {
            let lines = crate::wire::spelling::lines(wire, args);
            if !said.contains(&lines) {
                said.push(lines);
            }
        }
        said.split_off(1)
    }

    /// The lines sent, one for each exchange, without the carriage return.
    pub fn write(&self, args: &Args) -> Vec<String> {
        crate::wire::spelling::lines(self.wire, args)
    }

    /// Understands the line of its last exchange in any of its spellings.
    pub fn understand(&self, line: &str) -> Option<Args> {
        self.read(line).or_else(|| {
            self.otherwise.iter().find_map(|wire| {
                crate::wire::spelling::read(crate::wire::spelling::steps(wire).last()?, line, &[])
            })
        })
    }

    /// Understands the line of its last exchange, as a UPS does.
    pub fn read(&self, wire: &str) -> Option<Args> {
        crate::wire::spelling::read(crate::wire::spelling::steps(self.wire).last()?, wire, &[])
    }
}

/// A parameter or value that is not allowed: a sentence that says what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed(pub String);

impl Parameter {
    /// The seconds that `text` asks for.
    ///
    /// # Errors
    /// [`NotAllowed`] when it is not a number or out of range.
    pub fn check(&self, text: Option<&str>) -> Result<u32, NotAllowed> {
        match (text.map(str::trim).filter(|text| !text.is_empty()), self.default) {
            (None, Some(default)) => Ok(default * self.unit.seconds()),
            (text, _) => self.unit.between(text.unwrap_or_default(), self.least, self.most),
        }
    }
}

/// Reads a whole number between two bounds. `12.0` is one; `12.5` is not: 12 was not asked for.
pub fn number_between(text: &str, least: u32, most: u32) -> Option<u32> {
    let number = Decimal::parse(text.trim())?;
    let is_whole = number == Decimal::new(number.whole(), 0);
    number_cut_between(text, least, most).filter(|_| is_whole)
}

/// The same with the decimals cut off.
fn number_cut_between(text: &str, least: u32, most: u32) -> Option<u32> {
    let number = Decimal::parse(text.trim()).map(Decimal::whole);
    let fits = |number: &i64| (i64::from(least)..=i64::from(most)).contains(number) && !text.contains('-');
    number.filter(fits).and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_strict() {
        let seconds = |text| TimeUnit::Seconds.between(text, 60, 5940);
        assert_eq!(seconds("60"), Ok(60));
        assert_eq!(seconds("100.0"), Ok(100));
        assert_eq!(TimeUnit::Seconds.rounded_down("100.5", 60, 5940), Ok(100));
        for text in [
            "59",
            "5941",
            "100.5",
            "60.000001",
            "59.9",
            "5940.1",
            "60x",
            "1 0",
            "",
            "-60",
            "+60",
            "abc",
            "9999999999999",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
        let needed = Parameter { unit: TimeUnit::Seconds, least: 60, most: 5940, default: None };
        assert!(needed.check(None).is_err());
    }

    #[test]
    fn minutes_become_seconds() {
        let parameter = command("test", &[]).minutes(1, 99, 10).parameter.unwrap();
        assert_eq!(parameter.check(None), Ok(600));
        assert_eq!(parameter.check(Some("99")), Ok(5940));
        let refused = parameter.check(Some("100")).unwrap_err();
        assert!(refused.0.contains("minutes from 1 to 99"), "{}", refused.0);
    }
}
