//! One command through a bridge, as the transfers it takes. It does no I/O: the owner of the
//! device does what [`Transfers::next`] says and gives back what came of it.

use crate::usb::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, Reports, Strings};
use crate::wire::read::LONGEST;
use std::collections::VecDeque;

/// A transfer to be made. Interface and setup fields are those of USB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// A control transfer with data to the device.
    ControlOut {
        /// `bmRequestType`.
        request_type: u8,
        /// `bRequest`.
        request: u8,
        /// `wValue`.
        value: u16,
        /// `wIndex`.
        index: u16,
        /// The data.
        data: Vec<u8>,
    },
    /// A control transfer with data from the device.
    ControlIn {
        /// `bmRequestType`.
        request_type: u8,
        /// `bRequest`.
        request: u8,
        /// `wValue`.
        value: u16,
        /// `wIndex`.
        index: u16,
        /// At most so many bytes.
        length: usize,
    },
    /// An interrupt transfer to the device.
    InterruptOut {
        /// The endpoint.
        endpoint: u8,
        /// The data.
        data: Vec<u8>,
    },
    /// An interrupt transfer from the device.
    InterruptIn {
        /// The endpoint.
        endpoint: u8,
        /// At most so many bytes.
        length: usize,
    },
    /// A string descriptor.
    String {
        /// Its number.
        index: u8,
        /// At most so many bytes of the descriptor.
        length: usize,
    },
    /// Nothing, for so many milliseconds.
    Pause(u16),
}

/// How long a transfer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Data that goes out, and requests that the device answers at once.
    Short,
    /// The first byte of a reply.
    Reply,
    /// What follows it.
    Gap,
    /// Looking whether something is left over.
    Leftover,
}

/// What came of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOutcome {
    /// Data, or none where some went out.
    Data(Vec<u8>),
    /// Nothing in time.
    Nothing,
    /// The endpoint stalled; the owner of the device has cleared that.
    Stalled,
    /// It failed: nothing that came before it in this reply counts.
    Failed,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferStep {
    /// This transfer.
    Do(Transfer, Patience),
    /// It is over: the reply without its end, or silence, for which some converters have a reply of NULs.
    Done(Option<Vec<u8>>),
}

/// The SET_REPORT and GET_REPORT requests of HID.
const SET_REPORT: (u8, u8) = (0x21, 0x09);
const GET_REPORT: (u8, u8) = (0xa1, 0x01);
/// A vendor's request to an endpoint.
const VENDOR_OUT: u8 = 0x42;

/// One command on its way.
#[derive(Debug)]
pub struct Transfers {
    bridge: &'static Bridge,
    command: Vec<u8>,
    stage: TransferStage,
    out: VecDeque<Transfer>,
    reply: Vec<u8>,
    tries: u8,
    stray: bool,
    failed: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum TransferStage {
    Flush(u8),
    Send,
    Receive { first: bool, paused: bool },
    Read,
    Over(Option<Vec<u8>>),
}

impl Transfers {
    /// Transfers that send `command`, any bytes, without its end; `step` counts the commands sent before, and
    /// `settle` says that a late reply may be on its way.
    pub fn new(bridge: &'static Bridge, command: &[u8], step: usize, settle: bool) -> Transfers {
        let mut transfers = Transfers {
            bridge,
            command: command.into(),
            stage: TransferStage::Over(None),
            out: VecDeque::new(),
            reply: vec![],
            tries: 0,
            stray: false,
            failed: false,
        };
        if !bridge.carries(command) {
            // as a UPS that does not know the question
            transfers.stage = TransferStage::Over(Some(command.to_vec()));
            return transfers;
        }
        match bridge.carriage {
            Carriage::Reports(reports) => {
                transfers.out = sends(&reports, command);
                let flush = if settle { reports.flush.max(SETTLING_REPORTS) } else { reports.flush };
                let can_flush = matches!(reports.inlet, Inlet::Interrupt { .. });
                transfers.stage =
                    if flush > 0 && can_flush { TransferStage::Flush(flush) } else { TransferStage::Send };
            }
            Carriage::Strings(strings) => {
                transfers.out = steps(&strings, command, step);
                transfers.stage = TransferStage::Read;
            }
        }
        transfers
    }

    /// Transfers that send nothing, only listen: a late reply came in the place of this command's.
    pub fn listening(bridge: &'static Bridge, command: &[u8]) -> Transfers {
        let stage = match bridge.carriage {
            Carriage::Reports(reports) if matches!(reports.inlet, Inlet::Interrupt { .. }) => {
                TransferStage::Receive { first: true, paused: false }
            }
            _ => TransferStage::Over(None),
        };
        Transfers {
            bridge,
            command: command.into(),
            stage,
            out: VecDeque::new(),
            reply: vec![],
            tries: 0,
            stray: false,
            failed: false,
        }
    }

