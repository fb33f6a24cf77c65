//! `[protect]` of `qxups.toml` beside `ups.conf` and `upsd.users`: what it names has to be there.

use nix::unistd::{AccessFlags, access};
use nut::{ups_conf, upsd_users};
use protect::OnMains;
use serve::extras::ProtectOptions;
use serve::extras::protect::HostShutdownWay;
use station::config::LineFinding;
use std::path::Path;

/// What is to be said of it; `file` is `qxups.toml`.
pub fn findings(file: &Path, options: &ProtectOptions) -> Vec<LineFinding> {
    let mut findings = vec![];
    let policy = options.policy(&|_| None, &|_| OnMains::Unknown);
    for fault in protect::check(&policy) {
        let of = fault.group.map(|group| format!("group {group}: ")).unwrap_or_default();
        let text = format!("[protect] {of}{}", fault.text);
        findings.push(if fault.grave { LineFinding::error(None, text) } else { hint(text) });
    }
    if !options.arm {
        findings.push(hint("[protect] is dry: nothing is done until it says arm = true".into()));
    }
    upses(file, options, &mut findings);
    users(file, options, &mut findings);
    programs(options, &mut findings);
    findings
}

fn hint(text: String) -> LineFinding {
    LineFinding::hint(None, text)
}

/// UPSes that `ups.conf` does not have, and further names that are those of UPSes.
fn upses(file: &Path, options: &ProtectOptions, findings: &mut Vec<LineFinding>) {
    let Ok(conf) = std::fs::read(file.with_file_name("ups.conf")) else { return };
    let conf = ups_conf::parse(&conf);
    let is_there = |name: &str| conf.sections.iter().any(|section| section.name.eq_ignore_ascii_case(name));
    for group in &options.groups {
        for feed in group.plan.feeds.iter().filter(|feed| !is_there(&feed.ups)) {
            findings.push(LineFinding::error(
                None,
                format!(
                    "[protect] group {}: ups.conf has no UPS '{}': write the name of its section",
                    group.plan.name,
                    feed.ups.escape_debug()
                ),
            ));
        }
        for (plan, stage) in group.plan.stages.iter().zip(&group.stages) {
            for (name, _) in stage.names.iter().filter(|(name, _)| is_there(name)) {
                let text = format!(
                    "[protect] stage {}: {name} is a UPS of ups.conf, so it is no further name: write another",
                    plan.name
                );
                findings.push(LineFinding::error(None, text));
            }
        }
    }
}

/// Users that `upsd.users` does not have.
fn users(file: &Path, options: &ProtectOptions, findings: &mut Vec<LineFinding>) {
    let Ok(text) = std::fs::read(file.with_file_name("upsd.users")) else { return };
    let users = upsd_users::parse(&text);
    let stages = options.groups.iter().flat_map(|group| &group.stages);
    let mut named: Vec<&str> = stages.flat_map(|stage| stage.users.iter().map(String::as_str)).collect();
    named.extend(options.expected.iter().filter_map(|expected| expected.user.as_deref()));
    named.sort_unstable();
    named.dedup();
    for name in named.into_iter().filter(|name| users.user(name).is_none()) {
        findings.push(hint(format!(
            "[protect] names the user '{}', and upsd.users has none of that name: no client can log in by it",
            name.escape_debug()
        )));
    }
}

/// Programs that are not there, or cannot be run by the user who checks.
fn programs(options: &ProtectOptions, findings: &mut Vec<LineFinding>) {
    let stages = options.groups.iter().flat_map(|group| &group.stages);
    let of_stages = stages.flat_map(|stage| &stage.programs).filter_map(|program| program.command.first());
    let of_host = options.host.iter().filter_map(|host| match &host.shutdown {
        HostShutdownWay::Command(words) => words.first(),
        HostShutdownWay::Logind => None,
    });
    for program in of_stages.chain(of_host) {
        if let Err(error) = access(program.as_str(), AccessFlags::X_OK) {
            let text =
                format!("[protect] {program} cannot be run: {}; write the path of a program", error.desc());
            findings.push(hint(text));
        }
    }
}
