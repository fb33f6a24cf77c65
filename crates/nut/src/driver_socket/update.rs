//! What a driver says, read as upsd reads it (NUT 2.8.0 server/sstate.c), but for its leniency: upsd
//! lets words pass that are too many and takes a number up to its first letter. A tool that looks at
//! drivers wants to see such lines, so here they are errors. NUT's own drivers send them when they
//! broadcast a value with a quote in it.

use super::{
    addcmd, addenum, addrange, dataok, datastale, delcmd, delenum, delinfo, delrange, dumpdone, ok_goodbye,
    pid, pong, setaux, setflags, setinfo, tracking,
};
use crate::words::{WordError, words};
use std::fmt;

/// A line that a driver sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// `SETINFO`: a variable has this value.
    SetInfo {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// `DELINFO`: a variable is gone.
    DelInfo {
        /// The variable.
        variable: String,
    },
    /// `ADDENUM`: a variable may be set to this value.
    AddEnum {
        /// The variable.
        variable: String,
        /// The value.
        value: String,
    },
    /// `DELENUM`: a variable may be set to this value no more.
    DelEnum {
        /// The variable.
        variable: String,
        /// The value.
        value: String,
    },
    /// `ADDRANGE`: a variable may be set to numbers from `least` to `most`.
    AddRange {
        /// The variable.
        variable: String,
        /// The least number.
        least: i64,
        /// The greatest number.
        most: i64,
    },
    /// `DELRANGE`: a variable may be set to numbers from `least` to `most` no more.
    DelRange {
        /// The variable.
        variable: String,
        /// The least number.
        least: i64,
        /// The greatest number.
        most: i64,
    },
    /// `SETAUX`: a variable may be set to texts of at most this length.
    SetAux {
        /// The variable.
        variable: String,
        /// The length in bytes.
        length: u32,
    },
    /// `SETFLAGS`: these flags take the place of all others.
    SetFlags {
        /// The variable.
        variable: String,
        /// `RW`, `STRING`, `NUMBER`.
        flags: Vec<String>,
    },
    /// `ADDCMD`: there is this instant command.
    AddCmd {
        /// Its name.
        name: String,
    },
    /// `DELCMD`: there is this instant command no more.
    DelCmd {
        /// Its name.
        name: String,
    },
    /// `DATAOK`: the data is fresh.
    DataOk,
    /// `DATASTALE`: the data is old.
    DataStale,
    /// `DUMPDONE`: a dump ends.
    DumpDone,
    /// `PONG`: the answer to PING.
    Pong,
    /// `TRACKING`: how a request ended.
    Tracking {
        /// The name under which the outcome was wanted.
        id: String,
        /// See [`code`](super::code).
        code: u8,
    },
    /// `PID`: the number of the driver's process.
    Pid(u32),
    /// `OK Goodbye`: the answer to LOGOUT.
    Goodbye,
}

/// A line that no driver should send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// It has no proper words.
    Words(WordError),
    /// It begins with a word of its own; the words of it.
    Unknown(String),
    /// It has other words than it should.
    Arguments {
        /// The words it has.
        line: String,
        /// The words it should have.
        expected: &'static str,
    },
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpdateError::Words(error) => write!(f, "{error}"),
            UpdateError::Unknown(line) => write!(f, "not understood: {line}"),
            UpdateError::Arguments { line, expected } => write!(f, "'{line}' should be '{expected}'"),
        }
    }
}

impl std::error::Error for UpdateError {}

/// The words each line should have.
#[rustfmt::skip]
const SHAPES: &[(&str, &str)] = &[
    ("SETINFO",   "SETINFO variable value"),
    ("DELINFO",   "DELINFO variable"),
    ("ADDENUM",   "ADDENUM variable value"),
    ("DELENUM",   "DELENUM variable value"),
    ("ADDRANGE",  "ADDRANGE variable least most"),
    ("DELRANGE",  "DELRANGE variable least most"),
    ("SETAUX",    "SETAUX variable length"),
    ("SETFLAGS",  "SETFLAGS variable flag…"),
    ("ADDCMD",    "ADDCMD name"),
    ("DELCMD",    "DELCMD name"),
    ("DATAOK",    "DATAOK"),
    ("DATASTALE", "DATASTALE"),
    ("DUMPDONE",  "DUMPDONE"),
    ("PONG",      "PONG"),
    ("TRACKING",  "TRACKING id number"),
    ("PID",       "PID number"),
    ("OK",        "OK Goodbye"),
];

