//! The log: to the terminal, or to the system log once the driver is in the background.

use nix::syslog::{Facility, LogFlags, Priority, Severity, openlog, syslog};
use qx::device::Loudness;
use std::cell::Cell;
use std::time::Instant;

/// Where a driver says what happens.
#[derive(Debug)]
pub struct Log {
    /// How many times `-D` was given, or `debug_min`.
    debug: u8,
    /// How many times `-q` was given.
    quiet: u8,
    to_system: Cell<bool>,
    started: Instant,
}

impl Log {
    /// A log to the terminal.
    pub fn new(debug: u8, quiet: u8) -> Log {
        Log { debug, quiet, to_system: Cell::new(false), started: Instant::now() }
    }

    /// From now on to the system log, under the program's name.
    pub fn use_system_log(&self) {
        // a system without a log loses the messages, which is no reason to stop watching a UPS
        let _ = openlog(None, LogFlags::LOG_PID, Facility::LOG_DAEMON);
        self.to_system.set(true);
    }

    /// Whether messages of this debug level are shown.
    pub fn shows(&self, level: u8) -> bool {
        self.debug >= level
    }

    /// Says something.
    pub fn say(&self, loudness: Loudness, text: &str) {
        let (severity, hidden) = match loudness {
            Loudness::Warning => (Severity::LOG_WARNING, self.quiet >= 3),
            Loudness::Info => (Severity::LOG_INFO, self.quiet >= 1),
            Loudness::Debug => (Severity::LOG_DEBUG, self.debug == 0),
        };
        if hidden {
            return;
        }
        if self.to_system.get() {
            let _ = syslog(Priority::new(severity, Facility::LOG_DAEMON), text);
        } else if self.debug > 0 {
            eprintln!("{:10.3} {text}", self.started.elapsed().as_secs_f64());
        } else {
            eprintln!("{text}");
        }
    }

    /// A message of a debug level (1 events, 2 decisions, 3 every exchange).
    pub fn debug(&self, level: u8, text: impl FnOnce() -> String) {
        if self.shows(level) {
            self.say(Loudness::Debug, &text());
        }
    }
    /// Worth a line.
    pub fn info(&self, text: &str) {
        self.say(Loudness::Info, text);
    }
    /// Somebody should look at it.
    pub fn warning(&self, text: &str) {
        self.say(Loudness::Warning, text);
    }
}
