//! A UPS of another NUT server: `port = ups@host` with the driver `nut-upstream`, or `dummy-ups` as NUT has it.
//!
//! It can be read; orders are handed on where `upstream_user` and `upstream_password` are given. Nothing that was said
//! before a loss of the connection is shown after it.

use super::errands::Errands;
use super::hearers::Hearers;
use super::line::UpstreamLine;
use super::mirror::Mirror;
use super::plan::Upstream;
use super::source::{HearsStatus, Mirrored, WhenEnded};
use super::stands::Stands;
use super::survey::{Stand, Survey};
use nut::driver_lines::DriverLine;
use nut::network::ErrorWord;
use nut::network::client::{
    self, About, Having, Item, NetworkRequest, Next, Refusal, SessionOpening, TlsMode,
};
use nut::network::server::{Freshness, Order};
use qx::vocabulary::moment::Moment;
use station::clock::DeviceClock;
use station::log::Log;
use station::seldom::{Seldom, counted};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tls::client_config;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// The first pause after a lost connection, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often all variables are read; dummy-ups does so each 2 s.
const POLL: Duration = Duration::from_secs(2);
/// Between two polls pass at least so long.
const BREATH: Duration = Duration::from_millis(250);
/// How often is asked what can be set and commanded.
const SURVEY: Duration = Duration::from_secs(60);
/// A server that does not answer what can be set is not asked that for so long, and longer each time: its data is worth more.
const NO_SURVEY: Duration = Duration::from_secs(600);
/// What servers of this kind say of themselves.
const OURS: &str = "qxups";
/// No path of servers is longer, in bytes: clients read no longer words.
const LONGEST_PATH: usize = 400;
/// No sentence of the log is longer, in letters.
const LONGEST_SENTENCE: usize = 400;
/// Newer NUT lets this pass beyond MAXAGE.
const GRACE: Duration = Duration::from_secs(1);

/// A UPS of another server.
pub(crate) struct UpstreamSource {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    upstream: Upstream,
    /// The UPS as the path of its data names it.
    node: String,
    /// The server is one of ours, which says by what path its data came.
    says_path: Cell<bool>,
    max_age: Rc<Cell<Duration>>,
    clock: DeviceClock,
    log: Log,
    state: RefCell<State>,
    wake: Notify,
    no_survey_until: Cell<Option<Instant>>,
    /// How often in a row a connection was lost while it was asked what can be set.
    surveys_failed: Cell<u32>,
    /// So was the last one: what was read of the UPS is as good as before.
    is_lost_by_survey: Cell<bool>,
    /// What holds of the UPS, for the log.
    stands: RefCell<Stands>,
    no_survey: RefCell<Seldom>,
    strange: RefCell<Seldom>,
    /// The password went in the clear.
    clear: RefCell<Seldom>,
    /// Hears each status that a poll reads.
    hearers: RefCell<Option<(String, Hearers)>>,
}

struct State {
    freshness: Freshness,
    heard: Moment,
    mirror: Mirror,
    /// The servers that its data came through.
    path: String,
    errands: Errands,
}

/// What can be set and commanded, and until when that is taken for true; without a time, not at all.
#[derive(Default)]
struct Known {
    lines: Vec<DriverLine>,
    until: Option<Instant>,
    survey: Option<Survey>,
}

impl Known {
    /// A poll read the UPS: where what is known is too old, it is asked anew, between the polls.
    fn was_read(&mut self, ups: &str) {
        if self.survey.is_none() && self.until.is_none_or(|until| until <= Instant::now()) {
            self.survey = Some(Survey::new(ups));
        }
    }
}

impl UpstreamSource {
    /// Connects to the server in a task of its own, again and again.
    pub fn spawn(upstream: Upstream, node: String, max_age: Rc<Cell<Duration>>, log: Log) -> UpstreamSource {
        let state = State {
            freshness: Freshness::NotConnected,
            heard: Moment::ZERO,
            mirror: Mirror::default(),
            path: String::new(),
            errands: Errands::default(),
        };
        let inner = Rc::new(Inner {
            upstream,
            node,
            says_path: Cell::new(false),
            max_age,
            clock: DeviceClock::start(),
            log,
            state: RefCell::new(state),
            wake: Notify::new(),
            no_survey_until: Cell::new(None),
            surveys_failed: Cell::new(0),
            is_lost_by_survey: Cell::new(false),
            stands: RefCell::default(),
            no_survey: RefCell::default(),
            strange: RefCell::default(),
            clear: RefCell::default(),
            hearers: RefCell::default(),
        });
        let task = tokio::task::spawn_local(inner.clone().run());
        UpstreamSource { inner, task }
    }
}

