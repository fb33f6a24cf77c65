//! What to do when the files are written.

use super::PageChoice;
use super::folder::ConfFolder;
use super::plan::{PAGE_PORT, SetupPlan};
use driver::config::{Paths, USER};
use nix::unistd::{Uid, User};
use std::fmt::Write;
use std::path::Path;

/// Where a unit for the server is installed.
const UNITS: [&str; 3] = [
    "/etc/systemd/system/qxups-serve.service",
    "/usr/lib/systemd/system/qxups-serve.service",
    "/lib/systemd/system/qxups-serve.service",
];

/// The text, with passwords that were made.
pub fn steps(folder: &ConfFolder, plan: &SetupPlan, is_print: bool) -> String {
    let mut text = String::new();
    let made: Vec<_> = plan.users.iter().filter(|user| user.password.is_made).collect();
    if is_print {
        return "Nothing is written. --yes writes it, with new passwords, and shows those.\n".into();
    }
    text += "Written.\n";
    if !made.is_empty() {
        text += "Passwords that were made; they are shown only here:\n";
        for user in made {
            let _ = writeln!(text, "  {:<12} {}", user.name, user.password.text);
        }
    }
    let is_usual = folder.path == Paths::from_environment().conf;
    let place = if is_usual { String::new() } else { format!(" {}", folder.path.display()) };
    let file = if is_usual { String::new() } else { format!(" {}", folder.path.join("ups.conf").display()) };
    let has_unit = is_usual && UNITS.iter().any(|unit| Path::new(unit).exists());
    text += "Next:\n";
    let mut step = |line: &str, what: &str| {
        let _ = writeln!(text, "  {line:<40} {what}");
    };
    step(&format!("qxups check-config{file}"), "checks it once more");
    if Uid::effective().is_root() && !matches!(User::from_name(USER), Ok(Some(_))) {
        step(&format!("useradd --system {USER}"), "as that user the server runs; let it read the files");
    }
    match has_unit {
        true => {
            step("systemctl mask --now nut-server", "where NUT's own server runs");
            step("systemctl enable --now qxups-serve", "serves, now and at each start");
        }
        false => step(&format!("qxups serve{place}"), "serves, until Control-C"),
    }
    step("qxups reload", "where a server runs already");
    step("qxups top", "shows all UPSes in the terminal");
    match plan.page {
        Some(PageChoice::All) => {
            step(&format!("https://ADDRESS-OF-THIS-HOST:{PAGE_PORT}/"), "shows them in a browser")
        }
        Some(_) => step(&format!("http://127.0.0.1:{PAGE_PORT}/"), "shows them in a browser"),
        None => {}
    }
    if plan.monitor.is_some() {
        step("systemctl restart nut-monitor", "shuts this host down when the battery is low");
    }
    text
}
