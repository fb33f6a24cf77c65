//! Debian's manual pages of NUT, as text.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

/// A page such as `8/nutdrv_qx`, with its bold words marked by `*`, without other formatting.
pub fn page(title: &str) -> String {
    let (part, name) = title.split_once('/').unwrap();
    let path = format!("/usr/share/man/man{part}/{name}.{part}.gz");
    let output = Command::new("zcat").arg(&path).output().expect("zcat");
    assert!(output.status.success(), "this test needs {path}, which Debian's nut-server installs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let roff = [("\\fB", "*"), ("\\fR", "*"), ("\\fI", "*"), ("\\&", ""), ("\\-", "-"), ("\\(cq", "'")];
    roff.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

pub fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let start = page.find(&format!(".SH \"{title}")).unwrap_or_else(|| panic!("no section {title}"));
    let rest = &page[start + 4..];
    &rest[..rest.find("\n.SH").unwrap_or(rest.len())]
}

/// What stands between stars and begins a paragraph: the terms that the page explains.
pub fn terms(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let explained = lines.windows(2).filter(|pair| pair[0] == ".PP" && pair[1].starts_with('*'));
    explained.flat_map(|pair| pair[1].split(", *")).map(|term| term.trim_matches('*').to_string()).collect()
}

/// The word before the equals sign.
pub fn name(term: &str) -> &str {
    term.split([' ', '=', '*']).next().unwrap_or_default()
}
