//! `ups.conf`: global settings, then a section for each UPS (NUT 2.8.0 common/upsconf.c).
//!
//! A line is `[name]`, `name` or `name = value`; what stands behind the name of a section or behind
//! a value is let pass. A section that occurs twice is continued. All this as in NUT.
//!
//! One thing is not: NUT lets a line such as `[my ups]` pass in silence, and gives the settings
//! below it to the UPS above it (seen with 2.8.0). Here they belong to no UPS, and the line is
//! [`UpsConfError`].

use crate::words::{SplitLine, WordError, lines};
use std::borrow::Cow;
use std::fmt;

/// A line `name`, or `name = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The name.
    pub name: String,
    /// The value; `None` for a flag.
    pub value: Option<String>,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// A section `[name]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The name of the UPS.
    pub name: String,
    /// Its settings, in order. In NUT a later one wins, but of two `override.x` the first (seen with
    /// 2.8.0).
    pub settings: Vec<Assignment>,
    /// The line it begins in, from 1.
    pub line: usize,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsConf {
    /// What stands before the first section.
    pub global: Vec<Assignment>,
    /// The sections. One that occurs twice is continued, as in NUT.
    pub sections: Vec<Section>,
    /// The lines that cannot be understood; they are passed over, as in NUT.
    pub wrong: Vec<UpsConfError>,
    /// The lines whose value goes on behind what is taken of it; the rest is lost, as in NUT.
    pub lost: Vec<Lost>,
    /// The texts in quotes that took whole lines in: most likely the quotes were never closed.
    pub swallowed: Vec<Swallowed>,
}

/// A line whose quotes go on over its end and take in a line that looks like a heading or a setting of its own, as NUT
/// reads it. Where it takes in several, the one that counts most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swallowed {
    /// The number of the line with the quotes, from 1.
    pub line: usize,
    /// The section it stands in; `None` before the first.
    pub section: Option<String>,
    /// The number of the line that was taken in.
    pub at: usize,
    /// What was taken in: `[name]`, or the name of a setting.
    pub what: String,
    /// It is a heading, so that a UPS is lost.
    pub is_heading: bool,
}

impl fmt::Display for Swallowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Swallowed { at, what, .. } = self;
        write!(
            f,
            "its quotes are not closed, so line {at}, '{what}', is a part of its text: write a \" behind the text"
        )
    }
}

/// A line `name = value more`, of which only `value` counts: most likely quotes are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its number, from 1.
    pub line: usize,
    /// The section it stands in; `None` before the first.
    pub section: Option<String>,
    /// The name.
    pub name: String,
    /// All words behind the `=`, with a blank between them.
    pub whole: String,
}

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsConfError {
    /// Its number, from 1.
    pub line: usize,
    /// The section it stands in. `None` before the first and for a wrong heading, which concern
    /// every UPS; empty below a wrong heading, which concerns none.
    pub section: Option<String>,
    /// What is wrong with it.
    pub fault: UpsConfFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsConfFault {
    /// It has no proper words.
    Words(WordError),
    /// A section without a name. What follows belongs to no UPS.
    Nameless,
    /// Neither `name` nor `name = value` nor `[name]`; the words of it. When it begins with `[`, what
    /// follows belongs to no UPS.
    Shape(String),
}

impl fmt::Display for UpsConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for UpsConfFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsConfFault::Words(error) => write!(f, "{error}"),
            UpsConfFault::Nameless => f.write_str("name the UPS between the brackets"),
            UpsConfFault::Shape(text) if text.starts_with('[') => {
                write!(f, "'{text}' is no section: write [name], without blanks; what follows is for no UPS")
            }
            UpsConfFault::Shape(text) => {
                let text = without_password(text);
                write!(f, "'{text}' is neither 'name' nor 'name = value'; quote values with blanks")
            }
        }
    }
}

/// A line of a password goes to the log without it.
fn without_password(text: &str) -> Cow<'_, str> {
    match text.split_once(' ') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name} ...").into(),
        _ => text.into(),
    }
}

