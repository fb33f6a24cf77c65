//! Asks a running NUT driver, on its socket, for everything it publishes, as upsd does.
//!
//!     cargo run -p qxups-nut --example ask_driver /run/nut/nutdrv_qx-rack

use nut::words::words;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    let path = std::env::args().nth(1).ok_or("name the socket of a driver: /run/nut/nutdrv_qx-NAME")?;
    let mut socket = UnixStream::connect(path)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.write_all(b"DUMPALL\n")?;
    for line in BufReader::new(socket).split(b'\n') {
        // the grammar of ups.conf: quotes, and backslashes before what is meant as it is
        let words = words(&line?)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["SETINFO", variable, value] => writeln!(out, "{variable}: {value}")?,
            ["ADDCMD", command] => writeln!(out, "command {command}")?,
            ["DATASTALE"] => writeln!(out, "stale: the driver does not reach its UPS")?,
            ["DUMPDONE"] => break,
            _ => {}
        }
    }
    Ok(())
}
