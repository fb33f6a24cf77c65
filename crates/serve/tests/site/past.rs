//! A history that a test writes down: days of one UPS as they may have been, with outages, a night without the server and a
//! charge that was estimated for a while.
#![allow(clippy::cast_precision_loss)]

use history::{
    HistoryBatch, HistoryFile, HistoryRecorder, Outage, Provenance, Quantity, SampledValue, SeriesKey,
};
use std::path::Path;
use std::time::Duration;

const DAY_S: i64 = 86_400;
/// The last days are sampled every 10 s, those before once a minute.
const CLOSE_S: i64 = 2 * DAY_S;
/// Watts of a load of one percent.
const WATTS: f64 = 9.0;

/// An outage: how many seconds before now it began, how long it was, and the lowest charge.
pub const OUTAGES: [(i64, i64, f64); 4] =
    [(26 * DAY_S, 1500, 52.0), (12 * DAY_S, 240, 91.0), (3 * DAY_S, 960, 66.0), (5 * 3600, 720, 74.0)];
/// The server was not there for so long, so many seconds before now.
pub const AWAY: (i64, i64) = (20 * 3600, 3 * 3600);

/// The time in seconds since 1970: a history is in wall-clock time.
#[allow(clippy::disallowed_methods)]
pub fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A number from 0 to 1 that is always the same for a time.
fn noise(at_s: i64) -> f64 {
    let mixed = (at_s as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / 16_777_216.0
}

/// How deep in an outage a time is, and its lowest charge.
fn outage_at(at_s: i64, now_s: i64) -> Option<(f64, f64)> {
    OUTAGES.into_iter().find_map(|(before, length, lowest)| {
        let passed = at_s - (now_s - before);
        (0..length).contains(&passed).then(|| (passed as f64 / length as f64, lowest))
    })
}

/// What the UPS says at a time.
fn values(at_s: i64, now_s: i64) -> Vec<SampledValue> {
    let day = (at_s as f64 / DAY_S as f64 * std::f64::consts::TAU).sin();
    let outage = outage_at(at_s, now_s);
    let recharging = OUTAGES.into_iter().find_map(|(before, length, lowest)| {
        let passed = at_s - (now_s - before + length);
        (0..4 * 3600).contains(&passed).then(|| lowest + (100.0 - lowest) * passed as f64 / (4.0 * 3600.0))
    });
    let charge = outage.map(|(part, lowest)| 100.0 - (100.0 - lowest) * part).or(recharging).unwrap_or(100.0);
    let mains = 231.0 + 2.5 * day + 1.6 * (noise(at_s) - 0.5);
    let load = 24.0 + 6.0 * day + 9.0 * noise(at_s / 900) + noise(at_s);
    let input = if outage.is_some() { 0.0 } else { mains };
    let output = if outage.is_some() { 230.0 } else { mains - 0.4 };
    let volts = if outage.is_some() { 22.5 + 3.0 * charge / 100.0 } else { 27.3 };
    // the first half of it the UPS said no charge
    let whose = if now_s - at_s > 15 * DAY_S { Provenance::Computed } else { Provenance::Said };
    let said = |quantity, value| SampledValue { key: SeriesKey::said(quantity), value };
    vec![
        said(Quantity::InputVoltage, input),
        said(Quantity::OutputVoltage, output),
        said(Quantity::Load, load.round()),
        SampledValue {
            key: SeriesKey { quantity: Quantity::Charge, provenance: whose },
            value: charge.round(),
        },
        said(Quantity::BatteryVoltage, volts),
        said(Quantity::Temperature, (27.0 + 3.0 * day + noise(at_s / 3600)).round()),
        SampledValue { key: SeriesKey::computed(Quantity::RealPower), value: load.round() * WATTS },
    ]
}

/// Writes so many days of a UPS, up to now. Returns the watt-hours of its load.
pub fn write(path: &Path, ups: &str, days: i64) -> f64 {
    let now_s = now_s();
    let begin_s = now_s - days * DAY_S;
    let mut file = HistoryFile::open(path, 64).unwrap();
    let (mut recorder, mut at_s, mut token, mut wh) =
        (HistoryRecorder::default(), begin_s - begin_s % 60, 0, 0.0);
    while at_s < now_s {
        let until = (at_s + DAY_S).min(now_s);
        while at_s < until {
            let before = now_s - at_s;
            if !(AWAY.0 - AWAY.1..AWAY.0).contains(&before) {
                recorder.record(ups, at_s * 1000, values(at_s, now_s));
            }
            at_s += if before > CLOSE_S { 60 } else { 10 };
        }
        let rows = recorder.take(at_s * 1000);
        let day_wh = 24.0 * 29.0 * WATTS;
        wh += day_wh;
        token += 1;
        let energy = vec![(ups.to_string(), Provenance::Computed, day_wh)];
        file.write(token, &HistoryBatch { at_ms: at_s * 1000, rows, energy, ..HistoryBatch::default() })
            .unwrap();
    }
    let outages = OUTAGES.into_iter().filter(|(before, ..)| *before < days * DAY_S);
    let outages = outages.map(|(before, length, lowest)| {
        let begin_ms = (now_s - before) * 1000;
        let whose = if before > 15 * DAY_S { Provenance::Computed } else { Provenance::Said };
        let outage = Outage {
            begin_ms,
            end_ms: Some(begin_ms + length * 1000),
            length: Duration::from_secs(length.unsigned_abs()),
            begin_seen: true,
            end_seen: true,
            low_battery: lowest < 60.0,
            lowest_charge: Some((lowest, whose)),
            lowest_voltage: Some((22.5 + 3.0 * lowest / 100.0, whose)),
            mean_load: Some((29.0, Provenance::Said)),
            energy_wh: Some((length as f64 / 3600.0 * 29.0 * WATTS, Provenance::Computed)),
            ..Outage::default()
        };
        (ups.to_string(), outage, begin_ms + length * 1000)
    });
    let batch = HistoryBatch { at_ms: now_s * 1000, outages: outages.collect(), ..HistoryBatch::default() };
    file.write(token + 1, &batch).unwrap();
    file.checkpoint().unwrap();
    wh
}
