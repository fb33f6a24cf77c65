//! Any bytes from an MQTT broker, of either version: no panic, no order but one that is allowed, by a message that was neither
//! kept nor sent again, and nothing that grows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt::{AllowedCommands, MqttClient, MqttSettings, MqttVersion, TopicTree};
use std::time::Duration;

fn client(version: MqttVersion) -> MqttClient {
    let allowed = AllowedCommands::parse("beeper.toggle").unwrap();
    let tree = TopicTree { prefix: "q".into(), site: "s".into(), discovery: Some("homeassistant".into()) };
    let mut client = MqttClient::new(MqttSettings {
        version,
        client: "qxups-s".into(),
        user: None,
        password: None,
        keep_alive: 30,
        repeat: std::time::Duration::from_secs(60),
        tree,
        commands: AllowedCommands::new(vec![allowed]),
    });
    client.board.update("rack", |update| update.variable("ups.status", "OL", false));
    client.board.lose("attic");
    client.connected(Duration::ZERO);
    client
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let mut client = client(if first & 1 == 0 { MqttVersion::V311 } else { MqttVersion::V5 });
    let (mut out, mut now) = (vec![], Duration::ZERO);
    // in pieces of a length that the first byte says, with time between them
    for piece in bytes.chunks(usize::from(first >> 1) + 1) {
        client.fill(&mut out, now);
        assert!(out.len() < 128 * 1024);
        out.clear();
        if client.received(piece, now).is_err() || client.check(now).is_err() {
            client.lost();
            client.connected(now);
        }
        let orders: Vec<_> = std::iter::from_fn(|| client.take_order()).collect();
        assert!(orders.iter().all(|order| order.ups == "rack" && order.name.eq_ignore_ascii_case("beeper.toggle")));
        assert!(client.take_notes().len() <= 64);
        now += Duration::from_millis(100);
    }
});
