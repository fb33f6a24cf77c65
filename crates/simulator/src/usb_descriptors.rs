//! The descriptors of a simulated converter.

use qx::usb::bridge::{Bridge, Carriage, Inlet, Outlet, UsbId};

/// The string with the serial number, which stands for no command of any bridge.
pub(crate) const SERIAL: u8 = 0xfe;
/// A HID device of one field of bytes in and one out.
pub(crate) const REPORT_DESCRIPTOR: [u8; 34] = [
    0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x08, 0x09,
    0x01, 0x81, 0x02, 0x75, 0x08, 0x95, 0x08, 0x09, 0x01, 0x91, 0x02, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00,
];
/// Its bytes that count.
const REPORT_LENGTH: u8 = 29;

pub(crate) fn device_descriptor(id: UsbId) -> Vec<u8> {
    let [vendor_low, vendor_high] = id.vendor.to_le_bytes();
    let [product_low, product_high] = id.product.to_le_bytes();
    vec![
        18,
        1,
        0x10,
        0x01,
        0,
        0,
        0,
        8,
        vendor_low,
        vendor_high,
        product_low,
        product_high,
        0x00,
        0x01,
        1,
        2,
        SERIAL,
        1,
    ]
}

pub(crate) fn configuration_descriptor(bridge: &Bridge) -> Vec<u8> {
    let mut endpoints: Vec<(u8, u16)> = vec![];
    match bridge.carriage {
        Carriage::Reports(reports) => {
            let packet = |size: usize| size.clamp(8, 64) as u16;
            match reports.inlet {
                Inlet::Interrupt { endpoint, size } => endpoints.push((endpoint, packet(size))),
                Inlet::Report { .. } => endpoints.push((0x81, 8)),
            }
            if let Outlet::Interrupt(endpoint) = reports.outlet {
                // long reports of commands go with long ones of replies
                let size = if endpoints[0].1 == 64 { 64 } else { 8 };
                endpoints.push((endpoint, size));
            }
        }
        Carriage::Strings(_) => endpoints.push((0x81, 8)),
    }
    let mut rest = vec![9, 4, 0, 0, endpoints.len() as u8, 3, 0, 0, 0];
    rest.extend([9, 0x21, 0x11, 0x01, 0, 1, 0x22, REPORT_LENGTH, 0]);
    for (endpoint, size) in endpoints {
        let [low, high] = size.to_le_bytes();
        rest.extend([7, 5, endpoint, 3, low, high, 10]);
    }
    let [low, high] = (rest.len() as u16 + 9).to_le_bytes();
    [vec![9, 2, low, high, 1, 1, 0, 0xa0, 50], rest].concat()
}
