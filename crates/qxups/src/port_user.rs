//! Which programs have a port open that could not be opened here, and what to do about each.

use crate::check_config::is_driver_of_nut;
use crate::doctor::{Process, System, holds_simulated_end, how_to_stop};
use station::driver_kind::DriverKind;
use std::path::Path;

/// The programs that use a port, as far as this user may see that.
pub struct PortUsers(Vec<Process>);

impl PortUsers {
    /// Of a port that is in use.
    pub fn of(port: &Path) -> PortUsers {
        let mut holders = System::real().holders(port);
        // it is the other end of the line
        holders.retain(|process| !holds_simulated_end(process));
        PortUsers(holders)
    }

    /// The one that drives a UPS there.
    pub fn driver(&self) -> Option<&Process> {
        self.0.iter().find(|process| drives(process))
    }

    /// What happened, and what to do.
    pub fn sentence(&self, file: &Path) -> String {
        if let Some(process) = self.driver() {
            return format!("{process} drives a UPS there already; to ask it here, {} first", stop(process));
        }
        match self.0.as_slice() {
            [] => format!(
                "it is in use by another program; run this as root, which may see by which, and stop that one (fuser -v {})",
                file.display()
            ),
            [one, ..] => {
                let remedy = how_to_stop(one, file).unwrap_or_else(|| {
                    format!("look what it is (ps -fp {0}), and stop it (kill {0})", one.pid)
                });
                format!("it is in use by {one}; {remedy}")
            }
        }
    }
}

/// Whether a process is a driver of NUT, or a server that drives UPSes itself.
fn drives(process: &Process) -> bool {
    DriverKind::named(&process.name).is_some() || is_driver_of_nut(&process.name) || is_server(process)
}

fn is_server(process: &Process) -> bool {
    let is_serving = process.arguments.get(1).is_some_and(|task| task == "serve" || task == "demo");
    process.name == "upsd" || process.name == "qxups" && is_serving
}

fn stop(process: &Process) -> String {
    match is_server(process) {
        true => format!("stop that server (systemctl stop qxups-serve, or kill {})", process.pid),
        false => format!("stop that driver (upsdrvctl stop, or kill {})", process.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, arguments: &[&str]) -> Process {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Process { pid: 17, name: name.into(), arguments }
    }

    #[test]
    fn the_program_is_named_with_what_to_do() {
        let file = Path::new("/dev/ttyS0");
        for (name, arguments, parts) in [
            ("nutdrv_qx", vec!["nutdrv_qx", "-a", "x"], ["drives a UPS there", "upsdrvctl stop"]),
            ("usbhid-ups", vec!["usbhid-ups", "-a", "x"], ["drives a UPS there", "upsdrvctl stop"]),
            ("qxups", vec!["qxups", "serve"], ["drives a UPS there", "systemctl stop qxups-serve"]),
            ("upsd", vec!["upsd"], ["drives a UPS there", "kill 17"]),
            ("qxups", vec!["qxups", "scan"], ["is in use by qxups (process 17)", "kill 17"]),
            ("ModemManager", vec!["ModemManager"], ["is in use by", "disable --now ModemManager"]),
            ("minicom", vec!["minicom"], ["is in use by minicom (process 17)", "ps -fp 17"]),
        ] {
            let said = PortUsers(vec![process(name, &arguments)]).sentence(file);
            assert!(parts.iter().all(|part| said.contains(part)) && !said.contains("nolock"), "{said}");
        }
        let said = PortUsers(vec![]).sentence(file);
        assert!(said.contains("in use by another program") && said.contains("as root"), "{said}");
    }
}
