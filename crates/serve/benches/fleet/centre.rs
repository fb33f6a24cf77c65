//! The centre: three nodes of nats-server, and who looks on.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::nats::{NodePorts, three_nodes};

/// The password of all sites.
pub const PASSWORD: &str = "change-me";

pub fn site_name(site: usize) -> String {
    format!("site{site:04}")
}

pub fn ups_name(ups: usize) -> String {
    format!("ups{ups}")
}

pub struct Centre {
    /// Where each node speaks MQTT.
    pub ports: [u16; 3],
    nodes: Vec<Node>,
}

struct Node {
    folder: PathBuf,
    arguments: Vec<String>,
    port: u16,
    child: Option<Child>,
}

impl Drop for Centre {
    fn drop(&mut self) {
        (0..3).for_each(|node| self.kill(node));
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A user for each site, with the rights that the shipped file gives.
fn accounts(sites: usize) -> String {
    let site = |site| {
        let name = site_name(site);
        format!(
            "{{ user: \"{name}\", password: \"{PASSWORD}\", permissions: {{ publish: [ \"qxups.{name}.>\" ], \
             subscribe: [ \"qxups.{name}\", \"qxups.{name}.>\", \"$MQTT.sub.>\" ] }} }}\n"
        )
    };
    let desk = format!(
        "{{ user: \"desk\", password: \"{PASSWORD}\", permissions: {{ publish: {{ deny: \">\" }}, \
         subscribe: [ \"qxups\", \"qxups.>\", \"$MQTT.sub.>\" ] }} }}\n"
    );
    let sites: String = (0..sites).map(site).collect();
    format!(
        "accounts {{ FLEET {{ jetstream: enabled\nusers: [ {sites}{desk} ] }}\nSYS {{ users: [ {{ user: \"admin\", password: \
         \"x\" }} ] }} }}\nsystem_account: SYS\n"
    )
}

impl Centre {
    /// Three nodes by the shipped configuration, without TLS.
    pub fn start(folder: &Path, sites: usize) -> Centre {
        let ports = [(); 3].map(|()| [(); 4].map(|()| free_port()));
        let started = three_nodes("nats-server", folder, &ports, &accounts(sites)).into_iter().zip(ports);
        let node = |(number, (arguments, ports)): (usize, (Vec<String>, NodePorts))| Node {
            folder: folder.join(format!("node{number}")),
            arguments,
            port: ports[0],
            child: None,
        };
        let nodes: Vec<Node> = started.enumerate().map(node).collect();
        let mut centre = Centre { ports: [ports[0][0], ports[1][0], ports[2][0]], nodes };
        (0..3).for_each(|node| centre.spawn(node));
        (0..3).for_each(|node| centre.await_port(node));
        centre
    }

    fn spawn(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        let log = std::fs::File::options().create(true).append(true).open(node.folder.join("log")).unwrap();
        let mut command = Command::new("/usr/bin/env");
        command.args(&node.arguments).stdout(log.try_clone().unwrap()).stderr(log);
        node.child = Some(command.spawn().unwrap());
    }

    fn await_port(&self, node: usize) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.nodes[node].port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "node {node} does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts a node anew, and does not wait for it.
    pub fn again(&mut self, node: usize) {
        self.spawn(node);
    }

    /// kill -9.
    pub fn kill(&mut self, node: usize) {
        if let Some(mut child) = self.nodes[node].child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Memory, size of the store, and processor time since it was started.
    pub fn costs(&self) -> String {
        let of = |node: &Node| {
            let Some(child) = &node.child else { return "ended".to_string() };
            let file = |name: &str| {
                std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap_or_default()
            };
            let (status, stat) = (file("status"), file("stat"));
            let memory =
                status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
            let memory = memory.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or_default() / 1024;
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks =
                |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
            let store = size(&node.folder.join("store")) >> 20;
            format!("{memory} MB, {store} MB, {} s", (ticks(11) + ticks(12)) / 100)
        };
        self.nodes.iter().map(of).collect::<Vec<_>>().join("; ")
    }
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => size(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.map(of).sum()
}

/// mosquitto_sub before a node: what it was told last of each status. It asks again where a node refuses it, as nodes do that have no
/// leader yet.
pub struct OnLooker {
    child: Arc<Mutex<Option<Child>>>,
    last: Arc<Mutex<HashMap<String, String>>>,
}

impl Drop for OnLooker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn listen(port: u16) -> Child {
    Command::new("mosquitto_sub")
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-u",
            "desk",
            "-P",
            PASSWORD,
            "-q",
            "1",
            "-k",
            "30",
        ])
        .args(["-t", "qxups/+/+/ups/status", "-F", "%t %p"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl OnLooker {
    pub fn start(port: u16) -> OnLooker {
        let mut first = listen(port);
        let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
        let (child, last) = (Arc::new(Mutex::new(Some(first))), Arc::new(Mutex::new(HashMap::new())));
        let (running, heard) = (child.clone(), last.clone());
        std::thread::spawn(move || {
            loop {
                for line in lines.by_ref().map_while(Result::ok) {
                    let (topic, words) = line.split_once(' ').unwrap_or((&line, ""));
                    heard.lock().unwrap().insert(topic.to_string(), words.to_string());
                }
                std::thread::sleep(Duration::from_secs(1));
                let mut running = running.lock().unwrap();
                let Some(mut ended) = running.take() else { return };
                let _ = ended.wait();
                let mut next = listen(port);
                lines = BufReader::new(next.stdout.take().unwrap()).lines();
                *running = Some(next);
            }
        });
        OnLooker { child, last }
    }

    /// How many statuses are other ones than those of the world.
    pub fn differences(
        &self,
        truth: impl Fn(usize, usize) -> &'static str,
        sites: usize,
        upses: usize,
    ) -> usize {
        let last = self.last.lock().unwrap();
        let all = (0..sites).flat_map(|site| (0..upses).map(move |ups| (site, ups)));
        let is_other = |(site, ups): &(usize, usize)| {
            let topic = format!("qxups/{}/{}/ups/status", site_name(*site), ups_name(*ups));
            last.get(&topic).is_none_or(|words| words != truth(*site, *ups))
        };
        all.filter(is_other).count()
    }
}
