//! `upsd.users` (NUT 2.8.0 server/user.c), with additions of ours: hashed passwords, addresses from
//! which a user may come, commands of one UPS, profiles of NAS boxes.
//!
//! What upsd uses is used; what has no effect in upsd has none here and is a [`UpsdUsersRemark`]. What is
//! [`UpsdUsersError`] upsd passes over as well, often in silence. One thing is not as in upsd: below a heading
//! such as `[my user]`, or one that occurs a second time, it gives the settings to the user above; here
//! they are for no user.

use crate::words::{WordError, lines};
use std::fmt;
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
pub enum AllowedAction {
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

/// A NAS box whose client cannot be given another name or password (docs of their makers, and requests
/// seen on the wire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NasProfile {
    /// What stands behind `profile`.
    pub name: &'static str,
    /// The user as whom it logs in.
    pub user: &'static str,
    /// The password that it gives.
    pub password: &'static str,
    /// The UPS that it asks for.
    pub ups: &'static str,
}

/// Every profile there is: each may log in, as a secondary.
pub const PROFILES: [NasProfile; 2] = [
    NasProfile { name: "synology", user: "monuser", password: "secret", ups: "ups" },
    NasProfile { name: "qnap", user: "admin", password: "123456", ups: "qnapups" },
];

/// Addresses: one, or those that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// One of them.
    pub address: IpAddr,
    /// How many bits they share: up to 32 for IPv4, up to 128 for IPv6.
    pub bits: u8,
}

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

/// Whether what a client gave is the password of a PHC string. The argument is that string first.
pub type HashCheck<'a> = &'a mut dyn FnMut(&str, &str) -> bool;

impl UpsdUsers {
    /// The user of that name who has a password, as upsd looks for one.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name && user.password.is_some())
    }
}

impl Password {
    /// Of what stands in the file.
    fn of(text: &str) -> Result<Password, UpsdUsersFault> {
        let Some(rest) = text.strip_prefix("$argon2id$") else { return Ok(Password::Plain(text.into())) };
        // version (may be left out), costs, salt, hash
        let parts: Vec<&str> = rest.split('$').collect();
        let whole = matches!(parts.len(), 3 | 4) && parts.iter().all(|part| !part.is_empty());
        if whole { Ok(Password::Hash(text.into())) } else { Err(UpsdUsersFault::NoHash) }
    }

    /// Whether it is what the client gave. The time that a plain one takes tells nothing but its length.
    pub fn is(&self, given: &str, hash: HashCheck<'_>) -> bool {
        match self {
            Password::Plain(password) => {
                let differ = password.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
                (password.len() == given.len()) & (differ == 0)
            }
            Password::Hash(text) => hash(text, given),
        }
    }
}

impl Network {
    /// Reads `address` or `address/bits`; `localhost` is for its callers.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &&str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => Some(bits).filter(digits)?.parse().ok().filter(|bits| *bits <= most)?,
        };
        Some(Network { address, bits })
    }

    /// Whether the address is one of them. An IPv4 address that came over IPv6 (`::ffff:192.0.2.5`) is
    /// an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u8| {
            let apart = width.saturating_sub(self.bits);
            (a ^ b).checked_shr(apart.into()).unwrap_or(0) == 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
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

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsdUsers {
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.line = line.number;
        let taken = line.words.map_err(UpsdUsersFault::Words).and_then(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if line.is_cut && words.first().is_some_and(|word| word.eq_ignore_ascii_case("password")) {
                reader.remark(UpsdUsersMatter::PasswordCut);
            }
            reader.take(&words)
        });
        if let Err(fault) = taken {
            reader.wrong(fault);
        }
    }
    reader.close_open_profiles();
    reader.file.note_missing_passwords();
    reader.file.note_known_passwords();
    reader.file
}

