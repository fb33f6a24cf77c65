//! A UPS that the server drives itself is seen by others on the machine as with its driver: by Debian's upsd, at the
//! driver's socket. The driver itself does not share the line, not even at the end of a shutdown.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use nix::sys::signal::Signal;
use site::{Client, Site, free_port, program};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use testbed::nut::Which;
use testbed::ups::SimUps;

const STATUS: &str = "GET VAR rack ups.status";
const ON_MAINS: &str = "VAR rack ups.status \"OL\"";

fn conf(ups: &SimUps) -> String {
    format!(
        "pollinterval = 1\n[rack]\ndriver = nutdrv_qx\nport = {}\nprotocol = megatec\n",
        ups.port.display()
    )
}

fn begin(name: &str, knobs: &[&str]) -> (SimUps, Site) {
    let ups = SimUps::start(name, Which::Ours, "megatec", knobs);
    let site = Site::started(name, &conf(&ups), "");
    site.until_answer(STATUS, ON_MAINS);
    site.until("the driver's socket is there", || {
        UnixStream::connect(site.state().join("nutdrv_qx-rack")).is_ok()
    });
    (ups, site)
}

/// The driver as a process of its own.
fn driver(site: &Site) -> Command {
    let program = site.folder.join("nutdrv_qx");
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_upsd"), &program);
    let mut driver = Command::new(program);
    site.environment(&mut driver);
    driver.args(["-a", "rack"]);
    if nix::unistd::Uid::effective().is_root() {
        driver.args(["-u", "root"]);
    }
    driver
}

