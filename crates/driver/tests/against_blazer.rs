//! NUT's own `blazer_ser` and ours on the same simulated UPS, as `against_nut.rs` does it for
//! `nutdrv_qx`. What differs on purpose has a name in `docs/differences-from-nut.md`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;

use beside::{Shown, listed, same_listing, shown_by};
use std::time::Duration;
use testbed::nut::{NutStation, ProgramOutput, Which, both};
use testbed::ups::SimUps;

const DRIVER: &str = "blazer_ser";
/// Questions; everything else that a UPS hears is a command.
const QUESTIONS: [&str; 6] = ["Q1", "QS", "D", "F", "I", "FW?"];
const PROTOCOLS: [&str; 4] = ["megatec", "mustek", "megatec/old", "zinto"];

const STATES: [(&str, &[&str]); 8] = [
    ("mains", &[]),
    ("outage", &["mains fail"]),
    ("low battery", &["mains fail", "charge 10"]),
    ("boost", &["mains 185"]),
    ("trim", &["mains 262"]),
    ("test", &["bit 5 on"]),
    ("fault", &["fault on"]),
    ("shutdown pending", &["mains fail", "bit 6 on"]),
];

/// Both drivers at once, each on a UPS of its own; what `watch` saw of NUT's and of ours.
fn beside<T: Send>(
    protocol: &str,
    knobs: &[&str],
    options: &str,
    watch: impl Fn(&SimUps, &mut NutStation) -> T + Sync,
) -> (T, T) {
    let run = |which| {
        let name = beside::stage_name(protocol, knobs, options);
        let ups = SimUps::start(&name, which, protocol, knobs);
        let mut station = NutStation::of(DRIVER, &name, which);
        station.configure(&ups.port, &format!("protocol = {protocol}\n{options}"));
        station.start_driver();
        station.start_upsd();
        watch(&ups, &mut station)
    };
    both(run)
}

/// Shows the same UPS by both; `allowed` takes the listed differences out of (NUT's, ours).
fn same(protocol: &str, state: &[&str], options: &str, allowed: impl FnOnce(&mut Shown, &mut Shown)) {
    let (mut nut, mut ours) = beside(protocol, state, options, |_, station| {
        std::thread::sleep(Duration::from_secs(5));
        shown_by(station)
    });
    allowed(&mut nut, &mut ours);
    same_listing(&format!("{protocol} {state:?} {options:?}"), &nut, &ours);
}

fn same_in_all_states(protocol: &str) {
    for (name, state) in STATES {
        println!("{protocol}: {name}");
        same(protocol, state, "", |_, _| {});
    }
}

#[test]
fn megatec_shows_the_same() {
    same_in_all_states("megatec");
}
#[test]
fn mustek_shows_the_same() {
    same_in_all_states("mustek");
}
#[test]
fn megatec_old_shows_the_same() {
    same_in_all_states("megatec/old");
}
#[test]
fn zinto_shows_the_same() {
    same_in_all_states("zinto");
}

#[test]
fn options_show_the_same() {
    same(
        "megatec",
        &[],
        "norating\nnovendor\ndefault.battery.voltage.low = 20\ndefault.battery.voltage.high = 27",
        |_, _| {},
    );
    same("megatec", &[], "ondelay = 2\noffdelay = 59", |nut, _| {
        assert_eq!(nut.listing.get("ups.delay.start").map(String::as_str), Some("120"));
    });
    same("megatec", &[], "override.ups.mfr = ACME\ncablepower = none", |_, _| {});
    same("megatec", &[], "default.battery.charge.low = 20\nignorelb", |_, _| {});
}

