//! Conditions under which something is asked, offered or allowed.

use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::Var;

/// A condition under which something is asked, offered or allowed.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// No condition.
    Always,
    /// The option is given.
    With(Flag),
    /// The option is not given.
    Without(Flag),
    /// The UPS says something of the variable.
    Known(&'static Var),
    /// It says nothing of the variable.
    Unknown(&'static Var),
    /// It says one of these.
    Is(&'static Var, &'static [&'static str]),
    /// It says something else.
    IsNot(&'static Var, &'static [&'static str]),
    /// Its status has this word.
    Has(Status),
    /// All of these hold.
    Both(&'static [When]),
}
