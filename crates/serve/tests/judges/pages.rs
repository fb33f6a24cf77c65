//! The pages and metrics before programs of others: Prometheus and promtool, chromium with axe-core, schemathesis.

use crate::site::{FakeDriver, Site, free_port, judge, past};
use crate::{both, ended, existing, installed, script};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = qxups-sim\ndesc = \"The <script>rack</script> & more\"\n\
                    [attic]\ndriver = qxups-sim\nprotocol = voltronic\nscenario = on-battery\n\
                    [odd]\ndriver = fake\nport = auto\n[gone]\ndriver = usbhid-ups\nport = auto\n";
const DUMP: &str = "SETINFO battery.charge \"57\"\nSETINFO battery.runtime \"1320\"\nSETINFO ups.load \"23\"\n\
                    SETINFO ups.temperature \"31.5\"\nSETINFO battery.voltage \"27.3\"\nSETINFO input.voltage \"231.4\"\n\
                    SETINFO device.mfr \"<img src=x onerror=alert(1)>\"\nSETINFO ups.status \"OL\"\nADDCMD load.off\nDATAOK\nDUMPDONE\n";

struct Pages {
    site: Site,
    odd: FakeDriver,
    port: u16,
}

fn pages(name: &str) -> Pages {
    pages_with(name, "")
}

/// With a month of history of the rack.
fn pages_with_history(name: &str) -> Pages {
    pages_with(name, "[history]\nenabled = true\n")
}

fn pages_with(name: &str, more: &str) -> Pages {
    let port = free_port();
    let mut site = Site::new(&format!("judge-pages-{name}"), CONF, "");
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n{more}"));
    if !more.is_empty() {
        past::write(&site.state().join("history.sqlite"), "rack", 30);
    }
    let odd = FakeDriver::start(&site, "fake-odd", DUMP);
    site.start();
    for (ups, status) in [("rack", "OL"), ("attic", "OB"), ("odd", "OL")] {
        site.until_answer(
            &format!("GET VAR {ups} ups.status"),
            &format!("VAR {ups} ups.status \"{status}\""),
        );
    }
    Pages { site, odd, port }
}

