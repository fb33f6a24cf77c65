//! Who hears of a UPS: publishers of its data, and the owner of its station.

use qx::device::store::{Change, Store};
use qx::device::{Event, Outcome};
use tokio::time::Instant;

/// An output for the data of a UPS: a driver socket, a network server, a view. The device is borrowed during
/// these calls, so a publisher must not call its station; it does no I/O that waits.
pub trait Publisher {
    /// The store changed.
    fn changed(&mut self, store: &Store, changes: &[Change]);
    /// Something happened; how a request ended is only for its own asker.
    fn happened(&mut self, event: &Event, store: &Store) {
        let _ = (event, store);
    }
}

/// A reload that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Whether to exit when something changed that needs a new start.
    pub or_exit: bool,
}

/// Takes what came of a reload.
pub type ReloadAnswer = Box<dyn FnOnce(Outcome)>;

/// The process that a station works for. It must not call the station from here; it takes a note and acts later.
pub trait Owner {
    /// The session came round. Returns when it has to come round again at the latest, if there is such a time:
    /// a watchdog waits for it.
    fn turned(&self) -> Option<Instant> {
        None
    }
    /// How the UPS does, in one line.
    fn status(&self, line: &str) {
        let _ = line;
    }
    /// Whether clients may ask for a reload by `driver.reload`.
    fn can_reload(&self) -> bool {
        false
    }
    /// A client asks for a reload; the answer is given once it is known what came of it.
    fn reload(&self, how: Reload, answer: ReloadAnswer) {
        let _ = how;
        answer(Outcome::Unknown);
    }
}

/// An owner that wants to know nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoOwner;

impl Owner for NoOwner {}
