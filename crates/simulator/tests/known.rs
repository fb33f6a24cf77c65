//! A UPS that was found before is taken at once when it shows itself as it was; one that took its place is not
//! taken for it, or not for long. In virtual time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::profile::{Profile, RefusalReply};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;
use testbed::wire;
use testbed::wire::{Wire, may_be_claimed, say};

/// So long a start is looked at.
const WHILE: Moment = Moment::after_start(Duration::from_secs(20));

fn found_by_itself() -> impl Iterator<Item = &'static Protocol> {
    protocols::ALL.iter().copied().filter(|protocol| !protocol.by_name)
}

/// What came of a start.
struct Start {
    /// What it was taken for first, and in the end.
    claims: Vec<&'static str>,
    /// The questions until it was first taken for something, until there was data, and all.
    until_found: Vec<String>,
    until_ready: Vec<String>,
    asked: Vec<String>,
    /// What is to be kept now, if there is news.
    news: Option<String>,
    wire: Wire,
}

impl Start {
    fn claim(&self) -> &'static str {
        self.claims.last().copied().unwrap_or("nothing")
    }
}

fn unit(protocol: &'static Protocol, unknown: &str) -> SimulatedUps {
    // no two makes of units have one name
    let model = format!("{}{}", unknown.len(), protocol.name.replace("voltronic", "volt"));
    let profile = Profile { unknown: RefusalReply::parse(unknown), model, ..Profile::default() };
    SimulatedUps::new(protocol, profile, Trouble::new(7), Script::default())
}

fn start_with(memory: Option<&str>, answer: &mut wire::WireUps) -> Start {
    let options = Options { dialect_memory: memory.map(String::from), ..Options::default() };
    let mut wire = Wire::new(options);
    let mut until = |wire: &mut Wire, end: Moment, event: &dyn Fn(&Event) -> bool| {
        wire.run(end, answer, event);
        wire.questions()
    };
    let until_found = until(&mut wire, WHILE, &|event| matches!(event, Event::Detected(..)));
    let until_ready = until(&mut wire, WHILE, &|event| *event == Event::Ready);
    // the polls come later, and ask the same again
    let asked = until(&mut wire, WHILE, &|_| false);
    let claims = wire.events.iter().filter_map(|(_, event)| match event {
        Event::Detected(name, _) => Some(*name),
        _ => None,
    });
    Start {
        claims: claims.collect(),
        until_found,
        until_ready,
        asked,
        news: wire.device.dialect_memory(),
        wire,
    }
}

/// A start with what was kept.
fn start(protocol: &'static Protocol, unknown: &str, memory: Option<&str>) -> Start {
    let mut ups = unit(protocol, unknown);
    start_with(memory, &mut |command, now| say(&mut ups, command, now))
}

/// What is kept after a unit was found twice.
fn memory_of(protocol: &'static Protocol) -> String {
    let once = start(protocol, "silent", None).news.expect("something is kept");
    start(protocol, "silent", Some(&once)).news.unwrap_or(once)
}

/// Whether all questions are the dialect's own.
fn are_its_own(questions: &[String], protocol: &Protocol) -> bool {
    let own: Vec<_> = protocol.queries.iter().map(|query| query.wire(0)).collect();
    questions.iter().all(|ask| own.iter().any(|own| String::from_utf8_lossy(own) == *ask))
}

/// Those who do not name themselves and are told by two signs.
const TWO: [&str; 3] = ["voltronic-qs", "voltronic-qs-hex", "bestups"];
/// Those whose replies an earlier dialect would read otherwise: nothing short of the whole search is enough.
const ALL_ANEW: [&str; 2] = ["q2", "q6"];

#[test]
fn a_known_ups_is_taken_by_its_name_or_signs() {
    for protocol in found_by_itself() {
        for unknown in ["silent", "echo"] {
            let first = start(protocol, unknown, None);
            assert_eq!(first.claims, [protocol.name]);
            let once = first.news.expect("something is kept");
            let second = start(protocol, unknown, Some(&once));
            assert_eq!(second.claims, [protocol.name], "{:?}", second.asked);
            let twice = second.news.clone().unwrap_or(once);
            let third = start(protocol, unknown, Some(&twice));
            assert_eq!((third.claims.as_slice(), &third.news), (&[protocol.name][..], &None), "{twice}");
            for start in [&second, &third] {
                let name = protocol.name;
                if ALL_ANEW.contains(&name) {
                    assert!(start.until_found.len() <= first.until_found.len(), "{name}");
                    continue;
                }
                // Q1 goes first where it is asked anyway: it shows whether that is a UPS of this family at all
                let asks_q1 = protocol.queries.iter().any(|query| query.ask == "Q1");
                assert!(!asks_q1 || start.until_found[0] == "Q1", "{name}: {:?}", start.until_found);
                let exchanges = if TWO.contains(&name) || asks_q1 && name != "q1" { 2 } else { 1 };
                assert_eq!(start.until_found.len(), exchanges, "{name}: {:?}, {twice}", start.until_found);
                // what is asked before there is data is what the dialect asks anyway
                assert!(are_its_own(&start.until_ready, protocol), "{name}: {:?}", start.until_ready);
            }
            // who named itself twice is looked at no more
            if twice.contains("\n> ") {
                assert!(twice.contains("found twice"), "{twice}");
                assert!(are_its_own(&third.asked, protocol), "{:?}", third.asked);
            }
        }
    }
}

