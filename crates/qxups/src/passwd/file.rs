//! A file that is changed as a whole: it is the former or the new one at any moment, with its owner and mode.

use link::read_bounded;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// No upsd.users is longer, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What is in a file, and what it is.
///
/// # Errors
/// A sentence.
pub fn read(path: &Path) -> Result<(Vec<u8>, Metadata), String> {
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "{0} is not there; create it for the server's user: install -m 640 -g nut /dev/null {0}",
            path.display()
        ),
        _ => format!("cannot read {}: {error}; run this as the owner of the file", path.display()),
    };
    let text = read_bounded(path, LONGEST).map_err(said)?;
    Ok((text, path.metadata().map_err(said)?))
}

/// Changes a file; what `edit` says beside the new text is returned.
///
/// # Errors
/// A sentence; then the file is as before.
pub fn change<T>(path: &Path, edit: impl FnOnce(&[u8]) -> Result<(Vec<u8>, T), String>) -> Result<T, String> {
    // a link stays one
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (text, known) = read(&path)?;
    let (new, said) = edit(&text)?;
    let draft = draft(&path);
    let written = write(&path, &draft, &new, &known);
    if let Err(error) = written {
        let _ = std::fs::remove_file(&draft);
        return Err(format!(
            "cannot write {}: {error}; run this as root, or as the owner of file and folder who is in the file's group",
            path.display()
        ));
    }
    Ok(said)
}

fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn write(path: &Path, draft: &Path, text: &[u8], known: &Metadata) -> io::Result<()> {
    // for its owner alone until it is as the former one
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (known.uid(), known.gid()) {
        fchown(&file, Some(known.uid()), Some(known.gid()))?;
    }
    file.set_permissions(known.permissions())?;
    file.write_all(text)?;
    file.sync_all()?;
    let now = path.metadata()?;
    let stamp = |of: &Metadata| (of.ino(), of.len(), of.mtime(), of.mtime_nsec());
    if stamp(&now) != stamp(known) {
        return Err(io::Error::other("another program changed it meanwhile"));
    }
    std::fs::rename(draft, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

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
