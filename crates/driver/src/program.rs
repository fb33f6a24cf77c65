//! From the command line to a running driver.

use crate::advice;
use crate::command_line::{CommandLine, Ground, LETTERS, Order, Task};
use crate::config::{Config, LONGEST_CONF, Paths};
use crate::instance::{Instance, PidFile};
use crate::log::{self, Log};
use crate::memory::Memory;
use crate::outlet::{self, Lines, Which};
use crate::own;
use crate::persona::{NUTDRV_QX, Persona};
use crate::process::{self, Account, Ended, Readiness, Side};
use crate::reload;
use crate::resident;
use crate::session::{Session, Shared, Wishes};
use crate::signals::{Signals, Told};
use crate::socket::DriverSocket;
use crate::supervisor::Supervisor;
use link::{Address, Kind, Link, Surely};
use nix::sys::signal::Signal;
use nut::ups_conf::{self, UpsConf};
use qx::device::{Device, Event, Moment, Outcome};
use qx::known::Known;
use qx::option::{self, OptionRow, Options};
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::LocalOptions;

/// So many requests may wait between a client and the device.
const WISHES: usize = 32;

/// A UPS that was not found after so long does not keep the system from booting: the supervisor is told
/// that the driver is ready, and clients find its socket when the UPS is found.
const BOOT_WAITS: Duration = Duration::from_secs(15);
/// `-d` waits for the rest of what a slow UPS says for so long.
const DUMP_WAITS: Duration = Duration::from_secs(60);

/// A driver that leaves gives its clients so long to hear what came of what it did last.
const LAST_ANSWERS: Duration = Duration::from_millis(100);

/// The exit code of `-k` when an order was sent, and nobody saw whether the UPS obeys: not 0, which says that
/// it was told, nor 1, which says that the load stays on.
pub const NOT_CONFIRMED: u8 = 2;

/// What ends a driver before its time, in one sentence.
type Fatal = String;

/// The whole program: the driver of NUT that it was called as, else the one that it was built as.
pub fn main(built_as: &'static str) -> ExitCode {
    let called = Persona::of_program(std::env::args_os().next().as_deref());
    let persona = called.or_else(|| Persona::named(built_as)).unwrap_or(&NUTDRV_QX);
    match run(persona) {
        Ok(code) => code,
        Err(sentence) => {
            log::last_words(persona.name, &sentence);
            ExitCode::FAILURE
        }
    }
}

fn run(persona: &'static Persona) -> Result<ExitCode, Fatal> {
    let program = persona.name;
    let line = CommandLine::parse(std::env::args_os().skip(1))?;
    let banner = format!("qxups {} - {program}, a drop-in for Network UPS Tools", env!("CARGO_PKG_VERSION"));
    match line.task {
        Task::Version => return Ok(shown(&format!("{banner}\n"))),
        Task::Help => return Ok(shown(&format!("{banner}\n{}", help(persona)))),
        Task::ListOptions => {
            let kind = |row: &OptionRow| if row.kind == option::Kind::Flag { "FLAG" } else { "VALUE" };
            let rows = persona.all_options();
            let rows = rows.map(|row| format!("{} {} \"{}\"\n", kind(row), row.name, row.about));
            return Ok(shown(&format!("{banner}\n{}", rows.collect::<String>())));
        }
        _ => Lines::of(Which::Output).say(&banner),
    }
    let paths = Paths::from_environment();
    let config = Config::new(persona, &line, || read_conf(&paths))?;
    let paths = paths.with_statepath(config.state.as_ref());
    if let Task::Signal(order) = line.task {
        return give_order(program, &config, &paths, &line, order);
    }
    if let Some(notice) = persona.notice {
        Lines::of(Which::Error).say(&format!("{program}: {notice}"));
    }
    let driver = Driver {
        program,
        persona,
        log: Rc::new(Log::new(debug_level(&line, &config), line.quiet)),
        supervisor: Rc::new(Supervisor::nobody()),
        config,
        paths,
        line,
        reloaded: RefCell::new(None),
    };
    driver.start()
}

