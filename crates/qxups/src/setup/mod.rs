//! `qxups setup`: NUT's files and `qxups.toml`, by questions on the terminal.
//!
//! What stands in a file stays; only what is missing is proposed. Nothing is written before all of it was shown and
//! agreed to, and then all of it or nothing.

mod ask;
mod folder;
mod next;
mod plan;
mod secret;
mod show;
mod upses;
mod users;
mod write;

use crate::check_config;
use crate::out::{self, Stop};
use crate::scan::ScanOptions;
use ask::Answers;
use clap::{Args, ValueEnum};
use driver::config::Paths;
use folder::ConfFolder;
use plan::{FileChange, SetupPlan};
use std::path::PathBuf;
use std::process::ExitCode;

/// What stands below the options, and in the manual page.
const MORE: &str = "\
Files:
  FOLDER/ups.conf    a section for each UPS that is found and in no section yet
  FOLDER/upsd.conf   LISTEN, where there is none
  FOLDER/upsd.users  a user who watches and one who commands, where there is none
  FOLDER/qxups.toml  history and page, where the file says nothing of them
  FOLDER/upsmon.conf MONITOR, where upsmon is to shut this host down
  FOLDER/nut.conf    MODE=standalone in place of MODE=none, for upsmon

Exit status:
  0  written, or nothing was missing
  1  nothing is written: a sentence says why
  2  wrong command line";

/// Where something listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reachable {
    /// For programs of this host
    Loopback,
    /// At every address of this host
    All,
}

/// Where the page is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PageChoice {
    /// Nowhere
    No,
    /// For browsers of this host
    Loopback,
    /// At every address of this host, encrypted
    All,
}

/// Whether something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wish {
    /// It is
    Yes,
    /// It is not
    No,
}

/// How passwords are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PasswordForm {
    /// As a hash, which 'qxups serve' checks and NUT's own upsd does not
    Hashed,
    /// As they are, for either
    Plain,
}

/// The options of `qxups setup`.
#[derive(Args)]
#[command(after_help = MORE)]
pub struct SetupOptions {
    /// The folder of the files; left out: NUT_CONFPATH, or /etc/nut
    folder: Option<PathBuf>,
    #[command(flatten)]
    places: ScanOptions,
    /// Where clients of NUT reach the server [proposed: loopback]
    #[arg(long, value_enum, value_name = "WHERE", help_heading = "Answers")]
    listen: Option<Reachable>,
    /// Whether a history is kept [proposed: yes]
    #[arg(long, value_enum, value_name = "WISH", help_heading = "Answers")]
    history: Option<Wish>,
    /// Where the page is served [proposed: loopback]
    #[arg(long, value_enum, value_name = "WHERE", help_heading = "Answers")]
    page: Option<PageChoice>,
    /// Have upsmon shut this host down when the battery of this UPS is low [proposed: of none]
    #[arg(long, value_name = "UPS", help_heading = "Answers")]
    upsmon: Option<String>,
    /// How passwords are stored [proposed: hashed]
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Answers")]
    passwords: Option<PasswordForm>,
    /// Ask nothing: take what is proposed, with new passwords, and write it
    #[arg(short, long, conflicts_with = "print")]
    yes: bool,
    /// Ask and write nothing: print what --yes would write
    #[arg(short, long)]
    print: bool,
}

impl SetupOptions {
    /// Asks, shows and writes.
    ///
    /// # Errors
    /// A sentence, with what was written.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let answers = match self.yes || self.print {
            true => Answers::proposed(),
            false => Answers::of_terminal()?,
        };
        let is_print = self.print;
        let path = self.folder.clone().unwrap_or_else(|| Paths::from_environment().conf);
        let folder = ConfFolder::read(&path).map_err(|why| unwritten(why.into()))?;
        answers.say(&format!("Configuration: {}", folder.about()))?;
        // what would fail in the end is said before any question
        try_all(&folder).map_err(unwritten)?;
        let plan = self.plan(&folder, &answers).map_err(unwritten)?;
        let changes = plan.changes(&folder).map_err(|why| unwritten(why.into()))?;
        if changes.is_empty() {
            answers.say("Nothing is missing there.")?;
            return Ok(ExitCode::SUCCESS);
        }
        check(&folder, &changes).map_err(unwritten)?;
        let passwords: Vec<String> = plan.users.iter().map(|user| user.password.text.clone()).collect();
        out::print(&show::all(&folder, &changes, &passwords))?;
        if !is_print {
            if !answers.agrees("Write this?").map_err(unwritten)? {
                return Err(unwritten("it was not agreed to".into()));
            }
            write::all(&folder, &changes)?;
        }
        out::print(&next::steps(&folder, &plan, is_print))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Finds the UPSes, and asks for all else.
    fn plan(self, folder: &ConfFolder, answers: &Answers) -> Result<SetupPlan, Stop> {
        let SetupOptions { places, listen, history, page, upsmon, passwords, .. } = self;
        let mut plan = SetupPlan { upses: upses::find(folder, places, answers)?, ..SetupPlan::default() };
        let names = plan.all_upses(folder);
        if names.is_empty() {
            return Err(
                "there is no UPS to write: plug it in, name its port (--serial PATH, --tcp HOST:PORT), or see 'qxups scan'"
                    .into(),
            );
        }
        if folder.listens() {
            answers.say("upsd.conf says where to listen.")?;
        } else {
            plan.listen = Some(answers.choose(
                listen,
                "Clients of NUT reach the server from this host alone, or from all of the network?",
                Reachable::Loopback,
            )?);
        }
        plan.users = users::choose(folder, passwords, answers)?;
        let (has_history, has_page) = folder.extras_there()?;
        if !has_history {
            let wish = answers.choose(
                history,
                "Keep a history of events and values (64 MiB at most)?",
                Wish::Yes,
            )?;
            plan.history = wish == Wish::Yes;
        }
        if !has_page {
            let choice = answers.choose(page, "Show the UPSes in a browser?", PageChoice::Loopback)?;
            plan.page = Some(choice).filter(|choice| *choice != PageChoice::No);
        }
        plan.monitor = users::monitor(folder, &plan.users, &names, upsmon, answers)?;
        Ok(plan)
    }
}

/// What ended it, before anything was written.
fn unwritten(stop: Stop) -> Stop {
    match stop {
        Stop::Failed(why) => Stop::Failed(format!("{why}; nothing is written")),
        Stop::ReaderLeft => stop,
    }
}

/// Whether the files that are there can be used, and added to.
fn try_all(folder: &ConfFolder) -> Result<(), Stop> {
    check(folder, &SetupPlan::trial(folder)?.changes(folder)?)
}

/// Whether the result would work, as 'qxups check-config' sees it.
fn check(folder: &ConfFolder, changes: &[FileChange<'_>]) -> Result<(), Stop> {
    let files: Vec<(PathBuf, Vec<u8>)> = folder
        .server_files()
        .into_iter()
        .filter_map(|(name, file)| {
            let changed = changes.iter().find(|change| change.name == name).map(|change| change.text.clone());
            let text = changed.or_else(|| file.is_there().then(|| file.text.clone()))?;
            Some((folder.path.join(name), text))
        })
        .collect();
    match check_config::first_error(&files) {
        None => Ok(()),
        Some(error) => Err(format!("{error}; correct that first ('qxups check-config' names all)").into()),
    }
}
