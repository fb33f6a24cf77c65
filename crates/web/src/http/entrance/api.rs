//! The same for programs: `POST .../commands/NAME` and `PUT .../settings/NAME`, each with name and password (HTTP Basic). There is
//! no session and no question: a program that sends an order means it, once.

use super::orders::{OUTCOME_WITHIN, is_short, no_such_ups};
use super::visit::{Visit, single};
use super::{Entrance, EntranceAnswer};
use crate::access::{AccessRefused, LoginSeen, PageAccount, PageOrder, PageOutcome, PostedForm};
use crate::answer::Whole;
use crate::escape;
use hyper::body::Incoming;
use hyper::header;
use tokio::sync::watch;
use tokio::time::timeout;

/// No header is longer that has a name and a password.
const LONGEST: usize = 2048;

impl Entrance {
    pub(super) async fn api_command(
        &self,
        ups: &str,
        command: &str,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = only_value(visit.program_form(body).await?)?;
        let account = self.basic(visit).await?;
        let value = form.some("value").map(String::from);
        self.api_give(&account, ups, PageOrder::Command { name: command.into(), value }, visit).await
    }

    pub(super) async fn api_set(
        &self,
        ups: &str,
        variable: &str,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = only_value(visit.program_form(body).await?)?;
        let account = self.basic(visit).await?;
        let Some(value) = form.get("value") else {
            return Err(AccessRefused::new(400, "The new value is missing: send value=... as a form."));
        };
        let order = PageOrder::Set { variable: variable.into(), value: value.into() };
        self.api_give(&account, ups, order, visit).await
    }

    /// The user of the request.
    async fn basic(&self, visit: &Visit<'_>) -> Result<PageAccount, AccessRefused> {
        let who = |sentence| AccessRefused::new(401, sentence);
        let given = single(&visit.parts.headers, header::AUTHORIZATION).and_then(credentials);
        let (name, password) = given.ok_or_else(|| who("Send name and password of a user (HTTP Basic)."))?;
        match self.checked(visit, &name, &password).await? {
            LoginSeen::Fits(account) => Ok(account),
            LoginSeen::Wrong => {
                Err(who("Name and password do not fit, or the user may not log in from here."))
            }
            LoginSeen::Later => {
                Err(AccessRefused::new(503, "Too many passwords wait to be checked. Try again in a minute."))
            }
        }
    }

    async fn api_give(
        &self,
        account: &PageAccount,
        ups: &str,
        order: PageOrder,
        visit: &Visit<'_>,
    ) -> Result<EntranceAnswer, AccessRefused> {
        if self.site.unit(ups).is_none() {
            return Err(no_such_ups(ups));
        }
        is_short(&order)?;
        let (sender, mut seen) = watch::channel(None);
        self.site.give(account, &visit.caller, ups, &order, sender)?;
        let seen = match timeout(OUTCOME_WITHIN, seen.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            Ok(Err(_)) => Some(PageOutcome::Unseen),
            Err(_) => None,
        };
        let (status, word, text) = match seen {
            Some(PageOutcome::Done) => (200, "done", "The driver reports it as done; a UPS may round a value, and one without a word for it is taken to have obeyed when it refused nothing: read its values.".into()),
            Some(PageOutcome::Failed(why)) => {
                let why = why.unwrap_or_else(|| "the UPS did not do it, or it is not known".into());
                // no status that has libraries send an order again by themselves
                (409, "failed", format!("Not done, or not confirmed. The driver reports: {why}"))
            }
            Some(PageOutcome::NotGiven(why)) => return Err(AccessRefused::new(503, why)),
            Some(PageOutcome::Unseen) | None => (
                202,
                "unseen",
                "Handed over; nothing says yet whether the UPS did it. Look at its values.".into(),
            ),
        };
        let mut json = format!("{{\"outcome\":\"{word}\",\"text\":");
        escape::json(&text, &mut json);
        json.push('}');
        Ok(EntranceAnswer::of(Whole::json(status, json)))
    }
}

/// A form with nothing but a value.
fn only_value(form: PostedForm) -> Result<PostedForm, AccessRefused> {
    if form.has_only("value") {
        return Ok(form);
    }
    Err(AccessRefused::new(400, "There is no such field: send value=... alone."))
}

/// Name and password of `Basic` (RFC 7617), in UTF-8.
fn credentials(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("Basic") && header.len() <= LONGEST;
    let text = String::from_utf8(is_basic.then(|| base64(text.trim()))??).ok()?;
    let (name, password) = text.split_once(':')?;
    let is_line = |part: &str| !part.contains(char::is_control);
    (is_line(name) && is_line(password)).then(|| (name.into(), password.into()))
}

/// What base64 stands for (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if text.len() % 4 != 0 || text.len() - bare.len() > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (vec![], 0u32, 0);
    for byte in bare.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10, and RFC 7617, section 2.
    #[test]
    fn name_and_password_are_read() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for wrong in ["Z", "Zg", "Zg=", "Zg===", "====", "Zm9v Zm9v", "Zm9-"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
        let pair = |name: &str, password: &str| Some((name.to_string(), password.to_string()));
        assert_eq!(credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(credentials("basic dGVzdDoxMjPCow=="), pair("test", "123\u{a3}"));
        for wrong in ["", "Basic", "Bearer QTpC", "Basic QQ==", "Basic /zo=", "Basic CjpC", "Basic !"] {
            assert_eq!(credentials(wrong), None, "{wrong}");
        }
    }
}
