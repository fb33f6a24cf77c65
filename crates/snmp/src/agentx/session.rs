//! One connection to a master, from the greeting to its end.
//!
//! One packet of our own is under way at a time; the master may ask meanwhile. All that is kept is bounded: what is read is
//! one packet, what is written one answer, and notices wait outside.

use super::answer::answer;
use super::packet::{self, HEADER, LONGEST_PACKET, PacketHead, PacketIds, PacketKind};
use super::wire::{self, AgentxReader, NotAgentx};
use crate::trap::objects;
use crate::ups_mib::UPS_MIB;
use crate::view::MibView;
use crate::watch::Notice;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// A master has so long to answer.
const ANSWERS: Duration = Duration::from_secs(10);
/// After so long a silence it is asked whether it lives.
const QUIET: Duration = Duration::from_secs(30);
/// A registration that was refused is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// So many seconds the master is to wait for our answers.
const TIMEOUT_S: u8 = 5;
/// Errors of a master (RFC 2741, section 6.2.16).
const NOT_OPEN: u16 = 257;

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentxFault {
    /// The master sends what is no AgentX.
    Malformed,
    /// The master does not take this subagent; the number of its error.
    Refused(u16),
    /// The master ends the connection; the number of its reason.
    Closed(u8),
    /// The master does not answer.
    Silent,
}

impl fmt::Display for AgentxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgentxFault::Malformed => f.write_str("what it sends is no AgentX"),
            AgentxFault::Refused(error) => write!(f, "it refuses the connection: {}", error_name(*error)),
            AgentxFault::Closed(reason) => write!(f, "it ends the connection (reason {reason})"),
            AgentxFault::Silent => write!(f, "it does not answer for {} s", ANSWERS.as_secs()),
        }
    }
}

impl std::error::Error for AgentxFault {}

/// What happened, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentxEvent {
    /// All registrations were tried; so many are there.
    Registered(usize),
    /// A context was refused: its name, and why.
    ContextRefused(String, String),
    /// A notification was refused: why.
    NoticeRefused(String),
}

/// The names of RFC 2741, section 6.2.16.
fn error_name(error: u16) -> String {
    let name = match error {
        256 => "openFailed",
        257 => "notOpen",
        259 => "unsupportedContext",
        262 => "unknownContext",
        263 => "duplicateRegistration",
        265 => "requestDenied",
        266 => "parseError",
        267 => "processingError",
        268 => "unknownAgentCaps",
        other => return format!("error {other}"),
    };
    name.into()
}

/// What of ours is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Open,
    /// A context, by its place in the list.
    Register(usize),
    Notify,
    Ping,
}

/// One connection.
#[derive(Debug)]
pub struct AgentxSession {
    /// Names of contexts; the empty one is the default.
    contexts: Vec<String>,
    /// Those that are not registered yet, and not refused.
    to_register: VecDeque<usize>,
    refused: Vec<usize>,
    try_again: Option<Duration>,
    /// The master's number of it, once it is open.
    session: Option<u32>,
    last_packet: u32,
    under_way: Option<(Awaited, u32, Duration)>,
    heard: Duration,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    notices: VecDeque<(String, Vec<u8>)>,
    events: Vec<AgentxEvent>,
}

impl AgentxSession {
    /// One that begins now, and will answer in these contexts; an empty name is the default context.
    pub fn new(contexts: Vec<String>, description: &str, now: Duration) -> AgentxSession {
        let mut session = AgentxSession {
            to_register: (0..contexts.len()).collect(),
            contexts,
            refused: vec![],
            try_again: None,
            session: None,
            last_packet: 0,
            under_way: None,
            heard: now,
            incoming: vec![],
            outgoing: vec![],
            notices: VecDeque::new(),
            events: vec![],
        };
        session.send(Awaited::Open, "", &packet::open(TIMEOUT_S, description), now);
        session
    }

