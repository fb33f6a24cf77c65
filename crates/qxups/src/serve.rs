//! `qxups serve`: every UPS of a site in one process, for every client of NUT.

use ::serve::program::{self, CommandLine, Ground, ServerPlan, Where};
use clap::Args;
use driver::config::{Paths, USER};
use nix::unistd::{Uid, User, chown};
use nut::network::PORT;
use nut::upsd_conf::{Listen, ListenAddress};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The UPSes of the demonstration.
const DEMO_UPSES: &str = "\
[rack]
driver = qxups-sim
desc = \"Rack, on mains\"
[office]
driver = qxups-sim
protocol = voltronic
scenario = on-battery
desc = \"Office, on battery\"
[lab]
driver = qxups-sim
protocol = mecer
scenario = outages
desc = \"Lab, an outage every two minutes\"
";
const DEMO_USERS: &str = "\
[demo]
password = demo
actions = SET FSD
instcmds = ALL
upsmon primary
";

/// The options of `qxups serve`.
#[derive(Args)]
pub struct Serve {
    /// The folder of ups.conf, upsd.conf and upsd.users; left out: NUT_CONFPATH, or /etc/nut
    folder: Option<PathBuf>,
    /// Listen here instead of where upsd.conf says; may be given again
    #[arg(short, long, value_name = "ADDRESS[:PORT]")]
    listen: Vec<String>,
    /// Serve three simulated UPSes instead, one of them on battery
    #[arg(long, conflicts_with = "folder")]
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
    pub fn run(self) -> Result<ExitCode, String> {
        let listen: Result<Vec<Listen>, String> = self.listen.iter().map(|text| listen(text)).collect();
        let listen = Some(listen?).filter(|rows| !rows.is_empty());
        let line = CommandLine {
            debug: self.debug,
            // 'qxups reload', and a second server, find it by that
            ground: Ground::Fore { pid_file: true },
            user: self.user,
            ..CommandLine::default()
        };
        if self.demo {
            return demo(line, listen);
        }
        let from = Where::Folder(self.folder.unwrap_or_else(|| Paths::from_environment().conf));
        Ok(program::run(ServerPlan { line, from, listen, state: None, greeting: None }))
    }
}

/// Reads `192.0.2.7`, `192.0.2.7:3493`, `ups.lan:3493`, `[::1]:3493`, `::1`, `*`, `*:3493`.
fn listen(text: &str) -> Result<Listen, String> {
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

fn demo(mut line: CommandLine, listen: Option<Vec<Listen>>) -> Result<ExitCode, String> {
    let state = std::env::temp_dir().join(format!("qxups-demo-{}", std::process::id()));
    let made = DirBuilder::new().mode(0o700).create(&state);
    made.map_err(|error| {
        format!("cannot create {}: {error}; set TMPDIR to a folder that can be used", state.display())
    })?;
    give_away(&state, &mut line);
    let greeting = greeting(listen.as_deref());
    let from = Where::Texts { ups: DEMO_UPSES.into(), upsd: String::new(), users: DEMO_USERS.into() };
    let code =
        program::run(ServerPlan { line, from, listen, state: Some(state.clone()), greeting: Some(greeting) });
    // of what lies there nothing is needed any more; the folder itself may be in one of root's
    let _ = std::fs::remove_dir_all(&state);
    Ok(code)
}

/// Root's demonstration runs as the user of NUT, where there is one.
fn give_away(state: &Path, line: &mut CommandLine) {
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

fn greeting(listen: Option<&[Listen]>) -> String {
    let place = match listen.and_then(<[Listen]>::first) {
        Some(Listen { address: ListenAddress::Host(host), port, .. }) if host.contains(':') => {
            format!("[{host}]:{port}")
        }
        Some(Listen { address: ListenAddress::Host(host), port, .. }) => format!("{host}:{port}"),
        Some(Listen { address: ListenAddress::Any, port, .. }) => format!("localhost:{port}"),
        None => "localhost".into(),
    };
    let place = place.strip_suffix(&format!(":{PORT}")).unwrap_or(&place).to_string();
    format!(
        "Three simulated UPSes are served: rack, office (on battery), lab. In another terminal:\n\
         \n\
         \x20 qxups top @{place}                            all of them, live (q ends it)\n\
         \x20 qxups list office@{place}                     what one says\n\
         \x20 qxups cmd -u demo rack@{place} test.battery.start.quick    (the password is demo)\n\
         \n\
         With NUT's own clients:\n\
         \n\
         \x20 upsc -l {place}                               their names\n\
         \x20 upsc office@{place}                           what one says\n\
         \x20 upscmd -l rack@{place}                        its commands\n\
         \x20 upscmd -w -u demo -p demo rack@{place} test.battery.start.quick\n\
         \x20 upsrw -w -s ups.delay.start=300 -u demo -p demo rack@{place}\n\
         \n\
         Control-C ends it.\n"
    )
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
