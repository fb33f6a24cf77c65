//! `[snmp]`: which UPSes are SNMP agents, and who may ask them.

use super::read::TomlReader;
use ::snmp::Community;
use link::read_bounded;
use nut::upsd_users::Network;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Which UPSes are agents, who asks them, and where traps go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnmpOptions {
    /// `community` or `community_file`.
    pub community: CommunityPlace,
    /// `allow`: the managers that are answered. All others are not.
    pub allow: Vec<Network>,
    /// `traps`: where traps go.
    pub traps: Vec<SocketAddr>,
    /// `contact`: who looks after the UPSes (sysContact).
    pub contact: String,
    /// `location`: where they are (sysLocation).
    pub location: String,
    /// `[snmp.agents]`: the name of a UPS, and the address with its port that is its own.
    pub agents: Vec<(String, SocketAddr)>,
}

/// Where the community string stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommunityPlace {
    /// In `qxups.toml`.
    Inline(Community),
    /// It is the first line of this file; a relative path begins in the folder of `qxups.toml`.
    File(PathBuf),
}

/// No file of a community is longer, in bytes.
const LONGEST: u64 = 4096;

impl SnmpOptions {
    /// Whether a manager there is answered.
    pub fn may_ask(&self, from: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(from))
    }

    /// Reads the community string from its file, where it stands in one.
    ///
    /// # Errors
    /// A sentence.
    pub fn read_community(&mut self, folder: &Path) -> Result<(), String> {
        let CommunityPlace::File(file) = &self.community else { return Ok(()) };
        let file = folder.join(file);
        let text = read_bounded(&file, LONGEST).map_err(|error| {
            format!(
                "[snmp] community_file: cannot read {}: {error}; write the community string to it",
                file.display()
            )
        })?;
        let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let community = std::str::from_utf8(line).ok().and_then(Community::new);
        let community =
            community.ok_or_else(|| format!("[snmp] community_file: {}: {WANTED}", file.display()))?;
        self.community = CommunityPlace::Inline(community);
        Ok(())
    }
}

const WANTED: &str = "a community string has 1 to 64 letters, digits and signs of ASCII, and no space";

pub(super) fn read(reader: &mut TomlReader<'_>) -> Option<Box<SnmpOptions>> {
    let keys = ["community", "community_file", "allow", "traps", "contact", "location", "agents", "agentx"];
    reader.check_keys("snmp", &keys);
    let wanted = "addresses of managers, such as [\"192.0.2.5\", \"192.0.2.0/24\", \"fd00::/8\"]";
    let allow = reader.each_text("snmp", "allow", wanted, Network::parse);
    let wanted = "addresses with their ports, such as [\"192.0.2.5:162\"]";
    let traps = reader.each_text("snmp", "traps", wanted, address);
    let contact = reader.text("snmp", "contact", "a text, such as \"ops@example.org\"").unwrap_or_default();
    let location = reader.text("snmp", "location", "a text, such as \"cellar\"").unwrap_or_default();
    let wanted = "the name of a UPS and an address with a port of its own, such as rack = \"192.0.2.10:161\"";
    let agents = reader.each_pair("snmp", "agents", wanted, address);
    let mut taken = BTreeSet::new();
    if let Some((_, twice)) = agents.iter().find(|(_, address)| !taken.insert(*address)) {
        let said =
            format!("[snmp.agents] has {twice} twice: write an address or a port of its own for each UPS");
        reader.refuse("snmp", "agents", &said);
    }
    let community = community(reader);
    if agents.is_empty() {
        return None;
    }
    if allow.is_empty() && !reader.has("snmp", "allow") {
        reader.refuse_table(
            "snmp",
            "[snmp] names no manager: write allow = [\"192.0.2.5\"] with the addresses of yours",
        );
    }
    if community.is_none() && !reader.has("snmp", "community") && !reader.has("snmp", "community_file") {
        reader.refuse_table(
            "snmp",
            "[snmp] has no community string: write community_file = \"snmp.community\", and the string to that file",
        );
    }
    Some(Box::new(SnmpOptions { community: community?, allow, traps, contact, location, agents }))
}

