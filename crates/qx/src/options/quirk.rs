//! Quirks: what cheap boards report wrongly, and what the driver does about it. One table; each row with
//! the report it comes from.
//!
//! Bits that shut machines down are weighed against what the same UPS says besides; what is not
//! accepted is in the log once, and `noquirks` makes the driver accept it anyway.

/// When a quirk is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// With every UPS, where its own words contradict each other.
    Plausibility,
    /// With every UPS of a dialect or bridge, whose table has it.
    Table(&'static str),
    /// When it is named in `quirks`: nothing tells it from what it looks like.
    Named,
}

/// A quirk.
#[derive(Debug, PartialEq, Eq)]
pub struct Quirk {
    /// Its name in `quirks` and `noquirks`.
    pub name: &'static str,
    /// What is wrong, and what is done about it.
    pub about: &'static str,
    /// When it is looked for.
    pub trigger: Trigger,
    /// Where it was reported.
    pub source: &'static str,
}

/// "Shutdown active" from the first word on.
pub static STUCK_FSD: Quirk = Quirk {
    name: "stuck-fsd",
    about: "the UPS reports \"shutdown active\" from the first reading on, while on mains: FSD is withheld until it has reported otherwise once",
    trigger: Trigger::Plausibility,
    source: "NUT issue 195 (Tuncmatik DG1200VA: hosts halt as they start)",
};

/// "Off" with a live output.
pub static STUCK_OFF: Quirk = Quirk {
    name: "stuck-off",
    about: "the UPS reports that it is off, and in the same data that its output has voltage: OFF is withheld as long as it does",
    trigger: Trigger::Plausibility,
    source: "NUT issue 2278 (OFF while the load runs: upsmon forces a shutdown), NUT device dumps of Ablerex units",
};

/// A self test that looks like an outage.
pub static TEST_OUTAGE: Quirk = Quirk {
    name: "test-outage",
    about: "during a self test the UPS reports that mains failed, and in the same reply voltage, in each phase, and frequency of good mains (within 15 % and 5 % of what they were before, else of its ratings): OB is published as OL while the UPS reports the test, for ten minutes at most, and for 20 s at most with a low battery",
    trigger: Trigger::Plausibility,
    source: "NUT issue 2104 (a self test every two weeks shuts hosts down)",
};

/// A bypass that never ends.
pub static STUCK_BYPASS: Quirk = Quirk {
    name: "stuck-bypass",
    about: "the UPS always reports that it regulates at equal voltages, which reads as BYPASS: BYPASS is withheld",
    trigger: Trigger::Named,
    source: "NUT device dumps of line-interactive units with BYPASS at all times",
};

/// The regulation bit inverted.
pub static INVERTED_REGULATION: Quirk = Quirk {
    name: "inverted-regulation",
    about: "the bit \"boost, trim or bypass\" is 1 when the UPS does not regulate: the bit is inverted",
    trigger: Trigger::Named,
    source: "NUT 2.8.0 nutdrv_qx_bestups.c, where the Patriot Pro has it so (for those it needs no name)",
};

/// ECO mode as an alarm.
pub static ECO_ALARM: Quirk = Quirk {
    name: "eco-alarm",
    about: "ECO mode is a choice of the owner and no alarm: its alarm is withheld",
    trigger: Trigger::Named,
    source: "NUT issue 2494 (PowerShield Centurion: ALARM at all times)",
};

/// Every quirk.
pub const ALL: [&Quirk; 10] = [
    &STUCK_FSD,
    &STUCK_OFF,
    &TEST_OUTAGE,
    &STUCK_BYPASS,
    &INVERTED_REGULATION,
    &ECO_ALARM,
    &Quirk {
        name: "cell-volts",
        about: "the battery voltage is that of one cell or one block: the driver finds how many make up the rated voltage",
        trigger: Trigger::Table("the bank of cells"),
        source: "NUT issues 1279, 1652, 3467",
    },
    &Quirk {
        name: "zero-digit",
        about: "a zero byte stands for the digit 0 in a reply",
        trigger: Trigger::Table("bridge armac"),
        source: "NUT issues 1250, 2764 (Richcomm 0925:1234)",
    },
    &Quirk {
        name: "no-end",
        about: "replies end without a carriage return: what came before 0.3 s of silence is the reply",
        trigger: Trigger::Table("the line"),
        source: "NUT issue 3263",
    },
    &Quirk {
        name: "odd-widths",
        about: "fields are wider or narrower than drawn, blanks are missing or doubled, a number is dashes: read by separators, accepted when it comes twice",
        trigger: Trigger::Table("the reader"),
        source: "NUT issues 608, 1652, 2395",
    },
];

/// The quirk of that name that can be named in `quirks` or `noquirks`.
pub fn named(name: &str) -> Option<&'static Quirk> {
    let free = |quirk: &&'static Quirk| !matches!(quirk.trigger, Trigger::Table(_));
    ALL.into_iter().filter(free).find(|quirk| quirk.name.eq_ignore_ascii_case(name))
}

/// The quirks that the administrator switched on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// `quirks`.
    pub on: Vec<&'static str>,
    /// `noquirks`.
    pub off: Vec<&'static str>,
}

impl Quirks {
    /// Whether a quirk is looked for.
    pub fn has(&self, quirk: &Quirk) -> bool {
        let listed = |list: &[&str]| list.contains(&quirk.name);
        !listed(&self.off) && (listed(&self.on) || quirk.trigger != Trigger::Named)
    }
}

/// The page `docs/quirks.md`.
pub fn page() -> String {
    "# Quirks\n\nPrinted from `crates/qx/src/options/quirk.rs` by `qxups quirks`. The driver publishes what a UPS reports, \
     except for these errors of cheap boards. The log has what is withheld once. In `ups.conf`, \
     `quirks = NAME[,NAME]` corrects what cannot be recognised, and `noquirks = NAME[,NAME]` publishes what is not \
     plausible. No row is proved on real hardware here.\n\n"
        .to_string()
        + &reference()
}

/// The table for people.
pub fn reference() -> String {
    let mut out = String::from("| quirk | what it is | looked for | source |\n|---|---|---|---|\n");
    for quirk in ALL {
        let when = match quirk.trigger {
            Trigger::Plausibility => "always, unless it is in `noquirks`".into(),
            Trigger::Table(place) => format!("always ({place})"),
            Trigger::Named => "when it is in `quirks`".to_string(),
        };
        out += &format!("| `{}` | {} | {when} | {} |\n", quirk.name, quirk.about, quirk.source);
    }
    out
}