fn kill_power(site: &Site) -> Output {
    driver(site).arg("-k").output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Found by a review: a reload that ended the session of a UPS said "failed" of an order that the UPS obeyed.
#[test]
fn an_order_under_way_is_followed_to_its_end_before_a_reload() {
    let (ups, site) = begin("midway", &[]);
    let mut client = site.connect().user("admin", "secret");
    assert_eq!(client.ask("SET TRACKING ON"), "OK");
    let answer = client.ask("INSTCMD rack shutdown.return");
    let id = answer.strip_prefix("OK TRACKING ").unwrap().to_string();
    site.until("it is sent", || !orders(&ups).is_empty());
    site.write("ups.conf", "[other]\ndriver = qxups-sim\n");
    assert!(site.upsd().args(["-c", "reload"]).output().unwrap().status.success());
    assert_eq!(client.ask("GET VAR rack ups.status"), "ERR UNKNOWN-UPS");
    assert_eq!(client.ask(&format!("GET TRACKING {id}")), "SUCCESS");
}

/// What switches the load off.
fn orders(ups: &SimUps) -> Vec<String> {
    ups.heard().into_iter().filter(|line| line == "C" || line.starts_with('S')).collect()
}

#[test]
fn debian_s_upsd_reads_and_commands_over_the_driver_s_socket() {
    let Some(upsd) = program("upsd") else { return println!("no upsd here") };
    let (ups, mut site) = begin("beside", &[]);
    // upsd passes over a section without a port
    let simulated = "[lab]\ndriver = qxups-sim\nport = none\n";
    site.write("ups.conf", &format!("{}{simulated}", conf(&ups)));
    site.signal(Signal::SIGHUP);
    site.until_answer("GET VAR lab ups.status", "VAR lab ups.status \"OL\"");
    let port = free_port();
    let theirs = site.folder.join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("upsd.conf"), format!("LISTEN 127.0.0.1 {port}\n")).unwrap();
    for name in ["ups.conf", "upsd.users"] {
        std::fs::copy(site.folder.join(name), theirs.join(name)).unwrap();
    }
    let mut upsd = Command::new(upsd);
    upsd.env("NUT_CONFPATH", &theirs).env("NUT_STATEPATH", site.state()).env("NUT_ALTPIDPATH", &theirs);
    let mut upsd =
        upsd.args(["-D", "-u", "root"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    site.until("upsd listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let of_upsd = |line: &str| Client::new(port).ask(line);
    for name in ["rack", "lab"] {
        let line = format!("GET VAR {name} ups.status");
        site.until("upsd has data", || of_upsd(&line) == format!("VAR {name} ups.status \"OL\""));
        let lists =
            |list: &str| [site.port, port].map(|port| Client::new(port).list(&format!("{list} {name}")));
        for list in ["LIST CMD", "LIST RW"] {
            let [ours, debians] = lists(list);
            assert!(ours.len() > 3 && ours == debians, "{ours:#?}\n{debians:#?}");
        }
    }
    let mut client = Client::new(port).user("admin", "secret");
    assert_eq!(client.ask("INSTCMD rack beeper.toggle"), "OK");
    site.until("the UPS hears it", || ups.heard().contains(&"Q".to_string()));
    // what changes is told
    ups.turn("mains fail");
    site.until("upsd hears of the outage", || of_upsd(STATUS).contains("OB"));
    // a UPS that goes takes its socket along, and upsd knows
    site.write("ups.conf", &format!("pollinterval = 1\n{simulated}"));
    site.signal(Signal::SIGHUP);
    site.until("upsd knows", || of_upsd(STATUS) == "ERR DRIVER-NOT-CONNECTED");
    assert!(!site.state().join("nutdrv_qx-rack").exists());
    assert!(site.state().join("qxups-sim-lab").exists());
    site.signal(Signal::SIGTERM);
    assert!(site.wait().success());
    assert!(!site.state().join("qxups-sim-lab").exists());
    upsd.kill().unwrap();
    upsd.wait().unwrap();
}

#[test]
fn a_driver_that_is_started_beside_it_leaves_the_line_alone() {
    let (_ups, site) = begin("second", &[]);
    for arguments in [&["-F"][..], &["-FF"], &[]] {
        let output = driver(&site).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(err(&output).contains("drives [rack] already"), "{}", err(&output));
    }
    for order in ["reload", "exit"] {
        let output = driver(&site).args(["-c", order]).output().unwrap();
        assert!(!output.status.success() && err(&output).contains("qxups reload"), "{}", err(&output));
    }
    assert!(!site.state().join("nutdrv_qx-rack.pid").exists(), "upsdrvctl stop would end the server");
    assert_eq!(site.ask(STATUS), ON_MAINS);
    assert!(UnixStream::connect(site.state().join("nutdrv_qx-rack")).is_ok());
}

/// `upsdrvctl shutdown` while the server runs: the server sends the order, once.
#[test]
fn the_server_switches_the_load_off_for_the_driver() {
    let (ups, site) = begin("kill", &[]);
    ups.forget();
    let output = kill_power(&site);
    assert!(output.status.success(), "{}", err(&output));
    assert!(err(&output).contains("it switches the load off"), "{}", err(&output));
    assert_eq!(orders(&ups), ["C", "S.5R0003"]);
    assert!(UnixStream::connect(site.state().join("nutdrv_qx-rack")).is_ok(), "the server goes on");
}

/// An order that the UPS does not obey is not reported as done, and the UPS hears no second program.
#[test]
fn what_the_server_did_not_see_is_not_said_to_be_done() {
    let (ups, site) = begin("refused", &[]);
    ups.turn("silent on");
    let output = kill_power(&site);
    assert!(!output.status.success(), "{}", err(&output));
    assert!(err(&output).contains("did not see the UPS"), "{}", err(&output));
}

/// At the end of a shutdown the server was stopped, or killed: the driver does it, as without a server.
#[test]
fn a_server_that_has_ended_leaves_it_to_the_driver() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (ups, mut site) = begin("ended", &[]);
        site.signal(signal);
        site.wait();
        assert_eq!(site.state().join("nutdrv_qx-rack").exists(), signal == Signal::SIGKILL);
        ups.forget();
        let output = kill_power(&site);
        assert!(output.status.success(), "{}", err(&output));
        assert_eq!(orders(&ups), ["C", "S.5R0003"]);
    }
}

/// One that hangs would keep the load on: it is waited for as a driver that hangs, and no longer.
#[test]
fn a_server_that_hangs_is_not_waited_for() {
    let (ups, site) = begin("hangs", &[]);
    site.signal(Signal::SIGSTOP);
    ups.forget();
    let began = Instant::now();
    let output = kill_power(&site);
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        err(&output).contains("does not answer for 2 s: it was killed; going on alone"),
        "{}",
        err(&output)
    );
    assert!(began.elapsed() > Duration::from_secs(2));
    assert_eq!(orders(&ups), ["C", "S.5R0003"]);
}

