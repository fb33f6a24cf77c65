//! What runs: drivers, their PID files, their sockets and how old their data is.

use super::finding::{FindingKind, Report};
use super::system::{Process, System};
use super::watched::Watched;
use crate::driver_dump;
use station::driver_kind::{self, DriverKind};
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// How a UPS is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// By no process.
    Nobody,
    /// By these processes; no other may use the port.
    By(Vec<u32>),
}

impl Running {
    /// Whether it is this process.
    pub fn is(&self, process: &Process) -> bool {
        matches!(self, Running::By(pids) if pids.contains(&process.pid))
    }
}

/// Looks for the driver of a section.
pub fn look(system: &System, watched: &Watched, report: &mut Report) -> Running {
    let Some(driver) = watched.driver else { return Running::Nobody };
    let name = &watched.name;
    let processes = system.processes();
    let of_this_nut = |process: &&Process| system.works_in(process, &system.nut.state);
    let instances: Vec<&Process> =
        processes.iter().filter(|process| is_driver_of(process, name)).filter(of_this_nut).collect();
    if let [first, second, ..] = instances[..] {
        let what = format!("two drivers run for it: {first} and {second}");
        // in a container, one of them may be its first process
        let kill = if second.pid == 1 { String::new() } else { format!("; kill {}", second.pid) };
        let remedy = format!(
            "stop both (upsdrvctl stop {name}; systemctl stop nut-driver@{name}{kill}) and start one: systemd and upsdrvctl must not both"
        );
        report.add(FindingKind::TwinDrivers, name, what, remedy);
    }
    for driver in driver_kind::ALL.map(|kind| kind.name) {
        pid_file(&system.nut.pid.join(format!("{driver}-{name}.pid")), driver, &processes, report);
    }
    let pids: Vec<u32> = instances.iter().map(|process| process.pid).collect();
    match ask_socket(&system.nut.state.join(format!("{driver}-{name}"))) {
        Socket::Absent if pids.is_empty() => {
            let remedy = format!("start it: upsdrvctl start {name}, or systemctl start nut-driver@{name}");
            report.add(FindingKind::NotRunning, name, "no driver runs for it", remedy);
        }
        Socket::Absent => {
            let what = format!("{} runs, but has no socket", instances[0]);
            let remedy = format!(
                "it looks for the UPS still; if that lasts, stop it and run 'qxups doctor {name}' again"
            );
            report.add(FindingKind::DriverHangs, name, what, remedy);
        }
        Socket::Dead(path) => {
            let remedy = format!(
                "a driver was killed: start it again (upsdrvctl start {name}); it takes the socket over"
            );
            report.add(FindingKind::DeadSocket, path, "no driver listens on this socket", remedy);
        }
        Socket::Mute => {
            let remedy = format!("restart it: upsdrvctl stop {name}; upsdrvctl start {name}");
            report.add(FindingKind::DriverHangs, name, "its driver does not answer on its socket", remedy);
            return Running::By(pids);
        }
        Socket::Forbidden => {
            report.note(name, "its driver's socket is not for you, and its port is not asked: run as root");
            return Running::By(pids);
        }
        Socket::Answers { stale: true, .. } => {
            let remedy = format!(
                "check cable and UPS; to look at the line, stop the driver (upsdrvctl stop {name}) and run 'qxups doctor {name}' again"
            );
            report.add(
                FindingKind::StaleData,
                name,
                "the driver runs, but the UPS does not answer it",
                remedy,
            );
            return Running::By(pids);
        }
        Socket::Answers { status, .. } => {
            report.note(name, format!("the driver runs and its data is fresh: {status}"));
            return Running::By(pids);
        }
    }
    if pids.is_empty() { Running::Nobody } else { Running::By(pids) }
}

/// Whether a process is one of our drivers, called for this section.
fn is_driver_of(process: &Process, name: &str) -> bool {
    let together = format!("-a{name}");
    let pairs = process.arguments.windows(2).any(|pair| pair[0] == "-a" && pair[1] == name);
    DriverKind::named(&process.name).is_some() && (pairs || process.arguments.contains(&together))
}

/// The file of a driver that runs no more. (The number may be another process's by now.)
fn pid_file(path: &Path, driver: &str, processes: &[Process], report: &mut Report) {
    if !path.is_file() {
        return;
    }
    let Ok(text) = link::read_bounded(path, 64) else { return };
    let text = String::from_utf8_lossy(&text);
    let number = text.trim().parse::<u32>().ok();
    let owner = processes.iter().find(|process| Some(process.pid) == number);
    let what = match owner {
        Some(process) if process.name == driver => return,
        Some(process) => format!("names {process}, which is no {driver}"),
        None => format!("names process {}, which does not run", text.trim()),
    };
    report.add(FindingKind::StalePidFile, path.display(), what, format!("rm {}", path.display()));
}

enum Socket {
    Absent,
    /// It is there, but no driver listens.
    Dead(String),
    Forbidden,
    /// Nothing comes back.
    Mute,
    Answers {
        stale: bool,
        status: String,
    },
}

/// What a driver says of its UPS.
fn ask_socket(path: &Path) -> Socket {
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                ErrorKind::ConnectionRefused => Socket::Dead(path.display().to_string()),
                ErrorKind::PermissionDenied => Socket::Forbidden,
                _ => Socket::Absent,
            };
        }
    };
    match driver_dump::ask(stream) {
        Ok(mut dump) => Socket::Answers {
            stale: dump.stale,
            status: dump.variables.remove("ups.status").unwrap_or_default(),
        },
        Err(_) => Socket::Mute,
    }
}
