//! Every option with a good value, its edges and nonsense, under NUT's driver and under ours: whether
//! the driver starts, and what it then publishes of its options. Differences have a name.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;

use beside::{listed, of_the_driver};
use std::collections::{BTreeMap, BTreeSet};
use testbed::nut::{NutStation, Which, both};
use testbed::ups::SimUps;

/// What a driver made of some lines: whether it started, and what it then says of its options.
type Made = (bool, BTreeMap<String, String>);

fn made(station: &NutStation) -> Made {
    let said = station.run_driver(&["-a", "u", "-d", "1"]);
    let own = ["driver.parameter.", "driver.flag.", "ups.delay.", "battery.packs"];
    let is_own = |name: &str| {
        let of_ours = name == "driver.parameter.port" || of_the_driver(name);
        own.iter().any(|own| name.starts_with(own)) && !of_ours
    };
    let lines = said.out.lines().filter_map(|line| line.split_once(": "));
    let published: BTreeMap<_, _> =
        lines.filter(|(name, _)| is_own(name)).map(|(name, text)| (name.into(), text.into())).collect();
    (!published.is_empty(), published)
}

/// Runs every case under both drivers. `configure` writes it.
fn compare(
    program: &'static str,
    cases: &[&str],
    different: &[(&str, &str, &str)],
    configure: impl Fn(&NutStation, &SimUps, &str) + Sync,
) {
    let run = |which| {
        let name = format!("options-{program}-{}", cases.len());
        // a UPS that refuses what it does not know: NUT's driver finds the dialect at once
        let ups = SimUps::start(&name, which, "megatec", &["unknown echo"]);
        let station = NutStation::of(program, &name, which);
        let one = |lines: &&str| {
            configure(&station, &ups, lines);
            made(&station)
        };
        cases.iter().map(one).collect::<Vec<_>>()
    };
    let (nut, ours) = both(run);
    for ((case, nut), ours) in cases.iter().zip(nut).zip(ours) {
        let name = different.iter().find(|(lines, who, _)| lines == case && program.starts_with(who));
        match name {
            None => assert_eq!(nut, ours, "{program} {case:?}"),
            Some((.., name)) => {
                listed(name);
                assert_ne!(nut, ours, "{program} {case:?}: there is no difference any more");
            }
        }
    }
}

