use super::super::parse;
use super::*;
use ::protect::{Begin, CancelChoice, LostMeaning, StageSignal};

const GROUP: &str = "[[protect.group]]\nname = 'rack'\nups = ['rack']\n";

fn options(text: &str) -> Box<ProtectOptions> {
    parse(text.as_bytes()).unwrap().protect.unwrap()
}

fn wrong(text: &str) -> (usize, String) {
    let findings = parse(text.as_bytes()).unwrap_err();
    assert_eq!(findings.len(), 1, "{text}: {findings:?}");
    (findings[0].line.unwrap(), findings[0].text.clone())
}

#[test]
fn without_the_table_it_is_off_and_without_arm_it_is_dry() {
    assert_eq!(parse(b"[web]\n").unwrap().protect, None);
    let options = options(GROUP);
    assert!(!options.arm && options.host.is_none() && options.expected.is_empty());
    let GroupOptions { plan, stages, load_delay } = &options.groups[0];
    assert_eq!((plan.need, plan.steady, *load_delay), (1, Duration::from_secs(30), None));
    assert_eq!((&plan.begin, plan.cancel), (&Begin::default(), CancelChoice::WhenWakeable));
    assert_eq!(plan.recovery, ::protect::RecoveryPlan::default());
    // the logins that no stage takes go down as well
    assert_eq!((plan.stages[0].name.as_str(), stages[0].takes_the_rest()), ("others", true));
    let policy = options.policy(&|_| None, &|_| OnMains::Unknown);
    assert!(!policy.armed && policy.loads.is_empty() && policy.host.is_none());
}

#[test]
fn all_of_it_is_read() {
    let text = "[protect]\narm = true\n\
        [[protect.group]]\nname = 'rack'\nups = ['a', 'b']\nneed = 2\nlost = 'wait'\ncancel = 'never'\n\
        begin = { charge_below = 40, runtime_below_s = 600, on_battery_s = 300, temperature_above = 50 }\n\
        [[protect.group.stage]]\nname = 'lab'\nusers = ['lab']\naddresses = ['192.0.2.0/24']\ntime_s = 60\n\
        [[protect.group.stage]]\nname = 'nas'\nnames = { a-nas = 'a' }\nsignal = 'lb'\nnotify = ['phone']\n\
        [[protect.group.stage.run]]\ncommand = ['/bin/true', 'x']\nlimit_s = 5\n\
        [[protect.group.stage.wake]]\nname = 'nas'\nmac = '02:00:5e:10:00:01'\naddress = '192.0.2.7'\n\
        [[protect.group.stage]]\nname = 'vm'\n[[protect.group.stage.run]]\ncommand = ['/bin/true']\n\
        [[protect.group.stage]]\nname = 'rest'\n\
        [protect.group.load]\ndelay_s = 300\n\
        [protect.group.recover]\ncharge = 30\ntries = 2\n\
        [protect.host]\nshutdown = ['/sbin/shutdown', '-h', '+0']\ndown_s = 100\n\
        [[protect.expect]]\nname = 'nas'\nups = 'a-nas'\nuser = 'nas'\npoll_s = 5\n\
        [outputs.phone]\nkind = 'exec'\ncommand = ['/bin/true']\n";
    let options = options(text);
    let GroupOptions { plan, stages, load_delay } = &options.groups[0];
    assert!(options.arm && plan.need == 2 && plan.cancel == CancelChoice::Never);
    assert_eq!((plan.begin.lost, plan.begin.charge_below), (LostMeaning::Wait, Some(40.0)));
    assert_eq!(plan.begin.runtime_below, Some(Duration::from_secs(600)));
    let names: Vec<&str> = plan.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["lab", "nas", "vm", "rest"]);
    let signals: Vec<_> = plan.stages.iter().map(|stage| stage.signal).collect();
    let (forced, low) = (Some(StageSignal::Forced), Some(StageSignal::LowBattery));
    assert_eq!(signals, [forced, low, None, forced]);
    assert_eq!(stages[1].names, [("a-nas".to_string(), "a".to_string())]);
    assert_eq!(stages[1].programs[0].command, ["/bin/true", "x"]);
    assert_eq!((plan.stages[1].programs, plan.stages[1].webhooks), (1, 1));
    assert!(stages[3].takes_the_rest() && !stages[1].takes_the_rest() && !stages[2].takes_the_rest());
    assert_eq!(*load_delay, Some(Duration::from_secs(300)));
    assert_eq!(plan.stages[1].wake[0].mac, [2, 0, 0x5e, 0x10, 0, 1]);
    assert_eq!(stages[1].wake_to, ["255.255.255.255:9".parse().unwrap()]);
    assert_eq!((plan.recovery.charge, plan.recovery.tries), (Some(30.0), 2));
    let policy = options.policy(&|_| Some(Duration::from_secs(600)), &|_| OnMains::Cycles);
    let loads: Vec<&str> = policy.loads.iter().map(|load| load.ups.as_str()).collect();
    assert_eq!((loads, policy.host.as_ref().unwrap().group.as_str()), (vec!["a", "b"], "rack"));
    assert_eq!(options.host.unwrap().plan.down.as_secs(), 100);
    assert_eq!(options.expected[0].poll, Duration::from_secs(5));
}

