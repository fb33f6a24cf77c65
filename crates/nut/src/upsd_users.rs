//! `upsd.users` (NUT 2.8.0 server/user.c), with additions of ours: hashed passwords, addresses from
//! which a user may come, commands of one UPS.

use crate::words::WordError;
use std::fmt;
use std::net::IpAddr;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsdUsers {
    /// The users, in order.
    pub users: Vec<User>,
    /// The lines that cannot be used, all of them.
    pub wrong: Vec<Wrong>,
}

/// A section `[name]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name; capitals matter, as in upsd.
    pub name: String,
    /// `password`; without one the user can do nothing, as in upsd.
    pub password: Option<Password>,
    /// `actions`, and what `upsmon` stands for.
    pub actions: Vec<Action>,
    /// `instcmds`.
    pub commands: Vec<CommandRight>,
    /// `allowfrom`, ours: where the user may come from. Empty: from anywhere. upsd ignores the line.
    pub allow_from: Vec<Network>,
    /// The line it begins in, from 1.
    pub line: usize,
}

/// A password. Its text for debugging does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// As it is.
    Plain(String),
    /// Ours: a PHC string, `$argon2id$...`.
    Hash(String),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Password::Plain(_) => "Plain(..)",
            Password::Hash(_) => "Hash(..)",
        })
    }
}

/// What `actions` allows. upsd accepts any word there; others than these allow nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// SET VAR.
    Set,
    /// FSD.
    ForceShutdown,
    /// LOGIN.
    Login,
    /// PRIMARY or MASTER: both words mean the same.
    Primary,
    /// Ours: GET and LIST, where upsd.conf asks for a user (LOGIN_TO_READ).
    Read,
}

/// A word of `instcmds`: `name`, `ALL`, or, ours, either with `@ups`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRight {
    /// The command; `None` for all.
    pub command: Option<String>,
    /// The UPS; `None` for any.
    pub ups: Option<String>,
}

/// Addresses: one, or those that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// One of them.
    pub address: IpAddr,
    /// How many bits they share.
    pub bits: u8,
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: usize,
    /// The user whose section it stands in.
    pub user: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no proper words.
    Words(WordError),
}

/// Whether what a client gave is the password of a PHC string. The argument is that string first.
pub type HashCheck<'a> = &'a mut dyn FnMut(&str, &str) -> bool;

impl UpsdUsers {
    /// The user of that name who has a password, as upsd looks for one.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name && user.password.is_some())
    }
}

impl Password {
    /// Whether it is what the client gave.
    pub fn is(&self, given: &str, hash: HashCheck<'_>) -> bool {
        match self {
            Password::Plain(password) => password == given,
            Password::Hash(text) => hash(text, given),
        }
    }
}

impl User {
    /// Whether the user may come from there.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        let _ = address;
        true
    }

    /// Whether the user has an action.
    pub fn may_do(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    /// Whether the user may run a command on a UPS. Neither is compared with case.
    pub fn may_run(&self, command: &str, ups: &str) -> bool {
        let _ = (command, ups);
        false
    }
}

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsdUsers {
    let _ = text;
    UpsdUsers::default()
}
