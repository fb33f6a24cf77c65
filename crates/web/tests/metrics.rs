//! What Prometheus gets: the grammar of OpenMetrics 1.0 and of the text format, as their papers say it, and what each
//! exporter that is stood in for would say.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod sites;

use sites::{Static, USUAL, body, ups};
use std::collections::{HashMap, HashSet};
use web::view::DataState;

const OPEN: Option<&str> = Some("application/openmetrics-text;version=1.0.0");

/// A sample: its whole name, labels, value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads a text by the grammar, and fails where it breaks it (OpenMetrics 1.0, "ABNF" and "Overall Structure").
fn read(text: &str, is_open: bool) -> Vec<Sample> {
    let text = match is_open {
        true => text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no # EOF in {text}")),
        false => text,
    };
    assert!(text.ends_with('\n') && !text.contains('\r') && !text.contains("\n\n"));
    let mut families: HashMap<String, String> = HashMap::new();
    let (mut family, mut about) = (String::new(), vec![]);
    let (mut samples, mut seen) = (vec![], HashSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (keyword, rest) = rest.split_once(' ').unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            if name != family {
                assert_eq!(keyword, "TYPE", "{line}");
                assert!(!families.contains_key(name), "{name} is there twice");
                families.insert(name.into(), value.into());
                (family, about) = (name.into(), vec![]);
            }
            match keyword {
                "TYPE" => assert!(matches!(value, "gauge" | "counter" | "info"), "{line}"),
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                "HELP" => assert!(!value.is_empty()),
                _ => panic!("{line}"),
            }
            assert!(!about.contains(&keyword.to_string()), "{line}");
            about.push(keyword.to_string());
            continue;
        }
        let sample = sample(line);
        let kind = families.get(&family).unwrap_or_else(|| panic!("no TYPE before {line}"));
        let expected = match (kind.as_str(), is_open) {
            ("counter", true) => format!("{family}_total"),
            ("info", true) => format!("{family}_info"),
            _ => family.clone(),
        };
        assert_eq!(sample.0, expected, "{line}");
        assert!(kind != "counter" || sample.0.ends_with("_total") && sample.2 >= 0.0, "{line}");
        assert!(seen.insert((sample.0.clone(), sample.1.clone())), "{line} is there twice");
        samples.push(sample);
    }
    samples
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn sample(line: &str) -> Sample {
    let mut letters = line.chars().peekable();
    let mut name = String::new();
    while let Some(letter) = letters.next_if(|letter| *letter != '{' && *letter != ' ') {
        name.push(letter);
    }
    assert!(is_name(&name), "{line}");
    let mut labels = vec![];
    if letters.next_if_eq(&'{').is_some() {
        loop {
            let mut label = String::new();
            while let Some(letter) = letters.next_if(|letter| *letter != '=') {
                label.push(letter);
            }
            assert!(is_name(&label) && !label.starts_with("__"), "{line}");
            assert_eq!((letters.next(), letters.next()), (Some('='), Some('"')), "{line}");
            let mut value = String::new();
            loop {
                match letters.next().unwrap() {
                    '"' => break,
                    '\\' => value.push(match letters.next().unwrap() {
                        'n' => '\n',
                        letter @ ('"' | '\\') => letter,
                        other => panic!("\\{other} in {line}"),
                    }),
                    letter => value.push(letter),
                }
            }
            labels.push((label, value));
            match letters.next() {
                Some(',') => {}
                Some('}') => break,
                other => panic!("{other:?} in {line}"),
            }
        }
    }
    assert_eq!(letters.next(), Some(' '), "{line}");
    let value: String = letters.collect();
    assert!(value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte)), "{line}");
    let names: HashSet<&String> = labels.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), labels.len(), "{line}");
    (name, labels, value.parse().unwrap())
}

fn value_of(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let has = |sample: &&Sample| {
        let label = |(name, value): &(&str, &str)| sample.1.contains(&((*name).into(), (*value).into()));
        sample.0 == name && labels.iter().all(label)
    };
    samples.iter().find(has).map(|sample| sample.2)
}

