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
}

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ConfErrorKind,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfErrorKind {
    /// It has no proper words.
    Words(WordError),
    /// A section without a name.
    Nameless,
    /// Neither `name` nor `name = value`. NUT lets such a line pass in silence.
    Shape(String),
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.kind {
            ConfErrorKind::Words(error) => write!(f, "{error}"),
            ConfErrorKind::Nameless => f.write_str("name the UPS between the brackets"),
            ConfErrorKind::Shape(text) => {
                write!(f, "'{text}' is neither 'name' nor 'name = value'; quote values with blanks")
            }
        }
    }
}

impl std::error::Error for ConfError {}

impl UpsConf {
    /// The section of that name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// Reads a file.
///
/// # Errors
/// [`ConfError`] for the first line that cannot be understood.
pub fn parse(text: &[u8]) -> Result<UpsConf, ConfError> {
    let mut conf = UpsConf::default();
    let mut current = None;
    for line in lines(text) {
        let error = |kind| ConfError { line: line.number, kind };
        let words = line.words.map_err(|wrong| error(ConfErrorKind::Words(wrong)))?;
        let setting = |name: &str, value: Option<&str>| Setting {
            name: name.into(),
            value: value.map(String::from),
            line: line.number,
        };
        let first = words.first().map_or("", String::as_str);
        if let Some(name) = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if name.is_empty() {
                return Err(error(ConfErrorKind::Nameless));
            }
            current = Some(conf.begin(name, line.number));
            continue;
        }
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        let setting = match texts[..] {
            [name] if name != "=" => setting(name, None),
            // what follows the value is let pass, as in NUT
            [name, "=", value, ..] if name != "=" => setting(name, Some(value)),
            _ => return Err(error(ConfErrorKind::Shape(texts.join(" ")))),
        };
        match current.and_then(|at: usize| conf.sections.get_mut(at)) {
            Some(section) => section.settings.push(setting),
            None => conf.global.push(setting),
        }
    }
    Ok(conf)
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
        let conf = parse(text).unwrap();
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
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(part), "{error}");
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
