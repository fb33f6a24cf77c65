//! `qxups shutdown --dry-run`, as a user runs it, and `qxups killpower`, as the system runs it at the end of a shutdown.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use driver::power_down::PowerDownFlag;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};
use testbed::tool::{Sim, text};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS, with ups.conf in its folder.
struct Station {
    ups: Sim,
}

impl Station {
    fn new(options: &str, arguments: &[&str]) -> Station {
        let ups = Sim::start(QXUPS, arguments);
        let conf = format!("[u]\ndriver = nutdrv_qx\nport = {}\n{options}\n", ups.port);
        std::fs::write(ups.folder.join("ups.conf"), conf).unwrap();
        Station { ups }
    }

    fn dry_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(QXUPS);
        command.args(["shutdown", "u"]).args(arguments).stdin(Stdio::null());
        command.env("NUT_CONFPATH", &self.ups.folder).env("NUT_STATEPATH", &self.ups.folder).output().unwrap()
    }
}

#[test]
fn the_ups_is_asked_and_nothing_sent() {
    let station = Station::new("offdelay = 48", &[]);
    let output = station.dry_run(&["--dry-run"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for part in [
        "u speaks megatec, as the UPS on",
        "1. shutdown.stop\n     C ",
        "2. shutdown.return\n     S.8R0003     the load goes off after 48 s, and on again with mains, 180 s later",
        "if refused: S01R0003     the load goes off after 60 s, and on again with mains, 180 s later",
        "Nothing was sent.",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let heard = station.ups.heard();
    assert!(heard.contains(&"Q1".to_string()));
    assert!(!heard.iter().any(|line| line.starts_with(['C', 'S', 'T'])), "{heard:?}");
}

#[test]
fn programs_get_json() {
    let station = Station::new("stayoff", &["--protocol", "voltronic"]);
    let output = station.dry_run(&["--dry-run", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["dialect"], "voltronic");
    assert_eq!(json["steps"][0]["forms"][0]["sent"][0], "CS");
    assert_eq!(json["steps"][1]["command"], "shutdown.stayoff");
    assert_eq!(json["steps"][1]["forms"][0]["sent"][0], "S.5R0000");
    assert_eq!(json["steps"][1]["forms"][0]["off_after_seconds"], 30);
    assert!(json["steps"][1]["forms"][0]["on_after_seconds"].is_null());
}

/// A driver holds the line: what it knows is used, NUT's own as well as ours.
#[test]
fn a_driver_that_runs_is_asked() {
    let station = Station::new("sdcommands = load.off", &[]);
    let listener = UnixListener::bind(station.ups.folder.join("nutdrv_qx-u")).unwrap();
    let driver = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 64];
        let read = stream.read(&mut asked).unwrap();
        let said = "SETINFO driver.version.data \"Mecer 0.09\"\nSETINFO ups.delay.shutdown \"30\"\nADDCMD load.off\nDUMPDONE\n";
        stream.write_all(said.as_bytes()).unwrap();
        text(&asked[..read])
    });
    let out = text(&station.dry_run(&["--dry-run"]).stdout);
    assert!(out.contains("u speaks mecer, as the driver that runs says"), "{out}");
    assert!(out.contains("1. load.off\n     S00R0000     the load goes off at once, and stays off"), "{out}");
    assert_eq!(driver.join().unwrap(), "DUMPALL\n");
    assert!(station.ups.heard().is_empty(), "the line is not ours");
}

#[test]
fn what_is_wrong_is_said() {
    let station = Station::new("", &[]);
    for (arguments, part) in
        [(&[][..], "--dry-run"), (&["--dry-run", "--conf", "/nowhere"], "cannot read /nowhere")]
    {
        let output = station.dry_run(arguments);
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(part), "{output:?}");
    }
    assert!(station.ups.folder.exists() && station.ups.heard().is_empty());
}

impl Station {
    fn flag(&self) -> PowerDownFlag {
        PowerDownFlag::of(&self.ups.folder)
    }

    /// `qxups killpower`, with the code that it ends with and what it says.
    fn killpower(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(QXUPS);
        command.arg("killpower").args(arguments).stdin(Stdio::null());
        command.env("NUT_CONFPATH", &self.ups.folder).env("NUT_STATEPATH", &self.ups.folder);
        let output = command.output().unwrap();
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code(), text(&output.stderr))
    }

    /// One UPS more in ups.conf.
    fn also(&self, name: &str, port: &str, options: &str) {
        let path = self.ups.folder.join("ups.conf");
        let conf = text(&std::fs::read(&path).unwrap());
        std::fs::write(&path, format!("{conf}[{name}]\ndriver = nutdrv_qx\nport = {port}\n{options}\n"))
            .unwrap();
    }
}

fn orders(ups: &Sim) -> Vec<String> {
    ups.heard().into_iter().filter(|line| line.starts_with(['C', 'S'])).collect()
}

