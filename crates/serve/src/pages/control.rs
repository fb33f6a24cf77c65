//! What a user may do to a UPS from the page, by the rights of upsd.users, and the orders that come of it. The checks are those
//! that a client of NUT meets.

use crate::fleet::{Ended, Source, Ups};
use crate::server::Server;
use crate::site::report;
use history::EventKind;
use nut::network::TrackedOutcome;
use nut::network::server::{Freshness, Order, ValueKind, Variable};
use nut::upsd_users::{AllowedAction, User};
use qx::vocabulary::variable::published;
use std::rc::Rc;
use tokio::sync::watch;
use web::access::{
    AccessRefused, CommandControl, PageOrder, PageOutcome, SettingControl, UpsControls, value_of,
};

/// The commands and settings of a UPS that this user may use now.
pub(super) fn of(server: &Server, user: &User, ups: &Ups) -> UpsControls {
    let mut controls = UpsControls::default();
    if ups.freshness() != Freshness::Fresh {
        return controls;
    }
    let descriptions = server.descriptions.borrow().clone();
    let about = |text: Option<&str>| text.unwrap_or_default().to_string();
    ups.with_source((), |source| {
        source.each_command(&mut |name| {
            if user.may_run(name, ups.name()) {
                let about = about(descriptions.of_command(name));
                controls.commands.push(CommandControl { name: name.into(), about });
            }
        });
        if !user.may_do(AllowedAction::Set) {
            return;
        }
        let mut writable = vec![];
        source.each_variable(&mut |variable| {
            if variable.writable {
                writable.push(setting(variable));
            }
        });
        for mut setting in writable {
            source.each_choice(&setting.name, &mut |choice| setting.choices.push(choice.into()));
            source.each_range(&setting.name, &mut |least, most| setting.ranges.push((least, most)));
            setting.about = match published(&setting.name) {
                Some(var) => var.about.into(),
                None => about(descriptions.of_variable(&setting.name)),
            };
            controls.settings.push(setting);
        }
    });
    controls
}

fn setting(variable: &Variable<'_>) -> SettingControl {
    let longest = match variable.kind {
        ValueKind::Text { longest } => Some(u32::try_from(longest.max(0)).unwrap_or(u32::MAX)),
        ValueKind::Number => None,
    };
    SettingControl {
        name: variable.name.into(),
        about: String::new(),
        value: variable.value.into(),
        choices: vec![],
        ranges: vec![],
        longest,
    }
}

/// Whether the user may give this order to this UPS now, and the UPS takes it.
///
/// # Errors
/// Why not.
pub(super) fn check(user: &User, ups: &Ups, order: &PageOrder) -> Result<(), AccessRefused> {
    let may = match order {
        PageOrder::Command { name, .. } => user.may_run(name, ups.name()),
        PageOrder::Set { .. } => user.may_do(AllowedAction::Set),
    };
    if !may {
        let sentence =
            format!("upsd.users does not allow {} to do this: see instcmds and actions there.", user.name);
        return Err(AccessRefused::new(403, sentence));
    }
    let why = match ups.freshness() {
        Freshness::Fresh => None,
        Freshness::Stale => Some("its data is stale"),
        Freshness::NotConnected => Some("its driver is not connected"),
    };
    if let Some(why) = why {
        let sentence =
            format!("Nothing was sent to UPS {}: {why}. Try again when it has fresh data.", ups.name());
        return Err(AccessRefused::new(409, sentence));
    }
    ups.with_source(Err(AccessRefused::new(409, "This UPS has no driver.")), |source| takes(source, order))
}

