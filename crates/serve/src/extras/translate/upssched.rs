//! `AT` of upssched.conf.

use super::edge::{EventEdge, edge_of};
use super::{NotifyDraft, NotifyTranslation, PlannedRule, not_plain, plain_words, runs_upssched};
use notify::NamePattern;
use nut::upsmon_conf::{UpsPlace, UpsmonConf};
use nut::upssched_conf::{UpsschedAction, UpsschedConf, UpsschedRule};
use station::config::LineFinding;

/// No timer is longer, in seconds (`after_s`).
const LONGEST_S: u32 = 604_800;

/// Each `AT` that a rule can do, as a rule; with the upsmon.conf that runs upssched, where it is known.
pub fn of_upssched(conf: &UpsschedConf, upsmon: Option<&UpsmonConf>) -> NotifyTranslation {
    let mut findings = vec![];
    let mut draft = NotifyDraft::default();
    let script = plain_words(&conf.script);
    if script.is_none() && !conf.script.is_empty() && !conf.rules.is_empty() {
        findings.push(hint(conf.rules.first().map_or(1, |rule| rule.line), not_plain("CMDSCRIPT")));
    }
    for rule in &conf.rules {
        let translator = Translator { conf, upsmon, rule };
        let planned = match translator.planned(script.as_deref().unwrap_or_default(), &mut findings) {
            Ok(None) => continue,
            Ok(Some(planned)) if script.is_some() => draft.add(planned),
            Ok(Some(_)) => Ok(()),
            Err(why) => Err(why),
        };
        if let Err(why) = planned {
            findings.push(hint(rule.line, why));
        }
    }
    NotifyTranslation { toml: draft.finish(), findings }
}

fn hint(line: usize, text: String) -> LineFinding {
    LineFinding::hint(Some(line), text)
}

struct Translator<'a> {
    conf: &'a UpsschedConf,
    upsmon: Option<&'a UpsmonConf>,
    rule: &'a UpsschedRule,
}

