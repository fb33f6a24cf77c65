//! The judge. It knows the world, and what the unit in it said; of the device it knows what is shown.

use super::bounds::*;
use super::finding::{Finding, Kind};
use super::life::Life;
use super::orders::Orders;
use super::power::Word;
use super::unit::{Cable, would_claim};
use qx::device::store::Store;
use qx::device::{Outcome, Ticket};
use qx::line::exchange::{END, Exchange, Reply};
use qx::options::Options;
use qx::options::quirk::STUCK_FSD;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::query::Cadence;
use simulator::claims::StatusClaims;
use simulator::oddity::{Behaviour, Oddity};
use simulator::ups::{Record, SimulatedUps};
use std::time::Duration;

/// What is looked at.
pub struct Look<'a> {
    pub now: Moment,
    pub ups: &'a SimulatedUps,
    pub unit: usize,
    /// The unit that was there before.
    pub before: Option<&'a SimulatedUps>,
    pub store: &'a Store,
    pub is_ready: bool,
    pub cable: Cable,
    /// The dialect that the device takes it for.
    pub speaks: Option<&'static Protocol>,
}

/// Another unit was plugged in.
#[derive(Debug)]
struct Swap {
    /// The driver was told, or can know by a silence that was long enough.
    known: bool,
    /// When the new one was read first.
    heard: Option<Moment>,
}

/// After a reload the status is read within this.
const RELOAD_ASKS: Duration = Duration::from_secs(3);

pub struct Judge {
    pub found: Vec<Finding>,
    options: Options,
    named: bool,
    quick: u32,
    /// The driver is run to switch the load off, as by `-k`.
    is_for_killing: bool,
    words: [Word; 4],
    orders: Orders,
    /// A reply was hurt or lost on the way.
    /// The last reload with a shorter interval, and the one before it.
    reload: Option<(Moment, Duration)>,
    bad: bool,
    bad_at: Moment,
    slowest: Duration,
    /// Nothing is late before: something was started, opened or plugged.
    settles: Moment,
    started: Moment,
    was_ready: bool,
    /// The unit could be read all the time since then.
    reachable: Moment,
    /// When a reply that tells of mains was read whole last, and when any was heard.
    readable: Option<Moment>,
    heard_at: Moment,
    /// What the last readable reply said of mains.
    last_online: Option<Option<bool>>,
    /// So many in a row said that,
    agreed: usize,
    /// and this was enough of them.
    believed: Option<Option<bool>>,
    /// Questions for mains that were not answered readably since then.
    unread: u32,
    stale_since: Option<Moment>,
    readable_while_stale: usize,
    out_since: Option<Moment>,
    gone_since: Option<Moment>,
    swap: Option<Swap>,
    full_since: Option<Moment>,
    /// The driver began on mains in this countdown: a bit that is set from the first reading on says nothing.
    fsd_is_stuck: bool,
    status: String,
}

impl Judge {
    pub fn new(life: &Life, options: &Options) -> Judge {
        let protocol = life.protocol();
        let quick = protocol.queries.iter().filter(|query| query.cadence == Cadence::Quick).count();
        Judge {
            found: vec![],
            options: options.clone(),
            named: life.named,
            quick: quick as u32,
            is_for_killing: life.is_for_killing(),
            words: ["OB", "LB", "FSD", "OFF"].map(Word::new),
            orders: Orders::new(protocol),
            reload: None,
            bad: false,
            bad_at: Moment::ZERO,
            slowest: Duration::from_millis(50),
            settles: Moment::ZERO,
            started: Moment::ZERO,
            was_ready: false,
            reachable: Moment::ZERO,
            readable: None,
            heard_at: Moment::ZERO,
            last_online: None,
            agreed: 0,
            believed: None,
            unread: 0,
            stale_since: None,
            readable_while_stale: 0,
            out_since: None,
            gone_since: None,
            swap: None,
            full_since: None,
            fsd_is_stuck: false,
            status: String::new(),
        }
    }

    fn report(&mut self, kind: Kind, at: Moment, text: String) {
        if !self.found.iter().any(|finding| finding.kind == kind) {
            self.found.push(Finding { kind, at, text });
        }
    }

