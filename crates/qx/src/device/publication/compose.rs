//! From readings to the store. What is published is a function of the last reading of each query
//! (and of the battery bookkeeping), so nothing that the UPS does not say any more stays behind.

use super::reckoning::{BothReckoned, Figures, Reckoned};
use super::snapshot::Snapshot;
use super::trust::{Trust, Word};
use crate::device::battery::{BatteryFacts, PublishedEstimate, RatedBank};
use crate::device::control::DEAD_VOLTS;
use crate::device::nut_estimate::Inputs;
use crate::device::store::Access;
use crate::device::timing::STANDS_IN_AFTER;
use crate::device::{Device, LogLevel, Moment};
use crate::judge::GRAVE;
use crate::vocabulary::status::{Status, StatusSet, alarm_text};
use crate::vocabulary::value::Value;
use crate::vocabulary::variable::*;
use crate::wire::fact::Raised;
use crate::wire::protocol::Protocol;
use crate::wire::readings::Readings;
use crate::wire::setting::{Choice, Setting};
use battery::UpsIdentity;
use std::collections::BTreeMap;

/// By these a UPS is told from others.
const IDENTITY: [&Var; 10] = [
    &DEVICE_MFR,
    &DEVICE_MODEL,
    &DEVICE_SERIAL,
    &UPS_MFR,
    &UPS_MODEL,
    &UPS_SERIAL,
    &INPUT_VOLTAGE_NOMINAL,
    &INPUT_CURRENT_NOMINAL,
    &BATTERY_VOLTAGE_NOMINAL,
    &UPS_POWER_NOMINAL,
];

/// What the last readings come to by themselves. It is made anew when one of them changes, see
/// [`Device::readings_changed`]; clock and battery come to it with each poll.
#[derive(Debug)]
pub(super) struct Composed {
    snapshot: Snapshot,
    pub(super) raised: Raised,
    inputs: Inputs,
    known: BatteryFacts,
    charge_is_configured: bool,
    runtime_is_configured: bool,
    /// The charge is made of the volts by a table of the dialect: a guess.
    charge_is_derived: bool,
    /// What charge and runtime of the UPS are worth in this outage.
    reckoned: BothReckoned,
    /// What came to it when it was written down last.
    shown: Option<(Raised, PublishedEstimate)>,
}

/// What numbers of a status do not change: the variables that are published, and what clients may set.
/// (So do the commands; they stand in the store.)
#[derive(Debug)]
pub(super) struct Outline {
    vars: Vec<&'static Var>,
    choices: Vec<(&'static str, Choice)>,
}

impl Device {
    /// Publishes what is known; false, and nothing is published, while it is not known whether mains is there.
    pub(in crate::device) fn publish(&mut self, now: Moment) -> bool {
        if self.holds_back() {
            return false;
        }
        let mut said = self.publication.said.take().unwrap_or_else(|| self.say());
        if !said.raised.covers.has(Status::Online) {
            self.publication.said = Some(said);
            return false;
        }
        let mut raised = said.raised.clone();
        self.weigh(&mut raised);
        self.note_status(raised.status, now);
        said.reckoned = self.reckon(&said, raised.status, now);
        let estimate = self.estimate(&said, raised.status, now);
        let on_mains = raised.status.has(Status::Online) && !raised.status.has(Status::Calibrating);
        let shown = said.shown.as_ref();
        // the same again; on battery there are bounds to be watched, and nothing stays the same anyway
        if on_mains && shown.is_some_and(|(was, then)| *was == raised && *then == estimate) {
            debug_assert_eq!(
                said.snapshot,
                self.snapshot().0,
                "a reading changed, and readings_changed was not called"
            );
        } else {
            self.show(&said, &raised, &estimate, now);
            said.shown = Some((raised, estimate));
        }
        self.publication.said = Some(said);
        true
    }

    /// Takes note of whether the UPS is on battery, or says something that makes hosts halt.
    fn note_status(&mut self, status: StatusSet, now: Moment) {
        let alert = !status.has(Status::Online) || GRAVE.iter().any(|word| status.has(*word));
        if self.schedule.note_status(alert, now) {
            self.ask_related(now);
        }
    }

    /// A reading changed, or what is made of it: nothing made of it before counts any more.
    pub(in crate::device) fn readings_changed(&mut self) {
        self.publication.readings_changed();
    }

