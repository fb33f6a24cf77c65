//! What a driver is to do: from the command line and `ups.conf`, checked.

use crate::command_line::{CommandLine, Said};
use link::{Address, CablePower, Opening, Pattern, UsbOptions};
use nut::ups_conf::{Fault, UpsConf};
use nut::words::WordError;
use qx::option::{Flag, Kind, OPTIONS, OptionRow, Options, RuntimeCal, Scope, option};
use qx::{bridges, protocols};
use std::path::PathBuf;
use std::time::Duration;

/// Built for these directories; the environment may name others.
const CONFPATH: &str = match option_env!("QXUPS_CONFPATH") {
    Some(path) => path,
    None => "/etc/nut",
};
const STATEPATH: &str = match option_env!("QXUPS_STATEPATH") {
    Some(path) => path,
    None => "/run/nut",
};
const USER: &str = match option_env!("QXUPS_USER") {
    Some(user) => user,
    None => "nut",
};
const GROUP: &str = match option_env!("QXUPS_GROUP") {
    Some(group) => group,
    None => "nut",
};

/// Where NUT keeps its files.
#[derive(Clone, Debug)]
pub struct Paths {
    /// `ups.conf` is here (`NUT_CONFPATH`).
    pub conf: PathBuf,
    /// Sockets are here (`NUT_STATEPATH`).
    pub state: PathBuf,
    /// PID files are here (`NUT_ALTPIDPATH`).
    pub pid: PathBuf,
}

impl Paths {
    /// From the environment, else as built.
    pub fn from_environment() -> Paths {
        let path = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let state = path("NUT_STATEPATH").unwrap_or_else(|| STATEPATH.into());
        Paths {
            conf: path("NUT_CONFPATH").unwrap_or_else(|| CONFPATH.into()),
            pid: path("NUT_ALTPIDPATH").unwrap_or_else(|| state.clone()),
            state,
        }
    }
}

/// What a driver is to do.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the UPS.
    pub name: String,
    /// Where the UPS is and how to open it.
    pub opening: Opening,
    /// For the device.
    pub options: Options,
    /// `-k` uses shutdown.stayoff.
    pub stayoff: bool,
    /// The driver's user.
    pub user: String,
    /// Whether somebody asked for this user.
    pub user_was_named: bool,
    /// Group of the socket, where it is not that of the user.
    pub group: Option<String>,
    /// Root directory.
    pub chroot: Option<PathBuf>,
    /// `debug_min`.
    pub debug_min: u8,
    /// `driver.parameter.…` and `driver.flag.…`.
    pub published: Vec<(String, String)>,
    /// What should be said in the log about the options.
    pub remarks: Vec<String>,
}

/// What is wrong with the configuration, and what to do.
pub type Wrong = String;

/// What was read so far; it becomes a [`Config`] when everything was read.
struct Draft {
    program: &'static str,
    name: Option<String>,
    port: Option<String>,
    cable_power: CablePower,
    lock: bool,
    usb: UsbOptions,
    /// Whether an option asks for USB, whatever the port is called.
    on_usb: bool,
    options: Options,
    stayoff: bool,
    user: Option<String>,
    group: Option<String>,
    chroot: Option<PathBuf>,
    debug_min: u8,
    synchronous: &'static str,
    published: Vec<(String, String)>,
    remarks: Vec<String>,
}

impl Config {
    /// The configuration that the command line asks for; `read_conf` reads `ups.conf` when a
    /// section of it is wanted.
    ///
    /// # Errors
    /// One sentence that says what is wrong and what to do.
    pub fn new(
        program: &'static str,
        line: &CommandLine,
        read_conf: impl Fn() -> Result<UpsConf, Wrong>,
    ) -> Result<Config, Wrong> {
        let mut draft = Draft {
            program,
            name: None,
            port: None,
            cable_power: CablePower::default(),
            lock: true,
            usb: UsbOptions::default(),
            on_usb: false,
            options: Options::default(),
            stayoff: false,
            user: None,
            group: None,
            chroot: None,
            debug_min: 0,
            synchronous: "auto",
            published: vec![],
            remarks: vec![],
        };
        for said in &line.said {
            match said {
                Said::Section(name) => draft.take_section(name, &read_conf()?)?,
                Said::Alone(name) => draft.name = Some(name.clone()),
                Said::Option(name, value) => draft.take(name, value.as_deref())?,
                Said::Interval(text) => draft.take_interval(text)?,
            }
        }
        draft.finish(line)
    }
}

