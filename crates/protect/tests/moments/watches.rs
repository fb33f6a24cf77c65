//! Secondaries, timeline, contradictions.

use std::collections::BTreeMap;

use protect::*;

use crate::rig::*;

fn watch() -> SecondaryWatch {
    let expected = ExpectedSecondary {
        name: "nas".into(),
        address: Some("10.0.0.7".into()),
        user: Some("upsmon".into()),
        ups: Some("a".into()),
        poll: secs(5),
    };
    SecondaryWatch::new(vec![expected], secs(0))
}

fn state(watch: &SecondaryWatch) -> SecondaryState {
    watch.states().next().unwrap().1
}

#[test]
fn a_secondary_that_asks_without_a_login_is_found_within_one_of_its_polls() {
    let mut watch = watch();
    watch.heard(secs(1), "10.0.0.7", Some("upsmon"), "a", false);
    assert_eq!(state(&watch), SecondaryState::Awaited, "it may be about to log in");
    watch.tick(secs(5));
    assert_eq!(state(&watch), SecondaryState::Awaited);
    let found = watch.heard(secs(6), "10.0.0.7", None, "a", false);
    assert_eq!(found[0].to, SecondaryState::NotLoggedIn);
    watch.heard(secs(7), "10.0.0.7", Some("upsmon"), "a", true);
    assert_eq!(state(&watch), SecondaryState::LoggedIn);
}

#[test]
fn a_secondary_that_is_silent_is_absent_after_three_polls() {
    let mut watch = watch();
    assert!(watch.tick(secs(14)).is_empty());
    assert_eq!(watch.tick(secs(15))[0].to, SecondaryState::Absent);
    assert!(watch.tick(secs(99)).is_empty(), "said once");
    watch.heard(secs(100), "10.0.0.7", Some("upsmon"), "a", true);
    watch.tick(secs(114));
    assert_eq!(state(&watch), SecondaryState::LoggedIn);
    watch.tick(secs(115));
    assert_eq!(state(&watch), SecondaryState::Absent);
}

#[test]
fn a_program_that_only_looks_takes_no_login_away_and_is_no_secondary() {
    let mut watch = watch();
    for second in 1..60 {
        if second % 5 == 0 {
            watch.heard(secs(second), "10.0.0.7", Some("upsmon"), "a", true);
        }
        watch.heard(secs(second), "10.0.0.7", None, "a", false);
        watch.heard(secs(second), "10.0.0.8", Some("upsmon"), "a", false);
        assert_ne!(state(&watch), SecondaryState::NotLoggedIn, "{second}");
    }
    assert_eq!(state(&watch), SecondaryState::LoggedIn);
}

