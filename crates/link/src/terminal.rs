//! Whether a path leads to a terminal, which is what a serial line is to the system.

use crate::error::{LinkError, LinkErrorKind};
use nix::sys::stat::{major, minor};
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Pseudo-terminals have these major numbers on Linux (Documentation/admin-guide/devices.txt), and no entry
/// in sysfs.
const PSEUDO_TERMINALS: std::ops::RangeInclusive<u64> = 136..=143;

/// Looks whether there is a terminal, without opening anything: to open some devices is an order to them (a
/// watchdog begins to count).
///
/// # Errors
/// [`LinkErrorKind::Unsuitable`] for anything else, and what the system says when there is nothing at all.
pub fn check_terminal(path: &Path) -> Result<(), LinkError> {
    let meta =
        path.metadata().map_err(|error| LinkError::while_opening(&path.display().to_string(), &error))?;
    match other_kind(&meta) {
        None => Ok(()),
        Some(what) => Err(no_terminal(path, what)),
    }
}

/// What is said of a path that leads to something else.
pub(crate) fn no_terminal(path: &Path, what: &str) -> LinkError {
    let why = format!("{} is not a serial port but {what}; name one such as /dev/ttyS0", path.display());
    LinkError::new(LinkErrorKind::Unsuitable, why)
}

/// What it is, when it is known to be no terminal.
fn other_kind(meta: &Metadata) -> Option<&'static str> {
    let kind = meta.file_type();
    if kind.is_dir() {
        return Some("a directory");
    }
    if kind.is_file() {
        return Some("a file");
    }
    if kind.is_fifo() {
        return Some("a pipe");
    }
    if kind.is_socket() {
        return Some("a socket");
    }
    if kind.is_block_device() {
        return Some("a disk or the like");
    }
    let (major, minor) = (major(meta.rdev()), minor(meta.rdev()));
    if PSEUDO_TERMINALS.contains(&major) {
        return None;
    }
    // where the system does not say, the line will tell when it is set
    let class = std::fs::read_link(format!("/sys/dev/char/{major}:{minor}/subsystem")).ok()?;
    class.file_name().is_some_and(|class| class != "tty").then_some("a device of another kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_from_all_else() {
        let folder = std::env::temp_dir().join(format!("qxups-terminal-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        std::fs::write(&file, "").unwrap();
        let link = folder.join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for (path, what) in [
            (Path::new("/dev/null"), "is not a serial port but a device of another kind"),
            (Path::new("/dev/zero"), "of another kind"),
            (&link, "link is not a serial port but a device of another kind"),
            (&file, "a file"),
            (&folder, "a directory"),
            (Path::new("/no/such/port"), "cannot open /no/such/port"),
        ] {
            let error = check_terminal(path).unwrap_err();
            assert!(error.sentence.contains(what), "{error}");
        }
        let pair = nix::pty::openpty(None, None).unwrap();
        let port = nix::unistd::ttyname(&pair.slave).unwrap();
        assert_eq!(check_terminal(&port), Ok(()), "{}", port.display());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
