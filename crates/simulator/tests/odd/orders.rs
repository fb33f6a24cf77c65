//! What became of orders: who asked, what the units heard and did, what was answered.

use super::bounds::{ANSWER, ORDER_LIFE};
use super::finding::{Finding, Kind};
use qx::device::{Outcome, Ticket};
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::spelling;
use std::time::Duration;

/// The name under which killing the power is kept.
pub const KILL: &str = "driver.killpower";
/// What it consists of.
const KILL_STEPS: [&str; 3] = ["shutdown.stop", "shutdown.return", "shutdown.stayoff"];
/// Killing the power ends within this, and what was told as delay.
const KILL_ENDS: Duration = Duration::from_secs(75);
/// The load is off within this and what was told as delay.
const KILL_TAKES: Duration = Duration::from_secs(75);

/// An order.
#[derive(Debug)]
pub struct Order {
    ticket: Ticket,
    name: String,
    at: Moment,
    unit: usize,
    /// Links that were lost until then.
    links: u32,
    answered: Option<(Moment, Option<Outcome>)>,
    obeyed: Vec<String>,
    refused: Vec<String>,
    /// What the unit says to it may not be heard.
    unclear: bool,
    /// The link was lost since, or the unit hears nothing for a while: the power is killed by the same order again.
    may_repeat: bool,
    load_was_off: bool,
}

/// All orders of a life.
#[derive(Debug)]
pub struct Orders {
    protocol: &'static Protocol,
    all: Vec<Order>,
    links: u32,
    pub found: Vec<Finding>,
}

impl Orders {
    pub fn new(protocol: &'static Protocol) -> Orders {
        Orders { protocol, all: vec![], links: 0, found: vec![] }
    }

    fn report(&mut self, kind: Kind, at: Moment, text: String) {
        self.found.push(Finding { kind, at, text });
    }

    /// The dialect in which the driver orders.
    pub fn speaks(&mut self, protocol: &'static Protocol) {
        self.protocol = protocol;
    }

    pub fn link_lost(&mut self) {
        self.links += 1;
        self.all.iter_mut().filter(|order| order.answered.is_none()).for_each(|order| order.unclear = true);
    }

    /// The driver ended: whoever asked it sees that.
    pub fn driver_ended(&mut self, now: Moment) {
        for order in self.all.iter_mut().filter(|order| order.answered.is_none()) {
            order.answered = Some((now, None));
        }
    }

    /// Nobody can say whether a word arrives now.
    pub fn blur(&mut self) {
        self.all.iter_mut().filter(|order| order.answered.is_none()).for_each(|order| order.unclear = true);
    }

    /// What shows that it is obeyed may not be seen in time.
    pub fn may_repeat(&mut self) {
        self.all
            .iter_mut()
            .filter(|order| order.answered.is_none())
            .for_each(|order| order.may_repeat = true);
    }

    pub fn ordered(&mut self, ticket: Ticket, name: &str, at: Moment, unit: usize) {
        self.all.push(Order {
            ticket,
            name: name.into(),
            at,
            unit,
            links: self.links,
            answered: None,
            obeyed: vec![],
            refused: vec![],
            unclear: false,
            may_repeat: false,
            load_was_off: false,
        });
    }

    /// Whether a line belongs to an order of that name.
    fn belongs(&self, line: &str, name: &str) -> bool {
        let names: &[&str] = if name == KILL { &KILL_STEPS } else { &[name] };
        let rows = names.iter().flat_map(|name| self.protocol.commands_named(name));
        rows.into_iter().any(|row| {
            let steps = spelling::steps(row.wire);
            row.understand(line).is_some()
                || steps.into_iter().any(|step| spelling::read(step, line, &[]).is_some())
        })
    }

    /// A unit heard a command; the driver meant to send one, or a question became one by noise.
    pub fn heard(&mut self, line: &str, obeyed: bool, (now, unit): (Moment, usize), meant: bool) {
        if !meant || self.protocol.all_settings().any(|setting| setting.read(line).is_some()) {
            return;
        }
        let all = &self.all;
        let spelt = |at: &usize| is_spelt(self.protocol, &all[*at].name, line);
        let mine: Vec<usize> =
            (0..self.all.len()).filter(|at| self.belongs(line, &self.all[*at].name)).collect();
        // a line may read as several commands: it is the one that is written so
        let exactly: Vec<usize> = mine.iter().copied().filter(spelt).collect();
        let mine = if exactly.is_empty() { mine } else { exactly };
        let open = |at: &&usize| self.all[**at].answered.is_none();
        let fresh = |at: &&usize| !self.all[**at].obeyed.iter().any(|said| said == line);
        let choice = mine.iter().filter(open).find(fresh).or(mine.iter().rfind(open)).or(mine.last());
        let Some(at) = choice.copied() else {
            self.report(Kind::OrderUnasked, now, format!("{line} was sent, and nobody asked for it"));
            return;
        };
        let order = &self.all[at];
        let since = now.saturating_sub(order.at);
        let (name, links) = (order.name.clone(), order.links);
        let mut findings = vec![];
        if let Some((told, _)) = &order.answered {
            let ago = now.saturating_sub(*told).as_secs_f64();
            findings.push((
                Kind::OrderAfterAnswer,
                format!("{name}: {line} was sent {ago:.1} s after the end of it was told"),
            ));
        }
        if since > ORDER_LIFE && name != KILL {
            findings.push((
                Kind::OrderLate,
                format!("{name}: {line} was sent {:.0} s after it was asked for", since.as_secs_f64()),
            ));
        }
        if order.unit != unit || (links != self.links && name != KILL) {
            let what = if order.unit == unit { "after the link was lost" } else { "to another unit" };
            findings.push((Kind::OrderElsewhere, format!("{name}: {line} was sent {what}")));
        }
        let twice = match name == KILL {
            // whether anything is pending may be asked again
            true => {
                let is_clear = !order.unclear && !order.may_repeat;
                !stops(self.protocol, line) && is_clear && order.obeyed.iter().any(|said| said == line)
            }
            false => !order.obeyed.is_empty() && !is_next_step(self.protocol, &name, line),
        };
        if twice {
            let before = order.obeyed.join(", ");
            findings.push((
                Kind::OrderTwice,
                format!("{name}: {line} was sent although the UPS had obeyed {before}"),
            ));
        }
        findings.into_iter().for_each(|(kind, text)| self.report(kind, now, text));
        let order = &mut self.all[at];
        let list = if obeyed { &mut order.obeyed } else { &mut order.refused };
        list.push(line.into());
    }

