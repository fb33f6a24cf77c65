//! Ends of courses: nothing goes down in vain, and no host stays off that could be up.

use protect::*;

use crate::rig::*;

fn hostless() -> Policy {
    Policy { host: None, ..policy() }
}

/// Its host cannot be woken: it comes back only by a load that is cycled.
fn asleep() -> Policy {
    let mut policy = policy();
    policy.groups[0].stages[0].all_wakeable = false;
    policy.groups[0].stages[0].wake = vec![];
    policy
}

#[test]
fn mains_that_are_back_send_nobody_down_for_a_load_that_is_not_cycled() {
    let no_load = Policy { loads: vec![], ..asleep() };
    let mut stays_on = asleep();
    stays_on.loads[0].on_mains = OnMains::StaysOn;
    for policy in [no_load, stays_on] {
        for restart in [false, true] {
            let mut rig = Rig::new(policy.clone());
            rig.until_stages();
            if restart {
                rig.says.clear();
                rig.restart(3, None);
            }
            rig.status("a", MAINS);
            rig.pass(40);
            rig.logins("apps", &[]);
            rig.pass(400);
            assert_eq!((rig.orders(), rig.host_downs()), (0, 0), "{policy:?}");
            assert_eq!(rig.signal("apps"), None);
            let is_alarm = |action: &ProtectAction| matches!(action, ProtectAction::Say(remark) if remark.alarm && remark.text.contains("switch them on"));
            assert_eq!(rig.count(is_alarm), 1, "who stays off is said");
        }
    }
}

#[test]
fn this_host_does_not_go_down_on_mains_for_an_order_that_is_refused() {
    let mut rig = Rig::new(asleep());
    rig.until_ordering();
    rig.status("a", MAINS);
    for _ in 0..3 {
        rig.ordered(OrderOutcome::Refused);
        rig.pass(3);
    }
    rig.pass(60);
    assert_eq!((rig.orders(), rig.host_downs()), (3, 0));
    assert_eq!(rig.signal("apps"), None);
    // on battery it goes, as the hook may have more luck
    let mut rig = Rig::new(asleep());
    rig.until_ordering();
    rig.status("a", MAINS);
    for _ in 0..3 {
        rig.ordered(OrderOutcome::Refused);
        rig.pass(3);
    }
    rig.pass(3);
    rig.status("a", LOW);
    rig.pass(1);
    assert_eq!(rig.host_downs(), 1);
}

#[test]
fn an_order_that_was_lost_is_given_again() {
    for killed in [false, true] {
        let mut rig = Rig::new(hostless());
        rig.until_ordering();
        if killed {
            rig.restart(3, None);
        } else {
            rig.ordered(OrderOutcome::NotConfirmed);
        }
        // the cut is due 180 s after the order, and a minute in hand
        rig.pass(236);
        assert_eq!(rig.orders(), 1, "{killed}");
        rig.pass(5);
        assert_eq!(rig.orders(), 2, "{killed}: it is on battery still");
    }
    // one that was confirmed, or that falls silent, is not
    let mut rig = Rig::new(hostless());
    rig.until_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(400);
    assert_eq!(rig.orders(), 1);
}

#[test]
fn battery_low_that_comes_and_goes_is_not_missed() {
    for (other, phase) in [(BATTERY, Phase::Stages), (MAINS, Phase::Watching)] {
        let mut rig = Rig::new(policy());
        rig.calm();
        for _ in 0..5 {
            rig.status("a", LOW);
            rig.pass(1);
            rig.status("a", other);
            rig.pass(1);
        }
        assert_eq!(rig.phase(), phase, "{other}");
    }
    // once, or seldom, it is a blip
    let mut rig = Rig::new(policy());
    rig.calm();
    for _ in 0..20 {
        rig.status("a", LOW);
        rig.pass(1);
        rig.status("a", BATTERY);
        rig.pass(6);
    }
    assert_eq!(rig.phase(), Phase::Watching);
}

/// A host that hangs keeps its connection, and with it its login, when its power is gone.
#[test]
fn a_login_from_before_the_cut_is_no_host_that_is_back() {
    let mut rig = Rig::new(hostless());
    rig.until_stages();
    rig.pass(61);
    assert_eq!(rig.phase(), Phase::Ordering, "it had its time");
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(170);
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(100);
    let is_back = |action: &ProtectAction| matches!(action, ProtectAction::Say(remark) if remark.text.contains("is back"));
    assert_eq!((rig.count(is_back), rig.phase()), (0, Phase::Recovering));
    rig.logins("apps", &[]);
    rig.pass(5);
    assert!(rig.wakes() > 0);
    rig.logins("apps", &["web"]);
    rig.pass(1);
    assert_eq!((rig.count(is_back), rig.phase()), (1, Phase::Watching));
}

#[test]
fn a_login_after_the_start_of_this_host_is_a_host_that_is_back() {
    let mut rig = Rig::new(policy());
    rig.until_host_down();
    rig.says.clear();
    rig.restart(400, Some("two"));
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(60);
    rig.logins("apps", &["web"]);
    rig.pass(170);
    assert_eq!((rig.wakes(), rig.phase()), (0, Phase::Watching));
}

#[test]
fn a_login_that_outlives_the_cut_is_a_host_that_runs() {
    let mut rig = Rig::new(hostless());
    rig.until_stages();
    rig.pass(61);
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(170);
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(200);
    assert_eq!(rig.phase(), Phase::Watching);
}

