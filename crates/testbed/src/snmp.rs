//! A manager of the tests' own: writes requests and reads answers by X.690 and RFC 3416, with nothing of the crate.

/// An element of less than 64 kB.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=127 => vec![tag, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&head[..], content].concat()
}

pub fn oid(text: &str) -> Vec<u8> {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    let mut bytes = vec![(parts[0] * 40 + parts[1]) as u8];
    for part in &parts[2..] {
        let mut digits = vec![(part & 0x7f) as u8];
        let mut rest = part >> 7;
        while rest > 0 {
            digits.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.extend(digits.iter().rev());
    }
    tlv(6, &bytes)
}

/// A request: kind, its two numbers, names.
pub fn request(version: u8, community: &str, kind: u8, numbers: (i8, i8), names: &[&str]) -> Vec<u8> {
    let bindings: Vec<u8> =
        names.iter().flat_map(|name| tlv(0x30, &[oid(name), vec![5, 0]].concat())).collect();
    let number = |number: i8| vec![2, 1, number as u8];
    let id = vec![2, 4, 0x12, 0x34, 0x56, 0x78];
    let pdu = [id, number(numbers.0), number(numbers.1), tlv(0x30, &bindings)].concat();
    tlv(0x30, &[vec![2, 1, version], tlv(4, community.as_bytes()), tlv(kind, &pdu)].concat())
}

pub const GET: u8 = 0xa0;
pub const NEXT: u8 = 0xa1;
pub const SET: u8 = 0xa3;
pub const BULK: u8 = 0xa5;

/// Takes an element off.
pub fn take<'b>(bytes: &mut &'b [u8]) -> (u8, &'b [u8]) {
    let (tag, first, mut rest) = (bytes[0], bytes[1], &bytes[2..]);
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        length = rest[..count].iter().fold(0, |sum, digit| sum * 256 + usize::from(*digit));
        rest = &rest[count..];
    }
    let (content, behind) = rest.split_at(length);
    *bytes = behind;
    (tag, content)
}

fn name(content: &[u8]) -> String {
    let mut parts = vec![u32::from(content[0] / 40), u32::from(content[0] % 40)];
    let mut part = 0_u32;
    for byte in &content[1..] {
        part = part << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            parts.push(part);
            part = 0;
        }
    }
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

fn value(tag: u8, content: &[u8]) -> String {
    let number = || {
        let start = if content[0] & 0x80 == 0 { 0 } else { -1 };
        content.iter().fold(start, |sum: i64, digit| sum << 8 | i64::from(*digit))
    };
    match tag {
        2 => format!("INTEGER {}", number()),
        4 => format!("STRING {}", String::from_utf8_lossy(content)),
        6 => format!("OID {}", name(content)),
        0x41 => format!("Counter32 {}", number()),
        0x42 => format!("Gauge32 {}", number()),
        0x43 => format!("Timeticks {}", number()),
        5 => "NULL".into(),
        0x80 => "noSuchObject".into(),
        0x81 => "noSuchInstance".into(),
        0x82 => "endOfMibView".into(),
        _ => panic!("tag {tag:x}"),
    }
}

/// An answer, or a trap.
#[derive(Debug, PartialEq, Eq)]
pub struct Heard {
    pub version: u8,
    pub community: String,
    pub kind: u8,
    pub numbers: [i64; 3],
    pub bindings: Vec<(String, String)>,
}

/// Reads it; all of it has to be there.
pub fn heard(mut bytes: &[u8]) -> Heard {
    let (tag, mut message) = take(&mut bytes);
    assert_eq!((tag, bytes.len()), (0x30, 0));
    let version = take(&mut message).1[0];
    let community = String::from_utf8(take(&mut message).1.into()).unwrap();
    let (kind, mut pdu) = take(&mut message);
    assert!(message.is_empty());
    let numbers = [0; 3].map(|_| {
        let (tag, content) = take(&mut pdu);
        value(tag, content).strip_prefix("INTEGER ").unwrap().parse().unwrap()
    });
    let (tag, mut list) = take(&mut pdu);
    assert_eq!((tag, pdu.len()), (0x30, 0));
    let mut bindings = vec![];
    while !list.is_empty() {
        let (_, mut binding) = take(&mut list);
        let (_, name_of) = take(&mut binding);
        let (tag, content) = take(&mut binding);
        bindings.push((name(name_of), value(tag, content)));
    }
    Heard { version, community, kind, numbers, bindings }
}
