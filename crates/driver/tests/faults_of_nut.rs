//! Faults of NUT's driver that ours does not share, seen in both at once: what each of them does, and
//! that NUT still does it. Those that differ per dialect or option stand in the other differential tests.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod process;

use beside::listed;
use process::Usage;
use std::process::Command;
use std::time::Duration;
use testbed::nut::{NutStation, Which, both, lives};
use testbed::ups::SimUps;

/// Both drivers at once, each on a UPS of its own; what `watch` saw of NUT's and of ours.
fn beside<T: Send>(
    name: &str,
    knobs: &[&str],
    options: &str,
    watch: impl Fn(&SimUps, &mut NutStation) -> T + Sync,
) -> (T, T) {
    let run = |which| {
        let ups = SimUps::start(name, which, "megatec", knobs);
        let mut station = NutStation::new(name, which);
        station.configure(&ups.port, &format!("protocol = megatec\n{options}"));
        station.start_driver();
        station.start_upsd();
        watch(&ups, &mut station)
    };
    both(run)
}

#[test]
fn alarms_come_with_the_first_data() {
    listed("alarm-late");
    let (nut, ours) =
        beside("alarm", &["fault on"], "", |_, station| station.upsc().get("ups.alarm").cloned());
    assert_eq!((nut, ours.as_deref()), (None, Some("UPS selftest failed!")));
}

#[test]
fn bits_leave_when_the_ups_clears_them() {
    listed("bits-stay");
    let (nut, ours) = beside("bits", &["mains 185"], "pollfreq = 10", |ups, station| {
        // NUT needs a full poll to have seen it
        station.wait_status("OL BOOST");
        ups.turn("mains back");
        std::thread::sleep(Duration::from_secs(4));
        station.upsc_value("ups.status")
    });
    assert_eq!((nut.as_str(), ours.as_str()), ("OL BOOST", "OL"));
}

#[test]
fn volts_of_a_cell_show_the_right_charge() {
    listed("cell-volts");
    let (nut, ours) = beside("cell", &["cell on"], "", |_, station| station.upsc_value("battery.charge"));
    assert_eq!((nut.as_str(), ours.as_str()), ("0", "100"));
}

/// The clock of the host is set back by an hour while the driver runs, and a client asks something
/// in the same moment.
#[test]
fn a_clock_that_jumps_does_not_stop_the_polls() {
    listed("one-round");
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
    let library = std::fs::metadata(library).map(|_| library.to_string()).unwrap_or_else(|_| {
        let found =
            Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]).output().unwrap();
        let found = String::from_utf8_lossy(&found.stdout).trim().to_string();
        assert!(!found.is_empty(), "this test needs faketime: apt-get install faketime");
        found
    });
    let polls_after_jump = |which| {
        let ups = SimUps::start("clock", which, "megatec", &[]);
        let station = NutStation::new("clock", which);
        station.configure(&ups.port, "protocol = megatec");
        let clock = station.folder.join("clock");
        std::fs::write(&clock, "+0").unwrap();
        let mut command = station.command(station.driver(), &["-a", "u"]);
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME_TIMESTAMP_FILE", &clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        assert!(command.output().unwrap().status.success());
        let mut socket = station.socket();
        std::thread::sleep(Duration::from_millis(3200));
        std::fs::write(&clock, "-1h").unwrap();
        socket.send("PING\n");
        socket.lines_until("PONG");
        std::thread::sleep(Duration::from_millis(1500));
        ups.forget();
        std::thread::sleep(Duration::from_secs(8));
        ups.heard().len()
    };
    let (nut, ours) = both(polls_after_jump);
    assert!(ours >= 6, "ours asked {ours} times in eight seconds");
    assert_eq!(nut, 0, "NUT 2.8.0 is expected to stop here");
}

#[test]
fn a_line_that_was_set_otherwise_is_set_again() {
    listed("silent-line");
    let status = |ups: &SimUps, station: &mut NutStation| {
        station.wait_status("OL");
        // no carriage return comes through any more
        let done = Command::new("stty").arg("-F").arg(&ups.port).arg("igncr").status().unwrap();
        assert!(done.success());
        ups.turn("mains fail");
        if station.which == Which::Ours {
            station.wait_status("OB");
        } else {
            std::thread::sleep(Duration::from_secs(30));
        }
        station.upsc_value("ups.status")
    };
    let (nut, ours) = beside("set-otherwise", &[], "", status);
    assert_eq!((nut.as_str(), ours.as_str()), ("", "OB"));
}

#[test]
fn a_client_that_leaves_costs_nothing() {
    listed("client-leaves");
    let worked = |which| {
        let ups = SimUps::start("leaves", which, "megatec", &[]);
        let station = NutStation::new("leaves", which);
        station.configure(&ups.port, "protocol = megatec");
        station.start_driver();
        let pid = station.pid().unwrap();
        let mut client = station.socket();
        client.send("PING\n");
        client.lines_until("PONG");
        drop(client);
        let before = Usage::of(pid);
        std::thread::sleep(Duration::from_secs(4));
        let after = Usage::of(pid);
        (after.worked - before.worked).as_secs_f64() / (after.at - before.at).as_secs_f64()
    };
    let (nut, ours) = both(worked);
    assert!(ours < 0.1, "{ours} of a processor");
    assert!(nut > 4.0 * ours.max(0.02), "NUT 2.8.0 is expected to spin: {nut} of a processor, ours {ours}");
}

#[test]
fn setting_what_has_no_value_ends_nobody() {
    listed("set-without-value");
    let after_set = |which| {
        // this unit does not tell its packs, so nothing is there to be set
        let ups = SimUps::start("unset", which, "voltronic", &["forget QBV"]);
        let station = NutStation::new("unset", which);
        station.configure(&ups.port, "protocol = voltronic");
        station.start_driver();
        let pid = station.pid().unwrap();
        // it is upsd that refuses this; other programs may write to the socket as well
        let mut socket = station.socket();
        socket.send("SET battery.packs 2\n");
        std::thread::sleep(Duration::from_secs(3));
        lives(pid)
    };
    assert_eq!(both(after_set), (false, true));
}
