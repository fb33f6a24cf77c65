//! Real pseudo-terminals and TCP connections, with a simulated UPS at the other end.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use link::{Address, CablePower, Link, LinkErrorKind, Opening};
use qx::line::exchange::{Echo, Exchange, Reply};
use simulator::end::SharedUps;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::pty::{self, Pty};
use simulator::script::Script;
use simulator::tcp;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::fs::File;
use std::future::Future;
use std::io::{Read, Write};
use std::time::Duration;
use tokio::task::spawn_local;
use tokio::time::Instant;

fn exchange(command: &str) -> Exchange {
    Exchange {
        command: command.into(),
        patience: Duration::from_millis(400),
        gap: Duration::from_millis(200),
        echo: Echo::Refusal,
        settle: false,
        is_command: false,
        measured: true,
    }
}

fn ups(knobs: &[&str]) -> SharedUps {
    let ups =
        SimulatedUps::new(&qx::protocols::MEGATEC, Profile::default(), Trouble::new(1), Script::default());
    let shared = SharedUps::new(ups);
    turn(&shared, knobs);
    shared
}

fn turn(shared: &SharedUps, knobs: &[&str]) {
    for knob in knobs {
        shared.with(|ups, now| ups.turn(Knob::parse(knob).unwrap(), now));
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// A UPS on a pseudo-terminal, and how to open it.
fn on_pty(knobs: &[&str]) -> (SharedUps, Opening) {
    let shared = ups(knobs);
    let end = Pty::open(None).unwrap();
    let opening = Opening {
        address: Address::Serial(end.path().to_path_buf()),
        cable_power: CablePower::Normal,
        lock: true,
    };
    let served = shared.clone();
    spawn_local(async move { pty::run(&served, end).await });
    (shared, opening)
}

fn text(reply: &Reply) -> String {
    reply.line.as_ref().map(|line| String::from_utf8_lossy(line).into_owned()).unwrap_or_default()
}

#[test]
fn a_reply_comes_and_silence_is_silence() {
    run(async {
        let (_ups, opening) = on_pty(&[]);
        let mut link = Link::open(&opening).await.unwrap();
        let reply = link.exchange(&exchange("F")).await.unwrap();
        assert_eq!(text(&reply), "#230.0 003 24.00 50.0");
        assert!(reply.latency >= Duration::from_millis(15) && reply.latency < Duration::from_millis(300));
        assert_eq!(link.exchange(&exchange("ZZ")).await.unwrap().line, None);
    });
}

/// Serves one connection: what comes to each question, piece by piece, each after so many milliseconds.
async fn told(pieces: Vec<(u64, &'static [u8])>, exchange: Exchange) -> Reply {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    spawn_local(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = [0; 64];
        while stream.read(&mut question).await.is_ok_and(|read| read > 0) {
            for (after, piece) in &pieces {
                tokio::time::sleep(Duration::from_millis(*after)).await;
                stream.write_all(piece).await.unwrap();
            }
        }
    });
    let address = Address::parse(&format!("tcp://127.0.0.1:{port}")).unwrap();
    let opening = Opening { address, cable_power: CablePower::Normal, lock: true };
    Link::open(&opening).await.unwrap().exchange(&exchange).await.unwrap()
}

/// A NUL is no beginning of a reply: what follows is waited for as if it had not come.
#[test]
fn a_nul_before_a_reply_shortens_no_wait() {
    run(async {
        let wait = Exchange { patience: Duration::from_millis(1500), ..exchange("F") };
        let command = Exchange { is_command: true, ..wait.clone() };
        let ratings: (u64, &'static [u8]) = (600, b"#230.0 003 24.00 50.0\r");
        let nothing: (u64, &'static [u8]) = (5, b"\0\r");
        for (pieces, exchange, line) in [
            (vec![(5, &b"\0"[..]), ratings], &wait, Some("#230.0 003 24.00 50.0")),
            (vec![nothing, (5, b"\0"), ratings], &wait, Some("#230.0 003 24.00 50.0")),
            // a refusal may come late as well
            (vec![nothing, (600, b"(NAK\0\r")], &command, Some("(NAK")),
            (vec![nothing], &command, None),
            (vec![(5, b"\r")], &command, None),
        ] {
            let what = format!("{pieces:?}");
            let reply = told(pieces, exchange.clone()).await;
            assert_eq!(reply.line.as_deref(), line.map(str::as_bytes), "{what}");
            if line.is_some() {
                assert!(reply.latency >= Duration::from_millis(600), "{:?}", reply.latency);
            }
        }
    });
}

#[test]
fn the_line_is_set_to_2400_baud_raw() {
    run(async {
        let (_ups, opening) = on_pty(&[]);
        let _link = Link::open(&opening).await.unwrap();
        let Address::Serial(path) = &opening.address else { panic!() };
        let said = std::process::Command::new("stty").arg("-aF").arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        for mode in [
            "speed 2400 baud",
            "cs8",
            "-parenb",
            "-cstopb",
            "-crtscts",
            "-ixon",
            "-icanon",
            "-echo",
            "-isig",
            "-opost",
        ] {
            assert!(said.contains(mode), "{mode}: {said}");
        }
    });
}

#[test]
fn what_is_stale_is_thrown_away() {
    run(async {
        let (ups, opening) = on_pty(&["double 1"]);
        let mut link = Link::open(&opening).await.unwrap();
        assert!(text(&link.exchange(&exchange("Q1")).await.unwrap()).starts_with('('));
        tokio::time::sleep(Duration::from_millis(50)).await;
        turn(&ups, &["double 0"]);
        // the second copy of the status is not taken for the ratings
        assert!(text(&link.exchange(&exchange("F")).await.unwrap()).starts_with('#'));
    });
}

#[test]
fn what_comes_while_nobody_asks_is_thrown_away() {
    run(async {
        let ends = nix::pty::openpty(None, None).unwrap();
        let mut end = File::from(ends.master);
        let address = Address::Serial(nix::unistd::ttyname(&ends.slave).unwrap());
        let mut link =
            Link::open(&Opening { address, cable_power: CablePower::Normal, lock: true }).await.unwrap();
        for unasked in [b"".as_slice(), b"#late\r", b"", b"#la", b"#late\r#later\r"] {
            let asked = exchange("F");
            // polled second: the question is there
            let answering = async {
                assert_eq!(end.read(&mut [0; 16]).unwrap(), 2);
                end.write_all(b"#reply\r").unwrap();
            };
            let (reply, ()) = tokio::join!(link.exchange(&asked), answering);
            assert_eq!(text(&reply.unwrap()), "#reply", "before: {}", unasked.escape_ascii());
            end.write_all(unasked).unwrap();
            link.wait_until(Instant::now() + Duration::from_millis(200)).await;
        }
    });
}

#[test]
fn a_slow_reply_is_waited_for_and_a_late_one_settled() {
    run(async {
        let (ups, opening) = on_pty(&["baud 2400"]);
        let mut link = Link::open(&opening).await.unwrap();
        assert_eq!(text(&link.exchange(&exchange("Q1")).await.unwrap()).len(), 46);
        turn(&ups, &["latency 600"]);
        assert_eq!(link.exchange(&exchange("Q1")).await.unwrap().line, None);
        turn(&ups, &["latency 0"]);
        // the late reply is on its way now
        tokio::time::sleep(Duration::from_millis(250)).await;
        let settled = Exchange { settle: true, ..exchange("F") };
        assert!(text(&link.exchange(&settled).await.unwrap()).starts_with("#230"));
    });
}

#[test]
fn a_torn_reply_is_given_as_it_is() {
    run(async {
        let (_ups, opening) = on_pty(&["reply Q1 \"(226.0 195\""]);
        let mut link = Link::open(&opening).await.unwrap();
        assert_eq!(text(&link.exchange(&exchange("Q1")).await.unwrap()), "(226.0 195");
    });
}

#[test]
fn a_line_that_hangs_up_is_gone() {
    run(async {
        let (ups, opening) = on_pty(&[]);
        let mut link = Link::open(&opening).await.unwrap();
        turn(&ups, &["hangup 60"]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(link.exchange(&exchange("Q1")).await.unwrap_err().kind, LinkErrorKind::Gone);
    });
}

#[test]
fn a_line_is_ours_alone_while_it_is_open() {
    run(async {
        let (_ups, opening) = on_pty(&[]);
        let link = Link::open(&opening).await.unwrap();
        assert_eq!(Link::open(&opening).await.unwrap_err().kind, LinkErrorKind::Busy);
        assert!(Link::open(&Opening { lock: false, ..opening.clone() }).await.is_ok());
        drop(link);
        assert!(Link::open(&opening).await.is_ok());
    });
}

#[test]
fn tcp_is_a_line_as_well() {
    run(async {
        let shared = ups(&[]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp { host: "localhost".into(), port: listener.local_addr().unwrap().port() };
        let served = shared.clone();
        spawn_local(async move { tcp::run(&served, listener).await });
        let opening = Opening { address, cable_power: CablePower::Normal, lock: true };
        let mut link = Link::open(&opening).await.unwrap();
        assert!(text(&link.exchange(&exchange("I")).await.unwrap()).starts_with("#QXUPS"));
        turn(&shared, &["hangup 0"]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(link.exchange(&exchange("I")).await.unwrap_err().kind, LinkErrorKind::Gone);
        assert!(Link::open(&opening).await.is_ok());
    });
}

#[test]
fn what_is_wrong_has_a_kind() {
    run(async {
        let open = async |address: &str| {
            let address = Address::parse(address).unwrap();
            let opening = Opening { address, cable_power: CablePower::Normal, lock: true };
            Link::open(&opening).await.map(|_| ()).unwrap_err().kind
        };
        assert_eq!(open("/dev/no-such-port").await, LinkErrorKind::NotFound);
        for other in ["/dev/null", "/dev/zero", "/dev"] {
            assert_eq!(open(other).await, LinkErrorKind::Unsuitable, "{other}");
        }
        assert_eq!(open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).await, LinkErrorKind::Unsuitable);
        assert_eq!(open("tcp://127.0.0.1:1").await, LinkErrorKind::NotFound);
    });
}