    /// Whether something was read away before the command went out.
    pub fn met_strays(&self) -> bool {
        self.stray
    }

    /// Whether a transfer failed: how much of the command has arrived, or whether there was a reply, is not known.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// What to do next.
    pub fn next(&self) -> TransferStep {
        match (&self.stage, self.bridge.carriage) {
            (TransferStage::Over(reply), _) => TransferStep::Done(reply.clone()),
            (TransferStage::Flush(_), Carriage::Reports(reports)) => {
                TransferStep::Do(receive(&reports, false), Patience::Leftover)
            }
            (TransferStage::Send, _) => match self.out.front() {
                Some(transfer) => TransferStep::Do(transfer.clone(), Patience::Short),
                None => TransferStep::Done(None),
            },
            (TransferStage::Receive { first, paused }, Carriage::Reports(reports)) => {
                let patience = if *first { Patience::Reply } else { Patience::Gap };
                TransferStep::Do(receive(&reports, *first && !paused), patience)
            }
            (TransferStage::Read, Carriage::Strings(strings)) => match self.out.front() {
                Some(transfer) => TransferStep::Do(transfer.clone(), Patience::Leftover),
                None => {
                    let index = strings.number(&self.command).unwrap_or_default();
                    TransferStep::Do(Transfer::String { index, length: strings.longest }, Patience::Short)
                }
            },
            _ => TransferStep::Done(None),
        }
    }

    /// What came of the transfer that [`Transfers::next`] named.
    pub fn handle(&mut self, outcome: TransferOutcome) {
        match (&self.stage, self.bridge.carriage) {
            (TransferStage::Flush(left), carriage) => {
                if let (TransferOutcome::Data(report), Carriage::Reports(reports)) = (&outcome, carriage) {
                    // "nothing" that comes late is no reply
                    self.stray |= !is_nothing(&reports.unpacking.unpack(report));
                }
                let more = matches!(outcome, TransferOutcome::Data(_)) && *left > 1;
                self.stage = if more { TransferStage::Flush(left - 1) } else { TransferStage::Send };
            }
            (TransferStage::Send, _) => {
                self.out.pop_front();
                if !matches!(outcome, TransferOutcome::Data(_)) {
                    self.failed = true;
                    self.stage = TransferStage::Over(None);
                } else if self.out.is_empty() {
                    let answered = !self.bridge.is_answerless(&self.command);
                    self.stage = if answered {
                        TransferStage::Receive { first: true, paused: false }
                    } else {
                        TransferStage::Over(None)
                    };
                }
            }
            (TransferStage::Receive { first, paused }, Carriage::Reports(reports)) => {
                let pausing = matches!(reports.inlet, Inlet::Report { .. }) && *first && !paused;
                if pausing {
                    self.stage = TransferStage::Receive { first: true, paused: true };
                } else {
                    self.hear(&reports, outcome);
                }
            }
            (TransferStage::Read, Carriage::Strings(strings)) => self.read(&strings, outcome),
            _ => {}
        }
    }

    fn hear(&mut self, reports: &Reports, outcome: TransferOutcome) {
        let report = match outcome {
            TransferOutcome::Data(report) => report,
            TransferOutcome::Failed => {
                self.failed = true;
                return self.stage = TransferStage::Over(None);
            }
            TransferOutcome::Nothing | TransferOutcome::Stalled => return self.finish(reports),
        };
        let bytes = reports.unpacking.unpack(&report);
        let nothing = bytes.is_empty();
        self.reply.extend(bytes);
        let returned = self.reply.contains(&b'\r');
        let complete = returned || reports.end == End::Transfer || self.reply.len() > LONGEST;
        // a report that carries nothing ends what had begun
        if complete || nothing && !self.reply.is_empty() {
            self.finish(reports);
        } else if self.reply.is_empty() && self.tries >= EMPTY_REPORTS {
            self.stage = TransferStage::Over(None);
        } else {
            self.tries += u8::from(nothing);
            self.stage = TransferStage::Receive { first: self.reply.is_empty(), paused: true };
        }
    }

    /// What was heard is the reply.
    fn finish(&mut self, reports: &Reports) {
        let mut heard = std::mem::take(&mut self.reply);
        reports.unpacking.cut(&mut heard);
        let digits = reports.zero_digits_from.and_then(|from| heard.get_mut(from..));
        digits.into_iter().flatten().filter(|byte| **byte == 0).for_each(|byte| *byte = b'0');
        self.stage = TransferStage::Over((!is_nothing(&heard)).then_some(heard));
    }

