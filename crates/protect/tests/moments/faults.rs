//! Faults that an earlier attempt had, and others of their kind.

use protect::*;

use crate::rig::*;

fn hostless() -> Policy {
    Policy { host: None, ..policy() }
}

/// After an outage, with the host started again: the record says who is down.
fn after_the_outage() -> Rig {
    let mut rig = Rig::new(policy());
    rig.to_host_down();
    rig.says.clear();
    rig.restart(400, Some("two"));
    rig.done.clear();
    rig
}

#[test]
fn time_on_battery_outlives_kill_9() {
    for (gap, begins) in [(10, true), (700, false)] {
        let mut policy = policy();
        policy.groups[0].begin.on_battery_for = Some(secs(100));
        let mut rig = Rig::new(policy);
        rig.calm();
        rig.status("a", BATTERY);
        rig.pass(80);
        rig.restart(gap, None);
        rig.pass(25);
        assert_eq!(rig.phase() == Phase::Stages, begins, "{gap}");
    }
}

#[test]
fn time_on_battery_outlives_a_reload() {
    let mut policy = policy();
    policy.groups[0].begin.on_battery_for = Some(secs(100));
    let mut rig = Rig::new(policy.clone());
    rig.calm();
    rig.status("a", BATTERY);
    rig.pass(80);
    policy.groups[0].begin.on_battery_for = Some(secs(90));
    let actions = rig.machine.reconfigure(secs(rig.now), policy);
    assert!(!actions.iter().any(ProtectAction::is_acting));
    rig.pass(11);
    assert_eq!(rig.phase(), Phase::Stages);
}

#[test]
fn a_blip_after_a_long_gap_is_no_end_of_a_long_outage() {
    let mut policy = policy();
    policy.groups[0].begin.on_battery_for = Some(secs(100));
    let mut rig = Rig::new(policy);
    rig.calm();
    rig.status("a", BATTERY);
    rig.pass(98);
    rig.restart(300, None);
    rig.pass(20);
    assert_eq!(rig.phase(), Phase::Watching);
    rig.pass(15);
    assert_eq!(rig.phase(), Phase::Stages);
}

#[test]
fn a_word_from_before_the_restart_decides_nothing() {
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.status("a", BATTERY);
    rig.pass(10);
    rig.says.clear();
    rig.restart(5, None);
    let old = PowerView { read_at: secs(rig.now - 5), ..view(LOW) };
    for _ in 0..100 {
        rig.event(ProtectEvent::View { ups: "a".into(), view: old.clone() });
        rig.pass(1);
    }
    assert_eq!(rig.phase(), Phase::Watching);
}

#[test]
fn a_process_that_was_stopped_decides_by_new_readings() {
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.status("a", LOW);
    rig.pass(3);
    rig.now += 3000;
    let old = PowerView { read_at: secs(rig.now - 20), ..view(LOW) };
    rig.event(ProtectEvent::View { ups: "a".into(), view: old });
    assert_eq!(rig.phase(), Phase::Watching);
    rig.status("a", MAINS);
    rig.pass(100);
    assert_eq!(rig.phase(), Phase::Watching);
}

#[test]
fn another_unit_in_its_place_begins_anew() {
    let mut policy = policy();
    policy.groups[0].begin.on_battery_for = Some(secs(100));
    let mut rig = Rig::new(policy);
    let unit = |name: &str| PowerView { unit: Some(name.into()), ..view(BATTERY) };
    rig.calm();
    rig.says("a", unit("first"));
    rig.pass(80);
    rig.says("a", unit("second"));
    rig.pass(80);
    assert_eq!(rig.phase(), Phase::Watching);
    rig.pass(20);
    assert_eq!(rig.phase(), Phase::Stages);
}

