use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn board() -> FleetBoard {
    FleetBoard::new(TopicTree { prefix: "q".into(), site: "s".into(), discovery: None })
}

fn update(board: &mut FleetBoard, ups: &str, variables: &[(&str, &str)]) {
    board
        .update(ups, |update| variables.iter().for_each(|(name, value)| update.variable(name, value, false)));
}

fn all(board: &mut FleetBoard) -> Vec<(String, String)> {
    let mut found = vec![];
    while let Some(message) = board.next_urgent().or_else(|| board.next(true)) {
        found.push((message.topic, String::from_utf8(message.payload).unwrap()));
    }
    found
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(topic, payload)| ((*topic).to_string(), (*payload).to_string())).collect()
}

#[test]
fn the_status_is_the_first_and_availability_follows_the_values() {
    let mut board = board();
    update(&mut board, "a", &[("battery.charge", "97"), ("ups.status", "OL")]);
    let state = "{\"battery.charge\":\"97\",\"ups.status\":\"OL\"}";
    let expected = [
        ("q/s/a/ups/status", "OL"),
        ("q/s/a/state", state),
        ("q/s/a/availability", "online"),
        ("q/s/a/battery/charge", "97"),
    ];
    assert_eq!(all(&mut board), pairs(&expected));
    assert!(board.is_complete() && !board.has_news());
    // nothing changed, nothing is sent
    update(&mut board, "a", &[("battery.charge", "97"), ("ups.status", "OL")]);
    assert_eq!(all(&mut board), []);
    // a status goes before what others have to say
    update(&mut board, "b", &[("battery.charge", "50"), ("ups.status", "OL")]);
    while board.next_urgent().is_some() {}
    assert!(board.hear_status("a", "OB"));
    assert_eq!(board.next_urgent().unwrap().topic, "q/s/a/ups/status");
    assert!(!board.hear_status("c", "OB"));
}

#[test]
fn data_that_is_lost_is_said_to_be_before_it_is_taken_off() {
    let mut board = board();
    update(&mut board, "a", &[("battery.charge", "97"), ("ups.status", "OL")]);
    all(&mut board);
    board.lose("a");
    let expected = [
        ("q/s/a/availability", "offline"),
        ("q/s/a/ups/status", ""),
        ("q/s/a/state", "{}"),
        ("q/s/a/battery/charge", ""),
    ];
    assert_eq!(all(&mut board), pairs(&expected));
    // a status that is heard now is none: the UPS has to be looked at
    assert!(!board.hear_status("a", "OL"));
    board.lose("a");
    assert_eq!(all(&mut board), []);
    board.keep(|_| false);
    assert_eq!(all(&mut board), pairs(&[("q/s/a/availability", ""), ("q/s/a/state", "")]));
    assert!(board.is_complete() && board.upses.is_empty());
}

#[test]
fn estimates_are_named_in_the_document() {
    let mut board = board();
    board.update("a", |update| {
        update.variable("battery.charge", "97", true);
        update.variable("ups.status", "OL", false);
    });
    let state = all(&mut board).into_iter().find(|(topic, _)| topic == "q/s/a/state").unwrap().1;
    assert_eq!(state, "{\"battery.charge\":\"97\",\"ups.status\":\"OL\",\"estimated\":[\"battery.charge\"]}");
}

#[test]
fn names_without_end_take_no_memory() {
    let mut board = board();
    for round in 0..20 {
        board.update("a", |update| {
            (0..500).for_each(|at| update.variable(&format!("x{round}.y{at}"), "1", false))
        });
    }
    assert!(all(&mut board).len() <= 1024 + 2);
}

/// What a test does to a board.
#[derive(Clone, Debug)]
enum Act {
    Update(u8, Vec<(u8, u8)>),
    Status(u8, u8),
    Lose(u8),
    Gone(u8),
    Send(u8),
    Connect,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let ups = 0..3_u8;
    let act = prop_oneof![
        (ups.clone(), proptest::collection::vec((0..5_u8, 0..3_u8), 0..5))
            .prop_map(|(ups, all)| Act::Update(ups, all)),
        (ups.clone(), 0..3_u8).prop_map(|(ups, word)| Act::Status(ups, word)),
        ups.clone().prop_map(Act::Lose),
        ups.prop_map(Act::Gone),
        (0..8_u8).prop_map(Act::Send),
        Just(Act::Connect),
    ];
    proptest::collection::vec(act, 0..60)
}

proptest! {
    /// A broker that takes messages as they come, and loses what was under way with each connection, has in the end what is so.
    #[test]
    fn in_the_end_the_broker_has_what_is_so(acts in acts()) {
        let mut board = board();
        let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut truth: BTreeMap<u8, Option<BTreeMap<String, String>>> = BTreeMap::new();
        let mut send = |board: &mut FleetBoard, most: usize| {
            for _ in 0..most {
                let Some(message) = board.next_urgent().or_else(|| board.next(true)) else { return };
                if message.payload.is_empty() { kept.remove(&message.topic); } else { kept.insert(message.topic, message.payload); }
            }
        };
        for act in acts {
            match act {
                Act::Update(ups, values) => {
                    let mut all: BTreeMap<String, String> =
                        values.iter().map(|(name, value)| (format!("v.{name}"), value.to_string())).collect();
                    all.insert("ups.status".into(), "OL".into());
                    board.update(&ups.to_string(), |update| all.iter().for_each(|(name, value)| update.variable(name, value, false)));
                    truth.insert(ups, Some(all));
                }
                Act::Status(ups, word) => {
                    let heard = board.hear_status(&ups.to_string(), &word.to_string());
                    let known = truth.get_mut(&ups).and_then(Option::as_mut);
                    prop_assert_eq!(heard, known.is_some());
                    if let Some(known) = known { known.insert("ups.status".into(), word.to_string()); }
                }
                Act::Lose(ups) => {
                    board.lose(&ups.to_string());
                    truth.insert(ups, None);
                }
                Act::Gone(ups) => {
                    board.keep(|name| name != ups.to_string());
                    truth.remove(&ups);
                }
                Act::Send(most) => send(&mut board, usize::from(most)),
                Act::Connect => board.send_all(),
            }
        }
        send(&mut board, usize::MAX);
        prop_assert!(board.is_complete() && !board.has_news());
        let mut expected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (ups, values) in truth {
            let word: &[u8] = if values.is_some() { b"online" } else { b"offline" };
            expected.insert(format!("q/s/{ups}/availability"), word.into());
            let values = values.unwrap_or_default();
            let document = values.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect::<Vec<_>>().join(",");
            expected.insert(format!("q/s/{ups}/state"), format!("{{{document}}}").into());
            for (name, value) in values {
                expected.insert(format!("q/s/{ups}/{}", name.replace('.', "/")), value.into());
            }
        }
        for topic in expected.keys() { prop_assert!(board.has(topic), "{topic}"); }
        prop_assert_eq!(kept, expected);
    }
}
