//! The server's end.

use crate::identity::TlsIdentity;
use crate::{TlsError, client};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use std::path::PathBuf;
use std::sync::Arc;

/// Whether clients have to show a certificate (`CERTREQUEST`), and who may have signed it (`CERTPATH`: a PEM file, or a
/// folder of such; newer NUT server/netssl.c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// `CERTREQUEST 0`: none is asked for.
    NotAsked,
    /// `CERTREQUEST 1`: asked for; a client without one is served, one with a bad one is not.
    Asked(PathBuf),
    /// `CERTREQUEST 2`: a client without a good one is not served.
    Required(PathBuf),
}

/// The configuration of a server: TLS 1.2 and 1.3.
///
/// # Errors
/// [`TlsError`] when the certificates of those who sign cannot be read.
pub fn server_config(
    identity: &TlsIdentity,
    clients: &ClientCertificates,
) -> Result<Arc<ServerConfig>, TlsError> {
    let bad = |error: rustls::Error| TlsError::BadKey(error.to_string());
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(bad)?;
    let builder = match clients {
        ClientCertificates::NotAsked => builder.with_no_client_auth(),
        ClientCertificates::Asked(path) | ClientCertificates::Required(path) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(client::roots(path)?), provider);
            let verifier = match clients {
                ClientCertificates::Asked(_) => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            let verifier = verifier.build().map_err(|error| TlsError::BadRoot(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(identity.chain.clone(), identity.key.clone_key()).map_err(bad)?;
    Ok(Arc::new(config))
}
