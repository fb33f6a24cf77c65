//! What is raised, and which timers run. No I/O, no clock.
//!
//! A timer counts the time in which its condition was seen to hold: time without fresh data, or without the server, does
//! not count, and ends nothing either.

use crate::condition::NotifyCondition;
use crate::journal::{SeenMark, StandingChange, StandingRecord};
use crate::notice::{NoticeKind, UpsNotice};
use crate::rule::NotifyRule;
use crate::said::UpsSight;
use crate::text::NoticeText;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyMoment {
    /// Milliseconds of a clock that is never set, from any beginning. Everything is decided by it.
    pub steady_ms: i64,
    /// Milliseconds since 1970, for texts.
    pub wall_ms: i64,
}

/// A UPS that never had data has so long after the start to be found, in milliseconds.
const FOUND_WITHIN_MS: i64 = 15_000;
/// A timer of before a restart goes on where the server was away no longer than this, in milliseconds.
const AWAY_MS: i64 = 300_000;

/// A rule of one UPS whose condition holds.
#[derive(Clone, Debug)]
struct Standing {
    condition: String,
    since_ms: i64,
    since_steady_ms: i64,
    held_ms: i64,
    /// Until when it was counted; none while it is not seen.
    counted_to: Option<i64>,
    /// When it was told last, by the steady clock; none while the timer runs.
    told: Option<i64>,
}

/// The name of a rule, and of a UPS.
type Key = (String, String);

/// A timer, or what is raised, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerView {
    /// The rule.
    pub rule: String,
    /// The UPS.
    pub ups: String,
    /// Since when the condition holds, in milliseconds since 1970.
    pub since_ms: i64,
    /// It is raised; else its timer runs.
    pub is_raised: bool,
    /// In how many milliseconds it is raised, or repeated; none where that is not known: there is no data, or no repetition.
    pub due_in_ms: Option<i64>,
}

/// All rules of a fleet.
#[derive(Debug, Default)]
pub struct RuleMachine {
    rules: Vec<NotifyRule>,
    standing: BTreeMap<Key, Standing>,
    /// UPSes that had data since the start.
    had_data: BTreeSet<String>,
    began_ms: i64,
    changes: Vec<StandingChange>,
}

impl RuleMachine {
    /// Without a rule, begun at this moment.
    pub fn new(now: NotifyMoment) -> RuleMachine {
        RuleMachine { began_ms: now.steady_ms, ..RuleMachine::default() }
    }

    /// What was raised before a restart is raised, and told no second time. A timer goes on where the server was away for a
    /// short while; `boot` is another text after each start of the system.
    pub fn resume(
        &mut self,
        records: Vec<StandingRecord>,
        seen: Option<&SeenMark>,
        boot: &str,
        now: NotifyMoment,
    ) {
        // another start of the system: its steady clock began anew, and only the wall clock knows how long it was away
        let same = seen.filter(|seen| seen.boot == boot && seen.steady_ms <= now.steady_ms);
        let goes_on = same.is_some_and(|seen| now.steady_ms - seen.steady_ms <= AWAY_MS);
        for record in records {
            if !record.is_raised && !goes_on {
                self.changes.push(StandingChange::Over(record.rule, record.ups));
                continue;
            }
            let (since_steady_ms, told) = match same {
                Some(_) => (record.since_steady_ms, record.told_ms),
                None => {
                    let by_wall = now.wall_ms.saturating_sub(record.since_ms).max(0);
                    (now.steady_ms.saturating_sub(by_wall), now.steady_ms)
                }
            };
            let standing = Standing {
                condition: record.condition,
                since_ms: record.since_ms,
                since_steady_ms,
                held_ms: record.held_ms,
                counted_to: None,
                told: record.is_raised.then_some(told),
            };
            self.standing.insert((record.rule, record.ups), standing);
        }
    }

    /// Takes other rules. What stands by a rule that is the same in name and condition goes on.
    pub fn set_rules(&mut self, rules: Vec<NotifyRule>) {
        let rules: Vec<NotifyRule> = rules.into_iter().flat_map(each_host).collect();
        let stays = |key: &Key, standing: &Standing| {
            rules.iter().any(|rule| {
                rule.name == key.0 && rule.condition_key() == standing.condition && rule.is_for(&key.1)
            })
        };
        self.drop_where(|key, standing| !stays(key, standing));
        self.rules = rules;
    }

