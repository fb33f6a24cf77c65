//! Server-sent events: what a client has not heard yet. Nothing waits for a client in a queue: it hears what is so when it
//! takes the next event, so a slow one costs a few bytes for each UPS, and misses only what is past.

use crate::json;
use crate::view::{FleetView, UpsView};
use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// So long a client waits before it connects again.
const RETRY_MS: u32 = 3000;
/// How often the ages are said, though nothing else is new; it also shows that the connection lives.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// What one client wants to hear, and has heard.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// The UPS whose variables it wants; none for summaries of all.
    ups: Option<String>,
    heard: HashMap<String, u64>,
    protection: Option<String>,
    greeted: bool,
}

impl Listener {
    /// A client that wants summaries of all UPSes, or all of one.
    pub fn new(ups: Option<String>) -> Listener {
        Listener { ups, ..Listener::default() }
    }

    /// The events that it has not heard, as text; empty where nothing is new. `is_due` asks for the ages as well.
    pub fn next(&mut self, fleet: &FleetView, is_due: bool) -> String {
        let mut out = String::new();
        if !self.greeted {
            self.greeted = true;
            let _ = write!(out, "retry: {RETRY_MS}\n\n");
        }
        match self.ups.clone() {
            Some(name) => self.one(fleet.find(&name), &name, is_due, &mut out),
            None => self.all(fleet, is_due, &mut out),
        }
        out
    }

    fn one(&mut self, ups: Option<&UpsView>, name: &str, is_due: bool, out: &mut String) {
        match ups {
            Some(ups) => {
                let is_new = self.is_new(name, digest_of_all(ups));
                if is_new || is_due {
                    event("ups", &json::whole(ups), out);
                }
            }
            None if self.is_new(name, 0) || is_due => event("gone", &quoted(name), out),
            None => {}
        }
    }

    fn all(&mut self, fleet: &FleetView, is_due: bool, out: &mut String) {
        for ups in &fleet.upses {
            if self.is_new(&ups.name, digest(ups)) {
                event("summary", &json::short(ups), out);
            }
        }
        if self.heard.len() > fleet.upses.len() {
            let there: std::collections::HashSet<&str> =
                fleet.upses.iter().map(|ups| ups.name.as_str()).collect();
            self.heard.retain(|name, _| {
                let stays = there.contains(name.as_str());
                if !stays {
                    event("gone", &quoted(name), out);
                }
                stays
            });
        }
        let protection = fleet.server.protection.as_ref().map(|protection| protection.line());
        if protection.is_some() && self.protection != protection {
            event("protection", &quoted(protection.as_deref().unwrap_or_default()), out);
        }
        self.protection = protection;
        if is_due {
            event("ages", &json::ages(fleet), out);
        }
    }

    fn is_new(&mut self, name: &str, digest: u64) -> bool {
        match self.heard.get_mut(name) {
            Some(known) => std::mem::replace(known, digest) != digest,
            None => {
                self.heard.insert(name.into(), digest);
                true
            }
        }
    }
}

fn quoted(name: &str) -> String {
    let mut out = String::new();
    crate::escape::json(name, &mut out);
    out
}

/// JSON has no line break, so one line of data is enough.
fn event(name: &str, data: &str, out: &mut String) {
    let _ = write!(out, "event: {name}\ndata: {data}\n\n");
}

/// Stands for all that a summary shows, but its age.
fn digest(ups: &UpsView) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&ups.description, ups.state.word(), ups.forced_shutdown).hash(&mut hasher);
    ups.text("ups.status").hash(&mut hasher);
    for (_, variable) in json::SUMMARY {
        (ups.text(variable), ups.is_computed(variable)).hash(&mut hasher);
    }
    hasher.finish()
}

fn digest_of_all(ups: &UpsView) -> u64 {
    let mut hasher = DefaultHasher::new();
    digest(ups).hash(&mut hasher);
    ups.commands.hash(&mut hasher);
    for variable in ups.live() {
        (&variable.name, &variable.text).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ups;
    use crate::view::DataState;

    fn fleet(upses: Vec<UpsView>) -> FleetView {
        FleetView { upses, ..FleetView::default() }
    }

    #[test]
    fn a_client_hears_what_changed_and_no_more() {
        let mut listener = Listener::new(None);
        let (rack, attic) = (ups("rack", &[("ups.status", "OL")]), ups("attic", &[("ups.status", "OL")]));
        let first = listener.next(&fleet(vec![rack.clone(), attic.clone()]), false);
        assert!(first.starts_with("retry: ") && first.matches("event: summary").count() == 2, "{first}");
        assert_eq!(listener.next(&fleet(vec![rack.clone(), attic.clone()]), false), "");
        let outage = ups("attic", &[("ups.status", "OB")]);
        let said = listener.next(&fleet(vec![rack.clone(), outage]), false);
        assert!(
            said.contains("On battery") && said.contains("\"attic\"") && !said.contains("rack"),
            "{said}"
        );
        let stale = UpsView { state: DataState::Stale, ..rack };
        let said = listener.next(&fleet(vec![stale]), false);
        assert!(
            said.contains("\"state\":\"stale\"") && said.contains("event: gone\ndata: \"attic\""),
            "{said}"
        );
        let heartbeat = listener.next(&fleet(vec![ups("rack", &[])]), true);
        assert!(heartbeat.contains("event: ages\ndata: {\"rack\":1.2}"), "{heartbeat}");
    }

    #[test]
    fn of_one_ups_every_variable_counts() {
        let mut listener = Listener::new(Some("RACK".into()));
        let mut next = |volts: &str, is_due| {
            let rack = ups("rack", &[("ups.status", "OL"), ("output.voltage", volts)]);
            listener.next(&fleet(vec![rack, ups("attic", &[("ups.status", volts)])]), is_due)
        };
        assert!(next("230.0", false).contains("230.0"));
        assert_eq!(next("230.0", false), "");
        assert!(next("231.0", false).contains("\"value\":\"231.0\""));
        assert!(next("231.0", true).contains("event: ups"));
        assert!(listener.next(&fleet(vec![]), false).contains("event: gone\ndata: \"RACK\""));
        assert_eq!(listener.next(&fleet(vec![]), false), "");
    }

    #[test]
    fn no_value_ends_an_event() {
        let mut listener = Listener::new(Some("x".into()));
        let said =
            listener.next(&fleet(vec![ups("x", &[("ups.mfr", "a\n\nevent: ups\ndata: {}\n\r")])]), false);
        assert_eq!(said.matches("event:").count(), 2, "{said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("event:")).count(), 1, "{said}");
        assert!(!said.contains('\r'));
    }
}