/// As newer NUT has it: `NUT_DEBUG_LEVEL` stands in for a `-D` that was not given, and `debug_min` is the
/// least in any case.
fn debug_level(line: &CommandLine, config: &Config) -> u8 {
    let asked = match line.debug {
        0 => std::env::var("NUT_DEBUG_LEVEL").ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        given => given,
    };
    asked.max(config.debug_min)
}

fn read_conf(paths: &Paths) -> Result<UpsConf, Fatal> {
    let path = paths.conf.join("ups.conf");
    let text = link::read_bounded(&path, LONGEST_CONF)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(ups_conf::parse(&text))
}

fn give_order(
    program: &'static str,
    config: &Config,
    paths: &Paths,
    line: &CommandLine,
    order: Order,
) -> Result<ExitCode, Fatal> {
    let instance = instance(program, config, paths);
    if order == Order::Exit && line.pid.is_none() {
        return match process::end(&instance)? {
            Ended::Left => Ok(ExitCode::SUCCESS),
            Ended::Killed(why) => {
                log::last_words(program, &why);
                Ok(ExitCode::SUCCESS)
            }
            Ended::Stays(why) => Err(why),
            Ended::Nobody => Err(format!("no driver runs for '{}'", config.name)),
        };
    }
    let pid = match line.pid {
        Some(number) => nix::unistd::Pid::from_raw(number),
        None => instance.running().ok_or_else(|| format!("no driver runs for '{}'", config.name))?,
    };
    let meant = match order {
        Order::Exit => Signal::SIGTERM,
        Order::Reload => Signal::SIGHUP,
        Order::ReloadOrExit => Signal::SIGUSR1,
    };
    process::signal(pid, meant).map(|()| ExitCode::SUCCESS)
}

fn instance(program: &'static str, config: &Config, paths: &Paths) -> Instance {
    let name = format!("{program}-{}", config.name);
    let (pid_file, socket) = (paths.pid.join(format!("{name}.pid")), paths.state.join(&name));
    Instance { program, ups: config.name.clone(), pid_file, socket }
}

/// A driver that is about to start.
struct Driver {
    program: &'static str,
    persona: &'static Persona,
    line: CommandLine,
    config: Config,
    paths: Paths,
    log: Rc<Log>,
    /// What ups.conf said when it was read again.
    reloaded: RefCell<Option<Config>>,
    supervisor: Rc<Supervisor>,
}

impl Driver {
    fn start(mut self) -> Result<ExitCode, Fatal> {
        let killing = self.line.task == Task::KillPower;
        let account = match Account::of(&self.config) {
            Err(why) if killing => {
                self.log.warning(&format!("{why}; going on as root, for the load has to go off"));
                Account::unchanged()
            }
            account => account?,
        };
        if self.line.task == Task::Run {
            match Supervisor::from_environment() {
                Ok(supervisor) => self.supervisor = Rc::new(supervisor),
                // it is the UPS that counts
                Err(sentence) => self.log.warning(&sentence),
            }
        }
        if let Some(root) = &self.config.chroot {
            process::change_root(root)?;
        }
        match account.become_it() {
            Err(why) if killing => self.log.warning(&format!("{why}; going on, for the load has to go off")),
            became => became?,
        }
        let watching = self.line.task == Task::Run;
        if watching {
            let state = &self.paths.state;
            std::env::set_current_dir(state).map_err(|error| {
                format!(
                    "cannot use the state directory {}: {error}; create it for user '{}'",
                    state.display(),
                    self.config.user
                )
            })?;
        }
        for remark in &self.config.remarks {
            self.log.warning(remark);
        }
        let stays = match self.line.ground {
            Ground::Fore { .. } => true,
            Ground::Back => false,
            Ground::Default => self.line.debug > 0 || !watching,
        };
        let files = watching && (!stays || self.line.ground == Ground::Fore { pid_file: true });
        let instance = instance(self.program, &self.config, &self.paths);
        // two drivers on one line would take each other's replies, at -k as well
        let alone = files || self.line.task == Task::KillPower;
        match if alone { self.end_others(&instance) } else { Ok(()) } {
            Err(why) if killing => self.log.warning(&why),
            ended => ended?,
        }
        let mut readiness = Readiness::nobody_waits();
        if watching && !stays {
            match process::background()? {
                Side::Starter(code) => return Ok(code),
                Side::Driver(waiting) => readiness = waiting,
            }
        }
        let _pid_file = if files { self.write_pid_file(instance.pid_file) } else { None };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
        let supervisor = self.supervisor.clone();
        // a task: each wake of what is blocked on goes through the system, that of a task does not
        let driving = async { tokio::task::spawn_local(self.drive(readiness, stays)).await };
        let done = match runtime.block_on(driving) {
            Ok(done) => done,
            Err(error) => Err(format!("cannot go on: {error}")),
        };
        if let Err(sentence) = &done {
            supervisor.status(sentence);
        }
        supervisor.stopping();
        done
    }

