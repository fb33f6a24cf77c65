//! Any bytes as a capture or a log: no panic; what is read can be written and read again; and a device
//! works on it as on a UPS, which is only asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::device::Device;
use qx::line::capture::{Capture, Unknown};
use qx::line::exchange::Reply;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qxups_fuzz::is_question;
use std::collections::BTreeMap;
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    // as the driver reads the file
    let Ok(capture) = Capture::read(&String::from_utf8_lossy(bytes)) else { return };
    let written: String = capture.exchanges.iter().map(|recorded| recorded.lines()).collect();
    let again = Capture::parse(&written).expect(&written);
    let said = |capture: &Capture| -> Vec<_> {
        capture.exchanges.iter().map(|one| (one.question.clone(), one.reply.clone())).collect()
    };
    assert_eq!(said(&again), said(&capture));
    for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
        let recorded = capture.exchanges.iter().filter(|one| one.question == query.ask.as_bytes());
        for reply in recorded.filter_map(|one| one.reply.as_deref()).take(4) {
            let _ = qx::text::explain::explain(query, reply);
            if let Some(hidden) = query.anonymise(reply) {
                assert!(query.read(&hidden).is_ok(), "{}", hidden.escape_ascii());
            }
        }
    }
    replay(&capture);
});

fn replay(capture: &Capture) {
    let unknown = capture.unknown();
    let mut given: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut device = Device::new(Options::default());
    let mut now = Moment::ZERO;
    for _ in 0..150 {
        while device.poll_event().is_some() {}
        let Some(exchange) = device.poll_exchange(now) else {
            now = device.poll_timeout().unwrap_or(now).max(now + Duration::from_millis(100));
            continue;
        };
        assert!(is_question(&exchange.command), "sent {}", exchange.command.escape_ascii());
        let same = || capture.exchanges.iter().filter(|one| one.question == exchange.command);
        let line = match same().count() {
            0 => match &unknown {
                Unknown::Silent => None,
                Unknown::Echo => Some(exchange.command.clone()),
                Unknown::Says(text) => Some(text.clone()),
            },
            count => {
                let recorded = same().map(|one| (one.question.as_slice(), &one.reply)).collect::<Vec<_>>();
                let number = given.entry(recorded[0].0).or_default();
                let reply = recorded[(*number).min(count - 1)].1.clone();
                *number += 1;
                reply
            }
        };
        now += Duration::from_millis(if line.is_some() { 20 } else { 1000 });
        let echoed = line.as_deref() == Some(&exchange.command);
        let reply = Reply { line, echoed, latency: Duration::from_millis(20), ..Reply::default() };
        device.handle_reply(reply, now);
        assert!(device.store().entries().count() < 200);
        let _ = device.take_changes();
    }
}
