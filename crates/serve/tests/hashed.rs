//! Users whose passwords are hashes: Debian's clients log in and command, and what a check costs is the price of its own
//! address alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use serve::passwords;
use site::{Client, Site, connect_from, program};
use std::process::Stdio;
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = qxups-sim\n[gone]\ndriver = usbhid-ups\nport = auto\n";
/// Of "password", by the reference implementation (phc-winner-argon2, src/test.c): 64 MiB, two passes.
const COSTLY: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

fn users(hash: &str) -> String {
    format!(
        "[admin]\npassword = \"{hash}\"\nactions = SET FSD\ninstcmds = ALL\n[first]\npassword = \"{hash}\"\nupsmon primary\n\
         [plain]\npassword = one\nupsmon secondary\n"
    )
}

fn site(name: &str, hash: &str) -> Site {
    let mut site = Site::new(name, CONF, "");
    site.write("upsd.users", &users(hash));
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site
}

#[test]
fn upscmd_commands_and_upsmon_logs_in() {
    let site = site("hashed", &passwords::hash("secret").unwrap());
    if let Some(upscmd) = program("upscmd") {
        for (password, said) in
            [("wrong", "ACCESS-DENIED"), ("secret", "SUCCESS"), ("secre", "ACCESS-DENIED")]
        {
            let output =
                site.nut(&upscmd, &["-w", "-u", "admin", "-p", password, "rack@{}", "beeper.toggle"]);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(text.contains(said), "{password}: {text}");
        }
    }
    let Some(upsmon) = program("upsmon") else { return println!("no upsmon here") };
    let root = if nix::unistd::Uid::effective().is_root() { "RUN_AS_USER root\n" } else { "" };
    let place = format!("127.0.0.1:{}", site.port);
    site.write(
        "upsmon.conf",
        &format!(
            "{root}MONITOR rack@{place} 1 first secret primary\nMINSUPPLIES 1\nSHUTDOWNCMD true\nPOLLFREQ 1\n"
        ),
    );
    let mut upsmon = site::upsmon(&upsmon);
    site.environment(&mut upsmon);
    let mut upsmon = upsmon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    site.until("upsmon is logged in", || site.ask("GET NUMLOGINS rack") == "NUMLOGINS rack 1");
    upsmon.kill().unwrap();
    upsmon.wait().unwrap();
}

/// While a check is made others are served; once it is made its client does not wait again, also when it failed.
#[test]
fn a_check_delays_no_other_client_and_is_made_once_in_a_connection() {
    let site = site("costly", COSTLY);
    let (mut admin, mut other) = (site.connect().user("admin", "password"), site.connect());
    let began = Instant::now();
    admin.say("INSTCMD rack beeper.toggle");
    admin.stream.set_nonblocking(true).unwrap();
    let mut answers = 0;
    let mut byte = [0];
    while admin.stream.peek(&mut byte).is_err() {
        assert_eq!(other.ask("GET VAR rack ups.status"), "VAR rack ups.status \"OL\"");
        answers += 1;
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    let once = began.elapsed();
    assert!(answers > 20, "{answers} answers while the check was made, in {once:?}");
    admin.stream.set_nonblocking(false).unwrap();
    assert_eq!(admin.hear(), "OK");
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(admin.ask("INSTCMD rack beeper.toggle"), "OK");
    }
    assert!(began.elapsed() < once * 5, "{:?} for twenty, {once:?} for the first", began.elapsed());
}

#[test]
fn guesses_cost_their_own_address_alone() {
    let site = site("guesses", COSTLY);
    let mut guesses: Vec<Client> = (0..40).map(|_| connect_from("127.0.0.2", site.port)).collect();
    for (number, client) in guesses.iter_mut().enumerate() {
        client.say(&format!("USERNAME admin\nPASSWORD guess{number}\nINSTCMD rack load.off"));
        assert_eq!((client.hear(), client.hear()), ("OK".into(), "OK".into()));
    }
    let mut admin = site.connect().user("admin", "password");
    assert_eq!(admin.ask("INSTCMD rack beeper.toggle"), "OK");
    let mut plain = site.connect().user("plain", "one");
    assert_eq!(plain.ask("LOGIN rack"), "OK");
    // forty checks and their penalties would have taken minutes
    let mut byte = [0];
    let unanswered = guesses.iter().filter(|client| {
        client.stream.set_nonblocking(true).unwrap();
        client.stream.peek(&mut byte).is_err()
    });
    assert!(unanswered.count() > 30);
    drop(guesses);
    // clients that have left take no turns: with them it would be the fortieth
    let mut late = connect_from("127.0.0.2", site.port).user("admin", "password");
    assert_eq!(late.ask("INSTCMD rack beeper.toggle"), "OK");
}

