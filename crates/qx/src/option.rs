//! Options of `ups.conf` and `-x`: names, kinds, sentences, and what they mean for a device.

use crate::known::Known;
use crate::protocol::Protocol;
use crate::protocols;
use crate::quirk::Quirks;
use std::time::Duration;

/// A flag that changes what a protocol asks or believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// `norating`: do not ask for ratings.
    NoRating,
    /// `novendor`: do not ask for maker and model.
    NoVendor,
    /// `ignoresab`: the bit "shutdown active" means nothing.
    IgnoreSab,
    /// `testing`: ask and offer what nobody has tried yet.
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
    /// Whether the flag is in the set.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & 1 << flag as u8 != 0
    }
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `name = value`.
    Value,
    /// `name`.
    Flag,
    /// `name`, or `name = value`.
    Either,
}

/// Which part of the program an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The device: polling, delays, battery.
    Device,
    /// A serial line.
    Serial,
    /// A device on USB.
    Usb,
    /// To be written to the UPS once, at the start.
    Setting,
    /// The name of something that is only logged; it can be given, and means nothing.
    Logged,
}

/// An option of the driver.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// Its name.
    pub name: &'static str,
    /// Whether it takes a value.
    pub kind: Kind,
    /// What it is for.
    pub scope: Scope,
    /// One sentence for users.
    pub about: &'static str,
}

const fn row(name: &'static str, kind: Kind, scope: Scope, about: &'static str) -> OptionRow {
    OptionRow { name, kind, scope, about }
}

use Kind::{Either, Flag as Switch, Value};
use Scope::{Device, Logged, Serial, Setting, Usb};

/// Options of `nutdrv_qx`, `blazer_ser` and `blazer_usb` alike (NUT 2.8.0, as those below).
#[rustfmt::skip]
pub const COMMON: &[OptionRow] = &[
    row("offdelay",       Value,  Device, "Seconds before the load is switched off after a shutdown command (default 30)"),
    row("protocol",       Value,  Device, "The dialect the UPS speaks; left out, it is found"),
    row("norating",       Switch, Device, "Do not ask the UPS for its ratings"),
    row("novendor",       Switch, Device, "Do not ask the UPS for maker and model"),
    row("lowbatt_charge", Value,  Device, "On battery: LB also below this charge in percent"),
    row("lowbatt_runtime", Value, Device, "On battery: LB also with less than so many seconds left"),
    row("lowbatt_voltage", Value, Device, "On battery: LB also below this battery.voltage"),
    row("quirks",         Value,  Device, "What to correct in what this UPS says, by name: 'qxups quirks' lists them"),
    row("noquirks",       Value,  Device, "What to believe although it is not plausible, by name"),
    row("runtimecal",     Value,  Device, "Two runtimes and loads by which battery.runtime is estimated: seconds,percent,seconds,percent"),
    row("chargetime",     Value,  Device, "Seconds to charge the empty battery, for the estimate (default 43200)"),
    row("idleload",       Value,  Device, "Least load in percent, for the estimate (default 10)"),
];

/// Of `nutdrv_qx` alone.
#[rustfmt::skip]
pub const QX: &[OptionRow] = &[
    row("ondelay",        Value,  Device, "Seconds before the load is switched on again after a shutdown (default 180)"),
    row("stayoff",        Switch, Device, "At -k, switch off and stay off instead of returning with mains"),
    row("pollfreq",       Value,  Device, "Seconds between full polls (default 30)"),
    row("ignoresab",      Switch, Device, "Ignore the status bit that says a shutdown is active"),
    row("battery_voltage_reports_one_pack", Switch, Device, "Publish battery.voltage times battery.packs (newer NUT)"),
];

/// Of `blazer_ser` and `blazer_usb`.
#[rustfmt::skip]
pub const BLAZER: &[OptionRow] = &[
    row("ondelay",        Value,  Device, "Minutes before the load is switched on again after a shutdown (default 3)"),
];

/// Of drivers on serial lines.
#[rustfmt::skip]
pub const SERIAL: &[OptionRow] = &[
    row("cablepower",     Value,  Serial, "Power for the interface: normal, reverse, both or none"),
];

