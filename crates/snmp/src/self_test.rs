//! Tests of a UPS: what NUT's texts say of the last one.

/// The names of tests below upsWellKnownTests.
pub(crate) const NO_TEST: u32 = 1;
pub(crate) const GENERAL_TEST: u32 = 3;
pub(crate) const CALIBRATION: u32 = 5;

/// `upsTestResultsSummary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum TestSummary {
    Passed = 1,
    Warning = 2,
    Failed = 3,
    Aborted = 4,
    InProgress = 5,
    /// No result is available.
    #[default]
    None = 6,
}

/// What the text of `ups.test.result` or `battery.test.status` says. One that says neither is no result.
pub(crate) fn summary(text: &str) -> TestSummary {
    const SIGNS: &[(&str, TestSummary)] = &[
        ("no test", TestSummary::None),
        ("not possible", TestSummary::None),
        ("unknown", TestSummary::None),
        ("in progress", TestSummary::InProgress),
        ("abort", TestSummary::Aborted),
        ("fail", TestSummary::Failed),
        ("error", TestSummary::Failed),
        ("disconnected", TestSummary::Failed),
        ("warning", TestSummary::Warning),
        ("pass", TestSummary::Passed),
    ];
    let text = text.to_ascii_lowercase();
    let found = SIGNS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, summary)| *summary);
    let is_ok = text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "ok");
    found.unwrap_or(if is_ok { TestSummary::Passed } else { TestSummary::None })
}

/// The test that runs, by the words of a status: NUT's CAL is a calibration of the runtime.
pub(crate) fn running(words: &str) -> Option<u32> {
    let has = |word: &str| words.split_whitespace().any(|said| said == word);
    if has("CAL") { Some(CALIBRATION) } else { has("TEST").then_some(GENERAL_TEST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of this project's tables, and of NUT's usbhid-ups and snmp-ups (2.8.0).
    #[test]
    fn texts_of_drivers_are_understood() {
        for (text, number) in [
            ("Test passed - Result: OK", 1),
            ("OK", 1),
            ("Done and passed", 1),
            ("Done and warning", 2),
            ("Done and error", 3),
            ("Test passed - Result: Failed", 3),
            ("failed", 3),
            ("Battery disconnected", 3),
            ("Aborted", 4),
            ("in progress", 5),
            ("autonomy time calibration in progress", 5),
            ("no test in progress", 6),
            ("No test initiated", 6),
            ("Test status unknown", 6),
            ("not possible", 6),
            ("", 6),
            ("broken", 6),
        ] {
            assert_eq!(summary(text) as i32, number, "{text}");
        }
    }
}