impl Translator<'_> {
    /// The rule; none where another line has what this one does.
    fn planned(
        &self,
        script: &[String],
        findings: &mut Vec<LineFinding>,
    ) -> Result<Option<PlannedRule>, String> {
        let event = self.rule.event;
        let blind = self.upsmon.filter(|conf| runs_upssched(conf) && !conf.flags_of(event).runs());
        if blind.is_some() {
            return Err(format!(
                "left out, as it never happens: upsmon does not run upssched at {event}; write NOTIFYFLAG {event} SYSLOG+EXEC in \
                 upsmon.conf"
            ));
        }
        let edge = match edge_of(event, self.upsmon) {
            Ok(edge) => edge,
            // what cancels only is of no use where nothing is started
            Err(_) if self.is_mere_cancel() => return Ok(None),
            Err(why) => return Err(format!("left out: {event} is no condition of [[notify]]; {why}")),
        };
        let (word, after_s) = match &self.rule.action {
            UpsschedAction::Execute(word) => (word, edge.after_s),
            UpsschedAction::StartTimer { name, after_s, .. } => {
                (name, self.timer(name, *after_s, edge, findings)?)
            }
            UpsschedAction::CancelTimer { name, otherwise } => {
                match self.otherwise(name, otherwise.as_deref(), edge)? {
                    Some((word, after_s)) => (word, after_s),
                    None => return Ok(None),
                }
            }
        };
        if word.contains("{{") {
            return Err(format!("left out: {{{{ begins a place in a command; give '{word}' another name"));
        }
        let is_execute = matches!(self.rule.action, UpsschedAction::Execute(_));
        Ok(Some(PlannedRule {
            line: self.rule.line,
            name: word.clone(),
            when: edge.when,
            // of a UPS that is lost a rule waits by itself
            after_s: (after_s > 0 || edge.when == "lost").then_some(after_s),
            repeat_s: edge.repeat_s.filter(|_| is_execute),
            ups: self.ups(findings)?,
            begin: !edge.is_end,
            end: edge.is_end,
            output: word.clone(),
            // up to NUT 2.8.5 a shell takes the word apart
            command: script.iter().cloned().chain(word.split_ascii_whitespace().map(String::from)).collect(),
        }))
    }

    fn is_mere_cancel(&self) -> bool {
        matches!(&self.rule.action, UpsschedAction::CancelTimer { otherwise: None, .. })
    }

    /// After how long the rule is raised that a timer becomes.
    fn timer(
        &self,
        name: &str,
        after_s: u32,
        edge: EventEdge,
        findings: &mut Vec<LineFinding>,
    ) -> Result<u32, String> {
        let event = self.rule.event;
        if edge.is_end {
            return Err(format!(
                "left out: a rule counts while something is wrong, and {event} is an end; where hosts are to start when mains have \
                 been steady, write wake in [protect]"
            ));
        }
        let whole = edge.after_s.saturating_add(after_s);
        if whole > LONGEST_S {
            return Err(format!("left out: a rule waits up to {LONGEST_S} s: write a shorter time"));
        }
        let cancels = || self.conf.rules.iter().filter(|other| cancels(other, name) && self.concerns(other));
        let ends = |other: &UpsschedRule| {
            edge_of(other.event, self.upsmon).is_ok_and(|end| end.is_end && end.when == edge.when)
        };
        if cancels().next().is_none() {
            findings.push(hint(
                self.rule.line,
                format!(
                    "nothing ends the timer {name} when it is over with {event}, so upssched runs the script all the same; the rule \
                     does not"
                ),
            ));
        }
        for other in cancels().filter(|other| !ends(other)) {
            findings.push(hint(
                other.line,
                format!(
                    "{} ends the timer {name} in upssched, and not the rule: it counts until '{}' is over",
                    other.event, edge.when
                ),
            ));
        }
        Ok(whole)
    }

    /// What a cancel runs where the timer is over: the word, and how long the timer is.
    fn otherwise<'w>(
        &'w self,
        name: &str,
        word: Option<&str>,
        edge: EventEdge,
    ) -> Result<Option<(&'w String, u32)>, String> {
        let starts = self.conf.rules.iter().filter(|other| self.concerns(other));
        let mut timers = starts.filter_map(|other| match &other.action {
            UpsschedAction::StartTimer { name: started, after_s, .. } if started == name => {
                Some((other.event, *after_s))
            }
            _ => None,
        });
        let UpsschedAction::CancelTimer { otherwise: Some(kept), .. } = &self.rule.action else {
            // the timer's own rule has what is to be said
            return Ok(None);
        };
        let found = timers.find_map(|(event, after_s)| {
            let begin = edge_of(event, self.upsmon).ok()?;
            (edge.is_end && !begin.is_end && begin.when == edge.when)
                .then_some(begin.after_s.saturating_add(after_s))
        });
        match found {
            Some(after_s) if after_s <= LONGEST_S => Ok(Some((kept, after_s))),
            _ => Err(format!(
                "left out: no timer {name} is started by what ends with {}, so no rule knows when '{}' is to run",
                self.rule.event,
                word.unwrap_or_default()
            )),
        }
    }

    /// Whether another line is of the same UPS, or one of both is of all.
    fn concerns(&self, other: &UpsschedRule) -> bool {
        self.rule.ups.is_none() || other.ups.is_none() || self.rule.ups == other.ups
    }

    /// The UPS by its name here.
    fn ups(&self, findings: &mut Vec<LineFinding>) -> Result<Option<String>, String> {
        let Some(system) = self.rule.ups.as_ref() else { return Ok(None) };
        let place = UpsPlace::parse(system);
        let name = place.as_ref().map_or(system.as_str(), |place| place.ups.as_str());
        if name.contains('*') || NamePattern::parse(name).is_none() {
            return Err(format!("left out: {system} cannot be the name of a UPS"));
        }
        if place.as_ref().is_none_or(|place| !place.is_local()) {
            findings.push(hint(
                self.rule.line,
                format!(
                    "{system} is a UPS of another server: write the name of the section of ups.conf that mirrors it"
                ),
            ));
        }
        Ok(Some(name.into()))
    }
}

fn cancels(rule: &UpsschedRule, timer: &str) -> bool {
    matches!(&rule.action, UpsschedAction::CancelTimer { name, .. } if name == timer)
}
