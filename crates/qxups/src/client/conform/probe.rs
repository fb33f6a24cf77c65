//! A raw connection, on which every byte of the server is seen.

use super::super::access::Credentials;
use super::super::place::ServerAddress;
use super::super::trouble::{ClientTrouble, ExitStatus};
use super::check::CheckResult;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Most bytes of one answer: a server that sends more floods.
const MOST_BYTES: usize = 1 << 20;

/// How long a server is given to say something unasked.
const UNASKED: Duration = Duration::from_millis(300);
/// How many UPSes of a server are looked at.
const MOST_UPSES: usize = 16;

/// Why a check was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// There is no connection.
    Unreachable(String),
    /// The server closed the connection, or broke it.
    Closed(Vec<String>),
    /// It did not answer in time.
    Silent(Vec<String>),
    /// It sent more than a megabyte.
    Flood,
}

impl CutOff {
    /// As the verdict of a check that sent this.
    pub fn verdict(self, sent: &str) -> CheckResult {
        let (lines, what) = match self {
            CutOff::Unreachable(why) => (vec![], why),
            CutOff::Closed(lines) => (lines, "the connection is closed".into()),
            CutOff::Silent(lines) => (lines, "then no answer".into()),
            CutOff::Flood => (vec![], "more than a megabyte".into()),
        };
        let lines: Vec<String> = lines.into_iter().chain([format!("({what})")]).collect();
        CheckResult::departs(sent, &lines)
    }
}

/// A connection.
pub struct Raw {
    stream: TcpStream,
    bytes: Vec<u8>,
    timeout: Duration,
    /// Whether a carriage return at the end of a line is passed over.
    strips: bool,
}

impl Raw {
    fn open(server: &ServerAddress, timeout: Duration) -> Result<Raw, CutOff> {
        let unreachable = |error: std::io::Error| CutOff::Unreachable(error.to_string());
        let mut last = CutOff::Unreachable("the host has no address".into());
        for address in (server.host.as_str(), server.port).to_socket_addrs().map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    let _ = stream.set_write_timeout(Some(timeout));
                    return Ok(Raw { stream, bytes: vec![], timeout, strips: false });
                }
                Err(error) => last = unreachable(error),
            }
        }
        Err(last)
    }

    /// Sends bytes, in one segment.
    pub fn send(&mut self, bytes: &str) -> Result<(), CutOff> {
        self.stream.write_all(bytes.as_bytes()).map_err(|_| CutOff::Closed(vec![]))
    }

    /// The next line, without its line feed; `None` when the server closed.
    pub fn line(&mut self, wait: Duration) -> Result<Option<String>, CutOff> {
        let until = Instant::now() + wait;
        loop {
            if let Some(at) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=at).collect();
                let line = line.get(..at).unwrap_or_default();
                let stripped = line.strip_suffix(b"\r").filter(|_| self.strips);
                return Ok(Some(text(stripped.unwrap_or(line))));
            }
            if self.bytes.len() > MOST_BYTES {
                return Err(CutOff::Flood);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(CutOff::Silent(self.rest()));
            }
            let _ = self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))));
            let mut room = [0; 8192];
            match self.stream.read(&mut room) {
                Ok(0) => return Ok(None),
                Ok(count) => self.bytes.extend_from_slice(room.get(..count).unwrap_or_default()),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Ok(None),
                },
            }
        }
    }

    /// What came and is no whole line.
    pub fn rest(&mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.bytes);
        if rest.is_empty() { vec![] } else { vec![text(&rest)] }
    }

    /// All lines of the answer to a request that was sent: of a list up to its END or an ERR.
    pub fn answer(&mut self, request: &str) -> Result<Vec<String>, CutOff> {
        let is_list = request.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("LIST"));
        let mut lines: Vec<String> = vec![];
        let mut size = 0;
        loop {
            let line = match self.line(self.timeout) {
                Ok(Some(line)) => line,
                Ok(None) => {
                    lines.extend(self.rest());
                    return Err(CutOff::Closed(lines));
                }
                Err(CutOff::Silent(rest)) => {
                    lines.extend(rest);
                    return Err(CutOff::Silent(lines));
                }
                Err(flood) => return Err(flood),
            };
            size += line.len();
            if size > MOST_BYTES {
                return Err(CutOff::Flood);
            }
            let first = line.split([' ', '\r']).next().unwrap_or_default().to_string();
            lines.push(line);
            if !is_list || first == "END" || first == "ERR" {
                return Ok(lines);
            }
        }
    }

    /// Sends a line, and reads all of its answer.
    pub fn ask(&mut self, request: &str) -> Result<Vec<String>, CutOff> {
        self.send(&format!("{request}\n"))?;
        self.answer(request)
    }

    /// All lines until the server closes, and whether it did so in time.
    pub fn until_closed(&mut self) -> Result<(Vec<String>, bool), CutOff> {
        let mut lines = vec![];
        let until = Instant::now() + self.timeout;
        loop {
            match self.line(until.saturating_duration_since(Instant::now())) {
                Ok(Some(line)) => lines.push(line),
                Ok(None) => {
                    lines.extend(self.rest());
                    return Ok((lines, true));
                }
                Err(CutOff::Silent(rest)) => {
                    lines.extend(rest);
                    return Ok((lines, false));
                }
                Err(broken) => return Err(broken),
            }
        }
    }

    /// The socket, to begin TLS on.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// Bytes as text, one letter for each: what is no ASCII stays visible.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The server, and what was found there at first.
