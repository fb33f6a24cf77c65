//! What a driver does once and then exits: `-d` and `-k`.

use crate::help::shown;
use crate::program::Fatal;
use crate::signals::{SignalEvent, Signals};
use qx::device::{Outcome, SHUTDOWN_DEFAULT};
use station::log::{self, Log};
use station::{Condition, Found, Reload, Request, RequestedAction, Station};
use std::process::ExitCode;
use std::time::Duration;

/// `-d` waits for the rest of what a slow UPS says for so long.
const DUMP_WAITS: Duration = Duration::from_secs(60);

/// The exit code of `-k` when an order was sent, and no answer shows whether the UPS obeys: not 0, which says that
/// it was told, nor 1, which says that the load stays on.
pub const NOT_CONFIRMED: u8 = 2;

/// `-d`: prints the data after so many polls.
pub(crate) async fn dump(station: &Station, polls: u32) -> Result<ExitCode, Fatal> {
    let place = station.config().opening.address.to_string();
    match station.found().await {
        Found::Ready => {}
        Found::Stale => {
            let device = station.device().borrow();
            let dialect = device.protocol().map_or("one of the known dialects", |found| found.name);
            return Err(format!(
                "{place}: a UPS that speaks {dialect} is there, but says nothing that can be published; -DDD shows every exchange"
            ));
        }
        Found::NotFound(why) => return Err(format!("{place}: {why}")),
        Found::CannotOpen(error) => return Err(error.to_string()),
        Found::Ended => return Err(ENDED.into()),
    }
    // of a slow UPS data is there before all was asked
    let is_surveyed = |station: &Station| station.device().borrow().is_surveyed();
    let _ = tokio::time::timeout(DUMP_WAITS, station.until(is_surveyed)).await;
    station.check_ignorelb()?;
    station.describe();
    // a UPS that falls silent meanwhile keeps what it said
    let interval = station.config().options.pollinterval;
    tokio::time::sleep(interval * (polls - 1)).await;
    let device = station.device().borrow();
    let lines = device.store().entries().map(|(name, entry)| format!("{name}: {}\n", entry.text()));
    Ok(shown(&lines.collect::<String>()))
}

/// What should never be read.
pub(crate) const ENDED: &str = "the driver does not watch the UPS any more: report this as a bug";

/// `-k`: stops a shutdown that is pending, then switches the load off. No other program would do it, so a signal does not
/// end it before that.
pub(crate) async fn kill_power(station: &Station, program: &str, log: &Log) -> Result<ExitCode, Fatal> {
    let signals = Signals::new().map_err(|why| log.warning(&why)).ok();
    Signals::release();
    let order = order_kill(station, log);
    tokio::pin!(order);
    let outcome = tokio::select! {
        outcome = &mut order => outcome?,
        name = broken_off_by(signals, log) => {
            let why = format!("{name} was received once more");
            if !station.device().borrow().kills_power() {
                return Err(format!("switching the load off was interrupted ({why}); nothing was sent, and the load stays on"));
            }
            station.device().borrow_mut().stop_killing_power(&why);
            station.requests().look();
            order.await?
        }
    };
    match outcome {
        Some(Outcome::Done) => {
            log.info("the UPS was told to switch the load off");
            log.info(&station.proof_of_order().to_string());
            Ok(ExitCode::SUCCESS)
        }
        Some(Outcome::NotConfirmed(why)) => {
            log::last_words(program, &why);
            Ok(ExitCode::from(NOT_CONFIRMED))
        }
        Some(Outcome::Failed(why)) => Err(match station.condition() {
            Condition::CannotOpen(error) => {
                format!("the port could not be opened, so nothing was sent and the load stays on: {error}")
            }
            _ => why,
        }),
        _ => Err("the UPS was not told to switch the load off".into()),
    }
}

/// The order, and what came of it.
async fn order_kill(station: &Station, log: &Log) -> Result<Option<Outcome>, Fatal> {
    match station.opened().await {
        // it may be a blink of the line, and the load has to go off all the same
        Err(error) if error.kind == link::LinkErrorKind::Unsuitable => {
            return Err(format!("{error}; nothing was sent, and the load stays on"));
        }
        _ => {}
    }
    log.info("switching the load off");
    let (request, outcome) =
        Request::awaited(RequestedAction::Command { name: SHUTDOWN_DEFAULT.into(), parameter: None });
    // a refusal is an outcome as well
    let _ = station.request(request);
    Ok(outcome.await.ok())
}

/// Waits for the signal that breaks `-k` off: SIGINT or SIGQUIT, when another signal came before. A system that shuts down
/// sends SIGTERM and SIGHUP to all processes, and a supervisor sends them again and again.
async fn broken_off_by(signals: Option<Signals>, log: &Log) -> &'static str {
    let Some(mut signals) = signals else { return std::future::pending().await };
    let mut is_leaving = false;
    loop {
        let name = match signals.next().await {
            SignalEvent::Exit(name) => name,
            SignalEvent::Reload(Reload { or_exit: false }) => "SIGHUP",
            SignalEvent::Reload(_) => "SIGUSR1",
        };
        if is_leaving && matches!(name, "SIGINT" | "SIGQUIT") {
            return name;
        }
        if !std::mem::replace(&mut is_leaving, true) {
            log.warning(&format!(
                "received {name}: the load is being switched off, exiting when that is done; SIGINT or SIGQUIT interrupts it"
            ));
        }
    }
}
