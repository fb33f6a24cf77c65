//! Whole packets out of the bytes of a broker, however they are cut; none is longer than what such a packet may have.

use crate::fault::MqttFault;

/// No packet that is read is longer, in bytes without its first two to five: orders and acknowledgements are short.
pub const LONGEST: u32 = 64 * 1024;
/// The kind of packet that carries a message (MQTT 3.1.1, 2.2.1).
const PUBLISH: u8 = 3;

/// One whole packet.
#[derive(Debug)]
pub struct WholePacket {
    /// Its first byte: kind and flags.
    pub head: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

/// What came of a packet that is not whole yet.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The first byte and those of the length.
    head: Vec<u8>,
    /// How many bytes follow, once that is known.
    length: Option<u32>,
    body: Vec<u8>,
    /// So many bytes of a message that is too long are still to be thrown away.
    skip: u32,
}

impl FrameReader {
    /// Takes bytes until a packet is whole, or none is left.
    ///
    /// # Errors
    /// A length that is none, or a packet that is too long and no message. A message that is too long is thrown away:
    /// anyone who may publish there can send one.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<WholePacket>, MqttFault> {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let step = bytes.len().min(self.skip as usize);
                *bytes = &bytes[step..];
                self.skip -= u32::try_from(step).unwrap_or(self.skip);
                continue;
            }
            let Some(length) = self.length else {
                self.take_head(bytes)?;
                if self.length == Some(0) {
                    return Ok(Some(self.whole()));
                }
                continue;
            };
            let missing = (length as usize).saturating_sub(self.body.len());
            let step = bytes.len().min(missing);
            self.body.extend_from_slice(&bytes[..step]);
            *bytes = &bytes[step..];
            if step == missing {
                return Ok(Some(self.whole()));
            }
        }
        Ok(None)
    }

    fn whole(&mut self) -> WholePacket {
        let head = self.head.first().copied().unwrap_or_default();
        self.head.clear();
        self.length = None;
        WholePacket { head, body: std::mem::take(&mut self.body) }
    }

    /// Takes one byte of the head; at the last of them the length is known.
    fn take_head(&mut self, bytes: &mut &[u8]) -> Result<(), MqttFault> {
        let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
        *bytes = rest;
        self.head.push(*byte);
        if self.head.len() == 1 || byte & 0x80 != 0 {
            return match self.head.len() {
                ..5 => Ok(()),
                _ => Err(MqttFault::Malformed("a length of more than four bytes".into())),
            };
        }
        let digits = self.head[1..].iter().rev();
        let length = digits.fold(0_u32, |length, byte| (length << 7) | u32::from(byte & 0x7f));
        let kind = self.head.first().copied().unwrap_or_default() >> 4;
        if length <= LONGEST {
            self.length = Some(length);
            return Ok(());
        }
        if kind != PUBLISH {
            return Err(MqttFault::TooLong(kind, length));
        }
        self.head.clear();
        self.skip = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(reader: &mut FrameReader, mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut found = vec![];
        while let Ok(Some(packet)) = reader.take(&mut bytes) {
            found.push((packet.head, packet.body));
        }
        found
    }

    #[test]
    fn a_length_has_one_to_four_bytes() {
        // the table of MQTT 3.1.1, 2.2.3
        for (bytes, length) in [
            (&[0xd0, 0x00][..], 0),
            (&[0x30, 0x7f], 127),
            (&[0x30, 0x80, 0x01], 128),
            (&[0x30, 0xff, 0x7f], 16_383),
            (&[0x30, 0x80, 0x80, 0x01], 16_384),
        ] {
            let mut reader = FrameReader::default();
            let sent = [bytes, &vec![b'x'; length]].concat();
            assert_eq!(all(&mut reader, &sent), [(bytes[0], vec![b'x'; length])]);
        }
        let five = [0x30, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(FrameReader::default().take(&mut &five[..]).is_err());
    }

    #[test]
    fn what_is_too_long_takes_no_memory() {
        // a message of 268435455 bytes, then one of none
        let mut reader = FrameReader::default();
        assert!(all(&mut reader, &[0x30, 0xff, 0xff, 0xff, 0x7f]).is_empty());
        let piece = vec![7; 1 << 20];
        for _ in 0..255 {
            assert!(all(&mut reader, &piece).is_empty());
        }
        assert!(all(&mut reader, &piece[..(1 << 20) - 1]).is_empty());
        assert_eq!(all(&mut reader, &[0xd0, 0]), [(0xd0, vec![])]);
        assert_eq!((reader.body.capacity(), reader.skip), (0, 0));
        // any other packet of that length ends the connection
        let long = FrameReader::default().take(&mut &[0x90, 0xff, 0xff, 0xff, 0x7f][..]);
        assert!(matches!(long, Err(MqttFault::TooLong(9, 268_435_455))));
    }

    proptest! {
        #[test]
        fn the_cuts_make_no_difference(bodies in proptest::collection::vec((0..=255_u8, proptest::collection::vec(0..=255_u8, 0..300)), 0..6), cut in 1..40_usize) {
            let mut sent = vec![];
            for (head, body) in &bodies {
                sent.push(*head);
                match body.len() {
                    length @ ..128 => sent.push(u8::try_from(length).unwrap()),
                    length => sent.extend([u8::try_from(length % 128).unwrap() | 0x80, u8::try_from(length / 128).unwrap()]),
                }
                sent.extend(body);
            }
            let mut reader = FrameReader::default();
            let found: Vec<_> = sent.chunks(cut).flat_map(|piece| all(&mut reader, piece)).collect();
            prop_assert_eq!(found, bodies);
        }
    }
}
