//! What one more UPS takes on the board: bytes of the heap, counted as the allocator of glibc hands them out (as in serve's
//! `memory`), so that it is the same on every machine. docs/mqtt.md has the figure.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, clippy::disallowed_macros)]

use mqtt::{FleetBoard, TopicTree};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// At most so many bytes for each further UPS of 46 variables: a quarter of what the UPS itself may take.
const MOST: usize = 8 * 1024;

struct Counting;

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
}

/// What a block takes in glibc: 8 bytes more, in steps of 16, at least 32.
fn taken(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

fn count(add: usize, take_off: usize) {
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

/// A board of so many UPSes, of which the broker has all.
fn board(count: usize) -> FleetBoard {
    let names: Vec<String> =
        qx::vocabulary::variable::ALL.iter().take(45).map(|var| var.name.into()).collect();
    let tree =
        TopicTree { prefix: "qxups".into(), site: "home".into(), discovery: Some("homeassistant".into()) };
    let mut board = FleetBoard::new(tree);
    for number in 0..count {
        board.update(&format!("ups{number}"), |update| {
            update.variable("ups.status", "OL", false);
            names.iter().for_each(|name| update.variable(name, "230.1", false));
        });
    }
    while board.next_urgent().or_else(|| board.next(true)).is_some() {}
    board
}

#[test]
fn each_further_ups_takes_8_kb_on_the_board_also_while_the_broker_is_away() {
    let of = |count: usize| {
        let before = IN_USE.get();
        let mut board = board(count);
        let settled = IN_USE.get() - before;
        // the broker is away, and every status changes ten times
        for round in 0..10 {
            (0..count).for_each(|number| {
                assert!(board.hear_status(&format!("ups{number}"), &format!("OB {round}")));
            });
        }
        (settled, IN_USE.get() - before)
    };
    let (few, all) = (of(8), of(1008));
    let (settled, away) = ((all.0 - few.0) / 1000, (all.1 - few.1) / 1000);
    println!("each further UPS: {settled} bytes, {away} while the broker is away");
    assert!(settled <= MOST && away <= MOST, "{settled}, {away}");
}
