//! Users for `upsd.users`, where there is none of their kind, and the line of `upsmon.conf` that is one of them.

use super::PasswordForm;
use super::ask::{Answers, NewPassword};
use super::folder::ConfFolder;
use crate::out::Stop;
use crate::passwd::check_name;
use nut::upsd_users::{AllowedAction, Password, UpsdUsers};
use nut::words::quoted;
use serve::passwords;
use std::path::Path;

/// What adds no user.
const NONE: &str = "-";
/// Where NUT has its own server.
const SERVERS: [&str; 4] = ["/lib/nut/upsd", "/usr/lib/nut/upsd", "/usr/sbin/upsd", "/usr/local/sbin/upsd"];

/// What a user is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserRole {
    /// upsmon, NAS boxes, Home Assistant: logs in, and may say that the UPS is to be switched off at the end.
    Watches,
    /// Sets variables and gives commands.
    Commands,
}

/// A user to add.
#[derive(Clone)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// What the user is for.
    pub role: UserRole,
    /// The password, as clients give it.
    pub password: NewPassword,
    /// The same, as the file has it.
    pub stored: String,
}

impl NewUser {
    /// The section of `upsd.users`.
    pub fn section(&self) -> String {
        let rights = match self.role {
            UserRole::Watches => "    upsmon primary\n",
            UserRole::Commands => "    actions = SET\n    instcmds = ALL\n",
        };
        format!("[{}]\n    password = {}\n{rights}", self.name, quoted(&self.stored))
    }
}

/// A line for `upsmon.conf`.
pub struct NewMonitor {
    /// The UPS that feeds this host.
    pub ups: String,
    /// The user.
    pub user: String,
    /// The password, as it is: upsmon has to give it.
    pub password: String,
}

impl NewMonitor {
    /// The line.
    pub fn line(&self) -> String {
        format!("MONITOR {}@localhost 1 {} {} primary", self.ups, self.user, quoted(&self.password))
    }
}

/// Asks for the users that are missing.
///
/// # Errors
/// The input ended; the file cannot be used.
pub fn choose(
    folder: &ConfFolder,
    form: Option<PasswordForm>,
    answers: &Answers,
) -> Result<Vec<NewUser>, Stop> {
    let there = folder.users();
    let is_there = |role: UserRole| {
        there.users.iter().find(|user| match role {
            UserRole::Watches => user.password.is_some() && user.may_do(AllowedAction::Login),
            UserRole::Commands => {
                user.password.is_some() && (user.may_do(AllowedAction::Set) || !user.commands.is_empty())
            }
        })
    };
    let mut form = form;
    let mut new: Vec<NewUser> = vec![];
    for (role, question, proposed) in [
        (UserRole::Watches, "User for upsmon, NAS boxes and others that only watch", "monitor"),
        (UserRole::Commands, "User who may set and command", "admin"),
    ] {
        if let Some(user) = is_there(role) {
            answers.say(&format!("{question}: upsd.users has {}.", user.name))?;
            continue;
        }
        let check = |name: &str| check_new(name, &there, &new);
        let proposed = free(proposed, check);
        let name = answers.line(&format!("{question} ('{NONE}' for none)"), &proposed, check)?;
        if name == NONE {
            continue;
        }
        let password = answers.password(&name)?;
        let chosen = match form {
            Some(form) => form,
            None => *form.insert(choose_form(answers)?),
        };
        let stored = match chosen {
            PasswordForm::Hashed => passwords::hash(&password.text)?,
            PasswordForm::Plain => password.text.clone(),
        };
        new.push(NewUser { name, role, password, stored });
    }
    Ok(new)
}

/// The proposed name, or the next that is free.
fn free(proposed: &str, check: impl Fn(&str) -> Result<(), String>) -> String {
    let numbered = (2..100).map(|number| format!("{proposed}{number}"));
    let mut names = std::iter::once(proposed.to_string()).chain(numbered);
    names.find(|name| check(name).is_ok()).unwrap_or_else(|| proposed.into())
}

