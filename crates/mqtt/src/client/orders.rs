//! Messages of the broker: orders, and the word of Home Assistant.

use super::{MqttClient, OutMessage, WAITING};
use crate::command::{BrokerOrder, asked};
use crate::json::JsonObject;
use crate::packet::{self, BrokerMessage, MqttVersion};
use crate::topic::{COMMAND, OUTCOME, TopicPlace};

/// What is shown of a message that is no command.
const SHOWN: usize = 80;

impl MqttClient {
    pub(super) fn message(&mut self, message: &BrokerMessage) {
        if let Some(number) = message.number {
            packet::acknowledge(number, &mut self.control);
        }
        if self.swept(message) {
            return;
        }
        if self.settings.tree.birth().is_some_and(|topic| topic == message.topic) {
            // what is kept was said before this connection, at whose beginning all is sent
            if message.payload == b"online" && !self.is_old(message) {
                self.is_asked_again = true;
            }
            return;
        }
        let tree = self.settings.tree.clone();
        if tree.place(&message.topic) == TopicPlace::Server {
            return self.own_availability(message);
        }
        if let TopicPlace::Ups(level, COMMAND) = tree.place(&message.topic) {
            // an order that was taken off the broker
            if !(message.is_retained && message.payload.is_empty()) {
                self.order(level, message);
            }
        }
    }

    /// Whether a message was there before it was subscribed to. MQTT 3.1.1 marks those; MQTT 5 is asked for none of them, and marks
    /// all that is kept.
    fn is_old(&self, message: &BrokerMessage) -> bool {
        message.is_retained && self.settings.version == MqttVersion::V311
    }

    /// A last will that comes late, or another client of the same name, says that this server is gone.
    fn own_availability(&mut self, message: &BrokerMessage) {
        if self.is_online && !self.is_old(message) && message.payload != b"online" {
            let text = "was left the word that this server is gone, while it is there: it is said anew; where that goes on, \
                        give each server of the broker a site of its own in [mqtt]";
            self.note("availability", text.into());
            (self.is_asked_again, self.is_contradicted) = (true, true);
        }
    }

    fn order(&mut self, level: &str, message: &BrokerMessage) {
        let shown = || {
            let text = String::from_utf8_lossy(&message.payload);
            text.chars().take(SHOWN).flat_map(char::escape_debug).collect::<String>()
        };
        let Some(ups) = self.board.ups_of(level).map(String::from) else {
            return self.note(
                "no UPS",
                format!("orders '{}' of a UPS that is not there; nothing was sent", shown()),
            );
        };
        let refuse = |client: &mut MqttClient, why: &str| {
            let text = format!("orders '{}' of UPS {ups}: {why}; nothing was sent to the UPS", shown());
            client.note("order", text);
            client.outcome(&ups, &shown(), "refused", Some(why));
        };
        if message.is_retained {
            self.clear(&message.topic);
            return refuse(
                self,
                "an order that the broker keeps may be an old one; send it without the retain flag",
            );
        }
        if message.is_repeated {
            return refuse(self, "the broker sends it again, and it may have been followed already");
        }
        let Some((name, value)) = asked(&message.payload) else {
            return refuse(
                self,
                "this is no command: send its name, with a value behind a blank where it takes one",
            );
        };
        if !self.settings.commands.allow(&ups, name) {
            return refuse(self, "it is not among the commands of [mqtt] in qxups.toml");
        }
        if self.orders.len() >= WAITING {
            return refuse(self, "too many orders wait");
        }
        let (name, value) = (name.to_string(), value.map(String::from));
        self.orders.push_back(BrokerOrder { ups, name, value });
    }

    /// Publishes what became of an order: `done`, `failed`, `refused` or `sent`, and why. The broker does not keep it.
    pub fn outcome(&mut self, ups: &str, command: &str, outcome: &str, why: Option<&str>) {
        if !self.is_open() || self.outcomes.len() >= WAITING {
            return;
        }
        let mut payload = String::new();
        let mut object = JsonObject::begin(&mut payload);
        object.text("command", command);
        object.text("outcome", outcome);
        object.text_if("reason", why);
        object.end();
        let topic = format!("{}/{OUTCOME}", self.settings.tree.ups(ups));
        self.outcomes.push_back(OutMessage { topic, payload: payload.into(), is_sure: false });
    }
}
