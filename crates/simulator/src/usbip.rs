//! A simulated converter on USB: the UPS behind the bridge that a table describes, served over the
//! USB/IP wire protocol, so that a Linux kernel (`vhci-hcd`) takes it for a device on its bus.
//!
//! The kernel is given the connected socket and begins with its requests at once; closing the socket
//! is pulling the cable. Numbers on this wire have their greatest byte first, those of USB itself
//! their least.

use crate::end::SharedUps;
use crate::trouble::{Fate, Nothing};
use crate::usb_descriptors::{REPORT_DESCRIPTOR, SERIAL, configuration_descriptor, device_descriptor};
use qx::usb::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, UsbId};
use qx::usb::transfers::{command_in, descriptor_of};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// A header of the wire.
const HEADER: usize = 48;
const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;
/// Errors as the kernel numbers them.
const STALL: i32 = -32;
const BABBLE: i32 = -75;
const FAULT: i32 = -71;
const UNLINKED: i32 = -104;
/// How often the UPS is looked at.
const TICK: Duration = Duration::from_millis(5);
/// A converter that says something in place of its UPS says it after so long without a byte of it.
const NOTHING_AFTER: Duration = Duration::from_millis(150);
/// A string is answered within this time, with what there is.
const STRING_TIME: Duration = Duration::from_millis(400);
/// Commands and replies are no longer.
const LONGEST: usize = 4096;

/// A converter with its numbers and texts.
#[derive(Clone, Debug)]
pub struct Converter {
    /// Its table.
    pub bridge: &'static Bridge,
    /// Its numbers; texts that are missing are made up.
    pub id: UsbId,
    /// Its serial number.
    pub serial: String,
}

/// Serves the UPS to one client after the other.
///
/// # Errors
/// What the system says.
pub async fn run(shared: &SharedUps, converter: &Converter, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // a kernel that lets go is no reason to stop
        let _ = Device::new(shared, converter).serve(stream).await;
    }
}

/// A request that waits for a report.
struct Waiting {
    number: u32,
    length: usize,
}

struct Device<'a> {
    shared: &'a SharedUps,
    converter: &'a Converter,
    heard: Vec<u8>,
    said: Vec<u8>,
    reports: VecDeque<Vec<u8>>,
    waiting: VecDeque<Waiting>,
    /// When the UPS was asked what it has not answered yet.
    asked: Option<Instant>,
    /// Requests that are never answered.
    unanswered: Vec<u32>,
}

/// A request of the kernel.
struct Request {
    command: u32,
    number: u32,
    inward: bool,
    endpoint: u32,
    length: usize,
    setup: [u8; 8],
    unlinks: u32,
}

impl Request {
    fn read(header: &[u8; HEADER]) -> Request {
        let word =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let mut setup = [0; 8];
        setup.copy_from_slice(&header[40..48]);
        Request {
            command: word(0),
            number: word(4),
            inward: word(12) == 1,
            endpoint: word(16),
            length: usize::try_from(word(24)).unwrap_or(0).min(LONGEST),
            setup,
            unlinks: word(20),
        }
    }
}

fn answer(command: u32, number: u32, status: i32, data: &[u8], sent: usize) -> Vec<u8> {
    let mut out = vec![];
    for word in [command, number, 0, 0, 0, status as u32, (data.len() + sent) as u32] {
        out.extend(word.to_be_bytes());
    }
    out.resize(HEADER, 0);
    out.extend(data);
    out
}

