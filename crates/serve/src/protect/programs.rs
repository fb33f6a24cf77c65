//! Programs of a stage, and the one that shuts this host down: without a shell, each in a group of its own, with a limit.

use crate::extras::protect::HostShutdownWay;
use notify::output::{ended, prepared};
use std::time::Duration;

/// What logind is asked by; both places are those of distributions.
const SYSTEMCTL: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];
/// The command that shuts down returns earlier: the shutdown goes on without it.
const SHUTS_DOWN: Duration = Duration::from_secs(30);

/// Runs a program to its end: its exit code.
///
/// # Errors
/// That it could not be run, was killed, or took too long.
pub(super) async fn run(command: &[String], limit: Duration, more: &[(&str, &str)]) -> Result<i32, String> {
    let (program, arguments) = command.split_first().ok_or("names no program")?;
    let mut prepared = prepared(program);
    prepared.args(arguments).stdin(std::process::Stdio::null()).envs(more.iter().copied());
    let mut child = prepared.spawn().map_err(|error| format!("cannot be run: {error}"))?;
    let status = ended(&mut child, limit).await?;
    status.code().ok_or_else(|| format!("ended with {status}"))
}

/// Shuts this host down.
///
/// # Errors
/// A sentence: it was not.
pub(super) async fn shut_down(way: &HostShutdownWay) -> Result<(), String> {
    let command = match way {
        HostShutdownWay::Command(words) => words.clone(),
        HostShutdownWay::Logind => {
            let there = SYSTEMCTL.iter().find(|path| std::path::Path::new(path).exists());
            let program =
                there.ok_or("there is no systemctl; write a program as shutdown in [protect.host]")?;
            vec![(*program).to_string(), "poweroff".into()]
        }
    };
    let name = command.first().cloned().unwrap_or_default();
    match run(&command, SHUTS_DOWN, &[]).await {
        Ok(0) => Ok(()),
        Ok(code) => Err(format!("{name} ended with {code}")),
        Err(why) => Err(format!("{name} {why}")),
    }
}
