//! USB: finding the device that is meant, opening it, and making the transfers that a bridge asks for.

use crate::error::{Kind, LinkError};
use nusb::transfer::{
    Buffer, ControlIn, ControlOut, ControlType, In, Interrupt, Out, Recipient, TransferError,
};
use nusb::{Device, DeviceInfo, Endpoint, ErrorKind, Interface};
use qx::bridge::{Bridge, Carriage};
use qx::detect::looks_like_reply;
use qx::exchange::{Exchange, Reply};
use qx::talk::{Outcome, Patience, Step, Talk, Transfer};
use regex_lite::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Time for data that goes out, and for requests that the device answers at once.
const SHORT: Duration = Duration::from_millis(1000);
/// Time to see whether something is left of an old reply.
const LEFTOVER: Duration = Duration::from_millis(40);
/// The interface of every bridge.
const INTERFACE: u8 = 0;
/// GET_DESCRIPTOR and the kind of descriptor.
const GET_DESCRIPTOR: u8 = 0x06;
const STRING: u16 = 0x03;
/// English (United States), which nearly all devices speak.
const ENGLISH: u16 = 0x0409;

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

/// What tells a device from others of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    vendor: u16,
    product: u16,
    texts: [String; 3],
}

/// Which USB device is meant, and how it is spoken to.
#[derive(Clone, Debug, Default)]
pub struct UsbOptions {
    /// `vendorid`, `productid`, `vendor`, `product`, `serial`, `bus`, `device`, `busport`.
    pub patterns: BTreeMap<&'static str, Pattern>,
    /// `subdriver`.
    pub bridge: Option<&'static Bridge>,
    /// `usb_set_altinterface`.
    pub alternate: Option<u8>,
    /// `langid_fix`.
    pub language: Option<u16>,
    /// `noscanlangid`.
    pub no_scan: bool,
    /// The device that was found first: the same one is looked for again.
    found: OnceLock<Identity>,
}

impl PartialEq for UsbOptions {
    /// Two ways to say the same are not told apart.
    fn eq(&self, other: &UsbOptions) -> bool {
        let texts = |options: &UsbOptions| -> Vec<String> {
            options.patterns.iter().map(|(name, pattern)| format!("{name} {}", pattern.0.as_str())).collect()
        };
        texts(self) == texts(other)
            && self.bridge.map(|bridge| bridge.name) == other.bridge.map(|bridge| bridge.name)
            && (self.alternate, self.language, self.no_scan)
                == (other.alternate, other.language, other.no_scan)
    }
}
impl Eq for UsbOptions {}

impl UsbOptions {
    /// The bridge of a device, if it is meant.
    fn bridge_of(&self, device: &DeviceInfo) -> Option<&'static Bridge> {
        let text = |text: Option<&str>| text.unwrap_or_default().trim().to_string();
        let said = |name: &str| match name {
            "vendorid" => format!("{:04x}", device.vendor_id()),
            "productid" => format!("{:04x}", device.product_id()),
            "vendor" => text(device.manufacturer_string()),
            "product" => text(device.product_string()),
            "serial" => text(device.serial_number()),
            "bus" => format!("{:03}", device.busnum()),
            "device" => format!("{:03}", device.device_address()),
            _ => place(device),
        };
        if !self.patterns.iter().all(|(name, pattern)| pattern.fits(&said(name))) {
            return None;
        }
        if self.found.get().is_some_and(|found| *found != identity(device)) {
            return None;
        }
        let (maker, name) = (text(device.manufacturer_string()), text(device.product_string()));
        self.bridge.or_else(|| qx::bridges::of_device(device.vendor_id(), device.product_id(), &maker, &name))
    }
}

/// Every device on USB; a machine without USB has none.
async fn devices() -> Result<Vec<DeviceInfo>, LinkError> {
    match nusb::list_devices().await {
        Ok(devices) => Ok(devices.collect()),
        Err(error) if error.os_error() == Some(nix::errno::Errno::ENOENT as u32) => Ok(vec![]),
        Err(error) => Err(while_opening("the list of USB devices", &error)),
    }
}

/// Bus and ports, which stay the same while a device stays in its socket: `1-2.4`.
fn place(device: &DeviceInfo) -> String {
    let ports: Vec<String> = device.port_chain().iter().map(u8::to_string).collect();
    format!("{}-{}", device.busnum(), ports.join("."))
}

fn identity(device: &DeviceInfo) -> Identity {
    let texts = [device.manufacturer_string(), device.product_string(), device.serial_number()];
    Identity {
        vendor: device.vendor_id(),
        product: device.product_id(),
        texts: texts.map(|text| text.unwrap_or_default().to_string()),
    }
}

/// An open device.
pub struct Usb {
    device: Device,
    interface: Interface,
    bridge: &'static Bridge,
    language: u16,
    /// Commands sent so far.
    step: usize,
    inlets: BTreeMap<u8, Endpoint<Interrupt, In>>,
    remark: String,
}

impl std::fmt::Debug for Usb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Usb({})", self.bridge.name)
    }
}

