#![allow(clippy::cast_possible_truncation)]

use super::*;
use crate::extras::parse;
use nut::upsmon_conf;
use nut::upssched_conf;
use testbed::upsd::random::Chance;

const HEAD: &str =
    "CMDSCRIPT /usr/bin/upssched-cmd\nPIPEFN /run/nut/upssched.pipe\nLOCKFN /run/nut/upssched.lock\n";

fn of(text: &str, upsmon: Option<&str>) -> (String, Vec<String>) {
    let conf = upssched_conf::parse(format!("{HEAD}{text}").as_bytes());
    let upsmon = upsmon.map(|text| upsmon_conf::parse(text.as_bytes()));
    let translation = of_upssched(&conf, upsmon.as_ref());
    let said = translation.findings.iter();
    (
        translation.toml,
        said.map(|finding| format!("{}: {}", finding.line.unwrap_or(0), finding.text)).collect(),
    )
}

/// The examples of NUT's sample file.
#[test]
fn timers_and_their_ends_become_rules() {
    let text = "AT COMMBAD * START-TIMER upsgone 10\nAT ONBATT * START-TIMER onbattwarn 30\nAT COMMOK * CANCEL-TIMER upsgone\n\
        AT ONLINE * CANCEL-TIMER onbattwarn power-back\nAT ONLINE myups@localhost EXECUTE ups-back-on-line\n";
    let (toml, said) = of(text, None);
    assert_eq!(said, [""; 0]);
    let expected = "# line 4\n[[notify]]\nname = \"upsgone\"\nwhen = \"lost\"\nafter_s = 10\nend = false\nto = [\"upsgone\"]\n\n\
        # line 5\n[[notify]]\nname = \"onbattwarn\"\nwhen = \"on battery\"\nafter_s = 30\nend = false\nto = [\"onbattwarn\"]\n\n\
        # line 7\n[[notify]]\nname = \"power-back\"\nwhen = \"on battery\"\nafter_s = 30\nbegin = false\nto = [\"power-back\"]\n\n\
        # line 8\n[[notify]]\nname = \"ups-back-on-line\"\nwhen = \"on battery\"\nups = [\"myups\"]\nbegin = false\n\
        to = [\"ups-back-on-line\"]\n\n\
        [outputs.onbattwarn]\nkind = \"exec\"\ncommand = [\"/usr/bin/upssched-cmd\", \"onbattwarn\"]\n\n\
        [outputs.power-back]\nkind = \"exec\"\ncommand = [\"/usr/bin/upssched-cmd\", \"power-back\"]\n\n\
        [outputs.ups-back-on-line]\nkind = \"exec\"\ncommand = [\"/usr/bin/upssched-cmd\", \"ups-back-on-line\"]\n\n\
        [outputs.upsgone]\nkind = \"exec\"\ncommand = [\"/usr/bin/upssched-cmd\", \"upsgone\"]\n";
    assert_eq!(toml, expected);
    assert!(parse(toml.as_bytes()).is_ok());
}

#[test]
fn what_no_rule_does_is_said_with_its_line() {
    let text = "AT ONLINE * START-TIMER back 60\nAT ONBATT * CANCEL-TIMER back\nAT SHUTDOWN * EXECUTE down\nAT CAL * EXECUTE cal\n\
        AT LOWBATT * START-TIMER low 20\nAT ONLINE * CANCEL-TIMER low\nAT REPLBATT far@nas.lan EXECUTE weak\n\
        AT ONBATT * EXECUTE {{x\nAT OVER * START-TIMER over 5\nAT ONLINE * CANCEL-TIMER none word\n\
        AT ONBATT * START-TIMER year 31536000\n";
    let (toml, said) = of(text, None);
    let parts = [
        (4, "a rule counts while something is wrong, and ONLINE is an end"),
        (6, "let a stage of [protect] run the program"),
        (7, "has no condition for it"),
        (9, "ONLINE ends the timer low in upssched, and not the rule"),
        (10, "far@nas.lan is a UPS of another server"),
        (11, "begins a place in a command"),
        (12, "nothing ends the timer over"),
        (13, "no timer none is started by what ends with ONLINE"),
        (14, "a rule waits up to 604800 s"),
    ];
    assert_eq!(said.len(), parts.len(), "{said:#?}");
    for ((line, part), said) in parts.iter().zip(&said) {
        assert!(said.starts_with(&format!("{line}: ")) && said.contains(part), "{part}: {said}");
    }
    let rules = parse(toml.as_bytes()).unwrap().notify.unwrap().rules;
    let rules: Vec<_> = rules.iter().map(|rule| (rule.name.as_str(), rule.after.as_secs())).collect();
    assert_eq!(rules, [("low", 20), ("weak", 0), ("over", 5)]);
}

