//! The bank: how many cells the battery has, of what kind, and how often the voltage that the UPS
//! says makes up the whole. It needs no configuration.

use crate::device::nut_estimate::{Inputs, is_lfp, packs};
use battery::{Bank, Chemistry};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBank {
    /// The bank.
    pub bank: Bank,
    /// `battery.voltage` times this is the voltage of the bank.
    pub times: f64,
    /// Why, for the log.
    pub why: String,
}

/// What can be told of a kind of cell from its voltage.
struct Signs {
    chemistry: Chemistry,
    word: &'static str,
    nominal: f64,
    /// Cells in the smallest block that is sold.
    block: u16,
    /// Between these it is charged; the second one is usual.
    charged: [f64; 3],
    /// More is no cell's, however roughly it is charged.
    highest: f64,
    /// Between these it works, or rests.
    works: (f64, f64),
}

/// A 12 V block of lead-acid floats at 13.5 to 13.8 V and is charged at up to 14.7 V; below 9.6 V it is
/// ruined (data sheets of the makers named in `crates/battery`).
const LEAD: Signs = Signs {
    chemistry: Chemistry::LeadAcid,
    word: "lead-acid",
    nominal: 2.0,
    block: 3,
    charged: [2.05, 2.27, 2.47],
    highest: 2.75,
    works: (1.55, 2.25),
};
/// A 12.8 V block of lithium iron phosphate is charged at up to 14.6 V.
const LFP: Signs = Signs {
    chemistry: Chemistry::Lfp,
    word: "lithium iron phosphate",
    nominal: 3.2,
    block: 4,
    charged: [3.25, 3.4, 3.68],
    highest: 3.75,
    works: (2.5, 3.5),
};
/// A longer string than this is in no UPS of this kind.
const MOST_CELLS: u16 = 180;

/// Finds the bank. `kind` is what UPS or administrator say of the chemistry or the model.
pub fn find(inputs: &Inputs, kind: &str) -> Option<FoundBank> {
    let volts = inputs.voltage.filter(|volts| *volts > 0.0)?;
    let signs = signs(kind, inputs.nominal);
    let found = match inputs.nominal.filter(|nominal| *nominal > 0.0) {
        Some(nominal) => by_nominal(volts, nominal, inputs, signs)?,
        None => by_voltage(volts, inputs.online, signs)?,
    };
    let one = found.times * volts / f64::from(found.bank.cells);
    let sane =
        if inputs.online { signs.works.0..=signs.highest } else { signs.works.0 * 0.9..=signs.works.1 };
    sane.contains(&one).then_some(found)
}

/// The volts of a cell of this bank, where the UPS says so many, and between what they can be, however empty or
/// full it is.
pub fn cell(found: &FoundBank, volts: f64) -> (f64, (f64, f64)) {
    let bounds = match found.bank.chemistry {
        Chemistry::LeadAcid => (1.5, LEAD.highest),
        Chemistry::Lfp => (2.2, LFP.highest),
    };
    (found.times * volts / f64::from(found.bank.cells), bounds)
}

fn signs(kind: &str, nominal: Option<f64>) -> &'static Signs {
    let kind = kind.to_ascii_lowercase();
    let named = ["lfp", "lifepo", "iron"].iter().any(|word| kind.contains(word));
    if named || nominal.is_some_and(is_lfp) { &LFP } else { &LEAD }
}

fn by_nominal(volts: f64, nominal: f64, inputs: &Inputs, signs: &Signs) -> Option<FoundBank> {
    // lead-acid of 24 V and its replacement of 25.6 V are both called 24 V
    let block = f64::from(signs.block) * signs.nominal;
    let cells = match signs.chemistry {
        Chemistry::LeadAcid => nominal / signs.nominal,
        Chemistry::Lfp => (nominal / block).round() * f64::from(signs.block),
    };
    let times = inputs
        .packs
        .filter(|packs| *packs > 0.0)
        .or_else(|| packs(volts, nominal, inputs.online))
        .unwrap_or(1.0);
    let bank = bank(cells.round(), signs.chemistry)?;
    let said = if times == 1.0 {
        String::new()
    } else {
        format!("; battery.voltage {volts} is taken {times} times")
    };
    Some(FoundBank {
        bank,
        times,
        why: format!("{} cells of {}, by the rated {nominal} V{said}", bank.cells, signs.word),
    })
}

