//! Reading `ups.conf`: what stands before the first section, then the section of the UPS; and the
//! options that every driver has, wherever they stand.

use super::draft::{Draft, whole_seconds};
use super::generic::{Audience, GENERIC, GenericRow, generic};
use super::{ConfigError, LineFinding, Severity, nearest};
use crate::{advice, driver_kind};
use nut::ups_conf::{Assignment, Lost, UpsConf, UpsConfFault};
use nut::words::WordError;
use qx::device::SHUTDOWN_DEFAULT;

/// What to do where no section can have this name.
fn name_remedy(name: &str) -> &'static str {
    if name.contains(char::is_whitespace) {
        "; a section cannot have a blank in its name: rename it there, to [my_ups] for [my ups], and start the driver by \
         that name"
    } else if !name.is_ascii() {
        "; of a section's name only the letters a to z, digits and signs such as - and _ are read: rename it there, to \
         [buero] for [b\u{fc}ro], and start the driver by that name"
    } else {
        ""
    }
}

impl Draft {
    /// Reads a section. What is wrong with a line becomes a finding, so that all are found.
    pub(super) fn take_section(&mut self, name: &str, conf: &UpsConf) -> Result<(), ConfigError> {
        self.note_wrong_lines(name, conf);
        self.take_globals(conf);
        let Some(section) = conf.section(name) else {
            let known: Vec<&str> = conf.sections.iter().map(|section| section.name.as_str()).collect();
            let known = if known.is_empty() {
                "it has no section".into()
            } else {
                format!("it has {}", known.join(", "))
            };
            let remedy = name_remedy(name);
            return Err(ConfigError::general(format!(
                "section [{name}] not found in ups.conf; {known}{remedy}"
            )));
        };
        self.name = Some(name.to_string());
        for (count, setting) in section.settings.iter().enumerate() {
            let mut before = section.settings[..count].iter();
            let again = before.any(|earlier| earlier.name.eq_ignore_ascii_case(&setting.name));
            self.at(setting, |draft| {
                if again && !setting.name.to_ascii_lowercase().starts_with("override.") {
                    draft.hint(format!("'{}' is set twice; the last one is used", setting.name));
                }
                draft.take_line(&setting.name, setting.value.as_deref())
            });
        }
        self.line = None;
        Ok(())
    }

    pub(super) fn take_globals(&mut self, conf: &UpsConf) {
        for setting in &conf.global {
            self.at(setting, |draft| draft.take_global(&setting.name, setting.value.as_deref()));
        }
    }

    /// What is done for one line; if it is wrong, that is a finding.
    fn at(&mut self, setting: &Assignment, take: impl FnOnce(&mut Draft) -> Result<(), ConfigError>) {
        self.line = Some(setting.line);
        if let Err(ConfigError { option, sentence }) = take(self) {
            self.fault(ConfigError { option: option.or_else(|| Some(setting.name.clone())), sentence });
        }
        self.line = None;
    }

    fn note_wrong_lines(&mut self, name: &str, conf: &UpsConf) {
        // what is wrong in the section of another UPS is for the driver of that one to say
        for mut finding in wrong_lines(conf, |section| section.is_none_or(|section| section == name)) {
            if finding.severity == Severity::Error {
                self.unreadable = true;
                if self.is_killing() {
                    finding.severity = Severity::Hint;
                    finding.text += IGNORED;
                }
            }
            self.findings.push(finding);
        }
    }

    fn take_line(&mut self, name: &str, value: Option<&str>) -> Result<(), ConfigError> {
        if name != "driver" {
            return self.take(name, value);
        }
        let (driver, ours) = (value.unwrap_or_default(), self.kind.name);
        match driver == ours {
            true => Ok(()),
            false => {
                let ups = self.name.as_deref().unwrap_or_default();
                Err(ConfigError::of(
                    "driver",
                    format!("UPS [{ups}] is for driver {driver}, but this is {ours}"),
                ))
            }
        }
    }

    /// What stands before the first section. Most of it is for upsdrvctl, so what is unknown is
    /// remarked upon and let pass.
    fn take_global(&mut self, name: &str, value: Option<&str>) -> Result<(), ConfigError> {
        match generic(name) {
            Some(row) if row.is_global() => self.take_generic(row, value),
            Some(_) => {
                self.hint(format!("'{name}' has no effect here; move it into the section of a UPS"));
                Ok(())
            }
            None => {
                let names = GENERIC.iter().filter(|row| row.is_global()).map(|row| row.name);
                let hint = nearest(name, names).map_or("ignored".into(), meant);
                self.hint(format!("unknown global setting '{name}'; {hint}"));
                Ok(())
            }
        }
    }

