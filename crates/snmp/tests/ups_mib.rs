//! The UPS-MIB: objects, types and units as RFC 1628 has them, worked out by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use snmp::{Community, Look, MibView, Notice, Oid, UpsFacts, UpsWatch, answer, trap};
use std::time::Duration;
use testbed::snmp::{BULK, GET, heard, request};

const S: Duration = Duration::from_secs(1);

struct Unit {
    variables: Vec<(&'static str, &'static str)>,
    is_fresh: bool,
    is_forced: bool,
    watch: UpsWatch,
    now: Duration,
}

fn unit(variables: &[(&'static str, &'static str)]) -> Unit {
    let unit = Unit {
        variables: variables.into(),
        is_fresh: true,
        is_forced: false,
        watch: UpsWatch::new(),
        now: S * 10,
    };
    unit.looked(S)
}

impl Unit {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).into())
    }

    /// As an agent looks.
    fn looked(mut self, now: Duration) -> Unit {
        let text = |name| self.variable(name).unwrap_or_default();
        let (words, alarm, test) = (text("ups.status"), text("ups.alarm"), text("ups.test.result"));
        let words = if self.is_forced { format!("FSD {words}") } else { words };
        self.watch.look(Look { is_fresh: self.is_fresh, words: &words, alarm: &alarm, test: &test }, now);
        self
    }

    fn view(&self) -> MibView {
        MibView::of(&UpsFacts {
            name: "rack",
            description: Some("The rack"),
            contact: "ops@example.org",
            location: "Cellar",
            version: "1.2",
            is_fresh: self.is_fresh,
            is_forced: self.is_forced,
            variables: &|name| self.variable(name),
            watch: &self.watch,
            now: self.now,
        })
    }

    /// All objects, as a manager that walks gets them.
    fn walk(&self) -> Vec<String> {
        let community = Community::new("c").unwrap();
        let (mut all, mut from) = (vec![], "1.3".to_string());
        loop {
            let asked = request(1, "c", BULK, (0, 20), &[&from]);
            for (name, value) in heard(&answer(&asked, &community, || self.view()).unwrap()).bindings {
                if value == "endOfMibView" {
                    return all;
                }
                all.push(format!("{} {value}", name.trim_start_matches("1.3.6.1.2.1.")));
                from = name;
            }
        }
    }

    fn get(&self, below: &str) -> String {
        let asked = request(1, "c", GET, (0, 0), &[&format!("1.3.6.1.2.1.33.1.{below}")]);
        heard(&answer(&asked, &Community::new("c").unwrap(), || self.view()).unwrap()).bindings[0].1.clone()
    }
}