    fn read(&mut self, strings: &Strings, outcome: TransferOutcome) {
        if self.out.pop_front().is_some() {
            return;
        }
        self.tries += 1;
        // here the question is the command
        self.failed = outcome == TransferOutcome::Failed;
        let TransferOutcome::Data(descriptor) = outcome else {
            self.stage = TransferStage::Over(None);
            return;
        };
        let text = text_of(&descriptor);
        let usable = text.as_ref().filter(|text| !is_nothing(text) && !says(text, strings.no_reply));
        match usable {
            Some(text) => {
                let mut reply = text.clone();
                // before the carriage return is looked for: the first byte that comes may be anything
                if let (Some(lead), Some(first)) = (strings.first_byte(&self.command), reply.first_mut()) {
                    *first = lead;
                }
                let reply: Vec<u8> = reply.into_iter().take_while(|byte| *byte != b'\r').collect();
                self.stage = TransferStage::Over((!is_nothing(&reply)).then_some(reply));
            }
            // a command is never repeated: it may have been obeyed all the same
            None if self.tries < strings.attempts && strings.first_byte(&self.command) != Some(b'\r') => {}
            None => self.stage = TransferStage::Over(None),
        }
    }
}

/// At most so many reports of a late reply are read away.
const SETTLING_REPORTS: u8 = 16;
/// So many reports with nothing in them are read before a reply begins.
const EMPTY_REPORTS: u8 = 8;

/// Whether bytes of a converter say nothing: some have to send something, and send NULs, or NULs and a
/// carriage return (NUT 2.8.5 nutdrv_qx.c, ippon_command).
fn is_nothing(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0 | b'\r'))
}

fn says(text: &[u8], what: &str) -> bool {
    let text: Vec<u8> = text.iter().copied().take_while(|byte| *byte != b'\r').collect();
    text.eq_ignore_ascii_case(what.as_bytes())
}

/// The text of a string descriptor: the low bytes of its letters; `None` when its length is wrong.
pub fn text_of(descriptor: &[u8]) -> Option<Vec<u8>> {
    let length = usize::from(*descriptor.first()?);
    if length != descriptor.len() || length < 2 || descriptor.get(1) != Some(&3) {
        return None;
    }
    let letter = |pair: &[u8]| if pair.get(1).is_none_or(|high| *high == 0) { pair[0] } else { b'?' };
    Some(descriptor[2..].chunks(2).map(letter).collect())
}

/// A string descriptor with this text.
pub fn descriptor_of(text: &[u8]) -> Vec<u8> {
    let letters = text.iter().take(126).flat_map(|byte| [*byte, 0]);
    let mut out = vec![0, 3];
    out.extend(letters);
    out[0] = out.len() as u8;
    out
}

fn sends(reports: &Reports, command: &[u8]) -> VecDeque<Transfer> {
    let packed = reports.packing.pack(&[command, b"\r"].concat()).unwrap_or_default();
    let transfer = |data: Vec<u8>| match reports.outlet {
        Outlet::Report(value) => {
            let (request_type, request) = SET_REPORT;
            Transfer::ControlOut { request_type, request, value, index: 0, data }
        }
        Outlet::Vendor(request) => {
            Transfer::ControlOut { request_type: VENDOR_OUT, request, value: 0, index: 0, data }
        }
        Outlet::Interrupt(endpoint) => Transfer::InterruptOut { endpoint, data },
    };
    packed.into_iter().map(transfer).collect()
}

fn receive(reports: &Reports, pause: bool) -> Transfer {
    match reports.inlet {
        Inlet::Report { pause_ms, .. } if pause => Transfer::Pause(pause_ms),
        Inlet::Report { value, size, .. } => {
            let (request_type, request) = GET_REPORT;
            Transfer::ControlIn { request_type, request, value, index: 0, length: size }
        }
        Inlet::Interrupt { endpoint, size } => Transfer::InterruptIn { endpoint, length: size },
    }
}

/// What keeps a bridge of strings in step: first a greeting, then one string in turn before each
/// command, unless it is the one that is read anyway.
fn steps(strings: &Strings, command: &[u8], step: usize) -> VecDeque<Transfer> {
    let mut out = VecDeque::new();
    let read = |index: u8, length: usize| Transfer::String { index, length };
    if !strings.steps.is_empty() {
        if step == 0 {
            out.extend([read(0, 1026), read(0, 1026), read(1, 1026), Transfer::Pause(10)]);
        }
        let turn = strings.steps[step % strings.steps.len()];
        if strings.number(command) != Some(turn) {
            out.push_back(read(turn, strings.longest));
        }
    }
    if strings.dummy_read > 0 {
        out.push_back(Transfer::InterruptIn { endpoint: 0x81, length: strings.dummy_read });
    }
    out
}

/// What a converter does with bytes that it took out of reports: the command, when it is complete.
pub fn command_in(framing: &Framing, heard: &mut Vec<u8>, report: &[u8]) -> Option<Vec<u8>> {
    heard.extend(framing.unpack(report));
    let end = heard.iter().position(|byte| *byte == b'\r')?;
    // what follows in the same report is padding
    let mut line = std::mem::take(heard);
    line.truncate(end);
    Some(line)
}
