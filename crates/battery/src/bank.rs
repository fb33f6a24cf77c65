//! What is in the UPS: cells in series, and what is known of their kind.

/// What the cells are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chemistry {
    /// Lead-acid, sealed (VRLA): 2 V a cell.
    LeadAcid,
    /// Lithium iron phosphate: 3.2 V a cell.
    Lfp,
}

/// What is printed on battery and UPS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// Capacity of one string at the rate of 20 hours, in ampere-hours, times the strings in parallel.
    pub ampere_hours: f64,
    /// What the UPS can deliver (100 percent of load), in watts.
    pub watts: f64,
}

/// The battery of a UPS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bank {
    /// Cells in series: 6 for each 12 V block of lead-acid.
    pub cells: u16,
    /// What they are made of.
    pub chemistry: Chemistry,
    /// When it is known: health is then relative to it, and a first guess is better.
    pub rating: Option<Rating>,
}

impl Bank {
    /// A bank of which nothing is rated.
    pub fn new(cells: u16, chemistry: Chemistry) -> Bank {
        Bank { cells, chemistry, rating: None }
    }

    /// The bank of this rated voltage: 2 V or 3.2 V a cell. None without a sensible voltage.
    pub fn of_nominal(volts: f64, chemistry: Chemistry) -> Option<Bank> {
        let cells = (volts / chemistry.nature().nominal_v).round();
        (1.0..=480.0).contains(&cells).then(|| Bank::new(cells as u16, chemistry))
    }

    /// The load in percent that the usual battery of a UPS of so many volt-amperes carries for 15 minutes. Known of
    /// lead-acid only.
    pub(crate) fn usual_strength(&self, volt_amperes: f64) -> Option<f64> {
        let watts = USUAL_WATTS * volt_amperes;
        let is_usual = self.chemistry == Chemistry::LeadAcid && (200.0..=20_000.0).contains(&volt_amperes);
        let rating = Some(Rating { ampere_hours: USUAL_AH, watts }).filter(|_| is_usual)?;
        Bank { rating: Some(rating), ..*self }.rated_strength()
    }

    /// The load in percent that a full battery of this rating carries for 15 minutes.
    pub(crate) fn rated_strength(&self) -> Option<f64> {
        let rating = self.rating?;
        let strength = 100.0
            * EFFICIENCY
            * self.chemistry.nature().watts_per_ah
            * f64::from(self.cells)
            * rating.ampere_hours
            / rating.watts;
        (1.0..100_000.0).contains(&strength).then_some(strength)
    }
}

/// Ampere-hours of the blocks in UPSes of a few kVA: 7 and 9 (Tripp Lite AVRT450U: one of 7 Ah; AVRT650U: one of 9 Ah,
/// owner's manual).
const USUAL_AH: f64 = 8.0;
/// Watts for each volt-ampere: 0.6 in small line-interactive units, 0.8 to 1 in online ones.
const USUAL_WATTS: f64 = 0.7;

/// What of the battery's power arrives at the load, in a common inverter.
const EFFICIENCY: f64 = 0.85;

/// What is known of a kind of cell before this one was seen. Volts are those of one cell.
pub(crate) struct Nature {
    pub nominal_v: f64,
    /// Where a reading of a working battery can lie.
    pub sane_v: (f64, f64),
    /// From here on it is being charged, or full.
    pub charging_v: f64,
    /// What a charger holds when it is full.
    pub float_v: f64,
    /// At rest it has no less, unless it is empty.
    pub rest_v: f64,
    /// Under load, the end is not far from here on.
    pub low_v: f64,
    /// Power that a cell gives for 15 minutes, for each ampere-hour.
    pub watts_per_ah: f64,
    /// What is assumed of the strength before anything was seen: logarithm and deviation. Small UPSes
    /// carry their rated load for about five minutes.
    pub strength: (f64, f64),
    /// Minutes and the power that is carried so long; that of 15 minutes is 1.
    pub endurance: &'static [(f64, f64)],
    /// How the curve differs between batteries: its tilts, and the deviation from 1.
    pub tilts: [f64; 3],
    pub tilt_deviation: f64,
    /// Volts under load: open, drop at the 15-minute power, fall until empty, at the end; each
    /// with how far batteries differ.
    pub volts: [(f64, f64); 4],
    /// Between these each of them lies, in any battery: what is read is never explained by others.
    pub bounds: [(f64, f64); 4],
    /// Whether the drop is that at the 15-minute power. Else it is that at the power of the first guess, and says
    /// nothing of the strength: resistances of LFP packs of one capacity differ tenfold (A123 26650 of 2.3 Ah, 10 mΩ;
    /// UPower UE-12Li30BL of 30 Ah, 10 mΩ a cell).
    pub drop_tells: bool,
    /// What the tilt makes of that drop: a battery with much resistance suffers more from high loads.
    pub drop_by_tilt: f64,
    /// Volts under load rise by so much at most while the load stays: what the first dip took, and errors.
    pub rise_v: f64,
    /// How far readings of a cell stray from what the four numbers say.
    pub reading_v: f64,
    /// Deviation of the logarithm of the strength for a curve of which nothing was seen.
    pub unseen: f64,
    /// How far the model is wrong of a battery that was seen to its end, and of one that was never seen: the deviation
    /// of the logarithm of the runtime.
    pub model: (f64, f64),
    /// Four of five runtimes hold so many deviations below the middle (`tests/worlds.rs`).
    pub four_in_five: f64,
    /// How that grows towards the end: the power of the share that is left.
    pub late: f64,
    /// The line through the last volts meets the end so many times too late, and is wrong by this deviation of the
    /// logarithm.
    pub line: (f64, f64),
    /// The share of the time on battery that the line through the last volts spans.
    pub line_spans: f64,
    /// Below this the volts fall faster and faster while the load stays.
    pub falls_v: f64,
    /// How sudden the end comes: the power of the used share with which volts bend to the end.
    pub knee: i32,
}

