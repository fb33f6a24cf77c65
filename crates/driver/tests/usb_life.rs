//! Life on USB, on a real Linux USB stack: several equal UPSes, busy and forbidden devices, being
//! plugged in again and again, switching the load off.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod machine;

use machine::Machine;
use qx::usb::bridge::{UsbId, usb};
use qx::usb::bridges;
use simulator::usbip::Converter;
use testbed::nut::Which;
use testbed::ups::SimUps;

const CYPRESS: UsbId = usb(0x0665, 0x5161);
/// A serial adapter that newer NUT takes for a UPS.
const ADAPTER: UsbId = usb(0x1a86, 0x7523);

/// A converter that is plugged in, at its socket.
struct Plugged {
    ups: SimUps,
    tcp: u16,
    socket: u8,
}

impl Plugged {
    fn new(machine: &Machine, name: &str, id: UsbId, socket: u8, knobs: &[&str]) -> Plugged {
        Plugged::with_serial(machine, name, id, socket, knobs, "1")
    }

    fn with_serial(
        machine: &Machine,
        name: &str,
        id: UsbId,
        socket: u8,
        knobs: &[&str],
        serial: &str,
    ) -> Plugged {
        let bridge = bridges::named("cypress").unwrap();
        let converter = Converter { bridge, id, serial: serial.into() };
        let (ups, tcp) = SimUps::start_usb(name, Which::Ours, "megatec", knobs, converter);
        machine.attach(socket, tcp);
        Plugged { ups, tcp, socket }
    }

    fn unplug(&self, machine: &Machine) {
        self.ups.turn("hangup 0");
        let path = format!("/sys/bus/usb/devices/1-{}", self.socket + 1);
        machine.wait_for("the unplug", &format!("[ ! -e {path} ]"));
    }

    fn plug(&self, machine: &Machine) {
        machine.attach(self.socket, self.tcp);
    }

    /// Nobody asked it anything.
    fn is_alone(&self) {
        assert_eq!(self.ups.heard(), Vec::<String>::new(), "the twin was spoken to");
    }
}

fn section(name: &str, options: &str) -> (String, String) {
    (name.into(), format!("vendorid = 0665\nproductid = 5161\nprotocol = megatec\n{options}"))
}

#[test]
fn equal_units_are_told_apart_and_foreign_devices_left_alone() {
    let _alone = machine::alone();
    let machine = Machine::start("twins", Which::Ours);
    let adapter = Plugged::new(&machine, "adapter", ADAPTER, 0, &[]);
    let first = Plugged::new(&machine, "first", CYPRESS, 1, &["load 31"]);
    let second = Plugged::new(&machine, "second", CYPRESS, 2, &["load 42"]);
    let pinned = section("pinned", "busport = 1-3");
    let nobody = section("nobody", "user = nobody");
    let anything = ("anything".to_string(), String::new());
    machine.configure(&[section("any", ""), pinned, section("third", ""), nobody, anything]);

    // one that is named by its socket, one that takes what is free
    assert_eq!(machine.start_driver("pinned").code, Some(0), "{}", machine.driver_log("pinned"));
    assert_eq!(machine.start_driver("any").code, Some(0), "{}", machine.driver_log("any"));
    // the one that was not told which is told how to say it
    let (free, named) = (machine.driver_log("any"), machine.driver_log("pinned"));
    assert!(
        free.contains("write busport = 1-2 into ups.conf") && !named.contains("busport"),
        "{free}{named}"
    );
    machine.start_upsd();
    machine.wait_value("pinned", "ups.load", "42");
    machine.wait_value("any", "ups.load", "31");

    // nothing is left for a third
    let third = machine.start_driver("third");
    assert_eq!(third.code, Some(1));
    let log = machine.driver_log("third");
    assert!(log.contains("another program uses it"), "{log}");
    machine.wait_value("any", "ups.load", "31");

    // both go and come back, the other one first: each driver finds its own
    first.unplug(&machine);
    second.unplug(&machine);
    machine.wait_for("stale data", "upsc any@127.0.0.1 2>&1 | grep -q stale");
    second.plug(&machine);
    machine.wait_value("pinned", "ups.load", "42");
    assert!(machine.upsc("any").is_empty(), "the twin was taken for the one that is away");
    first.plug(&machine);
    machine.wait_value("any", "ups.load", "31");

    // the system's own driver has the device again afterwards
    let bound = "[ \"$(basename $(readlink /sys/bus/usb/devices/1-2:1.0/driver))\" = usbhid ]";
    assert_ne!(machine.run(bound).code, Some(0));
    machine.stop_driver("any");
    machine.wait_for("usbhid to be back", bound);

    // a user who may not
    machine.must("chmod 777 /run/nut; chmod 600 /dev/bus/usb/*/*");
    assert_eq!(machine.start_driver("nobody").code, Some(1));
    let log = machine.driver_log("nobody");
    assert!(log.contains("qxups udev"), "{log}");

    // without any option only what a table knows is touched
    machine.stop_driver("pinned");
    assert_eq!(machine.start_driver("anything").code, Some(0), "{}", machine.driver_log("anything"));
    machine.wait_value("anything", "ups.status", "OL");
    assert_eq!(adapter.ups.heard(), Vec::<String>::new(), "nothing was sent to the serial adapter");
}

