//! The device against every simulated unit, in virtual time: found as what it is, surveyed, commanded,
//! set.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::store::Access;
use qx::device::{Event, Outcome};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::setting::Choice;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;
use testbed::line::{Line, seconds};

/// Families and models that differ.
const FAMILIES: &[(&str, &[&str])] = &[
    ("voltronic", &["P00", "P01", "P02", "P03", "P08", "P09", "P10", "P13", "P14", "P31", "P99"]),
    ("voltronic-qs", &["PM-V", "PM-H"]),
    ("voltronic-qs-hex", &["PM-P", "PM-T"]),
    ("bestups", &["AX1", "FOR", "PRO", "PR2", "320", "620"]),
    ("masterguard", &["A700", "A1000", "A3000-19", "E60", "E200"]),
];

fn families(protocol: &str) -> Vec<Option<&'static str>> {
    let rows = FAMILIES.iter().find(|(name, _)| *name == protocol);
    rows.map_or(vec![None], |(_, names)| names.iter().map(|name| Some(*name)).collect())
}

struct Bench {
    ups: SimulatedUps,
    line: Line,
}

impl Bench {
    fn new(protocol: &str, family: Option<&str>, knobs: &[&str], options: Options) -> Bench {
        let profile = Profile { family: family.map(String::from), ..Profile::default() };
        let protocol = protocols::named(protocol).unwrap();
        let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
        for knob in knobs {
            ups.turn(Knob::parse(knob).unwrap(), Moment::ZERO);
        }
        Bench { ups, line: Line::new(options) }
    }

    fn run(&mut self, time: u64, enough: impl Fn(&Event) -> bool) -> bool {
        let Bench { ups, line } = self;
        let until = line.now + Duration::from_secs(time);
        line.run_raw(
            until,
            &mut |ask, now| {
                ups.receive(&[ask, b"\r"].concat(), now);
                let mut reply = vec![];
                while let Some(due) = ups.poll_timeout() {
                    reply.extend(ups.poll_output(due).unwrap());
                }
                reply
            },
            enough,
        )
    }

    fn ready(protocol: &str, family: Option<&str>, knobs: &[&str], options: Options) -> Bench {
        let mut bench = Bench::new(protocol, family, knobs, options);
        let ready = bench.run(60, |event| *event == Event::Ready);
        assert!(ready, "{protocol} {family:?}: {:?} {:?}", bench.line.events, bench.line.questions());
        bench
    }

    /// Sets a variable; the outcome.
    fn set(&mut self, name: &str, value: &str) -> Outcome {
        self.line.device.set(7, name, value);
        self.outcome()
    }

    fn command(&mut self, name: &str, parameter: Option<&str>) -> Outcome {
        self.line.device.instant_command(7, name, parameter);
        self.outcome()
    }

    fn outcome(&mut self) -> Outcome {
        let before = self.line.events.len();
        assert!(self.run(20, |event| matches!(event, Event::Answered(7, _))));
        let outcome = self.line.events[before..].iter().find_map(|(_, event)| match event {
            Event::Answered(7, outcome) => Some(outcome.clone()),
            _ => None,
        });
        // what follows from it is asked
        self.run(3, |_| false);
        outcome.unwrap()
    }

    fn text(&self, name: &str) -> &str {
        self.line.text(name).unwrap_or("(nothing)")
    }
}

fn named(protocol: &str) -> Options {
    Options { protocol: Some(protocol.into()), ..Options::default() }
}

