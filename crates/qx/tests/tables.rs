//! What holds for every row of every table: it reads what it writes, and mangled replies say
//! nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use proptest::sample::Index;
use qx::judge::alike;
use qx::protocols;
use qx::vocabulary::status::StatusSet;
use qx::vocabulary::value::{Decimal, Value};
use qx::vocabulary::variable::Unit;
use qx::wire::command::Args;
use qx::wire::fact::Facts;
use qx::wire::picture::{Slot, Slots};
use qx::wire::protocol::Protocol;
use qx::wire::query::{Effect, Field, Meaning, Query};
use qx::wire::readings::Readings;
use qx::wire::setting::{Allowed, Setting};
use qx::wire::when::When;

/// The dialects, also as blazer knows them.
fn all() -> impl Iterator<Item = &'static Protocol> {
    protocols::ALL.iter().chain(protocols::BLAZER).copied()
}

fn queries() -> Vec<&'static Query> {
    all().flat_map(|protocol| protocol.queries).copied().collect()
}

/// Those that tables alone describe; the others are proved by the simulator's tests.
fn plain_queries() -> Vec<&'static Query> {
    let plain = |query: &&Query| {
        query.codec.is_none() && !query.fields.iter().any(|field| matches!(field.meaning, Meaning::Custom(_)))
    };
    queries().into_iter().filter(plain).collect()
}

/// Readings that `query` can carry, made of `seed`.
fn readings(query: &Query, seed: &[u64]) -> Readings {
    let mut readings = Readings::default();
    let mut seeds = seed.iter().copied().cycle();
    let mut fields = query.fields.iter();
    for slot in Slots::of(query.picture) {
        let (width, places) = match slot {
            Slot::Literal(_) => continue,
            Slot::Field { width, places, .. } => (width, places),
            Slot::Rest { .. } => (5, 0),
        };
        let field = fields.next().unwrap();
        say(&mut readings, field, seeds.next().unwrap(), width, places);
    }
    readings
}

fn say(readings: &mut Readings, field: &Field, seed: u64, width: usize, places: u8) {
    match field.meaning {
        Meaning::Number(var) => {
            let digits = width as u32 - u32::from(places > 0);
            let number =
                Decimal::new((seed % 10u64.pow(digits)) as i64, places).scaled(field.times, field.shift);
            readings.say(var, (seed % 11 != 0).then_some(Value::Number(number)));
        }
        Meaning::Text(var) => {
            let length = (seed % (width as u64 + 1)) as usize;
            let text: String =
                (0..length).map(|n| char::from(b'A' + ((seed >> (n % 8)) % 26) as u8)).collect();
            readings.say(var, (!text.is_empty()).then_some(Value::Text(text)));
        }
        Meaning::Word(var, words) => {
            let word = words[seed as usize % words.len()].1;
            readings.say(var, (seed % 11 != 0).then_some(Value::text(word)));
        }
        Meaning::Bits(rows) => {
            for (n, row) in rows.iter().enumerate() {
                undergo(readings, if seed >> (n % 64) & 1 == 1 { &row.one } else { &row.zero });
            }
        }
        Meaning::Codes(rows) => {
            let telling: Vec<_> = rows.iter().filter(|row| !matches!(row.effect, Effect::Nothing)).collect();
            undergo(readings, &telling[seed as usize % telling.len()].effect);
        }
        Meaning::Unknown | Meaning::Custom(_) => {}
    }
}

fn undergo(readings: &mut Readings, effect: &Effect) {
    for part in effect.parts() {
        match part {
            Effect::Set(status) => readings.status = readings.status.with(*status),
            Effect::Alarm(alarm) => readings.alarms.push(*alarm),
            Effect::Says(var, word) => readings.say(var, Some(Value::text(*word))),
            Effect::Regulating => {
                readings.status = readings.status.with(qx::vocabulary::status::Status::Regulating)
            }
            Effect::Nothing | Effect::Clear(_) | Effect::All(_) => {}
        }
    }
}

