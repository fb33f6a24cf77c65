//! `qxups explain`: a reply under its picture, and which letter of it is wrong.

use qx::capture::Capture;
use qx::explain::{best, explain, queries};
use std::io::Read;

/// Explains one reply, or every reply of a capture.
///
/// # Errors
/// A sentence.
pub fn run(what: &str, question: Option<&str>) -> Result<String, String> {
    let text = match what {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
            text
        }
        // a reply begins with one of these, a path does not
        reply if reply.starts_with(['(', '#']) => return Ok(reply_text(reply.as_bytes(), question)),
        path => std::fs::read_to_string(path).map_err(|error| {
            format!("{path}: {error}; give a capture file, - for standard input, or a reply in quotes such as '(226.0 ...'")
        })?,
    };
    if text.starts_with(['(', '#']) && !text.contains("\n> ") && !text.starts_with("# ") {
        return Ok(text.lines().map(|line| reply_text(line.as_bytes(), question)).collect());
    }
    let text = conversation_of_log(&text).unwrap_or(text);
    let capture =
        Capture::parse(&text).map_err(|bad| format!("{what}, line {}: {}", bad.number, bad.sentence))?;
    let mut out = String::new();
    for (asked, reply) in &capture.exchanges {
        match reply {
            Some(line) if qx::detect::is_refusal(asked.as_bytes(), line) => {
                out += &format!("{asked} {}\n   the UPS does not know this question\n", line.escape_ascii());
            }
            Some(line) => out += &reply_text(line, Some(asked)),
            None => out += &format!("{asked} (silence)\n"),
        }
        out.push('\n');
    }
    Ok(out)
}

/// The conversation in a log of the driver with `-DDD`, as a capture; `None` for anything else.
fn conversation_of_log(text: &str) -> Option<String> {
    let said = |line: &str| {
        let (time, rest) = line.trim_start().split_once(' ')?;
        let timed = time.contains('.') && time.parse::<f64>().is_ok();
        let wanted = rest.starts_with("> ") || rest.starts_with("< ") || rest == "-";
        (timed && wanted).then(|| format!("{rest}\n"))
    };
    let mut capture = String::new();
    for line in text.lines().filter_map(said) {
        // a question that was cut off by the end of the line has no reply
        if line.starts_with("> ") && capture.lines().last().is_some_and(|last| last.starts_with("> ")) {
            capture += "-\n";
        }
        capture += &line;
    }
    (!capture.is_empty()).then_some(capture)
}

fn reply_text(reply: &[u8], question: Option<&str>) -> String {
    match best(&queries(question), reply) {
        Some(query) => explain(query, reply),
        None => format!(
            "{} {}\n   no dialect asks this question\n",
            question.unwrap_or("?"),
            reply.escape_ascii()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{conversation_of_log, run};

    #[test]
    fn a_reply_is_explained_without_saying_which() {
        let text = run("(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000", None).unwrap();
        assert!(text.contains("^^^^ input.frequency: a number was expected"), "{text}");
        let text = run("#230.0 003 024.0 50.0", None).unwrap();
        assert!(text.contains("battery.voltage.nominal    24.0 V"), "{text}");
    }

    #[test]
    fn a_log_of_the_driver_is_a_capture() {
        let log = "nutdrv_qx: x\n     0.006 > Q1\n     0.027 < (226.0\n     0.030 speaks megatec\n     0.031 > F\n     0.4 > I\n     1.2 -\n";
        assert_eq!(conversation_of_log(log).as_deref(), Some("> Q1\n< (226.0\n> F\n-\n> I\n-\n"));
        assert_eq!(conversation_of_log("> Q1\n< (226.0\n"), None);
    }

    #[test]
    fn a_capture_is_explained() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures/");
        let text = run(&format!("{folder}dexp-cee-e1500va-megatec.log"), None).unwrap();
        assert!(text.contains("ups.status                 OL TRIM"), "{text}");
        assert!(text.contains("does not know this question"), "{text}");
    }
}
