//! `[protect]` of `qxups.toml`: which UPSes feed what, when protection begins, who goes down in which order, how the load goes
//! off and how all of it comes back. Off without the table, and dry until `arm = true`.
//!
//! What decides is a [`Policy`] of the [`protect`] crate; what that does not hold (who is in a stage, which programs there
//! are, where packets go) stands here beside it.

mod begin;
mod group;
mod host;
mod stage;
#[cfg(test)]
mod tests;

use super::read::{TomlReader, heading, shown};
use ::protect::{ExpectedSecondary, GroupPlan, HostPlan, LoadPlan, OnMains, Policy};
use nut::upsd_users::Network;
use std::net::SocketAddr;
use std::time::Duration;

/// No more groups, stages of a group, programs and hosts to wake of a stage, and secondaries that are expected.
const GROUPS: usize = 64;
const STAGES: usize = 64;
const PROGRAMS: usize = 16;
const WAKES: usize = 64;
const EXPECTED: usize = 256;

/// What the table asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ProtectOptions {
    /// `arm`: whether anything acts. Without it all is followed and logged, and nothing is done.
    pub arm: bool,
    /// `[[protect.group]]`.
    pub groups: Vec<GroupOptions>,
    /// `[protect.host]`: how the machine goes down that this server runs on; none, and it stays up.
    pub host: Option<HostOptions>,
    /// `[[protect.expect]]`: secondaries that have to be there.
    pub expected: Vec<ExpectedSecondary>,
}

impl Eq for ProtectOptions {}

/// What a number of UPSes feeds.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupOptions {
    /// When it goes down, in which stages, and how it comes back.
    pub plan: GroupPlan,
    /// Who and what each stage of the plan is, in the same order.
    pub stages: Vec<StageOptions>,
    /// `[protect.group.load]`, `delay_s`: from the order until the load is off; none, and the load stays on.
    pub load_delay: Option<Duration>,
}

/// Who and what a stage is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageOptions {
    /// `users`: those that log in by these names of `upsd.users`.
    pub users: Vec<String>,
    /// `addresses`: those that come from there.
    pub addresses: Vec<Network>,
    /// `names`: further names of UPSes, each with the UPS that it stands for.
    pub names: Vec<(String, String)>,
    /// `[[protect.group.stage.run]]`: programs that are run, without a shell, all at once.
    pub programs: Vec<ProgramOptions>,
    /// `notify`: outputs of `[outputs.NAME]`.
    pub outputs: Vec<String>,
    /// Where the packet goes that wakes a host, in the order of the plan's.
    pub wake_to: Vec<SocketAddr>,
}

impl StageOptions {
    /// Whether it takes who is in no other stage.
    pub fn takes_the_rest(&self) -> bool {
        self.users.is_empty()
            && self.addresses.is_empty()
            && self.names.is_empty()
            && self.programs.is_empty()
    }
}

/// A program of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramOptions {
    /// `command`: the program by its whole path, and its arguments.
    pub command: Vec<String>,
    /// `limit_s`: it is killed after so long.
    pub limit: Duration,
}

/// How this machine goes down.
#[derive(Clone, Debug, PartialEq)]
pub struct HostOptions {
    /// When.
    pub plan: HostPlan,
    /// `shutdown`: by what.
    pub shutdown: HostShutdownWay,
}

/// By what this machine is shut down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostShutdownWay {
    /// `"logind"`: `systemctl poweroff`.
    Logind,
    /// A program with its arguments, without a shell.
    Command(Vec<String>),
}

impl ProtectOptions {
    /// What decides. `longest` knows the longest delay that a UPS takes, and `on_mains` what it does when mains are back
    /// before its cut.
    pub fn policy(
        &self,
        longest: &dyn Fn(&str) -> Option<Duration>,
        on_mains: &dyn Fn(&str) -> OnMains,
    ) -> Policy {
        let mut loads: Vec<LoadPlan> = vec![];
        for group in &self.groups {
            let Some(delay) = group.load_delay else { continue };
            loads.extend(group.plan.feeds.iter().map(|feed| LoadPlan {
                ups: feed.ups.clone(),
                delay,
                longest: longest(&feed.ups),
                on_mains: on_mains(&feed.ups),
            }));
        }
        Policy {
            armed: self.arm,
            groups: self.groups.iter().map(|group| group.plan.clone()).collect(),
            loads,
            host: self.host.as_ref().map(|host| host.plan.clone()),
        }
    }
}

