//! The checksum of axpert against published questions and replies (`captures/replies/axpert-crc.txt`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::protocols::VOLTRONIC_AXPERT;

#[test]
fn checksums_are_those_that_were_published() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures/replies/axpert-crc.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let codec = VOLTRONIC_AXPERT.codec.unwrap();
    let mut count = 0;
    for line in
        text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("source:") && !line.is_empty())
    {
        let (plain, crc) = line.rsplit_once(' ').unwrap();
        let packed = (codec.pack_question)(plain.as_bytes());
        let hex: String = packed[plain.len()..].iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(hex, crc.to_uppercase(), "{line}");
        assert_eq!((codec.unpack_reply)(&packed).as_deref(), Some(plain.as_bytes()));
        let mut noisy = packed;
        noisy[0] ^= 1;
        assert_eq!((codec.unpack_reply)(&noisy), None, "{line}");
        count += 1;
    }
    assert!(count >= 5, "only {count} lines");
}
