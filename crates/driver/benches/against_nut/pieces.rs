//! What a poll costs when the reply comes in pieces, as it does from a UART at 2400 baud; what a long `ups.conf`
//! costs; and how soon data is there on a loaded host.

use crate::process;
use crate::start::start;
use crate::table::{Figures, Page};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which};

/// So many bytes at once: as they come, by a UART's FIFO of 16 set to 8 and to 14, and the whole reply.
const PIECES: [(usize, &str); 4] =
    [(1, "byte by byte"), (8, "pieces of 8"), (14, "pieces of 14"), (64, "in one piece")];
/// Ten bits go for a byte.
const BYTE: Duration = Duration::from_micros(10_000_000 / 2400);
/// Time before it answers.
const LATENCY: Duration = Duration::from_millis(10);
/// After so long a line is known to be well: sixteen replies and some.
const UNTIL_WELL: Duration = Duration::from_secs(25);
const WINDOW: Duration = Duration::from_secs(20);
const WINDOWS: usize = 3;
/// Sections in a long `ups.conf`.
const SECTIONS: usize = 300;
/// Starts on a loaded host.
const STARTS: usize = 3;

/// A megatec that says its replies piece by piece, and how often it was asked.
struct Piecewise {
    _slave: OwnedFd,
    asked: Arc<AtomicUsize>,
    _station: NutStation,
    pid: i32,
}

fn reply(question: &[u8]) -> &'static [u8] {
    match question {
        b"Q1\r" => b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r",
        b"F\r" => b"#230.0 003 24.00 50.0\r",
        b"I\r" => b"#QXUPS           SIM-1000   1.0       \r",
        _ => b"",
    }
}

fn serve(mut end: File, piece: usize, asked: &AtomicUsize) {
    let (mut question, mut byte) = (vec![], [0]);
    while end.read_exact(&mut byte).is_ok() {
        question.push(byte[0]);
        if byte[0] != b'\r' {
            continue;
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let mut due = Instant::now() + LATENCY;
        for piece in reply(&question).chunks(piece) {
            due += BYTE * piece.len() as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if end.write_all(piece).is_err() {
                return;
            }
        }
        question.clear();
    }
}

impl Piecewise {
    fn start(which: Which, piece: usize, others: &str) -> Piecewise {
        let ends = nix::pty::openpty(None, None).unwrap();
        let mut modes = nix::sys::termios::tcgetattr(&ends.slave).unwrap();
        nix::sys::termios::cfmakeraw(&mut modes);
        nix::sys::termios::tcsetattr(&ends.slave, nix::sys::termios::SetArg::TCSANOW, &modes).unwrap();
        let port = nix::unistd::ttyname(&ends.slave).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (end, count) = (File::from(ends.master), asked.clone());
        std::thread::spawn(move || serve(end, piece, &count));
        let station = NutStation::new(&format!("pieces-{piece}-{}", others.len()), which);
        station.configure(&port, &format!("protocol = megatec\n{others}"));
        station.start_driver();
        let pid = station.pid().unwrap();
        Piecewise { _slave: ends.slave, asked, _station: station, pid }
    }

    fn counters(&self) -> [f64; 3] {
        let asked = self.asked.load(Ordering::Relaxed);
        [process::cpu_ns(self.pid) as f64 / 1000.0, process::sleeps(self.pid) as f64, asked as f64]
    }

    /// System calls a poll.
    fn calls(&self) -> Figures {
        let before = self.asked.load(Ordering::Relaxed);
        let calls = process::system_calls(self.pid, WINDOW / 2);
        let polls = (self.asked.load(Ordering::Relaxed) - before).max(1);
        Figures(calls.into_iter().map(|calls| calls as f64 / polls as f64).collect())
    }
}

pub fn measure(page: &mut Page) {
    page.table(
        "What a poll costs when the reply comes in pieces",
        "The same UPS at 2400 baud, both at once, after the line was well for 25 s. Processor time in µs, wake-ups \
         and system calls, of one poll.",
    );
    let watched = PIECES.map(|(piece, _)| Which::BOTH.map(|which| Piecewise::start(which, piece, "")));
    std::thread::sleep(UNTIL_WELL);
    let mut figures = PIECES.map(|_| [(); 2].map(|()| [Figures::default(), Figures::default()]));
    for _ in 0..WINDOWS {
        let counters = || watched.each_ref().map(|both| both.each_ref().map(Piecewise::counters));
        let before = counters();
        std::thread::sleep(WINDOW);
        let after = counters();
        for (piece, both) in figures.iter_mut().enumerate() {
            for (which, figures) in both.iter_mut().enumerate() {
                let [cpu, sleeps, polls] =
                    [0, 1, 2].map(|at| after[piece][which][at] - before[piece][which][at]);
                figures[0].0.push(cpu / polls.max(1.0));
                figures[1].0.push(sleeps / polls.max(1.0));
            }
        }
    }
    for (((_, name), [nut, ours]), watched) in PIECES.iter().zip(&figures).zip(&watched) {
        page.row(&format!("{name}: processor time"), &nut[0], &ours[0], 0);
        page.row(&format!("{name}: wake-ups"), &nut[1], &ours[1], 1);
        let [nut, ours] = watched.each_ref().map(Piecewise::calls);
        page.row(&format!("{name}: system calls"), &nut, &ours, 1);
    }
    drop(watched);
    long_configuration(page);
    loaded_host(page);
}

fn long_configuration(page: &mut Page) {
    page.table(
        "Memory with 300 sections in ups.conf, in kB",
        "Of the driver of one of them, in the background, after 20 s of polls.",
    );
    let others: String = (0..SECTIONS)
        .map(|n| {
            format!("[ups{n}]\ndriver = nutdrv_qx\nport = /dev/ttyS{n}\ndesc = \"number {n}\"\nondelay = 3\n")
        })
        .collect();
    let both = Which::BOTH.map(|which| Piecewise::start(which, 64, &others));
    std::thread::sleep(WINDOW);
    for (name, line) in [("resident", "Rss:"), ("anonymous: what no other process can share", "Anonymous:")] {
        let [nut, ours] = both.each_ref().map(|one| Figures(vec![process::memory_kb(one.pid, line) as f64]));
        page.row(name, &nut, &ours, 0);
    }
}

/// Programs that keep all processors busy, twice over, as long as it lives.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Load {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let busy = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Load((0..2 * processors).map(|_| busy()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for busy in &mut self.0 {
            let _ = busy.kill();
            let _ = busy.wait();
        }
    }
}

fn loaded_host(page: &mut Page) {
    page.table(
        "From start to all data on a loaded host, in seconds",
        "On a line of 2400 baud, the dialect named, while two busy programs wait for each processor.",
    );
    let _load = Load::start();
    for protocol in ["megatec", "voltronic-qs", "voltronic"] {
        let [mut nut, mut ours] = [Figures::default(), Figures::default()];
        for _ in 0..STARTS {
            for (which, figures) in [(Which::Nut, &mut nut), (Which::Ours, &mut ours)] {
                let (time, _) = start(which, protocol, &format!("protocol = {protocol}"), &["baud 2400"]);
                figures.0.push(time);
            }
        }
        page.row(protocol, &nut, &ours, 2);
    }
}
