//! The UPS, driven by the driver's own core, on its line. Every line that is no question is shown to the owner
//! first; what is declined is not sent.

use super::ask::UpsOwner;
use crate::out::{self, Stop};
use link::{Attached, Link};
use qx::device::{Device, Event, LogLevel, Outcome, Ticket};
use qx::line::capture::Recorded;
use qx::options::Options;
use qx::vocabulary::escape::escape;
use qx::vocabulary::moment::Moment;
use station::config::UpsConfig;
use std::time::{Duration, Instant};

/// A step takes no longer than this until the driver says what came of it.
const LONGEST: Duration = Duration::from_secs(60);

/// How a command ended.
pub enum CommandEnd {
    /// What the driver says of it.
    With(String),
    /// This line was declined.
    Declined(String),
}

/// A UPS on an open line.
pub struct ProvedUps {
    link: Link,
    device: Device,
    options: Options,
    started: Instant,
    /// When the device was made.
    made: Duration,
    exchanges: Vec<Recorded>,
    notes: Vec<String>,
    status: String,
}

impl ProvedUps {
    /// Opens its line; nothing is sent.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(config: &UpsConfig) -> Result<ProvedUps, String> {
        let link = Link::open(&config.opening).await.map_err(|error| error.to_string())?;
        let options = Options { first_dialect: link.dialect(), ..config.options.clone() };
        let device = Device::new(options.clone());
        let started = Instant::now();
        let (made, status) = (Duration::ZERO, String::new());
        Ok(ProvedUps { link, device, options, started, made, exchanges: vec![], notes: vec![], status })
    }

    /// What is known of it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The USB device behind its line.
    pub fn usb_device(&self) -> Option<&Attached> {
        self.link.usb_device()
    }

    /// Everything that was said, in order.
    pub fn exchanges(&self) -> &[Recorded] {
        &self.exchanges
    }

    /// What there is to write down since the last time, as remarks of a report.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes).into_iter().map(|note| format!("note: {note}")).collect()
    }

    /// What was found, for its owner.
    pub fn sums_up(&self) -> String {
        let text = |name: &str| self.device.store().text(name).unwrap_or("-");
        let dialect = self.device.protocol().map_or("no dialect", |protocol| protocol.name);
        format!(
            "It speaks {dialect}: {} {}; status {}, mains {} V, load {} %, battery {} V.",
            text("device.mfr"),
            text("device.model"),
            text("ups.status"),
            text("input.voltage"),
            text("ups.load"),
            text("battery.voltage")
        )
    }

    /// Until everything was asked once.
    ///
    /// # Errors
    /// The UPS is not found, or the line fails.
    pub async fn until_ready(&mut self, owner: &mut UpsOwner) -> Result<(), Stop> {
        let ended = self
            .run(LONGEST, owner, |event| match event {
                Event::Ready => Some(Ok(())),
                Event::NotFound(why) => Some(Err(why.clone())),
                _ => None,
            })
            .await?;
        match ended {
            Way::Event(ready) => Ok(ready?),
            Way::Time => Err("the UPS was not found within a minute: 'qxups doctor' says why".into()),
            Way::Declined(line) => Err(format!("'{line}' was declined").into()),
        }
    }

    /// Asks on for so long.
    ///
    /// # Errors
    /// The line fails, or what happens cannot be shown.
    pub async fn watch(&mut self, time: Duration, owner: &mut UpsOwner) -> Result<(), Stop> {
        self.run(time, owner, |_| None::<()>).await.map(|_| ())
    }

    /// Has a command sent, as the driver does, if its owner agrees to each line of it.
    ///
    /// # Errors
    /// The line fails, or what happens cannot be shown.
    pub async fn command(&mut self, name: &str, owner: &mut UpsOwner) -> Result<CommandEnd, Stop> {
        let ticket: Ticket = 1;
        self.device.instant_command(ticket, name, None);
        let ended = self
            .run(LONGEST, owner, |event| match event {
                Event::Answered(_, outcome) => Some(match outcome {
                    Outcome::Done => "done".to_string(),
                    Outcome::Unknown => "the UPS has no such command".into(),
                    Outcome::Invalid(why) | Outcome::Failed(why) | Outcome::NotConfirmed(why) => why.clone(),
                }),
                _ => None,
            })
            .await?;
        match ended {
            Way::Event(outcome) => Ok(CommandEnd::With(outcome)),
            Way::Time => Ok(CommandEnd::With("nothing became known of it within a minute".into())),
            Way::Declined(line) => {
                // the device waits for a reply to what was not sent: a new one knows nothing of it
                self.device = Device::new(self.options.clone());
                self.made = self.now(owner);
                self.until_found(owner).await?;
                Ok(CommandEnd::Declined(line))
            }
        }
    }

    /// The same as [`ProvedUps::until_ready`], once it was found before.
    async fn until_found(&mut self, owner: &mut UpsOwner) -> Result<(), Stop> {
        self.run(LONGEST, owner, |event| matches!(event, Event::Ready | Event::NotFound(_)).then_some(()))
            .await
            .map(|_| ())
    }

    /// Drives it until an event gives something, or the time is over.
    async fn run<T>(
        &mut self,
        time: Duration,
        owner: &mut UpsOwner,
        mut enough: impl FnMut(&Event) -> Option<T>,
    ) -> Result<Way<T>, Stop> {
        let end = self.now(owner) + time;
        loop {
            while let Some(event) = self.device.poll_event() {
                self.note(&event)?;
                if let Some(given) = enough(&event) {
                    return Ok(Way::Event(given));
                }
            }
            self.note_status()?;
            let now = self.now(owner);
            if now >= end {
                return Ok(Way::Time);
            }
            let Some(exchange) = self.device.poll_exchange(self.since_made(now)) else {
                if !self.device.has_news() {
                    let due =
                        self.device.poll_timeout().map_or(end, |due| self.made + due.since_start()).min(end);
                    tokio::time::sleep(due.saturating_sub(now).max(Duration::from_millis(1))).await;
                }
                continue;
            };
            if exchange.is_command {
                let line = escape(&exchange.command);
                if !owner.agrees(&format!("Next is sent to the UPS: '{line}'"), "send")? {
                    return Ok(Way::Declined(line));
                }
            }
            let at = Some(self.now(owner));
            let reply = self.link.exchange(&exchange).await.map_err(|error| error.to_string())?;
            let latency = reply.line.is_some().then_some(reply.latency);
            self.exchanges.push(Recorded {
                question: exchange.command,
                reply: reply.line.clone(),
                at,
                latency,
            });
            let now = self.since_made(self.now(owner));
            self.device.handle_reply(reply, now);
        }
    }

    /// The time since the beginning: it stands still while an answer is waited for.
    fn now(&self, owner: &UpsOwner) -> Duration {
        self.started.elapsed().saturating_sub(owner.waited())
    }

    /// What the device's own clock shows then.
    fn since_made(&self, now: Duration) -> Moment {
        Moment::after_start(now.saturating_sub(self.made))
    }

    fn note(&mut self, event: &Event) -> Result<(), Stop> {
        match event {
            Event::Noted(level, text) if *level >= LogLevel::Info => self.say(text.clone()),
            Event::Stale => self.say("the UPS does not answer: data is stale".into()),
            Event::Fresh => self.say("the UPS answers again".into()),
            _ => Ok(()),
        }
    }

    fn note_status(&mut self) -> Result<(), Stop> {
        self.device.take_changes();
        let status = self.device.store().text("ups.status").unwrap_or_default();
        if status.is_empty() || status == self.status {
            return Ok(());
        }
        self.status = status.to_string();
        self.say(format!("status {}", self.status))
    }

    fn say(&mut self, text: String) -> Result<(), Stop> {
        out::print(&format!("  {text}\n"))?;
        self.notes.push(format!(
            "{:.1} s: {text}",
            self.exchanges.last().and_then(|one| one.at).unwrap_or_default().as_secs_f64()
        ));
        Ok(())
    }
}

/// Why driving it ended.
enum Way<T> {
    Event(T),
    Time,
    Declined(String),
}
