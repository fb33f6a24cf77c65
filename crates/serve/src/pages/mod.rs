//! Pages, JSON and metrics over HTTP, where `[web]` of `qxups.toml` says: the [`web`] crate before this server's fleet.
//!
//! Nothing of it exists as long as it listens nowhere.

mod access;
mod account;
mod control;
mod listen;
mod past;
mod process;
mod stream;
mod view;

pub(crate) use listen::Pages;

use crate::fleet::Ups;
use crate::server::Server;
use access::UserDesk;
use past::PastReader;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use web::http::{Entrance, Gate, Hub, Live, PastFuture};
use web::view::{AnswerCounts, EnergyCounts, FleetView, HistoryView, ProcessView, ServerView, UpsView};
use web::{PageSource, PastQuestion, PastTrouble, Place};

/// The server, as its pages see it.
pub(crate) struct PageDesk {
    server: Rc<Server>,
    hub: Hub,
    gate: Rc<Gate>,
    place: RefCell<Rc<Place>>,
    answers: Cell<AnswerCounts>,
    past: PastReader,
    /// Where users log in; none where all can only be read.
    entrance: RefCell<Option<(Rc<UserDesk>, Rc<Entrance>)>>,
}

impl PageDesk {
    fn new(server: Rc<Server>) -> Rc<PageDesk> {
        Rc::new(PageDesk {
            server,
            hub: Hub::default(),
            gate: Gate::new(web::http::CONNECTIONS),
            place: RefCell::default(),
            answers: Cell::default(),
            past: PastReader::default(),
            entrance: RefCell::default(),
        })
    }

    /// One UPS as pages show it.
    fn view(&self, ups: &Ups) -> UpsView {
        let mut view = view::of(ups);
        if let Some(chronicle) = &*self.server.chronicle.borrow() {
            view.has_history = true;
            let energy = chronicle.energy_of(ups.name());
            view.energy = energy.map(|[said_wh, computed_wh]| EnergyCounts { said_wh, computed_wh });
        }
        view
    }

    /// Lets users log in, or not. Those of upsd.users may be others than before.
    fn admit_users(&self, may_log_in: bool, lasting: &Path) {
        let mut entrance = self.entrance.borrow_mut();
        match &*entrance {
            _ if !may_log_in => *entrance = None,
            Some((users, sessions)) => {
                users.look_again();
                sessions.look_again(|account| users.is_same(account));
            }
            None => {
                let users = UserDesk::new(self.server.clone(), lasting);
                let sessions = Rc::new(Entrance::new(users.clone()));
                *entrance = Some((users, sessions));
            }
        }
    }

    fn server_view(&self) -> ServerView {
        ServerView {
            version: env!("CARGO_PKG_VERSION"),
            clients: self.server.peers.borrow().len(),
            answers: self.answers.get(),
            connections: self.gate.connections(),
            dropped_connections: self.gate.dropped(),
            process: None,
            has_login: self.entrance.borrow().is_some(),
            history: self.history(),
            protection: self.server.protection.borrow().as_ref().map(|protector| protector.view()),
        }
    }

    fn history(&self) -> Option<HistoryView> {
        let state = self.server.chronicle.borrow().as_ref()?.state()?;
        Some(HistoryView {
            is_written: state.opened && state.trouble.is_none(),
            written: state.written,
            failed: state.failed,
            lost: state.lost_ever,
        })
    }
}

impl fmt::Debug for PageDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageDesk").field("hub", &self.hub).finish_non_exhaustive()
    }
}

impl PageSource for PageDesk {
    fn fleet(&self) -> FleetView {
        let upses = self.server.fleet.borrow().all().iter().map(|ups| self.view(ups)).collect();
        FleetView { upses, server: self.server_view() }
    }

    fn process(&self) -> Option<ProcessView> {
        process::view()
    }

    fn one(&self, name: &str) -> FleetView {
        let found = self.server.fleet.borrow().find(name).cloned();
        let upses = found.iter().map(|ups| self.view(ups)).collect();
        FleetView { upses, server: self.server_view() }
    }
}

impl Live for PageDesk {
    fn place(&self) -> Rc<Place> {
        self.place.borrow().clone()
    }

    fn answered(&self, status: u16) {
        let mut answers = self.answers.get();
        match status {
            ..400 => answers.good += 1,
            400..500 => answers.refused += 1,
            500.. => answers.failed += 1,
        }
        self.answers.set(answers);
    }

    fn hub(&self) -> &Hub {
        &self.hub
    }

    fn past(&self, question: PastQuestion) -> PastFuture {
        let Some(chronicle) = self.server.chronicle.borrow().clone() else {
            return Box::pin(std::future::ready(Err(PastTrouble::Off)));
        };
        let name = self.server.fleet.borrow().find(&question.ups).map(|ups| ups.name().to_string());
        let most = question.outages;
        let found = self.past.ask(chronicle.path().to_path_buf(), question);
        Box::pin(async move {
            let mut past = found.await?;
            if let Some(latest) = name.and_then(|name| chronicle.latest_outage(&name)) {
                past::bring_up_to_now(&mut past, &latest, most);
            }
            Ok(past)
        })
    }

    fn entrance(&self) -> Option<Rc<Entrance>> {
        self.entrance.borrow().as_ref().map(|(_, entrance)| entrance.clone())
    }
}
