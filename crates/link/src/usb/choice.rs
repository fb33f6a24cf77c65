//! Which USB device is meant.

use crate::error::{Kind, LinkError};
use nusb::DeviceInfo;
use qx::bridge::{Bridge, KnownDevices};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

/// A regular expression of `ups.conf`: the whole text must fit, whatever the case.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(option: &str, text: &str) -> Result<Pattern, String> {
        let whole = format!("^(?:{})$", text.trim());
        let built = RegexBuilder::new(&whole).case_insensitive(true).build();
        built.map(Pattern).map_err(|error| format!("{option} = {text}: not a regular expression: {error}"))
    }

    /// Whether the whole text fits; blanks around it do not count.
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(text.trim())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
impl Eq for Pattern {}

/// A device on USB, as the system tells of it; nothing is asked of the device itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Vendor id.
    pub vendor_id: u16,
    /// Product id.
    pub product_id: u16,
    /// The vendor's text, or nothing.
    pub vendor: String,
    /// The product's text, or nothing.
    pub product: String,
    /// The serial number, or nothing.
    pub serial: String,
    /// The bus.
    pub bus: u8,
    /// The number on the bus: another one after each plugging in.
    pub address: u8,
    /// Bus and ports, which stay the same while a device stays in its socket: `1-2.4`.
    pub place: String,
}

impl Attached {
    pub(super) fn of(device: &DeviceInfo) -> Attached {
        let text = |text: Option<&str>| text.unwrap_or_default().trim().to_string();
        let ports: Vec<String> = device.port_chain().iter().map(u8::to_string).collect();
        Attached {
            vendor_id: device.vendor_id(),
            product_id: device.product_id(),
            vendor: text(device.manufacturer_string()),
            product: text(device.product_string()),
            serial: text(device.serial_number()),
            bus: device.busnum(),
            address: device.device_address(),
            place: format!("{}-{}", device.busnum(), ports.join(".")),
        }
    }

    /// The bridge in it, when its table knows the device.
    pub fn bridge(&self) -> Option<&'static Bridge> {
        qx::bridges::of_device(self.vendor_id, self.product_id, &self.vendor, &self.product)
    }

    /// Whether nothing but the place tells the two apart.
    fn is_like(&self, other: &Attached) -> bool {
        let all =
            |a: &Attached| (a.vendor_id, a.product_id, a.vendor.clone(), a.product.clone(), a.serial.clone());
        all(self) == all(other)
    }
}

impl fmt::Display for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x} at {}", self.vendor_id, self.product_id, self.place)
    }
}

/// Every device on USB; a machine without USB has none.
///
/// # Errors
/// [`LinkError`] when the system does not tell.
pub async fn attached() -> Result<Vec<Attached>, LinkError> {
    Ok(devices().await?.iter().map(Attached::of).collect())
}

pub(super) async fn devices() -> Result<Vec<DeviceInfo>, LinkError> {
    match nusb::list_devices().await {
        Ok(devices) => Ok(devices.collect()),
        Err(error) if error.os_error() == Some(nix::errno::Errno::ENOENT as u32) => Ok(vec![]),
        Err(error) => {
            Err(LinkError::new(Kind::Other, format!("the system does not list its USB devices: {error}")))
        }
    }
}

/// Which USB device is meant, and how it is spoken to.
#[derive(Clone, Debug, Default)]
pub struct UsbOptions {
    /// `vendorid`, `productid`, `vendor`, `product`, `serial`, `bus`, `device`, `busport`.
    pub patterns: BTreeMap<&'static str, Pattern>,
    /// `subdriver`.
    pub bridge: Option<&'static Bridge>,
    /// The devices that are taken without it, where they are fewer than all that are known.
    pub devices: Option<KnownDevices>,
    /// `usb_config_index`: the configuration, counted from 0.
    pub configuration: Option<u8>,
    /// `usb_hid_rep_index`: the interface.
    pub interface: u8,
    /// `usb_set_altinterface`.
    pub alternate: Option<u8>,
    /// `usb_hid_ep_in`: the endpoint of replies, in place of the bridge's.
    pub inlet: Option<u8>,
    /// `usb_hid_ep_out`: the endpoint of commands, in place of the bridge's.
    pub outlet: Option<u8>,
    /// `langid_fix`.
    pub language: Option<u16>,
    /// `noscanlangid`.
    pub no_scan: bool,
    /// `allow_duplicates`: of several that look the same, any.
    pub any_of_twins: bool,
    /// The device that was found first: the same one is looked for again.
    chosen: OnceLock<Chosen>,
}

