//! Oddities: what a UPS that tells the truth may do oddly. Each stands in [`TABLE`]; a [`Oddity`] is one of
//! them with its parameters, as it is written behind the knob `odd`. All of them are honest: what the UPS says
//! of mains, battery and load is so, or is not said.

mod draw;
mod form;
mod state;

pub use draw::draw;
pub use state::Oddness;

use crate::world::World;
use qx::vocabulary::status::Status;
use std::fmt;
use std::time::Duration;

/// What is odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The word is not said, though it is so.
    Omits(Status),
    /// The word is said, though it is not so.
    Adds(Status),
    /// A bit that does no harm is turned over: the beeper's, or the last of which nothing is known.
    Toggles,
    /// A letter stands in that bit.
    Letter(char),
    /// So many bits more, or fewer.
    Bits(i8),
    /// One blank between two fields is doubled.
    Blank,
    /// Tabs stand for blanks.
    Tabs,
    /// A number has a zero more in front.
    Wide,
    /// Zeros in front of whole numbers are missing.
    Narrow,
    /// A blank stands behind the last field.
    Trailing,
    /// A zero byte stands in front of the reply.
    NulBefore,
    /// A zero byte stands behind the reply, before its end.
    NulAfter,
    /// The mode is this letter, which is in no table.
    Mode(char),
    /// The meter of the battery shows so many hundredths of a volt a cell, whatever the battery does.
    Volts(u16),
    /// A question is not answered.
    Silent,
    /// A question is refused, as unknown ones are, or by `(NAK` where those meet silence.
    Refuses,
    /// A question is answered by an end alone.
    Empty,
    /// A question, and a command that has no answer, is answered by zero bytes and an end.
    Nuls,
    /// So much slower.
    Slow(Duration),
    /// A pause in the midst of the reply.
    Gap(Duration),
    /// Nothing is heard for so long behind a reply, or behind a line that was not heard.
    Rests(Duration),
    /// Nothing is heard for so long behind a reply, however often it is asked meanwhile.
    RestsFromReply(Duration),
    /// Nothing is heard for so long behind a command that it obeys.
    Busy(Duration),
    /// A command is carried out so much later than it is heard, and answered at once.
    ActsLate(Duration),
    /// Each reply is that to the question before.
    Behind,
    /// The word that answers a command comes so much later.
    LateWord(Duration),
    /// No word answers a command.
    NoWord,
    /// A question that is asked once (names, ratings) is answered otherwise.
    Plate(PlateOddity),
}

/// How the name plate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlateOddity {
    /// Numbers and texts are zeros.
    Zeros,
    /// Numbers and texts are blank.
    Blanks,
    /// Texts are others of the same form.
    Other,
    /// The question is refused, as unknown ones are, or by `(NAK` where those meet silence.
    Refused,
    /// The question is not answered.
    Silent,
}

impl PlateOddity {
    const ALL: [(&'static str, PlateOddity); 5] = [
        ("zeros", PlateOddity::Zeros),
        ("blanks", PlateOddity::Blanks),
        ("other", PlateOddity::Other),
        ("refused", PlateOddity::Refused),
        ("silent", PlateOddity::Silent),
    ];

    fn word(self) -> &'static str {
        PlateOddity::ALL.into_iter().find(|(_, plate)| *plate == self).map_or("", |(word, _)| word)
    }
}

/// In which state of the UPS it is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddState {
    /// On mains.
    Mains,
    /// On battery, in an outage.
    Battery,
    /// While the battery is low.
    Low,
    /// In a test.
    Test,
}

