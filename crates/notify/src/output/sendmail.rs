//! A mail, by the sendmail program of this machine.

use super::exec::{NotBegun, begun, ended, give, prepared};
use super::mail::MailPlan;
use super::{Attempt, Delivery, DeliveryOutcome, NoticeOutput};
use std::process::Stdio;
use std::time::Duration;
use tokio::time::timeout;

/// How a mail is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendmailPlan {
    /// The program, `/usr/sbin/sendmail`.
    pub program: String,
    /// From whom to whom.
    pub mail: MailPlan,
    /// The program is killed after so long.
    pub limit: Duration,
}

/// Hands a mail over for each notice.
#[derive(Debug)]
pub struct SendmailOutput(SendmailPlan);

impl SendmailOutput {
    /// By this plan.
    pub fn new(plan: SendmailPlan) -> SendmailOutput {
        SendmailOutput(plan)
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> DeliveryOutcome {
        let SendmailPlan { program, mail, limit } = &self.0;
        let mut command = prepared(program);
        command.args(["-i", "-f", &mail.from, "--"]).args(&mail.to).stdin(Stdio::piped());
        let mut child = match begun(command, *limit).await {
            Ok(child) => child,
            Err(NotBegun::Certainly(why)) => {
                return DeliveryOutcome::not_taken(format!("cannot run {program}: {why}"));
            }
            Err(NotBegun::Hangs) => return DeliveryOutcome::Unknown(format!("{program} does not begin")),
        };
        let unix_lines = String::from_utf8_lossy(&mail.message(delivery)).replace("\r\n", "\n");
        // one that does not read it is killed below
        let given = timeout(*limit, give(&mut child, unix_lines.as_bytes())).await;
        let left = if given.is_ok() { *limit } else { Duration::ZERO };
        match ended(&mut child, left).await {
            Ok(status) if status.success() => DeliveryOutcome::Taken,
            Ok(status) if status.code().is_some() => {
                DeliveryOutcome::not_taken(format!("{program} ended with {status}"))
            }
            Ok(status) => DeliveryOutcome::Unknown(format!("{program} ended with {status}")),
            Err(_) => DeliveryOutcome::Unknown(format!(
                "{program} ran for more than {} s and was killed",
                limit.as_secs()
            )),
        }
    }
}

impl NoticeOutput for SendmailOutput {
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(self.deliver(delivery))
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn about(&self) -> String {
        format!("sendmail {}", self.0.mail.to.join(", "))
    }
}
