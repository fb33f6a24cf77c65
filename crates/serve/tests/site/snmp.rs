//! SNMP at a site: where its agents are, a manager, and a receiver of traps.

use super::Site;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
pub use testbed::snmp as wire;
use wire::{GET, Heard, NEXT, heard, request};

/// The community string of these sites.
pub const COMMUNITY: &str = "s3cret";
/// upsObjects.
pub const UPS: &str = "1.3.6.1.2.1.33.1";

/// A port of UDP that is free now.
pub fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `qxups.toml` with an agent for each of these, in their order, and the ports of them.
pub fn agents(names: &[&str], traps: Option<&UdpSocket>) -> (String, Vec<u16>) {
    let held: Vec<UdpSocket> = names.iter().map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = held.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
    let rows = names.iter().zip(&ports).map(|(name, port)| format!("{name} = \"127.0.0.1:{port}\"\n"));
    let traps =
        traps.map_or(String::new(), |socket| format!("traps = [\"{}\"]\n", socket.local_addr().unwrap()));
    let head =
        format!("[snmp]\ncommunity = \"{COMMUNITY}\"\nallow = [\"127.0.0.1\"]\n{traps}[snmp.agents]\n");
    (head + &rows.collect::<String>(), ports)
}

/// A manager at this address of the machine, which asks at that port.
pub struct Manager {
    socket: UdpSocket,
    port: u16,
}

impl Manager {
    pub fn new(from: &str, port: u16) -> Manager {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        Manager { socket, port }
    }

    /// Sends any bytes; the answer, where one comes.
    pub fn send(&self, bytes: &[u8]) -> Option<Heard> {
        self.socket.send_to(bytes, ("127.0.0.1", self.port)).unwrap();
        let mut room = [0; 4096];
        // other tests may send to a port that was theirs
        loop {
            let (length, from) = self.socket.recv_from(&mut room).ok()?;
            if from.port() == self.port {
                return Some(heard(&room[..length]));
            }
        }
    }

    /// Sends and does not listen.
    pub fn throw(&self, bytes: &[u8]) {
        let _ = self.socket.send_to(bytes, ("127.0.0.1", self.port));
    }

    /// The value of an object of the UPS-MIB.
    pub fn get(&self, below: &str) -> Option<String> {
        let asked = request(1, COMMUNITY, GET, (0, 0), &[&format!("{UPS}.{below}")]);
        self.send(&asked).map(|heard| heard.bindings[0].1.clone())
    }

    /// Waits for a value.
    pub fn until(&self, site: &Site, below: &str, expected: &str) {
        let mut last = None;
        site.until(&format!("{below} is {expected}"), || {
            last = self.get(below);
            last.as_deref() == Some(expected)
        });
    }

    /// The numbers of the alarms there are.
    pub fn alarms(&self) -> Vec<u32> {
        let (mut all, mut name) = (vec![], format!("{UPS}.6.2.1.2"));
        loop {
            let got = self.send(&request(1, COMMUNITY, NEXT, (0, 0), &[&name])).unwrap();
            let (next, value) = got.bindings[0].clone();
            let Some(alarm) = value.strip_prefix("OID 1.3.6.1.2.1.33.1.6.3.") else { return all };
            all.push(alarm.parse().unwrap());
            name = next;
        }
    }
}

/// Where traps arrive.
pub fn receiver() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    socket
}

/// A trap as its name and, where it has some, its alarm; and the UPS: `33.2.3 6 rack`.
pub fn shown(trap: &Heard) -> String {
    let name = trap.bindings[1].1.trim_start_matches("OID 1.3.6.1.");
    let value =
        |place: &str| trap.bindings.iter().find(|(name, _)| name.contains(place)).map(|(_, value)| value);
    let alarm = value(".33.1.6.2.1.2.").and_then(|alarm| alarm.rsplit('.').next()).unwrap_or_default();
    let ups = value(".33.1.1.5.0").unwrap().trim_start_matches("STRING ");
    [name.trim_start_matches("2.1."), alarm, ups].join(" ").replace("  ", " ")
}

/// Waits for this trap; what came before it.
pub fn until_trap(site: &Site, socket: &UdpSocket, expected: &str) -> Vec<String> {
    let (mut before, began) = (vec![], Instant::now());
    let mut room = [0; 4096];
    while began.elapsed() < Duration::from_secs(30) {
        let Ok((length, _)) = socket.recv_from(&mut room) else { continue };
        let trap = heard(&room[..length]);
        assert_eq!((trap.version, trap.kind, trap.community.as_str()), (1, 0xa7, COMMUNITY));
        let said = shown(&trap);
        if said == expected {
            return before;
        }
        before.push(said);
    }
    panic!("no trap {expected}, but {before:?}; the log:\n{}", site.log());
}
