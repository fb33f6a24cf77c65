//! The dialects beside the five sisters, under NUT's own driver and ours: what both show in every
//! state, and what every command and setting does, with good, edge and bad values.
//!
//! Debian's driver is the judge of the dialects that it speaks. Those of newer NUT are compared when
//! `QXUPS_NEWEST_NUT` names a folder with a newer `nutdrv_qx` that somebody built.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;

use beside::{Pair, Stage, listed, of_the_ups};
use std::time::Duration;
use testbed::nut::{NEWEST, Which};

/// A dialect and the family or model of it.
type Unit = (&'static str, &'static str);

/// Differences that are listed: its name, and whether a line of a unit is one.
type Listed = (&'static str, fn(Unit, &str) -> bool);

const LISTED: &[Listed] = &[
    ("voltronic-qs-qi", |(dialect, _), line| {
        let said = ["battery.", "input.frequency", "input.transfer", "output.current"];
        dialect == "voltronic-qs" && said.iter().any(|name| line.starts_with(name))
    }),
    ("stuck-bits", |_, line| line == "ups.status: NUT 'OL OFF', ours 'OL'"),
    ("hunnox-charge", |(dialect, _), line| dialect == "hunnox" && line.starts_with("battery.charge")),
    ("settable-without-limits", |(_, family), line| {
        matches!(family, "P00" | "P08" | "P31") && line.starts_with("upsrw: only NUT")
    }),
    ("avr-alarm", |(dialect, _), line| {
        let word = ["BOOST", "TRIM"].iter().any(|word| {
            line == format!("ups.alarm: NUT '{word}', ours (nothing)")
                || line == format!("ups.status: NUT 'ALARM OL {word}', ours 'OL {word}'")
        });
        dialect == "voltronic" && word
    }),
    ("ablerex-word-order", |(dialect, _), line| {
        let words = ["BOOST", "TRIM", "BYPASS"];
        dialect == "ablerex"
            && words.iter().any(|word| line == format!("ups.status: NUT '{word} OL', ours 'OL {word}'"))
    }),
    ("alarm-hash", |(dialect, _), line| {
        dialect == "voltronic"
            && (line.starts_with("ups.alarm: NUT (nothing), ours 'UPS warnings: ") && line.contains('#')
                || line.starts_with("ups.status: NUT 'OL") && line.ends_with("ours 'ALARM OL'"))
    }),
    ("qs-hex-escaped-bits", |(dialect, _), line| {
        // nothing at all comes from NUT's driver any more
        dialect == "voltronic-qs-hex" && (line.contains("NUT (nothing)") || line.contains("only ours"))
    }),
    ("ablerex-error-number", |(dialect, _), line| {
        dialect == "ablerex" && line == "ups.alarm: NUT '0', ours (nothing)"
    }),
    ("fault-kind", |(dialect, _), line| {
        dialect == "voltronic"
            && line.starts_with("ups.alarm: NUT 'Fault reported by UPS.', ours 'UPS Fault! ")
    }),
];

/// The states, and the knobs that make them.
const STATES: &[(&str, &[&str])] = &[
    ("mains", &[]),
    ("outage", &["mains fail"]),
    ("low battery", &["mains fail", "charge 10"]),
    ("boost", &["mains 185"]),
    ("trim", &["mains 262"]),
    ("bypass", &["bypass on"]),
    ("overload", &["load 120"]),
    ("test", &["word CAL on"]),
    ("fault", &["fault on"]),
    ("shutdown pending", &["word FSD on"]),
    ("off", &["word OFF on"]),
    ("warnings", &["warning 1 on", "warning 60 on"]),
];

fn knobs_of<'a>(unit: Unit, state: &[&'a str], family: &'a str) -> Vec<&'a str> {
    let mut knobs = vec!["unknown (NAK"];
    if !unit.1.is_empty() {
        knobs.push(family);
    }
    knobs.extend(state);
    knobs
}

/// What takes every state back.
const MAINS: &[&str] = &[
    "mains back",
    "charge 100",
    "bypass off",
    "load 20",
    "word CAL free",
    "word FSD free",
    "word OFF free",
    "fault off",
    "warning 1 off",
    "warning 60 off",
];

/// What is not listed, of all states of a unit.
fn shows_the_same(which: Which, unit: Unit, states: &[(&str, &[&str])], allowed: &[Listed]) -> Vec<String> {
    let family = format!("family {}", unit.1);
    let pair = Pair::new(which, unit.0, &knobs_of(unit, &[], &family));
    let mut wrong = vec![];
    for (name, state) in states {
        pair.turn(state);
        for line in pair.differences() {
            match allowed.iter().find(|(_, is)| is(unit, &line)) {
                Some((difference, _)) => listed(difference),
                None => wrong.push(format!("{} {} {name}: {line}", unit.0, unit.1)),
            }
        }
        pair.turn(MAINS);
    }
    wrong
}

