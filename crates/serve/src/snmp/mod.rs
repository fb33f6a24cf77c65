//! SNMP agents, one for each UPS that `[snmp.agents]` of `qxups.toml` names: requests are answered and traps are sent by
//! [`snmp`]; without that table there is none of it.
//!
//! Only managers that are named are answered, and only those that know the community string. No UPS waits for any of
//! them: a socket has a few datagrams read in its turn, and what cannot be sent is dropped.

mod agent;
mod datagram;
mod traps;

use crate::extras::SnmpOptions;
use crate::fleet::{HearsStatus, named};
use crate::server::Server;
use ::snmp::LONGEST;
use agent::Agent;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{MissedTickBehavior, interval, sleep};
use traps::{TrapSockets, UnsentTrap};

/// How often an address that is not there is tried.
const AGAIN: Duration = Duration::from_secs(2);
/// How often UPSes are looked at for alarms; each status is heard as it comes.
const LOOK: Duration = Duration::from_secs(1);

/// The agents of a server, as long as they are wanted.
pub(crate) struct SnmpAgents {
    server: Rc<Server>,
    running: RefCell<Option<Running>>,
}

/// What is there while some are wanted.
struct Running {
    desk: Rc<AgentDesk>,
    opening: AbortHandle,
    watching: AbortHandle,
}

/// What all agents share.
struct AgentDesk {
    server: Rc<Server>,
    options: RefCell<Rc<SnmpOptions>>,
    /// By the name of the UPS, without capitals.
    agents: RefCell<BTreeMap<String, Rc<Agent>>>,
    /// What datagrams are read to.
    room: RefCell<Vec<u8>>,
    sockets: TrapSockets,
    /// Traps that could not be sent, in their order.
    unsent: RefCell<VecDeque<UnsentTrap>>,
    /// Agents whose UPS said a status since the last look.
    news: RefCell<Vec<Rc<Agent>>>,
    has_news: Notify,
}

impl SnmpAgents {
    /// None yet.
    pub fn new(server: Rc<Server>) -> SnmpAgents {
        SnmpAgents { server, running: RefCell::default() }
    }

    /// Has the agents that `[snmp]` asks for, from now on. One that stays misses no request.
    pub fn become_what_is_asked(&self) {
        let options = self.server.extras.borrow().snmp.clone();
        let mut running = self.running.borrow_mut();
        let Some(options) = options.map(|options| Rc::new(*options)) else {
            if let Some(before) = running.take() {
                before.opening.abort();
                before.watching.abort();
                before.desk.agents.borrow().values().for_each(|agent| agent.end());
                self.server.log.info("SNMP requests are not answered any more");
            }
            return;
        };
        let (desk, watching) = match running.take() {
            Some(before) => {
                before.opening.abort();
                before.desk.options.replace(options.clone());
                (before.desk, before.watching)
            }
            None => {
                let desk = AgentDesk::new(self.server.clone(), options.clone());
                let watching = spawn_local(watch(desk.clone())).abort_handle();
                (desk, watching)
            }
        };
        desk.drop_gone(&options);
        desk.say_unknown(&options);
        let opening = spawn_local(open_all(desk.clone(), options)).abort_handle();
        *running = Some(Running { desk, opening, watching });
    }
}

impl AgentDesk {
    fn new(server: Rc<Server>, options: Rc<SnmpOptions>) -> Rc<AgentDesk> {
        let desk = Rc::new(AgentDesk {
            server,
            options: RefCell::new(options),
            agents: RefCell::default(),
            // one byte more shows that a datagram is longer
            room: RefCell::new(vec![0; LONGEST + 1]),
            sockets: TrapSockets::default(),
            unsent: RefCell::default(),
            news: RefCell::default(),
            has_news: Notify::new(),
        });
        desk.server.status_hub.add(&desk);
        desk
    }

