//! Pages, JSON and metrics of a running server: the UPSes that it serves, what is stale, TLS, reloads, and many clients that
//! only hold connections.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{FakeDriver, Site, free_port, program};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = qxups-sim\ndesc = \"The <rack>\"\n[odd]\ndriver = fake\nport = auto\n\
                    [gone]\ndriver = usbhid-ups\nport = auto\n";
const DUMP: &str = "SETINFO ups.status \"OL\"\nSETINFO battery.charge \"57\"\nSETINFO ups.mfr \"<b>Caf\"\nADDCMD load.off\nDATAOK\n\
                    DUMPDONE\n";

/// A site with pages on a port of loopback.
struct Pages {
    site: Site,
    odd: FakeDriver,
    port: u16,
}

impl Pages {
    fn start(name: &str, more: &str) -> Pages {
        let port = free_port();
        let mut site = Site::new(&format!("pages-{name}"), CONF, "");
        site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n{more}"));
        let odd = FakeDriver::start(&site, "fake-odd", DUMP);
        site.start();
        site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
        site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OL\"");
        Pages { site, odd, port }
    }

    fn get(&self, target: &str) -> String {
        get(self.port, target, "localhost").unwrap()
    }

    fn until(&self, target: &str, wanted: &str) {
        let mut last = String::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            last = self.get(target);
            if last.contains(wanted) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no {wanted} in {last}");
    }
}

/// The whole answer to a request.
fn get(port: u16, target: &str, host: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut all = String::new();
    stream.read_to_string(&mut all)?;
    Ok(all)
}

#[test]
fn what_the_server_serves_is_on_its_pages() {
    let pages = Pages::start("served", "");
    let metrics = pages.get("/metrics");
    for line in [
        "qxups_up{ups=\"rack\"} 1",
        "qxups_up{ups=\"odd\"} 1",
        "qxups_up{ups=\"gone\"} 0",
        "qxups_driver_connected{ups=\"gone\"} 0",
        "qxups_battery_charge_ratio{ups=\"odd\"} 0.57",
        "qxups_status{ups=\"rack\",flag=\"OL\"} 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} in {metrics}");
    }
    let count = |metrics: &str, result: &str| -> f64 {
        let start = format!("qxups_exchanges_total{{ups=\"rack\",result=\"{result}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
    };
    assert!(count(&metrics, "ok") > 2.0);
    std::thread::sleep(Duration::from_secs(3));
    assert!(count(&pages.get("/metrics"), "ok") > count(&metrics, "ok"));
    // values are those that a client of NUT reads
    let volts = pages.site.ask("GET VAR rack battery.voltage.nominal");
    let volts = volts.split('"').nth(1).unwrap();
    let json = pages.get("/api/v1/ups/rack");
    assert!(
        json.contains(&format!("\"battery.voltage.nominal\",\"value\":\"{volts}\",\"unit\":\"V\"")),
        "{json}"
    );
    let page = pages.get("/");
    assert!(page.contains("The &lt;rack&gt;") && page.contains("3 in all: 1 at risk, 2 well"), "{page}");
    assert!(pages.get("/ups/odd").contains("&lt;b&gt;Caf") && pages.get("/ups/odd").contains("load.off"));
    assert!(pages.get("/ups_metrics?ups=odd").contains("network_ups_tools_battery_charge{ups=\"odd\"} 57"));
    assert!(pages.get("/nut?target=odd").contains("nut_battery_charge{ups=\"odd\"} 0.57"));
    assert!(get(pages.port, "/metrics", "evil.example").unwrap().starts_with("HTTP/1.1 421"));
}

#[test]
fn what_is_stale_leaves_pages_and_metrics() {
    let pages = Pages::start("stale", "");
    assert!(pages.get("/api/v1/ups/odd").contains("\"57\""));
    pages.odd.say("DATASTALE\n");
    pages.until("/metrics", "qxups_up{ups=\"odd\"} 0");
    for target in ["/metrics", "/api/v1/ups/odd", "/ups/odd", "/nut"] {
        let shown = pages.get(target);
        assert!(
            !shown.contains("0.57") && !shown.contains("57 ") && !shown.contains("\"57\""),
            "{target}: {shown}"
        );
    }
    assert!(pages.get("/ups/odd").contains("No fresh data"));
    assert!(pages.get("/ups_metrics?ups=odd").starts_with("HTTP/1.1 503"));
    pages.odd.say("SETINFO battery.charge \"58\"\nDATAOK\n");
    pages.until("/metrics", "qxups_battery_charge_ratio{ups=\"odd\"} 0.58");
    pages.site.ask("GET VAR rack ups.status");
    drop(pages.odd);
    let began = Instant::now();
    while !get(pages.port, "/metrics", "localhost").unwrap().contains("qxups_driver_connected{ups=\"odd\"} 0")
    {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(50));
    }
    // a driver that is there, and has said nothing yet
    let _odd = FakeDriver::start(&pages.site, "fake-odd", "");
    pages.site.until("it is asked", || pages.site.ask("GET VAR odd ups.status").contains("WAIT"));
    let shown = get(pages.port, "/metrics", "localhost").unwrap();
    assert!(shown.contains("qxups_up{ups=\"odd\"} 0"), "{shown}");
}

