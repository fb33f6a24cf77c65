//! An oddity drawn at random.

use super::{Behaviour, OddState, Oddity, PlateOddity};
use crate::trouble::Random;
use qx::vocabulary::status::Status;
use qx::wire::protocol::Protocol;
use qx::wire::query::{Cadence, Meaning, Query};
use std::time::Duration;

/// Draws an oddity that a unit of the dialect may have. It stays honest, and what tells of mains is answered
/// in one form or another.
pub fn draw(random: &mut Random, protocol: &Protocol) -> Oddity {
    let behaviour = behaviour(random);
    let mut odd = Oddity::from(behaviour);
    if matches!(odd.behaviour, Behaviour::Plate(_)) {
        return plate(random, odd, protocol);
    }
    match odd.behaviour {
        Behaviour::Silent | Behaviour::Refuses | Behaviour::Empty | Behaviour::Nuls => {
            // without its signs it is another dialect
            let is_sign = |query: &Query| protocol.signs.iter().any(|sign| sign.query().ask == query.ask);
            let free = |query: &&&'static Query| !tells_mains(query) && !is_sign(query);
            let asks: Vec<&str> = protocol.queries.iter().filter(free).map(|query| query.ask).collect();
            match asks.get(random.below(asks.len())) {
                Some(ask) => odd.ask = Some((*ask).into()),
                None => odd.behaviour = Behaviour::Tabs,
            }
        }
        // a word that is seldom said is another truth
        Behaviour::Omits(_) => odd.every = 2,
        _ => {}
    }
    odd.on = [
        None,
        None,
        Some(OddState::Battery),
        Some(OddState::Battery),
        Some(OddState::Mains),
        Some(OddState::Low),
    ][random.below(6)];
    if odd.every == 1
        && random.chance(0.4)
        && !matches!(odd.behaviour, Behaviour::Silent | Behaviour::Refuses | Behaviour::Behind)
    {
        odd.every = 2 + random.below(2) as u32;
    }
    odd.phase = random.below(odd.every as usize) as u32;
    if random.chance(0.3) {
        odd.after = Duration::from_secs(10 * random.below(20) as u64);
    }
    if odd.every == 1 && random.chance(0.2) && matches!(odd.behaviour, Behaviour::Slow(_) | Behaviour::Gap(_))
    {
        odd.chance = 20;
    }
    odd
}

/// A name plate that reads otherwise on battery: all of it, or the reply to one question.
fn plate(random: &mut Random, mut odd: Oddity, protocol: &Protocol) -> Oddity {
    let keeps_back = !matches!(odd.behaviour, Behaviour::Plate(PlateOddity::Zeros | PlateOddity::Other));
    // without its signs it is another dialect
    let free = |query: &&&'static Query| {
        query.cadence == Cadence::Once
            && !(keeps_back && protocol.signs.iter().any(|sign| sign.query().ask == query.ask))
    };
    let asks: Vec<&str> = protocol.queries.iter().filter(free).map(|query| query.ask).collect();
    let one = asks.get(random.below(asks.len())).map(|ask| (*ask).into());
    let all = random.chance(0.5);
    match (keeps_back, one) {
        (true, None) => odd.behaviour = Behaviour::Plate(PlateOddity::Zeros),
        (true, one) => odd.ask = one,
        (false, one) => odd.ask = one.filter(|_| !all),
    }
    odd.on = Some(OddState::Battery);
    if random.chance(0.2) {
        odd.every = 2;
        odd.phase = random.below(2) as u32;
    }
    odd
}

fn behaviour(random: &mut Random) -> Behaviour {
    let mut ms = |some: &[u64]| Duration::from_millis(some[random.below(some.len())]);
    let (slow, gap, late) =
        (ms(&[50, 100, 300, 500]), ms(&[20, 100, 200, 250]), ms(&[300, 450, 600, 700, 900, 1500]));
    match random.below(34) {
        0..=3 => Behaviour::Omits(Status::LowBattery),
        4..=6 => Behaviour::Toggles,
        7 | 8 => Behaviour::Letter(['B', 'x', '-'][random.below(3)]),
        9 | 10 => Behaviour::Bits(1 + random.below(2) as i8),
        11 => Behaviour::Blank,
        12 | 13 => Behaviour::Tabs,
        14 => Behaviour::Wide,
        15 => Behaviour::Narrow,
        16 => Behaviour::Trailing,
        17 => Behaviour::NulBefore,
        18 => Behaviour::NulAfter,
        19 => Behaviour::Mode(['C', 'D', 'Y', 'X'][random.below(4)]),
        20 | 21 => Behaviour::Silent,
        22 | 23 => Behaviour::Refuses,
        24 => Behaviour::Empty,
        25 => Behaviour::Nuls,
        26 => Behaviour::Slow(slow),
        27 => Behaviour::Gap(gap),
        28 => Behaviour::LateWord(late),
        29 => Behaviour::NoWord,
        _ => Behaviour::Plate(PlateOddity::ALL[random.below(PlateOddity::ALL.len())].1),
    }
}

/// Whether mains is told by it, or the dialect is found by it at once.
fn tells_mains(query: &Query) -> bool {
    let online = |effect: &qx::wire::query::Effect| {
        effect.parts().iter().any(|part| {
            matches!(
                part,
                qx::wire::query::Effect::Set(Status::Online) | qx::wire::query::Effect::Clear(Status::Online)
            )
        })
    };
    query.fields.iter().any(|field| match field.meaning {
        Meaning::Bits(rows) => rows.iter().any(|row| online(&row.one) || online(&row.zero)),
        Meaning::Codes(rows) => rows.iter().any(|row| online(&row.effect)),
        _ => false,
    })
}
