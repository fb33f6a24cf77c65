//! `[[protect.group]]`.

use super::super::read::{TomlReader, heading};
use super::{GroupOptions, STAGES, StageOptions, begin, count, name, stage, tables_of, time};
use ::protect::{GroupFeed, GroupPlan, RecoveryPlan, StagePlan};
use std::time::Duration;

const KEYS: &[&str] = &[
    "name",
    "ups",
    "need",
    "begin",
    "lost",
    "dead_time_s",
    "steady_s",
    "cancel",
    "stage",
    "load",
    "recover",
];
/// The stage of all logins that no stage of the file takes: none is left where the load goes off.
const OTHERS: &str = "others";

/// Reads one.
pub(super) fn read(reader: &mut TomlReader<'_>, table: &str) -> Option<GroupOptions> {
    reader.check_keys(table, KEYS);
    let name = name(reader, table);
    let upses = upses(reader, table);
    let mut stages = stages(reader, table, &upses);
    if !stages.iter().any(|(_, options)| options.takes_the_rest()) {
        stages.push((StagePlan::new(OTHERS), StageOptions::default()));
    }
    let (plans, stages): (Vec<_>, Vec<_>) = stages.into_iter().unzip();
    let usual = GroupPlan::new(&name.unwrap_or_default());
    let plan = GroupPlan {
        need: need(reader, table, upses.len()),
        begin: begin::read(reader, table),
        steady: time(reader, table, "steady_s", 1).unwrap_or(usual.steady),
        cancel: begin::cancel(reader, table),
        stages: plans,
        recovery: recover(reader, table),
        feeds: upses.into_iter().map(|ups| GroupFeed { ups, supplies: 1, begin: None }).collect(),
        ..usual
    };
    let load_delay = load(reader, table);
    (!plan.name.is_empty() && !plan.feeds.is_empty()).then_some(GroupOptions { plan, stages, load_delay })
}

fn upses(reader: &mut TomlReader<'_>, table: &str) -> Vec<String> {
    let wanted = "names of sections of ups.conf, such as ups = [\"rack\"]";
    let upses = reader.each_text(table, "ups", wanted, |name| (!name.is_empty()).then(|| name.to_string()));
    if !reader.has(table, "ups") {
        reader.lacks(table, format!("{} is fed by nothing: write {wanted}", heading(table)));
    }
    upses
}

fn need(reader: &mut TomlReader<'_>, table: &str, upses: usize) -> u32 {
    let need = count(reader, table, "need", 64).unwrap_or(1);
    if usize::try_from(need).is_ok_and(|need| need > upses) && upses > 0 {
        let said = format!(
            "{need} UPSes are needed, and {upses} feed this group, so its hosts would be down for ever: write need = 1 to {upses}"
        );
        reader.refuse(table, "need", &said);
    }
    need
}

fn stages(reader: &mut TomlReader<'_>, table: &str, upses: &[String]) -> Vec<(StagePlan, StageOptions)> {
    let count = tables_of(reader, table, "stage", STAGES);
    let mut stages: Vec<(StagePlan, StageOptions)> = vec![];
    for at in 0..count {
        let inner = format!("{table}.stage.{at}");
        let Some((plan, options)) = stage::read(reader, &inner, upses) else { continue };
        if stages.iter().any(|(other, _)| other.name == plan.name) {
            let said = format!("a stage is called {} already: write another name", plan.name);
            reader.refuse(&inner, "name", &said);
        }
        if options.takes_the_rest() && at + 1 < count {
            let said = format!(
                "stage {} has neither users, addresses, names nor programs, so it takes all logins that are left: write it last",
                plan.name
            );
            reader.refuse(&inner, "name", &said);
        }
        if plan.name == OTHERS && !options.takes_the_rest() {
            let said = "others is the stage of all logins that no other stage takes: write another name";
            reader.refuse(&inner, "name", said);
        }
        stages.push((plan, options));
    }
    stages
}

fn load(reader: &mut TomlReader<'_>, group: &str) -> Option<Duration> {
    let table = format!("{group}.load");
    reader.check_keys(&table, &["off", "delay_s"]);
    let off = reader.flag(&table, "off").unwrap_or(true);
    let delay = time(reader, &table, "delay_s", 1).unwrap_or(Duration::from_secs(180));
    (reader.has(group, "load") && off).then_some(delay)
}

fn recover(reader: &mut TomlReader<'_>, group: &str) -> RecoveryPlan {
    let table = format!("{group}.recover");
    let keys = ["charge", "runtime_s", "unknown_wait_s", "at_latest_s", "pause_s", "tries", "interval_s"];
    reader.check_keys(&table, &keys);
    let usual = RecoveryPlan::default();
    RecoveryPlan {
        charge: count(reader, &table, "charge", 100).map(f64::from),
        runtime: time(reader, &table, "runtime_s", 1),
        unknown_wait: time(reader, &table, "unknown_wait_s", 1).unwrap_or(usual.unknown_wait),
        at_latest: time(reader, &table, "at_latest_s", 1).unwrap_or(usual.at_latest),
        stagger: time(reader, &table, "pause_s", 0).unwrap_or(usual.stagger),
        tries: count(reader, &table, "tries", 100).unwrap_or(usual.tries),
        interval: time(reader, &table, "interval_s", 1).unwrap_or(usual.interval),
    }
}
