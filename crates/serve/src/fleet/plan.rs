//! What `ups.conf` says: one plan for each UPS, with where its data comes from.

use super::simulated::{self, SimulatedPlan};
use nut::network::client::TlsMode;
use nut::ups_conf::{Section, UpsConf};
use station::config::{Severity, UpsConfig, check_section};
use station::driver_kind::DriverKind;
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
    let at = |line: usize, why: &str| format!("{}, line {line}: {why}", folder.join("ups.conf").display());
    let mut plans = Plans::default();
    for section in &conf.sections {
        let again = plans.all.iter().find(|plan| plan.name.eq_ignore_ascii_case(&section.name));
        if let Some(known) = again {
            let why = format!(
                "[{}] is [{}] in other letters, which clients cannot tell apart; give it another name",
                section.name, known.name
            );
            return Err(at(section.line, &why));
        }
        let planned = plan(conf, section, folder, state, &mut plans.hints);
        plans.all.push(planned.unwrap_or_else(|(line, why)| UpsPlan {
            name: section.name.clone(),
            description: value(section, "desc").map(String::from),
            origin: Origin::Wrong(at(line, &format!("[{}]: {why}", section.name))),
        }));
    }
    Ok(plans)
}

/// What is wrong with a section whose driver is a part of the server: `qxups-sim`, `nut-upstream`, `dummy-ups` with a UPS
/// of another server. None for other drivers.
///
/// # Errors
/// Line and sentence.
pub fn check_part(conf: &UpsConf, section: &Section, folder: &Path) -> Option<Result<(), (usize, String)>> {
    let driver = value(section, "driver")?;
    let port = value(section, "port").unwrap_or_default();
    let is_part = matches!(driver, simulated::DRIVER | "nut-upstream") || upstream(driver, port).is_some();
    is_part.then(|| plan(conf, section, folder, Path::new(""), &mut vec![]).map(drop))
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
    hints: &mut Vec<String>,
) -> Result<UpsPlan, (usize, String)> {
    let driver =
        value(section, "driver").ok_or((section.line, "it has no driver; add 'driver = ...'".into()))?;
    let socket = state.join(format!("{driver}-{}", section.name));
    let origin = if driver == simulated::DRIVER {
        Origin::Simulated(Box::new(SimulatedPlan::of(conf, section, folder)?))
    } else if let Some(kind) = DriverKind::named(driver) {
        let config = Box::new(own(kind, conf, section, hints)?);
        Origin::Own { kind, config, socket }
    } else if let Some(upstream) = upstream(driver, value(section, "port").unwrap_or_default()) {
        Origin::Upstream(with_options(upstream, section, folder)?)
    } else if driver == "nut-upstream" {
        return Err((section.line, "name a UPS of another server: port = ups@host".into()));
    } else {
        Origin::Socket(socket)
    };
    let description = value(section, "desc").map(String::from);
    Ok(UpsPlan { name: section.name.clone(), description, origin })
}

fn own(
    kind: &'static DriverKind,
    conf: &UpsConf,
    section: &Section,
    hints: &mut Vec<String>,
) -> Result<UpsConfig, (usize, String)> {
    for finding in check_section(kind, conf, &section.name) {
        match finding.severity {
            Severity::Error => return Err((finding.line.unwrap_or(section.line), finding.text)),
            Severity::Hint => hints.push(format!("{}: {finding}", section.name)),
        }
    }
    UpsConfig::of_section(kind, conf, &section.name).map_err(|wrong| (section.line, wrong.sentence))
}

/// `ups@host`, `ups@host:3493`, `ups@[::1]:3493`, for the drivers that take a UPS of another server (dummy-ups(8),
/// which calls it repeater mode).
fn upstream(driver: &str, port: &str) -> Option<Upstream> {
    let (ups, place) = port.split_once('@').filter(|_| matches!(driver, "dummy-ups" | "nut-upstream"))?;
    let (host, number) = match place.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => (host, number.parse().ok()?),
        _ => (place, nut::network::PORT),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_there = !ups.is_empty() && !host.is_empty();
    is_there.then(|| Upstream {
        ups: ups.into(),
        host: host.into(),
        port: number,
        user: None,
        tls: TlsMode::IfOffered,
        verify: Verify::Nothing,
    })
}

/// `upstream_user`, `upstream_password`, `upstream_tls`, `upstream_fingerprint`, `upstream_certpath`. To know the server
/// is to need TLS.
fn with_options(upstream: Upstream, section: &Section, folder: &Path) -> Result<Upstream, (usize, String)> {
    let at = |name: &str| {
        let found = section.settings.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case(name));
        found.map_or(section.line, |setting| setting.line)
    };
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
}
