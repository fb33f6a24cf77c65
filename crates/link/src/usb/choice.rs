//! Which USB device is meant.

use super::same::{Judgement, OpenedMemory, is_telling};
use crate::error::{LinkError, LinkErrorKind};
use nusb::DeviceInfo;
use qx::usb::bridge::{Bridge, KnownDevices};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// A regular expression of `ups.conf`: the whole text must fit, whatever the case (NUT 2.8.5 common.c,
/// match_regex).
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(option: &str, text: &str) -> Result<Pattern, String> {
        let whole = format!("^(?:{})$", text.trim());
        let built = RegexBuilder::new(&whole).case_insensitive(true).build();
        let whole = built.map_err(|error| format!("{option} = {text}: not a regular expression: {error}"))?;
        Ok(Pattern { text: text.trim().into(), whole })
    }

    /// Whether the whole text fits; blanks around it do not count.
    pub fn fits(&self, text: &str) -> bool {
        self.whole.is_match(text.trim())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
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
        qx::usb::bridges::of_device(self.vendor_id, self.product_id, &self.vendor, &self.product)
    }

    /// The number of its port on its hub, by which NUT names a place.
    fn port(&self) -> &str {
        self.place.rsplit(['-', '.']).next().unwrap_or_default()
    }

    /// What an option is compared with, as NUT writes it (2.8.5 libusb1.c, usb-common.c).
    fn said(&self, option: &str) -> Vec<String> {
        vec![match option {
            "vendorid" => format!("{:04x}", self.vendor_id),
            "productid" => format!("{:04x}", self.product_id),
            "vendor" => self.vendor.clone(),
            "product" => self.product.clone(),
            "serial" => self.serial.clone(),
            "bus" => format!("{:03}", self.bus),
            "device" => format!("{:03}", self.address),
            // NUT compares the port alone, which each hub has; both forms count
            _ => return vec![self.place.clone(), format!("{:0>3}", self.port())],
        }]
    }

    /// What a device is known by as long as the machine runs: its numbers, its socket and its serial number.
    pub fn mark(&self) -> String {
        format!("{:04x}:{:04x} {} {}", self.vendor_id, self.product_id, self.place, self.serial)
    }

    /// Whether a mark is of this device: by its socket, or by a serial number of its own.
    fn is_marked(&self, mark: &str) -> bool {
        let words: Vec<&str> = mark.trim_end().splitn(3, ' ').collect();
        let serial = words.get(2).copied().unwrap_or_default();
        let is_of_kind = words.first() == Some(&&*format!("{:04x}:{:04x}", self.vendor_id, self.product_id));
        let is_there = words.get(1) == Some(&&*self.place);
        is_of_kind && serial == self.serial && (is_there || is_telling(serial))
    }

    /// Whether nothing but the place tells the two apart.
    pub(super) fn is_like(&self, other: &Attached) -> bool {
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
        Err(error) => Err(LinkError::new(
            LinkErrorKind::Other,
            format!("the system does not list its USB devices: {error}"),
        )),
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
    /// Nothing is opened on a guess: of several that fit, one has to be known.
    pub surely: Option<Surely>,
    /// The device that was opened: the same one is looked for again.
    pub(super) memory: OpenedMemory,
}

/// For callers that must not take one device for another: those that switch a load off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surely {
    /// The device that the driver of this UPS had open last ([`Attached::mark`]), where that is known.
    pub last: Option<String>,
}