/// Reads all of it; none without the table.
pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<ProtectOptions>> {
    if !reader.tables().iter().any(|name| name == "protect") {
        return None;
    }
    reader.check_keys("protect", &["arm", "group", "host", "expect"]);
    let arm = reader.flag("protect", "arm").unwrap_or(false);
    let count = tables_of(reader, "protect", "group", GROUPS);
    let groups: Vec<GroupOptions> =
        (0..count).filter_map(|at| group::read(reader, &format!("protect.group.{at}"))).collect();
    if count == 0 {
        reader
            .refuse_table("protect", "[protect] protects nothing: write [[protect.group]] with name and ups");
    }
    check_names(reader, &groups);
    let host = host::read(reader, &groups);
    let count = tables_of(reader, "protect", "expect", EXPECTED);
    let expected =
        (0..count).filter_map(|at| host::expected(reader, &format!("protect.expect.{at}"))).collect();
    let options = ProtectOptions { arm, groups, host, expected };
    if arm {
        let policy = options.policy(&|_| None, &|_| OnMains::Unknown);
        for fault in ::protect::check(&policy).into_iter().filter(|fault| fault.grave) {
            let of = fault.group.map(|group| format!("group {group}: ")).unwrap_or_default();
            reader.refuse("protect", "arm", &format!("it cannot be armed: {of}{}", fault.text));
        }
    }
    Some(Box::new(options))
}

/// How often a `[[table.key]]` stands there.
fn tables_of(reader: &mut TomlReader<'_>, table: &str, key: &str, most: usize) -> usize {
    if !reader.has(table, key) {
        return 0;
    }
    let count = reader.length(table, key);
    if count == 0 || reader.names(&format!("{table}.{key}.0")).is_empty() {
        let said = format!("{key} may stand several times: write it in double brackets, and its keys below");
        reader.refuse_key(table, key, said);
        return 0;
    }
    if count > most {
        reader.refuse_key(table, key, format!("there are more than {most} of {key}: write fewer"));
        return 0;
    }
    count
}

/// A name that the log shows and a record keeps.
fn name(reader: &mut TomlReader<'_>, table: &str) -> Option<String> {
    let wanted = "letters, digits, '-', '_' and '.', such as name = \"lab\"";
    if !reader.has(table, "name") {
        reader.lacks(table, format!("{} has no name: write {wanted}", heading(table)));
        return None;
    }
    let name = reader.text(table, "name", wanted)?;
    if !is_name(&name) {
        reader.refuse(
            table,
            "name",
            &format!("{} is no name that can be used: write {wanted}", shown(&name)),
        );
        return None;
    }
    Some(name)
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain)
}

/// A time, where the file says it.
fn time(reader: &mut TomlReader<'_>, table: &str, key: &str, least: u64) -> Option<Duration> {
    reader.number(table, key, least..=604_800).map(Duration::from_secs)
}

fn count(reader: &mut TomlReader<'_>, table: &str, key: &str, most: u64) -> Option<u32> {
    reader.number(table, key, 1..=most).and_then(|number| u32::try_from(number).ok())
}

/// A program with its arguments.
fn command(reader: &mut TomlReader<'_>, table: &str, key: &str) -> Option<Vec<String>> {
    let wanted = "a program by its whole path with its arguments, such as [\"/usr/local/bin/stop\", \"lab\"]; no shell reads it";
    let words = reader.each_text(table, key, wanted, |word| (!word.contains('\0')).then(|| word.to_string()));
    match words.first() {
        Some(first) if first.starts_with('/') => Some(words),
        Some(_) => {
            reader.refuse(table, key, &format!("{key} is run without a shell: write {wanted}"));
            None
        }
        None => None,
    }
}

/// One thing, one name: also where a record is read again.
fn check_names(reader: &mut TomlReader<'_>, groups: &[GroupOptions]) {
    let mut names: Vec<&str> = vec![];
    let mut fed: Vec<String> = vec![];
    for (at, GroupOptions { plan, .. }) in groups.iter().enumerate() {
        let table = format!("protect.group.{at}");
        if names.contains(&plan.name.as_str()) {
            let said = format!("a group is called {} already: write another name", plan.name);
            reader.refuse(&table, "name", &said);
        }
        names.push(&plan.name);
        for feed in &plan.feeds {
            let ups = feed.ups.to_ascii_lowercase();
            if fed.contains(&ups) {
                let said = format!("UPS {ups} feeds another group already: write one group with stages");
                reader.refuse(&table, "ups", &said);
            }
            fed.push(ups);
        }
    }
    let mut extra: Vec<String> = vec![];
    for (at, group) in groups.iter().enumerate() {
        for (number, stage) in group.stages.iter().enumerate() {
            let table = format!("protect.group.{at}.stage.{number}");
            for (name, _) in &stage.names {
                let lower = name.to_ascii_lowercase();
                if extra.contains(&lower) || fed.contains(&lower) {
                    reader.refuse(
                        &table,
                        "names",
                        &format!("{name} names a UPS already: write another name"),
                    );
                }
                extra.push(lower);
            }
        }
    }
}
