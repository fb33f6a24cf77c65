//! What lies beside `ups.conf`: `upsd.conf`, `upsd.users` and `qxups.toml`, as the server reads them, and what upsmon and
//! upssched read.

use super::{protect, upsmon, upssched};
use nut::upsd_conf;
use nut::upsd_users::{self, Password, UpsdUsers};
use serve::extras::{self, CommunityPlace, SnmpOptions};
use serve::passwords::check_hash;
use station::config::{LineFinding, Severity};
use std::fmt::Display;
use std::path::Path;

/// Their names.
pub const NAMES: [&str; 5] = ["upsd.conf", "upsd.users", "upsmon.conf", "upssched.conf", extras::FILE];

/// What was found in one of them.
pub struct CheckedFile {
    /// Where it is.
    pub file: String,
    /// What is to be said of it, by line.
    pub findings: Vec<LineFinding>,
    /// What it comes to in `qxups.toml`, where that was asked for.
    pub translated: Option<String>,
}

impl CheckedFile {
    /// Whether a file is one of them, by its name.
    pub fn is_one(file: &Path) -> bool {
        NAMES.iter().any(|name| file.file_name().is_some_and(|is| is == *name))
    }

    /// Checks what stands in the file.
    pub fn of(file: &Path, text: &[u8]) -> CheckedFile {
        let findings = match file.file_name().and_then(|name| name.to_str()) {
            Some("upsd.conf") => {
                let conf = upsd_conf::parse(text);
                let wrong = conf.wrong.iter().map(|wrong| error(wrong.line, &wrong.fault));
                wrong.chain(conf.remarks.iter().map(|remark| hint(remark.line, &remark.matter))).collect()
            }
            Some("upsd.users") => {
                let users = upsd_users::parse(text);
                let wrong = users.wrong.iter().map(|wrong| error(wrong.line, &wrong.fault));
                let hints = users.remarks.iter().map(|remark| hint(remark.line, &remark.matter));
                wrong.chain(hints).chain(hashes(&users)).collect()
            }
            Some("upsmon.conf") => upsmon::check(file, text),
            Some("upssched.conf") => upssched::check(file, text),
            _ => match extras::parse(text) {
                Ok(extras) => {
                    let mut findings = extras.snmp.map(|snmp| agents(file, *snmp)).unwrap_or_default();
                    findings
                        .extend(extras.protect.iter().flat_map(|options| protect::findings(file, options)));
                    findings
                }
                Err(wrong) => wrong,
            },
        };
        let mut findings: Vec<LineFinding> = findings;
        findings.sort_by_key(|finding| finding.line);
        CheckedFile { file: file.display().to_string(), findings, translated: None }
    }

    /// The same of a file that was asked for by itself: with what it comes to in `qxups.toml`.
    pub fn alone(file: &Path, text: &[u8]) -> CheckedFile {
        let mut checked = CheckedFile::of(file, text);
        let (toml, findings) = match file.file_name().and_then(|name| name.to_str()) {
            Some("upsmon.conf") => upsmon::translated(text),
            Some("upssched.conf") => upssched::translated(file, text),
            _ => return checked,
        };
        findings.into_iter().for_each(|finding| checked.add(finding));
        checked.translated = Some(toml).filter(|toml| !toml.is_empty());
        checked
    }

    /// One that this user may not read.
    pub fn unread(file: &Path, error: &dyn Display) -> CheckedFile {
        let text =
            format!("cannot be read ({error}), so it was not checked: run this as a user who may read it");
        CheckedFile {
            file: file.display().to_string(),
            findings: vec![LineFinding::hint(None, text)],
            translated: None,
        }
    }

    /// Adds what is to be said as well.
    pub fn add(&mut self, finding: LineFinding) {
        self.findings.push(finding);
        self.findings.sort_by_key(|finding| finding.line);
    }

    /// Whether the server takes it.
    pub fn works(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// SNMP agents of UPSes that ups.conf does not have, and a community string that cannot be read.
fn agents(file: &Path, mut snmp: SnmpOptions) -> Vec<LineFinding> {
    let mut findings = vec![];
    let unreadable = match &snmp.community {
        CommunityPlace::File(name) => {
            let place = file.with_file_name(name);
            let denied = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
            std::fs::File::open(&place).err().filter(denied).map(|error| (place, error))
        }
        CommunityPlace::Inline(_) => None,
    };
    if let Some((place, error)) = unreadable {
        let text = format!("[snmp] community_file: {} was not checked: {error}", place.display());
        findings.push(LineFinding::hint(None, text));
    } else if let Err(why) = snmp.read_community(file.parent().unwrap_or(Path::new("."))) {
        findings.push(LineFinding::error(None, why));
    }
    let Ok(conf) = std::fs::read(file.with_file_name("ups.conf")) else { return findings };
    let conf = nut::ups_conf::parse(&conf);
    let is_there = |name: &str| conf.sections.iter().any(|section| section.name.eq_ignore_ascii_case(name));
    let missing = snmp.agents.iter().filter(|(name, _)| !is_there(name));
    findings.extend(missing.map(|(name, _)| {
        let name = name.escape_debug();
        LineFinding::hint(
            None,
            format!(
                "[snmp.agents] has '{name}', and ups.conf has no such UPS: write the name of its section"
            ),
        )
    }));
    findings
}

/// Hashed passwords that the server does not check: it does not start with one.
fn hashes(users: &UpsdUsers) -> impl Iterator<Item = LineFinding> {
    users.users.iter().filter_map(|user| {
        let Some(Password::Hash(hash)) = &user.password else { return None };
        check_hash(hash).err().map(|why| error(user.password_line, &format_args!("[{}]: {why}", user.name)))
    })
}

pub(super) fn error(line: usize, fault: &dyn Display) -> LineFinding {
    LineFinding::error(Some(line), fault.to_string())
}

pub(super) fn hint(line: usize, matter: &dyn Display) -> LineFinding {
    LineFinding::hint(Some(line), matter.to_string())
}
