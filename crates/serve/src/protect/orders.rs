//! The order to a UPS to switch its load off, given as a client's: by INSTCMD, with the delay before.

use crate::fleet::{Ended, Source, Ups};
use crate::server::Server;
use crate::site::report;
use ::protect::{ORDER_TIME, OrderOutcome};
use history::EventKind;
use nut::network::TrackedOutcome;
use nut::network::server::{Freshness, Order};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

/// Off after the delay, and on again with mains.
const COMMAND: &str = "shutdown.return";
/// The delay before.
const DELAY: &str = "ups.delay.shutdown";
/// A driver that answers later is not waited for.
const ANSWERS: Duration = Duration::from_secs(15);
/// A delay that was set is shown within.
const SHOWS: Duration = Duration::from_secs(2);
// the delay, a look at it, and the order: the policy waits for the outcome of all three
const _: () = assert!(2 * ANSWERS.as_secs() + SHOWS.as_secs() < ORDER_TIME.as_secs());

/// The longest delay that a UPS takes, where it says it.
pub(super) fn longest_delay(ups: &Ups) -> Option<Duration> {
    ups.with_source(None, |source| {
        let mut longest: Option<i64> = None;
        source.each_range(DELAY, &mut |_, most| longest = longest.max(Some(most)));
        longest.and_then(|most| u64::try_from(most).ok()).map(Duration::from_secs)
    })
}

/// Gives the order. The load must not go off earlier than after `delay`: where that is not sure, nothing is sent.
pub(super) async fn switch_off(server: &Rc<Server>, name: &str, delay: Duration) -> OrderOutcome {
    let Some(ups) = server.fleet.borrow().find(name).cloned() else { return OrderOutcome::NotSent };
    let not_sent = |why: &str| {
        server.log.warning(&format!("protect: UPS {name} was not ordered to switch off: {why}"));
        OrderOutcome::NotSent
    };
    if ups.freshness() == Freshness::NotConnected {
        return not_sent("it has no driver that is connected");
    }
    if !ups.with_source(false, |source| source.has_command(COMMAND)) {
        return not_sent("it has no command shutdown.return");
    }
    let wanted = delay.as_secs().to_string();
    if delay_of(&ups) != Some(delay.as_secs()) {
        let outcome = give(server, &ups, Order::Set { variable: DELAY, value: &wanted }).await;
        if outcome != OrderOutcome::Accepted {
            return not_sent("its delay before switching off could not be set");
        }
    }
    // a driver rounds to what the UPS takes, and may say it a moment after its answer
    let began = Instant::now();
    while delay_of(&ups).is_none_or(|shown| shown < delay.as_secs()) && began.elapsed() < SHOWS {
        sleep(Duration::from_millis(50)).await;
    }
    match delay_of(&ups) {
        Some(shown) if shown >= delay.as_secs() => {}
        Some(shown) => return not_sent(&format!("its load would go off after {shown} s already")),
        None => return not_sent("it does not say after which delay its load would go off"),
    }
    give(server, &ups, Order::Command { name: COMMAND, parameter: None }).await
}

/// The delay as it is shown now.
fn delay_of(ups: &Ups) -> Option<u64> {
    ups.with_source(None, |source| {
        let mut delay = None;
        source.variable(DELAY, &mut |variable| delay = variable.value.trim().parse::<u64>().ok());
        delay
    })
}

async fn give(server: &Rc<Server>, ups: &Ups, order: Order<'_>) -> OrderOutcome {
    let what = match order {
        Order::Command { name, .. } => name.to_string(),
        Order::Set { variable, value } => format!("{variable} = {value}"),
    };
    let asked = format!("protection asks for {what}");
    server.log.info(&format!("protect: asks UPS {} for {what}", ups.name()));
    server.note_event(EventKind::Command, Some(ups.name()), &asked);
    let report = report(server, ups.name(), what);
    let (sender, came) = oneshot::channel();
    let answer = Box::new(move |ended: Ended| {
        let outcome = match ended.outcome {
            TrackedOutcome::Success => OrderOutcome::Accepted,
            TrackedOutcome::Pending => OrderOutcome::NotConfirmed,
            TrackedOutcome::Unknown | TrackedOutcome::Invalid => OrderOutcome::Refused,
            TrackedOutcome::Failed if !ended.is_seen => OrderOutcome::NotConfirmed,
            TrackedOutcome::Failed => OrderOutcome::Refused,
        };
        report(&ended);
        let _ = sender.send(outcome);
    });
    if !ups.with_source(false, |source: &dyn Source| source.hand_over(order, true, answer)) {
        return OrderOutcome::NotSent;
    }
    match timeout(ANSWERS, came).await {
        Ok(Ok(outcome)) => outcome,
        // dropped without an answer, or silent: it may have been taken
        _ => OrderOutcome::NotConfirmed,
    }
}
