//! Logins, commands and settings on the pages of a running server: by users of upsd.users, by the first account, before drivers
//! that do it, refuse it or say nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use history::HistoryReader;
use nix::sys::signal::Signal;
use serve::passwords;
use site::{FakeDriver, Site, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = qxups-sim\n[odd]\ndriver = fake\nport = auto\n[gone]\ndriver = usbhid-ups\nport = auto\n";
const DUMP: &str = "SETINFO ups.status \"OL\"\nSETINFO input.sensitivity \"low\"\nSETFLAGS input.sensitivity RW STRING\n\
                    SETAUX input.sensitivity 10\nADDENUM input.sensitivity \"high\"\nADDENUM input.sensitivity \"low\"\n\
                    SETINFO input.transfer.low \"170\"\nSETFLAGS input.transfer.low RW\nADDRANGE input.transfer.low 160 180\n\
                    SETINFO ups.id \"<script>\"\nSETFLAGS ups.id RW STRING\nSETAUX ups.id 8\n\
                    ADDCMD load.off\nADDCMD load.off.delay\nADDCMD beeper.mute\nDATAOK\nDUMPDONE\n";

fn users() -> String {
    let hash = passwords::hash("hashed secret").unwrap();
    format!(
        "[admin]\npassword = secret\nactions = SET FSD\ninstcmds = ALL\n\
         [hashed]\npassword = \"{hash}\"\ninstcmds = beeper.mute@odd\n\
         [reader]\npassword = one\nupsmon secondary\n\
         [far]\npassword = secret\ninstcmds = ALL\nallowfrom = 192.0.2.0/24\n"
    )
}

struct Pages {
    site: Site,
    odd: FakeDriver,
    port: u16,
}

impl Pages {
    fn start(name: &str, users: &str, more: &str) -> Pages {
        let port = free_port();
        let mut site = Site::new(&format!("login-{name}"), CONF, "");
        site.write("upsd.users", users);
        site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n{more}"));
        let odd = FakeDriver::start(&site, "fake-odd", DUMP);
        site.start();
        site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
        site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OL\"");
        Pages { site, odd, port }
    }

    fn browser(&self) -> Browser {
        Browser { port: self.port, from: "127.0.0.1".into(), cookies: vec![] }
    }

    fn reload(&self) {
        let before = self.site.log().matches("reload: UPSes").count();
        self.site.signal(Signal::SIGHUP);
        self.site.until("it is reloaded", || self.site.log().matches("reload: UPSes").count() > before);
    }

    fn code(&self) -> String {
        let log = self.site.log();
        let (_, rest) = log.rsplit_once("give this code: ").unwrap_or_else(|| panic!("{log}"));
        rest.lines().next().unwrap().trim().into()
    }
}

