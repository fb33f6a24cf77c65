//! Lives of a server, drawn from seeds: UPSes come, go, hang and change, clients log in with right and wrong passwords,
//! give orders, read, and do not read, and the administrator reloads. What clients see is held against what is so: no old
//! value is shown as fresh, an order is done at most once and its outcome is what the UPS said, the right password lets in
//! within two seconds, and no client waits for another.
//!
//! Each finding of the reviews of the server is of a kind that such a life can have. `QXUPS_SEEDS=300` lives more of them,
//! `QXUPS_FIRST_SEED=17 QXUPS_SEEDS=1` one again.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod clients;
mod course;
mod orders;
#[path = "../site/mod.rs"]
mod site;
mod truth;
mod unit;

use course::Course;
use orders::Orders;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::upsd::random::Chance;
use truth::Truth;

/// So many lives at a time, and so long each.
const AT_ONCE: usize = 7;
const LIFE: Duration = Duration::from_secs(5);

fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn what_clients_see_is_so() {
    let (first, count) = (number_from("QXUPS_FIRST_SEED", 0), number_from("QXUPS_SEEDS", 20));
    let (next, wrong) = (AtomicU64::new(first), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count {
                        return;
                    }
                    let lived = std::panic::catch_unwind(|| live(seed));
                    let faults = lived.unwrap_or_else(|_| vec!["it broke off".into()]);
                    if !faults.is_empty() {
                        wrong.lock().unwrap().push(format!("seed {seed}:\n{}", faults.join("\n")));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Lives the life of a seed; what was not as it should be.
fn live(seed: u64) -> Vec<String> {
    let mut course = Course::begin(seed);
    let truth = course.truth.clone();
    let chance = |number: u64| Chance::new(seed * 100 + number);
    let client = |act: fn(&Arc<Truth>, Chance), number: u64| {
        let (truth, chance) = (truth.clone(), chance(number));
        std::thread::spawn(move || act(&truth, chance))
    };
    let clients = [
        client(clients::read, 1),
        client(clients::read, 2),
        client(clients::log_in, 3),
        client(clients::log_in, 4),
        client(clients::guess, 5),
        client(clients::guess, 6),
        client(clients::be_deaf, 7),
    ];
    let ordering = {
        let (truth, chance) = (truth.clone(), chance(8));
        std::thread::spawn(move || Orders::give(&truth, chance))
    };
    let (began, mut pace) = (Instant::now(), chance(9));
    while began.elapsed() < LIFE {
        std::thread::sleep(Duration::from_millis(20 + pace.below(250) as u64));
        course.go_on();
    }
    course.heal();
    truth.ends.store(true, Ordering::SeqCst);
    let mut are_well = true;
    for client in clients {
        are_well &= client.join().is_ok();
    }
    let orders = ordering.join();
    are_well &= orders.is_ok();
    if !are_well {
        truth.fault("a client was cut off, or had no answer for a minute".into());
    }
    course.count_logins();
    if let Ok(orders) = orders {
        course.judge_toggles(orders.toggles());
        orders.judge(&truth);
    }
    let mut faults = truth.faults();
    if !faults.is_empty() {
        faults.push(course.site.log());
    }
    faults
}
