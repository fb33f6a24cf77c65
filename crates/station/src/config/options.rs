//! The options of one driver: a function for each row of the tables in [`qx::options::rows`].

use super::draft::{Draft, whole_seconds};
use super::{ConfigError, nearest, usb};
use link::CablePower;
use qx::options::RuntimeCal;
use qx::options::quirk;
use qx::options::rows::{BLAZER, COMMON, DIALECTS, OptionKind, OptionRow, QX, SERIAL, USB};
use qx::vocabulary::flag::Flag;
use std::time::Duration;

/// Takes the value of an option; the value of a flag is empty. An error is a sentence that begins with the option.
pub(super) type Setter = fn(&mut Draft, &OptionRow, &str) -> Result<(), String>;

/// What sets each option. A row of a table without one does not compile.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, Setter)] = &[
    ("offdelay",       offdelay),
    ("ondelay",        ondelay),
    ("protocol",       protocol),
    ("norating",       |draft, _, _| flag(draft, Flag::NoRating)),
    ("novendor",       |draft, _, _| flag(draft, Flag::NoVendor)),
    ("ignoresab",      |draft, _, _| flag(draft, Flag::IgnoreSab)),
    ("testing",        |draft, _, _| flag(draft, Flag::Testing)),
    ("reset_to_default", |draft, _, _| flag(draft, Flag::ResetToDefault)),
    ("nooutstats",     |draft, _, _| flag(draft, Flag::NoOutStats)),
    ("lowbatt_charge", |draft, row, value| bound(row, value, 100.0, &mut draft.options.low_charge_percent)),
    ("lowbatt_runtime", |draft, row, value| bound(row, value, 86_400.0, &mut draft.options.low_runtime_s)),
    ("lowbatt_voltage", |draft, row, value| bound(row, value, 1_000.0, &mut draft.options.low_volts)),
    ("quirks",         |draft, row, value| quirks(row, value, &mut draft.options.quirks.on)),
    ("noquirks",       |draft, row, value| quirks(row, value, &mut draft.options.quirks.off)),
    ("runtimecal",     runtimecal),
    ("chargetime",     chargetime),
    ("idleload",       idleload),
    ("stayoff",        stayoff),
    ("pollfreq",       pollfreq),
    ("battery_voltage_reports_one_pack", one_pack),
    ("cablepower",     cablepower),

    ("subdriver",      usb::subdriver),
    ("vendor",         usb::pattern),
    ("product",        usb::pattern),
    ("serial",         usb::pattern),
    ("vendorid",       usb::pattern),
    ("productid",      usb::pattern),
    ("bus",            usb::pattern),
    ("busport",        usb::pattern),
    ("device",         usb::device),
    ("langid_fix",     usb::language),
    ("noscanlangid",   usb::no_scan),
    ("usb_set_altinterface", usb::alternate),
    ("usb_config_index", usb::configuration),
    ("usb_hid_rep_index", usb::interface),
    ("usb_hid_desc_index", usb::descriptor),
    ("usb_hid_ep_in",  usb::inlet),
    ("usb_hid_ep_out", usb::outlet),
    ("allow_duplicates", usb::any_of_twins),

    ("slave_address",  address),
    ("slave_addr",     address),
    ("bypass_alarm",   setting),
    ("battery_alarm",  setting),
    ("bypass_when_off", setting),
    ("alarm_control",  setting),
    ("converter_mode", setting),
    ("eco_mode",       setting),
    ("battery_open_status_check", setting),
    ("bypass_forbidding", setting),
    ("site_fault_detection", setting),
    ("advanced_eco_mode", setting),
    ("constant_phase_angle", setting),
    ("limited_runtime_on_battery", setting),
    ("max_bypass_volt", setting),
    ("min_bypass_volt", setting),
    ("max_bypass_freq", setting),
    ("min_bypass_freq", setting),
    ("work_range_type", setting),
    ("output_phase_angle", setting),
    ("battery_number", setting),
    ("pins_shutdown_mode", setting),
    ("series",         logged),
    ("input_fault_voltage", logged),
    ("number_of_battery_cells", logged),
    ("nominal_cell_voltage", logged),
    ("runtime_half",   logged),
    ("runtime_full",   logged),
    ("recharge_time",  logged),
    ("output_voltages", logged),
    ("fault_1",        logged),
    ("fault_2",        logged),
    ("fault_3",        logged),
    ("fault_4",        logged),
    ("fault_5",        logged),
    ("experimental.battery.ageing.factor", logged),
    ("experimental.battery.calibration.factor", logged),
];

/// Every table of options.
#[allow(dead_code)] // used by the assertion below, which Rust 1.85 does not count
const TABLES: [&[OptionRow]; 6] = [COMMON, QX, BLAZER, SERIAL, USB, DIALECTS];

