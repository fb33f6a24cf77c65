//! `upsd.conf` (NUT 2.8.0 server/conf.c; ALLOW_NOT_ALL_LISTENERS and the words of CERTREQUEST from
//! newer NUT).
//!
//! What upsd uses is used, and what it passes over with a warning or in silence is passed over here
//! as well, as a [`UpsdConfRemark`]. What it cannot use is [`UpsdConfError`]: there upsd logs an error and goes on
//! without the line. Where a directive occurs twice the later counts, but for LISTEN, as in upsd.

use crate::network::PORT;
use crate::words::{WordError, lines};
use std::fmt;

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
    pub wrong: Vec<UpsdConfError>,
    /// The lines that have no effect, or another one than they seem to.
    pub remarks: Vec<UpsdConfRemark>,
}

/// `LISTEN address [port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub address: ListenAddress,
    /// The port; 3493 when none is given.
    pub port: u16,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
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

impl fmt::Debug for CertificateIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
pub struct UpsdConfError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: UpsdConfFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsdConfFault {
    /// It has no proper words.
    Words(WordError),
    /// The directive stands alone.
    NoValue(Directive),
    /// The value is no whole number from the least on.
    NoNumber {
        /// The directive.
        directive: Directive,
        /// What stands there.
        value: String,
        /// The least that it can be.
        least: u32,
    },
    /// The value is neither yes nor no.
    NoSwitch(Directive, String),
    /// The value is none of the words that the directive knows.
    NoChoice(Directive, String),
    /// LISTEN has a port that is none.
    NoPort(String),
    /// CERTIDENT without a password.
    NoPassword,
}

/// A line that is accepted and has no effect, or another one than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsdConfRemark {
    /// Its number, from 1.
    pub line: usize,
    /// What is to be said about it.
    pub matter: UpsdConfMatter,
}

/// What is to be said about a line that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsdConfMatter {
    /// The directive has no effect any more: ACCEPT, REJECT, ACL.
    Former(String),
    /// There is no such directive. Of one that is written with other capitals, the right one.
    Unknown(String, Option<Directive>),
    /// Only the number at the beginning of the value is taken.
    Partial(Directive, String),
    /// What follows the value has no effect.
    More(Directive),
}

impl fmt::Display for UpsdConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for UpsdConfRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.matter)
    }
}

impl fmt::Display for UpsdConfFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsdConfFault::Words(error) => write!(f, "{error}"),
            UpsdConfFault::NoValue(directive) => {
                write!(f, "{directive} has no value: write {directive} {}", directive.form())
            }
            UpsdConfFault::NoNumber { directive, value, least } => {
                write!(f, "{directive} cannot be '{value}': write a whole number of at least {least}")
            }
            UpsdConfFault::NoSwitch(directive, value) => {
                write!(f, "{directive} cannot be '{value}': write yes or no")
            }
            UpsdConfFault::NoChoice(directive, value) => {
                write!(f, "{directive} cannot be '{value}': write {}", directive.form())
            }
            UpsdConfFault::NoPort(value) => {
                write!(f, "'{value}' is no port to listen on: write a number from 1 to 65535")
            }
            UpsdConfFault::NoPassword => f.write_str(
                "CERTIDENT has no password: write CERTIDENT \"name\" \"password\", with \"\" for none",
            ),
        }
    }
}

impl fmt::Display for UpsdConfMatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsdConfMatter::Former(word) => {
                write!(f, "{word} has no effect since NUT 2.4: say with LISTEN which addresses are served")
            }
            UpsdConfMatter::Unknown(word, None) => {
                write!(f, "'{word}' is no directive of upsd.conf: remove the line, or correct the word")
            }
            UpsdConfMatter::Unknown(word, Some(directive)) => {
                write!(f, "'{word}' has no effect: write {directive} in capitals")
            }
            UpsdConfMatter::Partial(directive, value) => {
                write!(f, "of {directive} '{value}' only the number counts: remove what follows it")
            }
            UpsdConfMatter::More(directive) => {
                write!(f, "what follows the value of {directive} has no effect: remove it")
            }
        }
    }
}

/// What stands first in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the word itself; the fields of UpsdConf say what it means")]
pub enum Directive {
    Listen,
    MaxAge,
    MaxConn,
    TrackingDelay,
    AllowNoDevice,
    AllowNotAllListeners,
    StatePath,
    DataPath,
    CertFile,
    CertPath,
    CertIdent,
    CertRequest,
    DisableWeakSsl,
    DebugMin,
    LoginToRead,
    ClientInactivityDelay,
    StartTls,
}

