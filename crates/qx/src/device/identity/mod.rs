//! Who answers: after any loss of the line it may be another UPS. What it said of itself before is asked
//! again, and until it says the same, nothing that rests on it is shown and nothing is ordered.
//!
//! A blink of the line leaves what is shown as it was for a moment, but for the words of the status. When
//! that moment is over, or the data was stale anyway, only what this UPS said itself is shown. One that says
//! nothing of itself is known by its status and the volts of its battery; but not where the link says that
//! it may be another: there its model or its serial number proves it, and without them what was known of the
//! one before is dropped.

mod name;
mod plate;

use super::battery::Battery;
use super::bounds::{
    IDENTITY, IDENTITY_AGAIN, IDENTITY_ASKED_AGAIN, IDENTITY_SILENCES, IDENTITY_STATUSES, IDENTITY_VOLTS,
};
use super::schedule::QueryState;
use super::search::Stage;
use super::{Device, LinkChange, LogLevel, Moment, Outcome};
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{BATTERY_VOLTAGE, UPS_STATUS};
use crate::wire::fact::Facts;
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};
use crate::wire::readings::Readings;
use name::{difference, is_telling, says_name};
use plate::NamePlate;
use std::time::Duration;

/// What is known of who answers.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// Boxed, as it is rare.
    doubt: Option<Box<Doubted>>,
    /// The link says that it may be another: its name has to prove it.
    needs_name: bool,
    /// Questions for the status that got no reply, in a row.
    silences: u8,
    plate: NamePlate,
    /// When the link came back last.
    back_at: Moment,
}

impl Identity {
    /// When the link came back last.
    pub(super) fn back_at(&self) -> Moment {
        self.back_at
    }

    /// That of another UPS on the same line.
    fn of_another(&self) -> Identity {
        Identity { plate: self.plate.of_another(), back_at: self.back_at, ..Identity::default() }
    }
}

/// The line was lost: whether the same UPS answers is not proven yet.
#[derive(Debug)]
struct Doubted {
    /// What is accepted from then on was said by the UPS that answers now.
    since: Moment,
    /// What is shown stays as it was until then.
    frozen_until: Moment,
    frozen: bool,
    /// What the UPS before said of itself.
    before: Vec<(&'static Query, Readings)>,
    volts: Option<f64>,
    /// The battery of the UPS before, while another is shown.
    battery: Option<Battery>,
    /// Statuses that were accepted, and those that did not come.
    statuses: u32,
    counted: Moment,
    /// How often it was asked again what is not answered, and when that is next.
    asked_again: u8,
    ask_at: Moment,
}

impl Device {
    /// Whether the UPS that answers is known to be the one that was meant.
    pub(super) fn is_proven(&self) -> bool {
        self.identity.doubt.is_none()
    }

    /// Since when it is not known who answers.
    pub(super) fn doubted_since(&self) -> Option<Moment> {
        self.identity.doubt.as_ref().map(|doubted| doubted.since)
    }

    /// The link was lost, or is open again: nothing that waits is for the UPS that answers then.
    pub(super) fn link_changed(&mut self, change: LinkChange, now: Moment) {
        self.identity.back_at = now;
        if let Some(request) = self.control.new_link() {
            self.lose(&request);
        }
        self.fail_requests();
        self.identity.silences = 0;
        if change.is_back() {
            // until it is proven, however often the line goes meanwhile
            self.identity.needs_name |= self.ready && change == LinkChange::BackInDoubt;
            // what was heard up to this moment came from the link before
            self.doubt_identity(now + Duration::from_nanos(1), now);
        }
    }

