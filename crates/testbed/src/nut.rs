//! A station: a folder of its own with NUT's configuration, upsd, and one of the two drivers.

use nix::fcntl::{Flock, FlockArg};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Debian keeps NUT's programs here.
const NUT: &str = "/lib/nut";
/// The driver that was built with these tests, unless this names the folder of another build.
const OTHER_BUILD: &str = "QXUPS_DRIVERS";

/// Names the folder of a newer nutdrv_qx.
pub const NEWEST: &str = "QXUPS_NEWEST_NUT";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Nut,
    Ours,
    /// A driver of newer NUT that was built on this machine: its folder is in `QXUPS_NEWEST_NUT`.
    Newest,
}

impl Which {
    pub const BOTH: [Which; 2] = [Which::Nut, Which::Ours];

    pub fn folder(self) -> PathBuf {
        match self {
            Which::Nut => NUT.into(),
            Which::Newest => std::env::var_os(NEWEST).expect("QXUPS_NEWEST_NUT").into(),
            Which::Ours => match std::env::var_os(OTHER_BUILD) {
                Some(folder) => folder.into(),
                None => programs(),
            },
        }
    }
}

/// Where Cargo puts the programs of the package whose test or benchmark this is: above its own folder, `deps`.
fn programs() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.parent().and_then(Path::parent).expect("a folder above the test's own").into()
}

/// The same done with NUT's driver and with ours, at once: what came of it.
pub fn both<T: Send>(run: impl Fn(Which) -> T + Sync) -> (T, T) {
    std::thread::scope(|scope| {
        let nut = scope.spawn(|| run(Which::Nut));
        let ours = run(Which::Ours);
        (nut.join().expect("NUT's driver"), ours)
    })
}

