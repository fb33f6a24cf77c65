//! Each bound just below, at and above.

use protect::*;

use crate::rig::*;

/// After how many seconds of these readings a course begins; `None` in an hour.
fn begins_after(change: impl Fn(&mut Begin), view: PowerView) -> Option<u64> {
    let mut policy = policy();
    policy.groups[0].begin.low_battery = false;
    change(&mut policy.groups[0].begin);
    let mut rig = Rig::new(policy);
    rig.calm();
    rig.says("a", view);
    for second in 0..1000 {
        if rig.phase() == Phase::Stages {
            return Some(second);
        }
        rig.pass(1);
    }
    None
}

#[test]
fn a_condition_holds_after_its_confirmation_and_not_before() {
    let low = |begin: &mut Begin| begin.low_battery = true;
    assert_eq!(begins_after(low, view(LOW)), Some(5));
    let longer = |begin: &mut Begin| (begin.low_battery, begin.confirm) = (true, secs(17));
    assert_eq!(begins_after(longer, view(LOW)), Some(17));
    assert_eq!(begins_after(low, view(BATTERY)), None, "on battery alone");
    assert_eq!(begins_after(low, view("OL LB CHRG")), None, "low on mains, as after an outage");
    assert_eq!(begins_after(low, view("OB LB CAL")), None, "a self test");
}

#[test]
fn a_blip_that_is_a_second_too_short_begins_nothing() {
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.status("a", LOW);
    rig.pass(4);
    rig.status("a", MAINS);
    rig.pass(2);
    rig.status("a", LOW);
    rig.pass(4);
    assert_eq!(rig.phase(), Phase::Watching);
    rig.pass(1);
    assert_eq!(rig.phase(), Phase::Stages);
}

#[test]
fn one_reading_is_none_however_long_it_stands() {
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.status("a", LOW);
    rig.says.clear();
    rig.pass(50);
    assert_eq!(rig.phase(), Phase::Watching);
}

#[test]
fn charge_and_runtime_count_below_their_bound() {
    let charge = |charge| PowerView { charge: Some(charge), ..view(BATTERY) };
    let below = |begin: &mut Begin| begin.charge_below = Some(30.0);
    assert_eq!(begins_after(below, charge(29.9)), Some(5));
    assert_eq!(begins_after(below, charge(30.0)), None);
    assert_eq!(begins_after(below, PowerView { charge: Some(5.0), ..view(MAINS) }), None);
    assert_eq!(begins_after(below, view(BATTERY)), None, "no charge is no low charge");
    let runtime =
        |runtime, sure| PowerView { runtime: Some(secs(runtime)), runtime_confidence: sure, ..view(BATTERY) };
    let below = |begin: &mut Begin| begin.runtime_below = Some(secs(300));
    assert_eq!(begins_after(below, runtime(299, 1.0)), Some(5));
    assert_eq!(begins_after(below, runtime(300, 1.0)), None);
    assert_eq!(begins_after(below, runtime(10, 0.49)), None, "not sure enough");
    assert_eq!(begins_after(below, runtime(10, 0.5)), Some(5));
}

#[test]
fn time_on_battery_counts_from_its_bound() {
    let long = |begin: &mut Begin| begin.on_battery_for = Some(secs(100));
    assert_eq!(begins_after(long, view(BATTERY)), Some(100));
    assert_eq!(begins_after(|begin| begin.on_battery_for = Some(secs(0)), view(BATTERY)), Some(5), "a blip");
    assert_eq!(begins_after(long, view("OB CAL")), None);
}

#[test]
fn time_on_battery_ends_with_steady_mains_and_not_with_a_blink_of_them() {
    for (blink, begins) in [(29, true), (31, false)] {
        let mut policy = policy();
        policy.groups[0].begin.on_battery_for = Some(secs(100));
        let mut rig = Rig::new(policy);
        rig.calm();
        rig.status("a", BATTERY);
        rig.pass(60);
        rig.status("a", MAINS);
        rig.pass(blink);
        rig.status("a", BATTERY);
        rig.pass(45);
        assert_eq!(rig.phase() == Phase::Stages, begins, "{blink}");
    }
}

