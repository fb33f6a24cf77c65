//! Settings: variables that can be written.

use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::Var;
use crate::wire::command::{NotAllowed, TimeUnit, number_between};
use crate::wire::fact::Facts;
use crate::wire::query::Words;
use crate::wire::spelling::{Args, Part};
use crate::wire::when::When;

/// How a delay is rounded down to what the wire can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To whole minutes.
    Minutes,
    /// To tenths of a minute below one minute, else to whole minutes.
    TenthsThenMinutes,
}

impl Rounding {
    /// The seconds that remain.
    pub const fn apply(self, seconds: u32) -> u32 {
        match self {
            Rounding::TenthsThenMinutes if seconds < 60 => seconds - seconds % 6,
            _ => seconds - seconds % 60,
        }
    }
}

/// A delay that the driver keeps and puts into shutdown commands; the UPS never hears of it alone.
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    /// The variable.
    pub var: &'static Var,
    /// The option that gives its first value.
    pub option: &'static str,
    /// Least value, in seconds.
    pub least: u32,
    /// Greatest value, in seconds.
    pub most: u32,
    /// Value when the option is not given, in seconds.
    pub default: u32,
    /// How it is rounded.
    pub rounding: Rounding,
    /// In what the option is given; the variable is in seconds.
    pub option_unit: TimeUnit,
    /// Whether clients may set it.
    pub settable: bool,
}

/// A delay that clients may set, with an option in seconds; bounds and default in seconds.
pub const fn delay(
    var: &'static Var,
    option: &'static str,
    (least, most): (u32, u32),
    default: u32,
    rounding: Rounding,
) -> Delay {
    Delay { var, option, least, most, default, rounding, option_unit: TimeUnit::Seconds, settable: true }
}

impl Delay {
    /// The same delay, which only the option gives, in this unit.
    pub const fn by_option(mut self, unit: TimeUnit) -> Delay {
        self.option_unit = unit;
        self.settable = false;
        self
    }

    /// The seconds that a client asks for, rounded down to what the wire can say, as in NUT.
    ///
    /// # Errors
    /// [`NotAllowed`] when it is not a number or out of range.
    pub fn check(&self, text: &str) -> Result<u32, NotAllowed> {
        TimeUnit::Seconds
            .rounded_down(text, self.least, self.most)
            .map(|seconds| self.rounding.apply(seconds))
    }

    /// The seconds that the option asks for, rounded down to what the wire can say, as in NUT.
    ///
    /// # Errors
    /// [`NotAllowed`] when it is not a number or out of range.
    pub fn check_option(&self, text: &str) -> Result<u32, NotAllowed> {
        let unit = self.option_unit;
        let seconds = unit.rounded_down(text, self.least / unit.seconds(), self.most / unit.seconds());
        seconds.map(|seconds| self.rounding.apply(seconds))
    }
}

/// What may be written.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// A whole number between these two.
    Range(u32, u32),
    /// One of these words.
    Words(Words),
    /// A whole number between two bounds that follow from what is known; `None` when it cannot be
    /// told, and then nothing may be written.
    Limits(&'static str, fn(&Facts) -> Option<(u32, u32)>),
    /// One of the numbers that the UPS listed, which are kept in this variable.
    Listed(&'static Var),
    /// Something else.
    Custom(&'static CustomValue),
}

/// A value of its own form: a pair of functions, so that it can be simulated as well.
#[derive(Debug)]
pub struct CustomValue {
    /// What may be written, for people.
    pub about: &'static str,
    /// What a value makes of the line.
    pub args: fn(&str) -> Option<Args>,
    /// The value that a line sets.
    pub value: fn(&Args) -> Option<Value>,
}

/// A variable that the UPS keeps.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The variable. One that is not published is set once, by the option of its name.
    pub var: &'static Var,
    /// How it is spelt, without the carriage return.
    pub wire: &'static [Part],
    /// What may be written.
    pub allowed: Allowed,
    /// When it may be written.
    pub when: When,
}

/// A setting.
pub const fn setting(var: &'static Var, wire: &'static [Part], allowed: Allowed) -> Setting {
    Setting { var, wire, allowed, when: When::Always }
}

/// What clients may write, as they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A whole number between these two.
    Range(u32, u32),
    /// One of these.
    OneOf(Vec<String>),
    /// Something else; the UPS's own rules say what.
    Free,
}

impl Setting {
    /// The same setting, allowed only then.
    pub const fn when(mut self, when: When) -> Setting {
        self.when = when;
        self
    }

