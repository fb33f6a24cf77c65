//! Any bytes as ups.conf: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let conf = nut::ups_conf::parse(bytes);
    for section in &conf.sections {
        assert!(conf.section(&section.name).is_some());
    }
});
