//! A connection of the server's end by itself: cuts, bounds, events.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use nut::network::TrackedOutcome;
use nut::network::server::{
    Client, Connection, ConnectionEvent, FULL, Freshness, Handed, Note, Order, Permission, Right,
    ServerIdentity, Site, Taken, TlsOffer, UpsId, ValueKind, Variable,
};
use proptest::prelude::*;

/// One UPS `u` with many variables.
struct Small {
    identity: ServerIdentity,
    verdict: Permission,
    asked: usize,
    reading_needs_user: bool,
    forced: bool,
    handed: usize,
    logins: usize,
    notes: Vec<String>,
}

impl Small {
    fn new() -> Small {
        let identity =
            ServerIdentity { info: "Network UPS Tools upsd 2.8.0 - x".into(), version: "2.8.0".into() };
        Small {
            identity,
            verdict: Permission::Granted,
            asked: 0,
            reading_needs_user: false,
            forced: false,
            handed: 0,
            logins: 0,
            notes: vec![],
        }
    }
}

const VALUES: [(&str, &str); 3] = [("a", "1"), ("b", "\"quoted\" \\ # \n\r\u{e9}"), ("ups.status", "OL")];

impl Site for Small {
    fn identity(&self) -> &ServerIdentity {
        &self.identity
    }
    fn reading_needs_user(&self) -> bool {
        self.reading_needs_user
    }
    fn find(&self, _: &Client, name: &str) -> Option<UpsId> {
        name.eq_ignore_ascii_case("u").then_some(UpsId(7))
    }
    fn each_ups(&self, _: &Client, each: &mut dyn FnMut(&str, Option<&str>)) {
        each("u", None);
    }
    fn about(&self, _: UpsId, tell: &mut dyn FnMut(&str, Option<&str>)) {
        tell("u", None);
    }
    fn freshness(&self, _: UpsId) -> Freshness {
        Freshness::Fresh
    }
    fn forced_shutdown(&self, _: UpsId) -> bool {
        self.forced
    }
    fn each_variable(&self, _: UpsId, each: &mut dyn FnMut(&Variable<'_>)) {
        for (name, value) in VALUES {
            let kind = ValueKind::Text { longest: 5 };
            each(&Variable { name, value, writable: true, has_choices: false, has_ranges: false, kind });
        }
    }
    fn variable(&self, ups: UpsId, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        self.each_variable(ups, &mut |variable| {
            if variable.name == name {
                tell(variable);
            }
        });
    }
    fn each_choice(&self, _: UpsId, _: &str, _: &mut dyn FnMut(&str)) {}
    fn each_range(&self, _: UpsId, _: &str, _: &mut dyn FnMut(i64, i64)) {}
    fn each_command(&self, _: UpsId, each: &mut dyn FnMut(&str)) {
        each("load.off");
    }
    fn has_command(&self, _: UpsId, name: &str) -> bool {
        name == "load.off"
    }
    fn variable_description(&self, _: &str) -> Option<&str> {
        None
    }
    fn command_description(&self, _: &str) -> Option<&str> {
        None
    }
    fn logins(&self, _: UpsId) -> usize {
        self.logins
    }
    fn each_login(&self, _: UpsId, _: &mut dyn FnMut(&str)) {}
    fn outcome(&self, _: &str) -> Option<TrackedOutcome> {
        None
    }
    fn may(&mut self, _: &Client, _: Right<'_>, _: Option<UpsId>) -> Permission {
        self.asked += 1;
        self.verdict
    }
    fn log_in(&mut self, _: &Client, _: UpsId) {
        self.logins += 1;
    }
    fn set_forced_shutdown(&mut self, _: &Client, _: UpsId, on: bool) {
        self.forced = on;
    }
    fn hand_over(&mut self, _: &Client, _: UpsId, _: Order<'_>, _: bool) -> Handed {
        self.handed += 1;
        Handed::Over
    }
    fn note(&mut self, _: &Client, note: Note<'_>) {
        self.notes.push(format!("{note:?}"));
    }
}

fn connection() -> Connection {
    Connection::new("192.0.2.1", TlsOffer::Ready)
}

/// Everything that bytes in these pieces lead to: answers and events, and after an event the rest.
fn all(pieces: &[&[u8]]) -> (String, Vec<ConnectionEvent>) {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    let (mut said, mut events) = (String::new(), vec![]);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let taken = connection.take(rest, &mut site, &mut out);
            rest = &rest[taken.consumed..];
            said.push_str(std::str::from_utf8(&out).unwrap());
            out.clear();
            match taken.event {
                None => assert_eq!(rest, b"", "all is consumed without an event"),
                Some(ConnectionEvent::StartTls) => {
                    events.push(ConnectionEvent::StartTls);
                    connection.encrypted(false);
                }
                Some(event @ ConnectionEvent::Close) => {
                    if events.last() != Some(&event) {
                        events.push(event);
                    }
                    return (said, events);
                }
                Some(event) => panic!("{event:?}"),
            }
        }
    }
    (said, events)
}

