//! NOTIFYCMD, NOTIFYFLAG and NOTIFYMSG of upsmon.conf.

use super::edge::{EventEdge, edge_of};
use super::{NotifyDraft, NotifyTranslation, PlannedRule, not_plain, plain_words, runs_upssched};
use nut::upsmon_conf::{UpsmonConf, UpsmonDirective, UpsmonEvent};
use station::config::LineFinding;

/// Each event with EXEC as a rule that runs NOTIFYCMD; nothing where that is upssched, which [`super::of_upssched`] translates.
pub fn of_notify_command(conf: &UpsmonConf) -> NotifyTranslation {
    let line = conf.line_of(UpsmonDirective::NotifyCmd).unwrap_or(1);
    let told: Vec<UpsmonEvent> = UpsmonEvent::all().filter(|event| conf.flags_of(*event).runs()).collect();
    if conf.notify_command.is_empty() || runs_upssched(conf) || told.is_empty() {
        return NotifyTranslation::default();
    }
    let hint = |text: String| LineFinding::hint(Some(line), text);
    let Some(command) = plain_words(&conf.notify_command) else {
        return NotifyTranslation { toml: String::new(), findings: vec![hint(not_plain("NOTIFYCMD"))] };
    };
    let (mut draft, mut findings) = (NotifyDraft::default(), vec![]);
    let edges = told.iter().map(|event| (*event, edge_of(*event, Some(conf))));
    for (event, edge) in edges {
        let edge = match edge {
            Ok(edge) => edge,
            Err(why) => {
                findings.push(hint(format!("left out: {event} is no condition of [[notify]]; {why}")));
                continue;
            }
        };
        let (text, is_own) = message(conf, event);
        if !is_own && conf.messages.contains_key(&event) {
            findings
                .push(hint(format!("NOTIFYMSG {event} is not taken over: a text has one %s, for the UPS")));
        }
        if let Err(why) = draft.add(planned(line, event, edge, &command, text, is_own)) {
            findings.push(hint(why));
            break;
        }
    }
    NotifyTranslation { toml: draft.finish(), findings }
}

fn planned(
    line: usize,
    event: UpsmonEvent,
    edge: EventEdge,
    command: &[String],
    text: String,
    is_own: bool,
) -> PlannedRule {
    let word = event.word().to_ascii_lowercase();
    let output = if is_own { format!("notifycmd-{word}") } else { "notifycmd".into() };
    PlannedRule {
        line,
        name: word,
        when: edge.when,
        after_s: (edge.after_s > 0 || edge.when == "lost").then_some(edge.after_s),
        repeat_s: edge.repeat_s,
        ups: None,
        begin: !edge.is_end,
        end: edge.is_end,
        output,
        command: command.iter().cloned().chain([text]).collect(),
    }
}

/// The argument of NOTIFYCMD, and whether it is the administrator's own text.
fn message(conf: &UpsmonConf, event: UpsmonEvent) -> (String, bool) {
    let own = conf.messages.get(&event).map(|text| text.replacen("%s", "\0", 1));
    match own {
        Some(text) if !text.contains('%') && !text.contains("{{") => (text.replace('\0', "{{ups}}"), true),
        _ => ("{{title}}".into(), false),
    }
}
