//! Who a server says that it is: a chain of certificates and the key of the first.

use crate::TlsError;
use ring::digest;
use rustls::SignatureAlgorithm;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// No file of certificates is longer, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A file, which has an end, and for which nothing is waited.
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // a device may mind to be opened, a pipe may have no writer
    let is_file = |is: std::fs::Metadata| {
        is.is_file().then_some(()).ok_or_else(|| Error::other("it is no regular file; put one in its place"))
    };
    is_file(path.metadata()?)?;
    let file =
        OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY).open(path)?;
    is_file(file.metadata()?)?;
    let mut bytes = vec![];
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let is_whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST);
    is_whole.then_some(bytes).ok_or_else(|| Error::other("it is longer than any file of certificates"))
}

/// What stands in a PEM file before a key with a password (RFC 7468, RFC 1421).
const ENCRYPTED: [&str; 2] = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"];

/// The SHA-256 of a certificate, by which people tell that it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, certificate).as_ref());
        Fingerprint(bytes)
    }

    /// Reads 64 hexadecimal digits of any case; colons and blanks between them do not matter.
    ///
    /// # Errors
    /// [`TlsError::BadFingerprint`].
    pub fn parse(text: &str) -> Result<Fingerprint, TlsError> {
        let wrong = || TlsError::BadFingerprint(text.into());
        let digits = text.chars().filter(|c| !matches!(c, ':' | ' '));
        let digits: Option<Vec<u8>> =
            digits.map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        bytes.try_into().map(Fingerprint).map_err(|_| wrong())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// A certificate, those that sign it, and its key.
#[derive(Debug)]
pub struct TlsIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Clone for TlsIdentity {
    fn clone(&self) -> TlsIdentity {
        TlsIdentity { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl TlsIdentity {
    /// From a PEM file as `CERTFILE` names it: the server's certificate, those that sign it, its key
    /// (NUT 2.8.0 docs/man/upsd.conf.txt).
    ///
    /// # Errors
    /// [`TlsError`] when something is missing, or the key is not that of the certificate.
    pub fn from_pem(pem: &[u8]) -> Result<TlsIdentity, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(TlsError::NoCertificate)?;
        let text = String::from_utf8_lossy(pem);
        if ENCRYPTED.iter().any(|mark| text.contains(mark)) {
            return Err(TlsError::EncryptedKey);
        }
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::NoKey)?;
        let identity = TlsIdentity { chain, key };
        identity.check()?;
        Ok(identity)
    }

    /// From such a file.
    ///
    /// # Errors
    /// As [`TlsIdentity::from_pem`], and when the file cannot be read.
    pub fn from_file(path: &Path) -> Result<TlsIdentity, TlsError> {
        let failed = |error| TlsError::File { path: path.into(), tried: "read", error };
        TlsIdentity::from_pem(&read(path).map_err(failed)?)
    }

    /// The identity in this file; when there is no such file, one is made for `names` and kept there, readable by
    /// its owner only. The flag says whether it was made.
    ///
    /// # Errors
    /// As [`TlsIdentity::from_file`], and when the file cannot be written.
    pub fn kept(path: &Path, names: &[String]) -> Result<(TlsIdentity, bool), TlsError> {
        if path.exists() {
            return Ok((TlsIdentity::from_file(path)?, false));
        }
        let pem = TlsIdentity::make(names)?;
        let identity = TlsIdentity::from_pem(pem.as_bytes())?;
        let failed = |error| TlsError::File { path: path.into(), tried: "write", error };
        // whole or not at all: a cut file would keep the next start from offering TLS
        let draft = path.with_extension("new");
        let mut options = OpenOptions::new();
        // neither where a planted link leads, nor into a file that others can read or hold open
        options.write(true).create_new(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
        let write = || -> std::io::Result<()> {
            match std::fs::remove_file(&draft) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = options.open(&draft)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, path)
        };
        write().map_err(failed)?;
        Ok((identity, true))
    }

    /// A new identity as PEM, signed by itself, for these host names and addresses. The key is ECDSA P-256: the
    /// clients of Debian end with an error where it is Ed25519.
    ///
    /// # Errors
    /// [`TlsError::NotMade`], when a name is none.
    pub fn make(names: &[String]) -> Result<String, TlsError> {
        let failed = |error: rcgen::Error| TlsError::NotMade(error.to_string());
        let mut params = rcgen::CertificateParams::new(names).map_err(failed)?;
        // no clock is asked: boards without a battery start in 1970, and refuse what begins later
        params.not_before = rcgen::date_time_ymd(1975, 1, 1);
        params.not_after = rcgen::date_time_ymd(2125, 1, 1);
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CommonName, names.first().map_or("qxups", String::as_str));
        params.distinguished_name = name;
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(certificate.pem() + &key.serialize_pem())
    }

    /// By what people recognise the certificate.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.chain.first().map(Fingerprint::of)
    }

    /// Whether the key is of a kind that Debian's NUT clients cannot use (Ed25519: they end the connection).
    pub fn breaks_old_clients(&self) -> bool {
        any_supported_type(&self.key).is_ok_and(|key| key.algorithm() == SignatureAlgorithm::ED25519)
    }

    /// Whether the key is usable and belongs to the certificate.
    fn check(&self) -> Result<(), TlsError> {
        let bad = |error: rustls::Error| TlsError::BadKey(error.to_string());
        let key = any_supported_type(&self.key).map_err(bad)?;
        rustls::sign::CertifiedKey::new(self.chain.clone(), key).keys_match().map_err(bad)
    }
}
