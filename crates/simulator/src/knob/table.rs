//! The knobs: a row says how one is written and what it does.

use super::read::{KnobText, Read, on_off_or_free, on_or_off, sets};
use crate::oddity::Oddity;
use crate::profile::RefusalReply;
use crate::readings::value;
use crate::sample::{FAMILIES, MODELS};
use crate::trouble::{Fate, Nothing};
use crate::ups::SimulatedUps;
use crate::world::UnitOrder;
use qx::vocabulary::status::Status;
use std::sync::Arc;
use std::time::Duration;

/// All there is to know of one knob.
pub(super) struct KnobRow {
    pub(super) name: &'static str,
    /// How its value is written, for help; each way a line.
    pub(super) value: &'static str,
    pub(super) read: fn(&KnobText) -> Read,
}

const fn row(name: &'static str, value: &'static str, read: fn(&KnobText) -> Read) -> KnobRow {
    KnobRow { name, value, read }
}

/// Every knob.
#[rustfmt::skip]
pub(super) const TABLE: &[KnobRow] = &[
    row("mains", "fail|back|VOLTS", |said| match said.value {
        "fail" => sets((), |ups, ()| mains(ups, 0.0)),
        "back" => sets((), |ups, ()| mains(ups, ups.world.rating.mains_volts)),
        _ => said.number_or("fail, back or ", 0.0, 999.0, mains),
    }),
    row("frequency", "HERTZ", |said| said.number(0.0, 99.0, |ups, hertz| ups.world.mains_hertz = hertz)),
    row("load", "PERCENT", |said| said.number(0.0, 999.0, |ups, percent| ups.world.load_percent = percent)),
    row("charge", "PERCENT", |said| said.number(0.0, 100.0, |ups, percent| ups.world.charge = percent / 100.0)),
    row("temperature", "CELSIUS", |said| said.number(-9.0, 99.0, |ups, celsius| ups.world.temperature = celsius)),
    row("fault", "on|off", |said| said.switch(|ups, on| ups.world.fault = on)),
    row("beeper", "on|off", |said| said.switch(|ups, on| ups.world.beeper = on)),
    row("bypass", "on|off", |said| said.switch(|ups, on| ups.world.bypass = on)),
    row("countdown", "SECONDS|off (at its panel)", |said| said.number_or_off(0.0, 1e6, |ups, seconds| match seconds {
        Some(seconds) => ups.world.obey(UnitOrder::Return(seconds, 0.0)),
        None => ups.world.countdown = None,
    })),
    row("rated", "VOLTS (of the battery)", |said| said.number(2.0, 600.0, |ups, volts| ups.world.rating.battery_volts = volts)),
    row("model", "NAME", |said| said.text(|ups, name| ups.profile.model = name)),
    row("family", "NAME", family),
    row("cell", "on|off", |said| said.switch(|ups, on| ups.profile.per_cell = on)),
    row("bit", "0..7 on|off|free (0 is the leftmost)", bit),
    row("word", "STATUS on|off|free", word),
    row("warning", "NUMBER on|off", warning),
    row("say", "VARIABLE VALUE", say),
    row("dashes", "VARIABLE", |said| said.text(|ups, name| ups.profile.does_not_know.push(name))),
    row("unknown", "silent|echo|TEXT", |said| said.text(|ups, text| ups.profile.unknown = RefusalReply::parse(&text))),
    row("refuse", "silent|echo|TEXT|off", |said| said.text_or_off(|ups, text| {
        ups.profile.refuses = text.as_deref().map(RefusalReply::parse);
    })),
    row("accept", "TEXT|off", |said| said.text_or_off(|ups, text| ups.profile.accepts = text)),
    row("forget", "QUESTION", |said| said.text(|ups, question| ups.profile.ignorant_of.push(question))),
    row("reply", "QUESTION [\"BYTES\"]", reply),
    row("latency", "MILLISECONDS", |said| said.number(0.0, 60_000.0, |ups, ms| {
        ups.profile.latency = Duration::from_secs_f64(ms) / 1000;
    })),
    row("baud", "BAUD|off", |said| said.number_or_off(50.0, 1e6, |ups, baud| {
        ups.profile.baud = baud.map(|baud| baud as u32);
    })),
    row("echo", "on|off", |said| said.switch(|ups, on| ups.profile.echoes_line = on)),
    row("silent", "on|off", |said| said.switch(|ups, on| ups.profile.silent = on)),
    row("odd", "NAME[=VALUE] [CONDITION...]|off (see below)", |said| match said.value {
        "off" => sets((), |ups, ()| ups.profile.oddities.clear()),
        odd => sets(Oddity::parse(odd)?, |ups, odd| ups.profile.oddities.push(odd)),
    }),
    row("lose", "0..1", |said| said.probability(|ups, share| ups.trouble.lose = share)),
    row("garble", "0..1", |said| said.probability(|ups, share| ups.trouble.garble = share)),
    row("double", "0..1", |said| said.probability(|ups, share| ups.trouble.double = share)),
    row("break", "0..1", |said| said.probability(|ups, share| ups.trouble.hang_up = share)),
    row("noise", "0..1 (of each byte, both ways)", |said| said.probability(|ups, share| ups.trouble.noise = share)),
    row("late", "0..1", |said| said.probability(|ups, share| ups.trouble.late = share)),
    row("hurt", "COUNT (replies to come lose a byte)", |said| said.number(0.0, 1e6, |ups, count| ups.trouble.hurt = count as u32)),
    row("hangup", "SECONDS (unplugs a converter)", |said| said.number(0.0, 3600.0, |ups, seconds| {
        ups.port.hang_up(Duration::from_secs_f64(seconds));
    })),
    row("usb", "stall|babble|fault|short|garble COUNT\ndeaf|hung on|off (hung: until its port is reset)\n\
         nothing nul|return|nuls|off (what stands for silence)", usb),
    row("speed", "FACTOR", |said| {
        let speed = said.a_number(0.1, 10_000.0)?;
        Ok(Arc::new(move |ups, now| ups.clock.set_speed(speed, now)))
    }),
];

