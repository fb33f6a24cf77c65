//! `qxups get`: values of variables.

use super::access::{AccessOptions, User};
use super::connection::Connection;
use super::json;
use super::place::Ups;
use super::show;
use super::trouble::{ExitStatus, STATUSES, Trouble};
use crate::out;
use clap::Args;
use nut::network::client::{About, Answer, Request};

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct Get {
    /// The UPS: UPS[@HOST[:PORT]]
    ups: Ups,
    /// A variable, or several
    #[arg(required = true, value_name = "VARIABLE")]
    variables: Vec<String>,
    /// For programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: User,
}

impl Get {
    /// One value is printed alone, several with their names.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn run(self) -> Result<ExitStatus, Trouble> {
        let user = self.user.named()?;
        let mut connection = Connection::open(&self.ups.server, &self.access.reach()?, user.as_ref())?;
        let mut pairs = vec![];
        for name in self.variables {
            let request = Request::Get(About::Value, self.ups.name.clone(), name.clone());
            match connection.ask(request)?.answer {
                Ok(Answer::Value(value)) => pairs.push((name, value)),
                Ok(_) => {
                    return Err(Trouble::Said(
                        ExitStatus::Failed,
                        format!("{name}: the server gives no value"),
                    ));
                }
                Err(refusal) => return Err(Trouble::refused(format!("{} {name}", self.ups), &refusal)),
            }
        }
        connection.close();
        match (self.json, pairs.as_slice()) {
            (true, _) => json::print(&show::object(pairs))?,
            (false, [(_, value)]) => out::print(&format!("{value}\n"))?,
            (false, pairs) => {
                let lines: String = pairs.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
                out::print(&lines)?;
            }
        }
        Ok(ExitStatus::Done)
    }
}
