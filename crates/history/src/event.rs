//! What happened.

/// Of what kind an event is. The numbers stand in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EventKind {
    /// `ups.status` is another; the text is what it is now.
    Status = 1,
    /// There is no fresh data any more.
    Stale = 2,
    /// There is fresh data; the text is the status.
    Fresh = 3,
    /// A command or setting was asked for, or it is known what came of it.
    Command = 4,
    /// The server read its configuration again.
    Reload = 5,
    /// The server began to write this history.
    Start = 6,
    /// The server stopped.
    Stop = 7,
    /// The wall clock was set.
    Clock = 8,
    /// Some of this history is missing.
    Gap = 9,
    /// Protection began, went on, ended, or did something.
    Protection = 10,
}

impl EventKind {
    /// All of them.
    pub const ALL: [EventKind; 10] = [
        EventKind::Status,
        EventKind::Stale,
        EventKind::Fresh,
        EventKind::Command,
        EventKind::Reload,
        EventKind::Start,
        EventKind::Stop,
        EventKind::Clock,
        EventKind::Gap,
        EventKind::Protection,
    ];

    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            EventKind::Status => "status",
            EventKind::Stale => "stale",
            EventKind::Fresh => "fresh",
            EventKind::Command => "command",
            EventKind::Reload => "reload",
            EventKind::Start => "start",
            EventKind::Stop => "stop",
            EventKind::Clock => "clock",
            EventKind::Gap => "gap",
            EventKind::Protection => "protection",
        }
    }

    pub(crate) fn of_code(code: i64) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| *kind as i64 == code)
    }
}

/// No text of an event is longer, in bytes.
const LONGEST: usize = 512;

/// An event of one UPS, or of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEvent {
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Of which UPS; none for the server.
    pub ups: Option<String>,
    /// What kind.
    pub kind: EventKind,
    /// What there is to say of it.
    pub text: String,
}

impl HistoryEvent {
    /// An event; a text that is too long is cut.
    pub fn new(at_ms: i64, ups: Option<&str>, kind: EventKind, text: &str) -> HistoryEvent {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        HistoryEvent { at_ms, ups: ups.map(Into::into), kind, text: text[..end].into() }
    }
}
