//! `kind = "mqtt"` of `[outputs.NAME]`: a notice as a message to the broker of `[mqtt]`.

use super::notify::template;
use super::read::TomlReader;
use notify::{NoticeTemplate, PlaceholderEscape};
use std::time::Duration;

/// The keys of its own.
pub(super) const KEYS: &[&str] = &["topic", "body"];
/// No topic is longer, in bytes.
const LONGEST: usize = 512;

/// What is published, and where; who the broker is says `[mqtt]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeTopic {
    /// `topic`; left out, `notice` below prefix and site.
    pub topic: Option<String>,
    /// `body`.
    pub body: NoticeTemplate,
    /// How places in it are filled in: as JSON where it begins so.
    pub escape: PlaceholderEscape,
    /// An attempt takes no longer.
    pub limit: Duration,
}

pub(super) fn read(
    reader: &mut TomlReader<'_>,
    table: &str,
    usual_body: &str,
    limit: Duration,
) -> Option<NoticeTopic> {
    if !reader.has("mqtt", "server") {
        let said = "kind = \"mqtt\" publishes to the broker of [mqtt], which there is none of: write [mqtt] with \
                    server = \"broker.example.org:1883\"";
        reader.refuse(table, "kind", said);
    }
    let topic = reader.text(table, "topic", "a topic, such as topic = \"qxups/home/notice\"");
    if topic.as_deref().is_some_and(|topic| !is_topic(topic)) {
        let said = "topic is none that can be published to: write one without + and #, such as \"qxups/home/notice\"";
        reader.refuse(table, "topic", said);
    }
    let body = reader.text(table, "body", "a text with places, such as body = \"{{text}}\"");
    let body = body.unwrap_or_else(|| usual_body.into());
    let is_json = body.trim_start().starts_with(['{', '[']) && !body.trim_start().starts_with("{{");
    let escape = if is_json { PlaceholderEscape::Json } else { PlaceholderEscape::Plain };
    let body = template(reader, table, "body", &body)?;
    Some(NoticeTopic { topic, body, escape, limit })
}

/// MQTT 3.1.1, 4.7; topics that begin with `$` are the broker's own.
fn is_topic(text: &str) -> bool {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '+' | '#');
    !text.is_empty() && text.len() <= LONGEST && !text.starts_with('$') && !text.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::super::{OutputKind, parse};
    use super::*;

    const BROKER: &str = "[mqtt]\nserver = 'broker:1883'\n";

    fn read(keys: &str) -> NoticeTopic {
        let text = format!("{BROKER}[outputs.b]\nkind = 'mqtt'\n{keys}");
        let outputs = parse(text.as_bytes()).unwrap().notify.unwrap().outputs;
        let OutputKind::Mqtt(topic) = &outputs[0].kind else { panic!("{outputs:?}") };
        topic.clone()
    }

    #[test]
    fn topic_and_body_are_read_and_places_are_filled_in_as_the_body_needs_it() {
        let usual = read("");
        assert_eq!((usual.topic, usual.escape), (None, PlaceholderEscape::Json));
        assert_eq!(read("topic = 'a/b'\n").topic.as_deref(), Some("a/b"));
        assert_eq!(read("body = '{{text}}'\n").escape, PlaceholderEscape::Plain);
        assert_eq!(read("body = '[\"{{text}}\"]'\n").escape, PlaceholderEscape::Json);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_remedy() {
        for (text, line, part) in [
            ("[outputs.b]\nkind = 'mqtt'\n".to_string(), 2, "write [mqtt]"),
            (format!("{BROKER}[outputs.b]\nkind = 'mqtt'\ntopic = 'a/#'\n"), 5, "without + and #"),
            (format!("{BROKER}[outputs.b]\nkind = 'mqtt'\ntopic = '$SYS/a'\n"), 5, "without + and #"),
            (format!("{BROKER}[outputs.b]\nkind = 'mqtt'\nbody = '{{{{txt}}}}'\n"), 5, "text"),
            (format!("{BROKER}[outputs.b]\nkind = 'mqtt'\nurl = 'x'\n"), 5, "has no key url"),
        ] {
            let found = parse(text.as_bytes()).unwrap_err();
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].line == Some(line) && found[0].text.contains(part), "{text}: {found:?}");
        }
    }
}
