//! Sections of `ups.conf` whose drivers would open the same line: they would take each other's replies.

use link::Address;
use nut::ups_conf::{Section, UpsConf};
use station::driver_kind::{DriverKind, LineKind};
use std::path::{Path, PathBuf};

/// Where the UPS of a section is, as far as two sections can mean the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortPlace {
    /// A device file, whatever name leads to it.
    Line(PathBuf),
    /// A device server.
    Server(String, u16),
    /// A USB device that is chosen by these options.
    Usb(Vec<(String, String)>),
}

/// A section, and one before it that means the same place.
pub struct Clash<'c> {
    /// The later one.
    pub section: &'c Section,
    /// The one that is there already.
    pub first: &'c Section,
    /// The place.
    pub place: PortPlace,
}

/// All of a file, in its order.
pub fn clashes(conf: &UpsConf) -> Vec<Clash<'_>> {
    let mut seen: Vec<(PortPlace, &Section)> = vec![];
    let mut clashes = vec![];
    for section in &conf.sections {
        let Some(place) = PortPlace::of(section) else { continue };
        match seen.iter().find(|(other, _)| other.may_be(&place)).map(|(_, first)| *first) {
            Some(first) if takes_any(first) && takes_any(section) => {}
            Some(first) => clashes.push(Clash { section, first, place }),
            None => seen.push((place, section)),
        }
    }
    clashes
}

impl PortPlace {
    /// Whether both may be the same, whatever way they are written.
    fn may_be(&self, other: &PortPlace) -> bool {
        let (PortPlace::Usb(one), PortPlace::Usb(two)) = (self, other) else { return self == other };
        let same = |((name, a), (known, b)): (&(String, String), &(String, String))| {
            name == known && is_same_choice(name, a, b)
        };
        one.len() == two.len() && one.iter().zip(two).all(same)
    }

    /// `None` where several drivers may well be: a recording, or what another driver of NUT calls a port.
    fn of(section: &Section) -> Option<PortPlace> {
        let port = value(section, "port")?;
        let ours = value(section, "driver").and_then(DriverKind::named);
        let on_usb = ours.is_some_and(|kind| {
            kind.line == LineKind::Usb || kind.line == LineKind::Any && !choice(section).is_empty()
        });
        match Address::parse(port).ok()? {
            Address::Replay { .. } => None,
            _ if on_usb => Some(PortPlace::Usb(choice(section))),
            // another driver of NUT has devices of its own
            Address::Usb(_) => ours.map(|_| PortPlace::Usb(choice(section))),
            Address::Tcp { host, port } => Some(PortPlace::Server(host.to_ascii_lowercase(), port)),
            Address::Serial(path) if ours.is_some() || path.starts_with("/dev") => {
                Some(PortPlace::Line(real(&path)))
            }
            Address::Serial(_) => None,
        }
    }
}

/// Whether two values of an option may choose the same device. Capitals do not matter, nor do zeros before a number;
/// a port may be written as its number alone (`004`), or with its bus and hubs (`1-2.4`).
fn is_same_choice(name: &str, one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim().replace('\\', "").to_ascii_lowercase();
    let (one, other) = (plain(one), plain(other));
    let number = |text: &str| text.parse::<u32>().ok();
    let port = |text: &str| number(text.rsplit(['-', '.']).next().unwrap_or_default());
    match name {
        _ if one == other => true,
        "busport" if number(&one).is_some() || number(&other).is_some() => {
            port(&one).is_some() && port(&one) == port(&other)
        }
        "bus" | "device" => number(&one).is_some() && number(&one) == number(&other),
        _ => false,
    }
}

/// The file that a name leads to; a name of nothing is that name.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.components().collect())
}

/// Whether a section says that any of several equal devices is good.
fn takes_any(section: &Section) -> bool {
    section.settings.iter().any(|setting| setting.name.eq_ignore_ascii_case("allow_duplicates"))
}

