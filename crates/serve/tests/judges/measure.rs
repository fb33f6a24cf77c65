//! How soon a browser shows what a UPS says: from the reply on the wire to the screen. It measures, and says what it found; see
//! `docs/page.md`.

use crate::site::{Site, free_port, judge, past};
use crate::{existing, installed, script};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// So many changes are looked at.
const CHANGES: usize = 100;
/// The line that issue and docs draw, beyond the poll.
const WITHIN_MS: i64 = 150;

/// A UPS of the megatec dialect at a port. It is on mains or not as a test wants, and knows when it said so first.
struct WireUps(Mutex<UpsState>, Condvar);

struct UpsState {
    on_battery: bool,
    /// When a reply first said it, in milliseconds since 1970.
    said_ms: Option<i64>,
}

/// The wall clock, as the browser has it.
#[allow(clippy::disallowed_methods)]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl WireUps {
    fn start() -> (Arc<WireUps>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = UpsState { on_battery: false, said_ms: None };
        let ups = Arc::new(WireUps(Mutex::new(state), Condvar::new()));
        let answering = ups.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answering.answer(stream.unwrap());
            }
        });
        (ups, port)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut question = vec![];
        let mut byte = [0];
        while stream.read(&mut byte).is_ok_and(|read| read > 0) {
            if byte[0] != b'\r' {
                question.push(byte[0]);
                continue;
            }
            let mut state = self.0.lock().unwrap();
            let reply = match (question.as_slice(), state.on_battery) {
                (b"Q1", false) => "(230.0 230.0 230.0 020 50.0 27.2 25.0 00001001\r",
                (b"Q1", true) => "(000.0 230.0 230.0 020 50.0 25.1 25.0 10001001\r",
                (b"F", _) => "#230.0 003 024.0 50.0\r",
                (b"I", _) => "#QXUPS           WIRE       V1.0      \r",
                _ => "",
            };
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
            if question == b"Q1" && state.said_ms.is_none() {
                state.said_ms = Some(now_ms());
                self.1.notify_all();
            }
            question.clear();
        }
    }

    /// Changes its state, and returns when a reply said so first.
    fn turn(&self, on_battery: bool) -> i64 {
        let mut state = self.0.lock().unwrap();
        (state.on_battery, state.said_ms) = (on_battery, None);
        let waits =
            self.1.wait_timeout_while(state, Duration::from_secs(30), |state| state.said_ms.is_none());
        waits.unwrap().0.said_ms.unwrap()
    }
}

/// The time below which so many hundredths lie.
fn hundredth(sorted: &[i64], part: usize) -> i64 {
    sorted[(sorted.len() * part).div_ceil(100).clamp(1, sorted.len()) - 1]
}

#[test]
#[ignore = "measures: the times depend on the build, and on what else the machine does"]
fn measured_from_the_wire_to_the_screen() {
    let (ups, unit) = WireUps::start();
    let port = free_port();
    let conf = format!(
        "[rack]\ndriver = nutdrv_qx\nprotocol = megatec\nport = tcp://127.0.0.1:{unit}\npollinterval = 1\n"
    );
    let mut site = Site::new("judge-measure", &conf, "");
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n[history]\nenabled = true\n"));
    past::write(&site.state().join("history.sqlite"), "rack", 30);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let chromium = judge("chromium", existing("/usr/bin/chromium")).expect("chromium");
    let mut browser = Command::new("node")
        .arg(script("measure.js"))
        .arg(format!("http://localhost:{port}/"))
        .env("JUDGES", installed())
        .env("CHROMIUM", chromium)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines().map(Result::unwrap);
    for line in lines.by_ref().take_while(|line| line != "watching") {
        println!("{line}");
        assert!(!line.starts_with("failed"));
    }
    let mut times = vec![];
    for number in 0..CHANGES {
        let (on_battery, words) = if number % 2 == 0 { (true, "On battery") } else { (false, "On mains") };
        let said_ms = ups.turn(on_battery);
        let line = lines.next().expect("the browser is there");
        let (at, text) = line.strip_prefix("seen ").and_then(|rest| rest.split_once(' ')).expect(&line);
        assert_eq!(text, words, "change {number}");
        times.push(at.parse::<i64>().unwrap() - said_ms);
        // in no step with the looks of the server
        std::thread::sleep(Duration::from_millis(300 + (number as u64 * 137) % 500));
    }
    drop(browser.stdin.take());
    assert_eq!(lines.next().as_deref(), Some("ok"));
    browser.wait().unwrap();
    times.sort_unstable();
    let [half, most, nearly, worst] = [50, 95, 99, 100].map(|part| hundredth(&times, part));
    println!(
        "from the wire to the screen, {CHANGES} changes: p50 {half} ms, p95 {most} ms, p99 {nearly} ms, at most {worst} ms"
    );
    assert!(nearly < WITHIN_MS, "{nearly} ms");
}