impl Draft {
    fn take_section(&mut self, name: &str, conf: &UpsConf) -> Result<(), Wrong> {
        // what is wrong in the section of another UPS is for the driver of that one to say
        let ours = |section: &Option<String>| section.as_deref().is_none_or(|section| section == name);
        for wrong in conf.wrong.iter().filter(|wrong| ours(&wrong.section)) {
            match wrong.fault {
                Fault::Words(WordError::HashInQuotes | WordError::OpenQuotes | WordError::OpenEscape) => {
                    return Err(format!("ups.conf, {wrong}"));
                }
                // NUT passes such lines over in silence, so there are files that work with them
                Fault::Words(_) | Fault::Shape(_) | Fault::Nameless => {
                    self.remarks.push(format!("ups.conf, {wrong}; passed over"))
                }
            }
        }
        for setting in &conf.global {
            self.take_global(&setting.name, setting.value.as_deref())?;
        }
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
        for setting in &section.settings {
            if setting.name == "driver" {
                let driver = setting.value.as_deref().unwrap_or_default();
                if driver != self.program {
                    return Err(format!("UPS [{name}] is for driver {driver}, but this is {}", self.program));
                }
                continue;
            }
            self.take(&setting.name, setting.value.as_deref())?;
        }
        Ok(())
    }

    /// The global part of ups.conf; most of it is for upsdrvctl, so what is unknown is let pass.
    fn take_global(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        match (name, value) {
            ("pollinterval", Some(value)) => self.take_interval(value),
            ("chroot", Some(value)) => {
                self.chroot = Some(value.into());
                Ok(())
            }
            ("user" | "group" | "synchronous" | "debug_min", Some(_)) => self.take(name, value),
            _ => Ok(()),
        }
    }

    fn take_interval(&mut self, text: &str) -> Result<(), Wrong> {
        let seconds = whole_seconds("pollinterval", text)?;
        self.options.pollinterval = Duration::from_secs(seconds);
        Ok(())
    }

    /// An option of a section or of `-x`.
    fn take(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        if let Some((prefix, variable)) = name.split_once('.').filter(|(prefix, _)| {
            prefix.eq_ignore_ascii_case("override") || prefix.eq_ignore_ascii_case("default")
        }) {
            let value = value.ok_or_else(|| format!("{name} needs a value: write {name} = something"))?;
            let (list, first_wins) = match prefix.eq_ignore_ascii_case("override") {
                // immutable once it is set, in NUT as well
                true => (&mut self.options.overrides, true),
                false => (&mut self.options.defaults, false),
            };
            if first_wins && list.iter().any(|(known, _)| known == variable) {
                self.remarks.push(format!("{name} is there already: the first one counts"));
                return Ok(());
            }
            list.retain(|(known, _)| known != variable);
            list.push((variable.to_string(), value.to_string()));
            return Ok(());
        }
        match (name, value) {
            ("port", Some(value)) => self.port = Some(value.into()),
            ("nolock", _) => {
                self.lock = false;
                self.publish("flag", "nolock", "enabled");
                return Ok(());
            }
            ("ignorelb", _) => {
                self.options.ignorelb = true;
                self.publish("flag", "ignorelb", "enabled");
                return Ok(());
            }
            ("user", Some(value)) => self.user = Some(value.into()),
            ("group", Some(value)) => self.group = Some(value.into()),
            ("pollinterval", Some(value)) => self.take_interval(value)?,
            ("synchronous", Some(value)) => {
                // our socket never blocks; the word is kept because clients can read it
                self.synchronous = match value {
                    "yes" => "yes",
                    "auto" => "auto",
                    "no" => "no",
                    _ => return Err(format!("synchronous = {value}: write yes, no or auto")),
                };
            }
            ("debug_min", Some(value)) => {
                self.debug_min = value
                    .parse()
                    .map_err(|_| format!("debug_min = {value}: write a small number such as 1"))?;
            }
            (
                "sdorder" | "sdtime" | "sddelay" | "desc" | "maxstartdelay" | "maxretry" | "retrydelay"
                | "allow_killpower",
                _,
            ) => {
                // for upsdrvctl, upsd, or obsolete
            }
            _ => return self.take_option(name, value),
        }
        Ok(())
    }

