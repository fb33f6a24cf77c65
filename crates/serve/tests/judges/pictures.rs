//! The pictures of `docs/page.md`, made anew: `cargo test -p serve --test judges -- --ignored pictures`. Look at them before they
//! are committed.

use crate::site::{Site, free_port, judge, past};
use crate::{both, existing, installed, script};
use std::path::Path;
use std::process::{Command, Stdio};

const CONF: &str = "[rack]\ndriver = qxups-sim\ndesc = \"Rack, on mains\"\n\
                    [office]\ndriver = qxups-sim\nprotocol = voltronic\nscenario = on-battery\ndesc = \"Office, on battery\"\n\
                    [lab]\ndriver = qxups-sim\nprotocol = voltronic\ndesc = \"Lab\"\n\
                    [cellar]\ndriver = usbhid-ups\nport = auto\ndesc = \"Cellar\"\n";

#[test]
#[ignore = "writes into docs/"]
fn pictures_of_the_pages() {
    let port = free_port();
    let mut site = Site::new("judge-pictures", CONF, "");
    let extras =
        format!("[web]\nlisten = ['127.0.0.1:{port}']\nread_only = true\n[history]\nenabled = true\n");
    site.write("qxups.toml", &extras);
    past::write(&site.state().join("history.sqlite"), "rack", 30);
    site.start();
    for (ups, status) in [("rack", "OL"), ("office", "OB"), ("lab", "OL")] {
        site.until_answer(
            &format!("GET VAR {ups} ups.status"),
            &format!("VAR {ups} ups.status \"{status}\""),
        );
    }
    let chromium = judge("chromium", existing("/usr/bin/chromium")).expect("chromium");
    let output = Command::new("timeout")
        .args(["120", "node"])
        .arg(script("pictures.js"))
        .arg(format!("http://localhost:{port}/"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs"))
        .env("JUDGES", installed())
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(both(&output).ends_with("ok\n"), "{}", both(&output));
}
