//! A virtual machine with a real Linux USB stack (`usb-test/`), into which simulated converters are
//! plugged, and NUT's programs in it.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use testbed::nut::{ProgramOutput, Which};

/// Where the drivers are in the machine.
fn driver_in_guest(which: Which) -> &'static str {
    match which {
        Which::Nut => "/lib/nut/nutdrv_qx",
        Which::Newest => "/lib/newest/nutdrv_qx",
        Which::Ours => "/lib/qxups/nutdrv_qx",
    }
}

/// A driver that somebody built looks elsewhere.
const ENVIRONMENT: &str = "NUT_CONFPATH=/etc/nut NUT_STATEPATH=/run/nut NUT_ALTPIDPATH=/run/nut \
     NUT_PIDPATH=/run/nut NUT_QUIET_INIT_UPSNOTIFY=true";

/// The scripts that boot it.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../usb-test")
}

/// One test at a time: two machines are enough for a small computer.
static ALONE: Mutex<()> = Mutex::new(());

/// Keeps other tests of this kind waiting.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One booted machine; it ends when this is dropped, or with the test.
pub struct Machine {
    which: Which,
    folder: PathBuf,
    port: u16,
}

impl Machine {
    /// Boots a machine with one of the drivers.
    pub fn start(name: &str, which: Which) -> Machine {
        Machine::boot(name, which, &[])
    }

