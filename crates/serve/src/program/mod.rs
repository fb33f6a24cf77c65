//! From the command line to a running server, as upsd does it (NUT 2.8.0 server/upsd.c): listen, become the server's
//! user, read what there is, go to the background, serve.

mod command_line;
mod control;
mod files;
mod reload;
mod running;

use crate::chronicle;
use crate::descriptions::Descriptions;
use crate::encryption::{self, Encryption};
use crate::extras::{Extras, WebOptions};
use crate::fleet::{CheckedConf, Fleet, Surroundings};
use crate::listener::{self, Listeners, Opened};
use crate::mqtt::MqttOutput;
use crate::notices::NoticeDesk;
use crate::pages::Pages;
use crate::protect::ProtectDesk;
use crate::server::Server;
use crate::settings::Settings;
use crate::snmp::SnmpAgents;
use crate::tracking::SystemRandom;
pub use command_line::{CommandLine, ControlCommand, Ground, Task};
use control::ControlSocket;
use driver::config::{Paths, ProcessConfig, USER};
use driver::instance::PidFile;
use driver::process::{self, Account, Readiness, Side};
use driver::resident;
use driver::signals::{SignalEvent, Signals};
use driver::supervisor::Supervisor;
pub use files::Where;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nut::ups_conf::UpsConf;
use nut::upsd_conf::{Listen, UpsdConf};
use nut::upsd_users::UpsdUsers;
use qx::device::Outcome;
use reload::Reloading;
use station::log::{self, Log};
use station::outlet::{self, Lines, StandardStream};
use station::{Owner, Reload, ReloadAnswer};
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::LocalOptions;
use tokio::sync::{mpsc, oneshot};

/// Where NUT's packages put `cmdvartab`.
const DATAPATH: &str = "/usr/share/nut";
/// The name of the program, of its PID file and in its messages.
const PROGRAM: &str = "upsd";

/// A supervisor whose queue is full is told again after so long.
const AGAIN: Duration = Duration::from_millis(100);

/// How often pages of the program are given back that history and pages needed for a moment: a commit is once a minute.
const RESTS: Duration = Duration::from_secs(15);

/// So many requests may wait; further ones of a kind that has no answer are the same.
const REQUESTS: usize = 8;

/// What a server is to do.
pub(crate) enum ProgramRequest {
    /// To exit, on this signal.
    Exit(&'static str),
    /// To read its configuration again, and to say what came of it.
    Reload(Option<oneshot::Sender<Result<String, Fatal>>>),
    /// To list rules and timers of notifications.
    Timers(oneshot::Sender<String>),
    /// To say what would happen if mains failed now.
    Plan(oneshot::Sender<String>),
}

/// The server, as its stations know it: a client may ask for a reload by `driver.reload`.
struct Asked(mpsc::Sender<ProgramRequest>);

impl Owner for Asked {
    fn can_reload(&self) -> bool {
        true
    }