    /// More than numbers of a status changed: what is asked of this UPS, and what it offers, may be another.
    pub(in crate::device) fn words_changed(&mut self) {
        self.publication.words_changed();
    }

    /// Whether the readings say whether mains is there.
    pub(in crate::device) fn says_mains(&mut self) -> bool {
        let said = self.publication.said.take().unwrap_or_else(|| self.say());
        let is_known = said.raised.covers.has(Status::Online);
        self.publication.said = Some(said);
        is_known
    }

    /// Whether what is published of a variable is the UPS's own word: no estimate, nothing that was computed, nor what
    /// the administrator wrote. None while it is not known what the last readings come to.
    pub fn is_said(&self, name: &str) -> Option<bool> {
        let said = self.publication.said.as_ref()?;
        let is_derived =
            |protocol: &Protocol| protocol.derived.iter().any(|derived| derived.var.name == name);
        let is_changed = self.options.overrides.iter().any(|(changed, _)| changed == name)
            || self.options.one_pack && name == BATTERY_VOLTAGE.name
            || self.protocol.is_some_and(is_derived);
        Some(said.snapshot.has(name) && !is_changed)
    }

    /// What the UPS says, with the battery's estimates, goes into the store.
    fn show(&mut self, said: &Composed, raised: &Raised, estimate: &PublishedEstimate, now: Moment) {
        let Raised { status, alarms, .. } = raised;
        let (status, mut snapshot) = (*status, said.snapshot.clone());
        self.fill_in(&mut snapshot, said, status.has(Status::Online), estimate);
        self.show_bounds(&mut snapshot);
        let trust = said.trust(status.has(Status::Online), estimate);
        let packs = if self.options.one_pack { estimate.packs } else { 1.0 };
        let bank = estimate.bank.map(|bank| RatedBank { times: bank.times / packs, ..bank });
        let by_bounds = self.is_low_by_bounds(&snapshot, trust, bank, status, now);
        let status =
            if by_bounds && !self.options.ignorelb { status.with(Status::LowBattery) } else { status };
        let mut text = status.without(Status::LowBattery).published(!alarms.is_empty());
        let low = if self.options.ignorelb {
            by_bounds || self.low_by_values(&snapshot, trust)
        } else {
            status.has(Status::LowBattery)
        };
        self.tell_of_ignored_lb(&snapshot, trust, status, low);
        if low {
            text = if self.options.ignorelb { text + " LB" } else { status.published(!alarms.is_empty()) };
        }
        snapshot.put(&UPS_STATUS, Value::Text(text));
        if let Some(text) = alarm_text(alarms) {
            snapshot.put(&UPS_ALARM, Value::Text(text));
        }
        self.write_down(snapshot);
    }

    /// What the UPS says, and what follows from it.
    fn snapshot(&self) -> (Snapshot, Raised) {
        let mut snapshot = Snapshot::default();
        let Some(protocol) = self.protocol else { return (snapshot, Raised::default()) };
        protocol.fixed.iter().for_each(|(var, text)| snapshot.put(var, Value::text(*text)));
        let facts = self.shown_facts();
        if self.is_two_units() {
            // of which unit a number would be is not known
            return (Snapshot::default(), protocol.raised(&facts));
        }
        for (query, readings) in facts.heard() {
            let said = readings.values.iter().filter_map(|(var, value)| Some((*var, value.as_ref()?)));
            let public = said.filter(|(var, _)| var.public);
            public.for_each(|(var, value)| snapshot.put(var, value.to_places(query.places(var))));
        }
        if let Some(serial) = snapshot.value(&UPS_SERIAL).cloned() {
            snapshot.fill(&DEVICE_SERIAL, || serial);
        }
        for derived in protocol.derived {
            if let Some(text) = (derived.from)(&facts) {
                snapshot.put_text(derived.var, text);
            }
        }
        (snapshot, protocol.raised(&facts))
    }

    /// The defaults that the UPS does not replace, and the overrides.
    pub(super) fn configured(&self, snapshot: &Snapshot) -> BTreeMap<String, String> {
        let missing = |(name, _): &&(String, String)| !snapshot.has(name);
        let defaults = self.options.defaults.iter().filter(missing);
        let mut configured: BTreeMap<String, String> =
            defaults.chain(&self.options.overrides).cloned().collect();
        // the former names stand for the new ones as well (NUT 2.8.0 drivers/main.c)
        for (old, new) in
            [("ups.mfr", "device.mfr"), ("ups.model", "device.model"), ("ups.serial", "device.serial")]
        {
            if let Some(text) = configured.get(old).cloned() {
                configured.insert(new.into(), text);
            }
        }
        configured
    }

