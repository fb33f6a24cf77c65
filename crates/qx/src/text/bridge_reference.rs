//! What the tables of the bridges say to people and to the system: the reference, udev's rules and its
//! hardware database.

use crate::usb::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, Reports, Strings, UsbId};
use crate::usb::bridges;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole reference as Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# The USB bridges\n\n\
         Printed from the tables of `crates/qx/src/usb/bridges` by `qxups bridges`; a test keeps this file\n\
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
    out += &carriage(bridge);
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
    if let Some(dialect) = bridge.dialect {
        let _ = writeln!(out, "* Devices of this vendor id are asked first whether they speak {dialect}.");
    }
    if let Some(sibling) = &bridge.sibling {
        let _ = writeln!(
            out,
            "* Where the device has the endpoints {:#04x} and {:#04x} of {} bytes and no others: {}.",
            sibling.inlet, sibling.outlet, sibling.packet, sibling.bridge.about
        );
        out += &carriage(sibling.bridge);
    }
    let _ = writeln!(out, "* Source: {}. Not tested on real hardware.", bridge.source);
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

fn carriage(bridge: &Bridge) -> String {
    match &bridge.carriage {
        Carriage::Reports(reports) => carried_in_reports(reports) + &room(bridge),
        Carriage::Strings(strings) => carried_in_strings(strings),
    }
}

/// The longest command that is tried.
const LONG: usize = 200;

/// How long a command may be, where that is limited.
fn room(bridge: &Bridge) -> String {
    let longest = (1..=LONG).take_while(|length| bridge.carries(&vec![b'X'; *length])).last();
    match longest.unwrap_or_default() {
        LONG => String::new(),
        longest => format!("* A command of more than {longest} bytes is not carried.\n"),
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
    let packed = match &reports.unpacking {
        Framing::Padded(_) => "zeros behind its end are padding".into(),
        other => framing(other),
    };
    let _ = writeln!(text, "* A reply comes by {back}: {packed}. It ends {end}.");
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
    let numbers: Vec<String> = numbers
        .map(|(name, number)| format!("`{name}` {number:#04x}{}", first_byte((strings.lead)(name))))
        .collect();
    let mut text = format!("* The reply to a command is a string descriptor: {}", numbers.join(", "));
    let shutdowns = shutdowns(strings);
    if !shutdowns.is_empty() {
        let _ = write!(text, "; to a shutdown (with time of return 0, with another or none): {shutdowns}");
    }
    text += ". Nothing else is carried.\n";
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

/// What a first byte that is replaced means.
fn first_byte(lead: Option<u8>) -> String {
    match lead {
        Some(b'\r') => " (says nothing)".into(),
        Some(lead) => format!(" (its first byte is taken for `{}`)", char::from(lead)),
        None => String::new(),
    }
}

/// The strings of shutdowns by their delay; delays in a row that have the same are one.
fn shutdowns(strings: &Strings) -> String {
    let delays = (0..10).map(|tenth| format!("S.{tenth}")).chain((0..100).map(|n| format!("S{n:02}")));
    let numbers = |delay: &str, back: &str| (strings.index)(&format!("{delay}{back}"));
    let rows: Vec<(String, u8, u8)> = delays
        .filter_map(|delay| {
            let (stays, returns) = (numbers(&delay, "R0000")?, numbers(&delay, "R0001")?);
            (numbers(&delay, "") == Some(returns)).then_some((delay, stays, returns))
        })
        .collect();
    let row = |same: &[(String, u8, u8)]| match same {
        [(delay, stays, returns)] => format!("`{delay}` {stays:#04x}, {returns:#04x}"),
        [(first, stays, returns), .., (last, ..)] => {
            format!("`{first}` to `{last}` {stays:#04x}, {returns:#04x}")
        }
        [] => String::new(),
    };
    let alike = rows.chunk_by(|(_, stays, returns), next| (*stays, *returns) == (next.1, next.2));
    alike.map(row).collect::<Vec<_>>().join("; ")
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
    let rows: Vec<UsbId> = bridges::ALL.iter().flat_map(|bridge| bridge.ids).copied().collect();
    for ((vendor, product), names) in devices() {
        let _ = writeln!(out, "# {}", names.join(", "));
        for texts in texts(&rows, vendor, product) {
            let _ = writeln!(
                out,
                "ATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\"{product:04x}\", {texts}MODE=\"0664\", GROUP=\"{group}\", ATTR{{power/control}}=\"on\"",
            );
        }
    }
    out + "\nLABEL=\"qxups_end\"\n"
}

/// The texts that a device of these numbers must have, for each row of it: others may have the same
/// numbers. A row without texts means all of them, so nothing else needs to be said.
fn texts(rows: &[UsbId], vendor: u16, product: u16) -> Vec<String> {
    let mut rows: Vec<&UsbId> =
        rows.iter().filter(|id| (id.vendor, id.product) == (vendor, product)).collect();
    if let Some(any) = rows.iter().position(|id| id.weight() == 0) {
        rows = vec![rows[any]];
    }
    let text = |name: &str, text: Option<&str>| {
        text.map_or(String::new(), |text| format!("ATTR{{{name}}}==\"{text}\", "))
    };
    rows.iter().map(|id| text("manufacturer", id.vendor_text) + &text("product", id.product_text)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::bridge::usb;

    #[test]
    fn numbers_that_others_have_are_narrowed_by_texts() {
        let (named, made) = (usb(1, 2).called("X"), usb(1, 2).by("Y").called("Z"));
        let rules = |rows: &[UsbId]| texts(rows, 1, 2);
        let narrow = ["ATTR{product}==\"X\", ", "ATTR{manufacturer}==\"Y\", ATTR{product}==\"Z\", "];
        assert_eq!(rules(&[usb(1, 3), named, made]), narrow);
        assert_eq!(rules(&[named, usb(1, 2), made]), [""]);
    }

    /// What udev takes for a pattern or an end would let others in, or nobody.
    #[test]
    fn texts_are_no_patterns() {
        let texts = bridges::ALL.iter().flat_map(|bridge| bridge.ids);
        for text in texts.flat_map(|id| [id.vendor_text, id.product_text]).flatten() {
            assert!(!text.contains(['"', '\\', '*', '?', '[', '|']), "{text}");
        }
    }
}