fn community(reader: &mut TomlReader<'_>) -> Option<CommunityPlace> {
    let file = reader.text("snmp", "community_file", "the path of a file, such as \"snmp.community\"");
    let text = reader.text("snmp", "community", "a text, or name a file by community_file");
    match (text, file) {
        (Some(_), Some(_)) => {
            reader.refuse("snmp", "community", "community and community_file are both there: take one out");
            None
        }
        (Some(text), None) => {
            let community = Community::new(&text).map(CommunityPlace::Inline);
            if community.is_none() {
                reader.refuse("snmp", "community", WANTED);
            }
            community
        }
        (None, file) => file.map(|file| CommunityPlace::File(file.into())),
    }
}

/// An address with a port that can be bound, or sent to.
fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok().filter(|address: &SocketAddr| address.port() != 0)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const WHOLE: &str = "[snmp]\ncommunity = \"s3cret\"\nallow = [\"192.0.2.0/24\", \"::1\"]\n\
                         traps = [\"192.0.2.5:162\"]\nlocation = \"cellar\"\n[snmp.agents]\nrack = \"0.0.0.0:1161\"\n";

    #[test]
    fn all_of_it_is_read_and_the_community_is_printed_nowhere() {
        let options = *parse(WHOLE.as_bytes()).unwrap().snmp.unwrap();
        assert_eq!(options.agents, [("rack".to_string(), "0.0.0.0:1161".parse().unwrap())]);
        assert_eq!(options.traps, ["192.0.2.5:162".parse().unwrap()]);
        assert_eq!((options.location.as_str(), options.contact.as_str()), ("cellar", ""));
        assert!(!format!("{options:?}").contains("s3cret"));
        for (from, may) in
            [("192.0.2.77", true), ("::ffff:192.0.2.77", true), ("192.0.3.1", false), ("::1", true)]
        {
            assert_eq!(options.may_ask(from.parse().unwrap()), may, "{from}");
        }
        // without an agent it is off, and what is wrong is said all the same
        assert_eq!(parse(b"[snmp]\nallow = [\"::1\"]\n").unwrap().snmp, None);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_remedy() {
        let agents = "[snmp.agents]\nrack = '0.0.0.0:1161'\n";
        for (text, line, part) in [
            ("[snmp]\ncomunity = 'x'\n".to_string(), 2, "did you mean community?"),
            (format!("[snmp]\ncommunity = 'x'\n{agents}"), 1, "names no manager"),
            (format!("[snmp]\nallow = ['::1']\n{agents}"), 1, "has no community string"),
            (
                agents.replace(".agents", "]\nallow = ['::1']\ncommunity = 'x'\n[snmp.agents")
                    + "a = 'x:1'\n",
                6,
                "rack =",
            ),
            ("[snmp]\nallow = ['host']\n".into(), 2, "addresses of managers"),
            ("[snmp]\ntraps = ['192.0.2.5']\n".into(), 2, "192.0.2.5:162"),
            ("[snmp]\ntraps = ['192.0.2.5:0']\n".into(), 2, "192.0.2.5:162"),
            ("[snmp]\ncommunity = 'a b'\n".into(), 2, "no space"),
            ("[snmp]\ncommunity = 'a'\ncommunity_file = 'b'\n".into(), 2, "take one out"),
            ("[snmp]\nagents = 'x'\n".into(), 2, "[snmp.agents]"),
            (
                format!("[snmp]\nallow = ['::1']\ncommunity = 'x'\n{agents}other = '0.0.0.0:1161'\n"),
                4,
                "twice",
            ),
        ] {
            let found = parse(text.as_bytes()).unwrap_err();
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].line == Some(line) && found[0].text.contains(part), "{text}: {found:?}");
        }
    }

    #[test]
    fn the_community_is_the_first_line_of_its_file() {
        let folder = std::env::temp_dir().join(format!("qxups-snmp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = WHOLE.replace("community = \"s3cret\"", "community_file = 'c'");
        let options = || *parse(text.as_bytes()).unwrap().snmp.unwrap();
        assert!(options().read_community(&folder).unwrap_err().contains("cannot read"));
        std::fs::write(folder.join("c"), "s3cret\r\nmore\n").unwrap();
        let mut read = options();
        read.read_community(&folder).unwrap();
        assert_eq!(read.community, CommunityPlace::Inline(Community::new("s3cret").unwrap()));
        std::fs::write(folder.join("c"), "\n").unwrap();
        assert!(options().read_community(&folder).unwrap_err().contains("1 to 64"));
        let _ = std::fs::remove_dir_all(&folder);
    }
}
