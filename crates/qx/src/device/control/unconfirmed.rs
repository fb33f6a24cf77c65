//! A command whose outcome is not known yet, and an order to the load that the UPS has taken.

use super::asker::{QueuedRequest, Requester};
use crate::device::Moment;
use crate::device::timing::GRACE;
use crate::wire::acknowledgement::Acceptance;

/// Below so many volts nothing is powered.
pub(in crate::device) const DEAD_VOLTS: f64 = 20.0;

/// What a command is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandAim {
    /// That the load goes off, now or later.
    Off,
    /// That nothing of the kind happens any more.
    Stop,
    /// Something that the status need not show.
    Other,
}

impl CommandAim {
    pub(super) fn of(name: &str) -> CommandAim {
        match name {
            "shutdown.return" | "shutdown.stayoff" | "load.off" => CommandAim::Off,
            "shutdown.stop" => CommandAim::Stop,
            _ => CommandAim::Other,
        }
    }
}

/// Whether a command is to switch the load off.
pub(super) fn is_of_the_load(name: &str) -> bool {
    CommandAim::of(name) == CommandAim::Off
}

/// Whether a command makes an order that came before it void: the load then stays on, or comes on again.
pub(super) fn keeps_load_on(name: &str) -> bool {
    matches!(name, "load.on" | "shutdown.stop")
}

/// What the status shows of the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The UPS says that a shutdown is active.
    pub pending: bool,
    /// Its output is dead.
    pub dead: bool,
}

impl Shown {
    /// What shows that the load goes off, and did not show before.
    pub(super) fn since(self, before: Shown) -> Option<&'static str> {
        match self {
            Shown { pending: true, .. } if !before.pending => Some("the UPS says that a shutdown is active"),
            Shown { dead: true, .. } if !before.dead => Some("the UPS says that the load is off"),
            _ => None,
        }
    }
}

/// A command that was sent, and what came of it is not known yet.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub request: QueuedRequest,
    /// The line that was sent, and the same as it went over the wire.
    pub sent: String,
    pub wire: Vec<u8>,
    pub what: CommandAim,
    pub answer: Acceptance,
    /// What was answered, for the log.
    pub said: Option<String>,
    /// The link failed at a part of it.
    pub failed: bool,
    pub sent_at: Moment,
    /// When it was answered, or the wait for an answer ended.
    pub since: Moment,
    /// The status is asked then.
    pub look: Option<Moment>,
    /// It was asked once more whether the UPS hears as soon as the command was sent, and when.
    pub probed: Option<Moment>,
    pub before: Shown,
    /// Another command was sent then, and not answered: what comes may be the answer to that one.
    pub rival: Option<Moment>,
    /// The refusal came in place of the answer to this question, which is asked again: it may be its own.
    pub in_place_of: Option<usize>,
}

impl Unconfirmed {
    /// A command of which `sent` went out, as `wire`, at `times.0`; at `times.1` it was answered, or
    /// the wait for an answer ended.
    pub(in crate::device) fn new(
        request: QueuedRequest,
        (sent, wire): (String, Vec<u8>),
        (answer, said): (Acceptance, Option<String>),
        (sent_at, since): (Moment, Moment),
    ) -> Unconfirmed {
        let (what, before) = (CommandAim::of(&request.name), Shown::default());
        let (look, probed, rival, failed, in_place_of) = (None, None, None, false, None);
        Unconfirmed {
            request,
            sent,
            wire,
            what,
            answer,
            said,
            failed,
            sent_at,
            since,
            look,
            probed,
            before,
            rival,
            in_place_of,
        }
    }

    /// The same, where the link failed at a part of it.
    pub(super) fn failed(self) -> Unconfirmed {
        Unconfirmed { failed: true, ..self }
    }

    /// The same after a command that was sent at `rival`, and not answered.
    pub(super) fn after(self, rival: Option<Moment>) -> Unconfirmed {
        Unconfirmed { rival, ..self }
    }

    pub(super) fn asker(&self) -> Requester {
        self.request.asker
    }

    /// How it was answered, in words.
    pub(super) fn answered(&self) -> String {
        match &self.said {
            Some(said) => format!("answered by '{said}'"),
            None if self.failed => "not answered (a transfer failed)".into(),
            None => "not answered".into(),
        }
    }

    /// No asker waits for it any more, and nothing else is tried in its place.
    pub(super) fn forget_asker(&mut self) {
        self.request.otherwise.clear();
        self.request.asker = Requester::Configuration;
    }

    pub(super) fn into_request(self) -> QueuedRequest {
        self.request
    }
}

/// An order to the load that the UPS has taken.
#[derive(Debug)]
pub(super) struct LoadOrder {
    pub name: String,
    /// When the load should be off.
    pub off: Moment,
    /// The load was seen off.
    pub seen_off: bool,
    /// The UPS said since then that it is on battery.
    pub seen_on_battery: bool,
    /// A later command keeps the load on, or may: that it stays on says nothing of this order.
    pub overruled: bool,
}

impl LoadOrder {
    /// Until when nothing is to be done about it.
    pub(super) fn due(&self) -> Moment {
        self.off + GRACE
    }
}
