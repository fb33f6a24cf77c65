//! `[protect.host]`, `[[protect.group.wake]]` and `[[protect.expect]]`.

use super::super::read::{TomlReader, heading, meant, shown};
use super::{ExpectedOptions, GroupOptions, HostOptions, HostShutdown, WakeOptions, command, name, seconds};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The port to which Wake-on-LAN goes where the file does not say it: discard.
const WAKE_PORT: u16 = 9;

/// Reads the host; none without its table.
pub(super) fn read(reader: &mut TomlReader<'_>, groups: &[GroupOptions]) -> Option<HostOptions> {
    const TABLE: &str = "protect.host";
    if !reader.has("protect", "host") {
        return None;
    }
    reader.check_keys(TABLE, &["group", "shutdown", "down_s"]);
    let down = seconds(reader, TABLE, "down_s", 1, 90);
    let shutdown = shutdown(reader, TABLE);
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let group = reader.text(TABLE, "group", "the name of a group, such as group = \"rack\"");
    let group = match (group, names.as_slice()) {
        (Some(group), _) if names.contains(&group.as_str()) => group,
        (Some(group), _) => {
            let said = format!("there is no group {}: {}", shown(&group), meant(&group, &names));
            reader.refuse(TABLE, "group", &said);
            return None;
        }
        (None, [only]) => (*only).to_string(),
        (None, _) => {
            if !reader.has(TABLE, "group") {
                reader.lacks(TABLE, format!("[{TABLE}] does not say what feeds this machine: write group = \"NAME\""));
            }
            return None;
        }
    };
    let at = names.iter().position(|name| *name == group).unwrap_or(0);
    let load = groups.get(at).and_then(|group| group.load.as_ref());
    if let Some(load) = load.filter(|load| load.delay <= down) {
        let said = format!(
            "the load goes off {} s after the order, and this machine takes {} s to go down: write a longer delay_s, above {}",
            load.delay.as_secs(),
            down.as_secs(),
            down.as_secs()
        );
        match reader.has(&format!("protect.group.{at}.load"), "delay_s") {
            true => reader.refuse(&format!("protect.group.{at}.load"), "delay_s", &said),
            false => reader.lacks(&format!("protect.group.{at}.load"), said),
        }
    }
    Some(HostOptions { group, shutdown: shutdown?, down })
}

fn shutdown(reader: &mut TomlReader<'_>, table: &str) -> Option<HostShutdown> {
    let wanted = "\"logind\", or a program such as [\"/sbin/shutdown\", \"-h\", \"+0\"]";
    if !reader.has(table, "shutdown") {
        return Some(HostShutdown::Logind);
    }
    if reader.length(table, "shutdown") > 0 {
        return command(reader, table, "shutdown").map(HostShutdown::Command);
    }
    let text = reader.text(table, "shutdown", wanted)?;
    if text != "logind" {
        reader.refuse(table, "shutdown", &format!("{} shuts nothing down: write {wanted}", shown(&text)));
        return None;
    }
    Some(HostShutdown::Logind)
}

/// Reads a host that is woken.
pub(super) fn wake(reader: &mut TomlReader<'_>, table: &str) -> Option<WakeOptions> {
    reader.check_keys(table, &["name", "mac", "to", "address", "user", "pause_s"]);
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
    if address.is_none() && user.is_none() && !reader.has(table, "address") && !reader.has(table, "user") {
        let said = format!("{} does not say by which login it is back: write address = \"192.0.2.7\", or user", heading(table));
        reader.lacks(table, said);
    }
    let pause = seconds(reader, table, "pause_s", 0, 10);
    Some(WakeOptions { name: name?, mac: mac?, to: to?, address, user, pause })
}

fn who(reader: &mut TomlReader<'_>, table: &str) -> (Option<IpAddr>, Option<String>) {
    let wanted = "an address, such as address = \"192.0.2.7\"";
    let text = reader.text(table, "address", wanted);
    let address = text.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    if let (Some(text), None) = (&text, address) {
        reader.refuse(table, "address", &format!("{} is no address: write {wanted}", shown(text)));
    }
    (address.map(|address| address.to_canonical()), reader.text(table, "user", "a name of upsd.users"))
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
pub(super) fn expected(reader: &mut TomlReader<'_>, table: &str) -> Option<ExpectedOptions> {
    reader.check_keys(table, &["name", "ups", "address", "user", "poll_s"]);
    let name = name(reader, table);
    let wanted = "the name of a UPS, such as ups = \"rack\"";
    if !reader.has(table, "ups") {
        reader.lacks(table, format!("{} is expected nowhere: write {wanted}", heading(table)));
    }
    let ups = reader.text(table, "ups", wanted);
    let (address, user) = who(reader, table);
    if !reader.has(table, "address") && !reader.has(table, "user") {
        let said = format!("{} does not say who is expected: write address = \"192.0.2.7\", or user", heading(table));
        reader.lacks(table, said);
    }
    let poll = Duration::from_secs(reader.number(table, "poll_s", 1..=3600).unwrap_or(30));
    Some(ExpectedOptions { name: name?, ups: ups?, address, user, poll })
}
