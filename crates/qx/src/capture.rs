//! Captures: recorded conversations, as text. The format is described in `captures/README.md`.

use std::collections::BTreeMap;

/// A recorded conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// `# name: text` lines: device, source, protocol, unknown, options.
    pub header: BTreeMap<String, String>,
    /// Questions and their replies (`None` for silence), in order.
    pub exchanges: Vec<(String, Option<Vec<u8>>)>,
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
    /// Reads a capture.
    ///
    /// # Errors
    /// [`BadLine`] for the first line that is not of the format.
    pub fn parse(text: &str) -> Result<Capture, BadLine> {
        let mut capture = Capture::default();
        let mut question: Option<String> = None;
        for (at, line) in text.lines().enumerate() {
            let bad = |sentence: &str| BadLine { number: at + 1, sentence: sentence.into() };
            if let Some(remark) = line.strip_prefix('#') {
                if let Some((name, text)) = remark.split_once(':') {
                    capture.header.entry(name.trim().into()).or_insert(text.trim().into());
                }
            } else if let Some(asked) = line.strip_prefix("> ") {
                if question.is_some() {
                    return Err(bad("two questions without a reply between them; write - for silence"));
                }
                question = Some(asked.into());
            } else if let Some(reply) = line.strip_prefix("< ").or((line == "-").then_some("")) {
                let asked = question.take().ok_or_else(|| bad("a reply without a question before it"))?;
                let bytes =
                    unescape(reply).ok_or_else(|| bad("write \\xNN for a byte and \\\\ for a backslash"))?;
                capture.exchanges.push((asked, (line != "-").then_some(bytes)));
            } else if !line.trim().is_empty() {
                return Err(bad("lines begin with #, '> ', '< ' or are -"));
            }
        }
        Ok(capture)
    }

    /// The different questions, in the order in which they were first asked.
    pub fn questions(&self) -> Vec<&str> {
        let mut questions: Vec<&str> = vec![];
        for (question, _) in &self.exchanges {
            if !questions.contains(&question.as_str()) {
                questions.push(question);
            }
        }
        questions
    }

    /// The replies to a question, in order.
    pub fn replies(&self, question: &str) -> Vec<Option<&[u8]>> {
        self.exchanges
            .iter()
            .filter(|(asked, _)| asked == question)
            .map(|(_, reply)| reply.as_deref())
            .collect()
    }
}

/// Bytes from a text in which `\xNN` stands for a byte and `\\\\` for a backslash; `None` when it is
/// written otherwise.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (vec![], text.as_bytes());
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            bytes.push(*byte);
        } else if let Some(tail) = rest.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = tail;
        } else {
            let digits = rest.strip_prefix(b"x")?.get(..2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = rest.get(3..)?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_read() {
        let text = "# device: X\n\n> Q1\n< (1\\x00\\\\2\n> I\n-\n";
        let capture = Capture::parse(text).unwrap();
        assert_eq!(capture.header["device"], "X");
        assert_eq!(capture.exchanges, [("Q1".into(), Some(b"(1\0\\2".to_vec())), ("I".into(), None)]);
        assert_eq!(Capture::parse("> Q1\n> F\n").unwrap_err().number, 2);
        assert_eq!(Capture::parse("< (1\n").unwrap_err().number, 1);
        assert_eq!(Capture::parse("> Q1\n< \\q\n").unwrap_err().number, 2);
    }
}
