//! `qxups`: tools around UPSes that speak the Q* dialects.

mod capture;
mod check_config;
mod client;
mod conf_file;
mod demo;
mod doctor;
mod drill;
mod driver_dump;
mod explain;
mod from_environment;
mod history;
mod killpower;
mod manual;
mod out;
mod passwd;
mod port_user;
mod prove;
mod same_port;
mod scan;
mod serve;
mod setup;
mod shutdown;
mod sim;
mod supported;

use clap::{CommandFactory, Parser, Subcommand};
use out::Stop;
use std::process::ExitCode;

/// What `--version` says. ring has parts under the Apache licence alone, which goes with GPL-3 but not with GPL-2.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nSources: GPL-2.0-or-later. This program, as it is linked with TLS: GPL-3.0-or-later.\nThere is no warranty, as far as the law permits."
);

/// Tools for UPSes that speak the Q* dialects (Megatec and its kin).
#[derive(Parser)]
// as wide as a terminal at least is: also where help goes to a pipe
#[command(name = "qxups", version, long_version = VERSION, max_term_width = 80)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Serve simulated UPSes of several dialects and show them: an outage, the page, the history; nothing of it stays
    Demo(demo::Demo),
    /// Write ups.conf, upsd.conf, upsd.users and qxups.toml, by questions: finds the UPSes, shows all before it writes
    Setup(setup::SetupOptions),
    /// Watch every UPS of ups.conf, and serve all clients of NUT, in place of upsd
    Serve(serve::Serve),
    /// Make the hash of a password for upsd.users
    Passwd(passwd::Passwd),
    /// Have a running server read its configuration again, and say what came of it
    Reload {
        /// The server's PID file, or the folder of it; left out: where 'qxups serve' and upsd have it
        place: Option<std::path::PathBuf>,
    },
    /// List what a running server tells by its rules: what is raised, which timers run until when, what waits
    Timers {
        /// The server's PID file, or the folder of it; left out: where 'qxups serve' and upsd have it
        place: Option<std::path::PathBuf>,
    },
    /// Say what would happen to the hosts that a running server protects, if mains failed now
    Plan {
        /// The server's PID file, or the folder of it; left out: where 'qxups serve' and upsd have it
        place: Option<std::path::PathBuf>,
    },
    /// Play an outage by [protect] of qxups.toml, in virtual time on a model: nothing real is asked or ordered
    Drill(drill::DrillLine),
    /// Be a UPS, on a pseudo-terminal or TCP, for any driver
    Sim(sim::SimOptions),
    /// Find UPSes on USB, and on serial ports and device servers that you name
    Scan(scan::Scan),
    /// Find out why a UPS is not watched, and what to do
    Doctor(doctor::Doctor),
    /// Record what a UPS says, to send it to the developers, or to replay it
    Capture(capture::CaptureOptions),
    /// Prove a real UPS step by step, and write a report to send: nothing is sent that was not agreed to
    Prove(prove::Prove),
    /// Say what switching the load off would send, and when the load would go off and on
    Shutdown(shutdown::Shutdown),
    /// At the end of a shutdown: switch off the loads of the UPSes that a flag names, when the server is gone
    Killpower(killpower::Killpower),
    /// Check ups.conf line by line: what would not work, and what to write instead
    CheckConfig(check_config::CheckConfig),
    /// Say whether a UPS is supported, and what that is proved by
    Supported {
        /// Its maker and model, or some of both; or its numbers on USB, as 0665:5161. Left out: all that is known
        what: Vec<String>,
    },
    /// List the UPSes of a NUT server, or what a UPS has: variables, commands, hosts
    List(client::List),
    /// Get values of variables from a NUT server
    Get(client::Get),
    /// Set variables of a UPS, and wait for the outcome
    Set(client::SetOptions),
    /// Give a command to a UPS, and wait for the outcome
    Cmd(client::Cmd),
    /// Log readings to a file, with the format strings of upslog
    Log(client::LogOptions),
    /// Print a line for each change of what NUT servers say
    Watch(client::Watch),
    /// Show what happened to the UPSes of this host's server, or how a variable was over time
    History(history::History),
    /// Show the outages that this host's server saw
    Outages(history::Outages),
    /// Show all UPSes of one or several NUT servers, live in the terminal, with keys for commands
    Top(client::Top),
    /// Check where a NUT server departs from the protocol, and which clients stumble over it
    Conform(client::Conform),
    /// Print what can stand next on the command line
    #[command(hide = true)]
    Complete(client::Complete),
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
    /// Print the reference of the USB bridges
    Bridges {
        /// Only this one
        name: Option<String>,
    },
    /// Print what is corrected in what UPSes say, and by what name that is switched on or off
    Quirks,
    /// Print rules for udev that let the driver's user talk to UPSes on USB
    Udev {
        /// The group that may
        #[arg(long, default_value = "nut")]
        group: String,
        /// Entries for udev's hardware database instead
        #[arg(long)]
        hwdb: bool,
    },
    /// Print a manual page, for `man -l -`; without a name, the names of all
    Man {
        /// Such as nutdrv_qx or qxups-scan
        page: Option<String>,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
        /// The program to complete: this one, or a driver
        #[arg(default_value = "qxups")]
        program: String,
    },
}

