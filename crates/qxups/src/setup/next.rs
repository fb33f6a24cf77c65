//! What to do when the files are written: commands that work as they stand, for this user and this folder.

use super::PageChoice;
use super::folder::ConfFolder;
use super::plan::{PAGE_PORT, SetupPlan};
use crate::doctor::{self, System};
use driver::config::{Paths, USER};
use nix::unistd::{AccessFlags, Uid, User, access};
use nut::network::PORT;
use nut::upsd_conf;
use std::fmt::Write;
use std::path::Path;

/// Where a unit for the server is installed.
const UNITS: [&str; 3] = [
    "/etc/systemd/system/qxups-serve.service",
    "/usr/lib/systemd/system/qxups-serve.service",
    "/lib/systemd/system/qxups-serve.service",
];

/// A command, and what it is for.
type Step = (String, String);

/// The text, with passwords that were made.
pub fn steps(folder: &ConfFolder, plan: &SetupPlan, is_print: bool) -> String {
    if is_print {
        return "Nothing is written. --yes writes it, with new passwords, and shows those.\n".into();
    }
    let mut text = String::from("Written.\n");
    let made: Vec<_> = plan.users.iter().filter(|user| user.password.is_made).collect();
    if !made.is_empty() {
        text += "Passwords that were made; they are shown only here:\n";
        for user in made {
            let _ = writeln!(text, "  {:<12} {}", user.name, user.password.text);
        }
    }
    text += "Next:\n";
    for (command, what) in commands(folder, plan) {
        text += &row(&command, &what);
    }
    match plan.page {
        Some(PageChoice::All) => {
            let _ = writeln!(text, "The page: https://ADDRESS-OF-THIS-HOST:{PAGE_PORT}/");
        }
        Some(_) => {
            let _ = writeln!(text, "The page: http://127.0.0.1:{PAGE_PORT}/");
        }
        None => {}
    }
    text
}

/// A command and what it is for, in one row where a terminal has room for both.
fn row(command: &str, what: &str) -> String {
    let short = format!("  {command:<40} # {what}\n");
    match short.chars().count() <= 81 {
        true => short,
        false => format!("  # {what}:\n  {command}\n"),
    }
}

fn commands(folder: &ConfFolder, plan: &SetupPlan) -> Vec<Step> {
    let paths = Paths::from_environment();
    let is_usual = folder.path == paths.conf;
    let file = if is_usual { String::new() } else { format!(" {}", word(&folder.path.join("ups.conf"))) };
    let step = |command: &str, what: &str| (command.to_string(), what.to_string());
    let mut steps = vec![step(&format!("qxups check-config{file}"), "checks it once more")];
    let is_root = Uid::effective().is_root();
    if is_root {
        steps.extend(prepared_by_root(folder, &paths));
    }
    let serving = serving();
    let has_unit = UNITS.iter().any(|unit| Path::new(unit).exists());
    if is_root && is_usual && has_unit {
        steps.push(step("systemctl mask --now nut-server", "where NUT's own server runs"));
        steps.push(step("systemctl enable --now qxups-serve", "serves, now and at each start"));
        steps.push(step("qxups reload", "where it serves already"));
    } else {
        let (serve, reload) = served_by_hand(folder, &paths, is_usual, is_root);
        match serving {
            // a second one is refused
            Some(pid) if is_usual => {
                steps.push(step(&reload, &format!("process {pid} serves already: it takes these files")));
            }
            Some(pid) => {
                let what =
                    format!("where process {pid}, which serves, has this folder: it takes these files");
                steps.push(step(&reload, &what));
                steps.push(step(&serve, "else, once that one is stopped: serves, until Control-C"));
            }
            None => {
                steps.push(step(&serve, "serves, until Control-C"));
                steps.push(step(&reload, "in another terminal, where it serves already: takes these files"));
            }
        }
    }
    let place = port(folder).map_or(String::new(), |port| format!(" @localhost:{port}"));
    steps.push(step(&format!("qxups top{place}"), "shows all UPSes in the terminal"));
    if plan.monitor.is_some() {
        let restart =
            if is_root { "systemctl restart nut-monitor" } else { "sudo systemctl restart nut-monitor" };
        steps.push(step(restart, "shuts this host down when the battery is low"));
    }
    steps
}

