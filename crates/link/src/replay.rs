//! A recording in place of a UPS: `port = replay:FILE`. The driver asks, the file answers; nothing is
//! sent anywhere. The file is a capture ([`qx::line::capture`]) or a log of the driver with `-DDD`.

use crate::error::{LinkError, LinkErrorKind};
use crate::file::{LONGEST_RECORDING, read_bounded};
use qx::line::capture::{Capture, Unknown};
use qx::line::exchange::{Exchange, Reply};
use qx::line::nuls::without_nuls;
use qx::wire::refusal::NOT_SENT;
use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an answer takes where the times of the recording are not wanted.
const AT_ONCE: Duration = Duration::from_millis(1);

/// An open recording.
#[derive(Debug)]
pub struct Replay {
    questions: BTreeMap<Vec<u8>, Queue>,
    unknown: Unknown,
    /// How many times as fast as recorded; `None` for one reply after the other.
    speed: Option<u32>,
    opened: Instant,
    advice: String,
}

/// The replies to one question.
#[derive(Debug, Default)]
struct Queue {
    replies: Vec<Moment>,
    given: usize,
}

/// A reply, when it was recorded, and how long it took.
#[derive(Clone, Debug)]
struct Moment {
    at: Duration,
    latency: Duration,
    line: Option<Vec<u8>>,
}

impl Replay {
    pub fn open(path: &Path, speed: Option<u32>) -> Result<Replay, LinkError> {
        let name = format!("replay:{}", path.display());
        let unsuitable = |why: String| LinkError::new(LinkErrorKind::Unsuitable, format!("{name}: {why}"));
        if path.metadata().is_ok_and(|meta| meta.file_type().is_fifo()) {
            return Err(unsuitable(
                "it is a pipe, which may never say anything: put the recording into a file".into(),
            ));
        }
        let bytes = read_bounded(path, LONGEST_RECORDING).map_err(|error| {
            let opened = LinkError::while_opening(&name, &error);
            LinkError::new(opened.kind, format!("cannot open {name}: {error}; give the whole path of a capture that the driver's user can read"))
        })?;
        // texts of a device may be anything in a log
        let capture = Capture::read(&String::from_utf8_lossy(&bytes)).map_err(|bad| {
            unsuitable(format!("line {} is not valid capture syntax: {}", bad.number, bad.sentence))
        })?;
        if capture.exchanges.is_empty() {
            return Err(unsuitable("there is no question in it; make one with 'qxups capture'".into()));
        }
        let is_timed = capture.exchanges.iter().all(|recorded| recorded.at.is_some());
        if speed.is_some() && !is_timed {
            return Err(unsuitable("it has no times: leave out ?speed".into()));
        }
        let unknown = capture.unknown();
        let mut questions: BTreeMap<Vec<u8>, Queue> = BTreeMap::new();
        for recorded in capture.exchanges {
            let (at, latency) = (recorded.at.unwrap_or_default(), recorded.latency.unwrap_or_default());
            let queue = questions.entry(recorded.question).or_default();
            queue.replies.push(Moment { at, latency, line: recorded.reply });
        }
        let advice =
            format!("{name} is a recording: what is published is old, and nothing is sent to any UPS");
        Ok(Replay { questions, unknown, speed, opened: Instant::now(), advice })
    }

    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// What the recording says next.
    pub async fn exchange(&mut self, exchange: &Exchange) -> Reply {
        let elapsed = self.opened.elapsed();
        let recorded = self.questions.get_mut(&exchange.command).map(|queue| queue.next(self.speed, elapsed));
        let latency = match (&recorded, self.speed) {
            (Some(recorded), Some(speed)) if recorded.line.is_none() => exchange.patience / speed,
            (Some(recorded), Some(speed)) => (recorded.latency / speed).min(exchange.patience),
            _ => AT_ONCE,
        };
        sleep(latency.max(AT_ONCE)).await;
        let line = match recorded {
            Some(recorded) => recorded.line,
            None => match &self.unknown {
                Unknown::Silent => None,
                Unknown::Echo => Some(exchange.command.clone()),
                Unknown::Says(text) => Some(text.clone()),
            },
        };
        let line = line.and_then(|line| without_nuls(&exchange.command, line));
        // a UPS that obeyed once does not obey now, and silence must not look like acknowledgement
        let line = if exchange.is_command { Some(nothing_was_sent(line.as_deref())) } else { line };
        let echoed = line.as_deref() == Some(&exchange.command);
        Reply { line, echoed, latency, ..Reply::default() }
    }
}

