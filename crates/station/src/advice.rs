//! What to write into `ups.conf` for a UPS that was found.

use link::{Address, Attached};

/// A line of a section: its name and value.
pub type SettingLine = (&'static str, String);

/// Which driver, for a UPS at an address.
pub fn at(driver: &str, address: &Address) -> Vec<SettingLine> {
    vec![("driver", driver.into()), ("port", address.to_string())]
}

/// Which driver, for a UPS on USB, by its numbers.
pub fn on_usb(driver: &str, device: &Attached) -> Vec<SettingLine> {
    vec![
        ("driver", driver.into()),
        ("port", "auto".into()),
        ("vendorid", format!("{:04x}", device.vendor_id)),
        ("productid", format!("{:04x}", device.product_id)),
    ]
}

/// A line as `ups.conf` wants it.
pub fn written((name, value): &SettingLine) -> String {
    format!("\t{}", setting(name, value))
}

/// A setting as `ups.conf` wants it, without indentation.
pub fn setting(name: &str, value: &str) -> String {
    format!("{name} = {}", quoted(value))
}

/// What a device says of itself may be anything, and no line of `ups.conf` may begin in it. The file
/// holds ASCII only.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' }).collect()
}

/// A value in quotes: NUT reads a `#` as the beginning of a comment even inside of them.
fn quoted(text: &str) -> String {
    let escaped = |letter| if "\\\"#".contains(letter) { vec!['\\', letter] } else { vec![letter] };
    format!("\"{}\"", plain(text).chars().flat_map(escaped).collect::<String>())
}
