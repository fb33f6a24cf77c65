//! Forms: how this UPS draws its replies where it does not draw them as the picture does.

use super::Quality;
use super::bounds::{FORM_MET, FORM_MET_IF_HURT, FORM_MET_IN_NOISE};
use crate::read::Form;
use std::collections::VecDeque;

/// At most so many odd forms are remembered for one query.
const KNOWN: usize = 8;

/// The odd forms of the replies to one query.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    known: Vec<Form>,
    /// The forms of the last replies that are not known, `None` for any other reply.
    met: VecDeque<Option<Form>>,
    /// How often the last of them came in a row.
    in_a_row: u8,
}

impl Forms {
    /// Whether this UPS draws so.
    pub fn knows(&self, form: &Form) -> bool {
        self.known.contains(form)
    }

    /// Takes note of the form of a reply, `None` for the drawn one. A lost byte makes an odd form as well, and
    /// on a noisy line the same one now and then: there only one that stays is the UPS's own.
    pub fn meet(&mut self, odd: Option<&Form>, quality: Quality) {
        let again = odd.is_some() && self.met.back().is_some_and(|last| last.as_ref() == odd);
        self.in_a_row = if again { self.in_a_row.saturating_add(1) } else { 1 };
        if self.met.len() == FORM_MET.last {
            self.met.pop_front();
        }
        self.met.push_back(odd.cloned());
        let Some(form) = odd else { return };
        let times = self.met.iter().filter(|met| met.as_ref() == odd).count();
        let is_own = match quality {
            Quality::Noisy | Quality::Garbled => self.in_a_row >= FORM_MET_IN_NOISE,
            Quality::Hurt => times >= FORM_MET_IF_HURT.some,
            Quality::Clean | Quality::Unproven => times >= FORM_MET.some,
        };
        if is_own {
            self.learn(form);
        }
    }

    /// Takes an odd form for the way this UPS draws.
    pub fn learn(&mut self, form: &Form) {
        if !self.known.contains(form) {
            if self.known.len() == KNOWN {
                self.known.remove(0);
            }
            self.known.push(form.clone());
        }
    }

    /// Forgets what was met, but not what is known.
    pub fn forget_met(&mut self) {
        self.met.clear();
        self.in_a_row = 0;
    }
}
