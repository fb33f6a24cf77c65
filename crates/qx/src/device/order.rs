//! What came of a command: most of these UPSes say nothing when they accept one, so what they show
//! afterwards counts as well. An answer belongs to the command that it follows in time; where that cannot
//! be known, the status decides, and where that does not, the outcome is "not confirmed".

use super::bounds::{ANSWER, LATE, SHOWS, SHOWS_SLOWLY, SILENCE_COUNTS, STATUS_IS_NEW};
use super::request::{Asker, Request};
use super::{Device, Loudness, Moment, Outcome};
use crate::line::exchange::Reply;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::consent::{Answer, Consent};
use crate::wire::query::Cadence;
use crate::wire::spelling::Args;
use std::time::Duration;

/// A load that should be off is given so much longer.
const GRACE: Duration = Duration::from_secs(10);
/// Below so many volts nothing is powered.
pub(super) const DEAD_VOLTS: f64 = 20.0;

/// What a command is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// That the load goes off, now or later.
    Off,
    /// That nothing of the kind happens any more.
    Stop,
    /// Something that the status need not show.
    Other,
}

impl What {
    fn of(name: &str) -> What {
        match name {
            "shutdown.return" | "shutdown.stayoff" | "load.off" => What::Off,
            "shutdown.stop" => What::Stop,
            _ => What::Other,
        }
    }
}

/// Whether a command is to switch the load off.
pub(super) fn is_of_the_load(name: &str) -> bool {
    What::of(name) == What::Off
}

/// What the status shows of the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The UPS says that a shutdown is active.
    pub pending: bool,
    /// Its output is dead.
    pub dead: bool,
}

impl Shown {
    /// What shows that the load goes off, and did not show before.
    pub(super) fn since(self, before: Shown) -> Option<&'static str> {
        match self {
            Shown { pending: true, .. } if !before.pending => Some("the UPS says that a shutdown is active"),
            Shown { dead: true, .. } if !before.dead => Some("the UPS says that the load is off"),
            _ => None,
        }
    }
}

/// A command that was sent, and nobody knows yet what came of it.
#[derive(Debug)]
pub(super) struct Doubt {
    request: Request,
    /// The line that was sent, and the same as it went over the wire.
    sent: String,
    wire: Vec<u8>,
    what: What,
    answer: Answer,
    /// What was answered, for the log.
    said: Option<String>,
    /// The link failed at a part of it.
    failed: bool,
    sent_at: Moment,
    /// When it was answered, or nobody waited any longer.
    since: Moment,
    /// The status is asked then.
    look: Option<Moment>,
    before: Shown,
    /// Another command was sent then, and not answered: what comes may be the answer to that one.
    rival: Option<Moment>,
    /// The refusal came in place of the answer to this question, which is asked again: it may be its own.
    in_place_of: Option<usize>,
}

