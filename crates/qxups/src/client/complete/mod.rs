//! `qxups complete`, hidden: what can stand next on the command line, from the running server. Shells call it.

pub mod scripts;

use super::access::{AccessOptions, Reach};
use super::connection::NutConnection;
use super::place::{ServerAddress, UpsPlace};
use super::show;
use super::trouble::{ClientTrouble, ExitStatus};
use crate::out;
use clap::{Args, Parser};
use nut::network::client::{Having, NetworkRequest, Values};
use std::time::Duration;

/// Longer than this a completion does not wait for the server.
const PATIENCE: Duration = Duration::from_secs(1);
/// The commands that take the name of a UPS, or several.
const OF_UPSES: [&str; 7] = ["list", "get", "set", "cmd", "log", "watch", "top"];
/// Options of these commands that take a value in the next word.
const WITH_VALUE: [&str; 19] = [
    "--tls",
    "--fingerprint",
    "--ca",
    "--timeout",
    "-u",
    "--user",
    "-p",
    "--password",
    "--password-file",
    "--wait",
    "-i",
    "--interval",
    "-n",
    "--count",
    "-f",
    "--format",
    "-l",
    "--logfile",
    "--variable",
];

#[derive(Args)]
pub struct Complete {
    /// The words behind the name of the program, up to the cursor
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// The options that say how a server is reached, wherever they stand.
#[derive(Parser)]
#[command(ignore_errors = true, disable_help_flag = true)]
struct Reached {
    #[command(flatten)]
    access: AccessOptions,
    #[arg(allow_hyphen_values = true)]
    _others: Vec<String>,
}

impl Complete {
    /// Prints candidates, one a line; whatever goes wrong, there are none.
    ///
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let found = candidates(&self.words).unwrap_or_default();
        let lines: String = found.into_iter().map(|word| word + "\n").collect();
        out::print(&lines)?;
        Ok(ExitStatus::Done)
    }
}

fn candidates(words: &[String]) -> Option<Vec<String>> {
    let (command, arguments) = words.split_first()?;
    let (typed, before) = arguments.split_last()?;
    if !OF_UPSES.contains(&command.as_str()) || typed.starts_with('-') || takes_value(before.last()) {
        return None;
    }
    let reach = reach(before)?;
    let before = positional(before);
    let found = match (command.as_str(), before.split_first()) {
        (_, None) | ("watch" | "top" | "log", _) => upses(typed, &reach)?,
        ("list", Some((_, []))) => {
            ["variables", "writable", "commands", "clients"].map(String::from).to_vec()
        }
        ("get", Some((ups, _))) => names(ups, Having::Variables, &reach)?,
        ("cmd", Some((ups, []))) => names(ups, Having::Commands, &reach)?,
        ("set", Some((ups, _))) => assignments(ups, typed, &reach)?,
        _ => return None,
    };
    Some(found.into_iter().filter(|word| word.starts_with(typed.as_str())).collect())
}

fn takes_value(word: Option<&String>) -> bool {
    word.is_some_and(|word| WITH_VALUE.contains(&word.as_str()) || word == "-V")
}

/// The words that are neither options nor their values.
fn positional(words: &[String]) -> Vec<String> {
    let mut found = vec![];
    let mut is_value = false;
    for word in words {
        let is_option = word.starts_with('-') && word.len() > 1;
        if !is_value && !is_option {
            found.push(word.clone());
        }
        is_value = !is_value && takes_value(Some(word));
    }
    found
}

fn reach(words: &[String]) -> Option<Reach> {
    let line = std::iter::once("complete".to_string()).chain(words.iter().cloned());
    let mut reach = Reached::try_parse_from(line).ok()?.access.reach().ok()?;
    reach.timeout = reach.timeout.min(PATIENCE);
    Some(reach)
}

fn open(server: &ServerAddress, reach: &Reach) -> Option<NutConnection> {
    NutConnection::open(server, reach, None).ok()
}

/// The UPSes of the server that is named so far, as they are written.
fn upses(typed: &str, reach: &Reach) -> Option<Vec<String>> {
    let place: UpsPlace = if typed.is_empty() { "@localhost".parse().ok()? } else { typed.parse().ok()? };
    let items = open(&place.server, reach)?.list(NetworkRequest::ListUps, "").ok()?;
    let behind = typed.split_once('@').map_or(String::new(), |(_, server)| format!("@{server}"));
    Some(show::upses(items).map(|(name, _)| name + &behind).collect())
}

fn names(ups: &str, having: Having, reach: &Reach) -> Option<Vec<String>> {
    let place: UpsPlace = ups.parse().ok()?;
    let items = open(&place.server, reach)?.list(NetworkRequest::List(having, place.ups?), "").ok()?;
    Some(match having {
        Having::Commands => show::commands(items).collect(),
        _ => show::variables(items).map(|(name, _)| name).collect(),
    })
}

/// `VARIABLE=`, and behind it what the variable can be.
fn assignments(ups: &str, typed: &str, reach: &Reach) -> Option<Vec<String>> {
    let Some((variable, _)) = typed.split_once('=') else {
        return Some(names(ups, Having::Writables, reach)?.into_iter().map(|name| name + "=").collect());
    };
    let place: UpsPlace = ups.parse().ok()?;
    let request = NetworkRequest::ListValues(Values::Choices, place.ups?, variable.into());
    let items = open(&place.server, reach)?.list(request, "").ok()?;
    Some(show::choices(items).map(|value| format!("{variable}={value}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_their_values_are_no_positions() {
        let words: Vec<String> = ["--tls", "off", "u@h", "-n", "3", "--json", "x"].map(String::from).to_vec();
        assert_eq!(positional(&words), ["u@h", "x"]);
        let reach = reach(&words).unwrap();
        assert_eq!(reach.tls, nut::network::client::TlsMode::Never);
        assert_eq!(reach.timeout, PATIENCE);
    }

    #[test]
    fn where_nothing_is_known_nothing_is_offered() {
        for words in [
            vec![],
            vec!["cmd"],
            vec!["scan", "x"],
            vec!["cmd", "-"],
            vec!["cmd", "--user", ""],
            vec!["get", "@", "x"],
        ] {
            let words: Vec<String> = words.into_iter().map(String::from).collect();
            assert_eq!(candidates(&words), None, "{words:?}");
        }
    }
}
