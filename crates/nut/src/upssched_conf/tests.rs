use super::*;
use proptest::prelude::*;

const HEAD: &str =
    "CMDSCRIPT /usr/bin/upssched-cmd\nPIPEFN /run/nut/upssched.pipe\nLOCKFN /run/nut/upssched.lock\n";

fn said(text: &str) -> Vec<String> {
    let conf = parse(text.as_bytes());
    let wrong = conf.wrong.iter().map(|wrong| (wrong.line, wrong.fault.to_string()));
    let mut all: Vec<(usize, String)> =
        wrong.chain(conf.remarks.iter().map(|remark| (remark.line, remark.matter.to_string()))).collect();
    all.sort_by_key(|(line, _)| *line);
    all.into_iter().map(|(line, text)| format!("{line}: {text}")).collect()
}

/// The examples of NUT's own sample file.
#[test]
fn a_file_is_read() {
    let text = format!(
        "{HEAD}DEBUG_MIN 6\nAT COMMBAD * START-TIMER upsgone 10\nAT onbatt * START-TIMER-SHARED onbattwarn 30\n\
         AT COMMOK myups@localhost CANCEL-TIMER upsgone\nAT ONLINE * CANCEL-TIMER onbattwarn back\n\
         AT ONLINE * EXECUTE ups-back-on-line\n"
    );
    let conf = parse(text.as_bytes());
    assert_eq!((conf.wrong, conf.remarks), (vec![], vec![]));
    assert_eq!(conf.script, ["/usr/bin/upssched-cmd"]);
    let start =
        |name: &str, after_s, shared| UpsschedAction::StartTimer { name: name.into(), after_s, shared };
    let cancel = |name: &str, otherwise: Option<&str>| UpsschedAction::CancelTimer {
        name: name.into(),
        otherwise: otherwise.map(String::from),
    };
    let expected = [
        (UpsmonEvent::CommBad, None, start("upsgone", 10, false), 5),
        (UpsmonEvent::OnBattery, None, start("onbattwarn", 30, true), 6),
        (UpsmonEvent::CommOk, Some("myups@localhost"), cancel("upsgone", None), 7),
        (UpsmonEvent::Online, None, cancel("onbattwarn", Some("back")), 8),
        (UpsmonEvent::Online, None, UpsschedAction::Execute("ups-back-on-line".into()), 9),
    ];
    let expected = expected.map(|(event, ups, action, line)| UpsschedRule {
        event,
        ups: ups.map(String::from),
        action,
        line,
    });
    assert_eq!(conf.rules, expected);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = format!(
        "AT ONBATT * EXECUTE a\n{HEAD}AT ONBAT * EXECUTE a\nAT ONBATT * START a 5\nAT ONBATT * EXECUTE\nAT ONBATT * START-TIMER a\n\
         AT ONBATT * START-TIMER a soon\nAT ONBATT * START-TIMER a 30s\nAT ONBATT * EXECUTE a b\nat ONBATT * EXECUTE a\n\
         PIPEFN = /x\nCMDSCRIPT /a b\nFROB 1\nPIPEFN\nAT ONBATT * EXECUTE \"\"\nDEBUG_MIN x\nLOCKFN \"a # b\"\n\
         AT ONLINE * CANCEL-TIMER-MATCHED a\n"
    );
    assert_eq!(
        said(&text),
        [
            "1: upssched ends here, as there is no CMDSCRIPT above: write one in front of the first AT",
            "1: upssched ends here, as there is no PIPEFN above: write one in front of the first AT",
            "1: upssched ends here, as there is no LOCKFN above: write one in front of the first AT",
            "5: AT: there is no event 'ONBAT': remove the line, or correct the word",
            "6: 'START' is no action: write START-TIMER, START-TIMER-SHARED, CANCEL-TIMER, EXECUTE",
            "7: AT lacks words: write AT ONBATT * START-TIMER name 30, or EXECUTE name, or CANCEL-TIMER name",
            "8: START-TIMER has no time: write START-TIMER name 30, in seconds",
            "9: START-TIMER cannot have 'soon': write a whole number of at least 0",
            "10: of '30s' only the number counts: remove what follows it",
            "11: what follows the value of EXECUTE has no effect: remove it, or put it in quotes",
            "12: 'at' has no effect: write AT in capitals",
            "13: PIPEFN has no =: write PIPEFN and the path of the pipe to be made",
            "14: NUT up to 2.8.5 runs only the first word of CMDSCRIPT: put the whole command in quotes",
            "15: 'FROB' is no directive of upssched.conf: remove the line, or correct the word",
            "16: PIPEFN lacks words: write PIPEFN and the path of the pipe to be made",
            "17: EXECUTE has an empty word: write one for the script to go by",
            "18: DEBUG_MIN cannot have 'x': write a whole number of at least 0",
            "19: a # inside of quotes: close the quotes before it, or write \\#",
            "20: 'CANCEL-TIMER-MATCHED' is no action: write START-TIMER, START-TIMER-SHARED, CANCEL-TIMER, EXECUTE",
        ]
    );
}

proptest! {
    #[test]
    fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn anything_like_a_file_is_read(words in prop::collection::vec((0usize..5, 0usize..32, "[ -~]{0,9}"), 0..9)) {
        let line = |(at, event, rest): &(usize, usize, String)| {
            let event = UpsmonEvent::all().nth(*event).map_or("", UpsmonEvent::word);
            format!("{} {event} * {rest}\n", DIRECTIVES[*at].0)
        };
        let conf = parse(words.iter().map(line).collect::<String>().as_bytes());
        for wrong in conf.wrong {
            prop_assert!(wrong.line <= words.len());
        }
    }
}
