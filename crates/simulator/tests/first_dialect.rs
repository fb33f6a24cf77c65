//! A UPS behind a converter that names its dialect: taken for that at once, also after a reload and a silence.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::detect::known::KnownDialect;
use qx::device::{Event, Outcome};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;
use testbed::line::Line;

struct Bench {
    ups: SimulatedUps,
    line: Line,
}

impl Bench {
    fn new(protocol: &str, options: Options) -> Bench {
        let protocol = protocols::named(protocol).unwrap();
        let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
        ups.turn(Knob::parse("unknown silent").unwrap(), Moment::ZERO);
        Bench { ups, line: Line::new(options) }
    }

    fn run(&mut self, time: u64, enough: impl Fn(&Event) -> bool) -> bool {
        let Bench { ups, line } = self;
        let until = line.now + Duration::from_secs(time);
        let mut answer = |ask: &[u8], now: Moment| {
            ups.receive(&[ask, b"\r"].concat(), now);
            let mut said = vec![];
            while let Some(due) = ups.poll_timeout() {
                said.extend(ups.poll_output(due).unwrap());
            }
            said
        };
        line.run_raw(until, &mut answer, enough)
    }

    fn dialect(&self) -> &'static str {
        self.line.device.protocol().map_or("none", |protocol| protocol.name)
    }
}

fn omron() -> Options {
    Options { first_dialect: qx::usb::bridges::dialect_of(0x0590), ..Options::default() }
}

/// Only this maker's converters name a dialect, whatever the product (NUT 2.8.5 nutdrv_qx_omron.c).
#[test]
fn one_maker_names_a_dialect() {
    let makers = qx::usb::bridges::ALL.iter().flat_map(|bridge| bridge.ids).map(|id| id.vendor);
    for maker in makers.chain([0, 0x1a86]) {
        let expected = (maker == 0x0590).then_some("omron");
        assert_eq!(qx::usb::bridges::dialect_of(maker), expected, "{maker:04x}");
    }
    for bridge in qx::usb::bridges::ALL {
        assert!(bridge.dialect.is_none_or(|name| protocols::named(name).is_some()), "{}", bridge.name);
    }
}

#[test]
fn an_omron_is_found_by_its_status_and_obeys_with_its_word() {
    let mut bench = Bench::new("omron", omron());
    assert!(bench.run(30, |event| matches!(event, Event::Detected(..))));
    assert_eq!((bench.dialect(), bench.line.questions()), ("omron", vec!["Q1"]));
    assert!(bench.run(60, |event| *event == Event::Ready));
    for (command, sent) in [("shutdown.return", vec!["An", "S.5"]), ("shutdown.stop", vec!["C"])] {
        bench.ups.forget_heard();
        let before = bench.line.events.len();
        bench.line.device.instant_command(7, command, None);
        assert!(bench.run(30, |event| matches!(event, Event::Answered(7, _))));
        let done = |(_, event): &(Moment, Event)| *event == Event::Answered(7, Outcome::Done);
        assert!(bench.line.events[before..].iter().any(done), "{:?}", &bench.line.events[before..]);
        let is_order = |line: &&str| line.starts_with(['A', 'S', 'C']);
        let heard: Vec<&str> = bench.ups.heard().filter(is_order).collect();
        assert_eq!(heard, sent, "{command}");
    }
}

/// What an earlier release found without the converter's word was q1.
#[test]
fn what_was_kept_as_q1_is_an_omron() {
    let memory = KnownDialect { protocol: "q1".into(), confirmed: true, names: vec![] }.text();
    let mut bench = Bench::new("omron", Options { dialect_memory: Some(memory), ..omron() });
    assert!(bench.run(60, |event| *event == Event::Ready));
    bench.run(120, |_| false);
    assert_eq!(bench.dialect(), "omron");
}

#[test]
fn it_stays_one_through_a_reload_and_a_silence() {
    let mut bench = Bench::new("omron", omron());
    assert!(bench.run(60, |event| *event == Event::Ready));
    // options that were read again know nothing of the converter
    assert!(bench.line.device.reconfigure(Options::default(), bench.line.now));
    assert_eq!(bench.line.device.options().first_dialect, Some("omron"));
    bench.ups.turn(Knob::parse("silent on").unwrap(), bench.line.now);
    bench.run(200, |_| false);
    bench.ups.turn(Knob::parse("silent off").unwrap(), bench.line.now);
    assert!(bench.run(200, |event| *event == Event::Fresh));
    assert_eq!(bench.dialect(), "omron");
}

/// The administrator's word counts more.
#[test]
fn a_dialect_that_is_named_is_the_only_one() {
    let mut bench = Bench::new("omron", Options { protocol: Some("q1".into()), ..omron() });
    assert!(bench.run(60, |event| *event == Event::Ready));
    assert_eq!(bench.dialect(), "q1");
}
