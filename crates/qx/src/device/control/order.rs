//! What came of a command: most of these UPSes say nothing when they accept one, so what they show
//! afterwards counts as well. An answer belongs to the command that it follows in time; where that cannot
//! be known, the status decides, and where that does not, the outcome is "not confirmed".

use super::asker::Requester;
use super::unconfirmed::{CommandAim, DEAD_VOLTS, LoadOrder, Shown, Unconfirmed, keeps_load_on};
use crate::device::bounds::{ANSWER, LATE, SHOWS, SHOWS_SLOWLY, SILENCE_COUNTS, STATUS_IS_NEW};
use crate::device::{Device, LogLevel, Moment, Outcome};
use crate::line::exchange::Reply;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::acknowledgement::{Acceptance, Acknowledgement};
use crate::wire::query::Cadence;
use crate::wire::spelling::Args;
use std::time::Duration;

/// What becomes of a command.
enum CommandVerdict {
    Wait,
    Done(&'static str),
    Refused,
    Failed(&'static str),
    NotConfirmed(&'static str),
}

impl Device {
    /// A command was answered, or got no reply.
    pub(super) fn await_proof(&mut self, now: Moment) {
        let before = self.shown_before(now);
        let Some(unconfirmed) = &mut self.control.unconfirmed else { return };
        unconfirmed.before = before;
        // a silence may be broken yet
        if unconfirmed.what == CommandAim::Off && unconfirmed.answer != Acceptance::Yes {
            unconfirmed.look = Some(unconfirmed.sent_at + SILENCE_COUNTS);
        }
        self.settle_command(now);
    }

    /// When the load should be off by the order that the UPS has taken.
    pub(in crate::device) fn order_due(&self) -> Option<Moment> {
        self.control.order.as_ref().map(LoadOrder::due)
    }

    /// Until when nothing is to be done about the command that is in doubt.
    pub(in crate::device) fn command_due(&self) -> Option<Moment> {
        let unconfirmed = self.control.unconfirmed.as_ref()?;
        let end = self.unconfirmed_until(unconfirmed);
        Some(unconfirmed.look.map_or(end, |look| look.min(end)))
    }

    /// A status comes until then, or not at all.
    fn unconfirmed_until(&self, unconfirmed: &Unconfirmed) -> Moment {
        let heard =
            self.schedule.slots().iter().filter(|slot| slot.query.cadence == Cadence::Quick && slot.applies);
        let comes = heard.map(|slot| slot.answered).max().filter(|answered| *answered > unconfirmed.since);
        // what is between two states may be what the command did
        let is_read =
            self.schedule.status_is_whole_since(unconfirmed.since) && !self.schedule.status_is_open();
        let comes = comes.filter(|_| !is_read);
        let slowly = comes.map_or(Moment::ZERO, |answered| answered + STATUS_IS_NEW);
        let of_answer =
            if self.acknowledgement().by_silence() { Moment::ZERO } else { unconfirmed.sent_at + LATE };
        // before the dialect is found there is no status
        if self.schedule.slots().is_empty() {
            return unconfirmed.since;
        }
        // one that rests behind an order says nothing sooner; what was sent blind is not known to have arrived
        let rests = if unconfirmed.failed { Duration::ZERO } else { self.line.rest_before_order() };
        let shows = SHOWS + rests;
        (unconfirmed.since + shows).max(slowly.min(unconfirmed.since + SHOWS_SLOWLY)).max(of_answer)
    }

    pub(super) fn acknowledgement(&self) -> Acknowledgement {
        self.protocol.map_or(Acknowledgement::Silence, |protocol| protocol.acknowledgement)
    }

    /// Whether a reply to a question, or what was read away before it, is the late answer to the command
    /// before; then the question is not answered yet.
    pub(in crate::device) fn is_late_answer(&mut self, at: usize, reply: &Reply, now: Moment) -> bool {
        let (acknowledgement, known) = (self.acknowledgement(), self.schedule.is_known(at));
        let Some(unconfirmed) = &mut self.control.unconfirmed else { return false };
        if unconfirmed.in_place_of == Some(at) && reply.line.is_some() {
            unconfirmed.in_place_of = None;
            let said = reply.line.as_deref().map(|line| line.escape_ascii().to_string());
            // refused again: it is the question that is not answered any more
            if said == unconfirmed.said {
                (unconfirmed.answer, unconfirmed.said) = (Acceptance::Nothing, None);
            }
            return false;
        }
        if unconfirmed.answer != Acceptance::Nothing || now > unconfirmed.sent_at + LATE + ANSWER {
            return false;
        }
        let means = |line: &[u8]| match line == unconfirmed.wire || line == unconfirmed.sent.as_bytes() {
            true => Some(Acceptance::No),
            false => match acknowledgement.acceptance(&unconfirmed.wire, Some(line)) {
                answer @ (Acceptance::Yes | Acceptance::No) => Some(answer),
                Acceptance::Nothing | Acceptance::Odd => None,
            },
        };
        let late = reply.late.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
        let line = reply.line.as_deref();
        let (answer, said, in_place) = match (line.and_then(means), late.and_then(means)) {
            // a question that was answered before is not refused now
            (Some(answer), _) if known => (answer, line, true),
            (_, Some(answer)) => (answer, late, false),
            // something came, and it is gone
            _ if reply.stray => (Acceptance::Odd, late, false),
            _ => return false,
        };
        // whose it is cannot be known, unless it repeats the line
        let is_echo = line == Some(&unconfirmed.wire[..]);
        let mixed = unconfirmed.rival.take().is_some_and(|rival| now < rival + LATE + ANSWER) && !is_echo;
        unconfirmed.answer = if mixed { Acceptance::Odd } else { answer };
        unconfirmed.said = said.map(|said| said.escape_ascii().to_string());
        unconfirmed.in_place_of =
            Some(at).filter(|_| in_place && !is_echo && unconfirmed.answer != Acceptance::Yes);
        self.control.unanswered = None;
        self.settle_command(now);
        in_place
    }

    /// A status was accepted.
    pub(in crate::device) fn compare_with_order(&mut self) {
        let shown = self.shown();
        let on_battery = self.says_on_battery();
        if let Some(order) = &mut self.control.order {
            order.seen_off |= shown.dead;
            order.seen_on_battery |= on_battery;
        }
        if self.control.unconfirmed.is_some() {
            let now = self.schedule.slots().iter().map(|slot| slot.answered).max().unwrap_or_default();
            self.settle_command(now);
        }
    }

    /// Looks after a command and an order whose time is up.
    pub(in crate::device) fn settle_due_order(&mut self, now: Moment) {
        let due = |unconfirmed: &&mut Box<Unconfirmed>| unconfirmed.look.is_some_and(|look| look <= now);
        if let Some(unconfirmed) = self.control.unconfirmed.as_mut().filter(due) {
            unconfirmed.look = None;
            self.line.settle_first();
            self.schedule.ask_status(now);
        }
        self.settle_command(now);
        if self.control.order.as_ref().is_some_and(|order| order.due() <= now) {
            self.judge_order();
        }
    }

    fn settle_command(&mut self, now: Moment) {
        let Some(unconfirmed) = &self.control.unconfirmed else { return };
        let verdict = self.verdict(unconfirmed, now);
        if matches!(verdict, CommandVerdict::Wait) {
            self.probe_hearing(now);
            return;
        }
        let Some(unconfirmed) = self.control.unconfirmed.take().map(|boxed| *boxed) else { return };
        let (name, sent) = (unconfirmed.request.name.clone(), unconfirmed.sent.clone());
        self.kill_was_answered(&unconfirmed);
        let may_be_done = matches!(verdict, CommandVerdict::Done(_) | CommandVerdict::NotConfirmed(_));
        if let Some(order) = self.control.order.as_mut().filter(|_| may_be_done && keeps_load_on(&name)) {
            order.overruled = true;
        }
        match verdict {
            CommandVerdict::Wait => {}
            CommandVerdict::Done(shown) => {
                let taken = match (unconfirmed.answer, &unconfirmed.said) {
                    (Acceptance::Yes, _) => "accepted by word".into(),
                    (Acceptance::Nothing, _) | (_, None) => "accepted by silence".into(),
                    (_, Some(said)) => format!("answered by '{said}', and done as its status shows"),
                };
                self.note(LogLevel::Info, format!("{name}: sent {sent}, {taken}"));
                if unconfirmed.what != CommandAim::Other {
                    self.note(LogLevel::Info, format!("{name}: {shown}"));
                }
                self.watch_for(&unconfirmed, now);
                self.keep_reset(unconfirmed.request.sets);
                self.answer(unconfirmed.request.asker, Outcome::Done);
            }
            CommandVerdict::Refused => self.refused_command(unconfirmed, now),
            CommandVerdict::Failed(why) => {
                let why = format!("the UPS accepted {name} ({sent}), but {why}");
                self.answer(unconfirmed.request.asker, Outcome::Failed(why));
            }
            CommandVerdict::NotConfirmed(why) => {
                let said = unconfirmed.answered();
                let why = format!("{name} is not confirmed: {sent} was {said}, and {why}");
                self.answer(unconfirmed.request.asker, Outcome::NotConfirmed(why));
            }
        }
    }

    /// Asks for the status once more where it is not known whether the UPS hears as soon as the command was sent.
    fn probe_hearing(&mut self, now: Moment) {
        let is_unproven = self.line.is_order_unproven();
        let by_silence = self.acknowledgement().by_silence();
        let Some(unconfirmed) = &mut self.control.unconfirmed else { return };
        let is_meant = unconfirmed.what == CommandAim::Other && unconfirmed.answer == Acceptance::Nothing;
        if is_unproven && by_silence && is_meant && unconfirmed.probed.is_none() {
            unconfirmed.probed = Some(now);
            self.schedule.ask_status(now);
        }
    }

    /// What is known by now of a command.
    fn verdict(&self, unconfirmed: &Unconfirmed, now: Moment) -> CommandVerdict {
        let seen = self.schedule.status_is_whole_since(unconfirmed.since);
        let settled = seen && !self.schedule.status_is_open();
        let over = now >= self.unconfirmed_until(unconfirmed);
        let shown = self.shown();
        let was_heard = self.line.heard_order();
        let by_silence = self.acknowledgement().by_silence();
        let silence_counts = by_silence && was_heard && !self.line.quality().is_noisy();
        let looked = self.schedule.status_is_whole_since(unconfirmed.sent_at + SILENCE_COUNTS);
        // one more status shows that a UPS hears as soon as the command was sent, or tells nothing of it
        let is_probed = unconfirmed.probed.is_some_and(|probed| self.schedule.status_is_whole_since(probed));
        let is_unproven = self.line.is_order_unproven() && !is_probed;
        let none = "the status does not show whether it was done";
        let whose = "it is not known whether this command was refused";
        match (unconfirmed.what, unconfirmed.answer) {
            _ if unconfirmed.in_place_of.is_some() => {
                if over {
                    CommandVerdict::NotConfirmed(whose)
                } else {
                    CommandVerdict::Wait
                }
            }
            (CommandAim::Other, Acceptance::Yes) => CommandVerdict::Done(""),
            // in a dialect whose words are known, any other is no acknowledgement (NUT 2.8.0 nutdrv_qx.c)
            (CommandAim::Other, Acceptance::Odd)
                if unconfirmed.said.is_some() && !self.line.quality().is_noisy() =>
            {
                CommandVerdict::Refused
            }
            (CommandAim::Other, Acceptance::No) if unconfirmed.request.otherwise.is_empty() => {
                CommandVerdict::Refused
            }
            (CommandAim::Other, Acceptance::Nothing) if silence_counts && seen && !is_unproven => {
                CommandVerdict::Done("")
            }
            (CommandAim::Off, _) if seen && shown.since(unconfirmed.before).is_some() => {
                CommandVerdict::Done(shown.since(unconfirmed.before).unwrap_or_default())
            }
            (CommandAim::Off, Acceptance::Yes) if seen => {
                CommandVerdict::Done("accepted; the UPS gives no confirmation (many do not)")
            }
            (CommandAim::Off, Acceptance::Yes) if over => {
                CommandVerdict::Done("accepted; the UPS has not answered since")
            }
            (CommandAim::Off, Acceptance::Nothing)
                if silence_counts && looked && unconfirmed.look.is_none() =>
            {
                CommandVerdict::Done("accepted; the UPS gives no confirmation (many do not)")
            }
            // before the load is switched off there is no time to be sure of this
            (CommandAim::Stop, Acceptance::No) if seen || over => CommandVerdict::Refused,
            // (only whether it was pending before has to be known, or the order would show nothing that is new)
            (CommandAim::Stop, _)
                if (settled || over) && unconfirmed.request.asker == Requester::KillPower =>
            {
                CommandVerdict::Done("no confirmation is waited for")
            }
            (CommandAim::Stop, Acceptance::Yes) if seen && !shown.pending => {
                CommandVerdict::Done("nothing is pending")
            }
            (CommandAim::Stop, Acceptance::Nothing)
                if seen && !shown.pending && (silence_counts || unconfirmed.before.pending) =>
            {
                CommandVerdict::Done("nothing is pending")
            }
            (CommandAim::Stop, _) if over && seen && shown.pending => {
                CommandVerdict::Failed("still says that a shutdown is active")
            }
            (CommandAim::Stop, Acceptance::Yes) if over => {
                CommandVerdict::Done("accepted; the UPS has not answered since")
            }
            (_, Acceptance::No) if settled || over => CommandVerdict::Refused,
            (_, _) if over && seen && by_silence && !was_heard => {
                CommandVerdict::NotConfirmed("the UPS may have been at rest when it was sent")
            }
            (_, _) if over && seen => CommandVerdict::NotConfirmed(none),
            (_, _) if over => CommandVerdict::NotConfirmed("the UPS has sent nothing readable since"),
            (_, _) => CommandVerdict::Wait,
        }
    }

    /// The UPS refused a command, and shows nothing that it may have done all the same.
    fn refused_command(&mut self, unconfirmed: Unconfirmed, now: Moment) {
        let seen = self.schedule.status_is_whole_since(unconfirmed.since);
        let shown = self.shown();
        let idle = !shown.pending && !shown.dead || unconfirmed.request.asker == Requester::KillPower;
        let Unconfirmed { mut request, sent, said, answer, .. } = unconfirmed;
        let said = said.unwrap_or_default();
        let why = format!("the UPS refused {} ({sent}) by '{said}'", request.name);
        // whether it did it all the same is not known without the status; and what is pending may be this
        // (who kills the power wants the load off, and would see it)
        match request.otherwise.pop_front().filter(|_| seen && idle && answer == Acceptance::No) {
            Some(steps) => {
                self.note(LogLevel::Warning, format!("{why}; trying {}", steps.join(", ")));
                request.steps = steps.into();
                request.begun = false;
                self.control.requests.push_front(request);
                self.schedule.ask_status(now);
            }
            None => self.answer(request.asker, Outcome::Failed(why)),
        }
    }

    /// Remembers when the load should be off.
    fn watch_for(&mut self, unconfirmed: &Unconfirmed, now: Moment) {
        match unconfirmed.what {
            CommandAim::Other => {}
            CommandAim::Stop => self.control.order = None,
            CommandAim::Off => {
                let name = &unconfirmed.request.name;
                let delay = self.protocol.and_then(|protocol| {
                    let mut rows = protocol.commands_named(name);
                    rows.find_map(|row| row.understand(&unconfirmed.sent).map(|args: Args| args.shutdown))
                });
                if let Some(seconds) = delay {
                    self.note(LogLevel::Info, format!("{name}: the load goes off after {seconds} s"));
                }
                let delay = Duration::from_secs(delay.unwrap_or_default().into());
                let (name, off) = (name.clone(), now + delay + self.options.pollinterval);
                let seen_off = self.shown().dead;
                let seen_on_battery = self.says_on_battery();
                self.control.order =
                    Some(LoadOrder { name, off, seen_off, seen_on_battery, overruled: false });
            }
        }
    }

    /// Whether the load went off, once its time is up.
    fn judge_order(&mut self) {
        let Some(order) = self.control.order.take() else { return };
        let LoadOrder { name, off, seen_off, seen_on_battery, overruled } = order;
        let alive = self.is_output_dead() == Some(false) && !self.shown().pending;
        let is_back = seen_on_battery && !self.says_on_battery();
        if seen_off {
            self.note(LogLevel::Info, format!("{name}: the load was switched off"));
        } else if overruled || !alive || self.schedule.last_good() <= off {
            // nothing is known of this order
        } else if is_back && name == "shutdown.return" {
            let text = format!("{name}: mains came back before the load was seen off, and the output is on");
            self.note(LogLevel::Info, text);
        } else {
            self.note(
                LogLevel::Warning,
                format!(
                    "the UPS accepted {name}, but its output is still on; try another command with upscmd, and name \
                     it in sdcommands of ups.conf"
                ),
            );
        }
    }

    /// Whether the UPS has an order to switch its load off, or may have one.
    pub(in crate::device) fn is_told_to_shut_down(&self) -> bool {
        self.control.order.is_some()
            || self
                .control
                .unconfirmed
                .as_ref()
                .is_some_and(|unconfirmed| unconfirmed.what == CommandAim::Off)
    }

    /// What the status showed just now, to compare with it later. Where it was not read, nothing that it shows
    /// later is news.
    pub(super) fn shown_before(&self, now: Moment) -> Shown {
        match self.schedule.was_heard_since(now - 2 * STATUS_IS_NEW) {
            true => self.shown(),
            false => Shown { pending: true, dead: true },
        }
    }

    /// What the status shows of the load now; a bit that is always set shows nothing.
    pub(super) fn shown(&self) -> Shown {
        let says = self.facts().words().status.has(Status::ForcedShutdown);
        let pending = says && !self.publication.shutdown_is_stuck();
        Shown { pending, dead: self.is_output_dead() == Some(true) }
    }

    /// Whether the UPS says now that it is on battery.
    fn says_on_battery(&self) -> bool {
        let facts = self.facts();
        let words = facts.words();
        words.covers.has(Status::Online) && !words.status.has(Status::Online)
    }

    /// Whether the UPS says that its output is dead, where it says anything of it.
    fn is_output_dead(&self) -> Option<bool> {
        let facts = self.facts();
        let volts = facts.f64(&OUTPUT_VOLTAGE).or_else(|| facts.f64(&OUTPUT_L1_N_VOLTAGE));
        let off = facts.words().status.has(Status::Off);
        if off { Some(true) } else { volts.map(|volts| volts < DEAD_VOLTS) }
    }
}
