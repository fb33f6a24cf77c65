//! Checking. What our drivers take is asked of them: nothing of it is written down here again.

use super::names::{self, Known};
use super::values;
use crate::same_port::{self, Clash, PortPlace, value};
use driver::upgrade::{NewSection, Upgrade};
use nut::ups_conf::{Section, UpsConf};
use station::config::{LineFinding, Severity, check_globals, check_section, generic, lost_words};
use station::driver_kind::{DriverKind, NUTDRV_QX};
use std::path::Path;

/// Everything there is to say of a file.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// What is wrong or worth knowing, by line.
    pub findings: Vec<LineFinding>,
    /// The sections, and whose they are.
    pub sections: Vec<Whose>,
}

/// A section and whose it is.
#[derive(Debug)]
pub struct Whose {
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: Option<String>,
    /// Whether all its options were checked.
    pub checked: bool,
    /// What to write in its place.
    pub new: Option<NewSection>,
}

impl CheckReport {
    /// Whether everything in it works.
    pub fn works(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Error)
    }

    fn wrong(&mut self, line: usize, text: impl Into<String>) {
        self.findings.push(LineFinding::error(Some(line), text.into()));
    }

    fn remark(&mut self, line: usize, text: impl Into<String>) {
        self.findings.push(LineFinding::hint(Some(line), text.into()));
    }
}

/// Checks a file, which lies in this folder.
pub fn check(conf: &UpsConf, folder: &Path) -> CheckReport {
    let mut report = CheckReport { findings: check_globals(conf), ..CheckReport::default() };
    for section in &conf.sections {
        let whose = report.check_one(conf, section, folder);
        report.sections.push(whose);
    }
    for swallowed in &conf.swallowed {
        report.wrong(swallowed.line, swallowed.to_string());
    }
    for wrong in &conf.wrong {
        report.remark(wrong.line, format!("{}; ignored", wrong.fault));
    }
    // their author meant them, whatever the driver makes of the rest
    report.findings.extend(conf.lost.iter().map(|lost| lost_words(lost, Severity::Error)));
    report.findings.extend(values::users(&conf.global));
    if conf.sections.is_empty() {
        report.wrong(1, "there is no section: write [name], and below it driver = and port =");
    }
    report.compare_ports(conf);
    // the same is found for each section, and what is wrong counts more than a remark
    report.findings.sort_by_key(|finding| (finding.line, finding.severity == Severity::Hint));
    let mut told = std::collections::BTreeSet::new();
    report.findings.retain(|finding| told.insert((finding.line, short(&finding.text))));
    report
}

/// Without what only says what was done about it.
fn short(text: &str) -> String {
    text.trim_end_matches("; ignored").to_string()
}

impl CheckReport {
    fn check_one(&mut self, conf: &UpsConf, section: &Section, folder: &Path) -> Whose {
        let driver = value(section, "driver");
        let name = section.name.clone();
        // it counts as a setting, as in NUT, and a UPS is missing
        for begun in section.settings.iter().filter(|setting| setting.name.starts_with('[')) {
            let text =
                format!("'{}' is no section: write [name]; what follows would be for [{name}]", begun.name);
            self.wrong(begun.line, text);
        }
        if name == "default" {
            self.wrong(section.line, "upsd uses the name 'default' itself: give this UPS another");
        }
        let Some(driver) = driver else {
            self.wrong(section.line, format!("[{name}] has no driver: write driver = {}", NUTDRV_QX.name));
            self.check_ours(&NUTDRV_QX, conf, section);
            return Whose { name, driver: None, checked: true, new: None };
        };
        if let Some(findings) = serve::fleet::check_part(conf, section, folder) {
            self.findings.extend(findings);
            return Whose { name, driver: Some(driver.into()), checked: true, new: None };
        }
        let upgrade = Upgrade::of(driver);
        let new = upgrade.map(|upgrade| self.check_old(section, upgrade));
        let ours = DriverKind::named(driver).or_else(|| match names::driver(driver) {
            Known::Meant(meant) => self.misspelt(section, driver, meant),
            Known::Exactly | Known::No => None,
        });
        match ours {
            Some(kind) => self.check_ours(kind, conf, section),
            None if upgrade.is_none() => self.pass_over(section, driver),
            None => {}
        }
        Whose { name, driver: Some(driver.into()), checked: ours.is_some() || upgrade.is_some(), new }
    }