/// The device that was opened first.
#[derive(Clone, Debug)]
struct Chosen {
    device: Attached,
    /// Whether another one looked the same, so that only the place tells them apart.
    has_twin: bool,
}

impl PartialEq for UsbOptions {
    /// What was chosen by them is no part of them.
    fn eq(&self, other: &UsbOptions) -> bool {
        let numbers =
            |o: &UsbOptions| (o.configuration, o.interface, o.alternate, o.inlet, o.outlet, o.language);
        let flags = |o: &UsbOptions| (o.no_scan, o.any_of_twins);
        self.patterns == other.patterns
            && self.bridge.map(|bridge| bridge.name) == other.bridge.map(|bridge| bridge.name)
            && numbers(self) == numbers(other)
            && flags(self) == flags(other)
    }
}
impl Eq for UsbOptions {}

impl UsbOptions {
    /// The bridge of a device, if it is meant.
    pub fn bridge_of(&self, device: &Attached) -> Option<&'static Bridge> {
        let said = |name: &str| match name {
            "vendorid" => format!("{:04x}", device.vendor_id),
            "productid" => format!("{:04x}", device.product_id),
            "vendor" => device.vendor.clone(),
            "product" => device.product.clone(),
            "serial" => device.serial.clone(),
            "bus" => format!("{:03}", device.bus),
            "device" => format!("{:03}", device.address),
            _ => device.place.clone(),
        };
        // after it was plugged in again it has another number
        let counts = |name: &str| name != "device" || self.chosen.get().is_none();
        let fits = self.patterns.iter().all(|(name, pattern)| !counts(name) || pattern.fits(&said(name)));
        if !fits || self.chosen.get().is_some_and(|chosen| !chosen.is(device)) {
            return None;
        }
        self.bridge.or_else(|| self.known_bridge(device))
    }

    fn known_bridge(&self, device: &Attached) -> Option<&'static Bridge> {
        let Some(devices) = self.devices else { return device.bridge() };
        let (vendor, product) = (device.vendor_id, device.product_id);
        let known = devices.iter().find(|(id, _)| id.fits(vendor, product, &device.vendor, &device.product));
        known.map(|(_, bridge)| *bridge)
    }

    /// Remembers which device of `all` was opened; a sentence when another one looks the same.
    pub(super) fn choose(&self, device: &Attached, all: &[Attached]) -> Option<String> {
        let twins: Vec<&str> = all
            .iter()
            .filter(|other| other.is_like(device) && other.place != device.place)
            .map(|other| other.place.as_str())
            .collect();
        let chosen = Chosen { device: device.clone(), has_twin: !twins.is_empty() && !self.any_of_twins };
        let settled = self.any_of_twins || self.patterns.contains_key("busport");
        if self.chosen.set(chosen).is_err() || twins.is_empty() || settled {
            return None;
        }
        Some(format!(
            "{device} looks the same as what is at {}: write busport = {} into ups.conf, so that it is always this one",
            twins.join(", "),
            device.place
        ))
    }
}

