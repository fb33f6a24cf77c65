//! What is told of the battery by a UPS that says volts and load alone: charge, runtime, and LB by bounds, through
//! outages whose volts are as they are, stuck, rising, or of any kind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use qx::device::{Event, LinkChange};
use qx::options::{Options, RuntimeCal};
use qx::vocabulary::moment::Moment;
use testbed::line::{Line, ended, lasting};

/// What a UPS says: volts, load, and the bits.
#[derive(Clone, Copy, Debug)]
struct Says {
    volts: f64,
    load: u32,
    bits: &'static str,
}

const OL: &str = "00001000";
const OB: &str = "10001000";
const F24: &str = "#230.0 003 024.0 50.0";
const ACME: &str = "#ACME            A 1000     V1.2      ";

/// A UPS of these ratings and this name; what it says at a second.
struct Bench {
    line: Line,
    ratings: &'static str,
    name: &'static str,
}

/// What is shown at a second.
#[derive(Clone, Debug)]
struct Shown {
    second: u64,
    status: String,
    charge: Option<f64>,
    runtime: Option<f64>,
}

impl Bench {
    fn new(options: Options) -> Bench {
        let line = Line::new(Options { protocol: Some("megatec".into()), ..options });
        Bench { line, ratings: F24, name: ACME }
    }

    /// So many seconds, counted from 0; what is shown after each.
    fn run(&mut self, count: u64, says: impl Fn(u64) -> Says) -> Vec<Shown> {
        let begin = self.line.now;
        let (ratings, name) = (self.ratings, self.name);
        let mut ups = |ask: &str, now: Moment| match ask {
            "Q1" => {
                let Says { volts, load, bits } = says(now.saturating_sub(begin).as_secs());
                let input = if bits.starts_with('1') { "000.0" } else { "226.0" };
                let volts = if volts < 10.0 { format!("{volts:04.2}") } else { format!("{volts:04.1}") };
                ended(format!("({input} 195.0 226.0 {load:03} 49.0 {volts} 30.0 {bits}").as_bytes())
            }
            "F" => ended(ratings.as_bytes()),
            "I" => ended(name.as_bytes()),
            _ => vec![],
        };
        let mut shown = vec![];
        for second in 1..=count {
            self.line.run(begin + lasting(second), &mut ups, |_| false);
            let number = |name: &str| self.line.text(name).map(|text| text.parse().unwrap());
            shown.push(Shown {
                second,
                status: self.line.text("ups.status").unwrap_or_default().into(),
                charge: number("battery.charge"),
                runtime: number("battery.runtime"),
            });
        }
        shown
    }

    fn mains(&mut self, count: u64) {
        self.run(count, |_| Says { volts: 27.4, load: 50, bits: OL });
    }

    /// Ten hours of mains, and an outage that runs to the end in so many seconds, and mains until it is full.
    fn taught(options: Options, whole: u64) -> Bench {
        let mut bench = Bench::new(options);
        bench.mains(36_000);
        let end = bench.run(whole, |second| discharge(second, whole));
        assert!(end.last().unwrap().status.starts_with("OB"));
        bench.mains(80_000);
        bench
    }

    fn noted(&self, text: &str) -> bool {
        let has = |event: &Event| matches!(event, Event::Noted(_, note) if note.contains(text));
        self.line.events.iter().any(|(_, event)| has(event))
    }
}

/// A battery of 12 cells that carries half of the load for `whole` seconds.
fn discharge(second: u64, whole: u64) -> Says {
    let used = second as f64 / whole as f64;
    Says { volts: 24.6 - 2.4 * used - 1.6 * used.powi(8), load: 50, bits: OB }
}

fn is_low(shown: &[Shown]) -> bool {
    shown.iter().any(|shown| shown.status.contains("LB"))
}

/// On battery the charge falls, and no faster than a battery can run out.
fn is_smooth(shown: &[Shown]) {
    for pair in shown.windows(2) {
        let (Some(before), Some(now)) = (pair[0].charge, pair[1].charge) else { continue };
        assert!(now <= before, "{pair:?}");
        let runtime = pair.iter().filter_map(|shown| shown.runtime).fold(f64::MAX, f64::min);
        let fall = (4.0 * before / runtime.max(4.0)).max(0.2);
        assert!(before - now <= fall + 1.0, "{pair:?}");
    }
}

fn bounds(charge: f64, runtime: f64) -> Options {
    Options { low_charge_percent: Some(charge), low_runtime_s: Some(runtime), ..Options::default() }
}

