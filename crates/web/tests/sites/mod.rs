//! A fleet that a test writes down, and requests to it.
#![allow(dead_code)]

use std::cell::RefCell;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use web::view::{
    DataState, EnergyCounts, ExchangeCounts, FleetView, HistoryView, ServerView, UpsView, VariableView,
};
use web::{
    Asked, PageAnswer, PageSource, Past, PastEnergy, PastOutage, PastPoint, PastSeries, Place, SourcedNumber,
    SpanEnergy, VARIABLES, Whole, answer, past_answer, unit_of,
};

pub fn ups(name: &str, state: DataState, variables: &[(&str, &str)]) -> UpsView {
    let mut ups = UpsView::new(name, state);
    ups.age = Some(Duration::from_millis(1500));
    let variable = |(name, text): &(&str, &str)| VariableView {
        name: (*name).to_string().into(),
        text: (*text).into(),
        unit: unit_of(name),
        about: "",
        age: Some(Duration::from_secs(3)),
    };
    ups.set_variables(variables.iter().map(variable).collect());
    ups
}

pub const USUAL: [(&str, &str); 9] = [
    ("battery.charge", "57"),
    ("battery.runtime", "1320"),
    ("device.mfr", "Ma\"ker\\"),
    ("device.model", "A 1000"),
    ("input.voltage", "231.4"),
    ("ups.beeper.status", "enabled"),
    ("ups.load", "23"),
    ("ups.status", "OL CHRG"),
    ("ups.temperature", "31.5"),
];

pub struct Static(pub RefCell<FleetView>);

impl Static {
    pub fn of(upses: Vec<UpsView>) -> Static {
        let history = Some(HistoryView { is_written: true, written: 7, failed: 2, lost: 1 });
        let server = ServerView { version: "0.1.0", clients: 3, history, ..ServerView::default() };
        Static(RefCell::new(FleetView { upses, server }))
    }

    /// One in each state, and one whose every text is hostile.
    pub fn usual() -> Static {
        let evil = "<script>alert(1)</script>\"'&\n\r\u{0}\u{2028}";
        let mut hostile = ups(
            "<script>alert(1)</script>",
            DataState::Fresh,
            &[(evil, evil), ("ups.mfr", evil), ("ups.status", "OL <b>")],
        );
        hostile.description = Some(evil.into());
        hostile.commands = vec![evil.into()];
        hostile.has_history = true;
        let mut rack = ups("rack", DataState::Fresh, &USUAL);
        rack.has_history = true;
        rack.energy = Some(EnergyCounts { said_wh: 1.5, computed_wh: 0.0 });
        rack.exchanges = Some(ExchangeCounts { whole: 120, bad: 2 });
        rack.commands = vec!["beeper.toggle".into(), "test.battery.start".into()];
        Static::of(vec![
            rack,
            ups("cellar", DataState::Stale, &USUAL),
            ups("attic", DataState::NotConnected, &USUAL),
            hostile,
        ])
    }

    pub fn get(&self, target: &str) -> Whole {
        self.get_as(target, None)
    }

    pub fn get_as(&self, target: &str, accept: Option<&str>) -> Whole {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let asked = Asked {
            method: "GET",
            path,
            query,
            host: Some("localhost"),
            accept,
            known: None,
            has_body: false,
        };
        match answer(&asked, &Place::default(), self) {
            PageAnswer::Whole(whole) => whole,
            PageAnswer::Events(_) => panic!("{target} is events"),
            PageAnswer::Past(ask) => past_answer(&ask, self, Ok(past())),
        }
    }

    pub fn text(&self, target: &str) -> String {
        body(&self.get(target))
    }
}

/// A day of all variables, half of it said and half computed, with a gap of three hours, and outages of every kind.
pub fn past() -> Past {
    const NOW_S: i64 = 1_772_373_900;
    let from_s = NOW_S - 86_400;
    let series = VARIABLES.iter().enumerate().map(|(at, (variable, ..))| {
        let point = |number: i64| {
            let mean = 200.0 + (number % 17) as f64;
            PastPoint {
                at_s: from_s + number * 300,
                span_s: 300,
                lowest: mean - 1.5,
                mean,
                highest: mean + 1.5,
                samples: 30,
            }
        };
        let points = (0..288).filter(|number| !(100..136).contains(number)).map(point).collect();
        PastSeries { variable, is_said: at % 2 == 0, points }
    });
    let outage = |at: i64| PastOutage {
        begin_ms: (NOW_S - at) * 1000,
        end_ms: Some((NOW_S - at + 600) * 1000),
        length: Duration::from_secs(600),
        begin_seen: true,
        all_seen: true,
        charge_before: Some(100.0),
        lowest_charge: Some(SourcedNumber { value: 75.0, is_said: true }),
        lowest_voltage: Some(SourcedNumber { value: 24.1, is_said: true }),
        mean_load: Some(SourcedNumber { value: 23.0, is_said: true }),
        energy_wh: Some(SourcedNumber { value: 50.0, is_said: false }),
        ..PastOutage::default()
    };
    let computed = |value| Some(SourcedNumber { value, is_said: false });
    let partly = PastOutage {
        all_seen: false,
        begin_seen: false,
        battery_low: true,
        lowest_voltage: computed(24.1),
        mean_load: computed(23.0),
        ..outage(40_000)
    };
    let lasting = PastOutage { end_ms: None, all_seen: false, ..outage(600) };
    let span = |wh| SpanEnergy { wh, seen_s: 80_000 };
    let energy = PastEnergy {
        is_said: false,
        wh: 12_345.6,
        since_ms: 951_782_400_000,
        day: span(240.0),
        month: span(7200.0),
    };
    Past {
        now_s: NOW_S,
        from_s,
        to_s: NOW_S,
        begin_s: from_s - 86_400,
        series: series.collect(),
        outages: vec![outage(80_000), partly, lasting],
        energy: vec![energy],
    }
}

pub fn body(whole: &Whole) -> String {
    String::from_utf8(whole.body.to_vec()).unwrap()
}

impl PageSource for Static {
    fn fleet(&self) -> FleetView {
        self.0.borrow().clone()
    }
}

/// So many UPSes with forty variables each, no two alike.
pub fn many(count: usize) -> Static {
    let one = |number: usize| {
        let volts = format!("{}.{}", 220 + number % 20, number % 10);
        let (charge, load) = ((number % 101).to_string(), (number % 90).to_string());
        let mut variables = vec![
            ("battery.charge", charge.as_str()),
            ("battery.runtime", "1320"),
            ("battery.voltage", "27.30"),
            ("input.frequency", "50.0"),
            ("input.voltage", &volts),
            ("output.voltage", &volts),
            ("ups.load", &load),
            ("ups.status", if number % 50 == 0 { "OB DISCHRG" } else { "OL" }),
            ("ups.temperature", "31.5"),
        ];
        let names: Vec<String> = (0..31).map(|number| format!("outlet.{number}.current")).collect();
        variables.extend(names.iter().map(|name| (name.as_str(), "1.25")));
        let mut ups = ups(&format!("ups{number}"), DataState::Fresh, &variables);
        ups.has_history = true;
        ups.description = Some(format!("Rack {number}"));
        ups
    };
    Static::of((0..count).map(one).collect())
}

/// So many bytes it is in gzip.
pub fn compressed(bytes: &[u8]) -> usize {
    let mut gzip =
        Command::new("gzip").args(["-9", "-c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = gzip.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writes = std::thread::spawn(move || to.write_all(&bytes).unwrap());
    let size = gzip.wait_with_output().unwrap().stdout.len();
    writes.join().unwrap();
    size
}
