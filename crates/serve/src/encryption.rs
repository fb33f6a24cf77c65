//! TLS: which certificate the server shows, and on which listeners it offers TLS at all.

use crate::extras::WebOptions;
use crate::listener::is_all_loopback;
use nut::upsd_conf::{CertificateRequest, Listen, StartTls, UpsdConf};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tls::rustls::ServerConfig;
use tls::{ClientCertificates, Fingerprint, TlsIdentity, server_config};

/// The certificate that the server makes for itself, in the folder of what lasts.
const OWN: &str = "qxups-server.pem";

/// What a server needs for TLS.
#[derive(Clone, Debug)]
pub(crate) struct Encryption {
    /// How it speaks; none without a certificate.
    pub config: Option<Arc<ServerConfig>>,
    /// Where it is offered.
    offers: StartTls,
    /// A certificate is named in `upsd.conf`.
    named: bool,
    /// By what people recognise the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Why there is no certificate, though one is wanted.
    pub lacks: Option<String>,
}

impl Encryption {
    /// Without TLS.
    pub fn none() -> Encryption {
        Encryption { config: None, offers: StartTls::Never, named: false, fingerprint: None, lacks: None }
    }

    /// Without a certificate, for this reason.
    fn lacking(why: String, hints: &mut Vec<String>) -> Encryption {
        hints.push(format!("{why}; the server offers no TLS"));
        Encryption { lacks: Some(why), ..Encryption::none() }
    }

