//! Ports: there, let in, in use.

use super::*;

#[test]
fn a_port_that_is_none() {
    let machine = Machine::new();
    let port = machine.folder.join("ttyS0");
    machine.section(&format!("port = {}", port.display()));
    machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], None);
    machine.socket(FRESH);
    only(&machine.report(), FindingKind::NoPort, &["is not there", "/dev/serial/by-id"]);
    machine.write("ttyS0", "");
    only(&machine.report(), FindingKind::NotASerialPort, &["is no serial port"]);
}

#[test]
fn a_port_that_is_no_terminal_is_refused_before_its_users_are_looked_at() {
    for port in ["/dev/null", "/dev/zero", "/dev/urandom"] {
        let machine = Machine::new();
        machine.section(&format!("port = {port}"));
        machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], None);
        machine.socket(FRESH);
        for pid in [1, 200, 201, 202] {
            machine.process(pid, "tmux", &["tmux"], Some(Path::new(port)));
        }
        for what in [None, Some(port)] {
            let report = run(machine.examine(what, false));
            only(&report, FindingKind::NotASerialPort, &[&format!("{port} is no serial port")]);
            assert!(!report.text().contains("kill"), "{}", report.text());
        }
    }
}

#[test]
fn nobody_is_told_to_end_a_system_at_work() {
    run(async {
        let (_ups, port) = pretended(&[]);
        let me = std::process::id();
        let shell = 4_000_100;
        for (holders, advice, what) in [
            (&[("minicom", 4_000_200)][..], Some(4_000_200), "minicom (process 4000200) uses"),
            (&[("systemd", 1)], None, "systemd (process 1) uses"),
            (&[("bash", shell)], None, "bash (process 4000100) uses"),
            (&[("a", 4_000_200), ("b", 4_000_201)], None, "a (process 4000200) and b (process 4000201) use"),
            (
                &[("a", 4_000_200), ("b", 4_000_201), ("c", 4_000_202), ("d", 4_000_203), ("e", 4_000_204)],
                None,
                "a (process 4000200), b (process 4000201), c (process 4000202) and 2 more use",
            ),
        ] {
            let machine = Machine::new();
            // who called this program: a shell in a terminal
            machine.process(me, "qxups", &["qxups", "doctor"], None);
            machine.write(&format!("proc/{me}/stat"), &format!("{me} (qxups) S {shell} 1 1"));
            for (name, pid) in holders {
                machine.process(*pid, name, &[name], Some(&port));
            }
            let report = machine.examine(port.to_str(), false).await;
            only(&report, FindingKind::PortInUse, &[what]);
            let text = report.text();
            match advice {
                Some(pid) => assert!(text.contains(&format!("then kill {pid}\n")), "{text}"),
                None => assert!(!text.contains("kill") && text.contains("fuser -v"), "{text}"),
            }
            // those whom everybody knows have a service of their own, how many they may be
            machine.process(4_000_300, "ModemManager", &["ModemManager"], Some(&port));
            let text = machine.examine(port.to_str(), false).await.text();
            assert!(text.contains("systemctl disable --now ModemManager"), "{text}");
        }
    });
}