/// One that is plugged in later, into a socket that comes first, is never taken for the UPS: not while that is
/// away, nor after a reset.
#[test]
fn a_twin_that_comes_later_is_left_alone() {
    let _alone = machine::alone();
    let machine = Machine::start("later", Which::Ours);
    let own = Plugged::with_serial(&machine, "own", CYPRESS, 4, &["load 31"], "");
    machine.configure(&[section("u", "")]);
    machine.start_driver_in_front("u");
    machine.start_upsd();
    machine.wait_value("u", "ups.load", "31");
    let twin = Plugged::with_serial(&machine, "twin", CYPRESS, 0, &["load 42"], "");

    // it is there while the UPS answers, though no opening has seen it yet
    std::thread::sleep(std::time::Duration::from_secs(3));
    own.unplug(&machine);
    machine.wait_for("stale data", "upsc u@127.0.0.1 2>&1 | grep -q stale");
    std::thread::sleep(std::time::Duration::from_secs(3));
    twin.is_alone();
    let said = "grep -q 'UPS that was at 1-5 is away, and 0665:5161 at 1-1 is left alone' /tmp/u.log";
    machine.wait_for("a sentence", said);
    own.ups.turn("load 32");
    own.plug(&machine);
    machine.wait_value("u", "ups.load", "32");
    let log = machine.driver_log("u");
    assert!(log.contains("looks the same as what is at 1-1: write busport = 1-5"), "{log}");
    assert_eq!(log.matches("is left alone").count(), 1, "said once: {log}");
    assert!(
        log.contains("0665:5161 at 1-5 was plugged in anew and looks the same as what is at 1-1"),
        "{log}"
    );

    // a reset is no unplugging: it never left its socket
    own.ups.turn("usb fault 8");
    own.ups.turn("load 33");
    machine.wait_for("a reset", "grep -q 'fails again and again' /tmp/u.log");
    machine.wait_value("u", "ups.load", "33");
    let after = machine.driver_log("u");
    let after = after.rsplit("fails again and again").next().unwrap().to_string();
    assert!(after.contains("is open again") && !after.contains("anew"), "{after}");
    twin.is_alone();

    // nor when the driver finds it hung
    own.ups.turn("usb hung on");
    own.ups.turn("load 34");
    machine.wait_value("u", "ups.load", "34");
    twin.is_alone();
}

/// NUT finds it again, so ours does; that it may be another one is said.
#[test]
fn a_unit_without_a_serial_number_may_be_moved() {
    let _alone = machine::alone();
    let machine = Machine::start("moved", Which::Ours);
    let mut ups = Plugged::with_serial(&machine, "moved", CYPRESS, 1, &["load 31"], "");
    machine.configure(&[section("u", "")]);
    machine.start_driver_in_front("u");
    machine.start_upsd();
    machine.wait_value("u", "ups.load", "31");
    ups.unplug(&machine);
    ups.ups.turn("load 32");
    ups.socket = 6;
    ups.plug(&machine);
    machine.wait_value("u", "ups.load", "32");
    let log = machine.driver_log("u");
    assert!(log.contains("0665:5161 at 1-7 is taken for the UPS that was at 1-2"), "{log}");
    // its name proves that it is the same; without one nothing does
    let unproven = "it is not known whether the same UPS answers";
    assert!(!log.contains(unproven), "{log}");
    ups.unplug(&machine);
    ups.ups.turn("forget I");
    ups.plug(&machine);
    machine.wait_for("a sentence", &format!("grep -q '{unproven}' /tmp/u.log"));
    machine.wait_value("u", "ups.load", "32");
}

