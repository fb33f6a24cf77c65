//! Flags of `ups.conf` that change what a protocol asks or takes for true.

/// A flag that changes what a protocol asks or accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// `norating`: do not ask for ratings.
    NoRating,
    /// `novendor`: do not ask for maker and model.
    NoVendor,
    /// `ignoresab`: the bit "shutdown active" means nothing.
    IgnoreSab,
    /// `testing`: ask and offer what is untested.
    Testing,
    /// `reset_to_default`: set the capabilities to their defaults at the start.
    ResetToDefault,
    /// `nooutstats`: do not ask for the output of each phase.
    NoOutStats,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Flag; 6] = [
        Flag::NoRating,
        Flag::NoVendor,
        Flag::IgnoreSab,
        Flag::Testing,
        Flag::ResetToDefault,
        Flag::NoOutStats,
    ];

    /// The flag of that name.
    pub fn named(name: &str) -> Option<Flag> {
        Flag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name))
    }
    /// Its name in `ups.conf`.
    pub const fn name(self) -> &'static str {
        match self {
            Flag::NoRating => "norating",
            Flag::NoVendor => "novendor",
            Flag::IgnoreSab => "ignoresab",
            Flag::Testing => "testing",
            Flag::ResetToDefault => "reset_to_default",
            Flag::NoOutStats => "nooutstats",
        }
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// This set and one flag more.
    pub const fn with(self, flag: Flag) -> Flags {
        Flags(self.0 | 1 << flag as u8)
    }
    /// This set and one flag less.
    #[must_use]
    pub const fn without(self, flag: Flag) -> Flags {
        Flags(self.0 & !(1 << flag as u8))
    }
    /// Whether the flag is in the set.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & 1 << flag as u8 != 0
    }
}
