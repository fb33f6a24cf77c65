//! Knobs: what can be changed while a simulated UPS runs, by a script or by hand.

use crate::oddity::{self, Oddity};
use crate::personality::Refusal;
use crate::sample::{FAMILIES, MODELS};
use crate::trouble::{Fate, Nothing};
use qx::vocabulary::status::Status;
use qx::vocabulary::variable::Var;
use std::time::Duration;

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum Knob {
    /// Volts of the mains; 0 is an outage.
    Mains(f64),
    /// Mains as rated.
    MainsBack,
    /// Hertz of the mains.
    Frequency(f64),
    /// Load in percent.
    Load(f64),
    /// Charge in percent.
    Charge(f64),
    /// Degrees Celsius.
    Temperature(f64),
    /// Whether the self test failed.
    Fault(bool),
    /// Whether the beeper is on.
    Beeper(bool),
    /// Forces a status bit (0 is the leftmost), or lets it free.
    Bit(usize, Option<bool>),
    /// Fills the fields of this variable with dashes.
    Dashes(String),
    /// What is done with what is not known.
    Unknown(Refusal),
    /// Refuses every command like this, or none.
    Refuse(Option<Refusal>),
    /// Whether mains goes straight to the load.
    Bypass(bool),
    /// The family or model.
    Family(String),
    /// A status word: present, absent, or as it is.
    Word(Status, Option<bool>),
    /// A numbered warning.
    Warning(u8, bool),
    /// What the unit says of a variable.
    Say(&'static Var, String),
    /// Says this when a command is accepted, or nothing.
    Accept(Option<String>),
    /// Time before each answer.
    Latency(Duration),
    /// Baud by which the bytes are paced.
    Baud(Option<u32>),
    /// Whether the line sends back what it gets.
    Echo(bool),
    /// Whether the voltage of one cell is reported.
    Cell(bool),
    /// Whether nothing is said at all.
    Silent(bool),
    /// Somebody at its panel switches it off in so many seconds, or no more; it returns with mains.
    Countdown(Option<f64>),
    /// The name of its model.
    Model(String),
    /// Volts that its battery is rated at.
    Rated(f64),
    /// An oddity more, or none at all.
    Odd(Option<Oddity>),
    /// So many replies to come lose a byte.
    Hurt(u32),
    /// A question that is not known all the same.
    Forget(String),
    /// Probability that a reply is lost.
    Lose(f64),
    /// Probability that a reply is garbled.
    Garble(f64),
    /// Probability that a reply comes twice.
    Double(f64),
    /// Probability that a byte is hurt on the line, in either direction.
    Noise(f64),
    /// Probability that a reply comes late.
    Late(f64),
    /// Probability that the line hangs up for two seconds instead of a reply.
    Break(f64),
    /// Answers this question by these very bytes, or as usual.
    Reply(String, Option<Vec<u8>>),
    /// Closes the line for so long.
    HangUp(Duration),
    /// What goes wrong in a USB converter: so many replies, of this kind.
    Usb(Fate, u32),
    /// Whether the converter answers nothing any more.
    UsbDeaf(bool),
    /// Whether the converter hangs until its port is reset.
    UsbHung(bool),
    /// What the converter says when its UPS says nothing.
    UsbNothing(Option<Nothing>),
    /// Simulated seconds in a real one.
    Speed(f64),
}

/// How all of them are written, with what oddities there are.
pub fn help() -> String {
    format!("{HELP}\n{}", oddity::help())
}

/// How knobs are written, for help and error messages.
pub const HELP: &str = "\
mains fail | mains back | mains VOLTS     frequency HERTZ     load PERCENT     charge PERCENT
temperature CELSIUS     fault on|off     beeper on|off     bit 0..7 on|off|free (0 is the leftmost)
dashes VARIABLE     unknown silent|echo|TEXT     refuse silent|echo|TEXT|off     accept TEXT|off
latency MILLISECONDS     baud BAUD|off     echo on|off     cell on|off     silent on|off
bypass on|off     family NAME     word STATUS on|off|free     warning NUMBER on|off     say VARIABLE VALUE
forget QUESTION     lose 0..1     garble 0..1     double 0..1     break 0..1
noise 0..1 (of each byte, both ways)     late 0..1     hurt COUNT (replies to come lose a byte)
countdown SECONDS | countdown off (at its panel)     model NAME     rated VOLTS (of the battery)
odd NAME[=VALUE] [CONDITION...] | odd off (see below)
reply QUESTION \"BYTES\"     reply QUESTION     hangup SECONDS     speed FACTOR
usb stall|babble|fault|short|garble COUNT     usb deaf|hung on|off     usb nothing nul|return|nuls|off
(nothing: what the converter says in place of a UPS that says nothing; hung: until its port is reset; hangup unplugs a converter)";

/// Their names, in the order of [`HELP`].
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "mains", "frequency", "load", "charge", "temperature", "fault", "beeper", "bit", "dashes", "unknown", "refuse",
    "accept", "latency", "baud", "echo", "cell", "silent", "bypass", "family", "word", "warning", "say", "forget",
    "lose", "garble", "double", "break", "noise", "late", "hurt", "countdown", "model", "rated", "odd", "reply",
    "hangup", "speed", "usb",
];