/// Not a question goes to a UPS where no shutdown is under way.
#[test]
fn without_a_flag_nothing_is_sent() {
    let station = Station::new("protocol = megatec", &[]);
    let flag = station.flag();
    let none = |arguments: &[&str], part: &str| {
        let (code, said) = station.killpower(arguments);
        assert!(code == Some(3) && said.contains(part) && said.contains("nothing was sent"), "{said}");
        assert_eq!(station.ups.heard(), Vec::<String>::new(), "{said}");
    };
    none(&["u"], "no shutdown is under way");
    none(&["--all"], "no shutdown is under way");
    assert_eq!(station.killpower(&["--all", "--quiet"]), (Some(3), String::new()));
    flag.raise(["v"]).unwrap();
    none(&["u"], "the flag names v, and not u");
    // another start of the machine, a flag that is torn, one that was lowered
    flag.raise(["u"]).unwrap();
    let whole = text(&std::fs::read(flag.path()).unwrap());
    let boot = whole.lines().nth(1).unwrap();
    std::fs::write(flag.path(), whole.replace(boot, "boot 00000000-0000-4000-8000-000000000000")).unwrap();
    none(&["--all"], "is of an earlier start of this machine");
    std::fs::write(flag.path(), &whole[..whole.len() - 2]).unwrap();
    none(&["--all"], "is not whole");
    std::fs::write(flag.path(), whole).unwrap();
    flag.lower().unwrap();
    none(&["--all"], "no shutdown is under way");
    // that of upsmon counts where it is asked for, and is one
    let other = station.ups.folder.join("killpower");
    std::fs::write(&other, "").unwrap();
    none(&["--all", "--flag", other.to_str().unwrap()], "is not of upsmon");
}

/// The server is gone; the UPS shows what it will do, and that is said.
#[test]
fn a_load_goes_off_by_the_flag_and_what_the_ups_shows_of_it_is_said() {
    let station = Station::new("protocol = megatec\noffdelay = 48", &["--protocol", "megatec"]);
    station.ups.control("mains fail");
    station.flag().raise(["u"]).unwrap();
    let (code, said) = station.killpower(&["u"]);
    assert_eq!(
        (code, &orders(&station.ups)[..]),
        (Some(0), &["C".to_string(), "S.8R0003".into()][..]),
        "{said}"
    );
    for part in ["shutdown.return: sent S.8R0003, accepted", "a shutdown is active (reply to Q1)"] {
        assert!(
            said.lines().any(|line| line.starts_with("qxups killpower u: ") && line.contains(part)),
            "{said}"
        );
    }
    let state = station.ups.control("state").join("\n");
    assert!(state.contains("countdown Some"), "{state}");
}

/// Of several, each is ordered by itself; what comes of all is the worst of it.
#[test]
fn all_that_the_flag_names_are_switched_off_and_no_other() {
    let station = Station::new("protocol = megatec", &[]);
    let [second, other, refuses] = [(); 3].map(|()| Sim::start(QXUPS, &["--protocol", "mecer"]));
    station.also("v", &second.port, "protocol = mecer\nsdorder = 1");
    station.also("other", &other.port, "protocol = mecer");
    station.also("refuses", &refuses.port, "protocol = mecer");
    refuses.control("refuse (NAK");
    station.flag().raise(["u", "v"]).unwrap();
    let (code, said) = station.killpower(&["--all"]);
    assert_eq!(code, Some(0), "{said}");
    for ups in [&station.ups, &second] {
        assert_eq!(orders(ups), ["C", "S.5R0003"], "{said}");
    }
    assert_eq!(other.heard(), Vec::<String>::new(), "{said}");
    station.flag().raise(["v", "refuses", "gone"]).unwrap();
    let (code, said) = station.killpower(&["--all"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ups.conf has no section [gone]: its load stays on"), "{said}");
    assert!(said.contains("killpower refuses: the UPS accepted no command to switch the load off"), "{said}");
    assert_eq!(orders(&second).len(), 4, "{said}");
}

/// By the flag of upsmon: all of ups.conf, but for those that sdorder leaves out.
#[test]
fn the_flag_of_upsmon_counts_where_it_is_asked_for() {
    let station = Station::new("protocol = megatec", &[]);
    let other = Sim::start(QXUPS, &[]);
    station.also("other", &other.port, "sdorder = -1");
    let flag = station.ups.folder.join("killpower");
    std::fs::write(&flag, "upsmon-shutdown-file").unwrap();
    let (code, said) = station.killpower(&["--all"]);
    assert!(code == Some(3) && station.ups.heard().is_empty(), "{said}");
    let (code, said) = station.killpower(&["--all", "--flag", flag.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(orders(&station.ups), ["C", "S.5R0003"]);
    assert_eq!(other.heard(), Vec::<String>::new());
}
