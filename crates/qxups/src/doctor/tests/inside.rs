//! `ups.conf`, what is installed and what runs.

use super::*;

#[test]
fn a_healthy_machine_has_no_findings() {
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
    assert!(report.text().contains("u: the driver runs and its data is fresh: OL"), "{}", report.text());
    assert!(report.text().contains("lib/nutdrv_qx: is that of qxups\n"), "{}", report.text());
}

#[test]
fn whose_driver_it_is_is_told() {
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    let driver = machine.folder.join("lib/nutdrv_qx");
    machine.write("diversions", &format!("/a\n/b\nx\n{0}\n{0}.nut\nqxups\n", driver.display()));
    assert!(machine.report().text().contains("is that of qxups, NUT's is diverted to"));
    machine.write("lib/nutdrv_qx", "\x7fELF Network UPS Tools");
    assert!(machine.report().text().contains("nutdrv_qx: is NUT's own, NUT's"));
}

#[test]
fn what_is_wrong_in_ups_conf() {
    let machine = Machine::new();
    only(&machine.report(), FindingKind::NoConfiguration, &["ups.conf", "qxups scan"]);
    machine.write("nut/ups.conf", "maxretry = 3\n");
    only(&machine.report(), FindingKind::NoSection, &["has no section"]);
    machine.watched();
    machine.socket(FRESH);
    only(&run(machine.examine(Some("v"), false)), FindingKind::NoSection, &["no section [v]"]);
    machine.section("port = tcp://192.0.2.1:4001\nprotocol = megatek");
    only(&machine.report(), FindingKind::BadSection, &["did you mean megatec", "check-config"]);
    machine.write("nut/ups.conf", "[u]\nport = auto\n");
    only(&machine.report(), FindingKind::BadSection, &["names no driver"]);
    machine.write("nut/ups.conf", "[u]\ndriver = usbhid-ups\nport = auto\n");
    only(&machine.report(), FindingKind::NoSuchDriver, &["lib/usbhid-ups is not there"]);
    machine.write("lib/usbhid-ups", "");
    assert_eq!(machine.report().kinds(), []);
    machine.section("port = tcp://192.0.2.1:4001\n[my ups]");
    only(&machine.report(), FindingKind::BadLine, &["ups.conf", "line 4"]);
    let other = "[v]\ndriver = nutdrv_qx\nport = tcp://192.0.2.1:4001\n";
    machine.section(&format!("port = tcp://192.0.2.1:4001\n{other}"));
    machine.process(71, "nutdrv_qx", &["nutdrv_qx", "-a", "v"], None);
    std::fs::hard_link(machine.folder.join("run/nutdrv_qx-u"), machine.folder.join("run/nutdrv_qx-v"))
        .unwrap();
    only(&machine.report(), FindingKind::SamePort, &["v: shares its port tcp://192.0.2.1:4001 with [u]"]);
    // also when only one of the two is looked at, or the other is of another driver
    let report = run(machine.examine(Some("u"), false));
    only(&report, FindingKind::SamePort, &["v: shares its port"]);
    machine.write("lib/apcsmart", "");
    machine.section("port = /dev/no-such-port\n[v]\ndriver = apcsmart\nport = /dev//no-such-port");
    let report = machine.report();
    assert!(report.kinds().contains(&FindingKind::SamePort), "{}", report.text());
}

#[test]
fn user_and_state_directory() {
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.foreign();
    std::fs::set_permissions(machine.folder.join("run"), Permissions::from_mode(0o750)).unwrap();
    only(
        &machine.report(),
        FindingKind::StateDirectory,
        &["'nut' may not write", "install -d -o nut -g nut -m 770"],
    );
    machine.write("etc/passwd", "root:x:0:0::/:/bin/sh\n");
    only(&machine.report(), FindingKind::NoUser, &["'nut' does not exist", "useradd"]);
    machine.account(0, 0, "");
    std::fs::remove_dir_all(machine.folder.join("run")).unwrap();
    let report = machine.report();
    assert!(report.kinds().contains(&FindingKind::StateDirectory), "{}", report.text());
}