/// Two groups with a UPS each; this host belongs to the first.
fn two() -> Policy {
    let mut policy = policy();
    let mut other = policy.groups[0].clone();
    other.name = "other".into();
    other.feeds[0].ups = "b".into();
    other.stages[0].time = secs(600);
    policy.groups.push(other);
    policy.loads.push(LoadPlan { ups: "b".into(), ..policy.loads[0].clone() });
    policy
}

#[test]
fn a_blip_takes_no_group_with_that_of_the_host() {
    let mut rig = Rig::new(two());
    rig.status("b", MAINS);
    rig.until_stages();
    rig.status("b", BATTERY);
    rig.pass(3);
    rig.status("b", MAINS);
    rig.pass(10);
    assert_eq!(rig.machine.report().groups[1].phase, Phase::Watching);
    rig.status("b", BATTERY);
    rig.pass(6);
    assert_eq!(rig.machine.report().groups[1].phase, Phase::Stages, "an outage does");
}

#[test]
fn what_is_bound_is_finished_without_arm_and_no_more_than_that() {
    let disarmed = Policy { armed: false, ..policy() };
    let mut rig = Rig::new(policy());
    rig.until_stages();
    assert!(!rig.machine.is_bound());
    rig.logins("apps", &[]);
    assert!(rig.machine.is_bound(), "an order is under way");
    let actions = rig.machine.reconfigure(secs(rig.now), disarmed.clone());
    rig.keep(actions);
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(15);
    assert_eq!(rig.host_downs(), 1);
    assert!(rig.machine.is_bound());
    // it did not go down, and the UPS did not switch off
    rig.pass(900);
    assert_eq!((rig.orders(), rig.host_downs(), rig.wakes()), (1, 1, 0));
    assert!(!rig.machine.is_bound());
    // a UPS that refuses is not ordered again, and this host stays up
    let mut rig = Rig::new(policy());
    rig.until_ordering();
    let actions = rig.machine.reconfigure(secs(rig.now), disarmed);
    rig.keep(actions);
    rig.ordered(OrderOutcome::Refused);
    rig.pass(100);
    assert_eq!((rig.orders(), rig.host_downs()), (1, 0));
    // dry, nothing ever binds
    let mut rig = Rig::new(Policy { armed: false, ..policy() });
    rig.until_stages();
    rig.logins("apps", &[]);
    for _ in 0..400 {
        rig.pass(1);
        assert!(!rig.machine.is_bound());
    }
}

/// Hosts come back, and mains fail again before they are up: nobody is logged in, and they are not gone.
#[test]
fn hosts_that_are_starting_have_the_time_of_their_stage() {
    for wait in [30, 250] {
        let mut rig = Rig::new(hostless());
        rig.until_ordering();
        rig.ordered(OrderOutcome::Accepted);
        rig.pass(170);
        rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
        rig.pass(20 + wait);
        rig.logins("apps", &["web"]);
        rig.pass(2);
        rig.logins("apps", &[]);
        rig.pass(2);
        rig.status("a", LOW);
        rig.pass(20);
        assert_eq!((rig.phase(), rig.orders()), (Phase::Stages, 1), "{wait}");
        // it is up now, and sees its signal
        rig.logins("apps", &["web"]);
        rig.pass(5);
        rig.logins("apps", &[]);
        assert_eq!(rig.orders(), 2);
    }
    // who was there, and is gone, is not waited for; nor is one that starts waited for without end
    let mut rig = Rig::new(hostless());
    rig.until_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(170);
    rig.says("a", PowerView { runtime: Some(secs(3000)), ..view(MAINS) });
    rig.pass(60);
    rig.status("a", LOW);
    rig.pass(5 + 59);
    assert_eq!(rig.orders(), 1);
    rig.pass(1);
    assert_eq!(rig.orders(), 2);
}

/// The process was stopped beyond the cut: what the UPS says then is no word on the order.
#[test]
fn an_order_whose_time_is_over_is_not_given_again_on_mains() {
    let mut rig = Rig::new(hostless());
    rig.until_ordering();
    rig.now += 200;
    rig.says("a", PowerView { will_switch_off: Some(false), ..view(MAINS) });
    rig.pass(120);
    assert_eq!((rig.orders(), rig.phase()), (1, Phase::Recovering));
}

/// Without a load nothing would start this host again: it waits whether mains stay, and a command that failed is not run then.
#[test]
fn without_a_load_this_host_does_not_go_down_on_mains() {
    let no_load = Policy { loads: vec![], ..asleep() };
    let mut rig = Rig::new(no_load.clone());
    rig.until_stages();
    rig.status("a", MAINS);
    rig.pass(2);
    rig.logins("apps", &[]);
    rig.pass(100);
    assert_eq!((rig.host_downs(), rig.phase()), (0, Phase::Recovering));
    let mut rig = Rig::new(no_load);
    rig.until_stages();
    rig.logins("apps", &[]);
    rig.pass(95);
    assert_eq!(rig.host_downs(), 1);
    rig.status("a", MAINS);
    rig.pass(30);
    rig.event(ProtectEvent::HostShutdown { done: false });
    rig.pass(100);
    assert_eq!((rig.host_downs(), rig.phase()), (1, Phase::Recovering));
}
