//! Requests and answers, by RFC 3416 and RFC 1157.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use snmp::{Community, LONGEST, Look, MibView, Unanswered, UpsFacts, UpsWatch, answer};
use std::time::Duration;
use testbed::snmp::{BULK, GET, Heard, NEXT, SET, heard, request};

fn variable(name: &str) -> Option<String> {
    let known = [("ups.status", "OL"), ("battery.charge", "100"), ("ups.mfr", "Acme")];
    known.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).into())
}

fn view() -> MibView {
    let mut watch = UpsWatch::new();
    watch.look(Look { is_fresh: true, words: "OL", ..Look::default() }, Duration::ZERO);
    MibView::of(&UpsFacts {
        name: "rack",
        description: None,
        contact: "",
        location: "",
        version: "1",
        is_fresh: true,
        is_forced: false,
        variables: &variable,
        watch: &watch,
        now: Duration::from_secs(2),
    })
}

fn community() -> Community {
    Community::new("s3cret").unwrap()
}

fn ask(datagram: &[u8]) -> Result<Vec<u8>, Unanswered> {
    answer(datagram, &community(), view)
}

fn asked(kind: u8, numbers: (i8, i8), names: &[&str]) -> Heard {
    heard(&ask(&request(1, "s3cret", kind, numbers, names)).unwrap())
}

