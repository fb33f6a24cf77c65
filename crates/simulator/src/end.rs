//! What both ends share: bytes go in and out of a simulated UPS until the line breaks.

use crate::ups::SimulatedUps;
use qx::vocabulary::moment::Moment;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A simulated UPS that an end serves and others turn knobs of.
#[derive(Clone)]
pub struct SharedUps {
    ups: Rc<RefCell<SimulatedUps>>,
    changed: Rc<Notify>,
    started: Instant,
}

impl SharedUps {
    /// Shares a UPS whose time begins now.
    pub fn new(ups: SimulatedUps) -> SharedUps {
        SharedUps {
            ups: Rc::new(RefCell::new(ups)),
            changed: Rc::new(Notify::new()),
            started: Instant::now(),
        }
    }

    /// Its time.
    fn now(&self) -> Moment {
        Moment::after_start(self.started.elapsed())
    }

    /// Does something with it, at its time.
    pub fn with<T>(&self, act: impl FnOnce(&mut SimulatedUps, Moment) -> T) -> T {
        let now = self.now();
        let mut ups = self.ups.borrow_mut();
        ups.advance(now);
        let done = act(&mut ups, now);
        drop(ups);
        self.changed.notify_one();
        done
    }
}

/// A line to the driver of the UPS.
pub(crate) trait SimulatorLine {
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>>;
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>>;
}

/// Why a line is not served any more.
pub(crate) enum LineLost {
    /// The UPS hangs up, for so long.
    HangUp(Duration),
    /// The other side is gone.
    Gone,
}

/// A moment at which scripts and hang-ups are looked for, also without a question.
const IDLE: Duration = Duration::from_millis(100);

pub(crate) async fn serve(shared: &SharedUps, wire: &mut impl SimulatorLine) -> LineLost {
    let mut buffer = [0; 256];
    loop {
        let (hang_up, out, due) = {
            let now = shared.now();
            let mut ups = shared.ups.borrow_mut();
            ups.advance(now);
            let hang_up = ups.take_hang_up();
            (hang_up, ups.poll_output(now), ups.poll_timeout())
        };
        if let Some(time) = hang_up {
            return LineLost::HangUp(time);
        }
        if let Some(bytes) = out {
            if wire.write(&bytes).await.is_err() {
                return LineLost::Gone;
            }
            continue;
        }
        let idle = Instant::now() + IDLE;
        let until = due.map_or(idle, |due| idle.min(shared.started + due.since_start()));
        tokio::select! {
            read = wire.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return LineLost::Gone,
                Ok(read) => {
                    let now = shared.now();
                    shared.ups.borrow_mut().receive(&buffer[..read], now);
                }
            },
            () = sleep_until(until) => {}
            () = shared.changed.notified() => {}
        }
    }
}