    /// What the readings come to, and what the battery's estimates start from.
    pub(super) fn say(&self) -> Composed {
        let (snapshot, raised) = self.snapshot();
        let configured = self.configured(&snapshot);
        let text = |var: &Var| configured.get(var.name).cloned().or_else(|| snapshot.text(var));
        let number = |var: &Var| number(&configured, &snapshot, var).filter(|number| number.is_finite());
        let inputs = Inputs {
            voltage: number(&BATTERY_VOLTAGE),
            nominal: number(&BATTERY_VOLTAGE_NOMINAL),
            low: number(&BATTERY_VOLTAGE_LOW),
            high: number(&BATTERY_VOLTAGE_HIGH),
            packs: number(&BATTERY_PACKS),
            load_percent: number(&UPS_LOAD),
            charge: number(&BATTERY_CHARGE),
            online: false,
        };
        let names: Vec<_> = IDENTITY.iter().filter_map(|var| Some((var.name, snapshot.text(var)?))).collect();
        let known = BatteryFacts {
            runtime: number(&BATTERY_RUNTIME),
            kind: [&BATTERY_TYPE, &DEVICE_MODEL, &UPS_MODEL]
                .map(|var| text(var).unwrap_or_default())
                .join(" "),
            unit: UpsIdentity::new(names.iter().map(|(name, text)| (*name, text.as_str()))),
            by_hand: [&BATTERY_VOLTAGE_LOW, &BATTERY_VOLTAGE_HIGH]
                .iter()
                .all(|var| configured.contains_key(var.name)),
            temperature: number(&BATTERY_TEMPERATURE),
            tests: false,
            powers: number(&OUTPUT_VOLTAGE).is_none_or(|volts| volts >= DEAD_VOLTS),
        };
        let charge_is_configured = configured.contains_key(BATTERY_CHARGE.name);
        let runtime_is_configured = configured.contains_key(BATTERY_RUNTIME.name);
        let derives = |var: &Var| self.protocol.is_some_and(|protocol| protocol.derives(var));
        let charge_is_derived =
            derives(&BATTERY_CHARGE) && self.shown_facts().value(&BATTERY_CHARGE).is_none();
        Composed {
            snapshot,
            raised,
            inputs,
            known,
            charge_is_configured,
            runtime_is_configured,
            charge_is_derived,
            reckoned: BothReckoned::default(),
            shown: None,
        }
    }

    /// What charge and runtime that the UPS says are worth.
    fn reckon(&mut self, said: &Composed, status: StatusSet, now: Moment) -> BothReckoned {
        let figures = Figures {
            volts: said.inputs.voltage,
            charge: said.inputs.charge.filter(|_| !said.charge_is_configured && !said.charge_is_derived),
            runtime: said.known.runtime.filter(|_| !said.runtime_is_configured),
        };
        let reckoning = &mut self.publication.reckoning;
        if status.has(Status::Online) {
            reckoning.on_mains(figures, status.has(Status::Calibrating));
            return BothReckoned::default();
        }
        reckoning.on_battery(figures, now)
    }

    fn estimate(&mut self, said: &Composed, status: StatusSet, now: Moment) -> PublishedEstimate {
        let inputs = Inputs { online: status.has(Status::Online), charge: said.charge(), ..said.inputs };
        let known = BatteryFacts {
            runtime: said.runtime(inputs.online),
            tests: status.has(Status::Calibrating),
            powers: said.known.powers && !status.has(Status::Off),
            ..said.known.clone()
        };
        let estimate = self.battery.estimate(&inputs, &known, now);
        let notes = std::mem::take(&mut self.battery.notes);
        for (level, text) in notes {
            match level {
                LogLevel::Warning => self.note(level, text),
                _ => self.note_of_question(level, text),
            }
        }
        estimate
    }

