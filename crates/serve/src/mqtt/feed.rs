//! What the fleet says goes to the board of the client.

use super::MqttDesk;
use crate::fleet::{HearsStatus, Source, Ups, has_word};
use crate::server::Server;
use ::mqtt::FleetBoard;
use ::mqtt::board::UpsUpdate;
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the fleet is looked at while a broker listens. A status comes by itself.
const LOOK: Duration = Duration::from_millis(250);
/// Looking takes no more than this part of the time.
const PART: u32 = 20;

/// A status with FSD in front where a client forces a shutdown, as upsd writes it.
pub(super) fn with_latch(words: &str, forced: bool) -> Cow<'_, str> {
    match forced && !words.split_whitespace().any(|word| word == "FSD") {
        true => format!("FSD {words}").into(),
        false => words.into(),
    }
}

impl MqttDesk {
    /// Looks at the whole fleet; when to look again.
    pub(super) fn look(&self, server: &Server) -> Instant {
        let began = Instant::now();
        self.look_now.set(false);
        let hearer: Rc<dyn HearsStatus> = server.status_hub.clone();
        let (fleet, mut client) = (server.fleet.borrow(), self.client.borrow_mut());
        let looks_at_all = self.next_variables.get() <= began;
        if looks_at_all {
            self.next_variables.set(began + self.options.every);
        }
        for ups in fleet.all() {
            // a source may have begun anew
            ups.with_source((), |source| source.tell_status(ups.name(), &hearer));
            if !ups.with_source(false, has_word) {
                client.board.lose(ups.name());
            } else if looks_at_all || !hear_status(ups, &mut client.board) {
                self.look_at(ups, &mut client.board);
            }
        }
        client.board.keep(|name| fleet.find(name).is_some_and(|ups| ups.name() == name));
        began + LOOK.max(began.elapsed() * PART)
    }

    fn look_at(&self, ups: &Ups, board: &mut FleetBoard) {
        ups.with_source((), |source| {
            let estimates = estimates(source);
            let commands = self.commands(ups, source);
            board.update(ups.name(), |update| {
                ups.with_description(|description| update.about(description, &commands));
                tell(source, &estimates, ups.forced_shutdown(), update);
            });
        });
    }

    /// What a broker may order, and the UPS has.
    fn commands(&self, ups: &Ups, source: &dyn Source) -> Vec<String> {
        let mut commands = vec![];
        if !self.options.commands.is_empty() {
            source.each_command(&mut |name| {
                if self.options.commands.allow(ups.name(), name) {
                    commands.push(name.to_string());
                }
            });
        }
        commands
    }
}

/// The status alone goes to the board. False where the board has nothing of the UPS yet, or it says none.
fn hear_status(ups: &Ups, board: &mut FleetBoard) -> bool {
    ups.with_source(false, |source| {
        let mut is_heard = false;
        source.variable("ups.status", &mut |status| {
            is_heard = board.hear_status(ups.name(), &with_latch(status.value, ups.forced_shutdown()));
        });
        is_heard
    })
}

/// Variables of the battery that are not the UPS's own word.
fn estimates(source: &dyn Source) -> Vec<String> {
    let mut names = vec![];
    source.each_variable(&mut |variable| {
        if variable.name.contains("battery.") {
            names.push(variable.name.to_string());
        }
    });
    names.retain(|name| source.is_said(name) == Some(false));
    names
}

fn tell(source: &dyn Source, estimates: &[String], forced: bool, update: &mut UpsUpdate<'_>) {
    source.each_variable(&mut |variable| {
        let is_estimate = estimates.iter().any(|name| name == variable.name);
        let value = match variable.name {
            "ups.status" => with_latch(variable.value, forced),
            _ => variable.value.into(),
        };
        update.variable(variable.name, &value, is_estimate);
    });
}
