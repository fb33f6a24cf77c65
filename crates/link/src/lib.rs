//! Links: what moves bytes between a device and its UPS.
//!
//! ```no_run
//! use link::{Address, CablePower, Link, Opening};
//! use qx::line::exchange::{Echo, Exchange};
//! use std::time::Duration;
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let address = Address::parse("/dev/ttyS0")?; // or tcp://HOST:PORT, or auto for USB
//! let mut link = Link::open(&Opening { address, cable_power: CablePower::Normal, lock: true }).await?;
//! let exchange = Exchange {
//!     command: b"Q1".to_vec(),
//!     patience: Duration::from_secs(1),
//!     gap: Duration::from_millis(500),
//!     echo: Echo::Unknown,
//!     settle: false,
//!     is_command: false,
//!     measured: true,
//! };
//! let reply = link.exchange(&exchange).await?;
//! assert!(reply.line.is_some(), "no reply");
//! # Ok(())
//! # }
//! ```
//!
//! The example `ask` is a whole program.
//!
//! [`Address`] says where the UPS is, [`Link::open`] opens it, and [`Link::exchange`] does one
//! exchange: throw away what is stale, send, collect the reply until it is complete or the time is
//! over. A link knows no dialect; how a reply is recognised, and how long to wait, comes with the
//! [`qx::line::exchange::Exchange`].
//!
//! # What is stable
//!
//! Before version 1.0 a new minor version may change anything, and the changelog says what. [`Address`], [`Opening`],
//! [`Link`] (`open`, `exchange`, `wait_until`, `reset`, `remark`, `advice`) and [`LinkError`] change only for a reason; what
//! is told of USB devices ([`Attached`], [`UsbOptions`], [`attached()`], [`Arrivals`]) follows the driver's options. The
//! functions that read files and look at terminals are for the programs of this project, and not shown.

mod address;
mod by_lines;
mod error;
mod file;
mod replay;
mod serial;
mod tcp;
mod terminal;
mod timer;
mod usb;

pub use address::{Address, BadAddress};
pub use error::{LinkError, LinkErrorKind};
#[doc(hidden)]
pub use file::{LONGEST_RECORDING, read_all, read_bounded, read_piped};
pub use serial::{CablePower, ModemLines};
#[doc(hidden)]
pub use terminal::check_terminal;
pub use usb::{Arrivals, Attached, Pattern, Surely, UsbOptions, attached};

use by_lines::ByLines;
use qx::line::exchange::{Collector, END, Exchange, LATE_KEPT, Reply, WHOLE};
use std::time::Duration;
use timer::Timer;
use tokio::time::Instant;

/// Longest time to write a command.
const WRITE: Duration = Duration::from_secs(2);

/// How a link is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Where the UPS is.
    pub address: Address,
    /// How the interface is powered, for serial lines.
    pub cable_power: CablePower,
    /// Whether other programs are kept away from a serial line.
    pub lock: bool,
}

/// An open link.
#[derive(Debug)]
pub struct Link {
    wire: Wire,
    timer: Timer,
    by_lines: ByLines,
    /// The last exchange was answered.
    answered: bool,
    /// And there was a wait since then.
    rested: bool,
}

/// What came back to a command.
struct Came {
    reply: Reply,
    /// It is complete.
    answered: bool,
    /// And nothing stands behind its end.
    is_well: bool,
    /// From the command to its last byte.
    took: Duration,
}

#[derive(Debug)]
enum Wire {
    Serial(Box<serial::Serial>),
    Tcp(tcp::Tcp),
    Usb(Box<usb::Usb>),
    Replay(Box<replay::Replay>),
}

impl Link {
    /// Opens the link. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`LinkError`] with a sentence that says what to do.
    pub async fn open(opening: &Opening) -> Result<Link, LinkError> {
        let wire = match &opening.address {
            Address::Serial(path) => {
                Wire::Serial(Box::new(serial::Serial::open(path, opening.cable_power, opening.lock)?))
            }
            Address::Usb(options) => Wire::Usb(Box::new(usb::Usb::open(options).await?)),
            Address::Tcp { host, port } => Wire::Tcp(tcp::Tcp::open(host, *port).await?),
            Address::Replay { path, speed } => Wire::Replay(Box::new(replay::Replay::open(path, *speed)?)),
        };
        Ok(Link { wire, timer: Timer::new(), by_lines: ByLines::default(), answered: false, rested: false })
    }

