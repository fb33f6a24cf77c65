//! Logins, forms and orders on connections in memory, with a clock that the test turns, before a server that is a list of what
//! it was asked.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod sites;

use sites::{Static, compressed};
use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, advance, sleep, timeout};
use web::access::{
    AccessRefused, AccessSite, Caller, CommandControl, IDLE, LoginSeen, PageAccount, PageOrder, PageOutcome,
    PageSecret, SettingControl, Soon, UpsControls,
};
use web::http::{Entrance, FORM_WITHIN, Gate, Hub, Live, OUTCOME_WITHIN, serve_caller};
use web::view::FleetView;
use web::{PageSource, Place};

const LOCAL: Caller = Caller { address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), is_encrypted: false };
const TLS: Caller = Caller { address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), is_encrypted: true };
const CLEAR: Caller = Caller { is_encrypted: false, ..TLS };

type Given = (String, PageOrder, watch::Sender<Option<PageOutcome>>);

/// Who may log in is admin with the password secret; orders are written down.
struct Users {
    secrets: Cell<u8>,
    given: RefCell<Vec<Given>>,
    takes: Cell<Duration>,
    may_create: Cell<bool>,
    is_there: Cell<bool>,
}

impl AccessSite for Users {
    fn secret(&self) -> Result<PageSecret, AccessRefused> {
        self.secrets.set(self.secrets.get() + 1);
        Ok(PageSecret::from_random([self.secrets.get(); 32]))
    }
    fn log_in(self: Rc<Self>, _: Caller, name: String, password: String) -> Soon<LoginSeen> {
        Box::pin(async move {
            sleep(self.takes.get()).await;
            match (name.as_str(), password.as_str()) {
                ("admin", "secret") => LoginSeen::Fits(PageAccount::new("admin", "secret")),
                _ => LoginSeen::Wrong,
            }
        })
    }
    fn may_create(&self) -> bool {
        self.may_create.get()
    }
    fn create(
        self: Rc<Self>,
        _: Caller,
        code: String,
        name: String,
        _: String,
    ) -> Soon<Result<PageAccount, AccessRefused>> {
        Box::pin(async move {
            match code.as_str() {
                "code" => Ok(PageAccount::new(&name, "first")),
                _ => Err(AccessRefused::new(403, "wrong code")),
            }
        })
    }
    fn is_still(&self, _: &PageAccount, _: &Caller) -> bool {
        self.is_there.get()
    }
    fn unit(&self, ups: &str) -> Option<u128> {
        (ups == "rack").then_some(1)
    }
    fn controls(&self, _: &PageAccount, _: &str) -> UpsControls {
        let evil = "<script>alert(1)</script>\"'";
        let commands = ["load.off", "test.battery.start", evil];
        let commands = commands
            .map(|name| CommandControl { name: name.into(), about: evil.into() })
            .into_iter()
            .collect();
        let setting = |name: &str, choices: &[&str], ranges: &[(i64, i64)]| SettingControl {
            name: name.into(),
            about: evil.into(),
            value: evil.into(),
            choices: choices.iter().map(|choice| (*choice).to_string()).collect(),
            ranges: ranges.to_vec(),
            longest: None,
        };
        let settings = vec![
            setting("a.choice", &["x", evil], &[]),
            setting("a.range", &[], &[(1, 9)]),
            setting(evil, &[], &[]),
        ];
        UpsControls { commands, settings }
    }
    fn check(&self, _: &PageAccount, _: &str, order: &PageOrder) -> Result<(), AccessRefused> {
        match order {
            PageOrder::Command { name, .. } if name == "forbidden" => {
                Err(AccessRefused::new(403, "not allowed"))
            }
            _ => Ok(()),
        }
    }
    fn give(
        &self,
        _: &PageAccount,
        _: &Caller,
        ups: &str,
        order: &PageOrder,
        outcome: watch::Sender<Option<PageOutcome>>,
    ) -> Result<(), AccessRefused> {
        if matches!(order, PageOrder::Command { name, .. } if name == "refused") {
            return Err(AccessRefused::new(503, "the driver <b>takes</b> nothing"));
        }
        self.given.borrow_mut().push((ups.into(), order.clone(), outcome));
        Ok(())
    }
    fn logged_out(&self, _: &PageAccount, _: &Caller) {}
}

