//! Any bytes as upsd.users: no panic, each name once, and no password in a text for debugging.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use std::net::IpAddr;

fuzz_target!(|bytes: &[u8]| {
    let file = nut::upsd_users::parse(bytes);
    let names: BTreeSet<&str> = file.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names.len(), file.users.len());
    for user in &file.users {
        assert!(!user.name.is_empty());
        assert_eq!(file.user(&user.name).is_some(), user.password.is_some());
        let _ = user.may_run("load.off", "u");
        for address in [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0u16; 8])] {
            assert!(!user.allow_from.is_empty() || user.may_come_from(address));
        }
    }
    for wrong in &file.wrong {
        assert!(!wrong.to_string().is_empty());
    }
});
