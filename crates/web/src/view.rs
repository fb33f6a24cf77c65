//! The fleet as pages and metrics show it: a snapshot that the server makes for one request. It reads no clock; ages are
//! those of the moment when it was made.

use qx::vocabulary::variable::Unit;
use std::borrow::Cow;
use std::time::Duration;

/// All UPSes and what is known of the server itself.
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    /// In the order of `ups.conf`.
    pub upses: Vec<UpsView>,
    /// The server.
    pub server: ServerView,
}

impl FleetView {
    /// The UPS of that name, whose case does not matter.
    pub fn find(&self, name: &str) -> Option<&UpsView> {
        self.upses.iter().find(|ups| ups.name.eq_ignore_ascii_case(name))
    }
}

/// What the server counts of itself.
#[derive(Clone, Debug, Default)]
pub struct ServerView {
    /// The version of qxups.
    pub version: &'static str,
    /// Clients of NUT's protocol that are connected.
    pub clients: usize,
    /// HTTP requests that were answered, by kind of answer.
    pub answers: AnswerCounts,
    /// HTTP connections that are open.
    pub connections: usize,
    /// HTTP connections that were turned away or dropped to make room.
    pub dropped_connections: u64,
    /// What the system says of the process.
    pub process: Option<ProcessView>,
    /// Users can log in.
    pub has_login: bool,
    /// How the history does, where there is one.
    pub history: Option<HistoryView>,
    /// Where protection stands, where it is on.
    pub protection: Option<ProtectionView>,
}

/// Where protection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionView {
    /// Whether anything is done.
    pub is_armed: bool,
    /// The groups.
    pub groups: Vec<ProtectedGroupView>,
    /// Whether the server's own host could be shut down; none where it is not to be.
    pub host_works: Option<bool>,
    /// Secondaries that are expected, each with how it stands.
    pub secondaries: Vec<(String, ExpectedState)>,
}

/// Where one group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectedGroupView {
    /// Its name.
    pub name: String,
    /// The phase of its course, one of [`PROTECTION_PHASES`].
    pub phase: &'static str,
    /// Why the course runs.
    pub reason: Option<String>,
    /// How many supplies live.
    pub supplies: u32,
    /// How many must.
    pub needed: u32,
    /// Hosts that went down and are not back.
    pub down: usize,
}

/// The phases of a course.
pub const PROTECTION_PHASES: [&str; 8] =
    ["watching", "paused", "stages", "settling", "ordering", "host_down", "down", "recovering"];

/// How a secondary stands that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedState {
    /// Too soon to say.
    Awaited,
    /// Logged in.
    LoggedIn,
    /// It asks without being logged in.
    NotLoggedIn,
    /// Nothing is heard of it.
    Absent,
}

impl ProtectionView {
    /// In one line.
    pub fn line(&self) -> String {
        let mut line =
            String::from(if self.is_armed { "Protection is armed." } else { "Protection is not armed." });
        for group in &self.groups {
            let ProtectedGroupView { name, phase, supplies, needed, down, .. } = group;
            line += &format!(" {name}: {}, {supplies} supplies of {needed} needed", phase.replace('_', " "));
            if *down > 0 {
                line += &format!(", {down} hosts are down");
            }
            if let Some(reason) = &group.reason {
                line += &format!(" ({reason})");
            }
            line.push('.');
        }
        if self.host_works == Some(false) {
            line += " The server's own host could not be shut down: its log says why.";
        }
        for (name, state) in &self.secondaries {
            match state {
                ExpectedState::Absent => line += &format!(" Secondary {name} is absent."),
                ExpectedState::NotLoggedIn => line += &format!(" Secondary {name} is not logged in."),
                ExpectedState::Awaited | ExpectedState::LoggedIn => {}
            }
        }
        line
    }
}

/// What is counted of a history since the server started to write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryView {
    /// Whether the disk takes it.
    pub is_written: bool,
    /// Batches that were written.
    pub written: u64,
    /// How often the disk was tried in vain.
    pub failed: u64,
    /// Rows and events that were lost.
    pub lost: u64,
}

