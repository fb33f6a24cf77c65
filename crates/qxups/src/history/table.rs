//! Tables, and lines for programs.

use std::fmt::Write;

/// In which form rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowForm {
    /// For people, in 80 columns.
    Table,
    /// RFC 4180.
    Csv,
    /// An array.
    Json,
}

/// A terminal has at least so many columns.
const WIDTH: usize = 80;
/// The name of a UPS takes no more of them.
pub const NAME: usize = 12;

/// A text without what a terminal would obey.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => out.extend(letter.escape_default()),
            false => out.push(letter),
        }
    }
    out
}

/// A text in so many columns; one that is longer ends with dots.
pub fn cut(text: &str, columns: usize) -> String {
    let text = plain(text);
    match text.chars().count() > columns {
        true => text.chars().take(columns.saturating_sub(2)).chain("..".chars()).collect(),
        false => text,
    }
}

/// A line of a table: cut behind the last column of a terminal, and without blanks at its end.
pub fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{}", cut(text.trim_end(), WIDTH));
}

/// A record of CSV (RFC 4180, with a line feed alone at its end).
pub fn csv<'f>(out: &mut String, fields: impl IntoIterator<Item = &'f str>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match field.contains([',', '"', '\n', '\r']) {
            true => out.extend(["\"", &field.replace('"', "\"\""), "\""]),
            false => out.push_str(field),
        }
    }
    out.push('\n');
}

/// A number, or nothing.
pub fn number(value: Option<f64>, places: usize) -> String {
    value.map(|value| format!("{value:.places$}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_reaches_the_terminal_as_an_order() {
        assert_eq!(plain("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!((cut("abcdef", 6).as_str(), cut("abcdefg", 6).as_str()), ("abcdef", "abcd.."));
        let mut out = String::new();
        csv(&mut out, ["a", "b,c", "d\"e", "f\ng"]);
        assert_eq!(out, "a,\"b,c\",\"d\"\"e\",\"f\ng\"\n");
    }
}
