//! What a source file says in words: its comments and its texts.

/// Those of a file, each in the line it stands in; all else is left out, also unit tests at its end, byte strings and
/// what stands between braces in a text. A text of one word is a name. Between two texts is a full stop, so no phrase goes across.
pub fn texts(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut scanner = Scanner { rest: source, out: String::new() };
    while let Some(letter) = scanner.next() {
        scanner.take(letter);
    }
    // an indent would make a block of code of it
    scanner.out.lines().map(|line| format!("{}\n", line.trim())).collect()
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    fn take(&mut self, letter: char) {
        match letter {
            '\n' => self.out.push('\n'),
            '/' if self.rest.starts_with('/') => self.comment(),
            '/' if self.rest.starts_with('*') => self.say_until("*/"),
            '\'' => self.quoted_letter(),
            '"' => self.text(true),
            'b' if self.rest.starts_with('"') => {
                self.next();
                self.text(false);
            }
            'r' if self.rest.trim_start_matches('#').starts_with('"') => self.raw_text(),
            letter if letter.is_alphanumeric() || letter == '_' => self.word(),
            _ => {}
        }
    }

    /// The rest of a name, whose last letter may be an r or b.
    fn word(&mut self) {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
    }

    fn comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let (comment, rest) = self.rest.split_at(end);
        // one behind code begins anew, one on a line of its own may go on with the line before
        if self.out.rsplit('\n').next().is_some_and(|line| !line.is_empty()) {
            self.out.push_str(". ");
        }
        self.out.push_str(comment.trim_start_matches(['/', '!']));
        self.rest = rest;
    }

    fn say_until(&mut self, end: &str) {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (said, rest) = self.rest.split_at(at);
        self.out.push_str(&format!(". {said}. "));
        self.rest = rest.strip_prefix(end).unwrap_or(rest);
    }

    fn raw_text(&mut self) {
        let marks = self.rest.len() - self.rest.trim_start_matches('#').len();
        self.rest = &self.rest[marks + 1..];
        self.say_until(&format!("\"{}", "#".repeat(marks)));
    }

    /// A letter in quotes, or a lifetime.
    fn quoted_letter(&mut self) {
        let mut letters = self.rest.chars();
        match (letters.next(), letters.next()) {
            (Some('\\'), _) => {
                self.next();
                self.next();
                self.rest = self.rest.split_once('\'').map_or("", |(_, rest)| rest);
            }
            (Some(_), Some('\'')) => {
                self.next();
                self.next();
            }
            _ => {}
        }
    }

    /// A text behind its first quote.
    fn text(&mut self, is_said: bool) {
        let (mut said, mut braces) = (String::from(". "), 0);
        while let Some(letter) = self.next() {
            match letter {
                '"' => break,
                '\\' => match self.next() {
                    // goes on in the next line
                    Some('\n') => said.push('\n'),
                    _ => said.push('.'),
                },
                '{' => braces += 1,
                '}' => braces -= 1,
                '\n' => said.push('\n'),
                letter if braces == 0 => said.push(letter),
                _ => {}
            }
        }
        said.push_str(". ");
        // one word alone is a name: of a user, a command, an option
        let is_prose = said.trim_matches(['.', ' ']).contains(char::is_whitespace);
        match is_said && is_prose {
            true => self.out.push_str(&said),
            false => said.matches('\n').for_each(|line| self.out.push_str(line)),
        }
    }
}
