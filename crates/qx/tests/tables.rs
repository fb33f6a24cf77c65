//! What holds for every row of every table: it reads what it writes, and mangled replies say
//! nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use proptest::sample::Index;
use qx::belief::alike;
use qx::command::Args;
use qx::picture::{Slot, Slots};
use qx::protocols;
use qx::query::{Effect, Meaning, Query};
use qx::read::Readings;
use qx::value::{Decimal, Value};

fn queries() -> Vec<&'static Query> {
    protocols::ALL.iter().flat_map(|protocol| protocol.queries).copied().collect()
}

/// Readings that `query` can carry, made of `seed`.
fn readings(query: &Query, seed: &[u64]) -> Readings {
    let mut readings = Readings::default();
    let mut seeds = seed.iter().copied().cycle();
    let mut fields = query.fields.iter();
    for slot in Slots::of(query.picture) {
        let Slot::Field { width, places, .. } = slot else { continue };
        let seed = seeds.next().unwrap();
        match fields.next().unwrap().meaning {
            Meaning::Number(var) => {
                let digits = width as u32 - u32::from(places > 0);
                let number = Decimal::new((seed % 10u64.pow(digits)) as i64, places);
                readings.say(var, (seed % 11 != 0).then_some(Value::Number(number)));
            }
            Meaning::Text(var) => {
                let length = (seed % (width as u64 + 1)) as usize;
                let text: String =
                    (0..length).map(|n| char::from(b'A' + ((seed >> (n % 8)) % 26) as u8)).collect();
                readings.say(var, (!text.is_empty()).then_some(Value::Text(text)));
            }
            Meaning::Bits(rows) => {
                for (n, row) in rows.iter().enumerate() {
                    let effect = if seed >> n & 1 == 1 { row.one } else { row.zero };
                    match effect {
                        Effect::Set(status) => readings.status = readings.status.with(status),
                        Effect::Alarm(alarm) => readings.alarms.push(alarm),
                        Effect::SetAlarm(status, alarm) => {
                            readings.status = readings.status.with(status);
                            readings.alarms.push(alarm);
                        }
                        Effect::Says(var, word) => readings.say(var, Some(Value::text(word))),
                        Effect::Nothing | Effect::Clear(_) | Effect::Regulating => {}
                    }
                }
            }
        }
    }
    readings
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_query_reads_what_it_writes(at: Index, seed in prop::collection::vec(any::<u64>(), 12)) {
        let queries = queries();
        let query = at.get(&queries);
        let said = readings(query, &seed);
        let wire = query.write(&said);
        let fit = query.read(&wire).map_err(|misfit| TestCaseError::fail(format!("{misfit:?}")))?;
        prop_assert_eq!(fit.odd, None);
        prop_assert_eq!(&fit.readings.values, &said.values);
        prop_assert_eq!(&fit.readings.alarms, &said.alarms);
        prop_assert_eq!(query.write(&fit.readings), wire);
    }

    /// A mangled reply is refused, or read as an odd form (which has to come twice to be believed),
    /// or only a digit was replaced by another digit, which no reader can see.
    #[test]
    fn a_mangled_reply_is_never_of_the_drawn_form(
        at: Index, seed in prop::collection::vec(any::<u64>(), 12), how: u8, place: Index, byte: u8,
    ) {
        let queries = queries();
        let query = at.get(&queries);
        let said = readings(query, &seed);
        let wire = query.write(&said);
        let mangled = mangle(&wire, how, place, byte);
        if let Ok(fit) = query.read(&mangled) {
            let same_shape = mangled.len() == wire.len() || mangled.trim_ascii_end() == wire.trim_ascii_end();
            prop_assert!(fit.odd.is_some() || same_shape, "{:?}", mangled.escape_ascii().to_string());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for query in queries() {
            let _ = query.read(&bytes);
            let _ = qx::explain::explain(query, &bytes);
        }
    }

    /// The same, of bytes that look like replies.
    #[test]
    fn anything_like_a_reply_is_read_without_panic(text in "[(#]?[0-9 .?*-]{0,60}\\PC{0,4}") {
        for query in queries() {
            if let Ok(fit) = query.read(text.as_bytes()) {
                prop_assert!(alike(&fit.readings, &fit.readings));
            }
            let _ = qx::explain::explain(query, text.as_bytes());
        }
    }

    #[test]
    fn every_command_reads_what_it_writes(shutdown in 12u32..=600, start in 0u32..=599_940, given in 60u32..=5940) {
        for protocol in protocols::ALL {
            for command in protocol.all_commands() {
                let wire = command.write(&Args { shutdown, start, given });
                let read = command.read(&wire);
                prop_assert!(read.is_some(), "{} {wire}", command.name);
                prop_assert_eq!(command.write(&read.unwrap()), wire);
            }
        }
    }

    #[test]
    fn any_capture_is_parsed_without_panic(text in "([>#<-] ?[\\\\xQ0-9a-f ]{0,12}\n){0,8}") {
        let _ = qx::capture::Capture::parse(&text);
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
        for protocol in protocols::ALL {
            let command = protocol.command(name).unwrap();
            assert_eq!(command.write(&Args { shutdown, start, given }), wire, "{} {name}", protocol.name);
        }
    }
    let names: Vec<_> = protocols::MEGATEC.all_commands().map(|command| command.name).collect();
    assert_eq!(names.len(), 10);
}

#[test]
fn the_reference_is_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocols.md");
    let printed = qx::reference::reference();
    let stale = std::fs::read_to_string(&path).is_ok_and(|kept| kept != printed) || !path.exists();
    if stale {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, printed).unwrap();
    }
    assert!(!stale, "docs/protocols.md was stale; it is written anew: look at the change and commit it");
}
