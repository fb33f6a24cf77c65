//! A machine in a temporary folder, healthy at first; each test breaks one thing.

use super::finding::{Kind, Report};
use super::system::System;
use super::*;
use driver::config::Paths;
use link::UsbOptions;
use simulator::end::Shared;
use simulator::knob::Knob;
use simulator::personality::Personality;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{LocalSet, spawn_local};

struct Machine {
    folder: PathBuf,
    system: System,
}

impl Machine {
    /// A machine without a UPS: accounts, a driver that is ours, a state directory.
    fn new() -> Machine {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("qxups-doctor-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for name in ["proc", "dev/bus/usb/001", "etc", "rules", "nut", "run", "lib"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let system = System {
            proc: folder.join("proc"),
            dev: folder.join("dev"),
            etc: folder.join("etc"),
            rules: vec![folder.join("rules")],
            diversions: folder.join("diversions"),
            drivers: folder.join("lib"),
            nut: Paths { conf: folder.join("nut"), state: folder.join("run"), pid: folder.join("run") },
        };
        let machine = Machine { folder, system };
        machine.write("lib/nutdrv_qx", "\x7fELF ... - nutdrv_qx, a drop-in for Network UPS Tools\0");
        // the driver's user owns what this test makes
        let meta = machine.folder.metadata().unwrap();
        machine.account(meta.uid(), meta.gid(), "");
        machine
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn account(&self, uid: u32, gid: u32, group_members: &str) {
        self.write(
            "etc/passwd",
            &format!("root:x:0:0:root:/root:/bin/sh\nnut:x:{uid}:{gid}::/:/bin/false\n"),
        );
        let own = self.folder.metadata().unwrap().gid();
        self.write("etc/group", &format!("dialout:x:{own}:{group_members}\n"));
    }

    /// The driver's user becomes somebody to whom nothing here belongs.
    fn stranger(&self) {
        self.account(54_321, 54_321, "");
    }

    fn section(&self, lines: &str) {
        self.write("nut/ups.conf", &format!("[u]\ndriver = nutdrv_qx\n{lines}\n"));
    }

    /// A process that has a file open.
    fn process(&self, pid: u32, name: &str, arguments: &[&str], open: Option<&Path>) {
        let folder = format!("proc/{pid}");
        std::fs::create_dir_all(self.folder.join(&folder).join("fd")).unwrap();
        self.write(&format!("{folder}/comm"), &format!("{name}\n"));
        self.write(&format!("{folder}/cmdline"), &(arguments.join("\0") + "\0"));
        if let Some(open) = open {
            let link = self.folder.join(&folder).join("fd/3");
            symlink(open.canonicalize().unwrap(), link).unwrap();
        }
    }

    /// A driver's socket that says this to whoever asks for everything.
    fn socket(&self, lines: &'static str) {
        let listener = UnixListener::bind(self.folder.join("run/nutdrv_qx-u")).unwrap();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut asked = String::new();
                let _ = BufReader::new(&stream).read_line(&mut asked);
                let _ = (&stream).write_all(if asked == "DUMPALL\n" { lines.as_bytes() } else { b"ERROR\n" });
            }
        });
    }

    /// A UPS that a driver watches, all well.
    fn watched(&self) {
        self.section("port = tcp://192.0.2.1:4001");
        self.process(70, "nutdrv_qx", &["/lib/nut/nutdrv_qx", "-a", "u"], None);
        self.write("run/nutdrv_qx-u.pid", "70\n");
    }

    async fn examine(&self, what: Option<&str>, try_cables: bool) -> Report {
        let doctor = Doctor { what: what.map(String::from), try_cables, json: false };
        doctor.examine(&self.system).await.unwrap()
    }

    fn report(&self) -> Report {
        run(self.examine(None, false))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// The only finding is this one, and says these words.
fn only(report: &Report, kind: Kind, words: &[&str]) {
    let text = report.text();
    assert_eq!(report.kinds(), [kind], "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

const FRESH: &str = "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n";

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
    only(&machine.report(), Kind::NoConfiguration, &["ups.conf", "qxups scan"]);
    machine.write("nut/ups.conf", "maxretry = 3\n");
    only(&machine.report(), Kind::NoSection, &["has no section"]);
    machine.watched();
    machine.socket(FRESH);
    only(&run(machine.examine(Some("v"), false)), Kind::NoSection, &["no section [v]"]);
    machine.section("port = tcp://192.0.2.1:4001\nprotocol = megatek");
    only(&machine.report(), Kind::BadSection, &["did you mean megatec", "check-config"]);
    machine.write("nut/ups.conf", "[u]\nport = auto\n");
    only(&machine.report(), Kind::BadSection, &["names no driver"]);
    machine.write("nut/ups.conf", "[u]\ndriver = usbhid-ups\nport = auto\n");
    only(&machine.report(), Kind::NoSuchDriver, &["lib/usbhid-ups is not there"]);
    machine.write("lib/usbhid-ups", "");
    assert_eq!(machine.report().kinds(), []);
    machine.section("port = tcp://192.0.2.1:4001\n[my ups]");
    only(&machine.report(), Kind::BadLine, &["ups.conf", "line 4"]);
    let other = "[v]\ndriver = nutdrv_qx\nport = tcp://192.0.2.1:4001\n";
    machine.section(&format!("port = tcp://192.0.2.1:4001\n{other}"));
    machine.process(71, "nutdrv_qx", &["nutdrv_qx", "-a", "v"], None);
    std::fs::hard_link(machine.folder.join("run/nutdrv_qx-u"), machine.folder.join("run/nutdrv_qx-v"))
        .unwrap();
    only(&machine.report(), Kind::SamePort, &["v: shares its port tcp://192.0.2.1:4001 with [u]"]);
}

#[test]
fn user_and_state_directory() {
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.stranger();
    std::fs::set_permissions(machine.folder.join("run"), Permissions::from_mode(0o750)).unwrap();
    only(
        &machine.report(),
        Kind::StateDirectory,
        &["'nut' may not write", "install -d -o nut -g nut -m 770"],
    );
    machine.write("etc/passwd", "root:x:0:0::/:/bin/sh\n");
    only(&machine.report(), Kind::NoUser, &["'nut' does not exist", "useradd"]);
    machine.account(0, 0, "");
    std::fs::remove_dir_all(machine.folder.join("run")).unwrap();
    let report = machine.report();
    assert!(report.kinds().contains(&Kind::StateDirectory), "{}", report.text());
}

#[test]
fn drivers_that_run_or_do_not() {
    let machine = Machine::new();
    machine.watched();
    only(&machine.report(), Kind::DriverHangs, &["nutdrv_qx (process 70) runs, but has no socket"]);
    machine.socket("SETINFO ups.status \"OL\"\nDATASTALE\nDUMPDONE\n");
    only(&machine.report(), Kind::StaleData, &["the UPS does not answer it", "upsdrvctl stop u"]);
    // some drivers only do not say that it is fresh
    std::fs::remove_file(machine.folder.join("run/nutdrv_qx-u")).unwrap();
    machine.socket("SETINFO ups.status \"OL\"\nDUMPDONE\n");
    only(&machine.report(), Kind::StaleData, &[]);

    // systemd starts one, upsdrvctl another
    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.process(71, "blazer_ser", &["/lib/nut/blazer_ser", "-au"], None);
    machine.process(72, "nutdrv_qx", &["nutdrv_qx", "-a", "other"], None);
    machine.process(73, "usbhid-ups", &["usbhid-ups", "-a", "u"], None);
    let words = ["nutdrv_qx (process 70) and blazer_ser (process 71)", "systemctl stop nut-driver@u"];
    only(&machine.report(), Kind::TwinDrivers, &words);
    // that of a container
    symlink(&machine.folder, machine.folder.join("proc/71/cwd")).unwrap();
    symlink(machine.folder.join("run"), machine.folder.join("proc/70/cwd")).unwrap();
    assert_eq!(machine.report().kinds(), []);

    let machine = Machine::new();
    machine.watched();
    machine.socket(FRESH);
    machine.write("run/nutdrv_qx-u.pid", "99\n");
    only(&machine.report(), Kind::StalePidFile, &["names process 99, which does not run", "rm "]);
    machine.process(99, "bash", &["bash"], None);
    only(&machine.report(), Kind::StalePidFile, &["names bash (process 99), which is no nutdrv_qx"]);
}

#[test]
fn a_driver_that_takes_the_question_and_says_nothing() {
    let machine = Machine::new();
    machine.watched();
    machine.socket("SETINFO ups.status \"OL\"\n");
    only(&machine.report(), Kind::DriverHangs, &["does not answer on its socket"]);
}

#[test]
fn a_port_that_is_none() {
    let machine = Machine::new();
    let port = machine.folder.join("ttyS0");
    machine.section(&format!("port = {}", port.display()));
    machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], None);
    machine.socket(FRESH);
    only(&machine.report(), Kind::NoPort, &["is not there", "/dev/serial/by-id"]);
    machine.write("ttyS0", "");
    only(&machine.report(), Kind::NotASerialPort, &["is no serial port"]);
}

