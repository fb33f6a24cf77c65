//! `qxups check-config`: what is wrong with `ups.conf`, and with the files of server and upsmon beside it, line by line, and
//! what to write.

mod beside;
mod certificate;
mod check;
mod commands;
mod names;
mod print;
mod protect;
mod upsmon;
mod upssched;
mod values;

use crate::out::{self, Stop};
use beside::CheckedFile;
use check::CheckReport;
use driver::config::Paths;
use station::config::{LONGEST_CONF, Severity, nearest};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Whether NUT has a driver of this name besides those that qxups has.
pub fn is_driver_of_nut(name: &str) -> bool {
    matches!(names::driver(name), names::Known::Exactly)
}

/// What to check.
#[derive(clap::Args)]
pub struct CheckConfig {
    /// ups.conf or its folder, with upsd.conf, upsd.users, upsmon.conf, upssched.conf and qxups.toml beside it, or one of
    /// these alone; of upsmon.conf and upssched.conf alone, also what they are in qxups.toml; left out, the files of NUT
    file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    /// Prints what there is to say. The exit code is 1 when something would not work.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let file = self.file.unwrap_or_else(|| Paths::from_environment().conf);
        let file = if file.is_dir() { file.join("ups.conf") } else { file };
        let (report, mut beside) = match CheckedFile::is_one(&file) {
            true => (None, vec![CheckedFile::alone(&file, &read(&file)?)]),
            false => (Some(report(&file)?), beside(&file)),
        };
        let folder = std::path::absolute(&file).unwrap_or_else(|_| file.clone());
        certificate::check(folder.parent().unwrap_or(Path::new("/")), &mut beside);
        let file = file.display().to_string();
        out::print(&match (self.json, &report) {
            (true, report) => print::json(&file, report.as_ref(), &beside),
            (false, report) => print::text(&file, report.as_ref(), &beside),
        })?;
        let works = report.is_none_or(|report| report.works()) && beside.iter().all(CheckedFile::works);
        Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The first thing that would not work in texts that are to be written, with its file and line.
pub fn first_error(files: &[(PathBuf, Vec<u8>)]) -> Option<String> {
    files.iter().find_map(|(path, text)| {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let findings = match CheckedFile::is_one(path) {
            true => CheckedFile::of(path, text).findings,
            false => check::check(&nut::ups_conf::parse(text), folder).findings,
        };
        let wrong = findings.into_iter().find(|finding| finding.severity == Severity::Error)?;
        Some(format!("{}, line {}: {}", path.display(), wrong.line.unwrap_or(1), wrong.text))
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Stop> {
    Ok(link::read_piped(file, LONGEST_CONF).map_err(|error| {
        format!("cannot read {}: {error}; name the file, or become a user who may read it", file.display())
    })?)
}

fn report(file: &Path) -> Result<CheckReport, Stop> {
    Ok(check::check(&nut::ups_conf::parse(&read(file)?), file.parent().unwrap_or(Path::new("/"))))
}

/// The files of server and upsmon in the folder of `ups.conf`, as far as they are there.
fn beside(file: &Path) -> Vec<CheckedFile> {
    let files = beside::NAMES.map(|name| file.with_file_name(name));
    let there = files.iter().filter(|file| file.is_file());
    there
        .map(|file| match link::read_piped(file, LONGEST_CONF) {
            Ok(text) => CheckedFile::of(file, &text),
            Err(error) => CheckedFile::unread(file, &error),
        })
        .collect()
}
