//! `qxups passwd`: from a pipe and from a terminal, to standard output and into upsd.users.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use nut::upsd_users::{self, Password};
use serve::passwords::is_password;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn passwd(arguments: &[&Path], typed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.arg("passwd").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // one that ends before it reads is told by its output
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("qxups-passwd-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether a file gives a user this password, as the server reads it.
fn has_password(text: &[u8], user: &str, password: &str) -> bool {
    let users = upsd_users::parse(text);
    match users.user(user).and_then(|user| user.password.clone()) {
        Some(Password::Hash(hash)) => is_password(&hash, password),
        _ => false,
    }
}

#[test]
fn a_line_of_a_pipe_becomes_a_line_of_upsd_users() {
    let output = passwd(&[], "secret\nnot this\n");
    assert!(output.status.success());
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(has_password(format!("[a]\n{line}").as_bytes(), "a", "secret"), "{line}");
    for typed in ["", "\n", "\u{fc}\n", &format!("{}\n", "x".repeat(513))] {
        let output = passwd(&[], typed);
        assert!(!output.status.success() && output.stdout.is_empty() && !output.stderr.is_empty(), "{typed}");
    }
}

#[test]
fn a_user_of_a_file_is_changed_or_added() {
    let folder = folder("file");
    let path = folder.join("upsd.users");
    let text = "# users\n[admin]\n  password = old\n  actions = SET\n[other]\npassword = theirs\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    for (user, password) in [("admin", "one"), ("new", "two"), ("admin", "three")] {
        let output = passwd(&[&path, Path::new(user)], &format!("{password}\n"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    let after = std::fs::read(&path).unwrap();
    for (user, password) in [("admin", "three"), ("new", "two")] {
        assert!(has_password(&after, user, password), "{user}");
    }
    let kept = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.contains("argon2id"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    let expected = format!("{}[new]\n", text.replace("  password = old\n", ""));
    assert_eq!(kept(&String::from_utf8(after).unwrap()), kept(&expected));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    for (path, user, part) in
        [(folder.join("none"), "admin", "is not there"), (path, "a b", "cannot be the name")]
    {
        let output = passwd(&[&path, Path::new(user)], "x\n");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(part), "{said}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Found by a newcomer: ups.conf had a hash in it, as a setting of its UPS.
#[test]
fn a_file_that_is_not_one_of_users_stays_as_it_is() {
    let folder = folder("kind");
    for (name, text) in [
        ("ups.conf", "[rack]\ndriver = nutdrv_qx\nport = auto\n"),
        ("ups.conf", ""),
        ("qxups.toml", "[web]\n"),
        ("nut.conf", "MODE=none\n"),
        // by what stands in it, whatever it is called
        ("copy", "[rack]\n  Driver=nutdrv_qx\n"),
        ("copy", "LISTEN 127.0.0.1\n"),
        ("copy", "MONITOR rack@localhost 1 a b primary\n"),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let output = passwd(&[&path, Path::new("rack")], "secret\n");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("no password is written into it") && said.contains("upsd.users"), "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    // a word that is not known is none of another file
    let path = folder.join("users.copy");
    std::fs::write(&path, "[rack]\nacitons = SET\n").unwrap();
    let output = passwd(&[&path, Path::new("rack")], "secret\n");
    assert!(output.status.success(), "{output:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Found by a review: the owner of a file of another group was refused, and asked to become its owner.
#[test]
fn the_group_is_kept_where_it_means_something() {
    use std::os::unix::fs::{MetadataExt, chown};
    use std::os::unix::process::CommandExt;
    let folder = folder("group");
    let path = folder.join("upsd.users");
    std::fs::write(&path, "[admin]\npassword = old\n").unwrap();
    if chown(&path, Some(65534), Some(0)).is_err() || chown(&folder, Some(65534), Some(65534)).is_err() {
        // only root can make a file of another user
        return std::fs::remove_dir_all(folder).unwrap();
    }
    let change = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        command.arg("passwd").arg(&path).arg("admin").uid(65534).gid(65534);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"new\n");
        child.wait_with_output().unwrap()
    };
    // the group may read it: it would be locked out
    let refused = change(0o640);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("in the file's group"), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[admin]\npassword = old\n");
    // it may not: no right is lost
    let output = change(0o600);
    assert!(output.status.success(), "{output:?}");
    assert!(has_password(&std::fs::read(&path).unwrap(), "admin", "new"));
    let meta = path.metadata().unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (65534, 0o600));
    std::fs::remove_dir_all(folder).unwrap();
}

/// On a terminal it asks twice, and shows nothing of what is typed.
#[test]
fn a_terminal_shows_no_password() {
    let Ok(mut script) = Command::new("script")
        .args(["-qec", &format!("{} passwd", env!("CARGO_BIN_EXE_qxups")), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        return println!("no script(1) here");
    };
    let (mut typing, mut shown) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let mut text = String::new();
    for question in ["Password: ", "Once more: "] {
        while !text.ends_with(question) {
            let mut bytes = [0; 256];
            let read = std::io::Read::read(&mut shown, &mut bytes).unwrap();
            assert!(read > 0, "{text}");
            text += &String::from_utf8_lossy(&bytes[..read]);
        }
        typing.write_all(b"hush-hush\r").unwrap();
    }
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut shown, &mut rest).unwrap();
    assert!(script.wait().unwrap().success(), "{text}{rest}");
    assert!(!text.contains("hush") && !rest.contains("hush"), "{text}{rest}");
    let line = rest.lines().find(|line| line.contains("argon2id")).unwrap();
    assert!(has_password(format!("[a]\n{line}\n").as_bytes(), "a", "hush-hush"), "{rest}");
}
