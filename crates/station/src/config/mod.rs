//! What one UPS needs: from a section of `ups.conf`, from a port that is named, or from the command line of a
//! driver; checked, each finding with its line.
//!
//! A section speaks of two things: of the UPS ([`UpsConfig`]), and of the process of its driver
//! ([`ProcessSettings`]), which only a driver looks at.

mod delays;
mod draft;
mod fault;
mod finding;
mod generic;
mod nearest;
mod options;
mod section;
mod usb;

use crate::driver_kind::{DriverKind, NUTDRV_QX};
use draft::Draft;
pub use finding::{ConfigError, LineFinding, Severity};
pub use generic::{Audience, GENERIC, GenericRow, NameScope, generic};
use link::{Address, CablePower, Opening};
pub use nearest::nearest;
use nut::ups_conf::UpsConf;
use qx::options::Options;
pub use section::{lost_words, wrong_lines, yes_or_no};
use std::borrow::Borrow;
use std::path::PathBuf;

/// No `ups.conf` is longer, in bytes.
pub const LONGEST_CONF: u64 = 16 * 1024 * 1024;

/// One UPS: where it is, how it is opened, and what its device is to do. Two that are equal drive a UPS alike.
#[derive(Clone, Debug, PartialEq)]
pub struct UpsConfig {
    /// Its name; the port, where it has none.
    pub name: String,
    /// Where the UPS is and how to open it.
    pub opening: Opening,
    /// For the device.
    pub options: Options,
    /// `allow_killpower`: a client may have the load switched off by `driver.killpower`.
    pub allow_killpower: bool,
    /// `driver.parameter.…` and `driver.flag.…`.
    pub published: Vec<(String, String)>,
}

/// What `ups.conf` says of the process of a driver; a process with several UPSes has its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSettings {
    /// `user`.
    pub user: Option<String>,
    /// `group`, of the socket.
    pub group: Option<String>,
    /// `chroot`.
    pub chroot: Option<PathBuf>,
    /// `statepath`.
    pub statepath: Option<PathBuf>,
    /// `debug_min`.
    pub debug_min: u8,
}

/// Everything that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// The UPS.
    pub ups: UpsConfig,
    /// The process of its driver.
    pub process: ProcessSettings,
    /// Sentences for the log: what is not as it was meant, and ends nothing.
    pub hints: Vec<String>,
}

/// One thing that is said of a configuration. Their order counts: an option after the section wins over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The section of `ups.conf` (`-a`).
    Section(String),
    /// A name without `ups.conf` (`-s`).
    NoConfig(String),
    /// An option, with its value (`-x`).
    Option(String, Option<String>),
    /// Seconds between polls (`-i`).
    Interval(String),
}

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To watch the UPS: every error ends it.
    Watch,
    /// To switch the load off: only what says which UPS is meant, and how it is spoken to, ends that.
    KillPower,
}

impl UpsConfig {
    /// The UPS at an address, with the default of every option.
    pub fn at(kind: &'static DriverKind, address: Address) -> UpsConfig {
        let options = Options { dialects: kind.dialects, one_pack: kind.whole_battery, ..Options::default() };
        UpsConfig {
            name: address.to_string(),
            opening: Opening { address, cable_power: CablePower::default(), lock: true },
            options,
            allow_killpower: false,
            published: vec![],
        }
    }

    /// The UPS of a section of `ups.conf`.
    ///
    /// # Errors
    /// The first error of the section; [`check_section`] has all.
    pub fn of_section(
        kind: &'static DriverKind,
        conf: &UpsConf,
        name: &str,
    ) -> Result<UpsConfig, ConfigError> {
        Configuration::of_section(kind, conf, name, Purpose::Watch).map(|read| read.ups)
    }

