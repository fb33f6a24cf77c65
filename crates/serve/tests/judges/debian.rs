//! Debian's programs that read UPSes: the pages of nut-cgi, collectd, check_ups. (upsc, upscmd, upsrw, upslog are in
//! `tests/clients.rs`, upsmon in `tests/shutdown.rs`.)

use crate::site::{Site, judge};
use crate::{assert_beeper_off, both, ended, existing, printed, site};
use std::path::Path;
use std::process::{Command, Stdio};

fn cgi(name: &str) -> Option<String> {
    judge("nut-cgi", existing(Path::new("/usr/lib/cgi-bin/nut").join(name)))
}

/// A page of nut-cgi, as a web server asks for it. upsstats.cgi 2.8.0 reads /etc/nut and no other folder, so the one of
/// the site is mounted there, for this program alone.
fn page(site: &Site, program: &str, query: &str) -> String {
    let mount = "mount --bind \"$0\" /etc/nut && exec \"$1\"";
    printed(
        Command::new("unshare")
            .args(["-m", "sh", "-c", mount])
            .arg(&site.folder)
            .arg(program)
            .env("REQUEST_METHOD", "GET")
            .env("QUERY_STRING", query)
            .env("REMOTE_ADDR", "127.0.0.1"),
    )
}

fn configure_pages(site: &Site) {
    let hosts: String = ["rack", "attic", "gone", "odd"]
        .iter()
        .map(|ups| format!("MONITOR {ups}@127.0.0.1:{} \"Place of {ups}\"\n", site.port))
        .collect();
    site.write("hosts.conf", &hosts);
    site.write("upsset.conf", "I_HAVE_SECURED_MY_CGI_DIRECTORY\n");
    for name in ["upsstats.html", "upsstats-single.html"] {
        site.write(name, &std::fs::read_to_string(Path::new("/etc/nut").join(name)).unwrap());
    }
}