/// NUT takes a device of this maker for omron before it asks for anything else (2.8.5 nutdrv_qx_omron.c). As q1,
/// its OK was a refusal, and another order followed.
#[test]
fn an_omron_needs_no_protocol() {
    let _alone = machine::alone();
    let machine = Machine::start("omron", Which::Ours);
    let converter = Converter { bridge: &bridges::OMRON, id: usb(0x0590, 0x00b7), serial: "1".into() };
    let (ups, tcp) = SimUps::start_usb("omron", Which::Ours, "omron", &["unknown silent"], converter);
    machine.attach(0, tcp);
    machine.configure(&[("u".into(), String::new())]);
    // what an earlier release has found
    machine.write("/run/nut/qxups-dialect-u", "qxups-dialect 1\nprotocol q1\nfound twice\nend\n");
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));
    machine.start_upsd();
    machine.wait_value("u", "ups.status", "OL");
    assert_eq!(machine.upsc("u")["driver.version.data"], "omron");
    for (command, heard) in [("shutdown.return", &["An", "S.5"][..]), ("shutdown.stop", &["C"])] {
        ups.forget();
        let said = machine.run(&format!("upscmd -u admin -p secret -w u@127.0.0.1 {command} 2>&1"));
        let sent = |line: &String| line.starts_with(['S', 'A', 'C']);
        let sent: Vec<String> = ups.heard().into_iter().filter(sent).collect();
        assert_eq!(sent, heard, "{command}: {said:?}");
        assert!(said.out.ends_with("OK\n") || said.out.contains("SUCCESS"), "{command}: {said:?}");
    }
    machine.put(&qxups(), "/usr/bin/qxups");
    machine.stop_driver("u");
    let found = machine.must("qxups scan 2>&1");
    assert!(found.contains("protocol = \"omron\""), "{found}");
}

#[test]
fn the_load_goes_off_with_one_command_of_each_kind() {
    let _alone = machine::alone();
    for (which, code, heard) in [
        // NUT takes silence after a command for a failure, tries again, and the countdown starts again
        (Which::Nut, 1, &["C", "C", "C", "S.5R0003", "S.5R0003", "S.5R0003"][..]),
        (Which::Ours, 0, &["C", "S.5R0003"][..]),
    ] {
        let machine = Machine::start("killpower", which);
        let plugged = Plugged::new(&machine, "killpower", CYPRESS, 0, &[]);
        machine.configure(&[section("u", "")]);
        let said = machine.run(&format!("{} -a u -k 2>&1", machine.driver()));
        assert_eq!(said.code, Some(code), "{which:?}: {said:?}");
        let commands = |line: &String| line.starts_with(['S', 'C']);
        let sent: Vec<String> = plugged.ups.heard().into_iter().filter(commands).collect();
        assert_eq!(sent, heard, "{which:?}: {said:?}");
    }
}

/// What a process uses: open files, kilobytes of its own, threads, ticks of processor time. (Not all that is
/// resident: nearly all of that are pages of its program, and in the virtual machine, whose disk is memory, it
/// once leapt by two megabytes.)
fn uses(machine: &Machine, pid: &str) -> [u64; 4] {
    let text = machine.must(&format!(
        "ls /proc/{pid}/fd | wc -l; awk '/^RssAnon/{{print $2}} /^Threads/{{print $2}}' /proc/{pid}/status; awk '{{print $14+$15}}' /proc/{pid}/stat"
    ));
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    [numbers[0], numbers[1], numbers[2], numbers[3]]
}

/// So many times in CI; `QXUPS_REPLUGS=1000` for the long run.
const REPLUGS: u32 = 60;

