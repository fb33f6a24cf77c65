//! A driver that watches: what a poll costs, and how soon it tells.

use crate::process;
use crate::table::{Figures, Page};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Socket, Which};
use testbed::ups::SimUps;

/// Both drivers are watched side by side for so long, so often.
const WINDOW: Duration = Duration::from_secs(10);
const WINDOWS: usize = 5;
/// How often a command is sent and mains taken away.
const ROUNDS: u32 = 7;

struct Watched {
    which: Which,
    ups: SimUps,
    station: NutStation,
    socket: Socket,
    pid: i32,
}

impl Watched {
    /// A driver that polls each second, with one client as upsd is one.
    fn start(which: Which, knobs: &[&str]) -> Watched {
        let name = format!("watch-{}", knobs.len());
        let ups = SimUps::start(&name, which, "megatec", knobs);
        let station = NutStation::new(&name, which);
        station.configure(&ups.port, "protocol = megatec");
        station.start_driver();
        let mut socket = station.socket();
        socket.send("DUMPALL\n");
        socket.lines_until("DUMPDONE");
        let pid = station.pid().unwrap();
        Watched { which, ups, station, socket, pid }
    }

    fn both(knobs: &[&str]) -> [Watched; 2] {
        Which::BOTH.map(|which| Watched::start(which, knobs))
    }

    /// Waits until the UPS hears this.
    fn wait_heard(&self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.ups.heard().iter().any(|line| line == wanted) {
            assert!(Instant::now() < deadline, "{:?}: waited in vain for {wanted}", self.which);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for a line of the driver socket.
    fn wait_told(&mut self, wanted: &str) {
        while !self.socket.line().contains(wanted) {}
    }
}

/// What a window shows: processor time and wake-ups per poll, wake-ups per second, length of a cycle.
fn window(watched: &[Watched; 2]) -> [[f64; 4]; 2] {
    let counters = |w: &Watched| (process::cpu_ns(w.pid), process::sleeps(w.pid));
    watched.iter().for_each(|w| w.ups.forget());
    let before = watched.each_ref().map(counters);
    std::thread::sleep(WINDOW);
    let after = watched.each_ref().map(counters);
    let polls = watched.each_ref().map(|w| w.ups.heard().len().max(1) as f64);
    [0, 1].map(|at| {
        let (cpu, sleeps) = ((after[at].0 - before[at].0) as f64, (after[at].1 - before[at].1) as f64);
        let seconds = WINDOW.as_secs_f64();
        [cpu / 1000.0 / polls[at], sleeps / polls[at], sleeps / seconds, seconds / polls[at]]
    })
}

fn cost(page: &mut Page) {
    let mut watched = Watched::both(&[]);
    page.table(
        "What a poll costs",
        "Both at once on a simulated UPS that answers after 10 ms, each polling every second (`megatec`: one \
         question), one client on the driver socket. Wake-ups are voluntary context switches.",
    );
    let windows: Vec<_> = (0..WINDOWS).map(|_| window(&watched)).collect();
    let figures = |of: usize, what: usize| Figures(windows.iter().map(|window| window[of][what]).collect());
    for (what, (name, places)) in
        [("processor time, µs a poll", 0), ("wake-ups a poll", 1), ("wake-ups a second", 1), ("cycle, s", 2)]
            .into_iter()
            .enumerate()
    {
        page.row(name, &figures(0, what), &figures(1, what), places);
    }
    let calls = watched.each_ref().map(|w| {
        w.ups.forget();
        let calls = process::system_calls(w.pid, WINDOW);
        let polls = w.ups.heard().len().max(1) as f64;
        Figures(calls.into_iter().map(|calls| calls as f64 / polls).collect())
    });
    page.row("system calls a poll (strace)", &calls[0], &calls[1], 1);
    page.table("Memory and size, in kB", "Of the same drivers, after these polls.");
    for (name, lines) in [
        ("resident", ["Rss:"].as_slice()),
        ("resident, shared pages counted by their part", &["Pss:"]),
        ("anonymous: what no other process can share", &["Anonymous:"]),
    ] {
        let kb = |w: &Watched| lines.iter().map(|line| process::memory_kb(w.pid, line) as f64).sum();
        let [nut, ours] = watched.each_ref().map(|w| Figures(vec![kb(w)]));
        page.row(name, &nut, &ours, 0);
    }
    let [nut, ours] = watched.each_ref().map(|w| process::size_kb(&w.station.driver()));
    page.row("program", &Figures(vec![nut.0]), &Figures(vec![ours.0]), 0);
    page.row("program and its libraries", &Figures(vec![nut.1]), &Figures(vec![ours.1]), 0);
    if let Some((program, resident, anonymous)) = linked_statically() {
        page.row("ours linked statically: resident", &Figures::default(), &Figures(vec![resident]), 0);
        page.row("the same: anonymous", &Figures::default(), &Figures(vec![anonymous]), 0);
        page.row("the same: program", &Figures::default(), &Figures(vec![program]), 0);
    }
    watched.iter_mut().for_each(|w| w.socket.send("LOGOUT\n"));
}

/// Size, resident and anonymous memory of our driver when it is linked statically, where that can be built.
fn linked_statically() -> Option<(f64, f64, f64)> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("static");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "driver", "--bin", "nutdrv_qx"])
        .args(["--target", &target, "--target-dir"])
        .arg(&folder)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return None;
    }
    let program = folder.join(target).join("release/nutdrv_qx");
    let ups = SimUps::start("static", Which::Ours, "megatec", &[]);
    let station = NutStation::new("static", Which::Ours);
    station.configure(&ups.port, "protocol = megatec");
    assert_eq!(station.run(&program, &["-a", "u"]).code, Some(0));
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    socket.lines_until("DUMPDONE");
    std::thread::sleep(WINDOW);
    let pid = station.pid().unwrap();
    let kb = |name| process::memory_kb(pid, name) as f64;
    Some((process::size_kb(&program).0, kb("Rss:"), kb("Anonymous:")))
}