    /// A section of one of our drivers, whatever it calls it.
    fn check_ours(&mut self, kind: &'static DriverKind, conf: &UpsConf, section: &Section) {
        let mut conf = conf.clone();
        let settings = conf.sections.iter_mut().filter(|one| one.name == section.name);
        for setting in settings.flat_map(|one| &mut one.settings).filter(|setting| setting.name == "driver") {
            setting.value = Some(kind.name.into());
        }
        self.findings.extend(check_section(kind, &conf, &section.name));
        self.findings.extend(values::all(kind, section));
    }

    /// The name of a driver that there is not, and one is much like it: the driver that is meant, if it is ours.
    fn misspelt(&mut self, section: &Section, driver: &str, meant: &str) -> Option<&'static DriverKind> {
        self.wrong(
            line_of(section, "driver"),
            format!("driver = {driver}: there is no such driver; write driver = {meant}"),
        );
        DriverKind::named(meant)
    }

    /// An earlier driver: what to write now, line by line, and what is still wrong then.
    fn check_old(&mut self, section: &Section, upgrade: &Upgrade) -> NewSection {
        let new = upgrade.apply(section);
        let line = line_of(section, "driver");
        match upgrade.still_there {
            true => self.remark(line, "NUT has put nutdrv_qx in its place; the section for it is below"),
            false => self.wrong(
                line,
                "NUT has this driver no more: write driver = nutdrv_qx, as in the section below",
            ),
        }
        for (line, text) in &new.notes {
            self.remark(*line, text.clone());
        }
        if !upgrade.note.is_empty() {
            self.remark(line, format!("with nutdrv_qx, {}", upgrade.note));
        }
        let after = nut::ups_conf::parse(new.text.as_bytes());
        for finding in check_section(&NUTDRV_QX, &after, &section.name) {
            // its lines have other numbers, so this stands at the head
            if finding.severity == Severity::Error {
                self.remark(section.line, format!("the section below is not right yet: {}", finding.text));
            }
        }
        new
    }

    /// A driver that is not part of qxups: only what every driver has.
    fn pass_over(&mut self, section: &Section, driver: &str) {
        let line = line_of(section, "driver");
        let whose = match names::driver(driver) {
            Known::No => "not part of qxups, and none that is known of NUT",
            Known::Exactly | Known::Meant(_) => "not part of qxups",
        };
        self.remark(line, format!("driver {driver} is {whose}, so its options are not checked"));
        if value(section, "port").is_none() {
            self.wrong(
                section.line,
                format!("[{}] has no port: every driver of NUT needs one", section.name),
            );
        }
        for setting in &section.settings {
            let row = generic(&setting.name).filter(|row| row.is_for_sections());
            if row.is_some_and(|row| row.needs_value && setting.value.is_none()) {
                self.wrong(
                    setting.line,
                    format!("{} needs a value: write {} = something", setting.name, setting.name),
                );
            }
        }
    }

    /// Two drivers on one line take each other's replies.
    fn compare_ports(&mut self, conf: &UpsConf) {
        for Clash { section, first, place } in same_port::clashes(conf) {
            let (line, port) = (line_of(section, "port"), value(section, "port").unwrap_or_default());
            let (first, other) = (&first.name, value(first, "port").unwrap_or_default());
            let also = if other == port { String::new() } else { format!(", as {other}") };
            self.wrong(line, match place {
                PortPlace::Usb(_) => format!("[{first}] means the same USB device: tell them apart by serial or busport, which 'qxups scan' prints"),
                PortPlace::Line(_) | PortPlace::Server(..) => format!("port = {port}: [{first}] has this port already{also}; two drivers on one line take each other's replies"),
            });
        }
    }
}

/// The line in which a setting stands that counts; where there is none, that of the section.
pub fn line_of(section: &Section, name: &str) -> usize {
    section.settings.iter().rfind(|setting| setting.name == name).map_or(section.line, |setting| setting.line)
}
