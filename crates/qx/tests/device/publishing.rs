//! What is published of what a UPS says.

use crate::megatec::{STATUS, found, megatec, ready, says};
use qx::options::Options;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use testbed::line::{Line, ended, lasting};

#[test]
fn everything_is_published_with_the_first_round() {
    // nut-faults 4: NUT shows alarms only after half a minute
    let line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00011001", b""));
    assert_eq!(line.text("ups.alarm"), Some("UPS selftest failed!"));
    assert_eq!(line.text("ups.status"), Some("ALARM OL"));
    assert_eq!(line.text("ups.beeper.status"), Some("enabled"));
    assert_eq!(line.text("battery.charge"), Some("100"));
    assert_eq!(line.text("battery.voltage.low"), Some("20.80"));
    assert_eq!(line.text("input.voltage.nominal"), Some("230"));
    assert_eq!(line.text("device.mfr"), Some("MUSTEK"));
}

#[test]
fn bypass_leaves_with_the_next_poll() {
    // nut-faults 3: NUT keeps it for half a minute
    let mut line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00101000", b""));
    assert_eq!(line.text("ups.status"), Some("OL BYPASS"));
    says(&mut line, STATUS, lasting(3));
    assert_eq!(line.text("ups.status"), Some("OL"));
}

#[test]
fn regulation_follows_the_voltages_of_the_same_reply() {
    for (voltages, status) in [
        ("180.0 195.0 226.0", "OL BOOST"),
        ("260.0 195.0 226.0", "OL TRIM"),
        ("226.0 195.0 226.0", "OL BYPASS"),
        ("000.0 195.0 226.0", "OL"), // nut-faults 7: an impossible ratio must not end the driver
        ("226.0 195.0 000.0", "OL"),
        ("100.0 195.0 226.0", "OL"),
    ] {
        let reply = format!("({voltages} 014 49.0 27.5 30.0 00101000");
        let line = ready(Options::default(), |ask| megatec(ask, reply.as_bytes(), b""));
        assert_eq!(line.text("ups.status"), Some(status), "{reply}");
    }
}

#[test]
fn what_the_ups_does_not_know_is_not_published() {
    // nut-faults 6: NUT makes a rated voltage of 0 from blanks, and bounds from that
    let mut line = ready(Options::default(), |ask| match ask {
        "F" => ended(b"#230.0 003       50.0"),
        _ => megatec(ask, STATUS, b""),
    });
    for name in ["battery.voltage.nominal", "battery.voltage.low", "battery.voltage.high", "battery.charge"] {
        assert_eq!(line.text(name), None, "{name}");
    }
    assert_eq!(line.text("ups.temperature"), Some("30.0"));
    let until = line.now + lasting(10);
    let unknown = b"(226.0 195.0 226.0 014 49.0 27.5 --.- 00001000";
    line.run(until, &mut |ask, _| megatec(ask, unknown, b""), |_| false);
    assert_eq!(line.text("ups.temperature"), None);
}

