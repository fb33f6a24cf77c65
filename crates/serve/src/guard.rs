//! Failed logins: each makes the next checks of its own address wait, and nothing else.
//!
//! A check waits for two seconds at most, however often others of the address fail meanwhile: upsmon gives up reading
//! after five (NUT 2.8.0 clients/upsmon.c), and a host that cannot log in is not shut down.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::time::Instant;

/// How long the next check waits after the first failure; it doubles with each.
const FIRST: Duration = Duration::from_millis(200);
/// And at most; no check waits longer, whatever fails meanwhile.
const LONGEST: Duration = Duration::from_secs(2);
/// The same for logins to the page, of which those of an address are checked one after the other: two guesses a second.
const LONGEST_OF_PAGES: Duration = Duration::from_millis(500);
/// After so long without a failure an address is as new.
const FORGIVEN: Duration = Duration::from_secs(300);
/// Of so many addresses it is known; of more, the one that failed least lately is forgotten.
const MOST: usize = 4096;

/// One host may have all of an IPv6 /64.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

/// The addresses that failed.
#[derive(Debug)]
pub(crate) struct Guard {
    failed: HashMap<IpAddr, Failures>,
    longest: Duration,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { failed: HashMap::new(), longest: LONGEST }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn until(&self, longest: Duration) -> Instant {
        let wait = FIRST.saturating_mul(1 << (self.count - 1).min(16));
        self.last + wait.min(longest)
    }
}

impl Guard {
    /// For logins to the page.
    pub fn of_pages() -> Guard {
        Guard { longest: LONGEST_OF_PAGES, ..Guard::default() }
    }

    /// Until when a check for this address has to wait, which waits since then.
    pub fn waits(&self, address: IpAddr, since: Instant) -> Option<Instant> {
        let known = self.failed.get(&neighbourhood(address))?;
        let until = known.until(self.longest).min(since + self.longest);
        (until > Instant::now()).then_some(until)
    }

    /// How often checks for this address failed lately.
    pub fn failures(&self, address: IpAddr) -> u32 {
        let known = self.failed.get(&neighbourhood(address));
        known.filter(|failures| failures.last.elapsed() <= FORGIVEN).map_or(0, |failures| failures.count)
    }

    /// A check failed.
    pub fn failed(&mut self, address: IpAddr) {
        let (address, now) = (neighbourhood(address), Instant::now());
        if self.failed.len() >= MOST && !self.failed.contains_key(&address) {
            let oldest =
                self.failed.iter().min_by_key(|(_, failures)| failures.last).map(|(address, _)| *address);
            oldest.map(|oldest| self.failed.remove(&oldest));
        }
        let failures = self.failed.entry(address).or_insert(Failures { count: 0, last: now });
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
        let waits_now = |guard: &Guard, address| guard.waits(address, Instant::now());
        assert_eq!(waits_now(&guard, address(1)), None);
        let mut waits = vec![];
        for _ in 0..8 {
            guard.failed(address(1));
            let until = waits_now(&guard, address(1)).unwrap();
            waits.push(u64::try_from((until - Instant::now()).as_millis()).unwrap());
            assert_eq!(waits_now(&guard, address(2)), None);
        }
        assert_eq!(waits, [200, 400, 800, 1600, 2000, 2000, 2000, 2000]);
        tokio::time::advance(LONGEST - Duration::from_millis(1)).await;
        assert!(waits_now(&guard, address(1)).is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(waits_now(&guard, address(1)), None);
        tokio::time::advance(FORGIVEN + Duration::from_millis(1)).await;
        guard.failed(address(1));
        assert_eq!(waits_now(&guard, address(1)), Some(Instant::now() + FIRST));
    }

    /// Found by a review: one program with a wrong password kept upsmon of the same host from logging in.
    #[tokio::test(start_paused = true)]
    async fn a_check_is_not_put_off_by_more_failures() {
        let mut guard = Guard::default();
        (0..20).for_each(|_| guard.failed(address(1)));
        let since = Instant::now();
        while guard.waits(address(1), since).is_some() {
            tokio::time::advance(Duration::from_millis(100)).await;
            guard.failed(address(1));
        }
        assert_eq!(since.elapsed(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn logins_to_the_page_wait_half_a_second_at_most() {
        let mut guard = Guard::of_pages();
        (0..20).for_each(|_| guard.failed(address(1)));
        let until = guard.waits(address(1), Instant::now());
        assert_eq!(until, Some(Instant::now() + LONGEST_OF_PAGES));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_with_many_addresses_is_one() {
        let mut guard = Guard::default();
        let now = Instant::now();
        guard.failed("2001:db8::1".parse().unwrap());
        assert!(guard.waits("2001:db8::2:3".parse().unwrap(), now).is_some());
        assert_eq!(guard.waits("2001:db8:0:1::1".parse().unwrap(), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_are_bounded() {
        let mut guard = Guard::default();
        for number in 0..u32::try_from(MOST).unwrap() + 100 {
            guard.failed(IpAddr::from(Ipv4Addr::from(number)));
            tokio::time::advance(Duration::from_nanos(1)).await;
        }
        assert_eq!(guard.failed.len(), MOST);
    }
}
