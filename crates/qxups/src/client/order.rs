//! `qxups cmd` and `qxups set`: orders, followed until it is seen what became of them.

use super::access::{AccessOptions, Credentials, OrderUser, Reach, seconds};
use super::connection::NutConnection;
use super::json;
use super::place::{ServerAddress, UpsAddress};
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out;
use clap::Args;
use nut::network::client::{ClientOrder, Errand, NetworkRequest, Next, OrderEnd, Refusal};
use nut::network::{ErrorWord, TrackedOutcome};
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct Cmd {
    /// The UPS: UPS[@HOST[:PORT]]
    ups: UpsAddress,
    /// The command, such as test.battery.start.quick
    command: String,
    /// Its parameter, for a command that takes one
    value: Option<String>,
    #[command(flatten)]
    following: Following,
}

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct SetOptions {
    /// The UPS: UPS[@HOST[:PORT]]
    ups: UpsAddress,
    /// A variable and its new value, or several: the first that fails ends it
    #[arg(required = true, value_name = "VARIABLE=VALUE", value_parser = assignment)]
    assignments: Vec<(String, String)>,
    #[command(flatten)]
    following: Following,
}

/// How an order is followed.
#[derive(Args)]
struct Following {
    /// Do not wait for the outcome: done is when the server took it
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for the outcome
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    wait: Duration,
    /// For programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write VARIABLE=VALUE".into()),
    }
}

/// What became of an order, as far as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The driver did it.
    Done,
    /// The server took it, and cannot say more, or was not to be asked.
    Accepted,
    /// The driver did not do it, or does not know.
    Failed(TrackedOutcome),
    /// It was handed over, and why its outcome was not seen.
    Unseen(String),
}

impl Seen {
    /// A word for programs.
    fn word(&self) -> &'static str {
        match self {
            Seen::Done => "done",
            Seen::Accepted => "accepted",
            Seen::Failed(_) => "failed",
            Seen::Unseen(_) => "unseen",
        }
    }

    /// The exit status, where the outcome was to be waited for, or not.
    pub fn status(&self, waited: bool) -> ExitStatus {
        match self {
            Seen::Done => ExitStatus::Done,
            Seen::Accepted if !waited => ExitStatus::Done,
            Seen::Accepted | Seen::Unseen(_) => ExitStatus::Unseen,
            Seen::Failed(_) => ExitStatus::Failed,
        }
    }

    /// For people.
    pub fn sentence(&self) -> String {
        match self {
            Seen::Done => "done".into(),
            Seen::Accepted => {
                "accepted by the server, which does not say whether the UPS did it; look at its variables"
                    .into()
            }
            Seen::Failed(TrackedOutcome::Unknown) => {
                "failed: the driver does not know it; list what it knows with 'qxups list UPS commands'"
                    .into()
            }
            Seen::Failed(TrackedOutcome::Invalid) => {
                "failed: the driver takes no such value; choose another".into()
            }
            Seen::Failed(_) => {
                "failed: the UPS did not do it, or does not say; look at the driver's log".into()
            }
            Seen::Unseen(why) => {
                format!("handed over, and not seen done: {why}; look at the variables of the UPS")
            }
        }
    }
}

impl Cmd {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let name = self.command.clone();
        let order =
            ClientOrder::Command { ups: self.ups.name.clone(), name: self.command, parameter: self.value };
        self.following.follow(&self.ups, vec![(name, order)])
    }
}

impl SetOptions {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let order = |(variable, value): (String, String)| {
            (variable.clone(), ClientOrder::Set { ups: self.ups.name.clone(), variable, value })
        };
        let orders = self.assignments.into_iter().map(order).collect();
        self.following.follow(&self.ups, orders)
    }
}

impl Following {
    fn follow(
        self,
        ups: &UpsAddress,
        orders: Vec<(String, ClientOrder)>,
    ) -> Result<ExitStatus, ClientTrouble> {
        let reach = self.access.reach()?;
        let user = self.user.required()?;
        let wait = (!self.no_wait).then_some(self.wait);
        let mut connection = NutConnection::open(&ups.server, &reach, Some(&user))?;
        for (name, order) in orders {
            let seen = match give(&mut connection, order.clone(), wait) {
                Ok(seen) => seen,
                Err(NotGiven::Refused(refusal)) => {
                    let why = why_refused(ups, &order, &refusal);
                    return Err(ClientTrouble::Said(ExitStatus::of(&refusal), format!("{name}: {why}")));
                }
                Err(NotGiven::Trouble(trouble)) => return Err(named(&name, trouble)),
            };
            let status = seen.status(!self.no_wait);
            let text = match seen {
                Seen::Failed(TrackedOutcome::Invalid) => format!("failed: {}", why_invalid(ups, &order)),
                _ => seen.sentence(),
            };
            let sentence = format!("{name}: {text}");
            if self.json {
                json::print_line(&json!({"name": name, "outcome": seen.word(), "text": text}))?;
            }
            match status {
                ExitStatus::Done if self.json => {}
                ExitStatus::Done => out::print(&format!("{sentence}\n"))?,
                status => return Err(ClientTrouble::Said(status, sentence)),
            }
        }
        connection.close();
        Ok(ExitStatus::Done)
    }
}

