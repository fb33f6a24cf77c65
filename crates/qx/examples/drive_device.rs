//! Drives a [`Device`] by hand. It does no I/O and reads no clock: here a function answers in place of a UPS, and the
//! time is a number that this program moves on. A driver sends each exchange on its line instead, and waits.
//!
//!     cargo run -p qxups-proto --example drive_device

use qx::device::store::Change;
use qx::device::{Device, Event};
use qx::line::exchange::Reply;
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::io::Write;
use std::time::Duration;

/// A UPS that speaks the `megatec` dialect, on mains for a minute.
fn answer(command: &[u8], now: Moment) -> Option<Vec<u8>> {
    let status: &[u8] = match now.since_start().as_secs() {
        0..60 => b"(230.0 230.0 230.0 020 50.0 27.4 25.0 00001001",
        _ => b"(000.0 230.0 230.0 020 50.0 24.9 25.0 10001001",
    };
    match command {
        b"Q1" => Some(status.to_vec()),
        b"F" => Some(b"#230.0 004 24.00 50.0".to_vec()),
        b"I" => Some(b"#ACME            Example    1.0       ".to_vec()),
        // silence
        _ => None,
    }
}

fn main() -> std::io::Result<()> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let mut device = Device::new(Options::default());
    let mut now = Moment::ZERO;
    while now < Moment::after_start(Duration::from_secs(90)) {
        // 1. What is to be sent, if anything is due.
        if let Some(exchange) = device.poll_exchange(now) {
            // 2. The reply, or silence after `exchange.patience`. (A link has `Collector` for the bytes.)
            let line = answer(&exchange.command, now);
            let latency = if line.is_some() { Duration::from_millis(80) } else { Duration::ZERO };
            now += if line.is_some() { Duration::from_millis(280) } else { exchange.patience };
            device.handle_reply(Reply { line, latency, ..Reply::default() }, now);
        } else if let Some(due) = device.poll_timeout() {
            // 3. Nothing is due before that.
            now = now.max(due);
        }
        // 4. What happened, and what changed.
        while let Some(event) = device.poll_event() {
            match event {
                Event::Noted(..) => {}
                event => writeln!(out, "{:>6.2} s  {event:?}", now.since_start().as_secs_f64())?,
            }
        }
        for change in device.take_changes() {
            if let Change::New(name) | Change::Set(name) = change {
                let text = device.store().text(&name).unwrap_or_default();
                writeln!(out, "{:>6.2} s  {name} = {text}", now.since_start().as_secs_f64())?;
            }
        }
    }
    Ok(())
}
