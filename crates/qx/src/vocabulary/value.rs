//! Values: what a variable holds. Numbers stay decimal, so that text in is text out.

use std::fmt;

/// A decimal number as it stood on the wire: `27.50` is 2750 units with 2 places.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    units: i64,
    places: u8,
}

/// A binary number holds every decimal of fifteen digits well enough to give it back.
const EXACT: u64 = 10u64.pow(15);

impl Decimal {
    /// `units` divided by ten to the power of `places`; at most nine places.
    pub const fn new(units: i64, places: u8) -> Decimal {
        Decimal { units, places: if places > 9 { 9 } else { places } }
    }

    /// The decimal nearest to `number` with that many places (nine at most).
    pub fn from_f64(number: f64, places: u8) -> Decimal {
        let places = places.min(9);
        Decimal { units: (number * 10f64.powi(i32::from(places))).round() as i64, places }
    }

    /// Reads digits with at most one point and an optional minus: `014`, `27.5`, `.5`, `-3.0`.
    /// Blanks, plus signs, exponents and more than fifteen digits are not numbers.
    pub fn parse(text: &str) -> Option<Decimal> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let count = whole.len() + fraction.len();
        if count == 0 || count > 15 || fraction.len() > 9 {
            return None;
        }
        let mut units = 0i64;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            units = units * 10 + i64::from(byte - b'0');
        }
        let sign = if digits.len() < text.len() { -1 } else { 1 };
        Some(Decimal { units: sign * units, places: fraction.len() as u8 })
    }

    /// The nearest binary number; exact enough for every width a reply has.
    pub fn as_f64(self) -> f64 {
        self.units as f64 / 10f64.powi(i32::from(self.places))
    }

    /// The whole part, towards zero.
    pub fn whole(self) -> i64 {
        self.units / 10i64.pow(u32::from(self.places))
    }

    /// The number multiplied, then divided by ten to the power of `shift`.
    pub fn scaled(self, times: u32, shift: u8) -> Decimal {
        Decimal::new(self.units.saturating_mul(i64::from(times)), self.places.saturating_add(shift))
    }

    /// The text with so many decimals, rounded as C's `printf` does.
    pub fn text(self, places: u8) -> String {
        self.exact_text(places).unwrap_or_else(|| format!("{:.*}", usize::from(places), self.as_f64()))
    }

    /// The same without a binary number between, where nothing has to be rounded: much quicker.
    fn exact_text(self, places: u8) -> Option<String> {
        let more = places.checked_sub(self.places)?;
        let units = self.units.unsigned_abs().checked_mul(10u64.checked_pow(more.into())?)?;
        if units >= EXACT {
            return None;
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let mut text = format!("{sign}{units:0width$}", width = usize::from(places) + 1);
        if places > 0 {
            text.insert(text.len() - usize::from(places), '.');
        }
        Some(text)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(self.places))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        let places = self.places.max(other.places);
        let scaled = |d: &Decimal| i128::from(d.units) * 10i128.pow(u32::from(places - d.places));
        scaled(self) == scaled(other)
    }
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, published with the decimals of its variable.
    Number(Decimal),
    /// A text: printable ASCII without characters that mean something to a shell.
    Text(String),
}

impl Value {
    /// A text as a value.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// A whole number as a value.
    pub const fn whole(number: u32) -> Value {
        Value::Number(Decimal::new(number as i64, 0))
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    /// The text that publishers print, numbers with so many decimals.
    pub fn published(&self, places: u8) -> String {
        match self {
            Value::Number(number) => number.text(places),
            Value::Text(text) => text.clone(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// Makes bytes of a UPS fit to be shown: what is not printable ASCII, and what means something to
/// a shell, a quoting parser or a format, becomes `_` (compare CVE-2026-54161, where such a text
/// reached a shell in upsmon).
pub fn presentable(bytes: &[u8]) -> String {
    let safe = |byte: &u8| match byte {
        b'"' | b'\'' | b'\\' | b'`' | b'$' | b';' | b'&' | b'|' | b'<' | b'>' => '_',
        0x20..=0x7e => char::from(*byte),
        _ => '_',
    };
    bytes.iter().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_and_print() {
        for (text, places, printed) in [
            ("014", 0, "14"),
            ("27.5", 2, "27.50"),
            ("230.5", 0, "230"),
            ("231.5", 0, "232"),
            (".5", 1, "0.5"),
            ("-3.0", 1, "-3.0"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().text(places), printed, "{text}");
        }
    }

    #[test]
    fn the_quick_way_prints_the_same() {
        for units in (0..1_000_000_000_000_000).step_by(7_310_000_000_019).chain(0..2000) {
            for (places, printed, sign) in
                [(0, 0, 1), (1, 1, -1), (1, 2, 1), (3, 3, -1), (2, 9, 1), (9, 9, 1)]
            {
                let number = Decimal::new(sign * units, places);
                let slow = format!("{:.*}", usize::from(printed), number.as_f64());
                assert!(number.exact_text(printed).is_none_or(|quick| quick == slow), "{number:?}");
                assert_eq!(number.text(printed), slow);
            }
        }
        assert_eq!(Decimal::new(275, 1).exact_text(2).unwrap(), "27.50");
        assert_eq!(Decimal::new(275, 1).exact_text(0), None, "what has to be rounded");
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", ".", "-", "1.2.3", "4?", " 1", "+1", "1e3", "0x10", "12345678901234567"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn texts_are_harmless() {
        assert_eq!(presentable(b"A`id`$(x)\x00\xffB"), "A_id__(x)__B");
    }
}
