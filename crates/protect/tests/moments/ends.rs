//! Ends of courses: nothing goes down in vain, and no host stays off that could be up.

use protect::*;

use crate::rig::*;

fn hostless() -> Policy {
    Policy { host: None, ..policy() }
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
