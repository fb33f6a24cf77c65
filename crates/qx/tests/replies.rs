//! Replies of each question of every dialect, with what they say worked out by hand from sources that
//! are not ours (`captures/replies`): driver and simulator share the tables, these texts do not.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::protocols;
use qx::vocabulary::escape::unescape;
use qx::vocabulary::flag::Flags;
use qx::vocabulary::status::{Status, StatusSet};
use qx::vocabulary::value::{Decimal, Value};
use qx::vocabulary::variable;
use qx::wire::fact::{Facts, Raised};
use qx::wire::protocol::Protocol;
use qx::wire::query::Query;
use qx::wire::readings::Readings;
use qx::wire::refusal::is_refusal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One reply of a fixture.
#[derive(Debug, Default)]
struct Fixture {
    at: usize,
    given: Vec<(String, String)>,
    ask: String,
    reply: Vec<u8>,
    says: Vec<(String, String)>,
    warnings: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures/replies")
}

fn parse(text: &str) -> Vec<Fixture> {
    let mut fixtures: Vec<Fixture> = vec![];
    let mut given = vec![];
    let pair = |text: &str| text.split_once(' ').map(|(name, value)| (name.to_string(), value.to_string()));
    for (at, line) in text.lines().enumerate() {
        let shown = || format!("line {}: {line}", at + 1);
        if line.starts_with('#') || line.starts_with("source:") {
        } else if line.trim().is_empty() {
            given.clear();
        } else if let Some(fact) = line.strip_prefix("given: ") {
            given.push(pair(fact).unwrap_or_else(|| panic!("{}", shown())));
        } else if let Some(ask) = line.strip_prefix("> ") {
            fixtures.push(Fixture {
                at: at + 1,
                given: given.clone(),
                ask: ask.into(),
                ..Fixture::default()
            });
        } else if let Some(reply) = line.strip_prefix("< ") {
            fixtures.last_mut().unwrap().reply = unescape(reply).unwrap_or_else(|| panic!("{}", shown()));
        } else if let Some(warning) = line.strip_prefix("= warning ") {
            let number = warning.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{}", shown()));
            fixtures.last_mut().unwrap().warnings.push(number);
        } else if let Some(said) = line.strip_prefix("= ") {
            fixtures.last_mut().unwrap().says.push(pair(said).unwrap_or_else(|| panic!("{}", shown())));
        } else {
            panic!("{}", shown());
        }
    }
    fixtures
}

/// Given facts as readings; the codes of models are given by the model's name.
fn given(fixture: &Fixture) -> Readings {
    let mut readings = Readings::default();
    // the kind of a fault is asked when there is one
    readings.say(&variable::UPS_FAULT, Some(Value::text("yes")));
    for (name, text) in &fixture.given {
        let var = variable::named(name).unwrap_or_else(|| panic!("no variable {name}"));
        readings.say(var, Some(Decimal::parse(text).map_or_else(|| Value::text(text), Value::Number)));
        let codes = [("Patriot Pro", "PRO"), ("Patriot Pro II", "PR2")];
        if let Some((_, code)) = codes.iter().find(|(model, _)| model == text) {
            readings.say(&variable::MODEL_CODE, Some(Value::text(*code)));
        }
    }
    readings
}

fn query_of(protocol: &'static Protocol, fixture: &Fixture, facts: &Facts) -> &'static Query {
    let asked = |query: &&&'static Query| {
        let plain = if query.addressed {
            fixture.ask.trim_end_matches(|c: char| c.is_ascii_digit())
        } else {
            &fixture.ask
        };
        query.ask == plain
    };
    let rows: Vec<&'static Query> = protocol.queries.iter().filter(asked).copied().collect();
    let fits = rows.iter().find(|query| query.when.holds(facts)).or(rows.first());
    fits.unwrap_or_else(|| panic!("{}: nobody asks {}", protocol.name, fixture.ask))
}

/// Variables; status words and alarms; which words the reply speaks of.
type Said = (BTreeMap<String, String>, Raised, StatusSet);

/// What our tables make of the reply.
fn read(protocol: &'static Protocol, fixture: &Fixture) -> Result<Said, String> {
    let given = given(fixture);
    let first = protocol.queries[0];
    let query = query_of(protocol, fixture, &Facts::of(first, &given, Flags::default()));
    // the checksum is not written in the fixtures
    let packed = match protocol.codec {
        Some(codec) => (codec.pack_reply)(&fixture.reply),
        None => fixture.reply.clone(),
    };
    if is_refusal(query.ask.as_bytes(), &fixture.reply) {
        return Ok(Said::default());
    }
    let fit = query.read(&packed).map_err(|misfit| format!("{misfit:?}"))?;
    let facts = Facts::new([(first, &given), (query, &fit.readings)].into_iter(), Flags::default());
    let mut said = BTreeMap::new();
    for (var, value) in &fit.readings.values {
        said.extend(value.as_ref().map(|value| (var.name.to_string(), value.published(query.places(var)))));
    }
    for derived in protocol.derived {
        if let Some(text) = (derived.from)(&facts) {
            said.insert(derived.var.name.into(), text);
        }
    }
    let mut raised = Raised {
        status: fit.readings.status,
        covers: fit.readings.covers,
        alarms: fit.readings.alarms.clone(),
    };
    (protocol.settle)(&facts, &mut raised);
    Ok((said, raised, fit.readings.covers))
}

