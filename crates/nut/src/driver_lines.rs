//! What a driver says on its socket, as upsd reads it (NUT 2.8.0 docs/sock-protocol.txt and server/sstate.c). What is
//! said to a driver is a [`SocketRequest`](crate::driver_socket::SocketRequest).
//!
//! Bytes become lines by a [`LineBuffer`](crate::driver_socket::LineBuffer).

use crate::driver_socket::RequestError;
use crate::words::words;

/// A line of a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriverLine {
    /// `SETINFO variable value`: it has this value.
    SetInfo {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// `DELINFO variable`: it is gone.
    DelInfo(String),
    /// `ADDENUM variable value`: it may be set to this.
    AddEnum {
        /// The variable.
        variable: String,
        /// The value.
        value: String,
    },
    /// `DELENUM variable value`: it may be set to this no more.
    DelEnum {
        /// The variable.
        variable: String,
        /// The value.
        value: String,
    },
    /// `ADDRANGE variable least most`: it may be set to whole numbers between these.
    AddRange {
        /// The variable.
        variable: String,
        /// The least number.
        least: i64,
        /// The greatest number.
        most: i64,
    },
    /// `DELRANGE variable least most`.
    DelRange {
        /// The variable.
        variable: String,
        /// The least number.
        least: i64,
        /// The greatest number.
        most: i64,
    },
    /// `SETAUX variable length`: texts that it is set to have at most so many bytes.
    SetAux {
        /// The variable.
        variable: String,
        /// The bytes; 0 or less when it says nothing.
        length: i64,
    },
    /// `SETFLAGS variable [RW] [STRING] [NUMBER]`: what can be done with it, in place of what could be before.
    SetFlags {
        /// The variable.
        variable: String,
        /// It can be set.
        writable: bool,
        /// It is a text.
        string: bool,
        /// It is a number.
        number: bool,
    },
    /// `ADDCMD name`: there is this instant command.
    AddCmd(String),
    /// `DELCMD name`: there is this instant command no more.
    DelCmd(String),
    /// `DATAOK`: the data is fresh.
    DataOk,
    /// `DATASTALE`: the data is old.
    DataStale,
    /// `DUMPDONE`: a dump ends.
    DumpDone,
    /// `PONG`.
    Pong,
    /// `TRACKING id number`: how a request ended, see [`code`](crate::driver_socket::code).
    Tracking {
        /// The name of the request.
        id: String,
        /// The number.
        code: i64,
    },
}

impl DriverLine {
    /// Reads a line. Words behind those that a line has are passed over, as in NUT. `SETFLAGS` without a flag is taken;
    /// NUT ignores it, so that a variable that cannot be set any more keeps its flag there.
    ///
    /// # Errors
    /// [`RequestError`] with the words, for a line that is none of these.
    pub fn parse(line: &[u8]) -> Result<DriverLine, RequestError> {
        let list = words(line).map_err(RequestError::Words)?;
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let unknown = || RequestError::Unknown(list.join(" "));
        let (verb, arguments) = list.split_first().ok_or_else(unknown)?;
        let verb = verb.to_ascii_uppercase();
        let text = |text: &str| text.to_string();
        Ok(match (verb.as_str(), arguments) {
            ("SETINFO", [variable, value, ..]) => {
                DriverLine::SetInfo { variable: text(variable), value: text(value) }
            }
            ("DELINFO", [variable, ..]) => DriverLine::DelInfo(text(variable)),
            ("ADDENUM", [variable, value, ..]) => {
                DriverLine::AddEnum { variable: text(variable), value: text(value) }
            }
            ("DELENUM", [variable, value, ..]) => {
                DriverLine::DelEnum { variable: text(variable), value: text(value) }
            }
            ("ADDRANGE", [variable, least, most, ..]) => {
                DriverLine::AddRange { variable: text(variable), least: number(least), most: number(most) }
            }
            ("DELRANGE", [variable, least, most, ..]) => {
                DriverLine::DelRange { variable: text(variable), least: number(least), most: number(most) }
            }
            ("SETAUX", [variable, length, ..]) => {
                DriverLine::SetAux { variable: text(variable), length: number(length) }
            }
            ("SETFLAGS", [variable, flags @ ..]) => {
                let has = |name: &str| flags.iter().any(|flag| flag.eq_ignore_ascii_case(name));
                let (writable, string, number) = (has("RW"), has("STRING"), has("NUMBER"));
                DriverLine::SetFlags { variable: text(variable), writable, string, number }
            }
            ("ADDCMD", [name, ..]) => DriverLine::AddCmd(text(name)),
            ("DELCMD", [name, ..]) => DriverLine::DelCmd(text(name)),
            ("DATAOK", _) => DriverLine::DataOk,
            ("DATASTALE", _) => DriverLine::DataStale,
            ("DUMPDONE", _) => DriverLine::DumpDone,
            ("PONG", _) => DriverLine::Pong,
            ("TRACKING", [id, code, ..]) => DriverLine::Tracking { id: text(id), code: number(code) },
            _ => return Err(unknown()),
        })
    }
}

