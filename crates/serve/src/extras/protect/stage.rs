//! `[[protect.group.stage]]`.

use super::super::read::{TomlReader, heading, shown};
use super::{PROGRAMS, ProgramOptions, StageOptions, WAKES, command, host, is_name, name, tables_of, time};
use ::protect::{StagePlan, StageSignal};
use nut::upsd_users::Network;
use std::time::Duration;

const KEYS: &[&str] = &[
    "name",
    "users",
    "addresses",
    "names",
    "signal",
    "time_s",
    "down_s",
    "run",
    "notify",
    "wake",
    "all_wakeable",
];

/// Reads one; `upses` are those of its group.
pub(super) fn read(
    reader: &mut TomlReader<'_>,
    table: &str,
    upses: &[String],
) -> Option<(StagePlan, StageOptions)> {
    reader.check_keys(table, KEYS);
    let name = name(reader, table);
    let wanted = "names of upsd.users, such as users = [\"lab\"]";
    let users = reader.each_text(table, "users", wanted, |text| (!text.is_empty()).then(|| text.to_string()));
    let wanted = "addresses, such as addresses = [\"192.0.2.7\", \"198.51.100.0/24\"]";
    let addresses = reader.each_text(table, "addresses", wanted, Network::parse);
    let count = tables_of(reader, table, "wake", WAKES);
    let wakes = (0..count).filter_map(|at| host::wake(reader, &format!("{table}.wake.{at}")));
    let (wake, wake_to): (Vec<_>, Vec<_>) = wakes.collect::<Vec<_>>().into_iter().unzip();
    let options = StageOptions {
        users,
        addresses,
        names: names(reader, table, upses),
        programs: programs(reader, table),
        outputs: outputs(reader, table),
        wake_to,
    };
    let usual = StagePlan::new(&name.unwrap_or_default());
    let has_clients = options.programs.is_empty()
        || !(options.users.is_empty() && options.addresses.is_empty() && options.names.is_empty());
    let plan = StagePlan {
        signal: signal(reader, table, has_clients),
        time: time(reader, table, "time_s", 1).unwrap_or(usual.time),
        down: time(reader, table, "down_s", 0).unwrap_or(usual.down),
        programs: options.programs.len(),
        webhooks: options.outputs.len(),
        wake,
        all_wakeable: reader.flag(table, "all_wakeable").unwrap_or(false),
        ..usual
    };
    (!plan.name.is_empty()).then_some((plan, options))
}

fn names(reader: &mut TomlReader<'_>, table: &str, upses: &[String]) -> Vec<(String, String)> {
    let wanted = "a further name with its UPS, such as rack-lab = \"rack\"";
    let pairs = reader.each_pair(table, "names", wanted, |ups| Some(ups.to_string()));
    for (extra, ups) in &pairs {
        if !is_name(extra) {
            reader.refuse(table, "names", &format!("{} is no name of a UPS: write {wanted}", shown(extra)));
        }
        if !upses.iter().any(|known| known.eq_ignore_ascii_case(ups)) {
            let said = format!(
                "{} stands for {}, which does not feed this group: write one of {}",
                shown(extra),
                shown(ups),
                upses.join(", ")
            );
            reader.refuse(table, "names", &said);
        }
    }
    pairs
}

fn signal(reader: &mut TomlReader<'_>, table: &str, has_clients: bool) -> Option<StageSignal> {
    let usual = has_clients.then_some(StageSignal::Forced);
    match reader.text(table, "signal", "signal = \"fsd\" or \"lb\"").as_deref() {
        None => usual,
        Some("fsd") => Some(StageSignal::Forced),
        Some("lb") => Some(StageSignal::LowBattery),
        Some(other) => {
            let said = format!("{} is no signal: write signal = \"fsd\" or \"lb\"", shown(other));
            reader.refuse(table, "signal", &said);
            usual
        }
    }
}

fn programs(reader: &mut TomlReader<'_>, table: &str) -> Vec<ProgramOptions> {
    let count = tables_of(reader, table, "run", PROGRAMS);
    let mut programs = vec![];
    for at in 0..count {
        let inner = format!("{table}.run.{at}");
        reader.check_keys(&inner, &["command", "limit_s"]);
        let limit = Duration::from_secs(reader.number(&inner, "limit_s", 1..=3600).unwrap_or(60));
        if !reader.has(&inner, "command") {
            let said = format!("{} runs nothing: write command = [\"/path/of/program\"]", heading(&inner));
            reader.lacks(&inner, said);
        }
        programs.extend(command(reader, &inner, "command").map(|command| ProgramOptions { command, limit }));
    }
    programs
}

fn outputs(reader: &mut TomlReader<'_>, table: &str) -> Vec<String> {
    let wanted = "names of outputs, such as notify = [\"phone\"] for [outputs.phone]";
    let known = reader.names("outputs");
    let names = reader.each_text(table, "notify", wanted, |name| Some(name.to_string()));
    for name in &names {
        if !known.contains(name) {
            let said = format!("there is no output {}: add [outputs.{}]", shown(name), shown(name));
            reader.refuse(table, "notify", &said);
        }
    }
    names
}
