//! Names that NUT knows and this workspace has no other use for: so that a slip of the pen is told from what is
//! right, and merely not ours.

use super::nearest;
use driver::upgrade::UPGRADES;
use qx::vocabulary::variable;
use station::driver_kind;

/// The drivers of NUT but those that are ours (drivers/Makefile.am of 2.8.0, and of its newest source).
#[rustfmt::skip]
const DRIVERS: &[&str] = &[
    "adelsystem_cbi", "al175", "apc_modbus", "apcmicrolink", "apcsmart", "apcsmart-old", "apcupsd-ups",
    "asem", "bcmxcp", "bcmxcp_usb", "belkin", "belkinunv", "bestfcom", "bestfortress", "bestuferrups",
    "bestups", "bicker_ser", "clone", "clone-outlet", "dummy-ups", "etapro", "everups", "failover",
    "gamatronic", "generic_gpio_libgpiod", "generic_modbus", "genericups", "hald-addon-bcmxcp_usb",
    "hald-addon-blazer_usb", "hald-addon-tripplite_usb", "hald-addon-usbhid-ups", "huawei-ups2000",
    "hwmon_ina219", "isbmex", "ivtscd", "liebert", "liebert-esp2", "liebert-gxe", "macosx-ups", "masterguard",
    "meanwell_ntu", "metasys", "mge-shut", "mge-utalk", "microdowell", "microsol-apc", "must_ep2000pro",
    "netxml-ups", "newmge-shut", "nhs_ser", "nut-ipmipsu", "nut-upower", "nutdrv_atcl_usb", "nutdrv_hashx",
    "nutdrv_siemens-sitop", "oldmge-shut", "oneac", "optiups", "phoenixcontact_modbus", "pijuice", "powercom",
    "powerman-pdu", "powerpanel", "powervar_cx_ser", "powervar_cx_usb", "ragtech", "rhino", "richcomm_usb",
    "riello_ser", "riello_usb", "safenet", "skel", "sms_ser", "snmp-ups", "socomec_jbus", "solis",
    "tripplite", "tripplite_usb", "tripplitesu", "upscode2", "usbhid-ups", "ve-direct", "victronups",
];

/// Variables that drivers of this workspace do not publish (docs/nut-names.txt of NUT's newest source).
#[rustfmt::skip]
const VARIABLES: &[&str] = &[
    "battery.alarm.threshold", "battery.capacity", "battery.capacity.nominal", "battery.charge.approx",
    "battery.charge.restart", "battery.charge.warning", "battery.charger.status", "battery.charger.type",
    "battery.current.total", "battery.date.maintenance", "battery.energysave.delay",
    "battery.energysave.load", "battery.energysave.realpower", "battery.mfr.date", "battery.packs.bad",
    "battery.packs.external", "battery.runtime.restart", "battery.status", "battery.temperature.cell.max",
    "battery.temperature.cell.min", "battery.voltage.cell.max", "battery.voltage.cell.min", "device.contact",
    "device.count", "device.location", "device.macaddr", "device.usb.version", "input.bypass.switch.off",
    "input.bypass.switch.on", "input.bypass.switchable", "input.current", "input.current.high.critical",
    "input.current.high.warning", "input.current.low.critical", "input.current.low.warning",
    "input.current.status", "input.eco.switchable", "input.feed.color", "input.feed.desc",
    "input.frequency.extended", "input.frequency.status", "input.load", "input.phase.shift", "input.power",
    "input.quality", "input.realpower", "input.realpower.nominal", "input.sensitivity", "input.source",
    "input.source.preferred", "input.transfer.bypass.forced", "input.transfer.bypass.high",
    "input.transfer.bypass.low", "input.transfer.bypass.outlimits", "input.transfer.bypass.overload",
    "input.transfer.delay", "input.transfer.eco.high", "input.transfer.eco.low",
    "input.transfer.frequency.bypass.range", "input.transfer.frequency.eco.range",
    "input.transfer.hysteresis", "input.transfer.reason", "input.voltage.extended",
    "input.voltage.high.warning", "input.voltage.low.warning", "input.voltage.maximum",
    "input.voltage.minimum", "input.voltage.status", "output.inverter.latency", "ups.contacts", "ups.date",
    "ups.delay.reboot", "ups.display.language", "ups.efficiency", "ups.load.high", "ups.mfr.date", "ups.mode",
    "ups.productid", "ups.shutdown", "ups.start.reboot", "ups.test.date", "ups.test.interval", "ups.time",
    "ups.timer.reboot", "ups.timer.shutdown", "ups.timer.start", "ups.vendorid", "ups.watchdog.status",
];

/// What a name in ups.conf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// There is this one.
    Exactly,
    /// There is none; this one is meant, most likely.
    Meant(&'static str),
    /// There is none, nor one that is like it.
    No,
}

/// What the name of a driver is that is none of ours.
pub fn driver(name: &str) -> Known {
    let ours = driver_kind::ALL.into_iter().map(|kind| kind.name);
    let old = UPGRADES.iter().flat_map(|upgrade| upgrade.drivers.iter().copied());
    among(name, ours.chain(old).chain(DRIVERS.iter().copied()))
}

/// What the name of a variable is. Those of phases, outlets, sensors and experiments have parts that are free.
pub fn variable(name: &str) -> Known {
    let is_free = |part: &str| part.chars().any(|letter| letter.is_ascii_digit() || letter.is_uppercase());
    if ["outlet.", "ambient.", "experimental.", "driver.", "server."]
        .iter()
        .any(|head| name.starts_with(head))
        || name.split('.').any(is_free)
    {
        return Known::Exactly;
    }
    among(name, variable::ALL.iter().map(|var| var.name).chain(VARIABLES.iter().copied()))
}

fn among(name: &str, names: impl Iterator<Item = &'static str> + Clone) -> Known {
    match names.clone().any(|known| known == name) {
        true => Known::Exactly,
        false => nearest(name, names).map_or(Known::No, Known::Meant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_what_is_not_ours() {
        for (name, known) in [
            ("usbhid-ups", Known::Exactly),
            ("nutdrv_qx", Known::Exactly),
            ("nutdrv_hashx", Known::Exactly),
            ("megatec", Known::Exactly),
            ("nutdrv-qx", Known::Meant("nutdrv_qx")),
            ("blazerusb", Known::Meant("blazer_usb")),
            ("usbhid_ups", Known::Meant("usbhid-ups")),
            ("frobnicator", Known::No),
        ] {
            assert_eq!(driver(name), known, "{name}");
        }
        for (name, known) in [
            ("battery.voltage.high", Known::Exactly),
            ("battery.date.maintenance", Known::Exactly),
            ("input.L1-N.voltage", Known::Exactly),
            ("outlet.1.desc", Known::Exactly),
            ("battery.voltage.hihg", Known::Meant("battery.voltage.high")),
            ("ups.mfg", Known::Meant("ups.mfr")),
            ("x", Known::No),
        ] {
            assert_eq!(variable(name), known, "{name}");
        }
    }
}
