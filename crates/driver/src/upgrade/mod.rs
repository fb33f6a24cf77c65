//! From earlier drivers to `nutdrv_qx`: what a section has to say now.

mod table;

use nut::ups_conf::{Assignment, Section};
use station::config::generic;
use station::driver_kind::NUTDRV_QX;
pub use table::UPGRADES;

/// An earlier driver, or several that had the same options.
#[derive(Debug)]
pub struct Upgrade {
    /// Their names.
    pub drivers: &'static [&'static str],
    /// Whether NUT 2.8.0 still has them, so that the section works as it is.
    pub still_there: bool,
    /// The dialect that they spoke, where it was one.
    pub protocol: Option<&'static str>,
    /// What became of their options; what is not here goes on as it is.
    pub options: &'static [(&'static str, Becomes)],
    /// What else changes for its users.
    pub note: &'static str,
}

/// What becomes of an earlier option.
#[derive(Clone, Copy, Debug)]
pub enum Becomes {
    /// The same, but in seconds; it was in minutes.
    Seconds,
    /// This option, with the same value.
    Option(&'static str),
    /// These two, whose values stood with a colon between them.
    Two(&'static str, &'static str),
    /// `cablepower`, together with the other line.
    CablePower,
    /// Another value of the same option, where it is among these.
    Word(&'static [(&'static str, &'static str)]),
    /// Nothing: why.
    Nothing(&'static str),
    /// A variable that is kept in the UPS, to be set once by a client.
    Client(&'static str),
}

/// What is to be written in place of a section.
#[derive(Debug, PartialEq, Eq)]
pub struct NewSection {
    /// What to write instead of a line, by its number; where nothing changes there is nothing.
    pub notes: Vec<(usize, String)>,
    /// The whole section.
    pub text: String,
}

impl Upgrade {
    /// What is known of an earlier driver.
    pub fn of(driver: &str) -> Option<&'static Upgrade> {
        UPGRADES.iter().find(|upgrade| upgrade.drivers.contains(&driver))
    }

    /// The section for `nutdrv_qx`.
    pub fn apply(&self, section: &Section) -> NewSection {
        let mut lines = vec![line("driver", Some(NUTDRV_QX.name))];
        let mut notes = vec![];
        let has = |name: &str| section.settings.iter().any(|setting| setting.name.eq_ignore_ascii_case(name));
        for setting in section.settings.iter().filter(|setting| setting.name != "driver") {
            match self.new_lines(setting, section) {
                Ok(new) => {
                    let old = line(&setting.name, setting.value.as_deref());
                    if !new.is_empty() && new != [old] {
                        notes.push((setting.line, format!("for nutdrv_qx write {}", new.join(" and "))));
                    }
                    lines.extend(new);
                }
                Err(why) => {
                    notes.push((setting.line, format!("for nutdrv_qx leave out {}: {why}", setting.name)));
                    lines.push(format!("# {}: {why}", setting.name));
                }
            }
        }
        if let Some(protocol) = self.protocol.filter(|_| !has("protocol")) {
            lines.push(line("protocol", Some(protocol)));
        }
        let body: String = lines.iter().map(|line| format!("\t{line}\n")).collect();
        NewSection { notes, text: format!("[{}]\n{body}", section.name) }
    }

    /// The lines in place of one; a reason when there are none.
    fn new_lines(&self, setting: &Assignment, section: &Section) -> Result<Vec<String>, String> {
        let (name, value) = (setting.name.as_str(), setting.value.as_deref());
        let text = value.unwrap_or_default().trim();
        let rule = self.options.iter().find(|(old, _)| old.eq_ignore_ascii_case(name)).map(|(_, rule)| rule);
        Ok(match rule {
            None if is_known(name) => vec![line(name, value)],
            None => return Err("nutdrv_qx does not know it".into()),
            Some(Becomes::Seconds) => match text.parse::<u32>() {
                Ok(minutes) => vec![line(name, Some(&(u64::from(minutes) * 60).to_string()))],
                Err(_) => return Err(format!("'{text}' is not a number of minutes")),
            },
            Some(Becomes::Option(new)) => vec![line(new, value)],
            Some(Becomes::Two(first, second)) => match text.split_once(':') {
                Some((one, other)) => vec![line(first, Some(one.trim())), line(second, Some(other.trim()))],
                None => return Err(format!("'{text}' is not two numbers with a colon between them")),
            },
            Some(Becomes::CablePower) => {
                let of_two = section.settings.iter().filter(|s| ["dtr", "rts"].contains(&s.name.as_str()));
                match of_two.map(|setting| setting.line).next_back() == Some(setting.line) {
                    true => vec![line("cablepower", Some(cable_power(section)))],
                    // said at the other one
                    false => vec![],
                }
            }
            Some(Becomes::Word(words)) => {
                let new = words.iter().find(|(old, _)| old.eq_ignore_ascii_case(text)).map(|(_, new)| *new);
                vec![line(name, new.or(value))]
            }
            Some(Becomes::Nothing(why)) => return Err((*why).into()),
            Some(Becomes::Client(var)) => {
                return Err(format!(
                    "the UPS keeps it; set it once with 'upsrw -s {var}={text} {}'",
                    section.name
                ));
            }
        })
    }
}

fn is_known(name: &str) -> bool {
    let prefixed =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    NUTDRV_QX.option(name).is_some()
        || generic(name).is_some_and(|row| row.is_for_sections())
        || prefixed("default.")
        || prefixed("override.")
}

/// A line of ups.conf.
fn line(name: &str, value: Option<&str>) -> String {
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._:,-".contains(&byte))
    };
    match value {
        Some(value) if is_plain(value) => format!("{name} = {value}"),
        Some(value) => format!("{name} = {}", nut::words::quoted(value)),
        None => name.into(),
    }
}

/// The word for the two lines; `dtr` was on and `rts` off where nothing was said.
fn cable_power(section: &Section) -> &'static str {
    let said = |name: &str| {
        let setting = section.settings.iter().rfind(|setting| setting.name == name);
        setting.and_then(|setting| setting.value.as_deref()).map(|value| value.trim() != "0")
    };
    match (said("dtr").unwrap_or(true), said("rts").unwrap_or(false)) {
        (true, false) => "normal",
        (false, true) => "reverse",
        (true, true) => "both",
        (false, false) => "none",
    }
}
