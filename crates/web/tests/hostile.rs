//! Clients that are slow, broken or mean, on connections in memory with a clock that the test turns.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod sites;

use sites::{Static, USUAL, ups};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep, timeout};
use web::http::{Gate, HEAD_WITHIN, Hub, LISTENERS, Live, TAKES_WITHIN, serve};
use web::view::{DataState, FleetView};
use web::{PageSource, Place};

struct Server {
    site: Static,
    hub: Hub,
    place: Rc<Place>,
    answers: RefCell<Vec<u16>>,
    gate: Rc<Gate>,
}

impl PageSource for Server {
    fn fleet(&self) -> FleetView {
        self.site.fleet()
    }
}

impl Live for Server {
    fn place(&self) -> Rc<Place> {
        self.place.clone()
    }
    fn answered(&self, status: u16) {
        self.answers.borrow_mut().push(status);
    }
    fn hub(&self) -> &Hub {
        &self.hub
    }
}

impl Server {
    fn new() -> Rc<Server> {
        Rc::new(Server {
            site: Static::usual(),
            hub: Hub::default(),
            place: Rc::default(),
            answers: RefCell::default(),
            gate: Gate::new(256),
        })
    }

    fn connect(self: &Rc<Self>) -> (DuplexStream, JoinHandle<()>) {
        let (client, end) = duplex(4096);
        let ticket = self.gate.admit([192, 0, 2, 1].into()).unwrap();
        (client, spawn_local(serve(end, self.clone(), ticket)))
    }

