//! Traps: what an agent sends unasked (RFC 1628, section "notifications"; coldStart: RFC 3418).

use crate::agent::Community;
use crate::message::{self, binding};
use crate::oid::Oid;
use crate::ups_mib::{OBJECTS, UPS_OBJECTS, UPS_TRAPS, ticks};
use crate::value::SnmpValue;
use crate::view::{ALARM_ID, ALARM_NAME, MibView, alarm_column};
use crate::watch::Notice;
use std::time::Duration;

const SYS_UP_TIME: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];
const SNMP_TRAP_OID: &[u32] = &[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];
const COLD_START: &[u32] = &[1, 3, 6, 1, 6, 3, 1, 1, 5, 1];

/// A trap of v2c. Behind what its definition has stands `upsIdentName`: agents of one host have one address. An object
/// without a value is left out.
pub fn trap(notice: &Notice, view: &MibView, community: &Community, id: i32, now: Duration) -> Vec<u8> {
    let mut bindings = binding(&Oid::new(SYS_UP_TIME), &SnmpValue::Ticks(ticks(now)));
    for (name, value) in objects(notice, view) {
        bindings.extend(binding(&name, &value));
    }
    message::trap(community.bytes(), id, &bindings)
}

/// What a notice says behind sysUpTime: snmpTrapOID first.
pub(crate) fn objects(notice: &Notice, view: &MibView) -> Vec<(Oid, SnmpValue)> {
    let (name, objects): (Oid, &[&str]) = match notice {
        Notice::ColdStart => (Oid::new(COLD_START), &[]),
        Notice::OnBattery => (
            Oid::below(UPS_TRAPS, &[1]),
            &["upsEstimatedMinutesRemaining", "upsSecondsOnBattery", "upsConfigLowBattTime"],
        ),
        Notice::TestCompleted => (
            Oid::below(UPS_TRAPS, &[2]),
            &[
                "upsTestId",
                "upsTestSpinLock",
                "upsTestResultsSummary",
                "upsTestResultsDetail",
                "upsTestStartTime",
                "upsTestElapsedTime",
            ],
        ),
        Notice::AlarmAdded(..) => (Oid::below(UPS_TRAPS, &[3]), &[]),
        Notice::AlarmRemoved(..) => (Oid::below(UPS_TRAPS, &[4]), &[]),
    };
    let mut all = vec![(Oid::new(SNMP_TRAP_OID), SnmpValue::Name(name))];
    if let Notice::AlarmAdded(index, alarm) | Notice::AlarmRemoved(index, alarm) = notice {
        let number = SnmpValue::Integer(i32::try_from(*index).unwrap_or(i32::MAX));
        all.push((alarm_column(ALARM_ID, *index), number));
        all.push((alarm_column(ALARM_NAME, *index), SnmpValue::Name(alarm.clone())));
    }
    for object in objects.iter().chain(&["upsIdentName"]) {
        let Some(row) = OBJECTS.iter().find(|row| row.name == *object) else { continue };
        let place = Oid::below(UPS_OBJECTS, row.place).with(0);
        match view.get(&place) {
            SnmpValue::NoSuchInstance | SnmpValue::NoSuchObject => {}
            value => all.push((place, value)),
        }
    }
    all
}
