//! What becomes of an option that is wrong. It ends a start; killing the power has one aim, and is ended only by
//! what says which UPS is meant and how it is spoken to.

use super::{Draft, Finding, Weight, Wrong};
use link::Address;

/// What says which UPS is meant, and how it is spoken to.
const SAYS_WHOM: [&str; 13] = [
    "driver",
    "port",
    "vendorid",
    "productid",
    "vendor",
    "product",
    "serial",
    "bus",
    "busport",
    "device",
    "subdriver",
    "slave_address",
    "slave_addr",
];

impl Draft {
    /// Something is wrong with an option.
    pub(super) fn fault(&mut self, name: &str, text: String) {
        if !self.killing {
            self.findings.push(Finding::wrong(self.line, text));
            return;
        }
        // a name that nobody knows stands for the one that was meant
        let is_known = self.persona.option(name).is_some() || super::generic(name).is_some();
        let meant = self.nearest_option(name).filter(|_| !is_known);
        let meant = meant.unwrap_or(name).to_ascii_lowercase();
        let (weight, then) = match meant.as_str() {
            whom if SAYS_WHOM.contains(&whom) => {
                (Weight::Wrong, "it says which UPS is meant, so nothing is sent without it")
            }
            "protocol" => {
                (self.options.protocol, self.options.assumes) = (None, false);
                (Weight::Remark, "going on without it: the dialect is found by asking, and none is assumed")
            }
            "offdelay" | "ondelay" | "stayoff" | "sdcommands" => {
                (Weight::Remark, "going on with the default")
            }
            _ => (Weight::Remark, "going on without it, for the load has to go off"),
        };
        self.findings.push(Finding { line: self.line, weight, text: format!("{text}; {then}") });
    }

    /// A line that cannot be read may say anything: which of the devices on USB is meant, or the dialect.
    pub(super) fn check_unreadable(&mut self, address: &Address) -> Result<(), Wrong> {
        if !self.unreadable || !self.killing {
            return Ok(());
        }
        if matches!(address, Address::Usb(_)) {
            return Err("a line of ups.conf cannot be read, and may say which device on USB is meant: nothing is sent without it".into());
        }
        self.options.assumes &= self.options.protocol.is_some();
        Ok(())
    }
}
