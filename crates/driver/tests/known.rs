//! What UPS it was is known at the next start, by the real driver.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use testbed::nut;
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;

/// What a start asks, until everything was asked once and some polls were made.
fn questions_of_a_start(station: &NutStation, ups: &SimUps) -> Vec<String> {
    ups.forget();
    let said = station.run_driver(&["-a", "u", "-FF", "-d", "1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("device.model: SIM-1000\n"), "{said:?}");
    ups.heard()
}

/// A driver that watches; its file says then how often the UPS was found.
fn watch(station: &NutStation, found: &str) -> String {
    let said = station.run_driver(&["-a", "u"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let file = station.folder.join("qxups-dialect-u");
    let says = || std::fs::read_to_string(&file).is_ok_and(|text| text.contains(found));
    station.wait_for(found, says);
    let pid = station.pid().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    station.wait_for("the driver to leave", || !nut::lives(pid));
    said.err
}

#[test]
fn a_known_ups_is_asked_its_status_and_its_name() {
    let ups = SimUps::start("known", Which::Ours, "megatec", &[]);
    let station = NutStation::new("known", Which::Ours);
    station.configure(&ups.port, "");
    let foreign = questions_of_a_start(&station, &ups);
    assert!(foreign.iter().any(|ask| ask == "WH" || ask == "D"), "{foreign:?}");
    let told = watch(&station, "protocol megatec\nfound once\n");
    assert!(told.contains("speaks megatec: Q1, I answered; no reply to QPI"), "{told}");
    let port = ups.port.display();
    let lines = [
        "[u]".to_string(),
        "\tdriver = \"nutdrv_qx\"".to_string(),
        format!("\tport = \"{port}\""),
        "\tprotocol = \"megatec\"".to_string(),
    ];
    assert!(lines.iter().all(|line| told.lines().any(|said| said.ends_with(line))), "{told}");
    let own = |ask: &String| ["I", "Q1", "F"].contains(&ask.as_str());
    // once more it is asked what would show a variant, when clients see data already
    ups.forget();
    let told = watch(&station, "protocol megatec\nfound twice\n");
    assert!(told.contains("speaks megatec, as at the last start: Q1, I answered"), "{told}");
    assert!(!told.contains("protocol = "), "{told}");
    let again = ups.heard();
    assert!(
        again[0] == "Q1" && again[1] == "I" && again[..3].iter().all(own) && !again.iter().all(own),
        "{again:?}"
    );
    let known = questions_of_a_start(&station, &ups);
    assert!(known[0] == "Q1" && known[1] == "I" && known.iter().all(own), "{known:?}");
    // another UPS takes its place: it is found as what it is
    drop(ups);
    let ups = SimUps::start("known-other", Which::Ours, "bestups", &[]);
    station.configure(&ups.port, "");
    let other = station.run_driver(&["-a", "u", "-FF", "-d", "1"]);
    assert!(other.out.contains("driver.version.data: bestups\n"), "{other:?}");
}
