//! Output and outcome are those of upsc, upsrw and upscmd.

use super::{command, err, nut, out, qxups, shared};
use serde_json::Value;
use std::collections::BTreeMap;

const UPSES: [&str; 2] = ["dummy", "ours"];

fn code(arguments: &[&str]) -> i32 {
    qxups(arguments).status.code().unwrap()
}

#[test]
fn lists_of_upses_and_variables_are_those_of_upsc() {
    let upsd = shared();
    let server = upsd.all();
    let list = qxups(&["list", &server]);
    assert_eq!(out(&list), out(&nut("upsc", &["-L", server.strip_prefix('@').unwrap()])));
    assert!(list.status.success());
    for name in UPSES {
        let ups = upsd.ups(name);
        let theirs = out(&nut("upsc", &[&ups]));
        assert!(theirs.contains("ups.status: "), "{theirs}");
        assert_eq!(out(&qxups(&["list", &ups])), theirs);
        let json: BTreeMap<String, String> =
            serde_json::from_slice(&qxups(&["list", &ups, "--json"]).stdout).unwrap();
        let lines: String = json.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        assert_eq!(lines, theirs);
        for line in theirs.lines() {
            let (variable, value) = line.split_once(": ").unwrap();
            if ["ups.status", "device.model", "driver.version"].contains(&variable) {
                assert_eq!(out(&qxups(&["get", &ups, variable])), format!("{value}\n"));
                assert_eq!(out(&nut("upsc", &[&ups, variable])), format!("{value}\n"));
            }
        }
    }
    // what is in no list, and is answered all the same
    let version = qxups(&["get", &upsd.ups("ours"), "server.version", "ups.status"]);
    assert_eq!(out(&version), "server.version: 2.8.0\nups.status: OB DISCHRG\n");
}

#[test]
fn commands_are_those_of_upscmd() {
    let upsd = shared();
    for name in UPSES {
        let ups = upsd.ups(name);
        let theirs = out(&nut("upscmd", &["-l", &ups]));
        let theirs: String =
            theirs.lines().filter(|line| line.contains(" - ")).map(|line| format!("{line}\n")).collect();
        assert!(theirs.contains("load.off - Turn off the load immediately\n"), "{theirs}");
        assert_eq!(out(&qxups(&["list", &ups, "commands"])), theirs);
    }
}

/// Value, choices, ranges and greatest length of a variable.
type Writable = (String, Vec<String>, Vec<String>, Option<i64>);

/// What upsrw prints of each variable, by its words.
fn of_upsrw(text: &str) -> BTreeMap<String, Writable> {
    let mut found = BTreeMap::new();
    for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
        let mut lines = part.trim().lines();
        let name = lines.next().unwrap().trim_matches(['[', ']']).to_string();
        let (mut value, mut choices, mut ranges, mut longest) = (String::new(), vec![], vec![], None);
        for line in lines {
            let option = line
                .strip_prefix("Option: ")
                .map(|text| text.trim_end_matches(" SELECTED").trim_matches('"').to_string());
            match (option, line.split_once(": ")) {
                (Some(option), _) if option.contains('-') => ranges.push(option),
                (Some(option), _) => {
                    if line.ends_with("SELECTED") {
                        value = option.clone();
                    }
                    choices.push(option);
                }
                (None, Some(("Value", text))) => value = text.into(),
                (None, Some(("Maximum length", text))) => longest = text.parse().ok(),
                _ => {}
            }
        }
        found.insert(name, (value, choices, ranges, longest));
    }
    found
}