fn get(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {target} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{target}: {all}");
    body.into()
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn debian(name: &str) -> Option<String> {
    judge(name, existing(format!("/usr/bin/{name}")))
}

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

#[test]
fn promtool_has_nothing_to_say_of_the_metrics() {
    let Some(promtool) = debian("promtool") else { return };
    let pages = pages("promtool");
    for (target, is_ours) in [("/metrics", true), ("/ups_metrics?ups=rack", false), ("/nut", false)] {
        let metrics = get(pages.port, target);
        let mut check = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        let said = both(&output);
        // names of others are as they are; 3 is what its linter does not like
        let is_read = output.status.success() || !is_ours && output.status.code() == Some(3);
        assert!(is_read, "{target}: {said}\n{metrics}");
        assert!(!is_ours || said.trim().is_empty(), "{target}: {said}");
    }
}

#[test]
fn promtool_tries_the_alert_rules() {
    let Some(promtool) = debian("promtool") else { return };
    let of_fleets = packaging("fleet/prometheus.yml").display().to_string();
    for arguments in [
        vec![
            "test".into(),
            "rules".into(),
            packaging("prometheus/qxups.rules.test.yml").display().to_string(),
        ],
        vec!["test".into(), "rules".into(), packaging("fleet/fleet.rules.test.yml").display().to_string()],
        vec!["check".into(), "config".into(), "--syntax-only".into(), of_fleets],
    ] {
        let output = ended(Command::new(&promtool).args(&arguments));
        assert!(output.status.success(), "{arguments:?}: {}", both(&output));
    }
}

/// Prometheus with a folder of its own that scrapes these paths every second.
fn prometheus(program: &str, pages: &Pages, paths: &[&str]) -> (Running, u16) {
    let port = free_port();
    let mut conf = format!(
        "global:\n  scrape_interval: 1s\nrule_files: ['{}']\nscrape_configs:\n",
        packaging("prometheus/qxups.rules.yml").display()
    );
    for (at, path) in paths.iter().enumerate() {
        let (path, parameter) = path.split_once('?').unwrap_or((path, ""));
        let job = if at == 0 { "qxups".into() } else { format!("other{at}") };
        conf += &format!("  - job_name: {job}\n    metrics_path: {path}\n");
        if let Some((name, value)) = parameter.split_once('=') {
            conf += &format!("    params: {{ {name}: ['{value}'] }}\n");
        }
        conf += &format!("    static_configs: [{{ targets: ['127.0.0.1:{}'] }}]\n", pages.port);
    }
    pages.site.write("prometheus.yml", &conf);
    let log = std::fs::File::create(pages.site.folder.join("prometheus.log")).unwrap();
    let running = Command::new(program)
        .arg(format!("--config.file={}", pages.site.folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", pages.site.folder.join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let running = Running(running);
    pages.site.until("Prometheus runs", || is_ready(port));
    (running, port)
}

fn is_ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let asked =
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && answer.contains(" 200 ")
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn query(port: u16, query: &str) -> String {
    get(port, &format!("/api/v1/query?query={}", encoded(query)))
}

fn until_query(pages: &Pages, port: u16, asked: &str, wanted: &str) {
    let mut last = String::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        last = query(port, asked);
        if last.contains(wanted) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let log = std::fs::read_to_string(pages.site.folder.join("prometheus.log")).unwrap();
    panic!("{asked}: {last}, not {wanted}\n{log}");
}

#[test]
fn prometheus_scrapes_all_of_it() {
    let Some(program) = debian("prometheus") else { return };
    let pages = pages("prometheus");
    let (_running, port) =
        prometheus(&program, &pages, &["/metrics", "/ups_metrics?ups=odd", "/nut?target=odd"]);
    // all three targets are up: what it scrapes it could read, in the format that it prefers
    until_query(&pages, port, "sum(up)", "\"3\"]");
    for (asked, value) in [
        ("qxups_up{ups=\"gone\"}", "0"),
        ("qxups_battery_charge_ratio{ups=\"odd\"}", "0.57"),
        ("network_ups_tools_battery_charge", "57"),
        ("nut_battery_charge", "0.57"),
        ("qxups_status{ups=\"attic\",flag=\"OB\"}", "1"),
        ("count(qxups_ups_info)", "3"),
    ] {
        until_query(&pages, port, asked, &format!("\"{value}\"]"));
    }
    // every query of the dashboards has data
    let read = |name: &str| std::fs::read_to_string(packaging(name)).unwrap();
    let dashboards = read("grafana/qxups.json") + &read("fleet/fleet-dashboard.json");
    let exprs: BTreeSet<&str> =
        dashboards.lines().filter_map(|line| line.trim().strip_prefix("\"expr\": \"")).collect();
    assert!(exprs.len() >= 20, "{exprs:?}");
    for expr in exprs {
        let expr = expr.trim_end_matches("\",").trim_end_matches('"').replace("\\\"", "\"");
        let expr = expr.replace("$job", ".+").replace("$ups", ".+").replace("[5m]", "[20s]");
        // these are labels of an agent at a site
        let expr = expr.replace("$region", ".*").replace("$site", ".*");
        until_query(&pages, port, &expr, "\"value\"");
    }
    // with the data of a UPS its series end, at once and not five minutes later
    pages.odd.say("DATASTALE\n");
    until_query(&pages, port, "qxups_up{ups=\"odd\"}", "\"0\"]");
    until_query(&pages, port, "absent(qxups_battery_charge_ratio{ups=\"odd\"})", "\"1\"]");
    // of one UPS that is stale a scrape under the names of others fails
    until_query(&pages, port, "sum(up)", "\"1\"]");
    assert!(get(pages.port, "/nut").contains("nut_battery_charge{ups=\"rack\"}"));
}

#[test]
fn schemathesis_finds_what_the_description_says() {
    let Some(program) = judge("schemathesis", existing(installed().join("venv-pages/bin/schemathesis")))
    else {
        return;
    };
    let pages = pages_with_history("schemathesis");
    let base = format!("http://127.0.0.1:{}", pages.port);
    // that a range begins before it ends cannot be said in the document: what is refused for that is well-formed
    pages.site.write(
        "schemathesis.toml",
        "[[operations]]\ninclude-path = \"/api/v1/ups/{name}/history\"\n[operations.checks.positive_data_acceptance]\n\
         expected-statuses = [\"2xx\", \"400\", \"404\", \"503\"]\n",
    );
    // as who only reads, and as a user
    for (who, examples) in [([].as_slice(), "40"), (&["--auth", "admin:secret"], "10")] {
        // it takes seconds where the machine has nothing else to do
        let mut run = Command::new("timeout");
        run.args(["300", &program, "run", &format!("{base}/api/v1/openapi.json"), "--url", &base]).args(who);
        // events never end
        run.args([
            "--exclude-path",
            "/api/v1/events",
            "--checks",
            "all",
            "--max-examples",
            examples,
            "--seed",
            "1",
        ]);
        run.args(["--phases", "examples,coverage,fuzzing", "--no-color"]).current_dir(&pages.site.folder);
        let output = run.stdin(Stdio::null()).env("HOME", &pages.site.folder).output().unwrap();
        assert!(output.status.success(), "{}", both(&output));
    }
}

#[test]
fn chromium_and_axe_find_nothing_wrong() {
    let playwright = existing(installed().join("node_modules/playwright-core"));
    let axe = existing(installed().join("node_modules/axe-core"));
    let Some(chromium) = debian("chromium") else { return };
    let (Some(_), Some(_)) = (judge("playwright-core", playwright), judge("axe-core", axe)) else { return };
    let mut pages = pages_with_history("browser");
    let screens = installed().join("screens");
    std::fs::create_dir_all(&screens).unwrap();
    let browser = Command::new("timeout")
        .args(["900", "node"])
        .arg(script("browser.js"))
        .arg(format!("http://localhost:{}/", pages.port))
        .arg(&screens)
        .env("JUDGES", installed())
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut browser = Running(browser);
    let lines = BufReader::new(browser.0.stdout.take().unwrap()).lines();
    let (mut all, mut began) = (vec![], Instant::now());
    for line in lines {
        let line = line.unwrap();
        println!("{line} ({:?})", began.elapsed());
        match line.as_str() {
            "watching" => pages.odd.say("SETINFO ups.status \"OB\"\nSETINFO battery.charge \"41\"\n"),
            "value seen" => pages.odd.say("DATASTALE\n"),
            "stale seen" => pages.odd.say("DATAOK\n"),
            "fresh seen" => pages.site.kill(),
            _ => {}
        }
        began = Instant::now();
        all.push(line);
    }
    assert_eq!(all.last().map(String::as_str), Some("ok"), "{all:?}");
}

/// As docs/page.md has it, with the path taken away, and as a proxy that leaves it.
#[test]
fn nginx_passes_pages_on_below_a_path() {
    let Some(nginx) = judge("nginx", existing("/usr/sbin/nginx")) else { return };
    let pages = pages("nginx");
    let (port, folder) = (free_port(), pages.site.folder.display());
    let address = format!("127.0.0.1:{}", pages.port);
    pages.site.write(
        "qxups.toml",
        &format!("[web]\nlisten = ['{address}']\nhosts = ['ups.example.org']\nbase = '/left'\n"),
    );
    pages.site.signal(nix::sys::signal::Signal::SIGHUP);
    pages.site.until("it is reloaded", || pages.site.log().contains("reload: "));
    pages.site.write(
        "nginx.conf",
        &format!(
            "daemon off;\nuser root;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {folder};\nproxy_temp_path {folder};\nfastcgi_temp_path {folder};\n\
             uwsgi_temp_path {folder};\nscgi_temp_path {folder};\nserver {{\nlisten 127.0.0.1:{port};\n\
             location /ups/ {{ proxy_pass http://{address}/; proxy_buffering off; \
             proxy_set_header X-Forwarded-Proto $scheme; }}\n\
             location /left/ {{ proxy_pass http://{address}; proxy_set_header Host $host; }}\n}}\n}}\n"
        ),
    );
    let conf = pages.site.folder.join("nginx.conf");
    let log = std::fs::File::create(pages.site.folder.join("nginx.err")).unwrap();
    let running = Command::new(nginx).arg("-c").arg(conf).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let _running = Running(running);
    pages.site.until("nginx runs", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let ask = |target: &str, host: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        all
    };
    for (base, host) in [("/ups/", "example.org"), ("/left/", "ups.example.org")] {
        let first = ask(base, host);
        assert!(first.contains(" 200 ") && first.contains("href=\"ups/rack\""), "{first}");
        // where the links of the pages lead from there
        for target in ["page.css", "page.js", "ups/rack", "api/v1/ups", "metrics"] {
            assert!(ask(&format!("{base}{target}"), host).contains(" 200 "), "{base}{target}");
        }
    }
    assert!(ask("/left/", "evil.example").contains(" 421 "));
    // this proxy is spoken to in the clear, and says so
    let login = ask("/ups/login", "example.org");
    assert!(login.contains("to the proxy is not encrypted") && !login.contains("<form"), "{login}");
    // events are not held back
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"GET /ups/api/v1/events HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut until = |wanted: &str| {
        let mut room = [0; 4096];
        while !heard.contains(wanted) {
            let read = stream.read(&mut room).unwrap();
            assert!(read > 0, "it ended after {heard}");
            heard.push_str(&String::from_utf8_lossy(&room[..read]));
        }
    };
    until("\"odd\"");
    pages.odd.say("SETINFO ups.status \"OB\"\n");
    until("\"name\":\"odd\",\"description\":null,\"state\":\"fresh\",\"condition\":\"On battery\"");
}
