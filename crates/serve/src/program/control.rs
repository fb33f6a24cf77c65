//! The socket of a running server's own: `qxups reload` and `upsd -c reload` hear over it what came of a reload, which a
//! signal does not say, `qxups timers` what notifications do, and `qxups plan` what an
//! outage would do. It lies beside the PID file, for the server's user and root alone.

use super::ProgramRequest;
use driver::instance::{SERVERS, peer_of};
use nix::unistd::Pid;
use station::log::Log;
use std::cell::Cell;
use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Its name, beside the PID file.
const NAME: &str = "upsd.control";
/// The requests there are, of the same length.
const RELOAD: &[u8] = b"RELOAD\n";
const TIMERS: &[u8] = b"TIMERS\n";
const OUTAGE: &[u8] = b"OUTAGE\n";
/// So many may ask at a time; further ones are turned away.
const ASKERS: usize = 8;
/// A client says what it wants in this time.
const ASKS: Duration = Duration::from_secs(5);
/// A reload takes no longer: names of hosts are not looked up for it.
const TAKES: Duration = Duration::from_secs(30);
/// No answer is longer, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where the socket of the server is that has this PID file.
pub(super) fn place(pid_file: &Path) -> PathBuf {
    pid_file.with_file_name(NAME)
}

/// The socket. It is removed when this is dropped.
pub(super) struct ControlSocket(PathBuf);

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl ControlSocket {
    /// Listens, in place of a server that is dead; one that lives keeps its socket. Must be called inside of a tokio `LocalRuntime`.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(
        path: PathBuf,
        requests: mpsc::Sender<ProgramRequest>,
        log: Log,
    ) -> io::Result<ControlSocket> {
        if Blocking::connect(&path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there"));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        let control = ControlSocket(path);
        std::fs::set_permissions(&control.0, Permissions::from_mode(0o600))?;
        tokio::task::spawn_local(async move {
            let askers = Rc::new(Cell::new(0));
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if askers.get() < ASKERS => {
                        let (askers, requests) = (askers.clone(), requests.clone());
                        askers.set(askers.get() + 1);
                        tokio::task::spawn_local(async move {
                            let _ = timeout(ASKS + TAKES, answer(stream, requests)).await;
                            askers.set(askers.get() - 1);
                        });
                    }
                    Ok(_) => {}
                    Err(error) => {
                        log.debug(1, || format!("{NAME}: {error}"));
                        sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        });
        Ok(control)
    }
}

async fn answer(mut stream: UnixStream, requests: mpsc::Sender<ProgramRequest>) -> io::Result<()> {
    let mut asked = vec![0; RELOAD.len()];
    timeout(ASKS, stream.read_exact(&mut asked)).await??;
    let said = match asked.as_slice() {
        TIMERS => listed(&requests, ProgramRequest::Timers).await,
        OUTAGE => listed(&requests, ProgramRequest::Plan).await,
        RELOAD => {
            let (answer, outcome) = oneshot::channel();
            let left = requests.send(ProgramRequest::Reload(Some(answer))).await.is_ok();
            match (left, outcome.await) {
                (true, Ok(Ok(done))) => format!("OK {done}\n"),
                (true, Ok(Err(why))) => format!("ERR {why}\n"),
                _ => "ERR the server is exiting\n".into(),
            }
        }
        _ => "ERR write RELOAD, TIMERS or OUTAGE\n".into(),
    };
    stream.write_all(said.as_bytes()).await
}

/// A text of the server.
async fn listed(
    requests: &mpsc::Sender<ProgramRequest>,
    request: impl FnOnce(oneshot::Sender<String>) -> ProgramRequest,
) -> String {
    let (answer, outcome) = oneshot::channel();
    let left = requests.send(request(answer)).await.is_ok();
    match (left, outcome.await) {
        (true, Ok(list)) => format!("OK {list}\n"),
        _ => "ERR the server is exiting\n".into(),
    }
}

/// Has a server reload: what came of it, or none where no server listens.
///
/// # Errors
/// Why it goes on as before.
pub(super) fn reload(socket: &Path, meant: Option<Pid>) -> Option<Result<String, String>> {
    request(socket, meant, RELOAD)
}

/// What the notifications of a server do, or none where no server listens.
///
/// # Errors
/// Why it does not say that.
pub(super) fn timers(socket: &Path) -> Option<Result<String, String>> {
    request(socket, None, TIMERS)
}

/// What would happen to the hosts of a server if mains failed now, or none where no server listens.
///
/// # Errors
/// Why it does not say that.
pub(super) fn plan(socket: &Path) -> Option<Result<String, String>> {
    request(socket, None, OUTAGE)
}

fn request(socket: &Path, meant: Option<Pid>, asked: &[u8]) -> Option<Result<String, String>> {
    let stream = Blocking::connect(socket).ok()?;
    let server = peer_of(&stream, &SERVERS).filter(|server| meant.is_none_or(|meant| meant == *server))?;
    Some(ask(stream, asked).unwrap_or_else(|error| {
        Err(format!(
            "the server (process {server}) did not answer: {error}; its log says what came of a reload"
        ))
    }))
}

fn ask(mut stream: Blocking, asked: &[u8]) -> io::Result<Result<String, String>> {
    stream.set_read_timeout(Some(ASKS + TAKES))?;
    stream.set_write_timeout(Some(ASKS))?;
    stream.write_all(asked)?;
    let mut said = String::new();
    stream.take(LONGEST).read_to_string(&mut said)?;
    match (said.strip_prefix("OK "), said.strip_prefix("ERR ")) {
        (Some(done), _) => Ok(Ok(done.trim_end().into())),
        (_, Some(why)) => Ok(Err(why.trim_end().into())),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
