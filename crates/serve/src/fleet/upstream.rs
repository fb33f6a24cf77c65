//! A UPS of another NUT server: `port = ups@host` with the driver `nut-upstream`, or `dummy-ups` as NUT has it.
//!
//! It can be read; orders are handed on where `upstream_user` and `upstream_password` are given. Nothing that was said
//! before a loss of the connection is shown after it.

use super::line::UpstreamLine;
use super::mirror::Mirror;
use super::plan::Upstream;
use super::source::{Ended, Source, WhenEnded};
use nut::driver_lines::DriverLine;
use nut::network::client::{
    self, About, Errand, Having, Item, NetworkRequest, Next, OrderEnd, SessionOpening, Values,
};
use nut::network::server::{Freshness, Order, Variable};
use nut::network::{ErrorWord, TrackedOutcome};
use qx::vocabulary::moment::Moment;
use station::clock::DeviceClock;
use station::log::Log;
use station::seldom::{Seldom, counted};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
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
/// How often is asked what can be set and commanded.
const SURVEY: Duration = Duration::from_secs(60);
/// Newer NUT lets this pass beyond MAXAGE.
const GRACE: Duration = Duration::from_secs(1);
/// So many orders may wait.
const ORDERS: usize = 32;
/// An outcome that has not come after so long does not come any more.
const OUTCOME: Duration = Duration::from_secs(60);

/// A UPS of another server.
pub(crate) struct UpstreamSource {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    upstream: Upstream,
    max_age: Rc<Cell<Duration>>,
    clock: DeviceClock,
    log: Log,
    state: RefCell<State>,
    wake: Notify,
    lost: RefCell<Seldom>,
    said: RefCell<Seldom>,
}

struct State {
    freshness: Freshness,
    heard: Moment,
    mirror: Mirror,
    orders: VecDeque<(client::ClientOrder, WhenEnded)>,
}

/// What can be set and commanded, and until when that is taken for true; without a time, not at all.
#[derive(Default)]
struct Known {
    lines: Vec<DriverLine>,
    until: Option<Instant>,
}

