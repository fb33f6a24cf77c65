//! What is simulated, and where it is served: nothing of it stays.

use crate::client::ServerAddress;
use crate::out::Stop;
use crate::serve::{give_away, listen};
use ::serve::program::{CommandLine, Ground, ServerPlan, Where};
use nut::network::PORT;
use nut::upsd_conf::{Listen, ListenAddress};
use std::fmt::Write;
use std::fs::DirBuilder;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// The dialect of the UPS with outages.
pub const DIALECT: &str = "masterguard";
/// The port of the page, where it is free.
const PAGE_PORT: u16 = 3494;
/// Its battery, load and time on battery are such that it says "battery low" before mains is back.
const OUTAGE: (u32, u32) = (8, 45);
/// From outage to outage, in seconds, and how many of them: five hours.
const PERIOD: (u32, u32) = (90, 200);
const USERS: &str = "\
[demo]
password = demo
actions = SET FSD
instcmds = ALL
upsmon primary
";

/// A simulated UPS.
pub struct StageUps {
    /// Its name.
    pub name: &'static str,
    /// Its dialect.
    pub dialect: String,
    lines: String,
}

/// A server for a demonstration. Its folder goes when this is dropped.
pub struct DemoStage {
    folder: PathBuf,
    line: CommandLine,
    listen: Vec<Listen>,
    page: u16,
    upses: Vec<StageUps>,
}

impl Drop for DemoStage {
    fn drop(&mut self) {
        // the folder itself may be in one of root's
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl DemoStage {
    /// Makes a folder and takes ports. `protocol` is the dialect of the UPS with outages.
    ///
    /// # Errors
    /// A sentence.
    pub fn new(protocol: &str, at: Option<&str>) -> Result<DemoStage, Stop> {
        let protocol =
            qx::protocols::named(protocol).ok_or_else(|| crate::sim::no_such_protocol(protocol))?;
        let here = |port| Listen { address: ListenAddress::Host("127.0.0.1".into()), port, line: 0 };
        let listen = at.map_or_else(|| free(PORT).map(here), |at| listen(at).and_then(can_listen))?;
        let page = free(PAGE_PORT)?;
        let folder = std::env::temp_dir().join(format!("qxups-demo-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            format!("cannot create {}: {error}; set TMPDIR to a folder that can be used", folder.display())
        })?;
        // what happens is shown from what clients see
        let mut line =
            CommandLine { ground: Ground::Fore { pid_file: true }, quiet: 3, ..CommandLine::default() };
        let upses = upses(protocol.name, &folder.join("lab.script").display().to_string());
        let stage =
            |line| DemoStage { folder: folder.clone(), line, listen: vec![listen.clone()], page, upses };
        std::fs::write(folder.join("lab.script"), script()).map_err(|error| {
            let _ = std::fs::remove_dir_all(&folder);
            format!(
                "cannot write to {}: {error}; make room, or set TMPDIR to another folder",
                folder.display()
            )
        })?;
        give_away(&folder, &mut line);
        Ok(stage(line))
    }

    /// The server.
    pub fn plan(&self) -> ServerPlan {
        let sections: String = self
            .upses
            .iter()
            .map(|ups| {
                format!("[{}]\ndriver = qxups-sim\nprotocol = {}\n{}", ups.name, ups.dialect, ups.lines)
            })
            .collect();
        let from = Where::Texts {
            ups: format!("pollinterval = 1\n{sections}"),
            upsd: String::new(),
            users: USERS.into(),
            extras: format!("[history]\nenabled = true\n[web]\nlisten = [\"127.0.0.1:{}\"]\n", self.page),
        };
        ServerPlan {
            line: self.line.clone(),
            from,
            listen: Some(self.listen.clone()),
            state: Some(self.folder.clone()),
        }
    }

    /// Where clients of this host reach it.
    pub fn server(&self) -> ServerAddress {
        let Some(Listen { address, port, .. }) = self.listen.first() else { return ServerAddress::default() };
        match address {
            ListenAddress::Host(host) if host != "127.0.0.1" => {
                ServerAddress { host: host.clone(), port: *port }
            }
            _ => ServerAddress { host: "localhost".into(), port: *port },
        }
    }

    /// The UPSes.
    pub fn upses(&self) -> &[StageUps] {
        &self.upses
    }

    /// What is there, and how to look at it.
    pub fn introduction(&self) -> Vec<String> {
        let server = self.server();
        let row = |line: String, what: &str| format!("    {line:<44}{what}").trim_end().to_string();
        vec![
            "qxups demo: simulated UPSes, served to every client of NUT".into(),
            String::new(),
            format!("  Page:  http://127.0.0.1:{}/", self.page),
            "  In another terminal (for settings and commands: user demo, password demo):".into(),
            row(format!("qxups top -u demo @{server}"), "all of them, live"),
            row(format!("qxups list office@{server}"), "what one says"),
            format!("    qxups cmd -u demo rack@{server} test.battery.start.quick"),
            row(format!("upsc office@{server}"), "the same by NUT's own client"),
            format!("    qxups outages --file {}/history.sqlite", self.folder.display()),
            String::new(),
        ]
    }
}

/// A port of loopback: this one, or another that is free.
fn free(wanted: u16) -> Result<u16, String> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let port = bound.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.map_err(|error| format!("cannot listen on 127.0.0.1: {error}; the system's loopback is needed"))
}

/// Whether the server can listen there: a demonstration that no client reaches would wait for it in silence.
fn can_listen(row: Listen) -> Result<Listen, String> {
    if row.port == 0 {
        return Err("--listen: clients find no port 0; write ADDRESS:PORT, such as 127.0.0.1:3493".into());
    }
    let host = match &row.address {
        // a port alone would be taken for an address
        ListenAddress::Host(host) if host.parse::<u16>().is_ok() => {
            return Err(format!("--listen {host}: write ADDRESS:PORT, such as 127.0.0.1:{host}"));
        }
        ListenAddress::Any => "0.0.0.0",
        ListenAddress::Host(host) => host.as_str(),
    };
    let remedy = |error: &io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; name another port",
        io::ErrorKind::PermissionDenied => "name a port above 1023",
        _ => "name an address of this host, such as 127.0.0.1",
    };
    match TcpListener::bind((host, row.port)) {
        Ok(_) => Ok(row),
        Err(error) => Err(format!("cannot listen on {host}, port {}: {error}; {}", row.port, remedy(&error))),
    }
}