    /// What is worth knowing about how it was opened, in a sentence, if anything.
    pub fn remark(&self) -> Option<&str> {
        match &self.wire {
            Wire::Serial(port) => port.remark(),
            Wire::Tcp(_) | Wire::Replay(_) => None,
            Wire::Usb(usb) => Some(usb.remark()),
        }
    }

    /// What the administrator should know or fix, if anything.
    pub fn advice(&self) -> Option<&str> {
        match &self.wire {
            Wire::Usb(usb) => usb.advice(),
            Wire::Replay(replay) => Some(replay.advice()),
            Wire::Serial(_) | Wire::Tcp(_) => None,
        }
    }

    /// Why the device behind it cannot be shown to be the one that was open before, if so: it may be another
    /// UPS. Nothing at the first opening; where there is no such knowledge (serial lines, TCP), nothing either.
    pub fn doubt(&self) -> Option<&str> {
        match &self.wire {
            Wire::Usb(usb) => usb.doubt(),
            _ => None,
        }
    }

    /// The state of the modem lines, where there are any.
    pub fn modem_lines(&self) -> Option<ModemLines> {
        match &self.wire {
            Wire::Serial(port) => port.modem_lines(),
            _ => None,
        }
    }

    /// The USB device behind it.
    pub fn usb_device(&self) -> Option<&Attached> {
        match &self.wire {
            Wire::Usb(usb) => Some(usb.attached()),
            _ => None,
        }
    }

    /// The dialect that the converter names, for [`qx::options::Options::first_dialect`].
    pub fn dialect(&self) -> Option<&'static str> {
        self.usb_device().and_then(|usb| qx::usb::bridges::dialect_of(usb.vendor_id))
    }

    /// Resets a device that has fallen silent, where that is possible: true when the link has to be
    /// opened again. The settings of a terminal may have been changed by another program, and a
    /// connection be dead without a sign of it.
    pub async fn reset(&mut self) -> bool {
        match &mut self.wire {
            Wire::Usb(usb) => usb.reset().await.is_ok(),
            Wire::Serial(_) | Wire::Tcp(_) => true,
            Wire::Replay(_) => false,
        }
    }

    /// One exchange.
    ///
    /// # Errors
    /// [`LinkError`] when the line itself fails; silence is a reply.
    pub async fn exchange(&mut self, exchange: &Exchange) -> Result<Reply, LinkError> {
        match &mut self.wire {
            Wire::Usb(usb) => return usb.exchange(exchange).await,
            Wire::Replay(replay) => return Ok(replay.exchange(exchange).await),
            Wire::Serial(_) | Wire::Tcp(_) => {}
        }
        let rested = std::mem::take(&mut self.rested);
        self.answered = false;
        let usual = self.wire.collect_lines(self.by_lines.usual(exchange), &mut self.by_lines)?;
        let (stray, late) = if exchange.settle { self.settle(exchange).await? } else { (false, vec![]) };
        self.wire.discard(rested && !exchange.settle)?;
        let mut command = exchange.command.clone();
        command.push(END);
        match self.timer.timeout_at(Instant::now() + WRITE, self.wire.write(&command)).await {
            Some(written) => written?,
            None => {
                return Err(LinkError::gone(
                    "write timed out: the port takes no bytes; check the cable, or the server",
                ));
            }
        }
        let reply = self.collect(exchange, usual).await?;
        self.answered = reply.answered;
        match reply.is_well && !stray {
            true => self.by_lines.was_well(reply.took),
            false => self.by_lines.was_not(),
        }
        Ok(Reply { stray, late, ..reply.reply })
    }

    /// Collects the reply to a command that was just sent; whole lines, where they are there until then `usual`ly.
    async fn collect(&mut self, exchange: &Exchange, usual: Option<Duration>) -> Result<Came, LinkError> {
        let Link { wire, timer, .. } = self;
        let sent = Instant::now();
        let mut collector = Collector::new(exchange);
        let (mut deadline, mut latency) = (sent + exchange.patience, None);
        let (mut buffer, mut last, mut gap) = ([0; 256], sent, Duration::ZERO);
        let mut lines_until = usual.map(|usual| sent + usual);
        let (mut by_lines, mut is_well, mut answered) = (usual.is_some(), false, false);
        loop {
            let until = lines_until.map_or(deadline, |usual| usual.min(deadline));
            let read = match timer.timeout_at(until, wire.read(&mut buffer)).await {
                Some(read) => read?,
                None if lines_until.take().is_some() => {
                    let torn = wire.take_torn(&mut buffer)?;
                    // of what comes from now on each byte is seen
                    by_lines = torn.is_some() || latency.is_some();
                    match torn {
                        Some(read) => read,
                        None => continue,
                    }
                }
                None => break,
            };
            let complete = collector.take(&buffer[..read]);
            // a NUL, as a line makes it that wakes up, is no beginning of a reply
            if collector.is_silent() {
                continue;
            }
            match latency {
                None => latency = Some(sent.elapsed()),
                Some(_) => gap = gap.max(last.elapsed()),
            }
            last = Instant::now();
            if complete {
                answered = true;
                is_well = collector.has_ended() && matches!(buffer[read - 1], b'\r' | b'\n');
                break;
            }
            // no reply takes longer as a whole, but one that an echo goes before
            let end = sent + latency.unwrap_or_default() + WHOLE + exchange.patience;
            deadline = (Instant::now() + collector.wait(exchange)).min(end);
        }
        let latency = latency.unwrap_or_default();
        let by_lines = by_lines && !collector.is_silent();
        let gap = if by_lines { gap.max(latency) } else { gap };
        let reply = Reply { gap, by_lines, ..collector.finish(latency) };
        Ok(Came { reply, answered, is_well, took: last - sent })
    }

    /// Waits until then, between two exchanges.
    pub async fn wait_until(&mut self, deadline: Instant) {
        self.timer.sleep_until(deadline).await;
        self.rested = std::mem::take(&mut self.answered);
    }

    /// Reads bytes away until the line is quiet: whether there were any, and the first of them.
    async fn settle(&mut self, exchange: &Exchange) -> Result<(bool, Vec<u8>), LinkError> {
        let end = Instant::now() + exchange.quiet_within();
        let (mut buffer, mut stray, mut late, mut last) = ([0; 256], false, vec![], None);
        let Link { wire, timer, .. } = self;
        while Instant::now() < end {
            let quiet = (Instant::now() + exchange.quiet_after(last)).min(end);
            match timer.timeout_at(quiet, wire.read(&mut buffer)).await {
                Some(read) => {
                    let read = read?;
                    stray |= read > 0;
                    last = buffer[..read].last().copied().or(last);
                    let room = LATE_KEPT.saturating_sub(late.len());
                    late.extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
                }
                None => break,
            }
        }
        Ok((stray, late))
    }
}