#[test]
fn drivers_that_run_or_do_not() {
    let machine = Machine::new();
    machine.watched();
    only(&machine.report(), FindingKind::DriverHangs, &["nutdrv_qx (process 70) runs, but has no socket"]);
    machine.socket("SETINFO ups.status \"OL\"\nDATASTALE\nDUMPDONE\n");
    only(&machine.report(), FindingKind::StaleData, &["the UPS does not answer it", "upsdrvctl stop u"]);
    // some drivers only do not say that it is fresh
    std::fs::remove_file(machine.folder.join("run/nutdrv_qx-u")).unwrap();
    machine.socket("SETINFO ups.status \"OL\"\nDUMPDONE\n");
    only(&machine.report(), FindingKind::StaleData, &[]);

    // systemd starts one, upsdrvctl another
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.process(71, "blazer_ser", &["/lib/nut/blazer_ser", "-au"], None);
    machine.process(72, "nutdrv_qx", &["nutdrv_qx", "-a", "other"], None);
    machine.process(73, "usbhid-ups", &["usbhid-ups", "-a", "u"], None);
    let words = ["nutdrv_qx (process 70) and blazer_ser (process 71)", "systemctl stop nut-driver@u"];
    only(&machine.report(), FindingKind::TwinDrivers, &words);
    // that of a container
    symlink(&machine.folder, machine.folder.join("proc/71/cwd")).unwrap();
    symlink(machine.folder.join("run"), machine.folder.join("proc/70/cwd")).unwrap();
    assert_eq!(machine.report().kinds(), []);

    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.write("run/nutdrv_qx-u.pid", "99\n");
    only(&machine.report(), FindingKind::StalePidFile, &["names process 99, which does not run", "rm "]);
    machine.process(99, "nutdrv_qx", &[], None);
    machine.write("proc/99/stat", "99 (nutdrv_qx) Z 1\n");
    only(&machine.report(), FindingKind::StalePidFile, &["names process 99, which does not run", "rm "]);
    std::fs::remove_file(machine.folder.join("proc/99/stat")).unwrap();
    machine.process(99, "bash", &["bash"], None);
    only(&machine.report(), FindingKind::StalePidFile, &["names bash (process 99), which is no nutdrv_qx"]);
}

#[test]
fn a_driver_that_takes_the_question_and_says_nothing() {
    let machine = Machine::new();
    machine.watched();
    machine.socket("SETINFO ups.status \"OL\"\n");
    only(&machine.report(), FindingKind::DriverHangs, &["does not answer on its socket"]);
}

/// A server of ours that runs, and its files.
fn serving(machine: &Machine) {
    machine.process(80, "qxups", &["qxups", "serve"], None);
    machine.write("run/upsd.pid", "80\n");
    machine.write("run/upsd.control", "");
}

#[test]
fn what_the_server_has_inside_is_no_driver_s() {
    let machine = Machine::new();
    let sections = "[sim]\ndriver = qxups-sim\n[far]\ndriver = dummy-ups\nport = ups@192.0.2.7\n\
                    [up]\ndriver = nut-upstream\nport = ups@192.0.2.7\n";
    machine.write("nut/ups.conf", sections);
    let report = machine.report();
    assert_eq!(report.kinds(), [FindingKind::NotRunning; 3], "{}", report.text());
    assert!(report.text().contains("sim: no server runs that has it"), "{}", report.text());
    assert!(report.text().contains("systemctl start qxups-serve"), "{}", report.text());
    serving(&machine);
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
    assert!(report.text().contains("far: qxups (process 80) has it"), "{}", report.text());
    // NUT's own repeater is a driver as any other
    std::fs::remove_file(machine.folder.join("run/upsd.control")).unwrap();
    machine.write("lib/dummy-ups", "");
    machine.write("nut/ups.conf", "[far]\ndriver = dummy-ups\nport = ups@192.0.2.7\n");
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
    assert!(report.text().contains("far: is watched by dummy-ups"), "{}", report.text());
    machine.write("nut/ups.conf", "[sim]\ndriver = qxups-sim\nprotocol = klingon\n");
    only(&machine.report(), FindingKind::BadSection, &["sim: line 3", "there is no dialect 'klingon'"]);
}

/// The truth of a UPS that the server drives, or looks for: no second driver is to be started.
#[test]
fn a_ups_that_the_server_drives_needs_no_driver() {
    let machine = Machine::new();
    machine.section("port = tcp://192.0.2.1:4001");
    serving(&machine);
    let report = machine.report();
    only(&report, FindingKind::NotFound, &["u: qxups (process 80) has not found it", "qxups reload"]);
    assert!(!report.text().contains("upsdrvctl"), "{}", report.text());
    machine.socket(FRESH);
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
    assert!(report.text().contains("u: qxups (process 80) drives it, and its data is fresh: OL"));
    // a number that is another program's by now
    machine.process(80, "bash", &["bash"], None);
    assert!(machine.report().text().contains("u: the driver runs"), "{}", machine.report().text());
}

