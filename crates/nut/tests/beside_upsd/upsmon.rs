//! upsmon.conf and upssched.conf beside Debian's upsmon and upssched 2.8.0, by what these log and run.

use crate::random::Chance;
use nut::upsmon_conf::{self, UpsmonConf, UpsmonConfFault, UpsmonConfMatter, UpsmonDirective, UpsmonEvent};
use nut::upssched_conf::{self, UpsschedAction};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UPSMON: &str = "/lib/nut/upsmon";
const UPSSCHED: &str = "/sbin/upssched";

fn folder(name: &str) -> PathBuf {
    for program in [UPSMON, UPSSCHED] {
        assert!(Path::new(program).exists(), "this test needs NUT: apt-get install nut-client");
    }
    let folder = std::env::temp_dir().join(format!("qxups-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A line that mostly is one. None has what differs on purpose: a `=`, and a number without digits, which upsmon takes for 0.
fn line_by_chance(chance: &mut Chance) -> String {
    let number = |chance: &mut Chance| chance.one(&["1", "2", "30", "15s", "-5", "+4", "007"]).to_string();
    let directives: Vec<&str> = UpsmonDirective::all().map(UpsmonDirective::word).collect();
    let event = |chance: &mut Chance| match chance.below(6) {
        0 => chance.one(&["ONBAT", "", "ALL"]).to_string(),
        _ => {
            let events: Vec<&str> = UpsmonEvent::all().map(UpsmonEvent::word).collect();
            let event = chance.one(&events);
            if chance.below(4) == 0 { event.to_lowercase() } else { event.into() }
        }
    };
    let quoted = nut::words::quoted;
    match chance.below(9) {
        0 | 1 => format!(
            "MONITOR {} {} {} {} {}",
            chance.one(&["a@localhost", "b", "c@[::1]:3494", "d@x:0", "e@nas.lan:", "f@[::1", "a@localhost"]),
            chance.one(&["0", "1", "2", "3x", "-1"]),
            chance.one(&["user", "\"my user\""]),
            quoted(chance.one(&["secret", "two words", "# \" \\", ""])),
            chance.one(&["primary", "SECONDARY", "master", "slave", "primarry", "Primary more"])
        ),
        2 => format!("NOTIFYMSG {} {}", quoted(&event(chance)), quoted(chance.one(&["UPS %s", "", "#"]))),
        3 | 4 => format!(
            "NOTIFYFLAG {} {}",
            quoted(&event(chance)),
            chance.one(&[
                "SYSLOG",
                "SYSLOG+EXEC",
                "EXEC+WALL+",
                "IGNORE+EXEC",
                "syslog",
                "SYSLOG + EXEC",
                ""
            ])
        ),
        5 => {
            let directive = chance.one(&["POLLFREQ", "POLLFREQALERT", "MINSUPPLIES", "FINALDELAY"]);
            format!("{directive} {}", number(chance))
        }
        6 => format!("POWERDOWNFLAG {}", chance.one(&["/run/a", "\"/run/b c\"", "", "/x y"])),
        7 => format!("{} {}", chance.one(&["FROB", "minsupplies", "MONITORS", "MONITOR a"]), number(chance)),
        _ => {
            let directive = chance.one(&directives);
            let words = chance.one(&["", "1", "/a /b", "\"/a b\" c d", "x y z 1 more"]);
            match directive {
                // these have their own lines, or end upsmon
                "MONITOR" | "NOTIFYMSG" | "NOTIFYFLAG" => "# nothing".into(),
                _ if words.starts_with(['/', '"', 'x']) && !directive.starts_with("CERT") => {
                    format!("SHUTDOWNCMD {words}")
                }
                _ => format!("{directive} {words}"),
            }
        }
    }
}

/// What upsmon says of a file: without times, and without the folder.
fn said_by_upsmon(folder: &Path, text: &str) -> Vec<String> {
    std::fs::write(folder.join("upsmon.conf"), text).unwrap();
    let output = Command::new(UPSMON)
        // looks for the flag and ends; the process of that number cannot be
        .args(["-D", "-K", "-P", "4194304"])
        .env("NUT_CONFPATH", folder)
        .env("NUT_ALTPIDPATH", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let place = format!("{}/upsmon.conf ", folder.display());
    let lines = String::from_utf8_lossy(&output.stderr).replace(&place, "").replace(place.trim_end(), "");
    lines.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_string())).collect()
}

/// The same of ours, in upsmon's words, as far as it says anything.
fn said_by_ours(conf: &UpsmonConf) -> Vec<String> {
    let mut said: Vec<(usize, String)> = vec![];
    for monitor in &conf.monitors {
        let role = if monitor.is_primary { "primary" } else { "secondary" };
        let text = match monitor.power_value {
            0 => format!("UPS: {} (monitoring only)", monitor.system),
            value => format!("UPS: {} ({role}) (power value {value})", monitor.system),
        };
        said.push((monitor.line, text));
    }
    for wrong in &conf.wrong {
        let text = match &wrong.fault {
            UpsmonConfFault::TooShort(_) | UpsmonConfFault::NoUser => format!("line {}: invalid", wrong.line),
            UpsmonConfFault::NoEvent(UpsmonDirective::NotifyMsg, word) => {
                format!("'{word}' is not a valid notify event name")
            }
            UpsmonConfFault::NoEvent(_, word) => format!("Warning: invalid notify type [{word}]"),
            UpsmonConfFault::NoNumber(UpsmonDirective::DebugMin, _) => "DEBUG_MIN".into(),
            UpsmonConfFault::NoNumber(directive, value) => {
                // of others it takes a number below 0, to no good
                let is_checked = matches!(
                    directive,
                    UpsmonDirective::PollFreq
                        | UpsmonDirective::PollFreqAlert
                        | UpsmonDirective::MinSupplies
                        | UpsmonDirective::FinalDelay
                );
                if !is_checked {
                    continue;
                }
                format!("Ignoring invalid {directive} value: {value}")
            }
            UpsmonConfFault::NoPowerValue(value) => format!("ignoring invalid power value [{value}]"),
            UpsmonConfFault::NoPlace(place)
                if said.iter().any(|(_, text)| text.contains(&format!("[{place}]"))) =>
            {
                format!("Warning: ignoring duplicate UPS [{place}]")
            }
            UpsmonConfFault::NoPlace(place) => format!("unable to split UPS name [{place}]"),
            other => panic!("{other}"),
        };
        said.push((wrong.line, text));
    }
    for remark in &conf.remarks {
        let text = match &remark.matter {
            UpsmonConfMatter::Unknown(..) => format!("line {}: invalid", remark.line),
            UpsmonConfMatter::Twice(system) => format!("Warning: ignoring duplicate UPS [{system}]"),
            UpsmonConfMatter::NoFlag(word) => format!("Invalid notify flag: [{word}]"),
            _ => continue,
        };
        said.push((remark.line, text));
    }
    for (directive, line) in &conf.directives {
        if directive.since().is_some() {
            said.push((*line, format!("line {line}: invalid")));
        }
    }
    said.sort_by_key(|(line, _)| *line);
    said.into_iter().map(|(_, text)| text).collect()
}

/// What both say alike: a line that is wrong has its number, and some of the words.
fn alike(line: &str) -> Option<String> {
    for head in ["line ", "UPS: ", "Warning: ", "'", "Invalid notify flag", "Ignoring invalid"] {
        if line.starts_with(head) {
            return Some(match line.split_once(": invalid") {
                Some((place, _)) if head == "line " => format!("{place}: invalid"),
                _ => line.to_string(),
            });
        }
    }
    let found = |part: &str| line.find(part).map(|at| line[at..].to_string());
    found("ignoring invalid power value")
        .or_else(|| found("unable to split UPS name"))
        .or_else(|| line.contains("DEBUG_MIN").then(|| "DEBUG_MIN".to_string()))
}

#[test]
fn upsmon_conf_by_chance_is_read_as_by_upsmon() {
    let folder = folder("upsmon");
    let seeds = std::env::var("QXUPS_SEEDS").map_or(1, |seeds| seeds.parse::<u64>().unwrap());
    let mut compared = 0;
    for seed in 0..60 * seeds {
        let mut chance = Chance::new(seed);
        let text: String = (0..15).map(|_| line_by_chance(&mut chance) + "\n").collect();
        // events and directives of newer NUT are none to Debian's
        let newer = |word: &str| UpsmonEvent::named(word).is_some_and(|event| event.since().is_some());
        let old: String = text
            .lines()
            .filter(|line| {
                let word = line.split_whitespace().nth(1).unwrap_or_default().trim_matches('"');
                !(line.starts_with("NOTIFY") && newer(word))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let conf = upsmon_conf::parse(old.as_bytes());
        let theirs = said_by_upsmon(&folder, &old);
        let flag = theirs.iter().rev().find_map(|line| line.strip_prefix("Using power down flag file "));
        assert_eq!(conf.power_down_flag.as_deref(), flag, "seed {seed}:\n{old}");
        // a UPS whose name cannot be split is listed all the same
        let split =
            |line: &String| line.split_once("unable to split UPS name [").map(|(_, name)| name.to_string());
        let unsplit: Vec<String> =
            theirs.iter().filter_map(split).map(|name| name.trim_end_matches(']').to_string()).collect();
        let is_listed =
            |line: &String| unsplit.iter().any(|name| line.starts_with(&format!("UPS: {name} (")));
        let theirs: Vec<String> =
            theirs.iter().filter(|line| !is_listed(line)).filter_map(|line| alike(line)).collect();
        let ours: Vec<String> = said_by_ours(&conf).iter().filter_map(|line| alike(line)).collect();
        compared += ours.len();
        assert_eq!(ours, theirs, "seed {seed}:\n{old}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(compared > 300, "{compared}");
}

/// upssched runs at once what EXECUTE says: which lines those are, of which event and UPS, and what is passed over.
#[test]
fn upssched_runs_the_lines_that_ours_has() {
    let folder = folder("upssched");
    let ran = folder.join("ran");
    let script = folder.join("script");
    std::fs::write(&script, format!("#!/bin/sh\necho \"$*\" >>{}\n", ran.display())).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let text = format!(
        "CMDSCRIPT {}\nPIPEFN {}/pipe\nLOCKFN {}/lock\nAT ONBATT * EXECUTE all\nAT onbatt rack@localhost EXECUTE \"mine too\"\n\
         AT ONBATT rack EXECUTE other\nAT ONBATT RACK@localhost EXECUTE shouted\nat ONBATT * EXECUTE small\n\
         AT ONBATT * execute small\nAT ONBATT * EXECUTE\nAT ONLINE * EXECUTE back more\nAT ONLINE * EXECUTE b\n",
        script.display(),
        folder.display(),
        folder.display()
    );
    std::fs::write(folder.join("upssched.conf"), &text).unwrap();
    let conf = upssched_conf::parse(text.as_bytes());
    for (event, ups) in
        [("ONBATT", "rack@localhost"), ("ONLINE", "rack@localhost"), ("ONBATT", "b"), ("COMMBAD", "b")]
    {
        let _ = std::fs::remove_file(&ran);
        let status = Command::new(UPSSCHED)
            .env("NUT_CONFPATH", &folder)
            .env("NOTIFYTYPE", event)
            .env("UPSNAME", ups)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let theirs = std::fs::read_to_string(&ran).unwrap_or_default();
        let is_it = |rule: &&upssched_conf::UpsschedRule| {
            rule.event.word() == event && rule.ups.as_ref().is_none_or(|of| of == ups)
        };
        let word = |rule: &upssched_conf::UpsschedRule| match &rule.action {
            UpsschedAction::Execute(word) => Some(format!("{word}\n")),
            _ => None,
        };
        let ours: String = conf.rules.iter().filter(is_it).filter_map(word).collect();
        assert_eq!(ours, theirs, "{event} {ups}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
