//! Notifications of a fleet: what its UPSes say goes by the rules of `qxups.toml` to outputs ([`notify`]). Without
//! `[[notify]]` and `[outputs.NAME]` there is none of it.
//!
//! Each status is looked at as it comes, values and timers once a second and when a timer ends. No UPS waits for anything of
//! this.

mod list;
mod outputs;
mod sight;

use crate::chronicle::wall_ms;
use crate::extras::NotifyOptions;
use crate::fleet::{HearsStatus, NOTHING_YET, Ups};
use crate::server::Server;
use notify::journal::SeenMark;
use notify::{NotifyMoment, Post, RuleMachine, UpsNotice, UpsSaid, UpsSight};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// What waits, and what is raised, in the folder of what lasts.
const FILE: &str = "notify.outbox";
/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often is written down that the server is there, while something is raised or a timer runs.
const SEEN: Duration = Duration::from_secs(15);
/// So many statuses wait to be looked at; more than that within a moment are not.
const HEARD: usize = 10_000;
/// What is being sent at the end has so long to come to its own.
const SETTLES: Duration = Duration::from_secs(2);

/// The notifications of a server, as far as `qxups.toml` asks for them.
pub(crate) struct NoticeDesk {
    server: Rc<Server>,
    /// Where relative paths of secrets begin.
    conf: PathBuf,
    lasting: PathBuf,
    running: RefCell<Option<Rc<Notifier>>>,
}

impl NoticeDesk {
    /// Off until [`NoticeDesk::become_what_is_asked`].
    pub fn new(server: Rc<Server>, conf: &Path, lasting: &Path) -> NoticeDesk {
        NoticeDesk { server, conf: conf.into(), lasting: lasting.into(), running: RefCell::default() }
    }

    /// Begins, ends, or goes on with other rules and outputs. Secrets are read anew. Must be called inside of a tokio
    /// `LocalRuntime`.
    pub fn become_what_is_asked(&self) {
        let extras = self.server.extras.borrow();
        let mut running = self.running.borrow_mut();
        match (extras.notify.as_deref(), &*running) {
            (None, None) => {}
            (None, Some(notifier)) => {
                notifier.end();
                notifier.post.remove();
                *running = None;
            }
            (Some(options), Some(notifier)) => notifier.follow(options, &self.conf),
            (Some(options), None) => {
                match Notifier::start(&self.server, options, &self.conf, &self.lasting) {
                    Ok(notifier) => *running = Some(notifier),
                    Err(why) => self.server.log.warning(&format!("notifications are off: {why}")),
                }
            }
        }
    }

    /// Gives a notice to an output, besides all rules. False where notifications are off.
    pub fn submit(&self, notice: UpsNotice, output: &str) -> bool {
        match &*self.running.borrow() {
            Some(notifier) => {
                notifier.post.submit(vec![(notice, vec![output.to_string()])], vec![]);
                true
            }
            None => false,
        }
    }

    /// Rules, timers and what waits, as `qxups timers` prints it.
    pub fn list(&self) -> String {
        match &*self.running.borrow() {
            Some(notifier) => notifier.list(),
            None => "no rule: qxups.toml has no [[notify]]".into(),
        }
    }

    /// The server ends: what is being sent has a moment, all else is in the file.
    pub async fn end(&self) {
        let notifier = self.running.take();
        if let Some(notifier) = notifier {
            notifier.end();
            notifier.mark_seen();
            notifier.post.settle(SETTLES).await;
            notifier.post.end();
            notifier.post.flush(notifier.seen_now()).await;
        }
    }
}

/// Notifications that are on.
struct Notifier {
    server: Weak<Server>,
    post: Rc<Post>,
    machine: RefCell<RuleMachine>,
    /// Statuses that came since the last look: they may be over already.
    heard: RefCell<VecDeque<(String, String)>>,
    wake: Notify,
    /// The steady clock at `began`: milliseconds since the system started.
    base_ms: i64,
    began: Instant,
    boot: String,
    seen: Cell<Instant>,
    task: RefCell<Option<AbortHandle>>,
}

impl Notifier {
    fn start(
        server: &Rc<Server>,
        options: &NotifyOptions,
        conf: &Path,
        lasting: &Path,
    ) -> Result<Rc<Notifier>, String> {
        let mark: String =
            server.random.id().to_string().chars().filter(char::is_ascii_hexdigit).take(12).collect();
        let log = server.log.clone();
        let say = move |is_warning: bool, text: &str| {
            let text = format!("notify: {text}");
            if is_warning { log.warning(&text) } else { log.info(&text) }
        };
        let (post, kept) = Post::open(&lasting.join(FILE), &mark, Rc::new(local_time), Rc::new(say))?;
        let (base_ms, boot) = system_clock(&mark);
        let mut notifier = Notifier {
            server: Rc::downgrade(server),
            post,
            machine: RefCell::default(),
            heard: RefCell::default(),
            wake: Notify::new(),
            base_ms,
            began: Instant::now(),
            boot,
            seen: Cell::new(Instant::now()),
            task: RefCell::default(),
        };
        let now = notifier.now();
        let mut machine = RuleMachine::new(now);
        machine.resume(kept.standing.values().cloned().collect(), kept.seen.as_ref(), &notifier.boot, now);
        notifier.machine = RefCell::new(machine);
        let notifier = Rc::new(notifier);
        if kept.is_torn {
            server.log.warning("notify: the end of the outbox could not be read; all before it counts");
        }
        notifier.follow(options, conf);
        notifier.post.recover(kept);
        notifier.post.write_whole(notifier.kept());
        server.status_hub.add(&notifier);
        let task = tokio::task::spawn_local(notifier.clone().run());
        *notifier.task.borrow_mut() = Some(task.abort_handle());
        Ok(notifier)
    }