    /// Bytes came. No more of them are to be read while a whole packet waits ([`AgentxSession::handle`]).
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend(bytes);
    }

    /// Handles one packet, if a whole one is there; whether there was one. `view` is called for a question, with its context:
    /// what there is now, or none where the context has no UPS.
    ///
    /// # Errors
    /// What ends the connection.
    pub fn handle(
        &mut self,
        now: Duration,
        view: impl FnOnce(&str) -> Option<MibView>,
    ) -> Result<bool, AgentxFault> {
        let head = PacketHead::read(&self.incoming).map_err(|NotAgentx| AgentxFault::Malformed)?;
        let Some(head) = head.filter(|head| self.incoming.len() >= HEADER + head.length) else {
            return Ok(false);
        };
        let rest = self.incoming.split_off(HEADER + head.length);
        let whole = std::mem::replace(&mut self.incoming, rest);
        self.heard = now;
        self.take(head, &whole[HEADER..], now, view)?;
        Ok(true)
    }

    fn take(
        &mut self,
        head: PacketHead,
        payload: &[u8],
        now: Duration,
        view: impl FnOnce(&str) -> Option<MibView>,
    ) -> Result<(), AgentxFault> {
        let malformed = |NotAgentx| AgentxFault::Malformed;
        let (context, mut rest) = head.payload(payload).map_err(malformed)?;
        match head.kind {
            None => Err(AgentxFault::Malformed),
            Some(PacketKind::Response) => self.answered(head, rest, now),
            Some(PacketKind::Close) => Err(AgentxFault::Closed(rest.four().map_err(malformed)?[0])),
            Some(PacketKind::Open | PacketKind::Register | PacketKind::Notify) => Err(AgentxFault::Malformed),
            // no answer is due (section 7.2.4.4)
            Some(PacketKind::CleanupSet) => Ok(()),
            Some(kind) => {
                let payload = match (self.session, kind) {
                    (Some(session), PacketKind::Ping) if session == head.session => {
                        Some(packet::response(0, 0))
                    }
                    (Some(session), _) if session == head.session => {
                        let is_read =
                            matches!(kind, PacketKind::Get | PacketKind::GetNext | PacketKind::GetBulk);
                        let context = std::str::from_utf8(context).ok();
                        answer(kind, rest, context.filter(|_| is_read).and_then(view).as_ref())
                    }
                    _ => Some(packet::response(NOT_OPEN, 0)),
                };
                if let Some(payload) = payload {
                    let PacketHead { session, transaction, packet, .. } = head;
                    let ids = PacketIds { session, transaction, packet };
                    packet::write(&mut self.outgoing, PacketKind::Response, ids, "", &payload);
                }
                Ok(())
            }
        }
    }

    /// The master answers one of ours.
    fn answered(
        &mut self,
        head: PacketHead,
        mut response: AgentxReader<'_>,
        now: Duration,
    ) -> Result<(), AgentxFault> {
        // an answer to nothing, or a second one
        let Some((awaited, ..)) = self.under_way.filter(|(_, packet, _)| *packet == head.packet) else {
            return Ok(());
        };
        let _up_time = response.u32().map_err(|NotAgentx| AgentxFault::Malformed)?;
        let error = response.u16().map_err(|NotAgentx| AgentxFault::Malformed)?;
        self.under_way = None;
        match (awaited, error) {
            (Awaited::Open, 0) => self.session = Some(head.session),
            (Awaited::Open, error) => return Err(AgentxFault::Refused(error)),
            (_, NOT_OPEN) => return Err(AgentxFault::Refused(NOT_OPEN)),
            (Awaited::Register(at), error) if error != 0 => {
                self.refused.push(at);
                let name = self.contexts.get(at).cloned().unwrap_or_default();
                self.events.push(AgentxEvent::ContextRefused(name, error_name(error)));
            }
            (Awaited::Register(_), _) | (Awaited::Ping, _) | (Awaited::Notify, 0) => {}
            (Awaited::Notify, error) => self.events.push(AgentxEvent::NoticeRefused(error_name(error))),
        }
        if matches!(awaited, Awaited::Register(_)) && self.to_register.is_empty() {
            self.try_again = (!self.refused.is_empty()).then_some(now + AGAIN);
            self.events.push(AgentxEvent::Registered(self.contexts.len() - self.refused.len()));
        }
        self.go_on(now);
        Ok(())
    }

    /// Sends what is next, if nothing of ours is under way.
    fn go_on(&mut self, now: Duration) {
        if self.session.is_none() || self.under_way.is_some() {
            return;
        }
        if let Some(at) = self.to_register.pop_front() {
            let context = self.contexts.get(at).cloned().unwrap_or_default();
            self.send(Awaited::Register(at), &context, &packet::register(UPS_MIB), now);
        } else if let Some((context, payload)) = self.notices.pop_front() {
            self.send(Awaited::Notify, &context, &payload, now);
        }
    }

    fn send(&mut self, awaited: Awaited, context: &str, payload: &[u8], now: Duration) {
        let kind = match awaited {
            Awaited::Open => PacketKind::Open,
            Awaited::Register(_) => PacketKind::Register,
            Awaited::Notify => PacketKind::Notify,
            Awaited::Ping => PacketKind::Ping,
        };
        self.last_packet = self.last_packet.wrapping_add(1);
        let ids = PacketIds { session: self.session.unwrap_or(0), transaction: 0, packet: self.last_packet };
        packet::write(&mut self.outgoing, kind, ids, context, payload);
        self.under_way = Some((awaited, self.last_packet, now + ANSWERS));
    }

    /// Looks at the time.
    ///
    /// # Errors
    /// The master does not answer.
    pub fn check(&mut self, now: Duration) -> Result<(), AgentxFault> {
        if self.under_way.is_some_and(|(.., until)| now >= until) {
            return Err(AgentxFault::Silent);
        }
        if self.try_again.is_some_and(|at| now >= at) {
            self.try_again = None;
            self.to_register.extend(self.refused.drain(..));
        }
        self.go_on(now);
        if self.session.is_some() && self.under_way.is_none() && now >= self.heard + QUIET {
            self.send(Awaited::Ping, "", &[], now);
        }
        Ok(())
    }

    /// Whether notices can be given now: all contexts were tried, and those before are on their way.
    pub fn takes_notices(&self) -> bool {
        let is_ready = self.session.is_some() && self.to_register.is_empty();
        let is_registering = matches!(self.under_way, Some((Awaited::Register(_), ..)));
        is_ready && !is_registering && self.notices.is_empty()
    }

    /// Sends a notice of a UPS (section 6.2.10). The master has a start of its own, which that of a UPS is not.
    pub fn notify(&mut self, context: &str, notice: &Notice, view: &MibView, now: Duration) {
        if *notice == Notice::ColdStart {
            return;
        }
        let mut payload = vec![];
        objects(notice, view).iter().for_each(|(name, value)| wire::binding(&mut payload, name, value));
        self.notices.push_back((context.into(), payload));
        self.go_on(now);
    }

    /// What is to be written now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// The end, said to the master (section 6.2.2): the subagent shuts down.
    pub fn farewell(&mut self) -> Vec<u8> {
        const SHUTDOWN: u8 = 5;
        let Some(session) = self.session.take() else { return vec![] };
        self.last_packet = self.last_packet.wrapping_add(1);
        let ids = PacketIds { session, transaction: 0, packet: self.last_packet };
        packet::write(&mut self.outgoing, PacketKind::Close, ids, "", &[SHUTDOWN, 0, 0, 0]);
        self.take_output()
    }

    /// What happened since this was asked.
    pub fn take_events(&mut self) -> Vec<AgentxEvent> {
        std::mem::take(&mut self.events)
    }

    /// How many bytes are kept.
    pub fn kept(&self) -> usize {
        self.incoming.len()
            + self.outgoing.len()
            + self.notices.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// No more bytes are kept of what came, where no more are read than this says.
    pub const LONGEST_INCOMING: usize = HEADER + LONGEST_PACKET;
}
