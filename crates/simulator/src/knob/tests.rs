use super::*;
use crate::profile::{Profile, RefusalReply};
use crate::sample::{FAMILIES, MODELS};
use crate::script::Script;
use crate::trouble::{Nothing, Trouble};
use qx::protocols;
use std::time::Duration;

fn turned(texts: &[&str]) -> SimulatedUps {
    let mut ups =
        SimulatedUps::new(&protocols::MEGATEC, Profile::default(), Trouble::new(1), Script::default());
    texts.iter().for_each(|text| ups.turn(Knob::parse(text).unwrap(), Moment::ZERO));
    ups
}

#[test]
fn knobs_do_what_they_say() {
    type Is = fn(&SimulatedUps) -> bool;
    let cases: &[(&[&str], Is)] = &[
        (&["mains fail"], |ups| ups.world.mains_volts == 0.0),
        (&["mains 185.5"], |ups| ups.world.mains_volts == 185.5),
        (&["mains fail", "mains back"], |ups| ups.world.mains_volts == 230.0),
        (&["charge 14"], |ups| ups.world.charge == 0.14),
        (&["unknown (NAK"], |ups| ups.profile.unknown == RefusalReply::Text("(NAK".into())),
        (&["refuse echo"], |ups| ups.profile.refuses == Some(RefusalReply::Echo)),
        (&["refuse echo", "refuse off"], |ups| ups.profile.refuses.is_none()),
        (&["latency 200"], |ups| ups.profile.latency == Duration::from_millis(200)),
        (&["baud 2400"], |ups| ups.profile.baud == Some(2400)),
        (&["baud 2400", "baud off"], |ups| ups.profile.baud.is_none()),
        (&["warning 7 on", "warning 8 on", "warning 7 off"], |ups| ups.memory.warnings == [8]),
        (&["word LB on"], |ups| ups.memory.words.len() == 1),
        (&["word LB on", "word LB free"], |ups| ups.memory.words.is_empty()),
        (&["usb stall 3"], |ups| ups.usb.stall == 3),
        (&["usb deaf on"], |ups| ups.usb.deaf),
        (&["usb nothing nul"], |ups| ups.usb.nothing == Some(Nothing::Nul)),
        (&["usb nothing nul", "usb nothing off"], |ups| ups.usb.nothing.is_none()),
        (&["hurt 2"], |ups| ups.trouble.hurt == 2),
        (&["break 0.5"], |ups| ups.trouble.hang_up == 0.5),
        (&["odd tabs", "odd blank"], |ups| ups.profile.oddities.len() == 2),
        (&["odd tabs", "odd off"], |ups| ups.profile.oddities.is_empty()),
    ];
    for (texts, is) in cases {
        assert!(is(&turned(texts)), "{texts:?}");
        assert!(!is(&turned(&texts[..texts.len() - 1])), "{texts:?} does something");
    }
    for bad in [
        "",
        "mains",
        "mains x",
        "load -1",
        "bit 8 on",
        "bit 1",
        "fault maybe",
        "garble 2",
        "frob 1",
        "usb",
        "warning 0 on",
    ] {
        assert!(Knob::parse(bad).is_err(), "{bad}");
    }
}

/// Who mistypes a knob or a word of it reads what there is, in one line: the control socket has one.
#[test]
fn what_is_known_is_said_of_what_is_not() {
    for (text, parts) in [
        ("mains fial", &["'fial'", "fail", "back", "0 to 999"][..]),
        ("mains 1000", &["'1000'", "0 to 999"]),
        ("mains", &["fail", "back"]),
        ("baud of", &["'of'", "off", "50 to"]),
        ("countdown of", &["off"]),
        ("beeper onn", &["'onn'", "on or off"]),
        ("family frob", &["'frob'", FAMILIES[0], MODELS[0]]),
        ("word OBB on", &["'OBB on'", "OB", "LB", "free"]),
        ("man fail", &["'man'", "mains", "usb", "frequency"]),
    ] {
        let why = Knob::parse(text).unwrap_err();
        assert!(parts.iter().all(|part| why.contains(part)) && !why.contains('\n'), "{text}: {why}");
    }
}

#[test]
fn every_row_is_in_the_help_once() {
    let help = summary();
    for row in TABLE {
        assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        for value in row.value.lines() {
            assert!(help.contains(&format!("{} {value}", row.name)), "{}", row.name);
        }
    }
}