#[test]
fn what_can_hold_on_mains_takes_half_a_minute_and_was_seen_not_to_hold() {
    let warm = |celsius| PowerView { temperature: Some(celsius), ..view(MAINS) };
    let above = |begin: &mut Begin| begin.temperature_above = Some(45.0);
    assert_eq!(begins_after(above, warm(45.0)), None);
    assert_eq!(begins_after(above, warm(45.1)), Some(30));
    let failing = PowerView { failing: true, ..view(MAINS) };
    assert_eq!(begins_after(|begin| begin.failing = true, failing.clone()), Some(30));
    assert_eq!(begins_after(|_| {}, failing), None);
    let mut policy = policy();
    policy.groups[0].begin.temperature_above = Some(45.0);
    let mut rig = Rig::new(policy);
    rig.says("a", warm(50.0));
    rig.pass(500);
    assert_eq!(rig.phase(), Phase::Watching, "warm from the start: hosts that come back would go down again");
}

#[test]
fn off_begins_nothing_by_itself() {
    assert_eq!(begins_after(|begin| begin.off_for = Some(secs(30)), view("OFF")), None);
}

#[test]
fn a_ups_that_falls_silent_on_battery_is_lost_after_its_time_or_by_choice_never() {
    for (last, lost, begins) in [
        (BATTERY, LostMeaning::Shutdown(secs(15)), Some(15)),
        (BATTERY, LostMeaning::Wait, None),
        (MAINS, LostMeaning::Shutdown(secs(15)), None),
        ("OB CAL", LostMeaning::Shutdown(secs(15)), None),
    ] {
        let stale = |begin: &mut Begin| begin.lost = lost;
        let mut policy = policy();
        stale(&mut policy.groups[0].begin);
        let mut rig = Rig::new(policy);
        rig.calm();
        rig.status("a", last);
        rig.pass(3);
        rig.says("a", PowerView { fresh: false, ..view(last) });
        let mut after = None;
        for second in 0..200 {
            if rig.phase() == Phase::Stages {
                after = Some(second);
                break;
            }
            rig.pass(1);
        }
        assert_eq!(after, begins, "{last} {lost:?}");
    }
}

#[test]
fn a_ups_that_was_never_read_begins_nothing() {
    let mut rig = Rig::new(policy());
    rig.says("a", PowerView { fresh: false, ..view(LOW) });
    rig.pass(600);
    assert_eq!(rig.phase(), Phase::Watching);
}

#[test]
fn a_reading_is_one_for_a_minute() {
    let mut rig = Rig::new(policy());
    rig.calm();
    rig.says.clear();
    rig.pass(60);
    let on_mains = |rig: &Rig| rig.machine.report().groups[0].supplies;
    assert_eq!(on_mains(&rig), (1, 1), "silence on mains is no reason");
    rig.pass(100);
    assert_eq!(on_mains(&rig), (1, 1));
}

#[test]
fn need_of_two_feeds() {
    for (need, begins) in [(1, false), (2, true)] {
        let mut policy = policy();
        policy.groups[0].feeds.push(GroupFeed { ups: "b".into(), supplies: 1, begin: None });
        policy.groups[0].need = need;
        let mut rig = Rig::new(policy);
        rig.status("b", MAINS);
        rig.calm();
        rig.status("a", LOW);
        rig.pass(100);
        assert_eq!(rig.phase() != Phase::Watching, begins, "{need}");
    }
}

#[test]
fn a_stage_ends_when_its_clients_are_gone_or_its_time_is_over() {
    let mut rig = Rig::new(policy());
    rig.until_stages();
    assert_eq!(rig.signal("apps"), Some(StageSignal::Forced));
    rig.pass(59);
    assert_eq!(rig.phase(), Phase::Stages);
    rig.pass(1);
    assert_ne!(rig.phase(), Phase::Stages);
    let mut rig = Rig::new(policy());
    rig.until_stages();
    rig.logins("apps", &[]);
    assert_ne!(rig.phase(), Phase::Stages);
}

#[test]
fn the_order_waits_until_hosts_are_off_before_the_cut() {
    for (down, waits) in [(180, 0), (181, 1), (200, 20)] {
        let mut policy = policy();
        policy.groups[0].stages[0].down = secs(down);
        let mut rig = Rig::new(policy);
        rig.until_stages();
        rig.logins("apps", &[]);
        let before = rig.now;
        while rig.orders() == 0 {
            rig.pass(1);
        }
        assert_eq!(rig.now - before, waits, "{down}");
    }
}

