//! What the package brings for systemd, as systemd sees it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging")
}

/// 1.6 of 10 at most (issue of the server); the units of NUT have 9.6.
#[test]
fn units_let_no_more_in_than_they_need() {
    let folder = std::env::temp_dir().join(format!("qxups-units-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["qxups-serve.service", "qxups-driver@.service"] {
        let unit = std::fs::read_to_string(packaging().join("systemd").join(name)).unwrap();
        let unit =
            unit.replace("/usr/bin/qxups", "/bin/true").replace("/usr/lib/qxups/nutdrv_qx", "/bin/true");
        let path = folder.join(name);
        std::fs::write(&path, unit).unwrap();
        let security = ["security", "--offline=yes", "--no-pager", "--threshold=16"];
        let Ok(output) = Command::new("systemd-analyze").args(security).arg(&path).output() else {
            println!("no systemd-analyze here");
            break;
        };
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if said.contains("unrecognized option") {
            println!("systemd-analyze is too old");
            break;
        }
        assert!(output.status.success(), "{name}: {said}");
        let verified =
            Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
        assert!(verified.status.success(), "{name}: {}", String::from_utf8_lossy(&verified.stderr));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// With ProcSubset=pid the server cannot read which start of the machine this is, and no flag of killpower is raised (seen on a
/// machine that powers off, power-test).
#[test]
fn the_server_may_read_which_start_of_the_machine_it_is() {
    let unit = std::fs::read_to_string(packaging().join("systemd/qxups-serve.service")).unwrap();
    assert!(!unit.lines().any(|line| line.starts_with("ProcSubset=")), "{unit}");
}

/// Sources that write what no program reads again as a state of its own: recordings, configuration, devices, tests.
const NO_STATE: [&str; 11] = [
    "crates/driver/src/process.rs",
    "crates/link/src/serial.rs",
    "crates/qxups/src/capture/mod.rs",
    "crates/qxups/src/client/hostile.rs",
    "crates/qxups/src/client/log.rs",
    "crates/qxups/src/client/prompt.rs",
    "crates/qxups/src/conf_file.rs",
    "crates/qxups/src/demo/stage.rs",
    "crates/qxups/src/doctor/tests",
    "crates/simulator/src/pty.rs",
    // no program has anything of it
    "crates/testbed/src",
];

/// All sources of the workspace, without benches and tests beside `src`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|kind| kind == "rs") => found.push(path),
            false => {}
        }
    }
}

/// What is written is in the table of docs/packaging.md, with the version that older programs go by.
#[test]
fn every_state_file_is_in_the_table() {
    const WRITES: [&str; 5] = ["fs::write(", "fs::rename(", "File::create", ".write(true)", ".append(true)"];
    let root = packaging().join("..");
    let page = std::fs::read_to_string(root.join("docs/packaging.md")).unwrap();
    let table =
        page.split("## Files of its own, and upgrades").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut found = vec![];
    for crate_folder in std::fs::read_dir(root.join("crates")).unwrap() {
        sources(&crate_folder.unwrap().path().join("src"), &mut found);
    }
    let mut writers = vec![];
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if WRITES.iter().any(|word| code.contains(word))
            && !NO_STATE.iter().any(|there| name.starts_with(there))
        {
            writers.push(name);
        }
    }
    assert!(writers.len() >= 9, "{writers:?}");
    for name in &writers {
        assert!(
            table.contains(&format!("`{name}`")),
            "{name} writes a file: put it into the table, with its version"
        );
    }
    // each kind of memory by itself, for one source writes them all
    for kind in station::memory::MemoryKind::ALL {
        let row = format!("| `{}{}`", kind.head(), kind.version());
        assert!(table.contains(&row), "the table lacks {row}");
    }
}

/// A binary with TLS is conveyed under version 3 of the GPL, and says so wherever licences are looked for.
#[test]
fn the_licence_of_the_binary_is_said() {
    let version = Command::new(env!("CARGO_BIN_EXE_qxups")).arg("--version").output().unwrap();
    let said = String::from_utf8(version.stdout).unwrap();
    assert!(said.starts_with(&format!("qxups {}\n", env!("CARGO_PKG_VERSION"))), "{said}");
    let readme = std::fs::read_to_string(packaging().join("../README.md")).unwrap();
    for text in [said, readme] {
        assert!(text.contains("GPL-3.0-or-later") && text.contains("GPL-2.0-or-later"), "{text}");
    }
    let copyright = std::fs::read_to_string(packaging().join("deb/copyright")).unwrap();
    assert!(copyright.contains("Files: usr/bin/qxups\nCopyright: 2026 The qxups authors\nLicense: GPL-3+\n"));
    // short for scripts
    let version = Command::new(env!("CARGO_BIN_EXE_qxups")).arg("-V").output().unwrap();
    assert_eq!(String::from_utf8(version.stdout).unwrap(), format!("qxups {}\n", env!("CARGO_PKG_VERSION")));
}

/// What systemd runs at the end of each shutdown: a host that goes on running is none, and what is sent is the program's
/// affair, which goes by its flag.
#[test]
fn the_hook_of_a_shutdown_does_nothing_by_itself() {
    let hook = packaging().join("systemd/system-shutdown");
    let text = std::fs::read_to_string(&hook).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("/usr/bin/qxups killpower")).count(), 1, "{text}");
    for kind in ["kexec", "", "suspend"] {
        let output = Command::new("/bin/sh").arg(&hook).arg(kind).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{kind}: {output:?}");
    }
    let mode = std::fs::metadata(&hook).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "systemd runs what is executable");
}

/// Without a flag there is nothing to do, which is no failure: systemd would write of one at each shutdown. Else the exit code is
/// that of the program.
#[test]
fn the_hook_ends_with_what_came_of_it() {
    let text = std::fs::read_to_string(packaging().join("systemd/system-shutdown")).unwrap();
    let folder = std::env::temp_dir().join(format!("qxups-hook-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("qxups");
    let text =
        text.replace("/usr/bin/qxups", &program.display().to_string()).replace("/dev/kmsg", "/nonexistent");
    for (code, expected) in [(0, 0), (1, 1), (2, 2), (3, 0)] {
        std::fs::write(&program, format!("#!/bin/sh\necho $* $NUT_STATEPATH\nexit {code}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new("/bin/sh").args(["-c", &text, "hook", "poweroff"]).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("killpower --all --quiet"), "{output:?}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
