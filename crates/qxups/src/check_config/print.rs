//! What was found, for people and for programs.

use super::check::{CheckReport, Whose};
use serde_json::{Value, json};
use station::config::{LineFinding, Severity};
use std::fmt::Write;

/// For people: `file:line: what`, then the new sections.
pub fn text(file: &str, report: &CheckReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let _ = writeln!(out, "{file}:{}: {}: {}", finding.line.unwrap_or(1), word(finding), finding.text);
    }
    for (section, new) in report.sections.iter().filter_map(|section| Some((section, section.new.as_ref()?)))
    {
        let _ = writeln!(out, "\nInstead of [{}] with {}:\n\n{}", section.name, driver(section), new.text);
    }
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let _ = writeln!(out, "{file}: {} errors, {} notes", count(Severity::Error), count(Severity::Hint));
    out
}

/// For programs.
pub fn json(file: &str, report: &CheckReport) -> String {
    let finding = |finding: &LineFinding| json!({ "line": finding.line, "weight": if finding.severity == Severity::Error { "error" } else { "note" }, "text": finding.text });
    let section = |section: &Whose| {
        json!({
            "name": section.name,
            "driver": section.driver,
            "checked": section.checked,
            "nutdrv_qx": section.new.as_ref().map(|new| new.text.clone()),
        })
    };
    let all = json!({
        "file": file,
        "works": report.works(),
        "findings": report.findings.iter().map(finding).collect::<Vec<Value>>(),
        "sections": report.sections.iter().map(section).collect::<Vec<Value>>(),
    });
    format!("{all:#}\n")
}

fn word(finding: &LineFinding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Hint => "note",
    }
}

fn driver(section: &Whose) -> &str {
    section.driver.as_deref().unwrap_or_default()
}