/// One after the other, so that each is timed by itself.
fn alternating(
    watched: &mut [Watched; 2],
    rounds: u32,
    mut measure: impl FnMut(&mut Watched, u32) -> Duration,
) -> [Figures; 2] {
    let mut figures = [Figures::default(), Figures::default()];
    for round in 0..rounds {
        for (w, figures) in watched.iter_mut().zip(&mut figures) {
            figures.0.push(measure(w, round).as_secs_f64() * 1000.0);
        }
    }
    figures
}

/// Milliseconds from a command, sent while a poll is under way, to the UPS that has it.
fn command(w: &mut Watched, _round: u32) -> Duration {
    w.ups.forget();
    w.wait_heard("Q1");
    let sent = Instant::now();
    w.socket.send("INSTCMD beeper.toggle\n");
    // the toggle of the beeper is the letter alone
    w.wait_heard("Q");
    sent.elapsed()
}

/// Milliseconds from mains that goes to the line that says so, at other places between two polls.
fn outage(w: &mut Watched, round: u32) -> Duration {
    w.ups.forget();
    w.wait_heard("Q1");
    std::thread::sleep(Duration::from_millis(u64::from(round * 140)));
    w.ups.turn("mains fail");
    let gone = Instant::now();
    w.wait_told("SETINFO ups.status \"OB");
    let took = gone.elapsed();
    w.ups.turn("mains back");
    w.wait_told("SETINFO ups.status \"OL");
    took
}

pub fn measure(page: &mut Page) {
    cost(page);
    let mut watched = Watched::both(&["baud 2400", "latency 0"]);
    page.table(
        "How soon, in ms",
        "On a line of 2400 baud, where a poll takes 208 ms and cannot take less; a poll each second.",
    );
    let [nut, ours] = alternating(&mut watched, ROUNDS, command);
    page.row("a command sent during a poll, until the UPS has it", &nut, &ours, 0);
    let [nut, ours] = alternating(&mut watched, ROUNDS, outage);
    page.row("an outage, until clients are told", &nut, &ours, 0);
}