/// Damages a reply so that it cannot be what was sent.
fn mangle(reply: &[u8], how: u8, at: Index, byte: u8) -> Vec<u8> {
    let mut reply = reply.to_vec();
    let at = at.index(reply.len());
    match how % 4 {
        0 => drop(reply.remove(at)),
        1 => reply.insert(at, byte),
        2 => reply.truncate(at),
        _ => reply[at] = byte,
    }
    reply
}

/// Whether nothing at all is said: no variable has a value, and no status or alarm is spoken of.
fn says_nothing(said: &Readings) -> bool {
    said.values.iter().all(|(_, value)| value.is_none())
        && said.covers == StatusSet::EMPTY
        && said.alarms.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_query_reads_what_it_writes(at: Index, seed in prop::collection::vec(any::<u64>(), 25)) {
        let queries = plain_queries();
        let query = at.get(&queries);
        let said = readings(query, &seed);
        let wire = query.write(&said);
        let fit = query.read(&wire);
        let fit = match fit {
            Ok(fit) => fit,
            // a reply of nothing but dashes may be none, as may a code that says nothing
            Err(misfit) => {
                prop_assert!(says_nothing(&said), "{} {}: {misfit:?}", query.ask, wire.escape_ascii());
                return Ok(());
            }
        };
        prop_assert_eq!(fit.odd, None);
        let again = query.write(&fit.readings);
        prop_assert_eq!(again.escape_ascii().to_string(), wire.escape_ascii().to_string());
    }

    /// A mangled reply is refused, or read as an odd form (which has to come twice to be believed),
    /// or only a digit was replaced by another digit, which no reader can see.
    #[test]
    fn a_mangled_reply_is_never_of_the_drawn_form(
        at: Index, seed in prop::collection::vec(any::<u64>(), 25), how: u8, place: Index, byte: u8,
    ) {
        // texts of any length say nothing of the rest
        let bounded = |query: &&Query| !query.picture.ends_with('*') && query.picture.len() > 12;
        let queries: Vec<&Query> = plain_queries().into_iter().filter(bounded).collect();
        let query = at.get(&queries);
        let said = readings(query, &seed);
        let wire = query.write(&said);
        let mangled = mangle(&wire, how, place, byte);
        if let Ok(fit) = query.read(&mangled) {
            // a blank more changes nothing
            let same = query.read(&wire).is_ok_and(|whole| whole.readings == fit.readings);
            let same_shape = same
                || mangled.len() == wire.len()
                || mangled.trim_ascii_end() == wire.trim_ascii_end();
            prop_assert!(fit.odd.is_some() || same_shape, "{:?}", mangled.escape_ascii().to_string());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for query in queries() {
            let _ = query.read(&bytes);
            let _ = qx::text::explain::explain(query, &bytes);
        }
    }

    /// The same, of bytes that look like replies.
    #[test]
    fn anything_like_a_reply_is_read_without_panic(text in "[(#]?[0-9 .?*-]{0,60}\\PC{0,4}") {
        for query in queries() {
            if let Ok(fit) = query.read(text.as_bytes()) {
                prop_assert!(alike(&fit.readings, &fit.readings));
            }
            let _ = qx::text::explain::explain(query, text.as_bytes());
        }
    }

    #[test]
    fn every_command_reads_what_it_writes(shutdown in 12u32..=540, start in 0u32..=599_940, given in 60u32..=5940) {
        for protocol in all() {
            for command in protocol.all_commands() {
                let args = Args { shutdown, start, given, address: shutdown % 100, ..Args::default() };
                let wire = command.write(&args).pop().unwrap();
                let read = command.read(&wire);
                prop_assert!(read.is_some(), "{} {wire}", command.name);
                prop_assert_eq!(command.write(&read.unwrap()).pop().unwrap(), wire);
                // another spelling says the same, or a little later
                for lines in command.write_otherwise(&args) {
                    let meant = command.understand(lines.last().unwrap());
                    prop_assert!(meant.is_some(), "{} {lines:?}", command.name);
                    let later = meant.unwrap().shutdown.checked_sub(shutdown / 60 * 60);
                    prop_assert!(command.name == "load.off" || later.is_some_and(|later| later <= 60), "{lines:?}");
                }
            }
        }
    }

    #[test]
    fn every_setting_reads_what_it_writes(seed: u64) {
        for setting in all().flat_map(|protocol| protocol.all_settings()) {
            let facts = Facts::default();
            let text = match setting.allowed {
                Allowed::Words(words) => words[seed as usize % words.len()].1.to_string(),
                Allowed::Range(least, most) => (u64::from(least) + seed % u64::from(most - least + 1)).to_string(),
                _ => continue,
            };
            let unconditional = Setting { when: When::Always, ..*setting };
            let args = unconditional.args(&text, &facts).map_err(|why| TestCaseError::fail(why.0))?;
            let wire = setting.write(&args).pop().unwrap();
            let value = setting.read(&wire).unwrap();
            let minutes = setting.var.unit == Unit::Second;
            if minutes {
                prop_assert_eq!(value.number().unwrap().whole(), text.parse::<i64>().unwrap() / 60 * 60);
            } else {
                prop_assert_eq!(value.to_string(), text);
            }
        }
    }

    #[test]
    fn any_capture_is_parsed_without_panic(text in "([>#<-] ?[\\\\xQ0-9a-f ]{0,12}\n){0,8}") {
        let _ = qx::line::capture::Capture::read(&text).map(|capture| capture.unknown());
    }
}

#[test]
fn command_bytes_are_those_of_nut() {
    // NUT 2.8.0 nutdrv_qx_megatec.c and blazer_process_command
    let cases = [
        ("beeper.toggle", 30, 180, 0, "Q"),
        ("load.off", 30, 180, 0, "S00R0000"),
        ("load.on", 30, 180, 0, "C"),
        ("shutdown.return", 30, 180, 0, "S.5R0003"),
        ("shutdown.return", 30, 0, 0, "S.5"),
        ("shutdown.return", 12, 60, 0, "S.2R0001"),
        ("shutdown.return", 59, 599_940, 0, "S.9R9999"),
        ("shutdown.return", 60, 59, 0, "S01"),
        ("shutdown.return", 600, 120, 0, "S10R0002"),
        ("shutdown.stayoff", 30, 180, 0, "S.5R0000"),
        ("shutdown.stayoff", 180, 180, 0, "S03R0000"),
        ("shutdown.stop", 30, 180, 0, "C"),
        ("test.battery.start", 30, 180, 600, "T10"),
        ("test.battery.start", 30, 180, 60, "T01"),
        ("test.battery.start", 30, 180, 5940, "T99"),
        ("test.battery.start.deep", 30, 180, 0, "TL"),
        ("test.battery.start.quick", 30, 180, 0, "T"),
        ("test.battery.stop", 30, 180, 0, "CT"),
    ];
    for (name, shutdown, start, given, wire) in cases {
        for name_of_dialect in
            ["megatec", "megatec/old", "mustek", "zinto", "q1", "hunnox", "gtec", "q2", "q6"]
        {
            let protocol = protocols::named(name_of_dialect).unwrap();
            let command = protocol.commands_named(name).next().unwrap();
            let args = Args { shutdown, start, given, ..Args::default() };
            assert_eq!(command.write(&args), [wire], "{} {name}", protocol.name);
        }
    }
    let names: Vec<_> = protocols::MEGATEC.all_commands().map(|command| command.name).collect();
    assert_eq!(names.len(), 10);
}

#[test]
fn what_is_printed_from_the_tables_is_fresh() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut stale = vec![];
    for (name, printed) in [
        ("docs/protocols.md", qx::text::reference::reference()),
        ("docs/quirks.md", qx::options::quirk::page()),
        ("docs/bridges.md", qx::text::bridge_reference::reference()),
        ("packaging/udev/62-qxups.rules", qx::text::bridge_reference::udev_rules("nut")),
        ("packaging/udev/62-qxups.hwdb", qx::text::bridge_reference::hwdb()),
    ] {
        let path = root.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(printed.as_str()) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, printed).unwrap();
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "{stale:?}: stale; written anew: look at the changes and commit them");
}
