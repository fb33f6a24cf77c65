//! `upsmon.conf`: what upsmon passes over in silence, and what only shows beside the other files and on the machine.

use super::beside::{error, hint};
use super::commands;
use nut::upsd_users::{self, AllowedAction};
use nut::upsmon_conf::{self, UpsmonConf, UpsmonConfMatter, UpsmonDirective, UpsmonEvent, UpsmonMonitor};
use serve::extras::{translate, upsmon};
use serve::passwords;
use station::config::{LineFinding, nearest};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where systemd looks for programs that run at the end of a shutdown.
const HOOKS: [&str; 3] =
    ["/etc/systemd/system-shutdown", "/usr/lib/systemd/system-shutdown", "/lib/systemd/system-shutdown"];

/// Everything to be said of a file with this text.
pub fn check(file: &Path, text: &[u8]) -> Vec<LineFinding> {
    let conf = upsmon_conf::parse(text);
    let mut findings = lines(&conf);
    // the file that comes with the package is in no use
    if conf.monitors.is_empty() {
        return findings;
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    findings.extend(open_to_all(file));
    findings.extend(monitors(&conf, folder));
    findings.extend(supplies(&conf));
    findings.extend(shutdown(&conf));
    findings.extend(power_down(&conf, &HOOKS.map(PathBuf::from)));
    findings.extend(notices(&conf, folder));
    findings.extend(times(&conf));
    findings
}

/// What it comes to in `qxups.toml`, with what is lost.
pub fn translated(text: &[u8]) -> (String, Vec<LineFinding>) {
    let conf = upsmon_conf::parse(text);
    if conf.monitors.is_empty() {
        return (String::new(), vec![]);
    }
    let (plan, notices) = (upsmon::plan(&conf), translate::of_notify_command(&conf));
    let parts = [plan.toml(), notices.toml];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (parts.join("\n"), [plan.findings, notices.findings].concat())
}

fn lines(conf: &UpsmonConf) -> Vec<LineFinding> {
    let mut findings: Vec<LineFinding> =
        conf.wrong.iter().map(|wrong| error(wrong.line, &wrong.fault)).collect();
    for remark in &conf.remarks {
        let is_grave = remark.matter.is_grave();
        let found = match &remark.matter {
            UpsmonConfMatter::Unknown(word, None) => {
                let known: Vec<String> =
                    UpsmonDirective::all().map(|directive| directive.word().to_ascii_lowercase()).collect();
                match nearest(word, known.iter().map(String::as_str)) {
                    Some(meant) => error(
                        remark.line,
                        &format_args!("there is no {word}: did you mean {}?", meant.to_ascii_uppercase()),
                    ),
                    None => error(remark.line, &remark.matter),
                }
            }
            matter if is_grave => error(remark.line, matter),
            matter => hint(remark.line, matter),
        };
        findings.push(found);
    }
    findings
}

fn open_to_all(file: &Path) -> Option<LineFinding> {
    let mode = file.metadata().ok()?.permissions().mode();
    let name = file.display();
    (mode & 0o004 != 0).then(|| {
        hint(1, &format_args!("every user of this machine may read the passwords: run 'chmod o= {name}'"))
    })
}

/// Each UPS of this machine has to be there, and to let this user in.
fn monitors(conf: &UpsmonConf, folder: &Path) -> Vec<LineFinding> {
    let ours = conf.monitors.iter().filter(|monitor| monitor.place.is_local());
    let ours = || ours.clone().filter(|monitor| monitor.place.port == nut::network::PORT);
    let mut findings = vec![];
    if let Ok(text) = std::fs::read(folder.join("ups.conf")) {
        let conf = nut::ups_conf::parse(&text);
        let names: Vec<&str> = conf.sections.iter().map(|section| section.name.as_str()).collect();
        findings.extend(ours().filter_map(|monitor| missing(monitor, &names)));
    }
    match std::fs::read(folder.join("upsd.users")) {
        Ok(text) => {
            let users = upsd_users::parse(&text);
            findings.extend(ours().filter_map(|monitor| turned_away(monitor, &users)));
        }
        Err(why) if why.kind() == ErrorKind::PermissionDenied => {
            findings.extend(ours().next().map(|monitor| {
                hint(
                    monitor.line,
                    &format_args!("passwords were not checked: upsd.users: {why}; run this as root"),
                )
            }))
        }
        Err(_) => {}
    }
    findings
}

fn missing(monitor: &UpsmonMonitor, names: &[&str]) -> Option<LineFinding> {
    let name = &monitor.place.ups;
    if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let then = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "write the name of one of its sections".into(),
    };
    Some(error(monitor.line, &format_args!("ups.conf has no UPS {name}: {then}")))
}

