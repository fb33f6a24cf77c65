//! The signals a driver minds, and what they mean (NUT 2.8.0 drivers/main.c; SIGHUP and SIGUSR1 of newer NUT).

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// So many signals may wait while a reload is under way; the system merges further ones.
const WAITING: usize = 4;

/// The signals a driver minds.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    user: Signal,
}

impl Signals {
    /// Minds them from now on.
    ///
    /// # Errors
    /// A sentence.
    pub fn new() -> Result<Signals, String> {
        let of = |kind| signal(kind).map_err(|error| format!("cannot watch for signals: {error}"));
        Ok(Signals {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            quit: of(SignalKind::quit())?,
            hang_up: of(SignalKind::hangup())?,
            user: of(SignalKind::user_defined1())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Leave("SIGTERM"),
            _ = self.interrupt.recv() => Told::Leave("SIGINT"),
            _ = self.quit.recv() => Told::Leave("SIGQUIT"),
            _ = self.hang_up.recv() => Told::Reload { or_exit: false },
            _ = self.user.recv() => Told::Reload { or_exit: true },
        }
    }

    /// Tells of them from a task of its own, so that nobody has to look for them at each wake. Must be
    /// called inside of a tokio `LocalRuntime` or `LocalSet`.
    pub fn tell(mut self) -> mpsc::Receiver<Told> {
        let (sender, told) = mpsc::channel(WAITING);
        tokio::task::spawn_local(async move {
            // until nobody listens any more
            while sender.send(self.next().await).await.is_ok() {}
        });
        told
    }

    /// Waits until the driver is told to leave.
    pub async fn leave(&mut self) -> &'static str {
        loop {
            if let Told::Leave(name) = self.next().await {
                return name;
            }
        }
    }
}

/// What a signal means.
pub enum Told {
    /// Leave; the name of the signal.
    Leave(&'static str),
    /// Read ups.conf again.
    Reload {
        /// Leave when something needs a restart.
        or_exit: bool,
    },
}
