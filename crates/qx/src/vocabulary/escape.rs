//! Bytes as text: in captures, in files, in the log.

/// Bytes as they stand in a capture; [`unescape`] is its reverse.
pub fn escape(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'\\' => "\\\\".to_string(),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(letter).collect()
}

/// Bytes from a text in which `\xNN` stands for a byte and a backslash stands before a backslash; the
/// driver's log writes quotes, tabs and line feeds with one as well. `None` when it is written otherwise.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (vec![], text.as_bytes());
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (kind, tail) = rest.split_first()?;
        rest = tail;
        bytes.push(match kind {
            b'\\' | b'"' | b'\'' => *kind,
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'x' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                rest = rest.get(2..)?;
                u8::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}
