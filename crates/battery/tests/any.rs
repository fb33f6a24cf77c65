//! What holds whatever the UPS says.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use battery::{
    Bank, Chemistry, Confidence, Estimator, MemoryError, PowerSource, Rating, Sample, UpsIdentity,
};
use proptest::prelude::*;
use std::time::Duration;

fn source() -> impl Strategy<Value = PowerSource> {
    prop_oneof![Just(PowerSource::Mains), Just(PowerSource::Battery), Just(PowerSource::Test)]
}

fn bank() -> impl Strategy<Value = Bank> {
    let rating = proptest::option::of((any::<f64>(), any::<f64>()));
    let chemistry = prop_oneof![Just(Chemistry::LeadAcid), Just(Chemistry::Lfp)];
    (0u16..300, chemistry, rating).prop_map(|(cells, chemistry, rating)| Bank {
        cells,
        chemistry,
        rating: rating.map(|(ampere_hours, watts)| Rating { ampere_hours, watts }),
    })
}

/// Seconds since the last sample, volts, load, source, temperature.
type Said = (f64, f64, f64, PowerSource, Option<f64>);

/// Any numbers, but often likely ones.
fn sample(cells: u16) -> impl Strategy<Value = Said> {
    let volts = prop_oneof![4 => (1.6..3.6f64).prop_map(move |v| v * f64::from(cells)), 1 => any::<f64>()];
    let load = prop_oneof![4 => 0.0..120.0f64, 1 => any::<f64>()];
    let passes = prop_oneof![4 => 0.0..100.0f64, 1 => 0.0..1e6f64];
    (passes, volts, load, source(), proptest::option::of(any::<f64>()))
}

fn samples() -> impl Strategy<Value = (Bank, Vec<Said>)> {
    bank().prop_flat_map(|bank| (Just(bank), proptest::collection::vec(sample(bank.cells), 0..120)))
}

/// Takes them all, and looks at every estimate.
fn live(bank: Bank, samples: &[Said]) -> Estimator {
    let mut estimator = Estimator::new(bank);
    let mut now = 0.0;
    for (passes, volts, load_percent, source, temperature_c) in samples.iter().copied() {
        now += passes;
        let at = Duration::from_secs_f64(now);
        estimator.take(Sample { at, volts, load_percent, source, temperature_c });
        let estimate = estimator.estimate();
        assert!(estimate.charge_percent.is_none_or(|charge| (0.0..=100.0).contains(&charge)), "{estimate:?}");
        assert!(
            estimate.runtime_s.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0),
            "{estimate:?}"
        );
        assert!(source != PowerSource::Mains || estimate.runtime_s.is_none_or(|seconds| seconds >= 1.0));
        assert_eq!(estimate.runtime_s.is_none(), estimate.confidence == Confidence::Nothing);
        let health = estimate.health.map(|health| health.capacity_percent);
        assert!(health.is_none_or(|health| (0.0..=200.0).contains(&health)), "{estimate:?}");
        if let Some(memory) = estimator.memory() {
            assert!(memory.len() < 400, "{memory}");
            let again = Estimator::remembering(bank, &UpsIdentity::default(), &memory).expect(&memory);
            assert_eq!(again.memory().as_deref(), Some(memory.as_str()));
        }
    }
    estimator
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn estimates_stay_in_their_ranges((bank, samples) in samples()) {
        live(bank, &samples);
    }

    #[test]
    fn a_damaged_memory_is_refused(at: prop::sample::Index, byte: u8, how in 0..3) {
        let memory = remembered();
        let mut bytes = memory.clone().into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            _ => bytes.insert(at, byte),
        }
        let text = String::from_utf8_lossy(&bytes);
        prop_assume!(text != memory);
        prop_assert!(Estimator::remembering(BANK, &UpsIdentity::default(), &text).is_err(), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*", version in "[0-9]{1,3}") {
        prop_assert!(Estimator::remembering(BANK, &UpsIdentity::default(), &text).is_err());
        let headed = format!("qxups battery {version}\n{text}");
        prop_assert!(Estimator::remembering(BANK, &UpsIdentity::default(), &headed).is_err());
    }
}

