//! Object identifiers.

use std::fmt;

/// No identifier has more parts (RFC 3416, section 4.1).
pub const MOST_PARTS: usize = 128;

/// An object identifier, in the order of the tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Vec<u32>);

impl Oid {
    /// One of these parts.
    pub fn new(parts: &[u32]) -> Oid {
        Oid(parts.to_vec())
    }

    /// One of two runs of parts, the second below the first.
    pub fn below(above: &[u32], parts: &[u32]) -> Oid {
        Oid([above, parts].concat())
    }

    /// Its parts.
    pub fn parts(&self) -> &[u32] {
        &self.0
    }

    /// This one, with one part more.
    #[must_use]
    pub fn with(mut self, part: u32) -> Oid {
        self.0.push(part);
        self
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
