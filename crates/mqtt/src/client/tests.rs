use super::*;
use proptest::prelude::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn client(version: MqttVersion, commands: &[&str]) -> MqttClient {
    let commands = commands.iter().filter_map(|text| AllowedCommands::parse(text)).collect();
    let tree = TopicTree { prefix: "q".into(), site: "s".into(), discovery: Some("homeassistant".into()) };
    let mut client = MqttClient::new(MqttSettings {
        version,
        client: "qxups-s".into(),
        user: None,
        password: None,
        keep_alive: 30,
        repeat: Duration::ZERO,
        tree,
        commands: AllowedCommands::new(commands),
    });
    client.board.update("rack", |update| update.variable("ups.status", "OL", false));
    client
}

fn filled(client: &mut MqttClient, now: Duration) -> Vec<u8> {
    let mut out = vec![];
    client.fill(&mut out, now);
    out
}

/// The packets of MQTT 3.1.1 in some bytes: first byte and body. By hand from the standard, not by the codec.
fn packets(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = vec![];
    while let [head, rest @ ..] = bytes {
        let (mut length, mut at) = (0_usize, 0);
        loop {
            length |= usize::from(rest[at] & 0x7f) << (7 * at);
            at += 1;
            if rest[at - 1] & 0x80 == 0 {
                break;
            }
        }
        found.push((*head, rest[at..at + length].to_vec()));
        bytes = &rest[at + length..];
    }
    found
}

/// PUBLISH of MQTT 3.1.1 with some flags.
fn message(flags: u8, number: Option<u16>, topic: &str, payload: &str) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend(topic.bytes());
    body.extend(number.map(u16::to_be_bytes).into_iter().flatten());
    body.extend(payload.bytes());
    let mut packet = vec![0x30 | flags, u8::try_from(body.len()).unwrap()];
    packet.extend(body);
    packet
}

/// A connection of which all is done: sweep, first state, and everything acknowledged.
fn open(client: &mut MqttClient) {
    client.connected(seconds(0));
    let greeting = packets(&filled(client, seconds(0)));
    assert_eq!(greeting.len(), 1);
    client.received(&[0x20, 2, 0, 0], seconds(0)).unwrap();
    for _ in 0..20 {
        for (head, body) in packets(&filled(client, seconds(0))) {
            let number = || [body[0], body[1]];
            let answer = match head {
                0x82 => [&[0x90, 3][..], &number(), &[0]].concat(),
                0xa2 => [&[0xb0, 2][..], &number()].concat(),
                0xc0 => vec![0xd0, 0],
                0x33 => {
                    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    [&[0x40, 2][..], &body[2 + length..4 + length]].concat()
                }
                _ => continue,
            };
            client.received(&answer, seconds(0)).unwrap();
        }
    }
    assert!(client.is_settled(), "{client:?}");
}

#[test]
fn the_greeting_is_that_of_the_standard() {
    let mut client = client(MqttVersion::V311, &[]);
    client.connected(seconds(0));
    // MQTT 3.1.1, 3.1: clean session, a will that is kept with QoS 1
    let expected = [
        &[0x10, 42, 0, 4][..],
        b"MQTT",
        &[4, 0b0010_1110, 0, 30, 0, 7],
        b"qxups-s",
        &[0, 16],
        b"q/s/availability",
        &[0, 7],
        b"offline",
    ];
    let mut expected = expected.concat();
    expected[1] = u8::try_from(expected.len() - 2).unwrap();
    assert_eq!(filled(&mut client, seconds(0)), expected);
}