/// What the server refused, and what to write instead: with the names of this order.
fn why_refused(ups: &UpsAddress, order: &ClientOrder, refusal: &Refusal) -> String {
    let why = match (refusal.word, order) {
        (Some(ErrorWord::ReadOnly), _) => {
            format!("it can only be read; 'qxups list {ups} writable' lists what can be set")
        }
        (Some(ErrorWord::VarNotSupported), _) => {
            format!("the UPS has no such variable; 'qxups list {ups} writable' lists what can be set")
        }
        (Some(ErrorWord::CmdNotSupported), _) => {
            format!("the UPS has no such command; 'qxups list {ups} commands' lists those that it has")
        }
        (Some(ErrorWord::InvalidValue | ErrorWord::InvalidArgument), _) => why_invalid(ups, order),
        _ => return refusal.to_string(),
    };
    format!("{why} (ERR {})", refusal.text)
}

/// A value that is not taken.
fn why_invalid(ups: &UpsAddress, order: &ClientOrder) -> String {
    match order {
        ClientOrder::Set { value, .. } => {
            format!("it cannot be '{value}'; 'qxups list {ups} writable' says what it can be")
        }
        ClientOrder::Command { parameter: Some(value), .. } => {
            format!("it does not take '{value}'; give another value, or none for the usual one")
        }
        ClientOrder::Command { parameter: None, .. } => {
            "it needs a value, which is missing; write one behind the command".into()
        }
    }
}

/// Why an order was not handed over.
enum NotGiven {
    Refused(Refusal),
    Trouble(ClientTrouble),
}

impl From<ClientTrouble> for NotGiven {
    fn from(trouble: ClientTrouble) -> NotGiven {
        NotGiven::Trouble(trouble)
    }
}

impl From<NotGiven> for ClientTrouble {
    fn from(not_given: NotGiven) -> ClientTrouble {
        match not_given {
            NotGiven::Refused(refusal) => ClientTrouble::Said(ExitStatus::of(&refusal), refusal.to_string()),
            NotGiven::Trouble(trouble) => trouble,
        }
    }
}

fn named(name: &str, trouble: ClientTrouble) -> ClientTrouble {
    match trouble {
        ClientTrouble::Said(status, sentence) => ClientTrouble::Said(status, format!("{name}: {sentence}")),
        stop @ ClientTrouble::Stop(_) => stop,
    }
}

/// One order on a connection of its own.
///
/// # Errors
/// [`ClientTrouble`]: nothing was handed over.
pub fn give_alone(
    server: &ServerAddress,
    reach: &Reach,
    user: &Credentials,
    order: ClientOrder,
    wait: Duration,
) -> Result<Seen, ClientTrouble> {
    let mut connection = NutConnection::open(server, reach, Some(user))?;
    let seen = give(&mut connection, order, Some(wait))?;
    connection.close();
    Ok(seen)
}

/// Gives an order, and follows it for so long.
///
/// # Errors
/// [`NotGiven`]: nothing was handed over.
fn give(
    connection: &mut NutConnection,
    order: ClientOrder,
    wait: Option<Duration>,
) -> Result<Seen, NotGiven> {
    let mut errand = match wait {
        Some(_) => Errand::new(order),
        None => Errand::without_outcome(order),
    };
    let until = Instant::now() + wait.unwrap_or_default();
    // from the moment that the order was written it may be done, whatever becomes of the connection
    let mut handed_over = false;
    let mut answer = None;
    loop {
        let request = match errand.next(answer) {
            Next::Ask(request) => request,
            Next::AskAfter(_, _) if Instant::now() >= until => {
                let seconds = wait.unwrap_or_default().as_secs_f64();
                return Ok(Seen::Unseen(format!("the driver has not answered within {seconds} s")));
            }
            Next::AskAfter(pause, request) => {
                std::thread::sleep(pause.min(until.saturating_duration_since(Instant::now())));
                request
            }
            Next::End(end) => return ended(end),
            // an errand never says so
            Next::StartTls => return Ok(Seen::Accepted),
        };
        handed_over |= matches!(request, NetworkRequest::Command { .. } | NetworkRequest::Set { .. });
        answer = match connection.ask(request) {
            Ok(reply) => Some(reply.answer),
            Err(ClientTrouble::Said(status, why)) if handed_over && status != ExitStatus::Usage => {
                return Ok(Seen::Unseen(why));
            }
            Err(trouble) => return Err(trouble.into()),
        };
    }
}

fn ended(end: OrderEnd) -> Result<Seen, NotGiven> {
    match end {
        OrderEnd::Done => Ok(Seen::Done),
        OrderEnd::Accepted => Ok(Seen::Accepted),
        OrderEnd::Failed(outcome) => Ok(Seen::Failed(outcome)),
        OrderEnd::Refused(refusal) => Err(NotGiven::Refused(refusal)),
        OrderEnd::Lost(refusal) => Ok(Seen::Unseen(refusal.to_string())),
    }
}