/// HTTP requests by the first digit of their status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// 2xx and 3xx.
    pub good: u64,
    /// 4xx: the client asked for something wrong.
    pub refused: u64,
    /// 5xx: there was no data, or no room.
    pub failed: u64,
}

/// What `/proc` says of the process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessView {
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Processor time, in seconds.
    pub cpu_s: f64,
    /// Files that are open.
    pub open_files: u64,
}

/// Whether a UPS has data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataState {
    /// What it says is true now.
    Fresh,
    /// What it said is too old to be shown.
    Stale,
    /// No driver gives data.
    #[default]
    NotConnected,
}

impl DataState {
    /// As the JSON API writes it.
    pub fn word(self) -> &'static str {
        match self {
            DataState::Fresh => "fresh",
            DataState::Stale => "stale",
            DataState::NotConnected => "not_connected",
        }
    }
}

/// One UPS.
#[derive(Clone, Debug, Default)]
pub struct UpsView {
    /// Its name in `ups.conf`.
    pub name: String,
    /// Its description there.
    pub description: Option<String>,
    /// Whether there is data.
    pub state: DataState,
    /// A client forces a shutdown.
    pub forced_shutdown: bool,
    /// How long ago the UPS, or its driver, said last whether mains is there; none where it never did.
    pub age: Option<Duration>,
    /// The instant commands, sorted.
    pub commands: Vec<Cow<'static, str>>,
    /// How its questions were answered, where this process asks them.
    pub exchanges: Option<ExchangeCounts>,
    /// Of its battery the variables that the UPS does not say itself: they are estimated, computed or configured.
    pub computed: Vec<Cow<'static, str>>,
    /// A history is kept.
    pub has_history: bool,
    /// The energy that its load took since the history counts it.
    pub energy: Option<EnergyCounts>,
    pub(crate) variables: Vec<VariableView>,
}

/// Questions to a UPS by what became of them, since its session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExchangeCounts {
    /// A whole reply came.
    pub whole: u64,
    /// Nothing came, or what came was garbled.
    pub bad: u64,
}

/// Watt-hours that a history counted; 0 where none were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EnergyCounts {
    /// By the power that the UPS says.
    pub said_wh: f64,
    /// By a power that was computed from what it says.
    pub computed_wh: f64,
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableView {
    /// NUT's name.
    pub name: Cow<'static, str>,
    /// What it holds, as `upsc` prints it.
    pub text: String,
    /// The unit of its number.
    pub unit: Unit,
    /// One sentence, where the variable is known.
    pub about: &'static str,
    /// How long ago it was read, where that is known of it alone.
    pub age: Option<Duration>,
}

impl UpsView {
    /// A UPS of which nothing else is known yet.
    pub fn new(name: &str, state: DataState) -> UpsView {
        UpsView { name: name.into(), state, ..UpsView::default() }
    }

    /// Gives it variables, sorted by name.
    pub fn set_variables(&mut self, variables: Vec<VariableView>) {
        self.variables = variables;
    }

    /// What it says now: nothing where the data is not fresh, so that no renderer can show an old value.
    pub fn live(&self) -> &[VariableView] {
        if self.state == DataState::Fresh { &self.variables } else { &[] }
    }

    /// The text of one variable, if it is fresh.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.live().iter().find(|variable| variable.name == name).map(|variable| variable.text.as_str())
    }

    /// Whether a variable of its battery is not the UPS's own word.
    pub fn is_computed(&self, name: &str) -> bool {
        self.computed.iter().any(|computed| computed == name)
    }

    /// The words of its status, FSD first where a client forces a shutdown (as upsd writes it). None where it has no
    /// fresh status.
    pub fn words(&self) -> Vec<&str> {
        let Some(status) = self.text("ups.status") else { return vec![] };
        let latch = self.forced_shutdown && !status.split_whitespace().any(|word| word == "FSD");
        latch.then_some("FSD").into_iter().chain(status.split_whitespace()).collect()
    }
}
