//! `qxups check-config`: what is wrong with `ups.conf`, line by line, and what to write.

mod check;
mod names;
mod print;
mod values;

use crate::out::{self, Stop};
use driver::config::Paths;
use station::config::{LONGEST_CONF, nearest};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to check.
#[derive(clap::Args)]
pub struct CheckConfig {
    /// The file; left out, that of NUT
    file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    /// Prints what there is to say. The exit code is 1 when something would not work.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let file = self.file.unwrap_or_else(|| Paths::from_environment().conf.join("ups.conf"));
        let text = link::read_piped(&file, LONGEST_CONF).map_err(|error| {
            format!(
                "cannot read {}: {error}; name the file, or become a user who may read it",
                file.display()
            )
        })?;
        let report = check::check(&nut::ups_conf::parse(&text), file.parent().unwrap_or(Path::new("/")));
        let file = file.display().to_string();
        out::print(&if self.json { print::json(&file, &report) } else { print::text(&file, &report) })?;
        Ok(if report.works() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
