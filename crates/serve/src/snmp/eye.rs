//! What is seen of one UPS for SNMP, over time and now.

use crate::fleet::{HearsStatus, NOTHING_YET, Ups, has_word};
use crate::server::Server;
use ::snmp::{Look, MibView, UpsFacts, UpsWatch};
use nut::network::server::UpsId;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// One UPS, since it is looked at.
pub(super) struct UpsEye {
    pub ups: UpsId,
    pub watch: RefCell<UpsWatch>,
    began: Instant,
    /// A client forces a shutdown, as of the last look.
    is_forced: Cell<bool>,
}

impl UpsEye {
    /// From now on.
    pub fn new(ups: UpsId) -> UpsEye {
        let watch = RefCell::new(UpsWatch::new());
        UpsEye { ups, watch, began: Instant::now(), is_forced: Cell::new(false) }
    }

    /// Since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Looks at its UPS.
    pub fn look(&self, server: &Server) {
        let hub: Rc<dyn HearsStatus> = server.status_hub.clone();
        let fleet = server.fleet.borrow();
        let Some(ups) = fleet.get(self.ups) else { return };
        self.is_forced.set(ups.forced_shutdown());
        let mut texts: [String; 4] = Default::default();
        let is_fresh = ups.with_source(false, |source| {
            // a source may have begun anew
            source.tell_status(ups.name(), &hub);
            let names = ["ups.status", "ups.alarm", "ups.test.result", "battery.test.status"];
            for (name, text) in names.into_iter().zip(&mut texts) {
                source.variable(name, &mut |variable| text.push_str(variable.value));
            }
            has_word(source)
        });
        let [words, alarm, result, status] = &texts;
        let test = if result.is_empty() { status } else { result };
        let words = self.words(words);
        self.watch.borrow_mut().look(Look { is_fresh, words: &words, alarm, test }, self.now());
    }

    /// Its UPS says a status.
    pub fn hear(&self, words: &str) {
        if words == NOTHING_YET {
            return;
        }
        self.watch.borrow_mut().hear(&self.words(words), self.now());
    }

    fn words(&self, words: &str) -> String {
        if self.is_forced.get() { format!("FSD {words}") } else { words.into() }
    }

    /// All objects, as they are now; `contact` and `location` as `qxups.toml` has them.
    pub fn view(&self, server: &Server, contact: &str, location: &str) -> MibView {
        let fleet = server.fleet.borrow();
        let Some(ups) = fleet.get(self.ups) else { return MibView::default() };
        let variables = variables(ups);
        let variable = |name: &str| {
            let at = variables.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
            Some(variables[at].1.clone())
        };
        ups.with_description(|description| {
            MibView::of(&UpsFacts {
                name: ups.name(),
                description,
                contact,
                location,
                version: env!("CARGO_PKG_VERSION"),
                is_fresh: ups.with_source(false, has_word),
                is_forced: ups.forced_shutdown(),
                variables: &variable,
                watch: &self.watch.borrow(),
                now: self.now(),
            })
        })
    }
}

/// The variables of a UPS by their names.
fn variables(ups: &Ups) -> Vec<(String, String)> {
    let mut all = vec![];
    ups.with_source((), |source| {
        source
            .each_variable(&mut |variable| all.push((variable.name.to_string(), variable.value.to_string())));
    });
    all.sort_unstable();
    all
}
