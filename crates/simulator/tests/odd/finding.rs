//! What the judge finds.

use qx::vocabulary::moment::Moment;
use std::fmt;

/// Kinds of findings. Shrinking keeps the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An outage, or what shuts machines down, is told too late or never.
    Late(&'static str),
    /// It is told although it is over.
    Stays(&'static str),
    /// It is told and was not so.
    False(&'static str),
    /// Data is stale although the UPS can be read.
    Stale,
    /// Data is fresh although nothing was read.
    Fresh,
    /// The driver has no data although the UPS answers.
    NeverReady,
    /// The driver gives up although the UPS answers.
    GaveUp,
    /// An order is carried out late,
    OrderLate,
    /// twice,
    OrderTwice,
    /// by another unit, or after the link was lost,
    OrderElsewhere,
    /// after its asker was told the end of it,
    OrderAfterAnswer,
    /// or though nobody asked.
    OrderUnasked,
    /// Whoever asked is told nothing.
    OrderUnanswered,
    /// "Done" of what was not obeyed.
    DoneNotDone,
    /// "Failed" of what was obeyed, and in words.
    FailedThoughDone,
    /// The load stays on although it was to be switched off.
    LoadStaysOn,
    /// A value of another unit.
    OtherUnit,
    /// A full battery is told to be empty.
    Charge,
    /// What a named case wants is not so.
    Wrong,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Late(word) => write!(f, "{word} late"),
            Kind::Stays(word) => write!(f, "{word} stays"),
            Kind::False(word) => write!(f, "{word} invented"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: Kind,
    pub at: Moment,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s: {}: {}", self.at.since_start().as_secs_f64(), self.kind, self.text)
    }
}
