//! A line that is well is read by lines: on a pseudo-terminal, whose line discipline is that of serial ports.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use link::{Address, CablePower, Link, LinkErrorKind, Opening};
use nix::sys::termios::{LocalFlags, tcgetattr};
use qx::line::exchange::{Echo, Exchange, Reply};
use std::fs::File;
use std::future::Future;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";
/// So many good replies make a line well.
const WELL: usize = 8;
const PATIENCE: Duration = Duration::from_millis(400);
const GAP: Duration = Duration::from_millis(300);
/// A loaded machine may be late.
const LATE: Duration = Duration::from_millis(150);

fn exchange() -> Exchange {
    Exchange {
        command: "Q1".into(),
        patience: PATIENCE,
        gap: GAP,
        echo: Echo::Refusal,
        settle: false,
        is_command: false,
        measured: false,
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Both ends of a line.
struct Wire {
    link: Link,
    end: File,
    slave: OwnedFd,
}

impl Wire {
    async fn open() -> Wire {
        let ends = nix::pty::openpty(None, None).unwrap();
        let address = Address::Serial(nix::unistd::ttyname(&ends.slave).unwrap());
        let opening = Opening { address, cable_power: CablePower::Normal, lock: true };
        Wire { link: Link::open(&opening).await.unwrap(), end: ends.master.into(), slave: ends.slave }
    }

    /// One that is well.
    async fn well() -> Wire {
        let mut wire = Wire::open().await;
        for _ in 0..WELL {
            assert_eq!(wire.says(STATUS).await.line.unwrap(), STATUS[..46]);
        }
        wire
    }

    /// What comes back when these pieces are said, each after so long.
    async fn told(&mut self, exchange: &Exchange, pieces: &[(u64, &[u8])]) -> Reply {
        let mut end = self.end.try_clone().unwrap();
        let mut pieces = pieces.iter().map(|(after, piece)| (*after, piece.to_vec())).collect::<Vec<_>>();
        let ups = std::thread::spawn(move || {
            let mut question = vec![];
            while !question.ends_with(b"\r") {
                let mut byte = [0];
                end.read_exact(&mut byte).unwrap();
                question.push(byte[0]);
            }
            for (after, piece) in pieces.drain(..) {
                std::thread::sleep(ms(after));
                end.write_all(&piece).unwrap();
            }
        });
        let reply = self.link.exchange(exchange).await.unwrap();
        ups.join().unwrap();
        reply
    }

    async fn says(&mut self, reply: &[u8]) -> Reply {
        self.told(&exchange(), &[(0, reply)]).await
    }

    fn is_by_lines(&self) -> bool {
        tcgetattr(&self.slave).unwrap().local_flags.contains(LocalFlags::ICANON)
    }

    async fn rest(&mut self) {
        self.link.wait_until(tokio::time::Instant::now() + ms(50)).await;
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test)
}

#[test]
fn a_line_that_is_well_is_read_by_lines_and_left_as_it_was() {
    run(async {
        let mut wire = Wire::open().await;
        for good in 0..WELL {
            assert!(!wire.says(STATUS).await.by_lines && !wire.is_by_lines(), "{good}");
        }
        let reply = wire.told(&exchange(), &[(10, &STATUS[..20]), (10, &STATUS[20..])]).await;
        assert!(wire.is_by_lines() && reply.by_lines && !reply.unended);
        // what is not known is bounded
        assert!(reply.latency >= ms(20) && reply.gap >= ms(10), "{reply:?}");
        // who measures sees bytes, and does not make it ill
        let measured = Exchange { measured: true, ..exchange() };
        let reply = wire.told(&measured, &[(30, &STATUS[..20]), (60, &STATUS[20..])]).await;
        assert!(!wire.is_by_lines() && !reply.by_lines);
        assert!(reply.latency < ms(60) + LATE && reply.gap >= ms(50), "{reply:?}");
        assert!(wire.says(STATUS).await.by_lines);
        let Wire { link, slave, .. } = wire;
        drop(link);
        assert!(!tcgetattr(&slave).unwrap().local_flags.contains(LocalFlags::ICANON));
    });
}

/// Every byte means itself: the same comes of it by lines as byte by byte.
#[test]
fn every_byte_passes() {
    run(async {
        let (mut lines, mut bytes) = (Wire::well().await, Wire::open().await);
        let all: Vec<u8> = (0..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        let mut replies: Vec<Vec<u8>> = vec![[b"(", &all[..], b"\r"].concat()];
        for byte in [0, 3, 4, 8, 0x0f, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x1a, 0x1c, 0x7f, 0x80, 0xff] {
            replies.push(vec![b'(', byte, b'1', byte, byte, b'\r']);
            replies.push(vec![byte, b'(', byte, b'\r']);
        }
        for reply in replies {
            let measured = Exchange { measured: true, ..exchange() };
            let expected = bytes.told(&measured, &[(0, &reply)]).await.line;
            let said = lines.says(&reply).await;
            assert_eq!(said.line, expected, "{}", reply.escape_ascii());
            assert!(said.by_lines, "{}", reply.escape_ascii());
        }
        // a line feed ends a line for both
        for reply in [b"\n(1\r".as_slice(), b"(12\n34\r", b"(12\r\n"] {
            let measured = Exchange { measured: true, ..exchange() };
            let expected = bytes.told(&measured, &[(0, reply)]).await.line;
            assert_eq!(lines.says(reply).await.line, expected, "{}", reply.escape_ascii());
        }
    });
}

#[test]
fn what_comes_while_nobody_asks_is_thrown_away_unseen_or_not() {
    run(async {
        let mut wire = Wire::well().await;
        for unasked in
            [b"".as_slice(), b"(", b"(226.0 195.0 22", b"(late\r", b"(late\r(226.0", b"\0", b"\n", b"\xff"]
        {
            wire.end.write_all(unasked).unwrap();
            wire.rest().await;
            let reply = wire.says(STATUS).await;
            assert_eq!(reply.line.unwrap(), STATUS[..46], "{}", unasked.escape_ascii());
            assert!(wire.is_by_lines());
        }
    });
}

#[test]
fn silence_costs_no_more_than_byte_by_byte_and_ends_it() {
    run(async {
        let mut wire = Wire::well().await;
        assert!(wire.says(STATUS).await.by_lines);
        let asked = Instant::now();
        let reply = wire.says(b"").await;
        assert_eq!((reply.line, reply.by_lines), (None, false));
        assert!(asked.elapsed() >= PATIENCE && asked.elapsed() < PATIENCE + LATE);
        assert!(!wire.is_by_lines());
        for _ in 0..WELL {
            assert!(!wire.says(STATUS).await.by_lines);
        }
        assert!(wire.says(STATUS).await.by_lines);
    });
}

#[test]
fn a_torn_reply_is_given_as_it_is_and_ends_it() {
    run(async {
        for torn in [&STATUS[..20], b"(", b"\xff", &STATUS[..46]] {
            let mut wire = Wire::well().await;
            let asked = Instant::now();
            let reply = wire.says(torn).await;
            assert_eq!(reply.line.as_deref(), Some(torn));
            assert!(reply.unended && reply.by_lines);
            assert!(asked.elapsed() < GAP + ms(100) + LATE, "{:?}", asked.elapsed());
            assert!(!wire.is_by_lines() && !wire.says(STATUS).await.by_lines);
        }
    });
}

/// The patience for the first byte and for each further one is what it is byte by byte.
#[test]
fn a_slow_reply_is_waited_for() {
    run(async {
        let whole = Some(STATUS[..46].to_vec());
        let slow = Exchange { patience: ms(600), gap: ms(500), ..exchange() };
        for pieces in [
            // after the usual time, and before the patience ends
            vec![(300, STATUS)],
            vec![(500, STATUS)],
            // in its midst, also after the patience ended
            vec![(20, &STATUS[..10]), (400, &STATUS[10..])],
            vec![(20, &STATUS[..10]), (300, &STATUS[10..20]), (400, &STATUS[20..])],
            vec![(300, &STATUS[..10]), (400, &STATUS[10..])],
        ] {
            let mut wire = Wire::well().await;
            let reply = wire.told(&slow, &pieces).await;
            assert_eq!(reply.line, whole, "{pieces:?}");
            assert!(!wire.is_by_lines());
            // its bytes were seen, as long as none was there before
            assert_eq!(reply.by_lines, pieces[0].0 < 100, "{pieces:?}");
            // slow once is no fault
            assert!(wire.says(STATUS).await.by_lines, "{pieces:?}");
        }
        let mut wire = Wire::well().await;
        assert_eq!(wire.told(&slow, &[(700, STATUS)]).await.line, None);
    });
}

#[test]
fn babble_without_an_end_is_bounded_and_goes() {
    run(async {
        let mut wire = Wire::well().await;
        let reply = wire.told(&exchange(), &[(0, &[b'x'; 3000]), (10, &[b'y'; 2000])]).await;
        assert_eq!(reply.line.map(|line| line.len()), Some(qx::wire::read::LONGEST + 1));
        assert!(!wire.is_by_lines());
        for _ in 0..WELL {
            assert_eq!(wire.says(STATUS).await.line.unwrap(), STATUS[..46]);
        }
        assert!(wire.says(STATUS).await.by_lines);
    });
}

/// An echo of the line, and what says nothing, come before the reply.
#[test]
fn what_goes_before_a_reply_is_no_reply() {
    run(async {
        let mut wire = Wire::well().await;
        let echo = Exchange { echo: Echo::Line, ..exchange() };
        for before in [b"Q1\r".as_slice(), b"\0\r", b"\r", b"\n", b"\0\r\0\r"] {
            let reply = wire.told(&echo, &[(0, before), (40, STATUS)]).await;
            assert_eq!(reply.line.as_deref(), Some(&STATUS[..46]), "{}", before.escape_ascii());
            assert_eq!(reply.echoed, before == b"Q1\r");
        }
        let asked = Instant::now();
        assert_eq!(wire.says(b"\0\r").await.line, None);
        assert!(asked.elapsed() >= PATIENCE);
    });
}

#[test]
fn a_line_that_hangs_up_is_gone() {
    run(async {
        let mut wire = Wire::well().await;
        assert!(wire.says(STATUS).await.by_lines);
        let Wire { mut link, mut end, .. } = wire;
        let ups = std::thread::spawn(move || {
            let _ = end.read(&mut [0; 8]);
            std::thread::sleep(ms(20));
        });
        assert_eq!(link.exchange(&exchange()).await.unwrap_err().kind, LinkErrorKind::Gone);
        ups.join().unwrap();
    });
}

/// A reply that comes byte by byte wakes once, and not for each byte.
#[test]
fn a_reply_wakes_once() {
    fn sleeps() -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse().unwrap()
    }
    run(async {
        let pieces: Vec<(u64, &[u8])> = STATUS.chunks(1).map(|byte| (4, byte)).collect();
        let mut wire = Wire::open().await;
        let mut counts = [0; 2];
        for at in 0..2 * WELL {
            let before = sleeps();
            let reply = wire.told(&exchange(), &pieces).await;
            assert_eq!(reply.line.unwrap(), STATUS[..46]);
            counts[usize::from(at >= WELL)] += sleeps() - before;
        }
        // starting and joining the thread of the UPS counts as well
        assert!(counts[0] > 30 * WELL as u64, "{counts:?}");
        assert!(counts[1] <= 6 * WELL as u64, "{counts:?}");
    });
}
