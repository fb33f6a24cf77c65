//! The line: what comes back when the questions of the driver are asked.

use super::finding::{FindingKind, Report};
use super::watched::Watched;
use crate::capture::recorder::Recorder;
use crate::capture::survey;
use link::{Address, CablePower, Link, LinkError, LinkErrorKind as Failure, ModemLines, Opening};
use qx::detect::ForeignDevice;
use qx::line::capture::Recorded;
use qx::options::Options;
use qx::vocabulary::escape::escape;
use qx::wire::refusal::is_refusal;
use std::time::Duration;

/// So many questions without an answer are enough to try the next value of `cablepower`.
const SILENCES: usize = 6;
/// How long an interface is given to wake up with other modem lines.
const WAKE_UP: Duration = Duration::from_secs(1);
/// The values of `cablepower`.
const CABLES: [(&str, CablePower); 4] = [
    ("normal", CablePower::Normal),
    ("reverse", CablePower::Reverse),
    ("both", CablePower::Both),
    ("none", CablePower::None),
];

/// What was heard on a line.
#[derive(Clone, Debug, Default)]
pub struct LineSample {
    /// Questions and replies.
    pub exchanges: Vec<Recorded>,
    /// The dialect that was found.
    pub dialect: Option<&'static str>,
    /// A foreign device, and what it said.
    pub foreign: Option<(ForeignDevice, Vec<u8>)>,
    /// The modem lines, where there are any.
    pub modem: Option<ModemLines>,
}

/// What the replies look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sound {
    Silence,
    /// Questions come back.
    Echo,
    /// A converter refuses for its UPS.
    DeadUps,
    Garbage,
    /// Something speaks.
    Speech,
}

/// Opens the port, asks, and says what is wrong.
pub async fn look(watched: &Watched, try_cables: bool, report: &mut Report) {
    let opening = Opening { lock: true, ..watched.config.opening.clone() };
    let name = &watched.name;
    let options = &watched.config.options;
    let mut heard = match listen(&opening, options).await {
        Ok(heard) => heard,
        Err(error) => return cannot_open(name, &error, report),
    };
    let configured = options.protocol.as_deref();
    // few questions were asked: those of the others tell more
    if heard.dialect.is_none() && configured.is_some() {
        let any = Options { protocol: None, ..options.clone() };
        match listen(&opening, &any).await {
            Ok(other) => heard = other,
            Err(error) => return cannot_open(name, &error, report),
        }
    }
    let is_serial = matches!(opening.address, Address::Serial(_));
    let other = match try_cables && is_serial && sound(&heard.exchanges) == Sound::Silence {
        true => other_power(&opening, options).await,
        false => None,
    };
    if let Some(power) = other {
        let what = format!("the UPS answers, but only with cablepower = {power}");
        let remedy = format!("write cablepower = {power} into its section of ups.conf");
        return report.add(FindingKind::CablePower, name, what, remedy);
    }
    judge(name, &opening.address, configured, &heard, report);
}

async fn listen(opening: &Opening, options: &Options) -> Result<LineSample, LinkError> {
    let mut recorder = Recorder::new(Link::open(opening).await?);
    let modem = recorder.link().modem_lines();
    let found = survey::find(&mut recorder, options, None).await?;
    let dialect = found.protocol.map(|protocol| protocol.name);
    Ok(LineSample { exchanges: recorder.exchanges, dialect, foreign: found.foreign, modem })
}

/// The `cablepower` with which the UPS answers.
async fn other_power(opening: &Opening, options: &Options) -> Option<&'static str> {
    for (name, power) in CABLES.into_iter().filter(|(_, power)| *power != opening.cable_power) {
        let other = Opening { cable_power: power, ..opening.clone() };
        let mut recorder = Recorder::new(Link::open(&other).await.ok()?);
        tokio::time::sleep(WAKE_UP).await;
        if survey::find(&mut recorder, options, Some(SILENCES))
            .await
            .is_ok_and(|found| found.protocol.is_some())
        {
            return Some(name);
        }
    }
    None
}

fn cannot_open(name: &str, error: &LinkError, report: &mut Report) {
    let (kind, remedy) = match error.kind {
        Failure::Busy => {
            (FindingKind::PortInUse, "stop that program first; as root, 'qxups doctor' names it")
        }
        Failure::NotPermitted => (FindingKind::CannotOpen, "run 'qxups doctor' as root to look at the line"),
        Failure::Gone => {
            (FindingKind::CannotOpen, "check the plug and the cable, then run 'qxups doctor' again")
        }
        _ => (FindingKind::CannotOpen, "see ups.conf: 'port', and what else says which device is meant"),
    };
    report.add(kind, name, error.sentence.clone(), remedy);
}

