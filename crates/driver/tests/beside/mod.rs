//! The same simulated UPS under NUT's own driver and under ours.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use testbed::nut::{NutStation, ProgramOutput, Which, both};
use testbed::ups::SimUps;

/// A difference that is listed.
pub fn listed(name: &str) {
    let page = include_str!("../../../../docs/differences-from-nut.md");
    assert!(page.contains(&format!("| `{name}` |")), "{name} is not in docs/differences-from-nut.md");
}

/// What one driver shows of a UPS in some state.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    pub listing: BTreeMap<String, String>,
    pub commands: ProgramOutput,
    pub settings: ProgramOutput,
}

/// So many stages were set up: each has a name of its own.
static STAGES: AtomicUsize = AtomicUsize::new(0);

/// One driver at work on a UPS in some state.
pub struct Stage {
    pub ups: SimUps,
    pub station: NutStation,
}

impl Stage {
    pub fn new(which: Which, protocol: &str, state: &[&str], options: &str) -> Stage {
        let name = stage_name(protocol, state, options);
        let ups = SimUps::start(&name, which, protocol, state);
        let mut station = NutStation::new(&name, which);
        // a full poll each second or two, so that NUT shows alarms before half a minute has passed
        station.configure(&ups.port, &format!("protocol = {protocol}\npollfreq = 1\n{options}"));
        station.start_driver();
        station.start_upsd();
        Stage { ups, station }
    }

    pub fn shown(&self) -> Shown {
        shown_by(&self.station)
    }
}

/// A name that no other stage has.
pub fn stage_name(protocol: &str, state: &[&str], options: &str) -> String {
    let name = format!("show-{protocol}-{}-{options}", state.join("-"));
    let name: String = name.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(60).collect();
    format!("{name}{}", STAGES.fetch_add(1, Ordering::Relaxed))
}

/// What a driver shows, without what is the port's or the program's own.
pub fn shown_by(station: &NutStation) -> Shown {
    let mut listing = station.upsc();
    without_estimates(&mut listing);
    listed("driver-version");
    listing.retain(|name, _| !name.starts_with("driver.version") && !name.starts_with("driver.state"));
    listing.retain(|name, _| !of_the_driver(name));
    listing.remove("driver.parameter.port");
    Shown { listing, commands: own_port(station, "upscmd", "-l"), settings: own_port(station, "upsrw", "-l") }
}

/// On battery, charge and runtime are estimated by a model here and by a line between two voltages in
/// NUT, where the UPS does not say them and nothing is configured.
pub fn without_estimates(listing: &mut BTreeMap<String, String>) {
    let text = |name: &str| listing.get(name).cloned().unwrap_or_default();
    let dialect = text("driver.version.data").to_ascii_lowercase();
    let protocol = qx::protocols::named(dialect.split(' ').next().unwrap_or_default());
    let said =
        |var| protocol.is_some_and(|protocol| protocol.queries.iter().any(|query| query.speaks_of(var)));
    let configured = listing.contains_key("driver.parameter.runtimecal");
    if !text("ups.status").contains("OB") || configured {
        return;
    }
    listed("charge-model");
    if !said(&qx::vocabulary::variable::BATTERY_CHARGE) {
        let charge: Option<f64> = listing.remove("battery.charge").and_then(|text| text.parse().ok());
        assert!(charge.is_none_or(|charge| (0.0..=100.0).contains(&charge)), "{charge:?}");
    }
    if !said(&qx::vocabulary::variable::BATTERY_RUNTIME) {
        listing.remove("battery.runtime");
    }
}

pub fn show(which: Which, protocol: &str, state: &[&str], options: &str) -> Shown {
    let stage = Stage::new(which, protocol, state, options);
    std::thread::sleep(std::time::Duration::from_secs(5));
    stage.shown()
}

fn own_port(station: &NutStation, program: &str, option: &str) -> ProgramOutput {
    let ups = station.ups();
    let arguments: Vec<&str> = if program == "upsrw" { vec![&ups] } else { vec![option, &ups] };
    let mut said = station.run(program, &arguments);
    said.err = said.err.lines().filter(|line| !line.contains("SSL")).collect();
    said.out = of_the_ups(program, &said.out);
    said
}

/// Shows the same UPS by both drivers at once; `allowed` takes the listed differences out of
/// (NUT's, ours).
pub fn same(protocol: &str, state: &[&str], options: &str, allowed: impl FnOnce(&mut Shown, &mut Shown)) {
    let (mut nut, mut ours) = both(|which| show(which, protocol, state, options));
    allowed(&mut nut, &mut ours);
    same_listing(&format!("{protocol} {state:?}"), &nut, &ours);
}

