//! What runs: drivers, their PID files, their sockets and how old their data is.

use super::finding::{FindingKind, Report};
use super::system::{Process, System};
use super::watched::Watched;
use crate::driver_dump;
use driver::instance::SERVERS;
use station::driver_kind::{self, DriverKind};
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The socket of a server of ours, beside its PID file.
const CONTROL: &str = "upsd.control";

/// How a UPS is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// By no process.
    Nobody,
    /// By these processes; no other may use the port.
    By(Vec<u32>),
    /// By the server, and its data is fresh: it has all that it needs, as whichever user it runs.
    Served(u32),
}

impl Running {
    /// Whether it is this process.
    pub fn is(&self, process: &Process) -> bool {
        match self {
            Running::Nobody => false,
            Running::By(pids) => pids.contains(&process.pid),
            Running::Served(pid) => *pid == process.pid,
        }
    }
}

/// Why no server is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoServer {
    /// None runs with this state directory.
    Absent,
    /// This user may not look into the state directory.
    Hidden,
    /// One runs with other folders than these.
    Elsewhere(u32),
}

/// The server that drives UPSes itself, 'qxups serve' or what is called upsd, if one runs with this state directory. (That of
/// NUT has no such socket.)
///
/// # Errors
/// Why there is none to be seen.
pub fn server(system: &System) -> Result<Process, NoServer> {
    match system.nut.pid.join(CONTROL).symlink_metadata() {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(NoServer::Hidden),
        Err(_) => return Err(elsewhere(system)),
    }
    let text = link::read_bounded(&system.nut.pid.join("upsd.pid"), 64).unwrap_or_default();
    let number = String::from_utf8_lossy(&text).trim().parse::<u32>().ok();
    let is_it = |process: &Process| Some(process.pid) == number && SERVERS.contains(&process.name.as_str());
    system.processes().into_iter().find(is_it).ok_or(NoServer::Absent)
}

/// A server that was started with the folders of its user, where there is one.
fn elsewhere(system: &System) -> NoServer {
    let is_one = |process: &Process| {
        process.name == "qxups" && process.arguments.get(1).is_some_and(|task| task == "serve")
    };
    let other = system.processes().into_iter().find(is_one);
    other.map_or(NoServer::Absent, |process| NoServer::Elsewhere(process.pid))
}

/// Looks for a UPS that no driver's program has, but the server: a simulated one, or one of another server.
pub fn look_inside(system: &System, name: &str, driver: &str, report: &mut Report) {
    let server = match server(system) {
        Ok(server) => server,
        Err(NoServer::Hidden) => {
            let place = system.nut.state.display();
            return report.note(
                name,
                format!("whether a server has it is not seen, as {place} is closed to you: run as root"),
            );
        }
        Err(NoServer::Elsewhere(pid)) => {
            let what = format!(
                "no server runs here that has it; 'qxups serve' (process {pid}) has its files in another folder than {}",
                system.nut.state.display()
            );
            let remedy = "set NUT_CONFPATH and NUT_STATEPATH as for that server, and run this again";
            return report.add(FindingKind::NotRunning, name, what, remedy);
        }
        Err(NoServer::Absent) => {
            let what = format!("no server runs that has it (driver = {driver} is a part of 'qxups serve')");
            let remedy = "start it: systemctl start qxups-serve, or qxups serve";
            return report.add(FindingKind::NotRunning, name, what, remedy);
        }
    };
    match ask_socket(&system.nut.state.join(format!("{driver}-{name}"))) {
        Socket::Answers { stale: false, status } => {
            report.note(name, format!("{server} has it, and its data is fresh: {status}"));
        }
        // that of another server is at no socket
        _ => report.note(
            name,
            format!("{server} has it, if it has read this section: ask it with 'qxups list {name}'"),
        ),
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
        twins(name, first, second, report);
    }
    for driver in driver_kind::ALL.map(|kind| kind.name) {
        pid_file(&system.nut.pid.join(format!("{driver}-{name}.pid")), driver, &processes, report);
    }
    // where a driver of its own runs, the server uses that
    let server = server(system).ok().filter(|_| instances.is_empty());
    let pids =
        instances.iter().copied().chain(server.as_ref()).map(|process| process.pid).collect::<Vec<_>>();
    let socket = ask_socket(&system.nut.state.join(format!("{driver}-{name}")));
    let is_fresh = matches!(socket, Socket::Answers { stale: false, .. });
    let is_asked = match &server {
        Some(server) => by_server(name, server, socket, report),
        None => by_driver(name, instances.first().copied(), socket, report),
    };
    match &server {
        Some(server) if is_fresh => Running::Served(server.pid),
        _ if is_asked && pids.is_empty() => Running::Nobody,
        _ => Running::By(pids),
    }
}

