//! What came of a command: most of these UPSes say nothing when they accept one, so what they show
//! afterwards counts as well. An answer belongs to the command that it follows in time; where that cannot
//! be known, the status decides, and where that does not, the outcome is "not confirmed".

use super::asker::Asker;
use super::doubt::{DEAD_VOLTS, Doubt, Order, Shown, What};
use crate::device::bounds::{ANSWER, LATE, SHOWS, SHOWS_SLOWLY, SILENCE_COUNTS, STATUS_IS_NEW};
use crate::device::{Device, LogLevel, Moment, Outcome};
use crate::line::exchange::Reply;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::acknowledgement::{Acknowledgement, Answer};
use crate::wire::query::Cadence;
use crate::wire::spelling::Args;
use std::time::Duration;

/// What becomes of a command.
enum Verdict {
    Wait,
    Done(&'static str),
    Refused,
    Failed(&'static str),
    NotConfirmed(&'static str),
}

impl Device {
    /// A command was answered, or met with silence.
    pub(super) fn begin_doubt(&mut self, now: Moment) {
        let before = self.shown_before(now);
        let Some(doubt) = &mut self.control.doubt else { return };
        doubt.before = before;
        // a silence may be broken yet
        if doubt.what == What::Off && doubt.answer != Answer::Yes {
            doubt.look = Some(doubt.sent_at + SILENCE_COUNTS);
        }
        self.settle_doubt(now);
    }

    /// When the load should be off by the order that the UPS has taken.
    pub(in crate::device) fn order_due(&self) -> Option<Moment> {
        self.control.order.as_ref().map(Order::due)
    }

    /// Until when nothing is to be done about the command that is in doubt.
    pub(in crate::device) fn doubt_due(&self) -> Option<Moment> {
        let doubt = self.control.doubt.as_ref()?;
        let end = self.doubt_ends(doubt);
        Some(doubt.look.map_or(end, |look| look.min(end)))
    }

    /// A status comes until then, or not at all.
    fn doubt_ends(&self, doubt: &Doubt) -> Moment {
        let heard =
            self.schedule.slots().iter().filter(|slot| slot.query.cadence == Cadence::Quick && slot.applies);
        let comes = heard.map(|slot| slot.answered).max().filter(|answered| *answered > doubt.since);
        let comes = comes.filter(|_| !self.schedule.status_is_whole_since(doubt.since));
        let slowly = comes.map_or(Moment::ZERO, |answered| answered + STATUS_IS_NEW);
        let of_answer = if self.acknowledgement().by_silence() { Moment::ZERO } else { doubt.sent_at + LATE };
        // before the dialect is found there is no status
        if self.schedule.slots().is_empty() {
            return doubt.since;
        }
        (doubt.since + SHOWS).max(slowly.min(doubt.since + SHOWS_SLOWLY)).max(of_answer)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        self.protocol.map_or(Acknowledgement::Silence, |protocol| protocol.acknowledgement)
    }

    /// Whether a reply to a question, or what was read away before it, is the late answer to the command
    /// before; then the question is not answered yet.
    pub(in crate::device) fn is_late_answer(&mut self, at: usize, reply: &Reply, now: Moment) -> bool {
        let (acknowledgement, known) = (self.acknowledgement(), self.schedule.is_known(at));
        let Some(doubt) = &mut self.control.doubt else { return false };
        if doubt.in_place_of == Some(at) && reply.line.is_some() {
            doubt.in_place_of = None;
            let said = reply.line.as_deref().map(|line| line.escape_ascii().to_string());
            // refused again: it is the question that is not answered any more
            if said == doubt.said {
                (doubt.answer, doubt.said) = (Answer::Nothing, None);
            }
            return false;
        }
        if doubt.answer != Answer::Nothing || now > doubt.sent_at + LATE + ANSWER {
            return false;
        }
        let means = |line: &[u8]| match line == doubt.wire || line == doubt.sent.as_bytes() {
            true => Some(Answer::No),
            false => match acknowledgement.answer(&doubt.wire, Some(line)) {
                answer @ (Answer::Yes | Answer::No) => Some(answer),
                Answer::Nothing | Answer::Odd => None,
            },
        };
        let late = reply.late.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
        let line = reply.line.as_deref();
        let (answer, said, in_place) = match (line.and_then(means), late.and_then(means)) {
            // a question that was answered before is not refused now
            (Some(answer), _) if known => (answer, line, true),
            (_, Some(answer)) => (answer, late, false),
            // something came, and it is gone
            _ if reply.stray => (Answer::Odd, late, false),
            _ => return false,
        };
        // whose it is cannot be known, unless it repeats the line
        let is_echo = line == Some(&doubt.wire[..]);
        let mixed = doubt.rival.take().is_some_and(|rival| now < rival + LATE + ANSWER) && !is_echo;
        doubt.answer = if mixed { Answer::Odd } else { answer };
        doubt.said = said.map(|said| said.escape_ascii().to_string());
        doubt.in_place_of = Some(at).filter(|_| in_place && !is_echo && doubt.answer != Answer::Yes);
        self.control.unanswered = None;
        self.settle_doubt(now);
        in_place
    }

    /// A status was believed.
    pub(in crate::device) fn compare_with_order(&mut self) {
        let shown = self.shown();
        if let Some(order) = &mut self.control.order {
            order.seen_off |= shown.dead;
        }
        if self.control.doubt.is_some() {
            let now = self.schedule.slots().iter().map(|slot| slot.answered).max().unwrap_or_default();
            self.settle_doubt(now);
        }
    }

    /// Looks after a command and an order whose time is up.
    pub(in crate::device) fn look_after_order(&mut self, now: Moment) {
        let due = |doubt: &&mut Doubt| doubt.look.is_some_and(|look| look <= now);
        if let Some(doubt) = self.control.doubt.as_mut().filter(due) {
            doubt.look = None;
            self.line.settle_first();
            self.schedule.ask_status(now);
        }
        self.settle_doubt(now);
        if self.control.order.as_ref().is_some_and(|order| order.due() <= now) {
            self.judge_order();
        }
    }

    fn settle_doubt(&mut self, now: Moment) {
        let Some(doubt) = &self.control.doubt else { return };
        let verdict = self.verdict(doubt, now);
        if matches!(verdict, Verdict::Wait) {
            return;
        }
        let Some(doubt) = self.control.doubt.take() else { return };
        let (name, sent) = (doubt.request.name.clone(), doubt.sent.clone());
        self.kill_was_answered(doubt.said.is_some());
        match verdict {
            Verdict::Wait => {}
            Verdict::Done(shown) => {
                let by = if doubt.answer == Answer::Yes { "by word" } else { "by silence" };
                self.note(LogLevel::Info, format!("{name}: sent {sent}, accepted {by}"));
                if doubt.what != What::Other {
                    self.note(LogLevel::Info, format!("{name}: {shown}"));
                }
                self.watch_for(&doubt, now);
                self.keep_reset(doubt.request.sets);
                self.answer(doubt.request.asker, Outcome::Done);
            }
            Verdict::Refused => self.refused_command(doubt, now),
            Verdict::Failed(why) => {
                let why = format!("the UPS took {name} ({sent}), but {why}");
                self.answer(doubt.request.asker, Outcome::Failed(why));
            }
            Verdict::NotConfirmed(why) => {
                let said = match &doubt.said {
                    Some(said) => format!("answered by '{said}'"),
                    None if doubt.failed => "not answered (a transfer failed)".into(),
                    None => "not answered".into(),
                };
                let why = format!("{name} is not confirmed: {sent} was {said}, and {why}");
                self.answer(doubt.request.asker, Outcome::NotConfirmed(why));
            }
        }
    }

    /// What is known by now of a command.
    fn verdict(&self, doubt: &Doubt, now: Moment) -> Verdict {
        let seen = self.schedule.status_is_whole_since(doubt.since);
        let over = now >= self.doubt_ends(doubt);
        let shown = self.shown();
        let silence_counts = self.acknowledgement().by_silence() && !self.line.quality().is_noisy();
        let looked = self.schedule.status_is_whole_since(doubt.sent_at + SILENCE_COUNTS);
        let none = "the status does not show what came of it";
        let whose = "whether it was this that was refused is not known";
        match (doubt.what, doubt.answer) {
            _ if doubt.in_place_of.is_some() => {
                if over {
                    Verdict::NotConfirmed(whose)
                } else {
                    Verdict::Wait
                }
            }
            (What::Other, Answer::Yes) => Verdict::Done(""),
            // in a dialect whose words are known, any other is no acknowledgement (NUT 2.8.0 nutdrv_qx.c)
            (What::Other, Answer::Odd) if doubt.said.is_some() && !self.line.quality().is_noisy() => {
                Verdict::Refused
            }
            (What::Other, Answer::No) if doubt.request.otherwise.is_empty() => Verdict::Refused,
            (What::Other, Answer::Nothing) if silence_counts && seen => Verdict::Done(""),
            (What::Off, _) if seen && shown.since(doubt.before).is_some() => {
                Verdict::Done(shown.since(doubt.before).unwrap_or_default())
            }
            (What::Off, Answer::Yes) if seen => {
                Verdict::Done("taken, and the UPS does not show it (many never do)")
            }
            (What::Off, Answer::Yes) if over => Verdict::Done("taken, and the UPS says nothing since"),
            (What::Off, Answer::Nothing) if silence_counts && looked && doubt.look.is_none() => {
                Verdict::Done("taken, and the UPS does not show it (many never do)")
            }
            // before the load is switched off there is no time to be sure of this
            (What::Stop, Answer::No) if seen || over => Verdict::Refused,
            (What::Stop, _) if (seen || over) && doubt.request.asker == Asker::KillPower => {
                Verdict::Done("whatever was pending")
            }
            (What::Stop, Answer::Yes) if seen && !shown.pending => Verdict::Done("nothing is pending"),
            (What::Stop, Answer::Nothing)
                if seen && !shown.pending && (silence_counts || doubt.before.pending) =>
            {
                Verdict::Done("nothing is pending")
            }
            (What::Stop, _) if over && seen && shown.pending => {
                Verdict::Failed("still says that a shutdown is active")
            }
            (What::Stop, Answer::Yes) if over => Verdict::Done("taken, and the UPS says nothing since"),
            (_, Answer::No) if seen || over => Verdict::Refused,
            (_, _) if over && seen => Verdict::NotConfirmed(none),
            (_, _) if over => Verdict::NotConfirmed("the UPS says nothing that can be read since"),
            (_, _) => Verdict::Wait,
        }
    }

    /// The UPS refused a command, and shows nothing that it may have done all the same.
    fn refused_command(&mut self, doubt: Doubt, now: Moment) {
        let seen = self.schedule.status_is_whole_since(doubt.since);
        let shown = self.shown();
        let idle = !shown.pending && !shown.dead || doubt.request.asker == Asker::KillPower;
        let Doubt { mut request, sent, said, answer, .. } = doubt;
        let said = said.unwrap_or_default();
        let why = format!("the UPS refused {} ({sent}) by '{said}'", request.name);
        // whether it did it all the same is not known without the status; and what is pending may be this
        // (who kills the power wants the load off, and would see it)
        match request.otherwise.pop_front().filter(|_| seen && idle && answer == Answer::No) {
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
    fn watch_for(&mut self, doubt: &Doubt, now: Moment) {
        match doubt.what {
            What::Other => {}
            What::Stop => self.control.order = None,
            What::Off => {
                let name = &doubt.request.name;
                let delay = self.protocol.and_then(|protocol| {
                    let mut rows = protocol.commands_named(name);
                    rows.find_map(|row| row.understand(&doubt.sent).map(|args: Args| args.shutdown))
                });
                if let Some(seconds) = delay {
                    self.note(LogLevel::Info, format!("{name}: the load goes off after {seconds} s"));
                }
                let delay = Duration::from_secs(delay.unwrap_or_default().into());
                let (name, off) = (name.clone(), now + delay + self.options.pollinterval);
                let seen_off = self.shown().dead;
                self.control.order = Some(Order { name, off, seen_off });
            }
        }
    }

    /// Whether the load went off, once its time is up.
    fn judge_order(&mut self) {
        let Some(Order { name, off, seen_off }) = self.control.order.take() else { return };
        let shown = self.shown();
        let alive = self.is_output_dead() == Some(false) && !shown.pending;
        if seen_off {
            self.note(LogLevel::Info, format!("{name}: the load was switched off"));
        } else if alive && self.schedule.last_good() > off {
            self.note(
                LogLevel::Warning,
                format!(
                    "{name} was taken, but the UPS still powers its output: it does not obey this command; \
                     try another by hand (upscmd) and name it in sdcommands of ups.conf"
                ),
            );
        }
    }

    /// Whether the UPS has an order to switch its load off, or may have one.
    pub(in crate::device) fn is_told_to_shut_down(&self) -> bool {
        self.control.order.is_some()
            || self.control.doubt.as_ref().is_some_and(|doubt| doubt.what == What::Off)
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

    /// Whether the UPS says that its output is dead, where it says anything of it.
    fn is_output_dead(&self) -> Option<bool> {
        let facts = self.facts();
        let volts = facts.f64(&OUTPUT_VOLTAGE).or_else(|| facts.f64(&OUTPUT_L1_N_VOLTAGE));
        let off = facts.words().status.has(Status::Off);
        if off { Some(true) } else { volts.map(|volts| volts < DEAD_VOLTS) }
    }
}