#[test]
fn what_can_be_written_is_what_upsrw_says() {
    let upsd = shared();
    for name in UPSES {
        let ups = upsd.ups(name);
        let theirs = of_upsrw(&out(&nut("upsrw", &[&ups])));
        let ours: Vec<Value> =
            serde_json::from_slice(&qxups(&["list", &ups, "writable", "--json"]).stdout).unwrap();
        assert_eq!(theirs.len(), ours.len());
        assert!(theirs.len() >= 3);
        for row in ours {
            let texts = |key: &str| {
                row[key]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|text| text.as_str().unwrap().to_string())
                    .collect::<Vec<_>>()
            };
            let ranges = row["ranges"].as_array().unwrap().iter();
            let ranges: Vec<String> = ranges
                .map(|range| format!("{}-{}", range["min"].as_str().unwrap(), range["max"].as_str().unwrap()))
                .collect();
            let (value, choices, their_ranges, longest) = &theirs[row["name"].as_str().unwrap()];
            // upsrw shows no value of a range
            if ranges.is_empty() {
                assert_eq!(row["value"], value.as_str(), "{row}");
            }
            assert_eq!((&texts("choices"), &ranges), (choices, their_ranges), "{row}");
            if let Some(longest) = longest {
                assert_eq!(row["longest"], *longest, "{row}");
            }
        }
    }
    let text = out(&qxups(&["list", &upsd.ups("ours"), "writable"]));
    assert!(
        text.contains("input.sensitivity: low\n") && text.contains("    one of: low, very high\n"),
        "{text}"
    );
    assert!(text.contains("    from 12 to 600\n") && text.contains("    at most 16 characters\n"), "{text}");
}

#[test]
fn hosts_are_those_of_upsc() {
    let upsd = shared();
    let _watcher = upsd.watcher("dummy");
    let ups = upsd.ups("dummy");
    let ours = out(&qxups(&["list", &ups, "clients"]));
    assert_eq!(ours, out(&nut("upsc", &["-c", &ups])));
    assert_eq!(ours, "127.0.0.1\n");
}

#[test]
fn outcomes_of_commands_are_those_of_upscmd() {
    let ups = shared().ups("ours");
    for (name, wanted, word) in [
        ("beeper.mute", 0, "SUCCESS"),
        ("load.off", 1, "ERR FAILED"),
        ("shutdown.return", 1, "ERR INVALID-ARGUMENT"),
    ] {
        let theirs = nut("upscmd", &["-w", "-u", "admin", "-p", "secret", &ups, name]);
        assert!(format!("{}{}", out(&theirs), err(&theirs)).contains(word), "{theirs:?}");
        let ours = qxups(&["cmd", &ups, name, "--user", "admin", "--password", "secret"]);
        assert_eq!(ours.status.code(), Some(wanted), "{name}: {ours:?}");
        let (said, failed) = (out(&ours), err(&ours));
        assert_eq!(wanted == 0, said == format!("{name}: done\n"), "{said}");
        assert_eq!(wanted != 0, failed.starts_with(&format!("qxups: {name}: failed: ")), "{failed}");
    }
    let json = qxups(&["cmd", &ups, "beeper.mute", "-u", "admin", "-p", "secret", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["name"], &json["outcome"]), (&"beeper.mute".into(), &"done".into()));
}

#[test]
fn what_the_driver_does_not_answer_is_not_done() {
    let ups = shared().ups("ours");
    let order = ["cmd", &ups, "test.battery.start", "-u", "admin", "-p", "secret"];
    let waited = qxups(&[&order[..], &["--wait", "0.5"]].concat());
    assert_eq!(waited.status.code(), Some(5), "{waited:?}");
    assert!(err(&waited).contains("not seen done: the driver has not answered within 0.5 s"), "{waited:?}");
    assert_eq!(out(&waited), "");
    let not_waited = qxups(&[&order[..], &["--no-wait"]].concat());
    assert_eq!(not_waited.status.code(), Some(0), "{not_waited:?}");
    assert!(out(&not_waited).contains("accepted") && !out(&not_waited).contains(" done"), "{not_waited:?}");
}

