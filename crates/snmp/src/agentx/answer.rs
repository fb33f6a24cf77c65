//! Questions of a master (RFC 2741, section 7.2.3) and what is answered: read only.

use super::packet::{LONGEST_PACKET, PacketKind, response};
use super::wire::{self, AgentxReader, NotAgentx};
use crate::oid::Oid;
use crate::ups_mib::UPS_MIB;
use crate::value::SnmpValue;
use crate::view::MibView;

/// GETBULK gets each name so often at most; the master asks again.
const MOST_TIMES: u16 = 64;
/// Errors of SNMP (RFC 3416, section 3), and of AgentX (RFC 2741, section 6.2.16).
const GEN_ERR: u16 = 5;
const COMMIT_FAILED: u16 = 14;
const UNDO_FAILED: u16 = 15;
const NOT_WRITABLE: u16 = 17;
const PARSE_ERROR: u16 = 266;

/// The answer to a question, without its header; none where none is due. `view` is what there is in the question's context,
/// none where it has no UPS.
pub(super) fn answer(
    kind: PacketKind,
    question: AgentxReader<'_>,
    view: Option<&MibView>,
) -> Option<Vec<u8>> {
    let nothing = MibView::default();
    let view = view.unwrap_or(&nothing);
    let answered = match kind {
        PacketKind::Get => each(question, |start, _| exact(view, start)),
        PacketKind::GetNext => each(question, |start, end| behind(view, start, end)),
        PacketKind::GetBulk => bulk(question, view),
        PacketKind::TestSet => Ok(response(NOT_WRITABLE, 1)),
        PacketKind::CommitSet => Ok(response(COMMIT_FAILED, 1)),
        PacketKind::UndoSet => Ok(response(UNDO_FAILED, 1)),
        _ => return None,
    };
    Some(answered.unwrap_or_else(|NotAgentx| response(PARSE_ERROR, 0)))
}

/// A name, which counts itself where its mark says so.
type SearchStart = (Oid, bool);

fn exact(view: &MibView, (name, _): &SearchStart) -> (Oid, SnmpValue) {
    let value = if name.parts().starts_with(UPS_MIB) { view.get(name) } else { SnmpValue::NoSuchObject };
    (name.clone(), value)
}

/// What follows a name, in front of `end`, as far as it is of the UPS-MIB.
fn behind(view: &MibView, (start, include): &SearchStart, end: &Oid) -> (Oid, SnmpValue) {
    let is_before_end = |name: &Oid| end.parts().is_empty() || name < end;
    let mib = Oid::new(UPS_MIB);
    let here = || (start.clone(), view.get(start));
    let is_value = |value: &SnmpValue| {
        !matches!(value, SnmpValue::NoSuchObject | SnmpValue::NoSuchInstance | SnmpValue::EndOfView)
    };
    let found = match here() {
        found if *include && *start >= mib && is_value(&found.1) => found,
        _ => view.next(if *start < mib { &mib } else { start }),
    };
    let is_ours = found.0.parts().starts_with(UPS_MIB) && is_before_end(&found.0) && is_value(&found.1);
    if is_ours { found } else { (start.clone(), SnmpValue::EndOfView) }
}

/// One value for each range. What is too long for a packet is an error.
fn each(
    mut question: AgentxReader<'_>,
    find: impl Fn(&SearchStart, &Oid) -> (Oid, SnmpValue),
) -> Result<Vec<u8>, NotAgentx> {
    let mut out = response(0, 0);
    while !question.is_done() {
        let (start, (end, _)) = (question.oid()?, question.oid()?);
        let (name, value) = find(&start, &end);
        wire::binding(&mut out, &name, &value);
        if out.len() > LONGEST_PACKET {
            return Ok(response(GEN_ERR, 0));
        }
    }
    Ok(out)
}

/// Of the first ranges what follows once, of the others as often as it is asked, and as there is room (section 7.2.3.3).
fn bulk(mut question: AgentxReader<'_>, view: &MibView) -> Result<Vec<u8>, NotAgentx> {
    let (once, times) = (usize::from(question.u16()?), question.u16()?.min(MOST_TIMES));
    let mut ranges = vec![];
    while !question.is_done() {
        ranges.push((question.oid()?, question.oid()?.0));
    }
    let mut out = response(0, 0);
    let mut take = |start: &SearchStart, end: &Oid| {
        let (name, value) = behind(view, start, end);
        let length = out.len();
        wire::binding(&mut out, &name, &value);
        if out.len() > LONGEST_PACKET {
            out.truncate(length);
            return None;
        }
        Some((name, value == SnmpValue::EndOfView))
    };
    let once = once.min(ranges.len());
    let (first, others) = ranges.split_at_mut(once);
    if first.iter().any(|(start, end)| take(start, end).is_none()) {
        return Ok(out);
    }
    for _ in 0..times {
        let mut is_over = true;
        for (start, end) in others.iter_mut() {
            let Some((name, ended)) = take(start, end) else { return Ok(out) };
            is_over &= ended;
            *start = (name, false);
        }
        if is_over {
            break;
        }
    }
    Ok(out)
}
