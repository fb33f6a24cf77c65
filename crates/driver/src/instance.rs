//! The instance of a driver that runs already: its PID file, as NUT has it, and its socket, which is there
//! where that file could not be written. A number in a file proves nothing: it may belong to the driver of
//! another UPS by now, or to any program.

use crate::command_line::{CommandLine, Task};
use nix::unistd::Pid;
use station::config::Statement;
use std::ffi::OsStr;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A PID file has one number in it.
const LONGEST: u64 = 64;

/// No command line that is looked at is longer, in bytes.
const LONGEST_COMMAND: u64 = 64 * 1024;

/// The programs that `qxups serve` may be called by.
pub const SERVERS: [&str; 2] = ["qxups", "upsd"];

/// Where an instance leaves its traces.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The driver.
    pub program: &'static str,
    /// The name of its UPS.
    pub ups: String,
    /// Its PID file.
    pub pid_file: PathBuf,
    /// Its socket.
    pub socket: PathBuf,
}

impl Instance {
    /// The process, if it runs and is the driver of this UPS: it listens at the socket of this UPS, or its
    /// command line says so and it works in the same state directory.
    pub fn running(&self) -> Option<Pid> {
        let listens = connected_to(&self.socket).map(|(pid, _)| pid);
        let listens = listens.filter(|number| is_other(*number) && is_program(*number, self.program));
        let named =
            || named_in(&self.pid_file).filter(|number| is_other(*number) && self.is_said_by(*number));
        listens.or_else(named).map(Pid::from_raw)
    }

    /// The server that drives this UPS itself, if one listens at its socket.
    pub fn server(&self) -> Option<Pid> {
        let (_, stream) = connected_to(&self.socket)?;
        peer_of(&stream, &SERVERS)
    }

    /// The process that the PID file names, if it lives and is not the driver of this UPS.
    pub fn other_process(&self) -> Option<Pid> {
        let named = named_in(&self.pid_file).map(Pid::from_raw)?;
        let lives = is_other(named.as_raw()) && is_there(named);
        (lives && self.running() != Some(named)).then_some(named)
    }

    /// Whether a process says of itself that it is the driver of this UPS.
    fn is_said_by(&self, number: i32) -> bool {
        let Some(arguments) = arguments_of(number) else { return false };
        let Some((called, rest)) = arguments.split_first() else { return false };
        let is_called = Path::new(called).file_name() == Some(OsStr::new(self.program));
        let rest = rest.iter().map(|argument| OsStr::from_bytes(argument.as_bytes()).to_os_string());
        let Ok(line) = CommandLine::parse(rest) else { return false };
        let named = line.statements.iter().rev().find_map(|statement| match statement {
            Statement::Section(name) | Statement::NoConfig(name) => Some(name),
            Statement::Option(..) | Statement::Interval(_) => None,
        });
        (is_called || is_program(number, self.program))
            && line.task == Task::Run
            && named == Some(&self.ups)
            && self.is_home_of(number)
    }

    /// Whether a process works in the directory of this socket, as every driver of NUT does, as far as the
    /// system tells: another tree of configuration may have a UPS of the same name.
    fn is_home_of(&self, number: i32) -> bool {
        let (there, home) = (format!("/proc/{number}/cwd"), self.socket.parent());
        let Some((place, home)) = std::fs::read_link(&there).ok().zip(home) else { return true };
        let same = |(a, b): (std::fs::Metadata, std::fs::Metadata)| (a.dev(), a.ino()) == (b.dev(), b.ino());
        let is_same = std::fs::metadata(&there).ok().zip(home.metadata().ok()).is_some_and(same);
        // a directory that was made anew under it
        is_same || place.to_string_lossy().trim_end_matches(" (deleted)") == home.to_string_lossy()
    }
}

/// Looks whether a driver still answers at its socket; it never waits.
#[derive(Debug)]
pub struct Pulse {
    socket: PathBuf,
    pid: Pid,
    client: Option<UnixStream>,
}

impl Pulse {
    /// Of the process `pid`, which is to listen at `socket`.
    pub fn new(socket: PathBuf, pid: Pid) -> Pulse {
        Pulse { socket, pid, client: None }
    }

