//! `qxups doctor`: why a UPS is not watched, and what to do about it.
//!
//! Looks from the outside to the inside: `ups.conf`, what is installed, what runs, the port, the line. A port
//! that another program uses is never opened.

mod finding;
mod installed;
mod line;
mod port;
mod running;
mod system;
#[cfg(test)]
mod tests;
mod watched;

use crate::out::{self, Stop};
use clap::Args;
use finding::Report;
use link::{Address, Attached};
use port::Case;
pub use port::{holds_simulated_end, how_to_stop};
use running::Running;
use std::process::ExitCode;
pub use system::{Process, System};
use watched::{Watched, WatchedConf};

/// The server of ours that runs with this state directory, as far as this user may see it.
pub fn server(system: &System) -> Option<Process> {
    running::server(system).ok()
}

/// The options of `qxups doctor`.
#[derive(Args)]
pub struct Doctor {
    /// A UPS of ups.conf, or a port; without it, all of ups.conf
    what: Option<String>,
    /// Try all values of cablepower on a silent serial line: this changes DTR and RTS, which some simple UPSes
    /// take for an order to switch off
    #[arg(long)]
    try_cables: bool,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl Doctor {
    /// Looks for what is wrong: success when there is nothing.
    ///
    /// # Errors
    /// A sentence, when the port that was named is none.
    pub fn run(self) -> Result<ExitCode, Stop> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let report = runtime.block_on(self.examine(&System::real()))?;
        out::print(&if self.json { report.json() } else { report.text() })?;
        Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn examine(&self, system: &System) -> Result<Report, String> {
        let mut report = Report::default();
        let system = &system.with_its_state();
        if !system.sees_all() {
            report.note("qxups doctor", "not run by root, so it does not see who else uses a port, and asks serial ports only by name");
        }
        let plan = match self.what.as_deref().filter(|what| watched::is_port(what)) {
            Some(port) => WatchedConf { watched: vec![watched::port(port)?], ..WatchedConf::default() },
            None => watched::sections(system, self.what.as_deref(), &mut report),
        };
        let server = running::server(system);
        installed::drivers(system, &plan, &server, &mut report);
        if server.is_err() && self.what.as_deref().is_none_or(|what| !watched::is_port(what)) {
            installed::users(system, &plan, &mut report);
        }
        for (name, driver) in &plan.inside {
            running::look_inside(system, name, driver, &mut report);
        }
        for watched in &plan.watched {
            let running = running::look(system, watched, &mut report);
            if self.is_to_be_asked(system, watched, &running, &mut report).await {
                out::tell(format_args!("asking {} ...", watched.config.opening.address));
                line::look(watched, self.try_cables, &mut report).await;
            }
        }
        Ok(report)
    }

    /// Looks at the port; true when it may be opened.
    async fn is_to_be_asked(
        &self,
        system: &System,
        watched: &Watched,
        running: &Running,
        report: &mut Report,
    ) -> bool {
        let case = Case { system, watched, running };
        match &watched.config.opening.address {
            // a port in a section is asked only where all who may use it are seen
            Address::Serial(path) => {
                case.serial(path, report) && (watched.driver.is_none() || system.sees_all())
            }
            Address::Usb(options) => {
                let attached = match link::attached().await {
                    Ok(attached) => attached,
                    Err(why) => {
                        report.note(&watched.name, why);
                        Vec::<Attached>::new()
                    }
                };
                case.usb(options, &attached, report)
            }
            // a device server may take one client and drop the other
            Address::Tcp { .. } | Address::Replay { .. } => *running == Running::Nobody,
        }
    }
}
