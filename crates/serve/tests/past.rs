//! The history of a running server over HTTP: what is in the file is in the answer, a disk that hangs holds nothing else up, and
//! without a history it says how to get one.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::past::{AWAY, OUTAGES, now_s, write};
use site::{FakeDriver, Site, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = usbhid-ups\n[<b>]\ndriver = fake\nport = auto\n";
const DUMP: &str =
    "SETINFO ups.status OL\nSETINFO battery.charge 97\nSETINFO ups.load 20\nDATAOK\nDUMPDONE\n";

/// A site whose history has so many days.
fn started(name: &str, days: i64, history: &str) -> (Site, FakeDriver, u16) {
    let port = free_port();
    let mut site = Site::new(&format!("past-{name}"), CONF, "");
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n{history}"));
    if days > 0 {
        write(&site.state().join("history.sqlite"), "rack", days);
    }
    let driver = FakeDriver::start(&site, "usbhid-ups-rack", DUMP);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    (site, driver, port)
}

const ON: &str = "[history]\nenabled = true\n";

fn get(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    all
}

/// The numbers of a column, `null` as none.
fn column(json: &str, source: &str, name: &str) -> Vec<Option<f64>> {
    let Some((_, rest)) = json.split_once(&format!("{{\"source\":\"{source}\",")) else { return vec![] };
    let (_, rest) = rest.split_once(&format!("\"{name}\":[")).unwrap();
    rest.split(']').next().unwrap().split(',').map(|number| number.parse().ok()).collect()
}

#[test]
fn a_day_is_as_it_was_written() {
    let (_site, _driver, port) = started("day", 2, ON);
    let volts = get(port, "/api/v1/ups/RACK/history?variable=input.voltage&points=200");
    assert!(
        volts.starts_with("HTTP/1.1 200")
            && volts.contains("\"ups\":\"rack\",\"variable\":\"input.voltage\",\"unit\":\"V\"")
    );
    let (at, span) = (column(&volts, "said", "at_s"), column(&volts, "said", "span_s"));
    let (lowest, highest) = (column(&volts, "said", "lowest"), column(&volts, "said", "highest"));
    assert!((120..=202).contains(&at.len()) && column(&volts, "computed", "at_s").is_empty(), "{}", at.len());
    // in order, each begins where the one before ends
    for row in 1..at.len() {
        assert_eq!(at[row - 1].unwrap() + span[row - 1].unwrap(), at[row].unwrap());
    }
    // the time without the server is a gap, and no other is
    let gaps: Vec<usize> = (0..at.len()).filter(|row| lowest[*row].is_none()).collect();
    assert_eq!(gaps.len(), 1, "{volts}");
    let gap = gaps[0];
    let away = (now_s() - AWAY.0) as f64;
    assert!((at[gap].unwrap() - away).abs() < 1300.0, "{:?} {away}", at[gap]);
    assert!((span[gap].unwrap() - AWAY.1 as f64).abs() < 1300.0, "{:?}", span[gap]);
    // volts of mains, but in the outage
    let outage = (now_s() - OUTAGES[3].0) as f64;
    for row in (0..at.len()).filter(|row| *row != gap) {
        let (begin, end) = (at[row].unwrap(), at[row].unwrap() + span[row].unwrap());
        let is_out = begin < outage + OUTAGES[3].1 as f64 + 10.0 && end > outage - 10.0;
        assert!((226.0..237.0).contains(&highest[row].unwrap()) || is_out, "{row}: {:?}", highest[row]);
        assert_eq!(lowest[row].unwrap() < 100.0, lowest[row] == Some(0.0));
        assert!(lowest[row].unwrap() > 220.0 || is_out, "{row} {:?}", lowest[row]);
    }
    assert!(lowest.iter().flatten().any(|volts| *volts == 0.0));
}

#[test]
fn what_was_estimated_is_a_series_of_its_own() {
    let (_site, _driver, port) = started("estimated", 30, ON);
    let charge = get(port, "/api/v1/ups/rack/history?variable=battery.charge&from=0&points=50");
    let (said, computed) = (column(&charge, "said", "at_s"), column(&charge, "computed", "at_s"));
    assert!(said.len() + computed.len() <= 106 && !said.is_empty() && !computed.is_empty(), "{charge}");
    assert!(computed.last().unwrap() <= said.first().unwrap());
    // all of it begins with what is first
    let from: f64 = charge.split("\"from_s\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((from - (now_s() - 30 * 86_400) as f64).abs() < 7300.0, "{from}");
    let page = get(port, "/ups/rack/history?range=all");
    assert!(page.contains("Charge, estimated") && page.contains("class=\"band line1 estimated\""), "{page}");
}

/// The time before the history has no part in a series, also where it is asked for, and a range that is none is refused.
#[test]
fn a_series_begins_with_its_first_reading() {
    let (_site, _driver, port) = started("begin", 2, ON);
    let begin = now_s() - 2 * 86_400;
    let at = |query: &str| get(port, &format!("/api/v1/ups/rack/history?variable=ups.load&{query}"));
    for from in ["0", "-40000000", "1"] {
        let load = at(&format!("from={from}&points=50"));
        let (at, span) = (column(&load, "said", "at_s"), column(&load, "said", "span_s"));
        let (first, length) = (at[0].unwrap(), span[0].unwrap());
        // it was written from the full minute on
        assert!((begin as f64 - 90.0..=begin as f64 + 1.0).contains(&first), "{from}: {first} {begin}");
        assert!(length > 0.0 && first + length == at[1].unwrap(), "{from}: {length}");
        assert!(load.contains(&format!("\"from_s\":{first},")), "{load}");
        // as fine as two days in 50 points are
        assert!(span.iter().all(|span| span.unwrap() <= 3600.0 * 4.0), "{span:?}");
    }
    // within the history a point may have begun before
    let within = at("from=-86400&points=50");
    assert!(column(&within, "said", "at_s")[0].unwrap() <= (now_s() - 86_400) as f64, "{within}");
    for wrong in ["from=-10&to=-100", "from=4000000000", "from=2000000000&to=1000000000"] {
        let answer = at(wrong);
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("ends before it begins"), "{answer}");
    }
    assert!(at("from=-100&to=-100").starts_with("HTTP/1.1 200"));
}

/// An outage that lasts is as long as it is now, not as it was when the last minute was written.
#[test]
fn an_outage_that_lasts_is_told_as_of_now() {
    let (site, driver, port) = started("lasts", 0, ON);
    driver.say("SETINFO ups.status \"OB DISCHRG\"\n");
    let began = Instant::now();
    let length = || -> Option<f64> {
        let json = get(port, "/api/v1/ups/RACK/outages");
        json.contains("\"lasts\":true").then_some(())?;
        json.split("\"length_s\":").nth(1)?.split(',').next()?.parse().ok()
    };
    // long before a minute has passed
    site.until("it is five seconds long", || length().is_some_and(|length| length >= 5.0));
    assert!(length().unwrap() <= began.elapsed().as_secs_f64() + 1.0);
    assert!(get(port, "/ups/rack/outages").contains("It lasts."));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    driver.say("SETINFO ups.status OL\n");
    site.until("it is over", || get(port, "/api/v1/ups/rack/outages").contains("\"lasts\":false"));
}

#[test]
fn outages_and_energy_are_those_of_the_file() {
    let (_site, _driver, port) = started("outages", 30, ON);
    let json = get(port, "/api/v1/ups/rack/outages");
    assert_eq!(json.matches("\"begin\":").count(), 4, "{json}");
    let lengths: Vec<&str> =
        json.split("\"length_s\":").skip(1).map(|rest| rest.split(',').next().unwrap()).collect();
    assert_eq!(lengths, ["720", "960", "240", "1500"]);
    assert!(
        json.contains("\"lowest_charge_percent\":52,\"lowest_charge_percent_source\":\"computed\""),
        "{json}"
    );
    let energy = get(port, "/api/v1/ups/rack/energy");
    let number = |name: &str| -> f64 {
        let (_, rest) = energy.split_once(name).unwrap();
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    };
    // a load of 19 to 40 percent of 900 W, and 3 hours in which none was seen
    let (day, seen) = (number("\"last_24h\":{\"wh\":"), number("\"seen_s\":"));
    assert!((74_000.0..76_000.0).contains(&seen), "{energy}");
    assert!((19.0 * 9.0..40.0 * 9.0).contains(&(day * 3600.0 / seen)), "{energy}");
    assert!(number("\"wh\":") > 150_000.0 && energy.contains("\"source\":\"computed\""), "{energy}");
    // the last outage: 720 s took 26 of 100
    let page = get(port, "/ups/rack/battery");
    assert!(page.contains("100 to 74\u{a0}%") && page.contains("46 min, "), "{page}");
    // whose charge is estimated nothing follows from
    assert_eq!(page.matches("<small>estimated</small>").count(), 4 + 1 + 3, "{page}");
}

#[test]
fn without_a_history_it_says_how_to_get_one() {
    let (site, _driver, port) = started("off", 0, "");
    let answer = get(port, "/api/v1/ups/rack/history?variable=ups.load");
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("enabled = true below [history]"),
        "{answer}"
    );
    assert!(!get(port, "/ups/rack").contains("plots.js"));
    // and with the next reload it is there
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n{ON}"));
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("it is there", || get(port, "/api/v1/ups/rack/energy").starts_with("HTTP/1.1 200"));
    assert!(get(port, "/ups/rack").contains("plots.js"));
    let page = get(port, "/ups/%3Cb%3E/history");
    assert!(page.contains("nothing of this time") && !page.contains("<b>"), "{page}");
}

