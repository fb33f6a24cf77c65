//! `qxups.toml`, beside NUT's files: what this server does besides what upsd does. All of it is off until the file asks
//! for it, and without the file there is none of it.
//!
//! A key that is not known is wrong: it may be the one by which something was meant to be limited.

mod mqtt;
mod notify;
pub mod protect;
mod read;
mod snmp;
#[cfg(test)]
mod tests;
pub mod translate;
pub mod upsmon;

pub use self::mqtt::{BrokerPassword, MqttOptions};
pub use self::notify::{NotifyOptions, OutputKind, OutputOptions, SecretPlace, ServerProof};
pub use self::protect::ProtectOptions;
pub use self::snmp::{CommunityPlace, SnmpOptions};
use read::TomlReader;
use station::config::LineFinding;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The name of the file.
pub const FILE: &str = "qxups.toml";

/// The tables there are.
const TABLES: &[&str] = &["history", "mqtt", "snmp", "web", "notify", "outputs", "protect"];
/// Those of them that may stand several times.
const ARRAYS: &[&str] = &["notify"];

/// What the file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `[history]`; none when it is off.
    pub history: Option<HistoryOptions>,
    /// `[snmp]`; none when it has no agent.
    pub snmp: Option<Box<SnmpOptions>>,
    /// `[mqtt]`; none when it names no broker.
    pub mqtt: Option<Box<MqttOptions>>,
    /// `[web]`.
    pub web: WebOptions,
    /// `[[notify]]` and `[outputs.NAME]`; none without a rule and without an output.
    pub notify: Option<Box<NotifyOptions>>,
    /// `[protect]`; none without the table.
    pub protect: Option<Box<ProtectOptions>>,
}

/// Where a history is kept, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// `file`: the SQLite file. A relative path begins in the folder of what lasts (`/var/lib/nut`).
    pub file: PathBuf,
    /// `size_mib`: no more than so many MiB on the disk, 16 to 65536.
    pub size_mib: u64,
}

/// Where the page and the metrics are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebOptions {
    /// `listen`: addresses with their ports; none, and nothing is served.
    pub listen: Vec<SocketAddr>,
    /// `hosts`: names by which browsers may call the server, besides `localhost` and addresses as numbers.
    pub hosts: Vec<String>,
    /// `base`: the path that a proxy leaves in front of those of the pages; empty for none.
    pub base: String,
    /// `tls`: whether pages are encrypted; where it is not said, wherever bytes leave this machine.
    pub tls: Option<bool>,
    /// `read_only`: no user can log in.
    pub read_only: bool,
}

impl WebOptions {
    /// Whether a certificate is needed.
    pub fn wants_certificate(&self) -> bool {
        let is_local = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        self.listen.iter().any(|address| self.tls.unwrap_or(!is_local(address)))
    }
}

/// Reads the file.
///
/// # Errors
/// All that is wrong, each with its line, in the order of the lines.
pub fn parse(bytes: &[u8]) -> Result<Extras, Vec<LineFinding>> {
    let mut reader = TomlReader::of(bytes)?;
    reader.check_tables(TABLES, ARRAYS);
    let (history, web) = (history(&mut reader), web(&mut reader));
    let (mqtt, snmp) = (self::mqtt::read(&mut reader), self::snmp::read(&mut reader));
    let (notify, protect) = (self::notify::read(&mut reader), self::protect::read(&mut reader));
    let extras = Extras { history, mqtt, snmp, web, notify, protect };
    reader.finish().map(|()| extras)
}

/// The tables that the file has, whatever stands in them.
///
/// # Errors
/// The line from which on it is no TOML.
pub fn tables(bytes: &[u8]) -> Result<Vec<String>, usize> {
    let wrong = |findings: Vec<LineFinding>| findings.first().and_then(|first| first.line).unwrap_or(1);
    TomlReader::of(bytes).map(|reader| reader.tables()).map_err(wrong)
}

fn history(reader: &mut TomlReader<'_>) -> Option<HistoryOptions> {
    reader.check_keys("history", &["enabled", "file", "size_mib"]);
    let is_on = reader.flag("history", "enabled").unwrap_or(false);
    let file = reader.text("history", "file", "the path of a file, such as \"history.sqlite\"");
    let size_mib = reader.number("history", "size_mib", 16..=65_536).unwrap_or(64);
    let file = file.map_or_else(|| "history.sqlite".into(), PathBuf::from);
    is_on.then_some(HistoryOptions { file, size_mib })
}

fn web(reader: &mut TomlReader<'_>) -> WebOptions {
    reader.check_keys("web", &["listen", "hosts", "base", "tls", "read_only"]);
    let wanted = "addresses with their ports, such as [\"127.0.0.1:3494\", \"[::1]:3494\"]";
    let listen = reader.each_text("web", "listen", wanted, |text| text.parse::<SocketAddr>().ok());
    let wanted = "names without ports, such as [\"ups.example.org\"]";
    let hosts = reader.each_text("web", "hosts", wanted, |text| is_host(text).then(|| text.to_string()));
    let base = reader.text("web", "base", "a path, such as \"/ups\"").unwrap_or_default();
    if !base.is_empty() && !is_path(&base) {
        reader.refuse(
            "web",
            "base",
            "base is no path: write it with a slash in front, such as base = \"/ups\"",
        );
    }
    let tls = reader.flag("web", "tls");
    let read_only = reader.flag("web", "read_only").unwrap_or(false);
    WebOptions { listen, hosts, base, tls, read_only }
}

/// A name of the DNS.
fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(is_plain)
}

fn is_path(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    text.starts_with('/') && !text.contains("//") && text.bytes().all(is_plain)
}
