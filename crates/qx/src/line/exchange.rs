//! One exchange on the line: a command, and how its reply is recognised among the bytes that come.

use crate::line::looks_like_reply;
use crate::line::nuls::without_nuls;
use crate::wire::read::LONGEST;
use std::time::Duration;

/// The end of every command and reply.
pub const END: u8 = b'\r';

/// After an echo a reply is waited for so long at least.
const AFTER_ECHO: Duration = Duration::from_millis(300);
/// From its first byte on a reply takes no longer, or it is babble.
pub const WHOLE: Duration = Duration::from_secs(3);

/// A line is quiet when nothing came for so long.
pub const QUIET: Duration = Duration::from_millis(60);
/// The same within a reply whose end did not come, at most: NUT waits no longer for a further byte.
const QUIET_WITHIN: Duration = Duration::from_millis(1000);

/// What it means when the command itself comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Not known yet: wait whether a reply follows.
    Unknown,
    /// The UPS does not know the command.
    Refusal,
    /// The line echoes everything: the reply follows.
    Line,
}

/// Waiting for quiet ends after this, or babble would keep us from ever asking.
const BABBLE: Duration = Duration::from_millis(1000);

/// A command to send, and how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What to send, without the carriage return.
    pub command: Vec<u8>,
    /// How long to wait for the first byte.
    pub patience: Duration,
    /// How long to wait for each further byte.
    pub gap: Duration,
    /// What an echo means.
    pub echo: Echo,
    /// Wait until the line is quiet before sending: a late reply may be on its way.
    pub settle: bool,
    /// It is a command, so a reply to some question is none to it: it came late, or belongs to
    /// another device on the line. Taken for a refusal it would keep a load from being switched off.
    pub is_command: bool,
    /// How fast the bytes come is of interest: a link that can hand over whole lines shows each byte as it comes.
    pub measured: bool,
}

impl Exchange {
    /// How long nothing may come until the line is quiet, where `last` was the last byte that was read away: what did not
    /// end yet goes on after a gap, and what is sent meanwhile is answered by its tail.
    pub fn quiet_after(&self, last: Option<u8>) -> Duration {
        match last {
            Some(byte) if !matches!(byte, b'\r' | b'\n' | 0) => self.gap.clamp(QUIET, QUIET_WITHIN),
            _ => QUIET,
        }
    }

    /// How long quiet is waited for at most: for two gaps of a reply, where those are long.
    pub fn quiet_within(&self) -> Duration {
        BABBLE.max(2 * self.gap.min(QUIET_WITHIN))
    }
}

/// What came back, without the NULs around it ([`without_nuls`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The reply without its end, or `None` for silence.
    pub line: Option<Vec<u8>>,
    /// Whether the command came back before it.
    pub echoed: bool,
    /// Time from the command to the first byte; where the link saw lines only (`by_lines`), to the first whole
    /// line, so it is at most that.
    pub latency: Duration,
    /// Something was read away before the command was sent: it came too late for the one before.
    pub stray: bool,
    /// The beginning of what was read away, where the link has it.
    pub late: Vec<u8>,
    /// The longest time between two bytes of it, as far as the link saw; at most that where it saw lines only.
    pub gap: Duration,
    /// The link saw lines, not bytes: when the first one came is not known, nor how long the gaps were.
    pub by_lines: bool,
    /// No carriage return ended the line, but a gap: some devices leave it out, and a torn one lost it.
    pub unended: bool,
    /// The link failed at a part of it: how much went out, or came back, is not known, and silence says nothing.
    pub failed: bool,
}

/// Of what is read away, no more is kept.
pub const LATE_KEPT: usize = 64;

/// Collects bytes until a reply is complete. Links feed it; it does not wait itself.
#[derive(Debug)]
pub struct Collector {
    command: Vec<u8>,
    is_command: bool,
    echo: Echo,
    buffer: Vec<u8>,
    echoed: bool,
    line: Option<Vec<u8>>,
}

impl Collector {
    /// A collector for the reply to `exchange`.
    pub fn new(exchange: &Exchange) -> Collector {
        Collector {
            command: exchange.command.clone(),
            is_command: exchange.is_command,
            echo: exchange.echo,
            buffer: Vec::with_capacity(64),
            echoed: false,
            line: None,
        }
    }

