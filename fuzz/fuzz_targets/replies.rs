//! Any bytes as the reply to any query: no panic, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::protocols;

fuzz_target!(|bytes: &[u8]| {
    for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
        if let Ok(fit) = query.read(bytes) {
            let again = query.read(&query.write(&fit.readings));
            assert!(again.is_ok(), "{} {}", query.ask, bytes.escape_ascii());
        }
        let _ = qx::text::explain::explain(query, bytes);
    }
});
