//! A session before a master that the test plays; its packets are by hand from RFC 2741.

use super::*;
use crate::{Look, MibView, Notice, UpsFacts, UpsWatch};
use std::time::Duration;

const S: Duration = Duration::from_secs(1);
/// The number that the master gives to the session.
const SESSION: u32 = 0x0102_0304;
const UPS: [u32; 7] = [1, 3, 6, 1, 2, 1, 33];

fn word(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn head(kind: u8, flags: u8, numbers: [u32; 3], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let words = numbers.into_iter().chain([length]).flat_map(word);
    [1, kind, flags | 0x10, 0].into_iter().chain(words).chain(payload.iter().copied()).collect()
}

/// A name below 1.3.6.1.2.
fn name(below: &[u32], include: u8) -> Vec<u8> {
    let count = u8::try_from(below.len()).unwrap();
    [count, 2, include, 0].into_iter().chain(below.iter().flat_map(|part| word(*part))).collect()
}

/// A name of the UPS-MIB.
fn ups(below: &[u32], include: u8) -> Vec<u8> {
    name(&[&[1, 33], below].concat(), include)
}

const NULL: [u8; 4] = [0; 4];

fn range(start: &[u8], end: &[u8]) -> Vec<u8> {
    [start, end].concat()
}

fn answered(packet: u32, error: u16) -> Vec<u8> {
    let payload = [&word(77)[..], &error.to_be_bytes(), &[0, 0]].concat();
    head(18, 0, [SESSION, 0, packet], &payload)
}

fn view(of: &str) -> Option<MibView> {
    let watch = {
        let mut watch = UpsWatch::new();
        watch.look(Look { is_fresh: true, words: "OL", ..Look::default() }, S);
        watch
    };
    let variable = |name: &str| match name {
        "ups.status" => Some("OL".to_string()),
        "battery.charge" => Some("90".into()),
        _ => None,
    };
    (of != "gone").then(|| {
        MibView::of(&UpsFacts {
            name: if of.is_empty() { "first" } else { of },
            description: None,
            contact: "",
            location: "",
            version: "0",
            is_fresh: true,
            is_forced: false,
            variables: &variable,
            watch: &watch,
            now: S,
        })
    })
}

fn said(session: &mut AgentxSession, bytes: &[u8], now: Duration) -> Result<Vec<u8>, AgentxFault> {
    session.receive(bytes);
    while session.handle(now, view)? {}
    Ok(session.take_output())
}

/// One that is open, in the default context and in `rack`.
fn open() -> AgentxSession {
    let mut session = AgentxSession::new(vec![String::new(), "rack".into()], "UPS", S);
    let greeting = session.take_output();
    // timeout, the null name, the description
    assert_eq!(greeting, head(1, 0, [0, 0, 1], &[&[5, 0, 0, 0][..], &NULL, &word(3), b"UPS\0"].concat()));
    assert!(!session.takes_notices());
    let register = [&[0, 127, 0, 0][..], &ups(&[], 0)].concat();
    assert_eq!(said(&mut session, &answered(1, 0), S).unwrap(), head(3, 0, [SESSION, 0, 2], &register));
    let in_rack = [&word(4)[..], b"rack", &register].concat();
    assert_eq!(said(&mut session, &answered(2, 0), S).unwrap(), head(3, 8, [SESSION, 0, 3], &in_rack));
    assert_eq!(said(&mut session, &answered(3, 0), S).unwrap(), []);
    assert_eq!(session.take_events(), [AgentxEvent::Registered(2)]);
    assert!(session.takes_notices());
    session
}

/// Asks, and what stands behind the header of the answer.
fn asked(session: &mut AgentxSession, kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let answer = said(session, &head(kind, flags, [SESSION, 5, 6], payload), S).unwrap();
    assert_eq!(answer[..16], head(18, 0, [SESSION, 5, 6], &[])[..16]);
    answer[20..].to_vec()
}

/// An answer without error, of these bindings.
fn bindings(each: &[Vec<u8>]) -> Vec<u8> {
    [vec![0; 8], each.concat()].concat()
}

fn binding(kind: u16, name: &[u8], value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &[0, 0], name, value].concat()
}