impl Usb {
    /// Opens the first device that is meant.
    ///
    /// # Errors
    /// [`LinkError`] with a sentence that says what to do.
    pub async fn open(options: &UsbOptions) -> Result<Usb, LinkError> {
        let mut last = None;
        for info in devices().await? {
            let Some(bridge) = options.bridge_of(&info) else { continue };
            match Usb::claim(&info, bridge, options).await {
                Ok(usb) => {
                    let _ = options.found.set(identity(&info));
                    return Ok(usb);
                }
                // another UPS of the same kind may be free
                Err(error) => last = Some(error),
            }
        }
        let nothing =
            "no UPS found on USB; check the cable, and vendorid, productid and the like in ups.conf";
        Err(last.unwrap_or_else(|| LinkError::new(Kind::NotFound, nothing)))
    }

    async fn claim(
        info: &DeviceInfo,
        bridge: &'static Bridge,
        options: &UsbOptions,
    ) -> Result<Usb, LinkError> {
        let name = format!("{:04x}:{:04x} at {}", info.vendor_id(), info.product_id(), place(info));
        let failed = |error: nusb::Error| while_opening(&format!("USB device {name}"), &error);
        let device = info.open().await.map_err(failed)?;
        let interface = device.detach_and_claim_interface(INTERFACE).await.map_err(failed)?;
        if let Some(alternate) = options.alternate {
            interface.set_alt_setting(alternate).await.map_err(failed)?;
        }
        let mut usb = Usb {
            device,
            interface,
            bridge,
            language: options.language.unwrap_or(ENGLISH),
            step: 0,
            inlets: BTreeMap::new(),
            remark: format!("USB device {name} by the bridge {}", bridge.name),
        };
        if let Carriage::Strings(strings) = bridge.carriage {
            if strings.needs_language && options.language.is_none() {
                let why = format!("the bridge {} needs langid_fix: try langid_fix = 0x0409", bridge.name);
                return Err(LinkError::new(Kind::Unsuitable, why));
            }
            if options.language.is_none() && !options.no_scan {
                usb.language = usb.first_language().await.unwrap_or(ENGLISH);
            }
        }
        Ok(usb)
    }

    /// What was opened.
    pub fn remark(&self) -> &str {
        &self.remark
    }

    /// One exchange.
    ///
    /// # Errors
    /// [`LinkError`] when the device is gone or broken; silence is a reply.
    pub async fn exchange(&mut self, exchange: &Exchange) -> Result<Reply, LinkError> {
        let command = String::from_utf8_lossy(&exchange.command).into_owned();
        let mut talk = Talk::new(self.bridge, &command, self.step);
        self.step += 1;
        let (began, mut latency) = (Instant::now(), Duration::ZERO);
        loop {
            match talk.next() {
                Step::Do(transfer, patience) => {
                    let time = match patience {
                        Patience::Short => SHORT,
                        Patience::Reply => exchange.patience,
                        Patience::Gap => exchange.gap,
                        Patience::Leftover => LEFTOVER,
                    };
                    let outcome = self.make(&transfer, time).await?;
                    if latency.is_zero() && matches!(&outcome, Outcome::Data(data) if !data.is_empty()) {
                        latency = began.elapsed();
                    }
                    talk.handle(outcome);
                }
                Step::Done(line) => {
                    // a reply to some question is none to a command: it came late
                    let line = line.filter(|line| !(exchange.is_command && looks_like_reply(line)));
                    let echoed = line.as_deref() == Some(&exchange.command[..]);
                    return Ok(Reply { line, echoed, latency });
                }
            }
        }
    }

    /// Makes one transfer.
    async fn make(&mut self, transfer: &Transfer, time: Duration) -> Result<Outcome, LinkError> {
        match transfer {
            Transfer::Pause(milliseconds) => {
                sleep(Duration::from_millis(u64::from(*milliseconds))).await;
                Ok(Outcome::Data(vec![]))
            }
            Transfer::ControlOut { request_type, request, value, index, data } => {
                let (control_type, recipient) = kind(*request_type);
                let out = ControlOut {
                    control_type,
                    recipient,
                    request: *request,
                    value: *value,
                    index: *index,
                    data,
                };
                outcome(self.interface.control_out(out, time).await.map(|()| vec![]))
            }
            Transfer::ControlIn { request_type, request, value, index, length } => {
                self.control_in(*request_type, *request, *value, *index, *length, time).await
            }
            Transfer::String { index, length } => {
                let value = STRING << 8 | u16::from(*index);
                let language = if *index == 0 { 0 } else { self.language };
                self.control_in(0x80, GET_DESCRIPTOR, value, language, *length, time).await
            }
            Transfer::InterruptOut { endpoint, data } => self.interrupt_out(*endpoint, data, time).await,
            Transfer::InterruptIn { endpoint, length } => self.interrupt_in(*endpoint, *length, time).await,
        }
    }

    async fn control_in(
        &self,
        request_type: u8,
        request: u8,
        value: u16,
        index: u16,
        length: usize,
        time: Duration,
    ) -> Result<Outcome, LinkError> {
        let (control_type, recipient) = kind(request_type);
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let asked = ControlIn { control_type, recipient, request, value, index, length };
        outcome(self.interface.control_in(asked, time).await)
    }