#[test]
fn a_ups_that_is_taken_away_in_the_middle_stops_nothing_and_begins_nothing() {
    let mut rig = Rig::new(policy());
    rig.to_stages();
    rig.says.clear();
    rig.event(ProtectEvent::UpsGone { ups: "a".into() });
    rig.logins("apps", &[]);
    rig.pass(2);
    for _ in 0..3 {
        rig.ordered(OrderOutcome::NotSent);
        rig.pass(3);
    }
    assert_eq!(rig.host_downs(), 1);
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.status("a", BATTERY);
    rig.pass(10);
    rig.says.clear();
    rig.event(ProtectEvent::UpsGone { ups: "a".into() });
    rig.pass(600);
    assert_eq!(rig.phase(), Phase::Watching);
}

#[test]
fn an_order_is_not_sent_again_after_a_restart() {
    let mut rig = Rig::new(policy());
    rig.to_ordering();
    rig.restart(3, None);
    assert_eq!((rig.phase(), rig.signal("apps")), (Phase::Ordering, Some(StageSignal::Forced)));
    rig.pass(20);
    assert_eq!((rig.orders(), rig.host_downs()), (1, 1));
    rig.restart(3, None);
    assert_eq!((rig.orders(), rig.host_downs()), (1, 2), "the command may never have been run");
    rig.status("a", MAINS);
    rig.restart(400, Some("two"));
    rig.pass(600);
    assert_eq!((rig.orders(), rig.host_downs()), (1, 2));
}

#[test]
fn a_host_that_logs_in_again_is_waited_for_once() {
    let mut policy = policy();
    policy.groups[0].stages.push(StagePlan { wake: vec![], ..StagePlan::new("files") });
    let mut rig = Rig::new(policy);
    rig.logins("files", &["nas"]);
    rig.to_stages();
    rig.logins("apps", &[]);
    rig.pass(5);
    rig.logins("apps", &["web"]);
    rig.pass(5);
    rig.logins("files", &[]);
    rig.pass(40);
    assert_eq!(rig.orders(), 0, "it runs again");
    assert_eq!(rig.signal("apps"), Some(StageSignal::Forced), "and sees that it has to go");
    rig.logins("apps", &[]);
    rig.pass(1);
    assert_eq!(rig.orders(), 1);
}

#[test]
fn a_forced_shutdown_of_our_own_is_no_reason() {
    // a server that shows its own signal to itself by mistake
    let mut rig = Rig::new(policy());
    rig.to_stages();
    rig.status("a", "FSD OL");
    rig.pass(40);
    let mut rig = Rig::new(policy());
    rig.status("a", "FSD OL");
    rig.pass(200);
    assert_eq!(rig.phase(), Phase::Watching, "it was there from the start");
    rig.status("a", MAINS);
    rig.pass(2);
    rig.status("a", "FSD OL");
    rig.pass(5);
    assert_eq!(rig.reason(), Some(Reason::Forced { ups: "a".into() }), "another program forced it");
}

#[test]
fn a_second_outage_while_hosts_come_back() {
    let mut rig = after_the_outage();
    let few = |status| PowerView { charge: Some(20.0), runtime: Some(secs(60)), ..view(status) };
    rig.says("a", few(MAINS));
    rig.pass(300);
    assert_eq!((rig.phase(), rig.wakes()), (Phase::Recovering, 0), "not enough for another shutdown");
    rig.says("a", few(BATTERY));
    rig.pass(4);
    assert_eq!(rig.phase(), Phase::Recovering);
    rig.pass(1);
    assert_eq!(rig.reason(), Some(Reason::Again { ups: "a".into() }));
    let report = rig.machine.report();
    assert_eq!(report.groups[0].down.len(), 1, "who was down still is");
}

#[test]
fn hosts_are_woken_when_mains_and_battery_carry_them() {
    let mut rig = after_the_outage();
    let full = PowerView { runtime: Some(secs(3000)), ..view(MAINS) };
    rig.says("a", full);
    rig.pass(29);
    assert_eq!(rig.wakes(), 0);
    // an order of the former boot could still cut the load until 180 s and 60 s after the start
    rig.pass(240 - 20 - 29 - 1);
    assert_eq!(rig.wakes(), 0);
    rig.pass(1);
    assert_eq!(rig.wakes(), 1);
    rig.pass(59);
    assert_eq!(rig.wakes(), 1);
    rig.pass(1);
    assert_eq!(rig.wakes(), 2);
    rig.logins("apps", &["web"]);
    rig.pass(1);
    assert_eq!(rig.phase(), Phase::Watching);
    rig.pass(600);
    assert_eq!(rig.wakes(), 2);
}

