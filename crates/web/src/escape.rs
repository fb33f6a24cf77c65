//! Texts of UPSes and users as parts of HTML, JSON, labels of metrics, and addresses.

use std::fmt::Write;

/// As text or as a value in quotes in HTML. Control characters become a question mark: HTML knows none of them.
pub fn html(text: &str, out: &mut String) {
    // nearly always
    if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'-' | b',' | b'%'))
    {
        return out.push_str(text);
    }
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if letter.is_control() => out.push('?'),
            letter => out.push(letter),
        }
    }
}

/// As a string of JSON, with its quotes. `<` and `&` are escaped as well, so that it can stand anywhere.
pub fn json(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}' => escaped(letter, out),
            letter if letter.is_control() => escaped(letter, out),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

fn escaped(letter: char, out: &mut String) {
    // writing to a String cannot fail
    let _ = write!(out, "\\u{:04x}", u32::from(letter));
}

/// As the value of a label, without its quotes (OpenMetrics 1.0, "escaped-string"). A carriage return, which no line may
/// have, becomes a blank.
pub fn label(text: &str, out: &mut String) {
    // nearly always
    if !text.bytes().any(|byte| matches!(byte, b'\\' | b'"' | b'\n' | b'\r' | 0)) {
        return out.push_str(text);
    }
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' | '\0' => out.push(' '),
            letter => out.push(letter),
        }
    }
}

/// As one segment of the path of an address.
pub fn segment(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // a segment of points alone would lead to another folder
            b'.' if text.bytes().any(|byte| byte != b'.') => out.push('.'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// What a part of an address stands for; none where it is no text. In a query a plus is a blank.
pub fn decoded(part: &str, is_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' if is_query => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(escape: fn(&str, &mut String), text: &str) -> String {
        let mut out = String::new();
        escape(text, &mut out);
        out
    }

    #[test]
    fn nothing_leaves_its_place() {
        assert_eq!(with(html, "<script>'\"&\0"), "&lt;script&gt;&#39;&quot;&amp;?");
        assert_eq!(
            with(json, "a\"\\\n\u{1b}</script>\u{2028}"),
            r#""a\"\\\n\u001b\u003c/script\u003e\u2028""#
        );
        assert_eq!(with(label, "a\"b\\c\nd\re"), r#"a\"b\\c\nd e"#);
        assert_eq!(with(segment, "a/b ?#%é."), "a%2Fb%20%3F%23%25%C3%A9.");
        assert_eq!(with(segment, ".."), "%2E%2E");
    }

    #[test]
    fn an_address_says_what_it_was_made_of() {
        for name in ["rack", "<script>", "a/b", "..", "é ü", "%41", "a+b"] {
            assert_eq!(decoded(&with(segment, name), false).as_deref(), Some(name));
        }
        assert_eq!(decoded("a+b%20c", true).as_deref(), Some("a b c"));
        for wrong in ["%", "%4", "%zz", "%ff", "a%"] {
            assert_eq!(decoded(wrong, false), None, "{wrong}");
        }
    }
}
