//! `qxups check-config`: what is wrong with `ups.conf`, and with `qxups.toml` beside it, line by line, and what to write.

mod beside;
mod check;
mod names;
mod print;
mod values;

use crate::out::{self, Stop};
use beside::CheckedExtras;
use check::CheckReport;
use driver::config::Paths;
use serve::extras;
use station::config::{LONGEST_CONF, nearest};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to check.
#[derive(clap::Args)]
pub struct CheckConfig {
    /// ups.conf, beside which qxups.toml is checked as well, or qxups.toml alone; left out, those of NUT
    file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    /// Prints what there is to say. The exit code is 1 when something would not work.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let file = self.file.unwrap_or_else(|| Paths::from_environment().conf.join("ups.conf"));
        let is_extras = file.file_name().is_some_and(|name| name == extras::FILE);
        let (report, beside) = match is_extras {
            true => (None, Some(CheckedExtras::of(&file, &read(&file)?))),
            false => (Some(report(&file)?), beside(&file)?),
        };
        let file = file.display().to_string();
        out::print(&match (self.json, &report) {
            (true, report) => print::json(&file, report.as_ref(), beside.as_ref()),
            (false, report) => print::text(&file, report.as_ref(), beside.as_ref()),
        })?;
        let works = report.is_none_or(|report| report.works()) && beside.is_none_or(|beside| beside.works());
        Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Stop> {
    Ok(link::read_piped(file, LONGEST_CONF).map_err(|error| {
        format!("cannot read {}: {error}; name the file, or become a user who may read it", file.display())
    })?)
}

fn report(file: &Path) -> Result<CheckReport, Stop> {
    Ok(check::check(&nut::ups_conf::parse(&read(file)?), file.parent().unwrap_or(Path::new("/"))))
}

/// `qxups.toml` in the folder of `ups.conf`, where there is one.
fn beside(file: &Path) -> Result<Option<CheckedExtras>, Stop> {
    let beside = file.with_file_name(extras::FILE);
    match beside.is_file() {
        true => Ok(Some(CheckedExtras::of(&beside, &read(&beside)?))),
        false => Ok(None),
    }
}
