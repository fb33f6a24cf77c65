//! The server's end: a [`Connection`] reads the requests of one client and answers them before a
//! [`Site`].

mod answer;
mod change;
mod connection;
mod read;
mod site;

pub use connection::{Connection, ConnectionEvent, FULL, Taken, TlsOffer};
pub use site::{
    Client, Freshness, Handed, Note, Order, Permission, Right, ServerIdentity, Site, UpsId, ValueKind,
    Variable,
};
