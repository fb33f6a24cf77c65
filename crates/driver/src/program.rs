//! From the command line to a running driver.

use crate::command_line::{CommandLine, Ground, Task};
use crate::config::{Paths, ProcessConfig};
use crate::handover;
use crate::help;
use crate::instance::{Instance, PidFile};
use crate::once;
pub use crate::once::NOT_CONFIRMED;
use crate::process::{self, Account, Readiness, Side};
use crate::running;
use crate::signals::Signals;
use crate::supervisor::Supervisor;
use link::Address;
use nut::ups_conf::{self, UpsConf};
use station::config::{Configuration, LONGEST_CONF, Purpose, Statement};
use station::driver_kind::{DriverKind, NUTDRV_QX};
use station::log::{self, Log};
use station::outlet::{Lines, StandardStream};
use station::{Mode, NoOwner, Owner, Setup, Station};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use tokio::runtime::LocalOptions;

/// What ends a driver before its time, in one sentence.
pub(crate) type Fatal = String;

/// The whole program: the driver of NUT that it was called as, else the one that it was built as.
pub fn main(built_as: &'static str) -> ExitCode {
    crate::name_service::use_files_and_dns_if_static();
    let called = DriverKind::of_program(std::env::args_os().next().as_deref());
    let kind = called.or_else(|| DriverKind::named(built_as)).unwrap_or(&NUTDRV_QX);
    match run(kind) {
        Ok(code) => code,
        Err(sentence) => {
            log::last_words(kind.name, &sentence);
            ExitCode::FAILURE
        }
    }
}

fn run(kind: &'static DriverKind) -> Result<ExitCode, Fatal> {
    let line = CommandLine::parse(std::env::args_os().skip(1))?;
    if let Some(text) = help::text(kind, &line.task) {
        return Ok(help::shown(&text));
    }
    Lines::of(StandardStream::Output).say(&help::banner(kind));
    let paths = Paths::from_environment();
    let loaded = load(kind, &line, &paths)?;
    let paths = paths.with_statepath(loaded.process.statepath.as_ref());
    if let Task::Signal(order) = line.task {
        return running::give_order(&instance(kind, &loaded, &paths), &line, order);
    }
    if let Some(notice) = kind.notice {
        Lines::of(StandardStream::Error).say(&format!("{}: {notice}", kind.name));
    }
    let log = Log::new(debug_level(&line, &loaded.process), line.quiet);
    let supervisor = Rc::new(Supervisor::absent());
    Driver { kind, log, supervisor, loaded: RefCell::new(loaded), paths, line, port_group: false }.start()
}

/// What `-k` does, in another program: switches the load of the UPS of this name off, which `kind` drives. This process
/// becomes the driver's user by it, and joins the group of the port, as root started it at the end of a shutdown.
///
/// # Errors
/// A sentence: nothing was sent, or the UPS refused, and the load stays on.
pub fn kill_power(kind: &'static DriverKind, name: &str, paths: Paths, log: Log) -> Result<ExitCode, String> {
    let statements = vec![Statement::Section(name.into())];
    let line = CommandLine { task: Task::KillPower, statements, ..CommandLine::default() };
    let loaded = RefCell::new(load(kind, &line, &paths)?);
    let supervisor = Rc::new(Supervisor::absent());
    Driver { kind, log, supervisor, loaded, paths, line, port_group: true }.start()
}

/// As newer NUT has it: `NUT_DEBUG_LEVEL` stands in for a `-D` that was not given, and `debug_min` is the
/// least in any case.
fn debug_level(line: &CommandLine, process: &ProcessConfig) -> u8 {
    let asked = match line.debug {
        0 => std::env::var("NUT_DEBUG_LEVEL").ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        given => given,
    };
    asked.max(process.debug_min)
}

/// Everything that the command line and `ups.conf` say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loaded {
    pub configuration: Configuration,
    pub process: ProcessConfig,
}

fn load(kind: &'static DriverKind, line: &CommandLine, paths: &Paths) -> Result<Loaded, Fatal> {
    let purpose = if line.task == Task::KillPower { Purpose::KillPower } else { Purpose::Watch };
    let configuration = Configuration::read(kind, &line.statements, purpose, || read_conf(paths))?;
    let process = ProcessConfig::new(&configuration.process, line);
    Ok(Loaded { configuration, process })
}

fn read_conf(paths: &Paths) -> Result<UpsConf, Fatal> {
    let path = paths.conf.join("ups.conf");
    let text = link::read_bounded(&path, LONGEST_CONF)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(ups_conf::parse(&text))
}

fn instance(kind: &DriverKind, loaded: &Loaded, paths: &Paths) -> Instance {
    let ups = loaded.configuration.ups.name.clone();
    let name = format!("{}-{ups}", kind.name);
    let (pid_file, socket) = (paths.pid.join(format!("{name}.pid")), paths.state.join(&name));
    Instance { program: kind.name, ups, pid_file, socket }
}