/// Of drivers on USB; some are of newer NUT.
#[rustfmt::skip]
pub const USB: &[OptionRow] = &[
    row("subdriver",      Value,  Usb, "USB bridge"),
    row("vendor",         Value,  Usb, "USB manufacturer text to match"),
    row("product",        Value,  Usb, "USB product text to match"),
    row("serial",         Value,  Usb, "USB serial number to match"),
    row("vendorid",       Value,  Usb, "USB vendor id to match"),
    row("productid",      Value,  Usb, "USB product id to match"),
    row("bus",            Value,  Usb, "USB bus to match"),
    row("device",         Value,  Usb, "USB device number to match"),
    row("usb_set_altinterface", Either, Usb, "Set the USB alternate interface"),
    row("langid_fix",     Value,  Usb, "USB language id of the string descriptors"),
    row("busport",        Value,  Usb, "USB bus and ports to match, such as 1-2.4, or the number of the port alone, such as 004"),
    row("usb_config_index", Value, Usb, "USB configuration, counted from 0 (hexadecimal)"),
    row("usb_hid_rep_index", Value, Usb, "USB interface (hexadecimal)"),
    row("usb_hid_desc_index", Value, Usb, "USB HID descriptor; no bridge here reads one"),
    row("usb_hid_ep_in",  Value,  Usb, "USB endpoint of replies (hexadecimal, such as 1)"),
    row("usb_hid_ep_out", Value,  Usb, "USB endpoint of commands (hexadecimal, such as 2)"),
    row("allow_duplicates", Switch, Usb, "Take any of several equal USB devices, without a warning"),
    row("noscanlangid",   Switch, Usb, "Do not search for the USB language id"),
];

/// Of `nutdrv_qx`, for one dialect or another.
#[rustfmt::skip]
pub const DIALECTS: &[OptionRow] = &[
    row("reset_to_default", Switch, Device, "voltronic: set the capabilities to their defaults, in standby; done once, until it is taken out"),
    row("bypass_alarm",   Value,  Setting, "voltronic: beep on bypass, enabled or disabled"),
    row("battery_alarm",  Value,  Setting, "voltronic: beep on battery, enabled or disabled"),
    row("bypass_when_off", Value, Setting, "voltronic: bypass when switched off, enabled or disabled"),
    row("alarm_control",  Value,  Setting, "voltronic: the beeper, enabled or disabled"),
    row("converter_mode", Value,  Setting, "voltronic: frequency converter, enabled or disabled"),
    row("eco_mode",       Value,  Setting, "voltronic: ECO mode, enabled or disabled"),
    row("battery_open_status_check", Value, Setting, "voltronic: check for an open battery circuit, enabled or disabled"),
    row("bypass_forbidding", Value, Setting, "voltronic: never bypass, enabled or disabled"),
    row("site_fault_detection", Value, Setting, "voltronic: detect exchanged neutral and line, enabled or disabled"),
    row("advanced_eco_mode", Value, Setting, "voltronic: advanced ECO mode, enabled or disabled"),
    row("constant_phase_angle", Value, Setting, "voltronic: constant phase angle, enabled or disabled"),
    row("limited_runtime_on_battery", Value, Setting, "voltronic: limit the runtime, enabled or disabled"),
    row("max_bypass_volt", Value, Setting, "voltronic: highest bypass voltage in volts"),
    row("min_bypass_volt", Value, Setting, "voltronic: lowest bypass voltage in volts"),
    row("max_bypass_freq", Value, Setting, "voltronic: highest bypass frequency in hertz"),
    row("min_bypass_freq", Value, Setting, "voltronic: lowest bypass frequency in hertz"),
    row("work_range_type", Value, Setting, "voltronic P31: working range, Appliance or UPS"),
    row("output_phase_angle", Value, Setting, "voltronic: output phase angle, 000, 120, 180 or 240"),
    row("battery_number", Value,  Setting, "voltronic: batteries in a pack, 1 to 9"),
    row("testing",        Switch, Device, "voltronic: ask what nobody has tried yet"),
    row("pins_shutdown_mode", Value, Setting, "bestups: function of pins 1 and 7, 0 to 6"),
    row("series",         Value,  Logged, "masterguard: the name of a value that is logged"),
    row("slave_address",  Value,  Device, "masterguard: number of the UPS on a shared line, 0 to 99"),
    row("slave_addr",     Value,  Device, "the same, as NUT's manual spells it"),
    row("input_fault_voltage", Value, Logged, "masterguard: the name of a value that is logged"),
    row("number_of_battery_cells", Value, Logged, "masterguard: the name of a value that is logged"),
    row("nominal_cell_voltage", Value, Logged, "masterguard: the name of a value that is logged"),
    row("runtime_half",   Value,  Logged, "masterguard: the name of a value that is logged"),
    row("runtime_full",   Value,  Logged, "masterguard: the name of a value that is logged"),
    row("recharge_time",  Value,  Logged, "masterguard: the name of a value that is logged"),
    row("output_voltages", Value, Logged, "masterguard: the name of a value that is logged"),
    row("fault_1",        Value,  Logged, "masterguard: the name of a value that is logged"),
    row("fault_2",        Value,  Logged, "masterguard: the name of a value that is logged"),
    row("fault_3",        Value,  Logged, "masterguard: the name of a value that is logged"),
    row("fault_4",        Value,  Logged, "masterguard: the name of a value that is logged"),
    row("fault_5",        Value,  Logged, "masterguard: the name of a value that is logged"),
    row("experimental.battery.ageing.factor", Value, Logged, "masterguard: the name of a value that is logged"),
    row("experimental.battery.calibration.factor", Value, Logged, "masterguard: the name of a value that is logged"),
    row("nooutstats",     Switch, Device, "q2 and q6: do not ask for the power of each phase"),
];

