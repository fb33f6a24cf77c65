//! The server's end: a [`Connection`] reads the requests of one client and answers them before a
//! [`Site`].

mod answer;
mod change;
mod connection;
mod read;
mod site;

pub use connection::{Connection, ConnectionEvent, FULL, Taken, TlsOffer};
pub use site::{
    Client, Freshness, Handed, Identity, Kind, Note, Order, Right, Site, UpsId, Variable, Verdict,
};
