//! What is wrong with a line, and what is to be said about one.

use super::NasProfile;
use crate::words::WordError;
use std::fmt;

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsdUsersError {
    /// Its number, from 1.
    pub line: usize,
    /// The user whose section it stands in.
    pub user: Option<String>,
    /// What is wrong with it.
    pub fault: UpsdUsersFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsdUsersFault {
    /// It has no proper words.
    Words(WordError),
    /// A section without a name; what follows is for no user.
    Nameless,
    /// A second section of that name; what follows is for no user.
    Twice(String),
    /// The words begin with `[` and are no section; what follows is for no user.
    NoSection(String),
    /// The setting of that name stands before the first section, or below one that cannot be used.
    Outside(String),
    /// The setting of that name has no value.
    NoValue(String),
    /// Neither `name = value` nor `upsmon type`; its first word.
    Shape(String),
    /// `upsmon` knows no such type.
    NoType(String),
    /// `allowfrom` has a word that is no address.
    NoAddress(String),
    /// The hash of a password that is not whole: without quotes it ends at its first `=`. The user has
    /// no password.
    NoHash,
    /// `profile` knows no such box.
    NoProfile(String),
    /// A profile stands below another name than the one that its box uses.
    ProfileName(&'static NasProfile),
    /// A profile without `allowfrom`: its password is no secret. The user may come from nowhere.
    ProfileOpen(&'static NasProfile),
}

/// A line that is accepted and has no effect, or another one than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsdUsersRemark {
    /// Its number, from 1.
    pub line: usize,
    /// The user whose section it stands in.
    pub user: Option<String>,
    /// What is to be said about it.
    pub matter: UpsdUsersMatter,
}

/// What is to be said about a line that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsdUsersMatter {
    /// There is no such setting.
    Unknown(String),
    /// A word of `actions` that allows nothing.
    NoAction(String),
    /// A second password, or a further word of one: the first counts.
    PasswordTwice,
    /// A `#` in a password without quotes: what follows it is a comment.
    PasswordCut,
    /// A user without a password, who can do nothing.
    NoPassword,
    /// Name and password are those that every such box has, and the user may come from anywhere.
    KnownPassword(&'static NasProfile),
    /// A line of the form before NUT 2.0, which begins with `user`.
    Former,
}

impl fmt::Display for UpsdUsersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for UpsdUsersRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.matter)
    }
}

impl fmt::Display for UpsdUsersFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsdUsersFault::Words(error) => write!(f, "{error}"),
            UpsdUsersFault::Nameless => f.write_str("the brackets name no user: write [name]"),
            UpsdUsersFault::Twice(name) => {
                write!(f, "there is a section [{name}] above: move its settings there, or name another user")
            }
            UpsdUsersFault::NoSection(text) => {
                write!(f, "'{text}' is no section: write [name], without blanks; what follows is for no user")
            }
            UpsdUsersFault::Outside(name) => {
                write!(f, "'{name}' is for no user: put it below the user's [name]")
            }
            UpsdUsersFault::NoValue(name) => write!(f, "'{name}' has no value: write {name} = value"),
            UpsdUsersFault::Shape(word) => {
                write!(f, "a line that begins with '{word}' has no '=': write {word} = value")
            }
            UpsdUsersFault::NoType(word) => {
                write!(f, "upsmon cannot be '{word}': write upsmon primary or upsmon secondary")
            }
            UpsdUsersFault::NoHash => f.write_str(
                "the hash of the password is not whole: write it in quotes, as 'qxups passwd' prints it",
            ),
            UpsdUsersFault::NoProfile(word) => {
                write!(f, "profile cannot be '{word}': write profile = synology or profile = qnap")
            }
            UpsdUsersFault::ProfileName(profile) => write!(
                f,
                "a NAS with the profile {} logs in as '{}': put the profile below [{}]",
                profile.name, profile.user, profile.user
            ),
            UpsdUsersFault::ProfileOpen(profile) => write!(
                f,
                "every NAS with the profile {} has the same password: write allowfrom with the addresses of yours",
                profile.name
            ),
            UpsdUsersFault::NoAddress(word) => write!(
                f,
                "allowfrom cannot be '{word}': write addresses such as 192.0.2.5, 192.0.2.0/24 or fd00::/8"
            ),
        }
    }
}

impl fmt::Display for UpsdUsersMatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsdUsersMatter::Unknown(name) => {
                write!(f, "'{name}' is no setting of upsd.users: remove the line, or correct the word")
            }
            UpsdUsersMatter::NoAction(word) => {
                write!(f, "the action '{word}' allows nothing: write SET, FSD, LOGIN, PRIMARY or READ")
            }
            UpsdUsersMatter::PasswordTwice => f.write_str(
                "only the first word of the first password counts: put one with blanks in quotes, and \
                 remove the other",
            ),
            UpsdUsersMatter::PasswordCut => f.write_str(
                "the password ends before the #, which begins a comment: put it in quotes and write \\# for #, or put a \
                 blank before the comment",
            ),
            UpsdUsersMatter::NoPassword => {
                f.write_str("the user has no password and can do nothing: write password = \"...\"")
            }
            UpsdUsersMatter::KnownPassword(profile) => write!(
                f,
                "every NAS of the kind {} has this name and password: write allowfrom with the addresses of yours",
                profile.name
            ),
            UpsdUsersMatter::Former => f.write_str(
                "lines that begin with 'user' have no effect since NUT 2.0: write a section [name]",
            ),
        }
    }
}
