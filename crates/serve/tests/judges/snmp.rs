//! Managers of others before our agents: net-snmp's tools, and NUT's own driver for SNMP, which has to read from an agent
//! what upsc reads from the server, as far as RFC 1628 and that driver carry it.

use super::{both, ended, printed};
use crate::site::snmp::{COMMUNITY, Manager, UPS, agents, free_udp_port};
use crate::site::{FakeDriver, Site, judge, nut_judge, program};
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

/// Status words, and what snmp-ups makes of them: it reads no alarms (NUT 2.8.0 drivers/ietf-mib.c), so RB, OVER and FSD stay
/// with the agent's alarm table, which is beside it by the numbers of RFC 1628.
const STATUSES: &[(&str, &str, &[u32])] = &[
    ("OL", "OL", &[]),
    ("OB", "OB", &[2, 6]),
    ("OB LB", "OB LB", &[2, 3, 6]),
    ("OL LB", "OL LB", &[3]),
    ("OL RB", "OL", &[1]),
    ("OL OVER", "OL", &[8]),
    ("OL BYPASS", "OL BYPASS", &[9]),
    ("OL BOOST", "OL BOOST", &[]),
    ("OL TRIM", "OL TRIM", &[]),
    ("OFF", "OFF", &[14]),
    ("OB CAL", "OB CAL", &[2, 24]),
    ("FSD OB LB", "OB LB", &[2, 3, 6, 22]),
];

/// What RFC 1628 carries: the name in snmp-ups, ours, and in what steps.
const VALUES: &[(&str, &str, f64)] = &[
    ("battery.charge", "battery.charge", 1.0),
    ("battery.runtime", "battery.runtime", 60.0),
    ("battery.voltage", "battery.voltage", 0.1),
    ("battery.temperature", "ups.temperature", 1.0),
    ("input.voltage", "input.voltage", 1.0),
    ("input.frequency", "input.frequency", 0.1),
    ("input.voltage.nominal", "input.voltage.nominal", 1.0),
    ("input.frequency.nominal", "input.frequency.nominal", 0.1),
    ("input.transfer.low", "input.transfer.low", 1.0),
    ("input.transfer.high", "input.transfer.high", 1.0),
    ("output.voltage", "output.voltage", 1.0),
    ("output.frequency", "output.frequency", 0.1),
    ("output.current", "output.current", 0.1),
    ("output.voltage.nominal", "output.voltage.nominal", 1.0),
    ("output.frequency.nominal", "output.frequency.nominal", 0.1),
    ("output.power.nominal", "ups.power.nominal", 1.0),
    ("output.realpower.nominal", "ups.realpower.nominal", 1.0),
    ("ups.load", "ups.load", 1.0),
];

/// And texts.
const TEXTS: &[(&str, &str)] = &[
    ("device.mfr", "device.mfr"),
    ("device.model", "device.model"),
    ("ups.firmware", "ups.firmware"),
    ("ups.beeper.status", "ups.beeper.status"),
    ("ups.start.auto", "ups.start.auto"),
];

fn dump(words: &str) -> String {
    format!("SETINFO ups.status \"{words}\"\nSETINFO battery.charge \"87\"\nDATAOK\nDUMPDONE\n")
}

