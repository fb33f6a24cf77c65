//! Any bytes as qxups.toml: no panic, and what is wrong has a line of the file and is one line itself.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let count = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    match serve::extras::parse(bytes) {
        Ok(extras) => {
            assert!(extras.history.is_none_or(|history| (16..=65_536).contains(&history.size_mib)));
        }
        Err(findings) => {
            assert!(!findings.is_empty());
            for finding in findings {
                assert!((1..=count).contains(&finding.line.unwrap()), "{finding:?}");
                assert!(!finding.text.is_empty() && !finding.text.contains('\n'), "{finding:?}");
            }
        }
    }
});
