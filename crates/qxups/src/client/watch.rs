//! `qxups watch`: a line for each change.

use super::access::{AccessOptions, OrderUser, seconds};
use super::clock;
use super::feed::{Feed, News, Variables, or_all};
use super::json;
use super::place::{ServerAddress, UpsAddress, UpsPlace};
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out;
use clap::Args;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How much may wait to be printed.
const WAITING: usize = 64;

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct Watch {
    /// UPSes: UPS[@HOST[:PORT]], or @HOST[:PORT] for all of a server; left out, all of this host
    #[arg(value_name = "UPS")]
    places: Vec<UpsPlace>,
    /// Only this variable, or with a * at the end all that begin so; may be given several times
    #[arg(short = 'V', long = "variable", value_name = "NAME")]
    only: Vec<String>,
    /// How often each UPS is read
    #[arg(short, long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    interval: Duration,
    /// End after so many readings of each server
    #[arg(short = 'n', long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// A line of JSON for each change
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// A variable of a UPS: what it was, what it is; `None` where it is not there.
    Variable { ups: UpsAddress, name: String, was: Option<String>, now: Option<String> },
    /// There are no data of a UPS, and why.
    NoData { ups: UpsAddress, why: String },
    /// There are data again.
    Back { ups: UpsAddress },
    /// There is no connection to the server, and why.
    Lost { server: ServerAddress, why: String },
    /// It stands again.
    Connected { server: ServerAddress },
}

impl Watch {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let feed = Feed { reach: self.access.reach()?, user: self.user.named()?, interval: self.interval };
        let (sender, news) = sync_channel(WAITING);
        let places = or_all(self.places.clone());
        let wakers = feed.start(&places, &sender);
        drop(sender);
        let mut seen = Seen::default();
        let mut rounds: BTreeMap<ServerAddress, u64> = BTreeMap::new();
        while let Ok(said) = news.recv() {
            match &said {
                // a mistake in the name of a server or UPS is not waited on for ever
                News::Lost(server, why) if !rounds.contains_key(server) => {
                    return Err(ClientTrouble::Said(ExitStatus::Unconnected, why.clone()));
                }
                News::Refused(ups, ExitStatus::Failed, why) if !rounds.contains_key(&ups.server) => {
                    return Err(ClientTrouble::Said(ExitStatus::Failed, format!("{ups}: {why}")));
                }
                News::Round(server) => {
                    *rounds.entry(server.clone()).or_default() += 1;
                    let enough =
                        |count| rounds.len() == wakers.len() && rounds.values().all(|done| *done >= count);
                    if self.count.is_some_and(enough) {
                        return Ok(ExitStatus::Done);
                    }
                }
                _ => {}
            }
            for change in seen.take(said) {
                self.print(&change)?;
            }
        }
        Ok(ExitStatus::Done)
    }

    fn print(&self, change: &Change) -> Result<(), ClientTrouble> {
        if let Change::Variable { name, .. } = change {
            if !self.only.is_empty() && !self.only.iter().any(|wanted| fits(wanted, name)) {
                return Ok(());
            }
        }
        match self.json {
            true => json::print_line(&change.json(&clock::stamp())),
            false => Ok(out::print(&format!("{} {}\n", clock::stamp(), change.text()))?),
        }
    }
}

fn fits(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == wanted,
    }
}

impl Change {
    fn text(&self) -> String {
        match self {
            Change::Variable { ups, name, was, now } => match (was, now) {
                (Some(was), Some(now)) => format!("{ups} {name}: {was} -> {now}"),
                (None, Some(now)) => format!("{ups} {name}: {now}"),
                (_, None) => format!("{ups} {name}: gone"),
            },
            Change::NoData { ups, why } => format!("{ups}: no data: {why}"),
            Change::Back { ups } => format!("{ups}: data again"),
            Change::Lost { server, why } => format!("{server}: no connection: {why}"),
            Change::Connected { server } => format!("{server}: connected again"),
        }
    }

