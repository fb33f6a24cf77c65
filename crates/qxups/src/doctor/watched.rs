//! What is to be watched: the sections of `ups.conf`, or a port that was named.

use super::finding::{FindingKind, Report};
use super::running;
use super::system::System;
use crate::same_port::{self, Clash, PortPlace, value};
use driver::command_line::CommandLine;
use driver::config::ProcessConfig;
use nut::ups_conf::{self, Section, UpsConf};
use serve::fleet::check_part;
use station::config::{Configuration, LONGEST_CONF, ProcessSettings, Purpose, Severity, UpsConfig};
use station::driver_kind::{DriverKind, NUTDRV_QX};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A UPS, and how its driver is to open it.
#[derive(Debug)]
pub struct Watched {
    /// Its name, or the port that was named.
    pub name: String,
    /// The driver of its section; `None` for a port without one.
    pub driver: Option<&'static str>,
    /// As the driver reads it.
    pub config: UpsConfig,
    /// The process of its driver.
    pub process: ProcessConfig,
}

/// The whole of `ups.conf`, as far as it concerns the doctor.
#[derive(Debug, Default)]
pub struct WatchedConf {
    /// Drivers that sections name, and where they should be.
    pub drivers: Vec<(String, PathBuf)>,
    /// What to look into.
    pub watched: Vec<Watched>,
    /// What 'qxups serve' has inside: a simulated UPS, or one of another server. Name and driver.
    pub inside: Vec<(String, String)>,
}

/// Whether it is a port rather than the name of a section.
pub fn is_port(text: &str) -> bool {
    text.contains('/') || text.contains(':') || text.eq_ignore_ascii_case("auto")
}

/// A port that was named.
///
/// # Errors
/// A sentence.
pub fn port(port: &str) -> Result<Watched, String> {
    let config = UpsConfig::of_port(&NUTDRV_QX, port, &[])?;
    Ok(Watched { name: port.into(), driver: None, config, process: process(&ProcessSettings::default()) })
}

/// The sections of `ups.conf`, or the one that was asked for.
pub fn sections(system: &System, only: Option<&str>, report: &mut Report) -> WatchedConf {
    let mut plan = WatchedConf::default();
    let path = system.nut.conf.join("ups.conf");
    let conf = match link::read_bounded(&path, LONGEST_CONF) {
        Ok(text) => ups_conf::parse(&text),
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => "run this with sudo",
                _ => "'qxups setup' writes one by questions ('qxups scan' only prints what belongs there)",
            };
            report.add(
                FindingKind::NoConfiguration,
                path.display(),
                format!("cannot be read ({error})"),
                remedy,
            );
            return plan;
        }
    };
    for wrong in &conf.wrong {
        report.add(
            FindingKind::BadLine,
            path.display(),
            wrong.to_string(),
            "fix this line: NUT passes it over in silence",
        );
    }
    let wanted: Vec<&Section> =
        conf.sections.iter().filter(|section| only.is_none_or(|only| only == section.name)).collect();
    if wanted.is_empty() {
        let what = only.map_or("has no section".into(), |name| format!("has no section [{name}]"));
        let remedy = "'qxups setup' adds one for each UPS that is plugged in ('qxups scan' only prints it)";
        report.add(FindingKind::NoSection, path.display(), what, remedy);
    }
    let folder = conf.global.iter().rev().find(|setting| setting.name == "driverpath");
    let folder =
        folder.and_then(|setting| setting.value.as_deref()).map_or(system.drivers.clone(), PathBuf::from);
    for section in wanted {
        look_at_section(system, &conf, section, &folder, &mut plan, report);
    }
    same_ports(&conf, only, report);
    plan
}

fn look_at_section(
    system: &System,
    conf: &UpsConf,
    section: &Section,
    folder: &Path,
    plan: &mut WatchedConf,
    report: &mut Report,
) {
    let driver = value(section, "driver").unwrap_or_default();
    if driver.is_empty() {
        return report.add(
            FindingKind::BadSection,
            &section.name,
            "names no driver",
            "write driver = nutdrv_qx",
        );
    }
    // NUT's driver dummy-ups repeats a UPS of another server as well, as a program
    let is_program = folder.join(driver).exists();
    if let Some(findings) = check_part(conf, section, &system.nut.conf) {
        if let Some(wrong) = findings.iter().find(|finding| finding.severity == Severity::Error) {
            let what = wrong.line.map_or(wrong.text.clone(), |line| format!("line {line}: {}", wrong.text));
            return report.add(FindingKind::BadSection, &section.name, what, "fix the section, and reload");
        }
        if !is_program || driver != "dummy-ups" || running::server(system).is_ok() {
            plan.inside.push((section.name.clone(), driver.into()));
            return;
        }
    }
    let path = folder.join(driver);
    if !plan.drivers.iter().any(|(_, known)| *known == path) {
        plan.drivers.push((section.name.clone(), path));
    }
    let Some(ours) = DriverKind::named(driver) else {
        return report.note(&section.name, format!("is watched by {driver}, which is not looked into"));
    };
    match Configuration::of_section(ours, conf, &section.name, Purpose::Watch) {
        Ok(read) => plan.watched.push(Watched {
            name: section.name.clone(),
            driver: Some(ours.name),
            config: read.ups,
            process: process(&read.process),
        }),
        Err(why) => report.add(
            FindingKind::BadSection,
            &section.name,
            why.sentence,
            "fix the section: the driver does not start ('qxups check-config' looks at all of it)",
        ),
    }
}

/// Two drivers on one line take each other's replies.
fn same_ports(conf: &UpsConf, only: Option<&str>, report: &mut Report) {
    for Clash { section, first, place } in same_port::clashes(conf) {
        let asked = only.is_none_or(|only| only == section.name || only == first.name);
        // of USB devices, each driver takes one that is free
        if asked && !matches!(place, PortPlace::Usb(_)) {
            let port = value(section, "port").unwrap_or_default();
            let what = format!("shares its port {port} with [{}]", first.name);
            report.add(
                FindingKind::SamePort,
                &section.name,
                what,
                "give each its own port, or take one of the two sections away",
            );
        }
    }
}

/// As the driver would be without a word on its command line.
fn process(settings: &ProcessSettings) -> ProcessConfig {
    ProcessConfig::new(settings, &CommandLine::default())
}
