//! A password from a terminal, which does not show it.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{Read, Write};

/// Nothing longer is taken, in bytes.
const LONGEST: usize = 4096;

/// A terminal that shows nothing and sends no signal; as it was when this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn new() -> rustix::io::Result<Quiet> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        // Control-C comes as a byte: a signal would end the program with the terminal still dumb
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG | LocalModes::ICANON);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Quiet(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// Asks, and reads a line that is not shown.
///
/// # Errors
/// A sentence; also for Control-C and Control-D.
pub fn ask(question: &str) -> Result<String, String> {
    // before the question: what is typed at it is never shown
    let quiet =
        Quiet::new().map_err(|error| format!("cannot switch the echo of the terminal off: {error}"))?;
    let _ = std::io::stderr().lock().write_all(question.as_bytes());
    let typed = read_line(&mut std::io::stdin().lock());
    drop(quiet);
    let _ = std::io::stderr().lock().write_all(b"\n");
    typed
}

fn read_line(from: &mut impl Read) -> Result<String, String> {
    let (mut typed, mut byte) = (vec![], [0]);
    loop {
        let read = from.read(&mut byte).map_err(|error| format!("cannot read from the terminal: {error}"))?;
        match byte[0] {
            _ if read == 0 => return Err(ENDED.into()),
            b'\r' | b'\n' => return String::from_utf8(typed).map_err(|_| super::NO_WORD.into()),
            // Control-C, Control-D, Control-\
            3 | 4 | 28 => return Err(ENDED.into()),
            8 | 127 => drop(typed.pop()),
            // Control-U
            21 => typed.clear(),
            _ if typed.len() >= LONGEST => return Err(super::NO_WORD.into()),
            other => typed.push(other),
        }
    }
}

const ENDED: &str = "no password was given; nothing is changed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_at_any_prompt() {
        for (typed, line) in [
            ("secret\nmore", Some("secret")),
            ("sex\u{7f}cret\r", Some("secret")),
            ("\u{8}wrong\u{15}secret\n", Some("secret")),
            ("secret", None),
            ("sec\u{3}ret\n", None),
            ("\u{4}", None),
        ] {
            assert_eq!(read_line(&mut typed.as_bytes()).ok().as_deref(), line, "{typed:?}");
        }
    }
}