#[test]
fn every_answer_keeps_the_grammar() {
    let site = Static::usual();
    for (accept, is_open) in [(OPEN, true), (None, false)] {
        for target in
            ["/metrics", "/ups_metrics?ups=rack", "/nut?target=rack", "/nut", "/nut?target=localhost:3493"]
        {
            let whole = site.get_as(target, accept);
            assert_eq!(whole.status, 200, "{target}");
            assert_eq!(
                whole.content_type.starts_with("application/openmetrics-text; version=1.0.0"),
                is_open
            );
            assert!(!read(&body(&whole), is_open).is_empty());
        }
        for empty in [Static::of(vec![]), Static::of(vec![ups("x", DataState::NotConnected, &[])])] {
            read(&body(&empty.get_as("/metrics", accept)), is_open);
        }
    }
}

#[test]
fn values_have_base_units() {
    let samples = read(&Static::usual().text("/metrics"), false);
    let rack = |name: &str| value_of(&samples, name, &[("ups", "rack")]);
    assert_eq!(rack("qxups_battery_charge_ratio"), Some(0.57));
    assert_eq!(rack("qxups_battery_runtime_seconds"), Some(1320.0));
    assert_eq!(rack("qxups_input_voltage_volts"), Some(231.4));
    assert_eq!(rack("qxups_load_ratio"), Some(0.23));
    assert_eq!(rack("qxups_temperature_celsius"), Some(31.5));
    assert_eq!(rack("qxups_data_age_seconds"), Some(1.5));
    assert_eq!(rack("qxups_up"), Some(1.0));
    let flag = |flag| value_of(&samples, "qxups_status", &[("ups", "rack"), ("flag", flag)]);
    assert_eq!(
        (flag("OL"), flag("CHRG"), flag("OB"), flag("LB")),
        (Some(1.0), Some(1.0), Some(0.0), Some(0.0))
    );
    let exchanges =
        |result| value_of(&samples, "qxups_exchanges_total", &[("ups", "rack"), ("result", result)]);
    assert_eq!((exchanges("ok"), exchanges("bad")), (Some(120.0), Some(2.0)));
    // 1.5 Wh; of what was never counted there is no sample
    let energy =
        |source| value_of(&samples, "qxups_energy_joules_total", &[("ups", "rack"), ("source", source)]);
    assert_eq!((energy("said"), energy("computed")), (Some(5400.0), None));
    let commits = |outcome| value_of(&samples, "qxups_history_commits_total", &[("outcome", outcome)]);
    assert_eq!((commits("ok"), commits("failed")), (Some(7.0), Some(2.0)));
    assert_eq!(value_of(&samples, "qxups_history_lost_total", &[]), Some(1.0));
    let maker = [("ups", "rack"), ("manufacturer", "Ma\"ker\\"), ("model", "A 1000")];
    assert_eq!(value_of(&samples, "qxups_ups_info", &maker), Some(1.0));
}

#[test]
fn old_data_has_no_value_anywhere() {
    for target in ["/metrics", "/nut"] {
        for name in ["cellar", "attic"] {
            let samples = read(&Static::usual().text(target), false);
            let names: HashSet<&str> = samples
                .iter()
                .filter(|sample| sample.1.contains(&("ups".into(), name.into())))
                .map(|sample| sample.0.as_str())
                .collect();
            let allowed: &[&str] = match target {
                "/metrics" => &["qxups_up", "qxups_driver_connected", "qxups_data_age_seconds"],
                _ => &[],
            };
            assert_eq!(names, allowed.iter().copied().collect(), "{target} {name}");
        }
    }
    let samples = read(&Static::usual().text("/metrics"), false);
    let state = |name, ups| value_of(&samples, name, &[("ups", ups)]);
    assert_eq!(
        (state("qxups_up", "cellar"), state("qxups_driver_connected", "cellar")),
        (Some(0.0), Some(1.0))
    );
    assert_eq!(
        (state("qxups_up", "attic"), state("qxups_driver_connected", "attic")),
        (Some(0.0), Some(0.0))
    );
    for target in ["/ups_metrics?ups=cellar", "/ups_metrics?ups=attic", "/nut?target=cellar"] {
        assert_eq!(Static::usual().get(target).status, 503, "{target}");
    }
}

