//! The program: its options, signals, files that are wrong, and what a start leaves behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use nix::sys::signal::Signal;
use site::{Site, program};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

const CONF: &str = "[rack]\ndriver = qxups-sim\n";
const STATUS: &str = "GET VAR rack ups.status";
const ON_MAINS: &str = "VAR rack ups.status \"OL\"";

#[test]
fn upsd_s_questions_are_answered() {
    let site = Site::new("options", CONF, "");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_upsd")).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.success(), said[0].clone(), said[1].clone())
    };
    let (good, version, _) = run(&["-V"]);
    assert!(good && version.starts_with("Network UPS Tools upsd "), "{version}");
    let (good, help, _) = run(&["-h"]);
    assert!(
        good && ["-c", "-P", "-D", "-F", "-B", "-4", "-6", "-q", "-r", "-u"].iter().all(|o| help.contains(o))
    );
    for (wrong, part) in
        [(&["-c", "frob"][..], "reload or stop"), (&["-x"], "-h"), (&["-i", "::1"], "LISTEN")]
    {
        let (good, _, said) = run(wrong);
        assert!(!good && said.contains(part) && said.lines().count() == 1, "{said}");
    }
    let output = site.upsd().args(["-c", "stop"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("no server runs"), "{said}");
}

#[test]
fn what_is_wrong_ends_the_start_with_one_sentence() {
    for (file, text, part) in [
        (
            "ups.conf",
            "[rack]\ndriver = nutdrv_qx\nport = /dev/null\nfrobnicate = 1\n",
            "ups.conf, line 4: [rack]: ",
        ),
        ("ups.conf", "", "names no UPS; add one, or ALLOW_NO_DEVICE"),
        ("upsd.conf", "LISTEN 127.0.0.1 99999\n", "upsd.conf, line 1: "),
        ("upsd.conf", "LISTEN 127.0.0.1\nMAXAGE soon\n", "upsd.conf, line 2: MAXAGE"),
        ("upsd.conf", "LISTEN 127.0.0.1 3493\nMAXCONN 99999999\n", "MAXCONN is 99999999"),
        ("upsd.conf", "LISTEN 127.0.0.1 3493\nMAXCONN 2\n", "write at least 3"),
        (
            "upsd.conf",
            "LISTEN 127.0.0.1:3499\n",
            "upsd.conf, line 1: 127.0.0.1:3499 is no address: write LISTEN 127.0.0.1 3499",
        ),
        ("upsd.users", "[a]\npassword = x\n[a]\n", "upsd.users, line 3: "),
    ] {
        let site = Site::new("wrong", CONF, "");
        site.write(file, text);
        let output = site.upsd().arg("-F").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{text}");
        assert!(
            said.starts_with("upsd: ") && said.contains(part) && said.trim().lines().count() == 1,
            "{said}"
        );
    }
    let site = Site::new("missing", CONF, "");
    std::fs::remove_file(site.folder.join("upsd.conf")).unwrap();
    let output = site.upsd().arg("-F").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("upsd.conf is not there"));
}

/// The working directory becomes that of the state; a folder that is named from the one before stays what it was.
#[test]
fn the_folder_may_be_named_from_the_working_directory() {
    let mut site = Site::new("relative", CONF, "");
    let (folder, name) = (site.folder.parent().unwrap(), site.folder.file_name().unwrap());
    let mut upsd = site.upsd();
    upsd.current_dir(folder).env("NUT_CONFPATH", name);
    site.start_with(upsd);
    assert!(!site.log().contains("is not there"), "{}", site.log());
    assert_eq!(site.connect().user("admin", "secret").ask("LOGIN rack"), "ERR ACCESS-DENIED");
    assert_eq!(site.connect().user("first", "one").ask("LOGIN rack"), "OK");
    assert!(serve::program::reload(Some(&site.state())).is_ok());
}

