//! What a named case wants to be so: `battery.charge >= 50`, `ups.status has OB`.

/// Whether a want is met. What is not published is neither at least nor equal to anything, and never too much.
pub fn met(want: &str, so: Option<&str>) -> bool {
    let mut words = want.splitn(3, ' ').skip(1);
    let (relation, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let numbers = || Some((so?.parse::<f64>().ok()?, value.parse::<f64>().ok()?));
    let has = so.is_some_and(|so| so.split([' ', '(']).any(|word| word == value));
    match relation {
        "has" => has,
        "lacks" => !has,
        ">=" => numbers().is_some_and(|(so, value)| so >= value),
        "<=" => numbers().is_none_or(|(so, value)| so <= value),
        "=" => so == Some(value) || numbers().is_some_and(|(so, value)| (so - value).abs() < 1e-9),
        _ => panic!("'{want}': write has, lacks, =, >= or <="),
    }
}