    /// Ends agents that are not wanted as they are, or whose UPS is another one.
    fn drop_gone(&self, options: &SnmpOptions) {
        let fleet = self.server.fleet.borrow();
        self.agents.borrow_mut().retain(|name, agent| {
            let is_wanted = |(wanted, address): &(String, SocketAddr)| {
                wanted.eq_ignore_ascii_case(name) && *address == agent.address
            };
            let is_same = fleet.find(name).is_some_and(|ups| ups.id() == agent.ups);
            let stays = is_same && options.agents.iter().any(is_wanted);
            if !stays {
                agent.end();
                self.server.log.info(&format!("SNMP: no agent of {name} on {} any more", agent.address));
            }
            stays
        });
    }

    /// An agent of a UPS that is not there.
    fn say_unknown(&self, options: &SnmpOptions) {
        let fleet = self.server.fleet.borrow();
        for (name, address) in options.agents.iter().filter(|(name, _)| fleet.find(name).is_none()) {
            self.server.log.warning(&format!(
                "[snmp.agents] of qxups.toml has '{}', and ups.conf has no such UPS: {address} is not opened; write the \
                 name of its section",
                name.escape_debug()
            ));
        }
    }

    /// Opens those that are not there yet. Which could not be opened, and why.
    fn open_missing(self: &Rc<Self>, options: &SnmpOptions) -> Vec<(SocketAddr, io::Error)> {
        let (mut opened, mut failed) = (vec![], vec![]);
        for (name, address) in &options.agents {
            let key = name.to_ascii_lowercase();
            let ups = self.server.fleet.borrow().find(name).map(|ups| ups.id());
            let Some(ups) = ups.filter(|_| !self.agents.borrow().contains_key(&key)) else { continue };
            match Agent::open(self, ups, *address) {
                Ok(agent) => {
                    self.agents.borrow_mut().insert(key, agent);
                    opened.push(format!("{name} on {address}"));
                }
                Err(error) => failed.push((*address, error)),
            }
        }
        if !opened.is_empty() {
            self.server.log.info(&format!("answering SNMP for {}", named(&opened)));
        }
        failed
    }

    fn look_at_all(self: &Rc<Self>) {
        self.send_unsent();
        for agent in self.agents.borrow().values() {
            agent.look(&self.server);
            self.send_due(agent);
        }
    }

    fn look_at_news(self: &Rc<Self>) {
        let news = self.news.take();
        news.iter().for_each(|agent| self.send_due(agent));
    }
}

impl HearsStatus for AgentDesk {
    fn status(&self, ups: &str, words: &str) {
        let agent = self.agents.borrow().get(&ups.to_ascii_lowercase()).cloned();
        if let Some(agent) = agent {
            agent.hear(words);
            self.news.borrow_mut().push(agent);
            self.has_news.notify_one();
        }
    }
}

/// Looks at all UPSes once a second, and at those that said something at once.
async fn watch(desk: Rc<AgentDesk>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => desk.look_at_all(),
            () = desk.has_news.notified() => desk.look_at_news(),
        }
    }
}

/// Opens what is not open, again and again.
async fn open_all(desk: Rc<AgentDesk>, options: Rc<SnmpOptions>) {
    let mut is_first = true;
    loop {
        let failed = desk.open_missing(&options);
        if is_first {
            let sentences = failed.iter().map(|(address, error)| not_open(*address, error));
            sentences.for_each(|sentence| desk.server.log.warning(&sentence));
        }
        if failed.is_empty() {
            return;
        }
        is_first = false;
        sleep(AGAIN).await;
    }
}

fn not_open(address: SocketAddr, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program uses it, snmpd perhaps; end it, or write another port to [snmp.agents] of qxups.toml"
        }
        io::ErrorKind::PermissionDenied => {
            "write a port above 1023 to [snmp.agents] of qxups.toml, or give the server CAP_NET_BIND_SERVICE in its unit \
             (docs/snmp.md)"
        }
        _ => "it is tried again until it works",
    };
    format!("cannot answer SNMP on {address}: {error}; {remedy}")
}
