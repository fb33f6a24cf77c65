//! One look at the fleet for all who listen to events, as long as there is one.

use super::Live;
use super::body::{EventState, EventStream};
use super::shelf::Shelf;
use crate::events::{HEARTBEAT, Listener};
use crate::view::FleetView;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// So many clients listen at once.
pub const LISTENERS: usize = 64;
/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Looking takes no more of the time than one part in so many.
const SHARE: u32 = 20;

/// Who listens.
#[derive(Default)]
pub struct Hub {
    /// Of who looks for the others; gone with the last of them.
    seats: RefCell<Weak<()>>,
    news: RefCell<Weak<watch::Sender<Rc<FleetView>>>>,
    /// Answers for several clients.
    pub(super) shelf: Shelf,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("listeners", &self.listeners()).finish()
    }
}

impl Hub {
    /// How many listen.
    pub fn listeners(&self) -> usize {
        // the task that looks has none
        self.seats.borrow().strong_count()
    }

    /// Events for one more client; none where too many listen. The first one has the fleet looked at.
    pub(super) fn listen<S: Live + 'static>(&self, site: &Rc<S>, ups: Option<String>) -> Option<EventStream> {
        if self.listeners() >= LISTENERS {
            return None;
        }
        let known = self.seats.borrow().upgrade();
        let seat = known.unwrap_or_else(|| {
            let seat = Rc::new(());
            self.seats.replace(Rc::downgrade(&seat));
            seat
        });
        let known = self.news.borrow().upgrade();
        let news = known.map(|sender| sender.subscribe());
        let news = news.unwrap_or_else(|| {
            let sender = Rc::new(watch::Sender::new(Rc::new(site.fleet())));
            self.news.replace(Rc::downgrade(&sender));
            let receiver = sender.subscribe();
            tokio::task::spawn_local(look(sender, Rc::downgrade(site)));
            receiver
        });
        let state =
            EventState { news, listener: Listener::new(ups), due: Instant::now() + HEARTBEAT, _seat: seat };
        Some(EventStream::new(state))
    }
}

/// Looks at the fleet until no client listens any more.
async fn look<S: Live>(sender: Rc<watch::Sender<Rc<FleetView>>>, site: Weak<S>) {
    let mut pause = LOOK;
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            () = sender.closed() => return,
        }
        let Some(site) = site.upgrade() else { return };
        let began = Instant::now();
        sender.send_replace(Rc::new(site.fleet()));
        pause = LOOK.max(began.elapsed() * SHARE);
    }
}
