//! `/ups_metrics?ups=NAME`: the names of DRuggeri's nut_exporter 3.2.5 (its README and collectors/nut_collector.go): NUT's own
//! names with a prefix, numbers as NUT has them.

use super::exposition::{Exposition, Kind, MetricsFormat, metric_name};
use crate::number::{number, plain};
use crate::view::UpsView;
use std::collections::BTreeSet;

const PREFIX: &str = "network_ups_tools";
/// `--nut.statuses` as it is by default.
const FLAGS: [&str; 15] = [
    "OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS", "CAL", "OFF", "OVER", "TRIM", "BOOST", "FSD",
    "SD",
];
/// The labels of its device_info.
const DEVICE: [&str; 9] =
    ["model", "mfr", "serial", "type", "description", "contact", "location", "part", "macaddr"];

/// The metrics of one UPS.
pub fn druggeri(ups: &UpsView, format: MetricsFormat) -> String {
    let mut text = Exposition::new(format);
    let name = ups.name.as_str();
    let info = format!("{PREFIX}_device_info");
    text.family(&info, Kind::Gauge, "", "UPS Device information");
    let values = DEVICE.map(|label| ups.text(&format!("device.{label}")).unwrap_or_default());
    let mut labels: Vec<(&str, &str)> = DEVICE.into_iter().zip(values).collect();
    labels.push(("ups", name));
    text.sample(&info, &labels, "1");
    let words = ups.words();
    if !words.is_empty() {
        let status = format!("{PREFIX}_ups_status");
        text.family(&status, Kind::Gauge, "", "Status of the UPS (ups.status)");
        let others = words.iter().copied().filter(|word| !FLAGS.contains(word));
        for flag in FLAGS.into_iter().chain(others).collect::<BTreeSet<_>>() {
            let value = if words.contains(&flag) { "1" } else { "0" };
            text.sample(&status, &[("flag", flag), ("ups", name)], value);
        }
    }
    let mut used = BTreeSet::from(["device_info".to_string(), "ups_status".to_string()]);
    for variable in ups.live() {
        let Some(value) = number(&variable.text).or_else(|| switched(&variable.text)) else { continue };
        let metric = metric_name(&variable.name);
        if !used.insert(metric.clone()) {
            continue;
        }
        let metric = format!("{PREFIX}_{metric}");
        text.family(&metric, Kind::Gauge, "", &format!("{} ({})", variable.about, variable.name));
        text.sample(&metric, &[("ups", name)], &plain(value));
    }
    text.end()
}

/// `--nut.on_regex` and `--nut.off_regex` as they are by default.
fn switched(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "enable" | "enabled" | "on" | "true" | "active" | "activated" => Some(1.0),
        "disable" | "disabled" | "off" | "false" | "inactive" | "deactivated" => Some(0.0),
        _ => None,
    }
}
