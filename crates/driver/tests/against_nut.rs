//! NUT's own driver and ours on the same simulated UPS: the same listing, the same commands and
//! settings, the same bytes on the wire, the same words of upscmd and upsrw. What differs on purpose
//! has a name in `docs/differences-from-nut.md`; anything else fails.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;

use beside::{Shown, listed, same};

use testbed::nut::{NutStation, ProgramOutput, Which, both};
use testbed::ups::SimUps;

/// Questions; everything else that a UPS hears is a command.
const QUESTIONS: [&str; 6] = ["Q1", "QS", "D", "F", "I", "FW?"];
const PROTOCOLS: [&str; 5] = ["megatec", "megatec/old", "mustek", "zinto", "q1"];

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

fn same_in_all_states(protocol: &str) {
    for (name, state) in STATES {
        println!("{protocol}: {name}");
        same(protocol, state, "", |nut, ours| without_ratings(protocol, nut, ours));
    }
}

/// NUT asks q1 for no ratings, so it knows neither them nor the charge.
fn without_ratings(protocol: &str, nut: &Shown, ours: &mut Shown) {
    if protocol != "q1" {
        return;
    }
    listed("q1-ratings");
    let follows =
        |name: &str| name.ends_with(".nominal") || name.starts_with("battery.") && name != "battery.voltage";
    let more: Vec<String> =
        ours.listing.keys().filter(|name| !nut.listing.contains_key(*name)).cloned().collect();
    assert!(more.iter().all(|name| follows(name)), "{more:?}");
    for name in [
        "input.voltage.nominal",
        "input.current.nominal",
        "input.frequency.nominal",
        "battery.voltage.nominal",
    ] {
        assert!(more.iter().any(|more| more == name), "{name} is missing");
    }
    ours.listing.retain(|name, _| !more.contains(name));
}

#[test]
fn megatec_shows_the_same() {
    same_in_all_states("megatec");
}
#[test]
fn megatec_old_shows_the_same() {
    same_in_all_states("megatec/old");
}
#[test]
fn mustek_shows_the_same() {
    same_in_all_states("mustek");
}
#[test]
fn zinto_shows_the_same() {
    same_in_all_states("zinto");
}
#[test]
fn q1_shows_the_same() {
    same_in_all_states("q1");
}

/// "Shutdown active" from the first word on, on mains: NUT has hosts halt as they start.
#[test]
fn a_bit_that_never_changes_says_nothing() {
    same("q1", &["bit 6 on"], "", |nut, ours| {
        listed("stuck-bits");
        assert_eq!(nut.listing.remove("ups.status").as_deref(), Some("ALARM OL FSD"));
        assert_eq!(ours.listing.remove("ups.status").as_deref(), Some("OL"));
        assert_eq!(nut.listing.remove("ups.alarm").as_deref(), Some("Shutdown imminent!"));
        without_ratings("q1", nut, ours);
    });
}

#[test]
fn options_show_the_same() {
    same("megatec", &["bit 6 on"], "ignoresab", |_, _| {});
    same("megatec", &[], "norating\nnovendor", |_, _| {});
    same("megatec", &[], "ondelay = 120\noffdelay = 59\nstayoff", |_, _| {});
    same(
        "megatec",
        &[],
        "override.battery.packs = 1\ndefault.battery.voltage.low = 20\ndefault.battery.voltage.high = 27\noverride.ups.mfr = ACME",
        |nut, _| {
            // NUT copies ups.mfr to device.mfr at its start, before the override is seen by upsd
            assert_eq!(nut.listing.get("ups.mfr").map(String::as_str), Some("ACME"));
        },
    );
    same("megatec", &[], "default.battery.charge.low = 20\nignorelb", |_, _| {});
    same("megatec", &[], "runtimecal = 240,100,720,50\nchargetime = 36000\nidleload = 20", |_, _| {});
}

#[test]
fn what_the_ups_does_not_know() {
    same("megatec", &["dashes temperature"], "", |_, _| {});
    let blank = "reply F \"#230.0 003       50.0\"";
    same("megatec", &[blank], "", |nut, ours| {
        listed("unknown-values");
        assert_eq!(nut.listing.remove("battery.voltage.nominal").as_deref(), Some("0.0"));
        assert_eq!(nut.listing.remove("battery.voltage.low").as_deref(), Some("0.00"));
        assert_eq!(nut.listing.remove("battery.voltage.high").as_deref(), Some("0.00"));
        assert!(!ours.listing.contains_key("battery.voltage.nominal"));
    });
}