/// Names of our own, which no other source knows.
fn is_ours(name: &str) -> bool {
    let ours = [
        "beeper_bit",
        "ups_fault",
        "working_mode",
        "mains_failed",
        "model_code",
        "transfer_table",
        "cell_voltage",
        "q5_battery_voltage",
        "q5_battery_cutoff",
        "q5_error",
        "experimental.series",
    ];
    ours.contains(&name)
}

fn same_value(expected: &str, said: &str) -> bool {
    // what is only logged has no decimals of its own
    let number = |text: &str| Decimal::parse(text.trim_start_matches('+'));
    expected == said
        || number(expected)
            .zip(number(said))
            .is_some_and(|(a, b)| a == b && expected.contains('.') == said.contains('.'))
}

fn check(protocol: &'static Protocol, fixture: &Fixture) -> Vec<String> {
    let what = format!("{} line {} {}", protocol.name, fixture.at, fixture.ask);
    let (said, raised, covers) = match read(protocol, fixture) {
        Ok(said) => said,
        // where nothing is expected the reply is one that says nothing
        Err(_) if fixture.says.is_empty() && fixture.warnings.is_empty() => return vec![],
        Err(why) => return vec![format!("{what}: {why}")],
    };
    let mut wrong = vec![];
    let mut expected = BTreeMap::new();
    for (name, text) in &fixture.says {
        match name.as_str() {
            "ups.status" => {
                let status = raised.status.published(false);
                let says_mains = ["OL", "OB"].iter().any(|word| text.split(' ').any(|said| said == *word));
                let status = if says_mains && covers.has(Status::Online) || raised.status.has(Status::Online)
                {
                    status
                } else {
                    status.replacen("OB", "", 1).trim().to_string()
                };
                let sorted = |text: &str| {
                    let mut words: Vec<String> = text.split(' ').map(String::from).collect();
                    words.sort();
                    words
                };
                // mains and battery are told by another question, which is asked more often
                let told_elsewhere = protocol.name == "voltronic"
                    && fixture.ask == "QMOD"
                    && matches!(text.as_str(), "OL" | "OB");
                if sorted(text) != sorted(&status) && !told_elsewhere {
                    wrong.push(format!("ups.status {text}, ours {status}"));
                }
            }
            "ups.alarm" => {
                // the code of an unknown fault is in the log
                let is_told = |text: &str| raised.alarms.iter().any(|alarm| alarm.text == text);
                let is_unknown = text.starts_with("Unknown fault") && is_told("Unknown fault");
                if !is_told(text) && !is_unknown {
                    wrong.push(format!("ups.alarm {text}, ours {:?}", raised.alarms));
                }
            }
            _ => drop(expected.insert(name.clone(), text.clone())),
        }
    }
    let numbers: Vec<u8> =
        raised.alarms.iter().filter_map(|alarm| alarm.warning).map(|warning| warning.number).collect();
    if numbers != fixture.warnings {
        wrong.push(format!("warnings {:?}, ours {numbers:?}", fixture.warnings));
    }
    for (name, text) in &expected {
        match said.get(name) {
            Some(ours) if same_value(text, ours) => {}
            ours => wrong.push(format!("{name} {text}, ours {ours:?}")),
        }
    }
    let derived = |name: &str| protocol.derived.iter().any(|row| row.var.name == name);
    for (name, text) in said.iter().filter(|(name, _)| !expected.contains_key(*name)) {
        if !is_ours(name) && !derived(name) {
            wrong.push(format!("{name} is not expected, ours {text}"));
        }
    }
    wrong.iter().map(|wrong| format!("{what}: {wrong}")).collect()
}

fn fixtures_of(protocol: &Protocol) -> Vec<Fixture> {
    let path = folder().join(format!("{}.txt", protocol.name));
    std::fs::read_to_string(&path).map(|text| parse(&text)).unwrap_or_default()
}

#[test]
fn replies_say_what_was_worked_out_by_hand() {
    let mut count = 0;
    let mut wrong = vec![];
    for protocol in protocols::ALL {
        for fixture in fixtures_of(protocol) {
            count += 1;
            wrong.extend(check(protocol, &fixture));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} replies:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 100, "only {count} replies");
}

/// The variants of megatec share their replies with the captures.
#[test]
fn every_question_stands_in_a_fixture() {
    let variants = ["megatec", "megatec/old", "mustek", "zinto", "q1"];
    let mut missing = vec![];
    for protocol in protocols::ALL.iter().filter(|protocol| !variants.contains(&protocol.name)) {
        let fixtures = fixtures_of(protocol);
        for query in protocol.queries {
            let asked = |fixture: &&Fixture| {
                let readings = given(fixture);
                let facts = Facts::of(protocol.queries[0], &readings, Flags::default());
                {
                    let other = query_of(protocol, fixture, &facts);
                    other.ask == query.ask && other.picture == query.picture
                }
            };
            if !fixtures.iter().any(|fixture| asked(&fixture)) {
                missing.push(format!("{} {} ({})", protocol.name, query.ask, query.about));
            }
        }
    }
    assert!(missing.is_empty(), "no reply of another source for:\n{}", missing.join("\n"));
}