    fn reload(&self, _: Reload, answer: ReloadAnswer) {
        let (sender, came) = oneshot::channel();
        if self.0.try_send(ProgramRequest::Reload(Some(sender))).is_err() {
            return answer(Outcome::Failed("too many reloads wait already; ask again later".into()));
        }
        tokio::task::spawn_local(async {
            answer(match came.await {
                Ok(Ok(_)) => Outcome::Done,
                Ok(Err(why)) => Outcome::Failed(format!("{why}; going on as before")),
                Err(_) => Outcome::Failed("the server ends".into()),
            });
        });
    }
}

/// An order that is under way when the server is to exit takes no longer (process.rs of the driver has the same).
const FINISHES: Duration = Duration::from_secs(65);
/// A reload waits for orders that are under way, for so long.
const ORDERS_END: Duration = Duration::from_secs(15);
/// How often is looked whether it is done.
const LOOKS: Duration = Duration::from_millis(50);
/// Then clients hear of it for so long.
const LAST_ANSWERS: Duration = Duration::from_millis(100);

/// What ends a server before its time, in one sentence.
type Fatal = String;

/// A server as it is to run.
#[derive(Clone, Debug)]
pub struct ServerPlan {
    /// What was said.
    pub line: CommandLine,
    /// Where its configuration is.
    pub from: Where,
    /// Where to listen in place of what `upsd.conf` says.
    pub listen: Option<Vec<Listen>>,
    /// Where its state is, in place of what files and environment say.
    pub state: Option<PathBuf>,
}

/// The whole program, called as upsd.
pub fn main() -> ExitCode {
    end(PROGRAM, CommandLine::parse(std::env::args_os().skip(1)).and_then(called_as_upsd))
}

/// Runs a server until it is stopped, and says why it ends before its time.
pub fn run(plan: ServerPlan) -> ExitCode {
    end("qxups", start(plan, &Paths::from_environment()))
}

/// Has a running server read its configuration again: what came of it. `place` is its PID file, or the folder of that.
///
/// # Errors
/// Why it goes on as before, or that none runs.
pub fn reload(place: Option<&Path>) -> Result<String, String> {
    running::reload(&pid_file_of(place))
}

fn pid_file_of(place: Option<&Path>) -> PathBuf {
    match place {
        Some(folder) if folder.is_dir() => folder.join(format!("{PROGRAM}.pid")),
        Some(file) => file.to_path_buf(),
        None => pid_path(&Paths::from_environment()),
    }
}

/// What the notifications of a running server do: rules, timers, and what waits for outputs. `place` is as in [`reload`].
///
/// # Errors
/// That none runs, or that it is not heard.
pub fn timers(place: Option<&Path>) -> Result<String, String> {
    running::timers(&pid_file_of(place))
}

/// What would happen to the hosts that a running server protects, if mains failed now. `place` is as in [`reload`].
///
/// # Errors
/// That none runs, or that it is not heard.
pub fn outage_plan(place: Option<&Path>) -> Result<String, String> {
    running::plan(&pid_file_of(place))
}

fn end(program: &str, done: Result<ExitCode, Fatal>) -> ExitCode {
    done.unwrap_or_else(|sentence| {
        log::last_words(program, &sentence);
        ExitCode::FAILURE
    })
}

/// What -V prints, and what stands above the help.
fn banner() -> String {
    format!("Network UPS Tools upsd 2.8.0 - qxups {}, which stands in for it\n", env!("CARGO_PKG_VERSION"))
}

fn called_as_upsd(line: CommandLine) -> Result<ExitCode, Fatal> {
    let shown = |text: &str| outlet::print(text).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    let paths = Paths::from_environment();
    match line.task {
        Task::Version => Ok(shown(&banner())),
        Task::Help => Ok(shown(&format!("{}\n{}", banner(), command_line::HELP))),
        Task::Signal(order) => running::give_order(&pid_path(&paths), line.pid, order),
        Task::Run => {
            Lines::of(StandardStream::Output).say(banner().trim_end());
            let from = Where::Upsd(paths.conf.clone());
            start(ServerPlan { line, from, listen: None, state: None }, &paths)
        }
    }
}

fn pid_path(paths: &Paths) -> PathBuf {
    paths.pid.join(format!("{PROGRAM}.pid"))
}

/// What was read and checked before the server goes to the background.
struct Prepared {
    plan: ServerPlan,
    paths: Paths,
    log: Log,
    supervisor: Supervisor,
    settings: Settings,
    descriptions: Descriptions,
    users: UpsdUsers,
    extras: Extras,
    fleet: Fleet,
    checked: CheckedConf,
    opened: Opened,
    random: Rc<SystemRandom>,
    tls: Encryption,
    requests: (mpsc::Sender<ProgramRequest>, mpsc::Receiver<ProgramRequest>),
}

fn start(mut plan: ServerPlan, paths: &Paths) -> Result<ExitCode, Fatal> {
    // a server with a place of its own leaves nothing elsewhere
    let pid_file = match &plan.state {
        Some(state) => state.join(format!("{PROGRAM}.pid")),
        None => pid_path(paths),
    };
    if let Some(pid) = running::found(&pid_file) {
        return Err(format!(
            "another server runs already as process {pid}: stop it first (systemctl stop qxups-serve, upsd -c stop, or kill {pid}), or have it read its files again (qxups reload); one beside it needs a folder of its own in NUT_STATEPATH"
        ));
    }
    // in its own environment: a root of its own may have no users
    let account = Account::of(&process_config(&plan.line))?;
    let supervisor = Supervisor::from_environment();
    let random = SystemRandom::open().map_err(|error| format!("cannot open /dev/urandom: {error}"))?;
    if let Some(root) = &plan.line.chroot {
        process::change_root(root)?;
    }
    // before the working directory becomes that of the state
    plan.from = plan.from.absolute();
    let listening = listen(&plan)?;
    account.become_it()?;
    prepare(plan, paths, random, supervisor, listening)?.go(pid_file)
}

/// What is done before the server becomes its user: a port below 1024 may be root's.
struct Listening {
    upsd_conf: UpsdConf,
    settings: Settings,
    opened: Opened,
    log: Log,
    hints: Vec<String>,
}

fn listen(plan: &ServerPlan) -> Result<Listening, Fatal> {
    let mut hints = vec![];
    let upsd_conf = plan.from.upsd_conf(&mut hints)?;
    let log = Log::new(debug_level(&plan.line, &upsd_conf), plan.line.quiet);
    let mut settings = settings(&upsd_conf, plan)?;
    settings.fit(raise_limit())?;
    let opened = Opened::now(&settings.listen, plan.line.family);
    match opened.is_hopeless() {
        Some(why) => Err(why),
        None => Ok(Listening { upsd_conf, settings, opened, log, hints }),
    }
}

/// Reads and checks the rest.
fn prepare(
    plan: ServerPlan,
    paths: &Paths,
    random: SystemRandom,
    supervisor: Result<Supervisor, String>,
    Listening { upsd_conf, mut settings, opened, log, mut hints }: Listening,
) -> Result<Prepared, Fatal> {
    let ups_conf = plan.from.ups_conf()?;
    let paths = state_paths(paths, &upsd_conf, &ups_conf, plan.state.as_deref());
    enter(&paths.state, &plan.line)?;
    let random = Rc::new(random);
    let requests = mpsc::channel(REQUESTS);
    let owner = Rc::new(Asked(requests.0.clone()));
    let fleet = Fleet::new(surroundings(&plan, &paths, &settings, random.clone(), &log, owner));
    let none = format!(
        "{} names no UPS; add one, or ALLOW_NO_DEVICE yes to upsd.conf",
        plan.from.folder().join("ups.conf").display()
    );
    let checked = check(&fleet, &ups_conf, &mut settings, &none)?;
    let users = plan.from.users(&mut hints)?;
    hints.extend(plan.from.open_to_all(&ups_conf));
    hints.extend(plan.from.communities_open_to_all());
    hints.extend(opened.complaints());
    let extras = extras(&plan, &mut hints);
    let descriptions = descriptions(&upsd_conf, &mut hints);
    let tls = tls(&upsd_conf, &plan, &paths, &settings, &extras.web, &mut hints)?;
    let supervisor = supervisor.unwrap_or_else(|why| {
        hints.push(why);
        Supervisor::absent()
    });
    hints.iter().for_each(|hint| log.warning(hint));
    Ok(Prepared {
        plan,
        paths,
        log,
        supervisor,
        settings,
        descriptions,
        users,
        extras,
        fleet,
        checked,
        opened,
        random,
        tls,
        requests,
    })
}

/// What `qxups.toml` asks for. A file that is wrong costs what it asks for and no UPS: a server that does not start
/// protects none.
fn extras(plan: &ServerPlan, hints: &mut Vec<String>) -> Extras {
    plan.from.extras().unwrap_or_else(|why| {
        hints.push(format!("{why}; all that this file asks for is off until it is right and reloaded"));
        Extras::default()
    })
}

/// What `ups.conf` says, where it can be used and there is room for it; `none` is said where it names no UPS and has to.
fn check(fleet: &Fleet, conf: &UpsConf, settings: &mut Settings, none: &str) -> Result<CheckedConf, Fatal> {
    let checked = fleet.check(conf)?;
    if checked.count() == 0 && !settings.allow_no_device {
        return Err(none.into());
    }
    settings.leave_room(checked.count())?;
    Ok(checked)
}

fn process_config(line: &CommandLine) -> ProcessConfig {
    ProcessConfig {
        user_was_named: line.user.is_some(),
        user: line.user.clone().unwrap_or_else(|| USER.into()),
        group: None,
        chroot: line.chroot.clone(),
        statepath: None,
        debug_min: 0,
    }
}

fn debug_level(line: &CommandLine, conf: &UpsdConf) -> u8 {
    let least = conf.debug_min.unwrap_or(0).min(u8::MAX.into());
    line.debug.max(u8::try_from(least).unwrap_or(u8::MAX))
}

/// What `upsd.conf` says, with what the command line and the environment say instead.
fn settings(conf: &UpsdConf, plan: &ServerPlan) -> Result<Settings, Fatal> {
    let mut settings = Settings::of(conf);
    if let Some(listen) = &plan.listen {
        settings.listen.clone_from(listen);
    }
    // of a higher rank than the file, as in upsd
    if let Ok(said) = std::env::var("ALLOW_NO_DEVICE") {
        if let Some(said) = station::config::yes_or_no(&said) {
            settings.allow_no_device = said;
        }
    }
    Ok(settings)
}

/// Lets the process open as many descriptors as the system allows, and says how many these are.
fn raise_limit() -> usize {
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return usize::MAX };
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    usize::try_from(hard).unwrap_or(usize::MAX)
}

