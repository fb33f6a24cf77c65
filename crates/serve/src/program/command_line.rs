//! The command line of upsd(8).

use crate::listener::Family;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::path::PathBuf;

/// What the program is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Serve.
    Run,
    /// `-c COMMAND`: tell a running server something.
    Signal(ControlCommand),
    /// `-h`.
    Help,
    /// `-V`.
    Version,
}

/// What a running server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlCommand {
    /// Read the configuration again.
    Reload,
    /// Exit.
    Stop,
}

/// Foreground or background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// Background, unless `-D` is given.
    #[default]
    Default,
    /// `-F`: foreground; `-FF` with a PID file.
    Fore {
        /// Whether a PID file is written.
        pid_file: bool,
    },
    /// `-B`: background whatever else is said.
    Back,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// What to do.
    pub task: Task,
    /// Times `-D` was given.
    pub debug: u8,
    /// Times `-q` was given.
    pub quiet: u8,
    /// Foreground or background.
    pub ground: Ground,
    /// `-4`, `-6`.
    pub family: Family,
    /// `-r`.
    pub chroot: Option<PathBuf>,
    /// `-u`.
    pub user: Option<String>,
    /// `-P`: the process that `-c` means.
    pub pid: Option<i32>,
}

impl Default for CommandLine {
    fn default() -> CommandLine {
        CommandLine {
            task: Task::Run,
            debug: 0,
            quiet: 0,
            ground: Ground::Default,
            family: Family::Any,
            chroot: None,
            user: None,
            pid: None,
        }
    }
}

/// What `-h` says of the options.
pub(super) const HELP: &str = "\
usage: upsd [options]

  -c COMMAND  send a command to the server that runs: reload or stop
  -P PID      send it to this process instead of the one in the PID file
  -D          more log, and stay in the foreground; may be given again
  -F          stay in the foreground; -FF with a PID file
  -B          go to the background in any case
  -4          listen on IPv4 only
  -6          listen on IPv6 only
  -q          less log; may be given again
  -r DIR      change the root directory
  -u USER     become this user, if started as root
  -V          print the version
  -h          print this help

Every UPS of ups.conf is served: those of nutdrv_qx, blazer_ser and blazer_usb are driven here, those of other
drivers are taken from their sockets. Where to listen stands in upsd.conf, users stand in upsd.users.
";

impl CommandLine {
    /// Reads the words behind the name of the program.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<CommandLine, String> {
        let (mut line, mut parser) = (CommandLine::default(), Parser::from_args(words));
        let said = |error: lexopt::Error| format!("{error}; see upsd -h");
        while let Some(arg) = parser.next().map_err(said)? {
            match arg {
                Arg::Short('c') => {
                    line.task =
                        Task::Signal(order(&parser.value().and_then(|value| value.string()).map_err(said)?)?);
                }
                Arg::Short('P') => {
                    line.pid = Some(pid(&parser.value().and_then(|value| value.string()).map_err(said)?)?)
                }
                Arg::Short('D') => line.debug = line.debug.saturating_add(1),
                Arg::Short('q') => line.quiet = line.quiet.saturating_add(1),
                Arg::Short('F') => {
                    line.ground = Ground::Fore { pid_file: matches!(line.ground, Ground::Fore { .. }) };
                }
                Arg::Short('B') => line.ground = Ground::Back,
                Arg::Short('4') => line.family = Family::V4,
                Arg::Short('6') => line.family = Family::V6,
                Arg::Short('r') => line.chroot = Some(parser.value().map_err(said)?.into()),
                Arg::Short('u') => {
                    line.user = Some(parser.value().and_then(|value| value.string()).map_err(said)?);
                }
                // the first of these ends the line, as in upsd
                Arg::Short('V') => return Ok(CommandLine { task: Task::Version, ..line }),
                Arg::Short('h') => return Ok(CommandLine { task: Task::Help, ..line }),
                Arg::Short(letter @ ('i' | 'p')) => {
                    return Err(format!("-{letter} is of a former NUT: write LISTEN in upsd.conf"));
                }
                other => return Err(said(other.unexpected())),
            }
        }
        Ok(line)
    }
}

/// upsd takes any beginning of a command's name.
fn order(text: &str) -> Result<ControlCommand, String> {
    let orders = [("reload", ControlCommand::Reload), ("stop", ControlCommand::Stop)];
    let known = orders.into_iter().find(|(name, _)| !text.is_empty() && name.starts_with(text));
    known.map(|(_, order)| order).ok_or_else(|| format!("-c {text}: write reload or stop"))
}

fn pid(text: &str) -> Result<i32, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|pid| *pid > 0)
        .ok_or_else(|| format!("-P {text}: write the number of a process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CommandLine, String> {
        CommandLine::parse(text.split_whitespace().map(OsString::from))
    }

    #[test]
    fn upsd_s_options_are_taken() {
        let line = parse("-DDq -4 -u nut -r /srv/jail -FF").unwrap();
        assert_eq!((line.debug, line.quiet, line.family), (2, 1, Family::V4));
        assert_eq!((line.user.as_deref(), line.chroot), (Some("nut"), Some("/srv/jail".into())));
        assert_eq!(line.ground, Ground::Fore { pid_file: true });
        assert_eq!(parse("-F").unwrap().ground, Ground::Fore { pid_file: false });
        assert_eq!(parse("-D -B").unwrap().ground, Ground::Back);
        for (text, task) in [
            ("-c reload", Task::Signal(ControlCommand::Reload)),
            ("-c r -P 17", Task::Signal(ControlCommand::Reload)),
            ("-cstop", Task::Signal(ControlCommand::Stop)),
            ("-V -c nonsense", Task::Version),
            ("-h", Task::Help),
            ("", Task::Run),
        ] {
            assert_eq!(parse(text).unwrap().task, task, "{text}");
        }
        assert_eq!(parse("-P 17 -c stop").unwrap().pid, Some(17));
        for wrong in ["-c frob", "-c", "-P 0", "-P x", "-i 127.0.0.1", "-p 3493", "-Z", "word", "--long"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