/// A pipe that no program writes to: whoever opens it waits, as for a disk that hangs.
#[test]
fn a_disk_that_hangs_delays_the_history_alone() {
    let (site, _driver, port) = started("hangs", 1, ON);
    let file = site.state().join("history.sqlite");
    assert!(get(port, "/api/v1/ups/rack/outages").starts_with("HTTP/1.1 200"));
    std::fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let waits: Vec<_> = (0..40)
        .map(|_| std::thread::spawn(move || (Instant::now(), get(port, "/api/v1/ups/rack/outages")).1))
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    for target in ["/", "/ups/rack", "/api/v1/ups", "/metrics"] {
        let began = Instant::now();
        assert!(get(port, target).starts_with("HTTP/1.1 200"), "{target}");
        assert!(began.elapsed() < Duration::from_secs(5), "{target}");
    }
    assert_eq!(site.ask("GET VAR rack ups.status"), "VAR rack ups.status \"OL\"");
    // each of them has an answer
    for wait in waits {
        let answer = wait.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
}

/// `cargo test -p serve --test past -- --ignored --nocapture` measures it, with `--release` as it is served.
#[test]
#[ignore = "measures: the times depend on the build, and on what else the machine does"]
fn a_year_is_drawn_within_200_ms() {
    let (_site, _driver, port) = started("year", 366, ON);
    let api = |variable: &str, from: i64| format!("/api/v1/ups/rack/history?variable={variable}&from={from}");
    let mut targets: Vec<String> = vec![];
    for from in [-3600, -86_400, -7 * 86_400, -30 * 86_400, -366 * 86_400, 0] {
        targets
            .extend(["input.voltage", "battery.charge", "ups.realpower"].map(|variable| api(variable, from)));
    }
    targets.extend(
        ["1h", "24h", "7d", "30d", "1y", "all"].map(|range| format!("/ups/rack/history?range={range}")),
    );
    targets.extend(["outages", "battery"].map(|view| format!("/ups/rack/{view}")));
    targets.push("/api/v1/ups/rack/energy".into());
    for target in targets {
        let mut times: Vec<Duration> = (0..5)
            .map(|_| {
                let began = Instant::now();
                assert!(get(port, &target).starts_with("HTTP/1.1 200"), "{target}");
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{target}: {:?}, slowest {:?}", times[2], times[4]);
        assert!(
            !target.contains("variable=") || times[2] < Duration::from_millis(200),
            "{target}: {times:?}"
        );
    }
}