#[derive(Default)]
struct Reader {
    file: UpsdUsers,
    /// Whether the settings are for the last user.
    inside: bool,
    line: usize,
    /// The profiles: of which user, and in which line.
    profiles: Vec<(usize, usize, &'static NasProfile)>,
}

impl Reader {
    fn take(&mut self, words: &[&str]) -> Result<(), UpsdUsersFault> {
        let [first, rest @ ..] = words else { return Ok(()) };
        if first.eq_ignore_ascii_case("user") {
            self.remark(UpsdUsersMatter::Former);
            return Ok(());
        }
        // "name=value" in quotes
        if let Some((name, value)) = first.split_once('=').filter(|(name, _)| !name.is_empty()) {
            return self.set(name, std::iter::once(value).chain(rest.iter().copied()));
        }
        if let Some(name) = first.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            return self.begin(name);
        }
        if first.starts_with('[') {
            self.inside = false;
            return Err(UpsdUsersFault::NoSection(words.join(" ")));
        }
        match rest {
            ["=", values @ ..] if !values.is_empty() => self.set(first, values.iter().copied()),
            [] | ["="] => Err(UpsdUsersFault::NoValue((*first).into())),
            [kind, ..] if first.eq_ignore_ascii_case("upsmon") => self.set(first, std::iter::once(*kind)),
            _ => Err(UpsdUsersFault::Shape((*first).into())),
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), UpsdUsersFault> {
        self.inside = false;
        if name.is_empty() {
            return Err(UpsdUsersFault::Nameless);
        }
        if self.file.users.iter().any(|user| user.name == name) {
            return Err(UpsdUsersFault::Twice(name.into()));
        }
        self.inside = true;
        let user = User {
            name: name.into(),
            password: None,
            actions: vec![],
            commands: vec![],
            allow_from: vec![],
            line: self.line,
            password_line: 0,
        };
        self.file.users.push(user);
        Ok(())
    }

    fn set<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) -> Result<(), UpsdUsersFault> {
        let inside = self.inside;
        let at = self.file.users.len().saturating_sub(1);
        let user = self.file.users.last_mut().filter(|_| inside);
        let user = user.ok_or_else(|| UpsdUsersFault::Outside(name.into()))?;
        if name.eq_ignore_ascii_case("profile") {
            for value in values {
                self.profiles.push((at, self.line, user.take_profile(value)?));
                if user.password_line == 0 {
                    user.password_line = self.line;
                }
            }
            return Ok(());
        }
        let mut matters = vec![];
        // after a fault the further words are none: '=' is no password
        let done = values
            .map(|value| user.take(name, value))
            .try_for_each(|taken| taken.map(|matter| matters.extend(matter)));
        if user.password.is_some() && user.password_line == 0 {
            user.password_line = self.line;
        }
        matters.dedup();
        matters.into_iter().for_each(|matter| self.remark(matter));
        done
    }

    /// A profile without addresses lets no client in.
    fn close_open_profiles(&mut self) {
        for (at, line, profile) in std::mem::take(&mut self.profiles) {
            let Some(user) = self.file.users.get_mut(at).filter(|user| user.allow_from.is_empty()) else {
                continue;
            };
            user.allow_from.push(NOWHERE);
            let wrong = UpsdUsersError {
                line,
                user: Some(user.name.clone()),
                fault: UpsdUsersFault::ProfileOpen(profile),
            };
            self.file.wrong.push(wrong);
        }
        self.file.wrong.sort_by_key(|wrong| wrong.line);
    }

    /// The name of the user whose section this is.
    fn user(&self) -> Option<String> {
        let inside = self.inside;
        self.file.users.last().filter(|_| inside).map(|user| user.name.clone())
    }

    fn wrong(&mut self, fault: UpsdUsersFault) {
        let wrong = UpsdUsersError { line: self.line, user: self.user(), fault };
        self.file.wrong.push(wrong);
    }

    fn remark(&mut self, matter: UpsdUsersMatter) {
        let remark = UpsdUsersRemark { line: self.line, user: self.user(), matter };
        self.file.remarks.push(remark);
    }
}

impl UpsdUsers {
    fn note_missing_passwords(&mut self) {
        let without = self.users.iter().filter(|user| user.password.is_none());
        self.remarks.extend(without.map(|user| UpsdUsersRemark {
            line: user.line,
            user: Some(user.name.clone()),
            matter: UpsdUsersMatter::NoPassword,
        }));
    }
}

impl UpsdUsers {
    fn note_known_passwords(&mut self) {
        for user in self.users.iter().filter(|user| user.allow_from.is_empty()) {
            let known = PROFILES.iter().find(|profile| {
                let password = Password::Plain(profile.password.into());
                profile.user == user.name && user.password == Some(password)
            });
            self.remarks.extend(known.map(|profile| UpsdUsersRemark {
                line: user.line,
                user: Some(user.name.clone()),
                matter: UpsdUsersMatter::KnownPassword(profile),
            }));
        }
    }
}

