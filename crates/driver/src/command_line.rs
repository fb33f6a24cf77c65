//! The command line, as NUT's drivers have it: first what was said, in its order. What it means
//! is for [`station::config`]. (NUT 2.8.0 drivers/main.c, and `-c`, `-P` of newer ones.)

use lexopt::{Arg, Parser, ValueExt};
use station::config::Statement;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Watch the UPS.
    Run,
    /// `-k`: switch the load off.
    KillPower,
    /// `-d N`: print the data after N polls.
    Dump(u32),
    /// `-h`.
    Help,
    /// `-V`.
    Version,
    /// `-L`: the options, for programs.
    ListOptions,
    /// `-c COMMAND`: tell a running driver something.
    Signal(ControlCommand),
}

/// What a running driver is told by `-c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlCommand {
    /// Read ups.conf again and say what needs a restart.
    Reload,
    /// The same, but exit when something needs a restart.
    ReloadOrExit,
    /// Exit.
    Exit,
}

/// Foreground or background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Background, unless `-D` or `-d` is given.
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
    /// About the configuration, in order.
    pub statements: Vec<Statement>,
    /// Times `-D` was given.
    pub debug: u8,
    /// Times `-q` was given.
    pub quiet: u8,
    /// Foreground or background.
    pub ground: Ground,
    /// `-r`.
    pub chroot: Option<PathBuf>,
    /// `-u`.
    pub user: Option<String>,
    /// `-g`.
    pub group: Option<String>,
    /// `-P`: the process that `-c` means.
    pub pid: Option<i32>,
}

/// A letter of the command line, for help, manual and completions.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// Behind the dash.
    pub letter: char,
    /// What the value is called, where it takes one.
    pub value: Option<&'static str>,
    /// One sentence for users.
    pub about: &'static str,
}

const fn letter(letter: char, value: Option<&'static str>, about: &'static str) -> Letter {
    Letter { letter, value, about }
}

/// Every letter, in the order of the help.
#[rustfmt::skip]
pub const LETTERS: &[Letter] = &[
    letter('a', Some("NAME"),     "use section NAME of ups.conf; a later -x wins over it"),
    letter('s', Some("NAME"),     "use no ups.conf; give the port by -x port=..."),
    letter('x', Some("NAME[=VAL]"), "set an option"),
    letter('k', None,             "turn the load off and exit"),
    letter('d', Some("N"),        "print the data after N polls and exit"),
    letter('i', Some("SECONDS"),  "time between polls"),
    letter('D', None,             "increase verbosity, and stay in the foreground; up to six times, -DDD shows every exchange"),
    letter('q', None,             "decrease verbosity"),
    letter('F', None,             "stay in the foreground (-FF: with a PID file)"),
    letter('B', None,             "go to the background, whatever other options say"),
    letter('r', Some("DIR"),      "change the root directory"),
    letter('u', Some("USER"),     "run as this user, when started as root"),
    letter('g', Some("GROUP"),    "give the socket to this group"),
    letter('c', Some("COMMAND"),  "tell the running driver: reload, reload-or-error, reload-or-exit, exit"),
    letter('P', Some("PID"),      "which process -c means"),
    letter('h', None,             "print this help"),
    letter('V', None,             "print the version"),
    letter('L', None,             "print the options for programs"),
];

impl Default for CommandLine {
    /// Nothing was said.
    fn default() -> CommandLine {
        CommandLine {
            task: Task::Run,
            statements: vec![],
            debug: 0,
            quiet: 0,
            ground: Ground::Default,
            chroot: None,
            user: None,
            group: None,
            pid: None,
        }
    }
}

