//! Slips: a field that is the one before with a byte lost or doubled.
//!
//! Of a UPS that draws its fields in several widths a lost byte makes no misfit: ten bits become nine other ones, and
//! a charge of 100 becomes 10. A UPS that changes the width of a field says the same in it, or something new.

use super::bounds::SLIPPED_AGAIN;
use crate::wire::query::{Meaning, Query};

/// What was read before, and what slipped since then.
#[derive(Clone, Debug, Default)]
pub struct Slips {
    before: Vec<u8>,
    /// The field that slipped last, and how often it came so in a row.
    last: (Vec<u8>, u8),
}

impl Slips {
    /// The field of a reply to `query` that slipped. One that comes so again and again is what the UPS says.
    pub fn of(&mut self, query: &Query, reply: &[u8]) -> Option<usize> {
        let at = self.find(query, reply)?;
        let piece = words(reply).nth(at)?;
        match self.last.0 == piece {
            true => self.last.1 = self.last.1.saturating_add(1),
            false => self.last = (piece.to_vec(), 1),
        }
        (self.last.1 < SLIPPED_AGAIN).then_some(at)
    }

    /// A reply was read as a whole.
    pub fn keep(&mut self, reply: &[u8]) {
        self.before.clear();
        self.before.extend_from_slice(without_nuls(reply));
        self.last.1 = 0;
    }

    fn find(&self, query: &Query, reply: &[u8]) -> Option<usize> {
        if without_nuls(reply).len().abs_diff(self.before.len()) != 1 {
            return None;
        }
        let (now, before): (Vec<_>, Vec<_>) = (words(reply).collect(), words(&self.before).collect());
        if now.len() != query.fields.len() || before.len() != now.len() {
            return None;
        }
        // a UPS that draws otherwise does so in more than one field
        let mut others =
            now.iter().zip(&before).enumerate().filter(|(_, (now, before))| now.len() != before.len());
        let (Some((at, (now, before))), None) = (others.next(), others.next()) else { return None };
        let is_slip = match query.fields[at].meaning {
            Meaning::Bits(_) => slipped(now, before) && !now.starts_with(before) && !before.starts_with(now),
            Meaning::Number(_) => slipped(now, before) && number(now) != number(before),
            _ => false,
        };
        is_slip.then_some(at)
    }
}

/// A NUL behind a reply stands in the place of the bit that was lost.
fn without_nuls(reply: &[u8]) -> &[u8] {
    let end = reply.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &reply[..end]
}

fn words(reply: &[u8]) -> impl Iterator<Item = &[u8]> {
    without_nuls(reply).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Whether a piece is the one before without one of its bytes, or with one of them twice.
fn slipped(now: &[u8], before: &[u8]) -> bool {
    let same = now.iter().zip(before).take_while(|(one, other)| one == other).count();
    if now.len() + 1 == before.len() {
        now[same..] == before[same + 1..]
    } else if now.len() == before.len() + 1 {
        same > 0 && now[same] == now[same - 1] && now[same + 1..] == before[same..]
    } else {
        false
    }
}

/// The number at the end of a piece.
fn number(piece: &[u8]) -> Option<f64> {
    let digits = piece.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    std::str::from_utf8(&piece[piece.len() - digits..]).ok()?.parse().ok()
}
