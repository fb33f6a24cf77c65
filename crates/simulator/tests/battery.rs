//! What the driver tells of the battery through outages of a simulated UPS, in virtual time. How good
//! the estimate is on batteries as they are, `crates/battery/tests/proof.rs` measures.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::{Options, RuntimeCal};
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
        let ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
        let options = Options { protocol: Some(protocol.name.into()), ..options };
        Bench { ups, line: Line::new(options) }
    }

    fn turn(&mut self, knob: &str) {
        self.ups.turn(Knob::parse(knob).unwrap(), self.line.now);
    }

    fn run(&mut self, time: u64) {
        let Bench { ups, line } = self;
        let until = line.now + Duration::from_secs(time);
        let mut reply = |ask: &[u8], now: Moment| {
            ups.receive(&[ask, b"\r"].concat(), now);
            let mut reply = vec![];
            while let Some(due) = ups.poll_timeout() {
                reply.extend(ups.poll_output(due).unwrap());
            }
            reply
        };
        line.run_raw(until, &mut reply, |_| false);
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.line.text(name).map(|text| text.parse().unwrap())
    }

    /// Seconds that the battery really carries the load.
    fn truth(&self) -> f64 {
        let state = self.ups.state();
        let of = |name: &str| -> f64 {
            let line = state.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        of("charge ") / 100.0 * 300.0 * 100.0 / of("load ")
    }
}

/// An outage until so many seconds are left in truth; the errors of the runtime meanwhile, as shares of the
/// truth, from the first minute to the last, the middle one of them.
fn outage(bench: &mut Bench, left: f64) -> f64 {
    bench.turn("mains fail");
    bench.run(60);
    let mut errors = vec![];
    while bench.truth() > left {
        bench.run(10);
        if bench.truth() > 60.0 {
            let told = bench.number("battery.runtime").expect("a runtime in an outage");
            errors.push((told - bench.truth()).abs() / bench.truth());
        }
    }
    bench.turn("mains back");
    errors.sort_by(f64::total_cmp);
    errors[errors.len() / 2]
}

#[test]
fn an_outage_teaches_and_a_restart_forgets_nothing() {
    let mut bench = Bench::new("mustek", Options::default());
    // it has to be full for certain before a discharge tells how much there is
    bench.run(10 * 3600);
    assert_eq!(bench.number("battery.runtime"), None, "nothing is known yet");
    assert_eq!(bench.number("battery.charge"), Some(100.0));
    assert_eq!(bench.line.device.battery_memory(), None);
    let error = outage(&mut bench, 1.0);
    assert!(error < 0.5, "{error}");
    bench.run(60);
    assert!(bench.number("battery.runtime").is_some(), "{:?}", bench.line.events);
    assert!(bench.number("battery.charge").unwrap() < 60.0, "not full because mains is back");
    let memory = bench.line.device.battery_memory().expect("something was learned");
    assert_eq!(bench.line.device.battery_memory(), None, "once");
    // the same battery under a new driver, full again
    let mut bench =
        Bench::new("mustek", Options { battery_memory: Some(memory.clone()), ..Options::default() });
    bench.turn("charge 100");
    bench.run(10 * 3600);
    let told = bench.number("battery.runtime").expect("what was learned before");
    assert!((told - bench.truth()).abs() < 0.1 * bench.truth(), "{told} s, {} in truth", bench.truth());
    assert!(bench.number("experimental.battery.health").is_some());
    let error = outage(&mut bench, 200.0);
    assert!(error < 0.1, "{error}");
    // and one that cannot be read is none
    let torn = Options { battery_memory: Some(memory[..memory.len() / 2].into()), ..Options::default() };
    let mut bench = Bench::new("mustek", torn);
    bench.run(60);
    let warned =
        |event: &Event| matches!(event, Event::Noted(_, text) if text.contains("saved data is not used"));
    assert_eq!(bench.line.events.iter().filter(|(_, event)| warned(event)).count(), 1);
    assert_eq!(bench.number("battery.runtime"), None);
}

#[test]
fn who_configures_gets_the_figures_of_nut() {
    let cal = RuntimeCal::parse("300,100,600,50").unwrap();
    let mut bench = Bench::new("mustek", Options { runtimecal: Some(cal), ..Options::default() });
    bench.run(10);
    bench.turn("load 50");
    bench.run(10);
    assert_eq!(bench.number("battery.runtime"), Some(600.0));
    let bounds = [("battery.voltage.low", "20"), ("battery.voltage.high", "30")];
    let defaults = bounds.map(|(name, text)| (name.to_string(), text.to_string())).to_vec();
    let mut bench = Bench::new("mustek", Options { defaults, ..Options::default() });
    bench.turn("mains fail");
    bench.run(60);
    let volts = bench.number("battery.voltage").unwrap();
    assert_eq!(bench.number("battery.charge"), Some((10.0 * (volts - 20.0)).round()));
    assert_eq!(bench.number("battery.runtime"), None);
}

#[test]
fn nothing_left_on_mains_is_not_known() {
    // bestups tells the runtime itself
    let mut bench = Bench::new("bestups", Options::default());
    bench.run(20);
    assert!(bench.number("battery.runtime").unwrap() > 0.0);
    bench.turn("reply RT \"000\"");
    bench.run(60);
    assert_eq!(bench.number("battery.runtime"), None);
    bench.turn("mains fail");
    bench.run(60);
    assert_ne!(bench.number("battery.runtime"), Some(0.0), "it leapt there, and the volts did not fall");
    bench.run(70);
    assert_eq!(bench.number("battery.runtime"), Some(0.0), "it may be so in an outage, where it stays");
}

#[test]
fn a_self_test_is_no_outage_to_the_battery_either() {
    let mut bench = Bench::new("mustek", Options { low_volts: Some(25.5), ..Options::default() });
    bench.run(60);
    bench.line.device.instant_command(1, "test.battery.start", Some("60"));
    for _ in 0..20 {
        bench.run(5);
        let status = bench.line.text("ups.status").unwrap();
        assert!(!status.contains("OB") && !status.contains("LB"), "{status}");
    }
}
