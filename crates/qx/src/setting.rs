//! Settings: variables that can be written.

use crate::command::{NotAllowed, seconds_between};
use crate::variable::Var;

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
}

impl Delay {
    /// The seconds that `text` asks for, rounded.
    ///
    /// # Errors
    /// [`NotAllowed`] when it is not a number or out of range.
    pub fn check(&self, text: &str) -> Result<u32, NotAllowed> {
        seconds_between(text, self.least, self.most).map(|seconds| self.rounding.apply(seconds))
    }
}
