//! What waits for which output. No I/O, no clock: it says what to send next, takes what came of it, and which changes of it
//! have to be on the disk.
//!
//! Outputs know nothing of each other: each has its own queue, order, pauses and pace.

use crate::journal::{JournalChange, JournalState, ParcelRecord};
use crate::notice::{NoticeWeight, UpsNotice};
use crate::output::DeliveryOutcome;
use crate::pace::NoticePace;
use crate::parcel::{Parcel, heavy};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// So many wait for one output at most; then the oldest goes, and the next says so.
pub const WAITING: usize = 200;
/// The first pause after an attempt that failed, and the longest, in milliseconds.
const PAUSE_MS: i64 = 2_000;
const LONGEST_PAUSE_MS: i64 = 120_000;
/// A server may ask for no longer pause than this, in milliseconds.
const ASKED_PAUSE_MS: i64 = 3_600_000;
/// No reason is longer, in letters.
const LONGEST_WHY: usize = 200;

/// What an output is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextParcel {
    /// Wait until something comes.
    Nothing,
    /// Wait until then, in milliseconds of the steady clock.
    At(i64),
    /// Send this, once the changes are on the disk.
    Now(Parcel),
}

/// The queue of one output.
#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Parcel>,
    /// The number of the parcel that is being sent; it is the first one.
    under_way: Option<u64>,
    pace: NoticePace,
    /// The pace holds up what waits.
    is_held: bool,
    /// A parcel whose outcome is not known is sent once more.
    sends_again: bool,
    not_before_ms: i64,
    /// The server asked for that pause.
    is_asked_to_wait: bool,
    failures: u32,
    trouble: Option<String>,
}

/// How an output does, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputState {
    /// Its name.
    pub name: String,
    /// So many wait.
    pub waiting: usize,
    /// When the oldest of them happened, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// In how many milliseconds it is tried again, after a failure.
    pub next_in_ms: Option<i64>,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}

/// What a file of before came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// So many go on.
    pub waiting: usize,
    /// What was being done when the server ended, and is not done again.
    pub not_again: Vec<(String, String)>,
    /// So many were for outputs that are not there any more.
    pub homeless: usize,
}

/// All queues.
#[derive(Debug)]
pub struct Outbox {
    mark: String,
    named: u64,
    last: u64,
    queues: BTreeMap<String, Queue>,
    changes: Vec<JournalChange>,
}

impl Outbox {
    /// An empty one. `mark` is a text that no other start of the server has.
    pub fn new(mark: &str) -> Outbox {
        Outbox { mark: mark.into(), named: 0, last: 0, queues: BTreeMap::new(), changes: vec![] }
    }

