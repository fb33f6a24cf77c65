//! Asking at one place, with a station of the real driver.

use super::places::ScanPlace;
use crate::port_user::PortUsers;
use link::{Address, LinkError, LinkErrorKind};
use nix::unistd::Uid;
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use station::{Found, Setup, Station};
use std::time::Duration;
use tokio::time::timeout;

/// What a UPS says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsAnswer {
    /// The dialect.
    pub dialect: String,
    /// The maker, or nothing.
    pub maker: String,
    /// The model, or nothing.
    pub model: String,
    /// `ups.status`.
    pub status: String,
    /// Why it is this dialect, line by line.
    pub evidence: Vec<String>,
}

/// Why it is not known what is at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanTrouble {
    /// What kept the place from being opened; `None` when it was open and no UPS was found.
    pub kind: Option<LinkErrorKind>,
    /// What happened and what to do.
    pub sentence: String,
}

impl ScanTrouble {
    /// The kind in a word, for programs.
    pub fn word(&self) -> &'static str {
        match self.kind {
            None => "not found",
            Some(LinkErrorKind::Busy) => "busy",
            Some(LinkErrorKind::NotPermitted) => "not permitted",
            Some(LinkErrorKind::NotFound | LinkErrorKind::Gone | LinkErrorKind::Another) => "no such place",
            Some(LinkErrorKind::Unsuitable | LinkErrorKind::Other) => "not usable",
        }
    }

    /// The same; of a port that is in use, by which program and what to do.
    fn with_user_of(self, place: &ScanPlace) -> ScanTrouble {
        match place.file().filter(|_| self.kind == Some(LinkErrorKind::Busy)) {
            Some(file) => {
                let sentence = PortUsers::of(&file).sentence(&file);
                ScanTrouble { sentence, ..self }
            }
            None => self,
        }
    }

    fn silent(sentence: String) -> ScanTrouble {
        ScanTrouble { kind: None, sentence }
    }

    fn other(sentence: String) -> ScanTrouble {
        ScanTrouble { kind: Some(LinkErrorKind::Other), sentence }
    }
}

impl From<LinkError> for ScanTrouble {
    fn from(error: LinkError) -> ScanTrouble {
        let sentence = match error.kind {
            // what a driver's user needs is of no use to this one
            LinkErrorKind::NotPermitted if !Uid::effective().is_root() => {
                let what = error.sentence.split_once("; ").map_or(error.sentence.as_str(), |(what, _)| what);
                format!("{what}; run it with sudo")
            }
            _ => error.sentence,
        };
        ScanTrouble { kind: Some(error.kind), sentence }
    }
}

/// Opens the place and looks for the dialect.
///
/// # Errors
/// It cannot be opened, or does not answer.
pub async fn ask(place: &ScanPlace, limit: Duration) -> Result<UpsAnswer, ScanTrouble> {
    let mut config = UpsConfig::at(&NUTDRV_QX, place.address().map_err(ScanTrouble::other)?);
    config.options.tentative = matches!(place, ScanPlace::Port(_));
    // what is worth saying is said here
    let station = Station::spawn(Setup::look(&NUTDRV_QX, config));
    let found = timeout(limit, station.found()).await;
    let device = station.device().borrow();
    let late = || ScanTrouble {
        kind: None,
        sentence: format!("no dialect was found within {} seconds", limit.as_secs()),
    };
    let Some(protocol) = device.protocol() else {
        let why = found.ok().and_then(trouble).unwrap_or_else(late).with_user_of(place);
        return Err(of_nut_server(place).map_or(why, ScanTrouble::silent));
    };
    // what is known is worth printing, also when the time was too short to ask for the rest
    let said = |names: &[&str]| {
        names.iter().find_map(|name| device.store().text(name)).unwrap_or_default().trim().to_string()
    };
    Ok(UpsAnswer {
        dialect: protocol.name.into(),
        maker: said(&["device.mfr", "ups.mfr"]),
        model: said(&["device.model", "ups.model"]),
        status: said(&["ups.status"]),
        evidence: device.evidence().to_vec(),
    })
}

/// What to do with the port of NUT servers, where no UPS answers by itself.
fn of_nut_server(place: &ScanPlace) -> Option<String> {
    let Ok(Address::Tcp { host, port: nut::network::PORT }) = place.address() else { return None };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!(
        "no UPS answers at the port of NUT servers: 'qxups list @{host}' names the UPSes of one, and driver = nut-upstream \
         with port = UPS@{host} serves them here"
    ))
}

/// Why nothing was found.
fn trouble(found: Found) -> Option<ScanTrouble> {
    Some(match found {
        Found::Ready => return None,
        Found::NotFound(sentence) => ScanTrouble { kind: None, sentence },
        Found::CannotOpen(error) => error.into(),
        Found::Stale | Found::Ended => {
            ScanTrouble::other("the UPS was found, but cannot be read: noise, or a loose cable".into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_nut_servers_is_named() {
        let said = |server: &str| of_nut_server(&ScanPlace::tcp(server).unwrap());
        assert!(said("nas:3493").unwrap().contains("'qxups list @nas'"));
        assert!(said("[::1]:3493").unwrap().contains("port = UPS@[::1]"));
        assert_eq!(said("nas:4001"), None);
    }
}