impl Queue {
    /// The next reply; the last one is repeated. By the clock, the last one that was there by then.
    fn next(&mut self, speed: Option<u32>, elapsed: Duration) -> Moment {
        let last = self.replies.len().saturating_sub(1);
        let at = match speed {
            None => self.given,
            Some(speed) => {
                let now = elapsed.saturating_mul(speed);
                self.replies.iter().take_while(|moment| moment.at <= now).count().saturating_sub(1)
            }
        };
        self.given = self.given.saturating_add(1);
        self.replies[at.min(last)].clone()
    }
}

/// What comes back to a command.
fn nothing_was_sent(recorded: Option<&[u8]>) -> Vec<u8> {
    let recorded = recorded.map_or("silence".into(), |line| line.escape_ascii().to_string());
    format!("{NOT_SENT}; recorded was {recorded}>").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use qx::line::exchange::Echo;
    use qx::wire::acknowledgement::Acknowledgement;

    const LOG: &str =
        "@ 0 0.02\n> Q1\n< (1\n@ 60 0.02\n> Q1\n< (2\n@ 61\n> C\n-\n@ 61\n> T\n< ACK\n@ 62\n> M\n< M\n";

    fn ask(command: &str, is_command: bool) -> Exchange {
        let second = Duration::from_secs(1);
        let command = command.into();
        Exchange {
            command,
            patience: second,
            gap: second,
            echo: Echo::Unknown,
            settle: false,
            is_command,
            measured: true,
        }
    }

    fn replay(text: &str, speed: Option<u32>) -> Result<Replay, LinkError> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("qxups-replay-{}-{number}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let opened = Replay::open(&path, speed);
        std::fs::remove_file(&path).unwrap();
        opened
    }

    #[tokio::test(start_paused = true)]
    async fn each_question_has_its_own_replies() {
        let mut replay = replay(LOG, None).unwrap();
        for (question, line) in [
            ("Q1", Some("(1")),
            ("C", None),
            ("Q1", Some("(2")),
            ("Q1", Some("(2")),
            ("M", Some("M")),
            ("F", None),
        ] {
            let reply = replay.exchange(&ask(question, false)).await;
            assert_eq!(reply.line.as_deref(), line.map(str::as_bytes), "{question}");
            assert_eq!(reply.echoed, question == "M");
        }
        let echo = LOG.to_string() + "# unknown: echo\n";
        let mut replay = self::replay(&echo, None).unwrap();
        assert_eq!(replay.exchange(&ask("F", false)).await.line.as_deref(), Some(&b"F"[..]));
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_speed_the_clock_counts() {
        let mut replay = replay(LOG, Some(10)).unwrap();
        for (wait_s, line) in [(0, "(1"), (5, "(1"), (1, "(2"), (100, "(2")] {
            tokio::time::advance(Duration::from_secs(wait_s)).await;
            let reply = replay.exchange(&ask("Q1", false)).await;
            assert_eq!((reply.line.as_deref(), reply.latency.as_millis()), (Some(line.as_bytes()), 2));
        }
        let error = self::replay("> Q1\n< (1\n", Some(1)).unwrap_err();
        assert!(error.sentence.contains("leave out ?speed"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_obeys_nobody() {
        let mut replay = replay(LOG, None).unwrap();
        for command in ["C", "T", "S.5R0003"] {
            let line = replay.exchange(&ask(command, true)).await.line;
            for protocol in qx::protocols::ALL {
                assert!(!protocol.acknowledgement.is_given(line.as_deref()), "{command} {}", protocol.name);
            }
            assert!(!Acknowledgement::Silence.is_given(line.as_deref()));
            assert!(String::from_utf8(line.unwrap()).unwrap().contains("nothing was sent"));
        }
    }

    #[test]
    fn what_is_no_capture_is_said_to_be_none() {
        for (text, part) in [("", "no question"), ("Q1\n", "line 1"), ("> Q1\n< \\q\n", "line 2")] {
            let error = replay(text, None).unwrap_err();
            assert!(error.kind == LinkErrorKind::Unsuitable && error.sentence.contains(part), "{error}");
        }
        let error = Replay::open(Path::new("/no/such/file"), None).unwrap_err();
        assert!(error.kind == LinkErrorKind::NotFound && error.sentence.contains("whole path"), "{error}");
        for (path, part) in
            [("/dev/zero", "neither a file nor a pipe"), ("/dev", "neither a file nor a pipe")]
        {
            let error = Replay::open(Path::new(path), None).unwrap_err();
            assert!(error.sentence.contains(part), "{error}");
        }
    }
}
