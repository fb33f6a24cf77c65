//! A mail, as a text.

use super::Delivery;
use crate::time::mail_date;

/// From whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPlan {
    /// The address of the sender.
    pub from: String,
    /// The addresses of those who get it.
    pub to: Vec<String>,
}

/// Whether a text is an address of a mail, without a name and without spaces.
pub fn is_address(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[]\\,;:\"@".contains(&byte);
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let (local_is, host_is) = (local.bytes().all(is_plain), host.bytes().all(is_plain));
    !local.is_empty() && !host.is_empty() && local_is && host_is && text.len() <= 254
}

impl MailPlan {
    /// The mail, with CRLF at the end of each line. Its Message-ID is that of the notice: a mail that comes twice is one.
    pub(super) fn message(&self, delivery: &Delivery<'_>) -> Vec<u8> {
        let notice = delivery.notice;
        let host = self.from.rsplit('@').next().unwrap_or("localhost");
        let mut head = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{host}>\r\n",
            self.from,
            self.to.join(",\r\n "),
            header_text(&delivery.title),
            mail_date(notice.at_ms),
            notice.id
        );
        head += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
        let text = delivery.text.replace('\r', "");
        let is_plain = text.is_ascii() && text.lines().all(|line| line.len() < 900);
        let body = match is_plain {
            true => text.lines().map(|line| format!("{line}\r\n")).collect(),
            false => {
                head += "Content-Transfer-Encoding: base64\r\n";
                let coded = base64(text.as_bytes());
                coded
                    .as_bytes()
                    .chunks(76)
                    .map(|line| format!("{}\r\n", String::from_utf8_lossy(line)))
                    .collect::<String>()
            }
        };
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// A text of a header, in one line, in words of RFC 2047 where it is not ASCII.
fn header_text(text: &str) -> String {
    const LONGEST: usize = 42;
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.is_ascii() && text.len() < 200 {
        return text;
    }
    let mut words = vec![String::new()];
    for letter in text.chars() {
        if words.last().is_some_and(|word| word.len() + letter.len_utf8() > LONGEST) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    let coded: Vec<String> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", base64(word.as_bytes()))).collect();
    coded.join("\r\n ")
}

/// RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            coded.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By RFC 4648 and `printf ... | base64`.
    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy"), ("Ä\0ÿ", "w4QAw78=")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        assert_eq!(header_text("Grün"), "=?UTF-8?B?R3LDvG4=?=");
        assert_eq!(header_text("a\r\nBcc: x@y"), "a  Bcc: x@y");
    }

    #[test]
    fn an_address_has_no_space_and_one_at() {
        for (text, is) in
            [("a@b.org", true), ("a b@c", false), ("a@b@c", false), ("@b", false), ("a\n@b", false)]
        {
            assert_eq!(is_address(text), is, "{text:?}");
        }
    }
}