impl CommandLine {
    /// Reads the arguments behind the program's name.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CommandLine, String> {
        let mut line = CommandLine::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| advice(&error))? {
            match argument {
                Arg::Short(letter) => line.take(letter, &mut parser)?,
                Arg::Long(name) => return Err(format!("unknown option --{name}; try -h")),
                Arg::Value(value) => {
                    return Err(format!(
                        "unexpected argument '{}'; options start with a dash, try -h",
                        value.to_string_lossy()
                    ));
                }
            }
            if matches!(line.task, Task::Help | Task::Version | Task::ListOptions) {
                return Ok(line);
            }
        }
        Ok(line)
    }

    fn take(&mut self, letter: char, parser: &mut Parser) -> Result<(), String> {
        let mut value = || parser.value().and_then(|value| value.string()).map_err(|error| advice(&error));
        match letter {
            'a' => self.statements.push(Statement::Section(value()?)),
            's' => self.statements.push(Statement::NoConfig(value()?)),
            'x' => {
                let text = value()?;
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name.to_string(), Some(value.to_string())),
                    None => (text, None),
                };
                self.statements.push(Statement::Option(name, value));
            }
            'i' => self.statements.push(Statement::Interval(value()?)),
            'D' => self.debug = self.debug.saturating_add(1),
            'q' => self.quiet = self.quiet.saturating_add(1),
            'F' => {
                let again = matches!(self.ground, Ground::Fore { .. });
                self.ground = Ground::Fore { pid_file: again };
            }
            'B' => self.ground = Ground::Back,
            'd' => {
                let text = value()?;
                let count = text.parse().ok().filter(|count| *count > 0);
                self.task = Task::Dump(count.ok_or(format!("-d {text}: write how many polls, 1 or more"))?);
            }
            'k' => self.task = Task::KillPower,
            'h' => self.task = Task::Help,
            'V' => self.task = Task::Version,
            'L' => self.task = Task::ListOptions,
            'c' => self.task = Task::Signal(ControlCommand::parse(&value()?)?),
            'P' => {
                let text = value()?;
                self.pid = Some(text.parse().map_err(|_| format!("-P {text}: write a process number"))?);
            }
            'r' => self.chroot = Some(value()?.into()),
            'u' => self.user = Some(value()?),
            'g' => self.group = Some(value()?),
            other => return Err(format!("unknown option -{other}; try -h")),
        }
        Ok(())
    }
}

impl ControlCommand {
    /// A prefix is enough, as in NUT.
    fn parse(text: &str) -> Result<ControlCommand, String> {
        let all = [
            ("reload", ControlCommand::Reload),
            ("reload-or-error", ControlCommand::Reload),
            ("reload-or-exit", ControlCommand::ReloadOrExit),
            ("exit", ControlCommand::Exit),
        ];
        let found = all.iter().find(|(name, _)| !text.is_empty() && name.starts_with(text));
        found
            .map(|(_, order)| *order)
            .ok_or(format!("-c {text}: write reload, reload-or-error, reload-or-exit or exit"))
    }
}

fn advice(error: &lexopt::Error) -> String {
    format!("{error}; try -h")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CommandLine, String> {
        CommandLine::parse(text.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_are_kept_in_order() {
        let line = parse("-x pollfreq=5 -a ups1 -DDD -xport=/dev/ttyS0 -i 3 -u root -F").unwrap();
        assert_eq!(line.debug, 3);
        assert_eq!(line.ground, Ground::Fore { pid_file: false });
        assert_eq!(
            line.statements,
            [
                Statement::Option("pollfreq".into(), Some("5".into())),
                Statement::Section("ups1".into()),
                Statement::Option("port".into(), Some("/dev/ttyS0".into())),
                Statement::Interval("3".into()),
            ]
        );
    }

    #[test]
    fn every_letter_of_the_table_is_known_and_no_other() {
        for code in b'!'..=b'~' {
            let row = LETTERS.iter().find(|row| row.letter == char::from(code));
            let value = row.and_then(|row| row.value).map(|_| " 1");
            let known = parse(&format!("-{}{}", char::from(code), value.unwrap_or_default()));
            let unknown =
                known.is_err_and(|error| error.contains("unknown option") || error.contains("invalid"));
            assert_eq!(unknown, row.is_none() && code != b'-', "-{}", char::from(code));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("-a", "try -h"),
            ("-z", "unknown option -z"),
            ("--all", "unknown option --all"),
            ("ups1", "unexpected argument 'ups1'"),
            ("-d 0", "1 or more"),
            ("-c frob", "reload"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn orders_may_be_shortened() {
        assert_eq!(parse("-a x -c e").unwrap().task, Task::Signal(ControlCommand::Exit));
        assert_eq!(parse("-a x -c reload-or-exit").unwrap().task, Task::Signal(ControlCommand::ReloadOrExit));
    }
}
