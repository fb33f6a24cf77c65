//! A machine in a temporary folder, healthy at first; each test breaks one thing.

mod inside;
mod lines;
mod ports;

use super::finding::{FindingKind, Report};
use super::system::System;
use super::*;
use driver::config::Paths;
use link::UsbOptions;
use simulator::end::SharedUps;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::task::{LocalSet, spawn_local};

struct Machine {
    folder: PathBuf,
    system: System,
}

impl Machine {
    /// A machine without a UPS: accounts, a driver that is ours, a state directory.
    fn new() -> Machine {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("qxups-doctor-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for name in ["proc", "dev/bus/usb/001", "etc", "rules", "nut", "run", "lib"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let system = System {
            proc: folder.join("proc"),
            dev: folder.join("dev"),
            etc: folder.join("etc"),
            rules: vec![folder.join("rules")],
            diversions: folder.join("diversions"),
            drivers: folder.join("lib"),
            nut: Paths {
                conf: folder.join("nut"),
                state: folder.join("run"),
                pid: folder.join("run"),
                lasting: folder.join("lasting"),
            },
        };
        let machine = Machine { folder, system };
        machine.write("lib/nutdrv_qx", "\x7fELF ... - nutdrv_qx, a drop-in for Network UPS Tools\0");
        // the driver's user owns what this test makes
        let meta = machine.folder.metadata().unwrap();
        machine.account(meta.uid(), meta.gid(), "");
        machine
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn account(&self, uid: u32, gid: u32, group_members: &str) {
        self.write(
            "etc/passwd",
            &format!("root:x:0:0:root:/root:/bin/sh\nnut:x:{uid}:{gid}::/:/bin/false\n"),
        );
        let own = self.folder.metadata().unwrap().gid();
        self.write("etc/group", &format!("dialout:x:{own}:{group_members}\n"));
    }

    /// The driver's user becomes somebody to whom nothing here belongs.
    fn foreign(&self) {
        self.account(54_321, 54_321, "");
    }

    fn section(&self, lines: &str) {
        self.write("nut/ups.conf", &format!("[u]\ndriver = nutdrv_qx\n{lines}\n"));
    }

    /// A process that has a file open.
    fn process(&self, pid: u32, name: &str, arguments: &[&str], open: Option<&Path>) {
        let folder = format!("proc/{pid}");
        std::fs::create_dir_all(self.folder.join(&folder).join("fd")).unwrap();
        self.write(&format!("{folder}/comm"), &format!("{name}\n"));
        self.write(&format!("{folder}/cmdline"), &(arguments.join("\0") + "\0"));
        if let Some(open) = open {
            let link = self.folder.join(&folder).join("fd/3");
            symlink(open.canonicalize().unwrap(), link).unwrap();
        }
    }

    /// A driver's socket that says this to whoever asks for everything.
    fn socket(&self, lines: &'static str) {
        let listener = UnixListener::bind(self.folder.join("run/nutdrv_qx-u")).unwrap();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut asked = String::new();
                let _ = BufReader::new(&stream).read_line(&mut asked);
                let _ = (&stream).write_all(if asked == "DUMPALL\n" { lines.as_bytes() } else { b"ERROR\n" });
            }
        });
    }

    /// A UPS that a driver watches, all well.
    fn watched(&self) {
        self.section("port = tcp://192.0.2.1:4001");
        self.process(70, "nutdrv_qx", &["/lib/nut/nutdrv_qx", "-a", "u"], None);
        self.write("run/nutdrv_qx-u.pid", "70\n");
    }

    async fn examine(&self, what: Option<&str>, try_cables: bool) -> Report {
        let doctor = Doctor { what: what.map(String::from), try_cables, json: false };
        doctor.examine(&self.system).await.unwrap()
    }

    fn report(&self) -> Report {
        run(self.examine(None, false))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// The only finding is this one, and says these words.
fn only(report: &Report, kind: FindingKind, words: &[&str]) {
    let text = report.text();
    assert_eq!(report.kinds(), [kind], "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

const FRESH: &str = "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n";

/// A UPS on a pseudo-terminal.
fn pretended(knobs: &[&str]) -> (SharedUps, PathBuf) {
    let ups =
        SimulatedUps::new(&qx::protocols::MEGATEC, Profile::default(), Trouble::new(1), Script::default());
    let shared = SharedUps::new(ups);
    let end = Pty::open(None).unwrap();
    let path = end.path().to_path_buf();
    knobs.iter().for_each(|knob| turn(&shared, knob));
    let served = shared.clone();
    spawn_local(async move { pty::run(&served, end).await });
    (shared, path)
}

fn turn(ups: &SharedUps, knob: &str) {
    let knob = Knob::parse(knob).unwrap();
    ups.with(|ups, now| ups.turn(knob, now));
}
