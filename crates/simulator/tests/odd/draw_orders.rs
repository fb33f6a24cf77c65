//! A life in which a UPS is ordered to switch its load off, drawn from a seed: one that does not hear it, obeys late, or says
//! it late or never. In most of them the driver is run for that alone, as `-k` does it.

use super::draw::Draw;
use super::draw_rests::rests_from;
use super::life::{Event, Life};

/// What a client may order.
const ORDERS: [&str; 5] =
    ["shutdown.return", "shutdown.stayoff", "load.off", "shutdown.stop", "test.battery.start.quick"];

/// The life of a seed.
pub fn draw(seed: u64) -> Life {
    let mut draw = Draw::begin(seed, 0x5851_F42D);
    draw.plug();
    if draw.chance(0.5) {
        let interval = draw.one(&["1", "5", "10", "30"]);
        draw.life.options.push(("pollinterval".into(), interval.into()));
    }
    let is_for_that_alone = draw.chance(0.6);
    draw.life.named |= is_for_that_alone;
    let on_battery = draw.chance(0.7);
    if on_battery {
        draw.life.knobs.extend(["mains fail".into(), "charge 60".into()]);
    }
    for _ in 0..1 + draw.below(2) {
        let knob = odd(&mut draw);
        draw.life.knobs.push(knob);
    }
    if is_for_that_alone {
        draw.now = 0;
        draw.at(0, Event::Kill);
        return draw.end(120);
    }
    let first = draw.now + draw.between(0, 20);
    if !on_battery && draw.chance(0.5) {
        draw.turn(first - draw.life.seed % 9, "mains fail");
    }
    let name = draw.one(&ORDERS);
    match draw.below(3) {
        0 => draw.at(first, Event::Kill),
        _ => draw.at(first, Event::Order(name.into(), None, 1)),
    }
    draw.now = first;
    draw.end(120)
}

/// What is odd about it.
fn odd(draw: &mut Draw) -> String {
    let words = draw.life.protocol().acknowledgement.said().is_some();
    let ms = draw.between(3, 40) * 100;
    let rests = rests_from(draw.life.seed);
    // behind the first question by which a dialect is found NUT asks the next one at once
    let is_found_by_one = draw.life.named && draw.life.protocol().signs.len() == 1;
    let after = if is_found_by_one { "" } else { " after:30" };
    match draw.below(10) {
        // (longer than polls are apart no driver is heard)
        0 | 1 => format!("odd {rests}={}{after}", ms / 2),
        2 => format!(
            "odd {rests}={} ask:{}{after}",
            ms / 2,
            draw.life.protocol().queries[0].ask.replace(' ', "_")
        ),
        3 | 4 => format!("odd busy={ms}"),
        5 => format!("odd acts-late={ms}"),
        6 => format!("odd late-word={ms}"),
        7 => "odd no-word".into(),
        8 => format!("odd slow={}", ms / 3),
        // of one that says nothing when it obeys, this would be the same
        _ if words => draw.one(&["refuse silent", "refuse (NAK", "refuse echo"]).into(),
        _ => draw.one(&["refuse (NAK", "refuse echo", "accept (ACK"]).into(),
    }
}
