//! Voltronic units whose QS is answered in binary.

use super::megatec::{BEEPER, LOAD, SHUTDOWN, STATUS_BITS, TEMPLATE};
use super::voltronic_qs::{DELAYS, TEST};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::codec::Codec;
use crate::wire::command::Command;
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{Custom, Query, bits, custom, query, word};
use crate::wire::readings::Readings;
use crate::wire::when::When;

const SOURCE: &str = "NUT 2.8.0 nutdrv_qx_voltronic-qs-hex.c";

static FAMILY: Query =
    query("M", "family", "F", &[word('F', &UPS_FIRMWARE_AUX, &[("P", "PM-P"), ("T", "PM-T")])])
        .once()
        .source(SOURCE);

/// The reply as text: bytes as hex digits, those of the bits as bits. Units of family T say their
/// ratings in eight bits more.
#[rustfmt::skip]
static STATUS: Query = query("QS", "status", "#MMMMMMM PPPPPPP QQ FFFFFFFFFFF SSSSS bbbbbbbbR*", &[
    custom('M', &INPUT),
    custom('P', &OUTPUT),
    custom('Q', &LOAD_BYTE),
    custom('F', &FREQUENCY),
    custom('S', &BATTERY),
    bits('b', STATUS_BITS),
    custom('R', &RATINGS),
]).columns().with_codec(&BINARY).source(SOURCE);

/// The numbers of a piece in hex digits.
fn hex<const N: usize>(piece: &[u8]) -> Option<[i64; N]> {
    let text = std::str::from_utf8(piece).ok()?;
    let numbers: Option<Vec<i64>> = text.split(' ').map(|word| i64::from_str_radix(word, 16).ok()).collect();
    numbers?.try_into().ok()
}

fn number(readings: &Readings, var: &Var) -> f64 {
    readings.number(var).map_or(0.0, Decimal::as_f64)
}

fn say(readings: &mut Readings, var: &'static Var, number: f64, places: u8) {
    readings.say(var, Some(Value::Number(Decimal::from_f64(number, places))));
}

/// A voltage of two registers; the second is a factor that the unit was calibrated to.
fn read_volts(piece: &[u8], var: &'static Var, readings: &mut Readings) -> Option<()> {
    let [raw, factor] = hex(piece)?;
    say(readings, var, (raw * factor / 51) as f64 / 256.0, 4);
    Some(())
}

fn write_volts(readings: &Readings, var: &Var) -> Vec<u8> {
    let raw = (number(readings, var) * 256.0 * 51.0 / f64::from(0x35)).round() as i64;
    format!("{:04x} 35", raw.clamp(0, 0xffff)).into()
}

static INPUT: Custom = Custom {
    about: "two numbers in hex digits: first × second ÷ 51 ÷ 256",
    vars: &[&INPUT_VOLTAGE],
    read: |piece, readings| read_volts(piece, &INPUT_VOLTAGE, readings),
    write: |readings, _| write_volts(readings, &INPUT_VOLTAGE),
};

static OUTPUT: Custom = Custom {
    about: "two numbers in hex digits: first × second ÷ 51 ÷ 256",
    vars: &[&OUTPUT_VOLTAGE],
    read: |piece, readings| read_volts(piece, &OUTPUT_VOLTAGE, readings),
    write: |readings, _| write_volts(readings, &OUTPUT_VOLTAGE),
};

static LOAD_BYTE: Custom = Custom {
    about: "a number in hex digits",
    vars: &[&UPS_LOAD],
    read: |piece, readings| {
        let [load] = hex(piece)?;
        say(readings, &UPS_LOAD, load as f64, 0);
        Some(())
    },
    write: |readings, _| format!("{:02x}", (number(readings, &UPS_LOAD) as i64).clamp(0, 255)).into(),
};

static FREQUENCY: Custom = Custom {
    about: "two numbers in hex digits: second ÷ first, at most 99.9",
    vars: &[&OUTPUT_FREQUENCY],
    read: |piece, readings| {
        let [period, clock] = hex(piece)?;
        let hertz = (period > 0).then(|| (clock as f64 / period as f64).min(99.9));
        readings.say(&OUTPUT_FREQUENCY, hertz.map(|hertz| Value::Number(Decimal::from_f64(hertz, 4))));
        Some(())
    },
    write: |readings, _| {
        let hertz = number(readings, &OUTPUT_FREQUENCY);
        let clock = 1_250_000.0;
        let period = if hertz > 0.0 { (clock / hertz).round() as i64 } else { 0 };
        format!("{:04x} {:06x}", period.clamp(0, 0xffff), clock as i64).into()
    },
};

static BATTERY: Custom = Custom {
    about: "two numbers in hex digits: first × second ÷ 510",
    vars: &[&BATTERY_VOLTAGE],
    read: |piece, readings| {
        let [raw, factor] = hex(piece)?;
        say(readings, &BATTERY_VOLTAGE, (raw * factor) as f64 / 510.0, 4);
        Some(())
    },
    write: |readings, _| {
        let volts = number(readings, &BATTERY_VOLTAGE);
        // the least factor that leaves room for the volts in one byte
        let factor = [0x1e, 0x3c, 0x78, 0xff]
            .into_iter()
            .find(|factor| volts * 2.0 <= f64::from(*factor))
            .unwrap_or(0xff);
        let raw = (volts * 510.0 / f64::from(factor)).round() as i64;
        format!("{:02x} {factor:02x}", raw.clamp(0, 255)).into()
    },
};