/// Issue: 100, 29 and 75 within 35 s, and LB at 16 s, with a full battery under a heavy load.
#[test]
fn a_heavy_load_does_not_make_a_full_battery_low() {
    for minutes in [0, 10, 1000] {
        let mut bench = Bench::new(bounds(30.0, 60.0));
        bench.mains(30 + 60 * minutes);
        let sag = |second: u64| Says { volts: 22.3 - 0.002 * second as f64, load: 95, bits: OB };
        let shown = bench.run(120, sag);
        assert!(!is_low(&shown), "{shown:?}");
        assert_eq!(shown[0].charge, Some(100.0));
        is_smooth(&shown);
        assert!(shown[29].charge.unwrap() > 90.0, "{shown:?}");
        assert!(bench.noted("has no effect"));
    }
}

#[test]
fn volts_that_do_not_fall_or_rise_say_nothing() {
    let stuck: fn(u64) -> f64 = |_| 27.3;
    let rising: fn(u64) -> f64 = |second| 22.0 + 4.8 * (second as f64 / 300.0).min(1.0);
    for volts in [stuck, rising] {
        for taught in [false, true] {
            let options = bounds(30.0, 60.0);
            let mut bench = if taught { Bench::taught(options, 900) } else { Bench::new(options) };
            bench.mains(40_000);
            let shown = bench.run(900, |second| Says { volts: volts(second), load: 50, bits: OB });
            assert!(!is_low(&shown), "{shown:?}");
            assert!(shown[120..].iter().all(|shown| shown.runtime.is_none() && shown.charge.is_none()));
            is_smooth(&shown);
        }
    }
}

/// Issue: 1200, 320, 17, 10 s within eight seconds, with 190 s left.
#[test]
fn a_bump_does_not_end_a_battery() {
    for taught in [false, true] {
        let options = bounds(5.0, 30.0);
        let mut bench = if taught { Bench::taught(options, 900) } else { Bench::new(options) };
        bench.mains(40_000);
        let shown = bench.run(860, |second| {
            let says = discharge(second, 900);
            let bump = if (680..710).contains(&second) { 1.5 } else { 0.0 };
            Says { volts: says.volts + bump, ..says }
        });
        let before = shown[678].runtime.unwrap();
        for shown in &shown[679..740] {
            let left = before - (shown.second - 679) as f64;
            assert!(shown.runtime.is_none_or(|told| told > 0.5 * left), "{before}: {shown:?}");
            assert!(!shown.status.contains("LB"), "{shown:?}");
        }
        is_smooth(&shown);
    }
}

/// Issue: the charge leaps from 56 to 93 while the battery empties, in a UPS that was never seen on float. From the
/// first second of an outage to the end of the recharge it goes down, and then up, and nowhere by leaps.
#[test]
fn charge_goes_down_and_up_without_leaps() {
    for (mains, minutes) in [(25.0, 1), (25.0, 700), (25.6, 5), (26.4, 5), (27.4, 1), (27.4, 5), (27.4, 700)]
    {
        for part in [20, 300, 880] {
            let mut bench = Bench::new(Options::default());
            let mut shown = bench.run(60 * minutes, |_| Says { volts: mains, load: 50, bits: OL });
            let begin = shown.len();
            shown.extend(bench.run(part, |second| discharge(second, 900)));
            let end = shown.len();
            shown.extend(bench.run(36_000, |_| Says { volts: mains, load: 50, bits: OL }));
            is_smooth(&shown[begin - 1..end]);
            for pair in shown[begin - 1..].windows(2) {
                let [Some(before), Some(now)] = [pair[0].charge, pair[1].charge] else {
                    panic!("{mains} {minutes} {part}: {pair:?}");
                };
                assert!((now - before).abs() <= 3.0, "{mains} {minutes} {part}: {pair:?}");
            }
            for pair in shown[end..].windows(2) {
                assert!(pair[1].charge >= pair[0].charge, "{mains} {minutes} {part}: {pair:?}");
            }
            // 25 V of 12 cells, hour after hour on mains, are what this one reads when it is full
            let full = shown.last().unwrap().charge;
            assert!(full.is_some_and(|charge| charge >= 95.0), "{mains} {minutes} {part}: {full:?}");
        }
    }
}

