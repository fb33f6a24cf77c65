//! The reference of the dialects, printed from the tables.

use crate::protocols;
use crate::vocabulary::status::Status;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::{Arg, Command, Part};
use crate::wire::picture::{Slot, Slots};
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::{Bit, Cadence, Effect, Field, Meaning, Query, Words};
use crate::wire::setting::{Allowed, Delay, Rounding, Setting};
use crate::wire::when::When;
use std::fmt::Write;

/// The whole reference as Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# The dialects\n\n\
         Printed from the tables of `crates/qx/src/protocols` by `qxups protocols`; a test keeps this\n\
         file fresh. Commands and replies end with a carriage return. In a picture a run of one letter\n\
         is a field, a letter and `*` a field up to the end, a quoted letter and everything else stands\n\
         for itself. Dialects are tried in this order; the first whose signs all hold is taken.\n",
    );
    for protocol in protocols::ALL {
        out += "\n";
        out += &page(protocol);
    }
    out
}

/// One dialect as Markdown.
pub fn page(protocol: &Protocol) -> String {
    let mut out = format!("## {}\n\n{}.\n\n", protocol.name, capital(protocol.about));
    let signs: Vec<String> = protocol.signs.iter().map(sign).collect();
    let by_name = if protocol.by_name { "; only when it is named by `protocol`" } else { "" };
    let _ = writeln!(out, "Recognised by: {}{by_name}.", signs.join("; "));
    if !protocol.flags.is_empty() {
        let flags: Vec<String> = protocol.flags.iter().map(|flag| format!("`{}`", flag.name())).collect();
        let _ = writeln!(out, "Options: {}.", flags.join(", "));
    }
    for query in protocol.queries {
        out += &query_part(query);
    }
    if !protocol.fixed.is_empty() || !protocol.derived.is_empty() {
        let _ = writeln!(out, "\n| variable | follows from |\n|---|---|");
        for (var, text) in protocol.fixed {
            let _ = writeln!(out, "| {} | always `{text}` |", var.name);
        }
        for derived in protocol.derived {
            let _ = writeln!(out, "| {} | {} |", derived.var.name, derived.about);
        }
    }
    if protocol.all_commands().next().is_some() {
        let _ = writeln!(out, "\n| instant command | sent | parameter | when |\n|---|---|---|---|");
        for command in protocol.all_commands() {
            let otherwise = command.otherwise.iter().map(|wire| spelling(wire));
            let sent: Vec<String> = [spelling(command.wire)].into_iter().chain(otherwise).collect();
            let (sent, when) = (sent.join("; if refused: "), condition(command.when));
            let _ = writeln!(out, "| {} | {sent} | {} | {when} |", command.name, parameter(command));
        }
        let _ = writeln!(out, "\n{}\n", acknowledgement(protocol.acknowledgement));
    }
    if protocol.all_settings().next().is_some() {
        let _ = writeln!(out, "| kept by the UPS | sent | what may be written | when |\n|---|---|---|---|");
        protocol.all_settings().for_each(|setting| out += &setting_row(setting));
        out += "\n";
    }
    if !protocol.delays.is_empty() {
        let _ = writeln!(
            out,
            "| kept by the driver | option | range | default | rounded down to |\n|---|---|---|---|---|"
        );
        protocol.delays.iter().for_each(|delay| out += &delay_row(delay));
    }
    out
}

fn acknowledgement(acknowledgement: Acknowledgement) -> String {
    match acknowledgement {
        Acknowledgement::Silence => "A command is accepted by silence, or by `ACK`, `(ACK` or `OK`.".into(),
        Acknowledgement::SilenceOr(word) => format!("A command is accepted by silence or by `{word}`."),
        Acknowledgement::SilenceOrAny(words) => {
            format!(
                "A command is accepted by silence, or by a reply that begins with {}.",
                words.join(" or ")
            )
        }
        Acknowledgement::Word(word) => format!("A command is accepted by `{word}`; silence is a refusal."),
    }
}