#[test]
fn nothing_grows_while_a_cable_goes_in_and_out() {
    let _alone = machine::alone();
    let count = std::env::var("QXUPS_REPLUGS").ok().map_or(REPLUGS, |text| text.parse().unwrap());
    let machine = Machine::start("replugs", Which::Ours);
    let plugged = Plugged::new(&machine, "replugs", CYPRESS, 0, &[]);
    machine.configure(&[section("u", "")]);
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));
    let pid = machine.must("cat /run/nut/nutdrv_qx-u.pid").trim().to_string();
    let (mut marks, mut found_after) = (vec![], vec![]);
    for number in 0..count {
        plugged.unplug(&machine);
        plugged.ups.forget();
        // the driver looks once when it misses its device; whoever comes back later is told of
        let is_late = number < REPLUGS / 3;
        if is_late {
            std::thread::sleep(std::time::Duration::from_millis(1500));
        }
        plugged.plug(&machine);
        // found again as soon as it asks
        let began = std::time::Instant::now();
        while plugged.ups.heard().is_empty() {
            assert!(began.elapsed().as_secs() < 30, "not found again after replug {number}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        if is_late {
            found_after.push(began.elapsed());
        }
        if number % (count / 4) == count / 4 - 1 {
            marks.push(uses(&machine, &pid));
        }
    }
    found_after.sort();
    let usually = found_after[found_after.len() / 2];
    println!("asked again {usually:?} after the system had it, at most {:?}", found_after.last().unwrap());
    // by looking every five seconds it would be two and a half
    assert!(usually.as_millis() < 1500, "{found_after:?}");
    println!("after each quarter of {count} replugs: files, kB, threads, ticks: {marks:?}");
    let [first, second, .., last] = marks[..] else { panic!("{marks:?}") };
    assert_eq!(first[0], last[0], "open files: {marks:?}");
    // one of the runtime may still wait for more work
    assert!(last[2] <= first[2] + 1, "threads: {marks:?}");
    assert!(last[1] <= second[1] + 128, "memory: {marks:?}");
    let ticks = |a: [u64; 4], b: [u64; 4]| b[3] - a[3];
    assert!(ticks(marks[marks.len() - 2], last) <= 2 * ticks(first, second) + 20, "processor: {marks:?}");
}

#[test]
fn a_device_is_chosen_by_every_option() {
    let _alone = machine::alone();
    let machine = Machine::start("options", Which::Ours);
    let _first = Plugged::new(&machine, "first", CYPRESS, 0, &["load 31"]);
    let _second = Plugged::new(&machine, "second", CYPRESS, 1, &["load 42"]);
    let number = machine.must("printf %03d $(cat /sys/bus/usb/devices/1-2/devnum)");
    let load = |options: &str| {
        let said = machine.run(&format!(
            "{} -s u -u root -d 1 -x port=auto -x protocol=megatec {options} 2>&1",
            machine.driver()
        ));
        let load = said.out.lines().find_map(|line| line.strip_prefix("ups.load: ")).map(String::from);
        load.ok_or(said.out)
    };
    let both = "-x vendorid=0665 -x productid=5161";
    for (options, wanted) in [
        (format!("-x device={number}"), "42"),
        (format!("{both} -x bus=001 -x busport=1-2 -x vendor=qx.* -x product='usb to serial'"), "42"),
        (format!("{both} -x subdriver=cypress -x busport=1-1"), "31"),
        // as nut-scanner writes it: the number of the port
        ("-x busport=002".into(), "42"),
        (format!("{both} -x bus=001 -x busport=00[1]"), "31"),
        (format!("{both} -x busport=1-2 -x usb_set_altinterface -x usb_config_index=0"), "42"),
        (format!("{both} -x busport=1-2 -x usb_set_altinterface=0 -x usb_hid_rep_index=0"), "42"),
        (
            format!("{both} -x busport=1-2 -x usb_hid_ep_in=0x81 -x usb_hid_ep_out=2 -x langid_fix=0x0409"),
            "42",
        ),
    ] {
        assert_eq!(load(&options), Ok(wanted.into()), "{options}");
    }
    for (options, sentence) in [
        ("-x serial=nobody", "no UPS found on USB"),
        (
            "-x vendorid=0665 -x busport=003",
            "0665:5161 at 1-1 is there, but busport = 003 does not fit '1-1' or '001'",
        ),
        ("-x vendorid=0665 -x usb_hid_rep_index=3", "no such configuration, interface or setting"),
        ("-x vendorid=0665 -x usb_set_altinterface=7", "no such configuration, interface or setting"),
        ("-x vendorid=0665 -x usb_hid_ep_in=5", "has no endpoint 0x85"),
        ("-x subdriver=cypress", "needs vendorid and productid"),
    ] {
        let said = load(options).unwrap_err();
        assert!(said.contains(sentence), "{options}: {said}");
    }
}

