//! A file that is read whole, and no more of it than is good.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// No recording is longer, in bytes: a week of a driver's log with -DDD.
pub const LONGEST_RECORDING: u64 = 64 * 1024 * 1024;

/// Everything in a regular file, when that is no more than `most` bytes. Nothing is waited for: a pipe in
/// its place would stop the reader.
///
/// # Errors
/// What the system says, and a sentence for what is no regular file (a device may have no end) or too long.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // looked at before, for some devices mind to be opened, and after, for it may be another by then
    check_regular(&path.metadata()?)?;
    let flags = nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    check_regular(&file.metadata()?)?;
    read_all(file, most)
}

fn check_regular(about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    let sentence = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_fifo() => "it is a pipe, which may never say anything: put a file in its place",
        () => "it is neither a file nor a pipe",
    };
    Err(io::Error::other(sentence))
}

/// The same of what a person names on a command line, where a pipe is good as well: it is waited for.
///
/// # Errors
/// As for [`read_bounded`].
pub fn read_piped(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !path.metadata()?.file_type().is_fifo() {
        return read_bounded(path, most);
    }
    // what was put in its place meanwhile is no terminal of ours
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NOCTTY).open(path)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other("it was a pipe, and is none any more"));
    }
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
            assert!(read_piped(Path::new(device), 8).is_err(), "{device}");
        }
    }

    #[test]
    fn a_pipe_is_read_only_where_a_person_names_it() {
        let path = std::env::temp_dir().join(format!("qxups-bounded-pipe-{}", std::process::id()));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // nobody writes into it
        let (told, came) = std::sync::mpsc::channel();
        let asked = path.clone();
        std::thread::spawn(move || told.send(read_bounded(&asked, 100).map_err(|error| error.to_string())));
        let said = came.recv_timeout(std::time::Duration::from_secs(10)).expect("it waits for nobody");
        assert!(said.unwrap_err().contains("it is a pipe"));
        let other = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(other, "> Q1\n"));
        assert_eq!(read_piped(&path, 100).unwrap(), b"> Q1\n");
        writer.join().unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
