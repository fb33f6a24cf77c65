//! What a running driver says of its UPS, by its socket.

use nut::driver_socket::SocketRequest;
use nut::words::words;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A driver answers at once; one that does not within this time hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// No driver says more, in bytes; it may be something else that listens there.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Everything it says.
#[derive(Debug, PartialEq, Eq)]
pub struct Dump {
    /// Variables by their names.
    pub variables: BTreeMap<String, String>,
    /// The commands that it offers.
    pub commands: Vec<String>,
    /// Fresh data is said to be fresh; the word for data that is old differs.
    pub stale: bool,
}

/// Asks a driver for everything.
///
/// # Errors
/// It does not answer in time, or leaves before it has said all.
pub fn ask(mut stream: UnixStream) -> io::Result<Dump> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(SocketRequest::DumpAll.line().as_bytes())?;
    let mut dump = Dump { variables: BTreeMap::new(), commands: vec![], stale: true };
    for line in BufReader::new(stream.take(LONGEST)).split(b'\n') {
        let said = words(&line?).unwrap_or_default();
        match said.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["DUMPDONE"] => return Ok(dump),
            ["DATASTALE"] => dump.stale = true,
            ["DATAOK"] => dump.stale = false,
            ["SETINFO", name, value] => drop(dump.variables.insert(name.into(), value.into())),
            ["ADDCMD", name] => dump.commands.push(name.into()),
            _ => {}
        }
    }
    Err(io::Error::other("the driver closed its socket; ask again when it runs"))
}
