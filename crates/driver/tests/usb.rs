//! Every USB bridge on a real Linux USB stack, under NUT's own driver and ours: simulated converters
//! are plugged into a virtual machine, and the same is shown and sent.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod machine;

use beside::{listed, nearly, of_the_driver, of_the_ups, without_estimates};
use machine::Machine;
use qx::usb::bridge::{UsbId, usb};
use qx::usb::bridges;
use simulator::usbip::Converter;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use testbed::nut::{NEWEST, Which};
use testbed::ups::SimUps;

/// A converter, and the UPS behind it.
#[derive(Clone, Copy, Debug)]
struct Unit {
    bridge: &'static str,
    id: UsbId,
    dialect: &'static str,
    options: &'static str,
}

const fn unit(bridge: &'static str, id: UsbId, dialect: &'static str, options: &'static str) -> Unit {
    Unit { bridge, id, dialect, options }
}

/// What an administrator of a hunnox writes (nutdrv_qx(8)).
const HUNNOX: &str =
    "novendor\nnorating\nnoscanlangid\nlangid_fix = 0x0409\nprotocol = hunnox\nsubdriver = hunnox";

/// The bridges of NUT 2.8.0.
const UNITS: [Unit; 12] = [
    unit("cypress", usb(0x0665, 0x5161), "voltronic", ""),
    unit("phoenix", usb(0x06da, 0x0601), "megatec", ""),
    unit("ippon", usb(0x06da, 0x0003), "mustek", ""),
    unit("krauler", usb(0x1cb0, 0x0035), "megatec", ""),
    unit("fabula", usb(0x0001, 0x0000).by("MEC").called("MEC0003"), "megatec", ""),
    unit("hunnox", usb(0x0001, 0x0000).by("HNX").called("MEC0003"), "hunnox", HUNNOX),
    unit("fuji", usb(0x0001, 0x0000).by("ATCL FOR UPS").called("ATCL FOR UPS"), "megatec", ""),
    unit("sgs", usb(0x0483, 0x0035), "megatec", ""),
    unit("snr", usb(0x0001, 0x0000), "megatec", "subdriver = snr\nlangid_fix = 0x0409"),
    unit("armac", usb(0x0925, 0x1234), "megatec", ""),
    unit("phoenixtec", usb(0x06da, 0x0002).by("Phoenixtec Power").called("USB Cable (V2.00)"), "megatec", ""),
    unit("ablerex", usb(0xffff, 0x0000), "ablerex", ""),
];

/// An armac with other endpoints.
const LONG: &str = "armac-long";

/// Those of newer NUT.
const NEWEST_UNITS: [Unit; 3] = [
    unit("omron", usb(0x0590, 0x00b7), "omron", ""),
    unit("gtec", usb(0x0665, 0x5161), "gtec", "subdriver = gtec\nprotocol = gtec"),
    unit(LONG, usb(0x0925, 0x1234), "megatec", "protocol = megatec"),
];