/// Checksums and binary replies: what a bridge carries is no text.
#[test]
fn dialects_that_are_no_text_are_found_by_themselves() {
    let _alone = machine::alone();
    let machine = Machine::start("binary", Which::Ours);
    let units = [("checksums", "voltronic-axpert"), ("binary", "voltronic-qs-hex")];
    let bridge = bridges::named("cypress").unwrap();
    let _plugged: Vec<SimUps> = (0..)
        .zip(units)
        .map(|(socket, (name, dialect))| {
            let converter = Converter { bridge, id: CYPRESS, serial: name.into() };
            let (ups, tcp) = SimUps::start_usb(name, Which::Ours, dialect, &[], converter);
            machine.attach(socket, tcp);
            ups
        })
        .collect();
    machine.configure(&units.map(|(name, _)| (name.into(), format!("serial = {name}"))));
    for (name, _) in units {
        assert_eq!(machine.start_driver(name).code, Some(0), "{}", machine.driver_log(name));
    }
    machine.start_upsd();
    for (name, dialect) in units {
        machine.wait_for(name, &format!("upsc {name}@127.0.0.1 ups.status | grep -q OL"));
        let shown = machine.upsc(name);
        assert!(shown["driver.version.data"].to_lowercase().contains(dialect), "{shown:?}");
        assert!(shown.contains_key("input.voltage"), "{shown:?}");
    }
}

#[test]
fn the_rules_for_udev_let_the_driver_in() {
    let _alone = machine::alone();
    let machine = Machine::start("rules", Which::Ours);
    let rules = include_str!("../../../packaging/udev/62-qxups.rules");
    machine.write("/etc/udev/rules.d/62-qxups.rules", rules);
    machine.must(
        "rm /usr/lib/udev/rules.d/*; udevadm control --reload; mkdir -p /run/nut; chown nut:nut /run/nut",
    );
    let _ups = Plugged::new(&machine, "rules", CYPRESS, 0, &[]);
    let _adapter = Plugged::new(&machine, "foreign", ADAPTER, 1, &[]);
    let node =
        |socket: &str| format!("/dev/bus/usb/001/$(printf %03d $(cat /sys/bus/usb/devices/{socket}/devnum))");
    let owner = |socket: &str| machine.must(&format!("stat -c '%a %G' {}", node(socket)));
    machine.wait_for("udev", &format!("[ \"$(stat -c %G {})\" = nut ]", node("1-1")));
    assert_eq!(owner("1-1"), "664 nut\n");
    assert!(!owner("1-2").contains("nut"), "a foreign device stays as it was");
    assert_eq!(machine.must("cat /sys/bus/usb/devices/1-1/power/control"), "on\n");
    machine.configure(&[section("u", "user = nut")]);
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));
}

/// The tool, which is built beside the driver.
fn qxups() -> std::path::PathBuf {
    let built = std::process::Command::new(env!("CARGO")).args(["build", "-q", "-p", "qxups"]).status();
    assert!(built.unwrap().success());
    Which::Ours.folder().join("qxups")
}

