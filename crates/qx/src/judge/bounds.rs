//! How much evidence a word or a number needs, and how long a reading counts. One table, which the tests
//! read as well; `docs/trouble.md` says what each line is worth.

use std::time::Duration;

/// So many of the last readable replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Of {
    /// So many have to say it,
    pub some: usize,
    /// among the last so many.
    pub last: usize,
}

/// A status word or alarm is raised by two of the last four readings of it: one reply that noise made
/// raises nothing, and a bit that flickers is not lost.
pub const RAISED: Of = Of { some: 2, last: 4 };
/// On battery, on a line where nothing was garbled, LB is raised by two of the last eight: a bit that says it seldom is
/// not lost.
pub const LOW_ON_BATTERY: Of = Of { some: 2, last: 8 };
/// What two readings in a row say is taken, up or down; of mains always.
pub const IN_A_ROW: usize = 2;
/// A word that flickers is cleared by four readings in a row without it.
pub const CLEARED: usize = 4;
/// On a line that was hurt lately FSD and OFF take one more: two garbled replies in a row may show the same. A bit that
/// says it in each third reply is not lost.
pub const HALTS_IF_HURT: Of = Of { some: 3, last: 7 };
/// On a noisy line three of the last five readings have to agree on a word, and the newest with them.
pub const RAISED_IN_NOISE: Of = Of { some: 3, last: 5 };
/// Where at least half of all replies are garbled, an outage and a word that makes hosts halt take one more;
pub const HALTS_IN_NOISE: Of = Of { some: 4, last: 5 };
/// and OFF, which only bits and letters that noise makes of others tell, more of more.
pub const OFF_IN_NOISE: Of = Of { some: 5, last: 7 };
/// So many of the last 64 replies are half of them.
pub const HALF: u32 = 32;
/// On a line that was hurt lately four of the last seven have to agree on anything else.
pub const ELECTED: Of = Of { some: 4, last: 7 };
/// On a noisy line five have to agree on a text; and
pub const TEXT_IN_NOISE: Of = Of { some: 5, last: 7 };
/// all of them on one that is the text before, moved by a few places: what a byte too many does to columns.
pub const MOVED_TEXT_IN_NOISE: Of = Of { some: 7, last: 7 };
/// What was read of a number or text longer ago than this, or than so many intervals of its question, is no evidence
/// on a line that was hurt.
pub const VALUES_COUNT_FOR: Duration = Duration::from_secs(60);
/// See [`VALUES_COUNT_FOR`].
pub const VALUES_COUNT_INTERVALS: u32 = 2;

/// A line is hurt as long as not so many replies in a row were whole; it lasts an hour and more. On a line
/// with one error in ten thousand bytes one is seen nearly always before that.
pub const CALM_AFTER: u32 = 2048;
/// A line is taken for clean after so many whole replies; it lasts some minutes.
pub const PROVEN_AFTER: u32 = 256;
/// A line is noisy when so many of its last 64 replies were garbled or lost.
pub const NOISY: u32 = 4;

/// An odd form is this UPS's own when two of its last four replies had it;
pub const FORM_MET: Of = Of { some: 2, last: 4 };
/// on a line that was hurt lately, three;
pub const FORM_MET_IF_HURT: Of = Of { some: 3, last: 4 };
/// and where forms alternate, so many of more replies, as a whole;
pub const WHOLE_FORM_MET_IF_HURT: Of = Of { some: 3, last: 12 };
/// on a noisy line, so many in a row.
pub const FORM_MET_IN_NOISE: u8 = 8;
/// When so many replies in a row end in the same number of bits, another number has to come as often as an odd form
/// before its bits count.
pub const BITS_ARE_STEADY: u8 = 8;
/// A field that is the one before with a byte lost or doubled is no news before it came so often in a row, the same.
pub const SLIPPED_AGAIN: u8 = 4;
/// A refusal, or a reply that cannot be read, is what this UPS says when it came so often in a row, on any
/// line: noise is never the same.
pub const SAME_AGAIN: u8 = 3;

/// An outage that one reply says twice is told when the next one does not come: its input has fewer volts than this,
pub const NO_VOLTS: f64 = 20.0;
/// and had more than this.
pub const SOME_VOLTS: f64 = 80.0;

/// What is not read any more is withdrawn after so many of its question's intervals,
pub const LIFE_INTERVALS: u32 = 5;
/// on a noisy line after twice as many,
pub const LIFE_IN_NOISE: u32 = 2;
/// after three times as many where its question was answered each time, but waited for its turn,
pub const LIFE_IN_TURN: u32 = 3;
/// and not earlier than this.
pub const LIFE_AT_LEAST: Duration = Duration::from_secs(10);
/// On a line that was hurt a number is withdrawn that was not read so for so many intervals of its question,
pub const UNSAID_INTERVALS: u32 = 3;
/// and not earlier than this.
pub const UNSAID_AT_LEAST: Duration = Duration::from_secs(60);
/// Data is stale so long after mains was read last, at least,
pub const STALE_AT_LEAST: Duration = Duration::from_secs(5);
/// and so many intervals of the status after that,
pub const STALE_INTERVALS: u32 = 3;
/// but no later than this after the reading that was due.
pub const STALE_AT_MOST: Duration = Duration::from_secs(20);