struct Server {
    site: Static,
    hub: Hub,
    gate: Rc<Gate>,
    users: Rc<Users>,
    entrance: Rc<Entrance>,
}

impl PageSource for Server {
    fn fleet(&self) -> FleetView {
        self.site.fleet()
    }
}

impl Live for Server {
    fn place(&self) -> Rc<Place> {
        Rc::default()
    }
    fn answered(&self, _: u16) {}
    fn hub(&self) -> &Hub {
        &self.hub
    }
    fn entrance(&self) -> Option<Rc<Entrance>> {
        Some(self.entrance.clone())
    }
}

/// A browser: its cookies, and where it is.
struct Browser {
    server: Rc<Server>,
    caller: Caller,
    cookies: Vec<(String, String)>,
    more: String,
}

impl Server {
    fn new() -> Rc<Server> {
        let users = Rc::new(Users {
            secrets: Cell::new(0),
            given: RefCell::default(),
            takes: Cell::default(),
            may_create: Cell::new(false),
            is_there: Cell::new(true),
        });
        let entrance = Rc::new(Entrance::new(users.clone()));
        Rc::new(Server { site: Static::usual(), hub: Hub::default(), gate: Gate::new(256), users, entrance })
    }

    fn connect(self: &Rc<Self>, caller: Caller) -> (DuplexStream, JoinHandle<()>) {
        let (client, end) = duplex(1 << 16);
        let ticket = self.gate.admit(caller.address).unwrap();
        (client, spawn_local(serve_caller(end, self.clone(), ticket, Some(caller))))
    }

    async fn answer(self: &Rc<Self>, caller: Caller, bytes: &[u8]) -> String {
        let (mut client, _task) = self.connect(caller);
        client.write_all(bytes).await.unwrap();
        let mut all = vec![];
        let _ = timeout(Duration::from_secs(60), client.read_to_end(&mut all)).await;
        String::from_utf8(all).unwrap()
    }

    fn browser(self: &Rc<Self>, caller: Caller) -> Browser {
        Browser { server: self.clone(), caller, cookies: vec![], more: "Origin: http://localhost\r\n".into() }
    }

    fn orders(&self) -> Vec<(String, PageOrder)> {
        self.users.given.borrow().iter().map(|(ups, order, _)| (ups.clone(), order.clone())).collect()
    }
}