    /// A round of the questions for the status.
    fn round(&self) -> Duration {
        self.slowest * (self.quick + 2)
    }

    fn reset(&mut self, now: Moment) {
        self.words.iter_mut().for_each(|word| word.reset(now));
        self.reachable = now;
        self.settles = now + IDENTITY + 2 * self.round();
    }

    pub fn driver_ended(&mut self, now: Moment) {
        self.started = now;
        self.orders.driver_ended(now);
    }

    pub fn driver_started(&mut self, now: Moment) {
        self.started = now;
        self.was_ready = false;
        self.readable = None;
        self.unread = 0;
        self.stale_since = None;
        self.reset(now);
    }

    pub fn link_lost(&mut self, now: Moment) {
        self.gone_since = Some(now);
        self.orders.link_lost();
    }

    pub fn link_back(&mut self, now: Moment) {
        self.gone_since = None;
        if let Some(swap) = &mut self.swap {
            swap.known = true;
        }
        self.reset(now);
    }

    pub fn cable_out(&mut self, now: Moment) {
        // what is asked meanwhile is lost
        (self.bad, self.bad_at) = (true, now);
        self.out_since = Some(now);
        self.orders.blur();
    }

    pub fn cable_in(&mut self, now: Moment) {
        let silent = self.out_since.take().map_or(Duration::ZERO, |since| now - since);
        if let Some(swap) = &mut self.swap {
            swap.known |= silent > stale_after(self.options.pollinterval) + SLACK;
        }
        self.reset(now);
    }

    pub fn swapped(&mut self, now: Moment) {
        self.swap = Some(Swap { known: false, heard: None });
        self.full_since = None;
        self.reset(now);
    }

    pub fn reloaded(&mut self, options: &Options, now: Moment) {
        if options.pollinterval < self.options.pollinterval {
            self.reload = Some((now, self.options.pollinterval));
        }
        self.options = options.clone();
        self.reset(now);
    }

    pub fn gave_up(&mut self, why: &str, now: Moment) {
        if now.saturating_sub(self.reachable) + SLACK >= now - self.started && self.out_since.is_none() {
            self.report(Kind::GaveUp, now, format!("the UPS answers, and the driver says: {why}"));
        }
    }

    pub fn ordered(&mut self, ticket: Ticket, name: &str, now: Moment, unit: usize) {
        self.orders.ordered(ticket, name, now, unit);
        if self.out_since.is_some() || self.gone_since.is_some() {
            self.orders.blur();
        }
    }

    pub fn answered(&mut self, ticket: Ticket, outcome: Option<Outcome>, now: Moment) {
        let unclear = self.bad;
        self.orders.answered(ticket, outcome, now, unclear);
    }

    /// An exchange was made, and this is what the unit heard and said.
    pub fn heard(
        &mut self,
        began: Moment,
        now: Moment,
        (exchange, reply): (&Exchange, Option<&Reply>),
        records: &[(Moment, Record)],
        unit: usize,
    ) {
        self.slowest = self.slowest.max(now - began);
        let line = reply.and_then(|reply| reply.line.as_deref());
        for (at, record) in records {
            // what was ordered was so when it arrived, and not when the exchange was over
            let arrived = (*at).clamp(began, now);
            match record {
                Record::Said { question, bytes, claims } => {
                    let whole = bytes.strip_suffix(&[END]).unwrap_or(bytes);
                    // of one that is a reply behind, what comes late is its status as well
                    // and a mode is what keeps data fresh where the status is silent, or the volts of the grid where
                    // the mode is (seed 7701647: the inverter that came in its place answered QPIGS first)
                    let tells = ["QMOD", "QPIGS"].contains(&question.as_str());
                    let of_mains = claims.online.is_some() || *claims == StatusClaims::default() || tells;
                    if of_mains && line.is_some() {
                        self.heard_at = now;
                    }
                    if line == Some(whole) && !whole.is_empty() {
                        self.read(question, claims, now);
                    } else if reply.is_some() {
                        (self.bad, self.bad_at) = (true, now);
                        self.unread += u32::from(claims.online.is_some());
                    }
                }
                Record::Obeyed(line) => self.orders.heard(line, true, (arrived, unit), exchange.is_command),
                Record::Refused(line) => self.orders.heard(line, false, (arrived, unit), exchange.is_command),
                Record::Unknown(_) => {}
            }
        }
        if records.is_empty() && !exchange.is_command {
            self.unread += 1;
        }
    }

