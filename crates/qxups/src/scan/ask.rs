//! Asking at one place, with the real driver.

use super::places::Place;
use driver::log::Log;
use driver::session::Session;
use link::{CablePower, Link, Opening};
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
}

/// Opens the place and looks for the dialect.
///
/// # Errors
/// A sentence: it cannot be opened, or does not answer.
pub async fn ask(place: &Place, limit: Duration) -> Result<Answer, String> {
    let opening = Opening { address: place.address()?, cable_power: CablePower::default(), lock: true };
    let link = Link::open(&opening).await.map_err(|error| error.to_string())?;
    let device = Rc::new(RefCell::new(Device::new(Options::default())));
    let (_wishes, wishes) = mpsc::channel(1);
    // three times quiet: what is worth saying is said here
    let log = Rc::new(Log::new(0, 3));
    let mut session = Session::new(device.clone(), opening, link, wishes, log);
    let looking = session.run_until(|event| matches!(event, Event::Ready | Event::NotFound(_)));
    match timeout(limit, looking).await {
        Ok(Event::NotFound(why)) => return Err(why),
        Ok(_) => {}
        Err(_) => return Err(format!("no dialect was found within {} seconds", limit.as_secs())),
    }
    let device = device.borrow();
    let said = |names: &[&str]| {
        names.iter().find_map(|name| device.store().text(name)).unwrap_or_default().trim().to_string()
    };
    Ok(Answer {
        dialect: device.protocol().map(|protocol| protocol.name.to_string()).unwrap_or_default(),
        maker: said(&["device.mfr", "ups.mfr"]),
        model: said(&["device.model", "ups.model"]),
        status: said(&["ups.status"]),
    })
}