/// After an outage of the network all machines of a site come at once, perhaps from behind one address.
#[test]
fn many_of_one_address_have_their_turns() {
    let site = site("many", &passwords::hash("secret").unwrap());
    let began = Instant::now();
    let mut clients: Vec<Client> = (0..40).map(|_| site.connect().user("first", "secret")).collect();
    clients.iter_mut().for_each(|client| client.say("LOGIN rack"));
    clients.iter_mut().for_each(|client| assert_eq!(client.hear(), "OK"));
    // not one a second
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(site.ask("GET NUMLOGINS rack"), "NUMLOGINS rack 40");
}

#[test]
fn another_hash_after_a_reload_counts_at_once() {
    let site = site("rehashed", &passwords::hash("secret").unwrap());
    let mut admin = site.connect().user("admin", "secret");
    assert_eq!(admin.ask("INSTCMD rack beeper.toggle"), "OK");
    site.write("upsd.users", &users(&passwords::hash("other").unwrap()));
    site.signal(nix::sys::signal::Signal::SIGHUP);
    site.until("the reload is done", || site.log().contains("reload: UPSes"));
    assert_eq!(admin.ask("INSTCMD rack beeper.toggle"), "ERR ACCESS-DENIED");
    let mut admin = site.connect().user("admin", "other");
    assert_eq!(admin.ask("INSTCMD rack beeper.toggle"), "OK");
}

#[test]
fn a_hash_that_cannot_be_checked_ends_the_start() {
    let site = Site::new("wronghash", CONF, "");
    for (hash, part) in [
        (COSTLY.replace("m=65536", "m=65537"), "costs too much"),
        (COSTLY.replace("v=19", "v=99"), "version"),
        (COSTLY.replace("t=2", "t=x"), "qxups passwd"),
    ] {
        site.write("upsd.users", &format!("[other]\npassword = x\n{}", users(&hash)));
        let output = site.upsd().arg("-F").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("upsd.users, line 4: [admin]: ") && said.contains(part), "{said}");
    }
}

/// Found by a review: beside wrong passwords from hundreds of addresses the right one waited for longer than upsmon does.
#[test]
fn an_address_that_did_not_fail_goes_first() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    const ADDRESSES: usize = 60;
    let site = site("crowd", &passwords::hash("secret").unwrap());
    let (ends, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let guessing: Vec<_> = (1..=ADDRESSES)
        .map(|number| {
            let (ends, failed, port) = (ends.clone(), failed.clone(), site.port);
            std::thread::spawn(move || {
                while !ends.load(Ordering::SeqCst) {
                    let mut client = connect_from(&format!("127.5.0.{number}"), port).user("first", "wrong");
                    if client.ask("LOGIN rack") == "ERR ACCESS-DENIED" {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    site.until("each has failed", || failed.load(Ordering::SeqCst) >= 2 * ADDRESSES);
    let before = failed.load(Ordering::SeqCst);
    let mut right = connect_from("127.6.0.1", site.port).user("first", "secret");
    assert_eq!(right.ask("LOGIN rack"), "OK");
    let meanwhile = failed.load(Ordering::SeqCst) - before;
    ends.store(true, Ordering::SeqCst);
    guessing.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(meanwhile < ADDRESSES / 4, "{meanwhile} others were checked first");
}

/// Found by a life of `tests/lives`: beside wrong passwords from ever new addresses, an address that had failed before was
/// not checked at all.
#[test]
fn an_address_that_failed_has_its_turn_beside_ever_new_ones() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    const CLIENTS: usize = 60;
    let site = site("new-addresses", &passwords::hash("secret").unwrap());
    let mut wrong = connect_from("127.6.0.1", site.port).user("first", "wrong");
    assert_eq!(wrong.ask("LOGIN rack"), "ERR ACCESS-DENIED");
    let (ends, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let guessing: Vec<_> = (1..=CLIENTS)
        .map(|number| {
            let (ends, failed, port) = (ends.clone(), failed.clone(), site.port);
            std::thread::spawn(move || {
                for attempt in 0..60_000 {
                    let address = format!("127.{}.{}.{}", 20 + attempt / 250, 1 + attempt % 250, number);
                    let mut client = connect_from(&address, port).user("first", "wrong");
                    if client.ask("LOGIN rack") == "ERR ACCESS-DENIED" {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                    if ends.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        })
        .collect();
    site.until("many have failed", || failed.load(Ordering::SeqCst) >= 2 * CLIENTS);
    let before = failed.load(Ordering::SeqCst);
    let mut right = connect_from("127.6.0.1", site.port).user("first", "secret");
    assert_eq!(right.ask("LOGIN rack"), "OK");
    let meanwhile = failed.load(Ordering::SeqCst) - before;
    ends.store(true, Ordering::SeqCst);
    guessing.into_iter().for_each(|thread| thread.join().unwrap());
    // those that wait, twice over, and what is checked while its address pays for its failure
    assert!(meanwhile < 8 * CLIENTS, "{meanwhile} others were checked first");
}
