//! USB: opening the device that is meant, and making the transfers that a bridge asks for.

mod arrivals;
mod choice;
mod same;
mod transfers;

pub use arrivals::Arrivals;
pub use choice::{Attached, Pattern, Surely, UsbOptions, attached};

use crate::error::{LinkError, LinkErrorKind};
use nusb::descriptors::TransferType;
use nusb::transfer::{In, Interrupt, TransferError};
use nusb::{Device, DeviceInfo, Endpoint, ErrorKind, Interface};
use qx::line::exchange::{Exchange, Reply};
use qx::line::looks_like_reply;
use qx::line::nuls::without_nuls;
use qx::usb::bridge::{Bridge, Carriage, Inlet, Reports, Sibling};
use qx::usb::transfers::{Patience, Transfer, TransferOutcome, TransferStep, Transfers};
use same::{OpenedMemory, connected};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use transfers::{Failure, GET_DESCRIPTOR, STRING};

/// Time for data that goes out, and for requests that the device answers at once.
const SHORT: Duration = Duration::from_millis(1000);
/// Time to see whether something is left of an old reply.
const LEFTOVER: Duration = Duration::from_millis(40);
/// So many transfers may fail in a row, as noise on a cable makes them.
const FAULTS: u8 = 6;
/// English (United States), which nearly all devices speak.
const ENGLISH: u16 = 0x0409;

/// An open device.
pub struct Usb {
    device: Device,
    interface: Interface,
    attached: Attached,
    bridge: &'static Bridge,
    language: u16,
    /// Endpoints in place of the bridge's.
    own_endpoints: (Option<u8>, Option<u8>),
    /// Commands sent so far.
    step: usize,
    /// Whether a late reply may be on its way.
    unsettled: bool,
    /// Transfers that failed, one after the other.
    faults: u8,
    inlets: BTreeMap<u8, Endpoint<Interrupt, In>>,
    memory: OpenedMemory,
    remark: String,
    advice: Option<String>,
    doubt: Option<String>,
}

impl std::fmt::Debug for Usb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Usb({}, {})", self.attached, self.bridge.name)
    }
}

impl Usb {
    /// Opens the first device that is meant and free, or the only one where [`UsbOptions::surely`] says so; after a
    /// first opening the same one, or none.
    ///
    /// # Errors
    /// [`LinkError`] with a sentence that says what to do.
    pub async fn open(options: &UsbOptions) -> Result<Usb, LinkError> {
        let devices = choice::devices().await?;
        let all: Vec<Attached> = devices.iter().map(Attached::of).collect();
        let mut last = None;
        let mut free: Vec<(Usb, choice::Candidate)> = vec![];
        let candidates = options.candidates(&all, connected, Instant::now());
        for candidate in options.likely(candidates, &all) {
            let Some((info, attached)) = devices.get(candidate.at).zip(all.get(candidate.at)) else {
                continue;
            };
            match Usb::claim(info, attached, candidate.bridge, options).await {
                Ok(usb) => free.push((usb, candidate)),
                // another UPS of the same kind may be free
                Err(error) => last = Some(error),
            }
            if !free.is_empty() && !options.must_be_sure() {
                break;
            }
        }
        if free.len() > 1 {
            return Err(UsbOptions::unsure(&free.iter().map(|(usb, _)| &usb.attached).collect::<Vec<_>>()));
        }
        if let Some((mut usb, candidate)) = free.pop() {
            usb.advice = options.choose(&usb.attached, &all);
            usb.doubt = candidate.doubt;
            return Ok(usb);
        }
        Err(last.unwrap_or_else(|| options.why_none(&all, connected, Instant::now())))
    }

