//! What a client of SMTP says next (RFC 5321, 3207, 4954). No I/O: it takes replies. What the server says is bounded, and of
//! each point it is known whether the mail certainly was not taken.

use super::DeliveryOutcome;
use super::mail::{MailPlan, base64};
use crate::secret::HiddenText;

/// No reply is longer, in bytes.
const LONGEST_REPLY: usize = 16 * 1024;

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// Its three digits.
    pub code: u16,
    /// What stands behind them, line by line.
    pub lines: Vec<String>,
}

/// Bytes as they come, to replies.
#[derive(Debug, Default)]
pub struct SmtpReplies {
    came: Vec<u8>,
}

impl SmtpReplies {
    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.came.extend_from_slice(bytes);
    }

    /// Whether something came that was not asked for.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty()
    }

    /// The next whole reply, if it is there.
    ///
    /// # Errors
    /// What came is no reply, or too long.
    pub fn take(&mut self) -> Result<Option<SmtpReply>, String> {
        let (mut lines, mut code, mut at) = (vec![], None, 0);
        while let Some(length) = self.came[at..].iter().position(|byte| *byte == b'\n') {
            let line = self.came[at..at + length].strip_suffix(b"\r").unwrap_or(&self.came[at..at + length]);
            at += length + 1;
            let text = String::from_utf8_lossy(line);
            let digits = text.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            let number =
                digits.and_then(|digits| digits.parse::<u16>().ok()).filter(|n| (200..600).contains(n));
            let Some(number) = number.filter(|number| code.is_none_or(|code| code == *number)) else {
                return Err("the server says what is no SMTP".into());
            };
            code = Some(number);
            let is_last = !matches!(text.as_bytes().get(3), Some(b'-'));
            lines.push(text.get(4..).unwrap_or_default().to_string());
            if is_last {
                self.came.drain(..at);
                return Ok(Some(SmtpReply { code: number, lines }));
            }
        }
        match self.came.len() > LONGEST_REPLY {
            true => Err("the server says more than an answer has".into()),
            false => Ok(None),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpStep {
    /// Send this, and wait for the reply.
    Send(Vec<u8>),
    /// Encrypt the connection, and call [`SmtpDialog::secured`].
    StartTls,
    /// It is over.
    Done(DeliveryOutcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Hello,
    StartTls,
    Auth,
    From,
    To(usize),
    Data,
    Message,
    Over,
}

/// One mail on one connection.
#[derive(Debug)]
pub struct SmtpDialog<'p> {
    mail: &'p MailPlan,
    login: Option<(&'p str, &'p HiddenText)>,
    /// STARTTLS is wanted and not done yet.
    wants_tls: bool,
    message: Vec<u8>,
    stage: Stage,
    taken: usize,
    refused: Option<String>,
}

impl<'p> SmtpDialog<'p> {
    /// For this message, which has CRLF at the end of each line.
    pub fn new(
        mail: &'p MailPlan,
        login: Option<(&'p str, &'p HiddenText)>,
        wants_tls: bool,
        message: &[u8],
    ) -> SmtpDialog<'p> {
        SmtpDialog {
            mail,
            login,
            wants_tls,
            message: dotted(message),
            stage: Stage::Greeting,
            taken: 0,
            refused: None,
        }
    }

    /// The whole message was sent: from now on it may have been taken.
    pub fn may_be_taken(&self) -> bool {
        self.stage == Stage::Message
    }

    /// What a broken connection means at this point.
    pub fn broken(&self, why: String) -> DeliveryOutcome {
        match self.may_be_taken() {
            true => DeliveryOutcome::Unknown(why),
            false => DeliveryOutcome::not_taken(why),
        }
    }

    /// The connection is encrypted now.
    pub fn secured(&mut self) -> SmtpStep {
        self.wants_tls = false;
        self.hello()
    }

    /// Takes a reply.
    pub fn reply(&mut self, reply: &SmtpReply) -> SmtpStep {
        let is_good = (200..400).contains(&reply.code);
        match self.stage {
            Stage::Greeting if reply.code == 220 => self.hello(),
            Stage::Hello if is_good => self.after_hello(reply),
            Stage::StartTls if reply.code == 220 => SmtpStep::StartTls,
            Stage::Auth if reply.code == 235 => self.from(),
            Stage::From if is_good => self.to(0),
            Stage::To(at) => self.after_to(at, reply),
            Stage::Data if reply.code == 354 => {
                self.stage = Stage::Message;
                SmtpStep::Send(std::mem::take(&mut self.message))
            }
            Stage::Message if is_good => self.over(DeliveryOutcome::Taken),
            Stage::Message if reply.code >= 500 => {
                let why = said(reply);
                self.over(DeliveryOutcome::Refused(format!("the server refuses the mail: {why}")))
            }
            Stage::Auth => {
                // its text may repeat what was said to it
                let why = format!("the server refuses name and password ({})", reply.code);
                self.over(DeliveryOutcome::not_taken(why))
            }
            Stage::StartTls => self.fails("does not begin TLS", reply),
            _ => self.fails("does not take the mail", reply),
        }
    }

    fn fails(&mut self, what: &str, reply: &SmtpReply) -> SmtpStep {
        let why = format!("the server {what}: {}", said(reply));
        self.over(DeliveryOutcome::not_taken(why))
    }

    fn over(&mut self, outcome: DeliveryOutcome) -> SmtpStep {
        self.stage = Stage::Over;
        SmtpStep::Done(outcome)
    }

    fn hello(&mut self) -> SmtpStep {
        self.stage = Stage::Hello;
        let host = self.mail.from.rsplit('@').next().unwrap_or("localhost");
        SmtpStep::Send(format!("EHLO {host}\r\n").into_bytes())
    }

    fn after_hello(&mut self, reply: &SmtpReply) -> SmtpStep {
        let offers = |word: &str| {
            reply
                .lines
                .iter()
                .any(|line| line.split([' ', '=']).next().is_some_and(|it| it.eq_ignore_ascii_case(word)))
        };
        if self.wants_tls {
            if !offers("STARTTLS") {
                let why = "the server offers no STARTTLS; write tls = \"implicit\" with the port for that, or \"none\"";
                return self.over(DeliveryOutcome::not_taken(why));
            }
            self.stage = Stage::StartTls;
            return SmtpStep::Send(b"STARTTLS\r\n".to_vec());
        }
        match self.login {
            Some(_) if !offers("AUTH") => self
                .over(DeliveryOutcome::not_taken("the server takes no name and password on this connection")),
            Some((user, password)) => {
                self.stage = Stage::Auth;
                let both = format!("\0{user}\0{}", password.reveal());
                SmtpStep::Send(format!("AUTH PLAIN {}\r\n", base64(both.as_bytes())).into_bytes())
            }
            None => self.from(),
        }
    }

    fn from(&mut self) -> SmtpStep {
        self.stage = Stage::From;
        SmtpStep::Send(format!("MAIL FROM:<{}>\r\n", self.mail.from).into_bytes())
    }

    fn to(&mut self, at: usize) -> SmtpStep {
        if let Some(address) = self.mail.to.get(at) {
            self.stage = Stage::To(at);
            return SmtpStep::Send(format!("RCPT TO:<{address}>\r\n").into_bytes());
        }
        match (self.taken, self.refused.take()) {
            (0, why) => {
                self.over(DeliveryOutcome::Refused(why.unwrap_or_else(|| "no address is named".into())))
            }
            _ => {
                self.stage = Stage::Data;
                SmtpStep::Send(b"DATA\r\n".to_vec())
            }
        }
    }

    /// An address that does not exist costs others nothing.
    fn after_to(&mut self, at: usize, reply: &SmtpReply) -> SmtpStep {
        match reply.code {
            200..=299 => self.taken += 1,
            500..=599 => {
                let address = self.mail.to.get(at).cloned().unwrap_or_default();
                self.refused = Some(format!("the server refuses {address}: {}", said(reply)));
            }
            _ => return self.fails("does not take the mail", reply),
        }
        self.to(at + 1)
    }
}

fn said(reply: &SmtpReply) -> String {
    format!("{} {}", reply.code, reply.lines.last().map(String::as_str).unwrap_or_default())
}

/// With a dot more where a line begins with one, and the end.
fn dotted(message: &[u8]) -> Vec<u8> {
    let mut dotted = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            dotted.push(b'.');
        }
        dotted.extend_from_slice(line);
    }
    dotted.extend_from_slice(b".\r\n");
    dotted
}
