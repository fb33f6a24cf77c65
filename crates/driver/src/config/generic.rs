//! The names of ups.conf(5) that every driver of NUT knows, and those that are for other programs.

/// Where a name may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the first section.
    Global,
    /// In a section.
    Section,
    /// In both.
    Both,
}

/// For whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every driver.
    Driver,
    /// Other programs of NUT: upsdrvctl, upsd.
    Others,
    /// Nobody any more, or nobody here: the reason.
    Nobody(&'static str),
}

/// A name of ups.conf that is no option of a single driver.
#[derive(Clone, Copy, Debug)]
pub struct GenericRow {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub place: Place,
    /// Whether it means nothing without a value.
    pub needs_value: bool,
    /// For whom it is.
    pub whom: Whom,
}

const fn row(name: &'static str, place: Place, needs_value: bool, whom: Whom) -> GenericRow {
    GenericRow { name, place, needs_value, whom }
}

use Place::{Both, Global, Section};
use Whom::{Driver, Nobody, Others};

/// Of NUT 2.8.0, and of newer NUT what comes after `sddelay`.
#[rustfmt::skip]
pub const GENERIC: &[GenericRow] = &[
    row("driver",         Section, true,  Others),
    row("port",           Section, true,  Driver),
    row("desc",           Section, true,  Others),
    row("sdorder",        Section, true,  Others),
    row("nolock",         Section, false, Driver),
    row("ignorelb",       Section, false, Driver),
    row("pollinterval",   Both,    true,  Driver),
    row("synchronous",    Both,    true,  Driver),
    row("user",           Both,    true,  Driver),
    row("group",          Both,    true,  Driver),
    row("debug_min",      Both,    true,  Driver),
    row("chroot",         Global,  true,  Driver),
    row("driverpath",     Global,  true,  Others),
    row("nowait",         Global,  false, Others),
    row("maxstartdelay",  Both,    true,  Others),
    row("maxretry",       Both,    true,  Others),
    row("retrydelay",     Both,    true,  Others),
    row("sdtime",         Section, true,  Nobody("no program of NUT reads it any more")),
    row("sddelay",        Section, true,  Nobody("no program of NUT reads it any more")),
    row("statepath",      Global,  true,  Driver),
    row("allow_killpower", Section, false, Driver),
    row("reconnect_max_tries", Both, true, Nobody("this driver never gives up")),
    row("reconnect_report_freq", Both, true, Nobody("the loss of the UPS and its return are said once each")),
    row("LIBUSB_DEBUG",   Both,    true,  Nobody("libusb is not used here; -DDD shows every exchange")),
    row("sdcommands",     Section, true,  Driver),
];

/// Names in which capitals do not matter (newer NUT).
const ANY_CASE: [&str; 2] = ["debug_min", "statepath"];

/// The row of that name; capitals matter in most, as in NUT.
pub fn generic(name: &str) -> Option<&'static GenericRow> {
    let is_meant = |row: &&GenericRow| {
        row.name == name || ANY_CASE.contains(&row.name) && row.name.eq_ignore_ascii_case(name)
    };
    GENERIC.iter().find(is_meant)
}

impl GenericRow {
    /// Whether it may stand before the first section.
    pub fn is_global(&self) -> bool {
        self.place != Place::Section
    }
    /// Whether it may stand in a section.
    pub fn is_for_sections(&self) -> bool {
        self.place != Place::Global
    }
}
