//! Batteries after Shepherd (1965) as Tremblay and Dessaint write him ("Experimental Validation of a Battery Dynamic Model
//! for EV Applications", World Electric Vehicle Journal 3, 2009), with the parameters of that paper: lead-acid of 12 V and
//! 7.2 Ah, LFP of 3.3 V and 2.3 Ah. How high rates get less out of lead-acid is the diffusion of Rakhmatov and Vrudhula
//! ("An analytical high-level battery model", 2001): charge that is out of reach for a while. Its one number is set so
//! that 7.4 Ah give 16.5 A for 15 and 29 A for 5 minutes, about what makers say of blocks of 7.2 Ah.

use super::cell::{Draw, Physics};

/// A block, or one of equal strings in parallel.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub cells: f64,
    /// Constant volts, and those of the exponential zone with how fast it ends, for each ampere-hour.
    pub volts: f64,
    pub zone_v: f64,
    pub zone_per_ah: f64,
    /// Polarisation: volts for each ampere-hour, and whether the current itself suffers from it.
    pub polar: f64,
    pub polar_ohms: bool,
    pub ohms: f64,
    pub ah: f64,
    /// How fast charge comes into reach, per second. None: at once.
    pub diffuses: Option<f64>,
}

pub const LEAD: Block = Block {
    cells: 6.0,
    volts: 12.4659,
    zone_v: 0.83,
    zone_per_ah: 125.0,
    polar: 0.047,
    polar_ohms: false,
    ohms: 0.04,
    ah: 7.4,
    diffuses: Some(0.0046),
};

pub const LFP: Block = Block {
    cells: 1.0,
    volts: 3.366,
    zone_v: 0.26422,
    zone_per_ah: 26.5487,
    polar: 0.0076,
    polar_ohms: true,
    ohms: 0.01,
    ah: 2.3,
    diffuses: None,
};

/// So many terms of the sum of Rakhmatov and Vrudhula.
const TERMS: usize = 8;

#[derive(Clone, Copy, Debug)]
pub struct Emptied {
    block: Block,
    /// Ampere-seconds drawn, and those out of reach.
    drawn: f64,
    away: [f64; TERMS],
}

impl Block {
    pub fn full(self) -> Emptied {
        Emptied { block: self, drawn: 0.0, away: [0.0; TERMS] }
    }

    /// Watts of a cell that empty it in this time.
    pub fn watts_for(self, cut_off_v: f64, seconds: f64) -> f64 {
        let (mut low, mut high): (f64, f64) = (0.1, 20_000.0);
        for _ in 0..40 {
            let middle = (low * high).sqrt();
            if self.full().seconds_to(Draw::Watts(middle), cut_off_v, 0.5) > seconds {
                low = middle
            } else {
                high = middle
            }
        }
        low
    }
}

impl Physics for Emptied {
    fn under(&self, draw: Draw) -> Option<(f64, f64)> {
        let Block { cells, volts, zone_v, zone_per_ah, polar, polar_ohms, ohms, ah, .. } = self.block;
        let drawn = self.drawn / 3600.0;
        let used = drawn + 2.0 * self.away.iter().sum::<f64>() / 3600.0;
        let rises = polar * ah / (ah - used);
        if used >= ah {
            return None;
        }
        let rest = volts + zone_v * (-zone_per_ah * drawn).exp() - rises * used;
        let ohms = ohms + if polar_ohms { rises } else { 0.0 };
        let amperes = match draw {
            Draw::Amperes(amperes) => amperes,
            Draw::Watts(watts) => {
                let root = rest * rest - 4.0 * ohms * watts * cells;
                if root < 0.0 {
                    return None;
                }
                2.0 * watts * cells / (rest + root.sqrt())
            }
        };
        let volts = (rest - ohms * amperes) / cells;
        (volts > 0.0).then_some((volts, amperes))
    }

    fn pass(&mut self, seconds: f64, amperes: f64) {
        self.drawn += seconds * amperes;
        let Some(diffuses) = self.block.diffuses else { return };
        for (n, away) in self.away.iter_mut().enumerate() {
            let rate = diffuses * ((n + 1) * (n + 1)) as f64;
            let stays = (-rate * seconds).exp();
            *away = *away * stays + amperes * (1.0 - stays) / rate;
        }
    }
}