fn turned_away(monitor: &UpsmonMonitor, users: &upsd_users::UpsdUsers) -> Option<LineFinding> {
    let (name, role) = (&monitor.user, if monitor.is_primary { "primary" } else { "secondary" });
    let Some(user) = users.user(name) else {
        let known: Vec<&str> = users.users.iter().map(|user| user.name.as_str()).collect();
        let then = match nearest(name, known) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("add [{name}] with password and upsmon {role}"),
        };
        return Some(error(
            monitor.line,
            &format_args!("upsd.users has no user {name} with a password: {then}"),
        ));
    };
    let mut by_hash = |hash: &str, given: &str| passwords::is_password(hash, given);
    if !user.password.as_ref().is_some_and(|password| password.is(&monitor.password, &mut by_hash)) {
        return Some(error(
            monitor.line,
            &format_args!("the password is not that of {name} in upsd.users: write the same in both"),
        ));
    }
    let lacks =
        !user.may_do(AllowedAction::Login) || monitor.is_primary && !user.may_do(AllowedAction::Primary);
    lacks.then(|| {
        error(
            monitor.line,
            &format_args!("user {name} of upsd.users may not be {role}: write upsmon {role} below [{name}]"),
        )
    })
}

fn supplies(conf: &UpsmonConf) -> Option<LineFinding> {
    let (needed, fed) = (conf.supplies_needed(), conf.supplies_fed());
    let line = conf.line_of(UpsmonDirective::MinSupplies).unwrap_or(1);
    (u64::from(needed) > fed).then(|| {
        error(
            line,
            &format_args!(
                "MINSUPPLIES is {needed}, and all UPSes together feed {fed}, so upsmon does not start: write MINSUPPLIES {fed}, or the \
                 power values as they are"
            ),
        )
    })
}

fn shutdown(conf: &UpsmonConf) -> Option<LineFinding> {
    if conf.supplies_needed() == 0 {
        return None;
    }
    let Some(line) = conf.line_of(UpsmonDirective::ShutdownCmd) else {
        let text = "there is no SHUTDOWNCMD, so this host stays up until the battery is empty: write SHUTDOWNCMD \"/sbin/shutdown -h +0\"";
        return Some(error(1, &text));
    };
    commands::cannot_run(&conf.shutdown_command)
        .map(|(program, why)| error(line, &format_args!("SHUTDOWNCMD: {program} {why}")))
}

