//! A broker of others for tests: Debian's mosquitto or nats-server, with a configuration, a folder and a port of its own; and
//! mosquitto's clients before it.
#![allow(dead_code)]

use crate::site::{free_port, judge, program};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A broker.
pub struct Broker {
    program: String,
    arguments: Vec<String>,
    pub port: u16,
    pub folder: PathBuf,
    child: Option<Child>,
    /// What its clients need to connect.
    pub client: Vec<String>,
}

fn is_there(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Its program, or none where it is not installed and need not be.
pub fn mosquitto() -> Option<String> {
    judge("mosquitto", program("mosquitto"))
}

impl Broker {
    /// mosquitto in a folder, with more lines of configuration; what it keeps lasts over a restart.
    pub fn start(program: String, folder: &Path, more: &str) -> Broker {
        let port = free_port();
        let folder = folder.join("broker");
        std::fs::create_dir_all(&folder).unwrap();
        let conf = folder.join("mosquitto.conf");
        let place = folder.display();
        let text = format!(
            "user root\nlistener {port} 127.0.0.1\npersistence true\npersistence_location {place}/\nautosave_interval 1\n\
             autosave_on_changes true\nset_tcp_nodelay true\nlog_dest file {place}/log\n{more}"
        );
        std::fs::write(&conf, text).unwrap();
        let arguments = vec!["-c".to_string(), conf.display().to_string()];
        let mut broker = Broker { program, arguments, port, folder, child: None, client: vec![] };
        broker.again();
        broker
    }

    /// nats-server, which keeps messages by its JetStream.
    pub fn start_nats(program: String, folder: &Path) -> Broker {
        let (port, of_clients) = (free_port(), free_port());
        let folder = folder.join("broker");
        std::fs::create_dir_all(&folder).unwrap();
        let conf = folder.join("nats.conf");
        let place = folder.display();
        let text = format!(
            "server_name: test\nlisten: 127.0.0.1:{of_clients}\njetstream {{ store_dir: \"{place}\" }}\n\
             mqtt {{ host: 127.0.0.1, port: {port} }}\n"
        );
        std::fs::write(&conf, text).unwrap();
        let arguments = vec!["-c".to_string(), conf.display().to_string()];
        let mut broker = Broker { program, arguments, port, folder, child: None, client: vec![] };
        broker.again();
        broker
    }

    /// The three nodes of packaging/fleet as they are shipped, but for TLS; each is a broker.
    pub fn start_fleet(program: &str, folder: &Path) -> Vec<Broker> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/fleet/accounts.conf");
        let accounts = std::fs::read_to_string(shipped).unwrap();
        let ports = [(); 3].map(|()| [(); 4].map(|()| free_port()));
        let nodes = testbed::nats::three_nodes(program, folder, &ports, &accounts).into_iter().enumerate();
        let start = |(number, arguments): (usize, Vec<String>)| {
            let folder = folder.join(format!("node{number}"));
            let client = ["-u", "desk", "-P", "change-me-3"].map(String::from).to_vec();
            let program = "/usr/bin/env".into();
            let mut broker =
                Broker { program, arguments, port: ports[number][0], folder, child: None, client };
            broker.again();
            broker
        };
        nodes.map(start).collect()
    }

    /// Starts it, also after it was ended.
    pub fn again(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("said")).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let began = Instant::now();
        while !is_there(self.port) {
            let said = std::fs::read_to_string(self.folder.join("said")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(20), "the broker does not start: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as hard as can be.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it in order: what it keeps is on the disk.
    pub fn stop(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        if let Some(mut child) = self.child.take() {
            child.wait().unwrap();
        }
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.child.as_ref().unwrap().id()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }

    /// Publishes.
    pub fn publish(&self, more: &[&str]) {
        let mut command = Command::new("mosquitto_pub");
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1"])
            .args(&self.client)
            .args(more);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{more:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Listens to everything that is ours.
    pub fn listen(&self) -> Listener {
        Listener::start(self)
    }

    /// All that is kept now below a filter, as `topic payload`.
    pub fn kept(&self, filter: &str) -> Vec<String> {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(&self.client);
        command.args(["-t", filter, "--retained-only", "-W", "1", "-F", "%t %p"]);
        let done = command.output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        lines.sort();
        lines
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A client that hears all messages.
pub struct Listener {
    child: Child,
    heard: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Listener {
    fn start(broker: &Broker) -> Listener {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &broker.port.to_string()]).args(&broker.client);
        command.args(["-q", "1", "-t", "qxups/#", "-t", "homeassistant/#", "-F", "%r%q %t %p", "-d"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let heard: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
        let (lines, all) = (BufReader::new(child.stdout.take().unwrap()), heard.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                all.lock().unwrap().push((Instant::now(), line));
            }
        });
        let listener = Listener { child, heard };
        listener.until("it listens", |lines| lines.iter().any(|line| line.starts_with("Subscribed ")));
        listener
    }

    /// All lines so far: whether it was kept, QoS, topic, payload.
    pub fn lines(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// When a line came first from the `from`th on.
    pub fn when(&self, from: usize, line: &str) -> Option<Instant> {
        self.heard.lock().unwrap().iter().skip(from).find(|(_, heard)| heard == line).map(|(at, _)| *at)
    }

    /// The last payload of a topic.
    pub fn last(&self, topic: &str) -> Option<String> {
        let of = |line: &String| {
            let (_, rest) = line.split_once(' ')?;
            let (found, payload) = rest.split_once(' ').unwrap_or((rest, ""));
            (found == topic).then(|| payload.to_string())
        };
        self.lines().iter().rev().find_map(of)
    }

    pub fn until(&self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        let began = Instant::now();
        while !is_so(&self.lines()) {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}:\n{}", self.lines().join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a topic has this value.
    pub fn until_last(&self, topic: &str, payload: &str) {
        self.until(&format!("{topic} is {payload}"), |_| self.last(topic).as_deref() == Some(payload));
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
