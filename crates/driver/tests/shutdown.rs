//! The way from an outage to a load that is off and on again, with NUT's own programs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;

use beside::listed;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use testbed::nut::{NutStation, ProgramOutput, Which};
use testbed::ups::SimUps;

const FLAG: &str = "driver.flag.allow_killpower";

/// A UPS, and a station with a driver and upsd on it.
fn running(name: &str, which: Which, knobs: &[&str], options: &str) -> (SimUps, NutStation) {
    let ups = SimUps::start(name, which, "megatec", knobs);
    let mut station = NutStation::new(name, which);
    station.configure(&ups.port, &format!("protocol = megatec\n{options}"));
    station.start_driver();
    station.start_upsd();
    (ups, station)
}

fn orders(ups: &SimUps) -> Vec<String> {
    ups.heard().into_iter().filter(|line| line == "C" || line.starts_with('S')).collect()
}

fn ended(said: &ProgramOutput, word: &str) -> bool {
    format!("{}{}", said.out, said.err).contains(word)
}

/// Mains fails, the battery runs low, upsmon forces the shutdown, the host's last act is
/// `upsdrvctl shutdown`; both UPSes switch off in their order, and on again with mains.
#[test]
fn the_whole_way() {
    let (ups, mut station) = running("way", Which::Ours, &[], "");
    let second = SimUps::start("way-second", Which::Ours, "megatec", &[]);
    let conf = std::fs::read_to_string(station.folder.join("ups.conf")).unwrap();
    // the host hangs on the first one, which goes off last
    let conf = conf
        + &format!("sdorder = 1\n[v]\ndriver = nutdrv_qx\nport = {}\nsdorder = 0\n", second.port.display());
    station.write("ups.conf", &conf);
    let order = station.folder.join("order");
    let script = station.folder.join("halt.sh");
    std::fs::write(
        &script,
        format!(
            "#!/bin/sh\nexport NUT_CONFPATH={0} NUT_STATEPATH={0}/run NUT_ALTPIDPATH={0}/run NUT_PIDPATH={0}/run\n\
             /sbin/upsdrvctl shutdown > {1}.part 2>&1\nmv {1}.part {1}\n",
            station.folder.display(),
            order.display()
        ),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    station.start_upsmon(&format!(
        "MONITOR {} 1 admin secret primary\nMINSUPPLIES 1\nPOLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY 1\nHOSTSYNC 2\n\
         RUN_AS_USER root\nPOWERDOWNFLAG {}/killpower\nSHUTDOWNCMD \"{}\"\n",
        station.ups(),
        station.folder.display(),
        script.display(),
    ));
    std::thread::sleep(Duration::from_secs(3));
    for ups in [&ups, &second] {
        ups.turn("mains fail");
        ups.turn("charge 15");
    }
    station.wait_for("the shutdown", || order.exists());
    let said = std::fs::read_to_string(&order).unwrap();
    assert!(said.matches("shutdown.return: the UPS says that a shutdown is active").count() == 2, "{said}");
    for ups in [&ups, &second] {
        assert_eq!(orders(ups), ["C", "S.5R0003"], "{said}");
        assert!(ups.is("powered true"), "the host has half a minute");
        ups.turn("speed 60");
    }
    station.wait_for("the loads to go off", || ups.is("powered false") && second.is("powered false"));
    for ups in [&ups, &second] {
        ups.turn("mains back");
    }
    station.wait_for("the loads to come back", || ups.is("powered true") && second.is("powered true"));
}

#[test]
fn the_driver_kills_the_power_only_when_it_may() {
    let (ups, station) = running("own", Which::Ours, &[], "stayoff");
    listed("driver-commands");
    assert_eq!(station.upsc_value(FLAG), "0");
    ups.forget();
    assert!(ended(&station.as_admin("upscmd", &[&station.ups(), "driver.killpower"]), "ERR FAILED"));
    assert!(orders(&ups).is_empty());
    assert!(ended(&station.as_admin("upsrw", &["-s", &format!("{FLAG}=2"), &station.ups()]), "ERR"));
    assert!(ended(&station.as_admin("upsrw", &["-s", &format!("{FLAG}=1"), &station.ups()]), "SUCCESS"));
    assert!(ended(&station.as_admin("upscmd", &[&station.ups(), "driver.killpower"]), "SUCCESS"));
    assert_eq!(orders(&ups), ["C", "S.5R0000"]);
    ups.forget();
    // this one needs no flag: whoever may use commands may use shutdown.stayoff as well
    assert!(ended(&station.as_admin("upscmd", &[&station.ups(), "shutdown.default"]), "SUCCESS"));
    assert_eq!(orders(&ups), ["C", "S.5R0000"]);
}

#[test]
fn the_administrators_own_commands_come_first() {
    let (ups, station) = running(
        "sdcommands",
        Which::Ours,
        &["reply S.5R0000 \"(NAK\"", "reply S01R0000 \"(NAK\""],
        "sdcommands = \"shutdown.stayoff, load.off\"",
    );
    ups.forget();
    let said = station.run_driver(&["-a", "u", "-k"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let tried = ["S.5R0000", "S01R0000"].iter().cycle().take(6).copied().chain(["S00R0000"]);
    assert_eq!(orders(&ups), tried.collect::<Vec<_>>());
    let bad = ["-s", "u", "-x", "port=/dev/null", "-x", "sdcommands=load.of", "-k"];
    let said = station.run_driver(&bad);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("did you mean load.off?"), "{said:?}");
}

#[test]
fn refused_orders_are_tried_otherwise() {
    listed("other-spellings");
    for (which, outcome, wire) in
        [(Which::Nut, "ERR FAILED", vec!["S.5R0003"]), (Which::Ours, "SUCCESS", vec!["S.5R0003", "S01R0003"])]
    {
        let (ups, station) = running("otherwise", which, &["reply S.5R0003 \"(NAK\""], "");
        ups.forget();
        let said = station.as_admin("upscmd", &[&station.ups(), "shutdown.return"]);
        assert!(ended(&said, outcome), "{which:?}: {said:?}");
        assert_eq!(orders(&ups), wire, "{which:?}");
    }
}

/// What can change without a restart does, and the rest is said to need one.
#[test]
fn a_changed_ups_conf_is_taken_while_the_driver_runs() {
    let (ups, station) = running("reload", Which::Ours, &[], "default.ups.id = cellar");
    let pid = station.pid();
    let show = |name: &str| station.upsc_value(name);
    assert_eq!((show("ups.delay.shutdown"), show("ups.id")), ("30".into(), "cellar".into()));
    station
        .configure(&ups.port, "protocol = megatec\noffdelay = 60\npollfreq = 20\noverride.ups.contact = Bob");
    assert!(ended(&station.as_admin("upscmd", &[&station.ups(), "driver.reload"]), "SUCCESS"));
    station.wait_for("the delay", || show("ups.delay.shutdown") == "60");
    assert_eq!((show("ups.id"), show("ups.contact")), (String::new(), "Bob".into()));
    assert_eq!(show("driver.parameter.pollfreq"), "20");
    assert_eq!(station.pid(), pid);
    // another dialect is another device
    station.configure(&ups.port, "protocol = mustek");
    assert_eq!(station.run_driver(&["-a", "u", "-c", "reload"]).code, Some(0));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((station.pid(), show("driver.parameter.protocol")), (pid, "megatec".into()));
    station.configure(&ups.port, "protocol = q1");
    assert_eq!(station.run_driver(&["-a", "u", "-c", "reload-or-exit"]).code, Some(0));
    station.wait_for("the driver to leave", || station.pid().is_none());
}
