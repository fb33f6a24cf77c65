//! The certificate that `upsd.conf` and `qxups.toml` come to, which neither shows alone: as the server would say it.

use super::beside::CheckedFile;
use crate::doctor::System;
use driver::config::{Paths, USER};
use nix::unistd::Uid;
use nut::upsd_conf::{self, UpsdConf};
use nut::words;
use serve::{check_certificate, extras};
use station::config::{LONGEST_CONF, LineFinding};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Adds what is to be said of it to the files of a folder that are checked. Where one of both cannot be used, that is said
/// already.
pub fn check(folder: &Path, files: &mut [CheckedFile]) {
    let read = |name: &str| match link::read_piped(&folder.join(name), LONGEST_CONF) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(vec![]),
        read => read.ok(),
    };
    let Some((upsd, toml)) = read("upsd.conf").zip(read(extras::FILE)) else { return };
    let conf = upsd_conf::parse(&upsd);
    let Ok(extras) = extras::parse(&toml) else { return };
    if !conf.wrong.is_empty() {
        return;
    }
    let at = |word: &str| Some(line_of(&upsd, word).or_else(|| line_of(&upsd, "CERTPATH")).unwrap_or(1));
    let mut add = |name: &str, finding: LineFinding| {
        let file =
            files.iter_mut().find(|file| Path::new(&file.file).file_name().is_some_and(|is| is == name));
        file.into_iter().for_each(|file| file.add(finding.clone()));
    };
    if let Some(finding) = unreadable(&conf, folder, at("CERTFILE")) {
        return add("upsd.conf", finding);
    }
    match check_certificate(&conf, &extras.web, folder, &Paths::from_environment().lasting) {
        Err(why) => {
            let text = why.trim_start_matches("upsd.conf: ").to_string();
            add("upsd.conf", LineFinding::error(at("CERTFILE"), text));
        }
        Ok(checked) => {
            if let Some(why) = checked.pages_lack {
                let web = toml
                    .split(|byte| *byte == b'\n')
                    .position(|line| line.trim_ascii_start().starts_with(b"[web]"));
                let text = format!(
                    "pages are to be encrypted, and the server has no certificate, so browsers are turned away: {why}; or write \
                     tls = false"
                );
                return add(extras::FILE, LineFinding::error(web.map(|at| at + 1), text));
            }
            for hint in checked.hints {
                add(
                    "upsd.conf",
                    LineFinding::hint(at("CERTIDENT"), hint.trim_start_matches("upsd.conf: ").into()),
                );
            }
        }
    }
}

/// A certificate that this user may not read cannot be checked; one that the server's user may not read keeps the server
/// from starting, though root could read it.
fn unreadable(conf: &UpsdConf, folder: &Path, line: Option<usize>) -> Option<LineFinding> {
    let path: PathBuf = folder.join(conf.certificate_file.as_ref()?);
    let name = path.display();
    if !Uid::effective().is_root() {
        let error =
            std::fs::File::open(&path).err().filter(|error| error.kind() == ErrorKind::PermissionDenied)?;
        let text =
            format!("CERTFILE {name} cannot be read ({error}), so it was not checked: run this as root");
        return Some(LineFinding::hint(line, text));
    }
    let user = System::real().user(USER)?;
    (path.is_file() && !user.may_read(&path)).then(|| {
        let text = format!(
            "CERTFILE {name}: the server's user '{USER}' may not read it: run 'chgrp {USER} {name}' and 'chmod g+r {name}', and let \
             that user into its folder"
        );
        LineFinding::error(line, text)
    })
}

/// The line that begins with a word.
fn line_of(text: &[u8], word: &str) -> Option<usize> {
    let is_it = |line: &words::SplitLine| {
        line.words
            .as_ref()
            .is_ok_and(|words| words.first().is_some_and(|first| first.eq_ignore_ascii_case(word)))
    };
    words::lines(text).iter().find(|line| is_it(line)).map(|line| line.number)
}
