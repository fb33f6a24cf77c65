//! No UPS is taken for what it is not, whatever becomes of its replies: the claim is right, there is none,
//! or it is the plain dialect of its family. Virtual time; each trouble comes from a seed.
//! `QXUPS_SEEDS` in the environment tries more of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::line::capture::Capture;
use qx::line::exchange::END;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::profile::{Profile, RefusalReply};
use simulator::script::Script;
use simulator::trouble::{Random, Trouble};
use simulator::ups::SimulatedUps;
use std::collections::BTreeMap;
use std::time::Duration;
use testbed::wire;
use testbed::wire::{Wire, may_be_claimed};

/// What becomes of the replies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ill {
    Garbled,
    Cut,
    Lost,
    Doubled,
    /// The line sends back what it gets.
    Echoed,
    /// All come late, by so many milliseconds.
    Late(u64),
    /// Some come late.
    Wavering,
    /// Each comes to the question after its own.
    Shifted,
    /// Some come very late: somebody was held up.
    HeldUp,
    /// A converter on 2400 baud hands on a reply when it has all of it.
    Gathered,
    /// Something of each.
    All,
}

const ILLS: [Ill; 14] = [
    Ill::Garbled,
    Ill::Cut,
    Ill::Lost,
    Ill::Doubled,
    Ill::Echoed,
    Ill::Late(150),
    Ill::Late(250),
    Ill::Late(450),
    Ill::Late(900),
    Ill::Wavering,
    Ill::Shifted,
    Ill::HeldUp,
    Ill::Gathered,
    Ill::All,
];

/// All replies come, but late.
const LATE: [Ill; 6] =
    [Ill::Late(150), Ill::Late(250), Ill::Late(450), Ill::HeldUp, Ill::Gathered, Ill::Wavering];

/// A reply may be hurt with this probability.
const OFTEN: f64 = 0.15;

/// So long it is looked whether a claim lasts.
const WHILE: Duration = Duration::from_secs(10);

/// What an ill line makes of a reply to `command`, said at `now`.
struct Line {
    ill: Ill,
    trouble: Trouble,
    random: Random,
    kept: Option<Vec<u8>>,
}

impl Line {
    fn new(ill: Ill, seed: u64) -> Line {
        let mut trouble = Trouble::new(seed);
        match ill {
            Ill::Garbled => trouble.garble = OFTEN,
            Ill::Lost => trouble.lose = OFTEN,
            Ill::Doubled => trouble.double = 2.0 * OFTEN,
            Ill::All => (trouble.garble, trouble.lose, trouble.double) = (OFTEN, OFTEN / 3.0, OFTEN / 3.0),
            _ => {}
        }
        Line { ill, trouble, random: Random::new(seed ^ 0xD1A), kept: None }
    }

    fn carry(&mut self, command: &[u8], reply: Vec<u8>, now: Moment) -> Vec<(Moment, Vec<u8>)> {
        let mut latency = Duration::from_millis(20);
        let mut reply = reply;
        match self.ill {
            Ill::Echoed => reply = [command, &reply].concat(),
            Ill::Late(millis) => latency = Duration::from_millis(millis),
            Ill::Wavering | Ill::All if self.random.chance(2.0 * OFTEN) => {
                latency = Duration::from_millis(20 + self.random.below(700) as u64);
            }
            Ill::HeldUp if self.random.chance(OFTEN) => {
                latency = Duration::from_millis(500 + self.random.below(1500) as u64);
            }
            Ill::Gathered => latency += Duration::from_micros(4167) * reply.len() as u32,
            Ill::Cut if self.random.chance(OFTEN) => {
                reply.truncate(self.random.below(reply.len().max(1)));
            }
            Ill::Shifted => reply = self.kept.replace(reply).unwrap_or_default(),
            _ => {}
        }
        let reply = self.trouble.befall(reply);
        if reply.is_empty() { vec![] } else { vec![(now + latency, reply)] }
    }
}

type Dialects = &'static [&'static Protocol];

/// What a UPS is taken for whose replies `answer` gives, on an ill line: at first, and when the driver worked
/// for a while.
fn claim(
    dialects: Dialects,
    ill: Ill,
    seed: u64,
    answer: &mut dyn FnMut(&[u8], Moment) -> Vec<u8>,
) -> (Option<&'static str>, Option<&'static str>, Wire) {
    let (mut line, options) = (Line::new(ill, seed), Options { dialects, ..Options::default() });
    let mut wire = Wire::new(options);
    wire.converter = ill == Ill::Gathered || ill == Ill::Wavering && seed / 100 % 2 == 1;
    let over = |event: &Event| matches!(event, Event::Detected(..) | Event::NotFound(_));
    let mut ups = |command: &[u8], now| line.carry(command, answer(command, now), now);
    wire.run(Moment::after_start(Duration::from_secs(120)), &mut ups, over);
    let first = wire.claim();
    if seed % 5 == 0 || first == Some("q6") {
        wire.run(wire.now + WHILE, &mut ups, |_| false);
    }
    (first, first.and(wire.claim()), wire)
}