impl User {
    /// Takes a profile: its password, unless there is one, and LOGIN.
    fn take_profile(&mut self, name: &str) -> Result<&'static NasProfile, UpsdUsersFault> {
        let profile = PROFILES.iter().find(|profile| profile.name.eq_ignore_ascii_case(name));
        let profile = profile.ok_or_else(|| UpsdUsersFault::NoProfile(name.into()))?;
        if self.name != profile.user {
            return Err(UpsdUsersFault::ProfileName(profile));
        }
        self.password.get_or_insert_with(|| Password::Plain(profile.password.into()));
        self.actions.push(AllowedAction::Login);
        Ok(profile)
    }

    /// Takes one value of a setting.
    fn take(&mut self, name: &str, value: &str) -> Result<Option<UpsdUsersMatter>, UpsdUsersFault> {
        let is = |word: &str| name.eq_ignore_ascii_case(word);
        if is("password") {
            if self.password.is_some() {
                return Ok(Some(UpsdUsersMatter::PasswordTwice));
            }
            self.password = Some(Password::of(value)?);
        } else if is("instcmds") {
            self.commands.push(CommandRight::of(value));
        } else if is("actions") {
            match AllowedAction::of(value) {
                Some(action) => self.actions.push(action),
                None => return Ok(Some(UpsdUsersMatter::NoAction(value.into()))),
            }
        } else if is("allowfrom") {
            let networks = addresses(value);
            self.allow_from.extend(networks.as_deref().unwrap_or(&[NOWHERE]));
            networks?;
        } else if is("upsmon") {
            self.actions.extend_from_slice(upsmon(value)?);
        } else {
            return Ok(Some(UpsdUsersMatter::Unknown(name.into())));
        }
        Ok(None)
    }
}

/// No client comes from here: a user whose addresses cannot be read may not come from everywhere.
const NOWHERE: Network = Network { address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), bits: 32 };

/// What a word of `allowfrom` stands for.
fn addresses(word: &str) -> Result<Vec<Network>, UpsdUsersFault> {
    let words: &[&str] =
        if word.eq_ignore_ascii_case("localhost") { &["127.0.0.0/8", "::1"] } else { &[word] };
    let networks: Option<Vec<Network>> = words.iter().map(|word| Network::parse(word)).collect();
    networks.ok_or_else(|| UpsdUsersFault::NoAddress(word.into()))
}

/// What `upsmon` stands for (NUT 2.8.0 server/user.c).
fn upsmon(kind: &str) -> Result<&'static [AllowedAction], UpsdUsersFault> {
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    if is("primary") || is("master") {
        Ok(&[AllowedAction::Login, AllowedAction::Primary, AllowedAction::ForceShutdown])
    } else if is("secondary") || is("slave") {
        Ok(&[AllowedAction::Login])
    } else {
        Err(UpsdUsersFault::NoType(kind.into()))
    }
}

impl AllowedAction {
    fn of(word: &str) -> Option<AllowedAction> {
        let actions = [
            ("SET", AllowedAction::Set),
            ("FSD", AllowedAction::ForceShutdown),
            ("LOGIN", AllowedAction::Login),
            ("PRIMARY", AllowedAction::Primary),
            ("MASTER", AllowedAction::Primary),
            ("READ", AllowedAction::Read),
        ];
        actions.into_iter().find(|(text, _)| word.eq_ignore_ascii_case(text)).map(|(_, action)| action)
    }
}

