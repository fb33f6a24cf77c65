//! What a UPS says to a command or setting that it obeys, or does not.

use crate::wire::refusal::{NOT_SENT, is_refusal};

/// What the UPS says to a command or setting that it obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Nothing.
    Silence,
    /// Nothing, or this word.
    SilenceOr(&'static str),
    /// Nothing, or a reply that begins with one of these.
    SilenceOrAny(&'static [&'static str]),
    /// This word, and something may follow it; silence means that it was not obeyed.
    Word(&'static str),
}

/// What a reply to a command or setting means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// The UPS obeys.
    Yes,
    /// It refuses, in words that are used for it.
    No,
    /// It says nothing.
    Nothing,
    /// It says something that is neither.
    Odd,
}

/// Acknowledgements in any dialect, if the reply is nothing else: UPSes of silent dialects say so as well (NUT 2.8.0
/// blazer.c, where `ACK` and `(ACK` are known of all; `OK` is omron's).
const ACKNOWLEDGEMENTS: [&str; 3] = ["ACK", "(ACK", "OK"];

impl Acknowledgement {
    /// What the reply to the line `sent` means.
    pub fn acceptance(self, sent: &[u8], reply: Option<&[u8]>) -> Acceptance {
        // converters answer with zeros where the UPS said nothing
        let heard = reply.map(without_zeros).filter(|heard| !heard.is_empty());
        let Some(heard) = heard else { return Acceptance::Nothing };
        let is = |word: &&str| heard.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
        let own = match self {
            Acknowledgement::Silence => false,
            Acknowledgement::SilenceOr(word) => is(&word),
            Acknowledgement::SilenceOrAny(words) => {
                words.iter().any(|word| heard.starts_with(word.as_bytes()))
            }
            Acknowledgement::Word(word) => {
                heard.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            }
        };
        match heard {
            _ if own => Acceptance::Yes,
            _ if is_refusal(sent, heard) || heard.starts_with(NOT_SENT.as_bytes()) => Acceptance::No,
            _ if ACKNOWLEDGEMENTS.iter().any(|word| heard.trim_ascii() == word.as_bytes()) => Acceptance::Yes,
            _ => Acceptance::Odd,
        }
    }

    /// Whether silence is acknowledgement.
    pub const fn by_silence(self) -> bool {
        !matches!(self, Acknowledgement::Word(_))
    }

    /// Whether a reply, or silence, means yes.
    pub fn is_given(self, reply: Option<&[u8]>) -> bool {
        match self.acceptance(&[], reply) {
            Acceptance::Yes => true,
            Acceptance::Nothing => self.by_silence(),
            Acceptance::No | Acceptance::Odd => false,
        }
    }

    /// What a UPS says that obeys.
    pub const fn said(self) -> Option<&'static str> {
        match self {
            Acknowledgement::Word(word) => Some(word),
            _ => None,
        }
    }
}

fn without_zeros(line: &[u8]) -> &[u8] {
    let first = line.iter().position(|byte| *byte != 0).unwrap_or(line.len());
    let last = line.iter().rposition(|byte| *byte != 0).map_or(first, |at| at + 1);
    line.get(first..last).unwrap_or_default()
}
