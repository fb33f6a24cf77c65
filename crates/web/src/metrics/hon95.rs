//! `/nut?target=NAME`: the names of HON95's prometheus-nut-exporter 1.2.1 (its metrics.md and src/metrics.rs).

use super::exposition::{Exposition, Kind, MetricsFormat, labels_of};
use crate::number::{number, plain};
use crate::view::{DataState, UpsView};

/// How a value becomes a number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Same,
    Ratio,
    Beeper,
    /// The first word of the status: `nut_status`, which dashboards of earlier versions ask for.
    Status,
}

use Form::{Beeper, Ratio, Same, Status};

/// Metric, NUT's variable, form.
const METRICS: &[(&str, &str, Form)] = &[
    ("nut_status", "ups.status", Status),
    ("nut_beeper_status", "ups.beeper.status", Beeper),
    ("nut_uptime_seconds", "device.uptime", Same),
    ("nut_load", "ups.load", Ratio),
    ("nut_temperature_celsius", "ups.temperature", Same),
    ("nut_delay_shutdown_seconds", "ups.delay.shutdown", Same),
    ("nut_delay_start_seconds", "ups.delay.start", Same),
    ("nut_battery_charge", "battery.charge", Ratio),
    ("nut_battery_charge_low", "battery.charge.low", Ratio),
    ("nut_battery_charge_warning", "battery.charge.warning", Ratio),
    ("nut_battery_charge_restart", "battery.charge.restart", Ratio),
    ("nut_battery_runtime_seconds", "battery.runtime", Same),
    ("nut_battery_runtime_low_seconds", "battery.runtime.low", Same),
    ("nut_battery_runtime_restart_seconds", "battery.runtime.restart", Same),
    ("nut_battery_voltage_volts", "battery.voltage", Same),
    ("nut_battery_voltage_nominal_volts", "battery.voltage.nominal", Same),
    ("nut_battery_voltage_high_volts", "battery.voltage.high", Same),
    ("nut_battery_voltage_low_volts", "battery.voltage.low", Same),
    ("nut_battery_temperature_celsius", "battery.temperature", Same),
    ("nut_input_voltage_volts", "input.voltage", Same),
    ("nut_input_voltage_nominal_volts", "input.voltage.nominal", Same),
    ("nut_input_voltage_minimum_volts", "input.voltage.minimum", Same),
    ("nut_input_voltage_maximum_volts", "input.voltage.maximum", Same),
    ("nut_input_transfer_low_volts", "input.transfer.low", Same),
    ("nut_input_transfer_high_volts", "input.transfer.high", Same),
    ("nut_input_current_amperes", "input.current", Same),
    ("nut_input_current_nominal_amperes", "input.current.nominal", Same),
    ("nut_input_frequency_hertz", "input.frequency", Same),
    ("nut_input_frequency_nominal_hertz", "input.frequency.nominal", Same),
    ("nut_input_frequency_low_hertz", "input.frequency.low", Same),
    ("nut_input_frequency_high_hertz", "input.frequency.high", Same),
    ("nut_output_voltage_volts", "output.voltage", Same),
    ("nut_output_voltage_nominal_volts", "output.voltage.nominal", Same),
    ("nut_output_voltage_minimum_volts", "output.voltage.minimum", Same),
    ("nut_output_voltage_maximum_volts", "output.voltage.maximum", Same),
    ("nut_output_current_amperes", "output.current", Same),
    ("nut_output_current_nominal_amperes", "output.current.nominal", Same),
    ("nut_output_frequency_hertz", "output.frequency", Same),
    ("nut_output_frequency_nominal_hertz", "output.frequency.nominal", Same),
    ("nut_output_frequency_low_hertz", "output.frequency.low", Same),
    ("nut_output_frequency_high_hertz", "output.frequency.high", Same),
    ("nut_power_watts", "ups.power", Same),
    ("nut_power_nominal_watts", "ups.power.nominal", Same),
    ("nut_real_power_watts", "ups.realpower", Same),
    ("nut_real_power_nominal_watts", "ups.realpower.nominal", Same),
    ("nut_battery_volts", "battery.voltage", Same),
    ("nut_input_volts", "input.voltage", Same),
    ("nut_output_volts", "output.voltage", Same),
];

/// The words of `nut_ups_status`.
const FLAGS: [&str; 11] = ["OL", "OB", "LB", "CHRG", "RB", "FSD", "BYPASS", "SD", "CP", "BOOST", "OFF"];

/// The metrics of these UPSes; those without fresh data have none.
pub fn hon95<'v>(upses: impl Iterator<Item = &'v UpsView>, version: &str, format: MetricsFormat) -> String {
    let mut text = Exposition::new(format);
    let fresh: Vec<&UpsView> = upses.filter(|ups| ups.state == DataState::Fresh).collect();
    for (name, help) in [
        ("nut_exporter_info", "Metadata about the exporter."),
        ("nut_server_info", "Metadata about the NUT server."),
    ] {
        text.family(name, Kind::Gauge, "", help);
        text.sample(name, &[("version", version)], "1");
    }
    if fresh.is_empty() {
        return text.end();
    }
    text.family("nut_ups_info", Kind::Gauge, "", "Metadata about the UPS.");
    fresh.iter().for_each(|ups| info(ups, &mut text));
    text.family("nut_ups_status", Kind::Gauge, "", "Whether the status of the UPS has this word.");
    for ups in &fresh {
        let words = ups.words();
        for flag in FLAGS.iter().filter(|_| !words.is_empty()) {
            let value = if words.contains(flag) { "1" } else { "0" };
            text.sample("nut_ups_status", &[("ups", &ups.name), ("status", flag)], value);
        }
    }
    for (metric, variable, form) in METRICS {
        let mut samples = String::new();
        for ups in &fresh {
            let Some(value) = ups.text(variable).and_then(|value| formed(*form, value, ups)) else {
                continue;
            };
            samples.push_str(&format!("{metric}{} {}\n", labels_of(&[("ups", &ups.name)]), plain(value)));
        }
        if !samples.is_empty() {
            text.family(metric, Kind::Gauge, "", &format!("NUT: {variable}."));
            text.out.push_str(&samples);
        }
    }
    text.end()
}

fn info(ups: &UpsView, text: &mut Exposition) {
    let of = |name: &str| ups.text(name).unwrap_or_default();
    let labels = [
        ("ups", ups.name.as_str()),
        ("description", ups.description.as_deref().unwrap_or_default()),
        ("description2", of("device.description")),
        ("location", of("device.location")),
        ("type", of("device.type")),
        ("manufacturer", of("device.mfr")),
        ("model", of("device.model")),
        ("battery_type", of("battery.type")),
        ("driver", of("driver.name")),
    ];
    text.sample("nut_ups_info", &labels, "1");
}

fn formed(form: Form, value: &str, ups: &UpsView) -> Option<f64> {
    match form {
        Same => number(value),
        Ratio => number(value).map(|percent| (percent / 100.0 * 1e9).round() / 1e9),
        Beeper => Some(match value {
            "enabled" => 1.0,
            "disabled" => 2.0,
            "muted" => 3.0,
            _ => 0.0,
        }),
        // low battery counts more than on battery, wherever it stands
        Status => Some(match ups.words() {
            words if words.contains(&"LB") && words.contains(&"OB") => 3.0,
            words if words.contains(&"OB") => 2.0,
            words if words.contains(&"OL") => 1.0,
            _ => 0.0,
        }),
    }
}
