//! Tests.

use super::bounds::{ELECTED, MOVED_TEXT_IN_NOISE, TEXT_IN_NOISE};
use super::{Hearing, Judge, Quality};
use crate::options::Options;
use crate::options::quirk::{INVERTED_REGULATION, Quirks};
use crate::protocols;
use crate::vocabulary::moment::Moment;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::BATTERY_CHARGE;
use std::time::Duration;

/// Replies of the drawn form of many dialects, others of the same, and what is garbled.
fn replies() -> Vec<Vec<u8>> {
    let samples = [
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000",
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 00101000",
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 10001000",
        "(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000",
        "(226.0 195.0 226.0 014 49.0 27.5 --.- 00001000",
        "(226.0 195.0 2x6.0 014 49.0 27.5 30.0 00001000",
        "(226.0\t195.0\t226.0\t014\t49.0\t27.5\t30.0\t00001000",
        "(231.4 50.0 230.0 50.0 001.0 015 365.0 365.0 041.0 ---.- 024.6 000000000001",
        "#230.0 003 24.00 50.0",
        "(L",
        "(B",
        "(NAK",
    ];
    samples.iter().map(|line| line.as_bytes().to_vec()).collect()
}

/// A reply of the same bytes says the same, whatever was heard and whatever the line is like.
#[test]
fn what_the_same_bytes_say_is_kept_and_nothing_else() {
    let qualities = [Quality::Unproven, Quality::Clean, Quality::Hurt, Quality::Noisy, Quality::Garbled];
    let mut options = Options::default();
    for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
        let (mut keeps, mut reads) = (Judge::new(query), Judge::new(query));
        let mut at: usize = 0;
        for _ in 0..8 {
            for reply in replies() {
                // the same several times in a row, as a UPS does that nothing happens to
                for _ in 0..1 + (at * 7) % 5 {
                    let quality = qualities[(at / 3) % qualities.len()];
                    let now = Moment::after_start(Duration::from_secs(2 * at as u64));
                    let hearing = Hearing {
                        now,
                        since: now - Duration::from_secs(20),
                        values_since: now - Duration::from_secs(20),
                        on_battery: false,
                        quality,
                        let_run: matches!(at % 11, 0),
                        word_is_news: false,
                    };
                    let claims =
                        [&mut keeps, &mut reads].map(|judge| judge.claims(&reply, quality, &options));
                    let kept = if claims[0].as_taken { &keeps.claims_taken() } else { &claims[0] };
                    let said = [kept, &claims[1]].map(|claims| format!("{claims:?}"));
                    assert_eq!(said[0], said[1], "{} {}", query.ask, reply.escape_ascii());
                    assert_eq!(keeps.hear(&claims[0], hearing), reads.hear(&claims[1], hearing));
                    assert_eq!(keeps.readings(), reads.readings());
                    let [kept, _] = claims;
                    keeps.keep_claims(&reply, kept);
                    at += 1;
                    if matches!(at % 5, 0) {
                        options.quirks = match at % 2 {
                            0 => Quirks { on: vec![INVERTED_REGULATION.name], ..Quirks::default() },
                            _ => Options::default().quirks,
                        };
                        keeps.forget_claims();
                    }
                }
            }
        }
    }
}

fn serial_number() -> &'static crate::wire::query::Query {
    let innovart = protocols::named("innovart33").unwrap();
    innovart.queries.iter().find(|query| query.ask == "SASV07?").unwrap()
}

/// Lets a judge hear a serial number, one second after the other; what is taken then.
fn hear_serials(judge: &mut Judge, quality: Quality, now: &mut u64, serials: &[String]) -> Option<String> {
    for serial in serials {
        *now += 1;
        let reply = format!("GASV07D{serial:<20}");
        let claims = judge.claims(reply.as_bytes(), quality, &Options::default());
        let since = Moment::ZERO;
        let now = Moment::after_start(Duration::from_secs(*now));
        judge.hear(
            &claims,
            Hearing {
                now,
                since,
                values_since: since,
                quality,
                on_battery: false,
                let_run: true,
                word_is_news: false,
            },
        );
    }
    let (_, value) = judge.readings()?.values.first()?.clone();
    Some(value?.to_string())
}

/// `some` of seven replies say this, the others something else each.
fn some_of_seven(some: usize, serial: &str) -> Vec<String> {
    let others = (some..ELECTED.last).map(|n| format!("{n}{n}Z{n}{n}"));
    others.chain((0..some).map(|_| serial.to_string())).collect()
}

