//! `/metrics`: every UPS, by the rules of Prometheus and OpenMetrics: base units, and no sample of what is not known.

use super::FLAGS;
use super::exposition::{Exposition, Kind, MetricsFormat, labels_of, metric_name};
use crate::number::{number, plain};
use crate::view::{
    DataState, ExpectedState, FleetView, PROTECTION_PHASES, ProtectedGroupView, ServerView, UpsView,
    VariableView,
};
use qx::vocabulary::variable::Unit;
use std::collections::HashMap;
use std::time::Duration;

/// All metrics of the server and its fleet.
pub fn own(fleet: &FleetView, format: MetricsFormat) -> String {
    let mut text = Exposition::new(format);
    of_server(fleet, &mut text);
    of_protection(fleet, &mut text);
    of_states(fleet, &mut text);
    of_identities(fleet, &mut text);
    of_status(fleet, &mut text);
    of_exchanges(fleet, &mut text);
    of_energy(fleet, &mut text);
    of_values(fleet, &mut text);
    text.end()
}

fn of_server(fleet: &FleetView, text: &mut Exposition) {
    let server = &fleet.server;
    text.family("qxups_build", Kind::Info, "", "The version of qxups.");
    text.sample("qxups_build_info", &[("version", server.version)], "1");
    text.family("qxups_clients", Kind::Gauge, "", "Clients of the NUT protocol that are connected.");
    text.sample("qxups_clients", &[], &server.clients.to_string());
    text.family("qxups_http_requests", Kind::Counter, "", "HTTP requests by outcome.");
    let answers = server.answers;
    for (outcome, count) in [("ok", answers.good), ("refused", answers.refused), ("failed", answers.failed)] {
        text.sample("qxups_http_requests_total", &[("outcome", outcome)], &count.to_string());
    }
    text.family("qxups_http_connections", Kind::Gauge, "", "HTTP connections that are open.");
    text.sample("qxups_http_connections", &[], &server.connections.to_string());
    text.family(
        "qxups_http_connections_dropped",
        Kind::Counter,
        "",
        "HTTP connections that were turned away or dropped to make room.",
    );
    text.sample("qxups_http_connections_dropped_total", &[], &server.dropped_connections.to_string());
    of_history(server, text);
    let Some(process) = server.process else { return };
    text.family("process_resident_memory_bytes", Kind::Gauge, "bytes", "Resident memory of the server.");
    text.sample("process_resident_memory_bytes", &[], &process.resident_bytes.to_string());
    text.family("process_cpu_seconds", Kind::Counter, "seconds", "Processor time of the server.");
    text.sample("process_cpu_seconds_total", &[], &plain(process.cpu_s));
    text.family("process_open_fds", Kind::Gauge, "", "Files that the server has open.");
    text.sample("process_open_fds", &[], &process.open_files.to_string());
}

fn of_history(server: &ServerView, text: &mut Exposition) {
    let Some(history) = server.history else { return };
    text.family("qxups_history_up", Kind::Gauge, "", "Whether the disk takes the history.");
    text.sample("qxups_history_up", &[], if history.is_written { "1" } else { "0" });
    text.family("qxups_history_commits", Kind::Counter, "", "Commits to the history by outcome.");
    for (outcome, count) in [("ok", history.written), ("failed", history.failed)] {
        text.sample("qxups_history_commits_total", &[("outcome", outcome)], &count.to_string());
    }
    let help = "Rows and events that are missing in the history, as the disk did not take them.";
    text.family("qxups_history_lost", Kind::Counter, "", help);
    text.sample("qxups_history_lost_total", &[], &history.lost.to_string());
}

