//! Writing: all texts are on the disk before the first file is put in place.

use super::folder::ConfFolder;
use super::plan::FileChange;
use crate::conf_file::ConfDraft;
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};

/// Writes all files, or none.
///
/// # Errors
/// A sentence, with the files that were put in place where that went wrong half way.
pub fn all(folder: &ConfFolder, changes: &[FileChange<'_>]) -> Result<(), String> {
    if !folder.is_there {
        make_folder(folder).map_err(|error| cannot(&folder.path.display(), &error))?;
    }
    let done = files(folder, changes);
    if done.is_err() && !folder.is_there {
        // it is empty, unless something else was put there
        let _ = std::fs::remove_dir(&folder.path);
    }
    done
}

fn files(folder: &ConfFolder, changes: &[FileChange<'_>]) -> Result<(), String> {
    let mut drafts: Vec<(String, ConfDraft<'_>)> = vec![];
    for change in changes {
        let name = change.before.path.display().to_string();
        let draft = change.before.draft(&change.text, folder.new).map_err(|error| cannot(&name, &error))?;
        drafts.push((name, draft));
    }
    for (name, draft) in &drafts {
        draft.check().map_err(|error| cannot(name, &error))?;
    }
    let mut written: Vec<String> = vec![];
    for (name, draft) in drafts {
        draft.put().map_err(|error| match written.is_empty() {
            true => cannot(&name, &error),
            false => format!("{}: {} is written, and no more", reason(&name, &error), written.join(", ")),
        })?;
        written.push(name);
    }
    Ok(())
}

fn cannot(what: &dyn std::fmt::Display, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "; run it with sudo, or name a folder of your own",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on the disk",
        _ => "",
    };
    format!("{}{remedy}; nothing is written", reason(what, error))
}

fn reason(what: &dyn std::fmt::Display, error: &io::Error) -> String {
    format!("cannot write {what}: {error}")
}

/// The folder, which who may not read its files need not enter.
fn make_folder(folder: &ConfFolder) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o750).create(&folder.path)?;
    match folder.new.group {
        Some(group) => chown(&folder.path, None, Some(group)),
        None => Ok(()),
    }
}
