//! All objects that one UPS has at a moment, in the order of the tree.

use crate::alarms;
use crate::oid::Oid;
use crate::ups_mib::{OBJECTS, UPS_MIB, UPS_OBJECTS, each_instance, text, ticks};
use crate::value::SnmpValue;
use crate::watch::UpsWatch;
use std::time::Duration;

/// What is known of a UPS now.
pub struct UpsFacts<'f> {
    /// Its name in `ups.conf`.
    pub name: &'f str,
    /// Its description there.
    pub description: Option<&'f str>,
    /// Who looks after it, as `qxups.toml` says; empty for none.
    pub contact: &'f str,
    /// Where it is, as `qxups.toml` says; empty for none.
    pub location: &'f str,
    /// The version of qxups.
    pub version: &'f str,
    /// Whether there is data. Without it no variable counts.
    pub is_fresh: bool,
    /// A client forces a shutdown.
    pub is_forced: bool,
    /// What a variable holds.
    pub variables: &'f dyn Fn(&str) -> Option<String>,
    /// What was seen of it so far.
    pub watch: &'f UpsWatch,
    /// Since the agent began.
    pub now: Duration,
}

impl UpsFacts<'_> {
    /// What a variable holds, where there is data.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        if self.is_fresh { (self.variables)(name).filter(|text| !text.is_empty()) } else { None }
    }

    /// The words of its status, with FSD where a client forces a shutdown; empty without data.
    pub(crate) fn words(&self) -> String {
        let words = self.variable("ups.status").unwrap_or_default();
        if self.is_forced && self.is_fresh { format!("FSD {words}") } else { words }
    }
}

/// `mib-2`, `system`.
const SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 1];
/// A service of the application layer.
const SYS_SERVICES: i32 = 64;
/// The columns of the alarm table.
const ALARM_TABLE: &[u32] = &[6, 2, 1];
pub(crate) const ALARM_ID: u32 = 1;
pub(crate) const ALARM_NAME: u32 = 2;
const ALARM_TIME: u32 = 3;

/// The objects of a UPS.
#[derive(Clone, Debug, Default)]
pub struct MibView {
    objects: Vec<(Oid, SnmpValue)>,
}

impl MibView {
    /// What there is now.
    pub fn of(facts: &UpsFacts<'_>) -> MibView {
        let mut objects = Vec::with_capacity(OBJECTS.len() + 16);
        let system = [
            SnmpValue::Text(description(facts)),
            // sysObjectID: by this managers know a UPS
            SnmpValue::Name(Oid::new(UPS_MIB)),
            SnmpValue::Ticks(ticks(facts.now)),
            text(facts.contact, 255),
            text(facts.name, 255),
            text(facts.location, 255),
            SnmpValue::Integer(SYS_SERVICES),
        ];
        objects.extend((1..).zip(system).map(|(number, value)| (Oid::below(SYSTEM, &[number, 0]), value)));
        for row in OBJECTS {
            each_instance(row, facts, |oid, value| objects.push((oid, value)));
        }
        for alarm in facts.watch.alarms() {
            let place = |column| alarm_column(column, alarm.id);
            objects.push((place(ALARM_NAME), SnmpValue::Name(alarms::name(alarm.alarm))));
            objects.push((place(ALARM_TIME), SnmpValue::Ticks(ticks(alarm.since))));
        }
        objects.sort_unstable_by(|one, another| one.0.cmp(&another.0));
        MibView { objects }
    }

    /// The value of an object.
    pub fn get(&self, name: &Oid) -> SnmpValue {
        match self.objects.binary_search_by(|(known, _)| known.cmp(name)) {
            Ok(at) => self.objects[at].1.clone(),
            Err(_) if is_object(name) => SnmpValue::NoSuchInstance,
            Err(_) => SnmpValue::NoSuchObject,
        }
    }

    /// The object behind a name, and its value; the same name where none follows.
    pub fn next(&self, name: &Oid) -> (Oid, SnmpValue) {
        let at = self.objects.partition_point(|(known, _)| known <= name);
        self.objects.get(at).cloned().unwrap_or_else(|| (name.clone(), SnmpValue::EndOfView))
    }

    /// All names, in the order of the tree.
    pub fn names(&self) -> impl Iterator<Item = &Oid> {
        self.objects.iter().map(|(name, _)| name)
    }
}

/// An object of a row of the alarm table.
pub(crate) fn alarm_column(column: u32, id: u32) -> Oid {
    Oid::below(&[UPS_OBJECTS, ALARM_TABLE].concat(), &[column, id])
}

fn description(facts: &UpsFacts<'_>) -> String {
    let unit: Vec<String> =
        ["ups.mfr", "ups.model"].into_iter().filter_map(|name| facts.variable(name)).collect();
    let unit = if unit.is_empty() { "UPS".into() } else { unit.join(" ") };
    let said = match facts.description {
        Some(description) => format!("{unit} ({description}), served by qxups {}", facts.version),
        None => format!("{unit}, served by qxups {}", facts.version),
    };
    match text(&said, 255) {
        SnmpValue::Text(text) => text,
        _ => String::new(),
    }
}

/// Whether an object of that name can have a value.
fn is_object(name: &Oid) -> bool {
    let parts = name.parts();
    let in_system = matches!(parts.strip_prefix(SYSTEM), Some([1..=7, ..]));
    let Some(below) = parts.strip_prefix(UPS_OBJECTS) else { return in_system };
    let in_alarms = matches!(below.strip_prefix(ALARM_TABLE), Some([ALARM_NAME | ALARM_TIME, ..]));
    in_alarms || OBJECTS.iter().any(|row| below.starts_with(row.place))
}
