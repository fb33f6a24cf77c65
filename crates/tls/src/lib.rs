#![forbid(unsafe_code)]
//! TLS of a NUT server and of its clients: a [`TlsIdentity`] (certificate and key), read from the file that `upsd.conf`
//! names or made at the first start, and the configurations of rustls for both ends.
//!
//! Nothing here opens a connection. The drop-in drivers have no part in this crate.

mod client;
mod error;
mod identity;
mod server;

pub use client::{Verify, client_config};
pub use error::{TlsError, connection_trouble};
pub use identity::{Fingerprint, TlsIdentity};
pub use rustls;
pub use server::{ClientCertificates, server_config};