fn pairs(heard: &Heard) -> Vec<(&str, &str)> {
    heard.bindings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

const CHARGE: &str = "1.3.6.1.2.1.33.1.2.4.0";
const VOLTS: &str = "1.3.6.1.2.1.33.1.2.5.0";

#[test]
fn a_value_is_given_and_what_is_not_said_is_no_such_instance() {
    let got = asked(
        GET,
        (0, 0),
        &[CHARGE, VOLTS, "1.3.6.1.2.1.33.1.2.4", "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.1.3.0"],
    );
    assert_eq!((got.version, got.community.as_str(), got.kind), (1, "s3cret", 0xa2));
    assert_eq!(got.numbers, [0x1234_5678, 0, 0]);
    assert_eq!(
        pairs(&got),
        [
            (CHARGE, "INTEGER 100"),
            (VOLTS, "noSuchInstance"),
            ("1.3.6.1.2.1.33.1.2.4", "noSuchInstance"),
            ("1.3.6.1.2.1.2.1.0", "noSuchObject"),
            ("1.3.6.1.2.1.1.3.0", "Timeticks 200"),
        ]
    );
    assert_eq!(asked(GET, (0, 0), &[]).bindings, []);
}

#[test]
fn what_follows_is_given_to_the_end_of_the_tree() {
    let mut names = vec![];
    let mut name = "1.3".to_string();
    loop {
        let got = asked(NEXT, (0, 0), &[&name]);
        let (next, value) = got.bindings[0].clone();
        if value == "endOfMibView" {
            assert_eq!(next, name);
            break;
        }
        names.push(next.clone());
        name = next;
    }
    let parts = |name: &String| name.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    assert!(names.windows(2).all(|pair| parts(&pair[0]) < parts(&pair[1])));
    assert_eq!(names[0], "1.3.6.1.2.1.1.1.0");
    assert!(names.contains(&CHARGE.to_string()) && !names.contains(&VOLTS.to_string()));
    // the same by GETBULK, and no more than there is
    let (mut bulk, mut from) = (vec![], "1.3".to_string());
    while from != *names.last().unwrap() {
        let got = asked(BULK, (0, 7), &[&from]);
        bulk.extend(
            got.bindings.iter().filter(|(_, value)| value != "endOfMibView").map(|(name, _)| name.clone()),
        );
        from = bulk.last().unwrap().clone();
    }
    assert_eq!(bulk, names);
    assert_eq!(pairs(&asked(BULK, (0, 50), &[&from])), [(from.as_str(), "endOfMibView")]);
}

/// RFC 3416, section 4.2.3: one for each of the first names, then rounds of the others.
#[test]
fn a_bulk_has_each_first_name_once_and_rounds_of_the_others() {
    let names = ["1.3.6.1.2.1.1.4", "1.3.6.1.2.1.33.1.1", "1.3.6.1.2.1.33.1.2"];
    let got = asked(BULK, (1, 2), &names);
    let names: Vec<_> =
        got.bindings.iter().map(|(name, _)| name.trim_start_matches("1.3.6.1.2.1.")).collect();
    assert_eq!(names, ["1.4.0", "33.1.1.1.0", "33.1.2.1.0", "33.1.1.2.0", "33.1.2.2.0"]);
    for (numbers, count) in [((9, 9), 1), ((0, 0), 0), ((-1, -1), 0), ((-5, 1), 1)] {
        assert_eq!(asked(BULK, numbers, &["1.3.6.1.2.1.1.4"]).bindings.len(), count, "{numbers:?}");
    }
}

#[test]
fn nothing_can_be_set() {
    let got = asked(SET, (0, 0), &[CHARGE, VOLTS]);
    assert_eq!((got.numbers[1], got.numbers[2]), (17, 1));
    assert_eq!(pairs(&got), [(CHARGE, "NULL"), (VOLTS, "NULL")]);
    let got = heard(&ask(&request(0, "s3cret", SET, (0, 0), &[CHARGE])).unwrap());
    assert_eq!((got.version, got.numbers[1], got.numbers[2]), (0, 2, 1));
}

/// RFC 1157: no exceptions, but noSuchName and the place; GETBULK is none of v1.
#[test]
fn v1_refuses_the_whole_for_one_name() {
    let ask_v1 = |kind, names: &[&str]| heard(&ask(&request(0, "s3cret", kind, (0, 0), names)).unwrap());
    let got = ask_v1(GET, &[CHARGE, VOLTS]);
    assert_eq!((got.numbers[1], got.numbers[2]), (2, 2));
    assert_eq!(pairs(&got), [(CHARGE, "NULL"), (VOLTS, "NULL")]);
    assert_eq!(pairs(&ask_v1(GET, &[CHARGE])), [(CHARGE, "INTEGER 100")]);
    assert_eq!(ask_v1(NEXT, &["1.3.6.1.2.1.34"]).numbers[1..], [2, 1]);
    assert_eq!(ask(&request(0, "s3cret", BULK, (0, 1), &[CHARGE])), Err(Unanswered::Garbage));
}

#[test]
fn no_answer_to_another_community_version_or_kind() {
    for wrong in ["public", "", "s3cre", "s3crets", "S3cret"] {
        assert_eq!(
            ask(&request(1, wrong, GET, (0, 0), &[CHARGE])),
            Err(Unanswered::WrongCommunity),
            "{wrong}"
        );
    }
    assert_eq!(ask(&request(3, "s3cret", GET, (0, 0), &[CHARGE])), Err(Unanswered::OtherVersion));
    // responses, v1 traps, informs, traps, reports
    for kind in [0xa2, 0xa4, 0xa6, 0xa7, 0xa8, 0x30] {
        assert_eq!(ask(&request(1, "s3cret", kind, (0, 0), &[CHARGE])), Err(Unanswered::Garbage), "{kind:x}");
    }
    assert!(!format!("{:?}", community()).contains("s3cret"));
    for text in ["", "a b", "\n", "é", &"x".repeat(65)] {
        assert_eq!(Community::new(text), None, "{text:?}");
    }
}

#[test]
fn no_answer_is_longer_than_a_frame() {
    let whole = ask(&request(1, "s3cret", BULK, (0, 127), &["1.3"; 60])).unwrap();
    assert!((LONGEST - 100..=LONGEST).contains(&whole.len()), "{}", whole.len());
    // a long text so often that it has no room: tooBig, without names (RFC 3416, section 4.2.1)
    let got = asked(GET, (0, 0), &["1.3.6.1.2.1.1.1.0"; 60]);
    assert_eq!((got.numbers[1], got.numbers[2], got.bindings.len()), (1, 0, 0));
    let long = request(1, "s3cret", GET, (0, 0), &["1.3.6.1.2.1.1.1.0"; 110]);
    assert!(long.len() > LONGEST);
    assert_eq!(ask(&long), Err(Unanswered::Garbage));
    assert_eq!(ask(&vec![0x30; 65_535]), Err(Unanswered::Garbage));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_get_an_answer_of_a_frame_or_none(bytes: Vec<u8>) {
        let _ = ask(&bytes);
    }

    /// A request of which a byte is another, or that ends early.
    #[test]
    fn a_damaged_request_gets_an_answer_of_a_frame_or_none(
        kind in prop::sample::select(vec![GET, NEXT, SET, BULK]),
        first: i8, second: i8, at: prop::sample::Index, byte: u8, end: prop::sample::Index,
    ) {
        let mut bytes = request(1, "s3cret", kind, (first, second), &[CHARGE, VOLTS, "1.3.6.1.2.1.1.3.0"]);
        if let Ok(whole) = ask(&bytes) {
            prop_assert!(whole.len() <= LONGEST);
            prop_assert_eq!(heard(&whole).numbers[0], 0x1234_5678);
        }
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(whole) = ask(&bytes) {
            prop_assert!(whole.len() <= LONGEST && whole[0] == 0x30);
        }
        let end = end.index(bytes.len());
        prop_assert!(ask(&bytes[..end]).is_err());
    }
}