    fn read(&mut self, question: &str, claims: &StatusClaims, now: Moment) {
        let bad = self.bad;
        self.words.iter_mut().for_each(|word| word.hear(question, claims, bad, now));
        if claims.online.is_none() {
            return;
        }
        // what contradicts the replies before it may be noise: it proves nothing fresh before it would be told (seeds
        // 9100045, 9302034: the cable was pulled behind the first replies that told of an outage)
        self.agreed =
            if self.last_online.replace(claims.online) == Some(claims.online) { self.agreed + 1 } else { 1 };
        let need = if bad { MAINS_REPLIES_ON_A_BAD_LINE } else { MAINS_REPLIES };
        if self.agreed >= need || self.believed == Some(claims.online) {
            self.believed = Some(claims.online);
            self.readable = Some(now);
        }
        self.unread = 0;
        self.readable_while_stale += usize::from(self.stale_since.is_some());
        if let Some(swap) = &mut self.swap {
            swap.heard.get_or_insert(now);
        }
    }

    /// Looks at what is shown.
    pub fn look(&mut self, look: &Look) {
        let Look { now, ups, store, .. } = *look;
        let world = &ups.world;
        let low = world.battery_low();
        let is_taken_for_another = look.speaks.is_some_and(|it| it.name != ups.protocol.name);
        look.speaks.into_iter().for_each(|protocol| self.orders.speaks(protocol));
        // a sister may read other fields than the unit fills
        let odd_bounds = is_taken_for_another && self.has_bounds();
        let low_may = low || self.low_by_bounds(ups) || self.options.ignorelb || odd_bounds;
        self.words[0].world(now, !world.mains_good(), !world.mains_good());
        let low_must = low && !world.mains_good() && !self.options.ignorelb;
        self.words[1].world(now, low_must, low_may);
        let counts_down = world.countdown.is_some();
        let begins = look.is_ready && !self.was_ready && !self.options.quirks.off.contains(&STUCK_FSD.name);
        self.fsd_is_stuck = counts_down && (self.fsd_is_stuck || begins && world.mains_good());
        self.words[2].world(now, counts_down && !self.fsd_is_stuck, counts_down);
        self.words[3].world(now, !world.powered(), !world.powered());
        if !world.alive() || look.cable != Cable::Plugged || ups.profile.silent {
            self.reachable = now;
        }
        // (one whose battery is empty says nothing until mains, or another battery, is there)
        if !ups.hears(now) || !world.alive() {
            self.reset(now);
        }
        if !world.alive() {
            // a question that meets silence is lost, for all that the driver knows
            (self.bad, self.bad_at) = (true, now);
        }
        if ups.profile.oddities.iter().any(is_unclear) || ups.trouble.noise > 0.0 || is_taken_for_another {
            self.orders.blur();
        }
        if ups.profile.oddities.iter().any(delays_what_shows) {
            self.orders.may_repeat();
        }
        self.orders.look(now, self.reachable, world.powered(), 4 * self.slowest);
        for finding in std::mem::take(&mut self.orders.found) {
            self.report(finding.kind, finding.at, finding.text);
        }
        self.look_at_start(look);
        // who is run to switch the load off has no clients
        if !look.is_ready || self.is_for_killing {
            return;
        }
        self.status = store.text("ups.status").unwrap_or_default().into();
        self.look_at_freshness(look);
        self.look_at_rests(look);
        for at in 0..self.words.len() {
            self.look_at_word(at, look);
        }
        if !store.is_stale() {
            self.look_at_identity(look);
            self.look_at_charge(look);
        }
    }

