//! `[[protect.group]]`.

use super::super::read::{TomlReader, heading, shown};
use super::{
    BeginOptions, GroupOptions, LoadOptions, LostChoice, RecoverOptions, STAGES, WAKES, name, percent, seconds, stage, tables_of,
};
use super::host::wake;
use std::time::Duration;

const KEYS: &[&str] = &[
    "name", "ups", "need", "begin", "lost", "dead_time_s", "steady_s", "cancel", "stage", "load", "recover", "wake",
];

/// Reads one.
pub(super) fn read(reader: &mut TomlReader<'_>, table: &str) -> Option<GroupOptions> {
    reader.check_keys(table, KEYS);
    let name = name(reader, table);
    let upses = upses(reader, table);
    let need = need(reader, table, upses.len());
    let stages = stages(reader, table, &upses);
    let count = tables_of(reader, table, "wake", WAKES);
    let group = GroupOptions {
        name: name.unwrap_or_default(),
        need,
        begin: begin(reader, table),
        lost: lost(reader, table),
        dead_time: seconds(reader, table, "dead_time_s", 1, 15),
        steady: seconds(reader, table, "steady_s", 1, 30),
        cancel: reader.flag(table, "cancel").unwrap_or(true),
        stages,
        load: load(reader, table),
        recover: recover(reader, table),
        wakes: (0..count).filter_map(|at| wake(reader, &format!("{table}.wake.{at}"))).collect(),
        upses,
    };
    (!group.name.is_empty() && !group.upses.is_empty()).then_some(group)
}

fn upses(reader: &mut TomlReader<'_>, table: &str) -> Vec<String> {
    let wanted = "names of sections of ups.conf, such as ups = [\"rack\"]";
    let upses = reader.each_text(table, "ups", wanted, |name| (!name.is_empty()).then(|| name.to_string()));
    if !reader.has(table, "ups") {
        reader.lacks(table, format!("{} is fed by nothing: write {wanted}", heading(table)));
    }
    upses
}

fn need(reader: &mut TomlReader<'_>, table: &str, upses: usize) -> usize {
    let need = reader.number(table, "need", 1..=64).map_or(1, |need| usize::try_from(need).unwrap_or(1));
    if need > upses && upses > 0 {
        let said = format!("{need} UPSes are needed, and {upses} feed this group: protection would never end; write need = 1 to {upses}");
        reader.refuse(table, "need", &said);
    }
    need
}

fn begin(reader: &mut TomlReader<'_>, group: &str) -> BeginOptions {
    let table = format!("{group}.begin");
    if reader.has(group, "begin") && reader.names(&table).is_empty() {
        let said = "begin is a table: write begin = { low_battery = true, runtime_below_s = 600 }";
        reader.refuse(group, "begin", said);
    }
    let keys =
        ["low_battery", "charge_below", "runtime_below_s", "on_battery_s", "temperature_above", "failing"];
    reader.check_keys(&table, &keys);
    let begin = BeginOptions {
        low_battery: reader.flag(&table, "low_battery").unwrap_or(true),
        charge_below: percent(reader, &table, "charge_below"),
        runtime_below: reader.number(&table, "runtime_below_s", 1..=604_800).map(Duration::from_secs),
        on_battery: reader.number(&table, "on_battery_s", 1..=604_800).map(Duration::from_secs),
        temperature_above: reader
            .number(&table, "temperature_above", 1..=150)
            .and_then(|degrees| u16::try_from(degrees).ok()),
        failing: reader.flag(&table, "failing").unwrap_or(false),
    };
    let others = [
        begin.charge_below.is_some(),
        begin.runtime_below.is_some(),
        begin.on_battery.is_some(),
        begin.temperature_above.is_some(),
    ];
    if !begin.low_battery && !begin.failing && others.iter().all(|is| !is) {
        let said = "low_battery = false leaves nothing by which protection begins: write another condition";
        reader.refuse(&table, "low_battery", said);
    }
    begin
}

fn lost(reader: &mut TomlReader<'_>, table: &str) -> LostChoice {
    match reader.text(table, "lost", "lost = \"shutdown\" or \"wait\"").as_deref() {
        None | Some("shutdown") => LostChoice::Shutdown,
        Some("wait") => LostChoice::Wait,
        Some(other) => {
            let said = format!("{} cannot be done: write lost = \"shutdown\" or \"wait\"", shown(other));
            reader.refuse(table, "lost", &said);
            LostChoice::Shutdown
        }
    }
}

fn stages(reader: &mut TomlReader<'_>, table: &str, upses: &[String]) -> Vec<super::StageOptions> {
    let count = tables_of(reader, table, "stage", STAGES);
    let mut stages: Vec<super::StageOptions> = vec![];
    for at in 0..count {
        let inner = format!("{table}.stage.{at}");
        let Some(stage) = stage::read(reader, &inner, upses) else { continue };
        if stages.iter().any(|other| other.name == stage.name) {
            let said = format!("a stage is called {} already: write another name", stage.name);
            reader.refuse(&inner, "name", &said);
        }
        if stage.takes_the_rest() && at + 1 < count {
            let said = format!(
                "stage {} has neither users, addresses, names nor programs, so it takes all logins that are left: write it last",
                stage.name
            );
            reader.refuse(&inner, "name", &said);
        }
        stages.push(stage);
    }
    stages
}

fn load(reader: &mut TomlReader<'_>, group: &str) -> Option<LoadOptions> {
    let table = format!("{group}.load");
    reader.check_keys(&table, &["off", "delay_s", "command"]);
    let off = reader.flag(&table, "off").unwrap_or(true);
    let delay = seconds(reader, &table, "delay_s", 1, 180);
    let wanted = "an instant command, such as command = \"shutdown.return\"";
    let command = reader.text(&table, "command", wanted).unwrap_or_else(|| "shutdown.return".into());
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if !command.bytes().all(is_word) {
        reader.refuse(&table, "command", &format!("{} is no command: write {wanted}", shown(&command)));
    }
    (reader.has(group, "load") && off).then_some(LoadOptions { delay, command })
}

fn recover(reader: &mut TomlReader<'_>, group: &str) -> RecoverOptions {
    let table = format!("{group}.recover");
    reader.check_keys(&table, &["steady_s", "charge", "runtime_s", "tries", "wait_s"]);
    RecoverOptions {
        steady: seconds(reader, &table, "steady_s", 1, 60),
        charge: percent(reader, &table, "charge"),
        runtime: reader.number(&table, "runtime_s", 1..=604_800).map(Duration::from_secs),
        tries: reader.number(&table, "tries", 1..=100).map_or(3, |tries| u32::try_from(tries).unwrap_or(3)),
        wait: seconds(reader, &table, "wait_s", 10, 300),
    }
}