impl<'a> Device<'a> {
    fn new(shared: &'a SharedUps, converter: &'a Converter) -> Device<'a> {
        Device {
            shared,
            converter,
            heard: vec![],
            said: vec![],
            reports: VecDeque::new(),
            waiting: VecDeque::new(),
            asked: None,
            unanswered: vec![],
        }
    }

    /// Until the kernel lets go.
    async fn serve(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let mut header = [0; HEADER];
        let mut filled = 0;
        loop {
            match timeout(TICK, stream.read(&mut header[filled..])).await {
                Ok(Ok(0)) => return Ok(()),
                Ok(read) => filled += read?,
                Err(_) => {}
            }
            if self.shared.with(|ups, _| ups.take_hang_up()).is_some() {
                return Ok(());
            }
            let mut out = self.pump();
            if filled == HEADER {
                filled = 0;
                let request = Request::read(&header);
                let mut data = vec![];
                if request.command == SUBMIT && !request.inward {
                    data.resize(request.length, 0);
                    stream.read_exact(&mut data).await?;
                }
                out.extend(self.handle(request, &data).await);
            }
            stream.write_all(&out).await?;
        }
    }

    /// Takes what the UPS says, packs it, and answers who waits for it.
    fn pump(&mut self) -> Vec<u8> {
        let said = self.shared.with(|ups, now| {
            let mut bytes = vec![];
            while let Some(piece) = ups.poll_output(now) {
                bytes.extend(piece);
            }
            bytes
        });
        if !said.is_empty() {
            self.asked = None;
        }
        self.said.extend(said);
        self.say_nothing();
        if let Carriage::Reports(reports) = self.converter.bridge.carriage {
            while let Some(end) = self.said.iter().position(|byte| *byte == b'\r') {
                let line: Vec<u8> = self.said.drain(..=end).collect();
                self.reports.extend(packed(&line, reports.unpacking, reports.inlet));
                if reports.end == End::Empty {
                    self.reports.push_back(vec![0; size_of(reports.inlet)]);
                }
            }
        }
        let mut out = vec![];
        while !self.is_deaf() && !self.reports.is_empty() && !self.waiting.is_empty() {
            if let (Some(report), Some(waiting)) = (self.reports.pop_front(), self.waiting.pop_front()) {
                out.extend(self.deliver(waiting.number, report, waiting.length));
            }
        }
        out
    }

    /// What some converters say when their UPS says nothing.
    fn say_nothing(&mut self) {
        let nothing = self.shared.with(|ups, _| ups.usb.nothing);
        let is_due = self.asked.is_some_and(|asked| asked.elapsed() >= NOTHING_AFTER);
        let (Some(nothing), true, Carriage::Reports(reports)) =
            (nothing, is_due, self.converter.bridge.carriage)
        else {
            return;
        };
        self.asked = None;
        self.reports.extend(packed(nothing.bytes(), reports.unpacking, reports.inlet));
    }

    fn is_deaf(&self) -> bool {
        self.shared.with(|ups, _| ups.usb.deaf || ups.usb.hung)
    }

    /// Data of the UPS, with what befalls them.
    fn deliver(&self, number: u32, mut data: Vec<u8>, longest: usize) -> Vec<u8> {
        data.truncate(longest);
        let status = match self.shared.with(|ups, _| ups.usb.draw()) {
            Fate::Good => 0,
            Fate::Short => {
                data.truncate(3);
                0
            }
            Fate::Garbled => {
                data.iter_mut().for_each(|byte| *byte = !*byte);
                0
            }
            Fate::Stall => STALL,
            Fate::Babble => BABBLE,
            Fate::Fault => FAULT,
        };
        if status != 0 {
            data.clear();
        }
        answer(RET_SUBMIT, number, status, &data, 0)
    }

    async fn handle(&mut self, request: Request, data: &[u8]) -> Vec<u8> {
        if request.command == UNLINK {
            let before = self.waiting.len() + self.unanswered.len();
            self.waiting.retain(|waiting| waiting.number != request.unlinks);
            self.unanswered.retain(|number| *number != request.unlinks);
            let taken_back = self.waiting.len() + self.unanswered.len() < before;
            let status = if taken_back { UNLINKED } else { 0 };
            return answer(RET_UNLINK, request.number, status, &[], 0);
        }
        if request.endpoint == 0 {
            return self.control(&request, data).await;
        }
        if request.inward {
            self.waiting.push_back(Waiting { number: request.number, length: request.length });
            return self.pump();
        }
        if self.is_deaf() {
            self.unanswered.push(request.number);
            return vec![];
        }
        self.take(data);
        answer(RET_SUBMIT, request.number, 0, &[], data.len())
    }

    /// A report that carries a command.
    fn take(&mut self, report: &[u8]) {
        let Carriage::Reports(reports) = self.converter.bridge.carriage else { return };
        if let Some(command) = command_in(&reports.packing, &mut self.heard, report) {
            self.shared.with(|ups, now| ups.receive(&[&command[..], b"\r"].concat(), now));
            self.asked = Some(Instant::now());
        }
    }

    /// A request to endpoint 0.
    async fn control(&mut self, request: &Request, data: &[u8]) -> Vec<u8> {
        let [kind, number, low, high, ..] = request.setup;
        let is_of_the_ups = matches!((kind, number), (0x21, 0x09) | (0xa1, 0x01) | (0x42, _))
            || (kind, number, high) == (0x80, 0x06, 3) && self.command_of(low).is_some();
        if is_of_the_ups && self.is_deaf() {
            self.unanswered.push(request.number);
            return vec![];
        }
        match self.reply(request.setup, data).await {
            Some(reply) if is_of_the_ups && request.inward => {
                self.deliver(request.number, reply, request.length)
            }
            Some(mut reply) => {
                reply.truncate(request.length);
                answer(RET_SUBMIT, request.number, 0, &reply, data.len())
            }
            None => answer(RET_SUBMIT, request.number, STALL, &[], 0),
        }
    }

    /// The reply to a control request; `None` stalls.
    async fn reply(&mut self, setup: [u8; 8], data: &[u8]) -> Option<Vec<u8>> {
        let [kind, number, low, high, ..] = setup;
        match (kind, number) {
            (0x80 | 0x81, 0x06) => self.descriptor(high, low).await,
            (0x80..=0x82, 0x00) => Some(vec![0, 0]),
            // a system that has reset the port configures the device anew
            (0x00, 0x09) => {
                self.shared.with(|ups, _| ups.usb.hung = false);
                Some(vec![])
            }
            (0x01, 0x0b) | (0x02, 0x01) | (0x21, 0x0a) => Some(vec![]),
            (0x21, 0x09) => {
                self.take(data);
                Some(vec![])
            }
            (0xa1, 0x01) => {
                self.pump();
                Some(self.reports.pop_front().unwrap_or_default())
            }
            (0x42, _) if self.is_vendor(number) => {
                self.take(data);
                Some(vec![])
            }
            _ => None,
        }
    }

    /// The command that a string stands for.
    fn command_of(&self, index: u8) -> Option<String> {
        match self.converter.bridge.carriage {
            Carriage::Strings(strings) => (strings.command)(index),
            Carriage::Reports(_) => None,
        }
    }

    fn is_vendor(&self, number: u8) -> bool {
        match self.converter.bridge.carriage {
            Carriage::Reports(reports) => {
                matches!(reports.outlet, Outlet::Vendor(request) if request == number)
            }
            Carriage::Strings(_) => false,
        }
    }

    async fn descriptor(&mut self, kind: u8, index: u8) -> Option<Vec<u8>> {
        let Converter { id, serial, .. } = self.converter;
        match (kind, index) {
            (1, 0) => Some(device_descriptor(*id)),
            (2, 0) => Some(configuration_descriptor(self.converter.bridge)),
            (3, 0) => Some(vec![4, 3, 0x09, 0x04]),
            (3, 1) => Some(descriptor_of(id.vendor_text.unwrap_or("QXUPS").as_bytes())),
            (3, 2) => Some(descriptor_of(id.product_text.unwrap_or("USB to Serial").as_bytes())),
            (3, SERIAL) => Some(descriptor_of(serial.as_bytes())),
            (3, index) => self.string(index).await,
            (0x22, 0) => Some(REPORT_DESCRIPTOR.to_vec()),
            _ => None,
        }
    }

    /// The reply to the command that a string stands for.
    async fn string(&mut self, index: u8) -> Option<Vec<u8>> {
        let Carriage::Strings(strings) = self.converter.bridge.carriage else { return None };
        let command = self.command_of(index)?;
        self.said.clear();
        self.shared.with(|ups, now| ups.receive(format!("{command}\r").as_bytes(), now));
        let end = Instant::now() + STRING_TIME;
        while !self.said.contains(&b'\r') && Instant::now() < end {
            sleep(TICK).await;
            self.pump();
        }
        let reply: Vec<u8> = std::mem::take(&mut self.said);
        let nothing = self.shared.with(|ups, _| ups.usb.nothing);
        let nothing = nothing.map_or(strings.no_reply.as_bytes(), Nothing::bytes);
        Some(descriptor_of(if reply.is_empty() { nothing } else { &reply }))
    }
}