impl Browser {
    async fn ask(&mut self, head: &str, body: &str) -> String {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies =
            if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let request = format!(
            "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}{cookies}Content-Length: {}\r\n\r\n{body}",
            self.more,
            body.len()
        );
        let answer = self.server.answer(self.caller, request.as_bytes()).await;
        for line in answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            assert!(line.contains("; HttpOnly; SameSite=Strict"), "{line}");
            assert_eq!(line.contains("; Secure"), self.caller.is_encrypted, "{line}");
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.into(), value.into()));
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "").await
    }

    async fn post(&mut self, path: &str, body: &str) -> String {
        self.more += "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer = self.ask(&format!("POST {path}"), body).await;
        self.more = self.more.replace("Content-Type: application/x-www-form-urlencoded\r\n", "");
        answer
    }

    async fn log_in(&mut self) -> String {
        let token = field(&self.get("/login").await, "token");
        self.post("/login", &format!("token={token}&name=admin&password=secret")).await
    }

    /// Asks for an order: what its form would send.
    async fn question(&mut self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(status(&page), 200, "{page}");
        format!("token={}&mark={}", field(&page, "token"), field(&page, "mark"))
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

/// What a hidden field of a page holds.
fn field(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().into()
}

fn location(answer: &str) -> String {
    assert_eq!(status(answer), 303, "{answer}");
    answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().into()
}

fn command(name: &str) -> PageOrder {
    PageOrder::Command { name: name.into(), value: None }
}

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

#[test]
fn who_logs_in_gives_an_order_once() {
    run(async {
        let server = Server::new();
        for caller in [LOCAL, TLS] {
            let mut browser = server.browser(caller);
            assert!(!browser.get("/ups/rack").await.contains("Send\u{2026}"));
            assert_eq!(location(&browser.log_in().await), "./");
            let page = browser.get("/ups/rack").await;
            assert!(
                page.contains("Logged in as <strong>admin</strong>")
                    && page.contains("action=\"rack/order\""),
                "{page}"
            );
            assert!(
                page.contains("referrer-policy: same-origin") && page.contains("cache-control: no-store")
            );
            let form = browser.question("/ups/rack/order?command=load.off").await;
            assert!(server.orders().is_empty());
            let to = location(&browser.post("/ups/rack/order", &form).await);
            assert_eq!(server.orders(), [("rack".to_string(), command("load.off"))]);
            // a second click, and a reload, lead to the same outcome
            for _ in 0..2 {
                assert_eq!(location(&browser.post("/ups/rack/order", &form).await), to);
            }
            assert_eq!(server.orders().len(), 1);
            let (_, _, outcome) = server.users.given.borrow_mut().pop().unwrap();
            // nothing is said to be done that nothing reported
            let began = Instant::now();
            let page = browser.get(&format!("/ups/rack/{to}")).await;
            assert!(page.contains("<h1>Sent; the outcome is not known yet</h1>"), "{page}");
            assert!(began.elapsed() >= OUTCOME_WITHIN);
            outcome.send_replace(Some(PageOutcome::Done));
            let page = browser.get(&format!("/ups/rack/{to}")).await;
            assert!(page.contains("<h1>Done</h1>") && page.contains("load.off"), "{page}");
        }
    });
}

#[test]
fn each_outcome_is_said_as_it_was_seen() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        for (outcome, said) in [
            (
                Some(PageOutcome::Failed(Some("<i>busy</i>".into()))),
                "The driver reports: &lt;i&gt;busy&lt;/i&gt;",
            ),
            (Some(PageOutcome::Failed(None)), "<h1>Not done, or not confirmed</h1>"),
            (Some(PageOutcome::Unseen), "<h1>Sent; the outcome is not known</h1>"),
            // its driver ended
            (None, "<h1>Sent; the outcome is not known</h1>"),
        ] {
            let form = browser.question("/ups/rack/order?command=load.off").await;
            let to = location(&browser.post("/ups/rack/order", &form).await);
            let (_, _, sender) = server.users.given.borrow_mut().pop().unwrap();
            if let Some(outcome) = outcome {
                sender.send_replace(Some(outcome));
            }
            drop(sender);
            let page = browser.get(&format!("/ups/rack/{to}")).await;
            assert!(page.contains(said) && !page.contains("Done<"), "{said}: {page}");
        }
        let form = browser.question("/ups/rack/order?command=refused").await;
        let to = location(&browser.post("/ups/rack/order", &form).await);
        let page = browser.get(&format!("/ups/rack/{to}")).await;
        assert!(page.contains("<h1>Not sent</h1>") && page.contains("&lt;b&gt;takes"), "{page}");
        assert!(browser.get("/ups/cellar/outcome?id=1").await.contains("404"));
    });
}

#[test]
fn nothing_is_given_without_the_session_its_token_and_a_question() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        let good = browser.question("/ups/rack/order?command=load.off").await;
        let (token, mark) = good.split_once('&').unwrap();
        // another browser that is logged in as the same user
        let mut other = server.browser(LOCAL);
        other.log_in().await;
        let foreign = other.question("/ups/rack/order?command=load.off").await;
        let foreign_token = foreign.split('&').next().unwrap();
        for (form, expected) in [
            (mark.to_string(), 403),
            (token.to_string(), 409),
            (String::new(), 403),
            (format!("token=&{mark}"), 403),
            (format!("{foreign_token}&{mark}"), 403),
            (format!("{token}&mark={}", "0".repeat(64)), 409),
            (foreign.replace(foreign_token, token), 409),
            (format!("{good}&{mark}"), 400),
            (format!("{good}&x=%ff"), 400),
            (format!("{good}&x={}", "y".repeat(17_000)), 413),
        ] {
            let answer = browser.post("/ups/rack/order", &form).await;
            assert_eq!(status(&answer), expected, "{form}: {answer}");
        }
        // of another UPS
        assert_eq!(status(&browser.post("/ups/cellar/order", &good).await), 409);
        // sent by another site, or from nowhere that is known
        for signs in [
            "",
            "Origin: null\r\n",
            "Origin: http://evil.example\r\n",
            "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n",
        ] {
            browser.more = signs.into();
            assert_eq!(status(&browser.post("/ups/rack/order", &good).await), 403, "{signs}");
        }
        browser.more = "Origin: http://localhost\r\n".into();
        for content_type in
            ["", "Content-Type: text/plain\r\n", "Content-Type: multipart/form-data; boundary=x\r\n"]
        {
            browser.more += content_type;
            assert_eq!(status(&browser.ask("POST /ups/rack/order", &good).await), 415, "{content_type}");
            browser.more = browser.more.replace(content_type, "");
        }
        // without a session
        let mut out = server.browser(LOCAL);
        assert_eq!(status(&out.post("/ups/rack/order", &good).await), 403);
        assert_eq!(location(&out.get("/ups/rack/order?command=load.off").await), "../../login?ups=rack");
        assert_eq!(location(&out.get("/ups/a%2F%3Cb/outcome?id=1").await), "../../login?ups=a%2F%3Cb");
        assert!(server.orders().is_empty());
        assert_eq!(status(&browser.get("/ups/rack/order?command=forbidden").await), 403);
        assert_eq!(status(&browser.get("/ups/nothing/order?command=load.off").await), 404);
        assert_eq!(status(&browser.post("/ups/rack/order", &good).await), 303);
        assert_eq!(server.orders().len(), 1);
    });
}

