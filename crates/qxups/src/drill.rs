//! `qxups drill`: an outage by the configuration, in virtual time on a model.

use crate::out::{self, Stop};
use clap::Args;
use driver::config::Paths;
use serve::drill::{DrillOutage, play};
use serve::extras;
use station::config::LONGEST_CONF;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What stands below the options, and in the manual page.
const MORE: &str = "\
Each UPS of the configuration is a model with a battery that is full, each stage
has clients that log out when they are shown their signal, and this host goes
down and starts again with its load. It is played as if armed.

Exit status:
  0  all went down in time and came back
  1  a load went off under a host, or a host stays off: said at the end
  2  wrong command line";

/// The command line of it.
#[derive(Args)]
#[command(after_help = MORE)]
pub struct DrillLine {
    /// The folder of qxups.toml; left out: NUT_CONFPATH, or /etc/nut
    folder: Option<PathBuf>,
    /// A full battery carries the load for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "1200", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    runtime: u64,
    /// Mains are back after so many seconds; left out: an hour after the batteries are empty
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=21_600))]
    back: Option<u64>,
    /// Clients log out so many seconds after they were shown their signal
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    answer: u64,
}

impl DrillLine {
    /// Plays it.
    ///
    /// # Errors
    /// A sentence: there is no protection to be played.
    pub fn run(&self) -> Result<ExitCode, Stop> {
        let folder = self.folder.clone().unwrap_or_else(|| Paths::from_environment().conf);
        let path = folder.join(extras::FILE);
        let bytes = link::read_bounded(&path, LONGEST_CONF)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let extras = extras::parse(&bytes).map_err(|wrong| {
            let first = wrong.first().map(|finding| (finding.line.unwrap_or(1), finding.text.clone()));
            let (line, text) = first.unwrap_or_default();
            format!("{}:{line}: {text}", path.display())
        })?;
        let options = extras.protect.ok_or_else(|| {
            format!(
                "{} has no [protect], so nothing would happen: write it as docs/protect.md has it",
                path.display()
            )
        })?;
        let outage = DrillOutage {
            back_after: self.back.map(Duration::from_secs),
            runtime: Duration::from_secs(self.runtime),
            answers_after: Duration::from_secs(self.answer),
        };
        let done = play(&options, outage);
        let mut text = done.text;
        match done.faults.as_slice() {
            [] => text += "\nall went down in time and came back\n",
            faults => {
                text += "\n";
                for fault in faults {
                    let _ = writeln!(text, "FAULT: {fault}");
                }
            }
        }
        out::print(&text)?;
        Ok(if done.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
