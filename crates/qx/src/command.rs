//! Instant commands: how each is spelt on the wire, in both directions.

use crate::value::Decimal;

/// A number of seconds that a command carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// `ups.delay.shutdown`.
    Shutdown,
    /// `ups.delay.start`.
    Start,
    /// The parameter of the command itself.
    Given,
}

/// A part of a command.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// These bytes.
    Lit(&'static str),
    /// A short time: `.2` to `.9` tenths of a minute below one minute, else minutes in two digits.
    Short(Arg),
    /// Minutes in so many digits.
    Minutes(Arg, usize),
    /// The bytes and minutes in so many digits; nothing at all below one minute.
    Unless0(&'static str, Arg, usize),
}

/// The parameter a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Least value, in seconds.
    pub least: u32,
    /// Greatest value, in seconds.
    pub most: u32,
    /// Value when none is given, in seconds.
    pub default: u32,
}

/// An instant command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// NUT's name.
    pub name: &'static str,
    /// How it is spelt, without the carriage return.
    pub wire: &'static [Part],
    /// The parameter it takes, if any.
    pub parameter: Option<Parameter>,
}

/// A command that takes no parameter.
pub const fn command(name: &'static str, wire: &'static [Part]) -> Command {
    Command { name, wire, parameter: None }
}

impl Command {
    /// The same command with a parameter in seconds.
    pub const fn seconds(mut self, least: u32, most: u32, default: u32) -> Command {
        self.parameter = Some(Parameter { least, most, default });
        self
    }
}

/// The seconds that commands carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Args {
    /// `ups.delay.shutdown`.
    pub shutdown: u32,
    /// `ups.delay.start`.
    pub start: u32,
    /// The parameter of the command.
    pub given: u32,
}

impl Args {
    fn get(&self, arg: Arg) -> u32 {
        match arg {
            Arg::Shutdown => self.shutdown,
            Arg::Start => self.start,
            Arg::Given => self.given,
        }
    }
    fn set(&mut self, arg: Arg, seconds: u32) {
        match arg {
            Arg::Shutdown => self.shutdown = seconds,
            Arg::Start => self.start = seconds,
            Arg::Given => self.given = seconds,
        }
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
        match text.map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(self.default),
            Some(text) => seconds_between(text, self.least, self.most),
        }
    }
}

/// Reads whole seconds between two bounds; decimals are cut off.
///
/// # Errors
/// [`NotAllowed`] with a sentence that names the bounds.
pub fn seconds_between(text: &str, least: u32, most: u32) -> Result<u32, NotAllowed> {
    let seconds = Decimal::parse(text.trim()).map(Decimal::whole);
    let fits = |seconds: &i64| (i64::from(least)..=i64::from(most)).contains(seconds) && !text.contains('-');
    seconds
        .filter(fits)
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| NotAllowed(format!("'{text}' is not a number of seconds from {least} to {most}")))
}

impl Command {
    /// The bytes sent, without the carriage return.
    pub fn write(&self, args: &Args) -> String {
        let mut out = String::new();
        for part in self.wire {
            match *part {
                Part::Lit(text) => out += text,
                Part::Short(arg) if args.get(arg) < 60 => out += &format!(".{}", args.get(arg) / 6),
                Part::Short(arg) => out += &format!("{:02}", args.get(arg) / 60),
                Part::Minutes(arg, digits) => out += &format!("{:0digits$}", args.get(arg) / 60),
                Part::Unless0(lead, arg, digits) if args.get(arg) >= 60 => {
                    out += &format!("{lead}{:0digits$}", args.get(arg) / 60);
                }
                Part::Unless0(..) => {}
            }
        }
        out
    }

    /// Understands what [`Command::write`] spells, as a UPS does.
    pub fn read(&self, mut wire: &str) -> Option<Args> {
        let mut args = Args::default();
        for part in self.wire {
            match *part {
                Part::Lit(text) => wire = wire.strip_prefix(text)?,
                Part::Short(arg) => match wire.strip_prefix('.') {
                    Some(rest) => {
                        wire = rest;
                        args.set(arg, digits(&mut wire, 1)? * 6);
                    }
                    None => args.set(arg, digits(&mut wire, 2)? * 60),
                },
                Part::Minutes(arg, count) => args.set(arg, digits(&mut wire, count)? * 60),
                Part::Unless0(lead, arg, count) => {
                    if let Some(rest) = wire.strip_prefix(lead) {
                        wire = rest;
                        args.set(arg, digits(&mut wire, count)? * 60);
                    }
                }
            }
        }
        wire.is_empty().then_some(args)
    }
}

fn digits(wire: &mut &str, count: usize) -> Option<u32> {
    let (head, tail) = wire.split_at_checked(count)?;
    *wire = tail;
    head.bytes().all(|byte| byte.is_ascii_digit()).then(|| head.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_strict() {
        assert_eq!(seconds_between("60", 60, 5940), Ok(60));
        assert_eq!(seconds_between("100.5", 60, 5940), Ok(100));
        for text in ["59", "5941", "60x", "1 0", "", "-60", "+60", "abc", "9999999999999"] {
            assert!(seconds_between(text, 60, 5940).is_err(), "{text}");
        }
    }
}
