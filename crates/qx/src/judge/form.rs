//! Forms: how this UPS draws its replies where it does not draw them as the picture does.
//!
//! Each place of a reply is measured by itself: a ninth bit is this UPS's own whatever the width of a number
//! beside it does.

use super::Quality;
use super::bounds::{
    BITS_ARE_STEADY, FORM_MET, FORM_MET_IF_HURT, FORM_MET_IN_NOISE, SAME_AGAIN, WHOLE_FORM_MET_IF_HURT,
};
use super::cell::Strange;
use crate::wire::query::Query;
use crate::wire::read::Form;
use std::collections::VecDeque;

/// At most so many widths are remembered of one place.
const KNOWN: usize = 8;

/// How many bits the replies to a query end in.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    bits: usize,
    /// So often lately;
    times: u8,
    /// and as many others since then,
    others: u8,
    /// and this often again since the last of these.
    again: u8,
}

/// The odd forms of the replies to one query.
#[derive(Clone, Debug)]
pub struct Forms {
    drawn: Form,
    /// The widths that are known of each place; nothing before the first one.
    known: Vec<Vec<u16>>,
    /// The forms of the last replies that are not known, `None` for any other reply; nothing while all are others.
    met: VecDeque<Option<Form>>,
    /// How often the last of them came in a row.
    in_a_row: u8,
    /// It has replies that are not printable.
    unprintable: bool,
    /// What stood where bits are drawn and was none, and how often in a row.
    strange: (Vec<Strange>, u8),
    count: Count,
}

impl Forms {
    /// Of replies to `query`, of which none was odd.
    pub fn new(query: &Query) -> Forms {
        Forms {
            drawn: query.drawn_form(),
            known: vec![],
            met: VecDeque::new(),
            in_a_row: 0,
            unprintable: false,
            strange: (vec![], 0),
            count: Count::default(),
        }
    }

    /// Whether this UPS draws so.
    pub fn knows(&self, form: &Form) -> bool {
        let of_place = |(at, width): (usize, &u16)| {
            self.drawn.widths().get(at) == Some(width)
                || self.known.get(at).is_some_and(|known| known.contains(width))
        };
        match form.widths() {
            [] => self.unprintable,
            widths => widths.iter().enumerate().all(of_place),
        }
    }

    /// Takes note of the form of a reply, `None` for the drawn one. A lost byte makes an odd form as well, and
    /// on a noisy line the same one now and then: there only one that stays is the UPS's own.
    pub fn meet(&mut self, odd: Option<&Form>, quality: Quality) {
        let again = odd.is_some() && self.met.back().is_some_and(|last| last.as_ref() == odd);
        self.in_a_row = if again { self.in_a_row.saturating_add(1) } else { 1 };
        if odd.is_none() && self.met.iter().all(Option::is_none) {
            self.met = VecDeque::new();
            return;
        }
        if self.met.len() == WHOLE_FORM_MET_IF_HURT.last {
            self.met.pop_front();
        }
        self.met.push_back(odd.cloned());
        let Some(form) = odd else { return };
        let needed = match quality {
            Quality::Noisy | Quality::Garbled => {
                if self.in_a_row >= FORM_MET_IN_NOISE {
                    self.adopt(form);
                }
                return;
            }
            Quality::Hurt => FORM_MET_IF_HURT.some,
            Quality::Clean | Quality::Unproven => FORM_MET.some,
        };
        let met = || self.met.iter().rev();
        let is_own = |met: &&Option<Form>| met.as_ref() == odd;
        // of forms that alternate none is most of the last replies; that noise makes the same one again is rare
        let alternates =
            quality == Quality::Hurt && met().filter(is_own).count() >= WHOLE_FORM_MET_IF_HURT.some;
        if alternates
            || form.widths().is_empty() && met().take(FORM_MET.last).filter(is_own).count() >= needed
        {
            self.adopt(form);
            return;
        }
        let is_met = |at: usize, width: u16| {
            let same =
                |met: &&Option<Form>| met.as_ref().is_some_and(|met| met.widths().get(at) == Some(&width));
            met().take(FORM_MET.last).filter(same).count() >= needed
        };
        let widths = form.widths().iter().copied().enumerate();
        let own: Vec<(usize, u16)> = widths.filter(|(at, width)| is_met(*at, *width)).collect();
        own.into_iter().for_each(|(at, width)| self.adopt_width(at, width));
    }

    /// Takes note of how many bits a reply ends in that can be read. Whether that is another number than it was each
    /// time before: of a UPS that draws nine, or drew nine once, a byte that is lost or doubled makes other words,
    /// in a form that is known.
    pub fn doubts(&mut self, bits: usize, quality: Quality) -> bool {
        let count = &mut self.count;
        if bits == count.bits {
            count.times = count.times.saturating_add(1);
            count.again = count.again.saturating_add(1);
            if usize::from(count.again) >= FORM_MET.last {
                count.others = 0;
            }
            return false;
        }
        (count.others, count.again) = (count.others.saturating_add(1), 0);
        let needed = match quality {
            Quality::Clean | Quality::Unproven => FORM_MET.some,
            Quality::Hurt | Quality::Noisy | Quality::Garbled => FORM_MET_IF_HURT.some,
        };
        let doubts = count.times >= BITS_ARE_STEADY && usize::from(count.others) < needed;
        if !doubts {
            self.settle(bits);
        }
        doubts
    }

    /// Takes so many bits for the way this UPS draws.
    pub fn settle(&mut self, bits: usize) {
        self.count = Count { bits, times: 1, ..Count::default() };
    }

    /// Takes note of what stands in a reply where bits are drawn and is none. Noise is never the same.
    pub fn meet_strange(&mut self, strange: &[Strange]) {
        let (before, times) = &mut self.strange;
        match before == strange {
            true => *times = times.saturating_add(1),
            false => self.strange = (strange.to_vec(), 1),
        }
    }

    /// What this UPS writes there.
    pub fn usual(&self) -> Vec<Strange> {
        let (strange, times) = &self.strange;
        if *times >= SAME_AGAIN { strange.clone() } else { vec![] }
    }

    /// Takes an odd form for the way this UPS draws.
    pub fn adopt(&mut self, form: &Form) {
        self.unprintable |= form.widths().is_empty();
        form.widths().iter().enumerate().for_each(|(at, width)| self.adopt_width(at, *width));
    }

    fn adopt_width(&mut self, at: usize, width: u16) {
        let places = self.drawn.widths();
        if places.get(at).is_none_or(|drawn| *drawn == width) {
            return;
        }
        self.known.resize(places.len(), vec![]);
        let known = &mut self.known[at];
        if !known.contains(&width) {
            if known.len() == KNOWN {
                known.remove(0);
            }
            known.push(width);
        }
    }

    /// Forgets what was met, but not what is known.
    pub fn forget_met(&mut self) {
        self.met.clear();
        self.in_a_row = 0;
    }
}
