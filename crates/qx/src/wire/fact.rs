//! Facts: what is known of one UPS so far, and conditions on it.
//!
//! Several queries may speak of the same variable. Then what is asked again counts more than what
//! was asked once; of two that are asked again the later row of the table, and of two that are asked
//! once the earlier one. (So it comes out in NUT, which writes later rows over earlier ones, but at
//! its start leaves alone what is there.)

use crate::vocabulary::flag::Flags;
use crate::vocabulary::status::{Alarm, StatusSet};
use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::Var;
use crate::wire::query::{Cadence, Query};
use crate::wire::readings::Readings;
use crate::wire::when::When;

/// What is known of one UPS.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// Queries and what was read from them, what counts more behind what counts less.
    heard: Vec<(&'static Query, &'a Readings)>,
    /// The flags that were given.
    pub flags: Flags,
}

impl<'a> Facts<'a> {
    /// The facts from the last accepted readings, in the order of the table.
    pub fn new(
        heard: impl DoubleEndedIterator<Item = (&'static Query, &'a Readings)> + Clone,
        flags: Flags,
    ) -> Facts<'a> {
        let once = |query: &Query| query.cadence == Cadence::Once;
        let asked_once = heard.clone().rev().filter(|(query, _)| once(query));
        let asked_again = heard.filter(|(query, _)| !once(query));
        Facts { heard: asked_once.chain(asked_again).collect(), flags }
    }

    /// Facts from one set of readings.
    pub fn of(query: &'static Query, readings: &'a Readings, flags: Flags) -> Facts<'a> {
        Facts { heard: vec![(query, readings)], flags }
    }

    /// What counts less, before what counts more.
    pub fn heard(&self) -> impl Iterator<Item = (&'static Query, &'a Readings)> {
        self.heard.iter().copied()
    }

    /// What the UPS says of `var`.
    pub fn value(&self, var: &Var) -> Option<&'a Value> {
        self.heard.iter().rev().find_map(|(_, readings)| readings.value(var))
    }
    /// The text it says of `var`.
    pub fn text(&self, var: &Var) -> Option<&'a str> {
        match self.value(var)? {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }
    /// The number it says of `var`.
    pub fn number(&self, var: &Var) -> Option<Decimal> {
        self.value(var).and_then(Value::number)
    }
    /// The same as a binary number.
    pub fn f64(&self, var: &Var) -> Option<f64> {
        self.number(var).map(Decimal::as_f64)
    }
    /// Status words and alarms, before they are settled.
    pub fn words(&self) -> Raised {
        let mut raised = Raised::default();
        for (_, readings) in &self.heard {
            raised.status = raised.status.or(readings.status);
            raised.covers = raised.covers.or(readings.covers);
            raised.alarms.extend(readings.alarms.iter().copied());
        }
        raised
    }
}

/// Status words and alarms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raised {
    /// The words.
    pub status: StatusSet,
    /// The words of which it is known whether they are there.
    pub covers: StatusSet,
    /// The alarms.
    pub alarms: Vec<Alarm>,
}

impl When {
    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            When::Always => true,
            When::With(flag) => facts.flags.has(*flag),
            When::Without(flag) => !facts.flags.has(*flag),
            When::Known(var) => facts.value(var).is_some(),
            When::Unknown(var) => facts.value(var).is_none(),
            When::Is(var, words) => facts.text(var).is_some_and(|text| words.contains(&text)),
            When::IsNot(var, words) => facts.text(var).is_some_and(|text| !words.contains(&text)),
            When::Has(status) => facts.words().status.has(*status),
            When::Both(all) => all.iter().all(|when| when.holds(facts)),
        }
    }
}

/// A value that follows from others.
#[derive(Debug)]
pub struct Derived {
    /// The variable.
    pub var: &'static Var,
    /// How it follows, for the reference.
    pub about: &'static str,
    /// The text that is published.
    pub from: fn(&Facts) -> Option<String>,
}
