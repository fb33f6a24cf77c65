//! Lives of UPSes that are odd but honest, in real time, under NUT's drivers and ours, as upsd tells them to its
//! clients. The judge is the world alone. Ours has to tell each of them in time, and whole; NUT's stand beside it in
//! the table of docs/trouble.md, which this prints:
//! `cargo test -p driver --test lives_beside_nut -- --nocapture | grep '^|'`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod witness;

use std::thread::{ScopedJoinHandle, scope, sleep};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;
use witness::{Client, Shown, Verdict, World, judge};

/// An outage and its end are told within this: a poll interval of a second and two rounds of questions (see
/// `crates/simulator/tests/odd/bounds.rs`), which here take half a second, or a second where one meets silence, and two
/// seconds more: the machine may be loaded.
const MAINS: f64 = 5.0;
/// A low battery: four such intervals and rounds.
const LOW: f64 = 8.0;
/// Who looks, looks so often.
const LOOK: Duration = Duration::from_millis(100);

/// What happens when.
const ORDERS: Duration = Duration::from_secs(2);
const FAILS: Duration = Duration::from_secs(6);
const LOW_AT: Duration = Duration::from_secs(14);
const BACK: Duration = Duration::from_secs(24);
const END: Duration = Duration::from_secs(35);

struct Life {
    name: &'static str,
    program: &'static str,
    protocol: &'static str,
    knobs: &'static [&'static str],
    /// What an outage is here.
    outage: &'static str,
    /// An order while mains is there, and what is sent for it.
    order: Option<(&'static str, &'static str)>,
}

const fn life(
    name: &'static str,
    program: &'static str,
    protocol: &'static str,
    knobs: &'static [&'static str],
) -> Life {
    Life { name, program, protocol, knobs, outage: "mains fail", order: None }
}

impl Life {
    const fn ordered(mut self, name: &'static str, sent: &'static str) -> Life {
        self.order = Some((name, sent));
        self
    }

    const fn outage(mut self, knob: &'static str) -> Life {
        self.outage = knob;
        self
    }
}

#[rustfmt::skip]
const LIVES: &[Life] = &[
    life("by the book",                             "nutdrv_qx",  "megatec",      &[]),
    life("beeper bit and LB come and go in turn",   "nutdrv_qx",  "megatec",      &["odd toggles on:battery every:3 phase:1", "odd omits=LB on:low every:3"]),
    life("LB in each second reply",                 "blazer_ser", "megatec",      &["odd omits=LB on:low every:2", "odd toggles on:battery"]),
    life("a ninth bit, all the time",               "nutdrv_qx",  "q1",           &["odd bits=1"]),
    life("a letter for the beeper on battery",      "nutdrv_qx",  "mustek",       &["odd letter=B on:battery"]),
    life("tabs and a blank at the end",             "blazer_ser", "megatec",      &["odd tabs on:battery", "odd trailing on:mains"]),
    life("widths that alternate",                   "nutdrv_qx",  "zinto",        &["odd wide on:battery every:2", "odd narrow on:battery every:2 phase:1", "odd blank on:mains every:3"]),
    life("zero bytes around replies",               "blazer_ser", "mustek",       &["odd nul-before on:battery", "odd nul-after on:mains after:10"]),
    life("zeros for silence, F unanswered",         "blazer_ser", "megatec",      &["odd nuls", "odd busy=400", "odd empty ask:F after:5"]).ordered("beeper.toggle", "Q"),
    life("only QWS says low, ten digits too long",  "nutdrv_qx",  "voltronic",    &["odd omits=LB ask:QGS", "odd bits=10 ask:QWS", "odd acts-late=300", "odd late-word=700"]).ordered("test.battery.stop", "CT"),
    life("modes that no table has, QBV refused",    "nutdrv_qx",  "voltronic",    &["odd mode=Z on:battery", "odd refuses ask:QBV on:battery", "odd no-word"]).ordered("test.battery.stop", "CT"),
    life("runtime falls silent on battery",         "nutdrv_qx",  "bestups",      &["odd silent ask:RT on:battery", "odd omits=LB on:low every:2"]),
    life("slow on battery, with gaps",              "nutdrv_qx",  "ablerex",      &["odd slow=400 on:battery", "odd gap=250 on:battery"]),
    life("one reply behind on battery",             "nutdrv_qx",  "voltronic-qs", &["odd behind on:battery"]),
    life("120 V of 230, and the test bit",          "nutdrv_qx",  "megatec",      &["odd adds=CAL on:battery"]).outage("mains 120"),
    life("a shutdown bit that is stuck",            "nutdrv_qx",  "mecer",        &["odd adds=FSD"]),
    life("2.45 V a cell on mains",                  "blazer_ser", "megatec",      &["cell on", "rated 24", "odd volts=2.45 on:mains"]),
    life("ratings of zeros and no name on battery", "nutdrv_qx",  "megatec",      &["odd plate=zeros ask:F on:battery", "odd plate=silent ask:I on:battery"]),
    life("hears nothing for 0.7 s behind a reply",  "nutdrv_qx",  "megatec",      &["odd rests=700 on:battery"]),
    life("the same, counted from its reply",        "blazer_ser", "megatec",      &["odd rests-from-reply=700 on:battery"]),
];

