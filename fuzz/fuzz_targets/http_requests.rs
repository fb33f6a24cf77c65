//! Any bytes from an HTTP client, before a UPS whose texts are the same bytes: no panic, nothing for another name of the server,
//! no markup but that of the pages, lines of metrics that stay lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use web::http::{Gate, Hub, Live, serve};
use web::view::{DataState, FleetView, UpsView, VariableView};
use web::{
    Asked, PageAnswer, PageSource, Past, PastOutage, PastPoint, PastSeries, Place, VARIABLES, answer, past_answer, unit_of,
};

struct Small {
    fleet: FleetView,
    hub: Hub,
    place: Rc<Place>,
}

impl PageSource for Small {
    fn fleet(&self) -> FleetView {
        self.fleet.clone()
    }
}

impl Live for Small {
    fn place(&self) -> Rc<Place> {
        self.place.clone()
    }
    fn answered(&self, status: u16) {
        assert!((200..600).contains(&status));
    }
    fn hub(&self) -> &Hub {
        &self.hub
    }
}

/// One UPS in every state, and each text of it is this one, but for the name of the first.
fn small(text: &str) -> Small {
    let upses = [DataState::Fresh, DataState::Stale, DataState::NotConnected].map(|state| {
        let name = if state == DataState::Fresh { "fresh".into() } else { format!("{}{text}", state.word()) };
        let mut ups = UpsView::new(&name, state);
        ups.description = Some(text.into());
        ups.has_history = true;
        ups.commands = vec![text.to_string().into()];
        let names = ["battery.charge", "ups.status", "ups.mfr", text];
        let variable = |name: &str| VariableView {
            name: name.to_string().into(),
            text: text.into(),
            unit: unit_of(name),
            about: "",
            age: None,
        };
        ups.set_variables(names.map(variable).into());
        ups
    });
    let fleet = FleetView { upses: upses.into(), ..FleetView::default() };
    Small { fleet, hub: Hub::default(), place: Rc::default() }
}

/// A history with a point of each variable, and an outage that lasts.
fn past() -> Past {
    let point = PastPoint { at_s: 600, span_s: 60, lowest: 1.0, mean: 2.0, highest: 3.0, samples: 6 };
    let series = VARIABLES.map(|(variable, ..)| PastSeries { variable, is_said: false, points: vec![point] });
    let outages = vec![PastOutage::default()];
    Past { now_s: 7200, to_s: 7200, series: series.into(), outages, ..Past::default() }
}

fn get(site: &Small, path: &str, query: Option<&str>, host: &str, accept: Option<&str>) -> Option<(u16, String)> {
    let asked = Asked { method: "GET", path, query, host: Some(host), accept, known: None, has_body: false };
    match answer(&asked, &site.place, site) {
        PageAnswer::Whole(whole) => Some((whole.status, String::from_utf8(whole.body.to_vec()).unwrap())),
        PageAnswer::Past(ask) => {
            let whole = past_answer(&ask, site, Ok(past()));
            Some((whole.status, String::from_utf8(whole.body.to_vec()).unwrap()))
        }
        PageAnswer::Events(_) => None,
    }
}

fn pages_are_whole(site: &Small) {
    for path in ["/", "/ups/fresh", "/ups/fresh/history", "/ups/fresh/outages", "/ups/fresh/battery"] {
        let Some((_, page)) = get(site, path, None, "localhost", None) else { continue };
        assert_eq!(page.matches("<script").count(), if path == "/" { 1 } else { 2 });
        assert_eq!(page.matches('"').count() % 2, 0);
        assert!(!page.contains('\''));
    }
    let (_, list) = get(site, "/api/v1/ups", None, "localhost", None).unwrap();
    assert!(!list.contains(['<', '\n', '\r']));
    let (_, metrics) = get(site, "/metrics", None, "localhost", None).unwrap();
    for line in metrics.lines() {
        assert!(line.starts_with("# ") || line.starts_with("qxups_"), "{line}");
    }
    assert!(!metrics.contains('\r'));
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let site = small(&text);
    pages_are_whole(&site);
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (path, query, host, accept) = (part(), part(), part(), part());
    let whole = get(&site, path, Some(query), host, Some(accept));
    if !site.place.is_ours(Some(host)) {
        assert_eq!(whole.map(|whole| whole.0), Some(421));
    }
    for path in ["/ups_metrics", "/nut", "/api/v1/events", path] {
        get(&site, path, Some(query), "localhost", Some(accept));
    }
    // and as they come over a connection
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (mut client, end) = tokio::io::duplex(1 << 16);
        let ticket = Gate::new(4).admit([127, 0, 0, 1].into()).unwrap();
        let serving = tokio::task::spawn_local(serve(end, Rc::new(site), ticket));
        let _ = client.write_all(&bytes[..bytes.len().min(1 << 15)]).await;
        let mut room = [0; 1024];
        let read = tokio::time::timeout(std::time::Duration::from_millis(10), client.read(&mut room)).await;
        if let Ok(Ok(read @ 1..)) = read {
            assert!(room[..read].starts_with(b"HTTP/1."));
        }
        drop(client);
        serving.await.unwrap();
    });
});
