//! What becomes of an option that is wrong. It ends a start; killing the power has one aim, and is ended only by
//! what says which UPS is meant and how it is spoken to.

use super::draft::Draft;
use super::{ConfigError, LineFinding, Severity};
use link::Address;

/// What says which UPS is meant, and how it is spoken to.
const SAYS_WHICH: [&str; 13] = [
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
    pub(super) fn fault(&mut self, ConfigError { option, sentence }: ConfigError) {
        if !self.is_killing() {
            self.findings.push(LineFinding::error(self.line, sentence));
            return;
        }
        let name = option.unwrap_or_default();
        // a name that is not known stands for the one that was meant
        let is_known = self.kind.option(&name).is_some() || super::generic(&name).is_some();
        let meant = self.nearest_option(&name).filter(|_| !is_known);
        let meant = meant.unwrap_or(&name).to_ascii_lowercase();
        let (severity, then) = match meant.as_str() {
            which if SAYS_WHICH.contains(&which) => {
                (Severity::Error, "it says which UPS is meant, so nothing is sent without it")
            }
            "protocol" => {
                (self.options.protocol, self.options.assumes) = (None, false);
                (Severity::Hint, "going on without it: the dialect is found by asking, and none is assumed")
            }
            "offdelay" | "ondelay" | "stayoff" | "sdcommands" => {
                (Severity::Hint, "going on with the default")
            }
            _ => (Severity::Hint, "going on without it, for the load has to go off"),
        };
        self.findings.push(LineFinding { line: self.line, severity, text: format!("{sentence}; {then}") });
    }

    /// A line that cannot be read may say anything: which of the devices on USB is meant, or the dialect.
    pub(super) fn check_unreadable(&mut self, address: &Address) -> Result<(), ConfigError> {
        if !self.unreadable || !self.is_killing() {
            return Ok(());
        }
        if matches!(address, Address::Usb(_)) {
            return Err(ConfigError::general(
                "a line of ups.conf cannot be read, and may say which device on USB is meant: nothing is sent without it",
            ));
        }
        self.options.assumes &= self.options.protocol.is_some();
        Ok(())
    }
}
