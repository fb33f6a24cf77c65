//! A disk of a test's own, in a mount namespace that only root may have: the test runs in it, as a program of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The disk of a file system that can stand still.
pub const EXT4: &str = "truncate -s 24M \"$DISK\".image && mkfs.ext4 -q \"$DISK\".image && mount -o loop \"$DISK\".image \"$DISK\"";

/// In this variable the test finds its disk.
const DISK: &str = "QXUPS_TEST_DISK";

/// Where the disk is, within a test that runs on one. Before that it runs the test on a disk that these commands of a shell
/// make at `folder` (`$DISK`), and returns none when it has ended well, or could not be run.
pub fn on_a_disk(test: &str, folder: &Path, commands: &str) -> Option<PathBuf> {
    if let Some(disk) = std::env::var_os(DISK) {
        return Some(disk.into());
    }
    std::fs::create_dir_all(folder).unwrap();
    let inside = format!("DISK=\"${DISK}\"; {commands} && exec \"$0\" {test} --exact --nocapture");
    let outcome = Command::new("unshare")
        .args(["--mount", "sh", "-c", &inside])
        .arg(std::env::current_exe().unwrap())
        .env(DISK, folder)
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    let _ = std::fs::remove_file(folder.with_extension("image"));
    if !outcome.status.success() && said.contains("unshare failed") {
        let _ = writeln!(std::io::stderr(), "left out: only root may mount a disk");
        return None;
    }
    assert!(outcome.status.success(), "{said}");
    // it has run, and not only been left out by its name
    assert!(said.contains("1 passed"), "{said}");
    None
}

/// A disk that answers no write until it is thawed, as a card does that no longer answers.
pub struct Frozen<'p>(&'p Path);

impl Frozen<'_> {
    /// Writes wait in the kernel from now on, without an error.
    pub fn new(disk: &Path) -> Frozen<'_> {
        assert!(Command::new("fsfreeze").arg("-f").arg(disk).status().unwrap().success());
        Frozen(disk)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").arg("-u").arg(self.0).status();
    }
}