/// Whether the UPS has the command, or the variable and takes the value.
fn takes(source: &dyn Source, order: &PageOrder) -> Result<(), AccessRefused> {
    match order {
        PageOrder::Command { name, value: Some(_) }
            if source.has_command(name) && !source.takes_value(name) =>
        {
            let sentence = format!("{name} takes no value, and nothing was sent: leave the value out.");
            Err(AccessRefused::new(409, sentence))
        }
        PageOrder::Command { name, value: Some(value) }
            if source.has_command(name) && value_of(name).is_some() && plain_number(value).is_none() =>
        {
            let sentence = format!(
                "{name} cannot take '{value}', and nothing was sent: write a number in digits alone, such as 60."
            );
            Err(AccessRefused::new(409, sentence))
        }
        PageOrder::Command { name, .. } if source.has_command(name) => Ok(()),
        PageOrder::Command { .. } => Err(AccessRefused::new(404, "The UPS has no such command now.")),
        PageOrder::Set { variable, value } => {
            let mut known = None;
            source.variable(variable, &mut |variable| known = Some((variable.writable, setting(variable))));
            let Some((is_writable, mut setting)) = known else {
                return Err(AccessRefused::new(404, "The UPS has no such variable now."));
            };
            if !is_writable {
                return Err(AccessRefused::new(403, "This variable can only be read."));
            }
            source.each_choice(variable, &mut |choice| setting.choices.push(choice.into()));
            source.each_range(variable, &mut |least, most| setting.ranges.push((least, most)));
            match why_not(&setting, value) {
                Some(why) => Err(AccessRefused::new(409, format!("It cannot be '{value}': {why}"))),
                None => Ok(()),
            }
        }
    }
}

/// A number as NUT writes one: digits, with a sign in front where it is below 0, and a point within. Other spellings (`1e3`,
/// `+240`, ` 240`) are read in one way here, and in another by a driver.
fn plain_number(text: &str) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let bare = text.strip_prefix('-').unwrap_or(text);
    let is_plain = match bare.split_once('.') {
        Some((whole, decimals)) => digits(whole) && digits(decimals),
        None => digits(bare),
    };
    is_plain.then(|| text.parse().ok())?.filter(|number: &f64| number.is_finite())
}

/// Why a variable does not take a value.
fn why_not(setting: &SettingControl, value: &str) -> Option<String> {
    // as for SET VAR
    if setting.longest == Some(0) {
        return Some("its driver does not say how long a text may be.".into());
    }
    if let Some(longest) = setting.longest.filter(|longest| value.len() > *longest as usize) {
        return Some(format!("{longest} bytes are the most."));
    }
    if !setting.choices.is_empty() && !setting.choices.iter().any(|choice| choice == value) {
        return Some(format!("it can be {}.", setting.choices.join(", ")));
    }
    if setting.ranges.is_empty() {
        return None;
    }
    // bounds that were read from text are far below what a float says exactly
    #[allow(clippy::cast_precision_loss)]
    let is_within = |number: f64| {
        setting.ranges.iter().any(|(least, most)| (*least as f64..=*most as f64).contains(&number))
    };
    let ranges: Vec<String> =
        setting.ranges.iter().map(|(least, most)| format!("{least} to {most}")).collect();
    let ranges = ranges.join(", or ");
    match plain_number(value) {
        Some(number) if is_within(number) => None,
        Some(_) => Some(format!("it can be {ranges}.")),
        None => Some(format!("write a number in digits alone, {ranges}.")),
    }
}

/// Gives an order that was checked. What becomes of it goes to the log, the history and `outcome`.
///
/// # Errors
/// It was not handed over.
pub(super) fn give(
    server: &Rc<Server>,
    who: &str,
    ups: &Ups,
    order: &PageOrder,
    outcome: watch::Sender<Option<PageOutcome>>,
) -> Result<(), AccessRefused> {
    let what = order.in_words();
    let asked = format!("{who} asks for {what} on the page");
    server.log.info(&format!("{who} asks UPS {} for {what} on the page", ups.name()));
    server.note_event(EventKind::Command, Some(ups.name()), &asked);
    let report = report(server, ups.name(), what);
    let answer = Box::new(move |ended: Ended| {
        report(&ended);
        outcome.send_replace(Some(seen(ended)));
    });
    let order = match order {
        PageOrder::Command { name, value } => Order::Command { name, parameter: value.as_deref() },
        PageOrder::Set { variable, value } => Order::Set { variable, value },
    };
    if ups.with_source(false, |source| source.hand_over(order, true, answer)) {
        return Ok(());
    }
    let sentence = format!(
        "Nothing was sent to UPS {}: its driver takes no order now. The log of the server says why.",
        ups.name()
    );
    server.note_event(EventKind::Command, Some(ups.name()), "not handed over: its driver takes no order");
    Err(AccessRefused::new(503, sentence))
}