impl OddState {
    const ALL: [(&'static str, OddState); 4] = [
        ("mains", OddState::Mains),
        ("battery", OddState::Battery),
        ("low", OddState::Low),
        ("test", OddState::Test),
    ];

    fn holds(self, world: &World) -> bool {
        match self {
            OddState::Mains => world.mains_good(),
            OddState::Battery => !world.mains_good(),
            OddState::Low => world.battery_low(),
            OddState::Test => world.test.is_some(),
        }
    }
}

/// One oddity of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What is odd.
    pub behaviour: Behaviour,
    /// In the replies to this question; otherwise in those to all that tell of the status, or, of a name plate, to
    /// all that are asked once.
    pub ask: Option<String>,
    /// Only in this state.
    pub on: Option<OddState>,
    /// Only from then on.
    pub after: Duration,
    /// Only in each so-manieth reply.
    pub every: u32,
    /// Which of them.
    pub phase: u32,
    /// Only in so many of a hundred, by chance.
    pub chance: u8,
}

impl Behaviour {
    /// How long nothing is heard behind a reply.
    pub fn rest(&self) -> Option<Duration> {
        match self {
            Behaviour::Rests(time) | Behaviour::RestsFromReply(time) => Some(*time),
            _ => None,
        }
    }
}

impl From<Behaviour> for Oddity {
    fn from(behaviour: Behaviour) -> Oddity {
        Oddity { behaviour, ask: None, on: None, after: Duration::ZERO, every: 1, phase: 0, chance: 100 }
    }
}

/// A row: the name, what is written behind `=`, what it is.
pub type OddityRow = (&'static str, &'static str, &'static str);

/// Every oddity.
#[rustfmt::skip]
pub const TABLE: &[OddityRow] = &[
    ("omits",       "WORD",   "the status word (LB, FSD, OFF, CAL ...) is missing, though it holds; every:2 makes it flicker"),
    ("adds",        "WORD",   "the status word is reported, though it does not hold: CAL, or FSD for a stuck bit"),
    ("toggles",     "",       "the beeper's bit, or the last without a meaning, is inverted"),
    ("letter",      "LETTER", "that bit is a letter"),
    ("bits",        "NUMBER", "this many bits more, or fewer (-8)"),
    ("blank",       "",       "a blank between two fields is doubled"),
    ("tabs",        "",       "tabs stand between the fields"),
    ("wide",        "",       "a number has one more leading zero"),
    ("narrow",      "",       "whole numbers have no leading zeros"),
    ("trailing",    "",       "a blank follows the last field"),
    ("nul-before",  "",       "a zero byte comes before the reply"),
    ("nul-after",   "",       "a zero byte comes after the reply"),
    ("mode",        "LETTER", "the mode is a letter that is in no table"),
    ("volts",       "VOLTS",  "the meter shows this many volts a cell, whatever the battery does"),
    ("silent",      "",       "a question gets no reply"),
    ("refuses",     "",       "a question is refused in words"),
    ("empty",       "",       "a question is answered by a carriage return alone"),
    ("nuls",        "",       "where nothing is to be answered, zero bytes and a carriage return come"),
    ("slow",        "MS",     "replies come this many milliseconds later"),
    ("gap",         "MS",     "a pause of this many milliseconds within a reply"),
    ("rests",       "MS",     "nothing is heard for this many milliseconds behind a reply, or behind a line that was not heard"),
    ("rests-from-reply", "MS", "nothing is heard for this many milliseconds behind a reply, however often it is asked meanwhile"),
    ("busy",        "MS",     "nothing is heard for this many milliseconds behind a command that is obeyed"),
    ("acts-late",   "MS",     "a command is carried out this many milliseconds after it is heard"),
    ("behind",      "",       "each reply is that to the question before"),
    ("late-word",   "MS",     "the acknowledgement of a command comes this many milliseconds later"),
    ("no-word",     "",       "no command is acknowledged"),
    ("plate",       "HOW",    "what is asked once (names, ratings): zeros, blanks, other, refused or silent"),
];

/// How an oddity is written, for help.
pub fn help() -> String {
    let mut text = String::from(
        "odd NAME[=VALUE] [ask:QUESTION] [on:mains|battery|low|test] [after:SECONDS] [every:N [phase:K]] [chance:PERCENT]\n\
         odd off     (a blank in a QUESTION is written _; NAME is one of these)\n",
    );
    for (name, value, about) in TABLE {
        let name = if value.is_empty() { (*name).to_string() } else { format!("{name}={value}") };
        text += &format!("  {name:<14} {about}\n");
    }
    text.trim_end().to_string()
}

impl Oddity {
    /// Reads one as it is written: `tabs`, `omits=LB on:low every:2`.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Oddity, String> {
        let mut parts = text.split_whitespace();
        let head = parts.next().unwrap_or_default();
        let (name, value) = head.split_once('=').unwrap_or((head, ""));
        let mut odd = Oddity::from(behaviour(name, value).ok_or_else(|| wrong(name, value))?);
        for part in parts {
            let refused = || format!("odd {name}: '{part}' is no condition; write\n{}", help());
            let (key, value) = part.split_once(':').ok_or_else(refused)?;
            let number = value.parse::<u32>().ok();
            match (key, number) {
                ("ask", _) if !value.is_empty() => odd.ask = Some(value.replace('_', " ")),
                ("on", _) => {
                    let state = OddState::ALL.into_iter().find(|(name, _)| *name == value);
                    odd.on = Some(state.ok_or_else(refused)?.1);
                }
                ("after", Some(seconds)) => odd.after = Duration::from_secs(seconds.into()),
                ("every", Some(every)) if every > 0 => odd.every = every,
                ("phase", Some(phase)) => odd.phase = phase,
                ("chance", Some(chance @ 0..=100)) => odd.chance = chance as u8,
                _ => return Err(refused()),
            }
        }
        Ok(odd)
    }

    /// Whether the unit is in the state for it.
    pub(crate) fn is_on(&self, world: &World, now: Duration) -> bool {
        now >= self.after && self.on.is_none_or(|state| state.holds(world))
    }
}

