//! `qxups`: tools around UPSes that speak the Q* dialects.

mod demo;
mod explain;
mod sim;
mod view;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tools for UPSes that speak the Q* dialects (Megatec and its kin).
#[derive(Parser)]
#[command(name = "qxups", version, about)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Watch a simulated UPS through an outage: the real driver on a real pseudo-terminal
    Demo(demo::Demo),
    /// Be a UPS, on a pseudo-terminal or TCP, for any driver
    Sim(sim::Sim),
    /// Show replies under their picture, and which letter is wrong
    Explain {
        /// A capture file, - for standard input, or a reply such as '(226.0 195.0 ...'
        what: String,
        /// The question that the reply belongs to
        #[arg(short, long)]
        question: Option<String>,
    },
    /// Print the reference of the dialects
    Protocols {
        /// Only this one
        name: Option<String>,
    },
}

fn main() -> ExitCode {
    let done = match Line::parse().task {
        Task::Demo(demo) => demo.run(),
        Task::Sim(sim) => sim.run(),
        Task::Explain { what, question } => explain::run(&what, question.as_deref()).map(|text| print(&text)),
        Task::Protocols { name } => protocols(name.as_deref()).map(|text| print(&text)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("qxups: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn protocols(name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else { return Ok(qx::reference::reference()) };
    let protocol = qx::protocols::named(name).ok_or_else(|| sim::no_such_protocol(name))?;
    Ok(qx::reference::page(protocol))
}

/// Prints; a reader that has seen enough (`head`) is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
