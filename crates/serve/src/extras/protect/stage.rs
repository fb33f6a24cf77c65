//! `[[protect.group.stage]]`.

use super::super::read::{TomlReader, heading, shown};
use super::{PROGRAMS, ProgramOptions, StageOptions, StageSignal, command, is_name, name, seconds, tables_of};
use nut::upsd_users::Network;
use std::time::Duration;

const KEYS: &[&str] = &["name", "users", "addresses", "names", "signal", "time_s", "run", "notify"];

/// Reads one; `upses` are those of its group.
pub(super) fn read(reader: &mut TomlReader<'_>, table: &str, upses: &[String]) -> Option<StageOptions> {
    reader.check_keys(table, KEYS);
    let name = name(reader, table);
    let wanted = "names of upsd.users, such as users = [\"lab\"]";
    let users = reader.each_text(table, "users", wanted, |text| (!text.is_empty()).then(|| text.to_string()));
    let wanted = "addresses, such as addresses = [\"192.0.2.7\", \"198.51.100.0/24\"]";
    let addresses = reader.each_text(table, "addresses", wanted, Network::parse);
    let stage = StageOptions {
        name: name.unwrap_or_default(),
        users,
        addresses,
        names: names(reader, table, upses),
        signal: signal(reader, table),
        time: seconds(reader, table, "time_s", 1, 120),
        programs: programs(reader, table),
        outputs: outputs(reader, table),
    };
    (!stage.name.is_empty()).then_some(stage)
}

fn names(reader: &mut TomlReader<'_>, table: &str, upses: &[String]) -> Vec<(String, String)> {
    let wanted = "a further name with its UPS, such as rack-lab = \"rack\"";
    let pairs = reader.each_pair(table, "names", wanted, |ups| Some(ups.to_string()));
    for (extra, ups) in &pairs {
        if !is_name(extra) {
            reader.refuse(table, "names", &format!("{} is no name of a UPS: write {wanted}", shown(extra)));
        }
        if !upses.iter().any(|known| known.eq_ignore_ascii_case(ups)) {
            let said = format!("{} stands for {}, which does not feed this group: write one of {}", shown(extra), shown(ups), upses.join(", "));
            reader.refuse(table, "names", &said);
        }
    }
    pairs
}

fn signal(reader: &mut TomlReader<'_>, table: &str) -> StageSignal {
    match reader.text(table, "signal", "signal = \"fsd\" or \"lb\"").as_deref() {
        None | Some("fsd") => StageSignal::Fsd,
        Some("lb") => StageSignal::Lb,
        Some(other) => {
            reader.refuse(table, "signal", &format!("{} is no signal: write signal = \"fsd\" or \"lb\"", shown(other)));
            StageSignal::Fsd
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
            reader.lacks(&inner, format!("{} runs nothing: write command = [\"/path/of/program\"]", heading(&inner)));
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
