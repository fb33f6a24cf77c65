//! The page `docs/devices.md`.

use super::rows::{self, Listed};
use qx::protocols;
use qx::usb::bridges;
use std::fmt::Write;

/// The page: what is known, and what it is proved by.
pub fn page() -> String {
    let mut out = String::from(
        "# Is my UPS supported?\n\n\
         Printed by `qxups supported`; a test keeps this file fresh. `qxups supported NAME` and `qxups supported VID:PID`\n\
         (the numbers that `lsusb` prints) look a device up. Names and numbers of makers and models say little: the same\n\
         board is sold under many. `qxups scan` asks the UPS itself.\n\n\
         What is not here may well work: most small UPSes speak one of the dialects. When yours does, or does not,\n\
         `qxups prove` writes down what it says.\n\n\
         | proved by | that means |\n|---|---|\n\
         | a capture of a real unit | what such a UPS said was published; the driver reads it as was worked out by hand |\n\
         | replies from a public source | single replies of such a UPS were published, and are read so |\n\
         | NUT's list | NUT's list of hardware names one of its drivers `nutdrv_qx`, `blazer_ser`, `blazer_usb`; NUT's own driver and ours behave alike on simulated UPSes of every dialect |\n\n\
         Nothing here was tried by this project on hardware of its own.\n\n",
    );
    captured(&mut out);
    numbers(&mut out);
    listed(&mut out);
    out
}

fn captured(out: &mut String) {
    *out += "## Units that said something\n\n| device | dialect | proved by |\n|---|---|---|\n";
    for row in rows::captured() {
        let _ = writeln!(out, "| {} | {} | {} |", cell(row.device), row.dialect, row.proof());
    }
}

fn numbers(out: &mut String) {
    *out += "\n## Numbers on USB\n\n\
             Proved by NUT's own driver beside ours on simulated converters ([bridges.md](bridges.md)).\n\n\
             | numbers | texts | bridge |\n|---|---|---|\n";
    let mut known: Vec<String> = vec![];
    for bridge in bridges::ALL {
        for id in bridge.ids {
            let texts: Vec<&str> = [id.vendor_text, id.product_text].into_iter().flatten().collect();
            known.push(format!(
                "| {:04x}:{:04x} | {} | {} |\n",
                id.vendor,
                id.product,
                texts.join(", "),
                bridge.name
            ));
        }
    }
    known.sort();
    *out += &known.concat();
}

fn listed(out: &mut String) {
    let names: Vec<&str> = protocols::ALL.iter().map(|protocol| protocol.name).collect();
    let _ = write!(
        out,
        "\n## NUT's list of hardware\n\n\
         Makers, models, drivers and options of the rows for `nutdrv_qx`, `blazer_ser` and `blazer_usb` in `data/driver.list.in` of NUT's newest\n\
         source. In place of each of these drivers `nutdrv_qx` works as well; the dialect is found by itself ({}).\n\n\
         | maker | model | line | NUT's driver | options | proved by |\n|---|---|---|---|---|---|\n",
        names.join(", ")
    );
    for row in rows::listed() {
        let Listed { maker, model, line, ids, drivers, options } = row;
        let line = [line, ids].join(" ");
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            cell(maker),
            cell(model),
            line.trim(),
            drivers.replace(' ', ", "),
            if options.is_empty() { String::new() } else { format!("`{options}`") },
            row.proof()
        );
    }
}

/// A text that ends no cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "/")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/devices.md");
        let page = super::page();
        if std::fs::read_to_string(&path).ok().as_deref() != Some(page.as_str()) {
            std::fs::write(&path, page).unwrap();
            panic!("docs/devices.md was stale, and is written anew: look at the changes and commit them");
        }
    }
}
