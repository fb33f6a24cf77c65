//! All UPSes to an MQTT broker, where `[mqtt]` of `qxups.toml` names one: the [`mqtt`](::mqtt) crate before this server's fleet.
//!
//! Without a broker nothing of it exists. A broker that is away, hangs or sends anything at all costs no UPS and no other output
//! anything: this is one task, which waits for nothing but its own connection.

mod connection;
mod feed;
mod orders;
pub(crate) mod pauses;

use crate::extras::MqttOptions;
use crate::fleet::{HearsStatus, NOTHING_YET, Stands};
use crate::server::Server;
use ::mqtt::{MqttClient, MqttSettings, TopicTree};
use pauses::Pauses;
use station::clock::DeviceClock;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// At its end the server says so to the broker, if that listens soon.
const FAREWELL: Duration = Duration::from_secs(1);
/// A connection that lasted so long is none that fails again and again.
const LASTED: Duration = Duration::from_secs(60);

/// The output of a server to a broker, as long as it is wanted.
pub(crate) struct MqttOutput {
    server: Rc<Server>,
    /// The folder of the configuration: relative paths begin there.
    folder: PathBuf,
    running: RefCell<Option<RunningOutput>>,
}

struct RunningOutput {
    options: Box<MqttOptions>,
    desk: Rc<MqttDesk>,
    task: JoinHandle<()>,
}

/// The server, as its output to a broker sees it.
struct MqttDesk {
    server: Weak<Server>,
    options: MqttOptions,
    folder: PathBuf,
    client: RefCell<MqttClient>,
    clock: DeviceClock,
    /// Something is to be sent.
    wake: Notify,
    /// It is to end.
    ends: Notify,
    leaves: Cell<bool>,
    /// A UPS said something before it was looked at.
    look_now: Cell<bool>,
    /// When all variables may be sent again; before that the status alone.
    next_variables: Cell<Instant>,
    /// UPSes with an order under way.
    under_way: RefCell<BTreeSet<String>>,
    /// What holds of the connection, for the log.
    stands: RefCell<Stands>,
}

impl fmt::Debug for MqttOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttOutput").finish_non_exhaustive()
    }
}

impl MqttOutput {
    /// None yet.
    pub fn new(server: Rc<Server>, folder: &Path) -> MqttOutput {
        MqttOutput { server, folder: folder.into(), running: RefCell::default() }
    }

    /// Publishes to the broker that `[mqtt]` asks for, from now on. A connection that stays the same goes on.
    pub fn become_what_is_asked(&self) {
        let options = self.server.extras.borrow().mqtt.clone();
        let mut running = self.running.borrow_mut();
        if running.as_ref().map(|running| &running.options) == options.as_ref() {
            // UPSes may have come and gone
            if let Some(running) = &*running {
                running.desk.look_at_all_now();
                running.desk.wake.notify_one();
            }
            return;
        }
        let former = running.as_ref().and_then(|running| running.options.discovery.clone());
        let before = running.take().map(RunningOutput::begin_to_leave);
        let Some(options) = options else {
            self.server.log.info("nothing is published to an MQTT broker any more");
            return;
        };
        let desk = Rc::new(MqttDesk::new(&self.server, &options, &self.folder));
        if let Some(former) = former.filter(|former| Some(former) != options.discovery.as_ref()) {
            desk.client.borrow_mut().withdraw_discovery(former);
        }
        self.server.status_hub.add(&desk);
        let (here, desk_of_task) = (desk.clone(), desk);
        let task = tokio::task::spawn_local(async move {
            // a broker knows each client once: the last one leaves first
            if let Some(before) = before {
                let _ = timeout(FAREWELL * 2, before).await;
            }
            desk_of_task.run().await;
        });
        *running = Some(RunningOutput { options, desk: here, task });
    }

    /// Ends it: the broker hears that the server is gone, if it listens.
    pub async fn end(&self) {
        let running = self.running.borrow_mut().take();
        if let Some(running) = running {
            let _ = timeout(FAREWELL * 2, running.begin_to_leave()).await;
        }
    }
}

