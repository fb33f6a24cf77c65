//! Any bytes as a row of samples in a history: no panic, no more points than a row has, and what was read is written
//! and read again the same.
#![no_main]

use history::SampleBlock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = SampleBlock::decode(bytes) else { return };
    for (key, points) in block.series() {
        assert!(points.len() <= 1024);
        assert!(points.values().all(|bucket| bucket.count > 0 && bucket.min <= bucket.max));
        let _ = SampleBlock::decode_one(bytes, key);
    }
    assert_eq!(SampleBlock::decode(&block.encode()), Ok(block));
});
