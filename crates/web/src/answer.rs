//! From a request to an answer.

use crate::metrics::{self, MetricsFormat};
use crate::page::Visitor;
use crate::past::{PastAsk, PastRoute, PastTrouble};
use crate::request::{Asked, Place, Route};
use crate::view::{DataState, FleetView, ProcessView, UpsView};
use crate::{assets, json, page};
use std::borrow::Cow;

/// An answer that is known as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The status, 200 for example.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The content; a request by HEAD gets its length alone.
    pub body: Cow<'static, [u8]>,
    /// The `ETag` of what never changes in this version; none for what is never kept.
    pub tag: Option<&'static str>,
    /// The connection ends behind it: what the client sent besides is not read.
    pub is_last: bool,
}

impl Whole {
    fn new(status: u16, content_type: &'static str, body: String) -> Whole {
        Whole { status, content_type, body: body.into_bytes().into(), tag: None, is_last: false }
    }

    fn asset(content_type: &'static str, body: &'static str, known: Option<&str>) -> Whole {
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == assets::TAG.as_str())
        });
        let (status, body) = if is_known { (304, "") } else { (200, body) };
        let body = Cow::Borrowed(body.as_bytes());
        Whole { status, content_type, body, tag: Some(&assets::TAG), is_last: false }
    }

    /// A page.
    pub(crate) fn html(status: u16, page: String) -> Whole {
        Whole::new(status, HTML, page)
    }

    /// An answer of the JSON API.
    pub(crate) fn json(status: u16, text: String) -> Whole {
        Whole::new(status, JSON, text)
    }

    /// An answer that is one sentence.
    pub fn sentence(status: u16, text: &str) -> Whole {
        Whole::new(status, PLAIN, format!("{text}\n"))
    }
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageAnswer {
    /// This, and that is all.
    Whole(Whole),
    /// Events from now on: of one UPS, or of all.
    Events(Option<String>),
    /// What the history has of this: [`past_answer`](crate::past_answer) makes an answer of it.
    Past(PastAsk),
}

