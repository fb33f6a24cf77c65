//! `[snmp.agentx]`: which UPSes a master of AgentX, such as snmpd, is to have.

use super::read::TomlReader;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

const TABLE: &str = "snmp.agentx";
/// No path of a socket is longer, in bytes (Linux: unix(7)).
const LONGEST_PATH: usize = 107;

/// Where a master is, and which UPSes it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentxOptions {
    /// `master`.
    pub master: MasterPlace,
    /// `ups`: the UPS of the default context.
    pub ups: Option<String>,
    /// `contexts`: UPSes that have a context of their name.
    pub contexts: AgentxContexts,
}

/// Where a master listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterPlace {
    /// A socket of this machine.
    Path(PathBuf),
    /// TCP.
    Address(SocketAddr),
}

impl fmt::Display for MasterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MasterPlace::Path(path) => write!(f, "{}", path.display()),
            MasterPlace::Address(address) => write!(f, "{address}"),
        }
    }
}

/// UPSes with a context of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentxContexts {
    /// All of `ups.conf`.
    All,
    /// These.
    Named(Vec<String>),
}

/// Debian's snmpd listens there.
const USUAL: &str = "/var/agentx/master";

pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<AgentxOptions>> {
    if !reader.has("snmp", "agentx") {
        return None;
    }
    reader.check_keys(TABLE, &["master", "ups", "contexts"]);
    let wanted = "the path of a socket, such as master = \"/var/agentx/master\", or an address with a port, such as \
                  \"127.0.0.1:705\"";
    let master = match reader.text(TABLE, "master", wanted) {
        Some(text) => {
            let place = place(&text);
            if place.is_none() {
                reader.refuse(TABLE, "master", &format!("master is no place: write {wanted}"));
            }
            place
        }
        None => (!reader.has(TABLE, "master")).then(|| MasterPlace::Path(USUAL.into())),
    };
    let ups = reader.text(TABLE, "ups", "the name of a UPS, such as ups = \"rack\"");
    let wanted = "names of UPSes, such as contexts = [\"rack\", \"attic\"], or [\"*\"] for all";
    let names = reader.each_text(TABLE, "contexts", wanted, |name| Some(name.to_string()));
    let contexts = match names.iter().any(|name| name == "*") || !reader.has(TABLE, "contexts") {
        true => AgentxContexts::All,
        false => AgentxContexts::Named(names),
    };
    if ups.is_none() && contexts == AgentxContexts::Named(vec![]) && !reader.has(TABLE, "ups") {
        reader.lacks(
            TABLE,
            format!("[{TABLE}] has no UPS: leave contexts out for all, or write ups = \"rack\""),
        );
    }
    Some(Box::new(AgentxOptions { master: master?, ups, contexts }))
}

fn place(text: &str) -> Option<MasterPlace> {
    if text.starts_with('/') {
        return (text.len() <= LONGEST_PATH).then(|| MasterPlace::Path(text.into()));
    }
    text.parse().ok().filter(|address: &SocketAddr| address.port() != 0).map(MasterPlace::Address)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn all_of_it_is_read_and_it_needs_no_agent_of_our_own() {
        let extras = parse(b"[snmp.agentx]\n").unwrap();
        let (master, ups) = (MasterPlace::Path(USUAL.into()), None);
        let usual = AgentxOptions { master, ups, contexts: AgentxContexts::All };
        assert_eq!((extras.agentx, extras.snmp), (Some(Box::new(usual)), None));
        let text = b"[snmp.agentx]\nmaster = '127.0.0.1:705'\nups = 'rack'\ncontexts = ['attic']\n";
        let read = *parse(text).unwrap().agentx.unwrap();
        assert_eq!(read.master.to_string(), "127.0.0.1:705");
        assert_eq!(read.ups.as_deref(), Some("rack"));
        assert_eq!(read.contexts, AgentxContexts::Named(vec!["attic".into()]));
        let none = parse(b"[snmp.agentx]\nups = 'rack'\ncontexts = []\n").unwrap().agentx.unwrap().contexts;
        assert_eq!(none, AgentxContexts::Named(vec![]));
        assert_eq!(parse(b"[snmp]\ncommunity = 'x'\n").unwrap().agentx, None);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_remedy() {
        for (text, line, part) in [
            ("[snmp.agentx]\nmastr = '/x'\n", 2, "did you mean master?"),
            ("[snmp.agentx]\nmaster = 'localhost'\n", 2, "/var/agentx/master"),
            ("[snmp.agentx]\nmaster = '127.0.0.1:0'\n", 2, "127.0.0.1:705"),
            ("[snmp.agentx]\nmaster = 5\n", 2, "/var/agentx/master"),
            ("[snmp.agentx]\nups = 'x'\ncontexts = 'rack'\n", 3, "no list"),
            ("[snmp.agentx]\ncontexts = []\n", 2, "has no UPS"),
        ] {
            let found = parse(text.as_bytes()).unwrap_err();
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].line == Some(line) && found[0].text.contains(part), "{text}: {found:?}");
        }
    }
}
