//! Why a client's command ends, and with what exit status.

use crate::out::{self, Stop};
use nut::network::ErrorWord;
use nut::network::client::Refusal;
use std::process::ExitCode;

/// The exit status, for scripts. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// All that was asked for was done, or found.
    Done = 0,
    /// It failed, or the server refused it.
    Failed = 1,
    /// The command line is wrong. clap has the same number.
    Usage = 2,
    /// There is no connection to a NUT server, or it broke.
    Unconnected = 3,
    /// The server has no data of the UPS: stale, or its driver is not connected.
    NoData = 4,
    /// An order was handed over, and what became of it was not seen.
    Unseen = 5,
}

/// What each status means, for help and manual pages.
pub const STATUSES: &str = "\
Exit status:
  0  done, or found
  1  failed, or refused by the server
  2  wrong command line
  3  no connection to a NUT server
  4  the server has no data of the UPS: stale, or its driver is not connected
  5  handed over, and not seen done";

impl ExitStatus {
    /// Of what a server refused.
    pub fn of(refusal: &Refusal) -> ExitStatus {
        match refusal.word {
            Some(ErrorWord::DataStale | ErrorWord::DriverNotConnected) => ExitStatus::NoData,
            _ => ExitStatus::Failed,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// Why a command ends before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientTrouble {
    /// A status, and a sentence: what happened, and what to do.
    Said(ExitStatus, String),
    /// Standard output cannot be written to.
    Stop(Stop),
}

impl From<Stop> for ClientTrouble {
    fn from(stop: Stop) -> ClientTrouble {
        ClientTrouble::Stop(stop)
    }
}

impl ClientTrouble {
    /// The command line is wrong.
    pub fn usage(sentence: impl Into<String>) -> ClientTrouble {
        ClientTrouble::Said(ExitStatus::Usage, sentence.into())
    }

    /// A request about `what` was refused.
    pub fn refused(what: impl std::fmt::Display, refusal: &Refusal) -> ClientTrouble {
        ClientTrouble::Said(ExitStatus::of(refusal), format!("{what}: {refusal}"))
    }

    /// The sentence, where there is one.
    pub fn sentence(&self) -> &str {
        match self {
            ClientTrouble::Said(_, sentence) | ClientTrouble::Stop(Stop::Failed(sentence)) => sentence,
            ClientTrouble::Stop(Stop::ReaderLeft) => "the reader of standard output left",
        }
    }
}

/// The end of a command: its sentence on standard error, its exit status.
pub fn end(done: Result<ExitStatus, ClientTrouble>) -> Result<ExitCode, Stop> {
    match done {
        Ok(status) => Ok(status.into()),
        Err(ClientTrouble::Stop(stop)) => Err(stop),
        Err(ClientTrouble::Said(status, sentence)) => {
            out::tell(format_args!("qxups: {sentence}"));
            Ok(status.into())
        }
    }
}