    /// Takes bytes as they come; true when the reply is complete.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.line.is_some() {
                break;
            }
            match byte {
                b'\r' | b'\n' => self.end_line(),
                // one byte more shows that it is babble; the rest of it belongs to it, not to the next reply
                _ if self.buffer.len() <= LONGEST => self.buffer.push(*byte),
                // nothing but zeros is silence, however long
                _ if self.buffer.iter().all(|byte| *byte == 0) => self.buffer = vec![*byte],
                _ => {}
            }
        }
        self.line.is_some()
    }

    fn end_line(&mut self) {
        // the line feed behind a carriage return, a stray one, or "nothing" from a converter
        let Some(line) = without_nuls(&self.command, std::mem::take(&mut self.buffer)) else { return };
        if line == self.command && !self.echoed {
            self.echoed = true;
            if self.echo != Echo::Refusal {
                return;
            }
        }
        if !(self.is_command && looks_like_reply(&line)) {
            self.line = Some(line);
        }
    }

    /// How long the next byte may take: further bytes of a line that has begun, or a reply behind an echo.
    pub fn wait(&self, exchange: &Exchange) -> Duration {
        if self.echoed && self.buffer.is_empty() { exchange.patience.max(AFTER_ECHO) } else { exchange.gap }
    }

    /// Whether nothing came yet that says anything: what came is no beginning of a reply.
    pub fn is_silent(&self) -> bool {
        self.line.is_none() && !self.echoed && self.buffer.iter().all(|byte| *byte == 0)
    }

    /// Whether a carriage return or a line feed made it complete, rather than that it is too long for a reply.
    pub fn has_ended(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.len() <= LONGEST)
    }

    /// The reply, when it is complete or the time is over. Bytes without an end are a reply as
    /// well: some devices leave it out, and a torn one fits no picture.
    pub fn finish(self, latency: Duration) -> Reply {
        let torn = without_nuls(&self.command, self.buffer);
        let echo = (self.echoed && self.echo != Echo::Line).then_some(self.command);
        let unended = self.line.is_none() && torn.is_some();
        let line = self.line.or(torn).or(echo);
        Reply { line, echoed: self.echoed, latency, unended, ..Reply::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_yet_is_waited_for_as_long_as_its_gaps_and_not_too_long() {
        let ms = Duration::from_millis;
        for (gap, quiet) in [(20, 60), (60, 60), (61, 61), (450, 450), (999, 999), (1000, 1000), (1001, 1000)]
        {
            let exchange = Exchange {
                command: "Q1".into(),
                patience: Duration::ZERO,
                gap: ms(gap),
                echo: Echo::Unknown,
                settle: true,
                is_command: false,
                measured: false,
            };
            assert_eq!(exchange.quiet_after(Some(b'2')), ms(quiet), "{gap}");
            for last in [None, Some(b'\r'), Some(b'\n'), Some(0)] {
                assert_eq!(exchange.quiet_after(last), QUIET, "{gap} {last:?}");
            }
        }
    }

    fn collect(echo: Echo, chunks: &[&[u8]]) -> (bool, Reply) {
        collect_for(false, echo, chunks)
    }

    fn collect_for(is_command: bool, echo: Echo, chunks: &[&[u8]]) -> (bool, Reply) {
        let exchange = Exchange {
            command: "Q1".into(),
            patience: Duration::ZERO,
            gap: Duration::ZERO,
            echo,
            settle: false,
            is_command,
            measured: true,
        };
        let mut collector = Collector::new(&exchange);
        let complete = chunks.iter().any(|chunk| collector.take(chunk));
        (complete, collector.finish(Duration::ZERO))
    }

    #[test]
    fn a_reply_may_come_in_pieces() {
        let (complete, reply) = collect(Echo::Unknown, &[b"\n(22", b"6.0", b"\r"]);
        assert!(complete);
        assert_eq!(reply.line.as_deref(), Some(&b"(226.0"[..]));
    }

    #[test]
    fn an_echo_is_a_refusal_or_goes_before_the_reply() {
        assert_eq!(collect(Echo::Refusal, &[b"Q1\r(1\r"]).1.line.as_deref(), Some(&b"Q1"[..]));
        assert_eq!(collect(Echo::Line, &[b"Q1\r(1\r"]).1.line.as_deref(), Some(&b"(1"[..]));
        assert_eq!(collect(Echo::Line, &[b"Q1\r"]).1.line, None);
        let (complete, reply) = collect(Echo::Unknown, &[b"Q1\r"]);
        assert!(!complete);
        assert_eq!(reply.line.as_deref(), Some(&b"Q1"[..]));
    }

    #[test]
    fn a_late_status_is_no_answer_to_a_command() {
        let status: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";
        assert_eq!(collect_for(true, Echo::Refusal, &[status]).1.line, None);
        assert_eq!(collect_for(true, Echo::Refusal, &[status, b"Q1\r"]).1.line.as_deref(), Some(&b"Q1"[..]));
        assert!(collect_for(false, Echo::Refusal, &[status]).1.line.is_some());
    }

    /// NUT's driver takes an empty reply to a command for none (nutdrv_qx.c, instcmd).
    #[test]
    fn nothing_but_nuls_is_silence() {
        for bytes in [&b"\0\r"[..], b"\r", b"\0", b"\0\0\0\r\n", b"\0\r\0\r\0", &[0; 2000]] {
            for (is_command, echo) in
                [(false, Echo::Unknown), (true, Echo::Unknown), (true, Echo::Refusal), (true, Echo::Line)]
            {
                let (complete, reply) = collect_for(is_command, echo, &[bytes]);
                assert_eq!((complete, reply.line), (false, None), "{}", bytes.escape_ascii());
            }
        }
        // what comes behind it counts
        assert_eq!(collect(Echo::Unknown, &[b"\0\r\0(1\0\r"]).1.line.as_deref(), Some(&b"(1"[..]));
        assert_eq!(collect_for(true, Echo::Refusal, &[b"\0\r(NAK\r"]).1.line.as_deref(), Some(&b"(NAK"[..]));
        assert!(collect(Echo::Unknown, &[b"\0Q1\r(1\r"]).1.echoed);
    }

    #[test]
    fn what_says_nothing_is_no_beginning() {
        let exchange = Exchange {
            command: "Q1".into(),
            patience: Duration::ZERO,
            gap: Duration::ZERO,
            echo: Echo::Unknown,
            settle: false,
            is_command: false,
            measured: true,
        };
        let mut collector = Collector::new(&exchange);
        for bytes in [&b""[..], b"\0", b"\r\n", b"\0\0\r"] {
            assert!(!collector.take(bytes) && collector.is_silent());
        }
        assert!(!collector.take(b"\0(") && !collector.is_silent());
    }

    #[test]
    fn babble_is_bounded_and_no_reply() {
        for (length, is_babble) in [(511, false), (512, false), (513, true), (4000, true)] {
            let bytes = [b"(".as_slice(), &vec![b'x'; length - 1], b"\r"].concat();
            for is_command in [false, true] {
                let (_, reply) = collect_for(is_command, Echo::Refusal, &[&bytes]);
                let line = reply.line.unwrap_or_default();
                // (what looks like a reply to a question is none to a command)
                assert!(is_command || line.len() == length.min(LONGEST + 1), "{length}: {}", line.len());
                assert_eq!(!is_command && line.len() > LONGEST, !is_command && is_babble);
            }
        }
        let (complete, reply) = collect(Echo::Refusal, &[&[b'x'; 4000]]);
        assert!(!complete, "its end has not come yet");
        assert_eq!(reply.line.map(|line| line.len()), Some(LONGEST + 1));
        // its tail is no line of its own
        let (_, reply) = collect(Echo::Refusal, &[&[b'x'; 600], b"(226.0\r"]);
        assert_eq!(reply.line.map(|line| line.len()), Some(LONGEST + 1));
        // zeros before a reply are nothing
        assert_eq!(collect(Echo::Unknown, &[&[0; 2000], b"(1\r"]).1.line.as_deref(), Some(&b"(1"[..]));
    }
}
