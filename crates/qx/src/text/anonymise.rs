//! Anonymising: a reply without what belongs to its owner alone, in a form that still reads.
//!
//! A serial number stands where the picture has one, or in any text: makers put it into the place of the model or
//! of the firmware. There it is told by its looks, so what is likely one is masked, and what may be one is
//! remarked upon.

use crate::vocabulary::variable::{DEVICE_SERIAL, UPS_SERIAL, Var};
use crate::wire::query::{Meaning, Query};
use std::collections::BTreeSet;
use std::ops::Range;

/// What tells one unit from all others of its kind. Dates of make, firmware and the number on a shared
/// line do not, and help the reader of a capture.
pub const PRIVATE: [&Var; 2] = [&UPS_SERIAL, &DEVICE_SERIAL];

impl Query {
    /// Whether its reply holds what is private.
    pub fn is_private(&self) -> bool {
        PRIVATE.iter().any(|var| self.speaks_of(var))
    }

    /// The words in the texts of a reply that look like a serial number; none when it does not fit the picture.
    pub fn suspects(&self, reply: &[u8]) -> Vec<(Vec<u8>, Looks)> {
        let Some(plain) = self.unpack(reply) else { return vec![] };
        let Ok((pieces, _)) = self.lay(&plain) else { return vec![] };
        let is_text = |meaning: &Meaning| matches!(meaning, Meaning::Text(var) if !PRIVATE.contains(var));
        let texts = pieces.into_iter().filter(|(field, _)| is_text(&field.meaning));
        let texts = texts.filter_map(|(_, at)| plain.get(at));
        texts
            .flat_map(|text| suspects(text).into_iter().map(|one| (text[one.at].to_vec(), one.looks)))
            .collect()
    }

    fn unpack(&self, reply: &[u8]) -> Option<Vec<u8>> {
        self.codec.map_or_else(|| Some(reply.to_vec()), |codec| (codec.unpack_reply)(reply))
    }

    /// The reply with its private fields [`masked`], and what is likely a serial number in its texts, packed
    /// anew; `None` when it does not fit the picture, so that their places are not known, or would not fit any
    /// more.
    pub fn anonymise(&self, reply: &[u8]) -> Option<Vec<u8>> {
        let mut plain = self.unpack(reply)?;
        let (pieces, before) = self.lay(&plain).ok()?;
        let bare = plain.clone();
        for (field, at) in pieces {
            let is_private = field.vars().iter().any(|var| PRIVATE.contains(var));
            let piece = plain.get_mut(at)?;
            let hidden = match field.meaning {
                _ if is_private => masked(piece),
                Meaning::Text(_) => without_suspects(piece, Looks::Long),
                _ => continue,
            };
            piece.copy_from_slice(&hidden);
        }
        if plain == bare {
            return Some(reply.to_vec());
        }
        let (_, after) = self.lay(&plain).ok()?;
        let is_alike = after.readings.status == before.readings.status && after.odd == before.odd;
        is_alike.then(|| self.codec.map_or_else(|| plain.clone(), |codec| (codec.pack_reply)(&plain)))
    }
}

/// As many X; blanks and the `#` that pads stay. (Zeros in place of digits would say to some that there is
/// no number.)
pub fn masked(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b' ' | b'#') { *byte } else { b'X' }).collect()
}

/// How much a word looks like a serial number, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Looks {
    /// It may be one as well as a version, a date or a rating.
    Perhaps,
    /// It is longer than those.
    Long,
    /// It is called one.
    Labelled,
}

/// A word in a text that looks like a serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Where it stands in the text.
    pub at: Range<usize>,
    /// How much it does.
    pub looks: Looks,
}

/// So many digits behind a label are a number of a unit; fewer may be a rating.
const LABELLED: usize = 5;
/// So many letters and digits with so many digits among them, so many of them different, are likely one: longer
/// than versions and dates.
const LONG: (usize, usize, usize) = (10, 9, 4);
/// So many digits may be one.
const PERHAPS: usize = 6;