#[test]
fn what_upsmon_does_not_hand_on_is_no_rule() {
    let upsmon = "MONITOR a 1 u p primary\nNOTIFYCMD /sbin/upssched\nNOTIFYFLAG ONBATT SYSLOG+EXEC\nNOTIFYFLAG NOCOMM EXEC\nNOCOMMWARNTIME 90\n";
    let (toml, said) =
        of("AT ONBATT * EXECUTE a\nAT ONLINE * EXECUTE b\nAT NOCOMM * EXECUTE c\n", Some(upsmon));
    assert!(said.len() == 1 && said[0].starts_with("5: left out, as it never happens"), "{said:?}");
    assert!(said[0].contains("NOTIFYFLAG ONLINE SYSLOG+EXEC"), "{said:?}");
    let rules = parse(toml.as_bytes()).unwrap().notify.unwrap().rules;
    let seconds: Vec<_> =
        rules.iter().map(|rule| (rule.after.as_secs(), rule.repeat.map(|it| it.as_secs()))).collect();
    assert_eq!(seconds, [(0, None), (90, Some(90))]);
}

#[test]
fn a_command_for_a_shell_is_not_taken_apart() {
    let conf =
        upssched_conf::parse(b"CMDSCRIPT \"/bin/a | b\"\nPIPEFN /p\nLOCKFN /l\nAT ONBATT * EXECUTE a\n");
    let translation = of_upssched(&conf, None);
    assert_eq!((translation.toml.as_str(), translation.findings.len()), ("", 1));
    let conf =
        upsmon_conf::parse(b"MONITOR a 1 u p primary\nNOTIFYCMD \"mail $USER\"\nNOTIFYFLAG ONBATT EXEC\n");
    assert_eq!((of_notify_command(&conf).toml.as_str(), of_notify_command(&conf).findings.len()), ("", 1));
}

#[test]
fn a_program_of_its_own_gets_its_texts() {
    let text = b"MONITOR a 1 u p primary\nNOTIFYCMD \"/usr/bin/told -v\"\nNOTIFYFLAG ONBATT SYSLOG+EXEC\nNOTIFYFLAG ONLINE EXEC\n\
        NOTIFYFLAG SHUTDOWN EXEC\nNOTIFYFLAG COMMBAD IGNORE+EXEC\nNOTIFYMSG ONBATT \"mains of %s are \\\"gone\\\"\"\n\
        NOTIFYMSG ONLINE \"%s: 100%%\"\n";
    let translation = of_notify_command(&upsmon_conf::parse(text));
    let said: Vec<&str> = translation.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(
        said.len() == 2 && said[0].contains("NOTIFYMSG ONLINE") && said[1].contains("SHUTDOWN"),
        "{said:?}"
    );
    let expected = "# line 2\n[[notify]]\nname = \"online\"\nwhen = \"on battery\"\nbegin = false\nto = [\"notifycmd\"]\n\n\
        # line 2\n[[notify]]\nname = \"onbatt\"\nwhen = \"on battery\"\nend = false\nto = [\"notifycmd-onbatt\"]\n\n\
        [outputs.notifycmd]\nkind = \"exec\"\ncommand = [\"/usr/bin/told\", \"-v\", \"{{title}}\"]\n\n\
        [outputs.notifycmd-onbatt]\nkind = \"exec\"\ncommand = [\"/usr/bin/told\", \"-v\", \"mains of {{ups}} are \\\"gone\\\"\"]\n";
    assert_eq!(translation.toml, expected);
    assert!(parse(translation.toml.as_bytes()).is_ok());
}

/// upssched as its manual has it, for one UPS: what runs at which second.
struct SchedModel<'c> {
    conf: &'c upssched_conf::UpsschedConf,
    timers: Vec<(String, u32)>,
    ran: Vec<(u32, String)>,
}

impl SchedModel<'_> {
    fn pass(&mut self, now: u32) {
        let (due, left): (Vec<_>, Vec<_>) = self.timers.drain(..).partition(|(_, at)| *at <= now);
        self.timers = left;
        self.ran.extend(due.into_iter().map(|(name, at)| (at, name)));
    }

    fn event(&mut self, event: &str, now: u32) {
        for rule in self.conf.rules.iter().filter(|rule| rule.event.word() == event) {
            match &rule.action {
                upssched_conf::UpsschedAction::Execute(word) => self.ran.push((now, word.clone())),
                upssched_conf::UpsschedAction::StartTimer { name, after_s, .. } => {
                    self.timers.push((name.clone(), now + after_s));
                }
                upssched_conf::UpsschedAction::CancelTimer { name, otherwise } => {
                    match self.timers.iter().position(|(timer, _)| timer == name) {
                        Some(at) => drop(self.timers.remove(at)),
                        None => self.ran.extend(otherwise.iter().map(|word| (now, word.clone()))),
                    }
                }
            }
        }
    }
}

