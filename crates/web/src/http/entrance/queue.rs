//! Logins of one address: one at a time, each name in turn. None is turned away, and a guess at a password holds a right one up
//! for one check where it is for another name, and where it came before for the same. Each that waits is a connection, of which
//! there are so many at most (`gate`).

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::rc::Rc;
use tokio::sync::oneshot;

/// The logins that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct LoginQueue(Rc<LoginLanes>);

#[derive(Debug, Default)]
struct LoginLanes {
    /// Addresses of which one login has its turn, with those that wait.
    addresses: RefCell<BTreeMap<IpAddr, VecDeque<LoginLane>>>,
    /// Of a name only its hash is kept.
    hasher: RandomState,
}

/// Logins by one name, in the order in which they came.
#[derive(Debug)]
struct LoginLane {
    name: u64,
    waiting: VecDeque<oneshot::Sender<LoginTurn>>,
}

/// The turn of one login; the next of its address begins when this is dropped.
#[derive(Debug)]
pub(super) struct LoginTurn {
    queue: LoginQueue,
    address: IpAddr,
}

impl LoginQueue {
    /// The turn of a login, at once where no other of the address is under way.
    pub fn turn(&self, address: IpAddr, name: &str) -> Result<LoginTurn, oneshot::Receiver<LoginTurn>> {
        let name = self.0.hasher.hash_one(name);
        let mut addresses = self.0.addresses.borrow_mut();
        let Some(lanes) = addresses.get_mut(&address) else {
            addresses.insert(address, VecDeque::new());
            return Ok(LoginTurn { queue: self.clone(), address });
        };
        let (sender, turn) = oneshot::channel();
        match lanes.iter_mut().find(|lane| lane.name == name) {
            Some(lane) => {
                // those whose client has left
                lane.waiting.retain(|waiting| !waiting.is_closed());
                lane.waiting.push_back(sender);
            }
            None => lanes.push_back(LoginLane { name, waiting: VecDeque::from([sender]) }),
        }
        Err(turn)
    }

    /// Whose turn it is now, which begins by it; none where no login of the address waits.
    fn next(&self, address: IpAddr) -> Option<oneshot::Sender<LoginTurn>> {
        let mut addresses = self.0.addresses.borrow_mut();
        let lanes = addresses.get_mut(&address)?;
        while let Some(mut lane) = lanes.pop_front() {
            let next = std::iter::from_fn(|| lane.waiting.pop_front()).find(|waiting| !waiting.is_closed());
            if !lane.waiting.is_empty() {
                lanes.push_back(lane);
            }
            if next.is_some() {
                return next;
            }
        }
        addresses.remove(&address);
        None
    }
}

impl Drop for LoginTurn {
    fn drop(&mut self) {
        if let Some(next) = self.queue.next(self.address) {
            // one whose client leaves before it takes its turn drops it, and so on
            let _ = next.send(LoginTurn { queue: self.queue.clone(), address: self.address });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn waits(queue: &LoginQueue, name: &str) -> oneshot::Receiver<LoginTurn> {
        queue.turn(HERE, name).expect_err("another has its turn")
    }

    #[test]
    fn each_name_has_its_turn_and_each_address_its_own() {
        let queue = LoginQueue::default();
        let first = queue.turn(HERE, "admin").unwrap();
        let mut guesses: Vec<_> = (0..5).map(|_| waits(&queue, "admin")).collect();
        let mut other = waits(&queue, "other");
        let elsewhere = queue.turn([192, 0, 2, 1].into(), "admin");
        assert!(elsewhere.is_ok());
        drop(first);
        let second = guesses[0].try_recv().unwrap();
        assert!(other.try_recv().is_err() && guesses[1].try_recv().is_err());
        drop(second);
        // behind one guess, not behind five
        let third = other.try_recv().unwrap();
        // those whose client has left are passed over
        guesses.remove(2);
        drop(third);
        for guess in &mut guesses[1..] {
            drop(guess.try_recv().unwrap());
        }
        // one that left with its turn in hand
        let fourth = queue.turn(HERE, "admin").unwrap();
        let (leaves, mut last) = (waits(&queue, "admin"), waits(&queue, "admin"));
        drop(fourth);
        drop(leaves);
        drop(last.try_recv().unwrap());
        drop(elsewhere);
        assert!(queue.0.addresses.borrow().is_empty());
    }
}
