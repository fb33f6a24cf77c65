//! The lines of `ups.conf` that no driver reads before the server does: what is wrong with those of a section that the
//! server serves by itself, and what is said of those that stand in none.

use nut::ups_conf::{Assignment, Section, UpsConf, UpsConfFault};
use station::config::{LineFinding, Severity, check_globals, generic, nearest, wrong_lines};
use std::path::Path;

/// What a UPS of another server has.
const UPSTREAM: [&str; 5] =
    ["upstream_user", "upstream_password", "upstream_tls", "upstream_fingerprint", "upstream_certpath"];
/// What `dummy-ups` of NUT has (newest NUT drivers/dummy-ups.c).
const DUMMY_UPS: [&str; 3] = ["mode", "authconf", "repeater_disable_strict_start"];
/// What every driver has, and changes the data of its UPS.
const CHANGES_DATA: [&str; 4] = ["pollinterval", "ignorelb", "sdcommands", "allow_killpower"];

/// A line, and what is wrong with it.
pub(super) type Wrong = (usize, String);

/// Of quotes that were never closed, and took the headings of UPSes in, no part can be used: UPSes are missing.
///
/// # Errors
/// Line and sentence.
pub(super) fn check_headings(conf: &UpsConf) -> Result<(), Wrong> {
    let lost = conf.swallowed.iter().find(|one| one.is_heading);
    lost.map_or(Ok(()), |lost| Err((lost.line, lost.to_string())))
}

/// A heading without its end counts as a setting, as in NUT; what stands below it would be for the UPS above.
///
/// # Errors
/// Line and sentence.
pub(super) fn check_begins(section: &Section) -> Result<(), Wrong> {
    let begins = section.settings.iter().find(|setting| setting.name.starts_with('['));
    begins.map_or(Ok(()), |Assignment { name, line, .. }| {
        Err((*line, format!("'{name}' is no section: write [name]")))
    })
}

/// The first line that looks like a heading and is none.
pub(super) fn wrong_heading(conf: &UpsConf) -> Option<Wrong> {
    let is_heading = |fault: &UpsConfFault| match fault {
        UpsConfFault::Nameless => true,
        UpsConfFault::Shape(text) => text.starts_with('['),
        UpsConfFault::Words(_) => false,
    };
    let wrong = conf.wrong.iter().find(|wrong| is_heading(&wrong.fault))?;
    Some((wrong.line, wrong.fault.to_string()))
}

/// What is to be said of lines that stand in no section.
pub(super) fn of_no_section(conf: &UpsConf) -> Vec<LineFinding> {
    let mut findings = check_globals(conf);
    findings.extend(wrong_lines(conf, |section| section.is_none_or(str::is_empty)));
    findings
}

/// The lines of a section that the server reads alone: one that cannot be read may be what the section is safe by.
///
/// # Errors
/// All that cannot be read.
pub(super) fn check_part(
    conf: &UpsConf,
    section: &Section,
    hints: &mut Vec<LineFinding>,
) -> Result<(), Vec<Wrong>> {
    let mut unread = vec![];
    let is_wrong = |line: Option<usize>| conf.wrong.iter().any(|wrong| Some(wrong.line) == line);
    let is_password =
        |line: Option<usize>| conf.lost.iter().any(|lost| Some(lost.line) == line && is_upstream(&lost.name));
    for mut finding in wrong_lines(conf, |name| name == Some(section.name.as_str())) {
        if finding.severity == Severity::Error || is_wrong(finding.line) || is_password(finding.line) {
            let kept = finding.text.trim_end_matches("; ignored").len();
            finding.text.truncate(kept);
            unread.push((finding.line.unwrap_or(section.line), finding.text));
        } else {
            hints.push(finding);
        }
    }
    if unread.is_empty() { Ok(()) } else { Err(unread) }
}

/// The lines of a section whose driver is another process, which reads them by itself: all that counts here is that no
/// other section is among them.
///
/// # Errors
/// A line that belongs to another section.
pub(super) fn check_foreign(
    conf: &UpsConf,
    section: &Section,
    hints: &mut Vec<LineFinding>,
) -> Result<(), Wrong> {
    hints.extend(wrong_lines(conf, |name| name == Some(section.name.as_str())));
    for Assignment { name, line, .. } in &section.settings {
        if is_upstream(name) {
            return Err((
                *line,
                format!("'{name}' is for a UPS of another server: write port = ups@host, too"),
            ));
        }
    }
    Ok(())
}

fn is_upstream(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("upstream_")
}

