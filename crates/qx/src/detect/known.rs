//! What the search for the dialect found, kept for the next start: the dialect, and by what words the UPS
//! names itself.
//!
//! Most dialects differ from their variants in what the UPS does *not* answer, which takes long to find out.
//! A UPS that reports maker, model or serial number in the very same words is the same unit, or its twin: then
//! one reply is enough. One that reports no name has to show the signs of its dialect, and the driver asks what
//! would show a variant while it works already.

use crate::options::Options;
use crate::vocabulary::escape::{escape, unescape};
use crate::vocabulary::variable::{
    DEVICE_MFR, DEVICE_MODEL, DEVICE_SERIAL, UPS_MFR, UPS_MODEL, UPS_SERIAL, Var,
};
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};

/// The first line of the text that is kept.
const HEADER: &str = "qxups-dialect 1";
/// By these a UPS is named.
const NAMING: [&Var; 6] = [&DEVICE_MFR, &DEVICE_MODEL, &DEVICE_SERIAL, &UPS_MFR, &UPS_MODEL, &UPS_SERIAL];
/// So many letters and digits are a name.
const NAME: usize = 6;

/// A dialect that was found before, and what the UPS answered to the questions by which it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDialect {
    /// The dialect.
    pub protocol: String,
    /// Whether the dialect was found twice in a row. Once, a reply may have been lost that spoke for a
    /// variant.
    pub confirmed: bool,
    /// Questions and replies, as on the wire; the first is the one to ask.
    pub names: Vec<(Vec<u8>, Vec<u8>)>,
}

impl KnownDialect {
    /// What is to be kept of a UPS that speaks `protocol`; `reply` gives what it said to a question.
    pub fn of<'a>(protocol: &Protocol, reply: impl Fn(&Query) -> Option<&'a [u8]>) -> KnownDialect {
        let signs = protocol.signs.iter().map(|sign| sign.query());
        let is_sign = |query: &Query| signs.clone().any(|sign| std::ptr::eq(sign, query));
        let others = protocol.queries.iter().copied().filter(|query| !is_sign(query));
        let asked = signs.clone().chain(others).filter(|query| query.cadence == Cadence::Once);
        let named = |query: &'static Query| {
            let line = reply(query).filter(|line| is_name(query, line))?.to_vec();
            Some((query.wire(0), line))
        };
        KnownDialect {
            protocol: protocol.name.into(),
            confirmed: false,
            names: asked.filter_map(named).collect(),
        }
    }

    /// What was found at the last start, as far as it counts at this one.
    pub fn kept(options: &Options) -> Option<KnownDialect> {
        KnownDialect::of_memory(options.dialect_memory.as_deref(), options)
    }

    /// The same, of a text that was kept since then.
    pub fn of_memory(memory: Option<&str>, options: &Options) -> Option<KnownDialect> {
        let first = options.candidates().first().copied();
        let kept = memory.filter(|_| options.protocol.is_none()).and_then(KnownDialect::parse);
        // a release that did not go by the converter may have taken it for another
        kept.filter(|known| {
            options.first_dialect.is_none() || first.is_some_and(|first| first.name == known.protocol)
        })
    }

    /// The same, confirmed when it was found so before.
    #[must_use]
    pub fn after(self, before: Option<&KnownDialect>) -> KnownDialect {
        let same = |before: &KnownDialect| before.protocol == self.protocol && before.names == self.names;
        KnownDialect { confirmed: before.is_some_and(same), ..self }
    }

    /// Whether one reply that is as before says all.
    pub fn is_enough(&self) -> bool {
        self.confirmed && !self.names.is_empty()
    }

    /// As text, for a file.
    pub fn text(&self) -> String {
        let names = self.names.iter().map(|(ask, line)| format!("> {}\n< {}\n", escape(ask), escape(line)));
        let times = if self.confirmed { "twice" } else { "once" };
        format!("{HEADER}\nprotocol {}\nfound {times}\n{}end\n", self.protocol, names.collect::<String>())
    }

    /// Reads such a text; `None` when it is not whole.
    pub fn parse(text: &str) -> Option<KnownDialect> {
        let mut lines = text.strip_suffix("end\n")?.lines();
        if lines.next()? != HEADER {
            return None;
        }
        let protocol = lines.next()?.strip_prefix("protocol ")?.to_string();
        let confirmed = match lines.next()? {
            "found once" => false,
            "found twice" => true,
            _ => return None,
        };
        let mut names = vec![];
        while let Some(ask) = lines.next() {
            let (ask, line) = (ask.strip_prefix("> ")?, lines.next()?.strip_prefix("< ")?);
            names.push((unescape(ask)?, unescape(line)?));
        }
        Some(KnownDialect { protocol, confirmed, names })
    }
}

/// Whether a reply holds a name: blanks and zeros are none.
fn is_name(query: &Query, line: &[u8]) -> bool {
    let telling = |byte: &&u8| byte.is_ascii_alphanumeric() && **byte != b'0';
    let says = |fit: crate::wire::read::Fit| NAMING.iter().any(|var| fit.readings.value(var).is_some());
    line.iter().filter(telling).count() >= NAME && query.read(line).is_ok_and(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols;

    #[test]
    fn what_is_kept_is_read_again() {
        let line: &[u8] = b"#MAKER\x80          MODEL\\     V1.0      ";
        let known = KnownDialect::of(&protocols::MEGATEC, |query| (query.ask == "I").then_some(line));
        assert_eq!(known.names, [(b"I".to_vec(), line.to_vec())]);
        assert!(!known.confirmed && !known.clone().after(None).confirmed);
        assert!(known.clone().after(Some(&known)).is_enough());
        let text = known.text();
        assert_eq!(KnownDialect::parse(&text).as_ref(), Some(&known));
        for cut in 0..text.len() {
            assert_eq!(text.get(..cut).and_then(KnownDialect::parse), None, "{cut}");
        }
    }

    #[test]
    fn blanks_name_nobody() {
        let blank = [b"#".as_slice(), &[b' '; 30], b"V1.0"].concat();
        let known = KnownDialect::of(&protocols::MEGATEC, |_| Some(&blank));
        assert!(known.names.is_empty() && !known.clone().after(Some(&known)).is_enough());
    }

    #[test]
    fn ratings_name_nobody() {
        let ratings: &[u8] = b"#230.0 004 24.00 50.0";
        let known = KnownDialect::of(&protocols::MUSTEK, |query| (query.ask == "F").then_some(ratings));
        assert!(known.names.is_empty());
    }

    #[test]
    fn what_was_found_without_the_converter_does_not_count() {
        let kept = |name: &str| KnownDialect { protocol: name.into(), confirmed: true, names: vec![] }.text();
        for (first, kept_one, counts) in [
            (None, "q1", true),
            (Some("omron"), "q1", false),
            (Some("omron"), "omron", true),
            // of a driver that does not know it
            (None, "omron", true),
        ] {
            let options =
                Options { first_dialect: first, dialect_memory: Some(kept(kept_one)), ..Options::default() };
            assert_eq!(KnownDialect::kept(&options).is_some(), counts, "{first:?} {kept_one}");
        }
    }
}