/// A device that may be opened.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Its place in the list.
    pub at: usize,
    /// The bridge in it.
    pub bridge: &'static Bridge,
    /// Why it cannot be shown to be the device that was open before.
    pub doubt: Option<String>,
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
        if self.misfits(device).next().is_some() {
            return None;
        }
        self.bridge.or_else(|| self.known_bridge(device))
    }

    /// The options that a device does not fit.
    fn misfits<'a>(&'a self, device: &'a Attached) -> impl Iterator<Item = (&'static str, &'a Pattern)> {
        let is_open_before = self.memory.before().is_some();
        // after it was plugged in again it has another number
        let counts = move |name: &str| name != "device" || !is_open_before;
        let all = self.patterns.iter().map(|(name, pattern)| (*name, pattern));
        all.filter(move |(name, pattern)| {
            counts(name) && !device.said(name).iter().any(|said| pattern.fits(said))
        })
    }

    /// Those of `all` that may be opened, the likeliest first; `connected` says how long one has been plugged
    /// in. What was there beside the device that was open before is kept in mind.
    pub(super) fn candidates(
        &self,
        all: &[Attached],
        connected: impl Fn(&Attached) -> Option<Duration>,
        now: Instant,
    ) -> Vec<Candidate> {
        let meant =
            all.iter().enumerate().filter_map(|(at, device)| Some((at, device, self.bridge_of(device)?)));
        let Some(before) = self.memory.before() else {
            return meant.map(|(at, _, bridge)| Candidate { at, bridge, doubt: None }).collect();
        };
        let judged = meant.filter(|(_, device, _)| device.is_like(&before.device)).filter_map(
            |(at, device, bridge)| {
                match before.judge(device, all, connected(device), now) {
                    Judgement::Same => Some(Candidate { at, bridge, doubt: None }),
                    Judgement::Doubtful(why) => Some(Candidate { at, bridge, doubt: Some(why) }),
                    // of several that look the same, any will do
                    Judgement::Another(why) if self.any_of_twins => {
                        Some(Candidate { at, bridge, doubt: Some(format!("{device} is another one: {why}")) })
                    }
                    Judgement::Another(_) => {
                        self.memory.saw_beside(&device.place);
                        None
                    }
                }
            },
        );
        let mut candidates: Vec<Candidate> = judged.collect();
        let elsewhere =
            |one: &Candidate| all.get(one.at).is_none_or(|device| device.place != before.device.place);
        candidates.sort_by_key(|one| (elsewhere(one), one.doubt.is_some()));
        candidates
    }

    /// Of the candidates among `all` those that may be meant, for who must be sure; the others are for the drivers
    /// of other UPSes.
    pub(super) fn likely(&self, candidates: Vec<Candidate>, all: &[Attached]) -> Vec<Candidate> {
        let Some(last) = self.surely.as_ref().and_then(|surely| surely.last.as_ref()) else {
            return candidates;
        };
        let is_last = |one: &Candidate| all.get(one.at).is_some_and(|device| device.is_marked(last));
        match candidates.iter().any(is_last) {
            true => candidates.into_iter().filter(is_last).collect(),
            false => candidates,
        }
    }

    /// Whether each of several has to be tried, for only what no other program uses may be meant.
    pub(super) fn must_be_sure(&self) -> bool {
        self.surely.is_some() && !self.any_of_twins && self.memory.before().is_none()
    }

    /// Several are free, and nothing says which is meant.
    pub(super) fn unsure(free: &[&Attached]) -> LinkError {
        let all = free.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let place = free.first().map(|device| device.place.clone()).unwrap_or_default();
        let serials: Vec<&str> =
            free.iter().map(|device| device.serial.as_str()).filter(|serial| is_telling(serial)).collect();
        let also = if serials.len() == free.len() && serials.iter().any(|one| *one != serials[0]) {
            format!("serial = {}, or ", serials[0])
        } else {
            String::new()
        };
        let sentence = format!(
            "several UPSes on USB fit ({all}), and nothing says which one is meant: write {also}busport = {place}, say, into its section of ups.conf"
        );
        LinkError::new(LinkErrorKind::Unsuitable, sentence)
    }

    /// Why none of `all` may be opened.
    pub(super) fn why_none(
        &self,
        all: &[Attached],
        connected: impl Fn(&Attached) -> Option<Duration>,
        now: Instant,
    ) -> LinkError {
        let before = self.memory.before();
        let looks_the_same = |device: &&Attached| before.as_ref().is_some_and(|b| device.is_like(&b.device));
        let like_it = before.as_ref().zip(all.iter().find(looks_the_same));
        let another =
            like_it.and_then(|(before, other)| match before.judge(other, all, connected(other), now) {
                Judgement::Another(why) => Some((before, other, why)),
                _ => None,
            });
        if let Some((before, other, why)) = another {
            let place = &before.device.place;
            let sentence = format!(
                "the UPS that was at {place} is away, and {other} is left alone, for it may be another one ({why}): plug the UPS into the socket {place} again, or restart this driver so that it takes what is there"
            );
            return LinkError::new(LinkErrorKind::Another, sentence);
        }
        let nearly = all.iter().filter(|device| self.bridge.or_else(|| self.known_bridge(device)).is_some());
        let nearly = nearly.filter_map(|device| {
            let mut misfits = self.misfits(device);
            let (name, pattern) = misfits.next().filter(|_| misfits.next().is_none())?;
            // a foreign device, by its numbers, is not meant
            let is_near = device.bridge().is_some() || !matches!(name, "vendorid" | "productid");
            let said =
                device.said(name).iter().map(|said| format!("'{said}'")).collect::<Vec<_>>().join(" or ");
            is_near.then(|| format!("; {device} is there, but {name} = {} does not fit {said}", pattern.text))
        });
        let nearly = nearly.take(2).collect::<String>();
        LinkError::new(
            LinkErrorKind::NotFound,
            format!(
                "no UPS found on USB; check the cable, and vendorid, productid and the like in ups.conf{nearly}"
            ),
        )
    }

    fn known_bridge(&self, device: &Attached) -> Option<&'static Bridge> {
        let Some(devices) = self.devices else { return device.bridge() };
        let (vendor, product) = (device.vendor_id, device.product_id);
        let known = devices.iter().find(|(id, _)| id.fits(vendor, product, &device.vendor, &device.product));
        known.map(|(_, bridge)| *bridge)
    }

    /// Remembers which device of `all` is open now; a sentence when another one looks the same, as far as
    /// that is news.
    pub(super) fn choose(&self, device: &Attached, all: &[Attached]) -> Option<String> {
        let is_news = self.memory.open(device, all);
        let is_rival = |other: &&Attached| {
            other.is_like(device) && other.place != device.place && self.bridge_of(other).is_some()
        };
        let rivals: Vec<&str> = all.iter().filter(is_rival).map(|other| other.place.as_str()).collect();
        if !is_news || self.any_of_twins || rivals.is_empty() {
            return None;
        }
        Some(format!(
            "{device} looks the same as what is at {}: write busport = {} into ups.conf, so that it is always this one",
            rivals.join(", "),
            device.place
        ))
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
        let mut named = UsbOptions { bridge: qx::usb::bridges::named("phoenix"), ..UsbOptions::default() };
        named.patterns.insert("vendorid", Pattern::parse("vendorid", "1a86").unwrap());
        assert_eq!((meant(&named, &serial_adapter), meant(&named, &ups)), (Some("phoenix"), None));
    }

    #[test]
    fn a_driver_of_few_devices_goes_by_their_numbers() {
        let options = UsbOptions { devices: Some(qx::usb::bridges::BLAZER), ..UsbOptions::default() };
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

    /// NUT prints numbers with their leading zeros, and the whole text has to fit, whatever the case (2.8.5
    /// libusb1.c, usb-common.c, common.c match_regex); `nut-scanner` writes the number of the port.
    #[test]
    fn options_fit_as_in_nut() {
        let ups = Attached { bus: 2, ..device(0x06da, 0x0003, " Ab 1 ", "2-1.12", 7) };
        let long = Attached { bus: 2, ..device(0x06da, 0x0003, "", "2-1.114", 107) };
        let fits = |name: &'static str, text: &str, device: &Attached| {
            let mut options =
                UsbOptions { bridge: qx::usb::bridges::named("ippon"), ..UsbOptions::default() };
            options.patterns.insert(name, Pattern::parse(name, text).unwrap());
            meant(&options, device).is_some()
        };
        for (name, yes, no) in [
            (
                "vendorid",
                &["06da", "06DA", "06d.", "(0665|06da)", "[0-9a-f]{4}", "06[[:alpha:]]+"][..],
                &["6da", "0x06da", "06d", "06da0"][..],
            ),
            ("productid", &["0003", "000[1-4]"], &["3", "003"]),
            ("vendor", &["INNO TECH", "inno tech", "INNO.*", ".*"], &["INNO", "TECH", "^$"]),
            ("serial", &["ab 1", "AB.1"], &["ab", "1", ""]),
            ("bus", &["002", "00[12]", ".*"], &["2", "02", "001", "0002"]),
            ("device", &["007", "00[0-9]"], &["7", "07"]),
            // the port on the hub, or bus and ports
            (
                "busport",
                &["012", "01[0-9]", "2-1.12", "2-1\\.12", "2-.*", ".*"],
                &["12", "002", "001", "1.12", "2-1", "2-1.1"],
            ),
        ] {
            for text in yes {
                assert!(fits(name, text, &ups), "{name} = {text}");
            }
            for text in no {
                assert!(!fits(name, text, &ups), "{name} = {text}");
            }
        }
        assert!(fits("busport", "114", &long) && fits("device", "107", &long));
        // a device without a text has an empty one
        assert!(fits("serial", "", &long) && !fits("serial", ".+", &long));
    }

    #[test]
    fn what_keeps_the_ups_from_being_found_is_said() {
        let (ups, foreign) = (device(0x0665, 0x5161, "A1", "1-2", 3), device(0x1a86, 0x7523, "", "1-3", 4));
        let why = |given: &[(&'static str, &str)]| {
            let mut options = UsbOptions::default();
            for (name, text) in given {
                options.patterns.insert(name, Pattern::parse(name, text).unwrap());
            }
            let error = options.why_none(&[ups.clone(), foreign.clone()], |_| None, Instant::now());
            assert_eq!(error.kind, LinkErrorKind::NotFound);
            error.sentence
        };
        for (name, text, said) in [
            ("busport", "003", "but busport = 003 does not fit '1-2' or '002'"),
            ("bus", "1", "but bus = 1 does not fit '001'"),
            ("serial", "B2", "but serial = B2 does not fit 'A1'"),
            ("vendorid", "0x0665", "but vendorid = 0x0665 does not fit '0665'"),
        ] {
            let sentence = why(&[(name, text), ("vendor", "inno.*")]);
            assert!(
                sentence.starts_with("no UPS found on USB") && sentence.contains("0665:5161 at 1-2 is there")
            );
            assert!(sentence.contains(said) && !sentence.contains("1a86"), "{sentence}");
        }
        // two options that do not fit mean another device
        assert!(!why(&[("serial", "B2"), ("bus", "002")]).contains("is there"));
    }

    /// The places of the candidates, those in doubt with a question mark.
    fn candidates(options: &UsbOptions, all: &[Attached]) -> Vec<String> {
        let found = options.candidates(all, |_| None, Instant::now());
        let shown =
            |one: &Candidate| format!("{}{}", all[one.at].place, if one.doubt.is_some() { "?" } else { "" });
        found.iter().map(shown).collect()
    }

    #[test]
    fn the_same_device_is_looked_for_again() {
        let (ups, other) =
            (device(0x0665, 0x5161, "A1234", "1-2", 3), device(0x0665, 0x5161, "B5678", "1-3", 4));
        let mut options = UsbOptions::default();
        options.patterns.insert("device", Pattern::parse("device", "003").unwrap());
        assert_eq!(candidates(&options, &[other.clone(), ups.clone()]), ["1-2"]);
        assert_eq!(options.choose(&ups, &[ups.clone(), other.clone()]), None);
        // in another socket, under another number: it is the same all the same
        let moved = device(0x0665, 0x5161, "A1234", "1-4", 9);
        assert_eq!(candidates(&options, &[other.clone(), moved]), ["1-4"]);
        assert_eq!(candidates(&options, &[other]), Vec::<String>::new());
    }

    #[test]
    fn of_twins_the_place_tells() {
        let (ups, twin) = (device(0x0665, 0x5161, "", "1-2", 3), device(0x0665, 0x5161, "", "1-1", 4));
        let (options, all) = (UsbOptions::default(), [twin.clone(), ups.clone()]);
        assert_eq!(candidates(&options, &all), ["1-1", "1-2"], "the first that is free");
        let remark = options.choose(&ups, &all).unwrap();
        assert!(remark.contains("busport = 1-2"), "{remark}");
        assert_eq!(candidates(&options, &all), ["1-2?"]);
        assert_eq!(candidates(&options, std::slice::from_ref(&twin)), Vec::<String>::new());
        let error = options.why_none(std::slice::from_ref(&twin), |_| None, Instant::now());
        assert_eq!(error.kind, LinkErrorKind::Another);
        assert!(error.sentence.contains("the socket 1-2 again"), "{error}");
        // said once
        assert_eq!(options.choose(&ups, &all), None);
    }

    /// What is at the first opening counts no more than what comes later.
    #[test]
    fn a_twin_that_comes_later_is_a_twin() {
        let (ups, twin) = (device(0x0665, 0x5161, "", "1-2", 3), device(0x0665, 0x5161, "", "1-1", 4));
        let options = UsbOptions::default();
        assert_eq!(options.choose(&ups, std::slice::from_ref(&ups)), None);
        let all = [twin.clone(), ups.clone()];
        assert_eq!(candidates(&options, &all), ["1-2?"], "after a reset");
        let remark = options.choose(&ups, &all).unwrap();
        assert!(remark.contains("busport = 1-2"), "{remark}");
        assert_eq!(candidates(&options, &[twin]), Vec::<String>::new());
    }

    /// A reload compares options as they are shown.
    #[test]
    fn what_was_opened_is_no_option() {
        let ups = device(0x0665, 0x5161, "", "1-2", 3);
        let (options, fresh) = (UsbOptions::default(), UsbOptions::default());
        options.clone().choose(&ups, std::slice::from_ref(&ups));
        assert!(options.memory.before().is_some(), "shared with whoever has it open");
        assert_eq!((format!("{options:?}"), &options), (format!("{fresh:?}"), &fresh));
    }

    /// Whoever switches a load off must not take the unit of another UPS for its own.
    #[test]
    fn who_must_be_sure_takes_what_was_open_last_and_guesses_nothing() {
        let one = device(0x0665, 0x5161, "", "1-1", 3);
        let two = device(0x0665, 0x5161, "", "1-2", 4);
        let numbered = device(0x0665, 0x5161, "A1234", "1-3", 5);
        let likely = |last: Option<&str>, all: &[Attached]| {
            let surely = Some(Surely { last: last.map(String::from) });
            let options = UsbOptions { surely, ..UsbOptions::default() };
            assert!(options.must_be_sure());
            let found = options.likely(options.candidates(all, |_| None, Instant::now()), all);
            found.iter().map(|one| all[one.at].place.clone()).collect::<Vec<_>>()
        };
        let all = [one.clone(), two.clone(), numbered.clone()];
        for (last, expected) in [
            (None, &["1-1", "1-2", "1-3"][..]),
            (Some(two.mark()), &["1-2"]),
            // a number of its own counts in any socket, and no other one does in its own
            (Some(numbered.mark()), &["1-3"]),
            (Some("0665:5161 1-1 A1234".into()), &["1-3"]),
            (Some("0665:5161 1-3 B5678".into()), &["1-1", "1-2", "1-3"]),
            (Some("0001:0000 1-2 ".into()), &["1-1", "1-2", "1-3"]),
            (Some("nonsense".into()), &["1-1", "1-2", "1-3"]),
            (Some(String::new()), &["1-1", "1-2", "1-3"]),
        ] {
            assert_eq!(likely(last.as_deref(), &all), expected, "{last:?}");
        }
        // who has one has it, whatever is kept
        assert_eq!(likely(Some("0665:5161 1-7 "), std::slice::from_ref(&one)), ["1-1"]);
        assert!(!UsbOptions::default().must_be_sure(), "at a start, the first that is free is good");

        let error = UsbOptions::unsure(&[&one, &two]);
        assert_eq!(error.kind, LinkErrorKind::Unsuitable);
        for part in ["0665:5161 at 1-1, 0665:5161 at 1-2", "nothing says which", "write busport = 1-1"] {
            assert!(error.sentence.contains(part), "{}", error.sentence);
        }
        let other = device(0x0665, 0x5161, "B5678", "1-4", 6);
        assert!(
            UsbOptions::unsure(&[&numbered, &other]).sentence.contains("write serial = A1234, or busport")
        );
    }

    #[test]
    fn a_device_without_a_twin_may_move() {
        let (ups, moved) = (device(0x0665, 0x5161, "", "1-2", 3), device(0x0665, 0x5161, "", "1-7", 9));
        let options = UsbOptions::default();
        options.choose(&ups, std::slice::from_ref(&ups));
        assert_eq!(candidates(&options, std::slice::from_ref(&moved)), ["1-7?"]);
        options.choose(&moved, std::slice::from_ref(&moved));
        assert_eq!(candidates(&options, &[ups, moved]), ["1-7?"], "that is where it is now");
    }

    #[test]
    fn who_takes_any_of_twins_takes_its_own_first() {
        let (ups, twin) = (device(0x0665, 0x5161, "", "1-2", 3), device(0x0665, 0x5161, "", "1-1", 4));
        let options = UsbOptions { any_of_twins: true, ..UsbOptions::default() };
        let all = [twin.clone(), ups.clone()];
        assert_eq!(options.choose(&ups, &all), None);
        assert_eq!(candidates(&options, &all), ["1-2?", "1-1?"]);
        assert_eq!(candidates(&options, &[twin]), ["1-1?"]);
    }

    /// With NUT's form two hubs have the same port: no advice where the other does not fit, and advice where
    /// it does.
    #[test]
    fn advice_is_for_what_would_fit_as_well() {
        let (ups, twin) = (device(0x0665, 0x5161, "", "1-1.2", 3), device(0x0665, 0x5161, "", "1-4.2", 4));
        let all = [ups.clone(), twin];
        let advice = |text: &str| {
            let mut options = UsbOptions::default();
            options.patterns.insert("busport", Pattern::parse("busport", text).unwrap());
            options.choose(&ups, &all)
        };
        assert_eq!(advice("1-1.2"), None);
        assert!(advice("002").unwrap().contains("busport = 1-1.2"));
    }
}
