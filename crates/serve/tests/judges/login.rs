//! Login, commands and settings in chromium with axe-core: on a narrow and a wide screen, in the light and in the dark, by the
//! keyboard, and without scripts.

use crate::site::{Site, free_port, judge};
use crate::{both, existing, installed, script};
use std::process::{Command, Stdio};

fn served(name: &str, users: Option<&str>) -> (Site, u16) {
    let port = free_port();
    let mut site = Site::new(&format!("judge-login-{name}"), "[rack]\ndriver = qxups-sim\n", "");
    if let Some(users) = users {
        site.write("upsd.users", users);
    }
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{port}']\n"));
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    (site, port)
}

#[test]
fn chromium_logs_in_and_commands_and_axe_finds_nothing_wrong() {
    let playwright = existing(installed().join("node_modules/playwright-core"));
    let axe = existing(installed().join("node_modules/axe-core"));
    let Some(chromium) = judge("chromium", existing("/usr/bin/chromium")) else { return };
    let (Some(_), Some(_)) = (judge("playwright-core", playwright), judge("axe-core", axe)) else { return };
    let (_with_users, port) = served("users", None);
    let (without, first) = served("first", Some("[reader]\npassword = one\nupsmon secondary\n"));
    without.until("the code stands in the log", || without.log().contains("give this code: "));
    let log = without.log();
    let code = log.split("give this code: ").nth(1).and_then(|rest| rest.lines().next()).unwrap().trim();
    let screens = installed().join("screens");
    std::fs::create_dir_all(&screens).unwrap();
    let output = Command::new("timeout")
        .args(["480", "node"])
        .arg(script("login.js"))
        .args([format!("http://localhost:{port}/"), format!("http://localhost:{first}/")])
        .arg(code)
        .arg(&screens)
        .env("JUDGES", installed())
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = both(&output);
    assert!(said.lines().any(|line| line == "ok"), "{said}");
}
