//! Failed logins: each makes the next check of its own address wait, and nothing else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long the next check waits after the first failure; it doubles with each.
const FIRST: Duration = Duration::from_millis(200);
/// And at most.
const LONGEST: Duration = Duration::from_secs(5);
/// After so long without a failure an address is as new.
const FORGIVEN: Duration = Duration::from_secs(300);
/// Of so many addresses it is known; of more, the one that failed least lately is forgotten.
const MOST: usize = 4096;

/// The addresses that failed.
#[derive(Debug, Default)]
pub(crate) struct Guard(HashMap<IpAddr, Failures>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn until(&self) -> Instant {
        let wait = FIRST.saturating_mul(1 << (self.count - 1).min(16));
        self.last + wait.min(LONGEST)
    }
}

impl Guard {
    /// Until when a check for this address has to wait.
    pub fn waits(&self, address: IpAddr) -> Option<Instant> {
        let until = self.0.get(&address)?.until();
        (until > Instant::now()).then_some(until)
    }

    /// A check failed.
    pub fn failed(&mut self, address: IpAddr) {
        let now = Instant::now();
        if self.0.len() >= MOST && !self.0.contains_key(&address) {
            let oldest = self.0.iter().min_by_key(|(_, failures)| failures.last).map(|(address, _)| *address);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let failures = self.0.entry(address).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(failures.last) > FORGIVEN {
            failures.count = 0;
        }
        (failures.count, failures.last) = (failures.count.saturating_add(1), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[tokio::test(start_paused = true)]
    async fn each_failure_slows_its_own_address_down() {
        let mut guard = Guard::default();
        assert_eq!(guard.waits(address(1)), None);
        let mut waits = vec![];
        for _ in 0..8 {
            guard.failed(address(1));
            let until = guard.waits(address(1)).unwrap();
            waits.push(u64::try_from((until - Instant::now()).as_millis()).unwrap());
            assert_eq!(guard.waits(address(2)), None);
        }
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        tokio::time::advance(LONGEST - Duration::from_millis(1)).await;
        assert!(guard.waits(address(1)).is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(guard.waits(address(1)), None);
        tokio::time::advance(FORGIVEN + Duration::from_millis(1)).await;
        guard.failed(address(1));
        assert_eq!(guard.waits(address(1)), Some(Instant::now() + FIRST));
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_are_bounded() {
        let mut guard = Guard::default();
        for number in 0..u32::try_from(MOST).unwrap() + 100 {
            guard.failed(IpAddr::from(Ipv4Addr::from(number)));
            tokio::time::advance(Duration::from_nanos(1)).await;
        }
        assert_eq!(guard.0.len(), MOST);
    }
}