#[test]
fn a_regulation_that_cannot_be() {
    listed("regulation-ratio");
    let state = ["mains fail", "bit 2 on"];
    let ups = SimUps::start("ratio", Which::Nut, "megatec", &state);
    let station = NutStation::new("ratio", Which::Nut);
    station.configure(&ups.port, "protocol = megatec");
    assert_eq!(station.run_driver(&["-a", "u"]).code, Some(1), "NUT's driver is expected to end here");
    let ups = SimUps::start("ratio", Which::Ours, "megatec", &state);
    let mut station = NutStation::new("ratio", Which::Ours);
    station.configure(&ups.port, "protocol = megatec");
    station.start_driver();
    station.start_upsd();
    assert_eq!(station.upsc_value("ups.status"), "OB");
}

/// The commands with good, edge and bad parameters, and the settings with good, edge and bad values.
const REQUESTS: &[(&str, &[&str])] = &[
    ("upscmd", &["beeper.toggle"]),
    ("upscmd", &["load.on"]),
    ("upscmd", &["test.battery.start.quick"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["test.battery.start.deep"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["test.battery.start"]),
    ("upscmd", &["test.battery.start", "60"]),
    ("upscmd", &["test.battery.start", "119"]),
    ("upscmd", &["test.battery.start", "5940"]),
    ("upscmd", &["test.battery.start", "59"]),
    ("upscmd", &["test.battery.start", "5941"]),
    ("upscmd", &["test.battery.start", "abc"]),
    ("upscmd", &["test.battery.start", "60x"]),
    ("upscmd", &["test.battery.start", "-60"]),
    ("upscmd", &["test.battery.stop"]),
    ("upscmd", &["no.such.command"]),
    ("upsrw", &["-s", "ups.delay.start=0"]),
    ("upscmd", &["shutdown.return"]),
    ("upscmd", &["shutdown.stop"]),
    ("upsrw", &["-s", "ups.delay.start=119"]),
    ("upsrw", &["-s", "ups.delay.shutdown=59"]),
    ("upscmd", &["shutdown.return"]),
    ("upscmd", &["shutdown.stop"]),
    ("upsrw", &["-s", "ups.delay.start=599940"]),
    ("upsrw", &["-s", "ups.delay.shutdown=600"]),
    ("upscmd", &["shutdown.return"]),
    ("upscmd", &["shutdown.stop"]),
    ("upsrw", &["-s", "ups.delay.shutdown=12"]),
    ("upscmd", &["shutdown.stayoff"]),
    ("upscmd", &["shutdown.stop"]),
    ("upsrw", &["-s", "ups.delay.shutdown=11"]),
    ("upsrw", &["-s", "ups.delay.shutdown=601"]),
    ("upsrw", &["-s", "ups.delay.shutdown=60.9"]),
    ("upsrw", &["-s", "ups.delay.shutdown=60x"]),
    ("upsrw", &["-s", "ups.delay.shutdown=90 0"]),
    ("upsrw", &["-s", "ups.delay.shutdown="]),
    ("upsrw", &["-s", "ups.delay.start=599941"]),
    ("upsrw", &["-s", "ups.delay.start=-1"]),
    ("upsrw", &["-s", "input.voltage=1"]),
    ("upsrw", &["-s", "no.such.variable=1"]),
    ("upscmd", &["load.off"]),
    ("upscmd", &["load.on"]),
];

/// What a request did: what the client printed, and what the UPS heard.
type Done = (ProgramOutput, Vec<String>);

fn request_all(which: Which, protocol: &str) -> Vec<Done> {
    let name = format!("requests-{}", protocol.replace('/', "_"));
    let ups = SimUps::start(&name, which, protocol, &[]);
    let mut station = NutStation::new(&name, which);
    station.configure(&ups.port, &format!("protocol = {protocol}"));
    station.start_driver();
    station.start_upsd();
    let mut done = vec![];
    for (program, arguments) in REQUESTS {
        ups.forget();
        let target = station.ups();
        let arguments: Vec<&str> = match *program {
            "upscmd" => [&[target.as_str()], *arguments].concat(),
            _ => [*arguments, &[target.as_str()]].concat(),
        };
        let mut said = station.as_admin(program, &arguments);
        said.err = said.err.replace(&target, "UPS");
        said.out = said.out.replace(&target, "UPS");
        let commands = || -> Vec<String> {
            ups.heard().into_iter().filter(|line| !QUESTIONS.contains(&line.as_str())).collect()
        };
        // on a machine that is busy the UPS may write down later what it was told
        if *program == "upscmd" && said.err.contains("SUCCESS") {
            station.wait_for("the command", || !commands().is_empty());
        }
        done.push((said, commands()));
    }
    done
}

fn requests_do_the_same(protocol: &str) {
    let (nut, ours) = both(|which| request_all(which, protocol));
    let answer = |said: &ProgramOutput| format!("{}{}", said.out, said.err);
    for ((request, nut), ours) in REQUESTS.iter().zip(nut).zip(ours) {
        let (program, arguments) = request;
        let bad = arguments.last().unwrap();
        match *bad {
            // NUT reads as far as it can, we refuse
            "60x" if *program == "upscmd" => {
                listed("strict-numbers");
                assert_eq!((nut.1.as_slice(), ours.1.len()), (&["T01".to_string()][..], 0));
                assert!(answer(&ours.0).contains("INVALID-ARGUMENT"));
            }
            "ups.delay.shutdown=90 0" => {
                listed("strict-numbers");
                assert!(answer(&nut.0).contains("SUCCESS") && answer(&ours.0).contains("INVALID-ARGUMENT"));
            }
            // the same refusal in a better word
            "59" | "5941" | "abc" | "-60" => {
                listed("command-refusals");
                assert!(answer(&nut.0).contains("ERR FAILED"), "{request:?}: {nut:?}");
                assert!(answer(&ours.0).contains("ERR INVALID-ARGUMENT"), "{request:?}: {ours:?}");
                assert_eq!((nut.0.code, &nut.1), (ours.0.code, &ours.1), "{request:?}");
            }
            "ups.delay.shutdown=60x" | "ups.delay.shutdown=" if answer(&nut.0).contains("UNKNOWN") => {
                listed("set-refusals");
                assert!(answer(&ours.0).contains("ERR INVALID-ARGUMENT"), "{request:?}: {ours:?}");
                assert_eq!((nut.0.code, &nut.1), (ours.0.code, &ours.1), "{request:?}");
            }
            _ => assert_eq!(nut, ours, "{protocol} {request:?}"),
        }
    }
}

#[test]
fn megatec_does_the_same() {
    requests_do_the_same("megatec");
}
#[test]
fn megatec_old_does_the_same() {
    requests_do_the_same("megatec/old");
}
#[test]
fn mustek_does_the_same() {
    requests_do_the_same("mustek");
}
#[test]
fn zinto_does_the_same() {
    requests_do_the_same("zinto");
}
#[test]
fn q1_does_the_same() {
    requests_do_the_same("q1");
}

#[test]
fn a_refused_command_fails_for_both() {
    for (profile, outcome) in [("echo", "ERR FAILED"), ("(NAK", "ERR FAILED")] {
        for which in Which::BOTH {
            let ups = SimUps::start(
                &format!("refuse-{profile}"),
                which,
                "megatec",
                &[&format!("refuse {profile}")],
            );
            let mut station = NutStation::new(&format!("refuse-{}", profile.trim_matches('(')), which);
            station.configure(&ups.port, "protocol = megatec");
            station.start_driver();
            station.start_upsd();
            let said = station.as_admin("upscmd", &[&station.ups(), "beeper.toggle"]);
            assert!(format!("{}{}", said.out, said.err).contains(outcome), "{which:?} {profile}: {said:?}");
        }
    }
}

/// NUT's driver finds on our simulators what ours finds. (It takes half a minute for some.)
#[test]
fn both_find_the_same_dialect() {
    std::thread::scope(|scope| {
        for protocol in PROTOCOLS {
            for which in Which::BOTH {
                scope.spawn(move || {
                    let name = format!("find-{}", protocol.replace('/', "_"));
                    let ups = SimUps::start(&name, which, protocol, &["unknown echo"]);
                    let station = NutStation::new(&name, which);
                    station.configure(&ups.port, "");
                    let said = station.run_driver(&["-a", "u", "-d", "1"]);
                    assert_eq!(said.code, Some(0), "{which:?} {protocol}: {said:?}");
                    let data =
                        said.out.lines().find_map(|line| line.strip_prefix("driver.version.data: ")).unwrap();
                    let found = data.split(" 0").next().unwrap().to_lowercase();
                    assert_eq!(found, protocol, "{which:?}");
                });
            }
        }
    });
}

#[test]
fn an_unknown_option_is_an_error() {
    listed("unknown-option");
    for (which, code) in [(Which::Nut, 0), (Which::Ours, 1)] {
        let ups = SimUps::start("option", which, "megatec", &[]);
        let station = NutStation::new("option", which);
        station.configure(&ups.port, "novender");
        assert_eq!(station.run_driver(&["-a", "u"]).code, Some(code), "{which:?}");
    }
}