    fn take_option(&mut self, name: &str, value: Option<&str>) -> Result<(), Wrong> {
        let Some(row) = option(name) else { return Err(unknown(name)) };
        let value = match (row.kind, value) {
            (Kind::Value, None) => {
                return Err(format!("{name} needs a value: write {name} = something ({})", row.about));
            }
            (Kind::Flag, Some(value)) => {
                self.remarks.push(format!("{name} is a flag: its value '{value}' means nothing"));
                value
            }
            (_, value) => value.unwrap_or_default(),
        };
        match row.scope {
            Scope::Usb => self.take_usb_option(row, value)?,
            Scope::Logged => {
                self.remarks.push(format!("{name} has no effect: it is the name of a value that is logged"));
            }
            Scope::Setting => {
                self.options.settings.retain(|(known, _)| known != row.name);
                self.options.settings.push((row.name.into(), value.trim().to_ascii_lowercase()));
            }
            Scope::Device | Scope::Serial => self.take_device_option(row, value)?,
        }
        match (row.kind, value) {
            (Kind::Flag, "") => self.publish("flag", row.name, "enabled"),
            _ => self.publish("parameter", row.name, value),
        }
        Ok(())
    }

    /// What says which USB device is meant, and how it is spoken to.
    fn take_usb_option(&mut self, row: &OptionRow, value: &str) -> Result<(), Wrong> {
        // a device number alone asks for nothing, as in NUT
        let is_manner =
            row.name.starts_with("usb_") || matches!(row.name, "noscanlangid" | "allow_duplicates");
        self.on_usb |= row.name != "device" && !is_manner;
        match row.name {
            "subdriver" => {
                let names: Vec<&str> = bridges::ALL.iter().map(|bridge| bridge.name).collect();
                let known = bridges::named(value);
                self.usb.bridge = Some(
                    known.ok_or_else(|| format!("subdriver = {value}: there are {}", names.join(", ")))?,
                );
            }
            "langid_fix" => {
                let digits = value.trim().trim_start_matches("0x");
                let language = u16::from_str_radix(digits, 16);
                self.usb.language =
                    Some(language.map_err(|_| format!("langid_fix = {value}: write it as 0x0409"))?);
            }
            "noscanlangid" => self.usb.no_scan = true,
            "usb_set_altinterface" => {
                let number = if value.is_empty() { Ok(0) } else { value.trim().parse() };
                let wrong = |_| format!("usb_set_altinterface = {value}: write a small number such as 0");
                self.usb.alternate = Some(number.map_err(wrong)?);
            }
            "usb_config_index" => self.usb.configuration = Some(hexadecimal(row.name, value)?),
            "usb_hid_rep_index" => self.usb.interface = hexadecimal(row.name, value)?,
            "usb_hid_desc_index" => drop(hexadecimal(row.name, value)?),
            "usb_hid_ep_in" => self.usb.inlet = Some(hexadecimal(row.name, value)? | 0x80),
            "usb_hid_ep_out" => self.usb.outlet = Some(hexadecimal(row.name, value)? & 0x7f),
            "allow_duplicates" => self.usb.any_of_twins = true,
            name => drop(self.usb.patterns.insert(name, Pattern::parse(name, value)?)),
        }
        Ok(())
    }

    /// The whole of it.
    fn usb_options(&mut self) -> Result<UsbOptions, Wrong> {
        let has = |name: &str| self.usb.patterns.contains_key(name);
        if self.usb.bridge.is_some() && !(has("vendorid") && has("productid")) {
            return Err("subdriver needs vendorid and productid, so that no other device is taken for a UPS: find them with lsusb".into());
        }
        Ok(std::mem::take(&mut self.usb))
    }

