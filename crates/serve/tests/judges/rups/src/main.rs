//! What rups, a client from crates.io, reads of a server and does there: `judge-rups PORT`.

use rups::blocking::Connection;
use rups::{Auth, ConfigBuilder};
use std::convert::TryInto;

fn main() -> rups::Result<()> {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let config = ConfigBuilder::new()
        .with_host((String::from("127.0.0.1"), port).try_into()?)
        .with_auth(Some(Auth::new("admin".into(), Some("secret".into()))))
        .build();
    let mut server = Connection::new(&config)?;
    println!("netver {}", server.get_network_version()?);
    println!("ver {}", server.get_server_version()?);
    for (name, description) in server.list_ups()? {
        println!("ups {name}: {description}");
    }
    println!("upsdesc {}", server.get_ups_description("rack")?);
    println!("logins {}", server.get_num_logins("rack")?);
    for variable in server.list_vars("rack")? {
        println!("var {variable}");
    }
    for variable in server.list_mutable_vars("rack")? {
        let kind = server.get_var_type("rack", variable.name())?;
        println!("rw {variable} range {} number {}", kind.is_range(), kind.is_number());
    }
    println!("status {}", server.get_var("rack", "ups.status")?);
    println!("desc {}", server.get_var_description("rack", "ups.status")?);
    for command in server.list_commands("rack")? {
        println!("cmd {command}: {}", server.get_command_description("rack", &command)?);
    }
    for choice in server.list_var_enum("odd", "input.sensitivity")? {
        println!("enum {choice}");
    }
    for client in server.list_clients("rack")? {
        println!("client {client}");
    }
    // what its parameter is called is not what upsd takes it for
    server.run_command("rack", Some("beeper.toggle"))?;
    println!("stale {:?}", server.get_var("gone", "ups.status").err());
    println!("unknown {:?}", server.get_var("none", "ups.status").err());
    println!("unsupported {:?}", server.run_command("rack", Some("no.such")).err());
    server.close()
}
