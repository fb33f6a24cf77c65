//! What `ups.conf` says: one plan for each UPS, with where its data comes from.

use super::lines::{self, Wrong};
use super::simulated::{self, SimulatedPlan};
use nut::network::client::TlsMode;
use nut::ups_conf::{Section, UpsConf};
use station::config::{LineFinding, Severity, UpsConfig, check_section};
use station::driver_kind::DriverKind;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use tls::{Fingerprint, Verify, client_config};

/// One UPS, as configured.
#[derive(Clone, Debug)]
pub(crate) struct UpsPlan {
    /// Its name.
    pub name: String,
    /// `desc`.
    pub description: Option<String>,
    /// Where its data comes from.
    pub origin: Origin,
}

/// Where the data of a UPS comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A driver that this process has.
    Own {
        /// Which.
        kind: &'static DriverKind,
        /// The UPS.
        config: Box<UpsConfig>,
        /// The socket of that driver, if it runs as a process of its own already.
        socket: PathBuf,
    },
    /// A simulated UPS.
    Simulated(Box<SimulatedPlan>),
    /// The socket of another driver.
    Socket(PathBuf),
    /// Another NUT server.
    Upstream(Upstream),
    /// Nowhere: driver or options are wrong. File, line, a sentence.
    Wrong(String),
}

/// A UPS of another NUT server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// Its name there.
    pub ups: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// As whom orders are handed on: name and password. Without, it is only read.
    pub user: Option<(String, String)>,
    /// Whether it is to be encrypted.
    pub tls: TlsMode,
    /// By what the server is known.
    pub verify: Verify,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // without the password
        f.debug_struct("Upstream").field("ups", &self.ups).field("host", &self.host).finish_non_exhaustive()
    }
}

/// Everything that `ups.conf` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plans {
    /// The UPSes, in order.
    pub all: Vec<UpsPlan>,
    /// Sentences for the log.
    pub hints: Vec<String>,
}

/// Reads `ups.conf`. `folder` is where it lies, `state` where the sockets of drivers are.
///
/// # Errors
/// That names cannot be told apart: file, line, a sentence. What is wrong within a section is [`Origin::Wrong`].
pub(crate) fn read(conf: &UpsConf, folder: &Path, state: &Path) -> Result<Plans, String> {
    let at = |line: usize, why: &str| lines::at(folder, &(line, why.into()));
    lines::check_headings(conf).map_err(|wrong| lines::at(folder, &wrong))?;
    let (mut plans, mut names) = (Plans::default(), HashMap::new());
    plans.hints.extend(lines::of_no_section(conf).iter().map(LineFinding::to_string));
    for section in &conf.sections {
        if let Some(known) = names.insert(section.name.to_ascii_lowercase(), &section.name) {
            let why = format!(
                "[{}] is [{known}] in other letters, which clients cannot tell apart; give it another name",
                section.name
            );
            return Err(at(section.line, &why));
        }
        let mut hints = vec![];
        let planned = plan(conf, section, folder, state, &mut hints);
        hints.iter().for_each(|hint| lines::remark(&mut plans.hints, conf, section, hint));
        plans.all.push(planned.unwrap_or_else(|wrong| {
            let said = wrong.iter().map(|(line, why)| at(*line, &format!("[{}]: {why}", section.name)));
            UpsPlan {
                name: section.name.clone(),
                description: value(section, "desc").map(String::from),
                origin: Origin::Wrong(said.collect::<Vec<_>>().join("; and ")),
            }
        }));
    }
    Ok(plans)
}

