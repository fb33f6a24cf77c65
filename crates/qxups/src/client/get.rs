//! `qxups get`: values of variables.

use super::access::{AccessOptions, OrderUser};
use super::connection::NutConnection;
use super::json;
use super::place::UpsAddress;
use super::show;
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out;
use clap::Args;
use nut::network::client::{About, Answer, NetworkRequest};

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct Get {
    /// The UPS: UPS[@HOST[:PORT]]
    ups: UpsAddress,
    /// A variable, or several
    #[arg(required = true, value_name = "VARIABLE")]
    variables: Vec<String>,
    /// For programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

impl Get {
    /// One value is printed alone, several with their names.
    ///
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let user = self.user.named()?;
        let mut connection = NutConnection::open(&self.ups.server, &self.access.reach()?, user.as_ref())?;
        let mut pairs = vec![];
        for name in self.variables {
            let request = NetworkRequest::Get(About::Value, self.ups.name.clone(), name.clone());
            match connection.ask(request)?.answer {
                Ok(Answer::Value(value)) => pairs.push((name, value)),
                Ok(_) => {
                    return Err(ClientTrouble::Said(
                        ExitStatus::Failed,
                        format!("{name}: the server gives no value"),
                    ));
                }
                Err(refusal) => return Err(ClientTrouble::refused(format!("{} {name}", self.ups), &refusal)),
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
