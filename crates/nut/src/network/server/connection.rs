//! One client, as a state machine (NUT 2.8.0 server/upsd.c, netuser.c, netmisc.c and netssl.c).

use super::answer::{Halt, is, line};
use super::site::{Client, Note, Permission, Right, Site, UpsId};
use super::{change, read};
use crate::network::{ErrorWord, PROTOCOL_VERSION};
use crate::words::{MOST_WORDS, Splitter, WordError};
use std::fmt;

/// Once this many bytes of answers wait, [`Connection::take`] stops and says [`ConnectionEvent::Full`].
pub const FULL: usize = 16 * 1024;

/// Whether STARTTLS is to be had on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsOffer {
    /// Never: FEATURE-NOT-SUPPORTED.
    None,
    /// Not without a certificate, or not on this listener: FEATURE-NOT-CONFIGURED.
    NotConfigured,
    /// Yes.
    Ready,
}

/// What the caller has to do now. Answers that are in the buffer go out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// Begin TLS as the server. What was not consumed is the beginning of its handshake. When it
    /// stands, call [`Connection::encrypted`]; when it fails, close.
    StartTls,
    /// Close the connection. Further bytes are not read.
    Close,
    /// The [`Site`] said [`Permission::Later`]: call [`Connection::go_on`] when it knows more. Bytes are
    /// not consumed until then.
    Waiting,
    /// [`FULL`] bytes wait in the buffer: send some before the rest is offered again.
    Full,
}

/// What [`Connection::take`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many of the bytes were consumed. The rest is to be offered again, once the event is dealt
    /// with.
    pub consumed: usize,
    /// How many requests were answered. Only these are a sign of life (upsd drops a client that made
    /// none for 60 s).
    pub requests: usize,
    /// What the caller has to do now; without one all bytes were consumed.
    pub event: Option<ConnectionEvent>,
}

/// The connection of one client. It holds at most 16 kB of an unfinished line.
pub struct Connection {
    client: Client,
    tls: TlsOffer,
    login: Option<UpsId>,
    tracking: bool,
    line: Splitter,
    standing: Standing,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // not its line, in which a password may stand
        f.debug_struct("Connection")
            .field("client", &self.client)
            .field("login", &self.login)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Whether bytes are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Reading,
    /// The line is a request that waits for a verdict.
    Waiting,
    /// TLS is to begin.
    Securing,
    Closed,
}

impl Connection {
    /// A new connection from that address (without port), unencrypted.
    pub fn new(address: &str, tls: TlsOffer) -> Connection {
        let client = Client {
            address: address.into(),
            username: None,
            password: None,
            encrypted: false,
            certified: false,
        };
        let line = Splitter::default();
        Connection { client, tls, login: None, tracking: false, line, standing: Standing::Reading }
    }

    /// Takes bytes from the client, and appends the answers to `out`: all of them before the caller
    /// needs to write once. Ends early for an [`ConnectionEvent`].
    pub fn take(&mut self, bytes: &[u8], site: &mut dyn Site, out: &mut Vec<u8>) -> Taken {
        let mut taken = Taken { consumed: 0, requests: 0, event: self.halted(out) };
        for byte in bytes {
            if taken.event.is_some() {
                break;
            }
            taken.consumed += 1;
            if self.line.take(*byte) {
                taken.event = self.answer_line(site, out);
                taken.requests += usize::from(taken.event != Some(ConnectionEvent::Waiting));
                if taken.consumed < bytes.len() {
                    taken.event = taken.event.or_else(|| self.halted(out));
                }
            }
        }
        taken
    }

    /// Tries the request again that waits for a [`Permission`]. When that does not end in
    /// [`ConnectionEvent::Waiting`], it is answered, and bytes are taken again.
    pub fn go_on(&mut self, site: &mut dyn Site, out: &mut Vec<u8>) -> Option<ConnectionEvent> {
        match self.standing {
            Standing::Waiting => self.answer_line(site, out),
            _ => self.halted(out),
        }
    }

    /// TLS stands; `certified` when the peer has a certificate that the server accepts.
    pub fn encrypted(&mut self, certified: bool) {
        self.client.encrypted = true;
        self.client.certified = certified;
        if self.standing == Standing::Securing {
            self.standing = Standing::Reading;
        }
    }

