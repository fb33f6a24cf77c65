//! Any bytes as what a converter on USB sends: no panic, an end, and nothing in a reply that was not
//! sent. The first bytes choose bridge and command, the rest is what comes of the transfers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::bridge::Carriage;
use qx::bridges;
use qx::talk::{Outcome, Step, Talk, Transfer, command_in};

/// Commands of every length and kind.
const COMMANDS: [&str; 8] = ["Q1", "F", "QGS", "S.5R0003", "S05R0000", "TL", "PSDT20261121", "C"];
/// More transfers than any command may take.
const MANY: usize = 700;

fuzz_target!(|bytes: &[u8]| {
    let [which, what, step, rest @ ..] = bytes else { return };
    let long = [&bridges::ARMAC_LONG];
    let all: Vec<_> = bridges::ALL.iter().chain(&long).collect();
    let bridge = all[usize::from(*which) % all.len()];
    let command = COMMANDS[usize::from(*what) % COMMANDS.len()];
    let mut talk = Talk::new(bridge, command, usize::from(*step), step & 1 == 1);
    let mut coming = rest;
    for _ in 0..MANY {
        match talk.next() {
            Step::Done(reply) => {
                check(reply, command, rest);
                return;
            }
            Step::Do(Transfer::Pause(_), _) => talk.handle(Outcome::Data(vec![])),
            Step::Do(Transfer::ControlOut { data, .. } | Transfer::InterruptOut { data, .. }, _) => {
                if let Carriage::Reports(reports) = bridge.carriage {
                    let _ = command_in(&reports.packing, &mut vec![], &data);
                }
                talk.handle(next(&mut coming));
            }
            Step::Do(..) => talk.handle(next(&mut coming)),
        }
    }
    panic!("{} {command}: no end", bridge.name);
});

/// What comes of a transfer: the first byte says what, or how many bytes of data.
fn next(coming: &mut &[u8]) -> Outcome {
    let [what, rest @ ..] = *coming else { return Outcome::Nothing };
    *coming = rest;
    match what {
        0xfd => Outcome::Nothing,
        0xfe => Outcome::Stalled,
        0xff => Outcome::Failed,
        count => {
            let count = usize::from(*count).min(rest.len());
            let (data, left) = rest.split_at(count);
            *coming = left;
            Outcome::Data(data.to_vec())
        }
    }
}

fn check(reply: Option<Vec<u8>>, command: &str, sent: &[u8]) {
    let Some(reply) = reply.filter(|reply| reply != command.as_bytes()) else { return };
    assert!(!reply.contains(&b'\r'));
    // the first letter of some replies is known, letters beyond Latin are none, zeros may be digits
    let known =
        |byte: &u8| sent.contains(byte) || b"(#?".contains(byte) || *byte == b'0' && sent.contains(&0);
    assert!(reply.iter().all(known), "{}", reply.escape_ascii());
}