/// A password of another server in ups.conf, as one in upsd.users.
#[test]
fn passwords_that_every_user_can_read_are_warned_of() {
    let upstream =
        "[far]\ndriver = nut-upstream\nport = ups@127.0.0.1:9\nupstream_user = a\nupstream_password = b\n";
    let mut site = Site::new("open", CONF, "");
    let mode = |name: &str, mode| {
        let path = site.folder.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("ups.conf", 0o644);
    mode("upsd.users", 0o644);
    site.start();
    let warns = |site: &Site, name: &str| {
        site.log()
            .contains(&format!("{name}: every user of this machine can read the passwords; run 'chmod o="))
    };
    assert!(warns(&site, "upsd.users") && !warns(&site, "ups.conf"), "{}", site.log());
    site.write("ups.conf", &format!("{CONF}{upstream}"));
    assert!(serve::program::reload(Some(&site.state())).unwrap().contains("ups.conf: every user"));
    assert!(warns(&site, "ups.conf"), "{}", site.log());
}

#[test]
fn it_starts_without_a_ups_where_that_is_allowed() {
    let site = Site::started("none", "", "ALLOW_NO_DEVICE yes\n");
    assert_eq!(site.connect().list("LIST UPS"), ["BEGIN LIST UPS", "END LIST UPS"]);
}

#[test]
fn one_server_at_a_time_and_a_dead_one_hinders_nothing() {
    let mut site = Site::started("twice", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    let output = site.upsd().arg("-F").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("another server runs already"), "{said}");
    for _ in 0..3 {
        site.kill();
        assert!(site.state().join("upsd.pid").exists(), "kill -9 leaves it behind");
        site.start();
        site.until_answer(STATUS, ON_MAINS);
    }
    // a number that belongs to another program by now
    site.kill();
    site.start();
    site.until_answer(STATUS, ON_MAINS);
}

/// "no server runs" was said to users who may not look.
#[test]
fn a_folder_that_is_closed_is_not_said_to_be_empty() {
    let site = Site::started("closed", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    std::fs::set_permissions(site.state(), std::fs::Permissions::from_mode(0o700)).unwrap();
    for order in ["reload", "stop"] {
        let mut other = site.upsd();
        // only root may be another user, and that one may not come to the program
        let Ok(output) = other.args(["-c", order]).uid(65_534).gid(65_534).output() else { return };
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("permission denied; run this as root"), "{said}");
    }
    assert_eq!(site.ask(STATUS), ON_MAINS);
}

#[test]
fn it_stops_and_reloads_when_it_is_told() {
    let mut site = Site::started("told", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    site.write("ups.conf", "[rack]\ndriver = qxups-sim\n[attic]\ndriver = qxups-sim\n");
    assert!(site.upsd().args(["-c", "reload"]).output().unwrap().status.success());
    site.until_answer("GET VAR attic ups.status", "VAR attic ups.status \"OL\"");
    assert!(site.upsd().args(["-c", "stop"]).output().unwrap().status.success());
    assert!(site.wait().success());
    assert!(!site.state().join("upsd.pid").exists());
    assert!(!site.state().join("qxups-sim-rack").exists(), "its terminal is gone as well");
}

/// One wrong section leaves the others served: a server that does not start protects none. At a reload all goes on as
/// before, but for a section that was wrong already.
#[test]
fn a_wrong_section_costs_its_own_ups_alone() {
    let wrong = "[attic]\ndriver = nutdrv_qx\nport = /dev/null\nfrobnicate = 1\n";
    let site = Site::started("section", &format!("{CONF}{wrong}"), "");
    site.until_answer(STATUS, ON_MAINS);
    assert_eq!(site.ask("GET VAR attic ups.status"), "ERR DRIVER-NOT-CONNECTED");
    assert!(
        site.log().contains("ups.conf, line 6: [attic]: ") && site.log().contains("frobnicate"),
        "{}",
        site.log()
    );
    let reload = || serve::program::reload(Some(&site.state()));
    site.write("ups.conf", &format!("{CONF}{wrong}[lab]\ndriver = qxups-sim\n"));
    assert!(reload().is_ok());
    site.until_answer("GET VAR lab ups.status", "VAR lab ups.status \"OL\"");
    site.write("ups.conf", &format!("{CONF}[lab]\ndriver = qxups-sim\nprotocol = klingon\n{wrong}"));
    let why = reload().unwrap_err();
    assert!(why.contains("line 5") && why.contains("[lab]"), "{why}");
    assert_eq!(site.ask("GET VAR lab ups.status"), "VAR lab ups.status \"OL\"");
    site.write("ups.conf", &format!("{CONF}[attic]\ndriver = qxups-sim\n"));
    assert!(reload().is_ok());
    site.until_answer("GET VAR attic ups.status", "VAR attic ups.status \"OL\"");
}

/// Found by a review: quotes that were never closed took two running UPSes away at a reload, which said that it had worked;
/// so did a heading that was misspelt.
#[test]
fn a_reload_by_a_slip_of_the_pen_takes_no_ups_away() {
    let two = "[rack]\ndriver = qxups-sim\n[attic]\ndriver = qxups-sim\n";
    let site = Site::started("slip", two, "");
    site.until_answer("GET VAR attic ups.status", "VAR attic ups.status \"OL\"");
    for (text, part) in [
        ("[rack]\ndriver = qxups-sim\ndesc = \"Rack 3\n[attic]\ndriver = qxups-sim\n", "line 4, '[attic]'"),
        ("[rack]\ndriver = qxups-sim\n[at tic]\ndriver = qxups-sim\n", "[attic] would be gone"),
        ("[rack]\ndriver = usbhid-ups\n[attic\ndriver = qxups-sim\n", "line 3: "),
    ] {
        site.write("ups.conf", text);
        let output = site.upsd().args(["-c", "reload"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(part), "{said}");
        assert_eq!(site.ask("GET VAR attic ups.status"), "VAR attic ups.status \"OL\"");
    }
    // nor does a start begin with one UPS less
    let site = Site::new(
        "slip-start",
        "[rack]\ndriver = qxups-sim\ndesc = \"Rack 3\n[attic]\ndriver = qxups-sim\n",
        "",
    );
    let output = site.upsd().arg("-F").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("ups.conf, line 3: its quotes"), "{said}");
    site.write("ups.conf", two);
}

/// A reload that fails is seen to fail: by who asked for it, in the log and in the line of status.
/// `qxups.toml`: at the start a wrong one costs what it asks for, at a reload nothing changes.
#[test]
fn what_is_wrong_in_qxups_toml_costs_no_ups() {
    let mut site = Site::new("extras", CONF, "");
    site.write("qxups.toml", "[history]\n\nenabeld = true\n");
    site.start();
    site.until_answer(STATUS, ON_MAINS);
    let expected = "qxups.toml, line 3: [history] has no key enabeld: did you mean enabled?";
    assert!(site.log().contains(expected) && site.log().contains("off until it is right"), "{}", site.log());
    let why = serve::program::reload(Some(&site.state())).unwrap_err();
    assert!(why.contains(expected), "{why}");
    site.write("qxups.toml", "[history]\nenabled = true\n");
    assert!(serve::program::reload(Some(&site.state())).unwrap().contains("; history: on; "));
    site.write("qxups.toml", "[history]\nenabled = true\nsize_mib = 1\n");
    assert!(serve::program::reload(Some(&site.state())).unwrap_err().contains("line 3: size_mib"));
    std::fs::remove_file(site.folder.join("qxups.toml")).unwrap();
    assert!(serve::program::reload(Some(&site.state())).unwrap().contains("; history: off; "));
}

#[test]
fn what_came_of_a_reload_is_said_to_who_asked() {
    let site = Site::started("outcome", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    let reload = || {
        let output = site.upsd().args(["-c", "reload"]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(reload(), (true, String::new()));
    site.write("ups.conf", "[rack]\ndriver = qxups-sim\n[attic\n");
    let (good, said) = reload();
    assert!(!good && said.contains("ups.conf, line 3") && said.trim().lines().count() == 1, "{said}");
    assert!(site.log().contains("line 3") && site.log().contains("going on as before"), "{}", site.log());
    assert_eq!(site.ask(STATUS), ON_MAINS);
    site.write("ups.conf", CONF);
    let place = site.state();
    assert_eq!(
        serve::program::reload(Some(&place)).as_deref(),
        Ok("UPSes: 1 as before; users, addresses and settings as before")
    );
    // a name in another case is the same UPS, and what changed of the settings is named
    site.write("ups.conf", &CONF.replace("[rack]", "[RACK]"));
    site.write("upsd.conf", &format!("LISTEN 127.0.0.1 {}\nMAXAGE 20\n", site.port));
    assert_eq!(
        serve::program::reload(Some(&place)).as_deref(),
        Ok("UPSes: 1 as before; settings: MAXAGE is 20 now; all else as before")
    );
    assert_eq!(site.ask(STATUS), ON_MAINS);
    site.write("ups.conf", CONF);
    // what changed is named, and what has no effect is said to who asked as well
    let (upsd, users) = (format!("LISTEN 127.0.0.1 {}\nFROB 1\n", site.port), "[host]\npassword = x\n");
    site.write("upsd.conf", &upsd);
    site.write("upsd.users", &format!("{}{users}", site::USERS.replace("= one", "= other")));
    let said = serve::program::reload(Some(&place)).unwrap();
    let (first, remarks) = said.split_once('\n').unwrap();
    assert!(first.contains("; users: host new, first changed; "), "{said}");
    assert!(remarks.contains("upsd.conf, line 2") && remarks.contains("FROB"), "{said}");
    // others do not reach it, and rubbish at its door costs nothing
    let control = place.join("upsd.control");
    let mode = std::os::unix::fs::MetadataExt::mode(&control.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    for rubbish in [&b""[..], b"FROB 12", b"RELOAD", &[0; 100_000]] {
        let mut stream = std::os::unix::net::UnixStream::connect(&control).unwrap();
        let _ = std::io::Write::write_all(&mut stream, rubbish);
    }
    let silent: Vec<_> =
        (0..40).map(|_| std::os::unix::net::UnixStream::connect(&control).unwrap()).collect();
    assert_eq!(site.ask(STATUS), ON_MAINS);
    drop(silent);
    site.until("it is heard again", || serve::program::reload(Some(&place)).is_ok());
    drop(site);
    let why = serve::program::reload(Some(&place)).unwrap_err();
    assert!(why.contains("no server runs"), "{why}");
}

#[test]
fn it_goes_to_the_background_when_it_serves() {
    let site = Site::new("background", CONF, "");
    let started = site.upsd().output().unwrap();
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    // it takes clients before the first process ends
    assert!(TcpStream::connect(("127.0.0.1", site.port)).is_ok());
    site.until_answer(STATUS, ON_MAINS);
    let pid_file = site.state().join("upsd.pid");
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    assert!(site.upsd().args(["-c", "stop", "-P", pid.trim()]).output().unwrap().status.success());
    site.until("it ends", || !pid_file.exists());
}

/// Root's server becomes the user that it is told to be.
#[test]
fn it_gives_up_what_root_may() {
    if !nix::unistd::Uid::effective().is_root() {
        return println!("not root");
    }
    let Some(nobody) = nix::unistd::User::from_name("nobody").unwrap() else { return };
    let mut site = Site::new("user", CONF, "");
    for path in [site.state(), site.folder.join("upsd.users")] {
        nix::unistd::chown(&path, Some(nobody.uid), Some(nobody.gid)).unwrap();
    }
    let mut upsd = Command::new(env!("CARGO_BIN_EXE_upsd"));
    site.environment(&mut upsd);
    let mut server = upsd.args(["-u", "nobody", "-F"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    site.until_answer_or_refused(STATUS, ON_MAINS);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    assert!(uids.split_whitespace().all(|uid| uid == nobody.uid.to_string()), "{uids}");
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    assert_eq!(capabilities.trim(), "0000000000000000");
    server.kill().unwrap();
    server.wait().unwrap();
    site.kill();
}

/// An address that is not there yet keeps no other from being served, and is served once it is there.
#[test]
fn an_address_that_comes_later_is_listened_to_then() {
    let (late, mask) = ("192.0.2.77", "192.0.2.77/32");
    let ip = |arguments: &[&str]| Command::new("ip").args(arguments).output();
    let remove = || ip(&["addr", "del", mask, "dev", "lo"]);
    let _ = remove();
    let mut site = Site::new("late", CONF, "");
    site.write("upsd.conf", &format!("LISTEN {late} {0}\nLISTEN 127.0.0.1 {0}\n", site.port));
    site.start();
    site.until_answer(STATUS, ON_MAINS);
    assert!(site.log().contains(&format!("cannot listen on {late}")), "{}", site.log());
    let added = ip(&["addr", "add", mask, "dev", "lo"]);
    if !added.is_ok_and(|added| added.status.success()) {
        return println!("no address can be added here");
    }
    site.until("the address is served", || TcpStream::connect((late, site.port)).is_ok());
    let _ = remove();
    site.until_answer(STATUS, ON_MAINS);
}

/// Nothing listens beyond loopback unless told.
#[test]
fn both_loopback_addresses_are_the_default_and_a_star_is_all() {
    let mut site = Site::new("star", CONF, "");
    site.write("upsd.conf", &format!("LISTEN * {}\n", site.port));
    site.start();
    assert!(TcpStream::connect(("::1", site.port)).is_ok());
    assert!(TcpStream::connect(("127.0.0.2", site.port)).is_ok());
    site.write("upsd.conf", &format!("LISTEN 127.0.0.1 {}\n", site.port));
    site.signal(Signal::SIGHUP);
    site.until("it does not listen there any more", || TcpStream::connect(("127.0.0.2", site.port)).is_err());
    site.until("it listens here", || TcpStream::connect(("127.0.0.1", site.port)).is_ok());
    assert!(TcpStream::connect(("::1", site.port)).is_err());
    assert!(program("no-such-program").is_none());
}

/// Found by a review: a reload to a port that another program has took the only listener away, and said OK.
#[test]
fn a_reload_takes_no_listener_away_before_another_works() {
    let site = Site::started("deaf", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().port();
    for listen in [format!("LISTEN 127.0.0.1 {taken}\n"), format!("LISTEN localhost {taken}\n")] {
        site.write("upsd.conf", &listen);
        let output = site.upsd().args(["-c", "reload"]).output().unwrap();
        if listen.contains("127") {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(&taken.to_string()), "{said}");
        }
        site.until("it is said", || site.log().contains(&format!("cannot listen on 127.0.0.1:{taken}")));
        assert_eq!(site.ask(STATUS), ON_MAINS);
    }
    // once it is free the server moves there
    drop(other);
    site.until("it listens there", || TcpStream::connect(("127.0.0.1", taken)).is_ok());
    site.until("and not here", || TcpStream::connect(("127.0.0.1", site.port)).is_err());
}

/// Found by a review: a PID file that named another command of qxups kept the server from starting, and `-c stop` ended
/// that command.
#[test]
fn another_command_of_qxups_is_no_server() {
    let mut site = Site::new("no-server", CONF, "");
    // any program that is called so
    let program = site.folder.join("qxups");
    std::fs::copy("/bin/sleep", &program).unwrap();
    let mut other = Command::new(&program).arg("60").spawn().unwrap();
    std::fs::write(site.state().join("upsd.pid"), format!("{}\n", other.id())).unwrap();
    let output = site.upsd().args(["-c", "stop"]).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(other.try_wait().unwrap().is_none(), "it was ended");
    site.start();
    site.until_answer(STATUS, ON_MAINS);
    other.kill().unwrap();
    other.wait().unwrap();
}

/// Found by a review: a second server took the first one's control socket, and removed it when it ended.
#[test]
fn a_second_server_leaves_the_socket_of_the_first() {
    let site = Site::started("first-server", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    let control = site.state().join("upsd.control");
    let before = std::fs::symlink_metadata(&control).unwrap();
    let port = site::free_port();
    site.write("upsd.conf", &format!("LISTEN 127.0.0.1 {port}\n"));
    let _ = std::fs::remove_file(site.state().join("upsd.pid"));
    let mut second = site.upsd().arg("-D").stderr(std::process::Stdio::null()).spawn().unwrap();
    site.until("the second one serves", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    second.kill().unwrap();
    second.wait().unwrap();
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::symlink_metadata(&control).unwrap().ino(), before.ino());
    assert!(site.upsd().args(["-c", "reload"]).output().unwrap().status.success());
}

/// systemd is told when it serves, how it goes, and that it lives.
#[test]
fn a_supervisor_is_told() {
    let site = Site::new("supervised", CONF, "");
    let path = site.folder.join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut upsd = site.upsd();
    upsd.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000").env_remove("WATCHDOG_PID");
    let mut server = upsd.arg("-F").stderr(std::process::Stdio::null()).spawn().unwrap();
    let (mut said, mut lives) = (String::new(), 0);
    while lives < 3 {
        let mut bytes = [0; 4096];
        let read = socket.recv(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        lives += text.matches("WATCHDOG=1").count();
        said += &text;
    }
    assert!(said.contains("READY=1") && said.contains("STATUS=serving 1 UPS on "), "{said}");
    server.kill().unwrap();
    server.wait().unwrap();
}
