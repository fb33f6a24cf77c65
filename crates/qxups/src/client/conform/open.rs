//! Checks of the beginning of a connection.

use super::check::{Check, CheckResult, Grade, Needs, Way};
use super::probe::{CutOff, Probe};
use tls::rustls::ClientConnection;
use tls::rustls::pki_types::ServerName;
use tls::{Verify, client_config};

/// The identifier of Ed25519 in a certificate, 1.3.101.112 in DER (RFC 8410).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

pub const CHECKS: &[Check] = &[
    Check {
        name: "silent until asked",
        expected: "nothing before the first request",
        source: "RFC 9271, commands and responses; upsd 2.8.0 server/upsd.c",
        breaks: "go.nut (telegraf, DRuggeri's exporter) reads a greeting as the answer to its first request",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| Ok(CheckResult::of(probe.greeting.is_empty(), "(nothing)", &probe.greeting))),
    },
    Check {
        name: "VER",
        expected: "one line of five words or more that begins with Network",
        source: "upsd 2.8.0 server/netmisc.c; RFC 9271, VER",
        breaks: "WinNUT takes the fifth word as the version, and throws without one",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("VER", |lines, _| {
            let words: Vec<&str> = lines.iter().flat_map(|line| line.split(' ')).collect();
            lines.len() == 1 && words.len() >= 5 && words.first() == Some(&"Network")
        }),
    },
    Check {
        name: "NETVER",
        expected: "1.0, 1.1, 1.2 or 1.3",
        source: "upsd 2.8.0 server/netmisc.c; RFC 9271, PROTVER",
        breaks: "go.nut and WinNUT ask it on every connection",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("NETVER", is_version),
    },
    Check {
        name: "PROTVER",
        expected: "what NETVER answers; its name since NUT 2.8.0",
        source: "RFC 9271, PROTVER; upsd 2.8.0 server/netcmds.h",
        breaks: "clients written after RFC 9271",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Ask("PROTVER", is_version),
    },
    Check {
        name: "HELP",
        expected: "one line: Commands: and their names",
        source: "upsd 2.8.0 server/netmisc.c; RFC 9271, HELP",
        breaks: "PyNUT's help()",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Ask("HELP", |lines, _| {
            lines.len() == 1 && lines.iter().all(|line| line.starts_with("Commands:"))
        }),
    },
    Check {
        name: "HELP is complete",
        expected: "every request that the server takes, PROTVER, PRIMARY and FSD among them",
        source: "RFC 9271, HELP; upsd 2.8.0 server/netmisc.c leaves out PROTVER, PRIMARY and FSD",
        breaks: "no client; people who type",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Ask("HELP", |lines, _| {
            let said = |word: &str| lines.iter().any(|line| line.split(' ').any(|said| said == word));
            ["PROTVER", "PRIMARY", "FSD"].iter().all(|word| said(word))
        }),
    },
    Check {
        name: "guests may read",
        expected: "LIST UPS without a user",
        source: "upsd 2.8.0 server/netlist.c; RFC 9271, security considerations, advises against it",
        breaks: "upsc, upslog, collectd, check_ups and upsstats name no user",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| {
            let lines = probe.open_as_guest()?.ask("LIST UPS")?;
            Ok(CheckResult::of(!probe.closed_to_guests, "LIST UPS", &lines))
        }),
    },
    Check {
        name: "STARTTLS",
        expected: "OK STARTTLS, or an ERR of FEATURE-NOT-CONFIGURED or FEATURE-NOT-SUPPORTED; then the connection goes on in the clear",
        source: "upsd 2.8.0 server/netssl.c; RFC 9271, STARTTLS",
        breaks: "upsc, upslog, upsmon and collectd begin with it",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(start_tls),
    },
    Check {
        name: "encryption",
        expected: "TLS 1.2 or 1.3 behind OK STARTTLS, with a certificate whose key is not Ed25519",
        source: "NUT 2.8.0 clients/upsclient.c; measured with Debian 12's clients",
        breaks: "Debian's clients (NSS) fail with 'Unknown error' on Ed25519, and do not go on in the clear",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(encryption),
    },
];

fn is_version(lines: &[String], _: &Probe) -> bool {
    lines.len() == 1 && lines.iter().all(|line| ["1.0", "1.1", "1.2", "1.3"].contains(&line.as_str()))
}

fn start_tls(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut raw = probe.open_as_guest()?;
    let lines = raw.ask("STARTTLS")?;
    let refusals = ["ERR FEATURE-NOT-CONFIGURED", "ERR FEATURE-NOT-SUPPORTED"];
    match lines.first().map(String::as_str) {
        Some("OK STARTTLS") => Ok(CheckResult::Good),
        Some(line) if refusals.contains(&line) => {
            let after = raw.ask("VER")?;
            Ok(CheckResult::of(after.iter().all(|line| !line.starts_with("ERR")), "STARTTLS, VER", &after))
        }
        _ => Ok(CheckResult::departs("STARTTLS", &lines)),
    }
}

fn encryption(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut raw = probe.open_as_guest()?;
    let lines = raw.ask("STARTTLS")?;
    if lines.first().map(String::as_str) != Some("OK STARTTLS") {
        return Ok(CheckResult::NotTried("the server offers none".into()));
    }
    let not_tried = |why: &dyn std::fmt::Display| Ok(CheckResult::NotTried(why.to_string()));
    let config = match client_config(&Verify::Nothing, None) {
        Ok(config) => config,
        Err(error) => return not_tried(&error),
    };
    let name = match ServerName::try_from("localhost") {
        Ok(name) => name,
        Err(error) => return not_tried(&error),
    };
    let mut session = match ClientConnection::new(config, name) {
        Ok(session) => session,
        Err(error) => return not_tried(&error),
    };
    let mut stream = raw.into_stream();
    let _ = stream.set_read_timeout(Some(probe.timeout));
    while session.is_handshaking() {
        if let Err(error) = session.complete_io(&mut stream) {
            return Ok(CheckResult::departs("STARTTLS, ClientHello", &[format!("({error})")]));
        }
    }
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let is_ed25519 =
        certificate.is_some_and(|bytes| bytes.windows(ED25519.len()).any(|part| part == ED25519));
    Ok(CheckResult::of(!is_ed25519, "STARTTLS, ClientHello", &["a certificate with an Ed25519 key".into()]))
}
