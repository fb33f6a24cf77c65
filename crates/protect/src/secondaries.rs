//! Secondaries that are expected: absent, or asking without being logged in (nut#3403).

use std::time::Duration;

/// Nothing heard for so many of its polls: it is absent.
const ABSENT_POLLS: u32 = 3;

/// A secondary that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSecondary {
    /// Its name.
    pub name: String,
    /// From which address.
    pub address: Option<String>,
    /// By which user. A client that never says its name is recognised by its address alone.
    pub user: Option<String>,
    /// On which UPS; none: on any.
    pub ups: Option<String>,
    /// How often it asks; upsmon's POLLFREQ, 5 s by default.
    pub poll: Duration,
}

/// How a secondary stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondaryState {
    /// Too soon to say.
    Awaited,
    /// Logged in.
    LoggedIn,
    /// It asks without being logged in: it would not be waited for, nor perhaps obey.
    NotLoggedIn,
    /// Nothing was heard of it.
    Absent,
}

/// A change of how a secondary stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryFinding {
    /// Its name.
    pub name: String,
    /// From.
    pub from: SecondaryState,
    /// To.
    pub to: SecondaryState,
}

#[derive(Debug, Clone)]
struct WatchedSecondary {
    expected: ExpectedSecondary,
    state: SecondaryState,
    heard: Duration,
    logged_in: Option<Duration>,
    /// Since when it asks without a login.
    asks: Option<Duration>,
}

/// Watches expected secondaries.
#[derive(Debug, Clone)]
pub struct SecondaryWatch {
    watched: Vec<WatchedSecondary>,
}

impl ExpectedSecondary {
    fn is(&self, address: &str, user: Option<&str>, ups: &str) -> bool {
        let same_user = match (&self.user, user) {
            (Some(expected), Some(user)) => expected == user,
            // who gave no name is recognised by address
            (Some(_), None) => self.address.is_some(),
            (None, _) => self.address.is_some(),
        };
        same_user
            && self.address.as_deref().is_none_or(|expected| expected == address)
            && self.ups.as_deref().is_none_or(|expected| expected == ups)
    }
}

impl SecondaryWatch {
    /// Nothing was heard yet.
    pub fn new(expected: Vec<ExpectedSecondary>, now: Duration) -> SecondaryWatch {
        let watched = expected.into_iter().map(|expected| WatchedSecondary {
            expected,
            state: SecondaryState::Awaited,
            heard: now,
            logged_in: None,
            asks: None,
        });
        SecondaryWatch { watched: watched.collect() }
    }

    /// A client asked for a UPS, and is logged in to it or not. Due with requests; once a second for each client is enough.
    pub fn heard(
        &mut self,
        now: Duration,
        address: &str,
        user: Option<&str>,
        ups: &str,
        logged_in: bool,
    ) -> Vec<SecondaryFinding> {
        for watched in self.watched.iter_mut().filter(|watched| watched.expected.is(address, user, ups)) {
            watched.heard = watched.heard.max(now);
            if logged_in {
                (watched.logged_in, watched.asks) = (Some(now), None);
            } else {
                watched.asks.get_or_insert(now);
            }
        }
        self.tick(now)
    }

    /// What changed by time alone. Due once a second.
    pub fn tick(&mut self, now: Duration) -> Vec<SecondaryFinding> {
        self.watched.iter_mut().filter_map(|watched| watched.changes(now)).collect()
    }

    /// How each stands.
    pub fn states(&self) -> impl Iterator<Item = (&ExpectedSecondary, SecondaryState)> {
        self.watched.iter().map(|watched| (&watched.expected, watched.state))
    }
}

impl WatchedSecondary {
    fn changes(&mut self, now: Duration) -> Option<SecondaryFinding> {
        let poll = self.expected.poll.max(Duration::from_secs(1));
        let silent = now.saturating_sub(self.heard) >= poll.saturating_mul(ABSENT_POLLS);
        // upsmon logs in before it asks; a program that only looks beside an upsmon takes no login away
        let login_lives =
            self.logged_in.is_some_and(|at| now.saturating_sub(at) < poll.saturating_mul(ABSENT_POLLS));
        let to = if silent {
            SecondaryState::Absent
        } else if login_lives {
            SecondaryState::LoggedIn
        } else if self.asks.is_some_and(|since| now.saturating_sub(since) >= poll) {
            SecondaryState::NotLoggedIn
        } else {
            self.state
        };
        if silent {
            self.asks = None;
        }
        let from = std::mem::replace(&mut self.state, to);
        (from != to).then(|| SecondaryFinding { name: self.expected.name.clone(), from, to })
    }
}
