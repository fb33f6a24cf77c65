//! A serial line: 2400 baud, 8 data bits, no parity, one stop bit, no flow control.

use crate::error::{LinkError, LinkErrorKind};
use crate::terminal::{check_terminal, no_terminal};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::_POSIX_VDISABLE;
#[cfg(target_os = "linux")]
use nix::libc::{B2400, CBAUD, CIBAUD};
use nix::libc::{CLOCAL, CREAD};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr, tcsetattr,
};
use qx::line::exchange::END;
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
    /// The settings that hand over each byte, while the line is set to hand over lines.
    raw: Option<Termios>,
    /// Something may be there of which the runtime was not told.
    look: bool,
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
                LinkError::new(LinkErrorKind::Unsuitable, why)
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
        Ok(Serial { port, raw: None, look: false, remark, _lock: lock })
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

    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let looked = if std::mem::take(&mut self.look) { self.look(buffer)? } else { None };
        if let Some(read) = looked {
            return Ok(read);
        }
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

    /// What is there, if anything.
    fn look(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match nix::unistd::read(self.port.get_ref(), buffer) {
                Ok(read) => {
                    self.look = read == buffer.len();
                    return Ok(Some(read));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has the system collect lines, so that a read gives one that ends, and nothing before; false where it does
    /// not do so. What is there already is thrown away.
    pub fn collect_lines(&mut self) -> io::Result<bool> {
        if self.raw.is_some() {
            return Ok(true);
        }
        let raw = tcgetattr(self.port.get_ref())?;
        tcsetattr(self.port.get_ref(), SetArg::TCSANOW, &lines(raw.clone()))?;
        self.raw = Some(raw);
        // what was there would be a line that does not end
        self.discard()?;
        let taken = tcgetattr(self.port.get_ref())?;
        let (eol, flags) = (taken.control_chars[SpecialCharacterIndices::VEOL as usize], taken.local_flags);
        if eol == END && flags.contains(LocalFlags::ICANON) {
            return Ok(true);
        }
        self.give_bytes()?;
        Ok(false)
    }

    /// Has the system hand over each byte as it comes, and what it collected of a line by the next read.
    pub fn give_bytes(&mut self) -> io::Result<()> {
        if let Some(raw) = &self.raw {
            // at once: what waits to go may wait for ever
            tcsetattr(self.port.get_ref(), SetArg::TCSANOW, raw)?;
            (self.raw, self.look) = (None, true);
        }
        Ok(())
    }

    /// The same, and what it collected of a line, if anything.
    pub fn take_torn(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.give_bytes()?;
        if std::mem::take(&mut self.look) { self.look(buffer) } else { Ok(None) }
    }

    /// Whether nothing came since the last read, as far as the runtime was told; half a line is not told of.
    pub fn is_quiet(&self) -> bool {
        let mut quiet = self.raw.is_none() && !self.look;
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
    pub fn discard(&mut self) -> io::Result<()> {
        self.look = false;
        tcflush(self.port.get_ref(), FlushArg::TCIOFLUSH)?;
        let nothing = || io::Error::from(io::ErrorKind::WouldBlock);
        let _ = self.port.try_io(Interest::READABLE, |_| Err::<(), _>(nothing()));
        Ok(())
    }
}

impl Drop for Serial {
    /// The next program that opens the line finds it as it usually is.
    fn drop(&mut self) {
        let _ = self.give_bytes();
    }
}

/// The same line, but collecting lines: a carriage return ends one, as a line feed always does, and no other byte
/// means anything. `raw` gives all of them as they are.
fn lines(mut raw: Termios) -> Termios {
    raw.local_flags.insert(LocalFlags::ICANON);
    raw.control_chars.fill(_POSIX_VDISABLE);
    raw.control_chars[SpecialCharacterIndices::VEOL as usize] = END;
    raw
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
        LinkError::new(LinkErrorKind::Busy, why)
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