    /// An option of a section or of `-x`.
    pub(super) fn take(&mut self, name: &str, value: Option<&str>) -> Result<(), ConfigError> {
        let is_prefixed = |(prefix, _): &(&str, &str)| {
            ["override", "default"].iter().any(|known| prefix.eq_ignore_ascii_case(known))
        };
        if let Some((prefix, variable)) = name.split_once('.').filter(is_prefixed) {
            return self.take_variable(name, prefix, variable, value);
        }
        match generic(name).filter(|row| row.is_for_sections()) {
            Some(row) => self.take_generic(row, value),
            None => self.take_option(name, value),
        }
    }

    /// `override.…` and `default.…`.
    fn take_variable(
        &mut self,
        name: &str,
        prefix: &str,
        variable: &str,
        value: Option<&str>,
    ) -> Result<(), ConfigError> {
        let value = value.ok_or_else(|| needs_value(name))?;
        let (list, first_wins) = match prefix.eq_ignore_ascii_case("override") {
            // immutable once it is set, in NUT as well
            true => (&mut self.options.overrides, true),
            false => (&mut self.options.defaults, false),
        };
        if first_wins && list.iter().any(|(known, _)| known == variable) {
            self.hint(format!("'{name}' is set twice; the first one is used"));
            return Ok(());
        }
        list.retain(|(known, _)| known != variable);
        list.push((variable.to_string(), value.to_string()));
        Ok(())
    }

    /// A name of ups.conf(5).
    fn take_generic(&mut self, row: &GenericRow, value: Option<&str>) -> Result<(), ConfigError> {
        if row.needs_value && value.is_none() {
            return Err(needs_value(row.name));
        }
        let text = value.unwrap_or_default();
        match row.audience {
            Audience::Driver => {
                self.take_common(row.name, text).map_err(|sentence| ConfigError::of(row.name, sentence))?;
            }
            Audience::OtherPrograms => self.look_at_others(row.name, text),
            Audience::NoProgram(why) => self.hint(format!("{} has no effect: {why}", row.name)),
        }
        Ok(())
    }

    /// What every driver has.
    fn take_common(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "port" => self.port = Some(value.into()),
            "nolock" => {
                self.lock = false;
                self.publish("flag", "nolock", "enabled");
            }
            "ignorelb" => {
                self.options.ignorelb = true;
                self.publish("flag", "ignorelb", "enabled");
            }
            // published as a flag that clients may change
            "allow_killpower" => {
                let yes = if value.trim().is_empty() { Some(true) } else { yes_or_no(value) };
                self.allow_killpower =
                    yes.ok_or_else(|| format!("allow_killpower = {value}: write 1 or 0"))?;
            }
            "sdcommands" => self.take_sdcommands(value)?,
            "user" => self.process.user = Some(value.into()),
            "group" => self.process.group = Some(value.into()),
            "chroot" => self.process.chroot = Some(value.into()),
            "statepath" => self.process.statepath = Some(value.into()),
            "pollinterval" => self.options.pollinterval = whole_seconds(name, value)?,
            "synchronous" => self.take_synchronous(value),
            "debug_min" => self.take_debug_min(value),
            _ => return Err(format!("{name} is not read by this driver; report this as a bug")),
        }
        Ok(())
    }

    /// The commands that switch the load off; an unknown name would leave it on.
    fn take_sdcommands(&mut self, list: &str) -> Result<(), String> {
        let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let dialects = self.kind.dialects.iter();
        let known: Vec<&str> = dialects
            .flat_map(|protocol| protocol.all_commands())
            .map(|command| command.name)
            .chain([SHUTDOWN_DEFAULT])
            .collect();
        let meant_by = |name: &&str| {
            let row = known.iter().find(|row| row.eq_ignore_ascii_case(name));
            row.map(|row| (*row).to_string()).ok_or_else(|| {
                let hint = nearest(name, known.iter().copied()).map_or("upscmd -l lists them".into(), meant);
                format!("there is no command {name}; {hint}")
            })
        };
        if names.is_empty() {
            return Err("sdcommands is empty: write one or more commands, such as shutdown.return".into());
        }
        let found: Vec<Result<String, String>> = names.iter().map(meant_by).collect();
        let wrong: Vec<&str> =
            found.iter().filter_map(|one| one.as_ref().err()).map(String::as_str).collect();
        let wrong = (!wrong.is_empty()).then(|| format!("sdcommands = {list}: {}", wrong.join("; ")));
        let mut commands: Vec<String> =
            found.into_iter().map(|one| one.unwrap_or_else(|_| SHUTDOWN_DEFAULT.into())).collect();
        match wrong {
            Some(wrong) if !self.is_killing() => return Err(wrong),
            Some(wrong) => {
                self.hint(format!("{wrong}; {SHUTDOWN_DEFAULT} is sent in its place"));
                commands.dedup();
            }
            None => {}
        }
        self.options.sdcommands = commands;
        self.publish("parameter", "sdcommands", list);
        Ok(())
    }

    /// Our socket never blocks; the word is kept because clients can read it.
    fn take_synchronous(&mut self, value: &str) {
        self.synchronous = match value {
            "yes" => "yes",
            "auto" => "auto",
            "no" => "no",
            // as NUT takes it
            _ => {
                self.hint(format!("synchronous = {value}: write yes, no or auto; taken for no"));
                "no"
            }
        };
    }

    fn take_debug_min(&mut self, value: &str) {
        match value.parse() {
            Ok(level) => self.process.debug_min = level,
            Err(_) => self.hint(format!("debug_min = {value}: write a small number such as 1; ignored")),
        }
    }

    /// What upsdrvctl and upsd would stumble over.
    fn look_at_others(&mut self, name: &str, value: &str) {
        let is_number = matches!(name, "sdorder" | "maxstartdelay" | "maxretry" | "retrydelay");
        if is_number && value.parse::<i32>().is_err() {
            self.hint(format!("{name} = {value}: upsdrvctl reads a whole number here"));
        }
    }

    pub(super) fn take_interval(&mut self, text: &str) -> Result<(), ConfigError> {
        let interval = whole_seconds("pollinterval", text);
        self.options.pollinterval = interval.map_err(|sentence| ConfigError::of("pollinterval", sentence))?;
        Ok(())
    }

    /// What to say of an option that this driver does not have.
    pub(super) fn unknown(&self, name: &str) -> ConfigError {
        let mut others = driver_kind::ALL.into_iter().filter(|other| other.option(name).is_some());
        let sentence = match others.next() {
            Some(other) => format!("'{name}' is an option of {}, not of {}", other.name, self.kind.name),
            None => {
                let hint = self
                    .nearest_option(name)
                    .map_or_else(|| format!("'man {}' lists its options", self.kind.name), meant);
                format!("'{name}' is not an option of this driver; {hint}")
            }
        };
        ConfigError::of(name, sentence)
    }

    /// The option that was meant by a name, if one is like it.
    pub(super) fn nearest_option(&self, name: &str) -> Option<&'static str> {
        let own = self.kind.all_options().map(|row| row.name);
        let generic = GENERIC.iter().filter(|row| row.is_for_sections()).map(|row| row.name);
        nearest(name, own.chain(generic))
    }
}

