//! Reads one reply of a named dialect, and writes it again from the same table.
//!
//!     cargo run -p qxups-proto --example read_reply

use qx::protocols;
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let megatec = protocols::named("megatec").ok_or("no such dialect")?;
    // queries that ask the same question are tried in the order of the table
    let status = megatec.queries.iter().find(|query| query.ask == "Q1").ok_or("no such question")?;

    // without the carriage return, which only says where the reply ends
    let reply = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
    let fit = status.read(reply).map_err(|misfit| format!("{}: {}", misfit.at.start, misfit.expected))?;
    for (variable, value) in &fit.readings.values {
        match value {
            Some(value) => writeln!(out, "{} = {}", variable.name, value.published(status.places(variable)))?,
            None => writeln!(out, "{}: the UPS says that it does not know", variable.name)?,
        }
    }
    let words = qx::text::explain::raised(status, &fit);
    writeln!(out, "ups.status = {}", words.status.published(false))?;

    // a simulator goes the other way
    assert_eq!(status.write(&fit.readings), reply);
    Ok(())
}
