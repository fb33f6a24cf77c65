//! What hyper sends: a whole answer, or events until the client leaves.

use crate::events::{HEARTBEAT, Listener};
use crate::view::FleetView;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The body of an answer.
pub(super) enum ReplyBody {
    /// All of it, until it is taken.
    Whole(Option<Bytes>),
    /// Events.
    Events(EventStream),
}

impl ReplyBody {
    pub fn nothing() -> ReplyBody {
        ReplyBody::Whole(None)
    }

    pub fn whole(body: Bytes) -> ReplyBody {
        ReplyBody::Whole(Some(body).filter(|bytes| !bytes.is_empty()))
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplyBody::Whole(_) => "Whole",
            ReplyBody::Events(_) => "Events",
        })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            ReplyBody::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            ReplyBody::Events(stream) => {
                stream.poll_next(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, ReplyBody::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Whole(bytes) => SizeHint::with_exact(
                bytes.as_ref().map_or(0, |bytes| bytes.len().try_into().unwrap_or(u64::MAX)),
            ),
            ReplyBody::Events(_) => SizeHint::default(),
        }
    }
}

/// What is needed for the next event.
pub(super) struct EventState {
    pub news: watch::Receiver<Rc<FleetView>>,
    pub listener: Listener,
    /// When the ages are to be said.
    pub due: Instant,
    /// It counts among those who listen as long as this is there.
    pub _seat: Rc<()>,
}

impl EventState {
    /// Waits for something new; none when the server ends.
    async fn next(mut self) -> Option<(EventState, Bytes)> {
        loop {
            let is_due = Instant::now() >= self.due;
            if is_due {
                self.due = Instant::now() + HEARTBEAT;
            }
            let fleet = self.news.borrow_and_update().clone();
            let text = self.listener.next(&fleet, is_due);
            if !text.is_empty() {
                return Some((self, text.into()));
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = sleep_until(self.due) => {}
            }
        }
    }
}

type Next = Pin<Box<dyn Future<Output = Option<(EventState, Bytes)>>>>;

/// Events for one client: the next one is made when it has taken the one before.
pub(super) struct EventStream(Option<Next>);

impl EventStream {
    pub fn new(state: EventState) -> EventStream {
        EventStream(Some(Box::pin(state.next())))
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(next) = &mut self.0 else { return Poll::Ready(None) };
        let made = ready!(next.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(made.map(|(state, bytes)| {
            self.0 = Some(Box::pin(state.next()));
            bytes
        }))
    }
}