/// Lines of a section.
#[rustfmt::skip]
const CASES: &[&str] = &[
    "",
    "protocol = megatec",
    "protocol = MEGATEC",
    "protocol = frob",
    "protocol =",
    "protocol",
    "ondelay = 0",
    "ondelay = 9999",
    "ondelay = 10000",
    "ondelay = 599940",
    "ondelay = 599941",
    "ondelay = -1",
    "ondelay = abc",
    "ondelay = 60x",
    "ondelay = 119",
    "ondelay = 119.9",
    "offdelay = 30.5",
    "ondelay",
    "offdelay = 12",
    "offdelay = 11",
    "offdelay = 59",
    "offdelay = 119",
    "offdelay = 600",
    "offdelay = 601",
    "offdelay = abc",
    "offdelay = 30s",
    "offdelay",
    "runtimecal = 240,100,720,50",
    "runtimecal = 240,100,720",
    "runtimecal = 720,100,240,50",
    "runtimecal = 240,50,720,100",
    "runtimecal = 240,101,720,50",
    "runtimecal = 240,100,240,50",
    "runtimecal = 240,100,720,100",
    "runtimecal = abc",
    "runtimecal",
    "runtimecal = 240,100,720,50\nchargetime = 36000",
    "runtimecal = 240,100,720,50\nchargetime = 0",
    "runtimecal = 240,100,720,50\nchargetime = abc",
    "chargetime = abc",
    "runtimecal = 240,100,720,50\nidleload = 100",
    "runtimecal = 240,100,720,50\nidleload = 0",
    "runtimecal = 240,100,720,50\nidleload = 101",
    "idleload = 0",
    "norating",
    "norating = yes",
    "novendor",
    "cablepower = normal",
    "cablepower = reverse",
    "cablepower = both",
    "cablepower = none",
    "cablepower = NORMAL",
    "cablepower = Reverse",
    "cablepower = frob",
    "cablepower",
    "pollfreq = 30",
    "pollfreq = 0",
    "pollfreq = abc",
    "pollfreq = -5",
    "stayoff",
    "ignoresab",
    "testing",
    "bypass_alarm = ENABLED",
    "work_range_type = appliance",
    "battery_number = 3",
    "battery_number = 99",
    "output_phase_angle = 90",
    "max_bypass_volt = abc",
    "series",
    "slave_address = 5",
    "slave_address = 100",
    "slave_address = abc",
    "vendorid = 0665",
    "pollinterval = 5",
    "pollinterval = 0",
    "pollinterval = abc",
    "pollinterval = 5s",
    "pollinterval",
    "synchronous = yes",
    "synchronous = YES",
    "synchronous = frob",
    "synchronous",
    "debug_min = 0",
    "debug_min = abc",
    "debug_min = -1",
    "nolock",
    "nolock = 1",
    "ignorelb",
    "default.battery.charge.low = 20\nignorelb",
    "user",
    "group",
    "sdorder = abc",
    "sdorder",
    "sddelay = 3",
    "desc = x",
    "desc",
    "maxstartdelay = 5",
    "maxretry = 5",
    "allow_killpower",
    "reconnect_max_tries = 5",
    "sdcommands = load.off",
    "battery_voltage_reports_one_pack",
    "frob = 1",
    "frob",
    "override.frob.x = 1",
    "override.battery.packs",
    "override.ups.delay.start = 60",
    "default.ups.delay.start = 60",
    "Protocol = megatec",
    "PORT = frob",
    "NOLOCK",
];

/// Where the drivers differ: the lines, how the driver's name begins, the name of the difference.
#[rustfmt::skip]
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("protocol", "", "option-values"),
    ("ondelay", "", "option-values"),
    ("offdelay", "", "option-values"),
    ("runtimecal", "", "option-values"),
    ("cablepower", "", "option-values"),
    ("series", "nutdrv_qx", "option-values"),
    ("override.battery.packs", "", "option-values"),
    ("runtimecal = 240,100,720,100", "", "option-numbers"),
    ("chargetime = abc", "", "option-numbers"),
    ("idleload = 0", "", "option-numbers"),
    ("pollfreq = abc", "nutdrv_qx", "option-numbers"),
    ("pollfreq = -5", "nutdrv_qx", "option-numbers"),
    ("slave_address = 100", "nutdrv_qx", "option-numbers"),
    ("slave_address = abc", "nutdrv_qx", "option-numbers"),
    ("pollinterval = 5s", "", "option-numbers"),
    ("ondelay = abc", "blazer", "option-numbers"),
    ("ondelay = 60x", "blazer", "option-numbers"),
    ("offdelay = 30s", "blazer", "option-numbers"),
    ("offdelay = 11", "nutdrv_qx", "delay-range"),
    ("offdelay = 601", "nutdrv_qx", "delay-range"),
    ("maxstartdelay = 5", "", "upsdrvctl-words"),
    ("maxretry = 5", "", "upsdrvctl-words"),
    ("allow_killpower", "", "newer-words"),
    ("sdcommands = load.off", "", "newer-words"),
    ("reconnect_max_tries = 5", "", "newer-words"),
    ("battery_voltage_reports_one_pack", "nutdrv_qx", "one-pack"),
];

fn sections(program: &'static str) {
    compare(program, CASES, DIFFERENT, |station, ups, lines| station.configure(&ups.port, lines));
}

#[test]
fn nutdrv_qx_takes_the_same() {
    sections("nutdrv_qx");
}
#[test]
fn blazer_ser_takes_the_same() {
    sections("blazer_ser");
}