impl UpsConf {
    /// The section of that name; capitals matter, as in NUT.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// Reads a file. The caller decides how bad a [`UpsConfError`] line is.
pub fn parse(text: &[u8]) -> UpsConf {
    let mut conf = UpsConf::default();
    let mut place = Place::Global;
    let raw: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for line in lines(text) {
        let before = conf.name_of(&place);
        let swallowed = swallowed(&raw, &line);
        match line.words.map_err(UpsConfFault::Words).and_then(|words| Meaning::of(&words)) {
            Ok(Meaning::Section(name)) => place = Place::Section(conf.begin(&name, line.number)),
            Ok(Meaning::Setting(name, value, more)) => {
                let section = conf.name_of(&place);
                if let (Some(value), false, false) = (&value, more.is_empty(), matches!(place, Place::Nobody))
                {
                    let whole = format!("{value} {}", more.join(" "));
                    conf.lost.push(Lost { line: line.number, section, name: name.clone(), whole });
                }
                let setting = Assignment { name, value, line: line.number };
                let settings = match place {
                    Place::Global => Some(&mut conf.global),
                    Place::Section(at) => conf.sections.get_mut(at).map(|section| &mut section.settings),
                    Place::Nobody => None,
                };
                if let Some(settings) = settings {
                    settings.push(setting);
                }
            }
            Err(fault) => {
                let heading = fault.is_heading();
                if heading {
                    place = Place::Nobody;
                }
                let section = match place {
                    Place::Section(at) => conf.sections.get(at).map(|section| section.name.clone()),
                    Place::Nobody if !heading => Some(String::new()),
                    Place::Nobody | Place::Global => None,
                };
                conf.wrong.push(UpsConfError { line: line.number, section, fault });
            }
        }
        conf.swallowed.extend(swallowed.map(|found| Swallowed { section: before, ..found }));
    }
    conf
}

/// What the quotes of a line took in, if anything of it looks as if it was meant for itself.
fn swallowed(raw: &[&[u8]], line: &SplitLine) -> Option<Swallowed> {
    let own = |number: usize| raw.get(number.checked_sub(1)?).map(|text| text.trim_ascii());
    let (number, in_quotes) = (line.number, line.in_quotes.clone());
    let found = |at: usize, what: String, is_heading| {
        Some(Swallowed { line: number, section: None, at, what, is_heading })
    };
    let of_line = |at: usize| {
        let text = own(at)?.split(|byte| *byte == b'"').next()?;
        let text = String::from_utf8_lossy(text).into_owned();
        if let Some((name, _)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            return found(at, format!("[{}]", name.trim()), true);
        }
        let name = text.split_once('=')?.0.trim().to_string();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if is_name { found(at, name, false) } else { None }
    };
    let is_quoted_heading = !in_quotes.is_empty() && own(number).is_some_and(|text| text.starts_with(b"\"["));
    if is_quoted_heading {
        let text = String::from_utf8_lossy(own(number)?.get(1..)?).into_owned();
        return found(number, text, true);
    }
    let all: Vec<Swallowed> = in_quotes.filter_map(of_line).collect();
    let heading = all.iter().find(|one| one.is_heading).cloned();
    heading.or_else(|| all.into_iter().next())
}

/// To whom a line belongs.
enum Place {
    Global,
    Section(usize),
    Nobody,
}

impl UpsConfFault {
    fn is_heading(&self) -> bool {
        match self {
            UpsConfFault::Words(_) => false,
            UpsConfFault::Nameless => true,
            UpsConfFault::Shape(text) => text.starts_with('['),
        }
    }
}

/// What a line is.
enum Meaning {
    Section(String),
    /// A name, the value that is taken, and what follows it.
    Setting(String, Option<String>, Vec<String>),
}

impl Meaning {
    fn of(words: &[String]) -> Result<Meaning, UpsConfFault> {
        let first = words.first().map_or("", String::as_str);
        if let Some(name) = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return if name.is_empty() {
                Err(UpsConfFault::Nameless)
            } else {
                Ok(Meaning::Section(name.into()))
            };
        }
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts[..] {
            [name] if name != "=" => Ok(Meaning::Setting(name.into(), None, vec![])),
            // what follows the value is let pass, as in NUT
            [name, "=", value, ref more @ ..] if name != "=" => {
                let more = more.iter().map(ToString::to_string).collect();
                Ok(Meaning::Setting(name.into(), Some(value.into()), more))
            }
            _ => Err(UpsConfFault::Shape(texts.join(" "))),
        }
    }
}

