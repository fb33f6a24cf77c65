//! Secondaries that are expected: absent, or asking without being logged in (nut#3403).

use std::time::Duration;

/// A secondary that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSecondary {
    /// Its name.
    pub name: String,
    /// From which address.
    pub address: Option<String>,
    /// By which user.
    pub user: Option<String>,
    /// On which UPS; none: on any.
    pub ups: Option<String>,
    /// How often it asks.
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

/// Watches expected secondaries.
#[derive(Debug, Clone)]
pub struct SecondaryWatch {}

impl SecondaryWatch {
    /// Nothing was heard yet.
    pub fn new(_expected: Vec<ExpectedSecondary>, _now: Duration) -> SecondaryWatch {
        SecondaryWatch {}
    }

    /// A client asked for, or is logged in to, a UPS. Due with requests; once a second for each client is enough.
    pub fn heard(
        &mut self,
        _now: Duration,
        _address: &str,
        _user: Option<&str>,
        _ups: &str,
        _logged_in: bool,
    ) -> Vec<SecondaryFinding> {
        vec![]
    }

    /// What changed by time alone.
    pub fn tick(&mut self, _now: Duration) -> Vec<SecondaryFinding> {
        vec![]
    }

    /// How each stands.
    pub fn states(&self) -> impl Iterator<Item = (&ExpectedSecondary, SecondaryState)> {
        [].into_iter()
    }
}
