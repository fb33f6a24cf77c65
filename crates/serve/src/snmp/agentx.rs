//! UPSes behind an SNMP agent of another program, by AgentX, as `[snmp.agentx]` of `qxups.toml` asks: [`snmp::agentx`] before
//! this server's fleet.
//!
//! One connection carries all UPSes, each in a context of its own. A master that is away, hangs or sends anything at all
//! costs no UPS and no other output anything: this is one task, which waits for nothing but its own connection.

use super::LOOK;
use super::eye::UpsEye;
use crate::extras::{AgentxContexts, AgentxOptions, MasterPlace};
use crate::fleet::{HearsStatus, Stands, named};
use crate::mqtt::pauses::Pauses;
use crate::server::Server;
use ::snmp::agentx::AgentxEvent;
use ::snmp::{AgentxFault, AgentxSession, MibView};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// Longest time to connect, to write an answer, and to say farewell.
const CONNECT: Duration = Duration::from_secs(10);
const WRITES: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(1);
/// A connection that lasted so long is none that fails again and again.
const LASTED: Duration = Duration::from_secs(60);
/// Read at once.
const PIECE: usize = 8 * 1024;
/// So many questions are answered in a turn.
const AT_ONCE: u32 = 8;

/// The UPSes of a server behind a master, as long as they are wanted.
pub(super) struct AgentxOutput {
    server: Rc<Server>,
    running: RefCell<Option<RunningAgentx>>,
}

struct RunningAgentx {
    options: Box<AgentxOptions>,
    desk: Rc<AgentxDesk>,
    looking: AbortHandle,
}

/// What a master is to have.
struct AgentxDesk {
    server: Weak<Server>,
    master: MasterPlace,
    /// By the name of the UPS, without capitals.
    eyes: BTreeMap<String, Rc<UpsEye>>,
    /// Each context with its UPS; the empty name is the default one.
    contexts: BTreeMap<String, Rc<UpsEye>>,
    began: Instant,
    /// There may be something to send.
    has_news: Cell<bool>,
    wake: Notify,
    leaves: Cell<bool>,
    ends: Notify,
    /// What holds of the connection, for the log.
    stands: RefCell<Stands>,
}

impl AgentxOutput {
    /// None yet.
    pub fn new(server: Rc<Server>) -> AgentxOutput {
        AgentxOutput { server, running: RefCell::default() }
    }

    /// Has the UPSes that `[snmp.agentx]` asks for, from now on. A connection whose UPSes stay the same goes on; else what was
    /// seen of those that stay is kept.
    pub fn become_what_is_asked(&self) {
        let options = self.server.extras.borrow().agentx.clone();
        let mut running = self.running.borrow_mut();
        let before = running.take();
        let Some(options) = options else {
            if let Some(before) = before {
                before.end();
                self.server.log.info("no UPS is behind an AgentX master any more");
            }
            return;
        };
        let known = before.as_ref().map(|before| before.desk.eyes.clone()).unwrap_or_default();
        let desk = AgentxDesk::new(&self.server, &options, &known);
        match before {
            Some(before) if before.options == options && before.desk.is_same(&desk) => {
                *running = Some(before);
                return;
            }
            Some(before) => before.end(),
            None => {}
        }
        self.server.status_hub.add(&desk);
        let looking = spawn_local(look(desk.clone())).abort_handle();
        spawn_local(desk.clone().run());
        *running = Some(RunningAgentx { options, desk, looking });
    }
}

impl RunningAgentx {
    fn end(self) {
        self.looking.abort();
        self.desk.leaves.set(true);
        self.desk.ends.notify_one();
    }
}

