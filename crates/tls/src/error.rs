//! What can be wrong with a certificate or a key.

use crate::Fingerprint;
use rustls::CertificateError;
use std::fmt;
use std::path::PathBuf;

/// Why TLS cannot be offered, or used. The text says what happened and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: "read", "write".
        tried: &'static str,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A PEM file holds no certificate.
    NoCertificate,
    /// A PEM file holds no private key.
    NoKey,
    /// The key is protected by a password.
    EncryptedKey,
    /// The key does not belong to the certificate, or is of a kind that is not supported.
    BadKey(String),
    /// A certificate of those that sign others cannot be read.
    BadRoot(String),
    /// The certificate cannot be made.
    NotMade(String),
    /// A fingerprint is not 32 bytes in hexadecimal digits.
    BadFingerprint(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::File { path, tried, error } => {
                write!(f, "cannot {tried} {}: {error}; check its owner and mode", path.display())
            }
            TlsError::NoCertificate => {
                f.write_str("no certificate in it; put the server's certificate first, in PEM format")
            }
            TlsError::NoKey => {
                f.write_str("no private key in it; append the server's key, in PEM format, to the certificates")
            }
            TlsError::EncryptedKey => f.write_str(
                "the private key is protected by a password; store it without: openssl pkey -in FILE -out FILE",
            ),
            TlsError::BadKey(why) => {
                write!(f, "the private key cannot be used: {why}; use the ECDSA P-256 or RSA key of the certificate")
            }
            TlsError::BadRoot(why) => {
                write!(f, "a CA certificate cannot be read: {why}; check that it is in PEM format")
            }
            TlsError::NotMade(why) => write!(f, "cannot make a certificate: {why}; name one by CERTFILE"),
            TlsError::BadFingerprint(text) => {
                write!(f, "'{text}' is no fingerprint; write the 64 hexadecimal digits of SHA-256, with or without colons")
            }
        }
    }
}

impl std::error::Error for TlsError {}

/// The server shows another certificate than the one whose fingerprint is named.
#[derive(Debug)]
pub(crate) struct OtherCertificate(pub Fingerprint);

impl fmt::Display for OtherCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server shows another certificate than the one that is named, with the fingerprint {}; look in the log of \
             that server for its own, and name that if they are the same",
            self.0
        )
    }
}

impl std::error::Error for OtherCertificate {}

/// What went wrong on an encrypted connection, and what to do.
pub fn connection_trouble(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return "the server closed the connection".into();
    }
    let certificate = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(why)) => why,
        _ => return error.to_string(),
    };
    match certificate {
        CertificateError::Other(other) => other.0.to_string(),
        CertificateError::UnknownIssuer => {
            "the certificate of the server is signed by none of those that are named; name the file of who signed it, or its \
             fingerprint"
                .into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate of the server has expired; renew it there".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate of the server is for another host; write the name that stands in it, or its fingerprint".into()
        }
        other => format!("the certificate of the server cannot be used: {other}; look at it there"),
    }
}
