//! Words: the grammar that NUT's configuration files and sockets share (NUT 2.8.0
//! common/parseconf.c). Words stand between blanks; quotes group, a backslash takes the next
//! character as it is, `#` begins a comment, and `=` is a word by itself.

use std::fmt;

/// Longest word; further bytes are dropped.
pub const LONGEST_WORD: usize = 512;
/// Most words of a line; further words are dropped.
pub const MOST_WORDS: usize = 32;

/// A line that has no words to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordError {
    /// A `#` inside of quotes: most likely the quote before it was never closed.
    HashInQuotes,
    /// The text ends inside of quotes.
    OpenQuotes,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WordError::HashInQuotes => "a # inside of quotes: close the quotes before it, or write \\#",
            WordError::OpenQuotes => "the quotes are not closed",
        })
    }
}

impl std::error::Error for WordError {}

/// The words of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1: where the line began.
    pub number: usize,
    /// Its words, or what is wrong with it.
    pub words: Result<Vec<String>, WordError>,
}

/// The words of one line; a line feed ends it unless it is escaped.
///
/// # Errors
/// [`WordError`].
pub fn words(line: &[u8]) -> Result<Vec<String>, WordError> {
    lines(line).into_iter().next().map_or(Ok(vec![]), |line| line.words)
}

/// The lines of a text that have words, or are wrong.
pub fn lines(text: &[u8]) -> Vec<Line> {
    let mut reader = Reader { number: 1, began: 1, ..Reader::default() };
    text.iter().for_each(|byte| reader.take(*byte));
    reader.finish()
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Word,
    Quotes,
    Comment,
}

#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    words: Vec<String>,
    word: String,
    state: State,
    literal: bool,
    wrong: Option<WordError>,
    number: usize,
    began: usize,
}

impl Reader {
    fn take(&mut self, byte: u8) {
        let ends = byte == b'\n';
        if std::mem::take(&mut self.literal) {
            // an escaped line feed continues the line
            if self.state == State::Between {
                self.state = State::Word;
            }
            self.keep(byte);
        } else {
            match (self.state, byte) {
                (State::Comment, b'\n') | (State::Between, b'\n') => self.end_line(),
                (State::Comment, _) => {}
                (State::Quotes, b'#') => {
                    self.wrong = Some(WordError::HashInQuotes);
                    self.end_word();
                    self.state = State::Comment;
                }
                (State::Quotes, b'"') => self.end_word(),
                (_, b'\\') => self.literal = true,
                (State::Quotes, _) => self.keep(byte),
                (State::Word, b'\n') => {
                    self.end_word();
                    self.end_line();
                }
                (_, b'#') => {
                    if self.state == State::Word {
                        self.end_word();
                    }
                    self.state = State::Comment;
                }
                (_, b'=') => {
                    if self.state == State::Word {
                        self.end_word();
                    }
                    self.keep(byte);
                    self.end_word();
                }
                (State::Between, b'"') => self.state = State::Quotes,
                (_, byte) if byte.is_ascii_whitespace() || byte == 0x0b => {
                    if self.state == State::Word {
                        self.end_word();
                    }
                }
                (_, byte) => {
                    self.state = State::Word;
                    self.keep(byte);
                }
            }
        }
        self.number += usize::from(ends);
        if ends && self.words.is_empty() && self.word.is_empty() && self.state == State::Between {
            self.began = self.number;
        }
    }

    fn keep(&mut self, byte: u8) {
        if (0x20..=0x7e).contains(&byte) && self.word.len() < LONGEST_WORD {
            self.word.push(char::from(byte));
        }
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if self.words.len() < MOST_WORDS {
            self.words.push(word);
        }
        self.state = State::Between;
    }

    fn end_line(&mut self) {
        self.state = State::Between;
        let words = std::mem::take(&mut self.words);
        let words = self.wrong.take().map_or(Ok(words), Err);
        if words.as_ref().is_ok_and(Vec::is_empty) {
            return;
        }
        self.lines.push(Line { number: self.began, words });
        self.began = self.number + 1;
    }

    fn finish(mut self) -> Vec<Line> {
        match self.state {
            State::Word => self.end_word(),
            State::Quotes => self.wrong = self.wrong.or(Some(WordError::OpenQuotes)),
            State::Between | State::Comment => {}
        }
        self.end_line();
        self.lines
    }
}

/// A text in quotes, from which [`words`] gets it back: `"`, `\` and `#` are escaped. Characters
/// that are not printable ASCII are left out, as every reader does.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars().filter(|letter| (' '..='~').contains(letter)) {
        if matches!(letter, '"' | '\\' | '#') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_as_in_nut() {
        for (line, expected) in [
            (&b"port = /dev/ttyS0"[..], vec!["port", "=", "/dev/ttyS0"]),
            (b"port=tcp://a:1 # x", vec!["port", "=", "tcp://a:1"]),
            (b"desc=\"a # b\"", vec![]),
            (b"desc=\"a \\# \\\"b\\\"\" c", vec!["desc", "=", "a # \"b\"", "c"]),
            (b"a\\ b c\\\\", vec!["a b", "c\\"]),
            (b"x \"\"", vec!["x", ""]),
            (b"a\xff\x01b", vec!["ab"]),
            (b"  # only a comment", vec![]),
            (b"nolock\r", vec!["nolock"]),
        ] {
            let found = words(line);
            if expected.is_empty() && line.contains(&b'"') {
                assert_eq!(found, Err(WordError::HashInQuotes));
            } else {
                assert_eq!(found.unwrap(), expected, "{}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn lines_are_counted() {
        let text = b"a\n\n# c\nb \\\nc\n\"d\ne\"\nf";
        let found: Vec<(usize, Vec<String>)> =
            lines(text).into_iter().map(|l| (l.number, l.words.unwrap())).collect();
        let expected = [(1, vec!["a"]), (4, vec!["b", "c"]), (6, vec!["de"]), (8, vec!["f"])];
        let expected: Vec<(usize, Vec<String>)> =
            expected.into_iter().map(|(n, w)| (n, w.into_iter().map(String::from).collect())).collect();
        assert_eq!(found, expected);
        assert_eq!(lines(b"a\n\"b").pop().map(|line| line.words), Some(Err(WordError::OpenQuotes)));
    }

    proptest! {
        #[test]
        fn any_bytes_have_words(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            for line in lines(&bytes) {
                if let Ok(words) = line.words {
                    prop_assert!(words.len() <= MOST_WORDS && words.iter().all(|word| word.len() <= LONGEST_WORD));
                }
            }
        }

        #[test]
        fn quoted_words_come_back(list in prop::collection::vec("[ -~]{0,40}", 1..5)) {
            let line = list.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(line.as_bytes()), Ok(list));
        }
    }
}