pub struct Probe {
    /// The server.
    pub server: ServerAddress,
    /// What it answers to VER.
    pub version: String,
    /// A UPS that has data.
    pub ups: Option<String>,
    /// UPSes that have none, and what LIST VAR answers.
    pub without_data: Vec<(String, Vec<String>)>,
    /// A variable of it that can be written.
    pub writable: Option<String>,
    /// As whom orders are tried.
    pub user: Option<Credentials>,
    /// How long to wait.
    pub timeout: Duration,
    /// All lines of LIST UPS, VAR, RW and CMD.
    pub lists: Vec<String>,
    /// A line of it that ends with a carriage return: then those are passed over everywhere else.
    pub carriage_return: Option<String>,
    /// What it says before it is asked.
    pub greeting: Vec<String>,
    /// Whether reading was refused until a user was named.
    pub closed_to_guests: bool,
}

impl Probe {
    /// Looks what there is.
    ///
    /// # Errors
    /// There is no server, or it says nothing.
    pub fn begin(
        server: &ServerAddress,
        timeout: Duration,
        ups: Option<&str>,
        user: Option<Credentials>,
    ) -> Result<Probe, ClientTrouble> {
        let mut probe = Probe {
            server: server.clone(),
            version: String::new(),
            ups: None,
            without_data: vec![],
            writable: None,
            user,
            timeout,
            lists: vec![],
            carriage_return: None,
            greeting: vec![],
            closed_to_guests: false,
        };
        probe.greeting = probe.unasked().map_err(|broken| nothing(server, broken))?;
        let version = probe.ask_alone("VER").map_err(|broken| nothing(server, broken))?.join(" ");
        probe.carriage_return = version.ends_with('\r').then(|| version.clone());
        probe.version = version.trim_end().to_string();
        let upses = probe.ask_alone("LIST UPS").unwrap_or_default();
        let refused = ["ERR USERNAME-REQUIRED", "ERR PASSWORD-REQUIRED", "ERR ACCESS-DENIED"];
        probe.closed_to_guests = upses.iter().any(|line| refused.iter().any(|word| line.starts_with(word)));
        let upses =
            if probe.closed_to_guests { probe.ask_alone("LIST UPS").unwrap_or_default() } else { upses };
        let names: Vec<String> = upses
            .iter()
            .filter_map(|line| line.strip_prefix("UPS ")?.split(' ').next().map(String::from))
            .collect();
        probe.lists = upses;
        for name in names.iter().filter(|name| ups.is_none_or(|wanted| wanted == *name)).take(MOST_UPSES) {
            let lines = probe.ask_alone(&format!("LIST VAR {name}")).unwrap_or_default();
            match lines.iter().any(|line| line.starts_with("VAR ")) {
                true if probe.ups.is_none() => {
                    probe.ups = Some(name.clone());
                    probe.lists.extend(lines);
                }
                true => {}
                false => probe.without_data.push((name.clone(), lines)),
            }
        }
        probe.look_closer();
        Ok(probe)
    }