    /// The end of an order was told; `None` where there was no driver to tell it.
    pub fn answered(&mut self, ticket: Ticket, outcome: Option<Outcome>, now: Moment, is_noisy: bool) {
        let Some(at) = self.all.iter().position(|order| order.ticket == ticket) else { return };
        let protocol = self.protocol;
        let order = &mut self.all[at];
        order.answered = Some((now, outcome.clone()));
        let (name, refused) = (order.name.clone(), order.refused.join(", "));
        // of what switches the load off: that a shutdown was stopped before is not it
        let is_it = |line: &&String| name != KILL || !stops(protocol, line);
        let obeyed: Vec<&str> = order.obeyed.iter().filter(is_it).map(String::as_str).collect();
        let obeyed = obeyed.join(", ");
        match outcome {
            Some(Outcome::Done) if obeyed.is_empty() && (!is_noisy || !refused.is_empty()) => {
                let what =
                    if refused.is_empty() { "heard nothing".into() } else { format!("refused {refused}") };
                self.report(Kind::DoneNotDone, now, format!("{name} is 'done', but the UPS {what}"));
            }
            Some(Outcome::Failed(why)) if !obeyed.is_empty() && !is_noisy => {
                self.report(
                    Kind::FailedThoughDone,
                    now,
                    format!("{name}: the UPS obeyed {obeyed}; told: {why}"),
                );
            }
            _ => {}
        }
    }

    /// Looks for what is not answered, and for loads that stay on.
    pub fn look(&mut self, now: Moment, reachable: Moment, powered: bool, delay: Duration) {
        let mut findings = vec![];
        for order in &mut self.all {
            let since = now.saturating_sub(order.at);
            let within = if order.name == KILL { KILL_ENDS } else { ANSWER };
            if order.answered.is_none() && since > within + delay {
                order.answered = Some((now, None));
                findings.push((
                    Kind::OrderUnanswered,
                    format!("{}: no answer for {:.0} s", order.name, since.as_secs_f64()),
                ));
            }
            let can = self.protocol.commands_named("shutdown.return").next().is_some();
            if order.name == KILL && can && !order.load_was_off {
                // a unit on mains may return at once
                order.load_was_off = !powered
                    || !order.refused.is_empty()
                    || order.obeyed.iter().any(|line| !stops(self.protocol, line));
                if now.saturating_sub(order.at.max(reachable)) > KILL_TAKES + delay {
                    order.load_was_off = true;
                    let answer = order.answered.as_ref().map(|(_, outcome)| format!("{outcome:?}"));
                    findings.push((
                        Kind::LoadStaysOn,
                        format!("the load is on; told: {}", answer.unwrap_or_default()),
                    ));
                }
            }
        }
        findings.into_iter().for_each(|(kind, text)| self.report(kind, now, text));
    }
}

/// Whether a line stops a shutdown that is pending.
fn stops(protocol: &Protocol, line: &str) -> bool {
    protocol.commands_named("shutdown.stop").any(|row| row.read(line).is_some())
}

/// Whether a command of that name is written so with the usual delays.
fn is_spelt(protocol: &Protocol, name: &str, line: &str) -> bool {
    let args = spelling::Args { shutdown: 30, start: 180, ..spelling::Args::default() };
    let names: &[&str] = if name == KILL { &KILL_STEPS } else { &[name] };
    names.iter().flat_map(|name| protocol.commands_named(name)).any(|row| {
        let mut spellings = row.write_otherwise(&args);
        spellings.push(row.write(&args));
        spellings.iter().flatten().any(|spelt| spelt == line)
    })
}

/// Whether a line is a further exchange of a command that is spelt in several.
fn is_next_step(protocol: &Protocol, name: &str, line: &str) -> bool {
    protocol.commands_named(name).any(|row| {
        let steps: Vec<_> = spelling::steps(row.wire).collect();
        steps.len() > 1 && steps[1..].iter().any(|step| spelling::read(step, line, &[]).is_some())
    })
}
