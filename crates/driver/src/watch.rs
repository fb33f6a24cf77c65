//! Watching a UPS: until a signal ends it. Here the station, the socket, the signals and the supervisor meet.

use crate::once::ENDED;
use crate::process::{self, Readiness};
use crate::program::{Driver, Fatal};
use crate::resident;
use crate::signals::{SignalEvent, Signals};
use crate::socket::DriverSocket;
use crate::supervisor::{Supervisor, Watchdog};
use qx::device::Outcome;
use station::{Condition, Found, Mode, Owner, Reload, ReloadAnswer, Station};
use std::cell::Cell;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A UPS that was not found after so long does not keep the system from booting: the supervisor is told
/// that the driver is ready, and clients find its socket when the UPS is found.
const BOOT_WAITS: Duration = Duration::from_secs(15);

/// A driver that exits gives its clients so long to hear what came of what it did last.
const LAST_ANSWERS: Duration = Duration::from_millis(100);

/// So many signals and reloads may wait while a reload is under way; further ones are the same.
const EVENTS: usize = 4;

/// The process, as its station knows it.
struct Process {
    supervisor: Rc<Supervisor>,
    watchdog: Watchdog,
    events: mpsc::Sender<SignalEvent>,
}

impl Owner for Process {
    fn turned(&self) -> Option<Instant> {
        self.watchdog.turn()
    }

    fn status(&self, line: &str) {
        self.supervisor.status(line);
    }

    fn can_reload(&self) -> bool {
        true
    }

    fn reload(&self, how: Reload, answer: ReloadAnswer) {
        // with a full queue a reload waits already
        let _ = self.events.try_send(SignalEvent::Reload(how));
        answer(Outcome::Done);
    }
}

