//! What is shown, and nothing of how.

use super::super::feed::{News, Variables};
use super::super::place::{ServerAddress, UpsAddress};
use std::collections::{BTreeMap, BTreeSet};

/// One UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsRow {
    /// What was read last; empty where there are no data.
    pub variables: Variables,
    /// Why there are no data.
    pub no_data: Option<String>,
}

impl UpsRow {
    /// The value of a variable.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// It is read; whether encrypted.
    Connected(bool),
    /// Why it is not read.
    Lost(String),
}

/// What fills the screen below the table, or instead of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The table.
    Table,
    /// All variables of a UPS, from this line on.
    Details(UpsAddress, usize),
    /// The commands of a UPS: `None` until the server named them; which is chosen.
    Commands(UpsAddress, Option<Vec<String>>, usize),
    /// Whether a command is to be sent.
    Question(UpsAddress, String),
}

/// All that is shown.
#[derive(Clone, Debug)]
pub struct Board {
    /// The UPSes.
    pub rows: BTreeMap<UpsAddress, UpsRow>,
    /// The servers.
    pub servers: BTreeMap<ServerAddress, ServerState>,
    /// Which UPS is chosen.
    pub chosen: Option<UpsAddress>,
    /// What is looked at.
    pub view: Panel,
    /// The last line.
    pub message: String,
    /// As whom commands are given.
    pub user: Option<String>,
    /// Whether colours are used.
    pub colours: bool,
    /// What was told of since the last round of its server.
    heard: BTreeSet<UpsAddress>,
}

impl Board {
    /// Nothing is known yet.
    pub fn new(user: Option<String>) -> Board {
        Board {
            rows: BTreeMap::new(),
            servers: BTreeMap::new(),
            chosen: None,
            view: Panel::Table,
            message: String::new(),
            user,
            colours: true,
            heard: BTreeSet::new(),
        }
    }

    /// Takes news. Of a UPS without data, or whose server is lost, no value is kept: an old one would look fresh.
    pub fn take(&mut self, news: News) {
        match news {
            News::Connected(server, encrypted) => {
                drop(self.servers.insert(server, ServerState::Connected(encrypted)))
            }
            News::Lost(server, why) => {
                for (_, row) in self.rows.iter_mut().filter(|(ups, _)| ups.server == server) {
                    *row = UpsRow {
                        variables: Variables::new(),
                        no_data: Some("no connection to the server".into()),
                    };
                }
                self.servers.insert(server, ServerState::Lost(why));
            }
            News::Read(ups, variables) => self.put(ups, UpsRow { variables, no_data: None }),
            News::Refused(ups, _, why) => {
                self.put(ups, UpsRow { variables: Variables::new(), no_data: Some(why) });
            }
            News::Round(server) => {
                if matches!(self.servers.get(&server), Some(ServerState::Connected(_))) {
                    let heard = &self.heard;
                    self.rows.retain(|ups, _| ups.server != server || heard.contains(ups));
                }
                self.heard.retain(|ups| ups.server != server);
            }
        }
        let there = self.chosen.as_ref().is_some_and(|ups| self.rows.contains_key(ups));
        if !there {
            self.chosen = self.rows.keys().next().cloned();
        }
    }

    fn put(&mut self, ups: UpsAddress, row: UpsRow) {
        self.heard.insert(ups.clone());
        self.rows.insert(ups, row);
    }

    /// The server named the commands of a UPS, or did not.
    pub fn commands(&mut self, of: UpsAddress, found: Result<Vec<String>, String>) {
        let Panel::Commands(ups, list, _) = &mut self.view else { return };
        if *ups != of {
            return;
        }
        match found {
            Ok(commands) if !commands.is_empty() => *list = Some(commands),
            Ok(_) => {
                self.message = format!("{of} has no commands");
                self.view = Panel::Table;
            }
            Err(why) => {
                self.message = why;
                self.view = Panel::Table;
            }
        }
    }

    /// Chooses the UPS that stands so many rows further.
    pub fn choose(&mut self, by: isize) {
        let names: Vec<&UpsAddress> = self.rows.keys().collect();
        let at = self.chosen.as_ref().and_then(|ups| names.iter().position(|name| *name == ups)).unwrap_or(0);
        self.chosen = names.get(moved(at, by, names.len())).map(|ups| (*ups).clone());
    }
}

/// A place in a list of so many, moved and kept inside.
pub fn moved(at: usize, by: isize, of: usize) -> usize {
    at.saturating_add_signed(by).min(of.saturating_sub(1))
}
