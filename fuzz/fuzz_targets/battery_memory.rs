//! Any bytes as what was kept of a battery (with a sum that is right, or nothing behind it is reached),
//! then samples of anything: no panic, no estimate that cannot be, and what is kept can be taken back.
//!
//! The first byte is the number of cells, the second the chemistry; the text ends with a zero, and what
//! follows are samples of seven bytes.
#![no_main]

use battery::{Bank, Chemistry, Estimator, PowerSource, Sample, UpsIdentity};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let [cells, chemistry, rest @ ..] = bytes else { return };
    let chemistry = if chemistry & 1 == 0 { Chemistry::LeadAcid } else { Chemistry::Lfp };
    let bank = Bank::new(u16::from(*cells), chemistry);
    let (text, samples) = match rest.iter().position(|byte| *byte == 0) {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, &[][..]),
    };
    let text = String::from_utf8_lossy(text);
    let _ = Estimator::remembering(bank, &UpsIdentity::default(), &text);
    let whole = format!("{text}sum {:08x}\n", sum(&text));
    let Ok(mut estimator) = Estimator::remembering(bank, &UpsIdentity::default(), &whole) else { return };
    check(bank, &estimator);
    let mut at = Duration::ZERO;
    for sample in samples.chunks_exact(7).take(60) {
        let number = |at: usize| f64::from(u16::from_be_bytes([sample[at], sample[at + 1]]));
        at += Duration::from_secs_f64(number(0) / 10.0);
        estimator.take(Sample {
            at,
            volts: number(2) / 100.0,
            load_percent: number(4) / 100.0,
            source: [PowerSource::Mains, PowerSource::Battery, PowerSource::Test][usize::from(sample[6] % 3)],
            temperature_c: (sample[6] & 0x80 != 0).then(|| f64::from(sample[6] & 0x7f)),
        });
        check(bank, &estimator);
    }
});

fn check(bank: Bank, estimator: &Estimator) {
    let estimate = estimator.estimate();
    assert!(estimate.charge_percent.is_none_or(|charge| (0.0..=100.0).contains(&charge)), "{estimate:?}");
    assert!(estimate.runtime_s.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0), "{estimate:?}");
    let health = estimate.health.map(|health| health.capacity_percent);
    assert!(health.is_none_or(|health| (0.0..=200.0).contains(&health)), "{estimate:?}");
    if let Some(memory) = estimator.memory() {
        assert!(memory.len() < 4000, "{memory}");
        let again = Estimator::remembering(bank, &UpsIdentity::default(), &memory);
        assert!(again.is_ok(), "{again:?}: {memory}");
    }
}

/// FNV-1a, as the text has it.
fn sum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
