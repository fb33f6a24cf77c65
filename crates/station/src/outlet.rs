//! Where lines go: standard output and error, or the system log. Writing one never ends, blocks or delays
//! anything: what cannot be written at once is dropped and counted.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{Mode, SFlag, fstat};
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

/// A pipe takes so many bytes as a whole or not at all (PIPE_BUF of Linux).
const AT_ONCE: usize = 4096;
/// Where the system log listens.
const SYSTEM_LOG: &str = "/dev/log";
/// The facility of daemons (LOG_DAEMON of syslog(3)).
const DAEMON: u32 = 3 << 3;

/// Standard output or error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Standard output or error, as lines are written to it.
#[derive(Debug)]
pub struct Lines {
    which: StandardStream,
    way: RefCell<Option<Way>>,
    lost: Cell<u64>,
}

/// How a line is written there.
#[derive(Debug)]
enum Way {
    /// A file: writing to it never waits.
    File,
    /// A terminal or a pipe, opened anew: it can be told not to block, without the others who write there
    /// being told as well.
    Own(OwnedFd),
    /// A socket, as that of systemd's journal, or what cannot be opened anew: asked before each line. One
    /// that says that it takes bytes takes a line.
    Ask,
}

impl Lines {
    /// The lines of standard output or error. Looks at once where they go: a process that becomes another
    /// user may not be able to later.
    pub fn of(which: StandardStream) -> Lines {
        let (output, error) = (io::stdout(), io::stderr());
        let way = Way::of(match which {
            StandardStream::Output => output.as_fd(),
            StandardStream::Error => error.as_fd(),
        });
        Lines { which, way: RefCell::new(Some(way)), lost: Cell::new(0) }
    }

    /// Lets go of the terminal. Nothing is written from now on.
    pub fn let_go(&self) {
        self.way.take();
    }

    /// Writes a line, or drops it. How many were dropped is said with the next that can be written.
    pub fn say(&self, text: &str) {
        let lost = self.lost.get();
        let mut line = match lost {
            0 => String::with_capacity(text.len() + 1),
            lost => format!("({lost} lines of the log could not be written here)\n"),
        };
        line += text;
        let end = (0..=line.len().min(AT_ONCE - 1)).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or_default());
        line.push('\n');
        self.lost.set(if self.write(line.as_bytes()) { 0 } else { lost.saturating_add(1) });
    }

    fn write(&self, line: &[u8]) -> bool {
        let (output, error) = (io::stdout(), io::stderr());
        let standard = match self.which {
            StandardStream::Output => output.as_fd(),
            StandardStream::Error => error.as_fd(),
        };
        let way = self.way.borrow();
        let Some(way) = way.as_ref() else { return true };
        let once = || match way {
            Way::File => nix::unistd::write(standard, line),
            Way::Own(own) => nix::unistd::write(own, line),
            Way::Ask => match poll(&mut [PollFd::new(standard, PollFlags::POLLOUT)], PollTimeout::ZERO) {
                Ok(1) => nix::unistd::write(standard, line),
                _ => Err(Errno::EAGAIN),
            },
        };
        let written = match once() {
            Err(Errno::EINTR) => once(),
            written => written,
        };
        // of a line that a slow terminal took in part, the rest is lost
        written.is_ok_and(|written| written > 0)
    }
}

impl Way {
    fn of(standard: BorrowedFd<'_>) -> Way {
        let Ok(stat) = fstat(standard) else { return Way::Ask };
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFREG {
            return Way::File;
        }
        let path = format!("/proc/self/fd/{}", standard.as_raw_fd());
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        open(path.as_str(), flags, Mode::empty()).map_or(Way::Ask, Way::Own)
    }
}

/// The system log, as syslog(3) writes to it; that call would wait for a log that hangs.
#[derive(Debug, Default)]
pub struct SystemLog {
    socket: RefCell<Option<UnixDatagram>>,
    lost: Cell<u64>,
}

impl SystemLog {
    /// Writes a line of this severity (0 to 7) under the name of the program.
    pub fn say(&self, program: &str, severity: u32, text: &str) {
        let lost = self.lost.get();
        let lost_text =
            if lost > 0 { format!(" ({lost} lines before could not be written)") } else { String::new() };
        let line = format!("<{}>{program}[{}]: {text}{lost_text}", DAEMON | severity, std::process::id());
        // a log that was started again has another socket
        let written = self.write(&line) || {
            self.socket.take();
            self.write(&line)
        };
        self.lost.set(if written { 0 } else { lost.saturating_add(1) });
    }

    fn write(&self, line: &str) -> bool {
        let mut socket = self.socket.borrow_mut();
        if socket.is_none() {
            *socket = connect().ok();
        }
        socket.as_ref().is_some_and(|socket| socket.send(line.as_bytes()).is_ok())
    }
}

fn connect() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(SYSTEM_LOG)?;
    Ok(socket)
}

/// Prints what was asked for.
///
/// # Errors
/// What the system says: the text does not reach its reader.
pub fn print(text: &str) -> io::Result<()> {
    use io::Write;
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}
