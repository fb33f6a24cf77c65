//! Messages of SNMP v1 (RFC 1157) and v2c (RFC 1901, 3416).

use crate::ber::{self, BerReader, NotBer};
use crate::oid::Oid;
use crate::value::SnmpValue;

/// The version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2c,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Get,
    Next,
    Set,
    /// So many names are asked once, the others so often.
    Bulk {
        once: usize,
        times: usize,
    },
}

/// A message that arrived.
#[derive(Debug)]
pub(crate) struct SnmpRequest<'b> {
    pub version: Version,
    pub community: &'b [u8],
    /// Its number, which the answer has as well.
    pub id: i32,
    pub question: Question,
    pub names: Vec<Oid>,
    /// Names and values as they came.
    bindings: &'b [u8],
}

/// Why it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotARequest {
    /// It cannot be read.
    Malformed,
    /// It is of another version of SNMP.
    OtherVersion,
    /// It can be read, and is nothing that is answered.
    OtherKind,
}

impl From<NotBer> for NotARequest {
    fn from(_: NotBer) -> NotARequest {
        NotARequest::Malformed
    }
}

const GET: u8 = 0xa0;
const NEXT: u8 = 0xa1;
const RESPONSE: u8 = 0xa2;
const SET: u8 = 0xa3;
const BULK: u8 = 0xa5;
const TRAP: u8 = 0xa7;

/// `error-status` of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ErrorStatus {
    TooBig = 1,
    NoSuchName = 2,
    NotWritable = 17,
}

impl<'b> SnmpRequest<'b> {
    /// Reads a datagram.
    pub fn read(datagram: &'b [u8]) -> Result<SnmpRequest<'b>, NotARequest> {
        let mut outside = BerReader(datagram);
        let mut message = BerReader(outside.of(ber::SEQUENCE)?);
        let version = match message.integer()? {
            0 => Version::V1,
            1 => Version::V2c,
            _ => return Err(NotARequest::OtherVersion),
        };
        let community = message.of(ber::OCTETS)?;
        let (kind, content) = message.element()?;
        if !outside.is_done() || !message.is_done() {
            return Err(NotARequest::Malformed);
        }
        let mut pdu = BerReader(content);
        let is_request = match kind {
            GET | NEXT | SET => true,
            BULK => version == Version::V2c,
            _ => false,
        };
        if !is_request {
            return Err(NotARequest::OtherKind);
        }
        let (id, first, second) = (pdu.integer()?, pdu.integer()?, pdu.integer()?);
        let bindings = pdu.of(ber::SEQUENCE)?;
        if !pdu.is_done() {
            return Err(NotARequest::Malformed);
        }
        let names = names(bindings)?;
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        let question = match kind {
            GET => Question::Get,
            NEXT => Question::Next,
            SET => Question::Set,
            _ => Question::Bulk { once: count(first).min(names.len()), times: count(second) },
        };
        Ok(SnmpRequest { version, community, id, question, names, bindings })
    }

    /// The answer that these names and values are.
    pub fn response(&self, bindings: &[u8]) -> Vec<u8> {
        self.reply(0, 0, bindings)
    }

    /// The answer that it cannot be done, because of a name (counted from 1; 0: of no one). It has the names and values of
    /// the request, but where it would be too long.
    pub fn refusal(&self, why: ErrorStatus, at: usize) -> Vec<u8> {
        let is_too_big = why == ErrorStatus::TooBig && self.version == Version::V2c;
        self.reply(why as u8, at, if is_too_big { &[] } else { self.bindings })
    }

    fn reply(&self, status: u8, at: usize, bindings: &[u8]) -> Vec<u8> {
        let numbers = [self.id.into(), status.into(), i64::try_from(at).unwrap_or(0)];
        write(self.version, self.community, RESPONSE, numbers, bindings)
    }
}

fn names(bindings: &[u8]) -> Result<Vec<Oid>, NotBer> {
    let (mut all, mut names) = (BerReader(bindings), vec![]);
    while !all.is_done() {
        let mut binding = BerReader(all.of(ber::SEQUENCE)?);
        names.push(binding.oid()?);
        binding.element()?;
        if !binding.is_done() {
            return Err(NotBer);
        }
    }
    Ok(names)
}

/// A trap of v2c.
pub(crate) fn trap(community: &[u8], id: i32, bindings: &[u8]) -> Vec<u8> {
    write(Version::V2c, community, TRAP, [id.into(), 0, 0], bindings)
}

fn write(version: Version, community: &[u8], kind: u8, numbers: [i64; 3], bindings: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bindings.len() + community.len() + 40);
    ber::element(&mut out, ber::SEQUENCE, |out| {
        ber::number(out, ber::INTEGER, if version == Version::V1 { 0 } else { 1 });
        ber::octets(out, community);
        ber::element(out, kind, |out| {
            numbers.iter().for_each(|number| ber::number(out, ber::INTEGER, *number));
            ber::element(out, ber::SEQUENCE, |out| out.extend(bindings));
        });
    });
    out
}

/// One name with its value.
pub(crate) fn binding(name: &Oid, value: &SnmpValue) -> Vec<u8> {
    let mut out = vec![];
    ber::element(&mut out, ber::SEQUENCE, |out| {
        ber::oid(out, name);
        value.write(out);
    });
    out
}
