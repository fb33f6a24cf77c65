use super::super::parse;
use super::*;

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
    let group = &options.groups[0];
    assert_eq!((group.need, group.lost, group.cancel), (1, LostChoice::Shutdown, true));
    assert_eq!((group.dead_time.as_secs(), group.steady.as_secs()), (15, 30));
    assert!(group.begin.low_battery && !group.begin.failing && group.begin.on_battery.is_none());
    assert!(group.load.is_none() && group.wakes.is_empty() && group.stages.is_empty());
}

#[test]
fn all_of_it_is_read() {
    let text = "[protect]\narm = true\n\
        [[protect.group]]\nname = 'rack'\nups = ['a', 'b']\nneed = 2\nlost = 'wait'\ncancel = false\n\
        begin = { charge_below = 40, runtime_below_s = 600, on_battery_s = 300, temperature_above = 50 }\n\
        [[protect.group.stage]]\nname = 'lab'\nusers = ['lab']\naddresses = ['192.0.2.0/24']\ntime_s = 60\n\
        [[protect.group.stage]]\nname = 'nas'\nnames = { a-nas = 'a' }\nsignal = 'lb'\nnotify = ['phone']\n\
        [[protect.group.stage.run]]\ncommand = ['/bin/true', 'x']\nlimit_s = 5\n\
        [[protect.group.stage]]\nname = 'rest'\n\
        [protect.group.load]\ndelay_s = 300\n\
        [protect.group.recover]\ncharge = 30\ntries = 2\n\
        [[protect.group.wake]]\nname = 'nas'\nmac = '02:00:5e:10:00:01'\naddress = '192.0.2.7'\n\
        [protect.host]\nshutdown = ['/sbin/shutdown', '-h', '+0']\ndown_s = 100\n\
        [[protect.expect]]\nname = 'nas'\nups = 'a-nas'\nuser = 'nas'\npoll_s = 5\n\
        [outputs.phone]\nkind = 'exec'\ncommand = ['/bin/true']\n";
    let options = options(text);
    let group = &options.groups[0];
    assert!(options.arm && group.need == 2 && group.lost == LostChoice::Wait && !group.cancel);
    assert_eq!(group.begin.runtime_below, Some(Duration::from_secs(600)));
    let names: Vec<&str> = group.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["lab", "nas", "rest"]);
    let nas = &group.stages[1];
    assert_eq!((nas.signal, nas.names.as_slice()), (StageSignal::Lb, &[("a-nas".into(), "a".into())][..]));
    assert_eq!(nas.programs[0].command, ["/bin/true", "x"]);
    assert!(group.stages[2].takes_the_rest() && !nas.takes_the_rest());
    assert_eq!(group.load.as_ref().unwrap().command, "shutdown.return");
    assert_eq!(group.wakes[0].mac, [2, 0, 0x5e, 0x10, 0, 1]);
    assert_eq!(group.wakes[0].to, "255.255.255.255:9".parse().unwrap());
    let host = options.host.unwrap();
    assert_eq!((host.group.as_str(), host.down.as_secs()), ("rack", 100));
    assert_eq!(options.expected[0].poll, Duration::from_secs(5));
}

#[test]
fn what_is_wrong_or_contradicts_is_said_with_its_line() {
    let stage = "[[protect.group.stage]]\nname = 's'\n";
    for (more, line, part) in [
        ("need = 2\n", 4, "protection would never end"),
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
        ("[protect.group.load]\ncommand = 'a b'\n", 5, "no command"),
        ("[[protect.group.wake]]\nname = 'n'\nmac = '01:00:00:00:00:01'\nuser = 'u'\n", 6, "no MAC address"),
        ("[[protect.group.wake]]\nname = 'n'\nmac = '02:00:00:00:00:01'\n", 5, "by which login"),
        ("[protect.group.load]\ndelay_s = 60\n[protect.host]\ndown_s = 60\n", 5, "write a longer delay_s"),
        ("[protect.host]\ngroup = 'rock'\n", 5, "did you mean rack?"),
        ("[protect.host]\nshutdown = 'halt'\n", 5, "\"logind\""),
        ("[[protect.group]]\nname = 'rack'\nups = ['b']\n", 5, "a group is called rack already"),
        ("[[protect.group]]\nname = 'r'\nups = ['RACK']\n", 6, "feeds another group already"),
        ("[[protect.expect]]\nname = 'n'\nups = 'rack'\n", 5, "who is expected"),
    ] {
        let (found, said) = wrong(&format!("{GROUP}{more}"));
        assert!(said.contains(part) && !said.contains('\n'), "{more}: {said}");
        assert_eq!(found, line, "{more}: {said}");
    }
    let (line, said) = wrong("[protect]\narm = true\n");
    assert_eq!((line, said.contains("protects nothing")), (1, true), "{said}");
    let (line, said) = wrong("[protect]\narm = 'yes'\n[[protect.group]]\nname='a'\nups=['a']\n");
    assert_eq!((line, said.contains("arm = true")), (2, true), "{said}");
}
