//! `qxups history` and `qxups outages`: what the server wrote down of its UPSes, read from the file.

mod energy;
mod events;
mod outages;
mod since;
mod table;
mod values;

use crate::out::{self, Stop};
use ::history::{HistoryReader, Provenance, Quantity, SeriesKey};
use driver::config::Paths;
use since::{Since, since};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::RowForm;

/// No command prints more lines than this; of events and outages the latest.
const MOST: u32 = 100_000;

/// What is common to both commands.
#[derive(clap::Args)]
struct Shown {
    /// Since when: 30m, 12h, 7d, 8w, or a date such as 2026-03-01 or 2026-03-01T14:00
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Since>,
    /// The file; left out, the one that qxups.toml names
    #[arg(long)]
    file: Option<PathBuf>,
    /// For programs: JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// For programs: CSV, the first line with names
    #[arg(long)]
    csv: bool,
}

/// Events, or a variable over time.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  qxups history                                what happened in the last 7 days
  qxups history rack --since 24h -V input.voltage
  qxups history -V energy                      what the loads took since it is counted

Values that the UPS does not say but that were computed or estimated here are marked
with *, and stand in rows of their own. Times are those of this host's zone.")]
pub struct History {
    /// The UPS; left out, all of them
    ups: Option<String>,
    /// Its values over time in place of events: input.voltage, output.voltage, ups.load, battery.charge,
    /// battery.voltage, ups.temperature, battery.runtime, ups.realpower, input.frequency, output.frequency; or energy
    #[arg(short = 'V', long, value_name = "NAME", value_parser = variable)]
    variable: Option<Wanted>,
    /// In about so many rows
    #[arg(long, value_name = "NUMBER", default_value = "48", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    points: u32,
    #[command(flatten)]
    shown: Shown,
}

/// Outages: when, how long, how deep.
#[derive(clap::Args)]
#[command(after_help = "\
Charge and volts are the lowest that were read, load is the mean. > marks an outage that
lasts, ~ one of which not all was seen, * what the UPS does not say itself, L that it said
that its battery is low, T that it said that it tests itself.")]
pub struct Outages {
    /// The UPS; left out, all of them
    ups: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

/// What `--variable` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Energy,
    Values(Quantity),
}

fn variable(text: &str) -> Result<Wanted, String> {
    if text.eq_ignore_ascii_case("energy") {
        return Ok(Wanted::Energy);
    }
    let names = || Quantity::ALL.iter().map(|quantity| quantity.variable());
    Quantity::named(text).map(Wanted::Values).ok_or_else(|| match station::config::nearest(text, names()) {
        Some(name) => format!("no history is kept of it; did you mean {name}?"),
        None => format!(
            "no history is kept of it; there are {} and energy",
            names().collect::<Vec<_>>().join(", ")
        ),
    })
}

impl Shown {
    fn form(&self) -> RowForm {
        match (self.json, self.csv) {
            (true, _) => RowForm::Json,
            (_, true) => RowForm::Csv,
            _ => RowForm::Table,
        }
    }

    fn open(&self) -> Result<(HistoryReader, PathBuf), Stop> {
        let file = self.file.clone().map_or_else(configured, Ok)?;
        let name = file.display();
        // who may not enter the folder does not see whether it is there
        std::fs::File::open(&file).map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!(
                "history {name} is not there: start the server, which makes it, or name another by --file"
            ),
            ErrorKind::PermissionDenied => format!(
                "history {name} cannot be read: {error}; run this with sudo, or as a member of the group of the server's user"
            ),
            _ => format!("history {name} cannot be read: {error}; name another by --file"),
        })?;
        let reader = HistoryReader::open_as_guest(&file).map_err(|why| format!("history {name}: {why}"))?;
        Ok((reader, file))
    }
}

/// The file that the server of this host writes.
fn configured() -> Result<PathBuf, String> {
    let Paths { conf, lasting, .. } = Paths::from_environment();
    let extras = serve::program::Where::Folder(conf.clone()).extras()?;
    let toml = conf.join(serve::extras::FILE);
    extras.history.map(|options| serve::chronicle::path_of(&options, &lasting)).ok_or_else(|| {
        format!(
            "no history is kept: write enabled = true below [history] in {}, run 'qxups reload', or name a file by --file",
            toml.display()
        )
    })
}

/// The name as the history has it.
fn known(reader: &HistoryReader, file: &Path, ups: Option<&str>) -> Result<Vec<String>, Stop> {
    let said = |why: ::history::HistoryTrouble| format!("history {}: {why}", file.display());
    let all = reader.upses().map_err(said)?;
    let Some(ups) = ups else { return Ok(all) };
    match all.iter().find(|known| known.eq_ignore_ascii_case(ups)) {
        Some(known) => Ok(vec![known.clone()]),
        None => {
            let names: Vec<String> = all.iter().take(20).map(|name| table::plain(name)).collect();
            Err(format!("the history has no UPS {}; there are: {}", table::plain(ups), names.join(", "))
                .into())
        }
    }
}

impl History {
    /// Prints it.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn run(self) -> Result<ExitCode, Stop> {
        let (reader, file) = self.shown.open()?;
        let upses = known(&reader, &file, self.ups.as_deref())?;
        let form = self.shown.form();
        let text = match self.variable {
            None => {
                let since = since::ms(self.shown.since, 7 * 24);
                let one = self.ups.as_ref().and_then(|_| upses.first());
                reader.events(one.map(String::as_str), since, MOST).map(|rows| events::show(&rows, form))
            }
            Some(Wanted::Energy) => energy::read(&reader, &upses).map(|rows| energy::show(&rows, form)),
            Some(Wanted::Values(quantity)) => {
                let range = (since::ms(self.shown.since, 24), since::now_ms());
                let read = values::read(&reader, &upses, quantity, range, self.points);
                read.map(|rows| values::show(&rows, quantity, form))
            }
        };
        out::print(&text.map_err(|why| format!("history {}: {why}", file.display()))?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Outages {
    /// Prints them.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn run(self) -> Result<ExitCode, Stop> {
        let (reader, file) = self.shown.open()?;
        let upses = known(&reader, &file, self.ups.as_deref())?;
        let since = self.shown.since.map_or(i64::MIN, |since| since::ms(Some(since), 0));
        let one = self.ups.as_ref().and_then(|_| upses.first());
        let rows = reader
            .outages(one.map(String::as_str), since, MOST)
            .map_err(|why| format!("history {}: {why}", file.display()))?;
        out::print(&outages::show(&rows, self.shown.form()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Both series of a quantity: what the UPS says, and what was computed.
fn both(quantity: Quantity) -> [SeriesKey; 2] {
    [SeriesKey::said(quantity), SeriesKey::computed(quantity)]
}

/// Behind a value that the UPS does not say itself.
fn mark(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Said => "",
        Provenance::Computed => "*",
    }
}
