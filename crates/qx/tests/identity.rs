//! The line was lost, and the link says that another unit may be behind it now: one that looks the same was there.
//! Only the name of the UPS proves that it is the one of before.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use qx::device::bounds::{IDENTITY, IDENTITY_AGAIN, IDENTITY_ASKED_AGAIN};
use qx::device::{Event, LinkChange, Outcome};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

const OL: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001";
const OB: &str = "(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000";
const OBLB: &str = "(000.0 195.0 226.0 014 49.0 22.5 30.0 11001000";
const RATING: &str = "#230.0 003 024.0 50.0";
const ZEROS: &str = "#000.0 000 024.0 00.0";
const BLANKS: &str = "#                                     ";
const NAME: &str = "#MUSTEK          PM 636     V1.2      ";
const BLANK: &str = "#                                      ";
const DOTS: &str = "#...............  ..........  ........";
const TOLD: &str = "it is not known whether the same UPS";
const ANOTHER: &str = "another UPS answers";

/// A megatec that says this to `Q1`, `F` and `I`; empty is silence.
#[derive(Clone, Copy)]
struct Says([&'static str; 3]);

impl Says {
    fn to(self, ask: &str) -> Vec<u8> {
        let said = match ask {
            "Q1" => self.0[0],
            "F" => self.0[1],
            "I" => self.0[2],
            _ => "",
        };
        if said.is_empty() { vec![] } else { ended(said.as_bytes()) }
    }
}

fn run(line: &mut Line, says: Says, time: Duration) {
    let until = line.now + time;
    line.run(until, &mut |ask, _| says.to(ask), |_| false);
}

/// A device that has known such a UPS for a while.
fn known(says: Says) -> Line {
    let mut line = Line::new(Options::default());
    run(&mut line, says, lasting(90));
    assert!(line.device.is_ready());
    line.asked.clear();
    line.events.clear();
    line
}

fn blinks(line: &mut Line, back: LinkChange) {
    line.link(LinkChange::Gone);
    line.now += lasting(2);
    line.link(back);
}

/// How often the log says so.
fn noted(line: &Line, what: &str) -> usize {
    let said = |event: &Event| matches!(event, Event::Noted(_, text) if text.contains(what));
    line.events.iter().filter(|(_, event)| said(event)).count()
}

fn outcome(line: &Line, ticket: u64) -> Option<&Outcome> {
    line.events.iter().find_map(|(_, event)| match event {
        Event::Answered(of, outcome) if *of == ticket => Some(outcome),
        _ => None,
    })
}

/// Longer than it takes until one that does not answer counts as one that says nothing.
fn long_enough() -> Duration {
    IDENTITY + (u32::from(IDENTITY_ASKED_AGAIN) + 2) * IDENTITY_AGAIN
}

#[test]
fn where_the_link_doubts_it_only_a_name_proves_who_answers() {
    use LinkChange::{Back, BackInDoubt};
    // before, after, how the link is back, whether it is told that it cannot be told, and that it is another
    for (before, after, back, told, another) in [
        ([OL, RATING, NAME], [OL, RATING, NAME], Back, 0, 0),
        ([OL, RATING, NAME], [OL, RATING, NAME], BackInDoubt, 0, 0),
        ([OL, RATING, NAME], [OL, "", NAME], BackInDoubt, 0, 0),
        // ratings are those of thousands, and so is a blank name
        ([OL, RATING, ""], [OL, RATING, ""], Back, 0, 0),
        ([OL, RATING, ""], [OL, RATING, ""], BackInDoubt, 1, 0),
        ([OL, RATING, BLANK], [OL, RATING, BLANK], Back, 0, 0),
        ([OL, RATING, BLANK], [OL, RATING, BLANK], BackInDoubt, 1, 0),
        ([OL, RATING, DOTS], [OL, RATING, DOTS], BackInDoubt, 1, 0),
        // a name that is not said any more
        ([OL, RATING, NAME], [OL, RATING, ""], Back, 0, 0),
        ([OL, RATING, NAME], [OL, RATING, ""], BackInDoubt, 1, 0),
        ([OL, RATING, NAME], [OL, RATING, "I"], BackInDoubt, 1, 0),
        // on battery some answer their ratings by zeros, or by none
        ([OL, RATING, NAME], [OB, ZEROS, NAME], Back, 0, 0),
        ([OL, RATING, NAME], [OB, ZEROS, NAME], BackInDoubt, 0, 0),
        ([OL, RATING, ""], [OB, ZEROS, ""], Back, 0, 0),
        ([OB, ZEROS, NAME], [OL, RATING, NAME], Back, 0, 0),
        ([OL, RATING, NAME], [OB, RATING, BLANKS], Back, 0, 0),
        ([OL, RATING, NAME], [OB, ZEROS, BLANKS], BackInDoubt, 1, 0),
        ([OB, RATING, BLANKS], [OL, RATING, NAME], Back, 0, 0),
        ([OL, RATING, NAME], [OB, "#120.0 003 024.0 60.0", NAME], Back, 0, 1),
        // volts alone
        ([OL, "", ""], [OL, "", ""], Back, 0, 0),
        ([OL, "", ""], [OL, "", ""], BackInDoubt, 1, 0),
        // whatever differs is another
        ([OL, RATING, NAME], [OL, RATING, "#OTHER           UPS 12     V3        "], BackInDoubt, 0, 1),
        ([OL, RATING, ""], [OL, "#120.0 003 024.0 60.0", ""], BackInDoubt, 0, 1),
    ] {
        let mut line = known(Says(before));
        blinks(&mut line, back);
        run(&mut line, Says(after), long_enough());
        let case = format!("{before:?} {after:?} {back:?}: {:?}", line.events);
        assert_eq!((noted(&line, TOLD), noted(&line, ANOTHER)), (told, another), "{case}");
        // either way it is served in the end, by its own words
        run(&mut line, Says(after), lasting(120));
        assert!(!line.device.store().is_stale(), "{case}");
        let status = line.text("ups.status").unwrap_or_default();
        assert!(status.starts_with(if after[0] == OB { "OB" } else { "OL" }), "{status}: {case}");
        let nominal = line.text("input.voltage.nominal").unwrap_or_default();
        assert!(told == 0 || after[1].contains(nominal), "{case}");
        if after[1].is_empty() && told > 0 {
            assert_eq!(line.text("input.voltage.nominal"), None, "{case}");
        }
    }
}

#[test]
fn what_the_one_before_said_goes_when_nothing_proves_that_it_is_the_same() {
    for (back, nominal) in [(LinkChange::Back, Some("230")), (LinkChange::BackInDoubt, None)] {
        let mut line = known(Says([OL, RATING, ""]));
        assert_eq!(line.text("input.voltage.nominal"), Some("230"));
        blinks(&mut line, back);
        run(&mut line, Says([OL, "", ""]), lasting(60));
        assert_eq!(line.text("input.voltage.nominal"), nominal, "{back:?}");
    }
}

#[test]
fn no_order_goes_to_a_unit_that_may_be_another() {
    for (says, sent) in [([OL, RATING, NAME], true), ([OL, RATING, ""], false)] {
        let mut line = known(Says(says));
        line.link(LinkChange::Gone);
        line.device.instant_command(1, "load.off", None);
        line.now += lasting(2);
        line.link(LinkChange::BackInDoubt);
        // the name proves it, and without one the order dies
        line.device.instant_command(2, "beeper.toggle", None);
        run(&mut line, Says(says), long_enough());
        assert!(matches!(outcome(&line, 1), Some(Outcome::Failed(_))), "{:?}", line.events);
        assert!(!line.questions().iter().any(|ask| ask.starts_with('S')), "{:?}", line.questions());
        assert_eq!(line.questions().contains(&"Q"), sent, "{says:?}: {:?}", line.questions());
        assert_eq!(matches!(outcome(&line, 2), Some(Outcome::Failed(_))), !sent, "{:?}", outcome(&line, 2));
        if sent {
            let at = |what: &str| line.questions().iter().position(|ask| *ask == what);
            assert!(at("I") < at("Q"), "{:?}", line.questions());
        }
        // whoever asks after that is heard
        line.asked.clear();
        line.device.instant_command(3, "beeper.toggle", None);
        run(&mut line, Says(says), lasting(10));
        assert_eq!(line.questions().iter().filter(|ask| **ask == "Q").count(), 1, "{says:?}");
    }
}

/// A cable that blinks in an outage: whoever answers, it is on battery, and its battery is low.
#[test]
fn an_outage_is_told_all_the_while() {
    for (before, after) in [(OL, OB), (OL, OBLB), (OB, OB), (OBLB, OBLB)] {
        let mut line = known(Says([before, RATING, ""]));
        blinks(&mut line, LinkChange::BackInDoubt);
        let says = Says([after, RATING, ""]);
        run(&mut line, says, lasting(3));
        let low = after == OBLB;
        for _ in 0..400 {
            run(&mut line, says, Duration::from_millis(100));
            let status = line.text("ups.status").unwrap_or_default();
            let has = |word: &str| status.split(' ').any(|said| said == word);
            let case = format!("{before} {after} at {:?}: {status}: {:?}", line.now, line.events);
            assert!(!line.device.store().is_stale(), "{case}");
            assert!(has("OB") && has("LB") == low, "{case}");
        }
        assert_eq!(noted(&line, TOLD), 1);
    }
}

/// It is doubted until it is proven, however often the line goes meanwhile; and not for ever.
#[test]
fn the_doubt_outlasts_another_blink() {
    let says = Says([OL, RATING, ""]);
    let mut line = known(says);
    blinks(&mut line, LinkChange::BackInDoubt);
    blinks(&mut line, LinkChange::Back);
    run(&mut line, says, long_enough());
    assert_eq!(noted(&line, TOLD), 1, "{:?}", line.events);
    blinks(&mut line, LinkChange::Back);
    run(&mut line, says, long_enough());
    assert_eq!(noted(&line, TOLD), 1, "{:?}", line.events);
    // a name settles it as well
    let says = Says([OL, RATING, NAME]);
    let mut line = known(says);
    blinks(&mut line, LinkChange::BackInDoubt);
    run(&mut line, says, long_enough());
    blinks(&mut line, LinkChange::Back);
    run(&mut line, Says([OL, RATING, ""]), long_enough());
    assert_eq!(noted(&line, TOLD), 0, "{:?}", line.events);
}

/// Killing the power does not wait for a proof that never comes.
#[test]
fn killing_the_power_goes_on() {
    let says = Says([OB, RATING, ""]);
    let mut line = known(says);
    line.device.kill_power(7);
    blinks(&mut line, LinkChange::BackInDoubt);
    run(&mut line, says, lasting(15));
    assert!(line.questions().iter().any(|ask| ask.starts_with('S')), "{:?}", line.questions());
    assert!(!matches!(outcome(&line, 7), Some(Outcome::Failed(_))), "{:?}", line.events);
}

/// It may speak another dialect as well: the rest of it is asked by and by, without losing data.
#[test]
fn the_dialect_is_doubted_too() {
    let mut line = known(Says([OL, "", ""]));
    assert_eq!(line.device.protocol().unwrap().name, "q1");
    blinks(&mut line, LinkChange::BackInDoubt);
    let says = Says([OL, RATING, NAME]);
    run(&mut line, says, lasting(120));
    assert_eq!(line.device.protocol().unwrap().name, "megatec", "{:?}", line.events);
    assert_eq!(line.text("device.model"), Some("PM 636"));
    assert!(!line.events.iter().any(|(_, event)| *event == Event::Stale), "{:?}", line.events);
}

/// What the one before did not say is asked anew.
#[test]
fn another_name_is_told() {
    let options = Options { protocol: Some("mustek".into()), ..Options::default() };
    let mut line = Line::new(options);
    let says = |ask: &str, name: &str| match ask {
        "QS" => ended(OL.as_bytes()),
        "F" => ended(RATING.as_bytes()),
        "I" if !name.is_empty() => ended(name.as_bytes()),
        _ => vec![],
    };
    line.run(seconds(60), &mut |ask, _| says(ask, ""), |_| false);
    assert_eq!(line.text("ups.status"), Some("OL"));
    blinks(&mut line, LinkChange::BackInDoubt);
    let until = line.now + lasting(10);
    line.run(until, &mut |ask, _| says(ask, NAME), |_| false);
    assert_eq!(line.text("device.model"), Some("PM 636"), "{:?}", line.events);
}

/// A voltronic on mains without a name, and its mode.
fn voltronic(ask: &str, mode: &str) -> Vec<u8> {
    let said = match ask {
        "QPI" => "(PI01",
        "QGS" => "(234.0 50.0 234.0 50.0 001.0 015 365.0 ---.- 041.0 ---.- 024.6 100000000001",
        "QMOD" => mode,
        "QRI" => "(230.0 004 024.0 50.0",
        _ => "(NAK",
    };
    ended(said.as_bytes())
}

/// Nor does a part of the old status stay, which this one does not tell; and until all of it is read or refused,
/// nothing is dropped.
#[test]
fn no_part_of_the_status_of_before_stays() {
    let options = Options { protocol: Some("voltronic".into()), ..Options::default() };
    let mut line = Line::new(options);
    line.run(seconds(60), &mut |ask, _| voltronic(ask, "(Y"), |_| false);
    assert_eq!(line.text("ups.status"), Some("OL BYPASS"), "{:?}", line.events);
    blinks(&mut line, LinkChange::BackInDoubt);
    let (back, mut turn) = (line.now, 0);
    // the mode cannot be read for a while, and is refused then
    let mut garbled = || {
        turn += 1;
        format!("(\u{1}{turn}")
    };
    let mut says = |ask: &str, now: Moment| match now < back + lasting(4) {
        true => voltronic(ask, &garbled()),
        false => voltronic(ask, "(NAK"),
    };
    line.run(back + lasting(4), &mut says, |_| false);
    assert_eq!(noted(&line, TOLD), 0, "{:?}", line.events);
    line.run(back + lasting(30), &mut says, |_| false);
    assert_eq!(noted(&line, TOLD), 1, "{:?}", line.events);
    assert_eq!(line.text("ups.status"), Some("OL"), "{:?}", line.events);
    assert!(!line.device.store().is_stale());
}

/// Nor a bit of a reply that cannot be read now.
#[test]
fn low_battery_of_the_one_before_does_not_stay() {
    let mut line = known(Says([OBLB, RATING, ""]));
    assert_eq!(line.text("ups.status"), Some("OB LB"));
    blinks(&mut line, LinkChange::BackInDoubt);
    let says = Says(["(000.0 195.0 226.0 014 49.0 25.5 30.0 1?001000", RATING, ""]);
    run(&mut line, says, lasting(4));
    assert_eq!(noted(&line, TOLD), 1, "{:?}", line.events);
    assert_eq!(line.text("ups.status"), Some("OB"), "{:?}", line.events);
}

/// A rating of zeros in an outage is no other UPS: who kills the power goes on, and the charge does not leap.
#[test]
fn ratings_of_zeros_in_an_outage_stop_no_order() {
    let mut line = known(Says([OL, RATING, NAME]));
    run(&mut line, Says([OB, ZEROS, NAME]), lasting(10));
    blinks(&mut line, LinkChange::Back);
    line.device.kill_power(7);
    run(&mut line, Says([OB, ZEROS, NAME]), lasting(90));
    assert_eq!(noted(&line, ANOTHER), 0, "{:?}", line.events);
    assert!(
        line.asked.iter().any(|(_, ask)| ask.starts_with("S.5") || ask.starts_with("S01")),
        "{:?}",
        line.asked
    );
}
