//! A whole session in virtual time with a UPS that says anything: no panic, no command that nobody
//! asked for, and a store that stays small.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::device::Device;
use qx::exchange::Collector;
use qx::option::Options;
use std::time::Duration;

const GOOD: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";

fuzz_target!(|bytes: &[u8]| {
    let mut device = Device::new(Options::default());
    let mut now = Duration::ZERO;
    // each chunk is one reply: an empty one is silence, a dot stands for a good status
    let mut replies = bytes.split(|byte| *byte == b'\r');
    for _ in 0..400 {
        while device.poll_event().is_some() {}
        match device.poll_exchange(now) {
            Some(exchange) => {
                let known = ["Q1", "QS", "D", "F", "I", "FW?"];
                assert!(known.contains(&exchange.command.as_str()), "sent {}", exchange.command);
                let Some(reply) = replies.next() else { return };
                let mut collector = Collector::new(&exchange);
                let good = reply == b".";
                if collector.take(if good { GOOD } else { reply }) || !collector.take(b"\r") {
                    now += Duration::from_millis(50);
                }
                now += Duration::from_millis(if reply.is_empty() { 1000 } else { 50 });
                device.handle_reply(collector.finish(Duration::from_millis(50)), now);
            }
            None => now = device.poll_timeout().unwrap_or(now).max(now + Duration::from_millis(1)),
        }
        assert!(device.store().entries().count() < 64);
        let _ = device.store_mut().take_changes();
    }
});