fn seeds() -> u64 {
    std::env::var("QXUPS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Counts claims, and keeps those that are wrong.
#[derive(Default)]
struct Tally {
    claims: BTreeMap<String, usize>,
    wrong: Vec<String>,
    unfound: Vec<String>,
}

impl Tally {
    fn count(
        &mut self,
        true_one: &str,
        unknown: &str,
        ill: Ill,
        seed: u64,
        found: (Option<&str>, Option<&str>, Wire),
    ) {
        let (first, last, wire) = found;
        let right = |claim: Option<&str>| claim.is_none_or(|claim| may_be_claimed(true_one, unknown, claim));
        // a loss of several replies in a row looks like a UPS that does not know these questions
        let is_mended = (true_one, first) == ("innovart31", Some("q6")) && last == Some(true_one);
        let kind = match first {
            _ if !right(last) => "wrong",
            _ if is_mended => "mended",
            Some(claim) if claim == true_one => "right",
            Some(claim) if may_be_claimed(true_one, unknown, claim) => "plain",
            Some(_) => "wrong",
            None => "none",
        };
        *self.claims.entry(format!("{ill:?} {kind}")).or_default() += 1;
        // who says all, only late, is found, if it takes longer
        if kind == "none" && LATE.contains(&ill) {
            self.unfound.push(format!("{true_one}, {unknown}, {ill:?}, seed {seed}:\n{}", wire.talk()));
        }
        if kind == "wrong" {
            self.wrong.push(format!(
                "{true_one}, {unknown}, {ill:?}, seed {seed}: {first:?}, {last:?}:\n{}",
                wire.talk()
            ));
        }
    }

    fn check(&self) {
        println!("{:#?}", self.claims);
        assert!(self.wrong.is_empty(), "{} wrong claims, {}", self.wrong.len(), self.wrong.join("\n"));
        let unfound = self.unfound.len();
        assert!(
            unfound * 500 <= self.claims.values().sum(),
            "{unfound} not found: {}",
            self.unfound.join("\n")
        );
        let right: usize =
            self.claims.iter().filter(|(what, _)| what.ends_with("right")).map(|(_, count)| count).sum();
        let all: usize = self.claims.values().sum();
        assert!(right * 2 > all, "only {right} of {all} were found as what they are");
    }
}

/// What a simulated unit says to a command.
fn unit(protocol: &'static Protocol, unknown: &str, seed: u64) -> impl FnMut(&[u8], Moment) -> Vec<u8> {
    let latency = Duration::ZERO;
    let profile = Profile { unknown: RefusalReply::parse(unknown), latency, ..Profile::default() };
    let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(seed), Script::default());
    move |command, now| wire::say(&mut ups, command, now).into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// The dialects of blazer_ser have the same status, each to another question.
#[test]
fn blazers_are_found_when_somebody_is_held_up() {
    for (name, seed) in ["megatec", "mustek", "megatec/old"]
        .into_iter()
        .flat_map(|name| (0..30).map(move |seed| (name, seed)))
    {
        for (unknown, ill) in [("silent", Ill::HeldUp), ("echo", Ill::HeldUp), ("silent", Ill::Wavering)] {
            let mut answer = unit(protocols::named(name).unwrap(), unknown, seed);
            let (first, last, wire) = claim(protocols::BLAZER, ill, seed, &mut answer);
            assert_eq!(
                (first, last),
                (Some(name), Some(name)),
                "{unknown}, {ill:?}, {seed}:\n{}",
                wire.talk()
            );
        }
    }
}

#[test]
fn no_simulated_unit_is_taken_for_another() {
    let mut tally = Tally::default();
    for (at, protocol) in protocols::ALL.iter().filter(|protocol| !protocol.by_name).enumerate() {
        for unknown in ["silent", "echo", "(NAK"] {
            for ill in ILLS {
                for seed in 0..seeds() {
                    let seed = seed * 100 + at as u64;
                    let mut answer = unit(protocol, unknown, seed);
                    tally.count(
                        protocol.name,
                        unknown,
                        ill,
                        seed,
                        claim(protocols::ALL, ill, seed, &mut answer),
                    );
                }
            }
        }
    }
    tally.check();
}

#[test]
fn no_captured_ups_is_taken_for_another() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    // captures/README.md lists them all
    let listed = include_str!("../../../captures/README.md").matches(".log) |").count();
    assert_eq!(paths.len(), listed, "captures, and those that are listed");
    let mut tally = Tally::default();
    for (at, path) in paths.iter().enumerate() {
        let capture = Capture::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (protocol, unknown) = (capture.header["protocol"].clone(), capture.header["unknown"].clone());
        for ill in ILLS {
            for seed in 0..seeds() {
                let seed = seed * 100 + at as u64;
                let mut asked: BTreeMap<String, usize> = BTreeMap::new();
                let mut answer = |command: &[u8], _| {
                    let ask = String::from_utf8_lossy(command.trim_ascii_end()).into_owned();
                    let replies = capture.replies(&ask);
                    let count = asked.entry(ask.clone()).or_default();
                    *count += 1;
                    match replies.get((*count).min(replies.len()).wrapping_sub(1)) {
                        Some(Some(reply)) => [reply, &[END][..]].concat(),
                        Some(None) => vec![],
                        None => match RefusalReply::parse(&unknown).reply(command.trim_ascii_end()) {
                            Some(reply) => [reply, vec![END]].concat(),
                            None => vec![],
                        },
                    }
                };
                tally.count(&protocol, &unknown, ill, seed, claim(protocols::ALL, ill, seed, &mut answer));
            }
        }
    }
    tally.check();
}