impl Chosen {
    fn is(&self, device: &Attached) -> bool {
        self.device.is_like(device) && (!self.has_twin || self.device.place == device.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(vendor_id: u16, product_id: u16, serial: &str, place: &str, address: u8) -> Attached {
        Attached {
            vendor_id,
            product_id,
            vendor: "INNO TECH".into(),
            product: "USB to Serial".into(),
            serial: serial.into(),
            bus: 1,
            address,
            place: place.into(),
        }
    }

    fn meant(options: &UsbOptions, device: &Attached) -> Option<&'static str> {
        options.bridge_of(device).map(|bridge| bridge.name)
    }

    #[test]
    fn patterns_cover_the_whole_text() {
        let fits = |pattern: &str, text: &str| Pattern::parse("product", pattern).unwrap().fits(text);
        assert!(fits("MEC0003", " mec0003 "));
        assert!(fits("usb.*", "USB to Serial"));
        assert!(fits("0665|06da", "06DA"));
        assert!(!fits("MEC", "MEC0003") && !fits("0665|06da", "06dax"));
        assert!(Pattern::parse("serial", "(").is_err());
    }

    #[test]
    fn only_known_devices_are_meant_unless_a_bridge_is_named() {
        let serial_adapter = device(0x1a86, 0x7523, "", "1-1", 2);
        let ups = device(0x0665, 0x5161, "", "1-2", 3);
        let any = UsbOptions::default();
        assert_eq!((meant(&any, &serial_adapter), meant(&any, &ups)), (None, Some("cypress")));
        let mut named = UsbOptions { bridge: qx::bridges::named("phoenix"), ..UsbOptions::default() };
        named.patterns.insert("vendorid", Pattern::parse("vendorid", "1a86").unwrap());
        assert_eq!((meant(&named, &serial_adapter), meant(&named, &ups)), (Some("phoenix"), None));
    }

    #[test]
    fn a_driver_of_few_devices_goes_by_their_numbers() {
        let options = UsbOptions { devices: Some(qx::bridges::BLAZER), ..UsbOptions::default() };
        let mut strings = device(0x0001, 0x0000, "", "1-1", 2);
        (strings.vendor, strings.product) = ("MEC".into(), "MEC0003".into());
        let armac = device(0x0925, 0x1234, "", "1-2", 3);
        assert_eq!((meant(&options, &strings), meant(&options, &armac)), (Some("krauler"), None));
        let any = UsbOptions::default();
        assert_eq!((meant(&any, &strings), meant(&any, &armac)), (Some("fabula"), Some("armac")));
    }

    #[test]
    fn every_pattern_has_its_text() {
        let ups = device(0x0665, 0x5161, "A1", "1-2.4", 7);
        for (name, text) in [
            ("vendorid", "0665"),
            ("productid", "5161"),
            ("vendor", "inno.*"),
            ("product", "usb to serial"),
            ("serial", "a1"),
            ("bus", "001"),
            ("device", "007"),
            ("busport", "1-2\\.4"),
        ] {
            let with = |text: &str| {
                let mut options = UsbOptions::default();
                options.patterns.insert(name, Pattern::parse(name, text).unwrap());
                meant(&options, &ups)
            };
            assert_eq!((with(text), with("other")), (Some("cypress"), None), "{name}");
        }
    }

    #[test]
    fn the_same_device_is_looked_for_again() {
        let (ups, other) = (device(0x0665, 0x5161, "A1", "1-2", 3), device(0x0665, 0x5161, "B2", "1-3", 4));
        let mut options = UsbOptions::default();
        options.patterns.insert("device", Pattern::parse("device", "003").unwrap());
        assert_eq!(options.choose(&ups, &[ups.clone(), other.clone()]), None);
        // in another socket, under another number: it is the same all the same
        assert_eq!(meant(&options, &device(0x0665, 0x5161, "A1", "1-4", 9)), Some("cypress"));
        assert_eq!(meant(&options, &other), None);
    }

    #[test]
    fn of_twins_the_place_tells() {
        let (ups, twin) = (device(0x0665, 0x5161, "", "1-2", 3), device(0x0665, 0x5161, "", "1-3", 4));
        let options = UsbOptions::default();
        let remark = options.choose(&ups, &[ups.clone(), twin.clone()]).unwrap();
        assert!(remark.contains("busport = 1-2"), "{remark}");
        assert_eq!((meant(&options, &ups), meant(&options, &twin)), (Some("cypress"), None));
    }
}
