//! An outage until the machines are shut down: Debian's upsmon as primary and as two secondaries, a simulated UPS whose battery
//! runs low. The primary forces the shutdown, the secondaries follow first, then the primary.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::monitor::Monitor;
use site::{Site, nut_judge};

const CONF: &str = "[rack]\ndriver = qxups-sim\nscenario = outage\npollinterval = 1\n";
/// Low from the fourteenth second on.
const OUTAGE: &str = "at 8s mains fail\nat 14s charge 5\nevery 1s load 30\n";

#[test]
fn upsmon_shuts_two_secondaries_and_the_primary_down() {
    let Some(upsmon) = nut_judge("upsmon") else { return };
    let mut site = Site::new("shutdown", CONF, "");
    site.write("outage", OUTAGE);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let primary = Monitor::start(&site, &upsmon, "primary", "rack", ["first", "one", "primary"]);
    let secondaries = ["one", "other"]
        .map(|name| Monitor::start(&site, &upsmon, name, "rack", ["second", "two", "secondary"]));
    site.until("all are logged in", || site.ask("GET NUMLOGINS rack") == "NUMLOGINS rack 3");
    let clients = site.connect().list("LIST CLIENT rack");
    assert_eq!(clients[1..clients.len() - 1], ["CLIENT rack 127.0.0.1"; 3]);
    site.until("the UPS is on battery", || site.ask("GET VAR rack ups.status").contains("OB"));
    assert!(primary.shut_down().is_none(), "on battery, not low");
    assert!(secondaries.iter().all(|known| known.shut_down().is_none()), "on battery, not low");
    site.until("the shutdown is forced", || site.ask("GET VAR rack ups.status").contains("\"FSD "));
    for secondary in &secondaries {
        site.until("the secondary is shut down", || secondary.shut_down().is_some());
    }
    site.until("the primary is shut down", || primary.shut_down().is_some());
    for secondary in &secondaries {
        assert!(secondary.shut_down() <= primary.shut_down(), "{}", primary.log());
        let seen = secondary.log();
        assert!(seen.contains("on battery") && seen.contains("forced shutdown in progress"), "{seen}");
    }
    let log = site.log();
    assert_eq!(log.matches("second@127.0.0.1 logged in to UPS rack").count(), 2, "{log}");
    for line in [
        "first@127.0.0.1 logged in to UPS rack",
        "first@127.0.0.1 sets the forced shutdown (FSD) of UPS rack",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

/// A secondary may log in, and neither force a shutdown nor be the primary.
#[test]
fn only_a_primary_forces_a_shutdown() {
    let site = Site::started("rights", "[rack]\ndriver = qxups-sim\n", "");
    for (user, password, primary, fsd) in [
        ("second", "two", "ERR ACCESS-DENIED", "ERR ACCESS-DENIED"),
        ("admin", "secret", "ERR ACCESS-DENIED", "OK FSD-SET"),
        ("first", "one", "OK PRIMARY-GRANTED", "OK FSD-SET"),
    ] {
        let mut client = site.connect().user(user, password);
        assert_eq!(client.ask("PRIMARY rack"), primary, "{user}");
        assert_eq!(client.ask("FSD rack"), fsd, "{user}");
    }
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"FSD OL\"");
    // the latch is not of the connection
    assert_eq!(site.ask("GET VAR rack ups.status"), "VAR rack ups.status \"FSD OL\"");
}
