//! The server: the fleet, the users, the clients that are connected, and what they share.

use crate::checks::{CheckedLogin, Checks};
use crate::chronicle::Chronicle;
use crate::complaints::ClientComplaints;
use crate::connection;
use crate::descriptions::Descriptions;
use crate::encryption::Encryption;
use crate::extras::Extras;
use crate::fleet::{Fleet, StatusHub};
use crate::guard::Guard;
use crate::protect::Protector;
use crate::settings::Settings;
use crate::tracking::{SystemRandom, Tracking};
use crate::views::{ExtraName, ViewBoard};
use history::EventKind;
use nut::network::server::{ServerIdentity, TlsOffer, UpsId};
use nut::upsd_users::UpsdUsers;
use station::log::Log;
use station::seldom::counted;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// A client that takes nothing of what waits for it for so long is dropped.
const DEAF: Duration = Duration::from_secs(15);
/// So many bytes may wait for all clients together, whatever the number of variables and of clients.
const UNSENT: usize = 32 * 1024 * 1024;
/// How often the clients are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What is shared by all connections. Never borrowed across a wait.
pub struct Server {
    pub(crate) fleet: RefCell<Fleet>,
    pub(crate) users: RefCell<UpsdUsers>,
    pub(crate) settings: RefCell<Settings>,
    /// What `qxups.toml` asks for.
    pub(crate) extras: RefCell<Extras>,
    /// The history, where one is written.
    pub(crate) chronicle: RefCell<Option<Rc<Chronicle>>>,
    /// Who hears each status as it is published: the history, the broker.
    pub(crate) status_hub: Rc<StatusHub>,
    /// What clients are shown besides what UPSes say.
    pub(crate) views: ViewBoard,
    /// Protection, where it is on.
    pub(crate) protection: RefCell<Option<Rc<Protector>>>,
    pub(crate) tracking: Rc<RefCell<Tracking>>,
    pub(crate) guard: RefCell<Guard>,
    pub(crate) checks: Checks,
    pub(crate) random: Rc<SystemRandom>,
    pub(crate) descriptions: RefCell<Rc<Descriptions>>,
    pub(crate) identity: ServerIdentity,
    pub(crate) tls: RefCell<Encryption>,
    pub(crate) peers: RefCell<BTreeMap<u64, Rc<Peer>>>,
    /// What answers are written to before they go out.
    pub(crate) scratch: RefCell<Vec<u8>>,
    pub(crate) log: Log,
    /// How many bytes wait for all clients.
    unsent: Cell<usize>,
    last: Cell<u64>,
    complaints: RefCell<ClientComplaints>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("peers", &self.peers.borrow().len()).finish_non_exhaustive()
    }
}

/// A client that is connected.
#[derive(Debug)]
pub(crate) struct Peer {
    pub number: u64,
    pub address: IpAddr,
    /// When its last request came; before the first, when it connected.
    pub heard: Cell<Instant>,
    /// It has made a request.
    pub asked: Cell<bool>,
    /// How many bytes wait for it.
    pub unsent: Cell<usize>,
    /// Since when it takes nothing of what waits for it.
    pub stalled: Cell<Option<Instant>>,
    /// The UPS that it is logged in to.
    pub login: Cell<Option<UpsId>>,
    /// By which further name of it, where it used one.
    pub extra_name: RefCell<Option<Rc<ExtraName>>>,
    /// By which user.
    pub user: RefCell<Option<String>>,
    /// Its name and password were right: it is not slowed down by what others of its address guess.
    pub proven: Cell<bool>,
    /// When it may be known whether it may do what it asked for.
    pub later: Cell<Option<Instant>>,
    /// That is a penalty for failed logins of its address.
    pub is_slowed: Cell<bool>,
    /// Since when its password waits to be checked.
    pub waits_since: Cell<Option<Instant>>,
    /// It is known earlier.
    pub wake: Notify,
    /// Whether it gave the password of a hash, as far as that was found out.
    pub checked: RefCell<Option<CheckedLogin>>,
    /// That is being found out.
    pub is_checking: Cell<bool>,
    task: RefCell<Option<AbortHandle>>,
}

