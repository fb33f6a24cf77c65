//! What protection sees: what a UPS says itself, and who is logged in.

use crate::extras::ProtectOptions;
use crate::fleet::{Source, Ups};
use crate::server::Server;
use crate::views::StageId;
use ::protect::{PowerView, PowerWords, StageLogin};
use nut::network::server::Freshness;
use std::collections::BTreeMap;
use std::time::Duration;

/// Below so many volts there is no mains.
const DEAD_VOLTS: f64 = 40.0;

/// What a UPS says; `since_order`: how long ago it was ordered to switch off.
pub(super) fn view_of(ups: &Ups, since_order: Option<Duration>) -> PowerView {
    ups.with_source(PowerView::default(), |source| {
        let now = super::clock::since_boot();
        let read_at = now.saturating_sub(source.age().unwrap_or_default());
        if source.freshness() != Freshness::Fresh {
            return PowerView { read_at, ..PowerView::default() };
        }
        let status = text(source, "ups.status").unwrap_or_default();
        let alarm = text(source, "ups.alarm").unwrap_or_default().to_ascii_lowercase();
        let unit = text(source, "ups.serial").or_else(|| text(source, "device.serial"));
        let words = words_of(ups, &status);
        PowerView {
            unit,
            fresh: true,
            read_at,
            words,
            input_alive: number(source, "input.voltage").map(|volts| volts >= DEAD_VOLTS),
            charge: number(source, "battery.charge"),
            runtime: number(source, "battery.runtime").and_then(|s| Duration::try_from_secs_f64(s).ok()),
            runtime_confidence: confidence(source),
            temperature: number(source, "ups.temperature"),
            failing: ["fault", "failed"].iter().any(|word| alarm.contains(word)),
            will_switch_off: since_order.and_then(|since| will_switch_off(source, since)),
        }
    })
}

/// The words of a status, with the FSD of a client.
pub(super) fn words_of(ups: &Ups, status: &str) -> PowerWords {
    let mut words = PowerWords::read(status);
    words.forced |= ups.forced_shutdown();
    words
}

/// How sure the runtime is: what the UPS says itself is its word. An estimate without a measured outage is a guess.
fn confidence(source: &dyn Source) -> f64 {
    if source.is_said("battery.runtime") == Some(true) {
        return 1.0;
    }
    match text(source, "experimental.battery.health.confidence").as_deref() {
        Some("good") => 0.9,
        Some("fair") => 0.7,
        Some("low") => 0.5,
        _ => 0.3,
    }
}

/// Whether the UPS says since its order that it will switch off.
fn will_switch_off(source: &dyn Source, since: Duration) -> Option<bool> {
    if let Some(known) = source.will_switch_off(since) {
        return Some(known);
    }
    let (timer, delay) = (number(source, "ups.timer.shutdown")?, number(source, "ups.delay.shutdown")?);
    is_countdown(timer, delay).then_some(true)
}

/// Whether a timer counts down from a delay. Where none runs it is below 0 for NUT, but some show 0, or 65535; and many that
/// count show nothing.
fn is_countdown(timer: f64, delay: f64) -> bool {
    timer > 0.0 && timer <= delay
}

fn text(source: &dyn Source, name: &str) -> Option<String> {
    let mut text = None;
    source.variable(name, &mut |variable| text = Some(variable.value.trim().to_string()));
    text.filter(|text| !text.is_empty())
}

fn number(source: &dyn Source, name: &str) -> Option<f64> {
    text(source, name)?.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Who is logged in, by stages; every stage has its row.
pub(super) fn logins_of(server: &Server, options: &ProtectOptions) -> BTreeMap<StageId, Vec<StageLogin>> {
    let mut logins: BTreeMap<StageId, Vec<StageLogin>> = BTreeMap::new();
    for (group, known) in options.groups.iter().enumerate() {
        for stage in 0..known.stages.len() {
            logins.insert(StageId { group, stage }, vec![]);
        }
    }
    let fleet = server.fleet.borrow();
    for peer in server.peers.borrow().values() {
        let Some(ups) = peer.login.get().and_then(|id| fleet.get(id)) else { continue };
        let (extra, user) = (peer.extra_name.borrow(), peer.user.borrow());
        let id = server.views.stage_of(ups.name(), extra.as_deref(), user.as_deref(), peer.address);
        if let Some(of_stage) = id.and_then(|id| logins.get_mut(&id)) {
            let address = peer.address.to_canonical().to_string();
            of_stage.push(StageLogin { address, user: user.clone().unwrap_or_default() });
        }
    }
    logins.values_mut().for_each(|of_stage| of_stage.sort());
    logins
}

#[cfg(test)]
mod tests {
    use super::is_countdown;

    #[test]
    fn a_timer_that_does_not_run_is_no_proof() {
        for (timer, runs) in
            [(-1.0, false), (-60.0, false), (0.0, false), (65535.0, false), (1.0, true), (180.0, true)]
        {
            assert_eq!(is_countdown(timer, 180.0), runs, "{timer}");
        }
    }
}
