//! A serial line: 2400 baud, 8 data bits, no parity, one stop bit, no flow control.

use crate::error::{Kind, LinkError};
use crate::terminal::{check_terminal, no_terminal};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
#[cfg(target_os = "linux")]
use nix::libc::{B2400, CBAUD, CIBAUD};
use nix::libc::{CLOCAL, CREAD};
use serial2::{CharSize, FlowControl, Parity, SerialPort, Settings, StopBits};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

const BAUD: u32 = 2400;
/// A line that takes no more bytes is tried again after so long.
const FULL: Duration = Duration::from_millis(10);

/// How the interface of the UPS is powered over the modem lines: option `cablepower`
/// (NUT 2.8.0 nutdrv_qx.c).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CablePower {
    /// DTR on, RTS off.
    #[default]
    Normal,
    /// DTR off, RTS on.
    Reverse,
    /// Both on.
    Both,
    /// Both off.
    None,
}

impl CablePower {
    /// Reads the value of `cablepower`; case does not matter, as in NUT.
    ///
    /// # Errors
    /// A sentence with the words that are allowed.
    pub fn parse(text: &str) -> Result<CablePower, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "normal" => Ok(CablePower::Normal),
            "reverse" => Ok(CablePower::Reverse),
            "both" => Ok(CablePower::Both),
            "none" => Ok(CablePower::None),
            _ => Err(format!("cablepower = {text}: write normal, reverse, both or none")),
        }
    }

    const fn dtr(self) -> bool {
        matches!(self, CablePower::Normal | CablePower::Both)
    }
    const fn rts(self) -> bool {
        matches!(self, CablePower::Reverse | CablePower::Both)
    }
}

/// What the other end does with its modem lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModemLines {
    /// Clear to send.
    pub cts: bool,
    /// Data set ready.
    pub dsr: bool,
    /// Data carrier detect.
    pub dcd: bool,
    /// Ring indicator.
    pub ri: bool,
}

impl fmt::Display for ModemLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: bool| if on { "on" } else { "off" };
        let (cts, dsr, dcd, ri) = (on(self.cts), on(self.dsr), on(self.dcd), on(self.ri));
        write!(f, "CTS {cts}, DSR {dsr}, DCD {dcd}, RI {ri}")
    }
}

/// An open serial line.
#[derive(Debug)]
pub struct Serial {
    /// Waited upon for bytes to read only: a command always fits into the system's buffer, and to be
    /// told that it left would wake us for nothing.
    port: AsyncFd<SerialPort>,
    remark: Option<String>,
    /// Keeps other programs away; let go when the line is closed.
    _lock: Option<Flock<File>>,
}

impl Serial {
    pub fn open(path: &Path, power: CablePower, lock: bool) -> Result<Serial, LinkError> {
        let name = path.display().to_string();
        check_terminal(path)?;
        let lock = if lock { Some(locked(path, &name)?) } else { None };
        let port = SerialPort::open(path, settings).map_err(|error| match error.kind() {
            _ if error.raw_os_error() == Some(nix::libc::ENOTTY) => no_terminal(path, "something else"),
            io::ErrorKind::Other | io::ErrorKind::InvalidInput => {
                let why =
                    format!("cannot set {name} to {BAUD} baud, 8N1: {error}; use another serial adapter");
                LinkError::new(Kind::Unsuitable, why)
            }
            _ => LinkError::while_opening(&name, &error),
        })?;
        let lines = port.set_dtr(power.dtr()).and_then(|()| port.set_rts(power.rts()));
        let remark =
            lines.err().map(|error| format!("{name} has no modem lines ({error}): cablepower has no effect"));
        // SAFETY: the port owns its descriptor, and is owned and never replaced by the AsyncFd
        #[allow(unsafe_code)]
        let port = unsafe { AsyncFd::register_with_interest(port, Interest::READABLE) }
            .map_err(|error| LinkError::while_opening(&name, &error.into()))?;
        Ok(Serial { port, remark, _lock: lock })
    }

    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// `None` where there are none, as on a pseudo-terminal.
    pub fn modem_lines(&self) -> Option<ModemLines> {
        let port = self.port.get_ref();
        Some(ModemLines {
            cts: port.read_cts().ok()?,
            dsr: port.read_dsr().ok()?,
            dcd: port.read_cd().ok()?,
            ri: port.read_ri().ok()?,
        })
    }

    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut guard = self.port.readable().await?;
            match nix::unistd::read(self.port.get_ref(), buffer) {
                // that was all: the next read waits for an event, rather than try in vain first
                Ok(read) if read < buffer.len() => {
                    guard.clear_ready();
                    return Ok(read);
                }
                Ok(read) => return Ok(read),
                Err(Errno::EAGAIN) => guard.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether nothing came since the last read, as far as the runtime was told.
    pub fn is_quiet(&self) -> bool {
        let mut quiet = true;
        let _ = self.port.try_io(Interest::READABLE, |_| {
            quiet = false;
            Ok(())
        });
        quiet
    }

    pub async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match nix::unistd::write(self.port.get_ref(), bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::EAGAIN) => tokio::time::sleep(FULL).await,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Throws away what came and what waits to go.
    pub fn discard(&self) -> io::Result<()> {
        self.port.get_ref().discard_buffers()?;
        let nothing = || io::Error::from(io::ErrorKind::WouldBlock);
        let _ = self.port.try_io(Interest::READABLE, |_| Err::<(), _>(nothing()));
        Ok(())
    }
}

/// What the line is set to; serial2 reads the settings back and fails when they were not taken.
fn settings(mut settings: Settings) -> io::Result<Settings> {
    settings.set_raw();
    settings.set_baud_rate(BAUD)?;
    settings.set_char_size(CharSize::Bits8);
    settings.set_parity(Parity::None);
    settings.set_stop_bits(StopBits::One);
    settings.set_flow_control(FlowControl::None);
    let modes = settings.as_termios_mut();
    // most cables of these UPSes leave the carrier open: its loss must not hang the line up
    modes.c_cflag |= CLOCAL | CREAD;
    #[cfg(target_os = "linux")]
    {
        // the speed by its name, which every driver of a serial adapter knows
        modes.c_cflag = modes.c_cflag & !(CBAUD | CIBAUD) | B2400;
    }
    Ok(settings)
}

/// Takes the lock that NUT's serial drivers take as well (an advisory lock on the device file).
fn locked(path: &Path, name: &str) -> Result<Flock<File>, LinkError> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK)
        .open(path);
    let file = opened.map_err(|error| LinkError::while_opening(name, &error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| {
        let why =
            format!("{name} is in use by another program ({error}): stop that one first, or set 'nolock'");
        LinkError::new(Kind::Busy, why)
    })
}

#[cfg(test)]
mod tests {
    use super::CablePower;

    #[test]
    fn cable_power_is_that_of_nut() {
        // DTR, RTS: NUT 2.8.0 nutdrv_qx.c
        for (text, lines) in [
            ("normal", (true, false)),
            ("reverse", (false, true)),
            ("both", (true, true)),
            ("none", (false, false)),
        ] {
            for text in [text.to_string(), text.to_uppercase(), text.replacen('o', "O", 1)] {
                let power = CablePower::parse(&text).unwrap();
                assert_eq!((power.dtr(), power.rts()), lines, "{text}");
            }
        }
        for bad in ["", "off", "normally", "no"] {
            assert!(CablePower::parse(bad).is_err(), "{bad}");
        }
    }
}
