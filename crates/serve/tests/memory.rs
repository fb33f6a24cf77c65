//! What one more UPS takes: bytes of the heap, counted as the allocator of glibc hands them out, so that it is the same
//! on every machine. The aims are those of docs/server.md, on mains and on battery.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use nut::network::server::Freshness;
use serve::fleet::{Fleet, Surroundings};
use station::NoOwner;
use station::log::Log;
use station::memory::Folders;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use testbed::units::Units;
use tokio::time::sleep;

/// So many more are compared with a fleet of a few.
const FEW: usize = 8;
const MORE: usize = 80;
/// At most so many bytes for each further UPS: kB of 1024, as in all tables.
const ON_MAINS: usize = 30 * 1024;
const ON_BATTERY: usize = 100 * 1024;

/// Everything was asked for several times by then, at a poll a second.
const SETTLED: Duration = Duration::from_secs(14);
/// So long on battery.
const OUTAGE: Duration = Duration::from_secs(20);

/// Counts what is in use of what the thread of the fleet asked for; simulated units have a thread of their own.
struct Counting;

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    static ASKED_FOR: Cell<usize> = const { Cell::new(0) };
}

/// What a block takes in glibc: 8 bytes more, in steps of 16, at least 32.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

fn count(add: usize, take_off: usize) {
    let _ = ASKED_FOR.try_with(|bytes| bytes.set(bytes.get().wrapping_add(add)));
    // a thread that ends has none any more
    let _ = IN_USE.try_with(|bytes| bytes.set(bytes.get().wrapping_add(add).wrapping_sub(take_off)));
}

// SAFETY: all of it is done by the system's allocator
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(taken(layout.size()), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, taken(layout.size()));
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(taken(size), taken(layout.size()));
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn in_use() -> usize {
    IN_USE.with(Cell::get)
}

fn conf(ports: &[u16]) -> String {
    let section = |(at, port): (usize, &u16)| {
        format!("[ups{at}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{port}\npollinterval = 1\n")
    };
    ports.iter().enumerate().map(section).collect()
}

fn surroundings(folder: &Path) -> Surroundings {
    Surroundings {
        conf: folder.into(),
        folders: Folders { state: folder.into(), lasting: folder.into() },
        pids: folder.into(),
        max_age: Rc::new(Cell::new(Duration::from_secs(15))),
        new_id: Rc::new(|| nut::network::TrackingId::from_random([7; 16])),
        log: Log::silent(),
        owner: Rc::new(NoOwner),
    }
}

/// What a fleet of so many takes on mains, and on battery.
async fn fleet_of(count: usize, folder: &Path) -> (usize, usize) {
    let units = Units::start(count);
    let before = in_use();
    let mut fleet = Fleet::new(surroundings(folder));
    let conf = nut::ups_conf::parse(conf(&units.ports).as_bytes());
    let checked = fleet.check(&conf).unwrap();
    drop(conf);
    fleet.take(checked);
    let are_fresh = |fleet: &Fleet| fleet.all().iter().all(|ups| ups.freshness() == Freshness::Fresh);
    while !are_fresh(&fleet) {
        sleep(Duration::from_millis(50)).await;
    }
    sleep(SETTLED).await;
    let on_mains = in_use() - before;
    (0..count).for_each(|ups| units.turn(ups, "mains fail"));
    sleep(OUTAGE).await;
    let on_battery = in_use() - before;
    assert!(are_fresh(&fleet));
    fleet.stop();
    (on_mains, on_battery)
}

/// A copy of all sections for each of them had the first client of a thousand UPSes wait.
#[test]
fn a_section_costs_the_same_among_many() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    let asked_for = |count: u16| {
        let ports: Vec<u16> = (0..count).map(|at| 20_000 + at).collect();
        runtime.block_on(async {
            let fleet = Fleet::new(surroundings(&std::env::temp_dir()));
            let conf = nut::ups_conf::parse(conf(&ports).as_bytes());
            let before = ASKED_FOR.with(Cell::get);
            fleet.check(&conf).unwrap();
            (ASKED_FOR.with(Cell::get) - before) / usize::from(count)
        })
    };
    let (few, many) = (asked_for(50), asked_for(400));
    println!("a section is read with {few} bytes asked for among 50, {many} among 400");
    assert!(many < few * 2, "{few} bytes asked for a section among 50, {many} among 400");
}

#[test]
fn each_further_ups_takes_30_kb_on_mains_and_100_kb_on_battery() {
    let folder = std::env::temp_dir().join(format!("qxups-memory-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    let [few, all] = [FEW, FEW + MORE].map(|count| {
        let folder = folder.join(count.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let work = async move { fleet_of(count, &folder).await };
        runtime.block_on(async { tokio::task::spawn_local(work).await.unwrap() })
    });
    let _ = std::fs::remove_dir_all(&folder);
    let (mains, battery) = ((all.0 - few.0) / MORE, (all.1 - few.1) / MORE);
    println!("each further UPS: {mains} bytes on mains, {battery} on battery");
    assert!(mains <= ON_MAINS, "{mains} bytes for each further UPS on mains");
    assert!(battery <= ON_BATTERY, "{battery} bytes for each further UPS on battery");
}
