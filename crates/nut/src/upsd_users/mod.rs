//! `upsd.users` (NUT 2.8.0 server/user.c), with additions of ours: hashed passwords, addresses from
//! which a user may come, commands of one UPS, profiles of NAS boxes.
//!
//! What upsd uses is used; what has no effect in upsd has none here and is a [`UpsdUsersRemark`]. What is
//! [`UpsdUsersError`] upsd passes over as well, often in silence. One thing is not as in upsd: below a heading
//! such as `[my user]`, or one that occurs a second time, it gives the settings to the user above; here
//! they are for no user.

mod addresses;
mod fault;
mod password;
mod profile;
mod read;
mod rights;
#[cfg(test)]
mod tests;

pub use addresses::Network;
pub use fault::{UpsdUsersError, UpsdUsersFault, UpsdUsersMatter, UpsdUsersRemark};
pub use password::{HashCheck, Password};
pub use profile::{NasProfile, PROFILES};
pub use read::parse;
pub use rights::{AllowedAction, CommandRight};

use std::net::IpAddr;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsdUsers {
    /// The users, in order.
    pub users: Vec<User>,
    /// The lines that cannot be used, all of them.
    pub wrong: Vec<UpsdUsersError>,
    /// The lines that have no effect, or another one than they seem to.
    pub remarks: Vec<UpsdUsersRemark>,
}

/// A section `[name]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name; capitals matter, as in upsd.
    pub name: String,
    /// `password`; without one the user can do nothing, as in upsd.
    pub password: Option<Password>,
    /// `actions`, and what `upsmon` stands for.
    pub actions: Vec<AllowedAction>,
    /// `instcmds`.
    pub commands: Vec<CommandRight>,
    /// `allowfrom`, ours: where the user may come from. Empty: from anywhere. upsd ignores the line.
    pub allow_from: Vec<Network>,
    /// The line it begins in, from 1.
    pub line: usize,
    /// The line of the password, from 1; 0 without one.
    pub password_line: usize,
}

impl UpsdUsers {
    /// The user of that name who has a password, as upsd looks for one.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name && user.password.is_some())
    }
}

impl User {
    /// Whether the user may come from there.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        self.allow_from.is_empty() || self.allow_from.iter().any(|network| network.contains(address))
    }

    /// Whether the user has an action.
    pub fn may_do(&self, action: AllowedAction) -> bool {
        self.actions.contains(&action)
    }

    /// Whether the user may run a command on a UPS. Neither is compared with case.
    pub fn may_run(&self, command: &str, ups: &str) -> bool {
        let fits = |right: &Option<String>, word: &str| {
            right.as_ref().is_none_or(|right| right.eq_ignore_ascii_case(word))
        };
        self.commands.iter().any(|right| fits(&right.command, command) && fits(&right.ups, ups))
    }
}