const _: () = {
    let mut table = 0;
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            assert!(has_function(TABLES[table][row].name), "an option has no row in FUNCTIONS");
            row += 1;
        }
        table += 1;
    }
};

#[allow(dead_code)]
const fn has_function(name: &str) -> bool {
    let mut at = 0;
    while at < FUNCTIONS.len() {
        if is_same(FUNCTIONS[at].0, name) {
            return true;
        }
        at += 1;
    }
    false
}

#[allow(dead_code)]
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

impl Draft {
    /// An option that not every driver has.
    pub(super) fn take_option(&mut self, name: &str, value: Option<&str>) -> Result<(), ConfigError> {
        let Some(row) = self.kind.option(name) else { return Err(self.unknown(name)) };
        let wrong = |sentence| ConfigError::of(row.name, sentence);
        let value = match (row.kind, value) {
            (OptionKind::Value, None) => {
                return Err(wrong(format!("{name} needs a value: write {name} = something ({})", row.about)));
            }
            (OptionKind::Flag, Some(value)) => {
                self.hint(format!("'{name}' is a flag; the value '{value}' is ignored"));
                value
            }
            (_, value) => value.unwrap_or_default(),
        };
        let function = FUNCTIONS.iter().find(|(name, _)| *name == row.name).map(|(_, set)| set);
        let set =
            function.ok_or_else(|| wrong(format!("{name} has no effect here: report this as a bug")))?;
        set(self, row, value).map_err(wrong)?;
        match (row.kind, value) {
            // under the name as it was written, as in NUT
            (OptionKind::Flag, "") => self.publish("flag", name, "enabled"),
            _ => self.publish("parameter", name, value),
        }
        Ok(())
    }
}

fn flag(draft: &mut Draft, flag: Flag) -> Result<(), String> {
    draft.options.flags = draft.options.flags.with(flag);
    Ok(())
}

/// What is written to the UPS once, at the start.
fn setting(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.options.settings.retain(|(known, _)| known != row.name);
    draft.options.settings.push((row.name.into(), value.trim().to_ascii_lowercase()));
    Ok(())
}

fn logged(draft: &mut Draft, row: &OptionRow, _: &str) -> Result<(), String> {
    draft.hint(format!("{} has no effect: it is the name of a value that is logged", row.name));
    Ok(())
}

fn offdelay(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.look_at_decimals(row.name, value);
    draft.options.offdelay = Some(value.to_string());
    Ok(())
}

fn ondelay(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.look_at_decimals(row.name, value);
    draft.options.ondelay = Some(value.to_string());
    Ok(())
}

fn protocol(draft: &mut Draft, _: &OptionRow, value: &str) -> Result<(), String> {
    if draft.kind.dialect(value).is_some() {
        draft.options.protocol = Some(value.to_string());
        return Ok(());
    }
    let names = || draft.kind.dialects.iter().map(|protocol| protocol.name);
    let hint = match nearest(value, names()) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(format!("protocol = {value}: unknown protocol; {hint}; omit it to detect the protocol"))
}

fn stayoff(draft: &mut Draft, _: &OptionRow, _: &str) -> Result<(), String> {
    draft.options.stayoff = true;
    Ok(())
}

fn pollfreq(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.options.pollfreq = match value.trim() {
        // every poll is a full one
        "0" => Duration::ZERO,
        value => whole_seconds(row.name, value)?,
    };
    Ok(())
}

fn one_pack(draft: &mut Draft, _: &OptionRow, _: &str) -> Result<(), String> {
    draft.options.one_pack = true;
    Ok(())
}

fn runtimecal(draft: &mut Draft, _: &OptionRow, value: &str) -> Result<(), String> {
    draft.options.runtimecal = Some(RuntimeCal::parse(value)?);
    Ok(())
}

fn chargetime(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    draft.options.chargetime = whole_seconds(row.name, value)?;
    Ok(())
}

fn idleload(draft: &mut Draft, _: &OptionRow, value: &str) -> Result<(), String> {
    let percent = value.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0);
    draft.options.idleload_percent = percent
        .ok_or_else(|| format!("idleload = {value}: write a load in percent, above 0 and at most 100"))?;
    Ok(())
}

fn cablepower(draft: &mut Draft, _: &OptionRow, value: &str) -> Result<(), String> {
    draft.cable_power = CablePower::parse(value)?;
    Ok(())
}

fn address(draft: &mut Draft, row: &OptionRow, value: &str) -> Result<(), String> {
    let address = value.trim().parse::<u32>().ok().filter(|address| *address < 100);
    let wrong = || format!("{} = {value}: write a number from 0 to 99", row.name);
    draft.options.address = Some(address.ok_or_else(wrong)?);
    Ok(())
}

