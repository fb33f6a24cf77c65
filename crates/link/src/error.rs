//! What can go wrong with a line: few kinds, on which a caller acts differently, and a sentence.

use std::fmt;
use std::io;

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// It was there and is not any more.
    Gone,
    /// There is no such port.
    NotFound,
    /// What is there is not what was there before.
    Another,
    /// Another program uses it.
    Busy,
    /// We may not use it.
    NotPermitted,
    /// It is something else than a serial line, or cannot be set up as one.
    Unsuitable,
    /// Anything else.
    Other,
}

/// A failure of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// Its kind.
    pub kind: LinkErrorKind,
    /// What happened and what to do.
    pub sentence: String,
}

impl LinkError {
    pub(crate) fn new(kind: LinkErrorKind, sentence: impl Into<String>) -> LinkError {
        LinkError { kind, sentence: sentence.into() }
    }

    /// What was there is not any more.
    pub fn gone(sentence: &str) -> LinkError {
        LinkError::new(LinkErrorKind::Gone, sentence)
    }

    /// An error on a line that was open: whatever the system calls it, the line has to be opened
    /// again.
    pub(crate) fn while_in_use(error: &io::Error) -> LinkError {
        LinkError::new(LinkErrorKind::Gone, format!("the line failed: {error}"))
    }

    /// An error while opening `what`.
    pub(crate) fn while_opening(what: &str, error: &io::Error) -> LinkError {
        let (kind, advice) = match error.kind() {
            io::ErrorKind::NotFound => (LinkErrorKind::NotFound, "check the name and the cable"),
            io::ErrorKind::PermissionDenied => (
                LinkErrorKind::NotPermitted,
                "let the driver's user read and write it (often the group dialout), or set 'user'",
            ),
            io::ErrorKind::ResourceBusy => {
                (LinkErrorKind::Busy, "another program uses it: stop that one first")
            }
            io::ErrorKind::ConnectionRefused => {
                (LinkErrorKind::NotFound, "check host and port, and that the device server is running")
            }
            io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                (LinkErrorKind::NotFound, "check the network and that the device server is running")
            }
            _ => (LinkErrorKind::Other, "check the port"),
        };
        LinkError::new(kind, format!("cannot open {what}: {error}; {advice}"))
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for LinkError {}