/// Of protection as its own state: what stages are shown is no word of a UPS.
fn of_protection(fleet: &FleetView, text: &mut Exposition) {
    let Some(protection) = &fleet.server.protection else { return };
    let flag = |is: bool| if is { "1" } else { "0" };
    text.family("qxups_protection_armed", Kind::Gauge, "", "Whether protection does anything.");
    text.sample("qxups_protection_armed", &[], flag(protection.is_armed));
    text.family(
        "qxups_protection_phase",
        Kind::Gauge,
        "",
        "The phase of a group's course: 1 for that it is in.",
    );
    for group in &protection.groups {
        for phase in PROTECTION_PHASES {
            let labels = [("group", group.name.as_str()), ("phase", phase)];
            text.sample("qxups_protection_phase", &labels, flag(group.phase == phase));
        }
    }
    let counts: [(&str, &str, fn(&ProtectedGroupView) -> String); 3] = [
        ("qxups_protection_supplies", "Supplies of a group that live.", |group| group.supplies.to_string()),
        ("qxups_protection_supplies_needed", "Supplies that have to live.", |group| group.needed.to_string()),
        ("qxups_protection_hosts_down", "Hosts that went down and are not back.", |group| {
            group.down.to_string()
        }),
    ];
    for (name, help, count) in counts {
        text.family(name, Kind::Gauge, "", help);
        for group in &protection.groups {
            text.sample(name, &[("group", &group.name)], &count(group));
        }
    }
    if let Some(works) = protection.host_works {
        let help = "Whether the server's own host could be shut down.";
        text.family("qxups_protection_host_works", Kind::Gauge, "", help);
        text.sample("qxups_protection_host_works", &[], flag(works));
    }
    if !protection.secondaries.is_empty() {
        let help = "Whether a secondary that is expected is logged in.";
        text.family("qxups_protection_secondary_up", Kind::Gauge, "", help);
        for (name, state) in &protection.secondaries {
            let is_up = *state == ExpectedState::LoggedIn;
            text.sample("qxups_protection_secondary_up", &[("secondary", name)], flag(is_up));
        }
    }
}

fn of_states(fleet: &FleetView, text: &mut Exposition) {
    let flag = |is: bool| if is { "1" } else { "0" };
    if fleet.upses.is_empty() {
        return;
    }
    text.family(
        "qxups_up",
        Kind::Gauge,
        "",
        "Whether there is fresh data of the UPS; while it is 0 there are no values.",
    );
    for ups in &fleet.upses {
        text.sample("qxups_up", &[("ups", &ups.name)], flag(ups.state == DataState::Fresh));
    }
    text.family(
        "qxups_driver_connected",
        Kind::Gauge,
        "",
        "Whether a driver watches the UPS, with fresh data or without.",
    );
    for ups in &fleet.upses {
        text.sample(
            "qxups_driver_connected",
            &[("ups", &ups.name)],
            flag(ups.state != DataState::NotConnected),
        );
    }
    if fleet.upses.iter().any(|ups| ups.age.is_some()) {
        let help = "How long ago the UPS said last whether mains is there.";
        text.family("qxups_data_age_seconds", Kind::Gauge, "seconds", help);
        for ups in &fleet.upses {
            if let Some(age) = ups.age {
                text.sample("qxups_data_age_seconds", &[("ups", &ups.name)], &seconds(age));
            }
        }
    }
}

/// Milliseconds are enough.
fn seconds(age: Duration) -> String {
    plain(Duration::from_millis(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)).as_secs_f64())
}

fn fresh(fleet: &FleetView) -> impl Iterator<Item = &UpsView> + Clone {
    fleet.upses.iter().filter(|ups| ups.state == DataState::Fresh)
}

fn of_identities(fleet: &FleetView, text: &mut Exposition) {
    if fresh(fleet).next().is_none() {
        return;
    }
    text.family("qxups_ups", Kind::Info, "", "What the UPS says of itself.");
    for ups in fresh(fleet) {
        let first =
            |names: &[&str]| names.iter().find_map(|name| ups.text(name)).unwrap_or_default().to_string();
        let labels = [
            ("ups", ups.name.clone()),
            ("description", ups.description.clone().unwrap_or_default()),
            ("manufacturer", first(&["device.mfr", "ups.mfr"])),
            ("model", first(&["device.model", "ups.model"])),
            ("serial", first(&["device.serial", "ups.serial"])),
            ("firmware", first(&["ups.firmware"])),
            ("driver", first(&["driver.name"])),
        ];
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        text.sample("qxups_ups_info", &labels, "1");
    }
}

fn of_status(fleet: &FleetView, text: &mut Exposition) {
    let with_status = fresh(fleet).filter(|ups| ups.text("ups.status").is_some());
    if with_status.clone().next().is_none() {
        return;
    }
    text.family("qxups_status", Kind::Gauge, "", "Whether the status of the UPS has this word of NUT.");
    for ups in with_status {
        let (words, labels) = (ups.words(), labels_of(&[("ups", &ups.name)]));
        let start = labels.trim_end_matches('}');
        for flag in FLAGS {
            let value = if words.contains(&flag) { "1" } else { "0" };
            for part in ["qxups_status", start, ",flag=\"", flag, "\"} ", value, "\n"] {
                text.out.push_str(part);
            }
        }
    }
}

