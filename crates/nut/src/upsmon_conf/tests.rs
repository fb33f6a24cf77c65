use super::*;
use proptest::prelude::*;

fn said(text: &str) -> Vec<String> {
    let conf = parse(text.as_bytes());
    let wrong = conf.wrong.iter().map(|wrong| (wrong.line, wrong.fault.to_string()));
    let mut all: Vec<(usize, String)> =
        wrong.chain(conf.remarks.iter().map(|remark| (remark.line, remark.matter.to_string()))).collect();
    all.sort_by_key(|(line, _)| *line);
    all.into_iter().map(|(line, text)| format!("{line}: {text}")).collect()
}

#[test]
fn a_file_is_read() {
    let text = b"# upsmon.conf\nRUN_AS_USER nut\nMONITOR su700@localhost 1 observer \"top secret\" primary\n\
        MONITOR big@[2001:db8::1]:3499 2 mon pass SLAVE\nMONITOR near 0 mon pass master\nMINSUPPLIES 2\n\
        SHUTDOWNCMD \"/sbin/shutdown -h +0\"\nSHUTDOWNEXIT 30\nNOTIFYCMD /sbin/upssched\nPOLLFREQ 4\nPOLLFREQALERT 2\n\
        HOSTSYNC 20\nDEADTIME 25\nPOWERDOWNFLAG \"/etc/killpower\"\nNOTIFYMSG onbatt \"mains of %s are gone\"\n\
        NOTIFYFLAG ONBATT SYSLOG+EXEC\nNOTIFYFLAG ONLINE IGNORE\nRBWARNTIME 43200\nNOCOMMWARNTIME 600\nFINALDELAY 3\n\
        OFFDURATION -1\nOVERDURATION 60\nOBLBDURATION -1\nALARMCRITICAL 0\nPOLLFAIL_LOG_THROTTLE_MAX 100\n\
        CERTPATH /etc/nut/certs\nCERTIDENT \"my monitor\" secret\nCERTHOST localhost server 1 1\nCERTVERIFY 1\nFORCESSL 1\n\
        CERTFILE /etc/nut/upsmon.pem\ndebug_min 2\n";
    let conf = parse(text);
    assert_eq!((&conf.wrong, &conf.remarks), (&vec![], &vec![]));
    let place = |ups: &str, host: &str, port| UpsPlace { ups: ups.into(), host: host.into(), port };
    let monitor = |system: &str, place, power_value, user: &str, password: &str, is_primary, line| {
        let (system, user, password) = (system.into(), user.into(), password.into());
        UpsmonMonitor { system, place, power_value, user, password, is_primary, line }
    };
    let monitors = [
        monitor("su700@localhost", place("su700", "localhost", 3493), 1, "observer", "top secret", true, 3),
        monitor("big@[2001:db8::1]:3499", place("big", "2001:db8::1", 3499), 2, "mon", "pass", false, 4),
        monitor("near", place("near", "localhost", 3493), 0, "mon", "pass", true, 5),
    ];
    assert_eq!(conf.monitors, monitors);
    assert!(!format!("{conf:?}").contains("secret"));
    let flags = NotifyFlags { syslog: true, exec: true, ..NotifyFlags::default() };
    assert_eq!(conf.flags_of(UpsmonEvent::OnBattery), flags);
    assert!(conf.flags_of(UpsmonEvent::Online).ignore && conf.flags_of(UpsmonEvent::CommBad).wall);
    let expected = UpsmonConf {
        monitors: monitors.into(),
        min_supplies: Some(2),
        shutdown_command: vec!["/sbin/shutdown -h +0".into()],
        shutdown_exit: Some(ShutdownExit::After(30)),
        notify_command: vec!["/sbin/upssched".into()],
        messages: [(UpsmonEvent::OnBattery, "mains of %s are gone".into())].into(),
        flags: conf.flags.clone(),
        poll_s: Some(4),
        poll_alert_s: Some(2),
        host_sync_s: Some(20),
        dead_time_s: Some(25),
        off_duration_s: Some(-1),
        over_duration_s: Some(60),
        oblb_duration_s: Some(0),
        alarm_critical: Some(false),
        final_delay_s: Some(3),
        replace_battery_s: Some(43_200),
        no_comm_s: Some(600),
        power_down_flag: Some("/etc/killpower".into()),
        directives: conf.directives.clone(),
        wrong: vec![],
        remarks: vec![],
    };
    assert_eq!(conf, expected);
    let all: std::collections::BTreeSet<_> =
        conf.directives.iter().map(|(directive, _)| *directive).collect();
    assert_eq!(all.len(), UpsmonDirective::all().count());
}

