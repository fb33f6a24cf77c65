//! Requests and answers of one connection, in their order.

use super::answer::{Answer, Item, Refusal, Type};
use super::oddity::AnswerOddity;
use super::request::{About, Having, NetworkRequest, Unspeakable, Values};
use crate::network::TrackedOutcome;
use std::collections::VecDeque;
use std::fmt;

/// Longest line of an answer, in bytes, without its end. upsd cuts its own after 511.
pub const LONGEST_LINE: usize = 8192;
/// Most items of a list.
pub const MOST_ITEMS: usize = 10_000;
/// Most requests that may wait for their answers.
pub const MOST_WAITING: usize = 64;
/// Most oddities that are kept.
const MOST_ODDITIES: usize = 64;

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An item of the list that is asked for.
    Item(Item),
    /// The end of the answer to the request that waited longest.
    Answer(NetworkRequest, Result<Answer, Refusal>),
}

/// Why a connection is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionFault {
    /// A line of more than [`LONGEST_LINE`] bytes.
    LongLine,
    /// A list of more than [`MOST_ITEMS`] items.
    LongList,
    /// A line that answers nothing.
    Unasked(String),
    /// A line that is no answer to the request.
    Unexpected(NetworkRequest, String),
    /// The connection ended before the answer to a request.
    Ended(NetworkRequest),
}

impl fmt::Display for ConnectionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = "check that the port is that of a NUT server";
        match self {
            ConnectionFault::LongLine => {
                write!(f, "the server sent a line of more than {LONGEST_LINE} bytes; {end}")
            }
            ConnectionFault::LongList => {
                write!(f, "the server sent a list of more than {MOST_ITEMS} items; {end}")
            }
            ConnectionFault::Unasked(line) => write!(f, "the server sent '{line}' without a request; {end}"),
            ConnectionFault::Unexpected(request, line) => {
                write!(f, "the server answers '{line}' to '{request}'; {end}")
            }
            ConnectionFault::Ended(request) => {
                write!(f, "the server closed the connection before it answered '{request}'; see its log")
            }
        }
    }
}

impl std::error::Error for ConnectionFault {}

/// A request that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// A text that no request can carry.
    Unspeakable(Unspeakable),
    /// [`MOST_WAITING`] requests wait.
    Full,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Unspeakable(text) => write!(f, "{text}"),
            AskError::Full => write!(f, "{MOST_WAITING} requests wait for their answers; read some first"),
        }
    }
}

impl std::error::Error for AskError {}

/// Whether a letter shows as itself: no control, and none of those that turn the direction of what follows or take no room.
fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A client's end of a connection: asks, and tells what is answered. It keeps at most one line and the
/// requests that wait, so a server cannot fill the memory.
#[derive(Debug, Default)]
pub struct Asker {
    waiting: VecDeque<NetworkRequest>,
    line: Vec<u8>,
    /// The items of the list so far; `None` before its BEGIN.
    items: Option<usize>,
    oddities: Vec<AnswerOddity>,
}

impl Asker {
    /// Appends a request to `out`. Several may wait, and are answered in order; small servers take only
    /// one at a time.
    ///
    /// # Errors
    /// [`AskError`]; nothing is appended then.
    pub fn ask(&mut self, request: NetworkRequest, out: &mut Vec<u8>) -> Result<(), AskError> {
        if self.waiting.len() >= MOST_WAITING {
            return Err(AskError::Full);
        }
        request.write(out).map_err(AskError::Unspeakable)?;
        self.waiting.push_back(request);
        Ok(())
    }

