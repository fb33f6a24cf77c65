//! The lines between a driver and upsd (NUT 2.8.0 docs/sock-protocol.txt and drivers/dstate.c;
//! GETPID, DUMPVALUE, DUMPSTATUS, BROADCAST and LOGOUT from newer NUT, 2.8.5 and later).
//!
//! What a client sends is a [`SocketRequest`], cut from its bytes by a [`LineBuffer`]. What a driver sends
//! is written by the functions here.

use crate::words::{WordError, quoted, words};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Not;

/// Longest line a client may send, in bytes, without its line feed. A [`SocketRequest`] with a word of
/// 512 bytes that all have to be escaped fits.
pub const LONGEST_LINE: usize = 2048;
/// Longest value in bytes; upsd keeps no more (ST_MAX_VALUE_LEN of NUT 2.8.0 include/extstate.h).
/// Longer ones are cut.
pub const LONGEST_VALUE: usize = 255;

/// The numbers that answer a tracked request (NUT 2.8.0 drivers/upshandler.h).
pub mod code {
    /// It was done.
    pub const HANDLED: u8 = 0;
    /// There is no such command or variable.
    pub const UNKNOWN: u8 = 1;
    /// The value or parameter is not allowed.
    pub const INVALID: u8 = 2;
    /// It was not done.
    pub const FAILED: u8 = 3;
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketRequest {
    /// `PING`.
    Ping,
    /// `DUMPALL`.
    DumpAll,
    /// `DUMPVALUE variable`.
    DumpValue {
        /// Which one.
        variable: String,
    },
    /// `DUMPSTATUS`.
    DumpStatus,
    /// `GETPID`.
    GetPid,
    /// `INSTCMD name [parameter] [TRACKING id]`.
    InstCmd {
        /// The command.
        name: String,
        /// Its parameter.
        parameter: Option<String>,
        /// Under which name the outcome is wanted.
        tracking: Option<String>,
    },
    /// `SET variable value [TRACKING id]`.
    Set {
        /// The variable.
        variable: String,
        /// Its new value.
        value: String,
        /// Under which name the outcome is wanted.
        tracking: Option<String>,
    },
    /// `BROADCAST [0|1]` or `NOBROADCAST`: whether changes are wanted.
    Broadcast(bool),
    /// `LOGOUT`.
    Logout,
}

/// A line that is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It has no proper words.
    Words(WordError),
    /// It is longer than [`LONGEST_LINE`].
    TooLong,
    /// It is something else.
    Unknown(String),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Words(error) => write!(f, "{error}"),
            RequestError::TooLong => write!(f, "a line of more than {LONGEST_LINE} bytes was dropped"),
            RequestError::Unknown(line) => write!(f, "not understood: {line}"),
        }
    }
}

impl std::error::Error for RequestError {}

impl SocketRequest {
    /// Reads a line. Command words may be written in capitals or not. Further words of requests that
    /// take none are let pass, as in NUT.
    ///
    /// NUT also takes a SET with a word too many, or with more than five, and sets the first:
    /// `SET ups.id Data room`. Here it is an error, so that nothing is set by mistake.
    ///
    /// # Errors
    /// [`RequestError`] with the words, which are printable and no longer than the line.
    pub fn parse(line: &[u8]) -> Result<SocketRequest, RequestError> {
        let list = words(line).map_err(RequestError::Words)?;
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let unknown = || RequestError::Unknown(list.join(" "));
        let (verb, arguments) = list.split_first().ok_or_else(unknown)?;
        let verb = verb.to_ascii_uppercase();
        let tracked = |word: &str| word.eq_ignore_ascii_case("TRACKING");
        let text = |text: &str| text.to_string();
        Ok(match (verb.as_str(), arguments) {
            ("PING", _) => SocketRequest::Ping,
            ("DUMPALL", _) => SocketRequest::DumpAll,
            ("DUMPSTATUS", _) => SocketRequest::DumpStatus,
            ("DUMPVALUE", [variable]) => SocketRequest::DumpValue { variable: text(variable) },
            ("GETPID", _) => SocketRequest::GetPid,
            ("LOGOUT", _) => SocketRequest::Logout,
            ("NOBROADCAST", _) => SocketRequest::Broadcast(false),
            ("BROADCAST", [on, ..]) => {
                SocketRequest::Broadcast(on.trim().parse::<i64>().is_ok_and(|on| on < 1).not())
            }
            ("BROADCAST", []) => SocketRequest::Broadcast(true),
            ("INSTCMD", [name]) => {
                SocketRequest::InstCmd { name: text(name), parameter: None, tracking: None }
            }
            ("INSTCMD", [name, parameter]) => {
                SocketRequest::InstCmd { name: text(name), parameter: Some(text(parameter)), tracking: None }
            }
            ("INSTCMD", [name, word, id]) if tracked(word) => {
                SocketRequest::InstCmd { name: text(name), parameter: None, tracking: Some(text(id)) }
            }
            ("INSTCMD", [name, parameter, word, id]) if tracked(word) => SocketRequest::InstCmd {
                name: text(name),
                parameter: Some(text(parameter)),
                tracking: Some(text(id)),
            },
            ("SET", [variable, value]) => {
                SocketRequest::Set { variable: text(variable), value: text(value), tracking: None }
            }
            ("SET", [variable, value, word, id]) if tracked(word) => {
                SocketRequest::Set { variable: text(variable), value: text(value), tracking: Some(text(id)) }
            }
            _ => return Err(unknown()),
        })
    }

