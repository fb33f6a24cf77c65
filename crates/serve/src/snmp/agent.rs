//! The agent of one UPS: a socket, and what is seen of the UPS.

use super::AgentDesk;
use super::datagram::{open, receive, send};
use super::eye::UpsEye;
use crate::extras::CommunityPlace;
use ::snmp::{MibView, Unanswered, answer};
use nut::network::server::UpsId;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::{AbortHandle, spawn_local, yield_now};
use tokio::time::sleep;

/// So many datagrams are read in one turn.
const AT_ONCE: u32 = 8;
/// When the socket fails.
const PAUSE: Duration = Duration::from_millis(100);

/// One agent.
pub(super) struct Agent {
    pub address: SocketAddr,
    pub eye: UpsEye,
    pub socket: UdpSocket,
    /// The number of the next trap.
    pub next_trap: Cell<i32>,
    task: RefCell<Option<AbortHandle>>,
}

impl Agent {
    /// Answers for a UPS at an address, from now on.
    pub fn open(desk: &Rc<AgentDesk>, ups: UpsId, address: SocketAddr) -> io::Result<Rc<Agent>> {
        let agent = Rc::new(Agent {
            address,
            eye: UpsEye::new(ups),
            socket: open(address)?,
            next_trap: Cell::new(1),
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

    /// All objects, as they are now.
    pub fn view(&self, desk: &AgentDesk) -> MibView {
        let options = desk.options.borrow();
        self.eye.view(&desk.server, &options.contact, &options.location)
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
