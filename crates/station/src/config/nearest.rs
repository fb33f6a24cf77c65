//! The name that was meant.

/// So many letters may be wrong.
const ALIKE: usize = 3;

/// The name that is most like what was written, if any is like it.
pub fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written = written.to_ascii_lowercase();
    let near = names.into_iter().map(|name| (edit_distance(&written, name), name));
    // of a short name, three other letters leave nothing
    near.filter(|(distance, _)| *distance <= ALIKE.min(written.len() / 2)).min().map(|(_, name)| name)
}

/// How many letters have to be changed, added or left out.
fn edit_distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let names = ["novendor", "norating", "protocol", "bus"];
        for (written, expected) in
            [("novender", Some("novendor")), ("Protocoll", Some("protocol")), ("frob", None), ("x", None)]
        {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
    }
}
