//! Earlier drivers and their options (upgrade notes of NUT 2.8.0's nutdrv_qx(8) and blazer_ser(8),
//! megatec(8) of 2.2, NUT 2.8.0 bestups.c and masterguard.c).

use super::Becomes::{CablePower, Client, Nothing, Option, Seconds, Two, Word};
use super::Upgrade;

const TEST_SECONDS: &str = "test.battery.start takes seconds now, no longer minutes";

/// Every driver that `nutdrv_qx` has taken the place of.
#[rustfmt::skip]
pub static UPGRADES: &[Upgrade] = &[
    Upgrade {
        drivers: &["blazer_ser", "blazer_usb"],
        still_there: true,
        protocol: None,
        options: &[("ondelay", Seconds)],
        note: TEST_SECONDS,
    },
    Upgrade {
        drivers: &["megatec", "megatec_usb", "megatec-over-usb", "blazer", "fentonups", "sms", "esupssmart", "ippon", "krauler", "mustek", "powermust"],
        still_there: false,
        protocol: None,
        options: MEGATEC,
        note: "ondelay and offdelay are in seconds now, left out 180 and 30; a charge that was set by lowbatt only counts with the flag ignorelb",
    },
    Upgrade {
        drivers: &["bestups"],
        still_there: true,
        protocol: Some("bestups"),
        options: &[
            ("nombattvolt",  Nothing("the charge is estimated by default.battery.voltage.low and default.battery.voltage.high")),
            ("battvoltmult", Option("override.battery.packs")),
            ("ID",           Nothing("the UPS says who it is")),
        ],
        note: "",
    },
    Upgrade {
        drivers: &["masterguard"],
        still_there: true,
        protocol: Some("masterguard"),
        options: &[("CS", Nothing("-k always stops a shutdown that is pending before it begins its own"))],
        note: "",
    },
    Upgrade {
        drivers: &["voltronic", "voltronic_ser", "voltronic_usb"],
        still_there: false,
        protocol: Some("voltronic"),
        options: VOLTRONIC,
        note: TEST_SECONDS,
    },
];

#[rustfmt::skip]
const MEGATEC: &[(&str, super::Becomes)] = &[
    ("ondelay",   Seconds),
    ("offdelay",  Seconds),
    ("battvolts", Two("default.battery.voltage.low", "default.battery.voltage.high")),
    ("lowbatt",   Option("override.battery.charge.low")),
    ("mfr",       Option("override.device.mfr")),
    ("model",     Option("override.device.model")),
    ("dtr",       CablePower),
    ("rts",       CablePower),
    ("ignoreoff", Nothing("it rested on a misunderstanding of the protocol")),
    ("subdriver", Word(&[("agiler", "cypress")])),
];

#[rustfmt::skip]
const VOLTRONIC: &[(&str, super::Becomes)] = &[
    ("ondelay",            Seconds),
    ("battnumb",           Option("battery_number")),
    ("battpacks",          Client("battery.packs")),
    ("battlow",            Client("battery.voltage.low")),
    ("auto_reboot",        Client("ups.start.auto")),
    ("battery_protection", Client("battery.protection")),
    ("energy_saving",      Client("battery.energysave")),
    ("cold_start",         Client("ups.start.battery")),
    ("outlet_control",     Client("outlet.0.switchable")),
    ("max_eco_volt",       Client("input.transfer.high")),
    ("min_eco_volt",       Client("input.transfer.low")),
    ("max_eco_freq",       Client("input.frequency.high")),
    ("min_eco_freq",       Client("input.frequency.low")),
    ("outlet1_delay",      Client("outlet.1.delay.shutdown")),
    ("outlet2_delay",      Client("outlet.2.delay.shutdown")),
    ("outlet3_delay",      Client("outlet.3.delay.shutdown")),
    ("outlet4_delay",      Client("outlet.4.delay.shutdown")),
    ("batt_type",          Client("battery.type")),
];
