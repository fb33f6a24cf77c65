//! Captures: recorded conversations, as text. The format is described in `captures/README.md`.

use crate::vocabulary::escape::{escape, unescape};
use crate::wire::refusal::is_refusal;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A recorded conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// `# name: text` lines: device, source, protocol, unknown, options.
    pub header: BTreeMap<String, String>,
    /// Questions and their replies, in order.
    pub exchanges: Vec<Recorded>,
}

/// One question and what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// What was sent, without its end.
    pub question: Vec<u8>,
    /// What came back, without its end; `None` for silence.
    pub reply: Option<Vec<u8>>,
    /// When it was asked, since the recording began, if that was written down.
    pub at: Option<Duration>,
    /// Time from the question to the first byte, if that was written down.
    pub latency: Option<Duration>,
}

/// What a UPS does with a question that it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing.
    Silent,
    /// It sends the question back.
    Echo,
    /// It says this.
    Says(Vec<u8>),
}

/// A line of a capture that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub sentence: String,
}

impl Capture {
    /// Reads a capture, or the conversation in a log of the driver with `-DDD`.
    ///
    /// # Errors
    /// [`BadLine`] for the first line that is not of the format.
    pub fn read(text: &str) -> Result<Capture, BadLine> {
        match conversation_of_log(text) {
            Some(text) => Capture::parse(&text),
            None => Capture::parse(text),
        }
    }

    /// Reads a capture.
    ///
    /// # Errors
    /// [`BadLine`] for the first line that is not of the format.
    pub fn parse(text: &str) -> Result<Capture, BadLine> {
        let mut capture = Capture::default();
        let (mut times, mut asked) = ((None, None), None);
        for (at, line) in text.lines().enumerate() {
            let bad = |sentence: &str| BadLine { number: at + 1, sentence: sentence.into() };
            let bytes = |text: &str| {
                unescape(text).ok_or_else(|| bad("write \\xNN for a byte and \\\\ for a backslash"))
            };
            if let Some(remark) = line.strip_prefix('#') {
                if let Some((name, text)) = remark.split_once(':') {
                    capture.header.entry(name.trim().into()).or_insert(text.trim().into());
                }
            } else if let Some(text) = line.strip_prefix("@ ") {
                times = seconds(text).ok_or_else(|| bad("write @ and seconds, such as @ 12.5 0.03"))?;
            } else if let Some(question) = line.strip_prefix("> ") {
                if asked.is_some() {
                    return Err(bad("two questions without a reply between them; write - for silence"));
                }
                asked = Some(bytes(question)?);
            } else if let Some(reply) = line.strip_prefix("< ").or((line == "-").then_some("")) {
                let question = asked.take().ok_or_else(|| bad("a reply without a question before it"))?;
                let reply = if line == "-" { None } else { Some(bytes(reply)?) };
                let (at, latency) = std::mem::take(&mut times);
                capture.exchanges.push(Recorded { question, reply, at, latency });
            } else if !line.trim().is_empty() {
                return Err(bad("lines begin with #, @, '> ', '< ' or are -"));
            }
        }
        Ok(capture)
    }

    /// The replies to a question, in order.
    pub fn replies(&self, question: &str) -> Vec<Option<&[u8]>> {
        let same = self.exchanges.iter().filter(|recorded| recorded.question == question.as_bytes());
        same.map(|recorded| recorded.reply.as_deref()).collect()
    }

    /// What the UPS does with a question that it does not know: as the header says, else as it refused
    /// most of the questions that it refused here.
    pub fn unknown(&self) -> Unknown {
        match self.header.get("unknown").map(String::as_str) {
            Some("silent") => return Unknown::Silent,
            Some("echo") => return Unknown::Echo,
            Some(text) => return Unknown::Says(unescape(text).unwrap_or_else(|| text.into())),
            None => {}
        }
        let manners: Vec<Unknown> = self.exchanges.iter().filter_map(Recorded::refusal).collect();
        let count = |manner: &&Unknown| manners.iter().filter(|other| other == manner).count();
        manners.iter().rev().max_by_key(count).cloned().unwrap_or(Unknown::Silent)
    }
}

impl Recorded {
    /// How the question was refused, if it was.
    fn refusal(&self) -> Option<Unknown> {
        match self.reply.as_deref() {
            None => Some(Unknown::Silent),
            Some(reply) if reply == self.question => Some(Unknown::Echo),
            Some(reply) => is_refusal(&self.question, reply).then(|| Unknown::Says(reply.to_vec())),
        }
    }