#[test]
fn the_pages_of_upsstats() {
    let Some(upsstats) = cgi("upsstats.cgi") else { return };
    let may_mount = ended(Command::new("unshare").args(["-m", "true"])).status.success();
    if judge("upsstats.cgi before a folder of its own (root may mount one)", may_mount.then(String::new))
        .is_none()
    {
        return;
    }
    let (site, _odd) = site("upsstats");
    configure_pages(&site);
    let all = page(&site, &upsstats, "");
    for text in ["Place of rack", "Place of attic", "Place of gone", "ONLINE", "ON BATTERY", "230.0"] {
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(all.contains("[error: Driver not connected]"), "{all}");
    let one = page(&site, &upsstats, &format!("host=rack@127.0.0.1:{}", site.port));
    for text in ["Place of rack", "ONLINE", "230.0 V<br>", "ALT=\"Input voltage: 230.0\""] {
        assert!(one.contains(text), "{text}: {one}");
    }
    let tree = page(&site, &upsstats, &format!("host=rack@127.0.0.1:{}&treemode", site.port));
    for line in site.connect().list("LIST VAR rack").iter().filter(|line| line.starts_with("VAR")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(tree.contains(name), "{name}: {tree}");
    }
}

/// A form of upsset.cgi, sent.
fn sent(site: &Site, program: &str, fields: &str) -> String {
    let mut running = Command::new(program)
        .env("NUT_CONFPATH", &site.folder)
        .env("REQUEST_METHOD", "POST")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), fields.as_bytes()).unwrap();
    String::from_utf8(running.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn the_forms_of_upsset() {
    let Some(upsset) = cgi("upsset.cgi") else { return };
    let (site, _odd) = site("upsset");
    configure_pages(&site);
    let user = format!("username=admin&password=secret&monups=rack%40127.0.0.1%3A{}", site.port);
    let form = |fields: &str| sent(&site, &upsset, &format!("{user}&{fields}"));
    // (it knows no TYPE that is a range, and shows such a setting as unrecognized, with upsd as well)
    let settings = form("function=showsettings");
    let label = "Interval to wait before (re)starting the load (seconds)";
    assert!(settings.contains(label) && settings.contains("Save changes"), "{settings}");
    let commands = form("function=showcmds");
    let option = "<OPTION VALUE=\"beeper.toggle\">Toggle the UPS beeper</OPTION>";
    assert!(commands.contains(option), "{commands}");
    let done = form("function=docmd&upscommand=beeper.toggle");
    assert!(done.contains("Sending command: beeper.toggle\nResponse: OK\n"), "{done}");
    assert_beeper_off(&site);
    let saved = form("function=savesettings&UPSVAR_ups.delay.start=240");
    assert!(saved.contains("set ups.delay.start to 240 (was 180)\nOK\nUpdated 1 setting.\n"), "{saved}");
    assert_eq!(site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
    // the lists of values are of the other driver
    let user = format!("username=admin&password=secret&monups=odd%40127.0.0.1%3A{}", site.port);
    let choices = sent(&site, &upsset, &format!("{user}&function=showsettings"));
    assert!(choices.contains("<OPTION VALUE=\"high\""), "{choices}");
}

#[test]
fn check_ups_of_the_monitoring_plugins() {
    let path = existing("/usr/lib/nagios/plugins/check_ups");
    let Some(check_ups) = judge("check_ups", path) else { return };
    let (site, _odd) = site("check_ups");
    let check = |ups: &str, more: &[&str]| {
        let port = site.port.to_string();
        let arguments = ["-H", "127.0.0.1", "-p", &port, "-u", ups];
        let output = ended(Command::new(&check_ups).args(arguments).args(more));
        (output.status.code().unwrap(), both(&output))
    };
    let mains = "Status=Online Utility=230.0V Batt=100.0% Load=20.0% Temp=";
    for (ups, more, code, said) in [
        ("rack", &[][..], 0, format!("UPS OK - {mains}77.0F|")),
        ("rack", &["-T"], 0, format!("UPS OK - {mains}25.0C|")),
        ("rack", &["-v", "LOADPCT", "-w", "10", "-c", "90"], 1, format!("UPS WARNING - {mains}77.0F|")),
        ("rack", &["-v", "LOADPCT", "-w", "10", "-c", "15"], 2, format!("UPS CRITICAL - {mains}77.0F|")),
        ("attic", &[], 1, "UPS WARNING - Status=On Battery Utility=0.0V".into()),
        ("gone", &[], 2, "ERR DRIVER-NOT-CONNECTED".into()),
        ("none", &[], 2, "CRITICAL - no such UPS 'none' on that host".into()),
    ] {
        let (ended, printed) = check(ups, more);
        assert!(ended == code && printed.contains(&said), "{ups} {more:?}: {ended} {printed}");
    }
    let mut primary = site.connect().user("first", "one");
    assert_eq!(primary.ask("FSD attic"), "OK FSD-SET");
    let (code, printed) = check("attic", &[]);
    assert!(code == 1 && printed.contains("On Battery"), "{code} {printed}");
}

#[test]
fn collectd_keeps_figures() {
    let Some(collectd) = judge("collectd", existing("/usr/sbin/collectd")) else { return };
    let (site, _odd) = site("collectd");
    let folder = site.folder.display();
    let conf = format!(
        "Hostname \"judge\"\nInterval 1\nBaseDir \"{folder}\"\nPIDFile \"{folder}/collectd.pid\"\n\
         TypesDB \"/usr/share/collectd/types.db\"\nLoadPlugin logfile\n<Plugin logfile>\nLogLevel info\nFile \"{folder}/collectd.log\"\n</Plugin>\n\
         LoadPlugin csv\n<Plugin csv>\nDataDir \"{folder}/csv\"\nStoreRates false\n</Plugin>\n\
         LoadPlugin nut\n<Plugin nut>\nUPS \"rack@127.0.0.1:{}\"\n</Plugin>\n",
        site.port
    );
    site.write("collectd.conf", &conf);
    let running = Running(
        Command::new(collectd)
            .arg("-f")
            .arg("-C")
            .arg(site.folder.join("collectd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let read = |figure: &str| {
        let files = std::fs::read_dir(site.folder.join("csv/127.0.0.1/nut-rack"));
        let paths = files.map(|all| all.map(|entry| entry.unwrap().path()).collect()).unwrap_or(vec![]);
        let file = paths.iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(figure));
        let text = file.map(|path| std::fs::read_to_string(path).unwrap()).unwrap_or_default();
        text.lines().skip(1).filter_map(|line| Some(line.split_once(',')?.1.to_string())).collect::<Vec<_>>()
    };
    // three rounds on one connection, each with all that the UPS says
    for (figure, value) in [
        ("percent-load", "20.000000"),
        ("percent-charge", "100.000000"),
        ("voltage-input", "230.000000"),
        ("voltage-output", "230.000000"),
        ("voltage-battery", "27.200000"),
        ("frequency-input", "50.000000"),
        ("temperature-ups", "25.000000"),
    ] {
        site.until(figure, || read(figure).len() >= 3);
        assert!(read(figure).iter().all(|known| known == value), "{figure}: {:?}", read(figure));
    }
    let log = std::fs::read_to_string(site.folder.join("collectd.log")).unwrap();
    assert_eq!(log.matches("established").count(), 1, "{log}");
    drop(running);
}

/// A program that ends with its test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