/// The names of quirks in a list.
fn quirks(row: &OptionRow, list: &str, quirks: &mut Vec<&'static str>) -> Result<(), String> {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    let known = |name: &str| {
        let hint = || match nearest(name, quirk::ALL.iter().map(|quirk| quirk.name)) {
            Some(near) => format!("did you mean {near}?"),
            None => "'qxups quirks' prints all".into(),
        };
        let found = quirk::named(name).map(|quirk| quirk.name);
        found.ok_or_else(|| format!("{} = {list}: there is no quirk {name}; {}", row.name, hint()))
    };
    *quirks = names.map(known).collect::<Result<_, _>>()?;
    Ok(())
}

/// A bound above nothing and at most `most`.
fn bound(row: &OptionRow, value: &str, most: f64, bound: &mut Option<f64>) -> Result<(), String> {
    let number = value.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= most);
    let wrong = || format!("{} = {value}: write a number above 0 and at most {most}", row.name);
    *bound = Some(number.ok_or_else(wrong)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Configuration, Purpose, Statement, no_conf};
    use super::*;
    use crate::driver_kind::{self, BLAZER_USB, DriverKind, NUTDRV_QX};
    use qx::options::rows::Scope;

    fn read(kind: &'static DriverKind, option: Option<(&str, &str)>) -> Configuration {
        let option = option.map(|(name, value)| {
            let value = Some(value).filter(|value| !value.is_empty());
            Statement::Option(name.into(), value.map(String::from))
        });
        let port = Statement::Option("port".into(), Some("auto".into()));
        // so that 'subdriver' is allowed
        let ids = ["vendorid", "productid"].map(|name| Statement::Option(name.into(), Some("ffff".into())));
        let statements: Vec<_> =
            [Statement::NoConfig("u".into()), port].into_iter().chain(ids).chain(option).collect();
        Configuration::read(kind, &statements, Purpose::Watch, no_conf).unwrap()
    }

    /// A value that the option takes and that is not its default.
    fn some_value(row: &OptionRow) -> &'static str {
        match row.name {
            _ if row.kind == OptionKind::Flag => "",
            "protocol" => "megatec",
            "quirks" | "noquirks" => quirk::ALL[0].name,
            "runtimecal" => "240,100,720,50",
            "cablepower" => "reverse",
            "subdriver" => "cypress",
            _ => "60",
        }
    }

    /// An option that is taken and changes nothing is forgotten.
    #[test]
    fn every_option_has_its_function() {
        let nothing_to_set = ["usb_hid_desc_index"];
        for kind in [&NUTDRV_QX, &BLAZER_USB] {
            let without = read(kind, None);
            for row in kind.all_options() {
                let with = read(kind, Some((row.name, some_value(row))));
                let changed =
                    (&with.ups.options, &with.ups.opening) != (&without.ups.options, &without.ups.opening);
                let is_none = row.scope == Scope::Logged || nothing_to_set.contains(&row.name);
                assert_eq!(changed, !is_none, "{} {}", kind.name, row.name);
                let is_published = |(name, _): &(String, String)| {
                    name.rsplit_once('.').is_some_and(|(_, last)| row.name.ends_with(last))
                };
                assert!(with.ups.published.iter().any(is_published), "{}", row.name);
            }
        }
        // and none is left of an option that is gone
        for (at, (name, _)) in FUNCTIONS.iter().enumerate() {
            assert!(driver_kind::ALL.iter().any(|kind| kind.option(name).is_some()), "{name}");
            assert!(FUNCTIONS[..at].iter().all(|(other, _)| other != name), "{name} twice");
        }
    }

    #[test]
    fn what_is_wrong_names_its_option() {
        let wrong = |name: &str, value: Option<&str>| {
            let statements = [Statement::Option(name.into(), value.map(String::from))];
            let mut draft = Draft::new(&NUTDRV_QX, Purpose::Watch);
            let Statement::Option(name, value) = &statements[0] else { unreachable!() };
            draft.take(name, value.as_deref()).unwrap_err().option
        };
        for (name, value, option) in [
            ("PollFreq", Some("x"), "pollfreq"),
            ("slave_addr", Some("100"), "slave_addr"),
            ("vendorid", Some("("), "vendorid"),
            ("usb_hid_ep_in", Some("x"), "usb_hid_ep_in"),
            ("cablepower", Some("x"), "cablepower"),
            ("protocol", None, "protocol"),
            ("frob", None, "frob"),
            ("port", None, "port"),
            ("sdcommands", Some("x"), "sdcommands"),
            ("pollinterval", Some("0"), "pollinterval"),
            ("override.x", None, "override.x"),
        ] {
            assert_eq!(wrong(name, value).as_deref(), Some(option), "{name}");
        }
    }
}
