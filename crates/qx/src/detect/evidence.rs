//! What a search found and why: for the log, and for reports.

use super::{Detection, SignReply, is_refusal};
use crate::vocabulary::escape::escape;
use crate::wire::protocol::{Protocol, Sign};

/// How questions were answered, for people: what stands before and behind them.
const OUTCOMES: [(&str, &str); 4] =
    [("", " answered"), ("", " answered in another form"), ("", " refused"), ("no reply to ", "")];

impl Detection {
    /// The evidence in one line: which questions were answered how.
    pub fn summary(&self, protocol: &Protocol) -> String {
        let outcome = |heard: &SignReply| {
            let sign = protocol.signs.iter().find(|sign| sign.query().wire(0) == heard.ask);
            let holds = sign.is_some_and(|sign| self.holds(sign, heard.line.as_deref()));
            let is_name = || {
                let names = self.known.iter().flat_map(|known| known.names.iter());
                names.into_iter().any(|(ask, line)| *ask == heard.ask && heard.line.as_ref() == Some(line))
            };
            OUTCOMES[match &heard.line {
                None => 3,
                Some(_) if holds || is_name() => 0,
                Some(line) if is_refusal(&heard.ask, line) => 2,
                Some(_) => 1,
            }]
        };
        let told = |what: &(&str, &str)| {
            let of = self.heard.iter().filter(|heard| outcome(heard) == *what);
            let mut asks: Vec<&str> = of.map(|heard| heard.query.ask).collect();
            asks.dedup();
            (!asks.is_empty()).then(|| format!("{}{}{}", what.0, asks.join(", "), what.1))
        };
        OUTCOMES.iter().filter_map(told).collect::<Vec<_>>().join("; ")
    }

    /// Why it is this dialect, for people: how each question was answered, and which sign each dialect that
    /// goes before it lacks.
    pub fn evidence(&self, protocol: &Protocol) -> Vec<String> {
        let heard = |heard: &SignReply| {
            let ask = escape(&heard.ask);
            match &heard.line {
                None => format!("{ask}: no reply in {} ms", heard.patience.as_millis()),
                Some(line) if is_refusal(&heard.ask, line) => format!("{ask}: refused by '{}'", escape(line)),
                Some(line) => format!("{ask}: '{}'", escape(line)),
            }
        };
        let lacks = |other: &&'static Protocol| {
            let missing = |sign: &&Sign| {
                self.heard_to(sign.query()).is_some_and(|heard| !self.holds(sign, heard.line.as_deref()))
            };
            let sign = other.signs.iter().find(missing)?;
            Some(format!("not {}: the reply to {} does not match", other.name, sign.query().ask))
        };
        let before = self.candidates.iter().take_while(|other| !std::ptr::eq(**other, protocol));
        self.heard.iter().map(heard).chain(before.filter_map(lacks)).collect()
    }
}
