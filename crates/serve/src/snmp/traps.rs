//! Traps on their way.

use super::AgentDesk;
use super::agent::Agent;
use super::datagram::{open, send};
use crate::extras::CommunityPlace;
use ::snmp::trap;
use std::cell::OnceCell;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use tokio::net::UdpSocket;

/// A trap is tried so often, once a second.
const TRIES: u32 = 120;
/// So many wait at most.
const UNSENT: usize = 1000;

/// Sockets for receivers that the own socket of an agent cannot reach: of another family, or beyond its loopback.
#[derive(Default)]
pub(super) struct TrapSockets {
    v4: OnceCell<UdpSocket>,
    v6: OnceCell<UdpSocket>,
}

impl TrapSockets {
    fn for_receiver(&self, receiver: SocketAddr) -> io::Result<&UdpSocket> {
        let (cell, address): (_, SocketAddr) = match receiver {
            SocketAddr::V4(_) => (&self.v4, (Ipv4Addr::UNSPECIFIED, 0).into()),
            SocketAddr::V6(_) => (&self.v6, (Ipv6Addr::UNSPECIFIED, 0).into()),
        };
        if let Some(socket) = cell.get() {
            return Ok(socket);
        }
        let socket = open(address)?;
        Ok(cell.get_or_init(|| socket))
    }
}

/// A trap that could not be sent: the network is not there yet, or no more.
pub(super) struct UnsentTrap {
    agent: Rc<Agent>,
    datagram: Rc<[u8]>,
    receiver: SocketAddr,
    tries: u32,
}

impl AgentDesk {
    /// Sends what is due of one UPS.
    pub(super) fn send_due(&self, agent: &Rc<Agent>) {
        let options = self.options.borrow().clone();
        let due = agent.watch.borrow_mut().take_due(agent.now());
        let CommunityPlace::Inline(community) = &options.community else { return };
        if due.is_empty() || options.traps.is_empty() {
            return;
        }
        let view = agent.view(self);
        for notice in &due {
            let number = agent.next_trap.get();
            agent.next_trap.set(if number == i32::MAX { 1 } else { number + 1 });
            let datagram: Rc<[u8]> = trap(notice, &view, community, number, agent.now()).into();
            for receiver in &options.traps {
                let (agent, datagram) = (agent.clone(), datagram.clone());
                self.send_or_keep(UnsentTrap { agent, datagram, receiver: *receiver, tries: 0 });
            }
        }
    }

    /// Tries once more what could not be sent. To be called once a second.
    pub(super) fn send_unsent(&self) {
        let receivers = self.options.borrow().traps.clone();
        let unsent = self.unsent.take();
        for trap in unsent.into_iter().filter(|trap| receivers.contains(&trap.receiver)) {
            self.send_or_keep(trap);
        }
    }

    /// One that cannot be sent waits, and those to the same receiver behind it.
    fn send_or_keep(&self, mut trap: UnsentTrap) {
        let receiver = trap.receiver;
        let mut unsent = self.unsent.borrow_mut();
        let error = match unsent.iter().any(|other| other.receiver == receiver) {
            true => None,
            false => match self.send(&trap) {
                Ok(()) => return,
                Err(error) => Some(error),
            },
        };
        trap.tries += 1;
        let is_lost = trap.tries > TRIES || unsent.len() >= UNSENT;
        if !is_lost {
            unsent.push_back(trap);
        }
        drop(unsent);
        let why = error.map_or("others wait before it".into(), |error| error.to_string());
        let then = if is_lost { "it is lost" } else { "it is tried again for two minutes" };
        let text = format!("cannot send an SNMP trap to {receiver}: {why}; {then}");
        self.server.say_seldom(
            if is_lost { "snmp trap lost" } else { "snmp trap" },
            Some(receiver.ip()),
            &text,
        );
    }

    fn send(&self, UnsentTrap { agent, datagram, receiver, .. }: &UnsentTrap) -> io::Result<()> {
        let reaches = agent.address.is_ipv4() == receiver.is_ipv4()
            && (!agent.address.ip().is_loopback() || receiver.ip().is_loopback());
        let socket = if reaches { &agent.socket } else { self.sockets.for_receiver(*receiver)? };
        send(socket, datagram, *receiver, None)
    }
}
