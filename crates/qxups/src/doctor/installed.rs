//! What is installed: drivers, their user, their state directory.

use super::finding::{FindingKind, Report};
use super::running::NoServer;
use super::system::{Process, System, SystemUser};
use super::watched::WatchedConf;
use station::driver_kind::DriverKind;
use std::path::Path;

/// What our drivers, and no others, say of themselves.
const OURS: &[u8] = b"a drop-in for Network UPS Tools";

/// No driver is longer, in bytes.
const LONGEST_PROGRAM: u64 = 256 * 1024 * 1024;

/// Looks at the drivers that sections name. Those of ours are parts of a server that runs.
pub fn drivers(system: &System, plan: &WatchedConf, server: &Result<Process, NoServer>, report: &mut Report) {
    for (name, path) in &plan.drivers {
        let is_part = DriverKind::of_program(Some(path.as_os_str())).is_some();
        let may_serve = matches!(server, Ok(_) | Err(NoServer::Hidden));
        if is_part && may_serve && !path.exists() {
            continue;
        }
        let Ok(program) = link::read_bounded(path, LONGEST_PROGRAM) else {
            let what = format!("its driver {} is not there", path.display());
            let remedy = match is_part {
                true => {
                    "check 'driverpath' in ups.conf, and which packages are installed; or start 'qxups serve', which needs no driver beside it"
                }
                false => "check 'driver' and 'driverpath' in ups.conf, and which NUT packages are installed",
            };
            report.add(FindingKind::NoSuchDriver, name, what, remedy);
            continue;
        };
        if !is_part {
            continue;
        }
        let is_ours = program.windows(OURS.len()).any(|window| window == OURS);
        let whose = if is_ours { "is that of qxups" } else { "is NUT's own" };
        let diverted = system.diverted_to(path).map(|to| format!(", NUT's is diverted to {to}"));
        report.note(path.display(), format!("{whose}{}", diverted.unwrap_or_default()));
    }
}

/// The users that the drivers run as.
pub fn users(system: &System, plan: &WatchedConf, report: &mut Report) {
    let mut seen: Vec<&str> = vec![];
    for watched in &plan.watched {
        let name = watched.process.user.as_str();
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match system.user(name) {
            Some(user) => state_directory(&system.nut.state, &user, report),
            None => {
                let what = format!("the driver's user '{name}' does not exist");
                let remedy =
                    format!("create it (useradd --system {name}), or name another by 'user' in ups.conf");
                report.add(FindingKind::NoUser, &watched.name, what, remedy);
            }
        }
    }
}

fn state_directory(path: &Path, user: &SystemUser, report: &mut Report) {
    let remedy = format!("install -d -o {0} -g {0} -m 770 {1}", user.name, path.display());
    match path.metadata() {
        Err(error) => {
            let what = format!("the state directory cannot be used ({error})");
            report.add(FindingKind::StateDirectory, path.display(), what, format!("make it: {remedy}"));
        }
        Ok(meta) if !meta.is_dir() => {
            report.add(
                FindingKind::StateDirectory,
                path.display(),
                "is no directory",
                "set NUT_STATEPATH right",
            );
        }
        Ok(meta) if !user.may_use(&meta) => {
            let what = format!("the driver's user '{}' may not write there", user.name);
            report.add(FindingKind::StateDirectory, path.display(), what, format!("give it away: {remedy}"));
        }
        Ok(_) => {}
    }
}