#[test]
fn a_stolen_cookie_is_worth_nothing_after_the_logout() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        let stolen = browser.cookies.clone();
        let form = browser.question("/ups/rack/order?command=load.off").await;
        let token = form.split('&').next().unwrap();
        // without its token a logout is none
        assert_eq!(status(&browser.post("/logout", "").await), 403);
        assert!(browser.get("/ups/rack").await.contains("Logged in as"));
        assert_eq!(location(&browser.post("/logout", token).await), "./");
        assert!(browser.cookies.is_empty());
        let mut thief = server.browser(LOCAL);
        thief.cookies = stolen;
        assert!(!thief.get("/ups/rack").await.contains("Logged in as"));
        assert_eq!(status(&thief.post("/ups/rack/order", &form).await), 403);
        assert!(server.orders().is_empty());
    });
}

#[test]
fn a_session_ends_by_time_and_with_its_user() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        advance(IDLE - Duration::from_secs(1)).await;
        assert!(browser.get("/ups/rack").await.contains("Logged in as"));
        server.users.is_there.set(false);
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
        server.users.is_there.set(true);
        assert!(browser.get("/ups/rack").await.contains("Logged in as"));
        server.entrance.look_again(|_| false);
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
        browser.log_in().await;
        advance(IDLE).await;
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
    });
}

#[test]
fn a_login_is_of_our_page_and_its_cookies_are_new() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        assert_eq!(status(&browser.post("/login", "name=admin&password=secret").await), 403);
        let page = browser.get("/login?ups=%3Cscript%3E").await;
        assert_eq!(page.matches("<script").count(), 0);
        let token = field(&page, "token");
        let wrong = browser.post("/login", &format!("token={token}&name=%3Cscript%3E&password=secret")).await;
        assert!(
            status(&wrong) == 403
                && wrong.contains("do not fit")
                && wrong.contains("value=\"&lt;script&gt;\""),
            "{wrong}"
        );
        for form in [format!("token={token}"), "token=&name=admin&password=secret".into()] {
            assert_eq!(status(&browser.post("/login", &form).await), 403, "{form}");
        }
        let had = browser.cookies.clone();
        let good = format!("token={token}&name=admin&password=secret&ups=..%2F..%2Fevil");
        assert_eq!(location(&browser.post("/login", &good).await), "./ups/..%2F..%2Fevil");
        // a key that was planted is not the session's, and the form's cookie is gone
        assert!(browser.cookies.iter().all(|cookie| !had.contains(cookie)));
        assert_eq!(browser.cookies.len(), 1);
        let session = browser.cookies[0].clone();
        assert!(browser.get("/login").await.contains("Logged in as"));
        // a cookie of that name from elsewhere beside it
        browser.cookies.push((session.0.clone(), "f".repeat(64)));
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
        // a second login ends the first session
        browser.cookies = vec![session.clone()];
        browser.cookies.extend(had);
        assert_eq!(status(&browser.post("/login", &good).await), 303);
        assert_ne!(browser.cookies[0], session);
        browser.cookies = vec![session];
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
    });
}

