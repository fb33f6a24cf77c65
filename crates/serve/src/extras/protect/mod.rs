//! `[protect]` of `qxups.toml`: which UPSes feed what, when protection begins, who goes down in which order, how the load goes
//! off and how all of it comes back. Off without the table, and dry until `arm = true`.

mod group;
mod host;
mod stage;
#[cfg(test)]
mod tests;

use super::read::{TomlReader, shown};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// No more groups, stages of a group, programs of a stage, hosts to wake and secondaries that are expected.
const GROUPS: usize = 64;
const STAGES: usize = 64;
const PROGRAMS: usize = 16;
const WAKES: usize = 256;
const EXPECTED: usize = 256;

/// What the table asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectOptions {
    /// `arm`: whether anything acts. Without it all is followed and logged, and nothing is done.
    pub arm: bool,
    /// `[[protect.group]]`.
    pub groups: Vec<GroupOptions>,
    /// `[protect.host]`: how the machine goes down that this server runs on; none, and it stays up.
    pub host: Option<HostOptions>,
    /// `[[protect.expect]]`: secondaries that have to be there.
    pub expected: Vec<ExpectedOptions>,
}

/// What a number of UPSes feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// `name`.
    pub name: String,
    /// `ups`: names of sections of `ups.conf`.
    pub upses: Vec<String>,
    /// `need`: so many of them have to carry the load, as upsmon's MINSUPPLIES.
    pub need: usize,
    /// `begin`.
    pub begin: BeginOptions,
    /// `lost`: what it means when a UPS on battery says nothing any more.
    pub lost: LostChoice,
    /// `dead_time_s`: after so long without fresh data a UPS says nothing any more, as upsmon's DEADTIME.
    pub dead_time: Duration,
    /// `steady_s`: mains is back once it was there for so long.
    pub steady: Duration,
    /// `cancel`: mains that is back before the point of no return ends the course.
    pub cancel: bool,
    /// `[[protect.group.stage]]`, in the order in which they go down.
    pub stages: Vec<StageOptions>,
    /// `[protect.group.load]`: how the load is switched off; none, and it stays on.
    pub load: Option<LoadOptions>,
    /// `[protect.group.recover]`.
    pub recover: RecoverOptions,
    /// `[[protect.group.wake]]`, in the order in which they come back.
    pub wakes: Vec<WakeOptions>,
}

/// When protection begins; any of these is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeginOptions {
    /// `low_battery`: on battery, and the UPS says LB.
    pub low_battery: bool,
    /// `charge_below`: on battery, below so many percent.
    pub charge_below: Option<u8>,
    /// `runtime_below_s`: on battery, and the runtime is below.
    pub runtime_below: Option<Duration>,
    /// `on_battery_s`: on battery for so long.
    pub on_battery: Option<Duration>,
    /// `temperature_above`: degrees Celsius, on mains as well.
    pub temperature_above: Option<u16>,
    /// `failing`: the UPS says that it is about to fail: overloaded on battery, or OFF.
    pub failing: bool,
}

/// What it means when a UPS that was on battery says nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostChoice {
    /// The battery is taken as empty after the dead time, as upsmon does it.
    Shutdown,
    /// It is waited for.
    Wait,
}

/// What the clients of a stage are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageSignal {
    /// FSD: upsmon and all that know it go down at once.
    Fsd,
    /// LB: for clients that know no FSD; upsmon waits for HOSTSYNC first.
    Lb,
}

/// Hosts that go down together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageOptions {
    /// `name`.
    pub name: String,
    /// `users`: those that log in by these names of `upsd.users`.
    pub users: Vec<String>,
    /// `addresses`: those that come from there.
    pub addresses: Vec<nut::upsd_users::Network>,
    /// `names`: further names of UPSes, each with the UPS that it stands for.
    pub names: Vec<(String, String)>,
    /// `signal`.
    pub signal: StageSignal,
    /// `time_s`: the next stage begins when all have logged out, or after so long.
    pub time: Duration,
    /// `[[protect.group.stage.run]]`: programs that are run, without a shell, all at once.
    pub programs: Vec<ProgramOptions>,
    /// `notify`: outputs of `[outputs.NAME]`.
    pub outputs: Vec<String>,
}

