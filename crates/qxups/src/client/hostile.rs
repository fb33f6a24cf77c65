//! Servers that are none, or enemies: whatever they send, a client's command ends with a sentence.

use super::access::{Credentials, Reach};
use super::connection::{NutConnection, shows_password};
use super::feed::{Feed, News};
use super::order::{self, Seen};
use super::place::{ServerAddress, UpsPlace};
use super::trouble::{ClientTrouble, ExitStatus};
use nut::network::TrackedOutcome;
use nut::network::client::{About, ClientOrder, Having, NetworkRequest, TlsMode, Values};
use proptest::prelude::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tls::rustls::{ServerConnection, StreamOwned};
use tls::{ClientCertificates, Fingerprint, TlsIdentity, Verify, server_config};

fn reach(tls: TlsMode) -> Reach {
    Reach { tls, verify: Verify::Nothing, timeout: Duration::from_secs(5) }
}

fn user() -> Credentials {
    Credentials { user: "admin".into(), password: "geheim".into() }
}

/// A server whose every connection is handled so.
fn server(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> ServerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || handle(stream));
        }
    });
    ServerAddress { host: "127.0.0.1".into(), port }
}

/// A server that answers each line by a rule, and keeps the lines; `None` closes.
fn by_line(
    rule: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static,
) -> (ServerAddress, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(vec![]));
    let heard = seen.clone();
    let server = server(move |mut stream| {
        for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
            heard.lock().unwrap().push(line.clone());
            let Some(answer) = rule(&line) else { return };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (server, seen)
}

fn sentence<T: std::fmt::Debug>(outcome: Result<T, ClientTrouble>) -> (ExitStatus, String) {
    match outcome.unwrap_err() {
        ClientTrouble::Said(status, sentence) => (status, sentence),
        ClientTrouble::Stop(stop) => panic!("{stop:?}"),
    }
}

fn open(
    server: &ServerAddress,
    reach: &Reach,
    user: Option<&Credentials>,
) -> Result<NutConnection, ClientTrouble> {
    NutConnection::open(server, reach, user)
}

fn load_off() -> ClientOrder {
    ClientOrder::Command { ups: "u".into(), name: "load.off".into(), parameter: None }
}

/// What servers answer, whole and broken, so that bytes come further than the first line.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "OK\n",
        "OK TRACKING 1\n",
        "OK STARTTLS\n",
        "ERR DATA-STALE\n",
        "ERR\n",
        "ERR X Y\n",
        "BEGIN LIST UPS\n",
        "UPS u \"x\"\n",
        "END LIST UPS\n",
        "BEGIN LIST VAR u\n",
        "VAR u ups.status \"OL\"\n",
        "END LIST VAR u\n",
        "VAR u a.b \"\\\n",
        "PENDING\n",
        "SUCCESS\n",
        "ERR UNKNOWN\n",
        "\r\n",
        "\n",
        "OK Goodbye\n",
        "TYPE u a.b RW STRING:99999999999999999999\n",
        "BEGIN LIST ENUM u a.b\n",
        "RANGE u a.b \"1\"\n",
    ]);
    let part = prop_oneof![
        4 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_with_an_answer_or_a_sentence(bytes in answers()) {
        let sent = bytes.clone();
        let server = server(move |mut stream| {
            // all at once, then closed: what is asked does not matter
            let _ = stream.write_all(&sent);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut vec![]);
        });
        for request in [
            NetworkRequest::ListUps,
            NetworkRequest::List(Having::Variables, "u".into()),
            NetworkRequest::Get(About::Type, "u".into(), "a.b".into()),
            NetworkRequest::ListValues(Values::Ranges, "u".into(), "a.b".into()),
        ] {
            if let Ok(mut connection) = open(&server, &reach(TlsMode::Never), None) {
                let reply = connection.ask(request);
                prop_assert!(reply.is_ok() || !reply.unwrap_err().sentence().is_empty());
            }
        }
        let _ = open(&server, &reach(TlsMode::IfOffered), Some(&user()));
        let _ = order::give_alone(&server, &reach(TlsMode::Never), &user(), load_off(), Duration::from_millis(100));
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = server(|stream| {
        std::thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
    let reach = Reach { timeout: Duration::from_millis(300), ..reach(TlsMode::Never) };
    let began = Instant::now();
    let mut connection = open(&server, &reach, None).unwrap();
    let (status, said) = sentence(connection.ask(NetworkRequest::ListUps));
    assert_eq!(status, ExitStatus::Unconnected);
    assert!(said.contains("does not answer within 0.3 s") && said.contains("--timeout"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_drips_is_given_up_in_time() {
    let server = server(|mut stream| {
        while stream.write_all(b"B").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let reach = Reach { timeout: Duration::from_millis(400), ..reach(TlsMode::Never) };
    let mut connection = open(&server, &reach, None).unwrap();
    assert_eq!(sentence(connection.ask(NetworkRequest::ListUps)).0, ExitStatus::Unconnected);
}

#[test]
fn a_flood_is_bounded() {
    for flood in [&b"x"[..], b"VAR u a.b \"1\"\n"] {
        let block = flood.repeat(10_000);
        let server = server(move |mut stream| {
            let _ = stream.write_all(b"BEGIN LIST VAR u\n");
            while stream.write_all(&block).is_ok() {}
        });
        let mut connection = open(&server, &reach(TlsMode::Never), None).unwrap();
        let (status, said) = sentence(connection.ask(NetworkRequest::List(Having::Variables, "u".into())));
        assert_eq!(status, ExitStatus::Unconnected, "{said}");
        assert!(said.contains("of more than"), "{said}");
    }
}

#[test]
fn an_order_whose_answer_is_lost_may_have_been_done() {
    let (server, _) = by_line(|line| match line.split(' ').next() {
        Some("INSTCMD") => None,
        _ => Some("OK\n"),
    });
    let seen =
        order::give_alone(&server, &reach(TlsMode::Never), &user(), load_off(), Duration::from_secs(5));
    let Ok(Seen::Unseen(why)) = seen else { panic!("{seen:?}") };
    assert!(why.contains("closed the connection"), "{why}");
}

#[test]
fn an_order_before_whose_sending_the_server_left_was_not_given() {
    let (server, _) = by_line(|line| match line.split(' ').next() {
        Some("SET") => None,
        _ => Some("OK\n"),
    });
    let seen =
        order::give_alone(&server, &reach(TlsMode::Never), &user(), load_off(), Duration::from_secs(5));
    assert_eq!(sentence(seen).0, ExitStatus::Unconnected);
}

#[test]
fn what_is_pending_for_ever_is_not_said_to_be_done() {
    let (server, seen) = by_line(|line| {
        Some(match line.split(' ').next() {
            Some("INSTCMD") => "OK TRACKING 00000000-0000-4000-8000-000000000000\n",
            Some("GET") => "PENDING\n",
            _ => "OK\n",
        })
    });
    let given =
        order::give_alone(&server, &reach(TlsMode::Never), &user(), load_off(), Duration::from_millis(200));
    let Ok(Seen::Unseen(why)) = given else { panic!("{given:?}") };
    assert!(why.contains("within 0.2 s"), "{why}");
    assert!(seen.lock().unwrap().iter().filter(|line| line.starts_with("GET TRACKING")).count() >= 2);
}

#[test]
fn a_server_without_tracking_only_accepts() {
    let (server, seen) = by_line(|line| match line {
        "SET TRACKING ON" => Some("ERR UNKNOWN-COMMAND\n"),
        _ => Some("OK\n"),
    });
    let given =
        order::give_alone(&server, &reach(TlsMode::Never), &user(), load_off(), Duration::from_secs(5));
    assert_eq!(given, Ok(Seen::Accepted));
    assert!(Seen::Accepted.sentence().contains("does not say whether"));
    assert_eq!(Seen::Accepted.status(true), ExitStatus::Unseen);
    assert!(!Seen::Failed(TrackedOutcome::Failed).sentence().contains("done"));
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.iter().take(4).collect::<Vec<_>>(),
        ["USERNAME admin", "PASSWORD geheim", "SET TRACKING ON", "INSTCMD u load.off"]
    );
}

#[test]
fn a_feed_tells_of_a_lost_server_and_comes_back() {
    // answers one connection once, refuses to answer the second, then answers
    let count = Arc::new(Mutex::new(0));
    let server = server(move |mut stream| {
        *count.lock().unwrap() += 1;
        let at = *count.lock().unwrap();
        for _ in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok).take(1) {
            if at != 2 {
                let _ = stream.write_all(b"BEGIN LIST VAR u\nVAR u ups.status \"OL\"\nEND LIST VAR u\n");
            }
        }
    });
    let (sender, news) = std::sync::mpsc::sync_channel(100);
    let feed = Feed { reach: reach(TlsMode::Never), user: None, interval: Duration::from_millis(10) };
    let _wakers = feed.start(&[UpsPlace { ups: Some("u".into()), server: server.clone() }], &sender);
    let mut told = vec![];
    while told.iter().filter(|word| **word == "read").count() < 2 && told.len() < 20 {
        told.push(match news.recv_timeout(Duration::from_secs(20)).unwrap() {
            News::Connected(..) => "connected",
            News::Lost(..) => "lost",
            News::Read(..) => "read",
            News::Refused(..) => "refused",
            News::Round(..) => continue,
        });
    }
    assert_eq!(told, ["connected", "read", "lost", "connected", "lost", "connected", "read"]);
}

/// A server that offers TLS, and answers LIST UPS behind it.
fn tls_server(extra: &'static [u8]) -> (ServerAddress, Fingerprint, String, Arc<Mutex<Vec<String>>>) {
    let pem = TlsIdentity::make(&["localhost".into(), "127.0.0.1".into()]).unwrap();
    let identity = TlsIdentity::from_pem(pem.as_bytes()).unwrap();
    let fingerprint = identity.fingerprint().unwrap();
    let config = server_config(&identity, &ClientCertificates::NotAsked).unwrap();
    let seen = Arc::new(Mutex::new(vec![]));
    let heard = seen.clone();
    let server = server(move |mut stream| {
        let mut line = String::new();
        let _ = BufReader::with_capacity(1, &stream).read_line(&mut line);
        heard.lock().unwrap().push(line.trim().to_string());
        if line != "STARTTLS\n" {
            return;
        }
        let _ = stream.write_all(&[b"OK STARTTLS\n", extra].concat());
        let session = ServerConnection::new(config.clone()).unwrap();
        let stream = StreamOwned::new(session, stream);
        let mut reader = BufReader::new(stream);
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            heard.lock().unwrap().push(line.trim().to_string());
            let answer = match line.as_str() {
                "LIST UPS\n" => "BEGIN LIST UPS\nUPS u \"x\"\nEND LIST UPS\n",
                _ => "OK\n",
            };
            if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (server, fingerprint, pem, seen)
}

#[test]
fn encryption_is_used_where_it_is_offered() {
    let (server, fingerprint, pem, _) = tls_server(b"");
    let folder = std::env::temp_dir().join(format!("qxups-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, &pem[..pem.find("-----BEGIN PRIVATE").unwrap()]).unwrap();
    for (tls, verify) in [
        (TlsMode::IfOffered, Verify::Nothing),
        (TlsMode::Required, Verify::Fingerprint(fingerprint)),
        (TlsMode::Required, Verify::Roots(ca.clone())),
    ] {
        let reach = Reach { verify: verify.clone(), ..reach(tls) };
        let mut connection = open(&server, &reach, Some(&user())).unwrap();
        assert!(connection.is_encrypted(), "{verify:?}");
        assert_eq!(connection.ask(NetworkRequest::ListUps).unwrap().items.len(), 1, "{verify:?}");
        connection.close();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_password_goes_to_no_other_server_than_the_one_that_is_meant() {
    let (server, ..) = tls_server(b"");
    let other = TlsIdentity::from_pem(TlsIdentity::make(&["x".into()]).unwrap().as_bytes()).unwrap();
    let folder = std::env::temp_dir().join(format!("qxups-client-other-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, TlsIdentity::make(&["x".into()]).unwrap()).unwrap();
    let fingerprint = Verify::Fingerprint(other.fingerprint().unwrap());
    for verify in [fingerprint, Verify::Roots(ca)] {
        let reach = Reach { verify, ..reach(TlsMode::Required) };
        let (status, said) = sentence(open(&server, &reach, Some(&user())).map(|_| ()));
        assert_eq!(status, ExitStatus::Unconnected);
        assert!(
            said.contains("encryption failed") && said.contains("nothing is sent in the clear"),
            "{said}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn where_encryption_is_required_nothing_else_is_said() {
    let (server, seen) = by_line(|line| match line {
        "STARTTLS" => Some("ERR FEATURE-NOT-CONFIGURED\n"),
        _ => Some("OK\n"),
    });
    let (status, said) = sentence(open(&server, &reach(TlsMode::Required), Some(&user())).map(|_| ()));
    assert_eq!(status, ExitStatus::Unconnected);
    assert!(said.contains("offers no encryption (ERR FEATURE-NOT-CONFIGURED)"), "{said}");
    assert_eq!(*seen.lock().unwrap(), ["STARTTLS"]);
    // and with the default it goes on, as NUT's clients do
    assert!(!open(&server, &reach(TlsMode::IfOffered), Some(&user())).unwrap().is_encrypted());
}

#[test]
fn encryption_that_fails_is_not_gone_on_without() {
    let (server, seen) = by_line(|_| Some("OK STARTTLS\n"));
    let (status, said) = sentence(open(&server, &reach(TlsMode::IfOffered), Some(&user())).map(|_| ()));
    assert_eq!(status, ExitStatus::Unconnected, "{said}");
    assert!(seen.lock().unwrap().iter().all(|line| !line.contains("USERNAME")), "{seen:?}");
}

#[test]
fn a_password_in_the_clear_is_warned_of_beyond_this_host() {
    let name = NetworkRequest::Username("a".into());
    for (address, encrypted, request, warned) in [
        ("192.0.2.7", false, &name, true),
        ("2001:db8::1", false, &name, true),
        ("192.0.2.7", true, &name, false),
        ("127.0.0.1", false, &name, false),
        ("::1", false, &name, false),
        ("192.0.2.7", false, &NetworkRequest::ListUps, false),
    ] {
        assert_eq!(shows_password(address.parse().unwrap(), encrypted, request), warned, "{address}");
    }
}

#[test]
fn what_was_slipped_in_before_encryption_ends_the_connection() {
    let (server, _, _, seen) = tls_server(b"OK\nOK\n");
    let (status, said) = sentence(open(&server, &reach(TlsMode::IfOffered), Some(&user())).map(|_| ()));
    assert_eq!(status, ExitStatus::Unconnected);
    assert!(said.contains("may be an attack"), "{said}");
    assert!(seen.lock().unwrap().iter().all(|line| !line.contains("PASSWORD")));
}