    /// What may be written to this UPS; `None` when nothing.
    pub fn choice(&self, facts: &Facts) -> Option<Choice> {
        if !self.when.holds(facts) {
            return None;
        }
        Some(match self.allowed {
            Allowed::Range(least, most) => Choice::Range(least, most),
            Allowed::Words(words) => {
                Choice::OneOf(words.iter().map(|(_, word)| (*word).to_string()).collect())
            }
            Allowed::Limits(_, limits) => {
                let (least, most) = limits(facts)?;
                Choice::Range(least, most)
            }
            Allowed::Listed(var) => {
                Choice::OneOf(facts.text(var)?.split_whitespace().map(String::from).collect())
            }
            Allowed::Custom(_) => Choice::Free,
        })
    }

    /// What a value makes of the line.
    ///
    /// # Errors
    /// [`NotAllowed`] when the value is not among what may be written.
    pub fn args(&self, text: &str, facts: &Facts) -> Result<Args, NotAllowed> {
        let refused = |allowed: String| NotAllowed(format!("{}: '{text}' is not {allowed}", self.var.name));
        let choice = self.choice(facts).ok_or_else(|| refused("to be set on this UPS".into()))?;
        match (self.allowed, choice) {
            (Allowed::Words(words), _) => {
                let word = words.iter().find(|(_, word)| word.eq_ignore_ascii_case(text.trim()));
                let all: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
                let code = word.ok_or_else(|| refused(format!("one of {}", all.join(", "))))?.0;
                Ok(Args { code: code.into(), given: code.parse().unwrap_or_default(), ..Args::default() })
            }
            (Allowed::Custom(custom), _) => {
                (custom.args)(text.trim()).ok_or_else(|| refused(custom.about.into()))
            }
            (_, Choice::Range(least, most)) => {
                let (tenths, kind) = match self.says_tenths() {
                    true => (tenths_between(text, least, most), "a number of at most one decimal"),
                    false => (whole_tenths(text, least, most), "a whole number"),
                };
                let tenths = tenths.ok_or_else(|| refused(format!("{kind} from {least} to {most}")))?;
                Ok(Args { given: tenths / 10, tenths, ..Args::default() })
            }
            (_, Choice::OneOf(list)) => {
                let listed = list.iter().find(|word| word.as_str() == text.trim());
                let word = listed.ok_or_else(|| refused(format!("one of {}", list.join(", "))))?;
                Ok(Args { given: word.parse().unwrap_or_default(), ..Args::default() })
            }
            (_, Choice::Free) => Err(refused("to be set".into())),
        }
    }

    /// Whether its line has room for a decimal.
    fn says_tenths(&self) -> bool {
        self.wire.iter().any(|part| matches!(part, Part::Tenths(_)))
    }

    /// Whether the UPS says this very value already.
    pub fn holds(&self, text: &str, facts: &Facts) -> bool {
        match facts.value(self.var) {
            Some(Value::Text(said)) => said.eq_ignore_ascii_case(text.trim()),
            Some(Value::Number(said)) => Decimal::parse(text.trim()).is_some_and(|number| number == *said),
            None => false,
        }
    }

    /// The lines sent, one for each exchange, without the carriage return.
    pub fn write(&self, args: &Args) -> Vec<String> {
        crate::wire::spelling::lines(self.wire, args)
    }

    /// Understands its line, as a UPS does: the value that it sets.
    pub fn read(&self, wire: &str) -> Option<Value> {
        let words: Words = if let Allowed::Words(words) = self.allowed { words } else { &[] };
        let codes: Vec<&str> = words.iter().map(|(code, _)| *code).collect();
        let args = crate::wire::spelling::read(self.wire, wire, &codes)?;
        let is_code =
            |code: &str| code == args.code || args.code.is_empty() && code.parse() == Ok(args.given);
        match self.allowed {
            Allowed::Words(words) => {
                words.iter().find(|(code, _)| is_code(code)).map(|(_, word)| Value::text(*word))
            }
            Allowed::Custom(custom) => (custom.value)(&args),
            _ if self.says_tenths() => Some(Value::Number(Decimal::new(i64::from(args.tenths), 1))),
            _ => Some(Value::whole(args.given)),
        }
    }
}

/// Reads a number of at most one decimal between two bounds, in tenths.
fn tenths_between(text: &str, least: u32, most: u32) -> Option<u32> {
    let tenths = Decimal::parse(text.trim())?.scaled(10, 0);
    let whole = Decimal::new(tenths.whole(), 0);
    let bounds = i64::from(least) * 10..=i64::from(most) * 10;
    let fits = whole == tenths && bounds.contains(&whole.whole()) && !text.contains('-');
    fits.then(|| u32::try_from(whole.whole()).ok())?
}

/// Reads a whole number between two bounds, in tenths.
fn whole_tenths(text: &str, least: u32, most: u32) -> Option<u32> {
    number_between(text, least, most)?.checked_mul(10)
}
