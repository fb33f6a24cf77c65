//! Where a user may come from: the words of `allowfrom`.

use super::UpsdUsersFault;
use std::net::IpAddr;

/// Addresses: one, or those that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// One of them.
    pub address: IpAddr,
    /// How many bits they share: up to 32 for IPv4, up to 128 for IPv6.
    pub bits: u8,
}

impl Network {
    /// Reads `address` or `address/bits`; `localhost` is for its callers.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |bits: &&str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => Some(bits).filter(digits)?.parse().ok().filter(|bits| *bits <= most)?,
        };
        Some(Network { address, bits })
    }

    /// Whether the address is one of them. An IPv4 address that came over IPv6 (`::ffff:192.0.2.5`) is
    /// an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u8| {
            let apart = width.saturating_sub(self.bits);
            (a ^ b).checked_shr(apart.into()).unwrap_or(0) == 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

/// No client comes from here: a user whose addresses cannot be read may not come from everywhere.
pub(super) const NOWHERE: Network =
    Network { address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), bits: 32 };

/// What a word of `allowfrom` stands for.
pub(super) fn addresses(word: &str) -> Result<Vec<Network>, UpsdUsersFault> {
    let words: &[&str] =
        if word.eq_ignore_ascii_case("localhost") { &["127.0.0.0/8", "::1"] } else { &[word] };
    let networks: Option<Vec<Network>> = words.iter().map(|word| Network::parse(word)).collect();
    networks.ok_or_else(|| UpsdUsersFault::NoAddress(word.into()))
}