/// Issue: 1320 s, and 6600 s fifty seconds later.
#[test]
fn a_load_that_always_reads_0_does_not_make_the_runtime_climb() {
    let mut bench = Bench::new(bounds(30.0, 600.0));
    bench.run(40_000, |_| Says { volts: 27.4, load: 0, bits: OL });
    let shown = bench.run(880, |second| Says { load: 0, ..discharge(second, 900) });
    let told: Vec<f64> = shown.iter().filter_map(|shown| shown.runtime).collect();
    assert!(told.len() > 800, "{}", told.len());
    for part in told.windows(50) {
        assert!(part[49] <= 1.5 * part[0] + 30.0, "{} to {}", part[0], part[49]);
    }
    assert!(!is_low(&shown), "a guess decides nothing");
    bench.mains(80_000);
    assert_eq!(bench.line.text("battery.runtime"), None, "what the load was is not known");
}

/// Issue: 75, 1230, 67, 1140 s.
#[test]
fn a_load_that_swings_has_one_runtime() {
    for taught in [false, true] {
        let mut bench =
            if taught { Bench::taught(Options::default(), 900) } else { Bench::new(Options::default()) };
        bench.mains(40_000);
        let shown = bench.run(600, |second| {
            let says = discharge(second, 900);
            let high = second / 15 % 2 == 1;
            Says {
                load: if high { 90 } else { 10 },
                volts: says.volts + if high { -0.9 } else { 0.9 },
                ..says
            }
        });
        let told: Vec<f64> = shown[120..].iter().filter_map(|shown| shown.runtime).collect();
        for part in told.windows(40) {
            let (least, most) =
                part.iter().fold((f64::MAX, 0.0f64), |(a, b), told| (a.min(*told), b.max(*told)));
            assert!(most < 2.0 * least + 60.0, "{taught}: {least} to {most}");
        }
    }
}

/// Issue: known to 0.014 and good after a whole outage, to 0.27 and low after 12 percent of the next.
#[test]
fn a_short_outage_takes_nothing_of_what_a_whole_one_taught() {
    let mut bench = Bench::taught(Options::default(), 900);
    let confidence =
        |bench: &Bench| bench.line.text("experimental.battery.health.confidence").map(str::to_string);
    let before = (bench.line.text("battery.runtime").map(str::to_string), confidence(&bench));
    assert!(before.1.is_some(), "{before:?}");
    bench.run(110, |second| discharge(second, 900));
    assert_eq!(confidence(&bench), before.1);
    bench.mains(80_000);
    let runtime = |text: &Option<String>| text.as_ref().unwrap().parse::<f64>().unwrap();
    let after = (bench.line.text("battery.runtime").map(str::to_string), confidence(&bench));
    assert_eq!(after.1, before.1);
    assert!((runtime(&after.0) / runtime(&before.0) - 1.0).abs() < 0.1, "{before:?} {after:?}");
    assert!(bench.line.text("experimental.battery.health").is_some());
}

/// What the model knows of this very battery does count, about when it should.
#[test]
fn what_is_known_counts_for_a_bound() {
    for (options, from, until) in
        [(bounds(30.0, 0.0), 0.10, 0.45), (bounds(0.0, 200.0), 0.10, 0.40), (bounds(10.0, 60.0), 0.02, 0.20)]
    {
        let mut bench = Bench::taught(options, 900);
        assert!(!is_low(&bench.run(60, |_| Says { volts: 27.4, load: 50, bits: OL })));
        let shown = bench.run(890, |second| discharge(second, 900));
        let at = shown.iter().find(|shown| shown.status.contains("LB")).expect("LB").second;
        let left = 1.0 - at as f64 / 900.0;
        assert!((from..until).contains(&left), "{left} left");
        assert!(shown[at as usize..].iter().all(|shown| shown.status == "OB LB"), "until mains");
        is_smooth(&shown);
    }
}

/// LB by an estimate goes with the estimate: not known any more is not low.
#[test]
fn low_by_an_estimate_is_withdrawn_with_it() {
    let mut bench = Bench::taught(bounds(0.0, 300.0), 900);
    let shown = bench.run(890, |second| {
        let says = discharge(second, 900);
        Says { volts: if second > 780 { 27.3 } else { says.volts }, ..says }
    });
    assert!(is_low(&shown[..780]) && !is_low(&shown[830..]), "{shown:?}");
    assert!(bench.noted("was withdrawn"));
}

#[test]
fn a_driver_that_starts_on_battery_knows_nothing_of_it() {
    for volts in [18.6, 20.0, 22.5, 25.0, 27.3] {
        let mut bench = Bench::new(Options { low_volts: Some(21.0), ..bounds(30.0, 60.0) });
        let shown = bench.run(200, |_| Says { volts, load: 50, bits: OB });
        assert!(shown[2..].iter().all(|shown| shown.runtime.is_none()), "{shown:?}");
        assert!(volts > 26.0 || shown.iter().all(|shown| shown.charge.is_none_or(|charge| charge < 90.0)));
        assert_eq!(is_low(&shown), volts < 21.0, "{volts}: {shown:?}");
    }
}

