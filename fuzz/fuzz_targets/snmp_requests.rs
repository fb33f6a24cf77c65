//! Any bytes at an SNMP agent, of a UPS whose texts are the same bytes: no panic, no answer that is longer than a frame or the
//! agent's own kind, and a walk that comes to an end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snmp::{Community, LONGEST, Look, MibView, SnmpValue, UpsFacts, UpsWatch, answer, trap};
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (words, alarm, test, number) = (part(), part(), part(), part());
    let community = Community::new("public").unwrap();
    let mut watch = UpsWatch::new();
    let mut notices = vec![];
    for (at, is_fresh) in [true, bytes.len() % 2 == 0, true].into_iter().enumerate() {
        let now = Duration::from_secs(at as u64 * u64::from(bytes.first().copied().unwrap_or(1)));
        watch.look(Look { is_fresh, words, alarm, test }, now);
        watch.hear(alarm, now);
        notices.extend(watch.take_due(now));
    }
    assert!(notices.len() < 100);
    let variable = |name: &str| {
        let said = match name {
            "ups.status" => words,
            "ups.alarm" => alarm,
            "ups.test.result" => test,
            _ => number,
        };
        Some(said.to_string())
    };
    for is_fresh in [true, false] {
        let view = MibView::of(&UpsFacts {
            name: words,
            description: Some(alarm),
            contact: test,
            location: number,
            version: "0",
            is_fresh,
            is_forced: bytes.len() % 3 == 0,
            variables: &variable,
            watch: &watch,
            now: Duration::from_millis(u64::MAX),
        });
        let names: Vec<_> = view.names().cloned().collect();
        assert!(names.len() < 200 && names.windows(2).all(|pair| pair[0] < pair[1]));
        for pair in names.windows(2) {
            assert_eq!(view.next(&pair[0]).0, pair[1]);
        }
        assert!(names.last().is_none_or(|last| view.next(last).1 == SnmpValue::EndOfView));
        for notice in &notices {
            assert!(trap(notice, &view, &community, 1, Duration::from_secs(1)).len() <= LONGEST);
        }
        if let Ok(whole) = answer(bytes, &community, || view.clone()) {
            assert!(whole.len() <= LONGEST && whole[0] == 0x30);
            // an answer is answered by no agent
            assert!(answer(&whole, &community, || view.clone()).is_err());
        }
    }
});