fn seen(Ended { outcome, why, is_seen }: Ended) -> PageOutcome {
    match outcome {
        _ if !is_seen => PageOutcome::Unseen,
        TrackedOutcome::Success => PageOutcome::Done,
        TrackedOutcome::Pending => PageOutcome::Unseen,
        TrackedOutcome::Unknown => PageOutcome::Failed(why.or(Some("it does not know it".into()))),
        TrackedOutcome::Invalid => PageOutcome::Failed(why.or(Some("it takes no such value".into()))),
        TrackedOutcome::Failed => PageOutcome::Failed(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(choices: &[&str], ranges: &[(i64, i64)], longest: Option<u32>) -> SettingControl {
        SettingControl {
            name: "x".into(),
            about: String::new(),
            value: String::new(),
            choices: choices.iter().map(|choice| (*choice).to_string()).collect(),
            ranges: ranges.to_vec(),
            longest,
        }
    }

    #[test]
    fn a_value_fits_or_is_refused_with_what_would() {
        let (words, numbers) =
            (setting(&["low", "high"], &[], None), setting(&[], &[(160, 180), (0, 1)], None));
        for (setting, value, part) in [
            (&words, "low", None),
            (&words, "Low", Some("low, high")),
            (&words, "", Some("low, high")),
            (&numbers, "160", None),
            (&numbers, "180", None),
            (&numbers, "170.5", None),
            (&numbers, "1", None),
            (&numbers, "181", Some("160 to 180, or 0 to 1")),
            (&numbers, "180.5", Some("160 to 180, or 0 to 1")),
            (&numbers, "-0.5", Some("160 to 180, or 0 to 1")),
            (&numbers, "170x", Some("digits alone")),
            (&numbers, "", Some("digits alone")),
            (&numbers, "nan", Some("digits alone")),
            (&numbers, "inf", Some("digits alone")),
            (&numbers, "1.7e2", Some("digits alone")),
            (&numbers, "170e0", Some("digits alone")),
            (&numbers, "+170", Some("digits alone")),
            (&numbers, " 170", Some("digits alone")),
            (&numbers, "170 ", Some("digits alone")),
            (&numbers, "170.", Some("digits alone")),
            (&numbers, ".5", Some("digits alone")),
            (&numbers, "--1", Some("digits alone")),
            (&numbers, "-", Some("digits alone")),
            (&numbers, "0xaa", Some("digits alone")),
            (&numbers, "\u{661}", Some("digits alone")),
            (&numbers, &"9".repeat(250), Some("160 to 180, or 0 to 1")),
            (&setting(&[], &[], Some(0)), "", Some("how long")),
            (&setting(&[], &[], Some(3)), "abc", None),
            (&setting(&[], &[], Some(3)), "\u{e4}bc", Some("3 bytes")),
            (&setting(&[], &[], None), "anything", None),
        ] {
            let why = why_not(setting, value);
            match part {
                None => assert_eq!(why, None, "{value}"),
                Some(part) => assert!(why.as_ref().is_some_and(|why| why.contains(part)), "{value}: {why:?}"),
            }
        }
    }

    #[test]
    fn nothing_but_the_driver_s_word_is_done() {
        let of =
            |outcome, why: Option<&str>| seen(Ended { outcome, why: why.map(String::from), is_seen: true });
        assert_eq!(seen(Ended::unseen("the connection was lost")), PageOutcome::Unseen);
        assert_eq!(of(TrackedOutcome::Success, None), PageOutcome::Done);
        assert_eq!(of(TrackedOutcome::Pending, None), PageOutcome::Unseen);
        for outcome in [TrackedOutcome::Unknown, TrackedOutcome::Invalid, TrackedOutcome::Failed] {
            assert!(matches!(of(outcome, None), PageOutcome::Failed(_)));
            assert_eq!(of(outcome, Some("why")), PageOutcome::Failed(Some("why".into())));
        }
    }
}
