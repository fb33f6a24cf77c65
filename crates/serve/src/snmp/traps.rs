//! Traps on their way.

use super::AgentDesk;
use super::agent::{Agent, open};
use crate::extras::CommunityPlace;
use ::snmp::trap;
use std::cell::OnceCell;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::UdpSocket;

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

impl AgentDesk {
    /// Sends what is due of one UPS.
    pub(super) fn send_due(&self, agent: &Agent) {
        let options = self.options.borrow().clone();
        let due = agent.eye.watch.borrow_mut().take_due(agent.eye.now());
        let CommunityPlace::Inline(community) = &options.community else { return };
        if due.is_empty() || options.traps.is_empty() {
            return;
        }
        let view = agent.view(self);
        for notice in &due {
            let number = agent.next_trap.get();
            agent.next_trap.set(if number == i32::MAX { 1 } else { number + 1 });
            let datagram = trap(notice, &view, community, number, agent.eye.now());
            for receiver in &options.traps {
                if let Err(error) = self.send(agent, &datagram, *receiver) {
                    let text = format!("cannot send an SNMP trap to {receiver}: {error}; it is lost");
                    self.server.say_seldom("snmp trap", Some(receiver.ip()), &text);
                }
            }
        }
    }

    fn send(&self, agent: &Agent, datagram: &[u8], receiver: SocketAddr) -> io::Result<usize> {
        let reaches = agent.address.is_ipv4() == receiver.is_ipv4()
            && (!agent.address.ip().is_loopback() || receiver.ip().is_loopback());
        let socket = if reaches { &agent.socket } else { self.sockets.for_receiver(receiver)? };
        socket.try_send_to(datagram, receiver)
    }
}