#[test]
fn questions_are_answered_in_their_context() {
    let mut session = open();
    let name_of = |text: &str| {
        let filled = [text.as_bytes(), &vec![0; text.len().wrapping_neg() % 4]].concat();
        binding(4, &ups(&[1, 1, 5, 0], 0), &[&word(u32::try_from(text.len()).unwrap())[..], &filled].concat())
    };
    let get = range(&ups(&[1, 1, 5, 0], 0), &NULL);
    assert_eq!(asked(&mut session, 5, 0, &get), bindings(&[name_of("first")]));
    let in_rack = [&word(4)[..], b"rack", &get].concat();
    assert_eq!(asked(&mut session, 5, 8, &in_rack), bindings(&[name_of("rack")]));
    // a context without a UPS has nothing
    let in_gone = [&word(4)[..], b"gone", &get].concat();
    assert_eq!(asked(&mut session, 5, 8, &in_gone), bindings(&[binding(129, &ups(&[1, 1, 5, 0], 0), &[])]));
    // charge, one that is not said, one that is none, and one beside the UPS-MIB
    let names = [ups(&[1, 2, 4, 0], 0), ups(&[1, 2, 5, 0], 0), ups(&[1, 99, 0], 0), name(&[1, 1, 5, 0], 0)];
    let all: Vec<u8> = names.iter().flat_map(|name| range(name, &NULL)).collect();
    let expected = [
        binding(2, &names[0], &word(90)),
        binding(129, &names[1], &[]),
        binding(128, &names[2], &[]),
        binding(128, &names[3], &[]),
    ];
    assert_eq!(asked(&mut session, 5, 0, &all), bindings(&expected));
}

#[test]
fn a_walk_keeps_to_its_range_and_to_the_ups_mib() {
    let mut session = open();
    let charge = binding(2, &ups(&[1, 2, 4, 0], 0), &word(90));
    let end = |start: &[u8]| binding(130, start, &[]);
    let after = name(&[1, 34], 0);
    for (start, to, expected) in [
        (ups(&[1, 2, 4], 0), after.clone(), charge.clone()),
        // a start that counts itself, and one that does not
        (ups(&[1, 2, 4, 0], 1), after.clone(), charge.clone()),
        (ups(&[1, 2, 4, 0], 1), ups(&[1, 2, 4, 0], 0), end(&ups(&[1, 2, 4, 0], 0))),
        (ups(&[1, 2, 4], 0), ups(&[1, 2, 4, 0], 0), end(&ups(&[1, 2, 4], 0))),
        (ups(&[2], 0), after.clone(), end(&ups(&[2], 0))),
    ] {
        assert_eq!(asked(&mut session, 6, 0, &range(&start, &to)), bindings(&[expected]), "{start:?}");
    }
    // what stands in front of the MIB of a UPS is the master's own
    let first = asked(&mut session, 6, 0, &range(&name(&[1, 1], 0), &after));
    let expected = bindings(&[binding(4, &ups(&[1, 1, 1, 0], 0), &word(0))]);
    assert_eq!(first, expected);
    // once the first, twice the second
    let bulk = [&[0, 1, 0, 2][..], &range(&ups(&[1, 2, 4], 0), &after), &range(&ups(&[1, 2, 3], 0), &after)];
    let said = asked(&mut session, 7, 0, &bulk.concat());
    assert_eq!(said[..8 + 2 * charge.len()], bindings(&[charge.clone(), charge]));
    // 1.3.1.0, upsInputLineBads, is what follows
    assert_eq!(said[8 + 72..8 + 72 + 4], [0, 65, 0, 0]);
}

#[test]
fn nothing_can_be_set() {
    let mut session = open();
    let set = binding(2, &ups(&[1, 8, 2, 0], 0), &word(1));
    for (kind, error) in [(8, 17), (9, 14), (10, 15)] {
        assert_eq!(asked(&mut session, kind, 0, &set), [0, 0, 0, 0, 0, error, 0, 1]);
    }
    assert_eq!(said(&mut session, &head(11, 0, [SESSION, 5, 6], &[]), S), Ok(vec![]));
}

#[test]
fn notices_go_one_after_the_other_and_none_without_a_session() {
    let mut session = open();
    let what = view("rack").unwrap();
    session.notify("rack", &Notice::ColdStart, &what, S);
    assert_eq!(session.take_output(), []);
    session.notify("rack", &Notice::OnBattery, &what, S);
    session.notify("", &Notice::AlarmAdded(3, crate::alarms::name(6)), &what, S);
    assert!(!session.takes_notices());
    let first = session.take_output();
    assert_eq!(
        first[..20],
        head(12, 8, [SESSION, 0, 4], &[])[..16]
            .iter()
            .copied()
            .chain(first[16..20].iter().copied())
            .collect::<Vec<_>>()
    );
    assert_eq!(first[20..28], *b"\0\0\0\x04rack");
    // snmpTrapOID.0 is upsTrapOnBattery (RFC 1628)
    let trap_oid = [5, 6, 0, 0].into_iter().chain([3, 1, 1, 4, 1, 0].into_iter().flat_map(word));
    let mut expected: Vec<u8> = [0, 6, 0, 0, 6, 6, 0, 0].into_iter().chain(trap_oid.skip(4)).collect();
    expected.extend(ups(&[2, 1], 0));
    assert_eq!(first[28..28 + expected.len()], expected);
    // the second waits for the answer of the first
    assert!(
        said(&mut session, &answered(4, 0), S).unwrap().starts_with(&head(12, 0, [SESSION, 0, 5], &[])[..16])
    );
    assert!(session.takes_notices());
    said(&mut session, &answered(5, 265), S).unwrap();
    assert_eq!(session.take_events(), [AgentxEvent::NoticeRefused("requestDenied".into())]);
}

