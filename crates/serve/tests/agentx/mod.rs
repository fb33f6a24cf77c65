//! UPSes behind an SNMP agent of another program: Debian's snmpd with a user of SNMPv3, and masters that are hostile.

use crate::site::snmp::{UPS, agents, free_udp_port};
use crate::site::{FakeDriver, Site, judge, nut_judge, program};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = fake\nport = auto\n[Attic]\ndriver = fake\nport = auto\n";
const ON_MAINS: &str = "SETINFO ups.status \"OL\"\nSETINFO battery.charge \"90\"\nDATAOK\nDUMPDONE\n";
/// A user of SNMPv3 with authentication and encryption.
const USER: [&str; 12] =
    ["-v3", "-l", "authPriv", "-u", "upsmon", "-a", "SHA", "-A", "authpass12", "-x", "AES", "-X"];
const SECRET: &str = "privpass12";

/// A program that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Debian's snmpd, as a master that sends what it is given on as informs of SNMPv3.
struct Snmpd {
    path: String,
    folder: PathBuf,
    port: u16,
    running: Option<Ending>,
}

impl Snmpd {
    fn new(path: String, folder: &Path, informs_to: u16) -> Snmpd {
        let folder = folder.join("snmpd");
        std::fs::create_dir_all(&folder).unwrap();
        let user = [&USER[..], &[SECRET]].concat().join(" ");
        let place = folder.display();
        let conf = format!(
            "master agentx\nagentXSocket {place}/master\ncreateUser upsmon SHA authpass12 AES {SECRET}\n\
             view ups included .1.3.6.1.2.1.33\nview ups included .1.3.6.1.2.1.1\n\
             sysObjectID .1.3.6.1.2.1.33\nrwuser upsmon priv -V ups *\n\
             trapsess -Ci -r 5 -t 1 {user} udp:127.0.0.1:{informs_to}\n"
        );
        std::fs::write(folder.join("snmpd.conf"), conf).unwrap();
        Snmpd { path, folder, port: free_udp_port(), running: None }
    }

    fn master(&self) -> PathBuf {
        self.folder.join("master")
    }

    fn start(&mut self) {
        let address = format!("udp:127.0.0.1:{}", self.port);
        let (log, conf) = (self.folder.join("log"), self.folder.join("snmpd.conf"));
        let mut command = Command::new(&self.path);
        command.args([
            "-f",
            "-r",
            "-m",
            "",
            "-C",
            "-c",
            conf.to_str().unwrap(),
            "-Lf",
            log.to_str().unwrap(),
        ]);
        // what it keeps there would replace its configuration
        command.arg(address).env("SNMP_PERSISTENT_DIR", self.folder.join("lasting")).env("MIBS", "");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(Ending(command.spawn().unwrap()));
    }

    /// Runs a tool of net-snmp as a user of SNMPv3, in a context where it is not empty.
    fn asked(&self, tool: &str, context: &str, more: &[&str]) -> Output {
        let mut command = Command::new(tool);
        command.args(USER).args([SECRET, "-m", "", "-On", "-r", "2", "-t", "2"]);
        if !context.is_empty() {
            command.args(["-n", context]);
        }
        command.arg(format!("127.0.0.1:{}", self.port)).args(more);
        command.env("SNMP_PERSISTENT_DIR", self.folder.join("tool")).output().unwrap()
    }

