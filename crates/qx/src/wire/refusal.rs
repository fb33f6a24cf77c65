//! Refusals: words by which devices, bridges and replays say that they do not know or do not obey.

/// A link that sends no commands answers each by a line that begins so: it was not obeyed.
pub const NOT_SENT: &str = "<this is a replay, nothing was sent";

/// Texts by which devices and bridges refuse a question.
const REFUSALS: [&[u8]; 3] = [b"(NAK", b"NAK", b"UPS No Ack"];

/// Whether a reply to `ask` says that the UPS does not know the question: the question itself, or
/// one of the texts that are used for it.
pub fn is_refusal(ask: &[u8], line: &[u8]) -> bool {
    line == ask || REFUSALS.iter().any(|refusal| line.starts_with(refusal) && line.len() <= refusal.len() + 2)
}