fn mains(ups: &mut SimulatedUps, volts: f64) {
    ups.world.mains_volts = volts;
    if !ups.world.mains_good() {
        ups.world.fault_volts = volts;
    }
}

fn family(said: &KnobText) -> Read {
    let name = said.a_text()?;
    if !FAMILIES.iter().chain(MODELS).any(|known| *known == name) {
        let names: Vec<&str> = FAMILIES.iter().chain(MODELS).copied().collect();
        return Err(format!("family: '{name}' is not known; there are {}", names.join(", ")));
    }
    sets(name, |ups, name| ups.profile.family = Some(name))
}

fn bit(said: &KnobText) -> Read {
    let read = || {
        let (place, state) = said.two_words()?;
        Some((place.parse().ok().filter(|place| *place < 8)?, on_off_or_free(state)?))
    };
    let (place, state) = read().ok_or("bit: write a place from 0 (leftmost) to 7 and on, off or free")?;
    sets((place, state), |ups, (place, state)| ups.forced.set_bit(place, state))
}

fn word(said: &KnobText) -> Read {
    let read = || {
        let (name, state) = said.two_words()?;
        Some((Status::ALL.into_iter().find(|status| status.word() == name)?, on_off_or_free(state)?))
    };
    let (status, state) = read().ok_or_else(|| {
        let words: Vec<&str> = Status::ALL.into_iter().map(Status::word).collect();
        format!("word: '{}' is not known; write one of {} and on, off or free", said.value, words.join(", "))
    })?;
    sets((status, state), |ups, (status, state)| match state {
        Some(on) => drop(ups.memory.words.insert(status, on)),
        None => drop(ups.memory.words.remove(&status)),
    })
}

fn warning(said: &KnobText) -> Read {
    let read = || {
        let (number, state) = said.two_words()?;
        Some((number.parse::<u8>().ok().filter(|number| (1..=64).contains(number))?, on_or_off(state)?))
    };
    let (number, on) = read().ok_or("warning: write a number from 1 to 64 and on or off")?;
    sets((number, on), |ups, (number, on)| match on {
        true => ups.memory.warnings.push(number),
        false => ups.memory.warnings.retain(|raised| *raised != number),
    })
}

fn say(said: &KnobText) -> Read {
    let read = || {
        let (name, text) = said.two_words()?;
        Some((qx::vocabulary::variable::named(name)?, text.to_string()))
    };
    let (var, text) = read().ok_or("say: write the name of a variable and its value")?;
    sets((var, text), |ups, (var, text)| {
        let value = value(ups.protocol, var, &text);
        ups.memory.keep(var, value);
    })
}

fn reply(said: &KnobText) -> Read {
    let value = said.a_text()?;
    let (question, bytes) = value.split_once(char::is_whitespace).unwrap_or((&value, ""));
    let bytes = bytes.trim();
    let bytes = bytes.strip_prefix('"').and_then(|bytes| bytes.strip_suffix('"')).unwrap_or(bytes);
    let bytes = (!bytes.is_empty()).then(|| bytes.as_bytes().to_vec());
    sets((question.to_string(), bytes), |ups, (question, bytes)| ups.forced.set_reply(question, bytes))
}

fn usb(said: &KnobText) -> Read {
    const WRITE: &str = "usb: write stall, babble, fault, short or garble and a count, deaf or hung and on or off, or \
                         nothing and nul, return, nuls or off";
    let (what, rest) = said.two_words().ok_or(WRITE)?;
    let on = || on_or_off(rest).ok_or(WRITE);
    let fate = match what {
        "deaf" => return sets(on()?, |ups, deaf| ups.usb.deaf = deaf),
        "hung" => return sets(on()?, |ups, hung| ups.usb.hung = hung),
        "nothing" => {
            let nothing = match rest {
                "nul" => Some(Nothing::Nul),
                "return" => Some(Nothing::Return),
                "nuls" => Some(Nothing::Nuls),
                "off" => None,
                _ => return Err(WRITE.into()),
            };
            return sets(nothing, |ups, nothing| ups.usb.nothing = nothing);
        }
        "stall" => Fate::Stall,
        "babble" => Fate::Babble,
        "fault" => Fate::Fault,
        "short" => Fate::Short,
        "garble" => Fate::Garbled,
        _ => return Err(WRITE.into()),
    };
    let count: u32 = rest.parse().map_err(|_| WRITE)?;
    sets((fate, count), |ups, (fate, count)| ups.usb.expect(fate, count))
}
