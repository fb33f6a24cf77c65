//! `-k` beside a server that drives this UPS itself (`qxups serve`): two on one line would take each other's replies, so
//! the server has the order, over the socket that it listens at in place of the driver.

use crate::instance::{Instance, connected_to, is_there};
use crate::once::NOT_CONFIRMED;
use crate::process::{HANGS, LEAVES, LOOK, kill_it};
use crate::program::Fatal;
use nix::unistd::Pid;
use nut::driver_socket::code;
use qx::device::SHUTDOWN_DEFAULT;
use station::log::{self, Log};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The name of the order, which is the only one of this connection.
const ID: &str = "00000000-0000-4000-8000-000000000001";
/// What a server says unasked meanwhile is not kept beyond this, in bytes.
const LONGEST: usize = 64 * 1024;

/// How an order ended.
enum Ended {
    /// With this code.
    Answered(u8),
    /// The server has exited.
    Left,
    /// It says nothing any more.
    Hangs(Duration),
}

/// Why no server drives this UPS, or what became of the order; none when `-k` has to do it.
pub(crate) fn kill_power(instance: &Instance, log: &Log) -> Option<Result<ExitCode, Fatal>> {
    let pid = instance.server()?;
    let (_, stream) = connected_to(&instance.socket)?;
    log.info(&format!("the server (process {pid}) drives [{}]: it switches the load off", instance.ups));
    match order(stream, pid) {
        Ended::Answered(code::HANDLED) => {
            log.info("the UPS was told to switch the load off");
            Some(Ok(ExitCode::SUCCESS))
        }
        Ended::Answered(code) => {
            let why = format!(
                "the server (process {pid}) did not see the UPS switch the load off (code {code}); its log says why"
            );
            log::last_words(instance.program, &why);
            Some(Ok(ExitCode::from(NOT_CONFIRMED)))
        }
        Ended::Left => {
            log.warning(&format!("the server (process {pid}) has left; going on alone"));
            None
        }
        Ended::Hangs(time) => {
            let what = format!("the server (process {pid}) does not answer for {} s", time.as_secs());
            log.warning(&format!("{}; going on alone", kill_it(pid, &what).sentence()));
            None
        }
    }
}

/// Gives the order, and waits while the server lives.
fn order(mut stream: UnixStream, pid: Pid) -> Ended {
    let lines = format!("NOBROADCAST\nINSTCMD {SHUTDOWN_DEFAULT} TRACKING {ID}\nPING\n");
    let mut is_open = stream.write_all(lines.as_bytes()).is_ok();
    let answer = format!("TRACKING {ID} ");
    let (began, mut heard, mut said) = (Instant::now(), Instant::now(), String::new());
    while is_there(pid) {
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes) {
            Ok(0) => is_open = false,
            Ok(read) => {
                heard = Instant::now();
                said += &String::from_utf8_lossy(&bytes[..read]);
                while let Some((line, rest)) = said.split_once('\n') {
                    if let Some(code) = line.strip_prefix(&answer).and_then(|code| code.trim().parse().ok()) {
                        return Ended::Answered(code);
                    }
                    if line == "PONG" {
                        is_open &= stream.write_all(b"PING\n").is_ok();
                    }
                    said = rest.into();
                }
                said.truncate(if said.len() > LONGEST { 0 } else { said.len() });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => is_open = false,
        }
        // one that closed the connection is about to exit
        let patience = if is_open { HANGS } else { LEAVES };
        if heard.elapsed() >= patience || began.elapsed() >= LEAVES {
            return Ended::Hangs(heard.elapsed());
        }
        std::thread::sleep(LOOK);
    }
    Ended::Left
}
