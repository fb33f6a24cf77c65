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
const QUESTIONS: [&str; 6] = ["Q1", "QS", "D", "F", "I", "FW?"];

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
    let questions = ups.heard().iter().filter(|line| QUESTIONS.contains(&line.as_str())).count();
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
}

fn row(name: &str, what: &str, nut: f64, ours: f64, places: usize, limit: &str) {
    println!("| {name} | {what} | {nut:.places$} | {ours:.places$} | {:.2} | {limit} |", ours / nut);
}