    async fn claim(
        info: &DeviceInfo,
        attached: &Attached,
        bridge: &'static Bridge,
        options: &UsbOptions,
    ) -> Result<Usb, LinkError> {
        let failed = |error: nusb::Error| while_opening(&format!("USB device {attached}"), &error);
        let device = info.open().await.map_err(failed)?;
        if let Some(index) = options.configuration {
            configure(&device, index).await.map_err(failed)?;
        }
        let interface = device.detach_and_claim_interface(options.interface).await.map_err(failed)?;
        if let Some(alternate) = options.alternate {
            interface.set_alt_setting(alternate).await.map_err(failed)?;
        }
        let bridge =
            bridge.sibling.as_ref().filter(|sibling| has(&interface, sibling)).map_or(bridge, |s| s.bridge);
        let mut usb = Usb {
            device,
            interface,
            attached: attached.clone(),
            bridge,
            language: options.language.unwrap_or(ENGLISH),
            own_endpoints: (options.inlet, options.outlet),
            step: 0,
            unsettled: true,
            faults: 0,
            inlets: BTreeMap::new(),
            remark: format!("USB device {attached} by the bridge {}", bridge.name),
            memory: options.memory.clone(),
            advice: None,
            doubt: None,
        };
        if let Carriage::Reports(Reports { inlet: Inlet::Interrupt { endpoint, .. }, .. }) = bridge.carriage {
            // a device without it is none of this kind: better said now than at the first question
            usb.inlet(endpoint)?;
        }
        if let Carriage::Strings(strings) = bridge.carriage {
            if strings.needs_language && options.language.is_none() {
                let why = format!("the bridge {} needs langid_fix: try langid_fix = 0x0409", bridge.name);
                return Err(LinkError::new(LinkErrorKind::Unsuitable, why));
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

    /// What would tell it from its twins.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// Why it cannot be shown to be the device that was open before, if so.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// The device.
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    /// Resets the device's port, as pulling the cable would; the link is of no use afterwards.
    pub async fn reset(&mut self) -> Result<(), LinkError> {
        self.inlets.clear();
        // what is there now is another one
        if let Ok(all) = attached().await {
            self.memory.look_beside(&all);
        }
        let failed = |error: nusb::Error| while_opening(&format!("USB device {}", self.attached), &error);
        self.device.reset().await.map_err(failed)
    }

    /// One exchange.
    ///
    /// # Errors
    /// [`LinkError`] when the device is gone or broken; silence is a reply.
    pub async fn exchange(&mut self, exchange: &Exchange) -> Result<Reply, LinkError> {
        // what is left of an old reply must not be taken for the answer to a command
        let settle = exchange.settle || exchange.is_command || self.unsettled;
        let mut transfers = Transfers::new(self.bridge, &exchange.command, self.step, settle);
        self.step += 1;
        let mut course = Course::begin();
        let mut line = self.run(&mut transfers, exchange, &mut course).await?;
        // a reply to some question is none to a command: it came late
        let is_late = |line: &Vec<u8>| exchange.is_command && looks_like_reply(line);
        if line.as_ref().is_some_and(is_late) {
            transfers = Transfers::listening(self.bridge, &exchange.command);
            line = self.run(&mut transfers, exchange, &mut course).await?.filter(|line| !is_late(line));
        }
        self.unsettled = line.is_none();
        Ok(Reply {
            failed: transfers.has_failed(),
            unended: course.unended && line.is_some(),
            echoed: line.as_deref() == Some(&exchange.command[..]),
            line,
            latency: course.latency,
            stray: course.stray,
            gap: course.gap,
            ..Reply::default()
        })
    }

    /// Makes transfers until they are done: the line that came, if one did.
    async fn run(
        &mut self,
        transfers: &mut Transfers,
        exchange: &Exchange,
        course: &mut Course,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        loop {
            match transfers.next() {
                TransferStep::Do(transfer, patience) => {
                    let time = match patience {
                        Patience::Short => SHORT,
                        Patience::Reply => exchange.patience,
                        Patience::Gap => exchange.gap,
                        Patience::Leftover => LEFTOVER,
                    };
                    let asked = Instant::now();
                    let outcome = self.attempt(&transfer, time).await?;
                    course.note(patience, &outcome, asked);
                    transfers.handle(outcome);
                }
                TransferStep::Done(line) => {
                    course.stray |= transfers.met_strays();
                    return Ok(line.and_then(|line| without_nuls(&exchange.command, line)));
                }
            }
        }
    }

    /// Makes one transfer. One that fails costs its reply; several in a row, the link.
    async fn attempt(&mut self, transfer: &Transfer, time: Duration) -> Result<TransferOutcome, LinkError> {
        match self.make(transfer, time).await {
            Ok(outcome) => {
                // what goes out may work while nothing comes back
                if matches!(&outcome, TransferOutcome::Data(data) if !data.is_empty()) {
                    self.faults = 0;
                    self.memory.heard();
                }
                Ok(outcome)
            }
            Err(Failure::Link(error)) => Err(error),
            Err(Failure::Transfer(TransferError::Disconnected)) => {
                Err(LinkError::gone("the USB cable was pulled, or the bridge restarted"))
            }
            Err(Failure::Transfer(_)) if self.faults < FAULTS => {
                self.faults += 1;
                self.unsettled = true;
                Ok(TransferOutcome::Failed)
            }
            Err(Failure::Transfer(error)) => {
                // as pulling the cable and plugging it in again
                let _ = self.reset().await;
                Err(LinkError::gone(&format!("the USB device fails again and again ({error}) and was reset")))
            }
        }
    }

    /// The first language of the device's strings.
    async fn first_language(&self) -> Option<u16> {
        let languages = self.control_in(0x80, GET_DESCRIPTOR, STRING << 8, 0, 255, SHORT).await.ok()?;
        let TransferOutcome::Data(data) = languages else { return None };
        let pair: [u8; 2] = data.get(2..4)?.try_into().ok()?;
        Some(u16::from_le_bytes(pair))
    }
}

/// What the transfers of an exchange showed.
struct Course {
    began: Instant,
    latency: Duration,
    gap: Duration,
    stray: bool,
    /// The last that was waited for was more of a line, and nothing came.
    unended: bool,
}

impl Course {
    fn begin() -> Course {
        Course {
            began: Instant::now(),
            latency: Duration::ZERO,
            gap: Duration::ZERO,
            stray: false,
            unended: false,
        }
    }

    /// A transfer that began at `asked` is done.
    fn note(&mut self, patience: Patience, outcome: &TransferOutcome, asked: Instant) {
        let is_gap = patience == Patience::Gap;
        if is_gap && matches!(outcome, TransferOutcome::Data(_)) {
            self.gap = self.gap.max(asked.elapsed());
        }
        self.unended = is_gap && *outcome == TransferOutcome::Nothing;
        let is_data = matches!(outcome, TransferOutcome::Data(data) if !data.is_empty());
        // what is left of an old reply is no measure
        if is_data && patience != Patience::Leftover && self.latency.is_zero() {
            self.latency = self.began.elapsed();
        }
    }
}

/// Whether a device has these two endpoints and no others.
fn has(interface: &Interface, sibling: &Sibling) -> bool {
    let Some(setting) = interface.descriptor() else { return false };
    let found: Vec<(u8, usize)> = setting
        .endpoints()
        .filter(|endpoint| endpoint.transfer_type() == TransferType::Interrupt)
        .map(|endpoint| (endpoint.address(), endpoint.max_packet_size()))
        .collect();
    let wanted = [(sibling.inlet, sibling.packet), (sibling.outlet, sibling.packet)];
    usize::from(setting.num_endpoints()) == wanted.len() && wanted.iter().all(|one| found.contains(one))
}

/// Chooses the configuration at this place of the list, unless it is chosen already.
async fn configure(device: &Device, index: u8) -> Result<(), nusb::Error> {
    let value = device.configurations().nth(usize::from(index)).map(|one| one.configuration_value());
    let active = device.active_configuration().ok().map(|one| one.configuration_value());
    match value {
        Some(value) if Some(value) != active => device.set_configuration(value).await,
        _ => Ok(()),
    }
}

fn while_opening(what: &str, error: &nusb::Error) -> LinkError {
    let (kind, advice) = match error.kind() {
        ErrorKind::Disconnected => (LinkErrorKind::NotFound, "check the cable"),
        ErrorKind::NotFound => {
            (LinkErrorKind::Unsuitable, "it has no such configuration, interface or setting")
        }
        ErrorKind::Busy => (LinkErrorKind::Busy, "another program uses it: stop that one first"),
        ErrorKind::PermissionDenied => {
            (LinkErrorKind::NotPermitted, "let the driver's user write to it: 'qxups udev' prints the rule")
        }
        _ => (LinkErrorKind::Other, "check the cable"),
    };
    LinkError::new(kind, format!("cannot open {what}: {error}; {advice}"))
}