    /// The rules.
    pub fn rules(&self) -> &[NotifyRule] {
        &self.rules
    }

    /// Forgets UPSes that are gone.
    pub fn keep_only(&mut self, is_there: impl Fn(&str) -> bool) {
        self.had_data.retain(|ups| is_there(ups));
        self.drop_where(|(_, ups), _| !is_there(ups));
    }

    fn drop_where(&mut self, goes: impl Fn(&Key, &Standing) -> bool) {
        let gone: Vec<Key> = self
            .standing
            .iter()
            .filter(|(key, standing)| goes(key, standing))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.standing.remove(&key);
            self.changes.push(StandingChange::Over(key.0, key.1));
        }
    }

    /// Looks at a UPS: what there is to say, each with the outputs that it goes to.
    pub fn observe(
        &mut self,
        ups: &str,
        sight: UpsSight<'_>,
        now: NotifyMoment,
        clock: &dyn Fn(i64) -> String,
    ) -> Vec<(UpsNotice, Vec<String>)> {
        if sight.said.is_some() && !self.had_data.contains(ups) {
            self.had_data.insert(ups.into());
        }
        let may_be_starting = !self.had_data.contains(ups) && now.steady_ms - self.began_ms < FOUND_WITHIN_MS;
        let mut notices = vec![];
        for at in 0..self.rules.len() {
            let rule = &self.rules[at];
            if !rule.is_for(ups) {
                continue;
            }
            let key = (rule.name.clone(), ups.to_string());
            let is_raised = self.standing.get(&key).is_some_and(|standing| standing.told.is_some());
            let holds = match rule.condition {
                NotifyCondition::Lost if may_be_starting && sight.said.is_none() => None,
                _ => rule.condition.holds(sight, is_raised),
            };
            if let Some(notice) = self.judge(at, key, holds, sight, now, clock) {
                notices.push((notice, self.rules[at].outputs.clone()));
            }
        }
        notices
    }

    fn judge(
        &mut self,
        at: usize,
        key: Key,
        holds: Option<bool>,
        sight: UpsSight<'_>,
        now: NotifyMoment,
        clock: &dyn Fn(i64) -> String,
    ) -> Option<UpsNotice> {
        let rule = &self.rules[at];
        match holds {
            None => {
                if let Some(standing) = self.standing.get_mut(&key) {
                    standing.counted_to = None;
                }
                None
            }
            Some(true) => {
                let is_new = !self.standing.contains_key(&key);
                let standing = self.standing.entry(key.clone()).or_insert_with(|| Standing::new(rule, now));
                standing.count(now);
                let kind = standing.news(rule, now);
                if kind.is_some() {
                    standing.told = Some(now.steady_ms);
                }
                if is_new || kind.is_some() {
                    self.changes.push(StandingChange::Stands(standing.record(&key)));
                }
                let kind = kind.filter(|_| rule.tells_begin);
                kind.map(|kind| standing.notice(kind, rule, &key.1, sight, now, clock))
            }
            Some(false) => {
                let standing = self.standing.remove(&key)?;
                self.changes.push(StandingChange::Over(key.0, key.1.clone()));
                let tells = standing.told.is_some() && rule.tells_end;
                tells.then(|| standing.notice(NoticeKind::Ended, rule, &key.1, sight, now, clock))
            }
        }
    }

    /// What has to be kept of the changes since the last call.
    pub fn take_changes(&mut self) -> Vec<StandingChange> {
        std::mem::take(&mut self.changes)
    }

    /// All that stands, to be kept.
    pub fn records(&self) -> Vec<StandingRecord> {
        self.standing.iter().map(|(key, standing)| standing.record(key)).collect()
    }

    /// Whether anything stands.
    pub fn stands(&self) -> bool {
        !self.standing.is_empty()
    }

    /// When the next timer ends, by the steady clock in milliseconds.
    pub fn next_due(&self) -> Option<i64> {
        self.standing.iter().filter_map(|(key, standing)| standing.due(self.rule(&key.0)?)).min()
    }

    /// The UPSes that have a timer which ends by now.
    pub fn due(&self, now: NotifyMoment) -> BTreeSet<String> {
        let is_due = |(key, standing): &(&Key, &Standing)| {
            let due = self.rule(&key.0).and_then(|rule| standing.due(rule));
            due.is_some_and(|due| due <= now.steady_ms)
        };
        self.standing.iter().filter(is_due).map(|(key, _)| key.1.clone()).collect()
    }

    /// What stands, for people.
    pub fn timers(&self, now: NotifyMoment) -> Vec<TimerView> {
        let view = |(key, standing): (&Key, &Standing)| {
            let due = self.rule(&key.0).and_then(|rule| standing.due(rule));
            TimerView {
                rule: key.0.clone(),
                ups: key.1.clone(),
                since_ms: standing.since_ms,
                is_raised: standing.told.is_some(),
                due_in_ms: due.map(|due| (due - now.steady_ms).max(0)),
            }
        };
        self.standing.iter().map(view).collect()
    }

    fn rule(&self, name: &str) -> Option<&NotifyRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

