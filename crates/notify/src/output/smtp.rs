//! A mail, by SMTP to a server.

use super::mail::MailPlan;
use super::smtp_dialog::{SmtpDialog, SmtpReplies, SmtpStep};
use super::wire::NoticeWire;
use super::{Attempt, Delivery, DeliveryOutcome, NoticeOutput};
use crate::secret::HiddenText;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tls::rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// By STARTTLS, or the mail is not sent (port 587).
    StartTls,
    /// From its beginning (port 465).
    Implicit,
    /// Not at all (port 25).
    None,
}

/// How a mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpPlan {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Encryption.
    pub tls: SmtpTls,
    /// Name and password, where the server wants them.
    pub login: Option<(String, HiddenText)>,
    /// From whom to whom.
    pub mail: MailPlan,
    /// All of it takes no longer.
    pub limit: Duration,
}

/// Sends a mail for each notice.
pub struct SmtpOutput {
    plan: SmtpPlan,
    tls: Result<Arc<ClientConfig>, String>,
}

impl SmtpOutput {
    /// By this plan; `tls` says by what the server is known, or why that cannot be.
    pub fn new(plan: SmtpPlan, tls: Result<Arc<ClientConfig>, String>) -> SmtpOutput {
        SmtpOutput { plan, tls }
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> DeliveryOutcome {
        let limit = self.plan.limit;
        let may_be_taken = Cell::new(false);
        let late = || format!("the server {} takes more than {} s", self.plan.host, limit.as_secs());
        match timeout(limit, self.converse(delivery, &may_be_taken)).await {
            Ok(outcome) => outcome,
            Err(_) if may_be_taken.get() => DeliveryOutcome::Unknown(late()),
            Err(_) => DeliveryOutcome::not_taken(late()),
        }
    }

    async fn converse(&self, delivery: &Delivery<'_>, may_be_taken: &Cell<bool>) -> DeliveryOutcome {
        let SmtpPlan { host, port, tls, login, mail, .. } = &self.plan;
        let login = login.as_ref().map(|(user, password)| (user.as_str(), password));
        let mut dialog = SmtpDialog::new(mail, login, *tls == SmtpTls::StartTls, &mail.message(delivery));
        let mut wire = match NoticeWire::connect(host, *port).await {
            Ok(wire) => wire,
            Err(why) => return DeliveryOutcome::not_taken(why),
        };
        if *tls == SmtpTls::Implicit {
            wire = match self.secure(wire).await {
                Ok(wire) => wire,
                Err(why) => return DeliveryOutcome::not_taken(why),
            };
        }
        let mut replies = SmtpReplies::default();
        loop {
            let reply = match next_reply(&mut wire, &mut replies).await {
                Ok(reply) => reply,
                Err(why) => return dialog.broken(why),
            };
            let mut step = dialog.reply(&reply);
            if step == SmtpStep::StartTls {
                // what came in the clear behind the reply was not said by the server that shows the certificate
                if !replies.is_empty() {
                    return DeliveryOutcome::not_taken("the server says more before TLS begins");
                }
                wire = match self.secure(wire).await {
                    Ok(wire) => wire,
                    Err(why) => return DeliveryOutcome::not_taken(why),
                };
                step = dialog.secured();
            }
            match step {
                SmtpStep::Send(bytes) => {
                    may_be_taken.set(dialog.may_be_taken());
                    if let Err(error) = send(&mut wire, &bytes).await {
                        return dialog.broken(format!("the connection to {host} broke: {error}"));
                    }
                }
                SmtpStep::Done(outcome) => {
                    // a farewell, which no answer is waited for
                    let _ = timeout(Duration::from_millis(200), send(&mut wire, b"QUIT\r\n")).await;
                    return outcome;
                }
                SmtpStep::StartTls => return DeliveryOutcome::not_taken("TLS does not begin"),
            }
        }
    }

    async fn secure(&self, wire: NoticeWire) -> Result<NoticeWire, String> {
        wire.secure(self.tls.clone()?, &self.plan.host).await
    }
}

async fn send(wire: &mut NoticeWire, bytes: &[u8]) -> std::io::Result<()> {
    wire.write_all(bytes).await?;
    wire.flush().await
}

async fn next_reply(wire: &mut NoticeWire, replies: &mut SmtpReplies) -> Result<super::SmtpReply, String> {
    loop {
        if let Some(reply) = replies.take()? {
            return Ok(reply);
        }
        let mut room = [0; 1024];
        match wire.read(&mut room).await {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(length) => replies.push(&room[..length]),
            Err(error) => return Err(format!("the connection broke: {error}")),
        }
    }
}

impl NoticeOutput for SmtpOutput {
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(self.deliver(delivery))
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn about(&self) -> String {
        format!("smtp {}, {}", self.plan.host, self.plan.mail.to.join(", "))
    }
}
