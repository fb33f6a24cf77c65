//! A datagram and its answer.

use crate::message::{ErrorStatus, NotARequest, Question, SnmpRequest, Version, binding};
use crate::oid::Oid;
use crate::value::SnmpValue;
use crate::view::MibView;
use std::fmt;

/// No datagram is longer, in bytes: what one Ethernet frame carries. Longer ones are not read, and none is sent.
pub const LONGEST: usize = 1472;
/// GETBULK gets each name so often at most; a walk asks again.
const MOST_TIMES: usize = 64;

/// A community string. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Community(Vec<u8>);

impl Community {
    /// No longer than this, in bytes.
    pub const LONGEST: usize = 64;

    /// One of printable ASCII, without spaces.
    pub fn new(text: &str) -> Option<Community> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_plain && (1..=Self::LONGEST).contains(&text.len())).then(|| Community(text.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the same; how long that takes does not say where they differ.
    fn is(&self, other: &[u8]) -> bool {
        let differ = self.0.iter().zip(other).fold(0, |differ, (one, another)| differ | (one ^ another));
        self.0.len() == other.len() && differ == 0
    }
}

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Community(..)")
    }
}

/// Why a datagram gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It is no message of SNMP, or one that is not answered, such as a trap.
    Garbage,
    /// It is of SNMPv3, or of a version that is not known.
    OtherVersion,
    /// The community string is another one.
    WrongCommunity,
}

/// The answer to a datagram. `view` is called once for a request of the right community.
///
/// # Errors
/// Why there is none.
pub fn answer(
    datagram: &[u8],
    community: &Community,
    view: impl FnOnce() -> MibView,
) -> Result<Vec<u8>, Unanswered> {
    if datagram.len() > LONGEST {
        return Err(Unanswered::Garbage);
    }
    let request = SnmpRequest::read(datagram).map_err(|why| match why {
        NotARequest::Malformed | NotARequest::OtherKind => Unanswered::Garbage,
        NotARequest::OtherVersion => Unanswered::OtherVersion,
    })?;
    if !community.is(request.community) {
        return Err(Unanswered::WrongCommunity);
    }
    // what it is longer by than its names and values, with room for lengths of four bytes
    let room = LONGEST - 48 - request.community.len();
    let answer = match request.question {
        Question::Set => set(&request),
        Question::Bulk { once, times } => {
            let view = view();
            request.response(&bulk(&request.names, once, times.min(MOST_TIMES), &view, room))
        }
        Question::Get => {
            let view = view();
            each(&request, room, |name| (name.clone(), view.get(name)))
        }
        Question::Next => {
            let view = view();
            each(&request, room, |name| view.next(name))
        }
    };
    Ok(answer)
}

/// Nothing can be set (RFC 3416, section 4.2.5: notWritable; RFC 1157 knows noSuchName for it).
fn set(request: &SnmpRequest<'_>) -> Vec<u8> {
    match (request.names.is_empty(), request.version) {
        (true, _) => request.response(&[]),
        (false, Version::V1) => request.refusal(ErrorStatus::NoSuchName, 1),
        (false, Version::V2c) => request.refusal(ErrorStatus::NotWritable, 1),
    }
}

/// One value for each name. Where one is missing, v1 refuses all.
fn each(request: &SnmpRequest<'_>, room: usize, find: impl Fn(&Oid) -> (Oid, SnmpValue)) -> Vec<u8> {
    let mut bindings = vec![];
    for (at, name) in (1..).zip(&request.names) {
        let (name, value) = find(name);
        let is_missing =
            matches!(value, SnmpValue::NoSuchObject | SnmpValue::NoSuchInstance | SnmpValue::EndOfView);
        if is_missing && request.version == Version::V1 {
            return request.refusal(ErrorStatus::NoSuchName, at);
        }
        bindings.extend(binding(&name, &value));
        if bindings.len() > room {
            return request.refusal(ErrorStatus::TooBig, 0);
        }
    }
    request.response(&bindings)
}

/// What follows each name, as far as there is room (RFC 3416, section 4.2.3).
fn bulk(names: &[Oid], once: usize, times: usize, view: &MibView, room: usize) -> Vec<u8> {
    let mut bindings = vec![];
    let mut take = |name: &Oid| {
        let (next, value) = view.next(name);
        let one = binding(&next, &value);
        let fits = bindings.len() + one.len() <= room;
        if fits {
            bindings.extend(one);
        }
        fits.then_some((next, value == SnmpValue::EndOfView))
    };
    let (first, mut others) = (&names[..once], names[once..].to_vec());
    if first.iter().any(|name| take(name).is_none()) || others.is_empty() {
        return bindings;
    }
    for _ in 0..times {
        let mut is_over = true;
        for name in &mut others {
            let Some((next, ended)) = take(name) else { return bindings };
            is_over &= ended;
            *name = next;
        }
        // it would go on with nothing but the end
        if is_over {
            break;
        }
    }
    bindings
}
