//! The signals a driver minds, and what they mean (NUT 2.8.0 drivers/main.c; SIGHUP and SIGUSR1 of newer NUT).

use nix::sys::signal::{SigSet, Signal as Number};
use station::Reload;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

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

    /// Holds them back until [`Signals::release`], so that none ends the process before it minds them.
    pub fn hold() {
        let _ = held().thread_block();
    }

    /// What was held back arrives.
    pub fn release() {
        let _ = held().thread_unblock();
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> SignalEvent {
        tokio::select! {
            _ = self.terminate.recv() => SignalEvent::Exit("SIGTERM"),
            _ = self.interrupt.recv() => SignalEvent::Exit("SIGINT"),
            _ = self.quit.recv() => SignalEvent::Exit("SIGQUIT"),
            _ = self.hang_up.recv() => SignalEvent::Reload(Reload { or_exit: false }),
            _ = self.user.recv() => SignalEvent::Reload(Reload { or_exit: true }),
        }
    }

    /// Forwards them from a task of its own, so that no other task has to look for them at each wake. Must be
    /// called inside of a tokio `LocalRuntime` or `LocalSet`.
    pub fn forward(mut self, events: mpsc::Sender<SignalEvent>) {
        tokio::task::spawn_local(async move {
            // until the receiver is gone
            while events.send(self.next().await).await.is_ok() {}
        });
    }

    /// Waits for a signal to exit.
    pub async fn exit(&mut self) -> &'static str {
        loop {
            if let SignalEvent::Exit(name) = self.next().await {
                return name;
            }
        }
    }
}

fn held() -> SigSet {
    [Number::SIGTERM, Number::SIGINT, Number::SIGQUIT, Number::SIGHUP, Number::SIGUSR1].into_iter().collect()
}

/// What a signal means.
pub enum SignalEvent {
    /// To exit; the name of the signal.
    Exit(&'static str),
    /// Read ups.conf again.
    Reload(Reload),
}
