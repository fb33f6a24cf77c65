//! What is kept over a restart: a few lines that people can read, and their sum.

use crate::bank::Bank;
use crate::posterior::Measured;
use crate::unit::UpsIdentity;
use std::fmt::{self, Write};

/// Why a memory is not taken. The estimator then starts afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// It is cut, changed, or no memory at all.
    Torn,
    /// It was written by a version that this one does not know.
    Version,
    /// It is of a battery with other cells.
    OtherBank,
    /// It is of the battery of another UPS.
    OtherUnit,
    /// It is whole, but no battery is like this.
    Nonsense,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MemoryError::Torn => "what was kept of the battery is damaged; delete the file to start afresh",
            MemoryError::Version => {
                "what was kept of the battery is of another version; delete the file to start afresh"
            }
            MemoryError::OtherBank => {
                "what was kept is of a battery with other cells; delete the file if it was replaced"
            }
            MemoryError::OtherUnit => "what was kept is of the battery of another UPS",
            MemoryError::Nonsense => {
                "what was kept of the battery cannot be right; delete the file to start afresh"
            }
        })
    }
}

impl std::error::Error for MemoryError {}

const HEAD: &str = "qxups battery ";
const VERSION: &str = "2";
/// It knows neither the UPS nor doubts.
const VERSION_BEFORE: &str = "1";
const NAMES: [&str; 4] = ["open", "drop", "fall", "end"];

/// What is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub measured: Measured,
    /// The share of the charge that is missing.
    pub missing: f64,
    /// Whose battery it is. None when the text does not say.
    pub unit: Option<UpsIdentity>,
    /// The last discharge was at odds with it.
    pub contradicted: bool,
}

/// The text.
pub(crate) fn write(bank: &Bank, kept: &Kept) -> String {
    let Kept { measured, missing, unit, contradicted } = kept;
    let mut text = format!("{HEAD}{VERSION}\nbank {} {}\n", bank.chemistry.word(), bank.cells);
    // writing to a String does not fail
    for (name, said) in unit.iter().flat_map(UpsIdentity::words) {
        let _ = writeln!(text, "unit {name} {said}");
    }
    let _ = writeln!(text, "contradicted {}", if *contradicted { "yes" } else { "no" });
    let _ = writeln!(text, "strength {:.3} {:.4}", measured.strength.0.exp(), measured.strength.1);
    let _ = writeln!(text, "best {:.3}", measured.best.exp());
    let _ = writeln!(text, "tilt {:.4} {:.4}", measured.tilt.0, measured.tilt.1);
    for (name, (mean, deviation)) in NAMES.iter().zip(measured.volts) {
        let _ = writeln!(text, "{name} {mean:.4} {deviation:.4}");
    }
    let _ = writeln!(text, "discharges {}", measured.discharges);
    let _ = writeln!(text, "missing {missing:.2}");
    let sum = sum(&text);
    let _ = writeln!(text, "sum {sum:08x}");
    text
}

/// Reads it back, also as versions before wrote it.
pub(crate) fn read(bank: &Bank, text: &str) -> Result<Kept, MemoryError> {
    let version = text.strip_prefix(HEAD).and_then(|rest| rest.lines().next()).ok_or(MemoryError::Torn)?;
    if version != VERSION && version != VERSION_BEFORE {
        return Err(MemoryError::Version);
    }
    let end = text.rfind("sum ").ok_or(MemoryError::Torn)?;
    let (body, last) = text.split_at(end);
    if last != format!("sum {:08x}\n", sum(body)) {
        return Err(MemoryError::Torn);
    }
    let mut fields = Fields(body.lines().peekable());
    fields.next("qxups").ok_or(MemoryError::Torn)?;
    if fields.next("bank").ok_or(MemoryError::Torn)? != format!("{} {}", bank.chemistry.word(), bank.cells) {
        return Err(MemoryError::OtherBank);
    }
    let kept = fields.kept(version == VERSION).ok_or(MemoryError::Torn)?;
    if kept.measured.is_sensible(bank) && (0.0..=1.0).contains(&kept.missing) {
        Ok(kept)
    } else {
        Err(MemoryError::Nonsense)
    }
}

/// The lines, each with its name.
struct Fields<'a>(std::iter::Peekable<std::str::Lines<'a>>);

impl<'a> Fields<'a> {
    fn next(&mut self, name: &str) -> Option<&'a str> {
        self.0.next()?.strip_prefix(name)?.strip_prefix(' ')
    }
    fn number(&mut self, name: &str) -> Option<f64> {
        self.next(name)?.parse().ok()
    }
    fn pair(&mut self, name: &str) -> Option<(f64, f64)> {
        let (mean, deviation) = self.next(name)?.split_once(' ')?;
        Some((mean.parse().ok()?, deviation.parse().ok()?))
    }
    /// Which UPS, and whether there are doubts.
    fn about(&mut self) -> Option<(UpsIdentity, bool)> {
        let mut words = vec![];
        while self.0.peek().is_some_and(|line| line.starts_with("unit ")) {
            words.push(self.next("unit")?.split_once(' ')?);
        }
        let contradicted = match self.next("contradicted")? {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        Some((UpsIdentity::new(words), contradicted))
    }
    fn kept(&mut self, names_the_unit: bool) -> Option<Kept> {
        let about = if names_the_unit { Some(self.about()?) } else { None };
        let (unit, contradicted) = about.map_or((None, false), |(unit, doubt)| (Some(unit), doubt));
        let (strength, deviation) = self.pair("strength")?;
        let best = self.number("best")?.ln();
        let tilt = self.pair("tilt")?;
        let mut volts = [(0.0, 0.0); 4];
        for (number, name) in volts.iter_mut().zip(NAMES) {
            *number = self.pair(name)?;
        }
        let discharges = self.next("discharges")?.parse().ok()?;
        let measured = Measured { strength: (strength.ln(), deviation), tilt, volts, best, discharges };
        let missing = self.number("missing")?;
        self.0.next().is_none().then_some(Kept { measured, missing, unit, contradicted })
    }
}

/// FNV-1a over the bytes: finds damage, not malice.
fn sum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