#[test]
fn tries_to_wake_end_and_it_is_said() {
    let mut rig = after_the_outage();
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(240 + 5 * 60 + 5);
    assert_eq!((rig.wakes(), rig.phase()), (5, Phase::Watching));
    let said = |action: &ProtectAction| matches!(action, ProtectAction::Say(remark) if remark.alarm && remark.text.contains("web"));
    assert_eq!(rig.count(said), 1);
}

#[test]
fn hosts_are_woken_in_the_end_whatever_the_ups_says_or_does_not() {
    for (status, at) in [(Some(MAINS), 900), (None, 6 * 3600)] {
        let mut rig = after_the_outage();
        if let Some(status) = status {
            rig.status("a", status);
        }
        rig.pass(at - 1);
        assert_eq!(rig.wakes(), 0, "{status:?}");
        rig.pass(2);
        assert_eq!(rig.wakes(), 1, "{status:?}");
    }
}

#[test]
fn tries_that_were_in_vain_while_the_ups_was_silent_are_not_the_last() {
    let mut rig = after_the_outage();
    rig.pass(6 * 3600 + 600);
    assert_eq!((rig.wakes(), rig.phase()), (5, Phase::Recovering));
    rig.pass(3600);
    assert_eq!(rig.wakes(), 5, "the outage may last");
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(31);
    assert_eq!(rig.wakes(), 6);
}

#[test]
fn hosts_of_a_group_that_is_not_configured_any_more_are_woken() {
    let mut rig = Rig::new(policy());
    rig.to_host_down();
    rig.policy.groups[0].name = "other".into();
    rig.policy.host = None;
    rig.restart(400, Some("two"));
    rig.pass(599);
    assert_eq!(rig.wakes(), 0);
    rig.pass(2);
    assert_eq!(rig.wakes(), 1);
}

#[test]
fn a_flag_of_the_last_boot_is_taken_away() {
    let mut rig = Rig::new(policy());
    rig.to_host_down();
    rig.done.clear();
    rig.restart(100, Some("two"));
    assert!(rig.done.contains(&ProtectAction::SecondChance { upses: vec![] }));
    assert!(!rig.done.contains(&ProtectAction::HostDown));
}

#[test]
fn groups_that_share_a_ups_wait_for_one_another() {
    let mut policy = hostless();
    let mut other = policy.groups[0].clone();
    other.name = "other".into();
    other.begin = Begin { low_battery: false, charge_below: Some(10.0), ..Begin::default() };
    policy.groups.push(other);
    let mut rig = Rig::new(policy);
    rig.to_stages();
    rig.logins("apps", &[]);
    rig.pass(400);
    assert_eq!((rig.phase(), rig.orders()), (Phase::Settling, 0));
    rig.says("a", PowerView { charge: Some(9.0), ..view(LOW) });
    rig.pass(5 + 60 + 1);
    assert_eq!(rig.orders(), 1);
}

#[test]
fn the_group_of_the_host_takes_those_with_it_that_would_lose_their_power() {
    let mut policy = policy();
    let mut other = policy.groups[0].clone();
    other.name = "other".into();
    other.begin = Begin { low_battery: false, charge_below: Some(10.0), ..Begin::default() };
    policy.groups.push(other);
    let mut rig = Rig::new(policy);
    rig.to_stages();
    assert_eq!(rig.machine.report().groups[1].phase, Phase::Stages);
    rig.logins("apps", &[]);
    rig.pass(59);
    assert_eq!(rig.orders(), 0, "the other group has a stage that runs");
    rig.pass(2);
    assert_eq!(rig.orders(), 1);
}

