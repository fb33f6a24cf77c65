//! `qxups setup`, as a user runs it: on a terminal, in scripts, beside files that are there already.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use nut::upsd_users::{self, AllowedAction, Password};
use serve::passwords::is_password;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use testbed::tool::{Sim, read, text};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// What does not come within that does not come.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a distribution of NUT leaves: comments, and a setting or two.
const DEBIANS: [(&str, &str); 5] = [
    ("ups.conf", "# an example\n# [x]\n#   driver = usbhid-ups\n\nmaxretry = 3\n"),
    ("upsd.conf", "# LISTEN 127.0.0.1 3493\n# MAXAGE 15"),
    ("upsd.users", "# [admin]\n#   password = mypass\n"),
    (
        "upsmon.conf",
        "# MONITOR x@localhost 1 a b primary\nMINSUPPLIES 1\nSHUTDOWNCMD \"/sbin/shutdown -h +0\"\n",
    ),
    ("nut.conf", "# none, standalone, netserver, netclient\nMODE=none\n# the end\n"),
];

/// A folder of files and a simulated UPS on TCP; both go when this is dropped.
struct Site {
    ups: Sim,
    conf: PathBuf,
}

impl Site {
    fn new() -> Site {
        let ups = Sim::start(QXUPS, &["--protocol", "mecer", "--tcp", "127.0.0.1:0"]);
        let conf = ups.folder.join("nut");
        Site { ups, conf }
    }

    fn with(files: &[(&str, &str)]) -> Site {
        let site = Site::new();
        std::fs::create_dir(&site.conf).unwrap();
        for (name, text) in files {
            std::fs::write(site.conf.join(name), text).unwrap();
            std::fs::set_permissions(site.conf.join(name), PermissionsExt::from_mode(0o640)).unwrap();
        }
        site
    }

    fn server(&self) -> &str {
        self.ups.port.strip_prefix("tcp://").unwrap()
    }

    fn arguments(&self) -> Vec<String> {
        let conf = self.conf.display().to_string();
        ["setup", &conf, "--no-usb", "--tcp", self.server()].map(String::from).to_vec()
    }

    fn run(&self, more: &[&str]) -> Output {
        Command::new(QXUPS).args(self.arguments()).args(more).stdin(Stdio::null()).output().unwrap()
    }

    fn terminal(&self, more: &str) -> Terminal {
        Terminal::start(&format!("{} {more}", self.arguments().join(" ")))
    }

    /// All files of the folder, with what stands in them.
    fn files(&self) -> BTreeMap<String, String> {
        let Ok(entries) = std::fs::read_dir(&self.conf) else { return BTreeMap::new() };
        let entries = entries.map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path()))).collect()
    }

    fn check(&self) {
        let output =
            Command::new(QXUPS).arg("check-config").arg(self.conf.join("ups.conf")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

/// The program on a pseudo-terminal, by script(1) of util-linux.
struct Terminal {
    child: Child,
    typing: ChildStdin,
    shown: Receiver<Vec<u8>>,
    text: String,
    seen: usize,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    fn start(arguments: &str) -> Terminal {
        let mut child = Command::new("script")
            .args(["-qec", &format!("{QXUPS} {arguments}"), "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (typing, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                let _ = sender.send(bytes[..count].to_vec());
            }
        });
        Terminal { child, typing, shown, text: String::new(), seen: 0 }
    }

    /// Waits for a question, which is the last on the screen.
    fn question(&mut self, part: &str) -> &mut Terminal {
        while !(self.text[self.seen..].contains(part) && self.text.ends_with(": ")) {
            let more = self.shown.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|why| panic!("no '{part}' ({why}) in {}", self.text));
            self.text += &text(&more);
        }
        self.seen = self.text.len();
        self
    }

    fn types(&mut self, keys: &str) {
        self.typing.write_all(keys.as_bytes()).unwrap();
    }

    fn answer(&mut self, part: &str, answer: &str) {
        self.question(part).types(&format!("{answer}\n"));
    }

    /// The status at its end, and all that was shown.
    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(more) = self.shown.recv_timeout(PATIENCE) {
            self.text += &text(&more);
        }
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), self.text.clone());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        panic!("it goes on, after:\n{}", self.text);
    }
}