#[test]
fn an_event_of_a_ups_is_heard_at_once() {
    let pages = Pages::start("events", "");
    let mut stream = TcpStream::connect(("127.0.0.1", pages.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut until = |wanted: &str| {
        let mut room = [0; 4096];
        while !heard.contains(wanted) {
            let read = stream.read(&mut room).unwrap();
            assert!(read > 0, "it ended after {heard}");
            heard.push_str(&String::from_utf8_lossy(&room[..read]));
        }
        heard.clear();
    };
    until("\"odd\"");
    pages.odd.say("SETINFO ups.status \"OB LB\"\n");
    until("\"condition\":\"On battery, battery low\",\"level\":\"bad\"");
    let set = pages.site.connect().user("first", "one").ask("FSD odd");
    assert_eq!(set, "OK FSD-SET");
    until("Forced shutdown");
}

#[test]
fn a_reload_moves_pages_and_names() {
    let pages = Pages::start("reload", "");
    let toml = |text: &str| pages.site.write("qxups.toml", text);
    let reload = || pages.site.signal(nix::sys::signal::Signal::SIGHUP);
    let other = free_port();
    assert!(get(pages.port, "/", "ups.example.org").unwrap().starts_with("HTTP/1.1 421"));
    let both = format!("'127.0.0.1:{}', '127.0.0.1:{other}'", pages.port);
    toml(&format!("[web]\nlisten = [{both}]\nhosts = ['ups.example.org']\nbase = '/power'\n"));
    reload();
    pages.site.until("the other port", || get(other, "/", "localhost").is_ok());
    assert!(get(pages.port, "/power/", "ups.example.org").unwrap().starts_with("HTTP/1.1 200"));
    // a file that is wrong changes nothing
    toml("[web]\nlisten = ['nowhere']\n");
    reload();
    pages.site.until("it says so", || pages.site.log().contains("going on as before"));
    assert!(get(pages.port, "/", "ups.example.org").unwrap().starts_with("HTTP/1.1 200"));
    let mut waits = TcpStream::connect(("127.0.0.1", other)).unwrap();
    waits.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    toml("");
    reload();
    pages.site.until("it is off", || {
        get(pages.port, "/", "localhost").is_err() && get(other, "/", "localhost").is_err()
    });
    assert!(matches!(waits.read(&mut [0]), Ok(0) | Err(_)));
    assert_eq!(pages.site.ask("GET VAR rack ups.status"), "VAR rack ups.status \"OL\"");
}

#[test]
fn pages_are_encrypted_where_it_is_said() {
    if program("openssl").is_none() {
        return println!("no openssl here");
    }
    let pages = Pages::start("tls", "tls = true\n");
    for (version, target) in [("-tls1_2", "/healthz"), ("-tls1_3", "/"), ("-tls1_3", "/metrics")] {
        let place = format!("127.0.0.1:{}", pages.port);
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", version, "-connect", &place])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        client.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        let said = String::from_utf8(client.wait_with_output().unwrap().stdout).unwrap();
        assert!(said.starts_with("HTTP/1.1 200"), "{version} {target}: {said}");
    }
    // nothing in the clear, and who stops in the midst of a handshake costs nothing
    let plain = get(pages.port, "/", "localhost");
    assert!(!plain.is_ok_and(|plain| plain.contains("HTTP")));
    let mut half = TcpStream::connect(("127.0.0.1", pages.port)).unwrap();
    half.write_all(&[0x16, 0x03, 0x01]).unwrap();
    assert_eq!(pages.site.ask("GET VAR rack ups.status"), "VAR rack ups.status \"OL\"");
}

#[test]
fn clients_that_only_hold_connections_cost_others_nothing() {
    let pages = Pages::start("crowd", "");
    let crowd: Vec<TcpStream> = (0..400)
        .map(|number: usize| {
            let mut stream = TcpStream::connect(("127.0.0.1", pages.port)).unwrap();
            let said: &[u8] = match number % 4 {
                0 => b"",
                1 => b"GET / HTTP/1.1\r\nHost: local",
                2 => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                _ => b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n",
            };
            // one that had to make room may be gone
            let _ = stream.write_all(said);
            stream
        })
        .collect();
    let metrics = pages.get("/metrics");
    assert!(metrics.contains("qxups_up{ups=\"rack\"} 1"), "{metrics}");
    assert_eq!(pages.site.ask("GET VAR rack ups.status"), "VAR rack ups.status \"OL\"");
    // not because they had left by then
    let count = |name: &str| -> u32 {
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
    };
    assert_eq!(count("qxups_http_connections "), 256);
    assert!(count("qxups_http_connections_dropped_total ") > 100);
    drop(crowd);
}

#[test]
fn a_port_that_is_taken_costs_pages_alone() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut site = Site::new("pages-taken", CONF, "");
    site.write("qxups.toml", &format!("[web]\nlisten = ['{address}']\n"));
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    assert!(site.log().contains(&format!("cannot serve pages on {address}")), "{}", site.log());
    drop(taken);
    site.until("it is served in the end", || get(address.port(), "/", "localhost").is_ok());
}

/// The simulated UPS is asked for its status every two seconds, and for its ratings once.
#[test]
fn an_age_is_that_of_the_reading() {
    let pages = Pages::start("ages", "");
    std::thread::sleep(Duration::from_secs(8));
    let json = pages.get("/api/v1/ups/rack");
    let age = |name: &str| -> f64 {
        let (_, rest) = json.split_once(&format!("{{\"name\":\"{name}\",")).unwrap();
        let (_, rest) = rest.split_once("\"age_s\":").unwrap();
        rest.split(',').next().unwrap().parse().unwrap()
    };
    assert!(age("input.voltage") < 4.0 && age("battery.voltage.nominal") > 6.0, "{json}");
}
