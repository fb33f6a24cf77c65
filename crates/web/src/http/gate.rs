//! How many connections there are. Where there is no room, one of the address that has most gives way: it costs others
//! nothing what one host opens.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::Instant;

/// So many connections at once, where nothing else is said.
pub const CONNECTIONS: usize = 256;

/// The connections that are there.
#[derive(Debug)]
pub struct Gate {
    most: usize,
    places: RefCell<BTreeMap<u64, Rc<Guest>>>,
    last: Cell<u64>,
    /// Those that were dropped, or turned away.
    dropped: Cell<u64>,
}

#[derive(Debug)]
struct Guest {
    address: IpAddr,
    /// When it asked last, or came.
    heard: Cell<Instant>,
    has_asked: Cell<bool>,
    listens: Cell<bool>,
    /// It waits for the turn of its login.
    waits: Cell<bool>,
    /// It has to go.
    leave: Notify,
}

/// The place of one connection; free when this is dropped.
#[derive(Debug)]
pub struct GatePass {
    gate: Rc<Gate>,
    number: u64,
    guest: Rc<Guest>,
}

impl GatePass {
    /// Waits until the connection has to make room.
    pub async fn has_to_leave(guest: &Leave) {
        guest.0.leave.notified().await;
    }

    /// Says when it has to make room.
    pub fn leave(&self) -> Leave {
        Leave(self.guest.clone())
    }

    pub(super) fn asked(&self) {
        self.guest.heard.set(Instant::now());
        self.guest.has_asked.set(true);
    }

    pub(super) fn listens(&self) {
        self.guest.listens.set(true);
    }

    /// It waits for the turn of its login, as long as what this returns is there.
    pub(super) fn waits(&self) -> Waits<'_> {
        self.guest.waits.set(true);
        Waits(&self.guest)
    }
}

/// As long as a connection waits for the turn of its login.
#[derive(Debug)]
pub(super) struct Waits<'g>(&'g Guest);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waits.set(false);
    }
}

/// What a connection waits for besides its client.
#[derive(Clone, Debug)]
pub struct Leave(Rc<Guest>);

impl Drop for GatePass {
    fn drop(&mut self) {
        self.gate.places.borrow_mut().remove(&self.number);
    }
}

impl Gate {
    /// For so many connections.
    pub fn new(most: usize) -> Rc<Gate> {
        let (places, last, dropped) = (RefCell::default(), Cell::new(0), Cell::new(0));
        Rc::new(Gate { most: most.max(1), places, last, dropped })
    }

    /// How many were dropped or turned away.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// How many there are.
    pub fn connections(&self) -> usize {
        self.places.borrow().len()
    }

    /// Ends all connections.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *self.places.borrow_mut());
        all.into_values().for_each(|guest| guest.leave.notify_one());
    }

    /// A place for a connection from this address; none where all that could give way are those of others.
    pub fn admit(self: &Rc<Self>, address: IpAddr) -> Option<GatePass> {
        let address = neighbourhood(address);
        if self.connections() >= self.most {
            self.dropped.set(self.dropped.get().saturating_add(1));
            let victim = self.victim(address)?;
            let guest = self.places.borrow_mut().remove(&victim);
            if let Some(guest) = guest {
                guest.leave.notify_one();
            }
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        let guest = Rc::new(Guest {
            address,
            heard: Cell::new(Instant::now()),
            has_asked: Cell::new(false),
            listens: Cell::new(false),
            waits: Cell::new(false),
            leave: Notify::new(),
        });
        self.places.borrow_mut().insert(number, guest.clone());
        Some(GatePass { gate: self.clone(), number, guest })
    }

    /// Of the address that has most: one that asked nothing yet, then one that rests, then one that listens; of these the
    /// one that was heard least lately. Then of those whose login waits the one that came last: those before it do have their
    /// turn. A newcomer takes no place of a host that has fewer than its own.
    fn victim(&self, newcomer: IpAddr) -> Option<u64> {
        let places = self.places.borrow();
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for guest in places.values() {
            *counts.entry(guest.address).or_default() += 1;
        }
        let most = counts.values().max().copied()?;
        let own = counts.get(&newcomer).copied().unwrap_or(0);
        let gives_way = |guest: &Guest| match own == most {
            true => guest.address == newcomer,
            false => counts.get(&guest.address) == Some(&most),
        };
        let all = places.iter().filter(|(_, guest)| gives_way(guest));
        let first = all.min_by_key(|(number, guest)| match guest.waits.get() {
            false => (false, guest.has_asked.get(), guest.listens.get(), Some(guest.heard.get()), Reverse(0)),
            true => (true, false, false, None, Reverse(**number)),
        });
        first.map(|(number, _)| *number)
    }
}

/// One host may have all of an IPv6 /64.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_most_gives_way() {
        let gate = Gate::new(4);
        let quiet = gate.admit(address(1)).unwrap();
        quiet.asked();
        let mut many: Vec<GatePass> = (0..3).map(|_| gate.admit(address(2)).unwrap()).collect();
        many[0].asked();
        many[1].asked();
        many[1].listens();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        for expected in [2, 0, 1] {
            let left = many[expected].leave();
            let next = gate.admit(address(3)).unwrap();
            let leaves =
                tokio::time::timeout(std::time::Duration::from_millis(1), GatePass::has_to_leave(&left));
            assert!(leaves.await.is_ok(), "{expected}");
            drop(next);
            many.push(gate.admit(address(2)).unwrap());
            many.last().unwrap().asked();
            many.last().unwrap().listens();
        }
        assert_eq!((gate.connections(), gate.dropped()), (4, 3));
        drop(many);
        assert_eq!(gate.connections(), 1);
    }

    async fn leaves(left: &Leave) -> bool {
        let leaves = GatePass::has_to_leave(left);
        tokio::time::timeout(std::time::Duration::from_millis(1), leaves).await.is_ok()
    }

    /// A login keeps its place until its turn comes, whatever its address opens.
    #[tokio::test(start_paused = true)]
    async fn a_login_that_waits_gives_way_last_and_the_newest_first() {
        let gate = Gate::new(3);
        let [first, listener, third] = [(); 3].map(|()| gate.admit(address(1)).unwrap());
        let _wait = (first.waits(), third.waits());
        listener.asked();
        listener.listens();
        let newcomer = gate.admit(address(1)).unwrap();
        assert!(leaves(&listener.leave()).await);
        let wait = newcomer.waits();
        let _last = gate.admit(address(1)).unwrap();
        assert!(leaves(&newcomer.leave()).await);
        assert!(!leaves(&first.leave()).await && !leaves(&third.leave()).await);
        drop(wait);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_takes_places_of_its_own_first() {
        let gate = Gate::new(4);
        let others: Vec<GatePass> = [1, 1, 2, 2].map(|last| gate.admit(address(last)).unwrap()).into();
        let left = others[2].leave();
        let _newcomer = gate.admit(address(2)).unwrap();
        tokio::time::timeout(std::time::Duration::from_millis(1), GatePass::has_to_leave(&left))
            .await
            .unwrap();
    }
}
