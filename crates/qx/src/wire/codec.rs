//! Codec: what stands around or in place of the plain text of a dialect, taken off before a reply is read
//! and put on before it is written.

/// How one dialect packs its lines.
#[derive(Debug)]
pub struct Codec {
    /// What it is, for the reference.
    pub about: &'static str,
    /// Packs a question or command.
    pub pack_question: fn(&[u8]) -> Vec<u8>,
    /// Unpacks a question, as a UPS does; `None` when it is not packed right.
    pub unpack_question: fn(&[u8]) -> Option<Vec<u8>>,
    /// Packs a reply, as a UPS does.
    pub pack_reply: fn(&[u8]) -> Vec<u8>,
    /// Unpacks a reply; `None` when it is not packed right.
    pub unpack_reply: fn(&[u8]) -> Option<Vec<u8>>,
    /// Whether a checksum tells a garbled reply from a whole one.
    pub checks: bool,
    /// What stands in a reply that is not packed right, as far as noise left it.
    pub bare_reply: fn(&[u8]) -> Option<Vec<u8>>,
}
