//! The server that runs already, and what `-c` tells it.

use super::{ControlCommand, control};
use driver::instance::{is_server, is_there};
use driver::process;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

/// A PID file has one number in it.
const LONGEST: u64 = 64;

/// The server whose number is in this file, if it runs.
pub(super) fn found(path: &Path) -> Option<Pid> {
    let pid = named_in(path)?;
    let is_other = u32::try_from(pid.as_raw()) != Ok(std::process::id());
    (is_other && is_there(pid) && is_server(pid)).then_some(pid)
}

/// Whether this user may not see if the file is there, or not read it.
fn is_closed(path: &Path) -> bool {
    let open = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path);
    open.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

fn named_in(path: &Path) -> Option<Pid> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().filter(|number| *number > 1).map(Pid::from_raw)
}

/// `-c`: sends a signal, as upsd does; but a reload is waited for, and what came of it is said.
///
/// # Errors
/// A sentence.
pub(super) fn give_order(path: &Path, pid: Option<i32>, order: ControlCommand) -> Result<ExitCode, String> {
    let pid = pid.map(Pid::from_raw);
    let signal = match order {
        ControlCommand::Reload => {
            if let Some(done) = control::reload(&control::place(path), pid) {
                return done.map(|_| ExitCode::SUCCESS);
            }
            Signal::SIGHUP
        }
        ControlCommand::Stop => Signal::SIGTERM,
    };
    let pid = pid.or_else(|| found(path)).ok_or_else(|| match is_closed(path) {
        true => format!(
            "cannot look for a server at {}: permission denied; run this as root, or as the server's user",
            path.display()
        ),
        false => format!("no server runs, by {}; name its process by -P", path.display()),
    })?;
    process::signal(pid, signal).map(|()| ExitCode::SUCCESS)
}

/// Has the server reload that has this PID file: what came of it.
///
/// # Errors
/// Why it goes on as before, or that none runs.
pub(super) fn reload(path: &Path) -> Result<String, String> {
    answered(path, control::reload(&control::place(path), None))
}

/// What the notifications of the server do that has this PID file.
///
/// # Errors
/// That none runs, or that it is not heard.
pub(super) fn timers(path: &Path) -> Result<String, String> {
    answered(path, control::timers(&control::place(path)))
}

/// What would happen to the hosts of the server that has this PID file, if mains failed now.
///
/// # Errors
/// That none runs, or that it is not heard.
pub(super) fn plan(path: &Path) -> Result<String, String> {
    answered(path, control::plan(&control::place(path)))
}

fn answered(path: &Path, answer: Option<Result<String, String>>) -> Result<String, String> {
    match (answer, found(path)) {
        (Some(done), _) => done,
        (None, Some(pid)) => Err(format!(
            "the server (process {pid}) is not heard at {}; run this as its user or as root, or send it SIGHUP and read its log",
            control::place(path).display()
        )),
        // not there, and not to be seen, are two things
        (None, None) if is_closed(path) => Err(format!(
            "cannot look for a server at {}: permission denied; run this with sudo, or as the server's user",
            path.display()
        )),
        (None, None) => Err(format!(
            "no server runs, as far as {} tells; start it (qxups serve), or name the folder of its PID file",
            path.display()
        )),
    }
}
