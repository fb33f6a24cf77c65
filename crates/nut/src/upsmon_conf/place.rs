//! `ups@host:port` (NUT 2.8.0 clients/upsclient.c).

use crate::network::PORT;

/// A UPS and where its server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsPlace {
    /// The name of the UPS.
    pub ups: String,
    /// The host; `localhost` when none is given.
    pub host: String,
    /// The port; 3493 when none is given.
    pub port: u16,
}

impl UpsPlace {
    /// Reads `ups`, `ups@host`, `ups@host:port` and `ups@[address]:port`; none where it is none of these.
    pub fn parse(text: &str) -> Option<UpsPlace> {
        let (ups, server) = text.split_once('@').unwrap_or((text, "localhost"));
        if ups.is_empty() || server.contains('@') {
            return None;
        }
        let (host, rest) = match server.strip_prefix('[') {
            Some(server) => server.split_once(']')?,
            None => server.split_at(server.find(':').unwrap_or(server.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if rest.is_empty() => PORT,
            None => return None,
        };
        (!host.is_empty()).then(|| UpsPlace { ups: ups.into(), host: host.into(), port })
    }

    /// Whether the server is on this machine by its name or address. Other names of this machine only the system has.
    pub fn is_local(&self) -> bool {
        let is_loopback = |address: std::net::IpAddr| address.to_canonical().is_loopback();
        self.host.eq_ignore_ascii_case("localhost") || self.host.parse().is_ok_and(is_loopback)
    }
}
