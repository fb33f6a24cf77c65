//! The agent of one UPS: a socket, and what was seen of the UPS.

use super::AgentDesk;
use super::datagram::{open, receive, send};
use crate::extras::CommunityPlace;
use crate::fleet::{HearsStatus, NOTHING_YET, Ups, has_word};
use crate::server::Server;
use ::snmp::{Look, MibView, Unanswered, UpsFacts, UpsWatch, answer};
use nut::network::server::UpsId;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, spawn_local, yield_now};
use tokio::time::{Instant, sleep};

/// So many datagrams are read in one turn.
const AT_ONCE: u32 = 8;
/// When the socket fails.
const PAUSE: Duration = Duration::from_millis(100);

/// One agent.
pub(super) struct Agent {
    pub address: SocketAddr,
    pub ups: UpsId,
    pub socket: UdpSocket,
    pub watch: RefCell<UpsWatch>,
    /// The number of the next trap.
    pub next_trap: Cell<i32>,
    began: Instant,
    /// A client forces a shutdown, as of the last look.
    is_forced: Cell<bool>,
    task: RefCell<Option<AbortHandle>>,
}

impl Agent {
    /// Answers for a UPS at an address, from now on.
    pub fn open(desk: &Rc<AgentDesk>, ups: UpsId, address: SocketAddr) -> io::Result<Rc<Agent>> {
        let agent = Rc::new(Agent {
            address,
            ups,
            socket: open(address)?,
            watch: RefCell::new(UpsWatch::new()),
            next_trap: Cell::new(1),
            began: Instant::now(),
            is_forced: Cell::new(false),
            task: RefCell::default(),
        });
        let task = spawn_local(serve(Rc::downgrade(desk), agent.clone()));
        *agent.task.borrow_mut() = Some(task.abort_handle());
        Ok(agent)
    }

    /// Ends it.
    pub fn end(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
    }

    /// Since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Looks at its UPS.
    pub fn look(&self, server: &Server) {
        let hub: Rc<dyn HearsStatus> = server.status_hub.clone();
        let fleet = server.fleet.borrow();
        let Some(ups) = fleet.get(self.ups) else { return };
        self.is_forced.set(ups.forced_shutdown());
        let mut texts: [String; 4] = Default::default();
        let is_fresh = ups.with_source(false, |source| {
            // a source may have begun anew
            source.tell_status(ups.name(), &hub);
            let names = ["ups.status", "ups.alarm", "ups.test.result", "battery.test.status"];
            for (name, text) in names.into_iter().zip(&mut texts) {
                source.variable(name, &mut |variable| text.push_str(variable.value));
            }
            has_word(source)
        });
        let [words, alarm, result, status] = &texts;
        let test = if result.is_empty() { status } else { result };
        let words = self.words(words);
        self.watch.borrow_mut().look(Look { is_fresh, words: &words, alarm, test }, self.now());
    }

    /// Its UPS says a status.
    pub fn hear(&self, words: &str) {
        if words == NOTHING_YET {
            return;
        }
        self.watch.borrow_mut().hear(&self.words(words), self.now());
    }

    fn words(&self, words: &str) -> String {
        if self.is_forced.get() { format!("FSD {words}") } else { words.into() }
    }

    /// All objects, as they are now.
    pub fn view(&self, desk: &AgentDesk) -> MibView {
        let fleet = desk.server.fleet.borrow();
        let Some(ups) = fleet.get(self.ups) else { return MibView::default() };
        let variables = variables(ups);
        let variable = |name: &str| {
            let at = variables.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
            Some(variables[at].1.clone())
        };
        let options = desk.options.borrow();
        ups.with_description(|description| {
            MibView::of(&UpsFacts {
                name: ups.name(),
                description,
                contact: &options.contact,
                location: &options.location,
                version: env!("CARGO_PKG_VERSION"),
                is_fresh: ups.with_source(false, has_word),
                is_forced: ups.forced_shutdown(),
                variables: &variable,
                watch: &self.watch.borrow(),
                now: self.now(),
            })
        })
    }

    /// Reads one datagram and answers it.
    fn answer_one(&self, desk: &AgentDesk) -> io::Result<()> {
        let mut room = desk.room.borrow_mut();
        let (length, from, asked) = receive(&self.socket, &mut room)?;
        let options = desk.options.borrow().clone();
        if !options.may_ask(from.ip()) {
            desk.complain(
                "snmp manager",
                from,
                "it is none of those in allow of [snmp]; write its address there if it is to be answered",
            );
            return Ok(());
        }
        let CommunityPlace::Inline(community) = &options.community else { return Ok(()) };
        match answer(&room[..length], community, || self.view(desk)) {
            // what has no room in the queue of the system is asked again
            Ok(answer) => drop(send(&self.socket, &answer, from, asked)),
            Err(Unanswered::WrongCommunity) => {
                desk.complain("snmp community", from, "its community string is another than that of [snmp]");
            }
            Err(Unanswered::OtherVersion) => {
                desk.complain("snmp version", from, "it is none of SNMP v1 or v2c; set one of these there");
            }
            Err(Unanswered::Garbage) => {
                desk.complain("snmp garbage", from, "it is no request of SNMP");
            }
        }
        Ok(())
    }
}

impl AgentDesk {
    fn complain(&self, kind: &'static str, from: SocketAddr, why: &str) {
        let text = format!("a datagram of {} to an SNMP agent is not answered: {why}", from.ip());
        self.server.say_seldom(kind, Some(from.ip()), &text);
    }
}

/// The variables of a UPS by their names.
fn variables(ups: &Ups) -> Vec<(String, String)> {
    let mut all = vec![];
    ups.with_source((), |source| {
        source
            .each_variable(&mut |variable| all.push((variable.name.to_string(), variable.value.to_string())));
    });
    all.sort_unstable();
    all
}

/// Answers datagrams for ever.
async fn serve(desk: Weak<AgentDesk>, agent: Rc<Agent>) {
    loop {
        let is_ready = agent.socket.readable().await;
        let Some(desk) = desk.upgrade() else { return };
        for _ in 0..AT_ONCE {
            match agent.answer_one(&desk) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    desk.server.say_seldom(
                        "snmp socket",
                        None,
                        &format!("SNMP on {}: {error}", agent.address),
                    );
                    sleep(PAUSE).await;
                    break;
                }
            }
        }
        if is_ready.is_err() {
            sleep(PAUSE).await;
        }
        // others have their turn
        yield_now().await;
    }
}
