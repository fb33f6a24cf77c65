//! Asking at one place, with a station of the real driver.

use super::places::Place;
use link::{Kind, LinkError};
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use station::{Found, Setup, Station};
use std::time::Duration;
use tokio::time::timeout;

/// What a UPS says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
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
pub struct Trouble {
    /// What kept the place from being opened; `None` when it was open and no UPS was found.
    pub kind: Option<Kind>,
    /// What happened and what to do.
    pub sentence: String,
}

impl Trouble {
    /// The kind in a word, for programs.
    pub fn word(&self) -> &'static str {
        match self.kind {
            None => "not found",
            Some(Kind::Busy) => "busy",
            Some(Kind::NotPermitted) => "not permitted",
            Some(Kind::NotFound | Kind::Gone | Kind::Another) => "no such place",
            Some(Kind::Unsuitable | Kind::Other) => "not usable",
        }
    }

    fn other(sentence: String) -> Trouble {
        Trouble { kind: Some(Kind::Other), sentence }
    }
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Trouble {
        Trouble { kind: Some(error.kind), sentence: error.sentence }
    }
}

/// Opens the place and looks for the dialect.
///
/// # Errors
/// It cannot be opened, or does not answer.
pub async fn ask(place: &Place, limit: Duration) -> Result<Answer, Trouble> {
    let mut config = UpsConfig::at(&NUTDRV_QX, place.address().map_err(Trouble::other)?);
    config.options.tentative = matches!(place, Place::Port(_));
    // what is worth saying is said here
    let station = Station::spawn(Setup::look(&NUTDRV_QX, config));
    let found = timeout(limit, station.found()).await;
    let device = station.device().borrow();
    let late = || Trouble {
        kind: None,
        sentence: format!("no dialect was found within {} seconds", limit.as_secs()),
    };
    let Some(protocol) = device.protocol() else {
        return Err(found.ok().and_then(trouble).unwrap_or_else(late));
    };
    // what is known is worth printing, also when the time was too short to ask for the rest
    let said = |names: &[&str]| {
        names.iter().find_map(|name| device.store().text(name)).unwrap_or_default().trim().to_string()
    };
    Ok(Answer {
        dialect: protocol.name.into(),
        maker: said(&["device.mfr", "ups.mfr"]),
        model: said(&["device.model", "ups.model"]),
        status: said(&["ups.status"]),
        evidence: device.evidence().to_vec(),
    })
}

/// Why nothing was found.
fn trouble(found: Found) -> Option<Trouble> {
    Some(match found {
        Found::Ready => return None,
        Found::NotFound(sentence) => Trouble { kind: None, sentence },
        Found::CannotOpen(error) => error.into(),
        Found::Stale | Found::Ended => {
            Trouble::other("the UPS was found, but cannot be read: noise, or a loose cable".into())
        }
    })
}