impl Knob {
    /// Reads a knob.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Knob, String> {
        let text = text.trim();
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let value = value.trim();
        // what is known beside numbers, so that whoever mistypes a word is told the words
        let number_or = |words: &str, least: f64, most: f64| {
            let number = value.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
            let wrong =
                || format!("{name}: '{value}' is not known; write {words}a number from {least} to {most}");
            number.ok_or_else(wrong)
        };
        let number = |least: f64, most: f64| number_or("", least, most);
        let on =
            || on_or_off(value).ok_or_else(|| format!("{name}: '{value}' is not known; write on or off"));
        let some = || {
            if value.is_empty() {
                Err(format!("{name}: something is missing behind it"))
            } else {
                Ok(value.to_string())
            }
        };
        let seconds = |most: f64| number(0.0, most).map(Duration::from_secs_f64);
        Ok(match name {
            "mains" if value == "fail" => Knob::Mains(0.0),
            "mains" if value == "back" => Knob::MainsBack,
            "mains" => Knob::Mains(number_or("fail, back or ", 0.0, 999.0)?),
            "frequency" => Knob::Frequency(number(0.0, 99.0)?),
            "load" => Knob::Load(number(0.0, 999.0)?),
            "charge" => Knob::Charge(number(0.0, 100.0)?),
            "temperature" => Knob::Temperature(number(-9.0, 99.0)?),
            "fault" => Knob::Fault(on()?),
            "beeper" => Knob::Beeper(on()?),
            "bit" => bit(value).ok_or("bit: write a place from 0 (leftmost) to 7 and on, off or free")?,
            "bypass" => Knob::Bypass(on()?),
            "family" => {
                let name = some()?;
                let known = FAMILIES.iter().chain(MODELS).any(|known| *known == name);
                let names = || FAMILIES.iter().chain(MODELS).copied().collect::<Vec<_>>().join(", ");
                known
                    .then_some(Knob::Family(name))
                    .ok_or_else(|| format!("family: '{value}' is not known; there are {}", names()))?
            }
            "word" => word(value).ok_or_else(|| {
                let words: Vec<&str> = Status::ALL.into_iter().map(Status::word).collect();
                format!("word: '{value}' is not known; write one of {} and on, off or free", words.join(", "))
            })?,
            "warning" => warning(value).ok_or("warning: write a number from 1 to 64 and on or off")?,
            "say" => say(value).ok_or("say: write the name of a variable and its value")?,
            "dashes" => Knob::Dashes(some()?),
            "unknown" => Knob::Unknown(Refusal::parse(&some()?)),
            "refuse" => Knob::Refuse((some()? != "off").then(|| Refusal::parse(value))),
            "accept" => Knob::Accept((some()? != "off").then(|| value.to_string())),
            "latency" => Knob::Latency(seconds(60_000.0)? / 1000),
            "baud" if value == "off" => Knob::Baud(None),
            "baud" => Knob::Baud(Some(number_or("off or ", 50.0, 1e6)? as u32)),
            "echo" => Knob::Echo(on()?),
            "cell" => Knob::Cell(on()?),
            "silent" => Knob::Silent(on()?),
            "countdown" if value == "off" => Knob::Countdown(None),
            "countdown" => Knob::Countdown(Some(number_or("off or ", 0.0, 1e6)?)),
            "model" => Knob::Model(some()?),
            "rated" => Knob::Rated(number(2.0, 600.0)?),
            "odd" if value == "off" => Knob::Odd(None),
            "odd" => Knob::Odd(Some(Oddity::parse(value)?)),
            "hurt" => Knob::Hurt(number(0.0, 1e6)? as u32),
            "forget" => Knob::Forget(some()?),
            "lose" => Knob::Lose(number(0.0, 1.0)?),
            "garble" => Knob::Garble(number(0.0, 1.0)?),
            "noise" => Knob::Noise(number(0.0, 1.0)?),
            "late" => Knob::Late(number(0.0, 1.0)?),
            "break" => Knob::Break(number(0.0, 1.0)?),
            "double" => Knob::Double(number(0.0, 1.0)?),
            "reply" => {
                let value = some()?;
                let (question, bytes) = value.split_once(char::is_whitespace).unwrap_or((&value, ""));
                let bytes = bytes.trim();
                let bytes =
                    bytes.strip_prefix('"').and_then(|bytes| bytes.strip_suffix('"')).unwrap_or(bytes);
                Knob::Reply(question.into(), (!bytes.is_empty()).then(|| bytes.as_bytes().to_vec()))
            }
            "hangup" => Knob::HangUp(seconds(3600.0)?),
            "usb" => usb(value).ok_or(
                "usb: write stall, babble, fault, short or garble and a count, deaf or hung and on or off, or nothing and nul, return, nuls or off",
            )?,
            "speed" => Knob::Speed(number(0.1, 10_000.0)?),
            _ => return Err(format!("there is no knob '{name}'; there are {}", NAMES.join(", "))),
        })
    }
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn usb(text: &str) -> Option<Knob> {
    let (what, rest) = text.split_once(' ')?;
    let fate = match what {
        "deaf" => return on_or_off(rest.trim()).map(Knob::UsbDeaf),
        "hung" => return on_or_off(rest.trim()).map(Knob::UsbHung),
        "nothing" => {
            return Some(Knob::UsbNothing(match rest.trim() {
                "nul" => Some(Nothing::Nul),
                "return" => Some(Nothing::Return),
                "nuls" => Some(Nothing::Nuls),
                "off" => None,
                _ => return None,
            }));
        }
        "stall" => Fate::Stall,
        "babble" => Fate::Babble,
        "fault" => Fate::Fault,
        "short" => Fate::Short,
        "garble" => Fate::Garbled,
        _ => return None,
    };
    Some(Knob::Usb(fate, rest.trim().parse().ok()?))
}