    fn look_at_start(&mut self, look: &Look) {
        let now = look.now;
        if look.is_ready && !self.was_ready {
            self.was_ready = true;
            self.reset(now);
            self.readable.get_or_insert(now);
            self.heard_at = now;
        }
        let within = if self.named { START_NAMED } else { START };
        let rest_takes = 2 * self.rest_takes(look.ups);
        let is_late =
            now.saturating_sub(self.started.max(self.reachable)) > within + 10 * self.round() + rest_takes;
        // nobody has data of a unit that does not say, in this state, whether mains is there
        if !look.is_ready
            && is_late
            && !self.is_for_killing
            && would_claim(look.ups, now).iter().any(|claims| claims.online.is_some())
        {
            let took = (now - self.started).as_secs_f64();
            self.report(Kind::NeverReady, now, format!("no data {took:.0} s after the start"));
        }
    }

    fn look_at_freshness(&mut self, look: &Look) {
        let Look { now, store, .. } = *look;
        let after = stale_after(self.options.pollinterval);
        let Some(readable) = self.readable else { return };
        let since_readable = now.saturating_sub(readable);
        if !store.is_stale() {
            self.stale_since = None;
            self.readable_while_stale = 0;
            // with a shorter interval it is asked anew first
            let before = self.reload.filter(|(at, _)| now.saturating_sub(*at) <= RELOAD_ASKS);
            let interval = before.map_or(self.options.pollinterval, |(_, before)| before);
            let at_last = stale_at_last(interval);
            let silent = now.saturating_sub(self.heard_at);
            if silent > at_last + self.round() {
                self.report(
                    Kind::Fresh,
                    now,
                    format!("fresh {:.0} s after the last reply", silent.as_secs_f64()),
                );
            }
            if let Some(gone) =
                self.gone_since.filter(|gone| now.saturating_sub(*gone) > after.min(GONE) + SLACK)
            {
                let ago = (now - gone).as_secs_f64();
                self.report(Kind::Fresh, now, format!("fresh {ago:.0} s after the link was lost"));
            }
            return;
        }
        if self.stale_since.is_none() {
            self.stale_since = Some(now);
            self.readable_while_stale = 0;
            let known_lost = self.gone_since.is_some() || now < self.settles;
            // (one that rests is asked for its name and its status in turns)
            let rests = |odd: &Oddity| odd.behaviour.rest().is_some();
            let is_asked = !look.ups.profile.oddities.iter().any(rests);
            // half a second: the device looks when it wakes
            if since_readable + Duration::from_millis(500) < after && !known_lost {
                let ago = since_readable.as_secs_f64();
                self.report(Kind::Stale, now, format!("stale {ago:.1} s after a readable status"));
            } else if self.unread == 0 && !known_lost && is_asked {
                self.report(Kind::Stale, now, "stale, and no question for the status went unanswered".into());
            }
        }
        let is_heard = self.rest_takes(look.ups) < NEVER;
        let need = if self.bad { FRESH_REPLIES_ON_A_BAD_LINE } else { FRESH_REPLIES };
        if self.readable_while_stale > need && now > self.settles && is_heard {
            let count = self.readable_while_stale;
            self.report(Kind::Stale, now, format!("still stale after {count} readable replies"));
        }
    }

    /// How much later all may be told of this unit, as it rests.
    fn rest_takes(&self, ups: &SimulatedUps) -> Duration {
        let questions = |odd: &Oddity| if odd.ask.is_some() { 1 } else { self.quick };
        let oddities = ups.profile.oddities.iter();
        let rests = oddities.filter_map(|odd| Some((odd.behaviour.rest()?, questions(odd))));
        let (rest, questions) = rests.max().unwrap_or_default();
        rest_takes(self.options.pollinterval, rest, questions)
    }

    /// A unit that rests is not asked so that it stays silent.
    fn look_at_rests(&mut self, look: &Look) {
        let Look { now, ups, .. } = *look;
        let takes = self.rest_takes(ups);
        let Some(stale) = self.stale_since.filter(|_| !takes.is_zero()) else { return };
        let since = now.saturating_sub(stale.max(self.reachable).max(self.settles));
        if look.cable == Cable::Plugged && self.gone_since.is_none() && since > takes + 2 * self.round() {
            let seconds = since.as_secs_f64();
            self.report(
                Kind::Stale,
                now,
                format!("stale for {seconds:.0} s, and whoever let it rest would be told"),
            );
        }
    }