/// The whole number that a text begins with, 0 if there is none (atoi(3), by which upsd reads them).
fn number(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    text.get(..text.len() - digits.len() + end).and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver_socket as say;
    use proptest::prelude::*;

    fn line(text: &str) -> DriverLine {
        DriverLine::parse(text.trim_end_matches('\n').as_bytes()).unwrap()
    }

    /// Seen on the socket of Debian's dummy-ups 2.8.0.
    #[test]
    fn what_nut_s_drivers_say_is_read() {
        let variable = || "ups.delay.start".to_string();
        for (text, expected) in [
            (
                r#"SETINFO ups.delay.start "30""#,
                DriverLine::SetInfo { variable: variable(), value: "30".into() },
            ),
            (
                r#"setinfo ups.delay.start "a \"b\" \\ \#1""#,
                DriverLine::SetInfo { variable: variable(), value: r#"a "b" \ #1"#.into() },
            ),
            ("DELINFO ups.delay.start", DriverLine::DelInfo(variable())),
            (
                r#"ADDENUM ups.delay.start "60""#,
                DriverLine::AddEnum { variable: variable(), value: "60".into() },
            ),
            (
                "ADDRANGE ups.delay.start -1 99",
                DriverLine::AddRange { variable: variable(), least: -1, most: 99 },
            ),
            ("SETAUX ups.delay.start 8", DriverLine::SetAux { variable: variable(), length: 8 }),
            (
                "SETFLAGS ups.delay.start RW STRING",
                DriverLine::SetFlags { variable: variable(), writable: true, string: true, number: false },
            ),
            (
                "SETFLAGS ups.delay.start",
                DriverLine::SetFlags { variable: variable(), writable: false, string: false, number: false },
            ),
            ("ADDCMD load.off", DriverLine::AddCmd("load.off".into())),
            ("DELCMD load.off", DriverLine::DelCmd("load.off".into())),
            ("DATAOK", DriverLine::DataOk),
            ("DATASTALE", DriverLine::DataStale),
            ("DUMPDONE", DriverLine::DumpDone),
            ("PONG", DriverLine::Pong),
            ("TRACKING 1-2 3", DriverLine::Tracking { id: "1-2".into(), code: 3 }),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
        for bad in ["", "OK Goodbye", "SETINFO ups.status", "TRACKING x", r#"SETINFO a "b"#, "ADDRANGE a 1"] {
            assert!(DriverLine::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = DriverLine::parse(&bytes);
        }

        #[test]
        fn what_our_driver_says_comes_back(variable in "[a-z.]{1,20}", value in "[ -~]{0,200}", least: i64, most: i64) {
            let set = DriverLine::SetInfo { variable: variable.clone(), value: value.clone() };
            prop_assert_eq!(line(&say::setinfo(&variable, &value)), set);
            let range = DriverLine::AddRange { variable: variable.clone(), least, most };
            prop_assert_eq!(line(&say::addrange(&variable, least, most)), range);
        }
    }
}
