//! Rules and outputs as they are written.

use super::PlannedRule;
use std::collections::BTreeMap;
use std::fmt::Write;

/// No name of an output is longer.
const LONGEST_NAME: usize = 64;
/// No more outputs and rules; the reader of `qxups.toml` has the same bounds.
const OUTPUTS: usize = 32;
const RULES: usize = 200;

/// What was written so far.
#[derive(Default)]
pub(super) struct NotifyDraft {
    rules: String,
    names: Vec<String>,
    /// The name of each output, by its command.
    outputs: BTreeMap<Vec<String>, String>,
}

impl NotifyDraft {
    /// Writes a rule.
    ///
    /// # Errors
    /// Where the file would have too many of them.
    pub fn add(&mut self, rule: PlannedRule) -> Result<(), String> {
        let is_new = !self.outputs.contains_key(&rule.command);
        if self.names.len() >= RULES || is_new && self.outputs.len() >= OUTPUTS {
            return Err(format!(
                "left out: a file has up to {RULES} rules and {OUTPUTS} outputs; let one script do several things"
            ));
        }
        let output = self.output(rule.output, rule.command);
        let name = unused(&rule.name, usize::MAX, |name| self.names.iter().any(|used| used == name));
        let out = &mut self.rules;
        let _ = write!(
            out,
            "# line {}\n[[notify]]\nname = {}\nwhen = \"{}\"\n",
            rule.line,
            toml_text(&name),
            rule.when
        );
        if let Some(after_s) = rule.after_s {
            let _ = writeln!(out, "after_s = {after_s}");
        }
        if let Some(repeat_s) = rule.repeat_s {
            let _ = writeln!(out, "repeat_s = {repeat_s}");
        }
        if let Some(ups) = rule.ups {
            let _ = writeln!(out, "ups = [{}]", toml_text(&ups));
        }
        for (key, is_told) in [("begin", rule.begin), ("end", rule.end)] {
            if !is_told {
                let _ = writeln!(out, "{key} = false");
            }
        }
        let _ = writeln!(out, "to = [\"{output}\"]\n");
        self.names.push(name);
        Ok(())
    }

    fn output(&mut self, wanted: String, command: Vec<String>) -> String {
        if let Some(name) = self.outputs.get(&command) {
            return name.clone();
        }
        let name: String = wanted
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '-' })
            .take(LONGEST_NAME)
            .collect();
        let name = if name.is_empty() { "script".into() } else { name };
        let name = unused(&name, LONGEST_NAME, |name| self.outputs.values().any(|used| used == name));
        self.outputs.insert(command, name.clone());
        name
    }

    /// The whole of it.
    pub fn finish(self) -> String {
        let mut out = self.rules;
        let mut outputs: Vec<_> = self.outputs.into_iter().collect();
        outputs.sort_by(|a, b| a.1.cmp(&b.1));
        for (command, name) in outputs {
            let words: Vec<String> = command.iter().map(|word| toml_text(word)).collect();
            let _ = writeln!(out, "[outputs.{name}]\nkind = \"exec\"\ncommand = [{}]\n", words.join(", "));
        }
        out.trim_end().to_string() + if out.is_empty() { "" } else { "\n" }
    }
}

/// A name that is not used yet: the wanted one, or with a number behind it.
fn unused(wanted: &str, longest: usize, is_used: impl Fn(&str) -> bool) -> String {
    let numbered = |number: usize| {
        let tail = format!("-{number}");
        let room = longest.saturating_sub(tail.len());
        wanted.chars().take(room).collect::<String>() + &tail
    };
    let first = std::iter::once(wanted.to_string());
    let mut names = first.chain((2..).map(numbered));
    names.find(|name| !is_used(name)).unwrap_or_default()
}

/// A text of TOML.
pub(in crate::extras) fn toml_text(plain: &str) -> String {
    let mut out = String::from("\"");
    for letter in plain.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