/// Of these seconds of each four the volts are below their bound.
fn alternates(below: fn(u64) -> bool, bits: &'static str) -> Vec<Shown> {
    let mut bench = Bench::new(Options { low_volts: Some(22.0), ..Options::default() });
    bench.mains(20);
    bench.run(90, |second| Says { volts: if below(second) { 21.9 } else { 22.1 }, load: 50, bits })
}

#[test]
fn a_value_that_alternates_around_its_bound_counts() {
    assert!(is_low(&alternates(|_| true, OB)));
    assert!(is_low(&alternates(|second| second % 2 == 0, OB)));
    assert!(is_low(&alternates(|second| second % 4 < 2, OB)));
    assert!(is_low(&alternates(|second| second % 4 < 3, OB)));
    assert!(!is_low(&alternates(|second| second % 5 == 0, OB)));
    assert!(!is_low(&alternates(|second| (30..33).contains(&second), OB)));
    assert!(!is_low(&alternates(|_| false, OB)));
    // ten seconds of dip, and four of the bound
    let first =
        alternates(|_| true, OB).into_iter().find(|shown| shown.status.contains("LB")).unwrap().second;
    assert!((14..=18).contains(&first), "{first}");
}

/// Mains that fails within a test is an outage; a test is none.
#[test]
fn a_test_counts_when_mains_has_failed() {
    assert!(is_low(&alternates(|_| true, "10001100")));
    assert!(!is_low(&alternates(|_| true, "00001100")));
}

/// A bound counts for what is said or configured, also where nothing is learned.
#[test]
fn what_is_configured_is_no_guess() {
    let bounds = [("battery.voltage.low", "20"), ("battery.voltage.high", "26")];
    let defaults = bounds.map(|(name, text)| (name.to_string(), text.to_string())).to_vec();
    let by_hand = Options { defaults, low_charge_percent: Some(30.0), ..Options::default() };
    let cal = RuntimeCal::parse("240,100,720,50").unwrap();
    let calibrated = Options { runtimecal: Some(cal), low_runtime_s: Some(600.0), ..Options::default() };
    for options in [by_hand, calibrated] {
        let mut bench = Bench::new(options);
        bench.mains(20);
        assert!(is_low(&bench.run(60, |_| Says { volts: 21.0, load: 50, bits: OB })));
    }
}

/// Issue: `F=#230.0 004 036.0 50.0` and 2.45 V.
#[test]
fn a_cell_of_two_volts_and_a_half_is_full() {
    for (ratings, name) in [("#230.0 004 036.0 50.0", "q1"), ("#230.0 004 036.0 50.0", "megatec")] {
        let mut bench = Bench::new(Options::default());
        bench.line = Line::new(Options { protocol: Some(name.into()), ..Options::default() });
        bench.ratings = ratings;
        for volts in [2.45, 2.27, 2.75, 2.40, 2.41] {
            let shown = bench.run(20, |_| Says { volts, load: 13, bits: OL });
            assert_eq!(shown[19].charge, Some(100.0), "{name} {volts}");
        }
        assert!(bench.noted("18 cells of lead-acid") && bench.noted("taken 18 times"));
    }
}

/// Another UPS behind the same line: nothing of the battery of the first one is told of the second.
#[test]
fn another_ups_has_another_battery() {
    let mut bench = Bench::taught(Options::default(), 900);
    assert!(bench.line.text("battery.runtime").is_some());
    bench.line.link(LinkChange::Gone);
    bench.line.now += lasting(4);
    bench.line.link(LinkChange::Back);
    (bench.ratings, bench.name) = ("#120.0 003 012.0 60.0", "#OTHER           B 500      V2.0      ");
    // what asks a UPS anew who it is is not tried here: it goes stale
    bench.run(20, |_| Says { volts: 99.9, load: 0, bits: "xxxxxxxx" });
    let shown = bench.run(60, |_| Says { volts: 13.6, load: 50, bits: OL });
    assert_eq!(bench.line.text("device.model"), Some("B 500"), "{:?}", bench.line.events.last());
    let last = shown.last().unwrap();
    assert_eq!((last.charge, last.runtime), (Some(100.0), None));
    assert!(bench.noted("another UPS answers"));
}

