//! What is not ours to touch: `Q1` goes first and alone, and whoever answers it as no UPS of this family is left
//! alone; what does least harm to others goes first while nobody answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use qx::detect::{Harm, harm, harm_table};
use qx::device::Event;
use qx::options::Options;
use qx::protocols;
use testbed::line;
use testbed::line::{Line, lasting, seconds};

/// What is told, and what was asked until then.
fn told(options: Options, ups: &mut line::LineUps) -> (String, Vec<String>) {
    let mut line = Line::new(options);
    let over = |event: &Event| matches!(event, Event::NotFound(_) | Event::Ready);
    assert!(line.run(seconds(120), ups, over), "{:?}", line.asked);
    let why = line.events.iter().find_map(|(_, event)| match event {
        Event::NotFound(why) => Some(why.clone()),
        _ => None,
    });
    let asked = line.questions().into_iter().map(String::from).collect();
    (why.unwrap_or_default(), asked)
}

/// What UPS-Link says to each letter of a line (NUT 2.8.0 apcsmart.h: answers end with CR and LF).
fn ups_link(ask: &str, status: &str) -> Vec<u8> {
    let answer = |letter: char| match letter {
        'Q' => format!("{status}\r\n"),
        'S' | 'D' | 'W' | 'A' => "OK\r\n".into(),
        'P' | 'M' | 'F' => "023.4\r\n".into(),
        _ => "NA\r\n".into(),
    };
    ask.chars().map(answer).collect::<String>().into_bytes()
}

#[test]
fn an_apc_in_smart_mode_is_asked_nothing_more() {
    for (status, times) in [("08", 1), ("18", 1), ("FF", 1), ("50", 1), ("!08", 1), ("10", 2), ("NA", 1)] {
        let (why, asked) = told(Options::default(), &mut |ask, _| ups_link(ask, status));
        assert_eq!(asked, vec!["Q1"; times], "{status}");
        assert!(why.contains("apcsmart") && why.contains(status), "{why}");
    }
}

#[test]
fn modems_receivers_and_logins_are_left_alone() {
    let gps = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n";
    for (said, word) in [
        (&b"\r\nERROR\r\n"[..], "modem"),
        (gps, "receiver"),
        (b"Q1\r\nPassword: ", "login"),
        (b"Q1\r\n-bash: Q1: command not found\r\nroot@host:~# ", "login"),
        (b"host login: ", "login"),
    ] {
        let (why, asked) = told(Options::default(), &mut |_, _| said.to_vec());
        assert_eq!(asked, ["Q1"], "{}", said.escape_ascii());
        assert!(why.contains(word), "{why}");
    }
}

/// Whoever named the dialect knows better.
#[test]
fn a_named_dialect_is_asked_for_all_the_same() {
    let options = Options { protocol: Some("mustek".into()), ..Options::default() };
    let (_, asked) = told(options, &mut |_, _| b"08\r".to_vec());
    assert!(asked.len() > 2 && asked.iter().all(|ask| ask == "QS"), "{asked:?}");
}

/// A foreign device in the place of a UPS that was found is asked for its status at times, and nothing else.
#[test]
fn a_foreign_device_that_comes_later_is_asked_nothing_else() {
    let status = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";
    let mut line = Line::new(Options::default());
    let mut ups = |ask: &str, _| if ask == "Q1" { status.to_vec() } else { vec![] };
    assert!(line.run(seconds(30), &mut ups, |event| *event == Event::Ready));
    let mut apc = |ask: &str, _| ups_link(ask, "08");
    let until = line.now + lasting(400);
    line.run(until, &mut apc, |_| false);
    let late = line.asked.iter().filter(|(at, _)| *at + lasting(250) > until);
    let asks: Vec<&str> = late.map(|(_, ask)| ask.as_str()).collect();
    assert!(!asks.is_empty() && asks.len() < 12 && asks.iter().all(|ask| *ask == "Q1"), "{asks:?}");
    assert!(line.device.store().is_stale());
}

#[test]
fn where_nobody_said_that_a_ups_is_there_only_the_first_question_is_asked() {
    let options = Options { tentative: true, ..Options::default() };
    let (why, asked) = told(options.clone(), &mut |_, _| vec![]);
    assert!(asked.len() <= 2 && asked.iter().all(|ask| ask == "Q1"), "{asked:?}");
    assert!(why.contains("name its port"), "{why}");
    let (why, asked) = told(options.clone(), &mut |_, _| b"hello\r".to_vec());
    assert!(asked.len() <= 6 && asked.iter().all(|ask| ask == "Q1"), "{asked:?}");
    assert!(why.contains("name its port"), "{why}");
    // an echo, a refusal or a reply says that it is one
    for said in [&b"Q1\r"[..], b"(NAK\r", b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r"] {
        let mut ups = |ask: &str, _| match (ask, said[0]) {
            ("Q1", _) => said.to_vec(),
            (ask, b'Q') => format!("{ask}\r").into_bytes(),
            _ if said.starts_with(b"(NAK") => said.to_vec(),
            _ => vec![],
        };
        let (_, asked) = told(options.clone(), &mut ups);
        assert!(asked.iter().any(|ask| ask == "QS"), "{asked:?}");
    }
}

/// By hand, from NUT's apcsmart_tabs.c: these start a calibration or a test of the battery.
#[test]
fn what_does_harm_is_asked_last() {
    let (_, asked) = told(Options::default(), &mut |_, _| vec![]);
    assert_eq!(asked[0], "Q1");
    let harms: Vec<Harm> = asked.iter().map(|ask| harm(ask.as_bytes())).collect();
    // until all is asked once more
    let end = asked.iter().skip(1).position(|ask| ask == "Q1").map_or(asked.len(), |at| at + 1);
    assert!(harms[..end].is_sorted(), "{:?}", &asked[..end]);
    assert_eq!(asked[end - 1], "D", "the calibration is the worst");
    for worse in ["WH", "WA", "ID", "FW?", "SASV07?"] {
        assert!(!asked[..end].iter().any(|ask| ask == worse), "{worse}");
    }
}

/// The table in docs/detection.md has every sign of every dialect.
#[test]
fn the_table_of_questions_is_complete() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/detection.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    assert!(docs.contains(&harm_table()), "run the test 'detection' of the simulator, which prints it");
    for protocol in protocols::ALL {
        for sign in protocol.signs {
            let bytes = qx::vocabulary::escape::escape(&sign.query().wire(0));
            let row = docs.lines().find(|row| row.starts_with(&format!("| `{bytes}` |")));
            let row = row.unwrap_or_else(|| panic!("{bytes} is missing"));
            assert!(row.contains(protocol.name), "{row}");
        }
    }
}
