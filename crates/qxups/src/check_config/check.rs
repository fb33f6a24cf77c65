//! Checking. What our drivers take is asked of them: nothing of it is written down here again.

use crate::same_port::{self, Clash, Place, value};
use driver::config::{Finding, Weight, check_globals, check_section, generic, nearest};
use driver::persona::{self, Line, NUTDRV_QX, Persona};
use driver::upgrade::{NewSection, UPGRADES, Upgrade};
use link::{Address, Kind, LinkError, check_terminal};
use nut::ups_conf::{Section, UpsConf};

/// Everything there is to say of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong or worth knowing, by line.
    pub findings: Vec<Finding>,
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

impl Report {
    /// Whether everything in it works.
    pub fn works(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight != Weight::Wrong)
    }

    fn wrong(&mut self, line: usize, text: impl Into<String>) {
        self.findings.push(Finding::wrong(Some(line), text.into()));
    }

    fn remark(&mut self, line: usize, text: impl Into<String>) {
        self.findings.push(Finding { line: Some(line), weight: Weight::Remark, text: text.into() });
    }
}

/// Checks a file.
pub fn check(conf: &UpsConf) -> Report {
    let mut report = Report { findings: check_globals(conf), ..Report::default() };
    for section in &conf.sections {
        let whose = report.check_one(conf, section);
        report.sections.push(whose);
    }
    for wrong in &conf.wrong {
        report.remark(wrong.line, format!("{}; passed over", wrong.fault));
    }
    if conf.sections.is_empty() {
        report.wrong(1, "there is no section: write [name], and below it driver = and port =");
    }
    report.compare_ports(conf);
    // the same is found for each section, and what is wrong counts more than a remark
    report.findings.sort_by_key(|finding| (finding.line, finding.weight == Weight::Remark));
    let mut told = std::collections::BTreeSet::new();
    report.findings.retain(|finding| told.insert((finding.line, short(&finding.text))));
    report
}

/// Without what only says what was done about it.
fn short(text: &str) -> String {
    text.trim_end_matches("; passed over").to_string()
}

impl Report {
    fn check_one(&mut self, conf: &UpsConf, section: &Section) -> Whose {
        let driver = value(section, "driver");
        let name = section.name.clone();
        if name == "default" {
            self.wrong(section.line, "upsd uses the name 'default' itself: give this UPS another");
        }
        let Some(driver) = driver else {
            self.wrong(section.line, format!("[{name}] has no driver: write driver = {}", NUTDRV_QX.name));
            return Whose { name, driver: None, checked: false, new: None };
        };
        let upgrade = Upgrade::of(driver);
        let new = upgrade.map(|upgrade| self.check_old(section, upgrade));
        let ours = Persona::named(driver);
        match ours {
            Some(persona) => {
                self.findings.extend(check_section(persona, conf, &name));
                if persona.line != Line::Usb {
                    self.look_at_port(section);
                }
            }
            None if upgrade.is_none() => self.pass_over(section, driver),
            None => {}
        }
        Whose { name, driver: Some(driver.into()), checked: ours.is_some() || upgrade.is_some(), new }
    }

    /// A driver of old: what to write now, line by line, and what is still wrong then.
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
            if finding.weight == Weight::Wrong {
                self.remark(section.line, format!("the section below is not right yet: {}", finding.text));
            }
        }
        new
    }

    /// A driver that is none of ours: only what every driver has.
    fn pass_over(&mut self, section: &Section, driver: &str) {
        let line = line_of(section, "driver");
        let ours = persona::ALL.into_iter().map(|persona| persona.name);
        let old = UPGRADES.iter().flat_map(|upgrade| upgrade.drivers.iter().copied());
        let meant = nearest(driver, ours.chain(old));
        self.remark(
            line,
            match meant {
                Some(name) => format!(
                    "driver {driver} is none of ours, so its options are passed over; did you mean {name}?"
                ),
                None => format!("driver {driver} is none of ours, so its options are passed over"),
            },
        );
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
                Place::Usb(_) => format!("[{first}] means the same USB device: tell them apart by serial or busport, which 'qxups scan' prints"),
                Place::Line(_) | Place::Server(..) => format!("port = {port}: [{first}] is there already{also}; two drivers on one line take each other's replies"),
            });
        }
    }

    /// Where the port is there, it has to be one; the file may be for another machine.
    fn look_at_port(&mut self, section: &Section) {
        let port = value(section, "port").map(Address::parse);
        if let Some(Ok(Address::Serial(path))) = port
            && let Err(LinkError { kind: Kind::Unsuitable, sentence }) = check_terminal(&path)
        {
            self.wrong(line_of(section, "port"), format!("port = {sentence}"));
        }
    }
}

fn line_of(section: &Section, name: &str) -> usize {
    section.settings.iter().rfind(|setting| setting.name == name).map_or(section.line, |setting| setting.line)
}
