//! The port: whether it is there, who may use it, and who does.

use super::finding::{FindingKind, Report};
use super::running::Running;
use super::system::{Process, System, SystemUser};
use super::watched::Watched;
use link::{Attached, UsbOptions, check_terminal};
use station::driver_kind::DriverKind;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// A UPS whose port is looked at.
pub struct Case<'a> {
    /// The machine.
    pub system: &'a System,
    /// The UPS.
    pub watched: &'a Watched,
    /// Its driver.
    pub running: &'a Running,
}

impl Case<'_> {
    /// Looks at a serial port; true when it may be spoken to.
    pub fn serial(&self, path: &Path, report: &mut Report) -> bool {
        let (name, port) = (&self.watched.name, path.display());
        let meta = match path.metadata() {
            Ok(meta) => meta,
            Err(error) => {
                let remedy = "plug the cable or adapter in, and name the port that it has: ls -l /dev/serial/by-id /dev/ttyS* /dev/ttyUSB*";
                report.add(FindingKind::NoPort, name, format!("{port} is not there ({error})"), remedy);
                return false;
            }
        };
        if check_terminal(path).is_err() {
            let what = format!("{port} is no serial port");
            report.add(FindingKind::NotASerialPort, name, what, "name one such as /dev/ttyS0");
            return false;
        }
        let mut holders = self.system.holders(path);
        holders.retain(|process| !holds_simulated_end(process));
        if let Some(user) = self.who_may_not(&meta, &holders) {
            self.port_forbidden(path, &meta, &user, report);
        }
        self.is_free(path, &holders, report)
    }

    fn port_forbidden(&self, path: &Path, meta: &Metadata, user: &SystemUser, report: &mut Report) {
        let (group, mode) = (self.system.group(meta.gid()), meta.permissions().mode() & 0o777);
        let port = path.display();
        let what =
            format!("the driver's user '{}' may not open {port} (group {group}, mode {mode:03o})", user.name);
        let remedy = match user.could_by_group(meta) {
            true => format!("usermod -aG {group} {}, and start the driver again", user.name),
            false => let_in(path, meta, &user.name),
        };
        report.add(FindingKind::PortForbidden, &self.watched.name, what, remedy);
    }

    /// Looks for the USB device; true when there is one to speak to.
    pub fn usb(&self, options: &UsbOptions, attached: &[Attached], report: &mut Report) -> bool {
        let meant: Vec<&Attached> =
            attached.iter().filter(|device| options.bridge_of(device).is_some()).collect();
        if meant.is_empty() && !matches!(self.running, Running::Served(_)) {
            let what = match attached.len() {
                0 => "nothing is plugged in on USB".to_string(),
                count => format!("none of the {count} USB devices is the UPS that ups.conf means"),
            };
            let remedy = "check the cable, and vendorid, productid and the like; 'qxups scan -v' lists what is plugged in";
            report.add(FindingKind::NoUsbDevice, &self.watched.name, what, remedy);
        }
        let mut free = 0;
        for device in meant {
            let node = self.system.dev.join(format!("bus/usb/{:03}/{:03}", device.bus, device.address));
            let holders = self.system.holders(&node);
            let user = node.metadata().ok().and_then(|meta| self.who_may_not(&meta, &holders));
            if let Some(user) = user {
                self.node_forbidden(&node, device, &user.name, report);
            }
            free += usize::from(self.is_free(&node, &holders, report));
        }
        free > 0
    }

    fn node_forbidden(&self, node: &Path, device: &Attached, user: &str, report: &mut Report) {
        let name = &self.watched.name;
        let what =
            format!("the driver's user '{user}' may not open USB device {device} ({})", node.display());
        let again = "udevadm control --reload && udevadm trigger --subsystem-match=usb --action=add";
        let (vendor, product) = (device.vendor_id, device.product_id);
        if self.system.has_rule(vendor, product) {
            let remedy =
                format!("a rule of udev names it: plug it in again, or {again}; check the rule's GROUP");
            return report.add(FindingKind::UdevRuleNotApplied, name, what, remedy);
        }
        let remedy = match device.bridge() {
            Some(_) => format!("qxups udev --group {user} > /etc/udev/rules.d/62-qxups.rules && {again}"),
            None => format!(
                "write ATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\"{product:04x}\", MODE=\"0664\", GROUP=\"{user}\" into /etc/udev/rules.d/62-ups.rules, then {again}"
            ),
        };
        report.add(
            FindingKind::UdevRuleMissing,
            name,
            format!("{what}, and no rule of udev names it"),
            remedy,
        );
    }

    /// The driver's user, when it may not open the file; a driver that has it open already may.
    fn who_may_not(&self, meta: &Metadata, holders: &[Process]) -> Option<SystemUser> {
        self.watched.driver?;
        // it has the port open, whether that is seen or not
        if matches!(self.running, Running::Served(_)) {
            return None;
        }
        let user = self.system.user(&self.watched.process.user)?;
        let is_open = holders.iter().any(|process| self.running.is(process));
        (!is_open && !user.may_use(meta)).then_some(user)
    }

    /// Whether the file is unused; a program that is not the driver of this UPS is a finding.
    fn is_free(&self, file: &Path, holders: &[Process], report: &mut Report) -> bool {
        let foreign = holders.iter().filter(|process| !self.running.is(process));
        let (known, unknown): (Vec<&Process>, Vec<&Process>) =
            foreign.partition(|process| how_to_stop(process, file).is_some());
        for process in known {
            let what = format!("{process} uses {}", file.display());
            let remedy = how_to_stop(process, file).unwrap_or_default();
            report.add(FindingKind::PortInUse, &self.watched.name, what, remedy);
        }
        if let Some(what) = who(&unknown) {
            let what =
                format!("{what} {} {}", if unknown.len() > 1 { "use" } else { "uses" }, file.display());
            report.add(FindingKind::PortInUse, &self.watched.name, what, self.end(&unknown, file));
        }
        holders.is_empty() && *self.running == Running::Nobody
    }

    /// What to do about unknown programs. One may be ended; many that share a file are a system at
    /// work, and so is the first process, and the caller of this program.
    fn end(&self, unknown: &[&Process], file: &Path) -> String {
        let file = file.display();
        match unknown {
            [one] if one.pid != 1 && !self.system.called_us(one.pid) => {
                format!("stop it first: look what it is (ps -fp {0}), then kill {0}", one.pid)
            }
            _ => format!(
                "a port of a UPS has one user: list the programs (fuser -v {file}) and stop the service that uses it; if a person works at it, it is no port of a UPS, so name another"
            ),
        }
    }
}