/// What stands before a serial number, the longer before the shorter.
const LABELS: [&[u8]; 10] = [
    b"SERIAL NUMBER",
    b"SERIAL NO",
    b"SERIALNO",
    b"SERIAL",
    b"SERNO",
    b"SER",
    b"S/NO",
    b"S/N",
    b"S.N.",
    b"SN",
];

/// What looks like a serial number in a text.
pub fn suspects(text: &[u8]) -> Vec<Suspect> {
    let (mut found, mut at) = (vec![], 0);
    while let Some(begin) = (at..text.len()).find(|at| text[*at].is_ascii_alphanumeric()) {
        let value = labelled(&text[begin..]).map(|label| begin + label);
        let from = value.unwrap_or(begin);
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || value.is_some() && *byte == b'-';
        let length = text[from..].iter().take_while(|byte| is_inside(byte)).count();
        let end = from + length;
        found.extend(judge(&text[from..end], value.is_some()).map(|looks| Suspect { at: from..end, looks }));
        at = end.max(begin + 1);
    }
    found
}

/// The length of a label at the beginning of a text, and of what stands between it and its number.
fn labelled(text: &[u8]) -> Option<usize> {
    let is_there =
        |label: &&&[u8]| text.get(..label.len()).is_some_and(|head| head.eq_ignore_ascii_case(label));
    let label = LABELS.iter().find(is_there)?;
    let rest = &text[label.len()..];
    let between = rest.iter().take_while(|byte| b" :.=#-/".contains(byte)).count();
    // SNR-1000 is a name, SN 1000 is not
    let number = &rest[between..];
    let begins = |count: usize| number.iter().take(count).any(u8::is_ascii_digit);
    (begins(1) || between > 0 && begins(4)).then_some(label.len() + between)
}

/// How much a word looks like a serial number, if it does.
fn judge(word: &[u8], labelled: bool) -> Option<Looks> {
    let digits: Vec<u8> = word.iter().copied().filter(u8::is_ascii_digit).collect();
    let kinds = digits.iter().collect::<BTreeSet<_>>().len();
    let (least, least_digits, least_kinds) = LONG;
    let is_long = word.len() >= least && digits.len() >= least_digits && kinds >= least_kinds;
    match (labelled, digits.len()) {
        (true, LABELLED..) => Some(Looks::Labelled),
        (true, 1..) => Some(Looks::Perhaps),
        _ if is_long => Some(Looks::Long),
        // a row of one digit pads, and of noughts and ones it is bits
        (_, PERHAPS..) if kinds > 2 => Some(Looks::Perhaps),
        _ => None,
    }
}

