//! What of a policy contradicts itself.

use std::time::Duration;

use crate::{CancelChoice, GroupPlan, OnMains, Policy};

/// What of a policy contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The group, where it is about one.
    pub group: Option<String>,
    /// Whether protection cannot be armed with it; else it is a warning.
    pub grave: bool,
    /// What is wrong, and what to do.
    pub text: String,
}

/// Collects what is wrong.
struct Faults(Vec<PolicyFault>);

impl Faults {
    fn grave(&mut self, group: Option<&str>, text: String) {
        self.0.push(PolicyFault { group: group.map(Into::into), grave: true, text });
    }

    fn warn(&mut self, group: Option<&str>, text: String) {
        self.0.push(PolicyFault { group: group.map(Into::into), grave: false, text });
    }
}

/// What of a policy contradicts itself.
pub fn check(policy: &Policy) -> Vec<PolicyFault> {
    let mut faults = Faults(vec![]);
    for (at, group) in policy.groups.iter().enumerate() {
        let name = Some(group.name.as_str());
        if policy.groups[..at].iter().any(|other| other.name == group.name) {
            faults.grave(name, "two groups have this name; give each its own".into());
        }
        check_feeds(group, &mut faults);
        check_stages(group, &mut faults);
        check_delays(policy, group, &mut faults);
    }
    check_host(policy, &mut faults);
    faults.0
}

fn check_feeds(group: &GroupPlan, faults: &mut Faults) {
    let name = Some(group.name.as_str());
    let total = group.feeds.iter().fold(0u32, |sum, feed| sum.saturating_add(feed.supplies));
    if total == 0 {
        faults.grave(name, "no UPS feeds it; name at least one".into());
    } else if group.need > total {
        let text =
            format!("it needs {} supplies and has {total}; lower 'need', or name more UPSes", group.need);
        faults.grave(name, text);
    }
    if group.need == 0 {
        faults.grave(name, "it needs no supply, so it would never go down; set 'need' to 1 or more".into());
    }
    for (at, feed) in group.feeds.iter().enumerate() {
        if group.feeds[..at].iter().any(|other| other.ups == feed.ups) {
            let text = format!("UPS {} feeds it twice; name it once, with the sum of its supplies", feed.ups);
            faults.grave(name, text);
        }
        let begin = feed.begin.as_ref().unwrap_or(&group.begin);
        let any = begin.low_battery
            || begin.charge_below.is_some()
            || begin.runtime_below.is_some()
            || begin.on_battery_for.is_some();
        if feed.supplies > 0 && !any {
            let text = format!("no condition of UPS {} ever holds in an outage; name one", feed.ups);
            faults.grave(name, text);
        }
        let odd = |value: Option<f64>| value.is_some_and(|value| !value.is_finite());
        let charge_odd = begin.charge_below.is_some_and(|charge| !(0.0..=100.0).contains(&charge));
        if charge_odd || odd(begin.temperature_above) || !(0.0..=1.0).contains(&begin.runtime_confidence) {
            faults.grave(name, format!("a bound of UPS {} is out of its range", feed.ups));
        }
    }
}

fn check_stages(group: &GroupPlan, faults: &mut Faults) {
    let name = Some(group.name.as_str());
    for (at, stage) in group.stages.iter().enumerate() {
        if group.stages[..at].iter().any(|other| other.name == stage.name) {
            faults.grave(name, format!("two stages have the name {}; give each its own", stage.name));
        }
        if stage.time < Duration::from_secs(10) && stage.signal.is_some() {
            let text = format!(
                "stage {} waits {} s, and upsmon asks every 5 s; give it 10 s or more",
                stage.name,
                stage.time.as_secs()
            );
            faults.warn(name, text);
        }
        if !stage.all_wakeable && stage.signal.is_some() && group.cancel == CancelChoice::Always {
            let text = format!(
                "hosts of stage {} that cannot be woken stay off when mains are back in the middle of the shutdown; \
                 name their addresses, or let the load be cycled",
                stage.name
            );
            faults.warn(name, text);
        }
    }
}

fn check_delays(policy: &Policy, group: &GroupPlan, faults: &mut Faults) {
    let name = Some(group.name.as_str());
    let plans = group
        .feeds
        .iter()
        .filter(|feed| feed.supplies > 0)
        .map(|feed| (feed, policy.loads.iter().find(|load| load.ups == feed.ups)));
    let mut delays: Vec<Duration> = vec![];
    let mut without = 0;
    for (feed, load) in plans {
        let Some(load) = load else {
            without += 1;
            continue;
        };
        delays.push(load.longest.map_or(load.delay, |longest| longest.min(load.delay)));
        if load.on_mains == OnMains::StaysOn {
            let text = format!(
                "UPS {} leaves its load on when mains are back before the cut; hosts then stay off until they are woken",
                feed.ups
            );
            faults.warn(name, text);
        }
    }
    if without > 0 && !delays.is_empty() {
        let text = "only some of its UPSes are switched off, so its hosts do not lose their power and do not start by \
                    themselves; name a load for each, or for none";
        faults.warn(name, text.into());
    }
    if delays.windows(2).any(|pair| pair[0] != pair[1]) {
        let text = "its UPSes switch off at different moments, so its hosts never lose their power and stay off; give \
                    all of them the same delay";
        faults.grave(name, text.into());
    }
    let need = group.stages.iter().map(|stage| stage.down).max().unwrap_or_default();
    if let Some(delay) = delays.first().filter(|delay| **delay < need) {
        let text = format!(
            "its hosts need {} s until they are off, and the load goes off {} s after the order: the order waits",
            need.as_secs(),
            delay.as_secs()
        );
        faults.warn(name, text);
    }
}

fn check_host(policy: &Policy, faults: &mut Faults) {
    let Some(host) = &policy.host else { return };
    let name = Some(host.group.as_str());
    let Some(group) = policy.groups.iter().find(|group| group.name == host.group) else {
        faults.grave(name, "this host belongs to a group that is not there; name one that is".into());
        return;
    };
    let needed = host.down.saturating_add(host.proof_wait).saturating_add(Duration::from_secs(5));
    for load in policy.loads.iter().filter(|load| group.feeds.iter().any(|feed| feed.ups == load.ups)) {
        let delay = load.longest.map_or(load.delay, |longest| longest.min(load.delay));
        if delay < host.down.saturating_add(Duration::from_secs(5)) {
            let text = format!(
                "UPS {} switches off {} s after the order, and this host needs {} s: only the hook at the end of the \
                 shutdown ('qxups killpower') sends it; see that the hook is installed",
                load.ups,
                delay.as_secs(),
                host.down.as_secs()
            );
            faults.warn(name, text);
        } else if delay < needed {
            let text = format!(
                "UPS {} switches off {} s after the order; with {} s there would be time for its proof",
                load.ups,
                delay.as_secs(),
                needed.as_secs()
            );
            faults.warn(name, text);
        }
    }
}