/// A primary switches its UPS off at the very end; else hosts stay off where mains are back in between.
fn power_down(conf: &UpsmonConf, hooks: &[PathBuf]) -> Option<LineFinding> {
    let primary = conf.monitors.iter().find(|monitor| monitor.is_primary && monitor.power_value > 0)?;
    if conf.supplies_needed() == 0 {
        return None;
    }
    let Some(flag) = &conf.power_down_flag else {
        let text = "this host is primary, and there is no POWERDOWNFLAG, so nothing switches the UPS off at the end, and hosts stay off \
                    where mains are back before: write POWERDOWNFLAG /run/nut/killpower";
        return Some(error(primary.line, &text));
    };
    let line = conf.line_of(UpsmonDirective::PowerDownFlag).unwrap_or(1);
    let folder = Path::new(flag).parent().filter(|_| flag.starts_with('/'));
    if folder.is_none_or(|folder| !folder.is_dir()) {
        let text = format!("POWERDOWNFLAG {flag} cannot be written: name a file in a folder that is there");
        return Some(error(line, &text));
    }
    let there: Vec<&PathBuf> = hooks.iter().filter(|folder| folder.is_dir()).collect();
    if there.is_empty() || there.iter().any(|folder| has_hook(folder)) {
        return None;
    }
    Some(hint(
        line,
        &format_args!(
            "no program in {} reads the flag and switches the UPS off: install that of nut-client, or that of qxups",
            there.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    ))
}

fn has_hook(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut texts = entries.filter_map(|entry| std::fs::read(entry.path()).ok());
    texts.any(|text| {
        let text = String::from_utf8_lossy(&text);
        ["upsmon -K", "upsdrvctl", "killpower"].iter().any(|word| text.contains(word))
    })
}

fn notices(conf: &UpsmonConf, folder: &Path) -> Vec<LineFinding> {
    let mut runs = UpsmonEvent::all().filter(|event| conf.flags_of(*event).runs());
    let flagged = conf.line_of(UpsmonDirective::NotifyFlag).unwrap_or(1);
    let Some(line) = conf.line_of(UpsmonDirective::NotifyCmd) else {
        let text = |event| {
            error(
                flagged,
                &format_args!("NOTIFYFLAG {event} has EXEC, and there is no NOTIFYCMD to run: write one"),
            )
        };
        return runs.next().map(text).into_iter().collect();
    };
    let mut findings = vec![];
    if runs.next().is_none() {
        let text = "NOTIFYCMD never runs, as no NOTIFYFLAG has EXEC: write NOTIFYFLAG ONBATT SYSLOG+EXEC, and others";
        findings.push(error(line, &text));
    }
    let wrong = commands::cannot_run(&conf.notify_command);
    findings.extend(wrong.map(|(program, why)| error(line, &format_args!("NOTIFYCMD: {program} {why}"))));
    if translate::runs_upssched(conf) && !folder.join("upssched.conf").exists() {
        let text = "NOTIFYCMD is upssched, and there is no upssched.conf beside this file: write one, or name another program";
        findings.push(error(line, &text));
    }
    findings
}

fn times(conf: &UpsmonConf) -> Option<LineFinding> {
    let poll = conf.poll_s.unwrap_or(5).max(conf.poll_alert_s.unwrap_or(5));
    let dead = conf.dead_time_s.unwrap_or(15);
    let line = conf.line_of(UpsmonDirective::DeadTime).unwrap_or(1);
    (dead <= poll).then(|| {
        error(
            line,
            &format_args!(
                "DEADTIME is {dead} s, and a UPS is polled every {poll} s, so one on battery counts as dead between two polls: write \
                 DEADTIME {}",
                poll.saturating_mul(3)
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_no_program_reads_is_found() {
        let folder = std::env::temp_dir().join(format!("qxups-hooks-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!("MONITOR a 1 u p primary\nPOWERDOWNFLAG {}/flag\n", folder.display());
        let conf = upsmon_conf::parse(text.as_bytes());
        let found =
            || power_down(&conf, std::slice::from_ref(&folder)).map(|found| (found.line, found.severity));
        assert_eq!(found(), Some((Some(2), station::config::Severity::Hint)));
        std::fs::write(folder.join("other"), "#!/bin/sh\nexit 0\n").unwrap();
        assert!(found().is_some());
        // Debian's
        std::fs::write(
            folder.join("nutshutdown"),
            "#!/bin/sh\n/sbin/upsmon -K >/dev/null 2>&1 && /sbin/upsdrvctl shutdown\n",
        )
        .unwrap();
        assert_eq!(found(), None);
        assert_eq!(power_down(&conf, &[folder.join("none")]), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
