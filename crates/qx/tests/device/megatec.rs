//! A Megatec UPS on a line in virtual time, and what it says.

use qx::device::Event;
use qx::options::Options;
use std::time::Duration;
use testbed::line::{Line, ended, seconds};

pub const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
pub const OUTAGE: &[u8] = b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000";
pub const RATING: &[u8] = b"#230.0 003 024.0 50.0";
pub const VENDOR: &[u8] = b"#MUSTEK          PM 636     V1.2      ";

/// A Megatec UPS with this status; what it does not know is answered by `unknown`.
pub fn megatec(ask: &str, status: &[u8], unknown: &[u8]) -> Vec<u8> {
    match ask {
        "Q1" => ended(status),
        "F" => ended(RATING),
        "I" => ended(VENDOR),
        _ if unknown.is_empty() => vec![],
        _ => ended(unknown),
    }
}

/// Runs until everything was asked once.
pub fn ready(options: Options, mut ups: impl FnMut(&str) -> Vec<u8>) -> Line {
    let mut line = Line::new(options);
    let found = line.run(seconds(30), &mut |ask, _| ups(ask), |event| *event == Event::Ready);
    assert!(found, "{:?}", line.events);
    line
}

/// A Megatec UPS that was found.
pub fn found() -> Line {
    ready(Options::default(), |ask| megatec(ask, STATUS, b""))
}

/// Lets the UPS say `status` for a while.
pub fn says(line: &mut Line, status: &'static [u8], time: Duration) {
    let until = line.now + time;
    line.run(until, &mut |ask, _| megatec(ask, status, b""), |_| false);
}

/// How often an event came.
pub fn told(line: &Line, wanted: &Event) -> usize {
    line.events.iter().filter(|(_, event)| event == wanted).count()
}