/// A reply as the transfers that bring it.
fn packed(line: &[u8], framing: Framing, inlet: Inlet) -> Vec<Vec<u8>> {
    let size = size_of(inlet);
    match framing {
        Framing::Padded(_) | Framing::Custom(_) => Framing::Padded(size).pack(line).unwrap_or_default(),
        Framing::Whole => line.chunks(size).map(<[u8]>::to_vec).collect(),
        counted => counted.pack(line).unwrap_or_default(),
    }
}

fn size_of(inlet: Inlet) -> usize {
    match inlet {
        Inlet::Interrupt { size, .. } | Inlet::Report { size, .. } => size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::script::Script;
    use crate::trouble::Trouble;
    use crate::ups::SimulatedUps;
    use qx::usb::bridges;

    fn request(number: u32, inward: bool, endpoint: u32, length: u32, setup: [u8; 8]) -> Vec<u8> {
        let mut out = vec![];
        for word in [SUBMIT, number, 1, u32::from(inward), endpoint, 0, length, 0, 0, 0] {
            out.extend(word.to_be_bytes());
        }
        out.extend(setup);
        out
    }

    async fn reply(stream: &mut TcpStream) -> (u32, i32, Vec<u8>) {
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await.unwrap();
        let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
        (word(4), word(20) as i32, header[24..28].to_vec())
    }

    /// What a kernel does: reads descriptors, sends a question in reports, reads reports.
    #[tokio::test]
    async fn a_converter_enumerates_and_answers() {
        let ups = SimulatedUps::new(
            &qx::protocols::MEGATEC,
            Profile::default(),
            Trouble::new(1),
            Script::default(),
        );
        let shared = SharedUps::new(ups);
        let id = qx::usb::bridge::usb(0x0665, 0x5161);
        let converter = Converter { bridge: &bridges::CYPRESS, id, serial: "1".into() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kernel = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&request(1, true, 0, 18, [0x80, 6, 0, 1, 0, 0, 18, 0])).await.unwrap();
            let (number, status, length) = reply(&mut stream).await;
            assert_eq!((number, status, length), (1, 0, vec![0, 0, 0, 18]));
            let mut descriptor = [0; 18];
            stream.read_exact(&mut descriptor).await.unwrap();
            assert_eq!(descriptor[8..12], [0x65, 0x06, 0x61, 0x51]);
            stream.write_all(&request(2, false, 0, 8, [0x21, 9, 0, 2, 0, 0, 8, 0])).await.unwrap();
            stream.write_all(b"Q1\r\0\0\0\0\0").await.unwrap();
            assert_eq!(reply(&mut stream).await, (2, 0, vec![0, 0, 0, 8]));
            let mut said = vec![];
            for number in 3..9 {
                stream.write_all(&request(number, true, 1, 8, [0; 8])).await.unwrap();
                assert_eq!(reply(&mut stream).await, (number, 0, vec![0, 0, 0, 8]));
                let mut report = [0; 8];
                stream.read_exact(&mut report).await.unwrap();
                said.extend(report);
            }
            assert!(said.starts_with(b"(230.0 230.0 230.0 020 50.0 "), "{}", said.escape_ascii());
            // a read that nobody answers can be taken back
            stream.write_all(&request(9, true, 1, 8, [0; 8])).await.unwrap();
            let mut unlink = vec![];
            for word in [UNLINK, 10, 1, 0, 0, 9] {
                unlink.extend(u32::to_be_bytes(word));
            }
            unlink.resize(HEADER, 0);
            stream.write_all(&unlink).await.unwrap();
            assert_eq!(reply(&mut stream).await.1, UNLINKED);
            // what it does not know stalls
            stream.write_all(&request(11, true, 0, 8, [0xc0, 0x55, 0, 0, 0, 0, 8, 0])).await.unwrap();
            assert_eq!(reply(&mut stream).await.1, STALL);
        };
        tokio::select! {
            _ = run(&shared, &converter, listener) => unreachable!(),
            () = kernel => {}
        }
    }
}
