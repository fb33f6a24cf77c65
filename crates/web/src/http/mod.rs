//! HTTP/1.1 between a connection and [`answer`](crate::answer()). Hyper does the protocol; here are its bounds: headers, times,
//! what a client does not read, how many connect and how many listen to events.
//!
//! Everything runs in tasks of a tokio `LocalRuntime` or `LocalSet`.

mod body;
mod gate;
mod hub;
mod wire;

pub use gate::{CONNECTIONS, Gate, GatePass, Leave};
pub use hub::{Hub, LISTENERS};

use crate::answer::{PageAnswer, PageSource, Whole, answer};
use crate::request::{Asked, Place};
use body::ReplyBody;
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;
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
}

/// Serves one connection until it ends. `ticket` is its place at the [`Gate`], which it leaves with this.
pub async fn serve<S: Live + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    site: Rc<S>,
    ticket: GatePass,
) {
    let ticket = Rc::new(ticket);
    let service = service_fn(|request: Request<Incoming>| {
        let response = respond(&request, &site, &ticket);
        async move { Ok::<_, Infallible>(response) }
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

fn respond<S: Live + 'static>(
    request: &Request<Incoming>,
    site: &Rc<S>,
    ticket: &Rc<GatePass>,
) -> Response<ReplyBody> {
    let response = match answered(request, site) {
        PageAnswer::Whole(whole) => of_whole(whole, request),
        PageAnswer::Events(ups) if request.method() == Method::HEAD => {
            drop(ups);
            of_events(ReplyBody::nothing())
        }
        PageAnswer::Events(ups) => match site.hub().listen(site, ups) {
            Some(stream) => {
                ticket.listens();
                of_events(ReplyBody::Events(stream))
            }
            None => {
                let sentence = "As many clients listen to events as this server lets; try again later.";
                let mut response = of_whole(Whole::sentence(503, sentence), request);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
                response
            }
        },
    };
    ticket.asked();
    site.answered(response.status().as_u16());
    response
}

fn answered<S: Live>(request: &Request<Incoming>, site: &Rc<S>) -> PageAnswer {
    let headers = request.headers();
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut hosts = headers.get_all(header::HOST).iter();
    let only = hosts.next().and_then(|value| value.to_str().ok()).filter(|_| hosts.next().is_none());
    let place = site.place();
    // a whole address as target counts, and a Host beside it has to be ours as well (RFC 9112, 3.2.2)
    let host = match request.uri().authority() {
        Some(authority) if only.is_none_or(|host| place.is_ours(Some(host))) => Some(authority.as_str()),
        Some(_) => None,
        None => only,
    };
    // several headers of that name are one list
    let accepts: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = accepts.join(",");
    let asked = Asked {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query(),
        host,
        accept: (!accept.is_empty()).then_some(accept.as_str()),
        known: text(header::IF_NONE_MATCH),
        has_body: !request.body().is_end_stream(),
    };
    answer(&asked, &place, &**site)
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

fn of_whole(whole: Whole, request: &Request<Incoming>) -> Response<ReplyBody> {
    let Whole { status, content_type, body, tag, is_last } = whole;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = with_headers(status, content_type, ReplyBody::whole(body));
    let headers = response.headers_mut();
    let keeping = if tag.is_some() { "no-cache" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keeping));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    if content_type.contains("version=") {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if is_last || request.version() == Version::HTTP_10 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