    fn look_at_word(&mut self, at: usize, look: &Look) {
        let Look { now, ups, store, .. } = *look;
        let (interval, pollfreq) = (self.options.pollinterval, self.options.pollfreq);
        let (round, rest_takes) = (self.round(), self.rest_takes(ups));
        let word = &mut self.words[at];
        let name = word.name;
        let is_mains = name == "OB";
        let said = !store.is_stale() && self.status.split(' ').any(|shown| shown == name);
        let was_shown = std::mem::replace(&mut word.shown, said);
        let (must, must_since, due, may_at) = (word.must, word.must_since, word.due, word.may_at);
        // mains that is back is told as soon as an outage is
        let differs = said != must && (must || is_mains);
        // what the unit did not say to anybody is not late
        let checks = differs && now >= self.words[at].checked + SLACK;
        let tells = checks && self.would_tell(at, ups, now);
        let word = &mut self.words[at];
        if checks {
            word.checked = now;
            word.untold = if tells { word.untold } else { now };
        }
        let untold = word.untold;
        // of one that rests data may be stale until that is found
        let found_by = self.stale_since.filter(|_| !rest_takes.is_zero()).map(|since| since + rest_takes);
        let due = due.map(|due| due.max(found_by.unwrap_or_default()));
        // while a unit says nothing of mains all of it is stale, and nothing has to be told (seed 3200864)
        let is_mute =
            || store.is_stale() && would_claim(ups, now).iter().all(|claims| claims.online.is_none());
        let can_be_told = look.cable == Cable::Plugged && ups.world.alive();
        if differs && can_be_told && now > self.settles {
            let kind = if must { Kind::Late(name) } else { Kind::Stays(name) };
            let since = now.saturating_sub(must_since).as_secs_f64();
            let shown = if store.is_stale() { "stale data" } else { self.status.as_str() };
            let back = MAINS_BACK_SLACK + rest_takes.min(interval * self.quick * REST_ROUNDS);
            let slack = if is_mains && !must { SLACK + back } else { SLACK };
            if due.is_some_and(|due| now > due + slack) {
                if is_mute() {
                    return;
                }
                let text = format!("{since:.1} s, and enough readable replies said so; shown is {shown}");
                self.report(kind, now, text);
            } else {
                let on_battery = !ups.world.mains_good();
                let takes = match (is_mains, on_battery) {
                    (true, _) => interval + MAINS_ROUNDS * round,
                    (_, true) => WORD_ROUNDS * (interval + round),
                    _ => WORD_ROUNDS * (interval + round) + WORD_FULL_POLLS * pollfreq,
                } + SLACK
                    + rest_takes;
                let clear = must_since.max(self.reachable).max(untold).max(if self.bad {
                    self.bad_at
                } else {
                    Moment::ZERO
                });
                if now.saturating_sub(clear) > takes && self.would_tell(at, ups, now) {
                    let text = format!("{since:.1} s, and whoever asked would be told; shown is {shown}");
                    self.report(kind, now, text);
                }
            }
        }
        if said && !must && may_at != Some(now) {
            let over = may_at.map(|at| now.saturating_sub(at));
            let ago = over.map_or("never so".into(), |over| format!("over for {:.1} s", over.as_secs_f64()));
            if !was_shown && over.is_none_or(|over| over > stale_after(interval) + FALSE_AFTER + round) {
                self.report(Kind::False(name), now, format!("{} is told; it was {ago}", self.status));
            }
            let life =
                if is_mains { stale_at_last(interval) } else { LIFE * pollfreq + WORD_ROUNDS * interval };
            if over.is_some_and(|over| over > life + WORD_ROUNDS * round + FALSE_AFTER) {
                self.report(Kind::Stays(name), now, format!("{} is told; it is {ago}", self.status));
            }
        }
    }

    fn would_tell(&self, at: usize, ups: &SimulatedUps, now: Moment) -> bool {
        let word = &self.words[at];
        let claims = would_claim(ups, now);
        let said: Vec<bool> = claims.iter().filter_map(|claims| word.of(claims)).collect();
        if word.name == "OB" {
            !said.is_empty() && said.iter().all(|said| *said == word.must)
        } else {
            said.contains(&true)
        }
    }

