//! What the tables of the bridges say to people and to the system: the reference, udev's rules and its
//! hardware database.

use crate::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, Reports, Strings, UsbId};
use crate::bridges;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole reference as Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# The USB bridges\n\n\
         Printed from the tables of `crates/qx/src/bridges` by `qxups bridges`; a test keeps this file\n\
         fresh. A bridge is a converter between USB and the serial line inside of a UPS. None was tested\n\
         on real hardware: all were, with NUT's own driver beside ours, as simulated converters on a\n\
         real Linux USB stack. Of several rows that fit a device, the one that says most is taken.\n",
    );
    for bridge in bridges::ALL {
        out += "\n";
        out += &page(bridge);
    }
    out
}

/// One bridge as Markdown.
pub fn page(bridge: &Bridge) -> String {
    let mut out = format!("## {}\n\n{}.\n\n", bridge.name, capital(bridge.about));
    let ids: Vec<String> = bridge.ids.iter().map(id).collect();
    let ids = if ids.is_empty() {
        "only by `subdriver`, with `vendorid` and `productid`".into()
    } else {
        ids.join(", ")
    };
    let _ = writeln!(out, "* Recognised by: {ids}.");
    out += &carriage(&bridge.carriage);
    if !bridge.answerless.is_empty() {
        let _ = writeln!(out, "* No reply is awaited to {}.", list(bridge.answerless));
    }
    if !bridge.deaf_to.is_empty() {
        let _ = writeln!(
            out,
            "* Not asked, because its units are known not to answer: {}.",
            list(bridge.deaf_to)
        );
    }
    if let Some(sibling) = &bridge.sibling {
        let _ = writeln!(
            out,
            "* Where the device has the endpoints {:#04x} and {:#04x} of {} bytes and no others: {}.",
            sibling.inlet, sibling.outlet, sibling.packet, sibling.bridge.about
        );
        out += &carriage(&sibling.bridge.carriage);
    }
    let _ = writeln!(out, "* Source: {}.", bridge.source);
    out
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn id(id: &UsbId) -> String {
    let mut out = format!("`{:04x}:{:04x}`", id.vendor, id.product);
    for (what, text) in [("vendor", id.vendor_text), ("product", id.product_text)] {
        if let Some(text) = text {
            let _ = write!(out, " with the {what} `{text}`");
        }
    }
    out
}

fn carriage(carriage: &Carriage) -> String {
    match carriage {
        Carriage::Reports(reports) => carried_in_reports(reports),
        Carriage::Strings(strings) => carried_in_strings(strings),
    }
}

fn carried_in_reports(reports: &Reports) -> String {
    let out = match reports.outlet {
        Outlet::Report(value) => format!("SET_REPORT (0x21, 0x09) with the value {value:#06x}"),
        Outlet::Vendor(request) => format!("a vendor's request {request:#04x} to the endpoint (0x42)"),
        Outlet::Interrupt(endpoint) => format!("interrupt transfers to {endpoint:#04x}"),
    };
    let back = match reports.inlet {
        Inlet::Interrupt { endpoint, size } => {
            format!("interrupt transfers of at most {size} bytes from {endpoint:#04x}")
        }
        Inlet::Report { value, size, pause_ms } => format!(
            "GET_REPORT (0xa1, 0x01) with the value {value:#06x} of {size} bytes, after {pause_ms} ms"
        ),
    };
    let end = match reports.end {
        End::Return => "at its carriage return",
        End::Transfer => "with one transfer",
        End::Silence => "at its carriage return, or when nothing more comes",
        End::Empty => "at its carriage return, or with a report that carries nothing",
    };
    let mut text = format!("* A command goes out by {out}: {}.\n", framing(&reports.packing));
    let _ = writeln!(text, "* A reply comes by {back}: {}. It ends {end}.", framing(&reports.unpacking));
    if reports.flush > 0 {
        let _ =
            writeln!(text, "* Before each command at most {} old transfers are read away.", reports.flush);
    }
    if let Some(from) = reports.zero_digits_from {
        let _ = writeln!(text, "* From its byte {from} on a zero stands for the digit 0.");
    }
    text
}

fn framing(framing: &Framing) -> String {
    match framing {
        Framing::Padded(size) => format!("pieces of {size} bytes, filled up with zeros"),
        Framing::Counted { size, tag, mask } => {
            let tag = if *tag == 0 { String::new() } else { format!("{tag:#04x} plus ") };
            format!(
                "reports of {size} bytes, the first of which is {tag}the count of those that follow (bits {mask:#04x})"
            )
        }
        Framing::Whole => "as it is".into(),
        Framing::Custom(frame) => frame.about.into(),
    }
}

/// Commands that a bridge of strings may have a number for.
const ASKED: [&str; 9] = ["Q1", "F", "I", "T", "TL", "CT", "Q", "C", "BL"];

fn carried_in_strings(strings: &Strings) -> String {
    let numbers = ASKED.iter().filter_map(|name| Some((*name, (strings.index)(name)?)));
    let numbers: Vec<String> = numbers.map(|(name, number)| format!("`{name}` {number:#04x}")).collect();
    let mut text = format!("* The reply to a command is a string descriptor: {}", numbers.join(", "));
    if let (Some(least), Some(most)) = ((strings.index)("S.5R0000"), (strings.index)("S10R0001")) {
        let _ = write!(
            text,
            ", a shutdown by its delay {least:#04x} (half a minute) to {most:#04x} (ten, with return)"
        );
    }
    text += "; nothing else is carried.\n";
    let _ =
        writeln!(text, "* At most {} bytes are read; `{}` is no reply.", strings.longest, strings.no_reply);
    if strings.attempts > 1 {
        let _ = writeln!(text, "* A question is read up to {} times; a command once.", strings.attempts);
    }
    if strings.needs_language {
        text += "* It needs `langid_fix`.\n";
    }
    if !strings.steps.is_empty() {
        let steps: Vec<String> = strings.steps.iter().map(|step| format!("{step:#04x}")).collect();
        let _ =
            writeln!(text, "* Before each command one of the strings {} is read in turn.", steps.join(", "));
    }
    if strings.dummy_read > 0 {
        let _ = writeln!(
            text,
            "* Before each command an interrupt transfer of {} bytes is read.",
            strings.dummy_read
        );
    }
    text
}

/// The numbers of all devices, with the names of their bridges.
fn devices() -> BTreeMap<(u16, u16), Vec<&'static str>> {
    let mut devices: BTreeMap<(u16, u16), Vec<&'static str>> = BTreeMap::new();
    for bridge in bridges::ALL {
        for id in bridge.ids {
            let names = devices.entry((id.vendor, id.product)).or_default();
            if !names.contains(&bridge.name) {
                names.push(bridge.name);
            }
        }
    }
    devices
}

