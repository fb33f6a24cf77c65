//! Answers that have all UPSes in them, kept for a moment, so that making them takes a bounded part of the time, however often
//! clients ask; and how many bytes of answers wait for clients.

use crate::answer::{SharedAnswer, Whole};
use hyper::body::Bytes;
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Making an answer takes no more than one part in so many of the time, for each of the few kinds.
const SHARE: u32 = 20;
/// What takes less is made for each client.
const SOON: Duration = Duration::from_millis(1);
/// And none is older, however long it took.
const OLDEST: Duration = Duration::from_millis(500);
/// So many bytes of answers may wait for all clients together.
pub const UNSENT: usize = 32 * 1024 * 1024;

/// An answer with a body that several connections may share.
#[derive(Clone, Debug)]
pub(super) struct ServedAnswer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Bytes,
    pub tag: Option<&'static str>,
    pub is_last: bool,
    /// The body is in gzip.
    pub is_packed: bool,
}

impl ServedAnswer {
    /// A short one, which is not counted.
    pub fn of(whole: Whole) -> ServedAnswer {
        let Whole { status, content_type, body, tag, is_last } = whole;
        let body = Bytes::from(body.into_owned());
        ServedAnswer { status, content_type, body, tag, is_last, is_packed: false }
    }
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    kept: RefCell<Vec<(SharedAnswer, Instant, ServedAnswer)>>,
    unsent: Arc<AtomicUsize>,
}

/// Bytes that count until no connection needs them.
struct Counted {
    bytes: Vec<u8>,
    unsent: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.unsent.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl Shelf {
    /// The answer that was made a moment ago, packed or not.
    pub fn take(&self, what: SharedAnswer, packed: bool) -> Option<ServedAnswer> {
        let mut kept = self.kept.borrow_mut();
        let now = Instant::now();
        kept.retain(|(_, until, _)| *until > now);
        let same = |known: &SharedAnswer, answer: &ServedAnswer| *known == what && answer.is_packed == packed;
        kept.iter().find(|(known, _, answer)| same(known, answer)).map(|(.., answer)| answer.clone())
    }

    /// Keeps an answer that took so long.
    pub fn keep(&self, what: SharedAnswer, answer: &ServedAnswer, took: Duration) {
        if took < SOON {
            return;
        }
        let until = Instant::now() + (took * SHARE).min(OLDEST);
        let mut kept = self.kept.borrow_mut();
        kept.retain(|(known, _, there)| *known != what || there.is_packed != answer.is_packed);
        kept.push((what, until, answer.clone()));
    }

    /// Makes an answer one that can be sent, packed or not; none where too much waits for clients already.
    pub fn served(&self, whole: Whole, is_packed: bool) -> Option<ServedAnswer> {
        let Whole { status, content_type, body, tag, is_last } = whole;
        let body = match body {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => {
                let before = self.unsent.fetch_add(bytes.len(), Ordering::Relaxed);
                let counted = Counted { bytes, unsent: self.unsent.clone() };
                // dropped at once where it is too much, and counts no more then
                if before > UNSENT {
                    return None;
                }
                Bytes::from_owner(counted)
            }
        };
        Some(ServedAnswer { status, content_type, body, tag, is_last, is_packed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::shared;
    use crate::request::{Asked, Place};

    fn what(path: &str, query: Option<&str>, accept: Option<&str>) -> Option<SharedAnswer> {
        let asked = Asked {
            method: "GET",
            path,
            query,
            host: Some("localhost"),
            accept,
            known: None,
            has_body: false,
        };
        shared(&asked, &Place::default())
    }

    fn whole(size: usize) -> Whole {
        Whole {
            status: 200,
            content_type: "text/plain",
            body: vec![b'a'; size].into(),
            tag: None,
            is_last: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_took_long_is_kept_for_a_moment_and_no_longer() {
        let (shelf, page) = (Shelf::default(), what("/", None, None).unwrap());
        let answer = shelf.served(whole(10), false).unwrap();
        shelf.keep(page, &answer, Duration::from_micros(900));
        assert!(shelf.take(page, false).is_none());
        shelf.keep(page, &answer, Duration::from_millis(5));
        tokio::time::advance(Duration::from_millis(99)).await;
        assert!(shelf.take(page, false).is_some() && shelf.take(page, true).is_none());
        tokio::time::advance(Duration::from_millis(2)).await;
        assert!(shelf.take(page, false).is_none());
        shelf.keep(page, &answer, Duration::from_secs(5));
        tokio::time::advance(OLDEST).await;
        assert!(shelf.take(page, false).is_none());
    }

    #[test]
    fn only_the_same_is_shared() {
        let open = Some("application/openmetrics-text");
        assert_eq!(what("/ups/rack", None, None), None);
        assert_eq!(what("/nut", Some("target=rack"), None), None);
        assert_eq!(what("/nut", Some("target=a:1"), None), what("/nut", Some("target=b:2"), None));
        assert_ne!(what("/metrics", None, None), what("/metrics", None, open));
        assert_ne!(what("/", None, None), what("/api/v1/ups", None, None));
    }

    #[test]
    fn what_waits_for_clients_is_bounded() {
        let shelf = Shelf::default();
        let mut waiting: Vec<ServedAnswer> =
            (0..100).map_while(|_| shelf.served(whole(1 << 20), false)).collect();
        assert_eq!(waiting.len(), 33);
        waiting.pop();
        assert!(shelf.served(whole(1 << 20), false).is_some());
        drop(waiting);
        assert_eq!(shelf.unsent.load(Ordering::Relaxed), 0);
    }
}
