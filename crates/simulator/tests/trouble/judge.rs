//! What was published, judged by what the UPS would say to a driver on a line without any trouble.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A value may have been said so long ago: some are asked every half a minute only.
const VALUE_AGE: Duration = Duration::from_secs(75);
/// A status word may have been true so long ago: a poll, what it takes to be stale, and a second look.
const WORD_AGE: Duration = Duration::from_secs(12);
/// An outage that is longer than three polls has to be seen; the truth is looked at every second.
const LONG: Duration = Duration::from_secs(7);

/// Words that switch machines off.
pub const GRAVE: [&str; 3] = ["LB", "FSD", "OFF"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Values published that the UPS did not say.
    pub wrong: u64,
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

/// Compares.
#[derive(Default)]
pub struct Judge {
    pub found: Findings,
    /// What the UPS says of each variable: texts, and when each was so last.
    truth: BTreeMap<String, VecDeque<(Duration, String)>>,
    words: BTreeMap<String, Duration>,
    now_true: BTreeSet<String>,
    shown: BTreeSet<String>,
    /// Outages and low batteries that go on: since when, and whether they were shown.
    going_on: BTreeMap<&'static str, (Duration, bool)>,
}

fn words(status: &str) -> BTreeSet<String> {
    status.split(' ').filter(|word| *word != "ALARM").map(String::from).collect()
}

impl Judge {
    /// Takes what is so now.
    pub fn learn<'a>(&mut self, now: Duration, said: impl Iterator<Item = (&'a str, &'a str)>) {
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

    fn follow(&mut self, now: Duration) {
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
                            self.example(format!("{since:?}: {word} not shown until {now:?}"));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn example(&mut self, text: String) {
        if self.found.examples.len() < 12 {
            self.found.examples.push(text);
        }
    }

    /// Judges the status words that are shown.
    pub fn status(&mut self, now: Duration, text: &str) {
        let shown = words(text);
        for word in shown.difference(&self.shown.clone()) {
            let fresh = self.words.get(word).is_some_and(|last| now.saturating_sub(*last) <= WORD_AGE);
            if !fresh {
                match word.as_str() {
                    "OB" => self.found.false_ob += 1,
                    word if GRAVE.contains(&word) => self.found.false_grave += 1,
                    _ => self.found.false_other += 1,
                }
                self.example(format!("{now:?}: {word} in '{text}'"));
            }
        }
        for (word, (since, seen)) in &mut self.going_on {
            if shown.contains(*word) && !*seen {
                *seen = true;
                self.found.slowest = self.found.slowest.max(now - *since);
            }
        }
        self.shown = shown;
    }

    /// Judges a value that was published.
    pub fn value(&mut self, now: Duration, name: &str, text: &str) {
        self.found.published += 1;
        let known = self.truth.get(name);
        let texts = || known.into_iter().flatten().map(|(_, text)| text.as_str());
        let number = |text: &str| text.parse::<f64>().ok();
        let right = texts().any(|said| said == text)
            || number(text).is_some_and(|number| {
                let said = || texts().filter_map(|text| text.parse::<f64>().ok());
                // a number on its way from one to the other
                said().any(|one| one <= number) && said().any(|other| other >= number)
            });
        if !right {
            self.found.wrong += 1;
            let said: Vec<&str> = texts().collect();
            self.example(format!("{now:?}: {name} = '{text}', said {said:?}"));
        }
    }
}
