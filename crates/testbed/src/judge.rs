//! What was published, judged by what the UPS would say to a driver on a line without any trouble.

use qx::vocabulary::moment::Moment;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A value may have been said so long ago: some are asked every half a minute only.
const VALUE_AGE: Duration = Duration::from_secs(90);
/// A status word may have been true so long ago: a poll, what it takes to be stale, and a second look.
const WORD_AGE: Duration = Duration::from_secs(12);
/// Truth is looked at now and then: a word is judged so much later,
const WORD_PATIENCE: Duration = Duration::from_millis(2500);
/// and a value so much later.
const VALUE_PATIENCE: Duration = Duration::from_secs(12);
/// The first round of questions, and the next.
const START: Moment = Moment::after_start(Duration::from_secs(10));
/// An outage that is longer than three polls has to be seen; the truth is looked at every second.
const LONG: Duration = Duration::from_secs(7);

/// So many examples are kept.
const EXAMPLES: usize = 64;

/// Words that switch machines off.
pub const GRAVE: [&str; 3] = ["LB", "FSD", "OFF"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Values published that the UPS did not say.
    pub wrong: u64,
    /// The same in the first seconds, when nothing is known of the line yet: a first reading is
    /// accepted at once.
    pub wrong_at_start: u64,
    /// Values published in all.
    pub published: u64,
    /// Outages that were shown and were none.
    pub false_ob: u64,
    /// The same of the words that switch machines off.
    pub false_grave: u64,
    /// The same of any other word.
    pub false_other: u64,
    /// Outages and low batteries that lasted longer than three polls, and those of them never shown.
    pub happened: u64,
    /// Those of them that were never shown.
    pub missed: u64,
    /// The longest time until one was shown.
    pub slowest: Duration,
    /// Examples.
    pub examples: Vec<String>,
}

/// When, what, and its text.
type New = (Moment, String, String);

/// The first that waited long enough.
fn due(waiting: &mut VecDeque<New>, now: Moment, patience: Duration) -> Option<New> {
    let is_due = waiting.front().is_some_and(|(at, ..)| *at + patience <= now);
    is_due.then(|| waiting.pop_front()).flatten()
}

/// Compares.
#[derive(Default)]
pub struct TwinJudge {
    pub found: Findings,
    /// What the UPS says of each variable: texts, and when each was so last.
    truth: BTreeMap<String, VecDeque<(Moment, String)>>,
    words: BTreeMap<String, Moment>,
    now_true: BTreeSet<String>,
    shown: BTreeSet<String>,
    /// What was published and is to be judged yet: status words, and values with their names.
    new_words: VecDeque<New>,
    new_values: VecDeque<New>,
    /// Outages and low batteries that go on: since when, and whether they were shown.
    going_on: BTreeMap<&'static str, (Moment, bool)>,
}

fn words(status: &str) -> BTreeSet<String> {
    status.split(' ').filter(|word| *word != "ALARM").map(String::from).collect()
}

impl TwinJudge {
    /// Takes what is so now.
    pub fn learn<'a>(&mut self, now: Moment, said: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, text) in said {
            if name == "ups.status" {
                self.now_true = words(text);
                for word in &self.now_true {
                    self.words.insert(word.clone(), now);
                }
                self.follow(now);
                continue;
            }
            let texts = self.truth.entry(name.into()).or_default();
            match texts.iter_mut().find(|(_, known)| known == text) {
                Some(known) => known.0 = now,
                None => texts.push_back((now, text.into())),
            }
            texts.retain(|(last, _)| now.saturating_sub(*last) <= VALUE_AGE);
        }
    }

    fn follow(&mut self, now: Moment) {
        for word in ["OB", "LB"] {
            let is = self.now_true.contains(word);
            match self.going_on.get(word).copied() {
                None if is => drop(self.going_on.insert(word, (now, self.shown.contains(word)))),
                Some((since, shown)) if !is => {
                    self.going_on.remove(word);
                    if now - since >= LONG {
                        self.found.happened += 1;
                        self.found.missed += u64::from(!shown);
                        if !shown {
                            self.found
                                .examples
                                .insert(0, format!("{since:?}: {word} not shown until {now:?}"));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn example(&mut self, text: String) {
        if self.found.examples.len() < EXAMPLES {
            self.found.examples.push(text);
        }
    }

    /// Takes the status that is shown.
    pub fn status(&mut self, now: Moment, text: &str) {
        let shown = words(text);
        for word in shown.difference(&self.shown) {
            self.new_words.push_back((now, word.clone(), text.into()));
        }
        for (word, (since, seen)) in &mut self.going_on {
            if shown.contains(*word) && !*seen {
                *seen = true;
                self.found.slowest = self.found.slowest.max(now - *since);
            }
        }
        self.shown = shown;
    }

    /// Takes a value that was published.
    pub fn value(&mut self, now: Moment, name: &str, text: &str) {
        self.found.published += 1;
        self.new_values.push_back((now, name.into(), text.into()));
    }

    /// Judges what can be judged by now.
    pub fn judge(&mut self, now: Moment) {
        while let Some((at, word, text)) = due(&mut self.new_words, now, WORD_PATIENCE) {
            if self.words.get(&word).is_none_or(|last| *last + WORD_AGE < at) {
                match word.as_str() {
                    "OB" => self.found.false_ob += 1,
                    word if GRAVE.contains(&word) => self.found.false_grave += 1,
                    _ => self.found.false_other += 1,
                }
                // what was invented is the first to be shown
                self.found.examples.insert(0, format!("{at:?}: {word} in '{text}'"));
                self.found.examples.truncate(EXAMPLES);
            }
        }
        while let Some((at, name, text)) = due(&mut self.new_values, now, VALUE_PATIENCE) {
            if !self.was_said(&name, &text) {
                match at < START {
                    true => self.found.wrong_at_start += 1,
                    false => self.found.wrong += 1,
                }
                let said = self.truth.get(&name);
                self.example(format!("{at:?}: {name} = '{text}', said {said:?}"));
            }
        }
    }

    fn was_said(&self, name: &str, text: &str) -> bool {
        let texts = || self.truth.get(name).into_iter().flatten().map(|(_, text)| text.as_str());
        let numbers = || texts().filter_map(|text| text.parse::<f64>().ok());
        // a number may be on its way from one to the other
        texts().any(|said| said == text)
            || text.parse::<f64>().is_ok_and(|number| {
                numbers().any(|one| one <= number) && numbers().any(|other| other >= number)
            })
    }
}
