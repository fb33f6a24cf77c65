//! Hashed passwords: PHC strings of argon2id, as `qxups passwd` makes them and other programs do.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

/// What a hash that is made here costs: 4 MiB and 3 passes, which is 10 ms on a desktop, some 50 ms on a small board.
const MEMORY_KIB: u32 = 4096;
const PASSES: u32 = 3;
/// The most that is checked: 64 MiB (the second choice of RFC 9106, section 4, which has 3 passes and 4 lanes), and so
/// many passes over it. Two checks at a time are all that a server makes.
const MOST_MEMORY_KIB: u32 = 64 * 1024;
const MOST_WORK_KIB: u64 = 4 * MOST_MEMORY_KIB as u64;
const MOST_LANES: u32 = 16;
/// Bytes of salt and of hash that are made here.
const SALT: usize = 16;
const OUTPUT: usize = 32;
/// A shorter hash, in bytes, is guessed by chance (RFC 9106 has 4 as the least, and 16 where space is short).
const LEAST_OUTPUT: usize = 16;

/// Why a hash is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongHash {
    /// It is no PHC string of argon2id.
    NotArgon2id,
    /// A version of argon2 that does not exist.
    Version,
    /// Checking it would take too much memory or time.
    TooCostly,
    /// Its hash has too few bytes.
    Short,
}

impl fmt::Display for WrongHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WrongHash::NotArgon2id => {
                "the hash of the password is no PHC string of argon2id: make one by 'qxups passwd'"
            }
            WrongHash::Version => {
                "the hash of the password has an unknown version of argon2: make one by 'qxups passwd'"
            }
            WrongHash::TooCostly => {
                "the hash of the password costs too much to check: take at most m=65536 (64 MiB), p=16, and t such \
                 that m times t is at most 262144, or make one by 'qxups passwd'"
            }
            WrongHash::Short => {
                "the hash of the password is shorter than 16 bytes: make one by 'qxups passwd'"
            }
        })
    }
}

/// A hash that can be checked.
struct Hash {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Hash {
    fn parse(text: &str) -> Result<Hash, WrongHash> {
        let hash = PasswordHash::new(text).map_err(|_| WrongHash::NotArgon2id)?;
        if Algorithm::try_from(hash.algorithm.as_str()) != Ok(Algorithm::Argon2id) {
            return Err(WrongHash::NotArgon2id);
        }
        // without a word of it, it is the first one (the PHC string format)
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from);
        let version = version.map_err(|_| WrongHash::Version)?;
        let params = Params::try_from(&hash).map_err(|_| WrongHash::NotArgon2id)?;
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MOST_MEMORY_KIB || work > MOST_WORK_KIB || params.p_cost() > MOST_LANES {
            return Err(WrongHash::TooCostly);
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else { return Err(WrongHash::NotArgon2id) };
        if output.len() < LEAST_OUTPUT {
            return Err(WrongHash::Short);
        }
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
        Ok(Hash { argon2, salt: salt.as_ref().to_vec(), output: output.as_bytes().to_vec() })
    }

    fn is_of(&self, given: &str) -> bool {
        let mut made = vec![0; self.output.len()];
        let done = self.argon2.hash_password_into(given.as_bytes(), &self.salt, &mut made);
        // how long it takes says nothing of where they differ
        let differ = made.iter().zip(&self.output).fold(0, |differ, (a, b)| differ | (a ^ b));
        done.is_ok() & (differ == 0)
    }
}

/// Whether a hash can be checked.
///
/// # Errors
/// Why not.
pub fn check_hash(text: &str) -> Result<(), WrongHash> {
    Hash::parse(text).map(drop)
}

/// Whether it is the hash of what was given. Takes its time.
pub fn is_password(hash: &str, given: &str) -> bool {
    Hash::parse(hash).is_ok_and(|hash| hash.is_of(given))
}

/// A new hash of a password, with a salt of its own.
///
/// # Errors
/// A sentence, when the system gives no random bytes or too little memory.
pub fn hash(password: &str) -> Result<String, String> {
    let mut salt = [0; SALT];
    random(&mut salt).map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    with_salt(password, &salt).map_err(|error| format!("cannot make the hash: {error}"))
}

fn random(bytes: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}

fn with_salt(password: &str, salt: &[u8]) -> Result<String, argon2::password_hash::Error> {
    use argon2::PasswordHasher;
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(OUTPUT))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password_with_salt(password.as_bytes(), salt)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the reference implementation: `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -e`, and its own
    /// test of m = 256 KiB (phc-winner-argon2, src/test.c).
    const REFERENCE: [&str; 2] = [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ];

    #[test]
    fn hashes_of_the_reference_implementation_are_checked() {
        for hash in REFERENCE {
            assert!(is_password(hash, "password"), "{hash}");
            for wrong in ["", "Password", "password ", "passwor"] {
                assert!(!is_password(hash, wrong), "{hash}, {wrong}");
            }
        }
    }

    #[test]
    fn what_is_made_is_checked_and_never_the_same_twice() {
        let (first, second) = (hash("s\u{e4}cret, with = and $").unwrap(), hash("").unwrap());
        assert!(first.starts_with("$argon2id$v=19$m=4096,t=3,p=1$"), "{first}");
        assert!(is_password(&first, "s\u{e4}cret, with = and $") && !is_password(&first, ""));
        assert!(is_password(&second, "") && !is_password(&second, " "));
        assert_ne!(hash("x").unwrap(), hash("x").unwrap());
    }

    #[test]
    fn absurd_costs_are_refused_just_above_the_bounds() {
        let of = |costs: &str| {
            check_hash(&format!(
                "$argon2id$v=19${costs}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
            ))
        };
        for costs in ["m=65536,t=4,p=16", "m=65535,t=4,p=4", "m=4096,t=64,p=1", "m=8,t=1,p=1"] {
            assert_eq!(of(costs), Ok(()), "{costs}");
        }
        for costs in [
            "m=65537,t=1,p=1",
            "m=65536,t=5,p=1",
            "m=4096,t=65,p=1",
            "m=4096,t=3,p=17",
            "m=8,t=4294967295,p=1",
        ] {
            assert_eq!(of(costs), Err(WrongHash::TooCostly), "{costs}");
        }
        for costs in ["m=7,t=1,p=1", "m=8,t=0,p=1", "m=99999999999,t=1,p=1", "t=x", "m=-1,t=1,p=1"] {
            assert_eq!(of(costs), Err(WrongHash::NotArgon2id), "{costs}");
        }
    }

    #[test]
    fn what_is_no_hash_is_said() {
        for (text, why) in [
            ("", WrongHash::NotArgon2id),
            ("$argon2id$", WrongHash::NotArgon2id),
            ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", WrongHash::NotArgon2id),
            (
                "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                WrongHash::NotArgon2id,
            ),
            (
                "$argon2id$v=17$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                WrongHash::Version,
            ),
            ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm", WrongHash::Short),
        ] {
            assert_eq!(check_hash(text), Err(why), "{text}");
            assert!(!is_password(text, ""));
        }
    }
}
