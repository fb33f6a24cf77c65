//! Q2 and Q6: units of three phases, whose status bits still come by Q1.

use super::megatec::{STATUS, STATUS_BITS, STATUS_PICTURE, TEMPLATE};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::variable::*;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::{Field, Query, Words, bits, number, query, unknown, word};

const Q2_SOURCE: &str = "NUT 2.8.5 nutdrv_qx_q2.c";
const Q6_SOURCE: &str = "NUT 2.8.5 nutdrv_qx_q6.c";
const TOPOLOGY: Words = &[("1", "star"), ("0", "delta")];

#[rustfmt::skip]
static Q2_STATUS: Query = query("Q2", "readings of three phases",
    "(AAA.A BBB.B CCC.C NNN.N DDD.D EEE.E FFF.F GGG HHH III RR.R SSS.S TT.T uuuuuuuu LLL.LL PPP xx yy zz vv ww bbbbbbbb YO", &[
    number('A', &INPUT_L1_N_VOLTAGE),
    number('B', &INPUT_L2_N_VOLTAGE),
    number('C', &INPUT_L3_N_VOLTAGE),
    number('N', &INPUT_VOLTAGE_FAULT),
    number('D', &OUTPUT_L1_N_VOLTAGE),
    number('E', &OUTPUT_L2_N_VOLTAGE),
    number('F', &OUTPUT_L3_N_VOLTAGE),
    number('G', &OUTPUT_L1_LOAD),
    number('H', &OUTPUT_L2_LOAD),
    number('I', &OUTPUT_L3_LOAD),
    number('R', &INPUT_FREQUENCY),
    number('S', &BATTERY_VOLTAGE).places(1),
    number('T', &UPS_TEMPERATURE),
    unknown('u'),
    number('L', &BATTERY_RUNTIME).times(60),
    number('P', &BATTERY_CHARGE),
    unknown('x'),
    unknown('y'),
    unknown('z'),
    unknown('v'),
    unknown('w'),
    unknown('b'),
    word('Y', &EXPERIMENTAL_INPUT_TOPOLOGY, TOPOLOGY),
    word('O', &EXPERIMENTAL_OUTPUT_TOPOLOGY, TOPOLOGY),
]).source(Q2_SOURCE);

/// The picture of `Q6`, of which units of one output phase use a part.
pub(super) const Q6_PICTURE: &str = "(AAA.A BBB.B CCC.C RR.R DDD.D EEE.E FFF.F VV.V GGG HHH III SSS.S NNN.N TT.T LLLLL PPP xx uuuuuuuu bbbbbbbb YO";

#[rustfmt::skip]
static Q6_STATUS: Query = query("Q6", "readings of three phases", Q6_PICTURE, &[
    number('A', &INPUT_L1_N_VOLTAGE),
    number('B', &INPUT_L2_N_VOLTAGE),
    number('C', &INPUT_L3_N_VOLTAGE),
    number('R', &INPUT_FREQUENCY),
    number('D', &OUTPUT_L1_N_VOLTAGE),
    number('E', &OUTPUT_L2_N_VOLTAGE),
    number('F', &OUTPUT_L3_N_VOLTAGE),
    number('V', &OUTPUT_FREQUENCY),
    number('G', &OUTPUT_L1_LOAD),
    number('H', &OUTPUT_L2_LOAD),
    number('I', &OUTPUT_L3_LOAD),
    number('S', &BATTERY_VOLTAGE).places(1),
    number('N', &EXPERIMENTAL_BATTERY_VOLTAGE_NEGATIVE),
    number('T', &UPS_TEMPERATURE),
    number('L', &BATTERY_RUNTIME),
    number('P', &BATTERY_CHARGE),
    unknown('x'),
    unknown('u'),
    unknown('b'),
    word('Y', &EXPERIMENTAL_INPUT_TOPOLOGY, TOPOLOGY),
    word('O', &EXPERIMENTAL_OUTPUT_TOPOLOGY, TOPOLOGY),
]).source(Q6_SOURCE);

/// The picture of `WA`.
pub(super) const WA_PICTURE: &str =
    "(AAA.A BBB.B CCC.C DDD.D EEE.E FFF.F RRR.R SSS.S III.I JJJ.J KKK.K QQQ bbbbbbbb";

#[rustfmt::skip]
pub(super) static OUTPUT: Query = query("WA", "power of three phases", WA_PICTURE, &[
    number('A', &OUTPUT_L1_REALPOWER).times(1000),
    number('B', &OUTPUT_L2_REALPOWER).times(1000),
    number('C', &OUTPUT_L3_REALPOWER).times(1000),
    number('D', &OUTPUT_L1_POWER).times(1000),
    number('E', &OUTPUT_L2_POWER).times(1000),
    number('F', &OUTPUT_L3_POWER).times(1000),
    number('R', &UPS_REALPOWER).times(1000),
    number('S', &UPS_POWER).times(1000).places(2),
    number('I', &OUTPUT_L1_CURRENT).places(1),
    number('J', &OUTPUT_L2_CURRENT).places(1),
    number('K', &OUTPUT_L3_CURRENT).places(1),
    number('Q', &UPS_LOAD),
    unknown('b'),
]).unless(Flag::NoOutStats).source(Q6_SOURCE);

/// Of the status by Q1 only the bits are taken: its readings are those of one phase.
const FIELDS: &[Field] = &[
    unknown('M'),
    unknown('N'),
    unknown('P'),
    unknown('Q'),
    unknown('R'),
    unknown('S'),
    unknown('T'),
    bits('b', STATUS_BITS),
];

/// The status bits alone.
pub(super) static BITS: Query = query("Q1", "status", STATUS_PICTURE, FIELDS).source(STATUS.source);

/// Three phases in and out.
const PHASES: &[(&Var, &str)] = &[(&INPUT_PHASES, "3"), (&OUTPUT_PHASES, "3")];
const FLAGS: &[Flag] = &[Flag::IgnoreSab, Flag::NoOutStats];

/// The dialect of `Q2`.
pub static Q2: Protocol = Protocol {
    name: "q2",
    about: "units of three phases: readings by Q2, power by WA, status bits by Q1",
    signs: &[Sign::Answers(&BITS), Sign::Answers(&Q2_STATUS), Sign::Says(&OUTPUT, &UPS_LOAD)],
    queries: &[&Q2_STATUS, &OUTPUT, &BITS],
    fixed: PHASES,
    flags: FLAGS,
    ..TEMPLATE
};

/// The dialect of `Q6`.
pub static Q6: Protocol = Protocol {
    name: "q6",
    about: "units of three phases: readings by Q6, power by WA, status bits by Q1",
    signs: &[Sign::Answers(&BITS), Sign::Answers(&Q6_STATUS), Sign::Says(&OUTPUT, &UPS_LOAD)],
    queries: &[&Q6_STATUS, &OUTPUT, &BITS],
    fixed: PHASES,
    flags: FLAGS,
    ..TEMPLATE
};