/// The server that runs with the state directory of this environment, as far as this user sees it.
fn serving() -> Option<u32> {
    doctor::server(&System::real().with_its_state()).map(|process| process.pid)
}

/// The port at which `upsd.conf` has clients of this host reach the server, where it is not the usual one.
fn port(folder: &ConfFolder) -> Option<u16> {
    let rows = upsd_conf::parse(&folder.upsd_conf.text).listen;
    let is_usual = rows.is_empty() || rows.iter().any(|row| row.port == PORT);
    rows.first().map(|row| row.port).filter(|_| !is_usual)
}

/// What root has to make before the server's user can serve, as far as it is not there.
fn prepared_by_root(folder: &ConfFolder, paths: &Paths) -> Vec<Step> {
    let mut steps = vec![];
    if !matches!(User::from_name(USER), Ok(Some(_))) {
        let folder = word(&folder.path);
        steps.push((format!("useradd --system {USER}"), "as that user the server runs".into()));
        steps.push((
            format!("chgrp -R {USER} {folder} && chmod -R g+rX {folder}"),
            "which has to read the files".into(),
        ));
    }
    for (place, what) in [
        (&paths.state, "sockets of the UPSes; gone at a start of the machine, without the package"),
        (&paths.lasting, "the history, and what is kept of batteries"),
    ] {
        if !place.exists() {
            steps.push((format!("install -d -m 770 -o {USER} -g {USER} {}", word(place)), what.into()));
        }
    }
    steps
}

/// How this user serves the folder without a unit, and has that server reload.
fn served_by_hand(folder: &ConfFolder, paths: &Paths, is_usual: bool, is_root: bool) -> (String, String) {
    let place = if is_usual { String::new() } else { format!(" {}", word(&folder.path)) };
    if is_root {
        // a folder in root's own home is closed to the server's user
        let is_closed = System::real().user(USER).is_some_and(|user| !user.may_enter(&folder.path));
        let user = if is_closed { " -u root" } else { "" };
        return (format!("qxups serve{user}{place}"), "qxups reload".into());
    }
    let may_write = |place: &Path| access(place, AccessFlags::W_OK | AccessFlags::X_OK).is_ok();
    if may_write(&paths.state) && may_write(&paths.lasting) {
        let state = match std::env::var_os("NUT_STATEPATH").is_some_and(|path| !path.is_empty()) {
            // another terminal has another environment
            true => format!(" {}", word(&paths.state)),
            false => String::new(),
        };
        return (format!("qxups serve{place}"), format!("qxups reload{state}"));
    }
    let own = word(&folder.path);
    (format!("NUT_STATEPATH={own} QXUPS_VARPATH={own} qxups serve {own}"), format!("qxups reload {own}"))
}

/// A path as a word of the shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%,".contains(letter);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_fits_a_terminal_or_is_two() {
        assert_eq!(row("qxups top", "shows all"), format!("  {:<40} # shows all\n", "qxups top"));
        let long = "NUT_STATEPATH=/home/jo/conf QXUPS_VARPATH=/home/jo/conf qxups serve /home/jo/conf";
        assert_eq!(row(long, "serves"), format!("  # serves:\n  {long}\n"));
    }

    #[test]
    fn a_path_is_one_word_of_the_shell() {
        for path in ["/etc/nut", "/home/jo/my nut", "/tmp/it's $HOME `x`", "/tmp/a;b"] {
            let line = format!("printf %s {}", word(Path::new(path)));
            let said = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), path);
        }
    }
}
