//! Any bytes as upsd.conf: no panic, and each fault and remark has a line of the file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let conf = nut::upsd_conf::parse(bytes);
    let count = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let lines =
        conf.wrong.iter().map(|wrong| wrong.line).chain(conf.remarks.iter().map(|remark| remark.line));
    assert!(
        lines.chain(conf.listen.iter().map(|listen| listen.line)).all(|line| (1..=count).contains(&line))
    );
    for wrong in &conf.wrong {
        assert!(!wrong.to_string().is_empty());
    }
});
