//! Checks of hashed passwords, which take their time: beside the one thread of the server, few at once, one for an
//! address, and by turns the one whose address failed least and the one that waits longest: no crowd of addresses keeps
//! another from its turn. Others than those who gave a password wait for none of it.

use crate::passwords;
use crate::server::Peer;
use driver::resident;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// So many are computed at a time.
const AT_ONCE: usize = 2;
/// So many addresses may have one that is computed or waits; clients of further ones try again.
const ADDRESSES: usize = 1024;
/// Clients whose address has a check already look again after so long, or when that has ended. No longer than a
/// penalty for a failed login.
const AGAIN: Duration = Duration::from_secs(1);

/// A check that was made for a client, and how it ended: USERNAME and PASSWORD are said once in a connection.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CheckedLogin {
    hash: String,
    given: String,
    is_right: bool,
}

impl fmt::Debug for CheckedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // without the password
        f.debug_struct("CheckedLogin").field("is_right", &self.is_right).finish_non_exhaustive()
    }
}

/// The checks of a server.
#[derive(Debug, Default)]
pub(crate) struct Checks(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How many are computed.
    running: Cell<usize>,
    /// Those that wait, with how often their address failed.
    queue: RefCell<Vec<Queued>>,
    addresses: RefCell<HashMap<IpAddr, Turns>>,
    /// The next to begin is the one that waits longest.
    is_oldest_next: Cell<bool>,
}

/// A check that waits.
#[derive(Debug)]
struct Queued {
    failures: u32,
    peer: Rc<Peer>,
    checked: CheckedLogin,
}

/// The clients of one address, of whom one has its turn at a time.
#[derive(Debug, Default)]
struct Turns {
    is_busy: bool,
    waiting: VecDeque<Weak<Peer>>,
}

impl Turns {
    fn is_there(&self) -> bool {
        self.is_busy || self.waiting.iter().any(|peer| peer.strong_count() > 0)
    }

    fn wait(&mut self, peer: &Rc<Peer>) {
        self.waiting.retain(|other| other.strong_count() > 0);
        if !self.waiting.iter().any(|other| other.as_ptr() == Rc::as_ptr(peer)) {
            self.waiting.push_back(Rc::downgrade(peer));
        }
    }

    /// The turn has ended: who has the next.
    fn end(&mut self) -> Option<Rc<Peer>> {
        self.is_busy = false;
        std::iter::from_fn(|| self.waiting.pop_front()).find_map(|peer| peer.upgrade())
    }
}

impl Checks {
    /// Whether it is the password, where that is known; else it is found out, and the client is woken then. Its address
    /// failed so often.
    pub fn outcome(&self, peer: &Rc<Peer>, hash: &str, given: &str, failures: u32) -> Option<bool> {
        if let Some(known) = &*peer.checked.borrow() {
            if known.hash == hash && known.given == given {
                return Some(known.is_right);
            }
        }
        self.ask(peer, hash, given, failures);
        None
    }

    fn ask(&self, peer: &Rc<Peer>, hash: &str, given: &str, failures: u32) {
        peer.later.set(Some(Instant::now() + AGAIN));
        if peer.is_checking.get() {
            return;
        }
        let mut addresses = self.0.addresses.borrow_mut();
        if addresses.len() >= ADDRESSES && !addresses.contains_key(&peer.address) {
            addresses.retain(|_, turns| turns.is_there());
            if addresses.len() >= ADDRESSES {
                return;
            }
        }
        let turns = addresses.entry(peer.address).or_default();
        if turns.is_busy {
            turns.wait(peer);
            return;
        }
        turns.is_busy = true;
        peer.is_checking.set(true);
        let checked = CheckedLogin { hash: hash.into(), given: given.into(), is_right: false };
        self.0.queue.borrow_mut().push(Queued { failures, peer: peer.clone(), checked });
        begin(&self.0);
    }
}

/// Begins as many checks as may be computed at once.
fn begin(checks: &Rc<Inner>) {
    while checks.running.get() < AT_ONCE {
        let mut queue = checks.queue.borrow_mut();
        let is_oldest_next = checks.is_oldest_next.replace(!checks.is_oldest_next.get());
        let next = match is_oldest_next {
            true => (!queue.is_empty()).then_some(0),
            false => queue.iter().enumerate().min_by_key(|(_, queued)| queued.failures).map(|(at, _)| at),
        };
        let Some(Queued { peer, checked, .. }) = next.map(|at| queue.remove(at)) else { return };
        drop(queue);
        checks.running.set(checks.running.get() + 1);
        tokio::task::spawn_local(check(checks.clone(), peer, checked));
    }
}

/// Makes a check to its end, also when its client has left: its address makes no other meanwhile.
async fn check(checks: Rc<Inner>, peer: Rc<Peer>, mut checked: CheckedLogin) {
    let (hash, given) = (checked.hash.clone(), checked.given.clone());
    let made = tokio::task::spawn_blocking(move || passwords::is_password(&hash, &given)).await;
    checks.running.set(checks.running.get() - 1);
    checked.is_right = made.unwrap_or(false);
    *peer.checked.borrow_mut() = Some(checked);
    peer.is_checking.set(false);
    peer.wake.notify_one();
    let mut addresses = checks.addresses.borrow_mut();
    let next = addresses.get_mut(&peer.address).and_then(Turns::end);
    if let Some(next) = next {
        next.wake.notify_one();
    } else {
        addresses.remove(&peer.address);
    }
    if addresses.is_empty() {
        resident::give_back_heap();
    }
    drop(addresses);
    begin(&checks);
}