#[test]
fn a_scan_finds_every_unit_and_touches_nothing_else() {
    let _alone = machine::alone();
    let machine = Machine::start("scan", Which::Ours);
    machine.put(&qxups(), "/usr/bin/qxups");
    let adapter = Plugged::new(&machine, "adapter", ADAPTER, 0, &[]);
    let _twins = [1, 2].map(|socket| Plugged::new(&machine, &format!("twin{socket}"), CYPRESS, socket, &[]));
    let krauler = Converter { bridge: &bridges::KRAULER, id: usb(0x0001, 0x0000), serial: "K#1".into() };
    let (_ups, tcp) = SimUps::start_usb("krauler", Which::Ours, "megatec", &[], krauler);
    machine.attach(3, tcp);
    // one of the twins is in use
    machine.configure(&[section("u", "busport = 1-3")]);
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));

    let out = machine.must("qxups scan -v 2>/tmp/scan.log");
    println!("{out}");
    let section = |ids: &str, rest: &str| format!("\tport = \"auto\"\n\tvendorid = {ids}\n{rest}");
    let free = section("\"0665\"\n\tproductid = \"5161\"", "\tbusport = \"1-2\"\n\tprotocol = \"megatec\"\n");
    assert!(out.contains(&free), "{out}");
    let strings = section("\"0001\"\n\tproductid = \"0000\"", "\tprotocol = \"megatec\"\n");
    assert!(out.contains(&strings), "{out}");
    assert!(
        out.contains("# USB device 0665:5161 at 1-3 (cypress): cannot open")
            && out.contains("#\tbusport = \"1-3\"")
            || out.contains("# \tbusport = \"1-3\""),
        "{out}"
    );
    assert!(out.contains("# not asked: USB device 1a86:7523 at 1-1"), "{out}");
    assert_eq!(adapter.ups.heard(), Vec::<String>::new());

    // what it prints is what a driver can use
    machine.must("(echo 'user = root'; qxups scan 2>/dev/null) >/etc/nut/ups.conf");
    let names = machine.must("sed -n 's/^\\[\\(.*\\)\\]$/\\1/p' /etc/nut/ups.conf");
    for name in names.split_whitespace() {
        assert_eq!(machine.start_driver(name).code, Some(0), "{}", machine.driver_log(name));
    }
    assert_eq!(names.split_whitespace().count(), 2, "{names}");

    // a foreign device is asked only by name
    let out = machine.must("qxups scan --usb-id 1a86:7523 --subdriver cypress 2>/dev/null");
    assert!(out.contains("\tsubdriver = \"cypress\"\n\tprotocol = \"megatec\""), "{out}");
}

/// In NUT the dialect hunnox is found on its own bridge only with `novendor`, and what the bridge cannot
/// carry at once is not said.
#[test]
fn hunnox_needs_no_help_and_refuses_what_it_cannot_carry() {
    let _alone = machine::alone();
    let machine = Machine::start("hunnox", Which::Ours);
    let id = usb(0x0001, 0x0000).by("HNX").called("MEC0003");
    let converter = Converter { bridge: &bridges::HUNNOX, id, serial: "1".into() };
    let (ups, tcp) = SimUps::start_usb("hunnox", Which::Ours, "hunnox", &[], converter);
    machine.attach(0, tcp);
    machine.configure(&[("u".into(), "protocol = hunnox\nvendorid = 0001".into())]);
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));
    machine.start_upsd();
    machine.wait_value("u", "ups.status", "OL");
    assert_eq!(machine.upsc("u")["driver.version.data"], "hunnox");
    ups.forget();
    for (command, outcome, heard) in [
        // half a minute is the least there is
        ("load.off", "OK", "S.5R0000"),
        ("shutdown.return", "OK", "S01R0001"),
        ("test.battery.start.quick", "ERR FAILED", ""),
    ] {
        ups.forget();
        let said = machine.run(&format!("upscmd -u admin -p secret -w u@127.0.0.1 {command} 2>&1"));
        let ended = said.out.lines().last().unwrap_or_default().replace("SUCCESS", "OK");
        let sent: Vec<String> = ups.heard().into_iter().filter(|line| line.starts_with(['S', 'T'])).collect();
        assert_eq!((ended.as_str(), sent.join(" ").as_str()), (outcome, heard), "{command}");
    }
}

#[test]
fn without_a_device_manager_it_is_found_by_looking() {
    let _alone = machine::alone();
    let machine = Machine::boot("no-udev", Which::Ours, &[("QXUPS_USB_UDEV", "no")]);
    let plugged = Plugged::new(&machine, "no-udev", CYPRESS, 0, &[]);
    machine.configure(&[section("u", "")]);
    assert_eq!(machine.start_driver("u").code, Some(0), "{}", machine.driver_log("u"));
    machine.start_upsd();
    machine.wait_value("u", "ups.status", "OL");
    plugged.unplug(&machine);
    plugged.ups.turn("mains fail");
    plugged.plug(&machine);
    machine.wait_value("u", "ups.status", "OB");
}
