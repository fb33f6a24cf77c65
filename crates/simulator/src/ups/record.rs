//! What a simulated UPS heard, and what became of it.

use crate::claims::StatusClaims;
use qx::vocabulary::moment::Moment;
use std::collections::VecDeque;

/// So many lines that were heard are kept, and so many records.
const KEPT: usize = 4096;

/// What became of a line that was heard whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// It was a question, and this was said (with its end, before any trouble of the line).
    Said {
        /// The question.
        question: String,
        /// What was said.
        bytes: Vec<u8>,
        /// What that claims.
        claims: StatusClaims,
    },
    /// It was a command or a setting, and obeyed.
    Obeyed(String),
    /// It was a command or a setting, and refused in words.
    Refused(String),
    /// It was no question that is answered and no command that is known.
    Unknown(String),
}

/// Lines and records, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    lines: VecDeque<String>,
    records: VecDeque<(Moment, Record)>,
}

impl Journal {
    /// Keeps a line that was heard.
    pub(super) fn hear(&mut self, line: String) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Keeps what became of it.
    pub(super) fn record(&mut self, record: Record, now: Moment) {
        if self.records.len() == KEPT {
            self.records.pop_front();
        }
        self.records.push_back((now, record));
    }

    /// What was just recorded as said was said in these bytes.
    pub(super) fn complete(&mut self, said: &[u8], now: Moment) {
        match self.records.back_mut() {
            Some((at, Record::Said { bytes, .. })) if *at == now => *bytes = said.to_vec(),
            _ => {}
        }
    }

    pub(super) fn lines(&self) -> &VecDeque<String> {
        &self.lines
    }

    pub(super) fn forget_lines(&mut self) {
        self.lines.clear();
    }

    pub(super) fn take_records(&mut self) -> Vec<(Moment, Record)> {
        self.records.drain(..).collect()
    }
}