fn sign(sign: &Sign) -> String {
    let query = sign.query();
    let given = match query.when {
        When::Without(flag) => format!(" (not asked with `{}`)", flag.name()),
        _ => String::new(),
    };
    match sign {
        Sign::Answers(_) => format!("`{}` is answered as drawn{given}", query.ask),
        Sign::Says(_, var) => format!("`{}` is answered and names {}{given}", query.ask, var.name),
        Sign::AnswersOr(_, word) => format!("`{}` is answered as drawn, or by `{word}`", query.ask),
    }
}

fn condition(when: When) -> String {
    let list = |words: &[&str]| words.join(", ");
    match when {
        When::Always => String::new(),
        When::With(flag) => format!("with `{}`", flag.name()),
        When::Without(flag) => format!("not with `{}`", flag.name()),
        When::Known(var) => format!("{} is known", var.name),
        When::Unknown(var) => format!("{} is not known", var.name),
        When::Is(var, words) => format!("{} is {}", var.name, list(words)),
        When::IsNot(var, words) => format!("{} is not {}", var.name, list(words)),
        When::Has(status) => format!("the status is {}", status.word()),
        When::Both(all) => all.iter().map(|when| condition(*when)).collect::<Vec<_>>().join(" and "),
    }
}

fn query_part(query: &Query) -> String {
    let when = match query.cadence {
        Cadence::Once => "once",
        Cadence::Quick => "every `pollinterval`",
        Cadence::Full => "every `pollfreq`",
        Cadence::AfterChange => "at the start and after each change",
    };
    let number = if query.addressed { "nn" } else { "" };
    let condition = condition(query.when);
    let condition = if condition.is_empty() { condition } else { format!(", when {condition}") };
    let packed = query.codec.map_or(String::new(), |codec| format!(" Packed: {}.", codec.about));
    let mut out = format!("\n### `{}{number}`: {}\n\n", query.ask, query.about);
    let _ = writeln!(
        out,
        "Asked {when}{condition}.{packed} Source: {}.\n\n    {}\n",
        query.source, query.picture
    );
    let _ = writeln!(out, "| letter | column | means | unit |\n|---|---|---|---|");
    let mut fields = query.fields.iter();
    let mut at = 0;
    for slot in Slots::of(query.picture) {
        let place = match slot {
            Slot::Literal(_) => None,
            Slot::Field { width: 1, .. } => Some(format!("{at}")),
            Slot::Field { width, .. } => Some(format!("{at} to {}", at + width - 1)),
            Slot::Rest { .. } => Some(format!("from {at}")),
        };
        if let Some((field, place)) = place.and_then(|place| Some((fields.next()?, place))) {
            out += &field_rows(field, at, &place);
        }
        at += slot.width();
    }
    out
}

fn field_rows(field: &Field, at: usize, place: &str) -> String {
    let letter = char::from(field.letter);
    let row = |means: String, unit: &str| format!("| {letter} | {place} | {means} | {unit} |\n");
    match field.meaning {
        Meaning::Number(var) => {
            let times =
                if field.times == 1 { String::new() } else { format!(" = number × {}", field.times) };
            let shift = if field.shift == 0 { "" } else { " = number ÷ 100" };
            row(format!("{}{times}{shift}", var.name), var.unit.sign())
        }
        Meaning::Text(var) => row(var.name.into(), ""),
        Meaning::Word(var, words) => row(format!("{}: {}", var.name, word_list(words)), ""),
        Meaning::Custom(pair) => {
            let names: Vec<&str> = pair.vars.iter().map(|var| var.name).collect();
            row(format!("{}: {}", names.join(", "), pair.about), "")
        }
        Meaning::Unknown => row("unknown".into(), ""),
        Meaning::Codes(rows) => {
            let line = |code: &crate::wire::query::Code| {
                row(format!("`{}`: {}", code.code, effect(code.effect)), "")
            };
            rows.iter().map(line).collect()
        }
        Meaning::Bits(rows) => {
            let line = |(n, row): (usize, &Bit)| format!("| {letter} | {} | {} | |\n", at + n, bit(row));
            rows.iter().enumerate().map(line).collect()
        }
    }
}

fn word_list(words: Words) -> String {
    words.iter().map(|(code, word)| format!("`{code}` {word}")).collect::<Vec<_>>().join(", ")
}