const QUESTIONS: [&str; 9] = [
    "Its name for clients",
    "Clients of NUT reach",
    "only watch",
    "Password of monitor",
    "may set and command",
    "Password of admin",
    "Keep a history",
    "in a browser?",
    "Write this?",
];

fn is_root() -> bool {
    Path::new("/proc/self").metadata().unwrap().uid() == 0
}

#[test]
fn what_is_answered_is_written_checked_and_served() {
    let site = Site::new();
    let mut terminal = site.terminal("--passwords hashed --serial /dev/no-such-port");
    terminal.answer("Its name for clients", "bad name");
    terminal.answer("write letters", "rack");
    terminal.answer("Clients of NUT reach", "");
    terminal.answer("only watch", "");
    terminal.answer("Password of monitor", "");
    terminal.answer("may set and command", "boss");
    terminal.answer("Password of boss", "two words");
    terminal.answer("not every client", "hush-hush");
    terminal.answer("Once more", "hush");
    terminal.answer("the two differ", "hush-hush");
    terminal.answer("Once more", "hush-hush");
    terminal.answer("Keep a history", "maybe");
    terminal.answer("write one of yes, no", "y");
    terminal.answer("in a browser?", "no");
    terminal.answer("Write this?", "yes");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
    site.check();
    let files = site.files();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["qxups.toml", "ups.conf", "upsd.conf", "upsd.users"]);
    assert!(files["qxups.toml"].contains("enabled = true") && !files["qxups.toml"].contains("web"));
    let users = upsd_users::parse(files["upsd.users"].as_bytes());
    let (monitor, boss) = (users.user("monitor").unwrap(), users.user("boss").unwrap());
    assert!(monitor.may_do(AllowedAction::Login) && monitor.may_do(AllowedAction::Primary));
    assert!(!monitor.may_do(AllowedAction::Set) && monitor.commands.is_empty());
    assert!(boss.may_do(AllowedAction::Set) && boss.may_run("load.off", "rack"));
    // the one that was made is shown, and is the one that counts
    let made = shown.lines().find_map(|line| line.trim().strip_prefix("monitor ")).unwrap().trim();
    for (user, password) in [(monitor, made), (boss, "hush-hush")] {
        let Some(Password::Hash(hash)) = &user.password else { panic!("{user:?}") };
        assert!(is_password(hash, password), "{}", user.name);
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (state, listen) = (site.ups.folder.join("state"), format!("127.0.0.1:{port}"));
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o777)).unwrap();
    let mut server = Command::new(QXUPS)
        .args(["serve", site.conf.to_str().unwrap(), "-l", &listen])
        .envs([("NUT_STATEPATH", &state), ("QXUPS_VARPATH", &state)])
        .spawn()
        .unwrap();
    let (there, end) = (format!("rack@{listen}"), Instant::now() + Duration::from_secs(60));
    let client =
        |arguments: &[&str]| Command::new(QXUPS).args(arguments).stdin(Stdio::null()).output().unwrap();
    while !client(&["get", &there, "ups.status"]).status.success() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = client(&["get", &there, "ups.status"]);
    let order = client(&["cmd", &there, "beeper.toggle", "-u", "boss", "-p", "hush-hush"]);
    let _ = server.kill();
    let _ = server.wait();
    assert!(text(&status.stdout).starts_with("OL"), "{status:?}");
    assert!(order.status.success(), "{order:?}");
}

