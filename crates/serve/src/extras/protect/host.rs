//! `[protect.host]`, `[[protect.group.stage.wake]]` and `[[protect.expect]]`.

use super::super::read::{TomlReader, heading, meant, shown};
use super::{GroupOptions, HostOptions, HostShutdownWay, command, count, name, time};
use ::protect::{ExpectedSecondary, HostPlan, WakeTarget};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The port to which Wake-on-LAN goes where the file does not say it: discard.
const WAKE_PORT: u16 = 9;
/// The table of the host.
const TABLE: &str = "protect.host";

/// Reads the host; none without its table.
pub(super) fn read(reader: &mut TomlReader<'_>, groups: &[GroupOptions]) -> Option<HostOptions> {
    if !reader.has("protect", "host") {
        return None;
    }
    reader.check_keys(TABLE, &["group", "shutdown", "down_s", "proof_wait_s", "tries"]);
    let shutdown = shutdown(reader);
    let at = group(reader, groups)?;
    let usual = HostPlan::new(&groups.get(at)?.plan.name);
    let plan = HostPlan {
        down: time(reader, TABLE, "down_s", 1).unwrap_or(usual.down),
        proof_wait: time(reader, TABLE, "proof_wait_s", 1).unwrap_or(usual.proof_wait),
        tries: count(reader, TABLE, "tries", 20).unwrap_or(usual.tries),
        ..usual
    };
    check_delay(reader, at, groups.get(at)?, &plan);
    Some(HostOptions { plan, shutdown: shutdown? })
}

/// Which of the groups feeds this machine.
fn group(reader: &mut TomlReader<'_>, groups: &[GroupOptions]) -> Option<usize> {
    let names: Vec<&str> = groups.iter().map(|group| group.plan.name.as_str()).collect();
    match reader.text(TABLE, "group", "the name of a group, such as group = \"rack\"") {
        Some(group) => {
            let at = names.iter().position(|name| *name == group);
            if at.is_none() {
                let said = format!("there is no group {}: {}", shown(&group), meant(&group, &names));
                reader.refuse(TABLE, "group", &said);
            }
            at
        }
        None if names.len() == 1 => Some(0),
        None => {
            if !reader.has(TABLE, "group") {
                let said = format!("[{TABLE}] does not say what feeds this machine: write group = \"NAME\"");
                reader.lacks(TABLE, said);
            }
            None
        }
    }
}

/// The load must not go off under this machine.
fn check_delay(reader: &mut TomlReader<'_>, at: usize, group: &GroupOptions, plan: &HostPlan) {
    let Some(delay) = group.load_delay.filter(|delay| *delay <= plan.down) else { return };
    let said = format!(
        "the load goes off {} s after the order, and this machine takes {} s to go down: write delay_s above {}",
        delay.as_secs(),
        plan.down.as_secs(),
        plan.down.as_secs()
    );
    let table = format!("protect.group.{at}.load");
    match reader.has(&table, "delay_s") {
        true => reader.refuse(&table, "delay_s", &said),
        false => reader.lacks(&table, said),
    }
}

fn shutdown(reader: &mut TomlReader<'_>) -> Option<HostShutdownWay> {
    let wanted = "\"logind\", or a program such as [\"/sbin/shutdown\", \"-h\", \"+0\"]";
    if !reader.has(TABLE, "shutdown") {
        return Some(HostShutdownWay::Logind);
    }
    if reader.length(TABLE, "shutdown") > 0 {
        return command(reader, TABLE, "shutdown").map(HostShutdownWay::Command);
    }
    let text = reader.text(TABLE, "shutdown", wanted)?;
    if text != "logind" {
        reader.refuse(TABLE, "shutdown", &format!("{} shuts nothing down: write {wanted}", shown(&text)));
        return None;
    }
    Some(HostShutdownWay::Logind)
}

/// Reads a host that is woken, and where its packet goes.
pub(super) fn wake(reader: &mut TomlReader<'_>, table: &str) -> Option<(WakeTarget, SocketAddr)> {
    reader.check_keys(table, &["name", "mac", "to", "address", "user"]);
    let name = name(reader, table);
    let wanted = "six numbers in hexadecimal, such as mac = \"02:00:5e:10:00:01\"";
    if !reader.has(table, "mac") {
        reader.lacks(table, format!("{} has no address to wake: write {wanted}", heading(table)));
    }
    let text = reader.text(table, "mac", wanted);
    let mac = text.as_deref().and_then(mac);
    if let (Some(text), None) = (&text, mac) {
        reader.refuse(table, "mac", &format!("{} is no MAC address: write {wanted}", shown(text)));
    }
    let wanted = "an address, with a port where it is not 9, such as to = \"192.0.2.255\"";
    let text = reader.text(table, "to", wanted);
    let to = text.as_deref().map_or(Some(SocketAddr::from((Ipv4Addr::BROADCAST, WAKE_PORT))), place);
    if let (Some(text), None) = (&text, to) {
        reader.refuse(table, "to", &format!("{} is no address: write {wanted}", shown(text)));
    }
    let (address, user) = who(reader, table);
    Some((WakeTarget { host: name?, mac: mac?, address, user }, to?))
}

/// By what a host is known once it logs in.
fn who(reader: &mut TomlReader<'_>, table: &str) -> (Option<String>, Option<String>) {
    let wanted = "an address, such as address = \"192.0.2.7\"";
    let text = reader.text(table, "address", wanted);
    let address = text.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    if let (Some(text), None) = (&text, address) {
        reader.refuse(table, "address", &format!("{} is no address: write {wanted}", shown(text)));
    }
    let address = address.map(|address| address.to_canonical().to_string());
    (address, reader.text(table, "user", "a name of upsd.users, such as user = \"lab\""))
}

fn place(text: &str) -> Option<SocketAddr> {
    let with_port = text.parse::<SocketAddr>().ok();
    with_port.or_else(|| text.parse::<IpAddr>().ok().map(|address| SocketAddr::from((address, WAKE_PORT))))
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let parts: Vec<&str> = text.split([':', '-']).collect();
    if parts.len() != mac.len() {
        return None;
    }
    for (place, part) in mac.iter_mut().zip(parts) {
        let is_hex = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        *place = u8::from_str_radix(part, 16).ok().filter(|_| is_hex)?;
    }
    // no host has an address of many, or none
    (mac[0] & 1 == 0 && mac != [0; 6]).then_some(mac)
}

/// Reads a secondary that is expected.
pub(super) fn expected(reader: &mut TomlReader<'_>, table: &str) -> Option<ExpectedSecondary> {
    reader.check_keys(table, &["name", "ups", "address", "user", "poll_s"]);
    let name = name(reader, table);
    let ups = reader.text(table, "ups", "the name of a UPS, such as ups = \"rack\"");
    let (address, user) = who(reader, table);
    if !reader.has(table, "address") && !reader.has(table, "user") {
        let said = format!(
            "{} does not say which host is expected: write address = \"192.0.2.7\", or user",
            heading(table)
        );
        reader.lacks(table, said);
    }
    let poll = Duration::from_secs(reader.number(table, "poll_s", 1..=3600).unwrap_or(5));
    Some(ExpectedSecondary { name: name?, address, user, ups, poll })
}
