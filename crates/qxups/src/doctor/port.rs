//! The port: whether it is there, who may use it, and who does.

use super::finding::{Kind, Report};
use super::running::Running;
use super::system::{Process, System};
use super::watched::{DRIVERS, Watched};
use link::{Attached, UsbOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Looks at a serial port; true when it may be spoken to.
pub fn serial(
    system: &System,
    path: &Path,
    watched: &Watched,
    running: &Running,
    report: &mut Report,
) -> bool {
    let (name, port) = (&watched.name, path.display());
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) => {
            let remedy = "plug the cable or adapter in, and name the port that it has: ls -l /dev/serial/by-id /dev/ttyS* /dev/ttyUSB*";
            report.add(Kind::NoPort, name, format!("{port} is not there ({error})"), remedy);
            return false;
        }
    };
    if !meta.file_type().is_char_device() {
        report.add(
            Kind::NotASerialPort,
            name,
            format!("{port} is no serial port"),
            "name one such as /dev/ttyS0",
        );
        return false;
    }
    if let Some(user) =
        watched.driver.and_then(|_| system.user(&watched.config.user)).filter(|user| !user.may_use(&meta))
    {
        let (user, group) = (&user.name, system.group(meta.gid()));
        let mode = meta.permissions().mode() & 0o777;
        let what = format!("the driver's user '{user}' may not open {port} (group {group}, mode {mode:03o})");
        let by_group = system.user(user).is_some_and(|user| user.could_by_group(&meta));
        let remedy = match by_group {
            true => format!("usermod -aG {group} {user}, and start the driver again"),
            false => format!(
                "let its group in, by a rule for udev: KERNEL==\"{}\", GROUP=\"{user}\", MODE=\"0660\"",
                path.file_name().unwrap_or_default().to_string_lossy()
            ),
        };
        report.add(Kind::PortForbidden, name, what, remedy);
    }
    is_free(system, path, watched, running, report)
}

/// Looks for the USB device; the one to speak to, when that may be done.
pub fn usb(
    system: &System,
    options: &UsbOptions,
    attached: &[Attached],
    watched: &Watched,
    running: &Running,
    report: &mut Report,
) -> bool {
    let name = &watched.name;
    let meant: Vec<&Attached> =
        attached.iter().filter(|device| options.bridge_of(device).is_some()).collect();
    if meant.is_empty() {
        let what = match attached.len() {
            0 => "nothing is plugged in on USB".to_string(),
            count => format!("none of the {count} USB devices is the UPS that ups.conf means"),
        };
        let remedy =
            "check the cable, and vendorid, productid and the like; 'qxups scan -v' lists what is plugged in";
        report.add(Kind::NoUsbDevice, name, what, remedy);
    }
    let mut free = 0;
    for device in meant {
        let node = system.dev.join(format!("bus/usb/{:03}/{:03}", device.bus, device.address));
        node_rights(system, &node, device, watched, report);
        free += usize::from(is_free(system, &node, watched, running, report));
    }
    free > 0
}

fn node_rights(system: &System, node: &Path, device: &Attached, watched: &Watched, report: &mut Report) {
    let user = watched.driver.and_then(|_| system.user(&watched.config.user));
    let (Some(user), Ok(meta)) = (user, node.metadata()) else { return };
    if user.may_use(&meta) {
        return;
    }
    let user = &user.name;
    let what = format!("the driver's user '{user}' may not open USB device {device} ({})", node.display());
    let again = "udevadm control --reload && udevadm trigger --subsystem-match=usb --action=add";
    if system.has_rule(device.vendor_id, device.product_id) {
        let remedy = format!("a rule of udev names it: plug it in again, or {again}; check the rule's GROUP");
        report.add(Kind::UdevRuleNotApplied, &watched.name, what, remedy);
    } else {
        let remedy = match device.bridge() {
            Some(_) => format!("qxups udev --group {user} > /etc/udev/rules.d/62-qxups.rules && {again}"),
            None => format!(
                "write ATTR{{idVendor}}==\"{:04x}\", ATTR{{idProduct}}==\"{:04x}\", MODE=\"0664\", GROUP=\"{user}\" into /etc/udev/rules.d/62-ups.rules, then {again}",
                device.vendor_id, device.product_id
            ),
        };
        report.add(
            Kind::UdevRuleMissing,
            &watched.name,
            format!("{what}, and no rule of udev names it"),
            remedy,
        );
    }
}

/// Whether nobody uses the file; somebody who is not the driver of this UPS is a finding.
fn is_free(system: &System, file: &Path, watched: &Watched, running: &Running, report: &mut Report) -> bool {
    let holders = system.holders(file);
    let driver = |process: &&Process| matches!(running, Running::By(pids) if pids.contains(&process.pid));
    let (_, strangers): (Vec<&Process>, Vec<&Process>) = holders.iter().partition(driver);
    for process in &strangers {
        let what = format!("{process} uses {}", file.display());
        report.add(Kind::PortInUse, &watched.name, what, stop(process, file));
    }
    holders.is_empty() && *running == Running::Nobody
}

/// How to stop who is known to take serial ports.
fn stop(process: &Process, file: &Path) -> String {
    let port = file.file_name().unwrap_or_default().to_string_lossy();
    match process.name.as_str() {
        "ModemManager" => {
            "it takes every serial port for a modem: systemctl disable --now ModemManager".into()
        }
        "brltty" => "it takes serial adapters for Braille displays: apt-get remove brltty".into(),
        "agetty" | "getty" => {
            format!("it waits for a login there: systemctl disable --now serial-getty@{port}")
        }
        name if DRIVERS.contains(&name) => {
            "it watches a UPS there: stop it (upsdrvctl stop) before anything else uses the port".into()
        }
        _ => format!("stop it first: kill {}", process.pid),
    }
}
