//! Any bytes of an AgentX master, in pieces, before and after it took the session: no panic, no more kept than a packet, no
//! packet that is none, and no notice without a session.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snmp::agentx::LONGEST_PACKET;
use snmp::{AgentxSession, Look, MibView, Notice, UpsFacts, UpsWatch};
use std::time::Duration;

/// The answer of a master to the packet with this number.
fn answered(number: u8) -> Vec<u8> {
    let head = [1, 18, 0x10, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, number, 0, 0, 0, 8];
    [&head[..], &[0; 8]].concat()
}

fn view() -> MibView {
    let mut watch = UpsWatch::new();
    watch.look(Look { is_fresh: true, words: "OB LB RB", ..Look::default() }, Duration::ZERO);
    MibView::of(&UpsFacts {
        name: "rack",
        description: None,
        contact: "",
        location: "",
        version: "0",
        is_fresh: true,
        is_forced: false,
        variables: &|name| (name == "ups.status").then(|| "OB LB RB".to_string()),
        watch: &watch,
        now: Duration::from_secs(1),
    })
}

/// Each packet has a whole header and as much behind it as that says.
fn check(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let length = u32::from_be_bytes(bytes[16..20].try_into().unwrap()) as usize;
        assert!(bytes[0] == 1 && length % 4 == 0 && length <= LONGEST_PACKET);
        bytes = &bytes[20 + length..];
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [how, step, bytes @ ..] = bytes else { return };
    let view = view();
    let mut now = Duration::ZERO;
    let mut session = AgentxSession::new(vec![String::new(), "rack".into()], "UPS", now);
    check(&session.take_output());
    if how % 2 == 0 {
        for number in 1..=3 {
            session.receive(&answered(number));
            assert_eq!(session.handle(now, |_| None), Ok(true));
            check(&session.take_output());
        }
        assert!(session.takes_notices());
    }
    for piece in bytes.chunks(usize::from(*step).max(1)) {
        session.receive(piece);
        loop {
            let handled = session.handle(now, |context| (context != "gone").then(|| view.clone()));
            let out = session.take_output();
            check(&out);
            match handled {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return,
            }
        }
        assert!(session.kept() < AgentxSession::LONGEST_INCOMING + 2048);
        if session.takes_notices() {
            session.notify("rack", &Notice::OnBattery, &view, now);
        }
        now += Duration::from_secs(1);
        if session.check(now).is_err() {
            return;
        }
        assert!(session.take_events().len() < 100);
        check(&session.take_output());
    }
    check(&session.farewell());
});
