//! Published discharge tables, and the cells fitted to them (least squares of the logarithm of
//! time). Tuning of the estimator looked at those that are not held out.

use super::cell::{Cell, Rest};

/// A battery with its table.
pub struct Sheet {
    pub name: &'static str,
    /// Where the table stands.
    pub source: &'static str,
    /// Whether the estimator was tuned without it.
    pub held_out: bool,
    pub cell: Cell,
    /// Volts of a cell at which the UPS of the test switches off.
    pub cut_off_v: f64,
    /// What the inverter of the test takes for itself, in percent of its rating.
    pub idle_percent: f64,
    /// Minutes for which the full battery carries the rated load of the UPS of the test.
    pub minutes_at_full_load: f64,
    /// Whether the table tells watts (or amperes), divided by this gives those of a cell.
    pub watts: bool,
    pub divisor: f64,
    pub minutes: &'static [f64],
    /// Volts of a cell at the end, and what is given until then.
    pub rows: &'static [(f64, &'static [f64])],
}

const fn lead(ah: f64, reach: f64, levels: f64, fall: f64, bend: f64, pole: f64, ohms: f64) -> Cell {
    Cell { ah, reach, levels, rest: Rest::Lead(2.14, fall, bend, pole), ohms }
}

pub const SHEETS: [Sheet; 7] = [
    Sheet {
        name: "Panasonic UP-PW1245P1",
        source: "individual data sheet, watt table 25 °C",
        held_out: false,
        cell: lead(5.848, 0.2318, 1.910e-3, 0.3062, 0.007224, 1.0732, 1.851e-3),
        cut_off_v: 1.70,
        idle_percent: 5.0,
        minutes_at_full_load: 5.0,
        watts: true,
        divisor: 6.0,
        minutes: &[3., 5., 10., 15., 20., 30., 45., 60., 90., 120.],
        rows: &[
            (1.60, &[530., 410., 270., 195., 159., 112., 82.1, 65.7, 45.2, 34.9]),
            (1.65, &[509., 400., 263., 194., 158., 111., 81.6, 65.1, 44.3, 34.7]),
            (1.70, &[490., 390., 258., 193., 156., 110., 80.8, 64.4, 43.4, 33.9]),
            (1.75, &[463., 360., 246., 187., 151., 109., 78.7, 63.0, 41.7, 32.8]),
            (1.80, &[434., 330., 234., 180., 146., 108., 78.3, 61.8, 41.3, 31.1]),
        ],
    },
    Sheet {
        name: "Sunnyway SW12140E",
        source: "data sheet, constant power 25 °C",
        held_out: false,
        cell: lead(10.446, 0.3545, 7.487e-4, 0.1596, 0.03744, 1.0430, 2.626e-3),
        cut_off_v: 1.67,
        idle_percent: 3.0,
        minutes_at_full_load: 7.0,
        watts: true,
        divisor: 6.0,
        minutes: &[5., 10., 15., 30., 60., 120.],
        rows: &[
            (1.60, &[594.4, 373.3, 282.3, 170.9, 96.8, 56.7]),
            (1.70, &[559.4, 353.5, 265.4, 169.8, 91.0, 54.5]),
            (1.75, &[540.2, 343.0, 253.8, 168.0, 88.4, 53.4]),
            (1.80, &[473.7, 332.5, 244.4, 167.4, 85.8, 52.2]),
            (1.85, &[457.9, 321.4, 232.8, 166.3, 84.5, 52.0]),
        ],
    },
    Sheet {
        name: "CSB GP12400",
        source: "data sheet, constant current 25 °C",
        held_out: false,
        cell: lead(42.71, 0.3344, 3.978e-4, 0.1288, 0.02026, 1.0257, 1.909e-3),
        cut_off_v: 1.75,
        idle_percent: 4.0,
        minutes_at_full_load: 12.0,
        watts: false,
        divisor: 1.0,
        minutes: &[5., 10., 15., 30., 60., 120., 180.],
        rows: &[
            (1.60, &[176., 113., 85.0, 51.8, 30.6, 17.7, 12.6]),
            (1.67, &[157., 105., 81.0, 50.8, 30.3, 17.6, 12.5]),
            (1.70, &[149., 101., 78.7, 50.1, 30.2, 17.5, 12.4]),
            (1.75, &[135., 95.0, 75.5, 49.0, 30.0, 17.4, 12.3]),
            (1.80, &[121., 88.3, 71.7, 47.6, 29.8, 17.3, 12.2]),
            (1.85, &[107., 81.7, 67.8, 46.2, 29.4, 17.2, 12.1]),
        ],
    },
    Sheet {
        name: "CSB GP645",
        source: "data sheet, constant current 25 °C",
        held_out: false,
        cell: lead(3.851, 0.2783, 8.031e-4, 0.1883, 0.009964, 1.0305, 8.475e-3),
        cut_off_v: 1.67,
        idle_percent: 7.0,
        minutes_at_full_load: 5.0,
        watts: false,
        divisor: 1.0,
        minutes: &[5., 10., 15., 30., 60., 120., 180.],
        rows: &[
            (1.60, &[18.7, 12.3, 9.08, 5.37, 3.11, 1.80, 1.26]),
            (1.67, &[17.6, 11.8, 8.89, 5.31, 3.10, 1.79, 1.25]),
            (1.70, &[17.0, 11.6, 8.79, 5.28, 3.08, 1.78, 1.24]),
            (1.75, &[16.1, 11.2, 8.62, 5.22, 3.06, 1.77, 1.23]),
            (1.80, &[15.0, 10.7, 8.42, 5.13, 3.03, 1.76, 1.22]),
            (1.85, &[13.8, 10.3, 8.22, 5.05, 3.00, 1.75, 1.21]),
        ],
    },
    Sheet {
        name: "EnerSys EP65-12",
        source: "data sheet, watts per battery 27 °C",
        held_out: true,
        cell: lead(59.76, 0.3429, 7.816e-4, 0.0, 0.1010, 1.0, 8.701e-4),
        cut_off_v: 1.75,
        idle_percent: 3.0,
        minutes_at_full_load: 8.0,
        watts: true,
        divisor: 6.0,
        minutes: &[5., 10., 15., 20., 30., 60.],
        rows: &[
            (1.60, &[2644., 1761., 1393., 1121., 840., 513.]),
            (1.70, &[2510., 1660., 1340., 1090., 823., 496.]),
            (1.80, &[2263., 1590., 1240., 1022., 772., 470.]),
        ],
    },
    Sheet {
        name: "CSB HC1228W",
        source: "data sheet, constant current 25 °C",
        held_out: true,
        cell: lead(6.713, 0.1145, 2.306e-3, 0.0, 0.09239, 1.0907, 3.186e-3),
        cut_off_v: 1.70,
        idle_percent: 6.0,
        minutes_at_full_load: 4.0,
        watts: false,
        divisor: 1.0,
        minutes: &[2., 4., 6., 8., 10., 15.],
        rows: &[
            (1.60, &[48.6, 38.2, 31.3, 27.2, 23.3, 18.0]),
            (1.67, &[46.9, 36.8, 30.2, 26.3, 22.7, 17.5]),
            (1.70, &[45.2, 35.4, 29.3, 25.5, 22.1, 17.0]),
            (1.75, &[43.4, 34.0, 28.2, 24.5, 21.4, 16.6]),
            (1.80, &[41.4, 32.6, 27.1, 23.6, 20.8, 16.3]),
            (1.85, &[39.4, 30.9, 26.0, 22.7, 20.1, 16.0]),
        ],
    },
    // no table of power: capacity and resistance of the block, rest volts of another maker's cell
    Sheet {
        name: "UPower UE-12Li30BL (LFP)",
        source: "manual: 30 Ah, 40 mΩ; rest volts of Drypower IFR18650 E1600",
        held_out: false,
        cell: Cell {
            ah: 30.0,
            reach: 0.9,
            levels: 2.0e-3,
            rest: Rest::Table(&[2.013, 3.068, 3.159, 3.194, 3.210, 3.221, 3.229, 3.246, 3.256, 3.262, 3.348]),
            ohms: 0.010,
        },
        cut_off_v: 2.6,
        idle_percent: 4.0,
        minutes_at_full_load: 50.0,
        watts: true,
        divisor: 4.0,
        minutes: &[],
        rows: &[],
    },
];
