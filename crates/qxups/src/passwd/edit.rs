//! A password in the text of upsd.users: one line is changed or added, all others stay as they are.

use nut::upsd_users::{self, Password, UpsdUsers};
use nut::words::{SplitLine, lines, quoted};

/// The line for a hash, without its end.
pub fn line(hash: &str) -> String {
    format!("password = {}", quoted(hash))
}

/// Whether it can be the name of a user.
///
/// # Errors
/// A sentence.
pub fn check_name(user: &str) -> Result<(), String> {
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !b"[]\"\\#=".contains(&byte);
    match !user.is_empty() && user.bytes().all(is_fit) {
        true => Ok(()),
        false => Err(format!(
            "'{user}' cannot be the name of a user; write it in ASCII, without blanks, brackets, quotes, \\, # and ="
        )),
    }
}

/// The text with the hash as the password of a user; true when the user was added.
///
/// # Errors
/// A sentence, when the name cannot be one, or the file has the user in a form that is not to be touched.
pub fn with_password(text: &[u8], user: &str, hash: &str) -> Result<(Vec<u8>, bool), String> {
    check_name(user)?;
    let before = upsd_users::parse(text);
    let all = lines(text);
    let (new, is_new) = match place(&all, user) {
        Place::Password(number) => (replaced(text, number, hash), false),
        Place::Heading(number) => (inserted(text, number, hash), false),
        Place::None => (appended(text, user, hash), true),
    };
    // a line that goes on in the next, a heading within quotes: whatever else would change is refused
    match is_as_before(before, &upsd_users::parse(&new), user, hash) {
        true => Ok((new, is_new)),
        false => Err(format!(
            "the section of [{user}] cannot be changed without changing more; put this line there by hand: {}",
            line(hash)
        )),
    }
}

/// Where a password belongs.
enum Place {
    /// In this line, which has one.
    Password(usize),
    /// Behind this one, the heading of the user.
    Heading(usize),
    /// There is no such user.
    None,
}

fn place(all: &[SplitLine], user: &str) -> Place {
    let first = |line: &SplitLine| {
        line.words.as_ref().ok().and_then(|words| words.first().cloned()).unwrap_or_default()
    };
    let heading = format!("[{user}]");
    let Some(at) = all.iter().position(|line| first(line) == heading) else { return Place::None };
    let section = all[at + 1..].iter().take_while(|line| !first(line).starts_with('['));
    let is_password = |line: &&SplitLine| {
        let word = first(line).to_ascii_lowercase();
        word == "password" || word.starts_with("password=")
    };
    match section.clone().find(is_password) {
        Some(line) => Place::Password(line.number),
        None => Place::Heading(all[at].number),
    }
}

/// Where a line begins and ends, its end included.
fn span(text: &[u8], number: usize) -> std::ops::Range<usize> {
    let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let start = match number {
        0 | 1 => 0,
        _ => ends.nth(number - 2).unwrap_or(text.len()),
    };
    start..ends.next().unwrap_or(text.len())
}

fn indent(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &line[..blanks]
}

fn replaced(text: &[u8], number: usize, hash: &str) -> Vec<u8> {
    let span = span(text, number);
    let new = line(hash);
    let parts: [&[u8]; 5] =
        [&text[..span.start], indent(&text[span.clone()]), new.as_bytes(), b"\n", &text[span.end..]];
    parts.concat()
}

fn inserted(text: &[u8], heading: usize, hash: &str) -> Vec<u8> {
    let (span, new) = (span(text, heading), line(hash));
    let end: &[u8] = if text[..span.end].ends_with(b"\n") { b"" } else { b"\n" };
    let parts: [&[u8]; 6] = [&text[..span.end], end, b"    ", new.as_bytes(), b"\n", &text[span.end..]];
    parts.concat()
}

fn appended(text: &[u8], user: &str, hash: &str) -> Vec<u8> {
    let end: &[u8] = match text {
        [] => b"",
        [.., b'\n'] => b"\n",
        _ => b"\n\n",
    };
    let section = format!("[{user}]\n    {}\n", line(hash));
    [text, end, section.as_bytes()].concat()
}

/// Whether nothing but the password of that user has changed.
fn is_as_before(mut before: UpsdUsers, after: &UpsdUsers, user: &str, hash: &str) -> bool {
    let password = upsd_users::parse(format!("[x]\n{}\n", line(hash)).as_bytes());
    let password: Option<Password> = password.users.into_iter().next().and_then(|user| user.password);
    match before.users.iter_mut().find(|known| known.name == user) {
        Some(known) => known.password = password,
        None => before.users.extend(after.users.last().cloned().filter(|last| {
            last.name == user
                && last.password == password
                && last.actions.is_empty()
                && last.commands.is_empty()
        })),
    }
    let bare = |users: &UpsdUsers| {
        let users = users.users.iter().cloned();
        users.map(|user| upsd_users::User { line: 0, password_line: 0, ..user }).collect::<Vec<_>>()
    };
    bare(&before) == bare(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn changed(text: &str, user: &str) -> Result<String, String> {
        with_password(text.as_bytes(), user, HASH).map(|(text, _)| String::from_utf8(text).unwrap())
    }

    #[test]
    fn one_line_is_changed_and_all_others_stay() {
        let new = line(HASH);
        assert_eq!(new, format!("password = \"{HASH}\""));
        for (before, after) in [
            (
                "# a\n[a]\n\tpassword = x # old\n  actions = SET\n[b]\npassword = y\n",
                "# a\n[a]\n\t@\n  actions = SET\n[b]\npassword = y\n",
            ),
            ("[b]\npassword = y\n[a]\nPassword=x", "[b]\npassword = y\n[a]\n@\n"),
            ("[a]\nactions = SET\n[b]\npassword = y\n", "[a]\n    @\nactions = SET\n[b]\npassword = y\n"),
            ("[a]", "[a]\n    @\n"),
            ("", "[a]\n    @\n"),
            ("[b]\npassword = y", "[b]\npassword = y\n\n[a]\n    @\n"),
            ("[b]\npassword = y\n", "[b]\npassword = y\n\n[a]\n    @\n"),
            ("[a]\n\"password=x\"\npassword = z\n", "[a]\n@\npassword = z\n"),
            ("\r\n[a]\r\npassword = x\r\nactions = SET\r\n", "\r\n[a]\r\n@\nactions = SET\r\n"),
        ] {
            let expected = after.replace('@', &new);
            assert_eq!(changed(before, "a"), Ok(expected), "{before}");
        }
    }

    #[test]
    fn what_would_change_more_is_refused() {
        for text in [
            "[a]\npassword = x\\\ny\nactions = SET\n[b]\npassword = \"1\n[a]\n2\"\n",
            "[b]\npassword = \"y\n[a]\n\"\n[a]\npassword = \"x\ny\"\n",
            "[b]\npassword = \"open\n",
        ] {
            let before = upsd_users::parse(text.as_bytes());
            if let Ok(after) = changed(text, "a") {
                let after = upsd_users::parse(after.as_bytes());
                assert!(is_as_before(before, &after, "a", HASH), "{text}");
            }
        }
        for name in ["", "a b", "a]", "[a", "a\n[b]", "\u{fc}", "a#", "a=b", "a\"", "a\\"] {
            assert!(changed("", name).is_err(), "{name}");
        }
    }
}
