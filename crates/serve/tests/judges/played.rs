//! Clients that cannot be installed here, played from the bytes that they send, as read in their sources: go.nut (of
//! telegraf), WinNUT, PeaNUT, netdata's go.d, and the NAS boxes of Synology and QNAP.

use crate::site;
use crate::site::{Client, Site};
use std::time::Duration;

/// The words of errors that upsd has; WinNUT throws on any other.
const ERRORS: [&str; 23] = [
    "ACCESS-DENIED",
    "UNKNOWN-UPS",
    "VAR-NOT-SUPPORTED",
    "CMD-NOT-SUPPORTED",
    "INVALID-ARGUMENT",
    "INSTCMD-FAILED",
    "SET-FAILED",
    "READONLY",
    "TOO-LONG",
    "FEATURE-NOT-SUPPORTED",
    "FEATURE-NOT-CONFIGURED",
    "ALREADY-SSL-MODE",
    "DRIVER-NOT-CONNECTED",
    "DATA-STALE",
    "ALREADY-LOGGED-IN",
    "INVALID-PASSWORD",
    "ALREADY-SET-PASSWORD",
    "INVALID-USERNAME",
    "ALREADY-SET-USERNAME",
    "USERNAME-REQUIRED",
    "PASSWORD-REQUIRED",
    "UNKNOWN-COMMAND",
    "INVALID-VALUE",
];