/// Where the state is: the environment says it, else `ups.conf` (newer NUT), else `upsd.conf`.
pub fn state_paths(paths: &Paths, upsd: &UpsdConf, ups: &UpsConf, instead: Option<&Path>) -> Paths {
    let named = |name: &str| {
        let setting = ups.global.iter().rev().find(|setting| setting.name.eq_ignore_ascii_case(name));
        setting.and_then(|setting| setting.value.clone())
    };
    let said = named("statepath").or_else(|| upsd.state_path.clone()).map(PathBuf::from);
    let mut paths = paths.clone().with_statepath(said.as_ref());
    if let Some(state) = instead {
        (paths.state, paths.pid, paths.lasting) = (state.into(), state.into(), state.into());
    }
    paths
}

fn enter(state: &Path, line: &CommandLine) -> Result<(), Fatal> {
    std::env::set_current_dir(state).map_err(|error| {
        let user = line.user.as_deref().unwrap_or(USER);
        let then = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "run this as root, or name another by NUT_STATEPATH".into()
            }
            _ => format!("create it for user '{user}'"),
        };
        format!("cannot use the state directory {}: {error}; {then}", state.display())
    })
}

fn surroundings(
    plan: &ServerPlan,
    paths: &Paths,
    settings: &Settings,
    random: Rc<SystemRandom>,
    log: &Log,
    owner: Rc<dyn Owner>,
) -> Surroundings {
    Surroundings {
        conf: plan.from.folder().into(),
        folders: paths.folders(),
        pids: paths.pid.clone(),
        max_age: Rc::new(Cell::new(settings.max_age)),
        new_id: Rc::new(move || random.id()),
        log: log.clone(),
        owner,
    }
}