impl AgentxDesk {
    fn new(
        server: &Rc<Server>,
        options: &AgentxOptions,
        known: &BTreeMap<String, Rc<UpsEye>>,
    ) -> Rc<AgentxDesk> {
        let (mut eyes, mut contexts) = (BTreeMap::new(), BTreeMap::new());
        let fleet = server.fleet.borrow();
        let mut add = |context: &str, name: &str| {
            let Some(ups) = fleet.find(name) else {
                server.log.warning(&format!(
                    "[snmp.agentx] of qxups.toml has '{}', and ups.conf has no such UPS; write the name of its section",
                    name.escape_debug()
                ));
                return;
            };
            let key = name.to_ascii_lowercase();
            let eye = eyes.entry(key.clone()).or_insert_with(|| {
                let same = known.get(&key).filter(|eye| eye.ups == ups.id());
                same.cloned().unwrap_or_else(|| Rc::new(UpsEye::new(ups.id())))
            });
            contexts.insert(context.to_string(), eye.clone());
        };
        let named = match &options.contexts {
            AgentxContexts::All => fleet.all().iter().map(|ups| ups.name().to_string()).collect(),
            AgentxContexts::Named(names) => names.clone(),
        };
        named.iter().for_each(|name| add(name, name));
        options.ups.iter().for_each(|name| add("", name));
        Rc::new(AgentxDesk {
            server: Rc::downgrade(server),
            master: options.master.clone(),
            eyes,
            contexts,
            began: Instant::now(),
            has_news: Cell::new(true),
            wake: Notify::new(),
            leaves: Cell::new(false),
            ends: Notify::new(),
            stands: RefCell::default(),
        })
    }

