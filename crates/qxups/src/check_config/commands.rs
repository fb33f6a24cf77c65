//! Whether the program of a command is there. Of a line for a shell that begins with anything but a path, nothing is said.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The program of a command that cannot be run, and why not.
pub fn cannot_run(command: &[String]) -> Option<(String, &'static str)> {
    let first = command.first()?;
    // a program whose path has a blank, as newer NUT takes it
    if Path::new(first).is_file() {
        return wrong(first);
    }
    let program = first.split_ascii_whitespace().next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    (program.starts_with('/') && program.bytes().all(is_plain)).then(|| wrong(program))?
}

fn wrong(program: &str) -> Option<(String, &'static str)> {
    let why = match std::fs::metadata(program) {
        Ok(meta) if !meta.is_file() => "is no file: name a program",
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => "is not executable: run 'chmod +x' on it",
        Ok(_) => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist: correct the path",
        // a folder that this user may not enter says nothing
        Err(_) => return None,
    };
    Some((program.into(), why))
}