impl Peer {
    /// One that has said nothing yet.
    pub fn new(number: u64, address: IpAddr) -> Rc<Peer> {
        Rc::new(Peer {
            number,
            address,
            heard: Cell::new(Instant::now()),
            asked: Cell::new(false),
            unsent: Cell::new(0),
            stalled: Cell::new(None),
            login: Cell::new(None),
            extra_name: RefCell::default(),
            user: RefCell::default(),
            proven: Cell::new(false),
            later: Cell::new(None),
            is_slowed: Cell::new(false),
            waits_since: Cell::new(None),
            wake: Notify::new(),
            checked: RefCell::new(None),
            is_checking: Cell::new(false),
            task: RefCell::new(None),
        })
    }

    /// Ends its connection.
    pub fn drop_it(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.abort();
        }
    }
}

impl Server {
    /// A server of a fleet.
    pub(crate) fn new(
        fleet: Fleet,
        users: UpsdUsers,
        settings: Settings,
        descriptions: Descriptions,
        random: Rc<SystemRandom>,
        tls: Encryption,
        log: Log,
    ) -> Rc<Server> {
        Rc::new(Server {
            fleet: RefCell::new(fleet),
            users: RefCell::new(users),
            settings: RefCell::new(settings),
            extras: RefCell::default(),
            chronicle: RefCell::default(),
            status_hub: Rc::default(),
            views: ViewBoard::default(),
            protection: RefCell::default(),
            tracking: Rc::default(),
            guard: RefCell::default(),
            checks: Checks::default(),
            random,
            descriptions: RefCell::new(Rc::new(descriptions)),
            identity: identity(),
            tls: RefCell::new(tls),
            peers: RefCell::default(),
            scratch: RefCell::default(),
            log,
            unsent: Cell::new(0),
            last: Cell::new(0),
            complaints: RefCell::default(),
        })
    }

    /// Whether TLS is offered to who comes in at this address of ours.
    pub(crate) fn tls_offer(&self, at: IpAddr) -> TlsOffer {
        if self.tls.borrow().is_offered_at(at) { TlsOffer::Ready } else { TlsOffer::NotConfigured }
    }

    /// Takes a client, or turns it away. Others lose nothing by it: where there is no room, a client of the address
    /// that has most connections gives way.
    pub(crate) fn admit(self: &Rc<Self>, stream: TcpStream, address: IpAddr, tls: TlsOffer) {
        // answers are short: waiting to fill a packet would delay them by 40 ms
        if stream.set_nodelay(true).is_err() || !self.has_room(address) {
            return;
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        let peer = Peer::new(number, address);
        self.peers.borrow_mut().insert(number, peer.clone());
        let task = tokio::task::spawn_local(connection::serve(self.clone(), stream, peer.clone(), tls));
        *peer.task.borrow_mut() = Some(task.abort_handle());
    }

    /// So many newcomers are taken before others have their turn: each is to speak before it may have to give way.
    pub(crate) fn newcomers_at_once(&self) -> usize {
        (self.settings.borrow().connections / 4).clamp(1, 32)
    }

    /// Whether one more may come from there.
    fn has_room(&self, newcomer: IpAddr) -> bool {
        let peers = self.peers.borrow();
        let most = self.settings.borrow().connections;
        if peers.len() < most {
            return true;
        }
        match victim(&peers, newcomer) {
            Some(peer) => {
                let text = format!(
                    "{most} clients are connected, as many as MAXCONN allows; one was dropped to let the next one in"
                );
                self.say_seldom("dropped", None, &text);
                let peer = peer.clone();
                drop(peers);
                // it counts until its task has ended
                self.peers.borrow_mut().remove(&peer.number);
                peer.drop_it();
                true
            }
            None => {
                let text = format!(
                    "a client from {newcomer} was turned away: all {most} places that MAXCONN leaves are taken by hosts that are \
                     logged in, or by clients of its own address; raise MAXCONN"
                );
                self.say_seldom("turned away", Some(newcomer), &text);
                false
            }
        }
    }

    /// Looks after the clients: those that say nothing, or do not read, are dropped.
    pub(crate) async fn look_after_clients(self: Rc<Self>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = Instant::now();
            let inactivity = self.settings.borrow().inactivity;
            for peer in self.peers.borrow().values() {
                let is_deaf = peer.stalled.get().is_some_and(|since| now - since >= DEAF);
                if is_deaf {
                    let text = format!("a client at {} does not read its answers: dropped", peer.address);
                    self.say_seldom("deaf", None, &text);
                }
                if is_deaf || now.saturating_duration_since(peer.heard.get()) > inactivity {
                    peer.drop_it();
                }
            }
        }
    }