#[test]
fn a_port_that_is_forbidden_or_in_use() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&[]);
        std::fs::set_permissions(&port, Permissions::from_mode(0o660)).unwrap();
        machine.section(&format!("port = {}", port.display()));
        machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], None);
        machine.socket(FRESH);
        let gid = port.metadata().unwrap().gid();
        machine.stranger();
        std::fs::set_permissions(machine.folder.join("run"), Permissions::from_mode(0o777)).unwrap();
        machine.write("etc/group", &format!("tty:x:{gid}:root\n"));
        let report = machine.examine(None, false).await;
        only(&report, Kind::PortForbidden, &["(group tty, mode 660)", "usermod -aG tty nut"]);
        machine.write("etc/group", &format!("tty:x:{gid}:root,nut\n"));
        assert_eq!(machine.examine(None, false).await.kinds(), []);
        std::fs::set_permissions(&port, Permissions::from_mode(0o600)).unwrap();
        only(&machine.examine(None, false).await, Kind::PortForbidden, &["KERNEL==", "GROUP=\"nut\""]);

        // whoever has it open may open it
        std::fs::remove_dir_all(machine.folder.join("proc/70")).unwrap();
        machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], Some(&port));
        assert_eq!(machine.examine(None, false).await.kinds(), []);
        machine.process(80, "ModemManager", &["ModemManager"], Some(&port));
        let words = ["ModemManager (process 80) uses", "systemctl disable --now ModemManager"];
        only(&machine.examine(None, false).await, Kind::PortInUse, &words);
        // a port that was named: its driver is a stranger as well, and it is not asked
        std::fs::remove_dir_all(machine.folder.join("proc/80")).unwrap();
        let report = machine.examine(port.to_str(), false).await;
        only(&report, Kind::PortInUse, &["nutdrv_qx (process 70) uses", "upsdrvctl stop"]);
        assert_eq!(_ups.with(|ups, _| ups.heard().count()), 0, "asked although it is in use");
    });
}