#[test]
fn no_password_comes_in_the_clear() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(CLEAR);
        let page = browser.get("/login").await;
        assert!(
            page.contains("not encrypted") && !page.contains("<form") && browser.cookies.is_empty(),
            "{page}"
        );
        // also with what another connection got
        let mut local = server.browser(LOCAL);
        let token = field(&local.get("/login").await, "token");
        browser.cookies.clone_from(&local.cookies);
        let good = format!("token={token}&name=admin&password=secret");
        let refused = browser.post("/login", &good).await;
        assert!(status(&refused) == 403 && refused.contains("not encrypted"), "{refused}");
        local.post("/login", &good).await;
        browser.cookies.clone_from(&local.cookies);
        assert!(!browser.get("/ups/rack").await.contains("Logged in as"));
        // what a proxy of this machine says counts
        local.more = "Origin: http://localhost\r\nX-Forwarded-Proto: http\r\n".into();
        assert!(!local.get("/ups/rack").await.contains("Logged in as"));
        assert!(local.get("/login").await.contains("not encrypted"));
        local.more = "X-Forwarded-For: 192.0.2.9\r\n".into();
        assert!(local.get("/login").await.contains("X-Forwarded-Proto"));
    });
}

#[test]
fn the_first_account_is_asked_for_where_there_is_none() {
    run(async {
        let server = Server::new();
        server.users.may_create.set(true);
        let mut browser = server.browser(LOCAL);
        let page = browser.get("/login").await;
        assert!(
            page.contains("action=\"account\"") && page.contains("autocomplete=\"new-password\""),
            "{page}"
        );
        let token = field(&page, "token");
        let wrong =
            browser.post("/account", &format!("token={token}&code=x&name=me&password=12345678")).await;
        assert!(
            status(&wrong) == 403 && wrong.contains("wrong code") && !wrong.contains("12345678"),
            "{wrong}"
        );
        assert_eq!(status(&browser.post("/account", "code=code&name=me&password=12345678").await), 403);
        let made =
            browser.post("/account", &format!("token={token}&code=code&name=me&password=12345678")).await;
        assert_eq!(location(&made), "./");
        assert!(browser.get("/ups/rack").await.contains("Logged in as <strong>me</strong>"));
    });
}

#[test]
fn bodies_that_are_slow_or_have_no_end_are_cut_off() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        let head = "POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        // a byte now and then
        let (mut client, task) = server.connect(LOCAL);
        client.write_all(format!("{head}Content-Length: 1000\r\n\r\n").as_bytes()).await.unwrap();
        let began = Instant::now();
        let trickle = spawn_local(async move {
            while client.write_all(b"a").await.is_ok() {
                sleep(Duration::from_millis(500)).await;
            }
        });
        timeout(Duration::from_secs(600), task).await.unwrap().unwrap();
        assert!(began.elapsed() <= FORM_WITHIN + Duration::from_secs(2), "{:?}", began.elapsed());
        trickle.abort();
        // chunks without end, and a length that is too great
        let (mut client, task) = server.connect(LOCAL);
        client.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
        let flood = spawn_local(async move {
            let chunk = format!("1000\r\n{}\r\n", "a".repeat(4096));
            let mut sent = 0;
            while client.write_all(chunk.as_bytes()).await.is_ok() {
                sent += 4096;
            }
            sent
        });
        timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
        assert!(flood.await.unwrap() < 1 << 20);
        let huge =
            server.answer(LOCAL, format!("{head}Content-Length: 99999999999\r\n\r\n").as_bytes()).await;
        assert!(status(&huge) == 413 && huge.contains("connection: close"), "{huge}");
        // a body that is packed is none that was sent
        for coding in
            ["gzip, chunked", "chunked\r\nTransfer-Encoding: chunked", "gzip\r\nTransfer-Encoding: chunked"]
        {
            let packed = format!("{head}Transfer-Encoding: {coding}\r\n\r\n5\r\nname=\r\n0\r\n\r\n");
            let answer = server.answer(LOCAL, packed.as_bytes()).await;
            assert!(status(&answer) == 501 && answer.contains("connection: close"), "{coding}: {answer}");
        }
        // small chunks are a form like any other
        let chunked =
            format!("{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nname=\r\n0\r\n\r\n");
        assert_eq!(status(&server.answer(LOCAL, chunked.as_bytes()).await), 403);
        assert_eq!(server.gate.connections(), 0);
    });
}