/// What was typed unseen stays so, where the files have it as it is.
#[test]
fn a_plain_password_is_written_and_not_shown() {
    let site = Site::with(&DEBIANS);
    let mut terminal =
        site.terminal("--passwords plain --serial /dev/no-such-port --history no --page no --listen all");
    terminal.answer("Its name for clients", "");
    terminal.answer("only watch", "");
    terminal.answer("Password of monitor", "hush-hush");
    terminal.answer("Once more", "hush-hush");
    terminal.answer("may set and command", "-");
    terminal.answer("that feeds it", "other");
    terminal.answer("write one of sim1000", "sim1000");
    terminal.answer("Write this?", "y");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("hush") && shown.contains("systemctl restart nut-monitor"), "{shown}");
    let files = site.files();
    assert!(!files.contains_key("qxups.toml"));
    assert!(files["upsmon.conf"].ends_with("\nMONITOR sim1000@localhost 1 monitor \"hush-hush\" primary\n"));
    let users = upsd_users::parse(files["upsd.users"].as_bytes());
    assert_eq!(users.users.len(), 1);
    assert_eq!(users.users[0].password, Some(Password::Plain("hush-hush".into())));
    site.check();
}

#[test]
fn nothing_is_written_where_it_is_not_agreed_to() {
    // at each question the input ends; at some, Control-C comes
    for (at, _) in QUESTIONS.iter().enumerate() {
        for key in ["\u{4}", "\u{3}"] {
            if key == "\u{3}" && ![0, 3, 8].contains(&at) {
                continue;
            }
            let site = Site::with(&DEBIANS[..1]);
            let before = site.files();
            let mut terminal = site.terminal("--passwords hashed --serial /dev/no-such-port");
            QUESTIONS[..at].iter().for_each(|question| terminal.answer(question, ""));
            terminal.question(QUESTIONS[at]).types(key);
            let (code, shown) = terminal.end();
            assert_ne!(code, Some(0), "{at}: {shown}");
            assert_eq!(site.files(), before, "{at}: {shown}");
        }
    }
    for answer in ["no", "", "maybe", "yes please"] {
        let site = Site::new();
        let mut terminal = site.terminal("--passwords hashed --serial /dev/no-such-port");
        QUESTIONS[..8].iter().for_each(|question| terminal.answer(question, ""));
        terminal.answer(QUESTIONS[8], answer);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("nothing is written") && !site.conf.exists(), "{shown}");
    }
}

#[test]
fn scripts_are_told_what_to_give() {
    let site = Site::new();
    let output = site.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--yes"), "{output:?}");
    let output = site.run(&["--print"]);
    assert!(output.status.success() && !site.conf.exists(), "{output:?}");
    assert!(text(&output.stdout).contains("+ [sim1000]"), "{output:?}");
    let output = site.run(&["--yes", "--history", "no", "--page", "all", "--listen", "all"]);
    assert!(output.status.success(), "{output:?}");
    let files = site.files();
    assert!(files["upsd.conf"].contains("LISTEN 0.0.0.0 3493\n"), "{files:?}");
    assert!(
        files["qxups.toml"].contains("[web]\nlisten = [\"0.0.0.0:3494\"")
            && !files["qxups.toml"].contains("history")
    );
    site.check();
}

/// Files of a distribution are added to, and no line of theirs is lost.
#[test]
fn what_stands_in_files_stays() {
    let mut sites = vec![Site::with(&DEBIANS)];
    // those of the machine, where NUT is installed
    let there: Vec<(&str, String)> = DEBIANS
        .iter()
        .filter_map(|(name, _)| {
            Some((*name, std::fs::read_to_string(Path::new("/etc/nut").join(name)).ok()?))
        })
        .collect();
    if there.len() == DEBIANS.len() {
        sites.push(Site::with(&there.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>()));
    }
    for site in sites {
        let before = site.files();
        let output = site.run(&["--yes", "--upsmon", "sim1000"]);
        assert!(output.status.success(), "{output:?}");
        let after = site.files();
        for (name, text) in &before {
            let path = site.conf.join(name);
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o640, "{name}");
            match name.as_str() {
                "nut.conf" => assert_eq!(after[name], text.replace("\nMODE=none\n", "\nMODE=standalone\n")),
                _ => assert!(after[name].starts_with(text) && after[name].len() > text.len(), "{name}"),
            }
        }
        assert_eq!(after.len(), before.len() + 1, "{after:?}");
        site.check();
        let monitor = after["upsmon.conf"]
            .lines()
            .find(|line| line.starts_with("MONITOR sim1000@localhost 1 monitor"))
            .unwrap();
        let password = monitor.split('"').nth(1).unwrap();
        let users = upsd_users::parse(after["upsd.users"].as_bytes());
        let Some(Password::Hash(hash)) = &users.user("monitor").unwrap().password else { panic!() };
        assert!(is_password(hash, password));
        // a second time nothing is missing: the section names the device
        let output = site.run(&["--yes"]);
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("is [sim1000] of ups.conf already"), "{said}");
        assert!(said.contains("Nothing is missing"), "{said}");
        assert_eq!(site.files(), after);
    }
}

