//! UPSes of other servers: of ours, of Debian's upsd, of one that goes away.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{FakeDriver, Site, program};
use std::process::{Command, Stdio};
use std::time::Duration;

fn conf(driver: &str, ups: &str, port: u16, more: &str) -> String {
    format!("[far]\ndriver = {driver}\nport = {ups}@127.0.0.1:{port}\n{more}")
}

const USER: &str = "upstream_user = admin\nupstream_password = secret\n";

#[test]
fn a_ups_of_another_server_is_read_and_commanded_with_a_user() {
    let there = Site::started("there", "[rack]\ndriver = qxups-sim\n", "");
    there.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let here = Site::started("here", &conf("nut-upstream", "rack", there.port, USER), "");
    here.until_answer("GET VAR far ups.status", "VAR far ups.status \"OL\"");
    let named = |site: &Site, list: &str, ups: &str| -> Vec<String> {
        let lines = site.connect().list(&format!("{list} {ups}"));
        lines
            .into_iter()
            .map(|line| line.replace(&format!(" {ups} "), " ").replace(&format!(" {ups}"), ""))
            .collect()
    };
    for list in ["LIST VAR", "LIST RW", "LIST CMD"] {
        assert_eq!(named(&here, list, "far"), named(&there, list, "rack"));
    }
    let values = |site: &Site, ups: &str| site.connect().list(&format!("LIST RANGE {ups} ups.delay.start"));
    assert_eq!(values(&here, "far")[1], values(&there, "rack")[1].replace("rack", "far"));
    let mut client = here.connect().user("admin", "secret");
    assert_eq!(client.ask("SET TRACKING ON"), "OK");
    let answer = client.ask("SET VAR far ups.delay.start \"240\"");
    let id = answer.strip_prefix("OK TRACKING ").unwrap().to_string();
    here.until("it is done", || client.ask(&format!("GET TRACKING {id}")) == "SUCCESS");
    assert_eq!(there.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
    here.until_answer("GET VAR far ups.delay.start", "VAR far ups.delay.start \"240\"");
    assert!(!here.log().contains("secret"), "{}", here.log());
}

#[test]
fn without_a_user_it_is_only_read() {
    let there = Site::started("reads", "[rack]\ndriver = qxups-sim\n", "");
    let here = Site::started("reader", &conf("dummy-ups", "rack", there.port, ""), "");
    here.until_answer("GET VAR far ups.status", "VAR far ups.status \"OL\"");
    let mut client = here.connect().user("admin", "secret");
    assert_eq!(client.ask("INSTCMD far load.off"), "ERR INSTCMD-FAILED");
    assert!(!there.log().contains("load.off"));
}

/// What the other server says of the state of its data is said here, and nothing outlives it.
#[test]
fn the_state_of_the_data_is_that_of_the_other_server() {
    let mut there = Site::started("states", "[rack]\ndriver = usbhid-ups\nport = auto\n", "");
    let here = Site::started("mirrors", &conf("nut-upstream", "rack", there.port, ""), "");
    let status = "GET VAR far ups.status";
    here.until_answer(status, "ERR DRIVER-NOT-CONNECTED");
    let dump = "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n";
    let driver = FakeDriver::start(&there, "usbhid-ups-rack", dump);
    here.until_answer(status, "VAR far ups.status \"OL\"");
    driver.say("DATASTALE\n");
    here.until_answer(status, "ERR DATA-STALE");
    driver.say("SETINFO ups.status \"OB LB\"\nDATAOK\n");
    here.until_answer(status, "VAR far ups.status \"OB LB\"");
    there.kill();
    here.until_answer(status, "ERR DRIVER-NOT-CONNECTED");
    there.start();
    // the driver dumps anew, and its dump is as it was
    here.until_answer(status, "VAR far ups.status \"OL\"");
}

/// One that accepts and says nothing costs its own UPS, and no other.
#[test]
fn a_server_that_hangs_delays_no_other_ups() {
    let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let conf = conf("nut-upstream", "rack", hangs.local_addr().unwrap().port(), "");
    let here = Site::started("beside", &format!("{conf}[near]\ndriver = qxups-sim\n"), "");
    here.until_answer("GET VAR near ups.status", "VAR near ups.status \"OL\"");
    let began = std::time::Instant::now();
    assert_eq!(here.ask("GET VAR far ups.status"), "ERR DRIVER-NOT-CONNECTED");
    assert_eq!(here.ask("GET VAR near ups.status"), "VAR near ups.status \"OL\"");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn debian_s_upsd_is_another_server() {
    let Some(upsd) = program("upsd").filter(|path| path.starts_with("/lib/nut/")) else {
        return println!("no upsd of NUT here");
    };
    let there = Site::new("debian", "[rack]\ndriver = usbhid-ups\nport = auto\n", "");
    let dump = "SETINFO ups.status \"OL\"\nSETINFO ups.id \"a \\\"b\\\" \\\\ \\#\"\nSETFLAGS ups.id RW STRING\nSETAUX ups.id 8\n\
                SETINFO x.y \"1\"\nADDENUM x.y \"1\"\nADDENUM x.y \"2\"\nSETFLAGS x.y RW NUMBER\nADDCMD load.off\nDATAOK\nDUMPDONE\n";
    let _driver = FakeDriver::start(&there, "usbhid-ups-rack", dump);
    let mut server = Command::new(upsd);
    there.environment(&mut server);
    let mut server =
        server.args(["-F", "-u", "root"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let here = Site::started("beside-debian", &conf("nut-upstream", "rack", there.port, USER), "");
    here.until_answer("GET VAR far ups.status", "VAR far ups.status \"OL\"");
    here.until_answer("GET TYPE far x.y", "TYPE far x.y RW ENUM NUMBER");
    assert_eq!(here.ask("GET VAR far ups.id"), "VAR far ups.id \"a \\\"b\\\" \\\\ \\#\"");
    assert_eq!(here.ask("GET TYPE far ups.id"), "TYPE far ups.id RW STRING:8");
    let choices = here.connect().list("LIST ENUM far x.y");
    assert_eq!(choices[1..3], ["ENUM far x.y \"1\"", "ENUM far x.y \"2\""]);
    server.kill().unwrap();
    server.wait().unwrap();
}
