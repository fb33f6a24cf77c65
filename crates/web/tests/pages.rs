//! Pages and the JSON API: nothing of a UPS is markup, nothing old is shown, links stay below the page, and all of it is
//! small.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod sites;

use sites::{Static, body, compressed, ups};
use web::view::DataState;
use web::{Asked, Place, Whole, answer};

const HOSTILE: &str = "/ups/%3Cscript%3Ealert(1)%3C%2Fscript%3E";

/// All tags of a page, without their attributes' values.
fn tags(page: &str) -> Vec<String> {
    let parts = page.split('<').skip(1);
    parts.map(|part| part.split([' ', '>']).next().unwrap().to_string()).collect()
}

#[test]
fn a_ups_called_script_is_a_text() {
    let site = Static::usual();
    let below = ["history", "outages", "battery"].map(|view| format!("{HOSTILE}/{view}"));
    let all = ["/", HOSTILE, "/ups/%22%3E%3Cscript%3E", "/ups/%22%3E%3Cscript%3E/history"];
    for target in all.into_iter().chain(below.iter().map(String::as_str)) {
        let page = site.text(target);
        let scripts: Vec<_> = tags(&page).into_iter().filter(|tag| tag == "script").collect();
        // those of the page itself
        let own = page.matches("<script src=\"../").count() + page.matches("<script src=\"./").count();
        assert!(scripts.len() == own && own <= 2, "{target}");
        assert!(!page.contains("<b>") && !page.contains("alert(1)<") && !page.contains('\0'), "{page}");
        // an attribute cannot be left
        assert!(!page.contains("='") && page.matches('"').count() % 2 == 0, "{page}");
    }
    assert!(site.text("/").contains("href=\"ups/%3Cscript%3Ealert%281%29%3C%2Fscript%3E\""));
    assert!(site.text("/").contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let api = format!("/api/v1{HOSTILE}");
    let past = ["/history?variable=ups.load", "/outages", "/energy"].map(|view| format!("{api}{view}"));
    for target in ["/api/v1/ups", &api].into_iter().chain(past.iter().map(String::as_str)) {
        let json = site.text(target);
        assert!(!json.contains('<') && !json.contains('\n') && !json.contains('\u{2028}'), "{json}");
    }
}

/// A page has no script, style or handler in itself: the policy forbids them.
#[test]
fn nothing_is_inline() {
    let site = Static::usual();
    let below = ["history?range=1y", "outages", "battery"].map(|view| format!("/ups/rack/{view}"));
    let all = ["/", HOSTILE, "/ups/rack", "/ups/cellar"];
    for target in all.into_iter().chain(below.iter().map(String::as_str)) {
        let page = site.text(target);
        for tag in page.split('<').skip(1).map(|part| part.split('>').next().unwrap()) {
            assert!(
                !tag.contains(" style=") && !tag.contains(" on") && !tag.contains("javascript:"),
                "{tag}"
            );
            assert!(!tag.starts_with("style") && !tag.contains("//"), "{tag}");
            assert!(!tag.starts_with("script") || tag.contains(" src="), "{tag}");
            // relative: behind any path of a proxy
            assert!(!tag.contains("=\"/"), "{tag}");
        }
    }
}

#[test]
fn what_is_old_is_not_shown() {
    let site = Static::usual();
    for name in ["cellar", "attic"] {
        for target in [format!("/ups/{name}"), format!("/api/v1/ups/{name}")] {
            let shown = site.text(&target);
            for value in ["231.4", "57", "1320", "A 1000", "On mains"] {
                assert!(!shown.contains(value), "{value} in {shown}");
            }
        }
    }
    assert!(site.text("/ups/cellar").contains("No fresh data"));
    let list = site.text("/api/v1/ups");
    assert!(list.contains("\"name\":\"cellar\",\"description\":null,\"state\":\"stale\",\"condition\":\"No fresh data\",\"level\":\"bad\",\"age_s\":1.5,\"status\":[],\"charge_percent\":null"), "{list}");
    assert!(site.text("/ups/rack").contains("231.4\u{a0}V"));
    assert_eq!(site.get("/ups/RACK").status, 200);
}

/// Of a charge or runtime that the UPS does not say, page, API and events say so.
#[test]
fn what_the_ups_does_not_say_is_marked_at_a_glance() {
    let site = Static::usual();
    let (overview, one, list) = (site.text("/"), site.text("/ups/rack"), site.text("/api/v1/ups"));
    assert!(overview.contains(">57 %</td>") && !overview.contains("estimated"), "{overview}");
    assert_eq!(one.matches("<small class=\"source\" hidden>").count(), 2, "{one}");
    assert!(list.contains("\"charge_source\":\"said\",\"runtime_source\":\"said\"}"), "{list}");
    assert_eq!(list.matches("\"charge_source\":null").count(), 3, "{list}");
    site.0.borrow_mut().upses[0].computed = vec!["battery.charge".into()];
    let (overview, one, list) = (site.text("/"), site.text("/ups/rack"), site.text("/api/v1/ups"));
    assert_eq!(overview.matches(">57 %<small>estimated</small></td>").count(), 1, "{overview}");
    assert_eq!(one.matches("<small class=\"source\">Not said by the UPS</small>").count(), 1, "{one}");
    assert!(list.contains("\"charge_source\":\"computed\",\"runtime_source\":\"said\"}"), "{list}");
    let whole = site.text("/api/v1/ups/rack");
    assert!(
        whole.contains(
            "\"name\":\"battery.charge\",\"value\":\"57\",\"unit\":\"%\",\"age_s\":3.0,\"computed\":true"
        ),
        "{whole}"
    );
    assert_eq!(whole.matches("\"computed\":true").count(), 1, "{whole}");
}

#[test]
fn every_value_has_its_age() {
    let page = Static::usual().text("/ups/rack");
    let rows = page.matches("<tr role=\"row\" data-name=").count();
    assert_eq!(rows, sites::USUAL.len());
    assert_eq!(page.matches("data-age=\"3.0\">3 s ago").count(), rows);
}

/// What a browser loads that only reads; pages of those who log in have the rest of 60 kB (`entrance.rs`).
#[test]
fn everything_weighs_less_than_50_kb() {
    let site = sites::many(20);
    let views = ["/ups/ups1/history?range=1y", "/ups/ups1/outages", "/ups/ups1/battery"];
    let assets = ["/page.css", "/page.js", "/plots.js", "/uplot.js", "/icon.svg"];
    let data = ["/api/v1/ups/ups1/history?variable=ups.load"];
    let parts: Vec<&str> = ["/", "/ups/ups1"].into_iter().chain(views).chain(assets).chain(data).collect();
    let sizes: Vec<(usize, usize)> = parts
        .iter()
        .map(|target| {
            let whole = site.get(target);
            assert_eq!(whole.status, 200, "{target}");
            (whole.body.len(), compressed(&whole.body))
        })
        .collect();
    println!("{parts:?}: {sizes:?}");
    let sum: usize = sizes.iter().map(|(_, compressed)| compressed).sum();
    assert!(sum <= 50_000, "{sum} bytes compressed");
}

#[test]
fn a_thousand_upses_stand_on_one_page() {
    let page = sites::many(1000).text("/");
    assert_eq!(page.matches("<tr role=\"row\" data-level=").count(), 1000);
    assert!(page.contains("1000 in all: 20 to look at, 980 well"));
}

fn refused(change: impl FnOnce(&mut Asked<'_>)) -> Whole {
    let mut asked = Asked {
        method: "GET",
        path: "/",
        query: None,
        host: Some("127.0.0.1:9550"),
        accept: None,
        known: None,
        has_body: false,
    };
    change(&mut asked);
    match answer(&asked, &Place::default(), &Static::usual()) {
        web::PageAnswer::Whole(whole) => whole,
        web::PageAnswer::Events(_) | web::PageAnswer::Past(_) => panic!("not at once"),
    }
}

#[test]
fn every_path_is_for_names_of_the_server_alone() {
    let paths = [
        "/",
        "/ups/rack",
        "/page.css",
        "/page.js",
        "/icon.svg",
        "/api/v1/ups",
        "/api/v1/ups/rack",
        "/api/v1/events",
        "/api/v1/openapi.json",
        "/healthz",
        "/metrics",
        "/ups_metrics",
        "/nut",
        "/plots.js",
        "/uplot.js",
        "/ups/rack/history",
        "/ups/rack/outages",
        "/ups/rack/battery",
        "/api/v1/ups/rack/history",
        "/api/v1/ups/rack/outages",
        "/api/v1/ups/rack/energy",
        "/nothing",
    ];
    for path in paths {
        for host in [None, Some("evil.example"), Some("127.0.0.1.evil.example:80")] {
            let whole = refused(|asked| {
                asked.path = path;
                asked.host = host;
            });
            assert_eq!((whole.status, whole.is_last), (421, true), "{path} {host:?}");
            assert!(!body(&whole).contains("evil"));
        }
    }
}

#[test]
fn it_can_only_be_read() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get"] {
        assert_eq!(refused(|asked| asked.method = method).status, 405, "{method}");
    }
    assert_eq!(refused(|asked| asked.has_body = true).status, 413);
    assert_eq!(refused(|asked| asked.method = "HEAD").status, 200);
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let first = refused(|asked| asked.path = "/page.js");
    let again = refused(|asked| {
        asked.path = "/page.js";
        asked.known = first.tag;
    });
    assert_eq!((first.status, again.status, again.body.len()), (200, 304, 0));
}

#[test]
fn a_name_that_is_missing_is_said_and_escaped() {
    let site = Static::of(vec![ups("rack", DataState::Fresh, &[])]);
    for target in ["/ups/%3Cb%3E", "/api/v1/ups/%3Cb%3E", "/ups_metrics?ups=%3Cb%3E", "/nut?target=%3Cb%3E"] {
        let whole = site.get(target);
        assert_eq!(whole.status, 404, "{target}");
        assert!(whole.content_type.starts_with("text/plain") || !body(&whole).contains("<b>"), "{target}");
    }
}
