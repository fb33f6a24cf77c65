//! One exchange on a line in virtual time, as the links do it: each byte has its moment, late ones run into the
//! next question, and the line may break in the midst of it.

use qx::line::exchange::{Collector, END, Exchange, LATE_KEPT, Reply, WHOLE};
use qx::vocabulary::moment::Moment;
use simulator::ups::SimulatedUps;
use std::time::Duration;

/// The other end of the line.
pub trait Far {
    /// Takes a command, with its end.
    fn send(&mut self, command: &[u8], now: Moment);
    /// What comes next, if it comes until then, and when; no bytes at all mean that the line breaks.
    fn next(&mut self, until: Moment) -> Option<(Moment, Option<Vec<u8>>)>;
}

impl Far for SimulatedUps {
    fn send(&mut self, command: &[u8], now: Moment) {
        self.receive(command, now);
    }

    fn next(&mut self, until: Moment) -> Option<(Moment, Option<Vec<u8>>)> {
        let due = self.poll_timeout().filter(|due| *due <= until)?;
        Some((due, Some(self.poll_output(due).unwrap_or_default())))
    }
}

/// Makes an exchange and lets `now` pass; nothing comes of it when the line breaks. A line is read empty
/// first where the exchange wants it, or where it is `unsettled`; what is read away is not kept by a `converter`.
pub fn exchange(
    exchange: &Exchange,
    now: &mut Moment,
    (unsettled, converter): (bool, bool),
    far: &mut dyn Far,
) -> Option<Reply> {
    let (mut stray, mut late) = (false, vec![]);
    if exchange.settle || unsettled {
        let end = *now + exchange.quiet_within();
        while *now < end {
            let quiet = (*now + exchange.quiet_after(late.last().copied())).min(end);
            let Some((due, bytes)) = far.next(quiet) else {
                *now = quiet;
                break;
            };
            *now = due.max(*now);
            late.extend(bytes?);
            stray |= !late.is_empty();
        }
    }
    late.truncate(if converter { 0 } else { LATE_KEPT });
    while let Some((_, bytes)) = far.next(*now) {
        bytes?;
    }
    let sent = *now;
    far.send(&[exchange.command.as_slice(), &[END]].concat(), sent);
    let mut collector = Collector::new(exchange);
    let (mut deadline, mut latency) = (sent + exchange.patience, None);
    let (mut last, mut gap) = (sent, Duration::ZERO);
    while let Some((due, bytes)) = far.next(deadline) {
        *now = due.max(*now);
        let bytes = bytes?;
        if bytes.is_empty() {
            continue;
        }
        let complete = collector.take(&bytes);
        // a NUL, as a line makes it that wakes up, is no beginning of a reply
        if collector.is_silent() {
            continue;
        }
        if latency.is_some() {
            gap = gap.max(*now - last);
        }
        last = *now;
        latency.get_or_insert(*now - sent);
        if complete {
            // a link that reads by lines sees a reply when it is whole, and no sooner
            let by_lines = !(exchange.measured || exchange.settle || exchange.is_command || converter);
            let (latency, gap) = match by_lines {
                true => (*now - sent, *now - sent),
                false => (latency.unwrap_or_default(), gap),
            };
            return Some(Reply { stray, late, gap, by_lines, ..collector.finish(latency) });
        }
        let end = sent + latency.unwrap_or_default() + WHOLE + exchange.patience;
        deadline = (*now + collector.wait(exchange)).min(end);
    }
    *now = deadline;
    Some(Reply { stray, late, gap, ..collector.finish(latency.unwrap_or_default()) })
}