/// go.nut reads each answer with a reader of its own, so nothing may follow an answer unasked; it takes an ERR in a
/// list for no end, and reads until the server closes.
#[test]
fn go_nut_of_telegraf() {
    let (site, _odd) = site("go-nut");
    let mut client = site.connect();
    let silent = |client: &mut Client| {
        client.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let more = client.stream.peek(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(more.ok(), None, "nothing is said unasked");
        client.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    };
    assert!(client.ask("VER").starts_with("Network UPS Tools upsd 2.8.0"));
    assert_eq!(client.ask("NETVER"), "1.3");
    silent(&mut client);
    assert_eq!(
        client.list("LIST UPS")[1..],
        [
            "UPS rack \"The rack\"",
            "UPS attic \"Description unavailable\"",
            "UPS gone \"Description unavailable\"",
            "UPS odd \"Description unavailable\"",
            "END LIST UPS"
        ]
    );
    for list in ["LIST CLIENT rack", "LIST CMD rack", "LIST VAR rack"] {
        let lines = client.list(list);
        assert_eq!((&lines[0], lines.last()), (&format!("BEGIN {list}"), Some(&format!("END {list}"))));
        silent(&mut client);
    }
    for line in client.list("LIST VAR rack").iter().filter(|line| line.starts_with("VAR")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(client.ask(&format!("GET DESC rack {name}")).starts_with(&format!("DESC rack {name} \"")));
        let kind = client.ask(&format!("GET TYPE rack {name}"));
        assert!(kind.starts_with(&format!("TYPE rack {name} ")), "{kind}");
    }
    assert_eq!(client.ask("LIST VAR gone"), "ERR DRIVER-NOT-CONNECTED");
    silent(&mut client);
    assert_eq!(client.ask("LOGOUT"), "OK Goodbye");
    assert!(client.is_closed(Duration::from_secs(5)), "it reads on until the end");
    // telegraf with a user, and an order
    let mut client = site.connect().user("admin", "secret");
    assert_eq!(client.ask("INSTCMD rack beeper.toggle"), "OK");
    crate::assert_beeper_off(&site);
}

/// WinNUT opens two connections, speaks on one, and ends its lines with `\r\r\n`.
#[test]
fn winnut() {
    let (site, _odd) = site("winnut");
    let mut idle = site.connect();
    let mut client = site.connect();
    let mut ask = |line: &str| client.ask(&format!("{line}\r\r"));
    let version = ask("VER");
    let words: Vec<&str> = version.split(' ').collect();
    assert!(words.len() >= 5 && words[0] == "Network", "{version}");
    assert!(words[4].starts_with("2."), "its fifth word is the version: {version}");
    assert!(["1.0", "1.1", "1.2", "1.3"].contains(&ask("NETVER").as_str()));
    assert_eq!(ask("USERNAME second"), "OK");
    // without a password in its settings
    assert_eq!(ask("PASSWORD "), "ERR INVALID-ARGUMENT");
    assert_eq!(ask("PASSWORD two"), "OK");
    assert_eq!(ask("LOGIN rack"), "OK");
    assert_eq!(ask("GET UPSDESC rack"), "UPSDESC rack \"The rack\"");
    for name in
        ["battery.charge", "input.frequency", "input.voltage", "output.voltage", "ups.load", "ups.status"]
    {
        let said = ask(&format!("GET VAR rack {name}"));
        assert!(said.starts_with(&format!("VAR rack {name} \"")), "{said}");
        assert!(ask(&format!("GET DESC rack {name}")).starts_with(&format!("DESC rack {name} \"")));
    }
    for (line, word) in [
        ("GET VAR rack no.such", "VAR-NOT-SUPPORTED"),
        ("GET VAR gone ups.status", "DRIVER-NOT-CONNECTED"),
        ("GET VAR none ups.status", "UNKNOWN-UPS"),
        ("INSTCMD rack load.off", "ACCESS-DENIED"),
        ("LOGIN rack", "ALREADY-LOGGED-IN"),
        ("FROB", "UNKNOWN-COMMAND"),
        ("", "UNKNOWN-COMMAND"),
        ("STARTTLS", "FEATURE-NOT-CONFIGURED"),
    ] {
        assert!(ERRORS.contains(&word));
        assert_eq!(ask(line), format!("ERR {word}"), "{line}");
    }
    assert_eq!(ask("LOGOUT"), "OK Goodbye");
    assert_eq!(idle.ask("NETVER\r\r"), "1.3", "the connection that it does not use is left alone");
    // it leaves without a word
    drop(idle);
    site.until("its login ends with it", || site.ask("GET NUMLOGINS rack") == "NUMLOGINS rack 0");
}

/// PeaNUT waits for the first and the last line literally, and sets without quotes.
#[test]
fn peanut() {
    let (site, _odd) = site("peanut");
    let mut client = site.connect().user("admin", "secret");
    for list in [
        "LIST VAR rack",
        "LIST RW rack",
        "LIST CMD rack",
        "LIST RANGE odd input.transfer.low",
        "LIST ENUM odd input.sensitivity",
        "LIST CLIENT rack",
    ] {
        let lines = client.list(list);
        assert_eq!((&lines[0], lines.last()), (&format!("BEGIN {list}"), Some(&format!("END {list}"))));
    }
    assert_eq!(client.ask("SET VAR rack ups.delay.start 240"), "OK");
    site.until_answer("GET VAR rack ups.delay.start", "VAR rack ups.delay.start \"240\"");
    assert_eq!(client.ask("INSTCMD rack beeper.toggle"), "OK");
    crate::assert_beeper_off(&site);
    let quoted = "GET VAR odd ups.mfr";
    assert_eq!(client.ask(quoted).matches('"').count(), 2, "what it reads ends at the next quote");
}

/// netdata's go.d collector takes only `OK`, and an end that repeats its request.
#[test]
fn netdata() {
    let (site, _odd) = site("netdata");
    let mut client = site.connect().user("second", "two");
    for list in ["LIST UPS", "LIST VAR rack", "LIST VAR attic", "LIST VAR odd"] {
        let lines = client.list(list);
        assert_eq!((&lines[0], lines.last()), (&format!("BEGIN {list}"), Some(&format!("END {list}"))));
        // by a reader of CSV with blanks between
        for line in &lines[1..lines.len() - 1] {
            assert!(line.ends_with('"') && line.matches('"').count() == 2, "{line}");
        }
    }
    assert_eq!(client.ask("LOGOUT"), "OK Goodbye");
    assert!(client.is_closed(Duration::from_secs(5)));
}

/// A NAS that follows another's UPS is upsmon 2.7 with a name and a password that cannot be changed.
#[test]
fn nas_boxes_of_synology_and_qnap() {
    for (ups, user, password, profile) in
        [("ups", "monuser", "secret", "synology"), ("qnapups", "admin", "123456", "qnap")]
    {
        let mut site = Site::new(
            &format!("judge-{profile}"),
            &format!("[{ups}]\ndriver = qxups-sim\npollinterval = 1\n"),
            "",
        );
        site.write("upsd.users", &format!(
            "[{user}]\nprofile = {profile}\nallowfrom = 127.0.0.1\n[own]\npassword = own\nupsmon primary\n"
        ));
        site.start();
        site.until_answer(&format!("GET VAR {ups} ups.status"), &format!("VAR {ups} ups.status \"OL\""));
        let mut nas = site.connect();
        assert_eq!(nas.ask("STARTTLS"), "ERR FEATURE-NOT-CONFIGURED");
        assert_eq!(nas.ask(&format!("USERNAME {user}")), "OK");
        assert_eq!(nas.ask(&format!("PASSWORD {password}")), "OK");
        assert_eq!(nas.ask(&format!("LOGIN {ups}")), "OK");
        // a secondary: it may not force what the primary has not
        for request in ["MASTER", "FSD"] {
            assert_eq!(nas.ask(&format!("{request} {ups}")), "ERR ACCESS-DENIED");
        }
        assert_eq!(nas.ask(&format!("SET VAR {ups} ups.delay.start 240")), "ERR ACCESS-DENIED");
        assert_eq!(nas.ask(&format!("INSTCMD {ups} load.off")), "ERR ACCESS-DENIED");
        assert_eq!(nas.ask(&format!("GET VAR {ups} ups.status")), format!("VAR {ups} ups.status \"OL\""));
        assert_eq!(nas.ask(&format!("GET NUMLOGINS {ups}")), format!("NUMLOGINS {ups} 1"));
        let mut primary = site.connect().user("own", "own");
        assert_eq!(primary.ask(&format!("FSD {ups}")), "OK FSD-SET");
        assert_eq!(nas.ask(&format!("GET VAR {ups} ups.status")), format!("VAR {ups} ups.status \"FSD OL\""));
        assert_eq!(nas.ask("LOGOUT"), "OK Goodbye");
        site.until("its login ends with it", || {
            site.ask(&format!("GET NUMLOGINS {ups}")) == format!("NUMLOGINS {ups} 0")
        });
    }
}
