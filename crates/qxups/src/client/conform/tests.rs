//! A small server of the test that is right, and then wrong in one place.

use super::super::access::Credentials;
use super::super::place::ServerAddress;
use super::check::{Check, CheckResult, Grade, Way};
use super::probe::Probe;
use super::{Row, all};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Each fault that is planted, and the checks that have to find it, and no others.
const PLANTED: &[(&str, &[&str])] = &[
    ("greets", &["silent until asked"]),
    ("short version", &["VER"]),
    ("odd version of the protocol", &["NETVER"]),
    ("no PROTVER", &["PROTVER"]),
    ("no HELP", &["HELP", "HELP is complete"]),
    ("little HELP", &["HELP is complete"]),
    ("no guests", &["guests may read"]),
    ("hangs up at STARTTLS", &["STARTTLS", "encryption"]),
    ("bare value", &["GET VAR", "names in any case", "requests in any case", "words in quotes"]),
    ("names with case", &["names in any case", "LIST VAR in any case"]),
    ("own spelling of names", &["names in any case", "LIST VAR in any case"]),
    ("requests with case", &["requests in any case"]),
    ("no quotes understood", &["words in quotes", "setting an unknown variable"]),
    ("words behind errors", &["unknown variable"]),
    ("unknown UPS is a variable", &["unknown UPS"]),
    ("unknown request is an argument", &["unknown request"]),
    ("own word for missing words", &["missing words"]),
    ("no descriptions", &["GET DESC of anything"]),
    ("commands without apostrophes", &["GET CMDDESC of anything"]),
    ("own types", &["GET TYPE"]),
    ("no number of logins", &["GET NUMLOGINS", "LOGIN is counted"]),
    ("no description of the UPS", &["GET UPSDESC"]),
    ("no tracking", &["GET TRACKING", "SET TRACKING"]),
    ("bare description", &["LIST UPS"]),
    ("END without the UPS", &["LIST VAR", "LIST VAR in any case"]),
    ("no LIST RW", &["LIST RW", "LIST ENUM and LIST RANGE"]),
    ("texts for commands", &["LIST CMD"]),
    ("no LIST CLIENT", &["LIST CLIENT"]),
    ("no LIST ENUM", &["LIST ENUM and LIST RANGE"]),
    ("an empty list of an unknown UPS", &["list of an unknown UPS"]),
    ("no data is an empty list", &["a UPS without data"]),
    ("no status", &["ups.status is there"]),
    ("a letter beyond ASCII", &["ASCII only"]),
    ("lines end with CR LF", &["lines end with a line feed alone"]),
    ("a quote that is not escaped", &["quotes are escaped"]),
    ("a backslash", &["texts without quotes and backslashes"]),
    ("a long list", &["short enough"]),
    ("silent LOGOUT", &["LOGOUT", "two requests in one segment"]),
    ("LOGOUT stays", &["LOGOUT", "two requests in one segment"]),
    (
        "a line of each segment",
        &["two requests in one segment", "many requests in one segment", "a blank line"],
    ),
    ("a segment is a line", &["a request in two segments"]),
    ("CR is a letter", &["lines that end with CR LF"]),
    ("blanks are words", &["blanks at the end of a line"]),
    ("a blank line hangs up", &["a blank line"]),
    ("four connections", &["several connections"]),
    ("one connection", &["several connections", "an idle connection"]),
    ("orders of guests", &["orders need a user"]),
    ("OK and more", &["USERNAME and PASSWORD"]),
    ("two users", &["USERNAME twice"]),
    ("any command", &["unknown command"]),
    ("any variable", &["setting an unknown variable"]),
    ("pending for ever", &["GET TRACKING of an unknown id"]),
    ("logins are not counted", &["LOGIN is counted"]),
    ("logins without end", &["LOGIN is counted"]),
];

struct Small {
    fault: &'static str,
    open: AtomicUsize,
    logins: AtomicUsize,
}

#[derive(Default)]
struct Client {
    user: bool,
    tracking: bool,
    watching: bool,
}