#[test]
fn answers_end_with_a_line_feed_and_are_printable() {
    let (said, _) = all(&[b"LIST VAR u\nGET VAR u b\n"]);
    let expected = "BEGIN LIST VAR u\nVAR u a \"1\"\nVAR u b \"\\\"quoted\\\" \\\\ \\# \"\nVAR u ups.status \"OL\"\n\
        END LIST VAR u\nVAR u b \"\\\"quoted\\\" \\\\ \\# \"\n";
    assert_eq!(said, expected);
}

/// STARTTLS, GET VAR in one segment: what was sent in the clear is not taken for what came encrypted.
#[test]
fn what_follows_starttls_is_left_to_tls() {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    let bytes = b"VER\nSTARTTLS\nUSERNAME evil\n";
    let taken = connection.take(bytes, &mut site, &mut out);
    let consumed = b"VER\nSTARTTLS\n".len();
    assert_eq!(taken, Taken { consumed, requests: 2, event: Some(ConnectionEvent::StartTls) });
    let again = connection.take(&bytes[consumed..], &mut site, &mut out);
    assert_eq!(again, Taken { consumed: 0, requests: 0, event: Some(ConnectionEvent::StartTls) });
    connection.encrypted(true);
    out.clear();
    let taken = connection.take(b"STARTTLS\n", &mut site, &mut out);
    assert_eq!((taken.event, &out[..]), (None, &b"ERR ALREADY-SSL-MODE\n"[..]));
    assert!(connection.client().encrypted && connection.client().certified);
    assert_eq!(connection.client().username, None);
}

#[test]
fn starttls_is_refused_as_offered() {
    for (offer, expected) in [
        (TlsOffer::None, "ERR FEATURE-NOT-SUPPORTED\n"),
        (TlsOffer::NotConfigured, "ERR FEATURE-NOT-CONFIGURED\n"),
    ] {
        let mut out = vec![];
        let taken = Connection::new("::1", offer).take(b"STARTTLS\n", &mut Small::new(), &mut out);
        assert_eq!((taken.event, std::str::from_utf8(&out).unwrap()), (None, expected));
    }
}

#[test]
fn logout_closes_and_nothing_follows() {
    let (said, events) = all(&[b"GET VAR u a\nLOGOUT\nVER\n"]);
    assert_eq!((said.as_str(), &events[..]), ("VAR u a \"1\"\nOK Goodbye\n", &[ConnectionEvent::Close][..]));
}

#[test]
fn a_request_waits_for_its_verdict_and_is_done_once() {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    site.verdict = Permission::Later;
    let bytes = b"USERNAME a\nPASSWORD b\nINSTCMD u load.off\nVER\n";
    let taken = connection.take(bytes, &mut site, &mut out);
    let consumed = bytes.len() - b"VER\n".len();
    assert_eq!(taken, Taken { consumed, requests: 2, event: Some(ConnectionEvent::Waiting) });
    assert_eq!(connection.take(b"VER\n", &mut site, &mut out).event, Some(ConnectionEvent::Waiting));
    assert_eq!(connection.go_on(&mut site, &mut out), Some(ConnectionEvent::Waiting));
    assert_eq!((out.as_slice(), site.handed), (&b"OK\nOK\n"[..], 0));
    site.verdict = Permission::Granted;
    assert_eq!(connection.go_on(&mut site, &mut out), None);
    assert_eq!(connection.go_on(&mut site, &mut out), None);
    assert_eq!((site.handed, site.asked), (1, 3));
    let taken = connection.take(b"VER\n", &mut site, &mut out);
    assert_eq!((taken.event, taken.requests), (None, 1));
    assert!(out.starts_with(b"OK\nOK\nOK\nNetwork"));
}

#[test]
fn a_verdict_that_comes_as_no_is_a_denial() {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    site.verdict = Permission::Later;
    connection.take(b"USERNAME a\nPASSWORD b\nLOGIN u\n", &mut site, &mut out);
    site.verdict = Permission::Denied;
    assert_eq!(connection.go_on(&mut site, &mut out), None);
    assert_eq!(out, b"OK\nOK\nERR ACCESS-DENIED\n");
    assert_eq!((connection.logged_in(), site.logins), (None, 0));
    assert_eq!(site.notes, ["Denied(Login)"]);
}