/// What there is to say of a section whose driver is a part of the server: `qxups-sim`, `nut-upstream`, `dummy-ups` with a
/// UPS of another server. None for other drivers.
pub fn check_part(conf: &UpsConf, section: &Section, folder: &Path) -> Option<Vec<LineFinding>> {
    let driver = value(section, "driver")?;
    let port = value(section, "port").unwrap_or_default();
    let is_part = matches!(driver, simulated::DRIVER | "nut-upstream") || is_repeater(driver, port);
    is_part.then(|| {
        let mut findings = vec![];
        let wrong = plan(conf, section, folder, Path::new(""), &mut findings).err().unwrap_or_default();
        findings.extend(wrong.into_iter().map(|(line, why)| LineFinding::error(Some(line), why)));
        findings
    })
}

/// `dummy-ups` takes a port with an `@` for a UPS of another server (dummy-ups(8)).
fn is_repeater(driver: &str, port: &str) -> bool {
    driver == "dummy-ups" && port.contains('@')
}

/// The last value of a setting, which is the one that counts.
fn value<'s>(section: &'s Section, name: &str) -> Option<&'s str> {
    let found = section.settings.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case(name));
    found.and_then(|setting| setting.value.as_deref())
}

fn plan(
    conf: &UpsConf,
    section: &Section,
    folder: &Path,
    state: &Path,
    hints: &mut Vec<LineFinding>,
) -> Result<UpsPlan, Vec<Wrong>> {
    let alone = |wrong: Wrong| vec![wrong];
    lines::check_begins(section).map_err(alone)?;
    let none = || vec![(section.line, "it has no driver; add 'driver = ...'".into())];
    let driver = value(section, "driver").ok_or_else(none)?;
    let port = value(section, "port").unwrap_or_default();
    let socket = state.join(format!("{driver}-{}", section.name));
    let origin = if driver == simulated::DRIVER {
        let unread = lines::check_part(conf, section, hints).err().unwrap_or_default();
        match SimulatedPlan::of(conf, section, folder, hints) {
            Ok(plan) if unread.is_empty() => Origin::Simulated(Box::new(plan)),
            planned => {
                let mut wrong = [unread, planned.err().unwrap_or_default()].concat();
                wrong.sort_by_key(|(line, _)| *line);
                return Err(wrong);
            }
        }
    } else if let Some(kind) = DriverKind::named(driver) {
        let config = Box::new(own(kind, conf, section, hints).map_err(alone)?);
        Origin::Own { kind, config, socket }
    } else if driver == "nut-upstream" || is_repeater(driver, port) {
        let upstream = upstream(port).map_err(|why| vec![(line_of(section, "port"), why)])?;
        lines::check_upstream(conf, section, driver, hints)?;
        Origin::Upstream(with_options(upstream, section, folder).map_err(alone)?)
    } else {
        lines::check_foreign(conf, section, hints).map_err(alone)?;
        Origin::Socket(socket)
    };
    let description = value(section, "desc").map(String::from);
    Ok(UpsPlan { name: section.name.clone(), description, origin })
}

fn own(
    kind: &'static DriverKind,
    conf: &UpsConf,
    section: &Section,
    hints: &mut Vec<LineFinding>,
) -> Result<UpsConfig, (usize, String)> {
    for finding in check_section(kind, conf, &section.name) {
        match finding.severity {
            Severity::Error => return Err((finding.line.unwrap_or(section.line), finding.text)),
            Severity::Hint => hints.push(finding),
        }
    }
    UpsConfig::of_section(kind, conf, &section.name).map_err(|wrong| (section.line, wrong.sentence))
}

/// `ups@host`, `ups@host:3493`, `ups@[::1]:3493`, for the drivers that take a UPS of another server (dummy-ups(8),
/// which calls it repeater mode).
fn upstream(port: &str) -> Result<Upstream, String> {
    let wrong = |why: &str| {
        let said = if port.is_empty() { String::new() } else { format!("port = {port}: ") };
        format!("{said}{why}: name a UPS of another server, such as port = ups@host")
    };
    let (ups, place) = port.split_once('@').ok_or_else(|| wrong("there is no @ in it"))?;
    let (host, number) = match place.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => (host, Some(number)),
        _ => (place, None),
    };
    let is_port = |number: &u16| *number > 0;
    let number = match number {
        Some(text) => text.parse().ok().filter(is_port).ok_or_else(|| {
            format!(
                "port = {port}: '{text}' is no port of a server; write a number from 1 to 65535, or leave it out for {}",
                nut::network::PORT
            )
        })?,
        None => nut::network::PORT,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if ups.is_empty() || host.is_empty() {
        return Err(wrong("there is no name on one side of the @"));
    }
    Ok(Upstream {
        ups: ups.into(),
        host: host.into(),
        port: number,
        user: None,
        tls: TlsMode::IfOffered,
        verify: Verify::Nothing,
    })
}