    fn has_bounds(&self) -> bool {
        let o = &self.options;
        o.low_charge_percent.or(o.low_runtime_s).or(o.low_volts).is_some()
    }

    /// A want of a named case that was not met.
    pub fn missed(&mut self, now: Moment, text: String) {
        self.report(Kind::Wrong, now, text);
    }

    /// Whether a bound that was set may have been passed.
    fn low_by_bounds(&self, ups: &SimulatedUps) -> bool {
        let world = &ups.world;
        if world.mains_good() && world.test.is_none() {
            return false;
        }
        let volts = world.battery_volts();
        let below =
            |bound: Option<f64>, value: f64, above: f64| bound.is_some_and(|bound| value < bound + above);
        let o = &self.options;
        let runtime = o.low_runtime_s.map(|bound| bound * RUNTIME_ABOVE);
        below(o.low_charge_percent, world.charge * 100.0, CHARGE_ABOVE)
            || below(runtime, world.runtime(), 0.0)
            || below(o.low_volts, volts, VOLTS_ABOVE)
            // once told it stays until mains is back
            || self.words[1].shown && self.words[1].may_at.is_some_and(|at| at >= self.words[0].must_since)
    }

    fn look_at_identity(&mut self, look: &Look) {
        let (Some(before), Some(swap)) = (look.before, &self.swap) else { return };
        let Some(heard) = swap.heard.filter(|_| swap.known) else { return };
        if look.now.saturating_sub(heard) < IDENTITY + 4 * self.slowest {
            return;
        }
        let of = |ups: &SimulatedUps| {
            let volts = format!("{:.0}", ups.world.rating.battery_volts);
            [("device.model", ups.profile.model.clone()), ("battery.voltage.nominal", volts)]
        };
        let same = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => (a - b).abs() < 0.01,
            _ => a == b,
        };
        for ((name, old), (_, new)) in of(before).into_iter().zip(of(look.ups)) {
            let shown = look.store.text(name).unwrap_or_default();
            if same(shown, &old) && !same(shown, &new) {
                let ago = (look.now - heard).as_secs_f64();
                let text = format!("{name} = {shown} {ago:.1} s after another unit was read, whose is {new}");
                self.report(Kind::OtherUnit, look.now, text);
            }
        }
    }

    fn look_at_charge(&mut self, look: &Look) {
        let world = &look.ups.world;
        let known = self.swap.as_ref().is_none_or(|swap| swap.known)
            && look.speaks.is_none_or(|it| it.name == look.ups.protocol.name);
        let full =
            known && world.charge > 0.97 && world.mains_good() && world.test.is_none() && world.powered();
        if !full {
            self.full_since = None;
            return;
        }
        let since = *self.full_since.get_or_insert(look.now);
        let charge = look.store.text("battery.charge").and_then(|text| text.parse::<f64>().ok());
        let settled = look.now.saturating_sub(since) > Duration::from_secs(60);
        if let Some(charge) = charge.filter(|charge| settled && *charge < FULL_IS_AT_LEAST) {
            let held = 100.0 * world.charge;
            self.report(
                Kind::Charge,
                look.now,
                format!("battery.charge = {charge} of a battery that holds {held:.0} %"),
            );
        }
    }

    pub fn end(&mut self, now: Moment) {
        self.found.sort_by_key(|finding| finding.at);
        let _ = now;
    }
}

/// What shows that a command is obeyed may not be seen in time.
fn delays_what_shows(odd: &Oddity) -> bool {
    match odd.behaviour {
        Behaviour::Rests(_) | Behaviour::RestsFromReply(_) => true,
        Behaviour::Busy(_) | Behaviour::ActsLate(_) => true,
        Behaviour::Slow(time) => time >= WORD_WAITS / 2,
        _ => false,
    }
}

/// What a unit says to commands may not be heard, or too late.
fn is_unclear(odd: &Oddity) -> bool {
    match odd.behaviour {
        Behaviour::NoWord | Behaviour::Behind => true,
        Behaviour::LateWord(time) | Behaviour::Slow(time) | Behaviour::Gap(time) => time >= WORD_WAITS,
        _ => false,
    }
}