    /// The same, with these settings for `vm.sh`.
    pub fn boot(name: &str, which: Which, environment: &[(&str, &str)]) -> Machine {
        let prepared = Command::new(scripts().join("prepare.sh")).arg("nut").status().unwrap();
        assert!(prepared.success(), "usb-test/prepare.sh says above what this test lacks");
        let folder = std::env::temp_dir().join(format!("qxups-vm-{}-{name}-{which:?}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let driver = folder.join("nutdrv_qx");
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(&driver).arg(which.folder().join("nutdrv_qx"));
        assert!(strip.status().unwrap().success(), "strip (binutils) failed");
        let mut boot = Command::new(scripts().join("vm.sh"));
        boot.envs(environment.iter().copied());
        boot.arg(&folder).arg(format!("{}:{}", driver.display(), driver_in_guest(which)));
        boot.args(["/lib/nut/upsd:/lib/nut/upsd", "/usr/bin/upsc", "/usr/bin/upscmd", "/usr/bin/upsrw"]);
        assert!(boot.status().unwrap().success(), "the machine did not boot: see above");
        let port = std::fs::read_to_string(folder.join("port")).unwrap().trim().parse().unwrap();
        Machine { which, folder, port }
    }

    /// A connection that the machine's agent has taken; of many callers at once some are not heard.
    fn agent(&self) -> BufReader<TcpStream> {
        for _ in 0..20 {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the machine runs");
            stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
            let mut reader = BufReader::new(stream);
            let mut hello = String::new();
            if reader.read_line(&mut hello).is_ok() && hello == "ready\n" {
                return reader;
            }
        }
        panic!("{:?}: the machine's agent does not answer", self.which);
    }

    /// Runs a script in the machine's shell, with `data` for its standard input.
    fn call(&self, script: &str, data: &[u8], limit_seconds: u32) -> ProgramOutput {
        let mut reader = self.agent();
        let stream = reader.get_mut();
        stream.set_read_timeout(Some(Duration::from_secs(u64::from(limit_seconds) + 10))).unwrap();
        write!(stream, "{} {} {limit_seconds}\n{script}", script.len(), data.len()).unwrap();
        stream.write_all(data).unwrap();
        let mut head = String::new();
        reader.read_line(&mut head).expect("an answer of the machine");
        let numbers: Vec<usize> = head.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let mut text = |length: usize| {
            let mut bytes = vec![0; length];
            reader.read_exact(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (out, err) = (text(numbers[1]), text(numbers[2]));
        ProgramOutput { code: Some(numbers[0] as i32), out, err }
    }

    /// Runs a script; whatever comes of it.
    pub fn run(&self, script: &str) -> ProgramOutput {
        self.call(script, &[], 120)
    }

    /// Runs a script that must succeed, and gives what it printed.
    pub fn must(&self, script: &str) -> String {
        let said = self.run(script);
        assert_eq!(said.code, Some(0), "{:?}: {script}: {said:?}", self.which);
        said.out
    }

    pub fn write(&self, path: &str, text: &str) {
        let said = self.call(&format!("mkdir -p $(dirname {path}) && cat >{path}"), text.as_bytes(), 30);
        assert_eq!(said.code, Some(0), "{path}: {said:?}");
    }

    /// Puts a program into the machine, without what only a debugger needs.
    pub fn put(&self, file: &Path, path: &str) {
        let small = self.folder.join("program");
        assert!(Command::new("strip").arg("-o").arg(&small).arg(file).status().unwrap().success());
        let bytes = std::fs::read(&small).unwrap();
        let said = self.call(&format!("cat >{path} && chmod 755 {path}"), &bytes, 60);
        assert_eq!(said.code, Some(0), "{path}: {said:?}");
    }

    /// Plugs in what listens at a TCP port of this computer; gives its name on the bus.
    pub fn attach(&self, place: u8, tcp: u16) -> String {
        self.must(&format!("PORT={place} SPEED=2 nc -w 5 10.0.2.2 {tcp} -e /usr/bin/guest-attach"));
        let bus = format!("1-{}", place + 1);
        let configured = format!("/sys/bus/usb/devices/{bus}/bConfigurationValue");
        self.wait_for(&format!("{bus} to be enumerated"), &format!("grep -q . {configured}"));
        bus
    }

    /// Waits until a script succeeds.
    pub fn wait_for(&self, what: &str, script: &str) {
        let seconds = 60;
        let script = format!(
            "end=$(($(date +%s)+{seconds})); until ( {script} ); do [ $(date +%s) -lt $end ] || exit 1; sleep 0.05; done"
        );
        let said = self.run(&script);
        if said.code != Some(0) {
            let log = self.run("dmesg | tail -n 12; tail -n 12 /tmp/*.log").out;
            panic!("{:?}: waited in vain for {what}: {said:?}\n{log}", self.which);
        }
    }

    /// Writes NUT's files; each UPS is a name and its lines of `ups.conf`.
    pub fn configure(&self, units: &[(String, String)]) {
        let mut conf = String::from("maxretry = 1\nuser = root\npollinterval = 1\n");
        for (name, options) in units {
            conf.push_str(&format!("[{name}]\ndriver = nutdrv_qx\nport = auto\n{options}\n"));
        }
        self.write("/etc/nut/ups.conf", &conf);
        self.write("/etc/nut/upsd.conf", "LISTEN 127.0.0.1 3493\nMAXAGE 15\n");
        self.write("/etc/nut/upsd.users", "[admin]\npassword = secret\nactions = SET\ninstcmds = ALL\n");
        self.must("mkdir -p /run/nut");
    }

    /// The driver's path in the machine.
    pub fn driver(&self) -> &'static str {
        driver_in_guest(self.which)
    }

    /// Starts the driver of a UPS, in the background.
    pub fn start_driver(&self, name: &str) -> ProgramOutput {
        let driver = driver_in_guest(self.which);
        let start = format!("{ENVIRONMENT} {driver} -a {name} >/tmp/{name}.log 2>&1");
        self.call(&start, &[], 200)
    }

    /// The same in the foreground, so that its log stays in the file; ready when this returns.
    pub fn start_driver_in_front(&self, name: &str) {
        let (driver, log) = (driver_in_guest(self.which), format!("/tmp/{name}.log"));
        self.must(&format!("({ENVIRONMENT} {driver} -FF -a {name} >{log} 2>&1 &)"));
        self.wait_for("the driver", &format!("[ -e /run/nut/nutdrv_qx-{name} ]"));
    }

    pub fn stop_driver(&self, name: &str) {
        self.run(&format!("kill $(cat /run/nut/nutdrv_qx-{name}.pid); sleep 0.3"));
    }

    pub fn driver_log(&self, name: &str) -> String {
        self.run(&format!("cat /tmp/{name}.log")).out
    }

    pub fn start_upsd(&self) {
        self.must("/lib/nut/upsd -u root >/tmp/upsd.log 2>&1");
    }

    pub fn upsc(&self, name: &str) -> BTreeMap<String, String> {
        let said = self.run(&format!("upsc {name}@127.0.0.1"));
        said.out.lines().filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.into(), b.into())).collect()
    }

    /// Waits until clients see this value.
    pub fn wait_value(&self, name: &str, variable: &str, value: &str) -> Duration {
        let began = Instant::now();
        self.wait_for(
            &format!("{name} {variable} {value}"),
            &format!("[ \"$(upsc {name}@127.0.0.1 {variable} 2>/dev/null)\" = '{value}' ]"),
        );
        began.elapsed()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new(scripts().join("vm.sh")).arg("stop").arg(&self.folder).status();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
