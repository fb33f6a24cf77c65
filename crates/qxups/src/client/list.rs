//! `qxups list`: the UPSes of a server, and what a UPS has.

use super::access::{AccessOptions, OrderUser};
use super::connection::NutConnection;
use super::json;
use super::place::{ServerAddress, UpsPlace};
use super::show::{self, Writable};
use super::trouble::{ClientTrouble, ExitStatus, STATUSES};
use crate::out;
use clap::{Args, ValueEnum};
use nut::network::client::{About, Answer, Having, Item, NetworkRequest, Refusal, Values};
use serde_json::{Value, json};

/// What is listed of a UPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum What {
    /// All variables with their values
    #[default]
    Variables,
    /// The variables that can be written, and what they can be
    Writable,
    /// The commands, and what they do
    Commands,
    /// The hosts that are logged in
    Clients,
}

#[derive(Args)]
#[command(after_help = STATUSES)]
pub struct List {
    /// The UPS: UPS[@HOST[:PORT]]; left out, or @HOST[:PORT], all UPSes of the server
    #[arg(value_name = "UPS")]
    place: Option<UpsPlace>,
    /// What of the UPS
    #[arg(value_enum, requires = "place", default_value = "variables")]
    what: What,
    /// For programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    user: OrderUser,
}

impl List {
    /// # Errors
    /// [`ClientTrouble`].
    pub fn run(self) -> Result<ExitStatus, ClientTrouble> {
        let place = self.place.unwrap_or(UpsPlace { ups: None, server: ServerAddress::default() });
        let user = self.user.named()?;
        let mut connection = NutConnection::open(&place.server, &self.access.reach()?, user.as_ref())?;
        let (text, value) = match (place.ups, self.what) {
            (None, What::Variables) => upses(&mut connection, &place.server)?,
            (None, _) => return Err(ClientTrouble::usage("name the UPS before what is to be listed of it")),
            (Some(ups), What::Variables) => variables(&mut connection, &ups)?,
            (Some(ups), What::Writable) => writable(&mut connection, &ups)?,
            (Some(ups), What::Commands) => commands(&mut connection, &ups)?,
            (Some(ups), What::Clients) => clients(&mut connection, &ups)?,
        };
        connection.close();
        match self.json {
            true => json::print(&value)?,
            false => out::print(&text)?,
        }
        Ok(ExitStatus::Done)
    }
}

/// As text and for programs.
type Both = (String, Value);

fn lines(pairs: &[(String, String)], between: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}{between}{value}\n")).collect()
}

fn upses(connection: &mut NutConnection, server: &ServerAddress) -> Result<Both, ClientTrouble> {
    let items = connection.list(NetworkRequest::ListUps, &server.to_string())?;
    let pairs: Vec<_> = show::upses(items).collect();
    Ok((lines(&pairs, ": "), show::object(pairs)))
}

fn variables(connection: &mut NutConnection, ups: &str) -> Result<Both, ClientTrouble> {
    let items = connection.list(NetworkRequest::List(Having::Variables, ups.into()), ups)?;
    let pairs: Vec<_> = show::variables(items).collect();
    Ok((lines(&pairs, ": "), show::object(pairs)))
}

fn commands(connection: &mut NutConnection, ups: &str) -> Result<Both, ClientTrouble> {
    let items = connection.list(NetworkRequest::List(Having::Commands, ups.into()), ups)?;
    let mut pairs = vec![];
    for name in show::commands(items) {
        let description = text(connection, About::CommandDescription, ups, &name)?;
        pairs.push((name, description));
    }
    Ok((lines(&pairs, " - "), show::object(pairs)))
}

fn clients(connection: &mut NutConnection, ups: &str) -> Result<Both, ClientTrouble> {
    let items = connection.list(NetworkRequest::List(Having::Clients, ups.into()), ups)?;
    let addresses: Vec<String> = items
        .into_iter()
        .filter_map(|item| match item {
            Item::Client(address) => Some(address),
            _ => None,
        })
        .collect();
    Ok((addresses.iter().map(|address| format!("{address}\n")).collect(), json!(addresses)))
}

fn writable(connection: &mut NutConnection, ups: &str) -> Result<Both, ClientTrouble> {
    let items = connection.list(NetworkRequest::List(Having::Writables, ups.into()), ups)?;
    let mut found = vec![];
    for (name, value) in show::variables(items) {
        found.push(one_writable(connection, ups, name, value)?);
    }
    let text: Vec<String> = found.iter().map(Writable::text).collect();
    Ok((text.join("\n"), found.iter().map(Writable::json).collect()))
}

/// What is known of a variable that can be written. A server may refuse a part of it.
fn one_writable(
    connection: &mut NutConnection,
    ups: &str,
    name: String,
    value: String,
) -> Result<Writable, ClientTrouble> {
    let ask = |about| NetworkRequest::Get(about, ups.into(), name.clone());
    let kind = match connection.ask(ask(About::Type))?.answer {
        Ok(Answer::Type(kind)) => Some(kind),
        _ => None,
    };
    let description = text(connection, About::Description, ups, &name)?;
    let list = |values| NetworkRequest::ListValues(values, ups.into(), name.clone());
    let (mut choices, mut ranges) = (vec![], vec![]);
    if kind.as_ref().is_some_and(|kind| kind.choices) {
        choices = show::choices(connection.ask(list(Values::Choices))?.items).collect();
    }
    if kind.as_ref().is_some_and(|kind| kind.ranges) {
        let items = connection.ask(list(Values::Ranges))?.items;
        let pairs = items.into_iter().filter_map(|item| match item {
            Item::Range { least, most } => Some((least, most)),
            _ => None,
        });
        ranges = pairs.collect();
    }
    Ok(Writable { name, value, description, kind, choices, ranges })
}

/// A description; what the server refuses is as unknown as what it has none of.
fn text(
    connection: &mut NutConnection,
    about: About,
    ups: &str,
    name: &str,
) -> Result<String, ClientTrouble> {
    let answer: Result<Answer, Refusal> =
        connection.ask(NetworkRequest::Get(about, ups.into(), name.into()))?.answer;
    Ok(match answer {
        Ok(Answer::Value(text)) => text,
        _ => "Description unavailable".into(),
    })
}
