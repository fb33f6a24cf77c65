//! The options for USB.

use super::{Draft, Wrong, nearest};
use link::{Pattern, UsbOptions};
use qx::bridges;
use qx::option::OptionRow;

impl Draft {
    /// What says which USB device is meant, and how it is spoken to.
    pub(super) fn take_usb_option(&mut self, row: &OptionRow, value: &str) -> Result<(), Wrong> {
        // a device number alone asks for nothing, as in NUT
        let is_manner =
            row.name.starts_with("usb_") || matches!(row.name, "noscanlangid" | "allow_duplicates");
        self.on_usb |= row.name != "device" && !is_manner;
        match row.name {
            "subdriver" => {
                let names = || bridges::ALL.iter().map(|bridge| bridge.name);
                let wrong = || match nearest(value, names()) {
                    Some(name) => format!("subdriver = {value}: did you mean {name}?"),
                    None => {
                        format!("subdriver = {value}: there are {}", names().collect::<Vec<_>>().join(", "))
                    }
                };
                self.usb.bridge = Some(bridges::named(value).ok_or_else(wrong)?);
            }
            "langid_fix" => {
                let language = u16::from_str_radix(digits(value), 16);
                self.usb.language =
                    Some(language.map_err(|_| format!("langid_fix = {value}: write it as 0x0409"))?);
            }
            "noscanlangid" => self.usb.no_scan = true,
            "usb_set_altinterface" => {
                let number = if value.is_empty() { Ok(0) } else { value.trim().parse() };
                let wrong = |_| format!("usb_set_altinterface = {value}: write a small number such as 0");
                self.usb.alternate = Some(number.map_err(wrong)?);
            }
            "usb_config_index" => self.usb.configuration = Some(hexadecimal(row.name, value)?),
            "usb_hid_rep_index" => self.usb.interface = hexadecimal(row.name, value)?,
            "usb_hid_desc_index" => drop(hexadecimal(row.name, value)?),
            "usb_hid_ep_in" => self.usb.inlet = Some(hexadecimal(row.name, value)? | 0x80),
            "usb_hid_ep_out" => self.usb.outlet = Some(hexadecimal(row.name, value)? & 0x7f),
            "allow_duplicates" => self.usb.any_of_twins = true,
            name => drop(self.usb.patterns.insert(name, Pattern::parse(name, value)?)),
        }
        Ok(())
    }

    /// The whole of it.
    pub(super) fn usb_options(&mut self) -> Result<UsbOptions, Wrong> {
        let has = |name: &str| self.usb.patterns.contains_key(name);
        if self.usb.bridge.is_some() && !(has("vendorid") && has("productid")) {
            return Err("subdriver needs vendorid and productid, so that no other device is taken for a UPS: find them with lsusb".into());
        }
        Ok(std::mem::take(&mut self.usb))
    }
}

fn hexadecimal(name: &str, text: &str) -> Result<u8, Wrong> {
    u8::from_str_radix(digits(text), 16)
        .map_err(|_| format!("{name} = {text}: write a hexadecimal number such as 1"))
}

/// The digits of a hexadecimal number, behind `0x` or `0X` where it stands.
fn digits(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text)
}
