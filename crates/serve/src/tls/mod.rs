//! TLS: which certificate the server shows, and whether it offers TLS at all.

mod certificate;

use nut::upsd_conf::{CertificateRequest, StartTls, UpsdConf};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No file with a certificate is longer, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// The certificate that the server makes for itself, in the folder of what lasts.
const OWN: &str = "qxups-server.pem";

/// What a server needs for TLS.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    /// How it speaks; none without a certificate.
    pub config: Option<Arc<ServerConfig>>,
    /// Where it is offered.
    pub offers: StartTls,
    /// A certificate is named in `upsd.conf`.
    pub named: bool,
    /// SHA-256 of the certificate, as tools print it.
    pub fingerprint: Option<String>,
}

impl Tls {
    /// Without TLS.
    pub fn none() -> Tls {
        Tls { config: None, offers: StartTls::Never, named: false, fingerprint: None }
    }

    /// What `upsd.conf` says. A certificate of its own is made at the first start, where no other is named.
    ///
    /// # Errors
    /// A sentence, when a certificate that is named cannot be used.
    pub fn of(
        conf: &UpsdConf,
        folder: &Path,
        lasting: &Path,
        hints: &mut Vec<String>,
    ) -> Result<Tls, String> {
        let offers = conf.start_tls.unwrap_or(StartTls::Auto);
        if offers == StartTls::Never {
            return Ok(Tls { offers, ..Tls::none() });
        }
        let named = conf.certificate_file.as_ref().map(|file| folder.join(file));
        if named.is_none() && conf.certificate_identity.is_some() {
            hints.push(
                "upsd.conf: CERTIDENT names a certificate in a database of NSS, which this server cannot read, so it \
                 offers no TLS; write certificate and key as PEM to a file, and its name as CERTFILE"
                    .into(),
            );
            return Ok(Tls::none());
        }
        let path = match &named {
            Some(path) => path.clone(),
            None => match own(lasting) {
                Ok(path) => path,
                Err(why) => {
                    hints.push(format!("{why}; the server offers no TLS"));
                    return Ok(Tls::none());
                }
            },
        };
        let (chain, key) = read(&path)?;
        let fingerprint = chain.first().map(|certificate| fingerprint(certificate.as_ref()));
        let config = config(chain, key, verifier(conf, folder)?).map_err(|error| {
            format!("{}: this certificate cannot be used: {error}; name another by CERTFILE", path.display())
        })?;
        Ok(Tls { config: Some(Arc::new(config)), offers, named: named.is_some(), fingerprint })
    }

    /// Whether it is offered on a listener with this address. Debian's upsc says more on standard error once it speaks
    /// TLS, which breaks scripts that read it: so not on loopback by default, where no byte leaves the machine.
    pub fn is_offered_at(&self, address: IpAddr) -> bool {
        let wanted = match self.offers {
            StartTls::Never => false,
            StartTls::Always => true,
            StartTls::Auto => self.named || !address.is_loopback(),
        };
        wanted && self.config.is_some()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    // clients that read a line at a time do not expect anything unasked
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Who may come, by CERTREQUEST: the certificates that are accepted are in the folder or file of CERTPATH.
fn verifier(conf: &UpsdConf, folder: &Path) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let request = conf.certificate_request.unwrap_or(CertificateRequest::No);
    if request == CertificateRequest::No {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let path = conf.certificate_path.as_ref().map(|path| folder.join(path)).ok_or(
        "upsd.conf: CERTREQUEST needs the certificates of those who may come; write CERTPATH with a file or folder of them",
    )?;
    let mut roots = rustls::RootCertStore::empty();
    for file in pem_files(&path)
        .map_err(|error| format!("cannot read {}: {error}; see CERTPATH in upsd.conf", path.display()))?
    {
        let Ok(text) = link::read_bounded(&file, LONGEST) else { continue };
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder =
        if request == CertificateRequest::Request { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(|error| {
        format!(
            "{} has no certificate by which clients could be known ({error}); see CERTPATH in upsd.conf",
            path.display()
        )
    })
}

fn pem_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.metadata()?.is_dir() {
        return Ok(vec![path.into()]);
    }
    let files = std::fs::read_dir(path)?.filter_map(Result::ok).map(|entry| entry.path());
    Ok(files.filter(|file| file.is_file()).take(1024).collect())
}

fn read(path: &Path) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let at = path.display();
    let text = link::read_bounded(path, LONGEST)
        .map_err(|error| format!("cannot read the certificate {at}: {error}; see CERTFILE in upsd.conf"))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(format!("{at} has no certificate in PEM; see CERTFILE in upsd.conf"));
    }
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| format!("{at} has no private key in PEM; put it behind the certificate"))?;
    Ok((chain, key))
}