/// Each with its word and what follows it.
const DIRECTIVES: [(Directive, &str, &str); 17] = [
    (Directive::Listen, "LISTEN", "and an address, or * for all, and a port if it is not 3493"),
    (Directive::MaxAge, "MAXAGE", "and a number of seconds"),
    (Directive::MaxConn, "MAXCONN", "and a number of connections"),
    (Directive::TrackingDelay, "TRACKINGDELAY", "and a number of seconds"),
    (Directive::AllowNoDevice, "ALLOW_NO_DEVICE", "yes or no"),
    (Directive::AllowNotAllListeners, "ALLOW_NOT_ALL_LISTENERS", "yes or no"),
    (Directive::StatePath, "STATEPATH", "and a folder"),
    (Directive::DataPath, "DATAPATH", "and a folder"),
    (Directive::CertFile, "CERTFILE", "and a file"),
    (Directive::CertPath, "CERTPATH", "and a folder or file"),
    (Directive::CertIdent, "CERTIDENT", "and the name and the password of a certificate"),
    (Directive::CertRequest, "CERTREQUEST", "0 (NO), 1 (REQUEST) or 2 (REQUIRE)"),
    (Directive::DisableWeakSsl, "DISABLE_WEAK_SSL", "yes or no"),
    (Directive::DebugMin, "DEBUG_MIN", "and a number from 0 on"),
    (Directive::LoginToRead, "LOGIN_TO_READ", "yes or no"),
    (Directive::ClientInactivityDelay, "CLIENT_INACTIVITY_DELAY", "and a number of seconds"),
    (Directive::StartTls, "STARTTLS", "auto, always or never"),
];

impl Directive {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = Directive> {
        DIRECTIVES.iter().map(|(directive, ..)| *directive)
    }

    /// The word.
    pub fn word(self) -> &'static str {
        DIRECTIVES.iter().find(|(directive, ..)| *directive == self).map_or("", |(_, word, _)| word)
    }

    fn form(self) -> &'static str {
        DIRECTIVES.iter().find(|(directive, ..)| *directive == self).map_or("", |(.., form)| form)
    }

    /// The directive of this word: capitals matter, but in DEBUG_MIN, as in upsd.
    fn of(word: &str) -> Option<Directive> {
        Directive::all().find(|directive| {
            directive.word() == word
                || (*directive == Directive::DebugMin && word.eq_ignore_ascii_case(directive.word()))
        })
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsdConf {
    let mut conf = UpsdConf::default();
    for line in lines(text) {
        let taken = line.words.map_err(UpsdConfFault::Words).and_then(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            conf.take(line.number, &words)
        });
        if let Err(fault) = taken {
            conf.wrong.push(UpsdConfError { line: line.number, fault });
        }
    }
    conf
}

impl UpsdConf {
    fn take(&mut self, line: usize, words: &[&str]) -> Result<(), UpsdConfFault> {
        let Some((word, values)) = words.split_first() else { return Ok(()) };
        let Some(directive) = Directive::of(word) else {
            self.remark(line, unknown(word));
            return Ok(());
        };
        let [value, more @ ..] = values else { return Err(UpsdConfFault::NoValue(directive)) };
        let taken = match directive {
            Directive::Listen | Directive::CertIdent => 2,
            _ => 1,
        };
        if values.len() > taken {
            self.remark(line, UpsdConfMatter::More(directive));
        }
        let text = || Some((*value).to_string());
        match directive {
            Directive::Listen => self.listen.push(listen(value, more.first().copied(), line)?),
            Directive::MaxAge => self.max_age_s = Some(self.number(line, directive, value, 0)?),
            Directive::MaxConn => self.max_connections = Some(self.number(line, directive, value, 1)?),
            Directive::TrackingDelay => {
                self.tracking_delay_s = Some(self.number(line, directive, value, 0)?);
            }
            Directive::AllowNoDevice => self.allow_no_device = Some(switch(directive, value)?),
            Directive::AllowNotAllListeners => {
                self.allow_not_all_listeners = Some(switch(directive, value)?);
            }
            Directive::StatePath => self.state_path = text(),
            Directive::DataPath => self.data_path = text(),
            Directive::CertFile => self.certificate_file = text(),
            Directive::CertPath => self.certificate_path = text(),
            Directive::CertIdent => {
                let password = more.first().ok_or(UpsdConfFault::NoPassword)?;
                let identity = CertificateIdentity { name: (*value).into(), password: (*password).into() };
                self.certificate_identity = Some(identity);
            }
            Directive::CertRequest => self.certificate_request = Some(certificate_request(value)?),
            Directive::DisableWeakSsl => self.disable_weak_ssl = Some(switch(directive, value)?),
            Directive::DebugMin => self.debug_min = Some(self.number(line, directive, value, 0)?),
            Directive::LoginToRead => self.login_to_read = Some(switch(directive, value)?),
            Directive::ClientInactivityDelay => {
                self.client_inactivity_delay_s = Some(self.number(line, directive, value, 1)?);
            }
            Directive::StartTls => self.start_tls = Some(start_tls(value)?),
        }
        Ok(())
    }

