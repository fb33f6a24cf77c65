//! A UPS that the program `qxups` simulates, with a folder of its own.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tests of one process run beside each other.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// `qxups sim`, as a user runs it; its folder goes with it.
pub struct Sim {
    /// A folder for what belongs to the test.
    pub folder: PathBuf,
    /// The port where it answers.
    pub port: String,
    child: Child,
}

impl Sim {
    /// Runs the program `qxups` with these arguments of `sim`.
    pub fn start(qxups: &str, arguments: &[&str]) -> Sim {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("qxups-tool-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(qxups)
            .args(["sim", "--end", "100", "--control", folder.join("control").to_str().unwrap()])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Sim { folder, port: port.trim().into(), child }
    }

    /// What it says to a line of its control socket.
    pub fn control(&self, line: &str) -> Vec<String> {
        let mut stream = UnixStream::connect(self.folder.join("control")).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.take_while(|line| line != "ok").collect()
    }

    /// The lines it heard from drivers.
    pub fn heard(&self) -> Vec<String> {
        self.control("heard")
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Bytes that a program printed, as a text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file as a text.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