#[test]
fn what_is_wrong_or_contradicts_is_said_with_its_line() {
    let stage = "[[protect.group.stage]]\nname = 's'\n";
    for (more, line, part) in [
        ("need = 2\n", 4, "down for ever"),
        ("lost = 'maybe'\n", 4, "\"shutdown\" or \"wait\""),
        ("upss = 1\n", 4, "did you mean ups?"),
        ("begin = true\n", 4, "begin is a table"),
        ("begin = { low_battery = false }\n", 4, "nothing by which protection begins"),
        ("begin = { runtime_below = 1 }\n", 4, "did you mean runtime_below_s?"),
        ("stage = { name = 'x' }\n", 4, "double brackets"),
        ("[[protect.group.stage]]\ntime_s = 4\n", 5, "[[protect.group.stage]] has no name"),
        (&format!("{stage}addresses = ['host']\n"), 6, "192.0.2.7"),
        (&format!("{stage}names = {{ x = 'other' }}\n"), 6, "does not feed this group"),
        (&format!("{stage}names = {{ Rack = 'rack' }}\n"), 6, "names a UPS already"),
        (&format!("{stage}signal = 'off'\n"), 6, "\"fsd\" or \"lb\""),
        (&format!("{stage}notify = ['phone']\n"), 6, "[outputs.phone]"),
        (&format!("{stage}users = ['a']\n{stage}users = ['b']\n"), 8, "called s already"),
        (&format!("{stage}[[protect.group.stage]]\nname = 't'\nusers = ['b']\n"), 5, "write it last"),
        (&format!("{stage}[[protect.group.stage.run]]\ncommand = ['ls']\n"), 7, "whole path"),
        ("[protect.group.load]\ncommand = 'a b'\n", 5, "no key command"),
        (
            &format!("{stage}[[protect.group.stage.wake]]\nname = 'n'\nmac = '01:00:00:00:00:01'\n"),
            8,
            "no MAC address",
        ),
        (
            &format!("{stage}[[protect.group.stage.wake]]\nname = 'n'\n"),
            7,
            "[[protect.group.stage.wake]] has no address",
        ),
        ("cancel = 'sometimes'\n", 4, "\"wakeable\", \"always\""),
        ("[[protect.group.stage]]\nname = 'others'\nusers = ['a']\n", 5, "write another name"),
        ("[protect.group.load]\ndelay_s = 60\n[protect.host]\ndown_s = 60\n", 5, "write delay_s above 60"),
        ("[protect.host]\ngroup = 'rock'\n", 5, "did you mean rack?"),
        ("[protect.host]\nshutdown = 'halt'\n", 5, "\"logind\""),
        ("[[protect.group]]\nname = 'rack'\nups = ['b']\n", 5, "a group is called rack already"),
        ("[[protect.group]]\nname = 'r'\nups = ['RACK']\n", 6, "feeds another group already"),
        ("[[protect.expect]]\nname = 'n'\nups = 'rack'\n", 5, "which host is expected"),
    ] {
        let (found, said) = wrong(&format!("{GROUP}{more}"));
        assert!(said.contains(part) && !said.contains('\n'), "{more}: {said}");
        assert_eq!(found, line, "{more}: {said}");
    }
    let (line, said) = wrong("[protect]\narm = true\n");
    assert_eq!((line, said.contains("protects nothing")), (1, true), "{said}");
    let failing =
        format!("[protect]\narm = true\n{GROUP}begin = {{ low_battery = false, failing = true }}\n");
    let (line, said) = wrong(&failing);
    assert_eq!((line, said.contains("cannot be armed")), (2, true), "{said}");
    let (line, said) = wrong("[protect]\narm = 'yes'\n[[protect.group]]\nname='a'\nups=['a']\n");
    assert_eq!((line, said.contains("arm = true")), (2, true), "{said}");
}