/// Fails when two drivers show something else.
pub fn same_listing(what: &str, nut: &Shown, ours: &Shown) {
    for name in nut.listing.keys().chain(ours.listing.keys()).collect::<BTreeSet<_>>() {
        let (nut, ours) = (nut.listing.get(name), ours.listing.get(name));
        assert!(nearly(name, nut, ours), "{what}: {name}: NUT {nut:?}, ours {ours:?}");
    }
    assert_eq!(nut.commands, ours.commands, "{what}");
    assert_eq!(nut.settings, ours.settings, "{what}");
}

/// Readings of two simulated batteries drift apart a little while they are read.
pub fn nearly(name: &str, one: Option<&String>, other: Option<&String>) -> bool {
    let drifts = matches!(name, "battery.voltage" | "battery.charge" | "battery.runtime" | "ups.temperature");
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<f64>().ok());
    match (number(one), number(other)) {
        (Some(a), Some(b)) if drifts => (a - b).abs() <= 0.02 * a.abs().max(b.abs()).max(10.0),
        _ => one == other,
    }
}

/// How often both are looked at again while they differ: a busy machine is late.
const LOOKS: u32 = 4;

/// A driver of NUT and ours, each at work on a UPS of its own in the same state.
pub struct Pair {
    pub nut: Stage,
    pub ours: Stage,
}

impl Pair {
    pub fn new(nut: Which, protocol: &str, state: &[&str]) -> Pair {
        std::thread::scope(|scope| {
            let nut = scope.spawn(|| Stage::new(nut, protocol, state, ""));
            let ours = Stage::new(Which::Ours, protocol, state, "");
            Pair { nut: nut.join().expect("NUT's driver"), ours }
        })
    }

    /// Turns the knobs of both.
    pub fn turn(&self, knobs: &[&str]) {
        for knob in knobs {
            self.nut.ups.turn(knob);
            self.ours.ups.turn(knob);
        }
    }

    /// The lines in which ours differs, once both have had time to see what there is.
    pub fn differences(&self) -> Vec<String> {
        let mut found = vec![];
        for _ in 0..LOOKS {
            std::thread::sleep(std::time::Duration::from_secs(3));
            found = lines_that_differ(&self.nut.shown(), &self.ours.shown());
            if found.is_empty() {
                break;
            }
        }
        found
    }
}

/// Whether it is of the driver itself, and not of the UPS: newer drivers of NUT have it, and ours.
pub fn of_the_driver(name: &str) -> bool {
    listed("driver-commands");
    let own = ["driver.debug", "driver.flag.allow_killpower", "shutdown.default"];
    own.contains(&name) || ["driver.killpower", "driver.reload"].iter().any(|start| name.starts_with(start))
}

/// What a client prints, without what is of the driver itself.
pub fn of_the_ups(program: &str, out: &str) -> String {
    let name = |text: &str| text.trim_start_matches('[').split([' ', ']']).next().unwrap_or("").to_string();
    let (end, parts): (_, Vec<&str>) = match program {
        // a paragraph for each variable
        "upsrw" => ("\n\n", out.split("\n\n").collect()),
        _ => ("\n", out.lines().collect()),
    };
    let parts = parts.into_iter().filter(|part| !of_the_driver(&name(part)));
    parts.collect::<Vec<_>>().join(end).trim_end().into()
}

fn lines_that_differ(nut: &Shown, ours: &Shown) -> Vec<String> {
    let names: BTreeSet<&String> = nut.listing.keys().chain(ours.listing.keys()).collect();
    let mut found = vec![];
    for name in names {
        let (nut, ours) = (nut.listing.get(name), ours.listing.get(name));
        if !nearly(name, nut, ours) {
            let text =
                |value: Option<&String>| value.map_or("(nothing)".to_string(), |text| format!("'{text}'"));
            found.push(format!("{name}: NUT {}, ours {}", text(nut), text(ours)));
        }
    }
    for (what, nut, ours) in
        [("upscmd", &nut.commands, &ours.commands), ("upsrw", &nut.settings, &ours.settings)]
    {
        if nut != ours {
            let lines = |said: &ProgramOutput| said.out.lines().map(String::from).collect::<BTreeSet<_>>();
            let (nut, ours) = (lines(nut), lines(ours));
            found.extend(nut.difference(&ours).map(|line| format!("{what}: only NUT: {line}")));
            found.extend(ours.difference(&nut).map(|line| format!("{what}: only ours: {line}")));
        }
    }
    found
}
