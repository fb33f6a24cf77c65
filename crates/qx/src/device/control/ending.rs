//! What is said of orders when the UPS is not watched any more: nothing sees how they end.

use super::unconfirmed::{LoadOrder, Unconfirmed};
use crate::device::{Asked, Device, LogLevel, Moment, Outcome};

impl Device {
    /// The UPS is not watched any more, and its orders go on without a witness: of each command that was sent it is
    /// said what is known, to its asker ([`Event::Answered`](crate::device::Event::Answered)) and in the log.
    pub fn end_orders(&mut self, now: Moment) {
        self.clock = self.clock.max(now);
        self.stop_killing_power("the driver stops");
        if let Some((Asked::Request(request), _)) = self.asked.take() {
            let sent = request.steps.front().map_or("", String::as_str);
            let why = format!(
                "{} is not confirmed: {sent} was sent, and the driver stops before the UPS answers",
                request.name
            );
            self.answer(request.asker, Outcome::NotConfirmed(why));
        }
        if let Some(unconfirmed) = self.control.unconfirmed.take() {
            let why = of_unconfirmed(&unconfirmed);
            self.answer(unconfirmed.asker(), Outcome::NotConfirmed(why));
        }
        for request in std::mem::take(&mut self.control.requests) {
            let outcome = request.unsent("waited when the driver stopped");
            self.answer(request.asker, outcome);
        }
        if let Some(order) = self.control.order.take() {
            let level = if order.seen_off { LogLevel::Info } else { LogLevel::Warning };
            let text = self.of_order(&order);
            self.note(level, text);
        }
    }

    fn of_order(&self, order: &LoadOrder) -> String {
        let LoadOrder { name, off, .. } = order;
        match off.saturating_sub(self.clock + self.options.pollinterval).as_secs() {
            _ if order.seen_off => format!("{name}: the UPS accepted it, and the load was seen off"),
            _ if order.overruled => {
                format!("{name}: the UPS accepted it; a later command may have stopped it")
            }
            0 => format!("{name}: the UPS accepted it, and the driver stops before the load is seen off"),
            seconds => format!(
                "{name}: the UPS accepted it, and the load goes off in {seconds} s; the driver stops before it is seen"
            ),
        }
    }
}

fn of_unconfirmed(unconfirmed: &Unconfirmed) -> String {
    let Unconfirmed { request, sent, .. } = unconfirmed;
    format!(
        "{} is not confirmed: {sent} was {}, and the driver stops before the UPS shows whether it does it",
        request.name,
        unconfirmed.answered()
    )
}
