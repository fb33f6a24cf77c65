//! STARTTLS: Debian's upsc, openssl, a client certificate, and handshakes that stop in the middle.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{Site, nut_judge, program};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

const CONF: &str = "[rack]\ndriver = qxups-sim\n";
const STATUS: &str = "GET VAR rack ups.status";
const ON_MAINS: &str = "VAR rack ups.status \"OL\"";

fn site(name: &str, more: &str) -> Site {
    let site = Site::started(name, CONF, more);
    site.until_answer(STATUS, ON_MAINS);
    site
}

#[test]
fn upsc_reads_over_tls() {
    let Some(upsc) = nut_judge("upsc") else { return };
    let site = site("upsc-tls", "STARTTLS always\n");
    assert_eq!(site.printed(&upsc, &["rack@{}", "ups.status"]), "OL\n");
    assert_eq!(site.printed(&upsc, &["-l", "{}"]), "rack\n");
    let all = site.printed(&upsc, &["rack@{}"]);
    assert!(all.lines().count() > 20, "{all}");
    assert!(site.log().contains("TLS certificate, SHA-256: "), "{}", site.log());
}

/// What `openssl s_client` gets, with the words of NUT sent before and behind the handshake.
fn openssl(site: &Site, more: &[&str], lines: &str) -> String {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = proxy.local_addr().unwrap().to_string();
    let port = site.port;
    let between = std::thread::spawn(move || {
        let (near, _) = proxy.accept().unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).unwrap();
        far.write_all(b"STARTTLS\n").unwrap();
        let mut answer = [0; 12];
        far.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"OK STARTTLS\n");
        let (mut up, mut down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let (mut near, mut far) = (near, far);
        let upwards = std::thread::spawn(move || drop(std::io::copy(&mut up, &mut down)));
        let _ = std::io::copy(&mut far, &mut near);
        let _ = near.shutdown(std::net::Shutdown::Both);
        upwards.join().unwrap();
    });
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &place])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    between.join().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn both_versions_of_tls_are_spoken_and_no_older_one() {
    if program("openssl").is_none() {
        return println!("no openssl here");
    }
    let site = site("versions", "STARTTLS always\n");
    let lines = format!("{STATUS}\nSTARTTLS\nLOGOUT\n");
    for version in ["-tls1_2", "-tls1_3"] {
        let said = openssl(&site, &[version], &lines);
        assert_eq!(said, format!("{ON_MAINS}\nERR ALREADY-SSL-MODE\nOK Goodbye\n"), "{version}");
    }
    assert_eq!(openssl(&site, &["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], &lines), "");
    // a long list goes through in pieces
    let many = format!("{}LOGOUT\n", "LIST VAR rack\n".repeat(200));
    let said = openssl(&site, &[], &many);
    assert_eq!(said.matches("END LIST VAR rack\n").count(), 200);
}

#[test]
fn a_client_certificate_is_asked_for_where_that_is_configured() {
    if program("openssl").is_none() {
        return println!("no openssl here");
    }
    let mut site =
        Site::new("client-certificate", CONF, "STARTTLS always\nCERTREQUEST REQUIRE\nCERTPATH client.pem\n");
    let run = Command::new("openssl")
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=client -days 30"
                .split(' '),
        )
        .args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "client.key",
            "-out",
            "client.pem",
        ])
        .current_dir(&site.folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    site.start();
    site.until_answer(STATUS, ON_MAINS);
    let lines = format!("{STATUS}\nLOGOUT\n");
    let (key, certificate) = (site.folder.join("client.key"), site.folder.join("client.pem"));
    let own = ["-cert", certificate.to_str().unwrap(), "-key", key.to_str().unwrap()];
    assert_eq!(openssl(&site, &own, &lines), format!("{ON_MAINS}\nOK Goodbye\n"));
    assert_eq!(openssl(&site, &[], &lines), "");
}

/// On loopback nothing is offered unless a certificate is named: upsc would say more on standard error.
#[test]
fn loopback_alone_offers_none_by_default() {
    let site = site("loopback", "");
    assert_eq!(site.ask("STARTTLS"), "ERR FEATURE-NOT-CONFIGURED");
    assert!(!site.state().join("qxups-server.pem").exists(), "none is made where none is needed");
}

#[test]
fn handshakes_that_stop_in_the_middle_cost_others_nothing() {
    let site = site("halves", "STARTTLS always\nCLIENT_INACTIVITY_DELAY 3\n");
    // the beginning of a ClientHello, and then nothing; rubbish; words in the clear behind STARTTLS
    let beginnings: [&[u8]; 3] = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], &[0xff; 200], b"LIST UPS\n"];
    let mut halves = vec![];
    for number in 0..60 {
        let mut client = site.connect();
        assert_eq!(client.ask("STARTTLS"), "OK STARTTLS");
        client.stream.write_all(beginnings[number % 3]).unwrap();
        halves.push(client);
    }
    let began = std::time::Instant::now();
    assert_eq!(site.ask(STATUS), ON_MAINS);
    assert!(began.elapsed() < Duration::from_secs(1));
    for (number, half) in halves.iter_mut().enumerate() {
        assert!(half.is_closed(Duration::from_secs(10)), "{number}");
    }
    assert_eq!(site.ask(STATUS), ON_MAINS);
}

/// Found by a review: a reload took TLS away from clients, or showed another certificate, and the log had no word of it.
#[test]
fn a_reload_takes_no_certificate_away_and_says_which_is_new() {
    let site = site("renewed", "STARTTLS always\n");
    let prints = || -> Vec<String> {
        site.log().lines().filter_map(|line| line.split("SHA-256: ").nth(1)).map(String::from).collect()
    };
    let reload = || site.upsd().args(["-c", "reload"]).output().unwrap();
    assert!(reload().status.success());
    assert_eq!(prints().len(), 1);
    let own = site.state().join("qxups-server.pem");
    for spoilt in ["", "rubbish"] {
        std::fs::write(&own, spoilt).unwrap();
        let output = reload();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("qxups-server.pem: ") && said.contains("delete this file"), "{said}");
        assert_eq!(site.ask("STARTTLS"), "OK STARTTLS");
    }
    std::fs::remove_file(&own).unwrap();
    assert!(reload().status.success());
    let prints = prints();
    assert!(prints.len() == 2 && prints[0] != prints[1], "{prints:?}");
}