#[test]
fn nobody_is_gone_because_the_process_was_started_again() {
    let mut rig = Rig::new(policy());
    rig.to_stages();
    rig.restart(2, None);
    rig.pass(1);
    assert_eq!(rig.phase(), Phase::Stages);
    rig.logins("apps", &[]);
    rig.pass(28);
    assert_eq!(rig.phase(), Phase::Stages, "clients connect anew");
    rig.pass(1);
    assert_ne!(rig.phase(), Phase::Stages);
}

#[test]
fn a_course_after_a_restart_waits_for_a_reading() {
    for (status, phase) in
        [(Some(MAINS), Phase::Paused), (Some(BATTERY), Phase::Stages), (None, Phase::Paused)]
    {
        let mut rig = Rig::new(policy());
        rig.to_stages();
        rig.says.clear();
        rig.done.clear();
        rig.restart(5, None);
        if let Some(status) = status {
            rig.status("a", status);
        }
        rig.pass(20);
        assert_eq!(rig.phase(), phase, "{status:?}");
        let told = phase == Phase::Stages;
        assert_eq!(rig.signal("apps").is_some(), told, "{status:?}");
    }
}

#[test]
fn a_course_after_a_restart_without_a_reading_goes_on_soon_or_not_at_all() {
    for (gap, phase) in [(120 - 2, Phase::Stages), (200, Phase::Recovering)] {
        let mut rig = Rig::new(policy());
        rig.to_stages();
        rig.pass(2);
        rig.says.clear();
        rig.restart(gap, None);
        rig.pass(59);
        assert_eq!(rig.phase(), Phase::Paused);
        rig.pass(1);
        assert_eq!(rig.phase(), phase, "{gap}");
    }
}

#[test]
fn a_load_that_was_cycled_shows_the_truth_again() {
    let mut rig = Rig::new(hostless());
    rig.to_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.status("a", MAINS);
    rig.pass(189);
    assert_eq!(rig.signal("apps"), Some(StageSignal::Forced));
    rig.pass(1);
    assert_eq!((rig.signal("apps"), rig.phase()), (None, Phase::Recovering));
}

#[test]
fn a_disarmed_course_ends_before_its_order_and_goes_on_after() {
    for past in [false, true] {
        let mut rig = Rig::new(policy());
        if past {
            rig.to_ordering()
        } else {
            rig.to_stages()
        }
        let actions = rig.machine.reconfigure(secs(rig.now), Policy { armed: false, ..policy() });
        assert!(!actions.iter().any(ProtectAction::is_acting));
        rig.keep(actions);
        rig.ordered(OrderOutcome::Accepted);
        rig.pass(20);
        assert_eq!(rig.host_downs(), usize::from(past));
        assert_eq!(rig.orders(), usize::from(past));
        assert_eq!(rig.signal("apps").is_some(), past);
    }
}

#[test]
fn what_was_done_dry_is_nothing_to_go_on_with() {
    let mut rig = Rig::new(Policy { armed: false, ..policy() });
    rig.to_stages();
    rig.logins("apps", &[]);
    rig.pass(40);
    assert!(!rig.done.iter().any(ProtectAction::is_acting));
    rig.policy.armed = true;
    rig.says.clear();
    rig.restart(1, None);
    rig.pass(700);
    assert_eq!(rig.phase(), Phase::Watching);
    assert!(!rig.done.iter().any(ProtectAction::is_acting));
}

#[test]
fn a_cancelled_course_that_would_leave_hosts_off_goes_on() {
    let mut policy = policy();
    policy.groups[0].stages[0].all_wakeable = false;
    let mut rig = Rig::new(policy);
    rig.to_stages();
    rig.status("a", MAINS);
    rig.pass(40);
    assert_eq!(rig.phase(), Phase::Stages);
    rig.logins("apps", &[]);
    rig.pass(2);
    assert_eq!(rig.orders(), 1);
}