    /// Writes down what is estimated where the UPS says nothing.
    fn fill_in(&self, snapshot: &mut Snapshot, said: &Composed, online: bool, estimate: &PublishedEstimate) {
        let inputs = &said.inputs;
        let runtime = said.runtime(online);
        if runtime.is_none() && !said.runtime_is_configured {
            snapshot.remove(&BATTERY_RUNTIME);
        }
        let knows_charge = said.reckoned.charge != Reckoned::Unknown;
        if !knows_charge {
            snapshot.remove(&BATTERY_CHARGE);
        }
        // while it is not known who answers, nothing stands in for what was not asked yet
        if !self.is_proven() || self.is_two_units() {
            return;
        }
        // what the UPS says itself is not replaced by an estimate for the while in which a reply is lost
        let said_lately = |var: &Var| {
            self.schedule.slots().iter().any(|slot| {
                let is_open = slot.answered > Moment::ZERO || slot.due.is_some() && !slot.refused;
                let lately = is_open && self.clock < slot.answered + STANDS_IN_AFTER;
                // (one that says that it does not know it has said so)
                let says = |reading: &Readings| reading.values.iter().any(|(said, _)| *said == var);
                let is_missing = !slot.reading.as_ref().is_some_and(says);
                lately && is_missing && slot.applies && slot.query.speaks_of(var)
            })
        };
        let mut fill = |var: &'static Var, number: Option<f64>| {
            let number = number.filter(|number| number.is_finite());
            if let Some(number) = number.filter(|_| snapshot.value(var).is_none() && !said_lately(var)) {
                snapshot.fill(var, || Value::written(format!("{number:.*}", usize::from(var.places))));
            }
        };
        let needed = inputs.charge.is_none() || runtime.is_none();
        if needed && (inputs.low.is_none() || inputs.high.is_none()) {
            fill(&BATTERY_VOLTAGE_LOW, estimate.bounds.map(|(low, _)| low));
            fill(&BATTERY_VOLTAGE_HIGH, estimate.bounds.map(|(_, high)| high));
        }
        // a charge that the UPS does not know yet it says soon
        fill(&BATTERY_CHARGE, estimate.charge.filter(|_| knows_charge));
        fill(&BATTERY_RUNTIME, estimate.runtime_s);
        fill(&EXPERIMENTAL_BATTERY_HEALTH, estimate.health_percent);
        if let Some(word) = estimate.confidence {
            snapshot.fill(&EXPERIMENTAL_BATTERY_HEALTH_CONFIDENCE, || Value::text(word));
        }
        if let Some(voltage) = inputs.voltage.filter(|_| self.options.one_pack) {
            snapshot.put(&BATTERY_VOLTAGE, Value::written(format!("{:.2}", voltage * estimate.packs)));
        }
    }

    /// `ignorelb`: the battery is low by charge or runtime, as in NUT. That charge is NUT's, whose line between
    /// two voltages falls with them; a runtime that is guessed by the model counts for nothing.
    fn low_by_values(&self, snapshot: &Snapshot, trust: Trust) -> bool {
        let configured = self.configured(snapshot);
        let number = |var: &Var| number(&configured, snapshot, var);
        let below = |value: &Var, bound: &Var| {
            number(value).zip(number(bound)).is_some_and(|(value, bound)| value.trunc() < bound.trunc())
        };
        below(&BATTERY_CHARGE, &BATTERY_CHARGE_LOW)
            || trust.runtime.is_some() && below(&BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW)
    }

    /// Says once in an outage that `ignorelb` ignores LB, and that nothing else says when the battery is low.
    fn tell_of_ignored_lb(&mut self, snapshot: &Snapshot, trust: Trust, status: StatusSet, low: bool) {
        if status.has(Status::Online) {
            self.publication.said_ignored_lb = false;
            return;
        }
        let configured = self.configured(snapshot);
        let has = |var: &Var| number(&configured, snapshot, var).is_some();
        let pairs = [
            (&BATTERY_CHARGE, &BATTERY_CHARGE_LOW, true),
            (&BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW, trust.runtime.is_some()),
        ];
        let is_known = pairs.iter().any(|(value, bound, counts)| *counts && has(value) && has(bound));
        let ignores = self.options.ignorelb && status.has(Status::LowBattery) && !low && !is_known;
        if ignores && !std::mem::replace(&mut self.publication.said_ignored_lb, true) {
            let text = "the UPS says that its battery is low, ignorelb ignores that, and neither battery.charge nor battery.runtime is known, so LB is not published: remove ignorelb from ups.conf";
            self.note(LogLevel::Warning, text.into());
        }
    }

    /// What clients may write.
    fn choices(&self) -> Vec<(&'static str, Choice)> {
        let facts = self.facts();
        let said = |setting: &&Setting| setting.var.public && facts.value(setting.var).is_some();
        self.settings().filter(said).filter_map(|row| Some((row.var.name, row.choice(&facts)?))).collect()
    }