impl CommandRight {
    fn of(word: &str) -> CommandRight {
        let (command, ups) = match word.split_once('@') {
            Some((command, ups)) => (command, Some(ups.to_string())),
            None => (word, None),
        };
        let command = (!command.eq_ignore_ascii_case("ALL")).then(|| command.to_string());
        CommandRight { command, ups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> Option<Password> {
        Some(Password::Plain(text.into()))
    }

    fn no_hash(_: &str, _: &str) -> bool {
        panic!("a plain password is no hash")
    }

    /// Debian's own file, and what the manual page shows.
    #[test]
    fn a_file_is_read() {
        let text = b"[admin]\n\tpassword = mypass\n\tactions = SET\n\tactions = FSD\n\tinstcmds = ALL\n\
            [pfy]\n password = duh\n instcmds = test.panel.start test.panel.stop\n\
            [upswired]\npassword=\"blah blah\"\nupsmon primary\n[observer]\npassword = abcd\nupsmon = slave\n";
        let file = parse(text);
        assert_eq!((&file.wrong[..], &file.remarks[..]), (&[][..], &[][..]));
        let [admin, pfy, upswired, observer] = &file.users[..] else { panic!("{file:?}") };
        assert_eq!(admin.password, plain("mypass"));
        assert_eq!(admin.actions, [AllowedAction::Set, AllowedAction::ForceShutdown]);
        assert!(admin.may_run("load.off", "any") && !admin.may_do(AllowedAction::Login));
        assert!(pfy.may_run("Test.Panel.STOP", "any") && !pfy.may_run("load.off", "any"));
        assert_eq!(upswired.password, plain("blah blah"));
        assert_eq!(
            upswired.actions,
            [AllowedAction::Login, AllowedAction::Primary, AllowedAction::ForceShutdown]
        );
        assert_eq!((observer.line, &observer.actions[..]), (12, &[AllowedAction::Login][..]));
        assert!(file.user("Admin").is_none(), "capitals matter");
    }

    #[test]
    fn what_is_ours_is_read() {
        let text = b"[a]\npassword = \"$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA\"\n\
            instcmds = test.battery.start@myups ALL@other\nallowfrom = 192.0.2.0/24 fd00::/8 localhost\n\
            actions = read\n";
        let file = parse(text);
        assert_eq!(file.wrong, []);
        let user = file.user("a").unwrap();
        let mut seen = vec![];
        let password = user.password.as_ref().unwrap();
        let mut check = |hash: &str, given: &str| {
            seen.push((hash.to_string(), given.to_string()));
            given == "right"
        };
        assert!(password.is("right", &mut check) && !password.is("wrong", &mut check));
        assert_eq!(seen[0].0, "$argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA");
        for (command, ups, may) in [
            ("test.battery.start", "MyUPS", true),
            ("test.battery.start", "third", false),
            ("load.off", "myups", false),
            ("load.off", "other", true),
        ] {
            assert_eq!(user.may_run(command, ups), may, "{command} {ups}");
        }
        for (address, may) in [
            ("192.0.2.0", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("::ffff:192.0.2.7", true),
            ("fd00::1", true),
            ("fdff::1", true),
            ("fe00::1", false),
            ("127.1.2.3", true),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(user.may_come_from(address.parse().unwrap()), may, "{address}");
        }
        assert!(user.may_do(AllowedAction::Read) && !format!("{file:?}").contains("argon2id"));
    }

    #[test]
    fn a_password_is_compared_whole() {
        let password = Password::Plain("secret".into());
        for (given, is) in
            [("secret", true), ("Secret", false), ("secre", false), ("secrets", false), ("", false)]
        {
            assert_eq!(password.is(given, &mut no_hash), is, "{given}");
        }
        assert!(Password::Plain(String::new()).is("", &mut no_hash));
    }

    #[test]
    fn networks_are_read_or_refused() {
        for (text, fits, does_not) in [
            ("0.0.0.0/0", Some("8.8.8.8"), Some("::1")),
            ("::/0", Some("::1"), Some("8.8.8.8")),
            ("192.0.2.5", Some("192.0.2.5"), Some("192.0.2.4")),
            ("192.0.2.5/31", Some("192.0.2.4"), Some("192.0.2.6")),
            ("2001:db8::1", Some("2001:db8::1"), Some("2001:db8::2")),
        ] {
            let network = Network::parse(text).unwrap();
            assert!(fits.is_none_or(|address| network.contains(address.parse().unwrap())), "{text}");
            assert!(!does_not.is_some_and(|address| network.contains(address.parse().unwrap())), "{text}");
        }
        for text in ["", "a", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "::/129", "1.2.3.4/-1"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    /// Everything at once, each with its line and what to do.
    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text = b"password = a\n[a]\npassword b\npassword\npassword =\nupsmon admin\n[my user]\n\
            password = c\n[]\npassword = d\n[a]\npassword = e\n[b]\npassword = \"f#g\"\nallowfrom = host\n\
            [c]\npassword = $argon2id$v=19$m=4096,t=3,p=1$c2FsdA$aGFzaA\n";
        let file = parse(text);
        let said: Vec<String> = file.wrong.iter().map(ToString::to_string).collect();
        let expected = [
            "line 1: 'password' is for no user: put it below the user's [name]",
            "line 3: a line that begins with 'password' has no '=': write password = value",
            "line 4: 'password' has no value: write password = value",
            "line 5: 'password' has no value: write password = value",
            "line 6: upsmon cannot be 'admin': write upsmon primary or upsmon secondary",
            "line 7: '[my user]' is no section: write [name], without blanks; what follows is for no user",
            "line 8: 'password' is for no user: put it below the user's [name]",
            "line 9: the brackets name no user: write [name]",
            "line 10: 'password' is for no user: put it below the user's [name]",
            "line 11: there is a section [a] above: move its settings there, or name another user",
            "line 12: 'password' is for no user: put it below the user's [name]",
            "line 14: a # inside of quotes: close the quotes before it, or write \\#",
            "line 15: allowfrom cannot be 'host': write addresses such as 192.0.2.5, 192.0.2.0/24 or fd00::/8",
            "line 17: the hash of the password is not whole: write it in quotes, as 'qxups passwd' prints it",
        ];
        assert_eq!(said, expected);
        assert_eq!(file.wrong[1].user.as_deref(), Some("a"));
        assert!(file.users.iter().all(|user| user.password.is_none()));
        assert!(!file.users[1].may_come_from("127.0.0.1".parse().unwrap()), "not from everywhere");
    }

    #[test]
    fn what_upsd_accepts_is_accepted() {
        let text = b"[a]\npassword = b c\npassword = d\nactions = SET frob\ncolour = red\nuser x y\n[e] f\n\
            \"password=g\"\nupsmon primary x\n";
        let file = parse(text);
        assert_eq!(file.wrong, []);
        assert_eq!(file.users[0].password, plain("b"));
        assert_eq!(file.users[0].actions, [AllowedAction::Set]);
        assert_eq!(file.users[1].password, plain("g"));
        let said: Vec<_> = file.remarks.iter().map(|remark| (remark.line, remark.matter.clone())).collect();
        let expected = [
            (2, UpsdUsersMatter::PasswordTwice),
            (3, UpsdUsersMatter::PasswordTwice),
            (4, UpsdUsersMatter::NoAction("frob".into())),
            (5, UpsdUsersMatter::Unknown("colour".into())),
            (6, UpsdUsersMatter::Former),
        ];
        assert_eq!(said, expected);
        assert_eq!(file.users.iter().map(|user| user.password_line).collect::<Vec<_>>(), [2, 8]);
        assert_eq!(parse(b"[a]\n").remarks[0].matter, UpsdUsersMatter::NoPassword);
    }

    /// Found by a review: the password was `geh`, without a word.
    #[test]
    fn a_comment_in_a_password_is_remarked_upon() {
        let matters = |text: &str| {
            let file = parse(format!("[a]\n{text}\nactions = SET#x\n").as_bytes());
            let said =
                file.remarks.iter().map(|remark| (remark.line, remark.matter.clone())).collect::<Vec<_>>();
            (file.users[0].password.clone(), said)
        };
        assert_eq!(matters("password = geh#eim"), (plain("geh"), vec![(2, UpsdUsersMatter::PasswordCut)]));
        for (text, password) in [("Password = geh # eim", "geh"), ("password = \"geh\\#eim\"", "geh#eim")] {
            assert_eq!(matters(text), (plain(password), vec![]), "{text}");
        }
    }

    #[test]
    fn profiles_of_nas_boxes_let_in_only_from_named_addresses() {
        let text = b"[monuser]\nprofile = Synology\nallowfrom = 192.0.2.7\n[admin]\nprofile = qnap\n\
            [other]\nprofile = qnap\nprofile = dlink\n";
        let file = parse(text);
        let [synology, qnap, other] = &file.users[..] else { panic!("{file:?}") };
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(
            (&synology.password, &synology.actions[..]),
            (&plain("secret"), &[AllowedAction::Login][..])
        );
        assert!(
            synology.may_come_from(address("192.0.2.7")) && !synology.may_come_from(address("192.0.2.8"))
        );
        assert_eq!((&qnap.password, qnap.may_come_from(address("127.0.0.1"))), (&plain("123456"), false));
        assert_eq!((&other.password, &other.actions[..]), (&None, &[][..]));
        let said: Vec<String> = file.wrong.iter().map(ToString::to_string).collect();
        let expected = [
            "line 5: every NAS with the profile qnap has the same password: write allowfrom with the addresses of yours",
            "line 7: a NAS with the profile qnap logs in as 'admin': put the profile below [admin]",
            "line 8: profile cannot be 'dlink': write profile = synology or profile = qnap",
        ];
        assert_eq!(said, expected);
    }

    /// upsd accepts it, so it is no fault.
    #[test]
    fn a_password_that_every_box_has_is_remarked_upon() {
        let known = |text: &[u8]| parse(text).remarks.iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = "line 1: every NAS of the kind synology has this name and password: write allowfrom with the \
                        addresses of yours";
        let monuser = |rest: &str| format!("[monuser]\npassword = {rest}\nupsmon secondary\n");
        assert_eq!(known(monuser("secret").as_bytes()), [expected]);
        assert_eq!(known(monuser("other").as_bytes()), [""; 0]);
        assert_eq!(known(monuser("secret\nallowfrom = ::1").as_bytes()), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn anything_like_a_file_is_read(text in "((password|actions|instcmds|allowfrom|upsmon|profile|\\[a\\]|\\[b)?[= \"#a-c/.1:]{0,9}\n){0,9}") {
            let file = parse(text.as_bytes());
            for user in file.users {
                let _ = user.may_come_from(IpAddr::from([127, 0, 0, 1]));
            }
        }
    }
}