    /// Makes the outputs these: name, notices a minute, and whether a notice is sent once more where it is not known whether
    /// it was taken. So many notices of outputs that are gone are dropped.
    pub fn set_outputs<'o>(&mut self, outputs: impl IntoIterator<Item = (&'o str, u32, bool)>) -> usize {
        let mut before = std::mem::take(&mut self.queues);
        for (name, per_minute, sends_again) in outputs {
            let pace = NoticePace::per_minute(per_minute);
            let mut queue = before.remove(name).unwrap_or_else(|| Queue::new(pace));
            queue.pace.become_(pace);
            queue.sends_again = sends_again;
            // another configuration is tried at once
            (queue.not_before_ms, queue.failures) = (0, 0);
            self.queues.insert(name.into(), queue);
        }
        let gone = before.into_values().flat_map(|queue| queue.waiting);
        let numbers: Vec<u64> = gone.map(|parcel| parcel.number).collect();
        self.changes.extend(numbers.iter().map(|number| JournalChange::Gone(*number)));
        numbers.len()
    }

    /// Takes what waited when the server ended. What was being sent is sent once more, marked, or never again.
    pub fn recover(&mut self, state: JournalState) -> Recovered {
        let mut recovered = Recovered::default();
        for (number, record) in state.parcels {
            self.last = self.last.max(number);
            let Some(queue) = self.queues.get_mut(&record.output) else {
                recovered.homeless += 1;
                self.changes.push(JournalChange::Gone(number));
                continue;
            };
            if record.is_under_way && (!queue.sends_again || record.may_have_come) {
                recovered.not_again.push((record.output, record.notice.title));
                self.changes.push(JournalChange::Gone(number));
                continue;
            }
            if record.is_under_way {
                self.changes.push(JournalChange::Doubt(number));
            }
            recovered.waiting += 1;
            queue.waiting.push_back(Parcel {
                number,
                notice: Rc::new(record.notice),
                may_have_come: record.may_have_come || record.is_under_way,
                held_back: record.held_back,
                untold: record.untold,
            });
        }
        recovered
    }

    /// Takes a notice for some outputs, and gives it its name.
    pub fn add(&mut self, mut notice: UpsNotice, outputs: &[String]) {
        self.named += 1;
        notice.id = format!("{}-{}", self.mark, self.named);
        let is_heavy = notice.weight() > NoticeWeight::Usual;
        let notice = Rc::new(notice);
        for output in outputs {
            let Some(queue) = self.queues.get_mut(output) else { continue };
            self.last += 1;
            let mut parcel = Parcel {
                number: self.last,
                notice: notice.clone(),
                may_have_come: false,
                held_back: vec![],
                untold: 0,
            };
            if queue.waiting.len() >= WAITING {
                let (at, is_heavy) = queue.dispensable();
                if let Some(oldest) = queue.waiting.remove(at) {
                    self.changes.push(JournalChange::Gone(oldest.number));
                    let heir = queue.waiting.get_mut(at).unwrap_or(&mut parcel);
                    heir.take_over(vec![(oldest, is_heavy)]);
                    self.changes.push(kept(output, heir, false));
                }
            }
            // a network that is back is seen at once, and mains that flap are no news
            let is_known = || queue.waiting.iter().any(|other| other.notice.is_of(&notice));
            if is_heavy && !queue.is_asked_to_wait && !is_known() {
                queue.not_before_ms = 0;
            }
            self.changes.push(kept(output, &parcel, false));
            queue.waiting.push_back(parcel);
        }
    }

    /// What an output is to do now. What it is to send is under way from now on.
    pub fn next(&mut self, output: &str, now_ms: i64) -> NextParcel {
        let Some(queue) = self.queues.get_mut(output) else { return NextParcel::Nothing };
        if queue.waiting.is_empty() || queue.under_way.is_some() {
            return NextParcel::Nothing;
        }
        if queue.not_before_ms > now_ms {
            return NextParcel::At(queue.not_before_ms);
        }
        if let Err(at) = queue.pace.take(now_ms) {
            queue.is_held = true;
            return NextParcel::At(at);
        }
        if std::mem::take(&mut queue.is_held) {
            for gone in queue.put_together() {
                self.changes.push(JournalChange::Gone(gone));
            }
            if let Some(last) = queue.waiting.back() {
                self.changes.push(kept(output, last, false));
            }
        }
        let Some(first) = queue.waiting.front() else { return NextParcel::Nothing };
        queue.under_way = Some(first.number);
        self.changes.push(JournalChange::Begun(first.number));
        NextParcel::Now(first.clone())
    }

    /// What came of sending; what is to be said of it in the log, as a warning or not.
    pub fn ended(&mut self, output: &str, outcome: DeliveryOutcome, now_ms: i64) -> Option<(bool, String)> {
        let queue = self.queues.get_mut(output)?;
        let number = queue.under_way.take()?;
        let parcel = queue.waiting.front_mut().filter(|parcel| parcel.number == number)?;
        let title = parcel.notice.title.clone();
        match outcome {
            DeliveryOutcome::Taken => {
                self.leaves(output);
                let queue = self.queues.get_mut(output)?;
                queue.failures = 0;
                let trouble = queue.trouble.take();
                trouble.map(|_| (false, "delivers again".into()))
            }
            DeliveryOutcome::NotTaken { why, again_after_s } => {
                self.changes.push(JournalChange::Back(number));
                queue.pace.give_back();
                let pause = queue.pause(again_after_s);
                queue.not_before_ms = now_ms.saturating_add(pause);
                let said = format!("{}; what waits is tried again", short(&why));
                queue.fails(&why).then_some((true, said))
            }
            DeliveryOutcome::Refused(why) if queue.sends_again && parcel.shorten() => {
                self.changes.push(kept(output, parcel, false));
                let pause = queue.pause(None);
                queue.not_before_ms = now_ms.saturating_add(pause);
                let said =
                    format!("'{title}' is not taken: {}; it is sent with fewer lines of others", short(&why));
                Some((true, said))
            }
            DeliveryOutcome::Refused(why) => {
                self.leaves(output);
                Some((true, format!("'{title}' is not delivered: {}", short(&why))))
            }
            DeliveryOutcome::Unknown(why) if queue.sends_again && !parcel.may_have_come => {
                parcel.may_have_come = true;
                self.changes.push(JournalChange::Doubt(number));
                let pause = queue.pause(None);
                queue.not_before_ms = now_ms.saturating_add(pause);
                queue.trouble = Some(short(&why));
                let said =
                    format!("'{title}' may not have come: {}; it is sent once more, marked", short(&why));
                Some((true, said))
            }
            DeliveryOutcome::Unknown(why) => {
                self.leaves(output);
                let said = format!("'{title}' may not have come: {}; it is not sent again", short(&why));
                Some((true, said))
            }
        }
    }

    fn leaves(&mut self, output: &str) {
        let first = self.queues.get_mut(output).and_then(|queue| queue.waiting.pop_front());
        self.changes.extend(first.map(|parcel| JournalChange::Gone(parcel.number)));
    }

    /// The changes since the last call.
    pub fn take_changes(&mut self) -> Vec<JournalChange> {
        std::mem::take(&mut self.changes)
    }

    /// All parcels, to be kept.
    pub fn records(&self) -> Vec<ParcelRecord> {
        let mut all = vec![];
        for (output, queue) in &self.queues {
            all.extend(
                queue
                    .waiting
                    .iter()
                    .map(|parcel| parcel.record(output, queue.under_way == Some(parcel.number))),
            );
        }
        all.sort_by_key(|record| record.number);
        all
    }

    /// How outputs do.
    pub fn states(&self, now_ms: i64) -> Vec<OutputState> {
        let state = |(name, queue): (&String, &Queue)| OutputState {
            name: name.clone(),
            waiting: queue.waiting.len(),
            oldest_ms: queue.waiting.front().map(|parcel| parcel.notice.at_ms),
            next_in_ms: Some(queue.not_before_ms - now_ms)
                .filter(|left| *left > 0 && !queue.waiting.is_empty()),
            trouble: queue.trouble.clone(),
        };
        self.queues.iter().map(state).collect()
    }

    /// Whether something is being sent.
    pub fn is_sending(&self) -> bool {
        self.queues.values().any(|queue| queue.under_way.is_some())
    }
}