/// On a noisy line five of seven have to agree on a text, and all of them on the one before, moved.
#[test]
fn texts_need_more_in_noise_and_moved_ones_all() {
    for (quality, before, serial, needed) in [
        (Quality::Hurt, None, "N05K10", ELECTED.some),
        (Quality::Noisy, None, "N05K10", TEXT_IN_NOISE.some),
        (Quality::Garbled, None, "N05K10", TEXT_IN_NOISE.some),
        (Quality::Noisy, Some("M77A33"), "N05K10", TEXT_IN_NOISE.some),
        (Quality::Noisy, Some("N05K10"), "DN05K10", MOVED_TEXT_IN_NOISE.some),
        (Quality::Noisy, Some("N05K10"), "05K10", MOVED_TEXT_IN_NOISE.some),
        (Quality::Hurt, Some("N05K10"), "DN05K10", ELECTED.some),
    ] {
        for some in needed - 1..=(needed + 1).min(ELECTED.last) {
            let (mut judge, mut now) = (Judge::new(serial_number()), 0);
            let taken = before.and_then(|before| {
                hear_serials(&mut judge, quality, &mut now, &some_of_seven(ELECTED.last, before))
            });
            assert_eq!(taken.as_deref(), before);
            let taken = hear_serials(&mut judge, quality, &mut now, &some_of_seven(some, serial));
            let wanted = if some >= needed { Some(serial) } else { before };
            assert_eq!(taken.as_deref(), wanted, "{quality:?}, {before:?}, {some} of seven {serial}");
        }
    }
}

/// A byte too many before columns moves them: that is no form of this UPS, though it comes in every second reply.
#[test]
fn what_noise_moves_is_not_learned_as_a_form() {
    let query = serial_number();
    let mut judge = Judge::new(query);
    let reply = format!("GASV07D{:<20}", "N05K10");
    for at in 0..5 {
        let doubled = format!("{}{}", &reply[..=at], &reply[at..]);
        let form = query.read(doubled.as_bytes()).unwrap().odd.unwrap();
        judge.claims(doubled.as_bytes(), Quality::Hurt, &Options::default());
        assert!(!judge.knows(&form), "{doubled}");
        judge.claims(reply.as_bytes(), Quality::Hurt, &Options::default());
    }
    // while one that always comes with a byte behind it does draw so
    let longer = format!("{reply}X");
    let mut judge = Judge::new(query);
    let form = query.read(longer.as_bytes()).unwrap().odd.unwrap();
    for known in [false, false, true] {
        judge.claims(longer.as_bytes(), Quality::Hurt, &Options::default());
        assert_eq!(judge.knows(&form), known);
    }
}

/// What was read too long ago elects nothing; what was read just then does.
#[test]
fn old_readings_elect_nothing() {
    for (oldest, counts) in [(99, false), (100, true), (101, true)] {
        let mut judge = Judge::new(serial_number());
        for at in [oldest, 110, 120, 130] {
            let claims = judge.claims(b"GASV07DN05K10              ", Quality::Hurt, &Options::default());
            let hearing = Hearing {
                now: Moment::after_start(Duration::from_secs(at)),
                since: Moment::ZERO,
                values_since: Moment::after_start(Duration::from_secs(100)),
                on_battery: false,
                quality: Quality::Hurt,
                let_run: false,
                word_is_news: false,
            };
            judge.hear(&claims, hearing);
        }
        assert_eq!(judge.readings().is_some(), counts, "{oldest}");
    }
}

/// What was read once, before it was known that the line is hurt, is one of four that are needed.
#[test]
fn what_was_taken_at_once_is_evidence_when_it_is_doubted() {
    let (mut judge, mut now) = (Judge::new(serial_number()), 0);
    let say = |judge: &mut Judge, now: &mut u64, quality| {
        hear_serials(judge, quality, now, &["N05K10".to_string()])
    };
    assert!(say(&mut judge, &mut now, Quality::Unproven).is_some());
    assert!(judge.doubt_values());
    assert_eq!(judge.readings(), None);
    assert!(!judge.doubt_values());
    for taken in [false, false, true] {
        assert_eq!(say(&mut judge, &mut now, Quality::Hurt).is_some(), taken);
    }
}

/// Lets a judge hear replies to one of a dialect's questions on a line of that quality, and says what is taken then.
fn hear_all(judge: &mut Judge, quality: Quality, replies: &[&str]) -> crate::wire::readings::Readings {
    for (at, reply) in replies.iter().enumerate() {
        let claims = judge.claims(reply.as_bytes(), quality, &Options::default());
        let now = Moment::after_start(Duration::from_secs(at as u64));
        let (since, let_run, word_is_news) = (Moment::ZERO, false, false);
        judge.hear(
            &claims,
            Hearing { now, since, values_since: since, quality, on_battery: false, let_run, word_is_news },
        );
        judge.keep_claims(reply.as_bytes(), claims);
    }
    judge.readings().unwrap()
}

fn judge_of(dialect: &str, ask: &str) -> Judge {
    let queries = protocols::named(dialect).unwrap().queries;
    Judge::new(queries.iter().find(|query| query.ask == ask).unwrap())
}

