//! NULs around every reply of every dialect change nothing: a line that wakes up makes one, and a converter
//! fills up with them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::{Event, Outcome};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::collections::BTreeMap;
use std::time::Duration;
use testbed::line::Line;

/// NULs before and behind each reply; `None` for a UPS that says so when it has nothing to say.
#[derive(Clone, Copy, Debug)]
struct Nuls {
    before: usize,
    behind: usize,
    /// In place of silence, as a converter says "nothing".
    nothing: &'static [u8],
}

const NONE: Nuls = Nuls { before: 0, behind: 0, nothing: b"" };

struct Bench {
    ups: SimulatedUps,
    line: Line,
    nuls: Nuls,
}

impl Bench {
    fn new(protocol: &str, options: Options, nuls: Nuls) -> Bench {
        let protocol = protocols::named(protocol).unwrap();
        let ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
        Bench { ups, line: Line::new(options), nuls }
    }

    fn turn(&mut self, knob: &str) {
        self.ups.turn(Knob::parse(knob).unwrap(), self.line.now);
    }

    fn run(&mut self, time: u64, enough: impl Fn(&Event) -> bool) -> bool {
        let Bench { ups, line, nuls } = self;
        let until = line.now + Duration::from_secs(time);
        let mut answer = |ask: &[u8], now: Moment| {
            ups.receive(&[ask, b"\r"].concat(), now);
            let mut said = vec![];
            while let Some(due) = ups.poll_timeout() {
                said.extend(ups.poll_output(due).unwrap());
            }
            if said.is_empty() {
                return nuls.nothing.to_vec();
            }
            let lines = said.split_inclusive(|byte| *byte == b'\r');
            let wrap = |line: &[u8]| {
                let text = line.strip_suffix(b"\r").unwrap_or(line);
                [&vec![0; nuls.before][..], text, &vec![0; nuls.behind], b"\r"].concat()
            };
            lines.flat_map(wrap).collect()
        };
        line.run_raw(until, &mut answer, enough)
    }

    /// All that is published.
    fn shown(&self) -> BTreeMap<String, String> {
        let entries = self.line.device.store().entries();
        entries.map(|(name, entry)| (name.to_string(), entry.text().to_string())).collect()
    }

    fn command(&mut self, name: &str) -> Outcome {
        let before = self.line.events.len();
        self.line.device.instant_command(7, name, None);
        assert!(self.run(30, |event| matches!(event, Event::Answered(7, _))), "{name}");
        let outcome = self.line.events[before..].iter().find_map(|(_, event)| match event {
            Event::Answered(7, outcome) => Some(outcome.clone()),
            _ => None,
        });
        outcome.unwrap()
    }
}

#[test]
fn every_dialect_is_read_with_nuls_around_its_replies() {
    for protocol in protocols::ALL {
        let told = |nuls: Nuls, options: Options| {
            let mut bench = Bench::new(protocol.name, options, nuls);
            let ready = bench.run(60, |event| *event == Event::Ready);
            assert!(ready, "{} {nuls:?}: {:?}", protocol.name, bench.line.events);
            let (mains, found) = (bench.shown(), bench.line.device.protocol().unwrap().name);
            bench.turn("mains fail");
            bench.run(5, |_| false);
            (mains, found, bench.line.text("ups.status").unwrap_or_default().to_string())
        };
        let named = Options { protocol: Some(protocol.name.into()), ..Options::default() };
        let (shown, found, status) = told(NONE, named.clone());
        assert!(status.starts_with("OB"), "{}: {status}", protocol.name);
        for (before, behind) in [(1, 0), (0, 1), (3, 0), (2, 5)] {
            let nuls = Nuls { before, behind, ..NONE };
            let (with, by_name, outage) = told(nuls, named.clone());
            assert_eq!((&with, by_name), (&shown, found), "{} {nuls:?}", protocol.name);
            assert_eq!(outage, status, "{} {nuls:?}", protocol.name);
            if !protocol.by_name {
                let alone = told(NONE, Options::default()).1;
                assert_eq!(told(nuls, Options::default()).1, alone, "{} {nuls:?}", protocol.name);
            }
        }
    }
}

/// Where silence is acknowledgement, what stands for silence is.
#[test]
fn nothing_in_bytes_is_silence_in_every_dialect() {
    for protocol in protocols::ALL {
        let outcomes = |nothing: &'static [u8]| {
            let options = Options { protocol: Some(protocol.name.into()), ..Options::default() };
            let mut bench = Bench::new(protocol.name, options, Nuls { nothing, ..NONE });
            bench.turn("unknown silent");
            assert!(bench.run(60, |event| *event == Event::Ready), "{} {nothing:?}", protocol.name);
            let named = |name: &&str| protocol.commands_named(name).next().is_some();
            let names = ["beeper.toggle", "test.battery.start.quick", "shutdown.return", "shutdown.stop"];
            let names: Vec<&str> = names.into_iter().filter(named).collect();
            let mut outcomes = vec![];
            for name in names {
                bench.ups.forget_heard();
                let outcome = bench.command(name);
                let asked: Vec<Vec<u8>> = protocol.queries.iter().map(|query| query.wire(0)).collect();
                let is_order = |line: &&str| !asked.iter().any(|ask| ask == line.as_bytes());
                let heard: Vec<String> = bench.ups.heard().filter(is_order).map(String::from).collect();
                outcomes.push((name, outcome, heard));
            }
            (bench.shown(), outcomes)
        };
        let silent = outcomes(b"");
        for nothing in [&b"\r"[..], b"\0\r", b"\0", b"\0\0\0\0\r\n", &[0; 64]] {
            assert_eq!(outcomes(nothing), silent, "{} {nothing:?}", protocol.name);
        }
    }
}
