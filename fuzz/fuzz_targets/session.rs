//! A whole session in virtual time with a UPS that says anything: no panic, no command that nobody
//! asked for, and a store that stays small. The first byte chooses the dialect: found, or named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::device::Device;
use qx::line::exchange::Collector;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::flag::{Flag, Flags};
use qxups_fuzz::{good_ups, is_question, said};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let protocol = protocols::ALL.get(usize::from(*first));
    let flags = Flags::default().with(Flag::Testing);
    let options = Options { protocol: protocol.map(|p| p.name.into()), flags, ..Options::default() };
    let spoken = protocol.copied().unwrap_or(&protocols::MEGATEC);
    let mut ups = good_ups(spoken);
    let mut device = Device::new(options);
    let mut now = Duration::ZERO;
    // each chunk is one reply: an empty one is silence, a dot stands for what a good UPS says
    let mut replies = bytes.split(|byte| *byte == b'\r');
    for _ in 0..400 {
        while device.poll_event().is_some() {}
        match device.poll_exchange(now) {
            Some(exchange) => {
                assert!(is_question(&exchange.command), "sent {}", exchange.command.escape_ascii());
                let Some(reply) = replies.next() else { return };
                let mut collector = Collector::new(&exchange);
                let good = reply == b".";
                let reply = if good { said(&mut ups, &exchange.command, now) } else { reply.to_vec() };
                if collector.take(&reply) || !collector.take(b"\r") {
                    now += Duration::from_millis(50);
                }
                now += Duration::from_millis(if reply.is_empty() { 1000 } else { 50 });
                device.handle_reply(collector.finish(Duration::from_millis(50)), now);
            }
            None => now = device.poll_timeout().unwrap_or(now).max(now + Duration::from_millis(1)),
        }
        assert!(device.store().entries().count() < 200);
        let _ = device.take_changes();
    }
});
