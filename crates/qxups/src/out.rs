//! Standard output and standard error, which may be closed, or full: nothing written here panics.
//!
//! What cannot be written to standard output ends the command with status 1: quietly where the reader
//! has left (`| head -1`), else with the reason on standard error.

use std::fmt;
use std::io::{ErrorKind, Write};

/// Why a command ends before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The reader of standard output has left: nothing is said of it.
    ReaderLeft,
    /// A sentence: what happened, and what to do.
    Failed(String),
}

impl From<String> for Stop {
    fn from(sentence: String) -> Stop {
        Stop::Failed(sentence)
    }
}

impl From<&str> for Stop {
    fn from(sentence: &str) -> Stop {
        Stop::Failed(sentence.into())
    }
}

impl From<std::io::Error> for Stop {
    /// What came of writing to standard output.
    fn from(error: std::io::Error) -> Stop {
        match error.kind() {
            ErrorKind::BrokenPipe => Stop::ReaderLeft,
            _ => Stop::Failed(format!(
                "cannot write to standard output: {error}; make room, or write elsewhere"
            )),
        }
    }
}

/// Writes a text to standard output, all of it.
///
/// # Errors
/// [`Stop`], where it cannot be written.
pub fn print(text: &str) -> Result<(), Stop> {
    write_all(&mut std::io::stdout().lock(), text)
}

fn write_all(out: &mut impl Write, text: &str) -> Result<(), Stop> {
    // a line without its end would wait in a buffer, and be lost without a word
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// Writes a line to standard error; where that is not possible, there is no way to tell.
pub fn tell(line: impl fmt::Display) {
    // one write, so that lines of several programs do not mix
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as a closed pipe or a full disk does, when it is flushed: what it took lay in a buffer.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_left_is_told_from_a_disk_that_is_full() {
        assert_eq!(write_all(&mut Broken(ErrorKind::BrokenPipe), "x"), Err(Stop::ReaderLeft));
        let full = write_all(&mut Broken(ErrorKind::StorageFull), "x");
        assert!(matches!(full, Err(Stop::Failed(sentence)) if sentence.contains("standard output")));
        assert_eq!(write_all(&mut vec![], "x"), Ok(()));
    }
}
