//! Orders of a broker that the configuration allows.

use super::MqttDesk;
use crate::fleet::{Ended, Source};
use crate::server::Server;
use crate::site::report;
use ::mqtt::BrokerOrder;
use history::EventKind;
use nut::network::TrackedOutcome;
use nut::network::server::{Freshness, Order};
use std::cell::Cell;
use std::rc::{Rc, Weak};

/// An order that is under way. Dropped without an answer, its outcome is not known.
struct OrderWatch {
    desk: Weak<MqttDesk>,
    ups: String,
    what: String,
    is_answered: Cell<bool>,
}

impl OrderWatch {
    fn ended(&self, outcome: &str, why: Option<&str>) {
        self.is_answered.set(true);
        if let Some(desk) = self.desk.upgrade() {
            desk.under_way.borrow_mut().remove(&self.ups);
            desk.client.borrow_mut().outcome(&self.ups, &self.what, outcome, why);
            desk.wake.notify_one();
        }
    }
}

impl Drop for OrderWatch {
    fn drop(&mut self) {
        if !self.is_answered.get() {
            self.ended("not confirmed", Some("its driver did not say what came of it"));
        }
    }
}

impl MqttDesk {
    /// Follows the orders that came.
    pub(super) fn follow_orders(self: &Rc<Self>, server: &Rc<Server>) {
        loop {
            let order = self.client.borrow_mut().take_order();
            let Some(order) = order else { return };
            let what = match &order.value {
                Some(value) => format!("{} {value}", order.name),
                None => order.name.clone(),
            };
            if let Err(why) = self.follow(server, &order, &what) {
                let text = format!("MQTT broker {} orders {what} of UPS {}: {why}", self.place(), order.ups);
                server.say_seldom("MQTT order", None, &text);
                self.client.borrow_mut().outcome(&order.ups, &what, "refused", Some(why));
            }
        }
    }

    fn follow(
        self: &Rc<Self>,
        server: &Rc<Server>,
        order: &BrokerOrder,
        what: &str,
    ) -> Result<(), &'static str> {
        let ups = server
            .fleet
            .borrow()
            .find(&order.ups)
            .cloned()
            .ok_or("there is no such UPS; nothing was sent")?;
        match ups.freshness() {
            Freshness::Fresh => {}
            Freshness::Stale => return Err("its data is stale; nothing was sent"),
            Freshness::NotConnected => return Err("its driver is not connected; nothing was sent"),
        }
        let check = |source: &dyn Source| match &order.value {
            _ if !source.has_command(&order.name) => Err("the UPS has no such command; nothing was sent"),
            Some(_) if !source.takes_value(&order.name) => Err("it takes no value; nothing was sent"),
            _ => Ok(()),
        };
        ups.with_source(Err("it has no driver; nothing was sent"), check)?;
        if !self.under_way.borrow_mut().insert(order.ups.clone()) {
            return Err("the order before it is under way; nothing was sent");
        }
        server.log.info(&format!("MQTT broker {} asks UPS {} for {what}", self.place(), order.ups));
        let asked = format!("MQTT broker {} asks for {what}", self.place());
        server.note_event(EventKind::Command, Some(&order.ups), &asked);
        let report = report(server, &order.ups, what.into());
        let watch = Rc::new(OrderWatch {
            desk: Rc::downgrade(self),
            ups: order.ups.clone(),
            what: what.into(),
            is_answered: Cell::new(false),
        });
        let of_answer = watch.clone();
        let answer = Box::new(move |ended: Ended| {
            report(&ended);
            let (word, why) = outcome(&ended);
            of_answer.ended(word, why);
        });
        let given = Order::Command { name: &order.name, parameter: order.value.as_deref() };
        let is_handed_over = ups.with_source(false, |source| source.hand_over(given, true, answer));
        if !is_handed_over && !watch.is_answered.get() {
            watch.ended("refused", Some("its driver takes no order now; nothing was sent"));
            server.log.warning(&format!("UPS {}: {what} of the MQTT broker was not handed over", order.ups));
        }
        Ok(())
    }
}

/// What was seen, as the broker's clients read it.
fn outcome(Ended { outcome, why, is_seen }: &Ended) -> (&'static str, Option<&str>) {
    match outcome {
        _ if !is_seen => {
            ("not confirmed", why.as_deref().or(Some("its driver does not say what came of it")))
        }
        TrackedOutcome::Success => ("done", None),
        TrackedOutcome::Pending => ("not confirmed", Some("its driver does not say what came of it")),
        TrackedOutcome::Unknown => ("failed", why.as_deref().or(Some("its driver does not know it"))),
        TrackedOutcome::Invalid => ("failed", why.as_deref().or(Some("its driver takes no such value"))),
        TrackedOutcome::Failed => ("failed", why.as_deref()),
    }
}
