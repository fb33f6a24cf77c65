//! Requests a second and how long an answer takes, of this server and of Debian's upsd, one after the other, in front of
//! the same drivers: `cargo test --release -p serve --test beside_upsd -- --ignored --nocapture`. It prints the table of docs/server.md.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{Client, FakeDriver, Site, program};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// As many as a UPS of nutdrv_qx has.
const VARIABLES: usize = 40;
/// How long each cell of the table is measured.
const LOOK: Duration = Duration::from_secs(2);

fn dump() -> String {
    let variables =
        (0..VARIABLES).map(|number| format!("SETINFO input.L{number}.voltage \"230.{number}\"\n"));
    variables.collect::<String>() + "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n"
}

fn conf(upses: usize) -> String {
    (0..upses).map(|number| format!("[u{number}]\ndriver = fake\nport = auto\n")).collect()
}

/// What one client asks without a pause, and how long each answer took.
fn ask(port: u16, ups: usize, list: bool, until: Instant) -> Vec<Duration> {
    let (mut client, mut took) = (Client::new(port), vec![]);
    while Instant::now() < until {
        let began = Instant::now();
        if list {
            client.say(&format!("LIST VAR u{ups}"));
            while !client.hear().starts_with("END") {}
        } else {
            assert!(client.ask(&format!("GET VAR u{ups} ups.status")).starts_with("VAR"));
        }
        took.push(began.elapsed());
    }
    took
}

/// A row: requests a second, median and 99th percentile.
fn row(port: u16, clients: usize, upses: usize, list: bool) -> String {
    let until = Instant::now() + LOOK;
    let threads: Vec<_> = (0..clients)
        .map(|number| std::thread::spawn(move || ask(port, number % upses, list, until)))
        .collect();
    let mut took: Vec<Duration> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)].as_micros();
    let each_second = took.len() as f64 / LOOK.as_secs_f64();
    format!("{each_second:.0} ({} / {} µs)", at(50), at(99))
}

fn resident_kb(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim().to_string()
}

fn start(mut command: std::process::Command, site: &Site) -> Child {
    let root = nix::unistd::Uid::effective().is_root();
    let user = if root { &["-u", "root"][..] } else { &[] };
    let child = command.arg("-F").args(user).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let last = format!("GET VAR u{} ups.status", conf_count(site) - 1);
    site.until_answer_or_refused(&last, &format!("VAR u{} ups.status \"OL\"", conf_count(site) - 1));
    child
}

fn conf_count(site: &Site) -> usize {
    std::fs::read_to_string(site.folder.join("ups.conf")).unwrap().matches("driver").count()
}

#[test]
#[ignore = "it measures, and asserts nothing"]
fn both_servers_are_measured() {
    let upsd = program("upsd").filter(|path| path.starts_with("/lib/nut/"));
    println!(
        "| UPSes | clients | request | this server (p50 / p99) | upsd 2.8.0 (p50 / p99) |\n|---|---|---|---|---|"
    );
    for upses in [1, 10, 100] {
        let site = Site::new(&format!("bench-{upses}"), &conf(upses), "MAXCONN 512\n");
        let _drivers: Vec<FakeDriver> =
            (0..upses).map(|number| FakeDriver::start(&site, &format!("fake-u{number}"), &dump())).collect();
        let mut cells: Vec<Vec<String>> = vec![];
        let mut memory = vec![];
        for program in [Some(env!("CARGO_BIN_EXE_upsd").to_string()), upsd.clone()] {
            let Some(program) = program else { continue };
            let mut command = std::process::Command::new(&program);
            site.environment(&mut command);
            let mut server = start(command, &site);
            let mut column = vec![];
            for list in [false, true] {
                for clients in [1, 10, 100] {
                    column.push(row(site.port, clients, upses, list));
                }
            }
            cells.push(column);
            memory.push(resident_kb(server.id()));
            server.kill().unwrap();
            server.wait().unwrap();
        }
        for (at, request) in ["GET VAR", "LIST VAR"].into_iter().enumerate() {
            for (which, clients) in [1, 10, 100].into_iter().enumerate() {
                let both: Vec<&str> = cells.iter().map(|column| column[at * 3 + which].as_str()).collect();
                println!("| {upses} | {clients} | {request} | {} |", both.join(" | "));
            }
        }
        println!("resident with {upses} UPSes: {}", memory.join(", "));
    }
}
