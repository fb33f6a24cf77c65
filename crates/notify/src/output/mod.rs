//! What delivers a notice: a program, a request of HTTP, a mail. Another kind is one more [`NoticeOutput`].

mod exec;
mod mail;
mod sendmail;
mod smtp;
mod smtp_dialog;
mod webhook;
mod wire;

pub use exec::{ExecOutput, ExecPlan, ended, prepared};
pub use mail::{MailPlan, is_address};
pub use sendmail::{SendmailOutput, SendmailPlan};
pub use smtp::{SmtpOutput, SmtpPlan, SmtpTls};
pub use smtp_dialog::{SmtpDialog, SmtpReplies, SmtpReply, SmtpStep};
pub use webhook::{WebhookOutput, WebhookPlan};

use crate::notice::UpsNotice;
use crate::parcel::Parcel;
use std::future::Future;
use std::pin::Pin;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It was taken.
    Taken,
    /// It certainly was not: it is tried again.
    NotTaken {
        /// Why, without any secret.
        why: String,
        /// After how long the other end wants to be tried again, in seconds.
        again_after_s: Option<u32>,
    },
    /// It certainly was not, and never will be.
    Refused(String),
    /// It may have been taken.
    Unknown(String),
}

impl DeliveryOutcome {
    /// It was not taken, for this reason.
    pub fn not_taken(why: impl Into<String>) -> DeliveryOutcome {
        DeliveryOutcome::NotTaken { why: why.into(), again_after_s: None }
    }
}

/// A notice as it is sent.
#[derive(Clone, Debug)]
pub struct Delivery<'p> {
    /// What it is made of.
    pub notice: &'p UpsNotice,
    /// It was sent before, and may have come.
    pub may_have_come: bool,
    /// One line.
    pub title: String,
    /// All of it, with when it happened and what was held back before it.
    pub text: String,
}

impl<'p> Delivery<'p> {
    /// Of what waits; `clock` writes a time as people of this place read it.
    pub fn of(parcel: &'p Parcel, clock: &dyn Fn(i64) -> String) -> Delivery<'p> {
        let notice: &UpsNotice = &parcel.notice;
        let mut text = notice.text.clone();
        if !parcel.held_back.is_empty() {
            text += "\n\nNot sent by themselves, as there were too many at once:";
            if parcel.untold > 0 {
                text += &format!("\n({} earlier ones)", parcel.untold);
            }
            parcel.held_back.iter().for_each(|line| text += &format!("\n{line}"));
        }
        if parcel.may_have_come {
            text += "\n\nThis notice may have come before: what became of it was not known, so it is sent once more.";
        }
        text += &format!("\n\nNotice {}, rule \"{}\", of {}.", notice.id, notice.rule, clock(notice.at_ms));
        let count = parcel.held_back.len() + usize::try_from(parcel.untold).unwrap_or(0);
        let more = if count > 0 { format!(" (and {count} before)") } else { String::new() };
        let title = notice.title.clone() + &more;
        Delivery { notice, may_have_come: parcel.may_have_come, title, text }
    }
}

/// An attempt under way.
pub type Attempt<'o> = Pin<Box<dyn Future<Output = DeliveryOutcome> + 'o>>;

/// One way to deliver notices.
pub trait NoticeOutput {
    /// Tries to deliver once. It ends within a time of its own, whatever the other end does, and holds up no thread.
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o>;
    /// Whether a notice is sent once more where it is not known whether it was taken: the reader knows by its id and its
    /// words that it is the same. A program would do something twice.
    fn sends_again(&self) -> bool;
    /// What it is, without any secret: `webhook ntfy.sh`.
    fn about(&self) -> String;
}