/// What is said of a line that ends nothing.
const IGNORED: &str = "; ignored";

/// What is wrong with the lines of the sections that are meant, as lines: `None` stands before the first, an empty name
/// below a heading that is wrong.
pub fn wrong_lines(conf: &UpsConf, is_meant: impl Fn(Option<&str>) -> bool) -> Vec<LineFinding> {
    let mut findings = vec![];
    for swallowed in conf.swallowed.iter().filter(|one| is_meant(one.section.as_deref())) {
        findings.push(LineFinding::error(Some(swallowed.line), swallowed.to_string()));
    }
    for wrong in conf.wrong.iter().filter(|one| is_meant(one.section.as_deref())) {
        let line = Some(wrong.line);
        findings.push(match wrong.fault {
            // said already, with what was lost by it
            UpsConfFault::Words(_) if conf.swallowed.iter().any(|one| one.line == wrong.line) => continue,
            UpsConfFault::Words(WordError::HashInQuotes | WordError::OpenQuotes | WordError::OpenEscape) => {
                LineFinding::error(line, wrong.fault.to_string())
            }
            // NUT passes such lines over in silence, so there are files that work with them
            UpsConfFault::Words(_) | UpsConfFault::Shape(_) | UpsConfFault::Nameless => {
                LineFinding::hint(line, format!("{}{IGNORED}", wrong.fault))
            }
        });
    }
    // NUT loses them in silence, so there are files that work like that
    let lost = conf.lost.iter().filter(|lost| is_meant(lost.section.as_deref()));
    findings.extend(lost.map(|lost| lost_words(lost, Severity::Hint)));
    findings
}

/// What there is to say of words behind a value, which the administrator meant to count.
pub fn lost_words(lost: &Lost, severity: Severity) -> LineFinding {
    // a password is not for the log
    let whole = if lost.name.to_ascii_lowercase().contains("pass") { "..." } else { &lost.whole };
    let text = format!("all behind the first word is lost: write {}", advice::setting(&lost.name, whole));
    LineFinding { line: Some(lost.line), severity, text }
}

/// What a word for a switch says, whatever its case (those that NUT takes where it takes any: 2.8.5
/// drivers/main.c).
pub fn yes_or_no(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "on" | "true" | "enable" | "enabled" => Some(true),
        "0" | "no" | "off" | "false" | "disable" | "disabled" => Some(false),
        _ => None,
    }
}

fn meant(name: &str) -> String {
    format!("did you mean {name}?")
}

fn needs_value(name: &str) -> ConfigError {
    ConfigError::of(name, format!("{name} needs a value: write {name} = something"))
}

#[cfg(test)]
mod tests {
    use super::name_remedy;

    #[test]
    fn a_name_that_no_section_can_have_is_told_from_one_that_is_missing() {
        assert!(name_remedy("my ups").contains("cannot have a blank"));
        assert!(name_remedy("b\u{fc}ro").contains("only the letters a to z"));
        assert_eq!(name_remedy("ups2"), "");
    }
}