/// Numbers of objects, types, units and named numbers are those of RFC 1628, pages 7 to 35, and RFC 3418 (system).
#[test]
fn each_object_has_the_type_and_unit_of_the_rfc() {
    let unit = unit(&[
        ("ups.status", "OL CHRG"),
        ("ups.mfr", "Acme"),
        ("ups.model", "Prodigy 1000"),
        ("ups.firmware", "V07"),
        ("battery.runtime", "1859"),
        ("battery.charge", "97.5"),
        ("battery.voltage", "27.26"),
        ("battery.current", "-1.25"),
        ("ups.temperature", "-7.6"),
        ("input.voltage", "229.5"),
        ("input.frequency", "49.95"),
        ("input.current", "1.2"),
        ("output.voltage", "230.4"),
        ("output.frequency", "50.0"),
        ("output.current", "0.9"),
        ("ups.realpower", "184.50"),
        ("ups.load", "27"),
        ("input.bypass.voltage", "231.0"),
        ("input.bypass.frequency", "50.1"),
        ("ups.timer.shutdown", "-1"),
        ("ups.timer.start", "0"),
        ("ups.timer.reboot", "15"),
        ("ups.start.auto", "yes"),
        ("ups.test.result", "Done and passed"),
        ("input.voltage.nominal", "230"),
        ("input.frequency.nominal", "50"),
        ("output.voltage.nominal", "220.0"),
        ("output.frequency.nominal", "50"),
        ("ups.power.nominal", "1000"),
        ("ups.realpower.nominal", "600"),
        ("battery.runtime.low", "121"),
        ("ups.beeper.status", "muted"),
        ("input.transfer.low", "176"),
        ("input.transfer.high", "264"),
    ]);
    let expected = [
        "1.1.0 STRING Acme Prodigy 1000 (The rack), served by qxups 1.2",
        "1.2.0 OID 1.3.6.1.2.1.33",
        "1.3.0 Timeticks 1000",
        "1.4.0 STRING ops@example.org",
        "1.5.0 STRING rack",
        "1.6.0 STRING Cellar",
        "1.7.0 INTEGER 64",
        "33.1.1.1.0 STRING Acme",
        "33.1.1.2.0 STRING Prodigy 1000",
        "33.1.1.3.0 STRING V07",
        "33.1.1.4.0 STRING qxups 1.2",
        "33.1.1.5.0 STRING rack",
        "33.1.2.1.0 INTEGER 2",
        "33.1.2.2.0 INTEGER 0",
        "33.1.2.3.0 INTEGER 30",
        "33.1.2.4.0 INTEGER 98",
        "33.1.2.5.0 INTEGER 273",
        "33.1.2.6.0 INTEGER -13",
        "33.1.2.7.0 INTEGER -8",
        "33.1.3.1.0 Counter32 0",
        "33.1.3.2.0 INTEGER 1",
        "33.1.3.3.1.2.1 INTEGER 500",
        "33.1.3.3.1.3.1 INTEGER 230",
        "33.1.3.3.1.4.1 INTEGER 12",
        "33.1.4.1.0 INTEGER 3",
        "33.1.4.2.0 INTEGER 500",
        "33.1.4.3.0 INTEGER 1",
        "33.1.4.4.1.2.1 INTEGER 230",
        "33.1.4.4.1.3.1 INTEGER 9",
        "33.1.4.4.1.4.1 INTEGER 185",
        "33.1.4.4.1.5.1 INTEGER 27",
        "33.1.5.1.0 INTEGER 501",
        "33.1.5.2.0 INTEGER 1",
        "33.1.5.3.1.2.1 INTEGER 231",
        "33.1.6.1.0 Gauge32 0",
        "33.1.7.1.0 OID 1.3.6.1.2.1.33.1.7.7.1",
        "33.1.7.2.0 INTEGER 1",
        "33.1.7.3.0 INTEGER 1",
        "33.1.7.4.0 STRING Done and passed",
        "33.1.7.5.0 Timeticks 0",
        "33.1.7.6.0 INTEGER 0",
        "33.1.8.2.0 INTEGER -1",
        "33.1.8.3.0 INTEGER 0",
        "33.1.8.4.0 INTEGER 15",
        "33.1.8.5.0 INTEGER 1",
        "33.1.9.1.0 INTEGER 230",
        "33.1.9.2.0 INTEGER 500",
        "33.1.9.3.0 INTEGER 220",
        "33.1.9.4.0 INTEGER 500",
        "33.1.9.5.0 INTEGER 1000",
        "33.1.9.6.0 INTEGER 600",
        "33.1.9.7.0 INTEGER 3",
        "33.1.9.8.0 INTEGER 3",
        "33.1.9.9.0 INTEGER 176",
        "33.1.9.10.0 INTEGER 264",
    ];
    assert_eq!(unit.walk(), expected);
}

#[test]
fn a_ups_of_three_phases_has_a_row_for_each() {
    let unit = unit(&[
        ("ups.status", "OL"),
        ("input.voltage", "999"),
        ("input.frequency", "50.0"),
        ("input.L1-N.voltage", "229.0"),
        ("input.L2-N.voltage", "230.0"),
        ("input.L3-N.voltage", "231.0"),
        ("output.voltage", "230.0"),
        ("output.L2.power.percent", "12"),
    ]);
    let walk = unit.walk();
    let lines: Vec<_> = walk
        .iter()
        .filter_map(|line| line.strip_prefix("33.1.").filter(|line| line.starts_with(['3', '4'])))
        .collect();
    assert_eq!(
        lines,
        [
            "3.1.0 Counter32 0",
            "3.2.0 INTEGER 3",
            "3.3.1.2.1 INTEGER 500",
            "3.3.1.2.2 INTEGER 500",
            "3.3.1.2.3 INTEGER 500",
            "3.3.1.3.1 INTEGER 229",
            "3.3.1.3.2 INTEGER 230",
            "3.3.1.3.3 INTEGER 231",
            "4.1.0 INTEGER 3",
            "4.3.0 INTEGER 2",
            "4.4.1.5.2 INTEGER 12",
        ]
    );
}

