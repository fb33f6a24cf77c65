//! NUT's drivers and ours at `-k`, on lines that are as bad as they come: how many loads go off. Ours is
//! never worse. `QXUPS_TRIALS=40` tries each line as often, and prints the table.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use simulator::trouble::Trouble;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which};

const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";
const PENDING: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010\r";

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Well,
    /// Each byte, in both directions, is hurt with this probability.
    Noise(f64),
    /// In the middle of each reply nothing comes for so long.
    Gap(u64),
    /// Each reply comes so late.
    Delay(u64),
    /// Replies are rubbish.
    Garbage,
    /// A byte of each reply is lost.
    LostByte,
    /// Everything comes back.
    Echo,
    /// Each reply is that of the question before.
    Behind,
    /// The port is not there for the first seconds.
    Blink(u64),
}

const LINES: [Line; 11] = [
    Line::Well,
    Line::Noise(0.1),
    Line::Noise(0.2),
    Line::Gap(800),
    Line::Delay(700),
    Line::Delay(950),
    Line::Garbage,
    Line::LostByte,
    Line::Echo,
    Line::Behind,
    Line::Blink(3),
];

/// A UPS on such a line, in a thread.
struct SimUps {
    port: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<bool>>,
}

impl SimUps {
    fn start(name: &str, line: Line, seed: u64) -> SimUps {
        let port = std::env::temp_dir().join(format!("qxups-kill-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&port);
        let over = Arc::new(AtomicBool::new(false));
        let mut master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname_r(&master).unwrap();
        let noctty = OFlag::O_NOCTTY.bits();
        let slave: File = OpenOptions::new().read(true).write(true).custom_flags(noctty).open(&path).unwrap();
        let mut modes = tcgetattr(&slave).unwrap();
        cfmakeraw(&mut modes);
        tcsetattr(&slave, SetArg::TCSANOW, &modes).unwrap();
        let away =
            if let Line::Blink(seconds) = line { Duration::from_secs(seconds) } else { Duration::ZERO };
        if away.is_zero() {
            symlink(&path, &port).unwrap();
        }
        let (told, link) = (over.clone(), port.clone());
        let thread = std::thread::spawn(move || {
            let _slave = slave;
            let began = Instant::now();
            let mut unit = Unit::new(line, seed);
            let mut is_away = !away.is_zero();
            while !told.load(Ordering::Relaxed) {
                if is_away && began.elapsed() >= away {
                    symlink(&path, &link).unwrap();
                    is_away = false;
                }
                let mut polled = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
                if poll(&mut polled, PollTimeout::from(5u8)) == Ok(1) {
                    let mut buffer = [0; 256];
                    let read = master.read(&mut buffer).unwrap_or(0);
                    unit.hear(&buffer[..read], began.elapsed());
                }
                while let Some(bytes) = unit.say(began.elapsed()) {
                    master.write_all(&bytes).unwrap();
                }
            }
            let _ = std::fs::remove_file(&link);
            unit.ordered
        });
        SimUps { port, over, thread: Some(thread) }
    }

    /// Whether the load will go off.
    fn ordered(mut self) -> bool {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

struct Unit {
    line: Line,
    trouble: Trouble,
    input: Vec<u8>,
    output: VecDeque<(Duration, Vec<u8>)>,
    behind: Vec<u8>,
    rubbish: u64,
    ordered: bool,
}

impl Unit {
    fn new(line: Line, seed: u64) -> Unit {
        let mut trouble = Trouble::new(seed);
        if let Line::Noise(noise) = line {
            trouble.noise = noise;
        }
        let (input, behind, output) = (vec![], vec![], VecDeque::new());
        Unit { line, trouble, input, output, behind, rubbish: seed, ordered: false }
    }

    fn hear(&mut self, bytes: &[u8], now: Duration) {
        if self.line == Line::Echo {
            self.output.push_back((now, bytes.to_vec()));
        }
        for byte in self.trouble.scramble(bytes) {
            if byte != b'\r' {
                self.input.push(byte);
                continue;
            }
            let asked = std::mem::take(&mut self.input);
            let reply = self.reply(&asked);
            let reply =
                if self.line == Line::Behind { std::mem::replace(&mut self.behind, reply) } else { reply };
            if !reply.is_empty() {
                self.send(reply, now);
            }
        }
    }

    fn reply(&mut self, asked: &[u8]) -> Vec<u8> {
        let is_order = asked.len() == 8 && asked.starts_with(b"S") && asked[3] == b'R';
        match asked {
            b"Q1" if self.ordered => PENDING.to_vec(),
            b"Q1" => STATUS.to_vec(),
            b"F" => b"#230.0 003 024.0 50.0\r".to_vec(),
            b"I" => b"#MUSTEK          PM 636     V1.2      \r".to_vec(),
            b"C" => {
                self.ordered = false;
                vec![]
            }
            _ if is_order => {
                self.ordered = true;
                vec![]
            }
            other => [other, b"\r"].concat(),
        }
    }

    fn send(&mut self, mut reply: Vec<u8>, now: Duration) {
        let ms = Duration::from_millis;
        let mut due = now + ms(20);
        match self.line {
            Line::Garbage => {
                for byte in &mut reply {
                    self.rubbish = self.rubbish.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                    *byte = (self.rubbish >> 40) as u8 | 1;
                }
                reply.push(b'\r');
            }
            Line::LostByte => {
                self.rubbish += 7;
                let at = self.rubbish as usize % reply.len();
                reply.remove(at);
            }
            Line::Delay(delay) => due = now + ms(delay),
            Line::Gap(gap) => {
                let half = reply.split_off(reply.len() / 2);
                self.output.push_back((due, reply));
                self.output.push_back((due + ms(gap), half));
                return;
            }
            _ => {}
        }
        let reply = self.trouble.scramble(&reply);
        self.output.push_back((due, reply));
    }

    fn say(&mut self, now: Duration) -> Option<Vec<u8>> {
        let is_due = self.output.front().is_some_and(|(due, _)| *due <= now);
        is_due.then(|| self.output.pop_front()).flatten().map(|(_, bytes)| bytes)
    }
}

/// Whether the load goes off, and the exit code.
fn kill(program: &'static str, line: Line, which: Which, seed: u64) -> (bool, Option<i32>) {
    let name = format!("{program}-{line:?}-{seed}").replace(['(', ')', '.'], "-");
    let ups = SimUps::start(&format!("{name}-{which:?}"), line, seed);
    let station = NutStation::of(program, &name, which);
    station.configure(&ups.port, "protocol = megatec");
    let said = station.run_driver(&["-a", "u", "-k"]);
    (ups.ordered(), said.code)
}

fn trials() -> (u64, bool) {
    match std::env::var("QXUPS_TRIALS").ok().and_then(|text| text.parse().ok()) {
        Some(trials) => (trials, true),
        None => (2, false),
    }
}

/// How many loads go off, by NUT's driver and by ours.
fn compare(program: &'static str) {
    let (trials, many) = trials();
    // all at once: most of the time they wait
    let rows = std::thread::scope(|scope| {
        let begin = |line: Line, which: Which| -> Vec<_> {
            (1..=trials).map(|seed| scope.spawn(move || kill(program, line, which, seed))).collect()
        };
        let running: Vec<_> =
            LINES.iter().map(|line| (*line, begin(*line, Which::Nut), begin(*line, Which::Ours))).collect();
        let end = |all: Vec<std::thread::ScopedJoinHandle<'_, _>>| -> Vec<(bool, Option<i32>)> {
            all.into_iter().map(|one| one.join().unwrap()).collect()
        };
        running.into_iter().map(|(line, nut, ours)| (line, end(nut), end(ours))).collect::<Vec<_>>()
    });
    let count = |all: &[(bool, Option<i32>)]| all.iter().filter(|(off, _)| *off).count() as u64;
    let table: Vec<_> = rows
        .iter()
        .map(|(line, nut, ours)| format!("{line:?}: NUT {}, ours {}", count(nut), count(ours)))
        .collect();
    println!("{program}, of {trials}:\n{}", table.join("\n"));
    for (line, nut, ours) in &rows {
        // of few trials, one more or less is chance
        let chance = u64::from(!many && matches!(line, Line::Noise(_)));
        assert!(count(ours) + chance >= count(nut), "{program}: {table:#?}");
        if !matches!(line, Line::Noise(_)) {
            assert_eq!(count(ours), trials, "{program}: {line:?}: {ours:?}");
        }
        // that all is well is said of no load that stays on
        assert!(ours.iter().all(|(off, code)| *off || *code != Some(0)), "{program}: {line:?}: {ours:?}");
    }
}

#[test]
fn as_blazer_ser_ours_is_never_worse() {
    compare("blazer_ser");
}

#[test]
fn as_nutdrv_qx_ours_is_never_worse() {
    compare("nutdrv_qx");
}