/// Rules for udev: who is in `group` may talk to these devices, and none is put to sleep.
pub fn udev_rules(group: &str) -> String {
    let mut out = String::from(
        "# USB devices of UPSes that qxups knows: its drivers run as a user of this group.\n\
         # Printed by `qxups udev`. Put it into /etc/udev/rules.d/62-qxups.rules, then:\n\
         #   udevadm control --reload && udevadm trigger --subsystem-match=usb --action=add\n\n\
         ACTION==\"remove\", GOTO=\"qxups_end\"\n\
         SUBSYSTEM!=\"usb\", GOTO=\"qxups_end\"\n\
         ENV{DEVTYPE}!=\"usb_device\", GOTO=\"qxups_end\"\n\n",
    );
    for ((vendor, product), names) in devices() {
        let _ = writeln!(
            out,
            "# {}\nATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\"{product:04x}\", MODE=\"0664\", GROUP=\"{group}\", ATTR{{power/control}}=\"on\"",
            names.join(", ")
        );
    }
    out + "\nLABEL=\"qxups_end\"\n"
}

/// Entries for udev's hardware database: `udevadm info` tells the bridge then.
pub fn hwdb() -> String {
    let mut out = String::from(
        "# USB devices of UPSes that qxups knows, with their bridges.\n\
         # Printed by `qxups udev --hwdb`. Put it into /etc/udev/hwdb.d/62-qxups.hwdb, then:\n\
         #   systemd-hwdb update\n",
    );
    for ((vendor, product), names) in devices() {
        let _ = writeln!(out, "\nusb:v{vendor:04X}p{product:04X}*\n QXUPS_BRIDGE={}", names.join(" "));
    }
    out
}