/// Where the views come from.
pub trait PageSource {
    /// All UPSes.
    fn fleet(&self) -> FleetView;
    /// What the system says of the process, for metrics.
    fn process(&self) -> Option<ProcessView> {
        None
    }
    /// One UPS, whose case does not matter; the others may be left out.
    fn one(&self, name: &str) -> FleetView {
        self.fleet()
            .find(name)
            .cloned()
            .map_or_else(FleetView::default, |ups| FleetView { upses: vec![ups], ..FleetView::default() })
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// Answers a request.
pub fn answer(asked: &Asked<'_>, place: &Place, site: &dyn PageSource) -> PageAnswer {
    PageAnswer::Whole(match checked(asked, place) {
        Err(refused) => refused,
        Ok(Route::Events(ups)) => match ups {
            Some(name) if site.one(&name).find(&name).is_none() => unknown(&name, true),
            ups => return PageAnswer::Events(ups),
        },
        Ok(Route::Past(route)) => match past(route, site) {
            Ok(ask) => return PageAnswer::Past(ask),
            Err(whole) => whole,
        },
        Ok(route) => found(route, asked, site),
    })
}

/// What an answer of all UPSes is the same for: who asks for the same soon may have the same. None for all else.
pub(crate) fn shared(asked: &Asked<'_>, place: &Place) -> Option<SharedAnswer> {
    let kind = match checked(asked, place).ok()? {
        Route::Overview => "page",
        Route::List => "list",
        Route::Metrics => "metrics",
        Route::Hon95(target) if target.as_ref().is_none_or(|target| target.contains(':')) => "nut",
        _ => return None,
    };
    Some(SharedAnswer { kind, format: MetricsFormat::accepted(asked.accept) })
}

/// One of the few answers that have all UPSes in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SharedAnswer {
    kind: &'static str,
    format: MetricsFormat,
}

/// Said to who calls the server by a name that is none of its own.
pub(crate) const OTHER_NAME: &str = "This server has another name: use its address as a number, or add the name to 'hosts' in \
                                     [web] of qxups.toml and reload.";

/// Where the request leads, or why it is refused.
fn checked(asked: &Asked<'_>, place: &Place) -> Result<Route, Whole> {
    let last = |whole: Whole| Whole { is_last: true, ..whole };
    if !place.is_ours(asked.host) {
        return Err(last(Whole::sentence(421, OTHER_NAME)));
    }
    if !matches!(asked.method, "GET" | "HEAD") {
        return Err(last(Whole::sentence(405, "This server can only be read: use GET or HEAD.")));
    }
    if asked.has_body {
        return Err(last(Whole::sentence(413, "No request here has a body: send it without.")));
    }
    place.route(asked.path, asked.query).ok_or_else(|| {
        let is_api = asked.path.contains("/api/");
        let sentence = "There is nothing at this address.";
        if is_api { Whole::new(404, JSON, json::error(sentence)) } else { Whole::sentence(404, sentence) }
    })
}

fn found(route: Route, asked: &Asked<'_>, site: &dyn PageSource) -> Whole {
    let format = MetricsFormat::accepted(asked.accept);
    match route {
        Route::Overview => Whole::new(200, HTML, page::overview(&site.fleet())),
        Route::Page(name) => {
            let fleet = site.one(&name);
            match fleet.find(&name) {
                Some(ups) => Whole::html(200, page::one(ups, &Visitor::Reader(fleet.server.has_login))),
                None => Whole::html(404, page::missing(&name)),
            }
        }
        Route::Style => Whole::asset("text/css; charset=utf-8", assets::STYLE, asked.known),
        Route::Script => Whole::asset("text/javascript; charset=utf-8", assets::SCRIPT, asked.known),
        Route::Icon => Whole::asset("image/svg+xml", assets::ICON, asked.known),
        Route::Plots => Whole::asset("text/javascript; charset=utf-8", assets::PLOTS, asked.known),
        Route::Uplot => Whole::asset("text/javascript; charset=utf-8", assets::UPLOT, asked.known),
        Route::OpenApi => Whole::asset(JSON, assets::OPENAPI, asked.known),
        Route::List => Whole::new(200, JSON, json::list(&site.fleet())),
        Route::Ups(name) => match site.one(&name).find(&name) {
            Some(ups) => Whole::new(200, JSON, json::whole(ups)),
            None => unknown(&name, true),
        },
        Route::Health => Whole::sentence(200, "ok"),
        Route::Metrics => {
            let mut fleet = site.fleet();
            fleet.server.process = site.process();
            Whole::new(200, format.content_type(), metrics::own(&fleet, format))
        }
        Route::Druggeri(name) => druggeri(name, format, site),
        Route::Hon95(target) => hon95(target.as_deref(), format, site),
        // answered before
        Route::Events(_) | Route::Past(_) => Whole::sentence(500, "This is no page."),
    }
}

/// What is to be asked of the history, or why it is not.
fn past(route: PastRoute, site: &dyn PageSource) -> Result<PastAsk, Whole> {
    let fleet = site.one(&route.ups);
    let Some(ups) = fleet.find(&route.ups) else {
        return Err(match route.is_api {
            true => unknown(&route.ups, true),
            false => Whole::html(404, page::missing_below(&route.ups)),
        });
    };
    let mut ask = route.ask.map_err(|sentence| Whole::json(400, json::error(&sentence)))?;
    ask.question.ups = ups.name.clone();
    match ups.has_history {
        true => Ok(ask),
        false => Err(crate::past::past_answer(&ask, site, Err(PastTrouble::Off))),
    }
}

pub(crate) fn unknown(name: &str, is_api: bool) -> Whole {
    let sentence = format!("No UPS here is called '{name}'; see ups.conf of the server for the names.");
    if is_api { Whole::new(404, JSON, json::error(&sentence)) } else { Whole::sentence(404, &sentence) }
}

/// Why there are no values: a scrape that fails is seen by every alert on `up`, as with that exporter.
fn without_data(ups: &UpsView) -> Option<Whole> {
    let why = match ups.state {
        DataState::Fresh => return None,
        DataState::Stale => "its data is stale",
        DataState::NotConnected => "its driver is not connected",
    };
    Some(Whole::sentence(503, &format!("UPS {}: {why}.", ups.name)))
}

fn druggeri(name: Option<String>, format: MetricsFormat, site: &dyn PageSource) -> Whole {
    let fleet = match &name {
        Some(name) => site.one(name),
        None => site.fleet(),
    };
    let ups = match (&name, fleet.upses.as_slice()) {
        (Some(name), _) => fleet.find(name),
        (None, [only]) => Some(only),
        (None, _) => return Whole::sentence(400, "Name one UPS: /ups_metrics?ups=NAME."),
    };
    match ups {
        Some(ups) => without_data(ups)
            .unwrap_or_else(|| Whole::new(200, format.content_type(), metrics::druggeri(ups, format))),
        None => unknown(&name.unwrap_or_default(), false),
    }
}

/// A target is the name of a UPS; HON95's was the address of a NUT server, and means all of this one.
fn hon95(target: Option<&str>, format: MetricsFormat, site: &dyn PageSource) -> Whole {
    let fleet = match target {
        Some(name) if !name.contains(':') => site.one(name),
        _ => site.fleet(),
    };
    if let Some(name) = target.filter(|target| !target.contains(':')) {
        match fleet.find(name).map(without_data) {
            None => return unknown(name, false),
            Some(Some(without)) => return without,
            Some(None) => {}
        }
    }
    let text = metrics::hon95(fleet.upses.iter(), fleet.server.version, format);
    Whole::new(200, format.content_type(), text)
}