fn twins(name: &str, first: &Process, second: &Process, report: &mut Report) {
    let what = format!("two drivers run for it: {first} and {second}");
    // in a container, one of them may be its first process
    let kill = if second.pid == 1 { String::new() } else { format!("; kill {}", second.pid) };
    let remedy = format!(
        "stop both (upsdrvctl stop {name}; systemctl stop nut-driver@{name}{kill}) and start one: systemd and upsdrvctl must not both"
    );
    report.add(FindingKind::TwinDrivers, name, what, remedy);
}

/// What the server says of a UPS that it drives; never is its port to be asked beside it.
fn by_server(name: &str, server: &Process, socket: Socket, report: &mut Report) -> bool {
    match socket {
        Socket::Answers { stale: false, status } => {
            report.note(name, format!("{server} drives it, and its data is fresh: {status}"));
        }
        Socket::Answers { stale: true, .. } => report.add(
            FindingKind::StaleData,
            name,
            format!("{server} drives it, but the UPS does not answer"),
            format!(
                "check cable and UPS; to look at the line, stop the server (systemctl stop qxups-serve) and run 'qxups doctor {name}' again"
            ),
        ),
        Socket::Absent | Socket::Dead(_) => report.add(
            FindingKind::NotFound,
            name,
            format!("{server} has not found it, or has not read this section"),
            "check cable and port, run 'qxups reload' if ups.conf was changed, and look at the log of the server",
        ),
        Socket::Mute => report.add(
            FindingKind::DriverHangs,
            name,
            format!("{server} drives it, and does not answer at its socket"),
            "restart the server: systemctl restart qxups-serve",
        ),
        Socket::Forbidden => {
            report.note(name, "its socket is not for you, and its port is not asked: run as root");
        }
    }
    false
}

/// What a driver of its own says; true when the port may be asked, if no process has it.
fn by_driver(name: &str, driver: Option<&Process>, socket: Socket, report: &mut Report) -> bool {
    match (socket, driver) {
        (Socket::Absent, None) => {
            let remedy = format!("start it: upsdrvctl start {name}, or systemctl start nut-driver@{name}");
            report.add(FindingKind::NotRunning, name, "no driver runs for it", remedy);
            return true;
        }
        (Socket::Absent, Some(driver)) => {
            let what = format!("{driver} runs, but has no socket");
            let remedy = format!(
                "it looks for the UPS still; if that lasts, stop it and run 'qxups doctor {name}' again"
            );
            report.add(FindingKind::DriverHangs, name, what, remedy);
            return true;
        }
        (Socket::Dead(path), _) => {
            let remedy = format!(
                "a driver was killed: start it again (upsdrvctl start {name}); it takes the socket over"
            );
            report.add(FindingKind::DeadSocket, path, "no driver listens on this socket", remedy);
            return true;
        }
        (Socket::Mute, _) => {
            let remedy = format!("restart it: upsdrvctl stop {name}; upsdrvctl start {name}");
            report.add(FindingKind::DriverHangs, name, "its driver does not answer on its socket", remedy);
        }
        (Socket::Forbidden, _) => {
            report.note(name, "its driver's socket is not for you, and its port is not asked: run as root");
        }
        (Socket::Answers { stale: true, .. }, _) => {
            let remedy = format!(
                "check cable and UPS; to look at the line, stop the driver (upsdrvctl stop {name}) and run 'qxups doctor {name}' again"
            );
            report.add(
                FindingKind::StaleData,
                name,
                "the driver runs, but the UPS does not answer it",
                remedy,
            );
        }
        (Socket::Answers { status, .. }, _) => {
            report.note(name, format!("the driver runs and its data is fresh: {status}"));
        }
    }
    false
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