#[test]
fn what_is_said_already_is_not_said_again() {
    let files = [
        ("ups.conf", "[sim1000]\ndriver = usbhid-ups\nport = auto\n"),
        ("upsd.conf", "LISTEN 192.0.2.7 4000\n"),
        ("upsd.users", "[me]\npassword = x\nupsmon secondary\n[root]\npassword = y\ninstcmds = ALL\n"),
        ("qxups.toml", "[history]\nenabled = false\n"),
    ];
    let site = Site::with(&files);
    let output = site.run(&["--yes"]);
    assert!(output.status.success(), "{output:?}");
    let after = site.files();
    for (name, text) in files {
        match name {
            "ups.conf" => {
                assert!(
                    after[name].starts_with(text) && after[name].contains("\n[sim1000-2]\n"),
                    "{}",
                    after[name]
                );
            }
            "qxups.toml" => {
                assert!(after[name].starts_with(text) && after[name].contains("[web]"));
                assert_eq!(after[name].matches("[history]").count(), 1);
            }
            _ => assert_eq!(after[name], text),
        }
    }
}

#[test]
fn what_cannot_be_added_to_is_refused() {
    for (name, text, part) in [
        ("ups.conf", "[a]\ndriver = usbhid-ups\nport = auto\ndesc = \"open\n", "ups.conf"),
        ("upsd.users", "[a]\npassword = \"open\n", "upsd.users"),
        ("upsd.conf", "MAXAGE never\n", "upsd.conf, line 1"),
        ("qxups.toml", "[history\n", "qxups.toml, line 1"),
        ("qxups.toml", "[histroy]\n", "did you mean history"),
    ] {
        let site = Site::with(&[(name, text)]);
        let before = site.files();
        let output = site.run(&["--yes"]);
        let said = self::text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(part) && said.contains("nothing is written"), "{name}: {said}");
        assert_eq!(site.files(), before, "{name}");
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written_over() {
    for name in ["ups.conf", "qxups.toml"] {
        let site = Site::with(&DEBIANS[..3]);
        let mut terminal = site.terminal("--passwords hashed --serial /dev/no-such-port");
        QUESTIONS[..8].iter().for_each(|question| terminal.answer(question, ""));
        terminal.question(QUESTIONS[8]);
        std::fs::write(site.conf.join(name), "# by another program\n").unwrap();
        let before = site.files();
        terminal.types("yes\n");
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("another program changed it meanwhile"), "{shown}");
        assert_eq!(site.files(), before, "{shown}");
    }
}

#[test]
fn a_full_disk_and_a_folder_that_cannot_be_written_to_change_nothing() {
    let site = Site::with(&DEBIANS[..3]);
    let before = site.files();
    // no file grows: as on a disk that is full
    let line = format!("trap '' XFSZ; ulimit -f 0; exec {QXUPS} {} --yes", site.arguments().join(" "));
    let output = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("nothing is written"), "{output:?}");
    assert_eq!(site.files(), before);

    // a folder that is new goes again
    let new = Site::new();
    let line = format!("trap '' XFSZ; ulimit -f 0; exec {QXUPS} {} --yes", new.arguments().join(" "));
    let output = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!new.conf.exists());

    std::fs::set_permissions(&site.conf, PermissionsExt::from_mode(0o555)).unwrap();
    for (name, _) in &DEBIANS[..3] {
        std::fs::set_permissions(site.conf.join(name), PermissionsExt::from_mode(0o444)).unwrap();
    }
    let mut command = Command::new(QXUPS);
    if is_root() {
        // root may write everywhere; nobody may not
        command.uid(65534).gid(65534);
    }
    let output = command.args(site.arguments()).arg("--yes").stdin(Stdio::null()).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("run it with sudo") && said.contains("nothing is written"), "{said}");
    assert_eq!(site.files(), before);
}

