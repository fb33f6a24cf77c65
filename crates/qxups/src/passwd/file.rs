//! upsd.users, changed as a whole.

use crate::conf_file::{ConfFile, NewFile};
use nut::words::{SplitLine, lines};
use std::io;
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// A sentence.
pub fn read(path: &Path) -> Result<ConfFile, String> {
    ConfFile::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "{0} is not there; create it for the server's user: install -m 640 -g nut /dev/null {0}",
            path.display()
        ),
        _ => format!("cannot read {}: {error}; run this as the owner of the file", path.display()),
    })
}

/// Files of NUT and of qxups that have users of upsd neither.
const OTHERS: [&str; 7] =
    ["ups.conf", "upsd.conf", "upsmon.conf", "upssched.conf", "nut.conf", "hosts.conf", "qxups.toml"];
/// What begins lines of those, and no line of upsd.users.
const OF_OTHERS: [&str; 12] = [
    "driver",
    "port",
    "desc",
    "maxretry",
    "listen",
    "maxage",
    "maxconn",
    "statepath",
    "monitor",
    "minsupplies",
    "shutdowncmd",
    "mode",
];

/// Whether a file is one of users: a hash in another would protect nothing, and be read as something else.
///
/// # Errors
/// A sentence.
pub fn check_kind(path: &Path, text: &[u8]) -> Result<(), String> {
    let is_other = |name: &str| path.file_name().is_some_and(|is| is == name);
    let first = |line: &SplitLine| {
        let word = line.words.as_ref().ok().and_then(|words| words.first().cloned()).unwrap_or_default();
        word.split('=').next().unwrap_or_default().to_ascii_lowercase()
    };
    let foreign = lines(text).into_iter().find(|line| OF_OTHERS.contains(&first(line).as_str()));
    let why = match (OTHERS.into_iter().find(|name| is_other(name)), foreign) {
        (Some(name), _) => format!("{name} has no users"),
        (None, Some(line)) => format!("line {} ({}) is none of upsd.users", line.number, first(&line)),
        (None, None) => return Ok(()),
    };
    Err(format!(
        "{}: {why}, so no password is written into it; name upsd.users, such as {}",
        path.display(),
        path.with_file_name("upsd.users").display()
    ))
}

/// Changes a file; what `edit` says beside the new text is returned.
///
/// # Errors
/// A sentence; then the file is as before.
pub fn change<T>(path: &Path, edit: impl FnOnce(&[u8]) -> Result<(Vec<u8>, T), String>) -> Result<T, String> {
    let file = read(path)?;
    let (new, said) = edit(&file.text)?;
    // it is there already
    let written = file.draft(&new, NewFile { mode: 0o600, group: None }).and_then(|draft| draft.put());
    written.map(|()| said).map_err(|error| {
        format!(
            "cannot write {}: {error}; run this as root, or as the owner of file and folder who is in the file's group",
            file.path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    #[test]
    fn owner_and_mode_stay_and_a_failure_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("qxups-passwd-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (path, link) = (folder.join("real"), folder.join("upsd.users"));
        std::fs::write(&path, "before").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let is_root = fchown(File::open(&path).unwrap(), Some(65534), Some(65533)).is_ok();
        let owner = |path: &Path| path.metadata().map(|of| (of.uid(), of.gid(), of.mode() & 0o7777)).unwrap();
        let known = owner(&path);
        assert_eq!(change(&link, |text| Ok(([text, b" after"].concat(), 7))), Ok(7));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before after");
        assert_eq!(owner(&path), known);
        assert!(link.is_symlink() && (!is_root || known.0 == 65534));
        assert_eq!(change::<()>(&link, |_| Err("no".into())), Err("no".into()));
        // who else writes meanwhile loses nothing
        let crossed = change(&link, |_| {
            std::fs::write(&path, "by another").unwrap();
            Ok((b"ours".to_vec(), ()))
        });
        assert!(crossed.unwrap_err().contains("another program"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "by another");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "no draft stays behind");
        assert!(change(&folder.join("none"), |_| Ok((vec![], ()))).unwrap_err().contains("install"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
