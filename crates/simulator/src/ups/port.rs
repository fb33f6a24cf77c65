//! The port of a simulated UPS: what comes in until a line is whole, what goes out and when.

use crate::profile::Profile;
use crate::trouble::Trouble;
use qx::line::exchange::END;
use qx::vocabulary::moment::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// A line without an end is cut off at this length.
const LONGEST: usize = 256;
/// A line that breaks by itself is back after so long.
pub(super) const BREAK: Duration = Duration::from_secs(2);
/// Bytes written at once when they are paced.
const PACE: usize = 4;

/// What is said to a line.
#[derive(Debug, Default)]
pub(super) struct Saying {
    pub(super) bytes: Vec<u8>,
    /// So much later than usual.
    pub(super) late: Duration,
    /// A pause in its midst.
    pub(super) gap: Duration,
}

/// The port.
#[derive(Clone, Debug, Default)]
pub(crate) struct Port {
    input: Vec<u8>,
    output: VecDeque<(Moment, Vec<u8>)>,
    hang_up: Option<Duration>,
}

impl Port {
    /// Takes a byte; the line that it ends.
    pub(super) fn take(&mut self, byte: u8) -> Option<Vec<u8>> {
        match byte {
            END => return Some(std::mem::take(&mut self.input)),
            byte if self.input.len() < LONGEST => self.input.push(byte),
            _ => {}
        }
        None
    }

    /// The line sends back what it gets.
    pub(super) fn echo(&mut self, bytes: &[u8], now: Moment) {
        self.output.push_back((now, bytes.to_vec()));
    }

    /// Says something, with its end, to a line of so many bytes.
    pub(super) fn say(
        &mut self,
        saying: Saying,
        heard: usize,
        now: Moment,
        (manners, trouble): (&Profile, &mut Trouble),
    ) {
        if trouble.hangs_up() {
            self.hang_up(BREAK);
            return;
        }
        let reply = trouble.befall(saying.bytes);
        // it says one thing after the other
        let start = (now + manners.latency + saying.late)
            .max(self.output.back().map_or(Moment::ZERO, |(due, _)| *due))
            + trouble.lateness();
        let half = if saying.gap.is_zero() { reply.len() } else { reply.len() / 2 };
        match manners.baud {
            None => {
                let (first, second) = reply.split_at(half);
                self.output.push_back((start, first.to_vec()));
                if !second.is_empty() {
                    self.output.push_back((start + saying.gap, second.to_vec()));
                }
            }
            Some(baud) => {
                let byte = Duration::from_secs_f64(10.0 / f64::from(baud.max(1)));
                // what was heard had to cross the line as well
                let mut due = start + byte * heard as u32;
                for (at, chunk) in reply.chunks(PACE).enumerate() {
                    due += byte * chunk.len() as u32;
                    let gap = if at * PACE >= half { saying.gap } else { Duration::ZERO };
                    self.output.push_back((due + gap, chunk.to_vec()));
                }
            }
        }
    }

    /// What goes out now.
    pub(super) fn poll_output(&mut self, now: Moment) -> Option<Vec<u8>> {
        let due = self.output.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.output.pop_front()).flatten().map(|(_, bytes)| bytes)
    }

    /// When something goes out next.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.output.front().map(|(due, _)| *due)
    }

    /// When the last of what is to go out does so.
    pub(super) fn last_due(&self) -> Option<Moment> {
        self.output.back().map(|(due, _)| *due)
    }

    /// Closes the line for so long.
    pub(crate) fn hang_up(&mut self, time: Duration) {
        self.hang_up = Some(time);
    }

    /// Whether the line is to be closed, and for how long; what was on its way is lost.
    pub(super) fn take_hang_up(&mut self) -> Option<Duration> {
        let hang_up = self.hang_up.take();
        if hang_up.is_some() {
            self.input.clear();
            self.output.clear();
        }
        hang_up
    }
}