    fn remark(&mut self, line: usize, matter: UpsdConfMatter) {
        self.remarks.push(UpsdConfRemark { line, matter });
    }

    /// A number, as upsd reads it: what follows the digits is passed over. DEBUG_MIN alone has to be
    /// one as a whole.
    fn number(
        &mut self,
        line: usize,
        directive: Directive,
        value: &str,
        least: u32,
    ) -> Result<u32, UpsdConfFault> {
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits == value.len();
        let number = value.get(..digits).and_then(|digits| digits.parse().ok());
        let number = number.filter(|number| *number >= least && (whole || directive != Directive::DebugMin));
        let wrong = || UpsdConfFault::NoNumber { directive, value: value.into(), least };
        if number.is_some() && !whole {
            self.remark(line, UpsdConfMatter::Partial(directive, value.into()));
        }
        number.ok_or_else(wrong)
    }
}

fn unknown(word: &str) -> UpsdConfMatter {
    if matches!(word, "ACCEPT" | "REJECT" | "ACL") {
        return UpsdConfMatter::Former(word.into());
    }
    let meant = Directive::all().find(|directive| directive.word().eq_ignore_ascii_case(word));
    UpsdConfMatter::Unknown(word.into(), meant)
}

fn listen(address: &str, port: Option<&str>, line: usize) -> Result<Listen, UpsdConfFault> {
    let port = match port {
        None => PORT,
        // the name that /etc/services has for it
        Some(name) if name.eq_ignore_ascii_case("nut") => PORT,
        Some(port) => {
            let number = port.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| UpsdConfFault::NoPort(port.into()))?
        }
    };
    let address = if address == "*" { ListenAddress::Any } else { ListenAddress::Host(address.into()) };
    Ok(Listen { address, port, line })
}

/// Of true, on, yes and 1, false, off, no and 0 in any case; a number is yes unless it is 0.
fn switch(directive: Directive, value: &str) -> Result<bool, UpsdConfFault> {
    let any = |words: [&str; 3]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let counts = value == "0" || value == "1" || directive != Directive::DisableWeakSsl;
    if digits > 0 && counts {
        Ok(value.bytes().take(digits).any(|digit| digit != b'0'))
    } else if any(["true", "on", "yes"]) {
        Ok(true)
    } else if any(["false", "off", "no"]) {
        Ok(false)
    } else {
        Err(UpsdConfFault::NoSwitch(directive, value.into()))
    }
}

fn certificate_request(value: &str) -> Result<CertificateRequest, UpsdConfFault> {
    match value {
        "0" | "NO" => Ok(CertificateRequest::No),
        "1" | "REQUEST" => Ok(CertificateRequest::Request),
        "2" | "REQUIRE" => Ok(CertificateRequest::Require),
        _ => Err(UpsdConfFault::NoChoice(Directive::CertRequest, value.into())),
    }
}