fn of_exchanges(fleet: &FleetView, text: &mut Exposition) {
    if fleet.upses.iter().all(|ups| ups.exchanges.is_none()) {
        return;
    }
    let help = "Questions to the UPS since its session began: answered by a whole reply, or lost or garbled.";
    text.family("qxups_exchanges", Kind::Counter, "", help);
    for ups in &fleet.upses {
        let Some(exchanges) = ups.exchanges else { continue };
        for (result, count) in [("ok", exchanges.whole), ("bad", exchanges.bad)] {
            let labels = [("ups", ups.name.as_str()), ("result", result)];
            text.sample("qxups_exchanges_total", &labels, &count.to_string());
        }
    }
}

/// Of UPSes that are away the counter stays as it was: nothing is added to it.
fn of_energy(fleet: &FleetView, text: &mut Exposition) {
    let counts = fleet.upses.iter().filter_map(|ups| ups.energy.map(|energy| (ups, energy)));
    let samples = counts.flat_map(|(ups, energy)| {
        [("said", energy.said_wh), ("computed", energy.computed_wh)].map(|(source, wh)| (ups, source, wh))
    });
    let samples: Vec<_> = samples.filter(|(.., wh)| *wh > 0.0).collect();
    if samples.is_empty() {
        return;
    }
    let help = "Energy that the load took since the history counts it: by the power that the UPS says, or by one that was computed.";
    text.family("qxups_energy_joules", Kind::Counter, "joules", help);
    for (ups, source, wh) in samples {
        let labels = [("ups", ups.name.as_str()), ("source", source)];
        text.sample("qxups_energy_joules_total", &labels, &plain((wh * 3600.0).round()));
    }
}

/// How a unit is written at the end of a name, and by what a value is divided for it.
fn base_unit(unit: Unit) -> Option<(&'static str, f64)> {
    Some(match unit {
        Unit::None => return None,
        Unit::Volt => ("volts", 1.0),
        Unit::Ampere => ("amperes", 1.0),
        Unit::Hertz => ("hertz", 1.0),
        Unit::Percent => ("ratio", 100.0),
        Unit::Celsius => ("celsius", 1.0),
        Unit::Second => ("seconds", 1.0),
        Unit::Watt => ("watts", 1.0),
        Unit::VoltAmpere => ("voltamperes", 1.0),
    })
}

/// All samples of one name.
struct Family {
    name: String,
    unit: &'static str,
    divisor: f64,
    help: String,
    samples: String,
    /// Which UPS has a sample already: two of NUT's names may be one here.
    last: usize,
}

/// Numbers with a unit.
fn of_values(fleet: &FleetView, text: &mut Exposition) {
    let mut families: Vec<Family> = vec![];
    // which family a name of NUT belongs to, so that each is made once
    let mut places: HashMap<&str, Option<usize>> = HashMap::new();
    for (at, ups) in fresh(fleet).enumerate() {
        let labels = labels_of(&[("ups", &ups.name)]);
        for variable in ups.live() {
            let Some(value) = number(&variable.text) else { continue };
            let place = *places.entry(&variable.name).or_insert_with(|| place(variable, &mut families));
            let Some(family) = place.and_then(|place| families.get_mut(place)) else { continue };
            if family.last == at {
                continue;
            }
            family.last = at;
            // 57 % is 0.57, not 0.5700000000000001
            let value = match family.divisor {
                1.0 => value,
                divisor => (value / divisor * 1e9).round() / 1e9,
            };
            for part in [family.name.as_str(), &labels, " ", &plain(value), "\n"] {
                family.samples.push_str(part);
            }
        }
    }
    families.sort_by(|one, other| one.name.cmp(&other.name));
    // a name that stands above already would be there twice
    for family in families.iter().filter(|family| family.name != "qxups_data_age_seconds") {
        text.family(&family.name, Kind::Gauge, family.unit, &family.help);
        text.out.push_str(&family.samples);
    }
}

/// Where the family of a variable is; new where it is the first of its name. None without a unit.
fn place(variable: &VariableView, families: &mut Vec<Family>) -> Option<usize> {
    let (unit, divisor) = base_unit(variable.unit)?;
    let short = variable.name.strip_prefix("ups.").unwrap_or(&variable.name);
    let name = format!("qxups_{}_{unit}", metric_name(short));
    if let Some(known) = families.iter().position(|family| family.name == name) {
        return Some(known);
    }
    let help = format!("{} (NUT: {}).", variable.about, variable.name).trim_start().to_string();
    families.push(Family { name, unit, divisor, help, samples: String::new(), last: usize::MAX });
    Some(families.len() - 1)
}
