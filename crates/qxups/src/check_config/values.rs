//! What only shows on the machine or beside the tables: a port that is no path, a user that does not exist, a variable
//! that no program reads. A driver starts with some of it, or fails later.

use super::check::line_of;
use super::names::{self, Known};
use crate::same_port::{choice, value};
use link::{Address, LinkError, LinkErrorKind, check_terminal};
use nix::unistd::{Group, User};
use nut::ups_conf::{Assignment, Section};
use qx::vocabulary::variable::{self, Unit};
use qx::wire::setting::Delay;
use station::config::LineFinding;
use station::driver_kind::{DriverKind, LineKind};
use std::path::Path;

/// Everything of one section of a driver of ours.
pub fn all(kind: &DriverKind, section: &Section) -> Vec<LineFinding> {
    let mut findings = users(&section.settings);
    findings.extend(port(kind, section));
    findings.extend(section.settings.iter().flat_map(variables));
    findings.extend(delays(kind, section));
    findings
}

fn wrong(line: usize, text: String) -> LineFinding {
    LineFinding::error(Some(line), text)
}

fn remark(line: usize, text: String) -> LineFinding {
    LineFinding::hint(Some(line), text)
}

/// Users and groups that are not there.
pub fn users(settings: &[Assignment]) -> Vec<LineFinding> {
    let missing = |setting: &Assignment| {
        let name = setting.value.as_deref()?;
        let known = match setting.name.as_str() {
            "user" => matches!(User::from_name(name), Ok(None)),
            "group" => matches!(Group::from_name(name), Ok(None)),
            _ => false,
        };
        let kind = &setting.name;
        known.then(|| {
            wrong(
                setting.line,
                format!("{kind} = {name}: there is no such {kind} here; write {kind} = nut, or leave it out"),
            )
        })
    };
    settings.iter().filter_map(missing).collect()
}

/// A port that is no path, or leads to no serial port where it is there; the file may be for another machine.
fn port(kind: &DriverKind, section: &Section) -> Option<LineFinding> {
    // on USB it says nothing
    if kind.line == LineKind::Usb || kind.line == LineKind::Any && !choice(section).is_empty() {
        return None;
    }
    let text = value(section, "port")?;
    let Ok(Address::Serial(path)) = Address::parse(text) else { return None };
    let sentence = match path.is_absolute() {
        true => match check_terminal(&path) {
            Err(LinkError { kind: LinkErrorKind::Unsuitable, sentence }) => format!("port = {sentence}"),
            _ => return None,
        },
        false => format!("port = {text} is no path: write port = {}", meant(text)),
    };
    Some(wrong(line_of(section, "port"), sentence))
}

/// What a port is meant to be that is no path.
fn meant(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let number =
        upper.strip_prefix("COM").and_then(|number| number.trim_end_matches(':').parse::<u32>().ok());
    if let Some(number) = number {
        // COM1 is the first
        return format!("/dev/ttyS{}, or /dev/ttyUSB0 for an adapter on USB", number.saturating_sub(1));
    }
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    let server =
        text.trim_end_matches('/').rsplit_once(':').filter(|(host, port)| !host.is_empty() && is_port(port));
    if let Some((host, port)) = server {
        return format!("tcp://{}:{port}", host.trim_start_matches("tcp:").trim_start_matches('/'));
    }
    match Path::new(text).components().count() {
        1 if text.starts_with("tty") => format!("/dev/{text}"),
        _ => format!("/dev/ttyS0, or tcp://host:port, or auto for USB (it was '{text}')"),
    }
}

