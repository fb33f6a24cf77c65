//! A reload of the driver: `ups.conf` is read again. What the start would refuse is refused, and a driver that
//! works goes on with what it has.

use crate::config::{Paths, ProcessConfig};
use crate::program::{Driver, Fatal, Loaded};
use link::{Address, check_terminal};
use nix::unistd::User;
use station::{Reloaded, Station};

impl Driver {
    /// Reads ups.conf again and takes what can change while the driver runs. True when something else
    /// changed, which needs a restart; says so in the log.
    pub(crate) fn reload(&self, station: &Station) -> bool {
        self.supervisor.reloading();
        let read = self.load();
        self.supervisor.ready();
        let done = read.and_then(|read| self.take(read, station));
        let unused = matches!(done, Ok(Reloaded::NeedsRestart));
        match done {
            Ok(Reloaded::Unchanged) => self.log.info("reload: nothing changed in ups.conf"),
            Ok(Reloaded::InUse) => self.log.info("reload: ups.conf changed, and is in use now"),
            Ok(Reloaded::NeedsRestart) => {
                self.log.warning("reload: ups.conf changed; restart this driver to use it");
            }
            Err(sentence) => self.log.warning(&format!("reload: {sentence}; going on as before")),
        }
        unused
    }

    fn take(&self, read: Loaded, station: &Station) -> Result<Reloaded, Fatal> {
        let mut current = self.loaded.borrow_mut();
        if *current == read {
            return Ok(Reloaded::Unchanged);
        }
        station.check(&read.configuration.ups)?;
        check(&current, &read)?;
        if current.process != read.process {
            return Ok(Reloaded::NeedsRestart);
        }
        let reloaded = station.reload(read.configuration.ups.clone())?;
        if reloaded != Reloaded::NeedsRestart {
            *current = read;
            // what has changed for the station, or only a hint
            return Ok(Reloaded::InUse);
        }
        Ok(reloaded)
    }
}

/// Looks whether a driver that was configured like this would start, as far as that is known without trying.
fn check(before: &Loaded, after: &Loaded) -> Result<(), Fatal> {
    let ProcessConfig { user, chroot, statepath, .. } = &after.process;
    // a driver in a root of its own sees other files than its next start
    if chroot.is_some() || before.process.chroot.is_some() {
        return Ok(());
    }
    if *user != before.process.user && !matches!(User::from_name(user), Ok(Some(_))) {
        return Err(format!("there is no user '{user}': create it, or take 'user' out of ups.conf"));
    }
    if *statepath != before.process.statepath {
        let state = Paths::from_environment().with_statepath(statepath.as_ref()).state;
        if !state.is_dir() {
            let state = state.display();
            return Err(format!("there is no state directory {state}: create it for user '{user}'"));
        }
    }
    let address = |loaded: &Loaded| loaded.configuration.ups.opening.address.clone();
    match address(after) {
        Address::Serial(port) if address(after) != address(before) => {
            check_terminal(&port).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}