fn check_new(name: &str, there: &UpsdUsers, new: &[NewUser]) -> Result<(), String> {
    if name == NONE {
        return Ok(());
    }
    check_name(name)?;
    let is_taken = there
        .users
        .iter()
        .map(|user| &user.name)
        .chain(new.iter().map(|user| &user.name))
        .any(|known| known == name);
    if is_taken { Err(format!("there is [{name}] already")) } else { Ok(()) }
}

/// NUT's own server reads no hashes; where it is installed, which of the two is meant is asked.
fn choose_form(answers: &Answers) -> Result<PasswordForm, Stop> {
    let is_nuts_own = |path: &&str| {
        let real = Path::new(path).canonicalize().ok();
        real.is_some_and(|real| real.file_name().is_some_and(|name| name != "qxups"))
    };
    let Some(server) = SERVERS.into_iter().find(is_nuts_own) else { return Ok(PasswordForm::Hashed) };
    let question =
        format!("Store passwords hashed, for 'qxups serve' alone? NUT's own {server} reads them plain only.");
    answers.choose(None, &question, PasswordForm::Hashed)
}

/// Asks whether upsmon is to shut this host down.
///
/// # Errors
/// The input ended; the UPS that was named is none, or upsmon is not installed.
pub fn monitor(
    folder: &ConfFolder,
    new: &[NewUser],
    upses: &[String],
    given: Option<String>,
    answers: &Answers,
) -> Result<Option<NewMonitor>, Stop> {
    match (folder.upsmon_watches(), &given) {
        (None, Some(_)) => {
            return Err(
                "upsmon.conf is not there: install upsmon (Debian: nut-client), or leave --upsmon out".into(),
            );
        }
        (Some(true), Some(_)) => {
            return Err("upsmon.conf has a MONITOR already: change it there, or leave --upsmon out".into());
        }
        (None | Some(true), None) => return Ok(None),
        (Some(false), _) => {}
    }
    let Some((user, password)) = who_watches(folder, new) else {
        if given.is_some() {
            let why = match has_watcher(folder) {
                true => {
                    "upsmon gives its password in the clear, and that of the user who watches is known as a hash only: write \
                     MONITOR into upsmon.conf by hand, and leave --upsmon out"
                }
                false => {
                    "upsmon logs in as a user with 'upsmon primary', and upsd.users has none: add one, or leave --upsmon out"
                }
            };
            return Err(why.into());
        }
        answers.say(match has_watcher(folder) {
            true => "upsmon.conf: write MONITOR by hand; the password of its user is known as a hash only.",
            false => "upsmon.conf stays as it is: upsd.users has no user with 'upsmon primary', as whom it could log in.",
        })?;
        return Ok(None);
    };
    let check = |name: &str| match name == NONE || upses.iter().any(|ups| ups == name) {
        true => Ok(()),
        false => Err(format!("write one of {}, or {NONE}", upses.join(", "))),
    };
    let ups = match given {
        Some(given) => check(&given).map(|()| given)?,
        None => answers.line(
            &format!(
                "upsmon shuts this host down when the battery is low of the UPS that feeds it ({}, '{NONE}' for none)",
                upses.join(", ")
            ),
            NONE,
            check,
        )?,
    };
    Ok((ups != NONE).then_some(NewMonitor { ups, user, password }))
}

/// Whether there is a user as whom upsmon can log in.
fn has_watcher(folder: &ConfFolder) -> bool {
    folder.users().users.iter().any(|user| user.password.is_some() && user.may_do(AllowedAction::Primary))
}

/// A user who may log in, with the password as it is.
fn who_watches(folder: &ConfFolder, new: &[NewUser]) -> Option<(String, String)> {
    if let Some(user) = new.iter().find(|user| user.role == UserRole::Watches) {
        return Some((user.name.clone(), user.password.text.clone()));
    }
    folder.users().users.into_iter().filter(|user| user.may_do(AllowedAction::Primary)).find_map(|user| {
        match user.password {
            Some(Password::Plain(password)) => Some((user.name, password)),
            _ => None,
        }
    })
}
