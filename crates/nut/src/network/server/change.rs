//! SET, INSTCMD and FSD (NUT 2.8.0 server/netset.c, netinstcmd.c and netmisc.c): the same checks in
//! the same order.

use super::answer::{Halt, is, line};
use super::connection::may;
use super::read::fresh;
use super::site::{Client, Handed, Note, Order, Right, Site, UpsId, ValueKind};
use crate::network::ErrorWord;

/// SET. `tracking`: whether this client has it on.
pub(super) fn set(
    arguments: &[&str],
    client: &Client,
    tracking: &mut bool,
    site: &mut dyn Site,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match arguments {
        [what, ups, variable, value, more @ ..] if is(what, "VAR") => {
            let found = fresh(site, client, ups)?;
            may(site, client, Right::Set(variable), Some(found))?;
            fits(client, site, found, variable, value)?;
            only(more)?;
            let order = Order::Set { variable, value };
            hand_over(client, site, found, order, *tracking, out)
        }
        [what, state, ..] if is(what, "TRACKING") => {
            *tracking = match state {
                state if is(state, "ON") => true,
                state if is(state, "OFF") => false,
                _ => return Err(ErrorWord::InvalidArgument.into()),
            };
            line(out, &["OK"]);
            Ok(())
        }
        _ => Err(ErrorWord::InvalidArgument.into()),
    }
}

/// INSTCMD.
pub(super) fn instcmd(
    arguments: &[&str],
    client: &Client,
    tracking: bool,
    site: &mut dyn Site,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    let [ups, name, more @ ..] = arguments else { return Err(ErrorWord::InvalidArgument.into()) };
    let found = fresh(site, client, ups)?;
    if !site.has_command(found, name) {
        return Err(ErrorWord::CmdNotSupported.into());
    }
    may(site, client, Right::Command(name), Some(found))?;
    only(more.get(1..).unwrap_or_default())?;
    // an empty one reaches no driver of NUT
    let parameter = more.first().copied().filter(|parameter| !parameter.is_empty());
    hand_over(client, site, found, Order::Command { name, parameter }, tracking, out)
}

/// FSD; ours: `FSD ups CLEAR` takes it back, which upsd cannot.
pub(super) fn fsd(
    arguments: &[&str],
    client: &Client,
    site: &mut dyn Site,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    let (ups, on) = match arguments {
        [ups] => (ups, true),
        [ups, clear] if is(clear, "CLEAR") => (ups, false),
        _ => return Err(ErrorWord::InvalidArgument.into()),
    };
    let found = site.find(client, ups).ok_or(ErrorWord::UnknownUps)?;
    may(site, client, Right::ForceShutdown, Some(found))?;
    site.set_forced_shutdown(client, found, on);
    line(out, &[if on { "OK FSD-SET" } else { "OK FSD-CLEARED" }]);
    Ok(())
}

/// Refuses further words. upsd takes the first word of a value for all of it, and a command without
/// its parameter when there are several: something else than what was asked for.
fn only(more: &[&str]) -> Result<(), Halt> {
    if more.is_empty() { Ok(()) } else { Err(ErrorWord::InvalidArgument.into()) }
}

/// Whether the variable is there, can be written, and takes the value.
fn fits(client: &Client, site: &mut dyn Site, ups: UpsId, name: &str, value: &str) -> Result<(), Halt> {
    let mut facts = None;
    site.variable(ups, name, &mut |variable| {
        facts = Some((variable.writable, variable.kind, variable.has_choices, variable.has_ranges));
    });
    let (writable, kind, has_choices, has_ranges) = facts.ok_or(ErrorWord::VarNotSupported)?;
    if !writable {
        return Err(ErrorWord::ReadOnly.into());
    }
    if let ValueKind::Text { longest } = kind {
        if longest < 1 {
            site.note(client, Note::NoLength(ups, name));
            return Err(ErrorWord::SetFailed.into());
        }
        if i64::try_from(value.len()).map_or(true, |length| length > longest) {
            return Err(ErrorWord::TooLong.into());
        }
    }
    let mut found = !has_choices;
    if has_choices {
        site.each_choice(ups, name, &mut |choice| found |= choice == value);
    }
    let mut within = !has_ranges;
    if has_ranges {
        let number = leading_number(value);
        site.each_range(ups, name, &mut |least, most| within |= (least..=most).contains(&number));
    }
    if found && within { Ok(()) } else { Err(ErrorWord::InvalidValue.into()) }
}

/// What C's `atoi` makes of a text: the number it begins with, 0 without one. Where a number is too
/// great for C, it is the greatest here.
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().map_while(|byte| char::from(byte).to_digit(10));
    let number = digits.fold(0i64, |number, digit| number.saturating_mul(10).saturating_add(digit.into()));
    if negative { -number } else { number }
}

fn hand_over(
    client: &Client,
    site: &mut dyn Site,
    ups: UpsId,
    order: Order<'_>,
    tracked: bool,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match site.hand_over(client, ups, order, tracked) {
        Handed::Over => line(out, &["OK"]),
        Handed::Tracked(id) => line(out, &["OK TRACKING ", &id.to_string()]),
        Handed::Failed => {
            return Err(match order {
                Order::Command { .. } => ErrorWord::InstcmdFailed.into(),
                Order::Set { .. } => ErrorWord::SetFailed.into(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_a_text_as_in_c() {
        for (text, expected) in [
            ("5", 5),
            (" -7x", -7),
            ("+3", 3),
            ("5.9", 5),
            ("x5", 0),
            ("", 0),
            ("- 5", 0),
            ("--5", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", -i64::MAX),
        ] {
            assert_eq!(leading_number(text), expected, "{text}");
        }
    }
}
