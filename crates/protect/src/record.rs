//! What outlives the process: which course is under way, what went down, what was ordered.

/// What outlives the process, as lines of text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtectRecord {}

/// What is wrong with a record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFault {
    /// Of another version; nothing of it was taken.
    Version,
    /// Damaged; the lines before were taken.
    Damaged {
        /// Which line, from 1.
        line: usize,
    },
    /// Its end is missing; the lines before were taken.
    Torn,
}

impl ProtectRecord {
    /// The record as text.
    pub fn to_text(&self) -> String {
        String::new()
    }

    /// What can be read of a text, and what is wrong with it. Any text is taken.
    pub fn read(_text: &str) -> (ProtectRecord, Option<RecordFault>) {
        (ProtectRecord::default(), None)
    }
}
