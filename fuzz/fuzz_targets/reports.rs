//! Any bytes as what a converter on USB sends: no panic, an end, and nothing in a reply that was not
//! sent, NULs around it or not; and any bytes as a command come out of the reports as they went in. The first bytes choose
//! bridge and command, the rest is what comes of the transfers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::line::nuls::without_nuls;
use qx::protocols;
use qx::usb::bridge::{Bridge, Carriage};
use qx::usb::bridges;
use qx::usb::transfers::{Transfer, TransferOutcome, TransferStep, Transfers, command_in};

/// Commands of every length and kind; in place of others, bytes.
const COMMANDS: [&[u8]; 8] =
    [b"Q1", b"F", b"QPI\xbe\xac", b"S.5R0003", b"S05R0000", b"TL", b"PSDT20261121", b"C"];
/// At most so many bytes make a command.
const LONGEST: usize = 70;
/// More transfers than any command may take.
const MANY: usize = 700;

fuzz_target!(|bytes: &[u8]| {
    let [which, what, step, rest @ ..] = bytes else { return };
    let siblings = bridges::ALL.iter().filter_map(|bridge| Some(bridge.sibling.as_ref()?.bridge));
    let all: Vec<_> = bridges::ALL.iter().copied().chain(siblings).collect();
    let bridge = all[usize::from(*which) % all.len()];
    let any = rest.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let any = &any[..any.len().min(LONGEST)];
    round_trip(bridge, any);
    // in answer to the question of some dialect, NULs around it
    let questions = protocols::ALL.iter().flat_map(|protocol| protocol.queries);
    let question = questions.cycle().nth(usize::from(*what)).map_or(vec![], |query| query.wire(0));
    let (before, behind) = (usize::from(step & 3), usize::from(step >> 2 & 7));
    check_nuls(&question, &[&vec![0; before][..], any, &vec![0; behind]].concat());
    let command = COMMANDS.get(usize::from(*what)).copied().unwrap_or(any);
    let mut transfers = match step {
        0xff => Transfers::listening(bridge, command),
        _ => Transfers::new(bridge, command, usize::from(*step), step & 1 == 1),
    };
    let mut coming = rest;
    for _ in 0..MANY {
        match transfers.next() {
            TransferStep::Done(reply) => {
                check(reply, command, rest);
                return;
            }
            TransferStep::Do(Transfer::Pause(_), _) => transfers.handle(TransferOutcome::Data(vec![])),
            TransferStep::Do(..) => transfers.handle(next(&mut coming)),
        }
    }
    panic!("{} {}: no end", bridge.name, command.escape_ascii());
});

/// Whatever a bridge carries, a converter understands.
fn round_trip(bridge: &Bridge, command: &[u8]) {
    let Carriage::Reports(reports) = bridge.carriage else { return };
    // a report of zeros alone carries nothing
    if !bridge.carries(command) || command.windows(8).any(|part| part == [0; 8]) {
        return;
    }
    let mut heard = vec![];
    let packed = reports.packing.pack(&[command, b"\r"].concat()).unwrap_or_default();
    let understood: Vec<_> =
        packed.iter().filter_map(|report| command_in(&reports.packing, &mut heard, report)).collect();
    let name = bridge.name;
    // fuji has no room for a time of return
    let is_shorter = name == "fuji" && understood.iter().all(|one| command.starts_with(one));
    assert!(understood == [command] || is_shorter, "{name} {}: {understood:x?}", command.escape_ascii());
}

/// What comes of a transfer: the first byte says what, or how many bytes of data.
fn next(coming: &mut &[u8]) -> TransferOutcome {
    let [what, rest @ ..] = *coming else { return TransferOutcome::Nothing };
    *coming = rest;
    match what {
        0xfd => TransferOutcome::Nothing,
        0xfe => TransferOutcome::Stalled,
        0xff => TransferOutcome::Failed,
        count => {
            let count = usize::from(*count).min(rest.len());
            let (data, left) = rest.split_at(count);
            *coming = left;
            TransferOutcome::Data(data.to_vec())
        }
    }
}

/// What is left of a reply without the NULs around it is a part of it, and the same when it is looked at again.
fn check_nuls(command: &[u8], reply: &[u8]) {
    let Some(told) = without_nuls(command, reply.to_vec()) else {
        assert!(reply.iter().all(|byte| *byte == 0));
        return;
    };
    assert!(told == command || told.first() != Some(&0), "{}", told.escape_ascii());
    let at = reply.windows(told.len()).position(|part| part == told).expect("a part of it");
    let rest = reply[..at].iter().chain(&reply[at + told.len()..]);
    assert!(rest.into_iter().all(|byte| *byte == 0), "{}", reply.escape_ascii());
    assert_eq!(without_nuls(command, told.clone()), Some(told));
}

fn check(reply: Option<Vec<u8>>, command: &[u8], sent: &[u8]) {
    reply.iter().for_each(|reply| check_nuls(command, reply));
    let Some(reply) = reply.filter(|reply| reply != command) else { return };
    assert!(!reply.contains(&b'\r'));
    // the first letter of some replies is known, letters beyond Latin are none, zeros may be digits
    let known =
        |byte: &u8| sent.contains(byte) || b"(#?".contains(byte) || *byte == b'0' && sent.contains(&0);
    assert!(reply.iter().all(known), "{}", reply.escape_ascii());
}
