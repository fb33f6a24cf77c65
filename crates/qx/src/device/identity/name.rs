//! By what a UPS is known, and in what two of them differ.

use crate::vocabulary::value::Value;
use crate::vocabulary::variable::Var;
use crate::wire::readings::Readings;

/// Parts of the names of variables by which a UPS is known: they stay the same as long as it does.
const TELLING: [&str; 7] = ["mfr", "model", "serial", "firmware", ".nominal", "nominal_", "ups.type"];

/// Whether a UPS is known by it.
pub(super) fn is_telling(var: &Var) -> bool {
    TELLING.iter().any(|part| var.name.contains(part))
}

/// Whether a UPS says its model or its serial number. (Makers and ratings are those of thousands.)
/// What is `restless` proves nothing.
pub(super) fn says_name(said: &Readings, restless: &[&str]) -> bool {
    let is_name = |var: &Var| {
        (var.name.ends_with(".model") || var.name.ends_with(".serial")) && !restless.contains(&var.name)
    };
    let says = |value: &Option<Value>| {
        value.as_ref().is_some_and(|value| value.to_string().contains(|c: char| c.is_ascii_alphanumeric()))
    };
    said.values.iter().any(|(var, value)| is_name(var) && says(value))
}

/// Whether a name or a rating says anything: some UPSes answer it by zeros or blanks, or not at all, while they are on
/// battery.
fn says_anything(said: Option<&Value>) -> bool {
    said.is_some_and(|value| {
        value.to_string().contains(|c: char| c.is_ascii_alphabetic() || ('1'..='9').contains(&c))
    })
}

/// In what two readings tell of different UPSes.
pub(super) fn difference(before: &Readings, now: &Readings, restless: &[&str]) -> Option<String> {
    let text = |value: Option<&Value>| value.map_or("nothing".into(), |value| format!("'{value}'"));
    let vars = before.values.iter().chain(&now.values).map(|(var, _)| *var).filter(|var| is_telling(var));
    let vars = vars.filter(|var| !restless.contains(&var.name));
    let counts = |var: &&Var| says_anything(before.value(var)) && says_anything(now.value(var));
    let mut differs = vars.filter(counts).filter(|var| before.value(var) != now.value(var));
    let var = differs.next()?;
    Some(format!("reports {} = {}; it was {}", var.name, text(now.value(var)), text(before.value(var))))
}

/// The variables that each of these readings says otherwise than all others.
pub(super) fn restless(said: &[Readings]) -> Vec<&'static str> {
    let Some(last) = said.last() else { return vec![] };
    let differs = |var: &Var| {
        let differ = |(at, one): (usize, &Readings)| {
            let says = says_anything(one.value(var));
            says && said[..at].iter().all(|other| other.value(var) != one.value(var))
        };
        said.iter().enumerate().all(differ)
    };
    last.values
        .iter()
        .map(|(var, _)| *var)
        .filter(|var| is_telling(var) && differs(var))
        .map(|var| var.name)
        .collect()
}