    /// Ends the instances that run already: that of the socket, and that of the PID file.
    fn end_others(&self, instance: &Instance) -> Result<(), Fatal> {
        if let Some(stranger) = instance.stranger() {
            let (file, ups) = (instance.pid_file.display(), &instance.ups);
            self.log.warning(&format!(
                "{file} names process {stranger}, which is not the driver of [{ups}]: it is left alone"
            ));
        }
        for _ in 0..2 {
            match process::end(instance)? {
                Ended::Nobody => break,
                Ended::Left => {
                    self.log.warning("another instance of this driver was running: it was told to leave");
                }
                Ended::Killed(why) => self.log.warning(&format!("{why}; going on alone")),
                Ended::Stays(why) => {
                    self.log.warning(&format!("{why}; going on alone, beside it"));
                    break;
                }
            }
        }
        Ok(())
    }

    /// A disk that is full is no reason to leave a UPS unwatched.
    fn write_pid_file(&self, path: PathBuf) -> Option<PidFile> {
        let written = PidFile::write(path.clone());
        if let Err(error) = &written {
            let (path, program, ups) = (path.display(), self.program, &self.config.name);
            self.log.warning(&format!(
                "cannot write {path}: {error}; going on without it: upsdrvctl does not find this driver, '{program} -a {ups} -c exit' stops it"
            ));
        }
        written.ok()
    }

    async fn drive(self, readiness: Readiness, stays: bool) -> Result<ExitCode, Fatal> {
        let mut opening = self.config.opening.clone();
        // at -k somebody else may hold the lock, and the load has to go off all the same
        let killing = self.line.task == Task::KillPower;
        opening.lock &= !killing;
        let usb_memory = Memory::of_usb(&self.paths.state, &self.config.name);
        if let (Address::Usb(options), true) = (&mut opening.address, killing) {
            options.surely = Some(Surely { last: usb_memory.as_ref().and_then(Memory::read) });
        }
        let link = match Link::open(&opening).await {
            Ok(link) => Ok(link),
            // it may be a blink of the line, and the load has to go off all the same
            Err(error) if killing && error.kind != Kind::Unsuitable => Err(error),
            Err(error) if killing => return Err(format!("{error}; nothing was sent, and the load stays on")),
            Err(error) => return Err(error.to_string()),
        };
        if let Some(remark) = link.as_ref().ok().and_then(Link::remark) {
            self.log.debug(1, || remark.to_string());
        }
        if let Some(advice) = link.as_ref().ok().and_then(Link::advice) {
            self.log.warning(advice);
        }
        let memory = Memory::of(&self.config.name);
        let remembered = memory.as_ref().and_then(Memory::read);
        let known = Memory::of_dialect(&self.config.name);
        // nobody is switched off on a guess
        let is_certain = |text: &String| {
            self.line.task != Task::KillPower || Known::parse(text).is_some_and(|known| known.is_enough())
        };
        let dialect_memory = known.as_ref().and_then(Memory::read).filter(is_certain);
        let first_dialect = link.as_ref().ok().and_then(Link::dialect);
        let reset = Memory::of_reset(&self.config.name).filter(|_| self.line.task == Task::Run);
        let reset_memory = self.reset_memory(reset.as_ref());
        let options = self.config.options.clone();
        let options =
            Options { battery_memory: remembered, dialect_memory, first_dialect, reset_memory, ..options };
        let device: Shared = Rc::new(RefCell::new(Device::new(options)));
        let usb = link.as_ref().ok().and_then(Link::usb_device).cloned();
        if let Some(usb) = &usb {
            let mut device = device.borrow_mut();
            device.store_mut().set("ups.vendorid", format!("{:04x}", usb.vendor_id));
            device.store_mut().set("ups.productid", format!("{:04x}", usb.product_id));
        }
        let (sender, wishes) = Wishes::new(device.clone(), WISHES);
        let (here, log) = (device.clone(), self.log.clone());
        let mut session = match link {
            Ok(link) => Session::new(here, opening, link, wishes, log),
            Err(error) => Session::unopened(here, opening, &error, wishes, log),
        };
        if let Some(memory) = memory.filter(|_| self.line.task == Task::Run) {
            session.remember_in(memory);
        }
        if let Some(known) = known.filter(|_| self.line.task == Task::Run) {
            session.remember_dialect_in(known);
        }
        if let Some(reset) = reset {
            session.remember_reset_in(reset);
        }
        if let Some(usb) = usb_memory.filter(|_| self.line.task == Task::Run) {
            session.remember_usb_in(usb);
        }
        let advice = match usb {
            Some(usb) => advice::on_usb(self.program, &usb),
            None => advice::at(self.program, &self.config.opening.address),
        };
        match self.line.task {
            Task::KillPower => self.kill_power(&mut session, &device).await,
            Task::Dump(polls) => self.dump(&mut session, &device, polls).await,
            _ => self.watch(session, device, advice, sender, readiness, stays).await,
        }
    }