    fn is_same(&self, other: &AgentxDesk) -> bool {
        let each = |desk: &AgentxDesk| {
            desk.contexts.iter().map(|(name, eye)| (name.clone(), eye.ups)).collect::<Vec<_>>()
        };
        each(self) == each(other)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Connects again and again, until it is to end.
    async fn run(self: Rc<Self>) {
        let mut pauses = Pauses::default();
        while !self.leaves.get() {
            let began = Instant::now();
            let ended = self.connected().await;
            if self.leaves.get() {
                return;
            }
            let Some(server) = self.server.upgrade() else { return };
            let Err(why) = ended;
            self.say(&server, true, &format!("AgentX master {}: {why}; trying again", self.master));
            if began.elapsed() > LASTED {
                pauses = Pauses::default();
            }
            let mut random = [0; 4];
            let _ = server.random.fill(&mut random);
            drop(server);
            let _ = timeout(pauses.next(u32::from_be_bytes(random)), self.ends.notified()).await;
        }
    }

    fn say(&self, server: &Server, is_warning: bool, text: &str) {
        if let Some(line) = self.stands.borrow_mut().are(text, Instant::now()) {
            if is_warning { server.log.warning(&line) } else { server.log.info(&line) }
        }
    }

    async fn connected(&self) -> Result<std::convert::Infallible, String> {
        match &self.master {
            MasterPlace::Path(path) => self.converse(timeout(CONNECT, UnixStream::connect(path)).await).await,
            MasterPlace::Address(address) => {
                let stream = timeout(CONNECT, TcpStream::connect(address)).await;
                if let Ok(Ok(stream)) = &stream {
                    // an answer is not held back to fill a packet
                    let _ = stream.set_nodelay(true);
                }
                self.converse(stream).await
            }
        }
    }

    /// Answers until the connection is lost, or this is to end.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: Result<io::Result<S>, tokio::time::error::Elapsed>,
    ) -> Result<std::convert::Infallible, String> {
        let mut stream = match stream {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(not_connected(&error)),
            Err(_) => return Err("cannot connect: no answer".into()),
        };
        let contexts = self.contexts.keys().cloned().collect();
        let description = concat!("qxups ", env!("CARGO_PKG_VERSION"));
        let mut session = AgentxSession::new(contexts, description, self.now());
        self.has_news.set(true);
        let mut room = [0; PIECE];
        loop {
            if self.leaves.get() {
                let _ = timeout(FAREWELL, stream.write_all(&session.farewell())).await;
                return Err("it is left".into());
            }
            let waits = self.answer(&mut session).map_err(|fault| fault.to_string())?;
            let out = session.take_output();
            if !out.is_empty() {
                let written = timeout(WRITES, stream.write_all(&out)).await;
                written.map_err(|_| "it takes no answer")?.map_err(|error| lost(&error))?;
            }
            self.say_events(&mut session);
            if waits {
                // others have their turn
                yield_now().await;
                continue;
            }
            tokio::select! {
                read = stream.read(&mut room) => match read {
                    Ok(0) => return Err("it closed the connection".into()),
                    Ok(length) => session.receive(&room[..length]),
                    Err(error) => return Err(lost(&error)),
                },
                () = self.wake.notified() => {}
                () = self.ends.notified() => {}
                // the time is looked at
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Handles some of what came, and gives notices; whether more waits to be handled.
    fn answer(&self, session: &mut AgentxSession) -> Result<bool, AgentxFault> {
        let Some(server) = self.server.upgrade() else { return Ok(false) };
        let mut waits = true;
        for _ in 0..AT_ONCE {
            waits = session.handle(self.now(), |context| self.view(&server, context))?;
            if !waits {
                break;
            }
        }
        session.check(self.now())?;
        self.give_notices(session, &server);
        Ok(waits)
    }

    fn view(&self, server: &Server, context: &str) -> Option<MibView> {
        self.contexts.get(context).map(|eye| eye.view(server, "", ""))
    }

    /// What is due, one UPS after the other. What a master does not take yet stays due, and is sent as it is then.
    fn give_notices(&self, session: &mut AgentxSession, server: &Server) {
        if !self.has_news.get() {
            return;
        }
        // a UPS has one eye, also where it has two contexts; its own name comes behind the default one
        for (name, eye) in &self.eyes {
            if !session.takes_notices() {
                return;
            }
            let due = eye.watch.borrow_mut().take_due(eye.now());
            if due.is_empty() {
                continue;
            }
            let is_own = |context: &&String| context.eq_ignore_ascii_case(name);
            let context = self.contexts.keys().find(is_own).map_or("", String::as_str);
            let view = eye.view(server, "", "");
            due.iter().for_each(|notice| session.notify(context, notice, &view, self.now()));
        }
        self.has_news.set(!session.takes_notices());
    }

    fn say_events(&self, session: &mut AgentxSession) {
        let Some(server) = self.server.upgrade() else { return };
        for event in session.take_events() {
            match event {
                AgentxEvent::Registered(0) => self.say(
                    &server,
                    true,
                    &format!("AgentX master {}: it takes none of the UPSes; trying again", self.master),
                ),
                AgentxEvent::Registered(_) => {
                    let shown = |name: &String| if name.is_empty() { "the default one".into() } else { name.clone() };
                    let names: Vec<String> = self.contexts.keys().map(shown).collect();
                    let text =
                        format!("answering AgentX master {} in the contexts {}", self.master, named(&names));
                    self.say(&server, false, &text);
                }
                AgentxEvent::ContextRefused(name, why) => server.say_seldom(
                    "AgentX context",
                    None,
                    &format!(
                        "AgentX master {} refuses the context '{}': {why}; another subagent may have 1.3.6.1.2.1.33 \
                         there already: end it, or write other contexts to [snmp.agentx]; trying again",
                        self.master,
                        name.escape_debug()
                    ),
                ),
                AgentxEvent::NoticeRefused(why) => server.say_seldom(
                    "AgentX notification",
                    None,
                    &format!("AgentX master {} refuses a notification: {why}; it is lost", self.master),
                ),
            }
        }
    }
}

impl HearsStatus for AgentxDesk {
    fn status(&self, ups: &str, words: &str) {
        if let Some(eye) = self.eyes.get(&ups.to_ascii_lowercase()) {
            eye.hear(words);
            self.has_news.set(true);
            self.wake.notify_one();
        }
    }
}

/// Looks at all UPSes once a second, connected or not: a status between comes by itself.
async fn look(desk: Rc<AgentxDesk>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(server) = desk.server.upgrade() else { return };
        desk.eyes.values().for_each(|eye| eye.look(&server));
        desk.has_news.set(true);
        desk.wake.notify_one();
    }
}

fn not_connected(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "let the group of this server use its socket by agentXPerms in snmpd.conf (docs/snmp.md)"
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "start snmpd with 'master agentx' in snmpd.conf, or write its place to master of [snmp.agentx]"
        }
        _ => "look at master of [snmp.agentx] in qxups.toml",
    };
    format!("cannot connect: {error}; {remedy}")
}

fn lost(error: &io::Error) -> String {
    format!("the connection is lost: {error}")
}
