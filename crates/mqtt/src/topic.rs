//! How topics are named: `PREFIX/SITE/UPS/battery/charge`.

/// The names that all topics of a server begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicTree {
    /// `qxups`, or another prefix of one or more levels.
    pub prefix: String,
    /// The server among those of this prefix: letters, digits and hyphens.
    pub site: String,
    /// The prefix of Home Assistant's discovery; none where nothing is announced there.
    pub discovery: Option<String>,
}

/// What a topic below the tree of a server stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicPlace<'t> {
    /// Whether the server is connected.
    Server,
    /// A topic of a UPS: its level, and the levels below.
    Ups(&'t str, &'t str),
    /// None of these.
    Other,
}

/// The level below a UPS that says whether its data is fresh.
pub const AVAILABILITY: &str = "availability";
/// All variables as one JSON document.
pub const STATE: &str = "state";
/// Orders come here.
pub const COMMAND: &str = "command";
/// What became of an order.
pub const OUTCOME: &str = "outcome";

impl TopicTree {
    /// Whether prefixes can stand in topics: no wildcard, no empty level, none that begins with `$`.
    pub fn is_prefix(text: &str) -> bool {
        let is_level = |level: &str| !level.is_empty() && level.bytes().all(is_plain);
        text.len() <= 200 && text.split('/').all(is_level)
    }

    /// Whether it can be the name of a site.
    pub fn is_site(text: &str) -> bool {
        (1..=63).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }

    /// All topics of this server begin so.
    pub fn root(&self) -> String {
        format!("{}/{}/", self.prefix, self.site)
    }

    /// Whether the server is connected: `online` or `offline`.
    pub fn availability(&self) -> String {
        format!("{}{AVAILABILITY}", self.root())
    }

    /// All topics of a UPS begin so, without a slash at the end.
    pub fn ups(&self, name: &str) -> String {
        self.root() + &level(name)
    }

    /// Where Home Assistant hears of a UPS.
    pub fn discovery_of(&self, name: &str) -> Option<String> {
        Some(format!("{}/device/{}/config", self.discovery.as_ref()?, self.object_id(name)))
    }

    /// Where Home Assistant says that it has begun anew.
    pub fn birth(&self) -> Option<String> {
        Some(format!("{}/status", self.discovery.as_ref()?))
    }

    /// The name of a UPS that no other UPS of any site has: letters, digits, hyphens and underscores. As a site has no
    /// underscore, and each other byte has its own form, two are never the same.
    pub fn object_id(&self, name: &str) -> String {
        let mut id = format!("qxups_{}_", self.site);
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                id.push(char::from(byte));
            } else {
                id.push_str(&format!("_{byte:02x}"));
            }
        }
        id
    }

    /// What a topic stands for.
    pub fn place<'t>(&self, topic: &'t str) -> TopicPlace<'t> {
        let below = topic.strip_prefix(self.prefix.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let below = below.and_then(|rest| rest.strip_prefix(self.site.as_str())?.strip_prefix('/'));
        match below.map(|below| below.split_once('/').unwrap_or((below, ""))) {
            Some((AVAILABILITY, "")) => TopicPlace::Server,
            Some((ups, rest)) if !rest.is_empty() => TopicPlace::Ups(ups, rest),
            Some(_) | None => TopicPlace::Other,
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The name of a UPS as one level of a topic: other bytes than letters, digits, `-`, `_` and `.` as `%2f`.
pub fn level(name: &str) -> String {
    let mut level = String::new();
    for byte in name.bytes() {
        if is_plain(byte) {
            level.push(char::from(byte));
        } else {
            level.push_str(&format!("%{byte:02x}"));
        }
    }
    level
}

/// The name of the UPS that a level stands for; none where it is the level of none.
pub fn name_of(level: &str) -> Option<String> {
    let mut name = vec![];
    let mut bytes = level.bytes();
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte if is_plain(byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(name).ok()
}

/// The levels of a variable: `battery.charge` is `battery/charge`. None where the name cannot be a topic, or would be
/// one of those that stand for something else.
pub fn levels(variable: &str) -> Option<String> {
    let is_good = variable.len() <= 128
        && variable.contains('.')
        && variable.split('.').all(|level| !level.is_empty() && level.bytes().all(is_plain));
    is_good.then(|| variable.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> TopicTree {
        TopicTree { prefix: "qxups".into(), site: "home".into(), discovery: Some("homeassistant".into()) }
    }

    #[test]
    fn topics_are_as_the_documentation_has_them() {
        assert_eq!(tree().availability(), "qxups/home/availability");
        assert_eq!(tree().ups("rack"), "qxups/home/rack");
        assert_eq!(tree().discovery_of("rack").unwrap(), "homeassistant/device/qxups_home_rack/config");
        assert_eq!(
            tree().discovery_of("my ups/1").unwrap(),
            "homeassistant/device/qxups_home_my_20ups_2f1/config"
        );
        assert_eq!(tree().ups("my ups/+#"), "qxups/home/my%20ups%2f%2b%23");
        assert_eq!(levels("battery.charge.low").unwrap(), "battery/charge/low");
        for wrong in ["", "status", "command", "a..b", ".a", "a.", "a.#", "a.+", "a/b.c", "a.b c", "a.\0"] {
            assert_eq!(levels(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_topic_is_in_its_place() {
        for (topic, place) in [
            ("qxups/home/availability", TopicPlace::Server),
            ("qxups/home/availability/ups/status", TopicPlace::Ups("availability", "ups/status")),
            ("qxups/home/rack/command", TopicPlace::Ups("rack", "command")),
            ("qxups/home/rack", TopicPlace::Other),
            ("qxups/home/rack/", TopicPlace::Other),
            ("qxups/homes/rack/command", TopicPlace::Other),
            ("qxups/home2/rack/command", TopicPlace::Other),
            ("other", TopicPlace::Other),
        ] {
            assert_eq!(tree().place(topic), place, "{topic}");
        }
    }

    #[test]
    fn prefixes_and_sites_can_stand_in_topics() {
        for good in ["qxups", "a/b", "ups_1.x"] {
            assert!(TopicTree::is_prefix(good), "{good}");
        }
        for wrong in ["", "/a", "a/", "a//b", "a/+", "#", "$SYS", "a b", "\u{e4}"] {
            assert!(!TopicTree::is_prefix(wrong), "{wrong}");
        }
        assert!(TopicTree::is_site("rack-1") && !TopicTree::is_site("rack_1") && !TopicTree::is_site(""));
    }

    proptest! {
        #[test]
        fn two_upses_have_no_topic_and_no_id_in_common(one in ".{1,12}", other in ".{1,12}") {
            prop_assert_eq!(name_of(&level(&one)), Some(one.clone()));
            let id = tree().object_id(&one);
            prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            prop_assert_eq!(one == other, tree().object_id(&other) == id);
            prop_assert_eq!(one == other, level(&one) == level(&other));
            prop_assert!(!level(&one).contains(['/', '+', '#', '\0', '$']));
        }
    }
}