impl Queue {
    fn new(pace: NoticePace) -> Queue {
        Queue {
            waiting: VecDeque::new(),
            under_way: None,
            pace,
            is_held: false,
            sends_again: false,
            not_before_ms: 0,
            is_asked_to_wait: false,
            failures: 0,
            trouble: None,
        }
    }

    /// Growing pauses, or what the server asks for.
    fn pause(&mut self, asked_s: Option<u32>) -> i64 {
        let grown = PAUSE_MS.saturating_mul(1_i64 << self.failures.min(16)).min(LONGEST_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        self.is_asked_to_wait = asked_s.is_some();
        let asked = asked_s.map_or(0, |seconds| i64::from(seconds).saturating_mul(1000));
        grown.max(asked.min(ASKED_PAUSE_MS))
    }

    /// Whether this trouble is another one than before.
    fn fails(&mut self, why: &str) -> bool {
        let why = short(why);
        let is_new = self.trouble.as_ref() != Some(&why);
        self.trouble = Some(why);
        is_new
    }

    /// What the pace held up becomes one parcel with a line for each other: the one that matters most, else the last one. A
    /// program acts on what it is run for, so it is run for each that shuts machines down. One that may have come already stays
    /// for itself. The numbers of those that are gone.
    fn put_together(&mut self) -> Vec<u64> {
        if self.waiting.len() < 2 || self.waiting.front().is_some_and(|first| first.may_have_come) {
            return vec![];
        }
        let heavy = heavy(self.waiting.iter());
        let mut all: Vec<(Parcel, bool)> = self.waiting.drain(..).zip(heavy).collect();
        if !self.sends_again {
            let (mut own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, is_heavy)| *is_heavy);
            own.sort_by_key(|(parcel, _)| std::cmp::Reverse(parcel.notice.weight()));
            self.waiting.extend(own.into_iter().map(|(parcel, _)| parcel));
            all = others;
        }
        // of those that matter most the last one
        let lead = (0..all.len()).max_by_key(|at| (all[*at].1.then(|| all[*at].0.notice.weight()), *at));
        let Some((mut lead, _)) = lead.map(|at| all.remove(at)) else { return vec![] };
        let gone = all.iter().map(|(parcel, _)| parcel.number).collect();
        lead.take_over(all);
        self.waiting.push_back(lead);
        gone
    }

    /// Which goes where there is no room: the oldest that shuts no machine down, else the oldest, and whether it shuts some
    /// down. What is under way stays.
    fn dispensable(&self) -> (usize, bool) {
        let first = usize::from(self.under_way.is_some());
        let heavy = heavy(self.waiting.iter());
        let usual = (first..heavy.len()).find(|at| !heavy[*at]);
        usual.map_or((first, true), |at| (at, false))
    }
}

fn kept(output: &str, parcel: &Parcel, is_under_way: bool) -> JournalChange {
    JournalChange::Parcel(Box::new(parcel.record(output, is_under_way)))
}

/// A reason in one line: a server may have said anything.
fn short(why: &str) -> String {
    let plain = why.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(LONGEST_WHY).collect()
}