fn bit(row: &Bit) -> String {
    let unless = row.unless.map_or(String::new(), |flag| format!(" (ignored with `{}`)", flag.name()));
    match (row.one, row.zero) {
        (Effect::Nothing, Effect::Nothing) => format!("{}{unless}", row.about),
        (one, zero) => format!("{}: 1 {}, 0 {}{unless}", row.about, effect(one), effect(zero)),
    }
}

fn effect(given: Effect) -> String {
    match given {
        Effect::Nothing => "says nothing".into(),
        Effect::Set(status) => status.word().into(),
        Effect::Clear(Status::Online) => "OB".into(),
        Effect::Clear(status) => format!("not {}", status.word()),
        Effect::Alarm(alarm) => match alarm.warning {
            Some(warning) if alarm.text.is_empty() => format!("unknown warning {}", warning.number),
            Some(_) => format!("warning \"{}\"", alarm.text),
            None => format!("ups.alarm \"{}\"", alarm.text),
        },
        Effect::Says(var, word) => format!("{} \"{word}\"", var.name),
        Effect::Regulating => {
            "TRIM, BYPASS or BOOST by the ratio of output to input voltage (0.5, 0.95, 1.05, 1.5)".into()
        }
        Effect::All(parts) => parts.iter().map(|part| effect(*part)).collect::<Vec<_>>().join(" and "),
    }
}

fn spelling(parts: &[Part]) -> String {
    let name = |arg: Arg| match arg {
        Arg::Shutdown => "ups.delay.shutdown",
        Arg::Start => "ups.delay.start",
        Arg::Given => "value",
        Arg::Address => "ups.id",
    };
    let part = |part: &Part| match part {
        Part::Lit(text) => format!("`{text}`"),
        Part::Short(arg) => format!("{} as `.n` tenths of a minute or `nn` minutes", name(*arg)),
        Part::Minutes(arg, digits) => format!("{} as `{}` minutes", name(*arg), "n".repeat(*digits)),
        Part::MinutesUp(arg, digits) => {
            format!("{} as `{}` minutes, rounded up, one at least", name(*arg), "n".repeat(*digits))
        }
        Part::Unless0(lead, arg, digits) => {
            format!(
                "`{lead}` and {} as `{}` minutes, nothing below one minute",
                name(*arg),
                "n".repeat(*digits)
            )
        }
        Part::Digits(arg, digits) => format!("{} as `{}`", name(*arg), "n".repeat(*digits)),
        Part::Tenths(width) => format!("value as `{}.n`", "n".repeat(width - 2)),
        Part::Code => "code of the value".into(),
        Part::Text(width) => format!("value in {width} bytes"),
        Part::Then => "then".into(),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" + ").replace(" + then + ", ", then ")
}

fn parameter(command: &Command) -> String {
    let text = |p: crate::wire::command::Parameter| match p.default {
        Some(default) => format!("{} to {} s, default {default} s", p.least, p.most),
        None if p.least == p.most => format!("{} s", p.least),
        None => format!("{} to {} s", p.least, p.most),
    };
    command.parameter.map_or(String::new(), text)
}

fn setting_row(setting: &Setting) -> String {
    let allowed = match setting.allowed {
        Allowed::Range(least, most) => format!("{least} to {most}"),
        Allowed::Words(words) => word_list(words),
        Allowed::Limits(about, _) => about.into(),
        Allowed::Listed(var) => format!("one of {}", var.name),
        Allowed::Custom(custom) => custom.about.into(),
    };
    let name =
        if setting.var.public { setting.var.name.into() } else { format!("option `{}`", setting.var.name) };
    format!("| {name} | {} | {allowed} | {} |\n", spelling(setting.wire), condition(setting.when))
}

fn delay_row(delay: &Delay) -> String {
    let Delay { var, option, least, most, default, rounding, .. } = delay;
    let rounded = match rounding {
        Rounding::Minutes => "60 s",
        Rounding::TenthsThenMinutes => "6 s below one minute, else 60 s",
    };
    format!("| {} | `{option}` | {least} to {most} s | {default} s | {rounded} |\n", var.name)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
