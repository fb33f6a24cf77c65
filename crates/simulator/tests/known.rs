//! A UPS that was found before is found again by its signs alone; one that took its place is not taken for
//! it. In virtual time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod wire;

use qx::device::Event;
use qx::option::Options;
use qx::protocol::Protocol;
use qx::protocols;
use simulator::personality::{Personality, Refusal};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;
use wire::{Wire, say};

fn found_by_itself() -> impl Iterator<Item = &'static Protocol> {
    protocols::ALL.iter().copied().filter(|protocol| !protocol.by_name)
}

/// Finds a unit, with what was kept; what it was taken for, the questions, and what is kept now.
fn find(
    protocol: &'static Protocol,
    unknown: &str,
    memory: Option<&str>,
) -> (&'static str, Vec<String>, Option<String>) {
    // no two makes of units have one name
    let model = format!("{}{}", unknown.len(), protocol.name.replace("voltronic", "volt"));
    let personality = Personality { unknown: Refusal::parse(unknown), model, ..Personality::default() };
    let mut ups = SimulatedUps::new(protocol, personality, Trouble::new(7), Script::default());
    let options = Options { dialect_memory: memory.map(String::from), ..Options::default() };
    let mut wire = Wire::new(options);
    let found = |event: &Event| matches!(event, Event::Detected(..));
    let end = Duration::from_secs(120);
    wire.run(end, &mut |command, now| say(&mut ups, command, now), found);
    (wire.claim().unwrap_or("nothing"), wire.questions(), wire.device.dialect_memory())
}

/// What is kept after a unit was found twice.
fn memory_of(protocol: &'static Protocol) -> String {
    let (_, _, once) = find(protocol, "silent", None);
    let (_, _, twice) = find(protocol, "silent", once.as_deref());
    twice.expect("found twice")
}

/// Those who name themselves, and the first of the list, before which nothing goes.
const KNOWN: [&str; 6] = ["voltronic", "megatec", "zinto", "masterguard", "gtec", "innovart31"];

#[test]
fn a_known_ups_is_asked_for_its_signs_only() {
    for protocol in found_by_itself() {
        for unknown in ["silent", "echo"] {
            let (claim, mut asked, memory) = find(protocol, unknown, None);
            assert_eq!(claim, protocol.name);
            let memory = memory.expect("something is kept");
            // what was found once may have missed a reply
            let (again, questions, confirmed) = find(protocol, unknown, Some(&memory));
            assert_eq!((again, questions), (claim, asked.clone()));
            let confirmed = confirmed.expect("found twice");
            let (again, mut questions, news) = find(protocol, unknown, Some(&confirmed));
            assert_eq!((again, news), (claim, None), "what was kept is true still");
            questions.dedup();
            asked.dedup();
            let short = questions.len() <= protocol.signs.len();
            assert_eq!(short, KNOWN.contains(&claim), "{claim}: {questions:?}, {memory}");
            assert!(short || questions == asked, "{claim}: {questions:?}, at first {asked:?}");
        }
    }
}

#[test]
fn what_is_kept_of_another_ups_is_not_believed() {
    for before in found_by_itself() {
        let memory = memory_of(before);
        for now in found_by_itself() {
            for unknown in ["silent", "echo", "(NAK"] {
                let (claim, plainly, _) = find(now, unknown, None);
                let (again, questions, _) = find(now, unknown, Some(&memory));
                assert!(
                    again == claim || again == now.name,
                    "{again}, {} after {}: {questions:?}",
                    now.name,
                    before.name
                );
                // at most the signs of the dialect that was there before, for nothing
                assert!(
                    questions.len() <= plainly.len() + before.signs.len() + 1,
                    "{questions:?} {plainly:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_memory_does_no_harm() {
    let (_, asked, _) = find(&protocols::MEGATEC, "silent", None);
    let memory = memory_of(&protocols::MEGATEC);
    let (cut, other) = (&memory[..memory.len() - 5], memory.replace("protocol megatec", "protocol hunnox"));
    let model = memory.replace("6megatec  ", "6megatec 2");
    for text in ["", "\0", "qxups-dialect 1\nprotocol megatec\nfound twice\nend\n", cut, other.as_str()] {
        let (claim, questions, _) = find(&protocols::MEGATEC, "silent", Some(text));
        assert_eq!((claim, questions), ("megatec", asked.clone()), "{text:?}");
    }
    // another model of the maker is looked at as if it were new, and then kept
    let (claim, questions, news) = find(&protocols::MEGATEC, "silent", Some(&model));
    assert_eq!((claim, questions.len()), ("megatec", asked.len()));
    assert_eq!(news, Some(memory.replace("twice", "once")));
}
