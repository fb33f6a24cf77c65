//! Manual pages and completions.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn qxups(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_qxups")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names of pages as of files: `qxups-sim.1`.
fn files() -> Vec<String> {
    qxups(&["man"]).lines().map(|line| line.trim_end_matches(')').replace('(', ".")).collect()
}

fn page(file: &str) -> String {
    qxups(&["man", file.rsplit_once('.').unwrap().0])
}

/// `qxups man nutdrv_qx(8)`, as the list has it, was no page.
#[test]
fn a_page_is_found_by_each_way_its_name_is_written() {
    for named in qxups(&["man"]).lines().take(5) {
        let file = named.trim_end_matches(')').replace('(', ".");
        assert_eq!((qxups(&["man", named]), qxups(&["man", &file])), (page(&file), page(&file)), "{named}");
    }
}

#[test]
fn the_pages_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/man");
    std::fs::create_dir_all(&folder).unwrap();
    let mut stale = vec![];
    for file in files() {
        let printed = page(&file);
        if std::fs::read_to_string(folder.join(&file)).ok() != Some(printed.clone()) {
            std::fs::write(folder.join(&file), printed).unwrap();
            stale.push(folder.join(&file));
        }
    }
    for there in std::fs::read_dir(&folder).unwrap() {
        let there = there.unwrap();
        if !files().contains(&there.file_name().into_string().unwrap()) {
            stale.push(there.path());
        }
    }
    assert_eq!(stale, [] as [PathBuf; 0], "stale; written anew: look at the changes and commit them");
}

#[test]
fn man_has_nothing_to_warn_of() {
    for file in files() {
        let man = Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l", "-"])
            .env("MANWIDTH", "80")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut man = man.expect("this test needs man: apt-get install man-db");
        man.stdin.take().unwrap().write_all(page(&file).as_bytes()).unwrap();
        let output = man.wait_with_output().unwrap();
        let (text, warnings) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(warnings, "", "{file}");
        assert!(text.contains("SEE ALSO"), "{file}: {text}");
    }
}

#[test]
fn the_page_of_a_driver_has_nuts_headings_and_every_option() {
    let page = page("nutdrv_qx.8");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let mut rest = headings.iter();
    for wanted in [
        "NAME",
        "NOTE",
        "SUPPORTED HARDWARE",
        "EXTRA ARGUMENTS",
        "UPS COMMANDS",
        "BATTERY CHARGE",
        "KNOWN PROBLEMS",
        "AUTHORS",
        "SEE ALSO",
    ] {
        assert!(
            rest.any(|heading| heading.trim_matches('"') == wanted),
            "{wanted} in its place: {headings:?}"
        );
    }
    for row in station::driver_kind::NUTDRV_QX
        .all_options()
        .filter(|row| row.scope != qx::options::rows::Scope::Logged)
    {
        assert!(page.contains(&format!("\n\\fB{}", row.name)), "{}", row.name);
    }
    for protocol in qx::protocols::ALL {
        assert!(
            page.contains(&format!("\\fB{}\\fR", protocol.name.replace('-', "\\-"))),
            "{}",
            protocol.name
        );
    }
    let old = qxups(&["man", "blazer_ser"]);
    assert!(old.contains("Minutes before the load is switched on") && !old.contains("voltronic"), "{old}");
}

#[test]
fn completions_are_printed_for_each_shell_and_program() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(qxups(&["completions", shell]).contains("scan"), "{shell}");
        let driver = qxups(&["completions", shell, "blazer_usb"]);
        assert!(
            driver.contains("blazer_usb") && !driver.contains("--help"),
            "{shell}: no long options: {driver}"
        );
    }
}

#[test]
fn bash_takes_the_completions() {
    for program in ["qxups", "nutdrv_qx"] {
        let script = qxups(&["completions", "bash", program]);
        let ask = format!(
            "{script}\nCOMP_WORDS=({program} -); COMP_CWORD=1; _{program} {program} - {program}; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        let offered = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(offered.split_whitespace().any(|word| word == "-h"), "{program}: {offered} {output:?}");
    }
}
