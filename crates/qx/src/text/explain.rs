//! Explain: a reply under its picture, and which letter of it is wrong.

use crate::protocols;
use crate::vocabulary::flag::Flags;
use crate::vocabulary::status::{Status, StatusSet, alarm_text};
use crate::vocabulary::variable::Var;
use crate::wire::fact::{Facts, Raised};
use crate::wire::picture::{Slot, Slots};
use crate::wire::protocol::Protocol;
use crate::wire::query::Query;
use crate::wire::read::{Fit, Misfit};
use crate::wire::settle;
use std::fmt::Write;

/// The queries of all dialects that are asked by `ask`; with nothing asked, all of them. Each picture
/// occurs once, with the question that most dialects ask for it.
pub fn queries(ask: Option<&str>) -> Vec<&'static Query> {
    let all = || protocols::ALL.iter().flat_map(|protocol| protocol.queries).copied();
    let same = |one: &Query, other: &Query| one.ask == other.ask && std::ptr::eq(one.fields, other.fields);
    let dialects = |query: &Query| all().filter(|other| same(other, query)).count();
    let mut found: Vec<&'static Query> = vec![];
    for query in all().filter(|query| ask.is_none_or(|ask| ask.eq_ignore_ascii_case(query.ask))) {
        match found.iter_mut().find(|seen| seen.picture == query.picture) {
            Some(seen) if dialects(query) > dialects(seen) => *seen = query,
            Some(_) => {}
            None => found.push(query),
        }
    }
    found
}

/// The queries whose question is these bytes on the wire: packed as their dialect packs it, with the
/// number of a UPS where one belongs. Those of dialects that are taken only by name stand last.
pub fn asked_by(wire: &[u8]) -> Vec<&'static Query> {
    let number = wire.get(wire.len().saturating_sub(2)..).and_then(|text| std::str::from_utf8(text).ok());
    let address = number.and_then(|text| text.parse().ok()).unwrap_or(0);
    let (by_name, automatic): (Vec<&Protocol>, Vec<&Protocol>) =
        protocols::ALL.iter().partition(|protocol| protocol.by_name);
    let all = automatic.into_iter().chain(by_name).flat_map(|protocol| protocol.queries).copied();
    let mut found: Vec<&'static Query> = vec![];
    for query in all.filter(|query| query.wire(address) == wire) {
        if !found.iter().any(|seen| std::ptr::eq(*seen, query)) {
            found.push(query);
        }
    }
    found
}

/// The query that `reply` fits best: one that reads it, else the one that gets furthest.
pub fn best(queries: &[&'static Query], reply: &[u8]) -> Option<&'static Query> {
    let drawn = |query: &Query| Slots::of(query.picture).map(Slot::width).sum::<usize>();
    let reach = |query: &&&'static Query| match query.read(reply) {
        Ok(Fit { odd: None, .. }) => (drawn(query), 2),
        // what is much longer or shorter is seldom meant
        Ok(_) => (drawn(query).saturating_sub(2 * drawn(query).abs_diff(reply.len())), 1),
        Err(misfit) => (misfit.at.start, 0),
    };
    queries.iter().rev().max_by_key(reach).copied()
}

/// The reply over its picture, then what it says, or what is wrong with it.
pub fn explain(query: &'static Query, reply: &[u8]) -> String {
    let shown: String = reply.iter().map(|byte| printable(*byte)).collect();
    let indent = " ".repeat(query.ask.len() + 1);
    let mut out = format!("{} {shown}\n{indent}{}\n", query.ask, query.picture);
    match query.read(reply) {
        Ok(fit) => says(&mut out, &indent, query, &fit),
        Err(misfit) => mark(&mut out, &indent, &misfit),
    }
    out
}

/// Marks the place that is wrong.
fn mark(out: &mut String, indent: &str, misfit: &Misfit) {
    let (blanks, marks) = (" ".repeat(misfit.at.start), "^".repeat(misfit.at.len().max(1)));
    let _ = writeln!(out, "{indent}{blanks}{marks} {}", misfit.expected);
}

fn says(out: &mut String, indent: &str, query: &'static Query, fit: &Fit) {
    for misfit in &fit.unread {
        mark(out, indent, misfit);
    }
    if fit.odd.is_some() {
        let _ = writeln!(out, "{indent}not the drawn form: accepted when two replies in a row have it");
    }
    for (var, value) in &fit.readings.values {
        let text = value
            .as_ref()
            .map_or("(the UPS does not say)".into(), |value| value.published(query.places(var)));
        let unit = if value.is_some() { var.unit.sign() } else { "" };
        let _ = writeln!(out, "{indent}{:<26} {text} {unit}", name(var));
    }
    let raised = raised(query, fit);
    if fit.readings.covers != StatusSet::EMPTY {
        let status = raised.status.published(!raised.alarms.is_empty());
        let status =
            if fit.readings.covers.has(Status::Online) { &status } else { status.trim_start_matches("OB") };
        let _ = writeln!(out, "{indent}{:<26} {}", "ups.status", status.trim_start());
    }
    if let Some(text) = alarm_text(&raised.alarms) {
        let _ = writeln!(out, "{indent}{:<26} {text}", "ups.alarm");
    }
}

/// What a variable is called here: what no client sees has a name for the tables alone, so it is said what it is.
fn name(var: &'static Var) -> &'static str {
    if var.public { var.name } else { var.about }
}

/// The status words and alarms of one reply alone.
pub fn raised(query: &'static Query, fit: &Fit) -> Raised {
    let facts = Facts::of(query, &fit.readings, Flags::default());
    let mut raised = facts.words();
    settle::by_ratio(&facts, &mut raised);
    raised.alarms.extend(raised.status.alarms());
    raised
}

fn printable(byte: u8) -> char {
    if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '?' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_letter_is_marked() {
        let reply = b"(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000";
        let query = best(&queries(Some("Q1")), reply).unwrap();
        let text = explain(query, reply);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "   (MMM.M NNN.N PPP.P QQQ RR.R SS.S TT.T bbbbbbbb");
        assert_eq!(lines[2], "                          ^^^^ input.frequency: a number was expected");
    }

    #[test]
    fn no_inner_name_is_shown() {
        let inner: Vec<&str> = crate::vocabulary::variable::KEPT.iter().map(|var| var.name).collect();
        assert!(inner.contains(&"ups_fault"));
        let lines: Vec<Vec<u8>> = protocols::ALL
            .iter()
            .flat_map(|protocol| protocol.queries)
            .map(|query| query.write(&crate::wire::readings::Readings::default()))
            .chain([b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000".to_vec(), b"(1234567890".to_vec()])
            .collect();
        let mut said = 0;
        for query in queries(None) {
            for line in &lines {
                let text = explain(query, line);
                let names = text.lines().skip(2).filter_map(|line| line.split_whitespace().next());
                for name in names {
                    assert!(!inner.contains(&name), "{name}: {text}");
                    said += 1;
                }
            }
        }
        assert!(said > 100, "{said}");
    }

    #[test]
    fn a_reply_without_a_question_finds_its_picture() {
        let best = best(&queries(None), b"#230.0 003 024.0 50.0").unwrap();
        assert_eq!(best.ask, "F");
        let asks: Vec<&str> = queries(None).iter().map(|query| query.ask).collect();
        assert!(["Q1", "F", "I", "QGS", "WH"].iter().all(|ask| asks.contains(ask)), "{asks:?}");
        assert_eq!(asks.iter().filter(|ask| **ask == "QS").count(), 1, "mustek's status is drawn as Q1");
    }
}