#[test]
fn every_unit_is_found_as_what_it_is() {
    println!("| unit | unknown questions | asked | time |\n|---|---|---|---|");
    for protocol in protocols::ALL.iter().filter(|protocol| !protocol.by_name) {
        for family in families(protocol.name) {
            for unknown in ["silent", "echo", "(NAK"] {
                // by the word (NAK a megatec says that it is a mecer: NUT takes it for one as well
                let taken = match (protocol.name, unknown) {
                    ("megatec" | "zinto" | "q1" | "innovart31" | "q2" | "q6", "(NAK") => "mecer",
                    (name, _) => name,
                };
                let knob = format!("unknown {unknown}");
                let bench = Bench::ready(protocol.name, family, &[&knob], Options::default());
                let found = bench.line.device.protocol().unwrap().name;
                assert_eq!(found, taken, "{} {family:?} {unknown}", protocol.name);
                let asked = bench.line.questions().len();
                let name =
                    family.map_or(protocol.name.into(), |family| format!("{} {family}", protocol.name));
                println!(
                    "| {name} | {unknown} | {asked} | {:.2} s |",
                    bench.line.now.since_start().as_secs_f64()
                );
                assert!(bench.line.now < seconds(12), "{:?}", bench.line.now);
            }
        }
    }
}

#[test]
fn every_unit_works_when_it_is_named() {
    for protocol in protocols::ALL {
        for family in families(protocol.name) {
            let mut bench = Bench::ready(protocol.name, family, &[], named(protocol.name));
            let what = format!("{} {family:?}", protocol.name);
            assert_eq!(bench.text("ups.status").split(' ').next(), Some("OL"), "{what}");
            bench.ups.turn(Knob::parse("mains fail").unwrap(), bench.line.now);
            bench.run(5, |_| false);
            assert_eq!(bench.text("ups.status").split(' ').next(), Some("OB"), "{what}");
            bench.ups.turn(Knob::parse("charge 5").unwrap(), bench.line.now);
            bench.run(35, |_| false);
            assert!(bench.text("ups.status").contains("LB"), "{what}: {}", bench.text("ups.status"));
        }
    }
}

#[test]
fn a_full_poll_asks_each_question_once() {
    for protocol in protocols::ALL {
        for family in families(protocol.name) {
            let mut bench = Bench::ready(protocol.name, family, &[], named(protocol.name));
            bench.run(31, |_| false);
            let from = bench.line.now;
            bench.run(30, |_| false);
            let asked: Vec<&str> =
                bench.line.asked.iter().filter(|(at, _)| *at >= from).map(|(_, ask)| ask.as_str()).collect();
            for ask in &asked {
                let times = asked.iter().filter(|other| *other == ask).count();
                let what = format!("{} {family:?} {ask}: {times} in 30 s", protocol.name);
                assert!(times == 1 || (14..=16).contains(&times), "{what}");
            }
        }
    }
}

/// What a question said is withdrawn when it is not answered any more, and data is stale only when nothing
/// says any more whether mains is there.
#[test]
fn data_is_as_fresh_as_what_says_whether_mains_is_there() {
    let parts = [
        ("QPIGS", "input.voltage", false),
        ("QPIWS", "", false),
        ("QMOD", "", false),
        ("QPIGS QMOD", "", true),
    ];
    for (silent, withdrawn, stale) in parts {
        let mut bench = Bench::ready("voltronic-axpert", None, &[], named("voltronic-axpert"));
        bench.run(10, |_| false);
        assert!(!bench.line.device.store().is_stale());
        bench.ups.turn(Knob::parse("unknown silent").unwrap(), bench.line.now);
        for part in silent.split(' ') {
            bench.ups.turn(Knob::parse(&format!("forget {part}")).unwrap(), bench.line.now);
        }
        assert_eq!(bench.run(30, |event| *event == Event::Stale), stale, "{silent}: {:?}", bench.line.events);
        assert!(!bench.run(40, |event| *event == Event::Fresh), "{silent}: {:?}", bench.line.events);
        assert!(bench.text("ups.status").starts_with("OL"), "{silent}");
        if !withdrawn.is_empty() {
            assert_eq!(bench.line.text(withdrawn), None, "{silent}: {withdrawn}");
        }
    }
}

