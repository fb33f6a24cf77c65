//! Any bytes as ups.conf, read as the drivers and `qxups check-config` read it: no panic, findings name
//! lines that are there, and what is to be written in place of an old section is understood.
#![no_main]

use driver::upgrade::Upgrade;
use libfuzzer_sys::fuzz_target;
use nut::ups_conf;
use station::config::{check_globals, check_section};
use station::driver_kind;

fuzz_target!(|bytes: &[u8]| {
    let conf = ups_conf::parse(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let mut findings = check_globals(&conf);
    for section in &conf.sections {
        for kind in driver_kind::ALL {
            findings.extend(check_section(kind, &conf, &section.name));
        }
        let named = section.settings.iter().rfind(|setting| setting.name == "driver");
        let driver = named.and_then(|setting| setting.value.as_deref()).unwrap_or_default();
        if let Some(upgrade) = Upgrade::of(driver) {
            let new = upgrade.apply(section);
            let again = ups_conf::parse(new.text.as_bytes());
            assert!(again.wrong.is_empty() && again.sections.len() == 1, "{}: {:?}", new.text, again.wrong);
            let _ = check_section(&driver_kind::NUTDRV_QX, &again, &section.name);
        }
    }
    for finding in findings {
        assert!(finding.line.is_none_or(|line| (1..=lines).contains(&line)), "{finding:?}");
        assert!(!finding.text.is_empty());
    }
});