fn word(text: &str) -> Option<Knob> {
    let (name, state) = text.split_once(' ')?;
    let status = Status::ALL.into_iter().find(|status| status.word() == name)?;
    let state = state.trim();
    (state == "free" || on_or_off(state).is_some()).then(|| Knob::Word(status, on_or_off(state)))
}

fn warning(text: &str) -> Option<Knob> {
    let (number, state) = text.split_once(' ')?;
    let number = number.parse().ok().filter(|number| (1..=64).contains(number))?;
    Some(Knob::Warning(number, on_or_off(state.trim())?))
}

fn say(text: &str) -> Option<Knob> {
    let (name, value) = text.split_once(' ')?;
    let var = qx::vocabulary::variable::named(name)?;
    Some(Knob::Say(var, value.trim().into()))
}

fn bit(text: &str) -> Option<Knob> {
    let (place, state) = text.split_once(' ')?;
    let place = place.parse().ok().filter(|place| *place < 8)?;
    let state = state.trim();
    (state == "free" || on_or_off(state).is_some()).then(|| Knob::Bit(place, on_or_off(state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_are_read() {
        for (text, knob) in [
            ("mains fail", Knob::Mains(0.0)),
            ("mains 185.5", Knob::Mains(185.5)),
            ("bit 6 on", Knob::Bit(6, Some(true))),
            ("bit 6 free", Knob::Bit(6, None)),
            ("unknown (NAK", Knob::Unknown(Refusal::Text("(NAK".into()))),
            ("refuse off", Knob::Refuse(None)),
            ("latency 200", Knob::Latency(Duration::from_millis(200))),
            ("reply F \"#230.0  \"", Knob::Reply("F".into(), Some(b"#230.0  ".to_vec()))),
            ("reply F", Knob::Reply("F".into(), None)),
            ("usb stall 3", Knob::Usb(Fate::Stall, 3)),
            ("usb deaf on", Knob::UsbDeaf(true)),
            ("usb nothing nul", Knob::UsbNothing(Some(Nothing::Nul))),
            ("usb nothing off", Knob::UsbNothing(None)),
            ("hurt 2", Knob::Hurt(2)),
            ("odd off", Knob::Odd(None)),
            ("odd tabs", Knob::Odd(Some(Oddity::parse("tabs").unwrap()))),
        ] {
            assert_eq!(Knob::parse(text), Ok(knob), "{text}");
        }
        for bad in
            ["", "mains", "mains x", "load -1", "bit 8 on", "bit 1", "fault maybe", "garble 2", "frob 1"]
        {
            assert!(Knob::parse(bad).is_err(), "{bad}");
        }
    }

    /// Whoever mistypes a knob or a word of it is told what there is, in one line: the control socket has one.
    #[test]
    fn what_is_known_is_said_of_what_is_not() {
        for (text, parts) in [
            ("mains fial", &["'fial'", "fail", "back", "0 to 999"][..]),
            ("mains 1000", &["'1000'", "0 to 999"]),
            ("mains", &["fail", "back"]),
            ("baud of", &["'of'", "off", "50 to"]),
            ("countdown of", &["off"]),
            ("beeper onn", &["'onn'", "on or off"]),
            ("family frob", &["'frob'", FAMILIES[0], MODELS[0]]),
            ("word OBB on", &["'OBB on'", "OB", "LB", "free"]),
            ("man fail", &["'man'", "mains", "usb", "frequency"]),
        ] {
            let why = Knob::parse(text).unwrap_err();
            assert!(parts.iter().all(|part| why.contains(part)) && !why.contains('\n'), "{text}: {why}");
        }
    }

    #[test]
    fn every_name_is_in_the_help_and_is_a_knob() {
        let help: Vec<&str> = HELP.split_whitespace().collect();
        for name in NAMES {
            assert!(help.contains(name), "{name}");
            assert!(
                !Knob::parse(&format!("{name} \u{0}")).is_err_and(|why| why.contains("no knob")),
                "{name}"
            );
        }
    }
}
