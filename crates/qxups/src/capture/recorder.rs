//! The recorder: asks, and keeps what was said and when.

use link::{Link, LinkError};
use qx::detect::SLOWEST;
use qx::line::capture::Recorded;
use qx::line::exchange::{Echo, Exchange};
use std::time::Duration;
use tokio::time::Instant;

/// How long a first byte may take: longer than the driver waits, because a slow reply is worth knowing.
const PATIENCE: Duration = Duration::from_millis(1200);
/// The same when the first questions got no answer, as in the driver.
const LATER_PATIENCE: Duration = Duration::from_millis(500);
/// So many questions are the first ones.
const FIRST_QUESTIONS: usize = 3;
/// How long each further byte may take, as in the driver.
const GAP: Duration = Duration::from_millis(1000);

/// An open link and what was said on it.
pub struct Recorder {
    link: Link,
    started: Instant,
    /// Everything, in order.
    pub exchanges: Vec<Recorded>,
    echo: Echo,
    settle: bool,
}

impl Recorder {
    /// Nothing was asked yet.
    pub fn new(link: Link) -> Recorder {
        Recorder { link, started: Instant::now(), exchanges: vec![], echo: Echo::Unknown, settle: true }
    }

    /// The link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Whether a question came back and its reply followed.
    pub fn line_echoes(&self) -> bool {
        self.echo == Echo::Line
    }

    /// Asks, and keeps what comes back.
    ///
    /// # Errors
    /// The line failed.
    pub async fn ask(&mut self, question: Vec<u8>) -> Result<Recorded, LinkError> {
        let exchange = Exchange {
            command: question.clone(),
            patience: self.patience(),
            gap: GAP,
            echo: self.echo,
            // a late reply must not be taken for that to the next question
            settle: std::mem::take(&mut self.settle),
            is_command: false,
            measured: true,
        };
        let at = Some(self.started.elapsed());
        let reply = self.link.exchange(&exchange).await?;
        self.settle = reply.line.is_none();
        // the first reply tells whether the line sends back what it is given
        if self.echo == Echo::Unknown && reply.line.as_deref().is_some_and(|line| line != question) {
            self.echo = if reply.echoed { Echo::Line } else { Echo::Refusal };
        }
        let latency = reply.line.is_some().then_some(reply.latency);
        let recorded = Recorded { question, reply: reply.line, at, latency };
        self.exchanges.push(recorded.clone());
        Ok(recorded)
    }

    /// The first question waits until even a slow UPS would have answered.
    fn patience(&self) -> Duration {
        let slowest = self.exchanges.iter().filter_map(|one| one.latency).max().unwrap_or_default();
        match self.exchanges.len() {
            0 => SLOWEST,
            _ if self.is_deserted() => LATER_PATIENCE,
            _ => PATIENCE.max(slowest * 3 / 2),
        }
    }

    /// Whether nothing came to the first questions, but for the questions themselves.
    fn is_deserted(&self) -> bool {
        let answers =
            |one: &Recorded| one.reply.as_deref().is_some_and(|reply| reply != one.question.as_slice());
        self.exchanges.len() >= FIRST_QUESTIONS && !self.exchanges.iter().any(answers)
    }

    /// The last reply to a question; `None` when it was not asked yet.
    pub fn heard(&self, question: &[u8]) -> Option<Option<&[u8]>> {
        let last = self.exchanges.iter().rev().find(|recorded| recorded.question == question);
        last.map(|recorded| recorded.reply.as_deref())
    }
}
