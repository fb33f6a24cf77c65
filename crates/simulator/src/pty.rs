//! The end on a pseudo-terminal, which looks to a driver like a serial port.

use crate::end::SharedUps;
use crate::end::{LineLost, SimulatorLine, serve};
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

/// A pseudo-terminal. The side of the driver is kept open here, so that a driver may come and go.
pub struct Pty {
    master: AsyncFd<PtyMaster>,
    _slave: File,
    path: PathBuf,
    link: Option<PathBuf>,
    claim: Option<UnixDatagram>,
}

/// Any user may run the driver of a simulated UPS: NUT's drivers run as a user of their own.
const MODE: u32 = 0o666;

impl Pty {
    /// Opens one that every user may open; `link` is made to point at it, which keeps its name when it hangs up
    /// and returns. Needs a tokio runtime.
    ///
    /// # Errors
    /// What the system says; another simulator has that link.
    pub fn open(link: Option<&Path>) -> io::Result<Pty> {
        let claim = link.map(claim).transpose()?;
        Pty::open_claimed(link, claim)
    }

    fn open_claimed(link: Option<&Path>, claim: Option<UnixDatagram>) -> io::Result<Pty> {
        // closed in programs that are started from here: a master that they held could not hang up
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(ptsname_r(&master)?);
        let noctty = OFlag::O_NOCTTY.bits();
        let slave = OpenOptions::new().read(true).write(true).custom_flags(noctty).open(&path)?;
        let mut modes = tcgetattr(&slave)?;
        slave.set_permissions(Permissions::from_mode(MODE))?;
        cfmakeraw(&mut modes);
        tcsetattr(&slave, SetArg::TCSANOW, &modes)?;
        if let Some(link) = link {
            // only what is a link, as an older one of ours is: anything else is not ours
            match std::fs::symlink_metadata(link) {
                Ok(there) if there.file_type().is_symlink() => std::fs::remove_file(link)?,
                Ok(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::AlreadyExists,
                        format!("{} is no link", link.display()),
                    ));
                }
                Err(_) => {}
            }
            std::os::unix::fs::symlink(&path, link).map_err(|error| {
                let text = format!(
                    "cannot make the link {}: {error}; name one in a folder of yours",
                    link.display()
                );
                io::Error::new(error.kind(), text)
            })?;
        }
        // SAFETY: the master owns its descriptor, and is owned and never replaced by the AsyncFd
        #[allow(unsafe_code)]
        let master = unsafe { AsyncFd::register(master) }?;
        Ok(Pty { master, _slave: slave, path, link: link.map(Path::to_path_buf), claim })
    }

    /// What a driver is to open.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// The pseudo-terminal itself, such as `/dev/pts/3`: another one after each hang-up.
    pub fn terminal(&self) -> &Path {
        &self.path
    }
}

/// Holds the name of a link as long as it lives, and no longer, however its process ends: a name that only the
/// kernel keeps. The link itself tells nothing: what it points at may be another program's terminal by now.
fn claim(link: &Path) -> io::Result<UnixDatagram> {
    let folder = link.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = folder.canonicalize()?.join(link.file_name().unwrap_or_default());
    // such a name has 107 bytes at most
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let address = SocketAddr::from_abstract_name(format!("qxups-sim-link-{:016x}", hasher.finish()))?;
    UnixDatagram::bind_addr(&address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            let text = format!(
                "{} belongs to another simulator that runs; end that one, or name another link",
                link.display()
            );
            io::Error::new(error.kind(), text)
        }
        _ => error,
    })
}

impl Drop for Pty {
    fn drop(&mut self) {
        // not one that another program has put there meanwhile
        if let Some(link) =
            self.link.as_ref().filter(|link| std::fs::read_link(link).is_ok_and(|to| to == self.path))
        {
            let _ = std::fs::remove_file(link);
        }
    }
}

impl SimulatorLine for Pty {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            if let Ok(read) = ready.try_io(|master| master.get_ref().read(buffer)) {
                return read;
            }
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.master.writable().await?;
            if let Ok(written) = ready.try_io(|master| master.get_ref().write(bytes)) {
                bytes = &bytes[written?..];
            }
        }
        Ok(())
    }
}

/// Serves the UPS on a pseudo-terminal, for ever.
///
/// # Errors
/// What the system says when it has no pseudo-terminal.
pub async fn run(shared: &SharedUps, mut pty: Pty) -> io::Result<()> {
    loop {
        let (link, claim) = (pty.link.clone(), pty.claim.take());
        match serve(shared, &mut pty).await {
            LineLost::HangUp(time) => {
                drop(pty);
                sleep(time).await;
            }
            LineLost::Gone => drop(pty),
        }
        pty = Pty::open_claimed(link.as_deref(), claim)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(pty: &Pty) -> u32 {
        std::fs::metadata(pty.path()).unwrap().permissions().mode() & 0o777
    }

    /// NUT's driver runs as its own user, who is neither who started the simulator nor in group tty.
    #[tokio::test]
    async fn every_user_may_open_it() {
        let link = std::env::temp_dir().join(format!("qxups-pty-mode-{}", std::process::id()));
        let pty = Pty::open(Some(&link)).unwrap();
        assert_eq!(mode(&pty), 0o666);
        drop(pty);
        assert_eq!(mode(&Pty::open(None).unwrap()), 0o666);
    }

    #[tokio::test]
    async fn a_link_has_one_simulator() {
        let link = std::env::temp_dir().join(format!("qxups-pty-claim-{}", std::process::id()));
        // left behind by one that was killed
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let first = Pty::open(Some(&link)).unwrap();
        let to = std::fs::read_link(&link).unwrap();
        let why = Pty::open(Some(&link)).err().unwrap().to_string();
        assert!(why.contains("another simulator") && why.contains(link.to_str().unwrap()), "{why}");
        assert_eq!(std::fs::read_link(&link).unwrap(), to, "it leads where it led");
        drop(first);
        assert!(link.symlink_metadata().is_err(), "it goes with its simulator");
        // nor is one taken away that is somebody else's by now
        let second = Pty::open(Some(&link)).unwrap();
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        drop(second);
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("/dev/null"));
        std::fs::remove_file(&link).unwrap();
    }

    #[tokio::test]
    async fn a_file_of_somebody_is_left_alone() {
        let path = std::env::temp_dir().join(format!("qxups-pty-{}", std::process::id()));
        std::fs::write(&path, "precious").unwrap();
        assert!(Pty::open(Some(&path)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        std::fs::remove_file(&path).unwrap();
    }
}