#[test]
fn what_is_kept_of_another_ups_is_not_believed_for_long() {
    let mut waited = Moment::ZERO;
    let memories: Vec<_> = found_by_itself().map(|before| (before, memory_of(before))).collect();
    for now in found_by_itself() {
        for unknown in ["silent", "echo", "(NAK"] {
            let plainly = start(now, unknown, None);
            for (before, memory) in &memories {
                let again = start(now, unknown, Some(memory));
                let place = format!("{} after {}, {unknown}: {}", now.name, before.name, again.wire.talk());
                let right = |claim: &str| claim == plainly.claim() || claim == now.name;
                assert!(right(again.claim()), "{:?}, {place}", again.claims);
                // at first it may be taken for a plainer sister, which says less of it, but nothing false
                let plainer = |claim: &&str| may_be_claimed(now.name, unknown, claim);
                assert!(
                    again.claims.iter().all(|claim| right(claim) || plainer(claim)),
                    "{:?} {place}",
                    again.claims
                );
                let events = &again.wire.events;
                let found =
                    |(at, event): &(Moment, Event)| matches!(event, Event::Detected(..)).then_some(*at);
                waited = waited.max(events.iter().filter_map(found).next_back().unwrap());
                // and no data is lost meanwhile
                assert!(!events.iter().any(|(_, event)| *event == Event::Stale), "{place}");
                let news = again.news.unwrap_or_default();
                assert!(
                    before.name == now.name
                        || news.contains(&format!("protocol {}\n", again.claims.last().unwrap())),
                    "{news}, {place}"
                );
            }
        }
    }
    assert!(waited < Moment::after_start(Duration::from_secs(6)), "{waited:?}");
}

#[test]
fn what_is_no_memory_does_no_harm() {
    let plainly = start(&protocols::MEGATEC, "silent", None);
    let memory = memory_of(&protocols::MEGATEC);
    let (cut, other) = (&memory[..memory.len() - 5], memory.replace("protocol megatec", "protocol hunnox"));
    let model = memory.replace("6megatec  ", "6megatec 2");
    for text in ["", "\0", "qxups-dialect 1\nprotocol omron\nfound twice\nend\n", cut, other.as_str()] {
        let start = start(&protocols::MEGATEC, "silent", Some(text));
        assert_eq!((start.claim(), start.until_found), ("megatec", plainly.until_found.clone()), "{text:?}");
    }
    // another model of the maker is looked at as if it were new, and then kept
    let start = start(&protocols::MEGATEC, "silent", Some(&model));
    assert_eq!((start.claim(), start.until_found.len()), ("megatec", plainly.until_found.len() + 1));
    assert_eq!(start.news, Some(memory.replace("twice", "once")));
}

#[test]
fn a_name_that_arrives_garbled_is_asked_again() {
    let memory = memory_of(&protocols::MEGATEC);
    for (lost, asked) in [(false, vec!["Q1", "I", "I"]), (true, vec!["Q1", "I", "I"])] {
        let mut ups = unit(&protocols::MEGATEC, "silent");
        let mut first = true;
        let start = start_with(Some(&memory), &mut |command, now| {
            let mut said = say(&mut ups, command, now);
            if command == b"I\r" && std::mem::take(&mut first) {
                said.iter_mut().for_each(|(_, bytes)| bytes[3] ^= 1);
                said.truncate(usize::from(!lost) * said.len());
            }
            said
        });
        let until_found: Vec<&str> = start.until_found.iter().map(String::as_str).collect();
        assert_eq!((start.claims.as_slice(), until_found), (&["megatec"][..], asked));
        assert_eq!(start.wire.device.store().text("device.model").map(str::trim), Some("6megatec"));
    }
}

#[test]
fn a_dead_port_is_given_up_all_the_same() {
    for protocol in found_by_itself() {
        let memory = memory_of(protocol);
        let start = start_with(Some(&memory), &mut |_, _| vec![]);
        let given_up =
            start.wire.events.iter().find(|(_, event)| matches!(event, Event::NotFound(_))).unwrap();
        assert!(
            given_up.0 <= Moment::after_start(Duration::from_secs(9)),
            "{}: {:?}",
            protocol.name,
            given_up.0
        );
    }
}

/// One that says its name and nothing else.
#[test]
fn a_name_without_a_status_is_not_enough() {
    let memory = memory_of(&protocols::MEGATEC);
    let mut known = unit(&protocols::MEGATEC, "silent");
    let mut mute = |command: &[u8], now| {
        if command == b"I\r" { say(&mut known, command, now) } else { vec![] }
    };
    let start = start_with(Some(&memory), &mut mute);
    assert!(
        start.wire.events.iter().any(|(_, event)| matches!(event, Event::NotFound(_))),
        "{:?}",
        start.asked
    );
    assert!(start.wire.device.store().text("ups.status").is_none());
}