#[test]
fn values_are_set_as_by_upsrw() {
    let upsd = super::upsd::Upsd::start("set");
    let ups = upsd.ups("dummy");
    let user = ["-u", "admin", "-p", "secret"];
    let set = |text: &str| qxups(&[&["set", ups.as_str(), text][..], &user[..]].concat());
    assert_eq!(out(&set("ups.load=43")), "ups.load: done\n");
    assert_eq!(out(&nut("upsc", &[&ups, "ups.load"])), "43\n");
    let text = "a \"b\" \\c =d";
    assert_eq!(set(&format!("device.model={text}")).status.code(), Some(0));
    // what stands behind a quote is lost between upsd and dummy-ups, also for upsrw
    let by_us = out(&nut("upsc", &[&ups, "device.model"]));
    nut("upsrw", &["-w", "-s", "device.model=x", "-u", "admin", "-p", "secret", &ups]);
    nut("upsrw", &["-w", "-s", &format!("device.model={text}"), "-u", "admin", "-p", "secret", &ups]);
    assert_eq!(by_us, out(&nut("upsc", &[&ups, "device.model"])));
    assert_ne!(by_us, "x\n");
    // several at once, and the first that fails ends it
    let several =
        qxups(&[&["set", ups.as_str(), "ups.load=44", "no.such=1", "ups.load=45"][..], &user[..]].concat());
    assert_eq!((out(&several).as_str(), several.status.code()), ("ups.load: done\n", Some(1)));
    assert!(err(&several).contains("no.such: the UPS has no such variable"), "{several:?}");
    assert_eq!(out(&nut("upsc", &[&ups, "ups.load"])), "44\n");
    let ours = upsd.ups("ours");
    let refused = |text: &str| err(&qxups(&[&["set", ours.as_str(), text][..], &user[..]].concat()));
    assert!(
        refused("ups.status=OL").contains("it can only be read; 'qxups list ours@"),
        "{}",
        refused("ups.status=OL")
    );
    assert!(
        refused("input.sensitivity=no").contains("it cannot be 'no'; 'qxups list ours@"),
        "{}",
        refused("input.sensitivity=no")
    );
    assert!(refused("ups.id=12345678901234567").contains("too long"));
    assert!(refused("ups.id=\u{e9}").contains("no letters but ASCII"));
    assert_eq!(
        out(&qxups(&[&["set", ours.as_str(), "ups.id=rack two"][..], &user[..]].concat())),
        "ups.id: done\n"
    );
}

#[test]
fn a_change_is_watched() {
    let upsd = super::upsd::Upsd::start("watch");
    let ups = upsd.ups("dummy");
    let watch = command(&["watch", &ups, "-i", "0.05", "--json", "-V", "ups.*"])
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut watch = watch.unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(watch.stdout.take().unwrap()));
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let first = next();
    assert_eq!((&first["variable"], &first["value"]), (&"ups.status".into(), &"OL CHRG".into()));
    nut("upsrw", &["-w", "-s", "battery.charge=1", "-u", "admin", "-p", "secret", &ups]);
    nut("upsrw", &["-w", "-s", "ups.status=OB LB", "-u", "admin", "-p", "secret", &ups]);
    let change = next();
    assert_eq!(change["ups"], ups.as_str());
    assert_eq!(
        (&change["variable"], &change["was"], &change["value"]),
        (&"ups.status".into(), &"OL CHRG".into(), &"OB LB".into())
    );
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn the_exit_status_says_what_happened() {
    let upsd = shared();
    let ours = upsd.ups("ours");
    for (wanted, arguments) in [
        (0, vec!["get", &ours, "ups.status"]),
        (1, vec!["get", &ours, "no.such"]),
        (1, vec!["get", &upsd.ups("nothing"), "ups.status"]),
        (1, vec!["cmd", &ours, "beeper.mute", "-u", "admin", "-p", "wrong"]),
        (1, vec!["cmd", &ours, "beeper.mute", "-u", "watcher", "-p", "w w"]),
        (1, vec!["cmd", &ours, "no.such", "-u", "admin", "-p", "secret"]),
        (2, vec!["get", &ours]),
        (2, vec!["get", "a@b:c", "ups.status"]),
        (2, vec!["get", "@localhost", "ups.status"]),
        (2, vec!["list", &upsd.all(), "commands"]),
        (2, vec!["list", &ours, "--fingerprint", "xx"]),
        (2, vec!["list", &ours, "--tls", "off", "--ca", "/etc/ssl"]),
        (2, vec!["set", &ours, "ups.id"]),
        (2, vec!["log", &ours, "-f", "%NO%"]),
        (2, vec!["top", &ours]),
        (3, vec!["list", "@127.0.0.1:1"]),
        (3, vec!["watch", "@127.0.0.1:1"]),
        (3, vec!["conform", "127.0.0.1:1"]),
        (3, vec!["list", &ours, "--tls", "require"]),
        (4, vec!["get", &upsd.ups("old"), "ups.status"]),
        (4, vec!["list", &upsd.ups("gone")]),
        (4, vec!["cmd", &upsd.ups("gone"), "load.off", "-u", "admin", "-p", "secret"]),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        assert_eq!(code(&arguments), wanted, "{arguments:?}: {}", err(&qxups(&arguments)));
        if wanted != 0 {
            let said = err(&qxups(&arguments));
            assert!(!said.is_empty() && !said.contains("secret") && !said.contains("panicked"), "{said}");
        }
    }
}

