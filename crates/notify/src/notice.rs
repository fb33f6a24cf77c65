//! A notice: what happened, in words.

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The condition holds.
    Began,
    /// It still holds.
    Repeated,
    /// It holds no more.
    Ended,
}

impl NoticeKind {
    /// Its name, in templates and in the outbox.
    pub fn name(self) -> &'static str {
        match self {
            NoticeKind::Began => "began",
            NoticeKind::Repeated => "repeated",
            NoticeKind::Ended => "ended",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<NoticeKind> {
        [NoticeKind::Began, NoticeKind::Repeated, NoticeKind::Ended]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How much a notice matters beside others of the same output, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeWeight {
    /// Any other.
    Usual,
    /// A UPS is on battery.
    OnBattery,
    /// Its battery is low.
    LowBattery,
    /// Hosts shut down.
    Shutdown,
}

impl UpsNotice {
    /// How much it matters. An end is a usual one.
    pub fn weight(&self) -> NoticeWeight {
        match (self.kind, self.notify_type.as_str()) {
            (NoticeKind::Ended, _) => NoticeWeight::Usual,
            (_, "FSD") => NoticeWeight::Shutdown,
            (_, "LOWBATT") => NoticeWeight::LowBattery,
            (_, "ONBATT") => NoticeWeight::OnBattery,
            _ => NoticeWeight::Usual,
        }
    }

    /// Whether it speaks of the same rule and UPS.
    pub(crate) fn is_of(&self, other: &UpsNotice) -> bool {
        (&self.rule, &self.ups) == (&other.rule, &other.ups)
    }
}

/// One notice, as it waits for its outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsNotice {
    /// No other notice has it, over restarts as well. Empty until an outbox gives it.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The UPS.
    pub ups: String,
    /// Began, repeated, ended.
    pub kind: NoticeKind,
    /// The word by which upsmon calls it (`ONBATT`), or one of the same form.
    pub notify_type: String,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// Since when the condition holds, or held.
    pub since_ms: i64,
    /// One line.
    pub title: String,
    /// All of it: what happened, what the UPS says, what to do.
    pub text: String,
    /// `ups.status` of that moment; empty without data.
    pub status: String,
}
