//! The format strings of upslog.

use super::super::clock;
use std::collections::BTreeMap;

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The time, in strftime's words.
    Time(String),
    /// The value of a variable.
    Variable(String),
    /// The name of this host.
    Host,
    /// The UPS with its host, as it was named: not the host alone, whatever upslog(8) says (NUT 2.8.0
    /// clients/upslog.c).
    UpsHost,
    /// The number of this process.
    Process,
    /// Seconds since 1970.
    Seconds,
}

impl Format {
    /// Reads one. What upslog would write as "INVALID" is an error.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Format, String> {
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            push_text(&mut parts, before);
            if let Some(behind) = behind.strip_prefix('%') {
                push_text(&mut parts, "%");
                rest = behind;
                continue;
            }
            let (word, behind) =
                behind.split_once('%').ok_or_else(|| format!("'%{behind}' does not end with a %"))?;
            parts.push(part(word)?);
            rest = behind;
        }
        push_text(&mut parts, rest);
        Ok(Format(parts))
    }

    /// The variables in it, in their order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// A line, with its end, of the UPS that was named so.
    pub fn line(&self, ups: &str, values: &BTreeMap<String, String>, none: &str) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Time(format) => clock::format_now(format).unwrap_or_default(),
            Part::Variable(name) => values.get(name).map_or(none, String::as_str).to_string(),
            Part::Host => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            Part::UpsHost => ups.into(),
            Part::Process => std::process::id().to_string(),
            Part::Seconds => clock::now().timestamp().as_second().to_string(),
        });
        parts.collect::<String>() + "\n"
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.into())),
    }
}

fn part(word: &str) -> Result<Part, String> {
    let (name, argument) = word.split_once(' ').unwrap_or((word, ""));
    Ok(match name {
        "TIME" => {
            let format = argument.replace('@', "%");
            clock::format_now(&format).map_err(|error| format!("'%{word}%': {error}"))?;
            Part::Time(format)
        }
        // upslog takes no name without a dot: those were of NUT 1
        "VAR" if argument.contains('.') => Part::Variable(argument.into()),
        "VAR" => return Err(format!("'%{word}%' names no variable: write such as %VAR ups.load%")),
        "HOST" => Part::Host,
        "UPSHOST" => Part::UpsHost,
        "PID" => Part::Process,
        "ETIME" => Part::Seconds,
        _ => {
            return Err(format!(
                "'%{word}%' is none of %TIME ..%, %VAR ..%, %HOST%, %UPSHOST%, %PID%, %ETIME% and %%"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: &str) -> String {
        let values = BTreeMap::from([("ups.load".to_string(), "17".to_string())]);
        Format::parse(format).unwrap().line("u@[::1]:99", &values, "NA")
    }

    #[test]
    fn the_words_of_upslog_are_replaced() {
        assert_eq!(line("a %VAR ups.load% 100%% %UPSHOST%"), "a 17 100% u@[::1]:99\n");
        assert_eq!(line("%VAR no.such%%%%PID%"), format!("NA%{}\n", std::process::id()));
        assert!(!line("%HOST%").trim().is_empty());
        assert_eq!(line("%TIME @Y%").trim().len(), 4);
        assert!(line("%ETIME%").trim().parse::<i64>().unwrap() > 1_700_000_000);
        assert_eq!(line(""), "\n");
    }

    #[test]
    fn what_upslog_writes_as_invalid_is_refused() {
        for format in ["%", "%VAR ups.load", "%VAR%", "%VAR load%", "%FOO%", "%TIME @!%"] {
            assert!(Format::parse(format).is_err(), "{format}");
        }
    }
}