fn main() -> ExitCode {
    driver::name_service::use_files_and_dns_if_static();
    // under that name it is the server, with the command line of upsd(8); a link is enough
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    if called.as_deref().and_then(std::path::Path::file_name).is_some_and(|name| name == "upsd") {
        return ::serve::program::main();
    }
    match Line::try_parse() {
        Ok(line) => end(line.task.run()),
        Err(said) => end(help(&said)),
    }
}

impl Task {
    fn run(self) -> Result<ExitCode, Stop> {
        let text = match self {
            Task::Setup(setup) => return setup.run(),
            Task::Scan(scan) => return scan.run(),
            Task::Capture(capture) => return capture.run(),
            Task::Doctor(doctor) => return doctor.run(),
            Task::CheckConfig(check) => return check.run(),
            Task::Demo(demo) => return demo.run(),
            Task::Sim(sim) => return sim.run(),
            Task::Serve(serve) => return serve.run(),
            Task::Killpower(killpower) => return killpower.run(),
            Task::Reload { place } => {
                format!("reload: {}\n", ::serve::program::reload(place.as_deref())?)
            }
            Task::Timers { place } => format!("{}\n", ::serve::program::timers(place.as_deref())?),
            Task::Plan { place } => format!("{}\n", ::serve::program::outage_plan(place.as_deref())?),
            Task::Drill(drill) => return drill.run(),
            Task::Passwd(passwd) => return passwd.run(),
            Task::Prove(prove) => return prove.run(),
            Task::List(list) => return client::end(list.run()),
            Task::Get(get) => return client::end(get.run()),
            Task::Set(set) => return client::end(set.run()),
            Task::Cmd(cmd) => return client::end(cmd.run()),
            Task::Log(log) => return client::end(log.run()),
            Task::Watch(watch) => return client::end(watch.run()),
            Task::Top(top) => return client::end(top.run()),
            Task::Conform(conform) => return client::end(conform.run()),
            Task::History(history) => return history.run(),
            Task::Outages(outages) => return outages.run(),
            Task::Complete(complete) => return client::end(complete.run()),
            Task::Shutdown(shutdown) => shutdown.run()?,
            Task::Explain { what, question } => explain::run(&what, question.as_deref())?,
            Task::Supported { what } => {
                supported::run((!what.is_empty()).then(|| what.join(" ")).as_deref())?
            }
            Task::Protocols { name } => protocols(name.as_deref())?,
            Task::Bridges { name } => bridges(name.as_deref())?,
            Task::Quirks => qx::options::quirk::page(),
            Task::Udev { group, hwdb } => udev(&group, hwdb)?,
            Task::Man { page } => man(page.as_deref())?,
            Task::Completions { shell, program } => manual::completions(&Line::command(), shell, &program)?,
        };
        out::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The help that was asked for, on standard output, or what is wrong with the command line.
fn help(said: &clap::Error) -> Result<ExitCode, Stop> {
    let text = said.render().to_string();
    match said.use_stderr() {
        true => out::tell(text.trim_end()),
        false => out::print(&text)?,
    }
    Ok(u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn end(done: Result<ExitCode, Stop>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(Stop::ReaderLeft) => ExitCode::FAILURE,
        Err(Stop::Failed(sentence)) => {
            out::tell(format_args!("qxups: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

fn protocols(name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else { return Ok(qx::text::reference::reference()) };
    let protocol = qx::protocols::named(name).ok_or_else(|| sim::no_such_protocol(name))?;
    Ok(qx::text::reference::page(protocol))
}

fn bridges(name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else { return Ok(qx::text::bridge_reference::reference()) };
    let names: Vec<&str> = qx::usb::bridges::ALL.iter().map(|bridge| bridge.name).collect();
    let bridge = qx::usb::bridges::named(name);
    let bridge =
        bridge.ok_or_else(|| format!("there is no bridge '{name}'; there are {}", names.join(", ")))?;
    Ok(qx::text::bridge_reference::page(bridge))
}

fn udev(group: &str, hwdb: bool) -> Result<String, String> {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    match (hwdb, !group.is_empty() && group.chars().all(harmless)) {
        (true, _) => Ok(qx::text::bridge_reference::hwdb()),
        (false, true) => Ok(qx::text::bridge_reference::udev_rules(group)),
        (false, false) => Err(format!("--group {group}: write the name of a group")),
    }
}

fn man(page: Option<&str>) -> Result<String, String> {
    let tool = Line::command();
    match page {
        Some(name) => manual::page(&tool, name),
        None => {
            Ok(manual::names(&tool).iter().map(|(name, section)| format!("{name}({section})\n")).collect())
        }
    }
}
