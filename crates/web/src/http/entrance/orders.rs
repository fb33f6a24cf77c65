//! Orders of those who are logged in: the question, the order, and what became of it.

use super::visit::Visit;
use super::{Entrance, EntranceAnswer, foreign_token, logged_out, now};
use crate::access::{AccessRefused, Answered, PageOrder, PageOutcome, PostedForm, is_same};
use crate::answer::PageSource;
use crate::escape;
use crate::page;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The page of an outcome waits for it so long.
pub const OUTCOME_WITHIN: Duration = Duration::from_secs(10);

impl Entrance {
    /// The question before an order.
    pub(super) fn ask(
        &self,
        name: &str,
        visit: &Visit<'_>,
        source: &dyn PageSource,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let Some(known) = self.known(visit) else { return Ok(to_login(name)) };
        let query = PostedForm::parse(visit.parts.uri.query().unwrap_or_default().as_bytes());
        let query = query.map_err(|wrong| AccessRefused::new(400, wrong.to_string()))?;
        let order = order_of(&query)?;
        is_short(&order)?;
        let fleet = source.one(name);
        let ups = fleet.find(name).ok_or_else(|| no_such_ups(name))?;
        self.site.check(&known.account, &ups.name, &order)?;
        let controls = self.site.controls(&known.account, &ups.name);
        let about = match &order {
            PageOrder::Command { name, .. } => {
                controls.commands.iter().find(|command| command.name == *name).map(|command| &command.about)
            }
            PageOrder::Set { variable, .. } => controls
                .settings
                .iter()
                .find(|setting| setting.name == *variable)
                .map(|setting| &setting.about),
        };
        let about = about.map(String::as_str).filter(|about| !about.is_empty());
        let mark = self.site.secret()?;
        let unit = self.site.unit(&ups.name).unwrap_or_default();
        self.session(visit, |session| session.questions.ask(mark, (&ups.name, unit), order.clone(), now()))
            .ok_or_else(logged_out)?;
        Ok(EntranceAnswer::page(200, page::question(ups, &order, about, &known.token, &mark.text())))
    }

    /// Gives the order that a question was about, once.
    pub(super) async fn give(
        &self,
        name: &str,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        let known = self.known(visit).ok_or_else(logged_out)?;
        if !is_same(known.token.as_bytes(), form.get("token").unwrap_or_default().as_bytes()) {
            return Err(foreign_token());
        }
        let mark = form.get("mark").unwrap_or_default();
        let unit = self.site.unit(name).unwrap_or_default();
        let answered = self.session(visit, |session| session.questions.answer(mark, (name, unit), now()));
        let number = match answered.ok_or_else(logged_out)? {
            Answered::Before(number) => number,
            Answered::Unasked => {
                let sentence = "Nothing was sent: the question was asked too long ago, before others, or of another UPS that had this name. Go back, and ask again.";
                return Err(AccessRefused::new(409, sentence));
            }
            Answered::Give(number, order) => {
                let (sender, seen) = watch::channel(None);
                // it counts as given before anything is done: whatever comes then, it is not given again
                self.session(visit, |session| session.questions.give(number, seen)).ok_or_else(logged_out)?;
                let given = self.site.give(&known.account, &visit.caller, name, &order, sender.clone());
                if let Err(refused) = given {
                    sender.send_replace(Some(PageOutcome::NotGiven(refused.sentence)));
                }
                number
            }
        };
        Ok(EntranceAnswer::see(format!("outcome?id={number}")))
    }

    /// What became of an order; a moment is waited for it.
    pub(super) async fn outcome(
        &self,
        name: &str,
        visit: &Visit<'_>,
        source: &dyn PageSource,
    ) -> Result<EntranceAnswer, AccessRefused> {
        if self.known(visit).is_none() {
            return Ok(to_login(name));
        }
        let unknown = || AccessRefused::new(404, "Nothing is known of such an order in this session.");
        let query = PostedForm::parse(visit.parts.uri.query().unwrap_or_default().as_bytes()).ok();
        let number = query.as_ref().and_then(|query| query.get("id")?.parse().ok()).ok_or_else(unknown)?;
        let given = self.session(visit, |session| session.questions.outcome(number, name)).flatten();
        let (order, mut seen) = given.ok_or_else(unknown)?;
        let seen = match timeout(OUTCOME_WITHIN, seen.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            // the driver is gone, and says nothing any more
            Ok(Err(_)) => Some(PageOutcome::Unseen),
            Err(_) => None,
        };
        let fleet = source.one(name);
        let ups = fleet.find(name).ok_or_else(|| no_such_ups(name))?;
        Ok(EntranceAnswer::page(200, page::outcome(ups, &order, seen.as_ref())))
    }
}

pub(super) fn no_such_ups(name: &str) -> AccessRefused {
    AccessRefused::new(
        404,
        format!("No UPS here is called '{name}'; see ups.conf of the server for the names."),
    )
}

fn to_login(ups: &str) -> EntranceAnswer {
    let mut location = String::from("../../login?ups=");
    escape::segment(ups, &mut location);
    EntranceAnswer::see(location)
}

/// No value is longer, in letters: one of NUT has 256 bytes with its end (NUT 2.8.0 include/extstate.h).
const LONGEST_VALUE: usize = 250;

/// Whether a value is short enough for every driver.
pub(super) fn is_short(order: &PageOrder) -> Result<(), AccessRefused> {
    let value = match order {
        PageOrder::Command { value, .. } => value.as_deref().unwrap_or_default(),
        PageOrder::Set { value, .. } => value,
    };
    if value.chars().count() <= LONGEST_VALUE {
        return Ok(());
    }
    Err(AccessRefused::new(400, format!("The value is too long: {LONGEST_VALUE} letters are the most.")))
}

/// What is asked for: a command with its parameter, or a variable with its new value.
fn order_of(query: &PostedForm) -> Result<PageOrder, AccessRefused> {
    match (query.some("command"), query.some("setting"), query.get("value")) {
        (Some(name), None, value) => {
            let value = value.filter(|value| !value.is_empty()).map(String::from);
            Ok(PageOrder::Command { name: name.into(), value })
        }
        (None, Some(variable), Some(value)) => {
            Ok(PageOrder::Set { variable: variable.into(), value: value.into() })
        }
        _ => Err(AccessRefused::new(
            400,
            "This asks for nothing: choose a command or a setting on the page of the UPS.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_command_or_a_setting() {
        let order = |text: &str| order_of(&PostedForm::parse(text.as_bytes()).unwrap()).ok();
        let command = |name: &str, value: Option<&str>| {
            Some(PageOrder::Command { name: name.into(), value: value.map(String::from) })
        };
        assert_eq!(order("command=load.off"), command("load.off", None));
        assert_eq!(order("command=load.off&value="), command("load.off", None));
        assert_eq!(order("command=test.battery.start&value=60"), command("test.battery.start", Some("60")));
        let set = Some(PageOrder::Set { variable: "ups.id".into(), value: String::new() });
        assert_eq!(order("setting=ups.id&value="), set);
        for nothing in ["", "command=", "setting=ups.id", "command=a&setting=b&value=c", "value=1"] {
            assert_eq!(order(nothing), None, "{nothing}");
        }
    }
}