fn start(fault: &'static str) -> ServerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let small = Arc::new(Small { fault, open: AtomicUsize::new(0), logins: AtomicUsize::new(0) });
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let small = small.clone();
            let most = match fault {
                "four connections" => 4,
                "one connection" => 1,
                _ => usize::MAX,
            };
            // the client before may not have been seen to leave yet
            let mut patience = 20;
            while small.open.load(Ordering::SeqCst) >= most && patience > 0 {
                std::thread::sleep(Duration::from_millis(5));
                patience -= 1;
            }
            if small.open.fetch_add(1, Ordering::SeqCst) >= most {
                small.open.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            std::thread::spawn(move || {
                let mut client = Client::default();
                let _ = small.serve(stream, &mut client);
                if client.watching {
                    small.logins.fetch_sub(1, Ordering::SeqCst);
                }
                small.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    ServerAddress { host: "127.0.0.1".into(), port }
}

impl Small {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn serve(&self, mut stream: TcpStream, client: &mut Client) -> std::io::Result<()> {
        if self.has("greets") {
            stream.write_all(b"Welcome\n")?;
        }
        let (mut kept, mut room) = (vec![], [0; 4096]);
        loop {
            let count = stream.read(&mut room)?;
            if count == 0 {
                return Ok(());
            }
            kept.extend_from_slice(&room[..count]);
            if self.has("a segment is a line") && !kept.ends_with(b"\n") {
                kept.push(b'\n');
            }
            let mut lines = 0;
            while let Some(at) = kept.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = kept.drain(..=at).collect();
                lines += 1;
                if lines > 1 && self.has("a line of each segment") {
                    continue;
                }
                let Some(answer) = self.answer(&String::from_utf8_lossy(&line[..at]), client) else {
                    return Ok(());
                };
                let end = if self.has("lines end with CR LF") { "\r\n" } else { "\n" };
                let bytes: Vec<u8> = answer.replace('\n', end).chars().map(|letter| letter as u8).collect();
                stream.write_all(&bytes)?;
                if answer == "OK Goodbye\n" && !self.has("LOGOUT stays") {
                    return Ok(());
                }
            }
        }
    }

    /// What is answered to a line; `None` closes the connection.
    fn answer(&self, line: &str, client: &mut Client) -> Option<String> {
        if line.trim().is_empty() {
            return (!self.has("a blank line hangs up")).then(String::new);
        }
        if self.has("CR is a letter") && line.contains('\r') {
            return Some("ERR INVALID-ARGUMENT\n".into());
        }
        if self.has("blanks are words") && line.ends_with(' ') {
            return Some("ERR INVALID-ARGUMENT\n".into());
        }
        let line = line.trim_end_matches(['\r', ' ']);
        let words: Vec<String> = match self.has("no quotes understood") {
            true => line.split(' ').map(String::from).collect(),
            false => nut::words::words(line.as_bytes()).unwrap(),
        };
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let upper: Vec<String> = words.iter().take(2).map(|word| word.to_ascii_uppercase()).collect();
        if !self.has("requests with case") {
            words[0] = &upper[0];
            if words.len() > 2 {
                words[1] = if ["GET", "LIST", "SET"].contains(&words[0]) { &upper[1] } else { words[1] };
            }
        }
        if words[0] == "LOGOUT" && self.has("silent LOGOUT") {
            return None;
        }
        if words[0] == "STARTTLS" && self.has("hangs up at STARTTLS") {
            return None;
        }
        Some(self.reply(&words, client) + "\n")
    }

    fn reply(&self, words: &[&str], client: &mut Client) -> String {
        if self.has("no guests") && !client.user && matches!(words[0], "GET" | "LIST") {
            return "ERR ACCESS-DENIED".into();
        }
        let text = match (words[0], words.len()) {
            ("VER", _) if self.has("short version") => "upsd 2.8.0",
            ("VER", _) => "Network UPS Tools upsd 2.8.0 - http://localhost/",
            ("PROTVER", _) if self.has("no PROTVER") => "ERR UNKNOWN-COMMAND",
            ("NETVER", _) if self.has("odd version of the protocol") => "2.0",
            ("NETVER" | "PROTVER", _) => "1.3",
            ("HELP", _) if self.has("no HELP") => "ERR UNKNOWN-COMMAND",
            ("HELP", _) if self.has("little HELP") => "Commands: HELP VER",
            ("HELP", _) => "Commands: HELP VER PROTVER GET LIST SET PRIMARY FSD",
            ("STARTTLS", _) => "ERR FEATURE-NOT-CONFIGURED",
            ("LOGOUT", _) => "OK Goodbye",
            ("USERNAME", _) if client.user && !self.has("two users") => "ERR ALREADY-SET-USERNAME",
            ("USERNAME", _) => {
                client.user = true;
                if self.has("OK and more") { "OK welcome" } else { "OK" }
            }
            ("PASSWORD", _) => "OK",
            ("GET", 3..) => return self.get(words, client),
            ("LIST", 2..) => return self.list(words),
            ("GET", 2) if words[1] == "TRACKING" => match (self.has("no tracking"), client.tracking) {
                (true, _) => "ERR INVALID-ARGUMENT",
                (false, true) => "ON",
                (false, false) => "OFF",
            },
            ("GET" | "LIST", _) if self.has("own word for missing words") => "ERR MISSING-ARGUMENT",
            ("GET" | "LIST", _) => "ERR INVALID-ARGUMENT",
            ("INSTCMD", _) if !client.user && !self.has("orders of guests") => "ERR USERNAME-REQUIRED",
            ("INSTCMD" | "LOGIN", _) | ("SET", 5) if self.has("no user may do anything") => {
                "ERR ACCESS-DENIED"
            }
            ("INSTCMD", _) | ("SET", 5) if self.has("the user only watches") => "ERR ACCESS-DENIED",
            ("INSTCMD", _) if self.has("any command") => "OK",
            ("INSTCMD", _) => "ERR CMD-NOT-SUPPORTED",
            ("SET", 3) if words[1] == "TRACKING" && !self.has("no tracking") => {
                client.tracking = true;
                "OK"
            }
            ("SET", 5) if self.has("any variable") => "OK",
            // a word in quotes that it does not understand may not get so far
            ("SET", 5) if words[4] == "1" => "ERR VAR-NOT-SUPPORTED",
            ("SET", _) => "ERR INVALID-ARGUMENT",
            ("LOGIN", _) if client.watching && !self.has("logins without end") => "ERR ALREADY-LOGGED-IN",
            ("LOGIN", _) => {
                client.watching = true;
                self.logins.fetch_add(usize::from(!self.has("logins are not counted")), Ordering::SeqCst);
                "OK"
            }
            _ if self.has("unknown request is an argument") => "ERR INVALID-ARGUMENT",
            _ => "ERR UNKNOWN-COMMAND",
        };
        text.into()
    }

    /// The UPS as it is repeated, or what is wrong with it.
    fn known<'a>(&self, ups: &'a str) -> Result<&'a str, &'static str> {
        if !ups.eq_ignore_ascii_case("u") && !ups.eq_ignore_ascii_case("gone") {
            return Err("ERR UNKNOWN-UPS");
        }
        let lower = ups.chars().all(|letter| letter.is_ascii_lowercase());
        match lower {
            false if self.has("names with case") => Err("ERR UNKNOWN-UPS"),
            false if self.has("own spelling of names") => Ok("u"),
            _ => Ok(ups),
        }
    }

    fn get(&self, words: &[&str], client: &Client) -> String {
        let (what, name) = (words[1], words.get(3).copied());
        if what == "TRACKING" {
            let text =
                if self.has("pending for ever") || !client.tracking { "PENDING" } else { "ERR UNKNOWN" };
            return text.into();
        }
        let ups = match self.known(words[2]) {
            Ok(ups) => ups,
            Err(_) if self.has("unknown UPS is a variable") => return "ERR VAR-NOT-SUPPORTED".into(),
            Err(text) => return text.into(),
        };
        match (what, name) {
            ("VAR", Some("ups.status")) if self.has("bare value") => format!("VAR {ups} ups.status OL"),
            ("VAR", Some("ups.status")) => format!("VAR {ups} ups.status \"OL\""),
            ("VAR", Some(_)) if self.has("words behind errors") => "ERR VAR-NOT-SUPPORTED no such".into(),
            ("VAR", Some(_)) => "ERR VAR-NOT-SUPPORTED".into(),
            ("DESC", Some(_)) if self.has("no descriptions") => "ERR VAR-NOT-SUPPORTED".into(),
            ("DESC", Some(name)) => format!("DESC {ups} {name} \"Description unavailable\""),
            ("CMDDESC", Some(name)) if self.has("commands without apostrophes") => {
                format!("CMDDESC {ups} {} \"Description unavailable\"", name.replace('\'', ""))
            }
            ("CMDDESC", Some(name)) => format!("CMDDESC {ups} {name} \"Description unavailable\""),
            ("TYPE", Some(name)) if self.has("own types") => format!("TYPE {ups} {name} FLOAT"),
            ("TYPE", Some(name)) => format!("TYPE {ups} {name} STRING:32"),
            ("NUMLOGINS", None) if self.has("no number of logins") => format!("NUMLOGINS {ups}"),
            ("NUMLOGINS", None) => format!("NUMLOGINS {ups} {}", self.logins.load(Ordering::SeqCst)),
            ("UPSDESC", None) if self.has("no description of the UPS") => format!("UPSDESC {ups}"),
            ("UPSDESC", None) => format!("UPSDESC {ups} \"A UPS\""),
            _ => "ERR INVALID-ARGUMENT".into(),
        }
    }

    fn list(&self, words: &[&str]) -> String {
        let frame = |request: String, items: Vec<String>| {
            let items: String = items.into_iter().map(|item| item + "\n").collect();
            format!("BEGIN LIST {request}\n{items}END LIST {request}")
        };
        if words == ["LIST", "UPS"] {
            let text = if self.has("bare description") { "A" } else { "\"A UPS\"" };
            return frame("UPS".into(), vec![format!("UPS u {text}"), "UPS gone \"Out\"".into()]);
        }
        let [_, what, asked, ..] = words else { return "ERR INVALID-ARGUMENT".into() };
        let ups = match self.known(asked) {
            Ok(ups) => ups,
            Err(_) if self.has("an empty list of an unknown UPS") && *asked != "U" => {
                return frame(format!("{what} {asked}"), vec![]);
            }
            Err(text) => return text.into(),
        };
        if ups == "gone" && !self.has("no data is an empty list") {
            return "ERR DRIVER-NOT-CONNECTED".into();
        }
        let request = format!("{what} {ups}");
        let value = format!("VAR {ups} device.model");
        match *what {
            "VAR" if ups == "gone" => frame(request, vec![]),
            "VAR" => {
                let mut items = vec![match self.fault {
                    "a letter beyond ASCII" => format!("{value} \"caf\u{e9}\""),
                    "a quote that is not escaped" => format!("{value} \"1\"5\""),
                    "a backslash" => format!("{value} \"1\\\\5\""),
                    "a long list" => format!("{value} \"{}\"", "x".repeat(65_536)),
                    _ => format!("{value} \"T 1500\""),
                }];
                if !self.has("no status") {
                    items.push(format!("VAR {ups} ups.status \"OL\""));
                }
                let list = frame(request.clone(), items);
                if self.has("END without the UPS") {
                    list.replace(&format!("END LIST {request}"), "END LIST VAR")
                } else {
                    list
                }
            }
            "RW" if self.has("no LIST RW") => "ERR INVALID-ARGUMENT".into(),
            "RW" => frame(request.clone(), vec![format!("{request} ups.delay \"20\"")]),
            "CMD" if self.has("texts for commands") => {
                frame(request.clone(), vec![format!("{request} \"beeper on\"")])
            }
            "CMD" => frame(request.clone(), vec![format!("{request} load.off")]),
            "CLIENT" if self.has("no LIST CLIENT") => "ERR INVALID-ARGUMENT".into(),
            "CLIENT" => frame(request, vec![]),
            "ENUM" if self.has("no LIST ENUM") => "ERR INVALID-ARGUMENT".into(),
            // without LIST RW the variable is one that has no list
            "ENUM" | "RANGE" if words[3] == "ups.status" => "ERR VAR-NOT-SUPPORTED".into(),
            "ENUM" => {
                frame(format!("{request} {}", words[3]), vec![format!("{request} {} \"20\"", words[3])])
            }
            "RANGE" => {
                frame(format!("{request} {}", words[3]), vec![format!("{request} {} \"1\" \"30\"", words[3])])
            }
            _ => "ERR INVALID-ARGUMENT".into(),
        }
    }
}

fn rows(fault: &'static str) -> Vec<Row> {
    let user = Credentials { user: "a".into(), password: "b c".into() };
    let probe = Probe::begin(&start(fault), Duration::from_millis(700), None, Some(user)).unwrap();
    all().map(|check| Row { check, verdict: check.run(&probe) }).collect()
}

fn found(fault: &'static str) -> BTreeSet<&'static str> {
    rows(fault).iter().filter(|row| row.departs()).map(|row| row.check.name).collect()
}

#[test]
fn a_server_that_is_right_is_clean() {
    let rows = rows("none");
    let wrong: Vec<String> = rows.iter().map(|row| row.text(false)).filter(|text| !text.is_empty()).collect();
    assert_eq!(wrong, [""; 0]);
    let not_tried: Vec<&str> = rows
        .iter()
        .filter(|row| matches!(row.verdict, CheckResult::NotTried(_)))
        .map(|row| row.check.name)
        .collect();
    assert_eq!(not_tried, ["encryption"]);
}

#[test]
fn every_planted_fault_is_found_and_nothing_else() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            PLANTED.iter().map(|(fault, checks)| (fault, checks, scope.spawn(|| found(fault)))).collect();
        runs.into_iter()
            .map(|(fault, checks, run)| {
                (fault, checks.iter().copied().collect::<BTreeSet<_>>(), run.join().unwrap())
            })
            .filter(|(_, wanted, found)| wanted != found)
            .map(|(fault, wanted, found)| format!("{fault}: {wanted:?} wanted, {found:?} found"))
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A wrong password is answered with OK, as by upsd: only orders are refused.
#[test]
fn a_user_who_may_do_nothing_is_no_success() {
    for (fault, is_refused) in
        [("no user may do anything", true), ("the user only watches", false), ("none", false)]
    {
        let user = Credentials { user: "demo".into(), password: "demo".into() };
        let probe = Probe::begin(&start(fault), Duration::from_millis(700), None, Some(user)).unwrap();
        assert_eq!(super::user::is_refused(&probe), is_refused, "{fault}");
    }
    let guest = Probe::begin(&start("none"), Duration::from_millis(700), None, None).unwrap();
    assert!(!super::user::is_refused(&guest));
}

#[test]
fn every_check_has_a_fault_that_it_finds() {
    let planted: BTreeSet<&str> = PLANTED.iter().flat_map(|(_, checks)| checks.iter().copied()).collect();
    let missing: Vec<&str> = all().map(|check| check.name).filter(|name| !planted.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn names_are_said_once_and_every_check_says_whom_it_is_for() {
    let mut names = BTreeSet::new();
    for Check { name, expected, source, breaks, grade, way, .. } in all() {
        assert!(names.insert(*name), "{name}");
        assert!(!expected.is_empty() && !source.is_empty() && !breaks.is_empty(), "{name}");
        assert!(*grade == Grade::Note || !breaks.contains("no client"), "{name}: a fault has a client");
        if let Way::Ask(sent, _) = way {
            assert!(sent.is_ascii() && !sent.contains('\n'), "{name}");
        }
    }
}

#[test]
fn without_a_user_nothing_but_questions_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = ServerAddress { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port() };
    let small = Arc::new(Small { fault: "none", open: AtomicUsize::new(0), logins: AtomicUsize::new(0) });
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = seen.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (small, heard) = (small.clone(), heard.clone());
            std::thread::spawn(move || {
                let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while std::io::BufRead::read_line(&mut reader, &mut line).unwrap_or(0) > 0 {
                    heard.lock().unwrap().push(line.trim().to_string());
                    let answer = small.answer(line.trim_end_matches('\n'), &mut Client::default());
                    if stream.write_all(answer.unwrap().as_bytes()).is_err() || line == "LOGOUT\n" {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    let probe = Probe::begin(&server, Duration::from_millis(700), None, None).unwrap();
    all().for_each(|check| drop(check.run(&probe)));
    let seen = seen.lock().unwrap();
    let orders: Vec<&String> = seen
        .iter()
        .filter(|line| {
            ["SET", "INSTCMD", "FSD", "LOGIN", "USERNAME", "PRIMARY", "MASTER"]
                .contains(&line.split(' ').next().unwrap())
        })
        .collect();
    assert!(seen.len() > 60 && orders.is_empty(), "{orders:?}");
}