impl Driver {
    pub(crate) async fn watch(&self, mut readiness: Readiness, stays: bool) -> Result<ExitCode, Fatal> {
        let (sender, mut events) = mpsc::channel(EVENTS);
        let watchdog = Watchdog::new(self.supervisor.clone());
        let process =
            Rc::new(Process { supervisor: self.supervisor.clone(), watchdog, events: sender.clone() });
        let station = self.station(Mode::Watch, process.clone());
        process.watchdog.watch(station.last_turn());
        station.opened().await.map_err(|error| error.to_string())?;
        let mut signals = Signals::new()?;
        self.find(&station, &mut signals).await?;
        station.advise();
        station.check_ignorelb()?;
        station.describe();
        let _socket = self.open_socket(&station)?;
        readiness.ready();
        self.supervisor.ready();
        if !stays {
            self.log.use_system_log();
        }
        let config = station.config().clone();
        self.log.info(&format!("watching {} on {}", config.name, config.opening.address));
        tokio::task::spawn_local(async {
            tokio::time::sleep(resident::AFTER).await;
            resident::give_back();
        });
        signals.forward(sender);
        let was_busy = self.until_told(&station, &mut events).await;
        if station.condition() == Condition::Ended {
            return Err(ENDED.into());
        }
        let is_asked = station.requests().are_open();
        station.stop();
        if was_busy || is_asked {
            // the client that asked for something hears what came of it
            tokio::time::sleep(LAST_ANSWERS).await;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Until there is data, or it is known that there is a UPS; where there is none, the driver ends.
    async fn find(&self, station: &Station, signals: &mut Signals) -> Result<(), Fatal> {
        let place = station.config().opening.address.to_string();
        self.supervisor.status(&format!("looking for the UPS on {place}"));
        let patience = async {
            tokio::time::sleep(BOOT_WAITS).await;
            self.supervisor.ready();
            std::future::pending().await
        };
        let found = tokio::select! {
            found = station.found() => found,
            name = signals.exit() => return Err(format!("received {name} before the UPS was found")),
            () = patience => return Ok(()),
        };
        match found {
            Found::Ready | Found::Stale => Ok(()),
            Found::NotFound(why) => Err(format!("{place}: {why}")),
            Found::CannotOpen(error) => Err(error.to_string()),
            Found::Ended => Err(ENDED.into()),
        }
    }

    fn open_socket(&self, station: &Station) -> Result<DriverSocket, Fatal> {
        let path = self.instance().socket;
        let socket =
            DriverSocket::open(&path, station.device().clone(), station.requests().clone(), self.log.clone())
                .map_err(|error| {
                    let remedy = socket_remedy(&path, &error, &self.loaded.borrow().process.user);
                    format!("cannot make the socket {}: {error}; {remedy}", path.display())
                })?;
        let group = self.loaded.borrow().process.group.clone();
        let given = group.map_or(Ok(()), |group| process::give_to_group(&path, &group));
        if let Err(sentence) = given {
            self.log.warning(&sentence);
        }
        station.subscribe(Box::new(socket.publisher()));
        Ok(socket)
    }

    /// Does what signals and clients ask of the process until it is to exit, and nothing holds it up. True when
    /// something did.
    async fn until_told(&self, station: &Station, events: &mut mpsc::Receiver<SignalEvent>) -> bool {
        let leaving = Cell::new(false);
        let is_busy = |station: &Station| {
            let device = station.device().borrow();
            device.kills_power() || device.has_news()
        };
        loop {
            let event = tokio::select! {
                () = station.until(|station| leaving.get() && !is_busy(station)) => return leaving.get(),
                Some(event) = events.recv() => event,
            };
            let Some(signal) = self.exit_signal(event, station) else { continue };
            // a supervisor may say so again and again; who sits at a terminal means it
            if leaving.get() && matches!(signal, "SIGINT" | "SIGQUIT") {
                let why = format!("{signal} was received once more");
                station.device().borrow_mut().stop_killing_power(&why);
                station.requests().look();
            } else if !leaving.get() {
                if !is_busy(station) {
                    return false;
                }
                // nothing else would do it
                leaving.set(true);
                if station.device().borrow().kills_power() {
                    self.log.warning("the load is being switched off: exiting when that is done");
                }
                station.requests().look();
            }
        }
    }

    /// Does what an event asks for; if that is to exit, it is the name of the signal.
    fn exit_signal(&self, event: SignalEvent, station: &Station) -> Option<&'static str> {
        match event {
            SignalEvent::Exit(name) => {
                self.log.info(&format!("exiting on {name}"));
                Some(name)
            }
            SignalEvent::Reload(Reload { or_exit }) => {
                let needs_restart = self.reload(station);
                resident::give_back();
                Some("SIGUSR1").filter(|_| needs_restart && or_exit)
            }
        }
    }
}

/// What to do where the socket cannot be made.
fn socket_remedy(path: &Path, error: &std::io::Error, user: &str) -> String {
    let folder = path.parent().unwrap_or(path).display();
    match error.kind() {
        // the system takes 107 bytes
        ErrorKind::InvalidInput => {
            "its path is too long for a socket: give the UPS a shorter name, or set NUT_STATEPATH to a shorter folder"
                .into()
        }
        ErrorKind::PermissionDenied => {
            format!("user '{user}' may not write there: run 'chown {user} {folder}' and start the driver again")
        }
        ErrorKind::NotFound => {
            format!("there is no folder {folder}: make it, or take a '/' out of the name of the UPS in ups.conf")
        }
        _ => format!("check {folder}: its disk may be full, or mounted for reading only"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_is_for_its_fault() {
        let remedy = |kind: ErrorKind| socket_remedy(Path::new("/run/nut/nutdrv_qx-u"), &kind.into(), "nut");
        for (kind, words) in [
            (ErrorKind::InvalidInput, "shorter name"),
            (ErrorKind::PermissionDenied, "chown nut /run/nut"),
            (ErrorKind::NotFound, "there is no folder /run/nut"),
            (ErrorKind::StorageFull, "full"),
        ] {
            assert!(remedy(kind).contains(words), "{}", remedy(kind));
        }
    }
}
