//! What a driver is to do: from the command line and `ups.conf`, checked.

mod device;
mod fault;
mod finding;
mod generic;
mod nearest;
mod section;
mod usb;

use crate::command_line::{CommandLine, Said, Task};
use crate::persona::{Line, Persona};
pub use finding::{Finding, Weight};
pub use generic::{GENERIC, GenericRow, Place, Whom, generic};
use link::{Address, CablePower, Opening, UsbOptions};
pub use nearest::nearest;
use nut::ups_conf::UpsConf;
use qx::option::Options;
pub use section::{lost_words, yes_or_no};
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

/// No `ups.conf` is longer, in bytes.
pub const LONGEST_CONF: u64 = 16 * 1024 * 1024;

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

    /// The same, where `ups.conf` says `statepath` and the environment does not (newer NUT).
    pub fn with_statepath(mut self, path: Option<&PathBuf>) -> Paths {
        let said = |name: &str| std::env::var_os(name).is_some_and(|path| !path.is_empty());
        if let Some(path) = path.filter(|_| !said("NUT_STATEPATH")) {
            self.state.clone_from(path);
            if !said("NUT_ALTPIDPATH") {
                self.pid.clone_from(path);
            }
        }
        self
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
    /// `allow_killpower`: a client may have the load switched off by `driver.killpower`.
    pub allow_killpower: bool,
    /// The driver's user.
    pub user: String,
    /// Whether somebody asked for this user.
    pub user_was_named: bool,
    /// Group of the socket, where it is not that of the user.
    pub group: Option<String>,
    /// Root directory.
    pub chroot: Option<PathBuf>,
    /// `statepath`.
    pub state: Option<PathBuf>,
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
    persona: &'static Persona,
    name: Option<String>,
    port: Option<String>,
    cable_power: CablePower,
    lock: bool,
    usb: UsbOptions,
    /// Whether an option asks for USB, whatever the port is called.
    on_usb: bool,
    options: Options,
    allow_killpower: bool,
    user: Option<String>,
    group: Option<String>,
    chroot: Option<PathBuf>,
    state: Option<PathBuf>,
    debug_min: u8,
    synchronous: &'static str,
    /// The power is to be killed: what has nothing to do with that ends nothing.
    killing: bool,
    /// A line of ups.conf cannot be read at all.
    unreadable: bool,
    published: Vec<(String, String)>,
    /// The line of ups.conf that is read.
    line: Option<usize>,
    findings: Vec<Finding>,
}

impl Config {
    /// The configuration that the command line asks for; `read_conf` reads `ups.conf` when a
    /// section of it is wanted.
    ///
    /// # Errors
    /// One sentence that says what is wrong and what to do.
    pub fn new(
        persona: &'static Persona,
        line: &CommandLine,
        read_conf: impl Fn() -> Result<UpsConf, Wrong>,
    ) -> Result<Config, Wrong> {
        let mut draft = Draft::new(persona);
        draft.killing = line.task == Task::KillPower;
        for said in &line.said {
            match said {
                Said::Section(name) => draft.take_section(name, &read_conf()?)?,
                Said::Alone(name) => draft.name = Some(name.clone()),
                Said::Option(name, value) => {
                    if let Err(text) = draft.take(name, value.as_deref()) {
                        draft.fault(name, text);
                    }
                }
                Said::Interval(text) => {
                    if let Err(text) = draft.take_interval(text) {
                        draft.fault("pollinterval", text);
                    }
                }
            }
            if let Some(wrong) = draft.findings.iter().find(|finding| finding.weight == Weight::Wrong) {
                return Err(wrong.to_string());
            }
        }
        draft.finish(line)
    }

    /// Everything but what a running driver can take anew.
    pub fn what_needs_a_restart(&self) -> String {
        let rest = Config {
            options: Options::default(),
            allow_killpower: false,
            published: vec![],
            remarks: vec![],
            ..self.clone()
        };
        format!("{rest:?}")
    }
}

