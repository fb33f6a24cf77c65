//! Numbers, texts and names in packets of AgentX (RFC 2741, section 5).

use crate::oid::{MOST_PARTS, Oid};
use crate::value::SnmpValue;

/// `internet`: names below it are written short.
const INTERNET: [u32; 4] = [1, 3, 6, 1];

/// These bytes are not what AgentX encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAgentx;

/// What is left of a packet.
#[derive(Clone, Copy, Debug)]
pub struct AgentxReader<'b> {
    rest: &'b [u8],
    /// The most significant byte stands first.
    is_network_order: bool,
}

impl<'b> AgentxReader<'b> {
    pub fn new(rest: &'b [u8], is_network_order: bool) -> AgentxReader<'b> {
        AgentxReader { rest, is_network_order }
    }

    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], NotAgentx> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(NotAgentx)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Four bytes, which mean something each.
    pub fn four(&mut self) -> Result<[u8; 4], NotAgentx> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(NotAgentx)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u32(&mut self) -> Result<u32, NotAgentx> {
        let bytes = self.four()?;
        Ok(if self.is_network_order { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    pub fn u16(&mut self) -> Result<u16, NotAgentx> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(NotAgentx)?;
        self.rest = rest;
        Ok(if self.is_network_order { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) })
    }

    /// A text: its length, its bytes, and what fills it up to four.
    pub fn octets(&mut self) -> Result<&'b [u8], NotAgentx> {
        let length = usize::try_from(self.u32()?).map_err(|_| NotAgentx)?;
        let text = self.take(length)?;
        self.take(length.wrapping_neg() % 4)?;
        Ok(text)
    }

    /// A name, and its mark `include`. The name of no part is the null name.
    pub fn oid(&mut self) -> Result<(Oid, bool), NotAgentx> {
        let [count, prefix, include, _] = self.four()?;
        if usize::from(count) > MOST_PARTS {
            return Err(NotAgentx);
        }
        let mut parts = if prefix == 0 { vec![] } else { [&INTERNET[..], &[prefix.into()]].concat() };
        for _ in 0..count {
            parts.push(self.u32()?);
        }
        if parts.len() > MOST_PARTS { Err(NotAgentx) } else { Ok((Oid::new(&parts), include != 0)) }
    }
}

pub fn u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_be_bytes());
}

pub fn u16(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_be_bytes());
}

pub fn octets(out: &mut Vec<u8>, text: &[u8]) {
    u32(out, u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.extend(text);
    out.extend(std::iter::repeat_n(0, text.len().wrapping_neg() % 4));
}

pub fn oid(out: &mut Vec<u8>, name: &Oid) {
    let parts = name.parts();
    let short = parts.strip_prefix(&INTERNET).and_then(|below| below.split_first());
    let prefix =
        short.and_then(|(first, rest)| Some((u8::try_from(*first).ok().filter(|at| *at > 0)?, rest)));
    let (prefix, rest) = prefix.unwrap_or((0, parts));
    out.extend([u8::try_from(rest.len()).unwrap_or(u8::MAX), prefix, 0, 0]);
    rest.iter().for_each(|part| u32(out, *part));
}

/// A name with its value (section 5.4).
pub fn binding(out: &mut Vec<u8>, name: &Oid, value: &SnmpValue) {
    u16(out, kind(value));
    u16(out, 0);
    oid(out, name);
    match value {
        SnmpValue::Integer(number) => out.extend(number.to_be_bytes()),
        SnmpValue::Text(text) => octets(out, text.as_bytes()),
        SnmpValue::Name(name) => oid(out, name),
        SnmpValue::Counter(number) | SnmpValue::Gauge(number) | SnmpValue::Ticks(number) => u32(out, *number),
        SnmpValue::NoSuchObject | SnmpValue::NoSuchInstance | SnmpValue::EndOfView => {}
    }
}

fn kind(value: &SnmpValue) -> u16 {
    match value {
        SnmpValue::Integer(_) => 2,
        SnmpValue::Text(_) => 4,
        SnmpValue::Name(_) => 6,
        SnmpValue::Counter(_) => 65,
        SnmpValue::Gauge(_) => 66,
        SnmpValue::Ticks(_) => 67,
        SnmpValue::NoSuchObject => 128,
        SnmpValue::NoSuchInstance => 129,
        SnmpValue::EndOfView => 130,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of RFC 2741, sections 5.1 (sysDescr.0, also with `include`; the null name) and 5.4 (texts are filled up).
    #[test]
    fn bytes_are_those_of_the_rfc() {
        let sys_descr = [4, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
        let name = Oid::new(&[1, 3, 6, 1, 2, 1, 1, 1, 0]);
        let mut out = vec![];
        oid(&mut out, &name);
        assert_eq!(out, sys_descr);
        let mut with_include = sys_descr;
        with_include[2] = 1;
        assert_eq!(AgentxReader::new(&with_include, true).oid(), Ok((name, true)));
        out.clear();
        oid(&mut out, &Oid::new(&[]));
        assert_eq!(out, [0; 4]);
        // a name that has no such beginning, and one whose fifth part does not fit
        out.clear();
        oid(&mut out, &Oid::new(&[1, 2]));
        assert_eq!(out, [2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        out.clear();
        oid(&mut out, &Oid::new(&[1, 3, 6, 1, 256]));
        assert_eq!(out[..4], [5, 0, 0, 0]);
        out.clear();
        octets(&mut out, b"rack1");
        assert_eq!(out, *b"\0\0\0\x05rack1\0\0\0");
        // the other order of bytes, as a master on another machine may have it
        let little = [5, 0, 0, 0, b'r', b'a', b'c', b'k', b'1', 0, 0, 0, 2, 1];
        let mut reader = AgentxReader::new(&little, false);
        assert_eq!((reader.octets(), reader.u16()), (Ok(&b"rack1"[..]), Ok(258)));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        for bytes in [&[][..], &[1, 0, 0, 0], &[129, 0, 0, 0], &[0, 2, 0], &[1, 2, 0, 0, 0, 0]] {
            assert_eq!(AgentxReader::new(bytes, true).oid(), Err(NotAgentx), "{bytes:?}");
        }
        let long = [vec![128, 2, 0, 0], vec![0; 512]].concat();
        assert_eq!(AgentxReader::new(&long, true).oid(), Err(NotAgentx));
        for bytes in [&[0, 0, 0][..], &[0, 0, 0, 1], &[0, 0, 0, 1, b'a', 0, 0], &[255; 8]] {
            assert_eq!(AgentxReader::new(bytes, true).octets(), Err(NotAgentx), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(parts: Vec<u32>, text: Vec<u8>) {
            let name = Oid::new(&parts[..parts.len().min(MOST_PARTS)]);
            let mut out = vec![];
            oid(&mut out, &name);
            octets(&mut out, &text);
            prop_assert_eq!(out.len() % 4, 0);
            let mut reader = AgentxReader::new(&out, true);
            prop_assert_eq!(reader.oid(), Ok((name, false)));
            prop_assert_eq!(reader.octets(), Ok(&text[..]));
            prop_assert!(reader.is_done());
        }
    }
}