const BANK: Bank = Bank { cells: 12, chemistry: Chemistry::LeadAcid, rating: None };

/// The memory after an outage.
fn remembered() -> String {
    let mut estimator = Estimator::new(BANK);
    outage(&mut estimator, 1000);
    estimator.memory().unwrap()
}

/// A day and more of mains, then an outage.
fn outage(estimator: &mut Estimator, seconds: u64) {
    let mains = (0..2000).map(|n| (60 * n, PowerSource::Mains, 27.3));
    let battery = (0..seconds).map(|n| (60 * 2000 + n, PowerSource::Battery, 24.8 - 0.004 * n as f64));
    for (at, source, volts) in mains.chain(battery) {
        let at = Duration::from_secs(at);
        estimator.take(Sample { at, volts, load_percent: 40.0, source, temperature_c: None });
    }
}

#[test]
fn a_memory_is_refused_for_the_right_reason() {
    let memory = remembered();
    let other = Bank { cells: 6, ..BANK };
    assert_eq!(
        Estimator::remembering(other, &UpsIdentity::default(), &memory).err(),
        Some(MemoryError::OtherBank)
    );
    let lfp = Bank { chemistry: Chemistry::Lfp, ..BANK };
    assert_eq!(
        Estimator::remembering(lfp, &UpsIdentity::default(), &memory).err(),
        Some(MemoryError::OtherBank)
    );
    let newer = memory.replace("battery 2", "battery 3");
    assert_eq!(
        Estimator::remembering(BANK, &UpsIdentity::default(), &newer).err(),
        Some(MemoryError::Version)
    );
    assert_eq!(Estimator::remembering(BANK, &UpsIdentity::default(), "").err(), Some(MemoryError::Torn));
    // the sum is right, the battery is not
    assert_eq!(
        Estimator::remembering(BANK, &UpsIdentity::default(), &with_line(&memory, "strength", "NaN 0.05"))
            .err(),
        Some(MemoryError::Nonsense)
    );
}

/// Files of each version, as the programs wrote them.
#[test]
fn files_of_all_versions_are_read() {
    for kept in [include_str!("../../testbed/state/battery-1"), include_str!("../../testbed/state/battery-2")]
    {
        let read = Estimator::remembering(BANK, &UpsIdentity::default(), kept);
        assert!(read.is_ok_and(|estimator| estimator.memory().unwrap().contains("discharges 1\n")), "{kept}");
    }
}

/// The memory with another line and the sum of that.
fn with_line(memory: &str, name: &str, numbers: &str) -> String {
    let body = memory.split("sum ").next().unwrap();
    let line = body.lines().find(|line| line.starts_with(name)).unwrap();
    let body = body.replace(line, &format!("{name} {numbers}"));
    let sum =
        body.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{body}sum {sum:08x}\n")
}

/// What a short outage does not show is not known less after each of them, until the memory would be
/// refused (found by the fuzzer).
#[test]
fn what_is_never_seen_does_not_become_less_and_less_known() {
    let kept = with_line(&remembered(), "end", "1.7100 5.0000");
    let mut estimator = Estimator::remembering(BANK, &UpsIdentity::default(), &kept).unwrap();
    outage(&mut estimator, 800);
    let memory = estimator.memory().unwrap();
    assert!(memory.contains("discharges 2"), "{memory}");
    assert!(Estimator::remembering(BANK, &UpsIdentity::default(), &memory).is_ok(), "{memory}");
    let end = memory.lines().find_map(|line| line.strip_prefix("end ")).unwrap();
    let deviation: f64 = end.split_once(' ').unwrap().1.parse().unwrap();
    assert!(deviation <= 0.035, "{memory}");
}