    /// The UPS this client is logged in to. When the connection ends, the login ends with it; when the
    /// UPS goes, upsd closes the connection.
    pub fn logged_in(&self) -> Option<UpsId> {
        self.login
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Why no bytes are taken now.
    fn halted(&self, out: &[u8]) -> Option<ConnectionEvent> {
        match self.standing {
            Standing::Reading => (out.len() >= FULL).then_some(ConnectionEvent::Full),
            Standing::Waiting => Some(ConnectionEvent::Waiting),
            Standing::Securing => Some(ConnectionEvent::StartTls),
            Standing::Closed => Some(ConnectionEvent::Close),
        }
    }

    /// Answers the line that is there, and forgets it unless it has to wait.
    fn answer_line(&mut self, site: &mut dyn Site, out: &mut Vec<u8>) -> Option<ConnectionEvent> {
        let mut text = std::mem::take(&mut self.line);
        self.standing = Standing::Reading;
        let mut words = [""; MOST_WORDS];
        let count = words.iter_mut().zip(text.words()).map(|(place, word)| *place = word).count();
        let done = match text.wrong() {
            // upsd cuts a long word, and answers no line that it cannot read
            Some(WordError::LongWord | WordError::HashInQuotes) => {
                site.note(&self.client, Note::BadLine);
                Err(ErrorWord::InvalidArgument.into())
            }
            _ => self.answer(words.get(..count).unwrap_or_default(), site, out),
        };
        match done {
            Ok(()) => {}
            Err(Halt::Error(word)) => line(out, &["ERR ", word.text()]),
            Err(Halt::Later) => self.standing = Standing::Waiting,
        }
        if self.standing != Standing::Waiting {
            text.clear();
        }
        self.line = text;
        match self.standing {
            Standing::Reading => None,
            _ => self.halted(out),
        }
    }

    fn answer(&mut self, words: &[&str], site: &mut dyn Site, out: &mut Vec<u8>) -> Result<(), Halt> {
        let (verb, arguments) = words.split_first().ok_or(ErrorWord::UnknownCommand)?;
        let verb = Verb::of(verb).ok_or(ErrorWord::UnknownCommand)?;
        self.authenticate(verb, site)?;
        match verb {
            Verb::Get => read::get(arguments, &self.client, self.tracking, site, out),
            Verb::List => read::list(arguments, &self.client, site, out),
            Verb::Set => change::set(arguments, &self.client, &mut self.tracking, site, out),
            Verb::InstCmd => change::instcmd(arguments, &self.client, self.tracking, site, out),
            Verb::Fsd => change::fsd(arguments, &self.client, site, out),
            Verb::Username => self.username(arguments, site, out),
            Verb::Password => self.password(arguments, site, out),
            Verb::Login => self.log_in(arguments, site, out),
            Verb::Primary => self.primary(arguments, site, out, "OK PRIMARY-GRANTED"),
            Verb::Master => self.primary(arguments, site, out, "OK MASTER-GRANTED"),
            Verb::StartTls => self.start_tls(out),
            Verb::Logout | Verb::Ver | Verb::NetVer | Verb::Help if !arguments.is_empty() => {
                Err(ErrorWord::InvalidArgument.into())
            }
            Verb::Logout => {
                site.note(&self.client, Note::LoggedOut(self.login));
                line(out, &["OK Goodbye"]);
                self.standing = Standing::Closed;
                Ok(())
            }
            Verb::Ver => {
                line(out, &[&site.identity().info]);
                Ok(())
            }
            Verb::NetVer => {
                line(out, &[PROTOCOL_VERSION]);
                Ok(())
            }
            Verb::Help => {
                line(out, &[HELP]);
                Ok(())
            }
        }
    }

    /// Whether the client said who it is, where it has to.
    fn authenticate(&self, verb: Verb, site: &mut dyn Site) -> Result<(), Halt> {
        let reads = matches!(verb, Verb::Get | Verb::List) && site.reading_needs_user();
        if !reads && !verb.needs_user() {
            return Ok(());
        }
        if self.client.username.is_none() {
            return Err(ErrorWord::UsernameRequired.into());
        }
        if self.client.password.is_none() {
            return Err(ErrorWord::PasswordRequired.into());
        }
        if reads { may(site, &self.client, Right::Read, None) } else { Ok(()) }
    }

    fn username(&mut self, arguments: &[&str], site: &mut dyn Site, out: &mut Vec<u8>) -> Result<(), Halt> {
        let [name] = arguments else { return Err(ErrorWord::InvalidArgument.into()) };
        if self.client.username.is_some() {
            site.note(&self.client, Note::UsernameTwice);
            return Err(ErrorWord::AlreadySetUsername.into());
        }
        self.client.username = Some((*name).into());
        line(out, &["OK"]);
        Ok(())
    }

    fn password(&mut self, arguments: &[&str], site: &mut dyn Site, out: &mut Vec<u8>) -> Result<(), Halt> {
        let [password] = arguments else { return Err(ErrorWord::InvalidArgument.into()) };
        if self.client.password.is_some() {
            site.note(&self.client, Note::PasswordTwice);
            return Err(ErrorWord::AlreadySetPassword.into());
        }
        self.client.password = Some((*password).into());
        line(out, &["OK"]);
        Ok(())
    }

    fn log_in(&mut self, arguments: &[&str], site: &mut dyn Site, out: &mut Vec<u8>) -> Result<(), Halt> {
        let [ups] = arguments else { return Err(ErrorWord::InvalidArgument.into()) };
        if self.login.is_some() {
            site.note(&self.client, Note::LoginTwice);
            return Err(ErrorWord::AlreadyLoggedIn.into());
        }
        let ups = site.find(&self.client, ups).ok_or(ErrorWord::UnknownUps)?;
        may(site, &self.client, Right::Login, Some(ups))?;
        site.log_in(&self.client, ups);
        self.login = Some(ups);
        line(out, &["OK"]);
        Ok(())
    }

    fn primary(
        &self,
        arguments: &[&str],
        site: &mut dyn Site,
        out: &mut Vec<u8>,
        granted: &str,
    ) -> Result<(), Halt> {
        let [ups] = arguments else { return Err(ErrorWord::InvalidArgument.into()) };
        let ups = site.find(&self.client, ups).ok_or(ErrorWord::UnknownUps)?;
        may(site, &self.client, Right::Primary, Some(ups))?;
        line(out, &[granted]);
        Ok(())
    }

    fn start_tls(&mut self, out: &mut Vec<u8>) -> Result<(), Halt> {
        if self.client.encrypted {
            return Err(ErrorWord::AlreadySslMode.into());
        }
        match self.tls {
            TlsOffer::None => Err(ErrorWord::FeatureNotSupported.into()),
            TlsOffer::NotConfigured => Err(ErrorWord::FeatureNotConfigured.into()),
            TlsOffer::Ready => {
                line(out, &["OK STARTTLS"]);
                self.standing = Standing::Securing;
                Ok(())
            }
        }
    }
}

/// Asks for a right.
pub(super) fn may(
    site: &mut dyn Site,
    client: &Client,
    right: Right<'_>,
    ups: Option<UpsId>,
) -> Result<(), Halt> {
    match site.may(client, right, ups) {
        Permission::Granted => Ok(()),
        Permission::Later => Err(Halt::Later),
        Permission::Denied => {
            site.note(client, Note::Denied(right));
            Err(ErrorWord::AccessDenied.into())
        }
    }
}

/// The answer to HELP of newer NUT, which names PROTVER, with what it leaves out (RFC 9271, HELP).
const HELP: &str =
    "Commands: HELP VER PROTVER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD PRIMARY FSD STARTTLS";

/// The first word of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Ver,
    NetVer,
    Help,
    StartTls,
    Get,
    List,
    Username,
    Password,
    Login,
    Logout,
    Primary,
    Master,
    Fsd,
    Set,
    InstCmd,
}

impl Verb {
    fn of(word: &str) -> Option<Verb> {
        // what is asked most comes first
        const VERBS: [(&str, Verb); 16] = [
            ("GET", Verb::Get),
            ("LIST", Verb::List),
            ("VER", Verb::Ver),
            ("NETVER", Verb::NetVer),
            ("PROTVER", Verb::NetVer),
            ("HELP", Verb::Help),
            ("STARTTLS", Verb::StartTls),
            ("USERNAME", Verb::Username),
            ("PASSWORD", Verb::Password),
            ("LOGIN", Verb::Login),
            ("LOGOUT", Verb::Logout),
            ("PRIMARY", Verb::Primary),
            ("MASTER", Verb::Master),
            ("FSD", Verb::Fsd),
            ("SET", Verb::Set),
            ("INSTCMD", Verb::InstCmd),
        ];
        VERBS.iter().find(|(text, _)| is(word, text)).map(|(_, verb)| *verb)
    }

    /// NUT 2.8.0 server/netcmds.h.
    fn needs_user(self) -> bool {
        use Verb::{Fsd, InstCmd, Login, Master, Primary, Set};
        matches!(self, Login | Primary | Master | Fsd | Set | InstCmd)
    }
}
