//! Pages, JSON and metrics over HTTP, where `[web]` of `qxups.toml` says: the [`web`] crate before this server's fleet.
//!
//! Nothing of it exists as long as it listens nowhere.

mod listen;
mod process;
mod stream;
mod view;

pub(crate) use listen::Pages;

use crate::fleet::Ups;
use crate::server::Server;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use web::http::{Gate, Hub, Live};
use web::view::{AnswerCounts, EnergyCounts, FleetView, HistoryView, ProcessView, ServerView, UpsView};
use web::{PageSource, Place};

/// The server, as its pages see it.
pub(crate) struct PageDesk {
    server: Rc<Server>,
    hub: Hub,
    gate: Rc<Gate>,
    place: RefCell<Rc<Place>>,
    answers: Cell<AnswerCounts>,
}

impl PageDesk {
    fn new(server: Rc<Server>) -> Rc<PageDesk> {
        Rc::new(PageDesk {
            server,
            hub: Hub::default(),
            gate: Gate::new(web::http::CONNECTIONS),
            place: RefCell::default(),
            answers: Cell::default(),
        })
    }

    fn server_view(&self) -> ServerView {
        ServerView {
            version: env!("CARGO_PKG_VERSION"),
            clients: self.server.peers.borrow().len(),
            answers: self.answers.get(),
            connections: self.gate.connections(),
            dropped_connections: self.gate.dropped(),
            process: None,
            history: self.history(),
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

    /// One UPS, with the energy that a history counts.
    fn view(&self, ups: &Ups) -> UpsView {
        let energy = self.server.chronicle.borrow().as_ref().and_then(|there| there.energy_of(ups.name()));
        let energy = energy.map(|[said_wh, computed_wh]| EnergyCounts { said_wh, computed_wh });
        let mut view = view::of(ups);
        view.energy = energy;
        view
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
}
