//! What a session shows to the owner of its station.

use crate::clock::DeviceClock;
use crate::publisher::Publisher;
use link::{Attached, LinkError};
use qx::device::Event;
use qx::device::store::{Change, Store};
use qx::vocabulary::moment::Moment;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How far a station is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The link is opened for the first time.
    Opening,
    /// The link was never open; it is tried again and again.
    CannotOpen(LinkError),
    /// The link is open, or was, and the UPS has not been understood yet.
    Searching,
    /// No dialect fits; the search goes on.
    NotFound(String),
    /// There is data.
    Ready,
    /// There was data, or there should have been: the UPS does not answer.
    Stale,
    /// The session has ended.
    Ended,
}

/// What session and station share.
pub(crate) struct SessionBoard {
    condition: RefCell<Condition>,
    changed: Notify,
    publishers: RefCell<Vec<Box<dyn Publisher>>>,
    /// When the session came round last.
    pub last_turn: Rc<Cell<Instant>>,
    /// How the UPS does, in one line.
    pub status: RefCell<String>,
    /// The USB device that is or was open.
    pub usb: RefCell<Option<Attached>>,
    /// The clock of the device; none before the first opening has ended.
    pub clock: Cell<Option<DeviceClock>>,
}

impl fmt::Debug for SessionBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBoard").field("condition", &self.condition).finish_non_exhaustive()
    }
}

impl SessionBoard {
    pub fn new() -> SessionBoard {
        SessionBoard {
            condition: RefCell::new(Condition::Opening),
            changed: Notify::new(),
            publishers: RefCell::default(),
            last_turn: Rc::new(Cell::new(Instant::now())),
            status: RefCell::default(),
            usb: RefCell::default(),
            clock: Cell::new(None),
        }
    }

    pub fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    pub fn set(&self, condition: Condition) {
        *self.condition.borrow_mut() = condition;
        self.wake();
    }

    /// Takes note of what an event says of the condition.
    pub fn hear(&self, event: &Event) {
        let is_never_open = matches!(self.condition(), Condition::CannotOpen(_));
        let condition = match event {
            // what the device makes of a UPS that could not be asked says less than why it could not
            _ if is_never_open => return,
            Event::Ready | Event::Fresh => Condition::Ready,
            Event::Stale => Condition::Stale,
            Event::NotFound(why) => Condition::NotFound(why.clone()),
            Event::Detected(..) if self.condition() != Condition::Ready => Condition::Searching,
            _ => return,
        };
        *self.condition.borrow_mut() = condition;
    }

    /// The time of the device.
    pub fn now(&self) -> Moment {
        self.clock.get().map_or(Moment::ZERO, |clock| clock.now())
    }

    /// Has those look again who wait for something.
    pub fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until something is so, or the session has ended.
    pub async fn until(&self, mut is_so: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // before looking, so that nothing is missed between looking and waiting
            changed.as_mut().enable();
            if is_so() || *self.condition.borrow() == Condition::Ended {
                return;
            }
            changed.await;
        }
    }

    pub fn subscribe(&self, publisher: Box<dyn Publisher>) {
        self.publishers.borrow_mut().push(publisher);
    }

    pub fn publish_event(&self, event: &Event, store: &Store) {
        self.each(|publisher| publisher.happened(event, store));
    }

    pub fn publish_changes(&self, store: &Store, changes: &[Change]) {
        self.each(|publisher| publisher.changed(store, changes));
    }

    fn each(&self, mut tell: impl FnMut(&mut Box<dyn Publisher>)) {
        let mut publishers = self.publishers.take();
        publishers.iter_mut().for_each(&mut tell);
        // one that was added meanwhile
        publishers.append(&mut self.publishers.borrow_mut());
        self.publishers.replace(publishers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::LinkError;

    #[test]
    fn why_a_link_was_never_open_counts_more_than_what_its_device_says() {
        let (board, why) = (SessionBoard::new(), LinkError::gone("it is not there"));
        let not_found = Event::NotFound("nothing answers".into());
        board.set(Condition::CannotOpen(why.clone()));
        for event in [&not_found, &Event::Stale] {
            board.hear(event);
            assert_eq!(board.condition(), Condition::CannotOpen(why.clone()));
        }
        board.set(Condition::Searching);
        board.hear(&not_found);
        assert_eq!(board.condition(), Condition::NotFound("nothing answers".into()));
        for (event, condition) in [
            (Event::Detected("megatec", 3), Condition::Searching),
            (Event::Ready, Condition::Ready),
            (Event::Detected("megatec", 3), Condition::Ready),
            (Event::Stale, Condition::Stale),
            (Event::Fresh, Condition::Ready),
        ] {
            board.hear(&event);
            assert_eq!(board.condition(), condition, "{event:?}");
        }
    }
}
