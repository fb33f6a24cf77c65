//! Bridges: converters between USB and the serial line inside of a UPS, as tables.
//!
//! A bridge moves a command out and a reply in, cut and packed in its own way. Its table is read by the
//! driver's end ([`crate::usb::transfers`], which says what transfer comes next) and by a simulated converter.

/// By what a USB device is recognised. Texts are compared whole, whatever the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsbId {
    /// Vendor id.
    pub vendor: u16,
    /// Product id.
    pub product: u16,
    /// The vendor's text, where the numbers alone say too little.
    pub vendor_text: Option<&'static str>,
    /// The product's text.
    pub product_text: Option<&'static str>,
}

/// A device by its numbers.
pub const fn usb(vendor: u16, product: u16) -> UsbId {
    UsbId { vendor, product, vendor_text: None, product_text: None }
}

impl UsbId {
    /// The same numbers with this vendor's text.
    pub const fn by(mut self, text: &'static str) -> UsbId {
        self.vendor_text = Some(text);
        self
    }
    /// The same numbers with this product's text.
    pub const fn called(mut self, text: &'static str) -> UsbId {
        self.product_text = Some(text);
        self
    }
    /// Whether a device with these numbers and texts is meant.
    pub fn fits(&self, vendor: u16, product: u16, vendor_text: &str, product_text: &str) -> bool {
        let same = |wanted: Option<&str>, text: &str| {
            wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(text.trim()))
        };
        self.vendor == vendor
            && self.product == product
            && same(self.vendor_text, vendor_text)
            && same(self.product_text, product_text)
    }
    /// How much it says: of two that fit, the one that says more is meant.
    pub fn weight(&self) -> usize {
        usize::from(self.vendor_text.is_some()) + usize::from(self.product_text.is_some())
    }
}

/// Devices and the bridges in them, where a driver takes no others.
pub type KnownDevices = &'static [(UsbId, &'static Bridge)];

/// How bytes stand in a report.
#[derive(Clone, Copy, Debug)]
pub enum Framing {
    /// So many bytes, filled up with zeros.
    Padded(usize),
    /// So many bytes, of which the first is this tag and the count of those that follow it; what has no
    /// count is nothing. `mask` takes the count out of the first byte.
    Counted {
        /// Bytes of a report.
        size: usize,
        /// What is added to the count.
        tag: u8,
        /// The bits of the count.
        mask: u8,
    },
    /// As it is, in one transfer.
    Whole,
    /// Something else: a pair of functions.
    Custom(&'static Frame),
}

/// A frame of its own kind.
#[derive(Debug)]
pub struct Frame {
    /// What it looks like, for the reference.
    pub about: &'static str,
    /// The report that carries a command with its end; `None` when none can.
    pub pack: fn(&[u8]) -> Option<Vec<u8>>,
    /// The command that a report carries, with its end.
    pub unpack: fn(&[u8]) -> Option<Vec<u8>>,
}

impl Framing {
    /// The reports that carry these bytes; `None` when they cannot be carried.
    pub fn pack(&self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        Some(match self {
            Framing::Padded(size) => bytes.chunks(*size).map(|piece| padded(piece.to_vec(), *size)).collect(),
            Framing::Counted { size, tag, .. } => {
                let report = |piece: &[u8]| padded([&[tag + piece.len() as u8], piece].concat(), *size);
                bytes.chunks(size - 1).map(report).collect()
            }
            Framing::Whole => vec![bytes.to_vec()],
            Framing::Custom(frame) => vec![(frame.pack)(bytes)?],
        })
    }

    /// The bytes that a report carries. A padded one of zeros alone carries none; zeros at the end of
    /// another one may be padding or belong to a binary line: see [`Framing::cut`].
    pub fn unpack(&self, report: &[u8]) -> Vec<u8> {
        match self {
            Framing::Padded(_) if report.iter().all(|byte| *byte == 0) => vec![],
            Framing::Padded(_) => report.to_vec(),
            Framing::Counted { mask, .. } => {
                let count = report.first().map_or(0, |first| usize::from(first & mask));
                report.get(1..).unwrap_or_default().iter().take(count).copied().collect()
            }
            Framing::Whole => report.to_vec(),
            Framing::Custom(frame) => (frame.unpack)(report).unwrap_or_default(),
        }
    }

