//! Both ends shake hands in memory: who is served, and who is not.

#![allow(clippy::unwrap_used)]

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};
use std::path::PathBuf;
use tls::{
    ClientCertificates, Fingerprint, TlsError, TlsIdentity, Verify, client_config, rustls, server_config,
};

fn identity(names: &[&str]) -> TlsIdentity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_string()).collect();
    TlsIdentity::from_pem(TlsIdentity::make(&names).unwrap().as_bytes()).unwrap()
}

/// A folder of its own for this test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("qxups-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether both ends come to an understanding, and a word gets through in both directions.
fn meet(
    server: &TlsIdentity,
    clients: &ClientCertificates,
    verify: &Verify,
    own: Option<&TlsIdentity>,
    name: &str,
) -> bool {
    let mut server = ServerConnection::new(server_config(server, clients).unwrap()).unwrap();
    let name = ServerName::try_from(name.to_string()).unwrap();
    let mut client = ClientConnection::new(client_config(verify, own).unwrap(), name).unwrap();
    for _ in 0..10 {
        let mut wire = vec![];
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut bytes = wire.as_slice();
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            if server.process_new_packets().is_err() {
                return false;
            }
        }
        let mut wire = vec![];
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut bytes = wire.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            if client.process_new_packets().is_err() {
                return false;
            }
        }
    }
    !client.is_handshaking() && !server.is_handshaking()
}

#[test]
fn a_client_knows_the_server_by_what_it_was_given() {
    let (server, other) = (identity(&["ups.example"]), identity(&["ups.example"]));
    let folder = Folder::new("roots");
    let pem = TlsIdentity::make(&["ups.example".into()]).unwrap();
    let (kept, known) = (folder.file("known.pem", &pem), TlsIdentity::from_pem(pem.as_bytes()).unwrap());
    let not_asked = ClientCertificates::NotAsked;
    for (server, verify, name, served) in [
        (&server, Verify::Nothing, "ups.example", true),
        (&server, Verify::Nothing, "another.example", true),
        (&server, Verify::Fingerprint(server.fingerprint().unwrap()), "another.example", true),
        (&server, Verify::Fingerprint(other.fingerprint().unwrap()), "ups.example", false),
        (&known, Verify::Roots(kept.clone()), "ups.example", true),
        (&known, Verify::Roots(folder.0.clone()), "ups.example", true),
        (&known, Verify::Roots(kept.clone()), "another.example", false),
        (&other, Verify::Roots(kept), "ups.example", false),
    ] {
        assert_eq!(meet(server, &not_asked, &verify, None, name), served, "{verify:?} {name}");
    }
}

#[test]
fn certrequest_says_which_clients_are_served() {
    let folder = Folder::new("clients");
    let pem = TlsIdentity::make(&["monitor".into()]).unwrap();
    let (path, good) = (folder.file("ca.pem", &pem), TlsIdentity::from_pem(pem.as_bytes()).unwrap());
    let (server, bad) = (identity(&["ups"]), identity(&["monitor"]));
    let (asked, required) = (ClientCertificates::Asked(path.clone()), ClientCertificates::Required(path));
    for (clients, own, served) in [
        (&ClientCertificates::NotAsked, None, true),
        (&ClientCertificates::NotAsked, Some(&bad), true),
        (&asked, None, true),
        (&asked, Some(&good), true),
        (&asked, Some(&bad), false),
        (&required, None, false),
        (&required, Some(&good), true),
        (&required, Some(&bad), false),
    ] {
        let met = meet(&server, clients, &Verify::Nothing, own, "ups");
        assert_eq!(met, served, "{clients:?} {}", own.is_some());
    }
}

