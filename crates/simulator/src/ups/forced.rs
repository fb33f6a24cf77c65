//! What is said whatever is so: bits and whole replies that were set by hand.

use std::collections::BTreeMap;

/// Bits and replies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forced {
    bits: BTreeMap<usize, bool>,
    replies: BTreeMap<String, Vec<u8>>,
}

impl Forced {
    /// Forces a status bit (0 is the leftmost), or lets it free.
    pub(crate) fn set_bit(&mut self, place: usize, on: Option<bool>) {
        match on {
            Some(on) => drop(self.bits.insert(place, on)),
            None => drop(self.bits.remove(&place)),
        }
    }

    /// Answers a question by these very bytes, or as usual.
    pub(crate) fn set_reply(&mut self, question: String, bytes: Option<Vec<u8>>) {
        match bytes {
            Some(bytes) => drop(self.replies.insert(question, bytes)),
            None => drop(self.replies.remove(&question)),
        }
    }

    /// What is said to a line.
    pub(super) fn reply(&self, line: &str) -> Option<&Vec<u8>> {
        self.replies.get(line)
    }

    /// Sets the forced ones of the `count` bits at the end of a reply.
    pub(super) fn write_bits(&self, reply: &mut [u8], count: usize) {
        let Some(first) = reply.len().checked_sub(count) else { return };
        for (place, on) in &self.bits {
            if let Some(bit) = reply.get_mut(first + place) {
                *bit = if *on { b'1' } else { b'0' };
            }
        }
    }
}
