//! Debian's upsd before its own dummy-ups and drivers that are sockets of this test.

use nut::driver_socket::{SocketRequest, tracking};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(20);

const UPS_CONF: &str = "\
[dummy]
driver = dummy-ups
port = dummy.dev
mode = dummy-once
desc = \"The one of the test\"
[ours]
driver = dummy-ups
port = x
[gone]
driver = dummy-ups
port = x
desc = Gone
[old]
driver = dummy-ups
port = x
";

const DUMMY: &str = "\
ups.status: OL CHRG
device.mfr: Acme
device.model: T 1500
battery.charge: 97
ups.load: 42
input.voltage: 230.1
ups.temperature: 31
input.frequency: 50.0
";

/// What the driver of `ours` has: a text, an enum, ranges, and values that need escapes.
const OURS: &str = r#"SETINFO ups.status "OB DISCHRG"
SETINFO device.model "T \"1500\" \\ \#1"
SETINFO ups.delay.shutdown "20"
SETFLAGS ups.delay.shutdown RW NUMBER
ADDRANGE ups.delay.shutdown 12 600
SETINFO ups.id "rack one"
SETFLAGS ups.id RW STRING
SETAUX ups.id 16
SETINFO input.sensitivity "low"
SETFLAGS input.sensitivity RW STRING
SETAUX input.sensitivity 16
ADDENUM input.sensitivity "low"
ADDENUM input.sensitivity "very high"
ADDCMD beeper.mute
ADDCMD load.off
ADDCMD shutdown.return
ADDCMD test.battery.start
DATAOK
DUMPDONE
"#;

const OLD: &str = "SETINFO ups.status \"OL\"\nDATASTALE\nDUMPDONE\n";

const USERS: &str = "\
[admin]
password = secret
actions = SET
instcmds = ALL
[watcher]
password = \"w w\"
upsmon primary
";

/// What the driver says of an order: the codes of NUT 2.8.0 drivers/upshandler.h. `None`: nothing, ever.
fn code(request: &SocketRequest) -> Option<u8> {
    match request {
        SocketRequest::InstCmd { name, .. } => match name.as_str() {
            "beeper.mute" => Some(0),
            "load.off" => Some(3),
            "shutdown.return" => Some(2),
            _ => None,
        },
        SocketRequest::Set { variable, .. } => Some(if variable == "ups.id" { 0 } else { 3 }),
        _ => Some(1),
    }
}

pub struct Upsd {
    pub folder: PathBuf,
    pub port: u16,
    children: Vec<Child>,
}

impl Upsd {
    pub fn start(name: &str) -> Upsd {
        assert!(
            Path::new("/lib/nut/upsd").exists(),
            "this test needs NUT: apt-get install nut-server nut-client"
        );
        let folder = std::env::temp_dir().join(format!("qxups-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("ups.conf", UPS_CONF);
        write("dummy.dev", DUMMY);
        write("upsd.conf", &format!("LISTEN 127.0.0.1 {port}\nMAXAGE 600\n"));
        write("upsd.users", USERS);
        for (name, dump) in [("ours", OURS), ("old", OLD)] {
            let listener = UnixListener::bind(folder.join(format!("dummy-ups-{name}"))).unwrap();
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    let _ = be_driver(&stream, dump);
                }
            });
        }
        let mut upsd = Upsd { folder, port, children: vec![] };
        upsd.run("/lib/nut/dummy-ups", &["-a", "dummy", "-F", "-u", "root"]);
        upsd.run("/lib/nut/upsd", &["-F", "-u", "root"]);
        upsd.wait_until_ready();
        upsd
    }

    fn run(&mut self, program: &str, arguments: &[&str]) {
        let child = Command::new(program)
            .args(arguments)
            .env("NUT_CONFPATH", &self.folder)
            .env("NUT_STATEPATH", &self.folder)
            .env("NUT_ALTPIDPATH", &self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.children.push(child.unwrap());
    }

    fn wait_until_ready(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let ask = "GET VAR dummy ups.load\nGET VAR ours ups.status\nLIST VAR old\nLIST CMD ours\n";
            let told = TcpStream::connect(("127.0.0.1", self.port)).map(|stream| exchange(stream, ask));
            let told = told.unwrap_or_default();
            let wanted = ["\"42\"", "\"OB DISCHRG\"", "DATA-STALE", "test.battery.start"];
            if wanted.iter().all(|text| told.contains(text)) {
                return;
            }
            assert!(Instant::now() < end, "upsd does not get ready: {told}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As clients write a UPS of it.
    pub fn ups(&self, name: &str) -> String {
        format!("{name}@127.0.0.1:{}", self.port)
    }

    /// All of it.
    pub fn all(&self) -> String {
        self.ups("")
    }

    /// A host that watches a UPS.
    pub fn watcher(&self, ups: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("USERNAME watcher\nPASSWORD \"w w\"\nLOGIN {ups}\n").as_bytes()).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..3 {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line, "OK\n");
        }
        stream
    }
}

impl Drop for Upsd {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Writes, says that it is all, and reads to the end.
fn exchange(mut stream: TcpStream, text: &str) -> String {
    use std::io::Read;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answers = String::new();
    let _ = stream.read_to_string(&mut answers);
    answers
}

/// A port for each, below those that the system hands out.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 29_000 + (std::process::id() % 30) as u16 * 100;
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn be_driver(mut stream: &UnixStream, dump: &str) -> std::io::Result<()> {
    for line in BufReader::new(stream.try_clone()?).lines() {
        match SocketRequest::parse(line?.as_bytes()) {
            Ok(SocketRequest::DumpAll) => stream.write_all(dump.as_bytes())?,
            Ok(SocketRequest::Ping) => stream.write_all(b"PONG\n")?,
            Ok(request) => {
                let (SocketRequest::InstCmd { tracking: id, .. } | SocketRequest::Set { tracking: id, .. }) =
                    &request
                else {
                    continue;
                };
                if let (Some(id), Some(code)) = (id, code(&request)) {
                    stream.write_all(tracking(id, code).as_bytes())?;
                }
            }
            Err(_) => {}
        }
    }
    Ok(())
}
