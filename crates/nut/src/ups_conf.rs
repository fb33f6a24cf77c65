//! `ups.conf`: global settings, then a section for each UPS (NUT 2.8.0 common/upsconf.c).

use crate::words::{WordError, lines};
use std::fmt;

/// A line `name`, or `name = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
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
    /// Its settings, in order: a later one wins.
    pub settings: Vec<Setting>,
    /// The line it begins in, from 1.
    pub line: usize,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsConf {
    /// What stands before the first section.
    pub global: Vec<Setting>,
    /// The sections. One that occurs twice is continued, as in NUT.
    pub sections: Vec<Section>,
    /// The lines that cannot be understood; they are passed over, as in NUT.
    pub wrong: Vec<Wrong>,
}

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: usize,
    /// The section it stands in; `None` before the first.
    pub section: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no proper words.
    Words(WordError),
    /// A section without a name.
    Nameless,
    /// Neither `name` nor `name = value`.
    Shape(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.fault {
            Fault::Words(error) => write!(f, "{error}"),
            Fault::Nameless => f.write_str("name the UPS between the brackets"),
            Fault::Shape(text) => {
                write!(f, "'{text}' is neither 'name' nor 'name = value'; quote values with blanks")
            }
        }
    }
}

impl UpsConf {
    /// The section of that name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// Reads a file. Whoever uses it decides how bad a [`Wrong`] line is.
pub fn parse(text: &[u8]) -> UpsConf {
    let mut conf = UpsConf::default();
    let mut current = None;
    for line in lines(text) {
        match line.words.map_err(Fault::Words).and_then(|words| Meaning::of(&words)) {
            Ok(Meaning::Section(name)) => current = Some(conf.begin(&name, line.number)),
            Ok(Meaning::Setting(name, value)) => {
                let setting = Setting { name, value, line: line.number };
                match current.and_then(|at: usize| conf.sections.get_mut(at)) {
                    Some(section) => section.settings.push(setting),
                    None => conf.global.push(setting),
                }
            }
            Err(fault) => {
                let section =
                    current.and_then(|at| conf.sections.get(at)).map(|section| section.name.clone());
                conf.wrong.push(Wrong { line: line.number, section, fault });
            }
        }
    }
    conf
}

/// What a line is.
enum Meaning {
    Section(String),
    Setting(String, Option<String>),
}

impl Meaning {
    fn of(words: &[String]) -> Result<Meaning, Fault> {
        let first = words.first().map_or("", String::as_str);
        if let Some(name) = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return if name.is_empty() { Err(Fault::Nameless) } else { Ok(Meaning::Section(name.into())) };
        }
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts[..] {
            [name] if name != "=" => Ok(Meaning::Setting(name.into(), None)),
            // what follows the value is let pass, as in NUT
            [name, "=", value, ..] if name != "=" => Ok(Meaning::Setting(name.into(), Some(value.into()))),
            _ => Err(Fault::Shape(texts.join(" "))),
        }
    }
}

impl UpsConf {
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
        assert_eq!(conf.global, [Setting { name: "maxretry".into(), value: Some("3".into()), line: 1 }]);
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

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, part) in [
            (&b"[a]\nport /dev/ttyS0\n"[..], 2, "neither"),
            (b"\n\n[]\n", 3, "name the UPS"),
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