fn upses(outages: &str, script: &str) -> Vec<StageUps> {
    let ups =
        |name, dialect: &str, lines: &str| StageUps { name, dialect: dialect.into(), lines: lines.into() };
    vec![
        ups("rack", "megatec", "desc = \"Rack, on mains\"\nknob = \"load 35\"\n"),
        ups("attic", "voltronic-qs", "desc = \"Attic, on mains\"\nknob = \"load 12\"\n"),
        ups("office", "mecer", "desc = \"Office, on battery\"\nscenario = on-battery\n"),
        ups("lab", outages, &format!("desc = \"Lab, an outage every 90 s\"\nscenario = \"{script}\"\n")),
    ]
}

/// Outages one after another. The battery is filled only while mains is there.
fn script() -> String {
    let mut text = String::from("at 0s load 90\n");
    for number in 0..PERIOD.1 {
        let began = number * PERIOD.0;
        let _ = writeln!(text, "at {began}s charge 27");
        let _ = writeln!(text, "at {}s mains fail", began + OUTAGE.0);
        let _ = writeln!(text, "at {}s mains back", began + OUTAGE.1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_in_use_is_left_to_who_uses_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free(port), Ok(port));
        drop(taken);
        assert_eq!(free(port), Ok(port));
    }

    #[test]
    fn a_place_that_no_client_finds_is_refused_with_the_one_to_write() {
        let said = |at: &str| match DemoStage::new("megatec", Some(at)) {
            Err(Stop::Failed(why)) => why,
            _ => String::new(),
        };
        assert!(said("3494").contains("write ADDRESS:PORT, such as 127.0.0.1:3494"), "{}", said("3494"));
        assert!(said("127.0.0.1:0").contains("write ADDRESS:PORT"), "{}", said("127.0.0.1:0"));
        assert!(said("192.0.2.1").contains("name an address of this host"), "{}", said("192.0.2.1"));
    }

    #[test]
    fn the_script_is_one_of_the_simulator() {
        assert!(simulator::script::Script::parse(&script()).is_ok());
    }

    #[test]
    fn nothing_of_it_stays() {
        let stage = DemoStage::new("megatec", None).unwrap();
        let folder = stage.folder.clone();
        assert!(folder.join("lab.script").exists());
        assert!(stage.introduction().iter().all(|row| row.len() <= 80), "{:?}", stage.introduction());
        drop(stage);
        assert!(!folder.exists());
    }
}
