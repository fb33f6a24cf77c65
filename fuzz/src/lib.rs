//! What several targets need: a UPS that answers well, and what counts as a question.

use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A UPS of this dialect without any trouble.
pub fn good_ups(spoken: &'static Protocol) -> SimulatedUps {
    SimulatedUps::new(spoken, Profile::default(), Trouble::new(1), Script::default())
}

/// What it says to `ask`.
pub fn said(ups: &mut SimulatedUps, ask: &[u8], now: Moment) -> Vec<u8> {
    ups.receive(&[ask, b"\r"].concat(), now);
    let mut reply = vec![];
    while let Some(due) = ups.poll_timeout() {
        reply.extend(ups.poll_output(due).unwrap_or_default());
    }
    reply
}

/// Every question of every dialect, and those that name a unit.
static QUESTIONS: LazyLock<(BTreeSet<Vec<u8>>, Vec<&str>)> = LazyLock::new(|| {
    let queries = || protocols::ALL.iter().flat_map(|protocol| protocol.queries);
    let addressed = queries().filter(|query| query.addressed).map(|query| query.ask).collect();
    (queries().filter(|query| !query.addressed).map(|query| query.wire(0)).collect(), addressed)
});

/// Whether it is a question of some dialect, to a unit of any number.
pub fn is_question(line: &[u8]) -> bool {
    let (plain, addressed) = &*QUESTIONS;
    let (head, tail) = line.split_at(line.len().saturating_sub(2));
    let is_numbered = tail.iter().all(u8::is_ascii_digit);
    plain.contains(line) || is_numbered && addressed.iter().any(|ask| ask.as_bytes() == head)
}
