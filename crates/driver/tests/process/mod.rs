//! Processes: signals, what one uses, and a simulated UPS in one of its own, which can be stopped.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use testbed::nut::Which;

/// Names dialect, line and name of the UPS to a process that is to be one.
const BE: &str = "QXUPS_TEST_BE_UPS";
/// What the UPS says begins with this; the rest is the test harness.
const SAYS: &str = "ups: ";

pub fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// What a process uses.
#[derive(Clone, Debug)]
pub struct Usage {
    pub pid: i32,
    pub at: Instant,
    pub descriptors: usize,
    pub resident_kb: u64,
    pub worked: Duration,
    pub children: usize,
}

impl Usage {
    pub fn of(pid: i32) -> Usage {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let status = read("status");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let stat = read("stat");
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        // hundredths of a second, in user and in system mode
        let ticks = behind_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok());
        Usage {
            pid,
            at: Instant::now(),
            descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            resident_kb: resident.trim().trim_end_matches(" kB").trim().parse().unwrap(),
            worked: Duration::from_millis(10 * ticks.sum::<u64>()),
            children: read(&format!("task/{pid}/children")).split_whitespace().count(),
        }
    }
}

/// A simulated UPS in a process of its own.
pub struct SimUps {
    pub port: PathBuf,
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl SimUps {
    pub fn start(name: &str, protocol: &str, on_tcp: bool) -> SimUps {
        let line = if on_tcp { "tcp" } else { "terminal" };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::be_a_ups", "--nocapture", "--test-threads=1"])
            .env(BE, format!("{protocol} {line} {name}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut ups = SimUps { port: PathBuf::new(), child, orders, answers: BufReader::new(answers) };
        ups.port = ups.answer().into();
        ups
    }

    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the simulated UPS is gone");
            // the harness may have begun the line
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.trim_end().to_string();
            }
        }
    }

    pub fn turn(&mut self, knob: &str) {
        writeln!(self.orders, "{knob}").unwrap();
        assert_eq!(self.answer(), "ok", "{knob}");
    }

    /// What it heard since it was told to forget.
    pub fn heard(&mut self) -> Vec<String> {
        writeln!(self.orders, "heard").unwrap();
        let mut lines = vec![];
        loop {
            match self.answer() {
                line if line == "ok" => return lines,
                line => lines.push(line),
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        send(self.child.id() as i32, signal);
    }
}

impl Drop for SimUps {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.port);
        let _ = std::fs::remove_file(self.port.with_extension("control"));
    }
}

/// What other tests start as a process; it is none itself.
#[test]
fn be_a_ups() {
    let Ok(what) = std::env::var(BE) else { return };
    let [protocol, line, name] = what.split(' ').collect::<Vec<_>>()[..] else { panic!("{what}") };
    let start = if line == "tcp" { testbed::ups::SimUps::start_tcp } else { testbed::ups::SimUps::start };
    let ups = start(name, Which::Ours, protocol, &[]);
    println!("{SAYS}{}", ups.port.display());
    for order in std::io::stdin().lines() {
        match order.unwrap().as_str() {
            "heard" => ups.heard().iter().for_each(|line| println!("{SAYS}{line}")),
            "forget-heard" => ups.forget(),
            knob => ups.turn(knob),
        }
        println!("{SAYS}ok");
    }
}