/// What a driver showed and did on a unit.
#[derive(Debug, Default)]
struct Told {
    /// Why it did not start.
    failed: Option<String>,
    /// Seconds until it had found the UPS.
    start_seconds: f64,
    /// Variables, in each state.
    states: Vec<(&'static str, BTreeMap<String, String>)>,
    commands: String,
    settings: String,
    /// Commands: how each ended, and what the UPS heard of it.
    orders: BTreeMap<String, (String, Vec<String>)>,
}

fn plug(machine: &Machine, which: Which, place: u8, unit: Unit) -> SimUps {
    let bridge =
        if unit.bridge == LONG { &bridges::ARMAC_LONG } else { bridges::named(unit.bridge).unwrap() };
    let converter = Converter { bridge, id: unit.id, serial: format!("QX-{}", unit.bridge) };
    let (ups, tcp) =
        SimUps::start_usb(unit.bridge, which, unit.dialect, &["unknown silent", "speed 0.1"], converter);
    machine.attach(place, tcp);
    ups
}

fn section(unit: Unit) -> (String, String) {
    let Unit { bridge, id, options, .. } = unit;
    let ids = format!("vendorid = {:04x}\nproductid = {:04x}\nserial = QX-{bridge}", id.vendor, id.product);
    (bridge.to_string(), format!("{ids}\npollfreq = 2\n{options}"))
}

/// Everything that a driver says and does on all units, each found by itself.
fn all_told(which: Which, units: &[Unit]) -> BTreeMap<&'static str, Told> {
    let machine = Machine::start("bridges", which);
    let plugged: Vec<(Unit, SimUps)> =
        units.iter().zip(0..).map(|(unit, place)| (*unit, plug(&machine, which, place, *unit))).collect();
    machine.configure(&units.iter().map(|unit| section(*unit)).collect::<Vec<_>>());
    let mut all: BTreeMap<&'static str, Told> = std::thread::scope(|scope| {
        let machine = &machine;
        let starting: Vec<_> = units
            .iter()
            .map(|unit| {
                scope.spawn(move || {
                    let began = Instant::now();
                    let said = machine.start_driver(unit.bridge);
                    let start_seconds = began.elapsed().as_secs_f64();
                    let failed = (said.code != Some(0)).then(|| machine.driver_log(unit.bridge));
                    (unit.bridge, Told { failed, start_seconds, ..Told::default() })
                })
            })
            .collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    machine.start_upsd();
    for (state, knobs) in [("mains", &[][..]), ("low battery", &["mains fail", "charge 10"])] {
        for (_, ups) in &plugged {
            knobs.iter().for_each(|knob| ups.turn(knob));
        }
        // NUT's drivers wait long on some bridges, and the machine is slow
        std::thread::sleep(std::time::Duration::from_secs(9));
        for (unit, _) in &plugged {
            let told = all.get_mut(unit.bridge).unwrap();
            let mut listing = machine.upsc(unit.bridge);
            without_estimates(&mut listing);
            told.states.push((state, listing));
        }
    }
    std::thread::scope(|scope| {
        for (unit, told) in &mut all {
            let (machine, (_, ups)) =
                (&machine, plugged.iter().find(|(known, _)| known.bridge == *unit).unwrap());
            if told.failed.is_none() {
                scope.spawn(move || do_everything(machine, ups, unit, told));
            }
        }
    });
    all
}

/// Every command and setting that is offered.
fn do_everything(machine: &Machine, ups: &SimUps, name: &str, told: &mut Told) {
    ups.turn("mains back");
    // what is offered goes by what the UPS says, and the machine is slow
    std::thread::sleep(std::time::Duration::from_secs(9));
    told.commands = machine.run(&format!("upscmd -l {name}@127.0.0.1 2>/dev/null")).out;
    told.settings = machine.run(&format!("upsrw {name}@127.0.0.1 2>/dev/null")).out;
    let names = told.commands.lines().filter_map(|line| line.split_once(" - ")).map(|(name, _)| name);
    let names = names.filter(|name| *name != "load.off" && !of_the_driver(name));
    let names: Vec<String> = names.map(String::from).collect();
    for command in names {
        ups.forget();
        let said = machine.run(&format!("upscmd -w -u admin -p secret {name}@127.0.0.1 {command} 2>&1"));
        let queries = |line: &String| {
            qx::protocols::ALL
                .iter()
                .any(|protocol| protocol.queries.iter().any(|query| query.wire(0) == line.as_bytes()))
        };
        let heard = ups.heard().into_iter().filter(|line| !queries(line)).collect();
        let end = said.out.lines().last().unwrap_or_default().to_string();
        told.orders.insert(command, (end, heard));
    }
}

