//! `qxups explain`: a reply under its picture, and which letter of it is wrong.

use link::{LONGEST_RECORDING, read_all, read_piped};
use qx::line::capture::Capture;
use qx::text::explain::{asked_by, best, explain, queries};
use qx::vocabulary::escape::escape;
use std::path::Path;

/// Explains one reply, or every reply of a capture.
///
/// # Errors
/// A sentence.
pub fn run(what: &str, question: Option<&str>) -> Result<String, String> {
    let text = match what {
        "-" => read_all(std::io::stdin().lock(), LONGEST_RECORDING)
            .map_err(|error| format!("standard input: {error}"))?,
        // a reply begins with one of these, a path does not
        reply if reply.starts_with(['(', '#']) => return Ok(reply_text(reply.as_bytes(), question)),
        path => read_piped(Path::new(path), LONGEST_RECORDING).map_err(|error| {
            format!("{path}: {error}; give a capture file, - for standard input, or a reply in quotes such as '(226.0 ...'")
        })?,
    };
    // texts of a device may be anything in a log
    let text = String::from_utf8_lossy(&text);
    if text.starts_with(['(', '#']) && !text.contains("\n> ") && !text.starts_with("# ") {
        return Ok(text.lines().map(|line| reply_text(line.as_bytes(), question)).collect());
    }
    let capture =
        Capture::read(&text).map_err(|bad| format!("{what}, line {}: {}", bad.number, bad.sentence))?;
    let mut out = String::new();
    for recorded in &capture.exchanges {
        let asked = escape(&recorded.question);
        match &recorded.reply {
            Some(line) if qx::wire::refusal::is_refusal(&recorded.question, line) => {
                out += &format!("{asked} {}\n   the UPS does not know this question\n", escape(line));
            }
            Some(line) => match best(&asked_by(&recorded.question), line) {
                Some(query) => out += &explain(query, line),
                None => out += &nobody_asks(&asked, line),
            },
            None => out += &format!("{asked} (silence)\n"),
        }
        out.push('\n');
    }
    Ok(out)
}

fn reply_text(reply: &[u8], question: Option<&str>) -> String {
    match best(&queries(question), reply) {
        Some(query) => explain(query, reply),
        None => nobody_asks(question.unwrap_or("?"), reply),
    }
}

fn nobody_asks(question: &str, reply: &[u8]) -> String {
    format!("{question} {}\n   no dialect asks this question\n", escape(reply))
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn a_reply_is_explained_without_saying_which() {
        let text = run("(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000", None).unwrap();
        assert!(text.contains("^^^^ input.frequency: a number was expected"), "{text}");
        let text = run("#230.0 003 024.0 50.0", None).unwrap();
        assert!(text.contains("battery.voltage.nominal    24.0 V"), "{text}");
    }

    #[test]
    fn what_has_no_end_is_not_read() {
        for path in ["/dev/zero", "/dev/urandom", "/dev"] {
            let why = run(path, None).unwrap_err();
            assert!(why.contains("neither a file nor a pipe; give a capture file"), "{why}");
        }
    }

    #[test]
    fn a_capture_is_explained() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures/");
        let text = run(&format!("{folder}dexp-cee-e1500va-megatec.log"), None).unwrap();
        assert!(text.contains("ups.status                 OL TRIM"), "{text}");
        assert!(text.contains("does not know this question"), "{text}");
        assert!(!text.contains("no dialect"), "{text}");
    }
}
