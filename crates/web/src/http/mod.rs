//! HTTP/1.1 between a connection and [`answer`](crate::answer()). Hyper does the protocol; here are its bounds: headers, times,
//! what a client does not read, how many connect and how many listen to events.
//!
//! Everything runs in tasks of a tokio `LocalRuntime` or `LocalSet`.

mod body;
mod entrance;
mod gate;
mod hub;
mod pack;
mod shelf;
mod wire;

pub use entrance::{Entrance, FORM_WITHIN, OUTCOME_WITHIN};
pub use gate::{CONNECTIONS, Gate, GatePass, Leave};
pub use hub::{Hub, LISTENERS};

use crate::access::Caller;
use crate::answer::{PageAnswer, PageSource, Whole, answer, shared};
use crate::past::{Past, PastAsk, PastQuestion, PastTrouble, past_answer};
use crate::request::{Asked, Place};
use body::ReplyBody;
use entrance::EntranceAnswer;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use shelf::{ServedAnswer, Shelf};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use wire::{HyperStream, TokioTimer};

/// The head of a request is whole within so long, also after the request before it: a connection that rests is closed then.
pub const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// A client that takes nothing of its answer for so long is dropped.
pub const TAKES_WITHIN: Duration = Duration::from_secs(15);
/// The head of a request is no longer, in bytes.
pub const LONGEST_HEAD: usize = 8 * 1024;
/// And has no more headers.
const HEADERS: usize = 64;

/// The server, as its HTTP connections know it.
pub trait Live: PageSource {
    /// By which names it may be called, and where it lies.
    fn place(&self) -> Rc<Place>;
    /// An answer with this status goes out.
    fn answered(&self, status: u16);
    /// Says to those who listen to events what is new.
    fn hub(&self) -> &Hub;
    /// Asks the history. It is read elsewhere: who waits for it waits alone.
    fn past(&self, question: PastQuestion) -> PastFuture {
        let _ = question;
        Box::pin(std::future::ready(Err(PastTrouble::Off)))
    }
    /// Where users log in; none where all can only be read.
    fn entrance(&self) -> Option<Rc<Entrance>> {
        None
    }
}

/// What the history has, some time later.
pub type PastFuture = Pin<Box<dyn Future<Output = Result<Past, PastTrouble>>>>;

/// A response that is there, or that waits for the history.
enum Reply {
    Now(Response<ReplyBody>),
    Later(Pin<Box<dyn Future<Output = Response<ReplyBody>>>>),
}

/// Serves one connection until it ends, on which all can only be read. `pass` is its place at the [`Gate`], which it leaves with
/// this.
pub async fn serve<S: Live + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    site: Rc<S>,
    pass: GatePass,
) {
    serve_caller(stream, site, pass, None).await;
}

