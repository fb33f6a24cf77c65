//! `qxups supported`: is my UPS supported, and what is that proved by? From the tables of dialects and bridges, the
//! captures, and the facts of NUT's list of hardware (names and numbers).

mod page;
mod rows;

pub use page::page;
use qx::usb::bridge::Bridge;
use qx::usb::bridges;
use rows::{Captured, Listed};

/// What is known of a device, or of all; the exit code is 1 when nothing is.
///
/// # Errors
/// Nothing is known of it: a sentence with what to do.
pub fn run(what: Option<&str>) -> Result<String, String> {
    let Some(what) = what else { return Ok(page()) };
    let text = match crate::sim::usb_numbers(what) {
        Some((vendor, product)) => by_numbers(vendor, product),
        None => by_name(what),
    };
    text.ok_or_else(|| {
        format!(
            "nothing is known of '{what}', which says little: many small UPSes speak one of these dialects, whatever their name ('qxups scan' asks yours, 'qxups supported VID:PID' takes the numbers that lsusb prints). Those of APC, CyberPower, Eaton and Tripp Lite mostly speak others: NUT has drivers for them (apcsmart, usbhid-ups)"
        )
    })
}

/// The USB device with these numbers.
fn by_numbers(vendor: u16, product: u16) -> Option<String> {
    let numbers = format!("{vendor:04x}:{product:04x}");
    let bridges: Vec<&Bridge> = bridges_of(vendor, product);
    let mut out = String::new();
    for bridge in &bridges {
        out += &format!("{numbers} is known to the bridge {}: {}\n", bridge.name, bridge.about);
        if let Some(dialect) = bridge.dialect {
            out += &format!("  first dialect: {dialect}\n");
        }
    }
    if !bridges.is_empty() {
        out += "  write: driver = nutdrv_qx, port = auto; the dialect is found ('qxups scan')\n";
        out += "  proved by: NUT's own driver beside ours on a simulated converter; real units below\n";
    }
    let has = |ids: &str| ids.split(' ').any(|id| id == numbers);
    let captured: Vec<Captured> = rows::captured().filter(|row| has(row.ids)).collect();
    let listed: Vec<Listed> = rows::listed().filter(|row| has(row.ids)).collect();
    out += &lines(&captured, &listed);
    (!out.is_empty()).then_some(out)
}

/// The bridges that know a device by these numbers.
fn bridges_of(vendor: u16, product: u16) -> Vec<&'static Bridge> {
    let knows = |bridge: &&&Bridge| bridge.ids.iter().any(|id| (id.vendor, id.product) == (vendor, product));
    bridges::ALL.iter().filter(knows).copied().collect()
}

/// Devices in whose names all these words are.
fn by_name(name: &str) -> Option<String> {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    let fits = |text: &str| {
        let text = text.to_lowercase();
        !words.is_empty() && words.iter().all(|word| text.contains(word.as_str()))
    };
    let captured: Vec<Captured> = rows::captured().filter(|row| fits(row.device)).collect();
    let listed: Vec<Listed> =
        rows::listed().filter(|row| fits(&format!("{} {}", row.maker, row.model))).collect();
    let out = lines(&captured, &listed);
    (!out.is_empty()).then_some(out)
}

fn lines(captured: &[Captured], listed: &[Listed]) -> String {
    let mut out = String::new();
    for row in captured {
        out += &format!("{}\n  speaks {}\n  proved by: {}\n", row.device, row.dialect, row.proof());
    }
    for row in listed {
        out +=
            &format!("{} {}\n  write: {}\n  proved by: {}\n", row.maker, row.model, row.write(), row.proof());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_name_and_by_numbers() {
        let text = run(Some("digitech computer 650va")).unwrap();
        assert!(text.contains("a capture of a real unit (captures/digitech-650va-q1.log)"), "{text}");
        assert!(text.contains("NUT's list"), "{text}");
        assert!(text.contains("protocol = hunnox"), "{text}");
        let text = run(Some("0665:5161")).unwrap();
        assert!(text.contains("bridge cypress") && text.contains("Salicru"), "{text}");
        let text = run(Some("06DA:0003")).unwrap();
        assert!(text.contains("bridge ippon") && text.contains("AEG Protect D 3000"), "{text}");
        // a serial unit, of which there are replies alone
        let text = run(Some("Axpert")).unwrap();
        assert!(text.contains("replies from a public source"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_told_what_to_do() {
        for what in ["frobnicator 3000", "dead:beef", "", " "] {
            let why = run(Some(what)).unwrap_err();
            assert!(why.contains("qxups scan"), "{what}: {why}");
        }
    }
}
