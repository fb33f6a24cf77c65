//! The instance of a driver that runs already: its PID file, as NUT has it, and its socket, which is there
//! where that file could not be written.

use nix::unistd::Pid;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A PID file has one number in it.
const LONGEST: u64 = 64;

/// Where an instance leaves its traces.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The driver.
    pub program: &'static str,
    /// Its PID file.
    pub pid_file: PathBuf,
    /// Its socket.
    pub socket: PathBuf,
}

impl Instance {
    /// The process, if it runs and is this program: a number alone may belong to somebody else by now.
    pub fn running(&self) -> Option<Pid> {
        let is_other = |number: &i32| {
            *number > 1
                && u32::try_from(*number) != Ok(std::process::id())
                && is_program(*number, self.program)
        };
        let named = named_in(&self.pid_file).filter(is_other);
        named.or_else(|| listening_at(&self.socket).filter(is_other)).map(Pid::from_raw)
    }
}

/// The number in a PID file; whatever else lies there is no reason to hang, or to read for long.
fn named_in(path: &Path) -> Option<i32> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The process that listens at a socket, as the system knows it: it is not asked, so it may hang.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn listening_at(path: &Path) -> Option<i32> {
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt,
    };
    use std::os::fd::AsRawFd;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    connect(client.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    getsockopt(&client, sockopt::PeerCredentials).ok().map(|peer| peer.pid())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn listening_at(_path: &Path) -> Option<i32> {
    None
}

/// Whether a process runs this program, as far as `/proc` tells.
fn is_program(number: i32, program: &str) -> bool {
    let command = std::fs::read_to_string(format!("/proc/{number}/comm"));
    // the kernel keeps fifteen letters
    command.is_ok_and(|command| command.trim_end() == program.get(..15).unwrap_or(program))
}

/// A PID file. It is removed when this is dropped.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes our number, in place of whatever is there: a link is replaced, not followed.
    ///
    /// # Errors
    /// What the system says; then there is no file.
    pub fn write(path: PathBuf) -> io::Result<PidFile> {
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        // removed again when what follows fails: upsdrvctl would stumble over an empty one
        let written = PidFile(path);
        // upsdrvctl may run as another user than the driver
        file.set_permissions(Permissions::from_mode(0o644))?;
        writeln!(file, "{}", std::process::id())?;
        Ok(written)
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-instance-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = folder("none");
        assert!(PidFile::write(folder.join("no/such/place")).is_err());
        std::fs::create_dir(folder.join("taken")).unwrap();
        assert!(PidFile::write(folder.join("taken")).is_err());
        let path = folder.join("pid");
        let file = PidFile::write(path.clone()).unwrap();
        assert_eq!(named_in(&path), i32::try_from(std::process::id()).ok());
        drop(file);
        assert!(!path.exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_lies_in_its_place_is_replaced_and_neither_followed_nor_waited_for() {
        let folder = folder("planted");
        let (path, victim) = (folder.join("pid"), folder.join("victim"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        drop(PidFile::write(path.clone()).unwrap());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(named_in(&path), None, "a pipe has no number in it");
        drop(PidFile::write(path.clone()).unwrap());
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(named_in(&path), None);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn who_listens_is_known_without_being_asked() {
        let folder = folder("listens");
        let path = folder.join("socket");
        assert_eq!(listening_at(&path), None);
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listening_at(&path), i32::try_from(std::process::id()).ok());
        // somebody who never accepts is no reason to wait
        let clients: Vec<_> = std::iter::from_fn(|| listening_at(&path)).take(1000).collect();
        assert!(!clients.is_empty());
        drop(listener);
        assert_eq!(listening_at(&path), None, "nobody is there any more");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