    /// To which UPS `reset_to_default` was written before. Whoever takes it out of the configuration may want
    /// it again.
    fn reset_memory(&self, memory: Option<&Memory>) -> Option<String> {
        let memory = memory?;
        if self.config.options.has(option::Flag::ResetToDefault) {
            return memory.read();
        }
        if let Err(error) = memory.forget() {
            let path = memory.path().display();
            self.log.warning(&format!(
                "{path} says that reset_to_default was done, and cannot be removed ({error}): remove it by hand, or it is not done again when it stands in ups.conf again"
            ));
        }
        None
    }

    /// Until everything was asked once, or nothing was found. What was found and cannot be read is stale: then
    /// it is false, and there is no data.
    async fn find(&self, session: &mut Session) -> Result<bool, Fatal> {
        let enough = |event: &Event| matches!(event, Event::Ready | Event::Stale | Event::NotFound(_));
        match session.run_until(enough).await {
            Event::NotFound(why) => Err(format!("{}: {why}", self.config.opening.address)),
            event => Ok(event == Event::Ready),
        }
    }

    /// The lines of `ups.conf` that spare looking for the UPS, when it was looked for.
    fn advise(&self, device: &Shared, mut lines: Vec<advice::Line>) {
        let device = device.borrow();
        let Some(protocol) = device.protocol().filter(|_| device.is_new()) else { return };
        lines.push(("protocol", protocol.name.into()));
        self.log.info("these lines of ups.conf spare looking for it (others that stand there may stay):");
        self.log.info(&format!("[{}]", self.config.name));
        lines.iter().for_each(|line| self.log.info(&advice::written(line)));
    }