const HERTZ: [u32; 2] = [50, 60];
const BATTERY_VOLTS: [u32; 4] = [12, 24, 36, 48];
const OUTPUT_VOLTS: [u32; 5] = [110, 120, 220, 230, 240];

/// Which bits of the last eight tell what: begin, end, values.
const RATING_BITS: [(&Var, usize, usize, &[u32]); 3] = [
    (&OUTPUT_FREQUENCY_NOMINAL, 0, 1, &HERTZ),
    (&BATTERY_VOLTAGE_NOMINAL, 1, 3, &BATTERY_VOLTS),
    (&OUTPUT_VOLTAGE_NOMINAL, 5, 8, &OUTPUT_VOLTS),
];

static RATINGS: Custom = Custom {
    about: "nothing, or a blank and eight bits: 50 or 60 Hz; 12, 24, 36, 48 V of battery in two; two unknown; 110, 120, 220, 230, 240 V in three",
    vars: &[&OUTPUT_FREQUENCY_NOMINAL, &BATTERY_VOLTAGE_NOMINAL, &OUTPUT_VOLTAGE_NOMINAL],
    read: |piece, readings| {
        let Some((blank, bits)) = piece.split_first() else { return Some(()) };
        let text = std::str::from_utf8(bits).ok().filter(|text| *blank == b' ' && text.len() == 8)?;
        for (var, from, to, values) in RATING_BITS {
            let index = usize::from_str_radix(&text[from..to], 2).ok()?;
            readings.say(var, values.get(index).map(|value| Value::whole(*value)));
        }
        Some(())
    },
    write: |readings, _| {
        if readings.value(&UPS_FIRMWARE_AUX) != Some(&Value::text("PM-T")) {
            return vec![];
        }
        let mut bits = String::from(" 00000000");
        for (var, from, to, values) in RATING_BITS {
            let index =
                values.iter().position(|value| f64::from(*value) == number(readings, var)).unwrap_or(0);
            bits.replace_range(from + 1..to + 1, &format!("{index:0width$b}", width = to - from));
        }
        bits.into()
    },
};

/// Bytes that would disturb the line, and what stands for them behind a `(`.
const ESCAPES: [(u8, u8); 5] = [(0x0d, 0), (0x11, 1), (0x13, 2), (0x0a, 3), (0x20, 4)];
/// The word from which on they are bits, counted from 1.
const BIT_WORDS: usize = 10;

static BINARY: Codec = Codec {
    about: "replies are binary, `(` and a number stand for bytes that would disturb the line",
    pack_question: <[u8]>::to_vec,
    unpack_question: |line| Some(line.to_vec()),
    pack_reply: |text| {
        let mut out = vec![b'#'];
        for (n, word) in text.strip_prefix(b"#").unwrap_or(text).split(|byte| *byte == b' ').enumerate() {
            out.extend((n > 0).then_some(b' '));
            let (radix, width) = if n + 1 < BIT_WORDS { (16, 2) } else { (2, 8) };
            for digits in word.chunks(width) {
                let byte =
                    std::str::from_utf8(digits).ok().and_then(|text| u8::from_str_radix(text, radix).ok());
                let byte = byte.unwrap_or_default();
                match ESCAPES.iter().find(|(plain, _)| *plain == byte) {
                    Some((_, number)) => out.extend([b'(', *number]),
                    None => out.push(byte),
                }
            }
        }
        out
    },
    unpack_reply: |line| {
        let mut text = String::from("#");
        let (mut word, mut rest) = (1, line.strip_prefix(b"#")?);
        while let Some((byte, tail)) = rest.split_first() {
            rest = tail;
            if *byte == b' ' {
                word += 1;
                text.push(' ');
                continue;
            }
            let escaped =
                (*byte == b'(').then(|| ESCAPES.iter().find(|(_, number)| tail.first() == Some(number)));
            let plain = match escaped.flatten() {
                Some((plain, _)) => {
                    rest = &tail[1..];
                    *plain
                }
                None => *byte,
            };
            text += &if word < BIT_WORDS { format!("{plain:02x}") } else { format!("{plain:08b}") };
        }
        (word == BIT_WORDS || word == BIT_WORDS + 1).then(|| text.into_bytes())
    },
    checks: false,
    // a number behind a `(` that is garbled moves all that follows
    bare_reply: |_| None,
};

/// Only family T tests its battery when told to.
const TEST_OF_T: &[Command] = &[TEST[0].when(When::Is(&UPS_FIRMWARE_AUX, &["PM-T"]))];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[(&UPS_FIRMWARE_AUX, "PM-P")];

/// The dialect.
pub static VOLTRONIC_QS_HEX: Protocol = Protocol {
    name: "voltronic-qs-hex",
    about: "Voltronic units of families P and T: family by M, status by QS in binary",
    signs: &[Sign::Answers(&FAMILY), Sign::Answers(&STATUS)],
    sample: SAMPLE,
    queries: &[&FAMILY, &STATUS],
    commands: &[BEEPER, LOAD, SHUTDOWN, TEST_OF_T],
    delays: DELAYS,
    acknowledgement: Acknowledgement::Silence,
    flags: &[Flag::IgnoreSab],
    ..TEMPLATE
};
