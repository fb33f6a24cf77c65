//! The commands that are clients, beside NUT's own on the same server: Debian's upsd.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod beside_nut;
mod completion;
mod logging;
mod outputs;
mod terminal;
mod upsd;

use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use upsd::Upsd;

/// One server for all tests that change nothing in it that another looks at.
fn shared() -> &'static Upsd {
    static SHARED: OnceLock<Upsd> = OnceLock::new();
    SHARED.get_or_init(|| Upsd::start("shared"))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.args(arguments).stdin(Stdio::null()).env_remove("QXUPS_USER").env_remove("QXUPS_PASSWORD");
    command
}

fn qxups(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// A program of NUT's.
fn nut(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