#[test]
fn what_is_not_a_number_is_no_sample() {
    let odd = [
        ("battery.charge", "nan"),
        ("battery.voltage", "inf"),
        ("input.L1-N.voltage", "230"),
        ("input.L1.N.voltage", "231"),
        ("input.voltage", "N/A"),
        ("output.voltage", "1e3"),
        ("ups.load", ""),
    ];
    let site = Static::of(vec![ups("x", DataState::Fresh, &odd)]);
    let samples = read(&site.text("/metrics"), false);
    let values: Vec<&Sample> =
        samples.iter().filter(|sample| sample.0.contains("volt") || sample.0.contains("ratio")).collect();
    assert_eq!(values.len(), 1, "{values:?}");
    assert_eq!(value_of(&samples, "qxups_input_l1_n_voltage_volts", &[]), Some(230.0));
    // without a status there is no word that is not said
    assert!(samples.iter().all(|sample| sample.0 != "qxups_status"));
    read(&site.text("/ups_metrics"), false);
}

#[test]
fn a_forced_shutdown_is_a_flag() {
    let site = Static::of(vec![ups("x", DataState::Fresh, &USUAL)]);
    site.0.borrow_mut().upses[0].forced_shutdown = true;
    let samples = read(&site.text("/metrics"), false);
    assert_eq!(value_of(&samples, "qxups_status", &[("flag", "FSD")]), Some(1.0));
    let samples = read(&site.text("/ups_metrics"), false);
    assert_eq!(value_of(&samples, "network_ups_tools_ups_status", &[("flag", "FSD")]), Some(1.0));
}

/// DRuggeri/nut_exporter 3.2.5, README and collectors/nut_collector.go.
#[test]
fn druggeris_names_hold_nuts_numbers() {
    let site = Static::usual();
    let samples = read(&site.text("/ups_metrics?ups=rack&server=localhost"), false);
    let value = |name: &str| value_of(&samples, &format!("network_ups_tools_{name}"), &[("ups", "rack")]);
    assert_eq!(value("battery_charge"), Some(57.0));
    assert_eq!(value("ups_load"), Some(23.0));
    assert_eq!(value("input_voltage"), Some(231.4));
    assert_eq!(value("ups_beeper_status"), Some(1.0));
    let flag = |flag| value_of(&samples, "network_ups_tools_ups_status", &[("flag", flag)]);
    assert_eq!((flag("OL"), flag("OB"), flag("SD")), (Some(1.0), Some(0.0), Some(0.0)));
    let info = [("mfr", "Ma\"ker\\"), ("model", "A 1000"), ("serial", ""), ("macaddr", "")];
    assert_eq!(value_of(&samples, "network_ups_tools_device_info", &info), Some(1.0));
    assert_eq!(site.get("/ups_metrics").status, 400);
    assert_eq!(site.get("/ups_metrics?ups=nothing").status, 404);
}

/// HON95/prometheus-nut-exporter 1.2.1, metrics.md and src/metrics.rs.
#[test]
fn hon95s_names_hold_ratios() {
    let site = Static::usual();
    for target in ["/nut?target=rack", "/nut?target=127.0.0.1:3493"] {
        let samples = read(&site.text(target), false);
        let value = |name: &str| value_of(&samples, name, &[("ups", "rack")]);
        assert_eq!(value("nut_battery_charge"), Some(0.57));
        assert_eq!(value("nut_load"), Some(0.23));
        assert_eq!(value("nut_input_voltage_volts"), Some(231.4));
        assert_eq!(value("nut_input_volts"), Some(231.4));
        assert_eq!((value("nut_status"), value("nut_beeper_status")), (Some(1.0), Some(1.0)));
        assert_eq!(value_of(&samples, "nut_ups_status", &[("status", "OB")]), Some(0.0));
    }
    assert_eq!(site.get("/nut?target=nothing").status, 404);
}