/// The commands with good, edge and bad parameters, and what NUT's driver lets nobody set.
const REQUESTS: &[(&str, &[&str])] = &[
    ("upscmd", &["beeper.toggle"]),
    ("upscmd", &["load.on"]),
    ("upscmd", &["test.battery.start.quick"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["test.battery.start.deep"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["test.battery.start"]),
    ("upscmd", &["test.battery.start", "1"]),
    ("upscmd", &["test.battery.start", "99"]),
    ("upscmd", &["test.battery.start", "0"]),
    ("upscmd", &["test.battery.start", "100"]),
    ("upscmd", &["test.battery.start", "600"]),
    ("upscmd", &["test.battery.start", "abc"]),
    ("upscmd", &["test.battery.start", "-1"]),
    ("upscmd", &["test.battery.start", "5x"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["no.such.command"]),
    ("upscmd", &["shutdown.return"]),
    ("upscmd", &["shutdown.stop"]),
    ("upscmd", &["shutdown.stayoff"]),
    ("upscmd", &["shutdown.stop"]),
    ("upscmd", &["load.off"]),
    ("upscmd", &["load.on"]),
];

/// What a request did: what the client printed, and what the UPS heard.
type Done = (ProgramOutput, Vec<String>);

fn request(ups: &SimUps, station: &NutStation, program: &str, arguments: &[&str]) -> Done {
    ups.forget();
    let target = station.ups();
    let mut said = station.as_admin(program, &[&[target.as_str()], arguments].concat());
    said.err = said.err.replace(&target, "UPS");
    said.out = said.out.replace(&target, "UPS");
    let heard = ups.heard().into_iter().filter(|line| !QUESTIONS.contains(&line.as_str())).collect();
    (said, heard)
}

fn answer(said: &ProgramOutput) -> String {
    format!("{}{}", said.out, said.err)
}

fn requests_do_the_same(protocol: &str, options: &str) {
    let (nut, ours) = beside(protocol, &[], options, |ups, station| {
        REQUESTS
            .iter()
            .map(|(program, arguments)| request(ups, station, program, arguments))
            .collect::<Vec<Done>>()
    });
    for ((request, nut), ours) in REQUESTS.iter().zip(nut).zip(ours) {
        match request.1.last().copied() {
            // NUT reads as far as it can, we refuse
            Some("5x") => {
                listed("strict-numbers");
                assert_eq!((nut.1.as_slice(), ours.1.len()), (&["T05".to_string()][..], 0));
                assert!(answer(&ours.0).contains("INVALID-ARGUMENT"));
            }
            // the same refusal in a better word
            Some("0" | "100" | "600" | "abc" | "-1") => {
                listed("command-refusals");
                assert!(answer(&nut.0).contains("ERR FAILED"), "{request:?}: {nut:?}");
                assert!(answer(&ours.0).contains("ERR INVALID-ARGUMENT"), "{request:?}: {ours:?}");
                assert_eq!((nut.0.code, &nut.1), (ours.0.code, &ours.1), "{request:?}");
            }
            _ => assert_eq!(nut, ours, "{protocol} {request:?}"),
        }
    }
}

#[test]
fn every_dialect_does_the_same() {
    std::thread::scope(|scope| {
        for (protocol, options) in PROTOCOLS.into_iter().zip([
            "",
            "ondelay = 0\noffdelay = 12",
            "ondelay = 9999\noffdelay = 600",
            "ondelay = 1\noffdelay = 119",
        ]) {
            scope.spawn(move || requests_do_the_same(protocol, options));
        }
    });
}

/// What a UPS says to a command, and whether it counts as obeyed.
#[test]
fn acknowledgement_means_the_same_to_both() {
    std::thread::scope(|scope| {
        for word in ["ACK", "(ACK", "ACK 9", "ack", "echo", "(NAK", "NAK"] {
            scope.spawn(move || {
                let (nut, ours) = beside("megatec", &[&format!("accept {word}")], "", |ups, station| {
                    request(ups, station, "upscmd", &["beeper.toggle"])
                });
                assert_eq!(nut, ours, "{word}");
            });
        }
    });
}

#[test]
fn delays_cannot_be_set() {
    let (nut, ours) = beside("megatec", &[], "", |_, station| {
        let target = station.ups();
        let mut said = station.as_admin("upsrw", &["-s", "ups.delay.start=60", &target]);
        said.err = said.err.replace(&target, "UPS");
        let mut socket = station.socket();
        socket.send("SET ups.delay.start 60 TRACKING 1\n");
        // an answer has to wait for the device, a PONG has not
        std::thread::sleep(Duration::from_millis(800));
        socket.send("PING\n");
        ((said, station.upsc_value("ups.delay.start")), socket.lines_until("PONG"))
    });
    assert_eq!(nut.0, ours.0);
    assert_eq!(ours.0.1, "180");
    listed("blazer-set");
    assert_eq!(nut.1, ["PONG"], "NUT's driver is expected to leave it without an answer");
    assert_eq!(ours.1, ["TRACKING 1 1", "PONG"]);
}

#[test]
fn a_pack_of_several_is_multiplied_by_both() {
    same("megatec", &["cell on"], "", |nut, ours| {
        for shown in [nut, ours] {
            let volts: f64 = shown.listing["battery.voltage"].parse().unwrap();
            assert!((24.0..29.0).contains(&volts), "{volts}");
        }
    });
}

/// A UPS that keeps its ratings to itself.
#[test]
fn no_bounds_come_out_of_nothing() {
    same("megatec", &[], "norating", |nut, ours| {
        listed("blazer-bounds");
        assert_eq!(nut.listing.remove("battery.voltage.low").as_deref(), Some("-0.87"));
        assert_eq!(nut.listing.remove("battery.voltage.high").as_deref(), Some("-1.08"));
        assert!(!ours.listing.contains_key("battery.voltage.low"));
    });
}

#[test]
fn the_runtime_is_estimated() {
    let lines = "runtimecal = 240,100,720,50\nchargetime = 36000\nidleload = 20";
    let (nut, ours) = beside("megatec", &[], lines, |_, station| {
        std::thread::sleep(Duration::from_secs(3));
        shown_by(station).listing
    });
    listed("blazer-first-charge");
    let number = |listing: &std::collections::BTreeMap<String, String>, name: &str| {
        listing[name].parse::<f64>().unwrap()
    };
    let (nut_charge, our_charge) = (number(&nut, "battery.charge"), number(&ours, "battery.charge"));
    // NUT begins with other bounds than it shows
    assert!((80.0..99.0).contains(&nut_charge) && our_charge == 100.0, "{nut_charge} {our_charge}");
    let (nut_runtime, our_runtime) = (number(&nut, "battery.runtime"), number(&ours, "battery.runtime"));
    assert!((nut_runtime / nut_charge - our_runtime / our_charge).abs() < 0.2, "{nut:?} {ours:?}");
}

#[test]
fn overridden_packs_count() {
    same("megatec", &[], "override.battery.packs = 2", |nut, ours| {
        listed("blazer-packs");
        let volts = |shown: &Shown| shown.listing["battery.voltage"].parse::<f64>().unwrap();
        assert!(volts(nut) < 30.0 && volts(ours) > 50.0, "{nut:?} {ours:?}");
        nut.listing.remove("battery.voltage");
        ours.listing.remove("battery.voltage");
        nut.listing.remove("battery.charge");
        ours.listing.remove("battery.charge");
    });
}

/// `-k`, with delays at their edges.
#[test]
fn the_load_goes_off_with_the_same_commands() {
    let run = |which: Which, name: &str, protocol: &str, options: &str| {
        let ups = SimUps::start(name, which, protocol, &[]);
        let station = NutStation::of(DRIVER, name, which);
        station.configure(&ups.port, options);
        let code = station.run_driver(&["-a", "u", "-k"]).code;
        let heard = ups.heard().into_iter().filter(|line| !QUESTIONS.contains(&line.as_str()));
        (code, heard.collect::<Vec<_>>())
    };
    std::thread::scope(|scope| {
        for (name, protocol, options, commands) in [
            ("kill-0", "megatec", "", ["C", "S.5R0003"]),
            ("kill-1", "mustek", "ondelay = 0\noffdelay = 12", ["C", "S.2"]),
            ("kill-2", "megatec/old", "ondelay = 9999\noffdelay = 600", ["C", "S10R9999"]),
            ("kill-3", "zinto", "protocol = zinto\nondelay = 1\noffdelay = 119", ["C", "S01R0001"]),
        ] {
            scope.spawn(move || {
                for which in Which::BOTH {
                    let (code, heard) = run(which, name, protocol, options);
                    assert_eq!(
                        (code, heard),
                        (Some(0), commands.map(String::from).to_vec()),
                        "{which:?} {name}"
                    );
                }
            });
        }
    });
}

/// Without `protocol`: the status alone tells the dialects apart, so that zinto is taken for megatec.
#[test]
fn both_find_the_same_dialect() {
    std::thread::scope(|scope| {
        for protocol in PROTOCOLS {
            scope.spawn(move || {
                let asked = |which| {
                    let name = format!("find-{}", protocol.replace('/', "_"));
                    let ups = SimUps::start(&name, which, protocol, &["unknown echo"]);
                    let station = NutStation::of(DRIVER, &name, which);
                    station.configure(&ups.port, "");
                    let said = station.run_driver(&["-a", "u", "-d", "1"]);
                    assert_eq!(said.code, Some(0), "{which:?} {protocol}: {said:?}");
                    let status =
                        ups.heard().into_iter().rfind(|line| ["Q1", "QS", "D"].contains(&line.as_str()));
                    (status.unwrap(), said.out.contains("ups.mfr: "))
                };
                assert_eq!(asked(Which::Nut), asked(Which::Ours), "{protocol}");
            });
        }
    });
}
