//! Notifications of a server: what drivers say comes to programs, web servers and mails of the test's own; the judge is what
//! was said, and what these received.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::receiver::{Receiver, Reply};
use site::{FakeDriver, Site, free_port};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = usbhid-ups\n";
const SOCKET: &str = "usbhid-ups-rack";
const DUMP: &str = "SETINFO ups.status OL\nSETINFO battery.charge 97\nSETINFO battery.runtime 1200\nDATAOK\nDUMPDONE\n";
const TO_BATTERY: &str = "SETINFO ups.status \"OB DISCHRG\"\nSETINFO battery.charge 60\n";
const TO_MAINS: &str = "SETINFO ups.status OL\n";

fn hook(url: &str) -> String {
    format!("[outputs.hook]\nkind = 'webhook'\nurl = '{url}'\nlimit_s = 2\n")
}

fn on_battery(more: &str) -> String {
    format!("[[notify]]\nwhen = 'on battery'\nto = ['hook']\n{more}\n")
}

/// A site whose driver has said that all is well.
fn started(name: &str, extras: &str) -> (Site, FakeDriver) {
    let mut site = Site::new(name, CONF, "");
    site.write("qxups.toml", extras);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    (site, driver)
}

#[test]
fn an_outage_is_told_at_its_beginning_and_at_its_end() {
    let receiver = Receiver::start();
    let (site, driver) = started("notify-outage", &(hook(&receiver.url()) + &on_battery("")));
    driver.say(TO_BATTERY);
    site.until("it begins", || receiver.all().len() == 1);
    driver.say(TO_MAINS);
    site.until("it ends", || receiver.all().len() == 2);
    let all = receiver.all();
    assert_eq!(all[0].field("title"), "rack is on battery");
    assert_eq!((all[0].field("kind"), all[0].field("type")), ("began".into(), "ONBATT".into()));
    let text = all[0].field("text");
    assert!(text.contains("UPS rack is on battery since 20") && text.contains("status OB DISCHRG"), "{text}");
    assert!(text.contains("Hosts shut down when the battery is low"), "{text}");
    assert!(all[1].field("title").starts_with("rack is on mains again after "), "{:?}", all[1]);
    assert_eq!(all[1].field("type"), "ONLINE");
    assert_ne!(all[0].field("id"), all[1].field("id"));
    let list = serve::program::timers(Some(&site.state())).unwrap();
    assert!(list.contains("rule \"on battery\": on battery, to hook") && list.contains("nothing waits"), "{list}");
}
