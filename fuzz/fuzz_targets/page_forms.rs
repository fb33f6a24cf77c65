//! Any bytes as a form, as cookies and as what a browser says of itself: no panic; what is read is what a browser would have
//! meant, each field once; no other site's form is one of ours, and nothing that came in the clear is sealed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use web::access::{
    AccessRefused, AccessSite, BrowserSigns, Caller, LONGEST_FORM, LoginSeen, PageAccount, PageOrder, PageOutcome,
    PageSecret, PostedForm, SESSION_COOKIE, Soon, UpsControls, BrowserWire, only,
};
use web::http::{Entrance, Gate, Hub, Live, serve_caller};
use web::view::{DataState, FleetView, UpsView};
use web::{PageSource, Place};

/// Nothing gets in here.
struct Closed;

impl AccessSite for Closed {
    fn secret(&self) -> Result<PageSecret, AccessRefused> {
        Ok(PageSecret::from_random([7; 32]))
    }
    fn log_in(self: Rc<Self>, _: Caller, _: String, _: String) -> Soon<LoginSeen> {
        Box::pin(async { LoginSeen::Wrong })
    }
    fn may_create(&self) -> bool {
        true
    }
    fn create(self: Rc<Self>, _: Caller, _: String, _: String, _: String) -> Soon<Result<PageAccount, AccessRefused>> {
        Box::pin(async { Err(AccessRefused::new(403, "no")) })
    }
    fn is_still(&self, _: &PageAccount, _: &Caller) -> bool {
        panic!("a session was found");
    }
    fn unit(&self, _: &str) -> Option<u128> {
        Some(1)
    }
    fn controls(&self, _: &PageAccount, _: &str) -> UpsControls {
        panic!("controls were shown");
    }
    fn check(&self, _: &PageAccount, _: &str, _: &PageOrder) -> Result<(), AccessRefused> {
        panic!("an order was checked");
    }
    fn give(
        &self,
        _: &PageAccount,
        _: &Caller,
        _: &str,
        _: &PageOrder,
        _: watch::Sender<Option<PageOutcome>>,
    ) -> Result<(), AccessRefused> {
        panic!("an order was given");
    }
    fn logged_out(&self, _: &PageAccount, _: &Caller) {
        panic!("a user logged out");
    }
}

struct Small {
    hub: Hub,
    entrance: Rc<Entrance>,
}

impl PageSource for Small {
    fn fleet(&self) -> FleetView {
        FleetView { upses: vec![UpsView::new("rack", DataState::Fresh)], ..FleetView::default() }
    }
}

impl Live for Small {
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

const LOCAL: Caller = Caller { address: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), is_encrypted: false };
const FAR: Caller = Caller { address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), is_encrypted: false };

fn form_is_read(bytes: &[u8]) {
    let Ok(form) = PostedForm::parse(bytes) else { return };
    assert!(bytes.len() <= LONGEST_FORM);
    let text = std::str::from_utf8(bytes).unwrap();
    // a field is a part of the text, and without escapes it is that part
    for part in text.split('&').filter(|part| !part.is_empty() && !part.contains(['%', '+'])) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        assert_eq!(form.get(name), Some(value));
        assert!(!value.contains(char::is_control));
    }
}

fn signs_are_judged(parts: &[&str]) {
    let part = |at: usize| parts.get(at).copied().filter(|part| !part.is_empty());
    let signs = BrowserSigns {
        origin: part(0),
        fetch_site: part(1),
        host: Some("localhost"),
        forwarded_proto: part(2),
        is_forwarded: part(3).is_some(),
    };
    assert!(signs.wire(&FAR).is_err());
    assert_eq!(signs.wire(&Caller { is_encrypted: true, ..FAR }), Ok(BrowserWire::Sealed));
    let _ = signs.wire(&LOCAL);
    if signs.is_own_page(&Place::default()) && signs.fetch_site != Some("same-origin") {
        let origin = signs.origin.unwrap().to_ascii_lowercase();
        assert!(origin == "http://localhost" || origin == "https://localhost", "{origin}");
    }
    if let Some(key) = only(parts, SESSION_COOKIE) {
        assert!(parts.iter().any(|part| part.contains(&format!("{SESSION_COOKIE}={key}"))));
    }
}

fuzz_target!(|bytes: &[u8]| {
    form_is_read(bytes);
    let text = String::from_utf8_lossy(bytes);
    let parts: Vec<&str> = text.splitn(5, '\n').collect();
    signs_are_judged(&parts);
    // and as they come over a connection: the first line is the path, the second a header, the rest a form
    let (path, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let plain = |text: &str| text.chars().filter(|letter| !letter.is_control() && *letter != ' ').collect::<String>();
    let request = format!(
        "POST /{} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        plain(path),
        plain(head),
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (mut client, end) = tokio::io::duplex(1 << 16);
        let ticket = Gate::new(4).admit([127, 0, 0, 1].into()).unwrap();
        let site = Rc::new(Small { hub: Hub::default(), entrance: Rc::new(Entrance::new(Rc::new(Closed))) });
        let serving = tokio::task::spawn_local(serve_caller(end, site, ticket, Some(LOCAL)));
        let _ = client.write_all(&request.as_bytes()[..request.len().min(1 << 15)]).await;
        let mut room = [0; 1024];
        let read = tokio::time::timeout(std::time::Duration::from_millis(10), client.read(&mut room)).await;
        if let Ok(Ok(read @ 1..)) = read {
            assert!(room[..read].starts_with(b"HTTP/1."));
        }
        drop(client);
        serving.await.unwrap();
    });
});
