//! The line: an [`exchange`] of a command and its reply, and which bytes are none of it ([`nuls`]); a [`capture`]
//! of a conversation.

pub mod capture;
pub mod exchange;
pub mod nuls;

use crate::protocols;

/// A picture of so many bytes is not met by chance.
pub(crate) const TELLING: usize = 20;

/// Whether a line is a reply of some dialect, so that an echo before it was only an echo.
pub fn looks_like_reply(line: &[u8]) -> bool {
    let queries = protocols::ALL.iter().flat_map(|protocol| protocol.queries);
    // short pictures fit almost everything
    let mut telling = queries.filter(|query| query.picture.len() >= TELLING);
    line.len() >= TELLING / 2 && telling.any(|query| query.read(line).is_ok_and(|fit| fit.unread.is_empty()))
}