/// What says which USB device is meant.
pub fn choice(section: &Section) -> Vec<(String, String)> {
    let names = ["vendorid", "productid", "vendor", "product", "serial", "bus", "busport", "device"];
    let is_choice = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let chosen = section.settings.iter().filter(|setting| is_choice(&setting.name));
    let mut all: Vec<_> = chosen
        .map(|setting| (setting.name.to_ascii_lowercase(), setting.value.clone().unwrap_or_default()))
        .collect();
    all.sort();
    all
}

/// The value that counts: the last.
pub fn value<'s>(section: &'s Section, name: &str) -> Option<&'s str> {
    section.settings.iter().rfind(|setting| setting.name == name)?.value.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nut::ups_conf;

    /// The names of sections that clash with one before them.
    fn clashing(ports: &[&str]) -> Vec<String> {
        let sections = ports.iter().enumerate();
        let text: String =
            sections.map(|(at, lines)| format!("[{at}]\ndriver = nutdrv_qx\n{lines}\n")).collect();
        let conf = ups_conf::parse(text.as_bytes());
        clashes(&conf).iter().map(|clash| format!("{} {}", clash.section.name, clash.first.name)).collect()
    }

    #[test]
    fn one_place_has_many_names() {
        let folder = std::env::temp_dir().join(format!("qxups-same-port-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("ttyUSB0"), folder.join("by-id"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let port = |path: &Path| format!("port = {}", path.display());
        for (one, other) in [
            ("port = /dev/ttyS0", "port = /dev/ttyS0"),
            ("port = /dev/ttyS0", "port = /dev//ttyS0"),
            ("port = /no/such", "port = /no/such"),
            (&port(&file), &port(&link)),
            ("port = tcp://ups.lan:4001", "port = tcp://UPS.lan:4001/"),
            ("port = auto", "port = AUTO"),
            ("port = auto\nserial = X", "port = /dev/x\nSerial = X"),
            ("port = auto\nserial = ab1", "port = auto\nserial = AB1"),
            ("port = auto\nbusport = 002", "port = auto\nbusport = 2"),
            ("port = auto\nbusport = 002", "port = auto\nbusport = \"1-2\""),
            ("port = auto\nbusport = 2", "port = auto\nbusport = \"1-4.2\""),
            ("port = auto\nbusport = \"1-2\\\\.4\"", "port = auto\nbusport = \"1-2.4\""),
            ("port = auto\nbus = 001", "port = auto\nbus = 1"),
        ] {
            assert_eq!(clashing(&[one, "port = /dev/other", other, other]), ["2 0", "3 0"], "{one} {other}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_may_be_there_twice_is_let_pass() {
        let own = |driver: &str, port: &str| format!("driver = {driver}\nport = {port}");
        for (one, other) in [
            ("port = /dev/ttyS0", "port = /dev/ttyS1"),
            ("port = tcp://ups.lan:4001", "port = tcp://ups.lan:4002"),
            ("port = replay:/x", "port = replay:/x"),
            ("port = auto\nserial = X", "port = auto\nserial = Y"),
            ("port = auto\nbusport = 002", "port = auto\nbusport = 003"),
            ("port = auto\nbusport = 002", "port = auto\nbusport = \"1-2.4\""),
            ("port = auto\nbusport = \"1-2\"", "port = auto\nbusport = \"2-2\""),
            ("port = auto\nbus = 001\nbusport = 002", "port = auto\nbus = 002\nbusport = 002"),
            ("port = auto\nallow_duplicates", "port = auto\nallow_duplicates"),
            (&own("dummy-ups", "/etc/nut/x.dev"), &own("dummy-ups", "/etc/nut/x.dev")),
            (&own("snmp-ups", "192.0.2.1"), &own("snmp-ups", "192.0.2.1")),
            (&own("usbhid-ups", "auto"), "port = auto"),
            ("port = auto", &own("usbhid-ups", "auto")),
            (&own("usbhid-ups", "auto"), &own("usbhid-ups", "auto")),
        ] {
            assert_eq!(clashing(&[one, other]), [""; 0], "{one} {other}");
        }
        // another driver of NUT on our line
        assert_eq!(clashing(&[&own("apcsmart", "/dev/ttyS0"), "port = /dev/ttyS0"]), ["1 0"]);
    }
}