    /// Cuts what was unpacked before its carriage return; where there is none, before its padding.
    pub fn cut(&self, line: &mut Vec<u8>) {
        let padding = || line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let end = match (line.iter().position(|byte| *byte == b'\r'), self) {
            (Some(end), _) => end,
            (None, Framing::Padded(_)) => padding(),
            (None, _) => line.len(),
        };
        line.truncate(end);
    }
}

fn padded(mut report: Vec<u8>, size: usize) -> Vec<u8> {
    report.resize(size, 0);
    report
}

/// How a command goes out.
#[derive(Clone, Copy, Debug)]
pub enum Outlet {
    /// HID SET_REPORT to interface 0 with this `wValue`.
    Report(u16),
    /// A vendor's request to the endpoint.
    Vendor(u8),
    /// An interrupt transfer to this endpoint.
    Interrupt(u8),
}

/// How a reply comes in.
#[derive(Clone, Copy, Debug)]
pub enum Inlet {
    /// Interrupt transfers from this endpoint, of at most so many bytes.
    Interrupt {
        /// The endpoint.
        endpoint: u8,
        /// Bytes of a transfer.
        size: usize,
    },
    /// HID GET_REPORT of interface 0 with this `wValue`, after a pause.
    Report {
        /// The value.
        value: u16,
        /// Bytes of the report.
        size: usize,
        /// Pause in milliseconds.
        pause_ms: u16,
    },
}

/// When a reply is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At its carriage return.
    Return,
    /// With one transfer.
    Transfer,
    /// At its carriage return, or when nothing more comes.
    Silence,
    /// The same; the converter says that nothing more comes by a report that carries nothing.
    Empty,
}

/// A bridge that carries reports.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    /// How a command goes out.
    pub outlet: Outlet,
    /// How its bytes are packed.
    pub packing: Framing,
    /// How a reply comes in.
    pub inlet: Inlet,
    /// How its bytes are packed.
    pub unpacking: Framing,
    /// When it is complete.
    pub end: End,
    /// At most so many old transfers are read away before each command.
    pub flush: u8,
    /// From this place of a reply on a zero byte stands for the digit 0: status bits that a unit does
    /// not have.
    pub zero_digits_from: Option<usize>,
}

/// A bridge whose string descriptors are the replies.
#[derive(Clone, Copy, Debug)]
pub struct Strings {
    /// The number of the string that is the reply to a command; `None` when there is none.
    pub index: fn(&str) -> Option<u8>,
    /// The command that a number stands for, in words that [`Strings::index`] understands.
    pub command: fn(u8) -> Option<String>,
    /// What the first byte of the reply is replaced by.
    pub lead: fn(&str) -> Option<u8>,
    /// What the bridge says when it could not ask, or was told something that has no reply.
    pub no_reply: &'static str,
    /// How often a string is read until it is one.
    pub attempts: u8,
    /// At most so many bytes are read.
    pub longest: usize,
    /// Whether the language must be given by `langid_fix`.
    pub needs_language: bool,
    /// What is read before each command, to keep in step with the bridge.
    pub steps: &'static [u8],
    /// An interrupt transfer of so many bytes is read before each command, and not looked at.
    pub dummy_read: usize,
}

impl Strings {
    /// The number of the string that is the reply to a command, as it goes on a line.
    pub fn number(&self, command: &[u8]) -> Option<u8> {
        (self.index)(std::str::from_utf8(command).ok()?)
    }

    /// What the first byte of its reply is replaced by.
    pub fn first_byte(&self, command: &[u8]) -> Option<u8> {
        (self.lead)(std::str::from_utf8(command).ok()?)
    }
}

/// How commands and replies travel.
#[derive(Clone, Copy, Debug)]
pub enum Carriage {
    /// In reports.
    Reports(Reports),
    /// In strings.
    Strings(Strings),
}

/// One kind of converter.
#[derive(Debug)]
pub struct Bridge {
    /// Its name in `subdriver = …`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// By what it is recognised.
    pub ids: &'static [UsbId],
    /// How it works.
    pub carriage: Carriage,
    /// Commands (their beginnings up to a digit) that have no reply, so that none is waited for.
    pub answerless: &'static [&'static str],
    /// Questions that it does not carry: they are answered at once as unknown.
    pub deaf_to: &'static [&'static str],
    /// The dialect of all devices of its makers, where the converter is made for no other: it comes first
    /// when a UPS is looked for.
    pub dialect: Option<&'static str>,
    /// How it works where the device has other endpoints.
    pub sibling: Option<Sibling>,
    /// Where the facts come from.
    pub source: &'static str,
}

/// A device with the same numbers that works in another way, told by its endpoints.
#[derive(Debug)]
pub struct Sibling {
    /// The endpoint of replies.
    pub inlet: u8,
    /// The endpoint of commands.
    pub outlet: u8,
    /// Bytes of their packets.
    pub packet: usize,
    /// How it works.
    pub bridge: &'static Bridge,
}

impl Bridge {
    /// Whether it carries the command at all; what it does not is answered by an echo.
    pub fn carries(&self, command: &[u8]) -> bool {
        if self.deaf_to.iter().any(|question| question.as_bytes() == command) {
            return false;
        }
        match self.carriage {
            Carriage::Strings(strings) => strings.number(command).is_some(),
            Carriage::Reports(reports) => reports.packing.pack(&[command, b"\r"].concat()).is_some(),
        }
    }

    /// Whether no reply comes to the command.
    pub fn is_answerless(&self, command: &[u8]) -> bool {
        self.answerless.iter().any(|name| {
            let rest = command.strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_uppercase))
        })
    }
}
