//! Texts with places for what a notice says: `{{title}}`.

use crate::output::Delivery;
use crate::secret::HiddenText;

/// How what is filled in has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderEscape {
    /// As it is.
    Plain,
    /// Inside of a text of JSON.
    Json,
    /// In a URL, or in a form.
    Url,
    /// In a header of HTTP: one line of ASCII.
    Header,
}

/// What there is to fill in.
const NAMES: [&str; 12] =
    ["title", "text", "ups", "rule", "kind", "type", "status", "id", "time", "since", "repetition", "secret"];

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(&'static str),
}

/// Such a text, which no log shows: it may hold a token.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeTemplate(Vec<Piece>);

impl std::fmt::Debug for NoticeTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl NoticeTemplate {
    /// The names that may stand between the braces.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// Reads one.
    ///
    /// # Errors
    /// The name between braces that is not known.
    pub fn parse(text: &str) -> Result<NoticeTemplate, String> {
        let (mut pieces, mut rest) = (vec![], text);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else { return Err(after.trim().into()) };
            let known =
                NAMES.iter().find(|known| **known == name.trim()).ok_or_else(|| name.trim().to_string())?;
            pieces.extend([Piece::Text(before.into()), Piece::Place(known)]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(NoticeTemplate(pieces))
    }

    /// Whether it begins with what is filled in.
    pub fn begins_with_place(&self) -> bool {
        let mut written =
            self.0.iter().filter(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        matches!(written.next(), Some(Piece::Place(_)))
    }

    /// Whether something of this name is filled in.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Place(place) if *place == name))
    }

    /// Fills it in.
    pub fn fill(&self, delivery: &Delivery<'_>, secret: &HiddenText, escape: PlaceholderEscape) -> String {
        // a whole address that is secret stands in its file as it is to be used
        let is_secret = |piece: &Piece| match piece {
            Piece::Text(text) => text.trim().is_empty(),
            Piece::Place(name) => *name == "secret",
        };
        let escape = if self.0.iter().all(is_secret) { PlaceholderEscape::Plain } else { escape };
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled += text,
                Piece::Place(name) => escape.put(&mut filled, &value(name, delivery, secret)),
            }
        }
        filled
    }
}

fn value(name: &str, delivery: &Delivery<'_>, secret: &HiddenText) -> String {
    let notice = delivery.notice;
    match name {
        "title" => delivery.title.clone(),
        "text" => delivery.text.clone(),
        "ups" => notice.ups.clone(),
        "rule" => notice.rule.clone(),
        "kind" => notice.kind.name().into(),
        "type" => notice.notify_type.clone(),
        "status" => notice.status.clone(),
        "id" => notice.id.clone(),
        "time" => crate::time::utc_stamp(notice.at_ms),
        "since" => crate::time::utc_stamp(notice.since_ms),
        "repetition" => if delivery.may_have_come { "yes" } else { "no" }.into(),
        _ => secret.reveal().into(),
    }
}

impl PlaceholderEscape {
    fn put(self, out: &mut String, text: &str) {
        match self {
            PlaceholderEscape::Plain => out.push_str(text),
            PlaceholderEscape::Json => text.chars().for_each(|letter| put_json(out, letter)),
            PlaceholderEscape::Url => text.bytes().for_each(|byte| put_url(out, byte)),
            PlaceholderEscape::Header => out.extend(text.chars().map(|letter| match letter {
                ' '..='~' => letter,
                _ if letter.is_whitespace() => ' ',
                _ => '?',
            })),
        }
    }
}

fn put_json(out: &mut String, letter: char) {
    match letter {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        other if u32::from(other) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        other => out.push(other),
    }
}

fn put_url(out: &mut String, byte: u8) {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
        other => out.push_str(&format!("%{other:02X}")),
    }
}
