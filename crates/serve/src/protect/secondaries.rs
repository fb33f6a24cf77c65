//! Secondaries that are expected: whether they ask, and are logged in.

use crate::server::Server;
use ::protect::{ExpectedSecondary, SecondaryFinding, SecondaryState, SecondaryWatch};
use history::EventKind;
use std::cell::RefCell;
use std::time::Duration;

/// Hears of the requests of clients.
#[derive(Debug)]
pub(crate) struct SecondaryEars {
    watch: RefCell<Option<SecondaryWatch>>,
    findings: RefCell<Vec<SecondaryFinding>>,
}

impl SecondaryEars {
    /// Nothing was heard yet.
    pub fn new(expected: Vec<ExpectedSecondary>, now: Duration) -> SecondaryEars {
        let watch = (!expected.is_empty()).then(|| SecondaryWatch::new(expected, now));
        SecondaryEars { watch: RefCell::new(watch), findings: RefCell::default() }
    }

    /// Others are expected from now on.
    pub fn follow(&self, expected: Vec<ExpectedSecondary>, now: Duration) {
        self.watch.replace((!expected.is_empty()).then(|| SecondaryWatch::new(expected, now)));
    }

    /// A client asked for a UPS, by one of its names.
    pub fn heard(&self, address: &str, user: Option<&str>, ups: &str, logged_in: bool) {
        if let Some(watch) = &mut *self.watch.borrow_mut() {
            let found = watch.heard(super::clock::since_boot(), address, user, ups, logged_in);
            self.findings.borrow_mut().extend(found);
        }
    }

    /// Time went on; what changed is said.
    pub fn tick(&self, now: Duration, server: &Server) {
        if let Some(watch) = &mut *self.watch.borrow_mut() {
            self.findings.borrow_mut().extend(watch.tick(now));
        }
        for finding in self.findings.take() {
            let name = &finding.name;
            let (is_alarm, text) = match finding.to {
                SecondaryState::LoggedIn => (false, format!("secondary {name} is logged in")),
                SecondaryState::Absent => (
                    true,
                    format!(
                        "secondary {name} is absent: nothing is heard of it; look whether its upsmon runs"
                    ),
                ),
                SecondaryState::NotLoggedIn => (
                    true,
                    format!(
                        "secondary {name} asks without being logged in, so it is not waited for; look at its user and password"
                    ),
                ),
                SecondaryState::Awaited => continue,
            };
            let line = format!("protect: {text}");
            if is_alarm {
                server.log.warning(&line)
            } else {
                server.log.info(&line)
            }
            server.note_event(EventKind::Protection, None, &text);
        }
    }

    /// How each stands.
    pub fn states(&self) -> Vec<(String, SecondaryState)> {
        let watch = self.watch.borrow();
        let states = watch.iter().flat_map(SecondaryWatch::states);
        states.map(|(expected, state)| (expected.name.clone(), state)).collect()
    }
}
