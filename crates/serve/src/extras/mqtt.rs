//! `[mqtt]`: the broker that hears of all UPSes, and what it may order.

use super::read::TomlReader;
use ::mqtt::{AllowedCommands, BrokerSecret, MqttVersion, TopicTree};
use std::path::PathBuf;
use std::time::Duration;

/// Ports of MQTT in the clear and with TLS (IANA).
const PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// How a broker is reached, and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttOptions {
    /// `server`: its name or address.
    pub host: String,
    /// The port of that.
    pub port: u16,
    /// `tls`: whether it is encrypted; where it is not said, with a `ca` or on port 8883.
    pub tls: bool,
    /// `ca`: the file or folder of those who sign the broker's certificate; left out, those of the system.
    pub ca: Option<PathBuf>,
    /// `user`.
    pub user: Option<String>,
    /// `password` or `password_file`.
    pub password: Option<BrokerPassword>,
    /// `version`: `"3.1.1"` or `"5"`.
    pub version: MqttVersion,
    /// `prefix`: all topics begin so.
    pub prefix: String,
    /// `site`: the next level of them; left out, the name of the machine.
    pub site: Option<String>,
    /// `discovery`: the prefix of Home Assistant's discovery.
    pub discovery: Option<String>,
    /// `commands`: what the broker may order.
    pub commands: AllowedCommands,
    /// `keep_alive`: seconds of silence after which a connection is lost, 5 to 3600.
    pub keep_alive: u16,
    /// `every`: all but status and availability is sent at most once in so long, 0 to 3600 s.
    pub every: Duration,
    /// `repeat`: all is sent once more within so long, 0 (never) to 86400 s.
    pub repeat: Duration,
}

/// Where a password stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerPassword {
    /// In `qxups.toml`.
    Text(BrokerSecret),
    /// In the first line of a file.
    File(PathBuf),
}

const KEYS: &[&str] = &[
    "server",
    "tls",
    "ca",
    "user",
    "password",
    "password_file",
    "version",
    "prefix",
    "site",
    "discovery",
    "commands",
    "keep_alive",
    "every",
    "repeat",
];

pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<MqttOptions>> {
    reader.check_keys("mqtt", KEYS);
    let wanted = "the broker with its port, such as \"broker.example.org:1883\"";
    let server = reader.text("mqtt", "server", wanted);
    let tls = reader.flag("mqtt", "tls");
    let ca = reader
        .text("mqtt", "ca", "the path of a file, such as \"/etc/nut/broker-ca.pem\"")
        .map(PathBuf::from);
    let place = server.as_deref().map(|text| (text, place(text)));
    if let Some((_, None)) = place {
        reader.refuse("mqtt", "server", &format!("server is no name with a port: write {wanted}"));
    }
    let (host, port) = place.and_then(|(_, place)| place).unwrap_or_default();
    let tls = tls.unwrap_or(ca.is_some() || port == Some(TLS_PORT));
    if ca.is_some() && !tls {
        reader.refuse(
            "mqtt",
            "ca",
            "ca names who signs certificates, and tls = false uses none: take one of them out",
        );
    }
    let port = port.unwrap_or(if tls { TLS_PORT } else { PORT });
    let (user, password) = credentials(reader);
    let (prefix, site, discovery) = names(reader);
    let options = MqttOptions {
        host,
        port,
        tls,
        ca,
        user,
        password,
        version: version(reader),
        prefix,
        site,
        discovery,
        commands: commands(reader),
        keep_alive: keep_alive(reader),
        every: Duration::from_secs(reader.number("mqtt", "every", 0..=3600).unwrap_or(0)),
        repeat: Duration::from_secs(reader.number("mqtt", "repeat", 0..=86_400).unwrap_or(0)),
    };
    server.map(|_| Box::new(options))
}

/// `host`, `host:port`, `address:port` or `[address]:port`.
fn place(text: &str) -> Option<(String, Option<u16>)> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'%');
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None if text.matches(':').count() > 1 => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
        None => None,
    };
    let is_host = !host.is_empty() && host.len() <= 253 && host.bytes().all(is_plain);
    is_host.then(|| (host.to_string(), port))
}

fn credentials(reader: &mut TomlReader<'_>) -> (Option<String>, Option<BrokerPassword>) {
    let user = reader.text("mqtt", "user", "the name of a user of the broker, such as \"qxups\"");
    let text = reader.text("mqtt", "password", "the password of that user, in quotes");
    let file = reader.text("mqtt", "password_file", "the path of a file, such as \"/etc/nut/mqtt.password\"");
    if text.is_some() && file.is_some() {
        reader.refuse(
            "mqtt",
            "password_file",
            "there is a password and a password_file: take one of them out",
        );
    }
    for key in ["password", "password_file"] {
        if user.is_none() && !reader.has("mqtt", "user") {
            reader.refuse("mqtt", key, &format!("{key} is that of a user: write user = \"qxups\" as well"));
        }
    }
    let password = match (text, file) {
        (Some(text), _) => Some(BrokerPassword::Text(BrokerSecret(text))),
        (None, file) => file.map(|file| BrokerPassword::File(file.into())),
    };
    (user, password)
}

fn version(reader: &mut TomlReader<'_>) -> MqttVersion {
    let wanted = "version = \"3.1.1\" or \"5\"";
    match reader.text("mqtt", "version", wanted).as_deref() {
        None | Some("3.1.1") => MqttVersion::V311,
        Some("5" | "5.0") => MqttVersion::V5,
        Some(_) => {
            reader.refuse(
                "mqtt",
                "version",
                &format!("there is no such version of MQTT here: write {wanted}"),
            );
            MqttVersion::V311
        }
    }
}