    /// The line that a client sends, with its line feed.
    pub fn line(&self) -> String {
        let tracked =
            |id: &Option<String>| id.as_ref().map_or(String::new(), |id| format!(" TRACKING {}", quoted(id)));
        match self {
            SocketRequest::Ping => "PING\n".into(),
            SocketRequest::DumpAll => "DUMPALL\n".into(),
            SocketRequest::DumpValue { variable } => format!("DUMPVALUE {}\n", quoted(variable)),
            SocketRequest::DumpStatus => "DUMPSTATUS\n".into(),
            SocketRequest::GetPid => "GETPID\n".into(),
            SocketRequest::Broadcast(true) => "BROADCAST 1\n".into(),
            SocketRequest::Broadcast(false) => "NOBROADCAST\n".into(),
            SocketRequest::Logout => "LOGOUT\n".into(),
            SocketRequest::InstCmd { name, parameter, tracking } => {
                let parameter =
                    parameter.as_ref().map_or(String::new(), |parameter| format!(" {}", quoted(parameter)));
                format!("INSTCMD {}{parameter}{}\n", quoted(name), tracked(tracking))
            }
            SocketRequest::Set { variable, value, tracking } => {
                format!("SET {} {}{}\n", quoted(variable), quoted(value), tracked(tracking))
            }
        }
    }
}

/// Makes lines of the bytes that a client sends, however they are cut. A line that is too long is
/// reported once and dropped up to its end. Blank lines are passed over.
///
/// A line feed ends a line even inside of quotes or after a backslash, and what is left open then is
/// an error of that line alone. NUT reads on instead (seen with 2.8.0), so that one missing quote
/// swallows the requests after it, and throws away what it has read when it finds an error.
///
/// It holds at most [`LONGEST_LINE`] bytes of an unfinished line, and the lines of what was pushed
/// since they were last taken: take them all with [`LineBuffer::next_line`] after each push.
#[derive(Clone, Debug, Default)]
pub struct LineBuffer {
    part: Vec<u8>,
    dropping: bool,
    ready: VecDeque<Result<Vec<u8>, RequestError>>,
}

impl LineBuffer {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.part);
                    if !std::mem::take(&mut self.dropping) && !line.trim_ascii().is_empty() {
                        self.ready.push_back(Ok(line));
                    }
                }
                _ if self.dropping => {}
                _ if self.part.len() == LONGEST_LINE => {
                    self.part.clear();
                    self.dropping = true;
                    self.ready.push_back(Err(RequestError::TooLong));
                }
                _ => self.part.push(*byte),
            }
        }
    }

    /// The next whole line, without its line feed; [`RequestError::TooLong`] in place of one that was
    /// dropped.
    pub fn next_line(&mut self) -> Option<Result<Vec<u8>, RequestError>> {
        self.ready.pop_front()
    }
}

fn cut(value: &str) -> &str {
    let end = (0..=LONGEST_VALUE.min(value.len())).rev().find(|end| value.is_char_boundary(*end));
    value.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// A name as it is, or in quotes when it would not be one word.
fn word(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'#' | b'=');
    if !name.is_empty() && name.bytes().all(plain) { name.into() } else { quoted(name).into() }
}

