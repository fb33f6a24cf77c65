//! What was found, for people and for programs.

use super::beside::CheckedFile;
use super::check::{CheckReport, Whose};
use serde_json::{Value, json};
use station::config::{LineFinding, Severity};
use std::fmt::Write;

/// For people: `file:line: what`, then the new sections, then the same of the files beside it.
pub fn text(file: &str, report: Option<&CheckReport>, beside: &[CheckedFile]) -> String {
    let mut out = String::new();
    if let Some(report) = report {
        lines(&mut out, file, &report.findings);
        for (section, new) in
            report.sections.iter().filter_map(|section| Some((section, section.new.as_ref()?)))
        {
            let _ =
                writeln!(out, "\nInstead of [{}] with {}:\n\n{}", section.name, driver(section), new.text);
        }
        count(&mut out, file, &report.findings);
    }
    for file in beside {
        lines(&mut out, &file.file, &file.findings);
        if let Some(toml) = &file.translated {
            let _ = writeln!(out, "\nIn qxups.toml, in place of {}:\n\n{toml}", file.file);
        }
        count(&mut out, &file.file, &file.findings);
    }
    out
}

fn lines(out: &mut String, file: &str, findings: &[LineFinding]) {
    for finding in findings {
        let _ = writeln!(out, "{file}:{}: {}: {}", finding.line.unwrap_or(1), word(finding), finding.text);
    }
}

fn count(out: &mut String, file: &str, findings: &[LineFinding]) {
    let count = |severity, one: &str| match findings.iter().filter(|found| found.severity == severity).count()
    {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let _ = writeln!(out, "{file}: {}, {}", count(Severity::Error, "error"), count(Severity::Hint, "note"));
}

/// For programs.
pub fn json(file: &str, report: Option<&CheckReport>, beside: &[CheckedFile]) -> String {
    let section = |section: &Whose| {
        json!({
            "name": section.name,
            "driver": section.driver,
            "checked": section.checked,
            "nutdrv_qx": section.new.as_ref().map(|new| new.text.clone()),
        })
    };
    let other = |other: &CheckedFile| json!({ "file": other.file, "works": other.works(), "findings": findings(&other.findings), "qxups_toml": other.translated });
    let all = match report {
        Some(report) => json!({
            "file": file,
            "works": report.works(),
            "findings": findings(&report.findings),
            "sections": report.sections.iter().map(section).collect::<Vec<Value>>(),
            "beside": beside.iter().map(other).collect::<Vec<Value>>(),
        }),
        None => beside.first().map_or(Value::Null, other),
    };
    format!("{all:#}\n")
}

fn findings(findings: &[LineFinding]) -> Vec<Value> {
    let weight = |finding: &LineFinding| if finding.severity == Severity::Error { "error" } else { "note" };
    let each = findings
        .iter()
        .map(|finding| json!({ "line": finding.line, "weight": weight(finding), "text": finding.text }));
    each.collect()
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
