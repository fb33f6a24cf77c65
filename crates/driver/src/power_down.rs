//! The flag of a shutdown that ends with loads switched off: for `qxups killpower`, which acts when the server is gone.
//!
//! It lies in the state directory (`/run/nut`), which stays until the machine is off and is empty after the next start. Where
//! that directory is on a disk, the flag names the start of the machine that it belongs to, so that no other one acts by it.
//! It is raised when there is no way back any more, and lowered where there is one after all; a server that is stopped in
//! the shutdown leaves it.

use station::memory::{MemoryFile, NewerMemory};
use std::io;
use std::path::Path;

/// What its first line says.
const HEAD: &str = "qxups-powerdown 1";
/// What its last line says: a file without it is torn.
const END: &str = "end";
/// Where Linux says which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the flag says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PowerDown {
    /// There is none: no shutdown is under way.
    NotRaised,
    /// It is of an earlier start of the machine, so it means nothing now.
    OfAnotherBoot,
    /// What is there is no flag, or not whole.
    NotUnderstood,
    /// A newer program raised it.
    Newer(NewerMemory),
    /// The loads of these UPSes are to go off, in this order.
    Raised(Vec<String>),
}

/// The flag, in a state directory.
#[derive(Clone, Debug)]
pub struct PowerDownFlag {
    file: MemoryFile,
    /// Which start of the machine this is; none where the system does not tell.
    boot: Option<String>,
}

impl PowerDownFlag {
    /// That of a state directory ([`crate::config::Paths`]' `state`).
    pub fn of(state: &Path) -> PowerDownFlag {
        let boot = std::fs::read_to_string(BOOT_ID).ok().map(|text| text.trim().to_owned());
        PowerDownFlag { file: MemoryFile::of_power_down(state), boot: boot.filter(|boot| !boot.is_empty()) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Raises it for the UPSes of these names: whatever becomes of this process, their loads are switched off at the end of
    /// the shutdown.
    ///
    /// # Errors
    /// What the system says: then no load is switched off by it. A name with a line's end in it is refused.
    pub fn raise<'n>(&self, upses: impl IntoIterator<Item = &'n str>) -> io::Result<()> {
        let boot = self.boot.as_deref().ok_or_else(|| {
            io::Error::other(format!(
                "cannot read {BOOT_ID}, so a later start could not tell whose flag it is"
            ))
        })?;
        let mut text = format!("{HEAD}\nboot {boot}\n");
        for name in upses {
            if name.is_empty() || name.contains(['\n', '\r']) {
                return Err(io::Error::other(format!("{name:?} is no name of a UPS")));
            }
            text += &format!("ups {name}\n");
        }
        self.file.write(&format!("{text}{END}\n"))
    }

    /// Lowers it: no shutdown is under way any more.
    ///
    /// # Errors
    /// What the system says; that there is none is no error.
    pub fn lower(&self) -> io::Result<()> {
        self.file.forget()
    }

    /// What it says.
    pub fn read(&self) -> PowerDown {
        match self.file.read() {
            Some(text) => self.understand(&text),
            None => match self.file.newer() {
                Some(newer) => PowerDown::Newer(newer),
                None if self.path().symlink_metadata().is_ok() => PowerDown::NotUnderstood,
                None => PowerDown::NotRaised,
            },
        }
    }

    fn understand(&self, text: &str) -> PowerDown {
        let body = text.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix("\nboot "));
        let body = body.and_then(|rest| rest.strip_suffix(&format!("{END}\n")));
        let Some((boot, rows)) = body.and_then(|body| body.split_once('\n')) else {
            return PowerDown::NotUnderstood;
        };
        if Some(boot) != self.boot.as_deref() {
            return PowerDown::OfAnotherBoot;
        }
        let names: Option<Vec<String>> =
            rows.lines().map(|row| row.strip_prefix("ups ").map(str::to_owned)).collect();
        match names {
            Some(names) if !names.is_empty() && rows.ends_with('\n') => PowerDown::Raised(names),
            _ => PowerDown::NotUnderstood,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(name: &str, boot: Option<&str>) -> PowerDownFlag {
        let folder = std::env::temp_dir().join(format!("qxups-powerdown-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        PowerDownFlag { file: MemoryFile::of_power_down(&folder), boot: boot.map(Into::into) }
    }

    #[test]
    fn what_is_raised_is_read_by_the_same_boot_alone() {
        let this = flag("raised", Some("one"));
        assert_eq!(this.read(), PowerDown::NotRaised);
        this.raise(["rack", "cellar 2"]).unwrap();
        assert_eq!(this.read(), PowerDown::Raised(vec!["rack".into(), "cellar 2".into()]));
        assert_eq!(flag("raised", Some("two")).read(), PowerDown::OfAnotherBoot);
        assert_eq!(flag("raised", None).read(), PowerDown::OfAnotherBoot);
        this.lower().unwrap();
        this.lower().unwrap();
        assert_eq!(this.read(), PowerDown::NotRaised);
        assert!(flag("raised", None).raise(["rack"]).is_err());
        assert!(this.raise(["rack\nups other"]).is_err() && this.read() == PowerDown::NotRaised);
        std::fs::remove_dir_all(this.path().parent().unwrap()).unwrap();
    }

    /// A flag that was written in part, or is something else, switches nothing off.
    #[test]
    fn every_part_of_a_flag_is_none() {
        let this = flag("torn", Some("one"));
        this.raise(["rack", "cellar"]).unwrap();
        let whole = std::fs::read_to_string(this.path()).unwrap();
        for end in 0..whole.len() {
            std::fs::write(this.path(), &whole[..end]).unwrap();
            assert_eq!(this.read(), PowerDown::NotUnderstood, "{end}");
        }
        for other in ["upsmon-shutdown-file", "qxups-powerdown 1\nboot one\nend\n"] {
            std::fs::write(this.path(), other).unwrap();
            assert_eq!(this.read(), PowerDown::NotUnderstood, "{other}");
        }
        let newer = "qxups-powerdown 2\nboot one\nups a\nend\n";
        std::fs::write(this.path(), newer).unwrap();
        assert!(matches!(this.read(), PowerDown::Newer(_)));
        assert_eq!(std::fs::read_to_string(this.path()).unwrap(), newer);
        std::fs::write(this.path(), include_str!("../../testbed/state/powerdown-1")).unwrap();
        assert_eq!(this.read(), PowerDown::Raised(vec!["rack".into(), "cellar 2".into()]));
        std::fs::remove_file(this.path()).unwrap();
        std::os::unix::fs::symlink("/dev/zero", this.path()).unwrap();
        assert_eq!(this.read(), PowerDown::NotUnderstood);
        std::fs::remove_dir_all(this.path().parent().unwrap()).unwrap();
    }
}
