//! `qxups sim` as a user runs it: what it makes it takes along, and it takes nobody's.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("qxups-sim-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn link(&self) -> PathBuf {
        self.0.join("ups0")
    }

    fn control(&self) -> PathBuf {
        self.0.join("ups0.ctl")
    }

    /// A simulator on link and control socket, which says where it is.
    fn start(&self) -> Child {
        let mut child = self.sim(&self.link(), &self.control()).stdout(Stdio::piped()).spawn().unwrap();
        let mut place = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut place).unwrap();
        assert_eq!(place.trim(), self.link().display().to_string());
        while !self.control().exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child
    }

    fn sim(&self, link: &Path, control: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        command
            .args(["sim", "--end", "60", "--link"])
            .arg(link)
            .arg("--control")
            .arg(control)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn link_and_socket_go_with_it() {
    for name in ["-TERM", "-INT", "-HUP"] {
        let folder = Folder::new(name);
        let mut child = folder.start();
        assert!(is_there(&folder.link()) && is_there(&folder.control()));
        signal(&child, name);
        assert!(child.wait().unwrap().success(), "{name}");
        assert!(!is_there(&folder.link()) && !is_there(&folder.control()), "{name}");
    }
}

#[test]
fn what_one_that_was_killed_left_behind_is_replaced() {
    let folder = Folder::new("killed");
    let mut child = folder.start();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_there(&folder.link()) && is_there(&folder.control()));
    let mut child = folder.start();
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_second_one_takes_nothing_of_the_first() {
    let folder = Folder::new("second");
    let mut child = folder.start();
    let to = std::fs::read_link(folder.link()).unwrap();
    let other = (folder.0.join("other"), folder.0.join("other.ctl"));
    for (link, control, said) in [
        (folder.link(), other.1.clone(), "belongs to another simulator"),
        // the same name, written otherwise
        (folder.0.join(".").join("ups0"), other.1.clone(), "belongs to another simulator"),
        (other.0.clone(), folder.control(), "another program listens there"),
    ] {
        let output = folder.sim(&link, &control).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(said) && err.contains("ups0"), "{err}");
        assert!(!is_there(&other.0) && !is_there(&other.1), "nothing of its own stays behind");
    }
    // the first one works on
    assert_eq!(std::fs::read_link(folder.link()).unwrap(), to);
    let mut control = UnixStream::connect(folder.control()).unwrap();
    control.write_all(b"mains fial\nstate\nquit\n").unwrap();
    let mut said = String::new();
    control.read_to_string(&mut said).unwrap();
    let first = said.lines().next().unwrap();
    assert!(first.starts_with("error: ") && first.contains("fail, back or a number"), "{first}");
    assert!(said.contains("on battery false") && said.ends_with("ok\nok\n"), "{said}");
    assert!(child.wait().unwrap().success());
    assert!(!is_there(&folder.link()) && !is_there(&folder.control()));
}

/// NUT's driver runs as user nut (README).
#[test]
fn every_user_may_open_the_port() {
    let folder = Folder::new("nut");
    let mut child = folder.start();
    assert_eq!(folder.link().metadata().unwrap().mode() & 0o777, 0o666);
    signal(&child, "-TERM");
    child.wait().unwrap();
}