impl UpstreamSource {
    /// Connects to the server in a task of its own, again and again.
    pub fn spawn(upstream: Upstream, max_age: Rc<Cell<Duration>>, log: Log) -> UpstreamSource {
        let state = State {
            freshness: Freshness::NotConnected,
            heard: Moment::ZERO,
            mirror: Mirror::default(),
            orders: VecDeque::new(),
        };
        let inner = Rc::new(Inner {
            upstream,
            max_age,
            clock: DeviceClock::start(),
            log,
            state: RefCell::new(state),
            wake: Notify::new(),
            lost: RefCell::default(),
            said: RefCell::default(),
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
            self.lose();
            self.say_lost(&why);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn say_lost(&self, why: &str) {
        if let Some(times) = self.lost.borrow_mut().happened(Instant::now()) {
            self.log.warning(&counted(&format!("NUT server {}: {why}", self.place()), times));
        }
    }

    /// Nothing that was said counts any more, and what waits has failed.
    fn lose(&self) {
        let mut state = self.state.borrow_mut();
        (state.freshness, state.mirror) = (Freshness::NotConnected, Mirror::default());
        let orders = std::mem::take(&mut state.orders);
        drop(state);
        for (_, answer) in orders {
            answer(failed("the connection to the other server was lost, so nothing was sent"));
        }
    }

    /// One connection, until it is lost; why.
    async fn connected(&self, pause: &mut Duration) -> String {
        let Upstream { host, port, .. } = &self.upstream;
        let mut line = match UpstreamLine::connect(host, *port).await {
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
        let (mut poll, mut known) = (Instant::now(), Known::default());
        loop {
            if poll <= Instant::now() {
                self.poll(line, &mut known).await?;
                poll = Instant::now() + POLL;
                *pause = PAUSE;
            }
            let order = self.state.borrow_mut().orders.pop_front();
            if let Some((order, answer)) = order {
                self.run_errand(line, order, answer, &mut known).await?;
                // what it changed is seen at once
                poll = Instant::now();
                continue;
            }
            tokio::select! {
                () = sleep_until(poll) => {}
                () = self.wake.notified() => {}
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
        loop {
            next = match next {
                Next::Ask(request) | Next::AskAfter(_, request) => {
                    let (_, answer) = line.ask(request).await?;
                    opening.next(Some(answer))
                }
                Next::StartTls => {
                    let config = client_config(verify, None).map_err(|why| why.to_string())?;
                    line.secure(config, host).await?;
                    opening.next(Some(Ok(client::Answer::StartTls)))
                }
                Next::End(Ok(_)) => return Ok(()),
                Next::End(Err((request, refusal))) => return Err(format!("{request}: {refusal}")),
            };
        }
    }

    /// What can be set and commanded, as a driver would say it.
    async fn survey(&self, line: &mut UpstreamLine) -> Result<Vec<DriverLine>, String> {
        let ups = &self.upstream.ups;
        let mut known = vec![];
        let (items, _) = line.ask(NetworkRequest::List(Having::Commands, ups.clone())).await?;
        known.extend(items.into_iter().filter_map(|item| match item {
            Item::Command(name) => Some(DriverLine::AddCmd(name)),
            _ => None,
        }));
        let (items, _) = line.ask(NetworkRequest::List(Having::Writables, ups.clone())).await?;
        for item in items {
            let Item::Variable { name: variable, .. } = item else { continue };
            let (_, answer) =
                line.ask(NetworkRequest::Get(About::Type, ups.clone(), variable.clone())).await?;
            let Ok(client::Answer::Type(kind)) = answer else { continue };
            let (writable, string, number) = (kind.writable, kind.text.is_some(), kind.number);
            known.push(DriverLine::SetFlags { variable: variable.clone(), writable, string, number });
            if let Some(length) = kind.text {
                known.push(DriverLine::SetAux { variable: variable.clone(), length });
            }
            for values in [(kind.choices, Values::Choices), (kind.ranges, Values::Ranges)] {
                if let (true, values) = values {
                    let request = NetworkRequest::ListValues(values, ups.clone(), variable.clone());
                    let (items, _) = line.ask(request).await?;
                    known.extend(items.into_iter().filter_map(|item| value_line(&variable, item)));
                }
            }
        }
        Ok(known)
    }

    async fn poll(&self, line: &mut UpstreamLine, known: &mut Known) -> Result<(), String> {
        let (items, answer) =
            line.ask(NetworkRequest::List(Having::Variables, self.upstream.ups.clone())).await?;
        let (freshness, mirror) = match answer {
            Ok(_) => {
                if known.until.is_none_or(|until| until <= Instant::now()) {
                    known.lines = self.survey(line).await?;
                    known.until = Some(Instant::now() + SURVEY);
                }
                (Freshness::Fresh, mirror(items, &known.lines))
            }
            Err(refusal) => {
                // it may be another UPS when it is back
                known.until = None;
                let freshness = match refusal.word {
                    Some(ErrorWord::DataStale) => Freshness::Stale,
                    _ => Freshness::NotConnected,
                };
                (freshness, Mirror::default())
            }
        };
        let mut state = self.state.borrow_mut();
        let before = state.freshness;
        (state.freshness, state.heard, state.mirror) = (freshness, self.clock.now(), mirror);
        drop(state);
        if before != freshness {
            let what = match freshness {
                Freshness::Fresh => "is read from",
                Freshness::Stale => "has no fresh data at",
                Freshness::NotConnected => "is not there, or has no driver, at",
            };
            if let Some(times) = self.said.borrow_mut().happened(Instant::now()) {
                self.log.info(&counted(&format!("{what} NUT server {}", self.place()), times));
            }
        }
        Ok(())
    }

    /// Hands an order on and waits for its outcome; the UPS is read meanwhile.
    async fn run_errand(
        &self,
        line: &mut UpstreamLine,
        order: client::ClientOrder,
        answer: WhenEnded,
        known: &mut Known,
    ) -> Result<(), String> {
        let (mut errand, began, mut polled) = (Errand::new(order), Instant::now(), Instant::now());
        let mut next = errand.next(None);
        let ended = loop {
            let request = match next {
                Next::Ask(request) => request,
                Next::AskAfter(wait, request) if began.elapsed() < OUTCOME => {
                    sleep(wait).await;
                    request
                }
                Next::AskAfter(..) => break failed("the other server did not say in time what became of it"),
                // that is of the opening
                Next::StartTls => break failed("the order could not be handed on"),
                Next::End(end) => break ended(end),
            };
            match line.ask(request).await {
                Ok((_, answer)) => next = errand.next(Some(answer)),
                Err(why) => {
                    answer(failed(
                        "the connection to the other server was lost before it said what became of it",
                    ));
                    return Err(why);
                }
            }
            if polled.elapsed() >= POLL {
                polled = Instant::now();
                self.poll(line, known).await?;
            }
        };
        answer(ended);
        Ok(())
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

fn failed(why: &str) -> Ended {
    Ended { outcome: TrackedOutcome::Failed, why: Some(why.into()) }
}

fn ended(end: OrderEnd) -> Ended {
    match end {
        OrderEnd::Done => Ended { outcome: TrackedOutcome::Success, why: None },
        OrderEnd::Failed(outcome) => Ended { outcome, why: None },
        OrderEnd::Accepted => failed("the other server took it, and does not say what became of it"),
        OrderEnd::Refused(refusal) | OrderEnd::Lost(refusal) => failed(&refusal.to_string()),
    }
}

fn value_line(variable: &str, item: Item) -> Option<DriverLine> {
    let variable = variable.to_string();
    match item {
        Item::Choice(value) => Some(DriverLine::AddEnum { variable, value }),
        Item::Range { least, most } => {
            Some(DriverLine::AddRange { variable, least: least.parse().ok()?, most: most.parse().ok()? })
        }
        _ => None,
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

impl Source for UpstreamSource {
    fn freshness(&self) -> Freshness {
        self.inner.freshness()
    }

    fn each_variable(&self, each: &mut dyn FnMut(&Variable<'_>)) {
        self.inner.state.borrow().mirror.each_variable(each);
    }

    fn variable(&self, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        self.inner.state.borrow().mirror.variable(name, tell);
    }

    fn each_choice(&self, name: &str, each: &mut dyn FnMut(&str)) {
        self.inner.state.borrow().mirror.each_choice(name, each);
    }

    fn each_range(&self, name: &str, each: &mut dyn FnMut(i64, i64)) {
        self.inner.state.borrow().mirror.each_range(name, each);
    }

    fn each_command(&self, each: &mut dyn FnMut(&str)) {
        self.inner.state.borrow().mirror.each_command(each);
    }

    fn has_command(&self, name: &str) -> bool {
        self.inner.state.borrow().mirror.has_command(name)
    }

    fn hand_over(&self, order: Order<'_>, _: bool, answer: WhenEnded) -> bool {
        let Upstream { ups, user, .. } = &self.inner.upstream;
        let mut state = self.inner.state.borrow_mut();
        if user.is_none() {
            self.inner.log.warning(
                "an order was refused: the UPS is of another server; add upstream_user and upstream_password",
            );
            return false;
        }
        if state.freshness == Freshness::NotConnected || state.orders.len() >= ORDERS {
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
        state.orders.push_back((order, answer));
        self.inner.wake.notify_one();
        true
    }
}