/// Without a package there is no driver beside the tool, and the server runs as whichever user it was started by.
#[test]
fn what_the_server_drives_needs_nothing_of_a_driver_s() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&[]);
        std::fs::set_permissions(&port, Permissions::from_mode(0o600)).unwrap();
        machine.section(&format!("port = {}", port.display()));
        std::fs::remove_file(machine.folder.join("lib/nutdrv_qx")).unwrap();
        let report = machine.examine(None, false).await;
        assert!(report.kinds().contains(&FindingKind::NoSuchDriver), "{}", report.text());
        assert!(report.text().contains("qxups serve"), "{}", report.text());
        // no program of this user's is seen to have the port
        machine.process(80, "qxups", &["qxups", "serve"], None);
        machine.write("run/upsd.pid", "80\n");
        machine.write("run/upsd.control", "");
        machine.socket(FRESH);
        for user in ["root:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/sh\nnut:x:54321:54321::/:/bin/false\n"] {
            machine.write("etc/passwd", user);
            let report = machine.examine(None, false).await;
            assert_eq!(report.kinds(), [], "{}", report.text());
        }
        // while the UPS is silent, all of it is worth a look
        std::fs::remove_file(machine.folder.join("run/nutdrv_qx-u")).unwrap();
        machine.socket("SETINFO ups.status \"OL\"\nDATASTALE\nDUMPDONE\n");
        let kinds = machine.examine(None, false).await.kinds();
        assert_eq!(kinds, [FindingKind::StaleData, FindingKind::PortForbidden]);
    });
}

/// STATEPATH is where the server looks for it: in `ups.conf`, else in `upsd.conf`.
#[test]
fn the_state_directory_is_that_of_the_files() {
    let machine = Machine::new();
    let other = machine.folder.join("other");
    std::fs::create_dir(&other).unwrap();
    machine.section("port = tcp://192.0.2.1:4001");
    serving(&machine);
    machine.socket(FRESH);
    std::fs::rename(machine.folder.join("run/nutdrv_qx-u"), other.join("nutdrv_qx-u")).unwrap();
    only(&machine.report(), FindingKind::NotFound, &["has not found it"]);
    machine.write("nut/upsd.conf", &format!("STATEPATH {}\n", other.display()));
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
    machine.write("nut/upsd.conf", "STATEPATH /no/such/folder\n");
    let named =
        format!("statepath = {}\n[u]\ndriver = nutdrv_qx\nport = tcp://192.0.2.1:4001\n", other.display());
    machine.write("nut/ups.conf", &named);
    let report = machine.report();
    assert_eq!(report.kinds(), [], "{}", report.text());
}

/// A server that this user may not see is not said to be missing.
#[test]
fn what_is_not_seen_is_not_said_to_be_missing() {
    let machine = Machine::new();
    machine.write("nut/ups.conf", "[sim]\ndriver = qxups-sim\n");
    let hidden = System {
        nut: Paths { pid: "/proc/1/root/x".into(), ..machine.system.nut.clone() },
        ..machine.system.clone()
    };
    // root may look there, and finds nothing
    let is_hidden = running::server(&hidden) == Err(running::NoServer::Hidden);
    let doctor = Doctor { what: None, try_cables: false, json: false };
    let report = run(doctor.examine(&hidden)).unwrap();
    assert_eq!(report.findings.is_empty(), is_hidden, "{}", report.text());
    assert_eq!(report.text().contains("run as root"), is_hidden, "{}", report.text());
    // one that was started with other folders
    machine.process(81, "qxups", &["qxups", "serve", "."], None);
    only(&machine.report(), FindingKind::NotRunning, &["process 81", "NUT_STATEPATH"]);
}

/// The port is held by the server, which is as it should be.
#[test]
fn the_server_may_have_the_port_open() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&[]);
        machine.section(&format!("port = {}", port.display()));
        machine.process(80, "qxups", &["qxups", "serve"], Some(&port));
        machine.write("run/upsd.pid", "80\n");
        machine.write("run/upsd.control", "");
        machine.socket(FRESH);
        let report = machine.examine(None, false).await;
        assert_eq!(report.kinds(), [], "{}", report.text());
    });
}