/// A battery of 12 V whose UPS is rated 24 V looks empty for ever: its volts on mains contradict the rating, so
/// they are no end of it (a unit that was swapped unseen; found by a review).
#[test]
fn a_rating_that_mains_contradicts_makes_no_low_battery() {
    // 1.60 V for each of 12 cells are 19.2 V
    for (mains, battery, low) in
        [(27.4, 19.1, true), (27.4, 19.3, false), (13.5, 12.8, false), (13.5, 10.2, false)]
    {
        let mut bench = Bench::new(bounds(30.0, 60.0));
        bench.mains(600);
        bench.run(120, |_| Says { volts: mains, load: 14, bits: OL });
        let shown = bench.run(90, |_| Says { volts: battery, load: 14, bits: OB });
        assert_eq!(is_low(&shown), low, "{mains} V on mains, {battery} V on battery: {:?}", shown.last());
    }
}

#[test]
fn a_memory_is_of_the_ups_that_it_names() {
    let mut bench = Bench::taught(Options::default(), 900);
    let memory = bench.line.device.battery_memory().unwrap();
    assert!(memory.contains("unit device.model A 1000"), "{memory}");
    let started = |memory: &str, name: &'static str, ratings: &'static str| {
        let options = Options { battery_memory: Some(memory.into()), ..Options::default() };
        let mut bench = Bench { name, ratings, ..Bench::new(options) };
        bench.mains(60);
        (bench.line.text("battery.runtime").is_some(), bench.noted("saved data is not used"))
    };
    assert_eq!(started(&memory, ACME, F24), (true, false));
    assert_eq!(started(&memory, "#ACME            A 2000     V1.2      ", F24), (false, true));
    assert_eq!(started(&memory, ACME, "#230.0 008 024.0 50.0"), (false, true));
    assert_eq!(started(&memory, "", F24), (false, false), "it does not say who it is this time");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the volts of an outage are: a guess makes no LB, and the charge falls without a leap.
    #[test]
    fn any_volts_are_survived(
        steps in proptest::collection::vec((15.0..30.0f64, -0.05..0.05f64, 5u64..90, 0u32..110), 1..8),
        minutes in prop_oneof![Just(1u64), Just(700)],
    ) {
        let mut bench = Bench::new(bounds(50.0, 600.0));
        bench.mains(60 * minutes);
        let mut shown = vec![];
        for (volts, slope, time, load) in steps {
            let says = |second: u64| Says { volts: (volts + slope * second as f64).clamp(19.4, 30.0), load, bits: OB };
            shown.extend(bench.run(time, says));
        }
        prop_assert!(!is_low(&shown), "{:?}", shown);
        is_smooth(&shown);
    }

    /// The same in the first outage, with volts that look as those of an empty battery at once (found by the test
    /// above: what the first half a minute taught was taken for known).
    #[test]
    fn a_first_outage_makes_no_low_battery(volts in 19.4..24.0f64, load in 1u32..110, time in 31u64..120) {
        let mut bench = Bench::new(bounds(50.0, 600.0));
        bench.mains(42_000);
        let shown = bench.run(time, |_| Says { volts, load, bits: OB });
        prop_assert!(!is_low(&shown), "{:?}", shown.last());
    }

    /// Volts of 1.60 V a cell and less are the end of any battery of lead-acid: that is no guess.
    #[test]
    fn an_empty_battery_is_low_whoever_knows_it(volts in 14.0..19.2f64, load in 1u32..110) {
        let mut bench = Bench::new(bounds(50.0, 600.0));
        bench.mains(60);
        let shown = bench.run(60, |_| Says { volts, load, bits: OB });
        prop_assert!(shown.last().is_some_and(|shown| shown.status.contains("LB")), "{:?}", shown.last());
        prop_assert!(!is_low(&shown[..10]), "not in the dip");
    }

    /// By volts, which the UPS says, LB is told when they were below for most of the time, and only then.
    #[test]
    fn volts_below_their_bound_are_low_and_no_others(below in proptest::collection::vec(any::<bool>(), 60)) {
        let mut bench = Bench::new(Options { low_volts: Some(22.0), ..Options::default() });
        bench.mains(20);
        let at = |second: u64| below.get(second as usize / 2).copied().unwrap_or(false);
        let shown = bench.run(120, |second| Says { volts: if at(second) { 21.0 } else { 23.0 }, load: 50, bits: OB });
        let low = |least: usize, window: usize| {
            (6..=below.len() - window).any(|n| below[n..n + window].iter().filter(|below| **below).count() >= least)
        };
        // four seconds at a time are enough; without two of any four readings there is none
        prop_assert!(is_low(&shown) || !low(4, 4), "{:?}", below);
        prop_assert!(!is_low(&shown) || low(2, 4), "{:?}", below);
    }
}