/// As grantpt(3) leaves it: writable for group tty, readable for its owner alone.
#[test]
fn no_rule_of_udev_is_proposed_for_a_pseudo_terminal() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&[]);
        std::fs::set_permissions(&port, Permissions::from_mode(0o620)).unwrap();
        machine.section(&format!("port = {}", port.display()));
        machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], None);
        machine.socket(FRESH);
        machine.foreign();
        std::fs::set_permissions(machine.folder.join("run"), Permissions::from_mode(0o777)).unwrap();
        let report = machine.examine(None, false).await;
        only(
            &report,
            FindingKind::PortForbidden,
            &["pseudo-terminal", &format!("chmod 666 {}", port.display())],
        );
        assert!(!report.text().contains("KERNEL=="), "{}", report.text());
    });
    // any other device is one of udev
    let device = Path::new("/dev/null").metadata().unwrap();
    let remedy = super::super::port::let_in(Path::new("/dev/ttyUSB0"), &device, "nut");
    assert!(remedy.ends_with("KERNEL==\"ttyUSB0\", GROUP=\"nut\", MODE=\"0660\""), "{remedy}");
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
        machine.foreign();
        std::fs::set_permissions(machine.folder.join("run"), Permissions::from_mode(0o777)).unwrap();
        machine.write("etc/group", &format!("tty:x:{gid}:root\n"));
        let report = machine.examine(None, false).await;
        only(&report, FindingKind::PortForbidden, &["(group tty, mode 660)", "usermod -aG tty nut"]);
        machine.write("etc/group", &format!("tty:x:{gid}:root,nut\n"));
        assert_eq!(machine.examine(None, false).await.kinds(), []);
        std::fs::set_permissions(&port, Permissions::from_mode(0o600)).unwrap();
        only(&machine.examine(None, false).await, FindingKind::PortForbidden, &["(group tty, mode 600)"]);

        // whoever has it open may open it
        std::fs::remove_dir_all(machine.folder.join("proc/70")).unwrap();
        machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "u"], Some(&port));
        assert_eq!(machine.examine(None, false).await.kinds(), []);
        machine.process(79, "qxups", &["qxups", "sim"], Some(&port));
        machine.process(80, "ModemManager", &["ModemManager"], Some(&port));
        let words = ["ModemManager (process 80) uses", "systemctl disable --now ModemManager"];
        only(&machine.examine(None, false).await, FindingKind::PortInUse, &words);
        // a port that was named: its driver is a foreign one as well, and it is not asked
        std::fs::remove_dir_all(machine.folder.join("proc/80")).unwrap();
        let report = machine.examine(port.to_str(), false).await;
        only(&report, FindingKind::PortInUse, &["nutdrv_qx (process 70) uses", "upsdrvctl stop"]);
        assert_eq!(_ups.with(|ups, _| ups.heard().count()), 0, "asked although it is in use");
    });
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
fn whoever_is_not_root_asks_only_a_port_by_name() {
    run(async {
        let machine = Machine::new();
        let (ups, port) = pretended(&["unknown echo"]);
        machine.section(&format!("port = {}", port.display()));
        let own = machine.folder.join("proc/self");
        std::fs::create_dir(&own).unwrap();
        if own.metadata().unwrap().uid() == 0 {
            std::os::unix::fs::chown(&own, Some(54_321), None).unwrap();
        }
        let report = machine.examine(None, false).await;
        only(&report, FindingKind::NotRunning, &["not run by root"]);
        assert_eq!(ups.with(|ups, _| ups.heard().count()), 0, "asked although somebody may use it");
        let report = machine.examine(port.to_str(), false).await;
        assert!(report.text().contains("speaks megatec"), "{}", report.text());
    });
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

    only(&at_node(&machine, &[]).1, FindingKind::NoUsbDevice, &["nothing is plugged in"]);
    let foreign = Attached { vendor_id: 1, ..on_usb() };
    only(
        &at_node(&machine, &[foreign]).1,
        FindingKind::NoUsbDevice,
        &["none of the 1 USB devices", "qxups scan -v"],
    );

    machine.foreign();
    let command = "qxups udev --group nut > /etc/udev/rules.d/62-qxups.rules && udevadm control --reload";
    only(&at_node(&machine, &[on_usb()]).1, FindingKind::UdevRuleMissing, &[command, "0665:5161 at 1-2"]);
    machine.write("rules/62-x.rules", "# \"0665\" \"5161\"\nATTR{idVendor}==\"0665\"\n");
    only(&at_node(&machine, &[on_usb()]).1, FindingKind::UdevRuleMissing, &[]);
    machine.write("rules/62-x.rules", &qx::text::bridge_reference::udev_rules("nut"));
    only(&at_node(&machine, &[on_usb()]).1, FindingKind::UdevRuleNotApplied, &["udevadm trigger"]);

    machine.account(0, 0, "");
    machine.process(70, "nutdrv_qx", &["nutdrv_qx", "-a", "other"], Some(&machine.folder.join(node)));
    let (free, report) = at_node(&machine, &[on_usb()]);
    only(&report, FindingKind::PortInUse, &["nutdrv_qx (process 70) uses"]);
    assert!(!free);
}
