//! Manual pages and completions: printed from the tables of the drivers and the definition of the tool.

mod driver;
mod roff;

use crate::client;
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use driver::{DRIVERS, DriverPage};

/// The names of all pages, with their sections.
pub fn names(tool: &Command) -> Vec<(String, u8)> {
    let drivers = DRIVERS.iter().map(|driver| (driver.name().to_string(), 8));
    drivers.chain(tool_commands(tool).into_iter().map(|command| (title(&command), 1))).collect()
}

/// The page of that name.
///
/// # Errors
/// A sentence, when there is none.
pub fn page(tool: &Command, name: &str) -> Result<String, String> {
    let name = without_section(name);
    if let Some(driver) = DRIVERS.iter().find(|driver| driver.name() == name) {
        return Ok(driver.page());
    }
    let found = tool_commands(tool).into_iter().find(|command| title(command) == name);
    let command = found.ok_or_else(|| format!("there is no page '{name}'; 'qxups man' names all"))?;
    let mut page = vec![];
    clap_mangen::Man::new(command)
        .date("")
        .manual("qxups")
        .source(source())
        .render(&mut page)
        .map_err(|error| error.to_string())?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some((before, extra)) = page.split_once(".SH EXTRA\n") {
        page = format!("{before}{}", sections(extra));
    }
    if !page.contains("EXIT STATUS") {
        page += ".SH EXIT STATUS\n0 when what was asked for was done or found, else 1, with one sentence on standard error.\n";
    }
    page += ".SH SEE ALSO\nqxups(1), nutdrv_qx(8), blazer_ser(8), blazer_usb(8)\n";
    Ok(page)
}

/// A name as 'qxups man' and other pages write it, with the section behind it: `nutdrv_qx(8)`, `nutdrv_qx.8`.
fn without_section(name: &str) -> &str {
    let is_section = |text: &str| matches!(text, "1" | "8");
    let in_brackets = name.strip_suffix(')').and_then(|name| name.split_once('('));
    let parts = in_brackets.or_else(|| name.rsplit_once('.'));
    parts.filter(|(_, section)| is_section(section)).map_or(name, |(name, _)| name)
}

/// What stands behind the options: its lines are kept as they are, and a line such as "Exit status:" begins a section.
fn sections(extra: &str) -> String {
    let mut page = String::new();
    for line in extra.lines() {
        let is_title = |title: &str| title.chars().all(|letter| letter.is_alphabetic() || letter == ' ');
        match line.strip_suffix(':').filter(|title| is_title(title) && !title.starts_with(' ')) {
            Some(title) => {
                let end = if page.is_empty() { "" } else { ".fi\n" };
                page += &format!("{end}.SH \"{}\"\n.nf\n", title.to_uppercase());
            }
            None if page.is_empty() => page += &format!(".SH EXTRA\n.nf\n{line}\n"),
            None => page += &format!("{line}\n"),
        }
    }
    page + ".fi\n"
}

/// Completions of `program` for a shell.
///
/// # Errors
/// A sentence, when there is no such program.
pub fn completions(tool: &Command, shell: Shell, program: &str) -> Result<String, String> {
    let mut command = match DRIVERS.iter().find(|driver| driver.name() == program) {
        Some(driver) => driver_command(driver.name()),
        None if program == tool.get_name() => tool.clone(),
        None => {
            let names: Vec<&str> = DRIVERS.iter().map(DriverPage::name).collect();
            return Err(format!(
                "there are no completions for '{program}'; there are some for qxups, {}",
                names.join(", ")
            ));
        }
    };
    let mut text = vec![];
    clap_complete::generate(shell, &mut command, program, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(if program == tool.get_name() { client::live(shell, text) } else { text })
}

fn source() -> String {
    format!("qxups {}", env!("CARGO_PKG_VERSION"))
}

/// The tool and each of its subcommands.
fn tool_commands(tool: &Command) -> Vec<Command> {
    let mut tool = tool.clone().disable_help_subcommand(true);
    tool.build();
    let parts: Vec<Command> = tool.get_subcommands().filter(|part| !part.is_hide_set()).cloned().collect();
    std::iter::once(tool).chain(parts).collect()
}

fn title(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_string()
}

/// A driver's letters, for completions only: what they mean, [`::driver::command_line`] says.
fn driver_command(name: &'static str) -> Command {
    let arguments = ::driver::command_line::LETTERS.iter().map(|row| {
        // clap wants a name that lives for ever; the sentence is one
        let argument = Arg::new(row.about).short(row.letter).help(row.about);
        match row.value {
            Some(value) => argument.value_name(value).action(ArgAction::Append),
            None => argument.action(ArgAction::Count),
        }
    });
    Command::new(name).disable_help_flag(true).disable_version_flag(true).args(arguments)
}
