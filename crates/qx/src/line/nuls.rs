//! NULs around a reply. A converter fills its reports up with them, and some say "nothing" so (NUT 2.8.5
//! nutdrv_qx.c, ippon_command: an empty reply is `00 0D`); a line that is pulled low or wakes up makes one.
//! They are no part of a text, but may be one of a checksum or of a binary reply.

use crate::protocols;
use crate::wire::query::Query;

/// What a line says in answer to `command`: the line without the NULs around it, unless a reply to this
/// question ends in them; `None` when it is nothing else, or empty.
pub fn without_nuls(command: &[u8], mut line: Vec<u8>) -> Option<Vec<u8>> {
    let is_text = |byte: &u8| *byte != 0;
    let (from, to) = (line.iter().position(is_text)?, line.iter().rposition(is_text)? + 1);
    if (from, to) == (0, line.len()) || line == command {
        return Some(line);
    }
    // no reply begins with one
    line.drain(..from);
    line.truncate(end_of(command, &line, to - from));
    Some(line)
}

/// Where a line ends whose last byte but NULs stands before `text`: by the dialect that packs it, else by
/// one that reads it.
fn end_of(command: &[u8], line: &[u8], text: usize) -> usize {
    let queries = protocols::ALL.iter().flat_map(|protocol| protocol.queries);
    let asked: Vec<&Query> = queries.copied().filter(|query| query.wire(0) == command).collect();
    let fit = |query: &&Query, end: usize| query.read(&line[..end]).ok();
    let packed = |end: usize| asked.iter().filter(|query| query.codec.is_some()).find_map(|q| fit(q, end));
    // a line with its checksum, and a zero behind it, has a right checksum as well, and so has one that ends in
    // a zero without that: the drawn form decides, and where a text may have any length, the zero is the UPS's
    let exactly = (text..=line.len()).rev().find(|end| packed(*end).is_some_and(|fit| fit.odd.is_none()));
    let somehow = || (text..=line.len()).rev().find(|end| packed(*end).is_some());
    let is_read = |end: &usize| asked.iter().any(|query| fit(query, *end).is_some());
    exactly.or_else(somehow).or_else(|| [text, line.len()].into_iter().find(is_read)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";

    fn told(command: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        without_nuls(command, parts.concat())
    }

    #[test]
    fn nothing_but_nuls_is_nothing() {
        for count in [0, 1, 2, 64, 512] {
            for command in [&b"Q1"[..], b"Q", b"", b"\0"] {
                assert_eq!(told(command, &[&vec![0; count]]), None, "{count}");
            }
        }
    }

    #[test]
    fn nuls_around_a_text_are_none_of_it() {
        for (before, after) in [(0, 0), (1, 0), (0, 1), (1, 1), (7, 16)] {
            let (before, after) = (vec![0; before], vec![0; after]);
            assert_eq!(told(b"Q1", &[&before, STATUS, &after]).as_deref(), Some(STATUS));
            // commands have no picture
            assert_eq!(told(b"S.5R0003", &[&before, b"(NAK", &after]).as_deref(), Some(&b"(NAK"[..]));
            assert_eq!(told(b"Q", &[&before, b"Q", &after]).as_deref(), Some(&b"Q"[..]), "an echo");
        }
        let torn = [&STATUS[..9], b"\0", &STATUS[10..]].concat();
        assert_eq!(told(b"Q1", &[&torn]), Some(torn), "one in the middle stays");
    }

    /// Ablerex: the numbers of Q5 are two bytes each (NUT 2.8.0 nutdrv_qx_ablerex.c).
    #[test]
    fn a_binary_reply_keeps_its_zeros() {
        let binary = [&b"(\x01\xf4"[..], &[0; 4], b"\x05\x50\x03\xc0", &[0; 10]].concat();
        assert_eq!(binary.len(), 21);
        assert_eq!(told(b"Q5", &[&binary]), Some(binary.clone()));
        assert_eq!(told(b"Q5", &[b"\0", &binary]), Some(binary));
        assert_eq!(told(b"At", &[b"(\0\0\x01\0"]), Some(b"(\0\0\x01\0".to_vec()));
    }

    /// A checksum of axpert may end in a zero: of all texts one in 256 has such a one.
    #[test]
    fn a_checksum_keeps_its_zero() {
        let codec = protocols::VOLTRONIC_AXPERT.codec.unwrap();
        let asked =
            |ask: &str| protocols::VOLTRONIC_AXPERT.queries.iter().find(|query| query.ask == ask).unwrap();
        let (text, drawn) = (asked("QID"), asked("QPIGS"));
        let texts = (0..100_000u32).map(|n| format!("(9293{n:010}"));
        let status = |n| {
            format!(
                "(230.0 50.0 230.0 50.0 {n:04} 0100 010 380 26.80 000 100 0035 0000 000.0 00.00 00000 00010000 00 00 00000 110"
            )
        };
        for (query, lines, trails) in [
            (text, texts.collect::<Vec<_>>(), &[&b""[..]][..]),
            (drawn, (0..10_000).map(status).collect(), &[b"", b"\0", b"\0\0\0"]),
        ] {
            let packed = lines.iter().map(|line| (codec.pack_reply)(line.as_bytes()));
            let zeros: Vec<Vec<u8>> =
                packed.filter(|line| line.ends_with(b"\0") && query.read(line).is_ok()).take(20).collect();
            assert_eq!(zeros.len(), 20, "{}", query.ask);
            for line in zeros {
                for trail in trails {
                    for lead in [&b""[..], b"\0", b"\0\0"] {
                        let told = told(&query.wire(0), &[lead, &line, trail]).unwrap();
                        // a stray zero may pass for part of what nobody reads there
                        assert!(told == line || !trail.is_empty(), "{}", told.escape_ascii());
                        let (said, meant) = (query.read(&told).unwrap(), query.read(&line).unwrap());
                        assert_eq!(said.readings, meant.readings, "{}", told.escape_ascii());
                    }
                }
            }
        }
    }
}
