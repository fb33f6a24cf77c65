//! The outbox: whatever becomes of the process and of what is sent, no program is run twice, nothing is sent twice without
//! saying so, and nothing is lost without a word.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use notify::journal::{self, JournalChange, ParcelRecord, SeenMark, StandingChange, StandingRecord};
use notify::output::{Delivery, DeliveryOutcome};
use notify::{NextParcel, NoticeKind, Outbox, UpsNotice};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn notice(number: usize) -> UpsNotice {
    UpsNotice {
        id: String::new(),
        rule: "rule \"x\"".into(),
        ups: "rack".into(),
        kind: NoticeKind::Began,
        notify_type: "ONBATT".into(),
        at_ms: i64::try_from(number).unwrap() * 1000,
        since_ms: 0,
        title: format!("notice {number}"),
        text: "tabs\tand\nlines \u{1e} and \\ and ü".into(),
        status: "OB".into(),
    }
}

const OUTPUTS: [(&str, u32, bool); 2] = [("exec", 600, false), ("hook", 600, true)];

/// What a process does next.
#[derive(Clone, Debug)]
enum Act {
    Add,
    /// Sends what is next of an output, and this comes of it.
    Send(usize, Came),
    /// The process is killed, after what it was doing was sent, or before.
    Kill(usize, bool),
}

#[derive(Clone, Copy, Debug)]
enum Came {
    Taken,
    NotTaken,
    Unknown,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let came = prop_oneof![3 => Just(Came::Taken), 2 => Just(Came::NotTaken), 1 => Just(Came::Unknown)];
    let act = prop_oneof![
        3 => Just(Act::Add),
        6 => (0_usize..2, came).prop_map(|(output, came)| Act::Send(output, came)),
        1 => (0_usize..2, any::<bool>()).prop_map(|(output, sent)| Act::Kill(output, sent)),
    ];
    proptest::collection::vec(act, 1..60)
}

/// The disk and the world outside.
#[derive(Default)]
struct World {
    disk: Vec<u8>,
    now_ms: i64,
    starts: u32,
    /// By output and title: whether each that went out was marked.
    sent: BTreeMap<(String, String), Vec<bool>>,
    /// What may not have come, by the outbox's own word.
    given_up: Vec<(String, String)>,
}

impl World {
    fn start(&mut self) -> Outbox {
        self.starts += 1;
        let state = journal::read(&self.disk).unwrap();
        assert!(!state.is_torn);
        let mut outbox = Outbox::new(&format!("start{}", self.starts));
        outbox.set_outputs(OUTPUTS);
        self.given_up.extend(outbox.recover(state).not_again);
        outbox.take_changes();
        self.disk = journal::whole([], None, outbox.records()).into_bytes();
        outbox
    }

    fn keep(&mut self, outbox: &mut Outbox) {
        let changes = outbox.take_changes();
        if !changes.is_empty() {
            self.disk.extend_from_slice(journal::line(&changes).as_bytes());
        }
    }

    /// As `Post` does it: what begins is on the disk before it is sent.
    fn begin(&mut self, outbox: &mut Outbox, output: &str) -> Option<notify::Parcel> {
        self.now_ms += 200_000;
        let NextParcel::Now(parcel) = outbox.next(output, self.now_ms) else { return None };
        self.keep(outbox);
        Some(parcel)
    }