fn by_voltage(volts: f64, online: bool, signs: &Signs) -> Option<FoundBank> {
    let [least, usual, most] = signs.charged;
    let ((least, most), usual) = if online { ((least, most), usual) } else { (signs.works, signs.nominal) };
    let of_one = |cells: u16| volts / f64::from(cells);
    if (least..=if online { signs.highest } else { most }).contains(&volts) {
        let bank = Bank::new(1, signs.chemistry);
        let why = format!("battery.voltage {volts} is that of one cell of {}", signs.word);
        return Some(FoundBank { bank, times: 1.0, why });
    }
    // blocks of 12 V but for the smallest
    let counts = std::iter::once(signs.block)
        .chain((1..).map(|n| n * 2 * signs.block))
        .take_while(|n| *n <= MOST_CELLS);
    let fits = counts.filter(|cells| (least..=most).contains(&of_one(*cells)));
    let distance = |cells: &u16| (of_one(*cells) - usual).abs();
    let cells = fits.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let bank = Bank::new(cells, signs.chemistry);
    Some(FoundBank {
        bank,
        times: 1.0,
        why: format!("{cells} cells of {}, by battery.voltage {volts} alone", signs.word),
    })
}

fn bank(cells: f64, chemistry: Chemistry) -> Option<Bank> {
    (1.0..=f64::from(MOST_CELLS)).contains(&cells).then(|| Bank::new(cells as u16, chemistry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(voltage: f64, nominal: Option<f64>, online: bool, kind: &str) -> Option<(u16, f64)> {
        let inputs = Inputs { voltage: Some(voltage), nominal, online, ..Inputs::default() };
        find(&inputs, kind).map(|found| (found.bank.cells, found.times))
    }

    /// Voltages as in public dumps: NUT issues 1279, 1652, 1673, 3446, 3467 and device dumps.
    #[test]
    fn the_bank_is_found_without_any_option() {
        for (voltage, nominal, cells, times) in [
            (27.5, Some(24.0), 12, 1.0),
            (2.25, Some(24.0), 12, 12.0),
            (2.27, Some(36.0), 18, 18.0),
            (13.7, Some(24.0), 12, 2.0),
            (13.6, Some(12.0), 6, 1.0),
            (6.8, None, 3, 1.0),
            (13.7, None, 6, 1.0),
            (27.4, None, 12, 1.0),
            (28.0, None, 12, 1.0),
            (41.1, None, 18, 1.0),
            (54.6, None, 24, 1.0),
            (82.1, None, 36, 1.0),
            (109.4, Some(96.0), 48, 1.0),
            (2.26, None, 1, 1.0),
        ] {
            assert_eq!(found(voltage, nominal, true, ""), Some((cells, times)), "{voltage} {nominal:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_nothing() {
        for (voltage, nominal) in
            [(0.0, Some(24.0)), (0.0, None), (4.0, None), (9.0, None), (-1.0, None), (19.0, Some(12.0))]
        {
            assert_eq!(found(voltage, nominal, true, ""), None, "{voltage} {nominal:?}");
        }
        assert_eq!(found(27.0, Some(0.0), true, ""), Some((12, 1.0)), "a blank rating is none");
    }

    #[test]
    fn on_battery_volts_are_lower() {
        assert_eq!(found(23.4, None, false, ""), Some((12, 1.0)));
        assert_eq!(found(11.4, None, false, ""), Some((6, 1.0)));
        assert_eq!(found(21.0, Some(24.0), false, ""), Some((12, 1.0)));
    }

    #[test]
    fn the_kind_is_believed() {
        assert_eq!(found(13.6, Some(12.0), true, "UPS1400VA-LFP"), Some((4, 1.0)));
        assert_eq!(found(27.2, None, true, "LiFePO4"), Some((8, 1.0)));
    }

    #[test]
    fn ratings_of_cells_of_3_2_volts_are_lithium() {
        for (nominal, cells) in [(12.8, 4), (25.6, 8), (38.4, 12), (51.2, 16), (64.0, 20), (76.8, 24)] {
            for one in [2.6, 3.2, 3.3, 3.4, 3.65] {
                let volts = one * f64::from(cells);
                assert_eq!(found(volts, Some(nominal), true, ""), Some((cells, 1.0)), "{volts} of {nominal}");
                assert_eq!(found(one, Some(nominal), true, ""), Some((cells, f64::from(cells))));
            }
        }
        // the same volts of lead are lead
        assert_eq!(found(27.2, Some(24.0), true, ""), Some((12, 1.0)));
        assert_eq!(found(216.0, Some(192.0), true, ""), Some((96, 1.0)));
    }

    /// Public dump: `Q1=(235.7 000.0 230.4 013 49.9 2.45 55.0 00000001`, `F=#230.0 004 036.0 50.0`.
    #[test]
    fn a_cell_may_be_charged_with_two_volts_and_a_half() {
        for volts in [2.27, 2.4, 2.45, 2.6, 2.75] {
            assert_eq!(found(volts, Some(36.0), true, ""), Some((18, 18.0)), "{volts}");
        }
    }
}