    /// What `upsd.conf` says. A certificate of its own is made at the first start, where no other is named. Pages may need one
    /// (`for_pages`) where clients of NUT are offered none.
    ///
    /// # Errors
    /// A sentence, when a certificate that is named cannot be used.
    pub fn of(
        conf: &UpsdConf,
        folder: &Path,
        lasting: &Path,
        for_pages: bool,
        hints: &mut Vec<String>,
    ) -> Result<Encryption, String> {
        let offers = conf.start_tls.unwrap_or(StartTls::Auto);
        if offers == StartTls::Never && !for_pages {
            return Ok(Encryption { offers, ..Encryption::none() });
        }
        let named = conf.certificate_file.as_ref().map(|file| folder.join(file));
        if named.is_none() && conf.certificate_identity.is_some() {
            let why = "upsd.conf: CERTIDENT names a certificate in a database of NSS, which this server cannot read; write \
                       certificate and key as PEM to a file, and its name as CERTFILE";
            return Ok(Encryption::lacking(why.into(), hints));
        }
        let identity = match &named {
            Some(path) => {
                TlsIdentity::from_file(path).map_err(|why| format!("CERTFILE {}: {why}", path.display()))?
            }
            None => match TlsIdentity::kept(&lasting.join(OWN), &names()) {
                Ok((identity, _)) => identity,
                Err(why) => {
                    let own = lasting.join(OWN);
                    let why = match own.exists() {
                        true => format!(
                            "{}: {why}; or delete this file, and the server makes a new one",
                            own.display()
                        ),
                        false => why.to_string(),
                    };
                    return Ok(Encryption::lacking(why, hints));
                }
            },
        };
        if identity.breaks_old_clients() {
            hints.push("the certificate has a key of Ed25519, on which clients of NUT 2.8.0 end with an error; use one of ECDSA P-256".into());
        }
        let config =
            server_config(&identity, &clients(conf, folder)?).map_err(|why| format!("upsd.conf: {why}"))?;
        hints.extend(what_certificates_leave_open(conf));
        let mut config = (*config).clone();
        // clients that read a line at a time expect nothing unasked
        config.send_tls13_tickets = 0;
        let fingerprint = identity.fingerprint();
        Ok(Encryption {
            config: Some(Arc::new(config)),
            offers,
            named: named.is_some(),
            fingerprint,
            lacks: None,
        })
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

/// Whether a certificate is needed at all: one is only made where TLS is offered somewhere.
pub(crate) fn is_wanted(conf: &UpsdConf, listen: &[Listen], web: &WebOptions) -> bool {
    web.wants_certificate()
        || conf.certificate_file.is_some()
        || matches!(conf.start_tls, Some(StartTls::Always))
        || !is_all_loopback(listen)
}

/// What comes of the certificate of a server with these files, without a server: sentences for its log, and whether its
/// pages are left without one. `lasting` is where the server keeps its own, which is not made here.
///
/// # Errors
/// What keeps the server from starting.
pub fn check_certificate(
    conf: &UpsdConf,
    web: &WebOptions,
    folder: &Path,
    lasting: &Path,
) -> Result<CheckedCertificate, String> {
    let mut checked = CheckedCertificate::default();
    let for_pages = web.wants_certificate();
    if !is_wanted(conf, &conf.listen, web) {
        return Ok(checked);
    }
    let is_own = conf.certificate_file.is_none() && conf.certificate_identity.is_none();
    let is_offered = for_pages || conf.start_tls != Some(StartTls::Never);
    let encryption = match is_own && is_offered && !lasting.join(OWN).exists() {
        // it is made at the start
        true if lasting.is_dir() => return clients(conf, folder).map(|_| checked),
        true => {
            let why = format!(
                "the server cannot keep a certificate in {}, which is not there: make that folder for its user, or write CERTFILE",
                lasting.display()
            );
            Encryption::lacking(why, &mut checked.hints)
        }
        false => Encryption::of(conf, folder, lasting, for_pages, &mut checked.hints)?,
    };
    checked.pages_lack = encryption.lacks.filter(|_| for_pages);
    Ok(checked)
}

/// What comes of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedCertificate {
    /// What the server logs.
    pub hints: Vec<String>,
    /// Why the pages that are to be encrypted have none: browsers are turned away.
    pub pages_lack: Option<String>,
}

/// Who may come, by CERTREQUEST: those who signed the certificates of clients are in the folder or file of CERTPATH.
fn clients(conf: &UpsdConf, folder: &Path) -> Result<ClientCertificates, String> {
    let path: Option<PathBuf> = conf.certificate_path.as_ref().map(|path| folder.join(path));
    let needed = || {
        path.clone().ok_or_else(|| {
            "upsd.conf: CERTREQUEST needs the certificates of those who sign for clients; write CERTPATH with a file or folder of them".to_string()
        })
    };
    Ok(match conf.certificate_request.unwrap_or(CertificateRequest::No) {
        CertificateRequest::No => ClientCertificates::NotAsked,
        CertificateRequest::Request => ClientCertificates::Asked(needed()?),
        CertificateRequest::Require => ClientCertificates::Required(needed()?),
    })
}

/// CERTREQUEST is of TLS, and no client is made to use that, as in upsd: who has no certificate speaks in the clear.
fn what_certificates_leave_open(conf: &UpsdConf) -> Option<String> {
    let what = match conf.certificate_request? {
        CertificateRequest::No => return None,
        CertificateRequest::Request => "asks clients that use TLS for a certificate",
        CertificateRequest::Require => "refuses TLS to clients without a certificate",
    };
    Some(format!(
        "upsd.conf: CERTREQUEST {what}; clients may still speak in the clear, read, and log in with name and password alone, so limit who can connect by LISTEN and a firewall, and who may do what by 'allowfrom' in upsd.users"
    ))
}

/// By what the server may be called: the name of the machine, and what is always itself.
fn names() -> Vec<String> {
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_string());
    let own = ["localhost", "127.0.0.1", "::1"].map(String::from);
    host.filter(is_name).into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-encryption-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_certificate_is_made_once_and_offered_beyond_loopback() {
        let folder = folder("own");
        let (conf, mut hints) = (UpsdConf::default(), vec![]);
        let mut of = |conf: &UpsdConf| Encryption::of(conf, &folder, &folder, false, &mut hints).unwrap();
        let (first, second) = (of(&conf), of(&conf));
        assert!(first.fingerprint.is_some() && first.fingerprint == second.fingerprint);
        let offered = |of: &Encryption, address: &str| of.is_offered_at(address.parse().unwrap());
        assert!(!offered(&first, "127.0.0.1") && !offered(&first, "::1"));
        assert!(offered(&first, "192.0.2.7") && offered(&first, "0.0.0.0"));
        let named = UpsdConf { certificate_file: Some(OWN.into()), ..UpsdConf::default() };
        assert!(offered(&of(&named), "::1"));
        let never = UpsdConf { start_tls: Some(StartTls::Never), ..named };
        assert!(!offered(&of(&never), "192.0.2.7"));
        assert_eq!(hints, [""; 0]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_certificates_of_clients_do_not_protect_is_said() {
        let folder = folder("clients");
        let own = TlsIdentity::kept(&folder.join(OWN), &names()).map(drop);
        own.unwrap();
        for (request, part) in [
            (CertificateRequest::No, None),
            (CertificateRequest::Request, Some("asks clients")),
            (CertificateRequest::Require, Some("refuses TLS")),
        ] {
            let conf = UpsdConf {
                certificate_request: Some(request),
                certificate_path: Some(OWN.into()),
                ..UpsdConf::default()
            };
            let mut hints = vec![];
            Encryption::of(&conf, &folder, &folder, false, &mut hints).unwrap();
            assert_eq!(hints.len(), usize::from(part.is_some()), "{hints:?}");
            let says = |part: &str| hints[0].contains(part) && hints[0].contains("still speak in the clear");
            assert!(part.is_none_or(says), "{hints:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_named_certificate_that_cannot_be_used_is_an_error_and_none_of_its_own_only_costs_tls() {
        let folder = folder("wrong");
        std::fs::write(folder.join("empty.pem"), "nothing\n").unwrap();
        for (file, part) in [("no.pem", "cannot read"), ("empty.pem", "no certificate")] {
            let conf = UpsdConf { certificate_file: Some(file.into()), ..UpsdConf::default() };
            let why = Encryption::of(&conf, &folder, &folder, false, &mut vec![]).unwrap_err();
            assert!(why.contains(part) && why.contains(file), "{why}");
        }
        let mut hints = vec![];
        let none = Encryption::of(&UpsdConf::default(), &folder, Path::new("/proc/self"), false, &mut hints)
            .unwrap();
        assert!(none.config.is_none() && hints[0].contains("no TLS"), "{hints:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
