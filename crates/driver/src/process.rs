//! What makes a program a driver of NUT: its user, its root, the background.

use crate::config::ProcessConfig;
use crate::instance::{Instance, Pulse, is_there};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{
    ForkResult, Gid, Group, Pid, Uid, User, chown, chroot, fork, getgroups, initgroups, setgid, setgroups,
    setsid, setuid,
};
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Files and sockets are for the driver's user and group alone (NUT 2.8.0 drivers/dstate.c).
const UMASK: u32 = 0o007;
/// A running instance that received SIGTERM and says nothing for so long hangs, or was stopped.
pub const HANGS: Duration = Duration::from_secs(2);
/// How long one that answers may take to exit: it switches the load off first, if that was asked for, and that
/// has its own bound ([`qx::device::bounds::KILL`]).
pub(crate) const LEAVES: Duration = Duration::from_secs(65);
/// A process that was killed is gone within this, or the system cannot end it.
const DIES: Duration = Duration::from_secs(1);
/// Between two looks at it.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// The account that a driver is to run under.
#[derive(Debug)]
pub struct Account(Option<User>);

impl Account {
    /// Looks the account up. A user other than root stays the user.
    ///
    /// # Errors
    /// A sentence, when there is no such user.
    pub fn of(config: &ProcessConfig) -> Result<Account, String> {
        if !Uid::effective().is_root() {
            return Ok(Account(None));
        }
        match User::from_name(&config.user) {
            Ok(Some(user)) => Ok(Account(Some(user))),
            _ if config.user_was_named => {
                Err(format!("there is no user '{}': create it, or give another by -u", config.user))
            }
            _ => Err(format!(
                "the driver's user '{}' does not exist: create it, or give another by -u or 'user' in ups.conf",
                config.user
            )),
        }
    }

    /// That of the user who started the program.
    pub fn unchanged() -> Account {
        Account(None)
    }

    /// Becomes that user, for good.
    ///
    /// # Errors
    /// A sentence.
    pub fn become_it(&self) -> Result<(), String> {
        self.become_it_with(None)
    }

    /// The same, in one group more: that of a port, which a unit of systemd gives otherwise (`SupplementaryGroups`).
    ///
    /// # Errors
    /// A sentence.
    pub fn become_it_with(&self, group: Option<Gid>) -> Result<(), String> {
        umask(Mode::from_bits_truncate(UMASK));
        let Some(user) = &self.0 else { return Ok(()) };
        let name = CString::new(user.name.clone()).map_err(|_| "the user's name has a zero in it")?;
        let join = |group: Gid| setgroups(&[getgroups()?, vec![group]].concat());
        let switched = initgroups(&name, user.gid)
            .and_then(|()| group.map_or(Ok(()), join))
            .and_then(|()| setgid(user.gid))
            .and_then(|()| setuid(user.uid));
        switched.map_err(|error| format!("cannot become user '{}': {error}", user.name))
    }
}

/// The group that may use a port: of a device that root's own group does not have.
pub fn group_of_port(port: &Path) -> Option<Gid> {
    let about = std::fs::metadata(port).ok().filter(|about| about.file_type().is_char_device())?;
    let may_use = about.mode() & 0o060 == 0o060 && about.gid() != 0;
    may_use.then(|| Gid::from_raw(about.gid()))
}

/// Changes the root directory.
///
/// # Errors
/// A sentence.
pub fn change_root(root: &Path) -> Result<(), String> {
    let changed = chroot(root).map_err(std::io::Error::from).and_then(|()| std::env::set_current_dir("/"));
    changed.map_err(|error| format!("cannot change the root to {}: {error}", root.display()))
}

/// Gives the socket to a group, so that an upsd of that group can use it.
///
/// # Errors
/// A sentence.
pub fn give_to_group(path: &Path, group: &str) -> Result<(), String> {
    let gid = Group::from_name(group).ok().flatten().map(|group| group.gid);
    let gid: Gid = gid.ok_or_else(|| format!("there is no group '{group}': the socket keeps its group"))?;
    chown(path, None, Some(gid))
        .map_err(|error| format!("cannot give {} to group '{group}': {error}", path.display()))
}

/// Sends a signal to a running instance.
///
/// # Errors
/// A sentence.
pub fn signal(pid: Pid, signal: Signal) -> Result<(), String> {
    kill(pid, signal).map_err(|error| format!("cannot signal process {pid}: {error}"))
}