#[test]
fn user_and_password_come_from_the_environment_or_a_file() {
    let upsd = shared();
    let ours = upsd.ups("ours");
    let file = upsd.folder.join("password");
    std::fs::write(&file, "secret\nmore\n").unwrap();
    let order = ["cmd", ours.as_str(), "beeper.mute"];
    let by_environment = command(&order).env("QXUPS_USER", "admin").env("QXUPS_PASSWORD", "secret").output();
    assert!(by_environment.unwrap().status.success());
    let by_file = qxups(&[&order[..], &["-u", "admin", "--password-file", file.to_str().unwrap()]].concat());
    assert!(by_file.status.success(), "{by_file:?}");
    // neither named nor asked for, where there is no terminal
    let setsid = |arguments: &[&str]| {
        let output = std::process::Command::new("setsid")
            .arg("-w")
            .arg(env!("CARGO_BIN_EXE_qxups"))
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output();
        output.unwrap()
    };
    let missing = setsid(&order);
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
    assert!(err(&missing).contains("--user or $QXUPS_USER"), "{missing:?}");
}

#[test]
fn conform_is_clean_on_debians_upsd_but_for_its_help() {
    let upsd = shared();
    let server = upsd.all().strip_prefix('@').unwrap().to_string();
    for user in
        [&["--user", "admin", "--password", "secret"][..], &["--user", "watcher", "--password", "w w"], &[]]
    {
        let found = qxups(&[&["conform", server.as_str(), "--json"][..], user].concat());
        assert!(found.status.success(), "{found:?}");
        let found: Value = serde_json::from_slice(&found.stdout).unwrap();
        let checks = found["checks"].as_array().unwrap();
        let by = |verdict: &str| -> Vec<&str> {
            checks
                .iter()
                .filter(|check| check["verdict"] == verdict)
                .map(|check| check["check"].as_str().unwrap())
                .collect()
        };
        assert_eq!(by("fault"), [""; 0]);
        // its HELP leaves out PROTVER, PRIMARY and FSD, which it serves
        assert_eq!(by("note"), ["HELP is complete"]);
        assert!(by("good").len() > 40);
        let untried = by("not tried");
        assert_eq!(untried.contains(&"LOGIN is counted"), !user.contains(&"watcher"), "{untried:?}");
    }
    // a value of a UPS that netdata would lose is noted
    let noted = qxups(&["conform", &server, "--ups", "ours"]);
    assert!(
        noted.status.success() && out(&noted).contains("note      texts without quotes and backslashes"),
        "{}",
        out(&noted)
    );
}

#[test]
fn conform_is_as_clean_on_our_server() {
    let port = super::upsd::free_port();
    let (listen, server) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}"));
    let mut serve = command(&["demo", "-l", &listen])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let end = std::time::Instant::now() + super::upsd::PATIENCE;
    let there = format!("rack@{server}");
    while code(&["get", &there, "ups.status"]) != 0 && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let found = qxups(&["conform", &server, "--ups", "rack", "--json", "-u", "demo", "-p", "demo"]);
    let order = qxups(&["cmd", &there, "beeper.toggle", "-u", "demo", "-p", "demo"]);
    // as Control-C, so that its files go
    assert!(nut("kill", &[&serve.id().to_string()]).status.success());
    assert!(serve.wait().unwrap().success());
    assert!(found.status.success(), "{}", out(&found));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap().iter();
    let noted: Vec<&Value> =
        checks.filter(|check| check["verdict"] == "note").map(|check| &check["check"]).collect();
    assert!(noted.is_empty(), "{noted:?}");
    assert_eq!(out(&order), "beeper.toggle: done\n", "{order:?}");
}