#[test]
fn online_is_the_last_word_of_the_beginning() {
    let mut client = client(MqttVersion::V311, &[]);
    client.connected(seconds(0));
    filled(&mut client, seconds(0));
    client.received(&[0x20, 2, 0, 0], seconds(0)).unwrap();
    let first = packets(&filled(&mut client, seconds(0)));
    assert_eq!(first[0].0, 0x82, "what the broker has is asked for first");
    let said = |packets: &[(u8, Vec<u8>)]| {
        packets.iter().any(|(_, body)| body.ends_with(b"q/s/availability\0\x09online"))
    };
    assert!(!said(&first));
    // an old value of another life is taken off; what is true stays
    let number = [first[0].1[0], first[0].1[1]];
    client.received(&[&[0x90, 3][..], &number, &[0]].concat(), seconds(0)).unwrap();
    for (topic, payload) in
        [("q/s/rack/battery/charge", "5"), ("q/s/rack/ups/status", "OB"), ("q/s/x/availability", "online")]
    {
        client.received(&message(1, None, topic, payload), seconds(0)).unwrap();
    }
    let cleared: Vec<Vec<u8>> = packets(&filled(&mut client, seconds(0)))
        .into_iter()
        .filter(|(head, _)| *head == 0x31)
        .map(|(_, body)| body[2..].to_vec())
        .collect();
    let expected: Vec<Vec<u8>> =
        ["q/s/rack/battery/charge", "homeassistant/device/qxups_s_x/config", "q/s/x/availability"]
            .iter()
            .map(|topic| topic.as_bytes().to_vec())
            .collect();
    assert_eq!(cleared, expected);
}