/// What one driver made of a life.
#[derive(Debug)]
struct Lived {
    /// It started, and this came of it.
    verdict: Option<Verdict>,
    /// How the order ended, and how often it was sent.
    order: Option<(String, usize)>,
    /// What it said when it did not start.
    said: String,
}

/// Lives it under one driver.
fn live(at: usize, life: &Life, which: Which) -> Lived {
    let name = format!("lives-{at}");
    let ups = SimUps::start(&name, which, life.protocol, life.knobs);
    let mut station = NutStation::of(life.program, &name, which);
    station.configure(&ups.port, &format!("protocol = {}", life.protocol));
    let said = station.run_driver(&["-a", "u"]);
    if said.code != Some(0) {
        return Lived { verdict: None, order: None, said: said.err };
    }
    station.start_upsd();
    let mut client = Client::connect(station.port);
    let began = Instant::now();
    let (mut seen, mut charge): (Vec<(Duration, Shown)>, _) = (vec![], None);
    let mut world = World::default();
    let order = scope(|scope| {
        let order = life.order.map(|(name, wire)| scope.spawn(|| give(&station, &ups, name, wire)));
        let mut turns = [(FAILS, 0), (LOW_AT, 1), (BACK, 2)].into_iter().peekable();
        while began.elapsed() < END {
            if let Some((_, turn)) = turns.next_if(|(at, _)| began.elapsed() >= *at) {
                let now = began.elapsed();
                match turn {
                    0 => {
                        charge = client.value("battery.charge").and_then(|text| text.parse().ok());
                        world.fails = began.elapsed();
                        ups.turn(life.outage);
                    }
                    1 => {
                        world.low = now;
                        ups.turn("charge 14");
                    }
                    _ => {
                        world.back = now;
                        ups.turn("mains back");
                        ups.turn("charge 70");
                    }
                }
            }
            let shown = client.status();
            if seen.last().is_none_or(|(_, before)| *before != shown) {
                seen.push((began.elapsed(), shown));
            }
            sleep(LOOK);
        }
        order.map(|order| order.join().expect("an order"))
    });
    world.end = began.elapsed();
    Lived { verdict: Some(judge(world, &seen, charge)), order, said: format!("{seen:?}") }
}

/// Gives an order as a client of upsd: how it ended, and how often `wire` was sent meanwhile.
fn give(station: &NutStation, ups: &SimUps, name: &str, wire: &str) -> (String, usize) {
    sleep(ORDERS);
    ups.forget();
    let said = station.as_admin("upscmd", &[&station.ups(), name]);
    let ended = format!("{}{}", said.out, said.err).replace("SUCCESS", "OK");
    sleep(Duration::from_secs(1));
    let sent = ups.heard().iter().filter(|line| *line == wire).count();
    (ended.lines().last().unwrap_or_default().into(), sent)
}