/// A driver that is about to start, or runs.
pub(crate) struct Driver {
    pub kind: &'static DriverKind,
    pub line: CommandLine,
    /// What was read last, and is in use.
    pub loaded: RefCell<Loaded>,
    pub paths: Paths,
    pub log: Log,
    pub supervisor: Rc<Supervisor>,
    /// It joins the group of its port.
    pub port_group: bool,
}

impl Driver {
    fn start(mut self) -> Result<ExitCode, Fatal> {
        if self.line.task == Task::Run {
            match Supervisor::from_environment() {
                Ok(supervisor) => self.supervisor = Rc::new(supervisor),
                // it is the UPS that counts
                Err(sentence) => self.log.warning(&sentence),
            }
        }
        self.become_user()?;
        let is_watching = self.line.task == Task::Run;
        if is_watching {
            self.enter_state_directory()?;
        }
        self.loaded.borrow().configuration.hints.iter().for_each(|hint| self.log.warning(hint));
        let stays = match self.line.ground {
            Ground::Fore { .. } => true,
            Ground::Back => false,
            Ground::Default => self.line.debug > 0 || !is_watching,
        };
        let has_files = is_watching && (!stays || self.line.ground == Ground::Fore { pid_file: true });
        // two drivers on one line would take each other's replies, at -k as well
        if self.is_killing() {
            if let Some(done) = handover::kill_power(&self.instance(), &self.log) {
                return done;
            }
            Signals::hold();
        } else if is_watching {
            running::leave_to_server(&self.instance())?;
        }
        if has_files || self.is_killing() {
            running::end_others(&self.instance(), &self.log).or_else(|why| self.unless_killing(why))?;
        }
        let mut readiness = Readiness::not_awaited();
        if is_watching && !stays {
            match process::background()? {
                Side::Starter(code) => return Ok(code),
                Side::Driver(waiting) => readiness = waiting,
            }
        }
        let _pid_file = has_files.then(|| self.write_pid_file(self.instance().pid_file));
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

    fn is_killing(&self) -> bool {
        self.line.task == Task::KillPower
    }

    /// What ends any other start only costs a line of log when the load has to go off.
    fn unless_killing(&self, why: Fatal) -> Result<(), Fatal> {
        if !self.is_killing() {
            return Err(why);
        }
        self.log.warning(&why);
        Ok(())
    }

    fn become_user(&self) -> Result<(), Fatal> {
        let process = self.loaded.borrow().process.clone();
        let account = match Account::of(&process) {
            Err(why) if self.is_killing() => {
                self.log.warning(&format!("{why}; going on as root, for the load has to go off"));
                Account::unchanged()
            }
            account => account?,
        };
        if let Some(root) = &process.chroot {
            process::change_root(root)?;
        }
        let then = if self.is_killing() { "; going on, for the load has to go off" } else { "" };
        let address = &self.loaded.borrow().configuration.ups.opening.address;
        let group = match address {
            Address::Serial(port) if self.port_group => process::group_of_port(port),
            _ => None,
        };
        account.become_it_with(group).or_else(|why| self.unless_killing(format!("{why}{then}")))
    }

    fn enter_state_directory(&self) -> Result<(), Fatal> {
        let state = &self.paths.state;
        std::env::set_current_dir(state).map_err(|error| {
            let user = &self.loaded.borrow().process.user;
            let state = state.display();
            format!("cannot use the state directory {state}: {error}; create it for user '{user}'")
        })
    }

    /// A disk that is full is no reason to leave a UPS unwatched.
    fn write_pid_file(&self, path: PathBuf) -> Option<PidFile> {
        let written = PidFile::write(path.clone());
        if let Err(error) = &written {
            let (path, Instance { program, ups, .. }) = (path.display(), self.instance());
            self.log.warning(&format!(
                "cannot write {path}: {error}; going on without it: upsdrvctl does not find this driver, '{program} -a {ups} -c exit' stops it"
            ));
        }
        written.ok()
    }

    async fn drive(self, readiness: Readiness, stays: bool) -> Result<ExitCode, Fatal> {
        let alone = |mode| self.station(mode, Rc::new(NoOwner));
        match self.line.task {
            Task::KillPower => once::kill_power(&alone(Mode::KillPower), self.kind.name, &self.log).await,
            Task::Dump(polls) => once::dump(&alone(Mode::Look), polls).await,
            _ => self.watch(readiness, stays).await,
        }
    }

    pub(crate) fn station(&self, mode: Mode, owner: Rc<dyn Owner>) -> Station {
        let config = self.loaded.borrow().configuration.ups.clone();
        let folders = Some(self.paths.folders());
        Station::spawn(Setup { kind: self.kind, config, mode, folders, log: self.log.clone(), owner })
    }

    pub(crate) fn instance(&self) -> Instance {
        instance(self.kind, &self.loaded.borrow(), &self.paths)
    }

    /// Reads `ups.conf` again.
    pub(crate) fn load(&self) -> Result<Loaded, Fatal> {
        load(self.kind, &self.line, &self.paths)
    }
}
