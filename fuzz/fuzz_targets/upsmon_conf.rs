//! Any bytes as upsmon.conf and as upssched.conf: no panic, each fault has a line of the file, and what is written for
//! qxups.toml is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::extras::{self, translate, upsmon};

fuzz_target!(|bytes: &[u8]| {
    let count = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let conf = nut::upsmon_conf::parse(bytes);
    let wrong = conf.wrong.iter().map(|wrong| (wrong.line, wrong.fault.to_string()));
    let remarks = conf.remarks.iter().map(|remark| (remark.line, remark.matter.to_string()));
    let sched = nut::upssched_conf::parse(bytes);
    let sched_wrong = sched.wrong.iter().map(|wrong| (wrong.line, wrong.fault.to_string()));
    for (line, text) in wrong.chain(remarks).chain(sched_wrong) {
        assert!((1..=count).contains(&line) && !text.is_empty());
    }
    let plan = upsmon::plan(&conf);
    assert!(plan.upses.len() <= conf.monitors.len());
    for toml in [translate::of_notify_command(&conf).toml, translate::of_upssched(&sched, Some(&conf)).toml] {
        assert!(extras::parse(toml.as_bytes()).is_ok(), "{toml}");
    }
});
