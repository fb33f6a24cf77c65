//! `qxups scan`: finds UPSes and prints what to write into `ups.conf`.

mod ask;
mod places;
mod print;

use crate::out::{self, Stop};
pub use ask::{ScanTrouble, UpsAnswer};
use clap::Args;
use link::Attached;
#[cfg(test)]
pub use places::Mark;
pub use places::ScanPlace;
pub use print::{lines, names};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::task::LocalSet;

/// The options of `qxups scan`.
#[derive(Args)]
pub struct Scan {
    #[command(flatten)]
    places: ScanOptions,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
    /// Say why it is that dialect, and name USB devices that are not asked
    #[arg(short, long)]
    verbose: bool,
}

/// Where to look for UPSes.
#[derive(Args)]
pub struct ScanOptions {
    /// Serial ports to ask as well; without a name, all that there are: those are asked Q1, a status, and
    /// nothing else until something answers as a UPS does. One that is named is asked what every dialect asks
    #[arg(short, long, value_name = "PATH", num_args = 0..)]
    pub serial: Option<Vec<PathBuf>>,
    /// Serial device servers to ask as well
    #[arg(short, long, value_name = "HOST:PORT")]
    tcp: Vec<String>,
    /// Leave USB out
    #[arg(long)]
    no_usb: bool,
    /// Ask USB devices with these numbers as well, through the bridge of --subdriver
    #[arg(long, value_name = "VID:PID", requires = "subdriver")]
    usb_id: Option<String>,
    /// The bridge for --usb-id
    #[arg(long, value_name = "BRIDGE", requires = "usb_id")]
    subdriver: Option<String>,
    /// Give up on a UPS after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// A place, and what came of asking there: what the UPS is, or why it is not known.
pub struct ScanResult {
    /// Where.
    pub place: ScanPlace,
    /// What.
    pub answer: Result<UpsAnswer, ScanTrouble>,
}

/// Asks all places at once.
async fn ask_all(places: Vec<ScanPlace>, limit: Duration) -> Result<Vec<ScanResult>, String> {
    let asked: Vec<_> = places
        .into_iter()
        .map(|place| {
            out::tell(format_args!("asking {place} ..."));
            tokio::task::spawn_local(async move {
                let answer = ask::ask(&place, limit).await;
                ScanResult { place, answer }
            })
        })
        .collect();
    let mut found = vec![];
    for one in asked {
        found.push(one.await.map_err(|error| error.to_string())?);
    }
    Ok(found)
}

/// The serial ports that may be asked: those with hardware that no program uses.
pub fn free_ports() -> Vec<String> {
    let (ports, _) = places::serial(vec![]).unwrap_or_default();
    ports.iter().map(ToString::to_string).collect()
}

impl Scan {
    /// Asks everywhere at once and prints what was found.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let what_to_try = self.places.what_to_try(self.verbose);
        let (found, foreign) = self.places.look()?;
        let foreign = if self.verbose { &foreign[..] } else { &[] };
        let text =
            if self.json { print::json(&found) } else { print::sections(&found, foreign, self.verbose) };
        out::print(&text)?;
        if found.iter().any(|one| one.answer.is_ok()) {
            if !self.json {
                out::tell(
                    "'sudo qxups setup' writes such sections, and all else that a server needs, by questions",
                );
            }
            return Ok(ExitCode::SUCCESS);
        }
        Err(format!("no UPS answered; {}", what_to_try.join("; ")).into())
    }
}

impl ScanOptions {
    /// Asks everywhere at once, and says on standard error why a place is not known: what was found, and USB devices that
    /// were not asked.
    ///
    /// # Errors
    /// A sentence.
    pub fn look(self) -> Result<(Vec<ScanResult>, Vec<Attached>), Stop> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        LocalSet::new().block_on(&runtime, self.ask())
    }

    async fn ask(mut self) -> Result<(Vec<ScanResult>, Vec<Attached>), Stop> {
        let named = match (&self.usb_id, &self.subdriver) {
            (Some(numbers), Some(bridge)) => Some(places::Named::parse(numbers, bridge)?),
            _ => None,
        };
        let (mut places, mut foreign) = (vec![], vec![]);
        if !self.no_usb {
            match places::on_usb(named.as_ref()).await {
                Ok(found) => (places, foreign) = found,
                // there may be something elsewhere
                Err(why) => out::tell(why),
            }
        }
        if let (Some(numbers), false) = (&self.usb_id, places.iter().any(ScanPlace::is_named)) {
            out::tell(format_args!("no USB device has the numbers {numbers}"));
        }
        if let Some(paths) = self.serial.take() {
            let (ports, passed_over) = places::serial(paths)?;
            passed_over.iter().for_each(out::tell);
            places.extend(ports);
        }
        for server in &self.tcp {
            places.push(ScanPlace::tcp(server)?);
        }
        let limit = Duration::from_secs(u64::from(self.timeout));
        let found = ask_all(places, limit).await?;
        for one in &found {
            if let Err(why) = &one.answer {
                out::tell(format_args!("{}: {}", one.place, why.sentence));
            }
        }
        Ok((found, foreign))
    }

    /// What was not tried yet.
    pub fn what_to_try(&self, verbose: bool) -> Vec<&'static str> {
        let mut tries = vec![];
        match (&self.serial, self.tcp.is_empty()) {
            (None, true) => tries.push("for other places try --serial or --tcp HOST:PORT"),
            (None, false) => tries.push("for serial ports try --serial"),
            (Some(paths), true) if paths.is_empty() => {
                tries.push("a UPS that is silent to Q1 has to be named: --serial PATH; for device servers try --tcp HOST:PORT");
            }
            (Some(_), true) => tries.push("for device servers try --tcp HOST:PORT"),
            (Some(paths), false) if paths.is_empty() => {
                tries.push("a UPS that is silent to Q1 has to be named: --serial PATH");
            }
            (Some(_), false) => {}
        }
        match (self.no_usb, verbose) {
            (true, _) => tries.push("for USB leave out --no-usb"),
            (false, true) => tries.push("for permissions on USB try 'qxups udev'"),
            (false, false) => {
                tries.push(
                    "for permissions on USB try 'qxups udev', and -v names devices that were not asked",
                );
            }
        }
        tries.push("'qxups doctor PORT' says why a port is silent");
        tries
    }
}
