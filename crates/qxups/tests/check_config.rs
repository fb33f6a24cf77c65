//! `qxups check-config` as a user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::process::{Command, Output, Stdio};

/// Checks a file with this text; the path in what it says is taken out.
fn check(name: &str, text: &str, arguments: &[&str]) -> (Output, String) {
    let folder = std::env::temp_dir().join(format!("qxups-check-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ups.conf"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.arg("check-config").args(arguments).env("NUT_CONFPATH", &folder).stdin(Stdio::null());
    let output = command.output().unwrap();
    let path = folder.join("ups.conf").display().to_string();
    let said = String::from_utf8_lossy(&output.stdout).replace(&path, "ups.conf");
    std::fs::remove_dir_all(&folder).unwrap();
    (output, said)
}

/// The lines of what it says, each up to the number, with a part of the sentence behind it.
fn finds(name: &str, text: &str, expected: &[(&str, &str)]) {
    let (_, said) = check(name, text, &[]);
    let mut lines = said.lines();
    for (head, part) in expected {
        let line = lines.next().unwrap_or_default();
        assert!(
            line.starts_with(&format!("ups.conf:{head}: ")) && line.contains(part),
            "{head} {part}:\n{said}"
        );
    }
    let more = lines.next().unwrap_or_default().strip_prefix("ups.conf:").unwrap_or_default();
    assert!(!more.starts_with(|letter: char| letter.is_ascii_digit()), "more than expected:\n{said}");
}

#[test]
fn a_good_file_is_good() {
    let text =
        "maxretry = 3\npollinterval = 2\n[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\ndesc = \"my ups\"\n";
    let (output, said) = check("good", text, &[]);
    assert_eq!((output.status.code(), said.as_str()), (Some(0), "ups.conf: 0 errors, 0 notes\n"));
}

/// As 'serve', 'setup' and 'drill' take it.
#[test]
fn the_folder_of_the_files_may_be_named() {
    let folder = std::env::temp_dir().join(format!("qxups-check-folder-{}", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.args(["check-config", folder.to_str().unwrap()]).env_remove("NUT_CONFPATH").stdin(Stdio::null());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ups.conf"), "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nfrob\n").unwrap();
    let output = command.output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = format!("{}:4: ", folder.join("ups.conf").display());
    assert!(output.status.code() == Some(1) && said.starts_with(&line), "{said}");
}

#[test]
fn a_remark_is_no_failure() {
    let (output, _) = check("remark", "drivrpath = /x\n[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n", &[]);
    assert_eq!(output.status.code(), Some(0));
    let (output, _) = check("wrong", "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nfrob\n", &[]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_line_is_looked_at() {
    finds(
        "lines",
        "maxretry = x\ndrivrpath = /x\nport = /dev/ttyS9\n[one]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nnovender\n\
         offdelay = 5\noffdelay = 30\npollfreq = abc\nprotocol = zintu\nsdcommands = load.of\nserial\n\
         desc = \"x # y\"\nfoo bar\n",
        &[
            ("1: note", "whole number"),
            ("2: note", "did you mean driverpath?"),
            ("3: note", "move it into the section"),
            ("7: error", "did you mean novendor?"),
            ("9: note", "is set twice"),
            ("10: error", "whole seconds"),
            ("11: error", "did you mean zinto?"),
            ("12: error", "did you mean load.off?"),
            ("13: error", "needs a value"),
            ("14: error", "inside of quotes"),
            ("15: note", "ignored"),
        ],
    );
}

#[test]
fn what_belongs_together_is_looked_at() {
    finds("no-driver", "[a]\nport = auto\n", &[("1: error", "[a] has no driver")]);
    finds("no-port", "[a]\ndriver = nutdrv_qx\n", &[("1: error", "name the port")]);
    finds("none", "# nothing\n", &[("1: error", "there is no section")]);
    finds(
        "delay",
        "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\noffdelay = 99999\n",
        &[("4: error", "offdelay: ")],
    );
    let line = "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n[b]\ndriver = usbhid-ups\nport = /dev/ttyS0\n";
    finds("line", line, &[("5: note", "not part of qxups"), ("6: error", "[a] has this port already")]);
    // usbhid-ups has devices of its own
    let beside = "[a]\ndriver = nutdrv_qx\nport = auto\n[b]\ndriver = usbhid-ups\nport = auto\n";
    finds("beside", beside, &[("5: note", "not part of qxups")]);
    let twins = "[a]\ndriver = nutdrv_qx\nport = auto\n[b]\ndriver = nutdrv_qx\nport = auto\n";
    finds("twins", twins, &[("6: error", "qxups scan")]);
    finds("apart", &twins.replace("[b]", "serial = 1\n[b]\nserial = 2"), &[]);
}

#[test]
fn other_drivers_are_passed_over() {
    let text = "[a]\ndriver = usbhid-ups\nport = auto\nfrob = 1\nsdorder\n";
    finds("others", text, &[("2: note", "not part of qxups"), ("5: error", "sdorder needs a value")]);
    let text = "[a]\ndriver = frobnicator\nport = auto\n";
    finds("nobody", text, &[("2: note", "none that is known of NUT")]);
}

#[test]
fn a_misspelt_driver_is_ours_and_its_options_are_checked() {
    for (name, meant) in
        [("nutdrv-qx", "nutdrv_qx"), ("nutdrv_qs", "nutdrv_qx"), ("blazer-ser", "blazer_ser")]
    {
        let text = format!("[a]\ndriver = {name}\nport = /dev/ttyS0\nnovender\n");
        let write = format!("write driver = {meant}");
        finds("misspelt", &text, &[("2: error", &write), ("4: error", "did you mean novendor?")]);
        assert_eq!(check("misspelt", &text, &[]).0.status.code(), Some(1));
    }
    // one of NUT's is not ours to check
    let text = "[a]\ndriver = usbhid_ups\nport = auto\nfrob\n";
    finds(
        "misspelt-nut",
        text,
        &[("2: error", "write driver = usbhid-ups"), ("2: note", "not part of qxups")],
    );
}

#[test]
fn words_that_are_lost_are_found() {
    finds(
        "lost",
        "maxretry = 3 4\n[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0 # the first\ndesc = My UPS\nsdcommands = shutdown.return, load.off\n\
         [b]\ndriver = usbhid-ups\nport = auto\ndesc = His \"#1\n",
        &[
            ("1: error", "write maxretry = \"3 4\""),
            ("5: error", "write desc = \"My UPS\""),
            ("6: error", "write sdcommands = \"shutdown.return, load.off\""),
            ("8: note", "not part of qxups"),
            ("10: note", "inside of quotes"),
        ],
    );
    finds(
        "kept",
        "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\ndesc = \"My UPS\"\nsdcommands = \"shutdown.return, load.off\"\n",
        &[],
    );
}

#[test]
fn values_that_mean_something_else_are_told_what_to_write() {
    for (line, said) in [
        ("port = 192.168.1.5:4001", "write port = tcp://192.168.1.5:4001"),
        ("port = COM1", "write port = /dev/ttyS0"),
        ("port = ttyS1", "write port = /dev/ttyS1"),
        ("user = nobdy", "there is no such user"),
        ("group = nobdy", "there is no such group"),
        ("default.battery.voltage.hihg = 27", "write default.battery.voltage.high"),
        ("override.battery.voltage.nominal = 24V", "write override.battery.voltage.nominal = 24"),
        ("override.x = 24V", "write override.x = 24"),
        ("protocol = megatec\noffdelay = 5", "offdelay: "),
    ] {
        let text = format!("[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n{line}\n");
        let text = if line.starts_with("port") { text.replacen("port = /dev/ttyS0\n", "", 1) } else { text };
        let wrong = wrong("values", &text);
        assert!(wrong.len() == 1 && wrong[0].contains(said), "{line}: {wrong:?}");
    }
    for line in [
        "port = tcp://192.168.1.5:4001",
        "user = root",
        "group = root",
        "default.battery.voltage.high = 27.4",
        "override.battery.date.maintenance = 2030-01-01",
        "override.device.model = 24V",
        "override.input.L1.voltage = 3",
        "default.battery.type = LFP",
        "protocol = megatec\noffdelay = 12",
        // on USB it means nothing
        "port = x\nvendorid = 0665\nproductid = 5161",
    ] {
        let text = format!("[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n{line}\n");
        let text = if line.starts_with("port") { text.replacen("port = /dev/ttyS0\n", "", 1) } else { text };
        finds("right", &text, &[]);
    }
    finds(
        "delays",
        "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\noffdelay = 5\n",
        &[("4: error", "write offdelay = a number from 12 to ")],
    );
    finds(
        "few-refuse",
        "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nondelay = 0\n",
        &[("4: note", "that speaks voltronic-qs")],
    );
    finds(
        "rounded",
        "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nprotocol = megatec\noffdelay = 50\n",
        &[("5: note", "write offdelay = 48")],
    );
}

/// The first hides no other.
#[test]
fn everything_is_reported_at_once() {
    finds(
        "at-once",
        "user = nobdy\n[a]\ndriver = nutdrv-qx\nport = udp://x\nondelay = abc\noffdelay = 99999\ndesc = My UPS\n\
         sdcommands = load.of,frob.frob\noverride.battery.charge = x\nnovender\n\
         [b]\nport = COM1\nnovender\n",
        &[
            ("1: error", "no such user"),
            ("3: error", "write driver = nutdrv_qx"),
            ("4: error", "tcp://host:port"),
            ("5: error", "ondelay: "),
            ("6: error", "offdelay: "),
            ("7: error", "write desc = \"My UPS\""),
            ("8: error", "did you mean load.off?; there is no command frob.frob"),
            ("9: error", "is not a number"),
            ("10: error", "did you mean novendor?"),
            ("11: error", "[b] has no driver"),
            ("12: error", "write port = /dev/ttyS0"),
            ("13: error", "did you mean novendor?"),
        ],
    );
}

/// A section of old, and the one for nutdrv_qx that is printed.
fn becomes(name: &str, old: &str, new: &str) {
    let (_, said) = check(name, old, &[]);
    assert!(said.contains(&format!("\n{new}\n")), "{new}\nis not in\n{said}");
    // and it works
    let (output, said) = check(name, new, &[]);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn drivers_of_old_are_told_what_to_write() {
    becomes(
        "blazer",
        "[a]\ndriver = blazer_ser\nport = /dev/ttyS0\nondelay = 4\noffdelay = 60\ndesc = \"my #1\"\nnorating\n".replace('#', "\\#").as_str(),
        "[a]\n\tdriver = nutdrv_qx\n\tport = /dev/ttyS0\n\tondelay = 240\n\toffdelay = 60\n\tdesc = \"my \\#1\"\n\tnorating\n",
    );
    becomes(
        "megatec",
        "[a]\ndriver = megatec\nport = /dev/ttyS0\nbattvolts = 21.5:27.3\ndtr = 0\nrts = 1\nignoreoff\noffdelay = 1\nmfr = x\n",
        "[a]\n\tdriver = nutdrv_qx\n\tport = /dev/ttyS0\n\tdefault.battery.voltage.low = 21.5\n\
         \tdefault.battery.voltage.high = 27.3\n\tcablepower = reverse\n\
         \t# ignoreoff: it rested on a misunderstanding of the protocol\n\toffdelay = 60\n\toverride.device.mfr = x\n",
    );
    becomes(
        "usb",
        "[a]\ndriver = megatec_usb\nport = auto\nvendorid = 05b8\nproductid = 0000\nsubdriver = agiler\n",
        "[a]\n\tdriver = nutdrv_qx\n\tport = auto\n\tvendorid = 05b8\n\tproductid = 0000\n\tsubdriver = cypress\n",
    );
    becomes(
        "voltronic",
        "[a]\ndriver = voltronic_ser\nport = /dev/ttyS0\nbattnumb = 3\nauto_reboot = enabled\n",
        "[a]\n\tdriver = nutdrv_qx\n\tport = /dev/ttyS0\n\tbattery_number = 3\n\
         \t# auto_reboot: the UPS keeps it; set it once with 'upsrw -s ups.start.auto=enabled a'\n\tprotocol = voltronic\n",
    );
    becomes(
        "bestups",
        "[a]\ndriver = bestups\nport = /dev/ttyS0\nID = x\nbattvoltmult = 2\n",
        "[a]\n\tdriver = nutdrv_qx\n\tport = /dev/ttyS0\n\t# ID: the UPS says who it is\n\
         \toverride.battery.packs = 2\n\tprotocol = bestups\n",
    );
}

#[test]
fn each_line_of_old_is_told() {
    finds(
        "old",
        "[a]\ndriver = powermust\nport = /dev/ttyS0\ndtr = 1\nrts = 1\nondelay = abc\nfrob\n",
        &[
            ("2: error", "no more"),
            ("2: note", "in seconds now"),
            ("5: note", "for nutdrv_qx write cablepower = both"),
            ("6: note", "leave out ondelay: 'abc' is not a number of minutes"),
            ("7: note", "leave out frob"),
        ],
    );
}

#[test]
fn programs_read_it() {
    let text = "[a]\ndriver = blazer_usb\nport = auto\nfrob\n";
    let (output, said) = check("json", text, &["--json"]);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((output.status.code(), &read["works"]), (Some(1), &serde_json::Value::Bool(false)));
    assert_eq!(read["sections"][0]["driver"], "blazer_usb");
    assert!(read["sections"][0]["nutdrv_qx"].as_str().unwrap().starts_with("[a]\n"));
    let wrong =
        read["findings"].as_array().unwrap().iter().find(|finding| finding["weight"] == "error").unwrap();
    assert_eq!(wrong["line"], 4);
}

#[test]
fn a_file_that_is_not_there() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_qxups")).args(["check-config", "/no/such/file"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read /no/such/file"));
}

/// What it says is wrong.
fn wrong(name: &str, text: &str) -> Vec<String> {
    let (output, said) = check(name, text, &[]);
    let wrong: Vec<String> =
        said.lines().filter(|line| line.contains(": error: ")).map(String::from).collect();
    assert_eq!(output.status.code(), Some(i32::from(!wrong.is_empty())), "{said}");
    wrong
}

#[test]
fn a_port_that_is_none_is_found_where_it_is_there() {
    for (port, what) in [
        ("/dev/null", "port = /dev/null is not a serial port but a device of another kind"),
        ("/dev", "not a serial port but a directory"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "not a serial port but a file"),
    ] {
        for driver in ["nutdrv_qx", "blazer_ser"] {
            let wrong = wrong("no-port", &format!("[a]\ndriver = {driver}\nport = {port}\n"));
            assert!(wrong.len() == 1 && wrong[0].contains(what) && wrong[0].contains(":3:"), "{wrong:?}");
        }
        // it means nothing there
        assert_eq!(wrong("no-port-usb", &format!("[a]\ndriver = blazer_usb\nport = {port}\n")), [""; 0]);
    }
    // the file may be for another machine
    assert_eq!(wrong("no-such-port", "[a]\ndriver = nutdrv_qx\nport = /dev/ttyNoSuch\n"), [""; 0]);
}

#[test]
fn two_sections_on_one_port_are_found() {
    for (one, other) in [
        ("/dev/ttyNoSuch", "/dev/ttyNoSuch"),
        ("/dev/ttyNoSuch", "/dev/./ttyNoSuch"),
        ("tcp://ups.lan:4001", "tcp://UPS.LAN:4001/"),
        ("/tmp/no-such-port", "/tmp/no-such-port"),
    ] {
        let text =
            format!("[a]\ndriver = nutdrv_qx\nport = {one}\n[b]\ndriver = blazer_ser\nport = {other}\n");
        let wrong = wrong("two", &text);
        let said = "[a] has this port already";
        assert!(wrong.len() == 1 && wrong[0].contains(said) && wrong[0].contains(":6:"), "{wrong:?}");
    }
}

/// Beside ups.conf, and named alone.
#[test]
fn the_server_s_files_are_checked_too() {
    let folder = std::env::temp_dir().join(format!("qxups-check-extras-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ups.conf"), "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n").unwrap();
    let toml = folder.join("qxups.toml");
    let check = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        let output =
            command.arg("check-config").args(arguments).env("NUT_CONFPATH", &folder).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said.replace(&format!("{}/", folder.display()), ""))
    };
    std::fs::write(&toml, "[history]\nenabled = true\n").unwrap();
    let good = "ups.conf: 0 errors, 0 notes\nqxups.toml: 0 errors, 0 notes\n";
    assert_eq!(check(&[]), (Some(0), good.into()));
    std::fs::write(&toml, "[history]\nenabled = true\n\n[webb]\n").unwrap();
    let (code, said) = check(&[]);
    assert!(said.contains("\nqxups.toml:4: error: there is no table [webb]: did you mean web?\n"), "{said}");
    assert!(code == Some(1) && said.ends_with("qxups.toml: 1 error, 0 notes\n"), "{said}");
    let (code, said) = check(&[toml.to_str().unwrap()]);
    assert!(
        code == Some(1) && said.starts_with("qxups.toml:4: error: ") && said.lines().count() == 2,
        "{said}"
    );
    let (code, said) = check(&["--json"]);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &read["works"], &read["beside"][0]["works"]), (Some(1), &true.into(), &false.into()));
    assert_eq!(read["beside"][0]["findings"][0]["line"], 4);
    // what upsd does not take is an error, what it passes over a note
    std::fs::write(&toml, "").unwrap();
    std::fs::write(folder.join("upsd.conf"), "MAXAGE soon\nFROB 1\n").unwrap();
    std::fs::write(folder.join("upsd.users"), "[admin]\npassword = secret\ninstcmd = all\n").unwrap();
    let (code, said) = check(&[]);
    let says = |line: &str| said.lines().any(|said| said.starts_with(line));
    assert!(code == Some(1) && says("upsd.conf:1: error: MAXAGE") && says("upsd.conf:2: note: "), "{said}");
    assert!(says("upsd.users:3: ") && says("qxups.toml: 0 errors"), "{said}");
    let (_, said) = check(&[folder.join("upsd.users").to_str().unwrap()]);
    assert!(said.starts_with("upsd.users:3: ") && said.lines().count() == 2, "{said}");
    // the agents of SNMP are UPSes, and their community stands in a file that is there
    let snmp =
        "[snmp]\nallow = ['::1']\ncommunity_file = 'c'\n[snmp.agents]\nA = '[::1]:1161'\nb = '[::1]:1162'\n";
    std::fs::write(&toml, snmp).unwrap();
    let (code, said) = check(&[toml.to_str().unwrap()]);
    assert!(code == Some(1) && said.contains("error: [snmp] community_file: cannot read c: "), "{said}");
    std::fs::write(folder.join("c"), "s3cret\n").unwrap();
    let (code, said) = check(&[toml.to_str().unwrap()]);
    assert!(
        code == Some(0) && said.contains("note: [snmp.agents] has 'b'") && !said.contains("'A'"),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Found by a review: a server does not start with a hash that it cannot check, and a # ended a password without a word.
#[test]
fn passwords_of_upsd_users_are_checked() {
    let folder = std::env::temp_dir().join(format!("qxups-check-{}-passwords", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let good = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let short = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm";
    for (password, works, part) in [
        (format!("\"{good}\""), true, "0 errors, 0 notes"),
        (format!("\"{short}\""), false, "upsd.users:4: error: [a]: the hash of the password is shorter"),
        (
            format!("\"{}\"", good.replace("m=8", "m=99999999")),
            false,
            "upsd.users:4: error: [a]: the hash of the password costs",
        ),
        (good.to_string(), false, "upsd.users:4: error: the hash of the password is not whole"),
        ("geh#eim".into(), true, "upsd.users:4: note: the password ends before the #"),
        ("\"geh\\#eim\"".into(), true, "0 errors, 0 notes"),
    ] {
        let file = folder.join("upsd.users");
        std::fs::write(&file, format!("# x\n[a]\nactions = SET\npassword = {password}\n")).unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_qxups")).arg("check-config").arg(&file).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.success(), works, "{password}: {said}");
        assert!(said.contains(part) && !said.contains("geh"), "{password}: {said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Found by a newcomer: a heading without its end took a UPS away, and nothing was said.
#[test]
fn a_heading_without_its_end_is_an_error() {
    let text = "[big]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n[q\ndriver = dummy-ups\n";
    let (output, said) = check("begun", text, &[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ups.conf:4: error: '[q' is no section"), "{said}");
}

/// Found by a review: the file was good, and the server did not start, or turned every browser away.
#[test]
fn a_certificate_is_looked_at_as_the_server_does() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("qxups-check-{}-certificate", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let lasting = folder.join("var");
    std::fs::create_dir_all(&lasting).unwrap();
    // the server's user has to come to it
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.join("ups.conf"), "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n").unwrap();
    let pem = tls::TlsIdentity::make(&["localhost".to_string()]).unwrap();
    std::fs::write(folder.join("good.pem"), pem).unwrap();
    std::fs::set_permissions(folder.join("good.pem"), PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(folder.join("empty.pem"), "nothing\n").unwrap();
    std::fs::set_permissions(folder.join("empty.pem"), PermissionsExt::from_mode(0o644)).unwrap();
    let check = |upsd: &str, toml: &str, lasting: &std::path::Path, more: &[&str]| {
        std::fs::write(folder.join("upsd.conf"), upsd).unwrap();
        std::fs::write(folder.join("qxups.toml"), toml).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        command.arg("check-config").args(more).env("NUT_CONFPATH", &folder).env("QXUPS_VARPATH", lasting);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap().replace(&format!("{}/", folder.display()), "");
        (output.status.code(), said)
    };
    let page = "\n[web]\nlisten = [\"0.0.0.0:3494\"]\n";
    let none = folder.join("no-such-folder");
    for (upsd, toml, lasting, code, part) in [
        ("", page, &lasting, 0, "qxups.toml: 0 errors, 0 notes"),
        ("# x\nCERTFILE good.pem\n", page, &lasting, 0, "upsd.conf: 0 errors, 0 notes"),
        ("# x\nCERTFILE no.pem\n", "", &lasting, 1, "upsd.conf:2: error: CERTFILE "),
        ("# x\nCERTFILE empty.pem\n", page, &lasting, 1, "upsd.conf:2: error: CERTFILE "),
        ("CERTIDENT nss secret\n", page, &lasting, 1, "qxups.toml:2: error: pages are to be encrypted"),
        ("LISTEN 0.0.0.0\nCERTIDENT nss secret\n", "", &lasting, 0, "upsd.conf:2: note: CERTIDENT"),
        ("", page, &none, 1, "qxups.toml:2: error: pages are to be encrypted"),
        ("CERTREQUEST 2\nCERTFILE good.pem\n", "", &lasting, 1, "write CERTPATH"),
        // nothing is encrypted: none is needed
        ("", "[web]\nlisten = [\"127.0.0.1:3494\"]\n", &none, 0, "0 errors, 0 notes"),
    ] {
        let (status, said) = check(upsd, toml, lasting, &[]);
        assert_eq!(status, Some(code), "{upsd} {toml}: {said}");
        assert!(said.contains(part) && !said.contains("secret"), "{upsd} {toml}: {said}");
    }
    // named alone, too
    let alone = folder.join("upsd.conf").display().to_string();
    let (code, said) = check("CERTFILE no.pem\n", "", &lasting, &[&alone]);
    assert!(code == Some(1) && said.starts_with("upsd.conf:1: error: CERTFILE "), "{said}");
    assert!(!lasting.join("qxups-server.pem").exists(), "to check is not to make");
    // root could read it, the server's user could not
    std::fs::set_permissions(folder.join("good.pem"), PermissionsExt::from_mode(0o600)).unwrap();
    let (code, said) = check("CERTFILE good.pem\n", "", &lasting, &[]);
    match nix::unistd::Uid::effective().is_root() && nix::unistd::User::from_name("nut").unwrap().is_some() {
        true => {
            assert!(code == Some(1) && said.contains("the server's user 'nut' may not read it"), "{said}")
        }
        false => assert_eq!(code, Some(0), "{said}"),
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Found by a newcomer: of a simulated UPS one mistake was named at a time.
#[test]
fn all_mistakes_of_a_simulated_ups_are_named() {
    finds(
        "sim-all",
        "[a]\ndriver = qxups-sim\nprotocol = klingon\nscenario = nowhere\nknob = \"frob 1\"\nseed = x\nprtocol = mecer\n\
         pollinterval = never\n",
        &[
            ("3: error", "there is no dialect"),
            ("4: error", "scenario"),
            ("5: error", "frob"),
            ("6: error", "whole number"),
            ("7: error", "did you mean protocol?"),
            ("8: error", "pollinterval"),
        ],
    );
}

/// A folder with these files; what is said of it or of one of them, without the path, and the exit code.
fn checks(name: &str, files: &[(&str, &str)], alone: Option<&str>) -> (Option<i32>, Vec<String>) {
    let folder = std::env::temp_dir().join(format!("qxups-check-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |file: &str, text: &str| {
        let path = folder.join(file);
        std::fs::write(&path, text.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        let mode = if file == "open" { 0o644 } else { 0o640 };
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    put("ups.conf", "[rack]\ndriver = nutdrv_qx\nport = /dev/ttyS0\n");
    files.iter().for_each(|(file, text)| put(file, text));
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.arg("check-config").env("NUT_CONFPATH", &folder).stdin(Stdio::null());
    let output = command.args(alone.map(|file| folder.join(file))).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap().replace(&format!("{}/", folder.display()), "");
    std::fs::remove_dir_all(&folder).unwrap();
    (output.status.code(), said.lines().map(String::from).collect())
}

const USERS: &str = "[mon]\npassword = secret\nupsmon primary\n[nas]\npassword = other\nupsmon secondary\n";
const UPSMON: &str =
    "MONITOR rack@localhost 1 mon secret primary\nSHUTDOWNCMD \"/bin/true -h\"\nPOWERDOWNFLAG FOLDER/flag\n";

#[test]
fn a_good_upsmon_conf_is_good() {
    let files = [("upsd.users", USERS), ("upsmon.conf", UPSMON)];
    let (code, said) = checks("upsmon-good", &files, None);
    let is_hook = |line: &String| line.contains("reads the flag and switches the UPS off");
    let said: Vec<&str> = said.iter().filter(|line| !is_hook(line)).map(String::as_str).collect();
    assert_eq!(
        (code, said[0], said[1]),
        (Some(0), "ups.conf: 0 errors, 0 notes", "upsd.users: 0 errors, 0 notes")
    );
    assert!(said[2].starts_with("upsmon.conf: 0 errors, ") && said.len() == 3, "{said:#?}");
    // that of the package, which is in no use
    let (code, said) = checks("upsmon-package", &[("upsmon.conf", "MINSUPPLIES 1\nPOLLFREQ 5\n")], None);
    assert_eq!((code, said[1].as_str()), (Some(0), "upsmon.conf: 0 errors, 0 notes"));
}

/// Each mistake by itself, in the line it stands in.
#[test]
fn mistakes_of_upsmon_conf_are_found() {
    let monitor = "MONITOR rack 1 mon secret primary\n";
    let rest = "SHUTDOWNCMD /bin/true\nPOWERDOWNFLAG FOLDER/flag\n";
    for (number, (text, line, part)) in [
        (
            format!("MONITOR rock 1 mon secret primary\n{rest}"),
            1,
            "ups.conf has no UPS rock: did you mean rack?",
        ),
        (
            format!("MONITOR rack 1 moon secret primary\n{rest}"),
            1,
            "no user moon with a password: did you mean mon?",
        ),
        (format!("MONITOR rack 1 mon wrong primary\n{rest}"), 1, "the password is not that of mon"),
        (format!("MONITOR rack 1 nas other primary\n{rest}"), 1, "user nas of upsd.users may not be primary"),
        (format!("{monitor}{rest}MINSUPPLIES 2\n"), 4, "MINSUPPLIES is 2, and all UPSes together feed 1"),
        (format!("{monitor}{rest}MINSUPLIES 1\n"), 4, "did you mean MINSUPPLIES?"),
        (format!("{monitor}{rest}MINSUPPLIES = 1\n"), 4, "MINSUPPLIES has no ="),
        (format!("{monitor}{rest}NOTIFYFLAG ONBATT SYSLOG+EXEC\n"), 4, "there is no NOTIFYCMD to run"),
        (format!("{monitor}{rest}NOTIFYCMD /bin/true\n"), 4, "no NOTIFYFLAG has EXEC"),
        (
            format!("{monitor}{rest}NOTIFYCMD /no/such\nNOTIFYFLAG ONBATT EXEC\n"),
            4,
            "/no/such does not exist",
        ),
        (
            format!("{monitor}{rest}NOTIFYCMD FOLDER/upssched\nNOTIFYFLAG ONBATT EXEC\n"),
            4,
            "there is no upssched.conf",
        ),
        (format!("{monitor}POWERDOWNFLAG FOLDER/flag\n"), 1, "there is no SHUTDOWNCMD"),
        (
            format!("{monitor}SHUTDOWNCMD \"FOLDER/upsd.users -h +0\"\nPOWERDOWNFLAG FOLDER/flag\n"),
            2,
            "is not executable",
        ),
        (format!("{monitor}SHUTDOWNCMD /bin/true\n"), 1, "there is no POWERDOWNFLAG"),
        (format!("{monitor}SHUTDOWNCMD /bin/true\nPOWERDOWNFLAG /no/such/flag\n"), 3, "cannot be written"),
        (format!("{monitor}{rest}DEADTIME 5\n"), 4, "write DEADTIME 15"),
        (
            format!("{monitor}{rest}NOTIFYFLAG ONBATT SYSLOG + EXEC\n"),
            4,
            "what follows the value of NOTIFYFLAG",
        ),
    ]
    .iter()
    .enumerate()
    {
        let files = [("upsd.users", USERS), ("upssched", "#!/bin/sh\n"), ("upsmon.conf", text.as_str())];
        let (code, said) = checks(&format!("upsmon-{number}"), &files, None);
        let found = said.iter().filter(|said| said.starts_with("upsmon.conf:") && said.contains(": error: "));
        let found: Vec<&String> = found.collect();
        assert!(code == Some(1) && !found.is_empty(), "{text}: {said:#?}");
        assert!(
            found
                .iter()
                .any(|said| said.starts_with(&format!("upsmon.conf:{line}: ")) && said.contains(part)),
            "{part}: {found:#?}"
        );
        assert!(!said.iter().any(|said| said.contains("secret")), "{said:#?}");
    }
}

#[test]
fn upssched_conf_is_checked_beside_upsmon_conf() {
    let upsmon = format!("{UPSMON}NOTIFYCMD FOLDER/upssched\nNOTIFYFLAG ONBATT SYSLOG+EXEC\n");
    let sched = "CMDSCRIPT /bin/true\nPIPEFN FOLDER/pipe\nLOCKFN /no/such/lock\nAT ONBATT * START-TIMER long 30\n\
        AT ONLINE * CANCEL-TIMER long\nAT ONBATT rack EXECUTE now\nAT ONBATT * CANCEL-TIMER lang\nAT ONBAT * EXECUTE x\n";
    let files = [("upsd.users", USERS), ("upsmon.conf", upsmon.as_str()), ("upssched.conf", sched)];
    let (code, said) = checks("upssched", &files, None);
    let errors: Vec<&str> = said
        .iter()
        .filter_map(|line| line.strip_prefix("upssched.conf:"))
        .filter(|line| line.contains("error: "))
        .collect();
    let parts = [
        ("4: ", "LOCKFN /no/such/lock cannot be made"),
        ("5: ", "NOTIFYFLAG ONLINE SYSLOG+EXEC"),
        ("6: ", "upsmon.conf has no MONITOR of rack: write it as there, one of rack@localhost, or *"),
        ("7: ", "no line starts the timer lang"),
        ("8: ", "there is no ONBAT: did you mean ONBATT?"),
    ];
    assert_eq!((code, errors.len()), (Some(1), parts.len()), "{errors:#?}");
    for ((line, part), said) in parts.iter().zip(errors) {
        assert!(said.starts_with(line) && said.contains(part), "{part}: {said}");
    }
    assert!(!said.iter().any(|line| line.contains("[[notify]]")), "only where it is asked for: {said:#?}");
}

/// The file that was named alone is written in other words, which the server takes.
#[test]
fn what_they_are_in_qxups_toml_is_printed() {
    let sched = "CMDSCRIPT /bin/true\nPIPEFN FOLDER/pipe\nLOCKFN FOLDER/lock\nAT ONBATT * START-TIMER long 30\n\
        AT ONLINE * CANCEL-TIMER long\nAT CAL * EXECUTE cal\n";
    let (code, said) = checks("upssched-alone", &[("upssched.conf", sched)], Some("upssched.conf"));
    assert_eq!(code, Some(0), "{said:#?}");
    assert!(said[0].starts_with("upssched.conf:6: note: left out: CAL"), "{said:#?}");
    let begins =
        said.iter().position(|line| line.starts_with("In qxups.toml, in place of upssched.conf")).unwrap();
    let toml = said[begins + 1..said.len() - 1].join("\n");
    assert!(toml.contains("[[notify]]\nname = \"long\"\nwhen = \"on battery\"\nafter_s = 30\n"), "{toml}");
    let (code, said) = checks("upssched-again", &[("qxups.toml", &toml)], Some("qxups.toml"));
    assert_eq!((code, said), (Some(0), vec!["qxups.toml: 0 errors, 0 notes".to_string()]));
    let (code, said) =
        checks("upsmon-alone", &[("upsd.users", USERS), ("upsmon.conf", UPSMON)], Some("upsmon.conf"));
    assert!(code == Some(0) && said.iter().any(|line| line == "[[protect.group]]"), "{said:#?}");
    assert!(said.iter().any(|line| line == "arm = false"), "{said:#?}");
}

#[test]
fn what_protection_names_has_to_be_there() {
    let folder = std::env::temp_dir().join(format!("qxups-check-{}-protect", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ups.conf"), "[rack]\ndriver = qxups-sim\n[nas]\ndriver = qxups-sim\n")
        .unwrap();
    std::fs::write(folder.join("upsd.users"), "[lab]\npassword = one\nupsmon secondary\n").unwrap();
    let check = |toml: &str| {
        std::fs::write(folder.join("qxups.toml"), toml).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        let output = command.arg("check-config").arg(folder.join("qxups.toml")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let good = "[protect]\narm = true\n[[protect.group]]\nname = 'g'\nups = ['rack']\n\
                [[protect.group.stage]]\nname = 'lab'\nusers = ['lab']\n";
    let said = check(good);
    assert!(said.contains("qxups.toml: 0 errors"), "{said}");
    for (from, to, part) in [
        ("'rack'", "'rick'", "ups.conf has no UPS 'rick'"),
        ("['lab']", "['lob']", "user 'lob', and upsd.users has none"),
        ("users = ['lab']", "names = { nas = 'rack' }", "nas is a UPS of ups.conf"),
        ("arm = true", "arm = false", "nothing is done until it says arm = true"),
        ("users", "[[protect.group.stage.run]]\ncommand = ['/no/such']\n#", "/no/such cannot be run"),
    ] {
        let said = check(&good.replace(from, to));
        assert!(said.contains(part), "{part}: {said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_outage_is_played_by_the_file() {
    let folder = std::env::temp_dir().join(format!("qxups-drill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let drill = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        let output = command.arg("drill").arg(&folder).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (output.status.code(), said)
    };
    std::fs::write(folder.join("qxups.toml"), "[web]\n").unwrap();
    let (code, said) = drill(&[]);
    assert!(code == Some(1) && said.contains("has no [protect]"), "{said}");
    let toml = "[[protect.group]]\nname = 'g'\nups = ['rack']\n[protect.group.load]\ndelay_s = 180\n\
                [protect.host]\ndown_s = 60\n";
    std::fs::write(folder.join("qxups.toml"), toml).unwrap();
    let (code, said) = drill(&["--back", "60"]);
    assert!(code == Some(0) && !said.contains("shut this host down"), "{said}");
    let (code, said) = drill(&[]);
    assert!(
        code == Some(0) && said.contains("shut this host down") && said.contains("this host is up again"),
        "{said}"
    );
    let (code, said) = drill(&["--runtime", "60"]);
    assert!(code == Some(1) && said.contains("FAULT: "), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}
