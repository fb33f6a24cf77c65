//! Where a UPS is: the value of `port`.

use std::fmt;
use std::path::PathBuf;

/// Where a UPS is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A terminal device, such as `/dev/ttyS0`.
    Serial(PathBuf),
    /// A serial device server (ser2net and the like) that passes bytes through.
    Tcp {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A device on USB.
    Usb(Box<crate::usb::UsbOptions>),
    /// A recording in place of a UPS.
    Replay {
        /// The capture.
        path: PathBuf,
        /// How many times as fast as recorded; `None` for one reply after the other, at once.
        speed: Option<u32>,
    },
}

/// A `port` that is no address: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAddress(pub String);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAddress {}

impl Address {
    /// Reads the value of `port`: an absolute path, `tcp://host:port`, `auto` for any UPS on USB,
    /// or `replay:FILE` for a recording, with `?speed=N` where its times are to count.
    ///
    /// # Errors
    /// [`BadAddress`] with what would be right.
    pub fn parse(text: &str) -> Result<Address, BadAddress> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Address::Usb(Box::default()));
        }
        if let Some(recording) = text.strip_prefix("replay:") {
            return Address::parse_replay(recording);
        }
        let Some(rest) = text.strip_prefix("tcp://") else {
            if text.contains("://") {
                return Err(BadAddress(format!(
                    "port = {text}: write a path such as /dev/ttyS0, or tcp://host:port"
                )));
            }
            return Ok(Address::Serial(PathBuf::from(text)));
        };
        let bad =
            || BadAddress(format!("port = {text}: write tcp://host:port, such as tcp://192.0.2.7:4001"));
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or_else(bad)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(bad)?;
        if host.is_empty() { Err(bad()) } else { Ok(Address::Tcp { host: host.into(), port }) }
    }

    fn parse_replay(text: &str) -> Result<Address, BadAddress> {
        let bad = || {
            BadAddress(format!(
                "port = replay:{text}: write replay:/path/of/a/capture, or replay:/path/of/a/capture?speed=1"
            ))
        };
        let (path, speed) = match text.rsplit_once("?speed=") {
            Some((path, speed)) => {
                let speed = speed.parse().ok().filter(|speed| *speed > 0);
                (path, Some(speed.ok_or_else(bad)?))
            }
            None => (text, None),
        };
        if path.is_empty() { Err(bad()) } else { Ok(Address::Replay { path: path.into(), speed }) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Serial(path) => write!(f, "{}", path.display()),
            Address::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Address::Usb(_) => f.write_str("auto"),
            Address::Replay { path, speed: None } => write!(f, "replay:{}", path.display()),
            Address::Replay { path, speed: Some(speed) } => {
                write!(f, "replay:{}?speed={speed}", path.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let tcp = |host: &str, port| Ok(Address::Tcp { host: host.into(), port });
        assert_eq!(Address::parse("tcp://ups.lan:4001"), tcp("ups.lan", 4001));
        assert_eq!(Address::parse("tcp://[::1]:4001/"), tcp("::1", 4001));
        assert_eq!(Address::parse("/dev/ttyS0"), Ok(Address::Serial("/dev/ttyS0".into())));
        assert!(matches!(Address::parse("auto"), Ok(Address::Usb(_))));
        for (text, wanted) in [("replay:/tmp/a?b.log", None), ("replay:/tmp/a?b.log?speed=10", Some(10))] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address, Address::Replay { path: "/tmp/a?b.log".into(), speed: wanted });
            assert_eq!(address.to_string(), text);
        }
        for bad in ["replay:", "replay:x?speed=0", "replay:x?speed=fast", "replay:?speed=1"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        for bad in ["tcp://host", "tcp://:1", "tcp://host:0", "tcp://host:99999", "udp://a:1"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