/// Ports are tried from here on, each once, below those that the system hands out to others: two
/// stations that got the same one would look at each other's UPS.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A TCP port that no other test is given.
fn free_port() -> u16 {
    let first = 10_000 + (std::process::id() % 90) as u16 * 100;
    loop {
        let port = first + NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Whether a process runs; a zombie does not.
pub fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// What a program printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub struct NutStation {
    pub which: Which,
    /// The driver of NUT that is meant.
    pub program: &'static str,
    pub folder: PathBuf,
    pub port: u16,
    upsd: Option<Child>,
    upsmon: Option<Child>,
    _alone: Option<Flock<File>>,
}

impl NutStation {
    /// A station for another driver than nutdrv_qx.
    pub fn of(program: &'static str, name: &str, which: Which) -> NutStation {
        let mut station = NutStation::new(name, which);
        station.program = program;
        station
    }

    pub fn new(name: &str, which: Which) -> NutStation {
        assert!(
            Path::new("/lib/nut/upsd").exists(),
            "these tests need NUT: apt-get install nut-server nut-client"
        );
        let folder = std::env::temp_dir().join(format!("qxups-{}-{name}-{which:?}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("run")).unwrap();
        let port = free_port();
        let station =
            NutStation { which, program: "nutdrv_qx", folder, port, upsd: None, upsmon: None, _alone: None };
        station.write("upsd.conf", &format!("LISTEN 127.0.0.1 {port}\n"));
        station.write(
            "upsd.users",
            "[admin]\npassword = secret\nactions = SET\nactions = FSD\ninstcmds = ALL\nupsmon primary\n",
        );
        station
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    /// Writes ups.conf with one UPS `u` on `port` and these further lines.
    pub fn configure(&self, port: &Path, options: &str) {
        let driverpath = self.which.folder();
        let text = format!(
            "maxretry = 1\ndriverpath = {}\nuser = root\npollinterval = 1\n[u]\ndriver = {}\nport = {}\n{options}\n",
            driverpath.display(),
            self.program,
            port.display(),
        );
        self.write("ups.conf", &text);
    }

    pub fn run_folder(&self) -> PathBuf {
        self.folder.join("run")
    }

    pub fn driver(&self) -> PathBuf {
        self.which.folder().join(self.program)
    }

    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("NUT_CONFPATH", &self.folder)
            .env("NUT_STATEPATH", self.run_folder())
            .env("NUT_ALTPIDPATH", self.run_folder())
            .env("NUT_PIDPATH", self.run_folder())
            .env("QXUPS_VARPATH", &self.folder)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> ProgramOutput {
        let output = self.command(program, arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        ProgramOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn run_driver(&self, arguments: &[&str]) -> ProgramOutput {
        self.run(self.driver(), arguments)
    }

    /// Starts the driver in the background; it must succeed.
    pub fn start_driver(&self) {
        let said = self.run_driver(&["-a", "u"]);
        assert_eq!(said.code, Some(0), "{:?}: {said:?}", self.which);
        // NUT's parent leaves before its child has written its own number
        self.wait_for("its number", || self.pid().is_some_and(lives));
    }

    pub fn start_upsd(&mut self) {
        let child = self
            .command("/lib/nut/upsd", &["-F", "-u", "root"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.upsd = Some(child.unwrap());
        self.wait_for("upsd to have the UPS", || {
            let said = self.upsc();
            said.get("ups.status").is_some_and(|status| !status.contains("WAIT"))
        });
    }

    pub fn upsd_pid(&self) -> i32 {
        self.upsd.as_ref().map(|child| child.id() as i32).expect("upsd was started")
    }

    pub fn stop_upsd(&mut self) {
        if let Some(mut child) = self.upsd.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// There is one upsmon on a host: it refuses to start beside another. So tests take turns.
    pub fn start_upsmon(&mut self, conf: &str) {
        let turn = File::create(std::env::temp_dir().join("qxups-upsmon.turn")).unwrap();
        self._alone = Some(Flock::lock(turn, FlockArg::LockExclusive).unwrap());
        // what is left of the one before takes a moment to leave, and where no process waits for orphans its
        // number stays taken
        let left = Path::new("/run/nut/upsmon.pid");
        let other = || std::fs::read_to_string(left).ok()?.trim().parse().ok();
        self.wait_for("another upsmon of this host to leave", || !other().is_some_and(lives));
        let _ = std::fs::remove_file(left);
        self.write("upsmon.conf", conf);
        let child = self
            .command("/lib/nut/upsmon", &["-F", "-u", "root"])
            .stdout(Stdio::null())
            .stderr(File::create(self.folder.join("upsmon.log")).unwrap())
            .spawn();
        self.upsmon = Some(child.unwrap());
    }

    pub fn ups(&self) -> String {
        format!("u@127.0.0.1:{}", self.port)
    }

    pub fn upsc(&self) -> BTreeMap<String, String> {
        let said = self.run("upsc", &[&self.ups()]);
        said.out.lines().filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.into(), b.into())).collect()
    }

    pub fn upsc_value(&self, name: &str) -> String {
        self.upsc().remove(name).unwrap_or_default()
    }

    /// A client's program with a password, waiting for the outcome.
    pub fn as_admin(&self, program: &str, arguments: &[&str]) -> ProgramOutput {
        let mut all = vec!["-u", "admin", "-p", "secret", "-w"];
        all.extend(arguments);
        let mut said = self.run(program, &all);
        said.err = said.err.lines().filter(|line| !line.contains("SSL")).collect::<Vec<_>>().join("\n");
        said
    }

    pub fn wait_for(&self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done() {
            assert!(Instant::now() < deadline, "{:?}: waited in vain for {what}", self.which);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn wait_status(&self, wanted: &str) {
        self.wait_for(&format!("ups.status {wanted}"), || self.upsc_value("ups.status") == wanted);
    }

    pub fn socket(&self) -> Socket {
        Socket::connect(&self.run_folder().join(format!("{}-u", self.program)))
    }

    pub fn pid(&self) -> Option<i32> {
        let file = self.run_folder().join(format!("{}-u.pid", self.program));
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }
}

impl Drop for NutStation {
    fn drop(&mut self) {
        for child in [&mut self.upsmon, &mut self.upsd].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").arg(pid.to_string()).status();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A client of the driver socket.
pub struct Socket {
    reader: BufReader<UnixStream>,
}

impl Socket {
    pub fn connect(path: &Path) -> Socket {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match UnixStream::connect(path) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    return Socket { reader: BufReader::new(stream) };
                }
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", path.display()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn send(&mut self, text: &str) {
        self.reader.get_mut().write_all(text.as_bytes()).unwrap();
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line from the driver socket");
        line.trim_end().to_string()
    }

    /// Lines up to the one that begins with `last`.
    pub fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = vec![];
        loop {
            let line = self.line();
            let done = line.starts_with(last) || line.is_empty();
            lines.push(line);
            if done {
                return lines;
            }
        }
    }

    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        let _ = self.reader.read_to_string(&mut rest);
        rest
    }
}
