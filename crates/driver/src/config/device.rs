//! The options of one driver: what they mean for the device.

use super::{Draft, Wrong, nearest, whole_seconds};
use link::CablePower;
use qx::option::{Flag, Kind, OptionRow, RuntimeCal, Scope};
use qx::quirk;
use std::time::Duration;

impl Draft {
    /// An option that not every driver has.
    pub(super) fn take_option(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        let Some(row) = self.persona.option(name) else { return Err(self.unknown(name)) };
        let value = match (row.kind, value) {
            (Kind::Value, None) => {
                return Err(format!("{name} needs a value: write {name} = something ({})", row.about));
            }
            (Kind::Flag, Some(value)) => {
                self.remark(format!("{name} is a flag: its value '{value}' means nothing"));
                value
            }
            (_, value) => value.unwrap_or_default(),
        };
        match row.scope {
            Scope::Usb => self.take_usb_option(row, value)?,
            Scope::Logged => {
                self.remark(format!("{name} has no effect: it is the name of a value that is logged"));
            }
            Scope::Setting => {
                self.options.settings.retain(|(known, _)| known != row.name);
                self.options.settings.push((row.name.into(), value.trim().to_ascii_lowercase()));
            }
            Scope::Device | Scope::Serial => self.take_device_option(row, value)?,
        }
        match (row.kind, value) {
            // under the name as it was written, as in NUT
            (Kind::Flag, "") => self.publish("flag", name, "enabled"),
            _ => self.publish("parameter", name, value),
        }
        Ok(())
    }

    fn take_device_option(&mut self, row: &OptionRow, value: &str) -> Result<(), Wrong> {
        match row.name {
            "protocol" => self.check_protocol(value)?,
            "ondelay" | "offdelay" => self.look_at_decimals(row.name, value),
            _ => {}
        }
        let options = &mut self.options;
        match row.name {
            "protocol" => options.protocol = Some(value.to_string()),
            "offdelay" => options.offdelay = Some(value.to_string()),
            "ondelay" => options.ondelay = Some(value.to_string()),
            "stayoff" => options.stayoff = true,
            // every poll is a full one
            "pollfreq" if value.trim() == "0" => options.pollfreq = Duration::ZERO,
            "pollfreq" => options.pollfreq = whole_seconds("pollfreq", value)?,
            "slave_address" | "slave_addr" => {
                let address = value.trim().parse::<u32>().ok().filter(|address| *address < 100);
                options.address = Some(
                    address.ok_or_else(|| format!("{} = {value}: write a number from 0 to 99", row.name))?,
                );
            }
            "battery_voltage_reports_one_pack" => options.one_pack = true,
            "runtimecal" => options.runtimecal = Some(RuntimeCal::parse(value)?),
            "chargetime" => options.chargetime = whole_seconds("chargetime", value)?,
            "idleload" => {
                let percent =
                    value.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0);
                options.idleload_percent = percent.ok_or_else(|| {
                    format!("idleload = {value}: write a load in percent, above 0 and at most 100")
                })?;
            }
            "lowbatt_charge" => options.low_charge_percent = Some(bound(row.name, value, 100.0)?),
            "lowbatt_runtime" => options.low_runtime_s = Some(bound(row.name, value, 86_400.0)?),
            "lowbatt_voltage" => options.low_volts = Some(bound(row.name, value, 1_000.0)?),
            "quirks" => options.quirks.on = quirks(row.name, value)?,
            "noquirks" => options.quirks.off = quirks(row.name, value)?,
            "cablepower" => self.cable_power = CablePower::parse(value)?,
            name => options.flags = Flag::named(name).map_or(options.flags, |flag| options.flags.with(flag)),
        }
        Ok(())
    }

    /// NUT cuts them off in silence.
    fn look_at_decimals(&mut self, name: &str, value: &str) {
        if let Some((whole, decimals)) = value.trim().split_once('.')
            && decimals.contains(|digit| digit != '0')
        {
            self.remark(format!("{name} = {value}: a whole number is read here, so this is {whole}"));
        }
    }

    fn check_protocol(&self, value: &str) -> Result<(), Wrong> {
        if self.persona.dialect(value).is_some() {
            return Ok(());
        }
        let names = || self.persona.dialects.iter().map(|protocol| protocol.name);
        let hint = match nearest(value, names()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        Err(format!("protocol = {value}: there is no such dialect; {hint}; left out, it is found"))
    }

    /// The delays that the chosen dialect does not allow, or no dialect while it is not known: each option, and
    /// what is wrong with it.
    pub(super) fn wrong_delays(&self) -> Vec<(&'static str, Wrong)> {
        let given = [("ondelay", &self.options.ondelay), ("offdelay", &self.options.offdelay)];
        let mut found = vec![];
        for (option, text) in given {
            let Some(text) = text else { continue };
            if let Err(wrong) = self.check_delay(option, text) {
                found.push((option, wrong));
            }
        }
        found
    }

    fn check_delay(&self, option: &str, text: &str) -> Result<(), Wrong> {
        let chosen = self.options.protocol.as_deref().and_then(|name| self.persona.dialect(name));
        let dialects = self.persona.dialects.iter().copied();
        let candidates = dialects.filter(|p| chosen.is_none_or(|chosen| chosen.name == p.name));
        let delays = candidates.flat_map(|protocol| protocol.delays).filter(|delay| delay.option == option);
        let mut wrong = None;
        let fits =
            delays.into_iter().any(|delay| delay.check_option(text).map_err(|why| wrong = Some(why)).is_ok());
        match wrong.filter(|_| !fits) {
            Some(why) => Err(format!("{option}: {}", why.0)),
            None => Ok(()),
        }
    }
}

/// The names of quirks in a list.
fn quirks(option: &str, list: &str) -> Result<Vec<&'static str>, Wrong> {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    let known = |name: &str| {
        let hint = || match nearest(name, quirk::ALL.iter().map(|quirk| quirk.name)) {
            Some(near) => format!("did you mean {near}?"),
            None => "'qxups quirks' prints all".into(),
        };
        let found = quirk::named(name).map(|quirk| quirk.name);
        found.ok_or_else(|| format!("{option} = {list}: there is no quirk {name}; {}", hint()))
    };
    names.map(known).collect()
}

/// A bound above nothing and at most `most`.
fn bound(option: &str, value: &str, most: f64) -> Result<f64, Wrong> {
    let number = value.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= most);
    number.ok_or_else(|| format!("{option} = {value}: write a number above 0 and at most {most}"))
}