#[test]
fn a_plan_has_the_seconds_of_the_course_and_its_margin() {
    let mut policy = policy();
    policy.groups[0].begin.on_battery_for = Some(secs(100));
    let runtime = |runtime| PowerView { runtime: Some(secs(runtime)), ..view(MAINS) };
    // 100 s on battery, 60 s for the stage, 45 of the 180 s for outcome and proof, 120 s for the host, 15 s before the cut
    for (seconds, margin) in [(400, 400 - 325), (200, 200 - 325)] {
        let views = BTreeMap::from([("a".to_string(), runtime(seconds))]);
        let plan = timeline(&policy, &views).remove(0);
        assert_eq!(plan.begins, Some(secs(100)));
        assert_eq!(plan.last_down, Some(secs(325)));
        assert_eq!(plan.margin_s, Some(margin));
        assert_eq!(plan.remarks.len(), usize::from(margin < 0), "{:?}", plan.remarks);
        assert!(plan.lines.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
    let unknown = timeline(&policy, &BTreeMap::new()).remove(0);
    assert_eq!((unknown.begins, unknown.margin_s), (Some(secs(100)), None));
    policy.groups[0].begin.on_battery_for = None;
    let plan = timeline(&policy, &BTreeMap::from([("a".to_string(), runtime(400))])).remove(0);
    assert_eq!(
        (plan.begins, plan.last_down, plan.margin_s),
        (None, None, None),
        "low battery comes when it comes"
    );
    assert!(!plan.remarks.is_empty());
}

/// This host goes down after all groups, so its plan has their seconds as well: those of a course in which every stage takes
/// its whole time.
#[test]
fn a_plan_has_the_stages_of_other_groups_that_this_host_waits_for() {
    for delay in [180, 400] {
        let mut policy = policy();
        policy.groups[0].begin.on_battery_for = Some(secs(100));
        let mut other = policy.groups[0].clone();
        (other.name, other.feeds[0].ups, other.stages[0].time) = ("other".into(), "b".into(), secs(300));
        other.begin.on_battery_for = None;
        policy.groups.push(other);
        policy.loads.push(LoadPlan { ups: "b".into(), ..policy.loads[0].clone() });
        policy.loads.iter_mut().for_each(|load| load.delay = secs(delay));
        let calm = PowerView { runtime: Some(secs(500)), ..view(MAINS) };
        let views = BTreeMap::from([("a".to_string(), calm.clone()), ("b".to_string(), calm)]);
        let plans = timeline(&policy, &views);
        let mut rig = Rig::new(policy);
        rig.status("b", MAINS);
        rig.calm();
        for group in ["rack", "other"] {
            let logins = vec![StageLogin { address: "hangs".into(), user: "upsmon".into() }];
            rig.event(ProtectEvent::Logins { group: group.into(), stage: "apps".into(), logins });
        }
        (rig.done, rig.says) = (vec![], BTreeMap::new());
        rig.status("a", BATTERY);
        rig.status("b", BATTERY);
        let mains_failed = rig.now;
        while rig.host_downs() == 0 {
            // and the drivers say nothing of the orders: it cannot be later than that
            rig.pass(1);
        }
        let goes = secs(rig.now - mains_failed);
        let line =
            |text: &str| plans[0].lines.iter().find(|line| line.text.contains(text)).and_then(|line| line.at);
        assert_eq!(line("this host goes down"), Some(goes), "{delay}");
        assert_eq!(plans[0].last_down, Some(goes + secs(120)), "{delay}");
        let waits = if delay == 180 { 180 - 120 - 15 } else { 35 + 15 };
        assert_eq!(goes, secs(100 + 300 + waits), "{delay}");
        assert_eq!(plans[0].margin_s, Some(500 - (100 + 300 + waits as i64 + 120)), "{delay}");
        assert_eq!(plans[1].begins, Some(secs(100)), "it goes along");
        assert!(plans[1].lines.iter().any(|line| line.text.contains("with group rack")));
    }
}

#[test]
fn a_plan_has_no_cut_before_this_host_is_off() {
    let mut policy = policy();
    policy.groups[0].begin.on_battery_for = Some(secs(100));
    policy.loads[0].longest = Some(secs(60));
    let plan = timeline(&policy, &BTreeMap::new()).remove(0);
    let at = |text: &str| plan.lines.iter().find(|line| line.text.contains(text)).and_then(|line| line.at);
    assert_eq!(at("switches its load off"), None);
    assert!(at("killpower").is_some() && at("killpower") >= at("this host is off"), "{:?}", plan.lines);
}

#[test]
fn contradictions_are_found() {
    assert_eq!(check(&policy()), vec![]);
    type Change = fn(&mut Policy);
    let cases: &[(Change, bool, &str)] = &[
        (|policy| policy.groups[0].need = 2, true, "needs 2 supplies"),
        (|policy| policy.groups[0].need = 0, true, "needs no supply"),
        (|policy| policy.groups[0].feeds.clear(), true, "no UPS feeds it"),
        (|policy| policy.groups[0].begin.low_battery = false, true, "no condition"),
        (|policy| policy.groups[0].begin.charge_below = Some(101.0), true, "out of its range"),
        (|policy| policy.host = Some(HostPlan::new("elsewhere")), true, "not there"),
        (|policy| policy.loads[0].longest = Some(secs(134)), false, "killpower"),
        (|policy| policy.loads[0].delay = secs(149), false, "time for its proof"),
        (|policy| policy.loads[0].on_mains = OnMains::StaysOn, false, "leaves its load on"),
        (|policy| policy.groups.push(policy.groups[0].clone()), true, "two groups"),
        (
            |policy| {
                policy.groups[0].feeds.push(GroupFeed { ups: "b".into(), supplies: 1, begin: None });
                policy.loads.push(LoadPlan { ups: "b".into(), delay: secs(170), ..policy.loads[0].clone() });
            },
            true,
            "different moments",
        ),
    ];
    for (change, grave, text) in cases {
        let mut policy = policy();
        change(&mut policy);
        let found = check(&policy);
        assert!(
            found.iter().any(|fault| fault.grave == *grave && fault.text.contains(text)),
            "{text}: {found:?}"
        );
    }
}
