//! Packets of AgentX (RFC 2741, section 6): a header of twenty bytes and what follows.

use super::wire::{self, AgentxReader, NotAgentx};
use crate::oid::Oid;

/// What follows a header is no longer, in bytes: a master that says more is left. snmpd's questions have some hundred.
pub const LONGEST_PACKET: usize = 64 * 1024;
/// The header.
pub(super) const HEADER: usize = 20;

const VERSION: u8 = 1;
/// A context stands in front.
const NON_DEFAULT_CONTEXT: u8 = 0x08;
const NETWORK_BYTE_ORDER: u8 = 0x10;

/// What a packet is (section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum PacketKind {
    Open = 1,
    Close = 2,
    Register = 3,
    Get = 5,
    GetNext = 6,
    GetBulk = 7,
    TestSet = 8,
    CommitSet = 9,
    UndoSet = 10,
    CleanupSet = 11,
    Notify = 12,
    Ping = 13,
    Response = 18,
}

impl PacketKind {
    fn of(number: u8) -> Option<PacketKind> {
        use PacketKind::{
            CleanupSet, Close, CommitSet, Get, GetBulk, GetNext, Notify, Open, Ping, Register, Response,
            TestSet, UndoSet,
        };
        let all = [
            Open, Close, Register, Get, GetNext, GetBulk, TestSet, CommitSet, UndoSet, CleanupSet, Notify,
            Ping, Response,
        ];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketHead {
    /// None: of a kind that no master sends to a subagent.
    pub kind: Option<PacketKind>,
    flags: u8,
    pub session: u32,
    pub transaction: u32,
    /// The number of the packet; an answer has that of its question.
    pub packet: u32,
    /// How many bytes follow.
    pub length: usize,
}

impl PacketHead {
    /// Reads it; none where there is too little of it.
    pub fn read(bytes: &[u8]) -> Result<Option<PacketHead>, NotAgentx> {
        let Some(bytes) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
        let mut start = AgentxReader::new(bytes, true);
        let [version, kind, flags, _] = start.four()?;
        if version != VERSION {
            return Err(NotAgentx);
        }
        let mut reader = AgentxReader::new(&bytes[4..], flags & NETWORK_BYTE_ORDER != 0);
        let (session, transaction, packet) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let length = usize::try_from(reader.u32()?).map_err(|_| NotAgentx)?;
        // all in a packet are multiples of four bytes (section 6.1, h.payload_length)
        if length % 4 != 0 || length > LONGEST_PACKET {
            return Err(NotAgentx);
        }
        Ok(Some(PacketHead { kind: PacketKind::of(kind), flags, session, transaction, packet, length }))
    }

    /// What follows, and the context in front of it.
    pub fn payload<'b>(&self, bytes: &'b [u8]) -> Result<(&'b [u8], AgentxReader<'b>), NotAgentx> {
        let mut reader = AgentxReader::new(bytes, self.flags & NETWORK_BYTE_ORDER != 0);
        let context = if self.flags & NON_DEFAULT_CONTEXT == 0 { &[] } else { reader.octets()? };
        Ok((context, reader))
    }
}

/// The numbers of a packet that is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketIds {
    pub session: u32,
    pub transaction: u32,
    pub packet: u32,
}

/// Writes a packet. `context` is the name of the one in front; the default one has none.
pub(super) fn write(out: &mut Vec<u8>, kind: PacketKind, ids: PacketIds, context: &str, payload: &[u8]) {
    let mut in_front = vec![];
    if !context.is_empty() {
        wire::octets(&mut in_front, context.as_bytes());
    }
    let flags = if context.is_empty() { 0 } else { NON_DEFAULT_CONTEXT };
    out.extend([VERSION, kind as u8, flags | NETWORK_BYTE_ORDER, 0]);
    [ids.session, ids.transaction, ids.packet].into_iter().for_each(|number| wire::u32(out, number));
    wire::u32(out, u32::try_from(in_front.len() + payload.len()).unwrap_or(u32::MAX));
    out.extend(in_front);
    out.extend(payload);
}

/// Open: who connects, and how many seconds the master is to wait for an answer (section 6.2.1).
pub(super) fn open(timeout_s: u8, description: &str) -> Vec<u8> {
    let mut payload = vec![timeout_s, 0, 0, 0];
    wire::oid(&mut payload, &Oid::new(&[]));
    wire::octets(&mut payload, description.as_bytes());
    payload
}

/// Register: all below a name is answered here (section 6.2.3), with the usual priority.
pub(super) fn register(subtree: &[u32]) -> Vec<u8> {
    const PRIORITY: u8 = 127;
    let mut payload = vec![0, PRIORITY, 0, 0];
    wire::oid(&mut payload, &Oid::new(subtree));
    payload
}

/// What stands in front of the names and values of a response (section 6.2.16).
pub(super) fn response(error: u16, index: u16) -> Vec<u8> {
    let mut payload = vec![];
    wire::u32(&mut payload, 0);
    wire::u16(&mut payload, error);
    wire::u16(&mut payload, index);
    payload
}