/// A UPS on a pseudo-terminal.
fn pretended(knobs: &[&str]) -> (Shared, PathBuf) {
    let ups = SimulatedUps::new(
        &qx::protocols::MEGATEC,
        Personality::default(),
        Trouble::new(1),
        Script::default(),
    );
    let shared = Shared::new(ups);
    let end = Pty::open(None).unwrap();
    let path = end.path().to_path_buf();
    knobs.iter().for_each(|knob| turn(&shared, knob));
    let served = shared.clone();
    spawn_local(async move { pty::run(&served, end).await });
    (shared, path)
}

fn turn(ups: &Shared, knob: &str) {
    let knob = Knob::parse(knob).unwrap();
    ups.with(|ups, now| ups.turn(knob, now));
}

/// What the doctor says of a UPS that nobody watches.
fn on_a_line(options: &str, knobs: &[&str]) -> Report {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(knobs);
        machine.section(&format!("port = {}\n{options}", port.display()));
        machine.examine(None, false).await
    })
}

/// Beside that no driver runs, the only finding is this one.
fn beside(report: &Report, kind: Kind, words: &[&str]) {
    let text = report.text();
    assert_eq!(report.kinds(), [Kind::NotRunning, kind], "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

#[test]
fn a_ups_that_works_and_that_nobody_watches() {
    let report = on_a_line("", &["unknown echo"]);
    only(&report, Kind::NotRunning, &["upsdrvctl start u", "speaks megatec"]);
    run(async {
        let (_ups, port) = pretended(&["unknown echo"]);
        let report = Machine::new().examine(port.to_str(), false).await;
        assert_eq!(report.kinds(), [], "{}", report.text());
        assert!(report.text().contains("speaks megatec"), "{}", report.text());
    });
}

#[test]
fn a_socket_that_nobody_serves() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&["unknown echo"]);
        machine.section(&format!("port = {}", port.display()));
        drop(UnixListener::bind(machine.folder.join("run/nutdrv_qx-u")).unwrap());
        only(&machine.examine(None, false).await, Kind::DeadSocket, &["run/nutdrv_qx-u: nobody listens"]);
    });
}

#[test]
fn another_dialect_than_ups_conf_says() {
    let report = on_a_line("protocol = voltronic", &["unknown echo"]);
    beside(&report, Kind::OtherDialect, &["speaks megatec, but ups.conf says protocol = voltronic"]);
}

#[test]
fn a_loopback() {
    let all = ["unknown echo", "reply Q1 Q1", "reply F F", "reply I I"];
    beside(&on_a_line("", &all), Kind::Echo, &["every question comes back", "loopback"]);
}

#[test]
fn garbage() {
    let rubbish = [
        "unknown \u{ff}\u{fe}\u{fd}",
        "reply Q1 \"\u{ff}\u{fe}x\"",
        "reply I \"\u{f0}\"",
        "reply F \"\u{f0}\"",
    ];
    beside(&on_a_line("", &rubbish), Kind::Garbage, &["no text", "2400 baud"]);
}

