//! The file, line by line.

use super::addresses::{NOWHERE, addresses};
use super::rights::upsmon;
use super::{
    AllowedAction, CommandRight, NasProfile, PROFILES, Password, UpsdUsers, UpsdUsersError, UpsdUsersFault,
    UpsdUsersMatter, UpsdUsersRemark, User,
};
use crate::words::lines;

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