#[test]
fn a_link_stays_one_and_the_file_that_it_leads_to_is_shown() {
    let site = Site::with(&[]);
    let real = site.ups.folder.join("elsewhere.conf");
    std::fs::write(&real, "# elsewhere\n").unwrap();
    symlink(&real, site.conf.join("ups.conf")).unwrap();
    let output = site.run(&["--yes"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains(&format!("ups.conf -> {}", real.display())), "{output:?}");
    assert!(site.conf.join("ups.conf").is_symlink());
    assert!(read(&real).starts_with("# elsewhere\n") && read(&real).contains("[sim1000]"));
    let site = Site::with(&[]);
    symlink("nothing", site.conf.join("upsd.users")).unwrap();
    let output = site.run(&["--yes"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("leads nowhere"), "{output:?}");
    assert_eq!(std::fs::read_dir(&site.conf).unwrap().count(), 1);
}

#[test]
fn without_a_ups_nothing_is_written() {
    let conf = std::env::temp_dir().join(format!("qxups-setup-none-{}", std::process::id()));
    let output = Command::new(QXUPS)
        .args(["setup", conf.to_str().unwrap(), "--no-usb", "--yes"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("there is no UPS to write"), "{output:?}");
    assert!(!conf.exists());
}

/// A server on a pseudo-terminal's UPS, and its folder of files; it ends when this is dropped.
struct Driven {
    ups: Sim,
    conf: PathBuf,
    server: Child,
}

impl Drop for Driven {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that every user may use.
fn open_folder(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn answers(ups: &str) -> bool {
    Command::new(QXUPS).args(["get", ups, "ups.status"]).output().unwrap().status.success()
}

impl Driven {
    fn start() -> Driven {
        let ups = Sim::start(QXUPS, &["--protocol", "mecer"]);
        let (conf, state) = (ups.folder.join("usual"), ups.folder.join("state"));
        open_folder(&conf);
        open_folder(&state);
        let section = format!("[rack]\ndriver = nutdrv_qx\nport = {}\noffdelay = 30\n", ups.port);
        std::fs::write(conf.join("ups.conf"), section).unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let server = Command::new(QXUPS)
            .args(["serve", conf.to_str().unwrap(), "-l", &listen])
            .envs([("NUT_STATEPATH", &state), ("QXUPS_VARPATH", &state)])
            .spawn()
            .unwrap();
        let driven = Driven { ups, conf, server };
        until("it is served", || answers(&format!("rack@{listen}")));
        driven
    }

    fn setup(&self, folder: &Path, more: &[&str]) -> Output {
        let mut command = Command::new(QXUPS);
        command.arg("setup").arg(folder).args(["--no-usb", "--serial", &self.ups.port]).args(more);
        command.env("NUT_CONFPATH", &self.conf).stdin(Stdio::null()).output().unwrap()
    }
}

/// Found by a newcomer: a server that ran took the UPS out of what was written, and 'nolock' was the advice.
#[test]
fn a_ups_that_is_driven_already_is_not_lost() {
    let driven = Driven::start();
    // into another folder: as the section that drives it has it
    let other = driven.ups.folder.join("other");
    let output = driven.setup(&other, &["--yes"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("drives a UPS there already") && said.contains("(process "), "{said}");
    assert!(said.contains("it is [rack] of NUT's ups.conf") && !said.contains("nolock"), "{said}");
    let conf = nut::ups_conf::parse(&std::fs::read(other.join("ups.conf")).unwrap());
    let section = &conf.sections[0];
    let value =
        |name: &str| section.settings.iter().find(|one| one.name == name).unwrap().value.clone().unwrap();
    assert_eq!(
        (section.name.as_str(), value("port"), value("offdelay")),
        ("rack", driven.ups.port.clone(), "30".into())
    );
    // into the folder that names it: it stays as it is
    let before = read(&driven.conf.join("ups.conf"));
    let output = driven.setup(&driven.conf, &["--yes"]);
    let said = text(&output.stderr);
    assert!(output.status.success() && said.contains("is [rack] of ups.conf already"), "{said}");
    assert_eq!(read(&driven.conf.join("ups.conf")), before);
    // where no section is known, the port is written, and the driver finds the dialect
    std::fs::write(driven.conf.join("ups.conf"), "").unwrap();
    let third = driven.ups.folder.join("third");
    let output = driven.setup(&third, &["--yes"]);
    assert!(output.status.success(), "{output:?}");
    let written = read(&third.join("ups.conf"));
    assert!(written.contains("[ups]") && written.contains(&driven.ups.port), "{written}");
    assert!(!written.contains("protocol"), "{written}");
}

/// Who uses the port is named; it is no UPS as far as is known.
#[test]
fn a_port_that_another_program_holds_is_said_with_that_program() {
    let ups = Sim::start(QXUPS, &["--protocol", "mecer"]);
    let mut holder = Command::new("flock").args(["-x", &ups.port, "sleep", "60"]).spawn().unwrap();
    let is_held = || {
        let tried = Command::new("flock").args(["-n", "-x", &ups.port, "true"]).status().unwrap();
        !tried.success()
    };
    until("it is held", is_held);
    let conf = ups.folder.join("nut");
    let output = Command::new(QXUPS)
        .args(["setup", conf.to_str().unwrap(), "--no-usb", "--yes", "--serial", &ups.port])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let scanned = Command::new(QXUPS).args(["scan", "--no-usb", "--serial", &ups.port]).output().unwrap();
    let (said, holder_pid) = (text(&output.stderr), holder.id());
    let _ = Command::new("pkill").args(["-P", &holder_pid.to_string()]).status();
    let _ = holder.kill();
    let _ = holder.wait();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for said in [said.clone(), text(&scanned.stderr)] {
        assert!(said.contains("it is in use by ") && said.contains("(process "), "{said}");
        assert!(!said.contains("nolock") && !said.contains("EAGAIN"), "{said}");
    }
    assert!(said.contains("nothing is written") && !conf.exists(), "{said}");
}

/// Found by a newcomer: 'ups0' was written as it was typed, and the driver looked for it in its own folder.
#[test]
fn a_port_without_its_folder_is_written_whole_or_refused() {
    let ups = Sim::start(QXUPS, &["--protocol", "mecer"]);
    symlink(&ups.port, ups.folder.join("ups0")).unwrap();
    let conf = ups.folder.join("nut");
    let run = |port: &str| {
        let mut command = Command::new(QXUPS);
        command.arg("setup").arg(&conf).args(["--no-usb", "--yes", "--serial", port]);
        command.current_dir(&ups.folder).stdin(Stdio::null()).output().unwrap()
    };
    for (port, part) in [("no-such-port", "write the whole path"), ("auto", "write the whole path")] {
        let output = run(port);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(part) && said.contains("nothing is written") && !conf.exists(), "{said}");
    }
    let output = run("ups0");
    assert!(output.status.success(), "{output:?}");
    let written = nut::ups_conf::parse(&std::fs::read(conf.join("ups.conf")).unwrap());
    let port = written.sections[0].settings.iter().find(|one| one.name == "port").unwrap();
    assert_eq!(port.value.as_deref(), ups.folder.join("ups0").to_str());
}

/// Found by a newcomer: a device server that was named and not there was no failure.
#[test]
fn a_port_that_was_named_and_does_not_answer_is_a_failure_in_scripts() {
    let site = Site::with(&[("ups.conf", "[a]\ndriver = usbhid-ups\nport = auto\n")]);
    let before = site.files();
    let nowhere = format!("127.0.0.1:{}", free_port());
    for how in ["--print", "--yes"] {
        let output = Command::new(QXUPS)
            .args(["setup", site.conf.to_str().unwrap(), "--no-usb", "--tcp", &nowhere, how])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{how}: {said}");
        assert!(said.contains(&format!("tcp://{nowhere} was named")) && said.contains("refused"), "{said}");
        assert!(said.contains("nothing is written") && output.stdout.is_empty(), "{output:?}");
        assert_eq!(site.files(), before);
    }
}

/// Found by a newcomer: after nine answers a mistake of former days was said.
#[test]
fn files_that_cannot_be_added_to_are_said_before_any_question() {
    for (name, file, part) in [
        ("ups.conf", "[a]\ndriver = usbhid-ups\nport = auto\ndesc = \"open\n", "ups.conf"),
        ("ups.conf", "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nfrob\n", "ups.conf, line 4"),
        ("upsd.users", "[a]\npassword = \"open\n", "upsd.users"),
        ("upsd.conf", "MAXAGE never\n", "upsd.conf, line 1"),
        ("qxups.toml", "[histroy]\n", "did you mean history"),
    ] {
        let site = Site::with(&[(name, file)]);
        let (code, shown) = site.terminal("--passwords hashed --serial /dev/no-such-port").end();
        assert_eq!(code, Some(1), "{name}: {shown}");
        assert!(shown.contains(part) && shown.contains("nothing is written"), "{name}: {shown}");
        assert!(QUESTIONS.iter().all(|question| !shown.contains(question)), "{name}: {shown}");
        assert!(!shown.contains("asking "), "no port is asked either: {shown}");
    }
}

/// upsmon gives its password as it is; where only the hash is known, no line can be written.
#[test]
fn upsmon_needs_a_password_that_is_known() {
    let hash = serve::passwords::hash("secret").unwrap();
    let hashed = format!("[watch]\npassword = \"{hash}\"\nupsmon primary\n");
    let secondary = "[watch]\npassword = x\nupsmon secondary\n";
    for (users, part) in [(hashed.as_str(), "is known as a hash only"), (secondary, "'upsmon primary'")] {
        let site = Site::with(&[
            ("upsd.users", users),
            ("upsmon.conf", "MINSUPPLIES 1\n"),
            ("nut.conf", "MODE=none\n"),
        ]);
        let before = site.files();
        let output = site.run(&["--yes", "--upsmon", "sim1000"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(part) && said.contains("nothing is written"), "{said}");
        assert_eq!(site.files(), before);
        // without the option all else is written, and why not upsmon.conf is said
        let output = site.run(&["--yes"]);
        let said = text(&output.stderr);
        assert!(output.status.success() && said.contains("upsmon.conf") && said.contains(part), "{said}");
        assert_eq!(site.files()["upsmon.conf"], before["upsmon.conf"]);
    }
    // a user who watches was not wanted: that is not the fault of a hash
    let site = Site::with(&[("upsmon.conf", "MINSUPPLIES 1\n")]);
    let mut terminal = site
        .terminal("--passwords plain --serial /dev/no-such-port --history no --page no --listen loopback");
    terminal.answer("Its name for clients", "");
    terminal.answer("only watch", "-");
    terminal.answer("may set and command", "-");
    terminal.answer("Write this?", "yes");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("no user with 'upsmon primary'") && !shown.contains("hash only"), "{shown}");
}

/// The commands below "Next:", with what is said of each.
fn next_steps(shown: &str) -> Vec<String> {
    let after = shown.split("Next:\n").nth(1).unwrap_or_else(|| panic!("{shown}"));
    after.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_string()).collect()
}

/// Runs what was said, as a person pastes it: the line with its remark.
fn follow(steps: &[String], port: u16, prepare: &dyn Fn(&mut Command)) {
    let programs = Path::new(QXUPS).parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", &path).stdin(Stdio::null());
        prepare(&mut command);
        command
    };
    let step =
        |part: &str| steps.iter().find(|step| step.contains(part)).unwrap_or_else(|| panic!("{steps:?}"));
    let output = shell(step("check-config")).output().unwrap();
    assert!(output.status.success(), "{steps:?}: {output:?}");
    let serve = step("qxups serve");
    let mut server = shell(&format!("exec env {serve}")).stderr(Stdio::piped()).spawn().unwrap();
    let there = format!("sim1000@127.0.0.1:{port}");
    let end = Instant::now() + PATIENCE;
    while !answers(&there) && Instant::now() < end && server.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (is_there, reload) = (answers(&there), shell(step("qxups reload")).output().unwrap());
    let _ = server.kill();
    let said = server.wait_with_output().unwrap();
    assert!(is_there, "{serve}: {}", text(&said.stderr));
    assert!(reload.status.success(), "{reload:?}");
}

/// Found by a newcomer: the commands were those for root and /etc/nut, whoever asked.
#[test]
fn what_to_do_next_can_be_followed_as_it_stands() {
    let ups = Sim::start(QXUPS, &["--protocol", "mecer", "--tcp", "127.0.0.1:0"]);
    let server = ups.port.strip_prefix("tcp://").unwrap().to_string();
    // a user who is not root, with a folder of an own, whose name has a blank
    let home = ups.folder.join("my home");
    open_folder(&home);
    let conf = home.join("it's nut");
    std::fs::create_dir(&conf).unwrap();
    let port = free_port();
    std::fs::write(conf.join("upsd.conf"), format!("LISTEN 127.0.0.1 {port}\n")).unwrap();
    if is_root() {
        for place in [&home, &conf, &conf.join("upsd.conf")] {
            std::os::unix::fs::chown(place, Some(65534), Some(65534)).unwrap();
        }
    }
    let plain = |command: &mut Command| {
        if is_root() {
            command.uid(65534).gid(65534);
        }
        // where they are the folders of the machine are another user's
        command.env("NUT_STATEPATH", "/no/such/state").env("QXUPS_VARPATH", "/no/such/var");
    };
    let mut setup = Command::new(QXUPS);
    setup.arg("setup").arg(&conf).args(["--no-usb", "--tcp", &server, "--yes", "--page", "no"]);
    plain(&mut setup);
    let output = setup.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let steps = next_steps(&text(&output.stdout));
    // a long command has its remark in the row above it
    let (remarks, alone): (Vec<&String>, Vec<&String>) =
        steps.iter().filter(|step| !step.contains(" # ")).partition(|step| step.starts_with("# "));
    assert!(remarks.len() == alone.len() && !alone.is_empty(), "{steps:?}");
    assert!(steps.iter().all(|step| !step.contains("systemctl")), "{steps:?}");
    follow(&steps, port, &plain);
    if !is_root() {
        return;
    }
    // root, with a folder that the server's user may not enter, and without the folders that a package makes
    let closed = ups.folder.join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let (conf, state, port) = (closed.join("nut"), ups.folder.join("run"), free_port());
    std::fs::create_dir(&conf).unwrap();
    std::fs::write(conf.join("upsd.conf"), format!("LISTEN 127.0.0.1 {port}\n")).unwrap();
    let root = |command: &mut Command| {
        command.env("NUT_STATEPATH", &state).env("QXUPS_VARPATH", &state);
    };
    let mut setup = Command::new(QXUPS);
    setup.arg("setup").arg(&conf).args(["--no-usb", "--tcp", &server, "--yes", "--page", "no"]);
    root(&mut setup);
    let output = setup.stdin(Stdio::null()).output().unwrap();
    let steps = next_steps(&text(&output.stdout));
    let user = nix::unistd::User::from_name("nut").unwrap();
    if user.is_some() {
        let made =
            steps.iter().find(|step| step.starts_with("install -d")).unwrap_or_else(|| panic!("{steps:?}"));
        assert!(Command::new("sh").args(["-c", made]).status().unwrap().success(), "{made}");
        assert!(steps.iter().any(|step| step.starts_with("qxups serve -u root ")), "{steps:?}");
        follow(&steps, port, &root);
    } else {
        // what would change the accounts of this machine is only looked at
        assert!(steps.iter().any(|step| step.starts_with("useradd --system nut")), "{steps:?}");
    }
}
