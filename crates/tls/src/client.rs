//! The client's end.

use crate::error::OtherCertificate;
use crate::identity::read;
use crate::{Fingerprint, TlsError, TlsIdentity};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// By what a client knows that it is the right server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By nothing: encrypted, but to whom is not known (upsmon's `CERTVERIFY 0`, the default of NUT's clients).
    Nothing,
    /// By this very certificate.
    Fingerprint(Fingerprint),
    /// By who signed it, and the name in it: a PEM file, or a folder of such (upsmon's `CERTPATH`).
    Roots(PathBuf),
}

/// The configuration of a client: TLS 1.2 and 1.3, and the client's own certificate, if it has one.
///
/// # Errors
/// [`TlsError`] when the certificates of those who sign, or the client's own, cannot be used.
pub fn client_config(verify: &Verify, own: Option<&TlsIdentity>) -> Result<Arc<ClientConfig>, TlsError> {
    let bad = |error: Error| TlsError::BadKey(error.to_string());
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(bad)?;
    let wanted = match verify {
        Verify::Nothing => None,
        Verify::Fingerprint(fingerprint) => Some(*fingerprint),
        Verify::Roots(path) => {
            let builder = builder.with_root_certificates(roots(path)?);
            return match own {
                None => Ok(Arc::new(builder.with_no_client_auth())),
                Some(own) => builder
                    .with_client_auth_cert(own.chain.clone(), own.key.clone_key())
                    .map(Arc::new)
                    .map_err(bad),
            };
        }
    };
    let verifier = Arc::new(ByFingerprint { wanted, provider });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    match own {
        None => Ok(Arc::new(builder.with_no_client_auth())),
        Some(own) => {
            builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key()).map(Arc::new).map_err(bad)
        }
    }
}

/// The certificates of those who sign others: of a file, or of every file of a folder.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |error| TlsError::File { path: path.into(), tried: "read", error };
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.is_file());
        files.sort();
        files
    } else {
        vec![path.to_path_buf()]
    };
    let mut store = RootCertStore::empty();
    for file in files {
        let pem = read(&file).map_err(failed)?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let bad = |why: String| TlsError::BadRoot(format!("{}: {why}", file.display()));
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            store.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
    }
    if store.is_empty() {
        return Err(TlsError::BadRoot(format!("{}: there is none in it", path.display())));
    }
    Ok(store)
}

/// Takes the certificate with this fingerprint, or any. That the server has its key is checked in any case.
#[derive(Debug)]
struct ByFingerprint {
    wanted: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ByFingerprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.wanted {
            Some(wanted) if wanted != Fingerprint::of(end_entity) => {
                let other = OtherCertificate(Fingerprint::of(end_entity));
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(other)))))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
