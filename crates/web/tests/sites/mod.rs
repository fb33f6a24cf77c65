//! A fleet that a test writes down, and requests to it.
#![allow(dead_code)]

use std::cell::RefCell;
use std::time::Duration;
use web::view::{
    DataState, EnergyCounts, ExchangeCounts, FleetView, HistoryView, ServerView, UpsView, VariableView,
};
use web::{Asked, PageAnswer, PageSource, Place, Whole, answer, unit_of};

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
        let mut rack = ups("rack", DataState::Fresh, &USUAL);
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
        }
    }

    pub fn text(&self, target: &str) -> String {
        body(&self.get(target))
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
        ups.description = Some(format!("Rack {number}"));
        ups
    };
    Static::of((0..count).map(one).collect())
}
