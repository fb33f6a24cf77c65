//! Spelling: how commands and settings stand on the wire, in both directions.

/// A number that a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// `ups.delay.shutdown`, in seconds.
    Shutdown,
    /// `ups.delay.start`, in seconds.
    Start,
    /// The parameter of the command (in seconds), or the value of the setting.
    Given,
    /// The number of the UPS on a shared line.
    Address,
}

/// A part of a line.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// These bytes.
    Lit(&'static str),
    /// A short time: `.2` to `.9` tenths of a minute below one minute, else minutes in two digits.
    Short(Arg),
    /// Seconds as minutes in so many digits.
    Minutes(Arg, usize),
    /// Seconds as whole minutes in so many digits, rounded up, one at least.
    MinutesUp(Arg, usize),
    /// The bytes and minutes in so many digits; nothing at all below one minute.
    Unless0(&'static str, Arg, usize),
    /// The number in so many digits.
    Digits(Arg, usize),
    /// The value with one decimal, in so many bytes.
    Tenths(usize),
    /// The code of the word that was given.
    Code,
    /// A text that was given, of so many bytes.
    Text(usize),
    /// Another exchange: what follows is sent when what stands before was accepted.
    Then,
}

/// What a line carries.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Args {
    /// `ups.delay.shutdown`, in seconds.
    pub shutdown: u32,
    /// `ups.delay.start`, in seconds.
    pub start: u32,
    /// The parameter of the command in seconds, or the value of the setting.
    pub given: u32,
    /// The value in tenths.
    pub tenths: u32,
    /// The number of the UPS.
    pub address: u32,
    /// The code.
    pub code: String,
}

impl Args {
    fn get(&self, arg: Arg) -> u32 {
        match arg {
            Arg::Shutdown => self.shutdown,
            Arg::Start => self.start,
            Arg::Given => self.given,
            Arg::Address => self.address,
        }
    }
    fn set(&mut self, arg: Arg, number: u32) {
        match arg {
            Arg::Shutdown => self.shutdown = number,
            Arg::Start => self.start = number,
            Arg::Given => self.given = number,
            Arg::Address => self.address = number,
        }
    }
}

/// The lines that `parts` spell, without their ends.
pub fn lines(parts: &[Part], args: &Args) -> Vec<String> {
    steps(parts).map(|step| line(step, args)).collect()
}

/// The parts of each exchange.
pub fn steps(parts: &[Part]) -> impl Iterator<Item = &[Part]> {
    parts.split(|part| matches!(part, Part::Then))
}

fn line(parts: &[Part], args: &Args) -> String {
    let mut out = String::new();
    for part in parts {
        match *part {
            Part::Lit(text) => out += text,
            Part::Short(arg) if args.get(arg) < 60 => out += &format!(".{}", args.get(arg) / 6),
            Part::Short(arg) => out += &format!("{:02}", args.get(arg) / 60),
            Part::Minutes(arg, digits) => out += &format!("{:0digits$}", args.get(arg) / 60),
            Part::MinutesUp(arg, digits) => {
                out += &format!("{:0digits$}", args.get(arg).div_ceil(60).max(1));
            }
            Part::Unless0(lead, arg, digits) if args.get(arg) >= 60 => {
                out += &format!("{lead}{:0digits$}", args.get(arg) / 60);
            }
            Part::Unless0(..) | Part::Then => {}
            Part::Digits(arg, digits) => out += &format!("{:0digits$}", args.get(arg)),
            Part::Tenths(width) => {
                out += &format!("{:0rest$}.{}", args.tenths / 10, args.tenths % 10, rest = width - 2)
            }
            Part::Code | Part::Text(_) => out += &args.code,
        }
    }
    out
}

/// Understands the line of one exchange, as a UPS does; `codes` are those that may be given.
pub fn read(parts: &[Part], mut wire: &str, codes: &[&str]) -> Option<Args> {
    let mut args = Args::default();
    for part in parts {
        match *part {
            Part::Lit(text) => wire = wire.strip_prefix(text)?,
            Part::Short(arg) => match wire.strip_prefix('.') {
                Some(rest) => {
                    wire = rest;
                    args.set(arg, digits(&mut wire, 1)? * 6);
                }
                None => args.set(arg, digits(&mut wire, 2)? * 60),
            },
            Part::Minutes(arg, count) | Part::MinutesUp(arg, count) => {
                args.set(arg, digits(&mut wire, count)? * 60);
            }
            Part::Unless0(lead, arg, count) => {
                if let Some(rest) = wire.strip_prefix(lead) {
                    wire = rest;
                    args.set(arg, digits(&mut wire, count)? * 60);
                }
            }
            Part::Digits(arg, count) => args.set(arg, digits(&mut wire, count)?),
            Part::Tenths(width) => {
                let whole = digits(&mut wire, width - 2)?;
                wire = wire.strip_prefix('.')?;
                args.tenths = whole * 10 + digits(&mut wire, 1)?;
            }
            Part::Code => {
                let code = codes.iter().find(|code| wire.starts_with(**code))?;
                wire = &wire[code.len()..];
                args.code = (*code).into();
            }
            Part::Text(width) => {
                let (text, rest) = wire.split_at_checked(width)?;
                args.code = text.into();
                wire = rest;
            }
            Part::Then => return None,
        }
    }
    wire.is_empty().then_some(args)
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
    fn what_is_spelt_is_read() {
        let args = Args { shutdown: 30, start: 180, given: 7, tenths: 525, address: 3, code: "E".into() };
        let parts = [
            Part::Lit("S"),
            Part::Short(Arg::Shutdown),
            Part::Unless0("R", Arg::Start, 4),
            Part::Digits(Arg::Given, 3),
            Part::Tenths(4),
            Part::Code,
            Part::Lit(","),
            Part::Digits(Arg::Address, 2),
        ];
        assert_eq!(lines(&parts, &args), ["S.5R000300752.5E,03"]);
        assert_eq!(read(&parts, "S.5R000300752.5E,03", &["D", "E"]), Some(args.clone()));
        assert_eq!(read(&parts, "S.5R000300752.5X,03", &["D", "E"]), None);
        let up = |seconds| {
            lines(&[Part::MinutesUp(Arg::Shutdown, 2)], &Args { shutdown: seconds, ..Args::default() })
        };
        assert_eq!([up(0), up(12), up(60), up(61)], [["01"], ["01"], ["01"], ["02"]]);
        assert_eq!(lines(&[Part::Lit("An"), Part::Then, Part::Short(Arg::Start)], &args), ["An", "03"]);
    }
}