struct Browser {
    port: u16,
    from: String,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn send(&mut self, head: &str, body: &str) -> String {
        let mut stream = site::connect_from(&self.from, self.port).stream;
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        write!(
            stream,
            "{head}\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\nContent-Length: {}\r\n\r\n{body}",
            cookies.join("; "),
            body.len()
        )
        .unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        for line in all.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, rest) = line.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.into(), rest.split(';').next().unwrap().into()));
            }
        }
        all
    }

    fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1"), "")
    }

    fn post(&mut self, path: &str, body: &str) -> String {
        let signs = "Origin: http://localhost\r\nContent-Type: application/x-www-form-urlencoded";
        self.send(&format!("POST {path} HTTP/1.1\r\n{signs}"), body)
    }

    fn log_in(&mut self, name: &str, password: &str) -> u16 {
        let token = field(&self.get("/login"), "token");
        status(&self.post("/login", &format!("token={token}&name={name}&password={password}")))
    }

    fn create(&mut self, code: &str, name: &str, password: &str) -> String {
        let token = field(&self.get("/login"), "token");
        self.post("/account", &format!("token={token}&code={code}&name={name}&password={password}"))
    }

    fn is_in(&mut self) -> bool {
        self.get("/ups/odd").contains("Logged in as")
    }

    /// Asks for an order, and answers yes: the page of what came of it.
    fn order(&mut self, ups: &str, query: &str) -> String {
        let question = self.get(&format!("/ups/{ups}/order?{query}"));
        if status(&question) != 200 {
            return question;
        }
        let form = format!("token={}&mark={}", field(&question, "token"), field(&question, "mark"));
        let to = self.post(&format!("/ups/{ups}/order"), &form);
        let to =
            to.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_else(|| panic!("{to}"));
        self.get(&format!("/ups/{ups}/{to}"))
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

fn field(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().into()
}

fn title(page: &str) -> &str {
    page.split_once("<h1>").unwrap_or_else(|| panic!("{page}")).1.split_once("</h1>").unwrap().0
}

#[test]
fn orders_go_out_and_what_came_of_them_is_said() {
    let pages = Pages::start("orders", &users(), "[history]\nenabled = true\n");
    let mut browser = pages.browser();
    assert_eq!(browser.log_in("admin", "secret"), 303);
    let page = browser.get("/ups/odd");
    for part in [
        "load.<wbr>off",
        "value=\"high\"",
        "min=\"160\" max=\"180\"",
        "value=\"&lt;script&gt;\" maxlength=\"8\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    // the simulated UPS does it: another client sees it, by NUT's protocol
    assert_eq!(pages.site.ask("GET VAR rack ups.beeper.status"), "VAR rack ups.beeper.status \"enabled\"");
    assert_eq!(title(&browser.order("rack", "command=beeper.toggle")), "Done");
    pages.site.until_answer("GET VAR rack ups.beeper.status", "VAR rack ups.beeper.status \"disabled\"");
    assert_eq!(title(&browser.order("rack", "setting=ups.delay.start&value=300")), "Done");
    assert_eq!(pages.site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"300\"");
    // what the driver says comes through
    assert_eq!(title(&browser.order("odd", "setting=input.sensitivity&value=high")), "Done");
    pages.odd.answer_orders(Some(3));
    assert_eq!(title(&browser.order("odd", "command=beeper.mute")), "Not done, or not confirmed");
    pages.odd.answer_orders(None);
    assert_eq!(title(&browser.order("odd", "command=load.off")), "Sent; the outcome is not known yet");
    let orders = pages.odd.orders();
    let of = |part: &str| orders.iter().filter(|order| order.starts_with(part)).count();
    assert_eq!(
        (
            of("SET \"input.sensitivity\" \"high\" TRACKING"),
            of("INSTCMD \"beeper.mute\" TRACKING"),
            of("INSTCMD \"load.off\" TRACKING")
        ),
        (1, 1, 1),
        "{orders:?}"
    );
    // what it does not take is not sent
    for (query, expected) in [
        ("setting=input.sensitivity&value=medium", 409),
        ("setting=input.transfer.low&value=181", 409),
        ("setting=input.transfer.low&value=1.7e2", 409),
        ("setting=input.transfer.low&value=%2B170", 409),
        ("setting=input.transfer.low&value=+170", 409),
        ("command=load.off.delay&value=6e1", 409),
        ("setting=ups.id&value=123456789", 409),
        ("setting=ups.status&value=OB", 403),
        ("setting=nothing&value=1", 404),
        ("command=load.on", 404),
        (&format!("command=load.off&value={}", "1".repeat(251)), 400),
    ] {
        assert_eq!(status(&browser.order("odd", query)), expected, "{query}");
    }
    assert_eq!(status(&browser.order("gone", "command=load.off")), 409);
    pages.odd.say("DATASTALE\n");
    pages.site.until("it is stale", || browser.get("/ups/odd").contains("No fresh data"));
    assert!(browser.get("/ups/odd").contains("Nothing can be commanded"));
    assert_eq!(status(&browser.order("odd", "command=load.off")), 409);
    assert_eq!(pages.odd.orders().len(), 3);
    let log = pages.site.log();
    for line in [
        "admin logged in to the page from 127.0.0.1",
        "admin@127.0.0.1 asks UPS rack for beeper.toggle on the page",
        "rack: beeper.toggle: done",
        "odd: beeper.mute: failed",
    ] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert!(!log.contains("secret") && !log.contains("odd: load.off: done"), "{log}");
}

#[test]
fn programs_give_orders_by_the_api() {
    let pages = Pages::start("api", &users(), "");
    let mut program = pages.browser();
    // hashed:hashed secret, admin:secret, admin:guess
    let (hashed, admin, guess) = ("aGFzaGVkOmhhc2hlZCBzZWNyZXQ=", "YWRtaW46c2VjcmV0", "YWRtaW46Z3Vlc3M=");
    let mut ask = |head: &str, who: &str, body: &str| {
        let signs = "Content-Type: application/x-www-form-urlencoded";
        program.send(&format!("{head} HTTP/1.1\r\n{signs}\r\nAuthorization: Basic {who}"), body)
    };
    let mute = "POST /api/v1/ups/odd/commands/beeper.mute";
    for (head, who, body, expected) in [
        (mute, guess, "", 401),
        ("POST /api/v1/ups/odd/commands/load.off", hashed, "", 403),
        ("PUT /api/v1/ups/odd/settings/ups.id", hashed, "value=x", 403),
        // it goes off at once, whatever the value says
        ("POST /api/v1/ups/rack/commands/load.off", admin, "value=600", 409),
        ("PUT /api/v1/ups/odd/settings/ups.status", admin, "value=OB", 403),
        ("PUT /api/v1/ups/odd/settings/input.transfer.low", admin, "value=181", 409),
        ("PUT /api/v1/ups/odd/settings/input.transfer.low", admin, "value=17e1", 409),
        ("PUT /api/v1/ups/odd/settings/input.transfer.low", admin, "value=%2B170", 409),
        ("PUT /api/v1/ups/odd/settings/input.transfer.low", admin, "value=%20170", 409),
        ("POST /api/v1/ups/odd/commands/load.off.delay", admin, "value=6e1", 409),
        ("POST /api/v1/ups/gone/commands/load.off", admin, "", 409),
        ("POST /api/v1/ups/odd/commands/load.on", admin, "", 404),
    ] {
        let answer = ask(head, who, body);
        assert!(status(&answer) == expected && answer.contains("{\"error\":"), "{head}: {answer}");
    }
    assert!(pages.odd.orders().is_empty());
    let answer = ask(mute, hashed, "");
    assert!(status(&answer) == 200 && answer.contains("\"outcome\":\"done\""), "{answer}");
    assert_eq!(status(&ask("PUT /api/v1/ups/rack/settings/ups.delay.start", admin, "value=240")), 200);
    assert_eq!(pages.site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
    pages.odd.answer_orders(Some(3));
    let answer = ask(mute, hashed, "");
    assert!(status(&answer) == 409 && answer.contains("\"outcome\":\"failed\""), "{answer}");
    pages.odd.answer_orders(None);
    assert_eq!(status(&ask(mute, hashed, "")), 202);
    assert_eq!(pages.odd.orders().len(), 3);
    assert!(!pages.site.log().contains("secret"));
}

#[test]
fn each_user_has_the_rights_of_the_file() {
    let pages = Pages::start("rights", &users(), "");
    let mut browser = pages.browser();
    for (name, password) in [
        ("admin", "Secret"),
        ("admin", ""),
        ("hashed", "secret"),
        ("Admin", "secret"),
        ("far", "secret"),
        ("%3Cscript%3E", "x"),
        ("", ""),
    ] {
        assert_eq!(browser.log_in(name, password), 403, "{name}");
        assert!(!browser.is_in());
    }
    assert_eq!(browser.log_in("hashed", "hashed+secret"), 303);
    let page = browser.get("/ups/odd");
    assert!(
        page.contains("beeper.<wbr>mute")
            && !page.contains("load.<wbr>off</strong>")
            && !page.contains("name=\"setting\""),
        "{page}"
    );
    assert_eq!(title(&browser.order("odd", "command=beeper.mute")), "Done");
    for (ups, query) in
        [("odd", "command=load.off"), ("rack", "command=beeper.mute"), ("odd", "setting=ups.id&value=x")]
    {
        assert_eq!(status(&browser.order(ups, query)), 403, "{ups} {query}");
    }
    assert_eq!(pages.odd.orders().len(), 1);
    // who may only read logs in, and may do nothing
    let mut reader = pages.browser();
    assert_eq!(reader.log_in("reader", "one"), 303);
    assert!(reader.get("/ups/odd").contains("no command and no setting"));
    let log = pages.site.log();
    assert!(log.contains("may not log in to the page") && !log.contains("hashed secret"), "{log}");
    // guesses cost their own address alone, and clients of NUT nothing
    let mut guesser = pages.browser();
    guesser.from = "127.0.0.9".into();
    for _ in 0..4 {
        guesser.log_in("admin", "guess");
    }
    let began = Instant::now();
    assert_eq!(guesser.log_in("admin", "guess"), 403);
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    let began = Instant::now();
    let mut client = site::connect_from("127.0.0.9", pages.site.port).user("reader", "one");
    assert_eq!(client.ask("LOGIN odd"), "OK");
    assert!(began.elapsed() < Duration::from_millis(1000), "{:?}", began.elapsed());
}

/// Eight programs guess the password of one user, as fast as they are let; users of the same address log in all the same.
#[test]
fn guesses_from_an_address_lock_none_of_its_users_out() {
    const GUESSERS: u32 = 8;
    let pages = Pages::start("guesses", &users(), "");
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let guessers: Vec<_> = (0..GUESSERS)
            .map(|_| {
                let mut guesser = pages.browser();
                let ends = &ends;
                scope.spawn(move || {
                    let mut guesses = 0;
                    while !ends.load(Ordering::Relaxed) {
                        assert_eq!(guesser.log_in("hashed", "guess"), 403);
                        guesses += 1;
                    }
                    guesses
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(2));
        // by another name behind one check, by the same behind those that wait
        for (name, password, within) in [("admin", "secret", 5), ("hashed", "hashed+secret", 15)] {
            let began = Instant::now();
            assert_eq!(pages.browser().log_in(name, password), 303, "{name}");
            let waited = began.elapsed();
            println!("{name} waited for {waited:?}");
            assert!(waited < Duration::from_secs(within), "{name}: {waited:?}");
        }
        ends.store(true, Ordering::Relaxed);
        let guesses: u32 = guessers.into_iter().map(|guesser| guesser.join().unwrap()).sum();
        // no program has more than two guesses a second, however many it makes at once
        assert!(guesses < 60, "{guesses}");
    });
}

#[test]
fn a_reload_ends_the_sessions_of_users_that_are_gone_or_have_another_password() {
    let pages = Pages::start("reload", &users(), "");
    let (mut admin, mut second, mut hashed) = (pages.browser(), pages.browser(), pages.browser());
    assert_eq!(admin.log_in("admin", "secret"), 303);
    assert_eq!(second.log_in("admin", "secret"), 303);
    assert_eq!(hashed.log_in("hashed", "hashed+secret"), 303);
    assert_ne!(admin.cookies, second.cookies);
    let question = admin.get("/ups/odd/order?command=load.off");
    let form = format!("token={}&mark={}", field(&question, "token"), field(&question, "mark"));
    pages
        .site
        .write("upsd.users", &users().replace("[hashed]\npassword = \"", "[hashed]\npassword = x\n# \""));
    pages.reload();
    assert!(admin.is_in() && second.is_in() && !hashed.is_in());
    pages.site.write("upsd.users", "[other]\npassword = x\ninstcmds = ALL\n");
    pages.reload();
    assert!(!admin.is_in() && !second.is_in());
    assert_eq!(status(&admin.post("/ups/odd/order", &form)), 403);
    // the same user again is not the same session
    pages.site.write("upsd.users", &users());
    pages.reload();
    assert!(!admin.is_in());
    assert_eq!(status(&admin.post("/ups/odd/order", &form)), 403);
    assert!(pages.odd.orders().is_empty());
    // and one that loses its right keeps its session, but not the right
    assert_eq!(admin.log_in("admin", "secret"), 303);
    let question = admin.get("/ups/odd/order?command=load.off");
    let form = format!("token={}&mark={}", field(&question, "token"), field(&question, "mark"));
    pages.site.write("upsd.users", &users().replace("instcmds = ALL", "instcmds = beeper.mute"));
    pages.reload();
    let answer = admin.post("/ups/odd/order", &form);
    let to = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    assert_eq!(title(&admin.get(&format!("/ups/odd/{to}"))), "Not sent");
    assert!(pages.odd.orders().is_empty());
}

#[test]
fn where_it_is_said_pages_can_only_be_read() {
    let pages = Pages::start("read-only", &users(), "read_only = true\n");
    let mut browser = pages.browser();
    assert_eq!(status(&browser.get("/login")), 404);
    assert!(!browser.get("/").contains("Log in") && !browser.get("/ups/odd").contains("Log in"));
    assert_eq!(status(&browser.post("/login", "name=admin&password=secret")), 405);
    assert!(!pages.site.log().contains("give this code"));
    let toml = format!("[web]\nlisten = ['127.0.0.1:{}']\n", pages.port);
    pages.site.write("qxups.toml", &toml);
    pages.reload();
    assert_eq!(browser.log_in("admin", "secret"), 303);
    assert!(browser.is_in());
    pages.site.write("qxups.toml", &format!("{toml}read_only = true\n"));
    pages.reload();
    assert!(!browser.is_in());
}

const NO_USER: &str = "[reader]\npassword = one\nupsmon secondary\n";

#[test]
fn the_first_account_is_created_by_the_code_of_the_log_once() {
    let mut pages = Pages::start("first", NO_USER, "");
    pages.site.until("the code stands in the log", || pages.site.log().contains("give this code: "));
    let code = pages.code();
    let mut browser = pages.browser();
    assert!(browser.get("/login").contains("Create the account"));
    for (code, name, password, expected, part) in [
        ("wrong", "me", "long+enough", 403, "The code is wrong"),
        (code.as_str(), "me", "short", 400, "8 characters"),
        (&code, "%3Cscript%3E", "long+enough", 400, "name cannot be used"),
        (&code, "reader", "long+enough", 409, "upsd.users has a user of this name"),
    ] {
        let answer = browser.create(code, name, password);
        assert!(status(&answer) == expected && answer.contains(part), "{answer}");
        assert!(!answer.contains("long enough") && !answer.contains("<script>"), "{answer}");
    }
    let file = pages.site.state().join("page.users");
    assert!(!file.exists());
    assert_eq!(status(&browser.create(&code.to_uppercase().replace('-', ""), "me", "long+enough")), 303);
    assert!(browser.is_in());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("long enough"));
    assert_eq!(title(&browser.order("odd", "command=beeper.mute")), "Done");
    // once
    let mut other = pages.browser();
    let page = other.get("/login");
    assert!(!page.contains("Create the account"), "{page}");
    let token = field(&page, "token");
    let again = other.post("/account", &format!("token={token}&code={code}&name=you&password=long+enough"));
    assert_eq!(status(&again), 409);
    // it lasts, and is for the page alone
    pages.site.kill();
    let before = pages.site.log().len();
    pages.site.start();
    pages.site.until("pages are there", || TcpStream::connect(("127.0.0.1", pages.port)).is_ok());
    pages.site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OL\"");
    assert!(!pages.site.log()[before..].contains("give this code"));
    assert!(!browser.is_in());
    assert_eq!(browser.log_in("me", "long+enough"), 303);
    let mut client = pages.site.connect().user("me", "\"long enough\"");
    assert_eq!(client.ask("INSTCMD odd beeper.mute"), "ERR ACCESS-DENIED");
    // without its file there is no such account, and another code
    std::fs::remove_file(&file).unwrap();
    pages.reload();
    assert!(!browser.is_in());
    pages.site.until("another code", || pages.site.log().matches("give this code").count() == 2);
    assert_ne!(pages.code(), code);
    assert_eq!(status(&browser.create(&code, "me", "long+enough")), 403);
    // a user that may do something ends it
    pages.site.write("upsd.users", &users());
    pages.reload();
    assert_eq!(status(&browser.create(&pages.code(), "me", "long+enough")), 409);
    let log = pages.site.log();
    assert!(log.contains("the first account of the page, me, was created from 127.0.0.1"), "{log}");
    assert!(!log.contains("long enough") && !log.contains("long+enough"), "{log}");
}

/// A file that is not whole is none of ours: it is said, and lets no one create another account.
#[test]
fn a_damaged_account_lets_no_one_in() {
    let mut pages = Pages::start("damaged", NO_USER, "read_only = true\n");
    let file = pages.site.state().join("page.users");
    std::fs::write(&file, "[me]\npassword = plain\ninstcmds = ALL\n").unwrap();
    pages.site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{}']\n", pages.port));
    pages.site.kill();
    pages.site.start();
    pages.site.until("pages are there", || TcpStream::connect(("127.0.0.1", pages.port)).is_ok());
    let mut browser = pages.browser();
    assert!(!browser.get("/login").contains("Create the account"));
    assert_eq!(browser.log_in("me", "plain"), 403);
    assert!(pages.site.log().contains("is not as this server wrote it; remove the file and reload"));
}

/// The folder of what lasts is full, or cannot be written: it is said, nothing stays, and it works when there is room.
#[test]
fn an_account_that_cannot_be_written_is_none() {
    let pages = Pages::start("full", NO_USER, "");
    pages.site.until("the code stands in the log", || pages.site.log().contains("give this code: "));
    let draft = pages.site.state().join("page.new");
    // what stands in the way for root as well
    std::fs::create_dir_all(draft.join("x")).unwrap();
    let mut browser = pages.browser();
    let answer = browser.create(&pages.code(), "me", "long+enough");
    assert!(status(&answer) == 500 && answer.contains("cannot write"), "{answer}");
    assert!(!browser.is_in() && !pages.site.state().join("page.users").exists());
    std::fs::remove_dir_all(&draft).unwrap();
    assert_eq!(status(&browser.create(&pages.code(), "me", "long+enough")), 303);
}

/// A disk of 2 MiB, in a mount namespace in which this test runs once more, is filled to the last page under the history and
/// the account; only root may have one.
#[test]
fn a_disk_that_is_really_full_costs_history_and_account_and_no_more() {
    const INSIDE: &str = "QXUPS_TEST_FULL_DISK";
    if std::env::var_os(INSIDE).is_none() {
        let outcome = Command::new("unshare")
            .arg("--mount")
            .arg(std::env::current_exe().unwrap())
            .args([
                "a_disk_that_is_really_full_costs_history_and_account_and_no_more",
                "--exact",
                "--nocapture",
            ])
            .env(INSIDE, "yes")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&outcome.stdout) + String::from_utf8_lossy(&outcome.stderr);
        if !outcome.status.success() && said.contains("unshare failed") {
            return eprintln!("left out: only root may mount a disk");
        }
        assert!(outcome.status.success(), "{said}");
        return;
    }
    let (mut site, port) = (Site::new("login-full-disk", CONF, ""), free_port());
    let var = site.folder.join("var");
    std::fs::create_dir(&var).unwrap();
    assert!(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "none"])
            .arg(&var)
            .status()
            .unwrap()
            .success()
    );
    site.write("upsd.users", NO_USER);
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n[history]\nenabled = true\n"));
    let odd = FakeDriver::start(&site, "fake-odd", DUMP);
    let mut upsd = site.upsd();
    upsd.env("QXUPS_VARPATH", &var);
    site.start_with(upsd);
    site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OL\"");
    let pages = Pages { site, odd, port };
    pages.site.until("the code stands in the log", || pages.site.log().contains("give this code: "));
    let events =
        || HistoryReader::open(&var.join("history.sqlite")).and_then(|it| it.events(Some("odd"), 0, 99_999));
    pages.site.until("the history is written", || events().is_ok_and(|events| !events.is_empty()));
    fill(&var.join("ballast"));
    let mut browser = pages.browser();
    let answer = browser.create(&pages.code(), "me", "long+enough");
    assert!(status(&answer) == 500 && answer.contains("make room"), "{answer}");
    assert!(!browser.is_in() && !var.join("page.users").exists() && !var.join("page.new").exists());
    // events until the log of SQLite cannot grow any more
    let began = Instant::now();
    while !pages.site.log().contains("the disk is full: make room; going on without") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", pages.site.log());
        pages.odd.say("SETINFO ups.status \"OB\"\n");
        pages.odd.say("SETINFO ups.status \"OL\"\n");
        std::thread::sleep(Duration::from_millis(5));
    }
    pages.odd.say("SETINFO ups.status \"OB LB\"\n");
    pages.site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OB LB\"");
    assert!(browser.get("/metrics").contains("qxups_history_up 0"));
    assert_eq!(status(&browser.get("/ups/odd")), 200);
    // it is tried again, and said no more
    std::thread::sleep(Duration::from_secs(12));
    let log = pages.site.log();
    assert_eq!(log.matches("going on without").count(), 1, "{log}");
    std::fs::remove_file(var.join("ballast")).unwrap();
    pages.site.until("it is written again", || pages.site.log().contains("is written again"));
    assert_eq!(status(&browser.create(&pages.code(), "me", "long+enough")), 303);
    assert!(browser.is_in());
    pages.site.until("the last status is there", || {
        events().is_ok_and(|events| events.iter().any(|event| event.text == "OB LB"))
    });
}