fn start_tls(value: &str) -> Result<StartTls, UpsdConfFault> {
    let word = |word: &str| value.eq_ignore_ascii_case(word);
    match value {
        _ if word("auto") => Ok(StartTls::Auto),
        _ if word("always") => Ok(StartTls::Always),
        _ if word("never") => Ok(StartTls::Never),
        _ => Err(UpsdConfFault::NoChoice(Directive::StartTls, value.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_read() {
        let text = b"# upsd.conf\nMAXAGE 25\nSTATEPATH /run/nut\nLISTEN 127.0.0.1 3493\nLISTEN ::1\n\
            LISTEN *\nLISTEN my.host nut\nMAXCONN 1024\nTRACKINGDELAY 600\nALLOW_NO_DEVICE true\n\
            ALLOW_NOT_ALL_LISTENERS 1\nCERTFILE /etc/nut/upsd.pem\nCERTPATH \"/etc/nut/my certs\"\n\
            CERTIDENT \"my server\" secret\nCERTREQUEST 2\nDISABLE_WEAK_SSL on\ndebug_min 3\n\
            DATAPATH /usr/share/nut\nLOGIN_TO_READ yes\nCLIENT_INACTIVITY_DELAY 120\nSTARTTLS never\n";
        let conf = parse(text);
        let host = |name: &str, line| Listen { address: ListenAddress::Host(name.into()), port: 3493, line };
        let listen = [
            host("127.0.0.1", 4),
            host("::1", 5),
            Listen { address: ListenAddress::Any, port: 3493, line: 6 },
            host("my.host", 7),
        ];
        let identity = CertificateIdentity { name: "my server".into(), password: "secret".into() };
        assert!(!format!("{identity:?}").contains("secret"));
        let expected = UpsdConf {
            listen: listen.into(),
            max_age_s: Some(25),
            max_connections: Some(1024),
            tracking_delay_s: Some(600),
            allow_no_device: Some(true),
            allow_not_all_listeners: Some(true),
            state_path: Some("/run/nut".into()),
            data_path: Some("/usr/share/nut".into()),
            certificate_file: Some("/etc/nut/upsd.pem".into()),
            certificate_path: Some("/etc/nut/my certs".into()),
            certificate_identity: Some(identity),
            certificate_request: Some(CertificateRequest::Require),
            disable_weak_ssl: Some(true),
            debug_min: Some(3),
            login_to_read: Some(true),
            client_inactivity_delay_s: Some(120),
            start_tls: Some(StartTls::Never),
            wrong: vec![],
            remarks: vec![],
        };
        assert_eq!(conf, expected);
    }

    /// Everything at once, each with its line and what to do.
    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text = b"MAXAGE abc\nMAXAGE\nMAXCONN 0\nLISTEN a 0\nLISTEN a 70000\nLISTEN a xyz\n\
            ALLOW_NO_DEVICE maybe\nCERTREQUEST 3\nCERTIDENT a\nSTATEPATH \"/a#b\"\nMAXAGE 99999999999\n\
            DEBUG_MIN -1\nDEBUG_MIN 3x\nDISABLE_WEAK_SSL 2\nSTARTTLS maybe\n";
        let conf = parse(text);
        let said: Vec<String> = conf.wrong.iter().map(ToString::to_string).collect();
        let expected = [
            "line 1: MAXAGE cannot be 'abc': write a whole number of at least 0",
            "line 2: MAXAGE has no value: write MAXAGE and a number of seconds",
            "line 3: MAXCONN cannot be '0': write a whole number of at least 1",
            "line 4: '0' is no port to listen on: write a number from 1 to 65535",
            "line 5: '70000' is no port to listen on: write a number from 1 to 65535",
            "line 6: 'xyz' is no port to listen on: write a number from 1 to 65535",
            "line 7: ALLOW_NO_DEVICE cannot be 'maybe': write yes or no",
            "line 8: CERTREQUEST cannot be '3': write 0 (NO), 1 (REQUEST) or 2 (REQUIRE)",
            "line 9: CERTIDENT has no password: write CERTIDENT \"name\" \"password\", with \"\" for none",
            "line 10: a # inside of quotes: close the quotes before it, or write \\#",
            "line 11: MAXAGE cannot be '99999999999': write a whole number of at least 0",
            "line 12: DEBUG_MIN cannot be '-1': write a whole number of at least 0",
            "line 13: DEBUG_MIN cannot be '3x': write a whole number of at least 0",
            "line 14: DISABLE_WEAK_SSL cannot be '2': write yes or no",
            "line 15: STARTTLS cannot be 'maybe': write auto, always or never",
        ];
        assert_eq!(said, expected);
        assert_eq!(conf.remarks, []);
    }

    /// NUT 2.8.0 server/conf.c: digits count, what follows a value is passed over, and what is no
    /// directive is only warned about.
    #[test]
    fn what_upsd_accepts_is_accepted() {
        let text = b"MAXAGE 15s\nMAXAGE 20 30\nlisten 0.0.0.0\nACL all 0.0.0.0/0\nACCEPT all\nFROB\n\
            ALLOW_NO_DEVICE 7\nALLOW_NO_DEVICE OFF\nLISTEN a 1 2\n";
        let conf = parse(text);
        assert_eq!((conf.max_age_s, conf.allow_no_device), (Some(20), Some(false)));
        assert_eq!(conf.wrong, []);
        assert_eq!(conf.listen.len(), 1);
        let said: Vec<String> = conf.remarks.iter().map(ToString::to_string).collect();
        let expected = [
            "line 1: of MAXAGE '15s' only the number counts: remove what follows it",
            "line 2: what follows the value of MAXAGE has no effect: remove it",
            "line 3: 'listen' has no effect: write LISTEN in capitals",
            "line 4: ACL has no effect since NUT 2.4: say with LISTEN which addresses are served",
            "line 5: ACCEPT has no effect since NUT 2.4: say with LISTEN which addresses are served",
            "line 6: 'FROB' is no directive of upsd.conf: remove the line, or correct the word",
            "line 9: what follows the value of LISTEN has no effect: remove it",
        ];
        assert_eq!(said, expected);
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn anything_like_a_file_is_read(words in prop::collection::vec((0usize..17, "[ -~]{0,9}"), 0..9)) {
            let text: String =
                words.iter().map(|(at, rest)| format!("{} {rest}\n", DIRECTIVES[*at].1)).collect();
            let conf = parse(text.as_bytes());
            for wrong in conf.wrong {
                prop_assert!(wrong.line <= words.len());
            }
        }
    }
}
