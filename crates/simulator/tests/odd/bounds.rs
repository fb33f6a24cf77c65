//! What the judge allows, in one table. Times are those of the world; an exchange is as long as the slowest
//! was so far in the life that is judged.

use std::time::Duration;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What this many readable replies say of mains is told.
pub const MAINS_REPLIES: usize = 2;
/// The same on a line on which a reply was hurt or lost before.
pub const MAINS_REPLIES_ON_A_BAD_LINE: usize = 4;
/// Of this many readable replies to one question
pub const WORD_REPLIES: usize = 4;
/// so many have to say LB, FSD or OFF; then it is told.
pub const WORD_RAISED: usize = 2;
/// The same on a line that was bad before.
pub const WORD_REPLIES_ON_A_BAD_LINE: usize = 7;
/// What has to be told may take so much longer: the device has to be asked what it shows.
pub const SLACK: Duration = s(1);
/// That mains is back so much later still: where two questions say whether it is there (voltronic's QGS and QMOD), both have
/// to, and a low-battery bit in turns is asked for again before the second (seed 190).
pub const MAINS_BACK_SLACK: Duration = s(2);

/// Where the UPS would tell it to whoever asks, an outage and its end are told after a poll interval and two
/// rounds of status questions.
pub const MAINS_ROUNDS: u32 = 2;
/// And LB, FSD and OFF on battery after so many poll intervals, each with its round; on mains after two full polls
/// more.
pub const WORD_ROUNDS: u32 = 4;
/// Full polls that come to it on mains.
pub const WORD_FULL_POLLS: u32 = 2;

/// A reading lives for so many of its own periods; then a word that rests on it alone is withdrawn.
pub const LIFE: u32 = 3;
/// A word that is told was so within what is stale, and this: nobody is told of what is longer over.
pub const FALSE_AFTER: Duration = s(5);

/// Data is not stale before so many polls were not readable,
pub const STALE_POLLS: u32 = 3;
/// nor before this.
pub const STALE_LEAST: Duration = s(5);
/// Of polls that are seldom, one that is missed for so long is enough.
pub const STALE_MISSED: Duration = s(20);
/// It is stale at last so much later.
pub const STALE_GRACE: Duration = s(15);
/// With a poll interval longer than this a poll that is missed is asked again, and makes stale after
pub const LONG_INTERVAL: Duration = s(20);
/// so long.
pub const LONG_GRACE: Duration = s(60);
/// Of a UPS that rests, all that is told comes so much later: it takes a while until it is known that asking keeps it silent,
pub const REST_IS_FOUND: Duration = s(12);
/// and no driver asks it more often than polls are apart.
pub const REST_INTERVALS: u32 = 3;
/// Behind each question for the status its rest is waited for, so often.
pub const REST_ROUNDS: u32 = 2;
/// A link that is known to be gone makes data stale within this at the most.
pub const GONE: Duration = s(15);
/// Stale data that can be read again is fresh after so many readable replies.
pub const FRESH_REPLIES: usize = 2;
/// The same on a line that was bad before.
pub const FRESH_REPLIES_ON_A_BAD_LINE: usize = 9;

/// A driver has data so long after its start, where its dialect was named,
pub const START_NAMED: Duration = s(30);
/// and where it has to be found.
pub const START: Duration = s(60);

/// An order is carried out within this, or never.
pub const ORDER_LIFE: Duration = s(31);
/// Whoever asked is told the end of it within this.
pub const ANSWER: Duration = s(60);
/// A word that comes within this answers the order (NUT waits so long).
pub const WORD_WAITS: Duration = Duration::from_millis(1000);

/// After a link was lost or silent, values of another unit are gone within this and four exchanges, once the new
/// one was heard.
pub const IDENTITY: Duration = s(2);
/// On mains a battery that is full is never told to hold less than this, in percent.
pub const FULL_IS_AT_LEAST: f64 = 50.0;
/// LB by a bound of charge is told no earlier than so many percent above it.
pub const CHARGE_ABOVE: f64 = 25.0;
/// LB by a bound of runtime is told no earlier than at so many times the bound.
pub const RUNTIME_ABOVE: f64 = 3.0;
/// LB by a bound of volts is told no earlier than so many volts above it.
pub const VOLTS_ABOVE: f64 = 1.0;

/// After how much silence data is stale, at the least.
pub fn stale_after(interval: Duration) -> Duration {
    (interval * STALE_POLLS).max(STALE_LEAST).min(interval + STALE_MISSED)
}

/// And at the most.
pub fn stale_at_last(interval: Duration) -> Duration {
    if interval > LONG_INTERVAL { interval + LONG_GRACE } else { stale_after(interval) + STALE_GRACE }
}

/// No life is as long.
pub const NEVER: Duration = s(86_400);

/// How much later all may be told of a UPS that rests for so long behind so many questions of a round.
pub fn rest_takes(interval: Duration, rest: Duration, questions: u32) -> Duration {
    match rest {
        Duration::ZERO => return Duration::ZERO,
        // no driver is heard that asks as often
        rest if rest >= interval => return NEVER,
        _ => {}
    }
    REST_IS_FOUND + REST_INTERVALS * interval + REST_ROUNDS * questions * rest
}
