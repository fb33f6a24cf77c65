//! Words: the grammar that NUT's configuration files and sockets share (NUT 2.8.0
//! common/parseconf.c). Words stand between blanks; quotes group, a backslash takes the next
//! character as it is, `#` begins a comment, and `=` is a word by itself. A quote in the middle of
//! a word is a letter like any other. Only bytes from 0x20 to 0x7f are kept.
//!
//! Where it differs from NUT, and why:
//!
//! * NUT cuts a word after 512 bytes and drops words after the 32nd in silence; here both are
//!   errors, since half a value is not what was asked for.
//! * After a `#` inside of quotes NUT goes on in the middle of the line as if a new one began, and
//!   takes the rest of a text for settings; here the rest of the line is passed over.
//! * NUT loses the last line of a file when it is one word without a line feed, and takes a text
//!   whose quotes are never closed; here the one is read and the other an error.
//! * NUT counts lines by what they mean; here a number is that of the line in an editor.

use std::fmt;
use std::ops::Range;

/// Longest word, in bytes, without quotes and backslashes (NUT 2.8.0 include/parseconf.h).
pub const LONGEST_WORD: usize = 512;
/// Most words of a line (NUT 2.8.0 include/parseconf.h).
pub const MOST_WORDS: usize = 32;

/// A line that has no words to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordError {
    /// A `#` inside of quotes: most likely the quote before it was never closed.
    HashInQuotes,
    /// The text ends inside of quotes.
    OpenQuotes,
    /// A single line ends with a backslash, which has nothing to escape.
    OpenEscape,
    /// A word of more than [`LONGEST_WORD`] bytes: most likely a quote was never closed.
    LongWord,
    /// More than [`MOST_WORDS`] words: most likely quotes are missing.
    ManyWords,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WordError::HashInQuotes => {
                f.write_str("a # inside of quotes: close the quotes before it, or write \\#")
            }
            WordError::OpenQuotes => f.write_str("the quotes are not closed"),
            WordError::OpenEscape => {
                f.write_str("nothing follows the backslash: write \\\\ for one of its own")
            }
            WordError::LongWord => {
                write!(f, "a word of more than {LONGEST_WORD} bytes: close its quotes, or shorten it")
            }
            WordError::ManyWords => {
                write!(f, "more than {MOST_WORDS} words: put a text with blanks in quotes")
            }
        }
    }
}

impl std::error::Error for WordError {}

/// The words of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitLine {
    /// Its number, from 1: where the line began.
    pub number: usize,
    /// The numbers of the lines of an editor that begin inside of its quotes.
    pub in_quotes: Range<usize>,
    /// Whether a `#` right behind a letter of a word without quotes ended it there, and began a comment.
    pub is_cut: bool,
    /// Its words, or what is wrong with it.
    pub words: Result<Vec<String>, WordError>,
}

/// The words of one line, none for a blank one. A line feed ends it unless it is escaped or inside
/// of quotes; what follows is not looked at.
///
/// # Errors
/// [`WordError`].
pub fn words(line: &[u8]) -> Result<Vec<String>, WordError> {
    let mut reader = Reader::new();
    let whole = line.iter().any(|byte| reader.take(*byte));
    if !whole && reader.splitter.literal {
        return Err(WordError::OpenEscape);
    }
    reader.finish().into_iter().next().map_or(Ok(vec![]), |line| line.words)
}

/// The lines of a file that have words, or are wrong. A line goes on over a line feed that is
/// escaped or inside of quotes; the line feed itself is no part of the word. A wrong line ends with
/// its line feed and the next is read again. A backslash at the very end is passed over, as in NUT.
pub fn lines(text: &[u8]) -> Vec<SplitLine> {
    let mut reader = Reader::new();
    for byte in text {
        reader.take(*byte);
    }
    reader.finish()
}

/// The bytes that can be part of a word; all others are left out, since CVE-2012-2944 (NUT 2.8.0
/// common/parseconf.c).
const KEPT: std::ops::RangeInclusive<u8> = 0x20..=0x7f;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Word,
    Quotes,
    Comment,
}

/// One line as its bytes come. The words stand in one text, so that the next line, after
/// [`Splitter::clear`], allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    text: String,
    /// Where each word ends in the text.
    ends: Vec<usize>,
    state: State,
    literal: bool,
    is_cut: bool,
    wrong: Option<WordError>,
}