/// A server that is stopped while a load is being switched off does that first.
#[test]
fn an_order_that_is_under_way_is_finished_before_the_server_exits() {
    let (ups, mut site) = begin("finishes", &["latency 900"]);
    ups.forget();
    let mut asking = driver(&site).arg("-k").stderr(Stdio::piped()).spawn().unwrap();
    site.until("the order has begun", || site.log().contains("beginning") || !orders(&ups).is_empty());
    site.signal(Signal::SIGTERM);
    assert!(asking.wait().unwrap().success());
    assert!(site.wait().success());
    assert_eq!(orders(&ups), ["C", "S.5R0003"]);
    assert!(site.log().contains("exiting when that is done"), "{}", site.log());
}

/// The driver's own commands are there as at upsd before a driver of newer NUT.
#[test]
fn a_client_may_ask_for_a_reload() {
    let (ups, site) = begin("asked", &[]);
    let commands = site.connect().list("LIST CMD rack");
    for name in ["driver.killpower", "driver.reload", "driver.reload-or-error", "driver.reload-or-exit"] {
        assert!(commands.contains(&format!("CMD rack {name}")), "{commands:?}");
    }
    site.write("ups.conf", &format!("{}[lab]\ndriver = qxups-sim\n", conf(&ups)));
    let mut client = site.connect().user("admin", "secret");
    assert_eq!(client.ask("INSTCMD rack driver.reload"), "OK");
    site.until_answer("GET VAR lab ups.status", "VAR lab ups.status \"OL\"");
    // not without a word: the flag is off
    assert_eq!(client.ask("SET TRACKING ON"), "OK");
    ups.forget();
    let answer = client.ask("INSTCMD rack driver.killpower");
    let id = answer.strip_prefix("OK TRACKING ").unwrap().to_string();
    site.until("it has ended", || client.ask(&format!("GET TRACKING {id}")) != "PENDING");
    assert_eq!(client.ask(&format!("GET TRACKING {id}")), "ERR FAILED");
    assert_eq!(orders(&ups), [""; 0]);
}

/// Found by a review: a reload that was refused was SUCCESS for the client that asked for it.
#[test]
fn a_client_that_asks_for_a_reload_hears_what_came_of_it() {
    let (ups, site) = begin("asked-in-vain", &[]);
    let mut client = site.connect().user("admin", "secret");
    assert_eq!(client.ask("SET TRACKING ON"), "OK");
    let mut outcome = || {
        let answer = client.ask("INSTCMD rack driver.reload");
        let id = answer.strip_prefix("OK TRACKING ").unwrap().to_string();
        site.until("it has ended", || client.ask(&format!("GET TRACKING {id}")) != "PENDING");
        client.ask(&format!("GET TRACKING {id}"))
    };
    let began = Instant::now();
    assert_eq!(outcome(), "SUCCESS");
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for itself");
    site.write("ups.conf", &format!("{}polinterval = 2\n", conf(&ups)));
    assert_eq!(outcome(), "ERR FAILED");
    assert!(site.log().contains("rack: driver.reload: ") && site.log().contains("going on as before"));
}