#[test]
fn what_is_made_is_kept_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("kept");
    let path = folder.0.join("server.pem");
    let (first, made) = TlsIdentity::kept(&path, &["ups".into(), "192.168.1.5".into()]).unwrap();
    assert!(made);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (second, made) = TlsIdentity::kept(&path, &["ups".into()]).unwrap();
    assert_eq!((made, second.fingerprint()), (false, first.fingerprint()));
    assert!(!first.breaks_old_clients());
    // what cannot be used is never replaced: it may be the administrator's
    std::fs::write(&path, "torn").unwrap();
    assert!(matches!(TlsIdentity::kept(&path, &[]), Err(TlsError::NoCertificate)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "torn");
    let nowhere = folder.0.join("missing/server.pem");
    assert!(matches!(
        TlsIdentity::kept(&nowhere, &["ups".into()]),
        Err(TlsError::File { tried: "write", .. })
    ));
}

#[test]
fn a_file_without_its_parts_is_refused_by_name() {
    let pem = TlsIdentity::make(&["ups".into()]).unwrap();
    let key = pem.find("-----BEGIN PRIVATE KEY").unwrap();
    let (certificate, key) = pem.split_at(key);
    let other = TlsIdentity::make(&["ups".into()]).unwrap();
    let foreign = other.split_at(other.find("-----BEGIN PRIVATE KEY").unwrap()).1;
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let read = |text: String| TlsIdentity::from_pem(text.as_bytes());
    assert!(read(pem.clone()).is_ok());
    assert!(read([key, certificate].concat()).is_ok(), "in any order");
    assert!(matches!(read(String::new()), Err(TlsError::NoCertificate)));
    assert!(matches!(read(key.into()), Err(TlsError::NoCertificate)));
    assert!(matches!(read(certificate.into()), Err(TlsError::NoKey)));
    assert!(matches!(read([certificate, &encrypted].concat()), Err(TlsError::EncryptedKey)));
    assert!(matches!(read([certificate, foreign].concat()), Err(TlsError::BadKey(_))));
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = identity(&["ups"]).fingerprint().unwrap();
    let text = fingerprint.to_string();
    assert_eq!((text.len(), text.matches(':').count()), (95, 31));
    for text in [text.clone(), text.to_lowercase(), text.replace(':', ""), text.replace(':', " ")] {
        assert_eq!(Fingerprint::parse(&text).unwrap(), fingerprint);
    }
    for wrong in [&text[1..], "", "xy", &text.replace(':', "-")] {
        assert!(matches!(Fingerprint::parse(wrong), Err(TlsError::BadFingerprint(_))), "{wrong}");
    }
}

/// What lies where the certificate is drafted: a link of another user, a draft of a start that was cut off.
#[test]
fn a_kept_identity_is_written_past_what_was_planted() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let folder = Folder::new("planted");
    let (path, draft) = (folder.0.join("own.pem"), folder.0.join("own.new"));
    let victim = folder.file("victim", "precious");
    symlink(&victim, &draft).unwrap();
    let names = ["localhost".to_string()];
    assert!(TlsIdentity::kept(&path, &names).unwrap().1);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    let is_private =
        |path: &PathBuf| path.symlink_metadata().is_ok_and(|is| is.is_file() && is.mode() & 0o777 == 0o600);
    assert!(is_private(&path) && !draft.exists());
    std::fs::remove_file(&path).unwrap();
    folder.file("own.new", "half of one");
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(TlsIdentity::kept(&path, &names).unwrap().1);
    assert!(is_private(&path));
    assert!(!TlsIdentity::kept(&path, &names).unwrap().1);
}

/// Nothing is waited for, and nothing is read without an end.
#[test]
fn what_is_no_file_is_no_certificate() {
    let folder = Folder::new("nofile");
    let pipe = folder.0.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let endless = folder.0.join("endless.pem");
    std::fs::File::create(&endless).unwrap().set_len(1 << 40).unwrap();
    for path in [pipe, endless, PathBuf::from("/dev/zero"), folder.0.clone()] {
        let why = TlsIdentity::from_file(&path).unwrap_err();
        assert!(matches!(why, TlsError::File { .. }), "{why}");
        let roots = client_config(&Verify::Roots(path.clone()), None).unwrap_err();
        assert!(matches!(roots, TlsError::File { .. } | TlsError::BadRoot(_)), "{roots}");
    }
}