    fn json(&self, time: &str) -> Value {
        match self {
            Change::Variable { ups, name, was, now } => {
                json!({"time": time, "ups": ups.to_string(), "variable": name, "was": was, "value": now})
            }
            Change::NoData { ups, why } => {
                json!({"time": time, "ups": ups.to_string(), "event": "no data", "text": why})
            }
            Change::Back { ups } => json!({"time": time, "ups": ups.to_string(), "event": "data"}),
            Change::Lost { server, why } => {
                json!({"time": time, "server": server.to_string(), "event": "no connection", "text": why})
            }
            Change::Connected { server } => {
                json!({"time": time, "server": server.to_string(), "event": "connected"})
            }
        }
    }
}

/// What was seen last, for the changes since.
#[derive(Default)]
struct Seen {
    upses: BTreeMap<UpsAddress, Variables>,
    without_data: BTreeSet<UpsAddress>,
    lost: BTreeSet<ServerAddress>,
}

impl Seen {
    fn take(&mut self, news: News) -> Vec<Change> {
        match news {
            News::Read(ups, variables) => self.read(ups, variables),
            News::Refused(ups, _, why) if self.without_data.insert(ups.clone()) => {
                vec![Change::NoData { ups, why }]
            }
            News::Lost(server, why) if self.lost.insert(server.clone()) => vec![Change::Lost { server, why }],
            News::Connected(server, _) if self.lost.remove(&server) => vec![Change::Connected { server }],
            _ => vec![],
        }
    }

    /// Of a UPS that is new only the status is told: the rest has not changed.
    fn read(&mut self, ups: UpsAddress, variables: Variables) -> Vec<Change> {
        let mut changes = vec![];
        if self.without_data.remove(&ups) {
            changes.push(Change::Back { ups: ups.clone() });
        }
        let new = !self.upses.contains_key(&ups);
        let before = self.upses.remove(&ups).unwrap_or_default();
        let names: BTreeSet<&String> = before.keys().chain(variables.keys()).collect();
        for name in names {
            let (was, now) = (before.get(name), variables.get(name));
            if was != now && (!new || name == "ups.status") {
                changes.push(Change::Variable {
                    ups: ups.clone(),
                    name: name.clone(),
                    was: was.cloned(),
                    now: now.cloned(),
                });
            }
        }
        self.upses.insert(ups, variables);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ups() -> UpsAddress {
        "u@h".parse().unwrap()
    }

    fn read(pairs: &[(&str, &str)]) -> News {
        News::Read(ups(), pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn a_change_is_told_once_and_what_did_not_change_is_not() {
        let mut seen = Seen::default();
        let mut told = |news: News| seen.take(news).iter().map(Change::text).collect::<Vec<_>>();
        assert_eq!(told(read(&[("ups.status", "OL"), ("ups.load", "7")])), ["u@h ups.status: OL"]);
        assert_eq!(told(read(&[("ups.status", "OL"), ("ups.load", "7")])), [""; 0]);
        assert_eq!(
            told(read(&[("ups.status", "OB"), ("battery.charge", "90")])),
            ["u@h battery.charge: 90", "u@h ups.load: gone", "u@h ups.status: OL -> OB"]
        );
        let stale = News::Refused(ups(), ExitStatus::NoData, "stale".into());
        assert_eq!(told(stale.clone()), ["u@h: no data: stale"]);
        assert_eq!(told(stale), [""; 0]);
        // what changed while there were no data is told
        assert_eq!(
            told(read(&[("ups.status", "OL"), ("battery.charge", "90")])),
            ["u@h: data again", "u@h ups.status: OB -> OL"]
        );
        let lost = News::Lost(ups().server, "refused".into());
        assert_eq!(told(lost.clone()), ["h: no connection: refused"]);
        assert_eq!(told(lost), [""; 0]);
        assert_eq!(told(News::Connected(ups().server, false)), ["h: connected again"]);
    }

    #[test]
    fn a_star_stands_for_any_end() {
        assert!(fits("ups.*", "ups.status") && fits("ups.load", "ups.load"));
        assert!(!fits("ups.*", "battery.charge") && !fits("ups.load", "ups.load.high"));
    }
}