impl NotifyRule {
    /// By this a condition is the same as before a restart.
    fn condition_key(&self) -> String {
        self.condition.to_string()
    }
}

/// A rule of several hosts is one for each: that a second one is missing has to be told as well.
fn each_host(rule: NotifyRule) -> Vec<NotifyRule> {
    match &rule.condition {
        NotifyCondition::SecondaryMissing(hosts) if hosts.len() > 1 => hosts
            .iter()
            .map(|host| NotifyRule {
                name: format!("{} {host}", rule.name),
                condition: NotifyCondition::SecondaryMissing(vec![*host]),
                ..rule.clone()
            })
            .collect(),
        _ => vec![rule],
    }
}

fn ms(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

impl Standing {
    fn new(rule: &NotifyRule, now: NotifyMoment) -> Standing {
        Standing {
            condition: rule.condition_key(),
            since_ms: now.wall_ms,
            since_steady_ms: now.steady_ms,
            held_ms: 0,
            counted_to: None,
            told: None,
        }
    }

    /// It is seen to hold at this moment.
    fn count(&mut self, now: NotifyMoment) {
        if let Some(before) = self.counted_to.replace(now.steady_ms) {
            self.held_ms = self.held_ms.saturating_add(now.steady_ms.saturating_sub(before).max(0));
        }
    }

    /// What there is to say while it holds.
    fn news(&self, rule: &NotifyRule, now: NotifyMoment) -> Option<NoticeKind> {
        match (self.told, rule.repeat) {
            (None, _) => (self.held_ms >= ms(rule.after)).then_some(NoticeKind::Began),
            (Some(told), Some(repeat)) => {
                (now.steady_ms.saturating_sub(told) >= ms(repeat)).then_some(NoticeKind::Repeated)
            }
            (Some(_), None) => None,
        }
    }

    /// When there is something to say next, as far as it is seen.
    fn due(&self, rule: &NotifyRule) -> Option<i64> {
        let seen = self.counted_to?;
        match self.told {
            None => Some(seen.saturating_add(ms(rule.after).saturating_sub(self.held_ms))),
            Some(told) => rule.repeat.map(|repeat| told.saturating_add(ms(repeat))),
        }
    }

    fn record(&self, key: &Key) -> StandingRecord {
        StandingRecord {
            rule: key.0.clone(),
            ups: key.1.clone(),
            condition: self.condition.clone(),
            since_ms: self.since_ms,
            since_steady_ms: self.since_steady_ms,
            held_ms: self.held_ms,
            is_raised: self.told.is_some(),
            told_ms: self.told.unwrap_or_default(),
        }
    }

    fn notice(
        &self,
        kind: NoticeKind,
        rule: &NotifyRule,
        ups: &str,
        sight: UpsSight<'_>,
        now: NotifyMoment,
        clock: &dyn Fn(i64) -> String,
    ) -> UpsNotice {
        let host = match &rule.condition {
            NotifyCondition::SecondaryMissing(hosts) => hosts.first().copied(),
            _ => None,
        };
        let lasted = now.steady_ms.saturating_sub(self.since_steady_ms).max(0);
        let text = NoticeText {
            kind,
            rule: &rule.name,
            condition: &rule.condition,
            ups,
            said: sight.said,
            at_ms: now.wall_ms,
            since_ms: self.since_ms,
            lasted: Duration::from_millis(lasted.unsigned_abs()),
            ended_unseen: kind == NoticeKind::Ended && self.counted_to.is_none(),
            host,
        };
        text.compose(clock)
    }
}