/// The processes in a sentence: the first few by name.
fn who(processes: &[&Process]) -> Option<String> {
    const NAMED: usize = 3;
    let names: Vec<String> = processes.iter().take(NAMED).map(ToString::to_string).collect();
    match (names.split_last()?, processes.len()) {
        (_, count) if count > NAMED => Some(format!("{} and {} more", names.join(", "), count - NAMED)),
        ((only, []), _) => Some(only.clone()),
        ((last, before), _) => Some(format!("{} and {last}", before.join(", "))),
    }
}

/// How a user is let in to a port whose group lets no user in.
pub fn let_in(path: &Path, meta: &Metadata, user: &str) -> String {
    if is_pseudo_terminal(meta) {
        return format!(
            "it is a pseudo-terminal, of which udev knows nothing: let the program that made it open it to every user (socat: mode=666; 'qxups sim' does so by itself), or chmod 666 {}",
            path.display()
        );
    }
    let kernel = path.file_name().unwrap_or_default().to_string_lossy();
    format!("let its group in, by a rule for udev: KERNEL==\"{kernel}\", GROUP=\"{user}\", MODE=\"0660\"")
}

/// Whether it is a pseudo-terminal, of which udev knows nothing: its major number is one of 136 to 143 (Linux,
/// admin-guide/devices.txt).
fn is_pseudo_terminal(meta: &Metadata) -> bool {
    let major = (meta.rdev() >> 8) & 0xfff;
    meta.file_type().is_char_device() && (136..=143).contains(&major)
}

/// Whether it is `qxups sim`, which holds its own end of the line.
pub fn holds_simulated_end(process: &Process) -> bool {
    process.name == "qxups" && process.arguments.get(1).is_some_and(|task| task == "sim")
}

/// How to stop who is known to take serial ports.
pub fn how_to_stop(process: &Process, file: &Path) -> Option<String> {
    let port = file.file_name().unwrap_or_default().to_string_lossy();
    Some(match process.name.as_str() {
        "ModemManager" => {
            "it takes every serial port for a modem: systemctl disable --now ModemManager".into()
        }
        "brltty" => "it takes serial adapters for Braille displays: apt-get remove brltty".into(),
        "agetty" | "getty" => {
            format!("it waits for a login there: systemctl disable --now serial-getty@{port}")
        }
        name if DriverKind::named(name).is_some() => {
            "it watches a UPS there: stop it (upsdrvctl stop) before anything else uses the port".into()
        }
        _ => return None,
    })
}
