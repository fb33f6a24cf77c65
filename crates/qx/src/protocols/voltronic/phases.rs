//! Readings of each phase, in families of two and three phases.

use super::SOURCE;
use crate::vocabulary::variable::*;
use crate::wire::query::{Query, number, query, unknown};
use crate::wire::when::When;

const THREE_IN: When = When::Is(&UPS_FIRMWARE_AUX, &["P03", "P10"]);
const THREE_OUT: When = When::Is(&UPS_FIRMWARE_AUX, &["P10"]);
const TWO: When = When::Is(&UPS_FIRMWARE_AUX, &["P09"]);

const VOLTS: &str = "(AAA.A BBB.B CCC.C DDD.D EEE.E FFF.F";
const NUMBERS: &str = "(AAA BBB CCC";

/// A query of three phases, and the same of two, whose third phase says nothing.
macro_rules! volts {
    ($three:ident $two:ident $ask:literal $about:literal $when:ident $l1:ident $l2:ident $l3:ident $l12:ident $l23:ident $l13:ident) => {
        pub(super) static $three: Query = query(
            $ask,
            $about,
            VOLTS,
            &[
                number('A', &$l1),
                number('B', &$l2),
                number('C', &$l3),
                number('D', &$l12),
                number('E', &$l23),
                number('F', &$l13),
            ],
        )
        .when($when)
        .source(SOURCE);
        pub(super) static $two: Query = query(
            $ask,
            $about,
            VOLTS,
            &[
                number('A', &$l1),
                number('B', &$l2),
                unknown('C'),
                number('D', &$l12),
                unknown('E'),
                unknown('F'),
            ],
        )
        .when(TWO)
        .source(SOURCE);
    };
}
macro_rules! numbers {
    ($three:ident $two:ident $ask:literal $about:literal $when:ident $l1:ident $l2:ident $l3:ident) => {
        pub(super) static $three: Query =
            query($ask, $about, NUMBERS, &[number('A', &$l1), number('B', &$l2), number('C', &$l3)])
                .when($when)
                .source(SOURCE);
        pub(super) static $two: Query =
            query($ask, $about, NUMBERS, &[number('A', &$l1), number('B', &$l2), unknown('C')])
                .when(TWO)
                .source(SOURCE);
    };
}

volts!(INPUT_VOLTS INPUT_VOLTS_2 "Q3PV" "input voltages" THREE_IN INPUT_L1_N_VOLTAGE INPUT_L2_N_VOLTAGE INPUT_L3_N_VOLTAGE
    INPUT_L1_L2_VOLTAGE INPUT_L2_L3_VOLTAGE INPUT_L1_L3_VOLTAGE);
numbers!(INPUT_AMPERES INPUT_AMPERES_2 "Q3PC" "input currents" THREE_IN INPUT_L1_CURRENT INPUT_L2_CURRENT INPUT_L3_CURRENT);
volts!(OUTPUT_VOLTS OUTPUT_VOLTS_2 "Q3OV" "output voltages" THREE_OUT OUTPUT_L1_N_VOLTAGE OUTPUT_L2_N_VOLTAGE OUTPUT_L3_N_VOLTAGE
    OUTPUT_L1_L2_VOLTAGE OUTPUT_L2_L3_VOLTAGE OUTPUT_L1_L3_VOLTAGE);
numbers!(OUTPUT_AMPERES OUTPUT_AMPERES_2 "Q3OC" "output currents" THREE_OUT OUTPUT_L1_CURRENT OUTPUT_L2_CURRENT OUTPUT_L3_CURRENT);
numbers!(LOADS LOADS_2 "Q3LD" "loads" THREE_OUT OUTPUT_L1_POWER_PERCENT OUTPUT_L2_POWER_PERCENT OUTPUT_L3_POWER_PERCENT);

#[rustfmt::skip]
pub(super) static BYPASS_VOLTS: Query = query("Q3YV", "bypass voltages", VOLTS, &[
    number('A', &OUTPUT_BYPASS_L1_N_VOLTAGE),
    number('B', &OUTPUT_BYPASS_L2_N_VOLTAGE),
    number('C', &OUTPUT_BYPASS_L3_N_VOLTAGE),
    number('D', &OUTPUT_BYPASS_L1_L2_VOLTAGE),
    number('E', &OUTPUT_BYPASS_L2_L3_VOLTAGE),
    number('F', &OUTPUT_BYPASS_L1_L3_VOLTAGE),
]).when(THREE_OUT).source(SOURCE);

#[rustfmt::skip]
pub(super) static BYPASS_VOLTS_2: Query = query("Q3YV", "bypass voltages", "(AAA.A BBB.B CCC.C", &[
    number('A', &OUTPUT_BYPASS_L1_N_VOLTAGE),
    number('B', &OUTPUT_BYPASS_L2_N_VOLTAGE),
    unknown('C'),
]).when(TWO).source(SOURCE);