impl Wire {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        let read = match self {
            Wire::Serial(port) => port.read(buffer).await,
            Wire::Tcp(tcp) => tcp.read(buffer).await,
            Wire::Usb(_) | Wire::Replay(_) => Ok(0),
        };
        match read {
            Ok(0) => Err(LinkError::gone("the line was closed")),
            Ok(read) => Ok(read),
            Err(error) => Err(LinkError::while_in_use(&error)),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let written = match self {
            Wire::Serial(port) => port.write(bytes).await,
            Wire::Tcp(tcp) => tcp.write(bytes).await,
            Wire::Usb(_) | Wire::Replay(_) => Ok(()),
        };
        written.map_err(|error| LinkError::while_in_use(&error))
    }

    /// Has the system collect lines if they are to be there until `usual`, and hand over each byte otherwise. Where
    /// it cannot, the time is none.
    fn collect_lines(
        &mut self,
        usual: Option<Duration>,
        by_lines: &mut ByLines,
    ) -> Result<Option<Duration>, LinkError> {
        let Wire::Serial(port) = self else { return Ok(None) };
        let collects = match usual {
            Some(_) => port.collect_lines(),
            None => port.give_bytes().map(|()| false),
        };
        let collects = collects.map_err(|error| LinkError::while_in_use(&error))?;
        if usual.is_some() && !collects {
            by_lines.give_up();
        }
        Ok(usual.filter(|_| collects))
    }

    /// Has the system hand over each byte from now on: what it collected of a line, if anything.
    fn take_torn(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, LinkError> {
        let Wire::Serial(port) = self else { return Ok(None) };
        match port.take_torn(buffer) {
            Ok(Some(0)) => Err(LinkError::gone("the line was closed")),
            Ok(torn) => Ok(torn),
            Err(error) => Err(LinkError::while_in_use(&error)),
        }
    }

    /// Throws away what came, and what waits to go. After a rest the runtime knows whether anything came.
    fn discard(&mut self, rested: bool) -> Result<(), LinkError> {
        let discarded = match self {
            Wire::Serial(port) if rested && port.is_quiet() => Ok(()),
            Wire::Serial(port) => port.discard(),
            Wire::Tcp(tcp) => tcp.discard(),
            Wire::Usb(_) | Wire::Replay(_) => Ok(()),
        };
        discarded.map_err(|error| LinkError::while_in_use(&error))
    }
}
