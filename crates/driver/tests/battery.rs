//! What is learned of a battery outlives the driver.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use battery::{Bank, Chemistry, Estimator, PowerSource, Sample, UpsIdentity};
use station::memory::MemoryFile;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use testbed::nut;
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;

/// Names the folder for the process that is killed in the next test.
const WRITER: &str = "QXUPS_TEST_WRITER";

/// The texts that are written in turn: their lengths differ, and each ends as it began.
fn text(number: usize) -> String {
    format!("{number}\n{}{number}\n", "x".repeat(number % 7 * 500))
}

fn is_whole(text: &str) -> bool {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("?");
    text.ends_with('\n') && text.lines().last().is_some_and(|last| last.trim_start_matches('x') == first)
}

#[test]
fn the_file_is_whole_whenever_the_driver_is_killed() {
    if let Some(folder) = std::env::var_os(WRITER) {
        let memory = MemoryFile::of_battery(Path::new(&folder), "u").unwrap();
        let mut number = 0;
        loop {
            memory.write(&text(number)).unwrap();
            number += 1;
        }
    }
    let folder = std::env::temp_dir().join(format!("qxups-killed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let memory = MemoryFile::of_battery(&folder, "u").unwrap();
    let (mut seen, mut seed) = (vec![], 1_u64);
    for _ in 0..100 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_file_is_whole_whenever_the_driver_is_killed", "--nocapture"])
            .env(WRITER, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // moments of all kinds, the same in every run
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros(3_000 + seed % 40_000));
        writer.kill().unwrap();
        writer.wait().unwrap();
        if let Some(text) = memory.read() {
            assert!(is_whole(&text), "{text:?}");
            seen.push(text.len());
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 3, "it was killed while it wrote: {seen:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What a driver kept that saw a whole discharge of a quarter of an hour, long ago.
fn learned_before(unit: &UpsIdentity) -> String {
    let mut estimator = Estimator::new(Bank::new(12, Chemistry::LeadAcid));
    estimator.set_unit(unit);
    let mut at = Duration::ZERO;
    let mut course = |seconds: u64, source, volts: &dyn Fn(f64) -> f64| {
        for second in (0..seconds).step_by(10) {
            at += Duration::from_secs(10);
            let volts = volts(second as f64 / seconds as f64);
            estimator.take(Sample { at, volts, load_percent: 50.0, source, temperature_c: None });
        }
    };
    course(36_000, PowerSource::Mains, &|_| 27.2);
    course(600, PowerSource::Battery, &|used| 24.0 - 1.7 * used - 1.8 * used.powi(6));
    course(80_000, PowerSource::Mains, &|_| 27.2);
    estimator.memory().expect("a whole discharge teaches")
}

/// An outage that is over in a minute, because the simulated time runs; the driver is killed after it,
/// and the next one knows the battery.
#[test]
fn what_an_outage_taught_is_known_after_a_kill() {
    let ups = SimUps::start("learned", Which::Ours, "megatec", &["load 50"]);
    let mut station = NutStation::new("learned", Which::Ours);
    station.configure(&ups.port, "protocol = megatec");
    let file = MemoryFile::of_battery(&station.folder, "u").unwrap();
    // who it is, by its own words
    station.start_driver();
    station.start_upsd();
    let said = station.upsc();
    let model = said.get("device.model").expect("a model");
    let before = learned_before(&UpsIdentity::new([("device.model", model.as_str())]));
    let pid = station.pid().unwrap();
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    station.wait_for("the driver to be gone", || !nut::lives(pid));
    file.write(&before).unwrap();
    station.start_driver();
    station.wait_for("the driver again", || station.upsc_value("ups.status").starts_with("OL"));
    let value = |name: &str| station.upsc_value(name);
    let runtime: f64 = value("battery.runtime").parse().expect("it is known from before");
    assert!((300.0..=900.0).contains(&runtime), "{runtime}");
    ups.turn("speed 10");
    ups.turn("mains fail");
    station.wait_for("a low battery", || value("ups.status").contains("LB"));
    assert!(value("battery.charge").parse::<f64>().is_ok_and(|charge| charge < 100.0));
    ups.turn("mains back");
    ups.turn("speed 1");
    // who it is stands in the file at once; what the outage took, with what it taught
    assert!(before.contains("\nmissing 0.00\n"));
    station
        .wait_for("what was learned", || file.read().is_some_and(|text| !text.contains("\nmissing 0.00\n")));
    let pid = station.pid().unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    station.wait_for("the driver to be gone", || !nut::lives(pid));
    station.start_driver();
    station.wait_for("upsd to see it", || value("ups.status").starts_with("OL"));
    let charge: f64 = value("battery.charge").parse().unwrap();
    assert!(charge < 99.0, "mains is back, but it is not full: {charge}");
    assert!(value("battery.runtime").parse::<f64>().is_ok_and(|left| left < runtime));
}

/// The charge and the runtime that a client sees, and how long after the start.
fn figures(station: &NutStation) -> [Option<f64>; 2] {
    let listing = station.upsc();
    ["battery.charge", "battery.runtime"].map(|name| listing.get(name).map(|text| text.parse().unwrap()))
}

/// Who configured NUT's formulas gets NUT's figures: the same discharge and charge, read at the same moments.
#[test]
fn configured_figures_are_those_of_nut_through_an_outage() {
    for (round, options) in [
        "runtimecal = 120,100,300,50\nchargetime = 600\nidleload = 20",
        "runtimecal = 120,100,300,50\noverride.battery.packs = 1\ndefault.battery.voltage.low = 21\ndefault.battery.voltage.high = 25",
        "default.battery.voltage.low = 21\ndefault.battery.voltage.high = 25",
    ]
    .into_iter()
    .enumerate()
    {
        let pair = Which::BOTH.map(|which| {
            let name = format!("figures{round}");
            let ups = SimUps::start(&name, which, "megatec", &["load 60"]);
            let mut station = NutStation::new(&name, which);
            station.configure(&ups.port, &format!("protocol = megatec\npollfreq = 1\n{options}"));
            station.start_driver();
            station.start_upsd();
            (ups, station)
        });
        std::thread::sleep(Duration::from_secs(3));
        for knob in ["mains fail", "load 80", "mains back"] {
            pair.iter().for_each(|(ups, _)| ups.turn(knob));
            for _ in 0..4 {
                std::thread::sleep(Duration::from_secs(3));
                let [nut, ours] = [0, 1].map(|which: usize| figures(&pair[which].1));
                for (name, (nut, ours)) in ["charge", "runtime"].iter().zip(nut.into_iter().zip(ours)) {
                    // NUT counts whole seconds and polls when it can: a few seconds of the course apart
                    let near = match (nut, ours) {
                        (Some(nut), Some(ours)) => (nut - ours).abs() <= 5.0 + 0.05 * nut.max(ours),
                        (nut, ours) => nut == ours,
                    };
                    assert!(near, "{options}, {knob}: {name}: NUT {nut:?}, ours {ours:?}");
                }
            }
        }
    }
}

/// Files of a program to come cost nothing but what stands in them: the UPS is watched, and they are as they were.
#[test]
fn a_driver_runs_beside_memories_of_a_newer_program() {
    let ups = SimUps::start("newer", Which::Ours, "megatec", &["load 50"]);
    let mut station = NutStation::new("newer", Which::Ours);
    station.configure(&ups.port, "");
    let newer =
        [("battery", "qxups battery 3\n"), ("dialect", "qxups-dialect 2\n"), ("usb", "qxups-usb 2\n")].map(
            |(what, text)| {
                (station.folder.join(format!("qxups-{what}-u")), format!("{text}what is to come\n"))
            },
        );
    newer.iter().for_each(|(path, text)| std::fs::write(path, text).unwrap());
    station.start_driver();
    station.start_upsd();
    station.wait_for("mains", || station.upsc_value("ups.status").starts_with("OL"));
    ups.turn("speed 30");
    ups.turn("mains fail");
    station.wait_for("a low battery", || {
        let status = station.upsc_value("ups.status");
        status.contains("OB") && status.contains("LB")
    });
    for (path, text) in &newer {
        assert_eq!(&std::fs::read_to_string(path).unwrap(), text, "{}", path.display());
    }
}