#[test]
fn the_host_waits_for_the_proof_and_no_longer() {
    let mut rig = Rig::new(policy());
    rig.until_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(14);
    assert_eq!(rig.host_downs(), 0);
    rig.pass(1);
    assert_eq!(rig.host_downs(), 1);
    let mut rig = Rig::new(policy());
    rig.until_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(2);
    rig.says("a", PowerView { will_switch_off: Some(true), ..view(LOW) });
    assert_eq!(rig.host_downs(), 1);
    assert!(rig.done.contains(&ProtectAction::SecondChance { upses: vec![] }));
    assert!(!rig.done.contains(&ProtectAction::SecondChance { upses: vec!["a".into()] }));
}

#[test]
fn the_host_goes_in_time_whatever_the_proof_says() {
    let mut policy = policy();
    // 120 s for the host and 15 s in hand: 6 s after the order it has to go
    policy.loads[0].delay = secs(141);
    let mut rig = Rig::new(policy);
    rig.until_ordering();
    rig.pass(5);
    assert_eq!(rig.host_downs(), 0);
    rig.pass(1);
    assert_eq!(rig.host_downs(), 1);
}

#[test]
fn an_order_that_cannot_outlast_the_host_is_left_to_the_hook() {
    for (delay, orders) in [(135, 1), (134, 0)] {
        let mut policy = policy();
        policy.loads[0].longest = Some(secs(delay));
        let mut rig = Rig::new(policy);
        rig.until_stages();
        rig.logins("apps", &[]);
        rig.pass(20);
        assert_eq!((rig.orders(), rig.host_downs()), (orders, 1), "{delay}");
        assert!(rig.done.contains(&ProtectAction::SecondChance { upses: vec!["a".into()] }));
    }
}

#[test]
fn a_refused_order_is_tried_again_and_its_tries_end() {
    let mut rig = Rig::new(policy());
    rig.until_ordering();
    for attempt in 1..=3 {
        assert_eq!(rig.orders(), attempt);
        rig.ordered(OrderOutcome::Refused);
        rig.pass(2);
        assert_eq!(rig.orders(), attempt);
        rig.pass(1);
    }
    assert_eq!((rig.orders(), rig.host_downs()), (3, 1));
}

#[test]
fn an_order_without_an_outcome_is_not_confirmed_after_its_time() {
    let mut policy = policy();
    policy.loads[0].delay = secs(600);
    let mut rig = Rig::new(policy);
    rig.until_ordering();
    rig.pass(35 + 14);
    assert_eq!(rig.host_downs(), 0);
    rig.pass(1);
    assert_eq!((rig.orders(), rig.host_downs()), (1, 1));
}

#[test]
fn mains_end_a_course_once_they_are_steady() {
    let mut rig = Rig::new(policy());
    rig.until_stages();
    rig.status("a", MAINS);
    rig.pass(29);
    assert_eq!(rig.phase(), Phase::Stages);
    rig.pass(1);
    assert_eq!((rig.phase(), rig.signal("apps")), (Phase::Recovering, None));
    assert_eq!(rig.orders(), 0);
}

#[test]
fn a_failed_shutdown_command_is_run_again() {
    let mut rig = Rig::new(policy());
    rig.until_host_down();
    rig.event(ProtectEvent::HostShutdown { done: false });
    rig.pass(9);
    assert_eq!(rig.host_downs(), 1);
    rig.pass(1);
    assert_eq!(rig.host_downs(), 2);
}

#[test]
fn a_host_that_did_not_go_down_comes_back_or_tries_again() {
    // 16 s after the order; 120 s for the host, 60 s in hand; 180 s and 60 s for the cut
    for (status, phase) in [(MAINS, Phase::Recovering), (LOW, Phase::Ordering)] {
        let mut rig = Rig::new(policy());
        rig.until_host_down();
        rig.status("a", status);
        rig.pass(224);
        assert_eq!(rig.phase(), Phase::HostDown);
        rig.pass(2);
        assert_eq!(rig.phase(), phase);
        assert_eq!(rig.orders(), if status == LOW { 2 } else { 1 });
    }
}
