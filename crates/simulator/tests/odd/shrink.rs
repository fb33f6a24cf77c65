//! Shrinking: whatever a finding does not need is taken out of its life.

use super::bench::live;
use super::finding::{Finding, Kind};
use super::life::{Life, Link};
use std::time::Duration;

/// The finding of that kind, if the life has it.
pub fn finds(life: &Life, kind: Kind) -> Option<Finding> {
    live(life).into_iter().find(|finding| finding.kind == kind)
}

/// The smallest life that still has a finding of that kind.
pub fn shrink(life: &Life, kind: Kind) -> (Life, Finding) {
    let mut best = life.clone();
    let mut found = finds(&best, kind).expect("a life with this finding");
    best.until = best.until.min(found.at + Duration::from_secs(3));
    loop {
        let smaller = candidates(&best);
        let next = smaller.into_iter().find_map(|life| finds(&life, kind).map(|finding| (life, finding)));
        let Some((life, finding)) = next else { break };
        (best, found) = (life, finding);
    }
    best.until = found.at + Duration::from_secs(2);
    (best, found)
}

/// Lives that have one thing less.
fn candidates(life: &Life) -> Vec<Life> {
    let mut smaller = vec![];
    let mut less = |change: &dyn Fn(&mut Life)| {
        let mut copy = life.clone();
        change(&mut copy);
        if copy != *life {
            smaller.push(copy);
        }
    };
    for at in 0..life.events.len() {
        less(&|life| drop(life.events.remove(at)));
    }
    for at in 0..life.knobs.len() {
        less(&|life| drop(life.knobs.remove(at)));
    }
    // what rests for longer than polls are apart is another UPS
    let rests = life.knobs.iter().any(|knob| knob.contains("odd rests"));
    for at in (0..life.options.len()).filter(|at| !rests || life.options[*at].0 != "pollinterval") {
        less(&|life| drop(life.options.remove(at)));
    }
    less(&|life| life.link = Link::Serial);
    less(&|life| life.named = true);
    less(&|life| life.driver = "nutdrv_qx".into());
    for at in 0..life.knobs.len() {
        for condition in [" phase:", " chance:", " after:", " every:", " on:"] {
            less(&|life| {
                let knob = &mut life.knobs[at];
                if let Some(from) = knob.find(condition) {
                    let end = knob[from + 1..].find(' ').map_or(knob.len(), |end| from + 1 + end);
                    knob.replace_range(from..end, "");
                }
            });
        }
    }
    smaller
}