impl Update {
    /// Reads a line, with or without its line feed. Command words may be written in capitals or not.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn parse(line: &[u8]) -> Result<Update, UpdateError> {
        let list = words(line).map_err(UpdateError::Words)?;
        let verb = list.first().map(|verb| verb.to_ascii_uppercase()).unwrap_or_default();
        let (_, expected) = SHAPES
            .iter()
            .find(|(known, _)| *known == verb)
            .ok_or_else(|| UpdateError::Unknown(list.join(" ")))?;
        let arguments: Vec<&str> = list.iter().skip(1).map(String::as_str).collect();
        Update::of(&verb, &arguments).ok_or_else(|| UpdateError::Arguments { line: list.join(" "), expected })
    }

    fn of(verb: &str, arguments: &[&str]) -> Option<Update> {
        Some(match (verb, arguments) {
            ("SETINFO", [variable, value]) => {
                Update::SetInfo { variable: variable.to_string(), value: value.to_string() }
            }
            ("DELINFO", [variable]) => Update::DelInfo { variable: variable.to_string() },
            ("ADDENUM", [variable, value]) => {
                Update::AddEnum { variable: variable.to_string(), value: value.to_string() }
            }
            ("DELENUM", [variable, value]) => {
                Update::DelEnum { variable: variable.to_string(), value: value.to_string() }
            }
            ("ADDRANGE", [variable, least, most]) => Update::AddRange {
                variable: variable.to_string(),
                least: least.parse().ok()?,
                most: most.parse().ok()?,
            },
            ("DELRANGE", [variable, least, most]) => Update::DelRange {
                variable: variable.to_string(),
                least: least.parse().ok()?,
                most: most.parse().ok()?,
            },
            ("SETAUX", [variable, length]) => {
                Update::SetAux { variable: variable.to_string(), length: length.parse().ok()? }
            }
            ("SETFLAGS", [variable, flags @ ..]) => Update::SetFlags {
                variable: variable.to_string(),
                flags: flags.iter().map(|flag| flag.to_string()).collect(),
            },
            ("ADDCMD", [name]) => Update::AddCmd { name: name.to_string() },
            ("DELCMD", [name]) => Update::DelCmd { name: name.to_string() },
            ("DATAOK", []) => Update::DataOk,
            ("DATASTALE", []) => Update::DataStale,
            ("DUMPDONE", []) => Update::DumpDone,
            ("PONG", []) => Update::Pong,
            ("TRACKING", [id, code]) => Update::Tracking { id: id.to_string(), code: code.parse().ok()? },
            ("PID", [number]) => Update::Pid(number.parse().ok()?),
            ("OK", [word]) if word.eq_ignore_ascii_case("Goodbye") => Update::Goodbye,
            _ => return None,
        })
    }

    /// The line that a driver sends, with its line feed.
    pub fn line(&self) -> String {
        match self {
            Update::SetInfo { variable, value } => setinfo(variable, value),
            Update::DelInfo { variable } => delinfo(variable),
            Update::AddEnum { variable, value } => addenum(variable, value),
            Update::DelEnum { variable, value } => delenum(variable, value),
            Update::AddRange { variable, least, most } => addrange(variable, *least, *most),
            Update::DelRange { variable, least, most } => delrange(variable, *least, *most),
            Update::SetAux { variable, length } => setaux(variable, *length),
            Update::SetFlags { variable, flags } => {
                setflags(variable, &flags.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Update::AddCmd { name } => addcmd(name),
            Update::DelCmd { name } => delcmd(name),
            Update::DataOk => dataok(),
            Update::DataStale => datastale(),
            Update::DumpDone => dumpdone(),
            Update::Pong => pong(),
            Update::Tracking { id, code } => tracking(id, *code),
            Update::Pid(number) => pid(*number),
            Update::Goodbye => ok_goodbye(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_read_and_written() {
        let variable = || "ups.id".to_string();
        for (line, expected) in [
            (
                "SETINFO ups.id \"a \\\"\\#\\\\ b\"\n",
                Update::SetInfo { variable: variable(), value: "a \"#\\ b".into() },
            ),
            ("SETINFO ups.id \"\"\n", Update::SetInfo { variable: variable(), value: String::new() }),
            ("DELINFO ups.id\n", Update::DelInfo { variable: variable() }),
            ("ADDENUM ups.id \"95\"\n", Update::AddEnum { variable: variable(), value: "95".into() }),
            ("DELENUM ups.id \"95\"\n", Update::DelEnum { variable: variable(), value: "95".into() }),
            ("ADDRANGE ups.id -1 100\n", Update::AddRange { variable: variable(), least: -1, most: 100 }),
            ("DELRANGE ups.id -1 100\n", Update::DelRange { variable: variable(), least: -1, most: 100 }),
            ("SETAUX ups.id 8\n", Update::SetAux { variable: variable(), length: 8 }),
            (
                "SETFLAGS ups.id RW STRING\n",
                Update::SetFlags { variable: variable(), flags: vec!["RW".into(), "STRING".into()] },
            ),
            ("SETFLAGS ups.id\n", Update::SetFlags { variable: variable(), flags: vec![] }),
            ("ADDCMD load.off\n", Update::AddCmd { name: "load.off".into() }),
            ("DELCMD load.off\n", Update::DelCmd { name: "load.off".into() }),
            ("DATAOK\n", Update::DataOk),
            ("DATASTALE\n", Update::DataStale),
            ("DUMPDONE\n", Update::DumpDone),
            ("PONG\n", Update::Pong),
            ("TRACKING 1-2 3\n", Update::Tracking { id: "1-2".into(), code: 3 }),
            ("PID 123\n", Update::Pid(123)),
            ("OK Goodbye\n", Update::Goodbye),
        ] {
            assert_eq!(Update::parse(line.as_bytes()).as_ref(), Ok(&expected), "{line}");
            assert_eq!(expected.line(), line);
        }
        assert_eq!(Update::parse(b"dataok"), Ok(Update::DataOk));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, part) in [
            (&b""[..], "not understood"),
            (b"FROB x", "not understood: FROB x"),
            (b"SETINFO a", "should be 'SETINFO variable value'"),
            (b"ADDRANGE a 1 2x", "should be"),
            (b"TRACKING x PENDING", "should be"),
            (b"DATAOK x", "should be 'DATAOK'"),
            (b"OK", "should be 'OK Goodbye'"),
            // as NUT 2.8.0 broadcasts the values x"y and x#y
            (b"SETINFO a \"x\"y\"", "should be"),
            (b"SETINFO a \"x#y\"", "inside of quotes"),
        ] {
            let error = Update::parse(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_update_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Update::parse(&bytes);
        }

        #[test]
        fn anything_like_an_update_is_one_or_not(line in "(SETINFO|SETFLAGS|ADDRANGE|TRACKING|PID)( [a1\"\\\\#=]{0,4}){0,4}") {
            if let Ok(update) = Update::parse(line.as_bytes()) {
                prop_assert_eq!(Update::parse(update.line().as_bytes()), Ok(update));
            }
        }

        #[test]
        fn updates_come_back(variable in "[ -~]{0,30}", value in "[ -~]{0,255}", flags in prop::collection::vec("[ -~]{0,9}", 0..4)) {
            let (name, id) = (variable.clone(), value.clone());
            for update in [
                Update::SetInfo { variable: variable.clone(), value },
                Update::SetFlags { variable, flags },
                Update::AddCmd { name },
                Update::Tracking { id, code: 2 },
            ] {
                prop_assert_eq!(Update::parse(update.line().as_bytes()), Ok(update));
            }
        }
    }
}