    fn get(&self, context: &str, below: &str) -> String {
        let output = self.asked("snmpget", context, &[&format!("{UPS}.{below}")]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.trim().split_once(" = ").map_or(said.clone(), |(_, value)| value.to_string())
    }

    fn until(&self, site: &Site, context: &str, below: &str, expected: &str) {
        let mut last = String::new();
        site.until(&format!("{context}: {below} is {expected}"), || {
            last = self.get(context, below);
            last == expected
        });
    }
}

/// snmptrapd, which takes informs of that user; the file that it writes.
fn trapd(site: &Site, path: &str, port: u16) -> (Ending, PathBuf) {
    let folder = site.folder.join("trapd");
    std::fs::create_dir_all(&folder).unwrap();
    let (conf, traps) = (folder.join("conf"), folder.join("traps"));
    let text = format!("createUser upsmon SHA authpass12 AES {SECRET}\nauthUser log upsmon priv\n");
    std::fs::write(&conf, text).unwrap();
    let mut command = Command::new(path);
    command.args([
        "-f",
        "-n",
        "-On",
        "-m",
        "",
        "-C",
        "-c",
        conf.to_str().unwrap(),
        "-Lf",
        traps.to_str().unwrap(),
    ]);
    command.arg(format!("udp:127.0.0.1:{port}")).env("SNMP_PERSISTENT_DIR", &folder);
    let running = Ending(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    // it is there when its port is taken
    site.until("snmptrapd receives", || UdpSocket::bind(("127.0.0.1", port)).is_err());
    (running, traps)
}

#[test]
fn snmpd_serves_upses_by_snmpv3_each_in_its_context_and_sends_what_happens() {
    let tools = ["snmpget", "snmpwalk", "snmpbulkwalk", "snmpset", "snmpd", "snmptrapd"];
    let [Some(_), Some(_), Some(_), Some(_), Some(snmpd), Some(snmptrapd)] =
        tools.map(|name| judge(name, program(name)))
    else {
        return;
    };
    let mut site = Site::new("agentx-snmpd", CONF, "");
    let rack = FakeDriver::start(&site, "fake-rack", ON_MAINS);
    let attic = FakeDriver::start(&site, "fake-Attic", ON_MAINS);
    let informs = free_udp_port();
    let (_trapd, traps) = trapd(&site, &snmptrapd, informs);
    let mut snmpd = Snmpd::new(snmpd, &site.folder, informs);
    // beside it an agent of our own, which has to say the same
    let (own, ports) = agents(&["rack"], None);
    let table = format!("[snmp.agentx]\nmaster = \"{}\"\nups = \"rack\"\n", snmpd.master().display());
    site.write("qxups.toml", &(own + &table));
    site.start();
    // a master that is not there yet is waited for
    site.until("it is said", || site.log().contains("start snmpd with 'master agentx'"));
    snmpd.start();
    site.until("it is connected", || site.log().contains("in the contexts the default one, Attic, rack"));
    for (context, name) in [("", "rack"), ("rack", "rack"), ("Attic", "Attic")] {
        assert_eq!(snmpd.get(context, "1.5.0"), format!("STRING: \"{name}\""), "{context}");
    }
    assert_eq!(snmpd.get("Attic", "2.4.0"), "INTEGER: 90");
    assert_eq!(snmpd.get("", "2.5.0"), "No Such Instance currently exists at this OID");
    let refused = snmpd.asked("snmpset", "rack", &[&format!("{UPS}.8.2.0"), "i", "1"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("notWritable"), "{said}");
    // what a walk finds is what our own agent has
    let lines = |output: Output| {
        let said = String::from_utf8(output.stdout).unwrap();
        let is_value = |line: &&str| line.contains(" = ") && !line.contains("No more variables");
        said.lines().filter(is_value).map(String::from).collect::<Vec<_>>()
    };
    let walked = lines(snmpd.asked("snmpwalk", "rack", &[".1.3.6.1.2.1.33"]));
    assert!(walked.len() > 10, "{walked:?}");
    assert_eq!(lines(snmpd.asked("snmpbulkwalk", "rack", &[".1.3.6.1.2.1.33"])), walked);
    let mut tool = Command::new("snmpwalk");
    tool.args(["-v2c", "-c", crate::site::snmp::COMMUNITY, "-m", "", "-On"]);
    tool.arg(format!("127.0.0.1:{}", ports[0])).arg(".1.3.6.1.2.1.33");
    assert_eq!(lines(tool.output().unwrap()), walked);
    snmp_ups_reads_by_snmpv3(&site, &snmpd);
    what_happens_is_sent(&site, &mut snmpd, &traps, &rack, &attic);
}

/// NUT's own driver for SNMP, which knows a UPS by the sysObjectID that snmpd is given.
fn snmp_ups_reads_by_snmpv3(site: &Site, snmpd: &Snmpd) {
    let Some(path) = nut_judge("snmp-ups") else { return };
    let folder = site.folder.join("snmp-ups");
    std::fs::create_dir_all(&folder).unwrap();
    let conf = format!(
        "[rack]\ndriver = snmp-ups\nport = 127.0.0.1:{}\nsnmp_version = v3\nsecLevel = authPriv\nsecName = upsmon\n\
         authPassword = authpass12\nprivPassword = {SECRET}\nauthProtocol = SHA\nprivProtocol = AES\n",
        snmpd.port
    );
    std::fs::write(folder.join("ups.conf"), conf).unwrap();
    let mut driver = Command::new("timeout");
    driver.args(["60", &path, "-a", "rack", "-d", "1", "-u", "root"]);
    for variable in ["NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH", "SNMP_PERSISTENT_DIR"] {
        driver.env(variable, &folder);
    }
    let output = driver.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for line in ["battery.charge: 90", "ups.status: OL"] {
        assert!(
            said.lines().any(|found| found == line),
            "{line}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn what_happens_is_sent(site: &Site, snmpd: &mut Snmpd, traps: &Path, rack: &FakeDriver, attic: &FakeDriver) {
    let sent = || std::fs::read_to_string(traps).unwrap_or_default();
    let is_sent = |trap: &str, ups: &str| {
        let name = format!("{UPS}.1.5.0 = STRING: \"{ups}\"");
        sent()
            .lines()
            .any(|line| line.contains(&format!("OID: .1.3.6.1.2.1.33.2.{trap}\t")) && line.contains(&name))
    };
    rack.say("SETINFO ups.status \"OB\"\n");
    snmpd.until(site, "rack", "4.1.0", "INTEGER: 5");
    site.until("the outage is sent", || is_sent("1", "rack") && is_sent("3", "rack"));
    // while snmpd is away one outage ends, another passes and a battery gets low
    snmpd.running = None;
    site.until("its end is seen", || site.log().contains("AgentX master"));
    let before = sent().len();
    attic.say("SETINFO ups.status \"OB\"\n");
    site.until_answer("GET VAR Attic ups.status", "VAR Attic ups.status \"OB\"");
    attic.say("SETINFO ups.status \"OL\"\n");
    rack.say("SETINFO ups.status \"OB LB\"\n");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB LB\"");
    site.until_answer("GET VAR Attic ups.status", "VAR Attic ups.status \"OL\"");
    snmpd.start();
    snmpd.until(site, "", "2.1.0", "INTEGER: 3");
    site.until("the low battery is sent", || sent()[before..].contains(".1.3.6.1.2.1.33.1.6.3.3"));
    assert_eq!(snmpd.get("Attic", "3.1.0"), "Counter32: 1");
    assert!(!is_sent("1", "Attic"), "what is over is sent as new: {}", sent());
    // what is old is not there
    rack.say("DATASTALE\n");
    snmpd.until(site, "", "2.1.0", "INTEGER: 1");
    assert_eq!(snmpd.get("", "2.4.0"), "No Such Instance currently exists at this OID");
}

/// Header of a packet of AgentX, and what follows.
fn packet(kind: u8, numbers: [u32; 3], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    let words = numbers.into_iter().chain([length]).flat_map(u32::to_be_bytes);
    [1, kind, 0x10, 0].into_iter().chain(words).chain(payload.iter().copied()).collect()
}

/// Takes the next connection, and answers its greeting and registrations as a master does.
fn accepted(listener: &UnixListener, registrations: u32) -> UnixStream {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for _ in 0..=registrations {
        let mut head = [0; 20];
        stream.read_exact(&mut head).unwrap();
        let number = u32::from_be_bytes(head[12..16].try_into().unwrap());
        let length = u32::from_be_bytes(head[16..].try_into().unwrap());
        std::io::copy(&mut (&mut stream).take(length.into()), &mut std::io::sink()).unwrap();
        stream.write_all(&packet(18, [7, 0, number], &[0; 8])).unwrap();
    }
    stream
}

fn resident_kb(site: &Site) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// A master that sends garbage, hangs, or asks without end and reads nothing is left; it costs clients, memory and the log
/// nothing that is felt.
#[test]
fn a_hostile_master_costs_nothing_else() {
    let mut site = Site::new("agentx-hostile", CONF, "");
    let rack = FakeDriver::start(&site, "fake-rack", ON_MAINS);
    let _attic = FakeDriver::start(&site, "fake-Attic", ON_MAINS);
    let master = site.folder.join("master");
    let listener = UnixListener::bind(&master).unwrap();
    let table =
        format!("[snmp.agentx]\nmaster = \"{}\"\ncontexts = [\"rack\", \"Attic\"]\n", master.display());
    site.write("qxups.toml", &table);
    site.start();
    let mut garbage = accepted(&listener, 0);
    garbage.write_all(&[0xff; 4000]).unwrap();
    site.until("garbage is left", || site.log().contains("is no AgentX"));
    // as much as can be asked for, again and again, and no answer is read
    let mut flood = accepted(&listener, 2);
    let before = resident_kb(&site);
    let range = [&[2, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 33][..], &[0; 4]].concat();
    let bulk = packet(7, [7, 1, 1], &[vec![0, 0, 255, 255], range.repeat(4000)].concat());
    flood.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let (began, mut longest, mut at) = (Instant::now(), Duration::ZERO, 0);
    while began.elapsed() < Duration::from_secs(4) {
        // an error: the system takes no more
        at = (at + flood.write(&bulk[at..]).unwrap_or(0)) % bulk.len();
        let asked = Instant::now();
        site.until_answer("GET VAR rack battery.charge", "VAR rack battery.charge \"90\"");
        longest = longest.max(asked.elapsed());
    }
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    let grown = resident_kb(&site).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} kB more");
    rack.say("SETINFO ups.status \"OB\"\n");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB\"");
    let lines = site.log().lines().filter(|line| line.contains("AgentX")).count();
    assert!(lines < 20, "{}", site.log());
}
