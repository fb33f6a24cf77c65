//! A request of HTTP for each notice. Of the answer only the status counts; redirects are followed to nowhere.

use super::wire::{HyperWire, NoticeWire};
use super::{Attempt, Delivery, DeliveryOutcome, NoticeOutput};
use crate::secret::HiddenText;
use crate::template::{NoticeTemplate, PlaceholderEscape};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::http::uri::Scheme;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tls::rustls::ClientConfig;
use tokio::time::timeout;

/// No head of an answer is longer, in bytes; hyper takes no less than 8 KiB.
const HEAD: usize = 16 * 1024;
/// No answer has more headers.
const HEADERS: usize = 64;

/// What is sent where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPlan {
    /// Where to.
    pub url: NoticeTemplate,
    /// The host, for the log; the rest of the URL may be a secret.
    pub shown: String,
    /// `POST` or `PUT`.
    pub method: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, NoticeTemplate)>,
    /// `Content-Type`, by which the body is filled in.
    pub content_type: String,
    /// The body.
    pub body: NoticeTemplate,
    /// What `{{secret}}` is.
    pub secret: HiddenText,
    /// All of it takes no longer.
    pub limit: Duration,
}

/// Sends a request for each notice.
pub struct WebhookOutput {
    plan: WebhookPlan,
    tls: Result<Arc<ClientConfig>, String>,
}

impl WebhookOutput {
    /// By this plan; `tls` says by what the server is known, or why that cannot be.
    pub fn new(plan: WebhookPlan, tls: Result<Arc<ClientConfig>, String>) -> WebhookOutput {
        WebhookOutput { plan, tls }
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> DeliveryOutcome {
        let (uri, request) = match self.request(delivery) {
            Ok(request) => request,
            Err(why) => return DeliveryOutcome::Refused(why),
        };
        let is_sent = Cell::new(false);
        let limit = self.plan.limit;
        match timeout(limit, self.exchange(&uri, request, &is_sent)).await {
            Ok(outcome) => outcome,
            Err(_) if is_sent.get() => {
                DeliveryOutcome::Unknown(format!("no answer within {} s", limit.as_secs()))
            }
            Err(_) => DeliveryOutcome::not_taken(format!("no connection within {} s", limit.as_secs())),
        }
    }

    /// The request as it is sent, with all secrets; an error names none.
    fn request(&self, delivery: &Delivery<'_>) -> Result<(Uri, Request<OnceBody>), String> {
        let WebhookPlan { url, method, headers, content_type, body, secret, .. } = &self.plan;
        let bad = |what: &str| format!("{what} cannot be sent as it is filled in; look at its placeholders");
        let uri: Uri =
            url.fill(delivery, secret, PlaceholderEscape::Url).trim().parse().map_err(|_| bad("url"))?;
        let host = uri.authority().ok_or_else(|| bad("url"))?;
        let host = host.as_str().rsplit('@').next().unwrap_or_default().to_string();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| bad("method"))?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .header(CONNECTION, "close")
            .header("User-Agent", concat!("qxups/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, content_type.as_str());
        for (name, value) in headers {
            let value = value.fill(delivery, secret, PlaceholderEscape::Header);
            request = request.header(name.as_str(), value.trim());
        }
        let body = body.fill(delivery, secret, escape_of(content_type));
        let request =
            request.body(OnceBody(Some(Bytes::from(body.into_bytes())))).map_err(|_| bad("a header"))?;
        Ok((uri, request))
    }

    async fn exchange(&self, uri: &Uri, request: Request<OnceBody>, is_sent: &Cell<bool>) -> DeliveryOutcome {
        let wire = match self.connect(uri).await {
            Ok(wire) => wire,
            Err(why) => return DeliveryOutcome::not_taken(self.without_secrets(why, uri)),
        };
        let built = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            .handshake(wire)
            .await;
        let (mut sender, connection) = match built {
            Ok(both) => both,
            Err(error) => return DeliveryOutcome::not_taken(error.to_string()),
        };
        is_sent.set(true);
        let answer = sender.send_request(request);
        tokio::pin!(connection, answer);
        let mut is_over = false;
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                _ = &mut connection, if !is_over => is_over = true,
            }
        };
        match answer {
            Ok(answer) => judged(&answer),
            Err(error) => DeliveryOutcome::Unknown(format!("no answer that can be read: {error}")),
        }
    }

    async fn connect(&self, uri: &Uri) -> Result<HyperWire, String> {
        let is_encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let wire =
            NoticeWire::connect(host, uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 })).await?;
        if !is_encrypted {
            return Ok(HyperWire(wire));
        }
        wire.secure(self.tls.clone()?, host).await.map(HyperWire)
    }

    /// The host may come from the secret as well.
    fn without_secrets(&self, why: String, uri: &Uri) -> String {
        match uri.host() {
            Some(host) if !host.is_empty() && !self.plan.shown.contains(host) => {
                why.replace(host, "the server")
            }
            _ => why,
        }
    }
}

impl NoticeOutput for WebhookOutput {
    fn send<'o>(&'o self, delivery: &'o Delivery<'o>) -> Attempt<'o> {
        Box::pin(self.deliver(delivery))
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn about(&self) -> String {
        format!("webhook {}", self.plan.shown)
    }
}

/// How a body of this type is filled in.
fn escape_of(content_type: &str) -> PlaceholderEscape {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-www-form-urlencoded" => PlaceholderEscape::Url,
        kind if kind == "application/json" || kind.ends_with("+json") => PlaceholderEscape::Json,
        _ => PlaceholderEscape::Plain,
    }
}

/// What a status means.
fn judged<B>(answer: &Response<B>) -> DeliveryOutcome {
    let status = answer.status();
    let why = |then: &str| format!("the server answers {status}{then}");
    let later = |then: &str| DeliveryOutcome::NotTaken {
        why: why(then),
        again_after_s: asked_pause(answer.headers()),
    };
    match status {
        status if status.is_success() => DeliveryOutcome::Taken,
        // what stands behind a gateway may have taken it
        StatusCode::GATEWAY_TIMEOUT => DeliveryOutcome::Unknown(why("")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            later("; look at the token or the password, and reload")
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE => {
            later("; look at url and method, and reload")
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY => later(""),
        status if status.is_redirection() => later("; redirects are not followed, write the address itself"),
        status if status.is_client_error() => DeliveryOutcome::Refused(why("")),
        _ => later(""),
    }
}

fn asked_pause(headers: &HeaderMap) -> Option<u32> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// A body that is there at once.
struct OnceBody(Option<Bytes>);

impl Body for OnceBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(0)))
    }
}
