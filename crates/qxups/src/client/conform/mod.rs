//! `qxups conform`: where a NUT server departs from the protocol, and which client stumbles over it.

mod check;
mod lists;
mod open;
mod probe;
mod reads;
mod segments;
#[cfg(test)]
mod tests;
mod user;

use super::access::{OrderUser, seconds};
use super::json;
use super::place::ServerAddress;
use super::trouble::{ClientTrouble, ExitStatus};
use crate::out;
use check::{Check, CheckResult, Grade};
use clap::Args;
use probe::Probe;
use serde_json::{Value, json};
use std::time::Duration;

/// Its exit statuses: those of all clients, as far as it has them.
const CONFORM_STATUSES: &str = "\
Exit status:
  0  no fault; notes are none
  1  a fault: a client stumbles; or the user who was named may do nothing there
  2  wrong command line
  3  no connection to a NUT server";

#[derive(Args)]
#[command(after_help = CONFORM_STATUSES)]
pub struct Conform {
    /// The server: HOST[:PORT], an IPv6 address in brackets
    server: ServerAddress,
    /// Try this UPS instead of the first that has data
    #[arg(long, value_name = "NAME")]
    ups: Option<String>,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,
    /// Show what was as it should be, too
    #[arg(short, long)]
    verbose: bool,
    /// For programs: every check, its verdict and its source
    #[arg(long)]
    json: bool,
    /// With a user, orders are tried as well: only such that no UPS has, and a LOGIN that is taken back
    #[command(flatten)]
    user: OrderUser,
}

/// All checks, in the order in which they are tried.
fn all() -> impl Iterator<Item = &'static Check> {
    open::CHECKS.iter().chain(reads::CHECKS).chain(lists::CHECKS).chain(segments::CHECKS).chain(user::CHECKS)
}

/// A check and what came of it.
struct Row {
    check: &'static Check,
    verdict: CheckResult,
}

impl Conform {
    /// Only what makes a client stumble is a failure; a note is none.
    ///
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let user = self.user.named()?;
        let probe = Probe::begin(&self.server, self.timeout, self.ups.as_deref(), user)?;
        let rows: Vec<Row> = all().map(|check| Row { check, verdict: check.run(&probe) }).collect();
        let is_refused = user::is_refused(&probe);
        match self.json {
            true => json::print(&as_json(&probe, &rows, is_refused))?,
            false => out::print(&as_text(&probe, &rows, self.verbose))?,
        }
        if is_refused {
            let user = probe.user.as_ref().map_or("", |user| user.user.as_str());
            return Err(ClientTrouble::Said(ExitStatus::Failed, refused(user)));
        }
        let stumbles = rows.iter().any(|row| row.departs() && row.check.grade == Grade::Fault);
        Ok(if stumbles { ExitStatus::Failed } else { ExitStatus::Done })
    }
}

/// Why checks that need a user say little.
fn refused(user: &str) -> String {
    format!(
        "the server refused every order of '{user}': name and password do not fit, or upsd.users gives the user no rights, so what \
         needs a user was not checked; correct them, or leave --user out"
    )
}

impl Row {
    fn departs(&self) -> bool {
        matches!(self.verdict, CheckResult::Departs { .. })
    }

    fn word(&self) -> &'static str {
        match (&self.verdict, self.check.grade) {
            (CheckResult::Good, _) => "good",
            (CheckResult::NotTried(_), _) => "not tried",
            (CheckResult::Departs { .. }, Grade::Fault) => "fault",
            (CheckResult::Departs { .. }, Grade::Note) => "note",
        }
    }

    fn text(&self, verbose: bool) -> String {
        let Check { name, expected, source, breaks, .. } = self.check;
        let head = format!("{:<10}{name}", self.word());
        match &self.verdict {
            CheckResult::Departs { sent, got } => format!(
                "{head}\n    sent      {sent}\n    answered  {got}\n    expected  {expected}\n    \
                 stumbles  {breaks}\n    source    {source}\n"
            ),
            CheckResult::NotTried(why) if verbose => format!("{head}: {why}\n"),
            CheckResult::Good if verbose => format!("{head}\n"),
            _ => String::new(),
        }
    }

    fn json(&self) -> Value {
        let mut value = json!({
            "check": self.check.name,
            "verdict": self.word(),
            "expected": self.check.expected,
            "stumbles": self.check.breaks,
            "source": self.check.source,
        });
        let more = match &self.verdict {
            CheckResult::Departs { sent, got } => vec![("sent", sent), ("answered", got)],
            CheckResult::NotTried(why) => vec![("why", why)],
            CheckResult::Good => vec![],
        };
        for (name, text) in more {
            value[name] = json!(text);
        }
        value
    }
}

fn as_text(probe: &Probe, rows: &[Row], verbose: bool) -> String {
    let ups = probe.ups.as_deref().map_or("no UPS with data".into(), |ups| format!("UPS {ups}"));
    let mut text = format!("{} ({ups}): {}\n", probe.server, probe.version);
    for row in rows {
        text += &row.text(verbose);
    }
    let count = |word: &str| rows.iter().filter(|row| row.word() == word).count();
    let counted = |word: &str| {
        let count = count(word);
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    };
    text + &format!(
        "{} checks: {} good, {}, {}, {} not tried{}\n",
        rows.len(),
        count("good"),
        counted("fault"),
        counted("note"),
        count("not tried"),
        if verbose || count("not tried") == 0 { "" } else { " (-v says why)" },
    )
}

fn as_json(probe: &Probe, rows: &[Row], is_refused: bool) -> Value {
    json!({
        "server": probe.server.to_string(),
        "version": probe.version,
        "ups": probe.ups,
        "user_refused": is_refused,
        "checks": rows.iter().map(Row::json).collect::<Vec<_>>(),
    })
}