fn wrong(name: &str, value: &str) -> String {
    match TABLE.iter().find(|(known, ..)| *known == name) {
        Some((_, "", _)) => format!("odd {name}: it takes no value"),
        Some((_, kind, about)) => format!("odd {name}={value}: write odd {name}={kind} ({about})"),
        None => format!("there is no oddity '{name}'; write\n{}", help()),
    }
}

fn behaviour(name: &str, value: &str) -> Option<Behaviour> {
    let word = || Status::ALL.into_iter().find(|status| status.word() == value);
    let letter = || value.chars().next().filter(|c| value.len() == 1 && c.is_ascii_graphic());
    let time = || value.parse().ok().filter(|ms| *ms <= 60_000).map(Duration::from_millis);
    Some(match name {
        "omits" => Behaviour::Omits(word()?),
        "adds" => Behaviour::Adds(word()?),
        "letter" => Behaviour::Letter(letter()?),
        "bits" => Behaviour::Bits(value.parse().ok()?),
        "mode" => Behaviour::Mode(letter()?),
        "volts" => {
            let volts: f64 = value.parse().ok()?;
            Behaviour::Volts((0.5..=4.0).contains(&volts).then(|| (volts * 100.0).round() as u16)?)
        }
        "slow" => Behaviour::Slow(time()?),
        "gap" => Behaviour::Gap(time()?),
        "rests" => Behaviour::Rests(time()?),
        "rests-from-reply" => Behaviour::RestsFromReply(time()?),
        "busy" => Behaviour::Busy(time()?),
        "acts-late" => Behaviour::ActsLate(time()?),
        "late-word" => Behaviour::LateWord(time()?),
        "plate" => Behaviour::Plate(PlateOddity::ALL.into_iter().find(|(word, _)| *word == value)?.1),
        _ if !value.is_empty() => return None,
        "toggles" => Behaviour::Toggles,
        "blank" => Behaviour::Blank,
        "tabs" => Behaviour::Tabs,
        "wide" => Behaviour::Wide,
        "narrow" => Behaviour::Narrow,
        "trailing" => Behaviour::Trailing,
        "nul-before" => Behaviour::NulBefore,
        "nul-after" => Behaviour::NulAfter,
        "silent" => Behaviour::Silent,
        "refuses" => Behaviour::Refuses,
        "empty" => Behaviour::Empty,
        "nuls" => Behaviour::Nuls,
        "behind" => Behaviour::Behind,
        "no-word" => Behaviour::NoWord,
        _ => return None,
    })
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behaviour::Omits(status) => write!(f, "omits={}", status.word()),
            Behaviour::Adds(status) => write!(f, "adds={}", status.word()),
            Behaviour::Letter(letter) => write!(f, "letter={letter}"),
            Behaviour::Bits(count) => write!(f, "bits={count}"),
            Behaviour::Mode(letter) => write!(f, "mode={letter}"),
            Behaviour::Volts(hundredths) => write!(f, "volts={:.2}", f64::from(*hundredths) / 100.0),
            Behaviour::Slow(time) => write!(f, "slow={}", time.as_millis()),
            Behaviour::Gap(time) => write!(f, "gap={}", time.as_millis()),
            Behaviour::Rests(time) => write!(f, "rests={}", time.as_millis()),
            Behaviour::RestsFromReply(time) => write!(f, "rests-from-reply={}", time.as_millis()),
            Behaviour::Busy(time) => write!(f, "busy={}", time.as_millis()),
            Behaviour::ActsLate(time) => write!(f, "acts-late={}", time.as_millis()),
            Behaviour::LateWord(time) => write!(f, "late-word={}", time.as_millis()),
            Behaviour::Toggles => f.write_str("toggles"),
            Behaviour::Blank => f.write_str("blank"),
            Behaviour::Tabs => f.write_str("tabs"),
            Behaviour::Wide => f.write_str("wide"),
            Behaviour::Narrow => f.write_str("narrow"),
            Behaviour::Trailing => f.write_str("trailing"),
            Behaviour::NulBefore => f.write_str("nul-before"),
            Behaviour::NulAfter => f.write_str("nul-after"),
            Behaviour::Silent => f.write_str("silent"),
            Behaviour::Refuses => f.write_str("refuses"),
            Behaviour::Empty => f.write_str("empty"),
            Behaviour::Nuls => f.write_str("nuls"),
            Behaviour::Behind => f.write_str("behind"),
            Behaviour::NoWord => f.write_str("no-word"),
            Behaviour::Plate(plate) => write!(f, "plate={}", plate.word()),
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.behaviour.fmt(f)?;
        if let Some(ask) = &self.ask {
            write!(f, " ask:{}", ask.replace(' ', "_"))?;
        }
        if let Some((name, _)) = OddState::ALL.into_iter().find(|(_, state)| Some(*state) == self.on) {
            write!(f, " on:{name}")?;
        }
        if !self.after.is_zero() {
            write!(f, " after:{}", self.after.as_secs())?;
        }
        if self.every > 1 {
            write!(f, " every:{}", self.every)?;
        }
        if self.phase > 0 {
            write!(f, " phase:{}", self.phase)?;
        }
        if self.chance < 100 {
            write!(f, " chance:{}", self.chance)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::Random;
    use qx::protocols;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["tabs", "omits=LB on:low every:2", "silent ask:QWS on:battery", "volts=2.45 on:mains"] {
            assert_eq!(Oddity::parse(text).unwrap().to_string(), text);
        }
        let mut random = Random::new(1);
        for _ in 0..2000 {
            for protocol in protocols::ALL {
                let odd = draw(&mut random, protocol);
                assert_eq!(Oddity::parse(&odd.to_string()), Ok(odd));
            }
        }
    }

    #[test]
    fn every_row_is_read() {
        for (name, value, _) in TABLE {
            let value = match *value {
                "" => "",
                "WORD" => "=LB",
                "LETTER" => "=Y",
                "VOLTS" => "=2.45",
                "HOW" => "=zeros",
                _ => "=2",
            };
            let text = format!("{name}{value}");
            assert_eq!(Oddity::parse(&text).map(|odd| odd.to_string()), Ok(text));
        }
        for bad in
            ["", "frob", "tabs=1", "omits=XX", "mode=", "volts=9", "tabs on:moon", "tabs every:0", "tabs x"]
        {
            assert!(Oddity::parse(bad).is_err(), "{bad}");
        }
    }
}
