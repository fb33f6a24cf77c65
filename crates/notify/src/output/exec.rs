//! A program, without a shell.

use super::{Attempt, Delivery, DeliveryOutcome, NoticeOutput};
use crate::secret::HiddenText;
use crate::template::{NoticeTemplate, PlaceholderEscape};
use crate::time::utc_stamp;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What of the server's own environment a program gets.
const KEPT: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER"];

/// How a program is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecPlan {
    /// The program, and its arguments.
    pub command: Vec<NoticeTemplate>,
    /// Its name, for the log.
    pub program: String,
    /// It is killed after so long, with all that it started.
    pub limit: Duration,
}

/// Runs a program for each notice.
#[derive(Debug)]
pub struct ExecOutput(ExecPlan);

impl ExecOutput {
    /// By this plan.
    pub fn new(plan: ExecPlan) -> ExecOutput {
        ExecOutput(plan)
    }

    async fn run(&self, delivery: &Delivery<'_>) -> DeliveryOutcome {
        let none = HiddenText::default();
        let mut words = self.0.command.iter().map(|word| {
            let filled = word.fill(delivery, &none, PlaceholderEscape::Plain);
            // what a UPS says is no option of the program
            if filled.starts_with('-') && word.begins_with_place() { format!(" {filled}") } else { filled }
        });
        let Some(program) = words.next() else {
            return DeliveryOutcome::Refused("no program is named".into());
        };
        let mut command = prepared(&program);
        command.args(words.map(without_nul)).envs(environment(delivery)).stdin(Stdio::null());
        match begun(command, self.0.limit).await {
            Err(NotBegun::Certainly(why)) => {
                DeliveryOutcome::not_taken(format!("cannot run {}: {why}", self.0.program))
            }
            Err(NotBegun::Hangs) => DeliveryOutcome::Unknown(format!("{} does not begin", self.0.program)),
            Ok(mut child) => match ended(&mut child, self.0.limit).await {
                Ok(status) if status.success() => DeliveryOutcome::Taken,
                // it ran: what it did it would do twice
                Ok(status) => DeliveryOutcome::Refused(format!("{} ended with {status}", self.0.program)),
                Err(why) => DeliveryOutcome::Unknown(format!("{} {why}", self.0.program)),
            },
        }
    }
}

impl NoticeOutput for ExecOutput {
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(self.run(delivery))
    }

    fn sends_again(&self) -> bool {
        false
    }

    fn about(&self) -> String {
        format!("exec {}", self.0.program)
    }
}

/// A program in a group of its own, with little of our environment; what it says on standard error goes where our own does.
pub fn prepared(program: &str) -> Command {
    let mut command = Command::new(program);
    let kept = KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.env_clear().envs(kept).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
    command
}

/// Why a program did not begin.
pub(super) enum NotBegun {
    /// It certainly did not.
    Certainly(String),
    /// It may begin later, and is killed then.
    Hangs,
}

/// So many programs may be about to begin: their files lie on a file system that does not answer.
const BEGINNING: usize = 8;
static BEGIN: AtomicUsize = AtomicUsize::new(0);

/// Begins a program by a thread of its own: the system may wait for the file of it without end.
pub(super) async fn begun(mut command: Command, limit: Duration) -> Result<Child, NotBegun> {
    if BEGIN.fetch_add(1, Ordering::Relaxed) >= BEGINNING {
        BEGIN.fetch_sub(1, Ordering::Relaxed);
        return Err(NotBegun::Certainly(
            "programs before it do not begin; look at the file system of it".into(),
        ));
    }
    let begins = tokio::task::spawn_blocking(move || {
        let child = command.spawn();
        BEGIN.fetch_sub(1, Ordering::Relaxed);
        child
    });
    match timeout(limit, begins).await {
        Ok(Ok(Ok(child))) => Ok(child),
        Ok(Ok(Err(error))) => Err(NotBegun::Certainly(error.to_string())),
        Ok(Err(error)) => Err(NotBegun::Certainly(error.to_string())),
        Err(_) => Err(NotBegun::Hangs),
    }
}

/// A program with all that it started, which ends with this: after its time, with its output, or with the server.
struct ProgramGroup(Option<Pid>);

impl Drop for ProgramGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Waits for its end; after the limit it is killed with all of its group.
///
/// # Errors
/// What became of it instead.
pub async fn ended(child: &mut Child, limit: Duration) -> Result<ExitStatus, String> {
    let mut group = ProgramGroup(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    match timeout(limit, child.wait()).await {
        Ok(Ok(status)) => {
            // what it leaves running on purpose goes on
            group.0 = None;
            Ok(status)
        }
        Ok(Err(error)) => Err(format!("cannot be waited for: {error}")),
        Err(_) => {
            drop(group);
            let _ = child.wait().await;
            Err(format!("ran for more than {} s and was killed", limit.as_secs()))
        }
    }
}

/// Gives a program its standard input; one that does not read it is not waited for here.
pub(super) async fn give(child: &mut Child, bytes: &[u8]) {
    if let Some(mut input) = child.stdin.take() {
        // one that ends without reading says by its status what is wrong
        let _ = input.write_all(bytes).await;
        let _ = input.shutdown().await;
    }
}

fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', " ") } else { text }
}

/// As upsmon has it, and what upsmon has no name for.
fn environment(delivery: &Delivery<'_>) -> impl Iterator<Item = (&'static str, String)> {
    let notice = delivery.notice;
    let again = if delivery.may_have_come { "yes" } else { "no" };
    let rows = [
        ("NOTIFYTYPE", notice.notify_type.clone()),
        ("UPSNAME", notice.ups.clone()),
        ("NOTIFYMSG", delivery.title.clone()),
        ("QXUPS_TEXT", delivery.text.clone()),
        ("QXUPS_RULE", notice.rule.clone()),
        ("QXUPS_KIND", notice.kind.name().into()),
        ("QXUPS_ID", notice.id.clone()),
        ("QXUPS_STATUS", notice.status.clone()),
        ("QXUPS_TIME", utc_stamp(notice.at_ms)),
        ("QXUPS_SINCE", utc_stamp(notice.since_ms)),
        ("QXUPS_REPETITION", again.into()),
    ];
    rows.into_iter().map(|(name, value)| (name, without_nul(value)))
}
