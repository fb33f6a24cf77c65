//! Where a UPS is: `UPS[@HOST[:PORT]]`, as NUT's clients write it (NUT 2.8.0 clients/upsclient.c `upscli_splitname`).

use nut::network::PORT;
use std::fmt;
use std::str::FromStr;

/// The host where a server is looked for when none is named.
const HERE: &str = "localhost";

/// A NUT server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress {
    /// Its name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Default for ServerAddress {
    fn default() -> ServerAddress {
        ServerAddress { host: HERE.into(), port: PORT }
    }
}

impl fmt::Display for ServerAddress {
    /// As it is written, without the usual port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if self.port == PORT { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for ServerAddress {
    type Err = String;

    /// `HOST[:PORT]`; an IPv6 address stands in brackets, or alone without a port.
    fn from_str(text: &str) -> Result<ServerAddress, String> {
        let wrong = || format!("'{text}' is no server: write HOST[:PORT], an IPv6 address in brackets");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                match port {
                    "" => (host, None),
                    _ => (host, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
                }
            }
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => PORT,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
        };
        let plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '@';
        match !host.is_empty() && host.chars().all(plain) {
            true => Ok(ServerAddress { host: host.into(), port }),
            false => Err(wrong()),
        }
    }
}

/// A UPS of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpsAddress {
    /// Its name there.
    pub name: String,
    /// The server.
    pub server: ServerAddress,
}

impl fmt::Display for UpsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.server)
    }
}

impl FromStr for UpsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<UpsAddress, String> {
        match text.parse()? {
            UpsPlace { ups: Some(name), server } => Ok(UpsAddress { name, server }),
            UpsPlace { ups: None, .. } => Err(format!("'{text}' names no UPS: write UPS[@HOST[:PORT]]")),
        }
    }
}

/// A UPS, or all of a server: `@HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsPlace {
    /// The UPS; all of the server where it is left out.
    pub ups: Option<String>,
    /// The server.
    pub server: ServerAddress,
}

impl FromStr for UpsPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<UpsPlace, String> {
        let (ups, server) = match text.split_once('@') {
            Some((ups, server)) => (ups, server.parse()?),
            None => (text, ServerAddress::default()),
        };
        if ups.is_empty() && !text.starts_with('@') {
            return Err("the name of the UPS is empty: write UPS[@HOST[:PORT]], or @HOST[:PORT]".into());
        }
        Ok(UpsPlace { ups: (!ups.is_empty()).then(|| ups.into()), server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_nuts_clients_read_them() {
        for (text, ups, host, port) in [
            ("myups", Some("myups"), "localhost", 3493),
            ("myups@mybox", Some("myups"), "mybox", 3493),
            ("myups@mybox:1234", Some("myups"), "mybox", 1234),
            ("myups@[::1]", Some("myups"), "::1", 3493),
            ("myups@[fe80::1%eth0]:99", Some("myups"), "fe80::1%eth0", 99),
            ("myups@2001:db8::1", Some("myups"), "2001:db8::1", 3493),
            ("@192.0.2.7", None, "192.0.2.7", 3493),
        ] {
            let place: UpsPlace = text.parse().unwrap();
            let server = ServerAddress { host: host.into(), port };
            assert_eq!(place, UpsPlace { ups: ups.map(str::to_string), server: server.clone() }, "{text}");
            assert_eq!(server.to_string().parse(), Ok(server), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_to_write() {
        for text in
            ["", "u@", "u@h:", "u@h:0", "u@h:65536", "u@h:x", "u@[::1", "u@[::1]9", "u@:1", "u@h h", "u@v@h"]
        {
            let refused = text.parse::<UpsPlace>().unwrap_err();
            assert!(refused.contains("write "), "{text}: {refused}");
        }
        assert!("@h".parse::<UpsAddress>().unwrap_err().contains("names no UPS"));
    }
}
