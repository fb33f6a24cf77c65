//! Troubles of a line, from a seed: the same seed gives the same troubles.

use std::time::Duration;

/// A generator of pseudo-random numbers (splitmix64): small, and the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// A generator for a seed.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.draw() % bound as u64) as usize }
    }
    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        ((self.draw() >> 11) as f64) < probability * (1u64 << 53) as f64
    }
}

/// A reply that is late comes so much later: a driver has given it up by then, and asks something else.
const LATE: Duration = Duration::from_millis(1400);

/// The troubles of a line; probabilities are per reply, but for those of `noise`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// A reply is lost.
    pub lose: f64,
    /// A reply is garbled: a bit flipped, a byte lost or added, or cut short.
    pub garble: f64,
    /// A reply comes twice.
    pub double: f64,
    /// The line hangs up instead of a reply.
    pub hang_up: f64,
    /// A byte, in either direction, has a bit flipped, is lost, is doubled or has a foreign one before it.
    pub noise: f64,
    /// A reply comes late, behind what is asked next.
    pub late: f64,
    /// So many replies to come lose a byte; then the line is good again.
    pub hurt: u32,
    random: Random,
}

impl Trouble {
    /// No trouble, to be made worse.
    pub const fn new(seed: u64) -> Trouble {
        Trouble {
            lose: 0.0,
            garble: 0.0,
            double: 0.0,
            hang_up: 0.0,
            noise: 0.0,
            late: 0.0,
            hurt: 0,
            random: Random::new(seed),
        }
    }

    /// Whether the line hangs up now.
    pub fn hangs_up(&mut self) -> bool {
        self.random.chance(self.hang_up)
    }

    /// How much later than usual a reply comes.
    pub fn lateness(&mut self) -> Duration {
        if self.late > 0.0 && self.random.chance(self.late) { LATE } else { Duration::ZERO }
    }

    /// What becomes of bytes on a line with noise.
    pub fn scramble(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.noise <= 0.0 {
            return bytes.to_vec();
        }
        let mut arrived = Vec::with_capacity(bytes.len() + 4);
        for byte in bytes {
            match self.random.chance(self.noise).then(|| self.random.below(4)) {
                None => arrived.push(*byte),
                Some(0) => arrived.push(byte ^ 1 << self.random.below(8)),
                Some(1) => {}
                Some(2) => arrived.extend([*byte, *byte]),
                Some(_) => arrived.extend([self.random.draw() as u8, *byte]),
            }
        }
        arrived
    }

    /// What becomes of a reply; empty when it is lost.
    pub fn befall(&mut self, mut reply: Vec<u8>) -> Vec<u8> {
        if self.random.chance(self.lose) {
            return vec![];
        }
        if self.hurt > 0 && !reply.is_empty() {
            self.hurt -= 1;
            reply.remove(self.random.below(reply.len()));
        }
        if self.random.chance(self.garble) && !reply.is_empty() {
            let at = self.random.below(reply.len());
            match self.random.below(4) {
                0 => reply[at] ^= 1 << self.random.below(8),
                1 => drop(reply.remove(at)),
                2 => reply.insert(at, self.random.draw() as u8),
                _ => reply.truncate(at),
            }
        }
        if self.random.chance(self.double) {
            reply.extend_from_within(..);
        }
        self.scramble(&reply)
    }
}

/// What goes wrong in a USB converter and its cable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsbTrouble {
    /// So many replies are answered by a stall.
    pub stall: u32,
    /// So many replies are longer than they may be.
    pub babble: u32,
    /// So many replies are damaged on the cable.
    pub fault: u32,
    /// So many reports are cut to their first three bytes.
    pub short: u32,
    /// So many reports have all their bits turned.
    pub garble: u32,
    /// Nothing is answered at all, for ever.
    pub deaf: bool,
    /// Nothing is answered until the port is reset.
    pub hung: bool,
    /// What the converter says when its UPS says nothing.
    pub nothing: Option<Nothing>,
}

/// How a converter says that it has nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// A NUL and a carriage return (ippon).
    Nul,
    /// A carriage return.
    Return,
    /// NULs alone.
    Nuls,
}

impl Nothing {
    /// Its bytes.
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Nothing::Nul => b"\0\r",
            Nothing::Return => b"\r",
            Nothing::Nuls => b"\0\0\0\0\0\0\0\0",
        }
    }
}

/// What becomes of the data of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They arrive.
    Good,
    /// Cut short.
    Short,
    /// Changed.
    Garbled,
    /// The endpoint stalls.
    Stall,
    /// Too many bytes.
    Babble,
    /// Damaged.
    Fault,
}

impl UsbTrouble {
    /// So many replies to come meet this fate.
    pub fn expect(&mut self, fate: Fate, count: u32) {
        match fate {
            Fate::Good => {}
            Fate::Short => self.short = count,
            Fate::Garbled => self.garble = count,
            Fate::Stall => self.stall = count,
            Fate::Babble => self.babble = count,
            Fate::Fault => self.fault = count,
        }
    }

    /// What becomes of the next one.
    pub fn draw(&mut self) -> Fate {
        for (left, fate) in [
            (&mut self.stall, Fate::Stall),
            (&mut self.babble, Fate::Babble),
            (&mut self.fault, Fate::Fault),
            (&mut self.short, Fate::Short),
            (&mut self.garble, Fate::Garbled),
        ] {
            if *left > 0 {
                *left -= 1;
                return fate;
            }
        }
        Fate::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_troubles() {
        let run = |seed| {
            let mut trouble = Trouble { lose: 0.1, garble: 0.3, double: 0.1, ..Trouble::new(seed) };
            (0..200).map(|_| trouble.befall(b"(226.0 195.0".to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hurt = run(7).iter().filter(|reply| **reply != b"(226.0 195.0").count();
        assert!((60..140).contains(&hurt), "{hurt}");
    }

    #[test]
    fn noise_befalls_so_many_bytes_in_each_way() {
        let sent = [b'0'; 100_000];
        let mut trouble = Trouble { noise: 0.01, ..Trouble::new(3) };
        let arrived = trouble.scramble(&sent);
        let changed = arrived.iter().filter(|byte| **byte != b'0').count();
        // a quarter of a percent flipped, as many inserted; lost and doubled ones make up for one another
        assert!((400..600).contains(&changed), "{changed}");
        assert!(arrived.len().abs_diff(100_250) < 150, "{}", arrived.len());
        trouble.noise = 0.0;
        assert_eq!(trouble.scramble(&sent), sent);
    }
}
