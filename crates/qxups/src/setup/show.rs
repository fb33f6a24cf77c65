//! What will be written, file by file: a new one whole, of another the lines that change.

use super::folder::ConfFolder;
use super::plan::FileChange;
use crate::conf_file::NewFile;
use nix::unistd::{Gid, Group};
use nut::words::quoted;
use station::advice::plain;
use std::fmt::Write;

/// What stands for a password.
const HIDDEN: &str = "(its password)";

/// All files, without passwords: what was typed unseen is not shown.
pub fn all(folder: &ConfFolder, changes: &[FileChange<'_>], passwords: &[String]) -> String {
    let mut text = String::new();
    if !folder.is_there {
        let _ = writeln!(text, "\n{} will be made.", folder.path.display());
    }
    for change in changes {
        let path = folder.path.join(change.name);
        let leads = match path == change.before.path {
            true => String::new(),
            false => format!(" -> {}", change.before.path.display()),
        };
        let what = if change.before.is_there() { "added to".into() } else { new(folder.new) };
        let _ = writeln!(text, "\n{}{leads} ({what}):", path.display());
        text += &masked(&difference(&change.before.text, &change.text), passwords);
    }
    text + "\n"
}

/// The text without these passwords, where a line has one.
fn masked(text: &str, passwords: &[String]) -> String {
    let has_one = |line: &str| line.contains("password =") || line.contains("MONITOR ");
    let mask = |line: &str| {
        passwords.iter().fold(line.to_string(), |line, password| line.replace(&quoted(password), HIDDEN))
    };
    text.split_inclusive('\n').map(|line| if has_one(line) { mask(line) } else { line.into() }).collect()
}

fn new(file: NewFile) -> String {
    let group = file.group.map(|id| match Group::from_gid(Gid::from_raw(id)) {
        Ok(Some(group)) => format!(", group {}", group.name),
        _ => format!(", group {id}"),
    });
    format!("new, mode {:o}{}", file.mode, group.unwrap_or_default())
}

/// The lines between what both texts begin and end with.
fn difference(before: &[u8], after: &[u8]) -> String {
    let lines = |text: &[u8]| {
        text.split_inclusive(|byte| *byte == b'\n')
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    let same = |one: &mut dyn Iterator<Item = &String>, other: &mut dyn Iterator<Item = &String>| {
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let begin = same(&mut before.iter(), &mut after.iter());
    let end = same(&mut before[begin..].iter().rev(), &mut after[begin..].iter().rev());
    let row = |sign: char, line: &String| {
        format!("  {sign} {}\n", plain(&line.replace('\t', "    ").trim_end().replace('\0', "?")))
    };
    let mut text = if begin > 0 { format!("  after line {begin}:\n") } else { String::new() };
    text.extend(before[begin..before.len() - end].iter().map(|line| row('-', line)));
    text.extend(after[begin..after.len() - end].iter().map(|line| row('+', line)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_shown_with_its_place() {
        assert_eq!(difference(b"", b"# x\n[a]\n\tport = y\n"), "  + # x\n  + [a]\n  +     port = y\n");
        assert_eq!(difference(b"a\nb\n", b"a\nb\n\nc\n"), "  after line 2:\n  + \n  + c\n");
        assert_eq!(
            difference(b"a\nMODE=none\nb\n", b"a\nMODE=standalone\nb\n"),
            "  after line 1:\n  - MODE=none\n  + MODE=standalone\n"
        );
        // what ends without a line feed is the same line
        assert_eq!(difference(b"a", b"a\n\nb\n"), "  - a\n  + a\n  + \n  + b\n");
    }
}
