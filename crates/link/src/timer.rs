//! When a wait ends: one timer of the system for each link.
//!
//! The timers of the runtime would do as well, but cost a link that sleeps nearly always as much as its
//! questions: a timer that is set wakes the runtime, and one of a second is reached in two steps.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::time::{Instant, sleep_until};

/// A timer, set anew by each wait.
#[derive(Debug)]
pub struct Timer(Option<system::Clock>);

impl Timer {
    /// Needs a tokio runtime with I/O and time.
    pub fn new() -> Timer {
        Timer(system::Clock::new())
    }

    /// Waits until then.
    pub async fn sleep_until(&mut self, deadline: Instant) {
        if let Some(clock) = &mut self.0 {
            clock.forget();
        }
        self.pause_until(deadline).await;
    }

    /// The same, where what is waited for is likely to come before: a timer that goes off earlier does.
    async fn pause_until(&mut self, deadline: Instant) {
        let waited = match &mut self.0 {
            Some(clock) => clock.wait(deadline).await.is_ok(),
            None => false,
        };
        if !waited {
            sleep_until(deadline).await;
        }
    }

    /// What comes of it; nothing when it takes longer. Who is ready at once costs no timer, and who comes piece by
    /// piece one only for the first.
    pub async fn timeout_at<T>(&mut self, deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut pause = pin!(self.pause_until(deadline));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => pause.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

#[cfg(target_os = "linux")]
mod system {
    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    #[derive(Debug)]
    struct Descriptor(TimerFd);

    impl AsRawFd for Descriptor {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    #[derive(Debug)]
    pub struct Clock {
        timer: AsyncFd<Descriptor>,
        /// When it goes off, if that is not over.
        set_for: Option<Instant>,
    }

    impl Clock {
        pub fn new() -> Option<Clock> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).ok()?;
            // SAFETY: the timer owns its descriptor, and is owned and never replaced by the AsyncFd
            #[allow(unsafe_code)]
            let timer = unsafe { AsyncFd::register_with_interest(Descriptor(timer), Interest::READABLE) };
            Some(Clock { timer: timer.ok()?, set_for: None })
        }

        /// The next wait sets it, whenever it goes off.
        pub fn forget(&mut self) {
            self.set_for = None;
        }

        /// The runtime is told of each time it goes off, so it need not be read: setting it clears it. One that
        /// goes off too early is set anew then.
        pub async fn wait(&mut self, deadline: Instant) -> io::Result<()> {
            loop {
                let now = Instant::now();
                // a timer of no time would be none
                if deadline <= now {
                    return Ok(());
                }
                if self.set_for.is_none_or(|set_for| set_for <= now || set_for > deadline) {
                    let left = Expiration::OneShot(TimeSpec::from_duration(deadline - now));
                    self.timer.get_ref().0.set(left, TimerSetTimeFlags::empty())?;
                    self.set_for = Some(deadline);
                }
                // what comes first may be left from the wait before
                self.timer.readable().await?.clear_ready();
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use tokio::time::Instant;

    /// Here the timers of the runtime do.
    #[derive(Debug)]
    pub struct Clock(std::convert::Infallible);

    impl Clock {
        pub fn new() -> Option<Clock> {
            None
        }
        pub fn forget(&mut self) {
            match self.0 {}
        }
        pub async fn wait(&mut self, _deadline: Instant) -> io::Result<()> {
            match self.0 {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timer;
    use std::future::{pending, ready};
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test]
    async fn a_wait_ends_when_it_should_and_not_by_the_one_before() {
        let mut timer = Timer::new();
        let begin = Instant::now();
        let after = |ms: u64| begin + Duration::from_millis(ms);
        // set, and given up for something that is there
        let at_once = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(timer.timeout_at(after(3_600_000), at_once).await, Some(7));
        assert_eq!(timer.timeout_at(after(40), pending::<()>()).await, None);
        assert!(Instant::now() >= after(40));
        // it goes off while nobody looks, and the runtime hears of it
        let not_yet = async {
            tokio::task::yield_now().await;
        };
        let soon = Instant::now() + Duration::from_millis(20);
        timer.timeout_at(soon, not_yet).await;
        tokio::time::sleep_until(soon + Duration::from_millis(10)).await;
        for ms in [200, 201, 202, 230] {
            timer.sleep_until(after(ms)).await;
            assert!(Instant::now() >= after(ms));
        }
        // set for the first piece only, and too early for the last
        let (begin, piece) = (Instant::now(), Duration::from_millis(20));
        let ms = |ms| Instant::now() + Duration::from_millis(ms);
        for _ in 0..5 {
            assert_eq!(timer.timeout_at(ms(40), tokio::time::sleep(piece)).await, Some(()));
        }
        let end = ms(40);
        assert_eq!(timer.timeout_at(end, pending::<()>()).await, None);
        assert!(Instant::now() >= end && end >= begin + Duration::from_millis(140));
        timer.sleep_until(begin).await;
        assert_eq!(timer.timeout_at(begin, ready(8)).await, Some(8));
        assert_eq!(timer.timeout_at(begin, pending::<()>()).await, None);
    }
}