    /// Takes other rules and outputs.
    fn follow(&self, options: &NotifyOptions, conf: &Path) {
        let Some(server) = self.server.upgrade() else { return };
        self.machine.borrow_mut().set_rules(options.rules.clone());
        let mut hints = vec![];
        let outputs = outputs::of(options, conf, &mut hints);
        hints.iter().for_each(|hint| server.log.warning(&format!("notify: {hint}")));
        self.post.set_outputs(outputs);
        self.hand_in(vec![]);
    }

    fn now(&self) -> NotifyMoment {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        NotifyMoment { steady_ms: self.base_ms.saturating_add(passed), wall_ms: wall_ms() }
    }

    async fn run(self: Rc<Self>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.machine.borrow().next_due();
            let left = due.map(|due| u64::try_from(due.saturating_sub(self.now().steady_ms)).unwrap_or(0));
            // a timer that ended is looked at once more by the next look at the latest
            let until = Instant::now() + left.map_or(LOOK * 2, |left| Duration::from_millis(left.max(1)));
            let is_look = tokio::select! {
                _ = looks.tick() => true,
                () = self.wake.notified() => false,
                () = sleep_until(until) => false,
            };
            let Some(server) = self.server.upgrade() else { return };
            let mut notices = self.take_heard(&server);
            if is_look {
                notices.extend(self.look(&server));
            } else {
                notices.extend(self.look_at_due(&server));
            }
            self.hand_in(notices);
            if is_look {
                self.post.look(|| self.kept());
                self.mark_seen_sometimes();
            }
        }
    }

    /// Each status that came, in its order.
    fn take_heard(&self, server: &Server) -> Vec<(UpsNotice, Vec<String>)> {
        let heard = self.heard.take();
        let mut notices = vec![];
        for (name, words) in heard {
            let Some(ups) = server.fleet.borrow().find(&name).cloned() else { continue };
            if words == NOTHING_YET {
                continue;
            }
            // its last word counts, also where it is lost by now
            let said = sight::said_of(&ups).unwrap_or_default();
            let said = UpsSaid { status: sight::with_latch(&ups, &words), ..said };
            notices.extend(self.observe(server, &ups, Some(&said)));
        }
        notices
    }

    /// Every UPS, as it is now.
    fn look(self: &Rc<Self>, server: &Server) -> Vec<(UpsNotice, Vec<String>)> {
        let all = server.fleet.borrow().all().to_vec();
        self.machine.borrow_mut().keep_only(|name| all.iter().any(|ups| ups.name() == name));
        let mut notices = vec![];
        for ups in &all {
            let hub: Rc<dyn HearsStatus> = server.status_hub.clone();
            // a source may have begun anew
            ups.with_source((), |source| source.tell_status(ups.name(), &hub));
            notices.extend(self.observe(server, ups, sight::said_of(ups).as_ref()));
        }
        notices
    }

    /// Those of which a timer ended.
    fn look_at_due(&self, server: &Server) -> Vec<(UpsNotice, Vec<String>)> {
        let due = self.machine.borrow().due(self.now());
        let mut notices = vec![];
        for name in due {
            let Some(ups) = server.fleet.borrow().find(&name).cloned() else { continue };
            notices.extend(self.observe(server, &ups, sight::said_of(&ups).as_ref()));
        }
        notices
    }

    fn observe(&self, server: &Server, ups: &Ups, said: Option<&UpsSaid>) -> Vec<(UpsNotice, Vec<String>)> {
        let hosts = sight::hosts_of(server, ups);
        let sight = UpsSight { said, hosts: &hosts };
        self.machine.borrow_mut().observe(ups.name(), sight, self.now(), &local_time)
    }

    fn hand_in(&self, notices: Vec<(UpsNotice, Vec<String>)>) {
        let changes = self.machine.borrow_mut().take_changes();
        if !notices.is_empty() || !changes.is_empty() {
            self.post.submit(notices, changes);
        }
    }

    fn seen_now(&self) -> SeenMark {
        SeenMark { boot: self.boot.clone(), steady_ms: self.now().steady_ms }
    }

    fn kept(&self) -> (Vec<notify::journal::StandingRecord>, SeenMark) {
        (self.machine.borrow().records(), self.seen_now())
    }

    fn mark_seen_sometimes(&self) {
        if self.machine.borrow().stands() && self.seen.get().elapsed() >= SEEN {
            self.mark_seen();
        }
    }

    /// With how long the timers ran so far.
    fn mark_seen(&self) {
        self.seen.set(Instant::now());
        let timers = self.machine.borrow().records().into_iter().filter(|record| !record.is_raised);
        self.post.mark_seen(self.seen_now(), timers.collect());
    }

    fn end(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
    }
}

impl HearsStatus for Notifier {
    fn status(&self, ups: &str, words: &str) {
        let mut heard = self.heard.borrow_mut();
        if heard.len() < HEARD {
            heard.push_back((ups.into(), words.into()));
        }
        self.wake.notify_one();
    }
}

/// A time as people of this place read it, with what it is off UTC.
fn local_time(at_ms: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_millisecond(at_ms) else { return notify::utc_stamp(at_ms) };
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// Milliseconds since the system started, and a text that is another one after each start; without those of Linux, such
/// that nothing of before is compared with them.
fn system_clock(mark: &str) -> (i64, String) {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let uptime = read("/proc/uptime").and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let boot = read("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_string());
    match (uptime, boot) {
        #[allow(clippy::cast_possible_truncation)]
        (Some(uptime), Some(boot)) => ((uptime * 1000.0) as i64, boot),
        _ => (0, mark.into()),
    }
}
