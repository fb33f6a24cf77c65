//! Making the transfers that a bridge asks for.

use super::Usb;
use crate::error::{LinkError, LinkErrorKind};
use nusb::Endpoint;
use nusb::transfer::{
    Buffer, ControlIn, ControlOut, ControlType, In, Interrupt, Out, Recipient, TransferError,
};
use qx::usb::transfers::{Transfer, TransferOutcome};
use std::collections::btree_map::Entry;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// GET_DESCRIPTOR and the kind of descriptor.
pub(super) const GET_DESCRIPTOR: u8 = 0x06;
pub(super) const STRING: u16 = 0x03;

/// What can go wrong in a transfer.
pub(super) enum Failure {
    /// The transfer itself.
    Transfer(TransferError),
    /// Something that only opening again can cure.
    Link(LinkError),
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Failure {
        Failure::Link(error)
    }
}

fn no_endpoint(endpoint: u8, error: &nusb::Error) -> LinkError {
    let sentence = format!(
        "the USB device has no endpoint {endpoint:#04x} that could be used ({error}): is subdriver the right one?"
    );
    LinkError::new(LinkErrorKind::Unsuitable, sentence)
}

fn still_stalled(error: nusb::Error) -> Failure {
    Failure::Link(LinkError::gone(&format!("an endpoint of the USB device stalls for ever: {error}")))
}

impl Usb {
    /// Makes one transfer.
    pub(super) async fn make(
        &mut self,
        transfer: &Transfer,
        time: Duration,
    ) -> Result<TransferOutcome, Failure> {
        match transfer {
            Transfer::Pause(milliseconds) => {
                sleep(Duration::from_millis(u64::from(*milliseconds))).await;
                Ok(TransferOutcome::Data(vec![]))
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

    pub(super) async fn control_in(
        &self,
        request_type: u8,
        request: u8,
        value: u16,
        index: u16,
        length: usize,
        time: Duration,
    ) -> Result<TransferOutcome, Failure> {
        let (control_type, recipient) = kind(request_type);
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let asked = ControlIn { control_type, recipient, request, value, index, length };
        outcome(self.interface.control_in(asked, time).await)
    }

    async fn interrupt_out(
        &self,
        endpoint: u8,
        data: &[u8],
        time: Duration,
    ) -> Result<TransferOutcome, Failure> {
        let endpoint = self.own_endpoints.1.unwrap_or(endpoint);
        let opened = self.interface.endpoint::<Interrupt, Out>(endpoint);
        let mut outlet = opened.map_err(|error| no_endpoint(endpoint, &error))?;
        outlet.submit(Buffer::from(data.to_vec()));
        let done = match timeout(time, outlet.next_complete()).await {
            Ok(done) => done,
            Err(_) => {
                outlet.cancel_all();
                outlet.next_complete().await
            }
        };
        if done.status == Err(TransferError::Stall) {
            outlet.clear_halt().await.map_err(still_stalled)?;
        }
        outcome(done.status.map(|()| vec![]))
    }

    /// The endpoint of replies.
    pub(super) fn inlet(&mut self, endpoint: u8) -> Result<&mut Endpoint<Interrupt, In>, LinkError> {
        let endpoint = self.own_endpoints.0.unwrap_or(endpoint);
        match self.inlets.entry(endpoint) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(vacant) => {
                let opened = self.interface.endpoint::<Interrupt, In>(endpoint);
                Ok(vacant.insert(opened.map_err(|error| no_endpoint(endpoint, &error))?))
            }
        }
    }

    async fn interrupt_in(
        &mut self,
        endpoint: u8,
        length: usize,
        time: Duration,
    ) -> Result<TransferOutcome, Failure> {
        let inlet = self.inlet(endpoint)?;
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
                inlet.clear_halt().await.map_err(still_stalled)?;
                Ok(TransferOutcome::Stalled)
            }
            Err(TransferError::Cancelled) if data.is_empty() => Ok(TransferOutcome::Nothing),
            Ok(()) | Err(TransferError::Cancelled) => Ok(TransferOutcome::Data(data)),
            Err(error) => Err(Failure::Transfer(error)),
        }
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

fn outcome(done: Result<Vec<u8>, TransferError>) -> Result<TransferOutcome, Failure> {
    match done {
        Ok(data) => Ok(TransferOutcome::Data(data)),
        Err(TransferError::Stall) => Ok(TransferOutcome::Stalled),
        Err(TransferError::Cancelled) => Ok(TransferOutcome::Nothing),
        Err(error) => Err(Failure::Transfer(error)),
    }
}
