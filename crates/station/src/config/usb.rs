//! The options for USB: which device is meant, and how it is spoken to.

use super::draft::Draft;
use super::{ConfigError, nearest};
use link::{Pattern, UsbOptions};
use qx::options::rows::OptionRow;
use qx::usb::bridges;

/// What chooses a device also says that the UPS is on USB, whatever `port` says.
pub(super) fn pattern(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.on_usb = true;
    device(draft, row, value)
}

/// A device number alone asks for nothing, as in NUT.
pub(super) fn device(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.usb.patterns.insert(row.name, Pattern::parse(row.name, value)?);
    Ok(())
}

pub(super) fn subdriver(draft: &mut Draft, _: &OptionRow, value: &str) -> Result<(), String> {
    draft.on_usb = true;
    let names = || bridges::ALL.iter().map(|bridge| bridge.name);
    let wrong = || match nearest(value, names()) {
        Some(name) => format!("subdriver = {value}: did you mean {name}?"),
        None => format!("subdriver = {value}: there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    draft.usb.bridge = Some(bridges::named(value).ok_or_else(wrong)?);
    Ok(())
}

pub(super) fn language(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.on_usb = true;
    let language = u16::from_str_radix(digits(value), 16);
    draft.usb.language = Some(language.map_err(|_| format!("{} = {value}: write it as 0x0409", row.name))?);
    Ok(())
}

pub(super) fn no_scan(draft: &mut Draft, _: &OptionRow, _: &str) -> Result<(), String> {
    draft.usb.no_scan = true;
    Ok(())
}

pub(super) fn any_of_twins(draft: &mut Draft, _: &OptionRow, _: &str) -> Result<(), String> {
    draft.usb.any_of_twins = true;
    Ok(())
}

pub(super) fn alternate(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    let number = if value.is_empty() { Ok(0) } else { value.trim().parse() };
    let wrong = |_| format!("{} = {value}: write a small number such as 0", row.name);
    draft.usb.alternate = Some(number.map_err(wrong)?);
    Ok(())
}

pub(super) fn configuration(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.usb.configuration = Some(hexadecimal(row, value)?);
    Ok(())
}

pub(super) fn interface(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.usb.interface = hexadecimal(row, value)?;
    Ok(())
}

/// No bridge reads a HID descriptor; the number is checked all the same.
pub(super) fn descriptor(_: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    hexadecimal(row, value).map(drop)
}

pub(super) fn inlet(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.usb.inlet = Some(hexadecimal(row, value)? | 0x80);
    Ok(())
}

pub(super) fn outlet(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.usb.outlet = Some(hexadecimal(row, value)? & 0x7f);
    Ok(())
}

impl Draft {
    /// The whole of it.
    pub(super) fn usb_options(&mut self) -> Result<UsbOptions, ConfigError> {
        let has = |name: &str| self.usb.patterns.contains_key(name);
        if self.usb.bridge.is_some() && !(has("vendorid") && has("productid")) {
            return Err(ConfigError::of(
                "subdriver",
                "subdriver needs vendorid and productid, so that no other device is taken for a UPS: find them with lsusb",
            ));
        }
        Ok(std::mem::take(&mut self.usb))
    }
}

fn hexadecimal(row: &OptionRow, text: &str) -> Result<u8, String> {
    u8::from_str_radix(digits(text), 16)
        .map_err(|_| format!("{} = {text}: write a hexadecimal number such as 1", row.name))
}

/// The digits of a hexadecimal number, behind `0x` or `0X` where it stands.
fn digits(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text)
}
