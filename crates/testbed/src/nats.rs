//! The centre of a fleet: three nodes of nats-server by `packaging/fleet/nats-server.conf`, in the clear.

use std::path::Path;

/// Ports of a node: for MQTT, for its own clients, for the other nodes, and for its state.
pub type NodePorts = [u16; 4];

/// What starts each of three nodes, by `/usr/bin/env`: settings, the program and its arguments. Each has a folder `node0` to
/// `node2`, where `accounts` says who may do what.
pub fn three_nodes(program: &str, folder: &Path, ports: &[NodePorts; 3], accounts: &str) -> [Vec<String>; 3] {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/fleet/nats-server.conf");
    let routes = ports.iter().zip(1..).map(|(of, at)| format!("ROUTE_{at}=nats://127.0.0.1:{}", of[2]));
    let routes: Vec<String> = routes.collect();
    [0, 1, 2].map(|number| {
        let folder = folder.join(format!("node{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(&shipped, folder.join("nats-server.conf")).unwrap();
        std::fs::write(folder.join("accounts.conf"), accounts).unwrap();
        std::fs::write(folder.join("mqtt-tls.conf"), "").unwrap();
        let [port, of_clients, of_cluster, of_http] = ports[number];
        let mut words = vec![
            format!("NODE=node{number}"),
            format!("STORE={}/store", folder.display()),
            format!("CLIENTS_LISTEN=127.0.0.1:{of_clients}"),
            format!("HTTP_LISTEN=127.0.0.1:{of_http}"),
            format!("CLUSTER_LISTEN=127.0.0.1:{of_cluster}"),
            "MQTT_HOST=127.0.0.1".into(),
            format!("MQTT_PORT={port}"),
        ];
        words.extend(routes.iter().cloned());
        let conf = folder.join("nats-server.conf").display().to_string();
        words.extend([program.to_string(), "-c".into(), conf]);
        words
    })
}
