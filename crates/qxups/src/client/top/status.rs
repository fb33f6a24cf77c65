//! The words of `ups.status`: how loud each is, and what it says in plain words.

/// How much a word wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing is wrong.
    Well,
    /// It is so, and neither good nor bad.
    Plain,
    /// It should be looked at.
    Warning,
    /// The load is in danger, or off.
    Danger,
}

/// Each word (NUT docs/new-drivers.txt, "ups.status"), its tone, and what it says.
const WORDS: [(&str, Tone, &str); 20] = [
    ("OL", Tone::Well, "on mains"),
    ("OB", Tone::Warning, "on battery"),
    ("LB", Tone::Danger, "battery low"),
    ("HB", Tone::Plain, "battery high"),
    ("RB", Tone::Danger, "replace the battery"),
    ("CHRG", Tone::Plain, "charging"),
    ("DISCHRG", Tone::Warning, "discharging"),
    ("BYPASS", Tone::Warning, "bypass: no battery behind the load"),
    ("CAL", Tone::Warning, "calibrating the runtime"),
    ("OFF", Tone::Danger, "the load is off"),
    ("OVER", Tone::Danger, "overloaded"),
    ("TRIM", Tone::Plain, "lowering mains voltage"),
    ("BOOST", Tone::Plain, "raising mains voltage"),
    ("FSD", Tone::Danger, "forced shutdown: hosts halt"),
    ("ALARM", Tone::Danger, "alarm"),
    ("ECO", Tone::Plain, "economy mode"),
    ("TEST", Tone::Warning, "testing the battery"),
    ("WAIT", Tone::Plain, "the driver has not read it yet"),
    ("COMM", Tone::Plain, "communicating"),
    ("NOCOMM", Tone::Danger, "no communication"),
];

/// The tone of a word; of one that is not known, plain.
pub fn tone(word: &str) -> Tone {
    WORDS.iter().find(|(known, ..)| *known == word).map_or(Tone::Plain, |(_, tone, _)| *tone)
}

/// A status in plain words; what is not known stands as it is.
pub fn plain(status: &str) -> String {
    let words = status
        .split_whitespace()
        .map(|word| WORDS.iter().find(|(known, ..)| *known == word).map_or(word, |(_, _, plain)| plain));
    words.collect::<Vec<_>>().join(", ")
}
