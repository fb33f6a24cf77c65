//! Programs of a stage, and the one that shuts this host down: without a shell, each in a group of its own, with a limit.

use crate::extras::protect::HostShutdownWay;
use nix::unistd::{AccessFlags, access};
use notify::output::{ended, prepared};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// What logind is asked by; both places are those of distributions.
const SYSTEMCTL: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];
/// What logind is asked by whether it would.
const BUSCTL: [&str; 2] = ["/usr/bin/busctl", "/bin/busctl"];
/// The question, and who answers it (org.freedesktop.login1(5)).
const CAN_POWER_OFF: [&str; 6] = [
    "--system",
    "call",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "CanPowerOff",
];
/// The answer comes within, also where polkit is started for it.
const ANSWERS: Duration = Duration::from_secs(20);
/// An answer has no more bytes.
const LONGEST_ANSWER: u64 = 256;
/// Where systemd runs, this is there (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";
/// The command that shuts down returns earlier: the shutdown goes on without it.
const SHUTS_DOWN: Duration = Duration::from_secs(30);

/// Runs a program to its end: its exit code.
///
/// # Errors
/// That it could not be run, was killed, or took too long.
pub(super) async fn run(command: &[String], limit: Duration, more: &[(&str, &str)]) -> Result<i32, String> {
    let (program, arguments) = command.split_first().ok_or("names no program")?;
    let mut prepared = prepared(program);
    prepared.args(arguments).stdin(Stdio::null()).envs(more.iter().copied());
    let mut child = prepared.spawn().map_err(|error| format!("cannot be run: {error}"))?;
    let status = ended(&mut child, limit).await?;
    status.code().ok_or_else(|| format!("ended with {status}"))
}

/// Whether this host could be shut down so, without doing it.
///
/// # Errors
/// Why not, and what to do.
pub(super) fn probe(way: &HostShutdownWay) -> Result<(), String> {
    let program = match way {
        HostShutdownWay::Command(words) => words.first().cloned().unwrap_or_default(),
        HostShutdownWay::Logind if !Path::new(SYSTEMD).exists() => {
            return Err(format!(
                "shutdown = \"logind\" asks systemd, and {SYSTEMD} is not there; write a program as shutdown in [protect.host]"
            ));
        }
        HostShutdownWay::Logind => {
            let there = SYSTEMCTL.iter().find(|path| Path::new(path).exists());
            there
                .map(|path| (*path).to_string())
                .ok_or("there is no systemctl; write a program as shutdown in [protect.host]")?
        }
    };
    access(program.as_str(), AccessFlags::X_OK).map_err(|error| {
        format!(
            "{program} cannot be run: {}; let the server's user run it, or write another program",
            error.desc()
        )
    })
}

/// Whether logind would let this server shut the host down; nothing is shut down. Without busctl it is taken to.
///
/// # Errors
/// Why not, and what to do.
pub(super) async fn logind_allows() -> Result<(), String> {
    let Some(program) = BUSCTL.iter().find(|path| Path::new(path).exists()) else { return Ok(()) };
    let silent =
        |why: &str| format!("logind does not say whether it would ({program} {why}); look at 'loginctl'");
    let mut command = prepared(program);
    command.args(CAN_POWER_OFF).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| silent(&format!("cannot be run: {error}")))?;
    let status = ended(&mut child, ANSWERS).await.map_err(|why| silent(&why))?;
    let mut said = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = out.take(LONGEST_ANSWER).read_to_string(&mut said).await;
    }
    if status.success() { understood(&said) } else { Err(silent(&format!("ended with {status}"))) }
}

/// What logind says to `CanPowerOff`, as busctl prints it: `s "yes"`.
fn understood(said: &str) -> Result<(), String> {
    match said.trim().trim_start_matches("s ").trim_matches('"') {
        "yes" => Ok(()),
        "na" => Err("logind says that this machine cannot switch itself off; write a program as shutdown in [protect.host]".into()),
        "no" | "challenge" => Err(
            "logind does not allow it to the user of this server; allow org.freedesktop.login1.power-off by a rule of polkit \
             (docs/protect.md), or write another program as shutdown in [protect.host]"
                .into(),
        ),
        other => Err(format!("logind said {other:?} to CanPowerOff; look at 'loginctl'")),
    }
}

/// Shuts this host down.
///
/// # Errors
/// A sentence: it was not.
pub(super) async fn shut_down(way: &HostShutdownWay) -> Result<(), String> {
    let command = match way {
        HostShutdownWay::Command(words) => words.clone(),
        HostShutdownWay::Logind => {
            let there = SYSTEMCTL.iter().find(|path| Path::new(path).exists());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_known_before_it_is_needed() {
        let way = |program: &str| HostShutdownWay::Command(vec![program.into(), "now".into()]);
        assert_eq!(probe(&way("/bin/true")), Ok(()));
        let file = std::env::temp_dir().join(format!("qxups-protect-probe-{}", std::process::id()));
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        for program in ["/bin/no-such-program", &file.display().to_string()] {
            assert!(probe(&way(program)).unwrap_err().contains("cannot be run"), "{program}");
        }
        std::fs::remove_file(&file).unwrap();
    }

    /// What busctl of systemd 252 prints.
    #[test]
    fn what_logind_allows_is_known_before_it_is_needed() {
        assert_eq!(understood("s \"yes\"\n"), Ok(()));
        for said in ["s \"no\"\n", "s \"challenge\"\n"] {
            assert!(understood(said).unwrap_err().contains("polkit"), "{said}");
        }
        assert!(understood("s \"na\"\n").unwrap_err().contains("cannot switch itself off"));
        assert!(understood("").is_err() && understood("b true\n").is_err());
    }

    #[test]
    fn an_exit_code_is_what_the_program_ended_with() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
            runtime.block_on(async { run(&words, Duration::from_millis(300), &[]).await })
        };
        assert_eq!(run(&["/bin/sh", "-c", "exit 3"]), Ok(3));
        assert!(run(&["/bin/sleep", "60"]).unwrap_err().contains("killed"));
        assert!(run(&["/bin/no-such-program"]).unwrap_err().contains("cannot be run"));
    }
}
