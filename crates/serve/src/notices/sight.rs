//! What a UPS says now, of what rules look at.

use crate::fleet::{Ups, has_word};
use crate::server::Server;
use notify::{SaidNumber, UpsSaid};
use std::net::IpAddr;

/// No text of a UPS is longer in a notice, in letters.
const LONGEST: usize = 500;

/// What it says; none while there is no fresh data.
pub(super) fn said_of(ups: &Ups) -> Option<UpsSaid> {
    ups.with_source(None, |source| {
        if !has_word(source) {
            return None;
        }
        let text = |name: &str| {
            let mut text = None;
            source.variable(name, &mut |variable| text = Some(plain(variable.value)));
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

/// A text as one line of a bounded length: servers of mail refuse what has control characters.
fn plain(text: &str) -> String {
    let letters = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(LONGEST).collect()
}

/// The status as clients read it: with FSD where the server forces the shutdown.
pub(super) fn with_latch(ups: &Ups, words: &str) -> String {
    let words = plain(words);
    match ups.forced_shutdown() && !words.split_whitespace().any(|word| word == "FSD") {
        true => format!("FSD {words}"),
        false => words,
    }
}

/// The hosts that are logged in to it.
pub(super) fn hosts_of(server: &Server, ups: &Ups) -> Vec<IpAddr> {
    let peers = server.peers.borrow();
    let of_it = peers.values().filter(|peer| peer.login.get() == Some(ups.id()));
    of_it.map(|peer| peer.address.to_canonical()).collect()
}