/// The text, with every word [`masked`] that looks so much like a serial number.
pub fn without_suspects(text: &[u8], least: Looks) -> Vec<u8> {
    let mut hidden = text.to_vec();
    for Suspect { at, .. } in suspects(text).into_iter().filter(|suspect| suspect.looks >= least) {
        let mask = masked(&text[at.clone()]);
        hidden[at].copy_from_slice(&mask);
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols;
    use crate::vocabulary::value::Value;
    use crate::wire::readings::Readings;

    /// In every dialect that knows a serial number: it is gone, nothing else is, and the reply reads.
    #[test]
    fn a_serial_number_is_gone_and_the_reply_still_reads() {
        let mut seen = 0;
        for query in
            protocols::ALL.iter().flat_map(|protocol| protocol.queries).filter(|query| query.is_private())
        {
            let mut readings = Readings::default();
            for var in PRIVATE {
                readings.say(var, Some(Value::text("A-12")));
            }
            let reply = query.write(&readings);
            let hidden = query.anonymise(&reply).unwrap();
            assert_eq!(hidden.len(), reply.len(), "{}", query.ask);
            let (before, after) = (query.read(&reply).unwrap(), query.read(&hidden).unwrap());
            for ((var, before), (_, after)) in before.readings.values.iter().zip(&after.readings.values) {
                let wanted = if PRIVATE.contains(var) { Some(Value::text("XXXX")) } else { before.clone() };
                assert_eq!(*after, wanted, "{}: {}", query.ask, var.name);
            }
            seen += 1;
        }
        assert!(seen >= 4, "{seen}");
    }

    #[test]
    fn what_does_not_fit_is_not_touched() {
        let query =
            protocols::ALL.iter().flat_map(|protocol| protocol.queries).find(|query| query.is_private());
        assert_eq!(query.unwrap().anonymise(b"?"), None);
    }

    #[test]
    fn what_looks_like_a_serial_number_is_told() {
        use Looks::{Labelled, Long, Perhaps};
        for (text, expected) in [
            ("SN12345678", &[("12345678", Labelled)][..]),
            ("sn:12345", &[("12345", Labelled)]),
            ("S/N 0009-12345", &[("0009-12345", Labelled)]),
            ("Serial No AB12345", &[("AB12345", Labelled)]),
            ("serial number: 12-34567", &[("12-34567", Labelled)]),
            ("SERIALNO.AB12345", &[("AB12345", Labelled)]),
            ("QXUPS SN12345678 V1.0", &[("12345678", Labelled)]),
            ("SN1000VA", &[("1000VA", Perhaps)]),
            ("SNR-UPS-ONRM", &[]),
            ("SENOID 3000", &[]),
            ("83250701100123", &[("83250701100123", Long)]),
            ("A0Z25110005109G", &[("A0Z25110005109G", Long)]),
            // versions, dates, ratings and padding of real units
            ("V01020405A", &[("V01020405A", Perhaps)]),
            ("00007207", &[("00007207", Perhaps)]),
            ("240923", &[("240923", Perhaps)]),
            ("AS041811", &[("AS041811", Perhaps)]),
            ("222222222222222222222222222R1.4.016", &[]),
            ("PR1500LCDRTXL2U", &[]),
            ("JP00106G", &[]),
            ("WELLI10000VA", &[]),
            ("VERFW:01213.00", &[]),
            ("(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000", &[]),
            ("", &[]),
            ("SN", &[]),
            ("S/N:", &[]),
        ] {
            let found: Vec<_> = suspects(text.as_bytes())
                .into_iter()
                .map(|suspect| (&text[suspect.at], suspect.looks))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn just_below_a_bound_it_is_less() {
        for (text, expected) in [
            ("SN1234", Some(Looks::Perhaps)),
            ("SN12345", Some(Looks::Labelled)),
            ("12345", None),
            ("123456", Some(Looks::Perhaps)),
            ("123456789", Some(Looks::Perhaps)),
            ("1234567890", Some(Looks::Long)),
            ("12345678AB", Some(Looks::Perhaps)),
            ("123456789A", Some(Looks::Long)),
            ("1112223331", Some(Looks::Perhaps)),
            ("1112223334", Some(Looks::Long)),
        ] {
            assert_eq!(suspects(text.as_bytes()).first().map(|suspect| suspect.looks), expected, "{text}");
        }
    }

    /// In every text of every dialect: the number is gone, the reply has its length and reads.
    #[test]
    fn a_serial_number_in_any_text_is_gone() {
        let mut seen = 0;
        for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
            for field in query.fields {
                let Meaning::Text(var) = field.meaning else { continue };
                let mut readings = Readings::default();
                readings.say(var, Some(Value::text("SN12345678")));
                let reply = query.write(&readings);
                // some fields are too short for one
                if !reply.windows(10).any(|part| part == b"SN12345678") || query.read(&reply).is_err() {
                    continue;
                }
                let hidden = query.anonymise(&reply).unwrap();
                assert!(!hidden.windows(5).any(|part| part == b"12345"), "{}: {}", query.ask, var.name);
                assert_eq!(hidden.len(), reply.len(), "{}", query.ask);
                assert!(query.read(&hidden).is_ok(), "{}", query.ask);
                seen += 1;
            }
        }
        assert!(seen > 15, "{seen}");
    }
}