    /// So many bytes wait for a client now. Where those of all are too many, the one for which most wait is dropped.
    pub(crate) fn count_unsent(&self, peer: &Peer, bytes: usize) {
        let before = peer.unsent.replace(bytes);
        self.unsent.set(self.unsent.get().saturating_sub(before).saturating_add(bytes));
        if bytes <= before || self.unsent.get() <= UNSENT {
            return;
        }
        let peers = self.peers.borrow();
        let waiting = peers.values().filter(|peer| peer.unsent.get() > 0);
        let most = waiting.max_by_key(|peer| (peer.login.get().is_none(), peer.unsent.get()));
        if let Some(most) = most {
            let freed = most.unsent.replace(0);
            self.unsent.set(self.unsent.get().saturating_sub(freed));
            let text = format!(
                "{} MB wait for clients that do not read their answers; one at {} is dropped, for which {freed} bytes wait",
                UNSENT / (1024 * 1024),
                most.address
            );
            most.drop_it();
            self.say_seldom("unread", None, &text);
        }
    }

    /// After a reload: who is logged in to a UPS that is gone is dropped, as by upsd.
    pub(crate) fn drop_orphans(&self) {
        let fleet = self.fleet.borrow();
        for peer in self.peers.borrow().values() {
            let mut extra = peer.extra_name.borrow_mut();
            let now = extra.as_ref().map(|known| self.views.get(known.id));
            if peer.login.get().is_some_and(|ups| fleet.get(ups).is_none()) || matches!(now, Some(None)) {
                peer.drop_it();
            }
            // its stage may be another
            *extra = now.flatten();
        }
    }

    /// The file that says what variables are, where there is one.
    pub(crate) fn describe(&self, descriptions: Descriptions) {
        self.descriptions.replace(Rc::new(descriptions));
    }

    /// Writes an event to the history, where there is one.
    pub(crate) fn note_event(&self, kind: EventKind, ups: Option<&str>, text: &str) {
        if let Some(chronicle) = &*self.chronicle.borrow() {
            chronicle.note(kind, ups, text);
        }
    }

    /// Warns of what a client can do again and again; what is said is one example of its kind.
    pub(crate) fn say_seldom(&self, kind: &'static str, address: Option<IpAddr>, text: &str) {
        let times = self.complaints.borrow_mut().happened(kind, address, Instant::now());
        if let Some(times) = times {
            self.log.warning(&counted(text, times));
        }
    }
}

/// Who gives way: of the addresses that have most connections, one that asked nothing yet, else the one that asked least
/// lately; none that is logged in. The newcomer itself, where its own address has most and all of them talk.
fn victim(peers: &BTreeMap<u64, Rc<Peer>>, newcomer: IpAddr) -> Option<&Rc<Peer>> {
    let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for peer in peers.values().filter(|peer| peer.login.get().is_none()) {
        *counts.entry(peer.address).or_default() += 1;
    }
    let most = counts.values().max()?;
    let of_them =
        peers.values().filter(|peer| peer.login.get().is_none() && counts.get(&peer.address) == Some(most));
    let oldest = of_them.min_by_key(|peer| (peer.asked.get(), peer.heard.get()))?;
    let gives_way = !oldest.asked.get() || oldest.address != newcomer;
    gives_way.then_some(oldest)
}

/// How the server calls itself. The fifth word is taken for the version by WinNUT; clients that look at the version know
/// those of NUT.
fn identity() -> ServerIdentity {
    let version = env!("CARGO_PKG_VERSION");
    ServerIdentity {
        info: format!("Network UPS Tools upsd 2.8.0 - qxups {version}"),
        version: "2.8.0".into(),
    }
}
