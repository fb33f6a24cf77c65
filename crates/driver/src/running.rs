//! The driver of this UPS that runs already: what `-c` tells it, and how it makes way for a new one.

use crate::command_line::{CommandLine, ControlCommand};
use crate::instance::Instance;
use crate::process::{self, StopResult};
use crate::program::Fatal;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use station::log::{self, Log};
use std::process::ExitCode;

/// `-c`: tells it something.
pub(crate) fn give_order(
    instance: &Instance,
    line: &CommandLine,
    order: ControlCommand,
) -> Result<ExitCode, Fatal> {
    let absent = || match instance.server() {
        Some(pid) => format!(
            "the server (process {pid}) drives '{}': 'qxups reload' has it read ups.conf again, 'upsd -c stop' ends it",
            instance.ups
        ),
        None => format!("no driver runs for '{}'", instance.ups),
    };
    if order == ControlCommand::Exit && line.pid.is_none() {
        return match process::end(instance)? {
            StopResult::Left => Ok(ExitCode::SUCCESS),
            StopResult::Killed(why) => {
                log::last_words(instance.program, &why);
                Ok(ExitCode::SUCCESS)
            }
            StopResult::Stays(why) => Err(why),
            StopResult::Absent => Err(absent()),
        };
    }
    let pid = line.pid.map(Pid::from_raw).or_else(|| instance.running()).ok_or_else(absent)?;
    let meant = match order {
        ControlCommand::Exit => Signal::SIGTERM,
        ControlCommand::Reload => Signal::SIGHUP,
        ControlCommand::ReloadOrExit => Signal::SIGUSR1,
    };
    process::signal(pid, meant).map(|()| ExitCode::SUCCESS)
}

/// A server that drives this UPS serves its clients as well, and at the driver's socket those of upsd.
pub(crate) fn leave_to_server(instance: &Instance) -> Result<(), Fatal> {
    match instance.server() {
        Some(pid) => Err(format!(
            "the server (process {pid}) drives [{}] already; stop it first ('upsd -c stop') if this driver is to do that",
            instance.ups
        )),
        None => Ok(()),
    }
}

/// Ends the instances that run already: that of the socket, and that of the PID file.
pub(crate) fn end_others(instance: &Instance, log: &Log) -> Result<(), Fatal> {
    if let Some(other) = instance.other_process() {
        let (file, ups) = (instance.pid_file.display(), &instance.ups);
        log.warning(&format!(
            "{file} names process {other}, which is not the driver of [{ups}]: it is left alone"
        ));
    }
    for _ in 0..2 {
        match process::end(instance)? {
            StopResult::Absent => break,
            StopResult::Left => log.warning("stopped another running instance of this driver"),
            StopResult::Killed(why) => log.warning(&format!("{why}; going on alone")),
            StopResult::Stays(why) => {
                log.warning(&format!("{why}; going on alone, beside it"));
                break;
            }
        }
    }
    Ok(())
}
