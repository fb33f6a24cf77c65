//! What a UPS says now, of what rules look at.

use crate::fleet::Ups;
use crate::server::Server;
use notify::{SaidNumber, UpsSaid};
use nut::network::server::Freshness;
use std::net::IpAddr;

/// What it says; none while there is no fresh data.
pub(super) fn said_of(ups: &Ups) -> Option<UpsSaid> {
    ups.with_source(None, |source| {
        if source.freshness() != Freshness::Fresh {
            return None;
        }
        let text = |name: &str| {
            let mut text = None;
            source.variable(name, &mut |variable| text = Some(variable.value.trim().to_string()));
            text
        };
        let number = |name: &str| {
            let value = text(name)?.parse::<f64>().ok().filter(|value| value.is_finite())?;
            // of which it is not known whose word it is, is no word of the UPS
            Some(SaidNumber { value, is_estimate: source.is_said(name) != Some(true) })
        };
        Some(UpsSaid {
            status: with_latch(ups, &text("ups.status")?),
            alarm: text("ups.alarm").unwrap_or_default(),
            charge: number("battery.charge"),
            runtime: number("battery.runtime"),
            temperature: number("ups.temperature"),
            load: number("ups.load"),
        })
    })
}

/// The status as clients read it: with FSD where the server forces the shutdown.
pub(super) fn with_latch(ups: &Ups, words: &str) -> String {
    match ups.forced_shutdown() {
        true => format!("FSD {words}"),
        false => words.into(),
    }
}

/// The hosts that are logged in to it.
pub(super) fn hosts_of(server: &Server, ups: &Ups) -> Vec<IpAddr> {
    let peers = server.peers.borrow();
    let of_it = peers.values().filter(|peer| peer.login.get() == Some(ups.id()));
    of_it.map(|peer| peer.address.to_canonical()).collect()
}
