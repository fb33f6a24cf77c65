//! Opens a line to a UPS and asks one question. It only reads: `Q1` is the status of most Q* UPSes.
//!
//!     cargo run -p qxups-link --example ask /dev/ttyS0           # a serial port
//!     cargo run -p qxups-link --example ask tcp://ups.lan:4001   # a serial device server
//!     cargo run -p qxups-link --example ask auto QS              # the UPS on USB, and another question
//!     cargo run -p qxups-link --example ask replay:captures/megatec-paper-q1.log

use link::{Address, CablePower, Link, Opening};
use qx::line::exchange::{Echo, Exchange};
use std::io::Write;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("say where the UPS is: /dev/ttyS0, tcp://HOST:PORT or auto")?;
    let question = arguments.next().unwrap_or_else(|| "Q1".into());

    let address = Address::parse(&address)?;
    // most interfaces take their power from the modem lines; no other program shall use the port meanwhile
    let mut link = Link::open(&Opening { address, cable_power: CablePower::Normal, lock: true }).await?;
    if let Some(remark) = link.remark() {
        writeln!(out, "{remark}")?;
    }
    let exchange = Exchange {
        command: question.clone().into_bytes(),
        patience: Duration::from_secs(1),
        gap: Duration::from_millis(500),
        echo: Echo::Unknown,
        settle: false,
        is_command: false,
        measured: true,
    };
    let reply = link.exchange(&exchange).await?;
    match reply.line {
        // what the bytes mean: the example `explain_bytes` of qxups-proto
        Some(line) => {
            writeln!(out, "{question}: {} (first byte after {:?})", line.escape_ascii(), reply.latency)?
        }
        None => writeln!(out, "{question}: no reply")?,
    }
    Ok(())
}