    /// Whether it has said anything since the last look.
    pub fn beats(&mut self) -> bool {
        if self.client.is_none() {
            let connected = connected_to(&self.socket).filter(|(pid, _)| *pid == self.pid.as_raw());
            self.client = connected.map(|(_, client)| client);
            self.ask();
            return false;
        }
        let mut bytes = [0; 4096];
        match self.client.as_mut().map(|client| client.read(&mut bytes)) {
            Some(Ok(1..)) => {
                self.ask();
                true
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => false,
            _ => {
                self.client = None;
                false
            }
        }
    }

    fn ask(&mut self) {
        let asked = self.client.as_mut().map(|client| client.write_all(b"PING\n"));
        if !matches!(asked, Some(Ok(()))) {
            self.client = None;
        }
    }
}

/// Another process that listens at a socket.
pub fn listener(path: &Path) -> Option<Pid> {
    let (number, _) = connected_to(path)?;
    is_other(number).then(|| Pid::from_raw(number))
}

fn is_other(number: i32) -> bool {
    number > 1 && u32::try_from(number) != Ok(std::process::id())
}

/// The number in a PID file; whatever else lies there is no reason to hang, or to read for long.
fn named_in(path: &Path) -> Option<i32> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The process that listens at a socket, as the system knows it, and a connection to it on which nothing
/// waits. The process is not asked, so it may hang.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn connected_to(path: &Path) -> Option<(i32, UnixStream)> {
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt,
    };
    use std::os::fd::AsRawFd;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    connect(client.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    let peer = getsockopt(&client, sockopt::PeerCredentials).ok()?;
    Some((peer.pid(), client.into()))
}

/// The process at the other end, if it is another one and one of these programs.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn peer_of(stream: &UnixStream, programs: &[&str]) -> Option<Pid> {
    use nix::sys::socket::{getsockopt, sockopt};
    let number = getsockopt(stream, sockopt::PeerCredentials).ok()?.pid();
    let is_one = is_other(number) && programs.iter().any(|program| is_program(number, program));
    is_one.then(|| Pid::from_raw(number))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
/// The process at the other end: not known here.
pub fn peer_of(_stream: &UnixStream, _programs: &[&str]) -> Option<Pid> {
    None
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn connected_to(_path: &Path) -> Option<(i32, UnixStream)> {
    None
}

/// Whether a process runs this program, as far as `/proc` tells.
fn is_program(number: i32, program: &str) -> bool {
    let command = std::fs::read_to_string(format!("/proc/{number}/comm"));
    // the kernel keeps fifteen letters
    command.is_ok_and(|command| command.trim_end() == program.get(..15).unwrap_or(program))
}

/// Whether a process is a server: upsd, ours or NUT's, or `qxups serve`, and no other command of `qxups`.
pub fn is_server(pid: Pid) -> bool {
    let number = pid.as_raw();
    let serves =
        || arguments_of(number).is_some_and(|arguments| arguments.iter().any(|word| word == "serve"));
    is_program(number, "upsd") || is_program(number, "qxups") && serves()
}

/// What a process was started with, its name first. None of one that has ended and is not waited for yet.
fn arguments_of(number: i32) -> Option<Vec<String>> {
    let file = std::fs::File::open(format!("/proc/{number}/cmdline")).ok()?;
    let mut bytes = vec![];
    file.take(LONGEST_COMMAND).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let arguments: Vec<String> = text.strip_suffix('\0')?.split('\0').map(String::from).collect();
    (!arguments.is_empty()).then_some(arguments)
}

/// Whether a process is there and has not ended: one that its parent has not waited for yet has, and holds nothing.
pub fn is_there(pid: Pid) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // the name stands in brackets, and may hold any letter
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, Some('Z' | 'X' | 'x'))
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
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
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
        let listening_at = |path: &Path| connected_to(path).map(|(pid, _)| pid);
        assert_eq!(listening_at(&path), None);
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listening_at(&path), i32::try_from(std::process::id()).ok());
        // a listener that never accepts is no reason to wait
        let clients: Vec<_> = std::iter::from_fn(|| connected_to(&path)).take(1000).collect();
        assert!(!clients.is_empty());
        drop(listener);
        assert_eq!(listening_at(&path), None, "no process listens any more");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
