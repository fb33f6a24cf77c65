//! GET and LIST (NUT 2.8.0 server/netget.c and netlist.c): the same checks in the same order.

use super::answer::{Halt, is, line, quoted_line};
use super::site::{Client, Freshness, Site, UpsId, ValueKind, Variable};
use crate::network::{ErrorWord, TrackedOutcome};

/// What the descriptions of everything else are.
const NO_DESCRIPTION: &str = "Description unavailable";

/// GET. `tracking`: whether this client has it on.
pub(super) fn get(
    arguments: &[&str],
    client: &Client,
    tracking: bool,
    site: &dyn Site,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match arguments {
        [what] if is(what, "TRACKING") => line(out, &[if tracking { "ON" } else { "OFF" }]),
        [what, id, ..] if is(what, "TRACKING") => {
            if !tracking {
                return Err(ErrorWord::FeatureNotConfigured.into());
            }
            line(out, &[site.outcome(id).unwrap_or(TrackedOutcome::Unknown).text()]);
        }
        [what, ups, ..] if is(what, "NUMLOGINS") => {
            let logins = site.logins(fresh(site, client, ups)?).to_string();
            line(out, &["NUMLOGINS ", ups, " ", &logins]);
        }
        [what, ups, ..] if is(what, "UPSDESC") => {
            let found = site.find(client, ups).ok_or(ErrorWord::UnknownUps)?;
            site.about(found, &mut |_, description| {
                quoted_line(out, &["UPSDESC ", ups, " "], description.unwrap_or("Unavailable"));
            });
        }
        [what, ups, name, ..] if is(what, "VAR") => get_var(client, site, ups, name, out)?,
        [what, ups, name, ..] if is(what, "TYPE") => get_type(client, site, ups, name, out)?,
        [what, ups, name, ..] if is(what, "DESC") => {
            fresh(site, client, ups)?;
            let description = site.variable_description(known_as(name)).unwrap_or(NO_DESCRIPTION);
            quoted_line(out, &["DESC ", ups, " ", name, " "], description);
        }
        [what, ups, name, ..] if is(what, "CMDDESC") => {
            fresh(site, client, ups)?;
            let description = site.command_description(known_as(name)).unwrap_or(NO_DESCRIPTION);
            quoted_line(out, &["CMDDESC ", ups, " ", name, " "], description);
        }
        _ => return Err(ErrorWord::InvalidArgument.into()),
    }
    Ok(())
}

/// LIST.
pub(super) fn list(
    arguments: &[&str],
    client: &Client,
    site: &dyn Site,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match arguments {
        [what, ..] if is(what, "UPS") => {
            line(out, &["BEGIN LIST UPS"]);
            site.each_ups(client, &mut |name, description| {
                quoted_line(out, &["UPS ", name, " "], description.unwrap_or(NO_DESCRIPTION));
            });
            line(out, &["END LIST UPS"]);
        }
        [what, ups, ..] if is(what, "VAR") => list_var(client, site, ups, out)?,
        [what, ups, ..] if is(what, "RW") => list_rw(client, site, ups, out)?,
        [what, ups, ..] if is(what, "CMD") => {
            let found = fresh(site, client, ups)?;
            line(out, &["BEGIN LIST CMD ", ups]);
            site.each_command(found, &mut |name| line(out, &["CMD ", ups, " ", name]));
            line(out, &["END LIST CMD ", ups]);
        }
        [what, ups, ..] if is(what, "CLIENT") => list_client(client, site, ups, out, Spelling::Nut)?,
        [what, ups, ..] if is(what, "CLIENTS") => list_client(client, site, ups, out, Spelling::Nut2)?,
        [what, ups, name, ..] if is(what, "ENUM") => {
            let (found, _) = variable(site, client, ups, name, |_| ())?;
            line(out, &["BEGIN LIST ENUM ", ups, " ", name]);
            site.each_choice(found, name, &mut |choice| {
                quoted_line(out, &["ENUM ", ups, " ", name, " "], choice);
            });
            line(out, &["END LIST ENUM ", ups, " ", name]);
        }
        [what, ups, name, ..] if is(what, "RANGE") => {
            let (found, _) = variable(site, client, ups, name, |_| ())?;
            line(out, &["BEGIN LIST RANGE ", ups, " ", name]);
            site.each_range(found, name, &mut |least, most| {
                let (least, most) = (least.to_string(), most.to_string());
                line(out, &["RANGE ", ups, " ", name, " \"", &least, "\" \"", &most, "\""]);
            });
            line(out, &["END LIST RANGE ", ups, " ", name]);
        }
        _ => return Err(ErrorWord::InvalidArgument.into()),
    }
    Ok(())
}

/// The UPS of that name, when it has fresh data.
pub(super) fn fresh(site: &dyn Site, client: &Client, ups: &str) -> Result<UpsId, Halt> {
    let found = site.find(client, ups).ok_or(ErrorWord::UnknownUps)?;
    match site.freshness(found) {
        Freshness::Fresh => Ok(found),
        Freshness::Stale => Err(ErrorWord::DataStale.into()),
        Freshness::NotConnected => Err(ErrorWord::DriverNotConnected.into()),
    }
}

