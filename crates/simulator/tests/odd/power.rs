//! One word that shuts machines down, and its end: what is so, what the UPS said of it, what is shown.

use super::bounds::{MAINS_REPLIES, MAINS_REPLIES_ON_A_BAD_LINE};
use super::bounds::{WORD_RAISED, WORD_REPLIES, WORD_REPLIES_ON_A_BAD_LINE};
use qx::vocabulary::moment::Moment;
use simulator::claims::StatusClaims;
use std::collections::BTreeMap;

/// A word, followed through a life.
#[derive(Debug)]
pub struct Word {
    /// As it is shown.
    pub name: &'static str,
    /// It is so, and has to be told.
    pub must: bool,
    /// Since when.
    pub must_since: Moment,
    /// When it was so last, or may have been; at the beginning it never was.
    pub may_at: Option<Moment>,
    /// What each question's replies said of it since it is so.
    said: BTreeMap<String, Vec<bool>>,
    /// Since when enough was said of it,
    pub due: Option<Moment>,
    /// and by the replies to which question.
    due_by: String,
    /// It is shown, and was when it was looked at last.
    pub shown: bool,
    /// When it was looked last whether the unit would tell it, and when it would not.
    pub checked: Moment,
    pub untold: Moment,
}

impl Word {
    pub fn new(name: &'static str) -> Word {
        Word {
            name,
            must: false,
            must_since: Moment::ZERO,
            may_at: None,
            said: BTreeMap::new(),
            due: None,
            due_by: String::new(),
            shown: false,
            checked: Moment::ZERO,
            untold: Moment::ZERO,
        }
    }

    /// What a reply claims of it.
    pub fn of(&self, claims: &StatusClaims) -> Option<bool> {
        match self.name {
            "OB" => claims.online.map(|online| !online),
            "LB" => claims.low,
            "FSD" => claims.shutdown,
            _ => claims.off,
        }
    }

    /// Takes what is so now: whether it must be told, and whether it may.
    pub fn world(&mut self, now: Moment, must: bool, may: bool) {
        if must != self.must {
            self.must = must;
            self.reset(now);
        }
        if may || must {
            self.may_at = Some(now);
        }
    }

    /// Counts from now on: who was told before is another.
    pub fn reset(&mut self, now: Moment) {
        self.must_since = now;
        self.said.clear();
        self.due = None;
    }

    /// Takes a readable reply.
    pub fn hear(&mut self, question: &str, claims: &StatusClaims, bad: bool, now: Moment) {
        let Some(claim) = self.of(claims) else {
            // a code that is not known takes back what the one before it said
            if self.due_by == question {
                self.due = None;
                self.said.remove(question);
            }
            return;
        };
        let said = self.said.entry(question.into()).or_default();
        said.push(claim);
        let enough = if self.name == "OB" {
            // of mains, each reply is the whole truth, and so it is of its return
            let need = if bad { MAINS_REPLIES_ON_A_BAD_LINE } else { MAINS_REPLIES };
            said.iter().rev().take_while(|said| **said == self.must).count() >= need
        } else {
            let need = if bad { WORD_REPLIES_ON_A_BAD_LINE } else { WORD_REPLIES };
            // a low battery may flicker; a mode that another one replaced is over
            let window = if self.name == "LB" { WORD_REPLIES } else { WORD_RAISED };
            let last = &said[said.len().saturating_sub(window)..];
            self.must && said.len() >= need && last.iter().filter(|said| **said).count() >= WORD_RAISED
        };
        if enough && self.due.is_none() {
            self.due = Some(now);
            self.due_by = question.into();
        } else if !enough && self.due_by == question {
            self.due = None;
        }
    }
}
