//! Questions on the terminal; what is secret is not shown.

use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Write};

/// Longest answer, in bytes.
const LONGEST: usize = 512;
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const KILL_LINE: u8 = 21;

/// An answer that is shown while it is typed.
///
/// # Errors
/// There is no terminal; `Interrupted` when the question is given up.
pub fn shown(question: &str) -> Result<String, Error> {
    ask(question, true)
}

/// An answer that is not shown.
///
/// # Errors
/// As of [`shown`].
pub fn hidden(question: &str) -> Result<String, Error> {
    ask(question, false)
}

/// The terminal as it was, put back at the end.
struct Restored<'a>(&'a File, Termios);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0, OptionalActions::Drain, &self.1);
    }
}

fn ask(question: &str, shown: bool) -> Result<String, Error> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    if !isatty(&terminal) {
        return Err(ErrorKind::NotConnected.into());
    }
    let there = terminal.try_clone()?;
    let before = tcgetattr(&there)?;
    let mut quiet = before.clone();
    // without ISIG, control-C is a byte: the terminal is put back whatever is typed
    quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    let _restored = Restored(&there, before);
    // before the question, so that nothing that is typed at once is shown
    tcsetattr(&there, OptionalActions::Flush, &quiet)?;
    terminal.write_all(question.as_bytes())?;
    let answer = line(&mut terminal, shown);
    terminal.write_all(b"\n")?;
    answer
}

fn line(terminal: &mut File, shown: bool) -> Result<String, Error> {
    let mut typed: Vec<u8> = vec![];
    loop {
        let mut byte = [0];
        if terminal.read(&mut byte)? == 0 {
            return Err(ErrorKind::Interrupted.into());
        }
        match byte[0] {
            b'\r' | b'\n' => break,
            INTERRUPT | END => return Err(ErrorKind::Interrupted.into()),
            8 | 127 => {
                let gone = typed.pop();
                terminal.write_all(if gone.is_some() && shown { b"\x08 \x08" } else { b"" })?;
            }
            KILL_LINE if !shown => typed.clear(),
            byte if byte >= b' ' && typed.len() < LONGEST => {
                typed.push(byte);
                if shown {
                    terminal.write_all(&[byte])?;
                }
            }
            _ => {}
        }
    }
    String::from_utf8(typed).map_err(|_| ErrorKind::InvalidData.into())
}
