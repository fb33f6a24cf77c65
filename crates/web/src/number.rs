//! Which values are numbers, and in which unit a variable counts.

use qx::vocabulary::variable::{Unit, published};

/// The number that a text is: digits with a sign and a point, as NUT writes them. Words that Rust takes for numbers
/// (`inf`, `nan`, `1e9`) are none.
pub fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let has_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
    if !is_plain || !has_digit || text.len() > 32 {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number as text: the shortest that reads back the same.
pub fn plain(number: f64) -> String {
    // minus zero is zero
    let number = if number == 0.0 { 0.0 } else { number };
    format!("{number}")
}

/// What a variable counts in: as qxups knows it, else by the words of its name, which NUT keeps to (docs/nut-names.txt
/// of NUT). Texts and plain numbers have no unit.
pub fn unit_of(name: &str) -> Unit {
    if let Some(var) = published(name) {
        return var.unit;
    }
    let words = name.rsplit('.').filter(|word| {
        !matches!(
            *word,
            "nominal"
                | "low"
                | "high"
                | "minimum"
                | "maximum"
                | "warning"
                | "critical"
                | "restart"
                | "average"
        )
    });
    let mut words = words;
    match words.next().unwrap_or_default() {
        "voltage" => Unit::Volt,
        "current" => Unit::Ampere,
        "frequency" => Unit::Hertz,
        "charge" | "load" | "humidity" | "efficiency" | "percent" => Unit::Percent,
        "temperature" => Unit::Celsius,
        "runtime" | "uptime" => Unit::Second,
        "realpower" => Unit::Watt,
        "power" => Unit::VoltAmpere,
        _ => match words.next() {
            Some("delay" | "timer") => Unit::Second,
            Some("transfer") => Unit::Volt,
            _ => Unit::None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nut_writes_as_a_number_is_one() {
        for (text, expected) in [
            ("13.60", Some(13.6)),
            ("-3", Some(-3.0)),
            ("0764", Some(764.0)),
            ("5.", Some(5.0)),
            (".", None),
            ("", None),
            ("nan", None),
            ("inf", None),
            ("1e9", None),
            ("1 000", None),
            ("--1", None),
            ("2024/01/02", None),
            ("99999999999999999999999999999999999999", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!((plain(0.57), plain(230.0), plain(-0.0)), ("0.57".into(), "230".into(), "0".into()));
    }

    /// The names of drivers that qxups does not have, by NUT's docs/nut-names.txt.
    #[test]
    fn names_of_other_drivers_have_their_unit() {
        for (name, unit) in [
            ("input.L1-N.voltage", Unit::Volt),
            ("outlet.12.current.high.warning", Unit::Ampere),
            ("ambient.humidity", Unit::Percent),
            ("device.uptime", Unit::Second),
            ("outlet.1.power", Unit::VoltAmpere),
            ("outlet.1.delay.start", Unit::Second),
            ("input.transfer.low", Unit::Volt),
            ("ups.contacts", Unit::None),
            ("ups.status", Unit::None),
            ("battery.voltage", Unit::Volt),
        ] {
            assert_eq!(unit_of(name), unit, "{name}");
        }
    }
}