/// Guesses are checked one after the other; a right login waits for those before it at most, and one by another name, or from
/// another address, for one check.
#[test]
fn guesses_lock_no_right_login_out() {
    run(async {
        const CHECK: Duration = Duration::from_millis(500);
        const GUESSES: u32 = 60;
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        let token = field(&browser.get("/login").await, "token");
        let mut far = server.browser(TLS);
        let far_token = field(&far.get("/login").await, "token");
        server.users.takes.set(CHECK);
        let guess = |name: &str, password: &str| {
            let mut guess = server.browser(LOCAL);
            (guess.cookies, guess.more) = (browser.cookies.clone(), browser.more.clone());
            let form = format!("token={token}&name={name}&password={password}");
            let began = Instant::now();
            spawn_local(async move { (status(&guess.post("/login", &form).await), began.elapsed()) })
        };
        let guesses: Vec<_> = (0..GUESSES).map(|_| guess("admin", "guess")).collect();
        // what leaves before its turn costs no other its own
        let leaving = guess("admin", "guess");
        sleep(Duration::from_millis(100)).await;
        leaving.abort();
        let (right, other) = (guess("admin", "secret"), guess("other", "guess"));
        let began = Instant::now();
        let good = format!("token={far_token}&name=admin&password=secret");
        assert_eq!(status(&far.post("/login", &good).await), 303);
        assert!(began.elapsed() < 2 * CHECK, "{:?}", began.elapsed());
        let (answer, waited) = other.await.unwrap();
        assert!(answer == 403 && waited <= 3 * CHECK, "{answer} {waited:?}");
        let (answer, waited) = right.await.unwrap();
        assert!(answer == 303 && waited <= (GUESSES + 3) * CHECK, "{answer} {waited:?}");
        for guess in guesses {
            assert_eq!(guess.await.unwrap().0, 403);
        }
        // one at a time
        assert!(waited >= (GUESSES - 1) * CHECK, "{waited:?}");
    });
}

#[test]
fn other_methods_and_names_are_refused() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        browser.log_in().await;
        for (head, expected, allow) in [
            ("DELETE /login", 405, "allow: GET, HEAD, POST"),
            ("GET /logout", 405, "allow: POST"),
            ("GET /account", 405, "allow: POST"),
            ("PUT /ups/rack/order", 405, "allow: GET, HEAD, POST"),
            ("POST /ups/rack/outcome", 405, "allow: GET, HEAD"),
            ("POST /ups/rack", 405, "allow: GET, HEAD"),
            ("POST /", 405, "allow: GET, HEAD"),
        ] {
            let answer = browser.ask(head, "").await;
            assert!(status(&answer) == expected && answer.contains(allow), "{head}: {answer}");
        }
        for path in ["/login", "/ups/rack", "/ups/rack/order", "/logout"] {
            for method in ["GET", "POST"] {
                let request =
                    format!("{method} {path} HTTP/1.1\r\nHost: evil.example\r\nCookie: a=b\r\n\r\n");
                assert_eq!(status(&server.answer(LOCAL, request.as_bytes()).await), 421, "{method} {path}");
            }
        }
    });
}

#[test]
fn programs_give_orders_with_name_and_password() {
    run(async {
        let server = Server::new();
        let mut program = server.browser(TLS);
        // admin:secret and admin:guess
        let (good, bad) =
            ("Authorization: Basic YWRtaW46c2VjcmV0\r\n", "Authorization: Basic YWRtaW46Z3Vlc3M=\r\n");
        let command = "POST /api/v1/ups/rack/commands/load.off";
        for (more, expected) in [
            ("", 401),
            (bad, 401),
            ("Authorization: Basic x\r\n", 401),
            (&format!("{good}Origin: http://evil.example\r\n"), 403),
            (&format!("{good}Sec-Fetch-Site: cross-site\r\n"), 403),
            (&format!("{good}{good}"), 401),
        ] {
            program.more = more.into();
            let answer = program.ask(command, "").await;
            assert_eq!(status(&answer), expected, "{more}: {answer}");
            assert_eq!(answer.contains("www-authenticate: Basic "), expected == 401, "{answer}");
        }
        program.more = good.into();
        for (head, body, expected) in [
            (command, "value=1", 415),
            ("PUT /api/v1/ups/rack/settings/ups.id", "", 400),
            ("POST /api/v1/ups/nothing/commands/load.off", "", 404),
            ("POST /api/v1/ups/rack/commands/refused", "", 503),
            ("GET /api/v1/ups/rack/commands/load.off", "", 405),
            ("DELETE /api/v1/ups/rack/settings/ups.id", "", 405),
            ("POST /api/v1/ups/rack/commands/", "", 405),
        ] {
            let answer = program.ask(head, body).await;
            assert_eq!(status(&answer), expected, "{head} {body}: {answer}");
        }
        assert!(server.orders().is_empty());
        let other = program.post("/api/v1/ups/rack/commands/load.off", "value=1&other=2").await;
        assert_eq!(status(&other), 400);
        assert!(server.orders().is_empty());
        // nothing reports an outcome
        let answer = program.ask(command, "").await;
        assert!(status(&answer) == 202 && answer.contains("\"outcome\":\"unseen\""), "{answer}");
        let answer = program.post("/api/v1/ups/rack/commands/test.battery.start", "value=60").await;
        assert_eq!(status(&answer), 202);
        program.more += "Content-Type: application/x-www-form-urlencoded\r\n";
        assert_eq!(status(&program.ask("PUT /api/v1/ups/rack/settings/ups.id", "value=").await), 202);
        let orders: Vec<String> = server.orders().iter().map(|(_, order)| order.in_words()).collect();
        assert_eq!(orders, ["load.off", "test.battery.start 60", "ups.id = "]);
        // in the clear it is not even looked at
        let mut clear = server.browser(CLEAR);
        clear.more = good.into();
        assert_eq!(status(&clear.ask(command, "").await), 403);
        assert!(program.cookies.is_empty());
    });
}