/// Fills a disk to its last page.
fn fill(ballast: &std::path::Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

/// Whenever the server is killed, the account is whole or not there.
#[test]
fn an_account_is_whole_whenever_the_server_is_killed() {
    let mut pages = Pages::start("killed", NO_USER, "");
    let file = pages.site.state().join("page.users");
    for delay in [0, 2, 5, 8, 12, 20, 40, 80] {
        pages.site.until("a code", || pages.site.log().contains("give this code: "));
        let mut browser = pages.browser();
        let token = field(&browser.get("/login"), "token");
        let (code, cookies) = (pages.code(), browser.cookies.clone());
        let body = format!("token={token}&code={code}&name=me&password=long+enough");
        let mut stream = TcpStream::connect(("127.0.0.1", pages.port)).unwrap();
        write!(
            stream,
            "POST /account HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nCookie: {}={}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            cookies[0].0,
            cookies[0].1,
            body.len()
        )
        .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        pages.site.kill();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(text.is_empty() && !file.exists() || text.ends_with("instcmds = ALL\n"), "{text}");
        let _ = std::fs::remove_file(&file);
        std::fs::write(pages.site.folder.join("log"), "").unwrap();
        pages.site.start();
        pages.site.until("pages are there", || TcpStream::connect(("127.0.0.1", pages.port)).is_ok());
    }
}

#[test]
fn over_tls_cookies_are_for_tls_alone() {
    let pages = Pages::start("tls", &users(), "tls = true\n");
    let Some(openssl) = site::program("openssl") else { return println!("no openssl here") };
    let place = format!("127.0.0.1:{}", pages.port);
    let mut client = std::process::Command::new(openssl)
        .args(["s_client", "-quiet", "-connect", &place])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let request = "GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    client.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    let said = String::from_utf8(client.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("HttpOnly; SameSite=Strict; Secure"), "{said}");
}
