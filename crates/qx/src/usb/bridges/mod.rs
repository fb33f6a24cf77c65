//! The bridges, each a file. A new one is one file here and one line in [`ALL`].

mod ablerex;
mod armac;
mod cypress;
mod fabula;
mod fuji;
mod gtec;
mod hunnox;
mod ippon;
mod krauler;
mod omron;
mod phoenix;
mod phoenixtec;
mod sgs;
mod snr;

use crate::usb::bridge::{Bridge, KnownDevices, usb};
pub use ablerex::ABLEREX;
pub use armac::{ARMAC, ARMAC_LONG};
pub use cypress::CYPRESS;
pub use fabula::FABULA;
pub use fuji::FUJI;
pub use gtec::GTEC;
pub use hunnox::HUNNOX;
pub use ippon::IPPON;
pub use krauler::KRAULER;
pub use omron::OMRON;
pub use phoenix::PHOENIX;
pub use phoenixtec::PHOENIXTEC;
pub use sgs::SGS;
pub use snr::SNR;

/// Every bridge, sorted by name.
pub static ALL: &[&Bridge] = &[
    &ABLEREX,
    &ARMAC,
    &CYPRESS,
    &FABULA,
    &FUJI,
    &GTEC,
    &HUNNOX,
    &IPPON,
    &KRAULER,
    &OMRON,
    &PHOENIX,
    &PHOENIXTEC,
    &SGS,
    &SNR,
];

/// The devices that `blazer_usb` takes, and its bridges for them: by their numbers alone, so that it
/// goes on with the bytes it always sent (NUT 2.8.0 blazer_usb.c).
pub static BLAZER: KnownDevices = &[
    (usb(0x05b8, 0x0000), &CYPRESS),
    (usb(0x0001, 0x0000), &KRAULER),
    (usb(0xffff, 0x0000), &KRAULER),
    (usb(0x0665, 0x5161), &CYPRESS),
    (usb(0x06da, 0x0002), &CYPRESS),
    (usb(0x06da, 0x0003), &IPPON),
    (usb(0x06da, 0x0004), &CYPRESS),
    (usb(0x06da, 0x0005), &CYPRESS),
    (usb(0x06da, 0x0201), &CYPRESS),
    (usb(0x06da, 0x0601), &PHOENIX),
    (usb(0x0f03, 0x0001), &CYPRESS),
    (usb(0x14f0, 0x00c9), &PHOENIX),
];

/// The bridge of that name (case does not matter, as in NUT).
pub fn named(name: &str) -> Option<&'static Bridge> {
    ALL.iter().find(|bridge| bridge.name.eq_ignore_ascii_case(name)).copied()
}

/// The bridge of a device: of several rows that fit, the one that says most.
pub fn of_device(
    vendor: u16,
    product: u16,
    vendor_text: &str,
    product_text: &str,
) -> Option<&'static Bridge> {
    let rows = ALL.iter().flat_map(|bridge| bridge.ids.iter().map(move |id| (*bridge, id)));
    let fitting = rows.filter(|(_, id)| id.fits(vendor, product, vendor_text, product_text));
    fitting.max_by_key(|(_, id)| id.weight()).map(|(bridge, _)| bridge)
}

/// The dialect that comes first for devices of this maker, if their bridge names one. By the maker, as in NUT
/// (2.8.5 nutdrv_qx_omron.c, omron_claim), whatever `subdriver` says: who tries one bridge after the other on an
/// unknown device would else be taken for an Omron.
pub fn dialect_of(vendor: u16) -> Option<&'static str> {
    let named = ALL.iter().filter(|bridge| bridge.ids.iter().any(|id| id.vendor == vendor));
    named.copied().find_map(|bridge| bridge.dialect)
}
