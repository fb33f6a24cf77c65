//! What was read so far; it becomes a [`Configuration`] when everything was read.

use super::{ConfigError, Configuration, LineFinding, ProcessSettings, Purpose, UpsConfig};
use crate::driver_kind::{DriverKind, LineKind};
use link::{Address, CablePower, Opening, UsbOptions};
use qx::options::Options;
use std::time::Duration;

/// A configuration that is being read.
pub(super) struct Draft {
    pub kind: &'static DriverKind,
    pub name: Option<String>,
    pub port: Option<String>,
    pub cable_power: CablePower,
    pub lock: bool,
    pub usb: UsbOptions,
    /// Whether an option asks for USB, whatever the port is called.
    pub on_usb: bool,
    pub options: Options,
    pub allow_killpower: bool,
    pub process: ProcessSettings,
    pub synchronous: &'static str,
    pub purpose: Purpose,
    /// A line of ups.conf cannot be read at all.
    pub unreadable: bool,
    pub published: Vec<(String, String)>,
    /// The line of ups.conf that is read.
    pub line: Option<usize>,
    pub findings: Vec<LineFinding>,
}

impl Draft {
    pub fn new(kind: &'static DriverKind, purpose: Purpose) -> Draft {
        let options = Options { dialects: kind.dialects, one_pack: kind.whole_battery, ..Options::default() };
        let mut usb = UsbOptions::default();
        usb.devices = kind.devices;
        Draft {
            kind,
            name: None,
            port: None,
            cable_power: CablePower::default(),
            lock: true,
            usb,
            on_usb: kind.line == LineKind::Usb,
            options,
            allow_killpower: false,
            process: ProcessSettings::default(),
            synchronous: "auto",
            purpose,
            unreadable: false,
            published: vec![],
            line: None,
            findings: vec![],
        }
    }

    /// The power is to be killed: what has nothing to do with that ends nothing.
    pub fn is_killing(&self) -> bool {
        self.purpose == Purpose::KillPower
    }

    /// Something for the log.
    pub fn hint(&mut self, text: String) {
        self.findings.push(LineFinding::hint(self.line, text));
    }

    pub fn publish(&mut self, kind: &str, name: &str, value: &str) {
        let name = format!("driver.{kind}.{name}");
        self.published.retain(|(known, _)| *known != name);
        self.published.push((name, value.to_string()));
    }

    /// Where the UPS is, as far as this driver can go there.
    fn address(&mut self, port: &str) -> Result<Address, ConfigError> {
        let address = Address::parse(port).map_err(|bad| ConfigError::of("port", bad.to_string()))?;
        if self.on_usb && !matches!(address, Address::Replay { .. }) {
            return Ok(Address::Usb(Box::new(self.usb_options()?)));
        }
        match address {
            Address::Usb(_) if self.kind.line == LineKind::Serial => Err(ConfigError::of(
                "port",
                format!(
                    "port = {port}: {} is for serial lines; write a path such as /dev/ttyS0, or driver = nutdrv_qx for USB",
                    self.kind.name
                ),
            )),
            Address::Usb(_) => Ok(Address::Usb(Box::new(self.usb_options()?))),
            address => Ok(address),
        }
    }

    pub fn finish(mut self) -> Result<Configuration, ConfigError> {
        let name = self.name.clone().ok_or_else(|| {
            ConfigError::general("name the UPS: -a and its section of ups.conf, or -s and any name; try -h")
        })?;
        let port = self.port.clone().ok_or_else(|| {
            ConfigError::general("name the port: 'port = /dev/ttyS0' in ups.conf, or -x port=/dev/ttyS0")
        })?;
        let address = self.address(&port)?;
        self.check_unreadable(&address)?;
        self.check_delays()?;
        self.publish("parameter", "port", &port);
        self.publish("parameter", "pollinterval", &self.options.pollinterval.as_secs().to_string());
        if self.kind.full_polls {
            self.publish("parameter", "pollfreq", &self.options.pollfreq.as_secs().to_string());
        }
        self.options.pollfreq = self.options.pollfreq.max(self.options.pollinterval);
        self.publish("parameter", "synchronous", self.synchronous);
        let opening = Opening { address, cable_power: self.cable_power, lock: self.lock };
        let (options, allow_killpower) = (self.options, self.allow_killpower);
        Ok(Configuration {
            ups: UpsConfig { name, opening, options, allow_killpower, published: self.published },
            process: self.process,
            hints: self.findings.iter().map(LineFinding::to_string).collect(),
        })
    }
}

/// A time in whole seconds, 1 or more.
pub(super) fn whole_seconds(name: &str, text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<u32>().ok().filter(|seconds| *seconds > 0);
    let wrong = || format!("{name} = {text}: write whole seconds, 1 or more");
    seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or_else(wrong)
}