impl UpsConf {
    fn name_of(&self, place: &Place) -> Option<String> {
        match place {
            Place::Section(at) => self.sections.get(*at).map(|section| section.name.clone()),
            Place::Nobody | Place::Global => None,
        }
    }

    fn begin(&mut self, name: &str, line: usize) -> usize {
        let known = self.sections.iter().position(|section| section.name == name);
        known.unwrap_or_else(|| {
            self.sections.push(Section { name: name.into(), settings: vec![], line });
            self.sections.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_read() {
        let text = b"maxretry = 3\n# x\n[a]\n driver = nutdrv_qx\r\n port=/dev/ttyS0\n novendor\n desc = \"my ups\"\n[b]\nport = x y\n[a]\nport = z\n";
        let conf = parse(text);
        assert_eq!(conf.global, [Assignment { name: "maxretry".into(), value: Some("3".into()), line: 1 }]);
        let a = conf.section("a").unwrap();
        let settings: Vec<_> = a.settings.iter().map(|s| (s.name.as_str(), s.value.as_deref())).collect();
        let expected = [
            ("driver", Some("nutdrv_qx")),
            ("port", Some("/dev/ttyS0")),
            ("novendor", None),
            ("desc", Some("my ups")),
            ("port", Some("z")),
        ];
        assert_eq!(settings, expected);
        assert_eq!(conf.section("b").unwrap().settings[0].value.as_deref(), Some("x"));
        assert_eq!(conf.section("c"), None);
    }

    /// The settings of section `a`, each as `name=value` or `name`.
    fn settings_of_a(text: &[u8]) -> Vec<String> {
        let conf = parse(text);
        let text =
            |s: &Assignment| s.name.clone() + &s.value.as_ref().map_or(String::new(), |v| format!("={v}"));
        conf.section("a").map(|a| a.settings.iter().map(text).collect()).unwrap_or_default()
    }

    #[test]
    fn what_is_lost_behind_a_value_is_known() {
        let text = b"maxretry = 3 4\n[a]\ndesc = My UPS\nport = x # a comment\nsdcommands = a, b\n\
                     q = \"b c\"\n[my ups]\ny = 1 2\n[b] c\nz = p = q\n";
        let lost: Vec<_> = parse(text)
            .lost
            .into_iter()
            .map(|lost| {
                format!("{} {:?} {}: {}", lost.line, lost.section.unwrap_or_default(), lost.name, lost.whole)
            })
            .collect();
        assert_eq!(
            lost,
            ["1 \"\" maxretry: 3 4", "3 \"a\" desc: My UPS", "5 \"a\" sdcommands: a, b", "10 \"b\" z: p = q"]
        );
    }

    /// Seen with the same text in Debian 12's NUT 2.8.0.
    #[test]
    fn what_nut_takes_is_taken() {
        for (text, expected) in [
            (&b"[a]\nx = one\n[b]\nx = two\n[a]\ny = three\n"[..], &["x=one", "y=three"][..]),
            (b"[a] b c\nx = one two three\ny=p=q\n", &["x=one", "y=p"]),
            (b"[a]\r\nx = 1\r\ny = \"2\"\r\nz\r\n", &["x=1", "y=2", "z"]),
            (b"[a]\nx = \"\"\ny = \"b c\"\n", &["x=", "y=b c"]),
            (b"[a]\nx = \"b\ny = \"c\"\nz = d\n", &["x=by = ", "z=d"]),
            (b"[a]\nx = b\\\nc\ny = \\\nd\n", &["x=bc", "y=d"]),
            // an escaped line feed begins a word, and the blank after it ends it
            (b"[a]\nx = \\\n b\ny \\\n = d\n", &["x="]),
            (b"\xef\xbb\xbf[a]\nx = b\\", &["x=b"]),
            (b"\"[my ups]\"\nx = 1\n[a]\ny = 2\n", &["y=2"]),
            (b"[a]\noverride.v = 1\ndefault.v = 2\n", &["override.v=1", "default.v=2"]),
            (b"[a]\nx y\nz =\n", &[]),
            (b"[a]\nx\n[]\ny\n", &["x"]),
            (b"[A]\nx\n", &[]),
            (b"[a]\n[b\n", &["[b"]),
        ] {
            assert_eq!(settings_of_a(text), expected, "{}", text.escape_ascii());
        }
    }

    /// What NUT 2.8.0 does with these is a fault: it loses `frob`, takes `1"` for a flag, and gives
    /// `y` to the wrong UPS.
    #[test]
    fn what_nut_takes_wrongly_is_not() {
        for (text, expected) in [
            (&b"[a]\nx = 1\nfrob"[..], &["x=1", "frob"][..]),
            (b"[a]\nx = \"UPS #1\"\ny = 2\n", &["y=2"]),
            (b"[a]\nx = 1\n[my ups]\ny = 2\n[a]\nz = 3\n", &["x=1", "z=3"]),
            (b"[a]\nx = 1\n[ b ]\ny = 2\n", &["x=1"]),
        ] {
            assert_eq!(settings_of_a(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_setting_that_comes_twice_is_kept_twice() {
        let conf = parse(b"[a]\nx = 1\nx = 2\n");
        assert_eq!(conf.section("a").unwrap().settings.len(), 2);
    }

    /// Found by a review: quotes that were never closed took the sections of other UPSes in, and nothing said so.
    #[test]
    fn lines_that_quotes_took_in_are_known() {
        for (text, expected) in [
            (&b"[a]\ndesc = \"Rack 3\n[b]\ndriver = x\n"[..], Some((2, Some("a"), 3, "[b]", true))),
            // closed by the quotes of another value
            (
                b"[a]\ndesc = \"Rack 3\nport = x\n[ b ] # c\ndesc = \"y\"\n",
                Some((2, Some("a"), 4, "[b]", true)),
            ),
            (b"[a]\nu = \"adm\nfp = \"12\"\n", Some((2, Some("a"), 3, "fp", false))),
            (b"u = \"adm\n\nfp = 12\n", Some((1, None, 3, "fp", false))),
            (b"[a]\nx = 1\n\"[b]\ndriver = \"x\n", Some((3, Some("a"), 3, "[b]", true))),
            (b"[a]\ndesc = \"Rack 3\n", None),
            (b"[a]\ndesc = \"Rack\n3\"\nport = x\n", None),
            (b"[a]\ndesc = \"Rack\\\n[b]\"\nport = x\n", None),
            (b"[a]\ndesc = \"Rack 3\"\n[b]\ndesc = \"x\"\n", None),
        ] {
            let found = parse(text).swallowed;
            let found: Vec<_> = found
                .iter()
                .map(|one| (one.line, one.section.as_deref(), one.at, one.what.as_str(), one.is_heading))
                .collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{}", text.escape_ascii());
        }
    }

    /// Found by a review: the log had the password of a line without its `=`.
    #[test]
    fn a_password_is_not_said() {
        let wrong = parse(b"[a]\nupstream_password secret\n").wrong;
        let said = wrong[0].to_string();
        assert!(said.contains("upstream_password") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn what_is_wrong_names_whom_it_concerns() {
        let text = b"= 1\n[a]\nb c\n[my ups]\nd e\n[]\nf g\n[a]\nh i\n";
        let found: Vec<_> = parse(text).wrong.into_iter().map(|wrong| (wrong.line, wrong.section)).collect();
        let name = |name: &str| Some(name.to_string());
        let expected =
            [(1, None), (3, name("a")), (4, None), (5, name("")), (6, None), (7, name("")), (9, name("a"))];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, part) in [
            (&b"[a]\nport /dev/ttyS0\n"[..], 2, "neither"),
            (b"\n\n[]\n", 3, "name the UPS"),
            (b"[a]\n[my ups]\n", 2, "without blanks"),
            (b"a = \"b # c\"\n", 1, "inside of quotes"),
            (b"[a]\nx = \"b\n", 2, "not closed"),
            (b"a =\n", 1, "neither"),
        ] {
            let wrong = parse(text).wrong;
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert_eq!(wrong[0].line, line, "{wrong:?}");
            assert!(wrong[0].to_string().contains(part), "{}", wrong[0]);
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }
        #[test]
        fn anything_like_a_file_is_read_or_refused(text in "([\\[\\]a-c=\"#\\\\ ]{0,9}\n){0,9}") {
            let _ = parse(text.as_bytes());
        }
    }
}