impl RunningOutput {
    fn begin_to_leave(self) -> JoinHandle<()> {
        self.desk.leaves.set(true);
        self.desk.ends.notify_one();
        self.task
    }
}

impl MqttDesk {
    fn new(server: &Rc<Server>, options: &MqttOptions, folder: &Path) -> MqttDesk {
        let site = options.site.clone().unwrap_or_else(site_of_this_machine);
        let settings = MqttSettings {
            version: options.version,
            client: format!("qxups-{site}"),
            user: options.user.clone(),
            password: None,
            keep_alive: options.keep_alive,
            repeat: options.repeat,
            tree: TopicTree { prefix: options.prefix.clone(), site, discovery: options.discovery.clone() },
            commands: options.commands.clone(),
        };
        MqttDesk {
            server: Rc::downgrade(server),
            options: options.clone(),
            folder: folder.into(),
            client: RefCell::new(MqttClient::new(settings)),
            clock: DeviceClock::start(),
            wake: Notify::new(),
            ends: Notify::new(),
            leaves: Cell::new(false),
            look_now: Cell::new(false),
            next_variables: Cell::new(Instant::now()),
            under_way: RefCell::default(),
            stands: RefCell::default(),
        }
    }

    fn now(&self) -> Duration {
        self.clock.now().since_start()
    }

    /// The next look is at all variables.
    fn look_at_all_now(&self) {
        self.next_variables.set(Instant::now());
        self.look_now.set(true);
    }

    /// The broker, for messages.
    fn place(&self) -> String {
        let MqttOptions { host, port, .. } = &self.options;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Connects again and again, until it is to end.
    async fn run(self: Rc<Self>) {
        let mut pauses = Pauses::default();
        loop {
            let began = Instant::now();
            let ended = self.connected().await;
            self.client.borrow_mut().lost();
            if self.leaves.get() {
                return;
            }
            let Some(server) = self.server.upgrade() else { return };
            if let Err(why) = ended {
                self.say_trouble(&server, &why);
            }
            if began.elapsed() > LASTED {
                pauses = Pauses::default();
            }
            let mut random = [0; 4];
            // without random numbers all servers of a site try at the same time, no more
            let _ = server.random.fill(&mut random);
            drop(server);
            let _ = timeout(pauses.next(u32::from_be_bytes(random)), self.until_it_is_to_end()).await;
            if self.leaves.get() {
                return;
            }
        }
    }

    async fn until_it_is_to_end(&self) {
        while !self.leaves.get() {
            self.ends.notified().await;
        }
    }

    fn say_trouble(&self, server: &Server, why: &str) {
        let text = format!("MQTT broker {}: {why}; trying again", self.place());
        if let Some(line) = self.stands.borrow_mut().are(&text, Instant::now()) {
            server.log.warning(&line);
        }
    }

    /// The broker has all.
    fn say_settled(&self, server: &Server) {
        let root = self.client.borrow().settings().tree.root();
        let text = format!("publishing to MQTT broker {} below {root}", self.place());
        if let Some(line) = self.stands.borrow_mut().are(&text, Instant::now()) {
            server.log.info(&line);
        }
    }
}

impl HearsStatus for MqttDesk {
    fn status(&self, ups: &str, words: &str) {
        let forced = self.server.upgrade().is_some_and(|server| {
            server
                .fleet
                .try_borrow()
                .is_ok_and(|fleet| fleet.find(ups).is_some_and(|ups| ups.forced_shutdown()))
        });
        let heard = words != NOTHING_YET
            && self.client.try_borrow_mut().is_ok_and(|mut client| {
                client.is_open() && client.board.hear_status(ups, &feed::with_latch(words, forced))
            });
        if !heard {
            self.look_now.set(true);
        }
        self.wake.notify_one();
    }
}

/// The name of this machine, as far as it can be the name of a site.
pub(crate) fn site_of_this_machine() -> String {
    let name = link::read_bounded(Path::new("/proc/sys/kernel/hostname"), 256).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    let letters = name.trim().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    let site: String = letters.take(63).collect();
    if TopicTree::is_site(&site) { site } else { "site".into() }
}