    /// What is answered to these bytes until the connection ends, or nothing comes for a second.
    async fn answer(self: &Rc<Self>, bytes: &[u8]) -> String {
        let (mut client, _task) = self.connect();
        // of what is too long it may take no more
        let _ = client.write_all(bytes).await;
        let mut all = vec![];
        let mut room = [0; 4096];
        while let Ok(Ok(read @ 1..)) = timeout(Duration::from_secs(1), client.read(&mut room)).await {
            all.extend_from_slice(&room[..read]);
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// Runs a test in virtual time.
fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn a_request_has_its_answer_and_its_headers() {
    run(async {
        let server = Server::new();
        let answer = server.answer(b"GET / HTTP/1.1\r\nHost: [::1]:9550\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        for header in [
            "content-security-policy: default-src 'self'; ",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.contains(header), "{header} in {answer}");
        }
        let twice = server.answer(&[GET, GET].concat()).await;
        assert_eq!(twice.matches("HTTP/1.1 200 OK").count(), 2, "{twice}");
        let head = server.answer(b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(head.ends_with("\r\n\r\n") && head.contains("content-length: "), "{head}");
    });
}

#[test]
fn what_is_wrong_is_refused() {
    run(async {
        let server = Server::new();
        let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(20_000));
        let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200));
        let fat = format!("GET / HTTP/1.1\r\nHost: localhost\r\na: {}\r\n\r\n", "b".repeat(20_000));
        for (request, status) in [
            (b"GET / HTTP/1.1\r\n\r\n".as_slice(), "421"),
            (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "421"),
            (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "421"),
            (b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
            (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
            (b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n", "200"),
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "405"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "413"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "413"),
            (
                b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "501",
            ),
            (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
            (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
            (b"GET /%2e%2e/x HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"),
            (b"GET / HTTP/9.9\r\n\r\n", "400"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
            (long.as_bytes(), "4"),
            (many.as_bytes(), "431"),
            (fat.as_bytes(), "431"),
        ] {
            let answer = server.answer(request).await;
            let told = answer
                .strip_prefix("HTTP/1.1 ")
                .or_else(|| answer.strip_prefix("HTTP/1.0 "))
                .unwrap_or(&answer);
            assert!(told.starts_with(status), "{} answered {answer}", String::from_utf8_lossy(request));
            assert!(!answer.contains("rack") || status == "200", "{answer}");
        }
    });
}

/// How long a connection lasts.
async fn lasts(task: JoinHandle<()>) -> Duration {
    let began = Instant::now();
    timeout(Duration::from_secs(600), task).await.unwrap().unwrap();
    began.elapsed()
}

#[test]
fn a_head_that_never_ends_is_cut_off() {
    run(async {
        let server = Server::new();
        let (mut client, task) = server.connect();
        let trickle = spawn_local(async move {
            for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".iter().chain(std::iter::repeat(&b'a')) {
                if client.write_all(&[*byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        let lasted = lasts(task).await;
        assert!(lasted <= HEAD_WITHIN + Duration::from_secs(1), "{lasted:?}");
        trickle.abort();
        // one that says nothing at all, and one that rests after an answer
        let (_client, task) = server.connect();
        assert!(lasts(task).await <= HEAD_WITHIN);
        let (mut client, task) = server.connect();
        client.write_all(GET).await.unwrap();
        assert!(lasts(task).await <= HEAD_WITHIN);
        assert_eq!(server.gate.connections(), 0);
    });
}

#[test]
fn a_client_that_reads_nothing_is_dropped_and_others_are_served() {
    run(async {
        let server = Server::new();
        server.site.0.replace(sites::many(300).0.into_inner());
        let (mut deaf, task) = server.connect();
        deaf.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let began = Instant::now();
        assert!(server.answer(GET).await.contains("200 OK"));
        assert!(began.elapsed() < Duration::from_secs(2));
        let lasted = lasts(task).await;
        assert!(lasted <= TAKES_WITHIN + Duration::from_secs(2), "{lasted:?}");
        drop(deaf);
    });
}

#[test]
fn a_client_that_leaves_is_forgotten() {
    run(async {
        let server = Server::new();
        for request in
            [b"".as_slice(), b"GET / HT", GET, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        {
            let (mut client, task) = server.connect();
            client.write_all(request).await.unwrap();
            sleep(Duration::from_millis(10)).await;
            drop(client);
            assert!(lasts(task).await < Duration::from_secs(1));
        }
        assert_eq!((server.gate.connections(), server.hub.listeners()), (0, 0));
    });
}

/// Reads until a text came.
async fn until(client: &mut DuplexStream, wanted: &str) -> String {
    let mut all = String::new();
    let mut room = [0; 4096];
    let reads = async {
        while !all.contains(wanted) {
            let read = client.read(&mut room).await.unwrap();
            assert!(read > 0, "it ended after {all}");
            all.push_str(&String::from_utf8_lossy(&room[..read]));
        }
    };
    timeout(Duration::from_secs(10), reads).await.unwrap_or_else(|_| panic!("no {wanted}"));
    all
}

#[test]
fn an_outage_is_heard_at_once() {
    run(async {
        let server = Server::new();
        let (mut client, _task) = server.connect();
        client.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let first = until(&mut client, "attic").await;
        assert!(
            first.contains("content-type: text/event-stream") && first.contains("event: summary"),
            "{first}"
        );
        sleep(Duration::from_secs(1)).await;
        server.site.0.borrow_mut().upses[0] = ups("rack", DataState::Fresh, &[("ups.status", "OB")]);
        let began = Instant::now();
        until(&mut client, "On battery").await;
        assert!(began.elapsed() <= Duration::from_millis(150), "{:?}", began.elapsed());
        // also while nothing happens a client hears that the connection lives
        until(&mut client, "event: ages").await;
    });
}

#[test]
fn who_listens_and_does_not_read_misses_what_is_past_and_costs_no_memory() {
    run(async {
        let server = Server::new();
        let (mut slow, task) = server.connect();
        slow.write_all(b"GET /api/v1/events?ups=rack HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        until(&mut slow, "event: ups").await;
        for number in 0..100 {
            let volts = format!("{number}.0");
            server.site.0.borrow_mut().upses[0] = ups("rack", DataState::Fresh, &[("input.voltage", &volts)]);
            sleep(Duration::from_millis(110)).await;
        }
        // it reads before its time is over
        let all = until(&mut slow, "\"value\":\"99.0\"").await;
        assert!(all.len() < 64 * 1024 && all.matches("event: ups").count() < 100);
        // and is dropped when it takes nothing for long
        for number in 0..400 {
            let volts = format!("{number}.5");
            server.site.0.borrow_mut().upses[0] =
                ups("rack", DataState::Fresh, &[("input.voltage", &volts), USUAL[7]]);
            sleep(Duration::from_millis(110)).await;
        }
        assert!(task.is_finished());
    });
}

#[test]
fn only_so_many_listen() {
    run(async {
        let server = Server::new();
        let mut clients = vec![];
        for _ in 0..LISTENERS {
            let (mut client, task) = server.connect();
            client.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            until(&mut client, "event: summary").await;
            clients.push((client, task));
        }
        let answer = server.answer(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{answer}");
        assert!(
            server.answer(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.contains("qxups_up")
        );
        clients.clear();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(server.hub.listeners(), 0);
        assert!(server.answers.borrow().contains(&503));
    });
}

/// The bytes of an answer, as they come.
async fn raw(server: &Rc<Server>, request: &str) -> Vec<u8> {
    let (mut client, _task) = server.connect();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut all = vec![];
    let mut room = [0; 4096];
    while let Ok(Ok(read @ 1..)) = timeout(Duration::from_secs(1), client.read(&mut room)).await {
        all.extend_from_slice(&room[..read]);
    }
    all
}

#[test]
fn text_is_packed_for_who_accepts_it() {
    run(async {
        let server = Server::new();
        for target in
            ["/", "/page.js", "/uplot.js", "/ups/rack", "/metrics", "/api/v1/ups", "/api/v1/openapi.json"]
        {
            let plain = raw(&server, &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
            let packed = raw(
                &server,
                &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br, gzip\r\n\r\n"),
            )
            .await;
            let split = |all: &[u8]| {
                let at = all.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
                (String::from_utf8(all[..at].to_vec()).unwrap(), all[at..].to_vec())
            };
            let ((plain_head, plain), (head, packed)) = (split(&plain), split(&packed));
            assert!(
                head.contains("content-encoding: gzip") && !plain_head.contains("content-encoding"),
                "{target}"
            );
            for head in [&head, &plain_head] {
                assert!(
                    head.contains("vary: Accept") && head.contains("Accept-Encoding"),
                    "{target}: {head}"
                );
            }
            assert!(packed.len() * 2 < plain.len(), "{target}: {} of {}", packed.len(), plain.len());
            assert_eq!(unpacked(&packed), plain, "{target}");
        }
        // events come as they happen
        let events = server
            .answer(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
            .await;
        assert!(events.contains("event: summary") && !events.contains("content-encoding"), "{events}");
    });
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut gunzip =
        Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut to, bytes) = (gunzip.stdin.take().unwrap(), bytes.to_vec());
    let writes = std::thread::spawn(move || to.write_all(&bytes).unwrap());
    let output = gunzip.wait_with_output().unwrap();
    writes.join().unwrap();
    assert!(output.status.success());
    output.stdout
}
