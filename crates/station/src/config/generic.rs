//! The names of ups.conf(5) that every driver of NUT knows, and those that are for other programs.

/// Where a name may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameScope {
    /// Before the first section.
    Global,
    /// In a section.
    Section,
    /// In both.
    Both,
}

/// Which programs read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every driver.
    Driver,
    /// Other programs of NUT: upsdrvctl, upsd.
    OtherPrograms,
    /// No program, or none of this workspace: the reason.
    NoProgram(&'static str),
}

/// A name of ups.conf that is no option of a single driver.
#[derive(Clone, Copy, Debug)]
pub struct GenericRow {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub place: NameScope,
    /// Whether it means nothing without a value.
    pub needs_value: bool,
    /// Which programs read it.
    pub audience: Audience,
}

const fn row(name: &'static str, place: NameScope, needs_value: bool, audience: Audience) -> GenericRow {
    GenericRow { name, place, needs_value, audience }
}

use Audience::{Driver, NoProgram, OtherPrograms};
use NameScope::{Both, Global, Section};

/// Of NUT 2.8.0, and of newer NUT what comes after `sddelay`.
#[rustfmt::skip]
pub const GENERIC: &[GenericRow] = &[
    row("driver",         Section, true,  OtherPrograms),
    row("port",           Section, true,  Driver),
    row("desc",           Section, true,  OtherPrograms),
    row("sdorder",        Section, true,  OtherPrograms),
    row("nolock",         Section, false, Driver),
    row("ignorelb",       Section, false, Driver),
    row("pollinterval",   Both,    true,  Driver),
    row("synchronous",    Both,    true,  Driver),
    row("user",           Both,    true,  Driver),
    row("group",          Both,    true,  Driver),
    row("debug_min",      Both,    true,  Driver),
    row("chroot",         Global,  true,  Driver),
    row("driverpath",     Global,  true,  OtherPrograms),
    row("nowait",         Global,  false, OtherPrograms),
    row("maxstartdelay",  Both,    true,  OtherPrograms),
    row("maxretry",       Both,    true,  OtherPrograms),
    row("retrydelay",     Both,    true,  OtherPrograms),
    row("sdtime",         Section, true,  NoProgram("no program of NUT reads it any more")),
    row("sddelay",        Section, true,  NoProgram("no program of NUT reads it any more")),
    row("statepath",      Global,  true,  Driver),
    row("allow_killpower", Section, false, Driver),
    row("reconnect_max_tries", Both, true, NoProgram("this driver never gives up")),
    row("reconnect_report_freq", Both, true, NoProgram("the loss of the UPS and its return are said once each")),
    row("LIBUSB_DEBUG",   Both,    true,  NoProgram("libusb is not used here; -DDD shows every exchange")),
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
        self.place != NameScope::Section
    }
    /// Whether it may stand in a section.
    pub fn is_for_sections(&self) -> bool {
        self.place != NameScope::Global
    }
}
