//! A site for a test: a folder with NUT's files, the server as a process, clients that speak to it, and drivers that
//! are nothing but a socket.
#![allow(dead_code)]

pub mod monitor;
pub mod past;
pub mod receiver;
pub mod snmp;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const USERS: &str = "[admin]\npassword = secret\nactions = SET FSD\ninstcmds = ALL\n\
                         [first]\npassword = one\nupsmon primary\n[second]\npassword = two\nupsmon secondary\n";

/// A folder of its own and a server in it.
pub struct Site {
    pub folder: PathBuf,
    pub port: u16,
    server: Option<Child>,
}

/// A port that is free now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Site {
    /// A folder with these files; `more` goes to `upsd.conf`.
    pub fn new(name: &str, ups_conf: &str, more: &str) -> Site {
        let folder = std::env::temp_dir().join(format!("qxups-serve-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("state")).unwrap();
        let site = Site { folder, port: free_port(), server: None };
        site.write("ups.conf", ups_conf);
        site.write("upsd.conf", &format!("LISTEN 127.0.0.1 {}\n{more}", site.port));
        site.write("upsd.users", USERS);
        let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o640);
        std::fs::set_permissions(site.folder.join("upsd.users"), private).unwrap();
        site
    }

    /// The same, with the server started.
    pub fn started(name: &str, ups_conf: &str, more: &str) -> Site {
        let mut site = Site::new(name, ups_conf, more);
        site.start();
        site
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The server's program, in this site.
    pub fn upsd(&self) -> Command {
        let mut upsd = Command::new(env!("CARGO_BIN_EXE_upsd"));
        self.environment(&mut upsd);
        if nix::unistd::Uid::effective().is_root() {
            upsd.args(["-u", "root"]);
        }
        upsd
    }

    pub fn environment(&self, command: &mut Command) {
        let state = self.state();
        command.env("NUT_CONFPATH", &self.folder).env("NUT_STATEPATH", &state);
        command.env("NUT_ALTPIDPATH", &state).env("QXUPS_VARPATH", &state);
    }

    /// Starts the server and waits until it takes clients.
    pub fn start(&mut self) {
        self.start_with(self.upsd());
    }

    /// The same, called so.
    pub fn start_with(&mut self, mut upsd: Command) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let said = self.log().len();
        let server = upsd.arg("-FF").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.server = Some(server);
        self.until("the server takes clients", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        // before that a signal ends it
        self.until("the server serves", || {
            self.log().get(said..).is_some_and(|log| log.contains("serving "))
        });
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.server.as_ref().unwrap().id()).unwrap())
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// The process of the server, which is another's to wait for from now on.
    pub fn take_server(&mut self) -> Child {
        self.server.take().unwrap()
    }

    /// Ends the server as hard as can be.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Waits for the end of the server.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.server.take().unwrap().wait().unwrap()
    }

    /// Waits until something is so, for as long as a machine with other things to do needs.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn connect(&self) -> Client {
        Client::new(self.port)
    }

    /// One question on a connection of its own.
    pub fn ask(&self, line: &str) -> String {
        self.connect().ask(line)
    }

    /// Waits for an answer.
    pub fn until_answer(&self, line: &str, expected: &str) {
        let mut last = String::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            last = self.ask(line);
            if last == expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{line}: {last}, not {expected}; the log:\n{}", self.log());
    }

    /// The same while the server may not be there yet.
    pub fn until_answer_or_refused(&self, line: &str, expected: &str) {
        self.until("it takes clients", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        self.until_answer(line, expected);
    }

    /// A program of NUT, with what it is to be asked; `{}` stands for `localhost:port`.
    pub fn nut(&self, program: &str, arguments: &[&str]) -> Output {
        let place = format!("127.0.0.1:{}", self.port);
        let arguments = arguments.iter().map(|argument| argument.replace("{}", &place));
        Command::new(program).args(arguments).output().unwrap()
    }

    /// What it prints; it has to succeed.
    pub fn printed(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.nut(program, arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("the log:\n{}", self.log());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client.
pub struct Client {
    pub stream: TcpStream,
    reader: BufReader<TcpStream>,
    /// What it said last.
    said: String,
}

impl Client {
    pub fn new(port: u16) -> Client {
        Client::of(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    /// On a stream.
    pub fn of(stream: TcpStream) -> Client {
        // a machine that runs much else is slow
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Client { stream, reader, said: String::new() }
    }

    /// Logs in as a user.
    pub fn user(mut self, name: &str, password: &str) -> Client {
        assert_eq!(self.ask(&format!("USERNAME {name}")), "OK");
        assert_eq!(self.ask(&format!("PASSWORD {password}")), "OK");
        self
    }

    pub fn say(&mut self, line: &str) {
        self.said = line.into();
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        let heard = self.reader.read_line(&mut line);
        assert!(heard.is_ok(), "{heard:?} from {:?}, after '{}'", self.stream.local_addr(), self.said);
        line.trim_end_matches('\n').to_string()
    }

    /// Asks, and hears one line.
    pub fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.hear()
    }

    /// The same of a server that may have ended the connection.
    pub fn ask_if_there(&mut self, line: &str) -> std::io::Result<String> {
        self.stream.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        self.reader.read_line(&mut answer)?;
        Ok(answer.trim_end().to_string())
    }

    /// Asks for a list, and hears all of it.
    pub fn list(&mut self, line: &str) -> Vec<String> {
        let mut lines = vec![self.ask(line)];
        while lines[0].starts_with("BEGIN") && !lines.last().unwrap().starts_with("END") {
            lines.push(self.hear());
        }
        lines
    }

    /// Whether the server has ended the connection.
    pub fn is_closed(&mut self, within: Duration) -> bool {
        self.stream.set_read_timeout(Some(within)).unwrap();
        let mut byte = [0];
        match self.reader.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => self.is_closed(within),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// A client from this address of the machine.
pub fn connect_from(address: &str, port: u16) -> Client {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
    use std::os::fd::AsRawFd;
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    let from: std::net::SocketAddrV4 = format!("{address}:0").parse().unwrap();
    let to: std::net::SocketAddrV4 = format!("127.0.0.1:{port}").parse().unwrap();
    bind(socket.as_raw_fd(), &SockaddrIn::from(from)).unwrap();
    connect(socket.as_raw_fd(), &SockaddrIn::from(to)).unwrap();
    Client::of(socket.into())
}

/// A driver that is a socket, and says what a test has it say.
pub struct FakeDriver {
    path: PathBuf,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    dump: String,
    clients: Vec<UnixStream>,
    heard: Vec<String>,
    /// A client has its dump.
    has_dumped: bool,
    /// Answers nothing at all.
    hangs: bool,
    /// What it answers to an order; none: nothing.
    code: Option<u8>,
    ended: bool,
}

impl FakeDriver {
    /// Listens in a site, and dumps these lines when it is asked.
    pub fn start(site: &Site, name: &str, dump: &str) -> FakeDriver {
        let path = site.state().join(name);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::new(Mutex::new(Shared { dump: dump.into(), code: Some(0), ..Shared::default() }));
        let all = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let mut state = all.lock().unwrap();
                if state.ended {
                    return;
                }
                state.clients.push(client.try_clone().unwrap());
                drop(state);
                let all = all.clone();
                std::thread::spawn(move || answer(client, &all));
            }
        });
        FakeDriver { path, shared }
    }

    /// Says something to all its clients, once the first has its dump.
    pub fn say(&self, lines: &str) {
        let end = Instant::now() + Duration::from_secs(5);
        while !self.shared.lock().unwrap().has_dumped && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        for client in &mut self.shared.lock().unwrap().clients {
            let _ = client.write_all(lines.as_bytes());
        }
    }

    pub fn hang(&self, hangs: bool) {
        self.shared.lock().unwrap().hangs = hangs;
    }

    pub fn answer_orders(&self, code: Option<u8>) {
        self.shared.lock().unwrap().code = code;
    }

    /// What it was asked, but for PING and DUMPALL.
    pub fn orders(&self) -> Vec<String> {
        let heard = self.shared.lock().unwrap().heard.clone();
        heard.into_iter().filter(|line| line != "PING" && line != "DUMPALL").collect()
    }
}

impl Drop for FakeDriver {
    /// As a driver that is killed: its socket stays behind.
    fn drop(&mut self) {
        let mut shared = self.shared.lock().unwrap();
        shared.ended = true;
        for client in shared.clients.drain(..) {
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
        drop(shared);
        // so that the listener is closed as well
        let _ = UnixStream::connect(&self.path);
    }
}

fn answer(client: UnixStream, all: &Mutex<Shared>) {
    let mut writer = client.try_clone().unwrap();
    for line in BufReader::new(client).lines() {
        let Ok(line) = line else { return };
        let mut state = all.lock().unwrap();
        state.heard.push(line.clone());
        if state.hangs {
            continue;
        }
        let reply = match (line.as_str(), line.split_once("TRACKING "), state.code) {
            ("DUMPALL", ..) => state.dump.clone(),
            ("PING", ..) => "PONG\n".into(),
            (_, Some((_, id)), Some(code)) => format!("TRACKING {id} {code}\n"),
            _ => continue,
        };
        drop(state);
        if writer.write_all(reply.as_bytes()).is_err() {
            return;
        }
        all.lock().unwrap().has_dumped |= line == "DUMPALL";
    }
}

/// upsmon in the foreground. Its PID file is that of the machine: as root it has a place of its own for that, where it
/// meets no other upsmon, and all its processes end with it.
pub fn upsmon(program: &str) -> Command {
    if !nix::unistd::Uid::effective().is_root() {
        let mut upsmon = Command::new(program);
        upsmon.args(["-D", "-F"]);
        return upsmon;
    }
    let mut upsmon = Command::new("unshare");
    let inside = format!("mount -t tmpfs none /run/nut; exec {program} -D -F");
    upsmon.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &inside]);
    upsmon
}

/// Where a program of NUT is, as its package has it.
pub fn program(name: &str) -> Option<String> {
    let places = ["/lib/nut", "/usr/lib/nut", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    places.iter().map(|place| format!("{place}/{name}")).find(|path| Path::new(path).exists())
}

/// Of a program that this project did not write, or says in a line how to get it; where `QXUPS_JUDGES` is `all`
/// (test.sh sets it), it has to be there.
pub fn judge(name: &str, path: Option<String>) -> Option<String> {
    if path.is_none() {
        let line = format!(
            "{name} is not installed: crates/serve/tests/judges/install.sh gets it, for this test to run"
        );
        assert!(std::env::var("QXUPS_JUDGES").as_deref() != Ok("all"), "{line}");
        println!("{line}");
    }
    path
}

/// The same of a program of NUT.
pub fn nut_judge(name: &str) -> Option<String> {
    judge(name, program(name))
}