/// Everything that a driver would say of a section of `ups.conf`, and of what stands before the first.
/// It is what [`Config::new`] goes by.
pub fn check_section(persona: &'static Persona, conf: &UpsConf, name: &str) -> Vec<Finding> {
    let mut draft = Draft::new(persona);
    let begins = conf.section(name).map(|section| section.line);
    let read = draft.take_section(name, conf);
    let mut findings = std::mem::take(&mut draft.findings);
    let mut ended: Vec<Wrong> = read.err().into_iter().collect();
    if ended.is_empty() {
        // each by itself, so that the first hides no other
        ended.extend(draft.wrong_delays().into_iter().map(|(_, wrong)| wrong));
        let finished = draft.finish(&CommandLine::default()).err();
        ended.extend(finished.filter(|text| !ended.contains(text)));
    }
    let settings = || conf.section(name).into_iter().flat_map(|section| section.settings.iter().rev());
    // a sentence about an option begins with its name
    let line =
        |text: &str| settings().find(|setting| text.starts_with(&setting.name)).map(|setting| setting.line);
    findings.extend(ended.into_iter().map(|text| Finding::wrong(line(&text).or(begins), text)));
    findings
}

/// What every driver would say of what stands before the first section.
pub fn check_globals(conf: &UpsConf) -> Vec<Finding> {
    let mut draft = Draft::new(&crate::persona::NUTDRV_QX);
    draft.take_globals(conf);
    draft.findings
}

impl Draft {
    fn new(persona: &'static Persona) -> Draft {
        let options =
            Options { dialects: persona.dialects, one_pack: persona.whole_battery, ..Options::default() };
        let mut usb = UsbOptions::default();
        usb.devices = persona.devices;
        Draft {
            persona,
            name: None,
            port: None,
            cable_power: CablePower::default(),
            lock: true,
            usb,
            on_usb: persona.line == Line::Usb,
            options,
            allow_killpower: false,
            user: None,
            group: None,
            chroot: None,
            state: None,
            debug_min: 0,
            synchronous: "auto",
            killing: false,
            unreadable: false,
            published: vec![],
            line: None,
            findings: vec![],
        }
    }

    /// Something for the log.
    fn remark(&mut self, text: String) {
        self.findings.push(Finding { line: self.line, weight: Weight::Remark, text });
    }

    fn publish(&mut self, kind: &str, name: &str, value: &str) {
        let name = format!("driver.{kind}.{name}");
        self.published.retain(|(known, _)| *known != name);
        self.published.push((name, value.to_string()));
    }

    /// Where the UPS is, as far as this driver can go there.
    fn address(&mut self, port: &str) -> Result<Address, Wrong> {
        let address = Address::parse(port).map_err(|bad| bad.to_string())?;
        if self.on_usb && !matches!(address, Address::Replay { .. }) {
            return Ok(Address::Usb(Box::new(self.usb_options()?)));
        }
        match address {
            Address::Usb(_) if self.persona.line == Line::Serial => Err(format!(
                "port = {port}: {} is for serial lines; write a path such as /dev/ttyS0, or driver = nutdrv_qx for USB",
                self.persona.name
            )),
            Address::Usb(_) => Ok(Address::Usb(Box::new(self.usb_options()?))),
            address => Ok(address),
        }
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
        let address = self.address(&port)?;
        self.check_unreadable(&address)?;
        for (option, wrong) in self.wrong_delays() {
            if !self.killing {
                return Err(wrong);
            }
            self.fault(option, wrong);
        }
        self.publish("parameter", "port", &port);
        self.publish("parameter", "pollinterval", &self.options.pollinterval.as_secs().to_string());
        if self.persona.full_polls {
            self.publish("parameter", "pollfreq", &self.options.pollfreq.as_secs().to_string());
        }
        self.options.pollfreq = self.options.pollfreq.max(self.options.pollinterval);
        self.publish("parameter", "synchronous", self.synchronous);
        let user = line.user.clone().or(self.user);
        let group = line.group.clone().or(self.group);
        // another user than upsd's: the group lets it in
        let group = group.or_else(|| user.as_ref().filter(|user| *user != USER).map(|_| GROUP.into()));
        Ok(Config {
            name,
            opening: Opening { address, cable_power: self.cable_power, lock: self.lock },
            options: self.options,
            allow_killpower: self.allow_killpower,
            user_was_named: user.is_some(),
            user: user.unwrap_or_else(|| USER.into()),
            group,
            chroot: line.chroot.clone().or(self.chroot),
            state: self.state,
            debug_min: self.debug_min,
            published: self.published,
            remarks: self.findings.iter().map(Finding::to_string).collect(),
        })
    }
}

fn whole_seconds(name: &str, text: &str) -> Result<Duration, Wrong> {
    let seconds = text.trim().parse::<u32>().ok().filter(|seconds| *seconds > 0);
    let wrong = || format!("{name} = {text}: write whole seconds, 1 or more");
    seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or_else(wrong)
}
