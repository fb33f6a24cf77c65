//! An oddity drawn at random.

use super::{Deed, Oddity, Plate, State};
use crate::trouble::Random;
use qx::vocabulary::status::Status;
use qx::wire::protocol::Protocol;
use qx::wire::query::{Cadence, Meaning, Query};
use std::time::Duration;

/// Draws an oddity that a unit of the dialect may have. It stays honest, and what tells of mains is answered
/// in one form or another.
pub fn draw(random: &mut Random, protocol: &Protocol) -> Oddity {
    let deed = deed(random);
    let mut odd = Oddity::from(deed);
    if matches!(odd.deed, Deed::Plate(_)) {
        return plate(random, odd, protocol);
    }
    match odd.deed {
        Deed::Silent | Deed::Refuses | Deed::Empty | Deed::Nuls => {
            // without its signs it is another dialect
            let is_sign = |query: &Query| protocol.signs.iter().any(|sign| sign.query().ask == query.ask);
            let free = |query: &&&'static Query| !tells_mains(query) && !is_sign(query);
            let asks: Vec<&str> = protocol.queries.iter().filter(free).map(|query| query.ask).collect();
            match asks.get(random.below(asks.len())) {
                Some(ask) => odd.ask = Some((*ask).into()),
                None => odd.deed = Deed::Tabs,
            }
        }
        // a word that is seldom said is another truth
        Deed::Omits(_) => odd.every = 2,
        _ => {}
    }
    odd.on = [None, None, Some(State::Battery), Some(State::Battery), Some(State::Mains), Some(State::Low)]
        [random.below(6)];
    if odd.every == 1
        && random.chance(0.4)
        && !matches!(odd.deed, Deed::Silent | Deed::Refuses | Deed::Behind)
    {
        odd.every = 2 + random.below(2) as u32;
    }
    odd.phase = random.below(odd.every as usize) as u32;
    if random.chance(0.3) {
        odd.after = Duration::from_secs(10 * random.below(20) as u64);
    }
    if odd.every == 1 && random.chance(0.2) && matches!(odd.deed, Deed::Slow(_) | Deed::Gap(_)) {
        odd.chance = 20;
    }
    odd
}

/// A name plate that reads otherwise on battery: all of it, or the reply to one question.
fn plate(random: &mut Random, mut odd: Oddity, protocol: &Protocol) -> Oddity {
    let keeps_back = !matches!(odd.deed, Deed::Plate(Plate::Zeros | Plate::Other));
    // without its signs it is another dialect
    let free = |query: &&&'static Query| {
        query.cadence == Cadence::Once
            && !(keeps_back && protocol.signs.iter().any(|sign| sign.query().ask == query.ask))
    };
    let asks: Vec<&str> = protocol.queries.iter().filter(free).map(|query| query.ask).collect();
    let one = asks.get(random.below(asks.len())).map(|ask| (*ask).into());
    let all = random.chance(0.5);
    match (keeps_back, one) {
        (true, None) => odd.deed = Deed::Plate(Plate::Zeros),
        (true, one) => odd.ask = one,
        (false, one) => odd.ask = one.filter(|_| !all),
    }
    odd.on = Some(State::Battery);
    if random.chance(0.2) {
        odd.every = 2;
        odd.phase = random.below(2) as u32;
    }
    odd
}

fn deed(random: &mut Random) -> Deed {
    let mut ms = |some: &[u64]| Duration::from_millis(some[random.below(some.len())]);
    let (slow, gap, late) =
        (ms(&[50, 100, 300, 500]), ms(&[20, 100, 200, 250]), ms(&[300, 450, 600, 700, 900, 1500]));
    match random.below(34) {
        0..=3 => Deed::Omits(Status::LowBattery),
        4..=6 => Deed::Toggles,
        7 | 8 => Deed::Letter(['B', 'x', '-'][random.below(3)]),
        9 | 10 => Deed::Bits(1 + random.below(2) as i8),
        11 => Deed::Blank,
        12 | 13 => Deed::Tabs,
        14 => Deed::Wide,
        15 => Deed::Narrow,
        16 => Deed::Trailing,
        17 => Deed::NulBefore,
        18 => Deed::NulAfter,
        19 => Deed::Mode(['C', 'D', 'Y', 'X'][random.below(4)]),
        20 | 21 => Deed::Silent,
        22 | 23 => Deed::Refuses,
        24 => Deed::Empty,
        25 => Deed::Nuls,
        26 => Deed::Slow(slow),
        27 => Deed::Gap(gap),
        28 => Deed::LateWord(late),
        29 => Deed::NoWord,
        _ => Deed::Plate(Plate::ALL[random.below(Plate::ALL.len())].1),
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
