//! What any host can have the server say again and again: one line for each kind and address, then a count.

use crate::guard::neighbourhood;
use station::seldom::Seldom;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::time::Instant;

/// So many kinds and addresses are kept apart; all others are one.
const MOST: usize = 256;

/// What was said, by kind and address.
#[derive(Debug, Default)]
pub(crate) struct ClientComplaints {
    known: HashMap<(&'static str, Option<IpAddr>), Seldom>,
    rest: Seldom,
}

impl ClientComplaints {
    /// It happened. How often it did since it was said last, when it is to be said now.
    pub fn happened(&mut self, kind: &'static str, address: Option<IpAddr>, now: Instant) -> Option<u32> {
        let key = (kind, address.map(neighbourhood));
        if self.known.len() >= MOST && !self.known.contains_key(&key) {
            self.known.retain(|_, seldom| !seldom.is_over(now));
            if self.known.len() >= MOST {
                return self.rest.happened(now);
            }
        }
        self.known.entry(key).or_default().happened(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// Found by a review: each new name of a user was a line of its own, without end; 1.8 MB a minute.
    #[test]
    fn a_flood_is_a_line_for_each_kind_and_address_and_no_more() {
        let (start, mut complaints) = (Instant::now(), ClientComplaints::default());
        let host = |number: u32| Some(IpAddr::from(Ipv4Addr::from_bits(number)));
        let said = |complaints: &mut ClientComplaints, hosts: u32, from: Instant| {
            let calls = (0..100_000_u32).filter(|call| {
                let now = from + Duration::from_millis(5) * *call;
                complaints.happened("log in", host(call % hosts), now).is_some()
            });
            calls.count()
        };
        assert_eq!(said(&mut complaints, 1, start), 1);
        assert_eq!(said(&mut complaints, 10_000, start), MOST);
        // other kinds and hosts are heard again when the flood is over
        let later = start + Duration::from_secs(1_800);
        assert!(complaints.happened("set", host(1), later).is_some());
        for number in 0..300 {
            complaints.happened("read", host(number), later);
        }
        assert!(complaints.known.len() <= MOST);
    }
}
