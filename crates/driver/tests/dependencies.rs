//! What the drop-in is linked with: nothing of TLS or of the server, and no crate that is under the Apache licence alone,
//! which does not go with version 2 of the GPL.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::process::Command;

/// The crates of a package as they are linked, with their licences.
fn crates(package: &str) -> Vec<(String, String)> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            package,
            "-e",
            "normal",
            "--prefix",
            "none",
            "-f",
            "{p}|{l}",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    let name = |package: &str| package.split(' ').next().unwrap_or_default().to_string();
    lines.map(|(package, licence)| (name(package), licence.to_string())).collect()
}

/// Whether a licence expression (SPDX) can be met without the Apache licence: one of its alternatives has no such part.
/// AND binds closer than OR.
fn goes_with_gpl_2(licence: &str) -> bool {
    let expression = licence.trim();
    if let Some(inner) = in_brackets(expression) {
        return goes_with_gpl_2(inner);
    }
    let (alternatives, all) = (split(expression, " OR "), split(expression, " AND "));
    match (alternatives.len(), all.len()) {
        (2.., _) => alternatives.iter().any(|part| goes_with_gpl_2(part)),
        (_, 2..) => all.iter().all(|part| goes_with_gpl_2(part)),
        // an exception of LLVM for GPL-2 is one
        _ => {
            !expression.is_empty()
                && (!expression.starts_with("Apache-") || expression.contains(" WITH LLVM-exception"))
        }
    }
}

fn in_brackets(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0;
    let is_one = inner.chars().all(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth >= 0
    });
    is_one.then_some(inner)
}

/// Splits at a word outside of brackets.
fn split<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let (mut depth, mut from, mut parts) = (0, 0, vec![]);
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 && text[at..].starts_with(word) {
            parts.push(&text[from..at]);
            from = at + word.len();
        }
    }
    parts.push(&text[from..]);
    parts
}

#[test]
fn the_drop_in_is_linked_with_nothing_that_gpl_2_excludes() {
    let linked = crates("driver");
    assert!(linked.len() > 20 && linked.iter().any(|(name, _)| name == "tokio"), "{linked:?}");
    for (name, licence) in &linked {
        assert!(goes_with_gpl_2(licence), "{name} is under {licence}");
        let is_foreign = ["ring", "rustls", "tls", "serve", "argon2", "simulator"].contains(&name.as_str());
        assert!(!is_foreign, "{name} is linked");
    }
    // the server is, and this test knows such a crate when it sees one
    let server = crates("serve");
    let ring = server.iter().find(|(name, _)| name == "ring").unwrap();
    assert!(!goes_with_gpl_2(&ring.1), "{ring:?}");
}

#[test]
fn licences_are_read_as_spdx_has_them() {
    for (licence, goes) in [
        ("MIT", true),
        ("MIT OR Apache-2.0", true),
        ("Apache-2.0", false),
        ("Apache-2.0 AND ISC", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(Apache-2.0) AND (MIT OR ISC)", false),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT AND Apache-2.0 OR ISC", true),
        ("", false),
    ] {
        assert_eq!(goes_with_gpl_2(licence), goes, "{licence}");
    }
}
