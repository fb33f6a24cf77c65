//! Concealing: a reply without what belongs to its owner alone, in a form that still reads.

use crate::query::Query;
use crate::variable::{DEVICE_SERIAL, UPS_SERIAL, Var};

/// What tells one unit from all others of its kind. Dates of make, firmware and the number on a shared
/// line do not, and help whoever reads a capture.
pub const PRIVATE: [&Var; 2] = [&UPS_SERIAL, &DEVICE_SERIAL];

impl Query {
    /// Whether its reply holds what is private.
    pub fn is_private(&self) -> bool {
        PRIVATE.iter().any(|var| self.speaks_of(var))
    }

    /// The reply with its private fields [`masked`], packed anew; `None` when it does not fit the picture,
    /// so that nobody knows where they are, or would not fit any more.
    pub fn conceal(&self, reply: &[u8]) -> Option<Vec<u8>> {
        let mut plain = match self.armour {
            Some(armour) => (armour.unpack_reply)(reply)?,
            None => reply.to_vec(),
        };
        let (pieces, before) = self.lay(&plain).ok()?;
        for (field, at) in pieces {
            if field.vars().iter().any(|var| PRIVATE.contains(var)) {
                let piece = plain.get_mut(at)?;
                let hidden = masked(piece);
                piece.copy_from_slice(&hidden);
            }
        }
        let (_, after) = self.lay(&plain).ok()?;
        let is_alike = after.readings.status == before.readings.status && after.odd == before.odd;
        is_alike.then(|| self.armour.map_or_else(|| plain.clone(), |armour| (armour.pack_reply)(&plain)))
    }
}

/// As many X; blanks and the `#` that pads stay. (Zeros in place of digits would say to some that there is
/// no number.)
pub fn masked(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b' ' | b'#') { *byte } else { b'X' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols;
    use crate::read::Readings;
    use crate::value::Value;

    /// In every dialect that knows a serial number: it is gone, nothing else is, and the reply reads.
    #[test]
    fn a_serial_number_is_gone_and_the_reply_still_reads() {
        let mut seen = 0;
        for query in
            protocols::ALL.iter().flat_map(|protocol| protocol.queries).filter(|query| query.is_private())
        {
            let mut readings = Readings::default();
            for var in PRIVATE {
                readings.say(var, Some(Value::text("A-12")));
            }
            let reply = query.write(&readings);
            let hidden = query.conceal(&reply).unwrap();
            assert_eq!(hidden.len(), reply.len(), "{}", query.ask);
            let (before, after) = (query.read(&reply).unwrap(), query.read(&hidden).unwrap());
            for ((var, before), (_, after)) in before.readings.values.iter().zip(&after.readings.values) {
                let wanted = if PRIVATE.contains(var) { Some(Value::text("XXXX")) } else { before.clone() };
                assert_eq!(*after, wanted, "{}: {}", query.ask, var.name);
            }
            seen += 1;
        }
        assert!(seen >= 4, "{seen}");
    }

    #[test]
    fn what_does_not_fit_is_not_touched() {
        let query =
            protocols::ALL.iter().flat_map(|protocol| protocol.queries).find(|query| query.is_private());
        assert_eq!(query.unwrap().conceal(b"?"), None);
    }
}
