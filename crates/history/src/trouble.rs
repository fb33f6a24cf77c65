//! Why a history cannot be read or written.

use rusqlite::ErrorCode;
use std::fmt;

/// Why a history cannot be read or written: a sentence, with what to do.
#[derive(Debug)]
pub enum HistoryTrouble {
    /// A newer program made the file; its version, and the one that this program knows.
    Newer(i64, i64),
    /// An older program made the file, which is only read here.
    Older,
    /// The file is of another program.
    Foreign,
    /// Another server writes the file: its process, as far as that is known.
    Taken(Option<u32>),
    /// What SQLite says.
    Sql(rusqlite::Error),
    /// What the system says.
    Io(std::io::Error),
}

impl fmt::Display for HistoryTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryTrouble::Newer(version, known) => write!(
                f,
                "a newer qxups wrote it (version {version}, this one knows {known}): install that one, or name another file"
            ),
            HistoryTrouble::Older => {
                write!(f, "an older qxups wrote it: start the server, which brings it up to date")
            }
            HistoryTrouble::Foreign => write!(f, "it is a file of another program: name another file"),
            HistoryTrouble::Taken(Some(own)) if *own == std::process::id() => {
                write!(f, "the disk has not answered yet to what was written last")
            }
            HistoryTrouble::Taken(other) => {
                let process = other.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                write!(
                    f,
                    "another server{process} writes it: stop that one, or name another file in qxups.toml"
                )
            }
            HistoryTrouble::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                write!(f, "the disk is full: make room")
            }
            HistoryTrouble::Io(error) => write!(f, "{error}; look at the folder and its rights"),
            HistoryTrouble::Sql(error) => write!(f, "{}", sentence(error)),
        }
    }
}

impl HistoryTrouble {
    /// Whether another process writes the file.
    pub(crate) fn is_of_another(&self) -> bool {
        matches!(self, HistoryTrouble::Taken(by) if *by != Some(std::process::id()))
    }
}

impl std::error::Error for HistoryTrouble {}

impl From<rusqlite::Error> for HistoryTrouble {
    fn from(error: rusqlite::Error) -> HistoryTrouble {
        HistoryTrouble::Sql(error)
    }
}

impl From<std::io::Error> for HistoryTrouble {
    fn from(error: std::io::Error) -> HistoryTrouble {
        HistoryTrouble::Io(error)
    }
}

fn sentence(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: make room".into(),
        Some(ErrorCode::ReadOnly) => "it can only be read: let the server's user write it".into(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "it cannot be opened: look whether it and its folder are there, and may be used".into()
        }
        Some(ErrorCode::SystemIoFailure) => "the disk fails: look at the system log".into(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "it is damaged, or no history: move it away, then a new one is begun".into()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has locked it: end that one".into()
        }
        _ => format!("{error}"),
    }
}