#[test]
fn an_order_is_followed_once_and_only_where_it_is_allowed() {
    let mut client = client(MqttVersion::V311, &["beeper.toggle"]);
    open(&mut client);
    let topic = "q/s/rack/command";
    let mut orders = |bytes: Vec<u8>| {
        client.received(&bytes, seconds(1)).unwrap();
        let mut names = vec![];
        while let Some(order) = client.take_order() {
            names.push(order.name);
        }
        (names, String::from_utf8_lossy(&filled(&mut client, seconds(1))).into_owned())
    };
    let (given, said) = orders(message(2, Some(7), topic, "beeper.toggle"));
    assert_eq!(given, ["beeper.toggle"]);
    assert_eq!(said.as_bytes(), [0x40, 2, 0, 7]);
    for (bytes, part) in [
        // again, by the broker's word
        (message(0b1010, Some(7), topic, "beeper.toggle"), "may have been followed"),
        (message(0b1010, Some(8), topic, "beeper.toggle"), "may have been followed"),
        (message(1, None, topic, "beeper.toggle"), "may be an old one"),
        (message(0, None, topic, "load.off"), "not among the commands"),
        (message(0, None, topic, "no command!"), "no command"),
        (message(0, None, "q/s/other/command", "beeper.toggle"), ""),
        (message(0, None, "q/t/rack/command", "beeper.toggle"), ""),
        (message(0, None, "q/s/rack/outcome", "beeper.toggle"), ""),
    ] {
        let (given, said) = orders(bytes);
        assert_eq!(given, [""; 0]);
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_broker_that_does_not_answer_is_left() {
    // to the greeting
    let mut one = client(MqttVersion::V311, &[]);
    one.connected(seconds(0));
    assert_eq!(one.deadline(), Some(seconds(10)));
    one.check(seconds(9)).unwrap();
    assert_eq!(one.check(seconds(10)), Err(MqttFault::Silent(10)));
    // to a message
    let mut one = client(MqttVersion::V311, &[]);
    open(&mut one);
    one.board.hear_status("rack", "OB");
    filled(&mut one, seconds(5));
    assert_eq!(one.deadline(), Some(seconds(15)));
    assert_eq!(one.check(seconds(15)), Err(MqttFault::Silent(10)));
    // to the question whether it lives
    let mut one = client(MqttVersion::V311, &[]);
    open(&mut one);
    assert_eq!(one.deadline(), Some(seconds(15)));
    one.check(seconds(15)).unwrap();
    assert_eq!(filled(&mut one, seconds(15)), packet::PING);
    assert_eq!(one.check(seconds(25)), Err(MqttFault::Silent(10)));
    // and what it sent before this machine slept is old
    let mut one = client(MqttVersion::V311, &["beeper.toggle"]);
    open(&mut one);
    let order = message(0, None, "q/s/rack/command", "beeper.toggle");
    assert_eq!(one.received(&order, seconds(3600)), Err(MqttFault::Suspended));
}

#[test]
fn home_assistant_hears_all_again_when_it_asks_and_not_more_often_than_that() {
    let mut client = client(MqttVersion::V311, &[]);
    open(&mut client);
    let mut times = 0;
    for tenth in 0..200 {
        let now = seconds(1) + Duration::from_millis(100) * tenth;
        client.received(&message(0, None, "homeassistant/status", "online"), now).unwrap();
        client.received(&[0xd0, 0], now).unwrap();
        client.check(now).unwrap();
        for (head, body) in packets(&filled(&mut client, now)) {
            times += usize::from(body.windows(10).any(|part| part == b"{\"device\":"));
            if head == 0x33 {
                let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                client.received(&[&[0x40, 2][..], &body[2 + length..4 + length]].concat(), now).unwrap();
            }
        }
    }
    assert_eq!(times, 2);
    // what it said before this connection is no question
    client.received(&message(1, None, "homeassistant/status", "online"), seconds(40)).unwrap();
    assert!(!client.is_asked_again || client.sent_again.is_some());
}

#[test]
fn a_refusal_says_why() {
    for (code, part) in [(4, "password"), (5, "password"), (3, "not available")] {
        let mut client = client(MqttVersion::V311, &[]);
        client.connected(seconds(0));
        let refused = client.received(&[0x20, 2, 0, code], seconds(0)).unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
    let mut client = client(MqttVersion::V5, &[]);
    client.connected(seconds(0));
    // reason 0x87, and the property "reason string" (0x1f)
    let refused = client.received(&[0x20, 8, 0, 0x87, 5, 0x1f, 0, 2, b'n', b'o'], seconds(0)).unwrap_err();
    assert_eq!(refused, MqttFault::Refused("not authorized (no)".into()));
}

#[test]
fn a_broker_of_version_5_sets_bounds() {
    let mut client = client(MqttVersion::V5, &[]);
    client.connected(seconds(0));
    filled(&mut client, seconds(0));
    // receive maximum 1 (0x21), maximum packet size 60 (0x27)
    client.received(&[0x20, 11, 0, 0, 8, 0x21, 0, 1, 0x27, 0, 0, 0, 60], seconds(0)).unwrap();
    let out = packets(&filled(&mut client, seconds(0)));
    assert_eq!(out.iter().filter(|(head, _)| *head == 0x33).count(), 1, "{out:?}");
    assert!(out.iter().all(|(_, body)| body.len() + 2 <= 60));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(version in prop_oneof![Just(MqttVersion::V311), Just(MqttVersion::V5)], welcome: bool, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut client = client(version, &[]);
        client.connected(seconds(0));
        filled(&mut client, seconds(0));
        if welcome {
            let taken: &[u8] = if version == MqttVersion::V5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] };
            client.received(taken, seconds(0)).unwrap();
        }
        let _ = client.received(&bytes, seconds(1));
        prop_assert!(client.take_order().is_none());
        filled(&mut client, seconds(1));
    }
}

/// A last will that a broker sends late, or another client of the same name leaves, is not the last word.
#[test]
fn a_server_that_is_there_is_said_to_be_there_again() {
    let mut client = client(MqttVersion::V311, &[]);
    open(&mut client);
    let filled_and_taken = |client: &mut MqttClient, at: u64| {
        let said = packets(&filled(client, seconds(at)));
        for (_, body) in said.iter().filter(|(head, _)| *head == 0x33) {
            let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
            client.received(&[&[0x40, 2][..], &body[2 + length..4 + length]].concat(), seconds(at)).unwrap();
        }
        let is_it = |body: &[u8]| body.ends_with(b"online") && body[2..].starts_with(b"q/s/availability");
        said.iter().filter(|(_, body)| is_it(body)).count()
    };
    let says = |client: &mut MqttClient, payload: &str, at: u64| {
        client.received(&message(0, None, "q/s/availability", payload), seconds(at)).unwrap();
        client.check(seconds(at)).unwrap();
        filled_and_taken(client, at)
    };
    // MQTT 3.1.1 hands a client its own messages
    assert_eq!(says(&mut client, "online", 1), 0);
    assert_eq!(says(&mut client, "offline", 1), 1);
    // two that cannot agree do not keep a broker busy
    assert_eq!(says(&mut client, "offline", 2), 0);
    client.check(seconds(11)).unwrap();
    assert_eq!(filled_and_taken(&mut client, 11), 1);
    // what the broker kept when this was asked for is old (MQTT 3.1.1, 3.3.1.3)
    client.received(&message(1, None, "q/s/availability", "offline"), seconds(12)).unwrap();
    client.check(seconds(30)).unwrap();
    assert_eq!(filled_and_taken(&mut client, 30), 0);
}

#[test]
fn what_is_not_below_the_tree_of_this_server_stays() {
    let mut client = client(MqttVersion::V311, &[]);
    client.connected(seconds(0));
    filled(&mut client, seconds(0));
    client.received(&[0x20, 2, 0, 0], seconds(0)).unwrap();
    filled(&mut client, seconds(0));
    // `q/s/#` is `q/s` as well (MQTT 3.1.1, 4.7.1.2), and a broker may send anything
    for topic in ["q/s", "other/topic"] {
        client.received(&message(1, None, topic, "kept"), seconds(0)).unwrap();
    }
    let cleared = packets(&filled(&mut client, seconds(0)));
    assert!(
        !cleared.iter().any(|(_, body)| body.ends_with(b"q/s") || body.ends_with(b"other/topic")),
        "{cleared:?}"
    );
}

/// A broker of MQTT 5 that is full refuses a message, and takes it later.
#[test]
fn what_a_full_broker_refuses_is_sent_again() {
    let mut client = client(MqttVersion::V5, &[]);
    client.connected(seconds(0));
    filled(&mut client, seconds(0));
    client.received(&[0x20, 3, 0, 0, 0], seconds(0)).unwrap();
    let first = packets(&filled(&mut client, seconds(0)));
    let sure = first.iter().find(|(head, _)| *head == 0x33).map(|(_, body)| body.clone()).unwrap();
    let length = usize::from(u16::from_be_bytes([sure[0], sure[1]]));
    let number = [sure[2 + length], sure[3 + length]];
    let refuse = |code: u8| [&[0x40, 3][..], &number, &[code]].concat();
    // quota exceeded (MQTT 5, 3.4.2.1)
    client.received(&refuse(0x97), seconds(1)).unwrap();
    client.check(seconds(1)).unwrap();
    let again = packets(&filled(&mut client, seconds(1)));
    assert!(again.iter().any(|(_, body)| body.starts_with(&sure[..2 + length])), "{again:?}");
}

/// What a broker lost of what it keeps is there again after a round; nothing is sent twice where that is not asked for.
#[test]
fn all_is_sent_once_more_in_a_round_where_that_is_asked_for() {
    for repeat in [0, 300] {
        let mut client = client(MqttVersion::V311, &[]);
        client.settings.repeat = seconds(repeat);
        client.board.update("attic", |update| {
            update.variable("ups.status", "OB", false);
            update.variable("battery.charge", "55", false);
        });
        client.board.update("gone", |update| update.variable("ups.status", "OL", false));
        client.board.lose("gone");
        open(&mut client);
        let mut said: Vec<(u64, String)> = vec![];
        for now in 1..=900 {
            client.check(seconds(now)).unwrap();
            for (head, body) in packets(&filled(&mut client, seconds(now))) {
                match head {
                    0xc0 => client.received(&[0xd0, 0], seconds(now)).unwrap(),
                    0x31 | 0x33 => {
                        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                        let behind = if head == 0x33 { 4 + length } else { 2 + length };
                        if head == 0x33 {
                            let answer = [&[0x40, 2][..], &body[2 + length..4 + length]].concat();
                            client.received(&answer, seconds(now)).unwrap();
                        }
                        let text = [&body[2..2 + length], b" ", &body[behind..]].concat();
                        said.push((now, String::from_utf8(text).unwrap()));
                    }
                    other => panic!("{other:x}"),
                }
            }
        }
        let times = |what: &str| said.iter().filter(|(_, text)| text == what).count();
        for what in [
            "q/s/attic/ups/status OB",
            "q/s/attic/battery/charge 55",
            "q/s/attic/availability online",
            "q/s/rack/ups/status OL",
            "q/s/gone/availability offline",
            "q/s/availability online",
        ] {
            let expected = if repeat == 0 { 0..=0 } else { 1..=3 };
            assert!(expected.contains(&times(what)), "{repeat}: {what}: {} times: {said:?}", times(what));
        }
        // one UPS after the other: no more than its own values at once
        let most = said.iter().map(|(now, _)| said.iter().filter(|(other, _)| other == now).count()).max();
        assert!(most.unwrap_or(0) <= 6, "{said:?}");
        assert!(!said.iter().any(|(_, text)| text.contains("gone/ups")), "{said:?}");
    }
}