#[test]
fn a_client_that_does_not_read_is_not_answered_further() {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    let bytes = b"LIST VAR u\n".repeat(10_000);
    let taken = connection.take(&bytes, &mut site, &mut out);
    assert_eq!(taken.event, Some(ConnectionEvent::Full));
    assert!(out.len() >= FULL && out.len() < FULL + 1000, "{}", out.len());
    assert!(out.ends_with(b"END LIST VAR u\n"), "whole answers");
    let again = connection.take(&bytes[taken.consumed..], &mut site, &mut out);
    assert_eq!(again, Taken { consumed: 0, requests: 0, event: Some(ConnectionEvent::Full) });
    out.truncate(FULL - 1);
    let again = connection.take(&bytes[taken.consumed..], &mut site, &mut out);
    assert_eq!((again.requests, again.event), (1, Some(ConnectionEvent::Full)));
}

#[test]
fn reading_needs_a_user_where_the_site_says_so() {
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    site.reading_needs_user = true;
    let ask = b"VER\nGET VAR u a\nUSERNAME a\nLIST UPS\nPASSWORD b\nGET VAR u a\n";
    connection.take(ask, &mut site, &mut out);
    site.verdict = Permission::Denied;
    connection.take(b"GET VAR u server.info\n", &mut site, &mut out);
    let said = String::from_utf8(out).unwrap();
    let said: Vec<&str> = said.lines().skip(1).collect();
    let expected =
        ["ERR USERNAME-REQUIRED", "OK", "ERR PASSWORD-REQUIRED", "OK", "VAR u a \"1\"", "ERR ACCESS-DENIED"];
    assert_eq!(said, expected);
}

/// Lengths just below, at and above what a word may have, and a line that never ends.
#[test]
fn what_is_kept_of_a_line_is_bounded() {
    for (length, expected) in
        [(511, "VAR-NOT-SUPPORTED"), (512, "VAR-NOT-SUPPORTED"), (513, "INVALID-ARGUMENT")]
    {
        let (said, _) = all(&[format!("GET VAR u {}\n", "x".repeat(length)).as_bytes()]);
        assert_eq!(said, format!("ERR {expected}\n"), "{length}");
    }
    let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
    for _ in 0..1000 {
        assert_eq!(connection.take(&[b'x'; 1000], &mut site, &mut out).event, None);
        assert_eq!(connection.take(&[b' '; 10], &mut site, &mut out).event, None);
    }
    connection.take(b"\nVER\n", &mut site, &mut out);
    assert!(out.starts_with(b"ERR INVALID-ARGUMENT\nNetwork"));
    // what is too much is dropped, as by upsd, and its length counts for nothing
    for count in [28, 29, 30, 400] {
        let (said, _) = all(&[format!("GET VAR u a{}\n", " abcdefghij".repeat(count)).as_bytes()]);
        assert_eq!(said, "VAR u a \"1\"\n", "{count}");
    }
}

#[test]
fn a_password_is_in_no_text_for_debugging() {
    let (mut connection, mut out) = (connection(), vec![]);
    connection.take(b"PASSWORD hidden\nPASSWORD hid", &mut Small::new(), &mut out);
    assert!(!format!("{connection:?}{:?}", connection.client()).contains("hid"));
}

/// What each request of the protocol begins with, and rubbish.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "GET VAR u a",
        "GET",
        "LIST VAR u",
        "LIST",
        "SET VAR u a",
        "USERNAME a",
        "PASSWORD b",
        "LOGIN u",
        "INSTCMD u load.off",
        "STARTTLS",
        "LOGOUT",
        "FSD u",
        "VER",
        "TRACKING ON",
        "SET",
        "\"",
        "\\",
        "#",
        "=",
        "\n",
        "\n",
        "\n",
        " ",
        "\r",
    ]);
    prop_oneof![
        4 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn the_cuts_make_no_difference(
        pieces in prop::collection::vec(piece(), 0..40),
        cuts in prop::collection::vec(1usize..30, 1..40),
    ) {
        let bytes = pieces.concat();
        let mut parts = vec![];
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, behind) = rest.split_at((*cut).min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        let whole: &[&[u8]] = if bytes.is_empty() { &[] } else { &[&bytes] };
        let (said, events) = all(whole);
        prop_assert_eq!((said.clone(), events), all(&parts));
        prop_assert!(said.is_empty() || said.ends_with('\n'));
        prop_assert!(said.bytes().all(|byte| byte == b'\n' || (b' '..=0x7f).contains(&byte)));
    }

    #[test]
    fn a_site_that_never_decides_is_never_acted_on(pieces in prop::collection::vec(piece(), 0..40)) {
        let (mut connection, mut site, mut out) = (connection(), Small::new(), vec![]);
        site.verdict = Permission::Later;
        connection.take(&pieces.concat(), &mut site, &mut out);
        let _ = connection.go_on(&mut site, &mut out);
        prop_assert!(site.handed == 0 && site.logins == 0 && !site.forced);
    }
}
