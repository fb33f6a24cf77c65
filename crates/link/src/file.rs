//! A file that is read whole, and no more of it than is good.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// No recording is longer, in bytes: a week of a driver's log with -DDD.
pub const LONGEST_RECORDING: u64 = 64 * 1024 * 1024;

/// Everything in a file or a pipe, when that is no more than `most` bytes.
///
/// # Errors
/// What the system says, and a sentence for what is no file (a device may have no end) or too long.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let kind = path.metadata()?.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err(io::Error::other("it is neither a file nor a pipe"));
    }
    // what was put in its place meanwhile is not waited for either: no terminal, and no device
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NOCTTY).open(path)?;
    read_all(file, most)
}

/// The same from what is open already.
///
/// # Errors
/// What the system says, and a sentence when there is more than `most` bytes.
pub fn read_all(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let most = if most < 1024 * 1024 { format!("{most} bytes") } else { format!("{} MB", most >> 20) };
        return Err(io::Error::other(format!("it is longer than {most}")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_is_good() {
        let path = std::env::temp_dir().join(format!("qxups-bounded-{}", std::process::id()));
        std::fs::write(&path, "12345678").unwrap();
        assert_eq!(read_bounded(&path, 8).unwrap(), b"12345678");
        assert!(read_bounded(&path, 7).unwrap_err().to_string().contains("longer than 7 bytes"));
        assert!(read_all(io::repeat(0), LONGEST_RECORDING >> 4).unwrap_err().to_string().contains("4 MB"));
        std::fs::remove_file(&path).unwrap();
        for device in ["/dev/zero", "/dev/null", "/dev"] {
            assert!(read_bounded(Path::new(device), 8).is_err(), "{device}");
        }
    }

    #[test]
    fn a_pipe_may_be_read() {
        let path = std::env::temp_dir().join(format!("qxups-bounded-pipe-{}", std::process::id()));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let other = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(other, "> Q1\n"));
        assert_eq!(read_bounded(&path, 100).unwrap(), b"> Q1\n");
        writer.join().unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
