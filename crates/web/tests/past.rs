//! Views of the history: what the history has is in each, what is estimated is marked, and nothing of the disk is waited for
//! by others.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod sites;

use sites::{Static, body, past, ups};
use web::view::DataState;
use web::{Asked, PageAnswer, PastAsk, PastTrouble, Place, answer, past_answer};

fn ask(target: &str, site: &Static) -> PastAsk {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let asked = Asked {
        method: "GET",
        path,
        query,
        host: Some("localhost"),
        accept: None,
        known: None,
        has_body: false,
    };
    match answer(&asked, &Place::default(), site) {
        PageAnswer::Past(ask) => ask,
        other => panic!("{target}: {other:?}"),
    }
}

#[test]
fn a_ups_without_history_says_how_to_get_one() {
    let site = Static::of(vec![ups("rack", DataState::Fresh, &sites::USUAL)]);
    for target in
        ["/api/v1/ups/rack/history?variable=ups.load", "/api/v1/ups/rack/outages", "/api/v1/ups/rack/energy"]
    {
        let whole = site.get(target);
        assert_eq!((whole.status, whole.content_type), (404, "application/json"), "{target}");
        assert!(body(&whole).contains("enabled = true below [history] in qxups.toml"), "{target}");
    }
    for target in ["/ups/rack/history", "/ups/rack/outages", "/ups/rack/battery"] {
        assert!(site.text(target).contains("enabled = true below [history] in qxups.toml"), "{target}");
    }
    let page = site.text("/ups/rack");
    assert!(!page.contains("plots.js") && !page.contains("history"), "{page}");
}

#[test]
fn what_is_wrong_is_said_before_the_history_is_asked() {
    let site = Static::usual();
    for (target, status, part) in [
        ("/api/v1/ups/rack/history", 400, "variable=input.voltage"),
        ("/api/v1/ups/rack/history?variable=ups.mfr", 400, "there are input.voltage"),
        ("/api/v1/ups/rack/history?variable=ups.load&points=3", 400, "from 50 to 2000"),
        ("/api/v1/ups/nothing/energy", 404, "No UPS here is called 'nothing'"),
        ("/ups/nothing/history", 404, "No such UPS"),
    ] {
        let whole = site.get(target);
        assert_eq!(whole.status, status, "{target}");
        assert!(body(&whole).contains(part), "{target}: {}", body(&whole));
    }
}

#[test]
fn trouble_of_the_file_is_the_answer() {
    let site = Static::usual();
    for (trouble, part) in [
        (PastTrouble::Busy, "try again later"),
        (PastTrouble::Late, "did not answer in time"),
        (PastTrouble::Broken("the <disk> fails".into()), "disk"),
    ] {
        for target in ["/api/v1/ups/rack/energy", "/ups/rack/outages"] {
            let whole = past_answer(&ask(target, &site), &site, Err(trouble.clone()));
            assert_eq!(whole.status, 503, "{target}");
            assert!(
                body(&whole).contains(part) && !body(&whole).contains("<disk>"),
                "{target}: {}",
                body(&whole)
            );
        }
    }
    // it left while its history was read
    let asked = ask("/ups/rack/battery", &site);
    site.0.borrow_mut().upses.clear();
    assert_eq!(past_answer(&asked, &site, Ok(past())).status, 404);
}

#[test]
fn ranges_are_links_and_each_plot_has_its_table() {
    let page = Static::usual().text("/ups/rack/history?range=7d");
    for word in ["1h", "24h", "7d", "30d", "1y", "all"] {
        assert!(page.contains(&format!("<a href=\"history?range={word}\"")), "{word}");
    }
    assert!(page.contains("range=7d\" aria-current=\"true\""));
    let figures = page.matches("<figure").count();
    assert_eq!(figures, 6);
    assert_eq!((page.matches("<svg").count(), page.matches("<details>").count()), (figures, figures));
    // outages are in the drawings, and estimates are marked
    assert_eq!(page.matches("class=\"away\"").count(), 3 * figures);
    assert!(page.contains("Output, estimated") && page.contains("Dashed lines are estimated"), "{page}");
    assert!(page.contains("no data") && !page.contains("NaN"), "{page}");
    assert!(
        page.contains("240\u{a0}Wh")
            && page.contains("12.35\u{a0}kWh")
            && page.contains("<small>computed</small>")
    );
}

#[test]
fn an_outage_says_what_was_not_seen_of_it() {
    let page = Static::usual().text("/ups/rack/outages");
    let rows: Vec<&str> = page.split("<tr role=\"row\"><th role=\"rowheader\"").skip(1).collect();
    assert_eq!(rows.len(), 3);
    // the latest first
    assert!(rows[0].contains("It lasts.") && !rows[0].contains("longer"), "{}", rows[0]);
    assert!(
        rows[1].contains("beginning was not seen")
            && rows[1].contains("longer")
            && rows[1].contains("battery was low")
    );
    assert!(
        !rows[2].contains("seen.") && rows[2].contains("10 min 0 s") && rows[2].contains("75\u{a0}%"),
        "{}",
        rows[2]
    );
    // what the UPS says has no mark, what was computed has one
    assert!(rows[2].contains("24.1\u{a0}V</td>") && rows[2].contains("23\u{a0}%</td>"), "{}", rows[2]);
    assert!(rows[2].contains("50\u{a0}Wh<small>estimated</small>"));
    assert!(
        rows[1].contains("24.1\u{a0}V<small>estimated</small>")
            && rows[1].contains("23\u{a0}%<small>estimated</small>"),
        "{}",
        rows[1]
    );
}

#[test]
fn of_a_battery_nothing_old_is_shown_and_nothing_invented() {
    let site = Static::usual();
    let page = site.text("/ups/rack/battery");
    assert!(
        page.contains("57\u{a0}%") && page.contains("22 min 0 s") && page.contains("says no date"),
        "{page}"
    );
    // a quarter of the charge in 10 minutes and 50 Wh is a whole one in 40 minutes and 200 Wh
    assert_eq!(page.matches("40 min, 200\u{a0}Wh<small>estimated</small>").count(), 1, "{page}");
    assert!(page.contains("100 to 75\u{a0}%</td>"), "{page}");
    site.0.borrow_mut().upses[0].computed = vec!["battery.charge".into()];
    assert!(site.text("/ups/rack/battery").contains("57\u{a0}%<small>not said by the UPS</small>"));
    let mut stale = ups("rack", DataState::Stale, &sites::USUAL);
    stale.has_history = true;
    let page = Static::of(vec![stale]).text("/ups/rack/battery");
    assert!(!page.contains("57\u{a0}%") && page.contains("no fresh word"), "{page}");
}
