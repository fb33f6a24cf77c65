//! The log: to the terminal or systemd's journal, or to the system log once the driver is in the
//! background.
//!
//! Debug levels, as many as `-D` was given (NUT has six): 1 what happens, 2 what changes, 3 every
//! question and reply, 4 how long a reply took, 5 what clients of the driver socket ask, 6 how long
//! the session waits. Without any: one line for each change of state, none for a reply that failed.

use crate::outlet::{Lines, StandardStream, SystemLog};
use nix::sys::stat::fstat;
use qx::device::LogLevel;
use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Where is said what happens to one UPS, or to a process.
#[derive(Clone, Debug)]
pub struct Log {
    /// Where lines go; none for a log that says nothing. All the UPSes of a process share it.
    sink: Option<Rc<Sink>>,
    /// What each line begins with: the name of the UPS, in a process with several.
    ups: Option<Rc<str>>,
}

/// What the logs of a process share.
#[derive(Debug)]
struct Sink {
    /// How many times `-D` was given, or `debug_min`.
    debug: u8,
    /// How many times `-q` was given.
    quiet: u8,
    outlet: Cell<Outlet>,
    error: Lines,
    system: SystemLog,
    /// The name that the program was called by.
    program: String,
    started: Instant,
}

/// How bad it is (syslog(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Priority {
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}

/// Where the lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlet {
    /// A terminal or a file.
    Terminal,
    /// systemd's journal: it has the time, and takes the severity from the front of a line.
    Journal,
    /// The system log.
    System,
}

impl Outlet {
    /// Where standard error goes.
    fn of_standard_error() -> Outlet {
        let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        let stream = fstat(std::io::stderr()).map(|stat| format!("{}:{}", stat.st_dev, stat.st_ino));
        // the variable is inherited by programs whose errors go elsewhere (systemd.exec(5))
        if stream.is_ok_and(|stream| stream == named) { Outlet::Journal } else { Outlet::Terminal }
    }

    /// A line for standard error.
    fn line(self, priority: Priority, timed: Option<Duration>, text: &str) -> String {
        match (self, timed) {
            (Outlet::Journal, _) => format!("<{}>{text}", priority as i32),
            (_, Some(elapsed)) => format!("{:10.3} {text}", elapsed.as_secs_f64()),
            (_, None) => text.to_string(),
        }
    }
}

/// Says why a program ends that has no log, or not yet.
pub fn last_words(program: &str, sentence: &str) {
    let line = Outlet::of_standard_error().line(Priority::Error, None, &format!("{program}: {sentence}"));
    Lines::of(StandardStream::Error).say(&line);
}

impl Log {
    /// A log to standard error.
    pub fn new(debug: u8, quiet: u8) -> Log {
        let called = std::env::args_os().next().map(PathBuf::from);
        let name =
            called.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let program = name.unwrap_or_else(|| env!("CARGO_PKG_NAME").into());
        let outlet = Cell::new(Outlet::of_standard_error());
        let (error, system) = (Lines::of(StandardStream::Error), SystemLog::default());
        let sink = Sink { debug, quiet, outlet, error, system, program, started: Instant::now() };
        Log { sink: Some(Rc::new(sink)), ups: None }
    }

    /// A log that says nothing.
    pub fn silent() -> Log {
        Log { sink: None, ups: None }
    }

    /// The log of one UPS among several: each of its lines begins with its name.
    #[must_use]
    pub fn for_ups(&self, name: &str) -> Log {
        Log { sink: self.sink.clone(), ups: Some(name.into()) }
    }

    /// From now on to the system log, under the program's name. A system without a log loses the messages,
    /// which is no reason to stop watching a UPS.
    pub fn use_system_log(&self) {
        if let Some(sink) = &self.sink {
            sink.error.let_go();
            sink.outlet.set(Outlet::System);
        }
    }

    /// Whether messages of this debug level are shown.
    pub fn shows(&self, level: u8) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.debug >= level)
    }

    /// Says something.
    pub fn say(&self, level: LogLevel, text: &str) {
        if let Some(sink) = &self.sink {
            sink.say(level, &self.line(text));
        }
    }

    /// A text with the name of its UPS, where there are several.
    fn line<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.ups {
            Some(name) => format!("{name}: {text}").into(),
            None => text.into(),
        }
    }

    /// A message of a debug level.
    pub fn debug(&self, level: u8, text: impl FnOnce() -> String) {
        if self.shows(level) {
            self.say(LogLevel::Debug, &text());
        }
    }

    /// Worth a line.
    pub fn info(&self, text: &str) {
        self.say(LogLevel::Info, text);
    }

    /// The administrator should look at it.
    pub fn warning(&self, text: &str) {
        self.say(LogLevel::Warning, text);
    }
}

impl Sink {
    fn say(&self, level: LogLevel, text: &str) {
        let (priority, hidden) = match level {
            LogLevel::Warning => (Priority::Warning, self.quiet >= 3),
            LogLevel::Info => (Priority::Info, self.quiet >= 1),
            LogLevel::Debug => (Priority::Debug, self.debug == 0),
        };
        if hidden {
            return;
        }
        match self.outlet.get() {
            Outlet::System => self.system.say(&self.program, priority as u32, text),
            outlet => {
                let timed = (self.debug > 0).then(|| self.started.elapsed());
                self.error.say(&outlet.line(priority, timed, text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_among_several_a_line_names_its_ups() {
        let log = Log::silent();
        assert_eq!(log.line("on battery (OB)"), "on battery (OB)");
        assert_eq!(log.for_ups("rack").line("on battery (OB)"), "rack: on battery (OB)");
    }

    #[test]
    fn the_journal_is_told_how_severe_it_is() {
        let elapsed = Some(Duration::from_millis(1500));
        assert_eq!(Outlet::Journal.line(Priority::Warning, elapsed, "on battery"), "<4>on battery");
        assert_eq!(Outlet::Terminal.line(Priority::Debug, elapsed, "> Q1"), "     1.500 > Q1");
        assert_eq!(Outlet::Terminal.line(Priority::Info, None, "on mains"), "on mains");
    }
}