#[test]
fn a_dialect_that_nobody_knows() {
    let all = ["unknown NAK", "reply Q1 \"!ok\"", "reply I \"!ok\"", "reply F \"!ok\""];
    beside(&on_a_line("", &all), Kind::UnknownDialect, &["'!ok'", "qxups capture"]);
}

#[test]
fn somebody_who_refuses_everything() {
    let all =
        ["unknown UPS No Ack", "reply Q1 \"UPS No Ack\"", "reply I \"UPS No Ack\"", "reply F \"UPS No Ack\""];
    beside(&on_a_line("", &all), Kind::DeadUps, &["'UPS No Ack'", "switch the UPS on"]);
}

#[test]
fn a_silent_line() {
    beside(&on_a_line("", &["silent on"]), Kind::Silence, &["it has no modem lines", "--try-cables"]);
}

#[test]
fn a_line_that_wakes_up_with_other_modem_lines() {
    run(async {
        let machine = Machine::new();
        let (ups, port) = pretended(&["silent on"]);
        // a pseudo-terminal has no modem lines: this UPS wakes up when it was given up
        let waking = ups.clone();
        spawn_local(async move {
            let end = Instant::now() + Duration::from_secs(60);
            while waking.with(|ups, _| ups.heard().count()) < 7 && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            turn(&waking, "silent off");
            turn(&waking, "unknown echo");
        });
        machine.section(&format!("port = {}", port.display()));
        let report = machine.examine(None, true).await;
        beside(&report, Kind::CablePower, &["write cablepower = reverse"]);
    });
}

#[test]
fn a_line_that_cannot_be_opened() {
    let machine = Machine::new();
    machine.section("port = replay:/no/such/capture");
    beside(&machine.report(), Kind::CannotOpen, &["whole path", "see ups.conf"]);
}

fn on_usb() -> Attached {
    Attached {
        vendor_id: 0x0665,
        product_id: 0x5161,
        vendor: "INNO TECH".into(),
        product: "USB to Serial".into(),
        serial: String::new(),
        bus: 1,
        address: 7,
        place: "1-2".into(),
    }
}

/// What is found at the node of a USB device, and whether it may be spoken to.
fn at_node(machine: &Machine, attached: &[Attached]) -> (bool, Report) {
    let mut report = Report::default();
    let plan = watched::sections(&machine.system, None, &mut report);
    let options = UsbOptions::default();
    let case = Case { system: &machine.system, watched: &plan.watched[0], running: &Running::Nobody };
    let free = case.usb(&options, attached, &mut report);
    (free, report)
}

#[test]
fn usb_nodes() {
    let machine = Machine::new();
    machine.section("port = auto");
    let node = "dev/bus/usb/001/007";
    machine.write(node, "");
    std::fs::set_permissions(machine.folder.join(node), Permissions::from_mode(0o664)).unwrap();
    let (free, report) = at_node(&machine, &[on_usb()]);
    assert!(free && report.findings.is_empty(), "{}", report.text());

    only(&at_node(&machine, &[]).1, Kind::NoUsbDevice, &["nothing is plugged in"]);
    let stranger = Attached { vendor_id: 1, ..on_usb() };
    only(
        &at_node(&machine, &[stranger]).1,
        Kind::NoUsbDevice,
        &["none of the 1 USB devices", "qxups scan -v"],
    );

    machine.stranger();
    let command = "qxups udev --group nut > /etc/udev/rules.d/62-qxups.rules && udevadm control --reload";
    only(&at_node(&machine, &[on_usb()]).1, Kind::UdevRuleMissing, &[command, "0665:5161 at 1-2"]);
    machine.write("rules/62-x.rules", "# \"0665\" \"5161\"\nATTR{idVendor}==\"0665\"\n");
    only(&at_node(&machine, &[on_usb()]).1, Kind::UdevRuleMissing, &[]);
    machine.write("rules/62-x.rules", &qx::bridge_reference::udev_rules("nut"));
    only(&at_node(&machine, &[on_usb()]).1, Kind::UdevRuleNotApplied, &["udevadm trigger"]);

    machine.account(0, 0, "");
    machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "other"], Some(&machine.folder.join(node)));
    let (free, report) = at_node(&machine, &[on_usb()]);
    only(&report, Kind::PortInUse, &["nutdrv_qx (process 70) uses"]);
    assert!(!free);
}

#[test]
fn a_converter_without_its_ups() {
    let heard = line::Heard::default();
    let mut report = Report::default();
    line::judge("u", &Address::Usb(Box::default()), None, &heard, &mut report);
    only(&report, Kind::DeadUps, &["the USB converter works, but the UPS behind it says nothing"]);
}