impl StageOptions {
    /// Whether it takes who is in no other stage.
    pub fn takes_the_rest(&self) -> bool {
        self.users.is_empty() && self.addresses.is_empty() && self.names.is_empty() && self.programs.is_empty()
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

/// How the load is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// `delay_s`: so long after the order.
    pub delay: Duration,
    /// `command`: the instant command.
    pub command: String,
}

/// When what went down comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverOptions {
    /// `steady_s`: mains was there for so long.
    pub steady: Duration,
    /// `charge`: at least so many percent.
    pub charge: Option<u8>,
    /// `runtime_s`: the runtime is at least that.
    pub runtime: Option<Duration>,
    /// `tries`: so often a host is woken.
    pub tries: u32,
    /// `wait_s`: after so long without a login it is woken again.
    pub wait: Duration,
}

/// A host that is woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeOptions {
    /// `name`.
    pub name: String,
    /// `mac`.
    pub mac: [u8; 6],
    /// `to`: where the packet goes, usually a broadcast address.
    pub to: SocketAddr,
    /// `address`: the host is there when it logs in from here.
    pub address: Option<IpAddr>,
    /// `user`: the host is there when it logs in by this name.
    pub user: Option<String>,
    /// `pause_s`: the next one is woken so much later.
    pub pause: Duration,
}

/// How this machine goes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOptions {
    /// `group`: what feeds it.
    pub group: String,
    /// `shutdown`.
    pub shutdown: HostShutdown,
    /// `down_s`: so long it takes until it is down; the load must not go off before.
    pub down: Duration,
}

/// By what this machine is shut down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostShutdown {
    /// `"logind"`: `systemctl poweroff`.
    Logind,
    /// A program with its arguments, without a shell.
    Command(Vec<String>),
}

/// A secondary that has to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedOptions {
    /// `name`.
    pub name: String,
    /// `ups`: at which UPS, or further name of one.
    pub ups: String,
    /// `address`.
    pub address: Option<IpAddr>,
    /// `user`.
    pub user: Option<String>,
    /// `poll_s`: how often it asks; after so long without it an alarm is raised.
    pub poll: Duration,
}

/// The keys of the table itself.
const KEYS: &[&str] = &["arm", "group", "host", "expect"];

/// Reads all of it; none without the table.
pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<ProtectOptions>> {
    if !reader.tables().iter().any(|name| name == "protect") {
        return None;
    }
    reader.check_keys("protect", KEYS);
    let arm = reader.flag("protect", "arm").unwrap_or(false);
    let count = tables_of(reader, "protect", "group", GROUPS);
    let groups: Vec<GroupOptions> =
        (0..count).filter_map(|at| group::read(reader, &format!("protect.group.{at}"))).collect();
    if count == 0 {
        reader.refuse_table("protect", "[protect] protects nothing: write [[protect.group]] with name and ups");
    }
    check_names(reader, &groups);
    let host = host::read(reader, &groups);
    let count = tables_of(reader, "protect", "expect", EXPECTED);
    let expected = (0..count).filter_map(|at| host::expected(reader, &format!("protect.expect.{at}")));
    let expected = expected.collect();
    Some(Box::new(ProtectOptions { arm, groups, host, expected }))
}

/// How often a `[[table.key]]` stands there.
fn tables_of(reader: &mut TomlReader<'_>, table: &str, key: &str, most: usize) -> usize {
    if !reader.has(table, key) {
        return 0;
    }
    let count = reader.length(table, key);
    if count == 0 || reader.names(&format!("{table}.{key}.0")).is_empty() {
        reader.refuse_key(table, key, format!("{key} may stand several times: write it in double brackets, and its keys below"));
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
        reader.lacks(table, format!("{} has no name: write {wanted}", super::read::heading(table)));
        return None;
    }
    let name = reader.text(table, "name", wanted)?;
    if !is_name(&name) {
        reader.refuse(table, "name", &format!("{} is no name that can be used: write {wanted}", shown(&name)));
        return None;
    }
    Some(name)
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain)
}

fn seconds(reader: &mut TomlReader<'_>, table: &str, key: &str, least: u64, usual: u64) -> Duration {
    Duration::from_secs(reader.number(table, key, least..=604_800).unwrap_or(usual))
}

fn percent(reader: &mut TomlReader<'_>, table: &str, key: &str) -> Option<u8> {
    reader.number(table, key, 1..=100).and_then(|number| u8::try_from(number).ok())
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
    for (at, group) in groups.iter().enumerate() {
        let table = format!("protect.group.{at}");
        if names.contains(&group.name.as_str()) {
            reader.refuse(&table, "name", &format!("a group is called {} already: write another name", group.name));
        }
        names.push(&group.name);
        for ups in &group.upses {
            let ups = ups.to_ascii_lowercase();
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
                    reader.refuse(&table, "names", &format!("{name} names a UPS already: write another name"));
                }
                extra.push(lower);
            }
        }
    }
}