    /// From `since` on another UPS may answer: it is asked who it is.
    pub(super) fn doubt_identity(&mut self, since: Moment, now: Moment) {
        if !self.ready || !self.search.is_polling() {
            return;
        }
        let said_before = self.identity.doubt.take();
        let tells = |slot: &&QueryState| slot.query.cadence != Cadence::Quick && slot.applies;
        let before = match &said_before {
            Some(doubted) => doubted.before.clone(),
            None => self.telling().collect(),
        };
        let volts =
            said_before.as_ref().map_or_else(|| self.facts().f64(&BATTERY_VOLTAGE), |before| before.volts);
        for slot in self.schedule.slots_mut().iter_mut().filter(|slot| slot.applies) {
            let tells = before.iter().any(|(query, _)| std::ptr::eq(*query, slot.query));
            // of one that said nothing of itself it is asked whether it does now
            let once = before.is_empty() && slot.query.cadence == Cadence::Once;
            if tells || once {
                (slot.due, slot.repeats) = (Some(now), 0);
            }
        }
        debug_assert!(self.schedule.slots().iter().filter(tells).count() >= before.len().min(1));
        let (battery, frozen) = (said_before.and_then(|doubted| doubted.battery), true);
        let frozen_until = if self.store.is_stale() || battery.is_some() { now } else { now + IDENTITY };
        let (statuses, counted, asked_again, ask_at) = (0, since, 0, now + IDENTITY_AGAIN);
        let doubted = Doubted {
            since,
            frozen_until,
            frozen,
            before,
            volts,
            battery,
            statuses,
            counted,
            asked_again,
            ask_at,
        };
        self.identity.doubt = Some(Box::new(doubted));
        self.check_identity(now);
    }

    /// What the UPS says of itself.
    pub(super) fn telling(&self) -> impl Iterator<Item = (&'static Query, Readings)> {
        let slots =
            self.schedule.slots().iter().filter(|slot| slot.query.cadence != Cadence::Quick && slot.applies);
        slots.filter_map(|slot| {
            let reading = slot.reading.as_ref()?;
            let tells = reading.values.iter().any(|(var, value)| is_telling(var) && value.is_some());
            tells.then(|| (slot.query, reading.clone()))
        })
    }

    /// The dialect was looked for anew, and found: what is known of the UPS before is compared, or dropped.
    pub(super) fn adopts(&mut self, protocol: &Protocol, now: Moment) {
        if !self.ready {
            return;
        }
        if self.protocol.is_some_and(|before| before.name != protocol.name) {
            self.drop_unit();
            return;
        }
        let stage = self.search.replace_stage(Stage::Polling);
        self.doubt_identity(now, now);
        self.search.replace_stage(stage);
    }

    /// A reply to a question came, or silence.
    pub(super) fn heard_of_identity(&mut self, at: usize, line: Option<&[u8]>, now: Moment) {
        let Some(slot) = self.schedule.slots().get(at) else { return };
        let of_status = slot.query.cadence == Cadence::Quick && slot.reading.is_some();
        let silences = self.identity.silences;
        match (of_status, line) {
            (true, None) => self.identity.silences = silences.saturating_add(1),
            (true, Some(_)) => self.identity.silences = 0,
            (false, _) => {}
        }
        let is_back = of_status && line.is_some() && silences >= IDENTITY_SILENCES;
        // what the status says now comes before who says it
        if line.is_some() && silences >= IDENTITY_SILENCES {
            self.schedule.ask_status(now);
        }
        if self.identity.doubt.is_none() && is_back {
            self.doubt_identity(now, now);
        }
        if of_status && line.is_some() {
            self.check_plate(silences, now);
        }
        if let Some(line) = line.filter(|_| !of_status) {
            self.check_restless(at, line);
        }
        self.check_identity(now);
    }

    /// Compares what the UPS says of itself with what was said before.
    pub(super) fn check_identity(&mut self, now: Moment) {
        self.compare_plate(now);
        let heard = self.schedule.slots().iter().filter(|slot| slot.query.cadence == Cadence::Quick);
        let heard = heard.map(|slot| slot.answered).max().unwrap_or_default();
        let Some(doubted) = &mut self.identity.doubt else { return };
        if heard >= doubted.since && heard > doubted.counted {
            doubted.counted = heard;
            doubted.statuses += 1;
        }
        let thaws = doubted.frozen && now >= doubted.frozen_until;
        // what was not answered may have been lost
        if now >= doubted.ask_at && doubted.statuses > 0 {
            let pause =
                if doubted.asked_again < IDENTITY_ASKED_AGAIN { IDENTITY_AGAIN } else { 5 * IDENTITY_AGAIN };
            (doubted.asked_again, doubted.ask_at) = (doubted.asked_again.saturating_add(1), now + pause);
            let (since, before) = (doubted.since, &doubted.before);
            let unanswered = |slot: &&mut QueryState| {
                slot.answered < since && before.iter().any(|(query, _)| std::ptr::eq(*query, slot.query))
            };
            for slot in self.schedule.slots_mut().iter_mut().filter(unanswered) {
                (slot.due, slot.repeats) = (Some(now), 0);
            }
        }
        match self.compare() {
            _ if self.is_two_units() => {}
            Comparison::Same => self.identity_is_proven(now),
            Comparison::Another(why) => self.become_another(&why, now),
            Comparison::Unnamed => self.begin_anew(now),
            Comparison::Nothing if thaws => self.thaw(now),
            Comparison::Nothing => {}
        }
    }

