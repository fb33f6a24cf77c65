//! The fuzz target `history_rows` without a fuzzer: rows as they are written, changed in many places by a fixed series of
//! numbers, and rows made of nothing but such numbers.
#![allow(missing_docs, clippy::unwrap_used)]

use history::{Bucket, Quantity, SampleBlock, SeriesKey};

/// So many inputs; `QXUPS_TEST_INPUTS` asks for more.
const INPUTS: u64 = 20_000;

/// Splitmix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// Rows as a server writes them: a minute, an hour in 10 s, and coarser points with gaps.
fn rows() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(1);
    [(6, 1, 1), (360, 1, 1), (60, 1, 6), (48, 5, 60)]
        .map(|(points, gap, count)| {
            let mut block = SampleBlock::default();
            for quantity in Quantity::ALL {
                for place in 0..points {
                    let min = 2300 + i32::try_from(numbers.below(9)).unwrap() * 5;
                    let range = i32::try_from(numbers.below(4)).unwrap();
                    let max = if count == 1 { min } else { min + range };
                    let sum = i64::from(min) * i64::from(count) + i64::from(max - min);
                    block.add(SeriesKey::said(quantity), place * gap, Bucket { count, sum, min, max });
                }
            }
            block.encode()
        })
        .into()
}

/// A row in the form of version 2: mains twice the same, and a step.
fn first_form() -> Vec<u8> {
    vec![1, 1, 9, 0, 1, 0xf8, 0x23, 0, 0, 6, 1, 2, 3, 6, 0, 1, 0x90, 0x1c, 0, 0]
}

fn change(row: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(row.len());
        match numbers.below(6) {
            0 if row.len() > 1 => drop(row.remove(at)),
            1 => row.insert(at, numbers.next() as u8),
            2 => row.truncate(at + 1),
            3 => row[at] = [0, 0xff, 0x7f, 0x80][numbers.below(4)],
            4 => row[at] = numbers.next() as u8,
            _ => row[at] ^= 1 << numbers.below(8),
        }
    }
}

/// What the fuzz target asks for; whether the row could be read.
fn check(row: &[u8]) -> bool {
    let Ok(block) = SampleBlock::decode(row) else { return false };
    for (key, points) in block.series() {
        assert!(points.len() <= 1024);
        assert!(points.values().all(|bucket| bucket.count > 0 && bucket.min <= bucket.max));
        assert!(SampleBlock::decode_one(row, key).is_ok());
    }
    assert_eq!(SampleBlock::decode(&block.encode()), Ok(block));
    true
}

#[test]
fn rows_that_are_damaged_are_read_or_refused() {
    let inputs = std::env::var("QXUPS_TEST_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(INPUTS);
    let (mut numbers, seeds) = (Numbers(7), rows().into_iter().chain([first_form()]).collect::<Vec<_>>());
    assert!(seeds.iter().all(|seed| check(seed)));
    let mut read = 0;
    for number in 0..inputs {
        let mut row = if number % 8 == 0 {
            let form = 1 + u8::try_from(numbers.below(2)).unwrap();
            (0..1 + numbers.below(60)).map(|at| if at == 0 { form } else { numbers.next() as u8 }).collect()
        } else {
            seeds[numbers.below(seeds.len())].clone()
        };
        change(&mut row, &mut numbers);
        read += u64::from(check(&row));
    }
    // else it says nothing of what is read
    assert!(read > inputs / 50 && read < inputs, "{read} of {inputs}");
}
