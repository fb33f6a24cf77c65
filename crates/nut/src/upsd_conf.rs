//! `upsd.conf` (NUT 2.8.0 server/conf.c; ALLOW_NOT_ALL_LISTENERS and more of newer NUT).

use crate::words::WordError;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsdConf {
    /// LISTEN, in order. None: both loopback addresses.
    pub listen: Vec<Listen>,
    /// MAXAGE: after how many seconds of silence data is stale. upsd: 15.
    pub max_age_s: Option<u32>,
    /// MAXCONN: most connections. upsd: as many files as the process may open.
    pub max_connections: Option<u32>,
    /// TRACKINGDELAY: for how many seconds outcomes are kept. upsd: 3600.
    pub tracking_delay_s: Option<u32>,
    /// ALLOW_NO_DEVICE: whether to start without any UPS in ups.conf. upsd: no.
    pub allow_no_device: Option<bool>,
    /// ALLOW_NOT_ALL_LISTENERS: whether to start when an address cannot be listened on (newer NUT).
    pub allow_not_all_listeners: Option<bool>,
    /// STATEPATH: the folder of the drivers' sockets.
    pub state_path: Option<String>,
    /// DATAPATH: the folder of cmdvartab.
    pub data_path: Option<String>,
    /// CERTFILE: certificate and key in one PEM file.
    pub certificate_file: Option<String>,
    /// CERTPATH: the database of certificates (NSS), or the folder of those of clients (newer NUT).
    pub certificate_path: Option<String>,
    /// CERTIDENT: which certificate of that database, and its password.
    pub certificate_identity: Option<CertificateIdentity>,
    /// CERTREQUEST.
    pub certificate_request: Option<CertificateRequest>,
    /// DISABLE_WEAK_SSL: whether only TLS 1.2 and later is spoken.
    pub disable_weak_ssl: Option<bool>,
    /// DEBUG_MIN: the least debug level.
    pub debug_min: Option<u32>,
    /// Ours: LOGIN_TO_READ, whether GET and LIST need a user.
    pub login_to_read: Option<bool>,
    /// Ours: CLIENT_INACTIVITY_DELAY, after how many seconds without a request a client is dropped.
    /// upsd: 60.
    pub client_inactivity_delay_s: Option<u32>,
    /// Ours: STARTTLS, on which listeners TLS is offered.
    pub start_tls: Option<StartTls>,
    /// The lines that cannot be used, all of them.
    pub wrong: Vec<Wrong>,
    /// The lines that have no effect, or another one than they seem to.
    pub remarks: Vec<Remark>,
}

/// `LISTEN address [port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub address: Address,
    /// The port; 3493 when none is given.
    pub port: u16,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `*`: every address of both families.
    Any,
    /// An address or a name, which the system resolves.
    Host(String),
}

/// `CERTIDENT name password`. Its text for debugging has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateIdentity {
    /// The name of the certificate.
    pub name: String,
    /// What opens the database.
    pub password: String,
}

impl std::fmt::Debug for CertificateIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateIdentity").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether clients need a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRequest {
    /// 0: none is asked for.
    No,
    /// 1: one is asked for; a client may go without.
    Request,
    /// 2: a client needs one that the server accepts.
    Require,
}

/// On which listeners STARTTLS is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// `auto`: on those beyond loopback, and everywhere when a certificate is named.
    Auto,
    /// `always`.
    Always,
    /// `never`.
    Never,
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no proper words.
    Words(WordError),
    /// upsd knows no such directive: it warns and goes on.
    UnknownDirective(String),
}

/// A line that is accepted and has no effect, or another one than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its number, from 1.
    pub line: usize,
    /// What is to be said about it.
    pub matter: Matter,
}

/// What is to be said about a line that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// The directive has no effect any more: ACCEPT, REJECT, ACL.
    Former(String),
}

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsdConf {
    let _ = text;
    UpsdConf::default()
}