/// The server's own certificate, which is made if there is none yet.
fn own(lasting: &Path) -> Result<PathBuf, String> {
    let path = lasting.join(OWN);
    if path.exists() {
        return Ok(path);
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let made = certificate::make(host.as_deref().map(str::trim))?;
    write(&path, &made.pem())
        .map_err(|error| format!("cannot keep a certificate at {}: {error}", path.display()))?;
    Ok(path)
}

/// Writes a file that only its owner reads; it is there whole, or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let _ = std::fs::remove_file(&new);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| drop(std::fs::remove_file(&new)))
}

/// SHA-256 of a certificate, as openssl prints it.
fn fingerprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-tls-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_certificate_is_made_once() {
        let folder = folder("own");
        let (conf, mut hints) = (UpsdConf::default(), vec![]);
        let first = Tls::of(&conf, &folder, &folder, &mut hints).unwrap();
        let second = Tls::of(&conf, &folder, &folder, &mut hints).unwrap();
        assert!(first.fingerprint.is_some() && first.fingerprint == second.fingerprint, "{hints:?}");
        let mode = std::os::unix::fs::MetadataExt::mode(&folder.join(OWN).metadata().unwrap());
        assert_eq!(mode & 0o777, 0o600);
        let offered = |tls: &Tls, address: &str| tls.is_offered_at(address.parse().unwrap());
        assert!(!offered(&first, "127.0.0.1") && !offered(&first, "::1"));
        assert!(offered(&first, "192.0.2.7") && offered(&first, "0.0.0.0"));
        let named = UpsdConf { certificate_file: Some(OWN.into()), ..UpsdConf::default() };
        assert!(offered(&Tls::of(&named, &folder, &folder, &mut hints).unwrap(), "::1"));
        let never = UpsdConf { start_tls: Some(StartTls::Never), ..named };
        assert!(!offered(&Tls::of(&never, &folder, &folder, &mut hints).unwrap(), "192.0.2.7"));
        assert_eq!(hints, [""; 0]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_certificate_that_cannot_be_used_ends_the_start_and_none_of_its_own_only_costs_tls() {
        let folder = folder("wrong");
        std::fs::write(folder.join("empty.pem"), "nothing\n").unwrap();
        std::fs::write(
            folder.join("cert.pem"),
            certificate::make(None).unwrap().pem().split("-----BEGIN PRIVATE").next().unwrap(),
        )
        .unwrap();
        for (file, part) in
            [("no.pem", "cannot read"), ("empty.pem", "no certificate"), ("cert.pem", "no private key")]
        {
            let conf = UpsdConf { certificate_file: Some(file.into()), ..UpsdConf::default() };
            let why = Tls::of(&conf, &folder, &folder, &mut vec![]).unwrap_err();
            assert!(why.contains(part) && why.contains(file), "{why}");
        }
        let mut hints = vec![];
        let tls = Tls::of(&UpsdConf::default(), &folder, Path::new("/proc/self"), &mut hints).unwrap();
        assert!(tls.config.is_none() && hints[0].contains("no TLS"), "{hints:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