/// The same for a caller who may log in, where the server has an entrance.
pub async fn serve_caller<S: Live + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    site: Rc<S>,
    pass: GatePass,
    caller: Option<Caller>,
) {
    let pass = Rc::new(pass);
    let service = service_fn(|request: Request<Incoming>| {
        let (site, pass) = (site.clone(), pass.clone());
        async move { Ok::<_, Infallible>(respond(request, &site, &pass, caller).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer)
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(2 * LONGEST_HEAD)
        .max_header_size(LONGEST_HEAD)
        .max_headers(HEADERS)
        .half_close(false);
    // a client that broke off, or was too slow, needs no word
    let _ = http.serve_connection(HyperStream::new(stream), service).await;
}

/// Whether a body is as long as hyper takes it to be, which goes by the last coding alone (RFC 9112, 6.1): under `gzip, chunked`
/// it would be packed bytes.
fn is_body_understood(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let only = codings.next();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    only.is_none_or(is_chunked) && codings.next().is_none()
}

async fn respond<S: Live + 'static>(
    request: Request<Incoming>,
    site: &Rc<S>,
    pass: &Rc<GatePass>,
    caller: Option<Caller>,
) -> Response<ReplyBody> {
    if !is_body_understood(request.headers()) {
        let sentence = "This server takes no Transfer-Encoding but chunked: send the body as it is.";
        let whole = Whole { is_last: true, ..Whole::sentence(501, sentence) };
        site.answered(whole.status);
        return of_whole(ServedAnswer::of(whole), request.version());
    }
    let way_in = caller.zip(site.entrance()).and_then(|(caller, entrance)| {
        let place = site.place();
        let door = entrance.door(&request, &place, caller)?;
        Some((caller, entrance, place, door))
    });
    let response = match way_in {
        Some((caller, entrance, place, door)) => {
            let version = request.version();
            // on the heap while it lasts: connections that only read do without
            let answer = Box::pin(entrance.answer(&door, request, &**site, &place, (caller, pass))).await;
            of_entrance(answer, version, &site.hub().shelf)
        }
        None => match answered(&request, site, pass) {
            Reply::Now(response) => response,
            Reply::Later(response) => {
                pass.asked();
                response.await
            }
        },
    };
    pass.asked();
    site.answered(response.status().as_u16());
    response
}

/// Waits for what the history has.
fn from_the_past<S: Live + 'static>(ask: PastAsk, site: Rc<S>, packed: bool, version: Version) -> Reply {
    let found = site.past(ask.question.clone());
    Reply::Later(Box::pin(async move {
        let whole = past_answer(&ask, &*site, found.await);
        let answer = served(whole, &site.hub().shelf, packed);
        answer.map_or_else(|| later(FULL, version), |answer| of_whole(answer, version))
    }))
}

/// Said where there is no room for an answer.
const FULL: &str = "Too many answers wait for clients that do not read them; try again later.";

/// An answer as it is sent; none where there is no room for it.
fn served(mut whole: Whole, shelf: &Shelf, packed: bool) -> Option<ServedAnswer> {
    let is_packed = packed && pack::pack(&mut whole);
    shelf.served(whole, is_packed)
}

fn answered<S: Live + 'static>(request: &Request<Incoming>, site: &Rc<S>, pass: &Rc<GatePass>) -> Reply {
    let (headers, place) = (request.headers(), site.place());
    let host = host_of(request.uri(), headers, &place);
    // several headers of that name are one list
    let list = |name| {
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(",")
    };
    let accept = list(header::ACCEPT);
    let (packed, version) = (pack::accepts_gzip(&list(header::ACCEPT_ENCODING)), request.version());
    let asked = Asked {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query(),
        host,
        accept: (!accept.is_empty()).then_some(accept.as_str()),
        known: headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()),
        has_body: !request.body().is_end_stream(),
    };
    let (shelf, what) = (&site.hub().shelf, shared(&asked, &place));
    if let Some(answer) = what.and_then(|what| shelf.take(what, packed)) {
        return Reply::Now(of_whole(answer, version));
    }
    let began = Instant::now();
    let whole = match answer(&asked, &place, &**site) {
        PageAnswer::Whole(whole) => whole,
        PageAnswer::Past(ask) => return from_the_past(ask, site.clone(), packed, version),
        PageAnswer::Events(_) if request.method() == Method::HEAD => {
            return Reply::Now(of_events(ReplyBody::nothing()));
        }
        PageAnswer::Events(ups) => match site.hub().listen(site, ups) {
            Some(stream) => {
                pass.listens();
                return Reply::Now(of_events(ReplyBody::Events(stream)));
            }
            None => {
                let sentence = "As many clients listen to events as this server lets; try again later.";
                return Reply::Now(later(sentence, version));
            }
        },
    };
    Reply::Now(match served(whole, shelf, packed) {
        Some(answer) => {
            what.into_iter().for_each(|what| shelf.keep(what, &answer, began.elapsed()));
            of_whole(answer, version)
        }
        None => later(FULL, version),
    })
}

/// The name by which the client calls the server; none where it gives none, several, or two that differ.
fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap, place: &Place) -> Option<&'r str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let only = hosts.next().and_then(|value| value.to_str().ok()).filter(|_| hosts.next().is_none());
    // a whole address as target counts, and a Host beside it has to be ours as well (RFC 9112, 3.2.2)
    match uri.authority() {
        Some(authority) if only.is_none_or(|host| place.is_ours(Some(host))) => Some(authority.as_str()),
        Some(_) => None,
        None => only,
    }
}

/// There is no room now.
fn later(sentence: &str, version: Version) -> Response<ReplyBody> {
    let mut response = of_whole(ServedAnswer::of(Whole::sentence(503, sentence)), version);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    response
}

/// What is in a page comes from this server alone, and no other page may show it in itself.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'";

fn with_headers(status: StatusCode, content_type: &'static str, reply: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(reply);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn of_events(reply: ReplyBody) -> Response<ReplyBody> {
    let mut response = with_headers(StatusCode::OK, "text/event-stream", reply);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would collect events otherwise
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// What came of a request at the entrance.
fn of_entrance(answer: EntranceAnswer, version: Version, shelf: &Shelf) -> Response<ReplyBody> {
    // never packed: by its length a secret in it could be guessed (BREACH)
    let EntranceAnswer { whole, cookies, location, allow, asks_who } = answer;
    let Some(whole) = shelf.served(whole, false) else {
        return later(FULL, version);
    };
    let mut response = of_whole(whole, version);
    let headers = response.headers_mut();
    // browsers say where a form comes from only where this lets them
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if asks_who {
        let how = HeaderValue::from_static("Basic realm=\"qxups\", charset=\"UTF-8\"");
        headers.insert(header::WWW_AUTHENTICATE, how);
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn of_whole(answer: ServedAnswer, version: Version) -> Response<ReplyBody> {
    let ServedAnswer { status, content_type, body, tag, is_last, is_packed } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with_headers(status, content_type, ReplyBody::whole(body));
    let headers = response.headers_mut();
    let keeping = if tag.is_some() { "no-cache" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keeping));
    // weak: it stands for the text, packed or not
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(header::ETAG, tag);
    }
    let depends =
        if content_type.contains("version=") { "Accept, Accept-Encoding" } else { "Accept-Encoding" };
    headers.insert(header::VARY, HeaderValue::from_static(depends));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if is_last || version == Version::HTTP_10 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