/// What becomes of a command.
enum Verdict {
    Wait,
    Done(&'static str),
    Refused,
    Failed(&'static str),
    NotConfirmed(&'static str),
}

impl Doubt {
    /// A command of which `sent` went out, as `wire`, at `times.0`; at `times.1` it was answered, or nobody
    /// waited any longer.
    pub(super) fn new(
        request: Request,
        (sent, wire): (String, Vec<u8>),
        (answer, said): (Answer, Option<String>),
        (sent_at, since): (Moment, Moment),
    ) -> Doubt {
        let (what, before) = (What::of(&request.name), Shown::default());
        let (look, rival, failed, in_place_of) = (None, None, false, None);
        Doubt {
            request,
            sent,
            wire,
            what,
            answer,
            said,
            failed,
            sent_at,
            since,
            look,
            before,
            rival,
            in_place_of,
        }
    }

    /// The same, where the link failed at a part of it.
    pub(super) fn failed(self) -> Doubt {
        Doubt { failed: true, ..self }
    }

    /// The same after a command that was sent at `rival`, and not answered.
    pub(super) fn after(self, rival: Option<Moment>) -> Doubt {
        Doubt { rival, ..self }
    }

    pub(super) fn asker(&self) -> Asker {
        self.request.asker
    }

    /// Nobody waits for it any more.
    pub(super) fn forget_asker(&mut self) {
        self.request.asker = Asker::Nobody;
    }

    pub(super) fn into_request(self) -> Request {
        self.request
    }
}

/// An order to the load that the UPS has taken.
#[derive(Debug)]
pub(super) struct Order {
    name: String,
    /// When the load should be off.
    off: Moment,
    /// The load was seen off.
    seen_off: bool,
}

impl Order {
    /// Until when nothing is to be done about it.
    pub(super) fn due(&self) -> Moment {
        self.off + GRACE
    }
}

impl Device {
    /// A command was answered, or met with silence.
    pub(super) fn begin_doubt(&mut self, now: Moment) {
        let before = self.shown_before(now);
        let Some(doubt) = &mut self.doubt else { return };
        doubt.before = before;
        // a silence may be broken yet
        if doubt.what == What::Off && doubt.answer != Answer::Yes {
            doubt.look = Some(doubt.sent_at + SILENCE_COUNTS);
        }
        self.settle_doubt(now);
    }

    /// Until when nothing is to be done about the command that is in doubt.
    pub(super) fn doubt_due(&self) -> Option<Moment> {
        let doubt = self.doubt.as_ref()?;
        let end = self.doubt_ends(doubt);
        Some(doubt.look.map_or(end, |look| look.min(end)))
    }

    /// A status comes until then, or not at all.
    fn doubt_ends(&self, doubt: &Doubt) -> Moment {
        let heard = self.slots.iter().filter(|slot| slot.query.cadence == Cadence::Quick && slot.applies);
        let comes = heard.map(|slot| slot.answered).max().filter(|answered| *answered > doubt.since);
        let comes = comes.filter(|_| !self.status_is_whole_since(doubt.since));
        let slowly = comes.map_or(Moment::ZERO, |answered| answered + STATUS_IS_NEW);
        let of_answer = if self.consent().by_silence() { Moment::ZERO } else { doubt.sent_at + LATE };
        // before the dialect is found there is no status
        if self.slots.is_empty() {
            return doubt.since;
        }
        (doubt.since + SHOWS).max(slowly.min(doubt.since + SHOWS_SLOWLY)).max(of_answer)
    }

    fn consent(&self) -> Consent {
        self.protocol.map_or(Consent::Silence, |protocol| protocol.consent)
    }

    /// Whether a reply to a question, or what was read away before it, is the late answer to the command
    /// before; then the question is not answered yet.
    pub(super) fn is_late_answer(&mut self, at: usize, reply: &Reply, now: Moment) -> bool {
        let (consent, known) = (self.consent(), self.is_known(at));
        let Some(doubt) = &mut self.doubt else { return false };
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
            false => match consent.answer(&doubt.wire, Some(line)) {
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
        self.unanswered = None;
        self.settle_doubt(now);
        in_place
    }

    /// A status was believed.
    pub(super) fn compare_with_order(&mut self) {
        let shown = self.shown();
        if let Some(order) = &mut self.order {
            order.seen_off |= shown.dead;
        }
        if self.doubt.is_some() {
            let now = self.slots.iter().map(|slot| slot.answered).max().unwrap_or_default();
            self.settle_doubt(now);
        }
    }

    /// Looks after a command and an order whose time is up.
    pub(super) fn look_after_order(&mut self, now: Moment) {
        let due = |doubt: &&mut Doubt| doubt.look.is_some_and(|look| look <= now);
        if let Some(doubt) = self.doubt.as_mut().filter(due) {
            doubt.look = None;
            self.line.settle = true;
            self.ask_status(now);
        }
        self.settle_doubt(now);
        if self.order.as_ref().is_some_and(|order| order.due() <= now) {
            self.judge_order();
        }
    }

    fn settle_doubt(&mut self, now: Moment) {
        let Some(doubt) = &self.doubt else { return };
        let verdict = self.verdict(doubt, now);
        if matches!(verdict, Verdict::Wait) {
            return;
        }
        let Some(doubt) = self.doubt.take() else { return };
        let (name, sent) = (doubt.request.name.clone(), doubt.sent.clone());
        self.kill_was_answered(doubt.said.is_some());
        match verdict {
            Verdict::Wait => {}
            Verdict::Done(shown) => {
                let by = if doubt.answer == Answer::Yes { "by word" } else { "by silence" };
                self.note(Loudness::Info, format!("{name}: sent {sent}, accepted {by}"));
                if doubt.what != What::Other {
                    self.note(Loudness::Info, format!("{name}: {shown}"));
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
        let seen = self.status_is_whole_since(doubt.since);
        let over = now >= self.doubt_ends(doubt);
        let shown = self.shown();
        let silence_counts = self.consent().by_silence() && !self.line.quality().is_noisy();
        let looked = self.status_is_whole_since(doubt.sent_at + SILENCE_COUNTS);
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
            // in a dialect whose words are known, any other is no consent (NUT 2.8.0 nutdrv_qx.c)
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
        let seen = self.status_is_whole_since(doubt.since);
        let shown = self.shown();
        let idle = !shown.pending && !shown.dead || doubt.request.asker == Asker::KillPower;
        let Doubt { mut request, sent, said, answer, .. } = doubt;
        let said = said.unwrap_or_default();
        let why = format!("the UPS refused {} ({sent}) by '{said}'", request.name);
        // whether it did it all the same is not known without the status; and what is pending may be this
        // (who kills the power wants the load off, and would see it)
        match request.otherwise.pop_front().filter(|_| seen && idle && answer == Answer::No) {
            Some(steps) => {
                self.note(Loudness::Warning, format!("{why}; trying {}", steps.join(", ")));
                request.steps = steps.into();
                request.begun = false;
                self.requests.push_front(request);
                self.ask_status(now);
            }
            None => self.answer(request.asker, Outcome::Failed(why)),
        }
    }

    /// Remembers when the load should be off.
    fn watch_for(&mut self, doubt: &Doubt, now: Moment) {
        match doubt.what {
            What::Other => {}
            What::Stop => self.order = None,
            What::Off => {
                let name = &doubt.request.name;
                let delay = self.protocol.and_then(|protocol| {
                    let mut rows = protocol.commands_named(name);
                    rows.find_map(|row| row.understand(&doubt.sent).map(|args: Args| args.shutdown))
                });
                if let Some(seconds) = delay {
                    self.note(Loudness::Info, format!("{name}: the load goes off after {seconds} s"));
                }
                let delay = Duration::from_secs(delay.unwrap_or_default().into());
                let (name, off) = (name.clone(), now + delay + self.options.pollinterval);
                let seen_off = self.shown().dead;
                self.order = Some(Order { name, off, seen_off });
            }
        }
    }

    /// Whether the load went off, once its time is up.
    fn judge_order(&mut self) {
        let Some(Order { name, off, seen_off }) = self.order.take() else { return };
        let shown = self.shown();
        let alive = self.is_output_dead() == Some(false) && !shown.pending;
        if seen_off {
            self.note(Loudness::Info, format!("{name}: the load was switched off"));
        } else if alive && self.last_good > off {
            self.note(
                Loudness::Warning,
                format!(
                    "{name} was taken, but the UPS still powers its output: it does not obey this command; \
                     try another by hand (upscmd) and name it in sdcommands of ups.conf"
                ),
            );
        }
    }

    /// Whether the UPS has an order to switch its load off, or may have one.
    pub(super) fn is_told_to_shut_down(&self) -> bool {
        self.order.is_some() || self.doubt.as_ref().is_some_and(|doubt| doubt.what == What::Off)
    }

    /// What the status showed just now, to compare with it later. Where it was not read, nothing that it shows
    /// later is news.
    pub(super) fn shown_before(&self, now: Moment) -> Shown {
        match self.was_heard_since(now.saturating_sub(2 * STATUS_IS_NEW)) {
            true => self.shown(),
            false => Shown { pending: true, dead: true },
        }
    }

    /// What the status shows of the load now; a bit that is always set shows nothing.
    pub(super) fn shown(&self) -> Shown {
        let says = self.facts().words().status.has(Status::ForcedShutdown);
        let pending = says && !self.plausibility.shutdown_is_stuck();
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