/// With `everything_weighs_less_than_50_kb` all of it is 60 kB at most.
#[test]
fn pages_of_a_login_weigh_less_than_10_kb() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        let mut pages = vec![browser.get("/login").await];
        server.users.may_create.set(true);
        pages.push(browser.get("/login").await);
        server.users.may_create.set(false);
        browser.log_in().await;
        for path in ["/login", "/ups/rack", "/ups/rack/order?command=load.off", "/ups/rack/order"] {
            pages.push(browser.get(path).await);
        }
        let form = browser.question("/ups/rack/order?setting=a.range&value=5").await;
        let to = location(&browser.post("/ups/rack/order", &form).await);
        server.users.given.borrow_mut().pop().unwrap().2.send_replace(Some(PageOutcome::Done));
        pages.push(browser.get(&format!("/ups/rack/{to}")).await);
        let sizes: Vec<usize> = pages.iter().map(|page| compressed(page.as_bytes())).collect();
        let sum: usize = sizes.iter().sum();
        println!("{sizes:?}: {sum}");
        assert!(sum <= 10_000, "{sizes:?}");
    });
}

/// As for the pages that are for all: nothing of a UPS or a user is markup, and nothing is inline.
#[test]
fn nothing_of_a_ups_or_a_user_is_markup() {
    run(async {
        let server = Server::new();
        let mut browser = server.browser(LOCAL);
        let mut pages = vec![browser.get("/login").await];
        browser.log_in().await;
        let hostile = "/ups/%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        pages.push(browser.get("/login").await);
        pages.push(browser.get(hostile).await);
        for query in [
            "command=%3Cscript%3E%22'&value=%3Cb%3E",
            "setting=%3Cscript%3E%22'&value=%3Cb%3E",
            "command=x&setting=y",
        ] {
            pages.push(browser.get(&format!("{hostile}/order?{query}")).await);
        }
        let form = browser.question(&format!("{hostile}/order?setting=%3Cscript%3E&value=%3Cb%3E'%22")).await;
        let to = location(&browser.post(&format!("{hostile}/order"), &form).await);
        server
            .users
            .given
            .borrow_mut()
            .pop()
            .unwrap()
            .2
            .send_replace(Some(PageOutcome::Failed(Some("<script>\"'".into()))));
        pages.push(browser.get(&format!("{hostile}/{to}")).await);
        for page in pages {
            let html = page.split_once("\r\n\r\n").unwrap().1;
            // those of the page of a UPS itself
            let scripts = html.matches("<script src=\"../page.js\"").count()
                + html.matches("<script src=\"../plots.js\"").count();
            assert_eq!(html.matches("<script").count(), scripts, "{html}");
            assert!(
                html.matches('"').count() % 2 == 0 && !html.contains('\'') && !html.contains("<b>"),
                "{html}"
            );
            for tag in html.split('<').skip(1).map(|part| part.split('>').next().unwrap()) {
                assert!(!tag.contains(" style=") && !tag.contains(" on") && !tag.contains("=\"/"), "{tag}");
            }
        }
    });
}