/// `override.` and `default.` of a variable that there is not, or with a text where a number belongs.
fn variables(setting: &Assignment) -> Option<LineFinding> {
    let (prefix, name) = setting.name.split_once('.')?;
    if !["override", "default"].iter().any(|known| prefix.eq_ignore_ascii_case(known)) {
        return None;
    }
    let line = setting.line;
    let number =
        setting.value.as_deref().map(|text| (text, text.trim().parse::<f64>().is_ok_and(f64::is_finite)));
    match (names::variable(name), variable::named(name), number) {
        (Known::Meant(meant), ..) => Some(wrong(
            line,
            format!("{}: there is no variable {name}; write {prefix}.{meant}", setting.name),
        )),
        (Known::No, _, number) => {
            let known = format!("{}: no driver of NUT has a variable {name}", setting.name);
            Some(
                match number.filter(|(_, is_number)| !is_number).and_then(|(text, _)| leading_number(text)) {
                    Some(number) => wrong(
                        line,
                        format!(
                            "{known}; numbers have no units: write {} = {number}, or leave it out",
                            setting.name
                        ),
                    ),
                    None => remark(line, format!("{known}; it is shown as it stands")),
                },
            )
        }
        (Known::Exactly, Some(var), Some((text, false))) if var.unit != Unit::None => {
            let number = leading_number(text).unwrap_or("a number");
            Some(wrong(
                line,
                format!("{} = {text} is not a number: write {} = {number}", setting.name, setting.name),
            ))
        }
        _ => None,
    }
}

/// The number that a text begins with, where a unit follows it.
fn leading_number(text: &str) -> Option<&str> {
    let text = text.trim();
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != '-')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let is_unit = unit.trim().chars().all(|letter| letter.is_alphabetic() || letter == '%');
    number.parse::<f64>().ok().filter(|_| is_unit).map(|_| number)
}

/// Delays that only a few dialects take, while none is named; and those that are rounded.
fn delays(kind: &DriverKind, section: &Section) -> Vec<LineFinding> {
    ["ondelay", "offdelay"].into_iter().filter_map(|option| delay(kind, section, option)).collect()
}

fn delay(kind: &DriverKind, section: &Section, option: &str) -> Option<LineFinding> {
    let text = value(section, option)?;
    let chosen = value(section, "protocol").and_then(|name| kind.dialect(name));
    let is_meant = |name: &str| chosen.is_none_or(|chosen| chosen.name == name);
    let rows: Vec<(&str, &Delay)> = kind
        .dialects
        .iter()
        .filter(|dialect| is_meant(dialect.name))
        .flat_map(|dialect| dialect.delays.iter().map(|delay| (dialect.name, delay)))
        .filter(|(_, delay)| delay.option == option)
        .collect();
    let (takes, refuses): (Vec<_>, Vec<_>) =
        rows.iter().partition(|(_, delay)| delay.check_option(text).is_ok());
    let line = line_of(section, option);
    // where no dialect takes it, the driver says so
    let (_, first) = takes.first()?;
    let unit = first.option_unit.seconds();
    if !refuses.is_empty() {
        let names =
            |rows: &[(&str, &Delay)]| rows.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let least = rows.iter().map(|(_, delay)| delay.least / unit).max()?;
        let most = rows.iter().map(|(_, delay)| delay.most / unit).min()?;
        let write =
            format!("write {option} = a number from {least} to {most}, or name the dialect by protocol");
        return Some(match takes.len() < refuses.len() {
            true => wrong(line, format!("{option} = {text}: only {} takes it; {write}", names(&takes))),
            false => remark(
                line,
                format!("{option} = {text}: a UPS that speaks {} does not take it; {write}", names(&refuses)),
            ),
        });
    }
    let asked = text.trim().parse::<u32>().ok()?;
    let seconds = first.check_option(text).ok().filter(|seconds| *seconds != asked * unit)?;
    Some(remark(
        line,
        format!(
            "{option} = {text}: the UPS takes {seconds} s in its place; write {option} = {}",
            seconds / unit
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_path_is_told_what_to_write() {
        for (text, wanted) in [
            ("192.168.1.5:4001", "tcp://192.168.1.5:4001"),
            ("ups.lan:4001", "tcp://ups.lan:4001"),
            ("tcp:ups.lan:4001", "tcp://ups.lan:4001"),
            ("COM1", "/dev/ttyS0, "),
            ("com3:", "/dev/ttyS2, "),
            ("ttyUSB0", "/dev/ttyUSB0"),
            ("ups:99999", "/dev/ttyS0, or tcp://host:port"),
            ("usb", "auto for USB"),
        ] {
            assert!(meant(text).contains(wanted), "{text}: {}", meant(text));
        }
    }

    #[test]
    fn a_number_is_seen_before_its_unit() {
        for (text, number) in [
            ("24V", Some("24")),
            ("13.5 V", Some("13.5")),
            ("80%", Some("80")),
            ("", None),
            ("V24", None),
            ("1-2", None),
        ] {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }
}