    async fn watch(
        &self,
        mut session: Session,
        device: Shared,
        advice: Vec<advice::Line>,
        wishes: Wishes,
        mut readiness: Readiness,
        stays: bool,
    ) -> Result<ExitCode, Fatal> {
        let mut signals = Signals::new()?;
        session.supervised_by(self.supervisor.clone());
        self.supervisor.status(&format!("looking for the UPS on {}", self.config.opening.address));
        let patience = async {
            tokio::time::sleep(BOOT_WAITS).await;
            self.supervisor.ready();
            std::future::pending().await
        };
        tokio::select! {
            found = self.find(&mut session) => drop(found?),
            name = signals.leave() => return Err(format!("told to leave by {name} before the UPS was found")),
            () = patience => {}
        }
        self.advise(&device, advice);
        self.check_ignorelb(&device)?;
        self.describe(&device);
        let path = instance(self.program, &self.config, &self.paths).socket;
        let (known, look) = (device.clone(), wishes.clone());
        let socket = DriverSocket::open(&path, device, wishes, self.log.clone())
            .map_err(|error| format!("cannot open the socket {}: {error}", path.display()))?;
        if let Some(group) = &self.config.group
            && let Err(sentence) = process::give_to_group(&path, group)
        {
            self.log.warning(&sentence);
        }
        session.publish_to(Box::new(socket.publisher()));
        readiness.ready();
        self.supervisor.ready();
        if !stays {
            self.log.use_system_log();
        }
        self.log.info(&format!("watching {} on {}", self.config.name, self.config.opening.address));
        tokio::task::spawn_local(async {
            tokio::time::sleep(resident::AFTER).await;
            resident::give_back();
        });
        // pinned outside of the loop: a signal must not cut an exchange short
        let clock = session.clock();
        let mut told = signals.tell();
        let leaving = Cell::new(false);
        let is_busy = |device: &Shared| device.borrow().kills_power() || device.borrow().has_news();
        let watching = session.run_until(|_| leaving.get() && !is_busy(&known));
        tokio::pin!(watching);
        loop {
            let told = tokio::select! {
                _ = &mut watching => break,
                Some(told) = told.recv() => told,
            };
            match self.leaves(told, &known, clock.now()) {
                None => {}
                // a supervisor may say so again and again; who sits at a terminal means it
                Some(signal) if leaving.get() && matches!(signal, "SIGINT" | "SIGQUIT") => {
                    known.borrow_mut().stop_killing_power(&format!("told to leave by {signal} once more"));
                    look.look();
                }
                Some(_) if leaving.get() => {}
                // nobody else would do it
                Some(_) if is_busy(&known) => {
                    leaving.set(true);
                    if known.borrow().kills_power() {
                        self.log.warning("the load is being switched off: leaving when that is done");
                    }
                    look.look();
                }
                Some(_) => break,
            }
        }
        self.remember(&known);
        if leaving.get() {
            // whoever asked for it hears what came of it
            tokio::time::sleep(LAST_ANSWERS).await;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Does what a signal asks for; if that is to leave, it is the name of the signal.
    fn leaves(&self, told: Told, device: &Shared, now: Moment) -> Option<&'static str> {
        match told {
            Told::Leave(name) => {
                self.log.info(&format!("told to leave by {name}"));
                Some(name)
            }
            Told::Reload { or_exit } => {
                let needs_restart = self.reload(device, now);
                resident::give_back();
                Some("SIGUSR1").filter(|_| needs_restart && or_exit)
            }
        }
    }

    /// Reads ups.conf again and takes what can change while the driver runs. True when something else
    /// changed, which needs a restart; says so in the log.
    fn reload(&self, device: &Shared, now: Moment) -> bool {
        self.supervisor.reloading();
        let read = Config::new(self.persona, &self.line, || read_conf(&self.paths));
        self.supervisor.ready();
        let read = match read {
            Ok(read) => read,
            Err(sentence) => {
                self.log.warning(&format!("reload: {sentence}; going on as before"));
                return false;
            }
        };
        let mut current = self.reloaded.borrow_mut();
        let before = current.as_ref().unwrap_or(&self.config);
        if format!("{read:?}") == format!("{before:?}") {
            self.log.info("reload: nothing changed in ups.conf");
            return false;
        }
        if let Err(sentence) = reload::check(before, &read, device.borrow().store()) {
            self.log.warning(&format!("reload: {sentence}; going on as before"));
            return false;
        }
        let fixed = read.what_needs_a_restart() != before.what_needs_a_restart();
        if fixed || !device.borrow_mut().reconfigure(read.options.clone(), now) {
            self.log.warning("reload: ups.conf changed; restart this driver to use it");
            return true;
        }
        let ignorelb = read.options.ignorelb;
        let has = |name: &str| device.borrow().store().text(name).is_some();
        if let Err(sentence) = reload::check_ignorelb(ignorelb, has) {
            // what was estimated by the help of the old options is gone with them
            device.borrow_mut().reconfigure(before.options.clone(), now);
            self.log.warning(&format!("reload: {sentence}; going on as before"));
            return false;
        }
        let mut device = device.borrow_mut();
        let gone =
            before.published.iter().filter(|(name, _)| read.published.iter().all(|(new, _)| new != name));
        gone.for_each(|(name, _)| device.store_mut().remove(name));
        for (name, value) in &read.published {
            device.store_mut().set(name.clone(), value.clone());
        }
        own::offer(&mut device, read.allow_killpower);
        self.log.info("reload: ups.conf changed, and is in use now");
        *current = Some(read);
        false
    }

    /// The last that was learned of the battery.
    fn remember(&self, device: &Shared) {
        let memory = Memory::of(&self.config.name).zip(device.borrow_mut().battery_memory());
        if let Some(Err(error)) = memory.map(|(memory, text)| memory.write(&text)) {
            self.log.warning(&format!("battery: what was learned cannot be kept: {error}"));
        }
    }

    fn check_ignorelb(&self, device: &Shared) -> Result<(), Fatal> {
        let device = device.borrow();
        reload::check_ignorelb(self.config.options.ignorelb, |name| device.store().text(name).is_some())
    }

    /// Publishes what the driver knows of itself.
    fn describe(&self, device: &Shared) {
        let mut device = device.borrow_mut();
        let protocol = device.protocol().map_or("none", |protocol| protocol.name);
        let store = device.store_mut();
        store.set("device.type", "ups");
        store.set("driver.name", self.program);
        store.set("driver.version", env!("CARGO_PKG_VERSION"));
        store.set("driver.version.internal", concat!("qxups ", env!("CARGO_PKG_VERSION")));
        store.set("driver.version.data", protocol);
        own::offer(&mut device, self.config.allow_killpower);
        let store = device.store_mut();
        for (name, value) in &self.config.published {
            store.set(name.clone(), value.clone());
        }
    }

    /// `-d`: prints the data after so many polls.
    async fn dump(&self, session: &mut Session, device: &Shared, polls: u32) -> Result<ExitCode, Fatal> {
        if !self.find(session).await? {
            let dialect = device.borrow().protocol().map_or("one of the known dialects", |found| found.name);
            return Err(format!(
                "{}: a UPS that speaks {dialect} is there, but says nothing that can be published; -DDD shows every exchange",
                self.config.opening.address
            ));
        }
        // of a slow UPS data is there before all was asked
        if !device.borrow().is_surveyed() {
            let whole = session.run_until(|_| device.borrow().is_surveyed());
            let _ = tokio::time::timeout(DUMP_WAITS, whole).await;
        }
        self.check_ignorelb(device)?;
        self.describe(device);
        let enough = self.config.options.pollinterval * (polls - 1);
        // a UPS that falls silent meanwhile keeps what it said
        let _ = tokio::time::timeout(enough, session.run_until(|_| false)).await;
        let device = device.borrow();
        let lines = device.store().entries().map(|(name, entry)| format!("{name}: {}\n", entry.text));
        Ok(shown(&lines.collect::<String>()))
    }

    /// `-k`: stops a shutdown that is pending, then switches the load off.
    async fn kill_power(&self, session: &mut Session, device: &Shared) -> Result<ExitCode, Fatal> {
        self.log.info("switching the load off");
        device.borrow_mut().kill_power(0);
        match session.run_until(|event| matches!(event, Event::Answered(..))).await {
            Event::Answered(_, Outcome::Done) => {
                self.log.info("the UPS was told to switch the load off");
                Ok(ExitCode::SUCCESS)
            }
            Event::Answered(_, Outcome::NotConfirmed(why)) => {
                log::last_words(self.program, &why);
                Ok(ExitCode::from(NOT_CONFIRMED))
            }
            Event::Answered(_, Outcome::Failed(why)) => Err(match session.never_open() {
                Some(error) => format!(
                    "the port could not be opened, so nothing was sent and the load stays on: {error}"
                ),
                None => why,
            }),
            _ => Err("the UPS was not told to switch the load off".into()),
        }
    }
}

/// Prints what was asked for: 1 when nobody reads it.
fn shown(text: &str) -> ExitCode {
    outlet::print(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn help(persona: &Persona) -> String {
    let mut text = format!("\nusage: {} (-a NAME | -s NAME) [options]\n\n", persona.name);
    for row in LETTERS {
        let name = format!("-{} {}", row.letter, row.value.unwrap_or_default());
        text += &format!("  {name:<14} {}\n", row.about);
    }
    text += "\nOptions for -x and ups.conf:\n\n";
    for row in persona.all_options() {
        let name = if row.kind == option::Kind::Value {
            format!("{}=VALUE", row.name)
        } else {
            row.name.to_string()
        };
        text += &format!("  {name:<36} {}\n", row.about);
    }
    text
}