#[test]
fn a_master_that_is_silent_or_refuses_is_left_and_a_refused_context_tried_again() {
    let mut session = open();
    assert_eq!((session.check(S * 30), session.take_output()), (Ok(()), vec![]));
    session.check(S * 31).unwrap();
    assert_eq!(session.take_output(), head(13, 0, [SESSION, 0, 4], &[]));
    assert_eq!(session.check(S * 40), Ok(()));
    assert_eq!(session.check(S * 41), Err(AgentxFault::Silent));
    let mut session = AgentxSession::new(vec!["rack".into()], "", S);
    session.take_output();
    assert_eq!(said(&mut session, &answered(1, 256), S), Err(AgentxFault::Refused(256)));
    let mut session = AgentxSession::new(vec!["rack".into()], "", S);
    said(&mut session, &answered(1, 0), S).unwrap();
    said(&mut session, &answered(2, 263), S).unwrap();
    let refused = AgentxEvent::ContextRefused("rack".into(), "duplicateRegistration".into());
    assert_eq!(session.take_events(), [refused, AgentxEvent::Registered(0)]);
    session.check(S * 60).unwrap();
    session.take_output();
    said(&mut session, &answered(3, 0), S * 60).unwrap();
    session.check(S * 61).unwrap();
    assert!(session.take_output().starts_with(&head(3, 8, [SESSION, 0, 4], &[])[..16]));
}

#[test]
fn a_hostile_master_is_left_or_answered_within_bounds() {
    // no AgentX, another version, a length that is none, one that is too long, a kind that no master sends
    for bytes in [
        vec![0; 20],
        head(5, 0, [SESSION, 0, 0], &[])
            .into_iter()
            .enumerate()
            .map(|(at, b)| if at == 0 { 2 } else { b })
            .collect(),
        head(5, 0, [SESSION, 0, 0], &[0; 3]),
        [head(5, 0, [SESSION, 0, 0], &[])[..16].to_vec(), word(64 * 1024 + 4).to_vec()].concat(),
        head(14, 0, [SESSION, 0, 0], &[]),
        head(1, 0, [SESSION, 0, 0], &[]),
        // a context without an end
        head(5, 8, [SESSION, 0, 0], &word(400)),
    ] {
        assert_eq!(said(&mut open(), &bytes, S), Err(AgentxFault::Malformed), "{bytes:?}");
    }
    assert_eq!(
        said(&mut open(), &head(2, 0, [SESSION, 0, 0], &[3, 0, 0, 0]), S),
        Err(AgentxFault::Closed(3))
    );
    // a name that is cut off: parseError
    assert_eq!(asked(&mut open(), 5, 0, &[9, 2, 0, 0]), [0, 0, 0, 0, 1, 10, 0, 0]);
    // another session: notOpen
    let other = said(&mut open(), &head(5, 0, [9, 0, 0], &[]), S).unwrap();
    assert_eq!(other[20..], [0, 0, 0, 0, 1, 1, 0, 0]);
    // as much as a packet can ask for
    let mut session = open();
    let one = range(&ups(&[], 0), &NULL);
    let most: Vec<u8> = [vec![0, 0, 255, 255], one.repeat(64 * 1024 / one.len() - 1)].concat();
    for kind in [6, 7] {
        let answer = asked(&mut session, kind, 0, if kind == 6 { &most[4..] } else { &most });
        assert!(answer.len() <= LONGEST_PACKET, "{}", answer.len());
        assert_eq!(session.kept(), 0);
    }
    // bytes in pieces
    let question = head(5, 0, [SESSION, 5, 6], &range(&ups(&[1, 2, 4, 0], 0), &NULL));
    let mut out = vec![];
    for byte in question {
        out.extend(said(&mut session, &[byte], S).unwrap());
    }
    assert_eq!(out[20..], bindings(&[binding(2, &ups(&[1, 2, 4, 0], 0), &word(90))]));
    assert_eq!(UPS, crate::ups_mib::UPS_MIB);
}