/// The line of a setting, the last of which counts; where there is none, that of the heading.
fn line_of(section: &Section, name: &str) -> usize {
    let found = section.settings.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case(name));
    found.map_or(section.line, |setting| setting.line)
}

/// `upstream_user`, `upstream_password`, `upstream_tls`, `upstream_fingerprint`, `upstream_certpath`. To know the server
/// is to need TLS.
fn with_options(upstream: Upstream, section: &Section, folder: &Path) -> Result<Upstream, (usize, String)> {
    let at = |name: &str| line_of(section, name);
    let user = value(section, "upstream_user").zip(value(section, "upstream_password"));
    let user = user.map(|(name, password)| (name.to_string(), password.to_string()));
    let (fingerprint, roots) = (value(section, "upstream_fingerprint"), value(section, "upstream_certpath"));
    let verify = match (fingerprint, roots) {
        (Some(text), _) => Verify::Fingerprint(
            Fingerprint::parse(text).map_err(|why| (at("upstream_fingerprint"), why.to_string()))?,
        ),
        (None, Some(path)) => Verify::Roots(folder.join(path)),
        (None, None) => Verify::Nothing,
    };
    let wanted = match verify {
        Verify::Nothing => TlsMode::IfOffered,
        _ => TlsMode::Required,
    };
    let tls = match value(section, "upstream_tls").map(str::to_ascii_lowercase).as_deref() {
        None | Some("auto") => wanted,
        Some("always") => TlsMode::Required,
        Some("never") if verify == Verify::Nothing => TlsMode::Never,
        Some("never") => {
            let why = "upstream_tls = never: without TLS the server shows no certificate; take upstream_fingerprint and upstream_certpath out, or write always";
            return Err((at("upstream_tls"), why.into()));
        }
        Some(other) => {
            return Err((at("upstream_tls"), format!("upstream_tls = {other}: write auto, always or never")));
        }
    };
    client_config(&verify, None).map_err(|why| (at("upstream_certpath"), why.to_string()))?;
    Ok(Upstream { user, tls, verify, ..upstream })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Plans, String> {
        read(&nut::ups_conf::parse(text.as_bytes()), Path::new("/etc/nut"), Path::new("/run/nut"))
    }

    #[test]
    fn each_driver_has_its_origin() {
        let text = "[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\ndesc = \"the first\"\n\
                    [b]\ndriver = usbhid-ups\nport = auto\n\
                    [c]\ndriver = qxups-sim\nscenario = on-battery\n\
                    [d]\ndriver = dummy-ups\nport = ups@192.0.2.7\n\
                    [e]\ndriver = dummy-ups\nport = ups.dev\n\
                    [f]\ndriver = nut-upstream\nport = rack@[2001:db8::1]:4000\n";
        let plans = read_text(text).unwrap().all;
        let origins: Vec<&Origin> = plans.iter().map(|plan| &plan.origin).collect();
        assert_eq!(plans[0].description.as_deref(), Some("the first"));
        assert!(matches!(origins[0], Origin::Own { kind, .. } if kind.name == "nutdrv_qx"));
        assert!(matches!(origins[1], Origin::Socket(path) if path == Path::new("/run/nut/usbhid-ups-b")));
        assert!(matches!(origins[2], Origin::Simulated(_)));
        let there = |ups: &str, host: &str, port| Upstream {
            ups: ups.into(),
            host: host.into(),
            port,
            user: None,
            tls: TlsMode::IfOffered,
            verify: Verify::Nothing,
        };
        assert!(matches!(origins[3], Origin::Upstream(up) if *up == there("ups", "192.0.2.7", 3493)));
        assert!(matches!(origins[4], Origin::Socket(path) if path == Path::new("/run/nut/dummy-ups-e")));
        assert!(matches!(origins[5], Origin::Upstream(up) if *up == there("rack", "2001:db8::1", 4000)));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_and_remedy() {
        for (text, line, part) in [
            ("[a]\nport = x\n", 1, "add 'driver"),
            ("[a]\ndriver = usbhid-ups\n\n[A]\ndriver = usbhid-ups\n", 4, "another name"),
            ("[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\npollinterval = soon\n", 4, "pollinterval"),
            ("[a]\ndriver = nutdrv_qx\nport = /dev/ttyS0\nfrobnicate = 1\n", 4, "frobnicate"),
            ("[a]\ndriver = nut-upstream\nport = u@h\nupstream_tls = perhaps\n", 4, "auto, always or never"),
            ("[a]\ndriver = nut-upstream\nport = u@h\nupstream_fingerprint = 12\n", 4, "64 hex"),
            ("[a]\ndriver = nut-upstream\nport = u@h\nupstream_certpath = /no/such\n", 4, "/no/such"),
            ("[a]\ndriver = qxups-sim\nprotocol = klingon\n", 3, "there are"),
            ("[a]\ndriver = qxups-sim\nscenario = doom\n", 3, "on-battery"),
            ("[a]\ndriver = qxups-sim\nknob = frob\n", 3, "frob"),
            ("[a]\ndriver = qxups-sim\nscenaro = mains\n", 3, "did you mean scenario?"),
            ("[a]\ndriver = qxups-sim\nprotocl = mains\n", 3, "did you mean protocol?"),
            ("[a]\ndriver = qxups-sim\nofdelay = 1\n", 3, "did you mean offdelay?"),
            ("[a]\ndriver = qxups-sim\nport x\n", 3, "neither"),
            ("[a]\ndriver = usbhid-ups\n[b\ndriver = qxups-sim\n", 3, "write [name]"),
            ("[a]\ndriver = dummy-ups\nport = u@\n", 3, "port = ups@host"),
            ("[a]\ndriver = dummy-ups\nport = @h\n", 3, "port = ups@host"),
            ("[a]\ndriver = nut-upstream\nport = nas\n", 3, "port = nas: there is no @"),
            ("[a]\ndriver = nut-upstream\ndesc = x\n", 1, "port = ups@host"),
            ("[a]\nport = ups@nas:3493x\ndriver = nut-upstream\n", 2, "'3493x' is no port"),
            ("[a]\ndriver = nut-upstream\nport = ups@[::1]:0\n", 3, "'0' is no port"),
            ("[a]\ndriver = nut-upstream\nport = ups@nas:\n", 3, "'' is no port"),
            ("[a]\ndriver = dummy-ups\nport = u\nupstream_tls = always\n", 4, "port = ups@host"),
        ] {
            let wrong = |plan: &UpsPlan| match &plan.origin {
                Origin::Wrong(why) => Some(why.clone()),
                _ => None,
            };
            let why = match read_text(text) {
                Ok(plans) => plans.all.iter().find_map(wrong).unwrap(),
                Err(why) => why,
            };
            assert!(why.starts_with(&format!("/etc/nut/ups.conf, line {line}: ")), "{why}");
            assert!(why.contains(part), "{why}");
        }
    }
    /// The last word of a knob that stands in the file was taken by the scenario, and nothing said so.
    #[test]
    fn a_knob_that_the_scenario_turns_as_well_is_said() {
        for (text, parts) in [
            (
                "scenario = on-battery\nknob = \"load 50\"\n",
                &["line 4: knob = load 50", "'load 20', after 0 s"][..],
            ),
            ("knob = \"mains back\"\nscenario = outages\n", &["line 3: knob = mains back", "after 120 s"]),
            ("scenario = on-battery\nknob = \"temperature 30\"\n", &[]),
            ("scenario = mains\nknob = \"load 50\"\n", &[]),
        ] {
            let hints = read_text(&format!("[a]\ndriver = qxups-sim\n{text}")).unwrap().hints;
            assert_eq!(hints.len(), usize::from(!parts.is_empty()), "{hints:?}");
            parts.iter().for_each(|part| assert!(hints[0].contains(part), "{part}: {hints:?}"));
        }
    }

    /// Found by a review: a line that was misspelt, or lost in quotes, turned the check of the server's certificate off, and
    /// the password went out in the clear.
    #[test]
    fn what_cannot_be_read_of_a_ups_of_another_server_costs_that_ups() {
        let print = "AA".repeat(32);
        let blanks = ["AA"; 32].join(" ");
        let section =
            "[a]\ndriver = nut-upstream\nport = u@h\nupstream_user = adm\nupstream_password = secret\n";
        for (more, line, part) in [
            (format!("upstream_fingerprint = \"{print}\n"), 6, "not closed"),
            (format!("upstream_fingerprint = \"{print} # of rack\n"), 6, "close the quotes"),
            (format!("upstream_fingerprnt = {print}\n"), 6, "did you mean upstream_fingerprint?"),
            (format!("upstream_fingerprint {print}\n"), 6, "neither"),
            ("upstream_fingerprint =\n".into(), 6, "neither"),
            ("upstream_fingerprint\n".into(), 6, "needs a value"),
            ("upstream_fingerprint = \"\"\n".into(), 6, "needs a value"),
            (format!("upstream_fingerprint = {blanks}\n"), 6, "in quotes"),
            ("upstream_fingerprint = AA BB\n".into(), 6, "\"AA BB\""),
            ("upstream_tls always\n".into(), 6, "neither"),
            ("upstream_tls =\n".into(), 6, "neither"),
            ("upstream_tls\n".into(), 6, "needs a value"),
            ("upstream_tls = always # \nupstream_tls\n".into(), 7, "needs a value"),
            ("upstream_tsl = always\n".into(), 6, "did you mean upstream_tls?"),
            ("upstream_certpath = \"\"\n".into(), 6, "needs a value"),
            ("frobnicate = 1\n".into(), 6, "there are upstream_user"),
            ("desc = \"Rack 3\nupstream_tls = \"always\"\n".into(), 6, "line 7, 'upstream_tls'"),
            ("upstream_user = \"adm\n".into(), 6, "not closed"),
        ] {
            let plans = read_text(&format!("{section}{more}")).unwrap();
            let Origin::Wrong(why) = &plans.all[0].origin else { panic!("{more} is taken") };
            assert!(why.starts_with(&format!("/etc/nut/ups.conf, line {line}: [a]: ")), "{more}: {why}");
            assert!(why.contains(part) && !why.contains("secret"), "{more}: {why}");
        }
        for (text, line, part) in [
            (section.replace("= secret", "= secret words"), 5, "\"...\""),
            (section.replace("= secret", "secret"), 5, "'upstream_password ...'"),
            (section.replace("upstream_password = secret\n", ""), 4, "needs upstream_password"),
            (section.replace("upstream_user = adm\n", ""), 4, "needs upstream_user"),
            (format!("upstream_tls = always\n{section}"), 1, "below [a]"),
            (format!("upstream_tls always\n{section}"), 1, "neither"),
        ] {
            let plans = read_text(&text).unwrap();
            let Origin::Wrong(why) = &plans.all[0].origin else { panic!("{text} is taken") };
            assert!(why.starts_with(&format!("/etc/nut/ups.conf, line {line}: [a]: ")), "{text}: {why}");
            assert!(why.contains(part) && !why.contains("secret"), "{text}: {why}");
        }
        for good in
            ["", "pollinterval = 3\n", "desc = My UPS\n", &format!("upstream_fingerprint = \"{blanks}\"\n")]
        {
            let plans = read_text(&format!("maxretry = 3\n{section}{good}")).unwrap();
            assert!(matches!(&plans.all[0].origin, Origin::Upstream(_)), "{good}: {:?}", plans.all[0].origin);
        }
    }

    /// Found by a newcomer: after each correction the next mistake was named.
    #[test]
    fn all_that_is_wrong_with_a_simulated_ups_is_said_at_once() {
        let text = "[a]\ndriver = qxups-sim\nprotocol = klingon\nscenario = nowhere\nknob = \"frob 1\"\nseed = x\n\
                    prtocol = mecer\npollinterval = never\ndesc = \"open\n";
        let plans = read_text(text).unwrap();
        let Origin::Wrong(why) = &plans.all[0].origin else { panic!("it is taken") };
        let lines: Vec<&str> = why.split("; and /").map(|part| part.split(": ").next().unwrap()).collect();
        let expected: Vec<String> = (3..=9).map(|line| format!("etc/nut/ups.conf, line {line}")).collect();
        assert_eq!(
            lines.iter().map(|line| line.trim_start_matches('/')).collect::<Vec<_>>(),
            expected,
            "{why}"
        );
        let conf = nut::ups_conf::parse(text.as_bytes());
        let findings = check_part(&conf, &conf.sections[0], Path::new("/etc/nut")).unwrap();
        let lines: Vec<_> = findings.iter().filter_map(|finding| finding.line).collect();
        assert_eq!(lines, (3..=9).collect::<Vec<_>>(), "{findings:?}");
    }

    /// Found by a review: a section of `[my ups]` was not served, and the log had no word of it where no driver of ours read
    /// the file, and the name of another UPS where one did.
    #[test]
    fn every_line_that_is_not_taken_is_remarked_upon_once() {
        for driver in ["qxups-sim", "nut-upstream\nport = u@h", "usbhid-ups", "nutdrv_qx\nport = /dev/null"] {
            let text = format!(
                "bogus = 1\nfrob x\n[my ups]\ndriver = x\nport y\n[a]\ndriver = {driver}\n[b]\ndriver = {driver}\ndesc = My UPS\n"
            );
            let hints = read_text(&text).unwrap().hints;
            for part in ["line 1: ", "line 2: ", "line 3: ", "line 5: "] {
                let found: Vec<_> = hints.iter().filter(|hint| hint.contains(part)).collect();
                assert_eq!(found.len(), 1, "{driver}: {hints:?}");
                assert!(found[0].starts_with("ups.conf, "), "{found:?}");
            }
            let lost: Vec<_> = hints.iter().filter(|hint| hint.contains("\"My UPS\"")).collect();
            assert!(lost.len() == 1 && lost[0].starts_with("b: "), "{hints:?}");
        }
    }

    /// Found by a review: quotes that were never closed took the sections of other UPSes in, which were served no more.
    #[test]
    fn quotes_that_took_a_ups_in_are_refused() {
        for driver in ["qxups-sim", "nut-upstream\nport = u@h", "usbhid-ups", "nutdrv_qx\nport = /dev/null"] {
            let first = 2 + driver.lines().count();
            for rest in ["driver = usbhid-ups\n", "driver = usbhid-ups\ndesc = \"y\"\n"] {
                let why =
                    read_text(&format!("[a]\ndriver = {driver}\ndesc = \"Rack 3\n[b]\n{rest}")).unwrap_err();
                let expected = format!(
                    "/etc/nut/ups.conf, line {first}: its quotes are not closed, so line {}, '[b]'",
                    first + 1
                );
                assert!(why.starts_with(&expected), "{why}");
            }
        }
    }
}
