//! `upssched.conf`: what upssched passes over in silence, and what of it is never run.

use super::beside::{error, hint};
use super::commands;
use nut::upsmon_conf::{self, UpsmonConf};
use nut::upssched_conf::{self, UpsschedAction, UpsschedConf, UpsschedConfFault, UpsschedConfMatter};
use serve::extras::translate;
use station::config::{LineFinding, nearest};
use std::path::Path;

/// Everything to be said of a file with this text.
pub fn check(file: &Path, text: &[u8]) -> Vec<LineFinding> {
    let conf = upssched_conf::parse(text);
    let mut findings = lines(&conf);
    let Some(first) = conf.rules.first() else { return findings };
    let script = commands::cannot_run(&conf.script);
    findings
        .extend(script.map(|(program, why)| error(first.line, &format_args!("CMDSCRIPT: {program} {why}"))));
    for (word, path) in [("PIPEFN", &conf.pipe), ("LOCKFN", &conf.lock)] {
        let folder = path.as_ref().and_then(|path| Path::new(path).parent());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            let path = path.as_deref().unwrap_or_default();
            findings.push(error(
                first.line,
                &format_args!(
                    "{word} {path} cannot be made: create its folder, writable for the user of upsmon"
                ),
            ));
        }
    }
    findings.extend(timers(&conf));
    if let Some(upsmon) = upsmon_beside(file) {
        findings.extend(never_run(&conf, &upsmon));
    }
    findings
}

/// What it comes to in `qxups.toml`, with what is lost.
pub fn translated(file: &Path, text: &[u8]) -> (String, Vec<LineFinding>) {
    let translation = translate::of_upssched(&upssched_conf::parse(text), upsmon_beside(file).as_ref());
    (translation.toml, translation.findings)
}

/// upsmon.conf of the same folder, where it is in use.
fn upsmon_beside(file: &Path) -> Option<UpsmonConf> {
    let text = std::fs::read(file.with_file_name("upsmon.conf")).ok()?;
    Some(upsmon_conf::parse(&text)).filter(|conf| !conf.monitors.is_empty())
}

fn lines(conf: &UpsschedConf) -> Vec<LineFinding> {
    let events: Vec<String> =
        upsmon_conf::UpsmonEvent::all().map(|event| event.word().to_ascii_lowercase()).collect();
    let directives: Vec<String> = upssched_conf::directives().map(str::to_ascii_lowercase).collect();
    let meant = |word: &str, known: &[String]| {
        let meant = nearest(word, known.iter().map(String::as_str))?;
        Some(format!("there is no {word}: did you mean {}?", meant.to_ascii_uppercase()))
    };
    let mut findings = vec![];
    for wrong in &conf.wrong {
        let nearest = match &wrong.fault {
            UpsschedConfFault::NoEvent(word) => meant(word, &events),
            _ => None,
        };
        findings.push(match nearest {
            Some(text) => error(wrong.line, &text),
            None => error(wrong.line, &wrong.fault),
        });
    }
    for remark in &conf.remarks {
        let found = match &remark.matter {
            UpsschedConfMatter::Unknown(word, None) => match meant(word, &directives) {
                Some(text) => error(remark.line, &text),
                None => error(remark.line, &remark.matter),
            },
            UpsschedConfMatter::Unknown(..) | UpsschedConfMatter::Arguments => {
                error(remark.line, &remark.matter)
            }
            matter => hint(remark.line, matter),
        };
        findings.push(found);
    }
    findings
}

/// Timers that end and never begin.
fn timers(conf: &UpsschedConf) -> Vec<LineFinding> {
    let starts = |timer: &str| {
        conf.rules
            .iter()
            .any(|rule| matches!(&rule.action, UpsschedAction::StartTimer { name, .. } if name == timer))
    };
    let mut findings = vec![];
    for rule in &conf.rules {
        if let UpsschedAction::CancelTimer { name, .. } = &rule.action {
            if !starts(name) {
                findings.push(error(
                    rule.line,
                    &format_args!("no line starts the timer {name}: correct its name, or remove this line"),
                ));
            }
        }
    }
    findings
}

/// What upsmon does not hand on.
fn never_run(conf: &UpsschedConf, upsmon: &UpsmonConf) -> Vec<LineFinding> {
    if !translate::runs_upssched(upsmon) {
        let line = conf.rules.first().map_or(1, |rule| rule.line);
        return vec![hint(
            line,
            &"NOTIFYCMD of upsmon.conf is not upssched, so nothing of this file has an effect: write NOTIFYCMD /sbin/upssched",
        )];
    }
    let mut findings = vec![];
    for rule in &conf.rules {
        if !upsmon.flags_of(rule.event).runs() {
            findings.push(error(
                rule.line,
                &format_args!(
                    "this never happens: upsmon does not run upssched at {0}; write NOTIFYFLAG {0} SYSLOG+EXEC in upsmon.conf",
                    rule.event
                ),
            ));
        }
        let is_known = |system: &String| upsmon.monitors.iter().any(|monitor| monitor.system == *system);
        if let Some(system) = rule.ups.as_ref().filter(|system| !is_known(system)) {
            let known: Vec<&str> = upsmon.monitors.iter().map(|monitor| monitor.system.as_str()).collect();
            findings.push(error(
                rule.line,
                &format_args!(
                    "upsmon.conf has no MONITOR of {system}: write it as there, one of {}, or *",
                    known.join(", ")
                ),
            ));
        }
    }
    findings
}
