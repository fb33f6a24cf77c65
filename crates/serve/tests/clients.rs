//! Debian's clients, unchanged, before simulated UPSes: what they print is what a person sees.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{Site, nut_judge};

const CONF: &str = "[rack]\ndriver = qxups-sim\ndesc = \"The rack\"\n\
                    [attic]\ndriver = qxups-sim\nprotocol = voltronic\nscenario = on-battery\n\
                    [gone]\ndriver = usbhid-ups\nport = auto\n";

fn site(name: &str) -> Site {
    let site = Site::started(name, CONF, "");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.until_answer("GET VAR attic ups.status", "VAR attic ups.status \"OB\"");
    site
}

#[test]
fn upsc_lists_and_reads() {
    let Some(upsc) = nut_judge("upsc") else { return };
    let site = site("upsc");
    assert_eq!(site.printed(&upsc, &["-l", "{}"]), "rack\nattic\ngone\n");
    assert_eq!(
        site.printed(&upsc, &["-L", "{}"]),
        "rack: The rack\nattic: Description unavailable\ngone: Description unavailable\n"
    );
    assert_eq!(site.printed(&upsc, &["rack@{}", "ups.status"]), "OL\n");
    assert_eq!(site.printed(&upsc, &["ATTIC@{}", "UPS.STATUS"]), "OB\n");
    let all = site.printed(&upsc, &["rack@{}"]);
    let names: Vec<&str> = all.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert!(names.is_sorted() && names.len() > 20, "{all}");
    for line in ["ups.firmware: V1.0", "device.mfr: QXUPS", "input.voltage: 230.0", "ups.status: OL"] {
        assert!(all.lines().any(|known| known == line), "{line}: {all}");
    }
    for (ups, why) in [("gone@{}", "Driver not connected"), ("none@{}", "Unknown UPS")] {
        let output = site.nut(&upsc, &[ups]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    }
}

#[test]
fn upscmd_lists_and_commands() {
    let Some(upscmd) = nut_judge("upscmd") else { return };
    let site = site("upscmd");
    let listed = site.printed(&upscmd, &["-l", "rack@{}"]);
    assert!(
        listed.contains("beeper.toggle - ") && listed.contains("test.battery.start.quick - "),
        "{listed}"
    );
    let user = ["-w", "-u", "admin", "-p", "secret", "rack@{}"];
    let beeper = |site: &Site| site.ask("GET VAR rack ups.beeper.status");
    assert_eq!(beeper(&site), "VAR rack ups.beeper.status \"enabled\"");
    let output = site.nut(&upscmd, &[&user[..], &["beeper.toggle"]].concat());
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "SUCCESS");
    site.until("the beeper is off", || beeper(&site) == "VAR rack ups.beeper.status \"disabled\"");
    for (arguments, why) in [
        (&["-u", "admin", "-p", "wrong", "rack@{}", "beeper.toggle"][..], "ACCESS-DENIED"),
        (&["-u", "first", "-p", "one", "rack@{}", "beeper.toggle"], "ACCESS-DENIED"),
        (&["-u", "admin", "-p", "secret", "rack@{}", "no.such"], "CMD-NOT-SUPPORTED"),
        (&["-u", "admin", "-p", "secret", "gone@{}", "load.off"], "DRIVER-NOT-CONNECTED"),
    ] {
        let output = site.nut(&upscmd, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{arguments:?}: {said}");
    }
    let log = site.log();
    assert!(log.contains("admin@127.0.0.1 asks UPS rack for beeper.toggle"), "{log}");
}

#[test]
fn upsrw_lists_and_sets() {
    let Some(upsrw) = nut_judge("upsrw") else { return };
    let site = site("upsrw");
    let listed = site.printed(&upsrw, &["rack@{}"]);
    assert!(listed.contains("[ups.delay.start]\n") && listed.contains("Type: RANGE NUMBER\n"), "{listed}");
    let set = |value: &str| {
        let variable = format!("ups.delay.start={value}");
        let output = site.nut(&upsrw, &["-w", "-s", &variable, "-u", "admin", "-p", "secret", "rack@{}"]);
        String::from_utf8_lossy(&output.stderr).trim().to_string()
    };
    assert_eq!(set("240"), "SUCCESS");
    assert_eq!(site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
    assert!(set("99999999").contains("INVALID-VALUE"));
    assert_eq!(site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
}

#[test]
fn upslog_writes_its_line() {
    let Some(upslog) = nut_judge("upslog") else { return };
    let site = site("upslog");
    let file = site.folder.join("upslog");
    let place = format!("rack@127.0.0.1:{}", site.port);
    let mut upslog = std::process::Command::new(upslog);
    site.environment(&mut upslog);
    let user = if nix::unistd::Uid::effective().is_root() { &["-u", "root"][..] } else { &[] };
    let mut running = upslog
        .args(["-D", "-s", &place, "-i", "1", "-f", "%VAR ups.status% %VAR input.voltage%", "-l"])
        .arg(&file)
        .args(user)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    site.until("a line was written", || read().lines().count() >= 2);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(read().lines().next(), Some("OL 230.0"));
}

/// Found by a review: each new name of a user was a line of log of its own, by a host that had proven nothing.
#[test]
fn guesses_fill_no_log() {
    let site = Site::started("guesses", "[rack]\ndriver = qxups-sim\n", "");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let mut clients: Vec<_> = (0..40).map(|_| site.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.say(&format!("USERNAME {}{number}\nPASSWORD x\nLOGIN rack", "u".repeat(480)));
    }
    for client in &mut clients {
        assert_eq!([client.hear(), client.hear(), client.hear()], ["OK", "OK", "ERR ACCESS-DENIED"]);
    }
    let lines: Vec<String> =
        site.log().lines().filter(|line| line.contains("uuu")).map(String::from).collect();
    assert!(lines.len() == 1 && lines[0].len() < 250, "{lines:?}");
}

/// Found by a review: the log said that a client was dropped, where none was and the host that came was turned away.
#[test]
fn a_host_that_is_turned_away_is_said() {
    let site = Site::started("full", "[rack]\ndriver = qxups-sim\n", "MAXCONN 4\n");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let mut hosts = [site.connect().user("first", "one"), site.connect().user("second", "two")];
    for host in &mut hosts {
        assert_eq!(host.ask("LOGIN rack"), "OK");
    }
    assert!(site.connect().is_closed(std::time::Duration::from_secs(20)));
    site.until("it is said", || site.log().contains("a client from 127.0.0.1 was turned away"));
    assert!(!site.log().contains("one was dropped"), "{}", site.log());
}
