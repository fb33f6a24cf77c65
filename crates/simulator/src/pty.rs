//! The end on a pseudo-terminal, which looks to a driver like a serial port.

use crate::end::Shared;
use crate::end::{Broken, Wire, serve};
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

/// A pseudo-terminal. The side of the driver is kept open here, so that a driver may come and go.
pub struct Pty {
    master: AsyncFd<PtyMaster>,
    _slave: File,
    path: PathBuf,
    link: Option<PathBuf>,
}

impl Pty {
    /// Opens one; `link` is made to point at it, which keeps its name when it hangs up and returns.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(link: Option<&Path>) -> io::Result<Pty> {
        // closed in programs that are started from here: a master that they held could not hang up
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(ptsname_r(&master)?);
        let noctty = OFlag::O_NOCTTY.bits();
        let slave = OpenOptions::new().read(true).write(true).custom_flags(noctty).open(&path)?;
        let mut modes = tcgetattr(&slave)?;
        cfmakeraw(&mut modes);
        tcsetattr(&slave, SetArg::TCSANOW, &modes)?;
        if let Some(link) = link {
            // only what is a link, as an older one of ours is: anything else is somebody's
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
            std::os::unix::fs::symlink(&path, link)?;
        }
        // SAFETY: the master owns its descriptor, and is owned and never replaced by the AsyncFd
        #[allow(unsafe_code)]
        let master = unsafe { AsyncFd::register(master) }?;
        Ok(Pty { master, _slave: slave, path, link: link.map(Path::to_path_buf) })
    }

    /// What a driver is to open.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link);
        }
    }
}

impl Wire for Pty {
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
pub async fn run(shared: &Shared, mut pty: Pty) -> io::Result<()> {
    loop {
        let link = pty.link.clone();
        match serve(shared, &mut pty).await {
            Broken::HangUp(time) => {
                drop(pty);
                sleep(time).await;
            }
            Broken::Gone => drop(pty),
        }
        pty = Pty::open(link.as_deref())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_of_somebody_is_left_alone() {
        let path = std::env::temp_dir().join(format!("qxups-pty-{}", std::process::id()));
        std::fs::write(&path, "precious").unwrap();
        assert!(Pty::open(Some(&path)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        std::fs::remove_file(&path).unwrap();
    }
}
