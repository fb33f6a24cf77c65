//! The reference of the dialects, printed from the tables.

use crate::command::{Arg, Command, Part};
use crate::picture::{Slot, Slots};
use crate::protocol::{Protocol, Sign};
use crate::protocols;
use crate::query::{Bit, Cadence, Effect, Meaning, Query};
use crate::setting::Delay;
use crate::status::Status;
use std::fmt::Write;

/// The whole reference as Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# The dialects\n\n\
         Printed from the tables of `crates/qx/src/protocols` by `qxups protocols`; a test keeps this\n\
         file fresh. Commands and replies end with a carriage return. In a picture a run of one letter\n\
         is a field, everything else stands for itself. Dialects are tried in this order; the first\n\
         whose signs all hold is taken.\n",
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
    let _ = writeln!(out, "Recognised by: {}.", signs.join("; "));
    let flags: Vec<String> = protocol.flags.iter().map(|flag| format!("`{}`", flag.name())).collect();
    let _ = writeln!(out, "Options: {}.", flags.join(", "));
    for query in protocol.queries {
        out += &query_part(query);
    }
    let _ = writeln!(out, "\n| instant command | sent | parameter |\n|---|---|---|");
    for command in protocol.all_commands() {
        let _ = writeln!(out, "| {} | {} | {} |", command.name, spelling(command), parameter(command));
    }
    let _ = writeln!(out, "\nA command is accepted by silence or by `{}`.\n", protocol.accepts);
    let _ = writeln!(out, "| setting | option | range | default | rounded down to |\n|---|---|---|---|---|");
    for delay in protocol.delays {
        out += &delay_row(delay);
    }
    out
}

fn sign(sign: &Sign) -> String {
    let given =
        sign.query().unless.map_or(String::new(), |flag| format!(" (not asked with `{}`)", flag.name()));
    match sign {
        Sign::Answers(query) => format!("`{}` is answered as drawn{given}", query.ask),
        Sign::Says(query, var) => format!("`{}` is answered and names {}{given}", query.ask, var.name),
    }
}

fn query_part(query: &Query) -> String {
    let when = match query.cadence {
        Cadence::Once => "once",
        Cadence::Quick => "every `pollinterval`",
        Cadence::Full => "every `pollfreq`",
    };
    let unless = query.unless.map_or(String::new(), |flag| format!(", unless `{}`", flag.name()));
    let mut out = format!("\n### `{}`: {}\n\n", query.ask, query.about);
    let _ = writeln!(out, "Asked {when}{unless}. Source: {}.\n\n    {}\n", query.source, query.picture);
    let _ = writeln!(out, "| letter | column | means | unit |\n|---|---|---|---|");
    let mut fields = query.fields.iter();
    let mut at = 0;
    for slot in Slots::of(query.picture) {
        if let (Slot::Field { letter, width, .. }, Some(field)) =
            (slot, matches!(slot, Slot::Field { .. }).then(|| fields.next()).flatten())
        {
            let letter = char::from(letter);
            match field.meaning {
                Meaning::Number(var) | Meaning::Text(var) => {
                    let _ = writeln!(
                        out,
                        "| {letter} | {at} to {} | {} | {} |",
                        at + width - 1,
                        var.name,
                        var.unit.sign()
                    );
                }
                Meaning::Bits(rows) => {
                    for (n, row) in rows.iter().enumerate() {
                        let _ = writeln!(out, "| {letter} | {} | {} | |", at + n, bit(row));
                    }
                }
            }
        }
        at += slot.width();
    }
    out
}

fn bit(row: &Bit) -> String {
    let unless = row.unless.map_or(String::new(), |flag| format!(" (ignored with `{}`)", flag.name()));
    format!("{}: 1 {}, 0 {}{unless}", row.about, effect(row.one), effect(row.zero))
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Nothing => "says nothing".into(),
        Effect::Set(status) => status.word().into(),
        Effect::Clear(Status::Online) => "OB".into(),
        Effect::Clear(status) => format!("not {}", status.word()),
        Effect::Alarm(alarm) => format!("ups.alarm \"{}\"", alarm.text()),
        Effect::SetAlarm(status, alarm) => format!("{} and ups.alarm \"{}\"", status.word(), alarm.text()),
        Effect::Says(var, word) => format!("{} \"{word}\"", var.name),
        Effect::Regulating => {
            "TRIM, BYPASS or BOOST by the ratio of output to input voltage (0.5, 0.95, 1.05, 1.5)".into()
        }
    }
}

fn spelling(command: &Command) -> String {
    let name = |arg: Arg| match arg {
        Arg::Shutdown => "ups.delay.shutdown",
        Arg::Start => "ups.delay.start",
        Arg::Given => "parameter",
    };
    let part = |part: &Part| match part {
        Part::Lit(text) => format!("`{text}`"),
        Part::Short(arg) => format!("{} as `.n` tenths of a minute or `nn` minutes", name(*arg)),
        Part::Minutes(arg, digits) => format!("{} as `{}` minutes", name(*arg), "n".repeat(*digits)),
        Part::Unless0(lead, arg, digits) => {
            format!(
                "`{lead}` and {} as `{}` minutes, nothing below one minute",
                name(*arg),
                "n".repeat(*digits)
            )
        }
    };
    let parts: Vec<String> = command.wire.iter().map(part).collect();
    parts.join(" + ")
}

fn parameter(command: &Command) -> String {
    let text = |p: crate::command::Parameter| format!("{} to {} s, default {} s", p.least, p.most, p.default);
    command.parameter.map_or(String::new(), text)
}

fn delay_row(delay: &Delay) -> String {
    let Delay { var, option, least, most, default, rounding } = delay;
    let rounded = match rounding {
        crate::setting::Rounding::Minutes => "60 s",
        crate::setting::Rounding::TenthsThenMinutes => "6 s below one minute, else 60 s",
    };
    format!("| {} | `{option}` | {least} to {most} s | {default} s | {rounded} |\n", var.name)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