/// Endurance, drop and fall are means of the published tables of Panasonic UP-PW1245P1,
/// Sunnyway SW12140E, CSB GP12400 and CSB GP645 to 1.70 V a cell at 25 °C.
const LEAD_ACID: Nature = Nature {
    nominal_v: 2.0,
    sane_v: (1.2, 2.7),
    charging_v: 2.13,
    float_v: 2.2,
    rest_v: 1.98,
    low_v: 1.85,
    watts_per_ah: 3.75,
    strength: (4.1, 0.6),
    endurance: &[
        (0.5, 4.6),
        (1.0, 3.7),
        (2.0, 2.9),
        (3.0, 2.45),
        (5.0, 1.945),
        (10.0, 1.304),
        (15.0, 1.0),
        (30.0, 0.617),
        (60.0, 0.359),
        (120.0, 0.205),
        (180.0, 0.150),
        (600.0, 0.0508),
        (6000.0, 0.0064),
    ],
    tilts: [0.88, 1.0, 1.12],
    tilt_deviation: 0.07,
    volts: [(2.14, 0.012), (0.080, 0.02), (0.26, 0.05), (1.71, 0.035)],
    bounds: [(2.0, 2.2), (0.0, 0.3), (0.02, 0.6), (1.55, 1.85)],
    drop_tells: true,
    drop_by_tilt: -0.35,
    rise_v: 0.05,
    reading_v: 0.008,
    unseen: 0.5,
    model: (0.12, 0.5),
    four_in_five: 1.2,
    late: 0.6,
    line: (2.6, 0.45),
    line_spans: 0.3,
    falls_v: 2.2,
    knee: 10,
};

/// An LFP cell gives nearly the same charge at every rate of a UPS; its curve is flat. Volts of rest
/// as in the data sheet of Drypower IFR18650 E1600.
const LFP: Nature = Nature {
    nominal_v: 3.2,
    sane_v: (2.0, 3.9),
    charging_v: 3.32,
    float_v: 3.36,
    rest_v: 3.2,
    low_v: 3.0,
    watts_per_ah: 11.0,
    strength: (4.3, 0.8),
    endurance: &[(0.5, 24.0), (15.0, 1.0), (60.0, 0.26), (600.0, 0.0265), (6000.0, 0.00268)],
    tilts: [0.75, 0.88, 1.0],
    tilt_deviation: 0.12,
    volts: [(3.28, 0.04), (0.25, 0.20), (0.12, 0.05), (2.60, 0.1)],
    bounds: [(3.1, 3.4), (0.0, 1.5), (0.0, 0.4), (2.3, 2.9)],
    drop_tells: false,
    drop_by_tilt: 0.0,
    rise_v: 0.1,
    reading_v: 0.06,
    unseen: 1.2,
    model: (0.25, 0.7),
    four_in_five: 0.8,
    late: 1.0,
    line: (6.0, 0.6),
    line_spans: 0.1,
    falls_v: 3.0,
    knee: 24,
};

impl Chemistry {
    pub(crate) fn nature(self) -> &'static Nature {
        match self {
            Chemistry::LeadAcid => &LEAD_ACID,
            Chemistry::Lfp => &LFP,
        }
    }

    /// The word in the memory.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Chemistry::LeadAcid => "lead-acid",
            Chemistry::Lfp => "lfp",
        }
    }
}