/// Each with its line and what to do.
#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = "MONITOR a@b 1 user\nMONITOR a@b 1 pass primary\nMONITOR @b 1 u p primary\nMONITOR a@b x u p primary\n\
        MONITOR a@b:0 1 u p primary\nMINSUPPLIES = 1\nMINSUPPLIES -1\nPOLLFREQ 0\nPOLLFREQ soon\nDEADTIME\n\
        NOTIFYMSG ONBAT \"x\"\nNOTIFYFLAG ONBATT\nSHUTDOWNCMD\nPOWERDOWNFLAG \"/a#b\"\nDEBUG_MIN 3x\nOFFDURATION -2\n";
    assert_eq!(
        said(text),
        [
            "1: MONITOR lacks words: write MONITOR ups@host 1 user password primary, or secondary in place of primary",
            "2: MONITOR has no user, and upsmon does not start: write MONITOR ups@host 1 user password primary, or secondary in place of primary",
            "3: '@b' names no UPS: write ups@host, or ups@host:port",
            "4: the power value of MONITOR cannot be 'x': write how many supplies of this host the UPS feeds, 0 for none",
            "5: 'a@b:0' names no UPS: write ups@host, or ups@host:port",
            "6: MINSUPPLIES has no =: write MINSUPPLIES and a number of supplies",
            "7: MINSUPPLIES cannot be '-1': write a whole number of at least 0",
            "8: POLLFREQ cannot be '0': write a whole number of at least 1",
            "9: POLLFREQ cannot be 'soon': write a whole number of at least 1",
            "10: DEADTIME lacks words: write DEADTIME and a number of seconds",
            "11: NOTIFYMSG: there is no event 'ONBAT': remove the line, or correct the word",
            "12: NOTIFYFLAG lacks words: write NOTIFYFLAG ONBATT SYSLOG+EXEC, or another event",
            "13: SHUTDOWNCMD lacks words: write SHUTDOWNCMD and a command in quotes",
            "14: a # inside of quotes: close the quotes before it, or write \\#",
            "15: DEBUG_MIN cannot be '3x': write a whole number of at least 0",
            "16: OFFDURATION cannot be '-2': write a whole number of at least -1",
        ]
    );
}

#[test]
fn what_upsmon_takes_for_something_else_is_said() {
    let text = "MONITOR a@b 1 u p primarry\nMONITOR a@b 1 u p primary\nMONITOR c 2x u p slave more\nDEADTIME 15s\nFROB 1\n\
        minsupplies 1\nSHUTDOWNCMD /sbin/shutdown -h +0\nNOTIFYFLAG ONBATT SYSLOG + EXEC\nNOTIFYFLAG ONLINE syslog+EXEC\n\
        NOTIFYFLAG LOWBATT IGNORE+EXEC\nSHUTDOWNEXIT maybe\n";
    assert_eq!(
        said(text),
        [
            "1: 'primarry' is neither primary nor secondary, and upsmon takes it for secondary: write one of them",
            "2: there is a MONITOR of a@b above, and this one has no effect: remove one of them",
            "3: what follows the value of MONITOR has no effect: remove it, or put it in quotes",
            "3: of MONITOR '2x' only the number counts: remove what follows it",
            "4: of DEADTIME '15s' only the number counts: remove what follows it",
            "5: 'FROB' is no directive of upsmon.conf: remove the line, or correct the word",
            "6: 'minsupplies' has no effect: write MINSUPPLIES in capitals",
            "7: NUT up to 2.8.5 runs only the first word of SHUTDOWNCMD: put the whole command in quotes",
            "8: what follows the value of NOTIFYFLAG has no effect: remove it, or put it in quotes",
            "9: 'syslog' is no flag, and has no effect: write SYSLOG, WALL, EXEC, IGNORE, with + in between and no blanks",
            "10: beside IGNORE no other flag has an effect: remove one or the other",
            "11: SHUTDOWNEXIT cannot be 'maybe', and upsmon takes it for yes: write yes, no, or a number of seconds",
        ]
    );
    let conf = parse(text.as_bytes());
    assert_eq!(conf.monitors.iter().map(|monitor| monitor.is_primary).collect::<Vec<_>>(), [false, false]);
    assert_eq!((conf.supplies_fed(), conf.supplies_needed(), conf.dead_time_s), (3, 1, Some(15)));
    let grave: Vec<usize> =
        conf.remarks.iter().filter(|remark| remark.matter.is_grave()).map(|remark| remark.line).collect();
    assert_eq!(grave, [1, 5, 6, 7, 8, 9, 11]);
}

/// NUT 2.8.0 clients/upsclient.c.
#[test]
fn a_place_is_read_as_by_nut() {
    for (text, expected, is_local) in [
        ("a", Some(("a", "localhost", 3493)), true),
        ("a@localhost", Some(("a", "localhost", 3493)), true),
        ("a@127.0.0.1:3494", Some(("a", "127.0.0.1", 3494)), true),
        ("a@[::1]", Some(("a", "::1", 3493)), true),
        ("a@[::1]:3494", Some(("a", "::1", 3494)), true),
        ("a@nas.lan", Some(("a", "nas.lan", 3493)), false),
        ("a@", None, false),
        ("@b", None, false),
        ("a@b:", None, false),
        ("a@b:70000", None, false),
        ("a@[::1", None, false),
        ("", None, false),
    ] {
        let place = UpsPlace::parse(text);
        let parts = place.as_ref().map(|place| (place.ups.as_str(), place.host.as_str(), place.port));
        assert_eq!((parts, place.as_ref().is_some_and(UpsPlace::is_local)), (expected, is_local), "{text}");
    }
}

proptest! {
    #[test]
    fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn anything_like_a_file_is_read(words in prop::collection::vec((0usize..28, "[ -~]{0,20}"), 0..9)) {
        let word = |at: usize| UpsmonDirective::all().nth(at).map_or("", UpsmonDirective::word);
        let text: String = words.iter().map(|(at, rest)| format!("{} {rest}\n", word(*at))).collect();
        let conf = parse(text.as_bytes());
        for line in conf.wrong.iter().map(|wrong| wrong.line).chain(conf.directives.iter().map(|(_, line)| *line)) {
            prop_assert!(line <= words.len());
        }
    }
}