/// Two runtimes at two loads, from which the runtime is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuntimeCal {
    /// Seconds at the high load.
    pub high_runtime_s: f64,
    /// The high load in percent.
    pub high_load_percent: f64,
    /// Seconds at the low load.
    pub low_runtime_s: f64,
    /// The low load in percent.
    pub low_load_percent: f64,
}

impl RuntimeCal {
    /// Reads `240,100,720,50`.
    ///
    /// # Errors
    /// A sentence, when it is not four numbers in the order that makes sense.
    pub fn parse(text: &str) -> Result<RuntimeCal, String> {
        let numbers: Vec<f64> = text.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        let [high_runtime_s, high_load_percent, low_runtime_s, low_load_percent] = numbers[..] else {
            return Err(format!(
                "runtimecal = {text}: write seconds,percent,seconds,percent, such as 240,100,720,50"
            ));
        };
        let ordered = high_runtime_s > 0.0
            && low_runtime_s >= high_runtime_s
            && low_load_percent > 0.0
            && low_load_percent < high_load_percent
            && high_load_percent <= 100.0
            && low_runtime_s.is_finite();
        if !ordered {
            return Err(format!(
                "runtimecal = {text}: the first load must be the higher one (at most 100 percent) with the shorter runtime, all above 0"
            ));
        }
        Ok(RuntimeCal { high_runtime_s, high_load_percent, low_runtime_s, low_load_percent })
    }
}

/// What a device is told by its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The dialects it may speak, the more particular first.
    pub dialects: &'static [&'static Protocol],
    /// Only this one of them.
    pub protocol: Option<String>,
    /// This one of them comes first, also if it is taken only by name: the converter on USB says so
    /// ([`crate::bridges::dialect_of`]).
    pub first_dialect: Option<&'static str>,
    /// Killing the power may assume a dialect of a UPS that answers and is not understood. Not when one was
    /// configured that cannot be read.
    pub assumes: bool,
    /// Nobody said that a UPS is there: nothing but `Q1` is asked until something answers as one does.
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
    /// What was learned of the battery before this start ([`crate::device::Device::battery_memory`]).
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

    /// What was found at the last start, as far as it counts at this one.
    pub fn known_dialect(&self) -> Option<Known> {
        let first = self.candidates().first().copied();
        let kept = self.dialect_memory.as_deref().filter(|_| self.protocol.is_none()).and_then(Known::parse);
        // a release that did not go by the converter may have taken it for another
        kept.filter(|known| {
            self.first_dialect.is_none() || first.is_some_and(|first| first.name == known.protocol)
        })
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

    #[test]
    fn what_was_found_without_the_converter_does_not_count() {
        let kept = |name: &str| Known { protocol: name.into(), confirmed: true, names: vec![] }.text();
        for (first, kept_one, counts) in [
            (None, "q1", true),
            (Some("omron"), "q1", false),
            (Some("omron"), "omron", true),
            // of a driver that does not know it
            (None, "omron", true),
        ] {
            let options =
                Options { first_dialect: first, dialect_memory: Some(kept(kept_one)), ..Options::default() };
            assert_eq!(options.known_dialect().is_some(), counts, "{first:?} {kept_one}");
        }
    }

    #[test]
    fn runtimecal_wants_sense() {
        assert!(RuntimeCal::parse("240,100,720,50").is_ok());
        for text in ["", "240,100,720", "720,50,240,100", "240,100,720,100", "240,120,720,50", "0,100,720,50"]
        {
            assert!(RuntimeCal::parse(text).is_err(), "{text}");
        }
    }
}