fn all_show_the_same(units: &[Unit], states: &[(&str, &[&str])]) {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = units
            .iter()
            .map(|unit| scope.spawn(move || shows_the_same(Which::Nut, *unit, states, LISTED)))
            .collect();
        running.into_iter().flat_map(|unit| unit.join().expect("a unit")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn voltronic_shows_the_same_in_every_state() {
    all_show_the_same(&[("voltronic", "P01"), ("voltronic", "P10")], STATES);
}

#[test]
fn families_of_voltronic_show_the_same() {
    let families = ["P00", "P02", "P03", "P08", "P09", "P13", "P14", "P31", "P99"];
    let units: Vec<Unit> = families.iter().map(|family| ("voltronic", *family)).collect();
    for units in units.chunks(3) {
        all_show_the_same(units, &[STATES[0], STATES[5], STATES[2]]);
    }
}

#[test]
fn the_others_show_the_same_in_every_state() {
    all_show_the_same(
        &[("voltronic-qs", "PM-V"), ("voltronic-qs-hex", "PM-P"), ("mecer", "")],
        &STATES[..11],
    );
}

#[test]
fn the_rest_shows_the_same_in_every_state() {
    all_show_the_same(&[("bestups", "FOR"), ("hunnox", ""), ("ablerex", "")], &STATES[..11]);
}

#[test]
fn models_show_the_same() {
    let units = [("bestups", "AX1"), ("bestups", "PR2"), ("bestups", "PRO"), ("voltronic-qs-hex", "PM-T")];
    all_show_the_same(&units, &STATES[..6]);
}

/// The lines a unit hears that are no questions.
fn orders(stage: &Stage, dialect: &str) -> Vec<String> {
    let queries = qx::protocols::named(dialect).unwrap().queries;
    let question = |line: &String| queries.iter().any(|query| query.wire(0) == line.as_bytes());
    stage.ups.heard().into_iter().filter(|line| !question(line)).collect()
}

/// A request: to `upscmd` or `upsrw`, with what.
type Request = (&'static str, Vec<String>);

/// Every command and setting that is offered, with good, edge and bad values.
fn requests(stage: &Stage) -> Vec<Request> {
    let target = stage.station.ups();
    let mut all: Vec<Request> = vec![];
    let commands = of_the_ups("upscmd", &stage.station.run("upscmd", &["-l", &target]).out);
    let names = commands.lines().filter_map(|line| line.split_once(" - ")).map(|(name, _)| name);
    for name in names.filter(|name| !name.starts_with("load.off")) {
        let parameters: &[&str] = match name {
            "test.battery.start" => &["", "12", "59", "60", "119", "5940", "5941", "abc"],
            _ => &[""],
        };
        for parameter in parameters {
            let words = [name, parameter].into_iter().filter(|word| !word.is_empty());
            all.push(("upscmd", words.map(String::from).collect()));
        }
    }
    let settings = of_the_ups("upsrw", &stage.station.run("upsrw", &[&target]).out);
    for block in settings.split("\n\n").filter(|block| block.contains('[')) {
        let name = block.split('[').nth(1).unwrap().split(']').next().unwrap();
        let mut values: Vec<String> = vec!["nonsense".into(), "".into()];
        for option in block.lines().filter_map(|line| line.strip_prefix("Option: \"")) {
            let text = option.split('"').next().unwrap();
            match text.split_once("\" - \"").or_else(|| option.split_once("-\"")).or(text.split_once('-')) {
                Some((least, most)) => {
                    let number = |text: &str| text.trim_matches('"').trim().parse::<u32>().unwrap();
                    let (least, most) = (number(least), number(most));
                    values.extend([least, most, most + 1].map(|number| number.to_string()));
                    values.extend(least.checked_sub(1).map(|number| number.to_string()));
                }
                None => values.push(text.into()),
            }
        }
        all.extend(
            values.into_iter().map(|value| ("upsrw", vec!["-s".to_string(), format!("{name}={value}")])),
        );
    }
    all
}

/// What a request did: whether it succeeded, and what the UPS heard.
type Did = (bool, Vec<String>);

fn obeys(stage: &Stage, dialect: &str, requests: &[Request]) -> Vec<Did> {
    let target = stage.station.ups();
    let one = |(program, words): &Request| {
        stage.ups.forget();
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        match *program {
            "upscmd" => arguments.insert(0, &target),
            _ => arguments.push(&target),
        }
        let said = stage.station.as_admin(program, &arguments);
        let done = !format!("{}{}", said.out, said.err).contains("ERR");
        let heard = orders(stage, dialect);
        // what was ordered must not run into the next request
        if words[0].starts_with("shutdown.") || words[0].starts_with("test.") {
            stage.station.as_admin("upscmd", &[&target, "shutdown.stop"]);
            stage.station.as_admin("upscmd", &[&target, "test.battery.stop"]);
        }
        (done, heard)
    };
    requests.iter().map(one).collect()
}

/// Requests of which NUT makes something else: name of the listed difference.
fn otherwise(request: &Request, nut: &Did, ours: &Did) -> Option<&'static str> {
    // 53 is 53.0, which the UPS has already
    let is_number = request.1.last().is_some_and(|text| text.contains("=5") || text.contains("=4"));
    (nut.0 && ours.0 && ours.1.is_empty() && nut.1.len() == 1 && is_number).then_some("set-same-number")
}

fn does_the_same(unit: Unit) -> Vec<String> {
    let family = format!("family {}", unit.1);
    let knobs = knobs_of(unit, &[], &family);
    let Pair { nut, ours } = Pair::new(Which::Nut, unit.0, &knobs);
    std::thread::sleep(Duration::from_secs(3));
    let requests = requests(&ours);
    assert!(requests.len() > 10, "{unit:?}: {requests:?}");
    let (done_by_nut, done_by_ours) = std::thread::scope(|scope| {
        let nut = scope.spawn(|| obeys(&nut, unit.0, &requests));
        let ours = obeys(&ours, unit.0, &requests);
        (nut.join().expect("NUT's driver"), ours)
    });
    let mut wrong = vec![];
    for ((request, nut), ours) in requests.iter().zip(done_by_nut).zip(done_by_ours) {
        match otherwise(request, &nut, &ours) {
            Some(difference) => listed(difference),
            None if nut != ours => wrong.push(format!("{unit:?} {request:?}: NUT {nut:?}, ours {ours:?}")),
            None => {}
        }
    }
    println!("{unit:?}: {} requests", requests.len());
    wrong
}

fn all_do_the_same(units: &[Unit]) {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = units.iter().map(|unit| scope.spawn(move || does_the_same(*unit))).collect();
        running.into_iter().flat_map(|unit| unit.join().expect("a unit")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn voltronic_does_the_same() {
    all_do_the_same(&[("voltronic", "P01"), ("voltronic", "P31"), ("voltronic", "P10")]);
}

#[test]
fn the_others_do_the_same() {
    all_do_the_same(&[("voltronic-qs", "PM-V"), ("voltronic-qs-hex", "PM-T"), ("mecer", ""), ("hunnox", "")]);
}

#[test]
fn the_rest_does_the_same() {
    all_do_the_same(&[("bestups", "FOR"), ("bestups", "AX1"), ("ablerex", "")]);
}

/// Differences from a newer driver of NUT (2.8.5 and later).
const LISTED_NEWEST: &[Listed] = &[
    ("newest-bounds", |_, line| {
        ["high: NUT '26.00'", "low: NUT '20.80'"]
            .iter()
            .any(|said| line == format!("battery.voltage.{said}, ours (nothing)"))
    }),
    ("newest-rounding", |(dialect, _), line| dialect == "masterguard" && line.starts_with("output.current")),
    ("newest-choice-of-voltages", |(dialect, _), line| {
        dialect == "masterguard" && line.contains(": Option: ")
    }),
    ("newest-raw-text", |_, line| {
        line == "ups.firmware: NUT 'V1.0    ', ours 'V1.0'"
            || line.starts_with("experimental.battery.voltage.negative: NUT '0")
    }),
    ("newest-axpert-warnings", |(dialect, _), line| {
        dialect == "voltronic-axpert" && (line.starts_with("ups.alarm: ") || line.starts_with("ups.status: "))
    }),
    ("newest-axpert-once", |(dialect, _), line| dialect == "voltronic-axpert" && line.starts_with("output.")),
    ("newest-axpert-flags", |(dialect, _), line| {
        let flags = ["battery.energysave: NUT (nothing)", "ups.beeper.status: NUT (nothing)"];
        dialect == "voltronic-axpert" && flags.iter().any(|flag| line.starts_with(flag))
    }),
    ("newest-axpert-setting", |(dialect, _), line| {
        dialect == "voltronic-axpert" && line.starts_with("upsrw: only NUT: ")
    }),
];

/// Neither bypass nor regulation: with these bits newer drivers of three-phase units crash.
fn states_that_newer_nut_survives() -> Vec<(&'static str, &'static [&'static str])> {
    let crashes = ["boost", "trim", "bypass", "warnings"];
    STATES.iter().filter(|(name, _)| !crashes.contains(name)).copied().collect()
}

#[test]
fn dialects_of_newer_nut_show_the_same() {
    if std::env::var_os(NEWEST).is_none() {
        println!("not run: {NEWEST} names no folder with a newer nutdrv_qx");
        return;
    }
    let units: [Unit; 9] = [
        ("masterguard", "A3000-19"),
        ("masterguard", "E60"),
        ("gtec", ""),
        ("q2", ""),
        ("q6", ""),
        ("innovart31", ""),
        ("innovatae", ""),
        ("omron", ""),
        ("voltronic-axpert", ""),
    ];
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = units
            .iter()
            .map(|unit| {
                let states = states_that_newer_nut_survives();
                scope.spawn(move || shows_the_same(Which::Newest, *unit, &states, LISTED_NEWEST))
            })
            .collect();
        running.into_iter().flat_map(|unit| unit.join().expect("a unit")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