fn names(reader: &mut TomlReader<'_>) -> (String, Option<String>, Option<String>) {
    let wanted = "levels of letters, digits, '-', '_' and '.', such as \"qxups\"";
    let mut prefix = |key: &str| {
        let text = reader.text("mqtt", key, wanted)?;
        if !TopicTree::is_prefix(&text) {
            reader.refuse("mqtt", key, &format!("{key} cannot begin a topic: write {wanted}"));
        }
        Some(text)
    };
    let (first, discovery) = (prefix("prefix"), prefix("discovery"));
    let discovery = discovery.filter(|text| text != "off");
    let wanted = "letters, digits and hyphens, such as \"home\"";
    let site = reader.text("mqtt", "site", wanted);
    if site.as_ref().is_some_and(|site| !TopicTree::is_site(site)) {
        reader.refuse("mqtt", "site", &format!("site is no name of a site: write {wanted}"));
    }
    (first.unwrap_or_else(|| "qxups".into()), site, discovery)
}

fn commands(reader: &mut TomlReader<'_>) -> AllowedCommands {
    let wanted =
        "instant commands, also of one UPS, such as [\"beeper.mute\", \"rack:test.battery.start.quick\"]";
    AllowedCommands::new(reader.each_text("mqtt", "commands", wanted, AllowedCommands::parse))
}

fn keep_alive(reader: &mut TomlReader<'_>) -> u16 {
    let seconds = reader.number("mqtt", "keep_alive", 5..=3600).unwrap_or(30);
    u16::try_from(seconds).unwrap_or(30)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn options(text: &str) -> Option<Box<MqttOptions>> {
        parse(format!("[mqtt]\n{text}").as_bytes()).unwrap().mqtt
    }

    fn wrong(text: &str) -> String {
        let findings = parse(format!("[mqtt]\n{text}").as_bytes()).unwrap_err();
        assert_eq!(findings.len(), 1, "{text}: {findings:?}");
        assert_eq!(findings[0].line, Some(text.lines().count() + 1), "{text}: {findings:?}");
        findings[0].text.clone()
    }

    #[test]
    fn without_a_broker_it_is_off() {
        for text in ["", "prefix = \"ups\"\n", "commands = [\"load.off\"]\n"] {
            assert_eq!(options(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_said_is_careful() {
        let options = options("server = \"broker\"\n").unwrap();
        assert_eq!((options.host.as_str(), options.port, options.tls), ("broker", 1883, false));
        assert_eq!((options.prefix.as_str(), options.site, options.discovery), ("qxups", None, None));
        assert_eq!((options.version, options.keep_alive), (MqttVersion::V311, 30));
        assert_eq!((options.every, options.repeat), (Duration::ZERO, Duration::ZERO));
        assert!(options.commands.is_empty());
    }

    #[test]
    fn servers_have_many_forms() {
        for (text, host, port, tls) in [
            ("broker:1884", "broker", 1884, false),
            ("192.0.2.1:8883", "192.0.2.1", 8883, true),
            ("[2001:db8::1]:8883", "2001:db8::1", 8883, true),
            ("2001:db8::1", "2001:db8::1", 1883, false),
            ("[::1]", "::1", 1883, false),
        ] {
            let options = options(&format!("server = \"{text}\"\n")).unwrap();
            assert_eq!((options.host.as_str(), options.port, options.tls), (host, port, tls), "{text}");
        }
        let with_ca = options("server = \"broker\"\nca = \"/ca.pem\"\n").unwrap();
        assert_eq!((with_ca.port, with_ca.tls), (8883, true));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, part) in [
            ("server = \"mqtt://broker\"", "no name with a port"),
            ("server = \"broker:0\"", "no name with a port"),
            ("server = \"a b\"", "no name with a port"),
            ("server = 1883", "no text"),
            ("server = \"a\"\nversion = \"3.1\"", "\"3.1.1\" or \"5\""),
            ("server = \"a\"\nversion = 5", "no text"),
            ("server = \"a\"\npassword = \"x\"", "user = "),
            ("server = \"a\"\nuser = \"u\"\npassword = \"x\"\npassword_file = \"y\"", "take one of them out"),
            ("server = \"a\"\ntls = false\nca = \"/x\"", "take one of them out"),
            ("server = \"a\"\nprefix = \"a/#\"", "cannot begin a topic"),
            ("server = \"a\"\ndiscovery = \"+\"", "cannot begin a topic"),
            ("server = \"a\"\nsite = \"my site\"", "no name of a site"),
            ("server = \"a\"\ncommands = \"beeper.mute\"", "no list"),
            ("server = \"a\"\ncommands = [\"*\"]", "beeper.mute"),
            ("server = \"a\"\nkeep_alive = 4", "5 to 3600"),
            ("server = \"a\"\nevery = 3601", "0 to 3600"),
            ("server = \"a\"\nrepeat = -1", "0 to 86400"),
            ("server = \"a\"\ntopic = \"x\"", "no key topic"),
        ] {
            let said = wrong(text);
            assert!(said.contains(part), "{text}: {said}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let options = options("server = \"a\"\nuser = \"u\"\npassword = \"hidden words\"\n").unwrap();
        assert!(!format!("{options:?}").contains("hidden"));
    }
}