    /// When something is to be done about it.
    pub(super) fn identity_due(&self) -> Option<Moment> {
        let doubted = self.identity.doubt.as_ref()?;
        let thaw = doubted.frozen.then_some(doubted.frozen_until);
        let again = (doubted.statuses > 0).then_some(doubted.ask_at);
        thaw.into_iter().chain(again).min()
    }

    fn compare(&self) -> Comparison {
        let Some(doubted) = &self.identity.doubt else { return Comparison::Nothing };
        let (mut proven, mut unanswered, mut named) = (doubted.statuses > 0, false, false);
        for (query, before) in &doubted.before {
            let Some(slot) = self.schedule.slots().iter().find(|slot| std::ptr::eq(slot.query, *query))
            else {
                continue;
            };
            let answered = slot.answered >= doubted.since;
            match slot.reading.as_ref().filter(|_| answered) {
                Some(reading) => {
                    if let Some(why) = difference(before, reading, slot.judge.restless()) {
                        return Comparison::Another(why);
                    }
                    named |= says_name(reading, slot.judge.restless());
                }
                // only another answer proves another UPS: some answer it not on battery, or not any more
                // (what is garbled, each time otherwise, may yet be the answer)
                None if doubted.asked_again >= IDENTITY_ASKED_AGAIN && slot.says_the_same() => {
                    unanswered = true;
                }
                None => proven = false,
            }
        }
        if doubted.before.is_empty() || unanswered {
            let volts = self.facts().f64(&BATTERY_VOLTAGE).filter(|_| doubted.statuses > 0);
            let leaps = |(before, volts): &(f64, f64)| {
                *before > 0.0 && !(IDENTITY_VOLTS..=1.0 / IDENTITY_VOLTS).contains(&(volts / before))
            };
            if let Some((before, volts)) = doubted.volts.zip(volts).filter(leaps) {
                return Comparison::Another(format!("reports {volts} V of its battery; it was {before} V"));
            }
            proven &= doubted.statuses >= IDENTITY_STATUSES;
        }
        match proven {
            true if named || !self.identity.needs_name => Comparison::Same,
            // what was read before counts no more then, so all of the status has to be new
            true if self.schedule.status_is_whole(|answered| answered >= doubted.since) => {
                Comparison::Unnamed
            }
            _ => Comparison::Nothing,
        }
    }

    fn identity_is_proven(&mut self, now: Moment) {
        let Some(doubted) = self.identity.doubt.take() else { return };
        self.identity.needs_name = false;
        if let Some(battery) = doubted.battery {
            self.battery = battery;
        }
        self.words_changed();
        self.reconsider(now);
        if self.ready && !self.store.is_stale() {
            self.publish(now);
        }
    }

    /// Nothing proves that it is the UPS of before, and nothing that it is another. What its status says goes on
    /// being told; all else is dropped, and settled anew.
    fn begin_anew(&mut self, now: Moment) {
        let Some(since) = self.doubted_since() else { return };
        let text = "it is not known whether the same UPS answers: it reports neither model nor serial number; the data of the previous one is dropped";
        self.note(LogLevel::Warning, text.into());
        self.drop_unit();
        // it is not shown to be another either, and killing the power has waited
        self.control.kill_goes_on();
        for at in 0..self.schedule.slots().len() {
            let slot = &mut self.schedule.slots_mut()[at];
            if slot.query.cadence != Cadence::Quick {
                *slot = QueryState::new(slot.query);
            } else if slot.judge.withdraw(|_, _, read| read < since).is_some() {
                self.took_back(at, None, now);
            }
        }
        self.doubt_dialect(now);
        self.reconsider(now);
        if self.ready && !self.store.is_stale() {
            self.publish(now);
        }
    }

