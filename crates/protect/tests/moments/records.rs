//! Records: written and read again, damaged, torn.

use protect::*;

use crate::rig::*;

fn record() -> ProtectRecord {
    let mut policy = policy();
    policy.groups[0].name = "räck 1 %\n".into();
    policy.groups[0].stages[0].programs = 2;
    policy.host = Some(HostPlan::new("räck 1 %\n"));
    let mut rig = Rig::new(policy);
    rig.status("a", MAINS);
    rig.logins("apps", &["web"]);
    rig.pass(60);
    rig.status("a", LOW);
    rig.pass(200);
    rig.machine.record()
}

#[test]
fn a_record_is_the_same_when_it_is_read() {
    let record = record();
    let text = record.to_text();
    assert!(text.is_ascii() && text.lines().count() > 4, "{text}");
    assert_eq!(ProtectRecord::read(&text), (record, None));
    assert_eq!(ProtectRecord::read(""), (ProtectRecord::default(), None));
}

#[test]
fn a_record_that_was_torn_is_read_up_to_there() {
    let text = record().to_text();
    for end in 1..text.len() {
        let (_, fault) = ProtectRecord::read(&text[..end]);
        assert!(fault.is_some(), "{end}");
    }
    let two: String = text.split_inclusive('\n').take(3).collect();
    assert!(!ProtectRecord::read(&two).0.is_empty());
}

#[test]
fn a_letter_that_changed_is_seen() {
    let text = record().to_text();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(ProtectRecord::read(&changed).1.is_some(), "{at}");
    }
}

#[test]
fn any_text_is_taken() {
    for text in ["\n", " \n", "=", "qxups-protect-2 x", "end\n", "\0\0\0\0", "course = - - #\n", "é\n"] {
        let (record, fault) = ProtectRecord::read(text);
        assert!(record.is_empty() && fault.is_some(), "{text:?}");
    }
}

#[test]
fn the_hook_may_act_only_while_this_host_goes_down_in_this_boot() {
    let mut rig = Rig::new(policy());
    rig.until_ordering();
    assert!(!rig.disk.host_goes_down("one"));
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(15);
    assert!(rig.disk.host_goes_down("one") && !rig.disk.host_goes_down("two"));
    rig.restart(100, Some("two"));
    assert!(!rig.disk.host_goes_down("two"));
}

/// A unit of systemd with ProcSubset=pid hides the boot's name. A host that is up for longer than the former boot was is then
/// not sent down again.
#[test]
fn where_boots_have_no_name_the_clocks_tell_them_apart() {
    let unnamed = |now: u64, wall_s: u64, record: &ProtectRecord| {
        let start = Start { now: secs(now), boot: String::new(), wall_s };
        let (machine, actions) = Machine::new(policy(), record, &start);
        let down = actions.iter().any(|action| matches!(action, ProtectAction::HostDown));
        (machine.report().groups[0].phase, down)
    };
    let mut rig = Rig::new(policy());
    rig.restart(0, Some(""));
    let begun = rig.now;
    rig.until_ordering();
    rig.ordered(OrderOutcome::Accepted);
    rig.pass(15);
    assert_eq!(rig.phase(), Phase::HostDown);
    let (now, wall_s) = (rig.now, 5000 + rig.now - begun);
    assert_eq!(unnamed(now + 5, wall_s + 5, &rig.disk), (Phase::HostDown, true), "killed, and started again");
    let (phase, down) = unnamed(now + 5, wall_s + 300, &rig.disk);
    assert!(phase != Phase::HostDown && !down, "{phase:?}");
}

#[test]
fn the_record_comes_before_what_it_is_about() {
    let start = Start { now: secs(1000), boot: "one".into(), wall_s: 0 };
    let (mut machine, _) = Machine::new(policy(), &ProtectRecord::default(), &start);
    for second in 1001..1400 {
        let view = PowerView { read_at: secs(second), ..view(LOW) };
        let actions = machine.handle(secs(second), ProtectEvent::View { ups: "a".into(), view });
        let acting = actions.iter().position(ProtectAction::is_acting);
        let kept = actions.iter().position(|action| matches!(action, ProtectAction::Keep(_)));
        if let Some(acting) = acting {
            assert!(kept.is_some_and(|kept| kept < acting), "{actions:?}");
        }
    }
}

/// Files of each version as the programs wrote them, and one of a program to come, which need not be drawn as this is.
#[test]
fn records_of_all_versions_are_read_and_a_newer_one_is_named() {
    let (record, fault) = ProtectRecord::read(include_str!("../../../testbed/state/protect-1"));
    assert!(fault.is_none() && !record.is_empty(), "{fault:?}");
    for (text, version) in [("qxups-protect-2 {\"a\": 1}\n", 2), ("qxups-protect-99999999999\n\0", u32::MAX)]
    {
        let (record, fault) = ProtectRecord::read(text);
        assert_eq!(fault, Some(RecordFault::Newer(version)));
        let said = fault.unwrap().to_string();
        assert!(record.is_empty() && said.contains("a newer qxups") && !said.contains('\n'), "{said}");
    }
    assert_eq!(
        ProtectRecord::read("qxups-protect-0 x\n").1.map(|fault| fault.to_string().contains("newer")),
        Some(false)
    );
}