#[test]
fn what_may_be_set_can_be_set_and_nothing_else() {
    for protocol in protocols::ALL {
        for family in families(protocol.name) {
            let mut bench = Bench::ready(protocol.name, family, &[], named(protocol.name));
            let entry = |(name, entry): (&str, &qx::device::store::Entry)| {
                (name.to_string(), entry.access.clone(), entry.text().to_string())
            };
            let entries: Vec<(String, Access, String)> =
                bench.line.device.store().entries().map(entry).collect();
            for (name, access, before) in entries {
                let Access::Write(choice) = access else {
                    assert_eq!(bench.set(&name, "1"), Outcome::Unknown, "{name}");
                    continue;
                };
                let (good, bad) = match choice {
                    // no number is cut or rounded to one that nobody asked for: 53.25 hertz are neither
                    // 53.2 nor 53.3
                    Choice::Range(least, most) => {
                        let mut bad = vec![(most + 1).to_string()];
                        // a delay of the driver is rounded down, as in NUT
                        if !name.starts_with("ups.delay.") {
                            bad.extend([format!("{least}.25"), format!("{most}.01")]);
                        }
                        (vec![least.to_string(), most.to_string(), format!("{most}.0")], bad)
                    }
                    Choice::OneOf(words) => (words, vec!["nonsense".to_string()]),
                    Choice::Free => {
                        (vec!["0001:02:03:04".to_string()], vec!["x".to_string(), "60.5".to_string()])
                    }
                };
                let what = format!("{} {family:?} {name}", protocol.name);
                for bad in bad {
                    bench.ups.forget_heard();
                    assert!(matches!(bench.set(&name, &bad), Outcome::Invalid(_)), "{what} = {bad}");
                    assert_eq!(bench.text(&name), before, "{what}");
                }
                for value in good {
                    assert_eq!(bench.set(&name, &value), Outcome::Done, "{what} = {value}");
                    let number = |text: &str| text.parse::<f64>().ok();
                    let rounds = name.contains("delay") || name == "device.uptime";
                    let equal = number(&value).is_some() && number(bench.text(&name)) == number(&value);
                    let same = bench.text(&name) == value || equal;
                    assert!(same || rounds, "{what} = {value}, then {}", bench.text(&name));
                }
            }
        }
    }
}

#[test]
fn commands_reach_the_unit() {
    for protocol in protocols::ALL {
        for family in families(protocol.name) {
            let bench = Bench::ready(protocol.name, family, &[], named(protocol.name));
            for name in bench.line.device.store().commands().to_vec() {
                let mut bench = Bench::ready(protocol.name, family, &[], named(protocol.name));
                let parameter = (name == "test.battery.start").then_some("120");
                bench.ups.forget_heard();
                let outcome = bench.command(name, parameter);
                assert_eq!(outcome, Outcome::Done, "{} {family:?} {name}", protocol.name);
                assert!(bench.ups.heard().count() > 0);
            }
        }
    }
}

/// What the configuration asks for is written once, if it is not so already.
#[test]
fn settings_of_the_configuration_are_written_once() {
    let settings = [
        ("eco_mode", "enabled", "PEE"),
        ("bypass_alarm", "enabled", ""),
        ("max_bypass_volt", "250", "PHV250"),
        ("min_bypass_freq", "45", "PSF45.0"),
        ("output_phase_angle", "120", "PPD120"),
        ("battery_number", "3", "BATN3"),
        ("max_bypass_volt", "300", ""),
    ];
    for (name, value, wire) in settings {
        let settings = vec![(name.to_string(), value.to_string())];
        let mut bench = Bench::ready("voltronic", None, &[], Options { settings, ..named("voltronic") });
        bench.run(70, |_| false);
        let written = |line: &&str| line.starts_with('P') || line.starts_with("BAT");
        let heard: Vec<&str> = bench.ups.heard().filter(written).collect();
        let expected: Vec<&str> = [wire].into_iter().filter(|wire| !wire.is_empty()).collect();
        assert_eq!(heard, expected, "{name} = {value}");
    }
}