/// What the rules of a file run, for the same UPS.
fn by_rules(toml: &str, outages: &[(u32, bool)], end: u32) -> Vec<(u32, String)> {
    let rules = parse(toml.as_bytes()).unwrap().notify.map_or(vec![], |notify| notify.rules);
    let moment =
        |s: u32| notify::NotifyMoment { steady_ms: i64::from(s) * 1000, wall_ms: i64::from(s) * 1000 };
    let mut machine = notify::RuleMachine::new(moment(0));
    machine.set_rules(rules);
    let (mut ran, mut on_battery) = (vec![], false);
    for now in 0..=end {
        on_battery = outages.iter().find(|(at, _)| *at == now).map_or(on_battery, |(_, is)| *is);
        let status = if on_battery { "OB" } else { "OL" }.to_string();
        let said = notify::UpsSaid { status, ..notify::UpsSaid::default() };
        let sight = notify::UpsSight { said: Some(&said), hosts: &[] };
        let told = machine.observe("ups", sight, moment(now), &|_| String::new());
        ran.extend(told.into_iter().flat_map(|(_, outputs)| outputs).map(|output| (now, output)));
    }
    ran
}

/// Lines for one UPS: words at both edges, and timers that mains ends; with the length of each timer.
fn file_by_chance(chance: &mut Chance) -> (String, Vec<u32>) {
    let mut text = String::from(HEAD);
    for number in 0..chance.below(4) {
        let event = chance.one(&["ONBATT", "ONLINE"]);
        text += &format!("AT {event} * EXECUTE word{number}\n");
    }
    let timers: Vec<u32> = (0..chance.below(4)).map(|_| 1 + chance.below(19) as u32).collect();
    for (number, after_s) in timers.iter().enumerate() {
        let otherwise = if chance.below(2) == 0 { format!("over{number}") } else { String::new() };
        text += &format!(
            "AT ONBATT * START-TIMER t{number} {after_s}\nAT ONLINE * CANCEL-TIMER t{number} {otherwise}\n"
        );
    }
    (text, timers)
}

/// The rules run what upssched runs, and when, through any row of outages.
#[test]
fn rules_run_what_upssched_runs() {
    let mut ran_in_all = 0;
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        let (text, timers) = file_by_chance(&mut chance);
        let conf = upssched_conf::parse(text.as_bytes());
        let translation = of_upssched(&conf, None);
        assert_eq!((conf.wrong.as_slice(), translation.findings.as_slice()), (&[][..], &[][..]), "{text}");
        let (mut changes, mut now, mut on_battery) = (vec![], 1, true);
        for _ in 0..1 + chance.below(8) {
            changes.push((now, on_battery));
            let length = 1 + chance.below(30) as u32;
            // where a timer ends in the second of mains, it is luck which of both upssched sees first
            now += if on_battery && timers.contains(&length) { 40 } else { length };
            on_battery = !on_battery;
        }
        let mut model = SchedModel { conf: &conf, timers: vec![], ran: vec![] };
        let end = now + 45;
        for second in 0..=end {
            model.pass(second);
            if let Some((_, is)) = changes.iter().find(|(at, _)| *at == second) {
                model.event(if *is { "ONBATT" } else { "ONLINE" }, second);
            }
        }
        let (mut expected, mut ran) = (model.ran, by_rules(&translation.toml, &changes, end));
        expected.sort();
        ran.sort();
        ran_in_all += ran.len();
        assert_eq!(ran, expected, "seed {seed}: {text} {changes:?}");
    }
    assert!(ran_in_all > 2000, "{ran_in_all}");
}

/// What is written is always read.
#[test]
fn what_is_written_is_read() {
    let mut written = 0;
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let mut text = String::from(HEAD);
        for _ in 0..chance.below(60) {
            let event = nut::upsmon_conf::UpsmonEvent::all().nth(chance.below(32)).unwrap().word();
            let mut word = || {
                let letters = (0..1 + chance.below(9)).map(|_| char::from(0x20 + chance.below(0x60) as u8));
                nut::words::quoted(&letters.collect::<String>())
            };
            let (ups, name) = (word(), word());
            let action = chance.one(&["START-TIMER", "START-TIMER-SHARED", "CANCEL-TIMER", "EXECUTE"]);
            let ups = if chance.below(2) == 0 { "*".into() } else { ups };
            text += &format!("AT {event} {ups} {action} {name} {}\n", chance.below(99));
        }
        let toml = of_upssched(&upssched_conf::parse(text.as_bytes()), None).toml;
        let read = parse(toml.as_bytes());
        assert!(read.is_ok(), "seed {seed}: {toml}\n{read:?}");
        written += toml.lines().filter(|line| *line == "[[notify]]").count();
    }
    assert!(written > 1000, "{written}");
}