/// upsBatteryStatus, upsOutputSource, alarms: the named numbers of RFC 1628.
#[test]
fn each_status_has_its_source_its_battery_and_its_alarms() {
    for (words, source, battery, alarms) in [
        ("OL", 3, 2, &[][..]),
        ("OL CHRG", 3, 2, &[]),
        ("OB DISCHRG", 5, 2, &[2, 6]),
        ("OB LB", 5, 3, &[2, 3, 6]),
        ("OL LB", 3, 3, &[3]),
        ("OL RB", 3, 2, &[1]),
        ("OL OVER", 3, 2, &[8]),
        ("OL BYPASS", 4, 2, &[9]),
        ("OB BYPASS", 5, 2, &[2, 6, 9]),
        ("OL BOOST", 6, 2, &[]),
        ("OL TRIM", 7, 2, &[]),
        ("OL OFF", 2, 2, &[14]),
        ("OB LB OFF", 2, 3, &[2, 3, 6, 14]),
        ("FSD OB LB", 5, 3, &[2, 3, 6, 22]),
        ("OB CAL", 5, 2, &[2, 24]),
    ] {
        let unit = unit(&[("ups.status", words)]);
        assert_eq!(unit.get("4.1.0"), format!("INTEGER {source}"), "{words}");
        assert_eq!(unit.get("2.1.0"), format!("INTEGER {battery}"), "{words}");
        assert_eq!(unit.get("6.1.0"), format!("Gauge32 {}", alarms.len()), "{words}");
        let table: Vec<_> =
            unit.walk().into_iter().filter(|line| line.starts_with("33.1.6.2.1.2.")).collect();
        let expected: Vec<_> = (1..)
            .zip(alarms)
            .map(|(id, alarm)| format!("33.1.6.2.1.2.{id} OID 1.3.6.1.2.1.33.1.6.3.{alarm}"))
            .collect();
        assert_eq!(table, expected, "{words}");
    }
    // nothing is known of the power
    let unit = unit(&[("ups.status", "WAIT")]);
    assert_eq!((unit.get("4.1.0"), unit.get("2.1.0")), ("noSuchInstance".into(), "INTEGER 1".into()));
    assert_eq!(unit.get("2.2.0"), "noSuchInstance");
}

#[test]
fn old_data_is_not_there_and_communication_is_lost() {
    let mut unit = unit(&[("ups.status", "OB LB"), ("battery.charge", "20"), ("ups.mfr", "Acme")]);
    assert_eq!(unit.get("2.2.0"), "INTEGER 9");
    unit.is_fresh = false;
    let unit = unit.looked(S * 5);
    assert_eq!(
        unit.walk()[7..],
        [
            "33.1.1.4.0 STRING qxups 1.2",
            "33.1.1.5.0 STRING rack",
            "33.1.2.1.0 INTEGER 1",
            "33.1.3.1.0 Counter32 1",
            "33.1.6.1.0 Gauge32 1",
            "33.1.6.2.1.2.4 OID 1.3.6.1.2.1.33.1.6.3.20",
            "33.1.6.2.1.3.4 Timeticks 500",
        ]
    );
    assert_eq!(unit.walk()[0], "1.1.0 STRING UPS (The rack), served by qxups 1.2");
}

