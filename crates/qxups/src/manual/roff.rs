//! A manual page as it is written: headings, paragraphs, terms.

/// A page. In texts, what stands between backticks is literal and printed bold.
pub struct Page(String);

impl Page {
    /// A page of this name and section, with the sentence that `apropos` finds.
    pub fn new(name: &str, section: u8, about: &str) -> Page {
        let title = name.to_uppercase();
        let mut page = Page(format!(
            "'\\\" t\n.\\\" Printed from the tables by `qxups man {name}`.\n\
             .TH {title} {section} \"\" \"qxups {}\" \"qxups\"\n",
            env!("CARGO_PKG_VERSION")
        ));
        page.heading("NAME");
        page.line(&format!("{name} \\- {}", escaped(about)));
        page
    }

    /// A section.
    pub fn heading(&mut self, title: &str) {
        self.line(&format!(".SH \"{}\"", escaped(title)));
    }
    /// A section inside of a section.
    pub fn subheading(&mut self, title: &str) {
        self.line(&format!(".SS \"{}\"", escaped(title)));
    }
    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        self.line(&format!(".PP\n{}", marked(text)));
    }
    /// A term and what it means.
    pub fn term(&mut self, term: &str, text: &str) {
        self.line(&format!(".TP\n{}\n{}", marked(term), marked(text)));
    }
    /// Lines to be typed or read as they are.
    pub fn example(&mut self, lines: &str) {
        self.line(&format!(
            ".PP\n.RS 4\n.nf\n{}\n.fi\n.RE",
            lines.lines().map(literal).collect::<Vec<_>>().join("\n")
        ));
    }

    /// The whole page.
    pub fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: &str) {
        self.0 += line;
        self.0.push('\n');
    }
}

/// Text in which nothing is taken for a request or an escape.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => out += "\\e",
            '"' => out += "\\(dq",
            '\'' => out += "\\(aq",
            letter if letter.is_ascii() => out.push(letter),
            letter => out += &format!("\\[u{:04X}]", u32::from(letter)),
        }
    }
    if out.starts_with('.') { format!("\\&{out}") } else { out }
}

/// The same, with hyphens that can be typed.
fn literal(text: &str) -> String {
    escaped(text).replace('-', "\\-")
}

/// Text whose pieces between backticks are bold.
fn marked(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let marked: String = pieces
        .map(|(n, piece)| match n % 2 {
            0 if n > 0 && piece.starts_with('.') => escaped(piece)[2..].to_string(),
            0 => escaped(piece),
            _ => format!("\\fB{}\\fR", literal(piece)),
        })
        .collect();
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_a_request() {
        assert_eq!(marked(".so /etc/passwd"), "\\&.so /etc/passwd");
        assert_eq!(marked("'quoted' a\\b"), "\\(aqquoted\\(aq a\\eb");
        assert_eq!(marked("see `-x`."), "see \\fB\\-x\\fR.");
        assert_eq!(marked("25 °C"), "25 \\[u00B0]C");
    }
}
