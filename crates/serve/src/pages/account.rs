//! The first account: where no user of upsd.users may do anything, one is created on the page, with a code of the server's log.
//! It is kept as one section in the form of upsd.users, in the folder of what lasts, for the server's user alone, and counts on
//! the page alone: clients of NUT cannot log in by it.

use crate::passwords;
use link::read_bounded;
use nix::fcntl::OFlag;
use nut::upsd_users::{self, Password, User};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use web::access::is_same;

/// Its name in the folder of what lasts.
const NAME: &str = "page.users";
/// The first line, before the version; it stays so in all of them. To upsd.users it is a comment. The first files had none.
const HEAD: &str = "# qxups-account ";
/// What is written; this one is read, and those before.
const VERSION: u32 = 1;
/// No such file is longer, in bytes.
const LONGEST: u64 = 4096;
/// A password has at least so many letters.
pub(super) const LEAST_PASSWORD: usize = 8;
/// A name has at most so many letters.
const LONGEST_NAME: usize = 32;

/// The file.
#[derive(Clone, Debug)]
pub(super) struct AccountFile(PathBuf);

impl AccountFile {
    /// In this folder.
    pub fn of(lasting: &Path) -> AccountFile {
        AccountFile(lasting.join(NAME))
    }

    /// The account; none where there is no file.
    ///
    /// # Errors
    /// A sentence, where the file cannot be used. Then there is no first account to create either: the file may be one that was
    /// damaged on purpose.
    pub fn read(&self) -> Result<Option<User>, String> {
        let path = self.0.display();
        let remedy = "remove the file and reload, to create the account anew";
        let text = match read_bounded(&self.0, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| format!("cannot read {path}: {error}; {remedy}"))?,
        };
        if let Some(version) = version_of(&text).filter(|version| *version > VERSION) {
            return Err(format!(
                "{path}: a newer qxups wrote it (version {version}, this one knows {VERSION}), so it is neither read nor changed: install that one again, or move the file away and reload"
            ));
        }
        let users = upsd_users::parse(&text);
        let is_usable = |user: &User| matches!(&user.password, Some(Password::Hash(hash)) if passwords::check_hash(hash).is_ok());
        match (users.wrong.is_empty(), users.users.as_slice()) {
            (true, [user]) if is_usable(user) => Ok(Some(user.clone())),
            _ => Err(format!("{path} is not as this server wrote it; {remedy}")),
        }
    }

    /// Writes it. Whenever the process is killed the file is whole, or not there.
    ///
    /// # Errors
    /// A sentence; then it is not there.
    pub fn write(&self, name: &str, hash: &str) -> Result<(), String> {
        let text = format!(
            "{HEAD}{VERSION}\n[{name}]\n    password = \"{hash}\"\n    actions = SET\n    instcmds = ALL\n"
        );
        self.put(&text).map_err(|error| {
            format!(
                "cannot write {}: {error}; make room there, or let the server's user write there",
                self.0.display()
            )
        })
    }

    fn put(&self, text: &str) -> io::Result<()> {
        let draft = self.0.with_extension("new");
        let written = write_draft(&draft, text).and_then(|()| std::fs::rename(&draft, &self.0));
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        written?;
        self.0.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

/// Which version the first line says.
fn version_of(text: &[u8]) -> Option<u32> {
    let line = text.split(|byte| *byte == b'\n').next()?.strip_prefix(HEAD.as_bytes())?;
    let number = std::str::from_utf8(line).ok().filter(|number| !number.is_empty())?;
    // a number that is too long is newer than all
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().unwrap_or(u32::MAX))
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    // what a process that was killed left there, or a link that another user put there
    match std::fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// What is wrong with a name or a password for a new account.
pub(super) fn check_new(name: &str, password: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err("The name cannot be used: take 1 to 32 letters of a to z, digits, '.', '-' and '_'.");
    }
    if password.chars().count() < LEAST_PASSWORD {
        return Err("The password is too short: take 8 characters or more.");
    }
    Ok(())
}

/// Letters of a code: none is taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many of them: 100 bits.
const CODE: usize = 20;

/// The code by which the first account is created, once. Its text for debugging does not show it.
#[derive(Clone)]
pub(super) struct FirstCode(String);

impl fmt::Debug for FirstCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstCode(..)")
    }
}

impl FirstCode {
    /// Of random bytes.
    pub fn from_random(bytes: [u8; 32]) -> FirstCode {
        let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
        FirstCode(bytes.iter().take(CODE).map(letter).collect())
    }