fn descriptions(conf: &UpsdConf, hints: &mut Vec<String>) -> Descriptions {
    let folder = conf.data_path.clone().unwrap_or_else(|| DATAPATH.into());
    Descriptions::read(Path::new(&folder)).unwrap_or_else(|why| {
        hints.push(why);
        Descriptions::default()
    })
}

fn tls(
    conf: &UpsdConf,
    plan: &ServerPlan,
    paths: &Paths,
    settings: &Settings,
    web: &WebOptions,
    hints: &mut Vec<String>,
) -> Result<Encryption, Fatal> {
    match encryption::is_wanted(conf, &settings.listen, web) {
        true => Encryption::of(conf, plan.from.folder(), &paths.lasting, web.wants_certificate(), hints),
        false => Ok(Encryption::none()),
    }
}

impl Prepared {
    fn go(self, pid_file: PathBuf) -> Result<ExitCode, Fatal> {
        let line = &self.plan.line;
        let stays = match line.ground {
            Ground::Fore { .. } => true,
            Ground::Back => false,
            Ground::Default => line.debug > 0,
        };
        let mut readiness = Readiness::not_awaited();
        if !stays {
            match process::background()? {
                Side::Starter(code) => return Ok(code),
                Side::Driver(waiting) => readiness = waiting,
            }
        }
        let has_file = !stays || line.ground == Ground::Fore { pid_file: true };
        let _pid_file = has_file.then(|| {
            PidFile::write(pid_file.clone())
                .map_err(|error| self.log.warning(&format!("cannot write {}: {error}", pid_file.display())))
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
        let control = control::place(&pid_file);
        let serving = async { tokio::task::spawn_local(self.serve(readiness, stays, control)).await };
        let done = runtime.block_on(serving).unwrap_or_else(|error| Err(format!("cannot go on: {error}")));
        // names of hosts that are being looked up are waited for by nothing
        runtime.shutdown_background();
        done
    }

    async fn serve(self, mut readiness: Readiness, stays: bool, control: PathBuf) -> Result<ExitCode, Fatal> {
        let Prepared { plan, log, settings, supervisor, paths, requests: (request, mut requests), .. } = self;
        forward(Signals::new()?, request.clone());
        let _control = ControlSocket::open(control.clone(), request, log.clone()).map_err(|error| {
            log.warning(&format!(
                "cannot listen at {}: {error}; 'qxups reload' is not heard, SIGHUP is",
                control.display()
            ))
        });
        let mut fleet = self.fleet;
        fleet.take(self.checked);
        let (listen, family) = (settings.listen.clone(), plan.line.family);
        let places: Vec<String> = self.opened.bound.iter().map(|bound| bound.address().to_string()).collect();
        let server =
            Server::new(fleet, self.users, settings, self.descriptions, self.random, self.tls, log.clone());
        chronicle::follow(&server, self.extras.history.as_ref(), &paths.lasting);
        server.extras.replace(self.extras);
        let listeners = Listeners::start(&server, self.opened, family);
        let listeners = Rc::new(RefCell::new(listeners.map_err(|error| format!("cannot listen: {error}"))?));
        listener::keep(&server, &listeners, &listen, &log);
        let pages = Pages::new(server.clone(), &paths.lasting);
        pages.become_what_is_asked();
        let notices = Rc::new(NoticeDesk::new(server.clone(), plan.from.folder(), &paths.lasting));
        notices.become_what_is_asked();
        let protection = ProtectDesk::new(server.clone(), notices.clone(), &paths.lasting, &paths.state);
        protection.become_what_is_asked();
        let agents = SnmpAgents::new(server.clone());
        agents.become_what_is_asked();
        let mqtt = MqttOutput::new(server.clone(), plan.from.folder());
        mqtt.become_what_is_asked();
        tokio::task::spawn_local(server.clone().look_after_clients());
        say_serving(&server, &places, &supervisor);
        let supervisor = Rc::new(supervisor);
        tokio::task::spawn_local(show_life(supervisor.clone()));
        readiness.ready();
        if !stays {
            log.use_system_log();
        }
        tokio::task::spawn_local(stay_small(server.clone()));
        let reloading = Reloading {
            plan,
            paths,
            server: server.clone(),
            listeners,
            pages,
            notices,
            protection,
            agents,
            mqtt,
            log: log.clone(),
        };
        let name = reloading.until_exit(&mut requests, &supervisor).await?;
        log.info(&format!("exiting on {name}"));
        supervisor.stopping();
        leave(&server, &mut requests, &log).await;
        reloading.notices.end().await;
        reloading.mqtt.end().await;
        // what waits is written, if the disk takes it soon
        drop(server.chronicle.take().and_then(|chronicle| chronicle.end(name)));
        Ok(ExitCode::SUCCESS)
    }
}

/// Gives back what the start needed, once; and from time to time what history and pages need of the program for a moment.
async fn stay_small(server: Rc<Server>) {
    tokio::time::sleep(resident::AFTER).await;
    resident::give_back();
    loop {
        tokio::time::sleep(RESTS).await;
        let extras = server.extras.borrow();
        if extras.history.is_some() || !extras.web.listen.is_empty() {
            resident::give_back_files();
        }
    }
}

/// Signals are requests as well.
fn forward(mut signals: Signals, requests: mpsc::Sender<ProgramRequest>) {
    tokio::task::spawn_local(async move {
        loop {
            let request = match signals.next().await {
                SignalEvent::Exit(name) => ProgramRequest::Exit(name),
                SignalEvent::Reload(_) => ProgramRequest::Reload(None),
            };
            if requests.send(request).await.is_err() {
                return;
            }
        }
    });
}

fn say_serving(server: &Server, places: &[String], supervisor: &Supervisor) {
    let count = server.fleet.borrow().all().len();
    let places = if places.is_empty() { "no address yet".into() } else { places.join(", ") };
    let upses = if count == 1 { "1 UPS".into() } else { format!("{count} UPSes") };
    let what = format!("serving {upses} on {places}");
    server.log.info(&what);
    say_fingerprint(server);
    supervisor.status(&what);
    supervisor.ready();
}

/// By this others know the certificate that is shown from now on.
fn say_fingerprint(server: &Server) {
    if let Some(fingerprint) = &server.tls.borrow().fingerprint {
        server.log.info(&format!("TLS certificate, SHA-256: {fingerprint}"));
    }
}

/// A reload may end a UPS's session: orders that are under way are followed to their end first.
async fn finish_orders(server: &Server) {
    let began = tokio::time::Instant::now();
    while server.fleet.borrow().has_orders() && began.elapsed() < ORDERS_END {
        tokio::time::sleep(LOOKS).await;
    }
}

/// Ends every UPS's session; one that is switching its load off, or owes an answer, finishes that first, as a driver
/// does. A second signal ends it in any case.
async fn leave(server: &Server, requests: &mut mpsc::Receiver<ProgramRequest>, log: &Log) {
    if server.fleet.borrow().is_busy() {
        log.warning("a load is being switched off: exiting when that is done");
        let began = tokio::time::Instant::now();
        while server.fleet.borrow().is_busy() && began.elapsed() < FINISHES {
            let next = tokio::time::timeout(LOOKS, requests.recv()).await;
            if matches!(next, Ok(Some(ProgramRequest::Exit("SIGINT" | "SIGQUIT")))) {
                break;
            }
        }
        // the client that asked for it hears what came of it
        tokio::time::sleep(LAST_ANSWERS).await;
    }
    server.fleet.borrow_mut().stop();
}

/// Says to a supervisor, as often as it asks for, that tasks have their turns.
async fn show_life(supervisor: Rc<Supervisor>) {
    loop {
        supervisor.turn(tokio::time::Instant::now());
        match supervisor.next_turn() {
            // what did not fit into its queue is said again, not at once
            Some(next) => tokio::time::sleep_until(next.max(tokio::time::Instant::now() + AGAIN)).await,
            None => return,
        }
    }
}