    fn take_device_option(&mut self, row: &OptionRow, value: &str) -> Result<(), Wrong> {
        let options = &mut self.options;
        match row.name {
            "protocol" => {
                if protocols::named(value).is_none() {
                    let wanted = value.to_ascii_lowercase();
                    let names = protocols::ALL.iter().map(|protocol| protocol.name);
                    let nearest = names.min_by_key(|name| edit_distance(&wanted, name)).unwrap_or_default();
                    return Err(format!(
                        "protocol = {value}: there is no such dialect; did you mean {nearest}? 'qxups protocols' prints all; left out, it is found"
                    ));
                }
                options.protocol = Some(value.to_string());
            }
            "offdelay" => options.offdelay = Some(value.to_string()),
            "ondelay" => options.ondelay = Some(value.to_string()),
            "stayoff" => self.stayoff = true,
            "pollfreq" => options.pollfreq = Duration::from_secs(whole_seconds("pollfreq", value)?),
            "slave_address" | "slave_addr" => {
                let address = value.trim().parse::<u32>().ok().filter(|address| *address < 100);
                options.address = Some(
                    address.ok_or_else(|| format!("{} = {value}: write a number from 0 to 99", row.name))?,
                );
            }
            "battery_voltage_reports_one_pack" => options.one_pack = true,
            "runtimecal" => options.runtimecal = Some(RuntimeCal::parse(value)?),
            "chargetime" => options.chargetime = Duration::from_secs(whole_seconds("chargetime", value)?),
            "idleload" => {
                let percent =
                    value.trim().parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0);
                options.idleload_percent = percent.ok_or_else(|| {
                    format!("idleload = {value}: write a load in percent, above 0 and at most 100")
                })?;
            }
            "cablepower" => self.cable_power = CablePower::parse(value)?,
            name => options.flags = Flag::named(name).map_or(options.flags, |flag| options.flags.with(flag)),
        }
        Ok(())
    }

    fn publish(&mut self, kind: &str, name: &str, value: &str) {
        let name = format!("driver.{kind}.{name}");
        self.published.retain(|(known, _)| *known != name);
        self.published.push((name, value.to_string()));
    }

    fn finish(mut self, line: &CommandLine) -> Result<Config, Wrong> {
        let name = self
            .name
            .clone()
            .ok_or("name the UPS: -a and its section of ups.conf, or -s and any name; try -h")?;
        let port = self
            .port
            .clone()
            .ok_or("name the port: 'port = /dev/ttyS0' in ups.conf, or -x port=/dev/ttyS0")?;
        let address = match Address::parse(&port).map_err(|bad| bad.to_string())? {
            Address::Usb(_) => Address::Usb(Box::new(self.usb_options()?)),
            recording @ Address::Replay { .. } => recording,
            _ if self.on_usb => Address::Usb(Box::new(self.usb_options()?)),
            address => address,
        };
        self.check_delays()?;
        self.publish("parameter", "port", &port);
        self.publish("parameter", "pollinterval", &self.options.pollinterval.as_secs().to_string());
        self.publish("parameter", "pollfreq", &self.options.pollfreq.as_secs().to_string());
        self.publish("parameter", "synchronous", self.synchronous);
        let user = line.user.clone().or(self.user);
        let group = line.group.clone().or(self.group);
        // another user than upsd's: the group lets it in
        let group = group.or_else(|| user.as_ref().filter(|user| *user != USER).map(|_| GROUP.into()));
        Ok(Config {
            name,
            opening: Opening { address, cable_power: self.cable_power, lock: self.lock },
            options: self.options,
            stayoff: self.stayoff,
            user_was_named: user.is_some(),
            user: user.unwrap_or_else(|| USER.into()),
            group,
            chroot: line.chroot.clone().or(self.chroot),
            debug_min: self.debug_min,
            published: self.published,
            remarks: self.remarks,
        })
    }

    /// The delays must be allowed by the chosen dialect, or by any while it is not known.
    fn check_delays(&self) -> Result<(), Wrong> {
        let chosen = self.options.protocol.as_deref().and_then(protocols::named);
        for (option, given) in [("ondelay", &self.options.ondelay), ("offdelay", &self.options.offdelay)] {
            let Some(text) = given else { continue };
            let candidates =
                protocols::ALL.iter().copied().filter(|p| chosen.is_none_or(|chosen| chosen.name == p.name));
            let delays =
                candidates.flat_map(|protocol| protocol.delays).filter(|delay| delay.option == option);
            let mut wrong = None;
            let fits =
                delays.into_iter().any(|delay| delay.check(text).map_err(|why| wrong = Some(why)).is_ok());
            if let (false, Some(why)) = (fits, wrong) {
                return Err(format!("{option}: {}", why.0));
            }
        }
        Ok(())
    }
}

fn hexadecimal(name: &str, text: &str) -> Result<u8, Wrong> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u8::from_str_radix(digits, 16)
        .map_err(|_| format!("{name} = {text}: write a hexadecimal number such as 1"))
}

fn whole_seconds(name: &str, text: &str) -> Result<u64, Wrong> {
    let seconds = text.trim().parse::<u32>().ok().filter(|seconds| *seconds > 0);
    seconds.map(u64::from).ok_or_else(|| format!("{name} = {text}: write whole seconds, 1 or more"))
}

fn unknown(name: &str) -> Wrong {
    let distance = |row: &&OptionRow| edit_distance(&name.to_ascii_lowercase(), row.name);
    let nearest = OPTIONS.iter().min_by_key(distance).filter(|row| distance(row) <= 3);
    let hint = nearest.map_or("-h lists the options".into(), |row| format!("did you mean {}?", row.name));
    format!("'{name}' is not an option of this driver; {hint}")
}

/// How many letters have to be changed, added or left out.
fn edit_distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}
