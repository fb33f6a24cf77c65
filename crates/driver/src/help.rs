//! What `-h`, `-V` and `-L` print.

use crate::command_line::{LETTERS, Task};
use qx::options::rows::{OptionKind, OptionRow};
use station::driver_kind::DriverKind;
use station::outlet;
use std::process::ExitCode;

/// The first line of whatever a driver prints.
pub(crate) fn banner(kind: &DriverKind) -> String {
    format!("qxups {} - {}, a drop-in for Network UPS Tools", env!("CARGO_PKG_VERSION"), kind.name)
}

/// The text of a task that only prints one.
pub(crate) fn text(kind: &DriverKind, task: &Task) -> Option<String> {
    let banner = banner(kind);
    match task {
        Task::Version => Some(format!("{banner}\n")),
        Task::Help => Some(format!("{banner}\n{}", help(kind))),
        Task::ListOptions => {
            let kind_of = |row: &OptionRow| if row.kind == OptionKind::Flag { "FLAG" } else { "VALUE" };
            let rows = kind.all_options();
            let rows = rows.map(|row| format!("{} {} \"{}\"\n", kind_of(row), row.name, row.about));
            Some(format!("{banner}\n{}", rows.collect::<String>()))
        }
        Task::Run | Task::KillPower | Task::Dump(_) | Task::Signal(_) => None,
    }
}

fn help(kind: &DriverKind) -> String {
    let mut text = format!("\nusage: {} (-a NAME | -s NAME) [options]\n\n", kind.name);
    for row in LETTERS {
        let name = format!("-{} {}", row.letter, row.value.unwrap_or_default());
        text += &format!("  {name:<14} {}\n", row.about);
    }
    text += "\nOptions for -x and ups.conf:\n\n";
    for row in kind.all_options() {
        let name = match row.kind {
            OptionKind::Value => format!("{}=VALUE", row.name),
            OptionKind::Flag | OptionKind::Either => row.name.to_string(),
        };
        text += &format!("  {name:<36} {}\n", row.about);
    }
    text
}

/// Prints what was asked for: 1 when it cannot be written.
pub(crate) fn shown(text: &str) -> ExitCode {
    outlet::print(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