/// What became of a running instance that received SIGTERM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopResult {
    /// There was none.
    Absent,
    /// It left.
    Left,
    /// It did not, and was killed; the sentence says why.
    Killed(String),
    /// It is there still, and hangs; the sentence says so.
    Stays(String),
}

/// Ends a running instance, and waits until it has: for long while it answers, and for [`HANGS`] when
/// it does not. Then it is killed: its port is free by that, and what it keeps of the battery is whole
/// whenever it dies.
///
/// # Errors
/// A sentence, when it may not be signalled.
pub fn end(instance: &Instance) -> Result<StopResult, String> {
    let Some(pid) = instance.running() else { return Ok(StopResult::Absent) };
    signal(pid, Signal::SIGTERM).or_else(|why| if is_there(pid) { Err(why) } else { Ok(()) })?;
    let mut pulse = Pulse::new(instance.socket.clone(), pid);
    let (began, mut heard) = (Instant::now(), Instant::now());
    while is_there(pid) {
        if pulse.beats() {
            heard = Instant::now();
        }
        if heard.elapsed() >= HANGS {
            return Ok(kill_it(pid, &told(pid, &format!("does not answer for {} s", HANGS.as_secs()))));
        }
        if began.elapsed() >= LEAVES {
            return Ok(kill_it(pid, &told(pid, &format!("has not exited for {} s", LEAVES.as_secs()))));
        }
        std::thread::sleep(LOOK);
    }
    Ok(StopResult::Left)
}

fn told(pid: Pid, what: &str) -> String {
    format!("the running instance of this driver (process {pid}) received SIGTERM and {what}")
}

impl StopResult {
    /// What there is to say of it.
    pub(crate) fn sentence(&self) -> &str {
        match self {
            StopResult::Absent | StopResult::Left => "it has left",
            StopResult::Killed(why) | StopResult::Stays(why) => why,
        }
    }
}

/// Kills a process of which `what` is said.
pub(crate) fn kill_it(pid: Pid, what: &str) -> StopResult {
    match signal(pid, Signal::SIGKILL) {
        Err(why) if is_there(pid) => return StopResult::Stays(format!("{what}; {why}")),
        _ => {}
    }
    let began = Instant::now();
    while is_there(pid) {
        if began.elapsed() >= DIES {
            return StopResult::Stays(format!("{what}, and the system cannot end it"));
        }
        std::thread::sleep(LOOK);
    }
    StopResult::Killed(format!("{what}: it was killed"))
}

/// The parent's end of a driver that starts in the background: true means that it runs.
pub struct Readiness(Option<UnixStream>);

/// Which process this is after [`background`].
pub enum Side {
    /// The one that was started: it waits for the other one's word and exits with this code.
    Starter(ExitCode),
    /// The driver.
    Driver(Readiness),
}

/// Goes to the background. The process that was started stays until the driver says that it runs,
/// so that its caller sees success or failure.
///
/// # Errors
/// A sentence.
pub fn background() -> Result<Side, String> {
    let (ours, theirs) =
        UnixStream::pair().map_err(|error| format!("cannot go to the background: {error}"))?;
    // SAFETY: no thread was started and no runtime is built yet, so the child finds no lock held
    #[allow(unsafe_code)]
    let forked = unsafe { fork() }.map_err(|error| format!("cannot go to the background: {error}"))?;
    match forked {
        ForkResult::Parent { child } => {
            drop(theirs);
            let mut word = [0];
            let ready = (&ours).read(&mut word).is_ok_and(|read| read == 1);
            if !ready {
                let _ = waitpid(child, None);
            }
            Ok(Side::Starter(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
        }
        ForkResult::Child => {
            drop(ours);
            setsid().map_err(|error| format!("cannot go to the background: {error}"))?;
            Ok(Side::Driver(Readiness(Some(theirs))))
        }
    }
}

impl Readiness {
    /// For a driver in the foreground: no process waits.
    pub fn not_awaited() -> Readiness {
        Readiness(None)
    }

    /// Tells the process that waits that the driver runs, and lets go of the terminal.
    pub fn ready(&mut self) {
        if let Some(mut starter) = self.0.take() {
            // the starter may have been killed; the driver runs all the same
            let _ = starter.write_all(b"1");
            let _ = leave_terminal();
        }
    }
}

fn leave_terminal() -> std::io::Result<()> {
    let null: OwnedFd = File::options().read(true).write(true).open("/dev/null")?.into();
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    Ok(())
}
