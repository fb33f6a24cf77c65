//! `qxups serve`: every UPS of a site in one process, for every client of NUT.

use crate::demo::Demo;
use crate::from_environment;
use crate::out::Stop;
use ::serve::program::{self, CommandLine, Ground, ServerPlan, Where};
use clap::Args;
use driver::config::{Paths, USER};
use nix::unistd::{Uid, User, chown};
use nut::network::PORT;
use nut::upsd_conf::{Listen, ListenAddress};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// No `qxups.toml` is longer, in bytes.
const LONGEST_EXTRAS: u64 = 1024 * 1024;

/// What stands below the options, and in the manual page.
const MORE: &str = "\
Files:
  FOLDER/ups.conf    the UPSes, as for upsdrvctl
  FOLDER/upsd.conf   where to listen and the like, as for upsd; may be missing
  FOLDER/upsd.users  who may log in, set and command, as for upsd
  FOLDER/qxups.toml  history, page, notifications and more; may be missing
  /run/nut           sockets of the UPSes; upsd.pid and upsd.control, by which
                     'qxups reload' finds the server
  /var/lib/nut       what lasts over a start of the machine; has to be there
    history.sqlite   the history, with -wal, -shm and -lock beside it; made once
                     qxups.toml asks for it (mode 640)
    notify.outbox    what is raised, and notices that wait; made once
                     qxups.toml asks for notifications (mode 600)
    protect.record   what went down in an outage; made once qxups.toml asks for
                     protection (mode 600)
    page.users       the first account of the page; made when it is created
                     there (mode 600)
    qxups-server.pem the server's own certificate; made once TLS is offered and
                     CERTFILE names no other (mode 600)
    qxups-battery-UPS, qxups-dialect-UPS
                     what was measured of a battery, and found of a dialect

Environment:
  NUT_CONFPATH       FOLDER, where none is named
  NUT_STATEPATH      in place of /run/nut for sockets
  NUT_ALTPIDPATH     in place of /run/nut for upsd.pid; left out: NUT_STATEPATH
  QXUPS_VARPATH      in place of /var/lib/nut
  ALLOW_NO_DEVICE    yes: start without a UPS, as ALLOW_NO_DEVICE of upsd.conf
  NAME, DRIVER, PORT, API_USER, API_PASSWORD_FILE and more
                     in place of the files, with --from-environment, and by
                     itself in a container (Docker, Podman) without ups.conf:
                     docs/containers.md has all of them

Signals:
  SIGHUP             read the files again, as 'qxups reload', which says what
                     came of it; where one is wrong, all goes on as before
  SIGTERM, SIGINT    exit, after a load that is being switched off

Exit status:
  0  stopped by a signal
  1  could not start: a sentence says what is wrong and what to do
  2  wrong command line";

/// The options of `qxups serve`.
#[derive(Args)]
#[command(after_help = MORE)]
pub struct Serve {
    /// The folder of ups.conf, upsd.conf and upsd.users; left out: NUT_CONFPATH, or /etc/nut
    folder: Option<PathBuf>,
    /// Listen here instead of where upsd.conf says; may be given again
    #[arg(short, long, value_name = "ADDRESS[:PORT]")]
    listen: Vec<String>,
    /// Take one UPS and one user from environment variables instead of ups.conf, upsd.conf and upsd.users
    #[arg(long, conflicts_with = "folder")]
    from_environment: bool,
    /// The former name of 'qxups demo --plain'
    #[arg(long, conflicts_with = "folder", hide = true)]
    demo: bool,
    /// Become this user, when started as root
    #[arg(short, long)]
    user: Option<String>,
    /// More log; may be given again
    #[arg(short = 'D', long, action = clap::ArgAction::Count)]
    debug: u8,
}

impl Serve {
    /// Serves until it is stopped.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(self) -> Result<ExitCode, Stop> {
        if self.demo {
            return Demo::at(self.listen.into_iter().next()).run();
        }
        let listen: Result<Vec<Listen>, String> = self.listen.iter().map(|text| listen(text)).collect();
        let listen = Some(listen?).filter(|rows| !rows.is_empty());
        let line = CommandLine {
            debug: self.debug,
            // 'qxups reload', and a second server, find it by that
            ground: Ground::Fore { pid_file: true },
            user: self.user,
            ..CommandLine::default()
        };
        let conf = Paths::from_environment().conf;
        let is_bare =
            || self.folder.is_none() && from_environment::is_container() && !conf.join("ups.conf").exists();
        let from = if self.from_environment || is_bare() {
            let extras = read_extras(&conf)?;
            from_environment::texts(
                &|name| std::env::var_os(name),
                Path::new(from_environment::SECRETS),
                extras,
            )?
        } else {
            Where::Folder(self.folder.unwrap_or(conf))
        };
        Ok(program::run(ServerPlan { line, from, listen, state: None }))
    }
}

/// The text of `qxups.toml`; nothing where there is none.
fn read_extras(conf: &Path) -> Result<String, String> {
    let path = conf.join("qxups.toml");
    match link::read_bounded(&path, LONGEST_EXTRAS) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => {
            let bytes = read.map_err(|error| {
                format!("cannot read {}: {error}; let the server's user read it", path.display())
            })?;
            String::from_utf8(bytes).map_err(|_| format!("{} is no UTF-8: write it in that", path.display()))
        }
    }
}

/// Reads `192.0.2.7`, `192.0.2.7:3493`, `ups.lan:3493`, `[::1]:3493`, `::1`, `*`, `*:3493`.
pub fn listen(text: &str) -> Result<Listen, String> {
    let wrong = || format!("--listen {text}: write an address, or ADDRESS:PORT, such as 127.0.0.1:{PORT}");
    let (host, port) = match text.rsplit_once(':') {
        // a colon inside of an address of IPv6 is no port
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().map_err(|_| wrong())?)
        }
        _ => (text, PORT),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address = match host {
        "" => return Err(wrong()),
        "*" => ListenAddress::Any,
        host => ListenAddress::Host(host.into()),
    };
    Ok(Listen { address, port, line: 0 })
}

/// Root's demonstration runs as the user of NUT, where there is one.
pub fn give_away(state: &Path, line: &mut CommandLine) {
    if !Uid::effective().is_root() {
        return;
    }
    let name = line.user.clone().unwrap_or_else(|| USER.into());
    let user = [name.as_str(), "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    if let Some(user) = user {
        if chown(state, Some(user.uid), Some(user.gid)).is_ok() {
            line.user = Some(user.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen_is_read() {
        let host = |text: &str, port| Listen { address: ListenAddress::Host(text.into()), port, line: 0 };
        for (text, row) in [
            ("192.0.2.7", host("192.0.2.7", 3493)),
            ("192.0.2.7:4000", host("192.0.2.7", 4000)),
            ("ups.lan:4000", host("ups.lan", 4000)),
            ("::1", host("::1", 3493)),
            ("[::1]:4000", host("::1", 4000)),
            ("[::1]", host("::1", 3493)),
            ("*", Listen { address: ListenAddress::Any, port: 3493, line: 0 }),
            ("*:4000", Listen { address: ListenAddress::Any, port: 4000, line: 0 }),
        ] {
            assert_eq!(listen(text), Ok(row), "{text}");
        }
        for wrong in ["", ":4000", "a:b", "a:99999"] {
            assert!(listen(wrong).is_err(), "{wrong}");
        }
    }
}
