//! `qxups passwd`: the hash of a password for upsd.users, printed or written there.

mod edit;
mod file;
pub mod terminal;

pub use edit::check_name;

use crate::out::{Stop, print, tell};
use clap::Args;
use nut::words::{quoted, words};
use serve::passwords;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

/// No line of a pipe is longer, in bytes.
const LONGEST: u64 = 4096;
/// What a client of NUT 2.8.0 cannot send in a password: it writes the word as it is, without quotes.
const NOT_SENT: &str = " \"\\#=";

/// The options of `qxups passwd`.
#[derive(Args)]
pub struct Passwd {
    /// The upsd.users to change; left out: the line for it is printed
    #[arg(requires = "user")]
    file: Option<PathBuf>,
    /// The user in it whose password it is; added at its end when there is no such user
    user: Option<String>,
}

impl Passwd {
    /// Asks for a password and makes its hash.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let target = self.file.zip(self.user);
        if let Some((path, user)) = &target {
            // what would fail is said before a password is typed
            file::check_kind(path, b"")?;
            file::read(path).and_then(|file| {
                file::check_kind(path, &file.text)?;
                edit::with_password(&file.text, user, "x").map(drop)
            })?;
        }
        let password = password()?;
        check(&password)?;
        let hash = passwords::hash(&password)?;
        match target {
            None => print(&format!("{}\n", edit::line(&hash)))?,
            Some((path, user)) => {
                let is_new = file::change(&path, |text| edit::with_password(text, &user, &hash))?;
                let what = if is_new {
                    "added, and may do nothing yet: add actions or upsmon to it"
                } else {
                    "changed"
                };
                tell(format_args!(
                    "{}: [{user}] is {what}. 'qxups reload' has a server use it",
                    path.display()
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Twice from a terminal, else one line.
fn password() -> Result<String, String> {
    if std::io::stdin().is_terminal() {
        let (first, second) = (terminal::ask("Password: ")?, terminal::ask("Once more: ")?);
        return if first == second { Ok(first) } else { Err("the two differ; try again".into()) };
    }
    let mut bytes = vec![];
    let read = std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec()).map_err(|_| NO_WORD.into())
}

const NO_WORD: &str = "the protocol of NUT carries passwords of printable ASCII characters, at most 512 of them; choose another";

/// Whether clients can give it.
fn check(password: &str) -> Result<(), String> {
    if password.is_empty() {
        return Err("an empty password protects nothing; choose another".into());
    }
    if words(quoted(password).as_bytes()).ok() != Some(vec![password.to_string()]) {
        return Err(NO_WORD.into());
    }
    if password.contains(|letter| NOT_SENT.contains(letter)) {
        tell(
            "clients of NUT 2.8.0 do not send blanks, quotes, \\, # and = in a password as they are, and in upsmon.conf it has to stand in quotes, with \\ before each quote, \\ and #: a password without them works everywhere",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_what_the_protocol_carries() {
        let longest = "x".repeat(512);
        for good in ["x", "a b", "\"\\#=", longest.as_str()] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "\u{fc}ber", "a\tb", &"x".repeat(513)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