/// A UPS that draws ten bits, of which one was lost three times in a row, does not shut down; and it may draw nine
/// bits from now on, which say something new.
#[test]
fn a_bit_that_is_lost_says_no_other_words() {
    for quality in [Quality::Unproven, Quality::Clean, Quality::Hurt, Quality::Noisy] {
        let mut judge = judge_of("megatec", "Q1");
        let status = |bits: &str| format!("(230.0 230.0 230.0 020 50.0 27.2 25.0 {bits}");
        let [ten, first, then, on_battery] =
            ["0000100100", "000100100", "000010100", "100010010"].map(status);
        let said = hear_all(&mut judge, quality, &[ten.as_str(); 12]);
        let heard = hear_all(&mut judge, quality, &[&first, &then, &then, &first]);
        assert_eq!((heard.status, heard.alarms), (said.status, said.alarms), "{quality:?}");
        let news = hear_all(&mut judge, quality, &[on_battery.as_str(); 12]);
        assert!(said.status.has(Status::Online) && !news.status.has(Status::Online), "{quality:?}");
    }
}

/// Where a NUL stands behind each reply, it takes the place of the bit that was lost.
#[test]
fn a_nul_is_not_the_bit_that_was_lost() {
    for quality in [Quality::Unproven, Quality::Clean, Quality::Hurt, Quality::Noisy] {
        let mut judge = judge_of("zinto", "Q1");
        let status = |bits: &str| format!("(230.0 000.0 230.0 020 50.0 25.8 25.0 {bits}");
        let [whole, first, then] = ["01001001", "1001001\0", "0100001\0"].map(status);
        let said = hear_all(&mut judge, quality, &[whole.as_str(); 12]);
        let heard = hear_all(&mut judge, quality, &[&first, &then, &whole, &then]);
        assert_eq!((heard.status, heard.alarms), (said.status, said.alarms), "{quality:?}");
    }
}

/// A charge of 100 whose digits are lost is none of 10; one that comes so again and again is.
#[test]
fn a_digit_that_is_lost_makes_no_other_number() {
    for quality in [Quality::Unproven, Quality::Clean] {
        let mut judge = judge_of("hunnox", "BL");
        let charge = |said: crate::wire::readings::Readings| said.number(&BATTERY_CHARGE).unwrap().as_f64();
        assert_eq!(charge(hear_all(&mut judge, quality, &["BL100", "BL100"])), 100.0);
        assert_eq!(charge(hear_all(&mut judge, quality, &["BL00", "BL10", "BL10", "BL10"])), 100.0);
        assert_eq!(charge(hear_all(&mut judge, quality, &["BL10", "BL10"])), 10.0);
    }
}

/// LB in each second reply is asked for again until the second of them came.
#[test]
fn a_word_that_makes_hosts_halt_is_asked_for_until_four_replies_tell() {
    let mut judge = judge_of("megatec", "Q1");
    let mut asks = vec![];
    let [low, not] =
        ["11001001", "10001001"].map(|bits| format!("(000.0 000.0 230.0 020 00.0 22.4 25.0 {bits}"));
    hear_all(&mut judge, Quality::Clean, &[&not, &not]);
    for reply in [&low, &not, &not, &not, &not] {
        let claims = judge.claims(reply.as_bytes(), Quality::Clean, &Options::default());
        let (now, since) = (Moment::after_start(Duration::from_secs(9)), Moment::ZERO);
        let (quality, let_run, word_is_news) = (Quality::Clean, false, false);
        let heard = judge.hear(
            &claims,
            Hearing { now, since, values_since: since, quality, on_battery: false, let_run, word_is_news },
        );
        asks.push(heard.ask_again);
    }
    assert_eq!(asks, [true, true, true, false, false]);
    let said = hear_all(&mut judge, Quality::Clean, &[&low, &not, &low]);
    assert!(said.status.has(Status::LowBattery));
}

/// On a line that was hurt two replies that show the bit of a shutdown are not enough; one in three is.
#[test]
fn a_forced_shutdown_takes_three_readings_on_a_line_that_was_hurt() {
    const OK: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
    const FSD: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010";
    let raised_after = |quality: Quality, replies: &[&[u8]]| {
        let options = Options::default();
        let mut judge = Judge::new(protocols::ALL.iter().find(|it| it.name == "megatec").unwrap().queries[0]);
        let mut now = Moment::ZERO;
        for (at, reply) in [OK; 8].iter().chain(replies).enumerate() {
            now += Duration::from_secs(1);
            let hearing = Hearing {
                now,
                since: now - Duration::from_secs(20),
                values_since: now - Duration::from_secs(20),
                on_battery: false,
                quality,
                let_run: false,
                word_is_news: false,
            };
            let claims = judge.claims(reply, quality, &options);
            judge.hear(&claims, hearing);
            if judge.readings().is_some_and(|taken| taken.status.has(Status::ForcedShutdown)) {
                return Some(at + 1 - 8);
            }
        }
        None
    };
    assert_eq!(raised_after(Quality::Clean, &[FSD, FSD]), Some(2));
    assert_eq!(raised_after(Quality::Hurt, &[FSD, FSD, OK, OK]), None);
    assert_eq!(raised_after(Quality::Hurt, &[FSD, FSD, FSD]), Some(3));
    assert_eq!(raised_after(Quality::Hurt, &[FSD, OK, OK, FSD, OK, OK, FSD]), Some(7));
}
