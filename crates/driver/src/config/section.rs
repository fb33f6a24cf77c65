//! Reading `ups.conf`: what stands before the first section, then the section of the UPS; and the
//! options that every driver has, wherever they stand.

use super::generic::{GENERIC, GenericRow, Whom, generic};
use super::{Draft, Finding, Weight, Wrong, nearest, whole_seconds};
use crate::{advice, persona};
use nut::ups_conf::{Fault, Lost, Setting, UpsConf};
use nut::words::WordError;
use qx::device::SHUTDOWN_DEFAULT;

impl Draft {
    /// Reads a section. What is wrong with a line becomes a finding, so that all are found.
    pub(super) fn take_section(&mut self, name: &str, conf: &UpsConf) -> Result<(), Wrong> {
        self.note_wrong_lines(name, conf);
        self.take_globals(conf);
        let Some(section) = conf.section(name) else {
            let known: Vec<&str> = conf.sections.iter().map(|section| section.name.as_str()).collect();
            let known = if known.is_empty() {
                "it has no section".into()
            } else {
                format!("it has {}", known.join(", "))
            };
            return Err(format!("section [{name}] not found in ups.conf; {known}"));
        };
        self.name = Some(name.to_string());
        for (count, setting) in section.settings.iter().enumerate() {
            let mut before = section.settings[..count].iter();
            let again = before.any(|earlier| earlier.name.eq_ignore_ascii_case(&setting.name));
            self.at(setting, |draft| {
                if again && !setting.name.to_ascii_lowercase().starts_with("override.") {
                    draft.remark(format!("{} is there already: this one counts", setting.name));
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
    fn at(&mut self, setting: &Setting, take: impl FnOnce(&mut Draft) -> Result<(), Wrong>) {
        self.line = Some(setting.line);
        if let Err(text) = take(self) {
            self.fault(&setting.name, text);
        }
        self.line = None;
    }

    fn note_wrong_lines(&mut self, name: &str, conf: &UpsConf) {
        // what is wrong in the section of another UPS is for the driver of that one to say
        let ours = |section: &Option<String>| section.as_deref().is_none_or(|section| section == name);
        for wrong in conf.wrong.iter().filter(|wrong| ours(&wrong.section)) {
            let weight = match wrong.fault {
                Fault::Words(WordError::HashInQuotes | WordError::OpenQuotes | WordError::OpenEscape) => {
                    self.unreadable = true;
                    if self.killing { Weight::Remark } else { Weight::Wrong }
                }
                // NUT passes such lines over in silence, so there are files that work with them
                Fault::Words(_) | Fault::Shape(_) | Fault::Nameless => Weight::Remark,
            };
            let passed = if weight == Weight::Remark { "; passed over" } else { "" };
            let text = format!("{}{passed}", wrong.fault);
            self.findings.push(Finding { line: Some(wrong.line), weight, text });
        }
        // NUT loses them in silence, so there are files that work like that
        let lost = conf.lost.iter().filter(|lost| ours(&lost.section));
        self.findings.extend(lost.map(|lost| lost_words(lost, Weight::Remark)));
    }

    fn take_line(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        if name != "driver" {
            return self.take(name, value);
        }
        let (driver, ours) = (value.unwrap_or_default(), self.persona.name);
        match driver == ours {
            true => Ok(()),
            false => {
                let ups = self.name.as_deref().unwrap_or_default();
                Err(format!("UPS [{ups}] is for driver {driver}, but this is {ours}"))
            }
        }
    }

    /// What stands before the first section. Most of it is for upsdrvctl, so what is unknown is
    /// remarked upon and let pass.
    fn take_global(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        match generic(name) {
            Some(row) if row.is_global() => self.take_generic(row, value),
            Some(_) => {
                self.remark(format!("{name} belongs into the section of a UPS; here nobody reads it"));
                Ok(())
            }
            None => {
                let names = GENERIC.iter().filter(|row| row.is_global()).map(|row| row.name);
                let hint = nearest(name, names).map_or("passed over".into(), meant);
                self.remark(format!("nobody reads '{name}' before the first section; {hint}"));
                Ok(())
            }
        }
    }

    /// An option of a section or of `-x`.
    pub(super) fn take(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
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
    ) -> Result<(), Wrong> {
        let value = value.ok_or_else(|| needs_value(name))?;
        let (list, first_wins) = match prefix.eq_ignore_ascii_case("override") {
            // immutable once it is set, in NUT as well
            true => (&mut self.options.overrides, true),
            false => (&mut self.options.defaults, false),
        };
        if first_wins && list.iter().any(|(known, _)| known == variable) {
            self.remark(format!("{name} is there already: the first one counts"));
            return Ok(());
        }
        list.retain(|(known, _)| known != variable);
        list.push((variable.to_string(), value.to_string()));
        Ok(())
    }

    /// A name of ups.conf(5).
    fn take_generic(&mut self, row: &GenericRow, value: Option<&str>) -> Result<(), Wrong> {
        if row.needs_value && value.is_none() {
            return Err(needs_value(row.name));
        }
        let text = value.unwrap_or_default();
        match row.whom {
            Whom::Driver => self.take_own(row.name, text)?,
            Whom::Others => self.look_at_others(row.name, text),
            Whom::Nobody(why) => self.remark(format!("{} has no effect: {why}", row.name)),
        }
        Ok(())
    }

    fn take_own(&mut self, name: &str, value: &str) -> Result<(), Wrong> {
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
            "user" => self.user = Some(value.into()),
            "group" => self.group = Some(value.into()),
            "chroot" => self.chroot = Some(value.into()),
            "statepath" => self.state = Some(value.into()),
            "pollinterval" => self.take_interval(value)?,
            "synchronous" => self.take_synchronous(value),
            _ => self.take_debug_min(value),
        }
        Ok(())
    }

    /// The commands that switch the load off; names that nobody knows would leave it on.
    fn take_sdcommands(&mut self, list: &str) -> Result<(), Wrong> {
        let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let dialects = self.persona.dialects.iter();
        let known: Vec<&str> = dialects
            .flat_map(|protocol| protocol.all_commands())
            .map(|command| command.name)
            .chain([SHUTDOWN_DEFAULT])
            .collect();
        let meant_by = |name: &str| {
            let row = known.iter().find(|row| row.eq_ignore_ascii_case(name));
            row.map(|row| (*row).to_string()).ok_or_else(|| {
                let hint = nearest(name, known.iter().copied()).map_or("upscmd -l lists them".into(), meant);
                format!("there is no command {name}; {hint}")
            })
        };
        if names.is_empty() {
            return Err("sdcommands is empty: write one or more commands, such as shutdown.return".into());
        }
        let (known, unknown): (Vec<_>, Vec<_>) = names.iter().copied().map(meant_by).partition(Result::is_ok);
        let unknown: Vec<Wrong> = unknown.into_iter().filter_map(Result::err).collect();
        let mut commands: Vec<String> = known.into_iter().filter_map(Result::ok).collect();
        if !unknown.is_empty() {
            let text = format!("sdcommands = {list}: {}", unknown.join("; "));
            if !self.killing {
                return Err(text);
            }
            self.remark(format!("{text}; {SHUTDOWN_DEFAULT} is sent in place of what is not known"));
            commands = names
                .iter()
                .map(|name| meant_by(name).unwrap_or_else(|_| SHUTDOWN_DEFAULT.to_string()))
                .collect();
            commands.dedup();
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
                self.remark(format!("synchronous = {value}: write yes, no or auto; taken for no"));
                "no"
            }
        };
    }

    fn take_debug_min(&mut self, value: &str) {
        match value.parse() {
            Ok(level) => self.debug_min = level,
            Err(_) => {
                self.remark(format!("debug_min = {value}: write a small number such as 1; passed over"))
            }
        }
    }

    /// What upsdrvctl and upsd would stumble over.
    fn look_at_others(&mut self, name: &str, value: &str) {
        let is_number = matches!(name, "sdorder" | "maxstartdelay" | "maxretry" | "retrydelay");
        if is_number && value.parse::<i32>().is_err() {
            self.remark(format!("{name} = {value}: upsdrvctl reads a whole number here"));
        }
    }

    pub(super) fn take_interval(&mut self, text: &str) -> Result<(), Wrong> {
        self.options.pollinterval = whole_seconds("pollinterval", text)?;
        Ok(())
    }

    /// What to say of an option that nobody knows.
    pub(super) fn unknown(&self, name: &str) -> Wrong {
        let others = || persona::ALL.into_iter().filter(|other| other.option(name).is_some());
        if let Some(other) = others().next() {
            return format!("'{name}' is an option of {}, not of {}", other.name, self.persona.name);
        }
        let hint = self.nearest_option(name).map_or("-h lists the options".into(), meant);
        format!("'{name}' is not an option of this driver; {hint}")
    }

    /// The option that was meant by a name, if one is like it.
    pub(super) fn nearest_option(&self, name: &str) -> Option<&'static str> {
        let own = self.persona.all_options().map(|row| row.name);
        let generic = GENERIC.iter().filter(|row| row.is_for_sections()).map(|row| row.name);
        nearest(name, own.chain(generic))
    }
}

/// What there is to say of words behind a value: whoever wrote them meant them.
pub fn lost_words(lost: &Lost, weight: Weight) -> Finding {
    let text =
        format!("all behind the first word is lost: write {}", advice::setting(&lost.name, &lost.whole));
    Finding { line: Some(lost.line), weight, text }
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

fn needs_value(name: &str) -> Wrong {
    format!("{name} needs a value: write {name} = something")
}