    /// How many requests wait for their answers.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Reads on: takes bytes off the front up to the next thing that was said. `None` when all are
    /// taken. After [`Answer::StartTls`] what is left was not encrypted: more than nothing there is an
    /// attack, or a broken server.
    ///
    /// # Errors
    /// [`ConnectionFault`]; the connection is to be closed.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, ConnectionFault> {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (part, rest) = bytes.split_at(at);
            *bytes = rest.get(1..).unwrap_or_default();
            self.keep(part)?;
            let line = std::mem::take(&mut self.line);
            let said = self.take_line(&line)?;
            self.line = line;
            self.line.clear();
            if said.is_some() {
                return Ok(said);
            }
        }
        let part = std::mem::take(bytes);
        self.keep(part)?;
        Ok(None)
    }

    /// The connection ended.
    ///
    /// # Errors
    /// [`ConnectionFault::Ended`] when an answer is missing, but that to LOGOUT.
    pub fn ended(&mut self) -> Result<(), ConnectionFault> {
        match self.waiting.pop_front() {
            None | Some(NetworkRequest::Logout) => Ok(()),
            Some(request) => Err(ConnectionFault::Ended(request)),
        }
    }

    /// What was odd in what was read since this was asked last, at most 64 of them.
    pub fn oddities(&mut self) -> Vec<AnswerOddity> {
        std::mem::take(&mut self.oddities)
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), ConnectionFault> {
        if self.line.len() + part.len() > LONGEST_LINE {
            return Err(ConnectionFault::LongLine);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn odd(&mut self, oddity: AnswerOddity) {
        if self.oddities.len() < MOST_ODDITIES {
            self.oddities.push(oddity);
        }
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<Received>, ConnectionFault> {
        if line.ends_with(b"\r") {
            self.odd(AnswerOddity::CarriageReturn);
        }
        let text = String::from_utf8_lossy(line);
        let clean: String = text.trim_end_matches('\r').chars().filter(|letter| is_shown(*letter)).collect();
        if !clean.is_ascii() {
            self.odd(AnswerOddity::NotAscii(clean.clone()));
        }
        if clean.trim().is_empty() {
            self.odd(AnswerOddity::BlankLine);
            return Ok(None);
        }
        let Some(request) = self.waiting.front().cloned() else {
            return Err(ConnectionFault::Unasked(clean));
        };
        if let NetworkRequest::Outcome(_) = request {
            if let Some(outcome) = TrackedOutcome::of(&clean) {
                return Ok(self.finish(Ok(Answer::Outcome(outcome))));
            }
        }
        if let Some(text) = clean.strip_prefix("ERR ").or((clean == "ERR").then_some("")) {
            let refusal = Refusal::of(text.trim());
            if refusal.word.is_none_or(|word| word.text() != refusal.text) {
                self.odd(AnswerOddity::ErrorWord(refusal.text.clone()));
            }
            if self.items.is_some() {
                self.odd(AnswerOddity::ErrorInList(clean.clone()));
            }
            return Ok(self.finish(Err(refusal)));
        }
        if request.is_list() {
            return self.take_list_line(&request, &clean);
        }
        match self.single(&request, &clean) {
            Some(answer) => Ok(self.finish(Ok(answer))),
            None => Err(ConnectionFault::Unexpected(request, clean)),
        }
    }

    /// The answer to the request that waited longest is complete.
    fn finish(&mut self, answer: Result<Answer, Refusal>) -> Option<Received> {
        self.items = None;
        self.waiting.pop_front().map(|request| Received::Answer(request, answer))
    }

    /// The answer that one line is.
    fn single(&mut self, request: &NetworkRequest, line: &str) -> Option<Answer> {
        let fields = |asker: &mut Asker| asker.behind(line, &request.echo());
        Some(match request {
            NetworkRequest::Version
            | NetworkRequest::NetVersion
            | NetworkRequest::ProtocolVersion
            | NetworkRequest::Help => Answer::Text(line.into()),
            NetworkRequest::Logins(_) => Answer::Logins(fields(self)?.trim().parse().ok()?),
            NetworkRequest::Get(About::Type, ..) => {
                Answer::Type(Type::of(fields(self)?.split_ascii_whitespace()))
            }
            NetworkRequest::Get(..) | NetworkRequest::UpsDescription(_) => {
                let field = fields(self)?;
                Answer::Value(self.text(field))
            }
            NetworkRequest::Tracking => Answer::Tracking(match line {
                "ON" => true,
                "OFF" => false,
                _ => return None,
            }),
            NetworkRequest::Logout if line.starts_with("OK") || line.starts_with("Goodbye") => {
                Answer::Goodbye
            }
            NetworkRequest::StartTls if line.starts_with("OK") => Answer::StartTls,
            NetworkRequest::Outcome(_) | NetworkRequest::StartTls | NetworkRequest::Logout => return None,
            _ => match line.strip_prefix("OK")? {
                "" => Answer::Done,
                rest => match rest.strip_prefix(" TRACKING ") {
                    Some(id) => Answer::Tracked(id.trim().into()),
                    None => rest.starts_with(' ').then_some(Answer::Done)?,
                },
            },
        })
    }

    fn take_list_line(
        &mut self,
        request: &NetworkRequest,
        line: &str,
    ) -> Result<Option<Received>, ConnectionFault> {
        let echo = request.echo();
        let Some(items) = self.items else {
            self.frame(line, "BEGIN ", &echo).ok_or_else(|| unexpected(request, line))?;
            self.items = Some(0);
            return Ok(None);
        };
        if self.frame(line, "END ", &echo).is_some() {
            return Ok(self.finish(Ok(Answer::End(items))));
        }
        if items >= MOST_ITEMS {
            return Err(ConnectionFault::LongList);
        }
        self.items = Some(items + 1);
        let item = self.item(request, line).ok_or_else(|| unexpected(request, line))?;
        Ok(Some(Received::Item(item)))
    }

    /// Whether a line begins or ends the list. The words of the request should be repeated as they were;
    /// less is enough.
    fn frame(&mut self, line: &str, frame: &str, echo: &str) -> Option<()> {
        let words = line.strip_prefix(frame)?;
        if words != echo {
            let kind = echo.split(' ').nth(1).unwrap_or_default();
            let same = words.split(' ').nth(1).is_some_and(|word| word.eq_ignore_ascii_case(kind));
            if !same {
                return None;
            }
            self.odd(AnswerOddity::Echo { expected: format!("{frame}{echo}"), said: line.into() });
        }
        Some(())
    }

    /// The item that a line of a list is.
    fn item(&mut self, request: &NetworkRequest, line: &str) -> Option<Item> {
        let echo = request.echo();
        let words = echo.strip_prefix("LIST ")?;
        if let NetworkRequest::ListUps = request {
            let (name, field) = line.strip_prefix("UPS ")?.split_once(' ')?;
            return Some(Item::Ups { name: name.into(), description: self.text(field) });
        }
        let field = self.behind(line, words)?;
        Some(match request {
            NetworkRequest::List(Having::Commands, _) => Item::Command(field.trim().into()),
            NetworkRequest::List(Having::Clients, _) => Item::Client(field.trim().into()),
            NetworkRequest::ListValues(Values::Choices, ..) => Item::Choice(self.text(field)),
            NetworkRequest::ListValues(Values::Ranges, ..) => {
                let (least, most) = field.trim().split_once(' ')?;
                Item::Range { least: self.text(least), most: self.text(most) }
            }
            _ => {
                let (name, field) = field.split_once(' ').unwrap_or((field, ""));
                Item::Variable { name: name.into(), value: self.text(field) }
            }
        })
    }

    /// What stands behind words that repeat those of the request, in any case.
    fn behind<'a>(&mut self, line: &'a str, words: &str) -> Option<&'a str> {
        let (said, field) = (line.get(..words.len())?, line.get(words.len()..)?);
        let field = if field.is_empty() { field } else { field.strip_prefix(' ')? };
        if !said.eq_ignore_ascii_case(words) {
            return None;
        }
        if said != words {
            self.odd(AnswerOddity::Echo { expected: words.into(), said: said.into() });
        }
        Some(field)
    }

    /// A text in quotes. Small servers leave quotes or backslashes out, so all between the first and the
    /// last quote is taken, or everything where there is none.
    fn text(&mut self, field: &str) -> String {
        let field = field.trim();
        let inner = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let Some(inner) = inner else {
            self.odd(AnswerOddity::Quotes(field.into()));
            return field.into();
        };
        let mut text = String::with_capacity(inner.len());
        let mut escaped = false;
        let mut bare = false;
        for letter in inner.chars() {
            if letter == '\\' && !escaped {
                escaped = true;
                continue;
            }
            bare |= !escaped && matches!(letter, '"' | '#');
            escaped = false;
            text.push(letter);
        }
        if bare || escaped {
            self.odd(AnswerOddity::Quotes(field.into()));
        }
        text
    }
}

fn unexpected(request: &NetworkRequest, line: &str) -> ConnectionFault {
    ConnectionFault::Unexpected(request.clone(), line.into())
}
