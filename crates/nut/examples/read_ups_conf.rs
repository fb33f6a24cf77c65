//! Reads `ups.conf` as NUT does: the sections, and the lines that NUT ignores without a word.
//!
//!     cargo run -p qxups-nut --example read_ups_conf [/etc/nut/ups.conf]
// a program around the core does what the core does not
#![allow(clippy::disallowed_methods)]

use nut::ups_conf;
use std::io::Write;

const SAMPLE: &[u8] = b"\
maxretry = 3
[rack]
    driver = nutdrv_qx
    port = auto
    desc = the UPS in the rack
    norating
";

fn main() -> std::io::Result<()> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?,
        None => SAMPLE.to_vec(),
    };
    let conf = ups_conf::parse(&text);
    for section in &conf.sections {
        writeln!(out, "[{}]", section.name)?;
        for setting in &section.settings {
            match &setting.value {
                Some(value) => writeln!(out, "    {} = {value}", setting.name)?,
                None => writeln!(out, "    {}", setting.name)?,
            }
        }
    }
    for wrong in &conf.wrong {
        writeln!(out, "{wrong}")?;
    }
    for lost in &conf.lost {
        writeln!(out, "line {}: write {} = \"{}\" with quotes", lost.line, lost.name, lost.whole)?;
    }
    Ok(())
}
