//! Asking at one place, with the real driver.

use super::places::Place;
use driver::log::Log;
use driver::session::{Session, Shared};
use link::{CablePower, Kind, Link, LinkError, Opening};
use qx::device::{Device, Event};
use qx::option::Options;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
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
    /// What kept the place from being opened; `None` when it was open and nobody was found.
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
    // made anew when the place is open and says which dialect comes first
    let device = Rc::new(RefCell::new(Device::new(Options::default())));
    let ended = timeout(limit, look(place, device.clone())).await;
    let device = device.borrow();
    let Some(protocol) = device.protocol() else {
        let late = || Trouble {
            kind: None,
            sentence: format!("no dialect was found within {} seconds", limit.as_secs()),
        };
        return Err(ended.ok().and_then(Result::err).unwrap_or_else(late));
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

/// Until the device has asked everything once, or has found nobody.
async fn look(place: &Place, device: Shared) -> Result<(), Trouble> {
    let address = place.address().map_err(Trouble::other)?;
    let opening = Opening { address, cable_power: CablePower::default(), lock: true };
    let link = Link::open(&opening).await?;
    let tentative = matches!(place, Place::Port(_));
    let options = Options { first_dialect: link.dialect(), tentative, ..Options::default() };
    *device.borrow_mut() = Device::new(options);
    let (_wishes, wishes) = mpsc::channel(1);
    // three times quiet: what is worth saying is said here
    let log = Rc::new(Log::new(0, 3));
    let mut session = Session::new(device, opening, link, wishes, log);
    let enough = |event: &Event| matches!(event, Event::Ready | Event::Stale | Event::NotFound(_));
    match session.run_until(enough).await {
        Event::NotFound(sentence) => Err(Trouble { kind: None, sentence }),
        Event::Stale => {
            Err(Trouble::other("the UPS was found, but cannot be read: noise, or a loose cable".into()))
        }
        _ => Ok(()),
    }
}