/// What the replies say about line and UPS.
pub fn judge(
    name: &str,
    address: &Address,
    configured: Option<&str>,
    heard: &LineSample,
    report: &mut Report,
) {
    if is_understood(name, address, configured, heard, report) {
        return;
    }
    let usb = matches!(address, Address::Usb(_));
    let first = heard.exchanges.iter().find_map(|recorded| recorded.reply.as_deref()).unwrap_or_default();
    match sound(&heard.exchanges) {
        Sound::Silence | Sound::Echo | Sound::DeadUps if usb => report.add(
            FindingKind::DeadUps,
            name,
            "the USB converter works, but the UPS behind it says nothing",
            "switch the UPS on, unplug and replug the cable at both ends; if that does not help, try another 'subdriver'",
        ),
        Sound::Silence => silence(name, address, heard, report),
        Sound::Echo => report.add(
            FindingKind::Echo,
            name,
            format!("every question comes back from {address}, and no reply"),
            "the wires of sending and receiving touch, or it is a loopback plug or no UPS: check the cable",
        ),
        Sound::DeadUps => report.add(
            FindingKind::DeadUps,
            name,
            format!("something answers '{}' in place of the UPS", escape(first)),
            "switch the UPS on, and check the cable between converter and UPS",
        ),
        Sound::Garbage => report.add(
            FindingKind::Garbage,
            name,
            format!("{address} returns unreadable data ('{}')", escape(first.get(..16).unwrap_or(first))),
            "another speed than 2400 baud, 8N1, a long or wrong cable, or another kind of device",
        ),
        Sound::Speech => report.add(
            FindingKind::UnknownDialect,
            name,
            format!("something answers on {address} ('{}'), but in no known dialect", escape(first)),
            format!("record it with 'qxups capture {address}' and report it, see docs/guide.md"),
        ),
    }
}

/// Whether it is known who answers: a UPS of this family, or what is none.
fn is_understood(
    name: &str,
    address: &Address,
    configured: Option<&str>,
    heard: &LineSample,
    report: &mut Report,
) -> bool {
    match (heard.dialect, configured) {
        (Some(found), Some(wanted)) if found != wanted => {
            let what = format!("the UPS speaks {found}, but ups.conf says protocol = {wanted}");
            let remedy = format!("write protocol = {found}, or leave it out");
            report.add(FindingKind::OtherDialect, name, what, remedy);
        }
        (Some(found), _) => report.note(name, format!("the UPS answers on {address} and speaks {found}")),
        (None, _) => {
            let Some((who, said)) = &heard.foreign else { return false };
            let what = format!("what answers on {address} is no UPS of this family ('{}')", escape(said));
            report.add(FindingKind::OtherDevice, name, what, format!("it answers {who}"));
        }
    }
    true
}

fn silence(name: &str, address: &Address, heard: &LineSample, report: &mut Report) {
    let lines = heard.modem.map_or("it has no modem lines".into(), |modem| modem.to_string());
    let remedy = match address {
        Address::Serial(_) => {
            "check that the UPS is on, that the cable is the one of the UPS (many are no plain serial cables) and the port the right one; then try 'qxups doctor --try-cables', which changes DTR and RTS"
        }
        _ => "check that the UPS is on, and that the device server has 2400 baud, 8N1, no flow control",
    };
    report.add(FindingKind::Silence, name, format!("{address} is silent ({lines})"), remedy);
}

fn sound(exchanges: &[Recorded]) -> Sound {
    let said = || exchanges.iter().filter_map(|one| Some((one, one.reply.as_deref()?)));
    let is_text = |reply: &[u8]| {
        let printable = reply.iter().filter(|byte| (b' '..=b'~').contains(byte)).count();
        printable * 4 >= reply.len() * 3
    };
    if said().next().is_none() {
        Sound::Silence
    } else if said().all(|(one, reply)| reply == one.question) {
        Sound::Echo
    } else if said().all(|(one, reply)| reply == one.question || reply.starts_with(b"UPS No Ack")) {
        Sound::DeadUps
    } else if said().filter(|(_, reply)| is_text(reply)).count() * 2 < said().count() {
        Sound::Garbage
    } else if said().all(|(one, reply)| is_refusal(&one.question, reply)) {
        Sound::DeadUps
    } else {
        Sound::Speech
    }
}