    /// The names of the commands that are offered, each once.
    fn command_names(&self) -> Vec<&'static str> {
        let facts = self.facts();
        let mut names = vec![];
        for command in self.offered(&facts).filter(|command| command.name.contains('.')) {
            if !names.contains(&command.name) {
                names.push(command.name);
            }
        }
        names
    }

    /// Writes the snapshot and what is configured into the store: removes what is gone, sets what is there.
    fn write_down(&mut self, snapshot: Snapshot) {
        let mut configured = self.configured(&snapshot);
        let same = self.publication.outline.take().filter(|outline| outline.vars.iter().eq(snapshot.vars()));
        let anew = same.is_none();
        let outline = same.unwrap_or_else(|| {
            self.forget_unsaid(&snapshot, &configured);
            Outline { vars: snapshot.vars().copied().collect(), choices: self.choices() }
        });
        debug_assert_eq!(
            outline.choices,
            self.choices(),
            "a choice changed, and words_changed was not called"
        );
        for (var, said) in snapshot.0 {
            let value = configured.remove(var.name).map_or(said, Value::Text);
            if self.control.is_delay(var.name) {
                continue;
            }
            let choice = outline.choices.iter().find(|(name, _)| *name == var.name);
            let choice = choice.filter(|_| !self.overridden(var.name));
            let access = choice.map_or(Access::Read, |(_, choice)| Access::Write(choice.clone()));
            self.store.set_value(var, value, access);
        }
        for (name, text) in configured {
            if !self.control.is_delay(&name) {
                self.store.set(name, text);
            }
        }
        debug_assert!(anew || self.store.offers(&self.command_names()), "a command, and no words_changed");
        if anew {
            let names = self.command_names();
            self.store.set_commands(names);
        }
        self.publication.outline = Some(outline);
    }

    /// Removes the variables of a UPS that are not said any more, by whomever they were.
    fn forget_unsaid(&mut self, snapshot: &Snapshot, configured: &BTreeMap<String, String>) {
        let said =
            |name: &str| snapshot.has(name) || configured.contains_key(name) || self.control.is_delay(name);
        // the driver says the kind of device where the dialect does not
        let stays = |name: &str| said(name) || !is_published(name) || name == DEVICE_TYPE.name;
        let unsaid = self.store.entries().map(|(name, _)| name).filter(|name| !stays(name));
        for name in unsaid.map(String::from).collect::<Vec<_>>() {
            self.store.remove(&name);
        }
    }
}

/// The number that is shown of a variable: what is configured stands for what the UPS says.
pub(super) fn number(configured: &BTreeMap<String, String>, snapshot: &Snapshot, var: &Var) -> Option<f64> {
    match configured.get(var.name) {
        Some(text) => text.trim().parse().ok(),
        None => snapshot.value(var)?.as_f64(),
    }
}

impl Composed {
    /// Whose word the charge and the runtime are.
    fn trust(&self, online: bool, estimate: &PublishedEstimate) -> Trust {
        let whose = |said: bool, known: bool| match (said, known) {
            (true, _) => Some(Word::Said),
            (false, true) => Some(Word::Estimated),
            (false, false) => None,
        };
        let charge = self.charge_is_configured || self.charge().is_some();
        let runtime = self.runtime_is_configured || self.runtime(online).is_some();
        let is_evidence =
            self.charge_is_configured || self.reckoned.charge == Reckoned::Yes && !self.charge_is_derived;
        Trust {
            charge: whose(charge, estimate.trusts_charge).filter(|_| is_evidence),
            runtime: whose(runtime, estimate.trusts_runtime),
            reckoned: self.reckoned,
            is_at_its_end: estimate.is_at_its_end,
        }
    }

    /// The charge that the UPS says, once it knows it.
    fn charge(&self) -> Option<f64> {
        self.inputs.charge.filter(|_| self.reckoned.charge != Reckoned::Unknown)
    }

    /// The runtime that the UPS says: on mains, and where an outage begins, that nothing is left means that it does not
    /// know.
    fn runtime(&self, online: bool) -> Option<f64> {
        let knows = self.reckoned.runtime != Reckoned::Unknown;
        self.known.runtime.filter(|seconds| *seconds > 0.0 || !online && knows)
    }
}