impl Drop for UpstreamSource {
    fn drop(&mut self) {
        self.task.abort();
        self.inner.lose();
    }
}

impl Inner {
    fn place(&self) -> String {
        let Upstream { host, port, .. } = &self.upstream;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    async fn run(self: Rc<Self>) {
        let mut pause = PAUSE;
        loop {
            let why = self.connected(&mut pause).await;
            let text = format!("NUT server {}: {why}", self.place());
            if self.is_lost_by_survey.take() {
                if let Some(times) = self.no_survey.borrow_mut().happened(Instant::now()) {
                    self.log.warning(&counted(&text, times));
                }
                continue;
            }
            self.lose();
            self.say_stands(&text);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says what holds of the UPS now, where that is not what was said last.
    fn say_stands(&self, text: &str) {
        // the server may say anything
        let text: String = text.chars().take(LONGEST_SENTENCE).collect();
        let line = self.stands.borrow_mut().are(&text, Instant::now());
        match (line, self.state.borrow().freshness) {
            (Some(line), Freshness::Fresh) => self.log.info(&line),
            (Some(line), Freshness::Stale | Freshness::NotConnected) => self.log.warning(&line),
            (None, _) => {}
        }
    }

    /// Nothing that was said counts any more, and what waits has failed.
    fn lose(&self) {
        let mut state = self.state.borrow_mut();
        (state.freshness, state.mirror) = (Freshness::NotConnected, Mirror::default());
        let errands = std::mem::take(&mut state.errands);
        drop(state);
        // each says what became of it
        drop(errands);
    }

    /// One connection, until it is lost; why.
    async fn connected(&self, pause: &mut Duration) -> String {
        let Upstream { host, port, .. } = &self.upstream;
        let mut line = match UpstreamLine::connect(host, *port, self.max_age.clone()).await {
            Ok(line) => line,
            Err(why) => return why,
        };
        match self.talk(&mut line, pause).await {
            Ok(never) => match never {},
            Err(why) => why,
        }
    }

    async fn talk(
        &self,
        line: &mut UpstreamLine,
        pause: &mut Duration,
    ) -> Result<std::convert::Infallible, String> {
        self.open(line).await?;
        let (_, version) = line.ask(NetworkRequest::Version).await?;
        self.says_path.set(matches!(version, Ok(client::Answer::Text(text)) if text.contains(OURS)));
        let (mut poll, mut known) = (Instant::now(), Known::default());
        loop {
            if poll <= Instant::now() {
                let began = Instant::now();
                self.poll(line, &mut known).await?;
                // a server that takes long for its answer is asked for the next at once: what it says is old already
                poll = (began + POLL).max(Instant::now() + BREATH);
                *pause = PAUSE;
            }
            let next = self.state.borrow_mut().errands.next();
            if let Some((going, request)) = next {
                let (_, answer) = line.ask(request).await?;
                if self.state.borrow_mut().errands.answered(going, answer) {
                    // what it changed is seen at once
                    poll = Instant::now();
                }
                continue;
            }
            if let Some(survey) = &mut known.survey {
                let stand = survey.step(line).await.inspect_err(|_| self.survey_failed())?;
                self.survey_stands(stand, &mut known);
                continue;
            }
            let due = self.state.borrow().errands.due();
            tokio::select! {
                () = sleep_until(due.map_or(poll, |due| due.min(poll))) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// The first time may be an accident: it is asked again on the next connection, which is opened at once.
    fn survey_failed(&self) {
        let times = self.surveys_failed.get().saturating_add(1);
        self.surveys_failed.set(times);
        self.no_survey_until.set((times > 1).then(|| Instant::now() + NO_SURVEY * (times - 1)));
        self.is_lost_by_survey.set(true);
    }

    fn survey_stands(&self, stand: Stand, known: &mut Known) {
        match stand {
            Stand::Going => {}
            // the next poll that reads the UPS begins another
            Stand::NoData => known.survey = None,
            Stand::Found(lines) => {
                self.surveys_failed.set(0);
                *known = Known { lines, until: Some(Instant::now() + SURVEY), survey: None };
                let mut state = self.state.borrow_mut();
                state.mirror = state.mirror.with_values_alone();
                known.lines.iter().for_each(|line| state.mirror.take(line.clone()));
            }
        }
    }

    async fn open(&self, line: &mut UpstreamLine) -> Result<(), String> {
        let Upstream { tls, verify, user, host, .. } = &self.upstream;
        let mut opening = SessionOpening::new(*tls);
        if let Some((name, password)) = user {
            opening = opening.as_user(name, password);
        }
        let mut next = opening.next(None);
        let mut is_encrypted = false;
        loop {
            if matches!(&next, Next::Ask(NetworkRequest::Password(_))) && !is_encrypted {
                self.warn_of_clear_password(line);
            }
            next = match next {
                Next::Ask(request) | Next::AskAfter(_, request) => {
                    let (_, answer) = line.ask(request).await?;
                    opening.next(Some(answer))
                }
                Next::StartTls => {
                    let config = client_config(verify, None).map_err(|why| why.to_string())?;
                    line.secure(config, host).await?;
                    is_encrypted = true;
                    opening.next(Some(Ok(client::Answer::StartTls)))
                }
                Next::End(Ok(_)) => return Ok(()),
                Next::End(Err((request, refusal))) => return Err(format!("{request}: {refusal}")),
            };
        }
    }

    /// It is sent all the same, as upsmon and upscmd do it where TLS is not required.
    fn warn_of_clear_password(&self, line: &UpstreamLine) {
        if line.is_of_this_machine() {
            return;
        }
        let why = match self.upstream.tls {
            TlsMode::Never => "upstream_tls is never",
            _ => "the server offers no TLS",
        };
        let text = format!(
            "upstream_password goes over the network to {} in the clear, as {why}; write upstream_tls = always where the server can be given TLS, or take the password out where reading is enough",
            self.place()
        );
        if let Some(times) = self.clear.borrow_mut().happened(Instant::now()) {
            self.log.warning(&counted(&text, times));
        }
    }

    async fn poll(&self, line: &mut UpstreamLine, known: &mut Known) -> Result<(), String> {
        // no value that comes is older than this; an answer may be slow
        let asked = self.clock.now();
        let (items, answer) =
            line.ask(NetworkRequest::List(Having::Variables, self.upstream.ups.clone())).await?;
        let (answer, path) = match answer {
            Ok(_) if self.says_path.get() => match self.path(line).await? {
                Ok(path) => (answer, path),
                // it has lost the UPS since
                Err(refusal) => (Err(refusal), String::new()),
            },
            answer => (answer, String::new()),
        };
        let (freshness, mirror, text) = match answer {
            Ok(_) if self.leads_back(&path) => {
                let text = format!(
                    "NUT server {} reads '{}' from this server again, so no UPS is behind it; write port = ups@host of the server \
                     that drives it",
                    self.place(),
                    self.upstream.ups
                );
                (Freshness::NotConnected, Mirror::default(), text)
            }
            Ok(_) => {
                // without a user nothing can be set there, so nothing is offered
                let may_order = self.upstream.user.is_some();
                if may_order && self.no_survey_until.get().is_none_or(|until| until <= Instant::now()) {
                    known.was_read(&self.upstream.ups);
                }
                let text = format!("is read from NUT server {}", self.place());
                let mut mirror = mirror(items, &known.lines);
                if let Some(name) = mirror.take_strange() {
                    self.say_strange(&name);
                }
                (Freshness::Fresh, mirror, text)
            }
            Err(refusal) => {
                // it may be another UPS when it is back
                *known = Known::default();
                let freshness = match refusal.word {
                    Some(ErrorWord::DataStale) => Freshness::Stale,
                    _ => Freshness::NotConnected,
                };
                (freshness, Mirror::default(), self.refused(&refusal))
            }
        };
        let mut state = self.state.borrow_mut();
        (state.freshness, state.heard, state.mirror, state.path) = (freshness, asked, mirror, path);
        drop(state);
        self.tell_status();
        self.say_stands(&text);
        Ok(())
    }

    /// Says the status that was read: after an order the next poll may be less than a second away.
    fn tell_status(&self) {
        let hearers = self.hearers.borrow();
        let Some((ups, hearers)) = hearers.as_ref() else { return };
        if self.freshness() != Freshness::Fresh {
            return;
        }
        let state = self.state.borrow();
        state.mirror.variable("ups.status", &mut |variable| hearers.tell(ups, variable.value));
    }

    /// The servers that the data came through.
    async fn path(&self, line: &mut UpstreamLine) -> Result<Result<String, Refusal>, String> {
        let request = NetworkRequest::Get(About::Value, self.upstream.ups.clone(), "server.path".into());
        Ok(match line.ask(request).await? {
            (_, Ok(client::Answer::Value(path))) => Ok(path),
            // one that is older
            (_, Err(Refusal { word: Some(ErrorWord::VarNotSupported), .. }) | Ok(_)) => Ok(String::new()),
            (_, Err(refusal)) => Err(refusal),
        })
    }

    /// Whether what comes by this path was said by this server itself; a path without end is one as well.
    fn leads_back(&self, path: &str) -> bool {
        path.len() > LONGEST_PATH || path.split(' ').any(|node| node == self.node)
    }

    fn say_strange(&self, name: &str) {
        if let Some(times) = self.strange.borrow_mut().happened(Instant::now()) {
            let text = format!(
                "NUT server {} names a variable or command that clients cannot read, which is left out: {name}",
                self.place()
            );
            self.log.warning(&counted(&text, times));
        }
    }

    /// Why the server gives no data, and what to do.
    fn refused(&self, refusal: &Refusal) -> String {
        let (place, ups) = (self.place(), &self.upstream.ups);
        match refusal.word {
            Some(ErrorWord::DataStale) => {
                format!("has no fresh data at NUT server {place}; look at its driver there")
            }
            Some(ErrorWord::DriverNotConnected) => {
                format!(
                    "NUT server {place} has no connection to the driver of '{ups}'; start the driver there"
                )
            }
            Some(ErrorWord::UnknownUps) => {
                format!(
                    "NUT server {place} has no UPS '{ups}'; write one that 'upsc -l' lists there as port = ups@host"
                )
            }
            Some(ErrorWord::AccessDenied) => format!(
                "NUT server {place} gives no data ({refusal}); write upstream_user and upstream_password of a user there who may read"
            ),
            _ => format!("NUT server {place} gives no data: {refusal}"),
        }
    }

    /// How long ago it said something; none where it never did.
    fn age(&self) -> Option<Duration> {
        let heard = self.state.borrow().heard;
        (heard > Moment::ZERO).then(|| self.clock.now().saturating_sub(heard))
    }

    fn freshness(&self) -> Freshness {
        let state = self.state.borrow();
        let silent = self.clock.now().saturating_sub(state.heard);
        match state.freshness {
            Freshness::Fresh if silent > self.max_age.get() + GRACE => Freshness::Stale,
            freshness => freshness,
        }
    }
}

fn mirror(items: Vec<Item>, known: &[DriverLine]) -> Mirror {
    let mut mirror = Mirror::default();
    for item in items {
        if let Item::Variable { name, value } = item {
            mirror.set(&name, value);
        }
    }
    known.iter().for_each(|line| mirror.take(line.clone()));
    mirror
}

impl Mirrored for UpstreamSource {
    fn with_mirror(&self, act: &mut dyn FnMut(&Mirror)) {
        act(&self.inner.state.borrow().mirror);
    }

    fn tell_status_of_mirror(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        let mut there = self.inner.hearers.borrow_mut();
        there.get_or_insert_with(|| (ups.into(), Hearers::default())).1.add(hearer);
    }

    fn path_of_mirror(&self) -> String {
        self.inner.state.borrow().path.clone()
    }

    fn age_of_mirror(&self) -> Option<Duration> {
        self.inner.age()
    }

    fn freshness_of_mirror(&self) -> Freshness {
        self.inner.freshness()
    }

    fn pass_on(&self, order: Order<'_>, _: bool, answer: WhenEnded) -> bool {
        let Upstream { ups, user, .. } = &self.inner.upstream;
        let mut state = self.inner.state.borrow_mut();
        if user.is_none() {
            self.inner.log.warning(
                "an order was refused: the UPS is of another server; add upstream_user and upstream_password",
            );
            return false;
        }
        if state.freshness == Freshness::NotConnected {
            return false;
        }
        let order = match order {
            Order::Command { name, parameter } => client::ClientOrder::Command {
                ups: ups.clone(),
                name: name.into(),
                parameter: parameter.map(Into::into),
            },
            Order::Set { variable, value } => {
                client::ClientOrder::Set { ups: ups.clone(), variable: variable.into(), value: value.into() }
            }
        };
        let taken = state.errands.take(order, answer);
        if !taken {
            self.inner.log.warning("an order was refused: too many wait for the other server");
        }
        self.inner.wake.notify_one();
        taken
    }
}