/// snmp-ups in a folder of its own: it asks once and prints what it has.
fn snmp_ups(path: &str, site: &Site, name: &str, port: u16, version: &str) -> Child {
    let folder = site.folder.join(format!("snmp-ups-{name}-{version}"));
    std::fs::create_dir_all(&folder).unwrap();
    let conf = format!(
        "[{name}]\ndriver = snmp-ups\nport = 127.0.0.1:{port}\ncommunity = {COMMUNITY}\nsnmp_version = {version}\n"
    );
    std::fs::write(folder.join("ups.conf"), conf).unwrap();
    let mut driver = Command::new("timeout");
    driver
        .args(["60", path, "-a", name, "-d", "1", "-u", "root"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in ["NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"] {
        driver.env(variable, &folder);
    }
    driver.spawn().unwrap()
}

fn variables(child: Child) -> BTreeMap<String, String> {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    let pairs = lines.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The words of a status, whose order means nothing.
fn sorted(status: &str) -> Vec<&str> {
    let mut words: Vec<_> = status.split_whitespace().collect();
    words.sort_unstable();
    words
}

fn upsc(site: &Site, name: &str) -> BTreeMap<String, String> {
    let printed = site.printed("upsc", &[&format!("{name}@{{}}")]);
    let pairs = printed.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// NUT's driver on our agents says what upsc says of our server; in each status.
#[test]
fn snmp_ups_reads_from_the_agent_what_upsc_reads_from_the_server() {
    let Some(path) = nut_judge("snmp-ups") else { return };
    let names: Vec<String> = (0..STATUSES.len()).map(|number| format!("s{number}")).collect();
    let mut conf = "[live]\ndriver = qxups-sim\nprotocol = voltronic\nscenario = on-battery\n\
                    [mains]\ndriver = qxups-sim\nprotocol = voltronic-qs\n"
        .to_string();
    names.iter().for_each(|name| conf += &format!("[{name}]\ndriver = fake\nport = auto\n"));
    let mut site = Site::new("judge-snmp-ups", &conf, "");
    let _drivers: Vec<FakeDriver> = names
        .iter()
        .zip(STATUSES)
        .map(|(name, (words, ..))| FakeDriver::start(&site, &format!("fake-{name}"), &dump(words)))
        .collect();
    let all: Vec<&str> = ["live", "mains"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let (toml, ports) = agents(&all, None);
    site.write("qxups.toml", &toml);
    site.start();
    site.until_answer("GET VAR live ups.status", "VAR live ups.status \"OB\"");
    site.until_answer("GET VAR mains ups.status", "VAR mains ups.status \"OL\"");
    site.until("the voltronic was asked all", || upsc(&site, "live").contains_key("input.transfer.high"));
    let before = ["live", "mains"].map(|name| upsc(&site, name));
    let asked: Vec<Child> =
        all.iter().zip(&ports).map(|(name, port)| snmp_ups(&path, &site, name, *port, "v2c")).collect();
    let mut theirs: Vec<_> = asked.into_iter().map(variables).collect();
    for ((words, expected, alarms), (theirs, port)) in
        STATUSES.iter().zip(theirs[2..].iter().zip(&ports[2..]))
    {
        assert_eq!(sorted(&theirs["ups.status"]), sorted(expected), "{words}");
        assert_eq!(theirs["battery.charge"], "87", "{words}");
        assert_eq!(Manager::new("127.0.0.1", *port).alarms(), *alarms, "{words}");
    }
    theirs.truncate(2);
    // v1 is what it speaks unless it is said
    theirs.push(variables(snmp_ups(&path, &site, "live", ports[0], "v1")));
    let mut compared = 0;
    let [live, mains] = &before;
    for ((name, before), theirs) in
        [("live", live), ("mains", mains), ("live", live)].into_iter().zip(&theirs)
    {
        let ours = upsc(&site, name);
        assert_eq!(sorted(&theirs["ups.status"]), sorted(&ours["ups.status"]), "{name}");
        for (there, here, step) in VALUES {
            let number =
                |values: &BTreeMap<String, String>, name: &str| values.get(name)?.parse::<f64>().ok();
            let (there_is, here_is) = (number(theirs, there), number(&ours, here));
            assert_eq!(
                there_is.is_some(),
                here_is.is_some(),
                "{name}: {there} {there_is:?}, {here} {here_is:?}"
            );
            let Some(((there_is, here_is), was)) = there_is.zip(here_is).zip(number(before, here)) else {
                continue;
            };
            // the battery goes on meanwhile: it is between what was before and what is behind it
            let (least, most) = (was.min(here_is) - step, was.max(here_is) + step);
            assert!((least..=most).contains(&there_is), "{name}: {there} {there_is}, not {least} to {most}");
            compared += 1;
        }
        for (there, here) in TEXTS {
            let said = theirs.get(*there).filter(|text| !text.is_empty());
            assert_eq!(said, ours.get(*here), "{name}: {there}");
        }
    }
    assert!(compared > 30, "{compared} values");
}

/// net-snmp's tools read the same by GET, GETNEXT and GETBULK, in both versions; SET is refused; snmptrapd takes the traps.
#[test]
fn the_tools_of_net_snmp_read_an_agent_and_take_its_traps() {
    let tools = ["snmpget", "snmpwalk", "snmpbulkwalk", "snmpset"].map(|name| judge(name, program(name)));
    let trapd = judge("snmptrapd", program("snmptrapd"));
    let ([Some(get), Some(walk), Some(bulkwalk), Some(set)], Some(trapd)) = (tools, trapd) else { return };
    let mut site = Site::new("judge-snmp", "[rack]\ndriver = fake\nport = auto\n", "");
    let dump = "SETINFO ups.status \"OL\"\nSETINFO battery.temperature \"-12\"\nSETINFO ups.mfr \"Acme & Co\"\nDATAOK\n\
                DUMPDONE\n";
    let driver = FakeDriver::start(&site, "fake-rack", dump);
    let trap_port = free_udp_port();
    let traps = site.folder.join("traps");
    let conf = site.folder.join("snmptrapd.conf");
    std::fs::write(&conf, format!("authCommunity log {COMMUNITY}\n")).unwrap();
    let receiver = format!("udp:127.0.0.1:{trap_port}");
    let mut command = Command::new(trapd);
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
        &receiver,
    ]);
    let _receiving =
        Ending(command.env("SNMP_PERSISTENT_DIR", &site.folder).stderr(Stdio::null()).spawn().unwrap());
    // it is there when its port is taken
    site.until("snmptrapd receives", || UdpSocket::bind(("127.0.0.1", trap_port)).is_err());
    let (toml, ports) = agents(&["rack"], None);
    site.write(
        "qxups.toml",
        &toml.replace("[snmp.agents]", &format!("traps = [\"127.0.0.1:{trap_port}\"]\n[snmp.agents]")),
    );
    site.start();
    let manager = Manager::new("127.0.0.1", ports[0]);
    manager.until(&site, "2.7.0", "INTEGER -12");
    let place = format!("127.0.0.1:{}", ports[0]);
    let asked = |tool: &str, version: &str, more: &[&str]| {
        let mut command = Command::new(tool);
        command.args([version, "-c", COMMUNITY, "-m", "", "-On", "-r", "3", "-t", "2", &place]).args(more);
        command
    };
    let said = printed(&mut asked(
        &get,
        "-v2c",
        &["1.3.6.1.2.1.1.2.0", &format!("{UPS}.1.1.0"), &format!("{UPS}.2.4.0")],
    ));
    assert_eq!(
        said,
        ".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.2.1.33\n.1.3.6.1.2.1.33.1.1.1.0 = STRING: \"Acme & Co\"\n\
         .1.3.6.1.2.1.33.1.2.4.0 = No Such Instance currently exists at this OID\n"
    );
    let objects = |tool: &str, version: &str| {
        let said = printed(&mut asked(tool, version, &[UPS]));
        said.lines().map(String::from).filter(|line| line.contains(" = ")).collect::<Vec<_>>()
    };
    let [walked, bulk, v1] =
        [(&walk, "-v2c"), (&bulkwalk, "-v2c"), (&walk, "-v1")].map(|(tool, version)| objects(tool, version));
    assert!(walked.contains(&".1.3.6.1.2.1.33.1.2.7.0 = INTEGER: -12".to_string()), "{walked:?}");
    let without_end = |lines: &[String]| {
        lines.iter().filter(|line| !line.contains("No more variables")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(without_end(&walked), without_end(&bulk));
    assert_eq!(without_end(&walked), without_end(&v1));
    let refused = ended(&mut asked(&set, "-v2c", &[&format!("{UPS}.9.8.0"), "i", "1"]));
    assert!(!refused.status.success() && both(&refused).contains("notWritable"), "{}", both(&refused));
    driver.say("SETINFO ups.status \"OB LB\"\n");
    for part in [".1.3.6.1.2.1.33.2.1", ".1.3.6.1.2.1.33.2.3", ".1.3.6.1.2.1.33.1.6.3.3", "\"rack\""] {
        site.until(part, || std::fs::read_to_string(&traps).unwrap_or_default().contains(part));
    }
}

/// A program that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
