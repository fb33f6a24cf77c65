//! Many sites at one centre: three nodes of nats-server as `packaging/fleet` ships them (in the clear), sites whose publishers are
//! real and whose UPSes are not, and mosquitto_sub as who looks on. Prints a table of docs/fleet.md:
//!
//!     cargo bench -p serve --bench fleet -- [SITES [UPSES]]
//!
//! nats-server and mosquitto-clients are to be installed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod centre;
mod sites;

use centre::{Centre, OnLooker};
use sites::{REPEAT, Sites, VALUES, World};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const SITES: usize = 100;
const UPSES: usize = 10;
/// Longer than this nothing may take.
const PATIENCE: Duration = Duration::from_secs(900);

fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Waits until it is so; how long that took.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

async fn measure(count: usize, upses: usize) {
    let folder = std::env::temp_dir().join(format!("qxups-fleet-{}", std::process::id()));
    let mut centre = Centre::start(&folder, count);
    let world = Rc::new(World::new(count, upses));
    println!("| {count} sites of {upses} UPSes | figure |\n|---|---|");

    let sites = Sites::start(&world, &centre.ports);
    let all_settled = || sites.settled() == count;
    let took = until("all sites are at the centre", all_settled).await;
    let topics = count * upses * VALUES;
    let bytes = sites.sent();
    row("all connect for the first time, within a second: all is at the centre after", &seconds(took));
    row("sent by all of them", &format!("{topics} values, {:.1} MB", bytes as f64 / 1e6));
    row("memory, file store and processor of each node", &centre.costs());

    let truth = |site, ups| world.status(site, ups);
    let differences = |on_looker: &OnLooker| on_looker.differences(truth, count, upses);
    let later = OnLooker::start(centre.ports[2]);
    sleep(Duration::from_secs(15)).await;
    let wrong = differences(&later);
    row("who connects then: statuses that the nodes lost", &format!("{wrong} of {}", count * upses));
    let took = until("what was lost is there again", || differences(&later) == 0).await;
    row(&format!("they are there, by a 'repeat' of {} s, after", REPEAT.as_secs()), &seconds(took));
    drop(later);

    let on_looker = OnLooker::start(centre.ports[2]);
    let is_right = |on_looker: &OnLooker| differences(on_looker) == 0;
    let took = until("who looks on has all", || is_right(&on_looker)).await;
    row("who connects then has the status of all after", &seconds(took));

    let region = count / 2;
    world.set(0..region, "OB DISCHRG");
    let took = until("the outage is at the centre", || is_right(&on_looker)).await;
    row(&format!("mains fail at {region} sites at once: the centre has all of it after"), &seconds(took));

    world.set(0..region, "OL");
    world.set(region..count, "OB DISCHRG LB");
    centre.kill(1);
    let took = until("what is so is at the centre", || is_right(&on_looker)).await;
    row(
        "all change, and a node is killed (kill -9) in that moment: the centre has all of it after",
        &seconds(took),
    );
    let took = until("all sites are at the centre again", all_settled).await;
    row("and its sites have sent all again, to other nodes, after further", &seconds(took));
    let later = OnLooker::start(centre.ports[2]);
    sleep(Duration::from_secs(15)).await;
    let wrong = differences(&later);
    row("who connects after that: wrong or missing statuses", &format!("{wrong} of {}", count * upses));
    let took = until("what was lost is there again", || is_right(&later)).await;
    row("they are right after", &seconds(took));

    centre.again(1);
    (0..3).for_each(|node| centre.kill(node));
    world.set(0..count, "OL CHRG");
    sleep(Duration::from_secs(10)).await;
    (0..3).for_each(|node| centre.again(node));
    let took = until("all sites are at the centre again", all_settled).await;
    row("the whole centre was killed, and is back after 10 s: all is there after further", &seconds(took));
    row("most connections in one second of that", &sites.most_connections_a_second().to_string());
    let last = OnLooker::start(centre.ports[0]);
    let took = until("who looks on has all", || is_right(&last)).await;
    row("who connects then has the status of all, and right, after", &seconds(took));
    row("memory, file store and processor of each node", &centre.costs());
    drop(centre);
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(SITES);
    let upses = numbers.get(1).copied().unwrap_or(UPSES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, measure(count, upses));
}
