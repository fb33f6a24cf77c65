//! Options: what `ups.conf` may say ([`rows`]), and what it means for a device.

pub mod quirk;
pub mod rows;
mod runtime_cal;

use crate::options::quirk::Quirks;
use crate::protocols;
use crate::vocabulary::flag::{Flag, Flags};
use crate::wire::protocol::Protocol;
pub use runtime_cal::RuntimeCal;
use std::time::Duration;

/// What a device is told by its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The dialects it may speak, the more particular first.
    pub dialects: &'static [&'static Protocol],
    /// Only this one of them.
    pub protocol: Option<String>,
    /// This one of them comes first, also if it is taken only by name: the converter on USB says so
    /// ([`crate::usb::bridges::dialect_of`]).
    pub first_dialect: Option<&'static str>,
    /// Killing the power may assume a dialect of a UPS that answers and is not understood. Not when one was
    /// configured that cannot be read.
    pub assumes: bool,
    /// The port may hold no UPS: nothing but `Q1` is asked until something answers as one does.
    pub tentative: bool,
    /// Flags.
    pub flags: Flags,
    /// Time between quick polls.
    pub pollinterval: Duration,
    /// Time between full polls.
    pub pollfreq: Duration,
    /// `ondelay`, as given.
    pub ondelay: Option<String>,
    /// `offdelay`, as given.
    pub offdelay: Option<String>,
    /// The battery is low when its charge or runtime say so, not when the UPS does.
    pub ignorelb: bool,
    /// The battery is also low below so many percent of charge, on battery.
    pub low_charge_percent: Option<f64>,
    /// The battery is also low with less than so many seconds left, on battery.
    pub low_runtime_s: Option<f64>,
    /// The battery is also low below so many volts, as `battery.voltage` is published, on battery.
    pub low_volts: Option<f64>,
    /// Publish `battery.voltage` times the packs.
    pub one_pack: bool,
    /// Estimate of the runtime.
    pub runtimecal: Option<RuntimeCal>,
    /// Time to charge the battery, for the estimate.
    pub chargetime: Duration,
    /// Least load, for the estimate, in percent.
    pub idleload_percent: f64,
    /// What is to be written to the UPS once, at the start, by the name of what is kept.
    pub settings: Vec<(String, String)>,
    /// The number of the UPS on a shared line (`slave_address`).
    pub address: Option<u32>,
    /// `override.…`: these values and no others.
    pub overrides: Vec<(String, String)>,
    /// `default.…`: these values until the UPS says something.
    pub defaults: Vec<(String, String)>,
    /// What was measured of the battery before this start ([`crate::device::Device::battery_memory`]).
    pub battery_memory: Option<String>,
    /// What was found at the last start ([`crate::device::Device::dialect_memory`]).
    pub dialect_memory: Option<String>,
    /// To which UPS `reset_to_default` was written before ([`crate::device::Device::reset_memory`]).
    pub reset_memory: Option<String>,
    /// What is done about what cheap boards say.
    pub quirks: Quirks,
    /// The load stays off after `-k`, instead of returning with mains.
    pub stayoff: bool,
    /// The commands that switch the load off at `-k`, tried in this order; none: the usual ones.
    pub sdcommands: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dialects: protocols::ALL,
            protocol: None,
            first_dialect: None,
            assumes: true,
            tentative: false,
            flags: Flags::default(),
            pollinterval: Duration::from_secs(2),
            pollfreq: Duration::from_secs(30),
            ondelay: None,
            offdelay: None,
            ignorelb: false,
            low_charge_percent: None,
            low_runtime_s: None,
            low_volts: None,
            one_pack: false,
            runtimecal: None,
            chargetime: Duration::from_secs(43_200),
            idleload_percent: 10.0,
            settings: vec![],
            address: None,
            overrides: vec![],
            defaults: vec![],
            battery_memory: None,
            dialect_memory: None,
            reset_memory: None,
            quirks: Quirks::default(),
            stayoff: false,
            sdcommands: vec![],
        }
    }
}

impl Options {
    /// The dialects that come into question: the one that is named, else the one that the converter names, and
    /// then all that need no name.
    pub fn candidates(&self) -> Vec<&'static Protocol> {
        let is_first = |protocol: &Protocol| self.first_dialect == Some(protocol.name);
        let meant = |protocol: &&'static Protocol| match &self.protocol {
            None => !protocol.by_name || is_first(protocol),
            Some(name) => protocol.name.eq_ignore_ascii_case(name),
        };
        let mut candidates: Vec<&'static Protocol> = self.dialects.iter().copied().filter(meant).collect();
        // the others stay in their order
        candidates.sort_by_key(|protocol| !is_first(protocol));
        candidates
    }

    /// Whether the flag is given.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.has(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_the_converter_comes_first() {
        let names =
            |options: &Options| -> Vec<&str> { options.candidates().iter().map(|p| p.name).collect() };
        let (any, first) =
            (Options::default(), Options { first_dialect: Some("omron"), ..Options::default() });
        assert!(!names(&any).contains(&"omron"));
        assert_eq!(names(&first), [vec!["omron"], names(&any)].concat());
        let q1 = Options { first_dialect: Some("q1"), ..Options::default() };
        assert_eq!((names(&q1)[0], names(&q1).len()), ("q1", names(&any).len()));
        // the administrator's word counts more, and a driver of few dialects has no others
        let named = Options { protocol: Some("Q1".into()), ..first.clone() };
        assert_eq!(names(&named), ["q1"]);
        let blazer = Options { dialects: protocols::BLAZER, ..first };
        assert!(!names(&blazer).contains(&"omron"));
    }
}