    fn goes_out(&mut self, output: &str, parcel: &notify::Parcel) {
        let delivery = Delivery::of(parcel, &|_| "then".into());
        assert_eq!(delivery.text.contains("may have come before"), parcel.may_have_come);
        let key = (output.to_string(), parcel.notice.title.clone());
        self.sent.entry(key).or_default().push(parcel.may_have_come);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_done_twice_and_nothing_is_lost_without_a_word(acts in acts()) {
        let mut world = World::default();
        let mut outbox = world.start();
        let mut added = 0;
        for act in acts {
            match act {
                Act::Add => {
                    outbox.add(notice(added), &["exec".into(), "hook".into()]);
                    added += 1;
                    world.keep(&mut outbox);
                }
                Act::Send(at, came) => {
                    let output = OUTPUTS[at].0;
                    let Some(parcel) = world.begin(&mut outbox, output) else { continue };
                    // what is not taken did not go out
                    if !matches!(came, Came::NotTaken) {
                        world.goes_out(output, &parcel);
                    }
                    let outcome = match came {
                        Came::Taken => DeliveryOutcome::Taken,
                        Came::NotTaken => DeliveryOutcome::not_taken("no"),
                        Came::Unknown => DeliveryOutcome::Unknown("who knows".into()),
                    };
                    outbox.ended(output, outcome, world.now_ms);
                    world.keep(&mut outbox);
                }
                Act::Kill(at, is_sent) => {
                    let output = OUTPUTS[at].0;
                    if let Some(parcel) = world.begin(&mut outbox, output) {
                        if is_sent {
                            world.goes_out(output, &parcel);
                        }
                    }
                    outbox = world.start();
                }
            }
        }
        for output in ["exec", "hook"] {
            while let Some(parcel) = world.begin(&mut outbox, output) {
                world.goes_out(output, &parcel);
                outbox.ended(output, DeliveryOutcome::Taken, world.now_ms);
                world.keep(&mut outbox);
            }
        }
        for number in 0..added {
            let key = |output: &str| (output.to_string(), format!("notice {number}"));
            let none = vec![];
            let (exec, hook) = (world.sent.get(&key("exec")).unwrap_or(&none), world.sent.get(&key("hook")).unwrap_or(&none));
            prop_assert!(exec.len() <= 1, "{number} was run {} times", exec.len());
            prop_assert!(exec.len() == 1 || world.given_up.contains(&key("exec")), "{number} was not run");
            // once more at most, and then it says so
            prop_assert!(hook.len() <= 2, "{number} came {} times", hook.len());
            prop_assert!(hook.get(1).is_none_or(|marked| *marked), "{number} came twice without a word");
            prop_assert!(!hook.is_empty() || world.given_up.contains(&key("hook")), "{number} was lost");
        }
        // all is done: nothing of it is left on the disk
        prop_assert!(journal::read(&world.disk).unwrap().parcels.is_empty());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0_usize..2000) {
        let _ = journal::read(&bytes);
        let mut file = journal::whole([], None, [record(1), record(2), record(3)]).into_bytes();
        let whole = journal::read(&file).unwrap();
        prop_assert_eq!(whole.parcels.len(), 3);
        // a file that ends anywhere holds a part of it, and nothing else
        file.truncate(cut % (file.len() + 1));
        let part = journal::read(&file).unwrap();
        prop_assert!(part.parcels.iter().all(|(number, parcel)| whole.parcels.get(number) == Some(parcel)));
        // and one in which a byte is another one as well
        if let Some(at) = bytes.len().checked_rem(file.len().max(1)).filter(|at| *at < file.len()) {
            file[at] ^= 4;
            if let Ok(part) = journal::read(&file) {
                prop_assert!(part.parcels.iter().all(|(number, parcel)| whole.parcels.get(number) == Some(parcel)));
            }
        }
    }
}

fn record(number: u64) -> ParcelRecord {
    ParcelRecord {
        number,
        output: "hook".into(),
        notice: notice(usize::try_from(number).unwrap()),
        may_have_come: number == 2,
        is_under_way: number == 3,
        held_back: vec!["a\tb".into(), "c\nd".into()],
        untold: 7,
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    let stands = StandingRecord {
        rule: "a\tb".into(),
        ups: "rack".into(),
        condition: "charge below 30 %".into(),
        since_ms: -1,
        since_steady_ms: 2,
        held_ms: 3,
        is_raised: true,
        told_ms: 4,
    };
    let seen = SeenMark { boot: "boot".into(), steady_ms: 12 };
    let mut text = journal::whole([stands.clone()], Some(seen.clone()), [record(1), record(2)]);
    let read = journal::read(text.as_bytes()).unwrap();
    assert_eq!((read.seen, read.standing.into_values().collect::<Vec<_>>()), (Some(seen), vec![stands]));
    assert_eq!(read.parcels.into_values().collect::<Vec<_>>(), [record(1), record(2)]);
    let over = JournalChange::Standing(StandingChange::Over("a\tb".into(), "rack".into()));
    text += &journal::line(&[over, JournalChange::Gone(1), JournalChange::Begun(2)]);
    text += "0000000000000000 G\t2\n";
    let read = journal::read(text.as_bytes()).unwrap();
    assert!(read.standing.is_empty() && read.is_torn);
    assert!(read.parcels.len() == 1 && read.parcels[&2].is_under_way);
    assert!(journal::read(b"#!/bin/sh\n").is_err());
    assert!(journal::read(b"qxups-outb").unwrap().is_torn);
}

/// Mains that flap for an hour, a notice a second.
#[test]
fn a_thousand_notices_are_few_that_say_how_many_there_were() {
    let mut outbox = Outbox::new("m");
    outbox.set_outputs([("hook", 10, true)]);
    let (mut deliveries, mut told) = (vec![], 0);
    for second in 0..3600_i64 {
        outbox.add(notice(usize::try_from(second).unwrap()), &["hook".into()]);
        while let NextParcel::Now(parcel) = outbox.next("hook", second * 1000) {
            told += 1 + parcel.held_back.len() + usize::try_from(parcel.untold).unwrap();
            deliveries.push(parcel);
            outbox.ended("hook", DeliveryOutcome::Taken, second * 1000);
        }
    }
    assert!((600..=615).contains(&deliveries.len()), "{}", deliveries.len());
    // each is said, also those that were held back, but for what waits in the last moment
    assert!((3590..=3600).contains(&told), "{told}");
    let last = deliveries.last().unwrap();
    let text = Delivery::of(last, &|_| "then".into()).text;
    assert!(text.contains("too many at once") && text.contains("notice 35"), "{text}");
}

/// A network that is down for a day, and a notice each ten seconds.
#[test]
fn what_waits_is_bounded_and_comes_in_order() {
    let mut outbox = Outbox::new("m");
    outbox.set_outputs([("hook", 600, true)]);
    let mut tries = 0;
    for second in (0..86_400_i64).step_by(10) {
        outbox.add(notice(usize::try_from(second).unwrap()), &["hook".into(), "no such output".into()]);
        while let NextParcel::Now(_) = outbox.next("hook", second * 1000) {
            tries += 1;
            outbox.ended("hook", DeliveryOutcome::not_taken("no network"), second * 1000);
        }
    }
    // every two minutes, once the pauses have grown
    assert!((600..1000).contains(&tries), "{tries}");
    assert_eq!(outbox.records().len(), 200);
    let size = journal::whole([], None, outbox.records()).len();
    assert!(size < 300_000, "{size} bytes");
    let (mut numbers, mut told, mut now) = (vec![], 0, 200_000_000);
    loop {
        match outbox.next("hook", now) {
            NextParcel::Now(parcel) => {
                told += 1 + parcel.held_back.len() + usize::try_from(parcel.untold).unwrap();
                numbers.push(parcel.number);
                outbox.ended("hook", DeliveryOutcome::Taken, now);
            }
            NextParcel::At(at) => now = at,
            NextParcel::Nothing => break,
        }
    }
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!(told, 8640);
}

fn of(ups: &str, rule: &str, notify_type: &str, kind: NoticeKind) -> UpsNotice {
    UpsNotice {
        rule: rule.into(),
        ups: ups.into(),
        kind,
        notify_type: notify_type.into(),
        title: format!("{ups} {notify_type}"),
        ..notice(1)
    }
}

/// An outbox of one output whose pace is used up.
fn held(sends_again: bool) -> Outbox {
    let mut outbox = Outbox::new("m");
    outbox.set_outputs([("out", 1, sends_again)]);
    outbox.add(notice(0), &["out".into()]);
    assert!(matches!(outbox.next("out", 0), NextParcel::Now(_)));
    outbox.ended("out", DeliveryOutcome::Taken, 0);
    outbox
}

/// What a thousand notices that matter less hold back: forty UPSes at once, one of them with an empty battery.
#[test]
fn what_shuts_machines_down_is_said_first_however_much_is_held_back() {
    let mut outbox = held(true);
    let out = ["out".to_string()];
    assert!(matches!(outbox.next("out", 1), NextParcel::Nothing));
    outbox.add(of("cellar", "battery", "LOWBATT", NoticeKind::Began), &out);
    outbox.add(of("attic", "mains", "ONBATT", NoticeKind::Began), &out);
    // one that is over is none of them
    outbox.add(of("shed", "battery", "LOWBATT", NoticeKind::Began), &out);
    outbox.add(of("shed", "battery", "NOTLOWBATT", NoticeKind::Ended), &out);
    assert!(matches!(outbox.next("out", 1), NextParcel::At(_)));
    for number in 0..60 {
        outbox.add(of(&format!("u{number}"), "load", "OVER", NoticeKind::Began), &out);
    }
    let NextParcel::Now(parcel) = outbox.next("out", 60_001) else { panic!("it waits") };
    let delivery = Delivery::of(&parcel, &|_| "then".into());
    assert_eq!((parcel.notice.ups.as_str(), parcel.notice.notify_type.as_str()), ("cellar", "LOWBATT"));
    assert!(delivery.text.contains("attic ONBATT"), "{}", delivery.text);
    assert_eq!(1 + parcel.held_back.len() + usize::try_from(parcel.untold).unwrap(), 64);
    // it stays so when it cannot be delivered, and more comes
    outbox.ended("out", DeliveryOutcome::not_taken("no network"), 60_001);
    for number in 0..400 {
        outbox.add(of(&format!("u{number}"), "load", "OVER", NoticeKind::Began), &out);
    }
    let all: String = outbox
        .records()
        .iter()
        .map(|record| format!("{}\n{}\n", record.notice.title, record.held_back.join("\n")))
        .collect();
    assert!(all.contains("cellar LOWBATT") && all.contains("attic ONBATT"), "{all}");
}

/// A program acts by the type of a notice: one that is a line of another does nothing.
#[test]
fn a_program_is_run_for_each_battery_that_is_low() {
    let mut outbox = held(false);
    let out = ["out".to_string()];
    for ups in ["a", "b", "c"] {
        outbox.add(of(ups, "battery", "LOWBATT", NoticeKind::Began), &out);
        outbox.add(of(ups, "load", "OVER", NoticeKind::Began), &out);
    }
    let (mut ran, mut now) = (vec![], 1);
    loop {
        match outbox.next("out", now) {
            NextParcel::At(at) => now = at,
            NextParcel::Now(parcel) => {
                ran.push(parcel.notice.title.clone());
                outbox.ended("out", DeliveryOutcome::Taken, now);
            }
            NextParcel::Nothing => break,
        }
    }
    assert_eq!(ran, ["a LOWBATT", "b LOWBATT", "c LOWBATT", "c OVER"]);
}

#[test]
fn what_a_server_refuses_for_its_lines_goes_without_them() {
    let mut outbox = held(true);
    let out = ["out".to_string()];
    assert!(matches!(outbox.next("out", 1), NextParcel::Nothing));
    for ups in ["a", "b"] {
        outbox.add(of(ups, "battery", "LOWBATT", NoticeKind::Began), &out);
        outbox.add(of(ups, "load", "OVER", NoticeKind::Began), &out);
    }
    assert!(matches!(outbox.next("out", 1), NextParcel::At(_)));
    let (mut now, mut lines) = (60_001, vec![]);
    for _ in 0..3 {
        let NextParcel::Now(parcel) = outbox.next("out", now) else { panic!("{lines:?}") };
        lines.push(parcel.held_back.len());
        assert_eq!(parcel.held_back.len() + usize::try_from(parcel.untold).unwrap(), 3);
        outbox.ended("out", DeliveryOutcome::Refused("413".into()), now);
        now += 300_000;
    }
    assert_eq!(lines, [3, 1, 0]);
    assert!(matches!(outbox.next("out", now), NextParcel::Nothing));
}

#[test]
fn a_battery_that_is_low_does_not_wait_for_the_pause_of_another_notice() {
    let mut outbox = Outbox::new("m");
    outbox.set_outputs([("out", 600, true)]);
    let out = ["out".to_string()];
    let fail = |outbox: &mut Outbox, now, again_after_s| {
        assert!(matches!(outbox.next("out", now), NextParcel::Now(_)));
        outbox.ended("out", DeliveryOutcome::NotTaken { why: "no network".into(), again_after_s }, now);
    };
    outbox.add(of("a", "load", "OVER", NoticeKind::Began), &out);
    let mut now = 0;
    for _ in 0..10 {
        fail(&mut outbox, now, None);
        let NextParcel::At(at) = outbox.next("out", now) else { panic!() };
        now = at;
    }
    fail(&mut outbox, now, None);
    outbox.add(of("b", "load", "OVER", NoticeKind::Began), &out);
    assert!(matches!(outbox.next("out", now + 1), NextParcel::At(_)));
    outbox.add(of("a", "battery", "LOWBATT", NoticeKind::Began), &out);
    // a server that asks for a pause gets it
    fail(&mut outbox, now + 1, Some(3000));
    outbox.add(of("b", "battery", "LOWBATT", NoticeKind::Began), &out);
    assert_eq!(outbox.next("out", now + 2), NextParcel::At(now + 1 + 3_000_000));
}

/// A file that cannot be read is kept for people to look at, and costs no notification.
#[test]
fn an_outbox_that_cannot_be_read_is_put_aside() {
    let folder = std::env::temp_dir().join(format!("qxups-notify-aside-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("notify.outbox");
    // as a file system may leave it when the power fails
    std::fs::write(&path, [0; 4096]).unwrap();
    let log = std::rc::Rc::new(std::cell::RefCell::new(String::new()));
    let into = log.clone();
    let opened = notify::Post::open(
        &path,
        "m",
        std::rc::Rc::new(|_| String::new()),
        std::rc::Rc::new(move |_, text: &str| *into.borrow_mut() += text),
    );
    let said = log.borrow().clone();
    assert!(opened.is_ok() && said.contains("notify.unreadable"), "{said} {:?}", opened.err());
    assert_eq!(std::fs::read(folder.join("notify.unreadable")).unwrap(), [0; 4096]);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Files of each version as the programs wrote them.
#[test]
fn outboxes_of_all_versions_are_read() {
    let state = notify::journal::read(include_bytes!("../../testbed/state/outbox-1")).unwrap();
    assert!(!state.is_torn && state.parcels.len() == 1 && state.standing.len() == 1, "{state:?}");
}

/// What waits in a newer file waits for the newer program, byte for byte, and notices go on from memory.
#[test]
fn an_outbox_of_a_newer_program_is_left_alone() {
    let folder = std::env::temp_dir().join(format!("qxups-notify-newer-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("notify.outbox");
    let newer = b"qxups-outbox 2\n{\"what\": \"\xff\"}\n";
    std::fs::write(&path, newer).unwrap();
    let log = std::rc::Rc::new(std::cell::RefCell::new(vec![]));
    let into = log.clone();
    let (post, state) = notify::Post::open(
        &path,
        "m",
        std::rc::Rc::new(|_| String::new()),
        std::rc::Rc::new(move |_, text: &str| into.borrow_mut().push(text.to_owned())),
    )
    .unwrap();
    assert!(state.parcels.is_empty());
    post.submit(vec![(of("a", "battery", "LOWBATT", NoticeKind::Began), vec![])], vec![]);
    post.look(|| (vec![], notify::journal::SeenMark::default()));
    post.write_whole((vec![], notify::journal::SeenMark::default()));
    post.remove();
    let said = log.borrow().clone();
    assert!(
        said.len() == 1 && said[0].contains("a newer qxups") && said[0].contains("move the file away"),
        "{said:?}"
    );
    // what a thread writes would be there by then
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(std::fs::read(&path).unwrap(), newer);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}