#[test]
fn what_is_no_number_or_beyond_the_type_is_not_there() {
    for (name, text, place, expected) in [
        ("battery.charge", "", "2.4.0", "noSuchInstance"),
        ("battery.charge", "n/a", "2.4.0", "noSuchInstance"),
        ("battery.charge", "nan", "2.4.0", "noSuchInstance"),
        ("battery.charge", "101", "2.4.0", "noSuchInstance"),
        ("battery.charge", "0", "2.4.0", "INTEGER 0"),
        ("battery.voltage", "-3", "2.5.0", "noSuchInstance"),
        ("battery.voltage", "99999999999", "2.5.0", "noSuchInstance"),
        ("battery.temperature", "-40", "2.7.0", "INTEGER -40"),
        ("battery.runtime", "59", "2.3.0", "INTEGER 0"),
        ("battery.runtime", "60", "2.3.0", "INTEGER 1"),
        ("ups.load", "250", "4.4.1.5.1", "INTEGER 250"),
        ("ups.beeper.status", "loud", "9.8.0", "noSuchInstance"),
        ("ups.mfr", "Ä&\tÖ", "1.1.0", "STRING ?&??"),
        (
            "ups.mfr",
            "0123456789012345678901234567890123456789",
            "1.1.0",
            "STRING 0123456789012345678901234567890",
        ),
    ] {
        assert_eq!(unit(&[("ups.status", "OL"), (name, text)]).get(place), expected, "{name} {text}");
    }
}

#[test]
fn times_wrap_as_time_ticks_do() {
    let mut unit = unit(&[("ups.status", "OL")]);
    // 2^32 hundredths and three seconds
    unit.now = Duration::from_millis(42_949_672_960) + S * 3;
    assert!(unit.walk().contains(&"1.3.0 Timeticks 300".to_string()));
    assert_eq!(unit.get("2.2.0"), "INTEGER 0");
}

/// Names and objects of RFC 1628, section "notifications", RFC 3418 (coldStart) and RFC 3416 (4.2.6: uptime and name first).
#[test]
fn traps_have_what_their_definition_names() {
    let unit = unit(&[("ups.status", "OB"), ("battery.runtime", "600"), ("ups.test.result", "OK")]);
    let alarm = "1.3.6.1.2.1.33.1.6.3.3";
    let low = Oid::new(&[1, 3, 6, 1, 2, 1, 33, 1, 6, 3, 3]);
    let mib = |place: &str| format!("1.3.6.1.2.1.33.1.{place}");
    let of_alarm =
        vec![(mib("6.2.1.1.7"), "INTEGER 7".to_string()), (mib("6.2.1.2.7"), format!("OID {alarm}"))];
    for (notice, name, objects) in [
        (Notice::ColdStart, "1.3.6.1.6.3.1.1.5.1", vec![]),
        // of upsConfigLowBattTime nothing is said
        (
            Notice::OnBattery,
            "1.3.6.1.2.1.33.2.1",
            vec![(mib("2.3.0"), "INTEGER 10".into()), (mib("2.2.0"), "INTEGER 9".into())],
        ),
        (
            Notice::TestCompleted,
            "1.3.6.1.2.1.33.2.2",
            vec![
                (mib("7.1.0"), format!("OID {}", mib("7.7.1"))),
                (mib("7.2.0"), "INTEGER 1".into()),
                (mib("7.3.0"), "INTEGER 1".into()),
                (mib("7.4.0"), "STRING OK".into()),
                (mib("7.5.0"), "Timeticks 0".into()),
                (mib("7.6.0"), "INTEGER 0".into()),
            ],
        ),
        (Notice::AlarmAdded(7, low.clone()), "1.3.6.1.2.1.33.2.3", of_alarm.clone()),
        (Notice::AlarmRemoved(7, low), "1.3.6.1.2.1.33.2.4", of_alarm),
    ] {
        let sent = heard(&trap(&notice, &unit.view(), &Community::new("c").unwrap(), 99, S * 10));
        assert_eq!(
            (sent.version, sent.community.as_str(), sent.kind, sent.numbers),
            (1, "c", 0xa7, [99, 0, 0])
        );
        let mut expected = vec![
            ("1.3.6.1.2.1.1.3.0".to_string(), "Timeticks 1000".to_string()),
            ("1.3.6.1.6.3.1.1.4.1.0".to_string(), format!("OID {name}")),
        ];
        expected.extend(objects);
        expected.push((mib("1.5.0"), "STRING rack".into()));
        assert_eq!(sent.bindings, expected);
    }
}
