//! From readings to the store. What is published is a function of the last reading of each query
//! (and of the battery bookkeeping), so nothing that the UPS does not say any more stays behind.

use super::battery::Known;
use super::order::DEAD_VOLTS;
use super::{Device, Moment};
use crate::fact::Raised;
use crate::guess::Inputs;
use crate::option::Options;
use crate::query::{Effect, Meaning, Query};
use crate::quirk::INVERTED_REGULATION;
use crate::read::Readings;
use crate::setting::{Choice, Setting};
use crate::status::{Status, StatusSet, alarm_text};
use crate::variable::*;
use std::collections::BTreeMap;

/// What is published. So few that looking through them is the quickest.
#[derive(Debug, Default)]
pub(super) struct Sheet(Vec<(&'static Var, String)>);

impl Sheet {
    pub(super) fn text(&self, var: &Var) -> Option<&str> {
        self.0.iter().find(|(there, _)| *there == var).map(|(_, text)| text.as_str())
    }

    /// Writes it, in place of what stands there.
    pub(super) fn put(&mut self, var: &'static Var, text: String) {
        match self.0.iter_mut().find(|(there, _)| *there == var) {
            Some((_, there)) => *there = text,
            None => self.0.push((var, text)),
        }
    }

    /// Writes it where nothing stands.
    pub(super) fn fill(&mut self, var: &'static Var, text: impl FnOnce() -> String) {
        if self.text(var).is_none() {
            self.0.push((var, text()));
        }
    }

    fn remove(&mut self, var: &Var) {
        self.0.retain(|(there, _)| *there != var);
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(there, _)| there.name == name)
    }
}

impl Device {
    pub(super) fn publish(&mut self, now: Moment) {
        let (mut sheet, mut raised) = self.sheet();
        self.weigh(&mut raised);
        let Raised { status, alarms } = raised;
        let configured = self.configured(&sheet);
        self.estimate(&mut sheet, &configured, status, now);
        self.show_bounds(&mut sheet);
        let by_bounds = self.is_low_by_bounds(&sheet, status, now);
        let status =
            if by_bounds && !self.options.ignorelb { status.with(Status::LowBattery) } else { status };
        let mut text = status.without(Status::LowBattery).published(!alarms.is_empty());
        let low = if self.options.ignorelb {
            by_bounds || self.low_by_values(&sheet)
        } else {
            status.has(Status::LowBattery)
        };
        if low {
            text = if self.options.ignorelb { text + " LB" } else { status.published(!alarms.is_empty()) };
        }
        sheet.put(&UPS_STATUS, text);
        if let Some(text) = alarm_text(&alarms) {
            sheet.put(&UPS_ALARM, text);
        }
        self.write_down(sheet);
    }

    /// What the UPS says, and what follows from it.
    fn sheet(&self) -> (Sheet, Raised) {
        let mut sheet = Sheet::default();
        let Some(protocol) = self.protocol else { return (sheet, Raised::default()) };
        protocol.fixed.iter().for_each(|(var, text)| sheet.put(var, (*text).to_string()));
        let facts = self.facts();
        for (query, readings) in facts.heard() {
            let said = readings.values.iter().filter_map(|(var, value)| Some((*var, value.as_ref()?)));
            let public = said.filter(|(var, _)| var.public);
            public.for_each(|(var, value)| sheet.put(var, value.published(query.places(var))));
        }
        if let Some(serial) = sheet.text(&UPS_SERIAL).map(String::from) {
            sheet.fill(&DEVICE_SERIAL, || serial);
        }
        for derived in protocol.derived {
            if let Some(text) = (derived.from)(&facts) {
                sheet.put(derived.var, text);
            }
        }
        (sheet, protocol.raised(&facts))
    }

    /// The defaults that the UPS does not replace, and the overrides.
    pub(super) fn configured(&self, sheet: &Sheet) -> BTreeMap<String, String> {
        let missing = |(name, _): &&(String, String)| !sheet.has(name);
        let defaults = self.options.defaults.iter().filter(missing);
        let mut configured: BTreeMap<String, String> =
            defaults.chain(&self.options.overrides).cloned().collect();
        // the names of old stand for the new ones as well (NUT 2.8.0 drivers/main.c)
        for (old, new) in
            [("ups.mfr", "device.mfr"), ("ups.model", "device.model"), ("ups.serial", "device.serial")]
        {
            if let Some(text) = configured.get(old).cloned() {
                configured.insert(new.into(), text);
            }
        }
        configured
    }

    fn estimate(
        &mut self,
        sheet: &mut Sheet,
        configured: &BTreeMap<String, String>,
        status: StatusSet,
        now: Moment,
    ) {
        let text = |var: &Var| configured.get(var.name).map(String::as_str).or_else(|| sheet.text(var));
        let number = |var: &Var| {
            text(var).and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite())
        };
        let inputs = Inputs {
            voltage: number(&BATTERY_VOLTAGE),
            nominal: number(&BATTERY_VOLTAGE_NOMINAL),
            low: number(&BATTERY_VOLTAGE_LOW),
            high: number(&BATTERY_VOLTAGE_HIGH),
            packs: number(&BATTERY_PACKS),
            load_percent: number(&UPS_LOAD),
            charge: number(&BATTERY_CHARGE),
            online: status.has(Status::Online),
        };
        let known = Known {
            // nothing is left on mains: the UPS does not know
            runtime: number(&BATTERY_RUNTIME).filter(|seconds| *seconds > 0.0 || !inputs.online),
            kind: [&BATTERY_TYPE, &DEVICE_MODEL, &UPS_MODEL]
                .map(|var| text(var).unwrap_or_default())
                .join(" "),
            by_hand: [&BATTERY_VOLTAGE_LOW, &BATTERY_VOLTAGE_HIGH]
                .iter()
                .all(|var| configured.contains_key(var.name)),
            temperature: number(&BATTERY_TEMPERATURE),
            tests: status.has(Status::Calibrating),
            powers: !status.has(Status::Off)
                && number(&OUTPUT_VOLTAGE).is_none_or(|volts| volts >= DEAD_VOLTS),
        };
        if known.runtime.is_none() && !configured.contains_key(BATTERY_RUNTIME.name) {
            sheet.remove(&BATTERY_RUNTIME);
        }
        let estimate = self.battery.estimate(&inputs, &known, now);
        let notes = std::mem::take(&mut self.battery.notes);
        notes.into_iter().for_each(|(loudness, text)| self.note(loudness, text));
        let mut fill = |var: &'static Var, number: Option<f64>| {
            if let Some(number) = number.filter(|number| number.is_finite()) {
                sheet.fill(var, || format!("{number:.*}", usize::from(var.places)));
            }
        };
        let needed = inputs.charge.is_none() || known.runtime.is_none();
        if needed && (inputs.low.is_none() || inputs.high.is_none()) {
            fill(&BATTERY_VOLTAGE_LOW, estimate.bounds.map(|(low, _)| low));
            fill(&BATTERY_VOLTAGE_HIGH, estimate.bounds.map(|(_, high)| high));
        }
        fill(&BATTERY_CHARGE, estimate.charge);
        fill(&BATTERY_RUNTIME, estimate.runtime_s);
        fill(&EXPERIMENTAL_BATTERY_HEALTH, estimate.health_percent);
        if let Some(word) = estimate.confidence {
            sheet.fill(&EXPERIMENTAL_BATTERY_HEALTH_CONFIDENCE, || word.into());
        }
        if let Some(voltage) = inputs.voltage.filter(|_| self.options.one_pack) {
            sheet.put(&BATTERY_VOLTAGE, format!("{:.2}", voltage * estimate.packs));
        }
    }

    /// `ignorelb`: the battery is low by charge or runtime, as in NUT.
    fn low_by_values(&self, sheet: &Sheet) -> bool {
        let configured = self.configured(sheet);
        let number = |var: &Var| -> Option<f64> {
            configured.get(var.name).map(String::as_str).or_else(|| sheet.text(var))?.trim().parse().ok()
        };
        let below = |value: &Var, bound: &Var| {
            number(value).zip(number(bound)).is_some_and(|(value, bound)| value.trunc() < bound.trunc())
        };
        below(&BATTERY_CHARGE, &BATTERY_CHARGE_LOW) || below(&BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW)
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

    /// Writes the sheet and what is configured into the store: removes what is gone, sets what is there.
    fn write_down(&mut self, sheet: Sheet) {
        let mut configured = self.configured(&sheet);
        let mut choices = self.choices();
        self.forget_unsaid(&sheet, &configured);
        for (var, said) in sheet.0 {
            let text = configured.remove(var.name).unwrap_or(said);
            if self.is_delay(var.name) {
                continue;
            }
            let choice = choices.iter().position(|(name, _)| *name == var.name).map(|at| choices.remove(at));
            match choice.filter(|_| !self.overridden(var.name)) {
                Some((_, choice)) => self.store.set_writable(var.name, text, choice),
                None => self.store.set(var.name, text),
            }
        }
        for (name, text) in configured {
            if !self.is_delay(&name) {
                self.store.set(name, text);
            }
        }
        let names = self.command_names();
        self.store.set_commands(names);
    }

    /// Removes the variables of a UPS that are not said any more, by whomever they were.
    fn forget_unsaid(&mut self, sheet: &Sheet, configured: &BTreeMap<String, String>) {
        let said = |name: &str| sheet.has(name) || configured.contains_key(name) || self.is_delay(name);
        // the driver says the kind of device where the dialect does not
        let stays = |name: &str| said(name) || !is_published(name) || name == DEVICE_TYPE.name;
        let unsaid = self.store.entries().map(|(name, _)| name).filter(|name| !stays(name));
        for name in unsaid.map(String::from).collect::<Vec<_>>() {
            self.store.remove(&name);
        }
    }

    /// A delay is the driver's own: what it will tell the UPS.
    fn is_delay(&self, name: &str) -> bool {
        self.delays.iter().any(|(delay, _)| delay.var.name == name)
    }
}

impl Readings {
    /// Takes out what the bits say that an option mutes.
    pub(super) fn mute(&mut self, query: &Query, options: &Options) {
        if self.covers.has(Status::Regulating) && options.quirks.has(&INVERTED_REGULATION) {
            let regulates = self.status.has(Status::Regulating);
            let [with, without] =
                [self.status.with(Status::Regulating), self.status.without(Status::Regulating)];
            self.status = if regulates { without } else { with };
        }
        for field in query.fields {
            let Meaning::Bits(rows) = field.meaning else { continue };
            for row in rows.iter().filter(|row| row.unless.is_some_and(|flag| options.has(flag))) {
                match row.one {
                    Effect::Set(status) => self.status = self.status.without(status),
                    Effect::Clear(status) if self.covers.has(status) => {
                        self.status = self.status.with(status)
                    }
                    Effect::Alarm(alarm) => self.alarms.retain(|raised| *raised != alarm),
                    Effect::Clear(_)
                    | Effect::Says(..)
                    | Effect::Regulating
                    | Effect::All(_)
                    | Effect::Nothing => {}
                }
            }
        }
    }
}
