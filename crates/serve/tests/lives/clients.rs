//! Clients of a life: they read, log in, guess, flood, and do not read.

use super::truth::{SLACK, Truth};
use crate::site::{Client, connect_from};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::upsd::random::Chance;

/// A request that waits for no verdict on a password is answered within this.
const SOON: Duration = Duration::from_millis(300);
/// A login that follows wrong ones of its address waits no longer than this (upsmon gives up after five seconds).
const LOGIN: Duration = Duration::from_secs(2);

/// Eight wrong ones at once, each of which its address pays for.
const GUESSES: Duration = Duration::from_secs(8);

fn any(chance: &mut Chance, names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names[chance.below(names.len())].clone())
}

fn is_late(truth: &Truth, took: Duration, bound: Duration, asked: Instant) -> bool {
    took > bound + SLACK && took > bound + SLACK + truth.starved_since(asked)
}

fn rest(chance: &mut Chance, longest_ms: usize) {
    std::thread::sleep(Duration::from_millis(1 + chance.below(longest_ms) as u64));
}

/// Asks on and on, and looks at each answer and how long it took.
pub fn read(truth: &Arc<Truth>, mut chance: Chance) {
    let mut client = Client::new(truth.port);
    while !truth.ends() {
        let Some(name) = any(&mut chance, &truth.names()) else { return };
        let (epoch, asked) = (truth.epoch(), Instant::now());
        let lines = client.list(&format!("LIST VAR {name}"));
        let took = asked.elapsed();
        if is_late(truth, took, SOON, asked) {
            truth.fault(format!("LIST VAR {name} took {took:?}"));
        }
        match lines[0].as_str() {
            "" => return truth.fault("a client that only reads was dropped".into()),
            "ERR DATA-STALE" | "ERR DRIVER-NOT-CONNECTED" => {}
            "ERR UNKNOWN-UPS" if !truth.is_still(epoch) => {}
            begin if begin.starts_with("BEGIN ") => {
                truth.judge(&name, &variables(&lines), asked, epoch);
            }
            other => truth.fault(format!("LIST VAR {name}: {other}")),
        }
        rest(&mut chance, 100);
    }
}

pub fn variables(lines: &[String]) -> BTreeMap<String, String> {
    let words = lines.iter().map(|line| nut::words::words(line.as_bytes()).unwrap());
    words.filter(|words| words[0] == "VAR").map(|words| (words[2].clone(), words[3].clone())).collect()
}

/// Logs in with the right password, from addresses that failed and others, and out again.
pub fn log_in(truth: &Arc<Truth>, mut chance: Chance) {
    while !truth.ends() {
        rest(&mut chance, 200);
        let epoch = truth.epoch();
        let accounts = truth.accounts.lock().unwrap().clone();
        let users: Vec<String> = accounts.keys().cloned().collect();
        let (Some(user), Some(name)) = (any(&mut chance, &users), any(&mut chance, &truth.names())) else {
            return;
        };
        let account = &accounts[&user];
        let is_shared = chance.below(2) == 0;
        let address =
            if is_shared { shared(&mut chance) } else { format!("127.9.0.{}", 1 + chance.below(200)) };
        let mut client = connect_from(&address, truth.port).user(&user, &account.password);
        let asked = Instant::now();
        let answer = client.ask(&format!("LOGIN {name}"));
        let took = asked.elapsed();
        if truth.is_still(epoch) && answer != "OK" {
            truth.fault(format!("LOGIN {name} as {user} with its password from {address}: {answer}"));
        }
        let bound = if is_shared || account.is_hashed { LOGIN } else { SOON };
        if is_late(truth, took, bound, asked) {
            truth.fault(format!(
                "LOGIN as {user} from {address} (hashed: {}) took {took:?}",
                account.is_hashed
            ));
        }
        rest(&mut chance, 100);
        // a UPS that is gone takes its clients along
        if chance.below(2) == 0 && answer == "OK" {
            let farewell = client.ask_if_there("LOGOUT");
            if truth.is_still(epoch) && farewell.as_deref().ok() != Some("OK Goodbye") {
                truth.fault(format!("LOGOUT: {farewell:?}"));
            }
        }
    }
}

/// Addresses from which right and wrong passwords come.
fn shared(chance: &mut Chance) -> String {
    format!("127.8.0.{}", 1 + chance.below(2))
}

/// Tries passwords that are wrong, or are not right any more.
pub fn guess(truth: &Arc<Truth>, mut chance: Chance) {
    // one program on a host with a wrong password, or many hosts
    let is_neighbour = chance.below(2) == 0;
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while !truth.ends() {
        let epoch = truth.epoch();
        let accounts = truth.accounts.lock().unwrap().clone();
        for (user, account) in &accounts {
            let passwords = known.entry(user.clone()).or_default();
            if !passwords.contains(&account.password) {
                passwords.push(account.password.clone());
            }
        }
        let users: Vec<String> = accounts.keys().cloned().collect();
        let (Some(user), Some(name)) = (any(&mut chance, &users), any(&mut chance, &truth.names())) else {
            return;
        };
        let old = known[&user].iter().find(|old| **old != accounts[&user].password);
        let password = old.cloned().filter(|_| chance.below(2) == 0).unwrap_or_else(|| "wrong".into());
        // one, or several at once; some do not wait for what comes of it
        let mut guesses: Vec<Client> = (0..[1, 1, 1, 8][chance.below(4)])
            .map(|_| {
                let address = match chance.below(3) {
                    _ if is_neighbour => shared(&mut chance),
                    0 => shared(&mut chance),
                    _ => format!("127.7.0.{}", 1 + chance.below(60)),
                };
                let mut client = connect_from(&address, truth.port).user(&user, &password);
                client.say(&format!("LOGIN {name}"));
                client
            })
            .collect();
        guesses.retain(|_| chance.below(4) > 0);
        let asked = Instant::now();
        for client in &mut guesses {
            let answer = client.hear();
            if is_late(truth, asked.elapsed(), GUESSES, asked) {
                truth.fault(format!("a wrong password was refused after {:?}", asked.elapsed()));
            }
            if truth.is_still(epoch) && answer != "ERR ACCESS-DENIED" {
                truth.fault(format!("LOGIN {name} as {user} with '{password}', which is wrong: {answer}"));
            }
        }
        rest(&mut chance, 200);
    }
}

/// Asks for much and reads nothing of it.
pub fn be_deaf(truth: &Arc<Truth>, mut chance: Chance) {
    while !truth.ends() {
        let Some(name) = any(&mut chance, &truth.names()) else { return };
        let mut client = Client::new(truth.port);
        client.stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
        let flood = format!("LIST VAR {name}\n").repeat(500);
        while client.stream.write_all(flood.as_bytes()).is_ok() && !truth.ends() {}
        let until = Instant::now() + Duration::from_millis(chance.below(1500) as u64);
        while Instant::now() < until && !truth.ends() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
