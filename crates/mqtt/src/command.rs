//! Which orders of a broker are followed: those that the configuration names, and no other.

/// Bytes of an order, at most.
const LONGEST: usize = 256;

/// An order that the configuration allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerOrder {
    /// The UPS, as the fleet names it.
    pub ups: String,
    /// The instant command.
    pub name: String,
    /// Its value, where one came with it.
    pub value: Option<String>,
}

/// Instant commands that may come from a broker: none, unless they are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedCommands(Vec<(Option<String>, String)>);

impl AllowedCommands {
    /// Reads `beeper.toggle`, or `rack:beeper.toggle` for one UPS alone.
    pub fn parse(text: &str) -> Option<(Option<String>, String)> {
        let (ups, name) = match text.rsplit_once(':') {
            Some((ups, name)) => (Some(ups), name),
            None => (None, text),
        };
        let is_good = is_command(name) && ups.is_none_or(|ups| !ups.trim().is_empty());
        is_good.then(|| (ups.map(String::from), name.to_string()))
    }

    /// Those that were read.
    pub fn new(all: Vec<(Option<String>, String)>) -> AllowedCommands {
        AllowedCommands(all)
    }

    /// Whether none is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this command of this UPS is.
    pub fn allow(&self, ups: &str, name: &str) -> bool {
        let fits = |(of, allowed): &(Option<String>, String)| {
            allowed.eq_ignore_ascii_case(name)
                && of.as_ref().is_none_or(|allowed| allowed.eq_ignore_ascii_case(ups))
        };
        self.0.iter().any(fits)
    }
}

fn is_command(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain)
}

/// What a payload asks for: a command, with a value behind a blank where there is one.
pub(crate) fn asked(payload: &[u8]) -> Option<(&str, Option<&str>)> {
    let text = std::str::from_utf8(payload).ok().filter(|text| text.len() <= LONGEST)?.trim();
    let (name, value) = match text.split_once(' ') {
        Some((name, value)) => (name, Some(value.trim())),
        None => (text, None),
    };
    let is_good = is_command(name) && !text.chars().any(char::is_control);
    is_good.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(all: &[&str]) -> AllowedCommands {
        AllowedCommands::new(all.iter().map(|text| AllowedCommands::parse(text).unwrap()).collect())
    }

    #[test]
    fn what_is_not_named_is_not_allowed() {
        assert!(!AllowedCommands::default().allow("rack", "beeper.toggle"));
        let some = allowed(&["beeper.toggle", "rack:test.battery.start.quick"]);
        for (ups, name, may) in [
            ("rack", "beeper.toggle", true),
            ("desk", "Beeper.Toggle", true),
            ("rack", "test.battery.start.quick", true),
            ("RACK", "test.battery.start.quick", true),
            ("desk", "test.battery.start.quick", false),
            ("rack", "beeper", false),
            ("rack", "beeper.toggle.x", false),
            ("rack", "load.off", false),
            ("rack", "", false),
        ] {
            assert_eq!(some.allow(ups, name), may, "{ups} {name}");
        }
        for wrong in ["", ":", "rack:", ":beeper.toggle", "all of them", "*", "beeper.toggle=1"] {
            assert_eq!(AllowedCommands::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_payload_is_a_command_or_nothing() {
        assert_eq!(asked(b"beeper.toggle"), Some(("beeper.toggle", None)));
        assert_eq!(asked(b" load.off.delay 30\n"), Some(("load.off.delay", Some("30"))));
        for wrong in
            [&b""[..], b" ", b"\xff", b"a\0b", b"a b\nc", b"{\"command\":1}", &[b'a'; 65], &[b' '; 300]]
        {
            assert_eq!(asked(wrong), None, "{wrong:?}");
        }
    }
}
