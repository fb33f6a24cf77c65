//! Any bytes from a client of NUT's network protocol: no panic, whole lines of printable answers, bounded
//! memory, the same answers whatever the cuts, and nothing is done to a UPS without a right to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nut::network::TrackedOutcome;
use nut::network::server::{
    Client, Connection, ConnectionEvent, Freshness, Handed, Order, Permission, Right, ServerIdentity, Site,
    TlsOffer, UpsId, ValueKind, Variable,
};

/// One UPS `u` with one variable of each kind; the user `a` has every right with the password `b`.
struct Small {
    identity: ServerIdentity,
    granted: bool,
}

impl Site for Small {
    fn identity(&self) -> &ServerIdentity {
        &self.identity
    }
    fn find(&self, _: &Client, name: &str) -> Option<UpsId> {
        name.eq_ignore_ascii_case("u").then_some(UpsId(1))
    }
    fn each_ups(&self, _: &Client, each: &mut dyn FnMut(&str, Option<&str>)) {
        each("u", Some("a \"b\" #\n"));
    }
    fn about(&self, _: UpsId, tell: &mut dyn FnMut(&str, Option<&str>)) {
        tell("u", None);
    }
    fn freshness(&self, _: UpsId) -> Freshness {
        Freshness::Fresh
    }
    fn forced_shutdown(&self, _: UpsId) -> bool {
        true
    }
    fn each_variable(&self, _: UpsId, each: &mut dyn FnMut(&Variable<'_>)) {
        let kinds = [
            ("n", ValueKind::Number),
            ("t", ValueKind::Text { longest: 3 }),
            ("ups.status", ValueKind::Number),
        ];
        for (name, kind) in kinds {
            let writable = name != "ups.status";
            each(&Variable {
                name,
                value: "\"\\#\n",
                writable,
                has_choices: false,
                has_ranges: name == "n",
                kind,
            });
        }
    }
    fn variable(&self, ups: UpsId, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        self.each_variable(ups, &mut |variable| {
            if variable.name.eq_ignore_ascii_case(name) {
                tell(variable);
            }
        });
    }
    fn each_choice(&self, _: UpsId, _: &str, _: &mut dyn FnMut(&str)) {}
    fn each_range(&self, _: UpsId, _: &str, each: &mut dyn FnMut(i64, i64)) {
        each(-5, 5);
    }
    fn each_command(&self, _: UpsId, each: &mut dyn FnMut(&str)) {
        each("c");
    }
    fn has_command(&self, _: UpsId, name: &str) -> bool {
        name == "c"
    }
    fn variable_description(&self, _: &str) -> Option<&str> {
        None
    }
    fn command_description(&self, _: &str) -> Option<&str> {
        None
    }
    fn logins(&self, _: UpsId) -> usize {
        0
    }
    fn each_login(&self, _: UpsId, each: &mut dyn FnMut(&str)) {
        each("::1");
    }
    fn outcome(&self, _: &str) -> Option<TrackedOutcome> {
        None
    }
    fn may(&mut self, client: &Client, _: Right<'_>, _: Option<UpsId>) -> Permission {
        self.granted = client.username.as_deref() == Some("a") && client.password.as_deref() == Some("b");
        if self.granted { Permission::Granted } else { Permission::Denied }
    }
    fn log_in(&mut self, _: &Client, _: UpsId) {
        assert!(std::mem::take(&mut self.granted));
    }
    fn set_forced_shutdown(&mut self, _: &Client, _: UpsId, _: bool) {
        assert!(std::mem::take(&mut self.granted));
    }
    fn hand_over(&mut self, _: &Client, _: UpsId, order: Order<'_>, _: bool) -> Handed {
        assert!(std::mem::take(&mut self.granted));
        if let Order::Set { variable, value } = order {
            assert!(!variable.eq_ignore_ascii_case("t") || value.len() <= 3);
        }
        Handed::Over
    }
}

fn answers(bytes: &[u8], cut: usize) -> Vec<u8> {
    let identity =
        ServerIdentity { info: "Network UPS Tools upsd 2.8.0 - x".into(), version: "2.8.0".into() };
    let mut site = Small { identity, granted: false };
    let mut connection = Connection::new("::1", TlsOffer::Ready);
    let (mut all, mut out) = (vec![], vec![]);
    for chunk in bytes.chunks(cut) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = connection.take(rest, &mut site, &mut out);
            rest = &rest[taken.consumed..];
            all.append(&mut out);
            match taken.event {
                Some(ConnectionEvent::StartTls) => connection.encrypted(false),
                Some(ConnectionEvent::Close) => return all,
                Some(ConnectionEvent::Full) | None => {}
                Some(ConnectionEvent::Waiting) => panic!("every verdict is known"),
            }
        }
    }
    all
}

fuzz_target!(|bytes: &[u8]| {
    let whole = answers(bytes, bytes.len().max(1));
    assert!(whole.is_empty() || whole.ends_with(b"\n"));
    assert!(whole.iter().all(|byte| *byte == b'\n' || (b' '..=0x7f).contains(byte)));
    assert_eq!(whole, answers(bytes, 7));
});