/// Two cells of the table: the times, and what was not as it is.
fn cells(life: &Life, lived: &Lived) -> String {
    let Some(verdict) = &lived.verdict else {
        return format!("does not start: {} | ", lived.said.lines().last().unwrap_or_default());
    };
    let time = |time: Option<f64>| time.map_or("never".into(), |time| format!("{time:.1}"));
    let mut odd: Vec<String> = verdict.invented.iter().map(|what| format!("{what} invented")).collect();
    if verdict.taken_back > 0 {
        odd.push(format!("taken back {} times", verdict.taken_back));
    }
    if verdict.stale > 0.0 {
        odd.push(format!("{:.0} s stale", verdict.stale));
    }
    if let Some(((name, _), (ended, sent))) = life.order.zip(lived.order.as_ref()) {
        odd.push(format!("{name}: {ended}, sent {sent}"));
    }
    let times = [verdict.ob, verdict.lb, verdict.over].map(time).join(", ");
    format!("{times} | {}", odd.join("; "))
}

/// What is wrong with what ours made of it.
fn wrong(life: &Life, lived: &Lived) -> Vec<String> {
    let Some(verdict) = &lived.verdict else { return vec!["it does not start".into()] };
    let mut wrong = vec![];
    for (what, time, within) in
        [("OB", verdict.ob, MAINS), ("LB", verdict.lb, LOW), ("the end", verdict.over, MAINS)]
    {
        if time.is_none_or(|time| time > within) {
            wrong.push(format!("{what} is told after {time:?}, not within {within} s"));
        }
    }
    wrong.extend(verdict.invented.iter().map(|what| format!("{what} is told, and is not so")));
    if verdict.taken_back > 0 {
        wrong.push(format!("OB or LB was taken back {} times", verdict.taken_back));
    }
    if verdict.stale > 0.0 {
        wrong.push(format!("{:.1} s without data", verdict.stale));
    }
    if lived.order.as_ref().is_some_and(|(_, sent)| *sent != 1) {
        wrong.push(format!("the order: {:?}", lived.order));
    }
    // what the UPS has a word for is done when it says so, and not before
    let is_mute = life.knobs.contains(&"odd no-word");
    if lived.order.as_ref().is_some_and(|(ended, _)| ended.starts_with("OK") == is_mute) {
        wrong.push(format!("the order: {:?}", lived.order));
    }
    wrong
}

/// Each oddity there is stands in a life.
#[test]
fn every_kind_of_oddity_is_lived() {
    for (name, ..) in simulator::oddity::TABLE {
        let has = |knob: &&str| {
            knob.strip_prefix("odd ").is_some_and(|odd| odd.split(['=', ' ']).next() == Some(name))
        };
        assert!(LIVES.iter().any(|life| life.knobs.iter().any(has)), "{name}");
    }
}

#[test]
fn odd_lives_are_told_in_time_beside_nut() {
    type Both<'s> = (&'static Life, ScopedJoinHandle<'s, Lived>, ScopedJoinHandle<'s, Lived>);
    // all at once: most of the time they wait
    let lived: Vec<_> = scope(|scope| {
        let begin = |at, life, which| {
            sleep(Duration::from_millis(150));
            scope.spawn(move || live(at, life, which))
        };
        let both = |(at, life)| (life, begin(at, life, Which::Nut), begin(at, life, Which::Ours));
        let running: Vec<Both<'_>> = LIVES.iter().enumerate().map(both).collect();
        let end = |(life, nut, ours): Both<'_>| (life, nut.join().unwrap(), ours.join().unwrap());
        running.into_iter().map(end).collect()
    });
    println!("| life | as | NUT: OB, LB, over, s | | ours: OB, LB, over, s | |\n|---|---|---|---|---|---|");
    let mut all_wrong = vec![];
    for (life, nut, ours) in &lived {
        let (nut, ours) = (cells(life, nut), cells(life, ours));
        println!("| {} | {} {} | {nut} | {ours} |", life.name, life.program, life.protocol);
    }
    for (life, _, ours) in &lived {
        for wrong in wrong(life, ours) {
            all_wrong.push(format!("{}: {wrong}\n{}", life.name, ours.said));
        }
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}
