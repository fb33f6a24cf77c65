//! Orders of a life, each with a number that no other has: what clients heard of them against what units say of them.

use super::truth::{Origin, Truth};
use super::unit::{number, outcome_word};
use crate::site::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::upsd::random::Chance;

/// An order, and what was heard of it.
#[derive(Debug)]
pub struct Given {
    number: String,
    section: String,
    /// The units that the section had when it was asked, and when that was answered.
    meant: Vec<String>,
    /// No reload was under way meanwhile.
    is_settled: bool,
    asked: Instant,
    answer: String,
    id: Option<String>,
    outcome: Option<String>,
}

/// All orders of a life.
pub struct Orders {
    client: Client,
    pub given: Vec<Given>,
}

fn serial(truth: &Truth, name: &str) -> Option<String> {
    match truth.section(name)?.origin {
        Origin::Unit(unit) => Some(unit.serial.clone()),
        Origin::Driven(_) => None,
    }
}

impl Orders {
    /// Gives orders until the life ends.
    pub fn give(truth: &Arc<Truth>, mut chance: Chance) -> Orders {
        let mut client = Client::new(truth.port).user("admin", "secret");
        assert_eq!(client.ask("SET TRACKING ON"), "OK");
        let mut orders = Orders { client, given: vec![] };
        while !truth.ends() {
            std::thread::sleep(Duration::from_millis(20 + chance.below(150) as u64));
            let names = truth.names();
            let section = names[chance.below(names.len())].clone();
            // a reload waits for those that are under way
            let is_driven = matches!(truth.section(&section).map(|s| s.origin), Some(Origin::Driven(_)));
            if !is_driven || chance.below(10) == 0 {
                orders.give_one(truth, section, chance.below(2) == 0);
            }
            orders.look();
        }
        orders
    }

    fn give_one(&mut self, truth: &Truth, section: String, sets: bool) {
        let number = format!("o{}", number());
        let (epoch, before) = (truth.epoch(), serial(truth, &section));
        let is_driven = matches!(truth.section(&section).map(|s| s.origin), Some(Origin::Driven(_)));
        let line = match (is_driven, sets) {
            (true, _) => format!("INSTCMD {section} beeper.toggle"),
            (_, true) => format!("SET VAR {section} ups.id {number}"),
            (_, false) => format!("INSTCMD {section} test.panel.start {number}"),
        };
        let asked = Instant::now();
        let answer = self.client.ask(&line);
        let id = answer.strip_prefix("OK TRACKING ").map(String::from);
        let meant = [before, serial(truth, &section)].into_iter().flatten().collect();
        let is_settled = truth.is_still(epoch);
        self.given.push(Given { number, section, meant, is_settled, asked, answer, id, outcome: None });
    }

    fn look(&mut self) {
        let Orders { client, given } = self;
        for order in given.iter_mut().filter(|order| order.outcome.is_none()) {
            let Some(id) = &order.id else { continue };
            let outcome = client.ask(&format!("GET TRACKING {id}"));
            order.outcome = (outcome != "PENDING").then_some(outcome);
        }
    }

    /// Holds what was heard against what units say. `replaced` says whether a reload took a unit away.
    pub fn judge(mut self, truth: &Truth) {
        let until = Instant::now() + Duration::from_secs(6);
        let mut wrong = vec![];
        // an answer that is on its way has time to come
        while Instant::now() < until {
            self.look();
            wrong = self.given.iter().filter_map(|order| self.wrong(order, truth)).collect();
            if wrong.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        wrong.into_iter().for_each(|what| truth.fault(what));
    }

    fn wrong(&self, order: &Given, truth: &Truth) -> Option<String> {
        if order.meant.is_empty() {
            return None;
        }
        let units = truth.units.lock().unwrap().clone();
        let came: Vec<(String, Option<u8>)> = units
            .values()
            .flat_map(|unit| {
                let codes = unit.orders().remove(&order.number).unwrap_or_default();
                codes.into_iter().map(|code| (unit.serial.clone(), code))
            })
            .collect();
        let is = |what: &str| Some(format!("{what}: {order:?}; it came to {came:?}"));
        if came.len() > 1 {
            return is("done more than once");
        }
        if order.is_settled && came.first().is_some_and(|(serial, _)| !order.meant.contains(serial)) {
            return is("done to another UPS");
        }
        if order.id.is_none() {
            let is_refusal = order.answer.starts_with("ERR ");
            return if !is_refusal {
                is("no answer")
            } else if came.is_empty() {
                None
            } else {
                is("refused and done")
            };
        }
        let code = came.first().and_then(|(_, code)| *code);
        let last = order.meant.last().and_then(|serial| units.get(serial))?;
        let is_kept = serial(truth, &order.section).as_ref() == Some(&last.serial)
            && order.meant.iter().all(|s| *s == last.serial);
        // that a server has gone is seen at the next poll
        let since = order.asked - Duration::from_secs(3);
        let is_calm = order.is_settled && is_kept && !last.was_troubled_since(since);
        match (order.outcome.as_deref(), code) {
            (Some("ERR FAILED"), Some(3)) => None,
            (Some("ERR FAILED"), _) if is_calm => is("failed without a reason"),
            (Some("ERR FAILED"), _) => None,
            (Some(outcome), Some(code)) if outcome == outcome_word(code) => None,
            (Some(_), _) => is("the outcome is not what the UPS said"),
            // its driver says nothing of it
            (None, _) if came.first().is_some_and(|(_, code)| code.is_none()) => None,
            (None, _) => is("no outcome"),
        }
    }

    /// How often a UPS that is driven here was asked for its beeper, and how often that was done.
    pub fn toggles(&self) -> (usize, usize) {
        let driven = || self.given.iter().filter(|order| order.meant.is_empty());
        let done = driven().filter(|order| order.outcome.as_deref() == Some("SUCCESS"));
        (driven().filter(|order| order.id.is_some()).count(), done.count())
    }
}
