//! One request at the entrance: what it says of where it comes from, and its form, read within bounds.

use crate::access::{AccessRefused, BrowserSigns, BrowserWire, Caller, LONGEST_FORM, PostedForm, is_form};
use crate::http::gate::GatePass;
use crate::request::Place;
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::{HeaderMap, header};
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// A form is whole within so long.
pub const FORM_WITHIN: Duration = Duration::from_secs(20);

/// A request, as far as it counts here.
pub(super) struct Visit<'r> {
    pub parts: &'r Parts,
    pub cookies: Vec<&'r str>,
    pub signs: BrowserSigns<'r>,
    pub caller: Caller,
    pub place: &'r Place,
    /// The place of the connection, where something is waited for.
    pub pass: Option<&'r GatePass>,
}

/// The only header of that name; another text than any good one where there are several.
pub(super) fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    Some(first.to_str().ok().filter(|_| all.next().is_none()).unwrap_or("?"))
}

impl<'r> Visit<'r> {
    pub fn of(parts: &'r Parts, place: &'r Place, caller: Caller, pass: Option<&'r GatePass>) -> Visit<'r> {
        let headers = &parts.headers;
        let named = header::HeaderName::from_static;
        let of_proxy = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
        let signs = BrowserSigns {
            origin: single(headers, header::ORIGIN),
            fetch_site: single(headers, named("sec-fetch-site")),
            host: super::super::host_of(&parts.uri, headers, place),
            forwarded_proto: single(headers, named("x-forwarded-proto")),
            is_forwarded: of_proxy.iter().any(|name| headers.contains_key(*name)),
        };
        let cookies =
            headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
        Visit { parts, cookies, signs, caller, place, pass }
    }

    pub fn wire(&self) -> Result<BrowserWire, AccessRefused> {
        self.signs.wire(&self.caller).map_err(|exposed| AccessRefused::new(403, exposed.to_string()))
    }

    /// The form that a page of this server sent.
    pub async fn form(&self, body: Incoming) -> Result<PostedForm, AccessRefused> {
        self.wire()?;
        if !self.signs.is_own_page(self.place) {
            let sentence = "Another page sent this form, or the browser does not say which one did: open the page of this \
                            server, by a name that 'hosts' in [web] of qxups.toml has, and send it from there.";
            return Err(AccessRefused::new(403, sentence));
        }
        if !single(&self.parts.headers, header::CONTENT_TYPE).is_some_and(is_form) {
            return Err(not_a_form());
        }
        read(body).await
    }

    /// What a program sent, which may be nothing. A browser sends its password along to where it once did, so a page of
    /// another server must not ask it to.
    pub async fn program_form(&self, body: Incoming) -> Result<PostedForm, AccessRefused> {
        self.wire()?;
        if !self.signs.is_own_page_or_none(self.place) {
            return Err(AccessRefused::new(403, "A page of another server sent this: it is not taken."));
        }
        let has_type = single(&self.parts.headers, header::CONTENT_TYPE);
        if !body.is_end_stream() && !has_type.is_some_and(is_form) {
            return Err(not_a_form());
        }
        read(body).await
    }
}

fn not_a_form() -> AccessRefused {
    AccessRefused::new(415, "This is no form: send application/x-www-form-urlencoded.")
}

async fn read(body: Incoming) -> Result<PostedForm, AccessRefused> {
    let bytes = timeout(FORM_WITHIN, whole(body)).await;
    let bytes =
        bytes.map_err(|_| AccessRefused::new(408, "The form did not come in time: send it again."))??;
    PostedForm::parse(&bytes).map_err(|wrong| AccessRefused::new(400, wrong.to_string()))
}

/// A body of bounded length.
async fn whole(mut body: Incoming) -> Result<Vec<u8>, AccessRefused> {
    let too_long = || AccessRefused::new(413, "This is too long: a form has 16 kB at most.");
    let longest = LONGEST_FORM as u64;
    if body.size_hint().lower() > longest {
        return Err(too_long());
    }
    let mut bytes = vec![];
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| AccessRefused::new(400, "The form is not whole: send it again."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > LONGEST_FORM {
            return Err(too_long());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
