//! One program, three names: what differs between `nutdrv_qx`, `blazer_ser` and `blazer_usb`.

use qx::options::rows::{BLAZER, COMMON, DIALECTS, OptionRow, QX, SERIAL, USB};
use qx::protocols;
use qx::usb::bridge::KnownDevices;
use qx::usb::bridges;
use qx::wire::protocol::Protocol;
use std::ffi::OsStr;
use std::path::Path;

/// One of NUT's drivers, as far as it differs from the others.
#[derive(Debug)]
pub struct DriverKind {
    /// Its name: of the program, in ups.conf, of its socket and PID file.
    pub name: &'static str,
    /// The options it knows.
    pub options: &'static [&'static [OptionRow]],
    /// The dialects it tries, the more particular first.
    pub dialects: &'static [&'static Protocol],
    /// What lies between it and its UPS.
    pub line: LineKind,
    /// The USB devices that it takes, where they are fewer than all that the bridges know.
    pub devices: Option<KnownDevices>,
    /// Whether some questions are asked less often than others (`pollfreq`).
    pub full_polls: bool,
    /// Whether `battery.voltage` is always that of the whole battery.
    pub whole_battery: bool,
    /// What the administrator should know at a start.
    pub notice: Option<&'static str>,
}

/// What lies between a driver and its UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A serial line, TCP or USB, as `port` says.
    Any,
    /// A serial line or TCP.
    Serial,
    /// USB, whatever `port` says.
    Usb,
}

const NOTICE: &str =
    "this driver is deprecated in NUT; use nutdrv_qx: 'qxups check-config' prints the section for it";

/// `nutdrv_qx`.
pub static NUTDRV_QX: DriverKind = DriverKind {
    name: "nutdrv_qx",
    options: &[COMMON, QX, SERIAL, USB, DIALECTS],
    dialects: protocols::ALL,
    line: LineKind::Any,
    devices: None,
    full_polls: true,
    whole_battery: false,
    notice: None,
};

/// `blazer_ser` (NUT 2.8.0 blazer.c, blazer_ser.c).
pub static BLAZER_SER: DriverKind = DriverKind {
    name: "blazer_ser",
    options: &[BLAZER, COMMON, SERIAL],
    dialects: protocols::BLAZER,
    line: LineKind::Serial,
    devices: None,
    full_polls: false,
    whole_battery: true,
    notice: Some(NOTICE),
};

/// `blazer_usb` (NUT 2.8.0 blazer.c, blazer_usb.c).
pub static BLAZER_USB: DriverKind = DriverKind {
    name: "blazer_usb",
    options: &[BLAZER, COMMON, USB],
    line: LineKind::Usb,
    devices: Some(bridges::BLAZER),
    ..BLAZER_SER
};

/// All of them.
pub static ALL: [&DriverKind; 3] = [&NUTDRV_QX, &BLAZER_SER, &BLAZER_USB];

impl DriverKind {
    /// The driver of that name.
    pub fn named(name: &str) -> Option<&'static DriverKind> {
        ALL.into_iter().find(|kind| kind.name == name)
    }

    /// The driver that a program is, by the name it was called by: a link is enough.
    pub fn of_program(called: Option<&OsStr>) -> Option<&'static DriverKind> {
        Path::new(called?).file_name()?.to_str().and_then(DriverKind::named)
    }

    /// Every option it knows.
    pub fn all_options(&self) -> impl Iterator<Item = &'static OptionRow> + use<> {
        self.options.iter().flat_map(|table| table.iter())
    }

    /// The option of that name (case does not matter, as in NUT).
    pub fn option(&self, name: &str) -> Option<&'static OptionRow> {
        self.all_options().find(|row| row.name.eq_ignore_ascii_case(name))
    }

    /// The dialect of that name.
    pub fn dialect(&self, name: &str) -> Option<&'static Protocol> {
        self.dialects.iter().find(|protocol| protocol.name.eq_ignore_ascii_case(name)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_what_it_was_called() {
        for (called, expected) in [
            ("/lib/nut/blazer_ser", Some("blazer_ser")),
            ("blazer_usb", Some("blazer_usb")),
            ("./nutdrv_qx", Some("nutdrv_qx")),
            ("/usr/bin/something", None),
            ("", None),
        ] {
            let found = DriverKind::of_program(Some(OsStr::new(called)));
            assert_eq!(found.map(|kind| kind.name), expected, "{called}");
        }
    }
}
