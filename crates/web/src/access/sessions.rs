//! Who is logged in, in memory alone: a start of the server ends all of it.

use super::PageAccount;
use super::questions::Questions;
use super::secret::PageSecret;
use std::time::{Duration, Instant};

/// So many sessions at once; one more ends the one that was used least lately.
pub const SESSIONS: usize = 64;
/// A session that is not used for so long ends.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// And each after so long.
pub const LONGEST_SESSION: Duration = Duration::from_secs(12 * 3600);

/// One browser that is logged in.
#[derive(Debug)]
pub struct PageSession {
    key: PageSecret,
    /// What each form of its pages has in it.
    pub token: PageSecret,
    /// As whom.
    pub account: PageAccount,
    /// What it was asked before an order.
    pub questions: Questions,
    began: Instant,
    used: Instant,
}

impl PageSession {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= IDLE
            || now.saturating_duration_since(self.began) >= LONGEST_SESSION
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct PageSessions(Vec<PageSession>);

impl PageSessions {
    /// Begins one.
    pub fn begin(&mut self, key: PageSecret, token: PageSecret, account: PageAccount, now: Instant) {
        self.0.retain(|session| !session.is_over(now));
        if self.0.len() >= SESSIONS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, session)| session.used);
            if let Some(at) = oldest.map(|(at, _)| at) {
                self.0.remove(at);
            }
        }
        let questions = Questions::default();
        self.0.push(PageSession { key, token, account, questions, began: now, used: now });
    }

    /// The session of that key, which is used now.
    pub fn find(&mut self, key: &str, now: Instant) -> Option<&mut PageSession> {
        self.0.retain(|session| !session.is_over(now));
        // each is compared, whichever it is
        let found = self.0.iter_mut().fold(None, |found, session| match session.key.is(key) {
            true => Some(session),
            false => found,
        })?;
        found.used = now;
        Some(found)
    }

    /// Ends the session of that key: as whom it was.
    pub fn end(&mut self, key: &str) -> Option<PageAccount> {
        let at = self.0.iter().position(|session| session.key.is(key))?;
        Some(self.0.remove(at).account)
    }

    /// Ends those whose account is not what it was.
    pub fn keep(&mut self, is_still: impl Fn(&PageAccount) -> bool) {
        self.0.retain(|session| is_still(&session.account));
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(number: usize) -> PageSecret {
        let mut bytes = [3; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        PageSecret::from_random(bytes)
    }

    fn account(name: &str) -> PageAccount {
        PageAccount::new(name, "proof")
    }

    #[test]
    fn a_session_ends_when_it_rests_and_in_any_case() {
        let (start, mut sessions) = (Instant::now(), PageSessions::default());
        let key = secret(1).text();
        sessions.begin(secret(1), secret(2), account("a"), start);
        let mut now = start;
        assert!(sessions.find(&secret(2).text(), now).is_none());
        while now < start + LONGEST_SESSION {
            assert!(sessions.find(&key, now).is_some(), "{:?}", now - start);
            now += IDLE - Duration::from_secs(1);
        }
        assert!(sessions.find(&key, start + LONGEST_SESSION).is_none());
        sessions.begin(secret(1), secret(2), account("a"), start);
        assert!(sessions.find(&key, start + IDLE - Duration::from_nanos(1)).is_some());
        assert!(sessions.find(&key, start + IDLE * 2).is_none());
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn sessions_are_bounded_and_the_one_used_least_lately_gives_way() {
        let (start, mut sessions) = (Instant::now(), PageSessions::default());
        let at = |seconds: usize| start + Duration::from_secs(seconds as u64);
        for number in 0..SESSIONS {
            sessions.begin(secret(number), secret(999), account("a"), at(number));
        }
        assert!(sessions.find(&secret(0).text(), at(100)).is_some());
        sessions.begin(secret(500), secret(999), account("a"), at(101));
        assert_eq!(sessions.count(), SESSIONS);
        assert!(sessions.find(&secret(0).text(), at(102)).is_some());
        assert!(sessions.find(&secret(1).text(), at(102)).is_none());
    }

    #[test]
    fn who_logs_out_or_is_removed_has_no_session() {
        let (now, mut sessions) = (Instant::now(), PageSessions::default());
        sessions.begin(secret(1), secret(9), account("a"), now);
        sessions.begin(secret(2), secret(9), account("b"), now);
        assert_eq!(sessions.end(&secret(1).text()).unwrap().name, "a");
        assert!(sessions.end(&secret(1).text()).is_none() && sessions.find(&secret(1).text(), now).is_none());
        sessions.keep(|account| account.name != "b");
        assert!(sessions.find(&secret(2).text(), now).is_none());
    }
}
