//! The server that runs already, and what `-c` tells it.

use super::Order;
use driver::instance::is_there;
use driver::process;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

/// A PID file has one number in it.
const LONGEST: u64 = 64;
/// What a server may be called by: a file may name any process by now.
const NAMES: [&str; 2] = ["upsd", "qxups"];

/// The server whose number is in this file, if it runs.
pub(super) fn found(path: &Path) -> Option<Pid> {
    let pid = named_in(path)?;
    let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let is_other = u32::try_from(pid.as_raw()) != Ok(std::process::id());
    (is_other && is_there(pid) && NAMES.contains(&command.trim_end())).then_some(pid)
}

fn named_in(path: &Path) -> Option<Pid> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().filter(|number| *number > 1).map(Pid::from_raw)
}

/// `-c`: sends a signal, as upsd does.
///
/// # Errors
/// A sentence.
pub(super) fn give_order(path: &Path, pid: Option<i32>, order: Order) -> Result<ExitCode, String> {
    let signal = match order {
        Order::Reload => Signal::SIGHUP,
        Order::Stop => Signal::SIGTERM,
    };
    let pid = pid
        .map(Pid::from_raw)
        .or_else(|| found(path))
        .ok_or_else(|| format!("no server runs, by {}; name its process by -P", path.display()))?;
    process::signal(pid, signal).map(|()| ExitCode::SUCCESS)
}
