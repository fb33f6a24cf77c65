//! The options of `ups.conf` and `-x`: names, kinds, sentences.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
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
    pub kind: OptionKind,
    /// What it is for.
    pub scope: Scope,
    /// One sentence for users.
    pub about: &'static str,
}

const fn row(name: &'static str, kind: OptionKind, scope: Scope, about: &'static str) -> OptionRow {
    OptionRow { name, kind, scope, about }
}

use OptionKind::{Either, Flag as Switch, Value};
use Scope::{Device, Logged, Serial, Setting, Usb};

/// Options of `nutdrv_qx`, `blazer_ser` and `blazer_usb` alike (NUT 2.8.0, as those below).
#[rustfmt::skip]
pub const COMMON: &[OptionRow] = &[
    row("offdelay",       Value,  Device, "Seconds before the load is switched off after a shutdown command (default 30)"),
    row("protocol",       Value,  Device, "Protocol of the UPS (default: detected)"),
    row("norating",       Switch, Device, "Do not ask the UPS for its ratings"),
    row("novendor",       Switch, Device, "Do not ask the UPS for maker and model"),
    row("lowbatt_charge", Value,  Device, "On battery: LB also below this charge in percent"),
    row("lowbatt_runtime", Value, Device, "On battery: LB also below this battery.runtime in seconds"),
    row("lowbatt_voltage", Value, Device, "On battery: LB also below this battery.voltage"),
    row("quirks",         Value,  Device, "Known faults of this UPS to correct, by name ('qxups quirks' lists them)"),
    row("noquirks",       Value,  Device, "Known faults that this UPS does not have, by name: its word is published as it is"),
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
    row("allow_duplicates", Switch, Usb, "Use any matching USB device if several are identical, without a warning"),
    row("noscanlangid",   Switch, Usb, "Do not search for the USB language id"),
];

/// Of `nutdrv_qx`, for one dialect or another.
#[rustfmt::skip]
pub const DIALECTS: &[OptionRow] = &[
    row("reset_to_default", Switch, Device, "voltronic: set the capabilities to their defaults, in standby; done once, until the option is removed"),
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
    row("testing",        Switch, Device, "voltronic: enable untested queries and commands"),
    row("pins_shutdown_mode", Value, Setting, "bestups: function of pins 1 and 7, 0 to 6"),
    row("series",         Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("slave_address",  Value,  Device, "masterguard: number of the UPS on a shared line, 0 to 99"),
    row("slave_addr",     Value,  Device, "masterguard: slave_address, as NUT's manual spells it"),
    row("input_fault_voltage", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("number_of_battery_cells", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("nominal_cell_voltage", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("runtime_half",   Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("runtime_full",   Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("recharge_time",  Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("output_voltages", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("fault_1",        Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("fault_2",        Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("fault_3",        Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("fault_4",        Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("fault_5",        Value,  Logged, "masterguard: accepted and without effect, as in NUT"),
    row("experimental.battery.ageing.factor", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("experimental.battery.calibration.factor", Value, Logged, "masterguard: accepted and without effect, as in NUT"),
    row("nooutstats",     Switch, Device, "q2 and q6: do not ask for the power of each phase"),
];