    /// As it stands in the log, in groups of four.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for (at, letter) in self.0.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    }

    /// Whether it was given; hyphens, blanks and capitals make no difference.
    pub fn is(&self, given: &str) -> bool {
        let plain = given.chars().filter(|letter| !matches!(letter, '-' | ' ')).flat_map(char::to_lowercase);
        is_same(self.0.as_bytes(), plain.take(2 * CODE).collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-account-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_written_is_read_and_for_its_owner_alone() {
        let folder = folder("written");
        let file = AccountFile::of(&folder);
        assert_eq!(file.read(), Ok(None));
        // a draft of a process that was killed, and a link
        std::os::unix::fs::symlink("/dev/full", folder.join("page.new")).unwrap();
        let hash = passwords::hash("correct horse").unwrap();
        file.write("admin", &hash).unwrap();
        let user = file.read().unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.password), ("admin", Some(Password::Hash(hash))));
        assert!(user.actions == [upsd_users::AllowedAction::Set] && user.commands.len() == 1);
        let mode = std::fs::metadata(folder.join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(file.write("admin", "x").unwrap_err().contains("cannot write"));
    }

    #[test]
    fn a_file_that_is_not_ours_is_no_account() {
        let folder = folder("foreign");
        let file = AccountFile::of(&folder);
        let hash = passwords::hash("correct horse").unwrap();
        let whole = format!("[admin]\n    password = \"{hash}\"\n    instcmds = ALL\n");
        for text in ["", "[admin]\n", "[admin]\npassword = plain\n", "[a\n", &whole[..whole.len() / 2]] {
            std::fs::write(folder.join(NAME), text).unwrap();
            assert!(file.read().is_err(), "{text}");
        }
        std::fs::write(folder.join(NAME), format!("{whole}[b]\npassword = \"{hash}\"\n")).unwrap();
        assert!(file.read().is_err());
        std::fs::write(folder.join(NAME), whole).unwrap();
        assert!(file.read().unwrap().is_some());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Files of each version, as the programs wrote them, and one of a program to come.
    #[test]
    fn files_of_all_versions_are_read_and_a_newer_one_stays() {
        let folder = folder("versions");
        let file = AccountFile::of(&folder);
        for kept in [
            include_str!("../../../testbed/state/account-0"),
            include_str!("../../../testbed/state/account-1"),
        ] {
            std::fs::write(folder.join(NAME), kept).unwrap();
            let user = file.read().unwrap().unwrap();
            assert!(user.name == "admin" && user.actions == [upsd_users::AllowedAction::Set]);
            let Some(Password::Hash(hash)) = user.password else { panic!("{kept}") };
            assert!(passwords::is_password(&hash, "correct horse"));
        }
        let newer = include_str!("../../../testbed/state/account-1").replace("account 1", "account 2");
        std::fs::write(folder.join(NAME), &newer).unwrap();
        let said = file.read().unwrap_err();
        assert!(said.contains("a newer qxups") && said.contains("move the file away"), "{said}");
        assert_eq!(std::fs::read_to_string(folder.join(NAME)).unwrap(), newer);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_code_is_given_as_it_is_read() {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(0u8..).for_each(|(byte, number)| *byte = number.wrapping_mul(37));
        let code = FirstCode::from_random(bytes);
        let shown = code.shown();
        assert_eq!((shown.len(), shown.matches('-').count()), (24, 4));
        assert!(code.is(&shown) && code.is(&shown.to_uppercase()) && code.is(&shown.replace('-', " ")));
        for wrong in ["", "-", &shown[1..], &format!("{shown}a"), &shown.replace(&shown[..1], "z")] {
            assert!(!code.is(wrong), "{wrong}");
        }
        assert!(!code.is(&FirstCode::from_random([1; 32]).shown()));
        assert_eq!(format!("{code:?}"), "FirstCode(..)");
    }

    #[test]
    fn names_and_passwords_are_checked() {
        assert!(check_new("Ad-min_1.x", "12345678").is_ok());
        for name in ["", "a b", "<script>", "a]", "j\u{fc}rgen", &"a".repeat(33), "a\n[b"] {
            assert!(check_new(name, "12345678").unwrap_err().contains("name"), "{name}");
        }
        assert!(check_new("a", "1234567").unwrap_err().contains("8 characters"));
        assert!(check_new("a", "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}").is_err());
    }
}