    fn look_closer(&mut self) {
        let Some(ups) = self.ups.clone() else { return };
        let writable = self.ask_alone(&format!("LIST RW {ups}")).unwrap_or_default();
        self.writable =
            writable.iter().find_map(|line| line.strip_prefix("RW ")?.split(' ').nth(1).map(String::from));
        self.lists.extend(writable);
        self.lists.extend(self.ask_alone(&format!("LIST CMD {ups}")).unwrap_or_default());
    }

    fn unasked(&self) -> Result<Vec<String>, CutOff> {
        let mut raw = self.open_as_guest()?;
        match raw.line(UNASKED) {
            Err(CutOff::Silent(rest)) => Ok(rest),
            Ok(line) => Ok(vec![line.unwrap_or_else(|| "(the connection is closed)".into())]),
            Err(broken) => Err(broken),
        }
    }

    /// A new connection; as the user where reading needs one.
    pub fn open(&self) -> Result<Raw, CutOff> {
        let mut raw = self.open_as_guest()?;
        if self.closed_to_guests {
            self.log_in(&mut raw)?;
        }
        Ok(raw)
    }

    /// A new connection, on which nothing is said yet but a greeting.
    pub fn open_as_guest(&self) -> Result<Raw, CutOff> {
        let mut raw = Raw::open(&self.server, self.timeout)?;
        raw.strips = self.carriage_return.is_some();
        if !self.greeting.is_empty() {
            // what follows is judged by itself
            raw.line(self.timeout)?;
        }
        Ok(raw)
    }

    /// Names the user; what is answered.
    pub fn log_in(&self, raw: &mut Raw) -> Result<Vec<String>, CutOff> {
        let Some(user) = &self.user else { return Ok(vec![]) };
        let mut lines = raw.ask(&format!("USERNAME {}", word(&user.user)))?;
        lines.extend(raw.ask(&format!("PASSWORD {}", word(&user.password)))?);
        Ok(lines)
    }

    /// One request on a connection of its own.
    pub fn ask_alone(&self, request: &str) -> Result<Vec<String>, CutOff> {
        let mut raw = self.open()?;
        let lines = raw.ask(request)?;
        let _ = raw.send("LOGOUT\n");
        Ok(lines)
    }

    /// A template with the names of this server.
    pub fn filled(&self, template: &str) -> String {
        let ups = self.ups.clone().unwrap_or_default();
        template
            .replace("{ups}", &ups)
            .replace("{UPS}", &ups.to_ascii_uppercase())
            .replace("{rw}", self.writable.as_deref().unwrap_or_default())
    }
}

/// A word in quotes where it needs them.
fn word(text: &str) -> String {
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    {
        true => text.into(),
        false => nut::words::quoted(text),
    }
}

fn nothing(server: &ServerAddress, broken: CutOff) -> ClientTrouble {
    let sentence = match broken {
        CutOff::Unreachable(why) => {
            format!("cannot connect to {server}: {why}; check that a NUT server listens there")
        }
        _ => format!(
            "{server} does not answer VER; check that it is a NUT server, and that it takes this host"
        ),
    };
    ClientTrouble::Said(ExitStatus::Unconnected, sentence)
}