impl Splitter {
    /// Takes a byte; true when it ends the line. Then the words are there, until
    /// [`Splitter::clear`], which has to come before the next byte.
    pub fn take(&mut self, byte: u8) -> bool {
        if std::mem::take(&mut self.literal) {
            // an escaped line feed continues the line
            if self.state == State::Between {
                self.state = State::Word;
            }
            self.keep(byte);
            return false;
        }
        match (self.state, byte) {
            (State::Comment | State::Between, b'\n') => {
                self.state = State::Between;
                return true;
            }
            (State::Comment, _) => {}
            (State::Quotes, b'#') => {
                self.fault(WordError::HashInQuotes);
                self.end_word();
                self.state = State::Comment;
            }
            (State::Quotes, b'"') => self.end_word(),
            (_, b'\\') => self.literal = true,
            (State::Quotes, _) => self.keep(byte),
            (State::Word, b'\n') => {
                self.end_word();
                return true;
            }
            (_, b'#') => {
                if self.state == State::Word {
                    self.is_cut = true;
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
        false
    }

    /// The whole words so far: at most [`MOST_WORDS`] of at most [`LONGEST_WORD`] bytes.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| self.text.get(begin..*end).unwrap_or_default())
    }

    /// What is wrong with the line. After [`WordError::LongWord`] the first bytes of that word are
    /// there, after [`WordError::ManyWords`] the first words, which is what NUT goes by.
    pub fn wrong(&self) -> Option<WordError> {
        self.wrong
    }

    /// Whether the next byte is part of a text in quotes, and not escaped.
    fn is_in_quotes(&self) -> bool {
        self.state == State::Quotes && !self.literal
    }

    /// Forgets the line.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.text.shrink_to(LONGEST_WORD);
        (self.state, self.literal, self.wrong) = (State::Between, false, None);
        self.is_cut = false;
    }

    fn keep(&mut self, byte: u8) {
        if !KEPT.contains(&byte) {
            return;
        }
        if self.text.len() - self.begin() < LONGEST_WORD {
            self.text.push(char::from(byte));
        } else {
            self.fault(WordError::LongWord);
        }
    }

    fn end_word(&mut self) {
        if self.ends.len() < MOST_WORDS {
            self.ends.push(self.text.len());
        } else {
            self.text.truncate(self.begin());
            self.fault(WordError::ManyWords);
        }
        self.state = State::Between;
    }

    /// Where the word that is being read begins.
    fn begin(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The first fault counts; too many words only when nothing else is wrong.
    fn fault(&mut self, fault: WordError) {
        if matches!(self.wrong, None | Some(WordError::ManyWords)) {
            self.wrong = Some(fault);
        }
    }
}

#[derive(Default)]
struct Reader {
    lines: Vec<SplitLine>,
    splitter: Splitter,
    number: usize,
    began: usize,
    in_quotes: Range<usize>,
}

impl Reader {
    fn new() -> Reader {
        Reader { number: 1, began: 1, ..Reader::default() }
    }

    /// Takes a byte; true when it ends a line.
    fn take(&mut self, byte: u8) -> bool {
        if byte == b'\n' && self.splitter.is_in_quotes() {
            let next = self.number + 1;
            let first = if self.in_quotes.is_empty() { next } else { self.in_quotes.start };
            self.in_quotes = first..next + 1;
        }
        let ends = self.splitter.take(byte);
        if ends {
            self.end_line();
        }
        self.number += usize::from(byte == b'\n');
        if ends {
            self.began = self.number;
        }
        ends
    }

    fn end_line(&mut self) {
        let words = match self.splitter.wrong() {
            Some(error) => Err(error),
            None => Ok(self.splitter.words().map(String::from).collect::<Vec<_>>()),
        };
        let is_cut = self.splitter.is_cut;
        self.splitter.clear();
        let in_quotes = std::mem::take(&mut self.in_quotes);
        if words.as_ref().is_ok_and(Vec::is_empty) {
            return;
        }
        self.lines.push(SplitLine { number: self.began, in_quotes, is_cut, words });
    }

    fn finish(mut self) -> Vec<SplitLine> {
        match self.splitter.state {
            State::Word => self.splitter.end_word(),
            State::Quotes => self.splitter.fault(WordError::OpenQuotes),
            State::Between | State::Comment => {}
        }
        self.end_line();
        self.lines
    }
}

/// A text in quotes, from which [`words`] gets it back if it is no longer than [`LONGEST_WORD`]:
/// `"`, `\` and `#` are escaped (NUT 2.8.0 common/parseconf.c). Characters that no reader keeps,
/// line feeds among them, are left out.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars().filter(|letter| (' '..='\x7f').contains(letter)) {
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
            (b"desc=\"a \\# \\\"b\\\"\" c", vec!["desc", "=", "a # \"b\"", "c"]),
            (b"a\\ b c\\\\", vec!["a b", "c\\"]),
            (b"x \"\"", vec!["x", ""]),
            (b"a\xff\x01b\x7f", vec!["ab\x7f"]),
            (b"\xff a", vec!["", "a"]),
            (b"\xef\xbb\xbf[a]", vec!["[a]"]),
            (b"  # only a comment \" \\", vec![]),
            (b"nolock\r", vec!["nolock"]),
            (b"a\x0bb\x0cc\td", vec!["a", "b", "c", "d"]),
            (b"a\"b c\"", vec!["a\"b", "c\""]),
            (b"\"a\"\"b\"c", vec!["a", "b", "c"]),
            (b"a=b=c", vec!["a", "=", "b", "=", "c"]),
            (b"a\\=b \"=\" \\#", vec!["a=b", "=", "#"]),
            (b"a#b", vec!["a"]),
            (b"a\\\nb c\nd", vec!["ab", "c"]),
            (b"\nd", vec![]),
            (b"\\\n\n", vec![""]),
            (b"\"a\nb\" c\nd", vec!["ab", "c"]),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        let long = [b'x'; LONGEST_WORD + 1];
        let many = "x ".repeat(MOST_WORDS + 1);
        for (line, expected) in [
            (&b"desc=\"a # b\""[..], WordError::HashInQuotes),
            (b"a \"b", WordError::OpenQuotes),
            (b"a \"", WordError::OpenQuotes),
            (b"a b\\", WordError::OpenEscape),
            (b"\\", WordError::OpenEscape),
            (b"a \"b\\", WordError::OpenEscape),
            (&long, WordError::LongWord),
            (many.as_bytes(), WordError::ManyWords),
        ] {
            assert_eq!(words(line), Err(expected), "{}", line.escape_ascii());
        }
        assert_eq!(words(&long[1..]).map(|words| words[0].len()), Ok(LONGEST_WORD));
        assert_eq!(words(&many.as_bytes()[2..]).map(|words| words.len()), Ok(MOST_WORDS));
    }