/// Differences that are listed: its name, and whether a line is one.
type Listed = (&'static str, fn(&str) -> bool);

const LISTED: &[Listed] = &[
    ("driver-version", |line| line.contains(" driver.version") || line.contains(" driver.state")),
    ("hunnox-charge", |line| line.starts_with("hunnox") && line.contains(" battery.charge: NUT nothing")),
    ("vendor-of-megatec", |line| {
        let cut =
            ["device.mfr", "device.model", "ups.firmware", "ups.serial", "battery.runtime", "device.serial"];
        line.starts_with(LONG) && cut.iter().any(|name| line.contains(&format!(": {name}: ")))
    }),
    ("newest-raw-text", |line| !line.starts_with("gtec") && line.contains(" battery.voltage: ")),
    ("newest-bounds", |line| {
        line.starts_with("omron") && (line.contains(".high: ") || line.contains(".low: "))
    }),
    ("usb-command-once", |line| {
        let halves = line.split_once(" NUT ").and_then(|(_, rest)| rest.split_once(", ours "));
        let (Some((nut, ours)), true) = (halves, line.starts_with("krauler")) else { return false };
        nut.starts_with("ERR FAILED") && ours.starts_with("SUCCESS") && ours.matches('"').count() == 2
    }),
    ("usb-silence", |line| {
        let halves = line.split_once(" NUT ").and_then(|(_, rest)| rest.split_once(", ours "));
        let heard =
            halves.and_then(|(nut, ours)| nut.strip_prefix("ERR FAILED").zip(ours.strip_prefix("SUCCESS")));
        heard.is_some_and(|(nut, ours)| nut == ours && nut.contains('"'))
    }),
];

/// The lines in which the two differ.
fn differences(nut: &BTreeMap<&str, Told>, ours: &BTreeMap<&str, Told>) -> Vec<String> {
    let mut found = vec![];
    for (bridge, nut) in nut {
        let ours = &ours[bridge];
        let mut compare = |what: &str, nut: String, ours: String| {
            if nut != ours {
                found.push(format!("{bridge} {what}: NUT {nut}, ours {ours}"));
            }
        };
        compare("start", format!("{:?}", nut.failed), format!("{:?}", ours.failed));
        for ((state, nut), (_, ours)) in nut.states.iter().zip(&ours.states) {
            let names: BTreeSet<&String> = nut.keys().chain(ours.keys()).collect();
            let differ =
                |name: &&String| !of_the_driver(name) && !nearly(name, nut.get(*name), ours.get(*name));
            for name in names.into_iter().filter(differ) {
                let text =
                    |value: Option<&String>| value.map_or("nothing".into(), |text| format!("'{text}'"));
                compare(&format!("{state}: {name}"), text(nut.get(name)), text(ours.get(name)));
            }
        }
        let lines = |program: &str, text: &str| -> BTreeSet<String> {
            of_the_ups(program, text).lines().map(String::from).collect()
        };
        for (what, nut, ours) in
            [("upscmd", &nut.commands, &ours.commands), ("upsrw", &nut.settings, &ours.settings)]
        {
            let (nut, ours) = (lines(what, nut), lines(what, ours));
            for line in nut.symmetric_difference(&ours) {
                compare(what, format!("{}", nut.contains(line)), format!("{} {line}", ours.contains(line)));
            }
        }
        for (name, (end, heard)) in &nut.orders {
            if let Some((our_end, our_heard)) = ours.orders.get(name) {
                compare(name, format!("{end} {heard:?}"), format!("{our_end} {our_heard:?}"));
            }
        }
    }
    found
}

/// What was compared, for a reader.
fn table(nut: &BTreeMap<&str, Told>, ours: &BTreeMap<&str, Told>) -> String {
    let mut lines = vec!["bridge, dialect: NUT, ours: seconds to find it, variables, commands".to_string()];
    for (bridge, ours) in ours {
        let count = |told: &Told| {
            let (seconds, variables) =
                (told.start_seconds, told.states.first().map_or(0, |(_, all)| all.len()));
            format!("{seconds:.1} s {variables} {}", told.orders.len())
        };
        let dialect = ours.states.first().and_then(|(_, all)| all.get("driver.version.data"));
        let dialect = dialect.map_or("?", String::as_str);
        lines.push(format!("{bridge}, {dialect}: {}, {}", count(&nut[bridge]), count(ours)));
    }
    lines.join("\n")
}

/// What is not listed.
fn compared(nut: Which, units: &[Unit], allowed: &[Listed]) -> Vec<String> {
    let (nut, ours) = std::thread::scope(|scope| {
        let nut = scope.spawn(move || all_told(nut, units));
        let ours = all_told(Which::Ours, units);
        (nut.join().expect("NUT's driver"), ours)
    });
    for (bridge, told) in &ours {
        let last = told.states.last().unwrap();
        assert!(
            last.1.get("ups.status").is_some_and(|status| status.contains("OB LB")),
            "{bridge}: {last:?}"
        );
        assert!(!told.orders.is_empty(), "{bridge}: no command was tried");
    }
    println!("{}", table(&nut, &ours));
    let unlisted = |line: &String| match allowed.iter().find(|(_, is)| is(line)) {
        Some((name, _)) => {
            listed(name);
            false
        }
        None => true,
    };
    differences(&nut, &ours).into_iter().filter(unlisted).collect()
}

#[test]
fn every_bridge_shows_and_does_the_same() {
    let _alone = machine::alone();
    let wrong = compared(Which::Nut, &UNITS, LISTED);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bridges_of_newer_nut_show_and_do_the_same() {
    if std::env::var_os(NEWEST).is_none() {
        println!("not run: {NEWEST} names no folder with a newer nutdrv_qx");
        return;
    }
    let _alone = machine::alone();
    let wrong = compared(Which::Newest, &NEWEST_UNITS, LISTED);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