    /// The UPS at a port, without `ups.conf`; options as `ups.conf` and `-x` have them.
    ///
    /// # Errors
    /// What is wrong with the port or an option.
    pub fn of_port(
        kind: &'static DriverKind,
        port: &str,
        options: &[(String, Option<String>)],
    ) -> Result<UpsConfig, ConfigError> {
        let port_option = Statement::Option("port".into(), Some(port.into()));
        let options = options.iter().map(|(name, value)| Statement::Option(name.clone(), value.clone()));
        let statements: Vec<_> =
            [Statement::NoConfig(port.into()), port_option].into_iter().chain(options).collect();
        Configuration::read(kind, &statements, Purpose::Watch, no_conf).map(|read| read.ups)
    }
}

fn no_conf() -> Result<UpsConf, String> {
    Err("no section of ups.conf was asked for".into())
}

impl Configuration {
    /// Reads what is said, in its order; `read_conf` reads `ups.conf` when a section of it is wanted.
    ///
    /// # Errors
    /// The first error.
    pub fn read<C: Borrow<UpsConf>>(
        kind: &'static DriverKind,
        statements: &[Statement],
        purpose: Purpose,
        read_conf: impl Fn() -> Result<C, String>,
    ) -> Result<Configuration, ConfigError> {
        let mut draft = Draft::new(kind, purpose);
        for statement in statements {
            let taken = match statement {
                Statement::Section(name) => {
                    let conf = read_conf().map_err(ConfigError::general)?;
                    draft.take_section(name, conf.borrow())?;
                    Ok(())
                }
                Statement::NoConfig(name) => {
                    draft.name = Some(name.clone());
                    Ok(())
                }
                Statement::Option(name, value) => draft.take(name, value.as_deref()),
                Statement::Interval(text) => draft.take_interval(text),
            };
            if let Err(wrong) = taken {
                draft.fault(wrong);
            }
            if let Some(error) = draft.findings.iter().find(|finding| finding.severity == Severity::Error) {
                return Err(ConfigError::general(error.to_string()));
            }
        }
        draft.finish()
    }

    /// All of a section of `ups.conf`.
    ///
    /// # Errors
    /// The first error of the section; [`check_section`] has all.
    pub fn of_section(
        kind: &'static DriverKind,
        conf: &UpsConf,
        name: &str,
        purpose: Purpose,
    ) -> Result<Configuration, ConfigError> {
        Configuration::read(kind, &[Statement::Section(name.into())], purpose, || Ok(conf))
    }
}

/// Everything that a driver would say of a section of `ups.conf`, and of what stands before the first.
/// It is what [`Configuration::read`] goes by.
pub fn check_section(kind: &'static DriverKind, conf: &UpsConf, name: &str) -> Vec<LineFinding> {
    let mut draft = Draft::new(kind, Purpose::Watch);
    let begins = conf.section(name).map(|section| section.line);
    let read = draft.take_section(name, conf);
    let mut findings = std::mem::take(&mut draft.findings);
    let mut ended: Vec<ConfigError> = read.err().into_iter().collect();
    if ended.is_empty() {
        // each by itself, so that the first hides no other
        ended.extend(draft.wrong_delays());
        let finished = draft.finish().err();
        ended.extend(finished.filter(|wrong| !ended.contains(wrong)));
    }
    let settings = || conf.section(name).into_iter().flat_map(|section| section.settings.iter().rev());
    let line = |wrong: &ConfigError| {
        let option = wrong.option.as_deref()?;
        settings().find(|setting| setting.name.eq_ignore_ascii_case(option)).map(|setting| setting.line)
    };
    findings
        .extend(ended.into_iter().map(|wrong| LineFinding::error(line(&wrong).or(begins), wrong.sentence)));
    findings
}

/// What every driver would say of what stands before the first section.
pub fn check_globals(conf: &UpsConf) -> Vec<LineFinding> {
    let mut draft = Draft::new(&NUTDRV_QX, Purpose::Watch);
    draft.take_globals(conf);
    draft.findings
}