    async fn interrupt_out(&self, endpoint: u8, data: &[u8], time: Duration) -> Result<Outcome, LinkError> {
        let opened = self.interface.endpoint::<Interrupt, Out>(endpoint);
        let mut outlet = opened.map_err(|error| while_opening("an endpoint of the USB device", &error))?;
        outlet.submit(Buffer::from(data.to_vec()));
        let done = match timeout(time, outlet.next_complete()).await {
            Ok(done) => done,
            Err(_) => {
                outlet.cancel_all();
                outlet.next_complete().await
            }
        };
        outcome(done.status.map(|()| vec![]))
    }

    async fn interrupt_in(
        &mut self,
        endpoint: u8,
        length: usize,
        time: Duration,
    ) -> Result<Outcome, LinkError> {
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.inlets.entry(endpoint) {
            let opened = self.interface.endpoint::<Interrupt, In>(endpoint);
            vacant.insert(opened.map_err(|error| while_opening("an endpoint of the USB device", &error))?);
        }
        let Some(inlet) = self.inlets.get_mut(&endpoint) else { return Ok(Outcome::Nothing) };
        // the system wants whole packets
        let packet = inlet.max_packet_size().max(1);
        inlet.submit(Buffer::new(length.div_ceil(packet) * packet));
        let done = match timeout(time, inlet.next_complete()).await {
            Ok(done) => done,
            Err(_) => {
                // what came in the last moment is in the buffer all the same
                inlet.cancel_all();
                inlet.next_complete().await
            }
        };
        let data = done.buffer.into_vec();
        match done.status {
            Err(TransferError::Stall) => {
                let cleared = inlet.clear_halt().await;
                cleared.map_err(|error| while_opening("a stalled endpoint of the USB device", &error))?;
                Ok(Outcome::Stalled)
            }
            Err(TransferError::Cancelled) if data.is_empty() => Ok(Outcome::Nothing),
            Ok(()) | Err(TransferError::Cancelled) => Ok(Outcome::Data(data)),
            Err(error) => Err(broken(error)),
        }
    }

    /// The first language of the device's strings.
    async fn first_language(&self) -> Option<u16> {
        let languages = self.control_in(0x80, GET_DESCRIPTOR, STRING << 8, 0, 255, SHORT).await.ok()?;
        let Outcome::Data(data) = languages else { return None };
        let pair: [u8; 2] = data.get(2..4)?.try_into().ok()?;
        Some(u16::from_le_bytes(pair))
    }
}

impl Drop for Usb {
    /// Gives the device back to the driver of the system, where it had one.
    fn drop(&mut self) {
        self.inlets.clear();
        let _ = self.device.attach_kernel_driver(INTERFACE);
    }
}

/// The fields of `bmRequestType`; the direction is in the call.
fn kind(request_type: u8) -> (ControlType, Recipient) {
    let control_type = match request_type >> 5 & 3 {
        0 => ControlType::Standard,
        1 => ControlType::Class,
        _ => ControlType::Vendor,
    };
    let recipient = match request_type & 0x1f {
        0 => Recipient::Device,
        1 => Recipient::Interface,
        2 => Recipient::Endpoint,
        _ => Recipient::Other,
    };
    (control_type, recipient)
}

fn outcome(done: Result<Vec<u8>, TransferError>) -> Result<Outcome, LinkError> {
    match done {
        Ok(data) => Ok(Outcome::Data(data)),
        Err(TransferError::Stall) => Ok(Outcome::Stalled),
        Err(TransferError::Cancelled) => Ok(Outcome::Nothing),
        Err(error) => Err(broken(error)),
    }
}

fn broken(error: TransferError) -> LinkError {
    match error {
        TransferError::Disconnected => LinkError::gone("the USB cable was pulled, or the bridge restarted"),
        other => LinkError::gone(&format!("the USB device failed: {other}")),
    }
}

fn while_opening(what: &str, error: &nusb::Error) -> LinkError {
    let (kind, advice) = match error.kind() {
        ErrorKind::Disconnected | ErrorKind::NotFound => (Kind::NotFound, "check the cable"),
        ErrorKind::Busy => (Kind::Busy, "another program uses it: stop that one first"),
        ErrorKind::PermissionDenied => {
            (Kind::NotPermitted, "let the driver's user write to it (a udev rule), or set 'user'")
        }
        _ => (Kind::Other, "check the cable"),
    };
    LinkError::new(kind, format!("cannot open {what}: {error}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_cover_the_whole_text() {
        let fits = |pattern: &str, text: &str| Pattern::parse("product", pattern).unwrap().fits(text);
        assert!(fits("MEC0003", " mec0003 "));
        assert!(fits("usb.*", "USB to Serial"));
        assert!(fits("0665|06da", "06DA"));
        assert!(!fits("MEC", "MEC0003") && !fits("0665|06da", "06dax"));
        assert!(Pattern::parse("serial", "(").is_err());
    }
}