/// The UPS of that name, and what is taken of a variable of it.
fn variable<T>(
    site: &dyn Site,
    client: &Client,
    ups: &str,
    name: &str,
    mut take: impl FnMut(&Variable<'_>) -> T,
) -> Result<(UpsId, T), Halt> {
    let found = fresh(site, client, ups)?;
    let mut taken = None;
    site.variable(found, name, &mut |variable| taken = Some(take(variable)));
    Ok((found, taken.ok_or(ErrorWord::VarNotSupported)?))
}

/// By which name cmdvartab knows what stands behind `upstream.` (newer NUT).
fn known_as(name: &str) -> &str {
    name.strip_prefix("upstream.").unwrap_or(name)
}

fn get_var(client: &Client, site: &dyn Site, ups: &str, name: &str, out: &mut Vec<u8>) -> Result<(), Halt> {
    if is(name, "server.path") {
        let found = fresh(site, client, ups)?;
        let path = site.path(found).ok_or(ErrorWord::VarNotSupported)?;
        quoted_line(out, &["VAR ", ups, " server.path "], &path);
        return Ok(());
    }
    if name.get(..7).is_some_and(|prefix| is(prefix, "server.")) {
        // of the server, whatever the UPS
        let identity = site.identity();
        let (name, value) = match name {
            name if is(name, "server.info") => ("server.info", &identity.info),
            name if is(name, "server.version") => ("server.version", &identity.version),
            _ => return Err(ErrorWord::VarNotSupported.into()),
        };
        quoted_line(out, &["VAR ", ups, " ", name, " "], value);
        return Ok(());
    }
    let found = fresh(site, client, ups)?;
    let forced = is(name, "ups.status") && site.forced_shutdown(found);
    let mut known = false;
    site.variable(found, name, &mut |variable| {
        known = true;
        write_value(out, &["VAR ", ups, " ", name, " "], forced, variable.value);
    });
    known.then_some(()).ok_or(ErrorWord::VarNotSupported.into())
}

fn write_value(out: &mut Vec<u8>, parts: &[&str], forced: bool, value: &str) {
    if forced {
        line(out, parts);
        out.pop();
        out.extend_from_slice(b"\"FSD ");
        super::answer::escaped(out, value);
        out.extend_from_slice(b"\"\n");
    } else {
        quoted_line(out, parts, value);
    }
}

fn get_type(client: &Client, site: &dyn Site, ups: &str, name: &str, out: &mut Vec<u8>) -> Result<(), Halt> {
    variable(site, client, ups, name, |variable| {
        let kind = match variable.kind {
            ValueKind::Text { longest } => format!(" STRING:{longest}"),
            ValueKind::Number => " NUMBER".into(),
        };
        let flag = |on: bool, text: &'static str| if on { text } else { "" };
        let parts = [
            "TYPE ",
            ups,
            " ",
            name,
            flag(variable.writable, " RW"),
            flag(variable.has_choices, " ENUM"),
            flag(variable.has_ranges, " RANGE"),
            &kind,
        ];
        line(out, &parts);
    })?;
    Ok(())
}

fn list_var(client: &Client, site: &dyn Site, ups: &str, out: &mut Vec<u8>) -> Result<(), Halt> {
    let found = fresh(site, client, ups)?;
    let forced = site.forced_shutdown(found);
    line(out, &["BEGIN LIST VAR ", ups]);
    site.each_variable(found, &mut |variable| {
        let forced = forced && is(variable.name, "ups.status");
        write_value(out, &["VAR ", ups, " ", variable.name, " "], forced, variable.value);
    });
    line(out, &["END LIST VAR ", ups]);
    Ok(())
}

fn list_rw(client: &Client, site: &dyn Site, ups: &str, out: &mut Vec<u8>) -> Result<(), Halt> {
    let found = fresh(site, client, ups)?;
    line(out, &["BEGIN LIST RW ", ups]);
    site.each_variable(found, &mut |variable| {
        if variable.writable {
            quoted_line(out, &["RW ", ups, " ", variable.name, " "], variable.value);
        }
    });
    line(out, &["END LIST RW ", ups]);
    Ok(())
}

/// How LIST CLIENT is spelt: nut2 and its forks write CLIENTS, want a beginning and an end without the UPS, and read
/// the address before the UPS (nut2 2.1.1, `list_clients`). After another beginning they leave the rest unread, and
/// take it for the answer to their next request.
enum Spelling {
    Nut,
    Nut2,
}

fn list_client(
    client: &Client,
    site: &dyn Site,
    ups: &str,
    out: &mut Vec<u8>,
    spelling: Spelling,
) -> Result<(), Halt> {
    let found = site.find(client, ups).ok_or(ErrorWord::UnknownUps)?;
    let (begin, end) = match spelling {
        Spelling::Nut => (["BEGIN LIST CLIENT ", ups], ["END LIST CLIENT ", ups]),
        Spelling::Nut2 => (["BEGIN LIST CLIENTS", ""], ["END LIST CLIENTS", ""]),
    };
    line(out, &begin);
    site.about(found, &mut |name, _| {
        site.each_login(found, &mut |address| match spelling {
            Spelling::Nut => line(out, &["CLIENT ", name, " ", address]),
            Spelling::Nut2 => line(out, &["CLIENT ", address, " ", name]),
        });
    });
    line(out, &end);
    Ok(())
}