    /// From now on only what the UPS says that answers is shown.
    fn thaw(&mut self, now: Moment) {
        let Some(doubted) = &mut self.identity.doubt else { return };
        doubted.frozen = false;
        if doubted.battery.is_none() {
            let mut options = self.options.clone();
            options.battery_memory = None;
            doubted.battery = Some(std::mem::replace(&mut self.battery, Battery::new(&options)));
        }
        if self.ready && !self.store.is_stale() {
            self.publish(now);
        }
    }

    /// Whether publishing waits until it is known who answers. The words of the status do not wait.
    pub(super) fn holds_back(&mut self) -> bool {
        let Some(doubted) = &self.identity.doubt else { return false };
        let (since, frozen) = (doubted.since, doubted.frozen);
        // a part of the status alone would not tell whether mains is there
        let is_whole = match self.line.quality().is_noisy() {
            // what is not answered there was lost
            true => self.schedule.status_is_whole(|answered| answered >= since),
            false => self.schedule.status_is_as_whole_since(since),
        };
        if !is_whole {
            return true;
        }
        if !frozen {
            self.words_changed();
            return false;
        }
        if let Some(protocol) = self.protocol.filter(|_| !self.overridden(UPS_STATUS.name)) {
            let mut raised = protocol.raised(&self.facts());
            self.weigh(&mut raised);
            let says =
                |text: Option<&str>, word: &str| text.is_some_and(|text| text.split(' ').any(|w| w == word));
            // that the battery is low by its bounds is told as long as it is on battery
            let low = says(self.store.text(UPS_STATUS.name), "LB") && !raised.status.has(Status::Online);
            let status = if low { raised.status.with(Status::LowBattery) } else { raised.status };
            let status =
                if self.options.ignorelb && !low { status.without(Status::LowBattery) } else { status };
            self.store.set(UPS_STATUS.name, status.published(!raised.alarms.is_empty()));
        }
        true
    }

    /// The words of the status that were heard since it is not known who answers, and no others: what stands there
    /// was said before.
    pub(super) fn show_words_heard(&mut self) {
        let Some(protocol) = self.protocol.filter(|_| !self.overridden(UPS_STATUS.name)) else { return };
        let mut raised = protocol.raised(&self.shown_facts());
        if !self.is_proven() && raised.covers.has(Status::Online) {
            self.weigh(&mut raised);
            let without = raised.status.without(Status::LowBattery);
            let status = if self.options.ignorelb { without } else { raised.status };
            self.store.set(UPS_STATUS.name, status.published(!raised.alarms.is_empty()));
        }
    }

    /// What may be shown of the UPS.
    pub(super) fn shown_facts(&self) -> Facts<'_> {
        let Some(since) = self.doubted_since() else { return self.facts() };
        let heard = self.schedule.slots().iter().filter(|slot| slot.answered >= since);
        let heard = heard.filter_map(|slot| Some((slot.query, slot.reading.as_ref()?)));
        Facts::new(heard, self.options.flags)
    }

    /// Another UPS answers: everything of the one before is dropped, and this one is asked anew.
    pub(super) fn become_another(&mut self, why: &str, now: Moment) {
        let text = format!("another UPS answers: it {why}; the data of the previous one is dropped");
        self.note(LogLevel::Warning, text);
        self.drop_unit();
        self.schedule.clear();
        self.protocol = None;
        self.ready = false;
        self.store.set_stale(true);
        self.line.forget_unit();
        self.search.forget();
        self.search.begin(&self.options, now);
    }

    /// Nothing of the UPS before stays: battery, bounds, orders, requests.
    fn drop_unit(&mut self) {
        self.control.new_unit();
        self.identity = self.identity.of_another();
        self.options.battery_memory = None;
        self.battery = Battery::new(&self.options);
        self.publication.forget_unit();
        self.said.forget();
        if let Some(asker) = self.control.forget_orders() {
            let why = "another UPS answers: whether the previous one obeyed is not known".into();
            self.answer(asker, Outcome::NotConfirmed(why));
        }
        self.fail_requests();
        // what the configuration asks for is asked of this one, once it is surveyed
        self.control.begin_settings_anew();
        self.words_changed();
    }
}

/// What comes of a comparison.
enum Comparison {
    Nothing,
    Same,
    /// Nothing differs, and no name is said that would prove anything.
    Unnamed,
    Another(String),
}