    /// Its lines in a capture.
    pub fn lines(&self) -> String {
        let seconds = |time: Duration| format!(" {}.{:03}", time.as_secs(), time.subsec_millis());
        let times: String = self.at.into_iter().chain(self.latency).map(seconds).collect();
        let times = if self.at.is_some() { format!("@{times}\n") } else { String::new() };
        let reply = self.reply.as_ref().map_or("-".into(), |reply| format!("< {}", escape(reply)));
        format!("{times}> {}\n{reply}\n", escape(&self.question))
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Silent => f.write_str("silent"),
            Unknown::Echo => f.write_str("echo"),
            Unknown::Says(text) => f.write_str(&escape(text)),
        }
    }
}

/// The conversation in a log of the driver with `-DDD`, as a capture; `None` for anything else.
fn conversation_of_log(text: &str) -> Option<String> {
    let mut capture = String::new();
    let mut open = false;
    for line in text.lines() {
        let Some((time, rest)) = line.trim_start().split_once(' ') else { continue };
        if !time.contains('.') || time.parse::<f64>().is_err() {
            continue;
        }
        let asks = rest.starts_with("> ");
        if !asks && !(open && (rest.starts_with("< ") || rest == "-")) {
            continue;
        }
        // a question that was cut off by the end of the line has no reply
        if asks && open {
            capture += "-\n";
        }
        capture += &if asks { format!("@ {time}\n{rest}\n") } else { format!("{rest}\n") };
        open = asks;
    }
    (!capture.is_empty()).then_some(capture)
}

/// One or two times in seconds.
fn seconds(text: &str) -> Option<(Option<Duration>, Option<Duration>)> {
    let mut times = text.split_whitespace().map(|text| Duration::try_from_secs_f64(text.parse().ok()?).ok());
    let (at, latency) = (times.next()??, times.next());
    if times.next().is_some() || latency == Some(None) {
        return None;
    }
    Some((Some(at), latency.flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_read() {
        let text = "# device: X\n\n> Q1\n< (1\\x00\\\\2\n@ 1.5 0.25\n> I\n-\n";
        let capture = Capture::parse(text).unwrap();
        assert_eq!(capture.header["device"], "X");
        let first =
            Recorded { question: "Q1".into(), reply: Some(b"(1\0\\2".to_vec()), ..Recorded::default() };
        let at = Some(Duration::from_millis(1500));
        let latency = Some(Duration::from_millis(250));
        assert_eq!(capture.exchanges, [first, Recorded { question: "I".into(), reply: None, at, latency }]);
        for (text, line) in
            [("> Q1\n> F\n", 2), ("< (1\n", 1), ("> Q1\n< \\q\n", 2), ("@ soon\n", 1), ("@ 1 2 3\n", 1)]
        {
            assert_eq!(Capture::parse(text).unwrap_err().number, line, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let any: Vec<u8> = (0..=255).collect();
        let reply = Some(any.clone());
        let at = Some(Duration::from_millis(61_007));
        let recorded = Recorded { question: any.clone(), reply, at, latency: at };
        assert_eq!(Capture::parse(&recorded.lines()).unwrap().exchanges, [recorded]);
        // the driver's log writes bytes in a way of its own
        assert_eq!(unescape(&any.escape_ascii().to_string()), Some(any));
        for broken in ["\\", "\\x", "\\x4", "\\xzz", "\\q"] {
            assert_eq!(unescape(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_log_of_the_driver_is_a_capture() {
        let log = "nutdrv_qx: x\n     0.006 > Q1\n     0.027 < (226.0\n     0.030 speaks megatec\n     0.031 > F\n     0.4 > I\n     1.2 -\n";
        let capture = Capture::read(log).unwrap();
        let replies: Vec<_> = capture.exchanges.iter().map(|one| one.reply.as_deref()).collect();
        assert_eq!(replies, [Some(&b"(226.0"[..]), None, None]);
        assert_eq!(capture.exchanges[0].at, Some(Duration::from_millis(6)));
        assert_eq!(Capture::read("> Q1\n< (226.0\n").unwrap().exchanges.len(), 1);
    }

    #[test]
    fn how_questions_are_refused() {
        let unknown = |text: &str| Capture::parse(text).unwrap().unknown();
        assert_eq!(unknown("> Q1\n< (1\n"), Unknown::Silent);
        assert_eq!(unknown("> M\n< M\n> D\n< D\n> I\n-\n"), Unknown::Echo);
        assert_eq!(unknown("> M\n< NAK\n"), Unknown::Says("NAK".into()));
        assert_eq!(unknown("# unknown: echo\n> M\n< NAK\n"), Unknown::Echo);
    }
}
