//! Start, detection, memory and work per poll, ours beside NUT's in the same run, as ratios, with
//! the limit of the wire beside them: `cargo bench -p driver`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/nut/mod.rs"]
mod nut;
#[path = "../tests/ups/mod.rs"]
mod ups;

use nut::{Station, Which};
use std::time::{Duration, Instant};
use ups::Ups;

/// Polls are watched for so long.
const WATCH: Duration = Duration::from_secs(20);

struct Case {
    name: &'static str,
    protocol: &'static str,
    knobs: &'static [&'static str],
    options: &'static str,
    /// Bytes that have to cross a line of 2400 baud for the questions that identify the UPS.
    wire_bytes: u32,
}

const STATUS: u32 = 3 + 47;
const RATING: u32 = 2 + 22;
const VENDOR: u32 = 2 + 39;

const CASES: [Case; 5] = [
    Case {
        name: "Megatec, silent on what it does not know",
        protocol: "megatec",
        knobs: &[],
        options: "",
        wire_bytes: 0,
    },
    Case { name: "only Q1, silent", protocol: "q1", knobs: &[], options: "", wire_bytes: 0 },
    Case {
        name: "Megatec, echoes what it does not know",
        protocol: "megatec",
        knobs: &["unknown echo"],
        options: "",
        wire_bytes: 0,
    },
    Case {
        name: "protocol = megatec",
        protocol: "megatec",
        knobs: &[],
        options: "protocol = megatec",
        wire_bytes: 0,
    },
    Case {
        name: "Megatec at 2400 baud, echoes",
        protocol: "megatec",
        knobs: &["unknown echo", "baud 2400", "latency 0"],
        options: "",
        wire_bytes: STATUS + RATING + VENDOR + 2 * (3 + 3),
    },
];

#[derive(Clone, Debug)]
struct Measured {
    ready: Duration,
    questions: usize,
    resident_kb: u64,
    cpu_per_poll_us: f64,
    polls: usize,
}

fn measure(which: Which, case: &Case) -> Measured {
    let name: String = case.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let ups = Ups::start(&name, which, case.protocol, case.knobs);
    let station = Station::new(&name, which);
    station.configure(&ups.port, case.options);
    let began = Instant::now();
    station.start_driver();
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    let dump = socket.lines_until("DUMPDONE");
    let ready = began.elapsed();
    assert!(dump.iter().any(|line| line.starts_with("SETINFO ups.status")));
    let questions = ups.heard().len();
    let pid = station.pid().unwrap();
    let watched = if case.wire_bytes == 0 && case.options.is_empty() && case.protocol == "megatec" {
        WATCH
    } else {
        Duration::ZERO
    };
    ups.forget();
    let before = cpu_ns(pid);
    std::thread::sleep(watched);
    let polls = ups.heard().len();
    let cpu_per_poll_us = (cpu_ns(pid) - before) as f64 / 1000.0 / polls.max(1) as f64;
    Measured { ready, questions, resident_kb: status_kb(pid, "VmRSS:"), cpu_per_poll_us, polls }
}

/// Time that a process spent on a processor.
fn cpu_ns(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn status_kb(pid: i32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn main() {
    println!("NUT is Debian's nutdrv_qx; ratios are ours to NUT's, less is better.\n");
    println!("| UPS | | NUT | ours | ratio | wire limit |\n|---|---|---|---|---|---|");
    for case in &CASES {
        let (nut, ours) = std::thread::scope(|scope| {
            let nut = scope.spawn(|| measure(Which::Nut, case));
            let ours = measure(Which::Ours, case);
            (nut.join().unwrap(), ours)
        });
        let limit = f64::from(case.wire_bytes) * 10.0 / 2400.0;
        let limit = if limit > 0.0 { format!("{limit:.2} s") } else { String::new() };
        let seconds = |m: &Measured| m.ready.as_secs_f64();
        row(case.name, "start to complete data, s", seconds(&nut), seconds(&ours), 2, &limit);
        row("", "questions", nut.questions as f64, ours.questions as f64, 0, "");
        row("", "resident, kB", nut.resident_kb as f64, ours.resident_kb as f64, 0, "");
        if nut.polls > 3 && ours.polls > 3 {
            row("", "processor time per poll, µs", nut.cpu_per_poll_us, ours.cpu_per_poll_us, 0, "");
        }
    }
    find_all();
}

/// Dialects that are found without being named, and those of them that Debian's driver knows.
const FOUND: [(&str, bool); 16] = [
    ("voltronic", true),
    ("voltronic-axpert", false),
    ("voltronic-qs", true),
    ("voltronic-qs-hex", true),
    ("mustek", true),
    ("megatec/old", true),
    ("bestups", true),
    ("mecer", true),
    ("megatec", true),
    ("zinto", true),
    ("masterguard", false),
    ("innovart31", false),
    ("q2", false),
    ("q6", false),
    ("gtec", false),
    ("q1", true),
];

/// Until all data of a unit of this dialect is there; it answers nothing that it does not know.
fn find(which: Which, protocol: &str) -> (Duration, usize) {
    let name = format!("find-{}", protocol.replace('/', ""));
    let ups = Ups::start(&name, which, protocol, &[]);
    let station = Station::new(&name, which);
    station.configure(&ups.port, "");
    let began = Instant::now();
    station.start_driver();
    (began.elapsed(), ups.heard().len())
}

fn find_all() {
    println!(
        "\n| dialect, found | NUT, s | ours, s | ratio | NUT asked | ours asked |\n|---|---|---|---|---|---|"
    );
    let found: Vec<_> = std::thread::scope(|scope| {
        let both = FOUND.map(|(protocol, by_nut)| {
            let nut = by_nut.then(|| scope.spawn(move || find(Which::Nut, protocol)));
            (protocol, nut, scope.spawn(move || find(Which::Ours, protocol)))
        });
        both.into_iter()
            .map(|(protocol, nut, ours)| (protocol, nut.map(|nut| nut.join().unwrap()), ours.join().unwrap()))
            .collect()
    });
    for (protocol, nut, (time, asked)) in found {
        let time = time.as_secs_f64();
        match nut {
            Some((by_nut, asked_by_nut)) => {
                let by_nut = by_nut.as_secs_f64();
                println!(
                    "| {protocol} | {by_nut:.1} | {time:.2} | {:.2} | {asked_by_nut} | {asked} |",
                    time / by_nut
                );
            }
            None => println!("| {protocol} | not found | {time:.2} | | | {asked} |"),
        }
    }
}

fn row(name: &str, what: &str, nut: f64, ours: f64, places: usize, limit: &str) {
    println!("| {name} | {what} | {nut:.places$} | {ours:.places$} | {:.2} | {limit} |", ours / nut);
}
