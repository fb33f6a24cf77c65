//! What the bytes of a reply are by themselves, whatever was heard before.
//!
//! Several parts of the device ask that of each reply, and most replies are the last one again. It depends on the
//! question and the bytes alone, so it is found out once and kept with them.

use crate::line::looks_like_reply;
use crate::wire::query::Query;

/// What the bytes of a reply to a question are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) struct Sight {
    /// It can be read as a reply to that question.
    pub fits: bool,
    /// It has the form that is drawn.
    pub drawn: bool,
    /// It is a whole reply to some question.
    pub whole: bool,
}

impl Sight {
    /// Of a reply to `query`.
    pub(super) fn of(query: &Query, line: &[u8]) -> Sight {
        let fit = query.read(line).ok();
        let fits = fit.is_some();
        let drawn = fit.is_some_and(|fit| fit.odd.is_none());
        Sight { fits, drawn, whole: looks_like_reply(line) }
    }
}

/// The last reply to a question, and what it is.
#[derive(Debug, Default)]
pub(in crate::device) struct SeenReply(Option<(Vec<u8>, Sight)>);

impl SeenReply {
    /// What a reply to `query`, which is always the same one, is.
    pub(in crate::device) fn sight(&mut self, query: &Query, line: &[u8]) -> Sight {
        match &self.0 {
            Some((bytes, sight)) if bytes == line => *sight,
            _ => {
                let sight = Sight::of(query, line);
                self.0 = Some((line.to_vec(), sight));
                sight
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SeenReply, Sight};
    use crate::protocols;

    #[test]
    fn what_is_kept_is_what_the_bytes_are() {
        let replies: [&[u8]; 7] = [
            b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000",
            b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001",
            b"(226.0 195.0 226.0 014 49.0 27.5 30.0 0000100",
            b"(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000",
            b"#230.0 003 24.00 50.0",
            b"(NAK",
            b"",
        ];
        for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
            let mut seen = SeenReply::default();
            for line in replies.iter().chain(&replies).flat_map(|line| [line, line]) {
                assert_eq!(
                    seen.sight(query, line),
                    Sight::of(query, line),
                    "{} {}",
                    query.ask,
                    line.escape_ascii()
                );
            }
        }
    }
}