/// Lines before the first section.
#[rustfmt::skip]
const GLOBALS: &[&str] = &[
    "pollinterval = 5",
    "pollinterval = 0",
    "pollinterval = abc",
    "synchronous = yes",
    "synchronous = frob",
    "debug_min = 0",
    "debug_min = abc",
    "maxretry = abc",
    "nowait",
    "driverpath = /nonexistent",
    "frob = 1",
    "frob",
    "novendor",
    "ondelay = 5",
    "port = /nonexistent",
    "LIBUSB_DEBUG = 4",
    "reconnect_max_tries = abc",
    "statepath = /nonexistent",
];

#[test]
fn what_stands_before_the_first_section() {
    compare("nutdrv_qx", GLOBALS, &[], |station, ups, lines| {
        let section = format!("[u]\ndriver = nutdrv_qx\nport = {}\n", ups.port.display());
        station.write("ups.conf", &format!("user = root\n{lines}\n{section}"));
    });
}

/// Command lines, and whether the driver says that all is well.
#[rustfmt::skip]
const COMMAND_LINES: &[(&[&str], &str)] = &[
    (&["-h"], ""),
    (&["-V"], ""),
    (&["-L"], ""),
    (&["-a", "u", "-d", "1"], ""),
    (&["-a", "u", "-x", "protocol=megatec", "-d", "1"], ""),
    (&["-a", "u", "-x", "protocol=frob", "-d", "1"], ""),
    (&["-a", "u", "-i", "5", "-d", "1"], ""),
    (&["-a", "u", "-x", "frob=1", "-d", "1"], "unknown-option"),
    (&["-a", "nobody"], ""),
    (&["-a"], ""),
    (&["-z"], ""),
    (&["-a", "u", "-i", "0", "-d", "1"], ""),
    (&["-a", "u", "-i", "abc", "-d", "1"], ""),
    (&["-a", "u", "-d", "0"], "no-polls"),
    (&["-a", "u", "-c", "exit"], ""),
    (&[], ""),
    (&["-s", "u"], ""),
    (&["-a", "u", "-u", "nobody-of-that-name", "-d", "1"], ""),
    (&["-a", "u", "frob", "-d", "1"], ""),
];

#[test]
fn exit_codes_are_the_same() {
    for program in ["nutdrv_qx", "blazer_ser"] {
        let run = |which| {
            let name = format!("codes-{program}");
            let ups = SimUps::start(&name, which, "megatec", &["unknown echo"]);
            let station = NutStation::of(program, &name, which);
            station.configure(&ups.port, "");
            let one = |(arguments, _): &(&[&str], &str)| station.run_driver(arguments).code;
            COMMAND_LINES.iter().map(one).collect::<Vec<_>>()
        };
        for (((arguments, name), nut), ours) in
            COMMAND_LINES.iter().zip(run(Which::Nut)).zip(run(Which::Ours))
        {
            if name.is_empty() {
                assert_eq!(nut, ours, "{program} {arguments:?}");
            } else {
                listed(name);
                assert_eq!((nut, ours), (Some(0), Some(1)), "{program} {arguments:?}");
            }
        }
    }
}

/// What `-L` tells programs: every option of NUT's driver is there, of the same kind.
#[test]
fn every_listed_option_is_listed() {
    for program in ["nutdrv_qx", "blazer_ser", "blazer_usb"] {
        let options = |which| {
            let said = NutStation::of(program, &format!("list-{program}"), which).run_driver(&["-L"]);
            let words = said.out.lines().filter_map(|line| line.split_once(" \"")).map(|(head, _)| head);
            words.map(String::from).collect::<BTreeSet<_>>()
        };
        let (nut, ours) = (options(Which::Nut), options(Which::Ours));
        assert!(nut.len() > 8, "{nut:?}");
        let missing: Vec<&String> = nut.difference(&ours).collect();
        if program == "nutdrv_qx" {
            assert!(missing.is_empty(), "{missing:?}");
        } else {
            listed("blazer-protocol");
            assert_eq!(missing, ["FLAG protocol"], "{program}");
            assert!(ours.contains("VALUE protocol"), "{program}");
        }
    }
}
