//! A cell as the tests believe it to be: two wells (the kinetic battery model of Manwell and
//! McGowan, 1993), of which only one is within reach of the current. The estimator knows nothing of
//! wells. The parameters of each battery are fitted to its published tables; `sheets.rs` has both,
//! and `every_simulated_battery_keeps_to_its_data_sheet` compares them.

/// One cell (or one of equal strings in parallel).
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Ampere-hours in both wells.
    pub ah: f64,
    /// Share of the well within reach.
    pub reach: f64,
    /// How fast the wells level, per second.
    pub levels: f64,
    /// Volts at rest by the emptiness of the well within reach.
    pub rest: Rest,
    /// Ohms.
    pub ohms: f64,
}

/// Volts without current.
#[derive(Clone, Copy, Debug)]
pub enum Rest {
    /// Open volts, linear fall, bend, and where the bend has its pole.
    Lead(f64, f64, f64, f64),
    /// Volts at 0, 10 ... 100 percent.
    Table(&'static [f64; 11]),
}

impl Rest {
    fn volts(self, empty: f64) -> f64 {
        match self {
            Rest::Lead(open, fall, bend, pole) if empty < pole => {
                open - fall * empty - bend * empty / (pole - empty)
            }
            Rest::Lead(..) => 0.0,
            Rest::Table(table) => {
                let at = 10.0 * (1.0 - empty).clamp(0.0, 1.0);
                let n = (at as usize).min(9);
                table[n] + (table[n + 1] - table[n]) * (at - n as f64)
            }
        }
    }
}

/// What a cell has to give.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    Watts(f64),
    Amperes(f64),
}

/// A full battery, of whatever physics, that is being emptied.
pub trait Physics: Clone {
    /// Volts of a cell and amperes under this draw; None when it cannot be given.
    fn under(&self, draw: Draw) -> Option<(f64, f64)>;
    /// So many amperes flow for so long.
    fn pass(&mut self, seconds: f64, amperes: f64);
    /// Seconds until it is down at these volts, under this draw.
    fn seconds_to(mut self, draw: Draw, cut_off_v: f64, step_s: f64) -> f64 {
        let mut passed = 0.0;
        while let Some((_, amperes)) = self.under(draw).filter(|(volts, _)| *volts > cut_off_v) {
            self.pass(step_s, amperes);
            passed += step_s;
        }
        passed
    }
}

/// A cell that is being emptied.
#[derive(Clone, Copy, Debug)]
pub struct Emptying {
    cell: Cell,
    near: f64,
    far: f64,
}

impl Emptying {
    pub fn full(cell: Cell) -> Emptying {
        Emptying { cell, near: 0.0, far: 0.0 }
    }
}

impl Physics for Emptying {
    fn under(&self, draw: Draw) -> Option<(f64, f64)> {
        let rest = self.cell.rest.volts(self.near);
        let amperes = match draw {
            Draw::Amperes(amperes) => amperes,
            Draw::Watts(watts) => {
                let root = rest * rest - 4.0 * self.cell.ohms * watts;
                if root < 0.0 {
                    return None;
                }
                2.0 * watts / (rest + root.sqrt())
            }
        };
        let volts = rest - self.cell.ohms * amperes;
        (volts > 0.0).then_some((volts, amperes))
    }

    fn pass(&mut self, seconds: f64, amperes: f64) {
        let level = self.cell.levels * (self.near - self.far);
        let reach = self.cell.reach;
        self.near += seconds * (amperes / (3600.0 * self.cell.ah) - level) / reach;
        self.far += seconds * level / (1.0 - reach);
    }
}

/// Seconds until the full cell is down at these volts.
pub fn seconds_to(cell: Cell, draw: Draw, cut_off_v: f64, step_s: f64) -> f64 {
    Emptying::full(cell).seconds_to(draw, cut_off_v, step_s)
}
