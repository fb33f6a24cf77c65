//! What upsmon and upssched do at an event, as `[[notify]]` and `[outputs.NAME]` of `qxups.toml`. Pure: text in, text out.
//!
//! A rule is written only where it does the same. What none does is a finding, with the line it stands in and the reason.

mod draft;
mod edge;
mod notify_command;
#[cfg(test)]
mod tests;
mod upssched;

pub use self::notify_command::of_notify_command;
pub use self::upssched::of_upssched;

pub(super) use self::draft::toml_text;
use draft::NotifyDraft;
use nut::upsmon_conf::UpsmonConf;
use station::config::LineFinding;

/// A file in other words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyTranslation {
    /// The lines for `qxups.toml`; empty where there is none to write.
    pub toml: String,
    /// What is lost or otherwise, by the lines of the file that was translated.
    pub findings: Vec<LineFinding>,
}

/// Whether NOTIFYCMD is upssched.
pub fn runs_upssched(conf: &UpsmonConf) -> bool {
    let program = conf.notify_command.first().and_then(|command| command.split_ascii_whitespace().next());
    program.is_some_and(|program| program.rsplit('/').next() == Some("upssched"))
}

/// The words of a command that NUT up to 2.8.5 hands to a shell, where it needs none.
pub(super) fn plain_words(command: &[String]) -> Option<Vec<String>> {
    let (first, rest) = command.split_first()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:,@ ".contains(&byte);
    let words: Vec<String> = first.split_ascii_whitespace().map(String::from).collect();
    let is_program = words.first().is_some_and(|word| word.starts_with('/'));
    let has_places = rest.iter().any(|word| word.contains("{{"));
    (is_program && first.bytes().all(is_plain) && !has_places).then(|| [&words, rest].concat())
}

fn not_plain(directive: &str) -> String {
    format!(
        "{directive} is no plain command, and notifications run without a shell: put it in a script of its own, and name that \
         by its whole path"
    )
}

/// A rule to be written, before its output has a name.
struct PlannedRule {
    line: usize,
    name: String,
    when: &'static str,
    after_s: Option<u32>,
    repeat_s: Option<u32>,
    ups: Option<String>,
    begin: bool,
    end: bool,
    output: String,
    command: Vec<String>,
}
