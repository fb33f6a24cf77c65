//! The rule machine against a plain model, which looks at the whole past each time; and what it keeps over restarts.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use notify::journal::{self, JournalChange, JournalState, SeenMark, StandingChange};
use notify::{
    NoticeKind, NotifyCondition, NotifyMoment, NotifyRule, RuleMachine, SaidNumber, UpsNotice, UpsSaid,
    UpsSight,
};
use proptest::prelude::*;
use std::time::Duration;

fn rule(condition: NotifyCondition, after_s: u64, repeat_s: Option<u64>) -> NotifyRule {
    NotifyRule {
        name: "the rule".into(),
        condition,
        after: Duration::from_secs(after_s),
        upses: vec![],
        outputs: vec!["out".into()],
        repeat: repeat_s.map(Duration::from_secs),
        tells_begin: true,
        tells_end: true,
    }
}

fn said(status: &str) -> UpsSaid {
    UpsSaid { status: status.into(), ..UpsSaid::default() }
}

fn clock(at_ms: i64) -> String {
    format!("<{at_ms}>")
}

/// What a look sees of mains: away, there, or not said; none without data.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Away,
    There,
    Unsaid,
    NoData,
}

#[derive(Clone, Debug)]
enum Step {
    Look(i64, Seen),
    /// The wall clock is set.
    Set(i64),
    /// The server starts again, so many milliseconds later.
    Restart(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seen = prop_oneof![
        4 => Just(Seen::Away),
        2 => Just(Seen::There),
        1 => Just(Seen::Unsaid),
        1 => Just(Seen::NoData)
    ];
    let step = prop_oneof![
        12 => (1_i64..4000, seen).prop_map(|(after, seen)| Step::Look(after, seen)),
        1 => (-1_000_000_000_i64..1_000_000_000).prop_map(Step::Set),
        1 => (1_i64..200_000).prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The model: from all that was seen, what the last look has to tell. `None` in the past is a time that was not seen.
fn expected(past: &[(i64, Option<bool>)], after_ms: i64, repeat_ms: Option<i64>) -> Option<NoticeKind> {
    let (last, rest) = past.split_last().unwrap();
    let begin = rest.iter().rposition(|(_, holds)| *holds == Some(false)).map_or(0, |at| at + 1);
    let mut told: Option<i64> = None;
    let mut held = 0;
    let mut before: Option<i64> = None;
    let mut kind = None;
    for (at, holds) in &past[begin..] {
        kind = None;
        match holds {
            Some(true) => {
                held += before.map_or(0, |before| at - before);
                before = Some(*at);
                if told.is_none() && held >= after_ms {
                    (told, kind) = (Some(*at), Some(NoticeKind::Began));
                } else if told.is_some_and(|told| repeat_ms.is_some_and(|repeat| at - told >= repeat)) {
                    (told, kind) = (Some(*at), Some(NoticeKind::Repeated));
                }
            }
            Some(false) => kind = told.map(|_| NoticeKind::Ended),
            None => before = None,
        }
    }
    assert_eq!(past.last(), Some(last));
    kind
}

fn restarted(
    machine: &RuleMachine,
    state: &JournalState,
    now: NotifyMoment,
    rule: &NotifyRule,
) -> RuleMachine {
    let text = journal::whole(machine.records(), state.seen.clone(), []);
    let read = journal::read(text.as_bytes()).unwrap();
    assert!(!read.is_torn);
    let mut again = RuleMachine::new(now);
    again.resume(read.standing.into_values().collect(), read.seen.as_ref(), "boot", now);
    again.set_rules(vec![rule.clone()]);
    again
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_tells_what_the_whole_past_says(
        steps in steps(), after_s in 0_u64..12, repeat_s in proptest::option::of(1_u64..20)
    ) {
        let rule = rule(NotifyCondition::OnBattery, after_s, repeat_s);
        let after_ms = i64::try_from(after_s).unwrap() * 1000;
        let repeat_ms = repeat_s.map(|repeat| i64::try_from(repeat).unwrap() * 1000);
        let mut now = NotifyMoment { steady_ms: 5_000, wall_ms: 1_700_000_000_000 };
        let mut machine = RuleMachine::new(now);
        machine.set_rules(vec![rule.clone()]);
        let mut past: Vec<(i64, Option<bool>)> = vec![];
        for step in steps {
            match step {
                Step::Set(by) => now.wall_ms += by,
                Step::Restart(away) => {
                    let seen = SeenMark { boot: "boot".into(), steady_ms: now.steady_ms };
                    let state = JournalState { seen: Some(seen), ..JournalState::default() };
                    now.steady_ms += away;
                    now.wall_ms += away;
                    machine = restarted(&machine, &state, now, &rule);
                    past.push((now.steady_ms, None));
                }
                Step::Look(passed, seen) => {
                    now.steady_ms += passed;
                    now.wall_ms += passed;
                    let status = match seen {
                        Seen::Away => "OB",
                        Seen::There => "OL",
                        Seen::Unsaid | Seen::NoData => "BYPASS",
                    };
                    let said = said(status);
                    let sight = UpsSight { said: (seen != Seen::NoData).then_some(&said), hosts: &[] };
                    let holds = match seen {
                        Seen::Away => Some(true),
                        Seen::There => Some(false),
                        Seen::Unsaid | Seen::NoData => None,
                    };
                    past.push((now.steady_ms, holds));
                    let told = machine.observe("ups", sight, now, &clock);
                    let kinds: Vec<NoticeKind> = told.iter().map(|(notice, _)| notice.kind).collect();
                    let wanted: Vec<NoticeKind> = expected(&past, after_ms, repeat_ms).into_iter().collect();
                    prop_assert_eq!(kinds, wanted, "{:?}", past);
                }
            }
        }
        // what is kept by its changes alone is what stands
        let mut state = JournalState::default();
        machine.take_changes().into_iter().for_each(|change| state.take(JournalChange::Standing(change)));
        let _ = state;
    }
}

struct Watched {
    machine: RuleMachine,
    now: NotifyMoment,
}

impl Watched {
    fn new(rule: NotifyRule) -> Watched {
        let now = NotifyMoment { steady_ms: 0, wall_ms: 1_000_000 };
        let mut machine = RuleMachine::new(now);
        machine.set_rules(vec![rule]);
        Watched { machine, now }
    }

    fn look(&mut self, after_s: i64, said: Option<&UpsSaid>) -> Vec<UpsNotice> {
        self.now.steady_ms += after_s * 1000;
        self.now.wall_ms += after_s * 1000;
        let sight = UpsSight { said, hosts: &[] };
        let told = self.machine.observe("ups", sight, self.now, &clock);
        told.into_iter().map(|(notice, _)| notice).collect()
    }
}

#[test]
fn a_ups_that_is_being_found_is_not_lost_and_one_that_is_lost_is_told_once() {
    let mut watched = Watched::new(rule(NotifyCondition::Lost, 0, None));
    assert_eq!(watched.look(1, None), []);
    assert_eq!(watched.look(13, None), []);
    let told = watched.look(2, None);
    assert_eq!((told.len(), told[0].title.as_str()), (1, "ups sends no data"));
    assert!(told[0].text.contains("no fresh data"), "{}", told[0].text);
    assert_eq!(watched.look(60, None), []);
    assert_eq!(watched.look(1, Some(&said("OL")))[0].title, "ups sends data again after 1 min 1 s");
    assert_eq!(watched.look(1, None).len(), 1);
}

#[test]
fn what_is_stale_neither_raises_nor_ends_and_time_without_data_does_not_count() {
    let mut watched = Watched::new(rule(NotifyCondition::OnBattery, 10, None));
    assert_eq!(watched.look(1, Some(&said("OB"))), []);
    assert_eq!(watched.look(9, Some(&said("OB"))), []);
    // nothing for a minute: the nine seconds before it stay
    assert_eq!(watched.look(60, None), []);
    assert_eq!(watched.look(1, Some(&said("OB"))), []);
    let told = watched.look(1, Some(&said("OB")));
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("since <1001000>"), "{}", told[0].text);
    assert_eq!(watched.look(1, None), []);
    // its end was not seen
    let ended = watched.look(60, Some(&said("OL")));
    assert_eq!(ended[0].title, "ups is on mains again");
    assert!(ended[0].text.contains("the end was not seen"), "{}", ended[0].text);
}

#[test]
fn an_estimate_is_called_one_and_a_number_at_its_bound_does_not_flicker() {
    let mut watched = Watched::new(rule(NotifyCondition::ChargeBelow(30.0), 0, None));
    let with = |value, is_estimate| UpsSaid {
        status: "OB".into(),
        charge: Some(SaidNumber { value, is_estimate }),
        ..UpsSaid::default()
    };
    assert_eq!(watched.look(1, Some(&with(30.0, true))), []);
    let told = watched.look(1, Some(&with(29.0, true)));
    let text = &told[0].text;
    assert!(text.contains("by an estimate") && text.contains("charge 29 % (estimated)"), "{text}");
    for value in [30.0, 29.0, 31.0, 29.9] {
        assert_eq!(watched.look(1, Some(&with(value, true))), [], "{value}");
    }
    // what is not said ends nothing
    assert_eq!(watched.look(1, Some(&said("OL"))), []);
    assert_eq!(watched.look(1, Some(&with(32.0, false)))[0].kind, NoticeKind::Ended);
    let told = watched.look(1, Some(&with(29.0, false)));
    assert!(!told[0].text.contains("estimate"), "{}", told[0].text);
}

#[test]
fn each_host_that_is_missing_is_told() {
    let hosts = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
    let mut machine = RuleMachine::new(NotifyMoment::default());
    machine.set_rules(vec![rule(NotifyCondition::SecondaryMissing(hosts.to_vec()), 5, None)]);
    let mut look = |at_s: i64, there: &[std::net::IpAddr]| -> Vec<String> {
        let now = NotifyMoment { steady_ms: at_s * 1000, wall_ms: at_s * 1000 };
        let told = machine.observe("ups", UpsSight { said: None, hosts: there }, now, &clock);
        told.into_iter().map(|(notice, _)| notice.title).collect()
    };
    assert_eq!(look(0, &hosts), [""; 0]);
    assert_eq!(look(1, &hosts[..1]), [""; 0]);
    assert_eq!(look(6, &hosts[..1]), ["ups misses a host that is to be logged in (192.0.2.2)"]);
    assert_eq!(look(7, &[]), [""; 0]);
    assert_eq!(look(12, &[]), ["ups misses a host that is to be logged in (192.0.2.1)"]);
    assert_eq!(look(13, &hosts).len(), 2);
}

#[test]
fn another_start_of_the_system_drops_timers_and_keeps_what_was_told() {
    let mut watched = Watched::new(rule(NotifyCondition::OnBattery, 10, None));
    watched.look(1, Some(&said("OB")));
    watched.look(5, Some(&said("OB")));
    let kept = |watched: &Watched| watched.machine.records();
    let timer = kept(&watched);
    watched.look(6, Some(&said("OB")));
    let raised = kept(&watched);
    let seen = SeenMark { boot: "one".into(), steady_ms: watched.now.steady_ms };
    let now = NotifyMoment { steady_ms: 100, wall_ms: watched.now.wall_ms + 60_000 };
    for (records, left) in [(timer, 0), (raised, 1)] {
        let mut again = RuleMachine::new(now);
        again.resume(records, Some(&seen), "two", now);
        again.set_rules(vec![rule(NotifyCondition::OnBattery, 10, None)]);
        assert_eq!(again.timers(now).len(), left);
        let mut look = |status: &str| {
            let said = said(status);
            again.observe("ups", UpsSight { said: Some(&said), hosts: &[] }, now, &clock).len()
        };
        assert_eq!((look("OB"), look("OL")), (0, left));
    }
}

#[test]
fn a_rule_that_becomes_another_one_begins_anew() {
    let mut watched = Watched::new(rule(NotifyCondition::OnBattery, 0, None));
    assert_eq!(watched.look(1, Some(&said("OB LB"))).len(), 1);
    watched.machine.set_rules(vec![rule(NotifyCondition::OnBattery, 60, Some(600))]);
    assert_eq!(watched.look(1, Some(&said("OB LB"))), []);
    watched.machine.set_rules(vec![rule(NotifyCondition::LowBattery, 0, None)]);
    assert_eq!(watched.look(1, Some(&said("OB LB")))[0].notify_type, "LOWBATT");
    watched.machine.keep_only(|_| false);
    assert!(!watched.machine.stands());
    let over = watched.machine.take_changes().pop().unwrap();
    assert_eq!(over, StandingChange::Over("the rule".into(), "ups".into()));
}
