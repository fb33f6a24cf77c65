//! What the machine wants done.

use std::time::Duration;

use crate::{Phase, ProtectRecord, Reason, StageSignal};

/// What is to be done, in the order of the list.
#[derive(Debug, Clone, PartialEq)]
pub enum ProtectAction {
    /// Write this on disk, durably, before the actions that follow. When that fails they are done all the same.
    Keep(ProtectRecord),
    /// Show this to the clients of a stage from now on; `None`: the truth again.
    Signal {
        /// The group.
        group: String,
        /// The stage.
        stage: String,
        /// What they see.
        signal: Option<StageSignal>,
    },
    /// Run a program of a stage.
    Run {
        /// The group.
        group: String,
        /// The stage.
        stage: String,
        /// Which of its programs.
        program: usize,
    },
    /// Send a webhook of a stage.
    Webhook {
        /// The group.
        group: String,
        /// The stage.
        stage: String,
        /// Which of its webhooks.
        webhook: usize,
    },
    /// Order the UPS to switch its load off after `delay` and on again with mains. Answered by
    /// [`crate::ProtectEvent::Ordered`].
    Order {
        /// The name of the UPS.
        ups: String,
        /// From the order to the cut.
        delay: Duration,
        /// Which try, from 1.
        attempt: u32,
    },
    /// The UPSes whose load the hook at the very end of the shutdown may switch off (the flag file of `qxups killpower`);
    /// empty: take the flag away.
    SecondChance {
        /// Names of UPSes.
        upses: Vec<String>,
    },
    /// Shut this host down. Answered by [`crate::ProtectEvent::HostShutdown`].
    HostDown,
    /// Wake a host.
    Wake {
        /// The group.
        group: String,
        /// Its name.
        host: String,
        /// The address of its network card.
        mac: [u8; 6],
        /// Which try, from 1.
        attempt: u32,
    },
    /// Write this in the event log.
    Say(Remark),
    /// What would be done if protection were armed.
    Would(Box<ProtectAction>),
}

impl ProtectAction {
    /// Whether it does anything to a host, a UPS or a client. Taking a signal or the flag away does not count.
    pub fn is_acting(&self) -> bool {
        match self {
            ProtectAction::Keep(_) | ProtectAction::Say(_) | ProtectAction::Would(_) => false,
            ProtectAction::Signal { signal, .. } => signal.is_some(),
            ProtectAction::SecondChance { upses } => !upses.is_empty(),
            _ => true,
        }
    }
}

/// A sentence for the event log.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// The group, where it is about one.
    pub group: Option<String>,
    /// From which phase to which, where it is a transition.
    pub change: Option<(Phase, Phase)>,
    /// Why the course runs.
    pub reason: Option<Reason>,
    /// Whether a person should look.
    pub alarm: bool,
    /// The sentence.
    pub text: String,
}
