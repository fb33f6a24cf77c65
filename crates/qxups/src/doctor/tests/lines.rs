//! What a line sounds like.

use super::*;
use qx::detect::{Detection, DetectionStep};
use qx::vocabulary::flag::Flags;

/// What the doctor says of a UPS that nobody watches.
fn on_a_line(options: &str, knobs: &[&str]) -> Report {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(knobs);
        machine.section(&format!("port = {}\n{options}", port.display()));
        machine.examine(None, false).await
    })
}

/// Beside that no driver runs, the only finding is this one.
fn beside(report: &Report, kind: FindingKind, words: &[&str]) {
    let text = report.text();
    assert_eq!(report.kinds(), [FindingKind::NotRunning, kind], "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {text}"));
}

#[test]
fn a_ups_that_works_and_that_nobody_watches() {
    let report = on_a_line("", &["unknown echo"]);
    only(&report, FindingKind::NotRunning, &["upsdrvctl start u", "speaks megatec"]);
    run(async {
        let (_ups, port) = pretended(&["unknown echo"]);
        let report = Machine::new().examine(port.to_str(), false).await;
        assert_eq!(report.kinds(), [], "{}", report.text());
        assert!(report.text().contains("speaks megatec"), "{}", report.text());
    });
}

#[test]
fn a_socket_that_nobody_serves() {
    run(async {
        let machine = Machine::new();
        let (_ups, port) = pretended(&["unknown echo"]);
        machine.section(&format!("port = {}", port.display()));
        drop(UnixListener::bind(machine.folder.join("run/nutdrv_qx-u")).unwrap());
        only(
            &machine.examine(None, false).await,
            FindingKind::DeadSocket,
            &["run/nutdrv_qx-u: no driver listens"],
        );
    });
}

#[test]
fn another_dialect_than_ups_conf_says() {
    let report = on_a_line("protocol = voltronic", &["unknown echo"]);
    beside(&report, FindingKind::OtherDialect, &["speaks megatec, but ups.conf says protocol = voltronic"]);
}

#[test]
fn a_loopback() {
    let all = ["unknown echo", "reply Q1 Q1", "reply F F", "reply I I"];
    beside(&on_a_line("", &all), FindingKind::Echo, &["every question comes back", "loopback"]);
}

#[test]
fn garbage() {
    let rubbish = [
        "unknown \u{ff}\u{fe}\u{fd}",
        "reply Q1 \"\u{ff}\u{fe}x\"",
        "reply I \"\u{f0}\"",
        "reply F \"\u{f0}\"",
    ];
    beside(&on_a_line("", &rubbish), FindingKind::Garbage, &["unreadable data", "2400 baud"]);
}

#[test]
fn a_dialect_that_nobody_knows() {
    let all = ["unknown NAK", "reply Q1 \"!ok\"", "reply I \"!ok\"", "reply F \"!ok\""];
    beside(&on_a_line("", &all), FindingKind::UnknownDialect, &["'!ok'", "qxups capture"]);
}

#[test]
fn somebody_who_refuses_everything() {
    let all =
        ["unknown UPS No Ack", "reply Q1 \"UPS No Ack\"", "reply I \"UPS No Ack\"", "reply F \"UPS No Ack\""];
    beside(&on_a_line("", &all), FindingKind::DeadUps, &["'UPS No Ack'", "switch the UPS on"]);
}

#[test]
fn a_silent_line() {
    beside(&on_a_line("", &["silent on"]), FindingKind::Silence, &["it has no modem lines", "--try-cables"]);
}

#[test]
fn a_line_that_wakes_up_with_other_modem_lines() {
    run(async {
        let machine = Machine::new();
        let (ups, port) = pretended(&["silent on"]);
        // all that is asked before it is given up
        let candidates = qx::protocols::ALL.iter().filter(|protocol| !protocol.by_name).copied().collect();
        let mut detection = Detection::new(candidates, Flags::default(), None);
        while let DetectionStep::Ask(query) = detection.step() {
            detection.hear(query, None);
        }
        let all = detection.silences();
        // a pseudo-terminal has no modem lines: this UPS wakes up when it was given up
        let waking = ups.clone();
        spawn_local(async move {
            let end = Instant::now() + Duration::from_secs(60);
            while waking.with(|ups, _| ups.heard().count()) <= all && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            turn(&waking, "silent off");
            turn(&waking, "unknown echo");
        });
        machine.section(&format!("port = {}", port.display()));
        let report = machine.examine(None, true).await;
        beside(&report, FindingKind::CablePower, &["write cablepower = reverse"]);
    });
}

#[test]
fn a_line_that_cannot_be_opened() {
    let machine = Machine::new();
    machine.section("port = replay:/no/such/capture");
    beside(&machine.report(), FindingKind::CannotOpen, &["whole path", "see ups.conf"]);
}

#[test]
fn a_converter_without_its_ups() {
    let heard = line::LineSample::default();
    let mut report = Report::default();
    line::judge("u", &Address::Usb(Box::default()), None, &heard, &mut report);
    only(&report, FindingKind::DeadUps, &["the USB converter works, but the UPS behind it says nothing"]);
}