/// The names and values of a section of a UPS of another server. What is not understood is never passed over: the
/// password would go to any server.
///
/// # Errors
/// All that is wrong.
pub(super) fn check_upstream(
    conf: &UpsConf,
    section: &Section,
    driver: &str,
    hints: &mut Vec<LineFinding>,
) -> Result<(), Vec<Wrong>> {
    check_part(conf, section, hints)?;
    let mut wrong: Vec<Wrong> = check_before_sections(conf, section).err().into_iter().collect();
    for (count, Assignment { name, value, line }) in section.settings.iter().enumerate() {
        let lower = name.to_ascii_lowercase();
        let is_empty = value.as_deref().is_none_or(|value| value.trim().is_empty());
        let mut hint = |text: String| hints.push(LineFinding::hint(Some(*line), text));
        if section.settings[..count].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(name)) {
            hint(format!("'{name}' is set twice; the last one is used"));
        }
        let is_prefixed = ["override.", "default."].iter().any(|prefix| lower.starts_with(prefix));
        match lower.as_str() {
            known if UPSTREAM.contains(&known) => {
                if is_empty {
                    wrong.push((*line, format!("{name} needs a value: write {name} = something")));
                }
            }
            "authconf" if driver == "dummy-ups" => hint(
                "authconf has no effect here; write upstream_user, upstream_password and upstream_certpath"
                    .into(),
            ),
            known if driver == "dummy-ups" && DUMMY_UPS.contains(&known) => {}
            known if CHANGES_DATA.contains(&known) || is_prefixed => {
                hint(format!("{name} has no effect here: the UPS is read from its server as it is"));
            }
            _ if generic(name).is_some_and(|row| row.is_for_sections()) => {}
            _ => wrong.push((*line, unknown(name))),
        }
    }
    match wrong.is_empty() {
        true => both_or_none(section).map_err(|wrong| vec![wrong]),
        false => Err(wrong),
    }
}

fn unknown(name: &str) -> String {
    let known = UPSTREAM.into_iter().chain(["driver", "port", "desc"]);
    let hint = match nearest(name, known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", UPSTREAM.join(", ")),
    };
    format!("'{name}' is not an option of a UPS of another server; {hint}")
}

/// A name without its password is one of them misspelt, or left out; orders would fail.
fn both_or_none(section: &Section) -> Result<(), Wrong> {
    let line = |name: &str| {
        let found = section.settings.iter().find(|setting| setting.name.eq_ignore_ascii_case(name));
        found.map(|setting| setting.line)
    };
    match (line(UPSTREAM[0]), line(UPSTREAM[1])) {
        (Some(line), None) => Err((line, "upstream_user needs upstream_password: add it".into())),
        (None, Some(line)) => Err((line, "upstream_password needs upstream_user: add it".into())),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

/// What was meant for this section may stand before the first.
fn check_before_sections(conf: &UpsConf, section: &Section) -> Result<(), Wrong> {
    let misplaced = conf.global.iter().find(|setting| is_upstream(&setting.name));
    if let Some(Assignment { name, line, .. }) = misplaced {
        return Err((*line, format!("'{name}' has no effect here; move it below [{}]", section.name)));
    }
    let is_meant = |fault: &UpsConfFault| matches!(fault, UpsConfFault::Shape(text) if is_upstream(text));
    let unread = wrong_lines(conf, |section| section.is_none()).into_iter().find(|finding| {
        let mut wrong = conf.wrong.iter().filter(|wrong| Some(wrong.line) == finding.line);
        finding.severity == Severity::Error || wrong.any(|wrong| is_meant(&wrong.fault))
    });
    unread.map_or(Ok(()), |finding| Err((finding.line.unwrap_or(1), finding.text)))
}

/// A remark as the log has it, unless it is there already: with the name of the UPS, where its line is one of its section.
pub(super) fn remark(remarks: &mut Vec<String>, conf: &UpsConf, section: &Section, finding: &LineFinding) {
    let is_of_all = finding.line.is_some_and(|line| {
        conf.global.iter().any(|setting| setting.line == line)
            || conf.wrong.iter().any(|wrong| wrong.line == line && wrong.section.is_none())
            || conf.swallowed.iter().any(|one| one.line == line && one.section.is_none())
            || conf.lost.iter().any(|lost| lost.line == line && lost.section.is_none())
    });
    let text = if is_of_all { finding.to_string() } else { format!("{}: {finding}", section.name) };
    if !remarks.contains(&text) {
        remarks.push(text);
    }
}

/// File and line before a sentence.
pub(super) fn at(folder: &Path, (line, why): &Wrong) -> String {
    format!("{}, line {line}: {why}", folder.join("ups.conf").display())
}