#[test]
fn volts_of_one_cell_give_the_right_charge_at_once() {
    // nut-faults 5
    let line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 2.25 30.0 00001000", b""));
    assert_eq!(line.text("battery.voltage"), Some("2.25"));
    assert_eq!(line.text("battery.charge"), Some("100"));
    let options = Options { one_pack: true, ..Options::default() };
    let line = ready(options, |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 2.25 30.0 00001000", b""));
    assert_eq!(line.text("battery.voltage"), Some("27.00"));
}

#[test]
fn ignoresab_ignores_the_bit() {
    let stuck = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010";
    let mut line = found();
    says(&mut line, stuck, lasting(5));
    assert_eq!(line.text("ups.status"), Some("ALARM OL FSD"));
    assert_eq!(line.text("ups.alarm"), Some("Shutdown imminent!"));
    let options = Options { flags: Flags::default().with(Flag::IgnoreSab), ..Options::default() };
    let line = ready(options, |ask| megatec(ask, stuck, b""));
    assert_eq!(line.text("ups.status"), Some("OL"));
    assert_eq!(line.text("ups.alarm"), None);
}

#[test]
fn ignorelb_takes_low_battery_from_the_values() {
    let options = Options {
        ignorelb: true,
        defaults: vec![("battery.charge.low".into(), "20".into())],
        ..Options::default()
    };
    let mut line = ready(options, |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 01001000", b""));
    assert_eq!(line.text("ups.status"), Some("OL"));
    says(&mut line, b"(000.0 195.0 226.0 014 49.0 21.0 30.0 10001000", lasting(5));
    assert_eq!(line.text("battery.charge"), Some("4"));
    assert_eq!(line.text("ups.status"), Some("OB LB"));
}

#[test]
fn overrides_win_and_defaults_give_way() {
    let options = Options {
        overrides: vec![("battery.voltage.nominal".into(), "36".into()), ("ups.mfr".into(), "ACME".into())],
        defaults: vec![("ups.temperature".into(), "1".into()), ("battery.date".into(), "2026".into())],
        ..Options::default()
    };
    let line = ready(options, |ask| megatec(ask, STATUS, b""));
    assert_eq!(line.text("battery.voltage.nominal"), Some("36"));
    assert_eq!(line.text("battery.voltage.low"), Some("31.20"));
    assert_eq!(line.text("ups.mfr"), Some("ACME"));
    assert_eq!(line.text("ups.temperature"), Some("30.0"));
    assert_eq!(line.text("battery.date"), Some("2026"));
}

#[test]
fn texts_of_the_ups_are_harmless() {
    // nut-faults 20
    let line = ready(Options::default(), |ask| match ask {
        "I" => ended(b"#`reboot`$(id)\"; A|B>C      V1.\x00\xff     "),
        _ => megatec(ask, STATUS, b""),
    });
    for (name, entry) in line.device.store().entries() {
        assert!(
            entry.text().chars().all(|c| (' '..='~').contains(&c) && !"\"'\\`$;&|<>".contains(c)),
            "{name} {}",
            entry.text()
        );
    }
}

#[test]
fn an_odd_form_is_believed_when_it_comes_twice() {
    let odd = b"(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000 ";
    let line = ready(Options::default(), |ask| megatec(ask, odd, b""));
    assert_eq!(line.text("ups.load"), Some("14"));
    assert_eq!(line.questions().iter().filter(|ask| **ask == "Q1").count(), 2);
}

#[test]
fn a_field_that_is_never_a_number_is_unknown_and_the_rest_is_read() {
    let line = ready(Options::default(), |ask| match ask {
        "F" => ended(b"#230.0 N/A 024.0 50.0"),
        _ => megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 **.* 00001000", b""),
    });
    assert_eq!(line.device.protocol().unwrap().name, "megatec");
    assert_eq!(line.text("input.current.nominal"), None);
    assert_eq!(line.text("battery.voltage.nominal"), Some("24.0"));
    assert_eq!(line.text("ups.temperature"), None);
    assert_eq!(line.text("ups.load"), Some("14"));
}

#[test]
fn what_stays_the_same_is_not_made_anew_and_what_others_write_is_looked_after() {
    let mut line = found();
    says(&mut line, STATUS, lasting(10));
    assert!(!line.device.take_changes().is_empty());
    says(&mut line, STATUS, lasting(10));
    assert!(line.device.take_changes().is_empty());
    // what the UPS says stands there again with the next poll, whoever wrote there
    line.device.store_mut().set("input.voltage", "1.0");
    says(&mut line, STATUS, lasting(4));
    assert_eq!(line.text("input.voltage"), Some("226.0"));
    let overrides = vec![("input.voltage".to_string(), "7".to_string())];
    let options = Options { overrides, ..line.device.options().clone() };
    assert!(line.device.reconfigure(options, line.now));
    assert_eq!(line.text("input.voltage"), Some("7"));
    assert!(line.device.reconfigure(Options::default(), line.now));
    says(&mut line, STATUS, lasting(4));
    assert_eq!(line.text("input.voltage"), Some("226.0"));
}

/// What pages show: an age is never less than that of the reply with the value, and every reply is counted once.
#[test]
fn ages_are_those_of_the_replies_and_replies_are_counted() {
    use qx::vocabulary::variable::{BATTERY_CHARGE, BATTERY_VOLTAGE_NOMINAL, INPUT_VOLTAGE};
    let mut line = found();
    says(&mut line, STATUS, lasting(60));
    let age = |line: &Line, read: Option<Moment>| read.map(|read| line.now.saturating_sub(read));
    let of_mains = age(&line, line.device.mains_read_at()).unwrap();
    assert!(of_mains <= lasting(2), "{of_mains:?}");
    assert_eq!(age(&line, line.device.read_at(&INPUT_VOLTAGE)), Some(of_mains));
    // asked once, at the start, and estimated
    assert!(age(&line, line.device.read_at(&BATTERY_VOLTAGE_NOMINAL)).unwrap() >= lasting(55));
    assert_eq!(line.device.read_at(&BATTERY_CHARGE), None);
    let (whole, bad) = line.device.replies();
    assert!(whole >= 28 && bad <= 3, "{whole} {bad}");
    // nothing comes for half a minute
    let until = line.now + lasting(30);
    line.run(until, &mut |_, _| vec![], |_| false);
    assert!(age(&line, line.device.mains_read_at()).unwrap() >= lasting(29));
    assert!(age(&line, line.device.read_at(&INPUT_VOLTAGE)).unwrap() >= lasting(29));
    let after = line.device.replies();
    assert!(after.0 == whole && after.1 > bad + 3, "{after:?}");
}
