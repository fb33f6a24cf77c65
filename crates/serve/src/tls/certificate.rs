//! A certificate of the server's own: ECDSA on P-256, which Debian's clients take in TLS 1.2 and 1.3 (they end on
//! Ed25519). X.509 of RFC 5280, in DER.

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// ecdsa-with-SHA256 (RFC 5758).
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// id-ecPublicKey and prime256v1 (RFC 5480).
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-at-commonName, id-ce-subjectAltName (RFC 5280).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// As long as two digits of a year can say: the clock of a machine without a battery may be far off.
const VALID: [&[u8]; 2] = [b"200101000000Z", b"491231235959Z"];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;

/// A certificate and its key, both in DER; the key as of PKCS #8.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

/// Makes one for this machine.
///
/// # Errors
/// A sentence, when the system has no random bytes.
pub(crate) fn make(host: Option<&str>) -> Result<Made, String> {
    let no_random = |_| "the system has no random bytes for a certificate".to_string();
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(no_random)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random)
        .map_err(|error| format!("cannot make a certificate: {error}"))?;
    let mut serial = [0; 16];
    random.fill(&mut serial).map_err(no_random)?;
    // positive, and of a fixed length
    serial[0] = serial[0] & 0x7f | 0x40;
    let to_sign = to_sign(&serial, pair.public_key().as_ref(), host);
    let signature = pair.sign(&random, &to_sign).map_err(no_random)?;
    let certificate = tlv(SEQUENCE, &[&to_sign, &algorithm(), &bits(signature.as_ref())]);
    Ok(Made { certificate, key: key.as_ref().to_vec() })
}

fn to_sign(serial: &[u8], public: &[u8], host: Option<&str>) -> Vec<u8> {
    let name = name();
    let validity = tlv(SEQUENCE, &VALID.map(|time| tlv(UTC_TIME, &[time])));
    let key_kind = tlv(SEQUENCE, &[tlv(OBJECT, &[EC_KEY]), tlv(OBJECT, &[P256])]);
    let key = tlv(SEQUENCE, &[key_kind, bits(public)]);
    let version = tlv(0xa0, &[tlv(INTEGER, &[[2]])]);
    let extensions = tlv(0xa3, &[tlv(SEQUENCE, &[alternative_names(host)])]);
    let serial = tlv(INTEGER, &[serial]);
    tlv(SEQUENCE, &[&version, &serial, &algorithm(), &name, &validity, &name, &key, &extensions])
}

fn name() -> Vec<u8> {
    let common = tlv(SEQUENCE, &[tlv(OBJECT, &[COMMON_NAME]), tlv(UTF8, &[b"qxups"])]);
    tlv(SEQUENCE, &[tlv(SET, &[common])])
}

/// By what the server may be called: the name of the machine, and what is always itself.
fn alternative_names(host: Option<&str>) -> Vec<u8> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.len() < 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let mut names: Vec<Vec<u8>> =
        ["localhost"].into_iter().chain(host.filter(is_name)).map(|name| tlv(0x82, &[name])).collect();
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        names.push(match address {
            IpAddr::V4(address) => tlv(0x87, &[address.octets()]),
            IpAddr::V6(address) => tlv(0x87, &[address.octets()]),
        });
    }
    let value = tlv(OCTET_STRING, &[tlv(SEQUENCE, &names)]);
    tlv(SEQUENCE, &[tlv(OBJECT, &[ALTERNATIVE_NAMES]), value])
}

fn algorithm() -> Vec<u8> {
    tlv(SEQUENCE, &[tlv(OBJECT, &[ECDSA_SHA256])])
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], bytes])
}

/// A value of DER: its tag, its length, what it holds.
fn tlv<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut all = vec![tag];
    let bytes = length.to_be_bytes();
    let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
    if length >= 0x80 {
        all.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
    }
    all.extend_from_slice(digits);
    parts.iter().for_each(|part| all.extend_from_slice(part.as_ref()));
    all
}

impl Made {
    /// Certificate and key as PEM (RFC 7468), the form of CERTFILE.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate) + &pem("PRIVATE KEY", &self.key)
    }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 bytes are a line of 64 digits
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let number =
                (0..3).fold(0, |sum, at| sum << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
            for at in 0..4 {
                let digit = DIGITS[number >> (18 - 6 * at) & 63];
                text.push(if at <= group.len() { char::from(digit) } else { '=' });
            }
        }
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    #[test]
    fn lengths_are_those_of_der() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
        ] {
            let value = tlv(OCTET_STRING, &[vec![7; length]]);
            assert_eq!((&value[..head.len()], value.len()), (head, head.len() + length));
        }
    }

    #[test]
    fn what_is_written_as_pem_is_read_back() {
        let made = make(Some("ups-server")).unwrap();
        let text = made.pem();
        assert_eq!(CertificateDer::from_pem_slice(text.as_bytes()).unwrap().as_ref(), made.certificate);
        assert_eq!(PrivateKeyDer::from_pem_slice(text.as_bytes()).unwrap().secret_der(), made.key);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert!(make(None).unwrap() != make(None).unwrap(), "no two are the same");
    }
}