    #[test]
    fn a_wrong_line_hurts_no_other() {
        let text = b"a\nb = \"c #1\" d\ne\nf \"g";
        let found: Vec<_> = lines(text).into_iter().map(|line| (line.number, line.words.ok())).collect();
        let word = |word: &str| Some(vec![word.to_string()]);
        assert_eq!(found, [(1, word("a")), (2, None), (3, word("e")), (4, None)]);
        assert_eq!(lines(b"a\\").len(), 1);
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

    #[test]
    fn a_comment_right_behind_a_word_is_seen() {
        for (line, is_cut) in [
            ("password = geh#eim", true),
            ("password = geh #eim", false),
            ("password = geheim", false),
            ("password = \"geheim\"#eim", false),
            ("password = geh\\#eim", false),
            ("password = #eim", false),
            ("a # b#c", false),
        ] {
            assert_eq!(lines(format!("x#y\n{line}\nz").as_bytes())[1].is_cut, is_cut, "{line}");
        }
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
        fn one_line_is_the_first_of_lines(bytes in "([a-c=\"#\\\\ ]|\n){0,40}") {
            let whole = words(bytes.as_bytes());
            let first = lines(bytes.as_bytes()).into_iter().find(|line| line.number == 1);
            if whole != Err(WordError::OpenEscape) {
                prop_assert_eq!(whole, first.map_or(Ok(vec![]), |line| line.words));
            }
        }

        #[test]
        fn any_text_can_be_quoted(text in any::<String>()) {
            let kept: String = text.chars().filter(|letter| (' '..='\x7f').contains(letter)).collect();
            prop_assert_eq!(words(quoted(&text).as_bytes()), Ok(vec![kept]));
        }

        #[test]
        fn quoted_words_come_back(list in prop::collection::vec("[ -\x7f]{0,40}", 1..5)) {
            let line = list.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(line.as_bytes()), Ok(list));
        }
    }
}