/// `SETINFO`: a variable has this value. Escaped always; NUT forgets that when it broadcasts
/// (2.8.0 drivers/dstate.c). Cut to [`LONGEST_VALUE`].
pub fn setinfo(variable: &str, value: &str) -> String {
    format!("SETINFO {} {}\n", word(variable), quoted(cut(value)))
}
/// `DELINFO`: a variable is gone.
pub fn delinfo(variable: &str) -> String {
    format!("DELINFO {}\n", word(variable))
}
/// `ADDENUM`: a value that the variable may be set to. Cut to [`LONGEST_VALUE`]. upsd 2.8.0 shows those of
/// a variable in the order in which they came.
pub fn addenum(variable: &str, value: &str) -> String {
    format!("ADDENUM {} {}\n", word(variable), quoted(cut(value)))
}
/// `DELENUM`: the variable may be set to this value no more.
pub fn delenum(variable: &str, value: &str) -> String {
    format!("DELENUM {} {}\n", word(variable), quoted(cut(value)))
}
/// `ADDRANGE`: the variable may be set to whole numbers between these two. upsd reads them into 32
/// bits.
pub fn addrange(variable: &str, least: i64, most: i64) -> String {
    format!("ADDRANGE {} {least} {most}\n", word(variable))
}
/// `DELRANGE`: the variable may be set to numbers between these two no more.
pub fn delrange(variable: &str, least: i64, most: i64) -> String {
    format!("DELRANGE {} {least} {most}\n", word(variable))
}
/// `SETAUX`: the variable may be set to texts of at most this length.
pub fn setaux(variable: &str, length: u32) -> String {
    format!("SETAUX {} {length}\n", word(variable))
}
/// `SETFLAGS`: what can be done with the variable (`RW`, `STRING`, `NUMBER`), in place of what could
/// be done before.
pub fn setflags(variable: &str, flags: &[&str]) -> String {
    let flags: String = flags.iter().map(|flag| format!(" {}", word(flag))).collect();
    format!("SETFLAGS {}{flags}\n", word(variable))
}
/// `ADDCMD`: there is this instant command.
pub fn addcmd(name: &str) -> String {
    format!("ADDCMD {}\n", word(name))
}
/// `DELCMD`: there is this instant command no more.
pub fn delcmd(name: &str) -> String {
    format!("DELCMD {}\n", word(name))
}
/// `DATAOK`: the data is fresh.
pub fn dataok() -> String {
    "DATAOK\n".into()
}
/// `DATASTALE`: the data is old.
pub fn datastale() -> String {
    "DATASTALE\n".into()
}
/// `DUMPDONE`: a dump ends.
pub fn dumpdone() -> String {
    "DUMPDONE\n".into()
}
/// `PONG`.
pub fn pong() -> String {
    "PONG\n".into()
}
/// `TRACKING`: how a request ended, see [`code`].
pub fn tracking(id: &str, code: u8) -> String {
    format!("TRACKING {} {code}\n", word(id))
}
/// `PID`: the number of the driver's process.
pub fn pid(number: u32) -> String {
    format!("PID {number}\n")
}
/// `OK Goodbye`: the answer to LOGOUT.
pub fn ok_goodbye() -> String {
    "OK Goodbye\n".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_understood() {
        let instcmd = |name: &str, parameter: Option<&str>, tracking: Option<&str>| {
            Ok(SocketRequest::InstCmd {
                name: name.into(),
                parameter: parameter.map(Into::into),
                tracking: tracking.map(Into::into),
            })
        };
        assert_eq!(SocketRequest::parse(b"ping"), Ok(SocketRequest::Ping));
        assert_eq!(SocketRequest::parse(b"INSTCMD load.off"), instcmd("load.off", None, None));
        assert_eq!(SocketRequest::parse(b"INSTCMD x 60"), instcmd("x", Some("60"), None));
        assert_eq!(SocketRequest::parse(b"INSTCMD x TRACKING 1-2"), instcmd("x", None, Some("1-2")));
        assert_eq!(
            SocketRequest::parse(b"INSTCMD x \"60\" TRACKING 1-2"),
            instcmd("x", Some("60"), Some("1-2"))
        );
        assert_eq!(SocketRequest::parse(b"instcmd x tracking"), instcmd("x", Some("tracking"), None));
        assert_eq!(
            SocketRequest::parse(b"INSTCMD x Tracking TRACKING 1"),
            instcmd("x", Some("Tracking"), Some("1"))
        );
        let set = |tracking: Option<&str>| {
            Ok(SocketRequest::Set {
                variable: "ups.id".into(),
                value: "a b".into(),
                tracking: tracking.map(Into::into),
            })
        };
        assert_eq!(SocketRequest::parse(b"SET ups.id \"a b\""), set(None));
        assert_eq!(SocketRequest::parse(b"set ups.id a\\ b tracking 1-2"), set(Some("1-2")));
        for (line, expected) in [
            (&b"Ping x"[..], SocketRequest::Ping),
            (b"DUMPALL", SocketRequest::DumpAll),
            (b"DumpStatus", SocketRequest::DumpStatus),
            (b"DUMPVALUE a", SocketRequest::DumpValue { variable: "a".into() }),
            (b"GETPID", SocketRequest::GetPid),
            (b"LOGOUT", SocketRequest::Logout),
            (b"NOBROADCAST", SocketRequest::Broadcast(false)),
            (b"BROADCAST", SocketRequest::Broadcast(true)),
            (b"BROADCAST 1", SocketRequest::Broadcast(true)),
            (b"BROADCAST 0", SocketRequest::Broadcast(false)),
            (b"BROADCAST -1 x", SocketRequest::Broadcast(false)),
            (b"BROADCAST on", SocketRequest::Broadcast(true)),
        ] {
            assert_eq!(SocketRequest::parse(line), Ok(expected), "{}", line.escape_ascii());
        }
        for bad in [
            &b""[..],
            b"DUMPVALUE",
            b"SET a b c d",
            b"SET a b TRACKING",
            b"SET a b TRACKING 1 2",
            b"INSTCMD a b c d",
            b"INSTCMD load.off\\",
            b"INSTCMD a b TRACKING 1 2",
            b"FROB",
            b"SET a",
            b"SET a b c",
            b"INSTCMD",
            b"INSTCMD a b c",
            b"SET a \"b",
            b"SET a \"#\"",
        ] {
            assert!(SocketRequest::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn lines_are_cut_from_any_chunks() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"PI");
        assert!(buffer.next_line().is_none());
        buffer.push(b"NG\n\r\nDUMPALL\nLOG");
        assert_eq!(buffer.next_line(), Some(Ok(b"PING".to_vec())));
        assert_eq!(buffer.next_line(), Some(Ok(b"DUMPALL".to_vec())));
        buffer.push(&[b'x'; 5000]);
        assert_eq!(buffer.next_line(), Some(Err(RequestError::TooLong)));
        buffer.push(b"\nPING\n");
        assert_eq!(buffer.next_line(), Some(Ok(b"PING".to_vec())));
        assert!(buffer.next_line().is_none());
        buffer.push(&[b'x'; LONGEST_LINE]);
        buffer.push(b"\n");
        assert!(buffer.next_line().is_some_and(|line| line.is_ok()));
    }

    #[test]
    fn one_open_quote_swallows_one_line() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"SET a \"b\nPING\nSET a \"#\"\nPING\nINSTCMD x\\\nPING\n");
        let read = std::iter::from_fn(|| buffer.next_line());
        let read: Vec<_> = read.map(|line| line.and_then(|line| SocketRequest::parse(&line)).ok()).collect();
        let ping = Some(SocketRequest::Ping);
        assert_eq!(read, [None, ping.clone(), None, ping.clone(), None, ping]);
    }

    #[test]
    fn values_are_escaped_and_cut() {
        assert_eq!(setinfo("a", "x\"#\\\n"), "SETINFO a \"x\\\"\\#\\\\\"\n");
        assert_eq!(setinfo("a", &"x".repeat(400)).len(), "SETINFO a \"\"\n".len() + LONGEST_VALUE);
        assert_eq!(setinfo("a", &"é".repeat(200)), "SETINFO a \"\"\n");
        assert_eq!(setflags("a", &["RW", "NUMBER"]), "SETFLAGS a RW NUMBER\n");
        assert_eq!(setflags("a", &[]), "SETFLAGS a\n");
        assert_eq!(delinfo("a b\n"), "DELINFO \"a b\"\n");
        assert_eq!(tracking("1bd31808-cb49", code::FAILED), "TRACKING 1bd31808-cb49 3\n");
        assert_eq!(tracking("", code::HANDLED), "TRACKING \"\" 0\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = SocketRequest::parse(&bytes);
            let mut buffer = LineBuffer::default();
            buffer.push(&bytes);
            while let Some(line) = buffer.next_line() {
                let _ = line.map(|line| SocketRequest::parse(&line));
            }
        }

        #[test]
        fn requests_come_back(name in "[ -~]{1,20}", parameter in prop::option::of("tracking|[ -~]{0,20}"), id in prop::option::of("[0-9a-f-]{1,36}")) {
            let command = SocketRequest::InstCmd { name: name.clone(), parameter: parameter.clone(), tracking: id.clone() };
            prop_assert_eq!(SocketRequest::parse(command.line().trim_end_matches('\n').as_bytes()), Ok(command));
            let set = SocketRequest::Set { variable: name, value: parameter.unwrap_or_default(), tracking: id };
            prop_assert_eq!(SocketRequest::parse(set.line().trim_end_matches('\n').as_bytes()), Ok(set));
        }
    }
}
